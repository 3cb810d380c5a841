"""The states that an episode has seen: a table of keys for each world, so that `novel` costs no search.

All tables stand in one array, each as long as its own world needs, as most episodes see few states and some see many:

    keys      world 0, 64 slots | world 1, 64 slots | world 2, 128 slots  | ... | spare slots for tables that grow
    places    start 0, mask 63, | 64, 63, 30        | 128, 127, 60        | ...
              left 55           |                   |                     |

A table is of open addressing, 0 is free. It is never more than seven eighths full; `left` counts what may still come.
"""

from typing import NamedTuple

import numpy as np

from textworlds.kernel import kernel

MIN_SLOTS = 64
SPARE = 16  # one slot in so many is spare
ENDLESS = np.iinfo(np.int64).max
START, MASK, LEFT = range(3)  # columns of places: where a table begins; its slots, a power of two, less one; see above


class Tables(NamedTuple):
    """The tables of N worlds as kernels see them; none are kept if there are no places."""

    keys: np.ndarray  # uint64[S]
    places: np.ndarray  # int64[N, 3], columns START, MASK and LEFT


@kernel
def room_of(slots):
    """Return how many states a table of so many slots takes: seven eighths."""
    return slots - slots // 8


@kernel
def first_slot(tables, world, key):
    """Return where to look for a key first."""
    return tables.places[world, START] + np.int64(key >> np.uint64(20) & np.uint64(tables.places[world, MASK]))


@kernel
def remember_from(tables, world, key, slot):
    """Do as `remember`, with the first_slot of the key at hand."""
    key |= np.uint64(1)
    start, mask = tables.places[world, START], tables.places[world, MASK]
    while tables.keys[slot] != 0 and tables.keys[slot] != key:
        slot = start + (slot - start + 1 & mask)
    is_new = tables.keys[slot] == 0
    tables.keys[slot] = key  # also if it was there: a branch that is taken every other time costs more
    tables.places[world, LEFT] -= is_new
    return is_new


@kernel
def remember(tables, world, key):
    """Add a key to a world's table, which is not full; return True if it was not there."""
    return remember_from(tables, world, key, first_slot(tables, world, key))


@kernel
def forget_all_but(tables, world, key):
    """Clear a world's table, but for one key."""
    start, slots = tables.places[world, START], tables.places[world, MASK] + 1
    for slot in range(start, start + slots):
        tables.keys[slot] = 0
    tables.places[world, LEFT] = room_of(slots)
    remember(tables, world, key)


@kernel
def move(tables, wider, worlds):
    """Put the states of the listed worlds, int64[K], into their tables in `wider`, which are empty."""
    for world in worlds:
        start = tables.places[world, START]
        for slot in range(start, start + tables.places[world, MASK] + 1):
            if tables.keys[slot] != 0:
                remember(wider, world, tables.keys[slot])


class History:
    """The tables of N worlds, with room for what is still to be seen.

    Args:
        num_worlds: N.
        keeps: False to keep no states.

    Attributes:
        tables: for kernels.
        room: no table has less room than for so many states more.
    """

    def __init__(self, num_worlds: int, keeps: bool) -> None:
        self.tables = Tables(np.zeros(0, np.uint64), np.zeros((0, 3), np.int64))
        self.room = ENDLESS
        if keeps:
            self._lay_out(np.full(num_worlds, MIN_SLOTS))
            self.room = int(self.tables.places[0, LEFT]) - 1  # the first state is in none yet

    @property
    def keeps(self) -> bool:
        return len(self.tables.places) > 0

    def make_room(self, num_actions: int) -> None:
        """Have room for whatever a turn of so many actions finds."""
        if num_actions <= self.room:
            return
        places = self.tables.places
        slots = places[:, MASK] + 1
        wider, seen = slots.copy(), room_of.function(slots) - places[:, LEFT]
        while (tight := room_of.function(wider) - seen < num_actions).any():
            wider[tight] *= 2
        if (grown := np.flatnonzero(wider > slots)).size:
            self._grow(grown, wider)
        self.room = int(self.tables.places[:, LEFT].min())

    def copy(self) -> "History":
        copy = History(0, False)
        copy.tables, copy.room, copy._used = Tables(*(array.copy() for array in self.tables)), self.room, self._used
        return copy

    _used = 0  # slots that are not spare

    def _lay_out(self, slots: np.ndarray) -> None:
        """Begin anew with empty tables of so many slots, int64[N]."""
        ends = np.cumsum(slots)
        self._used = int(ends[-1])
        self.tables = Tables(np.zeros(self._used + self._used // SPARE, np.uint64), _places(ends, slots))

    def _grow(self, worlds: np.ndarray, slots: np.ndarray) -> None:
        """Move the listed worlds into spare slots, or all into a new array if there are too few; int64[N], their slots."""
        tables, ends, own = self.tables, self._used + np.cumsum(slots[worlds]), slots[worlds]
        if ends[-1] <= len(tables.keys):
            places = tables.places.copy()
            places[worlds] = _places(ends, own)
            self.tables, self._used = Tables(tables.keys, places), int(ends[-1])
        else:
            self._lay_out(slots)
            worlds = np.arange(len(slots))
        move.lean()(tables, self.tables, worlds)


def _places(ends: np.ndarray, slots: np.ndarray) -> np.ndarray:
    """Return the places, int64[K, 3], of empty tables that end where they do and have so many slots, both int64[K]."""
    return np.stack([ends - slots, slots - 1, room_of.function(slots)], axis=1)
