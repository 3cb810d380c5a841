"""Make files of data: JSON lines or Parquet, by the million, on all cores, killed at any moment and gone on with.

Rows are numbered as the levels that they are about. A file holds the first so many of them, but those that cannot be made, in
their order.
"""

import itertools
import json
import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from textworlds.chunks import JOB, Engine, Progress, open_parts, remove_parts
from textworlds.data.chats import check_chats, make_chats
from textworlds.data.jobs import Job, Row, level_job
from textworlds.data.questions import check_questions, make_questions
from textworlds.levels.columns import replacing
from textworlds.levels.factory import all_settings
from textworlds.version import __version__

CHUNK, FIRST_LOOK = 256, 16  # rows that are made at a time, and those of which one must be possible
ROW_GROUP = 4096  # rows that are written to a Parquet file at once
MOST_SEED = 1 << 63  # what other readers of JSON and Parquet take for a whole number


class Kind(NamedTuple):
    """A kind of data."""

    check: Callable[[Job], None]  # raises ValueError for a job that cannot be done
    make: Callable[[Job, int, int], list[Row]]  # of so many rows from a number on, those that can be made


KINDS = {"chat": Kind(check_chats, make_chats), "qa": Kind(check_questions, make_questions)}


def make_data(
    job: Job,
    count: int,
    path: str | os.PathLike[str],
    engine: Engine,
    workers: int = 1,
    say: Callable[[Progress], None] = lambda progress: None,
) -> None:
    """Make rows and write them to a file; go on where an earlier call for the same file was stopped.

    Args:
        job: what to make.
        count: how many rows.
        path: the file, ending in .jsonl or .parquet, which must not be there yet.
        engine: what makes chunks on workers; one of chunks.
        workers: how many at a time.
        say: is told of the progress after each chunk.

    Raises:
        ValueError: if the file is there, or its parts are another job's, or no such rows can be made.
    """
    target, kind = Path(path), KINDS[job.kind]
    form = FORMS[ending_of(target)]
    parts = Path(f"{target}.parts")
    kind.check(job)
    is_made = target.exists() and (parts / JOB).exists() and form.count(target) == count
    if target.exists() and not is_made:
        raise ValueError(f"{target} is there already; delete it or give another name")
    settings = {**job.settings, **all_settings(level_job(job))}
    given = json.loads(json.dumps({**job._asdict(), "settings": settings, "textworlds": __version__}))
    chunk = open_parts(parts, given, lambda: look_at_first(job), "data set")
    if not is_made:
        files = gather(job, chunk, parts, count, engine, workers, say)
        form.write(itertools.islice(lines_of(files), count), target)
    remove_parts(parts)


def ending_of(path: Path) -> str:
    """Return the ending of a file's name; ValueError unless it names a form."""
    if path.suffix not in FORMS:
        raise ValueError(f"{path}: the name of a data file ends in {' or '.join(FORMS)}")
    if path.suffix == ".parquet":
        _pyarrow()
    return path.suffix


def look_at_first(job: Job) -> int:
    """Return the number of rows a chunk; ValueError if none of the first can be made."""
    if not KINDS[job.kind].make(job, 0, FIRST_LOOK):
        raise ValueError(
            f"none of the first {FIRST_LOOK} rows can be made: no such levels are found, the solver settles none within "
            f"{job.nodes:,} positions, or no plan fits into the turns; allow more, or ask for other levels"
        )
    return CHUNK


def make_lines(job: Job, size: int, first: int) -> bytes:
    """Return so many rows from a number on, those that can be made, as lines of JSON, ASCII."""
    return "".join(f"{json.dumps(row)}\n" for row in KINDS[job.kind].make(job, first, size)).encode("ascii")


def gather(
    job: Job, step: int, parts: Path, count: int, engine: Engine, workers: int, say: Callable[[Progress], None]
) -> list[Path]:
    """Make chunks of `step` rows, those that can be made, until they hold so many rows; return their files, in order."""
    chunks = {int(part.stem): count_lines(part) for part in parts.glob("*.jsonl")}
    started, found_before = time.perf_counter(), sum(chunks.values())

    ready = rows = 0

    def is_enough() -> bool:
        """Take in the chunks that come next, and return whether they are enough."""
        nonlocal ready, rows
        while rows < count and ready * step in chunks:
            rows += chunks[ready * step]
            ready += 1
        return rows >= count

    if not is_enough():
        missing = (first for first in itertools.count(0, step) if first not in chunks)
        for first, lines in engine(partial(make_lines, job, step), missing, workers):
            if not (parts / JOB).exists():
                raise ValueError(f"{parts} is gone: another run has finished this file, or removed them")
            with replacing(part_of(parts, first)) as file:
                file.write(lines)
            chunks[first] = lines.count(b"\n")
            found, seconds = sum(chunks.values()), time.perf_counter() - started
            say(Progress(min(found, count), len(chunks) * step, seconds, min(found_before, count)))
            if is_enough():
                break
    return [part_of(parts, place * step) for place in range(ready)]


def part_of(parts: Path, first: int) -> Path:
    """Return the file of the chunk that begins with a row."""
    return parts / f"{first:012}.jsonl"


def lines_of(files: list[Path]) -> Iterator[bytes]:
    """Return the lines of files, one after another."""
    for path in files:
        with open(path, "rb") as file:
            yield from file


def count_lines(path: Path) -> int:
    """Return the number of lines of a file."""
    with open(path, "rb") as file:
        return sum(1 for _ in file)


def write_lines(lines: Iterator[bytes], path: Path) -> None:
    """Write JSON lines as they are."""
    with replacing(path) as file:
        file.writelines(lines)


def write_parquet(lines: Iterator[bytes], path: Path) -> None:
    """Write JSON lines as Parquet, whose columns are those of the first row."""
    pa, parquet = _pyarrow()
    writer = None
    with replacing(path) as file:
        while group := [json.loads(line) for line in itertools.islice(lines, ROW_GROUP)]:
            table = pa.Table.from_pylist(group, schema=writer.schema if writer else None)
            writer = writer or parquet.ParquetWriter(file, table.schema, compression="zstd")
            writer.write_table(table)
        if writer:
            writer.close()


def count_parquet(path: Path) -> int:
    """Return the number of rows of a Parquet file."""
    return int(_pyarrow()[1].read_metadata(path).num_rows)


class Form(NamedTuple):
    """A form of files."""

    write: Callable[[Iterator[bytes], Path], None]
    count: Callable[[Path], int]


FORMS = {".jsonl": Form(write_lines, count_lines), ".parquet": Form(write_parquet, count_parquet)}


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ValueError("Parquet needs pyarrow: pip install 'textworlds[data]'; JSON lines do not") from None
    return pyarrow, parquet
