"""Play an episode through verl's agent loop, and write what its trainer needs: two data sets and the loop's config.

Needs verl (pip install "textworlds[verl]"). The solver takes the place of the model here, whose tokenizer is used.

Run: python examples/play_verl.py --model Qwen/Qwen3-0.6B --id Sokoban-easy-v0 --rows 1000 --out runs/verl
"""

import argparse
import asyncio
from pathlib import Path
from typing import Any

from datasets import Dataset
from omegaconf import OmegaConf
from transformers import AutoConfig, AutoTokenizer
from verl.experimental.agent_loop.agent_loop import DictConfigWrap
from verl.utils.dataset.rl_dataset import RLHFDataset
from verl.workers.rollout.replica import TokenOutput

from textworlds import Conversation
from textworlds.integrations.verl import CONFIG, TextWorldLoop, row


class Solver:
    """Answers as verl's server of models does, with the tokens of one plan."""

    def __init__(self, tokenizer: Any, plan: str) -> None:
        self.said = tokenizer.encode(plan + tokenizer.eos_token, add_special_tokens=False)

    async def generate(self, request_id: str, **asked: Any) -> TokenOutput:
        return TokenOutput(token_ids=self.said)


async def play(model: str, id: str) -> None:
    """Play the level of seed 0, and print what was said."""
    tokenizer, solver = AutoTokenizer.from_pretrained(model), Conversation(id)
    solver.reset(0)
    server = Solver(tokenizer, solver.answer(solver.episode.solve()))
    lengths = {"prompt_length": 2048, "response_length": 4096, "full_determinism": False}
    config = OmegaConf.create({"actor_rollout_ref": {"rollout": lengths}, "data": {}})
    wrapped = DictConfigWrap(config), server, tokenizer, None, RLHFDataset, DictConfigWrap(config.data)
    loop = TextWorldLoop(*wrapped, hf_model_type=AutoConfig.from_pretrained(model).model_type)
    out = await loop.run({}, **row(id, 0))
    print(tokenizer.decode(out.prompt_ids + out.response_ids))
    print(f"trained on {sum(out.response_mask)} tokens, reward: {out.reward_score}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Play an episode through verl's agent loop; write rows for its trainer."
    )
    parser.add_argument("--model", default="Qwen/Qwen3-0.6B", help="a name or a folder, whose tokenizer is used")
    parser.add_argument("--id", default="Sokoban-easy-v0")
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--turn-limit", type=int, default=12)
    parser.add_argument("--out", type=Path, default=Path("runs/verl"))
    asked = parser.parse_args()

    asyncio.run(play(asked.model, asked.id))
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "agent_loop.yaml").write_text(CONFIG)
    for split, count in {"train": asked.rows, "validation": min(asked.rows, 100)}.items():
        rows = [row(asked.id, seed, split=split, turn_limit=asked.turn_limit) for seed in range(count)]
        Dataset.from_list(rows).to_parquet(asked.out / f"{split}.parquet")


if __name__ == "__main__":
    main()
