"""The shortest way, by breadth-first search back from the exits."""

import numpy as np

from textworlds.grid import AGENT, GOAL, neighbour
from textworlds.kernel import kernel
from textworlds.puzzles.maze.rules import goals_left
from textworlds.puzzles.puzzle import GAVE_UP, NO_SOLUTION
from textworlds.puzzles.search import downhill, measure


@kernel
def solve(state, world, plan, limits, grades):
    """Write a shortest way for the first agent, the others standing still; GAVE_UP only if it does not fit."""
    if goals_left(state, world) == 0:
        return 0
    cells = state.height * state.width
    queue, distance = np.empty(cells, np.int32), np.empty(cells, np.int32)
    num_exits = 0
    for exit in range(cells):
        if state.board[world, exit] & GOAL:
            queue[num_exits] = exit
            num_exits += 1
    cell = np.int64(state.agents[world, 0])
    measure(state, world, AGENT, cell, queue, num_exits, distance)
    length = np.int64(distance[cell])
    if length < 0:
        return NO_SOLUTION
    if length > plan.size:
        return GAVE_UP
    for action in range(length):
        plan[action] = downhill(state, world, distance, cell)
        cell = neighbour(state, cell, plan[action])
    return length
