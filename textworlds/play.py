"""Turns of any puzzle: actions in, the state changed in place, and a ledger of what each action did.

A turn is the list of actions given at once. The ledger is uint8[6, N, T]: for action t of world n, ledger[f, n, t] is
flag f below, 0 or 1, and ledger[REASON, n, t] the reason code (grid.CHANGED if it changed the world). `step` says
whether an action changed the world; nothing recomputes it.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from textworlds.grid import CHANGED, NO_ACTION, NOT_ASKED, SOLVED, SOLVED_ALREADY, copy_cells, new_state, settle
from textworlds.kernel import Kernel, kernel
from textworlds.puzzles.puzzle import Puzzle
from textworlds.random import below, start_stream

# Rows of the ledger. Reversal: back to the state before the last change. Progress: fewer goals left than ever before
# in this episode, so that a box pushed off its goal and on again gains nothing.
FLAG_NAMES = ("played", "changed", "novel", "reversal", "progress")
PLAYED, HAS_CHANGED, NOVEL, REVERSAL, PROGRESS, REASON = range(6)
LEDGER_ROWS = REASON + 1

BLOCK = 64  # worlds that are played before the states they came to are looked up; see fetch


# Each puzzle's own, put in place by Kernel.bind.
step: Kernel
goals_left: Kernel
is_lost: Kernel


@kernel
def first_slot(history, key):
    """Return where in a table of states seen to look for a key first. Unsigned, as an index that may be negative costs."""
    return key >> np.uint64(20) & np.uint64(history.shape[1] - 1)


@kernel
def remember(history, world, key):
    """Add a key to a world's table of states seen; return True if it was not there.

    Args:
        history: uint64[N, K], open addressing, 0 is free; K is a power of two and never full.
    """
    key |= np.uint64(1)
    slot = first_slot(history, key)
    while history[world, slot] != 0 and history[world, slot] != key:
        slot = first_slot(history, (slot + np.uint64(1)) << np.uint64(20))
    is_new = history[world, slot] == 0
    history[world, slot] = key  # also if it was there: a branch that is taken every other time costs more
    return is_new


@kernel
def act(state, world, agent, action, ledger, turn):
    """Play one action and write its line in the ledger, but for NOVEL; return its reason."""
    book = state.book[world]
    key = book.key
    reason = step(state, world, agent, action)
    ledger[PLAYED, world, turn] = 1
    ledger[HAS_CHANGED, world, turn] = reason == CHANGED
    ledger[REVERSAL, world, turn] = reason == CHANGED and book.key == book.before
    ledger[PROGRESS, world, turn] = book.left < book.fewest
    ledger[REASON, world, turn] = reason
    book.fewest = min(book.fewest, book.left)
    if reason == CHANGED:
        book.before = key
    return reason


@kernel
def skip(world, reason, ledger, turn):
    """Write the line of an action that was not played."""
    for row in range(REASON):
        ledger[row, world, turn] = 0
    ledger[REASON, world, turn] = reason


@kernel
def play_turn(state, world, agent, actions, pay, ledger, keys, place):
    """Play an agent's actions in one world, but for NO_ACTION; count and pay them, and keep the key after each."""
    book = state.book[world]
    num_changed, reward = 0, 0.0
    for turn in range(actions.shape[1]):
        action = actions[world, turn]
        if action == NO_ACTION or book.left == 0:
            skip(world, NOT_ASKED if action == NO_ACTION else SOLVED_ALREADY, ledger, turn)
        else:
            reason = act(state, world, agent, action, ledger, turn)
            num_changed += reason == CHANGED
            reward += pay[SOLVED if book.left == 0 else reason]
        keys[place, turn] = book.key
    book.num_changed += num_changed
    book.reward = reward


@kernel
def end_turn(state, world, asked, history, ledger, keys, place, is_last):
    """Fill in which of a world's actions led to a new state, and end its turn if the last agent has played."""
    book = state.book[world]
    for turn in range(keys.shape[1]):
        is_new = history.shape[1] != 0 and remember(history, world, keys[place, turn])
        ledger[NOVEL, world, turn] = is_new
        book.num_novel += is_new
    book.num_turns += is_last
    book.num_asked += asked[world]
    book.terminated = is_last and book.left == 0
    book.truncated = is_last and book.num_turns >= book.turn_limit and not book.terminated


@kernel
def sit_out(state, world, ledger):
    """Write down that a world's episode was over before the turn."""
    state.book[world].reward = 0.0
    for turn in range(ledger.shape[2]):
        skip(world, NOT_ASKED, ledger, turn)


@kernel
def fetch(history, keys, start, stop):
    """Read where a block's worlds will look their new states up; return nothing of use.

    The tables lie far away in memory. Reads that nothing depends on are waited for all at once, a dozen at a time.
    """
    read = np.uint64(0)
    for world in range(start, stop if history.shape[1] else start):
        for turn in range(keys.shape[1]):
            read |= history[world, first_slot(history, keys[world - start, turn])]
    return read


@kernel
def play(state, history, keys, actions, asked, pay, ledger, movers, is_last, first, last):
    """Play a turn in every world from `first` to before `last` whose episode is not over, a block of worlds at a time.

    A turn of several agents is one call for each, in the order in which they move; the last one ends the turn.

    Args:
        state: changed in place, its book with it: reward, terminated and truncated of this turn.
        history: uint64[N, K], with room for T more states in each world; K = 0 to look none up.
        keys: uint64[BLOCK, T], to work in.
        actions: int8[N, T], each row padded with NO_ACTION.
        asked: int64[N], actions that each message asked for, those over the limit included.
        pay: float64[R], the reward of an action by its reason code; pay[SOLVED] for the one that solves the level.
        ledger: uint8[6, N, T], filled in.
        movers: uint8[N], the agent that plays in each world.
        is_last: whether this call ends the turn.

    Returns:
        The largest number of novel states that any world has seen in its episode, and what `fetch` returned, so that the
        compiler does not leave it out.
    """
    most_novel, read = 0, np.uint64(0)
    for start in range(first, last, keys.shape[0]):
        stop = min(start + keys.shape[0], last)
        for world in range(start, stop):
            if state.book[world].terminated or state.book[world].truncated:
                sit_out(state, world, ledger)
            else:
                play_turn(state, world, movers[world], actions, pay, ledger, keys, world - start)
        read |= fetch(history, keys, start, stop)
        for world in range(start, stop):
            if not (state.book[world].terminated or state.book[world].truncated):
                end_turn(state, world, asked, history, ledger, keys, world - start, is_last)
                most_novel = max(most_novel, state.book[world].num_novel)
    return most_novel, read


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
    for slot in range(history.shape[1]):
        history[world, slot] = 0
    if history.shape[1]:
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
def try_actions(scratch, state, agent, masks):
    """Fill in which of an agent's actions would change each world by the rules, bool[N, actions], as in Gymnasium's
    Taxi also once it is solved; `scratch` is a copy of the state to play in.
    """
    for world in range(masks.shape[0]):
        for action in range(masks.shape[1]):
            if step(scratch, world, agent, action) == CHANGED:
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


@cache
def player_of(puzzle: Puzzle) -> Callable[..., tuple[int, int]]:
    """Return `play` for a puzzle, for arguments that are contiguous and of just the dtypes that it names."""
    keys, asked = np.zeros((BLOCK, 1), np.uint64), np.zeros(1, np.int64)
    actions, ledger = np.zeros((1, 1), np.int8), np.zeros((LEDGER_ROWS, 1, 1), np.uint8)
    movers = np.zeros(1, np.uint8)
    state, pay = new_state(1, (1, 1, 1)), np.zeros(1)
    return turns_of(puzzle).play.entry(state, keys, keys, actions, asked, pay, ledger, movers, True, 0, 1)
