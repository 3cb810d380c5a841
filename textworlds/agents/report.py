"""The report of a run or of a study: one HTML file that needs nothing else, made of what is in the folder.

Facts are gathered here; charts.py draws; report.html lays out. The same folder gives the same bytes.
"""

import itertools
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import numpy as np

import textworlds
from textworlds.agents.charts import Line, draw_curves, draw_key, mean_of, smoothed, with_own_ids
from textworlds.agents.comparison import interval_charts, played_tables, solved_table, style_of
from textworlds.agents.evaluation import NAMESPACE, replay
from textworlds.agents.settings import Settings
from textworlds.agents.study import EVALUATION, results
from textworlds.agents.processes import torch_threads
from textworlds.agents.runs import HISTORY, SETTINGS, SUMMARY, Run, read_settings, write_whole
from textworlds.agents.wording import duration, in_turns, interval, machine_in_words, method_in_words, number, percent
from textworlds.wmact import METHODS

REPORT, RUNS = "report.html", f"*/*/*/{SETTINGS}"
NUM_SHOWN, NUM_SHOWN_IN_ONE = 6, 4  # sample episodes, with many turns and forced into one
STUDY_CURVES = {  # title, and whether it is a share
    "single_turn": ("Solved in one turn, validation", True),
    "multi_turn": ("Solved in many turns, validation", True),
    "effective_share": ("Effective share of actions", True),
    "turn_limit": ("L_max, in turns", False),
    "turns": ("Turns an episode", False),
    "actions_a_turn": ("Actions a turn", False),
}


class Files(NamedTuple):
    """What a run's folder holds, but for its weights.

    Attributes:
        folder, settings: of the run.
        history: a dict for each iteration.
        summary: what the run took.
        rows: of its evaluation; none if it was not evaluated yet.
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

    def curve(self, name: str) -> dict[int, float]:
        """Return iteration -> value, where it was measured; success on validation levels starts at iteration 0."""
        lines = [{"iteration": 0, **self.summary.get("start", {})}, *self.history]
        return {line["iteration"]: line[name] for line in lines if name in line}

    def own_rows(self) -> dict[int, dict[str, Any]]:
        """Return limit on turns -> what came out on the id trained on, sampled."""
        rows = [row for row in self.rows if row["id"] == self.name and row["writes"] == "sampled"]
        return {row["turns_allowed"]: row for row in sorted(rows, key=lambda row: row["turns_allowed"])}


def write_report(folder: Path) -> Path:
    """Write report.html into the folder of a run or of a study, whole or not at all; return its path.

    Raises:
        ValueError: if the folder is neither, or a file in it is damaged; the text says which.
    """
    if (folder / SETTINGS).exists():
        page = describe_run(read_files(folder))
    elif found := list(folder.glob(RUNS)):
        page = describe_study(folder, sorted((read_files(path.parent) for path in found), key=place_of))
    else:
        raise ValueError(f"{folder}: is neither a run nor a study; {SETTINGS} is not in it, nor in ID/METHOD/seed-N")
    write_whole(folder / REPORT, render(page).encode())
    return folder / REPORT


def read_files(folder: Path) -> Files:
    """Read a run's folder; what was not written yet is empty."""
    history = read_json(folder / HISTORY, [])
    for line in history:
        line["changed"] = line["actions"] * line["effective_share"]
        line["actions_a_turn"], line["changed_a_turn"] = (line[name] / line["turns"] for name in ("actions", "changed"))
    return Files(folder, read_settings(folder), history, read_json(folder / SUMMARY, {}), read_json(folder / EVALUATION, []))


def read_json(path: Path, nothing: Any) -> Any:
    """Read JSON, or lines of it; return `nothing` where there is no file."""
    if not path.exists():
        return nothing
    try:
        text = path.read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()] if path.suffix == ".jsonl" else json.loads(text)
    except ValueError as error:
        raise ValueError(f"{path}: is damaged: {error}") from None


def place_of(files: Files) -> tuple[str, int, int]:
    """Return where a run stands in its study: by id, by method, by seed."""
    return files.name, style_of(files.settings.method), files.settings.seed


def render(page: dict[str, Any]) -> str:
    """Lay a page out. Texts are escaped; only the drawings of charts.py are not."""
    numbers = itertools.count()
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    layout = jinja2.Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    layout.filters |= {"percent": percent, "number": number, "duration": duration, "interval": interval}
    layout.filters["drawn"] = lambda svg: with_own_ids(svg, next(numbers))
    return layout.get_template(REPORT).render(page).lstrip()


# A run


def describe_run(files: Files) -> dict[str, Any]:
    """Return what the page of a run says."""
    return {
        "kind": "run",
        "title": f"{files.name}, {files.settings.method}, seed {files.settings.seed}",
        "changes": ", ".join(f"{name}={value}" for name, value in files.settings.changes.items()),
        "method": method_in_words(files.settings.chosen_method()),
        "machine": machine_in_words(files.summary.get("machine", {})),
        "facts": run_facts(files),
        "gains": gains(files),
        "files": files,
        "charts": run_charts(files) if files.history else [],
        "settings": {name: str(value) for name, value in asdict(files.settings).items()},
        "replay": sample_episodes(files),
    }


def run_facts(files: Files) -> list[tuple[str, str, str]]:
    """Return the key facts of a run: what, how much, and a note."""
    facts = [
        (f"Solved {in_turns(limit)}", percent(row["solved"]), f"{interval(row['low'], row['high'], True)}, of {row['levels']} test levels")
        for limit, row in files.own_rows().items()
    ]
    if not files.history:
        return [*facts, ("Iterations", "0", "stopped before the first one")]
    first, last, summary = files.history[0], files.history[-1], files.summary
    episodes = len(files.history) * files.settings.episodes
    actions = files.settings.episodes * sum(line["actions"] for line in files.history)
    seconds = max(last["seconds"], 1e-9)
    shares = f"{first['effective_share']:.0%} → {last['effective_share']:.0%}"
    return [
        *facts,
        ("L_max", f"{first['turn_limit']} → {last['turn_limit']}", "turns, first to last iteration"),
        ("Effective share", shares, "of actions in training, first to last iteration"),
        ("Iterations", f"{len(files.history):,}", f"{episodes:,} episodes"),
        ("Training time", duration(seconds), f"and {duration(summary.get('warm_seconds', 0.0))} of warm start"),
        ("Episodes a second", f"{episodes / seconds:,.0f}", f"{actions / seconds:,.0f} actions; learning included"),
        ("Environment", percent(summary.get("environment_seconds", math.nan) / seconds), "of the training time"),
        ("Peak memory", f"{number(summary.get('peak_memory_mb'), 0)} MiB", "of the process"),
    ]


def gains(files: Files) -> list[tuple[str, float, float, int]]:
    """Return success on validation levels before and after reinforcement: how, both shares, the iteration of the latter."""
    found = []
    for name, limit in (("single_turn", 1), ("multi_turn", files.settings.turn_limit)):
        points = list(files.curve(name).items())
        if len(points) > 1 and points[0][0] == 0:
            found.append((in_turns(limit), points[0][1], points[-1][1], points[-1][0]))
    return found


def run_charts(files: Files) -> list[dict[str, Any]]:
    """Draw the learning curves of a run."""

    def of(style: int, said: str, name: str) -> Line:
        return smoothed(said, style, files.curve(name))

    measured = [
        Line(said, style, files.curve(name))
        for style, (said, name) in enumerate({"many turns": "multi_turn", "one turn": "single_turn"}.items())
    ]
    limit = Line("L_max", 1, files.curve("turn_limit"), steps=True)
    charts = [
        ("Solved, validation levels", measured, True),
        ("Share of actions", [of(0, "effective", "effective_share"), of(1, "novel", "novel_share")], True),
        ("Turns an episode", [of(0, "turns", "turns"), limit], False),
        ("Actions a turn", [of(0, "all", "actions_a_turn"), of(1, "effective", "changed_a_turn")], False),
        ("Actions an episode", [of(0, "all", "actions"), of(1, "effective", "changed")], False),
        ("Training episodes", [of(0, "share solved", "solved"), of(1, "reward", "reward")], False),
    ]
    return [draw_curves(*chart) for chart in charts]


def sample_episodes(files: Files) -> dict[str, Any]:
    """Return sample episodes, what their characters mean, and why there are none, if so."""
    id, limit = files.settings.id, files.settings.turn_limit
    wanted = {limit: NUM_SHOWN, 1: NUM_SHOWN_IN_ONE}
    found: dict[str, Any] = {"key": textworlds.find_id(id)[0].words.key, "groups": [], "problem": "", "run": files}
    try:
        with torch_threads(files.settings.threads):
            run = Run.load(files.folder, "cpu")
            found["groups"] = [(in_turns(turns), replay(run, id, turns, count)) for turns, count in wanted.items()]
    except (OSError, ValueError) as error:
        found["problem"] = str(error)
    return found


# A study


def describe_study(folder: Path, runs: Sequence[Files]) -> dict[str, Any]:
    """Return what the page of a study says."""
    evaluated, rows = [files for files in runs if files.rows], results(folder)
    ids = dict.fromkeys(files.name for files in evaluated)
    values: dict[str, list[str]] = {}
    for files in runs:
        for name, value in asdict(files.settings).items():
            values.setdefault(name, []).append(str(value))
    return {
        "kind": "study",
        "title": "Methods compared",
        "ids": list(dict.fromkeys(files.name for files in runs)),
        "facts": study_facts(runs),
        "machine": "; ".join(dict.fromkeys(machine_in_words(files.summary.get("machine", {})) for files in runs)),
        "methods": {name: method_in_words(METHODS[name]) for name in sorted({files.settings.method for files in runs}, key=style_of)},
        "parts": [describe_part([files for files in evaluated if files.name == id], rows) for id in ids],
        "runs": runs,
        "folder": folder,
        "settings": {name: ", ".join(dict.fromkeys(found)) for name, found in values.items()},
    }


def study_facts(runs: Sequence[Files]) -> list[tuple[str, str, str]]:
    """Return the key facts of a study: what, how much, and a note."""
    count = sum(1 for files in runs if files.rows)
    iterations = [len(files.history) for files in runs]
    episodes = sum(len(files.history) * files.settings.episodes for files in runs)
    warm = {(files.name, files.settings.seed): files.summary.get("warm_seconds", 0.0) for files in runs}
    seeds = len({files.settings.seed for files in runs})
    ids, methods = len({files.name for files in runs}), len({files.settings.method for files in runs})
    seconds = sum(files.summary.get("seconds", 0.0) for files in runs)
    return [
        ("Runs evaluated", f"{count} of {len(runs)}", f"trained on {ids} ids by {methods} methods with {seeds} seeds"),
        ("Iterations a run", "–".join(f"{n:,}" for n in sorted({min(iterations), max(iterations)})), f"{episodes:,} episodes in all"),
        ("Training time", duration(seconds), "of all runs, added up"),
        ("Warm starts", duration(sum(warm.values())), "added up; shared by the methods of an id and seed"),
    ]


def describe_part(runs: Sequence[Files], rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what the page says of the runs on one id.

    Args:
        runs: evaluated, on that id.
        rows: of the study's results.
    """
    name, methods = runs[0].name, list(dict.fromkeys(files.settings.method for files in runs))
    sampled, greedy = (
        [row for row in rows if row["trained_on"] == name and row["writes"] == writes] for writes in ("sampled", "greedy")
    )
    starts = [files.summary["start"] for files in runs if "start" in files.summary]
    shown = next((files for files in runs if files.settings.method == "wmact"), runs[0])
    return {
        "name": name,
        "plans": max(files.settings.warm_start for files in runs),
        "start": {how: float(np.mean([start[how] for start in starts])) for how in ("single_turn", "multi_turn")} if starts else {},
        "solved": solved_table(sampled),
        "played": [table for table in played_tables(sampled) if table["id"] == name],
        "more": [table for table in played_tables(sampled) if table["id"] != name],
        "greedy": [solved_table(greedy), *played_tables(greedy)] if greedy else [],
        "intervals": interval_charts(sampled),
        "legend": [(method, draw_key(style_of(method))) for method in methods],
        "charts": study_charts(runs, methods),
        "replay": sample_episodes(shown),
    }


def study_charts(runs: Sequence[Files], methods: Sequence[str]) -> list[dict[str, Any]]:
    """Draw the learning curves of runs on one id: for each method the mean over seeds, in a band from least to most."""

    def line(method: str, measure: str) -> Line:
        curves = [files.curve(measure) for files in runs if files.settings.method == method]
        return mean_of(method, style_of(method), curves, steps=measure == "turn_limit")

    return [
        draw_curves(title, [line(method, measure) for method in methods], is_share) | {"legend": []}
        for measure, (title, is_share) in STUDY_CURVES.items()
    ]
