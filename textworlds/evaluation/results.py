"""Result files: what was played, under which versions, by whom, and what it came to."""

import importlib.metadata
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from textworlds.evaluation.scores import MEASURES, summarise
from textworlds.levels.columns import replacing
from textworlds.version import __version__

FORMAT, VERSION = "textworlds result", 1
PACKAGES = ("inspect_ai", "numpy", "numba", "openai")
LARGEST = 1 << 28  # bytes of a result file
MOST = 1e300  # that a measure may be; NaN is not less
# What makes numbers comparable: two results that agree in all of it were asked the same.
SETTINGS = (
    "id",
    "levels",
    "num_levels",
    "levels_sha256",
    "protocol",
    "observation",
    "grammar",
    "prompts",
    "history",
    "shots",
    "turn_limit",
    "max_actions",
    "settings",
)


def result(said: Mapping[str, Any], models: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a result for its file.

    Args:
        said: what was played; see SETTINGS.
        models: for each: model, sampling (what was asked for of running.SAMPLING), usage, and episodes, dicts
            with a level's place and its measures.
    """
    rows = [
        {
            "model": model["model"],
            "sampling": dict(model["sampling"]),
            "usage": model["usage"],
            "scores": {name: summarise(model["episodes"], name)._asdict() for name in MEASURES},
            "episodes": list(model["episodes"]),
        }
        for model in models
    ]
    return {"format": FORMAT, "version": VERSION, **said, "packages": packages(), "models": rows}


def packages() -> dict[str, str]:
    """Return the versions of what plays a part, as far as it is installed."""
    found = {"textworlds": __version__}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def write_result(record: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Write a result to a file, whole or not at all."""
    with replacing(path) as file:
        file.write((json.dumps(record, indent=1) + "\n").encode("ascii"))


def read_result(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the result in a file.

    Raises:
        OSError: if it cannot be opened.
        ValueError: if it is none; the text names the file.
    """
    name = os.fsdecode(path)
    with open(path, "rb") as file:
        text = file.read(LARGEST + 1)
    try:
        record = json.loads(text) if len(text) <= LARGEST else None
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise ValueError(f"{name}: is no result of `textworlds evaluate`")
    if record.get("version") != VERSION:
        raise ValueError(f"{name}: is of version {record.get('version')!r:.20}; this program reads {VERSION}")
    try:
        check_result(record)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{name}: is damaged ({type(error).__name__}: {error})") from None
    return record


def check_result(record: Mapping[str, Any]) -> None:
    """Raise LookupError, TypeError, ValueError or AttributeError unless a result holds what is read of it."""
    json.dumps(record, ensure_ascii=False).encode()  # which halves of surrogate pairs cannot be
    for name in SETTINGS:
        record[name]
    for model in record["models"]:
        if not isinstance(model["model"], str):
            raise TypeError("a model's name is text")
        model["sampling"]
        for name in MEASURES:
            check_summary(name, *(model["scores"][name][part] for part in ("mean", "low", "high", "known")))


def check_summary(name: str, mean: Any, low: Any, high: Any, known: Any) -> None:
    """Raise TypeError unless a measure's summary is made of numbers, or says that there are none."""
    numbers = [value for value in (mean, low, high) if value is not None]
    if not all(type(value) in (int, float) and abs(value) < MOST for value in numbers) or type(known) is not int:
        raise TypeError(f"{name} is no number")
    if (low is None) != (high is None) or (mean is None and low is not None):
        raise TypeError(f"{name} has half an interval")


def cell(scores: Mapping[str, Any], name: str, with_interval: bool = True) -> str:
    """Write a measure as tables show it: "43.8 % (31.2 to 56.2)"."""
    summary, measure = scores[name], MEASURES[name]
    if summary["mean"] is None:
        return "-"
    factor, unit = (100, " %") if measure.is_share else (1, "")
    mean, low, high = (None if summary[part] is None else factor * summary[part] for part in ("mean", "low", "high"))
    if low is None or not with_interval:
        return f"{mean:.1f}{unit}"
    return f"{mean:.1f}{unit} ({low:.1f} to {high:.1f})"


def shown_in_tables() -> list[str]:
    """Return the names of the measures that tables show."""
    return [name for name, measure in MEASURES.items() if measure.in_tables]


def table(record: Mapping[str, Any]) -> str:
    """Return the table that an evaluation ends in: a line a model, with 95 % intervals."""
    shown = [name for name in shown_in_tables() if any(model["scores"][name]["known"] for model in record["models"])]
    rows = [["model", "levels", *(MEASURES[name].title for name in shown)]]
    for model in record["models"]:
        count = model["scores"]["success"]["known"]
        rows.append([model["model"], str(count), *(cell(model["scores"], name) for name in shown)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
