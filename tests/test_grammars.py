"""Messages become actions as the policy says: whole or not at all, and back."""

import doctest
import re
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textworlds import PUZZLES
from textworlds.text import grammars
from textworlds.text.grammars import Outcome, after_thoughts, check_grammar, gbnf, read, regular_expression, write
from textworlds.text.translator import Translator
from textworlds.text.words import COMPASS, Vocabulary

TAXI = Vocabulary(
    names=(
        ("south", "s"),
        ("north", "n"),
        ("east", "e"),
        ("west", "w"),
        ("pickup", "pick up", "pick_up"),
        ("dropoff", "drop off", "drop_off"),
    )
)
UP, DOWN, LEFT, RIGHT = range(4)
SOUTH, NORTH, EAST, WEST, PICKUP, DROPOFF = range(6)
EMPTY, MALFORMED, UNKNOWN_WORD = Outcome.EMPTY, Outcome.MALFORMED, Outcome.UNKNOWN_WORD

GRAMMARS = ["tag:action", "tag:Move-1", "line:action", "line:final", "boxed", "bracket", "json", "index", "plain"]
SINGLE = ["bracket", "index"]
VOCABULARIES = {"compass": COMPASS, "taxi": TAXI}
every_grammar = pytest.mark.parametrize("grammar", GRAMMARS)
every_vocabulary = pytest.mark.parametrize("vocabulary", VOCABULARIES.values(), ids=VOCABULARIES)

THOUGHTS = {
    "<think>up?</think><action>left</action>": [LEFT],
    "<think><action>up</action></think><action>left</action>": [LEFT],
    "up?</think><action>left</action>": [LEFT],
    "<think>a</think>b</THINK><action>left</action>": [LEFT],
    "<think><action>up</action>": MALFORMED,
    "<action>up</action><Think>": MALFORMED,
    "<think>a</think><think><action>up</action>": MALFORMED,
    "<action>up</think></action>": MALFORMED,
    "<think>up</think> \n": EMPTY,
    "<think>up</think>": EMPTY,
    "": EMPTY,
    " \t\r\n\f\v": EMPTY,
}
TAG = {
    "I go <action>up</action> now.": [UP],
    "<ACTION>up</Action>": [UP],
    "<action>\nup\nleft\n</action>": [UP, LEFT],
    "<actions>down</actions><action>up</action>": [UP],
    "up": MALFORMED,
    "<action>up</action><action>left</action>": MALFORMED,
    "<action><action>up</action></action>": MALFORMED,
    "<action>up": MALFORMED,
    "up</action>": MALFORMED,
    "</action>up<action>": MALFORMED,
    "<action id='1'>up</action>": MALFORMED,
    "< action >up</ action >": MALFORMED,
    "<actıon>up</actıon>": MALFORMED,
    "<actİon>up</actİon>": MALFORMED,
    "<action></action>": EMPTY,
    "<action> , ; </action>": EMPTY,
    "<action><b>up</b></action>": UNKNOWN_WORD,
}
LINE = {
    "Action: up": [UP],
    "Actions: up, left": [UP, LEFT],
    "Final action: up": [UP],
    "final actions : up": [UP],
    "Action: up\nAction: left": [LEFT],
    "Action: left\nThat is all.": [LEFT],
    "  > ## - `ACTION:` up": [UP],
    "**Action:** up": [UP],
    "**Action**: up": [UP],
    "*Action: up.*": UNKNOWN_WORD,
    "**Actions:**\n\nup, left": [UP, LEFT],
    "Action:\r\n```text\r\nup\r\n```": [UP],
    "Action: ```\nup\n```": [UP],
    "Actions: [up,\n left\n]\nDone": [UP, LEFT],
    "Actions:\n[\n1. up\n2. left]": [UP, LEFT],
    'Actions: ["up", "left"]': [UP, LEFT],
    "Actions: [up,\nleft": MALFORMED,
    "Actions: [up] or so": UNKNOWN_WORD,
    "Actions:\n1. up\n2. left": [UP, LEFT],
    "Actions: - up\n- left": [UP, LEFT],
    "Actions: * up\n* left": [UP, LEFT],
    "Actions:\n- up\n\n- left\n\nSo I go left.": [UP, LEFT],
    "Actions:\n```\n- up\n- left\n```\nmore": [UP, LEFT],
    "Actions:\n- up\nbecause\n- left": UNKNOWN_WORD,
    "Actions:\n- up\n\n  because\n- left": UNKNOWN_WORD,
    "The action: up": MALFORMED,
    "Actionable: up": MALFORMED,
    "actionſ: up": MALFORMED,
    "up": MALFORMED,
    "Action:": EMPTY,
    "Action: up\nAction: \n ```": EMPTY,
    "Action: up, I think": UNKNOWN_WORD,
}
BOXED = {
    r"So \boxed{up}.": [UP],
    r"\boxed{up} or \boxed{left, down}": [LEFT, DOWN],
    r"\boxed{\text{up, left}}": [UP, LEFT],
    r"\boxed{ \text{ up } }": [UP],
    r"{ \boxed{up} }}": [UP],
    r"\boxed{\text{up}, \text{left}}": UNKNOWN_WORD,
    r"\boxed{\text{\text{up}}}": UNKNOWN_WORD,
    r"\boxed{{up}}": UNKNOWN_WORD,
    r"\boxed{up, \boxed{left}}": UNKNOWN_WORD,
    r"\boxed{up} \boxed{left": MALFORMED,
    r"\boxed{up, \boxed{left}": MALFORMED,
    r"\boxed up": MALFORMED,
    "up": MALFORMED,
    r"\boxed{}": EMPTY,
}
BRACKET = {
    "I go [up] now": [UP],
    "[ Move Up ]": [UP],
    "[up] [left]": MALFORMED,
    "[up] [jump]": MALFORMED,
    "[[up]]": MALFORMED,
    "[up": MALFORMED,
    "]up[": MALFORMED,
    "up": MALFORMED,
    "[up, left]": MALFORMED,
    "[uu]": MALFORMED,
    "[]": EMPTY,
    "[jump]": UNKNOWN_WORD,
}
JSON = {
    '{"actions": ["up", "left"]}': [UP, LEFT],
    '{"action": "up"}': [UP],
    ' {"ACTION": "Up, left", "because": 3} ': [UP, LEFT],
    '["up", "left, down", ""]': [UP, LEFT, DOWN],
    '["[up].", "- left"]': [UP, LEFT],
    r'{"action": "\u0075p\nleft \u2193"}': UNKNOWN_WORD,
    r'{"action": "\u0075p\nleft"}': [UP, LEFT],
    r'["\u2191"]': [UP],
    'Here:\n```json\n{"action": "up"}\n```\n["left"]': [UP],
    '```json\n["up"]\n```\n```json\n["left"]\n```': MALFORMED,
    '```json\n["up"]': MALFORMED,
    '{"action": "up", "actions": "left"}': MALFORMED,
    '{"action": "up", "action": "left"}': MALFORMED,
    '{"action": "up", "Action": "left"}': MALFORMED,
    '{"action": "up", "x": {"y": 1, "y": 2}}': MALFORMED,
    '{"plan": "up"}': MALFORMED,
    '{"action": 3}': MALFORMED,
    '["up", 3]': MALFORMED,
    '["up", ["left"]]': MALFORMED,
    '{"action": null}': MALFORMED,
    '{"action": "up", "x": NaN}': MALFORMED,
    '"up"': MALFORMED,
    "['up']": MALFORMED,
    '["up",]': MALFORMED,
    'Here: ["up"]': MALFORMED,
    "[" * 100_000: MALFORMED,
    '{"a":' * 100_000: MALFORMED,
    "9" * 5000: MALFORMED,
    '{"x": ' + "9" * 5000 + ', "action": "up"}': [UP],
    "[]": EMPTY,
    '{"action": " "}': EMPTY,
    '["pick", "up"]': UNKNOWN_WORD,
    '["↑", "up"]': UNKNOWN_WORD,
    '["up", "upright"]': UNKNOWN_WORD,
}
INDEX = {
    "3": [RIGHT],
    " 0\n": [UP],
    "<think>2</think>1": [DOWN],
    "4": UNKNOWN_WORD,
    "12": UNKNOWN_WORD,
    "1 2": UNKNOWN_WORD,
    "-1": UNKNOWN_WORD,
    "- 1": UNKNOWN_WORD,
    "1.": UNKNOWN_WORD,
    "[1]": UNKNOWN_WORD,
    "١": UNKNOWN_WORD,
    "²": UNKNOWN_WORD,
    "up": UNKNOWN_WORD,
}
PLAIN = {
    "up": [UP],
    "up||down|left,right;up->down\nleft right": [UP, DOWN, LEFT, RIGHT, UP, DOWN, LEFT, RIGHT],
    "up,, ;|| ->\t\f\vleft": [UP, LEFT],
    "[up, left]": [UP, LEFT],
    "(up left).": [UP, LEFT],
    "[[up]]": UNKNOWN_WORD,
    "[up] [left]": UNKNOWN_WORD,
    "[up)": UNKNOWN_WORD,
    "1. up\n2) left\n - down\n* right\n• up": [UP, LEFT, DOWN, RIGHT, UP],
    "1 up": UNKNOWN_WORD,
    "1.up": UNKNOWN_WORD,
    "- - up": UNKNOWN_WORD,
    "up 1. left": UNKNOWN_WORD,
    "٣. up": UNKNOWN_WORD,
    "'up', \"left\", `down`, **right**": [UP, LEFT, DOWN, RIGHT],
    "“up”": UNKNOWN_WORD,
    "up.": [UP],
    "up..": UNKNOWN_WORD,
    "up...": UNKNOWN_WORD,
    "up. left.": UNKNOWN_WORD,
    "UP Down lEFT R": [UP, DOWN, LEFT, RIGHT],
    "u d l r": [UP, DOWN, LEFT, RIGHT],
    "UUL": [UP, UP, LEFT],
    "ud, lurd": [UP, DOWN, LEFT, UP, RIGHT, DOWN],
    "↑↓←→": [UP, DOWN, LEFT, RIGHT],
    "1. ⬆, ⬇\n2. ⬅ ⬇ -> ➡.": [UP, DOWN, LEFT, DOWN, RIGHT],
    "up → left": UNKNOWN_WORD,
    "move ↑": UNKNOWN_WORD,
    "⬆\ufe0f": UNKNOWN_WORD,
    "move up, go down; push left step right walk u": [UP, DOWN, LEFT, RIGHT, UP],
    "move": UNKNOWN_WORD,
    "up move": UNKNOWN_WORD,
    "move move up": UNKNOWN_WORD,
    "move, up": UNKNOWN_WORD,
    "move\nup": UNKNOWN_WORD,
    "move  up": UNKNOWN_WORD,
    "move uul": UNKNOWN_WORD,
    "upright": UNKNOWN_WORD,
    "up right": [UP, RIGHT],
    "uplr": UNKNOWN_WORD,
    "up jump left": UNKNOWN_WORD,
    "up twice": UNKNOWN_WORD,
    "up x3": UNKNOWN_WORD,
    "up 3": UNKNOWN_WORD,
    "not up": UNKNOWN_WORD,
    "up\u00a0left": UNKNOWN_WORD,
    "up\u2028left": UNKNOWN_WORD,
    "up\x1cleft": UNKNOWN_WORD,
    "u\u200bp": UNKNOWN_WORD,
    "uｐ": UNKNOWN_WORD,
    "υр": UNKNOWN_WORD,
    r"\u0075p": UNKNOWN_WORD,
    "up\\nleft": UNKNOWN_WORD,
    "&#117;p": UNKNOWN_WORD,
    "up\0": UNKNOWN_WORD,
    "\ud800": UNKNOWN_WORD,
    "pickup": UNKNOWN_WORD,
    "__import__('os')": UNKNOWN_WORD,
    "[]": EMPTY,
    ".": EMPTY,
    "**": EMPTY,
}
TAXI_PLAIN = {
    "pickup, pick up, pick_up": [PICKUP] * 3,
    "Drop Off drop_off DROPOFF": [DROPOFF] * 3,
    '"pick up" north': [PICKUP, NORTH],
    "pick\tup": [PICKUP],
    "move north, go s": [NORTH, SOUTH],
    "s n e w": [SOUTH, NORTH, EAST, WEST],
    "pick  up": UNKNOWN_WORD,
    "pick\nup": UNKNOWN_WORD,
    "pick, up": UNKNOWN_WORD,
    "pick": UNKNOWN_WORD,
    "move pickup": UNKNOWN_WORD,
    "move pick up": UNKNOWN_WORD,
    "ss": UNKNOWN_WORD,
    "↑": UNKNOWN_WORD,
    "up": UNKNOWN_WORD,
    "ſouth": UNKNOWN_WORD,
    "pic\u212aup": UNKNOWN_WORD,
    "5": UNKNOWN_WORD,
}
TAXI_INDEX = {"5": [DROPOFF], "6": UNKNOWN_WORD}
TABLES = {
    ("tag:action", COMPASS): THOUGHTS | TAG,
    ("line:action", COMPASS): LINE,
    ("line:risk", COMPASS): {"RISK: up": [UP], "riſk: up": MALFORMED, "ris\u212a: up": MALFORMED},
    ("boxed", COMPASS): BOXED,
    ("bracket", COMPASS): BRACKET,
    ("json", COMPASS): JSON,
    ("index", COMPASS): INDEX,
    ("plain", COMPASS): PLAIN,
    ("plain", TAXI): TAXI_PLAIN,
    ("index", TAXI): TAXI_INDEX,
}
CASES = [
    pytest.param(message, grammar, vocabulary, expected, id=f"{grammar}-{message[:40]!a}")
    for (grammar, vocabulary), table in TABLES.items()
    for message, expected in table.items()
]


@pytest.mark.parametrize(("message", "grammar", "vocabulary", "expected"), CASES)
def test_message_reads_as_the_table_says(message, grammar, vocabulary, expected):
    reading = read(message, grammar, vocabulary)
    if isinstance(expected, Outcome):
        assert reading[:3] == (expected, (), 0)
        assert reading.why
    else:
        assert reading == (Outcome.READ, tuple(expected), 0, "")


@every_grammar
def test_no_other_grammar_is_tried(grammar):
    answers = {
        "tag:action": "<action>up</action>",
        "line:action": "action: up",
        "boxed": "\\boxed{up}",
        "bracket": "I go [up]",
        "json": '{"action": "up"}',
        "index": "0",
    }
    for other, message in answers.items():
        assert bool(read(message, grammar, COMPASS).actions) == (other == grammar)


def test_actions_beyond_the_limit_are_counted_not_played():
    twelve = read("UUUUUUUUUUUL", "plain", COMPASS, max_actions=8)
    assert twelve == (Outcome.OVER_LIMIT, (UP,) * 8, 4, "12 actions asked, only the first 8 are played")
    assert read("ud", "plain", COMPASS, max_actions=1).why == "2 actions asked, only the first is played"
    assert read("ud", "plain", COMPASS, max_actions=2).outcome == Outcome.READ
    assert read("ud jump", "plain", COMPASS, max_actions=1) == read("ud jump", "plain", COMPASS)


def test_reasons_tell_the_agent_what_is_wrong():
    assert read("", "tag:action", COMPASS).why == "the message is empty"
    assert read("up", "tag:action", COMPASS).why == "no <action>...</action> in the message"
    why = "'upright' is not an action; the actions are up, down, left, right"
    assert read("Upright", "plain", COMPASS).why == why
    assert read("\x1b[31m\u202e\ud800", "plain", COMPASS).why.startswith(r"'\x1b[31m\u202e\ud800' is")
    assert len(read("x" * 1000, "plain", COMPASS).why) < 120


@pytest.mark.parametrize("message", [None, b"up", 3, ["up"]])
def test_a_message_that_is_no_str_is_a_type_error(message):
    with pytest.raises(TypeError, match="a message is a str"):
        read(message, "plain", COMPASS)


def test_a_limit_below_one_is_a_value_error():
    with pytest.raises(ValueError, match="max_actions is 0"):
        read("up", "plain", COMPASS, max_actions=0)


@pytest.mark.parametrize(
    "grammar", ["tags", "tag", "", "TAG:action", "json:action", "tag:", "tag:a b", "line:é", "tag:Think"]
)
@pytest.mark.parametrize("use", [check_grammar, regular_expression, gbnf, lambda *rest: read("", *rest)])
def test_an_unfit_grammar_is_a_value_error(grammar, use):
    with pytest.raises(ValueError, match=f"grammar '{grammar}'"):
        use(grammar, COMPASS)


def test_unknown_grammar_error_names_the_known_ones():
    known = "unknown grammar 'tags'; known: tag:NAME, line:NAME, boxed, bracket, json, index, plain"
    with pytest.raises(ValueError, match=known):
        check_grammar("tags", COMPASS)


def test_index_needs_actions_that_fit_one_digit():
    check_grammar("index", Vocabulary(names=tuple((f"a{number}",) for number in range(10))))
    with pytest.raises(ValueError, match="at most 10 actions"):
        check_grammar("index", Vocabulary(names=tuple((f"a{number}",) for number in range(11))))


@every_grammar
@pytest.mark.parametrize("actions", [[], [4], [-1], [UP, 99]])
def test_write_refuses_what_cannot_be_read(grammar, actions):
    with pytest.raises(ValueError, match="action"):
        write(actions, grammar, COMPASS)


@pytest.mark.parametrize("grammar", SINGLE)
def test_write_refuses_two_actions_where_one_is_taken(grammar):
    with pytest.raises(ValueError, match="takes one"):
        write([UP, UP], grammar, COMPASS)


def plans(grammar, vocabulary):
    actions = st.integers(0, len(vocabulary.names) - 1)
    return st.lists(actions, min_size=1, max_size=1 if grammar in SINGLE else 12)


@every_vocabulary
@every_grammar
@settings(max_examples=25)
@given(data=st.data())
def test_what_is_written_reads_back(grammar, vocabulary, data):
    actions = data.draw(plans(grammar, vocabulary))
    message = write(np.array(actions), grammar, vocabulary)
    assert read(message, grammar, vocabulary) == (Outcome.READ, tuple(actions), 0, "")
    assert read(f"<think>hm</think>\n{message}\n", grammar, vocabulary).actions == tuple(actions)
    assert re.fullmatch(regular_expression(grammar, vocabulary), message)


@every_vocabulary
@every_grammar
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_what_the_expression_matches_is_read(grammar, vocabulary, data):
    message = data.draw(st.from_regex(regular_expression(grammar, vocabulary), fullmatch=True))
    assert read(message, grammar, vocabulary).outcome == Outcome.READ


SYNTAX = r"""<think> </think> <action> </action> <Move-1> </Move-1> action: Final final: \boxed{ } { \text{ [ ] ( ) "
    {"action": {"actions": , ; | || -> ``` ```json * ** - 1. 2) • ' ` . ... up U uul ↑ ⬅ left pick drop_off off move 0 5
    \n \ud800 \u212a İ ſ"""
fragments = st.lists(
    st.sampled_from([*SYNTAX.split(), " ", "  ", "\n", "\r\n", "\t", "\0", "\ufeff", "\ud800"]), max_size=30
)
messages = st.text() | fragments.map("".join) | fragments.map(" ".join)


@every_grammar
@settings(max_examples=150, deadline=None)
@given(message=messages, limit=st.none() | st.integers(1, 5), vocabulary=st.sampled_from([COMPASS, TAXI]))
def test_reading_is_total_and_consistent(grammar, message, limit, vocabulary):
    outcome, actions, over, why = read(message, grammar, vocabulary, limit)
    assert bool(actions) == (outcome in (Outcome.READ, Outcome.OVER_LIMIT))
    assert bool(over) == (outcome == Outcome.OVER_LIMIT)
    assert bool(why) == (outcome != Outcome.READ)
    assert set(actions) <= set(range(len(vocabulary.names)))
    assert why.isascii() or why.isprintable()


@every_grammar
@settings(max_examples=100, deadline=None)
@given(message=messages, thought=st.text(max_size=5), more=st.booleans())
def test_a_message_reads_as_what_follows_its_thoughts(grammar, message, thought, more):
    whole = f"<think>{thought}</THINK>{message}" if more else message
    assert read(after_thoughts(whole), grammar, COMPASS, 3) == read(whole, grammar, COMPASS, 3)
    assert after_thoughts(after_thoughts(whole)) == after_thoughts(whole)


@every_grammar
@settings(max_examples=50, deadline=None)
@given(batches=st.lists(st.lists(messages, min_size=3, max_size=3), max_size=4))
def test_messages_known_from_before_read_as_new_ones_do(grammar, batches):
    words = PUZZLES["sokoban"].words
    translator = Translator(words, (1, 5, 5), "dense", grammar, 3, False, False)
    for batch in batches:
        asked = translator.read(batch)
        for world, message in enumerate(batch):
            reading = read(message, grammar, words.vocabulary, 3)
            assert asked.readings[asked.rows[world]] == reading == translator.read_one(message)
            kept = len(reading.actions)
            assert tuple(asked.actions[world, :kept]) == reading.actions and (asked.actions[world, kept:] == -1).all()
            assert (asked.num_asked[world], asked.outcomes[world]) == (kept + reading.over, reading.outcome)


LONG = [
    "<action>",
    "[",
    "\\boxed{",
    "{",
    "`",
    "```",
    "```\n",
    "> ",
    "u",
    "u ",
    "u\n",
    " ",
    "<think>",
    "- ",
    "9",
    '"u",',
    "↑",
]


@every_grammar
@pytest.mark.parametrize("fragment", LONG, ids=ascii)
def test_long_messages_take_linear_time(grammar, fragment):
    opening = "action: [" if grammar == "line:action" else ""
    start = time.process_time()
    read(opening + fragment * (10**6 // len(fragment)), grammar, COMPASS)
    assert time.process_time() - start < 5


LITERAL = r'"(?:[^"\\]|\\.)*"'


def gbnf_as_expression(text):
    """Translate GBNF of two rules into a regular expression, by the few forms of it that we use."""
    rules = dict(line.split(" ::= ") for line in text.strip().split("\n"))
    assert set(rules) == {"root", "action"}
    for rule in rules.values():
        assert re.fullmatch(rf"(?:{LITERAL}|action|[ |()*])+", rule)

    def translate(match):
        part = match.group(1)
        return f"({rule_body('action')})" if part == "action" else re.escape(re.sub(r"\\(.)", r"\1", part[1:-1]))

    def rule_body(name):
        return re.sub(rf" *({LITERAL}|action) *", translate, rules[name])

    return rule_body("root")


@every_vocabulary
@every_grammar
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_gbnf_is_the_language_of_the_expression(grammar, vocabulary, data):
    translated = gbnf_as_expression(gbnf(grammar, vocabulary))
    assert re.fullmatch(translated, write(data.draw(plans(grammar, vocabulary)), grammar, vocabulary))
    message = data.draw(st.from_regex(translated, fullmatch=True))
    assert re.fullmatch(regular_expression(grammar, vocabulary), message)


PAGE = Path(__file__).parents[1] / "docs" / "messages.md"


def test_examples_on_the_page_are_true():
    rows = re.findall(r"^\| `(\S+)` \| `(.+?)` \| (.+?) \|", PAGE.read_text(), re.MULTILINE)
    assert len(rows) == len(grammars.KINDS)
    for grammar, message, actions in rows:
        assert [COMPASS.names[action][0] for action in read(message, grammar, COMPASS).actions] == actions.split(", ")
    assert doctest.testfile(str(PAGE), module_relative=False).failed == 0
    assert PAGE.read_text().endswith(f"grammar {grammars.GRAMMAR_VERSION}\n")
