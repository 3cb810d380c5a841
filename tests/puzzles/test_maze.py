"""Mazes: drawn cases, properties of generated levels, and the solver against a naive search."""

import doctest
import os
import subprocess
import sys
from collections import Counter, deque
from itertools import pairwise
from pathlib import Path

import naive
import numpy as np
import pytest

from textworlds import Episodes
from textworlds.beginnings import beginnings_of
from textworlds.grid import (
    AGENT,
    AGENT_IN_WAY,
    CHANGED,
    DOWN,
    GOAL,
    LEFT,
    RIGHT,
    SOLID,
    SOLVED_ALREADY,
    UP,
    WALL_IN_WAY,
    close_walls,
    new_state,
    settle,
)
from textworlds.history import History
from textworlds.levels.making import Wanted, make_levels
from textworlds.play import FOUND, lone_player_of, new_ledger, new_told
from textworlds.puzzles import GAVE_UP, NO_SOLUTION, Limits
from textworlds.puzzles.maze import ANY, BACKTRACKER, PUZZLE, WILSON, Options
from textworlds.random import start_stream
from textworlds.text.formats import read, write

OFFSETS = {UP: (-1, 0), DOWN: (1, 0), LEFT: (0, -1), RIGHT: (0, 1)}
PAGE = Path(__file__).parents[2] / "docs" / "maze.md"


def start(drawing, num_agents=1):
    picture = read("\n".join(drawing.split()), "dense", PUZZLE.words)
    state = new_state(1, picture.shape, num_agents)
    state.board[0] = picture.reshape(-1)
    beginnings_of(PUZZLE).begin_all(state, History(1, False).tables, np.arange(1), 100)
    return state


def play(state, actions):
    """Play a turn in world 0; return the reasons."""
    ledger, found = new_ledger(len(actions), state.book[:1]), np.zeros((len(FOUND), len(actions)), np.uint64)
    asked, actions = np.array([len(actions)]), np.array([actions], np.int8)
    told = new_told(state.book[:1])
    lone_player_of(PUZZLE)(state, History(1, False).tables, found, actions, asked, np.zeros(64), ledger, told)
    return ledger["reason"][0].tolist()


def draw(state, world=0):
    return write(state.board[world].reshape(-1, state.height, state.width), "dense", PUZZLE.words)


def make(count, height=11, width=11, **options):
    """Return a state of `count` generated levels."""
    state = new_state(count, (1, height, width))
    state.book["seed"] = np.arange(count)
    options = Options(**options)
    assert PUZZLE.check_options(options, height, width) == ""
    make_levels(PUZZLE, state, np.arange(count), Wanted(options))
    beginnings_of(PUZZLE).begin_all(state, History(count, False).tables, np.arange(count), 100)
    return state


def pictures(state):
    return state.board.reshape(-1, state.height, state.width)


def distances(board, start):
    """Return the steps from one cell to all others: a naive search, by what is solid alone."""
    found, queue = {start: 0}, deque([start])
    while queue:
        row, column = cell = queue.popleft()
        for down, right in OFFSETS.values():
            to = row + down, column + right
            if not board[to] & SOLID and to not in found:
                found[to] = found[cell] + 1
                queue.append(to)
    return found


def where(board, flag):
    return [tuple(cell) for cell in np.argwhere(board & flag).tolist()]


def rooms_of(board):
    return [(row, column) for row in range(1, board.shape[0], 2) for column in range(1, board.shape[1], 2)]


MAZE = """
    #######
    #@#---#
    #-###-#
    #---.-#
    #######
"""


def test_a_player_walks_where_no_wall_is():
    state = start(MAZE)
    assert play(state, [RIGHT, DOWN, UP, DOWN, LEFT, DOWN, RIGHT]) == [
        WALL_IN_WAY,
        CHANGED,
        CHANGED,
        CHANGED,
        WALL_IN_WAY,
        CHANGED,
        CHANGED,
    ]
    assert draw(state).split() == ["#######", "#-#---#", "#-###-#", "#-@-.-#", "#######"]


def test_a_maze_is_solved_when_the_player_stands_on_the_exit():
    state = start(MAZE)
    assert play(state, [DOWN, DOWN, RIGHT, RIGHT])[-1] == CHANGED
    assert state.book["left"][0] == 1
    assert play(state, [RIGHT, RIGHT]) == [CHANGED, SOLVED_ALREADY]
    assert state.book["left"][0] == 0
    assert draw(state).split()[3] == "#---+-#"


def test_any_of_several_exits_will_do():
    state = start("##### #.@.# #####")
    play(state, [LEFT])
    assert state.book["left"][0] == 0


def test_players_do_not_walk_into_each_other():
    state = start("###### #@@-.# ######", num_agents=2)
    assert PUZZLE.step(state, 0, 0, RIGHT) == AGENT_IN_WAY
    assert PUZZLE.step(state, 0, 1, RIGHT) == CHANGED
    assert PUZZLE.step(state, 0, 0, RIGHT) == CHANGED


def test_a_maze_stays_solved_while_any_player_is_on_an_exit():
    state = start("###### #@..@# ######", num_agents=2)
    for agent, action, left in [(0, RIGHT, 0), (1, LEFT, 0), (0, LEFT, 0), (1, RIGHT, 1)]:
        PUZZLE.step(state, 0, agent, action)
        assert state.book["left"][0] == PUZZLE.goals_left(state, 0) == left


def test_goals_and_key_are_kept_while_playing():
    state = make(20, 7, 7, loops=50)
    rng = np.random.default_rng(0)
    for _ in range(30):
        for world in range(20):
            PUZZLE.step(state, world, 0, int(rng.integers(4)))
            assert state.book["left"][world] == PUZZLE.goals_left(state, world)
            key = int(state.book["key"][world])
            settle(state, world)
            assert state.book["key"][world] == key


@pytest.mark.parametrize("algorithm", [ANY, BACKTRACKER, WILSON])
@pytest.mark.parametrize("size", [(5, 5), (5, 13), (15, 7), (11, 11)])
@pytest.mark.parametrize("loops", [0, 1, 30, 100])
def test_generated_levels_are_mazes(algorithm, size, loops):
    for board in pictures(make(15, *size, algorithm=algorithm, loops=loops)):
        rooms = rooms_of(board)
        num_rows, num_columns = size[0] // 2, size[1] // 2
        joints = sum(not flags & SOLID for flags in board.flat) - len(rooms)
        removable = num_rows * (num_columns - 1) + (num_rows - 1) * num_columns - (len(rooms) - 1)
        assert len(distances(board, (1, 1))) == len(rooms) + joints
        assert joints == len(rooms) - 1 + int(removable * loops / 100 + 0.5)
        assert board[::2, ::2].min() & SOLID
        assert not any(board[room] & SOLID for room in rooms)
        (player,), (exit,) = where(board, AGENT), where(board, GOAL)
        assert player in rooms and exit in rooms and player != exit
        assert PUZZLE.check_level(board[np.newaxis]) == ""
        closed = board & (SOLID | AGENT | GOAL)
        close_walls(closed)
        np.testing.assert_array_equal(board, closed)


def longest_way(board):
    return max(steps for room in rooms_of(board) for steps in distances(board, room).values())


def shortest_way(board):
    (player,), (exit,) = where(board, AGENT), where(board, GOAL)
    return distances(board, player)[exit]


@pytest.mark.parametrize("loops", [0, 3, 10, 50, 100])
@pytest.mark.parametrize("window", [(0, 0), (0, 2), (0, 9), (3, 0), (6, 10), (5, 16)])
def test_the_shortest_way_lies_in_the_window(loops, window):
    least, most = window
    for board in pictures(make(12, 13, 11, loops=loops, min_moves=least, max_moves=most)):
        way, longest = shortest_way(board), longest_way(board)
        assert way == longest if window == (0, 0) else max(least, 2) <= way <= (most or longest)


@pytest.mark.parametrize(("loops", "min_moves"), [(0, 16), (0, 12), (30, 10), (60, 10)])
def test_generate_finds_no_level_just_where_no_rooms_are_so_far_apart(loops, min_moves):
    state, rng = new_state(60, (1, 7, 7)), np.zeros(1, np.uint64)
    start_stream(rng, np.uint64(1), np.int32(0))
    found = [PUZZLE.generate(rng, state, world, Options(loops=loops, min_moves=min_moves)) for world in range(60)]
    assert found == [longest_way(board) >= min_moves for board in pictures(state)]
    assert 0 < sum(found) < 60


@pytest.mark.parametrize("loops", [0, 20])
def test_all_lengths_in_the_window_that_the_maze_has_are_equally_frequent(loops):
    boards = pictures(make(2000, 7, 7, loops=loops, min_moves=4, max_moves=14))
    ways = Counter((longest_way(board), shortest_way(board)) for board in boards)
    for longest in (8, 10, 12):
        seen = [ways[longest, way] for way in range(4, longest + 1, 2)]
        assert max(seen) - min(seen) < 6 * np.mean(seen) ** 0.5
        assert min(seen) > 0


@pytest.mark.parametrize(("width", "num_trees"), [(5, 4), (7, 15)])
def test_wilson_draws_every_tree_equally_often(width, num_trees):
    count = 300 * num_trees
    boards = pictures(make(count, 5, width, algorithm=WILSON))
    trees = Counter((board & SOLID).tobytes() for board in boards)
    assert len(trees) == num_trees
    assert all(abs(seen - 300) < 5 * 300**0.5 for seen in trees.values())


@pytest.mark.parametrize(("algorithm", "low", "high"), [(BACKTRACKER, 0, 0.1), (WILSON, 0.9, 1), (ANY, 0.35, 0.65)])
def test_the_algorithm_shows_in_the_dead_ends(algorithm, low, high):
    boards = pictures(make(100, 25, 25, algorithm=algorithm))
    dead_ends = [sum(int(board[room] & 15).bit_count() == 3 for room in rooms_of(board)) for board in boards]
    many = np.mean(np.array(dead_ends) > 0.2 * 144)
    assert low <= many <= high


def test_the_same_seed_makes_the_same_level_and_the_next_episode_another():
    first, again = make(10), make(10)
    np.testing.assert_array_equal(first.board, again.board)
    again.book["episode"] += 1
    make_levels(PUZZLE, again, np.arange(10), Wanted(Options()))
    assert (first.board != again.board).any(axis=1).all()


@pytest.mark.parametrize("loops", [0, 30, 100])
def test_a_plan_is_a_shortest_way_and_leaves_the_state_as_it_was(loops):
    state = make(30, 9, 11, loops=loops)
    plan = np.empty(200, np.int8)
    for world, board in enumerate(pictures(state).copy()):
        before = state.board.copy(), state.agents.copy(), state.book.copy()
        length = PUZZLE.find_plan(state, world, plan)[0]
        for kept, now in zip(before, (state.board, state.agents, state.book), strict=True):
            np.testing.assert_array_equal(kept, now)
        (player,), (exit,) = where(board, AGENT), where(board, GOAL)
        assert length == distances(board, player)[exit]
        assert all(PUZZLE.step(state, world, 0, int(action)) == CHANGED for action in plan[:length])
        assert state.book["left"][world] == 0
        assert PUZZLE.find_plan(state, world, plan)[0] == 0


def test_the_solver_knows_when_there_is_no_way():
    state = start("####### #@-#-.# #######")
    assert PUZZLE.find_plan(state, 0, np.empty(9, np.int8))[0] == NO_SOLUTION


def test_the_solver_goes_around_other_players():
    state = start("####### #--@--# #-###-# #@---.# #######", num_agents=2)
    assert state.agents[0].tolist() == [10, 22]
    state.agents[0] = 22, 10
    assert PUZZLE.find_plan(state, 0, np.empty(9, np.int8))[0] == 4
    state = start("###### #@@-.# ######", num_agents=2)
    assert PUZZLE.find_plan(state, 0, np.empty(9, np.int8))[0] == NO_SOLUTION


def test_the_solver_gives_up_if_the_plan_has_no_room():
    state = start("####### #@---.# #######")
    assert PUZZLE.find_plan(state, 0, np.empty(3, np.int8))[0] == GAVE_UP
    assert PUZZLE.find_plan(state, 0, np.empty(4, np.int8))[0] == 4


RING = """
    #####
    #---#
    #@#.#
    #---#
    #####
"""


@pytest.mark.parametrize(
    ("drawing", "moves", "nodes", "branching"),
    [
        (MAZE, 5, 5, 1),  # a single corridor
        (RING, 4, 6, 5 / 4),  # two ways from the start, then one
        ("####### #@---.# ####-## #######", 4, 4, 5 / 4),  # a dead end, never searched from
        ("##### #.@-# #####", 1, 1, 2),
    ],
)
def test_grades_say_how_hard_a_maze_is(drawing, moves, nodes, branching):
    length, grades = PUZZLE.find_plan(start(drawing), 0, np.empty(9, np.int8))
    assert length == moves
    assert dict(zip(PUZZLE.grades, grades, strict=True)) == {
        "moves": moves,
        "nodes": nodes,
        "branching": branching,
        "irreversible": 0,
    }


def test_the_solver_gives_up_after_as_many_cells_as_it_may_search_from():
    state, plan = start(RING), np.empty(9, np.int8)
    assert PUZZLE.find_plan(state, 0, plan, Limits(nodes=6))[0] == 4
    length, grades = PUZZLE.find_plan(state, 0, plan, Limits(nodes=5))
    assert length == GAVE_UP and grades[1] == 5 and np.isnan(grades[0])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ((Options(), 8, 9), "odd and at least 5; they are 8 and 9"),
        ((Options(), 3, 9), "odd and at least 5"),
        ((Options(algorithm=2), 9, 9), "it is 2"),
        ((Options(loops=101), 9, 9), "0 to 100; it is 101"),
        ((Options(min_moves=-1), 9, 9), "min_moves and max_moves are -1 and 0"),
        ((Options(max_moves=-2), 9, 9), "0 (no bound) or a number of steps"),
        (
            (Options(min_moves=6, max_moves=4), 9, 9),
            "min_moves is at most max_moves; min_moves and max_moves are 6 and 4",
        ),
        ((Options(min_moves=7, max_moves=7), 9, 9), "the number of steps is even"),
        ((Options(max_moves=1), 9, 9), "at least 2"),
        (
            (Options(min_moves=31), 9, 9),
            "no way in such a maze is longer than 30 steps; min_moves and max_moves are 31 and 0",
        ),
        ((Options(min_moves=14, loops=100), 9, 9), "longer than 12 steps"),
    ],
)
def test_impossible_options_are_explained(settings, said):
    assert said in PUZZLE.check_options(*settings)


@pytest.mark.parametrize(
    ("drawing", "said"),
    [("#@@@@@@@@@.#", "1 to 8 players; this one has 9"), ("#-.#", "has 0"), ("#@#", "at least one exit")],
)
def test_what_is_no_maze_is_explained(drawing, said):
    assert said in PUZZLE.check_level(read(drawing, "dense", PUZZLE.words))


def test_ids_can_be_made():
    for settings in PUZZLE.ids.values():
        state = make(3, **{name: value for name, value in settings.items() if name != "turn_limit"})
        assert len(set(map(bytes, state.board))) == 3
    sizes = [settings["height"] for settings in list(PUZZLE.ids.values())[:4]]
    assert all(smaller < larger for smaller, larger in pairwise(sizes))


@pytest.mark.parametrize("id", PUZZLE.ids)
def test_every_id_keeps_its_window(id):
    settings = PUZZLE.ids[id]
    episodes = Episodes(PUZZLE, 20, **settings)
    episodes.begin(np.arange(20), np.arange(20, dtype=np.uint64))
    ways = {naive.fewest(naive.TWINS["maze"], drawing) for drawing in episodes.observe()}
    assert settings["min_moves"] <= min(ways) < max(ways) <= settings["max_moves"]


def test_the_docs_page_shows_what_happens():
    assert doctest.testfile(str(PAGE), module_relative=False).failed == 0


def fingerprint():
    """Return levels and plans, to compare compiled with uncompiled ones."""
    plan = np.zeros(100, np.int8)
    told = []
    for options in ({}, {"loops": 20}, {"algorithm": WILSON, "min_moves": 5, "max_moves": 9}):
        state = make(4, 9, 7, **options)
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
