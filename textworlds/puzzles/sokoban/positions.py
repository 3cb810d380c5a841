"""Positions of boxes and player, told apart only where a push could tell: the ground of generator and solver.

A position is the sorted cells of the boxes with the smallest cell that the player can reach.
"""

from typing import NamedTuple

import numpy as np

from textworlds.grid import ITEM, UP, neighbour
from textworlds.kernel import kernel

FULL = -2
KNOWN = -1


class Positions(NamedTuple):
    """Positions found by a search, in the order they were found."""

    boxes: np.ndarray  # int32[M, B], sorted cells
    player: np.ndarray  # int32[M], the smallest cell within reach
    parent: np.ndarray  # int32[M], the position this one came from; -1 for a first one
    move: np.ndarray  # int32[M], cell * 4 + direction of the box that was moved to get here
    table: np.ndarray  # int32[K], open addressing, position + 1; 0 is free; K a power of two over M
    size: np.ndarray  # int64[1], positions found
    reached: np.ndarray  # int32[cells], the last flood that reached a cell
    floods: np.ndarray  # int32[1], floods so far
    queue: np.ndarray  # int32[cells], workspace
    found: np.ndarray  # int32[4 * B], moves from one position, cell * 4 + direction


@kernel
def new_positions(capacity, num_boxes, num_cells):
    """Return an empty collection with room for `capacity` positions."""
    slots = 16
    while slots < 2 * capacity:
        slots *= 2
    return Positions(
        np.empty((capacity, num_boxes), np.int32),
        np.empty(capacity, np.int32),
        np.empty(capacity, np.int32),
        np.empty(capacity, np.int32),
        np.zeros(slots, np.int32),
        np.zeros(1, np.int64),
        np.zeros(num_cells, np.int32),
        np.zeros(1, np.int32),
        np.empty(num_cells, np.int32),
        np.empty(4 * num_boxes, np.int32),
    )


@kernel
def clear(positions):
    """Forget all positions."""
    positions.table[:] = 0
    positions.size[0] = 0


@kernel
def flood(positions, state, world, start):
    """Mark all cells within the player's reach from `start`; return the smallest.

    A cell is reached when positions.reached holds the number of this flood.
    """
    positions.floods[0] += 1
    number = positions.floods[0]
    queue, reached = positions.queue, positions.reached
    queue[0], reached[start] = start, number
    smallest, head, tail = start, 0, 1
    while head < tail:
        cell = np.int64(queue[head])
        head += 1
        for direction in range(UP, UP + 4):
            if state.board[world, cell] >> direction & 1:
                continue
            to = neighbour(state, cell, direction)
            if reached[to] != number and not state.board[world, to] & ITEM:
                reached[to] = number
                queue[tail] = to
                tail += 1
                smallest = min(smallest, to)
    return smallest


@kernel
def is_reached(positions, cell):
    """Return whether the last flood reached a cell."""
    return positions.reached[cell] == positions.floods[0]


@kernel
def put_boxes(positions, position, state, world):
    """Take all boxes off the board and set those of a position."""
    for cell in range(state.height * state.width):
        state.board[world, cell] &= ~ITEM & 255
    for cell in positions.boxes[position]:
        state.board[world, cell] |= ITEM


@kernel
def insert(positions, player, parent, move):
    """Keep the position whose sorted boxes wait in row `size`; return its index, KNOWN or FULL."""
    size = positions.size[0]
    hashed = np.uint64(player) * np.uint64(0x9E3779B97F4A7C15)
    for cell in positions.boxes[size]:
        hashed = (hashed ^ hashed >> np.uint64(29) ^ np.uint64(cell)) * np.uint64(0xBF58476D1CE4E5B9)
    slots = positions.table.size
    slot = np.int64(hashed >> np.uint64(20)) & (slots - 1)
    while positions.table[slot]:
        known = positions.table[slot] - 1
        if positions.player[known] == player and same_boxes(positions, known, size):
            return KNOWN
        slot = (slot + 1) & (slots - 1)
    positions.table[slot] = size + 1
    positions.player[size], positions.parent[size], positions.move[size] = player, parent, move
    positions.size[0] += 1
    return size if size + 1 < positions.player.size else FULL


@kernel
def same_boxes(positions, one, other):
    for box in range(positions.boxes.shape[1]):
        if positions.boxes[one, box] != positions.boxes[other, box]:
            return False
    return True


@kernel
def write_boxes(positions, parent, cell, to):
    """Write into row `size` the boxes of a position, with the one at `cell` moved to `to`."""
    row = positions.boxes[positions.size[0]]
    count = 0
    for box in positions.boxes[parent]:
        if box != cell:
            row[count] = box
            count += 1
    while count > 0 and row[count - 1] > to:
        row[count] = row[count - 1]
        count -= 1
    row[count] = to


@kernel
def insert_first(positions, state, world, player):
    """Keep the position on the board, with the player in reach of `player`; return as `insert` does."""
    count = 0
    for cell in range(state.height * state.width):
        if state.board[world, cell] & ITEM:
            positions.boxes[positions.size[0], count] = cell
            count += 1
    return insert(positions, flood(positions, state, world, player), -1, -1)


@kernel
def insert_moved(positions, state, world, parent, cell, to, player, direction):
    """Keep the position that moving a box makes out of the one on the board; return as `insert` does."""
    state.board[world, cell] ^= ITEM
    state.board[world, to] ^= ITEM
    player = flood(positions, state, world, player)
    state.board[world, cell] ^= ITEM
    state.board[world, to] ^= ITEM
    write_boxes(positions, parent, cell, to)
    return insert(positions, player, parent, cell * 4 + direction)
