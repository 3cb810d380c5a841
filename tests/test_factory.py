"""Making level sets: the same set whatever the workers, the chunks, the kills and the stops."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from textworlds import Episode, LevelSet, find_id
from textworlds.cli import main
from textworlds.kernel import compiles
from textworlds.levels import factory
from textworlds.levels.content import SPLITS, keys_of, split_of
from textworlds.levels.making import grade_levels

pytestmark = pytest.mark.skipif(not compiles(), reason="takes minutes in plain Python")
COMPILING = "textworlds: compiling, once on this machine; it can take half a minute\n"
SLOW_ONE = ("Sokoban-hard-v0", "--count", "800")  # of some seconds

# The command, with chunks of as few candidates as there may be, so that there are many of them.
SMALL_CHUNKS = """
import sys
from textworlds.cli import main
from textworlds.levels import factory
factory.SECONDS_A_CHUNK = 1e-9
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(factory, "SECONDS_A_CHUNK", 1e-9)


@pytest.fixture
def run(capsys):
    """Return a function that runs the command in this process; it returns the exit code, the output and the errors."""

    def run(*argv):
        capsys.readouterr()
        code = main(["make-levels", *map(str, argv)])
        out, errors = capsys.readouterr()
        return code, out, errors.replace(COMPILING, "")

    return run


def start(*argv):
    command = [sys.executable, "-c", SMALL_CHUNKS, "make-levels", *map(str, argv)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def parts_of(path):
    return sorted(path.parent.glob(f"{path.name}.parts/*.npz"))


def wait_for_parts(process, path, count):
    """Wait until so many chunks are finished; return False if the process came to its end before."""
    while len(parts_of(path)) < count:
        if process.poll() is not None:
            return False
        time.sleep(0.002)
    return True


# One set.


def test_a_set_is_the_first_different_levels_that_an_episode_plays(run, tmp_path):
    for split in (*SPLITS, "all"):
        path = tmp_path / f"{split}.npz"
        assert run("Sokoban-easy-v0", "--count", 40, "--split", split, "--seed", 5, "--out", path)[0] == 0
        episode, seen, pictures = Episode("Sokoban-easy-v0", split=split), set(), []
        numbers = []
        for number in range(1000):
            episode.reset(None if number else 5)
            picture = episode.picture()
            (key,) = keys_of(picture[None], episode.puzzle).tolist()
            if key not in seen and len(seen) < 40:
                pictures.append(picture)
                numbers.append(number)
            seen.add(key)
            if len(seen) == 40:
                break
        levels = LevelSet.open(path)
        levels.check()
        assert np.array_equal(levels.pictures, pictures)
        assert levels.column("episode").tolist() == numbers and set(levels.column("seed").tolist()) == {5}
        assert {SPLITS[split_of(key)] for key in levels.column("key")} <= ({split} if split != "all" else {*SPLITS})


def test_certificates_are_the_solvers(run, tmp_path):
    run("Sokoban-easy-v0", "--count", 20, "--out", tmp_path / "a.npz")
    run("Sokoban-easy-v0", "--count", 20, "--first-cost", "--out", tmp_path / "b.npz")
    both, first = LevelSet.open(tmp_path / "a.npz"), LevelSet.open(tmp_path / "b.npz")
    grades = grade_levels(both.puzzle, both.pictures)
    for place, name in enumerate(both.puzzle.grades):
        assert [level.certificate[name] for level in both] == pytest.approx(grades[:, place].tolist())
    assert [level.certificate["pushes"] for level in first] == [level.certificate["pushes"] for level in both]
    assert {level.certificate["moves"] for level in first} == {None}
    assert np.array_equal(first.pictures, both.pictures)


def test_a_set_says_what_it_was_made_for(run, tmp_path):
    asked = ("--set", "num_boxes=2", "--set", "width=8", "--split", "validation")
    assert run("textworlds/Sokoban-easy-v0", "--count", 5, *asked, "--out", tmp_path / "a.npz")[0] == 0
    levels = LevelSet.open(tmp_path / "a.npz")
    assert (levels.meta["id"], levels.meta["split"]) == ("Sokoban-easy-v0", "validation")
    settings = {"height": 7, "width": 8, "num_boxes": 2, "min_pushes": 3, "max_pushes": 5, "num_agents": 1, "owners": 0}
    assert levels.meta["settings"] == settings
    assert levels.pictures.shape[1:] == (1, 7, 8)
    assert np.array_equal((levels.pictures & 64 > 0).sum((1, 2, 3)), [2] * 5)


@pytest.mark.parametrize("id", ["Sokoban-medium-v0", "Maze-easy-v0", "Taxi-medium-v0", "WMAct-Taxi-v0"])
def test_a_set_is_the_same_with_any_number_of_workers_and_in_any_chunks(id, run, tmp_path, monkeypatch):
    contents = set()
    for workers, seconds in ((1, 1e-9), (2, 1e-9), (3, 1e-9), (2, 0.05)):
        monkeypatch.setattr(factory, "SECONDS_A_CHUNK", seconds)
        path = tmp_path / f"{workers}-{seconds}.npz"
        code, _, errors = run(id, "--count", 150, "--workers", workers, "--out", path)
        assert code == 0, errors
        contents.add(path.read_bytes())
    assert len(contents) == 1
    assert not [*tmp_path.glob("*.parts"), *tmp_path.glob("*.tmp")]


# Stopped and gone on with.


def make_with_kills(path, kills, rng):
    """Make a set, killed so often at random moments after another chunk was finished; return the parts seen then."""
    seen = []
    for turn in range(kills):
        process = start(*SLOW_ONE, "--workers", 1 + turn % 3, "--out", path)
        known = len(parts_of(path))
        assert wait_for_parts(process, path, known + rng.choice((0, 1, 1, 2))), process.stderr.read()
        time.sleep(rng.random() * rng.choice((0, 0.02, 0.1)))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stderr.close()
        assert not path.exists()
        seen.append(len(parts_of(path)))
    return seen


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
@pytest.mark.parametrize("kills", [2, pytest.param(10, marks=pytest.mark.slow)])
def test_a_set_killed_again_and_again_is_the_same(kills, run, tmp_path):
    assert run(*SLOW_ONE, "--out", tmp_path / "a.npz")[0] == 0
    seen = make_with_kills(tmp_path / "b.npz", kills, random.Random(kills))
    assert seen == sorted(seen) and seen[-1] > 0, "no part outlived a kill"
    process = start(*SLOW_ONE, "--out", tmp_path / "b.npz")
    assert process.wait() == 0, process.stderr.read()
    process.stderr.close()
    assert (tmp_path / "b.npz").read_bytes() == (tmp_path / "a.npz").read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["a.npz", "b.npz"]


def test_an_interrupted_command_says_so_and_goes_on(run, tmp_path):
    process = start(*SLOW_ONE, "--workers", 2, "--out", tmp_path / "a.npz")
    assert wait_for_parts(process, tmp_path / "a.npz", 2)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.endswith("\nstopped; the same command goes on from here\n") and "Traceback" not in errors
    there = {part: part.stat().st_mtime_ns for part in parts_of(tmp_path / "a.npz")}
    assert len(there) >= 2
    kept = []
    code, _, errors = run_and_look(run, tmp_path / "a.npz", kept)
    assert code == 0
    assert all(kept[0].get(part) == written for part, written in there.items()), "finished chunks are not made again"
    run(*SLOW_ONE, "--out", tmp_path / "b.npz")
    assert (tmp_path / "b.npz").read_bytes() == (tmp_path / "a.npz").read_bytes()


def run_and_look(run, path, kept):
    """Run the command to its end, and keep the times of the parts as they were when the set was put together."""
    whole = factory.first_different

    def look(*arguments):
        kept.append({part: part.stat().st_mtime_ns for part in parts_of(path)})
        return whole(*arguments)

    factory.first_different = look
    try:
        return run(*SLOW_ONE, "--out", path)
    finally:
        factory.first_different = whole


def interrupted(monkeypatch, path, *argv):
    """Make a set as far as its third chunk."""
    save, saved = LevelSet.save, []

    def stop_at_the_third(levels, to):
        saved.append(to)
        if len(saved) == 3:
            raise KeyboardInterrupt
        save(levels, to)

    with monkeypatch.context() as patch:
        patch.setattr(LevelSet, "save", stop_at_the_third)
        assert main(["make-levels", *argv, "--workers", "1", "--out", str(path)]) == 130
    assert len(parts_of(path)) == 2


EASY = ("Maze-easy-v0", "--count", "100")


def test_what_is_left_over_or_broken_is_dealt_with(run, monkeypatch, tmp_path):
    run(*EASY, "--out", tmp_path / "a.npz")
    interrupted(monkeypatch, tmp_path / "b.npz", *EASY)
    parts = tmp_path / "b.npz.parts"
    (parts / "000000000032.npz.0f0f0f0f.tmp").write_bytes(b"half a chunk")
    first = parts / "000000000000.npz"
    first.write_bytes(first.read_bytes()[:1000])
    assert run(*EASY, "--out", tmp_path / "b.npz")[0] == 0
    assert (tmp_path / "b.npz").read_bytes() == (tmp_path / "a.npz").read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["a.npz", "b.npz"]


def test_a_folder_without_a_job_is_no_work_to_go_on_with(run, tmp_path):
    run(*EASY, "--out", tmp_path / "a.npz")
    (tmp_path / "b.npz.parts").mkdir()
    (tmp_path / "b.npz.parts" / "000000000000.npz").write_bytes(b"killed before the job was written")
    code, _, error = run(*EASY, "--out", tmp_path / "b.npz")
    assert code == 2 and "b.npz.parts is in the way" in error
    assert not (tmp_path / "b.npz").exists()


def test_a_set_killed_while_its_parts_are_removed_is_finished(run, monkeypatch, tmp_path):
    path = tmp_path / "a.npz"
    interrupted(monkeypatch, path, *EASY)
    job = path.parent / "a.npz.parts" / "job.json"
    kept = job.read_bytes()
    run(*EASY, "--out", path)
    whole = path.read_bytes()
    job.parent.mkdir()
    (job.parent / "000000000016.npz").write_bytes(b"")
    job.write_bytes(kept)
    assert run(*EASY, "--out", path)[0] == 0
    assert path.read_bytes() == whole
    assert os.listdir(tmp_path) == ["a.npz"]


def test_more_levels_of_the_same_job_go_on_with_its_parts(run, monkeypatch, tmp_path):
    interrupted(monkeypatch, tmp_path / "a.npz", *EASY)
    assert run("Maze-easy-v0", "--count", 130, "--out", tmp_path / "a.npz")[0] == 0
    assert len(LevelSet.open(tmp_path / "a.npz")) == 130


# What cannot be made.


OTHER_JOBS = [
    (("Maze-easy-v0", "--seed", "1"), "with seed=0 and not 1"),
    (("Maze-easy-v0", "--split", "test"), "with split='train' and not 'test'"),
    (("Maze-medium-v0",), "with id='Maze-easy-v0' and not 'Maze-medium-v0'"),
    (("Maze-easy-v0", "--first-cost"), "with all_costs=True and not False"),
    (("Maze-easy-v0", "--set", "max_moves=9"), "with settings="),
]


@pytest.mark.parametrize(("other", "sentence"), OTHER_JOBS, ids=str)
def test_parts_of_another_job_are_left_alone(other, sentence, run, monkeypatch, tmp_path):
    path = tmp_path / "a.npz"
    interrupted(monkeypatch, path, *EASY)
    before = {part: part.read_bytes() for part in parts_of(path)}
    code, _, errors = run(*other, "--count", 100, "--out", path)
    assert code == 2 and errors.count("\n") == 1
    assert f"{path}.parts holds parts of another set, {sentence}" in errors
    assert {part: part.read_bytes() for part in parts_of(path)} == before and not path.exists()


def test_a_file_that_is_there_is_left_alone(run, tmp_path):
    (tmp_path / "a.npz").write_text("mine")
    code, _, errors = run(*EASY, "--out", tmp_path / "a.npz")
    assert (code, errors) == (2, f"textworlds: {tmp_path / 'a.npz'} is there already; delete it or give another name\n")
    assert (tmp_path / "a.npz").read_text() == "mine" and os.listdir(tmp_path) == ["a.npz"]


WRONG = [
    (("Maze-esy-v0", "--count", "1"), "unknown id 'Maze-esy-v0'; the nearest are: textworlds/Maze-easy-v0"),
    (("Maze-easy-v0",), "the following arguments are required: --count"),
    (("Maze-easy-v0", "--count", "0"), "count must be a whole number of at least 1; got 0"),
    (("Maze-easy-v0", "--count", "-5"), "count must be a whole number of at least 1; got -5"),
    (("Maze-easy-v0", "--count", "x"), "invalid int value: 'x'"),
    (("Maze-easy-v0", "--count", "1", "--workers", "0"), "workers must be a whole number of at least 1; got 0"),
    (("Maze-easy-v0", "--count", "1", "--seed", "-1"), "a seed is a whole number from 0 to 2**64 - 1; got -1"),
    (("Maze-easy-v0", "--count", "1", "--split", "dev"), "argument --split: invalid choice: 'dev'"),
    (("Maze-easy-v0", "--count", "1", "--engine", "gpu"), "argument --engine: invalid choice: 'gpu'"),
    (("Maze-easy-v0", "--count", "1", "--set", "boxes=1"), "unknown setting 'boxes' of maze; known: height, width, "),
    (("Maze-easy-v0", "--count", "1", "--set", "width"), "width is a whole number; got ''"),
    (("Maze-easy-v0", "--count", "1", "--set", "width=9.5"), "width is a whole number; got '9.5'"),
    (("Maze-easy-v0", "--count", "1", "--set", "height=0"), "height must be a whole number of at least 1; got 0"),
    (("Maze-easy-v0", "--count", "1", "--set", "turn_limit=5"), "unknown setting 'turn_limit' of maze"),
    (("Sokoban-easy-v0", "--count", "1", "--set", "num_boxes=99"), "sokoban: no room for 99 boxes"),
    (("Sokoban-easy-v0", "--count", "1", "--set", "min_pushes=9"), "from min_pushes=9 to max_pushes=5"),
    (
        ("Sokoban-easy-v0", "--count", "1", "--set", "min_pushes=500", "--set", "max_pushes=0"),
        "sokoban: no train level of 500 or more pushes found in 10,000 tries; nearest: ",
    ),
]


@pytest.mark.parametrize(("argv", "sentence"), WRONG, ids=str)
def test_what_cannot_be_made_is_one_sentence_and_exit_code_2(argv, sentence, run, tmp_path):
    code, out, errors = run(*argv, "--out", tmp_path / "a.npz")
    assert (code, out) == (2, "")
    assert errors.startswith("textworlds: ") and sentence in errors and errors.count("\n") == 1
    assert os.listdir(tmp_path) == []


def test_a_set_has_an_ending(run, tmp_path):
    code, _, errors = run(*EASY, "--out", tmp_path / "a.jsonl")
    assert (code, errors) == (2, f"textworlds: {tmp_path / 'a.jsonl'}: the name of a level set ends in .npz\n")


def test_a_folder_that_cannot_be_written_to_is_complained_about(run, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, errors = run(*EASY, "--out", tmp_path / "file" / "a.npz")
    assert code == 2 and errors == f"textworlds: {tmp_path / 'file' / 'a.npz.parts'}: Not a directory\n"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="who may write anywhere")
def test_a_folder_that_must_not_be_written_to_is_complained_about(run, tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    code, _, errors = run(*EASY, "--out", tmp_path / "closed" / "a.npz")
    assert code == 2 and errors.count("\n") == 1 and "Permission denied" in errors


def test_where_there_are_too_few_levels_all_can_be_had(run, tmp_path):
    few = ("WMAct-Taxi-v0", "--split", "test", "--count", 100, "--out", tmp_path / "a.npz")
    code, _, errors = run(*few)
    assert code == 2
    last = errors.splitlines()[-1]
    assert last.startswith(
        "textworlds: only 36 different levels of WMAct-Taxi-v0, split test, were found; the next 10,000"
    )
    assert not (tmp_path / "a.npz").exists()
    code, out, _ = run(*few, "--up-to")
    assert code == 0 and f"{tmp_path / 'a.npz'}: 36 levels of taxi, " in out
    assert len(set(LevelSet.open(tmp_path / "a.npz").column("key").tolist())) == 36
    assert os.listdir(tmp_path) == ["a.npz"]


# What is said.


def test_progress_tells_how_many_how_fast_and_how_long(run, tmp_path):
    _, out, errors = run(*EASY, "--out", tmp_path / "a.npz")
    size = (tmp_path / "a.npz").stat().st_size
    assert out == f"{tmp_path / 'a.npz'}: 100 levels of maze, {size:,} bytes\n"
    lines = [line.strip("\r").removesuffix("\033[K") for line in errors.split("\n")[:-1]]
    assert len(lines) > 3
    assert all(re.fullmatch(r"[\d,]+ of 100 levels, [\d,]+/s, (.+ left|time left unknown)", line) for line in lines)
    found = [int(line.split()[0]) for line in lines]
    assert found == sorted(found) and found[-1] == 100
    assert lines[-1].endswith(", 0 s left")


def test_levels_made_before_do_not_count_as_speed():
    from textworlds.levels.make_command import describe, duration

    assert describe(factory.Progress(50, 90, 10.0, 40), 150) == "50 of 150 levels, 1/s, 1 min 40 s left"
    assert describe(factory.Progress(40, 90, 10.0, 40), 150) == "40 of 150 levels, 0/s, time left unknown"
    assert [duration(seconds) for seconds in (0.4, 59, 61, 3599, 3600, 90061)] == [
        "0 s", "59 s", "1 min 1 s", "59 min 59 s", "1 h 0 min", "25 h 1 min",
    ]  # fmt: skip


def test_a_setting_that_the_id_has_already_makes_no_other_job(run, monkeypatch, tmp_path):
    interrupted(monkeypatch, tmp_path / "a.npz", *EASY)
    job = json.loads((tmp_path / "a.npz.parts" / "job.json").read_text())
    assert (job["id"], job["split"], job["seed"], job["all_costs"]) == ("Maze-easy-v0", "train", 0, True)
    assert job["settings"].keys() == {"height", "width", *find_id("Maze-easy-v0")[0].options._fields}
    asked = ("--set", f"width={find_id('Maze-easy-v0')[1]['width']}")  # what the id says already
    assert run(*EASY, *asked, "--out", tmp_path / "a.npz")[0] == 0


# Ray.


@pytest.mark.slow
def test_a_cluster_makes_the_same_set(run, tmp_path):
    ray = pytest.importorskip("ray")
    try:
        for name, engine in (("a.npz", "threads"), ("b.npz", "ray")):
            code, _, errors = run(*EASY, "--workers", 2, "--engine", engine, "--out", tmp_path / name)
            assert code == 0, errors
    finally:
        ray.shutdown()
    assert (tmp_path / "b.npz").read_bytes() == (tmp_path / "a.npz").read_bytes()


def test_without_ray_its_engine_says_what_it_needs(run, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "ray", None)
    code, _, errors = run(*EASY, "--engine", "ray", "--out", tmp_path / "a.npz")
    assert (code, errors) == (2, "textworlds: this engine needs Ray: pip install 'textworlds[ray]'\n")
