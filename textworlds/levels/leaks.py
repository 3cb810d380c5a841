"""Levels that are one level, however turned, mirrored or shifted: between two sets, and within one."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from textworlds.levels.bank import stack_levels
from textworlds.levels.content import keys_of
from textworlds.levels.level_set import LevelSet
from textworlds.puzzles import Puzzle


def overlaps(one: Sequence[Any], other: Sequence[Any], puzzle: Puzzle | None = None) -> list[tuple[int, int]]:
    """Return which levels of `other` are in `one` up to turning, mirroring and shifting.

    Args:
        one, other: level sets, lists of drawings, Levels or pictures, or uint8[L, P, H, W].
        puzzle: what they are of; not needed for level sets.

    Returns:
        Pairs (i, j), j rising: other[j] is the same level as one[i], the first one of its like there.
    """
    first, found = find_first(keys_in(one, puzzle), keys_in(other, puzzle))
    return list(zip(first.tolist(), found.tolist(), strict=True))


def duplicates(levels: Sequence[Any], puzzle: Puzzle | None = None) -> list[tuple[int, int]]:
    """Return which levels of a set are there before: pairs (i, j), j rising, where j repeats i, the first of its like."""
    keys = keys_in(levels, puzzle)
    first, found = find_first(keys, keys)
    repeated = first < found
    return list(zip(first[repeated].tolist(), found[repeated].tolist(), strict=True))


def keys_in(levels: Sequence[Any] | np.ndarray, puzzle: Puzzle | None) -> np.ndarray:
    """Return the keys of levels, uint64[L], computed from what they are, whatever a set says."""
    if isinstance(levels, LevelSet):
        if puzzle not in (None, levels.puzzle):
            raise ValueError(f"{levels.name} holds levels of {levels.puzzle.name}, not of {puzzle.name}")
        return keys_of(levels.pictures, levels.puzzle)
    if puzzle is None:
        raise ValueError("levels that are no level sets need a puzzle")
    if isinstance(levels, np.ndarray):
        levels = list(levels)
    return keys_of(stack_levels(levels, puzzle), puzzle) if len(levels) else np.empty(0, np.uint64)


def find_first(keys: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return int64[M] and int64[M]: where in `keys` each of `wanted` that is there first stands, and its own place."""
    known, places = np.unique(keys, return_index=True)
    if not len(known):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    near = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    found = np.flatnonzero(known[near] == wanted)
    return places[near[found]], found
