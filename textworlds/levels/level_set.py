"""Level sets: levels with their certificates in one file, as docs/level_sets.md says; opened in no time, read as needed."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, overload

import numpy as np

from textworlds.kernel import kernel
from textworlds.levels.bank import stack_levels
from textworlds.levels.columns import checksum, map_columns, write_columns
from textworlds.levels.content import ANY, keys_of, split_of
from textworlds.levels.making import grade_levels
from textworlds.levels.safety import check_boards
from textworlds.puzzles import Limits, Puzzle, find_puzzle
from textworlds.puzzles.puzzle import SEARCH_GRADES
from textworlds.text.levels import Level
from textworlds.version import __version__

FORMAT, VERSION = "textworlds level set", 1
PICTURES = "pictures"
ORIGIN = {"key": np.dtype("<u8"), "seed": np.dtype("<u8"), "episode": np.dtype("<i8")}
COUNT, SHARE = np.dtype("<i4"), np.dtype("<f4")
UNKNOWN = -1  # in the columns of counts and of episodes
MOST_LEVELS, MOST_CELLS = (1 << 31) - 1, 1 << 20


class LevelSet(Sequence[Level]):
    """Levels of one puzzle and one size with their certificates: columns of numbers, which may be a file's, mapped.

    A level's certificate is a dict: `key` (16 hex digits, the same for all levels that turning, mirroring and shifting
    make of one another), `seed` and `episode` (which level of that seed it is), `generator` (what made it), and the
    puzzle's grades. None stands for what is not known.

    Args:
        puzzle: what the levels are of.
        columns: name -> array with a value a level, as docs/level_sets.md says; not copied.
        meta: what format.json says.
        name: what the levels' sources call the set.
        numbers: what the levels' sources call each level; their places by default.
    """

    def __init__(
        self,
        puzzle: Puzzle,
        columns: Mapping[str, np.ndarray],
        meta: Mapping[str, Any],
        name: str = "level set",
        numbers: Sequence[int] | np.ndarray | None = None,
    ) -> None:
        self.puzzle = puzzle
        self.name = name
        self.meta: dict[str, Any] = {**meta, "count": len(columns[PICTURES])}
        self._columns = dict(columns)
        self._numbers = range(len(self)) if numbers is None else numbers

    @classmethod
    def open(cls, path: str | os.PathLike[str], puzzle: Puzzle | None = None) -> "LevelSet":
        """Open a file; nothing is read but its directory.

        Args:
            path: the file.
            puzzle: what the levels must be of; by default what the file says.

        Raises:
            OSError: if the file cannot be opened.
            ValueError: if it is no level set, or one of another puzzle; the text names the file.
        """
        meta, columns = map_columns(path)
        name = os.fsdecode(path)
        try:
            _check_meta(meta)
            puzzle = puzzle or find_puzzle(meta["puzzle"])
            if meta["puzzle"] != puzzle.name:
                raise ValueError(f"holds levels of {meta['puzzle']}, not of {puzzle.name}")
            _check_columns(columns, puzzle)
            if meta.get("count") != len(columns[PICTURES]):
                raise ValueError(f"says that it holds {meta.get('count')} levels, and holds {len(columns[PICTURES])}")
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
        return cls(puzzle, {column: columns[column] for column in column_types(puzzle)}, meta, name)

    @classmethod
    def from_levels(
        cls, levels: Sequence[Any], puzzle: Puzzle, grade: bool = True, limits: Limits = Limits()
    ) -> "LevelSet":
        """Return a set of levels given as drawings, Levels or pictures, in this order; the smaller ones get walls.

        Args:
            levels: what is to be in it.
            puzzle: what they are of.
            grade: have the solver grade them; otherwise grades are those that the Levels' certificates claim.
            limits: for the solver, on each level.
        """
        pictures = stack_levels(levels, puzzle)
        claims = [getattr(level, "certificate", None) or {} for level in levels]
        grades = grade_levels(puzzle, pictures, limits) if grade else _claimed(claims, puzzle.grades)
        seeds = np.array([claim.get("seed") or 0 for claim in claims], np.uint64)
        episodes = [UNKNOWN if claim.get("episode") is None else claim["episode"] for claim in claims]
        generators = {claim.get("generator") for claim in claims}
        generator = generators.pop() if len(generators) == 1 else None
        return cls.from_columns(
            puzzle, pictures, seed=seeds, episode=np.array(episodes, np.int64), grades=grades, generator=generator
        )

    @classmethod
    def from_columns(
        cls,
        puzzle: Puzzle,
        pictures: np.ndarray,
        *,
        key: np.ndarray | None = None,
        seed: np.ndarray | None = None,
        episode: np.ndarray | None = None,
        grades: np.ndarray | None = None,
        id: str | None = None,
        settings: Mapping[str, Any] | None = None,
        split: str | None = None,
        generator: str | None = None,
    ) -> "LevelSet":
        """Return a set of what is there already.

        Args:
            puzzle: what the levels are of.
            pictures: uint8[L, P, H, W], walls closed; not copied.
            key: uint64[L], content.keys_of the pictures; computed by default.
            seed, episode: uint64[L] and int64[L], what the levels were made from; -1 for an episode not known.
            grades: float64[L, G], as making.grade_levels gives them.
            id, settings, split: what the levels were made for, for format.json.
            generator: what made them; by default this version for that id, if there is one.
        """
        count = len(pictures)
        given = np.full((count, len(puzzle.grades)), np.nan) if grades is None else np.asarray(grades)
        columns = {
            PICTURES: pictures,
            "key": keys_of(pictures, puzzle) if key is None else np.asarray(key, ORIGIN["key"]),
            "seed": np.zeros(count, ORIGIN["seed"]) if seed is None else np.asarray(seed, ORIGIN["seed"]),
            "episode": np.asarray([UNKNOWN] * count if episode is None else episode, ORIGIN["episode"]),
        }
        for place, name in enumerate(puzzle.grades):
            is_count = column_types(puzzle)[name] == COUNT
            columns[name] = _counts(given[:, place]) if is_count else given[:, place].astype(SHARE)
        _check_columns(columns, puzzle)
        generator = generator or (f"textworlds {__version__}, {id}" if id else None)
        meta = {"format": FORMAT, "version": VERSION, "puzzle": puzzle.name, "textworlds": __version__}
        meta |= {"id": id, "settings": dict(settings or {}), "split": split, "generator": generator}
        return cls(puzzle, columns, meta)

    @property
    def pictures(self) -> np.ndarray:
        """The levels, uint8[L, P, H, W]; see grid."""
        return self._columns[PICTURES]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self._columns)

    def column(self, name: str) -> np.ndarray:
        """Return a column, with a value a level; ValueError for a name that there is not."""
        if name not in self._columns:
            raise ValueError(f"unknown column {name!r}; known: {', '.join(self._columns)}")
        return self._columns[name]

    def __len__(self) -> int:
        return len(self._columns[PICTURES])

    @overload
    def __getitem__(self, index: int) -> Level: ...

    @overload
    def __getitem__(self, index: slice) -> "LevelSet": ...

    def __getitem__(self, index: int | slice) -> "Level | LevelSet":
        if isinstance(index, slice):
            return self._part(index)
        place = range(len(self))[index]
        picture = self.pictures[place].view()
        picture.setflags(write=False)
        source = f"{self.name}, level {self._numbers[place]}"
        return Level(picture, source=source, certificate=self._certificate(place))

    def __iter__(self) -> Iterator[Level]:
        return (self[place] for place in range(len(self)))

    def __repr__(self) -> str:
        return f"<LevelSet {self.name!r}: {len(self)} levels of {self.puzzle.name}>"

    def in_split(self, split: int) -> "LevelSet":
        """Return the levels of a split, a place in content.SPLITS or content.ANY; by what they are, not by their keys."""
        if split == ANY:
            return self
        found = np.zeros(len(self), bool)
        mark_split(keys_of(self.pictures, self.puzzle), split, found)
        return self if found.all() else self._part(np.flatnonzero(found))

    def graded(self, limits: Limits = Limits()) -> "LevelSet":
        """Return the same levels with grades by the solver, in place of those that they have."""
        known: dict[str, Any] = {name: self.column(name) for name in ORIGIN}
        known |= {name: self.meta.get(name) for name in ("id", "settings", "split", "generator")}
        grades = grade_levels(self.puzzle, self.pictures, limits)
        return LevelSet.from_columns(self.puzzle, self.pictures, grades=grades, **known)

    def check(self) -> None:
        """Read the whole set; raise ValueError unless its checksum, its boards and its keys are right."""
        try:
            if "sha256" in self.meta and self.meta["sha256"] != checksum(self._columns):
                raise ValueError("its checksum is wrong: the file was changed or damaged")
            if len(self):
                check_boards(self.pictures, self.puzzle)
                if wrong := np.flatnonzero(keys_of(self.pictures, self.puzzle) != self.column("key"))[:1].tolist():
                    raise ValueError(f"level {wrong[0]} has another key than it says")
        except ValueError as error:
            raise ValueError(f"{self.name}: {error}") from None

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the set to a file, whole or not at all; the same levels give the same bytes."""
        write_columns(path, self._columns, self.meta)

    def _part(self, which: slice | np.ndarray) -> "LevelSet":
        columns = {name: column[which] for name, column in self._columns.items()}
        meta = {name: value for name, value in self.meta.items() if name != "sha256"}
        numbers = self._numbers[which] if isinstance(which, slice) else np.asarray(self._numbers)[which]
        return LevelSet(self.puzzle, columns, meta, self.name, numbers)

    def _certificate(self, place: int) -> dict[str, Any]:
        """Return the certificate of a level."""
        values = {name: self._columns[name][place].item() for name in self._columns if name != PICTURES}
        key, seed, episode = (values.pop(name) for name in ORIGIN)
        made_from = (seed, episode) if episode >= 0 else (None, None)
        origin = {"key": f"{key:016x}", "seed": made_from[0], "episode": made_from[1]}
        origin["generator"] = self.meta.get("generator")
        return origin | {name: None if value == UNKNOWN or value != value else value for name, value in values.items()}


def certify(puzzle: Puzzle, picture: np.ndarray, seed: int | None = None, episode: int | None = None) -> dict[str, Any]:
    """Return the certificate of one level, uint8[P, H, W], by the solver; seed and episode if it was made from them."""
    origin: dict[str, Any] = {}
    if seed is not None and episode is not None:
        origin = {"seed": [seed], "episode": [episode], "generator": f"textworlds {__version__}"}
    grades = grade_levels(puzzle, picture[np.newaxis])
    return LevelSet.from_columns(puzzle, picture[np.newaxis], grades=grades, **origin)._certificate(0)


def column_types(puzzle: Puzzle) -> dict[str, np.dtype[Any]]:
    """Return the type of each column of a set, in order."""
    whole = (*puzzle.costs, SEARCH_GRADES[0])
    grades = {name: COUNT if name in whole else SHARE for name in puzzle.grades}
    return {PICTURES: np.dtype("u1"), **ORIGIN, **grades}


@kernel
def mark_split(keys, split, found):
    """Fill in which keys, uint64[L], belong to a split: found, bool[L]."""
    for place in range(keys.size):
        found[place] = split_of(keys[place]) == split


def _counts(grade: np.ndarray) -> np.ndarray:
    """Return a grade, float64[L], as whole numbers with UNKNOWN for NaN."""
    return np.nan_to_num(np.clip(grade, 0, MOST_LEVELS), nan=UNKNOWN).astype(COUNT)


def _claimed(claims: Sequence[Mapping[str, Any]], names: Sequence[str]) -> np.ndarray:
    """Return the grades that certificates claim, float64[L, G]; NaN where they claim none."""
    rows = [[np.nan if claim.get(name) is None else claim[name] for name in names] for claim in claims]
    return np.array(rows, np.float64).reshape(len(claims), len(names))


def _check_meta(meta: Mapping[str, Any]) -> None:
    if meta.get("format") != FORMAT:
        raise ValueError(f"is no level set: its format is {meta.get('format')!s:.80}, not {FORMAT!r}")
    version = meta.get("version")
    if type(version) is not int or version < 1:
        raise ValueError(f"has a version that is no whole number from 1: {version!s:.80}")
    if version > VERSION:
        raise ValueError(f"is of version {version!s:.80}, newer than this program reads ({VERSION})")
    for name, type_ in (("puzzle", str), ("sha256", str), ("settings", dict)):
        if not isinstance(meta.get(name), type_):
            raise ValueError(f"has no {name} in its format.json, or a strange one")


def _check_columns(columns: Mapping[str, np.ndarray], puzzle: Puzzle) -> None:
    """Raise ValueError unless the columns are those of a set of a puzzle."""
    types = column_types(puzzle)
    if missing := [name for name in types if name not in columns]:
        raise ValueError(f"has no column {missing[0]!r}")
    if strange := [name for name in columns if name not in types]:
        raise ValueError(f"has a column {strange[0]!r:.80}, which sets of {puzzle.name} do not have")
    pictures = columns[PICTURES]
    if pictures.ndim != 4 or 0 in pictures.shape[1:] or np.prod(pictures.shape[1:], dtype=float) > MOST_CELLS:
        raise ValueError(
            f"has pictures of the shape {list(pictures.shape)}; it is [L, P, H, W], {MOST_CELLS:,} cells a level at most"
        )
    if len(pictures) > MOST_LEVELS:
        raise ValueError(f"has {len(pictures):,} levels; at most {MOST_LEVELS:,} are read")
    for name, type_ in types.items():
        column = columns[name]
        if column.dtype != type_ or (name != PICTURES and column.shape != (len(pictures),)):
            shape = list(pictures.shape) if name == PICTURES else [len(pictures)]
            raise ValueError(f"has {column.dtype}{list(column.shape)} as {name!r}, not {type_}{shape}")
