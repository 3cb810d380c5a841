"""Taxi.

Rules: the taxi drives south, north, east and west, and not through walls. It picks up a passenger who waits in its
    cell, one at a time: of several the lowest-numbered, of those not at their destination first. It drops its passenger
    off at any stand. Any size from 2x2, up to 26 stands, 8 passengers and 8 taxis, none of which drives into another.
Actions: 0 south, 1 north, 2 east, 3 west, 4 pickup, 5 dropoff, as in Gymnasium.
Level and state: plane 0 has thin walls on the wall bits, GOAL the stands, AGENT the taxis. Plane i is passenger i's:
    GOAL at the destination, ITEM where the passenger is, and AGENT there too while riding.
Solved when: every passenger has been dropped off at the destination.
Generator: a random spanning tree of the cells, and a share of the walls it leaves room for; stands anywhere, each
    passenger at one and bound for another, the taxi anywhere. Of several taxis the first can reach every stand while the
    others stand still. Or, with classic=1, one of Gymnasium's 300 starts.
Solver: the fewest actions, by A* over where the taxi and the passengers are after each drop-off; for the first taxi,
    the others standing still.
Sources: Dietterich, Hierarchical Reinforcement Learning with the MAXQ Value Function Decomposition (JAIR 2000);
    Gymnasium's Taxi-v4, whose transitions, rewards, masks and starts are those of Taxi-classic-v0; Kruskal (1956);
    Hart, Nilsson and Raphael (1968). The paper of the WMAct id, arXiv 2511.23476, does not say which map it plays: the
    classic one is our choice.
Versions: v0.
"""

import numpy as np

from textworlds.grid import AGENT, AGENT_IN_WAY, CHANGED, GOAL, ITEM, SOLVED, WALL_IN_WAY
from textworlds.puzzles.puzzle import MOST_AGENTS, Puzzle, check_num_agents, guided, square
from textworlds.puzzles.taxi.generator import Options, generate
from textworlds.puzzles.taxi.rules import NO_FARE, NO_PASSENGER, NO_STAND, TAXI_FULL, goals_left, step
from textworlds.puzzles.taxi.solver import solve
from textworlds.puzzles.taxi.words import WORDS

MAX_PASSENGERS = 8
FEWEST_ACTIONS = 3  # for a passenger: pickup, a step, dropoff
CLASSIC_ACTIONS = 6, 18  # the fewest and the most that one of Gymnasium's starts takes


def check_options(options: Options, height: int, width: int) -> str:
    """Return why no such level can be generated, or an empty string."""
    if height < 2 or width < 2:
        return f"a map has at least 2 rows and 2 columns; height and width are {height} and {width}"
    if options.classic not in (0, 1):
        return f"classic is 0 or 1; it is {options.classic}"
    if options.classic and (height, width, options.num_stands, options.num_passengers) != (5, 5, 4, 1):
        return "the classic map has 5 rows, 5 columns, 4 stands and 1 passenger"
    most = min(height * width, len(WORDS.goal_names))
    if not 2 <= options.num_stands <= most:
        return f"num_stands is 2 to {most} on {height} rows and {width} columns; it is {options.num_stands}"
    if not 1 <= options.num_passengers <= MAX_PASSENGERS:
        return f"num_passengers is 1 to {MAX_PASSENGERS}; it is {options.num_passengers}"
    if not 0 <= options.walls <= 100:
        return f"walls is a percentage, 0 to 100; it is {options.walls}"
    if options.num_stands + options.num_agents > height * width + 1:
        return f"no room for {options.num_agents} taxis and {options.num_stands} stands in {height} x {width} cells"
    return check_num_agents(options.num_agents) or _check_window(options, height * width)


def _check_window(options: Options, cells: int) -> str:
    """Return why no level of so many cells lies in the window, or an empty string."""
    least, most = options.min_moves, options.max_moves
    if least < 0 or most < 0:
        return f"min_moves and max_moves are 0 (no bound) or a number of actions; they are {least} and {most}"
    if 0 < most < least:
        return f"min_moves is at most max_moves; they are {least} and {most}"
    shortest, longest = FEWEST_ACTIONS * options.num_passengers, 2 * cells * options.num_passengers
    if options.classic:
        shortest, longest = CLASSIC_ACTIONS
    if 0 < most < shortest or least > longest:
        return f"such levels take {shortest} to {longest} actions; min_moves and max_moves are {least} and {most}"
    return ""


def check_level(picture: np.ndarray) -> str:
    """Return why a picture is no level of Taxi, or an empty string."""
    board, planes = picture[0], picture[1:]
    taxis, stands = board & AGENT > 0, board & GOAL > 0
    if not 1 <= taxis.sum() <= MOST_AGENTS:
        return f"a level has 1 to {MOST_AGENTS} taxis; this one has {taxis.sum()}"
    if stands.sum() > len(WORDS.goal_names):
        return f"a level has at most {len(WORDS.goal_names)} stands; this one has {stands.sum()}"
    if (board & ITEM).any():
        return "passengers have planes of their own; there is one in plane 0"
    if not 1 <= len(planes) <= MAX_PASSENGERS:
        return f"a level has 1 to {MAX_PASSENGERS} passengers; this one has {len(planes)}"
    if (planes & ~np.uint8(GOAL | ITEM | AGENT)).any():
        return "the planes of passengers hold nothing but where they are, where they go, and whether they ride"
    complaints = (_check_passenger(plane, taxis, stands) for plane in planes)
    for number, complaint in enumerate(complaints, 1):
        if complaint:
            return f"passenger {number} {complaint}"
    if ((planes & AGENT > 0).sum(0) > 1).any():
        return "only one passenger rides in a taxi at a time"
    return ""


def _check_passenger(plane: np.ndarray, taxis: np.ndarray, stands: np.ndarray) -> str:
    """Return what is wrong with a passenger, or an empty string."""
    at, to, riding = (plane & flag > 0 for flag in (ITEM, GOAL, AGENT))
    if at.sum() != 1 or to.sum() != 1:
        return f"is at one place and has one destination; here {at.sum()} and {to.sum()}"
    if not (to & stands).any():
        return "has a destination that is no stand"
    if riding.any() and not (riding == (at & taxis)).all():
        return "rides, but not in the taxi"
    if not riding.any() and not (at & stands).any():
        return "waits at a place that is no stand"
    return ""


GRADED = {
    "Taxi-easy-v0": square(5, 60, min_moves=6, max_moves=12),
    "Taxi-medium-v0": square(7, 120, num_stands=5, num_passengers=2, min_moves=15, max_moves=25),
    "Taxi-hard-v0": square(9, 200, num_stands=6, num_passengers=3, min_moves=28, max_moves=44),
    "Taxi-expert-v0": square(12, 300, num_stands=8, num_passengers=4, min_moves=48, max_moves=80),
}

PUZZLE = Puzzle(
    name="taxi",
    words=WORDS,
    options=Options,
    ids={
        **GRADED,
        "Taxi-classic-v0": square(5, 200, classic=1, rewards="classic", action_mask=True),
        "WMAct-Taxi-v0": square(5, 30, classic=1),
    },
    step=step,
    goals_left=goals_left,
    generate=generate,
    solve=solve,
    check_options=check_options,
    check_level=check_level,
    num_planes=lambda options: 1 + options.num_passengers,
    guide_ids=guided(GRADED),
    team_ids={
        "Taxi-easy-2p-v0": square(5, 60, num_agents=2, num_passengers=2, min_moves=10, max_moves=22),
        "Taxi-medium-2p-v0": square(7, 120, num_agents=2, num_stands=5, num_passengers=3, min_moves=20, max_moves=40),
        "Taxi-hard-2p-v0": square(9, 200, num_agents=2, num_stands=6, num_passengers=4, min_moves=36, max_moves=60),
        "Taxi-expert-2p-v0": square(12, 300, num_agents=2, num_stands=8, num_passengers=6, min_moves=60, max_moves=120),
        "Taxi-easy-4p-v0": square(7, 60, num_agents=4, num_passengers=4, min_moves=24, max_moves=60),
        "Taxi-medium-4p-v0": square(8, 120, num_agents=4, num_stands=5, num_passengers=4, min_moves=30, max_moves=70),
        "Taxi-hard-4p-v0": square(10, 200, num_agents=4, num_stands=6, num_passengers=6, min_moves=50, max_moves=110),
        "Taxi-expert-4p-v0": square(12, 300, num_agents=4, num_stands=8, num_passengers=6, min_moves=60, max_moves=130),
    },
    rewards={
        "outcome": {SOLVED: 1.0},
        "classic": {
            CHANGED: -1.0,
            WALL_IN_WAY: -1.0,
            AGENT_IN_WAY: -1.0,
            NO_PASSENGER: -10.0,
            TAXI_FULL: -10.0,
            NO_FARE: -10.0,
            NO_STAND: -10.0,
            SOLVED: 20.0,
        },
    },
)
