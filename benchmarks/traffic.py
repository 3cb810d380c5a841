"""Simulate what a step of a batch moves between a core's own caches and the memory that all cores share.

A trace of the cache lines that a step touches, array by array in the order of the code, runs through a cache that keeps
the lines used last. What misses is read from further out, and what was written is written back there. From the bytes a
step and a core's measured speed follows what many cores ask of the shared memory together, which is what limits them, as
worlds share nothing and a turn has no other meeting point than its end. Run: python benchmarks/traffic.py
"""

import argparse
from collections import OrderedDict
from collections.abc import Iterator

import numpy as np

LINE = 64
STEPS, WARM_UP = 12, 4
BLOCK = 64  # worlds that the kernel plays at a time
CHANGED = 0.65  # share of random actions that change a world of Sokoban
SEEN = 25  # states that a random player has seen in an episode, on average

Touch = tuple[str, int, bool]  # array, line of it, whether it is written


class Cache:
    """A cache that keeps the lines used last, and counts what crosses its outer side."""

    def __init__(self, size: int) -> None:
        self.most_lines, self.lines = size // LINE, OrderedDict[tuple[str, int], bool]()
        self.read = self.written = 0

    def touch(self, array: str, line: int, writes: bool) -> None:
        key = array, line
        if key in self.lines:
            self.lines[key] |= writes
            self.lines.move_to_end(key)
            return
        self.read += LINE
        self.lines[key] = writes
        if len(self.lines) > self.most_lines:
            _, was_written = self.lines.popitem(last=False)
            self.written += LINE * was_written


def lines_of(array: str, row: int, width: int, writes: bool) -> Iterator[Touch]:
    """Yield the lines of one row of an array whose rows are so many bytes wide."""
    for line in range(row * width // LINE, ((row + 1) * width - 1) // LINE + 1):
        yield array, line, writes


def trace(num_worlds: int, step: int, slots: np.ndarray, changed: np.ndarray, sizes: dict[str, int]) -> Iterator[Touch]:
    """Yield what a step touches: the kernel's blocks, then the copy of the boards that the user gets."""
    buffer = step % 2  # what the user gets is made while the user still holds the last one
    for start in range(0, num_worlds, BLOCK):
        block = range(start, min(start + BLOCK, num_worlds))
        for world in block:
            yield from lines_of("actions", world, 1, False)
            yield from lines_of("board", world, sizes["board"], True)
            yield from lines_of("book", world, sizes["book"], True)
            yield from lines_of(f"ledger {buffer}", world, 6, True)
        for world in block if sizes["table"] else ():
            if changed[world]:
                yield "table", (world * sizes["table"] + 8 * int(slots[world])) // LINE, True
        for world in block:
            yield from lines_of("book", world, sizes["book"], False)
            yield from lines_of(f"told {buffer}", world, sizes["told"], True)
    for world in range(num_worlds):
        yield from lines_of("board", world, sizes["board"], False)
        yield from lines_of(f"board, copy {buffer}", world, sizes["board"], True)


def bytes_a_step(num_worlds: int, cache_size: int, sizes: dict[str, int]) -> float:
    """Return the bytes that a step of one world moves across a cache's outer side."""
    cache, rng = Cache(cache_size), np.random.default_rng(0)
    used = rng.integers(max(1, sizes["table"] // 8), size=(num_worlds, SEEN))
    for step in range(STEPS):
        if step == WARM_UP:
            cache.read = cache.written = 0
        slots = used[np.arange(num_worlds), rng.integers(SEEN, size=num_worlds)]
        for touch in trace(num_worlds, step, slots, rng.random(num_worlds) < CHANGED, sizes):
            cache.touch(*touch)
    return (cache.read + cache.written) / (STEPS - WARM_UP) / num_worlds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cache", type=int, default=1 << 20, help="bytes of a core's own cache")
    parser.add_argument("--rate", type=float, default=16e6, help="steps a second that one core was measured at")
    parser.add_argument("--board", type=int, default=100, help="bytes of a world's board")
    parser.add_argument("--book", type=int, default=72, help="bytes of a world's numbers")
    parser.add_argument("--told", type=int, default=48, help="bytes of what is told of a world")
    arguments = parser.parse_args()
    print(f"{'worlds a core':>14}{'table':>8}{'bytes a step':>14}{'GB/s, 1 core':>14}{'GB/s, 16 cores':>16}")
    for num_worlds in (256, 1024, 4096, 16384):
        for table in (0, 512, 1024):
            sizes = {"board": arguments.board, "book": arguments.book, "told": arguments.told, "table": table}
            moved = bytes_a_step(num_worlds, arguments.cache, sizes)
            rate = moved * arguments.rate / 1e9
            print(f"{num_worlds:14,}{table:8,}{moved:14,.0f}{rate:14.1f}{16 * rate:16.1f}")


if __name__ == "__main__":
    main()
