"""The states that an episode has seen, whatever the others of the batch do."""

import gymnasium as gym
import numpy as np

from textworlds import Episode
from textworlds.history import LEFT, MASK, MIN_SLOTS, History, forget_all_but, remember

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


def test_tables_know_what_they_were_told_and_grow_one_by_one():
    history, rng = History(3, True), np.random.default_rng(0)
    naive = [set(), set(), set()]
    forget = forget_all_but.lean()
    for world in range(3):
        forget(history.tables, world, np.uint64(2))
        naive[world].add(2)
    for turn in range(60):
        history.make_room(12)
        for world, number in ((0, 12), (1, 2), (2, 0)):
            for key in rng.integers(1, 300, number).astype(np.uint64) * np.uint64(2):
                is_new = remember(history.tables, world, key)
                assert is_new == (int(key) not in naive[world])
                naive[world].add(int(key))
        history.room = int(history.tables.places[:, LEFT].min())
        slots, left = history.tables.places[:, MASK] + 1, history.tables.places[:, LEFT]
        assert (left >= 0).all() and [*(slots - slots // 8 - left)] == [*map(len, naive)]
        if turn == 30:
            kept, before = history.copy(), [set(seen) for seen in naive]
    assert slots[0] > slots[1] > slots[2] == MIN_SLOTS
    assert kept.tables.places[0, MASK] < slots[0] and [*map(len, before)] < [*map(len, naive)]
    forget(history.tables, 0, np.uint64(4))
    assert history.tables.places[0, LEFT] == slots[0] - slots[0] // 8 - 1


def test_worlds_that_keep_no_states_have_room_for_ever():
    history = History(5, False)
    history.make_room(10**9)
    assert not history.keeps and not len(history.tables.keys)
