"""How an episode begins: with a level of a bank, or with one that was just written on a world's board."""

from functools import cache
from typing import NamedTuple

import numpy as np

from textworlds.grid import State, copy_cells, new_records, new_state, settle
from textworlds.history import forget_all_but
from textworlds.kernel import Kernel, kernel
from textworlds.puzzles.puzzle import Puzzle
from textworlds.random import below, start_stream

START = np.dtype([("key", "u8"), ("left", "i4"), ("lost", "?")], align=True)  # as in grid.BOOK


class Bank(NamedTuple):
    """L levels that episodes begin with, and what is true of their beginning."""

    boards: np.ndarray  # uint8[L, P * H * W]
    agents: np.ndarray  # int32[L, A]
    starts: np.ndarray  # START[L]


# Each puzzle's own, put in place by Kernel.bind.
goals_left: Kernel
is_lost: Kernel


@kernel
def begin(state, history, world, turn_limit, index):
    """Begin an episode in a world whose board, agents, key, left and lost are those of level number `index`."""
    book = state.book[world]
    book.before = 0
    book.num_asked = book.num_changed = book.num_novel = book.num_turns = 0
    book.turn_limit, book.index = turn_limit, index
    book.fewest = book.left
    book.terminated = book.truncated = False
    book.reward = 0.0
    if history.places.shape[0]:
        forget_all_but(history, world, book.key)


@kernel
def begin_at(state, history, world, bank, index, turn_limit):
    """Begin an episode with the level of a bank at an index."""
    book, start = state.book[world], bank.starts[index]
    copy_cells(bank.boards[index], state.board[world])
    copy_cells(bank.agents[index], state.agents[world])
    book.key, book.left, book.lost = start.key, start.left, start.lost
    begin(state, history, world, turn_limit, index)


@kernel
def draw(state, world, bank, rng):
    """Return the index of the level of a bank that a world's seed and episode draw."""
    start_stream(rng, state.book[world].seed, state.book[world].episode)
    return below(rng, bank.boards.shape[0])


@Kernel.apart
@kernel
def go_on(state, history, world, bank, rng, turn_limit):
    """Begin the next episode of a world's seed."""
    state.book[world].episode += 1
    begin_at(state, history, world, bank, draw(state, world, bank, rng), turn_limit)


@kernel
def begin_with(state, history, worlds, bank, indices, turn_limit, rng):
    """Begin an episode in each of the listed worlds, with levels given or drawn by its seed and episode.

    Args:
        worlds: int64[K].
        bank: the levels to draw from.
        indices: int64[K], which of them each world plays; -1 to draw one.
        rng: uint64[1], to work in.
    """
    for place, world in enumerate(worlds):
        index = draw(state, world, bank, rng) if indices[place] < 0 else indices[place]
        begin_at(state, history, world, bank, index, turn_limit)


@kernel
def look_over(state, world):
    """Fill in the agents, key, left and lost of a world whose board was just written."""
    settle(state, world)
    book = state.book[world]
    book.left = goals_left(state, world)
    book.lost = is_lost(state, world)


@kernel
def fill(bank, scratch):
    """Fill in what is true of the beginning of a bank's levels; `scratch` is a world to look at them in."""
    book = scratch.book[0]
    for index in range(bank.boards.shape[0]):
        copy_cells(bank.boards[index], scratch.board[0])
        look_over(scratch, 0)
        copy_cells(scratch.agents[0], bank.agents[index])
        start = bank.starts[index]
        start.key, start.left, start.lost = book.key, book.left, book.lost


@kernel
def begin_all(state, history, worlds, turn_limit):
    """Begin an episode in each of the listed worlds, whose boards were just written."""
    for world in worlds:
        look_over(state, world)
        begin(state, history, world, turn_limit, -1)


class Beginnings(NamedTuple):
    """The kernels of this file, bound to one puzzle."""

    begin_with: Kernel
    begin_all: Kernel
    fill: Kernel


@cache
def beginnings_of(puzzle: Puzzle) -> Beginnings:
    """Return the kernels that begin a puzzle's episodes."""
    return Beginnings(*(one.bind(**puzzle.verbs).lean() for one in (begin_with, begin_all, fill)))


def make_bank(puzzle: Puzzle, pictures: np.ndarray, num_agents: int) -> Bank:
    """Return a bank of pictures, uint8[L, P, H, W], for so many agents."""
    scratch = new_state(1, pictures.shape[1:], num_agents)
    bank = empty_bank(np.ascontiguousarray(pictures.reshape(len(pictures), -1)), scratch)
    beginnings_of(puzzle).fill(bank, scratch)
    return bank


def empty_bank(boards: np.ndarray, state: State) -> Bank:
    """Return a bank of boards for worlds like those of a state, of which nothing is filled in."""
    agents = np.zeros((len(boards), state.agents.shape[1]), np.int32)
    return Bank(boards, agents, new_records(len(boards), START, state.book))
