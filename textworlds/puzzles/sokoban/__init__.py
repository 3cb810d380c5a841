"""Sokoban.

Rules: the player walks up, down, left and right, and pushes a box that is in the way if the cell behind it is free.
    Boxes cannot be pulled, and no two be pushed at once. Any size, any number of boxes, at least as many goals. Players
    stand in one another's way, and where boxes have owners, nobody pushes another's.
Actions: 0 up, 1 down, 2 left, 3 right.
Level and state: one plane. SOLID walls, GOAL, ITEM boxes, AGENT the players. Where boxes have owners, plane 1 + i holds
    ITEM for each box of player i.
Solved when: every box stands on a goal.
Generator: rooms carved by a random walk; boxes pulled backwards from their goals, so that every level is solvable. With
    several players all of them pull, each only its own boxes if these have owners.
Solver: A* over pushes: the fewest pushes or the fewest moves, and a proof where there is no solution; for the first
    player, the others standing still, and not where boxes have owners.
Sources: Hiroyuki Imabayashi, Sokoban (1982); Taylor and Parberry (2011) for levels made backwards; Junghanns and
    Schaeffer (Artificial Intelligence, 2001) for the bound and deadlocks. Level sizes of the WMAct ids: arXiv
    2511.23476 (see docs/wmact.md).
Versions: v0.
"""

import numpy as np

from textworlds.grid import AGENT, GOAL, ITEM
from textworlds.puzzles.puzzle import MOST_AGENTS, Puzzle, check_num_agents, guided, square
from textworlds.puzzles.sokoban.deadlocks import is_lost
from textworlds.puzzles.sokoban.generator import Options, generate
from textworlds.puzzles.sokoban.rules import goals_left, step
from textworlds.puzzles.sokoban.solver import solve
from textworlds.puzzles.sokoban.words import WORDS


def check_options(options: Options, height: int, width: int) -> str:
    """Return why no such level can be generated, or an empty string."""
    room = max(height - 2, 0) * max(width - 2, 0) * 7 // 10
    if options.num_boxes < 1:
        return f"a level has at least 1 box; num_boxes is {options.num_boxes}"
    if min(options.min_pushes, options.max_pushes) < 0 or 0 < options.max_pushes < options.min_pushes:
        return f"pushes from min_pushes={options.min_pushes} to max_pushes={options.max_pushes} (0: no bound) cannot be"
    if 2 * options.num_boxes + 1 > room:
        return f"no room for {options.num_boxes} boxes and their goals in {height} rows and {width} columns"
    return check_num_agents(options.num_agents) or _check_team(options, height, width, room)


def _check_team(options: Options, height: int, width: int, room: int) -> str:
    """Return why no such level can be generated for several players, or an empty string."""
    if 2 * options.num_boxes + options.num_agents > room:
        return f"no room for {options.num_agents} players and {options.num_boxes} boxes in {height} x {width} cells"
    if options.owners not in (0, 1):
        return f"owners is 0 or 1; it is {options.owners}"
    if options.owners and (options.num_agents == 1 or options.num_boxes < options.num_agents):
        return f"owners takes several players and a box for each; here are {options.num_agents} and {options.num_boxes}"
    if options.owners and (options.min_pushes or options.max_pushes):
        return "min_pushes and max_pushes are for levels whose boxes have no owners; with owners=1 both are 0"
    return ""


def check_level(picture: np.ndarray) -> str:
    """Return why a picture is no level of Sokoban, or an empty string."""
    players, boxes, goals = ((picture[0] & flag > 0).sum() for flag in (AGENT, ITEM, GOAL))
    if not 1 <= players <= MOST_AGENTS:
        return f"a level has 1 to {MOST_AGENTS} players; this one has {players}"
    if boxes > goals:
        return f"a level has a goal for each box; this one has {boxes} boxes and {goals} goals"
    if len(picture) not in (1, 1 + players):
        return f"a level has one plane, or one more for each player's boxes; this one has {len(picture)}"
    if len(picture) > 1 and not ((picture[1:] == ITEM).sum(0) == (picture[0] & ITEM > 0)).all():
        return "each box has one owner, and planes of owners hold nothing but boxes"
    return ""


GRADED = {
    "Sokoban-easy-v0": square(7, 60, num_boxes=1, min_pushes=3, max_pushes=5),
    "Sokoban-medium-v0": square(7, 100, num_boxes=2, min_pushes=6, max_pushes=9),
    "Sokoban-hard-v0": square(8, 150, num_boxes=3, min_pushes=10, max_pushes=14),
    "Sokoban-expert-v0": square(10, 200, num_boxes=4, min_pushes=15, max_pushes=40),
}

PUZZLE = Puzzle(
    name="sokoban",
    words=WORDS,
    options=Options,
    ids={
        **GRADED,
        "WMAct-Sokoban-v0": square(7, 30, num_boxes=2, min_pushes=4, max_pushes=9),
        "WMAct-Sokoban-hard1-v0": square(10, 30, num_boxes=2, min_pushes=6, max_pushes=14),
        "WMAct-Sokoban-hard2-v0": square(7, 30, num_boxes=3, min_pushes=6, max_pushes=14),
    },
    step=step,
    goals_left=goals_left,
    generate=generate,
    solve=solve,
    check_options=check_options,
    check_level=check_level,
    costs=("pushes", "moves"),
    is_lost=is_lost,
    roams=True,
    num_planes=lambda options: 1 + options.num_agents * options.owners,
    solves_alone=lambda options: not options.owners,
    guide_ids=guided(GRADED),
    team_ids={
        "Sokoban-easy-2p-v0": square(7, 60, num_agents=2, num_boxes=2, min_pushes=3, max_pushes=8),
        "Sokoban-medium-2p-v0": square(8, 100, num_agents=2, num_boxes=3, min_pushes=7, max_pushes=14),
        "Sokoban-hard-2p-v0": square(9, 150, num_agents=2, num_boxes=4, owners=1),
        "Sokoban-expert-2p-v0": square(10, 200, num_agents=2, num_boxes=6, owners=1),
        "Sokoban-easy-4p-v0": square(8, 60, num_agents=4, num_boxes=2, min_pushes=3, max_pushes=8),
        "Sokoban-medium-4p-v0": square(9, 100, num_agents=4, num_boxes=3, min_pushes=6, max_pushes=14),
        "Sokoban-hard-4p-v0": square(10, 150, num_agents=4, num_boxes=4, owners=1),
        "Sokoban-expert-4p-v0": square(12, 200, num_agents=4, num_boxes=8, owners=1),
    },
)
