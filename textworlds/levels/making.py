"""Make levels: a generator's proposals, one after another, until one lies in its split and in its window.

The window bounds the first of the puzzle's costs, as the solver proves it, between the options min_COST and max_COST.
All proposals of a level come from one stream, so that it hangs on nothing but its seed and the number of its episode.
"""

from functools import cache
from math import isqrt
from typing import Any, NamedTuple

import numpy as np

from textworlds.grid import State, new_state, settle
from textworlds.kernel import Kernel, kernel
from textworlds.levels.content import ANY, SPLITS, content_key, split_of
from textworlds.puzzles.puzzle import GAVE_UP, Limits, Puzzle
from textworlds.random import start_stream

MOST_TRIES, FEWEST_TRIES = 10_000, 5  # proposals for one level; see most_tries,
MOST_NODES = 5_000_000  # and positions that the solver may expand to judge them
MOST_NODES_EACH = 200_000
MOST_AT_ONCE = 64

# Each puzzle's own, put in place by Kernel.bind.
generate: Kernel
solve: Kernel


class Wanted(NamedTuple):
    """What levels are made: settings that a level's seed is not.

    Attributes:
        options: of the generator, an instance of puzzle.options.
        split: place in content.SPLITS, or ANY.
    """

    options: Any
    split: int = ANY


@kernel
def start_streams(streams, seeds, episodes):
    """Set streams, uint64[K, 1], to the start of the levels with these seeds and numbers of episodes."""
    for place in range(streams.shape[0]):
        start_stream(streams[place], seeds[place], episodes[place])


@kernel
def propose(state, worlds, streams, tries, most, at_once, options, split, roams, found):
    """Fill in a level of the split for each world that has none yet, as far as `at_once` tries go.

    Args:
        worlds: int64[K].
        streams, tries: uint64[K, 1] and int64[K], of each world's proposals; advanced.
        most: tries that a world may make in all.
        split: a place in content.SPLITS, or ANY.
        found: bool[K], filled in.
    """
    for place, world in enumerate(worlds):
        found[place] = False
        for _ in range(min(at_once, most - tries[place])):
            tries[place] += 1
            state.board[world] = 0
            if generate(streams[place], state, world, options):
                if split == ANY or split_of(content_key(state.board[world], state.height, state.width, roams)) == split:
                    found[place] = True
                    break


@kernel
def judge(state, worlds, limits, grades, answers):
    """Fill in what the solver says of the levels on the boards of some worlds.

    Args:
        worlds: int64[K].
        grades: float64[K, number of grades], filled in; the cost that is the objective is NaN where there is no plan.
        answers: int64[K], filled in with what `solve` returns.
    """
    plan = np.empty(4096 + 2 * state.board.shape[1], np.int8)
    for place, world in enumerate(worlds):
        settle(state, world)
        answers[place] = solve(state, world, plan, limits, grades[place])
        if answers[place] < 0:
            grades[place, limits.objective] = np.nan


class Kernels(NamedTuple):
    """The kernels of this file, bound to one puzzle."""

    propose: Kernel
    judge: Kernel


@cache
def kernels_of(puzzle: Puzzle) -> Kernels:
    """Return the kernels that make levels of a puzzle."""
    return Kernels(propose.bind(generate=puzzle.generate), judge.bind(solve=puzzle.solve))


def window_of(puzzle: Puzzle, options: Any) -> tuple[float, float] | None:
    """Return the least and the most of the first cost that options ask for, or None if they ask for nothing.

    None, too, where it takes several agents to solve a level: that window is the generator's to keep.
    """
    if not puzzle.solves_alone(options):
        return None
    least, most = (getattr(options, f"{end}_{puzzle.costs[0]}", 0) for end in ("min", "max"))
    return (least, most or np.inf) if least > 0 or most > 0 else None


def most_tries(num_cells: int) -> int:
    """Return how many proposals a level of so many cells is worth: fewer on large boards, which take longer to make."""
    return max(FEWEST_TRIES, min(MOST_TRIES, MOST_TRIES * 4096 // (num_cells * isqrt(num_cells))))


def make_levels(puzzle: Puzzle, state: State, worlds: np.ndarray, wanted: Wanted) -> None:
    """Write a level on the board of each world listed, by the seed and the episode in its book.

    Args:
        worlds: int64[K].

    Raises:
        NoLevel: if none was found for one of them.
    """
    for _, complaint in find_levels(puzzle, state, worlds, wanted, only_all=True):
        raise NoLevel(complaint)


def find_levels(
    puzzle: Puzzle, state: State, worlds: np.ndarray, wanted: Wanted, only_all: bool = False
) -> list[tuple[int, str]]:
    """Write levels as make_levels does; return the worlds for which none was found, and why.

    None is found within most_tries and MOST_NODES. With only_all the search ends with the first failure.
    """
    window, most = window_of(puzzle, wanted.options), most_tries(state.height * state.width)
    at_once = max(1, MOST_AT_ONCE * most // MOST_TRIES)  # so that it can be interrupted
    streams, tries = np.empty((len(worlds), 1), np.uint64), np.zeros(len(worlds), np.int64)
    nodes, nearest = np.zeros(len(worlds)), np.full(len(worlds), np.nan)
    start_streams(streams, state.book["seed"][worlds], state.book["episode"][worlds])
    failures: list[tuple[int, str]] = []
    pending = np.arange(len(worlds))
    while len(pending) and not (failures and only_all):
        found, own_streams, own_tries = np.zeros(len(pending), bool), streams[pending], tries[pending]
        kernels_of(puzzle).propose(
            state, worlds[pending], own_streams, own_tries, most, at_once, *wanted, puzzle.roams, found
        )
        streams[pending], tries[pending] = own_streams, own_tries
        if window is not None and found.any():
            judged = pending[found]
            grades, answers = judged_by_solver(puzzle, state, worlds[judged], Limits(nodes=MOST_NODES_EACH))
            expanded = np.nan_to_num(grades[:, len(puzzle.costs)])
            nodes[judged] += np.where(answers == GAVE_UP, MOST_NODES_EACH, expanded)
            nearest[judged] = _nearer(grades[:, 0], nearest[judged], window)
            found[found] = (grades[:, 0] >= window[0]) & (grades[:, 0] <= window[1])
        pending = pending[~found]
        is_over = (tries[pending] >= most) | (nodes[pending] >= MOST_NODES)
        for world in pending[is_over]:
            complaint = _complaint(puzzle, wanted, window, int(tries[world]), float(nearest[world]))
            failures.append((int(worlds[world]), complaint))
        pending = pending[~is_over]
    return failures


def judged_by_solver(puzzle: Puzzle, state: State, worlds: np.ndarray, limits: Limits) -> tuple[np.ndarray, np.ndarray]:
    """Return the grades, float64[K, number of puzzle.grades], and the solver's answers, int64[K], of some worlds."""
    grades, answers = np.full((len(worlds), len(puzzle.grades)), np.nan), np.zeros(len(worlds), np.int64)
    kernels_of(puzzle).judge(state, worlds, limits, grades, answers)
    return grades, answers


def grade_levels(puzzle: Puzzle, pictures: np.ndarray, limits: Limits = Limits(), all_costs: bool = True) -> np.ndarray:
    """Return what the solver proves of levels, float64[L, number of puzzle.grades].

    Each cost is the fewest that any plan has, whatever the others are; the search's grades are those of the first.

    Args:
        pictures: uint8[L, P, H, W], walls closed.
        limits: for each level and each cost. A cost is NaN where they ran out, and where there is no solution.
        all_costs: prove all costs and not only the first, which may take several times as long; the others are NaN then.
    """
    state = new_state(len(pictures), pictures.shape[1:])
    state.board[:] = pictures.reshape(state.board.shape)
    num_costs = len(puzzle.costs)
    worlds = np.arange(len(pictures))
    grades, _ = judged_by_solver(puzzle, state, worlds, limits._replace(objective=0))
    grades[:, 1:num_costs] = np.nan
    for objective in range(1, num_costs if all_costs else 1):
        others, _ = judged_by_solver(puzzle, state, worlds, limits._replace(objective=objective))
        grades[:, objective] = others[:, objective]
    return grades


class NoLevel(ValueError):
    """No level is as asked, as far as was looked."""


def _nearer(one: np.ndarray, other: np.ndarray, window: tuple[float, float]) -> np.ndarray:
    """Return of two costs the one nearer to a window, float64[K]; NaN is farthest."""
    far = [np.nan_to_num(np.maximum(window[0] - cost, cost - window[1]), nan=np.inf) for cost in (one, other)]
    return np.where(far[0] < far[1], one, other)


def _complaint(puzzle: Puzzle, wanted: Wanted, window: tuple[float, float] | None, tries: int, nearest: float) -> str:
    what = "level" if wanted.split == ANY else f"{SPLITS[wanted.split]} level"
    if window is None:
        return f"{puzzle.name}: no {what} found in {tries:,} tries with {wanted.options}"
    most = f" to {window[1]:.0f}" if np.isfinite(window[1]) else " or more"
    near = "none could be solved" if np.isnan(nearest) else f"nearest: {nearest:.0f}"
    return f"{puzzle.name}: no {what} of {window[0]:.0f}{most} {puzzle.costs[0]} found in {tries:,} tries; {near}"
