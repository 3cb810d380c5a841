"""The ids that gym.make and PettingZoo know, and the settings behind each."""

from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

from textworlds.puzzles import PUZZLES, Puzzle

NAMESPACE = "textworlds/"
Found = tuple[Puzzle, Mapping[str, Any]]


def all_ids() -> dict[str, Found]:
    """Return every id with its puzzle and settings."""
    return _listed({id: puzzle for puzzle in PUZZLES.values() for id in puzzle.ids}, "ids")


def all_team_ids() -> dict[str, Found]:
    """Return every id for several agents with its puzzle and settings."""
    return _listed({id: puzzle for puzzle in PUZZLES.values() for id in puzzle.team_ids}, "team_ids")


def all_guide_ids() -> dict[str, Found]:
    """Return every id for a guide and a mover with its puzzle and settings."""
    return _listed({id: puzzle for puzzle in PUZZLES.values() for id in puzzle.guide_ids}, "guide_ids")


def find_id(id: str) -> Found:
    """Return the puzzle and the settings of an id, given with or without "textworlds/".

    Raises:
        ValueError: for an unknown id; the text names the nearest ones.
    """
    return _find(id, all_ids())


def find_team_id(id: str) -> Found:
    """Return the same for an id for several agents, for one with a guide, or for one."""
    return _find(id, all_team_ids() | all_guide_ids() | all_ids())


def _listed(puzzles: dict[str, Puzzle], kind: str) -> dict[str, Found]:
    return {
        NAMESPACE + id: (puzzle, MappingProxyType(dict(getattr(puzzle, kind)[id]))) for id, puzzle in puzzles.items()
    }


def _find(id: str, known: dict[str, Found]) -> Found:
    full = id if id.startswith(NAMESPACE) else NAMESPACE + id
    if full not in known:
        near = get_close_matches(full, known, n=3, cutoff=0.0)
        raise ValueError(f"unknown id {id!r}; the nearest are: {', '.join(near)}")
    return known[full]
