"""The fewest actions, by A* over where the taxi and the passengers are after each drop-off.

A plan is a row of fares: drive to a stand, pick up, drive to another stand, drop off. At a stand the rules say whom the
taxi picks up, so a fare is a pair of stands. A passenger may be put down on the way and fetched later; one who has
arrived is never moved again, which could only cost actions. A* is Hart, Nilsson and Raphael's, A Formal Basis for the
Heuristic Determination of Minimum Cost Paths (1968).
"""

from heapq import heappop, heappush
from typing import NamedTuple

import numpy as np

from textworlds.grid import AGENT, GOAL, ITEM, neighbour
from textworlds.kernel import kernel
from textworlds.puzzles.puzzle import GAVE_UP, NO_SOLUTION
from textworlds.puzzles.search import downhill, measure
from textworlds.puzzles.taxi.rules import DROPOFF, PICKUP, goals_left

MOVES, NODES, BRANCHING, IRREVERSIBLE = range(4)  # places of the grades

# What a position may take, of limits.bytes: its place in the arrays, two to four slots of the table (8 to 16 bytes),
# two entries of the heap, and as much again while the arrays grow.
POSITION_BYTES = 96

# A position packs numbers of 5 bits: the taxi's stand, then each passenger's. RIDING is only in the first position,
# and so is a taxi at a stand of number S, which means where it was at the start.
BITS, MASK = 5, 31
RIDING, MOST_STANDS, MOST_PASSENGERS = 31, 30, 11
NOBODY = -1


class City(NamedTuple):
    """What stays as it is while the search plays."""

    stands: np.ndarray  # int64[S], cells
    steps: np.ndarray  # int32[S + 1, cells], from each stand, and last from the taxi's start, to each cell; -1: no way
    destinations: np.ndarray  # int64[B], stands of the passengers


class Positions(NamedTuple):
    """Positions found, in the order they were found."""

    packed: np.ndarray  # int64[M]
    cost: np.ndarray  # int32[M], the fewest actions known that lead here
    parent: np.ndarray  # int32[M], the position before the last of these fares
    is_done: np.ndarray  # bool[M], whether all positions one fare on have been found
    table: np.ndarray  # int32[K], open addressing, position + 1; 0 is free; K a power of two over M
    size: np.ndarray  # int64[1], positions found


class Tally(NamedTuple):
    """What a search has done, int64[1] each."""

    nodes: np.ndarray  # positions expanded
    fares: np.ndarray  # fares on from these


@kernel
def solve(state, world, plan, limits, grades):
    """Write a plan of the fewest actions for the first taxi, the others standing still.

    Gives up after limits.nodes positions expanded or where limits.bytes are too little for those found, if the plan
    does not fit, and on more than MOST_STANDS stands or MOST_PASSENGERS passengers.
    """
    grades[NODES] = 0
    if goals_left(state, world) == 0:
        grades[MOVES] = grades[IRREVERSIBLE] = 0
        return 0
    cells = state.height * state.width
    stands = np.flatnonzero(state.board[world, :cells] & GOAL)
    num_passengers = state.board.shape[1] // cells - 1
    if stands.size > MOST_STANDS or num_passengers > MOST_PASSENGERS:
        return GAVE_UP
    city = City(stands, np.full((stands.size + 1, cells), -1, np.int32), np.empty(num_passengers, np.int64))
    survey(state, world, city)
    first = find_first(state, world, city)
    if first < 0:
        return NO_SOLUTION
    tally = Tally(np.zeros(1, np.int64), np.zeros(1, np.int64))
    last, positions = search(city, first, limits, tally)
    grades[NODES] = tally.nodes[0]
    length = last if last < 0 else write_plan(state, world, positions, city, last, plan)
    if length >= 0:
        grades[MOVES] = length
        grades[BRANCHING] = tally.fares[0] / tally.nodes[0]
        grades[IRREVERSIBLE] = share_irreversible(city)
    return length


@kernel
def share_irreversible(city):
    """Return 0.0 if any state of the city can be brought back from any other, and NaN if that is not known.

    It can if the taxi reaches more stands than there are passengers. Then one stand is free whenever nobody rides, so
    that all can be brought to stands of their own, and these be exchanged for one another. From there, whatever has
    been: undone action by action, it too comes to where each waits alone. For if one who rides is put at a free stand,
    `pickup` there takes in no other; and undoing `dropoff`, any passenger at all can be taken from among several.
    """
    taxi = city.stands.size
    within_reach = 0
    for stand in range(taxi):
        within_reach += apart(city, taxi, stand) >= 0
    return 0.0 if within_reach > city.destinations.size else np.nan


@kernel
def survey(state, world, city):
    """Fill in all steps from stands and from the taxi, by breadth-first search."""
    queue = np.empty(city.steps.shape[1], np.int32)
    taxi = np.int64(state.agents[world, 0])
    for origin in range(city.stands.size + 1):
        start = city.stands[origin] if origin < city.stands.size else taxi
        if start == taxi or not state.board[world, start] & AGENT:
            queue[0] = start
            measure(state, world, AGENT, taxi, queue, 1, city.steps[origin])


@kernel
def find_first(state, world, city):
    """Fill in the destinations and return the first position, or NO_SOLUTION if someone cannot be brought there."""
    cells = city.steps.shape[1]
    taxi = city.stands.size
    packed = taxi
    for passenger in range(city.destinations.size):
        place = NOBODY
        for stand in range(taxi):
            flags = state.board[world, (passenger + 1) * cells + city.stands[stand]]
            if flags & GOAL:
                city.destinations[passenger] = stand
            if flags & (ITEM | AGENT) == ITEM:
                place = stand
        if state.board[world, (passenger + 1) * cells + state.agents[world, 0]] & AGENT:
            place = RIDING
        to = city.destinations[passenger]
        if place == NOBODY:
            return NO_SOLUTION
        if place != to and (apart(city, taxi, to) < 0 or (place != RIDING and apart(city, taxi, place) < 0)):
            return NO_SOLUTION
        packed |= place << BITS * (passenger + 1)
    return packed


@kernel
def apart(city, origin, stand):
    """Return the steps to a stand from another, or from the taxi's start; -1: no way."""
    return np.int64(city.steps[origin, city.stands[stand]])


@kernel
def unpack(packed, number):
    return packed >> BITS * number & MASK


@kernel
def new_positions(capacity):
    """Return an empty collection with room for so many positions."""
    slots = 16
    while slots < 2 * capacity:
        slots *= 2
    return Positions(
        np.empty(capacity, np.int64),
        np.empty(capacity, np.int32),
        np.empty(capacity, np.int32),
        np.zeros(capacity, np.bool_),
        np.zeros(slots, np.int32),
        np.zeros(1, np.int64),
    )


@kernel
def grow(positions, capacity):
    """Return the same positions, at the same places, with room for so many."""
    wider = new_positions(capacity)
    for place in range(positions.size[0]):
        find(wider, positions.packed[place])
        wider.cost[place], wider.parent[place] = positions.cost[place], positions.parent[place]
        wider.is_done[place] = positions.is_done[place]
    return wider


@kernel
def search(city, first, limits, tally):
    """Play fares from one position after another; return the place of a solved one, NO_SOLUTION or GAVE_UP, and all."""
    most = limits.bytes // POSITION_BYTES
    most_fares = city.stands.size * (city.stands.size + 1)
    positions = new_positions(min(2 * most_fares, most + 1))
    waiting = [np.int64(find(positions, first))]  # total << 32 | position
    positions.cost[0], positions.parent[0] = 0, -1
    while len(waiting) > 0:
        position = heappop(waiting) & 0xFFFFFFFF
        if positions.is_done[position]:
            continue
        if actions_left(city, positions.packed[position]) == 0:
            return position, positions
        if tally.nodes[0] == limits.nodes or max(positions.size[0], len(waiting) // 2) + most_fares > most:
            return GAVE_UP, positions
        if positions.size[0] + most_fares > positions.packed.size:
            positions = grow(positions, min(2 * positions.packed.size, most))
        expand(positions, city, waiting, position, tally)
    return NO_SOLUTION, positions


@kernel
def expand(positions, city, waiting, position, tally):
    """Play all fares on from a position."""
    positions.is_done[position] = True
    tally.nodes[0] += 1
    for start in range(city.stands.size + 1):
        passenger = next_fare(city, positions.packed[position], start)
        if passenger == NOBODY:
            continue
        for end in range(city.stands.size):
            if end != start and apart(city, start, end) >= 0:
                tally.fares[0] += 1
                play_fare(positions, city, waiting, position, passenger, start, end)


@kernel
def next_fare(city, packed, start):
    """Return whom the taxi picks up at a stand, or who rides if `start` is the taxi's start; NOBODY if nobody does."""
    place = start if start < city.stands.size else RIDING
    chosen = NOBODY
    for passenger in range(city.destinations.size):
        at = unpack(packed, passenger + 1)
        if at == RIDING and place != RIDING:
            return NOBODY
        if at == place and at != city.destinations[passenger] and chosen == NOBODY:
            chosen = passenger
    return chosen


@kernel
def play_fare(positions, city, waiting, position, passenger, start, end):
    """Keep the position after a fare if that is the cheapest way to it."""
    packed = positions.packed[position]
    taxi = unpack(packed, 0)
    cost = positions.cost[position] + apart(city, start, end) + 1
    if start < city.stands.size:
        cost += apart(city, taxi, start) + 1
    shift = BITS * (passenger + 1)
    after = packed - taxi + end - (unpack(packed, passenger + 1) << shift) + (end << shift)
    size = positions.size[0]
    index = find(positions, after)
    if index == size or cost < positions.cost[index]:
        positions.cost[index], positions.parent[index] = cost, position
        heappush(waiting, np.int64((cost + actions_left(city, after)) << 32 | index))


@kernel
def find(positions, packed):
    """Return the index of a position, which is new if that is the number of positions found before."""
    slots = positions.table.size
    mixed = np.uint64(packed) * np.uint64(0x9E3779B97F4A7C15)
    slot = np.int64(mixed >> np.uint64(20)) & (slots - 1)
    while positions.table[slot]:
        known = np.int64(positions.table[slot]) - 1
        if positions.packed[known] == packed:
            return known
        slot = (slot + 1) & (slots - 1)
    size = positions.size[0]
    positions.packed[size] = packed
    positions.table[slot] = size + 1
    positions.size[0] += 1
    return size


@kernel
def actions_left(city, packed):
    """Return a number of actions that any plan has left: each fare driven straight, after a drive to the nearest.

    No fare takes more off it than it costs, so that the first solved position that comes up is one of the cheapest.
    """
    taxi = unpack(packed, 0)
    left, nearest = 0, -1
    for passenger in range(city.destinations.size):
        place, to = unpack(packed, passenger + 1), city.destinations[passenger]
        if place == RIDING:
            left += apart(city, taxi, to) + 1
            nearest = 0
        elif place != to:
            left += apart(city, place, to) + 2
            steps = apart(city, taxi, place)
            nearest = steps if nearest < 0 else min(nearest, steps)
    return left + max(nearest, 0)


@kernel
def write_plan(state, world, positions, city, last, plan):
    """Write the actions that lead to a position; return their number, or GAVE_UP if there is no room."""
    length = np.int64(positions.cost[last])
    if length > plan.size:
        return GAVE_UP
    end = length
    while positions.parent[last] >= 0:
        before = np.int64(positions.parent[last])
        start = unpack(positions.packed[before], 0)
        action = np.int64(positions.cost[before])
        for passenger in range(city.destinations.size):
            place = unpack(positions.packed[before], passenger + 1)
            if place != unpack(positions.packed[last], passenger + 1) and place != RIDING:
                action = drive(state, world, city, start, place, plan, action)
                plan[action] = PICKUP
                action, start = action + 1, place
        drive(state, world, city, start, unpack(positions.packed[last], 0), plan, action)
        plan[end - 1] = DROPOFF
        last, end = before, np.int64(positions.cost[before])
    return length


@kernel
def drive(state, world, city, start, end, plan, action):
    """Write a shortest way from a stand, or the taxi's start, to a stand; return the number of actions then written."""
    cell = city.stands[start] if start < city.stands.size else np.int64(state.agents[world, 0])
    while city.steps[end, cell] > 0:
        direction = downhill(state, world, city.steps[end], cell)
        plan[action] = direction ^ 1
        action += 1
        cell = neighbour(state, cell, direction)
    return action
