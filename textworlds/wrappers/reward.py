"""Rewards that look at what the actions did: the effective-action reward of WMAct, its variant, and a step penalty.

R_scaled = R * N_eff / N over the whole episode, paid with its last turn (arXiv 2511.23476). N counts every action that
was asked for, played or not; an unread message adds nothing to it. For N = 0 the ratio is 0. Only R >= 0 is scaled.
Penalties are added after scaling: StepPenalty goes around EffectiveActionReward.

Each wrapper has a single and a batched form, and takes the environments of this package and what wraps them.
"""

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import VectorEnv, VectorWrapper

COUNTS = {"changed": "num_changed", "novel": "num_novel"}
PER = {name: name for name in ("turn", "action")}


def scale_reward(reward: Any, counted: Any, asked: Any) -> np.ndarray:
    """Return R * counted / asked where R >= 0, and R elsewhere.

    Args:
        reward: float[N], R.
        counted: int[N], actions of the episode that count: N_eff, or the novel ones.
        asked: int[N], all actions asked for in the episode.

    Returns:
        float64[N]; 0 where R >= 0 and nothing was asked for.
    """
    ratio = np.asarray(counted) / np.maximum(asked, 1)
    return np.where(np.asarray(reward) >= 0, reward * ratio, reward)


class EffectiveActionReward(gym.Wrapper):
    """Scale what an episode pays for solving by the share of its actions that changed the world.

    Args:
        env: an environment of this package.
        count: "changed" for the paper's rule; "novel" to count only actions that led to a state not seen before in the
            episode, so that walking to and fro does not pay.
    """

    def __init__(self, env: gym.Env[Any, Any], count: str = "changed") -> None:
        super().__init__(env)
        self._counted = _choose_count(env, count)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, info = self.env.step(action)
        if terminated or truncated:
            outcome = info["outcome_reward"]
            reward = reward - outcome + scale_reward(outcome, info[self._counted], info["num_asked"]).item()
        return observation, float(reward), terminated, truncated, info


class StepPenalty(gym.Wrapper):
    """Take a penalty off the reward for every turn, or for every action asked for.

    Args:
        env: an environment of this package.
        penalty: what is taken off.
        per: "turn" or "action".
    """

    def __init__(self, env: gym.Env[Any, Any], penalty: float = 0.1, per: str = "turn") -> None:
        super().__init__(env)
        self.penalty = penalty
        self.per = _choose("per", per, PER)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, info = self.env.step(action)
        steps = info["asked"] if self.per == "action" else 1
        return observation, float(reward) - self.penalty * steps, terminated, truncated, info


class VectorEffectiveActionReward(VectorWrapper):
    """EffectiveActionReward for a vector environment, in every autoreset mode."""

    def __init__(self, env: VectorEnv, count: str = "changed") -> None:
        super().__init__(env)
        self._counted = _choose_count(env, count)

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        observation, reward, terminated, truncated, info = self.env.step(actions)
        ended = terminated | truncated
        outcome, counted, asked = (
            final_values(info, name, ended) for name in ("outcome_reward", self._counted, "num_asked")
        )
        scaled = reward - outcome + scale_reward(outcome, counted, asked)
        return observation, np.where(ended, scaled, reward), terminated, truncated, info


class VectorStepPenalty(VectorWrapper):
    """StepPenalty for a vector environment, in every autoreset mode."""

    def __init__(self, env: VectorEnv, penalty: float = 0.1, per: str = "turn") -> None:
        super().__init__(env)
        self.penalty = penalty
        self.per = _choose("per", per, PER)

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        observation, reward, terminated, truncated, info = self.env.step(actions)
        played = final_values(info, "_played", terminated | truncated)
        steps = played * final_values(info, "asked", terminated | truncated) if self.per == "action" else played
        return observation, reward - self.penalty * steps, terminated, truncated, info


def _choose_count(env: Any, count: str) -> str:
    """Return the name of the count; ValueError for one that there is not, or that the environment does not keep."""
    counted = _choose("count", count, COUNTS)
    episodes = getattr(env.unwrapped, "episodes", None)
    if episodes is not None and counted not in episodes.total_names:
        raise ValueError(f"count={count!r} needs an environment with novelty=True")
    return counted


def final_values(info: dict[str, Any], name: str, ended: np.ndarray) -> np.ndarray:
    """Return numbers of the vector info, float64[N], from before the autoreset where an episode ended, bool[N]."""
    now = np.array(info[name], np.float64)
    if "final_info" in info:
        now[ended] = info["final_info"][name][ended]
    return now


def _choose(argument: str, value: str, known: dict[str, str]) -> str:
    if value not in known:
        raise ValueError(f"unknown {argument} {value!r}; known: {', '.join(known)}")
    return known[value]
