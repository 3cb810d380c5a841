"""Views, and teams at play, for several test files."""

import numpy as np
import pytest

from textworlds import PUZZLES
from textworlds.ids import find_team_id
from textworlds.multi import JointEpisodes

VIEWS = {
    "window": {"view": 5},
    "cell": {"view": 1},
    "sight": {"sight": True},
    "window-sight": {"view": 7, "sight": True},
    "window-fog": {"view": 3, "fog": True},
    "sight-fog": {"sight": True, "fog": True},
    "all": {"view": 5, "sight": True, "fog": True},
}
NUMBERS = {"observation": "picture", "action": "discrete"}

every_view = pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
every_fog = pytest.mark.parametrize("view", [view for view in VIEWS.values() if "fog" in view])
every_puzzle = pytest.mark.parametrize("puzzle", PUZZLES.values(), ids=PUZZLES)


def joint_of(id, num_worlds=1, seed=0, **changed):
    """Return worlds of an id for teams, begun with the seeds from `seed` up."""
    puzzle, defaults = find_team_id(id)
    joint = JointEpisodes(puzzle, num_worlds, **{**defaults, **changed})
    joint.begin(np.arange(num_worlds), seed + np.arange(num_worlds, dtype=np.uint64))
    return joint


def corridor(cells):
    """Return a drawing of a corridor; the exit is out of reach, so that it is no maze to meet in."""
    edge = "#" * (len(cells) + 2)
    return f"{edge}\n#{cells}#\n{edge}\n#.{edge[2:]}\n{edge}"
