"""How many pushes are left at least: each box alone on the board, each to a goal of its own.

For every goal, `measure_pushes` fills in how often a box has to be pushed to get there from each cell, with no other box
in the way and the player wherever it likes. The cheapest assignment of boxes to goals is then a lower bound, and one
that no push lowers by more than 1. It is found row by row: Kuhn's Hungarian method (Naval Research Logistics
Quarterly, 1955) with shortest augmenting paths, Jonker and Volgenant (Computing, 1987). A push changes one row only,
so that the bound after it takes one more row and not the whole (Junghanns and Schaeffer, Sokoban: Enhancing General
Single-Agent Search Methods Using Domain Knowledge, Artificial Intelligence 2001, section 4).
"""

import numpy as np

from textworlds.grid import UP, neighbour
from textworlds.kernel import kernel

FAR = 1 << 30  # pushes to a goal that cannot be reached; more than any that can be take all boxes together
NEVER = 1 << 60


# Rows of an assignment, int64[6, G + 1], which counts boxes and goals from 1. There are as many boxes as goals: those on
# the board, in the order of their cells, then some that stand for none and cost nothing.
BOX_PRICE, GOAL_PRICE = 0, 1  # the dual variables of the method
BOX_OF = 2  # the box that each goal is assigned to; 0 for none
SLACK, BEFORE, IS_DONE = 3, 4, 5  # workspace


@kernel
def new_assignment(num_goals):
    """Return an assignment of nothing."""
    return np.zeros((6, num_goals + 1), np.int64)


@kernel
def measure_pushes(state, world, goal, pushes, queue):
    """Fill in the pushes that take a box alone from each cell to a goal; FAR where there is no way.

    Pulls it away from the goal, breadth first.

    Args:
        goal: a cell.
        pushes: int32[cells], filled in.
        queue: int32[cells], workspace.
    """
    for place in range(pushes.size):
        pushes[place] = FAR
    pushes[goal] = 0
    queue[0] = goal
    head, tail = 0, 1
    while head < tail:
        cell = np.int64(queue[head])
        head += 1
        for direction in range(UP, UP + 4):
            if state.board[world, cell] >> direction & 1:
                continue
            to = neighbour(state, cell, direction)
            if pushes[to] == FAR and not state.board[world, to] >> direction & 1:
                pushes[to] = pushes[cell] + 1
                queue[tail] = to
                tail += 1


@kernel
def assign_all(assignment, pushes, boxes):
    """Assign all boxes; return the pushes that takes, FAR or more if there is no goal for each.

    Args:
        pushes: int32[G, cells].
        boxes: int32[B], cells.
    """
    for goal in range(assignment.shape[1]):
        assignment[BOX_PRICE, goal] = assignment[GOAL_PRICE, goal] = assignment[BOX_OF, goal] = 0
    for box in range(1, assignment.shape[1]):
        assign(assignment, pushes, boxes, box)
    return total_of(assignment, pushes, boxes)


@kernel
def cost_of(pushes, boxes, box, goal):
    """Return the pushes that take a box, counted from 1, to a goal, counted from 1."""
    return np.int64(pushes[goal - 1, boxes[box - 1]]) if box <= boxes.size else 0


@kernel
def total_of(assignment, pushes, boxes):
    """Return the pushes of all boxes that are assigned."""
    total = 0
    for goal in range(1, assignment.shape[1]):
        total += cost_of(pushes, boxes, assignment[BOX_OF, goal], goal)
    return total


@kernel
def assign(assignment, pushes, boxes, box):
    """Assign one more box along the shortest augmenting path."""
    box_price, goal_price, box_of = assignment[BOX_PRICE], assignment[GOAL_PRICE], assignment[BOX_OF]
    slack, before, is_done = assignment[SLACK], assignment[BEFORE], assignment[IS_DONE]
    num_goals = box_of.size - 1
    for goal in range(slack.size):
        slack[goal], is_done[goal] = NEVER, 0
    box_of[0] = box
    goal = 0
    while True:
        is_done[goal] = 1
        row, step, nearest = box_of[goal], np.int64(NEVER), 0
        for other in range(1, num_goals + 1):
            if not is_done[other]:
                cost = cost_of(pushes, boxes, row, other) - box_price[row] - goal_price[other]
                if cost < slack[other]:
                    slack[other] = cost
                    before[other] = goal
                if slack[other] < step or (slack[other] == step and box_of[nearest] and not box_of[other]):
                    step, nearest = slack[other], other  # of equals a free goal, which ends the search
        for other in range(num_goals + 1):
            if is_done[other]:
                box_price[box_of[other]] += step
                goal_price[other] -= step
            else:
                slack[other] -= step
        goal = nearest
        if box_of[goal] == 0:
            break
    while goal:
        box_of[goal] = box_of[before[goal]]
        goal = before[goal]


@kernel
def copy_assignment(source, target):
    """Copy the prices and who goes where."""
    for goal in range(source.shape[1]):
        target[BOX_PRICE, goal] = source[BOX_PRICE, goal]
        target[GOAL_PRICE, goal] = source[GOAL_PRICE, goal]
        target[BOX_OF, goal] = source[BOX_OF, goal]


@kernel
def assign_moved(assignment, pushes, boxes, box, scratch):
    """Return the pushes that an assignment takes after box number `box` was moved; the assignment stays as it was.

    Args:
        boxes: int32[B], cells in the order of the assignment's rows, one of them moved.
        box: the row that was, from 1.
        scratch: another assignment, overwritten.
    """
    copy_assignment(assignment, scratch)
    price = np.int64(NEVER)
    for goal in range(1, scratch.shape[1]):
        if scratch[BOX_OF, goal] == box:
            scratch[BOX_OF, goal] = 0
        price = min(price, cost_of(pushes, boxes, box, goal) - scratch[GOAL_PRICE, goal])
    scratch[BOX_PRICE, box] = price
    assign(scratch, pushes, boxes, box)
    return total_of(scratch, pushes, boxes)
