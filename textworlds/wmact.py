"""The method of WMAct, for any trainer: what an episode pays, how many turns it may take, and five methods made of these.

From "Thinking by Doing" (arXiv 2511.23476): an agent answers with several actions a turn; an episode pays its outcome times
the share of its actions that changed the world; and the limit on turns falls as the agent needs fewer. No PyTorch here:

    method, limit = METHODS["wmact"], METHODS["wmact"].limit(start=30, tau=100)
    reward = method.reward(outcome, EpisodeStatistics.from_info(info))     # at the end of episodes
    limit.record(turns_of_all_episodes)                                    # at the end of each iteration
    envs.unwrapped.turn_limit = limit.value
"""

import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from textworlds.wrappers import (
    EffectiveActionReward,
    StepPenalty,
    VectorEffectiveActionReward,
    VectorStepPenalty,
    scale_reward,
)
from textworlds.wrappers.reward import final_values

ROUNDINGS: dict[str, Callable[[float], int]] = {"up": math.ceil, "down": math.floor, "nearest": round}


class EpisodeStatistics(NamedTuple):
    """What N episodes did, each float64[N] (or a number, for one): the counts that textworlds' infos carry."""

    num_turns: Any
    num_asked: Any
    num_changed: Any
    num_novel: Any

    @classmethod
    def from_info(cls, info: Mapping[str, Any], ended: np.ndarray | None = None) -> "EpisodeStatistics":
        """Read the info of an environment's step, single or vector.

        Args:
            info: what `step` returned.
            ended: bool[N], for a vector environment that resets in the same step: the episodes that it ended, whose
                counts are in final_info.
        """
        ended = np.zeros(np.shape(info["num_turns"]), bool) if ended is None else ended
        return cls(*(final_values(dict(info), name, ended) for name in cls._fields))

    @property
    def effective_share(self) -> Any:
        """N_eff / N: the share of all actions asked for that changed the world; 0 for N = 0."""
        return np.asarray(self.num_changed) / np.maximum(self.num_asked, 1)

    @property
    def novel_share(self) -> Any:
        """The share of all actions asked for that led to a state not seen before in the episode; 0 for N = 0."""
        return np.asarray(self.num_novel) / np.maximum(self.num_asked, 1)

    def means(self) -> dict[str, float]:
        """Return the mean turns and actions of the episodes, and the effective and novel share of all their actions."""
        asked = max(np.sum(self.num_asked), 1)
        return {
            "turns": float(np.mean(self.num_turns)),
            "actions": float(np.mean(self.num_asked)),
            "effective_share": float(np.sum(self.num_changed) / asked),
            "novel_share": float(np.sum(self.num_novel) / asked),
        }


class TurnLimit:
    """The annealed limit on turns, L_max.

    Every tau iterations, from the turns of the episodes of the last `window` iterations:

        L_max = ceil((mean turns + most turns) / 2)        never below `least`, never raised

    Args:
        start: L_max of the first iterations, in turns.
        tau: iterations between two annealings; None never anneals.
        window: iterations that an annealing looks back on; None for tau.
        solved_only: look at solved episodes only, in place of all; where there are none, the limit stays.
        rounding: "up", "down" or "nearest".
        least: what it never falls below.
        may_rise: whether it may also rise, up to `start`.

    Attributes:
        value: L_max now, for the next iteration's episodes.
        iteration: iterations recorded.
    """

    def __init__(
        self,
        start: int,
        tau: int | None = 100,
        *,
        window: int | None = None,
        solved_only: bool = False,
        rounding: str = "up",
        least: int = 1,
        may_rise: bool = False,
    ) -> None:
        if rounding not in ROUNDINGS:
            raise ValueError(f"unknown rounding {rounding!r}; known: {', '.join(ROUNDINGS)}")
        for name, value in {"start": start, "tau": tau, "window": window, "least": least}.items():
            if value is None and name in ("tau", "window"):
                continue
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
                raise ValueError(f"{name} must be a whole number of at least 1; got {value!r}")
        if least > start:
            raise ValueError(f"least must be at most start; got {least} and {start}")
        self.start, self.tau, self.least = int(start), tau, int(least)
        self.solved_only, self.may_rise, self._round = solved_only, may_rise, ROUNDINGS[rounding]
        self.value, self.iteration = int(start), 0
        self._recent: deque[np.ndarray] = deque(maxlen=window or tau or 1)

    def record(self, num_turns: Any, solved: Any = None) -> int:
        """Take in an iteration's episodes, and anneal if it is time; return L_max for the next iteration.

        Args:
            num_turns: int[N], the turns that each took, those that the limit cut off included.
            solved: bool[N]; needed for solved_only.
        """
        if self.solved_only and solved is None:
            raise ValueError("solved_only needs to know which episodes were solved")
        turns = np.asarray(num_turns, np.float64).reshape(-1)
        if not (counts := (turns >= 0) & np.isfinite(turns)).all():
            raise ValueError(f"turns are counts; got {turns[~counts][0]}")
        self._recent.append(turns[np.asarray(solved, bool)] if self.solved_only else turns)
        self.iteration += 1
        if self.tau is not None and self.iteration % self.tau == 0 and (recent := np.concatenate(self._recent)).size:
            highest = self.start if self.may_rise else self.value
            middle = self._round((recent.mean() + recent.max()) / 2)
            self.value = int(max(self.least, min(highest, middle)))
        return self.value

    def state_dict(self) -> dict[str, Any]:
        """Return what load_state_dict goes on from: numbers and lists."""
        return {
            "value": self.value,
            "iteration": self.iteration,
            "recent": [turns.tolist() for turns in self._recent],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what state_dict returned."""
        if not self.least <= state["value"] <= self.start:
            raise ValueError(f"L_max is from {self.least} to {self.start} here; got {state['value']}")
        self.value, self.iteration = state["value"], state["iteration"]
        self._recent.clear()
        self._recent.extend(np.array(turns, np.float64) for turns in state["recent"])


@dataclass(frozen=True)
class Method:
    """How episodes are paid, and how many turns they may take.

        R_episode = R_outcome * N_eff / N  -  step_penalty * turns

    Attributes:
        name: what it is called.
        single_turn: L_max is 1 throughout: the whole plan is written blind.
        scaled_by: "changed" scales outcomes R >= 0 by N_eff / N; "novel" by the share of actions that led to a state
            not seen before in the episode; None pays the plain outcome.
        anneals: whether L_max falls.
        step_penalty: taken off for each turn, after scaling.
    """

    name: str
    single_turn: bool = False
    scaled_by: str | None = None
    anneals: bool = False
    step_penalty: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.step_penalty < math.inf:
            raise ValueError(f"step_penalty must be a number of at least 0; got {self.step_penalty!r}")
        if self.scaled_by not in (None, "changed", "novel"):
            raise ValueError(f"unknown scaled_by {self.scaled_by!r}; known: changed, novel, None")

    def reward(self, outcome: Any, statistics: EpisodeStatistics) -> np.ndarray:
        """Return what whole episodes pay, float64[N], given R_outcome, float[N]: the sum of what `wrap` pays by turns."""
        paid = np.asarray(outcome, np.float64)
        if self.scaled_by is not None:
            counted = statistics.num_changed if self.scaled_by == "changed" else statistics.num_novel
            paid = scale_reward(paid, counted, statistics.num_asked)
        return paid - self.step_penalty * np.asarray(statistics.num_turns)

    def wrap(self, envs: Any) -> Any:
        """Return an environment of this package, single or vector, with wrappers that pay as this method does."""
        is_vector = hasattr(envs, "num_envs")
        if self.scaled_by is not None:
            envs = (VectorEffectiveActionReward if is_vector else EffectiveActionReward)(envs, self.scaled_by)
        if self.step_penalty:
            envs = (VectorStepPenalty if is_vector else StepPenalty)(envs, self.step_penalty)
        return envs

    def limit(self, start: int, tau: int = 100, **options: Any) -> TurnLimit:
        """Return this method's limit on turns; see TurnLimit for the options."""
        return TurnLimit(1 if self.single_turn else start, tau if self.anneals else None, **options)


METHODS = {
    method.name: method
    for method in (
        Method("entire-plan", single_turn=True),
        Method("interactive"),
        Method("rescaled", scaled_by="changed"),
        Method("wmact", scaled_by="changed", anneals=True),
        Method("step-penalty", scaled_by="changed", step_penalty=0.1),
    )
}


def find_method(method: str | Method, **changes: Any) -> Method:
    """Return one of METHODS by its name, or the Method given, changed in some attributes.

    Raises:
        ValueError: for a name that there is not; the text lists those that there are.
    """
    if isinstance(method, Method):
        return replace(method, **changes)
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}; known: {', '.join(METHODS)}")
    return replace(METHODS[method], **changes)
