"""The states that an episode has seen: a table of keys for each world, so that `novel` costs no search.

A table is a row of uint64[N, K], open addressing, 0 is free; K is a power of two. N tables stand in one array and grow together.
"""

import numpy as np

from textworlds.kernel import kernel

MIN_SLOTS = 64


@kernel
def first_slot(history, key):
    """Return where in a table of states seen to look for a key first. Unsigned, as an index that may be negative costs."""
    return key >> np.uint64(20) & np.uint64(history.shape[1] - 1)


@kernel
def remember(history, world, key):
    """Add a key to a world's table of states seen; return True if it was not there.

    Args:
        history: uint64[N, K], never full.
    """
    key |= np.uint64(1)
    slot = first_slot(history, key)
    while history[world, slot] != 0 and history[world, slot] != key:
        slot = first_slot(history, (slot + np.uint64(1)) << np.uint64(20))
    is_new = history[world, slot] == 0
    history[world, slot] = key  # also if it was there: a branch that is taken every other time costs more
    return is_new


@kernel
def rehash(history, wider):
    """Put all states seen into larger tables, both uint64[N, K]."""
    for world in range(history.shape[0]):
        for slot in range(history.shape[1]):
            if history[world, slot] != 0:
                remember(wider, world, history[world, slot])


class History:
    """The tables of N worlds, with room for what is still to be seen.

    Args:
        num_worlds: N.
        keeps: False to keep no states; the tables have no slots then.

    Attributes:
        tables: uint64[N, K].
        most: the most novel states that any episode has had so far.
        room: as many novel states have room; infinite if none are kept.
    """

    def __init__(self, num_worlds: int, keeps: bool) -> None:
        self.tables = np.zeros((num_worlds, MIN_SLOTS if keeps else 0), np.uint64)
        self.most, self.room = 0, room_in(MIN_SLOTS) if keeps else np.inf

    def make_room(self, num_actions: int) -> None:
        """Keep the tables at most seven eighths full, whatever a turn of so many actions finds."""
        if self.most + num_actions < self.room:
            return
        slots = self.tables.shape[1]
        while self.most + num_actions >= room_in(slots):
            slots *= 2
        wider = np.zeros((len(self.tables), slots), np.uint64)
        rehash.lean()(self.tables, wider)
        self.tables, self.room = wider, room_in(slots)

    def copy(self) -> "History":
        copy = History(0, False)
        copy.tables, copy.most, copy.room = self.tables.copy(), self.most, self.room
        return copy


def room_in(slots: int) -> int:
    """Return how many states a table of so many slots takes: seven eighths."""
    return 7 * slots // 8
