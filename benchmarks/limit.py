"""The limit in plain C (limit.c): compiled when asked for, and played from Python by one call a turn.

It plays textworlds' own pictures. Worlds draw their levels as those of textworlds do after reset(seed=0).
"""

import ctypes
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import gymnasium as gym
import numpy as np

import textworlds

SOURCE = Path(__file__).parent / "limit.c"
FLAGS = ("-O3", "-march=native", "-shared", "-fPIC")
PADDING = 16  # bytes that the byte shuffle may read or write behind the last board or text
SOLID, GOAL, ITEM, AGENT = 16, 32, 64, 128
LENGTH = 110  # of a board's text
WORLD = np.dtype([("agent", "u1"), ("left", "u1"), ("turns", "u2")])
SHARED = ("num_worlds", "num_levels", "turn_limit", "seeds", "episodes", "rewards", "terminated", "truncated")
STANDS = ((0, 0), (0, 4), (4, 0), (4, 3))  # of Gymnasium's Taxi, by number
IN_TAXI = 4


def compiler() -> str | None:
    """Return the C compiler's path, or None if there is none."""
    return shutil.which(os.environ.get("CC", "gcc"))


@cache
def library() -> ctypes.CDLL:
    """Compile limit.c for this very machine and load it."""
    found = compiler()
    if found is None:
        raise RuntimeError("the C reference needs gcc")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "limit.so")
        subprocess.run([found, *FLAGS, "-o", path, str(SOURCE)], check=True)
        return ctypes.CDLL(path)


class Limit:
    """N worlds played by C.

    Attributes:
        arrays: what C reads and writes, by the names in limit.c.
    """

    def __init__(self, fields: tuple[str, ...], num_worlds: int, turn_limit: int, **arrays: np.ndarray) -> None:
        self.arrays = arrays | {
            "seeds": np.arange(num_worlds, dtype=np.uint64),
            "episodes": np.zeros(num_worlds, np.int32),
            "rewards": np.zeros(num_worlds),
            "terminated": np.zeros(num_worlds, bool),
            "truncated": np.zeros(num_worlds, bool),
        }
        numbers = {"num_worlds": num_worlds, "num_levels": len(arrays["starts"]), "turn_limit": turn_limit}
        values = numbers | {name: array.ctypes.data for name, array in self.arrays.items()}
        self._struct = (ctypes.c_int64 * len(fields))(*(values[name] for name in fields))

    def verb(self, name: str) -> Callable[[np.ndarray | None], None]:
        """Return a function of limit.c, to be called with int64[N], an action for each world."""
        function = self._find(name)

        def call(actions: np.ndarray | None = None) -> None:
            function(ctypes.addressof(self._struct), None if actions is None else actions.ctypes.data)

        return call

    def player(self, name: str, turns: np.ndarray) -> Callable[[int], None]:
        """Return a function that plays one of the turns, int64[T, N], by its number; for timing, as it does no more."""
        function, struct = self._find(name), ctypes.addressof(self._struct)
        rows = [row.ctypes.data for row in turns]

        def play(number: int, keep: object = (self, turns)) -> None:  # as C has only their addresses
            function(struct, rows[number])

        return play

    def _find(self, name: str) -> Callable[[int, int | None], None]:
        function = getattr(library(), name)
        function.argtypes, function.restype = [ctypes.c_void_p, ctypes.c_void_p], None
        return function


def sokoban(levels: np.ndarray, num_worlds: int, turn_limit: int) -> Limit:
    """Return N worlds of Sokoban at their first levels, drawn from uint8[L, 1, 10, 10]."""
    levels = np.ascontiguousarray(levels.reshape(len(levels), 100))
    starts = np.zeros(len(levels), WORLD)
    starts["agent"] = np.argmax(levels & AGENT, 1)
    starts["left"] = ((levels & (ITEM | GOAL)) == ITEM).sum(1)
    glyphs = textworlds.PUZZLES["sokoban"].words.glyphs
    few = np.array([ord(glyphs.get(flags << 4, "?")) for flags in range(16)], np.uint8)
    fields = (*SHARED, "worlds", "starts", "boards", "levels", "seen", "texts", "glyphs", "few_glyphs")
    limit = Limit(
        fields, num_worlds, turn_limit, levels=levels, starts=starts, worlds=np.zeros(num_worlds, WORLD),
        boards=padded(num_worlds, 100), seen=padded(num_worlds, 100), texts=padded(num_worlds, LENGTH),
        glyphs=few.repeat(16), few_glyphs=few,
    )  # fmt: skip
    limit.verb("sokoban_begin")()
    return limit


def taxi(levels: np.ndarray, num_worlds: int, turn_limit: int) -> Limit:
    """Return N worlds of Gymnasium's Taxi at their first levels, drawn from uint8[L, 2, 5, 5]."""
    table = gym.make("Taxi-v4" if "Taxi-v4" in gym.registry else "Taxi-v3").unwrapped.P
    rows = [[table[state][action][0] for action in range(6)] for state in range(500)]
    pictures = taxi_pictures(levels[0])
    states = {picture.tobytes(): state for state, picture in enumerate(pictures)}
    fields = (*SHARED, "states", "turns", "starts", "next", "pay", "ends", "pictures", "seen")
    limit = Limit(
        fields, num_worlds, turn_limit, starts=np.array([states[level.tobytes()] for level in levels], np.int16),
        states=np.zeros(num_worlds, np.int64), turns=np.zeros(num_worlds, np.uint16), pictures=pictures,
        next=np.array([[to for _, to, _, _ in row] for row in rows], np.int16),
        pay=np.array([[reward for _, _, reward, _ in row] for row in rows], np.int8),
        ends=np.array([[end for _, _, _, end in row] for row in rows], bool), seen=padded(num_worlds, 50),
    )  # fmt: skip
    limit.verb("taxi_begin")()
    return limit


def taxi_pictures(level: np.ndarray) -> np.ndarray:
    """Return textworlds' pictures of the 500 states of Gymnasium's Taxi, uint8[500, 50], by its map in any of them."""
    pictures = np.zeros((500, 2, 5, 5), np.uint8)
    for state, (board, passenger) in enumerate(pictures):
        rest, to = divmod(state, 4)
        taxi, at = divmod(rest, 5)
        board[:] = level[0] & ~np.uint8(AGENT)
        board[divmod(taxi, 5)] |= AGENT
        passenger[divmod(taxi, 5) if at == IN_TAXI else STANDS[at]] = ITEM | (AGENT if at == IN_TAXI else 0)
        passenger[STANDS[to]] |= GOAL
    return pictures.reshape(500, 50)


def padded(num_rows: int, length: int) -> np.ndarray:
    """Return uint8[N, L] with some bytes of nobody's behind it."""
    return np.zeros(num_rows * length + PADDING, np.uint8)[: num_rows * length].reshape(num_rows, length)
