"""The command `textworlds make-levels`."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from textworlds.checks import check_whole, seeds_from
from textworlds.chunks import Progress
from textworlds.episodes import MOST_CELLS
from textworlds.ids import NAMESPACE, find_id
from textworlds.levels.content import SPLITS
from textworlds.levels.factory import ENGINES, Job, make_set
from textworlds.puzzles import Puzzle

SIZES = ("height", "width")


def add_parser(commands: Any) -> None:
    """Add the command to an argparse parser's."""
    make = commands.add_parser(
        "make-levels",
        help="make a level set: different levels of an id, each with its certificate",
        description="Make a level set. Stopped or killed at any moment, the same command goes on where it was; the set "
        "is the same however often that happens and however many workers there are.",
    )
    make.add_argument("id", metavar="ID", help="whose levels; `textworlds ids` lists all")
    make.add_argument("--count", type=int, required=True, metavar="N", help="how many levels")
    make.add_argument("--out", required=True, metavar="FILE", help="the level set to write, ending in .npz")
    make.add_argument("--split", default="train", choices=(*SPLITS, "all"), help="of which split (default: train)")
    make.add_argument("--seed", type=int, default=0, metavar="N", help="what the levels are made from (default: 0)")
    make.add_argument(
        "--set", action="append", default=[], metavar="NAME=NUMBER", help="replace a setting of the id: num_boxes=3"
    )
    make.add_argument("--workers", type=int, metavar="N", help="chunks made at a time (default: all cores)")
    make.add_argument("--engine", default="threads", choices=ENGINES, help="what makes them (default: threads)")
    make.add_argument("--first-cost", action="store_true", help="prove the puzzle's first cost only, which is quicker")
    make.add_argument("--up-to", action="store_true", help="be content with fewer levels if there are no more")
    make.set_defaults(run=make_levels)


def make_levels(arguments: argparse.Namespace) -> None:
    """Make a level set as the command line asks."""
    puzzle, defaults = find_id(arguments.id)
    if not arguments.out.endswith(".npz"):
        raise ValueError(f"{arguments.out}: the name of a level set ends in .npz")
    workers = os.cpu_count() or 1 if arguments.workers is None else arguments.workers
    check_whole(count=arguments.count, workers=workers)
    seeds_from([arguments.seed])
    settings = read_settings(arguments.set, puzzle, defaults)
    id = arguments.id.removeprefix(NAMESPACE)
    job = Job(id, arguments.split, arguments.seed, settings, not arguments.first_cost)
    with telling_progress(arguments.count, "levels") as say:
        levels = make_set(job, arguments.count, arguments.out, ENGINES[arguments.engine], workers, say, arguments.up_to)
    print(f"{arguments.out}: {len(levels):,} levels of {puzzle.name}, {os.path.getsize(arguments.out):,} bytes")


def read_settings(given: list[str], puzzle: Puzzle, defaults: Any, others: Sequence[str] = ()) -> dict[str, int]:
    """Return what "NAME=NUMBER" settings say, of levels and `others`; ValueError for one unknown or not to be met."""
    known = (*SIZES, *puzzle.options._fields, *others)
    settings: dict[str, int] = {}
    for text in given:
        name, _, number = text.partition("=")
        if name not in known:
            raise ValueError(f"unknown setting {name!r} of {puzzle.name}; known: {', '.join(known)}")
        try:
            settings[name] = int(number)
        except ValueError:
            raise ValueError(f"{name} is a whole number; got {number!r}") from None
    all_settings = {**defaults, **settings}
    check_whole(height=all_settings["height"], width=all_settings["width"])
    if all_settings["height"] * all_settings["width"] > MOST_CELLS:
        raise ValueError(f"{puzzle.name}: height times width is at most {MOST_CELLS:,} cells")
    options = puzzle.options(**{name: all_settings[name] for name in puzzle.options._fields if name in all_settings})
    if getattr(options, "num_agents", 1) > 1:
        raise ValueError("level sets hold levels for one agent; num_agents is 1 here")
    if complaint := puzzle.check_options(options, all_settings["height"], all_settings["width"]):
        raise ValueError(f"{puzzle.name}: {complaint}")
    return settings


@contextmanager
def telling_progress(count: int, what: str) -> Iterator[Callable[[Progress], None]]:
    """Give a function that tells people of the progress, on one line of a terminal; when stopped, say what that means."""
    is_seen = sys.stderr.isatty()

    def say(progress: Progress) -> None:
        line = f"\r{describe(progress, count, what)}\033[K"
        print(line, end="" if is_seen else "\n", file=sys.stderr, flush=True)

    try:
        yield say
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on from here", file=sys.stderr)
        raise
    finally:
        if is_seen:
            print(file=sys.stderr)


def describe(progress: Progress, count: int, what: str = "levels") -> str:
    """Say how far a job is, how fast it goes and how long it will take."""
    made = progress.found - progress.found_before
    rate = made / max(progress.seconds, 1e-9)
    left = f"{duration((count - progress.found) / rate)} left" if rate else "time left unknown"
    return f"{progress.found:,} of {count:,} {what}, {rate:,.0f}/s, {left}"


def duration(seconds: float) -> str:
    """Say how long a time is: "40 s", "3 min 20 s", "2 h 5 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
