"""Stable-Baselines3: many worlds as one VecEnv, and a callback that anneals the limit on turns."""

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv

from textworlds.integrations.batches import make_batch
from textworlds.integrations.bits import bits_of
from textworlds.wmact import Method, TurnLimit


class TextWorldVecEnv(VecEnv):
    """N worlds of an id that Stable-Baselines3 plays action by action, each seen as planes of bits, uint8[8 * P, H, W].

    The infos of finished episodes have SB3's `terminal_observation` and `TimeLimit.truncated`, and `solved`, `num_turns`,
    `num_asked` and `num_changed`. `env_method("action_masks")` has each world's mask, bool[A].

    Args:
        id, num_envs, method, **settings: as for integrations.batches.make_batch.
        seed: world i plays the levels of seed + i.
    """

    def __init__(
        self, id: str, num_envs: int, method: str | Method = "interactive", seed: int = 0, **settings: Any
    ) -> None:
        self.envs = make_batch(id, num_envs, method, **{"autoreset_mode": "SameStep", **settings})
        self.worlds: Any = self.envs.unwrapped
        planes, height, width = self.worlds.single_observation_space.shape
        space = Box(0, 1, (8 * planes, height, width), np.uint8)
        self._seed, self._actions = seed, np.zeros(num_envs, np.int64)
        super().__init__(num_envs, space, self.worlds.single_action_space)

    def reset(self) -> np.ndarray:
        pictures, _ = self.envs.reset(seed=self._seed)
        self._seed = None  # type: ignore[assignment] # from now on each world goes on with its own
        return bits_of(pictures)

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Let the next reset begin with the levels of seed, seed + 1, ..."""
        self._seed = 0 if seed is None else seed
        return [self._seed + world for world in range(self.num_envs)]

    def step_async(self, actions: np.ndarray) -> None:
        self._actions = actions

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        pictures, rewards, terminated, truncated, info = self.envs.step(self._actions)
        done = terminated | truncated
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for world in np.flatnonzero(done).tolist():
            last = {name: info["final_info"][name][world].item() for name in ENDINGS}
            seen = bits_of(info["final_obs"][world][None])[0]
            infos[world] = last | {"terminal_observation": seen, "TimeLimit.truncated": bool(truncated[world])}
        return bits_of(pictures), rewards.astype(np.float32), done, infos

    def close(self) -> None:
        self.envs.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        return [getattr(self.worlds, attr_name)] * len(list(self._get_indices(indices)))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Set an attribute of all worlds, as turn_limit."""
        setattr(self.worlds, attr_name, value)

    def env_method(self, method_name: str, *arguments: Any, indices: Any = None, **options: Any) -> list[Any]:
        every = getattr(self.worlds, method_name)(*arguments, **options)
        return [every[world] for world in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class: type[gymnasium.Wrapper], indices: Any = None) -> list[bool]:
        return [False] * len(list(self._get_indices(indices)))


ENDINGS = ("solved", "num_turns", "num_asked", "num_changed")


class Anneal(BaseCallback):
    """Lower the turn limit of a TextWorldVecEnv by the episodes of each rollout.

    Args:
        limit: what lowers it.
    """

    def __init__(self, limit: TurnLimit) -> None:
        super().__init__()
        self.limit = limit
        self._turns: list[int] = []

    def _on_step(self) -> bool:
        self._turns += [info["num_turns"] for info in self.locals["infos"] if "num_turns" in info]
        return True

    def _on_rollout_end(self) -> None:
        if self._turns:
            self.training_env.set_attr("turn_limit", self.limit.record(self._turns))
            self._turns = []
