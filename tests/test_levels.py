import random
import re
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textworlds.grid import AGENT, DOWN, GOAL, ITEM, LEFT, RIGHT, SOLID, UP, WALLS, close_walls
from textworlds.text.levels import (
    LARGEST,
    Level,
    LevelError,
    read_drawing,
    read_good_levels,
    read_level_file,
    read_levels,
    write_levels,
)
from textworlds.text.words import COMPASS, Words

WALKER = {SOLID: "#", 0: "-", GOAL: ".", AGENT: "@", AGENT | GOAL: "+"}
BOXES = {**WALKER, ITEM: "$", ITEM | GOAL: "*"}
WORDS = Words("", COMPASS, BOXES, {}, item="box", items="boxes")
WALKER_WORDS = Words("", COMPASS, WALKER, {})
ALLOWED = "allowed: # @ + $ * . space - _"
ROOT = Path(__file__).parent.parent
FIRST_STEPS = ROOT / "examples" / "first_steps.xsb"

A, B = "###\n#@#\n###", "####\n#-+#\n####"


def drawn(level: Level) -> str:
    symbols = {flags: BOXES.get(flags, "?") for flags in range(0, 256, 16)}
    return "\n".join("".join(symbols[flags & ~WALLS] for flags in row) for row in level.picture[0].tolist())


def boards_of(text: str | bytes) -> list[str]:
    return [drawn(level) for level in read_levels(text, WORDS)]


def titles_of(text: str) -> list[str]:
    return [level.title for level in read_levels(text, WORDS)]


def error_in(text: str | bytes, words: Words = WORDS, name: str = "x.xsb") -> str:
    with pytest.raises(LevelError) as error:
        read_levels(text, words, name)
    return str(error.value)


def slc(*levels: str) -> str:
    return f"<SokobanLevels><Title>All</Title><LevelCollection>{''.join(levels)}</LevelCollection></SokobanLevels>"


def test_a_picture_holds_tile_flags_and_wall_bits():
    picture = read_levels("####\n#@.#\n####", WORDS)[0].picture
    assert picture.shape == (1, 3, 4) and picture.dtype == np.uint8
    assert picture[0, 1, 1] == AGENT | 1 << UP | 1 << DOWN | 1 << LEFT
    assert picture[0, 1, 2] == GOAL | 1 << UP | 1 << DOWN | 1 << RIGHT


def test_a_picture_cannot_be_written_to():
    picture = read_levels(A, WORDS)[0].picture
    with pytest.raises(ValueError, match="read-only"):
        picture[0, 0, 0] = 0


GOOD = {
    "one level": (A, [A]),
    "two levels": (f"{A}\n\n{B}\n", [A, B]),
    "a byte-order mark": ("\ufeff" + A, [A]),
    "a byte-order mark in bytes": (b"\xef\xbb\xbf" + A.encode(), [A]),
    "a byte-order mark and a byte of latin-1": (b"\xef\xbb\xbf" + A.encode() + b"\n; caf\xe9", [A]),
    "CRLF": (f"{A}\n\n{B}\n".replace("\n", "\r\n"), [A, B]),
    "CR": (f"{A}\n\n{B}\n".replace("\n", "\r"), [A, B]),
    "every tile": ("######\n#+ -_#\n#$*.##\n######", ["######\n#+---#\n#$*.##\n######"]),
    "short rows": (" ###\n##@##\n#   #\n## #\n ###", ["-###-\n##@##\n#---#\n##-#-\n-###-"]),
    "blanks around": ("  ###  \n  #@#\n  ###", ["--###--\n--#@#--\n--###--"]),
    "comments between": (f"; a\n:: b\n' c\n{A}\n; a\n{B}\n:: b\n{A}\n'{A[:3]}'\n", [A, B, A]),
    "keys between": (f"Author: Ann\n{A}\nDate of birth: #1\n{B}", [A, B]),
    "prose between": (f"Level #5 is hard\n{A}\nEnd of the first, #1.\n{B}", [A, B]),
    "a line of dashes ends a level": (f"{A}\n----------\n{B}", [A, B]),
    "Boxoban": (f"; 0\n{A}\n\n; 1\n{B}\n", [A, B]),
    "a sealed box and a dead one": ("#######\n#@ $..#\n###$###\n  ###", ["#######\n#@-$..#\n###$###\n--###--"]),
    "fewer boxes than goals": ("#####\n#@$.#\n#  .#\n#####", ["#####\n#@$.#\n#--.#\n#####"]),
    "floor outside that nobody reaches": ("######\n#@#  #\n####", ["######\n#@#--#\n####--"]),
    "one level of .slc": (slc("<Level><L>###</L><L>#@#</L><L>###</L></Level>"), [A]),
    ".slc with a declaration": (
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n' + slc("<Level><L>###</L>\n<L>#@#</L>\n<L>###</L></Level>"),
        [A],
    ),
    ".slc in pieces": (slc("<Level><L>#<!-- -->##</L><L>#&#64;#</L><L><![CDATA[###]]></L></Level>"), [A]),
}


@pytest.mark.parametrize(("text", "boards"), GOOD.values(), ids=GOOD)
def test_good_files_are_read(text, boards):
    assert boards_of(text) == boards


TITLES = {
    "none": (f"{A}\n\n{B}", ["", ""]),
    "below": (f"{A}\nTitle: a: 1\n\n{B}\ntitle:b", ["a: 1", "b"]),
    "above": (f"Title: a\n\n{A}\n\nTitle: b\n{B}\n", ["a", "b"]),
    "above one level": (f"Title: a\n{A}\n", ["a"]),
    "the collection's, and below": (f"Title: all\n\n{A}\nTitle: a\n\n{B}\nTitle: b\n", ["a", "b"]),
    "the collection's alone": (f"Title: all\n\n{A}\n\n{B}\n", ["", ""]),
    "not for all": (f"{A}\n\n{B}\nTitle: b\n", ["", "b"]),
    "numbers": (f"; 0\n{A}\n\n; 12\n\n{B}\n", ["0", "12"]),
    "a title before a number": (f"; 0\n{A}\nTitle: a\n\n; 1\n{B}\n", ["a", "1"]),
    "other comments": (f"; by Ann\n{A}\n; 3 moves\n\n{B}\n; 7", ["", ""]),
    "empty": (f"{A}\nTitle:\nTitle: a", [""]),
    ".slc": (slc('<Level Id=" #01\n a"><L>###</L><L>#@#</L><L>###</L></Level>'), ["#01 a"]),
}


@pytest.mark.parametrize(("text", "titles"), TITLES.values(), ids=TITLES)
def test_titles_are_found(text, titles):
    assert titles_of(text) == titles


BAD = {
    "a strange symbol": ("####\n#@ #\n#  x#\n####", f"line 3, column 4: 'x' is not a tile of a level; {ALLOWED}"),
    "a strange symbol in the first row": (
        "##x#\n#@ #\n####",
        f"line 1, column 3: 'x' is not a tile of a level; {ALLOWED}",
    ),
    "a strange symbol in the last row": (f"{A}x", f"line 3, column 4: 'x' is not a tile of a level; {ALLOWED}"),
    "a note behind a row": ("###\n#@#  <- you\n###", f"line 2, column 6: '<' is not a tile of a level; {ALLOWED}"),
    "more letters than tiles": (
        "#######\n#@abcd#\n#######",
        f"line 2, column 3: 'a' is not a tile of a level; {ALLOWED}",
    ),
    "a tab before a row": ("###\n\t#@#\n###", f"line 2, column 1: a tab is not a tile of a level; {ALLOWED}"),
    "a tab behind a row": ("###\t\n#@#\n###", f"line 1, column 4: a tab is not a tile of a level; {ALLOWED}"),
    "a hard blank": ("####\n#@\xa0#\n####", f"line 2, column 3: '\\xa0' is not a tile of a level; {ALLOWED}"),
    "another page's byte": (b"###\n#\xe9#\n###", f"line 2, column 2: 'é' is not a tile of a level; {ALLOWED}"),
    "a second byte-order mark": (
        "\ufeff\ufeff" + A,
        f"line 1, column 1: '\\ufeff' is not a tile of a level; {ALLOWED}",
    ),
    "a row of boxes": ("####\n#@.#\n $$ \n####", "line 3, column 1: a row of a level has at least one '#'"),
    "no player": (f"{A}\n\n###\n#.#\n###", "line 5, column 1: no player; a level has exactly one"),
    "two players": ("####\n#@+#\n####", "line 2, column 3: a second player; a level has exactly one"),
    "more boxes than goals": ("#####\n#@$*#\n#####", "line 1, column 1: more boxes (2) than goals (1)"),
    "a gap in the border": ("####\n#@ \n####", "line 2, column 4: the player can leave the level here"),
    "a gap above": ("# ##\n#@ #\n####", "line 1, column 2: the player can leave the level here"),
    "a short row above": ("##\n#@ #\n####", "line 1, column 3: the player can leave the level here"),
    "a short row amid": ("#####\n#@  #\n#.\n#####", "line 3, column 3: the player can leave the level here"),
    "a box in a gap": ("####\n#@$.\n####", "line 2, column 4: the player can leave the level here"),
    "a player outside": ("@###\n #.#\n ###", "line 1, column 1: the player can leave the level here"),
    "run-length encoding": (
        "7#\n#@3-.#\n7#",
        "line 1, column 1: run-length encoding is not read; draw every tile of the row",
    ),
    "run-length encoding on one line": (
        "; 1\n4#|#@.#|4#",
        "line 2, column 1: run-length encoding is not read; draw every tile of the row",
    ),
    "a run-length bomb": (
        "999999999#",
        "line 1, column 1: run-length encoding is not read; draw every tile of the row",
    ),
    "a broken second level": (f"{A}\n\n{B}x", f"line 7, column 5: 'x' is not a tile of a level; {ALLOWED}"),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_bad_files_are_refused_with_the_place(text, message):
    assert error_in(text) == f"x.xsb, {message}"


def test_symbols_of_another_puzzle_are_refused():
    message = "x.xsb, line 2, column 3: '$' is not a tile of a level; allowed: # @ + . space - _"
    assert error_in("####\n#@$#\n####", WALKER_WORDS) == message
    assert len(read_levels(B, WALKER_WORDS)) == 1


PROSE = [
    "Level #5 is hard", "#5", "# Levels", "## Levels of mine", "#### Level 5 ####", "-- by Ann --", "...", "* * *",
    "=====", "#1 by Ann", "Solution #1: uurrDD", "rrULd", "1.", "Moves: 12/#", "10 # 3", "Well ... # ...",
]  # fmt: skip
ROW_LIKE = ["##x##", "#x#", "###a", "a####", "# $x .#", "#  o  #", "####\t", "\t#", "3#5-", "#### 1 ####", "#|#.#|#"]


@pytest.mark.parametrize("line", PROSE)
def test_prose_is_no_row(line):
    assert boards_of(f"{line}\n{A}\n\n{line}\n{B}\n\n{line}") == [A, B]


@pytest.mark.parametrize(
    "line", ["Level #5 is hard", "#5 is hard", "-- by Ann --", "# of moves: 7", "- - -", "end", "\t"]
)
def test_prose_right_below_a_level_ends_it(line):
    assert boards_of(f"{A}\n{line}\n{B}") == [A, B]


@pytest.mark.parametrize("line", ROW_LIKE)
def test_what_looks_like_a_row_is_never_skipped(line):
    assert "x.xsb, line 2, column " in error_in(f"\n{line}\n\n{A}")


@pytest.mark.parametrize("line", [*ROW_LIKE, "#5", "# abc #", "##abcdef", "x#", "....", "@", "- $ x"])
def test_what_continues_a_level_is_never_skipped(line):
    assert "x.xsb, line 4, column " in error_in(f"{A}\n{line}\n\n{B}")


BAD_XML = {
    "a strange symbol": (
        slc("\n<Level>\n  <L>###</L>\n  <L>#@x</L></Level>"),
        f"line 4, column 8: 'x' is not a tile of a level; {ALLOWED}",
    ),
    "a missing tag": ("<a>\n<b>\n</a>", "line 3, column 3: not well-formed XML: mismatched tag"),
    "nothing but a sign": ("<", "line 1, column 1: not well-formed XML: unclosed token"),
    "a row without wall": (slc("<Level>\n<L>---</L></Level>"), "line 2, column 4: a row of a level has at least one '#'"),
    "an empty row": (slc("<Level>\n<L>###</L>\n<L/></Level>"), "line 3, column 1: a row of a level has at least one '#'"),
    "no rows": (slc("\n<Level></Level>"), "line 2, column 1: a level without rows"),
    "rows without tags": (slc("<Level>\n###\n</Level>"), "line 2, column 1: text has no place here; a <Level> holds rows, each an <L>"),
    "rows without a level": (slc("\n<L>###</L>"), "line 2, column 1: <L> has no place here; a <Level> holds rows, each an <L>"),
    "a level in a level": (slc("<Level>\n<Level/></Level>"), "line 2, column 1: <Level> has no place here; a <Level> holds rows, each an <L>"),
    "a tag in a row": (slc("<Level><L>\n<b/></L></Level>"), "line 2, column 1: <b> has no place here; a <Level> holds rows, each an <L>"),
    "laughs": (
        '<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]><a>&c;</a>',
        "line 1, column 13: definitions in a DOCTYPE are not read; delete them",
    ),
    "a file of ours": (
        '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><a>&b;</a>',
        "line 1, column 13: definitions in a DOCTYPE are not read; delete them",
    ),
    "an unknown entity": ("<a>&b;</a>", "line 1, column 4: not well-formed XML: undefined entity"),
    "a hundred thousand tags": ("<a>" * 100_000, "line 1, column 49: <a> has no place here; a <Level> holds rows, each an <L>"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message"), BAD_XML.values(), ids=BAD_XML)
def test_bad_xml_is_refused_with_the_place(text, message):
    assert error_in(text, name="x.slc") == f"x.slc, {message}"


def test_the_ending_slc_makes_xml_of_any_text():
    assert error_in(A, name="x.slc") == "x.slc, line 1, column 2: not well-formed XML: not well-formed (invalid token)"


@pytest.mark.parametrize("text", ["", " \n\t\n", b"", "; only a comment", "\ufeff", slc()])
@pytest.mark.parametrize("name", ["x.xsb", "x.slc"])
def test_a_file_without_levels_is_refused(text, name):
    if isinstance(text, str) and text.startswith(";"):
        name = "x.xsb"
    assert error_in(text, name=name) == f"no level in {name}"


def test_other_files_are_refused():
    assert error_in(A.encode("utf-16")) == "x.xsb is UTF-16 text, which is not read; save it as UTF-8"
    assert error_in(b" " * (LARGEST + 1)) == "x.xsb is larger than 64 MiB, the most that is read"


def test_a_small_file_that_makes_a_huge_picture_is_refused():
    bomb = "#" * 60_000 + "\n##" * 60_000
    assert (
        error_in(f"{A}\n\n{bomb}")
        == "x.xsb, line 5, column 1: more than 67,108,864 cells up to here, the most that is read"
    )


def test_small_levels_that_make_huge_pictures_together_are_refused(monkeypatch):
    monkeypatch.setattr("textworlds.text.levels.LARGEST", 300)
    level = "#" * 15 + "\n#@#" + "\n###" * 8
    assert len(read_levels(f"{level}\n\n{level}", WORDS)) == 2
    assert "x.xsb, line 23, column 1: more than 300 cells up to here" in error_in(f"{level}\n\n" * 3)


def test_files_are_read_whole_or_not_at_all(tmp_path):
    path = tmp_path / "mixed.xsb"
    path.write_text(f"{A}\n\n##x#\n\n{B}\nTitle: b\n\n###\n", encoding="utf-8")
    with pytest.raises(LevelError, match=r"mixed\.xsb, line 5, column 3: 'x' is not a tile"):
        read_level_file(path, WORDS)
    levels, errors = read_good_levels(path, WORDS)
    assert [level.title for level in levels] == ["", "b"]
    assert [level.source for level in levels] == [f"{path}, line 1", f"{path}, line 7"]
    assert [str(error) for error in errors] == [
        f"{path}, line 5, column 3: 'x' is not a tile of a level; {ALLOWED}",
        f"{path}, line 12, column 1: no player; a level has exactly one",
    ]


def test_good_levels_before_broken_xml_are_kept(tmp_path):
    path = tmp_path / "broken.slc"
    path.write_text("<a><Level Id='1'><L>###</L><L>#@#</L><L>###</L></Level><Level>", encoding="utf-8")
    levels, errors = read_good_levels(path, WORDS)
    assert [level.title for level in levels] == ["1"] and len(errors) == 1


def test_files_that_cannot_be_opened_are_pythons_business(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.xsb"):
        read_level_file(tmp_path / "none.xsb", WORDS)
    with pytest.raises(IsADirectoryError):
        read_good_levels(tmp_path, WORDS)


def test_thin_walls_have_no_level_files():
    words = WORDS._replace(thin_walls=True)
    for use in (lambda: read_levels(A, words), lambda: write_levels(read_levels(A, WORDS), words)):
        with pytest.raises(ValueError, match="level files hold no thin walls"):
            use()


def test_a_drawing_is_read_with_its_own_line_numbers():
    assert np.array_equal(read_drawing(A.split("\n"), WORDS, "a"), read_levels(A, WORDS)[0].picture)
    for rows, message in [
        (["###", "#@"], "a, line 8, column 2: the player can"),
        ([], "a, line 7, column 1: a level without"),
    ]:
        with pytest.raises(LevelError, match=message):
            read_drawing(rows, WORDS, "a", first_line=7)


def test_levels_that_would_not_read_back_are_not_written():
    level = read_levels("####\n#@ #\n####", WORDS)[0]
    thin, solid = level.picture.copy(), np.full((1, 3, 3), AGENT | ITEM, np.uint8)
    thin[0, 1, 1] |= 1 << RIGHT
    for picture, title, message in [
        (thin, "", "level 1: level files hold no walls but solid cells and the border"),
        (np.concatenate([level.picture] * 2), "", "level 1: level files hold no boxes with a plane of their own"),
        (solid, "", "level 1, line 1, column 1: '.' is not a tile of a level"),
        (level.picture, "a\nb", "level 1: a title is one line without blanks around it, not 'a.*b'"),
    ]:
        with pytest.raises(ValueError, match=message):
            write_levels([Level(picture, title)], WORDS)


def test_written_text_is_what_people_write():
    assert write_levels([*read_levels(f"{A}\nTitle: a\n\n{B}", WORDS)], WORDS) == f"{A}\nTitle: a\n\n{B}\n"


@st.composite
def closed_levels(draw) -> Level:
    height, width, margin = draw(st.integers(3, 9)), draw(st.integers(3, 9)), draw(st.integers(0, 2))
    tiles = draw(st.lists(st.sampled_from([0, SOLID, GOAL, ITEM, ITEM | GOAL]), min_size=81, max_size=81))
    board = np.full((height, width), SOLID, np.uint8)
    board[1:-1, 1:-1] = np.array(tiles, np.uint8).reshape(9, 9)[1 : height - 1, 1 : width - 1]
    agent = draw(st.integers(1, height - 2)), draw(st.integers(1, width - 2))
    board[agent] = AGENT | (board[agent] & GOAL)
    for cell in np.flatnonzero(board & ITEM)[np.count_nonzero(board & GOAL) :]:
        board.flat[cell] ^= ITEM
    board = np.pad(board, ((0, 0), (margin, margin)))
    close_walls(board)
    title = draw(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n")).map(str.strip))
    return Level(board[np.newaxis], title)


@settings(deadline=None)
@given(st.lists(closed_levels(), min_size=1, max_size=4))
def test_written_levels_read_back_the_same(levels):
    text = write_levels(levels, WORDS)
    for again in (read_levels(text, WORDS), read_levels(text.encode(), WORDS)):
        assert [level.title for level in again] == [level.title for level in levels]
        for level, other in zip(levels, again, strict=True):
            assert np.array_equal(level.picture, other.picture)


PIECES = ["#", "#", "@", "+", "$", "*", ".", " ", "-", "\t", "\n", "\n", "\r", "x", "3", "|", ";", "Title:", "'", "\0"]
TAGS = [
    "<Level Id='a'>",
    "</Level>",
    "<L>",
    "</L>",
    "###",
    "#@#",
    "<b>",
    "&lt;",
    "&b;",
    "<!--",
    "-->",
    "\n",
    "<!DOCTYPE a [",
]


@settings(deadline=None)
@given(
    st.one_of(
        st.text(),
        st.text(st.characters()),
        st.binary(),
        st.lists(st.sampled_from(PIECES)).map("".join),
        st.lists(st.sampled_from(TAGS)).map(lambda tags: "<a>" + "".join(tags)),
    ),
    st.sampled_from(["x.xsb", "x.slc"]),
)
def test_any_text_is_read_or_refused(text, name):
    try:
        assert all(isinstance(level, Level) for level in read_levels(text, WORDS, name))
    except LevelError as error:
        assert name in str(error)


def ordinary_level(rng: random.Random) -> str:
    cells = [[rng.choice("#    ") for _ in range(14)] for _ in range(10)]
    spots = rng.sample([(row, column) for row in range(10) for column in range(14)], 9)
    for (row, column), symbol in zip(spots, "@$$$$....", strict=True):
        cells[row][column] = symbol
    return "\n".join(["#" * 16, *(f"#{''.join(row)}#" for row in cells), "#" * 16])


def test_large_files_load_in_seconds():
    rng = random.Random(0)
    inner = [f"# {'#' * 496} #" if row % 4 == 0 else "#" + " " * 498 + "#" for row in range(1, 499)]
    huge = ["#" * 500, *inner, "#" * 500]
    huge[1] = "#@" + huge[1][2:]
    text = "\n\n".join([*(f"; {number}\n{ordinary_level(rng)}" for number in range(2000)), "\n".join(huge)])
    read_levels(A, WORDS)
    start = time.perf_counter()
    assert len(read_levels(text, WORDS)) == 2001
    assert time.perf_counter() - start < 5


def test_lines_of_a_million_symbols_load_in_seconds():
    start = time.perf_counter()
    for piece in ("#", "1", "a ", "# ", "\t", ": ", "a", "1#", "\n", "; 1\n\n"):
        error_in(piece * 500_000)
    error_in("<a>" + "&#35;" * 500_000)
    error_in("<Level><L>" + "&#35;" * 500_000)
    assert time.perf_counter() - start < 10


def play(rows: list[str], moves: str) -> bool:
    """Return whether moves, capitals for pushes, solve a drawing; the slow and obvious way."""
    cells = {(row, column): symbol for row, line in enumerate(rows) for column, symbol in enumerate(line)}
    boxes = {cell for cell, symbol in cells.items() if symbol in "$*"}
    row, column = next(cell for cell, symbol in cells.items() if symbol in "@+")
    for move in moves:
        down, right = {"u": (-1, 0), "d": (1, 0), "l": (0, -1), "r": (0, 1)}[move.lower()]
        row, column = row + down, column + right
        beyond = (row + down, column + right)
        assert cells[row, column] != "#" and ((row, column) in boxes) == move.isupper()
        if move.isupper():
            assert cells[beyond] != "#" and beyond not in boxes
            boxes = boxes - {(row, column)} | {beyond}
    return all(cells[box] in ".*+" for box in boxes)


def test_our_first_steps_are_solved_by_their_solutions():
    levels = read_level_file(FIRST_STEPS, WORDS)
    lines = FIRST_STEPS.read_text(encoding="utf-8").splitlines()
    solutions = [line.removeprefix("; solution: ") for line in lines if line.startswith("; solution: ")]
    assert [level.title for level in levels] == [
        "Push", "Around the corner", "Who goes first", "One is home already", "Crossroads",
    ]  # fmt: skip
    for level, solution in zip(levels, solutions, strict=True):
        assert play(drawn(level).split("\n"), solution)


def blocks_of(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)\n```", (ROOT / "docs" / "levels.md").read_text(encoding="utf-8"), re.DOTALL)


def test_the_page_on_level_files_tells_the_truth(capsys, monkeypatch):
    example, *errors = blocks_of("text")
    assert titles_of(example) == ["Two corners"]
    for block in errors:
        text, message = block.rsplit("\n\n", 1)
        assert error_in(text, name="mine.xsb") == message
    monkeypatch.chdir(ROOT)
    exec(blocks_of("python")[0], {})  # the page's own code
    assert capsys.readouterr().out == blocks_of("output")[0] + "\n"


def test_a_document_type_that_only_names_its_definition_is_passed_over():
    board = "<L>#####</L><L>#@$.#</L><L>#####</L>"
    text = f'<?xml version="1.0"?><!DOCTYPE S SYSTEM "nowhere.dtd"><S><Level Id="one">{board}</Level></S>'
    assert [level.title for level in read_levels(text, WORDS)] == ["one"]


def test_a_title_directly_below_a_board_names_it_whatever_stands_above():
    board = "#####\n#@$.#\n#####\n"
    text = f"Title: collection\n\n{board}Title: one\n\n{board}Author: someone\n"
    assert [level.title for level in read_levels(text, WORDS)] == ["one", ""]
