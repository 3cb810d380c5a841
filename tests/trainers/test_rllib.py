"""RLlib trains on our batches, one in each env runner."""

import numpy as np
import pytest

pytest.importorskip("ray.rllib")

import gymnasium as gym
import ray
from ray.rllib.algorithms.ppo import PPOConfig
from ray.tune.registry import register_env

from textworlds import Episode
from textworlds.integrations.bits import bits_of
from textworlds.integrations.rllib import make_env

ID = "Maze-easy-v0"


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
            .environment("textworlds", env_config={"id": ID, "method": "rescaled", "turn_limit": 8})
            .env_runners(
                num_env_runners=num_env_runners,
                num_envs_per_env_runner=4,
                gym_env_vectorize_mode=gym.VectorizeMode.VECTOR_ENTRY_POINT,
            )
            .training(train_batch_size=64, minibatch_size=32, num_epochs=1)
        )
        algorithm = config.build_algo()
        result = algorithm.train()
        assert result["env_runners"]["num_episodes"] > 0 and result["env_runners"]["episode_len_max"] <= 8
        algorithm.stop()
    finally:
        ray.shutdown()
