"""The kernels of joint turns: each world's agents one after another, with an account for each; and what each agent sees.

Worlds are played a block at a time, all agents of a block before the next one, so that what the earlier agents touched is
still at hand for the later ones.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from textworlds.grid import AGENT, copy_cells, new_records, new_state
from textworlds.history import ENDLESS, History
from textworlds.kernel import kernel
from textworlds.play import BLOCK, FOUND, LINE, new_told, play_block
from textworlds.puzzles import Puzzle


class Parts(NamedTuple):
    """The agents' parts of a turn in N worlds, in the order in which they move: row 0 moves first."""

    movers: np.ndarray  # uint8[A, N], whose part it is
    actions: np.ndarray  # int8[A, N, T], padded with NO_ACTION
    asked: np.ndarray  # int64[A, N]
    ledger: np.ndarray  # LINE[A, N, T], see play; this and the rest are filled in
    told: np.ndarray  # TOLD[N], as far as who took part
    paid: np.ndarray  # float64[A, N]
    left: np.ndarray  # int32[2, A, N], after each part the goals left, and the fewest so far in the episode


class TeamState(NamedTuple):
    """N worlds as grid.State, and whose part of a turn it is."""

    board: np.ndarray
    agents: np.ndarray
    book: np.ndarray
    height: int
    width: int
    movers: np.ndarray  # uint8[N]
    ends: bool  # whether this part is the turn's last


@kernel
def team_mover(state, world):
    """Return which agent plays: see play.mover."""
    return state.movers[world]


@kernel
def team_is_last(state):
    """Return whether the turn ends with this part: see play.is_last."""
    return state.ends


@kernel
def play_together(state, history, pay, found, parts):
    """Play a joint turn in every world whose episode is not over; return what `play.play_block` does.

    Args:
        found: uint64[4, BLOCK * T], to work in.
    """
    num_agents, num_worlds = parts.movers.shape
    room, read = ENDLESS, np.uint64(0)
    for first in range(0, num_worlds, BLOCK):
        last = min(first + BLOCK, num_worlds)
        for place in range(num_agents):
            movers, ends = parts.movers[place], place == num_agents - 1
            team = TeamState(state.board, state.agents, state.book, state.height, state.width, movers, ends)
            actions, asked, ledger = parts.actions[place], parts.asked[place], parts.ledger[place]
            room_here, read_here = play_block(
                team, history, found, actions, asked, pay, ledger, parts.told, first, last
            )
            room, read = min(room, room_here), read | read_here
            settle_accounts(state.book, parts, place, first, last)
    return room, read


@kernel
def settle_accounts(book, parts, place, first, last):
    """Write down what came of a part."""
    for world in range(first, last):
        parts.paid[place, world] = book[world].reward
        parts.left[0, place, world], parts.left[1, place, world] = book[world].left, book[world].fewest


@kernel
def show(board, agents, num_cells, has_owners, seen):
    """Fill in what each agent sees.

    Args:
        board: uint8[N, P * H * W].
        agents: int32[N, A], cells.
        num_cells: H * W.
        has_owners: whether the planes of the board after the first are the agents'.
        seen: uint8[N, A, (P + A) * H * W].
    """
    num_agents, size = agents.shape[1], board.shape[1]
    for world in range(board.shape[0]):
        for agent in range(num_agents):
            row = seen[world, agent]
            copy_cells(board[world], row)
            for index in range(size, row.size):
                row[index] = 0
            for place in range(num_agents):
                other = (agent + place) % num_agents
                row[size + place * num_cells + agents[world, other]] = AGENT
                if has_owners:
                    start, end = (1 + place) * num_cells, (2 + place) * num_cells
                    copy_cells(board[world, (1 + other) * num_cells :][:num_cells], row[start:end])


def make_parts(actions: np.ndarray, asked: np.ndarray, movers: np.ndarray, book: np.ndarray) -> Parts:
    """Return the parts of a turn, in order.

    Args:
        actions, asked: int8[N, A, T] and int64[N, A], by agent.
        movers: as in Parts.
        book: BOOK[N], the worlds'.
    """
    num_worlds, num_agents, num_actions = actions.shape
    if is_fixed(movers):
        actions, asked = actions.swapaxes(0, 1), asked.T
    else:
        actions, asked = (values[np.arange(num_worlds), movers] for values in (actions, asked))
    shape = num_agents, num_worlds
    return Parts(
        movers,
        np.ascontiguousarray(actions),
        np.ascontiguousarray(asked),
        new_records((num_agents, num_worlds, num_actions), LINE, book),
        new_told(book),
        np.empty(shape),
        np.empty((2, *shape), np.int32),
    )


def is_fixed(movers: np.ndarray) -> bool:
    """Return whether agent 0 moves first in every world."""
    return not movers[0].any()


def by_agent(parts: Parts, values: np.ndarray) -> np.ndarray:
    """Return what is in order, [A, N, ...], by agent."""
    if is_fixed(parts.movers):
        return values
    sorted_ = np.empty_like(values)
    sorted_[parts.movers, np.arange(values.shape[1])] = values
    return sorted_


@cache
def player_of(puzzle: Puzzle) -> Callable[..., tuple[int, int]]:
    """Return `play_together` for a puzzle, for just the types that the functions above give."""
    state, found = new_state(1, (1, 1, 1)), np.zeros((len(FOUND), 1), np.uint64)
    parts = make_parts(np.zeros((1, 1, 1), np.int8), np.zeros((1, 1), np.int64), np.zeros((1, 1), np.uint8), state.book)
    kernel = play_together.bind(**puzzle.verbs, mover=team_mover, is_last=team_is_last)
    return kernel.lean().entry(state, History(1, True).tables, np.zeros(1), found, parts)


@cache
def shower() -> Callable[..., Any]:
    """Return `show`, for the types that worlds have."""
    state = new_state(1, (1, 1, 1))
    return show.entry(state.board, state.agents, 1, True, np.zeros((1, 1, 1), np.uint8))
