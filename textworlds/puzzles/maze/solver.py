"""The shortest way, by breadth-first search back from the exits."""

import numpy as np

from textworlds.grid import AGENT, GOAL, UP, neighbour
from textworlds.kernel import kernel
from textworlds.puzzles.maze.rules import goals_left
from textworlds.puzzles.puzzle import GAVE_UP, NO_SOLUTION


@kernel
def solve(state, world, plan):
    """Write a shortest way for the first agent, the others standing still; GAVE_UP only if it does not fit."""
    if goals_left(state, world) == 0:
        return 0
    cell = np.int64(state.agents[world, 0])
    distance = np.full(state.height * state.width, -1, np.int32)
    measure(state, world, cell, distance)
    length = distance[cell]
    if length < 0:
        return NO_SOLUTION
    if length > plan.size:
        return GAVE_UP
    for action in range(length):
        for direction in range(UP, UP + 4):
            if not state.board[world, cell] >> direction & 1:
                to = neighbour(state, cell, direction)
                if distance[to] == distance[cell] - 1:
                    break
        plan[action] = direction
        cell = to
    return length


@kernel
def measure(state, world, start, distance):
    """Write the steps to the nearest exit, at least for all cells that are nearer than `start`; -1: not reached."""
    queue = np.empty(distance.size, np.int64)
    tail = 0
    for cell in range(distance.size):
        if state.board[world, cell] & GOAL:
            distance[cell] = 0
            queue[tail] = cell
            tail += 1
    head = 0
    while head < tail and distance[start] < 0:
        cell = queue[head]
        head += 1
        for direction in range(UP, UP + 4):
            if not state.board[world, cell] >> direction & 1:
                to = neighbour(state, cell, direction)
                if distance[to] < 0 and (not state.board[world, to] & AGENT or to == start):
                    distance[to] = distance[cell] + 1
                    queue[tail] = to
                    tail += 1
