"""What is counted of an episode, and what many episodes come to."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from textworlds.chat import Conversation

RESAMPLES, SEED, LEVEL = 2000, 0, 0.95
NORMAL = 1.959963984540054  # its quantile at 0.975


class Measure(NamedTuple):
    """Something that is counted: how it is called in tables, whether it is a share, and whether more is better."""

    title: str
    is_share: bool = True
    more_is_better: bool | None = True


MEASURES = {
    "success": Measure("solved"),
    "effective_share": Measure("effective"),
    "novel_share": Measure("novel"),
    "optimality_gap": Measure("over optimum", True, False),
    "unread_share": Measure("unread", True, False),
    "prediction_right": Measure("predicted"),
    "prediction_cells": Measure("cells predicted"),
    "prediction_changed": Measure("changes predicted"),
    "turns": Measure("turns", False, None),
    "actions": Measure("actions", False, None),
}


class Summary(NamedTuple):
    """The mean of a measure over the episodes in which it is known, its standard error and 95 % interval, and how many these are."""

    mean: float | None
    stderr: float | None
    low: float | None
    high: float | None
    known: int


def scores_of(conversation: Conversation) -> dict[str, float | None]:
    """Return the measures of a conversation's episode; None where one is not known.

    The optimality gap is known for solved episodes: actions asked for beyond the fewest that solve the level, as a share of
    those. Shares of actions are None if none was asked for, those of predictions in protocols without them.
    """
    statistics, replies = conversation.statistics, conversation.replies
    asked, solved = statistics.num_asked, bool(conversation.episode.totals()["solved"])
    predictions = [reply.prediction for reply in replies if reply.prediction is not None]
    changed = [one.changed for one in predictions if one.changed is not None]
    return {
        "success": float(solved),
        "effective_share": float(statistics.effective_share) if asked else None,
        "novel_share": float(statistics.novel_share) if asked else None,
        "optimality_gap": _gap(conversation, asked) if solved else None,
        "unread_share": _mean(not reply.ledger["actions"] for reply in replies),
        "prediction_right": _mean(one.right for one in predictions),
        "prediction_cells": _mean(one.cells for one in predictions),
        "prediction_changed": _mean(changed),
        "turns": float(len(replies)),
        "actions": float(asked),
    }


def _gap(conversation: Conversation, asked: int) -> float | None:
    fewest = conversation.certificate().get(conversation.puzzle.costs[-1])
    return asked / fewest - 1 if fewest else None


def _mean(values: Iterable[float]) -> float | None:
    found = [float(value) for value in values]
    return sum(found) / len(found) if found else None


def summarise(episodes: Sequence[Mapping[str, Any]], name: str) -> Summary:
    """Return what a measure comes to over episodes.

    The interval is Wilson's ("Probable inference", 1927) for success, and else the middle 95 % of the means of 2,000 resamples
    (bootstrap percentiles, always the same ones).
    """
    found = [episode.get(name) for episode in episodes]
    values = np.array([value for value in found if value is not None], np.float64)
    count = len(values)
    if not count:
        return Summary(None, None, None, None, 0)
    mean = float(values.mean())
    stderr = float(values.std(ddof=1) / np.sqrt(count)) if count > 1 else None
    low, high = wilson(mean, count) if name == "success" else bootstrap(values)
    return Summary(mean, stderr, low, high, count)


def wilson(share: float, count: int) -> tuple[float, float]:
    """Return the 95 % interval of a share that was found in so many trials."""
    square = NORMAL**2 / count
    middle = share + square / 2
    half = NORMAL * np.sqrt(share * (1 - share) / count + square / count / 4)
    return max(0.0, float((middle - half) / (1 + square))), min(1.0, float((middle + half) / (1 + square)))


def bootstrap(values: np.ndarray) -> tuple[float, float]:
    """Return the 95 % interval of the mean of values, float64[N]."""
    draws = np.random.default_rng(SEED).integers(len(values), size=(RESAMPLES, len(values)))
    low, high = np.quantile(values[draws].mean(axis=1), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
