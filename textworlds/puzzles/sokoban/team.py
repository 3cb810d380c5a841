"""Levels for several players, made backwards: all pull boxes off the goals, one after another, among one another.

Each walk and each pull goes where nothing stands, so that playing all of it backwards is a way to solve the level: the
order of the players' turns is theirs to choose, and whoever is not at it stands still.
"""

import numpy as np

from textworlds.grid import AGENT, GOAL, ITEM, SOLID, UP, neighbour
from textworlds.kernel import kernel
from textworlds.puzzles.search import measure
from textworlds.random import below

PULLS_A_BOX = 8  # tried


@kernel
def pull_together(rng, state, world, options, work):
    """Set players down and have them pull; return False if a box stays on a goal.

    Args:
        work: int64[4, H * W]; row 0 lists the floor, the boxes' cells first; the other rows are workspace.
    """
    boxes = work[0, : options.num_boxes]
    players = work[0, options.num_boxes : options.num_boxes + options.num_agents]
    for player in players:
        state.board[world, player] |= AGENT
    for _ in range(PULLS_A_BOX * options.num_boxes):
        player = below(rng, options.num_agents)
        pull(rng, state, world, options, boxes, players, player, work)
    for player in range(options.num_agents):
        wander(rng, state, world, players, player, work)
    for box in boxes:
        if state.board[world, box] & GOAL:
            return False
    if options.owners:
        write_owners(state, world, boxes, players)
    return True


@kernel
def look_around(state, world, players, player, work):
    """Return the steps to each cell that a player can walk to, -1 for the others: row 1 of the workspace."""
    work[2, 0] = players[player]
    measure(state, world, SOLID | ITEM | AGENT, players[player], work[2], 1, work[1])
    return work[1]


@kernel
def pull(rng, state, world, options, boxes, players, player, work):
    """Have a player walk to a random box that it may and can pull, and pull it a cell; do nothing if there is none."""
    steps = look_around(state, world, players, player, work)
    chosen = ties = 0
    for box in range(boxes.size):
        if options.owners and box % options.num_agents != player:
            continue
        for direction in range(UP, UP + 4):
            if can_pull(state, world, steps, boxes[box], direction, players[player]):
                ties += 1
                if below(rng, ties) == 0:
                    chosen = box * 4 + direction
    if ties:
        box, direction = chosen >> 2, chosen & 3
        to = neighbour(state, boxes[box], direction)
        move(state, world, players, player, neighbour(state, to, direction), AGENT)
        move(state, world, boxes, box, to, ITEM)


@kernel
def can_pull(state, world, steps, cell, direction, player):
    """Return whether a player can walk to the cell beside a box in a direction, and from there go on in it."""
    if state.board[world, cell] >> direction & 1:
        return False
    to = neighbour(state, cell, direction)
    if steps[to] < 0 or state.board[world, to] >> direction & 1:
        return False
    beyond = neighbour(state, to, direction)
    return beyond == player or not state.board[world, beyond] & (ITEM | AGENT)


@kernel
def move(state, world, cells, index, to, flag):
    """Move one of some things to a cell, on the board and in their list."""
    state.board[world, cells[index]] ^= flag
    state.board[world, to] ^= flag
    cells[index] = to


@kernel
def wander(rng, state, world, players, player, work):
    """Have a player walk to a random cell within its reach."""
    steps = look_around(state, world, players, player, work)
    chosen, ties = players[player], 0
    for cell in range(steps.size):
        if steps[cell] >= 0:
            ties += 1
            if below(rng, ties) == 0:
                chosen = np.int64(cell)
    move(state, world, players, player, chosen, AGENT)


@kernel
def write_owners(state, world, boxes, players):
    """Write each box on the plane of its owner; players count by where they stand, row by row."""
    cells = state.height * state.width
    for box in range(boxes.size):
        place = 0
        for player in players:
            place += player < players[box % players.size]
        state.board[world, (1 + place) * cells + boxes[box]] |= ITEM
