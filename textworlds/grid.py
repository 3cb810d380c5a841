"""The walled grid on which agents bring items to goals: data, directions, and the three ways to change it.

A picture is uint8[P, H, W]. Plane 0 is the board, one byte of tile flags a cell; a puzzle whose items differ from one
another (which passenger?) has one more plane for each such item. The picture is the whole state of a world: a level is
the picture an episode starts from, and the state of N worlds is N pictures, a contiguous row each.
"""

from typing import NamedTuple

import numpy as np

from textworlds.kernel import kernel

UP, DOWN, LEFT, RIGHT = range(4)

# Tile flags. Bit d of the lowest four: no way out of this cell in direction d, whatever closes it.
WALLS = 0b1111
SOLID, GOAL, ITEM, AGENT = 16, 32, 64, 128

# What became of an action. A puzzle's own reasons start at FIRST_OWN_REASON.
CHANGED, WALL_IN_WAY, AGENT_IN_WAY, SOLVED_ALREADY, OVER_LIMIT = range(5)
FIRST_OWN_REASON = 8

BOOK = np.dtype(
    [
        ("key", "u8"),  # a hash of the state, kept by the functions below
        ("before", "u8"),  # the key before the last action that changed the world
        ("seed", "u8"),  # what the level was made from
        ("episode", "i8"),  # how many levels were made from that seed before
        ("asked", "i8"),  # N: actions asked in this episode, played or not
        ("effective", "i8"),  # N_eff: actions that changed the world
        ("novel", "i8"),  # actions that led to a state not seen in this episode
        ("turns", "i4"),
        ("left", "i4"),  # goals left; 0 is solved
        ("fewest", "i4"),  # the fewest goals left so far in this episode
        ("done", "i4"),  # 1 once the episode has ended
    ],
    align=True,
)


class State(NamedTuple):
    """N worlds as kernels see them."""

    board: np.ndarray  # uint8[N, P * H * W], the pictures
    agents: np.ndarray  # int32[N, A], the cell (row * W + column) of each agent
    book: np.recarray  # BOOK[N], numbers kept with each world
    height: int
    width: int


def new_state(num_worlds: int, shape: tuple[int, int, int], num_agents: int = 1) -> State:
    """Return N empty worlds of pictures of `shape` (P, H, W)."""
    planes, height, width = shape
    board = np.zeros((num_worlds, planes * height * width), np.uint8)
    agents = np.zeros((num_worlds, num_agents), np.int32)
    return State(board, agents, np.zeros(num_worlds, BOOK).view(np.recarray), height, width)


def close_walls(board: np.ndarray) -> None:
    """Set in place the wall bits that solid cells, the grid's border and one-sided thin walls imply.

    Args:
        board: uint8[H, W] of tile flags.
    """
    solid = np.pad(board & SOLID > 0, 1, constant_values=True)
    inner = (slice(1, -1), slice(1, -1))
    sides = {UP: (-1, 0, DOWN), DOWN: (1, 0, UP), LEFT: (0, -1, RIGHT), RIGHT: (0, 1, LEFT)}
    given = np.pad(board & WALLS, 1)
    for direction, (rows, columns, opposite) in sides.items():
        closed = solid | (given >> opposite & 1 > 0)
        board |= np.roll(closed, (-rows, -columns), (0, 1))[inner].astype(np.uint8) << direction


@kernel
def neighbour(state, cell, direction):
    """Return the cell next to `cell`; only for a direction that no wall closes."""
    return cell + (-state.width, state.width, -1, 1)[direction]


@kernel
def mark(index, flags):
    """Return the uint64 that a thing of kind `flags` at board index `index` adds to its world's key.

    The mixer is the finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), for Zobrist's hashing (1970).
    """
    mixed = (np.uint64(index) << np.uint64(16) | np.uint64(flags)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ mixed >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    return mixed ^ mixed >> np.uint64(27)


@kernel
def toggle(state, world, index, flags):
    """Flip tile flags at one index of a world's board."""
    state.board[world, index] ^= flags
    state.book[world].key ^= mark(index, flags)


@kernel
def move_agent(state, world, agent, to):
    """Move an agent to a free cell."""
    cell = state.agents[world, agent]
    state.board[world, cell] ^= AGENT
    state.board[world, to] ^= AGENT
    state.agents[world, agent] = to
    state.book[world].key ^= mark(cell, AGENT + agent) ^ mark(to, AGENT + agent)


@kernel
def move_item(state, world, cell, to):
    """Move the item at `cell` to a free cell, and keep count of the goals left."""
    toggle(state, world, cell, ITEM)
    toggle(state, world, to, ITEM)
    was_left = (state.board[world, cell] & GOAL) == 0
    is_left = (state.board[world, to] & GOAL) == 0
    state.book[world].left += is_left - was_left


@kernel
def settle(state, world):
    """Fill in the agents' cells and the key of a world whose board was just written."""
    key = np.uint64(0)
    agent = 0
    cells = state.height * state.width
    for index in range(state.board.shape[1]):
        flags = state.board[world, index]
        if index < cells and flags & AGENT:
            state.agents[world, agent] = index
            key ^= mark(index, AGENT + agent)
            agent += 1
            flags &= ITEM
        for flag in (ITEM, AGENT):
            if flags & flag:
                key ^= mark(index, flag)
    state.book[world].key = key
