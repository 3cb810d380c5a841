"""Evaluation on held-out levels: the shipped test sets, which no run is trained or validated on."""

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
from scipy.stats import binomtest

import textworlds
from textworlds.agents.plans import fewest_actions
from textworlds.agents.ppo import Player, action_names
from textworlds.agents.processes import torch_threads
from textworlds.agents.runs import Run, write_whole
from textworlds.agents.settings import NAMESPACE, full_id
from textworlds.wmact import find_method

EVALUATION = "evaluation.json"
FIRST_LEVEL = 0  # seed of the first generated test level
COLUMNS = {
    "id": "{}",
    "turns_allowed": "{}",
    "writes": "{}",
    "levels": "{}",
    "solved": "{:.1%}",
    "low": "{:.1%}",
    "high": "{:.1%}",
    "turns": "{:.1f}",
    "actions": "{:.1f}",
    "effective_share": "{:.0%}",
    "novel_share": "{:.0%}",
    "over_optimum": "{:.2f}",
}


def evaluate(
    run: Run,
    ids: Iterable[str],
    turns: Sequence[int] | None = None,
    greedy: Sequence[bool] = (False, True),
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Play each level of the test sets of some ids once, with each limit on turns, sampled and greedy.

    Args:
        run: whose network plays.
        ids: of the puzzle that it was trained on; levels of other sizes than it saw are welcome.
        turns: limits on turns; by default 1, and the run's L_max at the start.
        greedy: whether to write the likeliest token, or to sample at temperature 1.
        seed: of sampling.

    Returns:
        A dict for each: id, iterations (that the run has had), turns_allowed, writes ("sampled" or "greedy"), levels; solved,
        with its 95 % Wilson interval low to high; the means over all episodes of turns, actions (asked for); effective_share
        and novel_share of all actions; and over_optimum, the mean over solved episodes of actions asked for over the fewest that
        solve the level.
    """
    limits = sorted({1, run.settings.turn_limit} if turns is None else set(turns))
    with torch_threads(run.settings.threads):
        return [row for id in dict.fromkeys(map(full_id, ids)) for row in evaluate_on(run, id, limits, greedy, seed)]


def evaluate_on(
    run: Run, id: str, limits: Sequence[int], greedy: Sequence[bool], seed: int
) -> Iterator[dict[str, Any]]:
    """Yield the rows of `evaluate` for one id."""
    settings = test_levels(run, id)
    fewest = fewest_that_solve(id, settings)
    player = Player(id, len(fewest), find_method("interactive"), run.settings.max_actions, run.device, **settings)
    index = np.arange(len(fewest)) if "levels" in settings else None
    for limit, is_greedy in itertools.product(limits, greedy):
        random = torch.Generator(run.device).manual_seed(seed)
        played = player.play(run.network, limit, random, FIRST_LEVEL, index, is_greedy)
        counts, solved = played.statistics, played.solved
        interval = binomtest(int(solved.sum()), len(solved)).proportion_ci(method="wilson")
        compared = solved & np.isfinite(fewest)
        yield {
            "id": id.removeprefix(NAMESPACE),
            "iterations": len(run.history),
            "turns_allowed": limit,
            "writes": "greedy" if is_greedy else "sampled",
            "levels": len(solved),
            "solved": float(solved.mean()),
            "low": float(interval.low),
            "high": float(interval.high),
            **counts.means(),
            "over_optimum": float((counts.num_asked / fewest)[compared].mean()) if compared.any() else None,
        }


def keep(folder: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows into a run's evaluation.json, beside those of other ids and ways that are there already.

    Rows of the run as it was after fewer iterations are thrown away.
    """
    path = folder / EVALUATION
    kept = {way_of(row): row for row in [*(kept_rows(folder)), *rows] if row["iterations"] == rows[0]["iterations"]}
    write_whole(path, json.dumps([kept[way] for way in sorted(kept)], indent=1).encode())


def way_of(row: dict[str, Any]) -> tuple[str, int, str]:
    """Return what a row is about."""
    return row["id"], row["turns_allowed"], row["writes"]


def kept_rows(folder: Path) -> list[dict[str, Any]]:
    """Return the rows in a run's evaluation.json; none if there is no such file.

    Raises:
        ValueError: if it is damaged.
    """
    path = folder / EVALUATION
    try:
        rows = json.loads(path.read_bytes())
        if not all({"iterations", "id", "turns_allowed", "writes", "solved"} <= row.keys() for row in rows):
            raise ValueError("rows without what they are about")
    except FileNotFoundError:
        return []
    except (ValueError, AttributeError, TypeError) as error:
        raise ValueError(f"{path}: no evaluation that can be read here: {error}") from None
    return rows


def test_levels(run: Run, id: str) -> dict[str, Any]:
    """Return settings for gymnasium.make that play an id's test levels: its test set, or, if the run changed its id's
    settings, generated levels of the split "test".

    Raises:
        ValueError: if the id is of another puzzle than the run's.
    """
    puzzle, trained = textworlds.find_id(id)[0], textworlds.find_id(run.settings.id)[0]
    if puzzle is not trained:
        raise ValueError(f"a run on {run.settings.id} writes the actions of {trained.name}; {id} is of {puzzle.name}")
    if run.settings.changes and id == run.settings.id:
        return {**run.settings.changes, "split": "test"}
    return {"levels": textworlds.find_levels(f"{id.removeprefix(NAMESPACE)}-test")}


def fewest_that_solve(id: str, settings: dict[str, Any], num_generated: int = 256) -> np.ndarray:
    """Return the fewest actions that solve each test level, float64[L]; NaN where the solver did not settle it."""
    env: Any = gymnasium.make(id, **settings)
    given = "levels" in settings
    count = len(settings["levels"]) if given else num_generated
    found = np.full(count, np.nan)
    for place in range(count):
        env.reset(seed=None if given else FIRST_LEVEL + place, options={"index": place} if given else None)
        plan = env.unwrapped.solve(fewest_actions(id))
        found[place] = np.nan if plan is None else len(plan)
    return found


def replay(run: Run, id: str, turn_limit: int, number: int, seed: int = 0) -> list[dict[str, Any]]:
    """Return sample episodes on the first test levels of an id, sampled at temperature 1.

    Returns:
        A dict for each: solved, and turns, each a dict of text (what was seen), actions (names), changed (a bool each), and
        after (what was seen then).
    """
    settings = test_levels(run, id)
    player = Player(id, number, find_method("interactive"), run.settings.max_actions, run.device, **settings)
    names = action_names(id)
    episodes: list[dict[str, Any]] = [{"solved": False, "turns": []} for _ in range(number)]

    def watch(live: np.ndarray, texts: Sequence[str], after: Sequence[str], info: dict[str, Any]) -> None:
        for place in live.tolist():
            kept = info["actions"][place] >= 0
            turn = {
                "text": texts[place],
                "actions": [names[action] for action in info["actions"][place][kept]],
                "changed": info["changed"][place][kept].tolist(),
                "after": after[place],
            }
            episodes[place]["turns"].append(turn)
            episodes[place]["solved"] = bool(info["solved"][place])

    index = np.arange(number) if "levels" in settings else None
    random = torch.Generator(run.device).manual_seed(seed)
    player.play(run.network, turn_limit, random, FIRST_LEVEL, index, watch=watch)
    return episodes


def table(rows: Sequence[dict[str, Any]], columns: dict[str, str] = COLUMNS) -> str:
    """Return rows as a table of text, with columns as they are named and formatted here."""
    cells = [[name.replace("_", " ") for name in columns]]
    for row in rows:
        cells.append(["-" if row[name] is None else form.format(row[name]) for name, form in columns.items()])
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in cells)
