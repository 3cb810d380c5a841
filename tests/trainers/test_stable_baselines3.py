"""Stable-Baselines3 trains on our worlds, paid and limited as a method says."""

import numpy as np
import pytest

pytest.importorskip("stable_baselines3")

from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecMonitor

from textworlds import PUZZLES, Episode
from textworlds.integrations.bits import bits_of
from textworlds.integrations.stable_baselines3 import Anneal, TextWorldVecEnv
from textworlds.wmact import METHODS

IDS = [next(iter(puzzle.ids)) for puzzle in PUZZLES.values()]
TINY = {"policy_kwargs": {"net_arch": [8]}, "n_steps": 8, "batch_size": 32, "n_epochs": 1, "device": "cpu"}


@pytest.mark.parametrize("id", IDS)
def test_it_plays_what_episodes_play(id):
    envs, random = TextWorldVecEnv(id, 3, seed=5, turn_limit=7), np.random.default_rng(0)
    episodes = [Episode(id, observation="picture", action="discrete", turn_limit=7) for _ in range(3)]
    seen = envs.reset()
    expected = [episode.reset(5 + world) for world, episode in enumerate(episodes)]
    for _ in range(30):
        np.testing.assert_array_equal(seen, bits_of(np.array(expected)))
        assert envs.observation_space.contains(seen[0])
        actions = random.integers(envs.action_space.n, size=3)
        seen, rewards, done, infos = envs.step(actions)
        results = [episode.act(int(action)) for episode, action in zip(episodes, actions, strict=True)]
        assert rewards.tolist() == [result.reward for result in results]
        for world, result in enumerate(results):
            over = result.terminated or result.truncated
            assert done[world] == over and ("terminal_observation" in infos[world]) == over
            if over:
                np.testing.assert_array_equal(infos[world]["terminal_observation"], bits_of(result.text[None])[0])
                assert infos[world]["TimeLimit.truncated"] == result.truncated
                assert infos[world]["num_changed"] == result.ledger["num_changed"]
        expected = [
            episode.reset() if result.terminated or result.truncated else result.text
            for episode, result in zip(episodes, results, strict=True)
        ]


def test_a_method_pays_the_outcome_times_the_share():
    envs = TextWorldVecEnv(IDS[1], 1, "rescaled", seed=2)
    episode = Episode(IDS[1], action="discrete")
    envs.reset(), episode.reset(2)
    useless = int(np.flatnonzero(~episode.action_mask())[0])
    plan = episode.solve()
    rewards = [envs.step(np.array([action]))[1].item() for action in [useless, *plan]]
    assert rewards == pytest.approx([0.0] * len(plan) + [len(plan) / (len(plan) + 1)])


@pytest.mark.parametrize("id", IDS)
def test_ppo_trains_under_a_limit_that_falls(id):
    envs = TextWorldVecEnv(id, 4, "wmact", turn_limit=6)
    anneal = Anneal(METHODS["wmact"].limit(start=6, tau=1, rounding="down"))
    model = PPO("MlpPolicy", VecMonitor(envs), **TINY)
    before = [weights.clone() for weights in model.policy.parameters()]
    model.learn(128, callback=anneal)
    assert any((one != other).any() for one, other in zip(before, model.policy.parameters(), strict=True))
    assert anneal.limit.iteration >= 3 and envs.get_attr("turn_limit") == [anneal.limit.value] * 4


def test_masks_are_those_of_the_worlds():
    envs = TextWorldVecEnv(IDS[0], 3, seed=4)
    envs.reset()
    masks = np.stack(envs.env_method("action_masks"))
    assert envs.has_attr("action_masks") and masks.shape == (3, envs.action_space.n) and masks.dtype == bool
    assert (np.stack(envs.env_method("action_masks", indices=[2])) == masks[2:]).all()
    for world in range(3):
        episode = Episode(IDS[0], action="discrete")
        episode.reset(4 + world)
        assert masks[world].tolist() == episode.action_mask().tolist()
