"""OpenEnv: a server of episodes over HTTP and WebSocket; the client is OpenEnv's own.

Run it with `uvicorn --factory textworlds.integrations.openenv:make_app`; TEXTWORLDS_ID says what is played.
"""

import os
from functools import partial
from typing import Any

from openenv.core.env_server import Action, Environment, Observation, State, create_fastapi_app

from textworlds.integrations.play import FIRST_ID, Play


class Message(Action):  # type: ignore[misc]
    """What the model says."""

    text: str


class Turn(Observation):  # type: ignore[misc]
    """What there is to say to the model, with `reward` and `done`; `metrics` are of the episode so far."""

    text: str = ""
    messages: list[dict[str, str]] = []  # the first ones of an episode
    metrics: dict[str, float] = {}


class TextWorld(Environment):  # type: ignore[misc]
    """Episodes of one id; the whole pay comes with the last turn.

    Args:
        id: what is played.
        **options: as for integrations.play.Play.
    """

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self, id: str = FIRST_ID, **options: Any) -> None:
        super().__init__()
        self._play, self._state = Play(id, **options), State(episode_id=None, step_count=0)

    def reset(
        self, seed: int | None = None, episode_id: str | None = None, turn_limit: int | None = None, **other: Any
    ) -> Turn:
        messages = self._play.begin(seed, turn_limit)
        self._state = State(episode_id=episode_id, step_count=0)
        return Turn(text=messages[-1]["content"], messages=messages, done=False, reward=None)

    def step(self, action: Message, timeout_s: float | None = None, **other: Any) -> Turn:
        reply = self._play.reply(action.text)
        self._state.step_count += 1
        pay = self._play.pay() if reply.done else 0.0
        return Turn(text=reply.text, reward=pay, done=reply.done, metrics=self._play.metrics())

    @property
    def state(self) -> State:
        return self._state


def make_app(id: str | None = None, max_sessions: int = 64, **options: Any) -> Any:
    """Return the server's application; options as for integrations.play.Play."""
    chosen = id or os.environ.get("TEXTWORLDS_ID", FIRST_ID)
    return create_fastapi_app(partial(TextWorld, chosen, **options), Message, Turn, max_concurrent_envs=max_sessions)
