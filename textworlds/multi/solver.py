"""The fewest actions of all agents together that solve a world: breadth-first search over the rules, for any puzzle.

A position is a world; the ways on from it are every action of every agent, played by `step`. So it needs to know nothing
of any puzzle, and takes as much room as there are positions: for small levels, and for tests. The cost of a plan is the
number of its actions, whoever plays them and in however many turns.
"""

from functools import cache

import numpy as np

from textworlds.grid import CHANGED, State, copy_cells, new_state
from textworlds.history import History, remember
from textworlds.kernel import Kernel, kernel
from textworlds.puzzles import GAVE_UP, NO_SOLUTION, Puzzle

# Each puzzle's own, put in place by Kernel.bind.
step: Kernel


@kernel
def copy_world(state, world, to):
    """Copy a world of a state to another place in it."""
    copy_cells(state.board[world], state.board[to])
    copy_cells(state.agents[world], state.agents[to])
    state.book[to] = state.book[world]


@kernel
def search(found, num_actions, parents, moves, seen):
    """Return the place of a solved world, NO_SOLUTION or GAVE_UP.

    Args:
        found: M worlds, the first one filled in; the others are filled in as they are found, in the order of their cost.
        parents, moves: int64[M], filled in with where each world came from, and by agent * num_actions + action.
        seen: history.Tables for one world, with room for M states.
    """
    remember(seen, 0, found.book[0].key)
    size, position = 1, 0
    while position < size:
        if found.book[position].left == 0:
            return position
        for move in range(found.agents.shape[1] * num_actions):
            if size == parents.size:
                return GAVE_UP
            copy_world(found, position, size)
            agent, action = move // num_actions, move % num_actions
            if step(found, size, agent, action) == CHANGED and not found.book[size].lost:
                if remember(seen, 0, found.book[size].key):
                    parents[size], moves[size] = position, move
                    size += 1
        position += 1
    return NO_SOLUTION


@cache
def _search_of(puzzle: Puzzle) -> Kernel:
    return search.bind(step=puzzle.step)


def solve_together(puzzle: Puzzle, state: State, world: int, nodes: int = 200_000) -> list[tuple[int, int]] | None:
    """Return a plan of the fewest actions, as (agent, action) in order; None if it is proven that there is none.

    Raises:
        RuntimeError: if that was not settled within so many positions.
    """
    cells = state.height * state.width
    shape = state.board.shape[1] // cells, state.height, state.width
    found = new_state(nodes, shape, state.agents.shape[1])
    found.board[0], found.agents[0], found.book[0] = state.board[world], state.agents[world], state.book[world]
    parents, moves = np.zeros((2, nodes), np.int64)
    num_actions, seen = len(puzzle.words.vocabulary.names), History(1, True)
    seen.make_room(nodes)
    position = int(_search_of(puzzle)(found, num_actions, parents, moves, seen.tables))
    if position == GAVE_UP:
        raise RuntimeError(f"{puzzle.name}: not settled within {nodes:,} positions of all agents")
    if position == NO_SOLUTION:
        return None
    plan = []
    while position:
        plan.append(divmod(int(moves[position]), num_actions))
        position = int(parents[position])
    return plan[::-1]
