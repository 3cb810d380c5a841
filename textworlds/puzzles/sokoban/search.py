"""Positions found by the solver: boxes and the player's own cell, with what they cost, in tables that grow.

Where a search of pushes alone may count a position once for all cells within the player's reach, one that counts
walking too must tell them apart. After a push the player stands where the box was, so that there are few.
"""

from typing import NamedTuple

import numpy as np

from textworlds.grid import AGENT, ITEM, mark
from textworlds.kernel import kernel

SIZE, WAITING, EXPANDED, WORK, MOVES_ON = range(5)  # places in Found.counts


class Found(NamedTuple):
    """Positions, in the order they were found, and those of them that wait to be expanded."""

    boxes: np.ndarray  # int32[M, B], sorted cells
    player: np.ndarray  # int32[M], cell
    parent: np.ndarray  # int32[M], the position this one came from; -1 for the first one
    move: np.ndarray  # int32[M], cell * 4 + direction of the box that was pushed to get here
    key: np.ndarray  # uint64[M], a hash of boxes and player
    cost: np.ndarray  # int64[M], of the best way known
    left: np.ndarray  # int32[M], pushes that are left at least; -1 - that once it has been expanded
    table: np.ndarray  # int32[K], open addressing, position + 1; 0 is free; K a power of two, at least 2 * M
    heap: np.ndarray  # int64[2 * M], the smallest first
    counts: np.ndarray  # int64[5]


@kernel
def bytes_each(num_boxes):
    """Return the room that a position takes, the tables' share included."""
    return 4 * num_boxes + 12 + 8 + 8 + 4 + 8 + 16


@kernel
def new_found(capacity, num_boxes):
    """Return an empty collection with room for `capacity` positions, a power of two."""
    return Found(
        np.empty((capacity, num_boxes), np.int32),
        np.empty(capacity, np.int32),
        np.empty(capacity, np.int32),
        np.empty(capacity, np.int32),
        np.empty(capacity, np.uint64),
        np.empty(capacity, np.int64),
        np.empty(capacity, np.int32),
        np.zeros(2 * capacity, np.int32),
        np.empty(2 * capacity, np.int64),
        np.zeros(5, np.int64),
    )


@kernel
def copy_found(found, larger):
    """Copy a collection into one with more room."""
    size, waiting = found.counts[SIZE], found.counts[WAITING]
    larger.boxes[:size] = found.boxes[:size]
    larger.player[:size] = found.player[:size]
    larger.parent[:size] = found.parent[:size]
    larger.move[:size] = found.move[:size]
    larger.key[:size] = found.key[:size]
    larger.cost[:size] = found.cost[:size]
    larger.left[:size] = found.left[:size]
    larger.heap[:waiting] = found.heap[:waiting]
    larger.counts[:] = found.counts
    slots = larger.table.size
    for position in range(size):
        slot = first_slot(larger.key[position], slots)
        while larger.table[slot]:
            slot = (slot + 1) & (slots - 1)
        larger.table[slot] = position + 1


@kernel
def first_slot(key, slots):
    return np.int64(key >> np.uint64(20)) & (slots - 1)


@kernel
def key_of(boxes, player):
    """Return the hash of a position."""
    key = mark(player, AGENT)
    for cell in boxes:
        key ^= mark(cell, ITEM)
    return key


@kernel
def find(found, key, player):
    """Return the index of the position whose sorted boxes wait in row `size`; that is `size` if it is new."""
    size, slots = found.counts[SIZE], found.table.size
    slot = first_slot(key, slots)
    while found.table[slot]:
        known = np.int64(found.table[slot]) - 1
        if found.key[known] == key and found.player[known] == player and has_same_boxes(found, known, size):
            return known
        slot = (slot + 1) & (slots - 1)
    found.table[slot] = size + 1
    found.key[size], found.player[size] = key, player
    found.counts[SIZE] += 1
    return size


@kernel
def has_same_boxes(found, one, other):
    for box in range(found.boxes.shape[1]):
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
