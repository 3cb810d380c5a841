"""The standard rules of Sokoban, by any number of players."""

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
)
from textworlds.kernel import kernel
from textworlds.puzzles.sokoban.deadlocks import is_lost_by_push

WALL_BEHIND_BOX, BOX_BEHIND_BOX, AGENT_BEHIND_BOX = range(FIRST_OWN_REASON, FIRST_OWN_REASON + 3)


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
        if there & wall:
            return WALL_BEHIND_BOX
        beyond = neighbour(state, to, action)
        if state.board[world, beyond] & ITEM:
            return BOX_BEHIND_BOX
        if state.board[world, beyond] & AGENT:
            return AGENT_BEHIND_BOX
        move_item(state, world, to, beyond)
        book = state.book[world]
        book.lost = book.lost or is_lost_by_push(state, world, beyond)
    move_agent(state, world, agent, to)
    return CHANGED


@kernel
def goals_left(state, world):
    """Return the number of boxes that stand on no goal."""
    left = 0
    for flags in state.board[world]:
        left += flags & (ITEM | GOAL) == ITEM
    return left
