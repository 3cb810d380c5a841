"""TorchRL takes our batches as environments of tensors."""

import math

import numpy as np
import pytest

pytest.importorskip("torchrl")

import torch
from torchrl.collectors import Collector
from torchrl.envs.utils import check_env_specs

from textworlds import PUZZLES, Episode
from textworlds.integrations.torchrl import anneal, make_env
from textworlds.wmact import TurnLimit

IDS = [next(iter(puzzle.ids)) for puzzle in PUZZLES.values()]
SMALL = {"height": 5, "width": 5, "min_moves": 1, "max_moves": 3}  # mazes that are soon solved by chance


@pytest.mark.parametrize("id", IDS)
def test_specs_hold_and_worlds_are_those_of_the_seed(id):
    env = make_env(id, 3)
    check_env_specs(env)
    env.set_seed(5)
    seen = env.reset()["observation"]
    for world in range(3):
        episode = Episode(id, observation="picture", action="discrete")
        episode.reset(5 + world)  # as set_seed does by itself
        np.testing.assert_array_equal(seen[world].numpy(), episode.reset())


def test_a_method_pays_the_outcome_times_the_share():
    env, episode = make_env(IDS[1], 1, "rescaled"), Episode(IDS[1], action="discrete")
    env.set_seed(2)
    data = env.reset()
    episode.reset(2), episode.reset()
    useless, plan, rewards = int(np.flatnonzero(~episode.action_mask())[0]), episode.solve(), []
    for action in [useless, *plan]:
        data["action"] = env.action_spec.zero()
        data["action"][0, action] = 1
        data = env.step(data)
        rewards.append(data["next", "reward"].item())
        done = data["next", "done"].item()
        data = data["next"].exclude("reward")
    assert done and rewards == pytest.approx([0.0] * len(plan) + [len(plan) / (len(plan) + 1)])


def test_a_collector_goes_on_through_the_ends_of_episodes():
    env = make_env(IDS[1], 4, "wmact", turn_limit=3)
    batches = list(Collector(env, None, frames_per_batch=64, total_frames=128))
    assert [batch.numel() for batch in batches] == [64, 64]
    done = torch.cat([batch["next", "done"] for batch in batches], 1)
    assert done.sum() >= 40


def test_the_turn_limit_falls_by_the_episodes_of_each_batch():
    env, limit, limits = make_env(IDS[1], 4, turn_limit=8, **SMALL), TurnLimit(8, tau=1, rounding="down"), [8]
    env.set_seed(0), torch.manual_seed(0)
    for number, batch in enumerate(Collector(env, None, frames_per_batch=128, total_frames=512)):
        turns = batch["next", "step_count"][batch["next", "done"]].double()
        assert turns.max() <= limits[max(0, number - 1)]  # episodes that were under way keep the limit they began with
        limits.append(min(limits[-1], math.floor((turns.mean() + turns.max()) / 2)))
        assert anneal(env, limit, batch) == limits[-1]
    assert limits[3] < limits[1] < 8
