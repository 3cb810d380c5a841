"""Measure speed and memory beside a C reference and the neighbours, in one run: medians, spread, ratios, aims.

Everything takes turns in rounds, so that a machine that wanders treats all alike, and runs on one core; ratios are of
one round each. All that a user would wait for is inside: the observation, rewards, flags, info and automatic resets.
Results go to benchmarks/results.json, tables into docs/speed.md, pictures into docs/images. Run: make bench
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks import aims, cases, limit, neighbours, processes, scaling, speed_page
from benchmarks.cases import Case, set_cores

ROUNDS, SECONDS, WARM_UP = 5, 0.3, 0.3
SCALING_SECONDS = 0.1
GROWTH_STEPS, QUICK_GROWTH_STEPS = 100_000_000, 5_000_000
CHECK_ROUNDS, CHECK_SECONDS = 7, 0.2
RESULTS = Path(__file__).parent / "results.json"

Measure = tuple[str, str, Callable[[], float | None]]  # name, unit, and what measures it; None: not in this round


def rate(case: Case, seconds: float) -> float:
    """Return how much of a case is done a second, over so many seconds or one call."""
    done, passed, clock = 0, 0.0, time.perf_counter
    if case.all_cores:
        set_cores(ALL_CORES)
    while passed < seconds:
        given = (case.prepare(),) if case.prepare else ()
        start = clock()
        done += case.play(*given)
        passed += clock() - start
    if case.all_cores:
        set_cores(ONE_CORE)
    return done / passed


ALL_CORES = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
ONE_CORE = {max(ALL_CORES)} if ALL_CORES else set()


def measures_of(found: Iterable[Case], seconds: float) -> list[Measure]:
    """Return measures of cases, warmed up."""
    measures = []
    for case in found:
        rate(case, WARM_UP)
        measures.append((case.name, f"{case.unit}/s", lambda case=case: rate(case, seconds)))
    return measures


def of_neighbours(workers: Iterable[neighbours.Worker], seconds: float) -> list[Measure]:
    """Return measures of those that run."""
    return [
        (name, unit_of(name), lambda worker=worker, name=name: worker.rate(name, seconds))
        for worker in workers
        for name in worker.names
    ]


def unit_of(name: str) -> str:
    return "levels/s" if ": levels" in name else "actions/s" if ": actions" in name else "steps/s"


def of_processes(found: Iterable[processes.Process]) -> list[Measure]:
    """Return measures that take processes of their own, of which some are not taken in every round."""
    measures = []
    for process in found:
        if process.unit == "s" and not process.is_cold:
            processes.run(process)  # fills the cache
        places = count()

        def once(process: processes.Process = process, places: Any = places) -> float | None:
            return processes.run(process) if next(places) < process.rounds else None

        measures.append((process.name, process.unit, once))
    return measures


def take_turns(measures: list[Measure], rounds: int) -> dict[str, list[float]]:
    """Return each measure's values, one a round; those not taken in a round are left out at the end."""
    values: dict[str, list[float]] = {name: [] for name, _, _ in measures}
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
        for name, _, once in measures:
            value = once()
            if value is not None:
                values[name].append(value)
    return values


def describe_machine() -> dict[str, Any]:
    """Return what the figures hang on."""
    model = [line.split(":")[1].strip() for line in read_lines("/proc/cpuinfo") if line.startswith("model name")]
    gcc = limit.compiler() and subprocess.check_output([str(limit.compiler()), "-dumpfullversion"], text=True).strip()
    packages = {name: version(name) for name in ("textworlds", "gymnasium", "numpy", "numba")}
    return {
        "processor": model[0] if model else platform.machine(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "versions": {"python": platform.python_version(), "gcc": gcc} | packages,
    }


def read_lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure all, and return the results."""

    def wanted(named: Iterable[Any]) -> list[Any]:
        return [one for one in named if arguments.only in one[0]]

    machine = describe_machine()
    seconds = SECONDS / (2 if arguments.quick else 1)
    steps = arguments.growth or (QUICK_GROWTH_STEPS if arguments.quick else GROWTH_STEPS)
    found = cases.all_cases(arguments.only)
    workers = [neighbours.Worker(package) for package in neighbours.PACKAGES]
    missing = {worker.package: worker.error for worker in workers if worker.error}
    if limit.compiler() is None:
        missing["C reference"] = "no C compiler"
    measures = [*measures_of(found, seconds), *wanted(of_neighbours(workers, seconds))]
    measures += measures_of(wanted(scaling.all_cases()), SCALING_SECONDS)
    measures += of_processes(wanted(processes.all_processes(steps)))
    values = take_turns(measures, arguments.rounds)
    for worker in workers:
        worker.close()
    machine["versions"] |= {worker.package: worker.version for worker in workers if worker.version}
    command = f"python -m benchmarks.run {' '.join(sys.argv[1:])}".strip()
    units = {name: unit for name, unit, _ in measures}
    return {"command": command, "machine": machine, "missing": missing, "units": units, "rounds": values}


def print_results(results: dict[str, Any]) -> None:
    """Print all measures, floors and aims, and what was not measured."""
    machine, width = results["machine"], max(map(len, results["rounds"])) + 1
    print(f"{machine['processor']}, {machine['cores']} cores, load {machine['load']:.1f}")
    print(", ".join(f"{name} {number}" for name, number in machine["versions"].items()))
    print(f"{'':{width}}{'median':>14}{'min':>14}{'max':>14}")
    for name, values in results["rounds"].items():
        row = (statistics.median(values), min(values), max(values))
        print(f"{name:{width}}" + "".join(f"{speed_page.number(value):>14}" for value in row), results["units"][name])
    print("\nfloors and aims")
    for aim in aims.AIMS:
        value = aims.value_of(aim, results["rounds"])
        if value is not None or not results["partial"]:
            print(speed_page.say(aim, value))
    for name, reason in results["missing"].items():
        print(f"not measured: {name}: {reason}")


def check() -> int:
    """Measure what has a C reference; return 1 if a ratio fell since the committed results, else 0."""
    if limit.compiler() is None or not RESULTS.exists():
        print("nothing to check: it takes a C compiler, and benchmarks/results.json")
        return 0
    found = cases.all_cases(wanted={*aims.REFERENCES, *aims.REFERENCES.values()})
    measures = measures_of(found, CHECK_SECONDS)
    before = aims.reference_ratios(json.loads(RESULTS.read_text())["rounds"])
    now = aims.reference_ratios(take_turns(measures, CHECK_ROUNDS))
    if aims.falls(before, now):  # who shares the machine may have hit one and not the other: look twice
        again = aims.reference_ratios(take_turns(measures, CHECK_ROUNDS))
        now = {name: max(ratio, again[name]) for name, ratio in now.items()}
    for name, ratio in now.items():
        print(f"{name}: {ratio:.3f} of C, committed {before.get(name, float('nan')):.3f}")
    lines = aims.falls(before, now)
    print("\n".join(lines) or "no ratio fell by more than a quarter")
    return bool(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="only compare with the committed results; about a minute")
    parser.add_argument("--quick", action="store_true", help="shorter; results are printed and not kept")
    parser.add_argument("--only", default="", metavar="TEXT", help="only what has this in its name; not kept")
    parser.add_argument("--rounds", type=int, help=f"default: {ROUNDS}, or 3 if quick")
    parser.add_argument("--growth", type=int, help=f"steps over which memory may grow; default: {GROWTH_STEPS:,}")
    parser.add_argument("--page", action="store_true", help="only write tables and pictures of the results kept")
    arguments = parser.parse_args()
    arguments.rounds = arguments.rounds or (3 if arguments.quick else ROUNDS)
    set_cores(ONE_CORE)
    if arguments.check:
        return check()
    if not arguments.page:
        results = run(arguments)
        print_results(results | {"partial": bool(arguments.only)})
        if arguments.quick or arguments.only:
            return 0
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    speed_page.write(json.loads(RESULTS.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
