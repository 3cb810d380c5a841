"""What the report of a run says: its files, facts, curves and sample episodes."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import textworlds
from textworlds.agents.charts import Line, draw_curves, smoothed
from textworlds.agents.evaluation import kept_rows, replay
from textworlds.agents.processes import torch_threads
from textworlds.agents.runs import HISTORY, SUMMARY, Run, read_settings
from textworlds.agents.settings import NAMESPACE, Settings
from textworlds.agents.wording import duration, in_turns, interval, machine_in_words, method_in_words, number, percent

NUM_SHOWN, NUM_SHOWN_IN_ONE = 6, 4  # sample episodes, with many turns and forced into one


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

    @property
    def variant(self) -> str:
        """What a study calls the run's method: the method, or a variant of it."""
        return self.folder.parent.name

    def curve(self, name: str) -> dict[int, float]:
        """Return iteration -> value, where it was measured; success on validation levels starts at iteration 0."""
        lines = [{"iteration": 0, **self.summary.get("start", {})}, *self.history]
        return {line["iteration"]: line[name] for line in lines if name in line}

    def own_rows(self) -> dict[int, dict[str, Any]]:
        """Return limit on turns -> what came out on the id trained on, sampled."""
        rows = [row for row in self.rows if row["id"] == self.name and row["writes"] == "sampled"]
        return {row["turns_allowed"]: row for row in sorted(rows, key=lambda row: row["turns_allowed"])}


def read_files(folder: Path) -> Files:
    """Read a run's folder; what was not written yet is empty."""
    history = read_json(folder / HISTORY, [])
    for line in history:
        line["changed"] = line["actions"] * line["effective_share"]
        line["actions_a_turn"], line["changed_a_turn"] = (line[name] / line["turns"] for name in ("actions", "changed"))
    return Files(folder, read_settings(folder), history, read_json(folder / SUMMARY, {}), kept_rows(folder))


def read_json(path: Path, nothing: Any) -> Any:
    """Read JSON, or lines of it; return `nothing` where there is no file."""
    if not path.exists():
        return nothing
    try:
        text = path.read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()] if path.suffix == ".jsonl" else json.loads(text)
    except ValueError as error:
        raise ValueError(f"{path}: is damaged: {error}") from None


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
        (
            f"Solved {in_turns(limit)}",
            percent(row["solved"]),
            f"{interval(row['low'], row['high'], True)}, of {row['levels']} test levels",
        )
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
