"""What holds for every puzzle: the promises of puzzles/puzzle.py, and the same play as by the naive twins."""

import importlib

import naive
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textworlds import PUZZLES, Episode
from textworlds.testing import actions, check_puzzle, levels, states
from textworlds.text.formats import write

every_puzzle = pytest.mark.parametrize("puzzle", PUZZLES.values(), ids=PUZZLES)
# The most cells and planes of levels for which the naive search is quick, and for which it takes a while.
SMALL = {"sokoban": (42, 1), "maze": (81, 1), "taxi": (16, 3)}
LARGE = {"sokoban": (49, 1), "maze": (625, 1), "taxi": (25, 4)}


def twin_of(puzzle):
    if puzzle.name not in naive.TWINS:
        pytest.skip(f"{puzzle.name} has no twin in tests/naive.py yet")
    return naive.TWINS[puzzle.name]


def reason_named(puzzle, name):
    return getattr(importlib.import_module(f"textworlds.puzzles.{puzzle.name}.rules"), name)


def drawing_of(puzzle, picture):
    return write(picture, "dense", puzzle.words)


def goals_left(episode):
    return int(episode.episodes.worlds.book["left"][0])


@every_puzzle
def test_a_puzzle_keeps_its_promises(puzzle):
    check_puzzle(puzzle, examples=25)


@pytest.mark.slow
@every_puzzle
def test_a_puzzle_keeps_its_promises_on_many_levels(puzzle):
    check_puzzle(puzzle, examples=200)


def check_play(puzzle, episode, moves):
    """Play the same actions on both sides and compare all that comes of them."""
    told = naive.play(twin_of(puzzle), drawing_of(puzzle, episode.picture()), moves)
    for move, (name, left, drawing) in zip(moves, told, strict=True):
        result = episode.act(move)
        assert result.ledger["reason"] == reason_named(puzzle, name)
        assert result.ledger["changed"] == (name == "CHANGED")
        assert goals_left(episode) == left
        assert result.text == drawing
        assert result.terminated == (left == 0)
        if left == 0:
            break


@every_puzzle
def test_random_play_is_what_the_naive_twin_plays(puzzle):
    @settings(max_examples=200)
    @given(states(puzzle), actions(puzzle, max_size=60))
    def check(episode, moves):
        check_play(puzzle, episode, moves)

    twin_of(puzzle)
    check()


@every_puzzle
def test_plans_play_to_solved_in_the_naive_twin(puzzle):
    @settings(max_examples=50)
    @given(levels(puzzle))
    def check(level):
        _, height, width = level.shape
        episode = Episode(puzzle, height=height, width=width, levels=[level], action="discrete", turn_limit=10_000)
        episode.reset(seed=0)
        check_play(puzzle, episode, episode.solve())
        assert goals_left(episode) == 0

    twin_of(puzzle)
    check()


@every_puzzle
def test_plans_are_as_short_as_those_of_the_naive_search(puzzle):
    check_plans(puzzle, SMALL, max_examples=100)


@pytest.mark.slow
@every_puzzle
def test_plans_on_larger_levels_are_as_short_as_those_of_the_naive_search(puzzle):
    check_plans(puzzle, LARGE, max_examples=500)


def check_plans(puzzle, limits, max_examples):
    """Compare with the naive search, from the middle of play too, where some levels cannot be solved any more."""
    twin = twin_of(puzzle)
    max_cells, max_planes = limits[puzzle.name]

    @settings(max_examples=max_examples)
    @given(states(puzzle, max_cells).filter(lambda episode: len(episode.picture()) <= max_planes))
    def check(episode):
        drawing = drawing_of(puzzle, episode.picture())
        plan = episode.solve()
        assert (None if plan is None else naive.cost(twin, drawing, plan)) == naive.fewest(twin, drawing)

    check()


@every_puzzle
def test_the_order_in_which_levels_are_made_does_not_matter(puzzle):
    @settings(max_examples=20)
    @given(st.sampled_from(sorted(puzzle.ids)), st.lists(st.integers(0, 9), min_size=2, max_size=4))
    def check(id, seeds):
        episode = Episode(id)
        first = {seed: Episode(id).reset(seed) for seed in seeds}
        assert [episode.reset(seed) for seed in seeds] == [first[seed] for seed in seeds]

    check()
