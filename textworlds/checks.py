"""Checks of what people give: one clear sentence each, before anything is changed."""

from collections.abc import Sequence
from typing import Any

import numpy as np


def seeds_from(seeds: Sequence[int]) -> np.ndarray:
    """Return seeds as uint64[N].

    Raises:
        ValueError: unless they are whole numbers from 0 to 2**64 - 1.
    """
    for seed in seeds:
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 1 << 64:
            raise ValueError(f"a seed is a whole number from 0 to 2**64 - 1; got {seed!r}")
    return np.array([int(seed) for seed in seeds], np.uint64)


def indices_from(index: Any, num_levels: int, num_worlds: int) -> np.ndarray:
    """Return which level each of so many worlds plays, int64[K], from one index for all or one for each.

    Raises:
        ValueError: unless they are whole numbers from 0 to num_levels - 1.
    """
    if not num_levels:
        raise ValueError("an index picks one of the levels given, and none are: give levels to the environment")
    known = f"an index is a whole number from 0 to {num_levels - 1}, the place of a level"
    given = [index] * num_worlds if isinstance(index, int | np.integer) else index
    is_list = isinstance(given, Sequence) and not isinstance(given, str)
    if not (is_list or (isinstance(given, np.ndarray) and given.ndim)) or len(given) != num_worlds:
        each = "" if num_worlds == 1 else f", one for all or {num_worlds}, one for each world that is reset"
        raise ValueError(f"{known}{each}; got {index!r:.80}")
    for one in given:
        if isinstance(one, bool) or not isinstance(one, int | np.integer) or not 0 <= one < num_levels:
            raise ValueError(f"{known}; got {one!r:.80}")
    return np.array([int(one) for one in given], np.int64)


def check_type(type_: type, **values: Any) -> None:
    for name, value in values.items():
        if not isinstance(value, type_):
            raise ValueError(f"{name} must be a {type_.__name__}; got {value!r}")


def check_whole(**values: Any) -> None:
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise ValueError(f"{name} must be a whole number of at least 1; got {value!r}")
        if value >= 1 << 31:
            raise ValueError(f"{name} must be below 2**31; got {value!r:.40}")
