"""Formats: pictures into text and back, without loss."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textworlds.grid import AGENT, DOWN, GOAL, ITEM, LEFT, RIGHT, SOLID, UNKNOWN, close_walls
from textworlds.text import formats
from textworlds.text.facts import MAX_CELLS
from textworlds.text.formats import FORMATS, MAPS, Writer, check_format, read, write
from textworlds.text.words import COMPASS, Words

PUSH = Words(
    rules="",
    vocabulary=COMPASS,
    glyphs={SOLID: "#", 0: "-", GOAL: ".", ITEM: "$", ITEM | GOAL: "*", AGENT: "@", AGENT | GOAL: "+"},
    reasons={},
    item="box",
    items="boxes",
)
RIDE = Words(
    rules="",
    vocabulary=COMPASS,
    glyphs={0: " ", GOAL: "o", AGENT: "@", AGENT | GOAL: "o"},
    reasons={},
    agent="taxi",
    goal="stand",
    goals="stands",
    passenger="passenger",
    thin_walls=True,
    goal_names="RGYBACDEFHIJKLMNOPQSTUVWXZ",
)
# All at once, which no puzzle has: solid cells and thin walls, items alike and items with planes, named goals under items.
MIXED = Words(
    rules="",
    vocabulary=COMPASS,
    glyphs={SOLID: "#", 0: ".", GOAL: "o", ITEM: "$", ITEM | GOAL: "*", AGENT: "@", AGENT | GOAL: "o"},
    reasons={},
    passenger="guest",
    thin_walls=True,
    goal_names="ABCDEFGH",
)
ALL_WORDS = {"push": PUSH, "ride": RIDE, "mixed": MIXED}

PUSHED = {
    "dense": """\
#######
#-.-###
#-$--+#
##-*--#
#######""",
    "spaced": """\
# # # # # # #
# - . - # # #
# - $ - - + #
# # - * - - #
# # # # # # #""",
    "coordinates": """\
size: 5 rows, 7 columns
player: (2, 5)
boxes: (2, 2) (3, 3)
goals: (1, 2) (2, 5) (3, 3)
walls: row 0: 0-6; row 1: 0, 4-6; row 2: 0, 6; row 3: 0-1, 6; row 4: 0-6""",
    "json": """\
{"rows": 5, "columns": 7, "player": [2, 5], "boxes": [[2, 2], [3, 3]], "goals": [[1, 2], [2, 5], [3, 3]], \
"walls": [[0, 0], [0, 1], [0, 2], [0, 3], [0, 4], [0, 5], [0, 6], [1, 0], [1, 4], [1, 5], [1, 6], [2, 0], [2, 6], \
[3, 0], [3, 1], [3, 6], [4, 0], [4, 1], [4, 2], [4, 3], [4, 4], [4, 5], [4, 6]]}""",
    "prose": """\
The board has 5 rows and 7 columns. Rows and columns count from 0 at the top left. \
You are the player, at row 2, column 5. The boxes are at row 2, column 2 and row 3, column 3. \
The goals are at row 1, column 2; row 2, column 5; and row 3, column 3. \
Walls fill row 0, columns 0 to 6; row 1, columns 0 and 4 to 6; row 2, columns 0 and 6; \
row 3, columns 0 to 1 and 6; and row 4, columns 0 to 6.""",
}
RIDDEN = {
    "dense": """\
+-+-+-+-+
|R  |  G|
+ + + + +
|       |
+ +-+ + +
| |  y  |
+-+-+-+-+
passenger 1: @ to G
passenger 2: R to Y""",
    "spaced": """\
+ - + - + - + - +
| R     |     G |
+   +   +   +   +
|               |
+   + - +   +   +
|   |     y     |
+ - + - + - + - +
passenger 1: @ to G
passenger 2: R to Y""",
    "coordinates": """\
size: 3 rows, 4 columns
taxi: (2, 2)
stands: R (0, 0) G (0, 3) Y (2, 2)
walls right of: (0, 1) (2, 0)
walls below: (1, 1)
passenger 1: in the taxi, to (0, 3)
passenger 2: at (0, 0), to (2, 2)""",
    "json": """\
{"rows": 3, "columns": 4, "taxi": [2, 2], "stands": {"R": [0, 0], "G": [0, 3], "Y": [2, 2]}, \
"walls right of": [[0, 1], [2, 0]], "walls below": [[1, 1]], "passenger 1": {"at": "taxi", "to": [0, 3]}, \
"passenger 2": {"at": [0, 0], "to": [2, 2]}}""",
    "prose": """\
The board has 3 rows and 4 columns. Rows and columns count from 0 at the top left. You are the taxi, at row 2, \
column 2. The stands are R at row 0, column 0; G at row 0, column 3; and Y at row 2, column 2. \
Walls stand to the right of row 0, column 1 and row 2, column 0. Walls stand below row 1, column 1. \
Passenger 1 is in the taxi and wants to go to row 0, column 3. \
Passenger 2 is at row 0, column 0 and wants to go to row 2, column 2.""",
}


def pushed() -> np.ndarray:
    picture = np.zeros((1, 5, 7), np.uint8)
    board = picture[0]
    board[[0, -1]] = SOLID
    board[:, [0, -1]] = SOLID
    board[1, 4:] = board[3, 1] = SOLID
    board[1, 2], board[2, 2], board[2, 5], board[3, 3] = GOAL, ITEM, AGENT | GOAL, ITEM | GOAL
    close_walls(board)
    return picture


def ridden() -> np.ndarray:
    picture = np.zeros((3, 3, 4), np.uint8)
    board = picture[0]
    board[0, 0] = board[0, 3] = GOAL
    board[2, 2] = GOAL | AGENT
    board[0, 1] |= 1 << RIGHT
    board[2, 0] |= 1 << RIGHT
    board[1, 1] |= 1 << DOWN
    close_walls(board)
    picture[1, 0, 3], picture[1, 2, 2] = GOAL, ITEM | AGENT
    picture[2, 2, 2], picture[2, 0, 0] = GOAL, ITEM
    return picture


@st.composite
def pictures(draw: st.DrawFn, words: Words) -> np.ndarray:
    height, width = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    cells = height * width
    tiles = sorted(flags for flags in words.glyphs if not flags & AGENT)
    board = np.array(draw(st.lists(st.sampled_from(tiles), min_size=cells, max_size=cells)), np.uint8)
    if words.goal_names:
        board[np.flatnonzero(board & GOAL)[len(words.goal_names) - 1 :]] = 0
    agent = draw(st.integers(0, cells - 1))
    board[agent] = AGENT | draw(st.sampled_from((0, GOAL)))
    if words.thin_walls:
        board |= np.frombuffer(draw(st.binary(min_size=cells, max_size=cells)), np.uint8) & (1 << RIGHT | 1 << DOWN)
    goals = np.flatnonzero(board & GOAL).tolist()
    num_passengers = draw(st.integers(0, 12)) if words.passenger and goals else 0
    picture = np.zeros((1 + num_passengers, cells), np.uint8)
    picture[0] = board
    for plane in picture[1:]:
        at = draw(st.sampled_from([None, *goals]))
        plane[agent if at is None else at] = ITEM | (AGENT if at is None else 0)
        plane[draw(st.sampled_from(goals))] |= GOAL
    hidden = draw(st.sets(st.integers(0, cells - 1))) if draw(st.booleans()) else set()
    picture[:, sorted(hidden)] = np.uint8([UNKNOWN] + [0] * num_passengers)[:, None]
    picture = picture.reshape(-1, height, width)
    close_walls(picture[0])
    return picture


any_words = pytest.mark.parametrize("words", ALL_WORDS.values(), ids=ALL_WORDS)
any_format = pytest.mark.parametrize("format", FORMATS)


@any_format
@pytest.mark.parametrize(("words", "texts", "picture"), [(PUSH, PUSHED, pushed()), (RIDE, RIDDEN, ridden())])
def test_a_picture_is_written_as_drawn_and_read_back(
    format: str, words: Words, texts: dict[str, str], picture: np.ndarray
) -> None:
    assert write(picture, format, words) == texts[format]
    assert np.array_equal(read(texts[format], format, words), picture)


@any_format
@any_words
def test_what_is_written_reads_back(format: str, words: Words) -> None:
    @settings(max_examples=60, deadline=None)
    @given(pictures(words))
    def check(picture: np.ndarray) -> None:
        back = read(write(picture, format, words), format, words)
        assert back.dtype == np.uint8
        assert np.array_equal(back, picture)

    check()


@any_format
@any_words
def test_a_writer_writes_what_write_writes(format: str, words: Words) -> None:
    @settings(max_examples=20, deadline=None)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        picture = data.draw(pictures(words))
        boards = np.stack([picture, picture[:, ::-1, ::-1]]).reshape(2, -1).copy()
        for board in boards.reshape(2, *picture.shape):
            board[0] &= SOLID | GOAL | ITEM | AGENT
            close_walls(board[0])
        texts = Writer(format, words, picture.shape).write(boards)
        assert texts == [write(board.reshape(picture.shape), format, words) for board in boards]

    check()


@pytest.mark.parametrize("format", MAPS)
@any_words
def test_maps_have_one_length_and_fill_what_they_are_given(format: str, words: Words) -> None:
    picture = np.zeros((1, 3, 4), np.uint8)
    picture[0, 1, 1] = AGENT
    close_walls(picture[0])
    writer = Writer(format, words, picture.shape)
    boards = np.repeat(picture.reshape(1, -1), 5, axis=0)
    texts = writer.write_bytes(boards)
    out = np.zeros_like(texts)
    assert writer.write_bytes(boards, out) is out
    assert np.array_equal(out, texts)
    assert [row.tobytes().decode() for row in texts] == writer.write(boards)


@pytest.mark.parametrize("format", MAPS)
def test_kernels_do_the_same_uncompiled(format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for words, picture in ((PUSH, pushed()), (RIDE, ridden())):
        writer = Writer(format, words, picture.shape)
        compiled = writer.write(picture)
        with monkeypatch.context() as patch:
            patch.setattr(formats, "look_up", formats.look_up.function)
            patch.setattr(formats, "name_goals", formats.name_goals.function)
            assert writer.write(picture) == compiled


def test_import_leaves_numba_alone() -> None:
    code = "import sys, textworlds.text.formats; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_json_is_json_in_any_order_and_spacing() -> None:
    told = json.loads(PUSHED["json"])
    text = json.dumps(dict(reversed(told.items())), indent=2)
    assert np.array_equal(read(text, "json", PUSH), pushed())
    told = json.loads(RIDDEN["json"])
    assert np.array_equal(read(json.dumps(told, sort_keys=True), "json", RIDE), ridden())


def test_floor_of_level_drawings_is_read() -> None:
    for floor in (" ", "_"):
        assert np.array_equal(read(PUSHED["dense"].replace("-", floor), "dense", PUSH), pushed())


@any_format
def test_a_newline_at_the_end_is_forgiven(format: str) -> None:
    assert np.array_equal(read(PUSHED[format] + "\n", format, PUSH), pushed())


PARTLY_SEEN = {
    "dense": """\
??#????
#-.-###
#-$--+?
??-*--?
???????""",
    "coordinates": """\
size: 5 rows, 7 columns
player: (2, 5)
boxes: (2, 2) (3, 3)
goals: (1, 2) (2, 5) (3, 3)
walls: row 0: 2; row 1: 0, 4-6; row 2: 0
unknown: row 0: 0-1, 3-6; row 2: 6; row 3: 0-1, 6; row 4: 0-6""",
    "json": """\
{"rows": 5, "columns": 7, "player": [2, 5], "boxes": [[2, 2], [3, 3]], "goals": [[1, 2], [2, 5], [3, 3]], \
"walls": [[0, 2], [1, 0], [1, 4], [1, 5], [1, 6], [2, 0]], "unknown": [[0, 0], [0, 1], [0, 3], [0, 4], [0, 5], \
[0, 6], [2, 6], [3, 0], [3, 1], [3, 6], [4, 0], [4, 1], [4, 2], [4, 3], [4, 4], [4, 5], [4, 6]]}""",
    "prose": """\
The board has 5 rows and 7 columns. Rows and columns count from 0 at the top left. \
You are the player, at row 2, column 5. The boxes are at row 2, column 2 and row 3, column 3. \
The goals are at row 1, column 2; row 2, column 5; and row 3, column 3. \
Walls fill row 0, column 2; row 1, columns 0 and 4 to 6; and row 2, column 0. \
Unknown are row 0, columns 0 to 1 and 3 to 6; row 2, column 6; row 3, columns 0 to 1 and 6; \
and row 4, columns 0 to 6.""",
}


@pytest.mark.parametrize("format", PARTLY_SEEN)
def test_unknown_cells_are_told(format: str) -> None:
    picture = read(PARTLY_SEEN["dense"], "dense", PUSH)
    assert write(picture, format, PUSH) == PARTLY_SEEN[format]
    assert np.array_equal(read(PARTLY_SEEN[format], format, PUSH), picture)


def test_an_unknown_cell_closes_nothing() -> None:
    board = read("?-?", "dense", PUSH)[0]
    assert not board[0, 1] & (1 << RIGHT | 1 << LEFT)


HALF_HIDDEN = {
    "dense": ("passenger 1: @ to ?", "passenger 2: ? to G"),
    "coordinates": ("passenger 1: in the taxi, to out of sight", "passenger 2: out of sight, to (0, 3)"),
    "json": (
        '"passenger 1": {"at": "taxi", "to": "out of sight"}',
        '"passenger 2": {"at": "out of sight", "to": [0, 3]}',
    ),
    "prose": (
        "Passenger 1 is in the taxi and wants to go to a stand out of sight.",
        "Passenger 2 is out of sight and wants to go to row 0, column 3.",
    ),
}


@pytest.mark.parametrize("format", HALF_HIDDEN)
def test_a_passenger_out_of_sight_is_told_as_such(format: str) -> None:
    picture = ridden()
    picture[1, 0, 3], picture[2] = 0, 0
    picture[2, 0, 3] = GOAL
    text = write(picture, format, RIDE)
    assert all(part in text for part in HALF_HIDDEN[format])
    assert np.array_equal(read(text, format, RIDE), picture)


def test_several_agents_are_told() -> None:
    picture = pushed()
    picture[0, 3, 4] |= AGENT
    for format in FORMATS:
        assert np.array_equal(read(write(picture, format, PUSH), format, PUSH), picture)


@any_format
@any_words
def test_any_text_is_a_picture_or_a_value_error(format: str, words: Words) -> None:
    texts = [PUSHED[format], RIDDEN[format], PARTLY_SEEN.get(format, "?")]
    alphabet = st.sampled_from(sorted({*"".join(texts), *"019x\n é\0\ud800"}))

    @settings(max_examples=150, deadline=None)
    @given(st.one_of(st.text(), st.text(alphabet), st.sampled_from(texts)), st.data())
    def check(text: str, data: st.DataObject) -> None:
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(start + 2, len(text))))
        text = text[:start] + data.draw(st.text(alphabet, max_size=2)) + text[end:]
        try:
            picture = read(text, format, words)
        except ValueError as error:
            assert str(error)
            return
        again = write(picture, format, words)
        assert np.array_equal(read(again, format, words), picture)
        if format in ("coordinates", "prose") or (format in MAPS and words is RIDE):
            assert again == text.removesuffix("\n")

    check()


BOMBS = {
    "coordinates": [
        "size: 9999999 rows, 9999999 columns",
        "size: 1 row, 9 columns\nwalls: row 0: 0-9999999, 0-9999999, 0-9999999",
        "size: 1 row, " + "9" * 5000 + " columns",
        "size: 1000 rows, 1000 columns" + "".join(f"\npassenger {n}: in the taxi, to (0, 0)" for n in range(1, 99)),
    ],
    "json": ["[" * 100_000, '{"a": ' * 100_000, '{"rows": ' + "9" * 5000 + "}", "[]", "7", "null", '{"rows": [7]}'],
    "prose": ["The board has 99999 rows and 99999 columns. Walls fill row 0, columns 0 to 99999."],
    "dense": ["", "\n", "!", "\n".join(["passenger 1: R to R"] * 2000), "#" * (MAX_CELLS + 1)],
    "spaced": ["", "# ", "+ - +\n|"],
}


@any_format
@any_words
def test_bombs_are_refused(format: str, words: Words) -> None:
    for text in BOMBS[format]:
        with pytest.raises(ValueError):
            read(text, format, words)


ERRORS = [
    ("dense", PUSH, "-$--+#", "-$x-+#", "line 3, column 4: 'x' is not a tile"),
    ("dense", PUSH, "-$--+#", "-$é-+#", "line 3, column 4: 'é' is not a tile"),
    ("dense", PUSH, "-$--+#", "-$-+#", "line 3: 6 characters instead of 7"),
    ("spaced", PUSH, "- $ - -", "- $.- -", "line 3, column 6: '.' is not ' '"),
    ("dense", RIDE, "|R  |", "|R !|", "line 2, column 4: '!' is not a tile"),
    ("dense", RIDE, "|R  |", "|R- |", "line 2, column 3: '-' is not '|' or ' '"),
    ("dense", RIDE, "+ +-+", "+ +|+", "line 5, column 4: '|' is not '-' or ' '"),
    ("dense", RIDE, "|R  |", "xR  |", "line 2, column 1: 'x' is not '|'"),
    ("dense", RIDE, "  G|", "  B|", "line 2, column 8: stands are named RGYB"),
    ("dense", RIDE, "R to Y", "R to B", "line 9, column 19: there is no stand 'B'"),
    ("dense", RIDE, "R to Y", "R to 7", "line 9, column 19: '7' is not the name of a stand"),
    ("dense", RIDE, "  y  ", "     ", "line 9, column 19: there is no stand 'Y'"),
    ("dense", RIDE, "|       |\n", "", "an odd number of lines, not 6"),
    ("coordinates", PUSH, "boxes: (2, 2)", "boxes: (2, x)", "line 3, column 12: 'x) (3, 3)'"),
    ("coordinates", PUSH, "(2, 2) (3, 3)", "(3, 3) (2, 2)", "line 3, column 9: '3, 3) (2, 2)' where '2, 2) (3, 3)'"),
    ("coordinates", PUSH, "boxes", "crates", "line 3, column 1: 'crates"),
    ("coordinates", PUSH, "(2, 2)", "(2, 7)", "(2, 7) is outside the board of 5 rows and 7 columns"),
    ("coordinates", PUSH, "(2, 2)", "(0, 0)", "(0, 0) holds wall and box, which is no tile"),
    ("coordinates", RIDE, "to (2, 2)", "to (2, 1)", "passenger 2: there is no stand at (2, 1)"),
    ("coordinates", RIDE, "taxi: (2, 2)\n", "", "passenger 1 rides, which takes one taxi and not 0"),
    ("json", PUSH, '"boxes": [[2, 2]', '"boxes": [["2", 2]', "'boxes': [[\"2\", 2]"),
    ("json", PUSH, '"boxes"', '"crates"', "'crates'"),
    ("json", PUSH, "{", "", "line 1 column 7"),
    ("prose", PUSH, "You are", "You were", "line 1, column 84: 'You were the player"),
]


@pytest.mark.parametrize(("format", "words", "old", "new", "message"), ERRORS)
def test_errors_say_where(format: str, words: Words, old: str, new: str, message: str) -> None:
    text = (PUSHED if words is PUSH else RIDDEN)[format]
    assert old in text
    with pytest.raises(ValueError) as error:
        read(text.replace(old, new, 1), format, words)
    assert message in str(error.value)


def test_unknown_formats_are_refused() -> None:
    for call in (check_format, lambda name: Writer(name, PUSH, (1, 2, 2)), lambda name: read("", name, PUSH)):
        with pytest.raises(ValueError, match="unknown format 'xsbb'; known: coordinates, dense, json, prose, spaced"):
            call("xsbb")


@any_format
def test_goals_that_outnumber_their_names_are_refused(format: str) -> None:
    picture = np.full((1, 1, 9), GOAL, np.uint8)
    close_walls(picture[0])
    with pytest.raises(ValueError, match="names for"):
        write(picture, format, MIXED)


@pytest.mark.parametrize("format", MAPS)
def test_a_cell_without_a_glyph_is_refused(format: str) -> None:
    picture = pushed()
    picture[0, 2, 3] |= ITEM | AGENT
    with pytest.raises(ValueError, match="world 0: no glyph shows what stands at line 3, column"):
        write(picture, format, PUSH)


@any_format
def test_planes_are_refused_where_items_are_alike(format: str) -> None:
    with pytest.raises(ValueError, match="one plane"):
        Writer(format, PUSH, (2, 3, 3))


@pytest.mark.parametrize("format", sorted({*FORMATS} - {*MAPS}))
def test_only_maps_are_bytes(format: str) -> None:
    with pytest.raises(ValueError, match="dense, spaced"):
        Writer(format, PUSH, (1, 5, 7)).write_bytes(pushed().reshape(1, -1))


def test_the_page_on_formats_tells_the_truth(capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[1] / "docs" / "formats.md").read_text(encoding="utf-8")
    codes, outputs = (re.findall(rf"```{kind}\n(.*?)\n```", page, re.DOTALL) for kind in ("python", "output"))
    scope: dict[str, object] = {}
    for code, output in zip(codes, outputs, strict=True):
        exec(code, scope)
        assert capsys.readouterr().out.rstrip() == output
