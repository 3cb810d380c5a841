"""The warm start: imitation of solver plans, cut into turns, before any reinforcement."""

from typing import Any, NamedTuple

import gymnasium
import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

import textworlds
from textworlds.agents.ppo import NOTHING, action_names, at_tokens, encode
from textworlds.agents.processes import mean_over_processes

BATCH, LEARNING_RATE = 128, 2e-3  # turns an optimiser step; Adam's


class Plans(NamedTuple):
    """M turns of good play."""

    boards: Tensor  # uint8[M, H, W]
    tokens: Tensor  # int64[M, T], actions and the stop; NOTHING after it


def make_plans(id: str, num_plans: int, max_actions: int, seed: int, **settings: Any) -> Plans:
    """Play solver plans of fewest actions, and return what was seen and written in each turn.

    Each plan is cut into turns at random: every turn takes from one action to all that are left, each length with the same
    chance, so that whole plans, single actions and all between are shown.

    Args:
        id: the environment.
        num_plans: levels that are solved, all of the split "train".
        max_actions: T; what a turn has room for.
        seed: of the levels and of the cuts.
        **settings: that replace the id's.
    """
    env: Any = gymnasium.make(id, max_actions=max_actions, split="train", turn_limit=1 << 20, **settings)
    names, random = action_names(id), np.random.default_rng(seed)
    texts, rows = [], []
    for level in range(num_plans):
        text, _ = env.reset(seed=seed + level)
        left = env.unwrapped.solve(fewest_actions(id))
        while left:
            taken = left[: min(int(random.integers(1, len(left) + 1)), max_actions)]
            texts.append(text)
            rows.append(taken)
            text, *_ = env.step(f"<action>{', '.join(names[action] for action in taken)}</action>")
            left = left[len(taken) :]
    tokens = torch.full((len(rows), max_actions), NOTHING)
    for row, taken in zip(tokens, rows, strict=True):
        stopped = [*taken, len(names)][:max_actions]
        row[: len(stopped)] = torch.tensor(stopped)
    return Plans(encode(texts), tokens)


def fewest_actions(id: str) -> str:
    """Return the objective of an id's solver that counts a plan's actions."""
    return textworlds.find_id(id)[0].costs[-1]


def imitate(
    network: nn.Module, plans: Plans, passes: int, random: torch.Generator, show_progress: bool = False
) -> float:
    """Learn to write what the plans say, by their likelihood; return the mean loss of the last pass, in nats a token."""
    optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE)
    losses: list[float] = []
    for _ in tqdm(range(passes), desc="warm start", unit="pass", disable=None if show_progress else True):
        losses.clear()
        for turns in torch.randperm(len(plans.boards), generator=random, device=random.device).split(BATCH):
            tokens = plans.tokens[turns]
            here = tokens != NOTHING
            length = int(here.sum(1).max())
            here, tokens = here[:, :length], tokens[:, :length]
            log_probs, _ = network(plans.boards[turns], tokens)
            chosen = at_tokens(log_probs, tokens)
            (count,) = mean_over_processes(here.sum())
            loss = -chosen[here].sum() / count
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
    return float(np.mean(losses)) if losses else float("nan")
