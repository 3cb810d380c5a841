"""check_puzzle finds every planted fault, and says which; the strategies draw what they say."""

import sys
from dataclasses import replace
from itertools import count
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import find, given, settings

from textworlds import PUZZLES
from textworlds.grid import AGENT, CHANGED, FIRST_OWN_REASON, GOAL, ITEM, SOLID, WALL_IN_WAY, WALLS, close_walls, toggle
from textworlds.kernel import kernel
from textworlds.puzzles import GAVE_UP, NO_SOLUTION, Limits
from textworlds.random import start_stream
from textworlds.testing import GRAMMARS, actions, allowed_settings, check_puzzle, levels, messages, states
from textworlds.text.grammars import Outcome, read

MAZE, SOKOBAN, TAXI = PUZZLES["maze"], PUZZLES["sokoban"], PUZZLES["taxi"]
walk, make_maze = MAZE.step, MAZE.generate
every_puzzle = pytest.mark.parametrize("puzzle", PUZZLES.values(), ids=PUZZLES)


# Faults. Each verb is the maze's own, with something done before or after.


def step_always_says_changed(state, world, agent, action):
    MAZE.step(state, world, agent, action)
    return CHANGED


def step_never_says_changed(state, world, agent, action):
    MAZE.step(state, world, agent, action)
    return WALL_IN_WAY


def step_moves_by_itself(state, world, agent, action):
    key = state.book[world].key
    reason = MAZE.step(state, world, agent, action)
    state.book[world].key = key
    return reason


def step_forgets_left(state, world, agent, action):
    left = state.book[world].left
    reason = MAZE.step(state, world, agent, action)
    state.book[world].left = left
    return reason


def step_says_what_nobody_knows(state, world, agent, action):
    reason = MAZE.step(state, world, agent, action)
    return reason if reason == CHANGED else FIRST_OWN_REASON


def step_takes_the_exit(state, world, agent, action):
    reason = MAZE.step(state, world, agent, action)
    if reason == CHANGED:
        state.board[world] &= ~np.uint8(GOAL)
    return reason


def step_digs(state, world, agent, action):
    reason = MAZE.step(state, world, agent, action)
    if reason == CHANGED:
        state.board[world, 0] ^= SOLID
    return reason


def step_leaves_a_second_player(state, world, agent, action):
    reason = MAZE.step(state, world, agent, action)
    if reason == CHANGED:
        toggle(state, world, 0, AGENT)
    return reason


def step_moves_the_world_before(state, world, agent, action):
    reason = MAZE.step(state, world, agent, action)
    state.board[world - 1, 0] |= SOLID
    return reason


def step_counts_in_the_book(state, world, agent, action):
    reason = MAZE.step(state, world, agent, action)
    state.book[world].num_turns += reason == CHANGED
    return reason


def step_gets_tired():
    calls = count(1)
    return lambda *turn: WALL_IN_WAY if next(calls) % 7 == 0 else MAZE.step(*turn)


def step_eats_boxes(state, world, agent, action):
    boxes = np.flatnonzero(state.board[world] & ITEM)
    reason = SOKOBAN.step(state, world, agent, action)
    moved = [cell for cell in np.flatnonzero(state.board[world] & ITEM) if cell not in boxes]
    if moved:
        state.book[world].left -= not state.board[world, moved[0]] & GOAL
        toggle(state, world, moved[0], ITEM)
    return reason


def generate_counts_calls():
    calls = count()

    def generate(rng, state, world, options):
        rng[0] += np.uint64(next(calls))
        return MAZE.generate(rng, state, world, options)

    return generate


@kernel
def generate_ignores_the_seed(rng, state, world, options):
    start_stream(rng, np.uint64(7), np.int32(0))
    return make_maze(rng, state, world, options)


def generate_walls_in_the_exit(rng, state, world, options):
    found = MAZE.generate(rng, state, world, options)
    board = state.board[world]
    board[board & (AGENT | GOAL) == 0] = SOLID
    close_walls(board.reshape(state.height, state.width))
    return found


def generate_leaves_walls_open(rng, state, world, options):
    found = MAZE.generate(rng, state, world, options)
    state.board[world] &= ~np.uint8(WALLS)
    return found


def generate_starts_on_the_exit(rng, state, world, options):
    found = MAZE.generate(rng, state, world, options)
    state.board[world] &= ~np.uint8(AGENT)
    state.board[world][state.board[world] & GOAL > 0] |= AGENT
    return found


def generate_draws_two_players(rng, state, world, options):
    found = MAZE.generate(rng, state, world, options)
    state.board[world, np.flatnonzero(state.board[world] & ~np.uint8(WALLS) == 0)[0]] |= AGENT
    return found


def solve_stops_before_the_exit(state, world, plan, limits, grades):
    length = MAZE.solve(state, world, plan, limits, grades)
    return max(length - 1, 0) if length >= 0 else length


def solve_goes_on(state, world, plan, limits, grades):
    length = MAZE.solve(state, world, plan[:-1], limits, grades)
    return length + 1 if length >= 0 else length


def solve_takes_room_for_granted(state, world, plan, limits, grades):
    longer = np.zeros(4096, np.int8)
    length = MAZE.solve(state, world, longer, limits, grades)
    plan[: max(length, 0)] = longer[: min(max(length, 0), len(plan))]
    return length


def solve_writes_past_the_end(state, world, plan, limits, grades):
    length = MAZE.solve(state, world, plan, limits, grades)
    if length == GAVE_UP:
        np.lib.stride_tricks.as_strided(plan, (len(plan) + 1,))[-1] = 0
    return length


def solve_walks_itself(state, world, plan, limits, grades):
    length = MAZE.solve(state, world, plan, limits, grades)
    for action in plan[: max(length, 0)]:
        MAZE.step(state, world, 0, action)
    return length


def solve_miscounts(state, world, plan, limits, grades):
    length = MAZE.solve(state, world, plan, limits, grades)
    grades[0] += 1
    return length


def solve_despairs(state, world, plan, limits, grades):
    return NO_SOLUTION if limits.nodes == 1 else MAZE.solve(state, world, plan, limits, grades)


def solve_hurries(state, world, plan, limits, grades):
    length = MAZE.solve(state, world, plan, Limits(), grades)
    grades[0] += limits.nodes == 1
    return length


def step_despairs(state, world, agent, action):
    reason = MAZE.step(state, world, agent, action)
    state.book[world].lost = True
    return reason


@kernel
def step_allocates(state, world, agent, action):
    walked = np.zeros(action + 1)
    return walk(state, world, agent, action) if walked.sum() == 0 else WALL_IN_WAY


class NoDefault(NamedTuple):
    size: int


def with_words(puzzle=MAZE, **words):
    return replace(puzzle, words=puzzle.words._replace(**words))


def without(mapping, key):
    return {one: value for one, value in mapping.items() if one != key}


VOCABULARY = MAZE.words.vocabulary
EASY = {"height": 7, "width": 7, "turn_limit": 60}

FAULTS = {
    "step returned CHANGED, but nothing changed": replace(MAZE, step=step_always_says_changed),
    "a reason why nothing changed, but something changed": replace(MAZE, step=step_never_says_changed),
    "book.key does not fit the board; change the world only through grid.move_agent, move_item and toggle": replace(
        MAZE, step=step_moves_by_itself
    ),
    "step keeps book.left at 1 where goals_left counts 0": replace(MAZE, step=step_forgets_left),
    "step returned 8, a reason that words.reasons does not know": replace(MAZE, step=step_says_what_nobody_knows),
    "step changed a GOAL flag; only agents and items move": replace(MAZE, step=step_takes_the_exit),
    "step changed a SOLID flag; only agents and items move": replace(MAZE, step=step_digs),
    "the board shows 2 agents in place of 1": replace(MAZE, step=step_leaves_a_second_player),
    "playing world 1 changed world 0": replace(MAZE, step=step_moves_the_world_before),
    "step changed book.num_turns, which is not its own": replace(MAZE, step=step_counts_in_the_book),
    "step did something else when played again": replace(MAZE, step=step_gets_tired()),
    "step left 0 items of 1 in plane 0": replace(SOKOBAN, step=step_eats_boxes),
    "generate made another level of the same seed": replace(MAZE, generate=generate_counts_calls()),
    "generate makes the same level of id 'Maze-easy-v0' whatever the seed": replace(
        MAZE, generate=generate_ignores_the_seed
    ),
    "solve says that a generated level has no solution": replace(MAZE, generate=generate_walls_in_the_exit),
    "wall bits are missing; let generate end with grid.close_walls": replace(MAZE, generate=generate_leaves_walls_open),
    "generate made a level that is solved already": replace(MAZE, generate=generate_starts_on_the_exit),
    "the board shows 2 agents in place of 1; on the level": replace(MAZE, generate=generate_draws_two_players),
    "generate found no level in 5 tries": replace(MAZE, generate=lambda *_: False),
    "solve's plan ends with 1 goals left": replace(MAZE, solve=solve_stops_before_the_exit),
    "solve's plan goes on after its action": replace(MAZE, solve=solve_goes_on),
    "for a plan too short by one, in place of GAVE_UP": replace(MAZE, solve=solve_takes_room_for_granted),
    "solve writes beyond the end of plan": replace(MAZE, solve=solve_writes_past_the_end),
    "solve left the state other than it was": replace(MAZE, solve=solve_walks_itself),
    "solve returned -7, which is no plan's length, NO_SOLUTION or GAVE_UP": replace(MAZE, solve=lambda *_: -7),
    "solve returned 0 for a level that is not solved": replace(MAZE, solve=lambda *_: 0),
    "its grade of moves is": replace(MAZE, solve=solve_miscounts),
    "solve says -1 of nan when allowed 1 position": replace(MAZE, solve=solve_despairs),
    "when allowed 1 position": replace(MAZE, solve=solve_hurries),
    "is_lost is True where solve has a plan": replace(MAZE, is_lost=lambda state, world: True),
    "step sets book.lost where solve has a plan": replace(MAZE, step=step_despairs),
    "step keeps book.lost at False where is_lost is True": replace(
        MAZE, is_lost=lambda state, world: MAZE.goals_left(state, world) == 0
    ),
    "costs is empty": replace(MAZE, costs=()),
    "'Moves' in costs is no name in lower case": replace(MAZE, costs=("Moves",)),
    "'moves' is the name of two grades; costs are moves, moves": replace(MAZE, costs=("moves", "moves")),
    "'nodes' is the name of two grades": replace(MAZE, costs=("moves", "nodes")),
    "id 'M-v0' has no level for one of the seeds 0 to 3: maze: no level of 16 to 16 moves found": replace(
        MAZE, ids={"M-v0": {**EASY, "loops": 99, "min_moves": 16, "max_moves": 16}}
    ),
    "words.glyphs has no glyph for GOAL and AGENT in one cell": with_words(
        glyphs=without(MAZE.words.glyphs, GOAL | AGENT)
    ),
    "the dense text of a state cannot be read back: glyphs that stand for two things": with_words(
        glyphs={**MAZE.words.glyphs, GOAL: "-"}
    ),
    "the glyph of GOAL is '->', not one printable ASCII character": with_words(
        glyphs={**MAZE.words.glyphs, GOAL: "->"}
    ),
    "step returned 1, a reason that words.reasons does not know": with_words(
        reasons=without(MAZE.words.reasons, WALL_IN_WAY)
    ),
    "'go' is a spelling of two actions": with_words(
        vocabulary=VOCABULARY._replace(names=(("up", "go"), ("down", "go"), ("left",), ("right",)))
    ),
    "'Up' is a spelling of action 0, but is read as ()": with_words(
        vocabulary=VOCABULARY._replace(names=(("Up",), ("down",), ("left",), ("right",)))
    ),
    "grammar 'tag:action' writes the actions (0,) as '<action></action></action>' and reads ()": with_words(
        vocabulary=VOCABULARY._replace(names=(("</action>",), ("down",), ("left",), ("right",)), letters="")
    ),
    "every option needs a default": replace(MAZE, options=NoDefault),
    "check_options allows a level of 1 row and 1 column": replace(MAZE, check_options=lambda *_: ""),
    "check_options returned False, which is neither a sentence nor ''": replace(MAZE, check_options=lambda *_: False),
    "check_level takes an empty board for a level": replace(MAZE, check_level=lambda picture: ""),
    "check_level refuses what play leads to: no": replace(MAZE, check_level=lambda picture: "no"),
    "ids is empty": replace(MAZE, ids={}),
    "id 'M-v0' does not say its turn_limit": replace(MAZE, ids={"M-v0": without(EASY, "turn_limit")}),
    "id 'M-v0' cannot be made: unknown option 'loop' of maze": replace(MAZE, ids={"M-v0": {**EASY, "loop": 1}}),
    "id 'M-v0' cannot be made: maze: height and width of a maze are odd": replace(
        MAZE, ids={"M-v0": {**EASY, "width": 8}}
    ),
    "rewards has no scheme 'outcome'": replace(MAZE, rewards={"mine": {}}),
    "rewards 'outcome' pays for code 9, which words.reasons does not know": replace(
        MAZE, rewards={"outcome": {9: 1.0}}
    ),
    "step makes an array, a list or the like": replace(MAZE, step=step_allocates),
    "step is no kernel; put @kernel above it": replace(MAZE, step=lambda *turn: MAZE.step(*turn)),
}


@pytest.mark.parametrize("sentence", FAULTS)
def test_check_puzzle_says_what_is_wrong(sentence):
    with pytest.raises(AssertionError) as error:
        check_puzzle(FAULTS[sentence], examples=5)
    assert sentence in str(error.value)


def test_check_puzzle_draws_the_level_and_names_the_actions():
    with pytest.raises(AssertionError) as error:
        check_puzzle(FAULTS["step keeps book.left at 1 where goals_left counts 0"])
    first, *drawing = str(error.value).split("\n")
    assert first.startswith("maze: step keeps book.left at 1 where goals_left counts 0; after the actions ")
    assert first.endswith(
        " on the level of seed 0, height=5, width=5, "
        "Options(algorithm=-1, loops=0, min_moves=0, max_moves=0, num_agents=1, meeting=0):"
    )
    assert len(drawing) == 5 and "@" in "".join(drawing)


def test_a_level_that_no_glyphs_show_is_drawn_as_numbers():
    with pytest.raises(AssertionError) as error:
        check_puzzle(with_words(glyphs=without(MAZE.words.glyphs, GOAL)))
    assert "no glyph for GOAL in one cell" in str(error.value)
    assert "[[[ 3" in str(error.value)


def test_two_checks_find_the_same():
    sentences = []
    for _ in range(2):
        with pytest.raises(AssertionError) as error:
            check_puzzle(FAULTS["step returned CHANGED, but nothing changed"])
        sentences.append(str(error.value))
    assert sentences[0] == sentences[1]


@every_puzzle
def test_settings_are_allowed_and_the_smallest_come_first(puzzle):
    allowed = allowed_settings(puzzle)
    assert all(puzzle.check_options(one.options, one.height, one.width) == "" for one in allowed)
    assert allowed[0].height * allowed[0].width <= allowed[-1].height * allowed[-1].width
    assert all({"height": one.height, "width": one.width}.items() <= one._asdict().items() for one in allowed)


@every_puzzle
def test_levels_are_levels(puzzle):
    @settings(max_examples=30)
    @given(levels(puzzle, max_cells=50))
    def check(level):
        assert level.dtype == np.uint8 and level.ndim == 3 and level[0].size <= 50
        assert puzzle.check_level(level) == ""

    check()


@every_puzzle
def test_states_can_be_played_on(puzzle):
    @settings(max_examples=30)
    @given(states(puzzle, max_cells=50))
    def check(episode):
        assert not episode.totals()["solved"]
        assert not episode.act(0).truncated

    check()


@every_puzzle
def test_states_are_found_in_the_middle_of_play(puzzle):
    episode = find(states(puzzle, max_cells=50), lambda episode: episode.totals()["num_changed"] > 1)
    assert 1 < episode.totals()["num_turns"] < 10


@every_puzzle
def test_actions_are_actions(puzzle):
    num_actions = len(puzzle.words.vocabulary.names)
    assert find(actions(puzzle), lambda moves: num_actions - 1 in moves) == [num_actions - 1]
    assert len(find(actions(puzzle, max_size=7), lambda moves: len(moves) > 6)) == 7


@pytest.mark.parametrize("grammar", GRAMMARS)
def test_messages_are_good_and_broken(grammar):
    outcomes = set()

    @settings(max_examples=40)
    @given(messages(TAXI, grammar))
    def draw(message):
        outcomes.add(read(message, grammar, TAXI.words.vocabulary).outcome)

    draw()
    assert Outcome.READ in outcomes
    assert outcomes & {Outcome.MALFORMED, Outcome.UNKNOWN_WORD}


def test_strategies_say_what_to_install_without_hypothesis(monkeypatch):
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    with pytest.raises(ImportError, match=r'need Hypothesis: pip install "textworlds\[testing\]"'):
        levels(MAZE)


def test_the_check_says_no_solution_only_where_there_must_be_one():
    calls = count()

    def solve(state, world, plan, limits, grades):
        length = MAZE.solve(state, world, plan, limits, grades)
        return NO_SOLUTION if length > 0 and next(calls) == 0 else length

    with pytest.raises(AssertionError, match="has no solution"):
        check_puzzle(replace(MAZE, solve=solve), examples=1)
