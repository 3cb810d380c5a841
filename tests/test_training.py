"""Runs: the same seed, the same run; stopped and gone on with, the same run; and what can go wrong."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from textworlds.agents import training  # noqa: E402
from textworlds.agents.runs import CHECKPOINT, HISTORY, SETTINGS, SUMMARY, Run  # noqa: E402
from textworlds.agents.settings import Settings  # noqa: E402
from textworlds.agents.training import train  # noqa: E402

TINY = Settings(
    "textworlds/Maze-easy-v0",
    {"height": 7, "width": 7, "min_moves": 2, "max_moves": 4},
    iterations=4,
    episodes=16,
    tau=2,
    max_actions=6,
    channels=8,
    depth=2,
    hidden=16,
    validated=16,
    validate_every=2,
)


def quiet(line):
    pass


def weights(run):
    return torch.cat([part.detach().flatten() for part in run.network.parameters()])


def curve(run):
    return [{name: value for name, value in line.items() if name != "seconds"} for line in run.history]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "whole"
    return folder, train(TINY, folder, quiet)


def test_the_same_seed_gives_the_same_run(whole, tmp_path):
    again = train(TINY, tmp_path / "again", quiet)
    assert torch.equal(weights(whole[1]), weights(again)) and curve(whole[1]) == curve(again)


def test_another_seed_gives_another(whole, tmp_path):
    other = train(replace(TINY, seed=1), tmp_path / "other", quiet)
    assert curve(whole[1]) != curve(other)


def test_a_run_in_two_parts_is_the_run_in_one(whole, tmp_path):
    train(replace(TINY, iterations=3), tmp_path / "parts", quiet)
    run = train(TINY, tmp_path / "parts", quiet)
    assert torch.equal(weights(whole[1]), weights(run)) and curve(whole[1]) == curve(run)


def test_a_warm_start_is_part_of_the_run_and_can_be_shared(tmp_path):
    warm = replace(TINY, iterations=1, warm_start=30, warm_passes=2)
    one = train(warm, tmp_path / "one", quiet, warm_folder=tmp_path / "warm")
    other = train(replace(warm, clip=0.2), tmp_path / "other", quiet, warm_folder=tmp_path / "warm")
    assert len([*(tmp_path / "warm").iterdir()]) == 1
    alone = train(warm, tmp_path / "alone", quiet)
    assert torch.equal(weights(one), weights(other)) and torch.equal(weights(one), weights(alone))
    assert other.summary["warm_turns"] >= 30
    train(replace(warm, warm_passes=1), tmp_path / "shorter", quiet, warm_folder=tmp_path / "warm")
    assert len([*(tmp_path / "warm").iterdir()]) == 2


def test_the_folder_holds_the_whole_run(whole):
    folder, run = whole
    assert {SETTINGS, CHECKPOINT, HISTORY, SUMMARY} <= {path.name for path in folder.iterdir()}
    lines = [json.loads(line) for line in (folder / HISTORY).read_text().splitlines()]
    assert lines == run.history and [line["iteration"] for line in lines] == [1, 2, 3, 4]
    assert ["single_turn" in line for line in lines] == [False, True, False, True]
    kept = Run.load(folder)
    assert torch.equal(weights(kept), weights(run)) and kept.limit.value == run.limit.value
    assert kept.summary["machine"]["parameters"] == len(weights(run))


def test_the_curves_are_in_tensorboard_too(whole):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(whole[0]))
    events.Reload()
    assert [event.step for event in events.Scalars("effective_share")] == [1, 2, 3, 4]
    assert [event.step for event in events.Scalars("single_turn")] == [2, 4]


def test_a_finished_run_stays_as_it_is(whole):
    said = []
    run = train(TINY, whole[0], said.append)
    assert "is finished after 4 iterations" in said[0] and curve(run) == curve(whole[1])


COMMAND = [
    sys.executable,
    "-m",
    "textworlds",
    "wmact",
    "train",
    "Maze-easy-v0",
    "--iterations",
    "100000",
    "--episodes",
    "16",
]
COMMAND += ["--channels", "8", "--depth", "2", "--max-actions", "6", "--validated", "16"]


def start(folder):
    process = subprocess.Popen(
        [*COMMAND, "--out", str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    for _ in range(600):
        if (folder / CHECKPOINT).exists():
            return process
        time.sleep(0.1)
    raise AssertionError(process.communicate())


def test_ctrl_c_keeps_the_run_and_says_how_to_go_on(tmp_path):
    process = start(tmp_path / "run")
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "stopped; the same command goes on" in out and "Traceback" not in err
    assert len(Run.load(tmp_path / "run").history) >= 1


@pytest.mark.slow
def test_a_killed_run_goes_on_on_the_same_curve(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    folder, settings = tmp_path / "run", replace(TINY, iterations=40)
    code = (
        "from textworlds.agents import training; import sys; from dataclasses import replace; sys.path.insert(0, 'tests');"
        "from test_training import TINY; training.SECONDS_BETWEEN_CHECKPOINTS = 0.0;"
        f"training.train(replace(TINY, iterations=40), {str(folder)!r}, print)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parent.parent)
    while not (folder / HISTORY).exists() or len((folder / HISTORY).read_text().splitlines()) < 5:
        time.sleep(0.05)
    process.kill()
    process.wait()
    assert 5 <= len(Run.load(folder).history) < 40
    run, other = train(settings, folder, quiet), train(settings, tmp_path / "whole", quiet)
    assert torch.equal(weights(run), weights(other)) and curve(run) == curve(other)


def test_a_full_disk_is_said_and_the_last_checkpoint_stays(whole, tmp_path, monkeypatch):
    folder = tmp_path / "full"
    train(replace(TINY, iterations=1), folder, quiet)
    before = (folder / CHECKPOINT).read_bytes()

    def fail(path, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(OSError, match="No space left") as raised:
        train(replace(TINY, iterations=2), folder, quiet)
    assert str(folder) in str(raised.value.filename)
    assert (folder / CHECKPOINT).read_bytes() == before


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"id": "textworlds/Mazy-v0"}, "unknown id"),
        ({"method": "wmactt"}, "unknown method 'wmactt'; known: entire-plan"),
        ({"rounding": "sideways"}, "unknown rounding 'sideways'; known: up, down, nearest"),
        ({"seed": -1}, "seed must be a whole number from 0 to 2,147,483,647; got -1"),
        ({"seed": 1 << 31}, "seed must be a whole number from 0 to 2,147"),
        ({"episodes": 16.0}, "episodes must be a whole number"),
        ({"episodes": "16"}, "episodes must be a whole number"),
        ({"clip": None}, "clip must be a number from"),
        (
            {"changes": {"split": 1}},
            "'split' is no setting of the levels of textworlds/Maze-easy-v0; known: height, width",
        ),
        ({"iterations": 0}, "iterations must be a whole number from 1 to 2,147,483,647; got 0"),
        ({"iterations": None}, "say how long to train"),
        ({"gamma": 1.5}, "gamma must be a number from 0 to 1; got 1.5"),
        ({"learning_rate": float("nan")}, "learning_rate must be a number from"),
        ({"episodes": 4}, "a batch of 4 episodes cannot make 8 minibatches"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        replace(TINY, **changes)


def test_a_folder_with_another_run_is_left_alone(whole):
    with pytest.raises(ValueError, match="holds a run with method 'wmact', not 'interactive'; give another folder"):
        train(replace(TINY, method="interactive"), whole[0], quiet)


def test_a_folder_that_is_no_run_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("do not touch")
    with pytest.raises(ValueError, match="is no run, and not empty"):
        train(TINY, tmp_path, quiet)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    "name, content, sentence",
    [
        (CHECKPOINT, b"rubbish", "checkpoint.pt: no checkpoint of this run"),
        (CHECKPOINT, b"", "checkpoint.pt: no checkpoint of this run"),
        (SETTINGS, b"{", "settings.json: no settings of a run"),
        (SETTINGS, b'{"format": 99}', "of format 99; this version of textworlds reads format 1"),
        (SETTINGS, b'{"format": 1, "id": "textworlds/Maze-easy-v9", "iterations": 1}', "unknown id"),
        (SETTINGS, b'{"format": 1, "id": "textworlds/Maze-easy-v0", "colour": 1}', "unknown setting 'colour'"),
    ],
)
def test_damaged_or_foreign_folders_are_said_to_be_so(whole, tmp_path, name, content, sentence):
    for path in whole[0].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=sentence):
        Run.load(tmp_path)


def test_a_checkpoint_of_another_run_is_refused(whole, tmp_path):
    train(replace(TINY, id="textworlds/Sokoban-easy-v0", changes={}, iterations=1), tmp_path / "other", quiet)
    for path in whole[0].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / CHECKPOINT).write_bytes((tmp_path / "other" / CHECKPOINT).read_bytes())
    with pytest.raises(ValueError, match=r"no checkpoint of this run .*holds a run with id .*Sokoban"):
        Run.load(tmp_path)


def test_levels_that_cannot_be_are_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match="height"):
        train(replace(TINY, changes={"height": 1}), tmp_path / "run", quiet)
    assert not (tmp_path / "run").exists()


def test_nobody_elses_random_numbers_are_touched(tmp_path):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    train(replace(TINY, iterations=1), tmp_path / "run", quiet)
    assert torch.equal(torch.rand(1), expected)


def test_no_folder_is_no_run(tmp_path):
    with pytest.raises(OSError):
        Run.load(tmp_path / "nowhere")


DISTRIBUTED = """
import os, sys
sys.path.insert(0, "tests")
from test_training import learnt_from_a_half, quiet, replace, train, TINY, weights
from textworlds.agents.processes import processes
with processes() as (rank, number):
    run = train(replace(TINY, episodes=32, iterations=3), sys.argv[1], quiet)
    said = [run.history[-1]["turns"], weights(run).double().sum().item(), *learnt_from_a_half(rank, number)]
tasks = "/proc/self/task"
left = [task for task in os.listdir(tasks) if "gloo" in open(f"{tasks}/{task}/comm").read()] if os.path.isdir(tasks) else []
assert not left, "the process group's threads outlive it, and can abort the process when it ends"
open(f"{sys.argv[1]}.{rank}", "w").write(" ".join(map(str, said)))
"""


def learnt_from_a_half(rank, number):
    """Return some weights after one step on this process's part of a batch that is always the same."""
    from textworlds.agents.ppo import Batch, Learning, update
    from textworlds.agents.processes import parallel

    random = torch.Generator().manual_seed(0)
    boards = torch.randint(35, 65, (12, 7, 7), generator=random).to(torch.uint8)
    tokens = torch.randint(0, 4, (12, 5), generator=random)
    tokens[:4, 2:] = -1
    rest = [torch.randn(12, 5, generator=random) for _ in range(3)]
    parts = [part[rank * 12 // number : (rank + 1) * 12 // number] for part in (boards, tokens, *rest)]
    network = Run(TINY).network
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    update(parallel(network), optimizer, Batch(*parts), Learning(minibatches=1), random)
    return [round(weight, 5) for weight in network.policy.bias.tolist()]


def test_processes_started_by_torchrun_learn_as_one_from_different_episodes(tmp_path):
    (tmp_path / "job.py").write_text(DISTRIBUTED)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    out = subprocess.run(
        [*command, str(tmp_path / "job.py"), str(tmp_path / "run")],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert out.returncode == 0, out.stderr
    lines = [(tmp_path / f"run.{rank}").read_text().split() for rank in (0, 1)]
    assert len(lines) == 2 and lines[0] == lines[1]
    assert [float(weight) for weight in lines[0][2:]] == pytest.approx(learnt_from_a_half(0, 1), abs=2e-5)
    alone = train(replace(TINY, episodes=32, iterations=3), tmp_path / "alone", quiet)
    assert len(Run.load(tmp_path / "run").history) == 3 == len(alone.history)
    assert float(lines[0][1]) != weights(alone).double().sum().item()


def test_weights_that_are_no_numbers_any_more_end_the_run_and_not_the_checkpoint(tmp_path, monkeypatch):
    train(replace(TINY, iterations=1), tmp_path / "run", quiet)

    def spoil(network, *others):
        with torch.no_grad():
            next(iter(network.parameters())).fill_(float("nan"))

    monkeypatch.setattr(training, "update", spoil)
    with pytest.raises(ValueError, match="no numbers any more after iteration 2; the last checkpoint is kept"):
        train(replace(TINY, iterations=2), tmp_path / "run", quiet)
    assert len(Run.load(tmp_path / "run").history) == 1 and weights(Run.load(tmp_path / "run")).isfinite().all()


def test_a_damaged_warm_start_is_named(tmp_path):
    warm = replace(TINY, iterations=1, warm_start=10, warm_passes=1)
    train(warm, tmp_path / "one", quiet, warm_folder=tmp_path / "warm")
    (file,) = (tmp_path / "warm").iterdir()
    file.write_bytes(b"")
    with pytest.raises(ValueError, match=f"{file.name}: no warm start of this run"):
        train(warm, tmp_path / "other", quiet, warm_folder=tmp_path / "warm")


@pytest.mark.slow
def test_it_learns(tmp_path):
    settings = Settings(
        "textworlds/Maze-easy-v0", TINY.changes, iterations=80, episodes=128, max_actions=6, learning_rate=2e-3
    )
    run = train(settings, tmp_path / "run", quiet)
    assert run.history[-1]["multi_turn"] > run.summary["start"]["multi_turn"] + 0.15
