"""The report of a run or of a study: one HTML file that needs nothing else, made of what is in the folder.

Facts are gathered here; charts.py draws; report.html lays out. The same folder gives the same bytes.
"""

import itertools
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import jinja2

import textworlds
from textworlds.agents.charts import draw_curves, draw_intervals, draw_key, mean_of, smoothed, with_own_ids
from textworlds.agents.charts import Line
from textworlds.agents.evaluation import NAMESPACE, replay
from textworlds.agents.settings import Settings
from textworlds.agents.study import EVALUATION, results
from textworlds.agents.training import HISTORY, SETTINGS, SUMMARY, Run, read_settings, write_whole
from textworlds.wmact import METHODS, Method

REPORT, RUNS = "report.html", f"*/*/*/{SETTINGS}"
SHOWN = {"many": 6, "one": 4}  # sample episodes with many turns, and forced into one
RANKED = ("solved", "effective_share")  # of which a best mean is marked: few actions are worth little by themselves
SHARES = ("solved", "effective_share", "novel_share")
PLAYED = {"effective_share": "effective share", "turns": "turns", "actions": "actions", "over_optimum": "actions / fewest"}
MACHINE = {"processor": "{}", "cores": "{} cores", "device": "trained on {}", "python": "Python {}", "torch": "PyTorch {}"}
MACHINE |= {"parameters": "{} weights"}
STUDY_CURVES = {
    "single_turn": ("Solved in one turn (validation)", True),
    "multi_turn": ("Solved in many turns (validation)", True),
    "effective_share": ("Effective share of actions", True),
    "turn_limit": ("L_max, turns", False),
    "turns": ("Turns an episode", False),
    "asked_a_turn": ("Actions a turn", False),
}


class Files(NamedTuple):
    """What a run's folder holds, but for its weights.

    Attributes:
        folder: of the run.
        settings: of the run.
        history: a dict for each iteration.
        summary: what the run took.
        rows: of its evaluation; none if it has not been evaluated.
    """

    folder: Path
    settings: Settings
    history: list[dict[str, Any]]
    summary: dict[str, Any]
    rows: list[dict[str, Any]]

    @property
    def name(self) -> str:
        """The id without its namespace."""
        return self.settings.id.removeprefix(NAMESPACE)

    @property
    def start(self) -> dict[str, float]:
        """Success on validation levels before the first iteration; empty if the run was stopped before."""
        return self.summary.get("start", {})

    @property
    def seconds(self) -> float:
        """Seconds of training, the warm start not included."""
        return self.summary.get("seconds", 0.0)


def write_report(folder: Path) -> Path:
    """Write report.html into the folder of a run or of a study, whole or not at all; return its path.

    Raises:
        ValueError: if the folder is neither, or a file in it is damaged; the text says which.
    """
    if (folder / SETTINGS).exists():
        page = describe_run(read_files(folder))
    elif found := sorted(folder.glob(RUNS)):
        page = describe_study(folder, [read_files(path.parent) for path in found])
    else:
        raise ValueError(f"{folder}: is neither a run nor a study; {SETTINGS} is not in it, nor in ID/METHOD/seed-N")
    write_whole(folder / REPORT, render(page).encode())
    return folder / REPORT


def read_files(folder: Path) -> Files:
    """Read a run's folder; what was not written yet is empty."""
    history = [with_ratios(json.loads(line)) for line in read(folder / HISTORY, "").splitlines()]
    summary, rows = json.loads(read(folder / SUMMARY, "{}")), json.loads(read(folder / EVALUATION, "[]"))
    return Files(folder, read_settings(folder), history, summary, rows)
