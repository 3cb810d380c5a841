"""Formats: pictures into text and back, without loss, for any puzzle.

`dense` and `spaced` draw a map: every character is looked up by where it stands and what the board holds there, so that
a text has the same length and layout for all boards of a shape. The others tell facts, see facts.py.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from textworlds.grid import AGENT, DOWN, GOAL, ITEM, RIGHT, UNKNOWN, WALLS, close_walls
from textworlds.kernel import kernel
from textworlds.text.facts import (
    HIDDEN,
    RIDING,
    TELLINGS,
    Cell,
    Passenger,
    check_size,
    draw_passengers,
    facts_of,
    place,
    read_facts,
)
from textworlds.text.words import Words

MAPS = {"dense": 0, "spaced": 1}  # format -> blanks between the characters of a row
FORMATS = tuple(sorted((*MAPS, *TELLINGS)))

# Kinds of places in a map's text. A kind below NUM_CONSTANTS is the ASCII character that always stands there.
NUM_CONSTANTS = 128
TILE, WALL_RIGHT, WALL_BELOW, WHERE_FROM, WHERE_TO = range(NUM_CONSTANTS, NUM_CONSTANTS + 5)
NUM_KINDS = NUM_CONSTANTS + 5
SOURCE = 256  # kind + SOURCE * cell is a place's kind and the cell that it shows


class Layout(NamedTuple):
    """What stands where in the L characters of a map.

    Attributes:
        kind: uint8[L], the kind of each place.
        source: uint32[L], the cell that each place shows, 0 for constants.
        table: uint32[L], where in `characters` the table of each place's kind begins.
        characters: uint8[NUM_KINDS * 256], the character for a kind and a cell's byte; 0 if no glyph shows that.
        cells: int64[H * W], the place of each cell's tile.
        names: uint8[2, G], the letters of goals, and those of goals that an agent stands on.
        passengers: int64[P - 1, 2], the places of the letters that say where from and where to.
        marks: uint8[2], the characters for where a passenger is: it is not seen, it rides.
    """

    kind: np.ndarray
    source: np.ndarray
    table: np.ndarray
    characters: np.ndarray
    cells: np.ndarray
    names: np.ndarray
    passengers: np.ndarray
    marks: np.ndarray


class Writer:
    """Writes many boards of one shape (P, H, W) as text; equal to `write`, prepared once."""

    def __init__(self, format: str, words: Words, shape: tuple[int, int, int]) -> None:
        check_format(format)
        if shape[0] > 1 and not words.passenger:
            raise ValueError(f"the pictures of this puzzle have one plane, not {shape[0]}")
        self.format, self.words, self.shape = format, words, shape
        self.layout = make_layout(words, shape, MAPS[format]) if format in MAPS else None
        self._size = shape[0] * shape[1] * shape[2]
        self._text = np.empty((1, len(self.layout.kind) if self.layout else 0), np.uint8)

    def write(self, boards: np.ndarray) -> list[str]:
        """Return the texts of boards, uint8[N, P * H * W]."""
        if self.layout is None:
            tell, _ = TELLINGS[self.format]
            return [tell(facts_of(picture), self.words) for picture in boards.reshape(-1, *self.shape)]
        return self._split(self.write_bytes(boards).tobytes().decode("ascii"))

    def write_one(self, board: np.ndarray) -> str:
        """Return the text of one board, contiguous and uint8[1, P * H * W], with less ado."""
        layout = self.layout
        if layout is None or self.words.goal_names or board.shape != (1, self._size):
            return self.write(board)[0]
        _look_up_entry()(board, layout.source, layout.table, layout.characters, self._text)
        text = self._text.tobytes().decode("ascii")
        return text if "\0" not in text else self._split(text)[0]

    def _split(self, texts: str) -> list[str]:
        length = self.length
        if "\0" in texts:
            world, index = divmod(texts.index("\0"), length)
            raise ValueError(f"world {world}: no glyph shows what stands at {place(texts[world * length :], index)}")
        return [texts[start : start + length] for start in range(0, len(texts), length)]

    @property
    def length(self) -> int:
        """The length L of a text; ValueError if it is not the same for all."""
        if self.layout is None:
            raise ValueError(f"the length of {self.format} texts varies; those of fixed length: {', '.join(MAPS)}")
        return len(self.layout.kind)

    def write_bytes(self, boards: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Return the texts of boards, uint8[N, P * H * W], as ASCII, uint8[N, L], written to `out` if given.

        Only for formats whose texts all have the same length. A byte is 0 where no glyph shows what the board holds.
        """
        length, layout = self.length, self.layout
        assert layout is not None
        boards = np.ascontiguousarray(boards, np.uint8).reshape(-1, self._size)
        texts = np.empty((len(boards), length), np.uint8) if out is None else out
        if texts.shape != (len(boards), length) or texts.dtype != np.uint8 or not texts.flags.c_contiguous:
            raise ValueError(f"out must be contiguous and uint8[{len(boards)}, {length}]")
        _look_up_entry()(boards, layout.source, layout.table, layout.characters, texts)
        if self.words.goal_names:
            crowded = _name_goals_entry()(boards, layout.cells, layout.names, layout.passengers, layout.marks, texts)
            if crowded >= 0:
                names = len(self.words.goal_names)
                raise ValueError(f"world {crowded} has more {self.words.goals} than the {names} names for them")
        return texts


class Reader:
    """Reads many texts of boards of one shape (P, H, W); equal to `read`, prepared once."""

    def __init__(self, format: str, words: Words, shape: tuple[int, int, int]) -> None:
        check_format(format)
        self.format, self.words, self.shape = format, words, shape
        self._map = _Map(words, shape, MAPS[format]) if format in MAPS else None

    def read(self, text: str) -> np.ndarray:
        """Return the picture, uint8[P, H, W], that a text shows; ValueError if it shows none, or one of another shape."""
        if self._map is not None:
            return self._map.read(text.removesuffix("\n"))
        picture = read(text, self.format, self.words)
        if picture.shape != self.shape:
            raise ValueError(f"the text shows a picture of the shape {picture.shape}, not {self.shape}")
        return picture


def check_format(format: str) -> None:
    """Raise ValueError if there is no such format."""
    if format not in FORMATS:
        raise ValueError(f"unknown format {format!r}; known: {', '.join(FORMATS)}")


def write(picture: np.ndarray, format: str, words: Words) -> str:
    """Return the text of one picture, uint8[P, H, W]."""
    planes, height, width = picture.shape
    return Writer(format, words, (planes, height, width)).write(picture)[0]


def read(text: str, format: str, words: Words) -> np.ndarray:
    """Return the picture, uint8[P, H, W], that a text shows; ValueError with the place if it shows none.

    A newline at the end is forgiven.
    """
    check_format(format)
    text = text.removesuffix("\n")
    return read_map(text, MAPS[format], words) if format in MAPS else read_facts(text, format, words)


@kernel
def look_up(boards, source, table, characters, texts):
    """Write the maps of boards, uint8[N, P * H * W], to texts, uint8[N, L]; the rest is in a Layout."""
    for world in range(boards.shape[0]):
        for index in range(source.shape[0]):
            texts[world, index] = characters[table[index] + boards[world, source[index]]]


@cache
def _look_up_entry() -> Callable[..., None]:
    boards, source, table = np.zeros((1, 1), np.uint8), np.zeros(1, np.uint32), np.zeros(1, np.uint32)
    return look_up.entry(boards, source, table, boards[0], boards)


@cache
def _name_goals_entry() -> Callable[..., int]:
    boards, cells = np.zeros((1, 1), np.uint8), np.zeros(1, np.int64)
    return name_goals.entry(boards, cells, boards, np.zeros((0, 2), np.int64), boards[0], boards)


@kernel
def name_goals(boards, cells, names, passengers, marks, texts):
    """Write the letters of goals, and who is carried, over texts, uint8[N, L]; return a world with too many goals, or -1."""
    for world in range(boards.shape[0]):
        goal = 0
        for cell in range(cells.shape[0]):
            here = boards[world, cell]
            if here & GOAL:
                if goal == names.shape[1]:
                    return world
                if here & ITEM == 0:
                    texts[world, cells[cell]] = names[1 if here & AGENT else 0, goal]
                for passenger in range(passengers.shape[0]):
                    there = boards[world, (passenger + 1) * cells.shape[0] + cell]
                    if there & (ITEM | AGENT) == ITEM:
                        texts[world, passengers[passenger, 0]] = names[0, goal]
                    if there & GOAL:
                        texts[world, passengers[passenger, 1]] = names[0, goal]
                goal += 1
        for passenger in range(passengers.shape[0]):
            start = (passenger + 1) * cells.shape[0]
            if texts[world, passengers[passenger, 0]] == marks[0] and is_carried(boards, world, start, cells.shape[0]):
                texts[world, passengers[passenger, 0]] = marks[1]
    return -1


@kernel
def is_carried(boards, world, start, num_cells):
    """Return whether the plane that begins at `start` shows its passenger with an agent."""
    for index in range(start, start + num_cells):
        if boards[world, index] & AGENT:
            return True
    return False


def make_layout(words: Words, shape: tuple[int, int, int], blanks: int) -> Layout:
    """Return the layout of maps of pictures of `shape` (P, H, W)."""
    planes, height, width = shape
    if planes > 1 and not words.goal_names:
        raise ValueError(f"a map needs names of {words.goals} to tell where a {words.passenger} goes")
    plan = _map_plan(height, width, blanks, words.thin_walls)
    for number in range(1, planes):
        start = f"\n{words.passenger} {number}: ".encode("ascii")
        plan = np.append(plan, [*start, WHERE_FROM, *b" to ", WHERE_TO])
    kind, source = plan % SOURCE, plan // SOURCE
    cells, starts, ends = (np.flatnonzero(kind == wanted) for wanted in (TILE, WHERE_FROM, WHERE_TO))
    names = np.array([[*words.goal_names.encode("ascii")], [*words.goal_names.lower().encode("ascii")]], np.uint8)
    passengers = np.ascontiguousarray(np.stack([starts, ends], axis=1))
    table = (256 * kind).astype(np.uint32)
    characters = _tables(words).ravel()
    marks = np.array([ord(words.unknown), ord(words.glyphs.get(AGENT, "@"))], np.uint8)
    return Layout(kind.astype(np.uint8), source.astype(np.uint32), table, characters, cells, names, passengers, marks)


def _map_plan(height: int, width: int, blanks: int, thin_walls: bool) -> np.ndarray:
    """Return kind + SOURCE * cell for each place of a map, its newlines included."""
    plan = TILE + SOURCE * np.arange(height * width).reshape(height, width)
    if thin_walls:
        tiles, plan = plan, np.full((2 * height + 1, 2 * width + 1), ord("+"))
        plan[1::2, ::2], plan[::2, 1::2] = ord("|"), ord("-")
        plan[1::2, 1::2] = tiles
        plan[1::2, 2:-1:2] = tiles[:, :-1] - TILE + WALL_RIGHT
        plan[2:-1:2, 1::2] = tiles[:-1] - TILE + WALL_BELOW
    spread = np.full((len(plan), (1 + blanks) * plan.shape[1] - blanks), ord(" "))
    spread[:, :: 1 + blanks] = plan
    return np.pad(spread, ((0, 0), (0, 1)), constant_values=ord("\n")).ravel()[:-1]


def _tables(words: Words) -> np.ndarray:
    tables = np.zeros((NUM_KINDS, 256), np.uint8)
    tables[:NUM_CONSTANTS] = np.arange(NUM_CONSTANTS)[:, None]
    for flags, glyph in {**words.glyphs, UNKNOWN: words.unknown}.items():
        tables[TILE, flags : flags + WALLS + 1] = ord(glyph)
    cells = np.arange(256)
    tables[WALL_RIGHT] = np.where(cells & 1 << RIGHT, ord("|"), ord(" "))
    tables[WALL_BELOW] = np.where(cells & 1 << DOWN, ord("-"), ord(" "))
    tables[WHERE_FROM] = tables[WHERE_TO] = ord(words.unknown)
    return tables


def read_map(text: str, blanks: int, words: Words) -> np.ndarray:
    """Return the picture, uint8[P, H, W], that a map shows."""
    lines = text.split("\n")
    planes = 1 + sum(bool(words.passenger) and line.startswith(f"{words.passenger} ") for line in lines)
    height, width = len(lines) + 1 - planes, (len(lines[0]) + blanks) // (1 + blanks)
    if words.thin_walls:
        if height % 2 == 0:
            raise ValueError(f"a map with walls between its cells has an odd number of lines, not {height}")
        height, width = height // 2, (width - 1) // 2
    check_size(planes, height, width)
    return _Map(words, (planes, height, width), blanks).read(text)


class _Map:
    """What it takes to read maps of one shape (P, H, W)."""

    def __init__(self, words: Words, shape: tuple[int, int, int], blanks: int) -> None:
        self.words, self.shape = words, shape
        self.layout = layout = make_layout(words, shape, blanks)
        self.meanings = _meanings(words)
        ends = np.flatnonzero(layout.kind == ord("\n")).tolist()
        starts = [0, *(end + 1 for end in ends)]
        self.lengths = [end - start for start, end in zip(starts, [*ends, len(layout.kind)], strict=True)]

    def read(self, text: str) -> np.ndarray:
        """Return the picture that a map shows; ValueError with the place if it shows none."""
        self._check_lines(text.split("\n"))
        picture = np.zeros(self.shape, np.uint8)
        np.bitwise_or.at(picture.reshape(-1), self.layout.source, self._flags_read(text))
        close_walls(picture[0])
        if self.words.goal_names:
            goals = _named_goals(text, self.layout, picture[0], self.words)
            passengers = [_passenger(text, places, goals, self.words) for places in self.layout.passengers.tolist()]
            draw_passengers(picture, passengers, self.words)
        return picture

    def _check_lines(self, lines: list[str]) -> None:
        if len(lines) != len(self.lengths):
            raise ValueError(f"{len(lines)} lines instead of {len(self.lengths)}")
        for number, (line, length) in enumerate(zip(lines, self.lengths), 1):
            if len(line) != length:
                raise ValueError(f"line {number}: {len(line)} characters instead of {length}")

    def _flags_read(self, text: str) -> np.ndarray:
        """Return the tile flags, uint8[L], that each character adds to the cell it shows."""
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        flags = self.meanings[self.layout.kind, np.minimum(codes, NUM_CONSTANTS - 1)]
        for index in np.flatnonzero(flags < 0)[:1].tolist():
            kinds = {TILE: "a tile", WALL_RIGHT: "'|' or ' '", WALL_BELOW: "'-' or ' '"}
            kind = int(self.layout.kind[index])
            expected = repr(chr(kind)) if kind < NUM_CONSTANTS else kinds.get(kind, f"the name of a {self.words.goal}")
            raise ValueError(f"{place(text, index)}: {text[index]!r} is not {expected}")
        return flags.astype(np.uint8)


def _meanings(words: Words) -> np.ndarray:
    """Return int16[NUM_KINDS, NUM_CONSTANTS]: the tile flags that a character stands for in a kind of place, or -1."""
    named = {GOAL: words.goal_names, GOAL | AGENT: words.goal_names.lower()} if words.goal_names else {}
    all_glyphs = {**words.glyphs, **named, UNKNOWN: words.unknown}
    glyphs = [(glyph, flags) for flags, glyphs in all_glyphs.items() for glyph in glyphs]
    tiles = dict(glyphs)
    if len(tiles) < len(glyphs):
        raise ValueError(f"glyphs that stand for two things cannot be read: {glyphs}")
    floors = {} if words.thin_walls else dict.fromkeys(" -_", 0)
    meanings = np.full((NUM_KINDS, NUM_CONSTANTS), -1, np.int16)
    np.fill_diagonal(meanings, 0)
    for glyph, flags in {**floors, **tiles}.items():
        meanings[TILE, ord(glyph)] = flags
    for kind, characters in {
        WALL_RIGHT: {" ": 0, "|": 1 << RIGHT},
        WALL_BELOW: {" ": 0, "-": 1 << DOWN},
        WHERE_FROM: dict.fromkeys(words.goal_names + words.unknown + words.glyphs.get(AGENT, ""), 0),
        WHERE_TO: dict.fromkeys(words.goal_names + words.unknown, 0),
    }.items():
        for character, flags in characters.items():
            meanings[kind, ord(character)] = flags
    return meanings


def _named_goals(text: str, layout: Layout, board: np.ndarray, words: Words) -> dict[str, Cell]:
    """Return the goals by name; ValueError if they are not named row by row."""
    cells = np.argwhere(board & GOAL).tolist()
    names = [words.goal_names[number : number + 1] for number in range(len(cells))]
    goals = {}
    for name, (row, column) in zip(names, cells, strict=True):
        index = int(layout.cells[row * board.shape[1] + column])
        if not name or (text[index].upper() != name and not board[row, column] & ITEM):
            raise ValueError(f"{place(text, index)}: {words.goals} are named {words.goal_names} row by row")
        goals[name] = (row, column)
    return goals


def _passenger(text: str, places: list[int], goals: dict[str, Cell], words: Words) -> Passenger:
    for index in places:
        if text[index] in words.goal_names and text[index] not in goals:
            raise ValueError(f"{place(text, index)}: there is no {words.goal} {text[index]!r}")
    known = {words.unknown: HIDDEN, **goals}
    where_from, where_to = (text[index] for index in places)
    return Passenger(known.get(where_from, RIDING), known[where_to])
