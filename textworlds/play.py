"""Turns of any puzzle: actions in, the state changed in place, and a ledger of what each action did.

A turn is the list of actions given at once. The ledger is LINE[N, T]: what became of action t of world n. `step` says
whether an action changed the world; nothing recomputes it.
"""

from collections.abc import Callable
from functools import cache
from struct import Struct
from typing import Any

import numpy as np

from textworlds.beginnings import empty_bank, go_on
from textworlds.grid import (
    CHANGED,
    NO_ACTION,
    NOT_ASKED,
    SOLVED,
    SOLVED_ALREADY,
    copy_cells,
    new_records,
    new_state,
)
from textworlds.history import ENDLESS, LEFT, History, first_slot, remember_from
from textworlds.kernel import Kernel, kernel
from textworlds.puzzles.puzzle import Puzzle
from textworlds.views import WHOLE, WatchedState, new_memory, step_and_look

# Reversal: back to the state before the last change. Progress: fewer goals left than ever before in this episode, so that
# a box pushed off its goal and on again gains nothing.
FLAG_NAMES = ("played", "changed", "novel", "reversal", "progress")
LINE = np.dtype([(name, "?") for name in FLAG_NAMES] + [("reason", "u1")])  # grid.CHANGED, or why nothing changed
REASON = len(FLAG_NAMES)  # place in a line

KEY, WORLD, TURN, SLOT = FOUND = range(4)  # rows of the list of states found; the last is where to look one up

# When the next episode begins in a world whose episode is over; Gymnasium's names.
DISABLED, SAME_STEP, NEXT_STEP = range(3)

BLOCK = 64  # worlds that are played before the states they came to are looked up; see fetch


# Each puzzle's own, put in place by Kernel.bind.
step: Kernel

TOLD = np.dtype(  # what is told of each world after a turn; the same as in grid.BOOK, but for what is explained
    [
        ("reward", "f8"),
        ("outcome_reward", "f8"),  # what the episode was paid for being solved
        ("num_turns", "i4"),
        ("num_asked", "i4"),
        ("num_changed", "i4"),
        ("num_novel", "i4"),
        ("left", "i4"),
        ("index", "i4"),
        ("took_part", "?"),  # the episode was not over before the turn
        ("terminated", "?"),  # in this turn
        ("truncated", "?"),  # in this turn
        ("lost", "?"),
        ("solved", "?"),
    ],
    align=True,
)

# The first record of TOLD[N] as a tuple, in a third of the time that told.item(0) takes.
TOLD_NAMES = TOLD.names or ()
read_told: Callable[[Any], tuple[Any, ...]] = Struct("@" + "".join(TOLD[name].char for name in TOLD_NAMES)).unpack_from


def new_told(book: np.ndarray) -> np.ndarray:
    """Return TOLD[N] in which nothing has been told yet of the worlds in a book, BOOK[N]."""
    return new_records(book.shape, TOLD, book)


def new_ledger(num_actions: int, book: np.ndarray) -> np.ndarray:
    """Return LINE[N, T] in which nothing has been written yet."""
    return new_records((len(book), num_actions), LINE, book)


@kernel
def act(state, world, agent, action, ledger, turn):
    """Play one action and write its line in the ledger, `novel` as False for now; return its reason."""
    book, line = state.book[world], ledger[world, turn]
    key = book.key
    reason = step(state, world, agent, action)
    changed = reason == CHANGED
    line.played, line.changed, line.novel, line.reason = True, changed, False, reason
    line.reversal = changed and book.key == book.before
    line.progress = book.left < book.fewest
    book.fewest = min(book.fewest, book.left)
    if changed:
        book.before = key
    return reason


@kernel
def skip(world, reason, ledger, turn):
    """Write the line of an action that was not played."""
    line = ledger[world, turn]
    line.played = line.changed = line.novel = line.reversal = line.progress = False
    line.reason = reason


# Who plays, and whether a turn ends with it. A turn of several agents is one part for each; multi.turns puts its own in place.


@kernel
def mover(state, world):
    """Return which agent plays: the only one."""
    return 0


@kernel
def is_last(state):
    """Return whether no other agent plays after this one in the turn."""
    return True


@kernel
def play_turn(state, world, actions, asked, pay, ledger, found, num_found):
    """Play one world's actions, but for NO_ACTION, and end its turn; return num_found with the states it came to.

    Args:
        found: uint64[4, BLOCK * T], rows KEY, WORLD, TURN and SLOT: the states that worlds came to, `num_found` so far.
    """
    book, agent = state.book[world], mover(state, world)
    num_changed, reward = 0, 0.0
    for turn in range(actions.shape[1]):
        action = actions[world, turn]
        if action == NO_ACTION or book.left == 0:
            skip(world, NOT_ASKED if action == NO_ACTION else SOLVED_ALREADY, ledger, turn)
        else:
            reason = act(state, world, agent, action, ledger, turn)
            num_changed += reason == CHANGED
            reward += pay[SOLVED if book.left == 0 else reason]
            found[KEY, num_found], found[WORLD, num_found], found[TURN, num_found] = book.key, world, turn
            num_found += reason == CHANGED  # else the next one takes its place: no branch, which would be a coin's toss
    book.num_changed += num_changed
    book.reward = reward
    book.num_turns += is_last(state)
    book.num_asked += asked[world]
    book.terminated = is_last(state) and book.left == 0
    book.truncated = is_last(state) and book.num_turns >= book.turn_limit and not book.terminated
    return num_found


@kernel
def sit_out(state, world, ledger):
    """Write down that a world's episode was over before the turn."""
    state.book[world].reward = 0.0
    for turn in range(ledger.shape[1]):
        skip(world, NOT_ASKED, ledger, turn)


@kernel
def fetch(history, found, num_found):
    """Read where the states found will be looked up; return nothing of use.

    The tables lie far away in memory. Reads that nothing depends on are waited for all at once, a dozen at a time.
    """
    read = np.uint64(0)
    for place in range(num_found):
        slot = first_slot(history, found[WORLD, place], found[KEY, place])
        found[SLOT, place] = slot
        read |= history.keys[slot]
    return read


@kernel
def look_up(state, history, ledger, found, num_found):
    """Fill in which actions led to a new state; return for how many more states any of these worlds still has room."""
    room = ENDLESS
    for place in range(num_found):
        world = found[WORLD, place]
        is_new = remember_from(history, world, found[KEY, place], np.int64(found[SLOT, place]))
        ledger[world, found[TURN, place]].novel = is_new
        state.book[world].num_novel += is_new
        room = min(room, history.places[world, LEFT])
    return room


@kernel
def is_over(state, world):
    """Return whether a world's episode is over."""
    return state.book[world].terminated or state.book[world].truncated


@Kernel.apart
@kernel
def play_block(state, history, found, actions, asked, pay, ledger, told, start, stop):
    """Play a turn in a block of worlds; see play."""
    num_found = 0
    for world in range(start, stop):
        told[world].took_part = not is_over(state, world)
        if is_over(state, world):
            sit_out(state, world, ledger)
        else:
            num_found = play_turn(state, world, actions, asked, pay, ledger, found, num_found)
    if history.places.shape[0] == 0:
        return ENDLESS, np.uint64(0)
    read = fetch(history, found, num_found)
    return look_up(state, history, ledger, found, num_found), read


@kernel
def tell(state, world, pay, told):
    """Fill in what is told of a world, by its book and by whether it took part in the turn."""
    book, line = state.book[world], told[world]
    line.reward = book.reward
    line.outcome_reward = pay[SOLVED] if book.left == 0 else 0.0
    line.num_turns, line.num_asked = book.num_turns, book.num_asked
    line.num_changed, line.num_novel = book.num_changed, book.num_novel
    line.left, line.index = book.left, book.index
    line.terminated = book.terminated and line.took_part
    line.truncated = book.truncated and line.took_part
    line.lost, line.solved = book.lost, book.left == 0


@kernel
def tell_of(state, worlds, pay, told):
    """Fill in what is told of the listed worlds, int64[K]."""
    for world in worlds:
        tell(state, world, pay, told)


@Kernel.apart
@kernel
def tell_of_block(state, pay, told, start, stop):
    """Fill in what is told of a block of worlds; return how many of them have ended their episodes."""
    num_over = 0
    for world in range(start, stop):
        tell(state, world, pay, told)
        num_over += is_over(state, world)
    return num_over


@kernel
def play(
    state, history, found, actions, asked, pay, ledger, told, bank, autoreset, turn_limit, rng, ended, first, last
):
    """Play a turn in every world from `first` to before `last` whose episode is not over, tell of it, and go on.

    Block by block, so that a block's worlds are near while they are played, told of and begun anew.

    Args:
        state: changed in place, its book with it: reward, terminated and truncated of this turn.
        history: history.Tables with room for T more states in each world, or without places to look none up.
        found: uint64[4, BLOCK * T], to work in.
        actions: int8[N, T], each row padded with NO_ACTION.
        asked: int64[N], actions that each message asked for, those over the limit included.
        pay: float64[R], the reward of an action by its reason code; pay[SOLVED] for the one that solves the level.
        ledger: LINE[N, T], filled in.
        told: TOLD[N], filled in with what is true before an autoreset of the same step.
        bank: the levels to draw from.
        autoreset: DISABLED, SAME_STEP or NEXT_STEP.
        turn_limit: of the episodes that begin.
        rng: uint64[1], to work in.
        ended: uint8[N, P * H * W]; the boards of episodes that ended are kept here if others begin in the same step.

    Returns:
        For how many more states any world that found some still has room; how many worlds' episodes were over after the turn;
        and what `fetch` returned, so that the compiler does not leave it out.
    """
    room, num_over, read = ENDLESS, 0, np.uint64(0)
    for start in range(first, last, BLOCK):
        stop = min(start + BLOCK, last)
        room_here, read_here = play_block(state, history, found, actions, asked, pay, ledger, told, start, stop)
        room, read = min(room, room_here), read | read_here
        if autoreset == NEXT_STEP:
            for world in range(start, stop):
                if not told[world].took_part:
                    go_on(state, history, world, bank, rng, turn_limit)
        num_over_here = tell_of_block(state, pay, told, start, stop)
        num_over += num_over_here
        if autoreset == SAME_STEP and num_over_here:
            for world in range(start, stop):
                if is_over(state, world):
                    copy_cells(state.board[world], ended[world])
                    go_on(state, history, world, bank, rng, turn_limit)
    return room, num_over, read


@kernel
def play_alone(state, history, found, actions, asked, pay, ledger, told):
    """Play a turn in the only world as `play` does; half as many arguments, which take longer to read than the turn."""
    room, read = play_block(state, history, found, actions, asked, pay, ledger, told, 0, 1)
    tell(state, 0, pay, told)
    return room, read


@kernel
def narrow(numbers, num_actions, actions):
    """Write action numbers, int64[N], as int8[N, 1]; return whether all are actions."""
    any_wrong = False
    for world in range(numbers.shape[0]):
        any_wrong |= numbers[world] < 0 or numbers[world] >= num_actions
        actions[world, 0] = numbers[world]
    return not any_wrong


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


@cache
def trier_of(puzzle: Puzzle) -> Kernel:
    """Return `try_actions` for a puzzle."""
    return try_actions.bind(**puzzle.verbs).lean()


@cache
def player_of(puzzle: Puzzle, is_watched: bool = False) -> Callable[..., tuple[int, int, int]]:
    """Return `play` for a puzzle, for arguments that are contiguous and of just the dtypes that it names.

    Or, if the turns are watched, for a views.WatchedState, whose memory it keeps after each action.
    """
    turn, rng = _turn_of(puzzle, is_watched), np.zeros(1, np.uint64)
    state = new_state(1, (1, 1, 1))
    rest = (empty_bank(state.board, state), DISABLED, 0, rng, state.board, 0, 1)
    return _bound(play, puzzle, is_watched).entry(*turn, *rest)


@cache
def lone_player_of(puzzle: Puzzle, is_watched: bool = False) -> Callable[..., tuple[int, int]]:
    """Return `play_alone` for a puzzle, for such arguments."""
    return _bound(play_alone, puzzle, is_watched).entry(*_turn_of(puzzle, is_watched))


def _bound(turns: Kernel, puzzle: Puzzle, is_watched: bool) -> Kernel:
    """Return a kernel that plays turns of a puzzle."""
    verbs = puzzle.verbs
    if is_watched:
        verbs["step"] = step_and_look.bind(unwatched_step=puzzle.step)
    return turns.bind(**verbs).lean()


def _turn_of(puzzle: Puzzle, is_watched: bool) -> tuple[Any, ...]:
    """Return the first eight arguments of `play` for a turn of one action."""
    plain = new_state(1, (1, 1, 1))
    state = WatchedState(*plain, WHOLE, new_memory(WHOLE, 1, (1, 1, 1))) if is_watched else plain
    history, found = History(1, True).tables, np.zeros((len(FOUND), 1), np.uint64)
    actions, asked = np.zeros((1, 1), np.int8), np.zeros(1, np.int64)
    return state, history, found, actions, asked, np.zeros(1), new_ledger(1, plain.book), new_told(plain.book)


@cache
def teller() -> Callable[..., None]:
    """Return `tell_of`, for such arguments."""
    state = new_state(1, (1, 1, 1))
    return tell_of.lean().entry(state, np.zeros(1, np.int64), np.zeros(1), new_told(state.book))


@cache
def narrower() -> Callable[..., bool]:
    """Return `narrow`, for such arguments."""
    return narrow.lean().entry(np.zeros(1, np.int64), 1, np.zeros((1, 1), np.int8))
