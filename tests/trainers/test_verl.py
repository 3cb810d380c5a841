"""verl's agent loop plays conversations: their tokens, masks and pay; generation is by a script."""

import asyncio
import itertools
import pickle
import re
import shlex
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("verl")

import numpy as np
import ray
import transfer_queue
from datasets import Dataset
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf
from tiny import make_tokenizer, save_tokenizer
from verl import DataProto
from verl.experimental.agent_loop.agent_loop import AgentLoopWorker, DictConfigWrap
from verl.trainer.ppo.utils import need_critic, need_reference_policy
from verl.trainer.ppo.v1 import AgentLoopManagerTQ
from verl.utils.config import validate_config
from verl.utils.dataset.rl_dataset import RLHFDataset, collate_fn
from verl.utils.tensordict_utils import assign_non_tensor_data, get_tensordict
from verl.workers.rollout.replica import TokenOutput

from textworlds import PUZZLES, Conversation
from textworlds.integrations.play import Play
from textworlds.integrations.verl import CONFIG, Limit, TextWorldLoop, row

IDS = [next(iter(puzzle.ids)) for puzzle in PUZZLES.values()]
PAGE = Path(__file__).parents[2] / "docs" / "trainers.md"
END = "<|im_end|>"


class Script:
    """Takes the place of verl's server of models: says texts in turn, the last one again and again."""

    def __init__(self, tokenizer, *texts, log_probs=False):
        self.tokenizer, self.texts, self.log_probs = tokenizer, texts, log_probs
        self.asked = []

    async def generate(self, request_id, *, prompt_ids, sampling_params, **_):
        turn = sum(one == request_id for one, _ in self.asked)
        self.asked.append((request_id, self.tokenizer.decode(prompt_ids)))
        await asyncio.sleep(0)
        ids = self.tokenizer.encode(self.texts[min(turn, len(self.texts) - 1)] + END)
        scores = [-0.5] * len(ids) if self.log_probs else None
        return TokenOutput(token_ids=ids, log_probs=scores, extra_fields=steps(turn))


def steps(turn):
    return {"min_global_steps": turn, "max_global_steps": turn}


@pytest.fixture(scope="module")
def tokenizer():
    return make_tokenizer()


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """Return verl's configuration for a folder with a tokenizer and for the agent loop's file."""
    folder = tmp_path_factory.mktemp("verl")
    save_tokenizer(folder / "tiny")
    (folder / "loop.yaml").write_text(CONFIG)
    changes = [
        f"actor_rollout_ref.model.path={folder / 'tiny'}",
        "actor_rollout_ref.rollout.name=vllm",
        f"actor_rollout_ref.rollout.agent.agent_loop_config_path={folder / 'loop.yaml'}",
        "data.max_prompt_length=4096",
        "data.max_response_length=8192",
        "data.filter_overlong_prompts=True",
        f"+data.cache_dir={folder / 'cache'}",
    ]
    with initialize_config_module("verl.trainer.config", version_base=None):
        return compose("ppo_trainer", changes)


@pytest.fixture
def rollout(tokenizer, config):
    """Return what plays a row through the loop: (script, row, response_length) -> the loop's output, to be awaited."""

    async def play(script, row, longest=8192):
        changed = config.copy()
        changed.actor_rollout_ref.rollout.response_length = longest
        parts = DictConfigWrap(changed), script, tokenizer, None, RLHFDataset, DictConfigWrap(changed.data)
        return await TextWorldLoop(*parts, hf_model_type="qwen3").run({}, **row)

    return play


@pytest.fixture
def play(rollout):
    return lambda *arguments: asyncio.run(rollout(*arguments))


def begun(id, seed, **settings):
    """Return a play, a reply that changes nothing, and one that solves the level."""
    direct = Play(id, **settings)
    direct.begin(seed)
    conversation = direct.conversation
    useless = conversation.answer([conversation.episode.action_mask().tolist().index(False)])
    return direct, useless, conversation.answer(conversation.episode.solve())


def spans(out, tokenizer):
    """Return the texts of the response, as (who is trained on it, text)."""
    pairs = zip(out.response_mask, out.response_ids, strict=True)
    return [(m, tokenizer.decode([id for _, id in run])) for m, run in itertools.groupby(pairs, lambda pair: pair[0])]


@pytest.mark.parametrize("id", IDS)
def test_only_what_the_model_said_is_trained_on(id, tokenizer, play):
    direct, useless, plan = begun(id, 4)
    first = tokenizer.apply_chat_template(direct.conversation.messages, tokenize=False, add_generation_prompt=True)
    texts = [useless, "<think>hm</think>", plan]
    said = [direct.reply(text).text for text in texts]
    out = play(Script(tokenizer, *texts), row(id, 4))
    assert tokenizer.decode(out.prompt_ids) == first
    ours = [f"\n<|im_start|>user\n{text}{END}\n<|im_start|>assistant\n" for text in said[:-1]]
    theirs = [text + END for text in texts]
    assert spans(out, tokenizer) == [(1, theirs[0]), (0, ours[0]), (1, theirs[1]), (0, ours[1]), (1, theirs[2])]
    whole = tokenizer.apply_chat_template(direct.conversation.all_messages, tokenize=False)
    assert tokenizer.decode(out.prompt_ids + out.response_ids) == whole.removesuffix("\n")


@pytest.mark.parametrize("method", ["wmact", "interactive", "step-penalty"])
@pytest.mark.parametrize("id", IDS)
def test_a_rollout_is_paid_as_the_conversation_is(id, method, tokenizer, play):
    direct, useless, plan = begun(id, 4, method=method)
    direct.reply(useless), direct.reply(plan)
    out = play(Script(tokenizer, useless, plan), row(id, 4, method=method))
    assert out.reward_score == direct.pay() > 0 and out.num_turns == 4
    assert out.extra_fields == {**steps(0), "max_global_steps": 1, "reward_extra_info": direct.metrics()}
    assert out.reward_score < 1 or method == "interactive"


def test_rows_say_protocol_and_turn_limit(tokenizer, play):
    script = Script(tokenizer, "hm")
    out = play(script, row(IDS[0], 1, protocol="predict", turn_limit=3))
    assert len(script.asked) == 3 and out.num_turns == 6 and out.reward_score == 0
    assert "<predict>" in script.asked[0][1] and "You have 3 turns" in script.asked[0][1]
    assert play(script, row(IDS[0], 1, method="entire-plan")).num_turns == 2


def test_a_rollout_that_runs_out_of_tokens_ends_and_is_paid_for_what_was_played(tokenizer, play):
    direct, useless, plan = begun(IDS[0], 4)
    whole = play(Script(tokenizer, useless, plan), row(IDS[0], 4))
    length, reply = len(whole.response_ids), len(tokenizer.encode(useless + END))
    last = len(tokenizer.encode(plan + END))
    direct.reply(useless)
    unsolved = direct.metrics()
    direct.reply(plan)
    for longest, num_turns, turns, kept in [
        (length, 4, 2, length),
        (length - 1, 4, 1, length - 1),  # the plan is cut, and not played
        (length - last, 2, 1, reply),  # no token is left for an answer
        (reply, 2, 1, reply),
        (reply - 1, 2, 0, reply - 1),
    ]:
        script = Script(tokenizer, useless, plan, log_probs=True)
        out = play(script, row(IDS[0], 4), longest)
        assert len(out.response_ids) == len(out.response_mask) == len(out.response_logprobs) == kept
        assert out.response_ids == whole.response_ids[:kept] and out.response_mask == whole.response_mask[:kept]
        assert out.num_turns == num_turns == 2 * len(script.asked)
        told = out.extra_fields["reward_extra_info"]
        assert told["turns"] == turns and out.reward_score == (direct.pay() if turns == 2 else 0)
        assert turns != 1 or told == unsolved


def test_log_probs_lie_on_what_the_model_said(tokenizer, play):
    _, useless, plan = begun(IDS[0], 4)
    out = play(Script(tokenizer, useless, plan, log_probs=True), row(IDS[0], 4))
    assert out.response_logprobs == [-0.5 * mask for mask in out.response_mask]


def test_rollouts_side_by_side_do_not_meet(tokenizer, rollout, play):
    rows = [row(IDS[seed % 3], seed) for seed in range(6)]
    plans = [begun(IDS[seed % 3], seed)[1:] for seed in range(6)]

    async def together():
        return await asyncio.gather(*(rollout(Script(tokenizer, *texts), one) for texts, one in zip(plans, rows)))

    alone = [play(Script(tokenizer, *texts), one) for texts, one in zip(plans, rows)]
    for one, other in zip(asyncio.run(together()), alone):
        assert one.model_dump(exclude={"metrics"}) == other.model_dump(exclude={"metrics"})


@pytest.mark.parametrize("ending", ["parquet", "jsonl"])
def test_verls_worker_plays_the_rows_of_a_file(ending, tokenizer, config, tmp_path):
    rows = [row(IDS[0], 3, turn_limit=2), row(IDS[1], 4, protocol="predict"), row(IDS[2], 5, method="interactive")]
    getattr(Dataset.from_list(rows), {"parquet": "to_parquet", "jsonl": "to_json"}[ending])(tmp_path / f"rows.{ending}")
    data = RLHFDataset(str(tmp_path / f"rows.{ending}"), tokenizer, config.data)
    assert len(data) == 3
    batch = DataProto.from_single_dict(collate_fn([data[place] for place in range(3)]))
    _, useless, plan = begun(IDS[1], 4, protocol="predict")
    script = Script(tokenizer, useless, plan)
    out = asyncio.run(AgentLoopWorker(config, script).generate_sequences(batch))
    direct, *_ = begun(IDS[1], 4, protocol="predict")
    direct.reply(useless), direct.reply(plan)
    assert out.batch["rm_scores"].sum(1).tolist()[1] == pytest.approx(direct.pay())
    assert (out.batch["rm_scores"].count_nonzero(1) <= 1).all()
    assert out.non_tensor_batch["__num_turns__"].tolist()[:2] == [4, 4]
    assert out.non_tensor_batch["solved"].tolist()[1] == 1
    assert out.non_tensor_batch["effective_share"].tolist()[1] == pytest.approx(direct.pay())
    for place, mask in enumerate(out.batch["response_mask"].bool()):
        said = tokenizer.decode(out.batch["responses"][place][mask])
        assert said.startswith(useless + END + plan + END)


@pytest.fixture
def cluster():
    """Start Ray and the queue by which verl's default trainer gets what was played; both take processors that need not be."""
    ray.init(num_cpus=16, include_dashboard=False, log_to_driver=False)
    transfer_queue.init(OmegaConf.create({"backend": {"SimpleStorage": {"num_data_storage_units": 1}}}))
    yield
    transfer_queue.close()
    ray.shutdown()


def finished(rows, step):
    """Wait until all rollouts of so many rows are played in a training step, and return their fields."""
    while True:
        told = transfer_queue.kv_list(partition_id="train").get("train", {})
        status = {key: tag.get("status") for key, tag in told.items()}
        assert "failure" not in status.values()
        if list(status.values()).count("finished") == rows:
            break
        time.sleep(0.1)
    keys = [key for key in told if status[key] == "success" and told[key]["global_steps"] == step]
    return transfer_queue.kv_batch_get(keys=keys, partition_id="train")


def test_verls_default_trainer_is_played_for_in_processes_under_one_limit(tokenizer, config, tmp_path, cluster):
    config = config.copy()
    config.actor_rollout_ref.rollout.agent.num_workers = config.actor_rollout_ref.rollout.n = 2
    config.actor_rollout_ref.rollout.agent.agent_loop_config_path = str(tmp_path / "loop.yaml")
    (tmp_path / "loop.yaml").write_text(CONFIG + "  limit: {start: 9, tau: 1}\n")
    rows = [row(IDS[1], seed) for seed in (0, 0, 1)] + [row(IDS[1], 1, turn_limit=4)]
    Dataset.from_list(rows).to_parquet(tmp_path / "rows.parquet")
    data = RLHFDataset(str(tmp_path / "rows.parquet"), tokenizer, config.data)
    direct, useless, plan = begun(IDS[1], 0)
    direct.reply(useless), direct.reply(plan)
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    manager = AgentLoopManagerTQ.create(config, Script(tokenizer, useless, plan))
    for step, places in (1, (0, 1)), (2, (2, 3)):
        fields = collate_fn([data[place] for place in places])
        batch = get_tensordict({**fields, "uid": np.array([f"row{place}" for place in places], object)})
        assign_non_tensor_data(batch, "global_steps", step)
        manager.generate_sequences(batch)
        out = finished(2 * step, step)
        if step == 1:
            assert [scores.sum().item() for scores in out["rm_scores"]] == pytest.approx([direct.pay()] * 4)
            assert list(out["num_turns"]) == [4] * 4
    assert sorted(out["num_turns"]) == [4, 4, 8, 8]  # L_max is 2 now, but for the row that has a limit of its own


def test_the_settings_of_the_page_are_verls():
    (command,) = re.findall(r"python -m verl.trainer.main_ppo ((?:.*\\\n)*.*)", PAGE.read_text())
    with initialize_config_module("verl.trainer.config", version_base=None):
        config = compose("ppo_trainer", shlex.split(command.replace("\\\n", "").replace("$PWD", "/here")))
    validate_config(config, use_reference_policy=need_reference_policy(config), use_critic=need_critic(config))
    assert config.trainer.use_v1 and config.actor_rollout_ref.rollout.agent.agent_loop_config_path


def test_a_row_is_plain_data_with_the_first_messages():
    made = row(IDS[0], 7, split="test", observation="spaced", shots=1)
    assert pickle.loads(pickle.dumps(made)) == made and pickle.loads(pickle.dumps(TextWorldLoop)) is TextWorldLoop
    assert made["prompt"] == Conversation(IDS[0], split="test", observation="spaced", shots=1).reset(7)
    assert made["data_source"] == f"textworlds/{IDS[0]}"


@pytest.mark.parametrize(
    "settings, said",
    [
        ({"method": "wmct"}, "unknown method 'wmct'; known: "),
        ({"protocol": "predicted"}, "unknown protocol 'predicted'; known: "),
        ({"history": 2}, "history"),
        ({"turn_limit": 0}, "turn_limit"),
        ({"turns": 3}, "turns"),
    ],
)
def test_wrong_settings_are_told_when_rows_are_made(settings, said):
    with pytest.raises((ValueError, TypeError), match=said) as caught:
        row(IDS[0], 1, **settings)
    assert "\n" not in str(caught.value)


def test_the_limit_falls_when_a_step_ends():
    limit = Limit(start=9, tau=1)
    for turns in (2, 4):
        assert limit.begin(1) == 9
        limit.end(turns)
    assert (limit.begin(2), limit.begin(1), limit.begin(2)) == (4, 4, 4)  # ceil((3 + 4) / 2)


def test_rows_of_others_are_refused(tokenizer, play):
    with pytest.raises(ValueError, match="row writes it; got"):
        play(Script(tokenizer, "hm"), {"extra_info": {"index": 3, "split": "train"}})
