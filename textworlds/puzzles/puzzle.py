"""What a puzzle is to the rest of the house: its verbs, its words and its ids."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from textworlds.grid import SOLVED, State
from textworlds.kernel import Kernel, kernel
from textworlds.text.words import Words

# What solve returns in place of a plan's length.
NO_SOLUTION, GAVE_UP = -1, -2

# What every solver grades a level by, beside the costs of its best plan.
SEARCH_GRADES = ("nodes", "branching", "irreversible")


MOST_ROOM = 1 << 40  # of a solver, in positions and in bytes
MOST_AGENTS = 8


class Limits(NamedTuple):
    """What a solver is asked, and how much it may use; the same limits give the same answer on every machine.

    Attributes:
        objective: place in puzzle.costs of the cost that a plan has the fewest of; the other costs break ties.
        nodes: positions that may be expanded.
        bytes: room for the positions found.
    """

    objective: int = 0
    nodes: int = 2_000_000
    bytes: int = 2 << 30


@kernel
def never_lost(state, world):
    """Return False: for puzzles in which there is always a way back."""
    return False


@dataclass(frozen=True, eq=False)
class Puzzle:
    """A puzzle; shared code knows nothing else of it.

    Attributes:
        name: lower case, as in the folder's name.
        words: what its text says.
        options: a NamedTuple class of numbers, each with a default: what `generate` can be asked for.
        ids: name of an environment ("Sokoban-easy-v0") -> its settings: height, width, turn_limit, options, and
            anything else that the environments take.
        team_ids: the same for several agents ("Sokoban-easy-2p-v0"); their options say num_agents.
        guide_ids: the same for one agent that sees little and a guide that sees all ("Sokoban-easy-guide-v0"); see guided.
        solves_alone: options -> whether the first agent alone can solve such levels, the others standing still, so that
            `solve` answers for them. It returns GAVE_UP for the others.
        step: kernel (state, world, agent, action) -> int. Play one action in place; CHANGED or the reason why nothing
            changed. It changes the world only through grid.move_agent, move_item and toggle, and allocates nothing.
        goals_left: kernel (state, world) -> int. Count from the board; 0 is solved. `step` keeps book.left at this.
        generate: kernel (rng, state, world, options) -> bool. Write a solvable level on an all-zero board, walls
            closed; False if none could be made.
        solve: kernel (state, world, plan, limits, grades) -> int. Write actions into plan (int8[M]) and return how many,
            0 if solved already, NO_SOLUTION if that is proven, or GAVE_UP if the limits (Limits) or the plan's room ran
            out. Fills in `grades`, float64[len(puzzle.grades)], as far as it knows them. Leaves the state as it was.
        costs: what plans can have the fewest of: the one that difficulty is measured by first, actions last. Options named
            min_COST and max_COST, if there are any, bound the first one of generated levels.
        is_lost: kernel (state, world) -> bool. Whether it is plain that nothing solves the world any more; False says
            nothing. `step` keeps book.lost at this, once True for ever.
        roams: whether two levels are one level if they differ only in where their agents stand, each within the other's
            reach with no item moved.
        check_options: (options, height, width) -> a sentence that says why no such level can be, or "".
        check_level: picture -> a sentence that says why it is no level of this puzzle, or "".
        num_planes: options -> planes of its pictures.
        rewards: name of a reward scheme -> reason code -> reward of an action that had this outcome; SOLVED for the
            one that solves the level. Codes not named pay 0.
    """

    name: str
    words: Words
    options: type[Any]
    ids: Mapping[str, Mapping[str, Any]]
    step: Kernel
    goals_left: Kernel
    generate: Kernel
    solve: Kernel
    check_options: Callable[[Any, int, int], str]
    check_level: Callable[[np.ndarray], str]
    num_planes: Callable[[Any], int] = lambda options: 1
    costs: tuple[str, ...] = ("moves",)
    is_lost: Kernel = never_lost
    team_ids: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    guide_ids: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    solves_alone: Callable[[Any], bool] = lambda options: True
    roams: bool = False
    rewards: Mapping[str, Mapping[int, float]] = field(default_factory=lambda: {"outcome": {SOLVED: 1.0}})

    @property
    def verbs(self) -> dict[str, Kernel]:
        """The kernels that a turn is made of, by their names."""
        return {"step": self.step, "goals_left": self.goals_left, "is_lost": self.is_lost}

    @property
    def grades(self) -> tuple[str, ...]:
        """The names of what `solve` fills in.

        The costs of the plan; nodes, the positions expanded; branching, the mean number of moves on from one of them;
        irreversible, the share of the plan's moves that cannot be taken back. NaN where the solver does not know.
        """
        return self.costs + SEARCH_GRADES

    def limits(self, objective: str | None = None, **room: int) -> Limits:
        """Return limits for `solve` with an objective by its name; the first cost by default.

        Raises:
            ValueError: for a cost that this puzzle does not have, and for room that is no whole number.
        """
        objective = self.costs[0] if objective is None else objective
        if objective not in self.costs:
            raise ValueError(f"unknown objective {objective!r}; {self.name} knows: {', '.join(self.costs)}")
        if unknown := room.keys() - Limits._fields[1:]:
            raise ValueError(f"unknown limit {sorted(unknown)[0]!r}; known: {', '.join(Limits._fields[1:])}")
        for name, value in room.items():
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 0 <= value <= MOST_ROOM:
                raise ValueError(f"{name} is a whole number from 0 to 2**40; got {value!r:.80}")
        return Limits(self.costs.index(objective), **{name: int(value) for name, value in room.items()})

    def find_plan(
        self, state: State, world: int, plan: np.ndarray, limits: Limits = Limits()
    ) -> tuple[int, np.ndarray]:
        """Solve a world; return what `solve` returns, and the grades, float64[len(self.grades)]."""
        grades = np.full(len(self.grades), np.nan)
        return int(self.solve(state, world, plan, limits, grades)), grades

    def __deepcopy__(self, memo: dict[int, Any]) -> "Puzzle":
        return self


def check_num_agents(num_agents: int) -> str:
    """Return why there cannot be so many agents, or an empty string."""
    return "" if 1 <= num_agents <= MOST_AGENTS else f"num_agents is 1 to {MOST_AGENTS}; it is {num_agents}"


def square(size: int, turn_limit: int, **others: Any) -> dict[str, Any]:
    """Return the settings of an id whose levels have as many rows as columns."""
    return {"height": size, "width": size, "turn_limit": turn_limit, **others}


GUIDED = {"guides": 1, "talk": 200, "view": 3}  # what an id for a guide and a mover adds to one for a single agent


def guided(ids: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return ids for a guide and a mover, with the levels of these: "Maze-easy-v0" -> "Maze-easy-guide-v0"."""
    return {"-guide-v".join(id.rsplit("-v", 1)): {**settings, **GUIDED} for id, settings in ids.items()}
