"""Boxes that no push can bring to a goal any more, found by looking around them.

Two kinds, both certain, neither complete: a box off its goal on a line along a wall that it can never leave and that has
no goal; and boxes that hold each other, one of them off its goal, so that none can ever be pushed again ("freeze
deadlocks", Junghanns and Schaeffer, Artificial Intelligence 2001, section 4).

    #####      #####
    #-$-#      #$$-#      left: the line below the upper wall has no goal
    #.--#      #$$.#      right: four boxes, each of which the others hold
"""

from textworlds.grid import DOWN, GOAL, ITEM, LEFT, RIGHT, SOLID, UP, neighbour
from textworlds.kernel import kernel

# A box that is held is marked SOLID on the board while `holds_boxes` looks at it.
HELD = SOLID


@kernel
def is_lost(state, world):
    """Return whether a box is on a dead line, or boxes off their goals hold each other."""
    for cell in range(state.height * state.width):
        if state.board[world, cell] & (ITEM | GOAL) == ITEM and is_on_dead_line(state, world, cell):
            return True
    return holds_boxes(state, world)


@kernel
def is_lost_by_push(state, world, cell):
    """Return whether `is_lost` became true when a box was pushed to a cell."""
    if not state.board[world, cell] & GOAL and is_on_dead_line(state, world, cell):
        return True
    return is_touched(state, world, cell, ITEM) and holds_boxes(state, world)


@kernel
def is_on_dead_line(state, world, cell):
    """Return whether a cell lies on a line along a wall that ends at walls on both sides and has no goal."""
    for side in range(UP, UP + 4):
        if state.board[world, cell] >> side & 1:
            one, other = (LEFT, RIGHT) if side < LEFT else (UP, DOWN)
            if is_dead_end(state, world, cell, side, one) and is_dead_end(state, world, cell, side, other):
                return True
    return False


@kernel
def is_dead_end(state, world, cell, side, direction):
    """Return whether the line from a cell comes to its end in a direction with a wall on one side and no goal."""
    while True:
        flags = state.board[world, cell]
        if flags & GOAL or not flags >> side & 1:
            return False
        if flags >> direction & 1:
            return True
        cell = neighbour(state, cell, direction)


@kernel
def is_touched(state, world, cell, flags):
    """Return whether a cell has, both along its row and along its column, a wall or one of some flags beside it."""
    return is_touched_along(state, world, cell, UP, flags) and is_touched_along(state, world, cell, LEFT, flags)


@kernel
def is_touched_along(state, world, cell, direction, flags):
    """Return whether a cell has a wall or one of some flags beside it, in a direction or the opposite one."""
    for way in range(direction, direction + 2):
        if state.board[world, cell] >> way & 1 or state.board[world, neighbour(state, cell, way)] & flags:
            return True
    return False


@kernel
def holds_boxes(state, world):
    """Return whether boxes, not all of them on goals, hold each other for ever.

    All boxes count as held, until one is free to move along its row or its column; what is left then is held.
    """
    cells = state.height * state.width
    for cell in range(cells):
        if state.board[world, cell] & ITEM:
            state.board[world, cell] |= HELD
    any_freed = True
    while any_freed:
        any_freed = False
        for cell in range(cells):
            if state.board[world, cell] & (ITEM | HELD) == ITEM | HELD:
                if not is_touched(state, world, cell, HELD):
                    state.board[world, cell] ^= HELD
                    any_freed = True
    found = False
    for cell in range(cells):
        if state.board[world, cell] & (ITEM | HELD) == ITEM | HELD:
            state.board[world, cell] ^= HELD
            found |= not state.board[world, cell] & GOAL
    return found
