"""The shortest way, by breadth-first search from where the first agent stands."""

import numpy as np

from textworlds.grid import AGENT, GOAL, UP, neighbour
from textworlds.kernel import kernel
from textworlds.puzzles.maze.rules import goals_left
from textworlds.puzzles.puzzle import GAVE_UP, NO_SOLUTION

MOVES, NODES, BRANCHING, IRREVERSIBLE = range(4)  # places of the grades
UNSEEN, START = -1, 4  # in place of the direction by which the search came to a cell


@kernel
def solve(state, world, plan, limits, grades):
    """Write a shortest way for the first agent, the others standing still.

    Gives up where it takes all players, after limits.nodes cells, and if the way does not fit into the plan. What it keeps is a
    few numbers a cell, whatever limits.bytes says.
    """
    grades[NODES] = 0
    grades[IRREVERSIBLE] = 0
    if state.agents.shape[1] > 1 and not has_common_exit(state, world):
        return GAVE_UP
    if goals_left(state, world) == 0:
        grades[MOVES] = 0
        return 0
    came_by = np.full(state.height * state.width, UNSEEN, np.int8)
    exit, grades[NODES] = search(state, world, limits.nodes, came_by)
    if exit < 0:
        return exit
    length, ways = look_back(state, world, exit, came_by)
    if length > plan.size:
        return GAVE_UP
    grades[MOVES] = length
    grades[BRANCHING] = ways / length
    write_plan(state, exit, came_by, plan, length)
    return length


@kernel
def has_common_exit(state, world):
    """Return whether there is an exit, and exits are everybody's."""
    for cell in range(state.height * state.width):
        if state.board[world, cell] & GOAL:
            return state.board.shape[1] == state.height * state.width
    return False


@kernel
def search(state, world, most, came_by):
    """Return the nearest exit, NO_SOLUTION or GAVE_UP, and how many cells were searched from: at most `most`.

    Args:
        came_by: int8[H * W], all UNSEEN; filled in with the direction of the step to each cell seen.
    """
    board = state.board[world]
    queue = np.empty(came_by.size, np.int32)
    queue[0] = state.agents[world, 0]
    came_by[queue[0]] = START
    nodes, tail = 0, 1
    while nodes < tail:
        if nodes == most:
            return GAVE_UP, nodes
        cell = np.int64(queue[nodes])
        nodes += 1
        for direction in range(UP, UP + 4):
            if board[cell] >> direction & 1:
                continue
            to = neighbour(state, cell, direction)
            if came_by[to] == UNSEEN and not board[to] & AGENT:
                came_by[to] = direction
                if board[to] & GOAL:
                    return to, nodes
                queue[tail] = to
                tail += 1
    return NO_SOLUTION, nodes


@kernel
def look_back(state, world, exit, came_by):
    """Return the length of the way to an exit, and the ways on, summed over its cells but the exit.

    Ways on from a cell: the directions that no wall closes, but for the one back to where the way comes from.
    """
    cell, length, ways = exit, 0, 0
    while came_by[cell] != START:
        cell = neighbour(state, cell, np.int64(came_by[cell]) ^ 1)
        length += 1
        for direction in range(UP, UP + 4):
            ways += not state.board[world, cell] >> direction & 1
        ways -= came_by[cell] != START
    return length, ways


@kernel
def write_plan(state, exit, came_by, plan, length):
    """Write the actions that lead to an exit, the last one first."""
    cell = exit
    for action in range(length - 1, -1, -1):
        plan[action] = came_by[cell]
        cell = neighbour(state, cell, np.int64(came_by[cell]) ^ 1)
