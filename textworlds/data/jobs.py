"""What data is made of: a job, its candidates, and the random numbers of each of its rows."""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from textworlds.episode import Episode
from textworlds.levels import factory
from textworlds.levels.content import SPLITS, TEST, keys_of
from textworlds.levels.files import find_file, shipped
from textworlds.levels.json_lines import DRAWN
from textworlds.levels.level_set import LevelSet
from textworlds.levels.making import find_levels
from textworlds.puzzles import Puzzle
from textworlds.random import below, start_stream
from textworlds.text.formats import Writer

MESSAGES, COMPLETION = "messages", "prompt-completion"
SHAPES = (MESSAGES, COMPLETION)
ROWS = np.uint64(0x726F7773)  # sets the random numbers of rows apart from those that levels are made of

OF_PLAY = ("turn_limit", "max_actions", "history", "shots")  # settings that no level hangs on
NO_LIMIT = 1 << 20  # turns

Row = dict[str, Any]


class Job(NamedTuple):
    """What data is made of. The same job gives the same rows: row number r hangs on the job and on r, on nothing else.

    Attributes:
        id: whose levels, without "textworlds/".
        kind: a key of files.KINDS.
        split: a name in content.SPLITS, or "all".
        seed: of all rows, below 2**63.
        settings: replace the id's: height, width, the generator's options; and, of chats, those in OF_PLAY.
        plans: names of plans.PLANS that there are to be among the rows of chats; by default all that there can be.
        questions: names of questions.QUESTIONS among those of questions; by default all that the puzzle knows.
        shape: one of SHAPES.
        protocol: of conversations; see chat.
        observation: the format of boards.
        action: the grammar of answers.
        nodes: positions that the solver may expand for each plan; a row that needs more is left out.
    """

    id: str
    kind: str = "chat"
    split: str = "train"
    seed: int = 0
    settings: dict[str, Any] = {}
    plans: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    shape: str = MESSAGES
    protocol: str = "interactive"
    observation: str = "dense"
    action: str = "tag:action"
    nodes: int = 200_000


class Dice:
    """The random numbers of one row."""

    def __init__(self, seed: int, row: int) -> None:
        self._rng = np.empty(1, np.uint64)
        start_stream(self._rng, np.uint64(seed) ^ ROWS, np.uint64(row))

    def below(self, bound: int) -> int:
        """Return a whole number from 0 to bound - 1."""
        return int(below(self._rng, bound))

    def pick(self, values: Any) -> Any:
        """Return one of a sequence."""
        return values[self.below(len(values))]


def levels_of(job: Job, first: int, size: int) -> LevelSet:
    """Return the levels that the rows from number `first` on are about, those left out that the generator did not find.

    They are the levels that the id plays by the job's seed, one after another, whose numbers are in the column "episode".
    """
    puzzle, state, worlds, wanted = factory.candidates(level_job(job), first, size)
    failures = find_levels(puzzle, state, worlds, wanted)
    made = np.setdiff1d(worlds, np.array([world for world, _ in failures], np.int64))
    planes = state.board.shape[1] // (state.height * state.width)
    pictures = state.board[made].reshape(len(made), planes, state.height, state.width)
    return LevelSet.from_columns(puzzle, pictures, seed=state.book["seed"][made], episode=state.book["episode"][made])


def level_job(job: Job) -> factory.Job:
    """Return the job of the level set that the rows are about."""
    return factory.Job(job.id, job.split, job.seed, level_settings(job), False)


def level_settings(job: Job) -> dict[str, Any]:
    """Return those of a job's settings that levels are made with."""
    return {name: value for name, value in job.settings.items() if name not in OF_PLAY}


def shows_a_test(job: Job, puzzle: Puzzle, pictures: Sequence[np.ndarray]) -> bool:
    """Return whether one of the boards that a row shows is a level of a shipped test set, in rows of another split.

    Args:
        job: of the row.
        puzzle: what is played.
        pictures: of the boards, each uint8[P, H, W].
    """
    if job.split in (SPLITS[TEST], "all"):
        return False
    return not _keys_of_tests(puzzle).isdisjoint(keys_of(np.stack(pictures), puzzle).tolist())


@cache
def _keys_of_tests(puzzle: Puzzle) -> frozenset[int]:
    """Return the keys of all levels of the shipped sets of a puzzle."""
    sets = (LevelSet.open(find_file(name)) for name in shipped())
    return frozenset(key for one in sets if one.puzzle is puzzle for key in one.column("key").tolist())


def player_of(job: Job, levels: LevelSet | None, **settings: Any) -> Episode:
    """Return an episode of a job's levels that takes actions one by one, as many as it likes."""
    return Episode(job.id, levels=levels, action="discrete", turn_limit=NO_LIMIT, **level_settings(job), **settings)


def origins(job: Job, levels: LevelSet) -> list[Row]:
    """Return what rows about levels say of where they come from."""
    drawings = Writer(DRAWN, levels.puzzle.words, levels.pictures.shape[1:]).write(levels.pictures)
    numbers, keys = (levels.column(name).tolist() for name in ("episode", "key"))
    return [
        {"id": job.id, "split": job.split, "number": number, "key": f"{key:016x}", "level": drawing}
        for number, key, drawing in zip(numbers, keys, drawings, strict=True)
    ]


def pick_names(asked: Sequence[str], known: Sequence[str], what: str) -> tuple[str, ...]:
    """Return the names asked for, by default all; ValueError for one that is not known."""
    for name in asked:
        if name not in known:
            raise ValueError(f"unknown {what} {name!r}; known here: {', '.join(known)}")
    return tuple(asked or known)


def shaped(job: Job, prompt: list[dict[str, str]], completion: dict[str, str]) -> Row:
    """Return the messages of a row in the job's shape."""
    if job.shape == MESSAGES:
        return {"messages": [*prompt, completion]}
    return {"prompt": prompt, "completion": [completion]}
