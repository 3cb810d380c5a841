"""The drawing of pictures for people: every combination of flags looks different, at every size."""

from itertools import combinations

import numpy as np
import pytest

from textworlds.grid import AGENT, DOWN, GOAL, ITEM, LEFT, RIGHT, SOLID, UNKNOWN, UP, WALLS, close_walls
from textworlds.pixels import WALL_FRONT, draw_pixels

SIZES = (8, 16, 48)
KINDS = {"#": SOLID, " ": 0, ".": GOAL, "$": ITEM, "*": ITEM | GOAL, "@": AGENT, "+": AGENT | GOAL}


def picture_of(*rows: str) -> np.ndarray:
    """Return uint8[1, H, W], a drawing with its walls closed."""
    board = np.array([[KINDS[kind] for kind in row] for row in rows], np.uint8)
    close_walls(board)
    return board[None]


def open_cell(*planes: int) -> np.ndarray:
    """Return uint8[P, 3, 3]: the flags given for each plane in the middle of a floor."""
    picture = np.zeros((len(planes), 3, 3), np.uint8)
    close_walls(picture[0])
    picture[:, 1, 1] |= np.array(planes, np.uint8)
    return picture


def middle(picture: np.ndarray, size: int) -> np.ndarray:
    """Return the pixels of the cell in the middle of a picture of 3 * 3 cells."""
    return draw_pixels(picture, size)[size : 2 * size, size : 2 * size]


def same_looks(pictures: list[np.ndarray], size: int) -> list[tuple[int, int]]:
    """Return the pairs of pictures that a person can hardly tell apart: no pixel differs by a quarter of full scale."""
    tiles = [middle(picture, size).astype(int) for picture in pictures]
    pairs = combinations(range(len(tiles)), 2)
    return [(one, two) for one, two in pairs if np.abs(tiles[one] - tiles[two]).max() < 64]


def is_wall(pixels: np.ndarray) -> bool:
    """Say whether all these pixels have the colour of a thin wall."""
    return bool((pixels == [WALL_FRONT >> 16, WALL_FRONT >> 8 & 255, WALL_FRONT & 255]).all())


@pytest.mark.parametrize("size", [4, 8, 13, 48, 200, 512])
def test_pixels_are_rgb_bytes_of_the_asked_size(size):
    pixels = draw_pixels(picture_of("#@.", "$ *"), size)
    assert (pixels.shape, pixels.dtype) == ((2 * size, 3 * size, 3), np.uint8)


def test_a_tile_is_48_pixels_wide_unless_asked_otherwise():
    assert draw_pixels(picture_of("@")).shape == (48, 48, 3)


@pytest.mark.parametrize("size", SIZES)
def test_all_kinds_of_cells_look_different(size):
    kinds = [0, GOAL, ITEM, ITEM | GOAL, AGENT, AGENT | GOAL, AGENT | ITEM, AGENT | ITEM | GOAL, SOLID, UNKNOWN]
    assert same_looks([open_cell(kind) for kind in kinds], size) == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("board", [0, GOAL])
def test_items_that_differ_look_different_on_floor(board, size):
    own = [0, ITEM, GOAL, ITEM | GOAL]
    assert same_looks([open_cell(board, one, two) for one in own for two in own], size) == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("board", [AGENT, AGENT | GOAL])
def test_items_that_differ_look_different_around_an_agent(board, size):
    own = [0, ITEM, GOAL, ITEM | GOAL, ITEM | AGENT, ITEM | AGENT | GOAL]
    assert same_looks([open_cell(board, one, two) for one in own for two in own], size) == []


@pytest.mark.parametrize("kind", [ITEM, GOAL, ITEM | GOAL])
def test_each_of_five_items_stays_visible_when_all_share_a_cell(kind):
    crowds = [open_cell(0, *(0 if index == absent else kind for index in range(5))) for absent in range(6)]
    assert same_looks(crowds, 48) == []


@pytest.mark.parametrize("size", SIZES)
def test_thin_walls_on_different_sides_look_different(size):
    pictures = []
    for walls in range(WALLS + 1):
        picture = open_cell(walls)
        close_walls(picture[0])
        pictures.append(picture)
    assert same_looks(pictures, size) == []


@pytest.mark.parametrize("size", SIZES)
def test_a_thin_wall_lies_half_in_each_of_its_two_cells(size):
    picture = open_cell(1 << RIGHT)
    close_walls(picture[0])
    pixels = draw_pixels(picture, size)
    assert is_wall(pixels[size : 2 * size, 2 * size - 1 : 2 * size + 1])


@pytest.mark.parametrize("size", SIZES)
def test_a_thin_wall_is_drawn_whichever_of_its_cells_names_it(size):
    one, other = np.zeros((2, 1, 3, 3), np.uint8)
    one[0, 1, 1], other[0, 2, 1] = 1 << DOWN, 1 << UP
    assert np.array_equal(draw_pixels(one, size), draw_pixels(other, size))


@pytest.mark.parametrize("size", SIZES)
def test_the_edge_of_an_open_grid_is_a_thin_wall(size):
    pixels = draw_pixels(picture_of("  ", "  "), size)
    assert all(is_wall(edge) for edge in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]))


@pytest.mark.parametrize("size", SIZES)
def test_no_thin_wall_lies_beside_a_solid_cell(size):
    walled = picture_of("###", "# #", "###")
    assert np.array_equal(draw_pixels(walled, size), draw_pixels(walled & ~np.uint8(WALLS), size))


def test_an_unseen_cell_does_not_show_its_walls():
    hidden = open_cell(UNKNOWN)
    told = hidden.copy()
    told[0, 1, 1] |= 1 << LEFT | 1 << UP
    assert np.array_equal(draw_pixels(hidden), draw_pixels(told))


def test_the_same_picture_gives_the_same_pixels():
    picture = picture_of("#@.", "$ *")
    assert np.array_equal(draw_pixels(picture, 20), draw_pixels(picture, 20))


def test_drawing_leaves_the_picture_alone():
    picture = picture_of("#@.", "$ *")
    before = picture.copy()
    draw_pixels(picture)
    assert np.array_equal(picture, before)


def test_the_caller_may_change_the_pixels():
    picture = picture_of("@")
    first = draw_pixels(picture)
    before = first.copy()
    first[:] = 0
    assert np.array_equal(draw_pixels(picture), before)


@pytest.mark.parametrize("size", [-1, 0, 3, 513])
def test_a_tile_too_small_or_too_large_is_refused(size):
    with pytest.raises(ValueError, match=f"tile_size is {size}; it must be from 4 to 512 pixels"):
        draw_pixels(picture_of("@"), size)


@pytest.mark.parametrize("picture", [np.zeros((3, 3), np.uint8), np.zeros((1, 3, 3), np.int64)])
def test_what_is_no_picture_is_refused(picture):
    with pytest.raises(ValueError, match="a picture is uint8"):
        draw_pixels(picture)
