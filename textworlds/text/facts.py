"""Facts: what a picture holds, as lists of cells, and the three formats that tell them.

To read is to take the numbers out of a text, make the picture they describe, tell it again and compare: whatever was
misread, out of order, told twice or unknown shows as a difference. So a picture has one text in each format.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import count, groupby, islice, takewhile, zip_longest
from typing import NamedTuple

import numpy as np

from textworlds.grid import AGENT, DOWN, GOAL, ITEM, RIGHT, SOLID, UNKNOWN, WALLS, close_walls
from textworlds.text.words import Words

MAX_CELLS = 1 << 20  # of a picture that is read, in all planes together

Cell = tuple[int, int]  # row and column, from 0 at the top left
Cells = tuple[Cell, ...]

RIDING: Cell = (-1, -1)  # with the agent
HIDDEN: Cell = (-2, -2)  # out of sight, and not remembered
OUT_OF_SIGHT = "out of sight"


class Passenger(NamedTuple):
    """An item that differs from the others, so that it has a plane and a goal of its own."""

    at: Cell  # or RIDING, or HIDDEN
    to: Cell  # or HIDDEN


class Facts(NamedTuple):
    """All that a picture shows; cells row by row."""

    size: tuple[int, int]
    agents: Cells
    items: Cells
    goals: Cells
    solid: Cells
    right: Cells  # cells with a thin wall between them and the free cell to the right
    below: Cells
    unknown: Cells
    passengers: Sequence[Passenger]


# A field of Facts -> its tile flag.
FLAGS = {
    "agents": AGENT,
    "items": ITEM,
    "goals": GOAL,
    "solid": SOLID,
    "right": 1 << RIGHT,
    "below": 1 << DOWN,
    "unknown": UNKNOWN,
}


def facts_of(picture: np.ndarray) -> Facts:
    """Return the facts of a picture, uint8[P, H, W]."""
    tiles = picture[0]
    seen = tiles & UNKNOWN != UNKNOWN
    agents, items = _cells(tiles & UNKNOWN == AGENT), _cells((tiles & ITEM > 0) & seen)
    moving = ITEM | (AGENT if seen.all() else 0)
    standing = _standing((tiles & np.uint8(255 - moving)).tobytes(), tiles.shape)
    return Facts(tiles.shape, agents, items, *standing, [_passenger(plane) for plane in picture[1:]])


@lru_cache(maxsize=256)
def _standing(tiles: bytes, shape: tuple[int, int]) -> tuple[Cells, Cells, Cells, Cells, Cells]:
    """Return goals, solid, right, below and unknown of Facts, which stay where they are and so are looked for but once.

    Args:
        tiles: of the cells, uint8[H * W], without what moves.
        shape: H and W.
    """
    board = np.frombuffer(tiles, np.uint8).reshape(shape)
    unknown = board & UNKNOWN == UNKNOWN
    board = board & np.where(unknown, WALLS, 255).astype(np.uint8)
    free = board & SOLID == 0
    right = (board[:, :-1] & 1 << RIGHT > 0) & free[:, :-1] & free[:, 1:]
    below = (board[:-1] & 1 << DOWN > 0) & free[:-1] & free[1:]
    return _cells(board & GOAL), _cells(board & SOLID), _cells(right), _cells(below), _cells(unknown)


def picture_of(facts: Facts, words: Words) -> np.ndarray:
    """Return the picture, uint8[P, H, W], that `facts` tell of; ValueError if there can be none."""
    height, width = facts.size
    check_size(1 + len(facts.passengers), height, width)
    if (facts.right or facts.below) and not words.thin_walls:
        raise ValueError("there are no walls between the cells of this puzzle")
    picture = np.zeros((1 + len(facts.passengers), height, width), np.uint8)
    for field, flag in FLAGS.items():
        for row, column in getattr(facts, field):
            if row >= height or column >= width:
                raise ValueError(f"({row}, {column}) is outside the board of {_size(facts)}")
            picture[0, row, column] |= flag
    _check_tiles(picture[0], words)
    close_walls(picture[0])
    draw_passengers(picture, facts.passengers, words)
    return picture


def draw_passengers(picture: np.ndarray, passengers: Sequence[Passenger], words: Words) -> None:
    """Draw passengers in place; ValueError if one is, or goes, where it cannot."""
    goals, agents = _cells(picture[0] & GOAL), _cells(picture[0] & UNKNOWN == AGENT)
    for number, (at, to) in enumerate(passengers, 1):
        who = f"{words.passenger} {number}"
        if missing := {at, to}.difference(goals, (RIDING, HIDDEN)):
            raise ValueError(f"{who}: there is no {words.goal} at {missing.pop()}")
        if at == RIDING and len(agents) != 1:
            raise ValueError(f"{who} rides, which takes one {words.agent} and not {len(agents)}")
        if at != HIDDEN:
            picture[number][agents[0] if at == RIDING else at] = ITEM | AGENT if at == RIDING else ITEM
        if to != HIDDEN:
            picture[number][to] |= GOAL


def check_size(planes: int, height: int, width: int) -> None:
    """Raise ValueError if a picture that is read may not have this shape."""
    if height < 1 or width < 1:
        raise ValueError("a board has at least one row and one column")
    if planes * height * width > MAX_CELLS:
        raise ValueError(f"{height} rows and {width} columns are too many; a picture has at most {MAX_CELLS} cells")


def place(text: str, index: int) -> str:
    """Return where text[index] is: its line and column, from 1."""
    before = text[:index].split("\n")
    return f"line {len(before)}, column {len(before[-1]) + 1}"


def _cells(mask: np.ndarray) -> Cells:
    rows, columns = mask.nonzero()
    return tuple(zip(rows.tolist(), columns.tolist(), strict=True))


def _passenger(plane: np.ndarray) -> Passenger:
    (at,), (to,) = (_cells(plane & flag) or (HIDDEN,) for flag in (ITEM, GOAL))
    return Passenger(RIDING if at != HIDDEN and plane[at] & AGENT else at, to)


def _check_tiles(board: np.ndarray, words: Words) -> None:
    """Raise ValueError if things meet in a cell that have no glyph together."""
    tiles = board & ~np.uint8(WALLS)
    named = (GOAL, GOAL | AGENT) if words.goal_names else ()
    for flags in set(np.unique(tiles).tolist()).difference(words.glyphs, named, (UNKNOWN,)):
        nouns = {SOLID: "wall", GOAL: words.goal, ITEM: words.item, AGENT: words.agent}
        things = " and ".join(noun for flag, noun in nouns.items() if flags & flag) or "nothing"
        raise ValueError(f"{_cells(tiles == flags)[0]} holds {things}, which is no tile of this puzzle")


def _size(facts: Facts, joint: str = " and ") -> str:
    return joint.join(f"{n} {noun}{'s' * (n != 1)}" for n, noun in zip(facts.size, ("row", "column"), strict=True))


def _names(facts: Facts, words: Words) -> str:
    """Return the letters that name the goals; "" if they have no names."""
    if words.goal_names and len(facts.goals) > len(words.goal_names):
        raise ValueError(f"{len(facts.goals)} {words.goals}, and names for only {len(words.goal_names)}")
    return words.goal_names[: len(facts.goals)]


def _keys(words: Words) -> dict[str, str]:
    """Return a field of Facts -> what coordinates and json call it."""
    keys = (words.agent, words.items, words.goals, "walls", "walls right of", "walls below", "unknown")
    return dict(zip(FLAGS, keys, strict=True))


def _runs(cells: Sequence[Cell], to: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each row that has some of these cells, with their runs: "4-6" or "8"."""
    for row, cells_of_row in groupby(cells, lambda cell: cell[0]):
        columns = [column for _, column in cells_of_row]
        ends = [column for column, after in zip(columns, [*columns[1:], -1], strict=True) if after != column + 1]
        starts = [column for column, before in zip(columns, [-2, *columns], strict=False) if before != column - 1]
        yield row, [str(a) if a == b else f"{a}{to}{b}" for a, b in zip(starts, ends, strict=True)]


# The formats. `split` returns key -> what a text tells of it, and skips the rest: that shows in the comparison.


def write_coordinates(facts: Facts, words: Words) -> str:
    """Tell facts in lines such as "boxes: (1, 2) (3, 4)"."""
    cells = facts._replace(solid=(), unknown=())
    lines = {key: _listed(getattr(cells, field)) for field, key in _keys(words).items()}
    if names := _names(facts, words):
        lines[words.goals] = " ".join(f"{name} {goal}" for name, goal in zip(names, facts.goals, strict=True))
    for key, field in (("walls", facts.solid), ("unknown", facts.unknown)):
        lines[key] = _rows(field)
    for number, (at, to) in enumerate(facts.passengers, 1):
        where = {RIDING: f"in the {words.agent}", HIDDEN: OUT_OF_SIGHT}.get(at, f"at {at}")
        lines[f"{words.passenger} {number}"] = f"{where}, to {OUT_OF_SIGHT if to == HIDDEN else to}"
    return "\n".join([f"size: {_size(facts, ', ')}", *(f"{key}: {line}" for key, line in lines.items() if line)])


@lru_cache(maxsize=1024)
def _listed(cells: Cells) -> str:
    return " ".join(map(str, cells))


@lru_cache(maxsize=1024)
def _rows(cells: Cells) -> str:
    return "; ".join(f"row {row}: {', '.join(runs)}" for row, runs in _runs(cells, "-"))


def split_coordinates(text: str, words: Words) -> dict[str, str]:
    return {key: told for key, _, told in (line.partition(": ") for line in text.split("\n"))}


def write_json(facts: Facts, words: Words) -> str:
    """Tell facts as one JSON object of [row, column] lists."""
    told: dict[str, object] = {key: getattr(facts, field) for field, key in _keys(words).items()}
    if len(facts.agents) == 1:
        told[words.agent] = facts.agents[0]
    if names := _names(facts, words):
        told[words.goals] = dict(zip(names, facts.goals, strict=True))
    for number, (at, to) in enumerate(facts.passengers, 1):
        where = {RIDING: words.agent, HIDDEN: OUT_OF_SIGHT}
        told[f"{words.passenger} {number}"] = {"at": where.get(at, at), "to": where.get(to, to)}
    size = dict(zip(("rows", "columns"), facts.size, strict=True))
    pairs = [
        f'"{key}": {_dumped(value) if isinstance(value, tuple) else json.dumps(value)}'
        for key, value in told.items()
        if value
    ]
    return "".join([json.dumps(size)[:-1], *(f", {pair}" for pair in pairs), "}"])


_dumped = lru_cache(maxsize=1024)(json.dumps)


def split_json(text: str, words: Words) -> dict[str, str]:
    try:
        found = json.loads(text)
        told = {key: json.dumps(value, sort_keys=True) for key, value in found.items()}
    except (AttributeError, RecursionError):
        raise ValueError("the text is not one plain JSON object") from None
    return {"size": f"{told.pop('rows', '')} {told.pop('columns', '')}", **told}


def write_prose(facts: Facts, words: Words) -> str:
    """Tell facts in English sentences."""
    names = tuple(f"{name} at " for name in _names(facts, words))
    solid, unknown = _areas(facts.solid), _areas(facts.unknown)
    sentences = [
        f"The board has {_size(facts)}. Rows and columns count from 0 at the top left.",
        _sentence(f"You are the {words.agent}, at", facts.agents),
        _sentence(f"{_the(words.item, words.items, facts.items)} at", facts.items),
        _sentence(f"{_the(words.goal, words.goals, facts.goals)}{'' if names else ' at'}", facts.goals, names),
        f"Walls fill {solid}." if solid else "",
        _sentence("Walls stand to the right of", facts.right),
        _sentence("Walls stand below", facts.below),
        f"Unknown are {unknown}." if unknown else "",
    ]
    for number, (at, to) in enumerate(facts.passengers, 1):
        where = {RIDING: f"in the {words.agent}", HIDDEN: OUT_OF_SIGHT}.get(at, f"at row {at[0]}, column {at[1]}")
        goal = f"a {words.goal} {OUT_OF_SIGHT}" if to == HIDDEN else f"row {to[0]}, column {to[1]}"
        sentences.append(f"{words.passenger.capitalize()} {number} is {where} and wants to go to {goal}.")
    return " ".join(filter(None, sentences))


@lru_cache(maxsize=1024)
def _areas(cells: Cells) -> str:
    return _and([f"row {row}, {_columns(runs)}" for row, runs in _runs(cells, " to ")] or [""], "; ", "; and ")


def split_prose(text: str, words: Words) -> dict[str, str]:
    starts = {
        "The board has ": "size",
        f"You are the {words.agent}, at ": words.agent,
        **dict.fromkeys((f"The {words.item} is ", f"The {words.items} are "), words.items),
        **dict.fromkeys((f"The {words.goal} is ", f"The {words.goals} are "), words.goals),
        "Walls fill ": "walls",
        "Walls stand to the right of ": "walls right of",
        "Walls stand below ": "walls below",
        "Unknown are ": "unknown",
    }
    told = {}
    for sentence in text.split(". "):
        for start, key in starts.items():
            if sentence.startswith(start):
                told[key] = sentence.removeprefix(start)
        if match := re.match(f"{re.escape(words.passenger.capitalize())} ([0-9]+) is ", sentence):
            told[f"{words.passenger} {match[1]}"] = sentence[match.end() :]
    return told


def _the(noun: str, nouns: str, cells: Sequence[Cell]) -> str:
    return f"The {noun} is" if len(cells) == 1 else f"The {nouns} are"


@lru_cache(maxsize=1024)
def _sentence(start: str, cells: Cells, names: tuple[str, ...] = ()) -> str:
    named = zip(names or [""] * len(cells), cells, strict=True)
    places = [f"{name}row {row}, column {column}" for name, (row, column) in named]
    return f"{start} {_and(places, '; ', '; and ' if len(cells) > 2 else ' and ')}." if cells else ""


def _columns(runs: Sequence[str]) -> str:
    return f"column {runs[0]}" if len(runs) == 1 and runs[0].isdigit() else f"columns {_and(runs, ', ', ' and ')}"


def _and(parts: Sequence[str], joint: str, last_joint: str) -> str:
    return last_joint.join([joint.join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


# Format -> how its text is written and split.
TELLINGS: dict[str, tuple[Callable[[Facts, Words], str], Callable[[str, Words], dict[str, str]]]] = {
    "coordinates": (write_coordinates, split_coordinates),
    "json": (write_json, split_json),
    "prose": (write_prose, split_prose),
}


def read_facts(text: str, format: str, words: Words) -> np.ndarray:
    """Return the picture, uint8[P, H, W], that a text tells of; ValueError if it is not how that picture is told."""
    write, split = TELLINGS[format]
    told = split(text, words)
    picture = picture_of(_facts_told(told, words), words)
    again = write(facts_of(picture), words)
    if format == "json":
        _check_same(told, split(again, words))
    elif text != again:
        pairs = enumerate(zip_longest(text, again))
        start = next(index for index, (given, expected) in pairs if given != expected)
        given, expected = (rest[start:].partition("\n")[0][:60] for rest in (text, again))
        raise ValueError(f"{place(text, start)}: {given!r} where {expected!r} was expected")
    return picture


def _facts_told(told: dict[str, str], words: Words) -> Facts:
    sizes = _pairs(told.get("size", ""))
    if not sizes:
        raise ValueError("the text does not tell how many rows and columns the board has")
    height, width = sizes[0]
    check_size(1, height, width)
    said = {field: told.get(key, "") for field, key in _keys(words).items()}
    cells = {field: tuple(sorted(set(_pairs(content)))) for field, content in said.items()}
    for field in ("solid", "unknown"):
        cells[field] = tuple(sorted(set(islice(_cells_in_runs(said[field]), height * width + 1))))
    keys = takewhile(told.__contains__, (f"{words.passenger} {number}" for number in count(1)))
    passengers = [_passenger_told(told[key]) for key in keys] if words.passenger else []
    return Facts((height, width), **cells, passengers=passengers)


def _passenger_told(content: str) -> Passenger:
    """Return where a passenger is and wants to go, which is told last."""
    where, _, goal = content.rpartition("to")
    at, to = _pairs(where)[:1], _pairs(goal)[:1]
    unsaid = HIDDEN if OUT_OF_SIGHT in where else RIDING
    return Passenger(at[0] if at else unsaid, to[0] if to else HIDDEN)


def _pairs(content: str) -> list[Cell]:
    """Return the numbers two by two; one of more than seven digits is torn, and the comparison refuses it."""
    numbers = [int(digits) for digits in re.findall("[0-9]{1,7}", content)]
    return list(zip(numbers[::2], numbers[1::2], strict=False))


def _cells_in_runs(content: str) -> Iterator[Cell]:
    """Yield the cells of parts that end in ";", or in "]" in json: a row, then its columns or runs of columns."""
    for part in re.split(r"[;\]]", content):
        (row, _), *runs = re.findall("([0-9]{1,7})(?:(?:-| to )([0-9]{1,7}))?", part) or [("", "")]
        for first, last in runs:
            yield from ((int(row), column) for column in range(int(first), int(last or first) + 1))


def _check_same(told: dict[str, str], expected: dict[str, str]) -> None:
    for key in told | expected:
        given, wanted = (found.get(key, "nothing") for found in (told, expected))
        if given != wanted:
            raise ValueError(f"{key!r}: {given[:60]} where {wanted[:60]} was expected")
