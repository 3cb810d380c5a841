"""The states that an episode has seen, whatever the others of the batch do."""

import gymnasium as gym
import numpy as np

from textworlds import Episode

WIDTH = 16
ROOM = "\n".join(
    [
        "#" * WIDTH,
        "#@" + "-" * (WIDTH - 3) + "#",
        *["#" + "-" * (WIDTH - 2) + "#"] * 11,
        "#-$." + "-" * 11 + "#",
        "#" * WIDTH,
    ]
)
RIGHT, WALK = "<action>right</action>", "right, " * 13 + "down, " + "left, " * 13 + "down, "


def say(*actions):
    return f"<action>{', '.join(actions)}</action>"


def test_tables_grow_for_the_world_that_has_seen_most_though_it_stood_still():
    walk = (WALK * 6).rstrip(", ").split(", ")
    first, rest = walk[:54], walk[54:150]
    alone, batch = (
        Episode("Sokoban-easy-v0", levels=[ROOM]),
        gym.make_vec("textworlds/Sokoban-easy-v0", 2, levels=[ROOM]),
    )
    alone.reset(seed=0)
    batch.reset(seed=0)
    for action in first:
        told = alone.act(say(action)).ledger
        info = batch.step([say(action), say("up")])[4]
        assert told["novel"] == [True] and info["novel"][0, 0]
    batch.step(["hm", RIGHT])  # only the other one finds anything
    alone.act("hm")
    info = batch.step([say(*rest), say("up")])[4]
    np.testing.assert_array_equal(info["novel"][0], alone.act(say(*rest)).ledger["novel"])
