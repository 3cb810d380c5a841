"""The command line: `textworlds play`, `ids`, `wmact`, `evaluate`, `leaderboard`, `make-levels`, `make-data` and others."""

import argparse
import os
import random
import sys
from collections.abc import Sequence
from typing import NoReturn

import textworlds
from textworlds.agents.cli import add_parser as add_wmact
from textworlds.checks import seeds_from
from textworlds.data.command import add_parser as add_make_data
from textworlds.evaluation.command import add_parsers as add_evaluation
from textworlds.game import Game
from textworlds.ids import all_ids, find_id
from textworlds.levels.bank import read_level
from textworlds.levels.commands import add_parsers as add_level_commands
from textworlds.levels.files import find_levels, load
from textworlds.levels.level_set import LevelSet
from textworlds.levels.make_command import add_parser as add_make_levels
from textworlds.puzzles import PUZZLES, Puzzle, find_puzzle
from textworlds.terminal import Terminal
from textworlds.text.levels import Level

BAD_INPUT, PIPE_CLOSED, INTERRUPTED = 2, 1, 130


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are ValueErrors, so that all bad input is reported in one way."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message} (see {self.prog} --help)")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code."""
    if sys.stdin is None or sys.stdout is None:
        return BAD_INPUT
    try:
        arguments = make_parser().parse_args(argv)
        code = arguments.run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # Who read our output has left; Python would complain once more when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except KeyboardInterrupt:
        return INTERRUPTED
    except (OSError, ValueError) as error:
        where = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else ""
        print(f"textworlds: {where or error}", file=sys.stderr)
        return BAD_INPUT
    return code or 0


def make_parser() -> Parser:
    """Return the parser of all commands; each sets `run`, a function of the arguments."""
    parser = Parser(prog="textworlds", description="Text puzzles for agents that act in turns, and for people.")
    parser.add_argument("--version", action="version", version=f"textworlds {textworlds.__version__}")
    parser.set_defaults(run=lambda arguments: parser.print_help())
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    add_play(commands)
    ids = commands.add_parser("ids", help="list all ids with their settings")
    ids.set_defaults(run=lambda arguments: print(table_of_ids()))
    add_level_commands(commands)
    add_make_levels(commands)
    add_make_data(commands)
    add_wmact(commands)
    add_evaluation(commands)
    return parser


def add_play(commands: "argparse._SubParsersAction[Parser]") -> None:
    """Add the command `play`."""
    parser = commands.add_parser(
        "play",
        help="play in the terminal",
        description="Play in the terminal. Keys, words (north, pickup) and solutions (rrDDlU) can be piped in as well.",
    )
    parser.add_argument("id", nargs="?", metavar="ID", help="what to play; `textworlds ids` lists all")
    parser.add_argument("--levels", metavar="FILE", help="play the levels of a file or a set, one after another")
    parser.add_argument("--seed", type=int, metavar="N", help="the seed of the first generated level")
    parser.add_argument("--puzzle", metavar="NAME", help=f"in place of an ID: {', '.join(PUZZLES)}")
    parser.set_defaults(run=play)


def play(arguments: argparse.Namespace) -> None:
    """Let a person play until the person, the input or the levels come to an end."""
    if arguments.id and arguments.puzzle:
        raise ValueError(f"give an ID or --puzzle, not both; {arguments.id} is an ID")
    if arguments.levels is not None and arguments.seed is not None:
        raise ValueError("give --levels or --seed, not both; seeds are for generated levels")
    puzzle = find_id(arguments.id)[0] if arguments.id else find_puzzle(arguments.puzzle or next(iter(PUZZLES)))
    levels = None if arguments.levels is None else levels_of(arguments.levels, puzzle)
    seed = random.randrange(10_000) if arguments.seed is None else int(seeds_from([arguments.seed])[0])
    terminal = Terminal()
    game = Game(arguments.id or next(iter(puzzle.ids)), levels, seed, terminal)
    with terminal.taken():
        terminal.show(game.view())
        for key in terminal.keys(game.vocabulary):
            game.press(key)
            if game.is_over:
                break
            terminal.show(game.view())
    print(game.status())


def levels_of(path: str, puzzle: Puzzle) -> Sequence[Level]:
    """Return the levels of a file, or of a set that comes with us; ValueError with the place for anything else in it."""
    levels = find_levels(path, puzzle)
    if isinstance(levels, LevelSet):
        load(levels, puzzle)  # for its complaints
        return levels
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
        others = dict(settings)
        size = f"{others.pop('height')}x{others.pop('width')}"
        rows.append((id, size, str(others.pop("turn_limit")), " ".join(f"{k}={v}" for k, v in others.items())))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
