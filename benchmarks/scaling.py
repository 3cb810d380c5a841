"""How the time of a step grows: with worlds, board sizes, boxes, and actions a turn.

Levels are drawn here, at random and whether they can be solved or not, so that no generator decides what there is.
"""

from collections.abc import Iterator
from itertools import count
from typing import Any

import gymnasium as gym
import numpy as np

from benchmarks.cases import NETWORK, SOKOBAN, Case, in_turn, message_rows, random_rows

NUM_WORLDS = 1024  # where it is not they that vary
AXES = {  # what varies -> its values
    "worlds": (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536),
    "board size": (6, 8, 10, 16, 24, 32, 48, 64),
    "boxes": (1, 2, 4, 8, 16, 32),
    "actions a turn": (1, 2, 4, 8, 16, 32, 64),
}
NUM_LEVELS = 64


def draw_levels(size: int, num_boxes: int) -> list[str]:
    """Return drawings of square boards with boxes, goals and a player at random cells, a tenth of the rest walls."""
    rng = np.random.default_rng(0)
    drawings = []
    for _ in range(NUM_LEVELS):
        board = np.full((size, size), "#")
        inner = (size - 2) ** 2
        free = inner - 2 * num_boxes - 1
        things = list("@" + num_boxes * "$." + free // 10 * "#" + (free - free // 10) * "-")
        board[1:-1, 1:-1] = rng.permutation(things).reshape(size - 2, size - 2)
        drawings.append("\n".join(map("".join, board)))
    return drawings


def all_cases() -> Iterator[Case]:
    """Yield a case for each value on each axis."""
    for axis, values in AXES.items():
        for value in values:
            yield make(name_of(axis, value), axis, value)


def name_of(axis: str, value: int) -> str:
    return f"scaling, {axis}: {value}"


def make(name: str, axis: str, value: int) -> Case:
    """Return the case of one value, all else as usual: 10x10, 4 boxes, or 16x16 where boxes vary."""
    size = value if axis == "board size" else 16 if axis == "boxes" else 10
    num_boxes = value if axis == "boxes" else 4
    num_worlds = value if axis == "worlds" else NUM_WORLDS
    settings: dict[str, Any] = {"levels": draw_levels(size, num_boxes), "autoreset_mode": "SameStep"}
    if axis != "actions a turn":
        envs = gym.make_vec(SOKOBAN, num_worlds, **settings, **NETWORK)
        envs.reset(seed=0)
        return Case(name, "steps", in_turn(envs.step, random_rows(4, num_worlds), num_worlds))
    envs = gym.make_vec(SOKOBAN, num_worlds, **settings)
    envs.reset(seed=0)
    rows, places = message_rows(num_worlds, value), count()

    def play(row: list[str]) -> int:
        envs.step(row)
        return num_worlds

    return Case(name, "messages", play, lambda: rows[next(places) % len(rows)])
