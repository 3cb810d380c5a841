"""TRL: an environment for GRPOTrainer's `environment_factory`, and a callback that anneals the limit on turns.

The model acts by calling the tool `act`, as the templates in the folder tool_prompts tell it. All rollouts of a group begin with the
row's seed.
"""

from functools import partial
from pathlib import Path
from typing import Any

from accelerate.utils import gather_object
from transformers import TrainerCallback

from textworlds.integrations.play import Play, SharedLimit

ACTIONS_ONLY = "plain"  # the grammar of messages that are nothing but actions
PROMPTS = Path(__file__).parent / "tool_prompts"


def factory(id: str, **options: Any) -> "partial[TextWorld]":
    """Return what GRPOTrainer takes as environment_factory; options as for integrations.play.Play."""
    return partial(TextWorld, id, **options)


def rows(count: int, first_seed: int = 0) -> list[dict[str, Any]]:
    """Return so many rows of a data set, each the level of a seed; datasets.Dataset.from_list makes one of them."""
    empty = [{"role": "user", "content": ""}]
    return [{"prompt": empty, "seed": seed} for seed in range(first_seed, first_seed + count)]


class TextWorld:
    """One rollout at a time. Its public methods but `reset` and `get_reward` are the model's tools."""

    def __init__(self, id: str, **options: Any) -> None:
        if options.get("shots"):
            raise ValueError(f"shots cannot be shown as calls of a tool; got {options['shots']!r}, leave them out")
        self._play = Play(id, **{"action": ACTIONS_ONLY, "prompts": PROMPTS, **options})

    def reset(self, seed: int, turn_limit: int | None = None, **row: Any) -> str:
        """Begin with a seed's level; return what is said before the model's first turn."""
        return "\n\n".join(message["content"] for message in self._play.begin(seed, turn_limit))

    def act(self, actions: str) -> str:
        """Play one turn.

        Args:
            actions: The actions of this turn, in the form in which you were told to answer.

        Returns:
            What became of them, and what the board looks like now.
        """
        return "The level is over." if self._play.conversation.done else self._play.reply(str(actions)).text

    def get_reward(self) -> float:
        """Return what the rollout pays; TRL asks at its end, whatever ended it."""
        self._play.end()
        return self._play.pay()


class Anneal(TrainerCallback):  # type: ignore[misc]
    """Lower a limit on turns by the episodes that all processes finished in each step."""

    def __init__(self, limit: SharedLimit) -> None:
        self.limit = limit

    def on_step_end(self, *arguments: Any, **state: Any) -> None:
        self.limit.record(gather_object(self.limit.take()))
