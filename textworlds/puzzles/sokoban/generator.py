"""Levels made backwards: carve a room, put boxes on goals, then pull them away, breadth first.

Pulling undoes pushing, so every level is solvable. All positions of a depth are pulled on together, as long as there
are at most BEAM of them, which makes the depth the fewest pushes; from then on a random BEAM of them, and the depth is
an upper bound. The start is drawn from the deepest third. Playing backwards from the solved position: Taylor and
Parberry, Procedural Generation of Sokoban Levels (2011).
"""

from typing import NamedTuple

import numpy as np

from textworlds.grid import AGENT, DOWN, GOAL, ITEM, LEFT, RIGHT, SOLID, UP, close_walls, copy_cells, neighbour
from textworlds.kernel import kernel
from textworlds.puzzles.sokoban.positions import (
    FULL,
    flood,
    insert_first,
    insert_moved,
    is_reached,
    new_positions,
    put_boxes,
)
from textworlds.random import below, shuffle

ROOMS, BEAM, CAPACITY = 100, 96, 12_000


class Options(NamedTuple):
    """What a level should have.

    Attributes:
        num_boxes: boxes, and as many goals.
        min_pushes: pull at least so far if any of 100 rooms allows; else as far as the best of them does.
    """

    num_boxes: int = 1
    min_pushes: int = 1


@kernel
def generate(rng, state, world, options):
    """Fill in a solvable level; return False if no room took the boxes."""
    best = np.empty(state.board.shape[1], np.uint8)
    deepest = 0
    for _ in range(ROOMS):
        if not carve(rng, state, world, options.num_boxes):
            continue
        depth = pull_away(rng, state, world, options.num_boxes)
        if depth > deepest:
            deepest = depth
            copy_cells(state.board[world], best)
        if deepest >= options.min_pushes:
            break
    if deepest > 0:
        copy_cells(best, state.board[world])
    return deepest > 0


@kernel
def carve(rng, state, world, num_boxes):
    """Carve a connected room with a random walk and set boxes on random goals; False if there is too little floor."""
    board = state.board[world]
    height, width = state.height, state.width
    board[:] = SOLID
    area = (height - 2) * (width - 2)
    row, column = 1 + below(rng, height - 2), 1 + below(rng, width - 2)
    direction = below(rng, 4)
    floor, wanted = 0, max(area * (45 + below(rng, 25)) // 100, 2 * num_boxes + 1)
    for _ in range(8 * area):
        floor += dig(rng, board, width, height, row, column)
        if floor >= wanted:
            break
        if below(rng, 3) == 0:
            direction = below(rng, 4)
        row = min(max(row + (direction == DOWN) - (direction == UP), 1), height - 2)
        column = min(max(column + (direction == RIGHT) - (direction == LEFT), 1), width - 2)
    close_walls(board.reshape(height, width))
    if floor < 2 * num_boxes + 1:
        return False
    cells, count = np.empty(board.size, np.int64), 0
    for cell in range(board.size):
        if not board[cell] & SOLID:
            cells[count] = cell
            count += 1
    shuffle(rng, cells, count)
    for box in range(num_boxes):
        board[cells[box]] |= GOAL | ITEM
    return True


@kernel
def dig(rng, board, width, height, row, column):
    """Make a cell floor, and one time in four its right and lower neighbours; return how many were solid."""
    dug = 0
    reach = 1 + (below(rng, 4) == 0)
    for r in range(row, min(row + reach, height - 1)):
        for c in range(column, min(column + reach, width - 1)):
            dug += board[r * width + c] & SOLID != 0
            board[r * width + c] = 0
    return dug


@kernel
def pull_away(rng, state, world, num_boxes):
    """Pull the boxes off their goals and set the player; return the depth of the start, 0 if nothing can be pulled."""
    positions = new_positions(CAPACITY, num_boxes, state.height * state.width)
    for cell in range(state.height * state.width):
        if state.board[world, cell] & (SOLID | ITEM) == 0:
            insert_first(positions, state, world, cell)
    layers = np.zeros(CAPACITY + 2, np.int64)
    layers[1] = positions.size[0]
    depth = 0
    while pull_layer(rng, positions, state, world, layers[depth], layers[depth + 1]):
        depth += 1
        layers[depth + 1] = positions.size[0]
    if depth == 0:
        return 0
    first = layers[(2 * depth + 2) // 3]
    chosen = choose_start(rng, positions, state, world, first)
    put_boxes(positions, chosen, state, world)
    place_player(rng, positions, state, world, positions.player[chosen])
    start_depth = 0
    while layers[start_depth + 1] <= chosen:
        start_depth += 1
    return start_depth


@kernel
def pull_layer(rng, positions, state, world, first, end):
    """Pull from BEAM of the positions in [first, end); return whether that led to new ones and left room for more."""
    order = np.arange(first, end)
    shuffle(rng, order, order.size)
    for position in order[:BEAM]:
        if not pull_boxes(positions, state, world, position):
            return False
    return positions.size[0] > end


@kernel
def pull_boxes(positions, state, world, position):
    """Keep all positions one pull away; return False if there is no room for more."""
    put_boxes(positions, position, state, world)
    for box in positions.boxes[position]:
        cell = np.int64(box)
        for direction in range(UP, UP + 4):
            flood(positions, state, world, np.int64(positions.player[position]))
            if state.board[world, cell] >> direction & 1:
                continue
            to = neighbour(state, cell, direction)
            if not is_reached(positions, to) or state.board[world, to] >> direction & 1:
                continue
            player = neighbour(state, to, direction)
            if state.board[world, player] & ITEM:
                continue
            if insert_moved(positions, state, world, position, cell, to, player, direction) == FULL:
                return False
    return True


@kernel
def choose_start(rng, positions, state, world, first):
    """Return a random position, not before `first`, with as few boxes on goals as any of them has."""
    chosen, fewest, ties = first, 1 << 30, 0
    for position in range(first, positions.size[0]):
        on_goals = 0
        for cell in positions.boxes[position]:
            on_goals += state.board[world, cell] & GOAL != 0
        if on_goals < fewest:
            fewest, ties = on_goals, 0
        if on_goals == fewest:
            ties += 1
            if below(rng, ties) == 0:
                chosen = position
    return chosen


@kernel
def place_player(rng, positions, state, world, within_reach):
    """Set the player on a random cell of those within reach of a cell."""
    flood(positions, state, world, np.int64(within_reach))
    chosen, ties = np.int64(0), 0
    for cell in range(positions.reached.size):
        if is_reached(positions, cell):
            ties += 1
            if below(rng, ties) == 0:
                chosen = cell
    state.board[world, chosen] |= AGENT
