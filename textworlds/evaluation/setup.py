"""What is evaluated: an id's levels, and the conversation in which they are played."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from textworlds.chat import Conversation
from textworlds.episode import Episode
from textworlds.episodes import DEFAULT_GRAMMAR
from textworlds.ids import NAMESPACE, find_id
from textworlds.levels.bank import read_level
from textworlds.levels.content import SPLITS, TEST
from textworlds.levels.files import find_file, find_levels, shipped
from textworlds.puzzles import Puzzle
from textworlds.text import formats
from textworlds.text.grammars import GRAMMAR_VERSION
from textworlds.text.levels import Level
from textworlds.version import __version__

NUM_GENERATED = 256  # levels of a split that no set is shipped of
SAID_OTHERWISE = ("id", "protocol", "history", "shots", "prompts", "action", "observation", "levels", "split")
NOT_SETTINGS = (*SAID_OTHERWISE, "count_tokens", "num_levels", "num_worlds", "threads")


@dataclass(frozen=True)
class Setup:
    """All that decides what a model is asked; see Conversation for the words not explained.

    Attributes:
        id: what is played.
        levels: a file, or the name of a shipped set; by default the set of the id's test levels.
        split: where no levels are given: "test" for the shipped set. Levels of other splits, and of settings that make other
            levels than the id's, are generated, from seeds 0 and up.
        settings: more settings of Episode.
    """

    id: str
    levels: str | None = None
    split: str = "test"
    protocol: str = "interactive"
    grammar: str = DEFAULT_GRAMMAR
    observation: str = "dense"
    history: str | int = "all"
    shots: int = 0
    prompts: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if wrong := [name for name in self.settings if name in NOT_SETTINGS]:
            raise ValueError(f"{wrong[0]!r} is not for settings; it is said in another way, or not for evaluations")

    @property
    def name(self) -> str:
        """The id without its namespace."""
        return self.id.removeprefix(NAMESPACE)

    @property
    def puzzle(self) -> Puzzle:
        return find_id(self.id)[0]

    def conversation(self) -> Conversation:
        """Return a conversation to play the levels in; ValueError for what cannot be."""
        texts = {"action": self.grammar, "observation": self.observation}
        history = int(self.history) if str(self.history).isdecimal() else self.history
        return Conversation(
            self.name, self.protocol, history, self.shots, self.prompts, **{**texts, **dict(self.settings)}
        )

    def find_levels(self, count: int | None = None) -> Sequence[Level]:
        """Return the levels, or the first `count` of them."""
        if self.split not in SPLITS:
            raise ValueError(f"unknown split {self.split!r}; known: {', '.join(SPLITS)}")
        if self.levels is not None and (unused := list(self._of_levels())):
            raise ValueError(f"{unused[0]!r} decides what levels are generated; here they are given")
        if self.levels is not None and self.split != SPLITS[TEST]:
            raise ValueError(f"a split is of generated levels; here they are given, and the split is {self.split!r}")
        if not self.is_generated:
            return find_levels(self.levels or self.set_name, self.puzzle)[:count]
        return self._generated(NUM_GENERATED if count is None else count)

    def edition(self) -> str:
        """Return a digest of all that decides what is asked: settings, what the files hold that they name, and our version."""
        asked = {**self.__dict__, "history": str(self.history)}
        hold = hashlib.sha256(json.dumps(asked, sort_keys=True, default=dict).encode())
        hold.update(f"{__version__} {self.conversation().prompts.version} {GRAMMAR_VERSION}".encode())
        if not self.is_generated:
            hold.update(find_file(self.levels or self.set_name).read_bytes())
        return hold.hexdigest()

    @property
    def is_generated(self) -> bool:
        """Whether the levels are generated: none are given, and no set is shipped of such ones."""
        is_shipped = self.split == "test" and self.set_name in shipped() and not self._of_levels()
        return self.levels is None and not is_shipped

    @property
    def set_name(self) -> str:
        """The name of the shipped set."""
        return f"{self.name}-test"

    def _generated(self, count: int) -> list[Level]:
        episode = Episode(self.id, split=self.split, **self._of_levels())
        levels = []
        for seed in range(count):
            episode.reset(seed=seed)
            levels.append(Level(episode.picture(), source=f"{self.name}, {self.split}, seed {seed}"))
        return levels

    def _of_levels(self) -> dict[str, Any]:
        """Return the settings that decide what levels there are."""
        names = ("height", "width", *self.puzzle.options._fields)
        return {name: value for name, value in self.settings.items() if name in names}

    def draw(self, level: Level) -> str:
        """Return a level as a drawing, as which it is kept in logs."""
        return formats.write(level.picture, "dense", self.puzzle.words)

    def read(self, drawing: str, certificate: Mapping[str, Any]) -> Level:
        """Return a level of its drawing."""
        return Level(read_level(drawing, self.puzzle), certificate=certificate)

    def said(self, levels: Sequence[Level]) -> dict[str, Any]:
        """Return what makes two results comparable, for their file."""
        conversation = self.conversation()
        drawings = "\n\n".join(self.draw(level) for level in levels)
        return {
            "id": self.name,
            "levels": f"{self.split}, generated" if self.is_generated else self.levels or self.set_name,
            "num_levels": len(levels),
            "levels_sha256": hashlib.sha256(drawings.encode()).hexdigest(),
            "protocol": self.protocol,
            "observation": self.observation,
            "grammar": f"{self.grammar} (grammar {GRAMMAR_VERSION})",
            "prompts": conversation.prompts.version,
            "history": str(self.history),
            "shots": self.shots,
            "turn_limit": conversation.turn_limit,
            "max_actions": conversation.max_actions,
            "settings": dict(self.settings),
        }
