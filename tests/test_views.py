"""What agents see of their worlds: windows, line of sight, fog; over all puzzles."""

import re
from pathlib import Path

import gymnasium as gym
import naive
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode
from hypothesis import given, settings
from hypothesis import strategies as st
from shared import NUMBERS, VIEWS, every_fog, every_puzzle, every_view

from textworlds import PUZZLES, Episode, Episodes
from textworlds.eyes import Eyes
from textworlds.grid import AGENT, GOAL, ITEM, SOLID, UNKNOWN, WALLS, close_walls, new_state, settle
from textworlds.sight import is_in_sight
from textworlds.testing import actions, levels
from textworlds.text.formats import FORMATS, MAPS, read, write
from textworlds.views import WHOLE, View, make_view

# The first id of every puzzle.
IDS = [next(iter(puzzle.ids)) for puzzle in PUZZLES.values()]

every_id = pytest.mark.parametrize("id", IDS)


def episode_of(puzzle, level, **chosen):
    """Return an episode that plays a level, and what it shows first."""
    _, height, width = level.shape
    episode = Episode(puzzle, height=height, width=width, levels=[level], turn_limit=10_000, **{**NUMBERS, **chosen})
    return episode, episode.reset(seed=0)


def known(picture):
    """Return which cells of a picture are not unknown, bool[H, W]."""
    return picture[0] & UNKNOWN != UNKNOWN


def cell_of(episode):
    return divmod(int(episode.episodes.worlds.state.agents[0, 0]), episode.picture().shape[2])


def onlooker(view):
    return naive.Onlooker(view.get("view") or 0, view.get("sight", False), view.get("fog", False))


# Sight.


@st.composite
def boards(draw):
    """Return a board, uint8[H, W], with solid cells and thin walls anywhere, and two cells that are not solid."""
    height, width = draw(st.integers(1, 8)), draw(st.integers(2, 8))
    rare = st.sampled_from([0] * 5 + [SOLID, 1, 2, 4, 8])
    board = np.array(draw(st.lists(rare, min_size=height * width, max_size=height * width)), np.uint8)
    here, there = draw(st.integers(0, board.size - 1)), draw(st.integers(0, board.size - 1))
    board[[here, there]] &= 255 - SOLID
    board = board.reshape(height, width)
    close_walls(board)
    return board, here, there


def state_of(board, num_agents=1):
    planes, height, width = board.shape if board.ndim == 3 else (1, *board.shape)
    state = new_state(1, (planes, height, width), num_agents)
    state.board[0] = board.ravel()
    return state


@settings(max_examples=500)
@given(boards())
def test_sight_is_that_of_the_naive_twin(drawn):
    board, here, there = drawn
    cells = [divmod(cell, board.shape[1]) for cell in (here, there)]
    assert is_in_sight(state_of(board), 0, here, there) == naive.is_in_sight(board, *cells)


@settings(max_examples=500)
@given(boards())
def test_who_is_seen_sees(drawn):
    board, here, there = drawn
    state = state_of(board)
    assert is_in_sight(state, 0, here, there) == is_in_sight(state, 0, there, here)


SIGHTS = {
    "an open corner": ("@-\n--", "@-\n--"),
    "a corner with one way around": ("@#\n--", "@#\n--"),
    "a corner with no way around": ("@#\n#-", "@#\n#?"),
    "a pillar hides what is behind it": ("-----\n-@#--\n-----", "---??\n-@#??\n---??"),
    "a corridor shows its walls": ("#####\n@----\n#####", "#####\n@----\n#####"),
    "a room shows its corners": ("#####\n#-@-#\n#---#\n#####", "#####\n#-@-#\n#---#\n#####"),
    "a door opens a wedge": ("-#---\n@----\n-#---", "-#?--\n@----\n-#?--"),
    "goals and items hide nothing": ("@$.-#-", "@$.-#?"),
}


@pytest.mark.parametrize(("board", "shown"), SIGHTS.values(), ids=SIGHTS)
def test_sight_is_as_drawn(board, shown):
    words = PUZZLES["sokoban"].words
    picture = read(board, "dense", words)
    state = state_of(picture)
    settle(state, 0)
    eyes = Eyes(View(0, True), 1, picture.shape)
    eyes.look(state, 0, 1)
    assert write(eyes.pictures.reshape(picture.shape), "dense", words) == shown


# What is shown.


@every_view
@every_puzzle
def test_a_view_is_what_the_naive_onlooker_sees(puzzle, view):
    @settings(max_examples=25)
    @given(levels(puzzle), actions(puzzle))
    def check(level, moves):
        episode, seen = episode_of(puzzle, level, **view)
        twin = onlooker(view)
        np.testing.assert_array_equal(seen, twin.look(episode.picture(), cell_of(episode)))
        for move in moves:
            result = episode.act(move)
            np.testing.assert_array_equal(result.text, twin.look(episode.picture(), cell_of(episode)))
            if result.terminated:
                break

    check()


@every_view
@every_puzzle
def test_what_is_shown_now_is_true(puzzle, view):
    without_fog = {**view, "fog": False}

    @settings(max_examples=20)
    @given(levels(puzzle), actions(puzzle))
    def check(level, moves):
        episode, seen = episode_of(puzzle, level, **without_fog)
        for move in moves:
            if episode.episodes.worlds.over()[0]:
                break
            seen = episode.act(move).text
        row, column = cell_of(episode)
        reach = view.get("view", 0) // 2
        middle = (reach, reach) if "view" in view else (row, column)
        truth = np.pad(episode.picture() & (255 - WALLS), ((0, 0), (reach, reach), (reach, reach)))
        beyond = np.pad(np.zeros(level.shape[1:], bool), reach, constant_values=True)
        truth[0, beyond] = SOLID
        if "view" in view:
            truth = truth[:, row : row + 2 * reach + 1, column : column + 2 * reach + 1]
        is_known = known(seen)
        np.testing.assert_array_equal(seen[:, is_known] & (255 - WALLS), truth[:, is_known])
        assert not seen[1:, ~is_known].any()
        assert is_known[middle]

    check()


@every_fog
@every_puzzle
def test_fog_never_forgets_a_cell(puzzle, view):
    @settings(max_examples=20)
    @given(levels(puzzle), actions(puzzle))
    def check(level, moves):
        episode, seen = episode_of(puzzle, level, **view)
        for move in moves:
            if episode.episodes.worlds.over()[0]:
                break
            before, seen = known(seen), episode.act(move).text
            assert (known(seen) >= before).all()

    check()


@every_view
@every_puzzle
def test_texts_of_views_read_back(puzzle, view):
    @settings(max_examples=10)
    @given(levels(puzzle), actions(puzzle), st.sampled_from(FORMATS))
    def check(level, moves, format):
        shown, _ = episode_of(puzzle, level, **view)
        told, _ = episode_of(puzzle, level, **view, observation=format)
        for move in moves:
            if shown.episodes.worlds.over()[0]:
                break
            picture, text = shown.act(move).text, told.act(move).text
            np.testing.assert_array_equal(read(text, format, puzzle.words), picture)

    check()


@every_puzzle
def test_a_window_wide_enough_shows_all(puzzle):
    @settings(max_examples=20)
    @given(levels(puzzle))
    def check(level):
        reach = max(level.shape[1:])
        episode, seen = episode_of(puzzle, level, view=2 * reach + 1)
        row, column = cell_of(episode)
        board = seen[:, reach - row :, reach - column :][:, : level.shape[1], : level.shape[2]]
        np.testing.assert_array_equal(board, level)
        assert np.count_nonzero(seen[0] & SOLID == 0) == np.count_nonzero(level[0] & SOLID == 0)

    check()


# Settings.


@every_id
def test_without_a_view_all_is_shown_and_nothing_is_copied(id):
    episode = Episode(id, view=None)
    text = episode.reset(seed=3)
    worlds = episode.episodes.worlds
    assert worlds.view == WHOLE and worlds.seen() is worlds.state.board
    assert text == Episode(id).reset(seed=3) == write(episode.picture(), "dense", episode.puzzle.words)
    assert episode.get_state().memory is None


WRONG = [
    (
        {"view": 4},
        "view is an odd number of rows and columns from 1 to 1023, with the agent in the middle, or None; got 4",
    ),
    ({"view": 0}, "view is an odd number .* got 0"),
    ({"view": -3}, "view is an odd number .* got -3"),
    ({"view": True}, "view is an odd number .* got True"),
    ({"view": 2.0}, "view is an odd number .* got 2.0"),
    ({"view": "5"}, "view is an odd number .* got '5'"),
    ({"view": 1025}, "view is an odd number .* got 1025"),
    ({"fog": True}, "fog remembers what was out of view later: give view, sight or both with it"),
    ({"view": 5, "fog": 1}, "fog must be a bool; got 1"),
    ({"sight": "yes"}, "sight must be a bool; got 'yes'"),
]


@pytest.mark.parametrize(("chosen", "message"), WRONG)
def test_settings_that_make_no_sense_are_refused(chosen, message):
    with pytest.raises(ValueError, match=message):
        Episode(IDS[0], **chosen)


def test_a_level_has_no_unknown_cells():
    for level in ("?###\n#@.#\n####", read("?###\n#@.#\n####", "dense", PUZZLES["maze"].words)):
        with pytest.raises(ValueError, match="a level has no unknown cells"):
            Episode("Maze-easy-v0").reset(seed=0, level=level)


@every_view
@every_id
@pytest.mark.parametrize("observation", ["picture", *FORMATS])
def test_observations_are_in_their_space(id, view, observation):
    env = gym.make(f"textworlds/{id}", **view, observation=observation)
    seen, _ = env.reset(seed=0)
    assert env.observation_space.contains(seen)
    if observation == "picture":
        size = view.get("view")
        board = env.unwrapped.episode.picture().shape
        assert seen.shape == (board if size is None or "fog" in view else (board[0], size, size))


@every_id
def test_gymnasium_finds_no_fault(id):
    for observation in ("picture", "dense"):
        env = gym.make(f"textworlds/{id}", **VIEWS["all"], observation=observation)
        check_env(env.unwrapped, skip_render_check=True)


@every_view
@every_id
def test_the_legend_says_what_is_not_seen(id, view):
    for format in FORMATS:
        episode = Episode(id, **view, observation=format, legend=True)
        opening, _, text = episode.reset(seed=0).rpartition("\n\n")
        sign = "?" if format in MAPS else '"unknown"'
        assert "You see" in opening
        assert (f"{sign} stands for cells that you" in opening) == (not view.keys().isdisjoint(("sight", "fog")))
        assert not view.get("view") or f"a window of {view['view']} by {view['view']} cells" in opening
        assert text == episode.observe()


@every_id
def test_the_legend_is_silent_where_all_is_seen(id):
    assert "You see" not in Episode(id, legend=True).reset(seed=0)


def test_rendering_shows_the_true_board():
    env = gym.make(f"textworlds/{IDS[0]}", view=3, render_mode="ansi")
    env.reset(seed=0)
    assert env.render() == write(env.unwrapped.episode.picture(), "dense", PUZZLES["sokoban"].words) + "\n"
    assert "?" not in env.render() and len(env.render().split("\n")[0]) > 3


@every_view
@every_id
def test_the_ledger_and_the_mask_are_those_of_the_world(id, view):
    plain, partial = (Episode(id, **NUMBERS, action_mask=True, **chosen) for chosen in ({}, view))
    rng = np.random.default_rng(0)
    plain.reset(seed=1), partial.reset(seed=1)
    for _ in range(30):
        action = int(rng.integers(len(plain.puzzle.words.vocabulary.names)))
        one, other = plain.act(action), partial.act(action)
        assert one.ledger.pop("action_mask").tolist() == other.ledger.pop("action_mask").tolist()
        assert one[1:] == other[1:]
        if one.terminated or one.truncated:
            break


# Batches, states, episodes.


@every_view
@every_id
@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_a_batch_sees_what_single_worlds_see(id, view, mode):
    chosen = {"turn_limit": 5, "observation": "dense", **view}
    envs = gym.make_vec(f"textworlds/{id}", num_envs=3, autoreset_mode=mode, **chosen)
    singles = [gym.make(f"textworlds/{id}", **chosen) for _ in range(3)]
    seen, _ = envs.reset(seed=7)
    assert list(seen) == [env.reset(seed=7 + world)[0] for world, env in enumerate(singles)]
    names = [names[0] for names in envs.unwrapped.episodes.puzzle.words.vocabulary.names]
    rng, over = np.random.default_rng(0), np.zeros(3, bool)
    for _ in range(18):
        if mode is AutoresetMode.DISABLED and over.any():
            seen, _ = envs.reset(options={"reset_mask": over})
            assert all(seen[world] == singles[world].reset()[0] for world in np.flatnonzero(over))
            over[:] = False
        messages = [f"<action>{', '.join(rng.choice(names, 3))}</action>" for _ in range(3)]
        seen, _, terminated, truncated, info = envs.step(messages)
        for world, env in enumerate(singles):
            if over[world]:
                assert seen[world] == env.reset()[0]
                continue
            text = env.step(messages[world])[0]
            if mode is AutoresetMode.SAME_STEP and (terminated | truncated)[world]:
                assert info["final_obs"][world] == text
                text = env.reset()[0]
            assert seen[world] == text
        over = (terminated | truncated) & ~over
        over &= mode is not AutoresetMode.SAME_STEP


@every_view
@every_id
def test_threads_see_the_same(id, view, monkeypatch):
    monkeypatch.setattr("textworlds.threads.WORTH_A_THREAD", 64)
    batches = [gym.make_vec(f"textworlds/{id}", 200, num_levels=9, threads=n, **NUMBERS, **view) for n in (1, 3)]
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(*(envs.reset(seed=0)[0] for envs in batches))
    for _ in range(5):
        given_actions = rng.integers(4, size=200)
        np.testing.assert_array_equal(*(envs.step(given_actions)[0] for envs in batches))


@every_view
@every_id
def test_bytes_are_the_texts(id, view):
    texts, as_bytes = (gym.make_vec(f"textworlds/{id}", 5, as_bytes=bytes_, **view) for bytes_ in (False, True))
    assert texts.reset(seed=0)[0] == tuple(row.tobytes().decode() for row in as_bytes.reset(seed=0)[0])


@every_fog
@every_id
def test_a_state_holds_what_was_seen(id, view):
    episode = Episode(id, **NUMBERS, **view)
    episode.reset(seed=2)
    first, before = episode.observe(), episode.get_state()
    later = [episode.act(action).text for action in (0, 1, 2, 3)]
    episode.set_state(before)
    np.testing.assert_array_equal(episode.observe(), first)
    np.testing.assert_array_equal([episode.act(action).text for action in (0, 1, 2, 3)], later)
    other = Episode(id, **NUMBERS, **view)
    other.set_state(before)
    np.testing.assert_array_equal(other.observe(), first)


@every_id
def test_a_state_with_fog_and_one_without_do_not_mix(id):
    states = {}
    for fog in (False, True):
        episode = Episode(id, view=5, fog=fog)
        episode.reset(seed=0)
        states[fog] = episode.get_state()
    for fog in (False, True):
        with pytest.raises(ValueError, match="another setting of fog"):
            Episode(id, view=5, fog=fog).set_state(states[not fog])


@every_fog
@every_id
def test_a_new_episode_knows_nothing_of_the_last(id, view):
    episode = Episode(id, **NUMBERS, **view)
    first = episode.reset(seed=2)
    for action in (0, 1, 2, 3):
        episode.act(action)
    episode.reset(seed=5)
    np.testing.assert_array_equal(episode.reset(seed=2), first)


@every_id
def test_fog_remembers_what_was_passed_in_the_midst_of_a_turn(id):
    whole, one_by_one = (Episode(id, view=3, fog=True) for _ in range(2))
    whole.reset(seed=0), one_by_one.reset(seed=0)
    names = [names[0] for names in whole.puzzle.words.vocabulary.names]
    moves = np.random.default_rng(1).choice(names, 12).tolist()
    for move in moves:
        last = one_by_one.act(f"<action>{move}</action>")
        if last.terminated:
            break
    assert whole.act(f"<action>{', '.join(moves)}</action>").text == last.text


@every_view
def test_a_level_of_another_size_is_seen(view):
    episode = Episode("Maze-easy-v0", **view)
    assert episode.reset(seed=0, level="#####\n#@-.#\n#####").count("@") == 1
    assert episode.reset(seed=0, level="######\n#@---#\n#---.#\n######").count("@") == 1


# Several agents.


def test_each_agent_sees_from_where_it_is_and_remembers_by_itself():
    words = PUZZLES["maze"].words
    picture = read("######\n#@--@#\n####-#\n######", "dense", words)
    state = state_of(picture, num_agents=2)
    settle(state, 0)
    eyes = [Eyes(make_view(3, False, True), 1, picture.shape, agent) for agent in range(2)]
    for one in eyes:
        one.open(state, np.zeros(1, np.int64))
    texts = [write(one.pictures.reshape(picture.shape), "dense", words) for one in eyes]
    assert texts == ["###???\n#@-???\n###???\n??????", "???###\n???-@#\n???#-#\n??????"]
    PUZZLES["maze"].step(state, 0, 0, 3)
    PUZZLES["maze"].step(state, 0, 0, 3)
    for one in eyes:
        one.look(state, 0, 1)
    texts = [write(one.pictures.reshape(picture.shape), "dense", words) for one in eyes]
    assert texts == ["#####?\n#--@@?\n####-?\n??????", "???###\n???@@#\n???#-#\n??????"]


# What a view hides of items that differ.


CITY = """\
+-+-+-+-+-+
|R . .|. G|
+ + + + + +
|. . @ . .|
+ + + + + +
|Y . . . .|
+-+-+-+-+-+
passenger 1: R to G
passenger 2: Y to R"""


@pytest.mark.parametrize(
    ("view", "moves", "shown"),
    [
        (
            {"view": 3},
            [],
            "+-+-+-+\n|. .|.|\n+ + + +\n|. @ .|\n+ + + +\n|. . .|\n+-+-+-+\npassenger 1: ? to ?\npassenger 2: ? to ?",
        ),
        ({"view": 1}, [3, 3, 1, 4], "+-+\n|r|\n+-+\npassenger 1: @ to ?\npassenger 2: ? to R"),
        (
            {"view": 3, "fog": True},
            [3],
            "+-+-+-+-+-+\n|R . .|. ?|\n+ + + + + +\n|. @ . . ?|\n+ + + + + +\n|G . . . ?|\n+-+-+-+-+-+\n"
            "passenger 1: R to ?\npassenger 2: G to R",
        ),
        (
            {"view": 1, "fog": True},
            [3, 3, 1, 4, 0, 2],
            "+-+-+-+-+-+\n|R ? ? ? ?|\n+ + + + + +\n|. @ . ? ?|\n+ + + + + +\n|? ? ? ? ?|\n+-+-+-+-+-+\n"
            "passenger 1: @ to ?\npassenger 2: ? to R",
        ),
    ],
    ids=["nobody is in view", "who rides is seen", "who was seen waits there still", "who rides is in one place"],
)
def test_passengers_are_told_of_as_far_as_they_are_seen(view, moves, shown):
    episode = Episode("Taxi-easy-v0", action="discrete", **view)
    text = episode.reset(seed=0, level=CITY)
    for move in moves:
        text = episode.act(move).text
    assert text == shown


def test_an_item_seen_elsewhere_is_no_longer_where_it_was():
    picture = np.zeros((2, 1, 5), np.uint8)
    picture[0, 0, [0, 4]], picture[0, 0, 1] = GOAL, AGENT
    picture[1, 0, 0], picture[1, 0, 4] = ITEM, GOAL
    close_walls(picture[0])
    state = state_of(picture)
    settle(state, 0)
    eyes = Eyes(View(3, False, True), 1, picture.shape)
    eyes.open(state, np.zeros(1, np.int64))
    state.board[0] = np.array([[GOAL, 0, 0, AGENT, GOAL], [0, 0, 0, 0, ITEM | GOAL]], np.uint8).ravel()
    state.agents[0, 0] = 3
    eyes.look(state, 0, 1)
    assert eyes.pictures.reshape(picture.shape)[1].tolist() == [[0, 0, 0, 0, ITEM | GOAL]]
    assert (eyes.pictures.reshape(picture.shape)[0] & (255 - WALLS)).tolist() == [[GOAL, 0, 0, AGENT, GOAL]]


def test_an_unknown_window_is_no_batch_of_pictures_of_the_board():
    episodes = Episodes(PUZZLES["maze"], 2, height=9, width=9, view=5, **NUMBERS)
    episodes.begin(np.arange(2), np.arange(2, dtype=np.uint64))
    assert episodes.observe().shape == (2, 1, 5, 5)
    assert episodes.observe(worlds=np.array([1])).shape == (1, 1, 5, 5)
    np.testing.assert_array_equal(episodes.observe(worlds=np.array([1]))[0], episodes.observe()[1])


def test_the_page_on_views_tells_the_truth(capsys):
    page = (Path(__file__).parents[1] / "docs" / "views.md").read_text(encoding="utf-8")
    codes, outputs = (re.findall(rf"```{kind}\n(.*?)\n```", page, re.DOTALL) for kind in ("python", "output"))
    scope = {}
    for code, output in zip(codes, outputs, strict=True):
        exec(code, scope)
        assert capsys.readouterr().out.rstrip() == output
