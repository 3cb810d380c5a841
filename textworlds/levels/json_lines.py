"""Levels as JSON lines: an object a line, its "level" the drawing, any "title", and the fields of a certificate."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, NoReturn

from textworlds.levels.bank import read_level
from textworlds.puzzles import Puzzle
from textworlds.text import formats
from textworlds.text.levels import Level

DRAWN = "dense"  # the format of the drawings
MOST_LINE = 1 << 24  # bytes
KEY = re.compile("[0-9a-f]{16}")


def json_lines(levels: Iterable[Level], puzzle: Puzzle) -> Iterator[str]:
    """Return a line for each level, ASCII without its newline."""
    for level in levels:
        line = {"level": formats.write(level.picture, DRAWN, puzzle.words)}
        if level.title:
            line["title"] = level.title
        yield json.dumps({**line, **(level.certificate or {})})


def read_json_lines(file: BinaryIO, puzzle: Puzzle, name: str) -> Iterator[Level]:
    """Return the levels of a file, one after another; blank lines hold none.

    Args:
        file: opened in binary.
        puzzle: what the levels are of.
        name: what errors and sources call the file.

    Raises:
        ValueError: at the first line that is wrong, with its number; if there is no level at all.
    """
    number = found = 0
    while line := file.readline(MOST_LINE + 1):
        number += 1
        try:
            if len(line) > MOST_LINE:
                raise ValueError(f"longer than {MOST_LINE:,} bytes")
            if line.strip():
                found += 1
                yield _level(line, puzzle)._replace(source=f"{name}, line {number}")
        except ValueError as error:
            raise ValueError(f"{name}, line {number}: {error}") from None
    if not found:
        raise ValueError(f"no level in {name}")


def _level(line: bytes, puzzle: Puzzle) -> Level:
    """Return the level that a line holds."""
    try:
        fields = json.loads(line.removeprefix(b"\xef\xbb\xbf").decode(), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from None
    if not isinstance(fields, dict) or not isinstance(fields.get("level"), str):
        raise ValueError('not an object with a drawing as its "level"')
    drawing, title = fields.pop("level"), fields.pop("title", "")
    if not isinstance(title, str):
        raise ValueError(f"a title is text; got {title!r:.80}")
    _check_certificate(fields, puzzle)
    return Level(read_level(drawing, puzzle), title, certificate=fields or None)


def _check_certificate(fields: dict[str, Any], puzzle: Puzzle) -> None:
    """Raise ValueError if a field of a certificate has a value that none has; other fields may be anything."""
    key, seed, episode = (fields.get(name) for name in ("key", "seed", "episode"))
    if key is not None and not (isinstance(key, str) and KEY.fullmatch(key)):
        raise ValueError(f"a key is 16 digits from 0 to f; got {key!r:.80}")
    if seed is not None and not (type(seed) is int and 0 <= seed < 1 << 64):
        raise ValueError(f"a seed is a whole number from 0 to 2**64 - 1; got {seed!r:.80}")
    if episode is not None and not (type(episode) is int and 0 <= episode < 1 << 63):
        raise ValueError(f"an episode is a whole number from 0; got {episode!r:.80}")
    if not isinstance(fields.get("generator"), str | None):
        raise ValueError(f"a generator is text; got {fields['generator']!r:.80}")
    for name in puzzle.grades:
        grade = fields.get(name)
        if grade is not None and not (type(grade) in (int, float) and 0 <= grade < 1 << 63):
            raise ValueError(f"{name} is a number from 0; got {grade!r:.80}")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")
