"""Joint turns: one agent plays as alone, turns go in order, whoever is in the way blocks, accounts are each agent's own."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared import NUMBERS, corridor, joint_of

from textworlds import PUZZLES, Episode, Episodes, find_id
from textworlds.grid import (
    AGENT,
    AGENT_IN_WAY,
    CHANGED,
    GOAL,
    ITEM,
    NOT_ASKED,
    SOLID,
    SOLVED_ALREADY,
    WALL_IN_WAY,
    copy_state,
)
from textworlds.ids import all_team_ids, find_team_id
from textworlds.multi import JointEpisodes
from textworlds.puzzles.maze.rules import goals_left as groups_left
from textworlds.puzzles.sokoban.rules import AGENT_BEHIND_BOX, NOT_YOUR_BOX
from textworlds.puzzles.taxi.rules import DROPOFF, EAST, NO_PASSENGER, PICKUP, WEST
from textworlds.testing import WORLD
from textworlds.text.formats import read

UP, DOWN, LEFT, RIGHT = range(4)
TEAM_IDS = sorted(all_team_ids())
SMALL_IDS = [id for id in TEAM_IDS if "easy" in id or "meeting" in id or "Sokoban-hard" in id]


def placed(puzzle, drawing, num_agents=2, **changed):
    """Return one world that plays a drawing, or a picture."""
    level = (
        drawing if isinstance(drawing, np.ndarray) else "\n".join(line.strip() for line in drawing.split("\n")).strip()
    )
    size = {"height": 9, "width": 9, "num_agents": num_agents, "action": "discrete"}
    joint = JointEpisodes(PUZZLES[puzzle], 1, **{**size, **changed})
    joint.place(np.zeros(1, np.int64), level)
    return joint


def reasons(joint, *actions):
    return joint.act([list(actions)]).ledger["reason"][0, :, 0].tolist()


def board_of(joint):
    return joint.episodes.translator.write(joint.episodes.worlds.state.board)[0]


def drawn(text):
    return "\n".join(line.strip() for line in text.strip().split("\n"))


@pytest.mark.parametrize("id", ["Sokoban-medium-v0", "Maze-easy-v0", "Taxi-easy-v0", "Taxi-classic-v0"])
@pytest.mark.parametrize("order", ["fixed", "rotating"])
def test_one_agent_plays_as_alone(id, order):
    puzzle, defaults = find_id(id)
    defaults = {**defaults, "turn_limit": 12, "action_mask": False}
    rng = np.random.default_rng(1)
    for seed in range(6):
        alone, joint = Episode(puzzle, **defaults), JointEpisodes(puzzle, 1, order=order, **defaults)
        text = alone.reset(seed)
        joint.begin(np.zeros(1, np.int64), np.array([seed], np.uint64))
        assert joint.observe() == [[text]]
        over = False
        while not over:
            actions = rng.integers(len(puzzle.words.vocabulary.names), size=rng.integers(4)).tolist()
            message = f"<action>{','.join(puzzle.words.vocabulary.names[action][0] for action in actions)}</action>"
            result, turn = alone.act(message), joint.act([[message]])
            assert joint.observe(turn) == [[result.text]]
            assert turn.ledger["reason"][0, 0, : len(actions)].tolist() == result.ledger["reason"]
            assert turn.rewards[0, 0] == result.reward
            assert joint.book == alone.episodes.worlds.book
            assert joint.num_changed[0, 0] == result.ledger["num_changed"]
            assert joint.num_novel[0, 0] == result.ledger["num_novel"]
            over = result.terminated or result.truncated
            assert joint.over()[0] == over


@pytest.mark.parametrize("puzzle", PUZZLES.values(), ids=PUZZLES)
def test_one_agent_gets_the_levels_of_the_single_environment(puzzle):
    for id in puzzle.ids:
        worlds, seeds = np.arange(3), np.arange(3, dtype=np.uint64)
        joint = joint_of(id, 3, num_agents=1, action_mask=False)
        alone = Episodes(puzzle, 3, **{**puzzle.ids[id], "observation": "picture"})
        alone.begin(worlds, seeds)
        np.testing.assert_array_equal(joint.episodes.worlds.pictures(), alone.observe())


def test_the_earlier_agent_has_the_right_of_way():
    joint = placed("maze", corridor("@-@--"))
    assert reasons(joint, RIGHT, LEFT) == [CHANGED, AGENT_IN_WAY]
    assert board_of(joint) == corridor("-@@--")


def test_a_later_agent_meets_the_world_as_the_earlier_left_it():
    joint = placed("maze", corridor("@@---"))
    assert reasons(joint, RIGHT, RIGHT) == [AGENT_IN_WAY, CHANGED]
    assert reasons(joint, RIGHT, RIGHT) == [CHANGED, CHANGED]
    assert board_of(joint) == corridor("-@-@-")


def test_nobody_swaps_places():
    joint = placed("maze", corridor("-@@--"))
    assert reasons(joint, RIGHT, LEFT) == [AGENT_IN_WAY, AGENT_IN_WAY]


def test_the_order_rotates():
    joint = placed("maze", corridor("@-@--"), order="rotating")
    assert reasons(joint, UP, UP) == [WALL_IN_WAY, WALL_IN_WAY]
    assert reasons(joint, RIGHT, LEFT) == [AGENT_IN_WAY, CHANGED]
    assert board_of(joint) == corridor("@@---")


def test_in_a_batch_each_world_rotates_by_its_own_turns():
    size = {"height": 5, "width": 7, "num_agents": 2, "order": "rotating"}
    twice = JointEpisodes(PUZZLES["maze"], 2, levels=[corridor("@-@--")], **size, **NUMBERS)
    twice.begin(np.arange(2), np.arange(2, dtype=np.uint64))
    twice.act([[UP, UP], [UP, UP]])
    twice.begin(np.array([1]))
    assert twice.act([[RIGHT, LEFT]] * 2).ledger["reason"][:, :, 0].tolist() == [
        [AGENT_IN_WAY, CHANGED],
        [CHANGED, AGENT_IN_WAY],
    ]


def test_players_block_each_others_boxes():
    joint = placed("sokoban", "#######\n#@$@-.#\n#######")
    assert reasons(joint, RIGHT, LEFT) == [AGENT_BEHIND_BOX, AGENT_BEHIND_BOX]
    assert reasons(joint, RIGHT, RIGHT) == [AGENT_BEHIND_BOX, CHANGED]
    assert reasons(joint, RIGHT, UP) == [CHANGED, WALL_IN_WAY]
    assert board_of(joint) == drawn("#######\n#-@$@.#\n#######")


def boxes_with_owners(drawing, *owned):
    """Return the picture of a drawing in which each player owns a box, given by its place."""
    board = read(drawing, "dense", PUZZLES["sokoban"].words)[0]
    planes = np.zeros((1 + len(owned), *board.shape), np.uint8)
    planes[0] = board
    for plane, place in zip(planes[1:], owned, strict=True):
        plane[place] = ITEM
    return planes


def test_nobody_pushes_anothers_box():
    joint = placed("sokoban", boxes_with_owners("#########\n#@$.-.$@#\n#########", (1, 6), (1, 2)))
    assert reasons(joint, RIGHT, LEFT) == [NOT_YOUR_BOX, NOT_YOUR_BOX]
    joint = placed("sokoban", boxes_with_owners("#########\n#@$.-.$@#\n#########", (1, 2), (1, 6)))
    assert reasons(joint, RIGHT, LEFT) == [CHANGED, CHANGED] and joint.book["terminated"][0]
    assert joint.episodes.puzzle.words.reasons[NOT_YOUR_BOX] == "the box is another player's"


def test_taxis_block_each_other_and_carry_one_passenger_each():
    street = "+-+-+-+-+\n|@ R G @|\n+-+-+-+-+\npassenger 1: R to G\npassenger 2: G to R"
    joint = placed("taxi", street)
    assert reasons(joint, EAST, WEST) == [CHANGED, CHANGED]
    assert reasons(joint, EAST, PICKUP) == [AGENT_IN_WAY, CHANGED]
    assert reasons(joint, PICKUP, PICKUP)[0] == CHANGED
    assert reasons(joint, WEST, WEST) == [CHANGED, CHANGED]
    assert reasons(joint, PICKUP, DROPOFF)[1] == CHANGED  # B's passenger has arrived at R
    assert joint.book["left"][0] == 1
    assert reasons(joint, DROPOFF, EAST)[1] == CHANGED
    assert joint.act([[EAST, EAST]]).ledger["reason"][0, :, 0].tolist() == [CHANGED, CHANGED]
    assert NO_PASSENGER in joint.episodes.puzzle.words.reasons


def test_players_who_share_a_maze_need_one_of_them_on_an_exit():
    joint = placed("maze", "#######\n#@-@-.#\n#######")
    joint.act([[RIGHT, RIGHT]])
    turn = joint.act([[UP, RIGHT]])
    assert joint.book["terminated"][0] and turn.rewards.tolist() == [[1.0, 1.0]]


def exits_of_their_own():
    """Return a corridor: A at its left end, B beside it; A's exit is beside B's."""
    picture = np.zeros((3, 3, 7), np.uint8)
    picture[0] = SOLID
    picture[0, 1, 1:6] = AGENT, AGENT, 0, GOAL, GOAL
    picture[1, 1, 4] = picture[2, 1, 5] = GOAL
    return picture


def test_all_must_stand_on_exits_of_their_own():
    joint = placed("maze", exits_of_their_own(), reward="own")
    assert joint.book["left"][0] == 2
    paid = [joint.act([[RIGHT, RIGHT]]).rewards[0].tolist() for _ in range(3)]
    assert paid == [[0.0, 0.0], [0.0, 0.0], [0.0, 0.5]]
    assert joint.act([[RIGHT, UP]]).rewards[0].tolist() == [0.5, 0.0]
    assert joint.book["terminated"][0]


def test_an_agent_on_anothers_exit_is_not_home():
    joint = placed("maze", exits_of_their_own())
    for _ in range(2):
        joint.act([[UP, RIGHT]])
    assert joint.book["left"][0] == 2  # B stands on A's
    joint.act([[UP, RIGHT]])
    assert joint.book["left"][0] == 1


@pytest.mark.parametrize(
    ("drawing", "left"),
    [
        ("#######\n#@@@--#\n#######", 0),
        ("#######\n#@-@@-#\n#######", 1),
        ("#######\n#@-@-@#\n#######", 2),
        ("####\n#@@#\n#@-#\n####", 0),
        ("#####\n#@@-#\n#-#@#\n#####", 1),
    ],
)
def test_players_meet_where_they_stand_side_by_side(drawing, left):
    joint = placed("maze", drawing, num_agents=3)
    state = joint.episodes.worlds.state
    assert groups_left(state, 0) == joint.book["left"][0] == left


def test_an_action_after_the_level_is_solved_in_the_same_turn_is_not_played():
    joint = placed("maze", "#######\n#@.@--#\n#######")
    assert reasons(joint, RIGHT, RIGHT) == [CHANGED, SOLVED_ALREADY]
    assert joint.num_asked.tolist() == [[1, 1]] and joint.num_changed.tolist() == [[1, 0]]


def test_a_joint_turn_counts_once_against_the_limit():
    joint = placed("maze", "#######\n#@-@-.#\n#######", turn_limit=2)
    joint.act([[UP, UP]])
    assert not joint.over()[0]
    joint.act([[UP, UP]])
    assert joint.book["truncated"][0] and joint.book["num_turns"][0] == 2
    turn = joint.act([[RIGHT, RIGHT]])
    assert not turn.played[0] and turn.ledger["reason"][0].ravel().tolist() == [NOT_ASKED] * 2
    assert joint.num_asked.tolist() == [[2, 2]]


def test_who_waits_asks_for_nothing():
    joint = placed("maze", "#######\n#@-@-.#\n#######")
    turn = joint.act([[4, RIGHT]])
    assert turn.ledger["reason"][0, :, 0].tolist() == [NOT_ASKED, CHANGED]
    assert joint.num_asked.tolist() == [[0, 1]]
    talking = placed("maze", "#######\n#@-@-.#\n#######", action="plain")
    turn = talking.act([["wait", "right, wait, left"]])
    assert talking.num_asked.tolist() == [[0, 2]] and talking.num_changed.tolist() == [[0, 2]]
    assert not turn.asked.any_unread


def test_shared_and_own_rewards_of_an_episode_pay_the_same_in_all():
    for id in SMALL_IDS:
        for seed in range(2):
            own, shared = (
                joint_of(id, seed=seed, reward=reward, turn_limit=500, **NUMBERS) for reward in ("own", "shared")
            )
            try:
                plan = own.solve(nodes=50_000)
            except RuntimeError:
                continue
            paid = np.zeros((2, own.num_agents))
            for agent, action in plan:
                turn = [[own.num_actions - 1] * own.num_agents]
                turn[0][agent] = action
                paid += own.act(turn).rewards[0], shared.act(turn).rewards[0]
            assert own.book["terminated"][0]
            assert paid[0].sum() == pytest.approx(1.0) and paid[1].tolist() == [1.0] * own.num_agents


@pytest.mark.parametrize("id", TEAM_IDS)
def test_no_two_agents_share_a_cell_and_the_kernels_keep_their_promises(id):
    @settings(max_examples=8)
    @given(st.integers(0, 50), st.data())
    def check(seed, data):
        puzzle, defaults = find_team_id(id)
        joint = joint_of(id, 3, seed=seed, **NUMBERS)
        state = joint.episodes.worlds.state
        actions = st.lists(st.integers(0, joint.num_actions - 1), min_size=joint.num_agents, max_size=joint.num_agents)
        for turn in data.draw(st.lists(st.lists(actions, min_size=3, max_size=3), max_size=12)):
            joint.act(turn)
            cells = state.agents[WORLD]
            assert len(set(cells.tolist())) == joint.num_agents
            assert not (state.board[WORLD][cells] & (SOLID | ITEM)).any()
            shown = np.flatnonzero(state.board[WORLD][: state.height * state.width] & AGENT)
            assert sorted(cells.tolist()) == shown.tolist()
            assert joint.book["left"][WORLD] == puzzle.goals_left(state, WORLD)
            owned = state.board[WORLD].reshape(-1, state.height * state.width)
            if defaults.get("owners"):
                assert ((owned[1:] & ITEM > 0).sum(0) == (owned[0] & ITEM > 0)).all()

    check()


@pytest.mark.parametrize("id", SMALL_IDS)
def test_a_joint_turn_is_the_rules_agent_by_agent(id):
    @settings(max_examples=20)
    @given(st.integers(0, 50), st.sampled_from(["fixed", "rotating"]), st.data())
    def check(seed, order, data):
        joint = joint_of(id, seed=seed, order=order, **NUMBERS)
        alone = copy_state(joint.episodes.worlds.state)
        actions = st.lists(st.integers(0, joint.num_actions - 2), min_size=joint.num_agents, max_size=joint.num_agents)
        for number in range(8):
            asked = data.draw(actions)
            turn = joint.act([asked])
            if not turn.played[0]:
                break
            first = number % joint.num_agents if order == "rotating" else 0
            for agent in [*range(first, joint.num_agents), *range(first)]:
                told = SOLVED_ALREADY
                if joint.puzzle.goals_left(alone, 0):
                    told = joint.puzzle.step(alone, 0, agent, np.int8(asked[agent]))
                assert turn.ledger["reason"][0, agent, 0] == told
                assert turn.ledger["changed"][0, agent, 0] == (told == CHANGED)
            np.testing.assert_array_equal(alone.board, joint.episodes.worlds.state.board)
            np.testing.assert_array_equal(alone.agents, joint.episodes.worlds.state.agents)

    check()


@pytest.mark.parametrize("id", SMALL_IDS)
def test_giving_agents_other_names_gives_the_same_game_by_other_names(id):
    """The same actions in the same order, by agents whose numbers were exchanged: the rules know no names."""

    @settings(max_examples=20)
    @given(st.integers(0, 50), st.data())
    def check(seed, data):
        joint = joint_of(id, seed=seed, **NUMBERS)
        state, other = joint.episodes.worlds.state, copy_state(joint.episodes.worlds.state)
        names = data.draw(st.permutations(range(joint.num_agents)))  # other's name of each agent
        other.agents[0, names] = state.agents[0]
        planes = other.board.reshape(-1, state.height * state.width)
        if not joint.words.passenger and len(planes) > 1:
            planes[1:][names] = state.board.reshape(planes.shape)[1:]
        moves = st.tuples(st.integers(0, joint.num_agents - 1), st.integers(0, joint.num_actions - 2))
        for agent, action in data.draw(st.lists(moves, max_size=30)):
            told = joint.puzzle.step(state, 0, agent, np.int8(action))
            assert joint.puzzle.step(other, 0, names[agent], np.int8(action)) == told
            np.testing.assert_array_equal(other.agents[0, names], state.agents[0])
            np.testing.assert_array_equal(planes[0], state.board[0, : planes.shape[1]])
            assert joint.puzzle.goals_left(other, 0) == joint.puzzle.goals_left(state, 0)

    check()


@pytest.mark.parametrize("id", SMALL_IDS)
def test_a_batch_plays_what_each_world_plays_alone(id):
    batch = joint_of(id, 4, seed=7, order="rotating", reward="own", turn_limit=6, **NUMBERS)
    singles = [
        joint_of(id, seed=7 + world, order="rotating", reward="own", turn_limit=6, **NUMBERS) for world in range(4)
    ]
    rng = np.random.default_rng(3)
    for _ in range(7):
        actions = rng.integers(batch.num_actions, size=(4, batch.num_agents))
        turn, pictures, masks = batch.act(actions), batch.pictures(), batch.action_masks()
        for world, single in enumerate(singles):
            own = single.act(actions[world : world + 1])
            np.testing.assert_array_equal(own.ledger[0], turn.ledger[world])
            np.testing.assert_array_equal(own.rewards[0], turn.rewards[world])
            np.testing.assert_array_equal(single.pictures()[0], pictures[world])
            np.testing.assert_array_equal(single.action_masks()[0], masks[world])
            for tally in ("num_asked", "num_changed", "num_novel"):
                np.testing.assert_array_equal(getattr(single, tally)[0], getattr(batch, tally)[world])


@pytest.mark.parametrize(
    ("settings_", "sentence"),
    [
        ({"order": "any"}, "unknown order 'any'; known: fixed, rotating"),
        ({"reward": "none"}, "unknown reward 'none'; known: shared, own"),
        ({"talk": -1}, "talk is a number of characters from 0 to 10,000; got -1"),
        ({"talk": 5, "action": "discrete"}, "agents talk in messages; action='discrete' has none"),
        ({"num_agents": 9}, "num_agents is 1 to 8; it is 9"),
        ({"num_agents": 8, "height": 5, "width": 5}, "no room for 8 players and their exits in 4 rooms"),
        ({"meeting": 1, "num_agents": 1}, "a meeting takes several players"),
        ({"distance": True}, "distance is for single agents"),
    ],
)
def test_settings_that_cannot_be_met_are_refused_in_a_sentence(settings_, sentence):
    with pytest.raises(ValueError, match=sentence.replace("(", r"\(")):
        joint_of("Maze-easy-2p-v0", **settings_)


@pytest.mark.parametrize("actions", [[[0]], [[0, 0, 0]], [[0.0, 1.0]], [[0, 9]], [[0, -1]], [0, 0], "up"])
def test_actions_that_are_none_are_refused_before_anything_is_played(actions):
    joint = joint_of("Maze-easy-2p-v0", **NUMBERS)
    before = joint.pictures()
    with pytest.raises(ValueError, match="actions are"):
        joint.act(actions)
    np.testing.assert_array_equal(joint.pictures(), before)


def test_single_environments_are_for_one():
    import gymnasium as gym

    for make in (
        lambda: gym.make("textworlds/Maze-easy-v0", num_agents=2),
        lambda: Episode("Maze-easy-v0", num_agents=2),
    ):
        with pytest.raises(ValueError, match=r"2 players play in textworlds\.multi; here plays one"):
            make()
    with pytest.raises(ValueError, match=r"2 players play in textworlds\.multi"):
        gym.make_vec("textworlds/Maze-easy-v0", num_envs=2, num_agents=2)
