"""The ids that gym.make knows, and the settings behind each."""

from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

from textworlds.puzzles import PUZZLES, Puzzle

NAMESPACE = "textworlds/"


def all_ids() -> dict[str, tuple[Puzzle, Mapping[str, Any]]]:
    """Return every id with its puzzle and settings."""
    return {
        NAMESPACE + id: (puzzle, MappingProxyType(dict(puzzle.ids[id])))
        for puzzle in PUZZLES.values()
        for id in puzzle.ids
    }


def find_id(id: str) -> tuple[Puzzle, Mapping[str, Any]]:
    """Return the puzzle and the settings of an id, given with or without "textworlds/".

    Raises:
        ValueError: for an unknown id; the text names the nearest ones.
    """
    known = all_ids()
    full = id if id.startswith(NAMESPACE) else NAMESPACE + id
    if full not in known:
        near = get_close_matches(full, known, n=3, cutoff=0.0)
        raise ValueError(f"unknown id {id!r}; the nearest are: {', '.join(near)}")
    return known[full]
