"""Levels made backwards: carve a room, put boxes on goals, then pull them away, breadth first.

Pulling undoes pushing, so every level is solvable. All positions of a depth are pulled on together, as long as there
are at most BEAM of them, which makes the depth the fewest pushes; from then on a random BEAM of them, and the depth is
an upper bound. The start is drawn from the deepest third. Playing backwards from the solved position: Taylor and
Parberry, Procedural Generation of Sokoban Levels (2011).
"""

from typing import NamedTuple

import numpy as np

from textworlds.grid import AGENT, DOWN, GOAL, ITEM, LEFT, RIGHT, SOLID, UP, close_walls, copy_cells, neighbour
from textworlds.kernel import Kernel, kernel
from textworlds.puzzles.sokoban.positions import (
    FULL,
    Positions,
    clear,
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


class Workspace(NamedTuple):
    """Arrays that making a level needs, allocated once for all rooms."""

    positions: Positions
    best: np.ndarray  # uint8[P * H * W], the best level so far
    cells: np.ndarray  # int64[P * H * W]
    layers: np.ndarray  # int64[M + 2], the first position of each depth
    order: np.ndarray  # int64[M], positions of a depth, shuffled


@kernel
def generate(rng, state, world, options):
    """Fill in a solvable level; return False if no room took the boxes."""
    size = state.board.shape[1]
    positions = new_positions(CAPACITY, options.num_boxes, size)
    best, cells = np.empty(size, np.uint8), np.empty(size, np.int64)
    layers, order = np.empty(CAPACITY + 2, np.int64), np.empty(CAPACITY, np.int64)
    return make_level(rng, state, world, options, Workspace(positions, best, cells, layers, order))


@Kernel.lean
@kernel
def make_level(rng, state, world, options, work):
    """Carve rooms and pull boxes until a level is deep enough; keep the deepest. Return whether there is one."""
    deepest = 0
    for _ in range(ROOMS):
        if not carve(rng, state, world, options.num_boxes, work.cells):
            continue
        depth = pull_away(rng, state, world, work)
        if depth > deepest:
            deepest = depth
            copy_cells(state.board[world], work.best)
        if deepest >= options.min_pushes:
            break
    if deepest > 0:
        copy_cells(work.best, state.board[world])
    return deepest > 0


@kernel
def carve(rng, state, world, num_boxes, cells):
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
    count = 0
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
def pull_away(rng, state, world, work):
    """Pull the boxes off their goals and set the player; return the depth of the start, 0 if nothing can be pulled."""
    positions, layers = work.positions, work.layers
    clear(positions)
    floods = positions.floods[0]
    for cell in range(state.height * state.width):
        is_free = state.board[world, cell] & (SOLID | ITEM) == 0
        if is_free and positions.reached[cell] <= floods and insert_first(positions, state, world, cell) == FULL:
            return 0
    layers[0], layers[1] = 0, positions.size[0]
    depth = 0
    while pull_layer(rng, state, world, work, layers[depth], layers[depth + 1]):
        depth += 1
        layers[depth + 1] = positions.size[0]
    if depth == 0:
        return 0
    chosen = choose_start(rng, positions, state, world, layers[(2 * depth + 2) // 3])
    put_boxes(positions, chosen, state, world)
    place_player(rng, positions, state, world, positions.player[chosen])
    start_depth = 0
    while layers[start_depth + 1] <= chosen:
        start_depth += 1
    return start_depth


@kernel
def pull_layer(rng, state, world, work, first, end):
    """Pull from BEAM of the positions in [first, end); return whether that led to new ones and left room for more."""
    for position in range(first, end):
        work.order[position - first] = position
    shuffle(rng, work.order, end - first)
    for turn in range(min(end - first, BEAM)):
        if not pull_boxes(work.positions, state, world, work.order[turn]):
            return False
    return work.positions.size[0] > end


@kernel
def pull_boxes(positions, state, world, position):
    """Keep all positions one pull away; return False if there is no room for more."""
    put_boxes(positions, position, state, world)
    for pull in range(find_pulls(positions, state, world, position)):
        move = np.int64(positions.found[pull])
        cell, direction = move >> 2, move & 3
        to = neighbour(state, cell, direction)
        player = neighbour(state, to, direction)
        if insert_moved(positions, state, world, position, cell, to, player, direction) == FULL:
            return False
    return True


@kernel
def find_pulls(positions, state, world, position):
    """Write the pulls that can be made in a position into positions.found; return how many."""
    flood(positions, state, world, np.int64(positions.player[position]))
    count = 0
    for box in positions.boxes[position]:
        cell = np.int64(box)
        for direction in range(UP, UP + 4):
            if state.board[world, cell] >> direction & 1:
                continue
            to = neighbour(state, cell, direction)
            if not is_reached(positions, to) or state.board[world, to] >> direction & 1:
                continue
            if not state.board[world, neighbour(state, to, direction)] & ITEM:
                positions.found[count] = cell * 4 + direction
                count += 1
    return count


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
    chosen = ties = 0
    for cell in range(positions.reached.size):
        if is_reached(positions, cell):
            ties += 1
            if below(rng, ties) == 0:
                chosen = cell
    state.board[world, chosen] |= AGENT
