"""Eyes: what one agent sees of N worlds, kept from turn to turn."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from textworlds.grid import State, new_state
from textworlds.views import NOWHERE, WHOLE, Memory, View, WatchedState, look_at, look_from, new_memory


class Eyes:
    """The eyes of one agent in N worlds.

    Each agent has its own: nothing in the worlds depends on who looks at them, or when.

    Args:
        view: what it sees, less than all.
        num_worlds: N.
        shape: (P, H, W) of the worlds' pictures.
        agent: its place in state.agents.
    """

    def __init__(self, view: View, num_worlds: int, shape: tuple[int, int, int], agent: int = 0) -> None:
        self.view = view
        self.agent = agent
        self.memory = new_memory(view, num_worlds, shape)

    @property
    def pictures(self) -> np.ndarray:
        """What it saw when it looked last, uint8[N, P * h * w]; the next look changes it."""
        return self.memory.pictures

    def open(self, state: State, worlds: np.ndarray) -> None:
        """Forget all of the worlds listed, int64[K], and look at them."""
        self.memory.stood[worlds] = NOWHERE
        self.look_at(state, worlds)

    def look_at(self, state: State, worlds: np.ndarray) -> None:
        """Look at the worlds listed, int64[K]."""
        look_at(state, worlds, self.agent, self.view, self.memory)

    def look(self, state: State, first: int, last: int) -> None:
        """Look at each world from `first` to before `last`."""
        _looker()(state, first, last, self.agent, self.view, self.memory)

    def watch(self, state: State) -> State | WatchedState:
        """Return the state as play.player_of takes it: with fog, for kernels that look after each action, as agent 0."""
        return WatchedState(*state, self.view, self.memory) if self.view.fog else state

    def remember(self, memory: Memory) -> None:
        """Go back to what was remembered when `recall` was called."""
        self.memory = Memory(*(array.copy() for array in memory))

    def recall(self) -> Memory:
        """Return a copy of what is remembered."""
        return Memory(*(array.copy() for array in self.memory))


@cache
def _looker() -> Callable[..., Any]:
    shape = (1, 1, 1)
    return look_from.lean().entry(new_state(1, shape), 0, 1, 0, WHOLE, new_memory(WHOLE, 1, shape))
