"""Random numbers for generators: the same on every platform and with every version of NumPy.

NumPy does not promise that its Generator's streams stay the same from version to version, and making one costs more
than making a maze. A stream here is one uint64 in an array, advanced by SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
"""

import numpy as np

from textworlds.kernel import kernel


@kernel
def mix(value):
    """Return a uint64 in which each bit hangs on every bit of `value`, a uint64: SplitMix64's finaliser."""
    value = (value ^ value >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ value >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return value ^ value >> np.uint64(31)


@kernel
def advance(rng):
    """Return the next uint64 of a stream.

    Args:
        rng: uint64[1], changed in place.
    """
    rng[0] += np.uint64(0x9E3779B97F4A7C15)
    return mix(rng[0])


@kernel
def start_stream(rng, seed, episode):
    """Set a stream to the start of the level number `episode` of a seed.

    Both are mixed in turn, so that neighbouring seeds and episodes share nothing: (7, 1) is not (8, 0).
    """
    rng[0] = seed
    rng[0] = advance(rng) ^ np.uint64(episode)
    rng[0] = advance(rng)


@kernel
def below(rng, bound):
    """Return a random integer in [0, bound); bound at most 2**31 (the bias is then under bound / 2**32)."""
    return np.int64((advance(rng) >> np.uint64(32)) * np.uint64(bound) >> np.uint64(32))


@kernel
def shuffle(rng, values, count):
    """Put the first `count` values of an array in random order, in place (Fisher and Yates)."""
    for last in range(count - 1, 0, -1):
        other = below(rng, last + 1)
        values[last], values[other] = values[other], values[last]
