"""Worlds that speak text, or numbers, N at once and without any framework; the environments translate them."""

import inspect
import os
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

import numpy as np

from textworlds.checks import check_type, check_whole, indices_from
from textworlds.grid import NO_ACTION, SOLID
from textworlds.levels.bank import FIRST_SEED, generate_levels, read_level
from textworlds.levels.content import ANY, SPLITS
from textworlds.levels.files import load
from textworlds.levels.level_set import certify
from textworlds.play import DISABLED, FLAG_NAMES, LINE, REASON, narrower
from textworlds.puzzles import Puzzle
from textworlds.text.formats import FORMATS, MAPS
from textworlds.text.grammars import Reading
from textworlds.text.translator import Asked, Translator
from textworlds.views import make_view
from textworlds.worlds import Snapshot, Worlds

DEFAULT_GRAMMAR = "tag:action"
MAX_ACTIONS, MOST_ACTIONS = 256, 8192
MOST, MOST_CELLS = (1 << 31) - 1, 1 << 20
TOTALS = ("num_turns", "num_asked", "num_changed", "num_novel")
PICTURE, DISCRETE = "picture", "discrete"


class Turn(NamedTuple):
    """What one turn in N worlds did. All arrays are fresh."""

    ledger: np.ndarray  # LINE[N, T], see play
    told: np.ndarray  # TOLD[N] of the turn, see play, and
    now: np.ndarray  # TOLD[N] of the episodes as they stand after an autoreset
    pictures: np.ndarray | None  # uint8[N, P, H, W], as they are now, if they were asked for
    num_asked: np.ndarray  # int64[N]
    actions: np.ndarray  # int8[N, T]
    asked: Asked | None  # how the messages were read; None if actions are numbers

    @property
    def played(self) -> np.ndarray:
        """bool[N], worlds whose episode was not over before."""
        return self.told["took_part"]

    def reading(self, world: int) -> Reading | None:
        """Return how a world's message was read; None if its action was a number."""
        return None if self.asked is None else self.asked.readings[self.asked.rows[world]]


class Episodes:
    """N episodes of one puzzle, played in turns.

    Args:
        puzzle: what is played.
        num_worlds: N.
        height, width: of generated levels, in cells.
        turn_limit: turns after which an episode is truncated; may be set anew, and then holds from the next episode.
        observation: a text format ("dense", "spaced", "coordinates", "json", "prose"), or "picture" for uint8[P, H, W].
        action: an action grammar ("tag:action", "line:NAME", "boxed", "bracket", "json", "index", "plain"), or
            "discrete" for one action number a turn.
        max_actions: actions that are played in one turn, None for as many as there may be (8,192, so that no message
            can exhaust the memory); may be set anew at any time.
        legend: open each episode's first observation with the rules, the glyphs and how to answer.
        feedback: open each later observation with a line on each action of the turn.
        rewards: name of one of the puzzle's reward schemes.
        distance: tell the fewest actions that solve the world from where it is: "distance" in the ledger, exact, or -1 if
            there is no solution, or -2 if the solver did not settle it within 20,000 positions.
        action_mask: tell which actions would change the world: "action_mask", int8[number of actions], in the ledger.
        levels: play these in place of generated ones, whatever the size and the options: a file's path, the name of a set
            that comes with the package, a LevelSet, or a list of drawings, Levels or pictures. Smaller levels get walls
            to the right and below.
        split: "train", "validation" or "test": generate levels of this split only, or keep only those of the levels given;
            or "all". By default "train"; then, where levels are given, all of these. See content.py: no level of one split
            is, turned or mirrored, in another.
        num_levels: play only so many different levels, generated from seeds of 2**63 and up.
        novelty: tell which actions led to a state not seen in the episode. Without it `novel` and `num_novel` are left
            out of the ledger, and a batch of thousands is faster by a third and takes a third of the memory.
        as_bytes: texts are ASCII, uint8[N, L], and so may messages be, in an array of dtype "S". Only for "dense" and
            "spaced", whose texts have one length, without legend and feedback; nothing is said of an unread message then,
            its reason is in the ledger alone.
        threads: share the worlds out to so many threads, 4,096 or more to each, as fewer are faster in one; what is played
            does not depend on it.
        view: show only so many rows and columns, an odd number, with the agent in the middle; see views.py.
        sight: show only what no wall hides.
        fog: show the whole board, as far as it was seen in this episode, each cell as it was last seen. Only with view or
            sight.
        **options: what the generator should make; the fields of puzzle.options.

    Raises:
        ValueError: for settings that are unknown or cannot be met; the text says which and what is allowed.
    """

    def __init__(
        self,
        puzzle: Puzzle,
        num_worlds: int = 1,
        *,
        height: int,
        width: int,
        turn_limit: int = 100,
        observation: str = "dense",
        action: str = DEFAULT_GRAMMAR,
        max_actions: int | None = MAX_ACTIONS,
        legend: bool = False,
        feedback: bool = False,
        rewards: str = "outcome",
        action_mask: bool = False,
        distance: bool = False,
        levels: str | os.PathLike[str] | Sequence[Any] | None = None,
        split: str | None = None,
        num_levels: int | None = None,
        novelty: bool = True,
        as_bytes: bool = False,
        threads: int = 1,
        view: int | None = None,
        sight: bool = False,
        fog: bool = False,
        **options: Any,
    ) -> None:
        self.puzzle = puzzle
        check_whole(height=height, width=width, turn_limit=turn_limit, num_worlds=num_worlds)
        check_whole(num_levels=1 if num_levels is None else num_levels)
        check_type(bool, legend=legend, feedback=feedback, action_mask=action_mask, distance=distance)
        check_type(bool, novelty=novelty, as_bytes=as_bytes)
        check_whole(threads=threads)
        check_type(str, observation=observation, action=action, rewards=rewards)
        if int(height) * int(width) > MOST_CELLS:
            raise ValueError(f"{height} rows and {width} columns are more than {MOST_CELLS:,} cells")
        if observation not in (*FORMATS, PICTURE):
            raise ValueError(f"unknown observation {observation!r}; known: {', '.join((*sorted(FORMATS), PICTURE))}")
        height, width, turn_limit, num_worlds = int(height), int(width), int(turn_limit), int(num_worlds)
        chosen = _make_options(self.puzzle, options)
        settings = {"height": height, "width": width, "options": chosen, "turn_limit": turn_limit, "rewards": rewards}
        settings["split"] = _place_of_split("train" if split is None and levels is None else split)
        if num_levels is not None and levels is not None:
            raise ValueError("give levels or num_levels, not both")
        self._given: Sequence[Any] = ()
        self._placed: Any = None  # the level that a world alone was given last, if it plays it
        pictures = None
        if levels is not None:
            pictures, self._given = load(levels, self.puzzle, settings["split"], getattr(chosen, "num_agents", 1))
        elif num_levels is not None:
            pictures = generate_levels(self.puzzle, num_levels, **settings)
        if as_bytes and (observation not in MAPS or legend or feedback):
            raise ValueError(f"as_bytes is for the observations {' and '.join(MAPS)}, without legend and feedback")
        seen = make_view(view, sight, fog)
        if seen.size and SOLID not in puzzle.words.glyphs:
            raise ValueError(
                f"{puzzle.name} has no glyph for solid cells, as which a view shows what is beyond the board"
            )
        self.worlds = Worlds(
            self.puzzle, num_worlds, levels=pictures, novelty=novelty, threads=int(threads), view=seen, **settings
        )
        self.as_bytes = as_bytes
        self.flags = [(row, name) for row, name in enumerate(FLAG_NAMES) if novelty or name != "novel"]
        self.total_names = tuple(name for name in TOTALS if novelty or name != "num_novel")
        self.speaks_pictures = observation == PICTURE
        self.takes_numbers = action == DISCRETE
        self.gives_mask, self.gives_distance = action_mask, distance
        self.most_turns = MOST
        self._num_actions = len(puzzle.words.vocabulary.names)
        format = "dense" if self.speaks_pictures else observation
        grammar = DEFAULT_GRAMMAR if self.takes_numbers else action
        words = self.puzzle.words
        limit = _check_max_actions(max_actions)
        self.translator = Translator(words, self.text_shape, format, grammar, limit, legend, feedback, seen)

    @property
    def text_shape(self) -> tuple[int, int, int]:
        """The shape (P, h, w) of what texts tell; planes that say who owns what are told to each agent (multi.texts)."""
        planes, height, width = self.worlds.seen_shape
        return planes if self.puzzle.words.passenger else 1, height, width

    @property
    def turn_limit(self) -> int:
        """Turns after which an episode is truncated; a new value holds from each world's next episode."""
        return self.worlds.turn_limit

    @turn_limit.setter
    def turn_limit(self, turns: int) -> None:
        check_whole(turn_limit=turns)
        self.worlds.turn_limit = min(int(turns), self.most_turns)

    @property
    def max_actions(self) -> int:
        """Actions that are played in one turn."""
        return self.translator.max_actions

    @max_actions.setter
    def max_actions(self, actions: int | None) -> None:
        self.translator.max_actions = _check_max_actions(actions)

    def begin(self, worlds: np.ndarray, seeds: np.ndarray | None = None, indices: np.ndarray | None = None) -> None:
        """Begin an episode in the worlds listed: the first of their seed (uint64[K]), or the next.

        Or with one of the levels given, by indices (int64[K]; see find_indices).
        """
        self.worlds.begin(worlds, seeds, indices)
        self._placed = None
        self.translator.reshape(self.text_shape)

    def find_indices(self, index: Any, num_worlds: int) -> np.ndarray:
        """Return an index for each of so many worlds, int64[K], from one for all or one for each.

        Raises:
            ValueError: unless they are places of levels given.
        """
        return indices_from(index, 0 if self.worlds.levels is None else len(self.worlds.levels), num_worlds)

    def certificate(self) -> dict[str, Any]:
        """Return the certificate of the level that a world alone plays, as in a LevelSet.

        It is the level's own if it was given with one; else the solver makes it, from what the episode began with.
        """
        if (start := self.worlds.start) is None:
            raise RuntimeError("only a world alone has a certificate, once it was reset")
        index = int(self.worlds.book["index"][0])
        given = self._given[index] if 0 <= index < len(self._given) else self._placed
        own = dict(getattr(given, "certificate", None) or {})
        if any(own.get(name) is not None for name in self.puzzle.grades):
            return own
        seed, episode = start.seed, start.episode
        if index >= 0 and given is None:  # of a bank
            seed, episode = int(FIRST_SEED) + index, 0
        return certify(self.puzzle, start.picture, seed, episode) | {k: v for k, v in own.items() if v is not None}

    def place(self, worlds: np.ndarray, level: Any, seeds: np.ndarray | None = None) -> None:
        """Begin an episode in the worlds listed with a given level: a drawing, a Level or a picture.

        After it come the first levels of `seeds`, uint64[K], or the next ones of the seeds that the worlds have.
        """
        picture = read_level(level, self.puzzle, self.worlds.num_agents)
        shape, seen = self.worlds.seen_shape, self.worlds.view.shape_of(picture.shape)
        if (self.speaks_pictures or self.as_bytes) and seen != shape:
            raise ValueError(f"pictures here have the shape {shape}; the level given has {seen}")
        self.worlds.place(worlds, picture, seeds)
        self._placed = level
        self.translator.reshape(self.text_shape)

    def act(self, actions: Any, autoreset: int = DISABLED, copies: bool = False) -> Turn:
        """Play one turn in every world whose episode is not over.

        Args:
            actions: N messages (each a str or bytes), or N action numbers.
            autoreset: when the next episodes begin, one of play.DISABLED, SAME_STEP and NEXT_STEP.
            copies: whether to copy the pictures.
        """
        asked = None
        if self.takes_numbers:
            numbers = self._read_numbers(actions)
            num_asked = np.ones(len(numbers), np.int64)
        else:
            asked = self.translator.read(_messages_from(actions, len(self.worlds.book)))
            numbers, num_asked = asked.actions, asked.num_asked
        return Turn(*self.worlds.play(numbers, num_asked, autoreset, copies), num_asked, numbers, asked)

    def act_alone(self, action: Any) -> tuple[Any, Reading | None, bytes, tuple[Any, ...]]:
        """Play one turn of a world alone, as `act` and `observe` do for many.

        Args:
            action: a message, or an action number.

        Returns:
            The observation, how the message was read, the ledger's lines, and what is told of the world; see Worlds.play_alone.
        """
        reading, num_asked = None, 1
        actions: tuple[int, ...]
        if self.takes_numbers:
            actions = (self._read_number(action),)
        else:
            reading = self.translator.read_one(action)
            actions, num_asked = reading.actions or (NO_ACTION,), len(reading.actions) + reading.over
        lines, told = self.worlds.play_alone(actions, num_asked)
        if self.speaks_pictures:
            return self.worlds.copy_picture(), reading, lines, told
        text = self.observe()[0] if self.as_bytes else self.translator.write_one(self.worlds.seen())
        if self.translator.feedback or (reading is not None and not reading.actions and not self.as_bytes):
            kept = 1 if reading is None else len(reading.actions)
            reasons = lines[REASON :: LINE.itemsize]
            text = self.translator.comment(text, reading, actions[:kept], reasons[:kept])
        return text, reading, lines, told

    def restore(self, state: Snapshot) -> None:
        """Go back to where worlds.snapshot() was called."""
        self.worlds.restore(state)
        self.translator.reshape(self.text_shape)

    def observe(
        self,
        turn: Turn | None = None,
        begun: np.ndarray | None = None,
        worlds: np.ndarray | None = None,
        have_ended: bool = False,
    ) -> Any:
        """Return what worlds look like: a list of texts, or uint8[K, L] as_bytes, or uint8[K, P, H, W].

        Args:
            turn: the turn that led here, for what is to be said of it.
            begun: bool[N], worlds that stand at the beginning of an episode, whatever the turn was; by default all
                if there was no turn, and none otherwise.
            worlds: int64[K], those to observe; all by default.
            have_ended: observe them as they were when the turn had ended their episodes, before an autoreset.
        """
        if self.speaks_pictures:
            return self.worlds.copy_pictures(worlds, have_ended)
        board = self.worlds.seen(worlds, have_ended)
        if self.as_bytes:
            return self.translator.write_bytes(board)
        texts = self.translator.write(board)
        any_unread = turn is not None and turn.asked is not None and turn.asked.any_unread
        has_comments = turn is not None and (self.translator.feedback or any_unread)
        if not (has_comments or self.translator.legend):
            return texts
        if begun is None:
            begun = np.full(len(self.worlds.book), turn is None)
        if self.translator.legend:
            for place in np.flatnonzero(begun if worlds is None else begun[worlds]):
                texts[place] = self.translator.open(texts[place])
        if turn is not None and has_comments:
            spoken_of = turn.played & ~begun
            if not self.translator.feedback:
                spoken_of &= turn.actions[:, 0] == NO_ACTION
            for place in np.flatnonzero(spoken_of if worlds is None else spoken_of[worlds]):
                texts[place] = self._comment(texts[place], turn, int(place if worlds is None else worlds[place]))
        return texts

    def _comment(self, text: str, turn: Turn, world: int) -> str:
        kept = turn.actions[world] != NO_ACTION
        return self.translator.comment(
            text, turn.reading(world), turn.actions[world][kept], turn.ledger["reason"][world][kept]
        )

    def _read_number(self, action: Any) -> int:
        if type(action) in (int, np.int64) and 0 <= action < self._num_actions:
            return int(action)
        number = np.asarray(action)
        if number.shape != () or number.dtype.kind not in "iu" or not 0 <= number < self._num_actions:
            raise ValueError(f"an action is a whole number from 0 to {self._num_actions - 1}; got {action!r:.80}")
        return int(number)

    def _read_numbers(self, actions: Any) -> np.ndarray:
        numbers, num_worlds = np.asarray(actions), len(self.worlds.book)
        if numbers.shape != (num_worlds,) or numbers.dtype.kind not in "iu":
            raise ValueError(f"actions must be {num_worlds} whole numbers, one a world; got {actions!r}")
        if numbers.dtype != np.int64 or not numbers.flags.c_contiguous:
            numbers = (np.minimum(numbers, 127) if numbers.dtype.kind == "u" else numbers).astype(np.int64)
        narrowed = np.empty((num_worlds, 1), np.int8)
        if not narrower()(numbers, self._num_actions, narrowed):
            raise ValueError(f"actions are numbers from 0 to {self._num_actions - 1}; got {actions!r}")
        return narrowed


def check_alone(episodes: Episodes) -> None:
    """Raise ValueError if several agents play."""
    if episodes.worlds.num_agents > 1:
        players = f"{episodes.worlds.num_agents} {episodes.puzzle.words.agent}s"
        raise ValueError(f"{players} play in textworlds.multi; here plays one, and num_agents is 1")


def _make_options(puzzle: Puzzle, given: dict[str, Any]) -> Any:
    known = puzzle.options._fields
    if unknown := sorted(given.keys() - set(known)):
        near = get_close_matches(unknown[0], [*known, *inspect.signature(Episodes).parameters], n=1, cutoff=0.7)
        meant = f"; and there is {near[0]!r}" if near and near[0] not in known else ""
        raise ValueError(
            f"unknown option {unknown[0]!r} of {puzzle.name}; its generator knows: {', '.join(known)}{meant}"
        )
    for name, value in given.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer):
            raise ValueError(f"{name} must be a whole number; got {value!r}")
        if not -MOST <= value <= MOST:
            raise ValueError(f"{name} must be between -2**31 and 2**31; got {value}")
    return puzzle.options(**{name: int(value) for name, value in given.items()})


def _place_of_split(split: str | None) -> int:
    if split not in (*SPLITS, "all", None):
        raise ValueError(f"unknown split {split!r}; known: {', '.join(SPLITS)}, all")
    return SPLITS.index(split) if split in SPLITS else ANY


def _check_max_actions(max_actions: int | None) -> int:
    if max_actions is None:
        return MOST_ACTIONS
    check_whole(max_actions=max_actions)
    if max_actions > MOST_ACTIONS:
        raise ValueError(f"max_actions must be at most {MOST_ACTIONS:,}; got {max_actions:,}")
    return int(max_actions)


def _messages_from(messages: Any, num_worlds: int) -> Sequence[str | bytes]:
    is_list = isinstance(messages, Sequence) and not isinstance(messages, str | bytes)
    if not is_list and not (isinstance(messages, np.ndarray) and messages.ndim):
        raise ValueError(f"{num_worlds} messages are needed, one a world; got {messages!r:.80}")
    if len(messages) != num_worlds:
        raise ValueError(f"{num_worlds} messages are needed, one a world; got {len(messages)}")
    if isinstance(messages, np.ndarray) and messages.dtype.kind in "SU" and messages.ndim == 1:
        return messages.tolist()
    return messages  # type: ignore[return-value] # each is looked at when it is read
