"""The rules of mazes: walk to an exit, each to its own, or all to one another."""

import numpy as np

from textworlds.grid import AGENT, AGENT_IN_WAY, CHANGED, GOAL, UP, WALL_IN_WAY, move_agent, neighbour
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
    if state.agents.shape[1] > 1 or (state.board[world, cell] | state.board[world, to]) & GOAL:
        state.book[world].left = goals_left(state, world)
    return CHANGED


@kernel
def goals_left(state, world):
    """Return how many players are not on exits of their own; or 0 if one is on anybody's exit, and 1 if none is.

    Where there are no exits, how many steps of joining two groups it takes until all players stand together.
    """
    num_cells, num_agents = state.height * state.width, state.agents.shape[1]
    if state.board.shape[1] != num_cells:
        left = num_agents
        for agent in range(num_agents):
            left -= state.board[world, num_cells * (1 + agent) + state.agents[world, agent]] == GOAL
        return left
    any_exit = False
    for flags in state.board[world]:
        if flags & (AGENT | GOAL) == AGENT | GOAL:
            return 0
        any_exit = any_exit or flags & GOAL != 0
    return 1 if any_exit or num_agents == 1 else num_groups(state, world) - 1


@kernel
def num_groups(state, world):
    """Return in how many groups the players stand: of those side by side, with no wall in between."""
    groups, everybody = 0, (1 << state.agents.shape[1]) - 1
    while everybody:
        groups += 1
        group, grown = 0, everybody & -everybody
        while grown != group:
            group = grown
            for agent in range(state.agents.shape[1]):
                if group >> agent & 1:
                    grown |= beside(state, world, agent)
        everybody &= ~group
    return groups


@kernel
def beside(state, world, agent):
    """Return which players stand beside one with no wall in between, bit by bit."""
    found, cell = 0, np.int64(state.agents[world, agent])
    for direction in range(UP, UP + 4):
        if state.board[world, cell] >> direction & 1:
            continue
        to = neighbour(state, cell, direction)
        for other in range(state.agents.shape[1]):
            found |= (state.agents[world, other] == to) << other
    return found
