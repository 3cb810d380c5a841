"""Positions found by the solver: boxes and the player's own cell, with what they cost, in tables that grow.

Where a search of pushes alone may count a position once for all cells within the player's reach, one that counts
walking too must tell them apart. After a push the player stands where the box was, so that there are few.
"""

from typing import NamedTuple

import numpy as np

from textworlds.grid import AGENT, ITEM, copy_cells, mark
from textworlds.kernel import kernel

# Places in Found.counts; SHOWN is the position whose boxes are on the board.
SIZE, WAITING, EXPANDED, WORK, MOVES_ON, BOXES, SHOWN = range(7)
# Columns of Found.facts: the player's cell; the position that this one came from, -1 for the first; the push that led
# here, cell * 4 + direction of the box; a hash of boxes and player; the cost of the best way known; the pushes that are
# left at least, or -1 - that once the position has been expanded.
PLAYER, PARENT, MOVE, KEY, COST, LEFT = range(6)


class Found(NamedTuple):
    """Positions, in the order they were found, and those of them that wait to be expanded.

    Few arrays, as each one that kernels pass on takes time to compile.
    """

    boxes: np.ndarray  # int32[M, B], sorted cells, in the first counts[BOXES] places
    facts: np.ndarray  # int64[M, 6], see above
    table: np.ndarray  # int32[K], open addressing, position + 1; 0 is free; K a power of two, at least 2 * M
    heap: np.ndarray  # int64[2 * M], the smallest first
    counts: np.ndarray  # int64[7]


@kernel
def bytes_each(num_boxes):
    """Return the room that a position takes, the tables' share included."""
    return 4 * num_boxes + 6 * 8 + 2 * 4 + 2 * 8


@kernel
def new_found(capacity, num_boxes):
    """Return an empty collection with room for `capacity` positions, a power of two."""
    return Found(
        np.empty((capacity, num_boxes), np.int32),
        np.empty((capacity, 6), np.int64),
        np.zeros(2 * capacity, np.int32),
        np.empty(2 * capacity, np.int64),
        np.zeros(7, np.int64),
    )


@kernel
def copy_found(found, larger):
    """Copy a collection into one with more room."""
    slots = larger.table.size
    for position in range(found.counts[SIZE]):
        copy_cells(found.boxes[position], larger.boxes[position])
        copy_cells(found.facts[position], larger.facts[position])
        slot = first_slot(larger.facts[position, KEY], slots)
        while larger.table[slot]:
            slot = (slot + 1) & (slots - 1)
        larger.table[slot] = position + 1
    for place in range(found.counts[WAITING]):
        larger.heap[place] = found.heap[place]
    copy_cells(found.counts, larger.counts)


@kernel
def first_slot(key, slots):
    return key >> 20 & slots - 1


@kernel
def key_of(boxes, player):
    """Return the hash of a position, int64."""
    key = mark(player, AGENT)
    for cell in boxes:
        key ^= mark(cell, ITEM)
    return np.int64(key)


@kernel
def find(found, key, player):
    """Return the index of the position whose sorted boxes wait in row `size`; that is `size` if it is new."""
    size, slots = found.counts[SIZE], found.table.size
    slot = first_slot(key, slots)
    while found.table[slot]:
        known = np.int64(found.table[slot]) - 1
        if (
            found.facts[known, KEY] == key
            and found.facts[known, PLAYER] == player
            and has_same_boxes(found, known, size)
        ):
            return known
        slot = (slot + 1) & (slots - 1)
    found.table[slot] = size + 1
    found.facts[size, KEY], found.facts[size, PLAYER] = key, player
    found.counts[SIZE] += 1
    return size


@kernel
def has_same_boxes(found, one, other):
    for box in range(found.counts[BOXES]):
        if found.boxes[one, box] != found.boxes[other, box]:
            return False
    return True


@kernel
def push_heap(found, value):
    """Let a value wait; binary heap (Williams, Algorithm 232, 1964)."""
    heap, place = found.heap, found.counts[WAITING]
    found.counts[WAITING] += 1
    while place > 0 and heap[(place - 1) >> 1] > value:
        heap[place] = heap[(place - 1) >> 1]
        place = (place - 1) >> 1
    heap[place] = value


@kernel
def pop_heap(found):
    """Return the smallest value that waits, and let it go."""
    heap = found.heap
    smallest = heap[0]
    found.counts[WAITING] -= 1
    size = found.counts[WAITING]
    value, place = heap[size], 0
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        if child + 1 < size and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= value:
            break
        heap[place] = heap[child]
        place = child
    heap[place] = value
    return smallest
