"""What each of several agents sees: the picture, then a plane for each agent; all of it, or a view with a memory of its own.

The planes of agents hold AGENT where one is: the reader's own first, then the others' in turn (for B of three: B, C, A).
So stand the planes of what they own. A view shows of all planes what lies in the cells that are seen, as in views.py. An
agent is in one place, so that fog forgets where it was seen before once it is seen elsewhere, and with it whoever rode
there; where it was seen last and is not in view now, its plane holds LAST_SEEN.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np

from textworlds.eyes import Eyes
from textworlds.grid import AGENT, CHANGED, ITEM, UNKNOWN, State, copy_cells, new_state
from textworlds.kernel import Kernel, kernel
from textworlds.views import NOWHERE, WHOLE, Memory, View, forget_self, look

LAST_SEEN = UNKNOWN  # on an agent's plane

# A puzzle's own, put in place by Kernel.bind.
unwatched_step: Kernel


class ReadState(NamedTuple):
    """N worlds as grid.State, and who looks at them."""

    board: np.ndarray
    agents: np.ndarray
    book: np.ndarray
    height: int
    width: int
    reader: int
    has_owners: bool  # the planes of the board after the first are the agents'


class WatchedTeam(NamedTuple):
    """N worlds as grid.State, and what all agents have seen of them."""

    board: np.ndarray
    agents: np.ndarray
    book: np.ndarray
    height: int
    width: int
    vision: View
    memory: Memory  # with one more leading axis, A
    has_owners: bool


@kernel
def team_thing_at(state, world, plane, cell):
    """Return what lies in a cell on a plane of what the reader sees: see views.thing_at."""
    cells, num_agents = state.height * state.width, state.agents.shape[1]
    num_planes = state.board.shape[1] // cells
    if plane >= num_planes:
        other = (state.reader + plane - num_planes) % num_agents
        return np.uint8(AGENT) if state.agents[world, other] == cell else np.uint8(0)
    if state.has_owners and plane > 0:
        plane = 1 + (state.reader + plane - 1) % num_agents
    return state.board[world, plane * cells + cell]


@kernel
def team_wipe_out(state, world, plane, place, own, frame):
    """Wipe out an agent, or an item that differs from others, where else it was shown: see views.wipe_out."""
    shown = frame.height * frame.width
    start = plane * shown
    if plane >= state.board.shape[1] // (state.height * state.width):
        if own:
            for cell in range(shown):
                if cell != place and frame.pictures[world, start + cell]:
                    forget_self(frame, world, cell)
                    frame.pictures[world, start + cell] = 0
    elif own & ITEM and not state.has_owners:
        for index in range(start, start + shown):
            frame.pictures[world, index] &= 255 - (ITEM | AGENT)


@kernel
def team_look(state, world, view, memory):
    """Have the reader look at a world; `state` is a ReadState."""
    if view.fog and memory.stood[world] != NOWHERE:
        cells = state.height * state.width
        for index in range(state.board.shape[1] + cells, memory.pictures.shape[1]):
            if memory.pictures[world, index]:
                memory.pictures[world, index] = LAST_SEEN
    look(state, world, state.reader, view, memory)


@kernel
def look_around(state, worlds, view, has_owners, memory):
    """Have all agents look at each of the worlds listed, int64[K]; `memory` has one more leading axis, A."""
    for agent in range(memory.stood.shape[0]):
        read = ReadState(state.board, state.agents, state.book, state.height, state.width, agent, has_owners)
        own = Memory(memory.pictures[agent], memory.stood[agent])
        for world in worlds:
            team_look(read, world, view, own)


@kernel
def team_step_and_look(state, world, agent, action):
    """Play one action as `step` does, and have the agent look; `state` has what a WatchedTeam has."""
    reason = unwatched_step(state, world, agent, action)
    if reason == CHANGED:
        read = ReadState(state.board, state.agents, state.book, state.height, state.width, agent, state.has_owners)
        team_look(read, world, state.vision, Memory(state.memory.pictures[agent], state.memory.stood[agent]))
    return reason


TEAM_VERBS = {"thing_at": team_thing_at, "wipe_out": team_wipe_out}  # to bind wherever a team looks


class TeamEyes(Eyes):
    """The eyes of A agents in N worlds, each with a memory of its own.

    Args:
        num_agents: A.
        differ: whether the planes after the first are those of items that differ, and not the agents'.
        view, num_worlds, shape: as for Eyes.
    """

    def __init__(self, num_agents: int, differ: bool, view: View, num_worlds: int, shape: tuple[int, int, int]) -> None:
        super().__init__(view, 0, shape)
        planes, height, width = view.shape_of(shape)
        self.shape = planes + num_agents, height, width
        self.has_owners = planes > 1 and not differ
        pictures = np.zeros((num_agents, num_worlds, (planes + num_agents) * height * width), np.uint8)
        self.memory = Memory(pictures, np.full((num_agents, num_worlds), NOWHERE, np.int32))

    def open(self, state: State, worlds: np.ndarray) -> None:
        self.memory.stood[:, worlds] = NOWHERE
        self.look_at(state, worlds)

    def look_at(self, state: State, worlds: np.ndarray) -> None:
        _looker()(state, np.ascontiguousarray(worlds, np.int64), self.view, self.has_owners, self.memory)

    def look(self, state: State, first: int, last: int) -> None:
        self.look_at(state, np.arange(first, last))

    def watch(self, state: State) -> Any:
        """Return the state with what was seen of it, if that is to be remembered."""
        return WatchedTeam(*state, self.view, self.memory, self.has_owners) if self.view.fog else state

    def see(self, state: State) -> np.ndarray:
        """Return what each agent sees, uint8[N, A, P + A, h, w], a copy."""
        if not self.view.fog:  # else they looked after each turn
            self.look(state, 0, len(state.book))
        pictures = self.pictures.swapaxes(0, 1).copy()
        return pictures.reshape(*pictures.shape[:2], *self.shape)


def team_eyes(num_agents: int, differ: bool) -> Callable[[View, int, tuple[int, int, int]], Eyes]:
    """Return what makes the TeamEyes of so many agents as it would make Eyes."""
    return partial(TeamEyes, num_agents, differ)


@cache
def _looker() -> Callable[..., Any]:
    worlds, memory = np.zeros(1, np.int64), Memory(np.zeros((1, 1, 2), np.uint8), np.zeros((1, 1), np.int32))
    return look_around.bind(**TEAM_VERBS).lean().entry(new_state(1, (1, 1, 1)), worlds, WHOLE, True, memory)


# Where all is seen.


@kernel
def show(board, agents, num_cells, has_owners, seen):
    """Fill in what readers see.

    Args:
        board: uint8[N, P * H * W].
        agents: int32[N, A], cells.
        num_cells: H * W.
        has_owners: whether the planes of the board after the first are the agents'.
        seen: uint8[N, R, (P + A) * H * W], for the first R agents.
    """
    num_agents, size = agents.shape[1], board.shape[1]
    for world in range(board.shape[0]):
        for agent in range(seen.shape[1]):
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


def show_all(state: State, has_owners: bool, num_readers: int) -> np.ndarray:
    """Return what the first R agents would see if they saw all, uint8[N, R, P + A, H, W]."""
    num_cells, num_agents = state.height * state.width, state.agents.shape[1]
    seen = np.empty((len(state.book), num_readers, state.board.shape[1] + num_agents * num_cells), np.uint8)
    _shower()(state.board, state.agents, num_cells, has_owners, seen)
    return seen.reshape(*seen.shape[:2], -1, state.height, state.width)


@cache
def _shower() -> Callable[..., Any]:
    state = new_state(1, (1, 1, 1))
    return show.entry(state.board, state.agents, 1, True, np.zeros((1, 1, 1), np.uint8))
