"""Data from the solvers: chats that replay to solved levels, answers that the naive twins find again, files that survive kills."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textworlds import PUZZLES, Conversation, Episode, find_id, find_levels
from textworlds.chat.prompts import PROTOCOLS
from textworlds.chunks import in_threads
from textworlds.cli import main
from textworlds.data import Job, chats, make_data, questions
from textworlds.data import files as data_files
from textworlds.data.chats import make_chats
from textworlds.data.jobs import SHAPES
from textworlds.data.plans import MOST_EXTRA
from textworlds.data.questions import make_questions, questions_of
from textworlds.levels.content import SPLITS, keys_of, split_of
from textworlds.text import formats

IDS = [next(iter(puzzle.ids)) for puzzle in PUZZLES.values()]
NUMBERS = st.integers(0, 1 << 30)
SEEDS = st.integers(0, (1 << 63) - 1)


def names_of(puzzle):
    return [spellings[0] for spellings in puzzle.words.vocabulary.names]


def fewest_actions(puzzle, drawing):
    found = naive.fewest_in_order(naive.TWINS[puzzle.name], drawing, [lambda world, after: 1])
    return None if found is None else found[0]


# Chats.


def replayed(row, protocol, **settings):
    """Play what the model says in a row of messages, and return the conversation at its end."""
    conversation = Conversation(row["id"], protocol, **settings)
    conversation.reset(level=row["level"])
    for message in row["messages"]:
        if message["role"] == "assistant":
            conversation.reply(message["content"])
    return conversation


@pytest.mark.parametrize("id", IDS)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_chats_replay_word_by_word_to_solved_levels(id, protocol):
    rows = make_chats(Job(id, protocol=protocol), 0, 30)
    assert len(rows) >= 28 and len({row["plan"] for row in rows}) == (2 if protocol == "entire-plan" else 3)
    for row in rows:
        conversation = replayed(row, protocol)
        assert conversation.replies[-1].terminated and conversation.all_messages == row["messages"]
        assert conversation.statistics.num_asked == row["actions"]
        assert all(reply.prediction is None or reply.prediction.right for reply in conversation.replies)
        assert (conversation.replies[0].prediction is not None) == (protocol == "predict")


@pytest.mark.parametrize("id", IDS)
@settings(max_examples=15)
@given(seed=SEEDS, number=NUMBERS)
def test_plans_are_as_long_as_they_say(id, seed, number):
    for row in make_chats(Job(id, seed=seed), number, 2):
        assert row["fewest"] == fewest_actions(find_id(id)[0], row["level"])
        extra = row["actions"] - row["fewest"]
        assert {"optimal": extra == 0, "near-optimal": 0 <= extra <= MOST_EXTRA, "recovery": extra > 0}[row["plan"]]
        assert (row["mistake"] >= 0) == (row["plan"] == "recovery")


@pytest.mark.parametrize("id", IDS)
def test_a_mistake_brings_the_level_no_nearer_to_its_end(id):
    puzzle = find_id(id)[0]
    for row in make_chats(Job(id, plans=("recovery",)), 0, 12):
        if row["mistake"] < 0:
            continue
        conversation, left = Conversation(id), []
        conversation.reset(level=row["level"])
        for reply in [one["content"] for one in row["messages"] if one["role"] == "assistant"][: row["mistake"] + 1]:
            left.append(len(conversation.episode.solve(puzzle.costs[-1])))
            conversation.reply(reply)
        assert len(conversation.episode.solve(puzzle.costs[-1])) >= left[-1]


@pytest.mark.parametrize("id", IDS)
def test_a_completion_is_a_turn_of_its_chat_and_no_mistake(id):
    whole = make_chats(Job(id), 0, 40)
    for row, chat in zip(make_chats(Job(id, shape="prompt-completion"), 0, 40), whole, strict=True):
        (completion,), length = row["completion"], len(row["prompt"])
        assert row["prompt"] == chat["messages"][:length] and completion == chat["messages"][length]
        turn = (length - 2) // 2
        assert completion["role"] == "assistant"
        assert turn == row["mistake"] + 1 if row["plan"] == "recovery" else turn >= 0


@pytest.mark.parametrize("action", ["bracket", "json", "line:plan", "index"])
def test_other_grammars_formats_and_limits_are_kept_to(action):
    settings = {"max_actions": 3, "turn_limit": 40}
    rows = make_chats(Job(IDS[0], action=action, observation="prose", settings=settings), 0, 8)
    for row in rows:
        conversation = replayed(row, "interactive", observation="prose", action=action, **settings)
        assert conversation.replies[-1].terminated and conversation.all_messages == row["messages"]
        assert all(reply.ledger["asked"] <= 3 for reply in conversation.replies)
    assert rows


def test_a_completion_is_asked_for_as_history_and_shots_say():
    rows = make_chats(Job(IDS[0], shape="prompt-completion", settings={"history": 0, "shots": 1}), 0, 8)
    for row in rows:
        roles = "".join(message["role"][0] for message in row["prompt"])
        assert roles == "s" + "ua" * (len(roles) // 2 - 1) + "u"
        assert "An example." in row["prompt"][1]["content"] and "Now it is your turn." in row["prompt"][-1]["content"]
    assert len({len(row["prompt"]) for row in rows}) == 1


def test_levels_whose_plans_do_not_fit_into_the_turns_are_left_out():
    rows = make_chats(Job(IDS[0], settings={"turn_limit": 2}), 0, 30)
    assert 0 < len(rows) < 30
    assert all(len([one for one in row["messages"] if one["role"] == "assistant"]) <= 2 for row in rows)


# Questions.


def actions_in(question, puzzle):
    """Return the numbers of the actions that a question names."""
    said = re.search(r"(?:actions|in order): (.+?)(?:\?|\.) ", question)[1]
    return [names_of(puzzle).index(re.sub(r"^\d+: ", "", one)) for one in said.split(", ")]


def answered_by_twin(puzzle, name, content):
    """Return the answer to a question by the slow twin, from the drawing and the words of the question alone."""
    drawing, _, question = content.rpartition("\n\n")
    twin = naive.TWINS[puzzle.name]
    if name == "solvable":
        return "no" if naive.fewest(twin, drawing) is None else "yes"
    if name == "fewest":
        return str(fewest_actions(puzzle, drawing))
    played = list(naive.play(twin, drawing, actions_in(question, puzzle)))
    if name == "board":
        return played[-1][2]
    return ", ".join(str(n) for n, (reason, *_) in enumerate(played, 1) if reason == "CHANGED") or "none"


@pytest.mark.parametrize("id", IDS)
@settings(max_examples=40)
@given(data=st.data(), seed=SEEDS, number=NUMBERS)
def test_answers_are_those_of_the_naive_twin(id, data, seed, number):
    puzzle = find_id(id)[0]
    name = data.draw(st.sampled_from(questions_of(Job(id, "qa"))))
    for row in make_questions(Job(id, "qa", seed=seed, questions=(name,)), number, 2):
        system, user, answer = row["messages"]
        assert row["question"] == name and answer["content"] == row["answer"]
        assert row["answer"] == answered_by_twin(puzzle, name, user["content"])
        assert puzzle.words.rules in system["content"]


def test_both_answers_and_all_questions_come_up():
    rows = make_questions(Job("Sokoban-easy-v0", "qa"), 0, 300)
    assert {row["question"] for row in rows} == {"board", "changed", "solvable", "fewest"}
    lost = [row["answer"] for row in rows if row["question"] == "solvable"]
    assert 0.2 < lost.count("no") / len(lost) < 0.8
    changed = [row["answer"] for row in rows if row["question"] == "changed"]
    assert len(set(changed)) > 20


@pytest.mark.parametrize("format", formats.FORMATS)
def test_questions_are_asked_and_answered_in_the_format_of_the_boards(format):
    for row in make_questions(Job(IDS[0], "qa", observation=format, questions=("board",)), 0, 5):
        shown = row["messages"][1]["content"].rpartition("\n\n")[0]
        for text in (shown, row["answer"]):
            picture = formats.read(text, format, PUZZLES["sokoban"].words)
            assert formats.write(picture, format, PUZZLES["sokoban"].words) == text


# Splits and numbers.


@pytest.mark.parametrize("kind", data_files.KINDS)
@pytest.mark.parametrize("id", IDS)
def test_no_level_is_in_the_rows_of_two_splits(kind, id):
    keys = {}
    for split in SPLITS:
        rows = data_files.KINDS[kind].make(Job(id, kind, split), 0, 60)
        puzzle = find_id(id)[0]
        pictures = [formats.read(row["level"], "dense", puzzle.words) for row in rows]
        keys[split] = keys_of(np.array(pictures), puzzle)
        assert {SPLITS[split_of(key)] for key in keys[split]} == {split}
        assert [row["key"] for row in rows] == [f"{key:016x}" for key in keys[split]]
        assert {row["split"] for row in rows} == {split}
    assert not set(keys["train"].tolist()) & set(keys["test"].tolist())


@pytest.mark.parametrize("kind", data_files.KINDS)
def test_no_board_in_the_middle_of_a_row_is_a_shipped_test_level(kind, monkeypatch):
    puzzle = PUZZLES["sokoban"]
    tests = set(find_levels("Sokoban-easy-v0-test").column("key").tolist())

    def tests_shown():
        found = 0
        for row in data_files.KINDS[kind].make(Job("Sokoban-easy-v0", kind), 0, 800):
            said = "\n\n".join(message["content"] for message in row["messages"][1:]).split("\n\n")
            boards = [formats.read(part, "dense", puzzle.words) for part in said if set(part) <= set("#-.$*@+\n")]
            found += not tests.isdisjoint(keys_of(np.stack(boards), puzzle).tolist())
        return found

    assert tests_shown() == 0
    for module in (chats, questions):
        monkeypatch.setattr(module, "shows_a_test", lambda *arguments: False)
    assert tests_shown() > 0


@pytest.mark.parametrize("kind", data_files.KINDS)
@settings(max_examples=10)
@given(seed=SEEDS, number=NUMBERS, size=st.integers(2, 6))
def test_a_row_does_not_hang_on_the_rows_made_with_it(kind, seed, number, size):
    make, job = data_files.KINDS[kind].make, Job(IDS[0], kind, seed=seed)
    alone = [row for place in range(size) for row in make(job, number + place, 1)]
    assert make(job, number, size) == alone
    assert [row["number"] for row in alone] == sorted({row["number"] for row in alone})


def test_rows_are_about_the_levels_that_the_seed_plays():
    episode = Episode(IDS[1], split="test")
    for number, row in enumerate(make_questions(Job(IDS[1], "qa", "test", seed=11), 0, 5)):
        assert episode.reset(None if number else 11) == row["level"]


# Files.


@pytest.fixture
def run(capsys):
    def run(*argv):
        capsys.readouterr()
        code = main(["make-data", *map(str, argv)])
        out, errors = capsys.readouterr()
        return code, out, "".join(line for line in errors.splitlines(True) if "compiling" not in line)

    return run


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(data_files, "CHUNK", 8)


COMMAND = "import sys; from textworlds.data import files; files.CHUNK = 8; from textworlds.cli import main; sys.exit(main(sys.argv[1:]))"
MAZES = (IDS[1], "--count", "400", "--kind", "qa")


def start(*argv):
    command = [sys.executable, "-c", COMMAND, "make-data", *map(str, argv)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("kind", data_files.KINDS)
def test_a_file_is_the_same_with_other_workers_and_its_beginning_that_of_a_longer_one(
    kind, run, tmp_path, small_chunks
):
    asked = (IDS[0], "--kind", kind, "--seed", 3)
    for count, name in ((30, "a.jsonl"), (60, "c.jsonl")):
        assert run(*asked, "--count", count, "--workers", 1, "--out", tmp_path / name)[0] == 0
    code, out, errors = run(*asked, "--count", 60, "--workers", 2, "--out", tmp_path / "b.jsonl")
    assert code == 0, errors
    size = (tmp_path / "b.jsonl").stat().st_size
    assert out == f"{tmp_path / 'b.jsonl'}: 60 rows, {size:,} bytes\n"
    assert errors.splitlines()[-1].startswith("60 of 60 rows, ")
    first, second = ((tmp_path / name).read_bytes().splitlines() for name in ("a.jsonl", "b.jsonl"))
    assert len(first) == 30 and len(second) == 60 and second[:30] == first
    assert (tmp_path / "b.jsonl").read_bytes() == (tmp_path / "c.jsonl").read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["a.jsonl", "b.jsonl", "c.jsonl"]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_a_file_killed_again_and_again_is_the_same(run, tmp_path):
    path = tmp_path / "a.jsonl"
    assert run(*MAZES, "--workers", 1, "--out", tmp_path / "b.jsonl")[0] == 0
    known = 0
    for workers in (1, 2, 1):
        process = start(*MAZES, "--workers", workers, "--out", path)
        while len(parts := list(tmp_path.glob("a.jsonl.parts/*.jsonl"))) <= known:
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stderr.close()
        assert not path.exists() and len(parts) > known
        known = len(list(tmp_path.glob("a.jsonl.parts/*.jsonl")))
    process = start(*MAZES, "--workers", 1, "--out", path)
    assert process.wait() == 0, process.stderr.read()
    process.stderr.close()
    assert path.read_bytes() == (tmp_path / "b.jsonl").read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["a.jsonl", "b.jsonl"]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="asks Linux for children")
def test_workers_end_with_the_command_however_it_is_killed(tmp_path):
    process = start(*MAZES[:1], "--count", "100000", "--workers", 2, "--out", tmp_path / "a.jsonl")
    while not list(tmp_path.glob("a.jsonl.parts/*.jsonl")):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert len(children) >= 2
    for _ in range(1000):
        if not any(Path(f"/proc/{child}/cmdline").exists() for child in children):
            break
        time.sleep(0.01)
    else:
        pytest.fail("a worker lives on")


def stopped(monkeypatch, path, *argv):
    """Make a file as far as its third chunk, and interrupt."""
    made, make_lines = [], data_files.make_lines

    def stop_at_the_third(*asked):
        made.append(asked)
        if len(made) == 3:
            raise KeyboardInterrupt
        return make_lines(*asked)

    with monkeypatch.context() as patch:
        patch.setattr(data_files, "make_lines", stop_at_the_third)
        assert main(["make-data", *map(str, argv), "--workers", "1", "--out", str(path)]) == 130


def test_a_stopped_command_says_so_and_goes_on(run, monkeypatch, tmp_path, small_chunks, capsys):
    path = tmp_path / "a.jsonl"
    stopped(monkeypatch, path, *MAZES)
    assert capsys.readouterr().err.endswith("\nstopped; the same command goes on from here\n")
    there = {part: part.stat().st_mtime_ns for part in tmp_path.glob("a.jsonl.parts/*.jsonl")}
    assert there
    code, _, errors = run(*MAZES, "--seed", 1, "--out", path)
    assert code == 2 and f"{path}.parts holds parts of another data set, with seed=0 and not 1" in errors
    assert {part: part.stat().st_mtime_ns for part in there} == there
    assert run(*MAZES, "--workers", 1, "--out", path)[0] == 0
    assert len(path.read_bytes().splitlines()) == 400


def test_a_file_that_is_there_is_left_alone(run, tmp_path):
    (tmp_path / "a.jsonl").write_text("mine")
    code, _, errors = run(*MAZES, "--out", tmp_path / "a.jsonl")
    assert (code, errors.count("\n")) == (2, 1) and "a.jsonl is there already; delete it or give another name" in errors
    assert (tmp_path / "a.jsonl").read_text() == "mine" and os.listdir(tmp_path) == ["a.jsonl"]


WRONG = [
    (("Maze-esy-v0",), "unknown id 'Maze-esy-v0'; the nearest are: textworlds/Maze-easy-v0"),
    (("Maze-easy-v0", "--kind", "talk"), "argument --kind: invalid choice: 'talk'"),
    (("Maze-easy-v0", "--split", "dev"), "argument --split: invalid choice: 'dev'"),
    (("Maze-easy-v0", "--count", "0"), "count must be a whole number of at least 1; got 0"),
    (("Maze-easy-v0", "--split", "test", "--set", "height=5", "--set", "width=5"), "no such levels are found"),
    (("Maze-easy-v0", "--workers", "0"), "workers must be a whole number of at least 1; got 0"),
    (("Maze-easy-v0", "--seed", str(1 << 63)), f"a seed of data is below 2**63; got {1 << 63}"),
    (("Maze-easy-v0", "--set", "boxes=1"), "unknown setting 'boxes' of maze; known: height, width, "),
    (("Maze-easy-v0", "--set", "turn_limit=0"), "turn_limit must be a whole number of at least 1; got 0"),
    (("Maze-easy-v0", "--kind", "qa", "--set", "turn_limit=5"), "unknown setting 'turn_limit' of maze"),
    (
        ("Maze-easy-v0", "--kind", "qa", "--questions", "solvable"),
        "unknown question 'solvable'; known here: board, changed, f",
    ),
    (("Maze-easy-v0", "--kind", "qa", "--plans", "optimal"), "--plans is for --kind chat, not for qa"),
    (("Maze-easy-v0", "--questions", "board"), "--questions is for --kind qa, not for chat"),
    (("Maze-easy-v0", "--plans", "best"), "unknown plan 'best'; known here: optimal, near-optimal, recovery"),
    (("Maze-easy-v0", "--plans", "recovery", "--protocol", "entire-plan"), "unknown plan 'recovery'; known here: opti"),
    (("Maze-easy-v0", "--protocol", "duel"), "unknown protocol 'duel'; known: interactive"),
    (("Maze-easy-v0", "--action", "morse"), "unknown grammar 'morse'"),
    (("Maze-easy-v0", "--observation", "smell"), "unknown observation 'smell'"),
    (("Maze-easy-v0", "--kind", "qa", "--observation", "smell"), "unknown format 'smell'"),
    (
        ("Maze-easy-v0", "--nodes", "1"),
        "none of the first 16 rows can be made: no such levels are found, the solver settles none within 1 ",
    ),
    (("Maze-easy-v0", "--action", "index", "--set", "turn_limit=1"), "none of the first 16 rows can be made"),
]


@pytest.mark.parametrize(("argv", "sentence"), WRONG, ids=str)
def test_what_cannot_be_made_is_one_sentence_and_exit_code_2(argv, sentence, run, tmp_path):
    code, out, errors = run("--count", 9, "--out", tmp_path / "a.jsonl", *argv)
    assert (code, out) == (2, "")
    assert errors.startswith("textworlds: ") and sentence in errors and errors.count("\n") == 1
    assert os.listdir(tmp_path) == []


def test_a_file_has_an_ending(run, tmp_path):
    code, _, errors = run(*MAZES, "--out", tmp_path / "a.csv")
    assert code == 2 and errors.endswith("a.csv: the name of a data file ends in .jsonl or .parquet\n")


def test_without_pyarrow_parquet_says_what_it_needs(run, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    code, _, errors = run(*MAZES, "--out", tmp_path / "a.parquet")
    assert (
        code == 2 and errors == "textworlds: Parquet needs pyarrow: pip install 'textworlds[data]'; JSON lines do not\n"
    )


@pytest.mark.parametrize("kind", data_files.KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_parquet_holds_the_rows_of_json_lines(kind, shape, tmp_path, monkeypatch):
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(data_files, "ROW_GROUP", 7)
    for ending in (".jsonl", ".parquet"):
        job = Job(IDS[0], kind, shape=shape)
        make_data(job, 20, tmp_path / f"a{ending}", in_threads)
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert parquet.read_table(tmp_path / "a.parquet").to_pylist() == rows


# The page.

COMMANDS = re.findall(
    "^textworlds make-data .*", (Path(__file__).parent.parent / "docs" / "data.md").read_text(), re.MULTILINE
)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_of_the_page_make_what_they_say(command, run, tmp_path):
    _, _, *argv = shlex.split(command)
    out = tmp_path / argv[argv.index("--out") + 1]
    if out.suffix == ".parquet":
        pytest.importorskip("pyarrow")
    argv[argv.index("--out") + 1], argv[argv.index("--count") + 1] = out, "20"
    code, said, errors = run(*argv, "--workers", 1)
    assert code == 0 and said.startswith(f"{out}: 20 rows, "), errors
