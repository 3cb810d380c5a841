"""docs/fourth_puzzle.md works: its files in a copy of the package, and its commands."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "fourth_puzzle.md").read_text()
# A file's path, an empty line, and its text in a fence.
FILES = dict(re.findall(r"^`(\S+)`\n\n```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
CHANGES = dict(re.findall(r"^`(\S+)`\n\n```diff\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
COMMANDS = re.findall(r"^```console\n\$ (.*?)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)

# What the page does not show, but a new puzzle should find ready.
MORE = """
import numpy as np
from gymnasium.utils.env_checker import check_env
import gymnasium as gym
import textworlds
from textworlds.text.formats import read

check_env(gym.make("textworlds/Ice-hard-v0").unwrapped, skip_render_check=True)
for format in ("dense", "spaced", "coordinates", "json", "prose"):
    episode = textworlds.Episode("Ice-easy-v0", observation=format, legend=True, feedback=True)
    episode.reset(seed=3)
    names = episode.puzzle.words.vocabulary.names
    plan = ", ".join(names[action][0] for action in episode.solve())
    result = episode.act(f"<action>{plan}</action>")
    assert result.terminated and result.reward == 1.0 and all(result.ledger["changed"])
for view in ({"view": 5}, {"sight": True}, {"view": 3, "fog": True}):
    seen, told = (textworlds.Episode("Ice-easy-v0", observation=kind, **view) for kind in ("picture", "dense"))
    seen.reset(seed=3), told.reset(seed=3)
    result, text = seen.act("<action>up, right</action>"), told.act("<action>up, right</action>").text
    assert np.array_equal(read(text, "dense", told.puzzle.words), result.text)
envs = gym.make_vec("textworlds/Ice-easy-v0", num_envs=3, observation="picture", action="discrete")
pictures, _ = envs.reset(seed=3)
for world, picture in enumerate(pictures):
    assert np.array_equal(picture, textworlds.Episode("Ice-easy-v0", observation="picture").reset(seed=3 + world))
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """Return a folder with the package and what the page adds to it."""
    folder = tmp_path_factory.mktemp("fourth")
    shutil.copytree(ROOT / "textworlds", folder / "textworlds", ignore=shutil.ignore_patterns("__pycache__"))
    for path, text in FILES.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text)
    for path, change in CHANGES.items():
        (folder / path).write_text(apply(change, (folder / path).read_text()))
    return folder


def apply(change, text):
    for hunk in change.split("@@\n"):
        lines = hunk.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if line[0] in " -")
        after = "".join(line[1:] for line in lines if line[0] in " +")
        assert text.count(before) == 1, f"docs/fourth_puzzle.md changes lines that are not there:\n{before}"
        text = text.replace(before, after)
    return text


def run(folder, *command):
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_page_adds_one_folder_and_a_place_in_the_list():
    assert {str(Path(path).parent) for path in FILES} == {"textworlds/puzzles/ice", "."}
    assert list(CHANGES) == ["textworlds/puzzles/__init__.py"]
    known = {path.name for path in (ROOT / "textworlds" / "puzzles" / "maze").glob("*.py")}
    assert {Path(path).name for path in FILES if "ice/" in path} == known


def test_the_commands_of_the_page_print_what_it_says(copy):
    for command, output in COMMANDS:
        assert run(copy, sys.executable, *command.removeprefix("python ").split()) == output


def test_the_fourth_puzzle_is_found_by_the_whole_house(copy):
    run(copy, sys.executable, "-c", MORE)


def test_the_files_of_the_page_pass_the_checks_of_the_project(copy):
    folder = copy / "textworlds" / "puzzles" / "ice"
    settings = ["--config", str(ROOT / "pyproject.toml"), "--no-cache"]
    run(copy, sys.executable, "-m", "ruff", "check", *settings, str(folder))
    run(copy, sys.executable, "-m", "ruff", "format", "--check", *settings, str(folder))
