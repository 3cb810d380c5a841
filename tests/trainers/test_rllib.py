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


@pytest.mark.parametrize("num_env_runners", [0, 1])
def test_ppo_trains(num_env_runners):
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    register_env("textworlds", make_env)
    try:
        config = (
            PPOConfig()
            .environment("textworlds", env_config={"id": ID, "method": "rescaled", "turn_limit": 8, **SMALL})
            .env_runners(
                num_env_runners=num_env_runners,
                num_envs_per_env_runner=4,
                gym_env_vectorize_mode=gym.VectorizeMode.VECTOR_ENTRY_POINT,
            )
            .training(train_batch_size=64, minibatch_size=32, num_epochs=1)
            .callbacks(partial(Anneal, TurnLimit(8, tau=1, rounding="down")))
            .reporting(metrics_num_episodes_for_smoothing=1)
        )
        algorithm = config.build_algo()
        results = [algorithm.train() for _ in range(4)]
        limits, longest = zip(
            *((one["turn_limit"], one["env_runners"]["episode_len_max"]) for one in results), strict=True
        )
        assert 8 > limits[0] >= limits[1] >= limits[2] and limits[2] < limits[0] and longest[0] > limits[1]
        assert longest[3] <= limits[1]  # an episode that was under way keeps the limit it began with
        algorithm.stop()
    finally:
        ray.shutdown()
