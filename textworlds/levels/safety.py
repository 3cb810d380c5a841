"""Whether pictures that come as bytes are boards that kernels can be trusted with, millions of them in seconds.

Kernels trust their arguments: an open border would let an agent leave the memory. What is drawn or given as a Level is
checked one by one (bank.read_level); this does what can be done for all puzzles at once, for whole sets.
"""

import numpy as np

from textworlds.grid import AGENT, GOAL, ITEM, LEFT, RIGHT, SOLID, UP, WALLS
from textworlds.kernel import kernel
from textworlds.puzzles import Puzzle

FLAWS = (
    "",
    "has a cell whose things never stand in one place",
    "has walls that are open at the border, or closed from one side only",
    "has not exactly one agent",
    "has more items than goals",
    "has more goals than there are names for",
    "has a plane that is not one item's with a goal of its own",
)
SOUND, STRANGE_TILE, OPEN_WALL, NOT_ONE_AGENT, TOO_MANY_ITEMS, TOO_MANY_GOALS, BAD_PLANE = range(len(FLAWS))
NO_LIMIT = 1 << 30


def check_boards(pictures: np.ndarray, puzzle: Puzzle) -> None:
    """Raise ValueError unless kernels and text can be trusted with all of the pictures, uint8[L, P, H, W].

    What only the puzzle knows, its check_level, is asked of the first one, as all have the same shape.
    """
    if not len(pictures):
        raise ValueError("there is no level in it")
    _, planes, height, width = pictures.shape
    if planes > 1 and not puzzle.words.passenger:
        raise ValueError(f"pictures of {puzzle.name} have one plane, not {planes}")
    words = puzzle.words
    shown = {*words.glyphs, *((GOAL, GOAL | AGENT) if words.goal_names else ())}
    tiles = np.array([flags << 4 in shown for flags in range(16)])
    most_goals = len(words.goal_names) or NO_LIMIT
    boards = np.ascontiguousarray(pictures).reshape(len(pictures), -1)
    level, flaw = first_flaw(boards, height, width, tiles, words.thin_walls, most_goals)
    if flaw != SOUND:
        raise ValueError(f"level {level} {FLAWS[flaw]}")
    if complaint := puzzle.check_level(pictures[0]):
        raise ValueError(f"level 0 is none of {puzzle.name}: {complaint}")


@kernel
def first_flaw(boards, height, width, tiles, has_thin_walls, most_goals):
    """Return the first of boards, uint8[L, P * H * W], that has a flaw, and which one; 0 and SOUND if none has."""
    for level in range(boards.shape[0]):
        flaw = flaw_of_board(boards[level], height, width, tiles, most_goals)
        for cell in range(height * width):
            if not walls_are_sound(boards[level], cell, height, width, has_thin_walls):
                flaw = OPEN_WALL
        if flaw == SOUND:
            flaw = flaw_of_planes(boards[level], height * width)
        if flaw != SOUND:
            return level, flaw
    return 0, SOUND


@kernel
def flaw_of_board(board, height, width, tiles, most_goals):
    """Return what is wrong with what stands on plane 0.

    Args:
        tiles: bool[16], which tiles there are, by their flags but the wall bits.
    """
    agents = items = goals = 0
    for cell in range(height * width):
        here = board[cell]
        if not tiles[here >> 4]:
            return STRANGE_TILE
        agents += here & AGENT > 0
        items += here & ITEM > 0
        goals += here & GOAL > 0
    if agents != 1:
        return NOT_ONE_AGENT
    if items > goals:
        return TOO_MANY_ITEMS
    return TOO_MANY_GOALS if goals > most_goals else SOUND


@kernel
def walls_are_sound(board, cell, height, width, has_thin_walls):
    """Return whether a cell's wall bits are those that close_walls sets, thin walls apart."""
    here, row, column = board[cell], cell // width, cell % width
    for direction in range(UP, RIGHT + 1):
        is_closed = here >> direction & 1 == 1
        beyond = (row, height - 1 - row, column, width - 1 - column)[direction]
        if beyond == 0:
            if not is_closed:
                return False
            continue
        there = board[cell + (2 * (direction & 1) - 1) * (width if direction < LEFT else 1)]
        is_solid = (here | there) & SOLID > 0
        if is_closed != (there >> (direction ^ 1) & 1 == 1):
            return False
        if is_closed != is_solid and (is_solid or not has_thin_walls):
            return False
    return True


@kernel
def flaw_of_planes(board, cells):
    """Return BAD_PLANE if a plane after the first does not tell of one item, where it is and what its goal is."""
    for start in range(cells, board.size, cells):
        items = goals = 0
        for cell in range(cells):
            flags, below = board[start + cell], board[cell]
            if flags & (WALLS | SOLID):
                return BAD_PLANE
            if flags & AGENT and not (flags & ITEM and below & AGENT):
                return BAD_PLANE
            if flags & GOAL and not below & GOAL:
                return BAD_PLANE
            if flags & ITEM and not (flags & AGENT or below & GOAL):
                return BAD_PLANE
            items += flags & ITEM > 0
            goals += flags & GOAL > 0
        if items != 1 or goals != 1:
            return BAD_PLANE
    return SOUND
