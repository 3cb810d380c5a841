"""What is measured in processes of their own: imports, first calls, memory.

Each measure is a name, a unit, and a program whose standard output ends in a number.
"""

import os
import subprocess
import sys
import tempfile
from typing import NamedTuple

LEVEL = ["#######", "#@-$-.#", "#######"]  # so that no generator is compiled
IMPORT = """
import time, gymnasium
start = time.perf_counter()
import textworlds
print(time.perf_counter() - start)
"""
FIRST_STEP = """
import time
start = time.perf_counter()
import gymnasium, textworlds
envs = gymnasium.make_vec("textworlds/{id}", 64, observation="picture", action="discrete"{settings})
envs.reset(seed=0)
envs.step(envs.action_space.sample())
print(time.perf_counter() - start)
"""
SIZE = """
import gc, os, sys
import gymnasium, numpy, textworlds

def megabytes():
    gc.collect()
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

def make(num_worlds):
    return gymnasium.make_vec("textworlds/Sokoban-expert-v0", num_worlds, autoreset_mode="SameStep",
        levels="Sokoban-expert-v0-test", observation="picture", action="discrete")

def play(envs, turns):
    rows = numpy.random.default_rng(0).integers(4, size=(64, envs.num_envs))
    for turn in range(turns):
        envs.step(rows[turn % 64])

small = make(64)
small.reset(seed=0)
play(small, 250)  # compiles, so that this is not counted
"""
MEMORY = """
before = megabytes()
envs = make(65536)
envs.reset(seed=0)
{played}
print(megabytes() - before)
"""
GROWTH = """
envs = make(4096)
envs.reset(seed=0)
play(envs, {turns} // 10)
before = megabytes()
play(envs, {turns})
print(megabytes() - before)
"""


class Process(NamedTuple):
    """A measure that takes a process; `rounds` of them are enough."""

    name: str
    unit: str
    program: str
    is_cold: bool = False
    rounds: int = 7


def all_processes(growth_steps: int) -> list[Process]:
    """Return all that is measured in processes of their own."""
    drawn = FIRST_STEP.format(id="Sokoban-easy-v0", settings=f", levels=[{chr(10).join(LEVEL)!r}]")
    made = FIRST_STEP.format(id="Sokoban-easy-v0", settings="")
    after, growth = MEMORY.format(played="play(envs, 250)"), GROWTH.format(turns=growth_steps // 4096)
    first = "first step of 64 worlds, all imports included"
    return [
        Process("import textworlds, once gymnasium is imported", "s", IMPORT),
        Process(f"{first}, drawn level, warm cache", "s", drawn),
        Process(f"{first}, drawn level, empty cache", "s", drawn, True, 3),
        Process(f"{first}, Sokoban-easy-v0 generated, warm cache", "s", made),
        Process(f"{first}, Sokoban-easy-v0 generated, empty cache", "s", made, True, 3),
        Process("memory of 65536 worlds of Sokoban 10x10, reset", "MB", SIZE + MEMORY.format(played=""), rounds=3),
        Process("memory of 65536 worlds of Sokoban 10x10, after 250 turns", "MB", SIZE + after, rounds=3),
        Process(f"memory growth over {growth_steps:,} steps of 4096 worlds", "MB", SIZE + growth, rounds=1),
    ]  # fmt: skip


def run(process: Process) -> float:
    """Return the number that a process says; a cold one has an empty cache of kernels."""
    with tempfile.TemporaryDirectory() as folder:
        settings = os.environ | ({"NUMBA_CACHE_DIR": folder} if process.is_cold else {})
        command = [sys.executable, "-c", process.program]
        said = subprocess.run(
            command, env=settings, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
    return float(said.stdout.split()[-1])
