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

CAPACITY = 400_000

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


@kernel
def solve(state, world, plan, limits, grades):
    """Write a plan of the fewest actions for the first taxi, the others standing still.

    Gives up after CAPACITY positions, and on more than MOST_STANDS stands or MOST_PASSENGERS passengers.
    """
    if goals_left(state, world) == 0:
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
    positions = new_positions(stands.size, num_passengers)
    last = search(positions, city, first)
    return last if last < 0 else write_plan(state, world, positions, city, last, plan)


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
def new_positions(num_stands, num_passengers):
    """Return an empty collection with room for all positions, or for CAPACITY."""
    capacity = num_stands + 2
    for _ in range(num_passengers):
        capacity = min(capacity * num_stands, CAPACITY)
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
def search(positions, city, first):
    """Play fares from one position after another; return the index of a solved one, NO_SOLUTION or GAVE_UP."""
    index = find(positions, first)
    positions.cost[index], positions.parent[index] = 0, -1
    waiting = [np.int64(index)]  # total << 32 | position
    while len(waiting) > 0:
        position = heappop(waiting) & 0xFFFFFFFF
        packed = positions.packed[position]
        if positions.is_done[position]:
            continue
        if actions_left(city, packed) == 0:
            return position
        positions.is_done[position] = True
        for start in range(city.stands.size + 1):
            passenger = next_fare(city, packed, start)
            if passenger == NOBODY:
                continue
            for end in range(city.stands.size):
                if end != start and apart(city, start, end) >= 0:
                    if not play_fare(positions, city, waiting, position, passenger, start, end):
                        return GAVE_UP
    return NO_SOLUTION


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
    """Keep the position after a fare if that is the cheapest way to it; return False if there is no room for more."""
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
    return positions.size[0] < positions.packed.size


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
