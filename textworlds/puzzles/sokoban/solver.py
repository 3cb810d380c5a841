"""The fewest pushes, or the fewest moves, proven: A* over pushes.

A position is the boxes and the player's cell after a push; the way to the next push is a walk, found by breadth-first
search, so that pushes and moves are both exact and the one can break ties of the other. The bound is that of bounds.py,
on pushes, each of which is also a move. Left out are pushes onto cells from which no goal can be reached, those that
leave no goal for some box, and those after which boxes hold each other (deadlocks.py).

A* is Hart, Nilsson and Raphael's, A Formal Basis for the Heuristic Determination of Minimum Cost Paths (1968).
"""

from typing import NamedTuple

import numpy as np

from textworlds.grid import AGENT, GOAL, ITEM, UP, copy_cells, mark, neighbour
from textworlds.kernel import Kernel, kernel
from textworlds.puzzles.puzzle import GAVE_UP, NO_SOLUTION
from textworlds.puzzles.sokoban.bounds import (
    FAR,
    assign_all,
    assign_moved,
    measure_pushes,
    new_assignment,
)
from textworlds.puzzles.sokoban.deadlocks import holds_boxes, is_touched
from textworlds.puzzles.sokoban.rules import goals_left
from textworlds.puzzles.sokoban.search import (
    COST,
    EXPANDED,
    KEY,
    LEFT,
    MOVE,
    MOVES_ON,
    PARENT,
    PLAYER,
    SIZE,
    WAITING,
    WORK,
    bytes_each,
    copy_found,
    find,
    key_of,
    new_found,
    pop_heap,
    push_heap,
)

PUSHES, MOVES = range(2)  # places in the puzzle's costs
FIRST_CAPACITY = 1 << 10
FULL = -3
UNIT = 1 << 16  # one of the objective; the other cost is counted below it
INDEX = (1 << 31) - 1
WORK_A_NODE = 2048  # elementary operations that are worth one position of the limits


class Ground(NamedTuple):
    """What stays as it is while a level is solved, and workspace."""

    pushes: np.ndarray  # int32[G + 1, cells], for a box alone from each cell to each goal, and last to the nearest goal
    walks: np.ndarray  # int32[3, cells + 1], see below
    assigned: np.ndarray  # an assignment, see bounds.py: of the position being expanded,
    scratch: np.ndarray  # and of one that is tried


# Rows of Ground.walks: steps from the player, which hold where SEEN has the number of the last walk; and workspace.
# Behind the last cell, SEEN has the number of walks so far.
STEPS, SEEN, QUEUE = range(3)


@Kernel.apart
@kernel
def solve(state, world, plan, limits, grades):
    """Write a plan of the fewest pushes or moves; return its length, NO_SOLUTION or GAVE_UP.

    Other players count as walls that stand still. A position counts for more than one of limits.nodes if the board or
    the number of boxes is large: for one in every WORK_A_NODE elementary operations.
    """
    if goals_left(state, world) == 0:
        grades[PUSHES] = grades[MOVES] = 0
        return 0
    cells = state.height * state.width
    num_boxes, num_goals = count(state, world, ITEM), count(state, world, GOAL)
    if num_boxes > num_goals:
        return NO_SOLUTION
    most = limits.bytes // bytes_each(num_boxes)
    ground = Ground(
        np.empty((num_goals + 1, cells), np.int32),
        np.zeros((3, cells + 1), np.int32),
        new_assignment(num_goals),
        new_assignment(num_goals),
    )
    saved = np.empty(cells, np.uint8)
    copy_cells(state.board[world], saved)
    found = new_found(FIRST_CAPACITY, num_boxes)
    last = begin(state, world, ground, found)
    while last == FULL:
        last = search(state, world, ground, found, limits)
        if last == FULL and 2 * found.facts.shape[0] > most:
            last = GAVE_UP
        if last == FULL:
            larger = new_found(2 * found.facts.shape[0], num_boxes)
            copy_found(found, larger)
            found = larger
    length = last
    if last >= 0:
        length = write_plan(state, world, ground, found, last, plan, grades)
    copy_cells(saved, state.board[world])
    grades[2] = found.counts[EXPANDED]
    grades[3] = found.counts[MOVES_ON] / max(found.counts[EXPANDED], 1)
    return length


@kernel
def count(state, world, flag):
    """Return how many cells have a flag."""
    total = 0
    for cell in range(state.height * state.width):
        total += state.board[world, cell] & flag != 0
    return total


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


@Kernel.apart
@Kernel.lean
@kernel
def begin(state, world, ground, found):
    """Put the first position into an empty collection; return FULL for "go on", or NO_SOLUTION."""
    survey(state, world, ground)
    start = np.int64(state.agents[world, 0])
    state.board[world, start] ^= AGENT
    box = 0
    for cell in range(ground.pushes.shape[1]):
        if state.board[world, cell] & ITEM:
            found.boxes[0, box] = cell
            box += 1
    left = assign_all(ground.assigned, ground.pushes, found.boxes[0])
    if left >= FAR or holds_boxes(state, world):
        return NO_SOLUTION
    first = find(found, key_of(found.boxes[0], start), start)
    found.facts[first, PARENT], found.facts[first, MOVE], found.facts[first, COST], found.facts[first, LEFT] = -1, -1, 0, left
    push_heap(found, np.int64(left * (UNIT + 1)) << 31 | INDEX)
    return FULL


@Kernel.apart
@Kernel.lean
@kernel
def search(state, world, ground, found, limits):
    """Expand one position after another; return the index of a solved one, NO_SOLUTION, GAVE_UP or FULL."""
    num_boxes = found.boxes.shape[1]
    set_boxes(state, world, found, 0, 0)
    shown = 0
    while found.counts[WAITING] > 0:
        if found.counts[SIZE] + 4 * num_boxes >= found.facts.shape[0] or (
            found.counts[WAITING] + 4 * num_boxes >= found.heap.size
        ):
            set_boxes(state, world, found, shown, -1)
            return FULL
        position = INDEX - (pop_heap(found) & INDEX)
        if found.facts[position, LEFT] < 0:
            continue
        if found.facts[position, LEFT] == 0:
            return position
        if found.counts[WORK] >= limits.nodes * WORK_A_NODE or found.facts[position, COST] >= UNIT * (UNIT - 1) // 2:
            return GAVE_UP
        set_boxes(state, world, found, shown, position)
        shown = position
        found.counts[EXPANDED] += 1
        expand(state, world, ground, found, position, limits.objective)
        found.facts[position, LEFT] = -1 - found.facts[position, LEFT]
    return NO_SOLUTION


@kernel
def set_boxes(state, world, found, before, position):
    """Take the boxes of one position off the board, and set those of another; -1 for none."""
    for box in range(found.boxes.shape[1]):
        state.board[world, found.boxes[before, box]] &= 255 ^ ITEM
    if position >= 0:
        for box in range(found.boxes.shape[1]):
            state.board[world, found.boxes[position, box]] |= ITEM


@kernel
def walk(state, world, ground, start):
    """Fill in ground.steps from a cell, breadth first around boxes and other players; return the cells reached."""
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
def expand(state, world, ground, found, position, objective):
    """Find all positions one push on from the one that is on the board."""
    boxes = found.boxes[position]
    reached = walk(state, world, ground, np.int64(found.facts[position, PLAYER]))
    assign_all(ground.assigned, ground.pushes, boxes)
    num_goals = ground.pushes.shape[0] - 1
    number, tried = ground.walks[SEEN, ground.pushes.shape[1]], 0
    for box in range(boxes.size):
        cell = np.int64(boxes[box])
        for direction in range(UP, UP + 4):
            if state.board[world, cell] >> direction & 1 or state.board[world, cell] >> (direction ^ 1) & 1:
                continue
            to, behind = neighbour(state, cell, direction), neighbour(state, cell, direction ^ 1)
            if ground.walks[SEEN, behind] != number or ground.pushes[num_goals, to] == FAR or state.board[world, to] & (ITEM | AGENT):
                continue
            tried += 1
            left = left_after(state, world, ground, boxes, box, cell, to)
            if left < FAR:
                found.counts[MOVES_ON] += 1
                moves = np.int64(ground.walks[STEPS, behind]) + 1
                cost = found.facts[position, COST] + (moves + UNIT if objective == PUSHES else moves * UNIT + 1)
                keep(found, position, cell, to, direction, cost, left)
    found.counts[WORK] += max(4 * reached + tried * num_goals * num_goals, WORK_A_NODE)


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
        found.facts[index, COST], found.facts[index, PARENT], found.facts[index, MOVE] = cost, parent, cell * 4 + direction
        found.facts[index, LEFT] = left
        push_heap(found, np.int64(cost + left * (UNIT + 1)) << 31 | (INDEX - index))


@kernel
def write_boxes(found, parent, cell, to):
    """Write into row `size` the boxes of a position, with the one at `cell` moved to `to`."""
    row = found.boxes[found.counts[SIZE]]
    count = 0
    for box in found.boxes[parent]:
        if box != cell:
            row[count] = box
            count += 1
    while count > 0 and row[count - 1] > to:
        row[count] = row[count - 1]
        count -= 1
    row[count] = to


@Kernel.apart
@Kernel.lean
@kernel
def write_plan(state, world, ground, found, last, plan, grades):
    """Write the walks and pushes that lead to a position; return their number, or GAVE_UP if there is no room."""
    chain, links = found.heap, 0  # nothing waits any more
    while last >= 0:
        chain[links] = last
        links += 1
        last = np.int64(found.facts[last, PARENT])
    pushes_back, irreversible = ground.pushes[0], 0
    state_shown, length = -1, 0
    for cell in range(ground.pushes.shape[1]):
        state.board[world, cell] &= 255 ^ ITEM
    for link in range(links - 1, 0, -1):
        position = chain[link]
        set_boxes(state, world, found, position if state_shown < 0 else state_shown, position)
        state_shown = position
        move = np.int64(found.facts[chain[link - 1], MOVE])
        cell, direction = move >> 2, move & 3
        walk(state, world, ground, np.int64(found.facts[position, PLAYER]))
        behind = neighbour(state, cell, direction ^ 1)
        steps = np.int64(ground.walks[STEPS, behind])
        if length + steps + 1 > plan.size:
            return GAVE_UP
        write_walk(state, world, ground, behind, plan, length)
        plan[length + steps] = direction
        length += steps + 1
        measure_pushes(state, world, cell, pushes_back, ground.walks[QUEUE])
        irreversible += pushes_back[neighbour(state, cell, direction)] == FAR
    grades[PUSHES], grades[MOVES] = links - 1, length
    grades[4] = irreversible / max(links - 1, 1)
    return length


@kernel
def write_walk(state, world, ground, end, plan, length):
    """Write, from its end, a shortest walk from where the last one of `walk` began to a cell."""
    number = ground.walks[SEEN, ground.pushes.shape[1]]
    while ground.walks[STEPS, end] > 0:
        for direction in range(UP, UP + 4):
            if state.board[world, end] >> direction & 1:
                continue
            before = neighbour(state, end, direction)
            if ground.walks[SEEN, before] == number and ground.walks[STEPS, before] == ground.walks[STEPS, end] - 1:
                break
        plan[length + ground.walks[STEPS, end] - 1] = direction ^ 1
        end = before
