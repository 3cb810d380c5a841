"""Evaluation on held-out levels, and studies of several methods."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import textworlds  # noqa: E402
from textworlds.agents import evaluation, study  # noqa: E402
from textworlds.agents.runs import Run  # noqa: E402
from textworlds.agents.settings import Settings  # noqa: E402
from textworlds.agents.training import train  # noqa: E402

TINY = Settings(
    "textworlds/Maze-easy-v0",
    iterations=1,
    episodes=16,
    max_actions=8,
    turn_limit=3,
    channels=8,
    depth=2,
    hidden=16,
    validated=16,
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train(TINY, tmp_path_factory.mktemp("runs") / "tiny", lambda line: None)


@pytest.fixture(scope="module")
def rows(run):
    return evaluation.evaluate(run, ["textworlds/Maze-easy-v0", "textworlds/Maze-medium-v0"], (1, 3))


def test_each_level_of_the_shipped_test_sets_is_played_once_in_each_way(rows):
    ways = [(row["id"], row["turns_allowed"], row["writes"]) for row in rows]
    assert len(set(ways)) == len(ways) == 8
    assert all(row["levels"] == 256 for row in rows)


def test_shares_and_intervals_are_where_they_must_be(rows):
    for row in rows:
        assert 0 <= row["low"] <= row["solved"] <= row["high"] <= 1
        assert 1 <= row["turns"] <= row["turns_allowed"]
        assert 0 <= row["novel_share"] <= row["effective_share"] <= 1
        assert row["over_optimum"] is None or row["over_optimum"] >= 1


def test_intervals_are_wilsons(rows):
    for row in rows:
        share, spread = row["solved"], 1.959964**2 / row["levels"]
        middle, half = share + spread / 2, (share * (1 - share) * spread + spread**2 / 4) ** 0.5
        assert row["low"] == pytest.approx((middle - half) / (1 + spread), abs=1e-6)
        assert row["high"] == pytest.approx((middle + half) / (1 + spread), abs=1e-6)


def test_greedy_play_repeats_itself_and_so_does_sampled_play_with_a_seed(run, rows):
    assert evaluation.evaluate(run, ["textworlds/Maze-easy-v0", "textworlds/Maze-medium-v0"], (1, 3)) == rows


def test_the_fewest_actions_are_those_of_the_certificates():
    levels = textworlds.find_levels("Maze-easy-v0-test")
    found = evaluation.fewest_that_solve("textworlds/Maze-easy-v0", {"levels": levels})
    assert found.tolist() == levels.column("moves").tolist()


def test_levels_of_another_puzzle_are_refused(run):
    with pytest.raises(ValueError, match="writes the actions of maze; textworlds/Taxi-easy-v0 is of taxi"):
        evaluation.evaluate(run, ["textworlds/Taxi-easy-v0"], (1,))


def test_a_run_with_changed_settings_is_played_on_generated_test_levels(run):
    changed = Run(replace(TINY, changes={"height": 7, "width": 7, "max_moves": 6}))
    assert evaluation.test_levels(changed, TINY.id) == {**changed.settings.changes, "split": "test"}
    assert len(evaluation.test_levels(changed, "textworlds/Maze-medium-v0")["levels"]) == 256


def test_a_replay_shows_whole_episodes_as_they_were(run):
    episodes = evaluation.replay(run, TINY.id, 3, 4)
    assert len(episodes) == 4
    for episode in episodes:
        turns = episode["turns"]
        assert 1 <= len(turns) <= 3 and (episode["solved"] or len(turns) == 3)
        assert all(before["after"] == after["text"] for before, after in pairwise(turns))
        for turn in turns:
            assert len(turn["actions"]) == len(turn["changed"]) >= 1
            assert any(turn["changed"]) or turn["text"] == turn["after"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("studies") / "study"
    said = []
    study.run_study(
        folder, TINY, [TINY.id], ["interactive", "wmact"], range(2), ["textworlds/Maze-medium-v0"], say=said.append
    )
    assert len(said) == 5 and said[0].startswith("4 runs, 0 of them finished already")
    return folder


def test_a_study_has_a_run_for_each_method_and_seed(folder):
    found = [str(path.relative_to(folder)) for path in study.find_runs(folder)]
    assert found == [f"Maze-easy-v0/{method}/seed-{seed}" for method in ("interactive", "wmact") for seed in (0, 1)]


def test_a_finished_study_has_nothing_left_to_do_and_can_be_added_to(folder):
    said = []
    study.run_study(folder, TINY, [TINY.id], ["interactive", "wmact"], range(2), say=said.append)
    assert said == ["4 runs, 4 of them finished already; 1 at once"]


def test_a_study_with_other_settings_is_refused_before_anything_is_trained(folder):
    with pytest.raises(ValueError, match="holds a run with hidden 16, not 8"):
        study.run_study(folder, replace(TINY, hidden=8), [TINY.id], ["interactive"], range(2))


def test_a_run_is_not_finished_until_it_is_evaluated_as_it_is_and_on_all_ids(folder):
    place, settings = folder / "Maze-easy-v0/wmact/seed-0", replace(TINY, method="wmact")
    assert study.is_finished(place, settings, [TINY.id, "textworlds/Maze-medium-v0"])
    assert not study.is_finished(place, settings, [TINY.id, "textworlds/Maze-hard-v0"])
    assert not study.is_finished(place, replace(settings, iterations=2), [TINY.id])


def test_evaluations_of_other_ways_stay_and_those_of_an_earlier_state_go(tmp_path):
    def row(iterations, turns):
        return {"iterations": iterations, "id": "x", "turns_allowed": turns, "writes": "greedy", "solved": 0.5}

    evaluation.keep(tmp_path, [row(1, 1)])
    evaluation.keep(tmp_path, [row(1, 2)])
    assert evaluation.kept_rows(tmp_path) == [row(1, 1), row(1, 2)]
    evaluation.keep(tmp_path, [row(2, 3)])
    assert evaluation.kept_rows(tmp_path) == [row(2, 3)]


def test_variants_differ_in_what_their_names_say_and_only_in_that():
    assert study.variant(TINY, "wmact+rounding=down+tau=5") == replace(TINY, method="wmact", rounding="down", tau=5)


def test_its_results_are_means_over_seeds_with_students_intervals(folder):
    results = study.results(folder)
    assert len(results) == 2 * 2 * 2 * 2 and all(row["seeds"] == 2 for row in results)
    row = results[0]
    values = []
    for seed in (0, 1):
        rows = evaluation.kept_rows(folder / "Maze-easy-v0/interactive" / f"seed-{seed}")
        values += [one["solved"] for one in rows if all(one[k] == row[k] for k in ("id", "turns_allowed", "writes"))]
    assert row["solved"]["values"] == values and row["solved"]["mean"] == pytest.approx(np.mean(values))


def test_intervals_over_seeds_are_students():
    found = study.spread([0.5, 0.6, 0.7, 0.6, 0.6])
    half = 2.776 * np.std([0.5, 0.6, 0.7, 0.6, 0.6], ddof=1) / 5**0.5
    assert (found["low"], found["high"]) == (pytest.approx(0.6 - half, abs=1e-3), pytest.approx(0.6 + half, abs=1e-3))
    assert np.isnan(study.spread([0.5])["low"]) and np.isnan(study.spread([])["mean"])


def test_a_study_with_a_method_that_there_is_not_is_refused_before_anything_is_trained(tmp_path):
    with pytest.raises(ValueError, match="unknown method 'wmactt'"):
        study.run_study(tmp_path / "study", TINY, [TINY.id], ["wmactt"], range(2))
    assert not (tmp_path / "study").exists()
