"""Sight: whether one cell can be seen from another past the walls."""

from textworlds.grid import DOWN, LEFT, RIGHT, UP, neighbour
from textworlds.kernel import kernel


@kernel
def is_open(state, world, cell, direction):
    """Return whether no wall closes the way out of a cell."""
    return state.board[world, cell] >> direction & 1 == 0


@kernel
def is_open_around(state, world, cell, first, then):
    """Return whether a step in each of two directions, in this order, crosses no wall."""
    return is_open(state, world, cell, first) and is_open(state, world, neighbour(state, cell, first), then)


@kernel
def is_in_sight(state, world, cell, to):
    """Return whether the straight line between the middles of two cells crosses no wall.

    The cells on the line, one by one, as in Amanatides and Woo, "A fast voxel traversal algorithm for ray tracing"
    (Eurographics 1987), but in whole numbers: the line meets the next row after (2 * down + 1) / (2 * rows) of its length,
    columns likewise. Through a corner it passes if it does on one of the two ways around, which is ours, and makes the
    line back pass too.
    """
    rows, columns = to // state.width - cell // state.width, to % state.width - cell % state.width
    upright, flat = DOWN if rows > 0 else UP, RIGHT if columns > 0 else LEFT
    rows, columns = abs(rows), abs(columns)
    down, right = 0, 0
    while down < rows or right < columns:
        later = (2 * down + 1) * columns - (2 * right + 1) * rows  # below 0: a row comes next, above: a column
        if later == 0:
            if not (
                is_open_around(state, world, cell, upright, flat) or is_open_around(state, world, cell, flat, upright)
            ):
                return False
            cell = neighbour(state, neighbour(state, cell, upright), flat)
        else:
            direction = upright if later < 0 else flat
            if not is_open(state, world, cell, direction):
                return False
            cell = neighbour(state, cell, direction)
        down += later <= 0
        right += later >= 0
    return True
