"""Other people's environments, each in a process of its own that steps when it is told to, and sleeps meanwhile.

This file is run by an interpreter that has the neighbours, not textworlds: `python benchmarks/neighbours.py PACKAGE`.
It then answers lines on its standard input, each with one line of JSON:

    names                   the names of what can be measured, made and warmed up
    measure NAME SECONDS    a rate a second

One thread each. A neighbour that cannot be imported says why. `Worker` is the other side.
"""

import copy
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

PACKAGES = ("envpool", "jumanji", "textarena", "gem-llm", "reasoning-gym")
INTERPRETER = Path(__file__).parent.parent / ".venv-neighbours" / "bin" / "python"
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
    "HF_HUB_OFFLINE": "1",
}
PATIENCE = 300  # seconds for a worker's answer
ROWS = 64  # of random actions, in turn
LETTERS = ("up", "down", "left", "right")

Play = Callable[[], int]  # plays some, and returns how many it counts for


def random_rows(num_actions: int, num_worlds: int, dtype: Any = np.int32) -> np.ndarray:
    """Return random actions, int[ROWS, N]."""
    return np.random.default_rng(0).integers(num_actions, size=(ROWS, num_worlds)).astype(dtype)


def envpool() -> Iterator[tuple[str, Play]]:
    import envpool

    folder = os.path.dirname(envpool.__file__)  # where its Sokoban levels are; elsewhere it plays one and the same

    def stepper(id: str, **settings: Any) -> Play:
        envs = envpool.make(id, env_type="gymnasium", num_envs=4096, num_threads=1, **settings)
        envs.reset()
        rows = random_rows(envs.action_space.n, 4096)
        count = iter(range(1 << 62))

        def play() -> int:
            envs.step(rows[next(count) % ROWS])
            return 4096

        return play

    yield "EnvPool Taxi-v3, 4096 worlds: state number", stepper("Taxi-v3")
    yield "EnvPool Sokoban 10x10, 4 boxes, 4096 worlds: board", stepper("Sokoban-v0", base_path=folder)


def jumanji() -> Iterator[tuple[str, Play]]:
    from jumanji.environments import Maze, Sokoban
    from jumanji.environments.routing.maze.generator import RandomGenerator
    from jumanji.environments.routing.sokoban.generator import ToyGenerator

    for num_worlds in (4096, 1024):
        yield from jumanji_both("Sokoban 10x10, 4 boxes", Sokoban(generator=ToyGenerator()), num_worlds)
    yield from jumanji_both("Maze 10x10", Maze(generator=RandomGenerator(10, 10)), 1024)


def jumanji_both(name: str, env: Any, num_worlds: int) -> Iterator[tuple[str, Play]]:
    """Yield an environment of Jumanji stepped in a loop inside JAX, and by a call a step."""
    import jax
    from jumanji.wrappers import AutoResetWrapper

    env = AutoResetWrapper(env)
    rows = jax.numpy.asarray(random_rows(4, num_worlds))
    begun = jax.jit(jax.vmap(env.reset))(jax.random.split(jax.random.PRNGKey(0), num_worlds))
    step = jax.jit(jax.vmap(env.step))

    @jax.jit
    def play_rows(carried: Any) -> Any:
        """Play all rows; the last time step is carried along, so that none of its observations is left out."""
        return jax.lax.scan(lambda now, row: (jax.vmap(env.step)(now[0], row), None), carried, rows)[0]

    held = {"scan": begun, "calls": begun, "row": 0}

    def scan() -> int:
        held["scan"] = jax.block_until_ready(play_rows(held["scan"]))
        return ROWS * num_worlds

    def call() -> int:
        held["row"] = (held["row"] + 1) % ROWS
        held["calls"] = jax.block_until_ready(step(held["calls"][0], rows[held["row"]]))
        return num_worlds

    yield f"Jumanji {name}, {num_worlds} worlds: board, loop inside JAX", scan
    yield f"Jumanji {name}, {num_worlds} worlds: board, a call a step", call


def one_room(generate: Callable[..., Any]) -> Callable[..., Any]:
    """Return what gives copies of the room that was made first."""
    made: list[Any] = []

    def again(*args: Any, **settings: Any) -> Any:
        if not made:
            made.append(generate(*args, **settings))
        return copy.deepcopy(made[0])

    return again


def textarena() -> Iterator[tuple[str, Play]]:
    import textarena
    from textarena.envs.Sokoban import env as module

    messages = [f"[{LETTERS[action]}]" for action in random_rows(4, 100)[0]]

    def stepper(generate: Callable[..., Any]) -> Play:
        env = textarena.make("Sokoban-v0-raw")
        module.generate_room = generate
        env.reset(num_players=1, seed=0)

        def play() -> int:
            module.generate_room = generate
            for message in messages:
                env.get_observation()
                done, _ = env.step(message)
                if done:
                    env.close()
                    env.reset(num_players=1)
            return len(messages)

        return play

    own = module.generate_room
    yield "TextArena Sokoban 6x6, 3 boxes, 1 world: text, levels generated", stepper(own)
    yield "TextArena Sokoban 6x6, 3 boxes, 1 world: text, one level", stepper(one_room(own))


def gem() -> Iterator[tuple[str, Play]]:
    from gem.envs.game_env.sokoban import sokoban as module

    module.generate_room = one_room(module.generate_room)
    env = module.SokobanEnv(dim_room=(6, 6), num_boxes=2, max_turns=100)
    messages = [f"\\boxed{{{LETTERS[action]}}}" for action in random_rows(4, 100)[0]]

    def play() -> int:
        for message in messages:
            _, _, terminated, truncated, _ = env.step(message)
            if terminated or truncated:
                env.reset()
        return len(messages)

    yield "GEM Sokoban 6x6, 2 boxes, 1 world: text, one level", play


def reasoning_gym() -> Iterator[tuple[str, Play]]:
    import reasoning_gym

    sides = dict.fromkeys(("min_w", "max_w", "min_h", "max_h"), 6)
    items = reasoning_gym.create_dataset("sokoban", seed=0, size=1 << 30, min_boxes=2, max_boxes=2, **sides)
    places = iter(range(1 << 30))
    item = items[0]
    answers = ["".join("UDLR"[action] for action in row) for row in random_rows(4, 30)]

    def take() -> int:
        items[next(places)]
        return 1

    def score() -> int:
        for answer in answers:
            items.score_answer(answer, item)
        return len(answers) * len(answers[0])

    yield "reasoning-gym Sokoban 6x6, 2 boxes: levels, solved, not optimally", take
    yield "reasoning-gym Sokoban 6x6, 2 boxes: actions of answers of 30, scored, nothing seen", score


ENTRIES = {
    "envpool": envpool,
    "jumanji": jumanji,
    "textarena": textarena,
    "gem-llm": gem,
    "reasoning-gym": reasoning_gym,
}


def measure(play: Play, seconds: float) -> float:
    """Return a rate over some seconds, or over one call if that takes longer."""
    done, start = 0, time.perf_counter()
    while (passed := time.perf_counter() - start) < seconds:
        done += play()
    return done / passed


def serve(package: str) -> None:
    """Answer lines until there are no more. What the neighbour prints goes to standard error."""
    answers, sys.stdout = sys.stdout, sys.stderr
    plays: dict[str, Play] = {}
    for line in sys.stdin:
        verb, _, rest = line.strip().partition(" ")
        if verb == "names":
            plays, answer = make(package)
        else:
            name, _, seconds = rest.rpartition(" ")
            answer = {"rate": measure(plays[name], float(seconds))}
        print(json.dumps(answer), file=answers, flush=True)


def make(package: str) -> tuple[dict[str, Play], dict[str, Any]]:
    """Return a package's plays, warmed up, and what to say of them."""
    try:
        answer: dict[str, Any] = {"version": version(package)}
    except PackageNotFoundError:
        return {}, {"error": "not installed"}
    try:
        plays = dict(ENTRIES[package]())
        for play in plays.values():
            play()
    except Exception as error:  # whatever a neighbour may raise: it is told, and the others are measured
        return {}, answer | {"error": f"does not run: {type(error).__name__}: {error}"[:300]}
    return plays, answer | {"names": list(plays)}


class Worker:
    """A neighbour's process.

    Attributes:
        names: of what it can measure.
        version: of its package, or "".
        error: why it can measure nothing, or "".
    """

    def __init__(self, package: str) -> None:
        self.package, self.names, self.version, self.error = package, [], "", "not installed"
        self._process: subprocess.Popen[str] | None = None
        if INTERPRETER.exists():
            self._process = subprocess.Popen(
                [str(INTERPRETER), __file__, package], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, text=True, env=os.environ | ONE_THREAD,
            )  # fmt: skip
            answer = self._ask("names")
            self.names, self.version = answer.get("names", []), answer.get("version", "")
            self.error = answer.get("error", "")

    def rate(self, name: str, seconds: float) -> float:
        """Return a rate a second."""
        return float(self._ask(f"measure {name} {seconds}")["rate"])

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def _ask(self, line: str) -> dict[str, Any]:
        assert self._process is not None and self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
            if not select.select([self._process.stdout], [], [], PATIENCE)[0]:
                return {"error": f"no answer within {PATIENCE} s"}
            return dict(json.loads(self._process.stdout.readline()))
        except (BrokenPipeError, json.JSONDecodeError):
            return {"error": f"its process ended with code {self._process.wait()}"}


if __name__ == "__main__":
    serve(sys.argv[1])
