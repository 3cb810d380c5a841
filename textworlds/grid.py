"""The walled grid on which agents bring items to goals: data, directions, and the three ways to change it.

A picture is uint8[P, H, W]. Plane 0 is the board, one byte of tile flags a cell; a puzzle whose items differ from one
another (which passenger?) has one more plane for each such item. The picture is the whole state of a world: a level is
the picture an episode starts from, and the state of N worlds is N pictures, a contiguous row each.
"""

from typing import NamedTuple

import numpy as np

from textworlds.kernel import compiles, kernel

UP, DOWN, LEFT, RIGHT = range(4)

# Tile flags. Bit d of the lowest four: no way out of this cell in direction d, whatever closes it.
WALLS = 0b1111
SOLID, GOAL, ITEM, AGENT = 16, 32, 64, 128
UNKNOWN = SOLID | AGENT  # no cell of a world is both: one that whoever looks does not see, nor remember; see views

# What became of an action that was asked. A puzzle's own reasons for changing nothing start at FIRST_OWN_REASON.
CHANGED, WALL_IN_WAY, AGENT_IN_WAY, SOLVED_ALREADY, OVER_LIMIT, SOLVED, NOT_ASKED = range(7)
FIRST_OWN_REASON = 8

NO_ACTION = -1  # pads shorter turns

BOOK = np.dtype(
    [
        ("key", "u8"),  # a hash of the state, kept by the functions below
        ("before", "u8"),  # the key before the last action that changed the world
        ("seed", "u8"),  # what the level was made from,
        ("episode", "i4"),  # and how many levels were made from that seed before
        ("num_asked", "i4"),  # N: actions asked in this episode, played or not
        ("num_changed", "i4"),  # N_eff: actions that changed the world
        ("num_novel", "i4"),  # actions that led to a state not seen in this episode
        ("num_turns", "i4"),
        ("turn_limit", "i4"),  # turns after which this episode is cut off
        ("left", "i4"),  # goals left; 0 is solved
        ("fewest", "i4"),  # the fewest goals left so far in this episode
        ("index", "i4"),  # of the level among those given; -1 if it was generated or placed
        ("lost", "?"),  # no way to solve it is left; False says nothing
        ("terminated", "?"),
        ("truncated", "?"),
        ("reward", "f8"),  # of the last turn
    ],
    align=True,
)


class State(NamedTuple):
    """N worlds as kernels see them."""

    board: np.ndarray  # uint8[N, P * H * W], the pictures
    agents: np.ndarray  # int32[N, A], the cell (row * W + column) of each agent
    book: np.ndarray  # BOOK[N], numbers kept with each world
    height: int
    width: int


def new_state(num_worlds: int, shape: tuple[int, int, int], num_agents: int = 1) -> State:
    """Return N empty worlds of pictures of `shape` (P, H, W)."""
    planes, height, width = shape
    board = np.zeros((num_worlds, planes * height * width), np.uint8)
    agents = np.zeros((num_worlds, num_agents), np.int32)
    book = np.zeros(num_worlds, BOOK)
    return State(board, agents, book if compiles() else book.view(np.recarray), height, width)


def new_records(shape: int | tuple[int, ...], dtype: np.dtype, book: np.ndarray) -> np.ndarray:
    """Return empty records that kernels can read as they can a book: with attributes if they are not compiled."""
    records = np.empty(shape, dtype)
    return records if type(book) is np.ndarray else records.view(type(book))


def copy_records(records: np.ndarray) -> np.ndarray:
    """Return a copy of records[N], padded to words; NumPy's own copies field by field, in twenty times the time."""
    return records.view("u8").copy().view(records.dtype, type(records))


def copy_state(state: State) -> State:
    return State(state.board.copy(), state.agents.copy(), copy_records(state.book), state.height, state.width)


@kernel
def is_solid(flags):
    """Return whether a cell with these tile flags is known to be solid."""
    return flags & UNKNOWN == SOLID


@kernel
def close_walls(board):
    """Set in place the wall bits that solid cells, the grid's border and one-sided thin walls imply.

    Args:
        board: uint8[H, W] of tile flags.
    """
    height, width = board.shape
    for column in range(width):
        board[0, column] |= 1 << UP
        board[height - 1, column] |= 1 << DOWN
    for row in range(height):
        board[row, 0] |= 1 << LEFT
        board[row, width - 1] |= 1 << RIGHT
        for column in range(width):
            here = board[row, column]
            if column + 1 < width:
                beside = board[row, column + 1]
                if is_solid(here) or is_solid(beside) or here >> RIGHT & 1 or beside >> LEFT & 1:
                    board[row, column] |= 1 << RIGHT
                    board[row, column + 1] |= 1 << LEFT
            if row + 1 < height:
                below = board[row + 1, column]
                if is_solid(here) or is_solid(below) or here >> DOWN & 1 or below >> UP & 1:
                    board[row, column] |= 1 << DOWN
                    board[row + 1, column] |= 1 << UP


@kernel
def copy_cells(source, target):
    """Copy one row of bytes to another; assigning slices does the same but takes two seconds more to compile."""
    for index in range(source.size):
        target[index] = source[index]


@kernel
def neighbour(state, cell, direction):
    """Return the cell next to `cell`; only for a direction that no wall closes."""
    # Arithmetic, because indexing a tuple of offsets with a variable makes a step five times as slow.
    return cell + (2 * (direction & 1) - 1) * (state.width if direction < LEFT else 1)


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
    if not state.board[world, cell] & GOAL:
        state.book[world].left -= 1
    if not state.board[world, to] & GOAL:
        state.book[world].left += 1


@kernel
def settle(state, world):
    """Fill in the agents' cells and the key of a world whose board was just written."""
    key = np.uint64(0)
    agent = 0
    cells = state.height * state.width
    for index in range(state.board.shape[1]):
        flags = state.board[world, index]
        if index < cells and flags & AGENT and agent < state.agents.shape[1]:
            state.agents[world, agent] = index
            key ^= mark(index, AGENT + agent)
            agent += 1
            flags &= ITEM
        for flag in (ITEM, AGENT):
            if flags & flag:
                key ^= mark(index, flag)
    state.book[world].key = key
