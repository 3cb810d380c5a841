"""The fewest pushes, by breadth-first search over positions.

Boxes are never pushed onto dead cells: those from which no goal could be reached by a box alone on the board, found by
pulling a box from every goal.
"""

from typing import NamedTuple

import numpy as np

from textworlds.grid import GOAL, ITEM, UP, copy_cells, neighbour
from textworlds.kernel import Kernel, kernel
from textworlds.puzzles.puzzle import GAVE_UP, NO_SOLUTION
from textworlds.puzzles.search import downhill, measure
from textworlds.puzzles.sokoban.positions import (
    FULL,
    KNOWN,
    Positions,
    flood,
    insert_first,
    insert_moved,
    is_reached,
    new_positions,
    put_boxes,
)
from textworlds.puzzles.sokoban.rules import goals_left

CAPACITY = 400_000


class Workspace(NamedTuple):
    """Arrays that solving a level needs."""

    positions: Positions
    saved: np.ndarray  # uint8[P * H * W], the board to put back
    alive: np.ndarray  # bool[P * H * W], cells from which a box alone could reach a goal
    distance: np.ndarray  # int32[P * H * W], of a walk
    chain: np.ndarray  # int32[M], positions from the last to the first


@kernel
def solve(state, world, plan, limits, grades):
    """Write a plan of the fewest pushes; return its length, NO_SOLUTION, or GAVE_UP after CAPACITY positions."""
    size = state.board.shape[1]
    num_boxes = 0
    for cell in range(size):
        num_boxes += state.board[world, cell] & ITEM != 0
    if goals_left(state, world) == 0:
        return 0
    positions = new_positions(CAPACITY, num_boxes, size)
    saved, alive = np.empty(size, np.uint8), np.zeros(size, np.bool_)
    distance, chain = np.empty(size, np.int32), np.empty(CAPACITY, np.int32)
    return solve_in(state, world, plan, Workspace(positions, saved, alive, distance, chain))


@Kernel.lean
@kernel
def solve_in(state, world, plan, work):
    """Solve in arrays that are there already."""
    copy_cells(state.board[world], work.saved)
    player = np.int64(state.agents[world, 0])
    find_alive(state, world, work.alive, work.positions.queue)
    insert_first(work.positions, state, world, player)
    last = search(work.positions, state, world, work.alive)
    length = last if last < 0 else write_plan(work, state, world, last, player, plan)
    copy_cells(work.saved, state.board[world])
    return length


@kernel
def find_alive(state, world, alive, queue):
    """Mark the cells from which a box alone on the board could be pushed to a goal."""
    cells = state.height * state.width
    tail = 0
    for index in range(cells):
        if state.board[world, index] & GOAL:
            alive[index] = True
            queue[tail] = index
            tail += 1
    head = 0
    while head < tail:
        cell = np.int64(queue[head])
        head += 1
        for direction in range(UP, UP + 4):
            if state.board[world, cell] >> direction & 1:
                continue
            to = neighbour(state, cell, direction)
            if not alive[to] and not state.board[world, to] >> direction & 1:
                alive[to] = True
                queue[tail] = to
                tail += 1


@kernel
def search(positions, state, world, alive):
    """Push from one position after another; return the index of a solved one, NO_SOLUTION or GAVE_UP."""
    position = 0
    while position < positions.size[0]:
        put_boxes(positions, position, state, world)
        for push in range(find_pushes(positions, state, world, alive, position)):
            move = np.int64(positions.found[push])
            cell, direction = move >> 2, move & 3
            to = neighbour(state, cell, direction)
            found = insert_moved(positions, state, world, position, cell, to, cell, direction)
            if found == FULL:
                return GAVE_UP
            if found != KNOWN and is_solved(positions, state, world, found):
                return found
        position += 1
    return NO_SOLUTION


@kernel
def find_pushes(positions, state, world, alive, position):
    """Write the pushes that can be made in a position into positions.found; return how many."""
    flood(positions, state, world, np.int64(positions.player[position]))
    count = 0
    for box in positions.boxes[position]:
        cell = np.int64(box)
        for direction in range(UP, UP + 4):
            opposite = direction ^ 1
            flags = state.board[world, cell]
            if flags >> direction & 1 or flags >> opposite & 1:
                continue
            to = neighbour(state, cell, direction)
            if (
                alive[to]
                and not state.board[world, to] & ITEM
                and is_reached(positions, neighbour(state, cell, opposite))
            ):
                positions.found[count] = cell * 4 + direction
                count += 1
    return count


@kernel
def is_solved(positions, state, world, position):
    for cell in positions.boxes[position]:
        if not state.board[world, cell] & GOAL:
            return False
    return True


@kernel
def write_plan(work, state, world, last, player, plan):
    """Write the walks and pushes that lead to a position; return their number, or GAVE_UP if there is no room."""
    positions, chain, links = work.positions, work.chain, 0
    while last >= 0:
        chain[links] = last
        links += 1
        last = np.int64(positions.parent[last])
    length = 0
    for link in range(links - 2, -1, -1):
        put_boxes(positions, chain[link + 1], state, world)
        move = np.int64(positions.move[chain[link]])
        cell, direction = move >> 2, move & 3
        length = walk(work, state, world, player, neighbour(state, cell, direction ^ 1), plan, length)
        if length < 0 or length == plan.size:
            return GAVE_UP
        plan[length] = direction
        length += 1
        player = cell
    return length


@kernel
def walk(work, state, world, start, end, plan, length):
    """Append a shortest walk around the boxes to a plan; return the new length, or GAVE_UP if there is no room."""
    distance, queue = work.distance, work.positions.queue
    queue[0] = end
    measure(state, world, ITEM, end, queue, 1, distance)
    if length + distance[start] > plan.size:
        return GAVE_UP
    cell = start
    while cell != end:
        plan[length] = downhill(state, world, distance, cell)
        cell = neighbour(state, cell, plan[length])
        length += 1
    return length
