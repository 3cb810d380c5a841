"""The Gymnasium environments: conformance, settings, state, rendering, and what is said to those who ask wrongly."""

import copy
import pickle
import warnings

import gymnasium as gym
import naive
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from textworlds import PUZZLES, Episode, Outcome, all_ids, find_id
from textworlds.text.formats import write

IDS = list(all_ids())
EASY = ["textworlds/" + next(iter(puzzle.ids)) for puzzle in PUZZLES.values()]
LEVEL = "#####\n#@$.#\n#####"


@pytest.mark.parametrize("id", IDS)
def test_gymnasium_accepts_every_id(id, capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gym.make(id).unwrapped)
        check_env(gym.make(id, observation="picture", action="discrete").unwrapped)


@pytest.mark.parametrize("id", IDS)
def test_the_solver_solves_every_id_in_one_message(id):
    env = gym.make(id)
    env.reset(seed=1)
    try:
        plan = env.unwrapped.solve()
    except RuntimeError:
        pytest.skip("not settled within the solver's budget")
    names = find_id(id)[0].words.vocabulary.names
    _, reward, terminated, _, info = env.step("<action>" + ", ".join(names[a][0] for a in plan) + "</action>")
    assert terminated and reward > 0 and info["solved"]
    assert info["num_changed"] == info["num_asked"] == len(plan)


def test_the_package_can_be_imported_by_the_id_itself():
    assert gym.make("textworlds:textworlds/Sokoban-easy-v0").reset(seed=0)


def test_specs_survive_json():
    spec = gym.make(EASY[0], feedback=True).spec
    assert gym.make(type(spec).from_json(spec.to_json())).reset(seed=0)


@pytest.mark.parametrize("observation", ["dense", "spaced", "coordinates", "json", "prose"])
@pytest.mark.parametrize("id", EASY)
def test_observations_lie_in_the_space_with_legend_and_feedback(id, observation):
    env = gym.make(id, observation=observation, legend=True, feedback=True, max_actions=4)
    text, _ = env.reset(seed=0)
    assert find_id(id)[0].words.rules in text
    for message in ["nonsense <action>", "<action>" + "s" * 9 + "</action>", "<action>up, north</action>", "é" * 900]:
        assert text in env.observation_space
        text, *_ = env.step(message)
    assert text in env.observation_space


def test_messages_sampled_from_the_space_are_read():
    env = gym.make(EASY[0], turn_limit=1000)
    env.action_space.seed(0)
    env.reset(seed=0)
    for _ in range(30):
        info = env.step(env.action_space.sample())[4]
        assert info["outcome"] == Outcome.READ
        if info["solved"]:
            env.reset()


def test_unread_messages_use_up_a_turn_and_say_why():
    env = gym.make("textworlds/Sokoban-easy-v0", turn_limit=2)
    before, _ = env.reset(seed=0)
    text, reward, terminated, truncated, info = env.step("I would go upright")
    assert text == "Not read: no <action>...</action> in the message\n\n" + before
    assert (reward, terminated, truncated, info["outcome"]) == (0, False, False, Outcome.MALFORMED)
    assert (info["changed"], info["num_turns"], info["num_asked"]) == ([], 1, 0)
    *_, truncated, info = env.step("<action></action>")
    assert truncated and info["outcome"] == Outcome.EMPTY


def test_the_ledger_tells_what_each_action_did():
    env = gym.make("textworlds/Sokoban-easy-v0", feedback=True, max_actions=5)
    env.reset(options={"level": "#######\n#-@-$.#\n#######"})
    text, *_, info = env.step("<action>up left right left right right right</action>")
    assert info["played"] == [True, True, True, True, True, False, False]
    assert info["changed"] == [False, True, True, True, True, False, False]
    assert info["novel"] == [False, True, False, False, False, False, False]
    assert info["reversal"] == [False, False, True, True, True, False, False]
    assert info["outcome"] == Outcome.OVER_LIMIT
    assert (info["num_asked"], info["num_changed"], info["num_novel"]) == (7, 4, 1)
    assert text.splitlines()[0] == "1: up - a wall is in the way"
    assert text.splitlines()[1] == "2: left - done"
    assert "7 actions" in text
    text, reward, terminated, _, info = env.step("<action>rrrr</action>")
    assert info["progress"] == [False, True, False, False] and info["played"] == [True, True, False, False]
    assert terminated and reward == 1 and info["num_asked"] == 11


def test_one_number_a_turn_gives_plain_flags():
    env = gym.make("textworlds/Sokoban-easy-v0", action="discrete", observation="picture")
    picture, _ = env.reset(seed=0)
    assert picture.shape == (1, 7, 7) and picture.dtype == np.uint8
    info = env.step(np.int64(0))[4]
    assert isinstance(info["changed"], bool) and isinstance(info["reason"], int)


def test_a_given_level_is_played():
    env = gym.make("textworlds/Sokoban-easy-v0")
    assert env.reset(options={"level": LEVEL})[0] == LEVEL
    assert env.step("<action>right</action>")[2]
    generated, _ = env.reset(seed=0)
    assert generated == gym.make("textworlds/Sokoban-easy-v0").reset(seed=0)[0]


def test_levels_of_a_file_are_drawn_by_seed(tmp_path):
    file = tmp_path / "two.xsb"
    file.write_text("; 1\n#####\n#@$.#\n#####\n\n; 2\n######\n#@-$.#\n######\n")
    settings = {"levels": str(file), "turn_limit": 9}
    env = gym.make("textworlds/Sokoban-easy-v0", **settings)
    texts = [env.reset(seed=seed)[0] for seed in range(20)]
    assert set(texts) == {"######\n#@$.##\n######", "######\n#@-$.#\n######"}
    batch, _ = gym.make_vec("textworlds/Sokoban-easy-v0", num_envs=20, **settings).reset(seed=0)
    assert list(batch) == texts


def test_a_bank_holds_so_many_levels():
    env = gym.make("textworlds/Sokoban-easy-v0", num_levels=3)
    texts = {env.reset(seed=seed)[0] for seed in range(40)}
    assert len(texts) == 3
    assert not texts & {gym.make("textworlds/Sokoban-easy-v0").reset(seed=seed)[0] for seed in range(3)}


def test_the_turn_limit_can_be_changed_between_episodes():
    env = gym.make("textworlds/Maze-easy-v0", action="discrete", turn_limit=5).unwrapped
    env.reset(seed=0)
    env.turn_limit = 2
    ends = [env.step(0)[3] for _ in range(5)]
    assert ends == [False, False, False, False, True], "the limit of an episode under way stays"
    env.reset()
    assert [env.step(0)[3] for _ in range(2)] == [False, True]


def test_nothing_returned_shares_memory_with_what_was_returned_before():
    envs = gym.make_vec(
        "textworlds/Sokoban-easy-v0", num_envs=3, observation="picture", action="discrete", turn_limit=3
    )
    arrays = []
    for result in [envs.reset(seed=0)] + [envs.step(np.array([k % 4] * 3)) for k in range(8)]:
        flat = [part for part in (*result[:-1], *result[-1].values()) if isinstance(part, np.ndarray)]
        assert not any(np.shares_memory(new, old) for new in flat for old in arrays)
        arrays += flat


def play_on(env):
    return [env.step(action) for action in (0, 3, 1, 2, 0, 0)]


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
@pytest.mark.parametrize("id", EASY)
def test_copies_play_on_alike(id, clone):
    env = gym.make(id, action="discrete").unwrapped
    env.reset(seed=3)
    env.step(1)
    other = clone(env)
    assert play_on(env) == play_on(other)
    assert env.reset()[0] == other.reset()[0]


@pytest.mark.parametrize("id", EASY)
def test_states_can_be_gone_back_to(id):
    env = gym.make(id, action="discrete").unwrapped
    env.reset(seed=3)
    state = env.get_state()
    first = play_on(env)
    for _ in range(2):
        env.set_state(state)
        assert play_on(env) == first


@pytest.mark.parametrize("id", EASY)
def test_action_masks_tell_what_would_change(id):
    env = gym.make(id, action="discrete", action_mask=True).unwrapped
    _, info = env.reset(seed=3)
    for turn in range(20):
        state, mask = env.get_state(), info["action_mask"]
        for action in range(env.action_space.n):
            env.set_state(state)
            assert env.step(action)[4]["changed"] == mask[action]
        env.set_state(state)
        *_, terminated, truncated, info = env.step(int(np.flatnonzero(mask)[turn % mask.sum()]))
        if terminated or truncated:
            break


def test_masks_of_a_batch_are_those_of_its_worlds():
    envs = gym.make_vec(EASY[0], num_envs=4, action="discrete", action_mask=True)
    _, info = envs.reset(seed=3)
    singles = [gym.make(EASY[0], action_mask=True).reset(seed=3 + world)[1]["action_mask"] for world in range(4)]
    np.testing.assert_array_equal(info["action_mask"], singles)


@pytest.mark.parametrize("id", EASY)
def test_worlds_can_be_rendered(id, capsys):
    env = gym.make(id, render_mode="rgb_array", tile_size=16)
    env.reset(seed=0)
    settings = all_ids()[id][1]
    assert env.render().shape == (16 * settings["height"], 16 * settings["width"], 3)
    ansi = gym.make(id, render_mode="ansi")
    text, _ = ansi.reset(seed=0)
    assert ansi.render() == text + "\n"
    capsys.readouterr()
    gym.make(id, render_mode="human").reset(seed=0)
    assert capsys.readouterr().out == text + "\n\n"
    envs = gym.make_vec(id, num_envs=2, render_mode="rgb_array", tile_size=8)
    envs.reset(seed=0)
    assert len(envs.render()) == 2


WRONG = [
    ({"num_boxes": 99}, "no room for 99 boxes"),
    ({"veiw": 5}, "num_agents, owners; and there is 'view'"),
    ({"num_boxs": 2}, "unknown option 'num_boxs' of sokoban; its generator knows: num_boxes, min_pushes"),
    ({"num_boxes": 2.5}, "num_boxes must be a whole number; got 2.5"),
    ({"height": -1}, "height must be a whole number of at least 1; got -1"),
    ({"turn_limit": 0}, "turn_limit must be a whole number of at least 1; got 0"),
    ({"max_actions": 0}, "max_actions must be a whole number of at least 1; got 0"),
    ({"observation": "xsb"}, "unknown observation 'xsb'; known: coordinates, dense, json, prose, spaced, picture"),
    ({"action": "tags"}, "unknown grammar 'tags'"),
    ({"rewards": "big"}, "unknown rewards 'big'; sokoban knows: outcome"),
    ({"render_mode": "gif"}, "gif"),
    ({"height": 2**20}, "more than 1,048,576 cells"),
    ({"action": 3}, "action must be a str; got 3"),
    ({"legend": "yes"}, "legend must be a bool; got 'yes'"),
    ({"rewards": []}, "rewards must be a str"),
    ({"max_actions": 10**6}, "max_actions must be at most 8,192; got 1,000,000"),
    ({"levels": 5}, "a file's path or a list of levels; got int"),
    ({"tile_size": 0}, "tile_size"),
    ({"levels": []}, "no level given"),
    ({"levels": [LEVEL], "num_levels": 2}, "give levels or num_levels, not both"),
]


@pytest.mark.parametrize("settings, sentence", WRONG, ids=str)
@pytest.mark.parametrize("make", [gym.make, gym.make_vec])
def test_wrong_settings_get_one_clear_sentence(make, settings, sentence):
    with pytest.raises(ValueError, match=sentence), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        make("textworlds/Sokoban-easy-v0", **settings)


LEVELS = [
    ("#####\n#@$x#\n#####", "x"),
    ("#####\n#@@.#\n#####", "exactly one player"),
    ("#####\n#@$$#\n#####", "2 boxes and 0 goals"),
    (3, "drawing, a Level or a picture"),
    (np.array([[[128, 64, 32]], [[0, 0, 0]]], np.uint8), "plane"),
    (np.array([[[128 | 16, 64, 32]]], np.uint8), "unknown cells"),
    (np.array([[[128, 64 | 16, 32]]], np.uint8), "glyph"),
    (np.array([[[128 | 8, 64, 32]]], np.uint8), "walls"),
    (np.zeros((2, 3), np.uint8), "uint8"),
]


@pytest.mark.parametrize("level, sentence", LEVELS, ids=lambda value: repr(value)[:20])
def test_wrong_levels_get_one_clear_sentence_and_change_nothing(level, sentence):
    env = gym.make("textworlds/Sokoban-easy-v0")
    env.reset(seed=0)
    before = env.unwrapped.episode.picture()
    with pytest.raises((ValueError, TypeError), match=sentence):
        env.reset(options={"level": level})
    np.testing.assert_array_equal(env.unwrapped.episode.picture(), before)


def test_wrong_actions_get_one_clear_sentence():
    env = gym.make("textworlds/Sokoban-easy-v0", action="discrete", disable_env_checker=True)
    env.reset(seed=0)
    for action in (4, -1, "up", 1.5, None):
        with pytest.raises(ValueError, match="an action is a whole number from 0 to 3; got"):
            env.step(action)
    text_env = gym.make("textworlds/Sokoban-easy-v0", disable_env_checker=True)
    text_env.reset(seed=0)
    with pytest.raises(TypeError, match="message"):
        text_env.step(3)
    envs = gym.make_vec("textworlds/Sokoban-easy-v0", num_envs=2)
    envs.reset(seed=0)
    with pytest.raises(ValueError, match="2 messages are needed"):
        envs.step(["<action>up</action>"])
    with pytest.raises(ValueError, match="reset_mask must be"):
        envs.reset(options={"reset_mask": [True]})
    with pytest.raises(ValueError, match="unknown option 'mask' of reset"):
        envs.reset(options={"mask": [True, True]})


def test_turns_before_reset_and_after_the_end_are_refused():
    episode = Episode("Sokoban-easy-v0")
    with pytest.raises(RuntimeError, match="reset"):
        episode.act("<action>up</action>")
    episode.reset(level=LEVEL)
    assert episode.act("<action>right</action>").terminated
    with pytest.raises(RuntimeError, match="reset"):
        episode.act("<action>up</action>")


def test_a_batch_must_be_reset_before_it_steps():
    envs = gym.make_vec("textworlds/Sokoban-easy-v0", num_envs=2)
    with pytest.raises(RuntimeError, match="reset"):
        envs.step(["<action>up</action>"] * 2)


def test_a_seed_given_with_a_level_makes_the_levels_after_it():
    first, _ = gym.make("textworlds/Sokoban-easy-v0").reset(seed=5)
    env = gym.make("textworlds/Sokoban-easy-v0")
    env.reset(seed=3)
    env.reset(seed=5, options={"level": LEVEL})
    assert env.reset()[0] == first
    envs = gym.make_vec("textworlds/Sokoban-easy-v0", num_envs=3, autoreset_mode="SameStep", turn_limit=1)
    level = "\n".join(["#######", "#@$.###", *["#######"] * 5])
    envs.reset(options={"level": level})
    assert len(set(envs.step([""] * 3)[0])) == 3
    envs.reset(seed=5, options={"level": level})
    assert envs.step([""] * 3)[0][0] == first


def test_a_failed_reset_changes_nothing():
    envs = gym.make_vec("textworlds/Sokoban-easy-v0", num_envs=3)
    for seed in ([1, -2, 3], 1.5, "x", [1]):
        with pytest.raises(ValueError, match="seed"):
            envs.reset(seed=seed)
    assert len(set(envs.reset()[0])) == 3


def test_states_may_be_put_into_a_batch_that_was_not_reset():
    envs, other, large = (
        gym.make_vec("textworlds/Sokoban-easy-v0", num_envs=2, height=size, width=size) for size in (6, 6, 7)
    )
    envs.reset(seed=0), large.reset(seed=0)
    other.set_state(envs.get_state())
    assert other.step(["", ""])[0] == envs.step(["", ""])[0]
    with pytest.raises(ValueError, match="another size"):
        envs.set_state(large.get_state())
    with pytest.raises(ValueError, match="the first reset begins all worlds"):
        gym.make_vec("textworlds/Sokoban-easy-v0", num_envs=2).reset(options={"reset_mask": np.array([True, False])})


def test_small_numpy_integers_are_whole_numbers_too():
    env = gym.make("textworlds/Maze-easy-v0", height=np.uint8(101), width=np.uint8(7), turn_limit=np.int8(5))
    assert len(env.reset(seed=0)[0]) == 101 * 8 - 1


def test_nothing_can_be_asked_before_the_first_reset():
    env = gym.make("textworlds/Sokoban-easy-v0").unwrapped
    for ask in (env.solve, env.action_masks, env.episode.picture):
        with pytest.raises(RuntimeError, match="reset"):
            ask()


def test_a_bound_on_steps_stays():
    envs = gym.make_vec("textworlds/Sokoban-easy-v0", num_envs=2, action="discrete", max_episode_steps=3)
    envs.turn_limit = 10
    envs.reset(seed=0)
    assert [envs.step(np.zeros(2, int))[3].all() for _ in range(3)] == [False, False, True]


def test_states_of_others_are_refused():
    env = gym.make("textworlds/Sokoban-easy-v0").unwrapped
    env.reset(seed=0)
    batch, maze = gym.make_vec("textworlds/Sokoban-easy-v0", num_envs=2), gym.make("textworlds/Maze-easy-v0").unwrapped
    batch.reset(seed=0), maze.reset(seed=0)
    for other in (batch.get_state(), maze.get_state()):
        with pytest.raises(ValueError, match="here are 1 of sokoban"):
            env.set_state(other)
    with pytest.raises(ValueError, match="get_state"):
        env.set_state("state")


def test_texts_stay_in_the_space_whatever_is_asked():
    env = gym.make("textworlds/Sokoban-easy-v0", feedback=True, max_actions=2)
    env.reset(seed=0)
    env.unwrapped.max_actions = None
    text, *_, info = env.step("<action>" + "u" * 60_000 + "</action>")
    assert text in env.observation_space and "more" in text
    assert info["num_asked"] == info["asked"] == 60_000
    with pytest.raises(ValueError, match="too large for the observation space"):
        env.reset(options={"level": "\n".join(["#" * 300, "#@$." + "-" * 295 + "#", *["#" * 300] * 200])})


def test_the_legend_tells_how_to_answer():
    for observation, has_key in (("dense", True), ("json", False)):
        env = gym.make("textworlds/Sokoban-easy-v0", legend=True, observation=observation, action="bracket")
        text, _ = env.reset(seed=0)
        assert "The actions are: up, down, left, right. Answer like this: [up]" in text
        assert ("$ box" in text) == has_key


def test_unknown_ids_name_the_nearest():
    with pytest.raises(ValueError, match="Sokoban-easy-v0"):
        Episode("Sokobann-easy-v0")


# Where an episode stands.

STUCK = "######\n#----#\n#-@$.#\n#----#\n######"  # up, right and down: the box is pushed into a corner below


def naive_distance(env):
    """Return the fewest actions that solve a world, or -1: by the naive search."""
    twin = naive.TWINS[env.unwrapped.episode.puzzle.name]
    drawing = write(env.unwrapped.episode.picture(), "dense", env.unwrapped.episode.puzzle.words)
    found = naive.fewest_in_order(twin, drawing, [lambda world, after: 1])
    return -1 if found is None else found[0]


@pytest.mark.parametrize("id", EASY)
def test_distances_are_exact_in_every_turn(id):
    env = gym.make(id, distance=True, action="discrete")
    env.action_space.seed(0)
    for seed in range(3):
        _, info = env.reset(seed=seed)
        assert info["distance"] == naive_distance(env) and type(info["distance"]) is int
        for _ in range(8):
            *_, terminated, _, info = env.step(env.action_space.sample())
            assert info["distance"] == naive_distance(env)
            if terminated:
                assert info["distance"] == 0
                break


@pytest.mark.parametrize("id", EASY)
def test_distances_of_a_batch_are_those_of_its_worlds(id):
    envs = gym.make_vec(id, num_envs=4, distance=True, action="discrete")
    singles = [gym.make(id, distance=True, action="discrete") for _ in range(4)]
    _, info = envs.reset(seed=3)
    assert info["distance"].tolist() == [env.reset(seed=3 + n)[1]["distance"] for n, env in enumerate(singles)]
    assert info["_distance"].all()
    for action in (0, 2, 1, 3):
        info = envs.step(np.full(4, action))[4]
        assert info["distance"].tolist() == [env.step(action)[4]["distance"] for env in singles]


def test_a_shortest_way_counts_down():
    env = gym.make(EASY[0], distance=True, action="discrete")
    _, info = env.reset(seed=1)
    last = info["distance"]
    for action in env.unwrapped.solve("moves"):
        info = env.step(action)[4]
        assert info["distance"] == last - 1
        last -= 1
    assert info["solved"] and last == 0


def test_distances_are_told_on_request_only():
    for make in (gym.make, gym.make_vec):
        assert "distance" not in make(EASY[0]).reset(seed=0)[1]
        with pytest.raises(ValueError, match="distance must be a bool; got 1"):
            make(EASY[0], distance=1)


def test_distances_that_take_the_solver_too_long_are_not_settled(monkeypatch):
    monkeypatch.setattr("textworlds.worlds.DISTANCE_NODES", 1)
    env = gym.make("textworlds/Sokoban-medium-v0", distance=True, action="discrete")
    envs = gym.make_vec("textworlds/Sokoban-medium-v0", num_envs=2, distance=True)
    assert env.reset(seed=0)[1]["distance"] == -2
    assert envs.reset(seed=0)[1]["distance"].tolist() == [-2, -2]
    # What needs no search is settled.
    _, info = env.reset(options={"level": "#####\n#$--#\n#-@.#\n#####"})
    assert (info["distance"], info["deadlocked"]) == (-1, True)


def test_a_level_is_deadlocked_once_nothing_solves_it():
    env = gym.make(EASY[0], distance=True)
    _, info = env.reset(options={"level": STUCK})
    assert (info["deadlocked"], info["distance"]) == (False, 1)
    told = []
    for message in ("u", "r", "d", "u"):
        info = env.step(f"<action>{message}</action>")[4]
        told.append((info["deadlocked"], info["distance"]))
    assert told == [(False, 2), (False, 3), (True, -1), (True, -1)]
    _, info = env.reset(options={"level": STUCK})
    assert info["deadlocked"] is False


def test_worlds_of_a_batch_are_deadlocked_on_their_own():
    level = "\n".join(["#######", "#----##", "#-@$.##", "#----##", *["#######"] * 3])
    envs = gym.make_vec(EASY[0], num_envs=2, distance=True, turn_limit=3, autoreset_mode="SameStep")
    _, info = envs.reset(seed=0, options={"level": level})
    assert info["deadlocked"].tolist() == [False, False] and info["_deadlocked"].all()
    info = envs.step(["<action>up, right, down</action>", "<action>up</action>"])[4]
    assert info["deadlocked"].tolist() == [True, False] and info["distance"].tolist() == [-1, 2]
    envs.step(["", ""])
    info = envs.step(["", ""])[4]
    assert info["final_info"]["deadlocked"].tolist() == [True, False]
    assert info["final_info"]["distance"].tolist() == [-1, 2]
    assert not info["deadlocked"].any() and (info["distance"] > 0).all()


@pytest.mark.parametrize("id", [id for id in EASY if "Sokoban" not in id])
def test_where_there_is_always_a_way_back_nothing_is_deadlocked(id):
    env = gym.make(id, action="discrete")
    env.action_space.seed(0)
    infos = [env.reset(seed=0)[1]]
    for _ in range(20):
        *_, terminated, _, info = env.step(env.action_space.sample())
        infos.append(info)
        if terminated:
            break
    assert not any(info["deadlocked"] for info in infos)


def test_plans_have_the_fewest_of_what_is_asked_for():
    twin = naive.TWINS["sokoban"]
    env = gym.make("textworlds/Sokoban-medium-v0").unwrapped
    for seed in range(8):
        drawing, _ = env.reset(seed=seed)
        pushes, moves = env.solve("pushes"), env.solve("moves")
        assert env.solve() == pushes
        assert len(moves) == naive.fewest_in_order(twin, drawing, [lambda world, after: 1])[0]
        assert naive.cost(twin, drawing, pushes) == naive.fewest(twin, drawing)
        assert len(moves) <= len(pushes)


def test_unknown_objectives_are_refused_with_those_that_there_are():
    for id, known in zip(EASY, (puzzle.costs for puzzle in PUZZLES.values()), strict=True):
        env = gym.make(id).unwrapped
        env.reset(seed=0)
        with pytest.raises(ValueError, match=f"unknown objective 'fuel'; .* knows: {', '.join(known)}$"):
            env.solve("fuel")


def test_a_plan_that_the_limits_do_not_allow_is_no_proof():
    env = gym.make("textworlds/Sokoban-medium-v0").unwrapped
    env.reset(seed=0)
    with pytest.raises(RuntimeError, match="sokoban: not settled within 1 positions and 2,147,483,648 bytes"):
        env.solve(nodes=1)
    env.reset(options={"level": "#####\n#$--#\n#-@.#\n#####"})
    assert env.solve() is None
