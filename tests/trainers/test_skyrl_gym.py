"""SkyRL-gym plays episodes as messages, and is paid by the method at their end."""

import pickle

import pytest

pytest.importorskip("skyrl_gym")

import skyrl_gym
from datasets import Dataset, load_dataset

from textworlds import PUZZLES, Conversation
from textworlds.integrations.skyrl_gym import NAME, TextWorld, row

IDS = [next(iter(puzzle.ids)) for puzzle in PUZZLES.values()]


def begin(columns, env_config=None):
    """Make an environment of a row as SkyRL's trainer does: all columns but two are its extras, with max_turns added."""
    columns = dict(columns)
    prompt, env_class = columns.pop("prompt"), columns.pop("env_class")
    env = skyrl_gym.make(env_class, env_config=env_config or {}, extras={**columns, "max_turns": 1})
    return env, env.init(prompt)[0]


def make(id, seed, **settings):
    return begin(row(id, seed, **settings))


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_the_rows_of_a_file_are_played(ending, tmp_path):
    asked = [(IDS[0], {"turn_limit": 2}), (IDS[1], {"protocol": "predict"}), (IDS[2], {"method": "entire-plan"})]
    path = str(tmp_path / f"rows.{ending}")
    rows = Dataset.from_list([row(id, seed, **settings) for seed, (id, settings) in enumerate(asked)])
    getattr(rows, {"parquet": "to_parquet", "jsonl": "to_json"}[ending])(path)
    form = {"parquet": "parquet", "jsonl": "json"}[ending]
    read = load_dataset(form, data_files=path, split="train", cache_dir=str(tmp_path / "cache"))
    for place, (limit, (id, settings)) in enumerate(zip((2, 60, 1), asked, strict=True)):
        columns = read[place]
        env, messages = begin(columns)
        assert columns["data_source"] == f"textworlds/{id}" and env.max_turns == limit
        assert messages == columns["prompt"] == row(id, place, **settings)["prompt"]
        assert [env.step("hm")["done"] for _ in range(limit)] == [False] * (limit - 1) + [True]


def test_settings_of_all_episodes_are_those_that_rows_do_not_have():
    config = {"turn_limit": 3, "protocol": "predict"}
    env, messages = begin(row(IDS[1], 4, turn_limit=2), config)
    assert messages == Conversation(IDS[1], "predict", turn_limit=2).reset(4) and env.max_turns == 2


def test_rows_of_others_are_refused():
    with pytest.raises(ValueError, match="row writes it; got"):
        skyrl_gym.make(NAME, env_config={}, extras={"reward_model": {}, "max_turns": 1})


@pytest.mark.parametrize("id", IDS)
def test_a_rollout_is_the_conversation_and_pays_its_share(id):
    env, messages = make(id, 4)
    conversation = Conversation(id)
    assert messages == conversation.reset(4)
    useless = conversation.answer([conversation.episode.action_mask().tolist().index(False)])
    plan = conversation.answer(conversation.episode.solve())
    asked = conversation.reply(useless).message
    out = env.step(useless)
    assert out["observations"] == [asked] and (out["reward"], out["done"]) == (0.0, False)
    out = env.step(plan)
    assert conversation.reply(plan).done and out["done"] and out["observations"] == []
    assert out["reward"] == pytest.approx(conversation.pay("wmact")) and 0 < out["reward"] < 1
    assert env.get_metrics()["solved"] == 1 and env.turns == 2
    assert TextWorld.aggregate_metrics([env.get_metrics(), {**env.get_metrics(), "solved": 0.0}])["solved"] == 0.5


def test_rows_say_method_protocol_and_limit():
    env, messages = make(IDS[0], 1, method="interactive", protocol="predict", turn_limit=2)
    assert "<predict>" in messages[0]["content"] and env.max_turns == 2
    assert env.step("hm")["done"] is False
    out = env.step("hm")
    assert out["done"] and out["reward"] == 0.0
    assert NAME in skyrl_gym.envs.registration.registry


@pytest.mark.parametrize("is_begun", [False, True])
def test_an_environment_can_be_pickled(is_begun):
    made = row(IDS[0], 7)
    env = TextWorld({}, made)
    if is_begun:
        env.init(made["prompt"]), env.step("hm")
    copy = pickle.loads(pickle.dumps(env))
    if not is_begun:
        assert copy.init(made["prompt"]) == env.init(made["prompt"])
    assert copy.step("up") == env.step("up") and copy.turns == env.turns
