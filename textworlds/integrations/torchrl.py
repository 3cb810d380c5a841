"""TorchRL: many worlds as one environment of tensors, whose limit on turns can be annealed."""

from typing import Any

from torchrl.envs import GymWrapper, StepCounter, TransformedEnv

from textworlds.integrations.batches import make_batch
from textworlds.wmact import Method, TurnLimit


def make_env(id: str, num_envs: int, method: str | Method = "interactive", **settings: Any) -> TransformedEnv:
    """Return N worlds of an id as a TorchRL environment with `step_count`; arguments as for make_batch."""
    envs = make_batch(id, num_envs, method, **{"autoreset_mode": "SameStep", **settings})
    envs.autoreset_mode = envs.unwrapped.autoreset_mode  # which TorchRL looks for on the outside
    return TransformedEnv(GymWrapper(envs), StepCounter())


def anneal(env: TransformedEnv, limit: TurnLimit, batch: Any) -> int:
    """Lower the turn limit of worlds that are collected in this process, by the episodes that a batch ended; return it."""
    over = batch["next", "done"]
    if over.any():
        env.unwrapped.turn_limit = limit.record(batch["next", "step_count"][over].tolist())
    return limit.value
