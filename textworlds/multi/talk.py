"""What agents say to one another: <say>...</say> in a message, cut out before the message is read.

What is said is data. It is shown to the others as one quoted line of ASCII, in which nothing can end the line, open
another or look like one of ours, and it is never read for actions: not in the message it was said in, nor anywhere else.
"""

import json
from typing import NamedTuple

from textworlds.checks import check_type
from textworlds.puzzles.puzzle import MOST_AGENTS
from textworlds.text.tags import take_tag

TAG = "say"
MOST_SAID = 10_000


class Spoken(NamedTuple):
    """A message, taken apart."""

    said: str  # "" for nothing
    rest: str  # what is left to be read for actions


def take_apart(message: str | bytes, limit: int) -> Spoken:
    """Return what a message says to the others, at most `limit` characters of it, and the rest.

    Exactly one <say> and, after it, one </say> are read, in any ASCII case, after the last </think>. With none, several or
    an odd one nothing is said, and no more is what stands in them played; nor if a thought is not closed, as in an answer cut short.
    """
    text = message.decode(errors="replace") if isinstance(message, bytes) else message
    if not isinstance(text, str):
        raise TypeError(f"a message is a str, not {type(text).__name__}")
    said, rest = take_tag(text, TAG)
    return Spoken((said or "").strip()[:limit], rest)


def invite(limit: int) -> str:
    """Return what to tell an agent of talk."""
    return f"What you put into <say>...</say>, at most {limit} characters, the others read before their next answer."


def quote(speaker: str, said: str) -> str:
    """Return the line in which others read what an agent said."""
    return f"{speaker} says: {json.dumps(said)}"


def longest_quote(limit: int) -> int:
    """Return a length that no such line exceeds: of a character beyond the sixteen-bit ones JSON makes twelve."""
    return limit * 12 + 32


def check_talk(talk: int, guides: int) -> None:
    """Raise ValueError unless so many characters may be said in a turn, with so many guides."""
    check_type(int, talk=talk, guides=guides)
    if not 0 <= talk <= MOST_SAID:
        raise ValueError(f"talk is a number of characters from 0 to {MOST_SAID:,}; got {talk}")
    if not 0 <= guides <= MOST_AGENTS:
        raise ValueError(f"guides is 0 to {MOST_AGENTS}; got {guides}")
    if guides and not talk:
        raise ValueError("a guide only talks; give talk, how many characters it may say in a turn")
