"""Levels as asked: windows, splits, what is said where there is none, and that nothing hangs on the batch."""

import re

import gymnasium as gym
import numpy as np
import pytest

from textworlds import PUZZLES, Episode, all_ids, find_id
from textworlds.grid import new_state
from textworlds.kernel import compiles
from textworlds.levels.content import ANY, SPLITS
from textworlds.levels.making import NoLevel, Wanted, grade_levels, make_levels, window_of

needs_speed = pytest.mark.skipif(not compiles(), reason="takes minutes in plain Python")
SOKOBAN = PUZZLES["sokoban"]
WINDOWED = [id for id, (puzzle, settings) in all_ids().items() if window_of(puzzle, puzzle.options(**{
    name: settings[name] for name in puzzle.options._fields if name in settings
}))]  # fmt: skip
IMPOSSIBLE = {"min_pushes": 500, "max_pushes": 0}


def made(id, seeds, episodes, split=ANY, at_once=64):
    """Return the pictures of the levels with these seeds and numbers of episodes, made so many at a time."""
    puzzle, settings = find_id(id)
    options = puzzle.options(**{name: settings[name] for name in puzzle.options._fields if name in settings})
    shape = puzzle.num_planes(options), settings["height"], settings["width"]
    state = new_state(len(seeds), shape)
    state.book["seed"], state.book["episode"] = seeds, episodes
    for first in range(0, len(seeds), at_once):
        make_levels(puzzle, state, np.arange(len(seeds))[first : first + at_once], Wanted(options, split))
    return state.board.reshape(len(seeds), *shape)


# Windows.


def test_windows_are_what_the_options_say():
    options = SOKOBAN.options
    assert window_of(SOKOBAN, options(1)) is None
    assert window_of(SOKOBAN, options(1, 3, 5)) == (3, 5)
    assert window_of(SOKOBAN, options(1, 3, 0)) == (3, np.inf)
    assert window_of(SOKOBAN, options(1, 0, 5)) == (0, 5)


def test_most_ids_have_a_window():
    assert len(WINDOWED) > len(all_ids()) // 2


@needs_speed
@pytest.mark.parametrize("id", WINDOWED)
def test_every_id_keeps_to_its_window(id):
    check_window(id, 10)


@needs_speed
@pytest.mark.slow
@pytest.mark.parametrize("id", WINDOWED)
def test_every_id_keeps_to_its_window_on_many_levels(id):
    check_window(id, 200)


def check_window(id, count):
    puzzle, settings = find_id(id)
    costs = grade_levels(puzzle, made(id, np.arange(count), np.arange(count) % 3), all_costs=False)[:, 0]
    assert (costs >= settings[f"min_{puzzle.costs[0]}"]).all(), "a level is too easy, or not settled"
    assert (costs <= settings[f"max_{puzzle.costs[0]}"]).all()


@needs_speed
@pytest.mark.parametrize(("least", "most"), [(1, 1), (2, 3), (0, 2), (8, 0)])
def test_windows_of_ones_own_are_kept(least, most):
    episode = Episode("Sokoban-easy-v0", min_pushes=least, max_pushes=most, split="all")
    for seed in range(10):
        episode.reset(seed)
        assert least <= episode.certificate()["pushes"] <= (most or np.inf)


# What a level hangs on.


@needs_speed
@pytest.mark.parametrize("id", all_ids())
def test_a_level_hangs_on_its_seed_and_episode_and_not_on_its_batch(id):
    seeds = np.array([0, 0, 1, 7, 2**63, 2**64 - 1] * 4, np.uint64)
    episodes = np.arange(24) // 6
    alone, together = (made(id, seeds, episodes, at_once=at_once) for at_once in (1, 64))
    assert np.array_equal(alone, together)
    back = made(id, seeds[::-1], episodes[::-1], at_once=5)
    assert np.array_equal(back[::-1], together)


@needs_speed
@pytest.mark.parametrize("split", range(len(SPLITS)))
def test_levels_of_a_split_do_not_hang_on_their_batch_either(split):
    seeds = np.arange(20, dtype=np.uint64)
    alone, together = (made("Sokoban-easy-v0", seeds, seeds % 2, split, at_once) for at_once in (1, 64))
    assert np.array_equal(alone, together)


@needs_speed
def test_an_episode_plays_what_is_made_from_its_seed_and_number():
    episode = Episode("Sokoban-easy-v0", split="all")
    pictures = []
    for number in range(5):
        episode.reset(None if number else 9)
        pictures.append(episode.picture())
    assert np.array_equal(pictures, made("Sokoban-easy-v0", np.full(5, 9), np.arange(5)))


# No level.

SENTENCES = [
    (
        {"min_pushes": 500, "max_pushes": 0},
        r"sokoban: no train level of 500 or more pushes found in 10,000 tries; nearest: \d+",
    ),
    (
        {"min_pushes": 500, "max_pushes": 600, "split": "test"},
        r"sokoban: no test level of 500 to 600 pushes found in 10,000 tries; nearest: \d+",
    ),
    (
        {"min_pushes": 500, "max_pushes": 600, "split": "all"},
        r"sokoban: no level of 500 to 600 pushes found in 10,000 tries; nearest: \d+",
    ),
]


@needs_speed
@pytest.mark.parametrize(("asked", "sentence"), SENTENCES, ids=str)
def test_where_there_is_no_level_a_sentence_says_what_was_looked_for(asked, sentence):
    with pytest.raises(NoLevel) as error:
        Episode("Sokoban-easy-v0", **asked).reset(0)
    assert re.fullmatch(sentence, str(error.value)), str(error.value)
    assert isinstance(error.value, ValueError)


@needs_speed
def test_a_split_without_levels_is_said_to_have_none():
    """Of one row of three cells there is one level, and so one split that has it."""
    answers = []
    for split in SPLITS:
        episode = Episode(SOKOBAN, height=3, width=7, split=split)
        try:
            answers.append(len({episode.reset(seed) for seed in range(20)}))
        except NoLevel as error:
            answers.append(str(error))
    assert len(answers) == 3
    for split, answer in zip(SPLITS, answers, strict=True):
        if isinstance(answer, str):
            assert answer == f"sokoban: no {split} level found in 10,000 tries with {SOKOBAN.options()}"


@needs_speed
def test_the_nearest_is_the_one_nearest_to_the_window():
    with pytest.raises(NoLevel) as error:
        Episode("Sokoban-easy-v0", min_pushes=500, max_pushes=0).reset(0)
    nearest = int(str(error.value).rsplit(" ", 1)[1])
    episode = Episode("Sokoban-easy-v0", min_pushes=1, max_pushes=0)
    assert nearest > max(len_of_pushes(episode, seed) for seed in range(20)) // 2


def len_of_pushes(episode, seed):
    episode.reset(seed)
    return episode.certificate()["pushes"]


@needs_speed
def test_after_a_failed_first_reset_an_episode_says_to_call_reset():
    episode = Episode("Sokoban-easy-v0", **IMPOSSIBLE)
    for _ in range(2):
        with pytest.raises(NoLevel):
            episode.reset(0)
        with pytest.raises(RuntimeError, match=r"call reset\(\)"):
            episode.act("<action>up</action>")
        for asks in (episode.solve, episode.picture, episode.action_mask, episode.certificate):
            with pytest.raises(RuntimeError, match=r"call reset\(\)"):
                asks()


@needs_speed
def test_after_a_failed_reset_another_one_begins_an_episode():
    level = "#####\n#@$.#\n#####"
    episode = Episode("Sokoban-easy-v0", **IMPOSSIBLE)
    with pytest.raises(NoLevel):
        episode.reset(0)
    assert episode.reset(level=level) == level
    assert episode.act("<action>right</action>").terminated
    with pytest.raises(NoLevel):
        episode.reset()


@needs_speed
@pytest.mark.parametrize("make", [gym.make, gym.make_vec])
def test_after_a_failed_reset_an_environment_can_be_reset_again(make):
    # Gymnasium's own checker, which gym.make adds, takes a reset that failed for one that returned something.
    checker = {"disable_env_checker": True} if make is gym.make else {}
    env = make("textworlds/Sokoban-easy-v0", **IMPOSSIBLE, **checker)
    with pytest.raises(NoLevel):
        env.reset(seed=0)
    level = "\n".join(["#######", "#@$.###", *["#######"] * 5])
    texts, _ = env.reset(options={"level": level})
    assert level in (texts, *texts)
    messages = ["<action>right</action>"] if make is gym.make_vec else "<action>right</action>"
    assert np.all(env.step(messages)[2])


@needs_speed
def test_a_reset_that_fails_in_the_middle_of_an_episode_ends_it():
    level = "#####\n#@$.#\n#####"
    episode = Episode("Sokoban-easy-v0", **IMPOSSIBLE)
    episode.reset(level=level)
    with pytest.raises(NoLevel):
        episode.reset()
    with pytest.raises(RuntimeError, match=r"call reset\(\)"):
        episode.act("<action>up</action>")


@needs_speed
def test_a_batch_whose_reset_failed_does_not_step():
    envs = gym.make_vec("textworlds/Sokoban-easy-v0", num_envs=2, **IMPOSSIBLE)
    with pytest.raises(NoLevel):
        envs.reset(seed=0)
    with pytest.raises(RuntimeError, match="reset"):
        envs.step(["", ""])


@needs_speed
def test_a_bank_for_which_there_is_no_level_is_refused():
    with pytest.raises(NoLevel, match="no train level of 500 or more pushes"):
        gym.make("textworlds/Sokoban-easy-v0", num_levels=2, **IMPOSSIBLE)
