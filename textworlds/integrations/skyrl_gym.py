"""SkyRL-gym: an environment of text in and text out; rows of the data set say which id, which seed, how it is paid."""

from collections.abc import Mapping
from typing import Any

import skyrl_gym
from skyrl_gym.envs.base_text_env import BaseTextEnv

from textworlds.integrations import rows
from textworlds.integrations.rows import NAME


def row(id: str, seed: int, **settings: Any) -> dict[str, Any]:
    """Return a row of a data set; settings as for integrations.play.Play, and turn_limit."""
    return {**rows.row(id, seed, **settings), "env_class": NAME}


class TextWorld(BaseTextEnv):  # type: ignore[misc]
    """One episode; the whole pay comes with its last turn.

    Args:
        env_config: settings of all episodes whose rows do not have them.
        extras: the columns of the row, but for prompt and env_class.
    """

    def __init__(self, env_config: Mapping[str, Any] | None = None, extras: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self._play, known = rows.make(extras or {}, **dict(env_config or {}))
        self._seed = known["seed"]
        self.max_turns = self._play.conversation.turn_limit

    def init(self, prompt: list[dict[str, str]]) -> tuple[list[dict[str, str]], dict[str, Any]]:
        """Begin the episode; the row's prompt is there for SkyRL to count, and not looked at."""
        return self._play.begin(self._seed), {}

    def step(self, action: str) -> dict[str, Any]:
        reply = self._play.reply(action)
        self.turns += 1
        observations = [] if reply.message is None else [reply.message]
        pay = self._play.pay() if reply.done else 0.0
        return {"observations": observations, "reward": pay, "done": reply.done, "metadata": self._play.metrics()}

    def get_metrics(self) -> dict[str, Any]:
        return self._play.metrics()


if NAME not in skyrl_gym.envs.registration.registry:
    skyrl_gym.register(id=NAME, entry_point=f"{__name__}:TextWorld")
