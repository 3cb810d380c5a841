"""What a level is, however it is turned, mirrored or shifted: its key, and the split that the key puts it into.

Only what can matter counts: the cells that an agent could reach if no item stood in its way, what is in them, and thin
walls between them. Cells walled off, the thickness of walls and the size of the drawing do not. Where the agents of a
puzzle roam (Puzzle.roams), a level counts once for all cells that they can walk to without moving an item. Items with
planes of their own have no order.

The key is the smallest of the hashes of the eight forms that turning and mirroring give, mixed once more. Two different
levels of n have the same key with a chance of about n^2 / 2^65: 1 in 37 million for a million levels.
"""

import numpy as np

from textworlds.grid import AGENT, DOWN, GOAL, ITEM, LEFT, RIGHT, SOLID, UP, WALLS, mark
from textworlds.kernel import Kernel, kernel
from textworlds.puzzles import Puzzle
from textworlds.random import mix

# In place 0 what is drawn by default. Of eight levels one is for testing, one for validation, the others for training.
SPLITS = ("train", "validation", "test")
TRAIN, VALIDATION, TEST = range(3)
ANY = -1
THINGS = GOAL | ITEM | AGENT
NUM_FORMS = 8  # bit 0: rows flipped; bit 1: columns flipped; bit 2: then rows and columns exchanged


@kernel
def split_of(key):
    """Return the split that a key belongs to, a place in SPLITS."""
    eighth = np.int64(key >> np.uint64(61))
    return TEST if eighth == 0 else VALIDATION if eighth == 1 else TRAIN


@Kernel.apart
@kernel
def content_key(board, height, width, roams):
    """Return the key of a level, uint64.

    Args:
        board: uint8[P * H * W], a picture with its walls closed; see grid.
        height, width: H and W.
        roams: see Puzzle.roams.
    """
    cells = height * width
    flags, queue = np.zeros(cells, np.uint8), np.empty(cells, np.int64)
    reach(board, width, cells, 0, flags, queue)
    for cell in range(cells):
        things = board[cell] & THINGS
        if things and (flags[cell] or things == ITEM):  # an item walled off from all goals makes a level unsolvable
            flags[cell] |= things | SOLID
    if roams:
        reach(board, width, cells, ITEM, flags, queue)
    top, left, bottom, right = height, width, -1, -1
    count = 0
    for cell in range(cells):
        if flags[cell]:
            queue[count] = cell
            count += 1
            top, bottom = min(top, cell // width), max(bottom, cell // width)
            left, right = min(left, cell % width), max(right, cell % width)
    for cell in queue[:count]:
        flags[cell] |= walls_within(board, flags, cell, height, width)
    smallest = ~np.uint64(0)
    for form in range(NUM_FORMS):
        key = np.uint64(0)
        for cell in queue[:count]:
            row, column = place(form, cell // width - top, cell % width - left, bottom - top, right - left)
            key ^= mark(row << 16 | column, turned(form, flags[cell]))
        for plane in range(cells, board.size, cells):
            own = np.uint64(0)
            for cell in queue[:count]:
                if board[plane + cell]:
                    row, column = place(form, cell // width - top, cell % width - left, bottom - top, right - left)
                    own ^= mark(row << 16 | column, board[plane + cell])
            key += mix(own)
        smallest = min(smallest, key)
    return mix(smallest)


@kernel
def reach(board, width, cells, blocking, flags, queue):
    """Mark the cells that agents can walk to: SOLID if nothing blocks them, AGENT otherwise.

    Args:
        blocking: flags of cells that cannot be entered; 0 for none.
        flags: uint8[cells], changed in place.
        queue: int64[cells], workspace.
    """
    found = AGENT if blocking else SOLID
    head = tail = 0
    for cell in range(cells):
        if board[cell] & AGENT:
            flags[cell] |= found
            queue[tail] = cell
            tail += 1
    while head < tail:
        cell = queue[head]
        head += 1
        for direction in range(UP, UP + 4):
            if board[cell] >> direction & 1:
                continue
            to = cell + (2 * (direction & 1) - 1) * (width if direction < LEFT else 1)
            if not flags[to] & found and not board[to] & blocking:
                flags[to] |= found
                queue[tail] = to
                tail += 1


@kernel
def walls_within(board, flags, cell, height, width):
    """Return the wall bits of a cell that part it from another one that counts."""
    walls = np.int64(board[cell]) & WALLS
    row, column = cell // width, cell % width
    if row == 0 or not flags[cell - width]:
        walls &= ~(1 << UP)
    if row == height - 1 or not flags[cell + width]:
        walls &= ~(1 << DOWN)
    if column == 0 or not flags[cell - 1]:
        walls &= ~(1 << LEFT)
    if column == width - 1 or not flags[cell + 1]:
        walls &= ~(1 << RIGHT)
    return walls


@kernel
def place(form, row, column, last_row, last_column):
    """Return the row and the column of a cell in one of the eight forms."""
    if form & 1:
        row = last_row - row
    if form & 2:
        column = last_column - column
    return (column, row) if form & 4 else (row, column)


@kernel
def turned(form, flags):
    """Return the flags of a cell in one of the eight forms: its wall bits change places."""
    walls = np.int64(flags) & WALLS
    if form & 1:
        walls = walls & 0b1100 | walls >> 1 & 0b0001 | walls << 1 & 0b0010
    if form & 2:
        walls = walls & 0b0011 | walls >> 1 & 0b0100 | walls << 1 & 0b1000
    if form & 4:
        walls = walls >> 2 | walls << 2 & 0b1100
    return np.int64(flags) & ~WALLS | walls


@kernel
def fill_keys(boards, height, width, roams, keys):
    """Fill in the keys of levels, uint64[L], from boards, uint8[L, P * H * W]."""
    for level in range(boards.shape[0]):
        keys[level] = content_key(boards[level], height, width, roams)


def keys_of(pictures: np.ndarray, puzzle: Puzzle) -> np.ndarray:
    """Return the keys, uint64[L], of levels given as pictures, uint8[L, P, H, W] with their walls closed."""
    keys = np.empty(len(pictures), np.uint64)
    count, planes, height, width = pictures.shape
    boards = np.ascontiguousarray(pictures).reshape(count, planes * height * width)
    fill_keys(boards, height, width, puzzle.roams, keys)
    return keys
