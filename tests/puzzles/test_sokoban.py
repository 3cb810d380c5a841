"""Sokoban: drawn cases of the rules, and what generator, solver and positions promise."""

import os
import random
import subprocess
import sys
import time
from itertools import permutations, product
from pathlib import Path

import naive
import numpy as np
import pytest

from textworlds import Episode
from textworlds.grid import AGENT, AGENT_IN_WAY, CHANGED, GOAL, ITEM, SOLID, WALL_IN_WAY, new_state, settle
from textworlds.kernel import compiles
from textworlds.levels.making import NoLevel
from textworlds.puzzles import GAVE_UP, NO_SOLUTION
from textworlds.puzzles.sokoban import PUZZLE, Options, bounds, positions
from textworlds.puzzles.sokoban.rules import AGENT_BEHIND_BOX, BOX_BEHIND_BOX, WALL_BEHIND_BOX
from textworlds.text.formats import read, write

TWIN = naive.TWINS["sokoban"]
needs_speed = pytest.mark.skipif(not compiles(), reason="takes minutes in plain Python")


def lines(*rows):
    return "\n".join(rows)


def state_of(drawing, num_agents=1):
    """Return a state of one world, ready to be played."""
    picture = read(drawing, "dense", PUZZLE.words)
    state = new_state(1, picture.shape, num_agents)
    state.board[0] = picture.ravel()
    settle(state, 0)
    state.book[0]["left"] = PUZZLE.goals_left(state, 0)
    state.book[0]["lost"] = PUZZLE.is_lost(state, 0)
    return state


def drawing_of(state):
    return write(state.board[0].reshape(1, state.height, state.width), "dense", PUZZLE.words)


def play(drawing, message):
    episode = Episode("Sokoban-easy-v0", action="plain")
    episode.reset(level=drawing)
    return episode.act(message)


def solve(drawing, room=4096, objective="pushes", solver=None, **limits):
    """Return a plan, or what the solver answers in place of one."""
    return graded(drawing, room, objective, solver, **limits)[0]


def graded(drawing, room=4096, objective="pushes", solver=None, **limits):
    """Return a plan, or what the solver answers in place of one, and its grades by their names."""
    plan, grades = np.full(room, -1, np.int8), np.full(len(PUZZLE.grades), np.nan)
    length = (solver or PUZZLE.solve)(state_of(drawing), 0, plan, PUZZLE.limits(objective, **limits), grades)
    answer = plan[:length].tolist() if length >= 0 else int(length)
    return answer, dict(zip(PUZZLE.grades, grades.tolist(), strict=True))


# Name -> level, actions, level after them, reasons, goals left.
CASES = {
    "walk": ("#####\n#@--#\n#$-.#\n#####", "r", "#####\n#-@-#\n#$-.#\n#####", [CHANGED], 1),
    "walk against the border": ("#####\n#@--#\n#$-.#\n#####", "u", "#####\n#@--#\n#$-.#\n#####", [WALL_IN_WAY], 1),
    "walk against a wall": ("#####\n#@#-#\n#$-.#\n#####", "r", "#####\n#@#-#\n#$-.#\n#####", [WALL_IN_WAY], 1),
    "walk without walls around": ("@-\n$.", "ul", "@-\n$.", [WALL_IN_WAY, WALL_IN_WAY], 1),
    "walk over a goal": ("#######\n#@.-$.#\n#######", "rr", "#######\n#-.@$.#\n#######", [CHANGED, CHANGED], 1),
    "stand on a goal": ("#######\n#@.-$.#\n#######", "r", "#######\n#-+-$.#\n#######", [CHANGED], 1),
    "push right": ("#######\n#@$-.-#\n#######", "r", "#######\n#-@$.-#\n#######", [CHANGED], 1),
    "push left": ("#######\n#-.-$@#\n#######", "l", "#######\n#-.$@-#\n#######", [CHANGED], 1),
    "push up": ("-.\n--\n$-\n@-", "u", "-.\n$-\n@-\n--", [CHANGED], 1),
    "push down": ("@.\n$-\n--\n--", "d", "-.\n@-\n$-\n--", [CHANGED], 1),
    "push onto a goal": ("#######\n#@$.$.#\n#######", "r", "#######\n#-@*$.#\n#######", [CHANGED], 1),
    "push off a goal": ("#######\n#@*-$.#\n#######", "r", "#######\n#-+$$.#\n#######", [CHANGED], 2),
    "push from goal to goal": ("########\n#@*.-$.#\n########", "r", "########\n#-+*-$.#\n########", [CHANGED], 1),
    "push against a wall": ("#####\n#.@$#\n#####", "r", "#####\n#.@$#\n#####", [WALL_BEHIND_BOX], 1),
    "push against the border": ("-.-\n-@$", "r", "-.-\n-@$", [WALL_BEHIND_BOX], 1),
    "push two": ("########\n#@$$-..#\n########", "r", "########\n#@$$-..#\n########", [BOX_BEHIND_BOX], 2),
    "push onto a box on its goal": ("#######\n#@$*.-#\n#######", "r", "#######\n#@$*.-#\n#######", [BOX_BEHIND_BOX], 1),
    "never pull": ("#######\n#.$@--#\n#######", "r", "#######\n#.$-@-#\n#######", [CHANGED], 1),
    "solve": ("#####\n#@$.#\n#####", "r", "#####\n#-@*#\n#####", [CHANGED], 0),
    "solve with a goal to spare": ("######\n#@$..#\n######", "r", "######\n#-@*.#\n######", [CHANGED], 0),
}


@pytest.mark.parametrize(("before", "message", "after", "reasons", "left"), CASES.values(), ids=CASES)
def test_an_action_does_what_the_rules_say(before, message, after, reasons, left):
    result = play(before, message)
    assert result.text == after
    assert result.ledger["reason"] == reasons
    assert result.ledger["changed"] == [reason == CHANGED for reason in reasons]
    assert result.terminated == (left == 0)
    assert result.reward == (left == 0)


def test_every_case_is_the_same_in_the_naive_twin():
    for before, message, after, _, left in CASES.values():
        *_, (_, last_left, drawing) = naive.play(TWIN, before, ["udlr".index(letter) for letter in message])
        assert (drawing, last_left) == (after, left)


def test_actions_after_the_level_is_solved_are_not_played():
    result = play("######\n#@$.-#\n######", "rrl")
    assert result.text == "######\n#-@*-#\n######"
    assert result.ledger["played"] == [True, False, False]


ROOM = lines("######", "#----#", "#@*--#", "#----#", "#-$-.#", "######")


def flags_of(name, message):
    return [int(flag) for flag in play(ROOM, message).ledger[name]]


def test_a_box_pushed_off_its_goal_and_on_again_is_no_progress():
    assert play(ROOM, "rurrdl").text == lines("######", "#----#", "#-*@-#", "#----#", "#-$-.#", "######")
    assert flags_of("progress", "rurrdl") == [0, 0, 0, 0, 0, 0]


def test_a_step_back_is_a_reversal_and_nothing_new():
    assert flags_of("reversal", "urlr") == [0, 0, 1, 1]
    assert flags_of("novel", "urlr") == [1, 1, 0, 0]


def test_a_state_reached_by_another_way_is_not_novel():
    assert flags_of("novel", "udduu") == [1, 0, 1, 0, 0]
    assert flags_of("reversal", "udduu") == [0, 1, 0, 1, 0]


# Two players, in the order of their cells.
PAIRS = {
    "a player is in the way": ("######\n#@@$.#\n######", 0, AGENT_IN_WAY),
    "a player is behind the box": ("######\n#@$@.#\n######", 0, AGENT_BEHIND_BOX),
    "the other pushes": ("######\n#.$@@#\n######", 0, CHANGED),
}


@pytest.mark.parametrize(("drawing", "agent", "reason"), PAIRS.values(), ids=PAIRS)
def test_players_stand_in_each_others_way(drawing, agent, reason):
    state = state_of(drawing, num_agents=2)
    assert PUZZLE.step(state, 0, agent, np.int8(2 if reason == CHANGED else 3)) == reason
    assert (drawing_of(state) == drawing) == (reason != CHANGED)


# What is no level.


@pytest.mark.parametrize(
    ("drawing", "sentence"),
    [
        ("#####\n#-$.#\n#####", "a level has 1 to 8 players; this one has 0"),
        ("###########\n#@@@@@@@@@#\n###########", "a level has 1 to 8 players; this one has 9"),
        ("#####\n#@$$#\n#-.-#\n#####", "a level has a goal for each box; this one has 2 boxes and 1 goals"),
        ("#####\n#@$.#\n#-.-#\n#####", ""),
    ],
)
def test_check_level_says_what_is_wrong(drawing, sentence):
    assert PUZZLE.check_level(read(drawing, "dense", PUZZLE.words)) == sentence


# The solver.

# Level -> the fewest pushes. The second is Microban 1, by David W. Skinner, of 33 moves and 8 pushes.
SOLVED = {
    "#####\n#@$.#\n#####": 1,
    "####--\n#-.#--\n#--###\n#*@--#\n#--$-#\n#--###\n####--": 8,
    "######\n#@*-.#\n######": 0,
    "#######\n#--.--#\n#.$$$.#\n#--@--#\n#######": 3,
    "######\n#@-$.#\n#-$--#\n#--.-#\n######": 3,
    # A box has to leave the only goal that it can be pushed to, and to come back.
    "##########\n###-----##\n#@*-----##\n###-----##\n####-#####\n####-$.###\n##########": 5,
}


@pytest.mark.parametrize(("drawing", "pushes"), SOLVED.items())
def test_plans_have_the_fewest_pushes(drawing, pushes):
    plan = solve(drawing)
    assert naive.cost(TWIN, drawing, plan) == naive.fewest(TWIN, drawing) == pushes
    assert [left for _, left, _ in naive.play(TWIN, drawing, plan)][-1:] in ([0], [])


def test_walks_between_pushes_are_the_shortest():
    assert len(solve("####--\n#-.#--\n#--###\n#*@--#\n#--$-#\n#--###\n####--")) == 33


UNSOLVABLE = {
    "a box in a corner": "#####\n#$--#\n#-@.#\n#####",
    "a box on an edge without goals": "######\n#+---#\n#----#\n#-$--#\n######",
    "boxes that hold each other": "######\n#----#\n#$$-.#\n#$$-.#\n#.@-.#\n######",
    "a goal behind a wall": "#######\n#@$-#.#\n#---#-#\n#---#-#\n#######",
    "a box that the player cannot reach": "#######\n#@#---#\n#-#-$.#\n#-#---#\n#######",
}


@pytest.mark.parametrize("drawing", UNSOLVABLE.values(), ids=UNSOLVABLE)
def test_the_solver_knows_when_there_is_no_solution(drawing):
    assert solve(drawing) == NO_SOLUTION
    assert naive.fewest(TWIN, drawing) is None


def test_a_solved_level_needs_no_plan():
    assert solve("#####\n#@-*#\n#####") == []


@pytest.mark.parametrize("room", [0, 7, 32])
def test_the_solver_gives_up_where_the_plan_has_no_room(room):
    assert solve("####--\n#-.#--\n#--###\n#*@--#\n#--$-#\n#--###\n####--", room) == GAVE_UP


def test_solving_leaves_the_state_as_it_was():
    state = state_of("####--\n#-.#--\n#--###\n#*@--#\n#--$-#\n#--###\n####--")
    before = [part.copy() for part in state[:3]]
    PUZZLE.find_plan(state, 0, np.empty(100, np.int8))[0]
    assert all(np.array_equal(one, other) for one, other in zip(before, state[:3], strict=True))


# The solver against the naive search.


def random_board(rng, most_boxes=3, sides=(3, 4, 5)):
    """Draw any board: loose walls, and so sealed regions; up to three goals more than boxes; half without a solution."""
    height, width, share = rng.choice(sides), rng.choice((4, 5)), rng.choice((0.05, 0.15, 0.3))
    tiles = dict.fromkeys(product(range(height), range(width)), "-")
    for cell in tiles:
        if rng.random() < share:
            tiles[cell] = "#"
    free = [cell for cell, tile in tiles.items() if tile == "-"]
    num_boxes = rng.randint(1, most_boxes)
    num_goals = num_boxes + rng.choice((0, 0, 1, 3))
    if len(free) <= max(num_goals, num_boxes + 1):
        return random_board(rng, most_boxes, sides)
    for cell in rng.sample(free, num_goals):
        tiles[cell] = "."
    inside = [cell for cell in free if 0 < cell[0] < height - 1 and 0 < cell[1] < width - 1]
    boxes = rng.sample(inside if len(inside) > num_boxes and rng.random() < 0.7 else free, num_boxes)
    player = rng.choice([cell for cell in free if cell not in boxes])
    for place, cell in enumerate([player, *boxes]):
        on_floor, on_goal = ("$*", "@+")[place == 0]
        tiles[cell] = on_goal if tiles[cell] == "." else on_floor
    rows = ["".join(tiles[row, column] for column in range(width)) for row in range(height)]
    return lines("#" * (width + 2), *(f"#{row}#" for row in rows), "#" * (width + 2))


def push(world, after):
    return int(world.boxes != after.boxes)


def move(world, after):
    return 1


ORDERS = {"pushes": (push, move), "moves": (move, push)}


def check_costs(drawing, solver=None):
    for objective, costs in ORDERS.items():
        plan, grades = graded(drawing, objective=objective, solver=solver)
        best = naive.fewest_in_order(TWIN, drawing, costs)
        if best is None:
            assert plan == NO_SOLUTION, drawing
        else:
            assert (grades[objective], len(plan), naive.cost(TWIN, drawing, plan)) == (
                best[0],
                best[objective == "pushes"],
                best[objective == "moves"],
            ), drawing
            assert grades["pushes"] == naive.cost(TWIN, drawing, plan) and grades["moves"] == len(plan)
            assert [left for _, left, _ in naive.play(TWIN, drawing, plan)][-1:] in ([0], [])


BATCHES = [pytest.param(seed, 100 if seed else 25, marks=[pytest.mark.slow] * (seed > 0)) for seed in range(8)]


@pytest.mark.parametrize(("seed", "count"), BATCHES)
def test_pushes_and_moves_are_the_fewest_and_the_other_breaks_ties(seed, count):
    rng = random.Random(seed)
    for _ in range(count):
        check_costs(random_board(rng))


@pytest.mark.parametrize(("seed", "count"), BATCHES)
def test_grades_of_pushes_without_return_are_those_of_the_naive_twin(seed, count):
    rng = random.Random(1000 + seed)
    for _ in range(count):
        drawing = random_board(rng, 2)
        plan, grades = graded(drawing)
        if plan not in ([], NO_SOLUTION):
            assert grades["irreversible"] == naive.share_of_no_return(drawing, plan), drawing


def test_random_boards_are_of_all_kinds():
    rng = random.Random(0)
    plans = [solve(random_board(rng)) for _ in range(300)]
    assert 30 < plans.count(NO_SOLUTION) < 270
    assert sum(plan != NO_SOLUTION and len(plan) > 10 for plan in plans) > 20


def test_the_two_objectives_have_plans_of_their_own():
    rng = random.Random(5)
    drawings = [random_board(rng, 2, sides=(4,)) for _ in range(300)]
    plans = [(solve(drawing), solve(drawing, objective="moves")) for drawing in drawings]
    assert any(pushes != NO_SOLUTION and len(moves) < len(pushes) for pushes, moves in plans)


@needs_speed
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_looking_for_corrals_from_the_start_changes_no_answer(seed):
    eager = PUZZLE.solve.bind(BEGIN=0)
    assert eager is not PUZZLE.solve
    rng = random.Random(2000 + seed)
    for _ in range(60):
        check_costs(random_board(rng, sides=(4, 5)), eager)


@needs_speed
@pytest.mark.slow
def test_looking_for_corrals_leaves_positions_out():
    eager = PUZZLE.solve.bind(BEGIN=0)
    drawings = [Episode("Sokoban-expert-v0").reset(seed) for seed in range(8)]
    nodes = [[graded(drawing, solver=solver)[1] for drawing in drawings] for solver in (None, eager)]
    lazy, early = (sum(grades["nodes"] for grades in one) for one in nodes)
    assert early < lazy
    assert [one["pushes"] for one in nodes[0]] == [one["pushes"] for one in nodes[1]]


# Limits.

OPEN = lines(
    "##########",
    *["#--------#"] * 2,
    "#-$--$---#",
    "#----.-.-#",
    "#-$--.---#",
    "#--@-----#",
    "#-.$-----#",
    "##########",
)
MICROBAN = "####--\n#-.#--\n#--###\n#*@--#\n#--$-#\n#--###\n####--"


@pytest.mark.parametrize(
    "limits",
    [{"nodes": 0}, {"nodes": 1}, {"nodes": 5}, {"bytes": 0, "nodes": 9}, {"bytes": 1 << 16, "nodes": 10**7}],
    ids=str,
)
def test_the_solver_gives_up_where_its_limits_run_out(limits):
    hard = OPEN if "bytes" in limits else MICROBAN
    answer, grades = graded(hard, objective="moves", **limits)
    assert answer == GAVE_UP
    assert not grades["nodes"] > limits["nodes"] and np.isnan(grades["pushes"])


def test_what_is_plain_is_answered_without_limits():
    assert solve("#####\n#@*-#\n#####", nodes=0) == []
    assert solve("#####\n#$--#\n#-@.#\n#####", nodes=0) == NO_SOLUTION


def test_little_more_than_a_search_took_is_enough_for_it():
    nodes = int(graded(MICROBAN)[1]["nodes"])
    assert len(solve(MICROBAN, nodes=nodes + 1)) == 33
    assert solve(MICROBAN, nodes=nodes - 1) == GAVE_UP


ANSWERS = """
import random, sys
sys.path[:0] = {paths!r}
from test_sokoban import graded, random_board
rng = random.Random(7)
for number in range(60):
    print(graded(random_board(rng), objective=("pushes", "moves")[number % 2], nodes=(2, 8, 1000)[number % 3]))
"""


@needs_speed
def test_the_same_limits_give_the_same_answers_compiled_or_not():
    here = Path(__file__).parent
    command = [sys.executable, "-c", ANSWERS.format(paths=[str(here), str(here.parent)])]
    said = [
        subprocess.run(
            command, env={**os.environ, "NUMBA_DISABLE_JIT": disabled}, capture_output=True, check=True
        ).stdout
        for disabled in "001"
    ]
    assert said[0].count(b"\n") == 60 and b"(-2" in said[0]
    assert said[0] == said[1] == said[2]


# Level -> its grades: pushes, moves, nodes, branching, irreversible.
GRADES = {
    "#####\n#@$.#\n#####": (1, 1, 1, 1, 1),
    "######\n#@$.-#\n######": (1, 1, 1, 1, 0),
    "#######\n#-@$.-#\n#######": (1, 1, 1, 1, 0),
    "#######\n#-@$-.#\n#######": (2, 2, 2, 1, 0.5),
    "#####\n#@*-#\n#####": (0, 0, np.nan, np.nan, np.nan),
    "#####\n#$--#\n#-@.#\n#####": (np.nan, np.nan, 0, 0, np.nan),
}


@pytest.mark.parametrize(("drawing", "grades"), GRADES.items())
def test_levels_are_graded(drawing, grades):
    assert graded(drawing)[1] == pytest.approx(dict(zip(PUZZLE.grades, grades, strict=True)), nan_ok=True)


# Large boards.


def large_board(height, width, num_boxes, goals):
    """Draw a room with boxes in the upper half, and goals below them or on all of the floor but under one box."""
    tiles = np.full((height, width), "-")
    tiles[[0, -1]] = tiles[:, [0, -1]] = "#"
    if goals == "all":
        tiles[1:-1, 1:-1] = "."
    a_row = width // 3 - 1
    spots = [(2 + 3 * (box // a_row), 2 + box % a_row * 3) for box in range(num_boxes)]
    for row, column in spots:
        tiles[row, column] = "*" if goals == "all" else "$"
        if goals != "all":
            tiles[height - 1 - row, column] = "."
    if goals == "all":
        tiles[spots[0]] = "$"
    tiles[height - 2, 1] = "@" if goals != "all" else "+"
    return "\n".join(map("".join, tiles))


LARGE = [
    (30, 30, 50, "below"), (100, 100, 50, "below"), (500, 500, 1, "below"), (500, 500, 50, "below"),
    (20, 20, 1, "all"), (60, 60, 1, "all"), (60, 60, 50, "all"), (100, 100, 9, "all"), (500, 500, 50, "all"),
]  # fmt: skip


@needs_speed
@pytest.mark.slow
@pytest.mark.parametrize("objective", PUZZLE.costs)
@pytest.mark.parametrize("shape", LARGE, ids=str)
def test_large_boards_get_an_answer_soon(shape, objective):
    drawing = large_board(*shape)
    solve("#####\n#@$.#\n#####")
    started = time.process_time()  # as machines are shared
    answer = solve(drawing, 1 << 16, objective)
    assert time.process_time() - started < 30
    assert answer != NO_SOLUTION
    if answer != GAVE_UP:
        assert left_after(drawing, answer) == 0


def left_after(drawing, plan):
    """Return the goals left after a plan, each action of which changes something."""
    state = state_of(drawing)
    for action in plan:
        assert PUZZLE.step(state, 0, 0, np.int8(action)) == CHANGED
    return int(state.book[0]["left"])


# Bounds.


def cheapest(pushes, boxes):
    """Return the fewest pushes of all ways to give each box a goal of its own."""
    ways = permutations(range(len(pushes)), len(boxes))
    return min(sum(int(pushes[goal, box]) for goal, box in zip(way, boxes, strict=True)) for way in ways)


def test_assignments_are_the_cheapest_of_all():
    rng = np.random.default_rng(0)
    for number in range(200):
        num_goals, cells = rng.integers(1, 6), 12
        boxes = rng.choice(cells, rng.integers(1, num_goals + 1), replace=False).astype(np.int32)
        pushes = rng.integers(0, 8, (num_goals, cells)).astype(np.int32)
        pushes[rng.random(pushes.shape) < 0.3 * (number % 3)] = bounds.FAR
        assignment, scratch = bounds.new_assignment(num_goals), bounds.new_assignment(num_goals)
        total, best = bounds.assign_all(assignment, pushes, boxes), cheapest(pushes, boxes)
        assert (total >= bounds.FAR) == (best >= bounds.FAR)
        if best >= bounds.FAR:
            continue
        assert total == best
        kept = assignment.copy()
        box = rng.integers(len(boxes))
        moved = boxes.copy()
        moved[box] = rng.integers(cells)
        total, best = bounds.assign_moved(assignment, pushes, moved, box + 1, scratch), cheapest(pushes, moved)
        assert total == best or min(total, best) >= bounds.FAR
        assert np.array_equal(assignment[:3], kept[:3])


def test_pushes_to_a_goal_are_those_of_the_naive_twin():
    rng = random.Random(3)
    for _ in range(30):
        drawing = random_board(rng, 1)
        state, floor = state_of(drawing), naive.read_floor(drawing)
        goal = int(np.flatnonzero(state.board[0] & GOAL)[0])
        pushes, queue = np.empty(state.board.shape[1], np.int32), np.empty(state.board.shape[1], np.int32)
        bounds.measure_pushes(state, 0, goal, pushes, queue)
        for cell in np.flatnonzero(state.board[0] & SOLID == 0):
            start, end = divmod(int(cell), state.width), divmod(goal, state.width)
            assert (pushes[cell] < bounds.FAR) == naive.can_be_pushed(floor, start, end)


# Lost levels.

LOST = {
    "a box in a corner": "#####\n#$-.#\n#-@-#\n#####",
    "a box on a line that ends at walls": "######\n#-$--#\n#-@.-#\n######",
    "a box on a line of the border": "-$-\n@-.",
    "a block of four boxes": "######\n#----#\n#-$$-#\n#-$*-#\n#-@..#\n#.---#\n######",
    "boxes at a wall": "######\n#@$$-#\n#----#\n#-..-#\n######",
    "a chain of held boxes": "#######\n#-----#\n#---$##\n#--$$-#\n#-#$--#\n#@....#\n#######",
}
HOPEFUL = {
    "a box in a corner on its goal": "#####\n#*-.#\n#-@$#\n#---#\n#####",
    "a line along a wall with a goal": "######\n#-$-.#\n#-@--#\n######",
    "a line along a wall that is open": "####-#\n#-$--#\n#-@.-#\n#----#\n######",
    "a block of four boxes on goals": "######\n#----#\n#-**-#\n#-**-#\n#-@$.#\n#----#\n######",
    "a chain of boxes of which one is free": "#######\n#-----#\n#---$##\n#--$$-#\n#--$--#\n#@....#\n#######",
    "boxes at a wall on goals": "######\n#@**-#\n#-$--#\n#--.-#\n######",
}


@pytest.mark.parametrize("drawing", LOST.values(), ids=LOST)
def test_lost_levels_are_known(drawing):
    state = state_of(drawing)
    before = state.board.copy()
    assert PUZZLE.is_lost(state, 0)
    assert np.array_equal(state.board, before)


@pytest.mark.parametrize("drawing", HOPEFUL.values(), ids=HOPEFUL)
def test_boxes_on_goals_may_stand_for_ever(drawing):
    assert not PUZZLE.is_lost(state_of(drawing), 0)


@pytest.mark.parametrize(("seed", "count"), BATCHES)
def test_what_is_lost_has_no_plan_and_every_step_keeps_the_flag(seed, count):
    rng, lost = random.Random(3000 + seed), 0
    for _ in range(count):
        state = state_of(random_board(rng))
        for _ in range(40):
            is_lost = bool(PUZZLE.is_lost(state, 0))
            assert bool(state.book[0]["lost"]) == is_lost, drawing_of(state)
            PUZZLE.step(state, 0, 0, np.int8(rng.randrange(4)))
        if state.book[0]["lost"]:
            lost += 1
            assert naive.fewest(TWIN, drawing_of(state)) is None, drawing_of(state)
    assert 0 < lost < count


# The generator.


def boards(id, count):
    episode = Episode(id, observation="picture")
    return [episode.reset(seed)[0] for seed in range(count)]


@needs_speed
@pytest.mark.parametrize("id", PUZZLE.ids)
def test_generated_levels_are_what_the_id_says(id):
    settings = PUZZLE.ids[id]
    for board in boards(id, 8):
        assert board.shape == (settings["height"], settings["width"])
        assert [(board & flag > 0).sum() for flag in (AGENT, ITEM, GOAL)] == [1, *[settings["num_boxes"]] * 2]
        assert (board[[0, -1]] & SOLID).all() and (board[:, [0, -1]] & SOLID).all()
        assert not (board & SOLID > 0)[board & (AGENT | ITEM | GOAL) > 0].any()


@needs_speed
@pytest.mark.parametrize("id", PUZZLE.ids)
def test_seeds_give_different_levels(id):
    assert len({board.tobytes() for board in boards(id, 30)}) > 28


def check_pushes(id, seeds):
    """Hold the fewest pushes of generated levels, as the naive twin finds them, against the id's window."""
    episode, settings = Episode(id), PUZZLE.ids[id]
    for seed in seeds:
        assert settings["min_pushes"] <= naive.fewest(TWIN, episode.reset(seed)) <= settings["max_pushes"]


FEW_BOXES = [id for id, settings in PUZZLE.ids.items() if settings["num_boxes"] < 4]


@needs_speed
@pytest.mark.parametrize("id", [id for id in FEW_BOXES if PUZZLE.ids[id]["num_boxes"] * PUZZLE.ids[id]["height"] < 20])
def test_the_fewest_pushes_of_generated_levels_are_in_the_window(id):
    check_pushes(id, range(5))


@pytest.mark.slow
@pytest.mark.parametrize("id", FEW_BOXES)
def test_the_fewest_pushes_of_many_generated_levels_are_in_the_window(id):
    check_pushes(id, range(5, 5 + 24 // PUZZLE.ids[id]["num_boxes"] ** 2))


@needs_speed
def test_where_too_many_pushes_are_asked_the_nearest_are_named():
    episode = Episode("Sokoban-easy-v0", min_pushes=1000, max_pushes=0)
    with pytest.raises(
        NoLevel, match=r"sokoban: no train level of 1000 or more pushes found in 10,000 tries; nearest: \d"
    ):
        episode.reset(0)


def test_oblong_levels_are_generated():
    for height, width in ((4, 12), (12, 4)):
        assert Episode(PUZZLE, height=height, width=width, observation="picture").reset(0).shape == (1, height, width)


OPTIONS = [
    (6, 6, Options(0), "a level has at least 1 box; num_boxes is 0"),
    (6, 6, Options(-3), "a level has at least 1 box; num_boxes is -3"),
    (3, 3, Options(1), "no room for 1 boxes and their goals in 3 rows and 3 columns"),
    (2, 9, Options(1), "no room for 1 boxes and their goals in 2 rows and 9 columns"),
    (1, 1, Options(1), "no room for 1 boxes and their goals in 1 rows and 1 columns"),
    (6, 6, Options(6), "no room for 6 boxes and their goals in 6 rows and 6 columns"),
    (6, 6, Options(5), ""),
    (4, 5, Options(1), ""),
    (6, 6, Options(1, 3, 2), "pushes from min_pushes=3 to max_pushes=2 (0: no bound) cannot be"),
    (6, 6, Options(1, -1, 0), "pushes from min_pushes=-1 to max_pushes=0 (0: no bound) cannot be"),
    (6, 6, Options(1, 0, -1), "pushes from min_pushes=0 to max_pushes=-1 (0: no bound) cannot be"),
    (6, 6, Options(1, 3, 3), ""),
    (6, 6, Options(1, 3, 0), ""),
    (6, 6, Options(1, 0, 3), ""),
]


@pytest.mark.parametrize(("height", "width", "options", "sentence"), OPTIONS)
def test_check_options_says_what_cannot_be(height, width, options, sentence):
    assert PUZZLE.check_options(options, height, width) == sentence


@needs_speed
@pytest.mark.parametrize(
    ("height", "width", "num_boxes"), [(4, 5, 1), (3, 7, 1), (3, 8, 1), (5, 5, 2), (6, 6, 5), (9, 4, 4)]
)
def test_a_level_is_found_in_the_smallest_room_that_is_allowed(height, width, num_boxes):
    episode = Episode(PUZZLE, height=height, width=width, num_boxes=num_boxes)
    for seed in range(20):
        assert episode.reset(seed).count("$") + episode.reset(seed).count("*") == num_boxes


# Positions.

TWO_BOXES = lines("######", "#@-$-#", "#-$--#", "#-..-#", "######")


def positions_of(drawing, capacity=10):
    """Return the state and a collection that holds its position."""
    state = state_of(drawing)
    found = positions.new_positions(capacity, drawing.count("$"), state.height * state.width)
    assert positions.insert_first(found, state, 0, state.agents[0, 0]) == 0
    return state, found


def test_a_position_holds_the_boxes_in_order_and_the_first_cell_within_reach():
    _, found = positions_of(TWO_BOXES)
    assert found.boxes[0].tolist() == [9, 14]
    assert (found.player[0], found.parent[0], found.move[0]) == (7, -1, -1)


def test_players_who_reach_the_same_cells_are_in_the_same_position():
    state, found = positions_of(TWO_BOXES)
    assert positions.insert_first(found, state, 0, 22) == positions.KNOWN
    assert found.size[0] == 1


def test_players_on_two_sides_of_a_box_are_in_two_positions():
    state, found = positions_of("#####\n#@$-#\n#-#.#\n#####")
    assert positions.insert_first(found, state, 0, 8) == 1
    assert found.player[:2].tolist() == [6, 8]


def test_a_flood_stops_at_boxes_and_walls():
    state, found = positions_of("######\n#@-$-#\n#-#--#\n#-#.-#\n######")
    assert positions.flood(found, state, 0, 7) == 7
    assert [cell for cell in range(30) if positions.is_reached(found, cell)] == [7, 8, 13, 19]


def test_a_moved_box_takes_its_place_in_the_order():
    state, found = positions_of(TWO_BOXES)
    assert positions.insert_moved(found, state, 0, 0, 9, 15, 7, 1) == 1
    assert found.boxes[1].tolist() == [14, 15]
    assert (found.parent[1], found.move[1]) == (0, 9 * 4 + 1)
    assert drawing_of(state) == TWO_BOXES


def test_boxes_that_trade_places_are_no_new_position():
    state, found = positions_of("######\n#@-$-#\n#-$--#\n#----#\n#-..-#\n######")
    assert positions.insert_moved(found, state, 0, 0, 9, 16, 7, 1) == 1
    positions.put_boxes(found, 1, state, 0)
    assert positions.insert_moved(found, state, 0, 1, 14, 9, 7, 0) == 2
    positions.put_boxes(found, 2, state, 0)
    assert positions.insert_moved(found, state, 0, 2, 16, 14, 7, 0) == positions.KNOWN


def test_a_collection_says_when_it_is_full():
    state, found = positions_of(TWO_BOXES, capacity=2)
    assert positions.insert_moved(found, state, 0, 0, 9, 15, 7, 1) == positions.FULL


def test_boxes_are_put_back():
    state, found = positions_of(TWO_BOXES)
    positions.insert_moved(found, state, 0, 0, 9, 15, 7, 1)
    positions.put_boxes(found, 1, state, 0)
    assert np.flatnonzero(state.board[0] & ITEM).tolist() == [14, 15]
    positions.put_boxes(found, 0, state, 0)
    assert drawing_of(state) == TWO_BOXES
