"""Floors and aims, and what falls: comparisons of figures, and no measuring."""

import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from benchmarks.cases import PEER

SOKOBAN, MAZE, TAXI = "Sokoban 10x10, 4 boxes", "Maze 11x11", "Taxi 5x5, Gymnasium's map"
FALL = 0.75  # of the committed ratio: less is a fall

Rounds = Mapping[str, Sequence[float]]  # name of a measure -> its value in each round


class Aim(NamedTuple):
    """What a measure must not miss, and what it should reach.

    Attributes:
        measure: its name.
        floor, aim: bounds, of the measure or of its ratio.
        over: the measure that it is divided by, or "".
        at_most: whether it should be small.
    """

    measure: str
    floor: float
    aim: float
    over: str = ""
    at_most: bool = False


def turns(kind: str, messages: str) -> str:
    return f"{SOKOBAN}, 4096 worlds: {kind} in and out, 3 actions, {messages}"


C_COPY, C_TAXI = f"C {SOKOBAN}, 4096 worlds: board copied", f"C {TAXI}, 4096 worlds: state number"
JUMANJI = f"Jumanji {SOKOBAN}, 4096 worlds: board, loop inside JAX"
ONE_THREAD = f"{SOKOBAN}, 8192 worlds: picture, all cores to one thread"
FIRST = "first step of 64 worlds, all imports included, drawn level"
AIMS = (
    Aim(f"{SOKOBAN}, 4096 worlds: picture", 10, 20, JUMANJI),
    Aim(f"{SOKOBAN}, 4096 worlds: picture", 1 / 3, 0.6, C_COPY),
    Aim(f"{SOKOBAN}, 64 worlds: picture", 12e6, 25e6),
    Aim(f"{MAZE}, 4096 worlds: picture", 40e6, 60e6),
    Aim(f"{TAXI}, 4096 worlds: picture", 100e6, 200e6),
    Aim(f"{TAXI}, 4096 worlds: picture", 1 / 3, 0.65, C_TAXI),
    Aim(f"{SOKOBAN}, 4096 worlds: picture, no novelty", 1 / 3, 0.6, C_COPY),
    Aim(f"{SOKOBAN}, 8192 worlds: picture, 2 threads", 1.6, 1.85, ONE_THREAD),
    Aim(f"{SOKOBAN}, 65536 worlds: picture, 2 threads", 1.6, 1.85, ONE_THREAD.replace("8192", "65536")),
    Aim(f"{SOKOBAN}, 4096 worlds: text, numbers in", 2.5e6, 4.5e6),
    Aim(f"{SOKOBAN}, 4096 worlds: text as bytes, numbers in", 15e6, 40e6),
    Aim(turns("text", "messages repeat"), 0.5e6, 1.5e6),
    Aim(turns("text", "all messages differ"), 0.5e6, 1.5e6),
    Aim(turns("bytes", "messages repeat"), 5e6, 5e6),
    Aim(turns("bytes", "all messages differ"), 5e6, 5e6),
    Aim(f"{SOKOBAN}, 1 world, gym.make: picture", 300e3, 700e3),
    Aim(f"{SOKOBAN}, 1 world, gym.make: text in and out, 1 action", 200e3, 600e3),
    Aim(f"{SOKOBAN}, 1 world, gym.make: picture", 1, 5, f"Gymnasium {PEER}, 1 world, gym.make: state number"),
    Aim(f"{SOKOBAN}, 1 conversation: interactive, 3 actions", 10e3, 20e3),
    Aim(f"{SOKOBAN}, 1 conversation: predict, all wrong, 3 actions", 10e3, 20e3),
    Aim(f"{SOKOBAN}, 256 conversations: interactive, 3 actions", 10e3, 20e3),
    Aim(f"{SOKOBAN}, 4096 worlds: joint turns of 2 agents", 0.4, 0.5, f"{SOKOBAN}, 4096 worlds: turns of 1 agent"),
    Aim("Sokoban-medium-v0: levels made", 2_000, 30_000),
    Aim("Sokoban-expert-v0: levels made", 30, 200),
    Aim("Maze-hard-v0: levels made", 50_000, 250_000),
    Aim("Taxi-easy-v0: levels made", 50_000, 100_000),
    Aim("import textworlds, once gymnasium is imported", 0.15, 0.05, at_most=True),
    Aim(f"{FIRST}, warm cache", 1.5, 1.1, at_most=True),
    Aim(f"{FIRST}, empty cache", 6, 3.5, at_most=True),
    Aim("memory of 65536 worlds of Sokoban 10x10, reset", 100, 50, at_most=True),
    Aim("memory of 65536 worlds of Sokoban 10x10, after 250 turns", 100, 50, at_most=True),
)  # fmt: skip

# What has a C reference, with the same obligations or as near as there is.
REFERENCES = {
    f"{SOKOBAN}, {number}: picture": f"C {SOKOBAN}, {number}: board copied"
    for number in ("1 world", "64 worlds", "4096 worlds", "65536 worlds")
} | {
    f"{TAXI}, {number}: picture": f"C {TAXI}, {number}: picture"
    for number in ("1 world", "64 worlds", "4096 worlds", "65536 worlds")
} | {
    f"{SOKOBAN}, 4096 worlds: text, numbers in": f"C {SOKOBAN}, 4096 worlds: text by byte shuffle, numbers in",
    f"{SOKOBAN}, 4096 worlds: text as bytes, numbers in": f"C {SOKOBAN}, 4096 worlds: text by byte shuffle, numbers in",
}  # fmt: skip


def ratios(rounds: Rounds, measure: str, over: str) -> list[float]:
    """Return a measure divided by another in each round, as a machine that wanders does not do so within one."""
    return [one / other for one, other in zip(rounds[measure], rounds[over])]


def value_of(aim: Aim, rounds: Rounds) -> float | None:
    """Return what an aim speaks of, or None if it was not measured."""
    if aim.measure not in rounds or (aim.over and aim.over not in rounds):
        return None
    return statistics.median(ratios(rounds, aim.measure, aim.over) if aim.over else rounds[aim.measure])


def verdict(aim: Aim, value: float | None) -> str:
    """Return "met" or "MISSED" for the floor; "aim met" if that is reached too."""
    if value is None:
        return "not measured"
    sign = -1 if aim.at_most else 1
    if sign * value >= sign * aim.aim:
        return "met, aim too"
    return "met" if sign * value >= sign * aim.floor else "MISSED"


def reference_ratios(rounds: Rounds) -> dict[str, float]:
    """Return what share of its C reference each case reaches, the median of all rounds."""
    return {
        measure: statistics.median(ratios(rounds, measure, over))
        for measure, over in REFERENCES.items()
        if measure in rounds and over in rounds
    }


def falls(committed: Mapping[str, float], measured: Mapping[str, float]) -> list[str]:
    """Return a line for each case whose ratio fell by more than a quarter, or that is no longer there."""
    lines = []
    for name, before in committed.items():
        now = measured.get(name)
        if now is None:
            lines.append(f"{name}: was {before:.3f} of C, is no longer measured")
        elif now < FALL * before:
            lines.append(f"{name}: fell from {before:.3f} to {now:.3f} of C, by {1 - now / before:.0%}")
    return lines
