"""The commands of the reference agent, as people type them."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

torch = pytest.importorskip("torch")

from textworlds.cli import main  # noqa: E402

SMALL = [
    "--iterations",
    "1",
    "--episodes",
    "16",
    "--channels",
    "8",
    "--depth",
    "2",
    "--hidden",
    "16",
    "--max-actions",
    "8",
]
SMALL += ["--validated", "16", "--turn-limit", "3"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "a"
    assert (
        main(["wmact", "train", "Maze-easy-v0", *SMALL, "--method", "rescaled", "--seed", "1", "--out", str(folder)])
        == 0
    )
    return folder


def test_train_leaves_an_evaluation_and_a_report(folder):
    rows = json.loads((folder / "evaluation.json").read_bytes())
    assert {row["turns_allowed"] for row in rows} == {1, 3} and "rescaled" in (folder / "report.html").read_text()


def test_train_says_what_it_found(folder, capsys):
    assert (
        main(["wmact", "train", "Maze-easy-v0", *SMALL, "--method", "rescaled", "--seed", "1", "--out", str(folder)])
        == 0
    )
    out = capsys.readouterr().out
    assert "is finished after 1 iterations" in out and "Maze-easy-v0  1 " in out and "report.html" in out


def test_evaluate_plays_the_ids_asked_for_with_the_turns_asked_for(folder, capsys):
    ids = "Maze-easy-v0,textworlds/Maze-medium-v0"
    assert main(["wmact", "evaluate", str(folder), "--ids", ids, "--turns", "1", "--turns", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    found = [re.split(r"  +", line)[:3] for line in lines[1:9]]
    assert found == [
        [id, turns, way] for id in ("Maze-easy-v0", "Maze-medium-v0") for turns in "12" for way in ("sampled", "greedy")
    ]


def test_evaluate_gives_json_if_asked_to(folder, capsys):
    assert main(["wmact", "evaluate", str(folder), "--turns", "1", "--json"]) == 0
    assert [row["writes"] for row in json.loads(capsys.readouterr().out)] == ["sampled", "greedy"]


def test_study_ends_in_a_table_and_a_report(tmp_path, capsys):
    command = [
        "wmact",
        "study",
        "--ids",
        "Maze-easy-v0",
        "--methods",
        "interactive,wmact+rounding=down",
        "--seeds",
        "1",
        *SMALL,
    ]
    assert main([*command, "--out", str(tmp_path / "study")]) == 0
    out = capsys.readouterr().out
    assert "[2 of 2] Maze-easy-v0/wmact+rounding=down/seed-0" in out and "effective share" in out
    assert "interactive" in (tmp_path / "study" / "report.html").read_text()
    capsys.readouterr()
    assert main([*command, "--out", str(tmp_path / "study")]) == 0
    assert "2 runs, 2 of them finished already" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["train", "Mazy-v0"], "unknown id 'Mazy-v0'"),
        (["train", "Maze-easy-v0", "--method", "wmactt"], "unknown method 'wmactt'; known: entire-plan, interactive"),
        (["train", "Maze-easy-v0", "--minutes", "-1"], "minutes must be a number from 0.001 to 1e+06; got -1.0"),
        (
            ["train", "Maze-easy-v0", "--seed", "-1"],
            "seed must be a whole number from 0 to 2,147,483,647; got -1",
        ),
        (
            ["train", "Maze-easy-v0", "--iterations", "0"],
            "iterations must be a whole number from 1 to 2,147,483,647; got 0",
        ),
        (["train", "Maze-easy-v0", "--episodes", "many"], "invalid int value: 'many'"),
        (["train", "Maze-easy-v0", "--set", "height"], "must be NAME=NUMBER; got height"),
        (["train", "Maze-easy-v0", "--set", "hieght=7"], "'hieght' is no setting of the levels"),
        (["train", "Maze-easy-v0", "--set", "height=1"], "height and width of a maze are odd and at least 5"),
        (["train", "Maze-easy-v0", "--device", "abacus"], "device must be auto, cpu, cuda or cuda:N; got 'abacus'"),
        (["train"], "required: ID"),
        (["evaluate", "nowhere"], "nowhere/settings.json: No such file"),
        (["evaluate", "nowhere", "--turns", "0"], "must be at least 1; got 0"),
        (["evaluate", "nowhere", "--ids", "Mazy-v0"], "unknown id 'Mazy-v0'"),
        (["study", "--ids", ",", "--out", "x"], "must be names between commas; got ','"),
        (["study", "--ids", "Maze-easy-v0", "--methods", "wmactt", "--out", "x"], "unknown method 'wmactt'"),
        (
            ["study", "--ids", "Maze-easy-v0", "--methods", "wmact+x=1", "--out", "x"],
            "unknown setting 'x' of a method's variant",
        ),
        (
            ["study", "--ids", "Maze-easy-v0", "--methods", "wmact+tau=x", "--out", "x"],
            "tau cannot be 'x', in the variant",
        ),
        (["report", "nowhere"], "nowhere: No such folder"),
    ],
)
def test_bad_input_gets_one_sentence(arguments, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["wmact", *arguments]) == 2
    error = capsys.readouterr().err
    assert sentence in error and len(error.splitlines()) == 1
    assert not any(tmp_path.iterdir())


def test_levels_of_another_puzzle_get_a_sentence(folder, capsys):
    assert main(["wmact", "evaluate", str(folder), "--ids", "Taxi-easy-v0"]) == 2
    assert "writes the actions of maze; textworlds/Taxi-easy-v0 is of taxi" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("number, to_group", [(signal.SIGINT, True), (signal.SIGTERM, False), (signal.SIGKILL, False)])
def test_a_study_that_is_stopped_leaves_nothing_running_and_goes_on(tmp_path, number, to_group):
    small = [one if one != "1" else "400" for one in SMALL[:2]] + SMALL[2:]
    command = [
        "wmact",
        "study",
        "--ids",
        "Maze-easy-v0",
        "--methods",
        "wmact,interactive,rescaled",
        "--seeds",
        "1",
        *small,
    ]
    command = [sys.executable, "-m", "textworlds", *command, "--jobs", "2", "--out", str(tmp_path / "study")]
    process = subprocess.Popen(
        command, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while len(list(tmp_path.glob("study/*/*/*/checkpoint.pt"))) < 2:
        time.sleep(0.1)
    (os.killpg if to_group else os.kill)(process.pid, number)
    process.communicate(timeout=60)
    assert process.returncode == (130 if number == signal.SIGINT else -number)
    for _ in range(400):
        if not living(process.pid):
            break
        time.sleep(0.1)
    assert not living(process.pid)
    assert not (tmp_path / "study/Maze-easy-v0/rescaled").exists()
    going_on = [one if one != "400" else "1" for one in command[3:]]
    assert main(going_on) == 0


def living(session):
    """Return the Python processes of a session that have not ended."""
    out = subprocess.run(["ps", "-s", str(session), "-o", "stat=,args="], capture_output=True, text=True).stdout
    return [line for line in out.splitlines() if line[0] != "Z" and "resource_tracker" not in line]
