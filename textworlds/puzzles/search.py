"""Shortest ways on the grid, for the solvers of all puzzles."""

import numpy as np

from textworlds.grid import UP, neighbour
from textworlds.kernel import kernel


@kernel
def measure(state, world, blocking, free, queue, tail, distance):
    """Fill in the steps from each cell to the nearest of some cells, by breadth-first search.

    Args:
        state, world: where; only plane 0 counts.
        blocking: flags of the cells that cannot be entered.
        free: a cell that can be entered whatever stands there.
        queue: integers[H * W], the cells to measure from in the first `tail` places; overwritten.
        tail: how many they are.
        distance: integers[H * W], filled in; -1 where there is no way.
    """
    distance[:] = -1
    for index in range(tail):
        distance[queue[index]] = 0
    head = 0
    while head < tail:
        cell = np.int64(queue[head])
        head += 1
        for direction in range(UP, UP + 4):
            if state.board[world, cell] >> direction & 1:
                continue
            to = neighbour(state, cell, direction)
            if distance[to] < 0 and (to == free or not state.board[world, to] & blocking):
                distance[to] = distance[cell] + 1
                queue[tail] = to
                tail += 1


@kernel
def downhill(state, world, distance, cell):
    """Return the direction from a cell to one that is a step nearer by what `measure` filled in, distance not 0."""
    for direction in range(UP, UP + 4):
        if not state.board[world, cell] >> direction & 1:
            if distance[neighbour(state, cell, direction)] == distance[cell] - 1:
                break
    return direction
