"""Read and write level files: drawings in text (XSB, .sok, Boxoban) and in XML (.slc).

docs/levels.md says for users what is read, what ends a level and what is an error.
"""

import codecs
import os
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from xml.parsers import expat

import numpy as np

from textworlds.grid import AGENT, GOAL, ITEM, SOLID, WALLS, close_walls
from textworlds.text.words import Words

LARGEST = 64 << 20  # bytes of a file, and cells of all its levels once short rows are padded
DEEPEST = 16  # elements of XML inside one another

COMMENT_MARKS = (";", "::", "'")
FLOOR_SYMBOLS = " -_"
DIGITS = set("0123456789")
LINE_END = re.compile(r"\r\n|\r|\n")
KEY = re.compile(r"[^\W\d_][\w -]*:(\s|$)")
TITLE = re.compile(r"\s*title:(.*)", re.IGNORECASE)
NUMBER = re.compile(r"\s*;\s*(\d+)\s*")
WORD = re.compile(r"(?<!\S)[^\W\d_]{4,}(?!\S)")


class Level(NamedTuple):
    """A picture that an episode can start from.

    Attributes:
        picture: uint8[1, H, W] of tile flags, wall bits set, read-only.
        title: its name in the file, "" if it has none.
        source: where it came from: "microban.xsb, line 12".
    """

    picture: np.ndarray
    title: str = ""
    source: str = ""


class LevelError(ValueError):
    """What is wrong with a level file, and where."""


class _Tiles(NamedTuple):
    """The symbols of a puzzle's drawings."""

    flags: dict[str, int]
    wall: str
    allowed: str


class _Drawing(NamedTuple):
    """The rows of one level as they stand in a file; `places` has line and column of each row's first symbol."""

    name: str
    rows: Sequence[str]
    places: Sequence[tuple[int, int]]
    title: str = ""

    def error(self, row: int, column: int, what: str) -> LevelError:
        """Return the error `what` at the symbol `column` (from 0) of a row."""
        line, first_column = self.places[row]
        return LevelError(f"{self.name}, line {line}, column {first_column + column}: {what}")


def read_level_file(path: str | os.PathLike[str], words: Words) -> list[Level]:
    """Read all levels of a file.

    Raises:
        LevelError: at the first thing wrong; a file is read whole or not at all.
        OSError: if the file cannot be opened.
    """
    return _all_or_error(*read_good_levels(path, words))


def read_good_levels(path: str | os.PathLike[str], words: Words) -> tuple[list[Level], list[LevelError]]:
    """Read the levels of a file that can be read, and say what is wrong with each of the others."""
    with open(path, "rb") as file:
        return _read(file.read(LARGEST + 1), words, os.fsdecode(path))


def read_levels(text: str | bytes, words: Words, name: str = "level text") -> list[Level]:
    """Read all levels of a file's content, which messages call `name`; raise LevelError at the first thing wrong."""
    return _all_or_error(*_read(text, words, name))


def read_drawing(
    rows: Sequence[str],
    words: Words,
    name: str,
    first_line: int = 1,
    places: Sequence[tuple[int, int]] | None = None,
) -> np.ndarray:
    """Return the picture of one drawing, with all checks.

    Args:
        rows: short ones are padded with floor that nothing may reach.
        words: whose symbols and nouns.
        name: what messages call the file.
        first_line: the line of the first row, if the rows are lines of a file.
        places: (line, column) of each row's first symbol, if they are not.

    Returns:
        uint8[1, H, W] of tile flags, wall bits set, read-only.
    """
    places = places or [(line, 1) for line in range(first_line, first_line + len(rows))]
    if not rows:
        raise LevelError(f"{name}, line {first_line}: a level without rows")
    return _picture(_Drawing(name, rows, places), _tiles(words), words)


def write_levels(levels: Iterable[Level], words: Words) -> str:
    """Return levels as XSB text, titles as "Title:" lines; `read_levels` reads back the same pictures and titles.

    Raises:
        ValueError: for a level that would not read back the same.
    """
    return "\n".join(_written(level, words, f"level {number}") for number, level in enumerate(levels, 1))


def _written(level: Level, words: Words, name: str) -> str:
    if len(level.picture) != 1:
        raise ValueError(f"{name}: level files hold no {words.items} with a plane of their own")
    if level.title != level.title.strip() or LINE_END.search(level.title):
        raise ValueError(f"{name}: a title is one line without blanks around it, not {level.title!r}")
    symbols = {flags: words.glyphs.get(flags, "?") for flags in range(0, 256, WALLS + 1)}
    rows = ["".join(symbols[flags] for flags in row) for row in (level.picture[0] & ~np.uint8(WALLS)).tolist()]
    if not np.array_equal(read_drawing(rows, words, name), level.picture):
        raise ValueError(f"{name}: level files hold no walls but solid cells and the border")
    return "\n".join([*rows, f"Title: {level.title}"] if level.title else rows) + "\n"


def _all_or_error(levels: list[Level], errors: list[LevelError]) -> list[Level]:
    if errors:
        raise errors[0]
    return levels


def _read(data: str | bytes, words: Words, name: str) -> tuple[list[Level], list[LevelError]]:
    """Return the good levels of a file's content, and the errors in its order."""
    levels: list[Level] = []
    errors: list[LevelError] = []
    tiles = _tiles(words)
    cells = 0
    for found in _drawings(data, tiles, name):
        try:
            if isinstance(found, LevelError):
                raise found
            cells += len(found.rows) * max(map(len, found.rows))
            if cells > LARGEST:  # a few long rows among many short ones make a small file a huge picture
                raise found.error(0, 0, f"the levels up to this one have more than {LARGEST:,} cells, the most read")
            levels.append(Level(_picture(found, tiles, words), found.title, f"{name}, line {found.places[0][0]}"))
        except LevelError as error:
            errors.append(error)
    if not levels and not errors:
        errors.append(LevelError(f"no level in {name}"))
    return levels, errors


def _drawings(data: str | bytes, tiles: _Tiles, name: str) -> Sequence[_Drawing | LevelError]:
    if len(data) > LARGEST:
        return [LevelError(f"{name} is larger than {LARGEST >> 20} MiB, the most that is read")]
    if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return [LevelError(f"{name} is UTF-16 text, which is not read; save it as UTF-8")]
    text = _text(data)
    if name.lower().endswith(".slc") and text.strip() or text.lstrip().startswith("<"):
        return _SlcReader(name).read(text)
    return _drawings_in_text(text, tiles, name)


def _text(data: str | bytes) -> str:
    if isinstance(data, str):
        return data.removeprefix("\ufeff")
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _drawings_in_text(text: str, tiles: _Tiles, name: str) -> list[_Drawing]:
    boards: list[list[tuple[int, str]]] = []
    notes: list[list[str]] = [[]]  # the lines before the first board, after it, after the second, …
    in_board = False
    for number, line in enumerate(LINE_END.split(text), 1):
        is_drawn = _is_drawn(line, tiles, in_board)
        if is_drawn and not in_board:
            boards.append([])
            notes.append([])
        if is_drawn:
            boards[-1].append((number, line))
        else:
            notes[-1].append(line)
        in_board = is_drawn
    return [
        _Drawing(name, [line for _, line in board], [(number, 1) for number, _ in board], title)
        for board, title in zip(boards, _titles(notes), strict=True)
    ]


def _is_drawn(line: str, tiles: _Tiles, in_board: bool) -> bool:
    """Return whether a line is a row, or so like one that it must not be skipped.

    Such lines are more than half level symbols, with two walls or nothing else; but a banner ("### Level 5 ###") has a
    word in it. Right below a row, half is enough, and so is a wall at the start with another one anywhere.
    """
    walls = line.count(tiles.wall)
    if walls and tiles.flags.keys() >= set(line):
        return True
    text = line.strip()
    symbols = [symbol for symbol in text if not symbol.isspace()]
    if not any(tiles.flags.get(symbol, 1) for symbol in symbols) or text.startswith(COMMENT_MARKS) or KEY.match(text):
        return False
    if _is_run_length(text, tiles):
        return True
    known = sum(symbol in tiles.flags for symbol in symbols)
    if in_board:
        return known * 2 >= len(symbols) or (text.startswith(tiles.wall) and walls > 1)
    is_dense = known * 2 > len(symbols) and walls > 0
    return is_dense and (walls > 1 or known == len(symbols)) and not WORD.search(text)


def _is_run_length(text: str, tiles: _Tiles) -> bool:
    """Return whether a line looks like "3#5-#", or like many such rows with "|" between them."""
    if not set(text) <= {*tiles.flags, *DIGITS, "|"}:
        return False
    counts_walls = re.search(r"\d" + re.escape(tiles.wall), text)
    return bool(counts_walls) or (text.count(tiles.wall) > 1 and bool(re.search(r"\d[^\d|]", text)))


def _titles(notes: list[list[str]]) -> list[str]:
    """Return the title of each board, from the lines before, between and after the boards.

    "Title:" lines stand below their boards. Above them only if that is where the first stands, the last board has none
    below, and the first is not alone among several boards: then it is the collection's name.
    """
    named = [next((match[1].strip() for line in lines if (match := TITLE.match(line))), "") for lines in notes]
    stand_above = named[0] and not named[-1] and (len(named) == 2 or any(named[1:]))
    titles = named[:-1] if stand_above else named[1:]
    return [title or _number(lines) for title, lines in zip(titles, notes, strict=False)]


def _number(lines: list[str]) -> str:
    """Return the number in a comment ("; 12") that is the last line above a board, or ""."""
    last = next((line for line in reversed(lines) if line.strip()), "")
    match = NUMBER.fullmatch(last)
    return match[1] if match else ""


def _tiles(words: Words) -> _Tiles:
    if words.thin_walls:
        raise ValueError("level files hold no thin walls")
    kinds = (SOLID, AGENT, AGENT | GOAL, ITEM, ITEM | GOAL, GOAL)
    flags = {words.glyphs[kind]: kind for kind in kinds if kind in words.glyphs}
    flags.update(dict.fromkeys([*FLOOR_SYMBOLS, words.glyphs[0]], 0))
    return _Tiles(flags, words.glyphs[SOLID], " ".join("space" if symbol == " " else symbol for symbol in flags))


def _picture(drawing: _Drawing, tiles: _Tiles, words: Words) -> np.ndarray:
    """Return the picture of a drawing, checked."""
    for row in range(len(drawing.rows)):
        _check_symbols(drawing, row, tiles)
    width = max(map(len, drawing.rows))
    table = str.maketrans({symbol: chr(flags) for symbol, flags in tiles.flags.items()})
    rows = (row.ljust(width).translate(table).encode("latin-1") for row in drawing.rows)
    board = np.frombuffer(bytearray().join(rows), np.uint8).reshape(-1, width)
    _check_counts(drawing, board, words)
    _check_closed(drawing, board, tiles, words)
    close_walls(board)
    board.setflags(write=False)
    return board[np.newaxis]


def _check_symbols(drawing: _Drawing, row: int, tiles: _Tiles) -> None:
    symbols = drawing.rows[row]
    if not tiles.flags.keys() >= set(symbols):
        if _is_run_length(symbols.strip(), tiles):
            column = next(column for column, symbol in enumerate(symbols) if symbol in DIGITS)
            raise drawing.error(row, column, "run-length encoding is not read; draw every tile of the row")
        column = next(column for column, symbol in enumerate(symbols) if symbol not in tiles.flags)
        what = "a tab" if symbols[column] == "\t" else repr(symbols[column])
        raise drawing.error(row, column, f"{what} is not a tile of a level; allowed: {tiles.allowed}")
    if tiles.wall not in symbols:
        raise drawing.error(row, 0, f"a row of a level has at least one {tiles.wall!r}")


def _check_counts(drawing: _Drawing, board: np.ndarray, words: Words) -> None:
    agents = np.argwhere(board & AGENT)
    if len(agents) == 0:
        raise drawing.error(0, 0, f"no {words.agent} in this level; a level has exactly one")
    if len(agents) > 1:
        raise drawing.error(*agents[1], f"a second {words.agent}; a level has exactly one")
    num_items, num_goals = (np.count_nonzero(board & kind) for kind in (ITEM, GOAL))
    if num_items > num_goals:
        counts = f"{num_items} {words.items if num_items > 1 else words.item}"
        raise drawing.error(0, 0, f"{counts} but {num_goals or 'no'} {words.goal if num_goals == 1 else words.goals}")


def _check_closed(drawing: _Drawing, board: np.ndarray, tiles: _Tiles, words: Words) -> None:
    """Refuse a board whose agent can reach its edge, or a cell that was never drawn."""
    height, width = board.shape
    is_out = np.arange(width) >= np.array([[len(row)] for row in drawing.rows])
    is_out[[0, -1]] = is_out[:, [0, -1]] = True
    cell = _nearest_way_out(np.where(board & SOLID, 0, is_out + 1), int((board & AGENT).argmax()))
    if cell >= 0:
        raise drawing.error(*divmod(cell, width), f"the {words.agent} can leave the level here; no {tiles.wall!r} closes it")


def _nearest_way_out(kinds: np.ndarray, start: int) -> int:
    """Return the cell of kind 2 nearest to `start` through cells of kind 1, or -1; the border is of kinds 0 and 2."""
    width = kinds.shape[1]
    unseen = bytearray(kinds.astype(np.uint8).tobytes())
    is_way_out = kinds.ravel() == 2
    queue = deque([start])
    while queue:
        cell = queue.popleft()
        if is_way_out[cell]:
            return cell
        for near in (cell - width, cell - 1, cell + 1, cell + width):
            if unseen[near]:
                unseen[near] = 0
                queue.append(near)
    return -1


class _SlcReader:
    """Collects the drawings of an .slc file while expat reads it; whatever such files do not need is refused."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.found: list[_Drawing | LevelError] = []
        self.open = [""]  # the elements around the parser's place
        self.row: list[str] = []
        self.parser = expat.ParserCreate("utf-8")
        self.parser.StartDoctypeDeclHandler = self.doctype
        self.parser.StartElementHandler = self.start
        self.parser.CharacterDataHandler = self.text
        self.parser.EndElementHandler = self.end

    def read(self, text: str) -> list[_Drawing | LevelError]:
        """Return what was found; an error in the XML itself ends the reading and comes last."""
        try:
            self.parser.Parse(text.encode("utf-8", "replace"), True)
        except LevelError as error:
            self.found.append(error)
        except expat.ExpatError as error:
            self.found.append(self.error(f"not well-formed XML: {expat.ErrorString(error.code)}"))
        return self.found

    def error(self, what: str) -> LevelError:
        return _error(self.name, self.place(), what)

    def place(self) -> tuple[int, int]:
        return self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1

    def doctype(self, *_: Any) -> None:
        raise self.error("a DOCTYPE is not read; level files need none")

    def start(self, element: str, attributes: dict[str, str]) -> None:
        parent = self.open[-1]
        if parent == "L" or (element == "L") != (parent == "Level"):
            raise self.error(f"<{element}> has no place here; a <Level> holds rows, each an <L>, and nothing else")
        if len(self.open) > DEEPEST:
            raise self.error(f"more than {DEEPEST} elements inside one another")
        if element == "Level":
            self.drawing = _Drawing(self.name, [], [], " ".join(attributes.get("Id", "").split()))
        if element == "L":
            self.drawing.places.append(self.place())
            self.row = []
        self.open.append(element)

    def text(self, symbols: str) -> None:
        if self.open[-1] == "L":
            if not self.row:
                self.drawing.places[-1] = self.place()
            self.row.append(symbols)
        elif self.open[-1] == "Level" and symbols.strip():
            raise self.error("text has no place here; a <Level> holds rows, each an <L>, and nothing else")

    def end(self, element: str) -> None:
        self.open.pop()
        if element == "L":
            self.drawing.rows.append("".join(self.row))
        if element == "Level":
            self.found.append(self.drawing if self.drawing.rows else self.error("a level without rows"))
