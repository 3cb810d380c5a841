"""Test a puzzle: Hypothesis strategies for its levels, states and messages, and a check of all that it promises.

`check_puzzle` generates levels, the smallest first, plays them, and holds what the verbs do against puzzles/puzzle.py.
Each of its checks is a small function that returns a sentence on what is wrong, or "". It draws the same levels and
actions every time. The strategies need Hypothesis (pip install "textworlds[testing]"); the check does not, and can be
run from the command line: python -m textworlds.testing NAME.
"""

import sys
import types
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from textworlds.episode import Episode
from textworlds.episodes import Episodes
from textworlds.grid import (
    AGENT,
    CHANGED,
    GOAL,
    ITEM,
    NO_ACTION,
    SOLID,
    SOLVED,
    UNKNOWN,
    WALLS,
    State,
    close_walls,
    copy_state,
    new_state,
    settle,
)
from textworlds.kernel import Kernel
from textworlds.levels.making import NoLevel
from textworlds.puzzles import GAVE_UP, NO_SOLUTION, PUZZLES, Limits, Puzzle, find_puzzle
from textworlds.random import start_stream
from textworlds.text import formats, grammars
from textworlds.worlds import MAX_REASONS, Worlds

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

GRAMMARS = tuple(kind.replace("NAME", "action") for kind in grammars.KINDS)
VERBS = ("step", "goals_left", "generate", "solve", "is_lost")
ALL_SMALL = 10  # up to here every height and width is tried, beyond only those of the ids
MAX_PLAN, MAX_WALK = 4096, 30
MOST_TRIES = 100  # proposals for one level; no window is kept
WORLD, NUM_WORLDS = 1, 3  # levels are played in the middle world; its neighbours show a verb that leaves its world


class Settings(NamedTuple):
    """What a level is generated from, beside the seed."""

    height: int
    width: int
    options: Any

    def __str__(self) -> str:
        return f"height={self.height}, width={self.width}, {self.options}"


# Strategies.


def levels(puzzle: Puzzle, max_cells: int | None = None) -> "SearchStrategy[np.ndarray]":
    """Return a strategy for generated levels, uint8[P, H, W]: sizes and options as in the puzzle's ids, or smaller.

    Args:
        puzzle: what the levels are of.
        max_cells: at most so many cells, H * W; None for no limit.
    """
    st = _strategies()
    allowed = [s for s in allowed_settings(puzzle) if max_cells is None or s.height * s.width <= max_cells]
    settings, seeds = st.sampled_from(allowed), st.integers(0, (1 << 64) - 1)
    found = st.builds(lambda s, seed: _generate(puzzle, s, seed), settings, seeds).filter(lambda pair: pair[0])
    return found.map(lambda pair: _picture(pair[1]))


def states(puzzle: Puzzle, max_cells: int | None = None) -> "SearchStrategy[Episode]":
    """Return a strategy for episodes of action="discrete" in the middle of play, none of them over.

    The first so many actions of a plan were played, from none to most of them, then any.
    """
    st = _strategies()
    parts = levels(puzzle, max_cells), st.integers(0, 3), actions(puzzle)
    return st.builds(lambda level, quarters, moves: _episode(puzzle, level, quarters, moves), *parts)


def actions(puzzle: Puzzle, max_size: int = MAX_WALK) -> "SearchStrategy[list[int]]":
    """Return a strategy for lists of action numbers, as many long ones as short ones."""
    st = _strategies()
    action = st.integers(0, len(puzzle.words.vocabulary.names) - 1)
    return st.integers(0, max_size).flatmap(lambda size: st.lists(action, min_size=size, max_size=size))


def messages(puzzle: Puzzle, grammar: str) -> "SearchStrategy[str]":
    """Return a strategy for messages: as an agent should write them, the same with a piece replaced, and any text."""
    st = _strategies()
    good = st.from_regex(grammars.regular_expression(grammar, puzzle.words.vocabulary), fullmatch=True)
    places, pieces = st.integers(0, 40), st.text(max_size=5) | good
    broken = st.builds(lambda text, a, b, piece: text[:a] + piece + text[b:], good, places, places, pieces)
    return good | broken | st.text()


def _strategies() -> Any:
    try:
        from hypothesis import strategies
    except ImportError:
        raise ImportError('the strategies need Hypothesis: pip install "textworlds[testing]"') from None
    return strategies


def _episode(puzzle: Puzzle, level: np.ndarray, quarters: int, moves: Sequence[int]) -> Episode:
    """Return an episode in which a part of a plan was played, then moves up to the one that would have ended it."""
    _, height, width = level.shape
    episode = Episode(puzzle, height=height, width=width, levels=[level], action="discrete", turn_limit=10_000)
    episode.reset(0)
    for move in [*_first_part(puzzle, episode.episodes.worlds.state, 0, quarters), *moves]:
        before = episode.get_state()
        if episode.act(move).terminated:
            episode.set_state(before)
            break
    return episode


# What levels are made from.


@cache
def allowed_settings(puzzle: Puzzle) -> tuple[Settings, ...]:
    """Return settings that check_options allows, the smallest levels first.

    Options are the defaults, those of the ids, and these with one field changed to 0, 1 or what another of them has.
    """
    given = [_id_settings(puzzle, id) for id in puzzle.ids]
    known = [puzzle.options(), *(settings.options for settings in given)]
    values = {field: {0, 1, *(getattr(options, field) for options in known)} for field in puzzle.options._fields}
    varied = [one._replace(**{field: value}) for one in known for field in values for value in values[field]]
    heights = sorted({*range(1, ALL_SMALL + 1), *(settings.height for settings in given)})
    widths = sorted({*range(1, ALL_SMALL + 1), *(settings.width for settings in given)})
    largest = max(settings.height * settings.width for settings in given)
    sizes = [(height, width) for height, width in product(heights, widths) if height * width <= largest]
    tried = [Settings(*size, options) for options in sorted({*known, *varied}) for size in sizes]
    allowed = [one for one in tried if not puzzle.check_options(one.options, one.height, one.width)]
    return tuple(sorted(allowed, key=lambda one: puzzle.num_planes(one.options) * one.height * one.width))


def _id_settings(puzzle: Puzzle, id: str) -> Settings:
    settings = puzzle.ids[id]
    options = {name: settings[name] for name in puzzle.options._fields if name in settings}
    return Settings(settings["height"], settings["width"], puzzle.options(**options))


def _generate(puzzle: Puzzle, settings: Settings, seed: int) -> tuple[bool, State]:
    """Return whether a level was found, and the state with it in WORLD, ready to be played."""
    state = new_state(NUM_WORLDS, (puzzle.num_planes(settings.options), settings.height, settings.width))
    state = state._replace(book=state.book.view(np.recarray))  # verbs that are not compiled need it so
    rng = np.zeros(1, np.uint64)
    start_stream(rng, np.uint64(seed), np.int32(0))
    found = False
    for _ in range(MOST_TRIES):
        state.board[WORLD] = 0
        found = bool(puzzle.generate(rng, state, WORLD, settings.options))
        if found:
            break
    if np.count_nonzero(_picture(state)[0] & AGENT) == state.agents.shape[1]:
        settle(state, WORLD)
    state.book[WORLD].left = puzzle.goals_left(state, WORLD)
    state.book[WORLD].lost = puzzle.is_lost(state, WORLD)
    return found, state


def _picture(state: State) -> np.ndarray:
    """Return the picture of WORLD, uint8[P, H, W]."""
    return state.board[WORLD].reshape(-1, state.height, state.width).copy()


def _is_same(one: State, other: State) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one[:3], other[:3], strict=True))


def _first_part(puzzle: Puzzle, state: State, world: int, quarters: int) -> np.ndarray:
    """Return so many quarters of a plan; nothing if there is no plan."""
    plan = np.empty(MAX_PLAN, np.int8)
    length = max(puzzle.find_plan(state, world, plan)[0], 0) if quarters else 0
    return plan[: length * quarters // 4]


# The check.


def check_puzzle(puzzle: Puzzle, examples: int = 50) -> None:
    """Check that a puzzle does what puzzles/puzzle.py says.

    Args:
        puzzle: the puzzle.
        examples: levels to play.

    Raises:
        AssertionError: at the first thing wrong; the text says which promise is broken, on which level, after which
            actions.
    """
    for check in WORD_CHECKS:
        _require(puzzle, check(puzzle))
    allowed = allowed_settings(puzzle)
    found = 0
    for seed in range(examples):
        settings = allowed[int(len(allowed) * (seed / examples) ** 2)]
        found += _check_level(puzzle, settings, seed)
    _require(puzzle, "" if found else f"generate found no level in {examples} tries")
    for check in HOUSE_CHECKS:
        _require(puzzle, check(puzzle))


def _require(puzzle: Puzzle, complaint: str) -> None:
    if complaint:
        raise AssertionError(f"{puzzle.name}: {complaint}")


def _check_level(puzzle: Puzzle, settings: Settings, seed: int) -> bool:
    """Check one level and two ways to play it; return False if none was found."""
    found, state = _generate(puzzle, settings, seed)
    if not found:
        return False
    for check in (same_seed_same_level, generated_unsolved):
        game = _Game(puzzle, settings, seed, state)
        game.require(check(game))
    game.check_state()
    game.play_plan(must_exist=True)
    game = _Game(puzzle, settings, seed, state)
    for action in [*_first_part(puzzle, state, WORLD, seed % 4), *_random_actions(puzzle, MAX_WALK, seed)]:
        if game.left:
            game.play(action)
    game.play_plan(must_exist=False)
    return True


class _Moment(NamedTuple):
    """One action, just played."""

    puzzle: Puzzle
    before: State
    action: np.int8
    reason: int
    after: State


class _Game:
    """A level being played under all checks.

    Args:
        puzzle, settings, seed: what the level was generated from.
        start: the level; it is left as it is.
    """

    def __init__(self, puzzle: Puzzle, settings: Settings, seed: int, start: State) -> None:
        self.puzzle, self.settings, self.seed, self.start = puzzle, settings, seed, start
        self.state = copy_state(start)
        self.actions: list[int] = []
        self._read: set[bytes] = set()

    @property
    def left(self) -> int:
        return int(self.puzzle.goals_left(self.state, WORLD))

    def play(self, action: np.int8) -> None:
        before = copy_state(self.state)
        self.actions.append(int(action))
        reason = int(self.puzzle.step(self.state, WORLD, 0, action))
        moment = _Moment(self.puzzle, before, action, reason, self.state)
        for check in STEP_CHECKS:
            self.require(check(moment))
        self.check_state()

    def check_state(self) -> None:
        for check in STATE_CHECKS:
            self.require(check(self.puzzle, self.state))
        board = self.state.board.tobytes()
        if board not in self._read:  # reading texts takes most of the time
            self.require(texts_read_back(self.puzzle, self.state))
        self._read.add(board)

    def play_plan(self, must_exist: bool) -> None:
        """Ask for a plan and play it."""
        plan = np.empty(MAX_PLAN, np.int8)
        before = copy_state(self.state)
        length, grades = self.puzzle.find_plan(self.state, WORLD, plan)
        self.require("" if _is_same(before, self.state) else "solve left the state other than it was")
        self.require(plan_is_sound(self.puzzle, self.state, plan, length, must_exist))
        self.require(little_room_is_no_excuse(self.puzzle, self.state, length, grades))
        self.require(hope_is_kept(self.puzzle, self.state) if length >= 0 else "")
        for number, action in enumerate(plan[: max(length, 0)].copy()):
            self.require("" if self.left else f"solve's plan goes on after its action {number} solved the level")
            self.play(action)
            self.require(hope_is_kept(self.puzzle, self.state))
        if length >= 0:
            self.require(f"solve's plan ends with {self.left} goals left" if self.left else "")
            self.require(plan_is_graded(self.puzzle, length, grades))
            again, _ = self.puzzle.find_plan(self.state, WORLD, plan)
            self.require(f"solve returned {again} for a solved level, in place of 0" if again else "")

    def require(self, complaint: str) -> None:
        if complaint:
            names = self.puzzle.words.vocabulary.names
            played = ", ".join(f"{action} {names[action][0]}" for action in self.actions)
            after = f"after the actions {played} " if played else ""
            level = f"on the level of seed {self.seed}, {self.settings}"
            _require(self.puzzle, f"{complaint}; {after}{level}:\n{_drawing(self.puzzle, self.start)}")


def _drawing(puzzle: Puzzle, state: State) -> str:
    try:
        return formats.write(_picture(state), "dense", puzzle.words)
    except (ValueError, IndexError):
        return str(_picture(state))  # no glyphs for it: the tile flags as numbers


# Checks of what the puzzle says, before anything is played: puzzle -> a sentence on what is wrong, or "".


def options_have_defaults(puzzle: Puzzle) -> str:
    try:
        defaults = puzzle.options()
    except TypeError as error:
        return f"every option needs a default: {error}"
    wrong = [name for name, value in defaults._asdict().items() if type(value) is not int]
    return f"option {wrong[0]!r} has a default that is no whole number" if wrong else ""


def costs_have_names(puzzle: Puzzle) -> str:
    if not puzzle.costs:
        return "costs is empty, so that nothing says how hard a level is"
    if wrong := [name for name in puzzle.costs if not (name.isidentifier() and name.islower())]:
        return f"{wrong[0]!r} in costs is no name in lower case"
    twice = [name for name, count in Counter(puzzle.grades).items() if count > 1]
    return f"{twice[0]!r} is the name of two grades; costs are {', '.join(puzzle.costs)}" if twice else ""


def spellings_are_read(puzzle: Puzzle) -> str:
    vocabulary = puzzle.words.vocabulary
    counts = Counter(name for names in vocabulary.names for name in names)
    if twice := [name for name, count in counts.items() if count > 1]:
        return f"{twice[0]!r} is a spelling of two actions"
    for action, names in enumerate(vocabulary.names):
        arrows, letters = "".join(vocabulary.arrows[action : action + 1]), vocabulary.letters[action : action + 1]
        for spelling in (*names, *letters, *arrows):
            read = grammars.read(spelling, "plain", vocabulary).actions
            if read != (action,):
                return f"{spelling!r} is a spelling of action {action}, but is read as {read}"
    return ""


def messages_are_read_back(puzzle: Puzzle) -> str:
    vocabulary = puzzle.words.vocabulary
    everything = tuple(range(len(vocabulary.names)))
    for grammar, asked in product(GRAMMARS, [*((action,) for action in everything), everything]):
        try:
            message = grammars.write(asked, grammar, vocabulary)
        except ValueError:
            continue  # a grammar for one action, or for ten at most
        if (read := grammars.read(message, grammar, vocabulary).actions) != asked:
            return f"grammar {grammar!r} writes the actions {asked} as {message!r} and reads {read}"
    return ""


def glyphs_are_characters(puzzle: Puzzle) -> str:
    for flags, glyph in {**puzzle.words.glyphs, UNKNOWN: puzzle.words.unknown}.items():
        if len(glyph) != 1 or not glyph.isascii() or not glyph.isprintable():
            return f"the glyph of {_things(flags)} is {glyph!r}, not one printable ASCII character"
    return ""


def rewards_are_for_outcomes(puzzle: Puzzle) -> str:
    if "outcome" not in puzzle.rewards:
        return "rewards has no scheme 'outcome', which is played when none is asked for"
    for scheme, pay in puzzle.rewards.items():
        if unknown := [code for code in pay if code not in {CHANGED, SOLVED, *puzzle.words.reasons}]:
            return f"rewards {scheme!r} pays for code {unknown[0]}, which words.reasons does not know"
    return ""


def absurd_sizes_are_refused(puzzle: Puzzle) -> str:
    for height, width in ((1, 1), (1, 2), (3, 3)):
        complaint = puzzle.check_options(puzzle.options(), height, width)
        if not isinstance(complaint, str):
            return f"check_options returned {complaint!r}, which is neither a sentence nor ''"
        if (height, width) == (1, 1) and not complaint:
            return "check_options allows a level of 1 row and 1 column"
    return ""


def ids_can_be_made(puzzle: Puzzle) -> str:
    if not puzzle.ids:
        return "ids is empty, so that no environment plays this puzzle"
    for id, settings in puzzle.ids.items():
        if missing := [name for name in ("height", "width", "turn_limit") if name not in settings]:
            return f"id {id!r} does not say its {missing[0]}"
        try:
            Episodes(puzzle, **settings)
        except (TypeError, ValueError) as error:
            return f"id {id!r} cannot be made: {error}"
    return ""


def ids_find_many_levels(puzzle: Puzzle) -> str:
    for id, settings in puzzle.ids.items():
        worlds = Worlds(puzzle, 4, turn_limit=settings["turn_limit"], **_id_settings(puzzle, id)._asdict())
        try:
            worlds.begin(np.arange(4), np.arange(4, dtype=np.uint64))
        except NoLevel as error:
            return f"id {id!r} has no level for one of the seeds 0 to 3: {error}"
        if (worlds.state.board == worlds.state.board[0]).all():
            return f"generate makes the same level of id {id!r} whatever the seed"
    return ""


def empty_boards_are_refused(puzzle: Puzzle) -> str:
    complaint = puzzle.check_level(np.zeros((1, 3, 3), np.uint8))
    return "" if complaint else "check_level takes an empty board for a level"


# Checks of a level: game at its start -> a sentence, or "".


def same_seed_same_level(game: _Game) -> str:
    _, again = _generate(game.puzzle, game.settings, game.seed)
    return "" if _is_same(game.state, again) else "generate made another level of the same seed"


def generated_unsolved(game: _Game) -> str:
    return "" if game.left else "generate made a level that is solved already"


def plan_is_sound(puzzle: Puzzle, state: State, plan: np.ndarray, length: int, must_exist: bool) -> str:
    """Check what solve returned, and that it gives up where there is no room for the plan."""
    if length in (NO_SOLUTION, GAVE_UP):
        return "solve says that a generated level has no solution" if must_exist and length == NO_SOLUTION else ""
    if not 0 <= length <= MAX_PLAN:
        return f"solve returned {length}, which is no plan's length, NO_SOLUTION or GAVE_UP"
    wrong = [action for action in plan[:length].tolist() if action not in range(len(puzzle.words.vocabulary.names))]
    if wrong:
        return f"solve's plan holds {wrong[0]}, which is no action"
    if length == 0:
        return "" if puzzle.goals_left(state, WORLD) == 0 else "solve returned 0 for a level that is not solved"
    short = np.full(length, NO_ACTION, np.int8)
    told, _ = puzzle.find_plan(state, WORLD, short[:-1])
    if short[-1] != NO_ACTION:
        return "solve writes beyond the end of plan"
    return "" if told == GAVE_UP else f"solve returned {told} for a plan too short by one, in place of GAVE_UP"


def plan_is_graded(puzzle: Puzzle, length: int, grades: np.ndarray) -> str:
    """Check the first grade of a plan that has the fewest actions."""
    same = puzzle.costs[0] != "moves" or grades[0] == length
    return "" if same else f"solve's plan has {length} actions, and its grade of moves is {grades[0]:g}"


def little_room_is_no_excuse(puzzle: Puzzle, state: State, length: int, grades: np.ndarray) -> str:
    """Check that solve, allowed a single position, gives up or answers as it does when allowed many."""
    told, hasty = puzzle.find_plan(state, WORLD, np.empty(MAX_PLAN, np.int8), Limits(nodes=1))
    if GAVE_UP in (told, length):
        return ""
    same = (told < 0) == (length < 0) and (told < 0 or hasty[0] == grades[0])
    answers = f"{told} of {hasty[0]:g} when allowed 1 position; {length} of {grades[0]:g} if more"
    return "" if same else f"solve says {answers}"


def hope_is_kept(puzzle: Puzzle, state: State) -> str:
    """Check that a state from which a plan leads on is not taken for lost."""
    if puzzle.is_lost(state, WORLD):
        return "is_lost is True where solve has a plan"
    return "step sets book.lost where solve has a plan" if state.book[WORLD].lost else ""


# Checks of one action: moment -> a sentence, or "".


def changed_means_changed(moment: _Moment) -> str:
    moved = [not np.array_equal(a, b) for a, b in zip(moment.before[:2], moment.after[:2], strict=True)]
    if moment.reason == CHANGED:
        return "" if any(moved) else "step returned CHANGED, but nothing changed"
    same = _is_same(moment.before, moment.after)
    return "" if same else f"step returned {moment.reason}, a reason why nothing changed, but something changed"


def reasons_have_words(moment: _Moment) -> str:
    known = moment.reason == CHANGED or moment.reason in moment.puzzle.words.reasons
    if not 0 <= moment.reason < MAX_REASONS:
        return f"step returned {moment.reason}; codes are 0 to {MAX_REASONS - 1}"
    return "" if known else f"step returned {moment.reason}, a reason that words.reasons does not know"


def levels_stay(moment: _Moment) -> str:
    flipped = np.bitwise_or.reduce(moment.before.board[WORLD] ^ moment.after.board[WORLD])
    names = {WALLS: "a wall bit", SOLID: "a SOLID flag", GOAL: "a GOAL flag"}
    found = [name for flags, name in names.items() if flipped & flags]
    return f"step changed {found[0]}; only agents and items move" if found else ""


def items_stay_as_many(moment: _Moment) -> str:
    before, after = ((_picture(state) & ITEM > 0).sum((1, 2)) for state in (moment.before, moment.after))
    wrong = np.flatnonzero(before != after)
    return f"step left {after[wrong[0]]} items of {before[wrong[0]]} in plane {wrong[0]}" if len(wrong) else ""


def step_has_no_memory(moment: _Moment) -> str:
    again = copy_state(moment.before)
    reason = moment.puzzle.step(again, WORLD, 0, moment.action)
    same = reason == moment.reason and _is_same(again, moment.after)
    return "" if same else "step did something else when played again from a snapshot of the same state"


def book_keeps_its_rest(moment: _Moment) -> str:
    before, after = moment.before.book[WORLD], moment.after.book[WORLD]
    wrong = [name for name in before.dtype.names if name not in ("key", "left", "lost") and before[name] != after[name]]
    return f"step changed book.{wrong[0]}, which is not its own" if wrong else ""


# Checks of a state met in play, the first one included: puzzle, state -> a sentence, or "".


def other_worlds_are_left_alone(puzzle: Puzzle, state: State) -> str:
    touched = [world for world in range(NUM_WORLDS) if world != WORLD and state.board[world].any()]
    return f"playing world {WORLD} changed world {touched[0]}" if touched else ""


def agents_are_on_the_board(puzzle: Puzzle, state: State) -> str:
    cells = np.flatnonzero(_picture(state)[0] & AGENT)
    if len(cells) != state.agents.shape[1]:
        return f"the board shows {len(cells)} agents in place of {state.agents.shape[1]}"
    told = state.agents[WORLD].tolist()
    return "" if sorted(told) == cells.tolist() else f"agents are at {cells.tolist()} and state.agents says {told}"


def left_is_kept(puzzle: Puzzle, state: State) -> str:
    kept, counted = state.book[WORLD].left, puzzle.goals_left(state, WORLD)
    return "" if kept == counted else f"step keeps book.left at {kept} where goals_left counts {counted}"


def lost_is_kept(puzzle: Puzzle, state: State) -> str:
    is_forgotten = puzzle.is_lost(state, WORLD) and not state.book[WORLD].lost
    return "step keeps book.lost at False where is_lost is True" if is_forgotten else ""


def key_is_kept(puzzle: Puzzle, state: State) -> str:
    again = copy_state(state)
    settle(again, WORLD)
    if again.book[WORLD].key == state.book[WORLD].key:
        return ""
    return "book.key does not fit the board; change the world only through grid.move_agent, move_item and toggle"


def walls_are_closed(puzzle: Puzzle, state: State) -> str:
    board = _picture(state)[0]
    closed = board.copy()
    close_walls(closed)
    return "" if np.array_equal(board, closed) else "wall bits are missing; let generate end with grid.close_walls"


def play_leads_to_levels(puzzle: Puzzle, state: State) -> str:
    complaint = puzzle.check_level(_picture(state))
    return f"check_level refuses what play leads to: {complaint}" if complaint else ""


def tiles_have_glyphs(puzzle: Puzzle, state: State) -> str:
    named = (GOAL, GOAL | AGENT) if puzzle.words.goal_names else ()
    tiles = set(np.unique(_picture(state)[0] & ~np.uint8(WALLS)).tolist())
    missing = sorted(tiles.difference(puzzle.words.glyphs, named))
    return f"words.glyphs has no glyph for {_things(missing[0])} in one cell" if missing else ""


def texts_read_back(puzzle: Puzzle, state: State) -> str:
    picture = _picture(state)
    for format in formats.FORMATS:
        text = formats.write(picture, format, puzzle.words)
        try:
            same = np.array_equal(formats.read(text, format, puzzle.words), picture)
        except ValueError as error:
            return f"the {format} text of a state cannot be read back: {error}"
        if not same:
            return f"the {format} text of a state reads back as another state"
    return ""


def _things(flags: int) -> str:
    names = {SOLID: "SOLID", GOAL: "GOAL", ITEM: "ITEM", AGENT: "AGENT"}
    return " and ".join(name for flag, name in names.items() if flags & flag) or "bare floor"


# Checks of how the verbs do in the house: puzzle -> a sentence, or "".


def verbs_are_kernels(puzzle: Puzzle) -> str:
    plain = [verb for verb in VERBS if not isinstance(getattr(puzzle, verb), Kernel)]
    return f"{plain[0]} is no kernel; put @kernel above it" if plain else ""


def kernels_run_uncompiled(puzzle: Puzzle) -> str:
    """Play the smallest level with the verbs as plain Python; they must do what the compiled ones do."""
    settings = _smallest(puzzle)
    plain = replace(puzzle, **{verb: _uncompiled(getattr(puzzle, verb)) for verb in VERBS})
    with np.errstate(over="ignore"):
        (_, state), (_, plain_state) = (_generate(one, settings, 0) for one in (puzzle, plain))
        if not _is_same(state, plain_state):
            return "generate makes another level when it is not compiled"
        plans = np.zeros((2, MAX_PLAN), np.int8)
        lengths = [one.find_plan(state, WORLD, plan)[0] for one, plan in zip((puzzle, plain), plans, strict=True)]
        if lengths[0] != lengths[1] or not np.array_equal(*plans[:, : max(lengths[0], 0)]):
            return "solve finds another plan when it is not compiled"
        for action in _random_actions(puzzle, 50, seed=0):
            told = puzzle.step(state, WORLD, 0, action), plain.step(plain_state, WORLD, 0, action)
            if told[0] != told[1] or not _is_same(state, plain_state):
                return "step does something else when it is not compiled"
    return ""


def step_allocates_nothing(puzzle: Puzzle) -> str:
    _, state = _generate(puzzle, _smallest(puzzle), 0)
    try:
        puzzle.step.lean()(state, WORLD, 0, np.int8(0))
    except Exception:  # all else that can be wrong was found when step was played, not lean
        return "step makes an array, a list or the like; turns are compiled for a step that allocates nothing"
    return ""


def batches_play_what_single_worlds_play(puzzle: Puzzle) -> str:
    settings = _id_settings(puzzle, next(iter(puzzle.ids)))._asdict()
    num_worlds = 4
    batch = Worlds(puzzle, num_worlds, turn_limit=3, **settings)
    singles = [Worlds(puzzle, 1, turn_limit=3, **settings) for _ in range(num_worlds)]
    batch.begin(np.arange(num_worlds), np.arange(num_worlds, dtype=np.uint64))
    for seed, single in enumerate(singles):
        single.begin(np.zeros(1, np.int64), np.array([seed], np.uint64))
    for asked in _random_actions(puzzle, (4, num_worlds, 10), seed=0):
        ledger = batch.play(asked, np.full(num_worlds, 10)).ledger
        for world, single in enumerate(singles):
            alone = single.play(asked[world : world + 1], np.full(1, 10)).ledger
            rows = (batch.state.board, batch.state.agents, batch.book, ledger)
            own = (single.state.board, single.state.agents, single.book, alone)
            if not all(np.array_equal(a[world], b[0]) for a, b in zip(rows, own, strict=True)):
                return (
                    f"world {world} of a batch plays otherwise than the same world alone, asked {asked[world].tolist()}"
                )
    return ""


def _smallest(puzzle: Puzzle) -> Settings:
    """Return the settings of the smallest level that is found for seed 0."""
    return next(one for one in allowed_settings(puzzle) if _generate(puzzle, one, 0)[0])


def _random_actions(puzzle: Puzzle, shape: int | tuple[int, ...], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(len(puzzle.words.vocabulary.names), size=shape, dtype=np.int8)


def _uncompiled(verb: Any) -> Any:
    """Return a kernel and all that it calls as plain functions."""
    if not isinstance(verb, Kernel):
        return verb
    names = {name: _uncompiled(value) for name, value in verb.reads.items()}
    function = verb.function
    scope = {**function.__globals__, **names}
    return types.FunctionType(function.__code__, scope, function.__name__, function.__defaults__)


WORD_CHECKS: list[Callable[[Puzzle], str]] = [
    options_have_defaults,
    costs_have_names,
    spellings_are_read,
    messages_are_read_back,
    glyphs_are_characters,
    rewards_are_for_outcomes,
    absurd_sizes_are_refused,
    ids_can_be_made,
    empty_boards_are_refused,
]
STEP_CHECKS: list[Callable[[_Moment], str]] = [
    changed_means_changed,
    reasons_have_words,
    levels_stay,
    items_stay_as_many,
    book_keeps_its_rest,
    step_has_no_memory,
]
STATE_CHECKS: list[Callable[[Puzzle, State], str]] = [
    other_worlds_are_left_alone,
    agents_are_on_the_board,
    walls_are_closed,
    tiles_have_glyphs,
    left_is_kept,
    lost_is_kept,
    key_is_kept,
    play_leads_to_levels,
]
HOUSE_CHECKS: list[Callable[[Puzzle], str]] = [
    verbs_are_kernels,
    ids_find_many_levels,
    step_allocates_nothing,
    kernels_run_uncompiled,
    batches_play_what_single_worlds_play,
]


if __name__ == "__main__":
    for puzzle_name in sys.argv[1:] or PUZZLES:
        check_puzzle(find_puzzle(puzzle_name))
        print(f"{puzzle_name} keeps its promises")
