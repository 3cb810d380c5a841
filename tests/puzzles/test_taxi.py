"""Taxi: Gymnasium's own table, drawn cases, properties of generated levels, and the solver against a naive search."""

import doctest
import os
import subprocess
import sys
from collections import Counter, deque
from itertools import count
from pathlib import Path

import gymnasium as gym
import naive
import numpy as np
import pytest

from textworlds import Episodes
from textworlds.beginnings import beginnings_of
from textworlds.grid import (
    AGENT,
    AGENT_IN_WAY,
    CHANGED,
    GOAL,
    ITEM,
    SOLVED,
    SOLVED_ALREADY,
    WALL_IN_WAY,
    WALLS,
    State,
    close_walls,
    new_state,
    settle,
)
from textworlds.history import History
from textworlds.levels.content import SPLITS, keys_of, split_of
from textworlds.levels.making import Wanted, grade_levels, make_levels
from textworlds.play import FOUND, lone_player_of, new_ledger, new_told, trier_of
from textworlds.puzzles import GAVE_UP, NO_SOLUTION, Limits
from textworlds.puzzles.taxi import PUZZLE, Options
from textworlds.puzzles.taxi.rules import DROPOFF, NO_FARE, NO_PASSENGER, NO_STAND, PICKUP, TAXI_FULL
from textworlds.puzzles.taxi.solver import POSITION_BYTES
from textworlds.text.formats import read, write

SOUTH, NORTH, EAST, WEST = range(4)
OFFSETS = {SOUTH: (1, 0), NORTH: (-1, 0), EAST: (0, 1), WEST: (0, -1)}
PAGE = Path(__file__).parents[2] / "docs" / "taxi.md"


def begin(pictures, num_agents=1):
    """Return a state that plays the given pictures, one in each world."""
    state = new_state(len(pictures), pictures[0].shape, num_agents)
    for world, picture in enumerate(pictures):
        state.board[world] = picture.reshape(-1)
    beginnings_of(PUZZLE).begin_all(state, History(len(pictures), False).tables, np.arange(len(pictures)), 100)
    return state


def start(drawing):
    lines = [line.strip() for line in drawing.strip().split("\n")]
    return begin([read("\n".join(lines), "dense", PUZZLE.words)])


def play(state, actions):
    """Play a turn in world 0; return the reasons."""
    ledger, found = new_ledger(len(actions), state.book[:1]), np.zeros((len(FOUND), len(actions)), np.uint64)
    asked, actions = np.array([len(actions)]), np.array([actions], np.int8)
    told = new_told(state.book[:1])
    lone_player_of(PUZZLE)(state, History(1, False).tables, found, actions, asked, np.zeros(64), ledger, told)
    return ledger["reason"][0].tolist()


def make(num_levels, height=5, width=5, **options):
    """Return a state of generated levels."""
    options = Options(**options)
    assert PUZZLE.check_options(options, height, width) == ""
    state = new_state(num_levels, (PUZZLE.num_planes(options), height, width))
    state.book["seed"] = np.arange(num_levels)
    history = History(num_levels, False).tables
    make_levels(PUZZLE, state, np.arange(num_levels), Wanted(options))
    beginnings_of(PUZZLE).begin_all(state, history, np.arange(num_levels), 100)
    return state


def pictures_of(state):
    return state.board.reshape(len(state.board), -1, state.height, state.width)


def draw(state):
    return write(pictures_of(state)[0], "dense", PUZZLE.words).split("\n")


def copy_of(state):
    return State(state.board.copy(), state.agents.copy(), state.book.copy(), state.height, state.width)


def assert_same_state(state, other):
    for one, two in zip(state[:3], other[:3], strict=True):
        np.testing.assert_array_equal(one, two)


# Gymnasium's Taxi.

STANDS = [(0, 0), (0, 4), (4, 0), (4, 3)]


@pytest.fixture(scope="module")
def gymnasium():
    return gym.make("Taxi-v4" if "Taxi-v4" in gym.registry else "Taxi-v3").unwrapped


@pytest.fixture(scope="module")
def classic_walls():
    return pictures_of(make(1, classic=1))[0, 0] & (WALLS | GOAL)


def decoded(env, walls, number):
    """Return the picture of one of Gymnasium's 500 states."""
    row, column, passenger, destination = env.decode(number)
    picture = np.stack([walls, np.zeros((5, 5), np.uint8)])
    picture[0, row, column] |= AGENT
    picture[1][STANDS[passenger] if passenger < 4 else (row, column)] |= ITEM if passenger < 4 else ITEM | AGENT
    picture[1][STANDS[destination]] |= GOAL
    return picture


def encoded(env, picture):
    """Return the number of the state that a picture shows."""
    ((row, column),), (at,), (to,) = (
        np.argwhere(cells) for cells in (picture[0] & AGENT, picture[1] & ITEM, picture[1] & GOAL)
    )
    passenger = 4 if picture[1].max() >= AGENT else STANDS.index(tuple(at))
    return env.encode(row, column, passenger, STANDS.index(tuple(to)))


@pytest.mark.parametrize("action", range(6))
def test_all_500_states_change_as_in_gymnasium(gymnasium, classic_walls, action):
    state = begin([decoded(gymnasium, classic_walls, number) for number in range(500)])
    left = state.book["left"].copy()
    for number in range(500):
        ((_, after, reward, done),) = gymnasium.P[number][action]
        reason = PUZZLE.step(state, number, 0, action)
        is_solved = left[number] > 0 and state.book["left"][number] == 0
        assert encoded(gymnasium, pictures_of(state)[number]) == after
        assert is_solved == done
        assert PUZZLE.rewards["classic"][SOLVED if is_solved else reason] == reward
        assert (reason == CHANGED) == (number != after)


def test_the_classic_mask_is_gymnasiums(gymnasium, classic_walls):
    state = begin([decoded(gymnasium, classic_walls, number) for number in range(500)])
    masks = np.zeros((500, 6), bool)
    trier_of(PUZZLE)(copy_of(state), state, 0, masks)
    np.testing.assert_array_equal(masks, [gymnasium.action_mask(number) for number in range(500)])


@pytest.fixture(scope="module")
def classic_levels():
    return pictures_of(make(12_000, classic=1))


def test_the_classic_starts_are_gymnasiums_300_equally_often(gymnasium, classic_levels):
    starts = Counter(encoded(gymnasium, picture) for picture in classic_levels)
    assert sorted(starts) == np.flatnonzero(gymnasium.initial_state_distrib).tolist()
    assert all(abs(seen - 40) < 5 * 40**0.5 for seen in starts.values())


def test_the_classic_starts_take_6_to_18_actions(classic_levels):
    moves = grade_levels(PUZZLE, np.unique(classic_levels, axis=0))[:, 0]
    assert sorted(set(moves.tolist())) == list(range(6, 19))


def test_the_classic_starts_are_parted_into_splits(classic_levels):
    keys = keys_of(np.unique(classic_levels, axis=0), PUZZLE)
    starts = Counter(SPLITS[split_of(key)] for key in keys)
    assert starts == {"train": 223, "validation": 41, "test": 36}


def test_a_classic_episode_pays_as_in_gymnasium():
    state = make(1, classic=1)
    plan = np.empty(99, np.int8)
    length = PUZZLE.find_plan(state, 0, plan)[0]
    pay = np.zeros(64)
    pay[list(PUZZLE.rewards["classic"])] = list(PUZZLE.rewards["classic"].values())
    actions = np.append([DROPOFF], plan[:length]).astype(np.int8)[np.newaxis]
    ledger, found = new_ledger(actions.shape[1], state.book), np.zeros((len(FOUND), actions.shape[1]), np.uint64)
    told = new_told(state.book)
    lone_player_of(PUZZLE)(state, History(1, False).tables, found, actions, np.ones(1, int), pay, ledger, told)
    assert state.book["reward"][0] == -10 - (length - 1) + 20


# Drawn cases.

TOWN = """
    +-+-+-+
    |R .|G|
    + + + +
    |. @ .|
    +-+-+-+
    passenger 1: R to G
"""


def test_a_taxi_brings_its_passenger_to_the_destination():
    state = start(TOWN)
    assert play(state, [NORTH, EAST, WEST, PICKUP, SOUTH]) == [CHANGED, WALL_IN_WAY, CHANGED, CHANGED, CHANGED]
    assert draw(state) == ["+-+-+-+", "|R .|G|", "+ + + +", "|@ . .|", "+-+-+-+", "passenger 1: @ to G"]
    assert play(state, [EAST, EAST, NORTH]) == [CHANGED] * 3
    assert state.book["left"][0] == 1
    assert play(state, [DROPOFF, SOUTH]) == [CHANGED, SOLVED_ALREADY]
    assert draw(state) == ["+-+-+-+", "|R .|g|", "+ + + +", "|. . .|", "+-+-+-+", "passenger 1: G to G"]
    assert state.book["left"][0] == 0


def test_why_pickup_and_dropoff_change_nothing():
    state = start(TOWN)
    assert play(state, [PICKUP, DROPOFF]) == [NO_PASSENGER, NO_FARE]
    assert play(state, [NORTH, WEST, PICKUP, PICKUP, EAST, DROPOFF])[3:] == [TAXI_FULL, CHANGED, NO_STAND]


def test_a_passenger_may_be_put_down_at_any_stand():
    state = start(TOWN)
    play(state, [WEST, NORTH, PICKUP, DROPOFF, EAST])
    assert draw(state) == ["+-+-+-+", "|R @|G|", "+ + + +", "|. . .|", "+-+-+-+", "passenger 1: R to G"]


CORNER = """
    +-+-+
    |R g|
    + + +
    |Y .|
    +-+-+
    passenger 1: G to G
    passenger 2: G to Y
    passenger 3: G to Y
"""


def test_of_several_passengers_the_first_is_picked_up_and_those_who_have_arrived_come_last():
    state = start(CORNER)
    assert state.book["left"][0] == 2
    play(state, [PICKUP])
    assert draw(state)[5:] == ["passenger 1: G to G", "passenger 2: @ to Y", "passenger 3: G to Y"]
    play(state, [WEST, DROPOFF, EAST, PICKUP])
    assert draw(state)[5:] == ["passenger 1: G to G", "passenger 2: R to Y", "passenger 3: @ to Y"]
    play(state, [WEST, DROPOFF, EAST, PICKUP])
    assert draw(state)[5:] == ["passenger 1: @ to G", "passenger 2: R to Y", "passenger 3: R to Y"]
    assert state.book["left"][0] == 3
    play(state, [DROPOFF])
    assert state.book["left"][0] == 2


def test_taxis_do_not_drive_into_each_other_and_carry_their_own_passengers():
    picture = pictures_of(start("+-+-+-+\n|R @ G|\n+-+-+-+\npassenger 1: R to G\npassenger 2: G to R"))[0].copy()
    picture[0, 0] = picture[0, 0] & ~np.uint8(AGENT) | np.array([AGENT, 0, AGENT], np.uint8)
    state = begin([picture], num_agents=2)
    played = [(0, PICKUP), (1, PICKUP), (0, EAST), (1, WEST), (0, WEST), (1, WEST), (1, DROPOFF)]
    reasons = [PUZZLE.step(state, 0, agent, action) for agent, action in played]
    assert reasons == [CHANGED, CHANGED, CHANGED, AGENT_IN_WAY, CHANGED, CHANGED, NO_STAND]
    assert pictures_of(state)[0, 1:, 0].tolist() == [[ITEM | AGENT, 0, GOAL], [GOAL, ITEM | AGENT, 0]]


@pytest.mark.parametrize("options", [{}, {"num_passengers": 3, "num_stands": 3}])
def test_goals_and_key_are_kept_while_playing(options):
    state = make(15, 3, 3, **options)
    rng = np.random.default_rng(0)
    for _ in range(100):
        for world in range(15):
            PUZZLE.step(state, world, 0, int(rng.integers(6)))
            assert state.book["left"][world] == PUZZLE.goals_left(state, world)
            key = int(state.book["key"][world])
            settle(state, world)
            assert state.book["key"][world] == key


# Generated levels.


def reached(board):
    """Return the cells within reach of the first: a naive search."""
    found, queue = {(0, 0)}, [(0, 0)]
    while queue:
        row, column = queue.pop()
        for action, (down, right) in OFFSETS.items():
            to = row + down, column + right
            if not board[row, column] >> (action ^ 1) & 1 and to not in found:
                found.add(to)
                queue.append(to)
    return found


@pytest.mark.parametrize("size", [(2, 2), (2, 9), (5, 5), (8, 6)])
@pytest.mark.parametrize("walls", [0, 35, 100])
@pytest.mark.parametrize(("num_stands", "num_passengers"), [(2, 1), (4, 3)])
def test_generated_levels_are_towns(size, walls, num_stands, num_passengers):
    height, width = size
    inner = height * (width - 1) + (height - 1) * width
    state = make(15, height, width, walls=walls, num_stands=num_stands, num_passengers=num_passengers)
    for picture in pictures_of(state):
        board = picture[0]
        assert len(reached(board)) == height * width
        put = (board[:, :-1] >> 3 & 1).sum() + (board[:-1] >> 1 & 1).sum()
        assert put == int((inner - (height * width - 1)) * walls / 100 + 0.5)
        closed = board.copy()
        close_walls(closed)
        np.testing.assert_array_equal(board, closed)
        assert (board & GOAL > 0).sum() == num_stands
        assert not ((picture[1:] & ITEM > 0) & (picture[1:] & GOAL > 0)).any()
        assert PUZZLE.check_level(picture) == ""


def test_the_same_seed_makes_the_same_level_and_the_next_episode_another():
    first, again = make(10), make(10)
    np.testing.assert_array_equal(first.board, again.board)
    again.book["episode"] += 1
    make_levels(PUZZLE, again, np.arange(10), Wanted(Options()))
    assert (first.board != again.board).any(axis=1).all()


def test_ids_can_be_made_and_solved():
    plan = np.empty(999, np.int8)
    for settings in PUZZLE.ids.values():
        state = make(
            5, **{name: value for name, value in settings.items() if name in ("height", "width", *Options._fields)}
        )
        assert all(0 < PUZZLE.find_plan(state, world, plan)[0] < 2 * settings["turn_limit"] for world in range(5))


# The solver.


def naive_length(picture):
    """Return the fewest actions that solve a level, by breadth-first search over all that `step` can do; -1: none."""
    state = begin([picture])
    if state.book["left"][0] == 0:
        return 0
    known, layer = {picture.tobytes()}, deque([picture])
    for length in count(1):
        following = []
        for before in layer:
            for action in range(6):
                state.board[0] = before.ravel()
                settle(state, 0)
                PUZZLE.step(state, 0, 0, action)
                if PUZZLE.goals_left(state, 0) == 0:
                    return length
                if (after := state.board[0].tobytes()) not in known:
                    known.add(after)
                    following.append(state.board[0].copy())
        layer = following
        if not layer:
            return -1


@pytest.mark.parametrize(
    ("num_levels", "size", "options"),
    [
        (25, (4, 4), {"num_stands": 3, "walls": 80}),
        (12, (2, 6), {"num_stands": 4, "num_passengers": 2, "walls": 100}),
        (4, (2, 5), {"num_stands": 3, "num_passengers": 3, "walls": 50}),
    ],
)
def test_plans_are_as_short_as_a_naive_search_finds(num_levels, size, options):
    state = make(num_levels, *size, **options)
    rng = np.random.default_rng(1)
    plan = np.empty(99, np.int8)
    for world in range(num_levels):
        for _ in range(rng.integers(40)):
            PUZZLE.step(state, world, 0, int(rng.integers(6)))
        before = copy_of(state)
        length = PUZZLE.find_plan(state, world, plan)[0]
        assert_same_state(state, before)
        assert length == naive_length(pictures_of(state)[world])
        assert all(PUZZLE.step(state, world, 0, int(action)) == CHANGED for action in plan[:length])
        assert state.book["left"][world] == 0


STREET = """
    +-+-+-+-+-+-+-+-+-+-+-+
    |r . . . . G . . . . Y|
    +-+-+-+-+-+ +-+-+-+-+-+
    |. . . . .|B|. . . . .|
    +-+-+-+-+-+-+-+-+-+-+-+
    passenger 1: {}
    passenger 2: {}
"""


def test_putting_a_passenger_down_on_the_way_can_be_shortest():
    state = start(STREET.format("G to B", "R to Y"))
    plan = np.empty(99, np.int8)
    length = PUZZLE.find_plan(state, 0, plan)[0]
    assert length == naive_length(pictures_of(state)[0]) == 18
    assert plan[:length].tolist().count(DROPOFF) == 3


def test_the_solver_obeys_who_is_picked_up_first():
    """With the numbers swapped, whoever is put down at G would be the first to be picked up there."""
    state = start(STREET.format("R to Y", "G to B"))
    length = PUZZLE.find_plan(state, 0, np.empty(99, np.int8))[0]
    assert length == naive_length(pictures_of(state)[0]) == 20


@pytest.mark.parametrize("options", [{"num_passengers": 4, "num_stands": 8}, {"num_passengers": 2, "num_stands": 26}])
def test_plans_for_large_towns_play_to_solved(options):
    state = make(5, 12, 12, **options)
    plan = np.empty(300, np.int8)
    for world in range(5):
        length = PUZZLE.find_plan(state, world, plan)[0]
        assert length > 0
        assert all(PUZZLE.step(state, world, 0, int(action)) == CHANGED for action in plan[:length])
        assert state.book["left"][world] == 0


def test_the_solver_knows_when_there_is_no_way():
    state = start("+-+-+-+\n|R|@ G|\n+-+-+-+\npassenger 1: R to G")
    assert PUZZLE.find_plan(state, 0, np.empty(9, np.int8))[0] == NO_SOLUTION


def test_the_solver_gives_up_if_the_plan_has_no_room():
    state = start("+-+-+-+\n|R @ G|\n+-+-+-+\npassenger 1: R to G")
    assert PUZZLE.find_plan(state, 0, np.empty(4, np.int8))[0] == GAVE_UP
    assert PUZZLE.find_plan(state, 0, np.empty(5, np.int8))[0] == 5


@pytest.mark.parametrize(
    ("drawing", "grades"),
    [
        (TOWN, {"moves": 8, "nodes": 1, "branching": 1, "irreversible": 0}),
        # To any of the three stands.
        ("+-+-+-+-+\n|R G @ Y|\n+-+-+-+-+\npassenger 1: @ to R", {"moves": 3, "nodes": 1, "branching": 3}),
        # First 1 from R or 2 from G, to either of two other stands; then the other one.
        (
            "+-+-+-+-+\n|r . G Y|\n+-+-+-+-+\npassenger 1: R to G\npassenger 2: G to Y",
            {"moves": 7, "nodes": 2, "branching": 3},
        ),
    ],
)
def test_grades_say_how_hard_a_level_is(drawing, grades):
    length, told = PUZZLE.find_plan(start(drawing), 0, np.empty(99, np.int8))
    assert length == grades["moves"]
    assert grades.items() <= dict(zip(PUZZLE.grades, told.tolist(), strict=True)).items()


def all_states(drawing):
    """Return a taxi's world, and for every world that can be led to from it those one action on."""
    first = naive.read_city(drawing)
    following, queue = {}, [first]
    while queue:
        world = queue.pop()
        if world not in following:
            following[world] = {naive.act_in_taxi(world, action)[1] for action in range(6)}
            queue += following[world]
    return first, following


@pytest.mark.parametrize(
    ("town", "trips"),
    [("R G", "RG"), ("R G Y", "RG GR"), ("R G Y", "RG GG"), ("R G Y B", "RG GY RY"), ("R G", "RG GR")],
)
def test_nothing_is_irreversible_with_more_stands_than_passengers(town, trips):
    edge = "+-" * (len(town) // 2 + 1) + "+"
    lines = [f"passenger {number}: {at} to {to}" for number, (at, to) in enumerate(trips.split(), 1)]
    drawing = "\n".join([edge, f"|{town.replace('R', 'r')}|", edge, *lines])
    first, following = all_states(drawing)
    before = {world: set() for world in following}
    for world, ones in following.items():
        for one in ones:
            before[one].add(world)
    back, queue = set(), [first]
    while queue:
        if (world := queue.pop()) not in back:
            back.add(world)
            queue += before[world]
    _, grades = PUZZLE.find_plan(start(drawing), 0, np.empty(99, np.int8))
    assert (back == following.keys()) == (grades[-1] == 0)
    assert (grades[-1] == 0) == (len(town.split()) > len(trips.split()))


def test_the_solver_gives_up_after_as_many_positions_as_it_may_expand():
    state, plan = start(STREET.format("G to B", "R to Y")), np.empty(99, np.int8)
    length, grades = PUZZLE.find_plan(state, 0, plan)
    assert PUZZLE.find_plan(state, 0, plan, Limits(nodes=int(grades[1])))[0] == length
    told, fewer = PUZZLE.find_plan(state, 0, plan, Limits(nodes=int(grades[1]) - 1))
    assert told == GAVE_UP and fewer[1] == grades[1] - 1 and np.isnan(fewer[0])


def test_more_room_never_makes_the_answer_another_one():
    state = make(3, 9, 9, num_stands=6, num_passengers=4)
    plans = np.zeros((2, 300), np.int8)
    for world in range(3):
        length = PUZZLE.find_plan(state, world, plans[0])[0]
        told = []
        for positions in (0, 1, 50, 400, 3000, 20_000, 10**6):
            told.append(PUZZLE.find_plan(state, world, plans[1], Limits(bytes=positions * POSITION_BYTES))[0])
            if told[-1] != GAVE_UP:
                np.testing.assert_array_equal(*plans)
        assert told[0] == GAVE_UP and told[-1] == length
        assert set(told[told.index(length) :]) == {length}


def test_a_solved_level_has_an_empty_plan():
    state = start("+-+-+-+\n|R @ G|\n+-+-+-+\npassenger 1: G to G")
    assert PUZZLE.find_plan(state, 0, np.empty(4, np.int8))[0] == 0


# What is refused.


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ((Options(), 1, 9), "at least 2 rows and 2 columns"),
        ((Options(num_stands=5), 2, 2), "num_stands is 2 to 4 on 2 rows and 2 columns; it is 5"),
        ((Options(num_stands=27), 9, 9), "2 to 26"),
        ((Options(num_stands=1), 9, 9), "it is 1"),
        ((Options(num_passengers=0), 9, 9), "1 to 8; it is 0"),
        ((Options(num_passengers=9), 9, 9), "1 to 8; it is 9"),
        ((Options(walls=101), 9, 9), "0 to 100; it is 101"),
        ((Options(classic=1), 6, 5), "the classic map has 5 rows"),
        ((Options(classic=1, num_passengers=2), 5, 5), "the classic map has 5 rows"),
        ((Options(classic=2), 5, 5), "0 or 1; it is 2"),
        ((Options(min_moves=-1), 5, 5), "they are -1 and 0"),
        ((Options(min_moves=9, max_moves=8), 5, 5), "min_moves is at most max_moves; they are 9 and 8"),
        ((Options(max_moves=5, num_passengers=2), 5, 5), "such levels take 6 to 100 actions"),
        ((Options(min_moves=51), 5, 5), "min_moves and max_moves are 51 and 0"),
        ((Options(classic=1, min_moves=19), 5, 5), "such levels take 6 to 18 actions"),
    ],
)
def test_impossible_options_are_explained(settings, said):
    assert said in PUZZLE.check_options(*settings)


@pytest.mark.parametrize(
    ("plane", "cell", "flags", "said"),
    [
        (0, (1, 1), AGENT, "1 to 8 taxis; this one has 0"),
        (0, (0, 1), ITEM, "one in plane 0"),
        (0, (0, 2), GOAL, "passenger 1 has a destination that is no stand"),
        (0, (0, 0), GOAL, "passenger 1 waits at a place that is no stand"),
        (1, (0, 0), ITEM, "passenger 1 is at one place and has one destination; here 0 and 1"),
        (1, (0, 0), GOAL, "here 1 and 2"),
        (1, (0, 0), AGENT, "passenger 1 rides, but not in the taxi"),
        (1, (0, 1), 1, "nothing but"),
    ],
)
def test_what_is_no_level_is_explained(plane, cell, flags, said):
    picture = pictures_of(start(TOWN))[0].copy()
    assert PUZZLE.check_level(picture) == ""
    picture[plane][cell] ^= flags
    assert said in PUZZLE.check_level(picture)


def test_only_one_passenger_rides():
    picture = pictures_of(start(TOWN.replace("1: R", "1: @")))[0]
    assert PUZZLE.check_level(picture) == ""
    assert "only one" in PUZZLE.check_level(picture[[0, 1, 1]])
    assert "1 to 8 passengers; this one has 0" in PUZZLE.check_level(picture[:1])


@pytest.mark.parametrize("id", [id for id, settings in PUZZLE.ids.items() if "min_moves" in settings])
def test_every_id_keeps_its_window(id):
    settings = PUZZLE.ids[id]
    num_levels = 20 if settings["height"] < 9 else 2
    episodes = Episodes(PUZZLE, num_levels, **settings)
    episodes.begin(np.arange(num_levels), np.arange(num_levels, dtype=np.uint64))
    if settings["height"] < 12:
        moves = [naive.fewest(naive.TWINS["taxi"], drawing) for drawing in episodes.observe()]
    else:
        moves = grade_levels(PUZZLE, episodes.worlds.pictures())[:, 0].tolist()
    assert settings["min_moves"] <= min(moves) <= max(moves) <= settings["max_moves"]


def test_the_docs_page_shows_what_happens():
    assert doctest.testfile(str(PAGE), module_relative=False).failed == 0


def fingerprint():
    """Return levels and plans, to compare compiled with uncompiled ones."""
    plan = np.zeros(200, np.int8)
    told = []
    for options in ({"classic": 1}, {"num_passengers": 2, "num_stands": 5}, {"walls": 100}):
        state = make(4, **options)
        told += [
            state.board.tobytes().hex(),
            [int(PUZZLE.find_plan(state, world, plan)[0]) for world in range(4)],
            plan.tolist(),
        ]
    return str(told)


def test_compiled_and_uncompiled_kernels_do_the_same():
    other = "0" if os.environ.get("NUMBA_DISABLE_JIT", "0") == "1" else "1"
    command = [sys.executable, "-W", "ignore", __file__]
    environment = {**os.environ, "NUMBA_DISABLE_JIT": other, "PYTHONPATH": os.pathsep.join(sys.path)}
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert told.strip() == fingerprint()


if __name__ == "__main__":
    print(fingerprint())
