"""What is counted of an episode, and what many episodes come to."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from textworlds.chat import Conversation
from textworlds.text.grammars import Outcome

NOT_ALL_READ = [outcome for outcome in Outcome if outcome is not Outcome.READ]
RESAMPLES, SEED, LEVEL = 2000, 0, 0.95
NORMAL = 1.959963984540054  # its quantile at 0.975


class Measure(NamedTuple):
    """Something that is counted.

    Attributes:
        title: how it is called in tables.
        is_share: whether tables show it in per cent.
        has_end: whether it is from 0 to 1.
        in_tables: whether tables show it; result files do always.
    """

    title: str
    is_share: bool = True
    has_end: bool = True
    in_tables: bool = True


MEASURES = {
    "success": Measure("solved"),
    "effective_share": Measure("effective"),
    "novel_share": Measure("novel"),
    "optimality_gap": Measure("over optimum", has_end=False),
    "unread_share": Measure("unread"),
    "empty_share": Measure("empty", in_tables=False),
    "malformed_share": Measure("malformed", in_tables=False),
    "unknown_word_share": Measure("unknown word", in_tables=False),
    "over_limit_share": Measure("over the limit", in_tables=False),
    "prediction_right": Measure("predicted"),
    "prediction_cells": Measure("cells predicted"),
    "prediction_changed": Measure("changes predicted"),
    "turns": Measure("turns", is_share=False, has_end=False),
    "actions": Measure("actions", is_share=False, has_end=False),
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
    those. Shares of typed outcomes are of replies. Where no action was asked for, shares of actions are 0. The novel share is
    None with novelty=False, and what is of predictions in protocols without them.
    """
    statistics, replies = conversation.statistics, conversation.replies
    totals, asked = conversation.episode.totals(), statistics.num_asked
    solved = bool(totals["solved"])
    predictions = [reply.prediction for reply in replies if reply.prediction is not None]
    changed = [one.changed for one in predictions if one.changed is not None]
    return {
        "success": float(solved),
        "effective_share": float(statistics.effective_share),
        "novel_share": float(statistics.novel_share) if "num_novel" in totals else None,
        "optimality_gap": _gap(conversation, asked) if solved else None,
        "unread_share": _mean(not reply.ledger["actions"] for reply in replies),
        **{
            f"{one.name.lower()}_share": _mean(reply.ledger["outcome"] == one for reply in replies)
            for one in NOT_ALL_READ
        },
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

    The interval is Wilson's ("Probable inference", 1927) for success, and for other shares where all episodes have the same one;
    else the middle 95 % of the means of 2,000 resamples (bootstrap percentiles, always the same ones). There is none where nothing
    can be said: counts of one episode, or which are all the same.
    """
    found = [episode.get(name) for episode in episodes]
    values = np.array([value for value in found if value is not None], np.float64)
    count = len(values)
    if not count:
        return Summary(None, None, None, None, 0)
    mean = float(values.mean())
    stderr = float(values.std(ddof=1) / np.sqrt(count)) if count > 1 else None
    all_the_same = bool((values == values[0]).all())
    low, high = None, None
    if name == "success" or (all_the_same and MEASURES[name].has_end):
        low, high = wilson(mean, count)
    elif not all_the_same:
        low, high = bootstrap(values)
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
