"""Plans for chats: the solver's, ones with a detour, and ones with a mistake that is made good; each a list of turns."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from textworlds.data.jobs import Dice
from textworlds.episode import Episode

MOST_EXTRA = 4  # actions of a near-optimal plan beyond the fewest
MOST_WRONG = 3  # actions of a mistake
MOST_TRIES = 8
NO_MISTAKE = -1

Actions = list[int]


class Solver(NamedTuple):
    """Plays the levels of a job and finds plans in them.

    Attributes:
        episode: action="discrete", without a limit on turns that matters.
        nodes: positions that may be expanded for a plan.
        most: actions that a turn takes.
    """

    episode: Episode
    nodes: int
    most: int

    def plan(self) -> Actions | None:
        """Return a plan of the fewest actions; None if there is none, or none is found within the positions."""
        try:
            return self.episode.solve(self.episode.puzzle.costs[-1], nodes=self.nodes)
        except RuntimeError:
            return None

    def play(self, actions: Actions) -> None:
        """Play actions, up to one that solves the level."""
        for action in actions:
            if self.episode.act(action).terminated:
                break

    @contextmanager
    def trying(self) -> Iterator[None]:
        """Play, and go back to where it began."""
        before = self.episode.get_state()
        try:
            yield
        finally:
            self.episode.set_state(before)


class Plan(NamedTuple):
    """Turns that solve a level.

    Attributes:
        name: a key of PLANS.
        turns: the actions of each.
        fewest: the fewest actions that solve the level.
        mistake: which turn, counted from 0, is none that a good player would play; NO_MISTAKE if all are.
    """

    name: str
    turns: list[Actions]
    fewest: int
    mistake: int = NO_MISTAKE


def optimal(solver: Solver, best: Actions, dice: Dice) -> Plan:
    """Return the fewest actions, cut into turns at random."""
    return Plan("optimal", cut(best, solver.most, dice), len(best))


def near_optimal(solver: Solver, best: Actions, dice: Dice) -> Plan:
    """Return a plan with one action of another choice, which costs MOST_EXTRA actions at most; else the optimal one."""
    place = dice.below(len(best))
    with solver.trying():
        solver.play(best[:place])
        others = np.flatnonzero(solver.episode.action_mask()).tolist()
        for other in shuffled([action for action in others if action != best[place]], dice):
            with solver.trying():
                solver.play([other])
                rest = solver.plan()
            if rest and place + 1 + len(rest) <= len(best) + MOST_EXTRA:
                return Plan("near-optimal", cut([*best[:place], other, *rest], solver.most, dice), len(best))
    return optimal(solver, best, dice)


def recovery(solver: Solver, best: Actions, dice: Dice) -> Plan:
    """Return a plan with a turn of random actions after which it takes no fewer actions than before; else the optimal."""
    place, num_actions = dice.below(len(best)), len(solver.episode.puzzle.words.vocabulary.names)
    with solver.trying():
        solver.play(best[:place])
        for _ in range(MOST_TRIES):
            wrong = [dice.below(num_actions) for _ in range(1 + dice.below(min(MOST_WRONG, solver.most)))]
            with solver.trying():
                rest = solver.plan() if ends_unsolved(solver, wrong) else None
            if rest and len(rest) >= len(best) - place:
                before = cut(best[:place], solver.most, dice)
                after = cut(rest, solver.most, dice)
                return Plan("recovery", [*before, wrong, *after], len(best), len(before))
    return optimal(solver, best, dice)


def ends_unsolved(solver: Solver, actions: Actions) -> bool:
    """Play actions; return whether the level is still to be solved, and can be as far as is plain."""
    solver.play(actions)
    totals = solver.episode.totals()
    return not totals["solved"] and not totals["deadlocked"]


PLANS: dict[str, Callable[[Solver, Actions, Dice], Plan]] = {
    "optimal": optimal,
    "near-optimal": near_optimal,
    "recovery": recovery,
}


def cut(plan: Actions, most: int, dice: Dice) -> list[Actions]:
    """Cut a plan into turns of any length up to all that is left, each with the same chance, and at most `most`."""
    turns = []
    while plan:
        length = min(1 + dice.below(len(plan)), most)
        turns.append(plan[:length])
        plan = plan[length:]
    return turns


def shuffled(values: list[Any], dice: Dice) -> list[Any]:
    """Return values in random order."""
    left = list(values)
    return [left.pop(dice.below(len(left))) for _ in values]
