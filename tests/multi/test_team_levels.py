"""Levels for teams: the same for the same seed, solvable by the team, with what their options say."""

import hashlib
import json
from collections import deque
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from textworlds import PUZZLES, Episode
from textworlds.grid import AGENT, CHANGED, GOAL, ITEM, SOLID, copy_state
from textworlds.ids import all_ids, all_team_ids, find_team_id
from textworlds.multi import JointEpisodes
from textworlds.puzzles import GAVE_UP, Limits
from textworlds.testing import levels

TEAM_IDS = sorted(all_team_ids())
NETWORK = {"observation": "picture", "action": "discrete"}
GOLDEN = Path(__file__).parent.parent / "golden_team_levels.json"  # python tests/multi/test_team_levels.py rewrites it


def joint_of(puzzle, num_worlds=1, seed=0, **changed):
    joint = JointEpisodes(puzzle, num_worlds, **{**NETWORK, "turn_limit": 500, **changed})
    joint.begin(np.arange(num_worlds), seed + np.arange(num_worlds, dtype=np.uint64))
    return joint


def of_id(id, num_worlds=1, seed=0, **changed):
    puzzle, defaults = find_team_id(id)
    return joint_of(puzzle, num_worlds, seed, **{**defaults, **changed})


def play(joint, plan):
    """Play a plan, each action in a turn in which the others wait."""
    for agent, action in plan:
        turn = [[joint.num_actions - 1] * joint.num_agents]
        turn[0][agent] = action
        joint.act(turn)


def hash_levels(id):
    pictures = of_id(id, 3).episodes.worlds.pictures()
    return hashlib.sha256(pictures.tobytes()).hexdigest()[:16]


@pytest.mark.parametrize("id", TEAM_IDS)
def test_the_same_id_and_seed_give_the_same_levels(id):
    assert hash_levels(id) == json.loads(GOLDEN.read_text())[id]


def test_ids_for_teams_are_no_others_and_say_how_many_play():
    assert not all_ids().keys() & all_team_ids().keys()
    for id, (_, defaults) in all_team_ids().items():
        assert f"-{defaults['num_agents']}p-" in id
    for puzzle in PUZZLES.values():
        grades = {id.split("-")[1] for id in puzzle.ids if not id.startswith("WMAct")} - {"classic"}
        for grade in grades:
            assert all(any(f"-{grade}-{number}p-" in id for id in puzzle.team_ids) for number in (2, 4))


@pytest.mark.parametrize("id", TEAM_IDS)
def test_levels_are_levels_for_so_many_agents_and_differ(id):
    joint = of_id(id, 4)
    pictures = joint.episodes.worlds.pictures()
    for picture in pictures:
        assert joint.puzzle.check_level(picture) == ""
        assert np.count_nonzero(picture[0] & AGENT) == joint.num_agents
    assert len({picture.tobytes() for picture in pictures}) == 4
    assert (joint.book["left"] > 0).all()


SMALL = {
    "two players, two boxes": ("sokoban", {"height": 7, "width": 7, "num_agents": 2, "num_boxes": 2}),
    "a box for each": ("sokoban", {"height": 6, "width": 7, "num_agents": 2, "num_boxes": 2, "owners": 1}),
    "three owners": ("sokoban", {"height": 6, "width": 6, "num_agents": 3, "num_boxes": 3, "owners": 1}),
    "exits in a tree": ("maze", {"height": 7, "width": 7, "num_agents": 2}),
    "three exits": ("maze", {"height": 7, "width": 7, "num_agents": 3, "loops": 40}),
    "three meet": ("maze", {"height": 7, "width": 7, "num_agents": 3, "meeting": 1}),
    "two taxis": ("taxi", {"height": 4, "width": 4, "num_agents": 2, "num_passengers": 2, "num_stands": 3}),
}


@pytest.mark.parametrize(("name", "options"), SMALL.values(), ids=SMALL)
def test_small_levels_are_proven_to_be_solvable(name, options):
    for seed in range(12):
        joint = joint_of(PUZZLES[name], seed=seed, **options)
        plan = joint.solve(nodes=600_000)
        assert plan is not None
        play(joint, plan)
        assert joint.book["terminated"][0] and joint.num_asked.sum() == joint.num_changed.sum() == len(plan)


@pytest.mark.parametrize(
    "id", [id for id in TEAM_IDS if find_team_id(id)[0].solves_alone(find_team_id(id)[0].options())]
)
def test_where_one_can_the_first_agents_plan_solves_the_level(id):
    puzzle, defaults = find_team_id(id)
    options = puzzle.options(**{name: defaults[name] for name in puzzle.options._fields if name in defaults})
    joint = of_id(id, 1)
    if not puzzle.solves_alone(options):
        assert puzzle.find_plan(joint.episodes.worlds.state, 0, np.zeros(999, np.int8), Limits())[0] == GAVE_UP
        return
    plan = joint.episodes.worlds.solve(0)
    play(joint, [(0, action) for action in plan.tolist()])
    assert joint.book["terminated"][0]


def walk(board, start, end, standing):
    """Return whether one can walk from a cell to another past solid cells and those who stand."""
    seen, queue = {start}, deque([start])
    while queue:
        row, column = queue.popleft()
        for to in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
            if to not in seen and to not in standing and not board[to] & SOLID:
                seen.add(to)
                queue.append(to)
    return end in seen


@pytest.mark.parametrize("id", [id for id in TEAM_IDS if "Maze" in id and "meeting" not in id])
def test_players_of_mazes_can_get_to_their_exits_one_after_another(id):
    for picture in of_id(id, 5).episodes.worlds.pictures():
        starts = [tuple(cell) for cell in np.argwhere(picture[0] & AGENT).tolist()]
        ends = [tuple(np.argwhere(plane & GOAL)[0].tolist()) for plane in picture[1:]]

        def arrives(order, board=picture[0], starts=starts, ends=ends):
            standing = list(starts)
            for player in order:
                if not walk(board, starts[player], ends[player], {*standing} - {starts[player]}):
                    return False
                standing[player] = ends[player]
            return True

        assert any(arrives(order) for order in permutations(range(len(starts))))


@pytest.mark.parametrize("id", [id for id in TEAM_IDS if "Maze" in id])
def test_the_window_holds_for_each_players_way(id):
    _, defaults = find_team_id(id)
    for picture in of_id(id, 5).episodes.worlds.pictures():
        board = picture[0]
        starts = np.argwhere(board & AGENT).tolist()
        pairs = [(start, np.argwhere(plane & GOAL)[0].tolist()) for start, plane in zip(starts, picture[1:])]
        for start, end in pairs:
            drawing = np.where(board & SOLID, "#", "-")
            drawing[tuple(start)], drawing[tuple(end)] = "@", "."
            episode = Episode("Maze-easy-v0", action="discrete")
            episode.reset(level="\n".join("".join(row) for row in drawing))
            assert defaults["min_moves"] <= len(episode.solve()) <= defaults["max_moves"]


@pytest.mark.parametrize("id", [id for id in TEAM_IDS if find_team_id(id)[1].get("owners")])
def test_every_box_has_an_owner_and_every_player_a_box(id):
    for picture in of_id(id, 5).episodes.worlds.pictures():
        assert ((picture[1:] == ITEM).sum(0) == (picture[0] & ITEM > 0)).all()
        assert (picture[1:].any((1, 2))).all()
        assert not (picture[0] & (ITEM | GOAL) == ITEM | GOAL).any()


@pytest.mark.parametrize("name", PUZZLES)
def test_for_one_agent_the_joint_solver_finds_plans_as_short_as_the_puzzles_own(name):
    puzzle, most = PUZZLES[name], {"sokoban": 42, "maze": 81, "taxi": 16}[name]

    @settings(max_examples=25)
    @given(levels(puzzle, most))
    def check(level):
        joint = JointEpisodes(puzzle, 1, height=level.shape[1], width=level.shape[2], levels=[level], **NETWORK)
        joint.begin(np.zeros(1, np.int64), np.zeros(1, np.uint64))
        best = joint.episodes.worlds.solve(0, puzzle.limits(puzzle.costs[-1]))
        assert len(joint.solve(nodes=100_000)) == len(best)

    check()


def naive_fewest(puzzle, state):
    """Return the fewest actions of all agents that solve world 0, or None: breadth-first, with a set of boards."""
    queue, seen = deque([(copy_state(state), 0)]), set()
    while queue:
        here, cost = queue.popleft()
        if puzzle.goals_left(here, 0) == 0:
            return cost
        for agent in range(here.agents.shape[1]):
            for action in range(len(puzzle.words.vocabulary.names)):
                there = copy_state(here)
                is_changed = puzzle.step(there, 0, agent, np.int8(action)) == CHANGED
                key = there.board.tobytes() + there.agents.tobytes()
                if is_changed and key not in seen:
                    seen.add(key)
                    queue.append((there, cost + 1))
    return None


CORRIDORS = {
    "they must swap and cannot": ("maze", "#@@#", [(1, 2), (1, 1)], None),
    "they have to go around": ("maze", "#@@-#\n#---#", [(1, 2), (1, 1)], 4),
    "one has to make room": ("maze", "#-@@-#\n###-##", [(1, 4), (1, 1)], 6),
}


@pytest.mark.parametrize(("name", "drawing", "exits", "fewest"), CORRIDORS.values(), ids=CORRIDORS)
def test_the_joint_solver_proves_what_a_naive_search_finds(name, drawing, exits, fewest):
    rows = drawing.split("\n")
    rows = ["#" * len(rows[0]), *rows, "#" * len(rows[0])]
    board = np.array([[{"#": SOLID, "@": AGENT, "-": 0}[cell] for cell in row] for row in rows], np.uint8)
    picture = np.stack([board, *np.zeros((len(exits), *board.shape), np.uint8)])
    for plane, place in zip(picture[1:], exits, strict=True):
        plane[place] = GOAL
        picture[0][place] |= GOAL
    joint = JointEpisodes(PUZZLES[name], 1, height=9, width=9, num_agents=2, action="discrete")
    joint.place(np.zeros(1, np.int64), picture)
    plan = joint.solve()
    assert (None if plan is None else len(plan)) == naive_fewest(joint.puzzle, joint.episodes.worlds.state)
    assert (None if plan is None else len(plan)) == fewest


def test_the_joint_solver_gives_up_in_a_sentence():
    with pytest.raises(RuntimeError, match="sokoban: not settled within 10 positions of all agents"):
        of_id("Sokoban-easy-2p-v0").solve(nodes=10)


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("sokoban", {"num_agents": 0}, "num_agents is 1 to 8; it is 0"),
        ("sokoban", {"owners": 1}, "owners takes several players and a box for each; here are 1 and 1"),
        ("sokoban", {"owners": 1, "num_agents": 3, "num_boxes": 2}, "here are 3 and 2"),
        ("sokoban", {"owners": 2, "num_agents": 2}, "owners is 0 or 1; it is 2"),
        ("sokoban", {"owners": 1, "num_agents": 2, "num_boxes": 2, "min_pushes": 4}, "have no owners"),
        ("sokoban", {"num_agents": 8, "num_boxes": 5}, "no room for 8 players and 5 boxes"),
        ("maze", {"meeting": 3}, "meeting is 0 or 1; it is 3"),
        ("taxi", {"num_agents": 8, "num_stands": 20, "height": 5, "width": 5}, "no room for 8 taxis and 20 stands"),
        ("taxi", {"num_agents": 9}, "num_agents is 1 to 8; it is 9"),
    ],
)
def test_options_that_cannot_be_met_are_refused_in_a_sentence(name, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        joint_of(PUZZLES[name], **{"height": 7, "width": 7, **options})


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("sokoban", lambda picture: picture[1:].fill(0), "each box has one owner"),
        ("sokoban", lambda picture: picture[1].fill(SOLID), "each box has one owner"),
        ("maze", lambda picture: picture[1:].fill(0), "each exit has one owner"),
        ("maze", lambda picture: picture[1:].sort(0), "each player has one exit"),
    ],
)
def test_planes_of_owners_that_are_none_are_refused(name, change, sentence):
    id = {"sokoban": "Sokoban-hard-2p-v0", "maze": "Maze-easy-2p-v0"}[name]
    joint = of_id(id)
    picture = joint.episodes.worlds.pictures()[0].copy()
    joint.place(np.zeros(1, np.int64), picture)  # is one before the change
    change(picture)
    with pytest.raises(ValueError, match=sentence):
        joint.place(np.zeros(1, np.int64), picture)


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps({id: hash_levels(id) for id in TEAM_IDS}, indent=1) + "\n")
