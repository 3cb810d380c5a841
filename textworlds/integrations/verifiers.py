"""verifiers: a set of tasks, one a seed, and the environment in which our rules play the user.

verifiers finds both by the name of a top-level module; examples/textworlds_vf.py is one that hands them on.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import verifiers.v1 as vf

from textworlds.integrations.play import FIRST_ID, Play


class Data(vf.TaskData):  # type: ignore[misc]
    """A seed's level; the first messages are the task's prompts."""

    seed: int
    settings: dict[str, Any]


class TextWorldTask(vf.Task[Data]):  # type: ignore[misc]
    """One episode."""


class Config(vf.TasksetConfig):  # type: ignore[misc]
    """What is played.

    Attributes:
        textworld: an id of textworlds.
        method: how episodes are paid; see integrations.play.Play.
        first_seed: of the tasks.
        settings: of the conversation: protocol, turn_limit, split, ...
    """

    textworld: str = FIRST_ID
    method: str = "wmact"
    first_seed: int = 0
    settings: dict[str, Any] = {}


class EnvConfig(vf.EnvConfig):  # type: ignore[misc]
    """The player is a plain chat."""

    player: vf.AgentConfig = vf.AgentConfig(harness={"id": "null"})


class TextWorldEnv(vf.Env[EnvConfig]):  # type: ignore[misc]
    """Plays one task; the reward is what the method pays, the metrics are those of textworlds.wmact."""

    async def run(self, task: Any, agents: Any) -> None:
        play = Play(**task.data.settings)
        play.begin(task.data.seed)
        async with agents.player.interaction(task) as interaction:
            segment = await interaction.turn()
            while not segment.terminated:
                reply = play.reply(segment.last_reply)
                if reply.message is None:
                    break
                segment = await interaction.turn(reply.text)
            interaction.trace.record_reward("pay", play.pay())
            interaction.trace.record_metrics(play.metrics())


class TextWorldTaskset(vf.Taskset[TextWorldTask, Config]):  # type: ignore[misc]
    """A task for each seed from the first on, without end."""

    INFINITE = True

    def load(self) -> Iterator[TextWorldTask]:
        settings = {"id": self.config.textworld, "method": self.config.method, **self.config.settings}
        play = Play(**settings)
        for seed in itertools.count(self.config.first_seed):
            system, *said = play.begin(seed)
            data = Data(
                name=f"{self.config.textworld}#{seed}",
                seed=seed,
                settings=settings,
                system_prompt=system["content"],
                prompt=said if play.conversation.shots else said[0]["content"],  # text, which more harnesses take
            )
            yield TextWorldTask(data, self.config.task)
