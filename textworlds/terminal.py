"""A person plays in the terminal: keys in, a coloured board out. Keys can be piped in, boards piped out."""

import os
import re
import shutil
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

import numpy as np

from textworlds.episodes import Episode
from textworlds.grid import AGENT, GOAL, ITEM, SOLID
from textworlds.text.grammars import Outcome, read
from textworlds.text.levels import Level
from textworlds.text.words import Vocabulary

# What a key does where the puzzle has no action of that letter. The names are methods of Game.
CONTROLS = {
    "undo": "z",
    "restart": "x",
    "hint": "h",
    "forward": "f",
    "back": "b",
    "rules": "?",
    "quit": "q",
}
ARROWS = {"A": ("up", "north"), "B": ("down", "south"), "C": ("right", "east"), "D": ("left", "west")}
WINDOWS_ARROWS = {"H": "A", "P": "B", "M": "C", "K": "D"}
KEY = re.compile(r"\x1b[\[O][0-9;]*[A-Za-z~]|.", re.DOTALL)
NO_KEY = -1

# Later ones are painted over earlier ones.
WALL, FLOOR = "2", "90"
PAINTS = {SOLID: WALL, GOAL: "35", ITEM: "33", ITEM | GOAL: "32", AGENT: "1;36"}

NO_LIMIT = 2**31 - 1
HINT_SECONDS, PRAISE_SECONDS = 20.0, 1.0
COMPILING = "Compiling, once on this machine; this can take half a minute ..."


def play(id: str, levels: Sequence[Level] | None, seed: int) -> None:
    """Play until the person, the input or the levels come to an end.

    Args:
        id: what is played.
        levels: played one after another; None for generated levels.
        seed: of the first generated level; the next one has the next seed.
    """
    is_terminal = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    has_colours = is_terminal and not os.environ.get("NO_COLOR")
    in_place = is_terminal and sys.stdin.isatty()
    show = Screen(has_colours).show if in_place else Log(has_colours).show
    notice = threading.Timer(1.0, print, [COMPILING], {"file": sys.stderr, "flush": True})
    notice.start()
    try:
        game = Game(id, levels, seed, show)
    finally:
        notice.cancel()
    with own_screen(in_place), keys_of_terminal(sys.stdin.isatty()):
        game.show(game)
        for key in typed(game.vocabulary) if sys.stdin.isatty() else piped(game):
            game.press(key)
            if game.is_over:
                break
    print(game.status())


class Game:
    """A person's game: the level on the screen, the way back, and a note on what happened last."""

    def __init__(self, id: str, levels: Sequence[Level] | None, seed: int, show: Callable[["Game"], None]) -> None:
        self.id, self.levels, self.seed, self.show = id, levels, seed, show
        self.episode = Episode(id, action="discrete", turn_limit=NO_LIMIT)
        self.words = self.episode.puzzle.words
        self.num_actions = len(self.words.vocabulary.names)
        self.vocabulary = with_controls(self.words.vocabulary)
        self.is_over = False
        self.begin(0)
        self.text = self.episode.act(0).text  # compiles what the first key would have to wait for
        self.restore(self.start)
