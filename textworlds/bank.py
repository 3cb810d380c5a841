"""Levels given from outside, or made once and played again: one array of pictures."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from textworlds.grid import SOLID, WALLS, close_walls
from textworlds.puzzles import Puzzle
from textworlds.text import formats
from textworlds.text.levels import Level, read_level_file
from textworlds.worlds import Worlds


def read_level(level: Any, puzzle: Puzzle) -> np.ndarray:
    """Return the picture, uint8[P, H, W], of a level given as a drawing, a Level or a picture.

    Raises:
        ValueError: if it cannot be read, or is no level of this puzzle.
        TypeError: if it is none of the three.
    """
    if isinstance(level, str):
        picture = formats.read(level.strip("\n"), "dense", puzzle.words)
    elif isinstance(level, Level):
        picture = level.picture
    elif isinstance(level, np.ndarray):
        picture = _check_picture(level)
    else:
        raise TypeError(f"a level is a drawing, a Level or a picture; got {type(level).__name__}")
    if not puzzle.words.thin_walls and not np.array_equal(_only_solid(picture[0]), picture[0]):
        raise ValueError(f"{puzzle.name}: a level has no walls between cells")
    if complaint := puzzle.check_level(picture):
        raise ValueError(f"{puzzle.name}: {complaint}")
    return picture


def _only_solid(board: np.ndarray) -> np.ndarray:
    """Return a board with no walls but those that solid cells and the border imply."""
    board = board & (255 - WALLS)
    close_walls(board)
    return board


def stack_levels(levels: str | os.PathLike[str] | Sequence[Any], puzzle: Puzzle) -> np.ndarray:
    """Return levels as one array of pictures, uint8[L, P, H, W], solid where a level is smaller than the largest."""
    if isinstance(levels, str | os.PathLike):
        levels = read_level_file(levels, puzzle.words)
    pictures = [read_level(level, puzzle) for level in levels]
    if not pictures:
        raise ValueError("no level given")
    if len({len(picture) for picture in pictures}) > 1:
        raise ValueError("the levels given differ in their number of planes")
    height, width = (max(picture.shape[axis] for picture in pictures) for axis in (1, 2))
    stacked = np.zeros((len(pictures), len(pictures[0]), height, width), np.uint8)
    stacked[:, 0] = SOLID
    for place, picture in zip(stacked, pictures, strict=True):
        place[:, : picture.shape[1], : picture.shape[2]] = picture
        close_walls(place[0])
    return stacked


def generate_levels(puzzle: Puzzle, num_levels: int, **settings: Any) -> np.ndarray:
    """Return the first levels of the seeds 0, 1, 2, ..., uint8[L, P, H, W]; settings as for Worlds."""
    worlds = Worlds(puzzle, num_levels, **settings)
    worlds.begin(np.arange(num_levels), np.arange(num_levels, dtype=np.uint64))
    return worlds.pictures().copy()


def _check_picture(picture: np.ndarray) -> np.ndarray:
    if picture.dtype != np.uint8 or picture.ndim != 3 or 0 in picture.shape:
        raise ValueError(f"a picture is uint8[P, H, W]; got {picture.dtype}{list(picture.shape)}")
    closed = picture.copy()
    close_walls(closed[0])
    return closed
