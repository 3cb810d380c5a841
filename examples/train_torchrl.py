"""Collect worlds with TorchRL and train a small network with its PPO loss.

Needs TorchRL (pip install "textworlds[torchrl]"). Prints the share of finished episodes that were solved, batch by batch, and the limit
on turns, which falls with --method wmact.

Run: python examples/train_torchrl.py --id Maze-easy-v0 --steps 200000
"""

import argparse

import torch
from tensordict.nn import TensorDictModule
from torch import nn
from torchrl.collectors import Collector
from torchrl.modules import OneHotCategorical, ProbabilisticActor, ValueOperator
from torchrl.objectives import ClipPPOLoss
from torchrl.objectives.value import GAE

from textworlds.integrations.torchrl import anneal, make_env
from textworlds.wmact import find_method


class Bits(nn.Module):
    """Pictures, uint8[..., P, H, W], as rows of bits."""

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        bits = pictures.unsqueeze(-1) >> torch.arange(8, dtype=torch.uint8) & 1
        return bits.flatten(-4).float()


def network(outputs: int) -> nn.Module:
    return nn.Sequential(Bits(), nn.LazyLinear(128), nn.Tanh(), nn.Linear(128, 128), nn.Tanh(), nn.Linear(128, outputs))


def main() -> None:
    parser = argparse.ArgumentParser(description="Train a small network with TorchRL's PPO loss.")
    parser.add_argument("--id", default="Maze-easy-v0")
    parser.add_argument("--method", default="rescaled", help="wmact also lowers the limit on turns")
    parser.add_argument("--steps", type=int, default=200_000)
    parser.add_argument("--worlds", type=int, default=64)
    parser.add_argument("--batch", type=int, default=4096)
    parser.add_argument("--turn-limit", type=int, default=30)
    asked = parser.parse_args()
    env = make_env(asked.id, asked.worlds, asked.method, turn_limit=asked.turn_limit)
    limit = find_method(asked.method).limit(asked.turn_limit, tau=5)
    logits = TensorDictModule(network(env.action_spec.shape[-1]), ["observation"], ["logits"])
    actor = ProbabilisticActor(logits, in_keys=["logits"], distribution_class=OneHotCategorical, return_log_prob=True)
    critic = ValueOperator(network(1), in_keys=["observation"])
    actor(env.reset()), critic(env.reset())
    advantage, loss = GAE(gamma=0.99, lmbda=0.95, value_network=critic), ClipPPOLoss(actor, critic)
    optimizer = torch.optim.Adam(loss.parameters(), 1e-3)
    for batch in Collector(env, actor, frames_per_batch=asked.batch, total_frames=asked.steps):
        for _ in range(4):
            advantage(batch)
            losses = loss(batch.reshape(-1))
            optimizer.zero_grad()
            sum(losses[name] for name in ("loss_objective", "loss_critic", "loss_entropy")).backward()
            optimizer.step()
        over = batch["next", "done"]
        solved, l_max = batch["next", "terminated"][over].float().mean(), anneal(env, limit, batch)
        print(f"solved {solved:.1%} of {int(over.sum())} episodes, L_max {l_max}")


if __name__ == "__main__":
    main()
