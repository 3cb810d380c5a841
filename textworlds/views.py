"""Views: what an agent sees of a world, as another picture, so that whatever shows pictures shows views.

A window is as many rows and columns as `View.size`, the agent in its middle; else the picture is as large as the board. A
seen cell is shown with all that lies in it, in every plane. A cell that is not seen is UNKNOWN on plane 0 and empty on
the others. What lies beyond the board is solid. A wall between two cells shows on both if one of them is seen, but a solid
cell that is not seen closes nothing. The picture's edge is closed, as any picture's is, and tells nothing.

With `View.sight`, walls block the view: a cell is seen if the straight line between its middle and the agent's crosses no
wall, and a solid cell if it touches a cell that is seen. So of two cells that are not solid, each sees the other or
neither does. Items and agents block nothing.

With `View.fog`, the picture is as large as the board and remembers: each cell is as it was when it was last seen. Two
things are known better: the agent itself is in one place, and so is an item that has a plane of its own.
"""

from typing import NamedTuple

import numpy as np

from textworlds.checks import check_type
from textworlds.grid import (
    AGENT,
    CHANGED,
    DOWN,
    ITEM,
    LEFT,
    RIGHT,
    SOLID,
    UNKNOWN,
    UP,
    WALLS,
    is_solid,
)
from textworlds.kernel import Kernel, kernel
from textworlds.sight import is_in_sight

TILE = 255 - WALLS  # all but the wall bits
NOWHERE = -1
LARGEST = 1023


class View(NamedTuple):
    """What an agent sees; see above.

    Attributes:
        size: rows and columns of the window, an odd number; 0 for the whole board.
        sight: walls block the view.
        fog: what was seen is remembered.
    """

    size: int = 0
    sight: bool = False
    fog: bool = False

    @property
    def is_partial(self) -> bool:
        """Whether it can show less than the board does."""
        return self.size > 0 or self.sight

    def shape_of(self, shape: tuple[int, int, int]) -> tuple[int, int, int]:
        """Return the shape (P, h, w) in which pictures of a shape (P, H, W) are seen."""
        return (shape[0], self.size, self.size) if self.size and not self.fog else shape


WHOLE = View()


def make_view(view: int | None, sight: bool, fog: bool) -> View:
    """Return the View of the settings of these names; ValueError if they make no sense."""
    check_type(bool, sight=sight, fog=fog)
    if view is None:
        if fog and not sight:
            raise ValueError("fog remembers what was out of view later: give view, sight or both with it")
        return View(0, sight, fog)
    is_whole = isinstance(view, int | np.integer) and not isinstance(view, bool)
    if not is_whole or not 1 <= view <= LARGEST or view % 2 == 0:
        raise ValueError(
            f"view is an odd number of rows and columns from 1 to {LARGEST}, with the agent in the middle, or None; "
            f"got {view!r:.80}"
        )
    return View(int(view), sight, fog)


class Memory(NamedTuple):
    """What one agent sees, or saw, in each of N worlds."""

    pictures: np.ndarray  # uint8[N, P * h * w]
    stood: np.ndarray  # int32[N], the cell from which it looked last, or NOWHERE


class Frame(NamedTuple):
    """What a picture shows: a row of `pictures` for each world, and the part of the board."""

    pictures: np.ndarray
    top: int
    left: int
    height: int
    width: int


class WatchedState(NamedTuple):
    """N worlds as grid.State, and what agent 0 has seen of them."""

    board: np.ndarray
    agents: np.ndarray
    book: np.ndarray
    height: int
    width: int
    vision: View
    memory: Memory


def new_memory(view: View, num_worlds: int, shape: tuple[int, int, int]) -> Memory:
    """Return the memory of an agent that has yet to look, for N worlds of pictures of `shape` (P, H, W)."""
    planes, height, width = view.shape_of(shape)
    return Memory(np.zeros((num_worlds, planes * height * width), np.uint8), np.full(num_worlds, NOWHERE, np.int32))


@kernel
def flags_at(state, world, row, column):
    """Return the board's byte at a cell; solid beyond the board."""
    if 0 <= row < state.height and 0 <= column < state.width:
        return np.int64(state.board[world, row * state.width + column])
    return SOLID | WALLS


@kernel
def thing_at(state, world, plane, cell):
    """Return what lies in a cell on a plane of a world's picture; multi.sights puts its own in place."""
    return state.board[world, plane * state.height * state.width + cell]


@kernel
def is_framed(frame, row, column):
    return 0 <= row - frame.top < frame.height and 0 <= column - frame.left < frame.width


@kernel
def place_in(frame, row, column):
    """Return where on plane 0 of a picture a cell is shown."""
    return (row - frame.top) * frame.width + column - frame.left


@kernel
def cover(frame, world):
    """Make a world's picture one of which nothing is known."""
    for index in range(frame.pictures.shape[1]):
        frame.pictures[world, index] = UNKNOWN if index < frame.height * frame.width else 0
    close_edge(frame, world)


@kernel
def close_edge(frame, world):
    """Close the edge of a world's picture."""
    for column in range(frame.width):
        frame.pictures[world, column] |= 1 << UP
        frame.pictures[world, (frame.height - 1) * frame.width + column] |= 1 << DOWN
    for row in range(frame.height):
        frame.pictures[world, row * frame.width] |= 1 << LEFT
        frame.pictures[world, row * frame.width + frame.width - 1] |= 1 << RIGHT


@kernel
def crop(state, world, frame):
    """Show a window all of which is seen."""
    index = 0
    for plane in range(frame.pictures.shape[1] // (frame.height * frame.width)):
        for row in range(frame.top, frame.top + frame.height):
            for column in range(frame.left, frame.left + frame.width):
                if 0 <= row < state.height and 0 <= column < state.width:
                    frame.pictures[world, index] = thing_at(state, world, plane, row * state.width + column)
                else:
                    frame.pictures[world, index] = 0 if plane else SOLID | WALLS
                index += 1
    close_edge(frame, world)


@kernel
def reveal(state, world, row, column, frame):
    """Show one cell with all that lies in it."""
    place, flags = place_in(frame, row, column), flags_at(state, world, row, column)
    shown = flags & TILE
    for direction in range(4):
        next_row = row + (2 * direction - 1 if direction < LEFT else 0)
        next_column = column + (2 * direction - 5 if direction >= LEFT else 0)
        closed = 1
        if is_framed(frame, next_row, next_column):
            beside = place_in(frame, next_row, next_column)
            known = frame.pictures[world, beside]
            closed = flags >> direction & 1
            if not is_solid(flags) and known & UNKNOWN == UNKNOWN:
                closed &= not is_solid(flags_at(state, world, next_row, next_column))
            way_back = direction ^ 1
            frame.pictures[world, beside] = known & (255 - (1 << way_back)) | closed << way_back
        shown |= closed << direction
    frame.pictures[world, place] = shown
    if frame.pictures.shape[1] > frame.height * frame.width:
        reveal_own(state, world, row, column, frame)


@kernel
def reveal_own(state, world, row, column, frame):
    """Show what lies in a cell on the planes after the first."""
    shown, place = frame.height * frame.width, place_in(frame, row, column)
    is_inside = 0 <= row < state.height and 0 <= column < state.width
    for plane in range(1, frame.pictures.shape[1] // shown):
        own = thing_at(state, world, plane, row * state.width + column) if is_inside else np.uint8(0)
        wipe_out(state, world, plane, place, own, frame)
        frame.pictures[world, plane * shown + place] = own


@kernel
def wipe_out(state, world, plane, place, own, frame):
    """Wipe out an item where else it was shown: it is in one place; multi.sights puts its own in place."""
    if own & ITEM:
        shown = frame.height * frame.width
        for index in range(plane * shown, (plane + 1) * shown):
            frame.pictures[world, index] &= 255 - (ITEM | AGENT)


@kernel
def forget_self(frame, world, stood):
    """Wipe out an agent where it stood when it looked last, and the item that it carried."""
    frame.pictures[world, stood] &= 255 - AGENT
    shown = frame.height * frame.width
    for index in range(shown + stood, frame.pictures.shape[1], shown):
        if frame.pictures[world, index] & AGENT:
            frame.pictures[world, index] &= 255 - (ITEM | AGENT)


@kernel
def range_of(state, cell, reach, frame):
    """Return the first and last rows, and columns, that are framed and up to `reach` away from a cell."""
    row, column = cell // state.width, cell % state.width
    bottom, right = frame.top + frame.height - 1, frame.left + frame.width - 1
    rows = max(row - reach, frame.top), min(row + reach, bottom)
    return rows, (max(column - reach, frame.left), min(column + reach, right))


@kernel
def reveal_all(state, world, rows, columns, frame):
    """Show all cells of a range."""
    for row in range(rows[0], rows[1] + 1):
        for column in range(columns[0], columns[1] + 1):
            reveal(state, world, row, column, frame)


@kernel
def reveal_in_sight(state, world, cell, rows, columns, frame):
    """Show the cells of a range that are in sight of a cell, and the solid ones that touch them."""
    for row in range(rows[0], rows[1] + 1):
        for column in range(columns[0], columns[1] + 1):
            if is_solid(flags_at(state, world, row, column)):
                continue
            if is_in_sight(state, world, cell, row * state.width + column):
                reveal(state, world, row, column, frame)
                for next_row in range(max(row - 1, rows[0]), min(row + 1, rows[1]) + 1):
                    for next_column in range(max(column - 1, columns[0]), min(column + 1, columns[1]) + 1):
                        if is_new_and_solid(state, world, next_row, next_column, frame):
                            reveal(state, world, next_row, next_column, frame)


@kernel
def is_new_and_solid(state, world, row, column, frame):
    """Return whether a cell is solid and not shown as such yet."""
    is_shown = is_solid(frame.pictures[world, place_in(frame, row, column)])
    return not is_shown and is_solid(flags_at(state, world, row, column))


@kernel
def look(state, world, agent, view, memory):
    """Fill in what an agent sees of a world from where it is.

    Args:
        state: grid.State, or anything with its fields.
        view: a View that is partial.
        memory: the Memory of this agent, with `new_memory`; what is in it matters only with fog, where it
            stood somewhere.
    """
    cell = np.int64(state.agents[world, agent])
    reach = max(state.height, state.width) if view.size == 0 else view.size // 2
    frame = Frame(memory.pictures, 0, 0, state.height, state.width)
    if view.size != 0 and not view.fog:
        top, left = cell // state.width - reach, cell % state.width - reach
        frame = Frame(memory.pictures, top, left, view.size, view.size)
    if not (view.fog or view.sight):
        crop(state, world, frame)
    else:
        if memory.stood[world] == NOWHERE or not view.fog:
            cover(frame, world)
        else:
            forget_self(frame, world, memory.stood[world])
        rows, columns = range_of(state, cell, reach, frame)
        if view.sight:
            reveal_in_sight(state, world, cell, rows, columns, frame)
        else:
            reveal_all(state, world, rows, columns, frame)
    memory.stood[world] = cell


@kernel
def look_at(state, worlds, agent, view, memory):
    """Have an agent look at each of the worlds listed, int64[K]."""
    for world in worlds:
        look(state, world, agent, view, memory)


@kernel
def look_from(state, first, last, agent, view, memory):
    """Have an agent look at each world from `first` to before `last`."""
    for world in range(first, last):
        look(state, world, agent, view, memory)


# Looking after every action of a turn.

unwatched_step: Kernel  # a puzzle's own, put in place by Kernel.bind


@kernel
def step_and_look(state, world, agent, action):
    """Play one action as `step` does, and look; `state` is a WatchedState."""
    reason = unwatched_step(state, world, agent, action)
    if reason == CHANGED:
        look(state, world, agent, state.vision, state.memory)
    return reason
