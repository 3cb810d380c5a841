"""Sokoban: drawn cases of the rules, and what generator, solver and positions promise."""

import naive
import numpy as np
import pytest

from textworlds import Episode
from textworlds.grid import AGENT, AGENT_IN_WAY, CHANGED, GOAL, ITEM, SOLID, WALL_IN_WAY, new_state, settle
from textworlds.kernel import compiles
from textworlds.puzzles import GAVE_UP, NO_SOLUTION
from textworlds.puzzles.sokoban import PUZZLE, Options, positions
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
    return state


def drawing_of(state):
    return write(state.board[0].reshape(1, state.height, state.width), "dense", PUZZLE.words)


def play(drawing, message):
    episode = Episode("Sokoban-easy-v0", action="plain")
    episode.reset(level=drawing)
    return episode.act(message)


def solve(drawing, room=4096):
    state = state_of(drawing)
    plan = np.full(room, -1, np.int8)
    length = PUZZLE.find_plan(state, 0, plan)[0]
    return plan[:length].tolist() if length >= 0 else length


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
        ("#####\n#-$.#\n#####", "a level has exactly one player; this one has 0"),
        ("#####\n#@@.#\n#####", "a level has exactly one player; this one has 2"),
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


@needs_speed
@pytest.mark.parametrize("id", [id for id, settings in PUZZLE.ids.items() if settings["num_boxes"] < 4])
def test_generated_levels_take_as_many_pushes_as_asked(id):
    episode = Episode(id)
    drawings = [episode.reset(seed) for seed in range(20)]
    pushes = [naive.cost(TWIN, drawing, solve(drawing)) for drawing in drawings]
    assert sum(number >= PUZZLE.ids[id]["min_pushes"] for number in pushes) >= 19


@needs_speed
def test_where_too_many_pushes_are_asked_the_best_room_is_taken():
    episode = Episode("Sokoban-easy-v0", min_pushes=1000)
    pushes = [naive.cost(TWIN, drawing, solve(drawing)) for drawing in map(episode.reset, range(5))]
    assert min(pushes) >= 3 and max(pushes) >= 4  # of at most 11 cells


def test_oblong_levels_are_generated():
    for height, width in ((4, 12), (12, 4)):
        assert Episode(PUZZLE, height=height, width=width, observation="picture").reset(0).shape == (1, height, width)


OPTIONS = {
    (6, 6, 0): "a level has at least 1 box; num_boxes is 0",
    (6, 6, -3): "a level has at least 1 box; num_boxes is -3",
    (3, 3, 1): "no room for 1 boxes and their goals in 3 rows and 3 columns",
    (2, 9, 1): "no room for 1 boxes and their goals in 2 rows and 9 columns",
    (1, 1, 1): "no room for 1 boxes and their goals in 1 rows and 1 columns",
    (6, 6, 6): "no room for 6 boxes and their goals in 6 rows and 6 columns",
    (6, 6, 5): "",
    (4, 5, 1): "",
}


@pytest.mark.parametrize(("asked", "sentence"), OPTIONS.items())
def test_check_options_says_what_cannot_be(asked, sentence):
    height, width, num_boxes = asked
    assert PUZZLE.check_options(Options(num_boxes=num_boxes), height, width) == sentence


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
