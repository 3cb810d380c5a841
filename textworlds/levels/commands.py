"""The commands about files of levels: `textworlds check-levels`, `textworlds convert-levels`."""

import argparse
import os
from collections.abc import Sequence
from typing import Any

from textworlds.levels.files import find_levels, is_level_set, load, save_levels
from textworlds.levels.leaks import duplicates, overlaps
from textworlds.levels.level_set import LevelSet
from textworlds.puzzles import PUZZLES, Puzzle, find_puzzle
from textworlds.text.levels import Level

FOUND = 1  # the exit code if there are levels that should not be there
MOST_SHOWN = 10


def add_parsers(commands: Any) -> None:
    """Add the commands to an argparse parser's."""
    check = commands.add_parser(
        "check-levels",
        help="find levels that are in two files, or twice in one",
        description="Find levels that are one level, however turned, mirrored or shifted: in two files, or twice in "
        "one. Level sets are checked against damage as well. The exit code is 1 if such levels are found.",
    )
    check.add_argument("files", nargs="+", metavar="FILE", help="one or two files, or names of sets that come with us")
    check.set_defaults(run=check_levels)
    convert = commands.add_parser(
        "convert-levels",
        help="write levels to a file of another format",
        description="Write the levels of a file to another, in the format that its ending names: .npz (a level set), "
        ".jsonl (JSON lines), .xsb, .sok or .txt (drawings).",
    )
    convert.add_argument("source", metavar="IN", help="a file, or the name of a set that comes with us")
    convert.add_argument("target", metavar="OUT", help="the file to write")
    convert.add_argument("--grade", action="store_true", help="have the solver grade the levels")
    convert.add_argument("--boxoban", action="store_true", help="number the drawings as Boxoban does")
    convert.set_defaults(run=convert_levels)
    for parser in (check, convert):
        parser.add_argument("--puzzle", metavar="NAME", help=f"of files that do not say it: {', '.join(PUZZLES)}")


def check_levels(arguments: argparse.Namespace) -> int:
    """Print how many levels are the same; return FOUND if there are any."""
    if len(arguments.files) > 2:
        raise ValueError(f"give one file or two; got {len(arguments.files)}")
    puzzle = puzzle_of(arguments.files, arguments.puzzle)
    sets = [read_checked(path, puzzle) for path in arguments.files]
    repeated = [duplicates(levels, puzzle) for levels in sets]
    for path, levels, twice in zip(arguments.files, sets, repeated, strict=True):
        print(f"{path}: {len(levels):,} levels of {puzzle.name}, {len(levels) - len(twice):,} different")
    same = overlaps(sets[0], sets[1], puzzle) if len(sets) == 2 else repeated[0]
    if len(sets) == 2:
        print(f"{len(same):,} of the levels of {arguments.files[1]} are in {arguments.files[0]}")
    elif same:
        print(f"{len(same):,} repeat one before them")
    for first, second in same[:MOST_SHOWN]:
        print(f"  {sets[0][first].source} = {sets[-1][second].source}")
    if len(same) > MOST_SHOWN:
        print(f"  and {len(same) - MOST_SHOWN:,} more")
    return FOUND if same else 0


def convert_levels(arguments: argparse.Namespace) -> None:
    """Write the levels of one file to another."""
    puzzle = puzzle_of([arguments.source], arguments.puzzle)
    levels = find_levels(arguments.source, puzzle)
    load(levels, puzzle)  # for its complaints
    save_levels(levels, arguments.target, puzzle, grade=arguments.grade, numbered=arguments.boxoban)
    print(f"{arguments.target}: {len(levels):,} levels of {puzzle.name}, {os.path.getsize(arguments.target):,} bytes")


def puzzle_of(files: Sequence[str], name: str | None) -> Puzzle:
    """Return the puzzle that is named, or that the first level set among the files says, or the first of all."""
    if name:
        return find_puzzle(name)
    for file in files:
        if not os.path.lexists(file) or is_level_set(file):
            found = find_levels(file, None)
            if isinstance(found, LevelSet):
                return found.puzzle
    return next(iter(PUZZLES.values()))


def read_checked(path: str, puzzle: Puzzle) -> Sequence[Level]:
    """Return the levels of a file; a level set is read whole and checked."""
    levels = find_levels(path, puzzle)
    if isinstance(levels, LevelSet):
        levels.check()
    return levels
