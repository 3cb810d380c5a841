"""All kinds of level files, found by path or by name: level sets, JSON lines, and the drawings of others."""

import os
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from textworlds.ids import NAMESPACE
from textworlds.levels.bank import stack_levels
from textworlds.levels.columns import replacing
from textworlds.levels.content import ANY, SPLITS, keys_of
from textworlds.levels.json_lines import json_lines, read_json_lines
from textworlds.levels.level_set import LevelSet, mark_split
from textworlds.levels.safety import check_boards
from textworlds.puzzles import Puzzle
from textworlds.text.levels import Level, read_level_file, write_levels
from textworlds.text.words import Words

SHIPPED = Path(__file__).parent / "shipped"
SET_ENDING, LINES_ENDING, TEXT_ENDINGS = ".npz", ".jsonl", (".xsb", ".sok", ".txt")
ZIP_STARTS = (b"PK\3\4", b"PK\5\6")


class Given(NamedTuple):
    """Levels to play: the pictures, uint8[L, P, H, W], and what they were given as, in the same order."""

    pictures: np.ndarray
    levels: Sequence[Any]


def shipped() -> tuple[str, ...]:
    """Return the names of the level sets that come with the package."""
    return tuple(sorted(path.name.removesuffix(SET_ENDING) for path in SHIPPED.glob(f"*{SET_ENDING}")))


def load(
    levels: str | os.PathLike[str] | Sequence[Any], puzzle: Puzzle, split: int = ANY, num_agents: int = 1
) -> Given:
    """Return levels to play, safe for kernels; a mapped set stays mapped.

    Args:
        levels: a file's path, a shipped set's name, a LevelSet, or a list of drawings, Levels or pictures.
        puzzle: what they must be of.
        split: only those of this split, a place in content.SPLITS, or content.ANY.
        num_agents: how many agents they must be for.

    Raises:
        OSError, ValueError: if there are none, or not all are levels of this puzzle.
    """
    if isinstance(levels, str | os.PathLike):
        levels = find_levels(levels, puzzle, num_agents)
    if isinstance(levels, LevelSet):
        if num_agents > 1:
            raise ValueError(
                f"{levels.name}: level sets hold levels for one {puzzle.words.agent}, not for {num_agents}"
            )
        return _load_set(levels, puzzle, split)
    given = Given(stack_levels(levels, puzzle, num_agents), levels)
    if split == ANY:
        return given
    found = np.zeros(len(levels), bool)
    mark_split(keys_of(given.pictures, puzzle), split, found)
    if not found.any():
        raise ValueError(_none_left(split))
    return Given(given.pictures[found], [levels[place] for place in np.flatnonzero(found).tolist()])


def find_levels(
    path_or_name: str | os.PathLike[str], puzzle: Puzzle | None = None, num_agents: int = 1
) -> Sequence[Level]:
    """Return the levels of a file or of a shipped set; see find_file and read_any."""
    return read_any(find_file(path_or_name), puzzle, num_agents)


def find_file(path_or_name: str | os.PathLike[str]) -> Path:
    """Return where the levels are of a file or of a shipped set.

    Raises:
        ValueError, FileNotFoundError: if it is neither; the text lists the nearest names.
    """
    wanted = os.fsdecode(path_or_name)
    if "\n" in wanted:
        raise ValueError("levels is a file's path or a list; put a drawing into a list")
    if os.path.lexists(wanted) or isinstance(path_or_name, os.PathLike):
        return Path(wanted)
    names = shipped()
    name = wanted.removeprefix(NAMESPACE)
    if name in names:
        return SHIPPED / f"{name}{SET_ENDING}"
    near = ", ".join(get_close_matches(name, names, n=3, cutoff=0.0)) or "none; no set is shipped"
    if Path(wanted).suffix in (SET_ENDING, LINES_ENDING, ".slc", *TEXT_ENDINGS) or os.sep in name:
        raise FileNotFoundError(2, "No such file, nor a shipped level set; the nearest are: " + near, wanted)
    raise ValueError(f"{wanted!r} is neither a file nor a shipped level set; the nearest are: {near}")


def read_any(path: str | os.PathLike[str], puzzle: Puzzle | None, num_agents: int = 1) -> Sequence[Level]:
    """Return the levels of a file of any kind.

    Level sets are known by their first bytes, JSON lines by the ending .jsonl; all else is for text.levels.

    Args:
        path: the file.
        puzzle: what its levels are of; None only for level sets, which say so.
        num_agents: how many agents a drawing has.

    Raises:
        OSError, ValueError: if it cannot be read; the text names the file, and the line if it has lines.
    """
    if is_level_set(path):
        return LevelSet.open(path, puzzle)
    if puzzle is None:
        raise ValueError(f"{os.fsdecode(path)} does not say what puzzle its levels are of")
    if os.fsdecode(path).endswith(LINES_ENDING):
        with open(path, "rb") as file:
            return list(read_json_lines(file, puzzle, os.fsdecode(path)))
    if puzzle.words.thin_walls:
        raise ValueError(
            f"{os.fsdecode(path)}: level files cannot hold the thin walls of {puzzle.name}; .npz and .jsonl can"
        )
    return read_level_file(path, puzzle.words, num_agents)


def is_level_set(path: str | os.PathLike[str]) -> bool:
    """Return whether a file is a level set, or is called like one."""
    with open(path, "rb") as file:
        return file.read(4) in ZIP_STARTS or os.fsdecode(path).endswith(SET_ENDING)


def save_levels(
    levels: Sequence[Level],
    path: str | os.PathLike[str],
    puzzle: Puzzle,
    *,
    grade: bool = False,
    numbered: bool = False,
) -> None:
    """Write levels to a file, whole or not at all, in the format that its ending names.

    Args:
        levels: what to write.
        path: a name that ends in .npz (a level set), .jsonl (JSON lines), .xsb, .sok or .txt (drawings).
        puzzle: what they are of.
        grade: have the solver grade them; not for drawings, which hold no grades.
        numbered: write drawings as Boxoban does; only for drawings.
    """
    ending, name = Path(path).suffix, os.fsdecode(path)
    known = (SET_ENDING, LINES_ENDING, *TEXT_ENDINGS)
    if ending not in known:
        raise ValueError(f"{name}: the ending names the format; known: {', '.join(known)}")
    if grade and ending in TEXT_ENDINGS:
        raise ValueError(f"{name}: drawings hold no grades; {SET_ENDING} and {LINES_ENDING} do")
    if numbered and ending not in TEXT_ENDINGS:
        raise ValueError(f"{name}: only drawings are numbered; their endings: {', '.join(TEXT_ENDINGS)}")
    if ending == SET_ENDING:
        as_level_set(levels, puzzle, grade).save(path)
        return
    if ending == LINES_ENDING:
        lines = json_lines(graded(levels, puzzle) if grade else levels, puzzle)
    else:
        lines = iter([(write_numbered if numbered else write_levels)(levels, puzzle.words).removesuffix("\n")])
    with replacing(path) as file:
        file.writelines(f"{line}\n".encode() for line in lines)


def write_numbered(levels: Sequence[Level], words: Words) -> str:
    """Return levels as Boxoban's text: "; 0" above the first, "; 1" above the next, floor as blanks, no titles."""
    drawings = (write_levels([level._replace(title="")], words) for level in levels)
    return "\n".join(f"; {number}\n{drawing.replace(words.glyphs[0], ' ')}" for number, drawing in enumerate(drawings))


def as_level_set(levels: Sequence[Any], puzzle: Puzzle, grade: bool) -> LevelSet:
    """Return levels as a set; the solver grades them, or they keep the certificates that they have."""
    if not isinstance(levels, LevelSet):
        return LevelSet.from_levels(levels, puzzle, grade)
    return levels.graded() if grade else levels


def graded(levels: Sequence[Level], puzzle: Puzzle) -> Iterator[Level]:
    """Return the same levels with certificates by the solver."""
    for level, certified in zip(levels, as_level_set(levels, puzzle, grade=True), strict=True):
        yield level._replace(certificate={**(level.certificate or {}), **(certified.certificate or {})})


def _load_set(levels: LevelSet, puzzle: Puzzle, split: int) -> Given:
    if levels.puzzle is not puzzle:
        raise ValueError(f"{levels.name} holds levels of {levels.puzzle.name}, not of {puzzle.name}")
    try:
        check_boards(levels.pictures, puzzle)
    except ValueError as error:
        raise ValueError(f"{levels.name}: {error}") from None
    chosen = levels.in_split(split)
    if not len(chosen):
        raise ValueError(_none_left(split))
    return Given(np.ascontiguousarray(chosen.pictures), chosen)


def _none_left(split: int) -> str:
    return f"none of the levels given is in the split {SPLITS[split]!r}; split='all' plays all of them"
