"""The rules, the searches and the views again: slow and obvious, written from the rules, on drawings of the "dense" format.

A world is a NamedTuple that can be hashed; a cell is (row, column). A twin plays one action by returning another world,
and says why nothing changed by the name that the puzzle's rules give to that reason.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from heapq import heappop, heappush
from itertools import product
from math import floor
from typing import Any, NamedTuple

import numpy as np

from textworlds.grid import AGENT, ITEM, SOLID, UNKNOWN, WALLS

OFFSETS = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}
COMPASS = ("up", "down", "left", "right")

Cell = tuple[int, int]


class Twin(NamedTuple):
    read: Callable[[str], Any]  # drawing -> world
    draw: Callable[[Any], str]
    act: Callable[[Any, int], tuple[str, Any]]  # world, action -> "CHANGED" or why not, world
    left: Callable[[Any], int]
    cost: Callable[[Any, Any], int]  # world, the next one -> 0 or 1, what a best plan has fewest of
    num_actions: int


def play(twin: Twin, drawing: str, actions: Sequence[int]) -> Iterator[tuple[str, int, str]]:
    """Yield what became of each action: the reason, the goals left, the drawing."""
    world = twin.read(drawing)
    for action in actions:
        reason, world = twin.act(world, action)
        yield reason, twin.left(world), twin.draw(world)


def cost(twin: Twin, drawing: str, actions: Sequence[int]) -> int:
    world, total = twin.read(drawing), 0
    for action in actions:
        _, after = twin.act(world, action)
        total += twin.cost(world, after)
        world = after
    return total


def fewest(twin: Twin, drawing: str) -> int | None:
    """Return the cost of a best plan, or None if there is no plan: all worlds, in the order of their cost."""
    queue, done = deque([(0, twin.read(drawing))]), set()
    while queue:
        total, world = queue.popleft()
        if world in done:
            continue
        done.add(world)
        if twin.left(world) == 0:
            return total
        for action in range(twin.num_actions):
            _, after = twin.act(world, action)
            if twin.cost(world, after):
                queue.append((total + 1, after))
            else:
                queue.appendleft((total, after))
    return None


def fewest_in_order(twin: Twin, drawing: str, costs: Sequence[Callable[[Any, Any], int]]) -> tuple[int, ...] | None:
    """Return the costs of a plan that has the fewest of the first and, of such plans, the fewest of the next: Dijkstra."""
    first = twin.read(drawing)
    queue, done, number = [((0,) * len(costs), 0, first)], set(), 0
    while queue:
        totals, _, world = heappop(queue)
        if world in done:
            continue
        done.add(world)
        if twin.left(world) == 0:
            return totals
        for action in range(twin.num_actions):
            reason, after = twin.act(world, action)
            if reason == "CHANGED" and after not in done:
                number += 1
                spent = tuple(total + cost(world, after) for total, cost in zip(totals, costs, strict=True))
                heappush(queue, (spent, number, after))
    return None


def beside(cell: Cell, direction: str) -> Cell:
    return cell[0] + OFFSETS[direction][0], cell[1] + OFFSETS[direction][1]


# Sokoban and Maze: a player on a floor.


class Floor(NamedTuple):
    rows: tuple[str, ...]  # what never changes: "#", "-" and "."
    player: Cell
    boxes: frozenset[Cell]

    def tile(self, cell: Cell) -> str:
        row, column = cell
        is_inside = 0 <= row < len(self.rows) and 0 <= column < len(self.rows[0])
        return self.rows[row][column] if is_inside else "#"

    def is_solved_at(self, cell: Cell) -> bool:
        return self.tile(cell) == "."


def read_floor(drawing: str) -> Floor:
    tiles = {(r, c): tile for r, line in enumerate(drawing.split("\n")) for c, tile in enumerate(line)}
    under = {"@": "-", "+": ".", "$": "-", "*": "."}
    rows = tuple("".join(under.get(tile, tile) for tile in line) for line in drawing.split("\n"))
    (player,) = (cell for cell, tile in tiles.items() if tile in "@+")
    return Floor(rows, player, frozenset(cell for cell, tile in tiles.items() if tile in "$*"))


def draw_floor(world: Floor) -> str:
    lines = [list(row) for row in world.rows]
    for row, column in world.boxes:
        lines[row][column] = "*" if world.is_solved_at((row, column)) else "$"
    row, column = world.player
    lines[row][column] = "+" if world.is_solved_at(world.player) else "@"
    return "\n".join("".join(line) for line in lines)


def act_in_sokoban(world: Floor, action: int) -> tuple[str, Floor]:
    direction = COMPASS[action]
    ahead = beside(world.player, direction)
    beyond = beside(ahead, direction)
    if world.tile(ahead) == "#":
        return "WALL_IN_WAY", world
    if ahead not in world.boxes:
        return "CHANGED", world._replace(player=ahead)
    if world.tile(beyond) == "#":
        return "WALL_BEHIND_BOX", world
    if beyond in world.boxes:
        return "BOX_BEHIND_BOX", world
    return "CHANGED", world._replace(player=ahead, boxes=world.boxes - {ahead} | {beyond})


def can_be_pushed(world: Floor, start: Cell, end: Cell) -> bool:
    """Return whether a box alone could be pushed from one cell to another by a player who stands wherever it likes."""
    seen, queue = {start}, [start]
    while queue:
        cell = queue.pop()
        for direction, opposite in zip(COMPASS, ("down", "up", "right", "left"), strict=True):
            to = beside(cell, direction)
            if "#" not in (world.tile(to), world.tile(beside(cell, opposite))) and to not in seen:
                seen.add(to)
                queue.append(to)
    return end in seen


def share_of_no_return(drawing: str, actions: Sequence[int]) -> float:
    """Return the share of a plan's pushes after which the box could not come back, even alone on the board."""
    world, pushes = read_floor(drawing), []
    for action in actions:
        _, after = act_in_sokoban(world, action)
        if world.boxes != after.boxes:
            (start,), (end,) = world.boxes - after.boxes, after.boxes - world.boxes
            pushes.append(not can_be_pushed(world, end, start))
        world = after
    return sum(pushes) / max(len(pushes), 1)


def act_in_maze(world: Floor, action: int) -> tuple[str, Floor]:
    ahead = beside(world.player, COMPASS[action])
    if world.tile(ahead) == "#":
        return "WALL_IN_WAY", world
    return "CHANGED", world._replace(player=ahead)


# Taxi.

STAND_NAMES = "RGYBACDEFHIJKLMNOPQSTUVWXZ"
IN_TAXI = "@"


class City(NamedTuple):
    lines: tuple[str, ...]  # the walls as drawn; cell (r, c) is character 2c + 1 of line 2r + 1
    stands: tuple[Cell, ...]  # row by row, as they are named
    taxi: Cell
    passengers: tuple[tuple[str, str], ...]  # where each is (a stand's name or IN_TAXI) and wants to go

    def stand_at(self, cell: Cell) -> str:
        return dict(zip(self.stands, STAND_NAMES, strict=False)).get(cell, "")


def read_city(drawing: str) -> City:
    lines = drawing.split("\n")
    city = [line for line in lines if not line.startswith("passenger")]
    tiles = {
        ((r - 1) // 2, (c - 1) // 2): city[r][c] for r in range(1, len(city), 2) for c in range(1, len(city[r]), 2)
    }
    stands = tuple(sorted(cell for cell, tile in tiles.items() if tile.isalpha()))
    (taxi,) = (cell for cell, tile in tiles.items() if tile == "@" or tile.islower())
    trips = [line.split(": ")[1].split(" to ") for line in lines if line.startswith("passenger")]
    return City(tuple(city), stands, taxi, tuple((at, to) for at, to in trips))


def draw_city(world: City) -> str:
    lines = [list(line) for line in world.lines]
    for row in range(1, len(lines), 2):
        for column in range(1, len(lines[row]), 2):
            cell = ((row - 1) // 2, (column - 1) // 2)
            name = world.stand_at(cell)
            here = name.lower() or "@"
            lines[row][column] = here if cell == world.taxi else name or "."
    trips = [f"passenger {number}: {at} to {to}" for number, (at, to) in enumerate(world.passengers, 1)]
    return "\n".join(["".join(line) for line in lines] + trips)


def act_in_taxi(world: City, action: int) -> tuple[str, City]:
    here = world.stand_at(world.taxi)
    places = [at for at, _ in world.passengers]
    if action < 4:
        return drive(world, ("down", "up", "right", "left")[action])
    if action == 4:
        waiting = [number for number, (at, _) in enumerate(world.passengers) if here and at == here]
        bound_elsewhere = [number for number in waiting if world.passengers[number][1] != here]
        if IN_TAXI in places:
            return "TAXI_FULL", world
        if not waiting:
            return "NO_PASSENGER", world
        return "CHANGED", put(world, (bound_elsewhere or waiting)[0], IN_TAXI)
    if IN_TAXI not in places:
        return "NO_FARE", world
    if not here:
        return "NO_STAND", world
    return "CHANGED", put(world, places.index(IN_TAXI), here)


def drive(world: City, direction: str) -> tuple[str, City]:
    (row, column), (down, right) = world.taxi, OFFSETS[direction]
    if world.lines[2 * row + 1 + down][2 * column + 1 + right] != " ":
        return "WALL_IN_WAY", world
    return "CHANGED", world._replace(taxi=(row + down, column + right))


def put(world: City, passenger: int, at: str) -> City:
    passengers = list(world.passengers)
    passengers[passenger] = (at, passengers[passenger][1])
    return world._replace(passengers=tuple(passengers))


TWINS = {
    "sokoban": Twin(
        read=read_floor,
        draw=draw_floor,
        act=act_in_sokoban,
        left=lambda world: sum(not world.is_solved_at(box) for box in world.boxes),
        cost=lambda world, after: int(world.boxes != after.boxes),
        num_actions=4,
    ),
    "maze": Twin(
        read=read_floor,
        draw=draw_floor,
        act=act_in_maze,
        left=lambda world: int(not world.is_solved_at(world.player)),
        cost=lambda world, after: 1,
        num_actions=4,
    ),
    "taxi": Twin(
        read=read_city,
        draw=draw_city,
        act=act_in_taxi,
        left=lambda world: sum(at != to for at, to in world.passengers),
        cost=lambda world, after: 1,
        num_actions=6,
    ),
}


# Views, on pictures.

WAYS = {(-1, 0): 0, (1, 0): 1, (0, -1): 2, (0, 1): 3}  # rows and columns -> wall bit


def is_on(board: np.ndarray, cell: Cell) -> bool:
    return 0 <= cell[0] < board.shape[0] and 0 <= cell[1] < board.shape[1]


def is_solid(board: np.ndarray, cell: Cell) -> bool:
    return not is_on(board, cell) or bool(board[cell] & SOLID)


def is_closed(board: np.ndarray, one: Cell, other: Cell) -> bool:
    """Return whether a wall stands between two neighbours."""
    if not is_on(board, one) or not is_on(board, other):
        return True
    return bool(board[one] >> WAYS[other[0] - one[0], other[1] - one[1]] & 1)


def is_in_sight(board: np.ndarray, here: Cell, there: Cell) -> bool:
    """Look where the line between two middles crosses the lines of the grid, in fractions."""
    (row, column), (rows, columns) = here, (there[0] - here[0], there[1] - here[1])
    half = Fraction(1, 2)
    for y in range(min(row, there[0]) + 1, max(row, there[0]) + 1):
        x = column + half + (y - row - half) * Fraction(columns, rows)
        if x.denominator == 1:
            if not passes_corner(board, y, int(x), rows * columns > 0):
                return False
        elif is_closed(board, (y - 1, floor(x)), (y, floor(x))):
            return False
    for x in range(min(column, there[1]) + 1, max(column, there[1]) + 1):
        y = row + half + (x - column - half) * Fraction(rows, columns)
        if y.denominator != 1 and is_closed(board, (floor(y), x - 1), (floor(y), x)):
            return False
    return True


def passes_corner(board: np.ndarray, y: int, x: int, falls: bool) -> bool:
    """Return whether one of the two ways around a corner of the grid is free."""
    start, end = ((y - 1, x - 1), (y, x)) if falls else ((y - 1, x), (y, x - 1))
    ways = ((start[0], end[1]), (end[0], start[1]))
    return any(not is_closed(board, start, way) and not is_closed(board, way, end) for way in ways)


def seen_cells(board: np.ndarray, here: Cell, reach: int, sight: bool) -> set[Cell]:
    """Return the cells that are seen, those beyond the board included."""
    window = {(here[0] + r, here[1] + c) for r, c in product(range(-reach, reach + 1), repeat=2)}
    if not sight:
        return window
    seen = {cell for cell in window if not is_solid(board, cell) and is_in_sight(board, here, cell)}
    around = {(row + r, column + c) for row, column in seen for r, c in product((-1, 0, 1), repeat=2)}
    return seen | {cell for cell in around & window if is_solid(board, cell)}


class Onlooker:
    """What an agent knows of a world: cell -> what it saw there last, in each plane, without wall bits."""

    def __init__(self, size: int, sight: bool, fog: bool) -> None:
        self.size, self.sight, self.fog = size, sight, fog
        self.known: dict[Cell, list[int]] = {}
        self.stood: Cell | None = None

    def look(self, picture: np.ndarray, here: Cell) -> np.ndarray:
        """Return what is shown of a picture, uint8[P, H, W], to an agent at a cell."""
        planes, height, width = picture.shape
        seen = seen_cells(picture[0], here, self.size // 2 if self.size else max(height, width), self.sight)
        if not self.fog:
            self.known = {}
        elif self.stood is not None:
            board, *own = self.known[self.stood]
            self.known[self.stood] = [board & ~AGENT, *(one & ~(ITEM | AGENT) if one & AGENT else one for one in own)]
        for plane in range(1, planes):
            if any(is_on(picture[0], cell) and picture[plane][cell] & ITEM for cell in seen):
                for things in self.known.values():
                    things[plane] &= ~(ITEM | AGENT)
        for cell in seen:
            beyond = [SOLID] + [0] * (planes - 1)
            self.known[cell] = [int(plane[cell]) & ~WALLS for plane in picture] if is_on(picture[0], cell) else beyond
        self.stood = here
        corner, size = (0, 0), (height, width)
        if self.size and not self.fog:
            corner, size = (here[0] - self.size // 2, here[1] - self.size // 2), (self.size, self.size)
        return self.draw(picture, corner, size)

    def draw(self, picture: np.ndarray, corner: Cell, size: tuple[int, int]) -> np.ndarray:
        shown = np.zeros((len(picture), *size), np.uint8)
        for row, column in product(range(size[0]), range(size[1])):
            cell = corner[0] + row, corner[1] + column
            shown[:, row, column] = self.known.get(cell, [UNKNOWN] + [0] * (len(picture) - 1))
            for (down, right), bit in WAYS.items():
                is_edge = not (0 <= row + down < size[0] and 0 <= column + right < size[1])
                if is_edge or self.knows_wall(picture[0], cell, (cell[0] + down, cell[1] + right)):
                    shown[0, row, column] |= 1 << bit
        return shown

    def knows_wall(self, board: np.ndarray, one: Cell, other: Cell) -> bool:
        known = [cell for cell in (one, other) if cell in self.known]
        if any(self.known[cell][0] & SOLID for cell in known):
            return True
        is_thin = is_closed(board, one, other) and not is_solid(board, one) and not is_solid(board, other)
        return bool(known) and is_thin


class TeamOnlooker(Onlooker):
    """What one of several agents knows of a world: the picture with its own planes first, and a plane for each agent."""

    def __init__(self, size: int, sight: bool, fog: bool, reader: int, last_seen: int) -> None:
        super().__init__(size, sight, fog)
        self.reader, self.last_seen = reader, last_seen

    def look_with(self, picture: np.ndarray, cells: list[Cell], has_owners: bool) -> np.ndarray:
        """Return what is shown of a picture, uint8[P + A, H, W], where agents stand in these cells."""
        turned = [(self.reader + place) % len(cells) for place in range(len(cells))]
        board, rest = picture[0], picture[1:][turned] if has_owners else picture[1:]
        agents = np.zeros((len(cells), *board.shape), np.uint8)
        for plane, agent in zip(agents, turned):
            plane[cells[agent]] = AGENT
        truth, first = np.concatenate([board[None], rest, agents]), len(picture)
        reach = self.size // 2 if self.size else max(board.shape)
        seen = seen_cells(board, cells[self.reader], reach, self.sight)
        if not self.fog:
            self.known = {}
        for plane in range(first, len(truth)):
            now = cells[turned[plane - first]]
            for cell, things in self.known.items():
                if things[plane] and now in seen and cell != now:
                    things[0] &= ~AGENT
                    things[1:] = [0 if thing & AGENT and thing & ITEM else thing for thing in things[1:]]
                    things[plane] = 0
                elif things[plane]:
                    things[plane] = self.last_seen
        for plane in range(1, first):
            if not has_owners and any(is_on(board, cell) and truth[plane][cell] & ITEM for cell in seen):
                for things in self.known.values():
                    things[plane] &= ~(ITEM | AGENT)
        for cell in seen:
            beyond = [SOLID] + [0] * (len(truth) - 1)
            self.known[cell] = [int(plane[cell]) & ~WALLS for plane in truth] if is_on(board, cell) else beyond
        corner, size = (0, 0), board.shape
        if self.size and not self.fog:
            here = cells[self.reader]
            corner, size = (here[0] - self.size // 2, here[1] - self.size // 2), (self.size, self.size)
        return self.draw(truth, corner, size)
