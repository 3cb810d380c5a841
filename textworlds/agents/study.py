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
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t as student

from textworlds.agents.evaluation import NAMESPACE, evaluate, table
from textworlds.agents.runs import SETTINGS, Run, read_settings, write_whole
from textworlds.agents.settings import FLAGS, Settings, kind_of
from textworlds.agents.training import train
from textworlds.wmact import METHODS

EVALUATION, RESULTS = "evaluation.json", "results.json"
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
    variants = {name: variant(settings, name) for name in methods}
    wanted = {
        path / id.removeprefix(NAMESPACE) / name / f"seed-{seed}": replace(variants[name], id=id, seed=seed)
        for id, name, seed in itertools.product(ids, variants, seeds)
    }
    left = {folder: one for folder, one in wanted.items() if not is_finished(folder, one)}
    say(f"{len(wanted)} runs, {len(wanted) - len(left)} of them finished already; {num_jobs} at once")
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(num_jobs, mp_context=context) as pool:
        futures = [pool.submit(train_and_evaluate, folder, one, tuple(harder)) for folder, one in left.items()]
        try:
            for done, future in enumerate(as_completed(futures), 1):
                say(f"[{done} of {len(left)}] {future.result()}")
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


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


def is_finished(folder: Path, settings: Settings) -> bool:
    """Return whether a run of the study has had its time, and is evaluated."""
    if not ((folder / SETTINGS).exists() and (folder / EVALUATION).exists()):
        return False
    run = Run.load(folder)
    run.settings = settings
    return run.is_over


def train_and_evaluate(folder: Path, settings: Settings, harder: Sequence[str]) -> str:
    """Train one run of the study, evaluate it, and say what came out."""
    warm = folder.parent.parent / "warm"
    warm.mkdir(parents=True, exist_ok=True)
    run = train(settings, folder, lambda line: None, False, warm / f"seed-{settings.seed}.pt")
    rows = evaluate_run(run, folder, harder)
    found = ", ".join(f"{row['solved']:.0%} in {row['turns_allowed']}" for row in rows if row["writes"] == "sampled")
    return f"{'/'.join(folder.parts[-3:])}: {found}; {run.summary['seconds']:.0f} s"


def evaluate_run(run: Run, folder: Path, harder: Sequence[str]) -> list[dict[str, Any]]:
    """Evaluate a run on its own id and on harder ones of its puzzle, in many turns and in one, and keep the rows."""
    ids = [run.settings.id, *(id for id in harder if same_puzzle(id, run.settings.id))]
    rows = evaluate(run, ids)
    write_whole(folder / EVALUATION, json.dumps(rows, indent=1).encode())
    return rows


def same_puzzle(one: str, other: str) -> bool:
    """Return whether two ids are of one puzzle."""
    import textworlds

    return textworlds.find_id(one)[0] is textworlds.find_id(other)[0]


def find_runs(path: Path) -> list[Path]:
    """Return the folders of a study's evaluated runs, in order: by id, by method as METHODS has them, by seed.

    A folder's parent is called like its method, or like its variant of one.
    """
    folders = [found.parent for found in path.glob(f"*/*/*/{EVALUATION}")]

    def place(folder: Path) -> tuple[str, int, str, int]:
        settings = read_settings(folder)
        return settings.id, list(METHODS).index(settings.method), folder.parent.name, settings.seed

    return sorted(folders, key=place)


def results(path: Path) -> list[dict[str, Any]]:
    """Return the study's table: for each id and method, and each way of evaluating, means over seeds with intervals.

    Returns:
        A dict for each: trained_on, method (or its variant), seeds (how many), id, turns_allowed, writes, and for each of MEASURES a dict of
        mean, low, high (a 95 % interval by Student's t over seeds) and values (of the seeds, in order).
    """
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for folder in find_runs(path):
        settings = read_settings(folder)
        for row in json.loads((folder / EVALUATION).read_bytes()):
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


def results_table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the study's table as text: sampled play, with 95 % intervals over seeds."""
    lines = [
        {name: row[name] for name in ("trained_on", "method", "id", "turns_allowed", "seeds")}
        | {name: "{mean:.3f} ({low:.3f} to {high:.3f})".format(**row[name]) for name in ("solved", "effective_share")}
        for row in rows
        if row["writes"] == "sampled"
    ]
    return table(lines, dict.fromkeys(lines[0], "{}")) if lines else "no finished runs"
