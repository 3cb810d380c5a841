"""N worlds of one puzzle being played: numbers in, arrays out."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from textworlds.beginnings import Bank, beginnings_of, empty_bank, make_bank
from textworlds.eyes import Eyes
from textworlds.grid import SOLVED, State, copy_records, copy_state, new_state, settle
from textworlds.history import History
from textworlds.levels.content import ANY
from textworlds.levels.making import Wanted, make_levels
from textworlds.play import (
    BLOCK,
    DISABLED,
    FOUND,
    NEXT_STEP,
    SAME_STEP,
    lone_player_of,
    new_ledger,
    new_told,
    player_of,
    read_told,
    teller,
    trier_of,
)
from textworlds.puzzles import GAVE_UP, NO_SOLUTION, Limits, Puzzle
from textworlds.threads import share_out
from textworlds.views import WHOLE, Memory, View

DISTANCE_NODES = 20_000
MAX_REASONS = 64


class Start(NamedTuple):
    """What the episode of a world alone began with: a picture, uint8[P, H, W], and its seed if it was made from one."""

    picture: np.ndarray
    seed: int | None = None
    episode: int | None = None


class Played(NamedTuple):
    """What a turn of N worlds gave, in fresh arrays."""

    ledger: np.ndarray  # LINE[N, T]; see play
    told: np.ndarray  # TOLD[N] of the turn
    now: np.ndarray  # TOLD[N] of the episodes as they stand now; `told` itself if none was begun after the turn
    pictures: np.ndarray | None  # uint8[N, P, H, W], as they are now, if they were asked for


class Snapshot(NamedTuple):
    """All that playing on depends on; taken and put back in microseconds."""

    puzzle: str
    state: State
    history: History
    start: Start | None
    memory: Memory | None = None  # with fog,
    view: View = WHOLE  # and then of this view


class Worlds:
    """N worlds that take their turns together; a single environment is a batch of one.

    The level that a world plays depends on nothing but its seed, and how many levels that seed has given before.

    Args:
        puzzle: what is played.
        num_worlds: N.
        height, width: of generated levels, in cells.
        options: an instance of puzzle.options, for the generator.
        split: place in content.SPLITS of the generated levels, or content.ANY.
        levels: uint8[L, P, H, W], pictures to draw levels from in place of the generator.
        turn_limit: turns after which an episode is truncated; a new value holds from each world's next episode.
        rewards: name of one of the puzzle's reward schemes.
        novelty: keep track of the states that an episode has seen.
        threads: how many the worlds are shared out to, 4,096 or more to each; what is played does not depend on it.
        view: what agents see; by default all.

    Raises:
        ValueError: if no such level can be generated, or there is no such reward scheme.
    """

    state: State
    start: Start | None = None  # kept for a world alone
    ended: np.ndarray = np.zeros((0, 0), np.uint8)  # boards of episodes that the last turn ended, by world,
    _ended_views: np.ndarray = ended  # and as the agent saw them
    _views: tuple[np.ndarray, np.ndarray] = (np.zeros(0), np.zeros(0))
    _history: History
    eyes: Eyes | None = None  # of the agent, unless it sees all
    _make_eyes: Callable[[View, int, tuple[int, int, int]], Eyes] = Eyes

    def __init__(
        self,
        puzzle: Puzzle,
        num_worlds: int,
        *,
        height: int,
        width: int,
        options: Any,
        turn_limit: int,
        split: int = ANY,
        levels: np.ndarray | None = None,
        rewards: str = "outcome",
        novelty: bool = True,
        threads: int = 1,
        view: View = WHOLE,
    ) -> None:
        if complaint := "" if levels is not None else puzzle.check_options(options, height, width):
            raise ValueError(f"{puzzle.name}: {complaint}")
        if rewards not in puzzle.rewards:
            raise ValueError(f"unknown rewards {rewards!r}; {puzzle.name} knows: {', '.join(puzzle.rewards)}")
        self.puzzle = puzzle
        self.wanted = Wanted(options, split)
        self.levels = levels
        self.turn_limit = turn_limit
        self.novelty, self._threads, self.view = novelty, threads, view
        self.num_agents = getattr(options, "num_agents", 1)
        self._level_shape = (puzzle.num_planes(options), height, width)
        if levels is not None:
            self._level_shape = levels.shape[1], levels.shape[2], levels.shape[3]
        self._make_state(num_worlds, self._level_shape)
        self._bank = None if levels is None else make_bank(puzzle, levels, self.num_agents)
        self._no_bank = empty_bank(self.state.board[:0], self.state)
        self._desk = self._make_desk(1)
        self._pay = np.zeros(MAX_REASONS)
        for reason, reward in puzzle.rewards[rewards].items():
            self._pay[reason] = reward
        self.outcome_reward = float(self._pay[SOLVED])  # of the action that solves a level

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape (P, H, W) of the pictures."""
        height, width = self.state.height, self.state.width
        return self.state.board.shape[1] // (height * width), height, width

    @property
    def book(self) -> np.ndarray:
        """BOOK[N]: the numbers kept with each world; see grid.BOOK."""
        return self.state.book

    def pictures(self) -> np.ndarray:
        """Return the pictures of all worlds as they are now, uint8[N, P, H, W], a view."""
        return self._look()[0]

    def copy_picture(self) -> np.ndarray:
        """Return the picture of a world alone as agents see it, uint8[P, h, w], a copy."""
        return self._look()[1].copy() if self.eyes is None else self.copy_pictures()[0]

    @property
    def seen_shape(self) -> tuple[int, int, int]:
        """The shape (P, h, w) of the pictures that agents see."""
        return self.view.shape_of(self.shape)

    def seen(self, worlds: np.ndarray | None = None, have_ended: bool = False) -> np.ndarray:
        """Return the boards as the agent sees them, of all worlds or those listed, uint8[K, P * h * w].

        They may be the worlds' own arrays, which change as play goes on.

        Args:
            worlds: int64[K].
            have_ended: as they were when the last turn had ended their episodes, before an autoreset.
        """
        eyes, boards = self.eyes, self.ended if have_ended else self.state.board
        if eyes is not None and have_ended:
            boards = self._ended_views
        elif eyes is not None:
            boards = eyes.pictures
            if eyes.view.fog:
                pass  # it looked after each action
            elif worlds is None:
                share_out(lambda first, last: eyes.look(self.state, first, last), len(boards), self._threads)
            else:
                eyes.look_at(self.state, worlds)
        return boards if worlds is None else boards[worlds]

    def _look(self) -> tuple[np.ndarray, np.ndarray]:
        """Return views of the board as pictures, and as the first of them; made anew when the board is."""
        if self._views[0].base is not self.state.board:
            pictures = self.state.board.reshape(-1, *self.shape)
            self._views = pictures, pictures[0]
        return self._views

    def begin(self, worlds: np.ndarray, seeds: np.ndarray | None = None, indices: np.ndarray | None = None) -> None:
        """Begin an episode in each of the worlds listed, with the first level of its seed or the next one.

        Args:
            worlds: int64[K], indices.
            seeds: uint64[K], or None to go on with the seeds that the worlds have.
            indices: int64[K], which of the levels given each world plays, in place of one drawn by its seed.

        Raises:
            making.NoLevel: if the generator found no level.
        """
        if self.shape != self._level_shape:
            self._make_state(len(self.book), self._level_shape)
        if seeds is None:
            self.book["episode"][worlds] += 1
        else:
            self.book["seed"][worlds] = seeds
            self.book["episode"][worlds] = 0
        if self._bank is not None:
            self._begin_with(self._bank, worlds, np.full(len(worlds), -1) if indices is None else indices)
        else:
            self.book["turn_limit"][worlds] = 0  # no level is there until one has been made
            make_levels(self.puzzle, self.state, worlds, self.wanted)
            beginnings_of(self.puzzle).begin_all(self.state, self._history.tables, worlds, self.turn_limit)
        if self.eyes is not None:
            self.eyes.open(self.state, worlds)
        if len(self.book) == 1:
            is_made = self.levels is None
            seed, episode = int(self.book["seed"][0]), int(self.book["episode"][0])
            self.start = Start(self.pictures()[0].copy(), seed if is_made else None, episode if is_made else None)

    def _begin_with(self, bank: Bank, worlds: np.ndarray, indices: np.ndarray) -> None:
        rng = np.empty(1, np.uint64)
        beginnings_of(self.puzzle).begin_with(
            self.state, self._history.tables, worlds, bank, indices, self.turn_limit, rng
        )

    def place(self, worlds: np.ndarray, picture: np.ndarray, seeds: np.ndarray | None = None) -> None:
        """Begin an episode in each of the worlds listed, with a given level.

        Args:
            worlds: int64[K], indices.
            picture: uint8[P, H, W]; a world alone takes any shape, a batch only its own.
            seeds: uint64[K], whose first levels come next; None to go on with the seeds that the worlds have.
        """
        if worlds.min(initial=0) < 0 or worlds.max(initial=0) >= len(self.book):
            raise IndexError(f"there are {len(self.book)} worlds; got {worlds}")
        if picture.shape != self.shape:
            if len(self.book) > 1:
                raise ValueError(f"this batch plays levels of shape {self.shape}; the level given is {picture.shape}")
            planes, height, width = picture.shape
            self._make_state(1, (planes, height, width))
        if seeds is not None:
            self.book["seed"][worlds] = seeds
            self.book["episode"][worlds] = -1
        self._begin_with(
            make_bank(self.puzzle, picture[None], self.num_agents), worlds, np.zeros(len(worlds), np.int64)
        )
        self.book["index"][worlds] = -1
        if self.eyes is not None:
            self.eyes.open(self.state, worlds)
        if len(self.book) == 1:
            self.start = Start(picture.copy())

    def play(self, actions: np.ndarray, asked: np.ndarray, autoreset: int = DISABLED, copies: bool = False) -> Played:
        """Play a turn in every world whose episode is not over, and begin the next episodes where that is due.

        Args:
            actions: int8[N, T], each row padded with play.NO_ACTION.
            asked: int64[N], actions that were asked for, those over the limit included.
            autoreset: SAME_STEP, to go on at once in worlds whose episode is over after the turn; NEXT_STEP, in those whose
                episode was over before it; or DISABLED.
            copies: whether to copy the pictures.

        Raises:
            making.NoLevel: if the generator found no level for the next episode.
        """
        assert actions.shape[0] == len(asked) == len(self.book)
        actions, asked = np.ascontiguousarray(actions, np.int8), np.ascontiguousarray(asked, np.int64)
        num_actions, state = actions.shape[1], self.state
        ledger, told = new_ledger(num_actions, self.book), new_told(self.book)
        self._history.make_room(num_actions)
        draws = self._bank is not None and self.shape == self._level_shape and self.eyes is None  # which kernels can do
        bank = self._no_bank if self._bank is None else self._bank
        ended = self._room_for_ended() if autoreset == SAME_STEP else state.board
        seen = np.empty_like(state.board) if copies and self.eyes is None and (draws or not autoreset) else None
        play = player_of(self.puzzle, self.view.fog)
        watched = state if self.eyes is None else self.eyes.watch(state)

        def play_part(first: int, last: int) -> tuple[int, int, int]:
            found, rng = np.empty((len(FOUND), BLOCK * num_actions), np.uint64), np.empty(1, np.uint64)
            result = play(
                watched, self._history.tables, found, actions, asked, self._pay, ledger, told, bank, autoreset if draws else DISABLED,
                self.turn_limit, rng, ended, first, last,
            )  # fmt: skip
            if seen is not None:
                seen[first:last] = state.board[first:last]
            return result

        parts = share_out(play_part, len(self.book), self._threads)
        self._history.room = min(self._history.room, *(room for room, _, _ in parts))
        now = told
        if autoreset == SAME_STEP and any(num_over for _, num_over, _ in parts):
            over = np.flatnonzero(told["terminated"] | told["truncated"] | ~told["took_part"])
            now = copy_records(told)
            if not draws:
                self._keep_ended(over)
                self.begin(over)
            teller()(self.state, over, self._pay, now)
        elif autoreset == NEXT_STEP and not draws and not told["took_part"].all():
            over = np.flatnonzero(~told["took_part"])
            self.begin(over)
            teller()(self.state, over, self._pay, told)
        if copies:
            return Played(ledger, told, now, self.copy_pictures() if seen is None else seen.reshape(-1, *self.shape))
        return Played(ledger, told, now, None)

    def _keep_ended(self, worlds: np.ndarray) -> None:
        """Keep the boards of the worlds listed, int64[K], and what is seen of them, before others begin there."""
        self.ended[worlds] = self.state.board[worlds]
        if self.eyes is not None:
            self._ended_views = np.empty_like(self.eyes.pictures)
            self._ended_views[worlds] = self.seen(worlds)

    def _room_for_ended(self) -> np.ndarray:
        """Return where the boards of ended episodes are kept, as many as the worlds have."""
        if self.ended.shape != self.state.board.shape:
            self.ended = np.empty_like(self.state.board)
        return self.ended

    def play_with(self, play: Callable[..., tuple[int, int]], num_actions: int, *arguments: Any) -> None:
        """Have another kernel play a turn of at most so many actions in each world.

        Args:
            play: (state, history, pay, *arguments) -> for how many more states there is room, and anything; with fog the state is
                what the eyes watch, and they look once more after the turn.
            num_actions: of all agents together.
        """
        self._history.make_room(num_actions)
        watched = self.state if self.eyes is None else self.eyes.watch(self.state)
        room, _ = play(watched, self._history.tables, self._pay, *arguments)
        self._history.room = min(self._history.room, room)
        if self.eyes is not None and self.view.fog:
            self.eyes.look(self.state, 0, len(self.book))

    def give_eyes(self, make: Callable[[View, int, tuple[int, int, int]], Eyes]) -> None:
        """Have other eyes look at the worlds from now on, made like Eyes(view, N, shape) if not all is seen."""
        self._make_eyes = make
        self._open_eyes()

    def play_alone(self, actions: Sequence[int], num_asked: int) -> tuple[bytes, tuple[Any, ...]]:
        """Play a turn of a world alone, with the same kernel and less ado.

        Args:
            actions: one or more, each from 0 to 127 or play.NO_ACTION.
            num_asked: actions that were asked for, those over the limit included.

        Returns:
            The ledger's T lines, of play.LINE.itemsize bytes each, and what is told of the world, in the order of play.TOLD.
        """
        row, asked, found, ledger, told = self._desk
        if len(actions) != row.shape[1]:
            row, asked, found, ledger, told = self._desk = self._make_desk(len(actions))
        row[0, 0] = actions[0]  # which is quicker than the next line, and mostly enough
        if len(actions) > 1:
            row[0] = actions
        asked[0] = num_asked
        history = self._history
        if len(actions) > history.room:
            history.make_room(len(actions))
        play = lone_player_of(self.puzzle, self.view.fog)
        state = self.state if self.eyes is None else self.eyes.watch(self.state)
        room, _ = play(state, history.tables, found, row, asked, self._pay, ledger, told)
        if room < history.room:
            history.room = room
        return ledger.tobytes(), read_told(told)

    def copy_pictures(self, worlds: np.ndarray | None = None, have_ended: bool = False) -> np.ndarray:
        """Return the pictures of all worlds or those listed as agents see them, uint8[K, P, h, w], a copy; see seen."""
        if worlds is not None or self.eyes is not None:
            boards = self.seen(worlds, have_ended)
            return (boards if worlds is not None else boards.copy()).reshape(-1, *self.seen_shape)
        copy = np.empty_like(self.state.board)
        board = self.state.board
        share_out(lambda first, last: np.copyto(copy[first:last], board[first:last]), len(board), self._threads)
        return copy.reshape(-1, *self.shape)

    def tell(self) -> np.ndarray:
        """Return what is told of the worlds as they are now."""
        told = new_told(self.book)
        told["took_part"][:] = True
        teller()(self.state, np.arange(len(self.book)), self._pay, told)
        return told

    def over(self) -> np.ndarray:
        """Return which worlds' episodes are over, bool[N]."""
        return self.book["terminated"] | self.book["truncated"]

    def solve(self, world: int, limits: Limits = Limits()) -> np.ndarray | None:
        """Return a best plan that solves a world from where it is, int8[M]; None if it is proven that there is none.

        Raises:
            RuntimeError: if the limits ran out before that was settled.
        """
        plan = np.empty(4096 + 2 * self.state.board.shape[1], np.int8)
        length, _ = self.puzzle.find_plan(self.state, world, plan, limits)
        if length == GAVE_UP:
            raise RuntimeError(
                f"{self.puzzle.name}: not settled within {limits.nodes:,} positions and {limits.bytes:,} bytes"
            )
        return None if length == NO_SOLUTION else plan[:length].copy()

    def distances(self, ended: np.ndarray | None = None) -> np.ndarray:
        """Return the fewest actions that solve each world from where it is, int64[K].

        NO_SOLUTION (-1) where it is proven that none do, GAVE_UP (-2) where that takes more than DISTANCE_NODES.

        Args:
            ended: int64[K], worlds to look at as they were when the last turn had ended their episodes; by default all as
                they are.
        """
        state = self.state
        if ended is not None:
            state = new_state(len(ended), self.shape, self.num_agents)
            state.board[:] = self.ended[ended]
            for place in range(len(ended)):
                settle(state, place)
        plan = np.empty(4096 + 2 * state.board.shape[1], np.int8)
        limits = self.puzzle.limits(self.puzzle.costs[-1], nodes=DISTANCE_NODES)
        found = (self.puzzle.find_plan(state, world, plan, limits)[0] for world in range(len(state.book)))
        return np.fromiter(found, np.int64, len(state.book))

    def action_masks(self, agent: int = 0) -> np.ndarray:
        """Return which of an agent's actions would change each world now, bool[N, number of actions]."""
        num_actions = len(self.puzzle.words.vocabulary.names)
        masks = np.zeros((len(self.book), num_actions), bool)
        trier_of(self.puzzle)(copy_state(self.state), self.state, agent, masks)
        return masks

    def snapshot(self) -> Snapshot:
        """Return a copy of all that playing on depends on."""
        memory = self.eyes.recall() if self.eyes is not None and self.view.fog else None
        return Snapshot(self.puzzle.name, copy_state(self.state), self._history.copy(), self.start, memory, self.view)

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to where a snapshot was taken; the snapshot can be used again.

        Raises:
            ValueError: if it was taken of another puzzle, or of another number of worlds.
        """
        if not isinstance(snapshot, Snapshot):
            raise ValueError(f"a state comes from get_state(); got {type(snapshot).__name__}")
        if (snapshot.puzzle, len(snapshot.state.book)) != (self.puzzle.name, len(self.book)):
            taken = f"{len(snapshot.state.book)} worlds of {snapshot.puzzle}"
            raise ValueError(f"this state is of {taken}; here are {len(self.book)} of {self.puzzle.name}")
        if len(self.book) > 1 and snapshot.state.board.shape != self.state.board.shape:
            raise ValueError("this state is of boards of another size")
        if snapshot.history.keeps != self.novelty:
            raise ValueError("this state is of worlds with another setting of novelty")
        if snapshot.state.agents.shape != self.state.agents.shape:
            raise ValueError(f"this state is of {snapshot.state.agents.shape[1]} agents; here are {self.num_agents}")
        if (snapshot.view.fog or self.view.fog) and snapshot.view != self.view:
            raise ValueError("this state is of worlds with another setting of fog, and of what is remembered")
        self.state = copy_state(snapshot.state)
        self._history = snapshot.history.copy()
        self._open_eyes(snapshot.memory)
        self.start = snapshot.start

    def _make_state(self, num_worlds: int, shape: tuple[int, int, int]) -> None:
        book = self.book if hasattr(self, "state") else None
        self.state = new_state(num_worlds, shape, self.num_agents)
        if book is not None:
            self.state = self.state._replace(book=book)
        self._history = History(num_worlds, self.novelty)
        self._open_eyes()

    def _make_desk(self, num_actions: int) -> tuple[np.ndarray, ...]:
        """Return what the kernel reads and writes for a world alone: actions, asked, states found, ledger and told."""
        row, found = np.empty((1, num_actions), np.int8), np.empty((len(FOUND), num_actions), np.uint64)
        return row, np.empty(1, np.int64), found, new_ledger(num_actions, self.book[:1]), new_told(self.book[:1])

    def _open_eyes(self, memory: Memory | None = None) -> None:
        """Give the agent eyes for boards of this shape, unless it sees all."""
        self.eyes = self._make_eyes(self.view, len(self.book), self.shape) if self.view.is_partial else None
        if self.eyes is not None and memory is not None:
            self.eyes.remember(memory)
