"""Between worlds and language: boards to observations, messages to actions, both in batches."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from textworlds.grid import CHANGED, OVER_LIMIT, SOLVED_ALREADY
from textworlds.text.formats import MAPS, Writer
from textworlds.text.grammars import ONE_ACTION, Reading, check_grammar, read, write
from textworlds.text.words import Words

PADDING = b"\xff"  # as int8: no action
MOST_LINES = 256  # of feedback in one observation
MOST_KNOWN, LONGEST_KNOWN = 1 << 16, 256  # readings kept; agents say the same short things over and over


class Asked(NamedTuple):
    """What N messages asked for."""

    actions: np.ndarray  # int8[N, T], rows padded with -1
    num_asked: np.ndarray  # int64[N], those over the limit included
    readings: list[Reading]
    any_unread: bool


class Translator:
    """Reads messages and writes observations for one puzzle.

    Args:
        words: the puzzle's.
        shape: (P, H, W) of the pictures.
        format: name of a text format.
        grammar: name of an action grammar.
        max_actions: actions that are played in one turn.
        legend: open each episode with the rules and the meaning of the glyphs.
        feedback: open each observation with a line on each action of the turn.
    """

    def __init__(
        self,
        words: Words,
        shape: tuple[int, int, int],
        format: str,
        grammar: str,
        max_actions: int,
        legend: bool,
        feedback: bool,
    ) -> None:
        check_grammar(grammar, words.vocabulary)
        self.words = words
        self.format = format
        self.grammar = grammar
        self._max_actions = max_actions
        self._known: dict[str, Reading] = {}
        self._reasons = _SHARED_REASONS | dict(words.reasons)
        self.legend = legend
        self.feedback = feedback
        self.shape = shape
        self._writer = Writer(format, words, shape)

    @property
    def max_actions(self) -> int:
        """Actions that are played in one turn."""
        return self._max_actions

    @max_actions.setter
    def max_actions(self, max_actions: int) -> None:
        self._max_actions = max_actions
        self._known.clear()

    @property
    def max_length(self) -> int:
        """A length that no observation exceeds."""
        planes, height, width = self.shape
        comment = 1000 + MOST_LINES * 100 * self.feedback + 2 * len(self.words.rules + self.words.key) * self.legend
        return max(1 << 16, comment + 200 * planes + 100 * height * width)

    def reshape(self, shape: tuple[int, int, int]) -> None:
        """Write pictures of this shape from now on."""
        if shape != self.shape:
            self.shape = shape
            self._writer = Writer(self.format, self.words, shape)

    def read(self, messages: Sequence[str]) -> Asked:
        """Read one message for each world."""
        try:
            readings = [self._known.get(message) or self._read(message) for message in messages]
        except TypeError:  # not hashable, so no text
            readings = [self._read(message) for message in messages]
        rows = [bytes(reading.actions) for reading in readings]
        longest = max(1, max(map(len, rows)))
        padded = b"".join([row.ljust(longest, PADDING) for row in rows])
        actions = np.frombuffer(padded, np.int8).reshape(len(rows), longest)
        num_asked = np.array([len(reading.actions) + reading.over for reading in readings], np.int64)
        return Asked(actions, num_asked, readings, b"" in rows)

    def _read(self, message: str) -> Reading:
        reading = read(message, self.grammar, self.words.vocabulary, self.max_actions)
        if len(message) <= LONGEST_KNOWN:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[message] = reading
        return reading

    def write(self, boards: np.ndarray) -> list[str]:
        """Write boards, uint8[N, P * H * W], as texts."""
        return self._writer.write(boards)

    def open(self, text: str) -> str:
        """Return the first observation of an episode."""
        key = f"{self.words.key}\n" if self.format in MAPS else ""
        return f"{self.words.rules}\n{key}{self.how_to_answer}\n\n{text}" if self.legend else text

    @property
    def how_to_answer(self) -> str:
        """What to tell an agent of its actions and their grammar."""
        names = ", ".join(names[0] for names in self.words.vocabulary.names)
        most = 1 if self.grammar in ONE_ACTION else 2
        example = write(list(range(most)), self.grammar, self.words.vocabulary)
        return f"The actions are: {names}. Answer like this: {example}"

    def comment(self, text: str, reading: Reading | None, actions: np.ndarray, reasons: np.ndarray) -> str:
        """Return an observation with what there is to say of the turn before it: why unread, or the feedback."""
        if reading is not None and not reading.actions:
            return f"Not read: {_ascii(reading.why)}\n\n{text}"
        if not self.feedback:
            return text
        names = self.words.vocabulary.names
        left_out = len(actions) - MOST_LINES
        actions, reasons = actions[:MOST_LINES], reasons[:MOST_LINES]
        lines = [f"{place}: {names[a][0]} - {self.say(r)}" for place, (a, r) in enumerate(zip(actions, reasons), 1)]
        if left_out > 0:
            lines.append(f"and {left_out} more")
        if reading is not None and reading.over:
            lines.append(_ascii(reading.why))
        return "\n".join(lines) + f"\n\n{text}"

    def say(self, reason: int) -> str:
        """Say what became of an action, from its reason code."""
        if reason not in self._reasons:
            raise ValueError(f"unknown reason {reason!r}; known: {', '.join(map(str, sorted(self._reasons)))}")
        return self._reasons[reason]


_SHARED_REASONS = {
    CHANGED: "done",
    SOLVED_ALREADY: "not played, the level was solved already",
    OVER_LIMIT: "not played, over the limit of actions in a turn",
}


def _ascii(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode("ascii")
