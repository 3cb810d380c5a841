"""Rewards that look at what the actions did, single and batched; and that no trick pays."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from textworlds.wrappers import (
    EffectiveActionReward,
    StepPenalty,
    VectorEffectiveActionReward,
    VectorStepPenalty,
    scale_reward,
)

CORRIDOR = "########\n#--@-$.#\n########"
MESSAGES = ["<action>up, left, right</action>", "nothing to read", "<action>right, right, right</action>"]


def play(env, messages, level=CORRIDOR):
    env.reset(options={"level": level})
    return [env.step(message)[1] for message in messages]


def make(**settings):
    return gym.make("textworlds/Sokoban-easy-v0", **settings)


def test_the_reward_is_scaled_by_the_share_of_effective_actions():
    # Asked: up (a wall), left, right, right (push), and two after the level was solved.
    assert play(EffectiveActionReward(make()), MESSAGES) == [0, 0, 4 / 6]


def test_the_novel_variant_does_not_pay_for_the_way_back():
    assert play(EffectiveActionReward(make(), count="novel"), MESSAGES) == [0, 0, 3 / 6]


def test_penalties_are_added_after_scaling():
    env = StepPenalty(EffectiveActionReward(make()), penalty=0.1)
    assert play(env, MESSAGES) == pytest.approx([-0.1, -0.1, 4 / 6 - 0.1])
    per_action = StepPenalty(EffectiveActionReward(make()), penalty=0.1, per="action")
    assert play(per_action, MESSAGES) == pytest.approx([-0.3, 0, 4 / 6 - 0.3])


def test_only_what_is_paid_for_solving_is_scaled():
    env = EffectiveActionReward(gym.make("textworlds/Taxi-classic-v0"))
    env.reset(seed=0)
    names = env.unwrapped.episode.puzzle.words.vocabulary.names
    plan = ["dropoff"] + [names[action][0] for action in env.unwrapped.solve()]
    _, reward, _, _, info = env.step(f"<action>{', '.join(plan)}</action>")
    assert info["num_changed"] == len(plan) - 1
    assert reward == pytest.approx(-10 - (len(plan) - 2) + 20 * (len(plan) - 1) / len(plan))


def test_penalties_do_not_pay_after_going_back():
    env = StepPenalty(make(action="discrete"), penalty=0.1, per="action")
    env.reset(seed=0)
    state = env.unwrapped.get_state()
    for _ in range(3):
        env.step(0)
    env.unwrapped.set_state(state)
    assert env.step(0)[1] == pytest.approx(-0.1)


def test_edge_cases_of_scaling():
    rewards = scale_reward(np.array([1, 1, 1, -2.0, 0]), np.array([0, 3, 4, 1, 0]), np.array([0, 4, 4, 4, 5]))
    np.testing.assert_array_equal(rewards, [0, 0.75, 1, -2, 0])


TRICKS = {
    "quitting by unread messages": ["no answer"] * 5,
    "walking to and fro": ["<action>lrlrlrlr</action>"] * 5,
    "pushing against walls": ["<action>uuuu</action>"] * 5,
    "asking for nothing": ["<action></action>"] * 5,
}


@pytest.mark.parametrize("trick", TRICKS)
@pytest.mark.parametrize("count", ["changed", "novel"])
def test_no_trick_pays(trick, count):
    env = EffectiveActionReward(make(turn_limit=5), count=count)
    assert sum(play(env, TRICKS[trick])) == 0


def test_a_box_off_its_goal_and_on_again_pays_nothing():
    level = "#######\n#-@*--#\n#-----#\n#-$.--#\n#######"
    off_and_on = "<action>right, down, right, right, up, left</action>"
    env = EffectiveActionReward(make(turn_limit=3, feedback=True))
    env.reset(options={"level": level})
    total, progress = 0.0, 0
    for _ in range(3):
        _, reward, _, _, info = env.step(off_and_on)
        total += reward
        progress += sum(info["progress"])
    assert total == 0 and progress == 0


def test_walking_to_and_fro_before_solving_never_pays_more_than_solving():
    straight = sum(play(EffectiveActionReward(make()), ["<action>rr</action>"]))
    detour = sum(play(EffectiveActionReward(make()), ["<action>lrlrlrrr</action>"]))
    assert straight == 1 and detour <= straight
    assert sum(play(EffectiveActionReward(make(), "novel"), ["<action>lrlrlrrr</action>"])) < detour


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
@pytest.mark.parametrize("count", ["changed", "novel"])
def test_batched_forms_pay_what_single_ones_do(mode, count):
    id, settings = "textworlds/Maze-easy-v0", {"turn_limit": 8, "max_actions": 3, "height": 5, "width": 5}
    envs = gym.make_vec(id, num_envs=6, autoreset_mode=mode, **settings)
    envs = VectorStepPenalty(VectorEffectiveActionReward(envs, count), penalty=0.1, per="action")
    singles = [StepPenalty(EffectiveActionReward(gym.make(id, **settings), count), 0.1, "action") for _ in range(6)]
    envs.reset(seed=0)
    for world, env in enumerate(singles):
        env.reset(seed=world)
    rng, over, paid = np.random.default_rng(3), np.zeros(6, bool), 0
    for _ in range(100):
        messages = [f"<action>{''.join(rng.choice(list('udlr'), 4))}</action>" for _ in range(6)]
        _, rewards, _, _, _ = envs.step(messages)
        for world, env in enumerate(singles):
            if over[world]:
                env.reset()
                over[world] = False
                if mode is AutoresetMode.NEXT_STEP:
                    assert rewards[world] == 0
                    continue
            _, reward, terminated, truncated, _ = env.step(messages[world])
            assert rewards[world] == pytest.approx(reward)
            over[world] = terminated or truncated
            paid += terminated
    assert paid > 5


def test_unknown_choices_name_the_known():
    with pytest.raises(ValueError, match="unknown count 'new'; known: changed, novel"):
        EffectiveActionReward(make(), count="new")
    with pytest.raises(ValueError, match="unknown per 'step'; known: turn, action"):
        StepPenalty(make(), per="step")
