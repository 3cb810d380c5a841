"""Several agents in each of N worlds: joint turns, an account for each agent, what each sees. No framework in here.

A joint turn is the single-agent turn, agent by agent. With order="fixed" A moves first, then B, and so on; with
"rotating" turn t (from 0) begins with agent t mod A. The earlier one has the right of way: a later one meets the world as
the earlier left it, and whoever is in the way blocks. So no rule is written twice, and nobody swaps places with anybody.

Several agents have one action more than one has: to wait, the last number, "wait" in a message. It is never asked of the
rules, and counts as no action asked.

A seat is whoever takes part: the agents, and after them guides, who see everything and only talk.
"""

from typing import Any, NamedTuple

import numpy as np

from textworlds.episodes import Episodes
from textworlds.grid import NO_ACTION
from textworlds.multi.herald import Herald
from textworlds.multi.sights import TeamEyes, show_all, team_eyes
from textworlds.multi.solver import solve_together
from textworlds.multi.talk import TAG, check_talk, longest_quote, take_apart
from textworlds.multi.turns import JointTurn, Parts, by_agent, make_parts, player_of
from textworlds.play import BLOCK, FOUND
from textworlds.puzzles import Puzzle
from textworlds.text.translator import Translator
from textworlds.worlds import Snapshot

ORDERS, REWARDS = ("fixed", "rotating"), ("shared", "own")
WAIT = ("wait",)  # how it is spelled


class JointSnapshot(NamedTuple):
    """All that playing on depends on."""

    worlds: Snapshot
    tallies: np.ndarray
    said: np.ndarray
    first_left: np.ndarray


class JointEpisodes:
    """N episodes of one puzzle, each played by A agents in joint turns.

    With view, sight or fog each agent sees what is in its own view, and remembers what it saw itself.

    Args:
        puzzle: what is played.
        num_worlds: N.
        order: "fixed" or "rotating", who moves first; see above.
        reward: "shared", each agent gets what all of them were paid together; or "own", each gets what its own actions
            were paid, and of the reward for solving a share for each goal that it brought home first in the episode.
        talk: characters that a seat may say to the others in a turn; 0 for none.
        guides: how many guides there are beside the agents. A guide sees all, whatever the agents see, and only talks: of
            its message nothing is read but what it says. It gets what all agents were paid together.
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
        guides: int = 0,
        **settings: Any,
    ) -> None:
        for name, value, known in (("order", order, ORDERS), ("reward", reward, REWARDS)):
            if value not in known:
                raise ValueError(f"unknown {name} {value!r}; known: {', '.join(known)}")
        check_talk(talk, guides)
        if unfit := {"distance", "as_bytes"}.intersection(name for name, value in settings.items() if value):
            raise ValueError(f"{unfit.pop()} is for single agents")
        self.episodes = Episodes(puzzle, num_worlds, **settings)
        if talk and self.episodes.takes_numbers:
            raise ValueError("agents talk in messages; action='discrete' has none")
        if talk and self.episodes.translator.grammar.lower() == f"tag:{TAG}":
            raise ValueError(f"what is in <{TAG}> is said to the others; choose another grammar")
        self.puzzle, self.words = puzzle, puzzle.words
        self.order, self.reward, self.talk = order, reward, talk
        self.num_worlds, self.num_agents = num_worlds, self.episodes.worlds.num_agents
        self.num_seats = self.num_agents + guides
        self.translator = self._hire()
        names = ["the guide"] if guides == 1 else [f"guide {number}" for number in range(1, guides + 1)]
        self.names = *self.words.agent_names[: self.num_agents], *names
        self.num_actions = len(self.translator.words.vocabulary.names)
        self._movers = np.repeat(np.arange(self.num_agents, dtype=np.uint8)[:, None], num_worlds, axis=1)
        self._tallies = np.zeros((3, self.num_seats, num_worlds), np.int64)
        self.num_asked, self.num_changed, self.num_novel = self._tallies.swapaxes(1, 2)  # of episodes so far, [N, S]
        self.said = np.full((num_worlds, self.num_seats), "", object)  # in the turn before
        self._first_left = np.ones(num_worlds)
        self.episodes.worlds.give_eyes(team_eyes(self.num_agents, bool(self.words.passenger)))
        self._reshape()

    @property
    def book(self) -> np.ndarray:
        """BOOK[N]: the numbers kept with each world; see grid.BOOK. Those of actions are all agents' together."""
        return self.episodes.worlds.book

    @property
    def picture_shape(self) -> tuple[int, int, int]:
        """The shape (P + A, h, w) of what an agent sees: the picture, then a plane for each agent."""
        planes, height, width = self.episodes.worlds.seen_shape
        return planes + self.num_agents, height, width

    @property
    def whole_shape(self) -> tuple[int, int, int]:
        """The shape (P + A, H, W) of what a guide sees."""
        planes, height, width = self.episodes.worlds.shape
        return planes + self.num_agents, height, width

    @property
    def max_length(self) -> int:
        """A length that no text exceeds."""
        told = (longest_quote(self.talk) + 1000) * self.num_seats
        _, height, width = self.episodes.worlds.shape
        return self.translator.max_length + told + (100 + 100 * self._has_owners) * height * width

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
            actions: for each world one message for each seat; or action numbers, int[N, A].
        """
        asked = None
        if self.episodes.takes_numbers:
            numbers = self._read_numbers(actions)
            num_asked = np.ones(self._movers.shape, np.int64).T
        else:
            asked = self.translator.read(self._listen(actions))
            numbers = asked.actions.reshape(self.num_worlds, self.num_agents, -1)
            num_asked = asked.num_asked.reshape(numbers.shape[:2])
        waits = numbers == len(self.words.vocabulary.names)
        if waits.any():
            num_asked = num_asked - (waits[..., 0] if waits.shape[2] == 1 else waits.sum(2))
            numbers = np.where(waits, np.int8(NO_ACTION), numbers)
        parts, rewards = self._play(numbers, num_asked)
        ledger, played = by_agent(parts, parts.ledger), parts.told["took_part"].copy()
        return JointTurn(ledger.swapaxes(0, 1), played, rewards, num_asked, numbers, asked)

    def observe(self, turn: JointTurn | None = None, begun: np.ndarray | None = None) -> list[list[str]]:
        """Return what each seat reads, for each world a list of S texts.

        Args:
            turn: the turn that led here, for what is to be said of it.
            begun: bool[N], worlds that stand at the beginning of an episode; by default all if there was no turn.
        """
        begun = np.full(self.num_worlds, turn is None) if begun is None else begun
        pictures, num_agents = self.pictures(), self.num_agents
        seen = [pictures[:, agent] for agent in range(num_agents)]
        if self.num_seats > num_agents:
            seen += [self.whole_pictures()] * (self.num_seats - num_agents)
        columns = [self._herald.tell(seat, own, turn, begun, self.said) for seat, own in enumerate(seen)]
        return [list(texts) for texts in zip(*columns, strict=True)]

    def pictures(self) -> np.ndarray:
        """Return what each agent sees, uint8[N, A, P + A, h, w]; see sights."""
        worlds = self.episodes.worlds
        if isinstance(worlds.eyes, TeamEyes):
            return worlds.eyes.see(worlds.state)
        return show_all(worlds.state, self._has_owners, self.num_agents)

    def whole_pictures(self) -> np.ndarray:
        """Return what guides see, uint8[N, P + A, H, W]: all, as agent 0 would."""
        return show_all(self.episodes.worlds.state, self._has_owners, 1)[:, 0]

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

    def get_state(self) -> JointSnapshot:
        """Return all that playing on depends on; set_state goes back there, as often as you like."""
        arrays = self._tallies.copy(), self.said.copy(), self._first_left.copy()
        return JointSnapshot(self.episodes.worlds.snapshot(), *arrays)

    def set_state(self, state: JointSnapshot) -> None:
        """Go back to where get_state was called; ValueError if it was called elsewhere."""
        if not isinstance(state, JointSnapshot) or state.said.shape != self.said.shape:
            raise ValueError("a state comes from get_state() of as many worlds and seats as here")
        self.episodes.restore(state.worlds)
        self._reshape()
        self._tallies[:], self.said[:], self._first_left[:] = state[1:]

    @property
    def _has_owners(self) -> bool:
        return self.episodes.worlds.shape[0] > 1 and not self.words.passenger

    def _hire(self) -> Translator:
        """Return who reads messages and comments: the episodes' own, or one who knows how to wait."""
        own = self.episodes.translator
        if self.num_seats == 1:
            return own
        vocabulary = self.words.vocabulary
        words = self.words._replace(vocabulary=vocabulary._replace(names=(*vocabulary.names, WAIT)))
        settings = own.format, own.grammar, own.max_actions, own.legend, own.feedback, own.view
        return Translator(words, self.episodes.text_shape, *settings)

    def _reshape(self) -> None:
        worlds = self.episodes.worlds
        self.translator.reshape(self.episodes.text_shape)
        seats = self.names, self.num_agents, self.order, self.talk
        self._herald = Herald(self.translator, worlds.shape, worlds.seen_shape, *seats)
        self._shape = worlds.shape

    def _start(self, worlds: np.ndarray) -> None:
        if self._shape != self.episodes.worlds.shape:
            self._reshape()
        self._tallies[:, :, worlds] = 0
        self.said[worlds] = ""
        self._first_left[worlds] = np.maximum(self.book["left"][worlds], 1)

    def _listen(self, messages: Any) -> list[str | bytes]:
        """Keep what is said, and return the messages to be read for actions."""
        rows = [list(row) for row in messages]
        if len(rows) != self.num_worlds or any(len(row) != self.num_seats for row in rows):
            raise ValueError(
                f"{self.num_worlds} lists of {self.num_seats} messages are needed, one for each who takes part"
            )
        if not self.talk:
            return [message for row in rows for message in row]
        spoken = [[take_apart(message, self.talk) for message in row] for row in rows]
        for world in np.flatnonzero(~self.over()):
            self.said[world] = [one.said for one in spoken[world]]
        return [one.rest for row in spoken for one in row[: self.num_agents]]

    def _read_numbers(self, actions: Any) -> np.ndarray:
        numbers = np.asarray(actions)
        if numbers.shape != (self.num_worlds, self.num_agents) or numbers.dtype.kind not in "iu":
            raise ValueError(
                f"actions are int[{self.num_worlds}, {self.num_agents}], one an agent; got {actions!r:.80}"
            )
        if numbers.max() >= self.num_actions or (numbers.dtype.kind == "i" and numbers.min() < 0):
            raise ValueError(f"actions are numbers from 0 to {self.num_actions - 1}; got {actions!r:.80}")
        return numbers.astype(np.int8)[:, :, None]

    def _play(self, actions: np.ndarray, num_asked: np.ndarray) -> tuple[Parts, np.ndarray]:
        """Play a turn; return its parts, and the rewards, float64[N, S]."""
        before = np.stack([self.book["left"], self.book["fewest"]]) if self.reward == "own" else np.empty((2, 0))
        movers = self._movers
        if self.order == "rotating":
            movers = (movers + self.book["num_turns"] % self.num_agents).astype(np.uint8) % self.num_agents
        num_actions, found = actions.shape[2], np.empty((len(FOUND), BLOCK * actions.shape[2]), np.uint64)
        parts = make_parts(actions, num_asked, movers, self.book, self._tallies)
        player = player_of(self.puzzle, self.episodes.worlds.view.fog)
        self.episodes.worlds.play_with(player, self.num_agents * num_actions, found, parts)
        rewards = np.repeat(parts.paid.sum(0)[:, None], self.num_seats, axis=1)
        if self.reward == "own":
            rewards[:, : self.num_agents] = by_agent(parts, self._own(parts, before)).T
        return parts, rewards

    def _own(self, parts: Parts, before: np.ndarray) -> np.ndarray:
        """Return what each part is paid, float64[A, N]: who solved the level was paid for all that brought goals home."""
        left, fewest = np.concatenate([before[:, None], parts.left], axis=1)
        brought = (fewest[:-1] - fewest[1:]) / self._first_left - ((left[:-1] > 0) & (left[1:] == 0))
        return parts.paid + self.episodes.worlds.outcome_reward * brought
