"""The puzzles: a folder each, and its name here."""

import copyreg
from collections.abc import Callable
from importlib import import_module
from pickle import PicklingError

from textworlds.puzzles.puzzle import GAVE_UP, NO_SOLUTION, Limits, Puzzle

NAMES = ("sokoban", "maze", "taxi")
PUZZLES: dict[str, Puzzle] = {name: import_module(f"textworlds.puzzles.{name}").PUZZLE for name in NAMES}

__all__ = ["GAVE_UP", "NO_SOLUTION", "PUZZLES", "Limits", "Puzzle", "find_puzzle"]


def find_puzzle(name: str) -> Puzzle:
    """Return a puzzle by its name.

    Raises:
        ValueError: for an unknown name; the text lists the known ones.
    """
    if name not in PUZZLES:
        raise ValueError(f"unknown puzzle {name!r}; known: {', '.join(sorted(PUZZLES))}")
    return PUZZLES[name]


def _reduce(puzzle: Puzzle) -> tuple[Callable[[str], Puzzle], tuple[str]]:
    if PUZZLES.get(puzzle.name) is not puzzle:
        raise PicklingError(f"{puzzle.name!r} is not one of textworlds.PUZZLES, by whose names puzzles are pickled")
    return find_puzzle, (puzzle.name,)


copyreg.pickle(Puzzle, _reduce)
