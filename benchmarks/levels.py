"""Measure how fast levels are made and certified, beside the neighbours' generators, in one run on one core.

Everything takes turns: medians of several rounds and their spread. A level of an id is one that an episode begins with:
of the split "train", and in the id's window, which the solver has proven. Neighbours that are not installed are left
out; what they promise of a level stands beside their names. Run: python benchmarks/levels.py
"""

import argparse
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from itertools import count
from pathlib import Path

import numpy as np

import textworlds
from textworlds.levels.making import grade_levels

ROUNDS, SECONDS = 5, 0.6
MOST_AT_A_TIME = 1024
GRADED = 256  # levels of an id that are graded again and again
SOKOBAN = textworlds.PUZZLES["sokoban"]
BOARDS = {"7x7, 2 boxes": (7, 2), "10x10, 4 boxes": (10, 4)}
SETS = {"Sokoban-medium-v0": 20_000, "Sokoban-expert-v0": 100, "Maze-hard-v0": 100_000, "Taxi-easy-v0": 100_000}
BARS = {
    "Sokoban 10x10, 4 boxes: solvable": 500,
    "Sokoban 10x10, 4 boxes: certified": 50,
    "Sokoban 7x7, 2 boxes: solvable": 10_000,
    "Sokoban 7x7, 2 boxes: certified": 2_000,
    "Maze-hard-v0": 50_000,
    "Taxi-easy-v0": 50_000,
    "Taxi-classic-v0": 50_000,
}
RESULTS = Path(__file__).parent / "results-levels.json"

Make = Callable[[], int]  # makes some levels and returns how many


def beginner(puzzle: textworlds.Puzzle, **settings) -> tuple[textworlds.Episodes, Make]:
    """Return episodes, and what begins them all with the next levels of their seeds; as many as take 0.1 s."""
    num_worlds = 16
    while True:
        episodes = textworlds.Episodes(puzzle, num_worlds, **settings)
        worlds = np.arange(num_worlds)
        episodes.begin(worlds, worlds.astype(np.uint64))
        started = time.perf_counter()
        episodes.begin(worlds)
        if num_worlds >= MOST_AT_A_TIME or time.perf_counter() - started > 0.1:
            break
        num_worlds *= 2

    def begin() -> int:
        episodes.begin(worlds)
        return num_worlds

    return episodes, begin


def own() -> Iterator[tuple[str, Make]]:
    """Yield what of our own is timed."""
    for name, (size, num_boxes) in BOARDS.items():
        episodes, begin = beginner(SOKOBAN, height=size, width=size, num_boxes=num_boxes, split="all")
        yield f"Sokoban {name}: solvable", begin
        yield f"Sokoban {name}: certified", certifier(episodes, begin)
    for id, (puzzle, settings) in textworlds.all_ids().items():
        id = id.removeprefix("textworlds/")
        settings = {name: value for name, value in settings.items() if name != "action_mask"}
        yield id, beginner(puzzle, **settings)[1]
        yield f"{id}: certificates", grader(puzzle, settings)


def certifier(episodes: textworlds.Episodes, begin: Make) -> Make:
    """Return what proves the fewest pushes of levels just made; those that the solver gives up do not count."""

    def certify() -> int:
        begin()
        grades = grade_levels(episodes.puzzle, episodes.worlds.pictures(), all_costs=False)
        return int((~np.isnan(grades[:, 0])).sum())

    return certify


def grader(puzzle: textworlds.Puzzle, settings: dict) -> Make:
    """Return what grades levels that are there already, with all costs, as for a level set."""
    episodes = textworlds.Episodes(puzzle, GRADED, **settings)
    episodes.begin(np.arange(GRADED), np.arange(GRADED, dtype=np.uint64))
    places = count()

    def grade() -> int:
        first = next(places) * 16 % GRADED
        return len(grade_levels(puzzle, episodes.worlds.pictures()[first : first + 16]))

    return grade


def gym_sokoban() -> Iterator[tuple[str, Make]]:
    from gym_sokoban.envs.room_utils import generate_room

    def generator(size: int, num_boxes: int) -> Make:
        def generate() -> int:
            steps = int(1.7 * 2 * size)  # as its environments ask
            try:
                generate_room(dim=(size, size), num_steps=steps, num_boxes=num_boxes)
            except (RuntimeWarning, RuntimeError):  # none found in four tries, or no room for the boxes
                return 0
            return 1

        return generate

    for name, (size, num_boxes) in BOARDS.items():
        yield f"gym-sokoban {name}: solvable", generator(size, num_boxes)


def reasoning_gym() -> Iterator[tuple[str, Make]]:
    import reasoning_gym

    def taker(name: str, **settings) -> Make:
        items = reasoning_gym.create_dataset(name, seed=0, size=1 << 30, **settings)
        places = count()

        def take() -> int:
            try:
                items[next(places)]
            except RuntimeError:  # no free cell found
                return 0
            return 1

        return take

    for name, (size, num_boxes) in BOARDS.items():
        sides = dict.fromkeys(("min_w", "max_w", "min_h", "max_h"), size)
        boxes = {"min_boxes": num_boxes, "max_boxes": num_boxes}
        yield f"reasoning-gym {name}: solved, not optimally", taker("sokoban", **sides, **boxes)
    yield "reasoning-gym maze 15x15: solved", taker("maze", min_grid_size=15, max_grid_size=15)


def mazelib() -> Iterator[tuple[str, Make]]:
    from mazelib import Maze
    from mazelib.generate.BacktrackingGenerator import BacktrackingGenerator
    from mazelib.solve.ShortestPath import ShortestPath

    def generate() -> int:
        maze = Maze()
        maze.generator = BacktrackingGenerator(7, 7)
        maze.generate()
        return 1

    def solve() -> int:
        maze = Maze()
        maze.generator, maze.solver = BacktrackingGenerator(7, 7), ShortestPath()
        maze.generate()
        maze.generate_entrances()
        maze.solve()
        return 1

    yield "mazelib 15x15: connected", generate
    yield "mazelib 15x15: solved", solve


def maze_dataset() -> Iterator[tuple[str, Make]]:
    from maze_dataset.generation import LatticeMazeGenerators

    def generate() -> int:
        LatticeMazeGenerators.gen_dfs(np.array([7, 7]))
        return 1

    yield "maze-dataset 15x15: connected", generate


NEIGHBOURS = {
    "gym-sokoban": gym_sokoban,
    "reasoning-gym": reasoning_gym,
    "mazelib": mazelib,
    "maze-dataset": maze_dataset,
}


def neighbours() -> Iterator[tuple[str, Make]]:
    """Yield what of the neighbours is timed; say who is not there."""
    for name, entries in NEIGHBOURS.items():
        if importlib.util.find_spec(name.replace("-", "_")) is None:
            print(f"{name}: not installed")
            continue
        try:
            yield from entries()
        except ImportError as error:
            print(f"{name} {version(name)}: cannot be imported ({error})")


def measure(make: Make) -> tuple[int, float]:
    """Return how many levels are made in how many seconds: SECONDS or one call, whatever is longer."""
    made, start = 0, time.perf_counter()
    while (passed := time.perf_counter() - start) < SECONDS:
        made += make()
    return made, passed


def make_set(id: str, number: int) -> tuple[float, float]:
    """Run make-levels in a process of its own; return levels a second, start and writing included, and peak MiB."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "textworlds", "make-levels", id, "--count", str(number), "--workers", "1"]
        command += ["--out", os.path.join(folder, "set.npz")]
        started = time.perf_counter()
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise RuntimeError(f"{' '.join(command)}: exit code {child.returncode}")
        return number / (time.perf_counter() - started), usage.ru_maxrss / 1024


def print_rates(measured: dict[str, list[tuple[int, float]]]) -> None:
    """Print levels a second: all rounds together, as some levels take long and must not be left out; and each round's."""
    print(f"{'levels a second':54}{'overall':>12}{'median':>12}{'min':>12}{'max':>12}")
    for name, rounds in measured.items():
        speeds = [made / seconds for made, seconds in rounds]
        overall = sum(made for made, _ in rounds) / sum(seconds for _, seconds in rounds)
        row = (overall, statistics.median(speeds), min(speeds), max(speeds))
        bar = f"  bar {BARS[name]:,}: {'met' if min(row[:2]) >= BARS[name] else 'MISSED'}" if name in BARS else ""
        print(f"{name:54}" + "".join(f"{value:12,.{0 if value >= 100 else 2}f}" for value in row) + bar)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="", metavar="TEXT", help="only what has this in its name")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"default: {ROUNDS}")
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    print(
        f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}, ",
        end="",
    )
    print(f"Numba {version('numba')}, one core, load {os.getloadavg()[0]:.1f}, {arguments.rounds} rounds")
    # First, as a process counts in its peak what the one that started it had in use.
    sets = {id: [make_set(id, number) for _ in range(3)] for id, number in SETS.items() if arguments.only in id}
    timed = {name: make for name, make in (*own(), *neighbours()) if arguments.only in name}
    for name, make in timed.items():
        if not name.startswith("gym-sokoban"):  # which compiles nothing, and may take half a minute
            make()
    measured: dict[str, list[tuple[int, float]]] = {name: [] for name in timed}
    for _ in range(arguments.rounds):
        for name, make in timed.items():
            measured[name].append(measure(make))
    print_rates(measured)
    print(f"\n{'make-levels --workers 1, all in':54}{'median':>12}{'min':>12}{'max':>12}{'peak MiB':>12}")
    for id, runs in sets.items():
        speeds = [speed for speed, _ in runs]
        row = (statistics.median(speeds), min(speeds), max(speeds), max(peak for _, peak in runs))
        print(f"{f'{id}, {SETS[id]:,} levels':54}" + "".join(f"{value:12,.0f}" for value in row))
    RESULTS.write_text(
        json.dumps({"levels_and_seconds": measured, "sets": sets, "load": os.getloadavg()}, indent=1) + "\n"
    )


if __name__ == "__main__":
    main()
