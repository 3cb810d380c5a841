"""The leaderboard: one HTML page of results, sortable, that needs nothing else; every text in it is escaped."""

import html
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

from textworlds.evaluation.results import SETTINGS, cell, shown_in_tables
from textworlds.evaluation.scores import MEASURES
from textworlds.levels.columns import replacing

PAGE = Path(__file__).parent / "leaderboard.html"
FIRST = ("id", "protocol")  # settings that stand before the model
SHORT = 8  # digits of a digest that are shown


def write_leaderboard(results: Sequence[Mapping[str, Any]], path: str | os.PathLike[str]) -> None:
    """Write the page of results, as read_result returns them, whole or not at all."""
    with replacing(path) as file:
        file.write(render(results).encode())


def render(results: Sequence[Mapping[str, Any]]) -> str:
    """Return the page: a row for each model of each result, the same row but once."""
    rows = sorted(row_of(result, model) for result in results for model in result["models"])
    lines = dict.fromkeys(row for *_, row in rows)
    titles = [*FIRST, "model", "played", *(MEASURES[name].title for name in shown_in_tables())]
    titles += [*(name.replace("_", " ") for name in SETTINGS if name not in FIRST), "sampling", "versions"]
    head = "".join(f"<th><button>{escape(title)}</button></th>" for title in titles)
    return Template(PAGE.read_text("utf-8")).substitute(head=head, rows="\n".join(lines))


def row_of(result: Mapping[str, Any], model: Mapping[str, Any]) -> tuple[list[str], float, str]:
    """Return a row with what it is sorted by at first: all settings, so that what can be compared stands together, and success."""
    played = f"{model['scores']['success']['known']} of {result['num_levels']}"
    said = said_of(result)
    cells = [setting_cell(*said(name)) for name in FIRST]
    cells += [f"<td>{escape(model['model'])}</td>", f"<td>{escape(played)}</td>"]
    for name in shown_in_tables():
        mean = model["scores"][name]["mean"]
        value = "" if mean is None else f"{mean:.6g}"
        cells.append(f'<td class="number" data-value="{value}">{escape(cell(model["scores"], name))}</td>')
    cells += [setting_cell(*said(name)) for name in SETTINGS if name not in FIRST]
    cells.append(f"<td>{escape(json.dumps(model['sampling'], sort_keys=True))}</td>")
    packages = result.get("packages")
    versions = " ".join(f"{k} {v}" for k, v in packages.items()) if isinstance(packages, dict) else ""
    cells.append(f"<td>{escape(versions)}</td>")
    return (
        [said(name)[0] for name in SETTINGS],
        -(model["scores"]["success"]["mean"] or 0.0),
        f"<tr>{''.join(cells)}</tr>",
    )


def setting_cell(full: str, shown: str) -> str:
    """Return the cell of a setting."""
    return f'<td title="{escape(full)}">{escape(shown)}</td>'


def said_of(result: Mapping[str, Any]) -> Any:
    """Return a function of a setting's name: its value in full, and as the page shows it."""

    def said(name: str) -> tuple[str, str]:
        value = result[name]
        full = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        return full, full[:SHORT] if name.endswith("sha256") else full

    return said


def escape(text: object) -> str:
    """Return a text for HTML, within quotes too."""
    return html.escape(str(text), quote=True)
