"""TorchRL: many worlds as one environment of tensors, whose limit on turns can be annealed."""

from typing import Any

import gymnasium
from torchrl.envs import GymWrapper, StepCounter, TransformedEnv

import textworlds  # registers the ids
from textworlds.wmact import Method, TurnLimit, find_method

assert textworlds


def make_env(id: str, num_envs: int, method: str | Method = "interactive", **settings: Any) -> TransformedEnv:
    """Return N worlds of an id as a TorchRL environment: pictures, one action a turn, and `step_count`.

    Args:
        id: as for gym.make_vec.
        num_envs: N.
        method: how episodes are paid; a name in textworlds.wmact.METHODS, or a Method.
        **settings: replace the id's.
    """
    chosen = {"observation": "picture", "action": "discrete", "autoreset_mode": "SameStep", **settings}
    method = find_method(method) if isinstance(method, str) else method
    full = id if "/" in id else f"textworlds/{id}"
    envs: Any = gymnasium.make_vec(full, num_envs=num_envs, **chosen)
    wrapped = method.wrap(envs)
    wrapped.autoreset_mode = envs.unwrapped.autoreset_mode  # which TorchRL looks for on the outside
    return TransformedEnv(GymWrapper(wrapped), StepCounter())


def anneal(env: TransformedEnv, limit: TurnLimit, batch: Any) -> int:
    """Lower the turn limit of worlds that are collected in this process, by the episodes that a batch ended; return it."""
    over = batch["next", "done"]
    if over.any():
        env.unwrapped.turn_limit = limit.record(batch["next", "step_count"][over].tolist())
    return limit.value
