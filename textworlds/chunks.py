"""Long work in chunks: done by threads, processes or a cluster, killed at any moment and gone on with.

Finished chunks are files in a folder, written whole or not at all, beside job.json, which says whose they are. So what
they come to hangs neither on the number of workers nor on how often the work was stopped.
"""

import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

JOB = "job.json"


class Progress(NamedTuple):
    """How far a job is."""

    found: int
    candidates: int
    seconds: float
    found_before: int  # by earlier runs


# What makes chunks, given by their first candidates, on so many workers, in any order and without end.
Engine = Callable[[Callable[[int], Any], Iterator[int], int], Iterator[tuple[int, Any]]]


def open_parts(parts: Path, given: Mapping[str, Any], chunk_size: Callable[[], int], what: str = "set") -> int:
    """Make the folder of a job's chunks, or check that it belongs to the job; return the number of candidates a chunk.

    Args:
        parts: the folder.
        given: what the job is, for JSON; other jobs' folders are left alone.
        chunk_size: returns how many candidates a chunk of a new job has.
        what: the noun for what is made.

    Raises:
        ValueError: if the folder is another job's; the text says what differs.
    """
    whose = parts / JOB
    if not whose.exists():
        if parts.exists() and any(part.suffix != ".tmp" for part in parts.iterdir()):
            raise ValueError(f"{parts} is in the way: it holds no {JOB}, so nothing is known of it; delete it")
        chunk = chunk_size()
        parts.mkdir(parents=True, exist_ok=True)
        mine = parts / f"{os.getpid()}.tmp"
        mine.write_text(json.dumps({**given, "chunk": chunk}, indent=1))
        with suppress(FileExistsError):  # of another run that was quicker, whose job is then read
            os.link(mine, whose)
        mine.unlink()
    try:
        there = json.loads(whose.read_text())
        chunk = int(there["chunk"])
    except (ValueError, TypeError, KeyError):
        raise ValueError(f"{whose} is damaged; delete {parts} to begin anew") from None
    if other := [name for name in given if there.get(name) != given[name]]:
        name = other[0]
        raise ValueError(
            f"{parts} holds parts of another {what}, with {name}={there.get(name)!r} and not {given[name]!r}; "
            "ask for that one, or delete the folder"
        )
    return chunk


def remove_parts(parts: Path) -> None:
    """Remove the folder of a job that is done; the job last, as long as it can go on."""
    for part in sorted(parts.iterdir(), key=lambda part: part.name == JOB):
        part.unlink()
    parts.rmdir()


def in_threads(make: Callable[[int], Any], firsts: Iterator[int], workers: int) -> Iterator[tuple[int, Any]]:
    """Make chunks in threads of this process, which compiled code lets run side by side."""
    workers = min(workers, os.cpu_count() or 1)  # more would only make each chunk late
    return _in_pool(ThreadPoolExecutor(workers), make, firsts, workers)


def in_processes(make: Callable[[int], Any], firsts: Iterator[int], workers: int) -> Iterator[tuple[int, Any]]:
    """Make chunks in other processes, for work that is Python's; `make` can be pickled."""
    workers = min(workers, os.cpu_count() or 1)
    spawn = multiprocessing.get_context("spawn")
    return _in_pool(ProcessPoolExecutor(workers, spawn, _follow_parent), make, firsts, workers)


def _follow_parent() -> None:
    """Leave interrupts to the parent, and end when it does, however it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait_for_its_end() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait_for_its_end, daemon=True).start()


def _in_pool(
    pool: Executor, make: Callable[[int], Any], firsts: Iterator[int], workers: int
) -> Iterator[tuple[int, Any]]:
    running: dict[Future[Any], int] = {}
    try:
        while True:
            while len(running) < workers + 1:
                first = next(firsts)
                running[pool.submit(make, first)] = first
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(done), done.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def on_ray(make: Callable[[int], Any], firsts: Iterator[int], workers: int) -> Iterator[tuple[int, Any]]:
    """Make chunks on a Ray cluster: the one that RAY_ADDRESS names, or one on this machine."""
    try:
        import ray
    except ImportError:
        raise ValueError("this engine needs Ray: pip install 'textworlds[ray]'") from None
    if not ray.is_initialized():
        ray.init(
            num_cpus=None if os.environ.get("RAY_ADDRESS") else workers, include_dashboard=False, log_to_driver=False
        )
    remote = ray.remote(lambda first: make(first))  # which takes nothing but functions
    running: dict[Any, int] = {}
    try:
        while True:
            while len(running) < workers + 1:
                first = next(firsts)
                running[remote.remote(first)] = first
            (done,), _ = ray.wait(list(running), num_returns=1)
            yield running.pop(done), ray.get(done)
    finally:
        for reference in running:
            ray.cancel(reference, force=True)
