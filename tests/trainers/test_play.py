"""What all plugs share: pay, limits that fall, copies for workers, seeds that do not overlap."""

import multiprocessing
import pickle
import re
import shutil
import subprocess
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

import textworlds
from textworlds import PUZZLES, Conversation, Episode
from textworlds.chat.prompts import PROTOCOLS
from textworlds.integrations.play import Play, SharedLimit
from textworlds.wmact import METHODS

IDS = [next(iter(puzzle.ids)) for puzzle in PUZZLES.values()]


def solve(play, useless=0):
    """Solve what was begun in one turn, after so many turns of an action that changes nothing."""
    episode = play.conversation.episode
    for _ in range(useless):
        play.reply(play.conversation.answer([int(np.flatnonzero(~episode.action_mask())[0])]))
    return play.reply(play.conversation.answer(episode.solve()))


@pytest.mark.parametrize("id", IDS)
def test_an_episode_pays_its_outcome_times_its_effective_share(id):
    play = Play(id)
    play.begin(seed=3)
    length = len(play.conversation.episode.solve())
    reply = solve(play, useless=2)
    assert reply.terminated and play.pay() == pytest.approx(length / (length + 2))
    assert play.metrics()["solved"] == 1 and play.metrics()["effective_share"] == pytest.approx(play.pay())
    assert play.metrics()["turns"] == 3


@pytest.mark.parametrize("name", METHODS)
def test_every_method_pays_what_it_says(name):
    play = Play(IDS[1], method=name)
    play.begin(seed=3)
    solve(play)
    assert play.pay() == pytest.approx(0.9 if name == "step-penalty" else 1.0)
    assert play.conversation.turn_limit == (1 if name == "entire-plan" else 60)


def test_a_shared_limit_falls_by_the_turns_of_all_episodes():
    shared = SharedLimit(METHODS["wmact"].limit(start=12, tau=1))
    plays = [Play(IDS[1], limit=shared) for _ in range(3)]
    for useless, play in enumerate(plays):
        play.begin(seed=useless)
        assert play.conversation.limits[0] == 12
        solve(play, useless)
    assert shared.turns == [1, 2, 3]
    assert shared.record(shared.take()) == 3 and shared.turns == []  # ceil((2 + 3) / 2)
    assert "You have 3 turns" in plays[0].begin(seed=9)[0]["content"]
    assert shared.record([]) == 3


def test_episodes_that_their_trainer_ends_count_for_the_limit_once():
    shared = SharedLimit(METHODS["wmact"].limit(start=12, tau=1))
    play = Play(IDS[1], limit=shared)
    for turns in (5, 5, 0):
        play.begin(seed=turns)
        for _ in range(turns):
            play.reply("hm")
    play.begin(seed=9)
    solve(play)
    play.end(), play.end()
    assert shared.take() == [5, 5, 1]
    play.begin(seed=9, turn_limit=3)
    solve(play)
    play.begin(seed=1)
    assert shared.take() == [] and play.conversation.limits[0] == 12


def test_trainers_keep_the_history_themselves():
    with pytest.raises(ValueError, match="history is 'all'; got 2"):
        Play(IDS[0], history=2)


def test_shots_go_on_under_a_limit_that_falls():
    shared = SharedLimit(METHODS["wmact"].limit(start=12, tau=1))
    play = Play(IDS[1], limit=shared, shots=2, max_actions=5)
    first = play.begin(seed=1)
    shared.record([1])
    assert "You have 1 turn." in play.begin(seed=1)[0]["content"] and play.begin(seed=1)[1:] == first[1:]


def test_one_turn_stays_one_turn():
    shared = SharedLimit(METHODS["wmact"].limit(start=12, tau=1))
    with pytest.raises(ValueError, match="'entire-plan' has one turn; got a limit of 12"):
        Play(IDS[1], protocol="entire-plan", limit=shared)
    for play in (Play(IDS[1], method="entire-plan"), Play(IDS[1], protocol="entire-plan")):
        for turns in (0, 5):
            with pytest.raises(ValueError, match="one turn"):
                play.begin(1, turns)
        play.begin(1, 1)
    with pytest.raises(ValueError, match="one turn"):
        Play(IDS[1], method="entire-plan", limit=shared).begin(1)


def test_before_it_begins_a_play_has_no_pay():
    for asked in (Play(IDS[1]).pay, Play(IDS[1]).metrics):
        with pytest.raises(RuntimeError, match="reset"):
            asked()


def test_a_row_may_set_the_limit_of_its_episode():
    play = Play(IDS[1])
    assert "You have 2 turns" in play.begin(seed=1, turn_limit=2)[0]["content"]
    assert "You have 60 turns" in play.begin(seed=2)[0]["content"]


MAKERS = {
    "episode": lambda: Episode(IDS[0]),
    "conversation": lambda: Conversation(IDS[0], "predict"),
    "play": lambda: Play(IDS[0]),
    "environment": lambda: gym.make(f"textworlds/{IDS[0]}"),
    "batch": lambda: gym.make_vec(f"textworlds/{IDS[0]}", num_envs=2),
}


def first_of(thing, seed):
    reset = getattr(thing, "begin", None) or thing.reset
    return reset(seed=seed)


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("is_begun", [False, True])
def test_what_workers_need_can_be_pickled(name, is_begun):
    thing = MAKERS[name]()
    if is_begun:
        first_of(thing, 5)
    copy = pickle.loads(pickle.dumps(thing))
    assert str(first_of(copy, 7)) == str(first_of(thing, 7))


def levels_of(worker, num_envs):
    """Return the first levels of a worker's worlds, seeded by its number, and of worlds that chose their seeds themselves."""
    envs = gym.make_vec(f"textworlds/{IDS[0]}", num_envs=num_envs)
    seeded = envs.reset(seed=worker * num_envs)[0]
    own = gym.make_vec(f"textworlds/{IDS[0]}", num_envs=num_envs).reset()[0]
    return list(seeded), list(own)


def test_workers_play_levels_of_their_own():
    assert textworlds
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        played = pool.starmap(levels_of, [(worker, 4) for worker in range(2)])
    alone = gym.make_vec(f"textworlds/{IDS[0]}", num_envs=8).reset(seed=0)[0]
    assert [text for seeded, _ in played for text in seeded] == list(alone)
    assert not set(played[0][1]) & set(played[1][1])


ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
def test_make_imports_each_plug_before_tests_that_would_skip_it():
    (names,) = re.findall("^TRAINERS := (.*)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for name in names.split():
        said = subprocess.check_output(["make", "-n", f"test-with-{name}"], cwd=ROOT, text=True)
        (module,) = re.findall(r'-c "import textworlds\.integrations\.(\w+)"\n.*-m pytest', said)
        assert (ROOT / "textworlds" / "integrations" / f"{module}.py").exists()


def test_templates_of_a_plug_are_beside_it():
    names = {path.name for path in (ROOT / "textworlds" / "integrations" / "tool_prompts").iterdir()}
    assert names == {"system.txt", *(f"{protocol}.txt" for protocol in PROTOCOLS)}
