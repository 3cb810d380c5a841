"""One step of the search: from a position on the board, all that one push makes of it."""

from typing import NamedTuple

import numpy as np

from textworlds.grid import AGENT, GOAL, ITEM, UP, mark, neighbour
from textworlds.kernel import Kernel, kernel
from textworlds.puzzles.puzzle import GAVE_UP, NO_SOLUTION
from textworlds.puzzles.sokoban.bounds import FAR, assign_all, assign_moved, measure_pushes
from textworlds.puzzles.sokoban.deadlocks import holds_boxes, is_touched
from textworlds.puzzles.sokoban.search import (
    BOXES,
    COST,
    EXPANDED,
    KEY,
    LEFT,
    MOVE,
    MOVES_ON,
    PARENT,
    PLAYER,
    SHOWN,
    SIZE,
    WAITING,
    WORK,
    find,
    key_of,
    pop_heap,
    push_heap,
)

PUSHES, MOVES = range(2)  # places in the puzzle's costs
FULL = -3
UNIT = 1 << 16  # one of the objective; the other cost is counted below it
MOST_COST = UNIT // 2  # of the objective, what is left included, and UNIT of the other: beyond, a search gives up
INDEX = (1 << 31) - 1
TOO_MUCH = 1 << 61  # work
WORK_A_NODE = 2048  # elementary operations that are worth one position of the limits


class Ground(NamedTuple):
    """What stays as it is while a level is solved, and workspace."""

    pushes: np.ndarray  # int32[G + 1, cells], for a box alone from each cell to each goal, and last to the nearest goal
    walks: np.ndarray  # int32[4, cells + 1], see below
    assigned: np.ndarray  # an assignment, see bounds.py: of the position being expanded,
    scratch: np.ndarray  # and of one that is tried


# Rows of Ground.walks: steps from the player, which hold where SEEN has the number of the last walk; the cells and boxes
# of a corral, which have its number; workspace. Behind the last cell, SEEN and CORRAL have how many there were so far.
STEPS, SEEN, CORRAL, QUEUE = range(4)


@kernel
def survey(state, world, ground):
    """Measure the pushes to all goals."""
    num_goals, cells = ground.pushes.shape[0] - 1, ground.pushes.shape[1]
    for cell in range(cells):
        ground.pushes[num_goals, cell] = FAR
    goal = 0
    for cell in range(cells):
        if state.board[world, cell] & GOAL:
            measure_pushes(state, world, cell, ground.pushes[goal], ground.walks[QUEUE])
            for other in range(cells):
                ground.pushes[num_goals, other] = min(ground.pushes[num_goals, other], ground.pushes[goal, other])
            goal += 1


@kernel
def begin(state, world, ground, found, player):
    """Put the position on the board into an empty collection; return FULL for "go on", NO_SOLUTION or GAVE_UP."""
    found.counts[BOXES] = 0
    for cell in range(ground.pushes.shape[1]):
        if state.board[world, cell] & ITEM:
            found.boxes[0, found.counts[BOXES]] = cell
            found.counts[BOXES] += 1
    boxes = found.boxes[0, : found.counts[BOXES]]
    left = assign_all(ground.assigned, ground.pushes, boxes)
    if left >= FAR or holds_boxes(state, world):
        return NO_SOLUTION
    if left >= MOST_COST:
        return GAVE_UP
    found.facts[find(found, key_of(boxes, player), player), LEFT] = left
    found.facts[0, PARENT] = found.facts[0, MOVE] = -1
    found.facts[0, COST] = found.counts[SHOWN] = 0
    push_heap(found, np.int64(left * (UNIT + 1)) << 31 | INDEX)
    return FULL


@kernel
def next_position(state, world, found, most_work):
    """Put the position to expand next on the board; return its index, NO_SOLUTION, GAVE_UP or FULL.

    It is solved if no pushes are left.
    """
    room = 4 * found.counts[BOXES]
    while found.counts[WAITING] > 0:
        if found.counts[SIZE] + room >= found.facts.shape[0] or found.counts[WAITING] + room >= found.heap.size:
            return FULL
        position = INDEX - (pop_heap(found) & INDEX)
        if found.facts[position, LEFT] >= 0:
            if found.counts[WORK] >= most_work:
                return GAVE_UP
            show(state, world, found, position)
            return position
    return NO_SOLUTION


@kernel
def show(state, world, found, position):
    """Put the boxes of a position on the board, in place of those of the one shown before."""
    hide(state, world, found)
    for box in range(found.counts[BOXES]):
        state.board[world, found.boxes[position, box]] |= ITEM
    found.counts[SHOWN] = position


@kernel
def hide(state, world, found):
    """Take the boxes of the position that is shown off the board."""
    for box in range(found.counts[BOXES]):
        state.board[world, found.boxes[found.counts[SHOWN], box]] &= 255 ^ ITEM


@kernel
def walk(state, world, ground, start):
    """Fill in the steps from a cell, breadth first around boxes and other players; return the cells reached."""
    queue, seen, steps = ground.walks[QUEUE], ground.walks[SEEN], ground.walks[STEPS]
    seen[seen.size - 1] += 1
    number = seen[seen.size - 1]
    queue[0], seen[start], steps[start] = start, number, 0
    head, tail = 0, 1
    while head < tail:
        cell = np.int64(queue[head])
        head += 1
        for direction in range(UP, UP + 4):
            if state.board[world, cell] >> direction & 1:
                continue
            to = neighbour(state, cell, direction)
            if seen[to] != number and not state.board[world, to] & (ITEM | AGENT):
                seen[to] = number
                steps[to] = steps[cell] + 1
                queue[tail] = to
                tail += 1
    return tail


@Kernel.apart
@kernel
def expand(state, world, ground, found, position, reached, objective):
    """Find all positions one push on from the one on the board, after a walk that reached so many cells."""
    boxes = found.boxes[position, : found.counts[BOXES]]
    found.counts[EXPANDED] += 1
    found.facts[position, LEFT] = -1 - found.facts[position, LEFT]
    assign_all(ground.assigned, ground.pushes, boxes)
    num_goals = ground.pushes.shape[0] - 1
    number, tried = ground.walks[SEEN, ground.pushes.shape[1]], 0
    for box in range(boxes.size):
        cell = np.int64(boxes[box])
        for direction in range(UP, UP + 4):
            if state.board[world, cell] >> direction & 1 or state.board[world, cell] >> (direction ^ 1) & 1:
                continue
            to, behind = neighbour(state, cell, direction), neighbour(state, cell, direction ^ 1)
            if ground.walks[SEEN, behind] != number or ground.pushes[num_goals, to] == FAR:
                continue
            if state.board[world, to] & (ITEM | AGENT):
                continue
            tried += 1
            left = left_after(state, world, ground, boxes, box, cell, to)
            if left < FAR:
                found.counts[MOVES_ON] += 1
                moves = np.int64(ground.walks[STEPS, behind]) + 1
                first, second = (1, moves) if objective == PUSHES else (moves, 1)
                cost = found.facts[position, COST] + first * UNIT + second
                if cost // UNIT + left >= MOST_COST or found.facts[position, COST] % UNIT + second + left >= UNIT:
                    found.counts[WORK] = TOO_MUCH
                else:
                    keep(found, position, cell, to, direction, cost, left)
    held = tried * max(2 * ground.pushes.shape[1] - WORK_A_NODE // 2, 0)  # looking for boxes that hold each other
    found.counts[WORK] += max(4 * reached + tried * num_goals * num_goals + held, WORK_A_NODE)


@kernel
def left_after(state, world, ground, boxes, box, cell, to):
    """Return the pushes left at least after a push; FAR or more if that loses the level."""
    boxes[box] = to
    left = assign_moved(ground.assigned, ground.pushes, boxes, box + 1, ground.scratch)
    boxes[box] = cell
    if left >= FAR:
        return left
    state.board[world, cell] ^= ITEM
    state.board[world, to] ^= ITEM
    if is_touched(state, world, to, ITEM) and holds_boxes(state, world):
        left = np.int64(FAR)
    state.board[world, cell] ^= ITEM
    state.board[world, to] ^= ITEM
    return left


@kernel
def keep(found, parent, cell, to, direction, cost, left):
    """Keep the position after a push if this is the best way to it that is known."""
    size = found.counts[SIZE]
    write_boxes(found, parent, cell, to)
    player = found.facts[parent, PLAYER]
    change = mark(player, AGENT) ^ mark(cell, AGENT) ^ mark(cell, ITEM) ^ mark(to, ITEM)
    key = found.facts[parent, KEY] ^ np.int64(change)
    index = find(found, key, cell)
    if index == size or cost < found.facts[index, COST]:
        found.facts[index, COST], found.facts[index, PARENT], found.facts[index, MOVE] = (
            cost,
            parent,
            cell * 4 + direction,
        )
        found.facts[index, LEFT] = left
        push_heap(found, np.int64(cost + left * (UNIT + 1)) << 31 | (INDEX - index))


@kernel
def write_boxes(found, parent, cell, to):
    """Write into row `size` the boxes of a position, with the one at `cell` moved to `to`."""
    row = found.boxes[found.counts[SIZE]]
    count = 0
    for box in found.boxes[parent, : found.counts[BOXES]]:
        if box != cell:
            row[count] = box
            count += 1
    while count > 0 and row[count - 1] > to:
        row[count] = row[count - 1]
        count -= 1
    row[count] = to
