"""How a report words numbers, limits, methods and machines."""

import math
from collections.abc import Mapping
from typing import Any

from textworlds.wmact import Method

MACHINE = {
    "processor": "{}",
    "cores": "{} cores",
    "device": "trained on {}",
    "python": "Python {}",
    "torch": "PyTorch {}",
}
MACHINE |= {"parameters": "a network of {} weights"}
MISSING = "–"


def percent(share: float | None, digits: int = 1) -> str:
    """Write a share in percent."""
    return MISSING if share is None or math.isnan(share) else f"{share:.{digits}%}"


def number(value: float | None, digits: int = 2) -> str:
    """Write a number."""
    return MISSING if value is None or math.isnan(value) else f"{value:,.{digits}f}"


def duration(seconds: float) -> str:
    """Write a time in seconds, minutes or hours, as suits it."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def counted(count: int, noun: str) -> str:
    """Write a count with its noun."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def interval(low: float, high: float, is_share: bool) -> str:
    """Write an interval of what is never negative, nor above 1 if it is a share; empty where there is none."""
    if math.isnan(low) or math.isnan(high):
        return ""
    low = max(low, 0.0)
    return f"{100 * low:.1f}–{min(high, 1.0):.1%}" if is_share else f"{low:,.2f}–{high:,.2f}"


def in_turns(limit: int) -> str:
    """Say what a limit on turns allows."""
    return "in one turn" if limit == 1 else f"in up to {limit} turns"


def method_in_words(method: Method) -> str:
    """Say what a method is, from its attributes."""
    shares = {"changed": " times the share of actions that changed the world", None: ""}
    said = ["one turn" if method.single_turn else "many turns"]
    said.append("pays the outcome" + shares.get(method.scaled_by, " times the share of actions that led somewhere new"))
    if method.step_penalty:
        said.append(f"less {method.step_penalty:g} a turn")
    if method.anneals:
        said.append("L_max falls")
    return ", ".join(said)


def machine_in_words(machine: Mapping[str, Any]) -> str:
    """Say what a run was trained on, from its summary's machine."""
    return ", ".join(form.format(machine[name]) for name, form in MACHINE.items() if name in machine)
