"""Mazes: rooms at odd rows and columns, joined by a random spanning tree, then start and exit as far apart as asked.

A room with all four walls has not been joined yet; that is all that carving needs to remember. In a board of which all
else is SOLID, the cell two to the left of a leftmost room is the right border, so that only the first and the last row
of rooms need a look at the board's ends.
"""

from typing import NamedTuple

import numpy as np

from textworlds.grid import AGENT, DOWN, GOAL, RIGHT, SOLID, UP, WALLS, neighbour
from textworlds.kernel import kernel
from textworlds.random import below, shuffle

ANY, BACKTRACKER, WILSON = -1, 0, 1


class Options(NamedTuple):
    """What a maze should have.

    Attributes:
        algorithm: BACKTRACKER (0) for long winding corridors, WILSON (1) for each tree with the same chance, ANY (-1)
            to draw one of the two for each level.
        loops: of the walls that could still be opened between two rooms, the percentage that is opened; 0 leaves one
            way from any room to any other, 100 leaves no wall but the pillars.
        path_length: steps from start to exit on the shortest way; 0 for as long as the maze has. Both are rooms, so
            that all lengths are even: an odd one counts as the next even one, and one that is longer than the maze
            has as the longest that it has.
    """

    algorithm: int = ANY
    loops: int = 0
    path_length: int = 0


@kernel
def generate(rng, state, world, options):
    """Fill in a maze; always returns True."""
    fill(state, world)
    rooms = np.empty((state.height // 2) * (state.width // 2), np.int64)
    workspace = np.empty(state.height * state.width, np.int32)
    list_rooms(state, rooms)
    algorithm = below(rng, 2) if options.algorithm == ANY else options.algorithm
    if algorithm == WILSON:
        carve_evenly(rng, state, world, rooms, workspace)
    else:
        carve_deeply(rng, state, world, rooms, workspace)
    if options.loops > 0:
        open_loops(rng, state, world, rooms, options.loops)
    place_ends(rng, state, world, rooms, workspace, options)
    return True


@kernel
def fill(state, world):
    """Make every cell solid but the rooms."""
    for index in range(state.height * state.width):
        state.board[world, index] = WALLS | SOLID
    for row in range(1, state.height, 2):
        for column in range(1, state.width, 2):
            state.board[world, row * state.width + column] = WALLS


@kernel
def list_rooms(state, rooms):
    """Write the rooms' cells, row by row."""
    count = 0
    for row in range(1, state.height, 2):
        for column in range(1, state.width, 2):
            rooms[count] = row * state.width + column
            count += 1


@kernel
def room_beyond(state, world, room, direction):
    """Return the next room in a direction, or -1 if the border is there."""
    to = neighbour(state, neighbour(state, room, direction), direction)
    if to < 0 or to >= state.height * state.width or state.board[world, to] & SOLID:
        return -1
    return to


@kernel
def join(state, world, room, direction):
    """Open the way from a room to the next; return that one."""
    between = neighbour(state, room, direction)
    to = neighbour(state, between, direction)
    here, there = 1 << direction, 1 << (direction ^ 1)
    state.board[world, room] ^= here
    state.board[world, between] = WALLS ^ here ^ there
    state.board[world, to] ^= there
    return to


@kernel
def carve_deeply(rng, state, world, rooms, trail):
    """Join all rooms by a walk that turns back only where every room around has been joined.

    The "recursive backtracker": Buck, Mazes for Programmers (2015), chapter 5.

    Args:
        trail: int32[cells], workspace.
    """
    room = rooms[below(rng, rooms.size)]
    length = 0
    while True:
        chosen, ways = -1, 0
        for direction in range(UP, UP + 4):
            to = room_beyond(state, world, room, direction)
            if to >= 0 and state.board[world, to] == WALLS:
                ways += 1
                if ways == 1 or below(rng, ways) == 0:
                    chosen = direction
        if chosen >= 0:
            trail[length] = room
            length += 1
            room = join(state, world, room, chosen)
        elif length == 0:
            return
        else:
            length -= 1
            room = np.int64(trail[length])


@kernel
def carve_evenly(rng, state, world, rooms, ways_out):
    """Join all rooms by a tree drawn evenly from all trees.

    Walks with their loops erased: Wilson, Generating Random Spanning Trees More Quickly than the Cover Time (STOC
    1996). A loop is erased by keeping, for each room, only the direction in which the walk left it last.

    Args:
        ways_out: int32[cells], workspace.
    """
    root = rooms[below(rng, rooms.size)]
    state.board[world, root] ^= AGENT
    for start in rooms:
        room = start
        while state.board[world, room] == WALLS:
            direction = below(rng, 4)
            to = room_beyond(state, world, room, direction)
            if to >= 0:
                ways_out[room] = direction
                room = to
        room = start
        while state.board[world, room] == WALLS:
            room = join(state, world, room, np.int64(ways_out[room]))
    state.board[world, root] ^= AGENT


@kernel
def open_loops(rng, state, world, rooms, percent):
    """Open a random choice of the walls that are left between two rooms."""
    num_rows, num_columns = state.height // 2, state.width // 2
    left = num_rows * (num_columns - 1) + (num_rows - 1) * num_columns - (rooms.size - 1)
    wanted = np.int64(left * percent / 100 + 0.5)
    for room in rooms:
        for direction in (DOWN, RIGHT):
            if state.board[world, room] >> direction & 1 and room_beyond(state, world, room, direction) >= 0:
                if below(rng, left) < wanted:
                    join(state, world, room, direction)
                    wanted -= 1
                left -= 1


@kernel
def place_ends(rng, state, world, rooms, queue, options):
    """Set the agent and the exit on two rooms, as far apart as asked.

    In a tree, a room that is farthest from any room is an end of a longest way; with loops, all rooms are tried.

    Args:
        rooms: int64[rooms], put in random order.
        queue: int32[cells], workspace.
    """
    shuffle(rng, rooms, rooms.size)
    reached = np.full(state.height * state.width, -1, np.int32)
    wanted = (options.path_length + 1) // 2 if options.path_length > 0 else rooms.size
    start = exit = rooms[0]
    longest = 0
    for number in range(rooms.size if options.loops > 0 else 2):
        room = rooms[number] if options.loops > 0 else exit
        depth, first, end = sweep(state, world, room, wanted, queue, reached, number)
        if depth > longest:
            longest, start, exit = depth, room, np.int64(queue[first + below(rng, end - first)])
        if depth == wanted:
            break
    state.board[world, start] ^= AGENT
    state.board[world, exit] ^= GOAL


@kernel
def sweep(state, world, start, wanted, queue, reached, number):
    """List rooms by their distance from `start`, in rooms, up to the distance wanted.

    Args:
        queue: int32[cells], filled in with the rooms.
        reached: int32[cells], set to `number` for each room in the queue.

    Returns:
        The largest distance, and where in the queue the rooms at this distance begin and end.
    """
    queue[0], reached[start] = start, number
    depth, first, end = 0, 0, 1
    while depth < wanted:
        tail = end
        for index in range(first, end):
            room = queue[index]
            for direction in range(UP, UP + 4):
                if state.board[world, room] >> direction & 1:
                    continue
                to = neighbour(state, neighbour(state, room, direction), direction)
                if reached[to] != number:
                    queue[tail], reached[to] = to, number
                    tail += 1
        if tail == end:
            break
        depth, first, end = depth + 1, end, tail
    return depth, first, end
