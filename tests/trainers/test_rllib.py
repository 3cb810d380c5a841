"""RLlib trains on our batches, one in each env runner."""

from functools import partial

import numpy as np
import pytest

pytest.importorskip("ray.rllib")

import gymnasium as gym
import ray
from ray.rllib.algorithms.ppo import PPOConfig
from ray.tune.registry import register_env

from textworlds import Episode
from textworlds.integrations.bits import bits_of
from textworlds.integrations.rllib import Anneal, make_env
from textworlds.wmact import TurnLimit

ID = "Maze-easy-v0"
SMALL = {"height": 5, "width": 5, "min_moves": 1, "max_moves": 3}  # mazes that are soon solved by chance


def test_env_runners_whose_seeds_are_neighbours_play_levels_of_their_own():
    envs = make_env({"id": ID, "num_envs": 3, "method": "rescaled"})
    seen, _ = envs.reset(seed=2)
    for world in range(3):
        picture = Episode(ID, observation="picture", action="discrete").reset(6 + world)
        np.testing.assert_array_equal(seen[world], bits_of(picture[None]).reshape(-1))
        assert envs.single_observation_space.contains(seen[world])


@pytest.fixture
def build():
    """Return what builds a PPO with so many env runners, its callback's limit, and a list of what that is told."""
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    register_env("textworlds", make_env)
    built = []

    def make(num_env_runners, limit):
        config = (
            PPOConfig()
            .environment("textworlds", env_config={"id": ID, "method": "rescaled", "turn_limit": 8, **SMALL})
            .env_runners(
                num_env_runners=num_env_runners,
                num_envs_per_env_runner=4,
                gym_env_vectorize_mode=gym.VectorizeMode.VECTOR_ENTRY_POINT,
            )
            .training(train_batch_size=64, minibatch_size=32, num_epochs=1)
            .callbacks(partial(Anneal, limit))
            .fault_tolerance(restart_failed_env_runners=True)
        )
        built.append(config.build_algo())
        (callback,) = built[0].callbacks if isinstance(built[0].callbacks, list) else [built[0].callbacks]
        told, record = [], callback.limit.record
        callback.limit.record = lambda turns: told.append(list(turns)) or record(turns)
        return built[0], callback.limit, told

    yield make
    for algorithm in built:
        algorithm.stop()
    ray.shutdown()


@pytest.mark.parametrize("num_env_runners", [0, 1])
def test_ppo_trains(num_env_runners, build):
    algorithm, limit, told = build(num_env_runners, TurnLimit(8, tau=1, rounding="down"))
    limits = [algorithm.train()["turn_limit"] for _ in range(4)]
    longest = [max(turns) for turns in told]
    assert 8 > limits[0] >= limits[1] >= limits[2] >= limits[3] and limits[3] == limit.value
    assert longest[0] == 8 and longest[2] <= limits[0] and longest[3] <= limits[1]  # what was under way keeps its own


def test_an_env_runner_that_is_made_anew_has_the_limit_of_now(build):
    algorithm, limit, told = build(1, TurnLimit(8, tau=None))
    algorithm.train()
    assert max(told.pop()) > 3
    limit.value = 3
    ray.kill(algorithm.env_runner_group._worker_manager.actors()[1], no_restart=False)
    restored = "total_num_restored_workers"
    for _ in range(20):
        algorithm.train()
        if algorithm._counters[restored]:
            break
    assert algorithm._counters[restored] == 1 and max(max(turns) for turns in told if turns) == 3
