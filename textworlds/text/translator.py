"""Between worlds and language: boards to observations, messages to actions, both in batches."""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from textworlds.grid import CHANGED, NO_ACTION, OVER_LIMIT, SOLVED_ALREADY
from textworlds.text.facts import OUT_OF_SIGHT
from textworlds.text.formats import MAPS, Writer
from textworlds.text.grammars import INDEX, ONE_ACTION, Reading, after_thoughts, check_grammar, read, rule_of, write
from textworlds.text.words import Words
from textworlds.views import WHOLE, View

MOST_LINES = 256  # of feedback in one observation
MOST_KNOWN, LONGEST_KNOWN, MOST_CELLS_KNOWN = 1 << 16, 256, 1 << 24  # messages kept, their characters, all actions


class Known(dict[str | bytes, int]):
    """Messages read before, without their thoughts: agents say the same short things over and over.

    Each has a row in arrays, so that many are read by looking their rows up. Unknown ones are read as they are looked up.
    """

    def __init__(self, read: Callable[[str], Reading]) -> None:
        self._read = read
        self.forget()

    def forget(self) -> None:
        """Forget all messages; rows handed out before are void, but not the lists of readings."""
        self.clear()
        self.readings: list[Reading] = []
        self._actions = np.full((64, 1), NO_ACTION, np.int8)
        self._numbers = np.zeros((64, 3), np.int64)  # actions kept, asked, and the outcome

    def look_up(self, messages: Sequence[str | bytes]) -> "Asked":
        """Return what N messages ask for."""
        rows = np.fromiter(self.rows_of(messages), np.int64, len(messages))
        kept, num_asked, outcomes = self._numbers[rows].T
        longest = max(1, int(kept.max()))
        actions = self._actions[rows, :longest]
        return Asked(actions, num_asked, outcomes.astype(np.uint8), bool(kept.min() == 0), rows, self.readings)

    def rows_of(self, messages: Sequence[str | bytes]) -> Sequence[int]:
        """Return the rows of messages, read now if need be."""
        if len(self.readings) >= MOST_KNOWN or self._actions.size > MOST_CELLS_KNOWN:
            self.forget()
        try:
            found = itemgetter(*messages)(self)
            return found if len(messages) > 1 else (found,)
        except TypeError:
            for message in messages:
                if not isinstance(message, str | bytes):
                    self._read(message)  # says what is no text
            raise

    def __missing__(self, message: str | bytes) -> int:
        text = message.decode(errors="replace") if isinstance(message, bytes) else message
        if isinstance(text, str) and (answer := after_thoughts(text)) is not text:
            return self[answer]  # thoughts differ each time, answers do not
        reading = self._read(text)
        row, kept = len(self.readings), len(reading.actions)
        rows, width = self._actions.shape
        if row == rows or kept > width:
            actions = np.full((2 * rows if row == rows else rows, max(kept, width)), NO_ACTION, np.int8)
            actions[:rows, :width] = self._actions
            self._actions = actions
            self._numbers = np.resize(self._numbers, (len(actions), 3))
        self.readings.append(reading)
        self._actions[row, :kept] = reading.actions
        self._numbers[row] = kept, kept + reading.over, reading.outcome
        if len(message) <= LONGEST_KNOWN:
            self[message] = row
        return row


class Asked(NamedTuple):
    """What N messages asked for."""

    actions: np.ndarray  # int8[N, T], rows padded with -1
    num_asked: np.ndarray  # int64[N], those over the limit included
    outcomes: np.ndarray  # uint8[N], of grammars.Outcome
    any_unread: bool
    rows: np.ndarray  # int64[N]: the reading of each is readings[row]
    readings: list[Reading]


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
        view: what the pictures show of the worlds.
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
        view: View = WHOLE,
    ) -> None:
        check_grammar(grammar, words.vocabulary)
        self.words = words
        self.format = format
        self.grammar = grammar
        self._max_actions = max_actions
        self._known = Known(self._read)
        self._reasons = _SHARED_REASONS | dict(words.reasons)
        self.legend = legend
        self.feedback = feedback
        self.shape = shape
        self.view = view
        self._writer = Writer(format, words, shape)

    @property
    def max_actions(self) -> int:
        """Actions that are played in one turn."""
        return self._max_actions

    @max_actions.setter
    def max_actions(self, max_actions: int) -> None:
        self._max_actions = max_actions
        self._known.forget()

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

    def read(self, messages: Sequence[str | bytes]) -> Asked:
        """Read one message for each world."""
        return self._known.look_up(messages)

    def read_one(self, message: str | bytes) -> Reading:
        """Read the message of a world alone."""
        try:
            row = self._known.get(message)
        except TypeError:
            row = None
        if row is None:
            (row,) = self._known.rows_of((message,))
        return self._known.readings[row]

    def _read(self, message: str) -> Reading:
        return read(message, self.grammar, self.words.vocabulary, self.max_actions)

    def write(self, boards: np.ndarray) -> list[str]:
        """Write boards, uint8[N, P * H * W], as texts."""
        return self._writer.write(boards)

    def write_one(self, board: np.ndarray) -> str:
        """Write the board of a world alone, uint8[1, P * H * W], as text."""
        return self._writer.write_one(board)

    def write_bytes(self, boards: np.ndarray) -> np.ndarray:
        """Write boards, uint8[N, P * H * W], as texts in ASCII, uint8[N, L]."""
        return self._writer.write_bytes(boards)

    @property
    def length(self) -> int:
        """The length L of texts in ASCII."""
        return self._writer.length

    def open(self, text: str) -> str:
        """Return the first observation of an episode."""
        view = f"{self.what_is_seen}\n" if self.view.is_partial else ""
        return f"{self.rules_and_key}\n{view}{self.how_to_answer}\n\n{text}" if self.legend else text

    @property
    def rules_and_key(self) -> str:
        """What the puzzle is, and what the glyphs of a map mean."""
        return f"{self.words.rules}\n{self.key}"

    @property
    def key(self) -> str:
        """What the glyphs of a map mean, or the numbers of a telling."""
        if self.format in MAPS:
            return self.words.key
        of = "of the part that you see" if self.view.size and not self.view.fog else "of the board"
        return f"Cells are told by row and column, both counted from 0 at the top left {of}."

    @property
    def what_is_seen(self) -> str:
        """What to tell an agent of a view that is partial."""
        words, (size, sight, fog) = self.words, self.view
        window = f"a window of {size} by {size} cells, with you in the middle" if size else "the board"
        sentences = [f"You see {window}{', except what walls hide' * sight}."]
        if fog:
            sentences.append("The text shows all that you have seen so far, as it was when you last saw it.")
        elif size:
            sentences.append("The text shows this part of the board only, and its edge is no wall.")
        told = (words.unknown, words.unknown) if self.format in MAPS else ('"unknown"', f'"{OUT_OF_SIGHT}"')
        if sight or fog:
            sentences.append(f"{told[0]} stands for cells that you {'have not seen' if fog else 'do not see'}.")
        if words.passenger:
            sentences.append(f"{told[1]} stands for where a {words.passenger} is or wants to go, if that is not seen.")
        if words.goal_names:
            sentences.append(
                f"{words.goals.capitalize()} are named anew in each text, row by row, {words.goal_names[0]} first."
            )
        return " ".join(sentences)

    @property
    def how_to_answer(self) -> str:
        """What to tell an agent of its actions and their grammar."""
        words = [names[0] for names in self.words.vocabulary.names]
        if self.grammar == INDEX:
            words = [f"{number} {word}" for number, word in enumerate(words)]
        most = 1 if self.grammar in ONE_ACTION else 2
        example = write(list(range(most)), self.grammar, self.words.vocabulary)
        rule = rule_of(self.grammar, self.words.vocabulary)
        return f"The actions are: {', '.join(words)}. Answer like this: {example}\n{rule}"

    def comment(self, text: str, reading: Reading | None, actions: Sequence[int], reasons: Sequence[int]) -> str:
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
