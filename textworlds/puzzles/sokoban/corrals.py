"""Corrals: parts of the floor that boxes close off from the player, and that cannot be opened any more.

    #######
    #.@---#     The two boxes close off the cell in the corner. By themselves, with no other box on the board, they
    #--$$-#     cannot be solved; so nothing solves a position that holds them.
    #--$--#
    #######

The boxes around a corral, if they are few, are searched by themselves. Fewer boxes are only easier, so that what has no solution alone has
none among others. This takes a third off the positions that are expanded and adds as much to the time, so that it pays
in long searches only: it begins with position number BEGIN. Answers are kept, as the same corral comes up in many
positions. The idea of searching a part of the boxes for a deadlock is Junghanns and Schaeffer's (Artificial Intelligence
2001, section 5, "pattern search").
"""

from typing import NamedTuple

import numpy as np

from textworlds.grid import GOAL, ITEM, UP, mark, neighbour
from textworlds.kernel import Kernel, kernel
from textworlds.puzzles.puzzle import NO_SOLUTION
from textworlds.puzzles.sokoban.expansion import (
    CORRAL,
    FULL,
    MOVES,
    QUEUE,
    SEEN,
    WORK_A_NODE,
    begin,
    expand,
    hide,
    next_position,
    walk,
)
from textworlds.puzzles.sokoban.search import BOXES, EXPANDED, LEFT, PLAYER, SHOWN, WORK, Found

MOST_NODES, MOST_BOXES = 20, 3  # of one search
BEGIN = 1000
CAPACITY = 512  # positions of one search
ANSWERS = 1 << 12
MANY = 1 << 30


class Corrals(NamedTuple):
    """The search of a part of the boxes, and what came of earlier ones."""

    found: Found
    # uint64[ANSWERS], keys of corrals, the last bit 1 if lost; a newer one takes an older one's place.
    answers: np.ndarray


@kernel
def has_lost_corral(state, world, ground, found, corrals, position):
    """Return whether the boxes around some corral of the position on the board cannot be solved by themselves.

    The player's walk from there, just made, is made again where it was overwritten.
    """
    if found.counts[EXPANDED] < BEGIN:
        return False
    player = np.int64(found.facts[position, PLAYER])
    before = ground.walks[CORRAL, ground.pushes.shape[1]]
    for box in range(found.counts[BOXES]):
        cell = np.int64(found.boxes[position, box])
        for direction in range(UP, UP + 4):
            if state.board[world, cell] >> direction & 1:
                continue
            beside = neighbour(state, cell, direction)
            if state.board[world, beside] & ITEM or is_marked(ground, SEEN, beside):
                continue
            if ground.walks[CORRAL, beside] > before:
                continue  # of a corral that was looked at
            if close_off(state, world, ground, found, beside) <= min(found.counts[BOXES] - 1, MOST_BOXES):
                is_lost = is_lost_alone(state, world, ground, found, corrals, player)
                walk(state, world, ground, player)
                if is_lost:
                    return True
    return False


@kernel
def is_marked(ground, row, cell):
    """Return whether a cell belongs to the last walk (SEEN) or to the last corral (CORRAL)."""
    return ground.walks[row, cell] == ground.walks[row, ground.pushes.shape[1]]


@kernel
def close_off(state, world, ground, found, start):
    """Mark the cells of a corral and the boxes around it; return how many boxes, or MANY if all are on goals.

    Stops at more boxes than are looked at.
    """
    queue, marks = ground.walks[QUEUE], ground.walks[CORRAL]
    marks[marks.size - 1] += 1
    number = marks[marks.size - 1]
    queue[0], marks[start] = start, number
    head, tail, boxes, off_goals = 0, 1, 0, 0
    while head < tail and boxes <= MOST_BOXES:
        cell = np.int64(queue[head])
        head += 1
        for direction in range(UP, UP + 4):
            if state.board[world, cell] >> direction & 1:
                continue
            to = neighbour(state, cell, direction)
            if marks[to] != number:
                marks[to] = number
                if state.board[world, to] & ITEM:
                    boxes += 1
                    off_goals += not state.board[world, to] & GOAL
                else:
                    queue[tail] = to
                    tail += 1
    found.counts[WORK] += max(4 * tail - WORK_A_NODE // 2, 0)
    return boxes if off_goals else MANY


@kernel
def is_lost_alone(state, world, ground, found, corrals, player):
    """Return whether the boxes around the last corral cannot be solved by themselves."""
    position = found.counts[SHOWN]
    key = np.uint64(0)
    for box in range(found.counts[BOXES]):
        cell = np.int64(found.boxes[position, box])
        if is_marked(ground, CORRAL, cell):
            key ^= mark(cell, ITEM)
        else:
            state.board[world, cell] ^= ITEM
    first, reached = player, walk(state, world, ground, player)
    found.counts[WORK] += max(8 * reached - WORK_A_NODE, 0)
    for place in range(reached):
        first = min(first, np.int64(ground.walks[QUEUE, place]))
    key = (key ^ mark(first, GOAL)) & ~np.uint64(1)
    slot = np.int64(key >> np.uint64(20)) & ANSWERS - 1
    if corrals.answers[slot] & ~np.uint64(1) != key:
        corrals.answers[slot] = key | np.uint64(has_no_solution(state, world, ground, corrals.found, player))
        found.counts[WORK] += min(corrals.found.counts[WORK], 2 * MOST_NODES * WORK_A_NODE)
    for box in range(found.counts[BOXES]):
        state.board[world, found.boxes[position, box]] |= ITEM
    return corrals.answers[slot] & np.uint64(1) != 0


@Kernel.apart
@kernel
def has_no_solution(state, world, ground, found, player):
    """Return whether it is soon proven that the boxes on the board, and no others, cannot be solved; take them off."""
    for place in range(found.table.size):
        found.table[place] = 0
    for place in range(found.counts.size):
        found.counts[place] = 0
    position = begin(state, world, ground, found, player)
    while position == FULL or position >= 0:
        position = next_position(state, world, found, MOST_NODES * WORK_A_NODE)
        if position < 0 or found.facts[position, LEFT] == 0:
            break
        reached = walk(state, world, ground, np.int64(found.facts[position, PLAYER]))
        expand(state, world, ground, found, position, reached, MOVES)
    hide(state, world, found)
    return position == NO_SOLUTION
