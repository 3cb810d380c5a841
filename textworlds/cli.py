"""The command line: `textworlds play`, `textworlds ids`, `textworlds wmact`."""

import argparse
import os
import random
import sys
from collections.abc import Sequence
from typing import NoReturn

import textworlds
from textworlds.agents.cli import add_parser as add_wmact
from textworlds.bank import read_level
from textworlds.ids import all_ids, find_id, find_puzzle
from textworlds.puzzles import PUZZLES, Puzzle
from textworlds.terminal import play
from textworlds.text.levels import Level, read_level_file

BAD_INPUT, PIPE_CLOSED, INTERRUPTED = 2, 1, 130
NOT_IN_TABLE = ("height", "width", "turn_limit")


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are ValueErrors, so that all bad input is reported in one way."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message} (see {self.prog} --help)")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code."""
    parser = make_parser()
    try:
        arguments = parser.parse_args(argv)
        code = arguments.run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # Who read our output has left; Python would say so once more when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        return complain(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except ValueError as error:
        return complain(str(error))
    return code or 0


def complain(what: str) -> int:
    """Say what was wrong with the input; return the exit code for that."""
    print(f"textworlds: {what}", file=sys.stderr)
    return BAD_INPUT


def make_parser() -> Parser:
    """Return the parser of all commands; each sets `run`, a function of the arguments."""
    parser = Parser(prog="textworlds", description="Text puzzles for agents that act in turns, and for people.")
    parser.add_argument("--version", action="version", version=f"textworlds {textworlds.__version__}")
    parser.set_defaults(run=lambda arguments: parser.print_help())
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    add_play(commands)
    ids = commands.add_parser("ids", help="list all ids with their settings")
    ids.set_defaults(run=lambda arguments: print(table_of_ids()))
    add_wmact(commands)
    return parser


def add_play(commands: "argparse._SubParsersAction[Parser]") -> None:
    """Add the command `play`."""
    parser = commands.add_parser(
        "play",
        help="play in the terminal",
        description="Play in the terminal. Keys, words (north, pickup) and solutions (rrDDlU) can be piped in as well.",
    )
    parser.add_argument("id", nargs="?", metavar="ID", help="what to play; `textworlds ids` lists all")
    parser.add_argument("--levels", metavar="FILE", help="play the levels of a file, one after another")
    parser.add_argument("--seed", type=seed, metavar="N", help="the seed of the first generated level")
    parser.add_argument("--puzzle", metavar="NAME", help=f"in place of an ID: {', '.join(PUZZLES)}")
    parser.set_defaults(run=run_play)


def seed(text: str) -> int:
    """Return the seed that a text stands for."""
    if not text.isdecimal() or len(text) > 20 or int(text) >= 1 << 64:
        raise argparse.ArgumentTypeError(f"a seed is a whole number from 0 to 2**64 - 1; got {text!r}")
    return int(text)


def run_play(arguments: argparse.Namespace) -> None:
    """Let a person play."""
    if arguments.id and arguments.puzzle:
        raise ValueError(f"give an ID or --puzzle, not both; {arguments.id} says which puzzle it is")
    if arguments.levels is not None and arguments.seed is not None:
        raise ValueError("give --levels or --seed, not both; a seed is for generated levels")
    puzzle = find_id(arguments.id)[0] if arguments.id else find_puzzle(arguments.puzzle or next(iter(PUZZLES)))
    levels = None if arguments.levels is None else levels_of(arguments.levels, puzzle)
    first = random.randrange(10_000) if arguments.seed is None else arguments.seed
    play(arguments.id or next(iter(puzzle.ids)), levels, first)


def levels_of(path: str, puzzle: Puzzle) -> list[Level]:
    """Return the levels of a file.

    Raises:
        ValueError: if one of them is no level of this puzzle; the text says where it stands.
    """
    if puzzle.words.thin_walls:
        able = ", ".join(other.name for other in PUZZLES.values() if not other.words.thin_walls)
        raise ValueError(f"{puzzle.name} has walls between cells, which level files cannot hold; they hold: {able}")
    levels = read_level_file(path, puzzle.words)
    for level in levels:
        try:
            read_level(level, puzzle)
        except ValueError as error:
            raise ValueError(f"{level.source}: {error}") from None
    return levels


def table_of_ids() -> str:
    """Return a line for each id: what gym.make calls it, the size of its levels, its turns, and what else it sets."""
    rows = [("ID", "SIZE", "TURNS", "SETTINGS")]
    for id, (_, settings) in all_ids().items():
        others = (f"{name}={value}" for name, value in settings.items() if name not in NOT_IN_TABLE)
        size = f"{settings['height']}x{settings['width']}"
        rows.append((id, size, str(settings["turn_limit"]), " ".join(others)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
