"""What agents of a team read: themselves, the others by name, whose is what; nothing is lost, whatever the format."""

import json

import numpy as np
import pytest

from textworlds import PUZZLES
from textworlds.grid import GOAL, ITEM
from textworlds.ids import all_team_ids, find_team_id
from textworlds.multi import JointEpisodes
from textworlds.text.formats import FORMATS, read

TEAM_IDS = [id for id in sorted(all_team_ids()) if "easy" in id or "hard-2p" in id or "meeting-2p" in id]
RIGHT, PICKUP = 3, 4


def placed(name, level, num_agents=2, **changed):
    joint = JointEpisodes(PUZZLES[name], 1, **{"height": 9, "width": 9, "num_agents": num_agents, **changed})
    joint.place(np.zeros(1, np.int64), level)
    return joint


def owned(name, drawing, flag, *places):
    board = read(drawing, "dense", PUZZLES[name].words)[0]
    picture = np.stack([board, *np.zeros((len(places), *board.shape), np.uint8)])
    for plane, cells in zip(picture[1:], places, strict=True):
        for cell in cells:
            plane[cell] = flag
    return picture


def test_a_map_shows_the_reader_and_names_the_others_in_lower_case_on_goals():
    joint = placed("sokoban", "#######\n#+$-@-#\n#@$-.-#\n#######", 3)
    assert joint.observe()[0] == [
        "#######\n#+$-B-#\n#C$-.-#\n#######\nyou are A",
        "#######\n#a$-@-#\n#C$-.-#\n#######\nyou are B",
        "#######\n#a$-B-#\n#@$-.-#\n#######\nyou are C",
    ]


def test_boxes_of_others_have_glyphs_of_their_own():
    picture = owned("sokoban", "#########\n#@$.*.$@#\n#########", ITEM, [(1, 2)], [(1, 4), (1, 6)])
    assert placed("sokoban", picture).observe()[0] == [
        "#########\n#@$.&.%B#\n#########\nyou are A\nyour box: (1, 2)\nB's boxes: (1, 4) (1, 6)",
        "#########\n#A%.*.$@#\n#########\nyou are B\nA's box: (1, 2)\nyour boxes: (1, 4) (1, 6)",
    ]


def test_exits_of_others_have_a_glyph_of_their_own():
    picture = owned("maze", "#######\n#@.-.@#\n#######", GOAL, [(1, 4)], [(1, 2)])
    assert placed("maze", picture, observation="spaced").observe()[0][1] == (
        "# # # # # # #\n# A . - , @ #\n# # # # # # #\nyou are B\nA's exit: (1, 4)\nyour exit: (1, 2)"
    )


def test_taxis_have_numbers_and_stands_keep_their_letters():
    street = "+-+-+-+-+\n|r . G @|\n+-+-+-+-+\npassenger 1: R to G\npassenger 2: G to R"
    joint = placed("taxi", street, action="plain")
    joint.act([["pickup", "wait"]])
    assert joint.observe()[0] == [
        "+-+-+-+-+\n|r . G 2|\n+-+-+-+-+\npassenger 1: @ to G\npassenger 2: G to R\nyou are 1",
        "+-+-+-+-+\n|r . G @|\n+-+-+-+-+\npassenger 1: 1 to G\npassenger 2: G to R\nyou are 2\ntaxi 1 is at R",
    ]


def test_facts_tell_who_is_where():
    street = "+-+-+-+-+\n|r . G @|\n+-+-+-+-+\npassenger 1: R to G\npassenger 2: G to R"
    told = {}
    for format in ("coordinates", "json", "prose"):
        joint = placed("taxi", street, observation=format, action="plain")
        joint.act([["pickup", "wait"]])
        told[format] = joint.observe()[0][1]
    assert json.loads(told["json"]) == {
        "rows": 1,
        "columns": 4,
        "stands": {"R": [0, 0], "G": [0, 2]},
        "passenger 1": {"at": [0, 0], "to": [0, 2]},
        "passenger 2": {"at": [0, 2], "to": [0, 0]},
        "you are": "2",
        "you at": [[0, 3]],
        "1 at": [[0, 0]],
        "passenger 1 rides with": "1",
    }
    assert told["coordinates"].endswith("you are: 2\nyou at: (0, 3)\n1 at: (0, 0)\npassenger 1 rides with: 1")
    assert "You are the taxi" not in told["prose"] and told["prose"].endswith("passenger 1 rides with: 1")


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("id", TEAM_IDS)
def test_no_two_states_have_one_text(id, format):
    puzzle, defaults = find_team_id(id)
    joint = JointEpisodes(puzzle, 8, **{**defaults, "observation": format, "action": "discrete"})
    joint.begin(np.arange(8), np.zeros(8, np.uint64))  # one level, eight games
    rng, seen = np.random.default_rng(0), {}
    for _ in range(30):
        joint.act(rng.integers(joint.num_actions, size=(8, joint.num_agents)))
        state = joint.episodes.worlds.state
        for world, texts in enumerate(joint.observe()):
            now = state.board[world].tobytes() + state.agents[world].tobytes()
            for agent, text in enumerate(texts):
                assert seen.setdefault((agent, text), now) == now
                assert text.isascii() and len(text) <= joint.max_length
    assert len(seen) > 30


def test_the_first_observation_tells_of_the_others_and_how_to_answer():
    puzzle, defaults = find_team_id("Sokoban-hard-2p-v0")
    joint = JointEpisodes(puzzle, 1, legend=True, talk=80, order="rotating", **defaults)
    joint.begin(np.zeros(1, np.int64), np.zeros(1, np.uint64))
    first = joint.observe()[0][1]
    for part in (
        "This is Sokoban.",
        "up, down, left, right, wait",
        "You are B, one of 2 players: A, B.",
        "each turn another one first",
        "those of others as % and &",
        "<say>...</say>, at most 80 characters",
    ):
        assert part in first


def test_who_waits_is_told_nothing_of_it():
    joint = placed("maze", "#######\n#@--@.#\n#######", action="plain", feedback=True)
    turn = joint.act([["wait", "left"]])
    assert joint.observe(turn)[0] == [
        "#######\n#@-B-.#\n#######\nyou are A",
        "1: left - done\n\n#######\n#A-@-.#\n#######\nyou are B",
    ]


def test_each_reads_what_became_of_its_own_actions():
    joint = placed("maze", "#######\n#@--@.#\n#######", action="plain", feedback=True)
    turn = joint.act([["right, left, left", "hello"]])
    assert joint.observe(turn)[0] == [
        "1: right - done\n2: left - done\n3: left - a wall is in the way\n\n#######\n#@--B.#\n#######\nyou are A",
        "Not read: 'hello' is not an action; the actions are up, down, left, right, wait\n\n#######\n#A--@.#\n#######\nyou are B",
    ]
