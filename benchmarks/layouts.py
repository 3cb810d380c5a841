"""Compare two layouts of a world's data; the numbers behind the choice in docs/design.md.

Lists: walls (a bit for each closed direction) and short lists of cells for goals, items and agents.
Board: one byte a cell with eight flags, plus the agents' cells and a counter of goals left.
Both play the rules of Sokoban on 10x10 boards with 4 boxes. Run: python benchmarks/layouts.py
"""

import time
from typing import NamedTuple

import numpy as np
from numba import njit

SIZE, BOXES, TURNS = 10, 4, 64
UP, DOWN, LEFT, RIGHT = range(4)
SOLID, GOAL, ITEM, AGENT = 16, 32, 64, 128
GLYPHS = np.full(256, ord("?"), np.uint8)
for flags in range(256):
    kind = (flags & SOLID and "#") or {0: "-", 1: ".", 2: "$", 3: "*", 4: "@", 5: "+"}.get(flags >> 5, "?")
    GLYPHS[flags] = ord(kind)


class Lists(NamedTuple):
    walls: np.ndarray  # uint8[N, H * W]
    goals: np.ndarray  # int32[N, G]
    agents: np.ndarray  # int32[N, A]
    items: np.ndarray  # int32[N, I]
    width: int


class Board(NamedTuple):
    board: np.ndarray  # uint8[N, H * W]
    agents: np.ndarray  # int32[N, A]
    left: np.ndarray  # int32[N]
    width: int


@njit
def offset(width, action):
    return (2 * (action & 1) - 1) * (width if action < LEFT else 1)


@njit
def find(cells, world, cell):
    for index in range(cells.shape[1]):
        if cells[world, index] == cell:
            return index
    return -1


@njit
def step_lists(state, world, action):
    cell = state.agents[world, 0]
    bit = 1 << action
    if state.walls[world, cell] & bit:
        return False
    to = cell + offset(state.width, action)
    box = find(state.items, world, to)
    if box >= 0:
        beyond = to + offset(state.width, action)
        if state.walls[world, to] & bit or find(state.items, world, beyond) >= 0:
            return False
        state.items[world, box] = beyond
    state.agents[world, 0] = to
    return True


@njit
def left_lists(state, world):
    left = 0
    for box in range(state.items.shape[1]):
        left += find(state.goals, world, state.items[world, box]) < 0
    return left


@njit
def step_board(state, world, action):
    cell = state.agents[world, 0]
    bit = 1 << action
    if state.board[world, cell] & bit:
        return False
    to = cell + offset(state.width, action)
    there = state.board[world, to]
    if there & ITEM:
        beyond = to + offset(state.width, action)
        if there & bit or state.board[world, beyond] & ITEM:
            return False
        state.board[world, to] ^= ITEM
        state.board[world, beyond] ^= ITEM
        state.left[world] += ((there & GOAL) != 0) - ((state.board[world, beyond] & GOAL) != 0)
    state.board[world, cell] ^= AGENT
    state.board[world, to] ^= AGENT
    state.agents[world, 0] = to
    return True


@njit
def play_lists(state, actions, changed, solved):
    for world in range(actions.shape[0]):
        changed[world] = step_lists(state, world, actions[world])
        solved[world] = left_lists(state, world) == 0


@njit
def play_board(state, actions, changed, solved):
    for world in range(actions.shape[0]):
        changed[world] = step_board(state, world, actions[world])
        solved[world] = state.left[world] == 0


@njit
def reset_lists(state, bank):
    for world in range(state.agents.shape[0]):
        state.walls[world] = bank.walls[world]
        state.goals[world] = bank.goals[world]
        state.agents[world] = bank.agents[world]
        state.items[world] = bank.items[world]


@njit
def reset_board(state, bank):
    for world in range(state.agents.shape[0]):
        state.board[world] = bank.board[world]
        state.agents[world] = bank.agents[world]
        state.left[world] = bank.left[world]


@njit
def text_lists(state, glyphs, text):
    for world in range(text.shape[0]):
        for cell in range(state.walls.shape[1]):
            text[world, cell + cell // state.width] = glyphs[state.walls[world, cell]]
        for goal in state.goals[world]:
            text[world, goal + goal // state.width] = glyphs[GOAL]
        for box in state.items[world]:
            place = box + box // state.width
            text[world, place] = glyphs[ITEM + GOAL * (text[world, place] == glyphs[GOAL])]
        for agent in state.agents[world]:
            place = agent + agent // state.width
            text[world, place] = glyphs[AGENT + GOAL * (text[world, place] == glyphs[GOAL])]


@njit
def text_board(state, glyphs, text):
    for world in range(text.shape[0]):
        place = 0
        for start in range(0, state.board.shape[1], state.width):
            for cell in range(start, start + state.width):
                text[world, place] = glyphs[state.board[world, cell]]
                place += 1
            place += 1


def random_boards(num_worlds):
    """Return walled boards with boxes, goals and a player at random cells, as Board."""
    rng = np.random.default_rng(0)
    board = np.zeros((num_worlds, SIZE, SIZE), np.uint8)
    board[:, [0, -1]] = board[:, :, [0, -1]] = SOLID
    inner = [row * SIZE + column for row in range(1, SIZE - 1) for column in range(1, SIZE - 1)]
    board = board.reshape(num_worlds, -1)
    for row in board:
        cells = rng.permutation(inner)
        row[cells[:12]], row[cells[12:16]], row[cells[16:20]], row[cells[20]] = SOLID, ITEM, GOAL, AGENT
    for direction, shift in enumerate((-SIZE, SIZE, -1, 1)):
        board |= ((np.roll(board, -shift, 1) & SOLID) > 0).astype(np.uint8) << direction
    agents = np.argmax(board & AGENT, 1).astype(np.int32)[:, None]
    return Board(board, agents, np.full(num_worlds, BOXES, np.int32), SIZE)


def as_lists(state):
    cells = [np.stack([np.flatnonzero(row & flag) for row in state.board]).astype(np.int32) for flag in (GOAL, ITEM)]
    return Lists(state.board & (SOLID | 15), cells[0], state.agents.copy(), cells[1], state.width)


def median_ns(function, num_worlds, runs=9, calls=200):
    function()
    times = []
    for _ in range(runs):
        start = time.perf_counter_ns()
        for call in range(calls):
            function(call)
        times.append((time.perf_counter_ns() - start) / calls / num_worlds)
    return float(np.median(times))


def main():
    for num_worlds in (1, 4096):
        bank = random_boards(num_worlds)
        start = {"lists": as_lists(bank), "board": bank}
        actions = np.random.default_rng(1).integers(0, 4, (TURNS, num_worlds))
        changed, solved = np.zeros((2, num_worlds), bool)
        text = np.full((num_worlds, SIZE * SIZE + SIZE), ord("\n"), np.uint8)
        kernels = {"lists": (play_lists, reset_lists, text_lists), "board": (play_board, reset_board, text_board)}
        texts = []
        for name, (play, reset, write) in kernels.items():
            state = type(start[name])(*(np.copy(part) if np.ndim(part) else part for part in start[name]))
            figures = {
                "step": median_ns(lambda k=0: play(state, actions[k % TURNS], changed, solved), num_worlds),  # noqa: B023
                "reset": median_ns(lambda k=0: reset(state, start[name]), num_worlds),  # noqa: B023
                "text": median_ns(lambda k=0: write(state, GLYPHS, text), num_worlds),  # noqa: B023
            }
            for k in range(TURNS):
                play(state, actions[k], changed, solved)
            write(state, GLYPHS, text)
            texts.append(text.tobytes())
            print(f"{num_worlds:5} worlds, {name}:", ", ".join(f"{key} {ns:7.1f} ns" for key, ns in figures.items()))
        assert texts[0] == texts[1], "the two layouts disagree"


if __name__ == "__main__":
    main()
