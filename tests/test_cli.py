"""The command line, in this process; keys are piped in but for the last tests, which type them on a pseudo-terminal."""

import io
import os
import re
import select
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

import textworlds
from textworlds.cli import main
from textworlds.terminal import part, with_controls

EXAMPLES = Path(__file__).parent.parent / "examples"
FIRST_STEPS = EXAMPLES / "first_steps.xsb"
TWO_LEVELS = "#####\n#@$.#\n#####\nTitle: One\n\n######\n#@-$.#\n######\nTitle: Two\n"


@pytest.fixture
def levels(tmp_path):
    path = tmp_path / "two.xsb"
    path.write_text(TWO_LEVELS)
    return str(path)


@pytest.fixture
def run(monkeypatch, capsys):
    """Return a function that runs a command with an input; it returns the exit code, the output and the errors."""

    def run(*argv, keys=""):
        monkeypatch.setattr(sys, "stdin", io.StringIO(keys))
        monkeypatch.setattr("textworlds.game.QUICKLY", 300)  # the solver may have to be compiled
        code = main(list(argv))
        return code, *capsys.readouterr()

    return run


def test_the_version_is_the_packages(run, capsys):
    with pytest.raises(SystemExit, match="0"):
        run("--version")
    assert capsys.readouterr().out == f"textworlds {textworlds.__version__}\n"


def test_ids_are_all_listed_with_their_settings(run):
    code, out, _ = run("ids")
    lines = out.splitlines()
    assert code == 0
    assert [line.split()[0] for line in lines[1:]] == list(textworlds.all_ids())
    for line, (_, settings) in zip(lines[1:], textworlds.all_ids().values(), strict=True):
        assert f"{settings['height']}x{settings['width']}" in line
        assert all(f"{name}={settings[name]}" in line for name in settings.keys() - {"height", "width", "turn_limit"})


@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        (["play", "Sokobn-easy-v0"], "unknown id 'Sokobn-easy-v0'; the nearest are: textworlds/Sokoban-easy-v0"),
        (["play", "--puzzle", "chess"], "unknown puzzle 'chess'; known: maze, sokoban, taxi"),
        (["play", "Maze-easy-v0", "--puzzle", "maze"], "not both"),
        (["play", "--levels", "nowhere.xsb"], "nowhere.xsb: No such file"),
        (["play", "--levels", os.fspath(FIRST_STEPS), "--seed", "1"], "not both"),
        (["play", "--levels", os.fspath(FIRST_STEPS), "--puzzle", "taxi"], "thin walls of taxi"),
        (["play", "--levels", os.fspath(FIRST_STEPS), "--puzzle", "maze"], "line 5, column 4: '$' is not a tile"),
        (["play", "--seed", "x"], "argument --seed: invalid int value: 'x'"),
        (["play", "--seed", "-1"], "a seed is a whole number from 0 to 2**64 - 1; got -1"),
        (["plya"], "invalid choice: 'plya'"),
        (["play", "--sede", "1"], "unrecognized arguments: --sede"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(run, argv, complaint):
    code, out, errors = run(*argv)
    assert (code, out) == (2, "")
    assert errors.startswith("textworlds: ") and complaint in errors
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    ("puzzle", "content", "complaint"),
    [
        ("sokoban", "####\n#@x#\n####\n", "line 2, column 3: 'x' is not a tile"),
        ("maze", "####\n#@.#\n####\n\n####\n#@-#\n####\n", "line 5: maze: a maze has at least one exit"),
    ],
)
def test_a_bad_level_is_complained_about_with_its_place(run, tmp_path, puzzle, content, complaint):
    path = tmp_path / "bad.txt"
    path.write_text(content)
    code, _, errors = run("play", "--puzzle", puzzle, "--levels", str(path))
    assert code == 2
    assert f"{path}, {complaint}" in errors


def test_a_reader_who_leaves_early_causes_no_complaint():
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "textworlds", "ids"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, done.stderr) == (1, "")


def test_a_solution_is_played_in_upper_and_lower_case(run, levels):
    code, out, _ = run("play", "--levels", levels, keys="R\nrR\n")
    assert code == 0
    assert out.split("\n\n")[:2] == [f"One (1 of 2; {levels}, line 1)", "#####\n#@$.#\n#####"]
    assert "1: right\nSolved! Actions: 1; in the solver's plan: 1.\n#####\n#-@*#\n#####\n" in out
    assert f"Two (2 of 2; {levels}, line 6)" in out
    assert out.endswith("actions 2, changes 2, left to do 0, levels solved 2\n")


def test_the_plan_of_every_first_id_is_played_by_its_keys(run):
    for puzzle in textworlds.PUZZLES.values():
        id = next(iter(puzzle.ids))
        episode = textworlds.Episode(id)
        episode.reset(seed=5)
        letters = with_controls(puzzle.words.vocabulary, {}).letters
        keys = "".join(letters[action] for action in episode.solve())
        _, out, errors = run("play", id, "--seed", "5", keys=keys)
        assert f"Solved! Actions: {len(keys)}" in out, (keys, errors)


def test_words_are_played_and_others_are_complained_about(run):
    _, out, _ = run("play", "--puzzle", "taxi", "--seed", "1", keys="pick up, hello\nnorth, pick up, ?\n")
    assert "'hello' is not an action; the actions are south, north" in out
    assert "1: north" in out and "2: pickup - " in out and "3: " not in out
    assert textworlds.PUZZLES["taxi"].words.rules in out


def test_an_action_without_effect_says_why_and_draws_nothing(run, levels):
    _, out, _ = run("play", "--levels", levels, keys="u")
    assert out.count("#@$.#") == 1
    assert "1: up - a wall is in the way\n" in out


def test_undo_and_restart_go_back(run, levels):
    _, out, _ = run("play", "--levels", levels, keys="f r x z z z")
    boards = re.findall(r"^#.{4}#$", out.replace("######", ""), re.MULTILINE)
    assert boards == ["#@-$.#", "#-@$.#", "#@-$.#", "#-@$.#", "#@-$.#"]
    assert "Nothing to undo." in out
    assert out.endswith("actions 0, changes 0, left to do 1, levels solved 0\n")


def test_a_solved_level_can_be_taken_up_again_and_counts_once(run, levels):
    _, out, _ = run("play", "--levels", levels, keys="b r z r f f")
    assert "This is the first level." in out and "This is the last level." in out
    assert out.count("Solved!") == 2
    assert out.endswith("left to do 1, levels solved 1\n")


def test_hints_count_what_is_left(run, tmp_path, levels):
    _, out, _ = run("play", "--levels", levels, keys="f h")
    assert "Hint: right, then 1 more." in out
    path = tmp_path / "stuck.xsb"
    path.write_text("######\n#$@-.#\n######\n")
    _, out, _ = run("play", "--levels", str(path), keys="h")
    assert "Hint: no solution from here." in out


def test_generated_levels_are_named_by_seed(run):
    _, out, _ = run("play", "Maze-easy-v0", "--seed", "7", keys="f b q r")
    assert re.findall("Maze-easy-v0, seed [0-9]+", out) == [f"Maze-easy-v0, seed {seed}" for seed in (7, 8, 7)]
    assert textworlds.Episode("Maze-easy-v0").reset(seed=7) in out
    assert out.endswith("actions 0, changes 0, left to do 1, levels solved 0\n")


def test_titles_cannot_command_the_terminal(run, tmp_path):
    path = tmp_path / "title.xsb"
    path.write_text("#####\n#@$.#\n#####\nTitle: a\x1b[2Jb\n")
    _, out, _ = run("play", "--levels", str(path))
    assert out.startswith("a?[2Jb (1 of 1")


def test_a_large_board_is_shown_around_the_agent():
    shown = [part(20, 9, centre) for centre in (0, 10, 19)]
    assert shown == [slice(0, 9), slice(6, 15), slice(11, 20)]
    assert range(5)[part(5, 9, 2)] == range(5)


def test_the_demo_runs_and_is_short():
    done = subprocess.run([sys.executable, EXAMPLES / "demo.py"], capture_output=True, text=True)
    said = [line for line in done.stderr.splitlines() if "compiling, once on this machine" not in line]
    assert (done.returncode, said) == (0, [])
    assert len(done.stdout.splitlines()) <= 105
    assert done.stdout.count("solved: True") == 3


class Typist:
    """Types at `textworlds play` on a terminal of its own, and reads what it shows."""

    def __init__(self, *argv: str, **environment: str) -> None:
        fcntl, termios = pytest.importorskip("fcntl"), pytest.importorskip("termios")
        self.outer, inner = os.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "textworlds", "play", *argv],
            **dict.fromkeys(("stdin", "stdout", "stderr"), inner),
            env={**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "24", **environment},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # or Ctrl-C would interrupt nobody
        )
        os.close(inner)

    def type(self, keys: str, answer: str, end: str = "\x1b[J") -> str:
        """Type keys and return what is shown until the answer is, and a screen is full."""
        os.write(self.outer, keys.encode())
        shown, deadline = "", time.monotonic() + 120
        while answer not in shown or not shown.endswith(end):
            assert time.monotonic() < deadline, f"{answer!r} is not in {shown!r}"
            if select.select([self.outer], [], [], 1)[0]:
                shown += os.read(self.outer, 4096).decode()
        return shown


@contextmanager
def typing_at(*argv, **environment):
    typist = Typist(*argv, **environment)
    try:
        yield typist
    finally:
        typist.process.kill()
        typist.process.wait()
        os.close(typist.outer)


def test_typed_keys_play_two_levels_in_colour(levels):
    with typing_at("--levels", levels, NO_COLOR="") as person:
        shown = person.type("", "Push every box onto a goal")
        assert "\x1b[?1049h" in shown and "\x1b[1;36m@\x1b[0m" in shown and "\x1b[33m$\x1b[0m" in shown
        person.type("\x1b[A", "a wall is in the way")
        person.type("k", "This key does nothing.")
        shown = person.type("\x1bOC", "Solved! Actions: 2")
        assert "Any key goes on." in shown and "\x1b[32m*" in shown
        person.type(" ", "Two (2 of 2")
        person.type("h", "Hint: right, then 1 more.")
        person.type("r", "1: right")
        person.type("R", "Solved! Actions: 2")
        person.type("\r", "actions 2, changes 2, left to do 0, levels solved 2", end="\n")
        assert person.process.wait(60) == 0


@pytest.mark.parametrize(("keys", "code"), [("q", 0), ("\x04", 0), ("\x03", 130)])
def test_leaving_gives_the_terminal_back(keys, code):
    with typing_at("--seed", "3", NO_COLOR="1") as person:
        assert not re.search(r"\x1b\[[0-9;]*m", person.type("", "q quit"))
        assert "\x1b[?25h" in person.type(keys, "\x1b[?1049l", end="")
        assert person.process.wait(60) == code
