"""The command `textworlds make-data`."""

import argparse
import os
from typing import Any

from textworlds.checks import check_whole, seeds_from
from textworlds.chunks import Engine, in_processes, in_threads, on_ray
from textworlds.data.files import FORMS, KINDS, MOST_SEED, make_data
from textworlds.data.jobs import OF_PLAY, SHAPES, Job
from textworlds.data.plans import PLANS
from textworlds.data.questions import QUESTIONS
from textworlds.ids import NAMESPACE, find_id
from textworlds.levels.content import SPLITS
from textworlds.levels.make_command import read_settings, telling_progress

ENGINES: dict[str, Engine] = {"processes": in_processes, "ray": on_ray}
ONLY_FOR = {"plans": "chat", "protocol": "chat", "action": "chat", "questions": "qa"}


def add_parser(commands: Any) -> None:
    """Add the command to an argparse parser's."""
    make = commands.add_parser(
        "make-data",
        help="make data to train on: the solver's play as chat messages, or questions with their answers",
        description="Make data to train on. Stopped or killed at any moment, the same command goes on where it was; the "
        "file is the same however often that happens and however many workers there are.",
    )
    make.add_argument("id", metavar="ID", help="whose levels; `textworlds ids` lists all")
    make.add_argument("--kind", default="chat", choices=KINDS, help="conversations or questions (default: chat)")
    make.add_argument("--count", type=int, required=True, metavar="N", help="how many rows")
    make.add_argument("--out", required=True, metavar="FILE", help=f"the file to write, ending in {' or '.join(FORMS)}")
    make.add_argument("--split", default="train", choices=(*SPLITS, "all"), help="of which split (default: train)")
    make.add_argument("--seed", type=int, default=0, metavar="N", help="what the rows are made from (default: 0)")
    make.add_argument(
        "--set", action="append", default=[], metavar="NAME=NUMBER", help="replace a setting of the id: turn_limit=5"
    )
    make.add_argument("--shape", default=SHAPES[0], choices=SHAPES, help=f"of a row (default: {SHAPES[0]})")
    make.add_argument("--observation", default="dense", metavar="FORMAT", help="how boards are told (default: dense)")
    make.add_argument("--action", metavar="GRAMMAR", help="how chats answer (default: tag:action)")
    make.add_argument("--protocol", metavar="NAME", help="of chats: interactive, entire-plan or predict")
    make.add_argument("--plans", metavar="NAMES", help=f"of chats, separated by commas: {','.join(PLANS)}")
    make.add_argument("--questions", metavar="NAMES", help=f"of qa, separated by commas: {','.join(QUESTIONS)}")
    make.add_argument("--nodes", type=int, default=Job("").nodes, metavar="N", help="that the solver may expand a plan")
    make.add_argument("--workers", type=int, metavar="N", help="chunks made at a time (default: all cores)")
    make.add_argument("--engine", default="processes", choices=ENGINES, help="what makes them (default: processes)")
    make.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Make data as the command line asks."""
    workers = os.cpu_count() or 1 if arguments.workers is None else arguments.workers
    check_whole(count=arguments.count, workers=workers, nodes=arguments.nodes)
    job = job_of(arguments)
    engine = in_threads if workers == 1 and arguments.engine == "processes" else ENGINES[arguments.engine]
    with telling_progress(arguments.count, "rows") as say:
        make_data(job, arguments.count, arguments.out, engine, workers, say)
    print(f"{arguments.out}: {arguments.count:,} rows, {os.path.getsize(arguments.out):,} bytes")


def job_of(arguments: argparse.Namespace) -> Job:
    """Return the job that the command line asks for; ValueError for what does not go together."""
    seeds_from([arguments.seed])
    if arguments.seed >= MOST_SEED:
        raise ValueError(f"a seed of data is below 2**63; got {arguments.seed}")
    puzzle, defaults = find_id(arguments.id)
    chosen: dict[str, Any] = {}
    for name, kind in ONLY_FOR.items():
        if (value := getattr(arguments, name)) is not None:
            if arguments.kind != kind:
                raise ValueError(f"--{name} is for --kind {kind}, not for {arguments.kind}")
            chosen[name] = tuple(value.split(",")) if name in ("plans", "questions") else value
    settings = read_settings(arguments.set, puzzle, defaults, OF_PLAY if arguments.kind == "chat" else ())
    chosen |= {"seed": arguments.seed, "settings": settings, "shape": arguments.shape, "nodes": arguments.nodes}
    id = arguments.id.removeprefix(NAMESPACE)
    return Job(id, arguments.kind, arguments.split, observation=arguments.observation, **chosen)
