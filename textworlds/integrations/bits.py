"""Pictures for small networks: a plane of 0 and 1 for each bit of a cell's tile flags."""

from typing import Any

import numpy as np
from gymnasium.spaces import Box
from gymnasium.vector import VectorEnv, VectorObservationWrapper
from gymnasium.vector.utils import batch_space


def bits_of(pictures: np.ndarray) -> np.ndarray:
    """Return pictures, uint8[N, P, H, W], as planes of bits, uint8[N, 8 * P, H, W]."""
    count, planes, height, width = pictures.shape
    return np.unpackbits(pictures[:, :, None], axis=2).reshape(count, 8 * planes, height, width)


class FlatBits(VectorObservationWrapper):
    """Worlds seen as rows of bits, float32[N, 8 * P * H * W]; not for autoreset in the same step."""

    def __init__(self, envs: VectorEnv) -> None:
        super().__init__(envs)
        size = 8 * int(np.prod(envs.single_observation_space.shape or ()))
        self.single_observation_space = Box(0, 1, (size,), np.float32)
        self.observation_space = batch_space(self.single_observation_space, envs.num_envs)

    def observations(self, observations: Any) -> np.ndarray:
        return bits_of(observations).reshape(len(observations), -1).astype(np.float32)
