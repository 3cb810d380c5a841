"""A study: the same training by several methods, on several ids, with several seeds; and what came out.

A study is a folder of runs, ID/METHOD/seed-N. A method may be changed in some settings, "wmact+rounding=down", and is then
compared as one more method. What is finished stays, what was stopped goes on, and a study of other ids or
methods can be added to the same folder; results are made of all runs that are there.
"""

import itertools
import json
import math
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t as student

import textworlds
from textworlds.agents.evaluation import EVALUATION, evaluate, keep, kept_rows, table
from textworlds.agents.runs import CHECKPOINT, SETTINGS, Run, check_same, read_settings, write_whole
from textworlds.agents.settings import FLAGS, NAMESPACE, Settings, full_id, kind_of
from textworlds.agents.training import train
from textworlds.wmact import METHODS

RESULTS = "results.json"
SECONDS_TO_SAVE = 10.0  # what a run has to finish its iteration and write its checkpoint
MEASURES = ("solved", "turns", "actions", "effective_share", "novel_share", "over_optimum")


def run_study(
    folder: str | os.PathLike[str],
    settings: Settings,
    ids: Sequence[str],
    methods: Iterable[str],
    seeds: Iterable[int],
    harder: Sequence[str] = (),
    num_jobs: int = 1,
    say: Callable[[str], None] = print,
) -> None:
    """Train and evaluate every id by every method with every seed, in parallel processes; go on with what was stopped.

    Args:
        folder: of the study.
        settings: of all runs, but for id, method and seed.
        ids: to train on.
        methods: names of METHODS, or variants of these: NAME+SETTING=VALUE+SETTING=VALUE.
        seeds: of the runs.
        harder: ids that are played after training as well, by those trained on the same puzzle.
        num_jobs: processes.
        say: where lines for people go.
    """
    path = Path(folder)
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        raise ValueError("a study runs in processes of its own, --jobs of them; torchrun is for wmact train")
    variants = {name: variant(settings, name) for name in methods}
    wanted = {
        path / id.removeprefix(NAMESPACE) / name / f"seed-{seed}": replace(variants[name], id=id, seed=seed)
        for id, name, seed in itertools.product(ids, variants, seeds)
    }
    left = [(place, one) for place, one in wanted.items() if not is_finished(place, one, played_by(one, harder))]
    say(f"{len(wanted)} runs, {len(wanted) - len(left)} of them finished already; {num_jobs} at once")
    jobs = [(place, one, played_by(one, harder)) for place, one in left]
    for done, found in enumerate(work_off(jobs, num_jobs), 1):
        say(f"[{done} of {len(jobs)}] {found}")


def work_off(jobs: Sequence[tuple[Path, Settings, Sequence[str]]], num_jobs: int) -> Iterator[str]:
    """Yield what train_and_evaluate says of each job, as they end; so many at a time, each in a process.

    No more are handed over than are worked on, so that nothing begins after Ctrl-C or an error.
    """
    waiting, context = iter(jobs), multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(num_jobs, max(len(jobs), 1)), context, stop_with, (os.getpid(),)) as pool:
        going = {pool.submit(train_and_evaluate, *job) for job in itertools.islice(waiting, num_jobs)}
        while going:
            ended, going = wait(going, return_when=FIRST_COMPLETED)
            for future in ended:
                try:
                    yield future.result()
                except BrokenProcessPool:
                    raise ValueError(
                        "a process was killed, for want of memory perhaps; the same command goes on"
                    ) from None
            going |= {pool.submit(train_and_evaluate, *job) for job in itertools.islice(waiting, len(ended))}


def stop_with(parent: int) -> None:
    """Have this process stop as by SIGTERM when its parent is gone, and end soon after: nobody would give it more to do."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(SECONDS_TO_SAVE)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def played_by(settings: Settings, harder: Sequence[str]) -> list[str]:
    """Return the ids that a run is evaluated on: its own, and the harder ones of its puzzle."""
    puzzle = textworlds.find_id(settings.id)[0]
    return [settings.id, *(full_id(id) for id in harder if textworlds.find_id(id)[0] is puzzle)]


def variant(settings: Settings, name: str) -> Settings:
    """Return settings with a method, and with what its name says of others: "wmact+rounding=down+tau=5".

    Raises:
        ValueError: for a method, a setting or a value that cannot be.
    """
    method, *said = name.split("+")
    changes: dict[str, Any] = {"method": method}
    for part in said:
        key, _, value = part.partition("=")
        if key not in FLAGS or key in ("method", "seed"):
            raise ValueError(f"unknown setting {key!r} of a method's variant {name!r}; known: {', '.join(FLAGS)}")
        try:
            changes[key] = kind_of(key)(value)
        except ValueError:
            raise ValueError(f"{key} cannot be {value!r}, in the variant {name!r}") from None
    return replace(settings, **changes)


def is_finished(folder: Path, settings: Settings, ids: Sequence[str]) -> bool:
    """Return whether a run of the study has had its time, and is evaluated as it is now on all of some ids.

    Raises:
        ValueError: if another run is there.
    """
    if not (folder / SETTINGS).exists():
        return False
    check_same(read_settings(folder), settings, folder)
    if not (folder / CHECKPOINT).exists():
        return False
    run = Run.load(folder)
    run.settings = settings
    rows = [row for row in kept_rows(folder) if row["iterations"] == len(run.history)]
    return run.is_over and {id.removeprefix(NAMESPACE) for id in ids} <= {row["id"] for row in rows}


def train_and_evaluate(folder: Path, settings: Settings, ids: Sequence[str]) -> str:
    """Train one run of the study, evaluate it, and say what came out."""
    run = train(settings, folder, lambda line: None, False, folder.parent.parent / "warm")
    rows = evaluate(run, ids)
    keep(folder, rows)
    found = ", ".join(f"{row['solved']:.0%} in {row['turns_allowed']}" for row in rows if row["writes"] == "sampled")
    return f"{'/'.join(folder.parts[-3:])}: {found}; {run.summary['seconds']:.0f} s"


def find_runs(path: Path) -> list[Path]:
    """Return the folders of a study's evaluated runs, in order: by id, by method as METHODS has them, by seed.

    A folder's parent is called like its method, or like its variant of one.
    """
    folders = [found.parent for found in path.glob(f"*/*/*/{EVALUATION}")]
    return sorted(folders, key=lambda folder: place_of(folder, read_settings(folder)))


def place_of(folder: Path, settings: Settings) -> tuple[str, int, str, int]:
    """Return where a run stands in its study: by id, by method, by variant, by seed."""
    return settings.id, list(METHODS).index(settings.method), folder.parent.name, settings.seed


def results(path: Path) -> list[dict[str, Any]]:
    """Return the study's table: for each id and method, and each way of evaluating, means over seeds with intervals.

    Returns:
        A dict for each: trained_on, method (or its variant), seeds (how many), id, turns_allowed, writes, and for each of
        MEASURES a dict of mean, low, high (a 95 % interval by Student's t over seeds) and values (of the seeds, in order).
    """
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for folder in find_runs(path):
        settings = read_settings(folder)
        for row in kept_rows(folder):
            key = (
                settings.id.removeprefix(NAMESPACE),
                folder.parent.name,
                row["id"],
                row["turns_allowed"],
                row["writes"],
            )
            groups.setdefault(key, []).append(row)
    return [
        dict(zip(("trained_on", "method", "id", "turns_allowed", "writes"), key, strict=True))
        | {"seeds": len(rows)}
        | {name: spread([row[name] for row in rows if row[name] is not None]) for name in MEASURES}
        for key, rows in groups.items()
    ]


def spread(values: Sequence[float]) -> dict[str, Any]:
    """Return the mean of a value over seeds, with its 95 % interval by Student's t; no interval for fewer than two."""
    mean = float(np.mean(values)) if values else math.nan
    half = math.nan
    if len(values) > 1:
        half = float(student.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / math.sqrt(len(values)))
    return {"mean": mean, "low": mean - half, "high": mean + half, "values": list(values)}


def write_results(path: Path) -> list[dict[str, Any]]:
    """Write the study's table into its folder, as results.json, and return it."""
    rows = results(path)
    numbers = json.loads(json.dumps(rows), parse_constant=lambda name: None)  # JSON has no NaN
    write_whole(path / RESULTS, json.dumps(numbers, indent=1).encode())
    return rows


def results_table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the study's table as text: sampled play, with 95 % intervals over seeds."""
    lines = [
        {name: row[name] for name in ("trained_on", "method", "id", "turns_allowed", "seeds")}
        | {name: "{mean:.3f} ({low:.3f} to {high:.3f})".format(**row[name]) for name in ("solved", "effective_share")}
        for row in rows
        if row["writes"] == "sampled"
    ]
    return table(lines, dict.fromkeys(lines[0], "{}")) if lines else "no finished runs"
