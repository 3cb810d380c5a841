"""One episode after another, for everybody with a loop of their own: a prompt out, a message in, a reward and a ledger back."""

import os
from typing import Any, NamedTuple

import numpy as np

from textworlds.checks import seeds_from
from textworlds.episodes import TOTALS, Episodes, check_alone
from textworlds.grid import OVER_LIMIT
from textworlds.ids import find_id
from textworlds.levels.making import NoLevel
from textworlds.play import LINE, REASON, TOLD_NAMES, read_told
from textworlds.puzzles import Puzzle
from textworlds.text.grammars import Reading
from textworlds.worlds import Snapshot


class HasEpisodes:
    """What stands on an Episodes and hands its limits on."""

    episodes: Episodes

    def _check_limit(self, name: str, value: int | None) -> None:
        """Raise for a value that one of the limits may not be set to now."""

    @property
    def turn_limit(self) -> int:
        """Turns after which an episode is truncated; a new value holds from the next episode."""
        return self.episodes.turn_limit

    @turn_limit.setter
    def turn_limit(self, turns: int) -> None:
        self._check_limit("turn_limit", turns)
        self.episodes.turn_limit = turns

    @property
    def max_actions(self) -> int:
        """Actions that are played in one turn; a new value holds at once, None for the most there may be."""
        return self.episodes.max_actions

    @max_actions.setter
    def max_actions(self, actions: int | None) -> None:
        self._check_limit("max_actions", actions)
        self.episodes.max_actions = actions


class Result(NamedTuple):
    """What one turn of an Episode gave."""

    text: str
    reward: float
    terminated: bool
    truncated: bool
    ledger: dict[str, Any]


class Episode(HasEpisodes):
    """One episode after another of one puzzle: `reset(seed) -> text`, `act(message) -> Result`.

    The ledger is a dict. For each action that the message asked for, in order, lists of equal length: `played`,
    `changed`, `novel` (a state not seen in this episode), `reversal` (back to the state before the last change),
    `progress` (fewer goals left than ever before in this episode), all bool, and `reason` (int, a code; see
    `say_reason`). `actions` holds the numbers of those that were kept. `outcome` (text.grammars.Outcome) and `why` say
    how the message was read. For the episode so far: `num_turns`, `num_asked` (N), `num_changed` (N_eff), `num_novel`,
    `goals_left`, `solved`, `deadlocked` (nothing solves it any more; False says nothing), and `outcome_reward`, the part of
    the reward that was paid for solving. `asked` is the number of actions that this message asked for. `index`, if levels were
    given, is which of them is played, -1 for any other. With action="discrete" there is one action a turn: plain values in
    place of lists, and no `actions`, `outcome` and `why`.

    Args:
        id: an id ("Sokoban-easy-v0", with or without "textworlds/"), or a Puzzle; then height and width must be given.
        **settings: as for Episodes; they replace the id's.
    """

    def __init__(self, id: str | Puzzle, **settings: Any) -> None:
        puzzle, defaults = find_id(id) if isinstance(id, str) else (id, {})
        self.episodes = Episodes(puzzle, 1, **{**defaults, **settings})
        check_alone(self.episodes)
        self.has_seed = False
        self._is_over = True
        self._of_actions = (*(name for _, name in self.episodes.flags), "reason")
        self._lines: dict[bytes, dict[str, Any]] = {}  # ledgers of turns of one action

    @property
    def puzzle(self) -> Puzzle:
        return self.episodes.puzzle

    def reset(self, seed: int | None = None, level: Any = None, index: int | None = None) -> Any:
        """Begin an episode and return the first observation.

        Args:
            seed: the level is the seed's first; without one, the next of the last seed's (a random one to begin with).
            level: play this drawing, Level or picture first; the seed's levels come after it.
            index: play this one of the levels given, by its place; the levels that the seed draws come after it.
        """
        if level is not None and index is not None:
            raise ValueError("give a level or an index, not both")
        world = np.zeros(1, np.int64)
        indices = None if index is None else self.episodes.find_indices(index, 1)
        if seed is None and not self.has_seed:
            seed = int.from_bytes(os.urandom(7), "little")
        seeds = None if seed is None else seeds_from([seed])
        if level is None:
            try:
                self.episodes.begin(world, seeds, indices)
            except NoLevel:
                self._is_over = True
                raise
        else:
            self.episodes.place(world, level, seeds)
        self.has_seed, self._is_over = True, False
        return self.episodes.observe()[0]

    def observe(self) -> Any:
        """Return what the world looks like now, without a word on the turn before."""
        self._check_begun()
        return self.episodes.observe(begun=np.zeros(1, bool))[0]

    def act(self, message: Any) -> Result:
        """Play one turn.

        Raises:
            RuntimeError: before the first reset, or when the episode is over.
        """
        if self._is_over:
            raise RuntimeError("no episode is under way; call reset() to begin one")
        text, reading, lines, told = self.episodes.act_alone(message)
        terminated, truncated = told[_TERMINATED], told[_TRUNCATED]
        self._is_over = terminated or truncated
        return Result(text, told[_REWARD], terminated, truncated, self._add_totals(self._ledger(reading, lines), told))

    def say_reason(self, reason: int) -> str:
        """Say what a reason code of the ledger means; ValueError for a code that there is not."""
        return self.episodes.translator.say(reason)

    def action_mask(self) -> np.ndarray:
        """Return which actions would change the world now, bool[number of actions]."""
        self._check_begun()
        return self.episodes.worlds.action_masks()[0]

    def solve(self, objective: str | None = None, **limits: int) -> list[int] | None:
        """Return actions that solve the level from here; None if it is proven that nothing does.

        Args:
            objective: what the plan has the fewest of, one of puzzle.costs; by default the first.
            **limits: nodes and bytes; see puzzles.Limits.

        Raises:
            RuntimeError: if the limits ran out before that was settled.
            ValueError: for an objective that there is not.
        """
        self._check_begun()
        plan = self.episodes.worlds.solve(0, self.puzzle.limits(objective, **limits))
        return None if plan is None else plan.tolist()

    def certificate(self) -> dict[str, Any]:
        """Return the certificate of the level being played, as in a LevelSet.

        It is the level's own if it was given with one; else the solver makes it, from what the episode began with.
        """
        self._check_begun()
        return self.episodes.certificate()

    def picture(self) -> np.ndarray:
        """Return what the world looks like now, uint8[P, H, W]; see grid."""
        self._check_begun()
        return self.episodes.worlds.pictures()[0].copy()

    def get_state(self) -> Snapshot:
        """Return all that playing on depends on; set_state goes back there, as often as you like."""
        return self.episodes.worlds.snapshot()

    def set_state(self, state: Snapshot) -> None:
        """Go back to where get_state was called."""
        self.episodes.restore(state)
        worlds = self.episodes.worlds
        self._is_over = bool(worlds.over()[0]) or not worlds.book["turn_limit"][0]

    def _check_begun(self) -> None:
        if not self.episodes.worlds.book["turn_limit"][0]:
            raise RuntimeError("no level is there yet; call reset() first")

    def totals(self) -> dict[str, Any]:
        """Return the counts of the episode so far; see the class."""
        self._check_begun()
        return self._add_totals({}, read_told(self.episodes.worlds.tell()))

    def _ledger(self, reading: Reading | None, lines: bytes) -> dict[str, Any]:
        """Return the ledger of a turn, in which the counts of the episode are yet to be set."""
        if reading is None:
            return (self._lines.get(lines) or self._line(lines)).copy()
        kept, over = len(reading.actions), reading.over
        if kept == 1 and not over:
            ledger = (self._lines.get(lines) or self._line(lines)).copy()
            for name in self._of_actions:
                ledger[name] = [ledger[name]]
        else:
            columns = {name: lines[place :: LINE.itemsize][:kept] for place, name in self.episodes.flags}
            ledger = {name: [*map(bool, column)] + [False] * over for name, column in columns.items()}
            ledger["reason"] = [*lines[REASON :: LINE.itemsize][:kept]] + [OVER_LIMIT] * over
        ledger["asked"], ledger["actions"] = kept + over, [*reading.actions]
        ledger["outcome"], ledger["why"] = reading.outcome, reading.why
        return ledger

    def _line(self, line: bytes) -> dict[str, Any]:
        """Return the ledger of one action, kept for the next time; whole, as a copy that grows takes twice as long."""
        ledger: dict[str, Any] = {name: line[place] == 1 for place, name in self.episodes.flags}
        ledger |= {"reason": line[REASON], "asked": 1}
        if not self.episodes.takes_numbers:
            ledger |= {"actions": None, "outcome": None, "why": None}
        self._lines[line] = ledger | self.totals()
        return self._lines[line]

    def _add_totals(self, ledger: dict[str, Any], told: tuple[Any, ...]) -> dict[str, Any]:
        """Add the counts of the episode so far to a ledger, and return it."""
        worlds = self.episodes.worlds
        ledger["num_turns"], ledger["num_asked"] = told[_NUM_TURNS], told[_NUM_ASKED]
        ledger["num_changed"] = told[_NUM_CHANGED]
        if worlds.novelty:
            ledger["num_novel"] = told[_NUM_NOVEL]
        ledger["goals_left"], ledger["solved"], ledger["deadlocked"] = told[_LEFT], told[_SOLVED], told[_LOST]
        ledger["outcome_reward"] = told[_OUTCOME_REWARD]
        if worlds.levels is not None:
            ledger["index"] = told[_INDEX]
        if self.episodes.gives_distance:
            ledger["distance"] = int(worlds.distances()[0])
        if self.episodes.gives_mask:
            ledger["action_mask"] = self.action_mask().astype(np.int8)
        return ledger


_REWARD, _OUTCOME_REWARD, _TERMINATED, _TRUNCATED, _INDEX, _LOST, _SOLVED, _LEFT = map(
    TOLD_NAMES.index, ("reward", "outcome_reward", "terminated", "truncated", "index", "lost", "solved", "left")
)
_NUM_TURNS, _NUM_ASKED, _NUM_CHANGED, _NUM_NOVEL = map(TOLD_NAMES.index, TOTALS)
