"""Make level sets by the million: on all cores or a cluster, killed at any moment and gone on with.

A set is made of candidates, the levels number 0, 1, 2, … of one seed, each as an environment of the same id, split and
settings would play it. The set is the first so many of them that are different levels, in their order. Candidates are
made in chunks; a finished chunk is a file in the folder FILE.parts, written whole or not at all. So the set hangs neither
on the number of workers nor on how often the work was stopped.
"""

import itertools
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from textworlds.chunks import JOB, Engine, Progress, in_threads, on_ray, open_parts, remove_parts
from textworlds.grid import State, new_state
from textworlds.ids import find_id
from textworlds.levels.content import ANY, SPLITS
from textworlds.levels.level_set import LevelSet
from textworlds.levels.making import Wanted, find_levels, grade_levels, make_levels
from textworlds.puzzles import Puzzle
from textworlds.version import __version__

MOST_CHUNK, SECONDS_A_CHUNK = 1 << 15, 2.0
MOST_REPEATS = 10_000  # candidates in a row without a new level, after which there are no more
MOST_FAILURES = 3  # candidates without a level at the very beginning
WHOLE = "whole"


class Job(NamedTuple):
    """What a set is made of. The same job gives the same set.

    Attributes:
        id: whose levels, without "textworlds/".
        split: a name in content.SPLITS, or "all".
        seed: of all candidates.
        settings: replace the id's: height, width, and the generator's options.
        all_costs: prove all of the puzzle's costs, not the first only.
    """

    id: str
    split: str
    seed: int
    settings: dict[str, Any]
    all_costs: bool


def make_set(
    job: Job,
    count: int,
    path: str | os.PathLike[str],
    engine: Engine,
    workers: int,
    say: Callable[[Progress], None] = lambda progress: None,
    up_to: bool = False,
) -> LevelSet:
    """Make a level set and write it to a file; go on where an earlier call for the same file was stopped.

    Args:
        job: what to make.
        count: how many levels.
        path: the file, which must not be there yet.
        engine: what makes chunks on workers; in_threads or on_ray.
        workers: how many at a time.
        say: is told of the progress after each chunk.
        up_to: be content with fewer levels if there are no more.

    Raises:
        ValueError: if the file is there, or its parts are another job's, or no such levels are found.
    """
    target = Path(path)
    parts = Path(f"{target}.parts")
    is_made = target.exists() and (parts / JOB).exists() and is_of(job, LevelSet.open(target), count, up_to)
    if target.exists() and not is_made:
        raise ValueError(f"{target} is there already; delete it or give another name")
    given = {**job._asdict(), "settings": all_settings(job), "textworlds": __version__}
    step = open_parts(parts, given, lambda: min(chunk_size(job), count))
    if not is_made:
        levels = first_different(gather(job, step, parts, count, engine, workers, say), count)
        if len(levels) < count and not up_to:
            raise ValueError(
                f"only {len(levels):,} different levels of {job.id}, split {job.split}, were found; the next "
                f"{MOST_REPEATS:,} are repeats. Ask for fewer, or with --up-to for as many as there are"
            )
        levels.save(parts / WHOLE)
        os.replace(parts / WHOLE, target)
    remove_parts(parts)
    return LevelSet.open(target)


def is_of(job: Job, levels: LevelSet, count: int, up_to: bool) -> bool:
    """Return whether a set is what a job makes, as far as it says."""
    asked = (job.id, job.split, all_settings(job))
    has_count = len(levels) == count or (up_to and len(levels) < count)
    is_asked = tuple(levels.meta.get(name) for name in ("id", "split", "settings")) == asked
    return is_asked and has_count and bool((levels.column("seed") == np.uint64(job.seed)).all())


def chunk_size(job: Job) -> int:
    """Return how many candidates take about SECONDS_A_CHUNK.

    Raises:
        NoLevel: if none of the first MOST_FAILURES candidates is a level.
    """
    if not any(len(make_chunk(job, first, 1)) for first in range(MOST_FAILURES)):
        make_levels(*candidates(job, MOST_FAILURES - 1, 1))  # says why
    size, seconds = 1, 0.0
    while seconds < SECONDS_A_CHUNK / 4 and size < MOST_CHUNK // 4:
        size *= 2
        started = time.perf_counter()
        make_chunk(job, 0, size)
        seconds = time.perf_counter() - started
    return int(min(max(size * SECONDS_A_CHUNK / seconds, 1), MOST_CHUNK))


def all_settings(job: Job) -> dict[str, int]:
    """Return the size and the generator's options that a job's levels are made with."""
    puzzle, defaults = find_id(job.id)
    asked = {**puzzle.options()._asdict(), **defaults, **job.settings}
    return {name: asked[name] for name in ("height", "width", *puzzle.options._fields)}


def candidates(job: Job, first: int, size: int) -> tuple[Puzzle, State, np.ndarray, Wanted]:
    """Return what making.make_levels needs for the candidates from number `first` on."""
    puzzle, settings = find_id(job.id)[0], all_settings(job)
    options = puzzle.options(**{name: settings[name] for name in puzzle.options._fields})
    state = new_state(size, (puzzle.num_planes(options), settings["height"], settings["width"]))
    state.book["seed"], state.book["episode"] = job.seed, first + np.arange(size)
    split = SPLITS.index(job.split) if job.split in SPLITS else ANY
    return puzzle, state, np.arange(size), Wanted(options, split)


def make_chunk(job: Job, first: int, size: int) -> LevelSet:
    """Return the candidates from number `first` on, with their grades; those left out for which no level was found."""
    puzzle, state, worlds, wanted = candidates(job, first, size)
    failures = find_levels(puzzle, state, worlds, wanted)
    made = np.setdiff1d(worlds, np.array([world for world, _ in failures], np.int64))
    planes = puzzle.num_planes(wanted.options)
    pictures = state.board[made].reshape(len(made), planes, state.height, state.width)
    return LevelSet.from_columns(
        puzzle,
        pictures,
        seed=state.book["seed"][made],
        episode=state.book["episode"][made],
        grades=grade_levels(puzzle, pictures, all_costs=job.all_costs),
        id=job.id,
        settings=all_settings(job),
        split=job.split,
    )


def gather(
    job: Job,
    step: int,
    parts: Path,
    count: int,
    engine: Engine,
    workers: int,
    say: Callable[[Progress], None],
) -> list[Path]:
    """Make chunks until they hold so many different levels, or all that there are; return the files, in order."""
    chunks = finished_chunks(parts, step)
    started, seen, ready, repeats = time.perf_counter(), set[int](), 0, 0
    found_before = len(set[int]().union(*(keys.tolist() for keys in chunks.values())))

    def is_enough() -> bool:
        """Take in the chunks that come next, and return whether they are enough."""
        nonlocal ready, repeats
        while ready * step in chunks and len(seen) < count and repeats < MOST_REPEATS:
            before = len(seen)
            seen.update(chunks[ready * step].tolist())
            repeats = 0 if len(seen) > before else repeats + step
            ready += 1
        return len(seen) >= count or repeats >= MOST_REPEATS

    if not is_enough():
        missing = (first for first in itertools.count(0, step) if first not in chunks)
        for first, chunk in engine(lambda first: make_chunk(job, first, step), missing, workers):
            if not (parts / JOB).exists():
                raise ValueError(f"{parts} is gone: another run has finished this set, or removed them")
            chunk.save(part_of(parts, first))
            chunks[first] = chunk.column("key")
            done = is_enough()
            known = len(chunks) * step
            say(Progress(min(len(seen), count), known, time.perf_counter() - started, min(found_before, count)))
            if done:
                break
    return [part_of(parts, place * step) for place in range(ready)]


def part_of(parts: Path, first: int) -> Path:
    """Return the file of the chunk that begins with a candidate."""
    return parts / f"{first:012}.npz"


def finished_chunks(parts: Path, step: int) -> dict[int, np.ndarray]:
    """Return the keys of the chunks that are there, by their first candidates, and no file open.

    What was damaged since is removed, to be made anew.
    """
    chunks = {}
    for part in parts.glob("*.npz"):
        try:
            first, chunk = int(part.stem), LevelSet.open(part)
            if len(chunk):
                chunk.check()
            if not ((chunk.column("episode") >= first) & (chunk.column("episode") < first + step)).all():
                raise ValueError(f"{part} holds other candidates than it says")
            chunks[first] = np.array(chunk.column("key"))
        except ValueError:
            part.unlink()
    return chunks


def first_different(files: list[Path], count: int) -> LevelSet:
    """Return the first so many different levels of some chunks, or those before MOST_REPEATS repeats in a row.

    One chunk is open at a time.
    """
    keys = np.concatenate([np.array(LevelSet.open(file).column("key")) for file in files])
    numbers = np.concatenate([np.array(LevelSet.open(file).column("episode")) for file in files])
    places = np.sort(np.unique(keys, return_index=True)[1])
    last = np.flatnonzero(np.diff(numbers[places]) > MOST_REPEATS)[:1]  # what comes after does not count
    places = places[: min(count, int(last[0]) + 1 if len(last) else count)]
    columns: dict[str, np.ndarray] = {}
    begin = 0
    for file in files:
        chunk = LevelSet.open(file)
        here = (places >= begin) & (places < begin + len(chunk))
        for name in chunk.columns:
            column = chunk.column(name)
            whole = columns.setdefault(name, np.empty((len(places), *column.shape[1:]), column.dtype))
            whole[here] = column[places[here] - begin]
        begin += len(chunk)
    meta = {name: value for name, value in chunk.meta.items() if name != "sha256"}
    return LevelSet(chunk.puzzle, columns, meta)


ENGINES: dict[str, Engine] = {"threads": in_threads, "ray": on_ray}
