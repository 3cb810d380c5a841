"""Evaluation without its harness: measures, intervals, scripted players, result files, the leaderboard, the commands."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from textworlds import PUZZLES, Conversation
from textworlds.chat.prompts import PROTOCOLS
from textworlds.cli import main
from textworlds.evaluation import command
from textworlds.evaluation.leaderboard import render
from textworlds.evaluation.results import SETTINGS, read_result, result, table, write_result
from textworlds.evaluation.scores import MEASURES, bootstrap, scores_of, summarise, wilson
from textworlds.evaluation.scripted import find_player
from textworlds.evaluation.secrets import hide_keys
from textworlds.evaluation.setup import Setup
from textworlds.levels.content import SPLITS, keys_of, split_of

LEVEL = "######\n#@-$.#\n######"
EASY = {name: next(iter(puzzle.ids)) for name, puzzle in PUZZLES.items()}
EVIL = "<script>alert(1)</script>\"'&"


def sokoban(protocol="interactive", **settings):
    conversation = Conversation("Sokoban-easy-v0", protocol, **settings)
    conversation.reset(level=LEVEL)
    return conversation


def play(conversation, player):
    while not conversation.done:
        conversation.reply(find_player(player)(conversation))
    return scores_of(conversation)


# Measures.


@pytest.mark.parametrize("name", PUZZLES)
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("view", [{}, {"view": 3, "sight": True}], ids=str)
def test_the_scripted_solver_solves_with_the_fewest_actions(name, protocol, view):
    conversation = Conversation(EASY[name], protocol, **view)
    conversation.reset(seed=5)
    scores = play(conversation, "solver")
    predicted = 1.0 if protocol == "predict" else None
    assert scores["success"] == 1.0 and scores["optimality_gap"] == 0.0 and scores["unread_share"] == 0.0
    assert scores["prediction_right"] == scores["prediction_cells"] == predicted


@pytest.mark.parametrize("grammar, turns", [("tag:action", 2), ("index", 4), ("json", 2)])
def test_scripted_players_answer_in_the_grammar_and_within_limits(grammar, turns):
    settings = {"action": grammar, "max_actions": 2}
    long = "#######\n#@---.#\n#######"
    conversation = Conversation("Maze-easy-v0", **settings)
    conversation.reset(level=long)
    assert play(conversation, "solver")["turns"] == turns
    conversation.reset(level=long)
    assert play(conversation, "random")["unread_share"] == 0.0


@pytest.mark.parametrize("protocol, count", [("interactive", 4), ("predict", 4), ("entire-plan", 64)])
def test_the_random_player_asks_for_so_many_actions(protocol, count):
    reply = sokoban(protocol).reply(find_player("random")(sokoban(protocol)))
    assert reply.ledger["asked"] == count


def test_the_random_player_is_the_same_for_the_same_level():
    first, second = sokoban("predict"), sokoban("predict")
    assert play(first, "random") == play(second, "random") and first.messages == second.messages


def test_a_solver_that_gives_up_or_finds_nothing_says_nothing():
    conversation = Conversation("Sokoban-easy-v0", turn_limit=2)
    conversation.reset(level="#####\n#$--#\n#@.-#\n#####")
    scores = play(conversation, "solver")
    assert scores["success"] == 0.0 and scores["unread_share"] == 1.0


def test_measures_are_of_the_episode():
    conversation = sokoban("predict", turn_limit=3)
    conversation.reply("<action>up, up, right</action>")
    conversation.reply("hm")
    conversation.reply(conversation.answer([3]))
    scores = scores_of(conversation)
    assert scores["success"] == 1.0 and scores["turns"] == 3 and scores["actions"] == 4
    assert scores["effective_share"] == scores["novel_share"] == 0.5
    assert scores["optimality_gap"] == 1.0 and scores["unread_share"] == pytest.approx(1 / 3)
    assert scores["prediction_right"] == pytest.approx(1 / 3) and scores["prediction_changed"] == 0.5


def test_typed_outcomes_are_told_apart():
    conversation = sokoban(turn_limit=4, max_actions=1)
    for text in ("", "hm", "<action>jump</action>", "<action>up, up</action>"):
        conversation.reply(text)
    scores = scores_of(conversation)
    assert [scores[f"{name}_share"] for name in ("empty", "malformed", "unknown_word", "over_limit")] == [0.25] * 4
    assert scores["unread_share"] == 0.75


def test_what_is_not_known_is_none():
    conversation = sokoban(turn_limit=1)
    conversation.reply("hm")
    unknown = {name for name, value in scores_of(conversation).items() if value is None}
    assert unknown == {name for name in MEASURES if re.search("gap|predict", name)}
    assert scores_of(conversation)["effective_share"] == scores_of(conversation)["novel_share"] == 0.0
    assert scores_of(sokoban(novelty=False))["novel_share"] is None


def test_intervals_are_those_of_the_books():
    assert wilson(0.5, 10) == pytest.approx((0.23659, 0.76341), abs=1e-5)
    assert wilson(1.0, 8) == pytest.approx((0.67558, 1.0), abs=1e-4) and wilson(0.0, 8)[0] == 0.0
    values = np.random.default_rng(1).normal(5, 2, 400)
    low, high = bootstrap(values)
    assert (low, high) == bootstrap(values)
    assert (high - low) / 2 == pytest.approx(1.96 * values.std() / 20, rel=0.1) and low < values.mean() < high


def test_what_is_the_same_in_all_episodes_is_not_said_to_be_certain():
    for value in (0.0, 1.0):
        assert summarise([{"unread_share": value}] * 8, "unread_share")[2:4] == pytest.approx(wilson(value, 8))
    assert summarise([{"turns": 4.0}] * 8, "turns")[:4] == (4.0, 0.0, None, None)


def test_a_summary_leaves_out_what_is_not_known():
    summary = summarise([{"optimality_gap": 0.5}, {"optimality_gap": None}, {}], "optimality_gap")
    assert summary == (0.5, None, None, None, 1)
    assert summarise([], "success") == (None, None, None, None, 0)


# Setups.


def test_the_shipped_test_set_is_played_by_default():
    setup = Setup("textworlds/Sokoban-easy-v0")
    levels = setup.find_levels()
    assert len(levels) == 256 and len(setup.find_levels(3)) == 3
    said = setup.said(setup.find_levels(3))
    assert tuple(said) == SETTINGS and said["levels"] == "Sokoban-easy-v0-test" and said["num_levels"] == 3
    assert said["levels_sha256"] != Setup("Sokoban-easy-v0").said(setup.find_levels(4))["levels_sha256"]


@pytest.mark.parametrize("split", ["train", "validation"])
def test_levels_of_another_split_are_generated(split):
    setup = Setup("Maze-easy-v0", split=split)
    pictures = np.stack([level.picture for level in setup.find_levels(5)])
    assert {SPLITS[split_of(key)] for key in keys_of(pictures, PUZZLES["maze"])} == {split}
    assert setup.said(setup.find_levels(5))["levels"] == f"{split}, generated"


def test_settings_of_other_levels_than_the_shipped_ones_have_them_generated():
    setup = Setup("Maze-easy-v0", settings={"height": 7, "width": 7, "min_moves": 2, "max_moves": 6, "turn_limit": 3})
    pictures = np.stack([level.picture for level in setup.find_levels(5)])
    assert pictures.shape == (5, 1, 7, 7)
    assert {SPLITS[split_of(key)] for key in keys_of(pictures, PUZZLES["maze"])} == {"test"}
    assert setup.said(setup.find_levels(5))["levels"] == "test, generated"


def test_a_level_goes_through_its_drawing_without_loss():
    for name in PUZZLES:
        setup = Setup(EASY[name])
        level = setup.find_levels(1)[0]
        again = setup.read(setup.draw(level), level.certificate)
        assert np.array_equal(again.picture, level.picture) and again.certificate["moves"] == level.certificate["moves"]


def test_settings_reach_the_conversation():
    conversation = Setup("Maze-easy-v0", history="3", grammar="json", settings={"turn_limit": 4}).conversation()
    assert (conversation.history, conversation.grammar, conversation.turn_limit) == (3, "json", 4)


# Result files and tables.

WRONG = ('"<b>"', "NaN", "Infinity", "true", "1" + "0" * 400)


def some_result(model="me/small", success=(1.0, 0.0), **said):
    settings = dict.fromkeys(SETTINGS, 1) | {"id": "Maze-easy-v0", "levels_sha256": "ab" * 32} | said
    episodes = [{"level": place, "success": value, "turns": 3.0} for place, value in enumerate(success)]
    return result(settings, [{"model": model, "sampling": {"temperature": 0.5}, "usage": {}, "episodes": episodes}])


def test_a_result_goes_to_a_file_and_back(tmp_path):
    record = some_result()
    write_result(record, tmp_path / "result.json")
    assert read_result(tmp_path / "result.json") == record
    assert record["packages"].keys() >= {"textworlds", "numpy"}


def test_the_table_shows_what_is_known_with_intervals():
    head, row = table(some_result()).splitlines()
    assert head.split() == ["model", "levels", "solved", "turns"]
    assert row.split()[:3] == ["me/small", "2", "50.0"] and row.endswith(" 3.0")


@pytest.mark.parametrize(
    "text, said",
    [
        ("", "is no result"),
        ("[" * 100_000, "is no result"),
        ("{}", "is no result"),
        (json.dumps(some_result() | {"version": 9}), "is of version 9; this program reads 1"),
        (json.dumps(some_result() | {"models": [{}]}), "is damaged"),
        (json.dumps(some_result() | {"models": None}), "is damaged"),
        *((json.dumps(some_result()).replace('"mean": 0.5', f'"mean": {wrong}'), "is damaged") for wrong in WRONG),
        (json.dumps(some_result()).replace('"low": 0', '"low": null, "x": 0'), "is damaged"),
        (json.dumps(some_result("\ud800")), "is damaged"),
    ],
)
def test_a_wrong_result_file_is_named(tmp_path, text, said):
    (tmp_path / "result.json").write_text(text)
    with pytest.raises(ValueError, match=f"result.json: .*{said}"):
        read_result(tmp_path / "result.json")


class Cells(HTMLParser):
    """The texts of cells, and the names of all elements."""

    def __init__(self):
        super().__init__()
        self.cells, self.elements = [], []

    def handle_starttag(self, tag, attributes):
        self.elements.append(tag)
        if tag == "td":
            self.cells.append("")
        assert all(name in ("class", "title", "data-value") for name, _ in attributes if tag == "td")

    def handle_data(self, data):
        if self.elements and self.elements[-1] == "td":
            self.cells[-1] += data


def test_the_leaderboard_escapes_every_text():
    settings = dict.fromkeys(SETTINGS, EVIL)
    record = some_result(EVIL, **settings) | {"packages": {EVIL: EVIL}}
    record["models"][0]["sampling"] = {EVIL: EVIL}
    page = render([record])
    cells = Cells()
    cells.feed(page)
    assert cells.elements.count("script") == 1 and cells.cells[0] == EVIL
    assert EVIL not in page and "<script>alert" not in page


def test_the_leaderboard_has_each_row_once_the_best_first():
    best, worst = (
        some_result(name, success, num_levels=4) for name, success in (("z/best", (1.0, 1.0)), ("b/worst", (0.0, 0.0)))
    )
    page = render([worst, best, best])
    assert page.count("<td>2 of 4</td>") == 2
    assert page.count("z/best") == page.count("b/worst") == 1 and page.index("z/best") < page.index("b/worst")
    assert "http:" not in page and "https:" not in page and page.count("<tr>") == 3


# Commands.


@pytest.fixture
def run(capsys):
    def run(*argv):
        code = main(list(argv))
        return code, *capsys.readouterr()

    return run


def test_the_leaderboard_command_finds_results_in_folders(run, tmp_path):
    (tmp_path / "a").mkdir()
    write_result(some_result(), tmp_path / "a" / "result.json")
    code, out, _ = run("leaderboard", str(tmp_path), "--out", str(tmp_path / "page.html"))
    assert (code, out) == (0, f"{tmp_path}/page.html: 1 result\n") and "me/small" in (
        tmp_path / "page.html"
    ).read_text()


@pytest.mark.parametrize(
    "argv, said",
    [
        (["leaderboard", "FOLDER", "--out", "FOLDER/page.html"], "holds no result.json"),
        (["leaderboard", "FOLDER", "--out", "page.txt"], "the name of a page ends in .html"),
        (["leaderboard", "nowhere.json", "--out", "page.html"], "nowhere.json: No such file"),
        (["evaluate", "--id", "Maze-easy-v0"], "required: --model"),
        (["evaluate", "--model", "scripted/solver", "--id", "Mase-easy-v0"], "unknown id 'Mase-easy-v0'; the nearest"),
        (["evaluate", "--model", "scripted/me", "--id", "Maze-easy-v0"], "unknown scripted model 'scripted/me'; known"),
        (["evaluate", "--model", "gpt", "--id", "Maze-easy-v0"], "--model is a provider and a name"),
        (["evaluate", "--model", "a/b", "--id", "Maze-easy-v0", "--grammar", "xml"], "unknown grammar 'xml'"),
        (["evaluate", "--model", "a/b", "--id", "Maze-easy-v0", "--levels", "none"], "neither a file nor a shipped"),
        (["evaluate", "--model", "a/b", "--id", "Maze-easy-v0", "--protocol", "x"], "invalid choice: 'x'"),
        (["evaluate", "--model", "a/b", "--id", "Maze-easy-v0", "--history", "some"], 'history is "all" or a number'),
        (
            ["evaluate", "--model", "a/b", "--id", "Maze-easy-v0", "--levels", "Maze-easy-v0-test", "--set", "width=7"],
            "'width' decides what levels are generated",
        ),
        (
            ["evaluate", "--model", "a/b", "--id", "Maze-easy-v0", "--levels", "Maze-easy-v0-test", "--split", "train"],
            "a split is of generated levels",
        ),
        (["evaluate", "--model", "a/b", "--id", "Maze-easy-v0", "--limit", "0"], "whole number of at least 1"),
        (["evaluate", "--model", "a/b", "--id", "Maze-easy-v0", "--set", "veiw=5"], "unknown option 'veiw'"),
        (["evaluate", "--model", "a/b", "--id", "Maze-easy-v0", "--set", "view=some"], "view is an odd number"),
        (
            ["evaluate", "--model", "a/b", "--id", "Maze-easy-v0", "--set", "protocol=x"],
            "'protocol' is not for settings",
        ),
        (["evaluate", "--model", "a/b", "--id", "Maze-easy-v0", "--set", "num_worlds=2"], "is not for settings"),
        (
            ["evaluate", "--model", "a/b", "--id", "Maze-easy-v0", "--base-url", "127.0.0.1:80"],
            "--base-url is a URL like",
        ),
        (["evaluate", "--model", "a/b", "--id", "Maze-easy-v0", "--shots", "-1"], "shots is a whole number"),
        (["evaluate", "--model", "a/b", "--id", "Maze-easy-v0", "--prompts", "nowhere"], "nowhere: No such file"),
        (["evaluate", "--model", "a/b", "--id", "Maze-easy-v0", "--base-url", "http://u:key@x/v1"], "holds no key"),
    ],
)
def test_wrong_input_is_one_sentence_and_exit_code_2(run, tmp_path, argv, said):
    code, out, errors = run(*(word.replace("FOLDER", str(tmp_path)) for word in argv))
    assert code == 2 and out == "" and said in errors and errors.count("\n") == 1


def test_a_missing_extra_is_said_with_its_command(run, monkeypatch):
    def missing(name):
        raise ImportError("No module named 'inspect_ai'")

    monkeypatch.setattr(command.importlib, "import_module", missing)
    code, _, errors = run("evaluate", "--model", "scripted/solver", "--id", "Maze-easy-v0")
    assert code == 2 and "pip install 'textworlds[inspect]'" in errors


def test_keys_are_hidden(monkeypatch):
    monkeypatch.setenv("SOME_API_KEY", 'sk-12"34\\567')
    monkeypatch.setenv("SHORT_KEY", "a")
    assert hide_keys('a bad key: sk-12"34\\567!') == "a bad key: [key]!"
    assert hide_keys(json.dumps('a bad key: sk-12"34\\567!')) == '"a bad key: [key]!"'


def test_urls_with_a_key_in_them_are_refused(run, monkeypatch):
    monkeypatch.setenv("SOME_API_KEY", "sk-1234567")
    argv = ("evaluate", "--model", "openai-api/local/m", "--id", "Maze-easy-v0")
    for url in ("http://me:pw@localhost/v1", "http://localhost/v1?key=1", "http://localhost/sk-1234567/v1"):
        code, _, errors = run(*argv, "--base-url", url)
        assert code == 2 and "--base-url holds no key" in errors and "sk-1234567" not in errors
        code, _, errors = run(*argv, "--model-arg", "api_key=sk-1234567")
        assert code == 2 and "--model-arg api_key is logged" in errors
        with monkeypatch.context() as context:
            context.setenv("LOCAL_BASE_URL", url)
            code, _, errors = run(*argv)
        assert code == 2 and "LOCAL_BASE_URL holds no key" in errors
