"""What of textworlds is timed, and of the C reference and of Gymnasium's Taxi, which run in the same process.

A case is a name that says what is done, and a function that does some of it and returns how much.
"""

import os
from collections.abc import Callable, Collection, Iterator
from itertools import count
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

import textworlds
from benchmarks import levels, limit
from textworlds.multi import JointEpisodes

ROWS = 64  # of random actions, in turn
NUM_LEVELS = 1000  # in a bank
NUM_WORLDS = (1, 64, 4096, 65536)
PEER = "Taxi-v4" if "Taxi-v4" in gym.registry else "Taxi-v3"  # Gymnasium's newest
SOKOBAN, MAZE, TAXI = "textworlds/Sokoban-expert-v0", "textworlds/Maze-medium-v0", "textworlds/Taxi-classic-v0"
SIZES = {SOKOBAN: "Sokoban 10x10, 4 boxes", MAZE: "Maze 11x11", TAXI: "Taxi 5x5, Gymnasium's map"}
NETWORK = {"observation": "picture", "action": "discrete"}
FORMATS = ("coordinates", "dense", "json", "prose", "spaced")

Play = Callable[[], int]  # does some, and returns how much


class Case(NamedTuple):
    """Something to be timed.

    Attributes:
        name: what is done, in full.
        unit: what is counted.
        play: does some of it, given what `prepare` returned, and returns how much that was.
        prepare: done before each call, and not timed; None for nothing.
        all_cores: whether it may use more than one.
    """

    name: str
    unit: str
    play: Callable[..., int]
    prepare: Callable[[], Any] | None = None
    all_cores: bool = False


def all_cases(text: str = "", wanted: Collection[str] | None = None) -> list[Case]:
    """Return the cases with a text in their names, or of the names wanted."""
    found = [maker for maker in all_makers() if text in maker[0] and (wanted is None or maker[0] in wanted)]
    return [make(name, unit) for name, unit, make in found]


def all_makers() -> "list[Maker]":
    """Return what makes each of the cases, with its name; none is made yet."""
    return [
        *c_cases(),
        *stepping(),
        *teams(),
        *threading(),
        *speaking(),
        *singles(),
        *conversing(),
        *resetting(),
        *making(),
        *drawing(),
    ]


Maker = tuple[str, str, Callable[[str, str], Case]]  # name, unit, and what makes the case of them


def bank(id: str, num_worlds: int, **settings: Any) -> Any:
    """Return a batch that draws its levels from a bank, reset."""
    envs = gym.make_vec(id, num_worlds, autoreset_mode="SameStep", **levels_of(id), **settings)
    envs.reset(seed=0)
    return envs


def levels_of(id: str) -> dict[str, Any]:
    """Return the settings that make a bank of levels for an id; each bank is made once."""
    if id not in BANKS:
        envs = gym.make_vec(id, 1, num_levels=NUM_LEVELS, **NETWORK)
        BANKS[id] = list(envs.unwrapped.episodes.worlds.levels)
    return {"levels": BANKS[id]} | ({"action_mask": False} if id == TAXI else {})


BANKS: dict[str, list[np.ndarray]] = {}


def random_rows(num_actions: int, num_worlds: int) -> np.ndarray:
    """Return random actions, int64[ROWS, N]."""
    return np.random.default_rng(0).integers(num_actions, size=(ROWS, num_worlds))


def worlds(number: int) -> str:
    return "1 world" if number == 1 else f"{number} worlds"


def in_turn(step: Callable[[Any], object], rows: Any, num_worlds: int) -> Play:
    """Return what takes a step with one row after the other; a hundred for one world, whose steps are short."""
    calls = 100 if num_worlds == 1 else 1
    places = count()

    def play() -> int:
        for _ in range(calls):
            step(rows[next(places) % len(rows)])
        return calls * num_worlds

    return play


def stepping() -> Iterator[Maker]:
    """Yield batches of pictures and numbers."""
    for id, size in SIZES.items():
        for num_worlds in NUM_WORLDS:
            yield f"{size}, {worlds(num_worlds)}: picture", "steps", stepper(id, num_worlds)
    yield f"{SIZES[SOKOBAN]}, 4096 worlds: text, numbers in", "steps", stepper(SOKOBAN, 4096, observation="dense")
    yield f"{SIZES[SOKOBAN]}, 4096 worlds: picture, no novelty", "steps", stepper(SOKOBAN, 4096, novelty=False)
    text = {"observation": "dense", "as_bytes": True}
    yield f"{SIZES[SOKOBAN]}, 4096 worlds: text as bytes, numbers in", "steps", stepper(SOKOBAN, 4096, **text)
    for kind, seen in {"view=5": {}, "view=5 and sight": {"sight": True}, "view=5 and fog": {"fog": True}}.items():
        name = f"{SIZES[SOKOBAN]}, 4096 worlds: picture, {kind}"
        yield name, "steps", stepper(SOKOBAN, 4096, view=5, **seen)
    yield (
        f"{SIZES[SOKOBAN]}, 4096 worlds: text, view=5, numbers in",
        "steps",
        stepper(SOKOBAN, 4096, observation="dense", view=5),
    )


def stepper(id: str, num_worlds: int, all_cores: bool = False, **settings: Any) -> Callable[[str, str], Case]:
    """Return what makes the case of stepping a batch with numbers."""

    def make(name: str, unit: str) -> Case:
        envs = bank(id, num_worlds, **NETWORK | settings)
        rows = random_rows(envs.single_action_space.n, num_worlds)
        return Case(name, unit, in_turn(envs.step, rows, num_worlds), all_cores=all_cores)

    return make


def teams() -> Iterator[Maker]:
    """Yield turns without observations, of one agent and jointly of two; with pictures for both agents, too."""

    def teamed(num_agents: int, novelty: bool = True, sees: bool = False) -> Callable[[str, str], Case]:
        def make(name: str, unit: str) -> Case:
            puzzle, settings = textworlds.find_id(SOKOBAN)
            settings = {**settings, "min_pushes": 0, "max_pushes": 0, "num_levels": 100, "novelty": novelty, **NETWORK}
            shape, everybody = (4096, num_agents) if num_agents > 1 else (4096,), np.arange(4096)
            team = JointEpisodes(puzzle, 4096, num_agents=num_agents, **settings) if num_agents > 1 else None
            episodes = team or textworlds.Episodes(puzzle, 4096, **settings)
            rows = np.random.default_rng(0).integers(4, size=(ROWS, *shape))

            def begin() -> None:
                episodes.begin(everybody, everybody.astype(np.uint64))

            def play() -> int:
                for row in rows:
                    episodes.act(row)
                    if sees:
                        team.pictures() if team else episodes.observe()
                return ROWS * 4096

            begin()
            return Case(name, unit, lambda _: play(), begin)

        return make

    size = f"{SIZES[SOKOBAN]}, 4096 worlds"
    for novelty in (True, False):
        kind = "" if novelty else ", no novelty"
        yield f"{size}: turns of 1 agent{kind}", "turns", teamed(1, novelty)
        yield f"{size}: joint turns of 2 agents{kind}", "turns", teamed(2, novelty)
    yield f"{size}: turns of 1 agent, picture", "turns", teamed(1, sees=True)
    yield f"{size}: joint turns of 2 agents, pictures", "turns", teamed(2, sees=True)


def threading() -> Iterator[Maker]:
    """Yield one thread and two, for as many worlds, both free to use all cores."""
    size = SIZES[SOKOBAN]
    for number in (8192, 65536):
        yield f"{size}, {number} worlds: picture, all cores to one thread", "steps", stepper(SOKOBAN, number, True)
        yield f"{size}, {number} worlds: picture, 2 threads", "steps", stepper(SOKOBAN, number, True, threads=2)


def speaking() -> Iterator[Maker]:
    """Yield batches of texts and messages of three actions."""
    for as_bytes in (False, True):
        kind = "bytes" if as_bytes else "text"
        name = f"{SIZES[SOKOBAN]}, 4096 worlds: {kind} in and out, 3 actions,"
        yield f"{name} messages repeat", "messages", speaker(as_bytes, repeats=True)
        yield f"{name} all messages differ", "messages", speaker(as_bytes, repeats=False)
    yield (
        f"{SIZES[SOKOBAN]}, 4096 worlds: text in and out, 3 actions, one in ten unread",
        "messages",
        speaker(False, repeats=True, unread=410),
    )


def speaker(as_bytes: bool, repeats: bool, unread: int = 0, num_actions: int = 3) -> Callable[[str, str], Case]:
    """Return what makes the case of turns with messages; where all differ, each has a thought of its own."""

    def make(name: str, unit: str) -> Case:
        envs = bank(SOKOBAN, 4096, **({"as_bytes": True} if as_bytes else {}))
        rows, places = message_rows(4096, num_actions, unread), count()

        def prepare() -> Any:
            row = rows[next(places) % ROWS]
            if not repeats:
                first = next(places) * 4096
                row = [f"<think>{first + place}</think>{message}" for place, message in enumerate(row)]
            return np.array(row, "S") if as_bytes else row

        def play(row: Any) -> int:
            envs.step(row)
            return 4096

        return Case(name, unit, play, prepare)

    return make


def message_rows(num_worlds: int, num_actions: int, unread: int = 0) -> list[list[str]]:
    """Return ROWS rows of messages, the first few of which nobody can read."""
    rng = np.random.default_rng(0)
    names = [names[0] for names in textworlds.PUZZLES["sokoban"].words.vocabulary.names]
    chosen = rng.integers(len(names), size=(ROWS, num_worlds - unread, num_actions))
    rows = [[f"<action>{', '.join(names[action] for action in few)}</action>" for few in row] for row in chosen]
    return [["hm"] * unread + row for row in rows]


def singles() -> Iterator[Maker]:
    """Yield single environments, and Gymnasium's."""
    bank_of = {id: {"num_levels": 64} for id in (SOKOBAN, MAZE)} | {TAXI: {"num_levels": 64, "action_mask": False}}
    for id, size in SIZES.items():
        yield f"{size}, 1 world, gym.make: picture", "steps", single(id, **bank_of[id], **NETWORK)
    spoken = single(SOKOBAN, message=True, num_levels=64)
    yield f"{SIZES[SOKOBAN]}, 1 world, gym.make: text in and out, 1 action", "turns", spoken
    yield f"Gymnasium {PEER}, 1 world, gym.make: state number", "steps", single(PEER)
    yield f"Gymnasium {PEER}, 1 world, gym.make: ansi text", "steps", single(PEER, render_mode="ansi")


def single(id: str, message: bool = False, **settings: Any) -> Callable[[str, str], Case]:
    """Return what makes the case of a hundred steps of one environment, resets included."""

    def make(name: str, unit: str) -> Case:
        env = gym.make(id, **settings)
        env.reset(seed=0)
        env.action_space.seed(0)
        actions = message_rows(100, 1)[0] if message else [env.action_space.sample() for _ in range(100)]

        def play() -> int:
            for action in actions:
                _, _, terminated, truncated, _ = env.step(action)
                if "render_mode" in settings:
                    env.render()
                if terminated or truncated:
                    env.reset()
            return 100

        return Case(name, unit, play)

    return make


TURNS = 20  # of each episode of a conversation
PROTOCOLS = {  # what is said of it -> its settings, and what its replies begin with
    "interactive": ({}, ""),
    "interactive, history of 3": ({"history": 3}, ""),
    "predict, all wrong": ({"protocol": "predict"}, "<predict>\n" + "\n".join(["#" * 10] * 10) + "\n</predict>"),
}


def conversing() -> Iterator[Maker]:
    """Yield conversations, alone and many in turn, in which nothing takes time but the protocol."""
    for said, (settings, start) in PROTOCOLS.items():
        for number in (1, 256):
            name = f"{SIZES[SOKOBAN]}, {number} conversation{'s' * (number > 1)}: {said}, 3 actions"
            yield name, "turns", converser(number, start, settings)


def converser(number: int, start: str, settings: dict[str, Any]) -> Callable[[str, str], Case]:
    """Return what makes the case of so many conversations, each asked for its messages and given a reply in turn."""

    def make(name: str, unit: str) -> Case:
        conversations = [textworlds.Conversation(SOKOBAN, turn_limit=TURNS, **settings) for _ in range(number)]
        rows = message_rows(number, 3)
        level = textworlds.find_levels("Sokoban-expert-v0-test")[0]

        def prepare() -> None:
            for conversation in conversations:
                conversation.reset(level=level)

        def play() -> int:
            for row in rows[: TURNS - 1]:
                for conversation, message in zip(conversations, row):
                    assert conversation.messages
                    conversation.reply(start + message)
            return number * (TURNS - 1)

        return Case(name, unit, lambda _: play(), prepare)

    return make


def resetting() -> Iterator[Maker]:
    """Yield resets to levels of a bank, and to levels that are generated."""

    def of_bank(name: str, unit: str) -> Case:
        envs = bank(SOKOBAN, 4096, **NETWORK)
        return Case(name, unit, lambda: len(envs.reset()[0]))

    def alone(id: str, **settings: Any) -> Callable[[str, str], Case]:
        def make(name: str, unit: str) -> Case:
            env = gym.make(id, **NETWORK, **settings)
            env.reset(seed=0)
            return Case(name, unit, lambda: len(env.reset()[0]))

        return make

    yield f"{SIZES[SOKOBAN]}, 4096 worlds: resets from a bank", "resets", of_bank
    yield f"{SIZES[SOKOBAN]}, 1 world, gym.make: resets from a bank", "resets", alone(SOKOBAN, num_levels=64)
    for id in ("Sokoban-easy-v0", "Maze-hard-v0", "Taxi-easy-v0"):
        yield f"{id}, 1 world, gym.make: resets, generated", "resets", alone(f"textworlds/{id}")


def making() -> Iterator[Maker]:
    """Yield making and certifying levels, as levels.py measures them."""

    def maker(id: str, is_certified: bool) -> Callable[[str, str], Case]:
        def make(name: str, unit: str) -> Case:
            puzzle, settings = textworlds.find_id(id)
            settings = {name: value for name, value in settings.items() if name != "action_mask"}
            return Case(
                name, unit, levels.grader(puzzle, settings) if is_certified else levels.beginner(puzzle, **settings)[1]
            )

        return make

    for grade in ("easy", "medium", "hard", "expert"):
        for puzzle in ("Sokoban", "Maze", "Taxi"):
            yield f"{puzzle}-{grade}-v0: levels made", "levels", maker(f"textworlds/{puzzle}-{grade}-v0", False)
    for puzzle in ("Sokoban-expert-v0", "Maze-hard-v0", "Taxi-easy-v0"):
        yield f"{puzzle}: levels certified", "levels", maker(f"textworlds/{puzzle}", True)


def drawing() -> Iterator[Maker]:
    """Yield each text format, and pixels."""

    def writer(format: str) -> Callable[[str, str], Case]:
        def make(name: str, unit: str) -> Case:
            episodes = bank(SOKOBAN, 256, observation=format).unwrapped.episodes
            return Case(name, unit, lambda: len(episodes.observe()))

        return make

    def pixels(name: str, unit: str) -> Case:
        env = gym.make(SOKOBAN, render_mode="rgb_array", num_levels=64)
        env.reset(seed=0)
        return Case(name, unit, lambda: len(env.render()[:1]))

    for format in FORMATS:
        yield f"{SIZES[SOKOBAN]}, 256 worlds: {format} texts written", "texts", writer(format)
    yield f"{SIZES[SOKOBAN]}, 1 world, gym.make: pixels, 48 a cell", "frames", pixels


C_SOKOBAN = {
    "sokoban_step": ("board in place", "steps"),
    "sokoban_step_copy": ("board copied", "steps"),
    "sokoban_step_text": ("text by byte shuffle, numbers in", "steps"),
    "sokoban_look_up": ("texts written by table look-up, no step", "texts"),
    "sokoban_shuffle": ("texts written by byte shuffle, no step", "texts"),
}
C_TAXI = {"taxi_step": "state number", "taxi_step_picture": "picture"}


def c_cases() -> Iterator[Maker]:
    """Yield the C reference's."""
    if limit.compiler() is None:
        return
    for num_worlds in NUM_WORLDS:
        for verb, (seen, unit) in C_SOKOBAN.items():
            if num_worlds == 4096 or "copy" in verb or verb == "sokoban_step":
                yield (
                    f"C {SIZES[SOKOBAN]}, {worlds(num_worlds)}: {seen}",
                    unit,
                    c_case(limit.sokoban, verb, SOKOBAN, num_worlds),
                )
        for verb, seen in C_TAXI.items():
            yield f"C {SIZES[TAXI]}, {worlds(num_worlds)}: {seen}", "steps", c_case(limit.taxi, verb, TAXI, num_worlds)


def c_case(puzzle: Callable[..., limit.Limit], verb: str, id: str, num_worlds: int) -> Callable[[str, str], Case]:
    """Return what makes the case of a function of limit.c."""

    def make(name: str, unit: str) -> Case:
        limited = puzzle(np.array(levels_of(id)["levels"]), num_worlds, textworlds.find_id(id)[1]["turn_limit"])
        rows = random_rows(4 if id == SOKOBAN else 6, num_worlds)
        player = limited.player(verb, rows)
        return Case(name, unit, in_turn(player, range(ROWS), num_worlds))

    return make


def set_cores(cores: set[int]) -> None:
    """Let this thread, and those it starts, run on these cores only, where the system can do that."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
