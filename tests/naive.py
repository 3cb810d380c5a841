"""The rules and the searches again: slow and obvious, written from the rules, on drawings of the "dense" format.

A world is a NamedTuple that can be hashed; a cell is (row, column). A twin plays one action by returning another world,
and says why nothing changed by the name that the puzzle's rules give to that reason.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from heapq import heappop, heappush
from typing import Any, NamedTuple

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
