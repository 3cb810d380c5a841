"""Turns of any puzzle: actions in, the state changed in place, and a ledger of what each action did.

A turn is the list of actions given at once. The ledger is uint8[2, N, T]: for action t of world n,
ledger[FLAGS, n, t] holds the flags below and ledger[REASONS, n, t] the reason code (grid.CHANGED if it changed the
world). `step` says whether an action changed the world; nothing recomputes it.
"""

from functools import cache
from typing import NamedTuple

import numpy as np

from textworlds.grid import CHANGED, SOLVED, SOLVED_ALREADY, copy_cells, settle
from textworlds.kernel import Kernel, kernel
from textworlds.puzzles.puzzle import Puzzle
from textworlds.random import below, start_stream

FLAGS, REASONS = range(2)
NO_ACTION = -1

# Flags of one action. Reversal: back to the state before the last change. Progress: fewer goals left than ever before
# in this episode, so that a box pushed off its goal and on again gains nothing.
FLAG_NAMES = ("played", "changed", "novel", "reversal", "progress")
PLAYED, HAS_CHANGED, NOVEL, REVERSAL, PROGRESS = (1 << bit for bit in range(len(FLAG_NAMES)))


# Each puzzle's own, put in place by Kernel.bind.
step: Kernel
goals_left: Kernel
is_lost: Kernel


@kernel
def remember(history, world, key):
    """Add a key to a world's table of states seen; return True if it was not there.

    Args:
        history: uint64[N, K], open addressing, 0 is free; K is a power of two and never full.
    """
    slots = history.shape[1]
    key |= np.uint64(1)
    slot = np.int64(key >> np.uint64(20)) & (slots - 1)
    while history[world, slot] != 0:
        if history[world, slot] == key:
            return False
        slot = (slot + 1) & (slots - 1)
    history[world, slot] = key
    return True


@kernel
def act(state, world, history, action):
    """Play one action; return its flags and reason."""
    book = state.book[world]
    if book.left == 0:
        return 0, SOLVED_ALREADY
    key = book.key
    reason = step(state, world, 0, action)
    if reason != CHANGED:
        return PLAYED, reason
    flags = PLAYED | HAS_CHANGED
    if book.key == book.before:
        flags |= REVERSAL
    book.before = key
    if remember(history, world, book.key):
        flags |= NOVEL
    if book.left < book.fewest:
        flags |= PROGRESS
        book.fewest = book.left
    return flags, reason


@kernel
def play_turn(state, world, history, actions, pay, ledger):
    """Play one world's actions up to the first NO_ACTION; count and pay them."""
    book = state.book[world]
    for turn in range(actions.shape[1]):
        if actions[world, turn] == NO_ACTION:
            break
        flags, reason = act(state, world, history, actions[world, turn])
        ledger[FLAGS, world, turn] = flags
        ledger[REASONS, world, turn] = reason
        book.num_changed += flags & HAS_CHANGED != 0
        book.num_novel += flags & NOVEL != 0
        if flags & PLAYED:
            book.reward += pay[SOLVED if book.left == 0 else reason]


@kernel
def play(state, history, actions, asked, pay, ledger):
    """Play a turn in every world whose episode is not over.

    Args:
        state: changed in place, its book with it: reward, terminated and truncated of this turn.
        history: uint64[N, K], with room for T more states in each world.
        actions: int8[N, T], each row padded with NO_ACTION.
        asked: int64[N], actions that each message asked for, those over the limit included.
        pay: float64[R], the reward of an action by its reason code; pay[SOLVED] for the one that solves the level.
        ledger: uint8[2, N, T], all zero; filled in.

    Returns:
        The largest number of novel states that any world has seen in its episode.
    """
    most_novel = 0
    for world in range(actions.shape[0]):
        book = state.book[world]
        book.reward = 0.0
        if book.terminated or book.truncated:
            continue
        play_turn(state, world, history, actions, pay, ledger)
        book.num_turns += 1
        book.num_asked += asked[world]
        book.terminated = book.left == 0
        book.truncated = book.num_turns >= book.turn_limit and not book.terminated
        most_novel = max(most_novel, book.num_novel)
    return most_novel


@kernel
def begin(state, history, world, turn_limit):
    """Begin an episode in a world whose board was just written."""
    settle(state, world)
    book = state.book[world]
    book.before = 0
    book.num_asked = book.num_changed = book.num_novel = book.num_turns = 0
    book.turn_limit = turn_limit
    book.left = book.fewest = goals_left(state, world)
    book.lost = is_lost(state, world)
    book.terminated = book.truncated = False
    book.reward = 0.0
    history[world] = 0
    remember(history, world, book.key)


@kernel
def begin_with(state, history, worlds, boards, indices, turn_limit):
    """Begin an episode in each of the listed worlds, with levels given or drawn by its seed and episode.

    Args:
        worlds: int64[K].
        boards: uint8[L, P * H * W], the levels to draw from.
        indices: int64[K], which of them each world plays; -1 to draw one.
    """
    rng = np.empty(1, np.uint64)
    for place, world in enumerate(worlds):
        index = indices[place]
        if index < 0:
            start_stream(rng, state.book[world].seed, state.book[world].episode)
            index = below(rng, boards.shape[0])
        copy_cells(boards[index], state.board[world])
        begin(state, history, world, turn_limit)
        state.book[world].index = index


@kernel
def begin_all(state, history, worlds, turn_limit):
    """Begin an episode in each of the listed worlds, whose boards were just written."""
    for world in worlds:
        begin(state, history, world, turn_limit)
        state.book[world].index = -1


@kernel
def rehash(history, wider):
    """Put all states seen into larger tables, both uint64[N, K]."""
    for world in range(history.shape[0]):
        for slot in range(history.shape[1]):
            if history[world, slot] != 0:
                remember(wider, world, history[world, slot])


@kernel
def try_actions(scratch, state, masks):
    """Fill in which actions would change each world by the rules, bool[N, actions], as in Gymnasium's Taxi also once it
    is solved; `scratch` is a copy of the state to play in.
    """
    for world in range(masks.shape[0]):
        for action in range(masks.shape[1]):
            if step(scratch, world, 0, action) == CHANGED:
                masks[world, action] = True
                copy_cells(state.board[world], scratch.board[world])
                copy_cells(state.agents[world], scratch.agents[world])
                scratch.book[world] = state.book[world]


class Turns(NamedTuple):
    """The kernels of this file, bound to one puzzle."""

    play: Kernel
    begin_with: Kernel
    begin_all: Kernel
    rehash: Kernel
    try_actions: Kernel


@cache
def turns_of(puzzle: Puzzle) -> Turns:
    """Return the kernels that play a puzzle."""
    verbs = {"step": puzzle.step, "goals_left": puzzle.goals_left, "is_lost": puzzle.is_lost}
    hot, *others = (kernel.bind(**verbs) for kernel in (play, begin_with, begin_all, rehash, try_actions))
    return Turns(hot.lean(), *others)
