"""The states that an episode has seen: a table of keys for each world, so that `novel` costs no search.

A table is a row of uint64[N, K], open addressing, 0 is free; K is a power of two. N tables stand in one array and grow together.
"""

import numpy as np

from textworlds.kernel import kernel


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
