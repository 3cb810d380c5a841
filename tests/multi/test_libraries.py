"""Libraries that take PettingZoo's environments take ours."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


def test_supersuit_makes_a_vector_environment_of_all_agents():
    supersuit = pytest.importorskip("supersuit")
    from textworlds.multi import maze_v0

    env = maze_v0.parallel_env("Maze-meeting-2p-v0", observation="picture", action="discrete", turn_limit=5)
    alone = maze_v0.parallel_env("Maze-meeting-2p-v0", observation="picture", action="discrete", turn_limit=5)
    envs = supersuit.pettingzoo_env_to_vec_env_v1(env)
    seen, _ = envs.reset(seed=3)
    expected, _ = alone.reset(seed=3)
    np.testing.assert_array_equal(seen, list(expected.values()))
    for actions in ([0, 1], [3, 2], [4, 4]):
        seen, rewards, *_ = envs.step(np.array(actions))
        expected, own, *_ = alone.step(dict(zip(alone.agents, actions, strict=True)))
        np.testing.assert_array_equal(seen, list(expected.values()))
        assert rewards.tolist() == list(own.values())


@pytest.mark.slow
def test_the_example_trains_a_pair_that_does_better_than_a_random_one():
    pytest.importorskip("stable_baselines3")
    command = [sys.executable, ROOT / "examples" / "train_pair.py", "--steps", "300000"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600).stdout
    by_chance, trained = (float(rate) for rate in re.findall(r"([\d.]+)%", said))
    assert by_chance < 10 and trained > 2 * by_chance
