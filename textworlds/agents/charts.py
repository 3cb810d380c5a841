"""Charts as SVG text for a page: learning curves, and intervals by method.

A chart is drawn in colours that stand for CSS variables of the page, so that one drawing serves light and dark pages. Series
differ in colour, in dashes and in markers. The same numbers give the same text.
"""

import html
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

INK, RULE = "#fade00", "#fade01"
SERIES = ("#fade11", "#fade12", "#fade13", "#fade14", "#fade15", "#fade16")
VARIABLES = {INK: "var(--muted)", RULE: "var(--rule)"}
VARIABLES |= {colour: f"var(--series-{number})" for number, colour in enumerate(SERIES, 1)}
DASHES: tuple[Any, ...] = (
    "solid",
    (0, (5, 1.6)),
    (0, (1.2, 1.2)),
    (0, (6, 1.5, 1.2, 1.5)),
    (0, (2.6, 1.2)),
    (0, (9, 2)),
)
MARKERS = "os^Dv<"
STYLE: Any = {
    **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.labelcolor", "ytick.labelcolor"), INK),
    **dict.fromkeys(("axes.edgecolor", "grid.color", "xtick.color", "ytick.color"), RULE),
    **dict.fromkeys(("axes.spines.top", "axes.spines.right"), False),
    **{"axes.grid": True, "axes.grid.axis": "y", "axes.axisbelow": True, "grid.linewidth": 0.6},
    **{"font.size": 12, "lines.linewidth": 1.7, "lines.markersize": 4.5},
    **{"svg.fonttype": "none", "svg.hashsalt": "textworlds", "text.parse_math": False},
}
WIDTH, HEIGHT = 360.0, 216.0  # of curves, in CSS pixels
LONGEST_NAME = 24  # of a method, in characters
MOST_POINTS = 200  # of a line: beyond what such a chart can show


class Line(NamedTuple):
    """A line of P points.

    Attributes:
        name: in the legend.
        style: number of its colour, dashes and marker.
        points: iteration -> value, in order.
        low, high: float64[P], a band around it; None for none.
        raw: float64[P], what the line is a smoothed form of, drawn faintly; None for nothing.
        steps: whether values hold until the next point.
    """

    name: str
    style: int
    points: Mapping[int, float]
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    raw: np.ndarray | None = None
    steps: bool = False


def smoothed(name: str, style: int, points: Mapping[int, float]) -> Line:
    """Return a line of running means over a twentieth of all points, with the points themselves behind it."""
    raw = np.fromiter(points.values(), float)
    reach = len(raw) // 40
    means = [raw[max(0, place - reach) : place + reach + 1].mean() for place in range(len(raw))]
    return Line(name, style, dict(zip(points, means, strict=True)), raw=raw)


def mean_of(name: str, style: int, curves: Sequence[Mapping[int, float]], steps: bool = False) -> Line:
    """Return the mean of curves where all of them have a point, in a band from the least to the most."""
    places = [place for place in curves[0] if all(place in curve for curve in curves)]
    values = np.array([[curve[place] for place in places] for curve in curves])
    points = dict(zip(places, values.mean(0).tolist(), strict=True))
    return Line(name, style, points, values.min(0), values.max(0), steps=steps)


def draw_curves(title: str, lines: Sequence[Line], is_share: bool) -> dict[str, Any]:
    """Return a chart of lines over iterations: its title, its svg, and its legend of (name, svg)."""
    lines = [line for line in lines if line.points]
    with matplotlib.rc_context(STYLE):
        figure = new_figure(HEIGHT)
        axes = figure.add_axes((0.125, 0.21, 0.85, 0.75))
        for line in lines:
            draw_line(axes, line)
        axes.set_xlabel("iteration")
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10]))
        axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
        axes.set_ylim(bottom=min(0.0, axes.dataLim.y0))
        if is_share:
            axes.set(ylim=(-0.02, 1.02), yticks=(0, 0.25, 0.5, 0.75, 1))
            axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        svg = svg_of(figure, title, "; ".join(said(line, is_share) for line in lines) or "nothing yet")
    return {"title": title, "svg": svg, "legend": [(line.name, draw_key(line.style)) for line in lines]}


def draw_line(axes: Any, line: Line) -> None:
    """Draw a line, its band, and what it was smoothed from; at most MOST_POINTS points of it, the last one included."""
    shown = np.unique(np.linspace(0, len(line.points) - 1, min(len(line.points), MOST_POINTS)).astype(int))
    x, y = np.fromiter(line.points, int)[shown], np.fromiter(line.points.values(), float)[shown]
    look, every = look_of(line.style), max(1, -(-len(x) // 8))
    if line.low is not None and line.high is not None:
        step = "post" if line.steps else None
        axes.fill_between(x, line.low[shown], line.high[shown], color=look["color"], alpha=0.13, linewidth=0, step=step)
    if line.raw is not None:
        axes.plot(x, line.raw[shown], color=look["color"], alpha=0.3, linewidth=0.7)
    places = line.style % len(SERIES) * every // len(SERIES), every
    axes.plot(x, y, **look, markevery=places, drawstyle="steps-post" if line.steps else "default")


def look_of(style: int) -> dict[str, Any]:
    """Return the colour, dashes and marker of a number; those that share a colour differ in the rest."""
    number, kinds = style + style // len(SERIES), len(SERIES)
    return {"color": SERIES[style % kinds], "linestyle": DASHES[number % kinds], "marker": MARKERS[number % kinds]}


def draw_key(style: int) -> str:
    """Return the sample of a series' line that stands in a legend."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(36 / 72, 12 / 72))
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, 1), ylim=(-1, 1))
        axes.set_axis_off()
        axes.plot([0.04, 0.5, 0.96], [0, 0, 0], **look_of(style), markevery=[1])
        return svg_of(figure)


def draw_intervals(title: str, rows: Sequence[tuple[str, int, Mapping[str, Any]]]) -> dict[str, Any]:
    """Return a chart of shares: for each (name, style, spread) a mean with its interval, and the seeds' values faintly."""
    with matplotlib.rc_context(STYLE | {"axes.grid.axis": "x"}):
        names = [name if len(name) <= LONGEST_NAME else f"{name[:8]}…{name[9 - LONGEST_NAME :]}" for name, _, _ in rows]
        height, left = 44.0 + 26.0 * len(rows), (20 + 7.0 * max(map(len, names))) / WIDTH
        figure = new_figure(height)
        axes = figure.add_axes((left, 30 / height, 0.955 - left, 1 - 40 / height))
        for place, (_, style, spread) in enumerate(rows):
            look, values = look_of(style), spread["values"]
            colour, low, high = look["color"], max(spread["low"], 0.0), min(spread["high"], 1.0)
            axes.plot(values, [place + 0.3] * len(values), ".", color=colour, alpha=0.55, markersize=4, clip_on=False)
            axes.plot([low, high], [place] * 2, color=colour, linewidth=2.2, solid_capstyle="butt")
            axes.plot([spread["mean"]], [place], look["marker"], color=colour, markersize=6.5, clip_on=False)
        axes.set(xlim=(0, 1), xticks=(0, 0.25, 0.5, 0.75, 1), ylim=(len(rows) - 0.5, -0.6))
        axes.set_yticks(range(len(rows)), names)
        axes.tick_params("y", length=0)
        axes.spines["left"].set_visible(False)
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        label = "; ".join(f"{name} {spread['mean']:.1%}" for name, _, spread in rows)
        return {"title": title, "svg": svg_of(figure, title, label), "legend": []}


def said(line: Line, is_share: bool) -> str:
    """Say where a line starts and ends, for those who cannot see it."""
    points = list(line.points.items())
    form = "{:.0%} at iteration {}" if is_share else "{:.2f} at iteration {}"
    return f"{line.name} from {form.format(*points[0][::-1])} to {form.format(*points[-1][::-1])}"


def new_figure(height: float) -> Figure:
    """Return an empty figure, WIDTH wide, in CSS pixels."""
    return Figure(figsize=(WIDTH / 72, height / 72))


def svg_of(figure: Figure, title: str = "", label: str = "") -> str:
    """Return a figure as an svg element that scales, in the page's colours and font; label is what it says aloud."""
    file = io.StringIO()
    metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(file, format="svg", transparent=True, metadata=metadata)
    body = file.getvalue()
    body = re.sub(
        r"<style.*?</style>| ?font-family: [^;]+;|<!--.*?-->", "", body[body.index("<svg") :], flags=re.DOTALL
    )
    body = re.sub(r'<g id="[^"]*"', "<g", body)
    body = re.sub(r"(\.\d\d)\d{3,}", r"\1", body)
    body = re.sub(r"#fade\d\d", lambda found: VARIABLES[found[0]], body)
    size = " ".join(f"{72 * side:.0f}" for side in figure.get_size_inches())
    aloud = 'aria-hidden="true">'
    if title:
        aloud = f'role="img" aria-label="{html.escape(f"{title}: {label}")}"><title>{html.escape(title)}</title>'
    return re.sub("<svg[^>]*>", lambda _: f'<svg viewBox="0 0 {size}" {aloud}', body, count=1)


def with_own_ids(svg: str, number: int) -> str:
    """Return an svg whose ids are no other's in the page, if each is given another number."""
    return re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>c{number}-", svg)
