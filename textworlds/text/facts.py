"""Facts: what a picture holds, as lists of cells, and the three formats that tell them one by one.

To read is to take the numbers out of a text, make the picture they describe, tell it again, and compare: whatever was
misread, out of order, told twice or unknown shows as the first difference. So each picture has one text in a format.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np

from textworlds.grid import AGENT, DOWN, GOAL, ITEM, RIGHT, SOLID, WALLS, close_walls
from textworlds.text.words import Words

MAX_CELLS = 1 << 20  # of all planes together; what is read from a text may claim no more

Cell = tuple[int, int]  # row and column, from 0 at the top left


class Passenger(NamedTuple):
    """An item with a plane of its own."""

    at: Cell | None  # None: it rides with the agent
    to: Cell


class Facts(NamedTuple):
    """All that a picture shows; cells row by row. `right` and `below` name the cells with an inner thin wall there."""

    size: tuple[int, int]
    agents: Sequence[Cell] = ()
    items: Sequence[Cell] = ()
    goals: Sequence[Cell] = ()
    passengers: Sequence[Passenger] = ()
    solid: Sequence[Cell] = ()
    right: Sequence[Cell] = ()
    below: Sequence[Cell] = ()


def facts_of(picture: np.ndarray) -> Facts:
    """Return the facts of a picture, uint8[P, H, W]."""
    board = picture[0]
    free = board & SOLID == 0
    right = (board[:, :-1] & 1 << RIGHT > 0) & free[:, :-1] & free[:, 1:]
    below = (board[:-1] & 1 << DOWN > 0) & free[:-1] & free[1:]
    kinds = (_where(board & flag) for flag in (AGENT, ITEM, GOAL))
    passengers = [_passenger(plane) for plane in picture[1:]]
    return Facts(board.shape, *kinds, passengers, _where(~free), _where(right), _where(below))


def picture_of(facts: Facts, words: Words) -> np.ndarray:
    """Return the picture, uint8[P, H, W], of which `facts` tell; ValueError if there can be none."""
    height, width = facts.size
    check_size(1 + len(facts.passengers), height, width)
    if (facts.right or facts.below) and not words.thin_walls:
        raise ValueError("no walls stand between the cells of this puzzle")
    picture = np.zeros((1 + len(facts.passengers), height, width), np.uint8)
    for name, flag in _FLAGS.items():
        for row, column in getattr(facts, name):
            if row >= height or column >= width:
                raise ValueError(f"({row}, {column}) lies outside the board of {_size(facts)}")
            picture[0, row, column] |= flag
    _check_tiles(picture[0], words)
    close_walls(picture[0])
    for number, passenger in enumerate(facts.passengers, 1):
        _draw_passenger(picture, number, passenger, facts, words)
    return picture


def tile_flags(words: Words) -> set[int]:
    """Return the tile flags that may meet in one cell."""
    return {*words.glyphs, *((GOAL, GOAL | AGENT) if words.goal_names else ())}


def check_size(planes: int, height: int, width: int) -> None:
    """Raise ValueError if a picture may not have this shape."""
    if height < 1 or width < 1:
        raise ValueError("a board has at least one row and one column")
    if planes * height * width > MAX_CELLS:
        raise ValueError(f"{height} rows and {width} columns are too many; a picture has at most {MAX_CELLS} cells")


def place(text: str, index: int) -> str:
    """Return in words the line and column of text[index]."""
    return f"line {text.count('\n', 0, index) + 1}, column {index - text.rfind('\n', 0, index)}"


def names_of(goals: Sequence[Cell], words: Words) -> str:
    """Return the letters that name the goals; ValueError if there are too few."""
    if len(goals) > len(words.goal_names):
        raise ValueError(f"{len(goals)} {words.goals}, but names for only {len(words.goal_names)}")
    return words.goal_names[: len(goals)]


# What Facts call a thing -> its tile flag.
_FLAGS = {"agents": AGENT, "items": ITEM, "goals": GOAL, "solid": SOLID, "right": 1 << RIGHT, "below": 1 << DOWN}


def _where(mask: np.ndarray) -> list[Cell]:
    rows, columns = mask.nonzero()
    return list(zip(rows.tolist(), columns.tolist(), strict=True))


def _passenger(plane: np.ndarray) -> Passenger:
    (to,) = _where(plane & GOAL)
    (at,) = _where(plane & ITEM)
    return Passenger(None if plane[at] & AGENT else at, to)


def _check_tiles(board: np.ndarray, words: Words) -> None:
    known = tile_flags(words)
    for flags in np.unique(board & ~np.uint8(WALLS)).tolist():
        if flags not in known:
            row, column = _where(board & ~np.uint8(WALLS) == flags)[0]
            nouns = {SOLID: "wall", GOAL: words.goal, ITEM: words.item, AGENT: words.agent}
            things = " and ".join(noun for flag, noun in nouns.items() if flags & flag) or "floor"
            raise ValueError(f"({row}, {column}) holds {things}, and no tile of this puzzle does")


def _draw_passenger(picture: np.ndarray, number: int, passenger: Passenger, facts: Facts, words: Words) -> None:
    who = f"{words.passenger} {number}"
    for cell in passenger:
        if cell is not None and cell not in facts.goals:
            raise ValueError(f"{who}: there is no {words.goal} at {cell}")
    if passenger.at is None and len(facts.agents) != 1:
        raise ValueError(f"{who} rides, which takes one {words.agent}, not {len(facts.agents)}")
    picture[number][passenger.to] |= GOAL
    picture[number][passenger.at or facts.agents[0]] |= ITEM if passenger.at else ITEM | AGENT


def _size(facts: Facts, joint: str = " and ") -> str:
    return joint.join(f"{n} {noun}{'s' * (n != 1)}" for n, noun in zip(facts.size, ("row", "column"), strict=True))


def _keys(words: Words) -> dict[str, str]:
    """Return what Facts call a thing -> what coordinates and json call it."""
    nouns = (words.agent, words.items, words.goals, "walls", "walls right of", "walls below")
    return dict(zip(_FLAGS, nouns, strict=True))


def _runs(cells: Sequence[Cell]) -> list[tuple[int, list[tuple[int, int]]]]:
    """Return each row with the first and last column of its runs of cells."""
    rows = []
    for row, group in groupby(cells, lambda cell: cell[0]):
        runs: list[tuple[int, int]] = []
        for _, column in group:
            first = runs.pop()[0] if runs and runs[-1][1] == column - 1 else column
            runs.append((first, column))
        rows.append((row, runs))
    return rows


# Coordinates: a line for each kind of thing.


def write_coordinates(facts: Facts, words: Words) -> str:
    """Tell the facts in lines such as "boxes: (1, 2) (3, 4)"."""
    keys = _keys(words)
    lines = {"size": _size(facts, ", ")}
    for name in ("agents", "items"):
        lines[keys[name]] = " ".join(map(str, getattr(facts, name)))
    names = [f"{name} " for name in names_of(facts.goals, words)] if words.goal_names else [""] * len(facts.goals)
    lines[keys["goals"]] = " ".join(f"{name}{cell}" for name, cell in zip(names, facts.goals, strict=True))
    for number, (at, to) in enumerate(facts.passengers, 1):
        lines[f"{words.passenger} {number}"] = f"{f'at {at}' if at else f'in the {words.agent}'}, to {to}"
    rows = (f"row {row}: {', '.join(_span(*run, '-') for run in runs)}" for row, runs in _runs(facts.solid))
    lines[keys["solid"]] = "; ".join(rows)
    for name in ("right", "below"):
        lines[keys[name]] = " ".join(map(str, getattr(facts, name)))
    return "\n".join(f"{key}: {line}" for key, line in lines.items() if line)


def split_coordinates(text: str, words: Words) -> dict[str, str]:
    """Return what is told of each key."""
    lines = (line.partition(": ") for line in text.split("\n"))
    return {key: told for key, _, told in lines}


def _span(first: int, last: int, to: str) -> str:
    return str(first) if first == last else f"{first}{to}{last}"


# JSON: an object on one line.


def write_json(facts: Facts, words: Words) -> str:
    """Tell the facts as an object of [row, column] lists."""
    told: dict[str, object] = dict(zip(("rows", "columns"), facts.size, strict=True))
    keys = _keys(words)
    told[keys["agents"]] = facts.agents[0] if len(facts.agents) == 1 else facts.agents
    told[keys["items"]] = facts.items
    named = dict(zip(names_of(facts.goals, words), facts.goals, strict=True)) if words.goal_names else None
    told[keys["goals"]] = named or facts.goals
    for number, (at, to) in enumerate(facts.passengers, 1):
        told[f"{words.passenger} {number}"] = {"at": at or words.agent, "to": to}
    told |= {keys[name]: getattr(facts, name) for name in ("solid", "right", "below")}
    return json.dumps({key: value for key, value in told.items() if value})


def split_json(text: str, words: Words) -> dict[str, str]:
    """Return what is told of each key, as sorted JSON."""
    try:
        told = json.loads(text)
        if not isinstance(told, dict):
            raise ValueError("the text should be one JSON object")
        parts = {key: json.dumps(value, sort_keys=True) for key, value in told.items()}
    except RecursionError:
        raise ValueError("the JSON is nested too deep") from None
    return parts | {"size": f"{parts.pop('rows', '')} {parts.pop('columns', '')}"}


# Prose: English sentences.


def write_prose(facts: Facts, words: Words) -> str:
    """Tell the facts in English."""
    told = [f"The board has {_size(facts)}.", "Rows and columns count from 0 at the top left."]
    told += [f"You are the {words.agent}, at {_listed(facts.agents)}."] if facts.agents else []
    told += _these(words.item, words.items, facts.items)
    names = [f"{name} at " for name in names_of(facts.goals, words)] if words.goal_names else ()
    told += _these(words.goal, words.goals, facts.goals, names)
    passenger = words.passenger[:1].upper() + words.passenger[1:]
    for number, (at, to) in enumerate(facts.passengers, 1):
        where = f"at {_listed([at])}" if at else f"in the {words.agent}"
        told.append(f"{passenger} {number} is {where} and wants to go to {_listed([to])}.")
    rows = [f"row {row}, {_columns(runs)}" for row, runs in _runs(facts.solid)]
    told += [f"Walls fill {_and('; ', rows)}."] if rows else []
    told += [f"Walls stand to the right of {_listed(facts.right)}."] if facts.right else []
    told += [f"Walls stand below {_listed(facts.below)}."] if facts.below else []
    return " ".join(told)


def split_prose(text: str, words: Words) -> dict[str, str]:
    """Return what is told of each key, the keys being those of the other formats."""
    keys = {name: re.escape(key) for name, key in _keys(words).items()}
    passenger = re.escape(words.passenger[:1].upper() + words.passenger[1:])
    sentences = {
        "size": r"The board has ()(.*)",
        words.agent: rf"You are the ()({keys['agents']}, at .*)",
        words.items: rf"The ()(?:{re.escape(words.item)}|{keys['items']}) (?:is|are) (.*)",
        words.goals: rf"The ()(?:{re.escape(words.goal)}|{keys['goals']}) (?:is|are) (.*)",
        f"{words.passenger} ": rf"{passenger} ([0-9]+) is (.*)",
        "walls": r"Walls fill ()(.*)",
        "walls right of": r"Walls stand to the right of ()(.*)",
        "walls below": r"Walls stand below ()(.*)",
    }
    told = {}
    for sentence in re.split(r"\.\s", text):
        for key, pattern in sentences.items():
            if match := re.fullmatch(pattern, sentence, re.DOTALL):
                told[key + match[1]] = match[2]
    return told


def _these(noun: str, nouns: str, cells: Sequence[Cell], names: Iterable[str] = ()) -> list[str]:
    if not cells:
        return []
    return [f"The {noun} is " if len(cells) == 1 else f"The {nouns} are "] and [
        f"The {f'{noun} is' if len(cells) == 1 else f'{nouns} are'} {'' if names else 'at '}{_listed(cells, names)}."
    ]


def _listed(cells: Sequence[Cell], names: Iterable[str] = ()) -> str:
    names = names or [""] * len(cells)
    return _and("; ", [f"{name}row {row}, column {column}" for name, (row, column) in zip(names, cells, strict=True)])


def _columns(runs: Sequence[tuple[int, int]]) -> str:
    many = len(runs) > 1 or runs[0][0] != runs[0][1]
    return f"column{'s' * many} {_and(', ', [_span(*run, ' to ') for run in runs])}"


def _and(joint: str, parts: Sequence[str]) -> str:
    return " and ".join([joint.join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
