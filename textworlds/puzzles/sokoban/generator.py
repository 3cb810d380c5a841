"""Levels made backwards: carve a room, put boxes on goals, then pull them away, layer by layer.

Pulling undoes pushing, so every level is solvable. Of the positions of a depth a random BEAM are pulled on, which makes
the depth an upper bound on the fewest pushes. Playing backwards from the solved position: Taylor and Parberry,
Procedural Generation of Sokoban Levels (2011).
"""

from typing import NamedTuple

import numpy as np

from textworlds.grid import AGENT, DOWN, GOAL, ITEM, LEFT, RIGHT, SOLID, UP, close_walls, neighbour
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
from textworlds.puzzles.sokoban.team import pull_together
from textworlds.random import below, shuffle

ROOMS, BEAM, CAPACITY = 100, 8, 4_000


class Options(NamedTuple):
    """What a level should have.

    Attributes:
        num_boxes: boxes, and as many goals.
        min_pushes, max_pushes: bounds on the fewest pushes, proven by the solver; 0 for none.
        num_agents: players, 1 to 8; of several, the bounds hold for the first, the others standing still.
        owners: 1 if each box is one player's, and only that one can push it; 0 if any player can.
    """

    num_boxes: int = 1
    min_pushes: int = 0
    max_pushes: int = 0
    num_agents: int = 1
    owners: int = 0


@Kernel.apart
@kernel
def generate(rng, state, world, options):
    """Propose a solvable level; return False if no room took the boxes."""
    size = state.height * state.width
    if options.num_agents > 1:
        return propose_for_team(rng, state, world, options, np.empty((4, size), np.int64))
    positions = new_positions(CAPACITY, options.num_boxes, size)
    cells, layers, order = np.empty(size, np.int64), np.empty(CAPACITY + 2, np.int64), np.empty(CAPACITY, np.int64)
    return propose_level(rng, state, world, options, Workspace(positions, cells, layers, order))


class Workspace(NamedTuple):
    """Arrays that making a level needs."""

    positions: Positions
    cells: np.ndarray  # int64[P * H * W]
    layers: np.ndarray  # int64[M + 2], the first position of each depth
    order: np.ndarray  # int64[M], positions of a depth, shuffled


@Kernel.apart
@Kernel.lean
@kernel
def propose_level(rng, state, world, options, work):
    """Carve rooms until boxes can be pulled in one; return whether they could."""
    for _ in range(ROOMS):
        if carve(rng, state, world, options, work.cells) and pull_away(rng, state, world, options, work):
            return True
    return False


@kernel
def propose_for_team(rng, state, world, options, work):
    """Carve rooms until players can pull all boxes off their goals in one; return whether they could."""
    for _ in range(ROOMS):
        if carve(rng, state, world, options, work[0]) and pull_together(rng, state, world, options, work):
            return True
    return False


@kernel
def carve(rng, state, world, options, cells):
    """Carve a connected room with a random walk and set boxes on random goals; False if there is too little floor.

    Args:
        cells: int64[H * W], filled in with the floor, in random order; boxes stand on the first ones.
    """
    height, width, num_boxes = state.height, state.width, options.num_boxes
    board, least = state.board[world, : height * width], 2 * num_boxes + options.num_agents
    board[:] = SOLID
    area = (height - 2) * (width - 2)
    row, column = 1 + below(rng, height - 2), 1 + below(rng, width - 2)
    direction = below(rng, 4)
    floor, wanted = 0, max(area * (45 + below(rng, 25)) // 100, least)
    for _ in range(8 * area):
        floor += dig(rng, board, width, height, row, column)
        if floor >= wanted:
            break
        if below(rng, 3) == 0:
            direction = below(rng, 4)
        row = min(max(row + (direction == DOWN) - (direction == UP), 1), height - 2)
        column = min(max(column + (direction == RIGHT) - (direction == LEFT), 1), width - 2)
    close_walls(board.reshape(height, width))
    if floor < least:
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
def pull_away(rng, state, world, options, work):
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
    first = draw_depth(rng, options, depth)
    chosen = choose_start(rng, positions, state, world, layers[first], layers[first + 1])
    put_boxes(positions, chosen, state, world)
    place_player(rng, positions, state, world, positions.player[chosen])
    return first


@kernel
def draw_depth(rng, options, deepest):
    """Return a random depth at which the fewest pushes may well lie between the bounds asked for."""
    least = min(max(options.min_pushes, (2 * deepest + 2) // 3 if options.max_pushes == 0 else 1), deepest)
    most = deepest if options.max_pushes == 0 else max(min(options.max_pushes * 5 // 4, deepest), least)
    return least + below(rng, most - least + 1)


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
def choose_start(rng, positions, state, world, first, end):
    """Return a random position in [first, end) with as few boxes on goals as any of them has."""
    chosen, fewest, ties = first, 1 << 30, 0
    for position in range(first, end):
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
