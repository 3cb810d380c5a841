"""A study: the same training by several methods, on several ids, with several seeds; and what came out.

A study is a folder of runs, ID/METHOD/seed-N. What is finished stays, what was stopped goes on, and a study of other ids or
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
from textworlds.agents.settings import Settings
from textworlds.agents.training import SETTINGS, Run, read_settings, train, write_whole
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
        methods: names of METHODS.
        seeds: of the runs.
        harder: ids that are played after training as well, by those trained on the same puzzle.
        num_jobs: processes.
        say: where lines for people go.
    """
    path = Path(folder)
    wanted = [
        replace(settings, id=id, method=method, seed=seed) for id, method, seed in itertools.product(ids, methods, seeds)
    ]
    left = [one for one in wanted if not (run_folder(path, one) / EVALUATION).exists() or not is_finished(path, one)]
    say(f"{len(wanted)} runs, {len(wanted) - len(left)} of them finished already; {num_jobs} at once")
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(num_jobs, mp_context=context) as pool:
        futures = [pool.submit(train_and_evaluate, path, one, tuple(harder)) for one in left]
        try:
            for done, future in enumerate(as_completed(futures), 1):
                say(f"[{done} of {len(left)}] {future.result()}")
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def run_folder(path: Path, settings: Settings) -> Path:
    """Return where a run of the study is kept."""
    return path / settings.id.removeprefix(NAMESPACE) / settings.method / f"seed-{settings.seed}"


def is_finished(path: Path, settings: Settings) -> bool:
    """Return whether a run of the study has had its time."""
    folder = run_folder(path, settings)
    if not (folder / SETTINGS).exists():
        return False
    run = Run.load(folder)
    run.settings = settings
    return run.is_over


def train_and_evaluate(path: Path, settings: Settings, harder: Sequence[str]) -> str:
    """Train one run of the study, evaluate it, and say what came out."""
    folder, warm = run_folder(path, settings), path / settings.id.removeprefix(NAMESPACE) / "warm"
    warm.mkdir(parents=True, exist_ok=True)
    run = train(settings, folder, lambda line: None, False, warm / f"seed-{settings.seed}.pt")
    rows = evaluate_run(run, folder, harder)
    found = ", ".join(f"{row['solved']:.0%} in {row['turns_allowed']}" for row in rows if row["writes"] == "sampled")
    return f"{folder.relative_to(path)}: {found}; {run.summary['seconds']:.0f} s"


def evaluate_run(run: Run, folder: Path, harder: Sequence[str]) -> list[dict[str, Any]]:
    """Evaluate a run on its own id and on harder ones of its puzzle, in many turns and in one, and keep the rows."""
    ids = [run.settings.id, *(id for id in harder if same_puzzle(id, run.settings.id))]
    rows = evaluate(run, ids, (1, run.settings.turn_limit))
    write_whole(folder / EVALUATION, json.dumps(rows, indent=1).encode())
    return rows


def same_puzzle(one: str, other: str) -> bool:
    """Return whether two ids are of one puzzle."""
    import textworlds

    return textworlds.find_id(one)[0] is textworlds.find_id(other)[0]


def find_runs(path: Path) -> list[Path]:
    """Return the folders of a study's evaluated runs, in order: by id, by method as METHODS has them, by seed."""
    folders = [found.parent for found in path.glob(f"*/*/*/{EVALUATION}")]

    def place(folder: Path) -> tuple[str, int, int]:
        settings = read_settings(folder)
        return settings.id, list(METHODS).index(settings.method), settings.seed

    return sorted(folders, key=place)


def results(path: Path) -> list[dict[str, Any]]:
    """Return the study's table: for each id and method, and each way of evaluating, means over seeds with intervals.

    Returns:
        A dict for each: trained_on, method, seeds (how many), id, turns_allowed, writes, and for each of MEASURES a dict of
        mean, low, high (a 95 % interval by Student's t over seeds) and values (of the seeds, in order).
    """
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for folder in find_runs(path):
        settings = read_settings(folder)
        for row in json.loads((folder / EVALUATION).read_bytes()):
            key = (settings.id.removeprefix(NAMESPACE), settings.method, row["id"], row["turns_allowed"], row["writes"])
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
