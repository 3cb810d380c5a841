"""Train two players to meet in mazes: PPO of Stable-Baselines3, one network for both, on thousands of joint turns a second.

Needs stable-baselines3 (pip install stable-baselines3). Each agent of each world is an environment of its own to the
library; what both have in common is the world, the network and the reward. Prints how often a random pair and the
trained one meet, in mazes of the test split, which training never sees.

Run: python examples/train_pair.py
"""

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium import spaces
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecEnv

from textworlds import PUZZLES
from textworlds.grid import GOAL, ITEM, SOLID
from textworlds.multi import JointEpisodes

TASK = {"height": 9, "width": 9, "num_agents": 2, "meeting": 1, "loops": 50, "min_moves": 6, "turn_limit": 16}
NETWORK = {"observation": "picture", "action": "discrete"}


def make_pairs(num_worlds: int, seed: int, **settings: Any) -> JointEpisodes:
    """Return worlds of two players each, begun."""
    joint = JointEpisodes(PUZZLES["maze"], num_worlds, **TASK, **NETWORK, **settings)
    joint.begin(np.arange(num_worlds), seed + np.arange(num_worlds, dtype=np.uint64))
    return joint


def see(joint: JointEpisodes) -> np.ndarray:
    """Return what each agent sees as numbers for a small network, float32[N * A, D], itself first."""
    pictures = joint.pictures()
    board, agents = pictures[:, :, 0], pictures[:, :, -joint.num_agents :]
    things = np.stack([board & flag for flag in (SOLID, GOAL, ITEM)], axis=2)
    return (
        (np.concatenate([things, agents], axis=2) > 0).astype(np.float32).reshape(-1, np.prod(pictures.shape[-2:]) * 5)
    )


class Pairs(VecEnv):
    """Each agent of each world as one environment of Stable-Baselines3."""

    def __init__(self, num_worlds: int, seed: int) -> None:
        self.joint = make_pairs(num_worlds, seed)
        seen = see(self.joint)
        space = spaces.Box(0, 1, seen.shape[1:], np.float32)
        super().__init__(len(seen), space, spaces.Discrete(self.joint.num_actions))

    def reset(self) -> np.ndarray:
        return see(self.joint)

    def step_async(self, actions: np.ndarray) -> None:
        self.actions = actions.reshape(self.joint.num_worlds, -1)

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        turn, over = self.joint.act(self.actions), np.flatnonzero(self.joint.over())
        last, infos = see(self.joint), [{} for _ in range(self.num_envs)]
        done = np.repeat(self.joint.over(), self.joint.num_agents)
        for place in np.flatnonzero(done):
            is_cut = bool(self.joint.book["truncated"][place // self.joint.num_agents])
            infos[place] = {"terminal_observation": last[place], "TimeLimit.truncated": is_cut}
        if len(over):
            self.joint.begin(over)
        return see(self.joint), turn.rewards.ravel().astype(np.float32), done, infos

    def close(self) -> None: ...

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        return [None] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None: ...

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        return [None] * self.num_envs

    def env_is_wrapped(self, wrapper_class: type, indices: Any = None) -> list[bool]:
        return [False] * self.num_envs


def success_rate(choose: Callable[[np.ndarray], np.ndarray], num_worlds: int = 1000) -> float:
    """Return the share of so many mazes of the test split in which the pair met in time."""
    joint = make_pairs(num_worlds, seed=0, split="test")
    while not joint.over().all():
        joint.act(choose(see(joint)).reshape(num_worlds, -1))
    return float(joint.book["terminated"].mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=800_000, help="actions of both agents together")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    random, pairs = np.random.default_rng(0), Pairs(64, seed=arguments.seed << 32)
    print(f"a random pair meets in {success_rate(lambda seen: random.integers(5, size=len(seen))):.1%} of test mazes")
    size = {"net_arch": [128, 128]}
    model = PPO(
        "MlpPolicy",
        pairs,
        n_steps=32,
        batch_size=1024,
        n_epochs=4,
        ent_coef=0.01,
        seed=0,
        policy_kwargs=size,
        device="cpu",
    )
    model.learn(arguments.steps)
    rate = success_rate(lambda seen: model.predict(seen, deterministic=False)[0])
    print(f"the trained pair meets in {rate:.1%}, after {arguments.steps:,} actions")


if __name__ == "__main__":
    main()
