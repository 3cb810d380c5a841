"""RLlib: many worlds as the vector environment of each env runner, and a callback that anneals the limit on turns.

examples/train_rllib.py shows the settings it needs.
"""

from collections.abc import Mapping
from typing import Any

from gymnasium.vector import VectorWrapper
from ray.rllib.callbacks.callbacks import RLlibCallback

from textworlds.integrations.batches import make_batch
from textworlds.integrations.bits import FlatBits
from textworlds.wmact import TurnLimit


def make_env(context: Mapping[str, Any]) -> Any:
    """Return the worlds of one env runner.

    Args:
        context: RLlib's: env_config with `id`, and if wanted `method` and settings that replace the id's; and num_envs.
    """
    return OwnSeeds(FlatBits(make_batch(**{"num_envs": 1, **context})))


class OwnSeeds(VectorWrapper):
    """Gives N worlds the N seeds from N times their env runner's on: RLlib numbers the runners' own seeds one by one."""

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        return self.env.reset(seed=seed * self.num_envs if isinstance(seed, int) else seed, options=options)


TURNS = "turns_of_episodes"


class Anneal(RLlibCallback):  # type: ignore[misc]
    """Lower the turn limit of all env runners by the episodes of each iteration; results have it as `turn_limit`.

    RLlib makes the callback itself: `config.callbacks(functools.partial(Anneal, limit))`.

    Args:
        limit: what lowers it.
    """

    def __init__(self, limit: TurnLimit) -> None:
        super().__init__()
        self.limit = limit

    def on_episode_end(self, *, episode: Any, metrics_logger: Any, **others: Any) -> None:
        metrics_logger.log_value(TURNS, len(episode), reduce="item_series")

    def on_train_result(self, *, algorithm: Any, result: dict[str, Any], **others: Any) -> None:
        turns = result["env_runners"].pop(TURNS, [])
        result["turn_limit"] = self.limit.record(turns) if len(turns) else self.limit.value
        self._set(algorithm.env_runner_group)

    def on_env_runners_recreated(self, *, env_runner_group: Any, **others: Any) -> None:
        self._set(env_runner_group)

    def _set(self, env_runner_group: Any) -> None:
        value = self.limit.value

        def set_limit(runner: Any) -> None:
            if runner.env is not None:
                runner.env.unwrapped.turn_limit = value

        env_runner_group.foreach_env_runner(set_limit)
