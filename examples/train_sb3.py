"""Train a small network with Stable-Baselines3's PPO, under WMAct's reward and its limit on turns that falls.

Needs Stable-Baselines3 (pip install "textworlds[stable-baselines3]"). Prints how often it solves levels of the split test.

Run: python examples/train_sb3.py --id Maze-easy-v0 --steps 300000
"""

import argparse

import numpy as np
from stable_baselines3 import PPO

from textworlds.integrations.stable_baselines3 import Anneal, TextWorldVecEnv
from textworlds.wmact import find_method


def share_solved(model: PPO, id: str, num_worlds: int, **settings: object) -> float:
    """Return the share of the first episode of so many worlds that a model solves, in levels of the split test."""
    envs = TextWorldVecEnv(id, num_worlds, split="test", **settings)
    seen, solved = envs.reset(), np.full(num_worlds, np.nan)
    while np.isnan(solved).any():
        actions, _ = model.predict(seen)
        seen, _, done, infos = envs.step(actions)
        for world in np.flatnonzero(done & np.isnan(solved)):
            solved[world] = infos[world]["solved"]
    return float(solved.mean())


def main() -> None:
    parser = argparse.ArgumentParser(description="Train a small network with Stable-Baselines3's PPO.")
    parser.add_argument("--id", default="Maze-easy-v0")
    parser.add_argument("--method", default="wmact")
    parser.add_argument("--steps", type=int, default=300_000)
    parser.add_argument("--worlds", type=int, default=64)
    parser.add_argument("--turn-limit", type=int, default=30)
    asked = parser.parse_args()
    envs = TextWorldVecEnv(asked.id, asked.worlds, asked.method, turn_limit=asked.turn_limit)
    anneal = Anneal(find_method(asked.method).limit(asked.turn_limit, tau=10))
    model = PPO("MlpPolicy", envs, n_steps=64, batch_size=1024, ent_coef=0.01, device="cpu")
    before = share_solved(model, asked.id, 256, turn_limit=asked.turn_limit)
    model.learn(asked.steps, callback=anneal)
    after = share_solved(model, asked.id, 256, turn_limit=asked.turn_limit)
    print(f"solved: {before:.1%} before, {after:.1%} after {asked.steps:,} steps; L_max is {anneal.limit.value}")


if __name__ == "__main__":
    main()
