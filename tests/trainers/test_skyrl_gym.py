"""SkyRL-gym plays episodes as messages, and is paid by the method at their end."""

import pytest

pytest.importorskip("skyrl_gym")

import skyrl_gym

from textworlds import PUZZLES, Conversation
from textworlds.integrations.skyrl_gym import NAME, TextWorld, row

IDS = [next(iter(puzzle.ids)) for puzzle in PUZZLES.values()]


def make(id, seed, **settings):
    """Make an environment as SkyRL's generator does: by the row's env_class, its extras and its prompt."""
    asked = row(id, seed, **settings)
    env = skyrl_gym.make(asked["env_class"], env_config={}, extras=asked["extras"])
    return env, env.init(asked["prompt"])[0]


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
