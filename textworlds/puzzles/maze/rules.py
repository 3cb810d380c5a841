"""The rules of mazes: walk to an exit."""

from textworlds.grid import AGENT, AGENT_IN_WAY, CHANGED, GOAL, WALL_IN_WAY, move_agent, neighbour
from textworlds.kernel import kernel


@kernel
def step(state, world, agent, action):
    """Walk one cell; actions are the directions. Return CHANGED or the reason why nothing changed."""
    cell = state.agents[world, agent]
    if state.board[world, cell] >> action & 1:
        return WALL_IN_WAY
    to = neighbour(state, cell, action)
    if state.board[world, to] & AGENT:
        return AGENT_IN_WAY
    move_agent(state, world, agent, to)
    if (state.board[world, cell] | state.board[world, to]) & GOAL:
        state.book[world].left = goals_left(state, world)
    return CHANGED


@kernel
def goals_left(state, world):
    """Return 0 if an agent stands on an exit, else 1."""
    for flags in state.board[world]:
        if flags & (AGENT | GOAL) == AGENT | GOAL:
            return 0
    return 1
