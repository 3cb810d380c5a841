"""Measure speed and memory beside Gymnasium's Taxi, in one run: medians of several runs, their spread, and ratios.

All runs take turns, so that a machine that wanders treats them alike. Everything a user would wait for is inside: the
observation, rewards, flags, info and automatic resets. Batches draw their levels from a bank of 1,000 (num_levels). Run:
make bench
"""

import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import gymnasium as gym
import numpy as np

import textworlds

ROUNDS, SECONDS = 7, 0.4
MEMORY_STEPS = 10_000_000
PEER = "Taxi-v4" if "Taxi-v4" in gym.registry else "Taxi-v3"  # Gymnasium's newest
EXPERT = "textworlds/Sokoban-expert-v0"
RESULTS = Path(__file__).parent / "results.json"
FLOORS = {  # of the project's first speed goals, a second
    "Sokoban, 4096 worlds, picture": 10e6,
    "Sokoban, 4096 worlds, text": 1e6,
    "Sokoban, 1 world, text, 1 action": 50e3,
}
START = """
import time, gymnasium as gym
start = time.perf_counter()
import textworlds
gym.make("{id}").reset(seed=0)
print(time.perf_counter() - start)
"""


def batch(id: str, num_envs: int, unread: int = 0, **settings) -> tuple[Callable[[], object], int]:
    """Return a function that steps a batch once, and the steps that counts for; levels from a bank of 1,000."""
    envs = gym.make_vec(id, num_envs=num_envs, autoreset_mode="SameStep", num_levels=1000, **settings)
    envs.reset(seed=0)
    rng = np.random.default_rng(0)
    if settings.get("action") == "discrete":
        turns = rng.integers(envs.single_action_space.n, size=(64, num_envs))
    else:
        envs.action_space.seed(0)
        names = [names[0] for names in textworlds.find_id(id)[0].words.vocabulary.names]
        turns = [[f"<action>{', '.join(rng.choice(names, 3))}</action>" for _ in range(num_envs)] for _ in range(16)]
        for messages in turns:
            messages[:unread] = ["hm"] * unread
    state = {"turn": 0}

    def step() -> None:
        envs.step(turns[state["turn"] % len(turns)])
        state["turn"] += 1

    return step, num_envs


def single(id: str, **settings) -> tuple[Callable[[], object], int]:
    """Return a function that steps one environment a hundred times, resets included."""
    env = gym.make(id, **settings)
    env.reset(seed=0)
    space = env.action_space
    space.seed(0)
    if settings.get("max_actions"):
        space.max_sampled = 1
    actions = [space.sample() for _ in range(100)]

    def steps() -> None:
        for action in actions:
            _, _, terminated, truncated, _ = env.step(action)
            if settings.get("render_mode"):
                env.render()
            if terminated or truncated:
                env.reset()

    return steps, 100


def runs() -> dict[str, tuple[Callable[[], object], int]]:
    """Return what is timed, by name."""
    network = {"observation": "picture", "action": "discrete"}
    timed = {f"Sokoban, {n} worlds, picture": batch(EXPERT, n, **network) for n in (1, 64, 4096)}
    timed["Maze 15x15, 4096 worlds, picture"] = batch("textworlds/Maze-hard-v0", 4096, **network)
    timed["Taxi 5x5, 4096 worlds, picture"] = batch("textworlds/Taxi-easy-v0", 4096, **network)
    timed["Sokoban, 4096 worlds, text"] = batch(EXPERT, 4096, action="discrete")
    timed["Sokoban, 4096 worlds, text, messages of 3"] = batch(EXPERT, 4096)
    timed["Sokoban, 4096 worlds, text, one in ten unread"] = batch(EXPERT, 4096, unread=410)
    timed["Sokoban, 1 world, picture"] = single(EXPERT, num_levels=64, **network)
    timed["Sokoban, 1 world, text, 1 action"] = single(EXPERT, num_levels=64, max_actions=1)
    timed["Taxi-classic, 1 world, picture"] = single("textworlds/Taxi-classic-v0", **network)
    timed[PEER] = single(PEER)
    timed[f"{PEER}, ansi text"] = single(PEER, render_mode="ansi")
    for level in ("easy", "medium", "hard", "expert"):
        for puzzle in ("Sokoban", "Maze", "Taxi"):
            timed[f"levels, {puzzle}-{level}"] = resets(f"textworlds/{puzzle}-{level}-v0")
    return timed


def resets(id: str) -> tuple[Callable[[], object], int]:
    """Return a function that begins 16 episodes with new levels."""
    envs = gym.make_vec(id, num_envs=16, observation="picture", action="discrete")
    envs.reset(seed=0)
    return envs.reset, 16


def rate(function: Callable[[], object], count: int) -> float:
    """Return steps a second over about SECONDS."""
    calls, start = 0, time.perf_counter()
    while (passed := time.perf_counter() - start) < SECONDS:
        function()
        calls += 1
    return calls * count / passed


def start_seconds(id: str) -> float:
    """Return the seconds that a new process takes to make and reset an environment, Gymnasium's import aside."""
    return float(subprocess.check_output([sys.executable, "-c", START.format(id=id)], text=True))


def memory_growth() -> float:
    """Return by how many MB ten million steps make the process grow, after a warm-up of a tenth of them."""
    step, count = batch(EXPERT, 4096, observation="picture", action="discrete")
    sizes = []
    for steps in (MEMORY_STEPS // 10, MEMORY_STEPS):
        for _ in range(steps // count):
            step()
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1]) if Path("/proc/self/statm").exists() else 0
        sizes.append(pages * os.sysconf("SC_PAGE_SIZE") / 1e6)
    return sizes[1] - sizes[0]


def main() -> None:
    timed = runs()
    for function, _ in timed.values():
        function()
    rates: dict[str, list[float]] = {name: [] for name in timed}
    for _ in range(ROUNDS):
        for name, (function, count) in timed.items():
            rates[name].append(rate(function, count))
    peer = statistics.median(rates[PEER])
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}")
    print(f"{'a second':44}{'median':>12}{'min':>12}{'max':>12}{'to ' + PEER:>12}")
    for name, values in rates.items():
        middle = statistics.median(values)
        floor = (
            f"  floor {FLOORS[name]:,.0f}: {'met' if middle >= FLOORS[name] else 'MISSED'}" if name in FLOORS else ""
        )
        print(f"{name:44}{middle:12,.0f}{min(values):12,.0f}{max(values):12,.0f}{middle / peer:12.2f}{floor}")
    starts = sorted(start_seconds("textworlds/Sokoban-hard-v0") for _ in range(5))
    print(f"gym.make + reset in a new process, Gymnasium's import aside: {starts[2]:.2f} s (floor 1 s)")
    growth = memory_growth()
    print(f"memory growth over {MEMORY_STEPS:,} steps of 4096 worlds: {growth:.1f} MB")
    RESULTS.write_text(
        json.dumps({"rates": rates, "start_seconds": starts, "memory_growth_mb": growth}, indent=1) + "\n"
    )


if __name__ == "__main__":
    main()
