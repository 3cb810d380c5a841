"""Read and write level files, in text (XSB, .sok, Boxoban) and in XML (.slc), as docs/levels.md says."""

import codecs
import os
import re
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from typing import Any, NamedTuple
from xml.parsers import expat

import numpy as np

from textworlds.grid import AGENT, GOAL, ITEM, SOLID, WALLS, close_walls
from textworlds.text.words import Words

LARGEST = 64 << 20  # bytes of a file, and cells of all its levels once short rows are padded
DEEPEST = 16  # elements of XML inside one another
LINE_END = re.compile(r"\r\n|\r|\n")
COMMENT_OR_KEY = re.compile(r"\s*(;|::|'|[^\W\d_][\w -]*:(\s|$))")
TITLE = re.compile(r"\s*title:(.*)", re.IGNORECASE)
NUMBER = re.compile(r"\s*;\s*(\d+)\s*")
WORD = re.compile(r"(?<!\S)[^\W\d_]{4,}(?!\S)")


class Level(NamedTuple):
    """A picture that an episode can start from."""

    picture: np.ndarray  # uint8[1, H, W] of tile flags, wall bits set, read-only
    title: str = ""
    source: str = ""  # where it came from: "microban.xsb, line 12"
    certificate: Mapping[str, Any] | None = None  # its key and origin, and what a solver proved of it


class LevelError(ValueError):
    """What is wrong with a level file, and where."""


class _Tiles(NamedTuple):
    flags: dict[str, int]  # what each symbol of a drawing stands for
    wall: str
    num_agents: int = 1  # of a drawing


class _Drawing(NamedTuple):
    name: str  # of the file
    rows: list[str]
    places: list[tuple[int, int]]  # line and column of each row's first symbol; of the level itself if it has no rows
    title: str = ""

    def error(self, symbol: Sequence[int], what: str) -> LevelError:
        """Return the error `what` at a symbol, given by row and column from 0."""
        line, column = self.places[symbol[0]]
        return LevelError(f"{self.name}, line {line}, column {column + symbol[1]}: {what}")


def read_level_file(path: str | os.PathLike[str], words: Words, num_agents: int = 1) -> list[Level]:
    """Read all levels of a file; raise LevelError at the first thing wrong, OSError if it cannot be opened."""
    with open(path, "rb") as file:
        return read_levels(file.read(LARGEST + 1), words, os.fsdecode(path), num_agents)


def read_good_levels(path: str | os.PathLike[str], words: Words) -> tuple[list[Level], list[LevelError]]:
    """Read the levels of a file that can be read, and say what is wrong with the others."""
    with open(path, "rb") as file:
        return _read(file.read(LARGEST + 1), words, os.fsdecode(path))


def read_levels(text: str | bytes, words: Words, name: str = "level text", num_agents: int = 1) -> list[Level]:
    """Read all levels of a file's content, with so many agents each.

    Raises:
        LevelError: at the first thing wrong; it calls the file `name`.
    """
    levels, errors = _read(text, words, name, num_agents)
    if errors:
        raise errors[0]
    return levels


def read_drawing(rows: Sequence[str], words: Words, name: str, first_line: int = 1) -> np.ndarray:
    """Return the picture of one drawing, as in `Level`; raise LevelError at the first thing wrong."""
    places = [(first_line + row, 1) for row in range(max(1, len(rows)))]
    return _picture(_Drawing(name, list(rows), places), _tiles(words), words)


def write_levels(levels: Iterable[Level], words: Words) -> str:
    """Return levels as XSB text with "Title:" lines; raise ValueError for a level that would not read back the same."""
    return "\n".join(_written(level, words, f"level {number}") for number, level in enumerate(levels, 1))


def _written(level: Level, words: Words, name: str) -> str:
    if len(level.picture) != 1:
        raise ValueError(f"{name}: level files hold no {words.items} with a plane of their own")
    if level.title != level.title.strip() or LINE_END.search(level.title):
        raise ValueError(f"{name}: a title is one line without blanks around it, not {level.title!r}")
    board = level.picture[0] & ~np.uint8(WALLS)
    rows = ["".join(words.glyphs.get(flags, "?") for flags in row) for row in board.tolist()]
    if not np.array_equal(read_drawing(rows, words, name), level.picture):
        raise ValueError(f"{name}: level files hold no walls but solid cells and the border")
    return "\n".join([*rows, f"Title: {level.title}"] if level.title else rows) + "\n"


def _read(data: str | bytes, words: Words, name: str, num_agents: int = 1) -> tuple[list[Level], list[LevelError]]:
    levels: list[Level] = []
    errors: list[LevelError] = []
    tiles = _tiles(words)._replace(num_agents=num_agents)
    cells = 0
    for found in _drawings(data, tiles, name):
        try:
            if isinstance(found, LevelError):
                raise found
            cells += len(found.rows) * max(map(len, found.rows), default=0)
            if cells > LARGEST:  # one long row among many short ones makes a small file a huge picture
                raise found.error((0, 0), f"more than {LARGEST:,} cells up to here, the most that is read")
            levels.append(Level(_picture(found, tiles, words), found.title, f"{name}, line {found.places[0][0]}"))
        except LevelError as error:
            errors.append(error)
    return levels, errors or ([] if levels else [LevelError(f"no level in {name}")])


def _drawings(data: str | bytes, tiles: _Tiles, name: str) -> Sequence[_Drawing | LevelError]:
    if len(data) > LARGEST:
        return [LevelError(f"{name} is larger than {LARGEST >> 20} MiB, the most that is read")]
    if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return [LevelError(f"{name} is UTF-16 text, which is not read; save it as UTF-8")]
    text = _decoded(data) if isinstance(data, bytes) else data.removeprefix("\ufeff")
    if text.lstrip().startswith("<") or (name.lower().endswith(".slc") and text.strip()):
        return _SlcReader(name).read(text)
    return _drawings_in_text(text, tiles, name)


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.removeprefix(codecs.BOM_UTF8).decode("latin-1")


def _drawings_in_text(text: str, tiles: _Tiles, name: str) -> list[_Drawing]:
    drawings: list[_Drawing] = []
    notes: list[list[str]] = [[]]  # the lines above the first drawing, below it, below the second, …
    for number, line in enumerate(LINE_END.split(text), 1):
        in_drawing = bool(drawings) and not notes[-1]
        if not _is_drawn(line, tiles, in_drawing):
            notes[-1].append(line)
            continue
        if not in_drawing:
            drawings.append(_Drawing(name, [], []))
            notes.append([])
        drawings[-1].rows.append(line)
        drawings[-1].places.append((number, 1))
    return [drawing._replace(title=title) for drawing, title in zip(drawings, _titles(notes), strict=True)]


def _is_drawn(line: str, tiles: _Tiles, in_drawing: bool) -> bool:
    """Return whether a line is a row, or so like one that it must not be skipped.

    Such a line has more level symbols than others, and two walls or nothing else; but a banner ("### Level 5 ###") has
    a word. Right below a row as many level symbols as others are enough, and so is a wall at its start and one more.
    """
    text = "".join(line.split())
    if COMMENT_OR_KEY.match(line) or not any(tiles.flags.get(symbol, 1) for symbol in set(text)):
        return False
    known, walls = sum(map(text.count, tiles.flags)), text.count(tiles.wall)
    others = len(text) - known
    if in_drawing and (known >= others or (text.startswith(tiles.wall) and walls > 1)):
        return True
    is_like_row = walls > 0 and known > others and (walls > 1 or others == 0) and not WORD.search(line)
    return is_like_row or _is_run_length(line.strip(), tiles)


def _is_run_length(text: str, tiles: _Tiles) -> bool:
    """Return whether a line looks like "3#5-#", or like several such rows with "|" between them."""
    return set(text) <= {*tiles.flags, *"0123456789|"} and bool(re.search(rf"[0-9]{re.escape(tiles.wall)}", text))


def _titles(notes: list[list[str]]) -> list[str]:
    """Return the title of each drawing, from the lines above, between and below the drawings.

    "Title:" lines stand below, or above if the first one does, none is below the last drawing or right below any, and the
    first does not stand alone above several, as a collection's name. Else a number in a comment ("; 12") that is the last line above.
    """
    named = [next((match[1].strip() for line in lines if (match := TITLE.match(line))), "") for lines in notes]
    last_lines = [next((line for line in reversed(lines) if line.strip()), "") for lines in notes]
    numbers = [match[1] if (match := NUMBER.fullmatch(line)) else "" for line in last_lines]
    any_below = any(TITLE.match(line) for lines in notes[1:] for line in takewhile(str.strip, lines))
    stand_above = not any_below and named[0] and not named[-1] and (len(named) == 2 or any(named[1:]))
    titles = named[:-1] if stand_above else named[1:]
    return [title or number for title, number in zip(titles, numbers, strict=False)]


def _tiles(words: Words) -> _Tiles:
    if words.thin_walls:
        raise ValueError("level files hold no thin walls")
    kinds = [kind for kind in (SOLID, AGENT, AGENT | GOAL, ITEM, ITEM | GOAL, GOAL) if kind in words.glyphs]
    flags = {words.glyphs[kind]: kind for kind in kinds}
    return _Tiles({**flags, **dict.fromkeys([" ", "-", "_", words.glyphs[0]], 0)}, words.glyphs[SOLID])


def _picture(drawing: _Drawing, tiles: _Tiles, words: Words) -> np.ndarray:
    if not drawing.rows:
        raise drawing.error((0, 0), "a level without rows")
    for row in range(len(drawing.rows)):
        _check_symbols(drawing, row, tiles)
    width = max(map(len, drawing.rows))
    table = str.maketrans({symbol: chr(flags) for symbol, flags in tiles.flags.items()})
    rows = (row.ljust(width).translate(table).encode("latin-1") for row in drawing.rows)
    board = np.frombuffer(bytearray().join(rows), np.uint8).reshape(-1, width)
    _check_counts(drawing, board, words, tiles.num_agents)
    _check_closed(drawing, board, words)
    close_walls(board)
    board.setflags(write=False)
    return board[np.newaxis]


def _check_symbols(drawing: _Drawing, row: int, tiles: _Tiles) -> None:
    symbols = drawing.rows[row]
    column = next((column for column, symbol in enumerate(symbols) if symbol not in tiles.flags), -1)
    if column >= 0:
        if _is_run_length(symbols.strip(), tiles):
            raise drawing.error((row, column), "run-length encoding is not read; draw every tile of the row")
        what = "a tab" if symbols[column] == "\t" else repr(symbols[column])
        allowed = " ".join("space" if symbol == " " else symbol for symbol in tiles.flags)
        raise drawing.error((row, column), f"{what} is not a tile of a level; allowed: {allowed}")
    if tiles.wall not in symbols:
        raise drawing.error((row, 0), f"a row of a level has at least one {tiles.wall!r}")


def _check_counts(drawing: _Drawing, board: np.ndarray, words: Words, num_agents: int) -> None:
    agents = np.argwhere(board & AGENT).tolist()
    if len(agents) != num_agents:
        found, wanted = f"{len(agents)} {words.agent}s", f"{num_agents} play here"
        if num_agents == 1:
            found, wanted = f"a second {words.agent}" if agents else f"no {words.agent}", "a level has exactly one"
        place = agents[num_agents] if len(agents) > num_agents else (0, 0)
        raise drawing.error(place, f"{found}; {wanted}")
    num_items, num_goals = (np.count_nonzero(board & kind) for kind in (ITEM, GOAL))
    if num_items > num_goals:
        raise drawing.error((0, 0), f"more {words.items} ({num_items}) than {words.goals} ({num_goals})")


def _check_closed(drawing: _Drawing, board: np.ndarray, words: Words) -> None:
    """Refuse a board whose agent can reach its edge, or a cell that was never drawn."""
    width = board.shape[1]
    is_edge = np.arange(width) >= np.array([[len(row)] for row in drawing.rows])
    is_edge[[0, -1]] = is_edge[:, [0, -1]] = True
    edge, unseen = is_edge.tobytes(), bytearray((board & SOLID == 0).tobytes())
    queue = deque(np.flatnonzero(board & AGENT).tolist())
    while queue:
        cell = queue.popleft()
        if edge[cell]:
            raise drawing.error(divmod(cell, width), f"the {words.agent} can leave the level here")
        for near in (cell - width, cell - 1, cell + 1, cell + width):
            if unseen[near]:
                unseen[near] = 0
                queue.append(near)


class _SlcReader:
    """Collects the drawings of an .slc file; the first thing that such a file does not need is an error and the end."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.found: list[_Drawing | LevelError] = []
        self.open = [""]  # the elements around the parser's place
        self.parser = expat.ParserCreate("utf-8")
        self.parser.StartElementHandler, self.parser.EndElementHandler = self.start, self.end
        self.parser.StartDoctypeDeclHandler, self.parser.CharacterDataHandler = self.doctype, self.text

    def read(self, text: str) -> list[_Drawing | LevelError]:
        try:
            self.parser.Parse(text.encode("utf-8", "replace"), True)
        except LevelError as error:
            self.found.append(error)
        except expat.ExpatError as error:
            self.found.append(self.error(f"not well-formed XML: {expat.ErrorString(error.code)}"))
        return self.found

    def place(self) -> tuple[int, int]:
        return self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1

    def error(self, what: str) -> LevelError:
        return _Drawing(self.name, [], [self.place()]).error((0, 0), what)

    def doctype(self, name: str, system: str | None, public: str | None, has_subset: int) -> None:
        # Level files in the wild name an external DTD, which is never opened; definitions of their own they need none.
        if has_subset:
            raise self.error("definitions in a DOCTYPE are not read; delete them")

    def start(self, element: str, attributes: dict[str, str]) -> None:
        if (element == "L") != (self.open[-1] == "Level") or "L" in self.open or len(self.open) > DEEPEST:
            raise self.error(f"<{element}> has no place here; a <Level> holds rows, each an <L>")
        self.open.append(element)
        if element == "Level":
            self.drawing = _Drawing(self.name, [], [], " ".join(attributes.get("Id", "").split()))
        if element in ("Level", "L"):
            self.symbols: list[str] = []
            self.drawing.places[len(self.drawing.rows) :] = [self.place()]

    def text(self, symbols: str) -> None:
        if self.open[-1] == "Level" and symbols.strip():
            raise self.error("text has no place here; a <Level> holds rows, each an <L>")
        if self.open[-1] == "L":
            self.drawing.places[-1] = self.drawing.places[-1] if self.symbols else self.place()
            self.symbols.append(symbols)

    def end(self, element: str) -> None:
        self.open.pop()
        if element == "L":
            self.drawing.rows.append("".join(self.symbols))
        if element == "Level":
            self.found.append(self.drawing)
