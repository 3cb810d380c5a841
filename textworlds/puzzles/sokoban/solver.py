"""The fewest pushes, or the fewest moves, proven: A* over pushes.

A position is the boxes and the player's cell after a push; the way to the next push is a walk, found by breadth-first
search, so that pushes and moves are both exact and the one can break ties of the other. The bound is that of bounds.py,
on pushes, each of which is also a move. Left out are pushes onto cells from which no goal can be reached, those that
leave no goal for some box, those after which boxes hold each other (deadlocks.py), and positions in which boxes close
off a part of the floor for good (corrals.py).

A* is Hart, Nilsson and Raphael's, A Formal Basis for the Heuristic Determination of Minimum Cost Paths (1968).
"""

import numpy as np

from textworlds.grid import AGENT, GOAL, ITEM, UP, copy_cells, neighbour
from textworlds.kernel import Kernel, kernel
from textworlds.puzzles.puzzle import GAVE_UP, NO_SOLUTION
from textworlds.puzzles.sokoban.bounds import FAR, measure_pushes, new_assignment
from textworlds.puzzles.sokoban.corrals import ANSWERS, CAPACITY, Corrals, has_lost_corral
from textworlds.puzzles.sokoban.expansion import (
    FULL,
    MOVES,
    PUSHES,
    QUEUE,
    SEEN,
    STEPS,
    WORK_A_NODE,
    Ground,
    begin,
    expand,
    next_position,
    show,
    survey,
    walk,
)
from textworlds.puzzles.sokoban.rules import goals_left, has_owners
from textworlds.puzzles.sokoban.search import (
    EXPANDED,
    LEFT,
    MOVE,
    MOVES_ON,
    PARENT,
    PLAYER,
    bytes_each,
    copy_found,
    new_found,
)

FIRST_CAPACITY = 1 << 10
NODES, BRANCHING, IRREVERSIBLE = range(2, 5)  # places in the puzzle's grades


@Kernel.apart
@kernel
def solve(state, world, plan, limits, grades):
    """Write a plan of the fewest pushes or moves; return its length, NO_SOLUTION or GAVE_UP.

    Other players count as walls that stand still; boxes with owners are not for this solver. A position counts for more than
    one of limits.nodes if the board or the number of boxes is large: for one in every WORK_A_NODE elementary operations.
    """
    if goals_left(state, world) == 0:
        grades[PUSHES] = grades[MOVES] = 0
        return 0
    cells = state.height * state.width
    if has_owners(state):
        return GAVE_UP
    num_boxes, num_goals = count(state, world, ITEM), count(state, world, GOAL)
    if num_boxes > num_goals:
        return NO_SOLUTION
    if 4 * (num_goals + 1) * cells > limits.bytes:  # of Ground.pushes
        return GAVE_UP
    most = limits.bytes // bytes_each(num_boxes)
    ground = Ground(
        np.empty((num_goals + 1, cells), np.int32),
        np.zeros((4, cells + 1), np.int32),
        new_assignment(num_goals),
        new_assignment(num_goals),
    )
    saved = np.empty(cells, np.uint8)
    copy_cells(state.board[world], saved)
    corrals = Corrals(new_found(CAPACITY, num_boxes), np.zeros(ANSWERS, np.uint64))
    found = new_found(FIRST_CAPACITY, num_boxes)
    last = FULL
    while last == FULL:
        last = search(state, world, ground, found, corrals, limits)
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
    grades[NODES] = found.counts[EXPANDED]
    grades[BRANCHING] = found.counts[MOVES_ON] / max(found.counts[EXPANDED], 1)
    return length


@kernel
def count(state, world, flag):
    """Return how many cells have a flag."""
    total = 0
    for cell in range(state.height * state.width):
        total += state.board[world, cell] & flag != 0
    return total


@Kernel.apart
@Kernel.lean
@kernel
def search(state, world, ground, found, corrals, limits):
    """Expand one position after another; return the index of a solved one, NO_SOLUTION, GAVE_UP or FULL."""
    if found.counts[EXPANDED] == 0:
        survey(state, world, ground)
        player = np.int64(state.agents[world, 0])
        state.board[world, player] ^= AGENT
        answer = begin(state, world, ground, found, player)
        if answer != FULL:
            return answer
    while True:
        position = next_position(state, world, found, limits.nodes * WORK_A_NODE)
        if position < 0 or found.facts[position, LEFT] == 0:
            return position
        reached = walk(state, world, ground, np.int64(found.facts[position, PLAYER]))
        if has_lost_corral(state, world, ground, found, corrals, position):
            found.facts[position, LEFT] = -1 - found.facts[position, LEFT]
        else:
            expand(state, world, ground, found, position, reached, limits.objective)


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
    length = np.int64(0)
    for link in range(links - 1, 0, -1):
        position = chain[link]
        show(state, world, found, position)
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
    grades[IRREVERSIBLE] = irreversible / max(links - 1, 1)
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
