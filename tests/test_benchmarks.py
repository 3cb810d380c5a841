"""The C reference plays what textworlds plays, and the check of speeds says what fell."""

import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from benchmarks import aims, cases, limit, neighbours, processes, scaling, speed_page

NUM_WORLDS, NUM_TURNS = 50, 500
NETWORK = {"observation": "picture", "action": "discrete", "autoreset_mode": "SameStep", "num_levels": 20}

needs_c = pytest.mark.skipif(limit.compiler() is None, reason="there is no C compiler")


def same_game(envs, worlds, verb):
    """Play random actions in both and return both boards after each turn, having compared all else."""
    step, rng = worlds.verb(verb), np.random.default_rng(0)
    num_ended = 0
    for _ in range(NUM_TURNS):
        actions = rng.integers(envs.single_action_space.n, size=NUM_WORLDS)
        seen, *rest, _ = envs.step(actions)
        step(actions)
        for ours, name in zip(rest, ("rewards", "terminated", "truncated")):
            assert np.array_equal(ours, worlds.arrays[name]), name
        num_ended += (rest[1] | rest[2]).sum()
        yield seen.reshape(NUM_WORLDS, -1), worlds.arrays["seen"]
    assert num_ended > NUM_WORLDS


@needs_c
def test_the_c_reference_plays_sokoban():
    sizes = {"height": 10, "width": 10, "num_boxes": 1, "min_pushes": 1, "max_pushes": 2, "turn_limit": 60}
    envs = gym.make_vec("textworlds/Sokoban-expert-v0", num_envs=NUM_WORLDS, **NETWORK, **sizes)
    seen, _ = envs.reset(seed=0)
    worlds = limit.sokoban(envs.unwrapped.episodes.worlds.levels, NUM_WORLDS, envs.unwrapped.turn_limit)
    assert np.array_equal(seen.reshape(NUM_WORLDS, -1), worlds.arrays["boards"])
    for ours, its in same_game(envs, worlds, "sokoban_step_copy"):
        assert np.array_equal(ours, its)


@needs_c
@pytest.mark.parametrize("verb", ["sokoban_step", "sokoban_step_text"])
def test_the_c_references_boards_do_not_hang_on_what_is_seen_of_them(verb):
    sizes = {"num_boxes": 2, "min_pushes": 1, "max_pushes": 3, "turn_limit": 60}
    envs = gym.make_vec("textworlds/Sokoban-expert-v0", num_envs=NUM_WORLDS, **NETWORK, **sizes)
    envs.reset(seed=0)
    worlds = limit.sokoban(envs.unwrapped.episodes.worlds.levels, NUM_WORLDS, envs.unwrapped.turn_limit)
    for ours, _ in same_game(envs, worlds, verb):
        assert np.array_equal(ours, worlds.arrays["boards"])


@needs_c
@pytest.mark.parametrize("verb", ["sokoban_look_up", "sokoban_shuffle"])
def test_the_c_reference_draws_the_same_text(verb):
    envs = gym.make_vec("textworlds/Sokoban-expert-v0", num_envs=NUM_WORLDS, num_levels=20, max_pushes=20)
    texts, _ = envs.reset(seed=0)
    worlds = limit.sokoban(envs.unwrapped.episodes.worlds.levels, NUM_WORLDS, 60)
    worlds.verb(verb)()
    assert [row.tobytes().decode() for row in worlds.arrays["texts"]] == [f"{text}\n" for text in texts]


@needs_c
def test_the_c_reference_plays_taxi():
    settings = {"action_mask": False, "turn_limit": 60}
    envs = gym.make_vec("textworlds/Taxi-classic-v0", num_envs=NUM_WORLDS, **NETWORK | {"num_levels": 300}, **settings)
    envs.reset(seed=0)
    worlds = limit.taxi(envs.unwrapped.episodes.worlds.levels, NUM_WORLDS, envs.unwrapped.turn_limit)
    for ours, its in same_game(envs, worlds, "taxi_step_picture"):
        assert np.array_equal(ours, its)


def test_a_ratio_that_stays_rises_or_falls_by_less_than_a_quarter_is_no_fall():
    before = {"stays": 0.4, "rises": 0.4, "falls a little": 0.4}
    assert aims.falls(before, {"stays": 0.4, "rises": 0.9, "falls a little": 0.301}) == []


def test_a_ratio_that_falls_by_more_than_a_quarter_is_told():
    lines = aims.falls({"a": 0.4, "b": 0.4}, {"a": 0.29, "b": 0.4})
    assert lines == ["a: fell from 0.400 to 0.290 of C, by 28%"]


def test_a_case_that_is_no_longer_measured_is_told_and_a_new_one_is_not():
    assert aims.falls({"old": 0.4}, {"new": 0.1}) == ["old: was 0.400 of C, is no longer measured"]


def test_ratios_are_of_one_round_each():
    rounds = {"ours": [10.0, 40.0, 30.0], "theirs": [20.0, 80.0, 30.0]}  # the machine was four times as fast
    assert aims.ratios(rounds, "ours", "theirs") == [0.5, 0.5, 1.0]


@pytest.mark.parametrize(
    ("value", "at_most", "said"),
    [
        (2.0, False, "MISSED"),
        (3.0, False, "met"),
        (5.0, False, "met, aim too"),
        (None, False, "not measured"),
        (4.0, True, "MISSED"),
        (3.0, True, "met"),
        (0.5, True, "met, aim too"),
    ],
)
def test_floors_and_aims_are_judged(value, at_most, said):
    assert aims.verdict(aims.Aim("a", floor=3, aim=1 if at_most else 5, at_most=at_most), value) == said


def test_floors_speak_of_cases_that_there_are():
    names = (
        {name for name, *_ in cases.all_makers()}
        | {process.name for process in processes.all_processes(1)}
        | {aims.JUMANJI}
    )
    if limit.compiler() is None:
        names |= {aims.C_COPY, aims.C_TAXI, *aims.REFERENCES.values()}
    spoken_of = {name for aim in aims.AIMS for name in (aim.measure, aim.over) if name}
    assert spoken_of | aims.REFERENCES.keys() | set(aims.REFERENCES.values()) <= names


def test_a_neighbour_that_is_not_installed_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(neighbours, "INTERPRETER", tmp_path / "none")
    worker = neighbours.Worker("envpool")
    worker.close()
    assert (worker.names, worker.error) == ([], "not installed")


def test_a_neighbours_process_that_lacks_it_says_so(monkeypatch):
    monkeypatch.setattr(neighbours, "INTERPRETER", Path(sys.executable))
    worker = neighbours.Worker("gem-llm")
    worker.close()
    assert worker.error == "not installed"


def test_the_page_gets_tables_between_its_marks_and_keeps_its_prose(monkeypatch, tmp_path):
    rounds = {name: [1e6, 2e6, 3e6] for names in speed_page.BARS.values() for name in names}
    rounds |= {scaling.name_of(axis, value): [1e6] for axis, values in scaling.AXES.items() for value in values}
    machine = {"processor": "P", "cores": 2, "load": 0.0, "versions": {"python": "3"}}
    results = {"command": "c", "machine": machine, "missing": {"jumanji": "not installed"}, "rounds": rounds}
    monkeypatch.setattr(speed_page, "PAGE", tmp_path / "speed.md")
    monkeypatch.setattr(speed_page, "IMAGES", tmp_path)
    speed_page.PAGE.write_text(f"before\n{speed_page.MARKS[0]}\nold\n{speed_page.MARKS[1]}\nafter\n")
    for _ in range(2):
        speed_page.write(results | {"units": dict.fromkeys(rounds, "steps/s")})
    text = speed_page.PAGE.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    assert text.count("| 2,000,000 | 1,000,000 to 3,000,000 | steps/s | 1.00 |") == 4
    assert "Not measured: jumanji: not installed." in text
    assert {path.name for path in tmp_path.glob("*.svg")} == {"speed-neighbours.svg", "speed-scaling.svg"}
