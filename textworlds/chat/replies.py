"""What a conversation gives back: messages, what a reply led to, and what was said, counted."""

from typing import Any, NamedTuple

from textworlds.chat.predictions import Prediction

SYSTEM, USER, ASSISTANT = "system", "user", "assistant"
Message = dict[str, str]  # role and content


class Reply(NamedTuple):
    """What a reply of the model led to.

    Attributes:
        message: the next message of the user; None when the episode is over.
        text: what there is to say, at the end too, where nothing is asked any more.
        reward: of this turn.
        terminated, truncated: whether the level is solved, and whether the turns are used up.
        ledger: see Episode.
        prediction: how right the prediction was; None in protocols without one.
    """

    message: Message | None
    text: str
    reward: float
    terminated: bool
    truncated: bool
    ledger: dict[str, Any]
    prediction: Prediction | None

    @property
    def done(self) -> bool:
        """Whether the episode is over."""
        return self.terminated or self.truncated


class Usage(NamedTuple):
    """What an episode's messages came to so far, each counted by itself, in `unit`.

    Attributes:
        turns: replies of the model.
        prompt: all messages that were before the model, added up over its turns, as cut by `history`.
        completion: its replies.
        unit: "tokens" if there was something to count them with, else "characters".
    """

    turns: int
    prompt: int
    completion: int
    unit: str
