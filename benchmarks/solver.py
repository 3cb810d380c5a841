"""Solve the levels of files, or of a Boxoban-like sample made here, and say how many are proven and what it takes.

One core. The sample: 10x10, 4 boxes, no window, the first levels of the seeds from 0 on. What is proven is the fewest
pushes, or with --moves the fewest moves; "unsolvable" is proven too. The limits count positions, not seconds, so that
another machine proves the same levels. Run: python benchmarks/solver.py [--moves] [--nodes N] [FILE ...]
"""

import argparse
import json
import resource
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import textworlds
from textworlds.grid import new_state, settle
from textworlds.levels.files import read_any
from textworlds.puzzles import NO_SOLUTION

PUZZLE = textworlds.PUZZLES["sokoban"]
SAMPLE = {"height": 10, "width": 10, "num_boxes": 4}
SAMPLE_SIZE = 1000
NODES = PUZZLE.grades.index("nodes")
PLAN_ROOM = 1 << 16
SOON = 10  # seconds
RESULTS = Path(__file__).parent / "results-solver.json"


def make_sample() -> np.ndarray:
    """Return the pictures of the sample, uint8[L, P, H, W]."""
    episodes = textworlds.Episodes(PUZZLE, SAMPLE_SIZE, split="all", **SAMPLE)
    episodes.begin(np.arange(SAMPLE_SIZE), np.arange(SAMPLE_SIZE, dtype=np.uint64))
    return episodes.worlds.pictures()


def solve_all(pictures: Sequence[np.ndarray], limits: Any) -> dict[str, list[float]]:
    """Solve levels one by one; return what the solver said of each, the cost, the nodes and the seconds."""
    plan = np.empty(PLAN_ROOM, np.int8)
    found: dict[str, list[float]] = {name: [] for name in ("length", "cost", "nodes", "seconds")}
    for picture in pictures:
        state = new_state(1, picture.shape)
        state.board[0] = picture.ravel()
        settle(state, 0)
        started = time.perf_counter()
        length, grades = PUZZLE.find_plan(state, 0, plan, limits)
        found["seconds"].append(time.perf_counter() - started)
        found["length"].append(length)
        found["cost"].append(float(grades[limits.objective]) if length >= 0 else np.nan)
        found["nodes"].append(float(np.nan_to_num(grades[NODES])))
    return found


def report(name: str, found: dict[str, list[float]], limits: Any) -> dict[str, Any]:
    """Print what came of the levels of a file, and return it."""
    length, nodes, seconds = (np.array(found[key]) for key in ("length", "nodes", "seconds"))
    cost = np.array(found["cost"])[length >= 0]
    proven, unsolvable = int((length >= 0).sum()), int((length == NO_SOLUTION).sum())
    given_up = [place + 1 for place in np.flatnonzero((length < 0) & (length != NO_SOLUTION)).tolist()]
    objective = PUZZLE.costs[limits.objective]
    print(
        f"\n{name}: {len(length):,} levels, fewest {objective}, {limits.nodes:,} positions and {limits.bytes:,} bytes each"
    )
    print(
        f"  proven {proven:,} ({proven / len(length):.1%}), unsolvable {unsolvable:,}, given up {len(given_up):,}"
        f" {given_up if len(given_up) <= 20 else ''}"
    )
    rows = {objective: cost, "nodes": nodes, "milliseconds": 1000 * seconds}
    print(f"  {'':14}{'median':>12}{'90 %':>12}{'99 %':>12}{'max':>12}")
    shares = {row: np.percentile(values, [50, 90, 99, 100]).tolist() for row, values in rows.items() if len(values)}
    for row, values in shares.items():
        print(f"  {row:14}" + "".join(f"{value:12,.{2 if row == 'milliseconds' else 0}f}" for value in values))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    soon = int((seconds[length >= 0] <= SOON).sum())
    print(
        f"  {seconds.sum():,.1f} s in all, {soon:,} proven within {SOON} s each, {nodes.sum() / seconds.sum():,.0f} nodes/s, peak memory {peak:,.0f} MiB"
    )
    return {"file": name, "objective": objective, "levels": len(length), "proven": proven, "unsolvable": unsolvable,
            "given_up": given_up, "percentiles_50_90_99_100": shares, "seconds": float(seconds.sum()),
            "nodes_a_second": float(nodes.sum() / seconds.sum()), "peak_mib": peak, f"proven_within_{SOON}_s": soon}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("files", nargs="*", metavar="FILE", help="level files; without any, the sample")
    parser.add_argument("--moves", action="store_true", help="prove the fewest moves, not pushes")
    parser.add_argument("--nodes", type=int, default=2_000_000, help="positions a level (default: 2,000,000)")
    arguments = parser.parse_args()
    limits = PUZZLE.limits("moves" if arguments.moves else "pushes", nodes=arguments.nodes, bytes=2 << 30)
    sample = make_sample()
    solve_all(sample[:2], limits)  # compiles
    print(f"memory before: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")
    results = []
    for name in arguments.files or ["sample"]:
        levels = [level.picture for level in read_any(name, PUZZLE)] if arguments.files else list(sample)
        results.append(report(Path(name).name, solve_all(levels, limits), limits))
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
