"""The standard rules of Sokoban, by any number of players."""

import numpy as np

from textworlds.grid import (
    AGENT,
    AGENT_IN_WAY,
    CHANGED,
    FIRST_OWN_REASON,
    GOAL,
    ITEM,
    WALL_IN_WAY,
    move_agent,
    move_item,
    neighbour,
    toggle,
)
from textworlds.kernel import kernel
from textworlds.puzzles.sokoban.deadlocks import is_lost_by_push

WALL_BEHIND_BOX, BOX_BEHIND_BOX, AGENT_BEHIND_BOX, NOT_YOUR_BOX = range(FIRST_OWN_REASON, FIRST_OWN_REASON + 4)


@kernel
def step(state, world, agent, action):
    """Walk or push one cell; actions are the directions. Return CHANGED or the reason why nothing changed."""
    cell = state.agents[world, agent]
    wall = 1 << action
    if state.board[world, cell] & wall:
        return WALL_IN_WAY
    to = neighbour(state, cell, action)
    there = state.board[world, to]
    if there & AGENT:
        return AGENT_IN_WAY
    if there & ITEM:
        if has_owners(state) and not state.board[world, owned_by(state, agent) + to] & ITEM:
            return NOT_YOUR_BOX
        if there & wall:
            return WALL_BEHIND_BOX
        beyond = neighbour(state, to, action)
        if state.board[world, beyond] & ITEM:
            return BOX_BEHIND_BOX
        if state.board[world, beyond] & AGENT:
            return AGENT_BEHIND_BOX
        move_item(state, world, to, beyond)
        if has_owners(state):
            toggle(state, world, owned_by(state, agent) + to, ITEM)
            toggle(state, world, owned_by(state, agent) + beyond, ITEM)
        book = state.book[world]
        book.lost = book.lost or is_lost_by_push(state, world, beyond)
    move_agent(state, world, agent, to)
    return CHANGED


@kernel
def has_owners(state):
    """Return whether boxes have owners: players have planes of their own then."""
    return state.board.shape[1] != state.height * state.width


@kernel
def owned_by(state, agent):
    """Return where on the board the plane of a player's own boxes begins."""
    return state.height * state.width * (1 + np.int64(agent))


@kernel
def goals_left(state, world):
    """Return the number of boxes that stand on no goal."""
    left = 0
    for cell in range(state.height * state.width):
        left += state.board[world, cell] & (ITEM | GOAL) == ITEM
    return left
