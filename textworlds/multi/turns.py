"""The kernels of joint turns: each world's agents one after another, with an account for each.

Worlds are played a block at a time, all agents of a block before the next one, so that what the earlier agents touched is
still at hand for the later ones.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from textworlds.grid import new_records, new_state
from textworlds.history import ENDLESS, History
from textworlds.kernel import kernel
from textworlds.multi.sights import TEAM_VERBS, TeamEyes, team_step_and_look
from textworlds.play import BLOCK, FOUND, LINE, new_told, play_block
from textworlds.puzzles import Puzzle
from textworlds.text.grammars import Reading
from textworlds.text.translator import Asked
from textworlds.views import Memory, View


class JointTurn(NamedTuple):
    """What one joint turn in N worlds of A agents did. All arrays are fresh."""

    ledger: np.ndarray  # LINE[N, A, T], see play
    played: np.ndarray  # bool[N], worlds whose episode was not over before
    rewards: np.ndarray  # float64[N, S], one for each seat
    num_asked: np.ndarray  # int64[N, A]
    actions: np.ndarray  # int8[N, A, T]
    asked: Asked | None  # how the messages were read, world by world; None if actions are numbers

    def reading(self, world: int, agent: int) -> Reading | None:
        """Return how an agent's message was read; None if its action was a number."""
        place = world * self.actions.shape[1] + agent
        return None if self.asked is None else self.asked.readings[self.asked.rows[place]]


class Parts(NamedTuple):
    """The agents' parts of a turn in N worlds, in the order in which they move: row 0 moves first."""

    movers: np.ndarray  # uint8[A, N], whose part it is
    actions: np.ndarray  # int8[A, N, T], padded with NO_ACTION
    asked: np.ndarray  # int64[A, N]
    ledger: np.ndarray  # LINE[A, N, T], see play; this and the rest are filled in
    told: np.ndarray  # TOLD[N], as far as who took part
    paid: np.ndarray  # float64[A, N]
    left: np.ndarray  # int32[2, A, N], after each part the goals left, and the fewest so far in the episode
    tallies: np.ndarray  # int64[3, S, N], by agent, of the episode: actions asked, changed and novel


class TeamState(NamedTuple):
    """N worlds as grid.State, and whose part of a turn it is."""

    board: np.ndarray
    agents: np.ndarray
    book: np.ndarray
    height: int
    width: int
    movers: np.ndarray  # uint8[N]
    ends: bool  # whether this part is the turn's last


class WatchedTeamState(NamedTuple):
    """A TeamState, and what all agents have seen: see sights.WatchedTeam."""

    board: np.ndarray
    agents: np.ndarray
    book: np.ndarray
    height: int
    width: int
    movers: np.ndarray
    ends: bool
    vision: View
    memory: Memory
    has_owners: bool


@kernel
def team_of(state, movers, ends):
    """Return the state with whose part of the turn it is."""
    return TeamState(state.board, state.agents, state.book, state.height, state.width, movers, ends)


@kernel
def watched_team_of(state, movers, ends):
    """Return the same for a WatchedTeam."""
    vision, memory, has_owners = state.vision, state.memory, state.has_owners
    return WatchedTeamState(
        state.board, state.agents, state.book, state.height, state.width, movers, ends, vision, memory, has_owners
    )


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
            team = team_of(state, parts.movers[place], place == num_agents - 1)
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
        mover = parts.movers[place, world]
        parts.tallies[0, mover, world] += parts.asked[place, world] * parts.told[world].took_part
        for turn in range(parts.ledger.shape[2]):
            parts.tallies[1, mover, world] += parts.ledger[place, world, turn].changed
            parts.tallies[2, mover, world] += parts.ledger[place, world, turn].novel
        parts.paid[place, world] = book[world].reward
        parts.left[0, place, world], parts.left[1, place, world] = book[world].left, book[world].fewest


def make_parts(
    actions: np.ndarray, asked: np.ndarray, movers: np.ndarray, book: np.ndarray, tallies: np.ndarray
) -> Parts:
    """Return the parts of a turn, in order.

    Args:
        actions, asked: int8[N, A, T] and int64[N, A], by agent.
        movers, tallies: as in Parts.
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
        tallies,
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
def player_of(puzzle: Puzzle, is_watched: bool = False) -> Callable[..., tuple[int, int]]:
    """Return `play_together` for a puzzle, for just the types that the functions above give.

    Or, if the turns are watched, for a sights.WatchedTeam, whose memory it keeps after each action.
    """
    state, tables, found = new_state(1, (1, 1, 1)), History(1, True).tables, np.zeros((len(FOUND), 1), np.uint64)
    asked, tallies = np.zeros((1, 1), np.int64), np.zeros((3, 1, 1), np.int64)
    parts = make_parts(np.zeros((1, 1, 1), np.int8), asked, np.zeros((1, 1), np.uint8), state.book, tallies)
    kernel = play_together.bind(**puzzle.verbs, mover=team_mover, is_last=team_is_last)
    if not is_watched:
        return kernel.lean().entry(state, tables, np.zeros(1), found, parts)
    watched = TeamEyes(1, False, View(1, False, True), 1, (1, 1, 1)).watch(state)
    step = team_step_and_look.bind(unwatched_step=puzzle.step)
    kernel = kernel.bind(step=step, team_of=watched_team_of, **TEAM_VERBS)
    return kernel.lean().entry(watched, tables, np.zeros(1), found, parts)
