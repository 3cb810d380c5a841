"""Predictions: what a message says that the board will look like, compared cell by cell with what it came to look like.

A prediction stands between the only <predict> and </predict> of a message, after its thoughts, which must be closed; as in grammars,
no attributes, any ASCII case. Empty lines around it and one fence (```) are taken off. What cannot be read as a board of the same size
is unread, as is one beside no action: nothing is guessed, and it counts as no cell right.
"""

import re
from typing import NamedTuple

import numpy as np

from textworlds.grid import DOWN, RIGHT, WALLS
from textworlds.text.formats import Reader
from textworlds.text.tags import take_tag
from textworlds.text.words import Words

TAG = "predict"
OPENING, CLOSING = f"<{TAG}>", f"</{TAG}>"
FENCE = re.compile(r"```+[a-zA-Z0-9_+-]*\n(.*)\n```+", re.DOTALL)
ONE_TAG = f"there is not exactly one {OPENING}...{CLOSING} outside thoughts"
NO_ACTION = "no action was asked for, so there is nothing to predict"
NO_BOARD = "it is no board of this size in the form in which boards are shown"
THIN_WALLS = 1 << RIGHT | 1 << DOWN  # of a cell; the other two are its neighbours'


class Prediction(NamedTuple):
    """A prediction, scored.

    Attributes:
        read: it could be read as a board.
        right: it is the board that came, every cell of it.
        cells: share of the cells that are as predicted, in [0, 1]; 0 for an unread one.
        changed: of the cells that the turn changed, the share that are as predicted; None if it changed none.
        why: what the agent is told of it.
    """

    read: bool
    right: bool
    cells: float
    changed: float | None
    why: str


def take_prediction(message: str) -> tuple[str | None, str]:
    """Return the prediction in a message, None if there is not exactly one, and what is left to read for actions."""
    text, rest = take_tag(message, TAG)
    if text is None:
        return None, rest
    text = text.replace("\r\n", "\n").strip("\n")
    fenced = FENCE.fullmatch(text)
    return fenced[1] if fenced else text, rest


def put_prediction(board: str) -> str:
    """Return the part of a message that predicts a board."""
    return f"{OPENING}\n{board}\n{CLOSING}"


def score(
    predicted: str | None, acts: bool, board: str, before: np.ndarray, after: np.ndarray, reader: Reader
) -> Prediction:
    """Compare a prediction with the board that came.

    Args:
        predicted: what take_prediction found.
        acts: whether the message asked for any action; else nothing is predicted by it, even if it shows the board.
        board: the text of the board that came.
        before, after: uint8[P, H, W], what was seen before the turn and after it; `board` shows the latter.
        reader: of the texts.
    """
    changed = _differ(before, after, reader.words)
    any_changed = bool(changed.any())
    unread = Prediction(False, False, 0.0, 0.0 if any_changed else None, f"not read, {ONE_TAG if acts else NO_ACTION}")
    if predicted is None or not acts:
        return unread
    if predicted == board:
        return Prediction(True, True, 1.0, 1.0 if any_changed else None, "right")
    try:
        wrong = _differ(reader.read(predicted), after, reader.words)
    except ValueError:
        return unread._replace(why=f"not read, {NO_BOARD}")
    num_wrong = int(wrong.sum())
    of_changed = float(1 - wrong[changed].mean()) if any_changed else None
    why = f"{num_wrong} of {wrong.size} cells wrong" if num_wrong else "right"
    return Prediction(True, not num_wrong, 1 - num_wrong / wrong.size, of_changed, why)


def _differ(picture: np.ndarray, other: np.ndarray, words: Words) -> np.ndarray:
    """Return in which cells two pictures differ, bool[H, W]; walls between cells count where the puzzle has them."""
    counted = np.uint8(255 - WALLS | (THIN_WALLS if words.thin_walls else 0))
    return ((picture ^ other) & counted).any(axis=0)
