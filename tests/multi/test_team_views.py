"""What agents of a team see: each with its own eyes and memory, others no further than they are seen, nothing else."""

import json

import naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared import NUMBERS, VIEWS, corridor, every_fog, every_puzzle, every_view, joint_of

from textworlds import PUZZLES, Episode
from textworlds.grid import AGENT, CHANGED, GOAL, SOLID, UNKNOWN, WALLS, copy_state
from textworlds.ids import all_team_ids
from textworlds.multi import JointEpisodes
from textworlds.multi.sights import LAST_SEEN
from textworlds.testing import actions, levels
from textworlds.text.formats import FORMATS

KINDS = ("Sokoban-easy-2p", "Sokoban-hard-2p", "Maze-easy-4p", "Maze-meeting-2p", "Taxi-easy-2p")
IDS = [id for id in sorted(all_team_ids()) if any(kind in id for kind in KINDS)]
WORLD = 0

every_id = pytest.mark.parametrize("id", IDS)


def placed(puzzle, drawing, num_agents=2, **changed):
    joint = JointEpisodes(
        PUZZLES[puzzle], 1, **{"height": 9, "width": 9, "num_agents": num_agents, "action": "plain", **changed}
    )
    joint.place(np.zeros(1, np.int64), drawing)
    return joint


def has_owners(joint):
    return len(joint.episodes.worlds.pictures()[WORLD]) > 1 and not joint.words.passenger


def watch(onlooker, puzzle_state, owners):
    picture = puzzle_state.board[WORLD].reshape(-1, puzzle_state.height, puzzle_state.width)
    cells = [divmod(int(cell), puzzle_state.width) for cell in puzzle_state.agents[WORLD]]
    return onlooker.look_with(picture, cells, owners)


# Against the single environment, and against a naive onlooker.


@every_view
@every_puzzle
@pytest.mark.parametrize("observation", ["picture", "dense", "json"])
def test_one_agent_sees_what_it_sees_alone(puzzle, view, observation):
    @settings(max_examples=10)
    @given(levels(puzzle), actions(puzzle))
    def check(level, moves):
        size = {"height": level.shape[1], "width": level.shape[2], "levels": [level], "turn_limit": 10_000}
        chosen = {**size, **view, "observation": observation, "action": "discrete"}
        alone, joint = Episode(puzzle, **chosen), JointEpisodes(puzzle, 1, **chosen)
        seen = alone.reset(seed=0)
        joint.begin(np.zeros(1, np.int64), np.zeros(1, np.uint64))
        for move in [None, *moves]:
            if move is not None:
                if joint.over()[WORLD]:
                    break
                seen, turn = alone.act(move).text, joint.act([[move]])
            if observation == "picture":
                own = joint.pictures()[WORLD, 0]
                np.testing.assert_array_equal(own[:-1], seen)
                assert np.argwhere(own[-1]).tolist() == np.argwhere(own[0] & UNKNOWN == AGENT).tolist()
            else:
                assert joint.observe(turn if move is not None else None)[WORLD] == [seen]

    check()


@every_view
@every_id
def test_each_agent_sees_what_its_naive_onlooker_sees(id, view):
    """Onlookers look after each change of their own, and when the turn is over."""

    @settings(max_examples=8)
    @given(st.integers(0, 50), st.data())
    def check(seed, data):
        joint = joint_of(id, seed=seed, observation="picture", action="plain", **view)
        owners, names = has_owners(joint), [names[0] for names in joint.words.vocabulary.names]
        twins = [
            naive.TeamOnlooker(
                view.get("view") or 0, view.get("sight", False), view.get("fog", False), agent, LAST_SEEN
            )
            for agent in range(joint.num_agents)
        ]
        state = copy_state(joint.episodes.worlds.state)
        for number in range(5):
            if number:
                rows = st.lists(st.integers(0, len(names) - 1), min_size=1, max_size=4)
                turn = data.draw(st.lists(rows, min_size=joint.num_agents, max_size=joint.num_agents))
                joint.act([[", ".join(names[action] for action in row) for row in turn]])
                for agent, row in enumerate(turn):
                    for action in row:
                        if not joint.puzzle.goals_left(state, 0):
                            continue
                        if joint.puzzle.step(state, 0, agent, np.int8(action)) == CHANGED:
                            watch(twins[agent], state, owners)
            seen = joint.pictures()[WORLD]
            for agent, twin in enumerate(twins):
                np.testing.assert_array_equal(seen[agent], watch(twin, state, owners))
            if joint.over()[WORLD]:
                break

    check()


# Nothing leaks.


def swap(state, one, other):
    """Exchange all that lies in two cells."""
    planes = state.board[WORLD].reshape(-1, state.height * state.width)
    here, there = planes[:, one] & (255 - WALLS), planes[:, other] & (255 - WALLS)
    planes[:, one], planes[:, other] = planes[:, one] & WALLS | there, planes[:, other] & WALLS | here
    cells = state.agents[WORLD]
    at_one, at_other = cells == one, cells == other
    cells[at_one], cells[at_other] = other, one


def seen_by(joint, agent):
    """Return which cells of the board an agent sees, bool[H * W], as the naive twin of sight does."""
    state, view = joint.episodes.worlds.state, joint.episodes.worlds.view
    board = state.board[WORLD].reshape(-1, state.height, state.width)[0]
    here = divmod(int(state.agents[WORLD, agent]), state.width)
    found = naive.seen_cells(board, here, view.size // 2 if view.size else max(board.shape), view.sight)
    mask = np.zeros(board.shape, bool)
    for row, column in found:
        if 0 <= row < state.height and 0 <= column < state.width:
            mask[row, column] = True
    return mask.ravel()


@every_view
@every_id
def test_worlds_that_differ_in_unseen_cells_only_look_and_read_the_same(id, view):
    @settings(max_examples=8, deadline=None)
    @given(st.integers(0, 50), st.sampled_from(FORMATS), st.data())
    def check(seed, format, data):
        joint = joint_of(id, seed=seed, observation=format, action="discrete", **view)
        joint.act([[joint.num_actions - 1] * joint.num_agents])
        agent = data.draw(st.integers(0, joint.num_agents - 1))
        state = joint.episodes.worlds.state
        board = state.board[WORLD, : state.height * state.width]
        hidden = np.flatnonzero(~seen_by(joint, agent) & (board & SOLID == 0)).tolist()
        if len(hidden) < 2:
            return
        before = joint.pictures()[WORLD, agent], joint.observe()[WORLD][agent]
        for one, other in data.draw(st.lists(st.tuples(*[st.sampled_from(hidden)] * 2), min_size=1, max_size=6)):
            if one != other:
                swap(state, one, other)
        joint.episodes.worlds.eyes.open(state, np.zeros(1, np.int64))
        np.testing.assert_array_equal(joint.pictures()[WORLD, agent], before[0])
        assert joint.observe()[WORLD][agent] == before[1]

    check()


@every_id
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("view", [VIEWS["window"], VIEWS["all"]], ids=["window", "all"])
def test_no_two_views_have_one_text(id, format, view):
    joint = joint_of(id, 6, observation=format, action="discrete", **view)
    rng, told = np.random.default_rng(0), {}
    for _ in range(25):
        joint.act(rng.integers(joint.num_actions, size=(6, joint.num_agents)))
        for pictures, texts in zip(joint.pictures(), joint.observe(), strict=True):
            for agent, (picture, text) in enumerate(zip(pictures, texts, strict=True)):
                assert told.setdefault((agent, text), picture.tobytes()) == picture.tobytes()
                assert text.isascii() and len(text) <= joint.max_length
    assert len(told) > 20


# Fog, and others in it.


def test_others_are_shown_where_they_were_seen_last_and_that_is_said():
    joint = placed("maze", corridor("-@-@----"), view=5, fog=True)
    assert joint.observe()[0][0] == "#####?????\n#-@-B?????\n#####?????\n#.###?????\n??????????\nyou are A"
    joint.act([["left", "right, right"]])
    assert joint.observe()[0][0] == (
        "#####?????\n#@--B?????\n#####?????\n#.###?????\n??????????\nyou are A\nout of view, shown where last seen: B"
    )
    assert np.argwhere(joint.pictures()[0, 0, -1] == LAST_SEEN).tolist() == [[1, 4]]


def test_who_left_a_cell_that_is_seen_is_known_nowhere():
    joint = placed("maze", corridor("-@-@----"), view=5, fog=True)
    joint.act([["left", "right, right"]])
    joint.act([["right", "wait"]])
    assert joint.observe()[0][0] == "#####?????\n#-@--?????\n#####?????\n#.###?????\n??????????\nyou are A"
    assert not joint.pictures()[0, 0, -1].any()


def test_who_is_seen_elsewhere_is_no_longer_shown_where_it_was():
    joint = placed("maze", "#########\n#-@-@---#\n#-#####-#\n#-------#\n#########\n#.#######", view=5, fog=True)
    joint.act([["left, down, down", "right, right, right, down, down, left, left, left, left"]])
    top, _, bottom = joint.observe()[0][0].split("\n")[1:4]
    assert "B" not in top and "B" in bottom


def test_an_agent_remembers_what_it_passed_within_one_message():
    joint = placed("maze", corridor("@----@--"), view=3, fog=True)
    joint.act([["right, right, left, left", "wait"]])
    assert "#@---?" in joint.observe()[0][0] and "?-@-?" not in joint.observe()[0][0]


def test_what_a_later_agent_did_is_seen_at_the_end_of_the_turn():
    joint = placed("maze", corridor("@--@----"), view=5, fog=True)
    joint.act([["wait", "left"]])
    assert joint.observe()[0][0].split("\n")[1] == "#@-B??????"


def test_facts_say_what_is_not_known_of_others():
    for format in ("json", "coordinates", "prose"):
        joint = placed("maze", corridor("-@-@----"), view=5, fog=True, observation=format)
        joint.act([["left", "right, right"]])
        text = joint.observe()[0][0]
        if format == "json":
            assert json.loads(text)["B last seen at"] == [[1, 4]]
        else:
            assert text.endswith("you at: (1, 1)\nB last seen at: (1, 4)")
        joint = placed("maze", corridor("@----@--"), view=3, observation=format)
        assert "out of sight" in joint.observe()[0][0]


def test_a_passenger_who_rides_with_another_is_told_as_far_as_seen():
    street = "+-+-+-+-+-+-+\n|@ r . . . G|\n+-+-+-+-+-+-+\npassenger 1: R to G"
    joint = placed("taxi", street, view=3, fog=True)
    joint.act([["wait", "pickup"]])
    assert joint.observe()[0][0].endswith("passenger 1: 2 to ?\nyou are 1\ntaxi 2 is at R")
    joint.act([["wait", "east"]])
    assert "passenger 1: ? to ?" in joint.observe()[0][0] and "2" not in joint.observe()[0][0].split("\npassenger")[0]
    assert joint.observe()[0][1].split("\n")[3] == "passenger 1: @ to ?"


def test_own_boxes_are_told_as_far_as_seen():
    joint = joint_of("Sokoban-hard-2p-v0", seed=1, view=3)
    for agent, text in enumerate(joint.observe()[0]):
        own = joint.pictures()[0, agent]
        assert ("your box" in text) == bool(own[1].any()) and ("'s box" in text) == bool(own[2].any())


@every_fog
@every_id
def test_a_state_holds_what_each_saw_and_a_new_episode_forgets_it(id, view):
    joint = joint_of(id, 3, **NUMBERS, **view)
    rng = np.random.default_rng(0)
    rows = rng.integers(joint.num_actions, size=(12, 3, joint.num_agents))
    first = joint.pictures()
    for row in rows[:6]:
        joint.act(row)
    state, middle = joint.get_state(), joint.pictures()
    later = [joint.act(row) and joint.pictures() for row in rows[6:]]
    asked = joint.num_asked.copy()
    joint.set_state(state)
    np.testing.assert_array_equal(joint.pictures(), middle)
    np.testing.assert_array_equal([joint.act(row) and joint.pictures() for row in rows[6:]], later)
    np.testing.assert_array_equal(joint.num_asked, asked)
    joint.begin(np.arange(3), np.arange(3, dtype=np.uint64))
    np.testing.assert_array_equal(joint.pictures(), first)


@every_view
@every_id
def test_a_batch_sees_what_single_worlds_see(id, view):
    batch = joint_of(id, 3, seed=4, order="rotating", action="discrete", **view)
    singles = [joint_of(id, seed=4 + world, order="rotating", action="discrete", **view) for world in range(3)]
    rng = np.random.default_rng(1)
    for _ in range(8):
        row = rng.integers(batch.num_actions, size=(3, batch.num_agents))
        turn = batch.act(row)
        own = [single.act(row[world : world + 1]) for world, single in enumerate(singles)]
        assert batch.observe(turn) == [single.observe(one)[0] for single, one in zip(singles, own, strict=True)]
        np.testing.assert_array_equal(batch.pictures(), [single.pictures()[0] for single in singles])


def test_masks_and_ledgers_are_those_of_the_world():
    plain, partial = (joint_of("Maze-easy-4p-v0", **NUMBERS, **view) for view in ({}, VIEWS["all"]))
    rng = np.random.default_rng(0)
    for _ in range(10):
        row = rng.integers(plain.num_actions, size=(1, 4))
        np.testing.assert_array_equal(plain.act(row).ledger, partial.act(row).ledger)
        np.testing.assert_array_equal(plain.action_masks(), partial.action_masks())


def test_the_first_observation_says_what_is_seen():
    joint = joint_of("Maze-easy-2p-v0", legend=True, **VIEWS["all"])
    for text in joint.observe()[0]:
        assert "You see a window of 5 by 5 cells, with you in the middle, except what walls hide." in text


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({"view": 4}, "view is an odd number"),
        ({"fog": True}, "fog remembers what was out of view later"),
        ({"sight": 1}, "sight must be a bool"),
    ],
)
def test_views_that_make_no_sense_are_refused_as_for_one(chosen, sentence):
    with pytest.raises(ValueError, match=sentence):
        joint_of("Maze-easy-2p-v0", **chosen)


def test_exits_are_seen_where_they_are_in_view_only():
    joint = joint_of("Maze-easy-2p-v0", view=3, **NUMBERS)
    state = joint.episodes.worlds.state
    for agent in range(2):
        own = joint.pictures()[0, agent]
        row, column = divmod(int(state.agents[0, agent]), state.width)
        truth = state.board[0].reshape(-1, state.height, state.width)[
            1 + agent, row - 1 : row + 2, column - 1 : column + 2
        ]
        np.testing.assert_array_equal(own[1] & GOAL, truth & GOAL)
