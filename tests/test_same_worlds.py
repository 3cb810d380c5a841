"""Single = batched = Gymnasium's own vector environments = a replay, action by action."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv

from textworlds import PUZZLES, all_ids
from textworlds.text.grammars import write

# The first id of every puzzle.
IDS = ["textworlds/" + next(iter(puzzle.ids)) for puzzle in PUZZLES.values()]
FLAGS = ("played", "changed", "novel", "reversal", "progress", "reason")
TOTALS = ("num_turns", "num_asked", "num_changed", "num_novel", "goals_left", "solved", "deadlocked", "outcome_reward")
N = 4


def random_actions(rng, id):
    names = all_ids()[id][0].words.vocabulary.names
    return rng.integers(len(names), size=N)


def random_messages(rng, id):
    vocabulary = all_ids()[id][0].words.vocabulary
    messages = []
    for _ in range(N):
        actions = rng.integers(len(vocabulary.names), size=rng.integers(1, 5)).tolist()
        messages.append("silence" if rng.random() < 0.1 else write(actions, "tag:action", vocabulary))
    return messages


def assert_same_turn(single, batch, world, place=None):
    """Compare info of a single environment with that of one world of the batch."""
    for name in FLAGS:
        flags = single[name]
        if isinstance(flags, list):
            kept = len(single["actions"])
            np.testing.assert_array_equal(batch[name][world][:kept], flags[:kept])
            assert not batch["played"][world][kept:].any()
            np.testing.assert_array_equal(
                batch["actions"][world], single["actions"] + [-1] * (len(batch["actions"][world]) - kept)
            )
            assert batch["asked"][world] == single["asked"]
        else:
            assert batch[name][world] == flags
        assert batch[f"_{name}"][world]
    for name in TOTALS:
        assert batch[name][world] == single[name]


@pytest.mark.parametrize("id", IDS)
@pytest.mark.parametrize("mode", list(AutoresetMode))
@pytest.mark.parametrize("action", ["discrete", "tag:action"])
def test_a_batch_plays_what_single_environments_play(id, mode, action):
    settings = {"turn_limit": 6, "action": action, "feedback": True, "max_actions": 3}
    envs = gym.make_vec(id, num_envs=N, autoreset_mode=mode, **settings)
    singles = [gym.make(id, **settings) for _ in range(N)]
    observations, _ = envs.reset(seed=11)
    assert list(observations) == [env.reset(seed=11 + world)[0] for world, env in enumerate(singles)]
    rng, over = np.random.default_rng(0), np.zeros(N, bool)
    ends = 0
    for _ in range(40):
        if mode is AutoresetMode.DISABLED and over.any():
            observations, _ = envs.reset(options={"reset_mask": over})
            for world in np.flatnonzero(over):
                assert observations[world] == singles[world].reset()[0]
            over[:] = False
        actions = random_actions(rng, id) if action == "discrete" else random_messages(rng, id)
        observations, rewards, terminated, truncated, info = envs.step(actions)
        for world, env in enumerate(singles):
            if mode is AutoresetMode.NEXT_STEP and over[world]:
                assert observations[world] == env.reset()[0]
                assert (rewards[world], terminated[world], truncated[world]) == (0, False, False)
                assert not info["_changed"][world]
                over[world] = False
                continue
            text, reward, *ends_here, ledger = env.step(actions[world])
            assert (reward, *ends_here) == (rewards[world], terminated[world], truncated[world])
            over[world] = any(ends_here)
            ends += any(ends_here)
            if mode is AutoresetMode.SAME_STEP and over[world]:
                assert info["final_obs"][world] == text
                assert_same_turn(ledger, info["final_info"], world)
                text, ledger = env.reset()
                over[world] = False
                assert {name: info[name][world] for name in TOTALS} == ledger
            else:
                assert_same_turn(ledger, info, world)
            assert observations[world] == text
    assert ends > 2 * N


@pytest.mark.parametrize("vector", [SyncVectorEnv, AsyncVectorEnv])
@pytest.mark.parametrize("observation", ["dense", "json", "picture"])
def test_gymnasiums_own_vector_environments_show_the_same(vector, observation):
    id = IDS[0]
    settings = {"turn_limit": 5, "action": "discrete", "observation": observation}
    ours = gym.make_vec(id, num_envs=N, **settings)
    theirs = vector([lambda: gym.make(id, **settings)] * N)
    np.testing.assert_array_equal(ours.reset(seed=3)[0], theirs.reset(seed=3)[0])
    rng = np.random.default_rng(1)
    kept = []
    for _ in range(20):
        actions = random_actions(rng, id)
        mine, other = ours.step(actions), theirs.step(actions)
        for part in range(4):
            np.testing.assert_array_equal(mine[part], other[part])
        np.testing.assert_array_equal(mine[4]["changed"] & mine[4]["_changed"], other[4].get("changed", False))
        kept.append((other[0], list(other[0])))
    assert all(list(now) == before for now, before in kept if observation != "picture"), "an old observation changed"
    theirs.close()


def test_shared_texts_are_a_live_view_without_copies():
    theirs = AsyncVectorEnv([lambda: gym.make(IDS[0], action="discrete")] * 2, copy=False)
    view, _ = theirs.reset(seed=0)
    before = tuple(view)
    assert len(view) == 2 and view[0] == before[0] and view[0:1] == before[:1] and view == list(before)
    for _ in range(8):
        for action in range(4):
            theirs.step(np.array([action, action]))
    assert tuple(view) != before
    theirs.close()


@pytest.mark.parametrize("id", IDS)
def test_a_replay_gives_the_same_texts_rewards_and_ledgers(id):
    rng = np.random.default_rng(5)
    messages = [random_messages(rng, id)[0] for _ in range(8)]
    runs = []
    for _ in range(2):
        env = gym.make(id, turn_limit=100)
        runs.append([env.reset(seed=2)])
        for message in messages:
            runs[-1].append(env.step(message))
            if runs[-1][-1][2]:
                break
    assert runs[0] == runs[1]


@pytest.mark.parametrize("id", IDS)
def test_a_long_message_counts_as_its_actions_one_by_one(id):
    rng = np.random.default_rng(9)
    vocabulary = all_ids()[id][0].words.vocabulary
    actions = rng.integers(len(vocabulary.names), size=300).tolist()
    whole, one_by_one = (gym.make(id, turn_limit=1000, max_actions=None) for _ in range(2))
    whole.reset(seed=4), one_by_one.reset(seed=4)
    *_, terminated, _, ledger = whole.step(write(actions, "plain", vocabulary).join(["<action>", "</action>"]))
    singles = []
    for action in actions:
        *_, ended, _, info = one_by_one.step(write([action], "tag:action", vocabulary))
        singles.append(info)
        if ended:
            break
    for name in FLAGS[:-1]:
        assert ledger[name][: len(singles)] == [info[name][0] for info in singles]
        assert not any(ledger[name][len(singles) :])
    assert ledger["num_changed"] == singles[-1]["num_changed"] and ledger["num_asked"] == 300
    assert terminated == ended


def test_seeds_give_the_same_levels_whatever_was_drawn_before():
    env = gym.make(IDS[0])
    first = [env.reset(seed=5)[0], env.reset()[0], env.reset()[0]]
    for other in (9, 4, 5):
        env.reset(seed=other)
        env.reset()
    assert [env.reset(seed=5)[0], env.reset()[0], env.reset()[0]] == first
    assert len(set(first)) == 3
    following, _ = gym.make_vec(IDS[0], num_envs=3).reset(seed=5)
    assert following[0] == first[0] and first[1] not in following


def played(id, num_steps=30, num_envs=N, actions=random_actions, **settings):
    """Return all that a batch gave in so many turns."""
    envs = gym.make_vec(id, num_envs=num_envs, turn_limit=9, num_levels=20, **settings)
    rng, (seen, info) = np.random.default_rng(0), envs.reset(seed=3)
    turns = [(seen, info)]
    for _ in range(num_steps):
        given = actions(rng, id)
        turns.append(envs.step(np.resize(given, num_envs) if isinstance(given, np.ndarray) else given))
    return turns


def assert_same(one, other, path=""):
    assert type(one) is type(other), path
    if isinstance(one, dict):
        assert one.keys() == other.keys(), path
        for name in one:
            assert_same(one[name], other[name], f"{path}.{name}")
    elif isinstance(one, tuple | list):
        for place, pair in enumerate(zip(one, other, strict=True)):
            assert_same(*pair, f"{path}[{place}]")
    elif isinstance(one, np.ndarray) and one.dtype == object:
        assert_same(one.tolist(), other.tolist(), path)
    else:
        np.testing.assert_array_equal(one, other, path)


@pytest.mark.parametrize("id", IDS)
@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
def test_threads_play_the_same(id, mode, monkeypatch):
    monkeypatch.setattr("textworlds.threads.WORTH_A_THREAD", 64)
    settings = {"num_envs": 300, "observation": "picture", "action": "discrete", "autoreset_mode": mode}
    assert_same(played(id, threads=3, **settings), played(id, **settings))


@pytest.mark.parametrize("id", IDS)
@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
def test_without_novelty_all_else_is_the_same(id, mode):
    settings = {"observation": "picture", "action": "discrete", "autoreset_mode": mode}
    full = played(id, **settings)
    for turn in full:
        for info in (turn[-1], turn[-1].get("final_info", {})):
            for name in ("novel", "_novel", "num_novel", "_num_novel"):
                info.pop(name, None)
    assert_same(played(id, novelty=False, **settings), full)


@pytest.mark.parametrize("id", IDS)
def test_bytes_say_what_texts_say(id):
    turns = played(id, actions=random_messages, autoreset_mode="SameStep")
    as_bytes = played(
        id,
        actions=lambda rng, id: np.array([message.encode() for message in random_messages(rng, id)]),
        as_bytes=True,
        autoreset_mode="SameStep",
    )
    for turn, other in zip(turns, as_bytes, strict=True):
        texts = [text.split("\n\n")[-1] if text.startswith("Not read") else text for text in turn[0]]
        assert texts == [row.tobytes().decode("ascii") for row in other[0]]
        for infos in (turn[-1], other[-1]):
            infos.pop("final_obs", None)
        assert_same(turn[1:], other[1:])


def test_what_a_turn_gave_is_not_touched_by_the_next():
    envs = gym.make_vec(IDS[0], num_envs=N, observation="picture", action="discrete")
    envs.reset(seed=0)
    seen, *results, info = envs.step(np.zeros(N, int))
    kept = [seen.copy(), *(one.copy() for one in results), {name: value.copy() for name, value in info.items()}]
    for action in (1, 2, 3):
        envs.step(np.full(N, action))
    assert_same([seen, *results, info], kept)


def test_any_layout_of_actions_is_read():
    envs = [gym.make_vec(IDS[0], num_envs=N, observation="picture", action="discrete") for _ in range(2)]
    for env in envs:
        env.reset(seed=0)
    actions = np.random.default_rng(0).integers(4, size=(10, N, 2))
    for turn in actions:
        assert not turn[:, 0].flags.c_contiguous
        assert_same(envs[0].step(turn[:, 0]), envs[1].step(turn[:, 0].copy()))
        assert_same(envs[0].step(turn[:, 1].astype(np.uint16)), envs[1].step(turn[:, 1].copy()))


def test_a_state_with_novelty_and_one_without_do_not_mix():
    with_it, without = gym.make(IDS[0]).unwrapped, gym.make(IDS[0], novelty=False).unwrapped
    for one, other in ((with_it, without), (without, with_it)):
        one.reset(seed=0)
        other.reset(seed=0)
        with pytest.raises(ValueError, match="novelty"):
            one.set_state(other.get_state())


def test_long_episodes_fill_no_table():
    env = gym.make(IDS[1], height=31, width=31, action="discrete", turn_limit=10**6, split="all").unwrapped
    env.reset(seed=0)
    seen, rng = {env.get_state().state.board.tobytes()}, np.random.default_rng(0)
    for _ in range(4000):
        _, _, over, _, info = env.step(int(rng.integers(4)))
        board = env.get_state().state.board.tobytes()
        assert info["novel"] == (board not in seen)
        seen.add(board)
        if over:
            env.reset()
            seen = {env.get_state().state.board.tobytes()}


@pytest.mark.parametrize("novelty", [3, None, "yes"])
def test_novelty_is_yes_or_no(novelty):
    with pytest.raises(ValueError, match="novelty must be a bool"):
        gym.make(IDS[0], novelty=novelty)


def test_bytes_have_the_length_that_their_space_says():
    env = gym.make(IDS[0], as_bytes=True)
    env.reset(seed=0)
    with pytest.raises(ValueError, match="shape"):
        env.reset(options={"level": "#######\n#@ $ .#\n#     #\n#######"})


def test_worlds_that_were_over_before_do_not_end_twice():
    settings = {"num_envs": N, "turn_limit": 1, "action": "discrete", "observation": "picture"}
    first, second = (gym.make_vec(IDS[0], autoreset_mode=mode, **settings) for mode in ("NextStep", "SameStep"))
    first.reset(seed=0)
    assert first.step(np.zeros(N, int))[3].all()
    second.set_state(first.get_state())
    *_, truncated, info = second.step(np.zeros(N, int))
    assert not truncated.any() and "final_info" not in info
    assert second.step(np.zeros(N, int))[3].all()
