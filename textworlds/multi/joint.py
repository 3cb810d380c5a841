"""Several agents in each of N worlds: joint turns, an account for each agent, what each sees. No framework in here.

A joint turn is the single-agent turn, agent by agent. With order="fixed" A moves first, then B, and so on; with
"rotating" turn t (from 0) begins with agent t mod A. The earlier one has the right of way: a later one meets the world as
the earlier left it, and whoever is in the way blocks. So no rule is written twice, and nobody swaps places with anybody.

Several agents have one action more than one has: to wait, the last number, "wait" in a message. It is never asked of the
rules, and counts as no action asked.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from textworlds.checks import check_type
from textworlds.episodes import Episodes
from textworlds.grid import NO_ACTION
from textworlds.multi.solver import solve_together
from textworlds.multi.talk import invite, longest_quote, quote, take_apart
from textworlds.multi.texts import Crowd
from textworlds.multi.turns import Parts, by_agent, make_parts, player_of, shower
from textworlds.play import BLOCK, FOUND
from textworlds.puzzles import Puzzle
from textworlds.text.grammars import Reading
from textworlds.text.translator import Asked, Translator

ORDERS, REWARDS = ("fixed", "rotating"), ("shared", "own")
MOST_SAID = 10_000
WAIT = ("wait",)  # how it is spelled


class JointTurn(NamedTuple):
    """What one joint turn in N worlds of A agents did. All arrays are fresh."""

    ledger: np.ndarray  # LINE[N, A, T], see play
    played: np.ndarray  # bool[N], worlds whose episode was not over before
    rewards: np.ndarray  # float64[N, A]
    num_asked: np.ndarray  # int64[N, A]
    actions: np.ndarray  # int8[N, A, T]
    asked: Asked | None  # how the messages were read, world by world; None if actions are numbers

    def reading(self, world: int, agent: int) -> Reading | None:
        """Return how an agent's message was read; None if its action was a number."""
        place = world * self.actions.shape[1] + agent
        return None if self.asked is None else self.asked.readings[self.asked.rows[place]]


class JointEpisodes:
    """N episodes of one puzzle, each played by A agents in joint turns.

    Args:
        puzzle: what is played.
        num_worlds: N.
        order: "fixed" or "rotating", who moves first; see above.
        reward: "shared", each agent gets what all of them were paid together; or "own", each gets what its own actions
            were paid, and of the reward for solving a share for each goal that it brought home first in the episode.
        talk: characters that an agent may say to the others in a turn; 0 for none.
        **settings: as for Episodes, with num_agents=A among the options.

    Raises:
        ValueError: for settings that are unknown or cannot be met; the text says which and what is allowed.
    """

    def __init__(
        self,
        puzzle: Puzzle,
        num_worlds: int = 1,
        *,
        order: str = "fixed",
        reward: str = "shared",
        talk: int = 0,
        **settings: Any,
    ) -> None:
        for name, value, known in (("order", order, ORDERS), ("reward", reward, REWARDS)):
            if value not in known:
                raise ValueError(f"unknown {name} {value!r}; known: {', '.join(known)}")
        check_type(int, talk=talk)
        if not 0 <= talk <= MOST_SAID:
            raise ValueError(f"talk is a number of characters from 0 to {MOST_SAID:,}; got {talk}")
        if unfit := {"distance", "as_bytes"}.intersection(name for name, value in settings.items() if value):
            raise ValueError(f"{unfit.pop()} is for single agents")
        self.episodes = Episodes(puzzle, num_worlds, **settings)
        if talk and self.episodes.takes_numbers:
            raise ValueError("agents talk in messages; action='discrete' has none")
        self.puzzle, self.words = puzzle, puzzle.words
        self.translator = self._hire()
        self.order, self.reward, self.talk = order, reward, talk
        self.num_worlds, self.num_agents = num_worlds, self.episodes.worlds.num_agents
        self.names = self.words.agent_names[: self.num_agents]
        self.num_actions = len(self.translator.words.vocabulary.names)
        shape = num_worlds, self.num_agents
        self._movers = np.repeat(np.arange(self.num_agents, dtype=np.uint8)[:, None], num_worlds, axis=1)
        self._tallies = np.zeros((3, *self._movers.shape), np.int64)
        self.num_asked, self.num_changed, self.num_novel = self._tallies.swapaxes(1, 2)  # of episodes so far, [N, A]
        self.said = np.full(shape, "", object)  # in the turn before
        self._first_left = np.ones(num_worlds)
        self._reshape()

    @property
    def book(self) -> np.ndarray:
        """BOOK[N]: the numbers kept with each world; see grid.BOOK. Those of actions are all agents' together."""
        return self.episodes.worlds.book

    @property
    def picture_shape(self) -> tuple[int, int, int]:
        """The shape (P + A, H, W) of what an agent sees: the picture, then a plane for each agent."""
        planes, height, width = self.episodes.worlds.shape
        return planes + self.num_agents, height, width

    @property
    def max_length(self) -> int:
        """A length that no text exceeds."""
        told = (longest_quote(self.talk) + 1000) * self.num_agents
        _, height, width = self.episodes.worlds.shape
        return self.translator.max_length + told + 100 * height * width * self._crowd.has_owners

    def over(self) -> np.ndarray:
        """Return which worlds' episodes are over, bool[N]."""
        return self.episodes.worlds.over()

    def begin(self, worlds: np.ndarray, seeds: np.ndarray | None = None, indices: np.ndarray | None = None) -> None:
        """Begin an episode in the worlds listed; see Episodes.begin."""
        self.episodes.begin(worlds, seeds, indices)
        self._start(worlds)

    def place(self, worlds: np.ndarray, level: Any, seeds: np.ndarray | None = None) -> None:
        """Begin an episode in the worlds listed with a given level; see Episodes.place."""
        self.episodes.place(worlds, level, seeds)
        self._start(worlds)

    def act(self, actions: Any) -> JointTurn:
        """Play one joint turn in every world whose episode is not over.

        Args:
            actions: for each world one message for each agent; or action numbers, int[N, A].
        """
        played, asked = ~self.over(), None
        if self.episodes.takes_numbers:
            numbers = self._read_numbers(actions)
            num_asked = np.ones(self._movers.shape, np.int64).T
        else:
            asked = self.translator.read(self._listen(actions, played))
            numbers = asked.actions.reshape(self.num_worlds, self.num_agents, -1)
            num_asked = asked.num_asked.reshape(numbers.shape[:2])
        waits = numbers == len(self.words.vocabulary.names)
        if waits.any():
            num_asked = num_asked - (waits[..., 0] if waits.shape[2] == 1 else waits.sum(2))
            numbers = np.where(waits, np.int8(NO_ACTION), numbers)
        ledger, rewards = self._play(numbers, num_asked)
        self._count(ledger, num_asked, played)
        return JointTurn(ledger.swapaxes(0, 1), played, rewards, num_asked, numbers, asked)

    def observe(self, turn: JointTurn | None = None, begun: np.ndarray | None = None) -> list[list[str]]:
        """Return what each agent reads, for each world a list of A texts.

        Args:
            turn: the turn that led here, for what is to be said of it.
            begun: bool[N], worlds that stand at the beginning of an episode; by default all if there was no turn.
        """
        begun = np.full(self.num_worlds, turn is None) if begun is None else begun
        columns = [self._read_by(agent, turn, begun) for agent in range(self.num_agents)]
        return [list(texts) for texts in zip(*columns, strict=True)]

    def pictures(self) -> np.ndarray:
        """Return what each agent sees, uint8[N, A, P + A, H, W].

        The planes of agents hold AGENT: the reader's own first, then the others' in turn (for B of three: B, C, A). So
        stand the planes of what they own.
        """
        state, (planes, height, width) = self.episodes.worlds.state, self.picture_shape
        seen = np.empty((self.num_worlds, self.num_agents, planes * height * width), np.uint8)
        shower()(state.board, state.agents, height * width, self._crowd.has_owners, seen)
        return seen.reshape(self.num_worlds, self.num_agents, planes, height, width)

    def action_masks(self) -> np.ndarray:
        """Return which actions would change each world if the agent moved first, and True for waiting.

        bool[N, A, num_actions]
        """
        masks = np.ones((self.num_worlds, self.num_agents, self.num_actions), bool)
        for agent in range(self.num_agents):
            masks[:, agent, : len(self.words.vocabulary.names)] = self.episodes.worlds.action_masks(agent)
        return masks

    def solve(self, world: int = 0, nodes: int = 200_000) -> list[tuple[int, int]] | None:
        """Return the fewest actions of all agents together that solve a world, as (agent, action); see solver.

        Raises:
            RuntimeError: if that was not settled within so many positions.
        """
        return solve_together(self.puzzle, self.episodes.worlds.state, world, nodes)

    def _hire(self) -> Translator:
        """Return who reads messages and comments: the episodes' own, or one who knows how to wait."""
        own = self.episodes.translator
        if self.episodes.worlds.num_agents == 1:
            return own
        vocabulary = self.words.vocabulary
        words = self.words._replace(vocabulary=vocabulary._replace(names=(*vocabulary.names, WAIT)))
        settings = own.format, own.grammar, own.max_actions, own.legend, own.feedback
        return Translator(words, self.episodes.text_shape, *settings)

    def _reshape(self) -> None:
        worlds = self.episodes.worlds
        self.translator.reshape(self.episodes.text_shape)
        self._crowd = Crowd(self.words, worlds.shape, self.translator.format, self.num_agents)

    def _start(self, worlds: np.ndarray) -> None:
        if self._crowd.shape != self.episodes.worlds.shape:
            self._reshape()
        self._tallies[:, :, worlds] = 0
        self.said[worlds] = ""
        self._first_left[worlds] = np.maximum(self.book["left"][worlds], 1)

    def _listen(self, messages: Any, played: np.ndarray) -> list[str | bytes]:
        """Keep what is said, and return the messages to be read for actions."""
        rows = [list(row) for row in messages]
        if len(rows) != self.num_worlds or any(len(row) != self.num_agents for row in rows):
            raise ValueError(f"{self.num_worlds} lists of {self.num_agents} messages are needed, one an agent")
        if not self.talk:
            return [message for row in rows for message in row]
        rest: list[str | bytes] = []
        for world, row in enumerate(rows):
            for agent, message in enumerate(row):
                spoken = take_apart(message, self.talk)
                rest.append(spoken.rest)
                if played[world]:
                    self.said[world, agent] = spoken.said
        return rest

    def _read_numbers(self, actions: Any) -> np.ndarray:
        numbers = np.asarray(actions)
        if numbers.shape != (self.num_worlds, self.num_agents) or numbers.dtype.kind not in "iu":
            raise ValueError(
                f"actions are int[{self.num_worlds}, {self.num_agents}], one an agent; got {actions!r:.80}"
            )
        if numbers.max() >= self.num_actions or (numbers.dtype.kind == "i" and numbers.min() < 0):
            raise ValueError(f"actions are numbers from 0 to {self.num_actions - 1}; got {actions!r:.80}")
        return numbers.astype(np.int8)[:, :, None]

    def _play(self, actions: np.ndarray, num_asked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Play a turn; return the ledger, LINE[A, N, T], and the rewards, float64[N, A]."""
        before = np.stack([self.book["left"], self.book["fewest"]]) if self.reward == "own" else np.empty((2, 0))
        movers = self._movers
        if self.order == "rotating":
            movers = (movers + self.book["num_turns"] % self.num_agents).astype(np.uint8) % self.num_agents
        num_actions, found = actions.shape[2], np.empty((len(FOUND), BLOCK * actions.shape[2]), np.uint64)
        parts = make_parts(actions, num_asked, movers, self.book)
        self.episodes.worlds.play_with(player_of(self.puzzle), self.num_agents * num_actions, found, parts)
        if self.reward == "own":
            rewards = by_agent(parts, self._own(parts, before)).T
        else:
            rewards = np.tile(sum(parts.paid), (self.num_agents, 1)).T
        return by_agent(parts, parts.ledger), rewards

    def _own(self, parts: Parts, before: np.ndarray) -> np.ndarray:
        """Return what each part is paid, float64[A, N]: who solved the level was paid for all that brought goals home."""
        left, fewest = np.concatenate([before[:, None], parts.left], axis=1)
        brought = (fewest[:-1] - fewest[1:]) / self._first_left - ((left[:-1] > 0) & (left[1:] == 0))
        return parts.paid + self.episodes.worlds.outcome_reward * brought

    def _count(self, ledger: np.ndarray, num_asked: np.ndarray, played: np.ndarray) -> None:
        """Add a turn to the tallies."""
        asked, changed, novel = self._tallies
        asked += num_asked.T if played.all() else num_asked.T * played
        for tally, flags in ((changed, ledger["changed"]), (novel, ledger["novel"])):
            for turn in range(ledger.shape[2]):
                tally += flags[:, :, turn]

    def _read_by(self, agent: int, turn: JointTurn | None, begun: np.ndarray) -> Sequence[str]:
        state, translator = self.episodes.worlds.state, self.translator
        if self.num_agents == 1:
            texts = translator.write(state.board)
        else:
            texts = self._crowd.write(state, np.arange(self.num_worlds), agent)
        if translator.legend:
            for world in np.flatnonzero(begun):
                texts[world] = self._open(agent, texts[world])
        if turn is None or not (translator.feedback or self.talk or (turn.asked and turn.asked.any_unread)):
            return texts
        for world in np.flatnonzero(turn.played & ~begun):
            texts[world] = self._comment(texts[world], turn, int(world), agent)
        return texts

    def _comment(self, text: str, turn: JointTurn, world: int, agent: int) -> str:
        """Return an observation with what was said by others, and what became of the reader's own actions."""
        heard = [
            quote(name, self.said[world, other])
            for other, name in enumerate(self.names)
            if other != agent and self.said[world, other]
        ]
        text = "\n".join([*heard, "", text]) if heard else text
        kept, reading = turn.actions[world, agent] != NO_ACTION, turn.reading(world, agent)
        if not kept.any() and (reading is None or reading.actions):
            return text  # who waited has no actions to be told of
        reasons = turn.ledger["reason"][world, agent][kept]
        return self.translator.comment(text, reading, turn.actions[world, agent][kept], reasons)

    def _open(self, agent: int, text: str) -> str:
        """Return an agent's first observation of an episode: the rules, the others, how to answer."""
        if self.num_agents == 1:
            return self.translator.open(text)
        lines = [*self._crowd.introduce(agent, self.order), *([invite(self.talk)] if self.talk else [])]
        return self.translator.open("\n".join([*lines, "", text]))
