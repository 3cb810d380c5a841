"""Draw how the grades of 1,000 levels of each id are distributed, into docs/images, and print their quantiles.

The levels are the first ones of the seeds from 0 on, of the split "train"; the same command draws the same files.
Run: python benchmarks/grades.py [PUZZLE ...]
"""

import argparse
import sys
from pathlib import Path

import numpy as np

import textworlds
from textworlds.levels.making import grade_levels, window_of

NUM_LEVELS = 1000
MOST_BINS = 80
BINS = 40  # of grades that are no whole numbers
IMAGES = Path(__file__).parent.parent / "docs" / "images"
TITLES = {
    "pushes": "fewest pushes",
    "moves": "fewest moves",
    "nodes": "nodes, positions expanded",
    "branching": "branching, mean ways on",
    "irreversible": "irreversible, share of plan",
}
ON_LOG_SCALE = {"nodes"}
INK, BARS = "#757b84", "#4c8dd6"  # to be read on white as on black
LINES = {"color": "#d97706", "linestyle": "--", "linewidth": 1}
STYLE = {
    "font.size": 8,
    "svg.fonttype": "none",
    "svg.hashsalt": "textworlds",
    **{f"{part}.color": INK for part in ("text", "xtick", "ytick")},
    **{f"axes.{part}": INK for part in ("edgecolor", "labelcolor", "titlecolor")},
    **{f"axes.spines.{side}": False for side in ("left", "right", "top")},
}

Grades = dict[str, np.ndarray]  # name of a grade -> float64[L]


def grade_ids(puzzle: textworlds.Puzzle) -> dict[str, Grades]:
    """Return the grades of levels of each id, the easiest first: those with the smallest median of the first cost."""
    graded = {}
    for id, settings in puzzle.ids.items():
        print(f"{id} …", file=sys.stderr)
        settings = {name: value for name, value in settings.items() if name not in ("action_mask", "rewards")}
        episodes = textworlds.Episodes(puzzle, NUM_LEVELS, **settings)
        episodes.begin(np.arange(NUM_LEVELS), np.arange(NUM_LEVELS, dtype=np.uint64))
        columns = grade_levels(puzzle, episodes.worlds.pictures()).T
        graded[id] = dict(zip(puzzle.grades, columns, strict=True))
    return dict(sorted(graded.items(), key=lambda entry: np.nanmedian(entry[1][puzzle.costs[0]])))


def varying(graded: dict[str, Grades]) -> list[str]:
    """Return the names of the grades that are not the same for all levels."""
    names = next(iter(graded.values()))
    return [name for name in names if len(np.unique(np.concatenate([grades[name] for grades in graded.values()]))) > 1]


def bin_edges(name: str, values: np.ndarray) -> np.ndarray:
    """Return edges of bins for all values of a grade; around whole numbers, if they are."""
    least, most = values.min(), values.max()
    if name in ON_LOG_SCALE:
        return np.unique(np.round(np.geomspace(max(least, 1), most + 1, BINS))) - 0.5
    if (values != np.round(values)).any():
        return np.linspace(least, most, BINS + 1)
    width = step_of(values) * max(round((most - least) / step_of(values) / MOST_BINS), 1)
    return np.arange(least, most + 2 * width, width) - width / 2


def step_of(values: np.ndarray) -> int:
    """Return the largest number that all differences of whole numbers are multiples of."""
    return int(np.gcd.reduce((values - values.min()).astype(np.int64)))


def draw(puzzle: textworlds.Puzzle, graded: dict[str, Grades], path: Path) -> None:
    """Draw small multiples: a row for each id, a column for each grade."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    names = varying(graded)
    with plt.rc_context(STYLE):
        size = (1.7 + 1.9 * len(names), 0.9 + 0.72 * len(graded))
        figure, table = plt.subplots(len(graded), len(names), figsize=size, sharex="col", layout="constrained")
        for column, name in enumerate(names):
            values = np.concatenate([grades[name] for grades in graded.values()])
            edges = bin_edges(name, values[~np.isnan(values)])
            for row, (id, grades) in enumerate(graded.items()):
                window = window_of(puzzle, options_of(puzzle, id)) if name == puzzle.costs[0] else None
                draw_panel(table[row, column], name, grades[name], edges, window)
            table[-1, column].set_xlabel(TITLES[name])
        for row, id in enumerate(graded):
            size = f"{puzzle.ids[id]['height']} x {puzzle.ids[id]['width']}"
            table[row, 0].set_ylabel(
                f"{id.removesuffix('-v0')}\n{size}", rotation=0, ha="right", va="center", ma="right"
            )
        figure.suptitle(
            f"{NUM_LEVELS:,} levels of each id of {puzzle.name}, to each panel's own height; numbers: medians; "
            "dashed lines: the window",
            fontsize=8,
        )
        path.parent.mkdir(exist_ok=True)
        figure.savefig(path, transparent=True, metadata={"Date": None, "Creator": None})
        plt.close(figure)


def options_of(puzzle: textworlds.Puzzle, id: str):
    """Return what an id asks of the generator."""
    settings = puzzle.ids[id]
    return puzzle.options(**{name: settings[name] for name in puzzle.options._fields if name in settings})


def draw_panel(axes, name: str, values: np.ndarray, edges: np.ndarray, window: tuple[float, float] | None) -> None:
    """Draw the distribution of one grade of one id, its median and, if there is one, the window."""
    known = values[~np.isnan(values)]
    heights, _ = np.histogram(known, edges)
    if name in ON_LOG_SCALE:
        axes.set_xscale("log")
        axes.minorticks_off()
        axes.xaxis.set_major_formatter("{x:,.0f}")
        heights = heights / np.diff(np.log(edges))
    first, last = np.flatnonzero(heights)[[0, -1]]
    axes.stairs(heights[first : last + 1] / heights.max(), edges[first : last + 2], fill=True, color=BARS)
    if window is not None:
        half = step_of(known) / 2  # so that the lines stand beside the bars
        axes.vlines([edge for edge in (window[0] - half, window[1] + half) if np.isfinite(edge)], 0, 1, **LINES)
    axes.set_ylim(0, 1.5)
    axes.set_yticks([])
    median = np.percentile(known, 50, method="lower")
    axes.text(median, 1.06, f"{median:,.{digits_of(known)}f}", ha="center", va="bottom")


def print_table(puzzle: textworlds.Puzzle, graded: dict[str, Grades]) -> None:
    """Print windows, medians and, in brackets, where the middle 80 % lie, in Markdown."""
    names = varying(graded)
    print(f"\n| Id | Window on {puzzle.costs[0]} | {' | '.join(names)} |\n|---|---|{'---|' * len(names)}")
    for id, grades in graded.items():
        window = window_of(puzzle, options_of(puzzle, id))
        ends = f"{window[0]:.0f} to {window[1]:.0f}" if window else "-"
        print(f"| `{id}` | {ends} | {' | '.join(describe(grades[name]) for name in names)} |")


def describe(values: np.ndarray) -> str:
    """Say the median, the 10th and 90th percentile, and of how many values they are if some are not known."""
    known = values[~np.isnan(values)]
    low, median, high = (
        f"{value:,.{digits_of(known)}f}" for value in np.percentile(known, [10, 50, 90], method="lower")
    )
    unknown = f", {len(values) - len(known)} not known" if len(known) < len(values) else ""
    return f"{median} ({low}-{high}{unknown})"


def digits_of(values: np.ndarray) -> int:
    """Return after how many digits values are rounded."""
    return 0 if (values == np.round(values)).all() else 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "puzzles", nargs="*", metavar="PUZZLE", help=f"of {', '.join(textworlds.PUZZLES)}; default: all"
    )
    for name in parser.parse_args().puzzles or textworlds.PUZZLES:
        puzzle = textworlds.PUZZLES[name]
        graded = grade_ids(puzzle)
        draw(puzzle, graded, IMAGES / f"grades-{name}.svg")
        print_table(puzzle, graded)


if __name__ == "__main__":
    main()
