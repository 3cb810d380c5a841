"""Spaces for text that cannot go wrong: quick to check, sensible to sample, right under shared memory."""

import string
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector.utils import create_shared_memory, read_from_shared_memory, write_to_shared_memory

from textworlds.text.grammars import ONE_ACTION, write
from textworlds.text.words import Vocabulary

CHARACTERS = string.ascii_letters + string.digits + string.punctuation + " \n"


class ObservationSpace(spaces.Text):
    """Texts of printable ASCII characters and newlines.

    Under AsyncVectorEnv's shared memory, Gymnasium's own Text is read once and never again, so that every observation
    is the same filler. This one is read whenever the environment's observations are: see SharedTexts.
    """

    def __init__(self, max_length: int) -> None:
        super().__init__(max_length, min_length=0, charset=CHARACTERS)

    def contains(self, x: Any) -> bool:
        return isinstance(x, str) and len(x) <= self.max_length and self.character_set.issuperset(x)

    def __repr__(self) -> str:
        return f"ObservationSpace({self.max_length})"


class MessageSpace(spaces.Text):
    """All messages; any string is one, and `sample` gives one that is read."""

    def __init__(self, vocabulary: Vocabulary, grammar: str, max_length: int = 1 << 20, max_sampled: int = 5) -> None:
        super().__init__(max_length, min_length=0, charset=CHARACTERS)
        self.vocabulary = vocabulary
        self.grammar = grammar
        self.max_sampled = max_sampled

    def contains(self, x: Any) -> bool:
        return isinstance(x, str)

    def sample(self, mask: Any = None, probability: Any = None) -> str:
        """Return a message that asks for one to five random actions."""
        most = 1 if self.grammar in ONE_ACTION else self.max_sampled
        count = self.np_random.integers(1, most + 1)
        actions = self.np_random.integers(len(self.vocabulary.names), size=count).tolist()
        return write(actions, self.grammar, self.vocabulary)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MessageSpace) and (self.vocabulary, self.grammar) == (other.vocabulary, other.grammar)

    def __repr__(self) -> str:
        return f"MessageSpace({self.grammar!r})"


class SharedTexts(Sequence[str]):
    """A live view of the texts that workers write into shared memory; a deep copy is a tuple of str.

    AsyncVectorEnv keeps one such view and gives its user a deep copy after every step (or the view, with copy=False).
    """

    def __init__(self, memory: Any, num_envs: int, max_length: int) -> None:
        self._rows = np.frombuffer(memory.get_obj(), np.int32).reshape(num_envs, 1 + max_length)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return tuple(self[place] for place in range(len(self))[index])
        row = self._rows[index]
        return row[1 : 1 + row[0]].astype(np.uint32).tobytes().decode("utf-32-le")

    def __iter__(self) -> Iterator[str]:
        return (self[place] for place in range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __deepcopy__(self, memo: dict[int, Any]) -> tuple[str, ...]:
        return tuple(self)

    def __repr__(self) -> str:
        return repr(tuple(self))


@create_shared_memory.register(ObservationSpace)
def _create(space: ObservationSpace, n: int = 1, ctx: Any = None) -> Any:
    if ctx is None:
        import multiprocessing as ctx
    return ctx.Array("i", n * (1 + space.max_length))


@read_from_shared_memory.register(ObservationSpace)
def _read(space: ObservationSpace, shared_memory: Any, n: int = 1) -> SharedTexts:
    return SharedTexts(shared_memory, n, space.max_length)


@write_to_shared_memory.register(ObservationSpace)
def _write(space: ObservationSpace, index: int, value: str, shared_memory: Any) -> None:
    row = np.frombuffer(shared_memory.get_obj(), np.int32).reshape(-1, 1 + space.max_length)[index]
    row[0] = len(value)
    row[1 : 1 + len(value)] = np.frombuffer(value.encode("utf-32-le"), np.int32)
