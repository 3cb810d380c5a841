"""The method apart from any agent: its formulas, and that nothing pays that should not."""

import subprocess
import sys

import gymnasium
import numpy as np
import pytest

import textworlds  # noqa: F401
from textworlds.wmact import METHODS, EpisodeStatistics, Method, TurnLimit, find_method

PAID_BY_SHARE = [name for name, method in METHODS.items() if method.scaled_by]


def statistics(turns=1, asked=1, changed=1, novel=1):
    return EpisodeStatistics(*(np.atleast_1d(np.float64(count)) for count in (turns, asked, changed, novel)))


def test_the_five_methods_are_those_of_the_paper_and_its_ablation():
    assert [*METHODS] == ["entire-plan", "interactive", "rescaled", "wmact", "step-penalty"]
    assert [name for name, method in METHODS.items() if method.single_turn] == ["entire-plan"]
    assert [name for name, method in METHODS.items() if method.anneals] == ["wmact"]
    assert [name for name, method in METHODS.items() if method.step_penalty] == ["step-penalty"]
    assert PAID_BY_SHARE == ["rescaled", "wmact", "step-penalty"]


def test_a_method_that_there_is_not_is_refused_with_those_that_there_are():
    with pytest.raises(
        ValueError, match="unknown method 'wmactt'; known: entire-plan, interactive, rescaled, wmact, step"
    ):
        find_method("wmactt")


def test_a_method_that_is_given_is_found():
    own = Method("own", scaled_by="novel")
    assert find_method(own) == own and find_method(own, step_penalty=0.5) == Method("own", False, "novel", False, 0.5)


def test_the_method_needs_no_torch():
    code = "import sys, textworlds.wmact; print([m for m in ('torch', 'scipy') if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


@pytest.mark.parametrize(
    "outcome, counts, method, expected",
    [
        (1.0, {"asked": 4, "changed": 3}, "wmact", 0.75),
        (1.0, {"asked": 4, "changed": 3}, "interactive", 1.0),
        (1.0, {"asked": 4, "changed": 3}, "entire-plan", 1.0),
        (1.0, {"asked": 0, "changed": 0}, "wmact", 0.0),  # N = 0
        (0.0, {"asked": 4, "changed": 4}, "wmact", 0.0),
        (-1.0, {"asked": 4, "changed": 1}, "wmact", -1.0),  # only R >= 0 is scaled
        (20.0, {"asked": 10, "changed": 5}, "rescaled", 10.0),
        (1.0, {"turns": 3, "asked": 4, "changed": 2}, "step-penalty", 0.5 - 0.3),  # added after scaling
        (-1.0, {"turns": 2, "asked": 4, "changed": 2}, "step-penalty", -1.2),
    ],
)
def test_an_episode_pays_its_outcome_times_its_share_less_its_penalties(outcome, counts, method, expected):
    assert METHODS[method].reward([outcome], statistics(**counts)) == pytest.approx([expected])


def test_a_method_can_scale_by_novel_states():
    method = find_method("wmact", scaled_by="novel")
    assert method.reward([1.0], statistics(asked=4, changed=4, novel=1)) == pytest.approx([0.25])


@pytest.mark.parametrize("name", METHODS)
def test_wrapped_environments_pay_by_turns_what_the_formula_says_of_episodes(name):
    method = METHODS[name]
    envs = method.wrap(
        gymnasium.make_vec("textworlds/Maze-easy-v0", num_envs=32, height=5, width=5, min_moves=1, max_moves=5)
    )
    random = np.random.default_rng(0)
    envs.unwrapped.turn_limit = 4
    envs.reset(seed=0)
    paid, over = np.zeros(32), np.zeros(32, bool)
    while not over.all():
        messages = [
            f"<action>{', '.join(random.choice(['up', 'down', 'left', 'right'], 8))}</action>" for _ in range(32)
        ]
        _, rewards, terminated, truncated, info = envs.step(messages)
        paid += np.where(over, 0, rewards)
        for world in np.flatnonzero((terminated | truncated) & ~over):
            counts = EpisodeStatistics.from_info(
                {name: np.atleast_1d(info[name][world]) for name in EpisodeStatistics._fields}
            )
            assert paid[world] == pytest.approx(method.reward([info["outcome_reward"][world]], counts)[0])
        over |= terminated | truncated
    assert len(np.unique(paid)) > 1


def test_shares_are_those_of_whole_episodes():
    counts = EpisodeStatistics(np.array([1, 2]), np.array([4, 0]), np.array([3, 0]), np.array([1, 0]))
    assert counts.effective_share.tolist() == [0.75, 0] and counts.novel_share.tolist() == [0.25, 0]


def test_statistics_come_from_single_and_vector_infos_alike():
    env = gymnasium.make("textworlds/Maze-easy-v0")
    env.reset(seed=3)
    *_, info = env.step("<action>up, down, left, right</action>")
    envs = gymnasium.make_vec("textworlds/Maze-easy-v0", num_envs=1, turn_limit=1, autoreset_mode="SameStep")
    envs.reset(seed=3)
    _, _, terminated, truncated, infos = envs.step(["<action>up, down, left, right</action>"])
    many = EpisodeStatistics.from_info(infos, terminated | truncated)
    assert [float(count) for count in EpisodeStatistics.from_info(info)] == [float(count[0]) for count in many]
    assert many.num_asked.tolist() == [4]


# The limit on turns


@pytest.mark.parametrize(
    "turns, start, expected",
    [([12, 12], 12, 12), ([1, 5], 12, 4), ([2, 3], 12, 3), ([1, 1, 1], 12, 1), ([20, 20], 12, 12), ([0, 0], 5, 1)],
)
def test_the_limit_is_the_middle_of_mean_and_most_turns_rounded_up_and_never_raised(turns, start, expected):
    assert TurnLimit(start, tau=1).record(turns) == expected


def test_the_limit_changes_every_tau_iterations_only_and_looks_back_on_all_of_them():
    limit = TurnLimit(10, tau=3)
    assert [limit.record(turns) for turns in ([9], [2], [2])] == [10, 10, 7]  # (13 / 3 + 9) / 2
    assert [limit.record(turns) for turns in ([1], [1], [1])] == [7, 7, 1]


@pytest.mark.parametrize(
    "options, expected",
    [
        ({}, 3),  # (1.5 + 3) / 2 = 2.25
        ({"rounding": "down"}, 2),
        ({"rounding": "nearest"}, 2),
        ({"least": 4}, 4),
        ({"window": 1}, 2),  # the last iteration only: (1 + 2 + ... ) -> mean 1.5, most 2
        ({"solved_only": True}, 1),
    ],
)
def test_each_convention_of_the_limit_is_an_option(options, expected):
    limit = TurnLimit(10, tau=2, **options)
    limit.record([1, 1, 1, 3], [True, True, True, False])
    assert limit.record([1, 2, 1, 2], [True, False, True, False]) == expected


def test_the_limit_may_rise_if_asked_to_but_not_above_its_start():
    limit = TurnLimit(6, tau=1, may_rise=True)
    assert [limit.record(turns) for turns in ([1], [4], [9])] == [1, 4, 6]


def test_with_no_solved_episode_a_limit_that_looks_at_these_stays():
    assert TurnLimit(6, tau=1, solved_only=True).record([1, 1], [False, False]) == 6


@pytest.mark.parametrize("name", METHODS)
def test_only_wmact_anneals_and_only_entire_plan_begins_with_one_turn(name):
    limit = METHODS[name].limit(8, tau=1)
    assert limit.value == (1 if name == "entire-plan" else 8)
    limit.record([1, 1])
    assert limit.value == (1 if name in ("entire-plan", "wmact") else 8)


def test_a_limit_goes_on_from_its_state():
    one, other = TurnLimit(12, tau=4), TurnLimit(12, tau=4)
    for turns in ([12, 5], [4, 9], [3, 3]):
        one.record(turns)
    other.load_state_dict(one.state_dict())
    assert one.record([2, 7]) == other.record([2, 7]) < 12


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({"start": 0}, "start must be a whole number of at least 1; got 0"),
        ({"start": 5, "tau": -1}, "tau must be a whole number of at least 1; got -1"),
        ({"start": 5, "tau": 0}, "tau must be a whole number of at least 1; got 0"),
        ({"start": 2.5}, "start must be a whole number of at least 1; got 2.5"),
        ({"start": 5, "rounding": "sideways"}, "unknown rounding 'sideways'; known: up, down, nearest"),
        ({"start": 5, "least": 6}, "least must be at most start; got 6 and 5"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        TurnLimit(**arguments)


def test_turns_that_are_no_counts_are_refused():
    with pytest.raises(ValueError, match="turns are counts; got nan"):
        TurnLimit(5).record([1.0, float("nan")])


def test_a_method_cannot_scale_by_anything_else():
    with pytest.raises(ValueError, match="unknown scaled_by 'progress'; known: changed, novel, None"):
        find_method("wmact", scaled_by="progress")


# Exploits: none may pay more than doing without


CORRIDOR = "#######\n#@--$.#\n#######"  # solved by right, right, right


def paid(method: Method, *messages: str, level=CORRIDOR) -> float:
    env = method.wrap(gymnasium.make("textworlds/Sokoban-easy-v0", turn_limit=6))
    env.reset(options={"level": level})
    total, over = 0.0, False
    for message in messages:
        _, reward, terminated, truncated, _ = env.step(message)
        total, over = total + reward, terminated or truncated
    assert over, "an episode of these tests goes on to its end"
    return total


@pytest.mark.parametrize("name", PAID_BY_SHARE)
def test_walking_to_and_fro_before_solving_never_pays(name):
    clean = paid(METHODS[name], "<action>right, right, right</action>")
    to_and_fro = "<action>right, left, right, left, right, right, right</action>"
    assert paid(METHODS[name], to_and_fro) <= clean
    assert paid(find_method(name, scaled_by="novel"), to_and_fro) < clean


@pytest.mark.parametrize("name", PAID_BY_SHARE)
def test_walking_to_and_fro_without_solving_pays_nothing(name):
    penalty = 6 * METHODS[name].step_penalty
    assert paid(METHODS[name], *["<action>right, left, right, left</action>"] * 6) == pytest.approx(-penalty)


def test_padding_after_a_mistake_pays_by_the_papers_rule_but_never_above_a_clean_plan_and_never_by_novel_states():
    clean, blunt = "<action>right, right, right</action>", "<action>up, right, right, right</action>"
    padded = "<action>up, right, left, right, left, right, right, right</action>"
    wmact, novel = METHODS["wmact"], find_method("wmact", scaled_by="novel")
    assert paid(wmact, blunt) < paid(wmact, padded) < paid(wmact, clean) == 1
    assert paid(novel, padded) < paid(novel, blunt) < paid(novel, clean) == 1


@pytest.mark.parametrize("name", PAID_BY_SHARE)
def test_a_box_taken_on_and_off_its_goal_does_not_pay(name):
    two = "#########\n#-------#\n#-@$.---#\n#--$-.--#\n#-------#\n#########"
    on, off = "<action>right</action>", "<action>right</action>"
    again = "<action>up, right, right, down, left</action>"
    assert paid(METHODS[name], on, off, again, *["<action>up, down</action>"] * 3, level=two) == pytest.approx(
        -6 * METHODS[name].step_penalty
    )


@pytest.mark.parametrize("name", PAID_BY_SHARE)
def test_quitting_by_unread_messages_does_not_pay(name):
    method = METHODS[name]
    quit = paid(method, *["no actions here"] * 6)
    tried = paid(method, *["<action>right, left</action>"] * 6)
    assert quit <= tried <= 0
    late = paid(method, "no actions here", "<action>right, right, right</action>")
    assert late <= paid(method, "<action>right, right, right</action>")
