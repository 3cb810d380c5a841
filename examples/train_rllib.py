"""Train a small network with RLlib's PPO, a batch of worlds in each env runner.

Needs RLlib (pip install "textworlds[rllib]").

Run: python examples/train_rllib.py --id Maze-easy-v0 --iterations 20 --runners 2
"""

import argparse
from functools import partial

import gymnasium as gym
from ray.rllib.algorithms.ppo import PPOConfig
from ray.tune.registry import register_env

from textworlds.integrations.rllib import Anneal, make_env
from textworlds.wmact import find_method


def main() -> None:
    parser = argparse.ArgumentParser(description="Train a small network with RLlib's PPO.")
    parser.add_argument("--id", default="Maze-easy-v0")
    parser.add_argument("--method", default="rescaled", help="wmact also lowers the limit on turns")
    parser.add_argument("--iterations", type=int, default=20)
    parser.add_argument("--runners", type=int, default=0, help="processes beside this one that play")
    parser.add_argument("--worlds", type=int, default=64)
    parser.add_argument("--batch", type=int, default=4096)
    parser.add_argument("--turn-limit", type=int, default=30)
    asked = parser.parse_args()
    register_env("textworlds", make_env)
    settings = {"id": asked.id, "method": asked.method, "turn_limit": asked.turn_limit}
    config = (
        PPOConfig()
        .environment("textworlds", env_config=settings)
        .env_runners(
            num_env_runners=asked.runners,
            num_envs_per_env_runner=asked.worlds,
            gym_env_vectorize_mode=gym.VectorizeMode.VECTOR_ENTRY_POINT,
        )
        .training(train_batch_size=asked.batch, minibatch_size=min(1024, asked.batch), num_epochs=4, lr=1e-3)
        .callbacks(partial(Anneal, find_method(asked.method).limit(asked.turn_limit, tau=5)))
        .debugging(seed=0)
    )
    algorithm = config.build_algo()
    for _ in range(asked.iterations):
        result = algorithm.train()
        found = result["env_runners"]
        print(
            f"reward {found['episode_return_mean']:.3f}, turns {found['episode_len_mean']:.1f}, "
            f"L_max {result['turn_limit']}"
        )
    algorithm.stop()


if __name__ == "__main__":
    main()
