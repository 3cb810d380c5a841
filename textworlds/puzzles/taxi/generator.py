"""City maps: thin walls that leave every cell within reach, stands, passengers, and a taxi anywhere.

A random spanning tree first (Kruskal's algorithm on walls in random order): walls that would part the cells already
joined may stay, and of those some do. Or the one map of Gymnasium's Taxi.
"""

from typing import NamedTuple

import numpy as np

from textworlds.grid import AGENT, DOWN, GOAL, ITEM, LEFT, RIGHT, UP, neighbour
from textworlds.kernel import kernel
from textworlds.puzzles.search import measure
from textworlds.random import below, shuffle


class Options(NamedTuple):
    """What a level should have.

    Attributes:
        num_passengers: 1 to 8.
        num_stands: 2 to 26.
        walls: of the walls that could stand with every cell still within reach, the percentage that does.
        classic: 1 for the map of Gymnasium's Taxi, with one of its 300 starts; 0 for a map of its own for each level.
        min_moves, max_moves: the fewest and the most actions that a best plan takes; 0 for no bound. Not the
            generator's business: other levels are thrown away.
        num_agents: taxis, 1 to 8; of several, the bounds hold for the first, the others standing still.
    """

    num_passengers: int = 1
    num_stands: int = 4
    walls: int = 40
    classic: int = 0
    min_moves: int = 0
    max_moves: int = 0
    num_agents: int = 1


@kernel
def generate(rng, state, world, options):
    """Fill in a level; return False if the first of several taxis cannot reach every stand."""
    cells = state.height * state.width
    close_border(state, world)
    stands = np.arange(cells)
    if options.classic:
        stands = draw_classic(state, world)
    else:
        build_walls(rng, state, world, options.walls)
        shuffle(rng, stands, cells)
    for index in range(options.num_stands):
        state.board[world, stands[index]] |= GOAL
    for plane in range(cells, state.board.shape[1], cells):
        at = below(rng, options.num_stands)
        to = (at + 1 + below(rng, options.num_stands - 1)) % options.num_stands
        state.board[world, plane + stands[at]] |= ITEM
        state.board[world, plane + stands[to]] |= GOAL
    state.board[world, below(rng, cells)] |= AGENT
    return options.num_agents == 1 or add_taxis(rng, state, world, options.num_agents)


@kernel
def add_taxis(rng, state, world, num_agents):
    """Set more taxis on empty streets; return whether the first can reach every stand while the others stand still.

    The first is the one in the first row, and of those in one row the leftmost.
    """
    cells = state.height * state.width
    taxis = 1
    while taxis < num_agents:
        cell = below(rng, cells)
        if not state.board[world, cell] & (GOAL | AGENT):
            state.board[world, cell] |= AGENT
            taxis += 1
    first = 0
    while not state.board[world, first] & AGENT:
        first += 1
    steps, queue = np.empty(cells, np.int32), np.full(cells, first, np.int32)
    measure(state, world, AGENT, first, queue, 1, steps)
    for cell in range(cells):
        if state.board[world, cell] & GOAL and steps[cell] < 0:
            return False
    return True


@kernel
def close_border(state, world):
    """Close the grid's border."""
    last = (state.height - 1) * state.width
    for column in range(state.width):
        state.board[world, column] |= 1 << UP
        state.board[world, last + column] |= 1 << DOWN
    for row in range(state.height):
        state.board[world, row * state.width] |= 1 << LEFT
        state.board[world, row * state.width + state.width - 1] |= 1 << RIGHT


@kernel
def close(state, world, cell, direction):
    """Put a thin wall beside a cell, seen from both sides."""
    state.board[world, cell] |= 1 << direction
    state.board[world, neighbour(state, cell, direction)] |= 1 << (direction ^ 1)


@kernel
def draw_classic(state, world):
    """Put the walls of the classic map; return its stands, R, G, Y and B."""
    for cell in (1, 6, 15, 20, 17, 22):
        close(state, world, cell, RIGHT)
    return np.array([0, 4, 20, 23])


@kernel
def build_walls(rng, state, world, percent):
    """Put walls in random places, with every cell still within reach.

    Args:
        percent: of the walls that a spanning tree leaves out, how many to put.
    """
    cells = state.height * state.width
    edges = np.empty(2 * cells, np.int64)
    count = list_edges(state, edges)
    shuffle(rng, edges, count)
    parents = np.arange(cells)
    wanted = ((count - (cells - 1)) * percent + 50) // 100
    for edge in edges[:count]:
        cell, direction = edge >> 2, edge & 3
        one, other = root(parents, cell), root(parents, neighbour(state, cell, direction))
        if one != other:
            parents[one] = other
        elif wanted > 0:
            close(state, world, cell, direction)
            wanted -= 1


@kernel
def list_edges(state, edges):
    """Write all pairs of cells side by side, as cell * 4 + direction (RIGHT or DOWN); return their number."""
    count = 0
    for row in range(state.height):
        for column in range(state.width):
            cell = row * state.width + column
            if column + 1 < state.width:
                edges[count] = cell * 4 + RIGHT
                count += 1
            if row + 1 < state.height:
                edges[count] = cell * 4 + DOWN
                count += 1
    return count


@kernel
def root(parents, cell):
    """Return the cell that stands for all cells joined with this one, halving the way there."""
    while parents[cell] != cell:
        parents[cell] = parents[parents[cell]]
        cell = parents[cell]
    return cell
