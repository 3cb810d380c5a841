"""Facts: what a picture holds, as lists of cells, and the three formats that tell them.

To read is to take the numbers out of a text, make the picture they describe, tell it again and compare: whatever was
misread, out of order, told twice or unknown shows as a difference. So a picture has one text in each format.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import count, groupby, takewhile
from typing import NamedTuple

import numpy as np

from textworlds.grid import AGENT, DOWN, GOAL, ITEM, RIGHT, SOLID, WALLS, close_walls
from textworlds.text.words import Words

MAX_CELLS = 1 << 20  # in all planes together; no text may make us fill more

Cell = tuple[int, int]  # row and column, from 0 at the top left


class Passenger(NamedTuple):
    """An item that differs from the others."""

    at: Cell | None  # None: it rides with the agent
    to: Cell


class Facts(NamedTuple):
    """All that a picture shows, cells row by row; `right` and `below` are the cells with a wall towards a free cell."""

    size: tuple[int, int]
    agents: Sequence[Cell]
    items: Sequence[Cell]
    goals: Sequence[Cell]
    solid: Sequence[Cell]
    right: Sequence[Cell]
    below: Sequence[Cell]
    passengers: Sequence[Passenger]


# What is told of a kind of thing -> its tile flag, in the order of Facts.
FLAGS = {"agents": AGENT, "items": ITEM, "goals": GOAL, "solid": SOLID, "right": 1 << RIGHT, "below": 1 << DOWN}


def facts_of(picture: np.ndarray) -> Facts:
    """Return the facts of a picture, uint8[P, H, W]."""
    board = picture[0]
    free = board & SOLID == 0
    right = (board[:, :-1] & 1 << RIGHT > 0) & free[:, :-1] & free[:, 1:]
    below = (board[:-1] & 1 << DOWN > 0) & free[:-1] & free[1:]
    masks = (*(board & flag for flag in (AGENT, ITEM, GOAL, SOLID)), right, below)
    passengers = [Passenger(*_one(plane)) for plane in picture[1:]]
    return Facts((board.shape[0], board.shape[1]), *map(_cells_where, masks), passengers)


def picture_of(facts: Facts, words: Words) -> np.ndarray:
    """Return the picture, uint8[P, H, W], that `facts` tell of; ValueError if there can be none."""
    height, width = facts.size
    check_size(1 + len(facts.passengers), height, width)
    picture = np.zeros((1 + len(facts.passengers), height, width), np.uint8)
    for name, flag in FLAGS.items():
        for row, column in getattr(facts, name):
            if row >= height or column >= width:
                raise ValueError(f"({row}, {column}) is outside the board of {_size(facts)}")
            picture[0, row, column] |= flag
    _check_tiles(picture[0], words)
    close_walls(picture[0])
    for number, passenger in enumerate(facts.passengers, 1):
        draw_passenger(picture, number, passenger, words)
    return picture


def draw_passenger(picture: np.ndarray, number: int, passenger: Passenger, words: Words) -> None:
    """Draw a passenger in place; ValueError if it is or goes where it cannot."""
    for cell in passenger:
        if cell and not (cell < picture.shape[1:] and picture[0][cell] & GOAL):
            raise ValueError(f"{words.passenger} {number}: there is no {words.goal} at {cell}")
    agents = _cells_where(picture[0] & AGENT)
    if passenger.at is None and len(agents) != 1:
        raise ValueError(f"{words.passenger} {number} rides, but there are {len(agents)} to ride with")
    picture[number][passenger.at or agents[0]] |= ITEM if passenger.at else ITEM | AGENT
    picture[number][passenger.to] |= GOAL


def check_size(planes: int, height: int, width: int) -> None:
    """Raise ValueError if no picture that is read may have this shape."""
    if height < 1 or width < 1:
        raise ValueError("a board has at least one row and one column")
    if planes * height * width > MAX_CELLS:
        raise ValueError(f"{height} rows and {width} columns are too many; a picture has at most {MAX_CELLS} cells")


def place(text: str, index: int) -> str:
    """Return where text[index] is: its line and column, from 1."""
    before = text[:index].split("\n")
    return f"line {len(before)}, column {len(before[-1]) + 1}"


def names_of(goals: Sequence[Cell], words: Words) -> Sequence[str]:
    """Return the letters that name the goals, () if they have none; ValueError if there are too few."""
    if words.goal_names and len(goals) > len(words.goal_names):
        raise ValueError(f"{len(goals)} {words.goals} are more than the {len(words.goal_names)} names for them")
    return words.goal_names[: len(goals)]


def read_facts(text: str, telling: "Telling", words: Words) -> np.ndarray:
    """Return the picture, uint8[P, H, W], that a text of facts tells of."""
    told = telling.split(text, words)
    picture = picture_of(_facts_told(told, words), words)
    _check_same(text, telling.write(facts_of(picture), words), telling, words)
    return picture


def _cells_where(mask: np.ndarray) -> list[Cell]:
    rows, columns = mask.nonzero()
    return list(zip(rows.tolist(), columns.tolist(), strict=True))


def _one(plane: np.ndarray) -> tuple[Cell | None, Cell]:
    (at,), (to,) = _cells_where(plane & ITEM), _cells_where(plane & GOAL)
    return (None if plane[at] & AGENT else at), to


def _check_tiles(board: np.ndarray, words: Words) -> None:
    """Raise ValueError if things meet in a cell that have no glyph together."""
    named = (GOAL, GOAL | AGENT) if words.goal_names else ()
    tiles = board & ~np.uint8(WALLS)
    for flags in set(np.unique(tiles).tolist()).difference(words.glyphs, named):
        nouns = {SOLID: "wall", GOAL: words.goal, ITEM: words.item, AGENT: words.agent}
        things = " and ".join(noun for flag, noun in nouns.items() if flags & flag) or "nothing"
        raise ValueError(f"{_cells_where(tiles == flags)[0]} holds {things}, which is no tile of this puzzle")


def _facts_told(told: dict[str, str], words: Words) -> Facts:
    sizes = _pairs(told.get("size", ""))
    if not sizes:
        raise ValueError("the text does not tell the size of the board")
    said = {name: told.get(key, "") for name, key in _keys(words).items()}
    cells = {name: sorted(set(_pairs(content))) for name, content in said.items()}
    cells["solid"] = sorted(set(_solid_cells(said["solid"], width=sizes[0][1])))
    numbers = takewhile(lambda number: words.passenger and _key(words, number) in told, count(1))
    passengers = (_pairs(told[_key(words, number)]) for number in numbers)
    riding = {1: (None,), 2: ()}
    return Facts(sizes[0], *cells.values(), [Passenger(*riding[len(p)], *p) for p in passengers if len(p) in riding])


def _check_same(text: str, again: str, telling: "Telling", words: Words) -> None:
    if telling is FACT_FORMATS["json"]:
        told, should = telling.split(text, words), telling.split(again, words)
        for key in told | should:
            if told.get(key) != should.get(key):
                raise ValueError(f"{key!r}: {told.get(key)} instead of {should.get(key)}")
    elif text != again:
        same = next((i for i, (a, b) in enumerate(zip(text, again)) if a != b), min(len(text), len(again)))
        rests = (rest[same:].split("\n")[0][:60] for rest in (text, again))
        raise ValueError(f"{place(text, same)}: {' instead of '.join(map(repr, rests))}")


def _pairs(content: str) -> list[Cell]:
    """Return all numbers two by two; of a longer number we take no more digits, and the telling will differ."""
    numbers = [int(digits) for digits in re.findall("[0-9]{1,4}", content)]
    return list(zip(numbers[::2], numbers[1::2]))


def _solid_cells(content: str, width: int) -> Iterator[Cell]:
    """Yield cells that are told row by row, a ";" or the "]" of json behind each: the row, then columns or runs."""
    for part in re.split(r"[;\]]", content):
        (row, _), *runs = re.findall(r"([0-9]{1,4})(?:(?:-| to )([0-9]{1,4}))?", part) or [("", "")]
        for first, last in runs:
            yield from ((int(row), column) for column in range(int(first), min(int(last or first), width) + 1))


def _runs(cells: Sequence[Cell], to: str) -> list[tuple[int, list[str]]]:
    """Return each row with the runs of its cells, such as "4-6" or "8"."""
    rows = []
    for row, group in groupby(cells, lambda cell: cell[0]):
        columns = [column for _, column in group]
        starts = [c for c in columns if c - 1 not in columns]
        ends = [c for c in columns if c + 1 not in columns]
        rows.append((row, [str(a) if a == b else f"{a}{to}{b}" for a, b in zip(starts, ends, strict=True)]))
    return rows


def _size(facts: Facts, joint: str = " and ") -> str:
    return joint.join(f"{n} {noun}{'s' * (n != 1)}" for n, noun in zip(facts.size, ("row", "column"), strict=True))


def _keys(words: Words) -> dict[str, str]:
    """Return what is told of a kind of thing -> the words that coordinates and json call it by."""
    keys = (words.agent, words.items, words.goals, "walls", "walls right of", "walls below")
    return dict(zip(FLAGS, keys[: 6 if words.thin_walls else 4]))
