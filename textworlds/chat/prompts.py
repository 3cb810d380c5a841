"""Prompts: what a conversation says around boards and actions, in text files with $placeholders, by version.

A template is looked for in the folder given, in the folder `prompts` of the puzzle, and then among the shared ones: in each folder
first under the puzzle's name (`FOLDER/PUZZLE/system.txt`), then without. Its first line is "version N"; `$$` writes a dollar sign. A
line of which nothing is left once its placeholders are filled in is left out.
"""

import hashlib
import os
import re
from functools import lru_cache
from pathlib import Path
from string import Template
from typing import NamedTuple

from textworlds import puzzles
from textworlds.puzzles import PUZZLES, Puzzle

SHARED = Path(__file__).parent / "templates"
VERSION = re.compile(r"version ([0-9]{1,9})")
LARGEST = 1 << 20  # characters of a template

PROTOCOLS = INTERACTIVE, ENTIRE_PLAN, PREDICT = ("interactive", "entire-plan", "predict")

# Template -> what may be filled in.
PLACEHOLDERS = {
    "system": ("rules", "glyphs", "seen", "answer", "protocol"),
    INTERACTIVE: ("turns", "actions"),
    ENTIRE_PLAN: ("turns", "actions"),
    PREDICT: ("turns", "actions", "opening", "closing"),
    "first": ("board",),
    "turn": ("feedback", "left", "board"),
    "solved": ("feedback", "board"),
    "over": ("feedback", "board"),
    "example": ("board",),
    "next": ("before", "board"),
}
NEEDED = {"first": "board", "next": "board"}  # without which no board would be seen


class Prompts(NamedTuple):
    """The templates of one conversation.

    Attributes:
        templates: name -> its lines.
        version: the versions of all templates, and eight hex digits of the digest of their texts and the puzzle's words,
            so that two conversations with one version and the same settings say the same.
    """

    templates: dict[str, tuple[Template, ...]]
    version: str

    def fill(self, name: str, **values: object) -> str:
        """Return a template with its placeholders filled in."""
        lines = []
        for template in self.templates[name]:
            line = template.template
            if "$" in line:
                line = template.substitute(values)
                if not line:
                    continue
            lines.append(line)
        return "\n".join(lines)


def load_prompts(puzzle: Puzzle, folder: str | os.PathLike[str] | None = None) -> Prompts:
    """Return the prompts for a puzzle.

    Args:
        puzzle: what is played.
        folder: of templates that replace ours; those that it does not hold stay.

    Raises:
        OSError: if the folder is not there.
        ValueError: if it holds a template that cannot be filled in, or none at all; the text names the file.
    """
    return _ours(puzzle) if folder is None else _load(puzzle, os.fsdecode(folder))


def folders_of(puzzle: Puzzle, folder: str | None) -> list[Path]:
    """Return where templates are looked for, the first place first."""
    places = [] if folder is None else [Path(folder) / puzzle.name, Path(folder)]
    if PUZZLES.get(puzzle.name) is puzzle:
        places.append(Path(str(puzzles.__file__)).parent / puzzle.name / "prompts")
    return [*places, SHARED]


@lru_cache
def _ours(puzzle: Puzzle) -> Prompts:
    return _load(puzzle, None)


def _load(puzzle: Puzzle, folder: str | None) -> Prompts:
    places = folders_of(puzzle, folder)
    found = {name: next(p for place in places if (p := place / f"{name}.txt").is_file()) for name in PLACEHOLDERS}
    if folder is not None:
        os.listdir(folder)  # says what is wrong with it
        if not any(path.is_relative_to(folder) for path in found.values()):
            raise ValueError(f"{folder}: holds no template; known: {', '.join(f'{name}.txt' for name in PLACEHOLDERS)}")
        for place in places[:2]:
            if odd := [path for path in sorted(place.glob("*.txt")) if path.stem not in PLACEHOLDERS]:
                raise ValueError(
                    f"{odd[0]}: is no template; known: {', '.join(f'{name}.txt' for name in PLACEHOLDERS)}"
                )
    texts = {name: read_template(path, name) for name, path in found.items()}
    said = [*(text for _, text in texts.values()), repr(puzzle.words)]
    digest = hashlib.sha256("\0".join(said).encode()).hexdigest()[:8]
    version = f"{'.'.join(number for number, _ in texts.values())}-{digest}"
    return Prompts({name: tuple(map(Template, text.split("\n"))) for name, (_, text) in texts.items()}, version)


def read_template(path: Path, name: str) -> tuple[str, str]:
    """Return the version and the text of a template's file.

    Raises:
        ValueError: if it has no version, or a placeholder that is not filled in; the text names the file.
    """
    try:
        first, _, text = path.read_text("utf-8").strip("\n").partition("\n")
    except UnicodeDecodeError:
        raise ValueError(f"{path}: is no UTF-8 text") from None
    if not (version := VERSION.fullmatch(first)):
        raise ValueError(f'{path}: the first line is "version" and a number; got {first!r:.60}')
    if len(text) > LARGEST:
        raise ValueError(f"{path}: a template is at most {LARGEST:,} characters long")
    template = Template(text)
    known = PLACEHOLDERS[name]
    if not template.is_valid():
        raise ValueError(f"{path}: a $ stands before no placeholder; $$ writes a dollar sign")
    if unknown := [one for one in template.get_identifiers() if one not in known]:
        raise ValueError(f"{path}: unknown placeholder ${unknown[0]}; known: {', '.join(f'${one}' for one in known)}")
    if (needed := NEEDED.get(name)) and needed not in template.get_identifiers():
        raise ValueError(f"{path}: has no placeholder ${needed}, without which the agent would not see it")
    return version[1], text
