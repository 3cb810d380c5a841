"""RLlib: many worlds as the vector environment of each env runner; examples/train_rllib.py shows the settings it needs."""

from collections.abc import Mapping
from typing import Any

import gymnasium
from gymnasium.vector import VectorWrapper

import textworlds  # registers the ids
from textworlds.integrations.bits import FlatBits
from textworlds.wmact import find_method

assert textworlds


def make_env(context: Mapping[str, Any]) -> Any:
    """Return the worlds of one env runner.

    Args:
        context: RLlib's: env_config with `id`, and if wanted `method` and settings that replace the id's; and num_envs.
    """
    settings = {"observation": "picture", "action": "discrete", **context}
    method, id = find_method(settings.pop("method", "interactive")), settings.pop("id")
    full = id if "/" in id else f"textworlds/{id}"
    envs = gymnasium.make_vec(full, num_envs=settings.pop("num_envs", 1), **settings)
    return OwnSeeds(FlatBits(method.wrap(envs)))


class OwnSeeds(VectorWrapper):
    """Gives N worlds the N seeds from N times their env runner's on: RLlib numbers the runners' own seeds one by one."""

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        return self.env.reset(seed=seed * self.num_envs if isinstance(seed, int) else seed, options=options)
