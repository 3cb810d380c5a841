"""Conversations: protocols, histories, shots, prompts, predictions and transcripts."""

import copy
import dataclasses
import json
import pickle
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import textworlds
from textworlds import PUZZLES, Conversation
from textworlds.chat import prompts, read_transcripts, replay, transcript, write_transcripts
from textworlds.chat.predictions import put_prediction, score, take_prediction
from textworlds.chat.prompts import PLACEHOLDERS, PROTOCOLS, SHARED, load_prompts
from textworlds.chat.shots import cut, solved_levels
from textworlds.levels.content import SPLITS, keys_of, split_of
from textworlds.text.formats import FORMATS, Reader
from textworlds.wmact import METHODS

LEVEL = "######\n#@-$.#\n######"
EASY = {name: next(iter(puzzle.ids)) for name, puzzle in PUZZLES.items()}
VIEWS = ({}, {"view": 5}, {"sight": True}, {"view": 5, "sight": True, "fog": True})


def sokoban(protocol="interactive", **settings):
    conversation = Conversation("Sokoban-easy-v0", protocol, **settings)
    conversation.reset(level=LEVEL)
    return conversation


def roles(messages):
    return "".join(message["role"][0] for message in messages)


def play(conversation, plan, turns=2):
    for part in cut(tuple(plan), turns, 99):
        reply = conversation.reply(conversation.answer(part))
    return reply


@pytest.mark.parametrize("name", PUZZLES)
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("format", FORMATS)
def test_the_solvers_plan_solves_in_every_protocol_and_format(name, protocol, format):
    conversation = Conversation(EASY[name], protocol, observation=format)
    messages = conversation.reset(seed=3)
    assert roles(messages) == "su" and messages[1]["content"] == conversation.episode.observe()
    reply = play(conversation, conversation.episode.solve(), 1 if protocol == "entire-plan" else 2)
    assert reply.done and reply.terminated and reply.message is None and reply.reward == 1.0
    assert "\n\n" not in conversation.board and conversation.board == conversation.episode.observe()
    assert all(one.prediction is None or one.prediction.right for one in conversation.replies)
    assert (protocol == "predict") == (reply.prediction is not None)


@pytest.mark.parametrize("name", PUZZLES)
@pytest.mark.parametrize("view", VIEWS, ids=str)
def test_partial_views_are_told_predicted_and_replayed(name, view):
    conversation = Conversation(EASY[name], "predict", shots=1, **view)
    system = conversation.reset(seed=3)[0]["content"]
    assert ("You see" in system) == bool(view)
    play(conversation, conversation.episode.solve())
    assert [reply.prediction.right for reply in conversation.replies] == [True] * len(conversation.replies)
    assert replay(transcript(conversation)).all_messages == conversation.all_messages


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_system_message_states_rules_glyphs_answer_and_limits(protocol):
    limits = {} if protocol == "entire-plan" else {"turn_limit": 17}
    system = sokoban(protocol, max_actions=9, action="line:plan", **limits).messages[0]["content"]
    words = PUZZLES["sokoban"].words
    for said in (words.rules, words.key, "plan: up, down", "9 actions", *(["17 turns"] if limits else [])):
        assert said in system
    assert "$" not in system.replace(words.key, "")
    assert ("<predict>" in system) == (protocol == "predict")


def test_a_new_turn_limit_is_in_the_next_system_message():
    conversation = sokoban()
    conversation.turn_limit = 3
    assert "3 turns" in conversation.reset(seed=1)[0]["content"]
    assert "Turns left: 2" in conversation.reply("hm").text


def test_feedback_says_what_each_action_did_and_how_many_turns_are_left():
    reply = sokoban().reply("<action>up, right</action>")
    assert reply.message == {"role": "user", "content": reply.text}
    assert reply.text.startswith("1: up - a wall is in the way\n2: right - done\nTurns left: 59\n\n######")


def test_an_unread_reply_uses_a_turn_and_says_why():
    reply = sokoban().reply("I go upright")
    assert reply.text.startswith("Not read: no <action>...</action> in the message\nTurns left: 59\n\n")
    assert not reply.done and reply.ledger["num_turns"] == 1 and reply.ledger["num_asked"] == 0


def test_the_last_turn_ends_the_conversation_with_a_word_on_it():
    conversation = sokoban(turn_limit=1)
    reply = conversation.reply("<action>right</action>")
    assert reply.truncated and reply.message is None and "no turns are left" in reply.text
    assert roles(conversation.messages) == "sua" and conversation.done
    with pytest.raises(RuntimeError, match="reset"):
        conversation.reply("<action>right</action>")


@pytest.mark.parametrize("history, shown", [("all", 9), (0, 1), (1, 3), (2, 5), (99, 9)])
@pytest.mark.parametrize("shots", [0, 1])
def test_history_shows_the_last_turns_and_roles_take_turns(history, shown, shots):
    conversation = sokoban(history=history, shots=shots)
    for turn in range(4):
        conversation.reply(f"<think>{turn}</think><action>up</action>")
        messages = conversation.messages
        assert roles(messages[1:]) == ("ua" * len(messages))[: len(messages) - 1]
    own = messages[-shown:]
    assert own[-1]["content"].endswith(conversation.all_messages[-1]["content"])
    assert len(messages) == 1 + shown or shots
    assert [message["content"][7:8] for message in own[1::2]] == [*"0123"][4 - (shown - 1) // 2 :]
    assert ("Now it is your turn." in own[0]["content"]) == bool(shots)


def test_messages_are_the_callers_to_change():
    conversation = sokoban(shots=1)
    before = conversation.messages
    for message in conversation.messages:
        message["content"] = ""
    assert conversation.messages == before


@pytest.mark.parametrize("id", textworlds.all_ids())
def test_shots_are_of_the_split_train_and_always_the_same(id):
    puzzle, defaults = textworlds.find_id(id)
    tests = {level.certificate["key"] for level in textworlds.find_levels(f"{id.removeprefix('textworlds/')}-test")}
    for drawing, plan in solved_levels(puzzle, {**defaults, "split": "test", "levels": [LEVEL]}, 2):
        episode = textworlds.Episode(id, action="discrete", turn_limit=999)
        episode.reset(level=drawing)
        key = keys_of(episode.picture()[np.newaxis], puzzle)[0]
        assert SPLITS[split_of(key)] == "train" and f"{key:016x}" not in tests
        assert [episode.act(action) for action in plan][-1].terminated


def test_shots_do_not_hang_on_the_episode_before_or_after():
    first, second = sokoban(shots=2), sokoban(shots=2)
    second.reset(seed=9)
    assert first.messages[:-1] == second.messages[:-1]


def test_shots_that_do_not_fit_are_refused_in_a_sentence():
    with pytest.raises(ValueError, match=r"a shot takes .* actions, which do not fit into 2 turns of 1"):
        sokoban(shots=1, turn_limit=2, max_actions=1)


@pytest.mark.parametrize("shots", [0, 2])
@pytest.mark.parametrize("count", [None, lambda text: len(text.split())])
def test_usage_adds_up_what_the_model_was_shown(shots, count):
    conversation = sokoban(history=1, shots=shots, count_tokens=count)
    shown, said = 0, "I go <action>up</action>"
    for _ in range(3):
        shown += sum((count or len)(message["content"]) for message in conversation.messages)
        conversation.reply(said)
    assert conversation.usage == (3, shown, 3 * (count or len)(said), "tokens" if count else "characters")
    assert sokoban().usage == (0, 0, 0, "characters")


def test_pay_is_that_of_the_method_and_shares_are_at_hand():
    conversation = sokoban()
    conversation.reply("<action>up, right</action>")
    conversation.reply("<action>right, left</action>")
    assert conversation.total_reward == 1.0 and conversation.statistics.effective_share == 0.5
    assert conversation.pay() == conversation.pay(METHODS["rescaled"]) == 0.5
    assert conversation.pay("interactive") == 1.0


def test_penalties_of_the_puzzle_are_not_scaled():
    conversation = Conversation("Taxi-classic-v0", turn_limit=1)
    conversation.reset(seed=1)
    reply = conversation.reply("<action>pickup, dropoff</action>")
    assert reply.reward < 0 and conversation.pay() == pytest.approx(reply.reward)


@pytest.mark.parametrize(
    "wrong, said",
    [
        ({"protocol": "chat"}, "unknown protocol 'chat'; known: interactive, entire-plan, predict"),
        ({"history": -1}, 'history is "all" or a number of turns'),
        ({"history": True}, 'history is "all" or a number of turns'),
        ({"shots": 1.5}, "shots is a whole number"),
        ({"observation": "picture"}, "speaks text"),
        ({"action": "discrete"}, "speaks text"),
        ({"legend": True}, "system message is the legend"),
        ({"protocol": "entire-plan", "turn_limit": 5}, "has one turn"),
        ({"protocol": "entire-plan", "action": "index"}, "takes one"),
        ({"protocol": "predict", "action": "tag:Predict"}, "choose another grammar"),
        ({"count_tokens": 5}, "count_tokens is a function of a text; got 5"),
        ({"id": "Sokobann-easy-v0"}, "unknown id"),
    ],
)
def test_wrong_settings_are_refused_in_a_sentence(wrong, said):
    with pytest.raises(ValueError, match=said):
        Conversation(**{"id": "Sokoban-easy-v0"} | wrong)


def test_before_the_first_reset_nothing_was_said_and_nothing_is_paid():
    conversation = Conversation("Sokoban-easy-v0")
    assert conversation.messages == conversation.all_messages == [] and conversation.done
    for asked in (conversation.pay, conversation.certificate, lambda: conversation.statistics):
        with pytest.raises(RuntimeError, match="reset"):
            asked()


def test_a_reply_is_text():
    for wrong in (None, b"<action>up</action>", 3, ["up"]):
        with pytest.raises(TypeError, match="a reply is a str"):
            sokoban().reply(wrong)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))], ids=["copy", "pickle"])
def test_a_conversation_is_copied_whole(copied):
    conversation = sokoban("predict", shots=1)
    conversation.reply(conversation.answer([0]))
    other = copied(conversation)
    for one in (conversation, other):
        one.reply(one.answer([3, 3]))
    assert other.all_messages == conversation.all_messages and other.states == conversation.states


def test_a_reset_that_fails_leaves_the_episode_as_it_was():
    conversation = sokoban(levels=[LEVEL])
    conversation.reply("<action>right</action>")
    before = conversation.messages
    for wrong in ({"index": 7}, {"level": "###"}, {"seed": -1}):
        with pytest.raises(ValueError):
            conversation.reset(**wrong)
    assert conversation.messages == before and conversation.reply("<action>right</action>").terminated


# Prompts.


def test_a_folder_replaces_templates_by_puzzle_or_for_all(tmp_path):
    (tmp_path / "sokoban").mkdir()
    (tmp_path / "system.txt").write_text("version 7\nFor all: $answer costs $$5")
    (tmp_path / "sokoban" / "turn.txt").write_text("version 8\n$board\nOnly here.")
    box, walk = (Conversation(id, prompts=tmp_path) for id in ("Sokoban-easy-v0", "Maze-easy-v0"))
    assert box.reset(seed=1)[0]["content"].startswith("For all: The actions are")
    assert walk.reset(seed=1)[0]["content"].endswith("costs $5")
    assert box.reply("hm").text.endswith("Only here.") and "Only here" not in walk.reply("hm").text
    assert box.prompts.version != walk.prompts.version != load_prompts(PUZZLES["maze"]).version
    assert box.prompts.version.startswith("7.") and "8" in box.prompts.version.partition("-")[0]


def test_other_words_have_another_version():
    puzzle = PUZZLES["maze"]
    other = dataclasses.replace(puzzle, words=puzzle.words._replace(rules="Walk."))
    assert load_prompts(other).version != load_prompts(puzzle).version


def test_a_puzzle_may_bring_templates_of_its_own(tmp_path, monkeypatch):
    (tmp_path / "maze" / "prompts").mkdir(parents=True)
    (tmp_path / "maze" / "prompts" / "first.txt").write_text("version 3\nA maze:\n$board")
    monkeypatch.setattr(prompts.puzzles, "__file__", str(tmp_path / "__init__.py"))
    own, others = (prompts._load(PUZZLES[name], None) for name in ("maze", "taxi"))
    assert own.fill("first", board="#") == "A maze:\n#" and others.fill("first", board="#") == "#"


def test_an_edited_template_has_another_version_even_under_its_old_number(tmp_path):
    shutil.copytree(SHARED, tmp_path / "mine")
    puzzle = PUZZLES["maze"]
    assert load_prompts(puzzle, tmp_path / "mine").version == load_prompts(puzzle).version
    (tmp_path / "mine" / "first.txt").write_text("version 1\nLook:\n$board")
    assert load_prompts(puzzle, tmp_path / "mine").version != load_prompts(puzzle).version


@pytest.mark.parametrize(
    "text, said",
    [
        ("$board", "first line is"),
        ("version 1\n$bord", r"unknown placeholder \$bord; known: \$board"),
        ("version 1\nIt costs $ 5", "stands before no placeholder"),
        ("version 1\nLook!", r"has no placeholder \$board"),
        (b"version 1\n\xff", "no UTF-8"),
    ],
)
def test_a_wrong_template_is_refused_with_its_name(tmp_path, text, said):
    (tmp_path / "first.txt").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ValueError, match=f"first.txt: .*{said}"):
        Conversation("Maze-easy-v0", prompts=tmp_path)


def test_a_template_of_another_name_is_none(tmp_path):
    (tmp_path / "first.txt").write_text("version 1\n$board")
    (tmp_path / "maze").mkdir()
    (tmp_path / "maze" / "frist.txt").write_text("version 1\n$board")
    with pytest.raises(ValueError, match=r"frist.txt: is no template; known: system.txt"):
        Conversation("Maze-easy-v0", prompts=tmp_path)
    Conversation("Taxi-easy-v0", prompts=tmp_path)


def test_a_folder_that_is_none_or_holds_no_template_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"holds no template; known: system.txt"):
        Conversation("Maze-easy-v0", prompts=tmp_path)
    with pytest.raises(FileNotFoundError):
        Conversation("Maze-easy-v0", prompts=tmp_path / "not there")


def test_every_template_is_there_and_uses_what_it_is_given():
    assert {path.stem for path in SHARED.iterdir()} == set(PLACEHOLDERS)


# Predictions.

WORDS = PUZZLES["sokoban"].words
BEFORE, AFTER = "#####\n#@$.#\n#####", "#####\n#-@*#\n#####"


def scored(predicted, before=BEFORE, after=AFTER):
    reader = Reader("dense", WORDS, (1, 3, 5))
    return score(predicted, True, after, reader.read(before), reader.read(after), reader)


def test_a_right_prediction_is_right_in_every_cell():
    assert scored(AFTER)[:4] == (True, True, 1.0, 1.0)
    assert scored(AFTER.replace("-", " "))[:4] == (True, True, 1.0, 1.0)  # floor, however it is drawn


def test_cells_are_compared_one_by_one():
    assert scored(BEFORE)[:4] == (True, False, 12 / 15, 0.0)
    assert scored("#####\n#-@$#\n#####")[1:4] == (False, 14 / 15, pytest.approx(2 / 3))


@pytest.mark.parametrize("predicted", [None, "", "#####", "#####\n#x@*#\n#####", "as before", "####\n#@$#\n####"])
def test_what_is_no_board_of_this_size_is_unread(predicted):
    prediction = scored(predicted)
    assert prediction[:4] == (False, False, 0.0, 0.0) and prediction.why.startswith("not read")


@pytest.mark.parametrize("message", ["", "<action></action>", "<action>jump</action>"])
def test_who_asks_for_no_action_predicts_nothing(message):
    conversation = sokoban("predict")
    reply = conversation.reply(put_prediction(conversation.board) + message)
    assert not reply.prediction.read and not reply.prediction.right and reply.prediction.cells == 0.0
    assert "no action was asked for" in reply.text


def test_a_turn_that_changes_nothing_has_no_changed_cells():
    assert scored(BEFORE, BEFORE, BEFORE)[1:4] == (True, 1.0, None)
    assert scored(AFTER, BEFORE, BEFORE)[1:4] == (False, 12 / 15, None)


@pytest.mark.parametrize(
    "message, predicted",
    [
        ("<predict>a</predict> b", "a"),
        ("<PREDICT>\n\na\nb\n</Predict>", "a\nb"),
        ("<predict>\n```text\na\n```\n</predict>", "a"),
        ("<think><predict>no</predict></think><predict>a\r\nb</predict>", "a\nb"),
        ("a", None),
        ("<predict>a", None),
        ("</predict>a<predict>", None),
        ("<predict>a</predict><predict>b</predict>", None),
        ("<predict><predict>a</predict></predict>", None),
        ("<predict x=1>a</predict>", None),
        ("<think><predict>a</predict></think>", None),
        ("<think>or <predict>a</predict>", None),
        ("<predict>a</predict><think>or", None),
    ],
)
def test_exactly_one_prediction_is_read(message, predicted):
    assert take_prediction(message)[0] == predicted


@pytest.mark.parametrize("grammar", ["tag:action", "line:action", "boxed", "json", "plain"])
def test_a_prediction_is_no_part_of_the_answer_in_any_grammar(grammar):
    conversation = sokoban("predict", action=grammar)
    reply = conversation.reply(conversation.answer([3, 3]))
    assert reply.prediction.right and reply.terminated


@pytest.mark.parametrize(
    "message, played",
    [
        ("<predict><action>left</action></predict><action>right</action>", [3]),
        ("<predict>a</predict><PREDICT><action>left</action></PREDICT><action>right</action>", [3]),
        ("<action>right</action><predict><action>left</action>", [3]),
        ("<predict><action>left</action>", []),
        ("<predict><predict></predict><action>right</action>", [3]),
        ("<act<predict>a</predict>ion>right</action>", []),
    ],
)
def test_actions_within_a_prediction_are_not_played(message, played):
    reply = sokoban("predict").reply(message)
    assert reply.ledger["actions"] == played and not reply.prediction.read


# Transcripts.

PIECES = [
    "<action>",
    "</action>",
    "<predict>",
    "</predict>",
    "<think>",
    "</think>",
    "up",
    "right, right",
    LEVEL,
    "\n",
    "🤖",
    "<b>&",
]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(st.characters(), max_size=8), max_size=8).map("".join)
TURNS = st.lists(
    TEXTS | st.sampled_from(["<action>right</action>", f"{put_prediction(LEVEL)}<action>u</action>"]), max_size=6
)


@settings(max_examples=60)
@given(TURNS, st.sampled_from(PROTOCOLS), st.sampled_from(["all", 0, 1]))
def test_any_transcript_plays_again_to_the_same_states(texts, protocol, history):
    conversation = sokoban(protocol, history=history)
    for text in texts:
        if not conversation.done:
            conversation.reply(text)
    line = json.dumps(transcript(conversation))
    assert line.isascii() and "\n" not in line
    again = replay(json.loads(line))
    assert again.messages == conversation.messages and again.states == conversation.states
    assert again.usage == conversation.usage and transcript(again)["turns"] == transcript(conversation)["turns"]


@pytest.mark.parametrize("name", PUZZLES)
def test_transcripts_of_every_puzzle_go_to_a_file_and_back(name, tmp_path):
    records = []
    for seed in range(3):
        conversation = Conversation(EASY[name], shots=1, max_actions=4)
        conversation.reset(seed=seed)
        conversation.reply("<action>" + ",".join(PUZZLES[name].words.vocabulary.names[0][:1] * 6) + "</action>")
        records.append(transcript(conversation))
    write_transcripts(records, tmp_path / "some.jsonl")
    assert list(read_transcripts(tmp_path / "some.jsonl")) == json.loads(json.dumps(records))
    for record in read_transcripts(tmp_path / "some.jsonl"):
        assert replay(record).all_messages == record["messages"]


def test_a_transcript_says_what_it_takes_to_compare():
    record = transcript(sokoban())
    assert (
        record["id"] == "Sokoban-easy-v0"
        and record["level"] == LEVEL
        and record["textworlds"] == textworlds.__version__
    )
    assert (
        record["grammar"] == {"name": "tag:action", "version": 1}
        and record["prompts"].count(".") == len(PLACEHOLDERS) - 1
    )


@pytest.mark.parametrize(
    "change, said",
    [
        ({"version": 2}, "no transcript that can be played"),
        ({"format": None}, "no transcript that can be played"),
        ({"level": LEVEL.replace("@-", "-@")}, "the episode began in state"),
        ({"settings": None}, "damaged: AttributeError"),
        ({"turns": None}, "damaged"),
        ({"id": 5}, "damaged"),
        ({"settings": {"prompts": "/"}}, "damaged: TypeError"),
        ({"turns": [1]}, "damaged"),
        ({"messages": []}, "damaged"),
        ({"messages": [{"role": "assistant", "content": 5}]}, "damaged"),
        ({"grammar": {"version": 99}}, "read by grammar 99"),
        ({"done": True}, "done was True, and is False here"),
        ({"reward": 1.0}, "reward was 1.0"),
        ({"totals": {}}, "totals was {}"),
        ({"usage": {"unit": "characters"}}, "usage was"),
        ({"history": "some"}, "history is"),
    ],
)
def test_a_transcript_that_does_not_play_says_where(change, said):
    conversation = sokoban()
    conversation.reply("<action>right</action>")
    record = transcript(conversation)
    with pytest.raises(ValueError, match=said):
        replay({**record, **change})


def test_what_is_no_record_is_damaged():
    for wrong in (None, [], {"format": "textworlds transcript", "version": 1}):
        with pytest.raises(ValueError, match="damaged"):
            replay(wrong)


@pytest.mark.parametrize("name, value", [("novel", [False]), ("why", "no"), ("prediction", None), ("text", "Solved.")])
def test_every_word_of_a_turn_is_compared(name, value):
    conversation = sokoban("predict")
    conversation.reply(conversation.answer([3]))
    record = json.loads(json.dumps(transcript(conversation)))
    record["turns"][0][name] = value
    with pytest.raises(ValueError, match=f"turn 1: {name} was"):
        replay(record)


def test_numbers_of_numpy_go_into_transcripts():
    conversation = Conversation("Maze-easy-v0", turn_limit=np.int64(7), height=np.int32(9), width=9)
    conversation.reset(seed=np.int64(3))
    assert json.loads(json.dumps(transcript(conversation)))["seed"] == 3


def test_limits_are_kept_while_an_episode_is_under_way():
    conversation = sokoban()
    with pytest.raises(RuntimeError, match="set it before reset"):
        conversation.max_actions = 1
    plan = Conversation("Sokoban-easy-v0", "entire-plan")
    with pytest.raises(ValueError, match="has one turn; got a limit of 5"):
        plan.turn_limit = 5


def test_a_turn_that_leads_elsewhere_is_named():
    conversation = sokoban()
    conversation.reply("<action>right</action>")
    record = json.loads(json.dumps(transcript(conversation)))
    record["messages"][2]["content"] = "<action>up</action>"
    with pytest.raises(ValueError, match=r"turn 1: changed was \[True\], and is \[False\] here"):
        replay(record)


def test_a_line_that_is_no_record_is_named(tmp_path):
    (tmp_path / "some.jsonl").write_text('{"a": 1}\n[1]\n')
    with pytest.raises(ValueError, match=r"some.jsonl, line 2: is no JSON object"):
        list(read_transcripts(tmp_path / "some.jsonl"))
