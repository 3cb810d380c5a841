"""Work on shares of N worlds, each in a thread of its own. Kernels let go of the interpreter, so that threads use all cores."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any

WORTH_A_THREAD = 4096  # worlds; to hand work to a thread and wait for it takes as long as playing a thousand
EVEN = 64  # shares begin at multiples of so many worlds, which kernels play at a time


def share_out(work: Callable[[int, int], Any], num_worlds: int, threads: int) -> list[Any]:
    """Do work(first, last) on shares of the worlds, and return what came of each."""
    parts = min(threads, num_worlds // WORTH_A_THREAD)
    if parts < 2:
        return [work(0, num_worlds)]
    ends = [num_worlds * part // parts // EVEN * EVEN for part in range(parts)] + [num_worlds]
    others = [_pool(threads, os.getpid()).submit(work, *share) for share in pairwise(ends[1:])]
    return [work(ends[0], ends[1]), *(other.result() for other in others)]


@cache
def _pool(threads: int, process: int) -> ThreadPoolExecutor:
    """Return threads to share work out to; a forked process has none of its parent's, so it asks for its own."""
    return ThreadPoolExecutor(threads - 1, "textworlds")
