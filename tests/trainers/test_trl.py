"""TRL trains a tiny model on our environments and our data, on the CPU."""

import json
import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("trl")

import torch
import trl
from datasets import Dataset, load_dataset
from tiny import make_tokenizer
from transformers import Qwen3Config, Qwen3ForCausalLM

from textworlds import PUZZLES, Conversation
from textworlds.chunks import in_threads
from textworlds.data import Job, make_data
from textworlds.integrations.play import SharedLimit
from textworlds.integrations.trl import PROMPTS, Anneal, TextWorld, factory, rows
from textworlds.wmact import METHODS

IDS = [next(iter(puzzle.ids)) for puzzle in PUZZLES.values()]
TEMPLATES = Path(trl.__file__).parent / "chat_templates"
EXAMPLE = Path(__file__).parents[2] / "examples" / "train_trl.py"


@pytest.fixture(scope="module")
def tokenizer():
    return make_tokenizer((TEMPLATES / "qwen3.jinja").read_text())


@pytest.fixture
def model(tokenizer):
    torch.manual_seed(0)
    size = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    small = Qwen3Config(vocab_size=len(tokenizer), num_key_value_heads=1, head_dim=8, **size)
    small.eos_token_id, small.pad_token_id = tokenizer.eos_token_id, tokenizer.pad_token_id
    return Qwen3ForCausalLM(small)


def options(tmp_path, **others):
    common = {"output_dir": str(tmp_path), "use_cpu": True, "report_to": [], "logging_steps": 1, "save_strategy": "no"}
    return {**common, "max_steps": 2, "per_device_train_batch_size": 2, "learning_rate": 1e-2, **others}


@pytest.mark.parametrize("id", IDS)
def test_an_environment_is_a_conversation_by_tool_calls(id):
    env, conversation = factory(id)(), Conversation(id, action="plain", prompts=PROMPTS)
    said = env.reset(**rows(9)[4])
    assert said == "\n\n".join(message["content"] for message in conversation.reset(4))
    assert env.act("hm") == conversation.reply("hm").text
    plan = conversation.answer(conversation.episode.solve())
    assert "Solved." in env.act(plan) and env.act(plan) == "The level is over."
    assert env.get_reward() == 1.0


@pytest.mark.parametrize("protocol", ["interactive", "entire-plan", "predict"])
@pytest.mark.parametrize("id", IDS)
def test_the_model_is_told_that_calls_play(id, protocol):
    env = factory(id, protocol=protocol)()
    told = env.reset(3)
    assert 'calling the tool "act"' in told and 'the argument "actions" of a call' in told
    assert not re.search("of your messages|[Ee]ach message|one message|of a message can|message that cannot", told)
    assert "A call may hold 256 actions at most" in told or "holds all actions" in told
    conversation = env._play.conversation
    assert "Solved." in env.act(conversation.answer(conversation.episode.solve()))


def test_other_templates_may_tell_it(tmp_path):
    (tmp_path / "system.txt").write_text("version 7\nCall act. $protocol")
    assert factory(IDS[0], prompts=tmp_path)().reset(3).startswith("Call act. You play in turns. Each of your messages")


def test_shots_are_refused():
    with pytest.raises(ValueError, match=r"shots cannot be shown as calls of a tool; got 1, leave them out"):
        factory(IDS[0], shots=1)()
    factory(IDS[0], shots=0)()


def test_a_rows_limit_goes_before_the_shared_one():
    env = factory(IDS[1], limit=SharedLimit(METHODS["wmact"].limit(start=9)))()
    for turns, own in ((9, None), (2, 2), (9, None)):
        assert f"You have {turns} turns" in env.reset(1, own)


def test_a_rollout_that_its_model_gives_up_counts_for_the_limit():
    shared = SharedLimit(METHODS["wmact"].limit(start=9))
    env = factory(IDS[1], limit=shared)()
    env.reset(1), env.act("hm"), env.act("hm"), env.get_reward(), env.reset(2)
    assert shared.take() == [2]


@pytest.mark.parametrize("is_begun", [False, True])
def test_an_environment_can_be_pickled(is_begun):
    env = factory(IDS[0])()
    if is_begun:
        env.reset(7), env.act("hm")
    copy = pickle.loads(pickle.dumps(env))
    if not is_begun:
        assert copy.reset(7) == env.reset(7)
    assert copy.act("up") == env.act("up") and copy.get_reward() == env.get_reward()


def scripted(trainer, conversation):
    """Let a trainer's model say a solving tool call in half of its completions, and nothing of use in the others."""

    def generate(prompt_ids, *arguments, **options):
        said = []
        for place, ids in enumerate(prompt_ids):
            board = trainer.processing_class.decode(ids)
            call = json.dumps({"name": "act", "arguments": {"actions": conversation.plans[place % 2]}})
            text = f"<tool_call>\n{call}\n</tool_call><|im_end|>" if "tool_response" not in board else "Done.<|im_end|>"
            said.append(trainer.processing_class.encode(text))
        return said, None

    trainer._generate_single_turn = generate


@pytest.mark.parametrize("is_scripted", [False, True])
def test_grpo_trains_and_rewards_are_the_pay(is_scripted, tokenizer, model, tmp_path):
    shared = SharedLimit(METHODS["wmact"].limit(start=9, tau=1))
    args = trl.GRPOConfig(
        **options(tmp_path), num_generations=2, max_completion_length=600 if is_scripted else 24, beta=0.0
    )
    conversation = Conversation(IDS[1], action="plain")
    conversation.reset(0)
    conversation.plans = (conversation.answer(conversation.episode.solve()), "up")
    trainer = trl.GRPOTrainer(
        model,
        args=args,
        train_dataset=Dataset.from_list(rows(1) * 4),
        processing_class=tokenizer,
        environment_factory=factory(IDS[1], limit=shared),
        callbacks=[Anneal(shared)],
    )
    if is_scripted:
        scripted(trainer, conversation)
    before = model.lm_head.weight.clone()
    trainer.train()
    rewards = [line["rewards/TextWorld/mean"] for line in trainer.state.log_history if "reward" in line]
    assert len(rewards) == 2
    if is_scripted:
        assert rewards == [0.5, 0.5] and shared.limit.value == 1
        assert (model.lm_head.weight != before).any()


@pytest.mark.parametrize("ending", [".jsonl", ".parquet"])
@pytest.mark.parametrize("shape", ["messages", "prompt-completion"])
def test_sft_reads_our_data_and_learns_from_it(ending, shape, tokenizer, model, tmp_path):
    path = tmp_path / f"chats{ending}"
    make_data(Job(IDS[0], shape=shape, plans=("optimal",), protocol="entire-plan"), 16, path, in_threads)
    form = {".jsonl": "json", ".parquet": "parquet"}[ending]
    chats = load_dataset(form, data_files=str(path), split="train", cache_dir=str(tmp_path / "cache"))
    chats = chats.select_columns(["messages"] if shape == "messages" else ["prompt", "completion"])
    args = trl.SFTConfig(**options(tmp_path, max_steps=6), max_length=1024, assistant_only_loss=shape == "messages")
    trainer = trl.SFTTrainer(model, args=args, train_dataset=chats, processing_class=tokenizer)
    trainer.train()
    losses = [line["loss"] for line in trainer.state.log_history if "loss" in line]
    assert losses[-1] < losses[0]


def test_the_example_trains_a_model_of_a_folder(tokenizer, model, tmp_path):
    for part in (tokenizer, model):
        part.save_pretrained(tmp_path / "tiny")
    command = [sys.executable, EXAMPLE, "--model", tmp_path / "tiny", "--out", tmp_path / "out", "--cpu"]
    command += ["--steps", "1", "--group", "2", "--max-tokens", "16"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "L_max is 12" in done.stdout and (tmp_path / "out" / "model.safetensors").exists()


def test_only_the_act_method_is_a_tool():
    public = [name for name in vars(TextWorld) if not name.startswith("_")]
    assert public == ["reset", "act", "get_reward"]
