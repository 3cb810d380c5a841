"""Pictures as pixels: the drawing of any puzzle that a person looks at.

Shapes are signed distances (negative inside) in coordinates where a tile is the unit square, after Quilez, "2D distance
functions" (iquilezles.org/articles/distfunctions2d); an edge is one pixel of blending wide, so every size is crisp.
"""

from functools import lru_cache

import numpy as np

from textworlds.grid import AGENT, DOWN, GOAL, ITEM, LEFT, RIGHT, SOLID, UNKNOWN, UP, WALLS

SMALLEST_TILE, LARGEST_TILE = 4, 512

FLOOR, SEAM, SHADE = 0xF3EDE2, 0xE6DECF, 0x4A4048
WALL, WALL_RIM, WALL_FRONT = 0x66728A, 0x7F8BA3, 0x48526A
FOG, FOG_STRIPE = 0xC6CCD7, 0xB2BAC9
GOAL_MARK = 0x2FA184
WOOD, WOOD_FRAME, WOOD_EDGE = 0xDDB078, 0xC08B4E, 0x8A5F30
DONE, DONE_FRAME, DONE_EDGE = 0x7CCBA9, 0x3FA583, 0x24705A
FIGURE, FIGURE_EDGE, FIGURE_FEET = 0x3E7CC9, 0x27548E, 0x2B4A7A
INK, WHITE = 0x25303F, 0xFFFFFF
# One colour for each item with a plane of its own: Okabe and Ito, "Color Universal Design" (2008).
OWN_COLOURS = (0xD55E00, 0x56B4E9, 0xCC79A7, 0x009E73, 0xE69F00, 0xF0E442)

SIDES = {UP: (0, 0, 1, 0), DOWN: (0, 1, 1, 1), LEFT: (0, 0, 0, 1), RIGHT: (1, 0, 1, 1)}
CORNERS = ((0, 0), (1, 0), (0, 1), (1, 1))


def draw_pixels(picture: np.ndarray, tile_size: int = 48) -> np.ndarray:
    """Draw a picture for people to look at.

    Args:
        picture: uint8[P, H, W] of tile flags, wall bits closed. Plane 0 is the board; UNKNOWN there is a cell that is
            not seen. Plane 1 + i holds item i of those that differ: ITEM where it waits, ITEM | AGENT on the agent that
            carries it, GOAL where it is to go.
        tile_size: pixels along a cell's side, 4 to 512.

    Returns:
        uint8[H * tile_size, W * tile_size, 3], red, green and blue, the caller's to change.
    """
    if not SMALLEST_TILE <= tile_size <= LARGEST_TILE:
        raise ValueError(f"tile_size is {tile_size}; it must be from {SMALLEST_TILE} to {LARGEST_TILE} pixels")
    if picture.ndim != 3 or picture.dtype != np.uint8:
        raise ValueError(f"a picture is uint8[planes, height, width], not {picture.dtype}{list(picture.shape)}")
    _, height, width = picture.shape
    looks = np.concatenate([picture & ~np.uint8(WALLS), wall_lines(picture[0])])
    keys = np.moveaxis(looks, 0, 2).tobytes()
    tiles = [draw_tile(keys[start : start + len(looks)], tile_size) for start in range(0, len(keys), len(looks))]
    pixels = np.empty((height, tile_size, width * tile_size, 3), np.uint8)
    for row in range(height):
        np.concatenate(tiles[row * width : (row + 1) * width], axis=1, out=pixels[row])
    return pixels.reshape(height * tile_size, width * tile_size, 3)


def wall_lines(board: np.ndarray) -> np.ndarray:
    """Return which walls run along the sides and through the corners of each cell.

    Args:
        board: uint8[H, W] of tile flags.

    Returns:
        uint8[2, H, W]: thin walls, then these and the outlines of solid cells; bit d for side d, bit 4 + k for corner k.
    """
    board = np.pad(board, 1, constant_values=UNKNOWN)  # solid cells at the edge then seem to run on beyond it
    flat = lines_between(board[:-1, 1:-1], board[1:, 1:-1], DOWN, UP)
    upright = lines_between(board[1:-1, :-1], board[1:-1, 1:], RIGHT, LEFT)
    return np.stack([around_cells(*lines) for lines in zip(flat, upright)])


def lines_between(first: np.ndarray, second: np.ndarray, way: int, back: int) -> tuple[np.ndarray, np.ndarray]:
    """Return bool arrays: thin walls, and these with the outlines of solid cells, between cells and those that follow.

    Args:
        first: uint8 array of tile flags.
        second: the same of the cell that follows in direction `way`.
        way: direction from a first cell to its second.
        back: the opposite direction.
    """
    kinds = (first & UNKNOWN, second & UNKNOWN)
    either_solid = (kinds[0] == SOLID) | (kinds[1] == SOLID)
    either_unknown = (kinds[0] == UNKNOWN) | (kinds[1] == UNKNOWN)
    closed = (first >> way & 1) * (kinds[0] != UNKNOWN) | (second >> back & 1) * (kinds[1] != UNKNOWN)
    thin = (closed > 0) & ~either_solid
    return thin, thin | either_solid & ~either_unknown & (kinds[0] != kinds[1])


def around_cells(flat: np.ndarray, upright: np.ndarray) -> np.ndarray:
    """Return uint8[H, W], a bit for each side and corner, from lines bool[H + 1, W] and bool[H, W + 1]."""
    flat_ends, upright_ends = np.pad(flat, ((0, 0), (1, 1))), np.pad(upright, ((1, 1), (0, 0)))
    points = flat_ends[:, :-1] | flat_ends[:, 1:] | upright_ends[:-1] | upright_ends[1:]
    sides = [flat[:-1], flat[1:], upright[:, :-1], upright[:, 1:]]
    corners = [points[:-1, :-1], points[:-1, 1:], points[1:, :-1], points[1:, 1:]]
    return np.packbits(np.stack(sides + corners), axis=0, bitorder="little")[0]


@lru_cache(maxsize=1024)
def draw_tile(look: bytes, tile_size: int) -> np.ndarray:
    """Return uint8[tile_size, tile_size, 3] for a cell's flags in each plane and its two bytes of wall lines."""
    flags, *own, thin, outline = look
    kind = flags & UNKNOWN
    canvas = Canvas.blank(tile_size)
    if kind == UNKNOWN:
        draw_fog(canvas)
    else:
        draw_floor(canvas, outline)
    if kind == SOLID:
        draw_solid(canvas, outline)
    else:
        draw_thin_walls(canvas, thin)
        draw_things(canvas, flags & ~AGENT if kind == UNKNOWN else flags, own)
    return np.rint(canvas.pixels).astype(np.uint8)


class Canvas:
    """Pixels being painted, and where each lies in coordinates whose unit square is a tile or a part of one."""

    def __init__(self, pixels: np.ndarray, x: np.ndarray, y: np.ndarray, scale: float):
        self.pixels = pixels  # float[S, S, 3], shared with the canvases of parts
        self.x = x
        self.y = y
        self.scale = scale  # pixels in one unit of x and y

    @classmethod
    def blank(cls, size: int) -> "Canvas":
        """Return a canvas of size * size pixels over the unit square."""
        middles = (np.arange(size) + 0.5) / size
        return cls(np.zeros((size, size, 3)), middles[None, :], middles[:, None], size)

    def part(self, left: float, top: float, side: float) -> "Canvas":
        """Return the canvas on which the unit square is the square part given here."""
        return Canvas(self.pixels, (self.x - left) / side, (self.y - top) / side, self.scale * side)

    def whole(self, length: float, fewest: int = 1) -> float:
        """Return the length nearest to `length` that is a whole number of pixels, `fewest` at least."""
        return max(fewest, round(length * self.scale)) / self.scale

    def paint(self, colour: int, distance: np.ndarray, opacity: float = 1.0, blur: float = 0.0) -> None:
        """Lay a colour (0xRRGGBB) over where `distance` is negative; its edge fades over `blur`, a pixel at least."""
        cover = np.clip(0.5 - distance / max(blur, 1 / self.scale), 0, 1) * opacity
        colours = np.array([colour >> 16, colour >> 8 & 255, colour & 255])
        self.pixels += cover[..., None] * (colours - self.pixels)

    def disc(self, x: float, y: float, radius: float) -> np.ndarray:
        """Return distances to a disc around (x, y)."""
        return np.hypot(self.x - x, self.y - y) - radius

    def box(self, left: float, top: float, right: float, bottom: float, radius: float = 0.0) -> np.ndarray:
        """Return distances to a box with rounded corners."""
        across = np.abs(self.x - (left + right) / 2) - (right - left) / 2 + radius
        along = np.abs(self.y - (top + bottom) / 2) - (bottom - top) / 2 + radius
        outside = np.hypot(np.maximum(across, 0), np.maximum(along, 0))
        return outside + np.minimum(np.maximum(across, along), 0) - radius

    def line(self, from_x: float, from_y: float, to_x: float, to_y: float, width: float) -> np.ndarray:
        """Return distances to a line with round ends."""
        across, along = to_x - from_x, to_y - from_y
        share = ((self.x - from_x) * across + (self.y - from_y) * along) / (across**2 + along**2)
        share = np.clip(share, 0, 1)
        return np.hypot(self.x - from_x - share * across, self.y - from_y - share * along) - width / 2


def wall_distance(canvas: Canvas, lines: int) -> np.ndarray:
    """Return distances to the wall lines of a byte from `wall_lines`, infinite where there are none."""
    distance = np.full(canvas.pixels.shape[:2], np.inf)
    for side, ends in SIDES.items():
        if lines >> side & 1:
            distance = np.minimum(distance, canvas.line(*ends, width=0))
    for corner, (x, y) in enumerate(CORNERS):
        if lines >> 4 + corner & 1:
            distance = np.minimum(distance, canvas.disc(x, y, 0))
    return distance


def draw_floor(canvas: Canvas, outline: int) -> None:
    """Paint the floor: a faint seam to the next cells, and the shade of the walls around."""
    canvas.paint(SEAM, canvas.box(-1, -1, 2, 2))
    canvas.paint(FLOOR, canvas.box(-1, -1, 0.98, 0.98))
    canvas.paint(SHADE, wall_distance(canvas, outline) - 0.12, opacity=0.26, blur=0.24)


def draw_fog(canvas: Canvas) -> None:
    """Paint a cell nobody has seen: stripes that run on from cell to cell."""
    canvas.paint(FOG, canvas.box(-1, -1, 2, 2))
    stripe = np.abs((canvas.x + canvas.y) * 2 % 1 - 0.5) / 2 / np.sqrt(2)
    canvas.paint(FOG_STRIPE, stripe - 0.07)


def draw_solid(canvas: Canvas, outline: int) -> None:
    """Paint a solid cell: its top, and its front where the cell below is open."""
    runs_on = [1 - (outline >> side & 1) for side in SIDES]
    left, top, right, bottom = -runs_on[LEFT], -runs_on[UP], 1 + runs_on[RIGHT], 1 + runs_on[DOWN]
    front = 0 if runs_on[DOWN] else canvas.whole(0.24)
    canvas.paint(WALL_FRONT, canvas.box(left, top, right, bottom, 0.14))
    face = canvas.box(left, top, right, bottom - front, 0.14)
    canvas.paint(WALL_RIM, face)
    canvas.paint(WALL, face + canvas.whole(0.02))


def draw_thin_walls(canvas: Canvas, thin: int) -> None:
    """Paint this cell's half of the thin walls along its sides."""
    distance = wall_distance(canvas, thin)
    canvas.paint(WALL_FRONT, distance - canvas.whole(0.06))


def draw_things(canvas: Canvas, flags: int, own: list[int]) -> None:
    """Paint all that lies or stands on a floor cell."""
    if flags & GOAL:
        draw_goal(canvas)
    parts = [part_for(canvas, index, len(own)) for index in range(len(own))]
    for index, (item, part) in enumerate(zip(own, parts)):
        if item & GOAL:
            draw_own_goal(part, index)
    if flags & ITEM:
        draw_item(canvas, on_goal=flags & GOAL > 0)
    if flags & AGENT:
        draw_agent(canvas.part(0.2, 0.2, 0.6) if flags & ITEM else canvas)
    for index, (item, part) in enumerate(zip(own, parts)):
        if item & (ITEM | AGENT) == ITEM:
            draw_own_item(part.part(0.16, 0.14, 0.68) if item & GOAL else part, index)
        if item & (ITEM | AGENT) == ITEM | AGENT:
            draw_carried(canvas, index, len(own))


def part_for(canvas: Canvas, index: int, count: int) -> Canvas:
    """Return the part of a tile kept for one of the items that differ, from the lower left on."""
    columns = max(2, int(np.ceil(np.sqrt(count))))
    row, column = divmod(index, columns)
    side = canvas.whole(0.82 / columns)
    return canvas.part(0.5 + side * (column - columns / 2), 1 - canvas.whole(0.09) - side * (row + 1), side)


def draw_goal(canvas: Canvas) -> None:
    """Paint a ring around a dot."""
    canvas.paint(GOAL_MARK, np.abs(canvas.disc(0.5, 0.5, 0.34)) - 0.04)
    canvas.paint(GOAL_MARK, canvas.disc(0.5, 0.5, 0.13))


def draw_item(canvas: Canvas, on_goal: bool) -> None:
    """Paint a crate; on a goal it is green and ticked."""
    edge, frame, face = (DONE_EDGE, DONE_FRAME, DONE) if on_goal else (WOOD_EDGE, WOOD_FRAME, WOOD)
    margin, rim, plank = canvas.whole(0.1), canvas.whole(0.03), canvas.whole(0.12)
    canvas.paint(SHADE, canvas.box(0.12, 0.16, 0.88, 0.96, 0.1), opacity=0.35, blur=0.12)
    for colour, inset, radius in ((edge, margin, 0.08), (frame, margin + rim, 0.05), (face, margin + plank, 0.02)):
        canvas.paint(colour, canvas.box(inset, inset, 1 - inset, 1 - inset, radius))
    if on_goal:
        tick = np.minimum(canvas.line(0.36, 0.52, 0.46, 0.62, 0.09), canvas.line(0.46, 0.62, 0.65, 0.4, 0.09))
        canvas.paint(WHITE, tick)
    else:
        canvas.paint(frame, canvas.line(0.26, 0.74, 0.74, 0.26, 0.1))


def draw_agent(canvas: Canvas) -> None:
    """Paint a small round figure that looks at you."""
    canvas.paint(SHADE, canvas.box(0.22, 0.7, 0.78, 0.94, 0.12), opacity=0.35, blur=0.12)
    for x in (0.38, 0.62):
        canvas.paint(FIGURE_FEET, canvas.box(x - 0.1, 0.74, x + 0.1, 0.88, 0.06))
    body = canvas.box(0.21, 0.14, 0.79, 0.82, 0.28)
    canvas.paint(FIGURE_EDGE, body)
    canvas.paint(FIGURE, body + canvas.whole(0.03))
    for x in (0.39, 0.61):
        canvas.paint(WHITE, canvas.disc(x, 0.39, 0.095))
        canvas.paint(INK, canvas.disc(x, 0.405, 0.05))


def own_colour(index: int) -> int:
    """Return the colour of an item that has a plane of its own."""
    return OWN_COLOURS[index % len(OWN_COLOURS)]


def draw_dots(canvas: Canvas, count: int, y: float) -> None:
    """Paint a row of dots, so that an item is not told from others by its colour and place alone."""
    gap = min(0.24, 0.8 / count)
    radius = 0.38 * gap
    if radius * canvas.scale < 0.4:
        return  # too small to count, they would only dirty what lies beneath
    for dot in range(count):
        canvas.paint(INK, canvas.disc(0.5 + gap * (dot - (count - 1) / 2), y, radius))


def draw_own_goal(canvas: Canvas, index: int) -> None:
    """Paint the mat on which item `index` is to end."""
    gap = canvas.whole(0.04, fewest=0)
    mat = canvas.box(gap, gap, 1 - gap, 1 - gap, 0.16)
    canvas.paint(FLOOR, mat - 0.07)
    canvas.paint(own_colour(index), mat)
    canvas.paint(WHITE, mat + canvas.whole(0.14))
    draw_dots(canvas, index + 1, 0.5)


def draw_own_item(canvas: Canvas, index: int) -> None:
    """Paint item `index` waiting: a head on shoulders."""
    person = np.minimum(canvas.disc(0.5, 0.23, 0.2), canvas.box(0.12, 0.46, 0.88, 0.96, 0.25))
    canvas.paint(WHITE, person - 0.07)
    canvas.paint(own_colour(index), person)
    draw_dots(canvas, index + 1, 0.71)


def draw_carried(canvas: Canvas, index: int, count: int) -> None:
    """Paint the head of item `index` on the agent that carries it, in a seat of its own."""
    side = min(0.26, 0.54 / count)
    seat = canvas.part(0.5 + side * (index - count / 2), 0.64 - side / 2, side)
    seat.paint(WHITE, seat.disc(0.5, 0.5, 0.5))
    seat.paint(own_colour(index), seat.disc(0.5, 0.5, 0.38))
    draw_dots(seat, index + 1, 0.5)
