"""Maze.

Rules: walk up, down, left and right, and not through walls nor other players. Any odd height and width from 5.
Actions: 0 up, 1 down, 2 left, 3 right.
Level and state: one plane. SOLID walls, GOAL the exit, AGENT the players. A level given by hand may have several exits.
    Where players have exits of their own, plane 1 + i holds GOAL at player i's.
Solved when: a player stands on an exit; where players have exits of their own, when each stands on its own; where there
    are no exits, when all players stand together, each beside the next with no wall in between.
Generator: a spanning tree of the rooms at odd rows and columns, by the recursive backtracker or by Wilson's
    algorithm, which draws every tree with the same chance; a share of the other walls opened; start and exit at a
    distance drawn from the window asked for, or as far apart as can be.
    With several players, start and exit of each are drawn in this way, so that they can get there one after another.
Solver: breadth-first search: the fewest steps, and a proof where there is no way; for the first player, the others
    standing still, and only for exits that are everybody's.
Sources: Wilson (STOC 1996); Buck, Mazes for Programmers (2015); for start and exit Crescenzi, Grossi, Habib, Lanzi and
    Marino (Theoretical Computer Science, 2013). The paper of the WMAct ids, arXiv 2511.23476, does not say how large
    its mazes are: their sizes are ours.
Versions: v0.
"""

import numpy as np

from textworlds.grid import AGENT, GOAL, ITEM
from textworlds.puzzles.maze.generator import ANY, BACKTRACKER, WILSON, Options, generate
from textworlds.puzzles.maze.rules import goals_left, step
from textworlds.puzzles.maze.solver import solve
from textworlds.puzzles.maze.words import WORDS
from textworlds.puzzles.puzzle import MOST_AGENTS, Puzzle, check_num_agents, guided, square


def check_options(options: Options, height: int, width: int) -> str:
    """Return why no such level can be generated, or an empty string."""
    if height < 5 or width < 5 or height % 2 == 0 or width % 2 == 0:
        return f"height and width of a maze are odd and at least 5; they are {height} and {width}"
    if options.algorithm not in (ANY, BACKTRACKER, WILSON):
        return f"algorithm is -1 (any), 0 (backtracker) or 1 (Wilson's); it is {options.algorithm}"
    if not 0 <= options.loops <= 100:
        return f"loops is a percentage, 0 to 100; it is {options.loops}"
    complaint = check_num_agents(options.num_agents) or _check_team(options, (height // 2) * (width // 2))
    return complaint or _check_window(options, height // 2, width // 2)


def _check_team(options: Options, num_rooms: int) -> str:
    """Return why there are no such mazes of so many rooms for several players, or an empty string."""
    if options.meeting not in (0, 1):
        return f"meeting is 0 or 1; it is {options.meeting}"
    if options.meeting and options.num_agents == 1:
        return "a meeting takes several players"
    if 2 * options.num_agents > num_rooms:
        return f"no room for {options.num_agents} players and their exits in {num_rooms} rooms"
    return ""


def _check_window(options: Options, num_rows: int, num_columns: int) -> str:
    """Return why no maze of so many rooms lies in the window, or an empty string."""
    least, most = options.min_moves, options.max_moves
    window = f"min_moves and max_moves are {least} and {most}"
    if least < 0 or most < 0:
        return f"a window is 0 (no bound) or a number of steps; {window}"
    if 0 < most < least:
        return f"min_moves is at most max_moves; {window}"
    if 0 < most < max(least + least % 2, 2):
        return f"from room to room the number of steps is even, and at least 2; {window}"
    longest = 2 * (num_rows * num_columns - 1) if options.loops < 100 else 2 * (num_rows + num_columns - 2)
    if least > longest:
        return f"no way in such a maze is longer than {longest} steps; {window}"
    return ""


def check_level(picture: np.ndarray) -> str:
    """Return why a picture is no maze, or an empty string."""
    players, boxes, exits = ((picture[0] & flag > 0).sum() for flag in (AGENT, ITEM, GOAL))
    if not 1 <= players <= MOST_AGENTS:
        return f"a maze has 1 to {MOST_AGENTS} players; this one has {players}"
    if exits == 0 and players == 1:
        return "a maze has at least one exit; this one has none"
    if boxes:
        return f"there are no items in a maze; this one has {boxes}"
    if len(picture) not in (1, 1 + players):
        return f"a maze has one plane, or one more for each player's exit; this one has {len(picture)}"
    if len(picture) > 1 and not ((picture[1:] == GOAL).sum(0) == (picture[0] & GOAL > 0)).all():
        return "each exit has one owner, and planes of owners hold nothing but exits"
    if len(picture) > 1 and not ((picture[1:] == GOAL).sum((1, 2)) == 1).all():
        return "each player has one exit"
    return ""


GRADED = {
    "Maze-easy-v0": square(9, 60, min_moves=6, max_moves=10),
    "Maze-medium-v0": square(11, 120, min_moves=12, max_moves=20),
    "Maze-hard-v0": square(15, 200, min_moves=22, max_moves=36),
    "Maze-expert-v0": square(25, 500, loops=10, min_moves=40, max_moves=60),
}

PUZZLE = Puzzle(
    name="maze",
    words=WORDS,
    options=Options,
    ids={
        **GRADED,
        "WMAct-Maze-v0": square(9, 30, min_moves=20, max_moves=28),
        "WMAct-Maze-hard-v0": square(13, 30, min_moves=40, max_moves=60),
    },
    step=step,
    goals_left=goals_left,
    generate=generate,
    solve=solve,
    check_options=check_options,
    check_level=check_level,
    num_planes=lambda options: 1 + options.num_agents if options.num_agents > 1 and not options.meeting else 1,
    solves_alone=lambda options: options.num_agents == 1,
    guide_ids=guided(GRADED),
    team_ids={
        "Maze-easy-2p-v0": square(9, 60, num_agents=2, loops=20, min_moves=4, max_moves=10),
        "Maze-medium-2p-v0": square(11, 120, num_agents=2, loops=20, min_moves=8, max_moves=20),
        "Maze-hard-2p-v0": square(15, 200, num_agents=2, loops=10, min_moves=16, max_moves=36),
        "Maze-expert-2p-v0": square(25, 500, num_agents=2, loops=10, min_moves=30, max_moves=60),
        "Maze-easy-4p-v0": square(9, 60, num_agents=4, loops=30, min_moves=4, max_moves=10),
        "Maze-medium-4p-v0": square(11, 120, num_agents=4, loops=30, min_moves=8, max_moves=20),
        "Maze-hard-4p-v0": square(15, 200, num_agents=4, loops=20, min_moves=16, max_moves=36),
        "Maze-expert-4p-v0": square(25, 500, num_agents=4, loops=10, min_moves=30, max_moves=60),
        "Maze-meeting-2p-v0": square(11, 120, num_agents=2, meeting=1, min_moves=12, max_moves=20),
        "Maze-meeting-4p-v0": square(15, 200, num_agents=4, meeting=1, min_moves=12, max_moves=28),
    },
)
