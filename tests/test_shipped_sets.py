"""The level sets that come with the package: what they hold, and that nothing of them is ever trained on.

`python tests/test_shipped_sets.py` makes those that are missing and writes down the checksums of all. A set made anew
changes what papers compare with, so the version of an id whose set changes rises.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from textworlds import Episode, LevelSet, all_ids, find_id, overlaps
from textworlds.levels.content import SPLITS, TEST, split_of
from textworlds.levels.factory import Job, in_threads, make_set
from textworlds.levels.files import SHIPPED, shipped
from textworlds.levels.leaks import duplicates

CHECKSUMS = Path(__file__).with_name("shipped_sets.json")
COUNT = 256
# The classic map has 300 starts, of which so many are in the test split.
FEWER = {"Taxi-classic-v0": 36, "WMAct-Taxi-v0": 36}
IDS = [id.removeprefix("textworlds/") for id in all_ids()]


def set_of(id):
    return LevelSet.open(SHIPPED / f"{id}-test.npz")


def test_there_is_a_test_set_for_each_id_and_no_other():
    assert shipped() == tuple(sorted(f"{id}-test" for id in IDS))


@pytest.mark.parametrize("id", IDS)
def test_a_set_is_what_it_always_was(id):
    levels = set_of(id)
    assert levels.meta["sha256"] == json.loads(CHECKSUMS.read_text())[id]
    levels.check()


@pytest.mark.parametrize("id", IDS)
def test_a_set_holds_different_levels_of_the_test_split(id):
    levels = set_of(id)
    assert len(levels) == FEWER.get(id, COUNT)
    assert not duplicates(levels)
    assert {int(split_of(key)) for key in levels.column("key")} == {TEST}


@pytest.mark.parametrize("id", IDS)
def test_the_costs_of_all_levels_are_proven_and_in_the_window(id):
    levels, (puzzle, settings) = set_of(id), find_id(id)
    for cost in puzzle.costs:
        assert (levels.column(cost) >= 0).all()
        assert (levels.column(cost) >= settings.get(f"min_{cost}", 0)).all()
        assert (levels.column(cost) <= (settings.get(f"max_{cost}", 0) or np.inf)).all()


@pytest.mark.parametrize("id", IDS)
def test_certificates_are_kept_by_the_plans(id):
    episode = Episode(id, levels=f"{id}-test", action="discrete", turn_limit=10_000)
    for index in range(0, len(set_of(id)), 16):
        episode.reset(index=index)
        certificate = episode.certificate()
        plan = episode.solve(objective="moves")
        assert len(plan) == certificate["moves"]
        for action in plan:
            result = episode.act(action)
        assert result.terminated and result.ledger["solved"]


@pytest.mark.parametrize("id", IDS)
def test_nothing_of_a_set_is_played_in_other_splits(id):
    """The leak checker finds none of the set in training and validation levels, and would find it in test levels."""
    shown = {}
    for split in SPLITS:
        episode = Episode(id, split=split, observation="picture")
        shown[split] = [episode.reset(seed=0 if place == 0 else None) for place in range(60)]
    levels, (puzzle, _) = set_of(id), find_id(id)
    assert not overlaps(levels, shown["train"], puzzle)
    assert not overlaps(levels, shown["validation"], puzzle)
    assert overlaps(levels, shown["test"], puzzle), "the set begins with the first levels of seed 0"


if __name__ == "__main__":
    sums = {}
    for id in IDS:
        path = SHIPPED / f"{id}-test.npz"
        if not path.exists():
            make_set(Job(id, "test", 0, {}, all_costs=True), COUNT, path, in_threads, 2, up_to=id in FEWER)
        sums[id] = LevelSet.open(path).meta["sha256"]
        print(path.name, sums[id], flush=True)
    CHECKSUMS.write_text(json.dumps(sums, indent=1) + "\n")
