"""Measure the reference agent's training: episodes, turns and actions a second, the environment's share, memory.

Each line is a run of its own process, so that memory is its own. Warm start and validation are left out; compiling is not in
the times. Run: python benchmarks/training.py
"""

import json
import subprocess
import sys

IDS = ("Maze-easy-v0", "Sokoban-easy-v0", "Taxi-easy-v0")
ITERATIONS = 10
RUN = """
import json, sys, tempfile, time
from textworlds.agents.settings import Settings
from textworlds.agents.training import train
id, threads, iterations = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
settings = Settings(f"textworlds/{id}", method="interactive", iterations=iterations, threads=threads, validate_every=10**6)
with tempfile.TemporaryDirectory() as folder:
    run = train(settings, folder + "/run", lambda line: None, show_progress=False)
seconds = run.history[-1]["seconds"] - run.history[0]["seconds"]
count = lambda name: sum(line[name] for line in run.history[1:]) * settings.episodes
print(json.dumps({
    "id": id,
    "threads": threads,
    "seconds an iteration": round(seconds / (iterations - 1), 2),
    "episodes/s": round((iterations - 1) * settings.episodes / seconds),
    "turns/s": round(count("turns") / seconds),
    "actions/s": round(count("actions") / seconds),
    "environment": f'{run.summary["environment_seconds"] / run.summary["seconds"]:.1%}',
    "MB": round(run.summary["peak_memory_mb"]),
}))
"""


def main() -> None:
    for id in IDS:
        for threads in (1, 2):
            command = [sys.executable, "-c", RUN, id, str(threads), str(ITERATIONS)]
            line = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            print("  ".join(f"{name} {value}" for name, value in line.items()), flush=True)


if __name__ == "__main__":
    main()
