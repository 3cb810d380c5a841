"""The commands `textworlds wmact train | evaluate | study | report`; PyTorch is imported when it is needed."""

import argparse
import importlib
import json
from pathlib import Path
from typing import Any

from textworlds.agents.settings import FLAGS, Settings, full_id, kind_of
from textworlds.wmact import METHODS

NEEDED = "textworlds[wmact]"


def add_parser(commands: Any) -> None:
    """Add the command `wmact` to an argparse parser's commands."""
    wmact = commands.add_parser("wmact", help="train the reference agent", description="The WMAct reference agent.")
    actions = wmact.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add_train(actions)
    add_evaluate(actions)
    add_study(actions)
    report = actions.add_parser(
        "report",
        help="write the report of a run or a study anew",
        description="Write report.html into the folder of a run or of a study: one file, nothing else is needed to read it.",
    )
    report.add_argument("folder", metavar="FOLDER", type=Path, help="of a run, or of a study")
    report.set_defaults(run=run_report)


def add_train(actions: Any) -> None:
    """Add the command `wmact train`."""
    train = actions.add_parser(
        "train",
        help="train by PPO",
        description="Train a small network by PPO on an environment's text, evaluate it on held-out levels, and write a "
        "report. A run that was stopped goes on where it was: give the same command again. Works under torchrun.",
    )
    train.add_argument("id", metavar="ID", help="what to train on; `textworlds ids` lists all")
    train.add_argument("--out", type=Path, metavar="FOLDER", help="of the run (default: runs/ID-METHOD-SEED)")
    add_settings(train)
    train.set_defaults(run=run_train)


def add_evaluate(actions: Any) -> None:
    """Add the command `wmact evaluate`."""
    evaluate = actions.add_parser(
        "evaluate",
        help="play held-out test levels",
        description="Play the test sets of some ids with the network of a run, sampled and greedy; print a table, and "
        "write evaluation.json and the report into the run's folder.",
    )
    evaluate.add_argument("folder", metavar="FOLDER", type=Path, help="of a run")
    evaluate.add_argument("--ids", type=names, metavar="ID,...", help="what to play (default: what it was trained on)")
    evaluate.add_argument(
        "--turns",
        type=whole,
        action="append",
        metavar="N",
        help="a limit on turns; may be given again (default: 1, L_max)",
    )
    evaluate.add_argument("--json", action="store_true", help="print JSON in place of the table")
    evaluate.set_defaults(run=run_evaluate)


def add_study(actions: Any) -> None:
    """Add the command `wmact study`."""
    study = actions.add_parser(
        "study",
        help="compare methods over seeds",
        description="Train by several methods with several seeds, evaluate all, and end in one table and a report. What is "
        "finished stays: give the same command again to go on, or other ids to add them to the folder.",
    )
    study.add_argument("--ids", type=names, required=True, metavar="ID,...", help="what to train on")
    study.add_argument(
        "--methods",
        type=names,
        default=["all"],
        metavar="NAME,...",
        help=f"all (the default), {', '.join(METHODS)}, or variants like wmact+rounding=down+tau=5",
    )
    study.add_argument(
        "--seeds", type=whole, default=5, metavar="N", help="runs of each method: seeds 0 to N - 1 (default: 5)"
    )
    study.add_argument("--harder", type=names, default=[], metavar="ID,...", help="what to play after training as well")
    study.add_argument("--jobs", type=whole, default=1, metavar="N", help="runs at once (default: 1)")
    study.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="of the study")
    add_settings(study, leave_out=("method", "seed"))
    study.set_defaults(run=run_study)


def add_settings(parser: Any, leave_out: tuple[str, ...] = ()) -> None:
    """Add a flag for each of a run's settings."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        type=setting,
        metavar="NAME=NUMBER",
        help="replace a setting of the id: height=7",
    )
    for name in [name for name in FLAGS if name not in leave_out]:
        kind, default = kind_of(name), FLAGS[name].default
        said = FLAGS[name].metadata["help"] + ("" if default is None else f" (default: {default})")
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=kind,
            metavar="NAME" if kind is str else "N",
            help=said.replace("%", "%%"),
        )


def settings_of(arguments: argparse.Namespace, id: str) -> Settings:
    """Return the settings that the command line asks for."""
    asked = {name: getattr(arguments, name, None) for name in FLAGS}
    given: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    if "minutes" not in given and "iterations" not in given:
        given["minutes"] = 5.0
    return Settings(full_id(id), dict(arguments.set), **given)


def run_train(arguments: argparse.Namespace) -> None:
    """Train as the command line asks, evaluate, and write the report."""
    settings = settings_of(arguments, arguments.id)
    training, evaluation = needed("training"), needed("evaluation")
    name = f"{settings.id.removeprefix('textworlds/')}-{settings.method}-{settings.seed}"
    folder = arguments.out or Path("runs", name)
    run = training.train(settings, folder)
    if not needed("processes").is_first_process():
        return
    rows = evaluation.evaluate(run, [settings.id])
    evaluation.keep(folder, rows)
    print(evaluation.table(rows))
    write_report(folder)


def run_evaluate(arguments: argparse.Namespace) -> None:
    """Evaluate as the command line asks."""
    ids = [full_id(id) for id in arguments.ids or ()]
    run, evaluation = needed("runs").Run.load(arguments.folder), needed("evaluation")
    rows = evaluation.evaluate(run, ids or [run.settings.id], arguments.turns)
    evaluation.keep(arguments.folder, rows)
    report = needed("report").write_report(arguments.folder)
    print(json.dumps(rows, indent=1) if arguments.json else f"{evaluation.table(rows)}\nreport: {report}")


def run_study(arguments: argparse.Namespace) -> None:
    """Train, evaluate and compare as the command line asks."""
    ids, harder = [full_id(id) for id in arguments.ids], [full_id(id) for id in arguments.harder]
    methods = [one for name in arguments.methods for one in (METHODS if name == "all" else [name])]
    study = needed("study")
    settings = settings_of(arguments, ids[0])
    study.run_study(arguments.out, settings, ids, methods, range(arguments.seeds), harder, arguments.jobs)
    print(study.results_table(study.write_results(arguments.out)))
    write_report(arguments.out)


def run_report(arguments: argparse.Namespace) -> None:
    """Write a report anew."""
    if not arguments.folder.is_dir():
        raise FileNotFoundError(2, "No such folder", str(arguments.folder))
    write_report(arguments.folder)


def write_report(folder: Path) -> None:
    """Write the report of a run or a study, and say where it is."""
    print(f"report: {needed('report').write_report(folder)}")


def needed(module: str) -> Any:
    """Import a module of the agent; ValueError with what to install, where something is missing."""
    try:
        return importlib.import_module(f"textworlds.agents.{module}")
    except ImportError as error:
        raise ValueError(f"the agent needs PyTorch and more: pip install '{NEEDED}' ({error})") from None


def names(text: str) -> list[str]:
    """Read names between commas."""
    found = [name.strip() for name in text.split(",") if name.strip()]
    if not found:
        raise argparse.ArgumentTypeError(f"must be names between commas; got {text!r}")
    return found


def setting(text: str) -> tuple[str, int]:
    """Read a setting's name and its whole number."""
    name, _, number = text.partition("=")
    if not name.isidentifier() or not number.lstrip("-").isdecimal():
        raise argparse.ArgumentTypeError(f"must be NAME=NUMBER; got {text}")
    return name, int(number)


def whole(text: str) -> int:
    """Read a whole number of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1; got {text}")
    return number
