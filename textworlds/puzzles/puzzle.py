"""What a puzzle is to the rest of the house: its verbs, its words and its ids."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from textworlds.grid import SOLVED
from textworlds.kernel import Kernel
from textworlds.text.words import Words

# What solve returns in place of a plan's length.
NO_SOLUTION, GAVE_UP = -1, -2


@dataclass(frozen=True, eq=False)
class Puzzle:
    """A puzzle; shared code knows nothing else of it.

    Attributes:
        name: lower case, as in the folder's name.
        words: what its text says.
        options: a NamedTuple class of numbers, each with a default: what `generate` can be asked for.
        ids: name of an environment ("Sokoban-easy-v0") -> its settings: height, width, turn_limit, options, and
            anything else that the environments take.
        step: kernel (state, world, agent, action) -> int. Play one action in place; CHANGED or the reason why nothing
            changed. It changes the world only through grid.move_agent, move_item and toggle, and allocates nothing.
        goals_left: kernel (state, world) -> int. Count from the board; 0 is solved. `step` keeps book.left at this.
        generate: kernel (rng, state, world, options) -> bool. Write a solvable level on an all-zero board, walls
            closed; False if none could be made.
        solve: kernel (state, world, plan) -> int. Write actions into plan (int8[M]) and return how many, 0 if solved
            already, NO_SOLUTION, or GAVE_UP if the search's budget or the plan's room ran out. Leaves the state as
            it was.
        check_options: (options, height, width) -> a sentence that says why no such level can be, or "".
        check_level: picture -> a sentence that says why it is no level of this puzzle, or "".
        num_planes: options -> planes of its pictures.
        rewards: name of a reward scheme -> reason code -> reward of an action that had this outcome; SOLVED for the
            one that solves the level. Codes not named pay 0.
    """

    name: str
    words: Words
    options: type[Any]
    ids: Mapping[str, Mapping[str, Any]]
    step: Kernel
    goals_left: Kernel
    generate: Kernel
    solve: Kernel
    check_options: Callable[[Any, int, int], str]
    check_level: Callable[[np.ndarray], str]
    num_planes: Callable[[Any], int] = lambda options: 1
    rewards: Mapping[str, Mapping[int, float]] = field(default_factory=lambda: {"outcome": {SOLVED: 1.0}})

    def __deepcopy__(self, memo: dict[int, Any]) -> "Puzzle":
        return self


def square(size: int, turn_limit: int, **others: Any) -> dict[str, Any]:
    """Return the settings of an id whose levels have as many rows as columns."""
    return {"height": size, "width": size, "turn_limit": turn_limit, **others}
