"""The command line: `textworlds play`, `textworlds ids`, `textworlds wmact`."""

import argparse
import os
import random
import sys
from collections.abc import Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from typing import NoReturn

import textworlds
from textworlds.bank import read_level
from textworlds.episodes import Episode, seeds_from
from textworlds.ids import all_ids, find_id
from textworlds.puzzles import PUZZLES, Puzzle, find_puzzle
from textworlds.terminal import Terminal, View, run_beside, with_controls
from textworlds.text.levels import Level, read_level_file
from textworlds.worlds import Snapshot

BAD_INPUT, PIPE_CLOSED, INTERRUPTED = 2, 1, 130
# Methods of Game and their keys.
CONTROLS = {"undo": "z", "restart": "x", "hint": "h", "forward": "f", "back": "b", "rules": "?", "quit": "q"}
NO_LIMIT = 2**31 - 1
QUICKLY, PATIENTLY = 0.5, 20.0  # seconds to wait for the solver


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are ValueErrors, so that all bad input is reported in one way."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message} (see {self.prog} --help)")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code."""
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
    with suppress(ModuleNotFoundError):  # TODO: import it plainly, at the top, once it is there
        from textworlds.agents.cli import add_parser

        add_parser(commands)
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
    with terminal.notice("Compiling, once on this machine; it can take half a minute ..."):
        game = Game(arguments.id or next(iter(puzzle.ids)), levels, seed, terminal)
    with terminal.taken():
        terminal.show(game.view())
        for key in terminal.keys(game.vocabulary):
            game.press(key)
            if game.is_over:
                break
            terminal.show(game.view())
    print(game.status())


def levels_of(path: str, puzzle: Puzzle) -> list[Level]:
    """Return the levels of a file; ValueError with the place if it holds anything else."""
    if puzzle.words.thin_walls:
        able = ", ".join(other.name for other in PUZZLES.values() if not other.words.thin_walls)
        raise ValueError(f"level files cannot hold the thin walls of {puzzle.name}; they can hold levels of: {able}")
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
        others = dict(settings)
        size = f"{others.pop('height')}x{others.pop('width')}"
        rows.append((id, size, str(others.pop("turn_limit")), " ".join(f"{k}={v}" for k, v in others.items())))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


class Game:
    """A person's game: the level being played, the way back, and a note on what happened last."""

    def __init__(self, id: str, levels: Sequence[Level] | None, seed: int, terminal: Terminal) -> None:
        self.id, self.levels, self.seed, self.terminal = id, levels, seed, terminal
        self.episode = Episode(id, action="discrete", turn_limit=NO_LIMIT)
        self.words = self.episode.puzzle.words
        self.num_actions = len(self.words.vocabulary.names)
        self.vocabulary = with_controls(self.words.vocabulary, CONTROLS)
        self.solved: set[int] = set()
        self.is_over = False
        self.begin(0)
        if self.left:
            self.episode.act(0)  # compiles what the first key would have to wait for
            self.begin(0)
        self.rules()

    def begin(self, number: int) -> None:
        """Begin a level, counted from 0."""
        if self.levels is None:
            seed = (self.seed + number) % (1 << 64)
            self.episode.reset(seed=seed)
            self.title = f"{self.id}, seed {seed}"
        else:
            level = self.levels[number]
            self.episode.reset(level=level)
            self.title = f"{level.title or 'Level'} ({number + 1} of {len(self.levels)}; {level.source})"
        self.number, self.note = number, ""
        self.start = self.episode.get_state()
        self.past: list[Snapshot] = []

    @property
    def left(self) -> int:
        return int(self.episode.episodes.worlds.book["left"][0])

    def status(self) -> str:
        totals = self.episode.totals()
        acted = f"actions {totals['num_asked']}, changes {totals['num_changed']}"
        return f"{acted}, left to do {self.left}, levels solved {len(self.solved)}"

    def view(self) -> View:
        keys = [f"{key} {names[0]}" for key, names in zip(self.vocabulary.letters, self.vocabulary.names, strict=True)]
        help = f"{'  '.join(keys[: self.num_actions])}  (or arrows)\n{'  '.join(keys[self.num_actions :])}"
        (board,) = self.episode.episodes.observe()
        return View(self.title, board, self.episode.picture(), self.status(), self.note, help)

    def press(self, key: int | str) -> None:
        """Do what a key stands for: an action of `vocabulary`, or a complaint about it."""
        if isinstance(key, int) and key >= self.num_actions:
            return getattr(self, self.vocabulary.names[key][0])()
        if self.left == 0:
            self.forward()
            if self.terminal.is_typed or self.is_over:
                return  # the key was "any key"
            self.terminal.show(self.view())
        if isinstance(key, int):
            self.act(key)
        else:
            self.note = key

    def act(self, action: int) -> None:
        before = self.episode.get_state()
        ledger = self.episode.act(action).ledger
        self.note = f"{ledger['num_asked']}: {self.vocabulary.names[action][0]}"
        if ledger["changed"]:
            self.past.append(before)
        else:
            self.note += f" - {self.episode.say_reason(ledger['reason'])}"
        if self.left == 0:
            self.solved.add(self.number)
            self.note += f"\nSolved! Actions: {ledger['num_asked']}"
            with suppress(TimeoutError, RuntimeError):
                self.note += f"; in the solver's plan: {len(self.ask_solver(self.start).result(QUICKLY) or ())}"
            self.note += ". Any key goes on." if self.terminal.is_typed else "."

    def hint(self) -> None:
        answer = self.ask_solver(self.episode.get_state())
        if wait([answer], QUICKLY).not_done:
            self.note = "The solver is thinking ..."
            self.terminal.show(self.view())
        try:
            plan = answer.result(PATIENTLY)
        except (TimeoutError, RuntimeError):
            self.note = "Hint: none, the solver gave up."
        else:
            none = "no solution from here" if plan is None else "solved already"
            first = self.vocabulary.names[plan[0]][0] if plan else ""
            self.note = f"Hint: {first}, then {len(plan) - 1} more." if plan else f"Hint: {none}."

    def ask_solver(self, state: Snapshot) -> Future[list[int] | None]:
        thinker = Episode(self.id, action="discrete")
        thinker.set_state(state)
        return run_beside(thinker.solve)

    def undo(self) -> None:
        self.note = "One change taken back." if self.past else "Nothing to undo."
        if self.past:
            self.episode.set_state(self.past.pop())

    def restart(self) -> None:
        self.past.append(self.episode.get_state())
        self.episode.set_state(self.start)
        self.note = "Back at the start."

    def forward(self) -> None:
        if self.levels is None or self.number + 1 < len(self.levels):
            self.begin(self.number + 1)
        else:
            self.note = "This is the last level."
            self.is_over = self.left == 0

    def back(self) -> None:
        if self.number:
            self.begin(self.number - 1)
        else:
            self.note = "This is the first level."

    def rules(self) -> None:
        self.note = self.words.rules

    def quit(self) -> None:
        self.is_over = True
