"""The fewest pushes, by breadth-first search over positions.

Boxes are never pushed onto dead cells: those from which no goal could be reached by a box alone on the board, found by
pulling a box from every goal.
"""

import numpy as np

from textworlds.grid import GOAL, ITEM, UP, copy_cells, neighbour
from textworlds.kernel import kernel
from textworlds.puzzles.puzzle import GAVE_UP, NO_SOLUTION
from textworlds.puzzles.sokoban.positions import (
    FULL,
    KNOWN,
    flood,
    insert_first,
    insert_moved,
    is_reached,
    new_positions,
    put_boxes,
)
from textworlds.puzzles.sokoban.rules import goals_left

CAPACITY = 400_000


@kernel
def solve(state, world, plan):
    """Write a plan of the fewest pushes; return its length, NO_SOLUTION, or GAVE_UP after CAPACITY positions."""
    if goals_left(state, world) == 0:
        return 0
    cells = state.height * state.width
    saved = state.board[world].copy()
    player = np.int64(state.agents[world, 0])
    num_boxes = 0
    for flags in saved[:cells]:
        num_boxes += flags & ITEM != 0
    positions = new_positions(CAPACITY, num_boxes, cells)
    alive = np.zeros(cells, np.bool_)
    find_alive(state, world, alive)
    insert_first(positions, state, world, player)
    last = search(positions, state, world, alive)
    length = last if last < 0 else write_plan(positions, state, world, last, player, plan)
    copy_cells(saved, state.board[world])
    return length


@kernel
def find_alive(state, world, alive):
    """Mark the cells from which a box alone on the board could be pushed to a goal."""
    cells = state.height * state.width
    queue = np.empty(cells, np.int64)
    tail = 0
    for cell in range(cells):
        if state.board[world, cell] & GOAL:
            alive[cell] = True
            queue[tail] = cell
            tail += 1
    head = 0
    while head < tail:
        cell = queue[head]
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
        for box in positions.boxes[position]:
            cell = np.int64(box)
            flood(positions, state, world, np.int64(positions.player[position]))
            for direction in range(UP, UP + 4):
                found = push(positions, state, world, alive, position, cell, direction)
                if found == FULL:
                    return GAVE_UP
                if found != KNOWN and is_solved(positions, state, world, found):
                    return found
        position += 1
    return NO_SOLUTION


@kernel
def push(positions, state, world, alive, position, cell, direction):
    """Keep the position after a push, if there is such a push; return as `insert` does."""
    opposite = direction ^ 1
    flags = state.board[world, cell]
    if flags >> direction & 1 or flags >> opposite & 1:
        return KNOWN
    to = neighbour(state, cell, direction)
    behind = neighbour(state, cell, opposite)
    if positions.reached[behind] != positions.floods[0] or state.board[world, to] & ITEM or not alive[to]:
        return KNOWN
    found = insert_moved(positions, state, world, position, cell, to, cell, direction)
    flood(positions, state, world, np.int64(positions.player[position]))
    return found


@kernel
def is_solved(positions, state, world, position):
    for cell in positions.boxes[position]:
        if not state.board[world, cell] & GOAL:
            return False
    return True


@kernel
def write_plan(positions, state, world, last, player, plan):
    """Write the walks and pushes that lead to a position; return their number, or GAVE_UP if there is no room."""
    chain = [last]
    while positions.parent[chain[-1]] >= 0:
        chain.append(positions.parent[chain[-1]])
    length = 0
    for link in range(len(chain) - 2, -1, -1):
        put_boxes(positions, chain[link + 1], state, world)
        move = np.int64(positions.move[chain[link]])
        cell, direction = move >> 2, move & 3
        length = walk(positions, state, world, player, neighbour(state, cell, direction ^ 1), plan, length)
        if length < 0 or length == plan.size:
            return GAVE_UP
        plan[length] = direction
        length += 1
        player = cell
    return length


@kernel
def walk(positions, state, world, start, end, plan, length):
    """Append a shortest walk to a plan; return the new length, or GAVE_UP if there is no room."""
    distance = np.full(state.height * state.width, -1, np.int32)
    queue = positions.queue
    queue[0], distance[end] = end, 0
    head, tail = 0, 1
    while distance[start] < 0 and head < tail:
        cell = queue[head]
        head += 1
        for direction in range(UP, UP + 4):
            if not state.board[world, cell] >> direction & 1:
                to = neighbour(state, cell, direction)
                if distance[to] < 0 and not state.board[world, to] & ITEM:
                    distance[to] = distance[cell] + 1
                    queue[tail] = to
                    tail += 1
    if length + distance[start] > plan.size:
        return GAVE_UP
    cell = start
    while cell != end:
        for direction in range(UP, UP + 4):
            if not state.board[world, cell] >> direction & 1:
                to = neighbour(state, cell, direction)
                if distance[to] >= 0 and distance[to] == distance[cell] - 1:
                    break
        plan[length] = direction
        length += 1
        cell = to
    return length
