"""Mazes: rooms at odd rows and columns, joined by a random spanning tree, then start and exit as far apart as asked.

A room with all four walls has not been joined yet; that is all that carving needs to remember. The functions below take
one world's board and not the state: passing on its three arrays, call by call, took ten times as long.
"""

from typing import NamedTuple

import numpy as np

from textworlds.grid import AGENT, DOWN, GOAL, LEFT, RIGHT, SOLID, UP, WALLS
from textworlds.kernel import kernel
from textworlds.puzzles.search import measure
from textworlds.random import below, shuffle

ANY, BACKTRACKER, WILSON = -1, 0, 1
NONE = -1
LONGEST = 0
TRIES_A_PAIR, ORDERS = 20, 8  # for several players


class Options(NamedTuple):
    """What a maze should have.

    Attributes:
        algorithm: BACKTRACKER (0) for long winding corridors, WILSON (1) for each tree with the same chance, ANY (-1)
            to draw one of the two for each level.
        loops: of the walls that could still be opened between two rooms, the percentage that is opened; 0 leaves one
            way from any room to any other, 100 leaves no wall but the pillars.
        min_moves, max_moves: the fewest and the most steps from start to exit on the shortest way; 0 for no bound. The
            number is drawn from those in between that the maze has, all of them even, each with the same chance; with
            no bound at all, it is the largest that the maze has.
        num_agents: players, 1 to 8; of several each has its own start and exit, and the bounds hold for each.
        meeting: 1 for a maze without exits, in which players are to meet; the bounds hold for the first and any other.
    """

    algorithm: int = ANY
    loops: int = 0
    min_moves: int = 0
    max_moves: int = 0
    num_agents: int = 1
    meeting: int = 0


@kernel
def generate(rng, state, world, options):
    """Fill in a maze; return False if no two of its rooms are as far apart as asked."""
    board = state.board[world, : state.height * state.width]
    num_rows, num_columns, width = state.height // 2, state.width // 2, state.width
    rooms = np.empty(num_rows * num_columns, np.int64)
    workspace = np.empty(board.size, np.int32)
    write_rooms(board, width, rooms)
    algorithm = below(rng, 2) if options.algorithm == ANY else options.algorithm
    if algorithm == WILSON:
        carve_evenly(rng, board, width, rooms, workspace)
    else:
        carve_deeply(rng, board, width, rooms, workspace)
    if options.loops > 0:
        num_closed = num_rows * (num_columns - 1) + (num_rows - 1) * num_columns - (rooms.size - 1)
        open_loops(rng, board, width, rooms, num_closed, (num_closed * options.loops + 50) // 100)
    least = max((options.min_moves + 1) // 2, 1)
    most = options.max_moves // 2 if options.max_moves > 0 else rooms.size
    if options.min_moves == 0 and options.max_moves == 0:
        least = LONGEST
    if options.num_agents > 1:
        starts, ends = np.empty((2, options.num_agents), np.int64)
        if options.meeting:
            return place_meeting(rng, board, width, rooms, least, most, starts, workspace)
        drawn = place_pairs(rng, board, width, rooms, least, most, starts, ends, workspace)
        return drawn and arrive_in_turn(rng, state, world, starts, ends, workspace)
    return place_ends(rng, board, width, rooms, least, most, options.loops > 0, workspace)


@kernel
def write_rooms(board, width, rooms):
    """Make every cell solid but the rooms; list these, row by row."""
    board[:] = WALLS | SOLID
    count = 0
    for row in range(width, board.size - width, 2 * width):
        for cell in range(row + 1, row + width, 2):
            board[cell] = WALLS
            rooms[count] = cell
            count += 1


@kernel
def offset(width, direction):
    """Return what to add to a cell for the next one in a direction."""
    return (2 * (direction & 1) - 1) * (width if direction < LEFT else 1)


@kernel
def room_beyond(room, direction, width, size):
    """Return the next room in a direction, or a solid cell if there is none.

    Two cells to the left of a leftmost room lies the right border, one row up. Outside of the board counts as cell 0.
    """
    to = room + 2 * offset(width, direction)
    return to if to >= 0 and to < size else 0


@kernel
def join(board, width, room, direction):
    """Open the way from a room to the next one; return that."""
    here, there = 1 << direction, 1 << (direction ^ 1)
    ahead = offset(width, direction)
    board[room] ^= here
    board[room + ahead] = WALLS ^ here ^ there
    board[room + 2 * ahead] ^= there
    return room + 2 * ahead


@kernel
def carve_deeply(rng, board, width, rooms, trail):
    """Join all rooms by a walk that goes on to rooms not joined yet, and turns back where there are none.

    The recursive backtracker: Buck, Mazes for Programmers (2015), chapter 5.

    Args:
        trail: int32[cells], workspace.
    """
    room = rooms[below(rng, rooms.size)]
    length = 0
    while True:
        chosen, ways = -1, 0
        for direction in range(UP, UP + 4):
            to = room_beyond(room, direction, width, board.size)
            if board[to] == WALLS:
                ways += 1
                if ways == 1 or below(rng, ways) == 0:
                    chosen = direction
        if ways:
            trail[length] = room
            length += 1
            room = join(board, width, room, chosen)
        elif length:
            length -= 1
            room = np.int64(trail[length])
        else:
            return


@kernel
def carve_evenly(rng, board, width, rooms, ways_out):
    """Join all rooms by a spanning tree, each tree with the same chance.

    Walks whose loops are erased: Wilson, Generating Random Spanning Trees More Quickly than the Cover Time (STOC 1996).
    To erase a loop it is enough to keep, for each room, the direction in which the walk left it last.

    Args:
        ways_out: int32[cells], workspace.
    """
    root = rooms[below(rng, rooms.size)]
    board[root] ^= AGENT  # so that it counts as joined
    for start in rooms:
        room = start
        while board[room] == WALLS:
            direction = below(rng, 4)
            to = room_beyond(room, direction, width, board.size)
            if not board[to] & SOLID:
                ways_out[room] = direction
                room = to
        room, is_joined = start, board[start] != WALLS
        while not is_joined:
            direction = np.int64(ways_out[room])
            is_joined = board[room_beyond(room, direction, width, board.size)] != WALLS
            room = join(board, width, room, direction)
    board[root] ^= AGENT


@kernel
def open_loops(rng, board, width, rooms, num_closed, wanted):
    """Open `wanted` of the `num_closed` walls that are left between two rooms, any such choice with the same chance."""
    for room in rooms:
        for direction in (DOWN, RIGHT):
            to = room_beyond(room, direction, width, board.size)
            if board[room] >> direction & 1 and not board[to] & SOLID:
                if below(rng, num_closed) < wanted:
                    join(board, width, room, direction)
                    wanted -= 1
                num_closed -= 1


@kernel
def place_ends(rng, board, width, rooms, least, most, has_loops, queue):
    """Set the agent and the exit on two rooms; return False if no two are `least` rooms apart.

    A room that is farthest from any one is, in a tree, an end of a longest way. From such an end there are rooms at
    each shorter distance too.

    Args:
        least, most: rooms apart, the bounds of what is drawn; LONGEST in place of the least: as far apart as any two.
        queue: int32[cells], workspace.
    """
    parents = np.empty(board.size, np.int32)
    start = end = rooms[below(rng, rooms.size)]
    near, exit = farthest(rng, board, width, start, most, queue, parents)
    longest = near
    if longest < most:
        end = exit
        longest, exit = farthest(rng, board, width, end, most, queue, parents)
    if longest < most and has_loops:
        longest, end = search_apart(board, width, end, exit, longest, most, queue, parents)
    if longest < least:
        return False
    wanted = longest if least == LONGEST else least + below(rng, longest - least + 1)
    start = start if wanted <= near else end
    _, exit = farthest(rng, board, width, start, wanted, queue, parents)
    board[start] ^= AGENT
    board[exit] ^= GOAL
    return True


@kernel
def search_apart(board, width, end, exit, longest, wanted, queue, parents):
    """Return how far apart two rooms can be, or `wanted` if that is less, and one that is so far from another.

    Tries the rooms around the middle, from the farthest inwards: rooms at most `radius` from it are at most 2 * radius
    apart. iFUB: Crescenzi, Grossi, Habib, Lanzi and Marino, On Computing the Diameter of Real-World Undirected Graphs
    (Theoretical Computer Science, 2013); here the search also ends where two rooms are as far apart as wanted.

    Args:
        end, exit: two rooms that are `longest` apart.
        parents: int32[cells], as left by the sweep from end to exit.
    """
    middle = exit
    for _ in range(longest // 2):
        middle = np.int64(parents[middle])
    radius, first, last = sweep(board, width, middle, board.size, queue, parents)
    while longest < wanted and longest < 2 * radius:
        for room in queue[first:last].copy():
            depth, _, _ = sweep(board, width, np.int64(room), wanted, queue, parents)
            if depth > longest:
                longest, end = depth, np.int64(room)
        radius -= 1
        _, first, last = sweep(board, width, middle, radius, queue, parents)
    return longest, end


@kernel
def farthest(rng, board, width, start, wanted, queue, parents):
    """Return how far, in rooms, one can be from `start`, or `wanted` if that is less, and a random room so far away."""
    depth, first, end = sweep(board, width, start, wanted, queue, parents)
    return depth, np.int64(queue[first + below(rng, end - first)])


@kernel
def sweep(board, width, start, wanted, queue, parents):
    """List rooms by their distance from `start`, up to the distance wanted.

    Args:
        queue: int32[cells], filled in with rooms, `start` first.
        parents: int32[cells], filled in with the next room on the way from each room listed to `start`.

    Returns:
        The largest distance, and where in the queue the rooms at that distance begin and end.
    """
    parents[:] = NONE
    queue[0], parents[start] = start, start
    depth, first, end, tail = 0, 0, 1, 1
    while depth < wanted:
        for index in range(first, end):
            room = np.int64(queue[index])
            for direction in range(UP, UP + 4):
                if board[room] >> direction & 1:
                    continue
                to = room + 2 * offset(width, direction)
                if parents[to] == NONE:
                    queue[tail], parents[to] = to, room
                    tail += 1
        if tail == end:
            break
        depth, first, end = depth + 1, end, tail
    return depth, first, end


@kernel
def place_meeting(rng, board, width, rooms, least, most, starts, queue):
    """Set players on rooms, the others as far from the first as asked; return False if not all found one.

    Whoever is nearest to the rest can walk to it, so that players who can reach one another can meet.

    Args:
        starts: int64[A], filled in.
        queue: int32[cells], workspace.
    """
    parents = np.empty(board.size, np.int32)
    starts[0] = rooms[below(rng, rooms.size)]
    board[starts[0]] |= AGENT
    for player in range(1, starts.size):
        starts[player] = draw_room(rng, board, width, starts[0], least, most, queue, parents)
        if starts[player] < 0:
            return False
        board[starts[player]] |= AGENT
    return True


@kernel
def place_pairs(rng, board, width, rooms, least, most, starts, ends, queue):
    """Set players and the exit of each on rooms; return False if there were not enough as far apart as asked.

    Args:
        starts, ends: int64[A], filled in.
        queue: int32[cells], workspace.
    """
    parents = np.empty(board.size, np.int32)
    player = 0
    for _ in range(TRIES_A_PAIR * starts.size):
        start = rooms[below(rng, rooms.size)]
        if board[start] & (AGENT | GOAL):
            continue
        board[start] |= AGENT
        end = draw_room(rng, board, width, start, least, most, queue, parents)
        if end < 0:
            board[start] ^= AGENT
            continue
        board[end] |= GOAL
        starts[player], ends[player] = start, end
        player += 1
        if player == starts.size:
            return True
    return False


@kernel
def draw_room(rng, board, width, start, least, most, queue, parents):
    """Return a random empty room at a random distance from a start, `least` to `most` rooms; NONE if there was none."""
    wanted = most if least == LONGEST else least + below(rng, most - least + 1)
    depth, first, end = sweep(board, width, start, wanted, queue, parents)
    if depth < least:
        return NONE
    chosen, ties = np.int64(NONE), 0
    for room in queue[first:end]:
        if not board[room] & (AGENT | GOAL):
            ties += 1
            if below(rng, ties) == 0:
                chosen = np.int64(room)
    return chosen


@kernel
def arrive_in_turn(rng, state, world, starts, ends, queue):
    """Give players, row by row, planes with their exits; return whether they can get there one after another.

    Tries random orders; whoever is not at it stands still, at the start or on the exit.
    """
    board, num_cells = state.board[world], state.height * state.width
    steps, order = np.empty(num_cells, np.int32), np.arange(starts.size)
    for start, end in zip(starts, ends):
        place = (starts < start).sum()
        board[num_cells * (1 + place) + end] |= GOAL
    for _ in range(ORDERS):
        shuffle(rng, order, order.size)
        arrived = 0
        for player in order:
            queue[0] = starts[player]
            measure(state, world, AGENT, starts[player], queue, 1, steps)
            if steps[ends[player]] < 0:
                break
            board[starts[player]] ^= AGENT
            board[ends[player]] ^= AGENT
            arrived += 1
        for player in order[:arrived]:
            board[starts[player]] ^= AGENT
            board[ends[player]] ^= AGENT
        if arrived == order.size:
            return True
    return False
