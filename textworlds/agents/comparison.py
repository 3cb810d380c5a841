"""The tables and intervals of a study's report, from the rows of study.results."""

from collections.abc import Mapping, Sequence
from typing import Any

from textworlds.agents.charts import draw_intervals
from textworlds.agents.wording import in_turns

SHARES = ("solved", "effective_share", "novel_share")
RANKED = ("solved", "effective_share")  # few turns or actions are worth nothing by themselves
PLAYED = {
    "effective_share": "effective share",
    "turns": "turns",
    "actions": "actions",
    "over_optimum": "actions ÷ fewest",
}
Row = Mapping[str, Any]


def ways_played(rows: Sequence[Row]) -> list[tuple[str, int]]:
    """Return the ids and limits on turns that levels were played with, the id trained on first."""
    found = {(row["id"], row["turns_allowed"]) for row in rows}
    return sorted(found, key=lambda way: (way[0] != rows[0]["trained_on"], way))


def solved_table(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the table of shares solved: a column for each id and limit on turns."""
    columns = [(id, in_turns(limit), id, limit, "solved") for id, limit in ways_played(rows)]
    return make_table("Test levels solved", rows, columns)


def played_tables(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return a table for each id and limit on turns of how levels were played."""
    return [
        make_table(
            f"{id} {in_turns(limit)}",
            rows,
            [("", said, id, limit, name) for name, said in PLAYED.items() if limit > 1 or name != "turns"],
        )
        | {"id": id}
        for id, limit in ways_played(rows)
    ]


def make_table(caption: str, rows: Sequence[Row], columns: Sequence[tuple[str, str, str, int, str]]) -> dict[str, Any]:
    """Return a table with a line for each method, in the order of the rows.

    Args:
        caption: of the table.
        rows: of the results, of one id trained on and one way of writing.
        columns: each of two lines of heading, an id, a limit on turns, and a measure.

    Returns:
        A dict of caption, headings (pairs), and lines: dicts of method, seeds (how many), and cells, a dict or None each:
        a spread, and is_share, is_best, and missing (seeds that have no value).
    """
    found = {(row["method"], row["id"], row["turns_allowed"]): row for row in rows}
    methods = list(dict.fromkeys(row["method"] for row in rows))
    lines = [
        {"method": method, "seeds": max(row["seeds"] for row in rows if row["method"] == method), "cells": []}
        for method in methods
    ]
    for _, _, id, limit, measure in columns:
        cells = {method: found[method, id, limit] for method in methods if (method, id, limit) in found}
        best = clear_best({method: row[measure] for method, row in cells.items()}) if measure in RANKED else None
        for line in lines:
            row = cells.get(line["method"])
            line["cells"].append(
                row
                and {
                    **row[measure],
                    "is_share": measure in SHARES,
                    "is_best": line["method"] == best,
                    "missing": row["seeds"] - len(row[measure]["values"]),
                }
            )
    return {"caption": caption, "headings": [column[:2] for column in columns], "lines": lines}


def clear_best(spreads: Mapping[str, Mapping[str, float]]) -> str | None:
    """Return the method whose interval lies above that of every other; None if there is none, or nothing to compare."""
    for method, one in spreads.items():
        others = [other for name, other in spreads.items() if name != method]
        if others and all(one["low"] > other["high"] for other in others):
            return method
    return None


def interval_charts(rows: Sequence[Row], styles: Mapping[str, int]) -> list[dict[str, Any]]:
    """Draw the intervals of shares solved: a chart for each id and limit on turns, a row for each method.

    Args:
        rows: of the results, of one id trained on and one way of writing.
        styles: method -> number of its colour, dashes and marker.
    """
    return [
        draw_intervals(
            f"{id} {in_turns(limit)}",
            [
                (row["method"], styles[row["method"]], row["solved"])
                for row in rows
                if (row["id"], row["turns_allowed"]) == (id, limit)
            ],
        )
        for id, limit in ways_played(rows)
    ]
