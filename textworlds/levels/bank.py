"""Levels given from outside, or made once and played again: one array of pictures."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from textworlds.grid import AGENT, SOLID, UNKNOWN, close_walls
from textworlds.puzzles import Puzzle
from textworlds.text import formats
from textworlds.text.levels import Level
from textworlds.worlds import Worlds

MOST_CELLS = 1 << 28  # of all levels together, padded
FIRST_SEED = np.uint64(1 << 63)  # of banks: far from the seeds that people evaluate with


def read_level(level: Any, puzzle: Puzzle, num_agents: int = 1) -> np.ndarray:
    """Return the picture, uint8[P, H, W], of a level for so many agents, given as a drawing, a Level or a picture.

    Raises:
        ValueError: if it cannot be read, or is no level of this puzzle.
        TypeError: if it is none of the three.
    """
    if isinstance(level, str):
        picture = formats.read(level.strip("\n"), "dense", puzzle.words)
    elif isinstance(level, Level):
        picture = _check_picture(level.picture, puzzle)
    elif isinstance(level, np.ndarray):
        picture = _check_picture(level, puzzle)
    else:
        raise TypeError(f"a level is a drawing, a Level or a picture; got {type(level).__name__}")
    if complaint := _check_known(picture) or _check_agents(picture, puzzle, num_agents) or puzzle.check_level(picture):
        raise ValueError(f"{puzzle.name}: {complaint}")
    return picture


def _check_known(picture: np.ndarray) -> str:
    """Return that a picture shows cells that nobody has seen, or an empty string."""
    has_unknown = (picture[0] & UNKNOWN == UNKNOWN).any()
    return "a level has no unknown cells, as a view of one may have" if has_unknown else ""


def _check_agents(picture: np.ndarray, puzzle: Puzzle, num_agents: int) -> str:
    """Return why so many agents cannot play a level, or an empty string."""
    found, noun = np.count_nonzero(picture[0] & AGENT), puzzle.words.agent
    if found == num_agents:
        return ""
    if num_agents == 1:
        return f"a level for one has exactly one {noun}; this one has {found}"
    return f"{num_agents} {noun}s play here; this level has {found}"


def stack_levels(levels: Sequence[Any], puzzle: Puzzle, num_agents: int = 1) -> np.ndarray:
    """Return levels for so many agents as one array of pictures, uint8[L, P, H, W], solid where a level is smaller than the largest."""
    if not isinstance(levels, Sequence) or isinstance(levels, Level | str | bytes):
        raise ValueError(f"levels are a file's path or a list of levels; got {type(levels).__name__}")
    pictures = []
    for number, level in enumerate(levels, 1):
        try:
            pictures.append(read_level(level, puzzle, num_agents))
        except ValueError as error:
            raise ValueError(f"{getattr(level, 'source', '') or f'level {number}'}: {error}") from None
    if not pictures:
        raise ValueError("no level given")
    if len({len(picture) for picture in pictures}) > 1:
        raise ValueError("the levels given differ in their number of planes")
    height, width = (max(picture.shape[axis] for picture in pictures) for axis in (1, 2))
    if len(pictures) * height * width > MOST_CELLS:
        raise ValueError(f"{len(pictures)} levels, padded to {height} rows and {width} columns, are too many cells")
    stacked = np.zeros((len(pictures), len(pictures[0]), height, width), np.uint8)
    stacked[:, 0] = SOLID
    for place, picture in zip(stacked, pictures, strict=True):
        place[:, : picture.shape[1], : picture.shape[2]] = picture
        close_walls(place[0])
    return stacked


def generate_levels(puzzle: Puzzle, num_levels: int, **settings: Any) -> np.ndarray:
    """Return the first levels of the seeds FIRST_SEED and up, uint8[L, P, H, W]; settings as for Worlds."""
    worlds = Worlds(puzzle, num_levels, **settings)
    worlds.begin(np.arange(num_levels), FIRST_SEED + np.arange(num_levels, dtype=np.uint64))
    return worlds.pictures().copy()


def _check_picture(picture: np.ndarray, puzzle: Puzzle) -> np.ndarray:
    """Return a picture with its walls closed, or raise ValueError if its text would not read back to it."""
    if picture.dtype != np.uint8 or picture.ndim != 3 or 0 in picture.shape:
        raise ValueError(f"a picture is uint8[P, H, W]; got {picture.dtype}{list(picture.shape)}")
    closed = picture.copy()
    close_walls(closed[0])
    if complaint := _check_known(closed) or puzzle.check_level(closed):
        raise ValueError(f"{puzzle.name}: {complaint}")
    told = closed if puzzle.words.passenger else closed[:1]  # check_level looks at planes that say who owns what
    text = formats.write(told, "dense", puzzle.words)
    if not np.array_equal(formats.read(text, "dense", puzzle.words), told):
        raise ValueError(f"{puzzle.name}: this picture has walls or things that no level has, as\n{text}")
    return closed
