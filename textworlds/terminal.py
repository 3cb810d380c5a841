"""The terminal: keys in, coloured boards out, whatever is played. Both can be pipes: text in and text out."""

import os
import re
import shutil
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from itertools import groupby
from typing import NamedTuple, TypeVar

import numpy as np

from textworlds.grid import AGENT, GOAL, ITEM, SOLID
from textworlds.text.grammars import Outcome, read
from textworlds.text.words import Vocabulary

KEY = re.compile(r"\x1b[\[O][0-9;]*[A-Za-z~]|.", re.DOTALL)
ARROWS = {"A": ("up", "north"), "B": ("down", "south"), "C": ("right", "east"), "D": ("left", "west")}
WINDOWS_ARROWS = {"H": "A", "P": "B", "M": "C", "K": "D"}
START_OF_KEY = re.compile(r"\x1b([\[O][0-9;]*)?\Z")
ESCAPE_SECONDS = 0.05  # the rest of an arrow key arrives in less
INTERRUPT, END_OF_INPUT = "\x03", "\x04"
UNKNOWN_KEY = "This key does nothing."

# Colours of what stands in a cell; later ones are painted over earlier ones.
WALL, FLOOR = "2", "90"
PAINTS = {SOLID: WALL, GOAL: "35", ITEM: "33", ITEM | GOAL: "32", AGENT: "1;36"}

Result = TypeVar("Result")


class View(NamedTuple):
    """What there is to see."""

    title: str
    board: str
    picture: np.ndarray  # uint8[P, H, W], what the board shows
    status: str
    note: str
    help: str


class Terminal:
    """Where a person sits, or where pipes lead: reads keys, shows boards in place or as a growing log."""

    def __init__(self) -> None:
        self.is_typed = sys.stdin.isatty()
        has_screen = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self.in_place = self.is_typed and has_screen
        self.has_colours = has_screen and not os.environ.get("NO_COLOR")
        self.title = self.board = ""

    def keys(self, vocabulary: Vocabulary) -> Iterator[int | str]:
        """Yield the actions that are asked for, and complaints about what cannot be read, until the input ends."""
        return typed(vocabulary) if self.is_typed else piped(vocabulary)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Take the whole window and single keys; give both back at the end."""
        with single_keys(self.is_typed):
            try:
                if self.in_place:
                    print("\x1b[?1049h\x1b[?25l", end="", flush=True)
                yield
            finally:
                if self.in_place:
                    print("\x1b[?25h\x1b[?1049l", end="", flush=True)

    def show(self, view: View) -> None:
        if self.in_place:
            self.draw(view)
        else:
            self.log(view)

    def draw(self, view: View) -> None:
        columns, rows = shutil.get_terminal_size()
        text = f"\n{view.status}\n{view.note}\n\n{view.help}"
        below = [part for line in text.split("\n") for part in textwrap.wrap(line, columns) or [""]]
        board = self.paint(view, max(rows - len(below) - 2, 1), columns)
        lines = [printable(view.title)[:columns], "", *board, *below]
        print("\x1b[H" + "\x1b[K\n".join(lines[:rows]), end="\x1b[J", flush=True)

    def log(self, view: View) -> None:
        is_new = view.title != self.title
        lines = [printable(view.title), ""] if is_new else [view.note]
        if is_new or view.board != self.board:
            lines += [*self.paint(view), ""]
        self.title, self.board = view.title, view.board
        print("\n".join(lines), flush=True)

    def paint(self, view: View, rows: int = sys.maxsize, columns: int = sys.maxsize) -> list[str]:
        """Return the lines of a board in colours, cut to so many rows and columns around the agent."""
        lines = view.board.split("\n")
        colours = colours_of(view.picture, is_thin := len(lines[0]) > view.picture.shape[2])
        row, column = np.argwhere(view.picture[0] & AGENT)[0] * (1 + is_thin)
        more = lines[len(colours) :]
        high, wide = part(len(colours), rows - len(more), row), part(len(lines[0]), columns, column)
        cut = [
            coloured(line[wide], line_colours[wide]) if self.has_colours else line[wide]
            for line, line_colours in zip(lines[high], colours[high], strict=False)
        ]
        return [*cut, *more]


def colours_of(picture: np.ndarray, is_thin: bool) -> list[list[str]]:
    """Return the colour of each character of a drawn board, which has walls of their own characters if `is_thin`."""
    tiles = np.full(picture[0].shape, FLOOR, "<U4")
    for flags, colour in PAINTS.items():
        tiles[(picture & flags == flags).any(axis=0)] = colour
    if not is_thin:
        return tiles.tolist()
    colours = np.full((2 * tiles.shape[0] + 1, 2 * tiles.shape[1] + 1), WALL, "<U4")
    colours[1::2, 1::2] = tiles
    return colours.tolist()


def part(length: int, room: int, centre: int) -> slice:
    """Return which part of a length to show in a smaller room."""
    room = max(room, 1)
    start = min(max(int(centre) - room // 2, 0), max(length - room, 0))
    return slice(start, start + room)


def coloured(line: str, colours: list[str]) -> str:
    """Return a line with escape sequences for the colour of each character."""
    runs = groupby(zip(line, colours, strict=True), key=lambda pair: pair[1])
    return "".join(f"\x1b[{colour}m{''.join(char for char, _ in run)}\x1b[0m" for colour, run in runs)


def printable(text: str) -> str:
    """Return a text from a file or a file's name as this terminal can show it, without escape sequences."""
    encoding = sys.stdout.encoding or "utf-8"
    return "".join(char if char.isprintable() else "?" for char in text).encode(encoding, "replace").decode(encoding)


def with_controls(vocabulary: Vocabulary, controls: dict[str, str]) -> Vocabulary:
    """Return a vocabulary in which each action has a key, its letter, and controls (name -> key) follow the actions.

    An action's key is its one-letter name, else the first free letter of its names. A control is left out if its key or
    name is taken.
    """
    keys = [next((name for name in names if len(name) == 1), "") for names in vocabulary.names]
    for action, names in enumerate(vocabulary.names):
        keys[action] = keys[action] or next(letter for letter in "".join(names) if letter not in keys)
    known = {name for names in vocabulary.names for name in names}.union(keys)
    free = {name: key for name, key in controls.items() if known.isdisjoint((name, key))}
    return vocabulary._replace(names=(*vocabulary.names, *free.items()), letters="".join([*keys, *free.values()]))


def run_beside(call: Callable[[], Result]) -> Future[Result]:
    """Run something in a thread that neither Ctrl-C nor the program's end has to wait for."""
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except Exception as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def piped(vocabulary: Vocabulary) -> Iterator[int | str]:
    """Yield the actions of each line of the input: words, or runs of keys in upper or lower case."""
    for line in sys.stdin:
        reading = read(line, "plain", vocabulary)
        yield from reading.actions
        if reading.why and reading.outcome != Outcome.EMPTY:
            yield reading.why


def typed(vocabulary: Vocabulary) -> Iterator[int | str]:
    """Yield the action of each key that is pressed, until Ctrl-D."""
    letters = {letter: action for action, letter in enumerate(vocabulary.letters)}
    arrows = {
        arrow: action
        for arrow, directions in ARROWS.items()
        for action, names in enumerate(vocabulary.names)
        if not set(directions).isdisjoint(names)
    }
    for key in pressed():
        if key == END_OF_INPUT:
            return
        yield arrows.get(key[-1], UNKNOWN_KEY) if len(key) > 1 else letters.get(key.lower(), UNKNOWN_KEY)


if sys.platform == "win32":
    import msvcrt

    @contextmanager
    def single_keys(is_typed: bool) -> Iterator[None]:
        os.system("")  # from here on, the console understands escape sequences
        yield

    def pressed() -> Iterator[str]:
        while (key := msvcrt.getwch()) != INTERRUPT:
            yield "\x1b[" + WINDOWS_ARROWS.get(msvcrt.getwch(), "~") if key in "\0\xe0" else key
        raise KeyboardInterrupt

else:
    import select
    import termios
    import tty

    @contextmanager
    def single_keys(is_typed: bool) -> Iterator[None]:
        """Get keys one by one, unseen; Ctrl-Z too, as nobody would put the window back in order after a pause."""
        if not is_typed:
            yield
            return
        before = termios.tcgetattr(sys.stdin)
        try:
            tty.setcbreak(sys.stdin)
            modes = termios.tcgetattr(sys.stdin)
            modes[6][termios.VSUSP] = bytes([os.fpathconf(sys.stdin.fileno(), "PC_VDISABLE")])
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, modes)
            yield
        finally:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)

    def pressed() -> Iterator[str]:
        """Yield each key that is pressed; an arrow as the escape sequence that terminals send for it."""
        text = ""
        while data := os.read(sys.stdin.fileno(), 1024):
            text += data.decode("utf-8", "replace")
            if not (START_OF_KEY.search(text) and select.select([sys.stdin], [], [], ESCAPE_SECONDS)[0]):
                yield from KEY.findall(text)
                text = ""
