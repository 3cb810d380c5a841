"""Gymnasium environments: thin translators around Episodes."""

from textworlds.envs.batched import TextWorldVectorEnv
from textworlds.envs.single import TextWorldEnv

__all__ = ["TextWorldEnv", "TextWorldVectorEnv"]
