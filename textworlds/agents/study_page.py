"""What the report of a study says: facts, comparisons, curves by method, and sample episodes."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from textworlds.agents.charts import Line, draw_curves, draw_key, mean_of
from textworlds.agents.comparison import interval_charts, played_tables, solved_table
from textworlds.agents.run_page import Files, sample_episodes
from textworlds.agents.study import place_of, results
from textworlds.agents.wording import counted, duration, machine_in_words, method_in_words

STUDY_CURVES = {  # title, and whether it is a share
    "single_turn": ("Solved in one turn, validation", True),
    "multi_turn": ("Solved in many turns, validation", True),
    "effective_share": ("Effective share of actions", True),
    "turn_limit": ("L_max, in turns", False),
    "turns": ("Turns an episode", False),
    "actions_a_turn": ("Actions a turn", False),
}


def describe_study(folder: Path, runs: Sequence[Files]) -> dict[str, Any]:
    """Return what the page of a study says."""
    runs = sorted(runs, key=lambda files: place_of(files.folder, files.settings))
    evaluated, rows = [files for files in runs if files.rows], results(folder)
    ids = dict.fromkeys(files.name for files in evaluated)
    methods = {
        files.variant: files for files in sorted(runs, key=lambda files: place_of(files.folder, files.settings)[1:])
    }
    styles = {method: style for style, method in enumerate(methods)}
    values: dict[str, list[str]] = {}
    for files in runs:
        for name, value in asdict(files.settings).items():
            values.setdefault(name, []).append(str(value))
    return {
        "kind": "study",
        "title": "Methods compared",
        "ids": list(dict.fromkeys(files.name for files in runs)),
        "facts": study_facts(runs),
        "machine": "; ".join(
            dict.fromkeys(machine_in_words(files.summary["machine"]) for files in runs if "machine" in files.summary)
        ),
        "methods": {name: study_method_in_words(files) for name, files in methods.items()},
        "parts": [describe_part([files for files in evaluated if files.name == id], rows, styles) for id in ids],
        "runs": runs,
        "folder": folder,
        "settings": {name: ", ".join(dict.fromkeys(found)) for name, found in values.items()},
    }


def study_method_in_words(files: Files) -> str:
    """Say what the method of a run is, and what the study changes in this variant."""
    _, *changes = files.variant.split("+")
    said = method_in_words(files.settings.chosen_method())
    return f"{said}; {' and '.join(changes)}" if changes else said


def study_facts(runs: Sequence[Files]) -> list[tuple[str, str, str]]:
    """Return the key facts of a study: what, how much, and a note."""
    count = sum(1 for files in runs if files.rows)
    iterations = [len(files.history) for files in runs]
    episodes = sum(len(files.history) * files.settings.episodes for files in runs)
    warm = {(files.name, files.settings.seed): files.summary.get("warm_seconds", 0.0) for files in runs}
    kinds: dict[str, set[Any]] = {
        "id": {files.name for files in runs},
        "method": {files.variant for files in runs},
        "seed": {files.settings.seed for files in runs},
    }
    seconds = sum(files.summary.get("seconds", 0.0) for files in runs)
    said = ", ".join(counted(len(found), noun) for noun, found in kinds.items())
    least_to_most = "–".join(f"{count:,}" for count in sorted({min(iterations), max(iterations)}))
    return [
        ("Runs evaluated", f"{count} of {len(runs)}", said),
        ("Iterations a run", least_to_most, f"{episodes:,} episodes in all"),
        ("Training time", duration(seconds), "of all runs, added up"),
        ("Warm starts", duration(sum(warm.values())), "added up; shared by the methods of an id and seed"),
    ]


def describe_part(runs: Sequence[Files], rows: Sequence[dict[str, Any]], styles: Mapping[str, int]) -> dict[str, Any]:
    """Return what the page says of the runs on one id.

    Args:
        runs: evaluated, on that id.
        rows: of the study's results.
        styles: method -> number of its colour, dashes and marker.
    """
    name, here = runs[0].name, {files.variant for files in runs}
    styles = {method: style for method, style in styles.items() if method in here}
    sampled, greedy = (
        [row for row in rows if row["trained_on"] == name and row["writes"] == writes]
        for writes in ("sampled", "greedy")
    )
    starts = [files.summary["start"] for files in runs if "start" in files.summary]
    shown = next((files for files in runs if files.settings.method == "wmact"), runs[0])
    return {
        "name": name,
        "plans": max(files.settings.warm_start for files in runs),
        "start": {how: float(np.mean([start[how] for start in starts])) for how in (starts or [{}])[0]},
        "solved": solved_table(sampled),
        "played": [table for table in played_tables(sampled) if table["id"] == name],
        "more": [table for table in played_tables(sampled) if table["id"] != name],
        "greedy": [solved_table(greedy), *played_tables(greedy)] if greedy else [],
        "intervals": interval_charts(sampled, styles),
        "legend": [(method, draw_key(style)) for method, style in styles.items()],
        "charts": study_charts(runs, styles),
        "replay": sample_episodes(shown),
    }


def study_charts(runs: Sequence[Files], styles: Mapping[str, int]) -> list[dict[str, Any]]:
    """Draw the learning curves of runs on one id: for each method the mean over seeds, in a band from least to most."""

    def line(method: str, measure: str) -> Line:
        curves = [files.curve(measure) for files in runs if files.variant == method]
        return mean_of(method, styles[method], curves, steps=measure == "turn_limit")

    return [
        draw_curves(title, [line(method, measure) for method in styles], is_share) | {"legend": []}
        for measure, (title, is_share) in STUDY_CURVES.items()
    ]
