"""The rules of Gymnasium's Taxi, for any number of passengers and taxis.

Plane 1 + i of the picture is passenger i's: GOAL at the destination; ITEM where the passenger is, and AGENT there too
while riding.
"""

from textworlds.grid import (
    AGENT,
    AGENT_IN_WAY,
    CHANGED,
    FIRST_OWN_REASON,
    GOAL,
    ITEM,
    WALL_IN_WAY,
    move_agent,
    neighbour,
    toggle,
)
from textworlds.kernel import kernel

SOUTH, NORTH, EAST, WEST, PICKUP, DROPOFF = range(6)
NO_PASSENGER, TAXI_FULL, NO_FARE, NO_STAND = range(FIRST_OWN_REASON, FIRST_OWN_REASON + 4)
NOBODY = -1


@kernel
def step(state, world, agent, action):
    """Drive one cell, pick up or drop off. Return CHANGED or the reason why nothing changed."""
    if action == PICKUP:
        return pick_up(state, world, agent)
    if action == DROPOFF:
        return drop_off(state, world, agent)
    return drive(state, world, agent, action ^ 1)


@kernel
def drive(state, world, agent, direction):
    """Drive one cell, with whoever rides."""
    cell = state.agents[world, agent]
    if state.board[world, cell] >> direction & 1:
        return WALL_IN_WAY
    to = neighbour(state, cell, direction)
    if state.board[world, to] & AGENT:
        return AGENT_IN_WAY
    riding = rider(state, world, cell)
    if riding != NOBODY:
        for flag in (ITEM, AGENT):
            toggle(state, world, riding + cell, flag)
            toggle(state, world, riding + to, flag)
    move_agent(state, world, agent, to)
    return CHANGED


@kernel
def pick_up(state, world, agent):
    """Take in the first passenger who waits here; those who have arrived come last."""
    cell = state.agents[world, agent]
    if rider(state, world, cell) != NOBODY:
        return TAXI_FULL
    waiting = first_at(state, world, cell, ITEM)
    if waiting == NOBODY:
        waiting = first_at(state, world, cell, ITEM | GOAL)
        if waiting == NOBODY:
            return NO_PASSENGER
        state.book[world].left += 1
    toggle(state, world, waiting + cell, AGENT)
    return CHANGED


@kernel
def drop_off(state, world, agent):
    """Let out the passenger who rides, at a stand."""
    cell = state.agents[world, agent]
    riding = rider(state, world, cell)
    if riding == NOBODY:
        return NO_FARE
    if not state.board[world, cell] & GOAL:
        return NO_STAND
    toggle(state, world, riding + cell, AGENT)
    if state.board[world, riding + cell] & GOAL:
        state.book[world].left -= 1
    return CHANGED


@kernel
def rider(state, world, cell):
    """Return where on the board the plane of the passenger begins who rides in the taxi at a cell, or NOBODY."""
    cells = state.height * state.width
    for plane in range(cells, state.board.shape[1], cells):
        if state.board[world, plane + cell] & AGENT:
            return plane
    return NOBODY


@kernel
def first_at(state, world, cell, flags):
    """Return where the first plane begins that holds just these flags at a cell, or NOBODY."""
    cells = state.height * state.width
    for plane in range(cells, state.board.shape[1], cells):
        if state.board[world, plane + cell] == flags:
            return plane
    return NOBODY


@kernel
def goals_left(state, world):
    """Return the number of passengers who are not at their destination, those who ride included."""
    cells = state.height * state.width
    left = state.board.shape[1] // cells - 1
    for index in range(cells, state.board.shape[1]):
        left -= state.board[world, index] == ITEM | GOAL
    return left
