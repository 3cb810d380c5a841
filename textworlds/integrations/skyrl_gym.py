"""SkyRL-gym: an environment of text in and text out; rows of the data set say which id, which seed, how it is paid."""

from typing import Any

import skyrl_gym
from skyrl_gym.envs.base_text_env import BaseTextEnv

from textworlds.integrations.play import Play

NAME = "textworlds"


def row(id: str, seed: int, **settings: Any) -> dict[str, Any]:
    """Return a row of a data set; settings as for integrations.play.Play, and turn_limit."""
    return {"prompt": [], "env_class": NAME, "extras": {"id": id, "seed": seed, **settings}}


class TextWorld(BaseTextEnv):  # type: ignore[misc]
    """One episode; the whole pay comes with its last turn.

    Args:
        env_config: settings for all episodes.
        extras: of this one: id, seed, and settings as for integrations.play.Play.
    """

    def __init__(self, env_config: Any = None, extras: dict[str, Any] | None = None) -> None:
        super().__init__()
        chosen = {**dict(env_config or {}), **(extras or {})}
        known = {name: chosen[name] for name in chosen if name not in OF_SKYRL}
        self._seed, self._play = known.pop("seed", None), Play(known.pop("id"), **known)
        self.max_turns = self._play.conversation.turn_limit

    def init(self, prompt: list[dict[str, str]]) -> tuple[list[dict[str, str]], dict[str, Any]]:
        return [*prompt, *self._play.begin(self._seed)], {}

    def step(self, action: str) -> dict[str, Any]:
        reply = self._play.reply(action)
        self.turns += 1
        observations = [] if reply.message is None else [reply.message]
        pay = self._play.pay() if reply.done else 0.0
        return {"observations": observations, "reward": pay, "done": reply.done, "metadata": self._play.metrics()}

    def get_metrics(self) -> dict[str, Any]:
        return self._play.metrics()


OF_SKYRL = ("max_turns", "reward_spec", "reward_model", "data_source", "extra_info")

if NAME not in skyrl_gym.envs.registration.registry:
    skyrl_gym.register(id=NAME, entry_point=f"{__name__}:TextWorld")
