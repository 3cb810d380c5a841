"""Talk: what is said is heard by the others, in order, and is nothing but text."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textworlds.envs.spaces import CHARACTERS
from textworlds.grid import NOT_ASKED
from textworlds.ids import find_team_id
from textworlds.multi import JointEpisodes
from textworlds.multi.talk import longest_quote, quote, take_apart

WAITS = "<action>wait</action>"


def joint_of(id="Maze-easy-4p-v0", **changed):
    puzzle, defaults = find_team_id(id)
    joint = JointEpisodes(puzzle, 1, **{**defaults, "talk": 60, **changed})
    joint.begin(np.zeros(1, np.int64), np.zeros(1, np.uint64))
    return joint


def heard(joint, *messages):
    """Return what each agent reads above its board after a turn."""
    turn = joint.act([list(messages)])
    return [text.rpartition("\n\n")[0] for text in joint.observe(turn)[0]]


def test_the_others_read_what_was_said_in_the_order_of_names():
    joint = joint_of()
    told = heard(joint, f"<say>left is free</say>{WAITS}", WAITS, f"{WAITS} <say>go</say>", WAITS)
    assert told == [
        'C says: "go"',
        'A says: "left is free"\nC says: "go"',
        'A says: "left is free"',
        'A says: "left is free"\nC says: "go"',
    ]
    assert heard(joint, WAITS, WAITS, WAITS, WAITS) == [""] * 4


@pytest.mark.parametrize(
    ("message", "said", "rest"),
    [
        ("<say>hi</say><action>up</action>", "hi", " <action>up</action>"),
        ("<SAY> hi\n</Say>up", "hi", " up"),
        ("<think><say>to myself</say></think><say>to you</say>up", "to you", " up"),
        ("<say><action>down</action></say><action>up</action>", "<action>down</action>", " <action>up</action>"),
        ("<act<say>up</say>ion>up</action>", "up", "<act ion>up</action>"),
        ("up", "", "up"),
        ("<say>a</say><say>b</say>up", "", "  up"),
        ("<say><action>up</action></say><say>b</say><action>down</action>", "", "  <action>down</action>"),
        ("</say>a<say>up", "", "</say>a "),
        ("down<say>up", "", "down "),
        ("<say>a<think>up", "", "<say>a<think>up"),
        ("<say>012345678901234567890abc</say>up", "012345678901234567890", " up"),
    ],
)
def test_exactly_one_pair_of_tags_is_read(message, said, rest):
    assert take_apart(message, 21) == (said, rest)


def test_what_is_said_cannot_be_the_answer():
    with pytest.raises(ValueError, match="choose another grammar"):
        joint_of("Maze-easy-2p-v0", action="tag:Say")


def test_actions_in_what_is_said_are_played_by_nobody():
    joint = joint_of("Maze-easy-2p-v0")
    turn = joint.act([["<say><action>up, down</action></say><action>wait</action>", WAITS]])
    assert turn.ledger["reason"][0, :, 0].tolist() == [NOT_ASKED] * 2
    assert joint.num_asked.tolist() == [[0, 0]]


@pytest.mark.parametrize("action", ["json", "plain", "boxed", "line:action", "bracket"])
def test_every_grammar_goes_with_talk(action):
    joint = joint_of("Maze-easy-2p-v0", action=action)
    answer = {"json": '{"action": "wait"}', "plain": "wait", "boxed": r"\boxed{wait}", "bracket": "[wait]"}
    message = answer.get(action, "action: wait")
    turn = joint.act([[f"<say>[up] \\boxed{{up}}</say>{message}", message]])
    assert not turn.asked.any_unread
    assert joint.said.tolist() == [["[up] \\boxed{up}", ""]]


@given(st.text(max_size=80))
def test_what_is_said_is_one_line_of_ascii_that_no_line_of_ours_looks_like(text):
    said, _ = take_apart(f"<say>{text}</say>up", 60)
    line = quote("A", said)
    assert set(line) <= set(CHARACTERS) - {"\n"} and len(line) <= longest_quote(60)
    assert json.loads(line.removeprefix("A says: ")) == said


@given(st.lists(st.text(alphabet='<>/sayction up\nAB:"\\', max_size=40), min_size=2, max_size=2))
def test_whatever_is_said_only_messages_own_actions_are_played(texts):
    joint, silent = joint_of("Maze-easy-2p-v0"), joint_of("Maze-easy-2p-v0")
    clean = [text.replace("<", "(") for text in texts]
    joint.act([[f"<say>{text}</say><action>up, left</action>" for text in clean]])
    silent.act([["<action>up, left</action>"] * 2])
    np.testing.assert_array_equal(joint.episodes.worlds.state.agents, silent.episodes.worlds.state.agents)


@pytest.mark.parametrize("talk", [0, 60])
def test_what_is_no_text_is_refused_in_a_sentence(talk):
    with pytest.raises(TypeError, match="a message is a str, not int"):
        joint_of("Maze-easy-2p-v0", talk=talk).act([[5, WAITS]])


def test_without_the_channel_the_tag_is_text():
    joint = joint_of("Maze-easy-2p-v0", talk=0)
    turn = joint.act([["<say>hi</say><action>wait</action>", WAITS]])
    assert not turn.asked.any_unread and joint.observe(turn)[0][1].count("says") == 0


def test_nothing_is_heard_of_the_episode_before():
    joint = joint_of("Maze-easy-2p-v0")
    joint.act([[f"<say>old</say>{WAITS}", WAITS]])
    joint.begin(np.zeros(1, np.int64))
    assert joint.said.tolist() == [["", ""]] and "old" not in "".join(joint.observe()[0])
