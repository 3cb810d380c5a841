"""Evaluation through Inspect AI: scripted models without a network, and an endpoint that misbehaves."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

pytest.importorskip("inspect_ai", reason="needs the extra: make test-inspect")

from fake_endpoint import KEY, Endpoint, serving
from inspect_ai.log import read_eval_log

from textworlds.chat import read_transcripts, replay
from textworlds.chat.prompts import PROTOCOLS
from textworlds.cli import main

FOLDER = re.compile(r"-[0-9a-f]{8}/")  # the digest in its name hangs on the version, too
FAKE = "openai-api/fake/m"


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    """Return a function that evaluates on three levels; it returns the exit code, the table and the result."""
    monkeypatch.setenv("FAKE_API_KEY", KEY)

    def run(model, id="Maze-easy-v0", *more):
        argv = ["evaluate", "--model", model, "--id", id, "--limit", "3", "--out", str(tmp_path), "--connections", "2"]
        code = main([*argv, "--retries", "2", "--retry-wait", "1", *more])
        out, errors = capsys.readouterr()
        files = sorted(tmp_path.rglob("result.json"), key=lambda path: path.stat().st_mtime)
        return code, out, errors, json.loads(files[-1].read_text()) if files else None

    return run


def port_of(url):
    return urlsplit(url).port


def scores(record, model):
    return next(one["scores"] for one in record["models"] if one["model"] == model)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("id", ["Sokoban-easy-v0", "Maze-easy-v0", "Taxi-easy-v0"])
def test_the_solver_and_the_random_player_play_every_protocol(run, tmp_path, id, protocol):
    code, out, _, record = run("scripted/solver", id, "--protocol", protocol, "--history", "2")
    assert code == 0 and out.splitlines()[1].startswith("scripted/solver")
    solver, rover = scores(record, "scripted/solver"), scores(record, "scripted/random")
    assert solver["success"]["mean"] == 1.0 and solver["optimality_gap"]["mean"] == 0.0
    assert rover["success"]["known"] == 3 and rover["effective_share"]["mean"] < 1.0
    assert (solver["prediction_right"]["mean"] == 1.0) == (protocol == "predict")
    (file,) = tmp_path.rglob("transcripts.jsonl")
    transcripts = list(read_transcripts(file))
    assert len(transcripts) == 6
    for one in transcripts:
        assert replay(one).total_reward == one["reward"]


def test_shots_views_and_other_formats_play_too(run):
    settings = ["--shots", "1", "--set", "view=5", "--set", "fog=true", "--observation", "json", "--grammar", "json"]
    code, _, _, record = run("scripted/solver", "Sokoban-easy-v0", *settings)
    assert code == 0 and scores(record, "scripted/solver")["success"]["mean"] == 1.0
    assert record["settings"] == {"view": 5, "fog": True} and record["shots"] == 1


def test_inspects_own_means_are_ours(run, tmp_path):
    _, _, _, record = run("scripted/random", "Maze-easy-v0", "--protocol", "predict")
    logs = [read_eval_log(str(path)) for path in tmp_path.rglob("*.eval")]
    log = next(log for log in logs if log.eval.model == "scripted/random")
    means = {score.name: score.metrics["mean"].value for score in log.results.scores}
    for name, summary in scores(record, "scripted/random").items():
        if summary["known"]:
            assert means[name] == pytest.approx(summary["mean"]), name


@pytest.mark.parametrize("split", ["test", "train"])
def test_more_levels_are_added_to_those_played(run, split):
    endpoint = Endpoint()
    with serving(endpoint) as url:
        options = ("--base-url", url, "--set", "turn_limit=1", "--split", split)
        run(FAKE, "Maze-easy-v0", *options)
        code, _, _, record = run(FAKE, "Maze-easy-v0", *options, "--limit", "5")
    assert code == 0 and record["num_levels"] == 5 and scores(record, FAKE)["success"]["known"] == 5
    assert len(endpoint.asked) == 5


def test_what_is_sampled_otherwise_is_another_result_and_says_so(run, tmp_path):
    endpoint = Endpoint()
    with serving(endpoint) as url:
        options = ("--base-url", url, "--set", "turn_limit=1")
        for temperature in (0.0, 1.0):
            *_, record = run(FAKE, "Maze-easy-v0", *options, "--temperature", str(temperature), "--max-tokens", "9")
            assert record["models"][0]["sampling"] == {"temperature": temperature, "max_tokens": 9}
            assert record["models"][1]["sampling"] == {}
            assert endpoint.requests[-1]["temperature"] == temperature and 9 in endpoint.requests[-1].values()
    assert len(endpoint.asked) == 6 and len(list(tmp_path.rglob("result.json"))) == 2


def test_edited_levels_and_prompts_are_played_anew(run, tmp_path):
    levels, prompts, digests = tmp_path / "levels.xsb", tmp_path / "prompts", set()
    levels.write_text("#####\n#@$.#\n#####\n")
    prompts.mkdir()
    (prompts / "solved.txt").write_text("version 1\nWell done.")
    asked = ("scripted/solver", "Sokoban-easy-v0", "--levels", str(levels), "--prompts", str(prompts))
    for file, text in ((levels, "######\n#@$-.#\n######\n"), (prompts / "solved.txt", "version 2\nVery well.")):
        run(*asked)
        file.write_text(text)
    *_, record = run(*asked)
    for file in tmp_path.rglob("transcripts.jsonl"):
        digests.add(tuple((one["level"], one["prompts"]) for one in read_transcripts(file)))
    assert len(digests) == 3 and record["models"][0]["scores"]["actions"]["mean"] == 2


@pytest.mark.parametrize("fault", ["rate_limit", "garbage", "empty", "hang", "cut", "echo"])
def test_an_endpoints_faults_are_retried(run, tmp_path, fault):
    endpoint = Endpoint([fault])
    with serving(endpoint) as url:
        patience = ("--attempt-timeout", "2", "--timeout", "60") if fault == "hang" else ()
        options = ("--base-url", url, "--set", "turn_limit=1", *patience)
        code, _, _, record = run(FAKE, "Maze-easy-v0", *options)
    assert code == 0 and scores(record, FAKE)["success"]["known"] == 3
    assert len(endpoint.asked) == 4


def test_an_evaluation_goes_on_after_the_endpoint_died_and_loses_nothing(run):
    dying, well = Endpoint(dies_after=3), Endpoint()
    with serving(dying) as url:
        asked = (FAKE, "Maze-easy-v0", "--base-url", url, "--set", "turn_limit=2", "--retries", "1")
        code, _, errors, before = run(*asked)
    finished = before["models"][0]["episodes"]
    assert code == 1 and 0 < len(finished) < 3 and "the same command goes on" in errors
    assert "closed for today" in errors
    with serving(well, port_of(url)):
        code, _, _, after = run(*asked)
    assert code == 0 and len(after["models"][0]["episodes"]) == 3
    assert all(episode in after["models"][0]["episodes"] for episode in finished)
    assert len(well.asked) == 2 * (3 - len(finished))  # only what was not finished is asked for


def test_an_evaluation_that_is_killed_again_and_again_loses_no_finished_episode(tmp_path):
    slow, well = Endpoint(seconds=0.3), Endpoint()
    argv = [sys.executable, "-m", "textworlds", "evaluate", "--model", FAKE, "--id", "Maze-easy-v0", "--limit", "16"]
    argv += ["--set", "turn_limit=1", "--connections", "2", "--out", str(tmp_path)]
    environment = {**os.environ, "FAKE_API_KEY": KEY}
    with serving(slow) as url:
        argv += ["--base-url", url]
        for kills in range(1, 4):
            process = subprocess.Popen(argv, env=environment, stderr=subprocess.DEVNULL)
            while len(slow.asked) < 4 * kills:
                assert process.poll() is None
                time.sleep(0.02)
            process.kill()
            process.wait()
    with serving(well, port_of(url)):
        done = subprocess.run(argv, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (file,) = tmp_path.rglob("result.json")
    record = json.loads(file.read_text())
    assert [scores(record, model)["success"]["known"] for model in (FAKE, "scripted/solver", "scripted/random")] == [
        16
    ] * 3
    assert len(list(read_transcripts(file.with_name("transcripts.jsonl")))) == 48
    assert len(slow.asked) + len(well.asked) <= 16 + 3 * 3  # two were under way, one may not have been written yet


def test_another_endpoint_is_asked_anew(run, tmp_path):
    for reply, told in (("<action>up</action>", 0.0), ("hm", 1.0)):
        endpoint = Endpoint(reply=reply)
        with serving(endpoint) as url:
            *_, record = run(FAKE, "Maze-easy-v0", "--base-url", url, "--set", "turn_limit=1")
        assert len(endpoint.asked) == 3 and scores(record, FAKE)["unread_share"]["mean"] == told


def test_usage_is_of_the_levels_that_are_scored(run):
    with serving(Endpoint()) as url:
        options = ("--base-url", url, "--set", "turn_limit=1")
        run(FAKE, "Maze-easy-v0", *options)
        *_, record = run(FAKE, "Maze-easy-v0", *options, "--limit", "2")
    assert record["models"][0]["usage"] == {"input_tokens": 14, "output_tokens": 6}


@pytest.mark.parametrize("history, shown", [("all", 2), ("9", 2), ("1", 1), ("0", 0)])
def test_thoughts_are_in_the_history_and_the_transcript(run, tmp_path, history, shown):
    endpoint = Endpoint(reply="<think>north?</think><action>up</action>")
    with serving(endpoint) as url:
        run(
            FAKE, "Maze-easy-v0", "--base-url", url, "--set", "turn_limit=3", "--history", history, "--connections", "1"
        )
    assert [str(asked).count("north?") for asked in endpoint.asked[:3]] == [min(turn, shown) for turn in range(3)]
    (file,) = tmp_path.rglob("transcripts.jsonl")
    for record in list(read_transcripts(file))[:3]:
        said = [message["content"] for message in record["messages"] if message["role"] == "assistant"]
        assert said == ["<think>north?</think>\n<action>up</action>"] * 3
        assert replay(record).statistics.num_asked == 3


def test_no_text_of_an_endpoint_stops_an_episode(run, monkeypatch):
    monkeypatch.setenv("CI_TOKEN", "00000007")
    endpoint = Endpoint(["surrogate"])
    with serving(endpoint) as url:
        code, _, _, record = run(FAKE, "Maze-easy-v0", "--base-url", url, "--set", "turn_limit=1")
    assert code == 0 and len(endpoint.asked) == 3 and scores(record, FAKE)["actions"]["mean"] == 1


def test_keys_reach_neither_logs_nor_results_nor_transcripts(run, tmp_path):
    endpoint = Endpoint(["echo", "repeat"])
    with serving(endpoint) as url:
        run(FAKE, "Maze-easy-v0", "--base-url", url, "--set", "turn_limit=1")
    assert endpoint.authorizations == {f"Bearer {KEY}"}
    logs = [read_eval_log(str(path)).model_dump_json() for path in tmp_path.rglob("*.eval")]
    files = [path.read_text() for path in tmp_path.rglob("*.json*")]
    assert len(logs) == 1 and len(files) >= 2
    assert not any(KEY in text for text in logs + files)
    assert any("[key]" in text for text in logs)


def test_replies_that_are_sampled_otherwise_have_a_folder_of_their_own(run, tmp_path):
    for temperature in ("0", "0", "1"):
        run("scripted/solver", "Maze-easy-v0", "--temperature", temperature)
    assert len(list(tmp_path.rglob("result.json"))) == 2


def test_usage_counts_the_tokens_that_an_endpoint_had_cached(run):
    with serving(Endpoint()) as url:
        *_, record = run(FAKE, "Maze-easy-v0", "--base-url", url, "--set", "turn_limit=1")
    assert record["models"][0]["usage"] == {"input_tokens": 3 * 7, "output_tokens": 3 * 3}


def test_arguments_of_a_model_reach_it(run, tmp_path):
    code, *_ = run("scripted/solver", "Maze-easy-v0", "--model-arg", "do_sample=false", "--model-arg", "dtype=float32")
    logs = [read_eval_log(str(path), header_only=True) for path in tmp_path.rglob("*.eval")]
    assert code == 0 and logs[0].eval.model_args == {"do_sample": False, "dtype": "float32"}


def test_what_a_model_says_is_data_in_the_transcript(run, tmp_path):
    evil = "<script>alert(1)</script> __import__('os') $board <action>up</action>"
    with serving(Endpoint(reply=evil)) as url:
        code, _, _, _ = run(FAKE, "Maze-easy-v0", "--base-url", url, "--set", "turn_limit=1")
    (file,) = tmp_path.rglob("transcripts.jsonl")
    said = [one["messages"][-1]["content"] for one in read_transcripts(file) if one["model"] == FAKE]
    assert code == 0 and said == [evil] * 3


def test_an_unknown_provider_is_one_sentence(run):
    code, out, errors, _ = run("nobody/me")
    assert code == 2 and out == "" and errors.count("\n") == 1 and "nobody" in errors


def test_a_missing_key_is_one_sentence(run, monkeypatch):
    monkeypatch.delenv("FAKE_API_KEY")
    code, out, errors, _ = run(FAKE, "Maze-easy-v0", "--base-url", "http://127.0.0.1:9/v1")
    assert code == 2 and out == "" and errors.count("\n") == 1 and "FAKE_API_KEY" in errors


def test_the_commands_of_the_page_print_what_it_says(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = (Path(__file__).parent.parent / "docs" / "evaluation.md").read_text()
    commands = re.findall(r"^```console\n\$ textworlds (.*?)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert commands
    for command, output in commands:
        assert main(command.split()) == 0
        printed = capsys.readouterr().out
        assert FOLDER.sub("", printed) == FOLDER.sub("", output)


def test_inspects_own_command_finds_the_task_and_the_model(tmp_path):
    inspect = Path(sys.executable).with_name("inspect")
    argv = [inspect, "eval", "textworlds/play", "-T", "id=Maze-easy-v0", "-T", "protocol=predict", "--limit", "2"]
    done = subprocess.run(
        [*argv, "--model", "scripted/solver", "--log-dir", tmp_path, "--display", "none"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (log,) = tmp_path.glob("*.eval")
    assert read_eval_log(str(log)).status == "success"
