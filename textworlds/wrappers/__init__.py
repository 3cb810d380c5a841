"""Wrappers for the environments of this package, single and batched."""

from textworlds.wrappers.reward import (
    EffectiveActionReward,
    StepPenalty,
    VectorEffectiveActionReward,
    VectorStepPenalty,
    scale_reward,
)

__all__ = [
    "EffectiveActionReward",
    "StepPenalty",
    "VectorEffectiveActionReward",
    "VectorStepPenalty",
    "scale_reward",
]
