"""Level sets and the other kinds of level files: round trips, broken files, playing by index, splits and leaks."""

import io
import json
import os
import pickle
import random
import struct
import time
import zipfile

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import textworlds.levels.columns
import textworlds.levels.files
from textworlds import PUZZLES, Episode, Level, LevelSet, find_levels, overlaps
from textworlds.cli import main
from textworlds.grid import AGENT, DOWN, GOAL, ITEM, LEFT, RIGHT, SOLID, UP, WALLS, close_walls
from textworlds.levels.columns import map_columns, write_columns
from textworlds.levels.content import SPLITS, keys_of, split_of
from textworlds.levels.files import read_any, save_levels, shipped, write_numbered
from textworlds.levels.leaks import duplicates, find_first
from textworlds.puzzles import Limits
from textworlds.testing import levels as any_level
from textworlds.text.levels import read_levels

EASY = {name: next(iter(puzzle.ids)) for name, puzzle in PUZZLES.items()}
A_PUZZLE = next(iter(PUZZLES.values()))
THIN = {name: puzzle.words.thin_walls for name, puzzle in PUZZLES.items()}
DRAWN = [name for name in PUZZLES if not THIN[name]]
SMALL = 60  # cells
QUICK = settings(max_examples=15)


def made(name: str, count: int = 12, grade: bool = True, **given) -> LevelSet:
    """Return generated levels of a puzzle's first id, as a maker of sets would."""
    episode = Episode(EASY[name], split="all", **given)
    pictures = []
    for seed in range(count):
        episode.reset(seed)
        pictures.append(episode.picture())
    puzzle = PUZZLES[name]
    grades = textworlds.levels.level_set.grade_levels(puzzle, np.array(pictures)) if grade else None
    origin = {"seed": np.arange(count), "episode": np.zeros(count), "id": EASY[name], "settings": {"height": 5}}
    return LevelSet.from_columns(puzzle, np.array(pictures), grades=grades, split="test", **origin)


def several(name: str) -> st.SearchStrategy:
    return st.lists(any_level(PUZZLES[name], SMALL), min_size=1, max_size=4).filter(
        lambda ls: len({*map(len, ls)}) == 1
    )


def is_same(one, other) -> bool:
    return len(one) == len(other) and all(
        np.array_equal(a.picture, b.picture) and a.title == b.title and a.certificate == b.certificate
        for a, b in zip(one, other, strict=True)
    )


def turned(picture: np.ndarray, form: int) -> np.ndarray:
    """Return a picture turned and mirrored in one of eight ways, by flags one by one."""
    bits = [picture >> bit & 1 for bit in range(8)]
    if form & 1:
        bits = [bit[:, ::-1] for bit in bits]
        bits[UP], bits[DOWN] = bits[DOWN], bits[UP]
    if form & 2:
        bits = [bit[:, :, ::-1] for bit in bits]
        bits[LEFT], bits[RIGHT] = bits[RIGHT], bits[LEFT]
    if form & 4:
        bits = [bit.swapaxes(1, 2) for bit in bits]
        bits[UP], bits[LEFT], bits[DOWN], bits[RIGHT] = bits[LEFT], bits[UP], bits[RIGHT], bits[DOWN]
    return np.ascontiguousarray(sum(bit << place for place, bit in enumerate(bits)).astype(np.uint8))


def shifted(picture: np.ndarray, down: int, right: int) -> np.ndarray:
    padded = np.pad(picture, ((0, 0), (down, 1), (right, 2)))
    padded[0, :down], padded[0, -1:], padded[0, :, :right], padded[0, :, -2:] = (SOLID,) * 4
    close_walls(padded[0])
    return padded


def archive(path, members: dict[str, bytes | np.ndarray], compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in members.items():
            if isinstance(content, np.ndarray):
                stream = io.BytesIO()
                np.save(stream, content)
                content = stream.getvalue()
            file.writestr(name, content)
    return path


def parts(path) -> dict[str, bytes | np.ndarray]:
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    return {n: np.load(io.BytesIO(c)) if n.endswith(".npy") else c for n, c in members.items()}


def complaint(path) -> str:
    with pytest.raises(ValueError) as error:
        LevelSet.open(path)
    assert "\n" not in str(error.value) and str(error.value).startswith(f"{path}: ")
    return str(error.value).removeprefix(f"{path}: ")


# What a set holds, and that it comes back.


@pytest.mark.parametrize("name", PUZZLES)
def test_a_set_is_a_sequence_of_levels_with_certificates(name, tmp_path):
    made(name).save(tmp_path / "a.npz")
    levels = LevelSet.open(tmp_path / "a.npz")
    puzzle = PUZZLES[name]
    assert len(levels) == len(list(levels)) == 12
    assert levels.columns == ("pictures", "key", "seed", "episode", *puzzle.grades)
    assert levels[-1].source == f"{tmp_path / 'a.npz'}, level 11" == levels[10:][1].source
    certificate = levels[3].certificate
    assert list(certificate) == ["key", "seed", "episode", "generator", *puzzle.grades]
    assert certificate["key"] == f"{keys_of(levels.pictures, puzzle)[3]:016x}"
    assert (certificate["seed"], certificate["episode"]) == (3, 0) and EASY[name] in certificate["generator"]
    plan = Episode(EASY[name])
    plan.reset(level=levels[3])
    assert certificate[puzzle.costs[0]] is not None and certificate["nodes"] >= 0
    assert all(type(certificate[cost]) in (int, type(None)) for cost in (*puzzle.costs, "nodes"))
    assert np.array_equal(plan.picture(), levels[3].picture)
    with pytest.raises(ValueError, match="read-only"):
        levels[0].picture[0, 0, 0] = 1
    with pytest.raises(IndexError):
        levels[12]
    with pytest.raises(ValueError, match="unknown column 'hight'; known: pictures, key"):
        levels.column("hight")
    assert is_same(pickle.loads(pickle.dumps(levels)), levels)
    levels.check()


@pytest.mark.parametrize("name", PUZZLES)
def test_levels_come_back_from_a_set(name, tmp_path_factory):
    path = tmp_path_factory.mktemp("sets") / "a.npz"

    @given(several(name))
    @QUICK
    def check(pictures):
        levels = LevelSet.from_levels(pictures, PUZZLES[name], limits=Limits(nodes=2000))
        levels.save(path)
        again = LevelSet.open(path)
        assert is_same(again, levels) and again.meta["count"] == len(pictures)
        for picture, level in zip(pictures, again, strict=True):
            _, height, width = picture.shape
            inner = level.picture[:, :height, :width]
            assert np.array_equal(inner & ~np.uint8(WALLS), picture & ~np.uint8(WALLS))
        again.check()

    check()


@pytest.mark.parametrize("name", PUZZLES)
def test_levels_come_back_from_json_lines(name, tmp_path_factory):
    path = tmp_path_factory.mktemp("lines") / "a.jsonl"

    @given(several(name), st.text(max_size=9))
    @QUICK
    def check(pictures, title):
        certificate = LevelSet.from_levels(pictures, PUZZLES[name], limits=Limits(nodes=2000))[0].certificate
        levels = [Level(pictures[0], title, certificate=certificate), *map(Level, pictures[1:])]
        save_levels(levels, path, PUZZLES[name])
        again = read_any(path, PUZZLES[name])
        assert is_same(again, levels)
        assert again[-1].source == f"{path}, line {len(levels)}"
        kept = LevelSet.from_levels(again, PUZZLES[name], grade=False)[0].certificate
        assert all(kept[grade] == certificate[grade] for grade in PUZZLES[name].grades)

    check()


@pytest.mark.parametrize("name", DRAWN)
def test_drawings_come_back_with_and_without_numbers(name, tmp_path_factory):
    path = tmp_path_factory.mktemp("drawings") / "a.txt"

    @given(several(name))
    @QUICK
    def check(pictures):
        levels = [Level(picture, f"Number {place}") for place, picture in enumerate(pictures)]
        save_levels(levels, path, PUZZLES[name])
        assert is_same(read_any(path, PUZZLES[name]), levels)
        save_levels(levels, path, PUZZLES[name], numbered=True)
        numbered = [level._replace(title=str(place)) for place, level in enumerate(levels)]
        assert is_same(read_any(path, PUZZLES[name]), numbered)

    check()


def test_numbered_drawings_look_like_boxobans():
    words = A_PUZZLE.words
    levels = read_levels("#####\n#@-.#\n#####\n\n####\n#@.#\n####\n", words)
    assert write_numbered(levels, words) == "; 0\n#####\n#@ .#\n#####\n\n; 1\n####\n#@.#\n####\n"


def test_a_set_is_what_numpy_opens(tmp_path):
    levels = made("maze")
    levels.save(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as file:
        assert file.files == [*levels.columns, "format.json"]
        assert all(np.array_equal(file[name], levels.column(name), equal_nan=True) for name in levels.columns[:4])
    assert zipfile.ZipFile(tmp_path / "a.npz").testzip() is None


def test_what_is_not_known_is_none():
    levels = LevelSet.from_levels(["#####\n#@$.#\n#####", "####\n#@.#\n####"], A_PUZZLE, grade=False)
    assert [*levels[0].certificate.values()][1:] == [None] * (3 + len(A_PUZZLE.grades))
    assert levels[0].source == "level set, level 0"
    assert levels.graded()[0].certificate[A_PUZZLE.costs[0]] == 1


def test_the_same_levels_give_the_same_bytes(tmp_path):
    made("taxi").save(tmp_path / "a.npz")
    time.sleep(2.1)  # zip archives count in steps of two seconds
    made("taxi").save(tmp_path / "b.npz")
    LevelSet.open(tmp_path / "a.npz").save(tmp_path / "c.npz")
    first, *others = ((tmp_path / f"{name}.npz").read_bytes() for name in "abc")
    assert all(other == first for other in others)


def test_long_members_get_headers_of_64_bits(tmp_path, monkeypatch):
    monkeypatch.setattr(textworlds.levels.columns, "LONG_MEMBER", 0)
    levels = made("maze")
    levels.save(tmp_path / "a.npz")
    assert is_same(LevelSet.open(tmp_path / "a.npz"), levels)
    assert zipfile.ZipFile(tmp_path / "a.npz").testzip() is None


def test_a_file_that_cannot_be_finished_leaves_the_old_one(tmp_path, monkeypatch):
    levels = made("maze")
    levels.save(tmp_path / "a.npz")
    before = (tmp_path / "a.npz").read_bytes()
    monkeypatch.setattr(textworlds.levels.columns.json, "dumps", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        levels.save(tmp_path / "a.npz")
    assert os.listdir(tmp_path) == ["a.npz"] and (tmp_path / "a.npz").read_bytes() == before


@pytest.mark.skipif(not os.path.exists("/proc/self/smaps"), reason="needs Linux's account of what is mapped")
def test_a_large_file_is_not_read(tmp_path):
    path = tmp_path / "large.npz"
    count = 1_000_000
    LevelSet.from_columns(PUZZLES["maze"], np.zeros((count, 1, 12, 12), np.uint8), key=np.arange(count)).save(path)
    LevelSet.open(path)
    start = time.perf_counter()
    levels = LevelSet.open(path)
    level = levels[777_777]
    seconds = time.perf_counter() - start
    assert level.certificate["key"] == f"{777_777:016x}"
    assert seconds < 0.1
    with open("/proc/self/smaps") as file:
        blocks = file.read().split(str(path))[1:]
    in_memory = sum(int(block.partition("Rss:")[2].split()[0]) for block in blocks)
    # Linux maps up to 2 MiB around a byte that is touched, and each column has one.
    assert in_memory < path.stat().st_size / 1024 / 6, "KiB of the file that are in our memory"


# What is no set.


def test_broken_files_are_errors_and_nothing_worse(tmp_path):
    path = tmp_path / "a.npz"
    for name in PUZZLES:
        levels = made(name, 4)
        levels.save(path)
        whole = path.read_bytes()
        columns = {column: levels.column(column).tobytes() for column in levels.columns}
        draw = random.Random(name)
        for trial in range(300):
            broken = bytearray(whole)
            if trial % 3 == 0:
                del broken[draw.randrange(len(broken)) :]
            for _ in range(draw.choice([1, 1, 20]) if trial % 3 else 0):
                broken[draw.randrange(len(broken))] ^= 1 << draw.randrange(8)
            path.write_bytes(broken)
            _use(path, name, columns)


def _use(path, name, columns):
    """Do all that can be done with a broken file; every way may end in a ValueError about it."""
    try:
        levels = LevelSet.open(path)
    except ValueError as error:
        assert str(path) in str(error)
        return
    try:
        levels.check()
        assert {column: levels.column(column).tobytes() for column in levels.columns} == columns
    except ValueError as error:
        assert str(path) in str(error)
    try:
        episode = Episode(EASY[name], levels=path, action="discrete", turn_limit=20)
    except ValueError as error:
        assert str(path) in str(error)
        return
    for index in range(len(levels)):
        episode.reset(0, index=index)
        actions = [*(episode.solve() or []), 0, 1, 2, 3]
        while actions and not (result := episode.act(actions.pop(0))).terminated and not result.truncated:
            pass
        assert len(episode.certificate()) >= 7


BROKEN = {
    "nothing": (lambda whole, parts: b"", "not a zip archive"),
    "text": (lambda whole, parts: b"#####\n#@$.#\n#####\n", "not a zip archive"),
    "half": (lambda whole, parts: whole[: len(whole) // 2], "not a zip archive, or cut short"),
    "no format.json": (lambda whole, parts: {**parts, "format.json": None}, "there is no format.json in it"),
    "no JSON": (lambda whole, parts: {**parts, "format.json": b"{"}, "format.json is not JSON"),
    "no object": (lambda whole, parts: {**parts, "format.json": b"[]"}, "format.json holds no JSON object"),
    "deep JSON": (lambda whole, parts: {**parts, "format.json": b"[" * 100_000}, "format.json is not JSON"),
    "a member of another kind": (lambda whole, parts: {**parts, "a.txt": b""}, "'a.txt' is not a column"),
    "no pictures": (lambda whole, parts: {**parts, "pictures.npy": None}, "has no column 'pictures'"),
    "no grade": (lambda whole, parts: {**parts, "nodes.npy": None}, "has no column 'nodes'"),
    "one column more": (lambda whole, parts: {**parts, "extra.npy": np.zeros(4)}, "has a column 'extra'"),
    "wide counts": (lambda whole, parts: {**parts, "nodes.npy": np.zeros(4, np.int64)}, "has int64[4] as 'nodes', not int32[4]"),
    "a short column": (lambda whole, parts: {**parts, "key.npy": np.zeros(3, np.uint64)}, "has uint64[3] as 'key', not uint64[4]"),
    "flat pictures": (lambda whole, parts: {**parts, "pictures.npy": np.zeros(4, np.uint8)}, "has pictures of the shape [4]"),
    "empty pictures": (
        lambda whole, parts: {**parts, "pictures.npy": np.zeros((4, 1, 0, 3), np.uint8)},
        "has pictures of the shape [4, 1, 0, 3]",
    ),
    "objects": (lambda whole, parts: {**parts, "key.npy": np.array([{}] * 4)}, "'key.npy' holds object; columns are plain numbers"),
    "records": (lambda whole, parts: {**parts, "key.npy": np.zeros(4, "u4,u4")}, "columns are plain numbers"),
    "Fortran's order": (
        lambda whole, parts: {**parts, "pictures.npy": np.asfortranarray(parts["pictures.npy"])},
        "columns are plain numbers in C order",
    ),
    "no array": (lambda whole, parts: {**parts, "key.npy": b"\x80\x04."}, "'key.npy' has no header of a .npy file"),
    "cut array": (lambda whole, parts: {**parts, "key.npy": npy("(5,)", b"0" * 32)}, "which are no uint64[5]"),
    "negative size": (lambda whole, parts: {**parts, "key.npy": npy("(-4,)", b"0" * 32)}, "'key.npy' has the shape (-4,)"),
    "huge size": (lambda whole, parts: {**parts, "key.npy": npy(f"({10**30},)", b"")}, "which are no uint64["),
    "false size": (lambda whole, parts: {**parts, "key.npy": npy("(True,)", b"0" * 8)}, "'key.npy' has the shape (True,)"),
}  # fmt: skip


def npy(shape: str, content: bytes) -> bytes:
    header = f"{{'descr': '<u8', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + content


@pytest.mark.parametrize(("spoil", "sentence"), BROKEN.values(), ids=BROKEN)
def test_what_is_wrong_with_a_file_is_said_in_a_sentence(spoil, sentence, tmp_path):
    made("maze", 4).save(tmp_path / "a.npz")
    spoilt = spoil((tmp_path / "a.npz").read_bytes(), parts(tmp_path / "a.npz"))
    if isinstance(spoilt, bytes):
        (tmp_path / "a.npz").write_bytes(spoilt)
    elif any(isinstance(part, np.ndarray) and part.dtype.hasobject for part in spoilt.values()):
        stream = io.BytesIO()
        np.save(stream, spoilt["key.npy"], allow_pickle=True)
        archive(tmp_path / "a.npz", {**spoilt, "key.npy": stream.getvalue()})
    else:
        archive(tmp_path / "a.npz", {name: part for name, part in spoilt.items() if part is not None})
    assert sentence in complaint(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"format": "levels"}, "is no level set: its format is levels, not 'textworlds level set'"),
        ({"version": 2}, "is of version 2, newer than this program reads (1)"),
        ({"version": "1"}, "has a version that is no whole number from 1: 1"),
        ({"puzzle": "chess"}, "unknown puzzle 'chess'; known: "),
        ({"puzzle": ["maze"]}, "has no puzzle in its format.json, or a strange one"),
        ({"puzzle": "taxi"}, "has a column 'pushes', which sets of taxi do not have"),
        ({"count": 5}, "says that it holds 5 levels, and holds 4"),
        ({"sha256": None}, "has no sha256 in its format.json"),
    ],
)
def test_what_is_wrong_in_format_json_is_said_in_a_sentence(changes, sentence, tmp_path):
    levels = made("sokoban", 4)
    levels.save(tmp_path / "a.npz")
    content = parts(tmp_path / "a.npz")
    meta = {**json.loads(content["format.json"]), **changes}
    archive(tmp_path / "a.npz", {**content, "format.json": json.dumps(meta).encode()})
    assert sentence in complaint(tmp_path / "a.npz")


def test_compressed_members_and_double_names_are_refused(tmp_path):
    made("maze", 4).save(tmp_path / "a.npz")
    content = parts(tmp_path / "a.npz")
    archive(tmp_path / "b.npz", content, zipfile.ZIP_DEFLATED)
    assert "is compressed or encrypted" in complaint(tmp_path / "b.npz")
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(tmp_path / "a.npz", "a") as file:
        file.writestr("format.json", b"{}")
    assert "two members have the same name" in complaint(tmp_path / "a.npz")


def test_a_set_of_another_puzzle_is_refused(tmp_path):
    made("maze", 4).save(tmp_path / "a.npz")
    with pytest.raises(ValueError, match=r"a\.npz: holds levels of maze, not of sokoban"):
        gym.make("textworlds/Sokoban-easy-v0", levels=tmp_path / "a.npz")
    with pytest.raises(ValueError, match="holds levels of maze, not of sokoban"):
        gym.make("textworlds/Sokoban-easy-v0", levels=LevelSet.open(tmp_path / "a.npz"))


def test_files_made_with_numpy_alone_are_read(tmp_path):
    made("maze", 4).save(tmp_path / "a.npz")
    content = parts(tmp_path / "a.npz")
    archive(tmp_path / "b.npz", content)
    one, other = LevelSet.open(tmp_path / "a.npz"), LevelSet.open(tmp_path / "b.npz")
    assert is_same(one, other)
    other.check()


def test_a_changed_column_is_found(tmp_path):
    levels = made("maze", 4)
    levels.save(tmp_path / "a.npz")
    meta, columns = map_columns(tmp_path / "a.npz")
    wrong = {**columns, "nodes": columns["nodes"] + 1}
    archive(tmp_path / "b.npz", {**{f"{n}.npy": c for n, c in wrong.items()}, "format.json": json.dumps(meta).encode()})
    with pytest.raises(ValueError, match=r"b\.npz: its checksum is wrong"):
        LevelSet.open(tmp_path / "b.npz").check()
    write_columns(tmp_path / "b.npz", {**columns, "key": columns["key"][::-1]}, meta)
    with pytest.raises(ValueError, match=r"b\.npz: level 0 has another key than it says"):
        LevelSet.open(tmp_path / "b.npz").check()


def _flip(cell: tuple[int, ...], flags: int):
    def change(picture: np.ndarray) -> None:
        picture[cell] ^= flags

    return change


UNSAFE = [
    ("sokoban", _flip((0, 0, 1), 1 << UP), "walls that are open at the border"),
    ("sokoban", _flip((0, 1, 1), 1 << RIGHT), "closed from one side only"),
    ("sokoban", _flip((0, 0, 0), AGENT), "a cell whose things never stand in one place"),
    ("sokoban", lambda p: np.bitwise_and(p[0], 255 ^ AGENT, out=p[0]), "not exactly one agent"),
    ("sokoban", lambda p: np.bitwise_and(p[0], 255 ^ GOAL, out=p[0]), "more items than goals"),
    ("maze", lambda p: np.bitwise_or(p[0], np.where(p[0] & (SOLID | AGENT | GOAL), 0, AGENT), out=p[0], casting="unsafe"), "not exactly one"),
    ("maze", _flip((0, 1, 1), ITEM), "a cell whose things never"),
    ("taxi", _flip((0, 0, 0), 1 << LEFT), "walls that are open at the border"),
    ("taxi", lambda p: p[1].fill(0), "a plane that is not one item's"),
    ("taxi", _flip((1, 0, 0), SOLID), "a plane that is not one item's"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "spoil", "sentence"), UNSAFE)
def test_boards_that_kernels_cannot_be_trusted_with_are_not_played(name, spoil, sentence):
    pictures = made(name, 3, grade=False).pictures.copy()
    keys = keys_of(pictures, PUZZLES[name])
    spoil(pictures[1])
    levels = LevelSet.from_columns(PUZZLES[name], pictures, key=keys)
    with pytest.raises(ValueError, match=f"level set: level 1 has .*({sentence})"):
        gym.make(f"textworlds/{EASY[name]}", levels=levels)


# Playing.


def test_levels_of_a_set_are_played_where_they_lie(tmp_path):
    made("sokoban").save(tmp_path / "a.npz")
    levels = LevelSet.open(tmp_path / "a.npz")
    env = gym.make("textworlds/Sokoban-easy-v0", levels=levels).unwrapped
    assert np.shares_memory(env.episodes.worlds.levels, levels.pictures)
    _, info = env.reset(seed=0)
    assert np.array_equal(env.episode.picture(), levels[info["index"]].picture)


@pytest.mark.parametrize("name", PUZZLES)
def test_an_index_picks_a_level(name, tmp_path):
    levels = made(name)
    levels.save(tmp_path / "a.npz")
    env = gym.make(f"textworlds/{EASY[name]}", levels=str(tmp_path / "a.npz"), action="discrete")
    for index in (5, np.int64(0), 11):
        _, info = env.reset(seed=1, options={"index": index})
        assert info["index"] == index and type(info["index"]) is int
        assert np.array_equal(env.unwrapped.episode.picture(), levels[int(index)].picture)
        assert env.step(0)[4]["index"] == index
        assert env.unwrapped.certificate() == levels[int(index)].certificate
    _, second = env.reset(seed=1)[1]["index"], env.reset()[1]["index"]
    env.reset(seed=1, options={"index": 3})
    assert env.reset()[1]["index"] == second, "after an index come the levels that the seed draws"


def test_indices_pick_levels_of_a_batch():
    levels = made("maze")
    envs = gym.make_vec("textworlds/Maze-easy-v0", num_envs=3, levels=levels, action="discrete", turn_limit=3)
    _, info = envs.reset(seed=0, options={"index": [4, 7, 4]})
    assert info["index"].tolist() == [4, 7, 4] and info["_index"].all()
    pictures = envs.unwrapped.episodes.worlds.pictures()
    assert np.array_equal(pictures, levels.pictures[[4, 7, 4]])
    _, info = envs.reset(options={"index": 2, "reset_mask": np.array([True, False, True])})
    assert info["index"].tolist() == [2, 7, 2] and info["_index"].tolist() == [True, False, True]
    _, info = envs.reset(options={"index": np.array([9]), "reset_mask": np.array([False, False, True])})
    assert info["index"].tolist() == [2, 7, 9]
    assert envs.step(np.zeros(3, np.int64))[4]["index"].tolist() == [2, 7, 9]


@pytest.mark.parametrize("index", [-1, 12, 2**70, 1.0, True, "1", None, [1, 2], np.array(1.0), [[1]]])
def test_wrong_indices_get_a_sentence_and_change_nothing(index):
    env = gym.make("textworlds/Maze-easy-v0", levels=made("maze"))
    before, _ = env.reset(seed=0)
    with pytest.raises(ValueError, match="an index is a whole number from 0 to 11, the place of a level"):
        env.reset(seed=5, options={"index": index})
    assert env.unwrapped.episode.observe() == before
    assert env.unwrapped.np_random_seed == 0
    envs = gym.make_vec("textworlds/Maze-easy-v0", num_envs=3, levels=made("maze"))
    texts, _ = envs.reset(seed=0)
    for wrong in (index, [0, index, 0]):
        with pytest.raises(ValueError, match="an index is a whole number from 0 to 11, the place of a level"):
            envs.reset(options={"index": wrong})
    assert envs.unwrapped.episodes.observe() == list(texts)


def test_an_index_needs_levels_and_no_other_level():
    for env in (gym.make("textworlds/Maze-easy-v0"), gym.make_vec("textworlds/Maze-easy-v0", num_envs=2)):
        assert "index" not in env.reset(seed=0)[1]
        with pytest.raises(ValueError, match="an index picks one of the levels given, and none are"):
            env.reset(options={"index": 0})
    env = gym.make("textworlds/Maze-easy-v0", levels=made("maze"))
    with pytest.raises(ValueError, match="give a level or an index, not both"):
        env.reset(options={"index": 0, "level": made("maze")[0]})
    assert env.reset(options={"level": made("maze")[0]})[1]["index"] == -1


def test_certificates_come_from_the_solver_where_levels_have_none():
    env = gym.make("textworlds/Sokoban-easy-v0", split="all").unwrapped
    env.reset(seed=3)
    certificate = env.certificate()
    assert certificate == {**made("sokoban")[3].certificate, "generator": certificate["generator"]}
    env.step("<action>up, down, left, right</action>")
    assert env.certificate() == certificate
    state = env.get_state()
    env.reset(options={"level": "#####\n#@$.#\n#####"})
    placed = env.certificate()
    assert (placed["seed"], placed["episode"], placed["generator"], placed["pushes"]) == (None, None, None, 1)
    env.set_state(state)
    assert env.certificate() == certificate
    bank = gym.make("textworlds/Sokoban-easy-v0", num_levels=3).unwrapped
    bank.reset(options={"index": 2})
    seed = bank.certificate()["seed"]
    single = gym.make("textworlds/Sokoban-easy-v0").unwrapped
    single.reset(seed=seed)
    assert np.array_equal(single.episode.picture(), bank.episode.picture())


def test_a_level_that_is_given_alone_keeps_its_certificate():
    level = find_levels("Maze-easy-v0-test")[3]
    episode = Episode("Maze-easy-v0")
    episode.reset(level=level)
    assert episode.certificate() == dict(level.certificate)
    episode.reset(seed=1)
    assert episode.certificate()["key"] != level.certificate["key"]


def test_certificates_before_the_first_reset_are_refused():
    with pytest.raises(RuntimeError, match="call reset"):
        gym.make("textworlds/Maze-easy-v0").unwrapped.certificate()


@pytest.mark.parametrize("kind", ["set", "list"])
def test_a_split_keeps_its_levels_only(kind):
    levels = made("sokoban", 60, grade=False)
    places = [SPLITS[split_of(key)] for key in levels.column("key")]
    for split in SPLITS:
        env = gym.make("textworlds/Sokoban-easy-v0", levels=levels if kind == "set" else list(levels), split=split)
        wanted = [place for place, own in enumerate(places) if own == split]
        assert np.array_equal(env.unwrapped.episodes.worlds.levels, levels.pictures[wanted])
        env.reset(options={"index": 1})
        assert np.array_equal(env.unwrapped.episode.picture(), levels[wanted[1]].picture)
        assert env.unwrapped.certificate()["seed"] == wanted[1]
    only = levels[places.index("test") : places.index("test") + 1]
    with pytest.raises(ValueError, match="none of the levels given is in the split 'train'"):
        gym.make("textworlds/Sokoban-easy-v0", levels=only if kind == "set" else list(only), split="train")
    assert gym.make("textworlds/Sokoban-easy-v0", levels=only, split="all").reset()[1]["index"] == 0


def test_sets_that_come_with_us_are_found_by_name(tmp_path, monkeypatch):
    monkeypatch.setattr(textworlds.levels.files, "SHIPPED", tmp_path)
    with pytest.raises(ValueError, match="'Maze-easy-v0-test' is neither a file nor a shipped level set"):
        gym.make("textworlds/Maze-easy-v0", levels="Maze-easy-v0-test")
    made("maze").save(tmp_path / "Maze-easy-v0-test.npz")
    assert shipped() == ("Maze-easy-v0-test",)
    for name in ("Maze-easy-v0-test", "textworlds/Maze-easy-v0-test"):
        env = gym.make("textworlds/Maze-easy-v0", levels=name)
        assert env.reset(options={"index": 11})[1]["index"] == 11
    with pytest.raises(ValueError, match=r"'Maze-esy-v0-tst' is neither .*; the nearest are: Maze-easy-v0-test"):
        gym.make("textworlds/Maze-easy-v0", levels="Maze-esy-v0-tst")
    with pytest.raises(FileNotFoundError, match=r"nowhere\.npz"):
        gym.make("textworlds/Maze-easy-v0", levels="nowhere.npz")


def test_every_shipped_set_is_whole():
    for name in shipped():
        levels = LevelSet.open(textworlds.levels.files.SHIPPED / f"{name}.npz")
        levels.check()
        assert name.startswith(levels.meta["id"]) and not duplicates(levels)


# JSON lines.


LINES = [
    (b"{", "line 2: not JSON: "),
    (b"\xff", "line 2: not JSON: "),
    (b"[" * 99_999, "line 2: not JSON: "),
    (b"5", 'line 2: not an object with a drawing as its "level"'),
    (b'{"level": 5}', 'line 2: not an object with a drawing as its "level"'),
    (b'{"level": "####"}', "line 2: "),
    (b'{"level": "#####\\n#@x.#\\n#####"}', "line 2: line 2, column 3: 'x' is not a tile"),
    (b'{"level": "####\\n#@.#\\n####", "title": 5}', "line 2: a title is text; got 5"),
    (b'{"level": "####\\n#@.#\\n####", "key": "5"}', "line 2: a key is 16 digits from 0 to f; got '5'"),
    (b'{"level": "####\\n#@.#\\n####", "seed": -1}', "line 2: a seed is a whole number from 0 to 2**64 - 1; got -1"),
    (b'{"level": "####\\n#@.#\\n####", "episode": true}', "line 2: an episode is a whole number from 0; got True"),
    (b'{"level": "####\\n#@.#\\n####", "generator": 1}', "line 2: a generator is text; got 1"),
    (b'{"level": "####\\n#@.#\\n####", "nodes": "9"}', "line 2: nodes is a number from 0; got '9'"),
    (b'{"level": "####\\n#@.#\\n####", "nodes": NaN}', "line 2: not JSON: NaN is no number"),
]


@pytest.mark.parametrize(("line", "sentence"), LINES)
def test_wrong_lines_are_refused_with_the_place(line, sentence, tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b'{"level": "####\\n#@.#\\n####"}\n' + line + b"\n")
    with pytest.raises(ValueError) as error:
        read_any(tmp_path / "a.jsonl", PUZZLES["maze"])
    assert f"{tmp_path / 'a.jsonl'}, {sentence}" in str(error.value)


def test_lines_without_levels_are_refused_and_blank_ones_skipped(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b"\n\r\n")
    with pytest.raises(ValueError, match=r"no level in .*a\.jsonl"):
        read_any(tmp_path / "a.jsonl", PUZZLES["maze"])
    (tmp_path / "a.jsonl").write_bytes(b'\xef\xbb\xbf{"level": "####\\n#@.#\\n####", "by": "Ann"}\r\n\r\n')
    (level,) = read_any(tmp_path / "a.jsonl", PUZZLES["maze"])
    assert level.certificate == {"by": "Ann"}
    env = gym.make("textworlds/Maze-easy-v0", levels=tmp_path / "a.jsonl")
    env.reset()
    assert env.unwrapped.certificate()["moves"] == 1 and env.unwrapped.certificate()["by"] == "Ann"


# Leaks.


@pytest.mark.parametrize("name", PUZZLES)
def test_levels_turned_mirrored_and_shifted_are_found(name):
    @given(any_level(PUZZLES[name], SMALL), st.integers(0, 3), st.integers(0, 3))
    @QUICK
    def check(picture, down, right):
        others = [shifted(turned(picture, form), down, right) for form in range(8)]
        assert overlaps([picture], others, PUZZLES[name]) == [(0, form) for form in range(8)]
        assert duplicates([picture, *others], PUZZLES[name]) == [(0, place) for place in range(1, 9)]

    check()


def test_other_levels_are_not_found():
    one, other = ["#####\n#@$.#\n#####"], ["######\n#@-$.#\n######", "#####\n#$@.#\n#####"]
    assert overlaps(one, other, A_PUZZLE) == [] == overlaps([], other, A_PUZZLE) == overlaps(one, [], A_PUZZLE)
    with pytest.raises(ValueError, match="levels that are no level sets need a puzzle"):
        overlaps(one, other)


def test_millions_of_keys_are_compared_in_seconds():
    count = 1_000_000
    keys = np.random.default_rng(0).permutation(2 * count).astype(np.uint64)
    start = time.perf_counter()
    first, found = find_first(keys[:count], keys[count - 2 :][:count])
    assert (first.tolist(), found.tolist()) == ([count - 2, count - 1], [0, 1])
    assert time.perf_counter() - start < 10


def test_keys_that_a_set_claims_are_not_believed():
    levels = made("maze")
    columns = {name: levels.column(name) for name in levels.columns}
    forged = LevelSet(levels.puzzle, {**columns, "key": columns["key"] + np.uint64(1)}, levels.meta)
    assert len(overlaps(levels, forged)) == len(levels)
    for split in range(len(SPLITS)):
        assert forged.in_split(split).pictures.tolist() == levels.in_split(split).pictures.tolist()


# Commands.


def run(capsys, *argv) -> tuple[int, str]:
    code = main([*map(str, argv)])
    out, err = capsys.readouterr()
    return code, out + err.replace("textworlds: compiling, once on this machine; it can take half a minute\n", "")


def test_the_command_finds_leaks(tmp_path, capsys):
    levels = made("taxi")
    a, b, c = (tmp_path / name for name in ("a.npz", "b.npz", "c.jsonl"))
    levels[:8].save(a)
    levels[8:].save(b)
    save_levels([Level(turned(levels[2].picture, 5)), levels[9], levels[9]], c, PUZZLES["taxi"])
    assert run(capsys, "check-levels", a, b)[0] == 0
    code, said = run(capsys, "check-levels", a, c)
    assert code == 1
    assert said.splitlines() == [
        f"{a}: 8 levels of taxi, 8 different",
        f"{c}: 3 levels of taxi, 2 different",
        f"1 of the levels of {c} are in {a}",
        f"  {a}, level 2 = {c}, line 1",
    ]
    code, said = run(capsys, "check-levels", c, "--puzzle", "taxi")
    assert (code, said.splitlines()[1:]) == (1, ["1 repeat one before them", f"  {c}, line 2 = {c}, line 3"])
    assert run(capsys, "check-levels", a) == (0, f"{a}: 8 levels of taxi, 8 different\n")
    assert run(capsys, "check-levels", a, b, c) == (2, "textworlds: give one file or two; got 3\n")


def test_the_command_converts(tmp_path, capsys):
    source = tmp_path / "a.xsb"
    source.write_text("#####\n#@$.#\n#####\nTitle: One\n\n######\n#@-$.#\n######\n")
    names = {ending: tmp_path / f"b{ending}" for ending in (".npz", ".jsonl", ".sok", ".txt")}
    code, said = run(capsys, "convert-levels", source, names[".jsonl"], "--grade")
    assert (code, said.split(", ")[0]) == (0, f"{names['.jsonl']}: 2 levels of sokoban")
    one, other = read_any(names[".jsonl"], A_PUZZLE)
    assert (one.title, one.certificate["pushes"], other.certificate["moves"]) == ("One", 1, 2)
    assert run(capsys, "convert-levels", names[".jsonl"], names[".npz"])[0] == 0
    assert LevelSet.open(names[".npz"])[1].certificate["moves"] == 2
    assert run(capsys, "convert-levels", names[".npz"], names[".txt"], "--boxoban")[0] == 0
    assert names[".txt"].read_text() == "; 0\n######\n#@$.##\n######\n\n; 1\n######\n#@ $.#\n######\n"
    assert run(capsys, "convert-levels", source, names[".sok"])[0] == 0
    assert is_same(read_any(names[".sok"], A_PUZZLE), read_any(source, A_PUZZLE))
    for argv, sentence in [
        ((source, tmp_path / "b.png"), "the ending names the format; known: .npz, .jsonl, .xsb, .sok, .txt"),
        ((source, tmp_path / "b.txt", "--grade"), "drawings hold no grades"),
        ((source, tmp_path / "b.npz", "--boxoban"), "only drawings are numbered"),
        ((source, tmp_path / "b.npz", "--puzzle", "taxi"), "thin walls of taxi"),
        (("Sokoban-no-such-set", tmp_path / "b.npz"), "neither a file nor a shipped level set"),
    ]:
        code, said = run(capsys, "convert-levels", *argv)
        assert code == 2 and sentence in said and said.count("\n") == 1


def test_a_set_is_played_in_the_terminal(tmp_path, capsys, monkeypatch):
    LevelSet.from_levels(["#####\n#@$.#\n#####"], A_PUZZLE).save(tmp_path / "a.npz")
    monkeypatch.setattr("sys.stdin", io.StringIO("r"))
    code, said = run(capsys, "play", "--levels", tmp_path / "a.npz")
    assert code == 0 and "Level (1 of 1; " in said and "levels solved 1" in said
