"""Train a language model with TRL's GRPO: it plays by tool calls, and is paid its outcome times its effective share.

Needs TRL (pip install "textworlds[trl]") and a model whose chat template knows tools. The limit on turns falls as the model needs
fewer (WMAct).

Run: python examples/train_trl.py --model Qwen/Qwen3-0.6B --id Sokoban-easy-v0
"""

import argparse

from datasets import Dataset
from trl import GRPOConfig, GRPOTrainer

from textworlds.integrations.play import SharedLimit
from textworlds.integrations.trl import Anneal, factory, rows
from textworlds.wmact import find_method


def main() -> None:
    parser = argparse.ArgumentParser(description="Train a language model with TRL's GRPO.")
    parser.add_argument("--model", default="Qwen/Qwen3-0.6B")
    parser.add_argument("--id", default="Sokoban-easy-v0")
    parser.add_argument("--method", default="wmact")
    parser.add_argument("--turn-limit", type=int, default=12)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--out", default="runs/trl")
    parser.add_argument("--max-tokens", type=int, default=1024)
    parser.add_argument("--group", type=int, default=8, help="rollouts of each level")
    parser.add_argument("--cpu", action="store_true")
    asked = parser.parse_args()
    limit = SharedLimit(find_method(asked.method).limit(asked.turn_limit, tau=10))
    arguments = GRPOConfig(
        asked.out,
        max_steps=asked.steps,
        num_generations=asked.group,
        per_device_train_batch_size=asked.group,
        max_completion_length=asked.max_tokens,
        logging_steps=1,
        report_to=[],
        use_cpu=asked.cpu,
    )
    trainer = GRPOTrainer(
        asked.model,
        args=arguments,
        train_dataset=Dataset.from_list(rows(1000)),
        environment_factory=factory(asked.id, method=asked.method, limit=limit),
        callbacks=[Anneal(limit)],
    )
    trainer.train()
    trainer.save_model()
    print(f"L_max is {limit.limit.value}")


if __name__ == "__main__":
    main()
