"""The tables of docs/speed.md, between two marks, and its pictures, from benchmarks/results.json."""

import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import aims, scaling
from benchmarks.aims import MAZE, SOKOBAN, TAXI, Aim, Rounds
from benchmarks.cases import PEER
from benchmarks.grades import IMAGES, INK, STYLE

PAGE = Path(__file__).parent.parent / "docs" / "speed.md"
MARKS = ("<!-- written by make bench: from here -->", "<!-- written by make bench: to here -->")
SECTIONS = (  # title, and what is in the names of its measures; the first that fits
    ("", ("scaling",)),
    ("Starting, memory", ("import", "first step", "memory")),
    ("Levels", ("levels made", "levels certified", ": levels")),
    ("Resets", ("resets",)),
    ("Drawing", ("texts written", "pixels")),
    ("One environment", ("gym.make", "TextArena", "GEM", "reasoning-gym")),
    ("Conversations", ("conversation",)),
    ("Text and messages", ("text", "bytes")),
    ("Batches", ("",)),
)
OURS, THEIRS, LIMIT = "#4c8dd6", "#757b84", "#d97706"  # to be read on white as on black


def number(value: float) -> str:
    """Return a figure in three digits or whole."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def say(aim: Aim, value: float | None) -> str:
    """Return a line about an aim."""
    over = f" / {aim.over}" if aim.over else ""
    bound = "at most" if aim.at_most else "at least"
    measured = "" if value is None else f"{number(value)}, "
    return (
        f"{aims.verdict(aim, value):12} {aim.measure}{over}: {measured}"
        f"{bound} {number(aim.floor)}, aim {number(aim.aim)}"
    )


def write(results: dict[str, Any]) -> None:
    """Write the tables into the page, which is begun if there is none, and the pictures."""
    text = PAGE.read_text() if PAGE.exists() else f"# Speed\n\n{MARKS[0]}\n{MARKS[1]}\n"
    before, rest = text.split(MARKS[0])
    PAGE.write_text("\n".join([before + MARKS[0], "", *tables(results), MARKS[1] + rest.split(MARKS[1])[1]]))
    IMAGES.mkdir(exist_ok=True)
    draw_bars(results["rounds"], IMAGES / "speed-neighbours.svg")
    draw_scaling(results["rounds"], IMAGES / "speed-scaling.svg")


def tables(results: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of all tables, in Markdown."""
    machine, rounds = results["machine"], results["rounds"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    most = max(map(len, rounds.values()))
    yield f"`{results['command']}` on {machine['processor']}, {machine['cores']} cores, load {machine['load']:.1f};"
    yield f"{most} rounds, in which everything takes its turn on one core. {versions}.\n"
    for title, _ in reversed(SECTIONS):
        names = [name for name in rounds if section_of(name) == title]
        if title and names:
            yield f"### {title}\n\n| | median | min to max | unit | of the C reference |\n|---|---|---|---|---|"
            yield from (row(name, results) for name in names)
            yield ""
    yield "### Floors and aims\n\n| | measured | floor | aim | |\n|---|---|---|---|---|"
    for aim in aims.AIMS:
        value = aims.value_of(aim, rounds)
        over = f", over *{aim.over}*" if aim.over else ""
        said = "-" if value is None else number(value)
        bound = "at most " if aim.at_most else ""
        asked = f"{bound}{number(aim.floor)} | {number(aim.aim)}"
        yield f"| {aim.measure}{over} | {said} | {asked} | {aims.verdict(aim, value)} |"
    yield ""
    yield from (f"Not measured: {name}: {reason}.\n" for name, reason in results["missing"].items())


def section_of(name: str) -> str:
    return next(title for title, parts in SECTIONS if any(part in name for part in parts))


def row(name: str, results: dict[str, Any]) -> str:
    """Return a line of a table."""
    values, over = results["rounds"][name], aims.REFERENCES.get(name)
    share = "" if over not in results["rounds"] else f"{aims.reference_ratios(results['rounds'])[name]:.2f}"
    spread = f"{number(min(values))} to {number(max(values))}"
    return f"| {name} | {number(statistics.median(values))} | {spread} | {results['units'][name]} | {share} |"


BARS = {  # title -> names, the limit last
    "Sokoban, steps a second": (
        f"{SOKOBAN}, 4096 worlds: picture",
        f"{SOKOBAN}, 4096 worlds: picture, no novelty",
        f"Jumanji {SOKOBAN}, 4096 worlds: board, loop inside JAX",
        f"Jumanji {SOKOBAN}, 4096 worlds: board, a call a step",
        f"EnvPool {SOKOBAN}, 4096 worlds: board",
        f"C {SOKOBAN}, 4096 worlds: board copied",
    ),
    "Maze, steps a second": (
        f"{MAZE}, 4096 worlds: picture",
        "Jumanji Maze 10x10, 1024 worlds: board, loop inside JAX",
        "Jumanji Maze 10x10, 1024 worlds: board, a call a step",
    ),
    "Taxi, steps a second": (
        f"{TAXI}, 4096 worlds: picture",
        "EnvPool Taxi-v3, 4096 worlds: state number",
        f"Gymnasium {PEER}, 1 world, gym.make: state number",
        f"C {TAXI}, 4096 worlds: picture",
        f"C {TAXI}, 4096 worlds: state number",
    ),
    "Sokoban as text, turns or steps a second": (
        f"{SOKOBAN}, 4096 worlds: text as bytes, numbers in",
        f"{SOKOBAN}, 4096 worlds: text, numbers in",
        f"{SOKOBAN}, 4096 worlds: text in and out, 3 actions, messages repeat",
        f"{SOKOBAN}, 4096 worlds: text in and out, 3 actions, all messages differ",
        f"{SOKOBAN}, 1 world, gym.make: text in and out, 1 action",
        "TextArena Sokoban 6x6, 3 boxes, 1 world: text, one level",
        "GEM Sokoban 6x6, 2 boxes, 1 world: text, one level",
        f"C {SOKOBAN}, 4096 worlds: text by byte shuffle, numbers in",
    ),
}


def draw_bars(rounds: Rounds, path: Path) -> None:
    """Draw ours, the neighbours and the limit as bars on one logarithmic scale."""
    plt = pyplot()
    shown = {title: [name for name in names if name in rounds] for title, names in BARS.items()}
    heights = [len(names) + 1 for names in shown.values()]
    with plt.rc_context(STYLE):
        size = (8.6, 0.6 + 0.2 * sum(heights))
        figure, panels = plt.subplots(
            len(shown), 1, figsize=size, sharex=True, height_ratios=heights, layout="constrained"
        )
        for axes, (title, names) in zip(panels, shown.items()):
            middles = [statistics.median(rounds[name]) for name in names]
            axes.barh(names, middles, color=[colour_of(name) for name in names], height=0.7)
            for place, middle in enumerate(middles):
                axes.text(middle * 1.1, place, number(float(f"{middle:.3g}")), va="center")
            axes.set_title(title, loc="left", fontsize=8)
            axes.set_xscale("log")
            axes.invert_yaxis()
            axes.tick_params("y", length=0)
        panels[-1].set_xlim(1e4, 6e9)
        figure.suptitle("blue: textworlds; grey: its neighbours; orange: plain C. Each axis is logarithmic", fontsize=8)
        figure.savefig(path, transparent=True, metadata={"Date": None, "Creator": None})
        plt.close(figure)


def colour_of(name: str) -> str:
    if name.startswith("C "):
        return LIMIT
    return OURS if name.startswith((SOKOBAN, MAZE, TAXI)) else THEIRS


def draw_scaling(rounds: Rounds, path: Path) -> None:
    """Draw the time of a step against what it may grow with: a panel each, medians in a band from least to most."""
    plt = pyplot()
    with plt.rc_context(STYLE):
        figure, panels = plt.subplots(1, len(scaling.AXES), figsize=(9, 2.4), layout="constrained")
        for axes, (axis, values) in zip(panels, scaling.AXES.items()):
            shown = [value for value in values if scaling.name_of(axis, value) in rounds]
            draw_line(axes, shown, [rounds[scaling.name_of(axis, value)] for value in shown])
            axes.set_xlabel(axis)
        panels[0].set_ylabel("ns a step; last panel: a turn")
        figure.savefig(path, transparent=True, metadata={"Date": None, "Creator": None})
        plt.close(figure)


def draw_line(axes: Any, places: Sequence[int], rates: Sequence[Sequence[float]]) -> None:
    """Draw a line of nanoseconds, of rates a second, both axes logarithmic, each point with its figure."""
    times = [1e9 / np.array(values) for values in rates]
    middles = [float(np.median(values)) for values in times]
    axes.fill_between(places, [min(some) for some in times], [max(some) for some in times], color=OURS, alpha=0.25)
    axes.plot(places, middles, "o-", color=OURS, markersize=3, linewidth=1.2)
    axes.set(xscale="log", yscale="log", ylim=(min(middles) / 3, max(middles) * 3))
    axes.spines["left"].set_visible(True)
    axes.minorticks_off()
    axes.set_xticks(places[:: max(1, len(places) // 4)])
    axes.xaxis.set_major_formatter("{x:,.0f}")
    for place, middle in list(zip(places, middles))[:: max(1, len(places) // 4)]:
        axes.text(place, middle * 1.3, number(middle), ha="center", color=INK)


def pyplot() -> Any:
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    return plt
