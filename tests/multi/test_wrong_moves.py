"""What is said to those who ask several agents' environments wrongly; each case was once a crash or a riddle."""

import numpy as np
import pytest

pytest.importorskip("pettingzoo")

from textworlds.multi import maze_v0, sokoban_v0

ID = "Sokoban-easy-2p-v0"
WAIT = "<action>wait</action>"


def test_a_state_of_fewer_agents_is_refused():
    three = sokoban_v0.parallel_env(ID, num_agents=3, talk=20)
    guided = sokoban_v0.parallel_env(ID, talk=20, guides=1)
    for env in (three, guided):
        env.reset(seed=1)
    with pytest.raises(ValueError, match="this state is of 2 agents; here are 3"):
        three.joint.set_state(guided.joint.get_state())


def test_a_memory_of_another_view_is_refused():
    wide, narrow = (maze_v0.parallel_env("Maze-easy-2p-v0", view=view, fog=True) for view in (5, 3))
    for env in (wide, narrow):
        env.reset(seed=1)
    with pytest.raises(ValueError, match="what is remembered"):
        wide.joint.set_state(narrow.joint.get_state())


@pytest.mark.parametrize("thought", ["<think>hm <say>secret</say>", "<think>a</think><think>b <say>secret</say>"])
def test_nothing_is_said_in_a_thought_that_is_not_closed(thought):
    env = sokoban_v0.parallel_env(ID, talk=20)
    env.reset(seed=1)
    seen, *_ = env.step({"player_0": thought, "player_1": WAIT})
    assert "secret" not in seen["player_1"]["text"]


@pytest.mark.parametrize(
    "settings, wrong", [({}, None), ({}, 3), ({"action": "discrete"}, 9), ({"action": "discrete"}, WAIT)]
)
def test_a_wrong_action_is_refused_where_it_is_taken_and_can_be_taken_back(settings, wrong):
    env = sokoban_v0.env(ID, **settings)
    env.reset(seed=1)
    with pytest.raises(ValueError, match="player_0 cannot take"):
        env.step(wrong)
    right = 4 if settings else WAIT
    env.step(right)
    env.step(right)
    assert env.agent_selection == "player_0" and not env.terminations["player_0"]


def test_a_dead_agent_takes_no_action_but_none():
    env = sokoban_v0.env(ID, turn_limit=1)
    env.reset(seed=1)
    env.step(WAIT)
    env.step(WAIT)
    with pytest.raises(ValueError, match="the only valid action is None"):
        env.step(WAIT)
    env.step(None)
    env.step(None)
    assert not env.agents


def test_a_refused_turn_leaves_nothing_said():
    env = sokoban_v0.parallel_env(ID, talk=20)
    env.reset(seed=1)
    with pytest.raises(ValueError, match="player_1 cannot take None"):
        env.step({"player_0": "<say>hi</say>", "player_1": None})
    assert not any(env.joint.said[0])


def test_bytes_are_messages():
    env = sokoban_v0.parallel_env(ID)
    env.reset(seed=1)
    *_, infos = env.step({"player_0": WAIT.encode(), "player_1": b"<action>up</action>"})
    assert infos["player_1"]["asked"] == 1 and infos["player_0"]["num_asked"] == 0


@pytest.mark.parametrize(
    "ask, said",
    [
        (lambda env: env.step(None), "actions are a dict"),
        (lambda env: env.reset(options=5), "options of reset are a dict"),
        (lambda env: env.step({"player_0": np.array([1]), "player_1": 0}), "player_0 cannot take"),
    ],
)
def test_other_wrong_calls_are_told_so(ask, said):
    env = sokoban_v0.parallel_env(ID, action="discrete")
    env.reset(seed=1)
    with pytest.raises(ValueError, match=said):
        ask(env)
    with pytest.raises(ValueError, match="max_cycles"):
        sokoban_v0.parallel_env(ID, max_cycles="3")
