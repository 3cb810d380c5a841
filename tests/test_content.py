"""Keys and splits: what makes two levels one level, and that nobody plays a level of another split."""

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textworlds import PUZZLES, Episode, all_ids
from textworlds.grid import AGENT, DOWN, ITEM, LEFT, RIGHT, SOLID, UP, close_walls
from textworlds.kernel import compiles
from textworlds.levels.bank import read_level
from textworlds.levels.content import SPLITS, keys_of, split_of
from textworlds.testing import levels

SOKOBAN, MAZE, TAXI = (PUZZLES[name] for name in ("sokoban", "maze", "taxi"))
IDS = list(all_ids())
SMALL = 60  # cells
every_puzzle = pytest.mark.parametrize("puzzle", PUZZLES.values(), ids=PUZZLES)
needs_speed = pytest.mark.skipif(not compiles(), reason="takes minutes in plain Python")


def key(level, puzzle):
    """Return the key of a drawing or a picture."""
    return int(keys_of(read_level(level, puzzle)[None], puzzle)[0])


def split_name(key):
    return SPLITS[split_of(np.uint64(key))]


def lines(*rows):
    return "\n".join(rows)


def with_sides(picture, sides):
    """Return a picture whose wall bits in sides[new] are those that it had in new, closed on both sides of each wall."""
    walls = sum((picture[0] >> old & 1) << new for new, old in sides.items()).astype(np.uint8)
    picture = picture.copy()
    picture[0] = picture[0] & 0b1111_0000 | walls
    return picture


def forms(picture):
    """Return a picture turned and mirrored in all eight ways; thin walls go with the cells that they are sides of."""
    flipped = with_sides(np.flip(picture, 2), {UP: UP, DOWN: DOWN, LEFT: RIGHT, RIGHT: LEFT})
    found = []
    for turned in (picture, flipped):
        for _ in range(4):
            turned = with_sides(np.rot90(turned, axes=(1, 2)), {LEFT: UP, DOWN: LEFT, RIGHT: DOWN, UP: RIGHT})
            found.append(np.ascontiguousarray(turned))
    return found


def padded(picture, up, down, left, right):
    """Return a picture with solid rows and columns around it."""
    picture = np.pad(picture, ((0, 0), (up, down), (left, right)))
    for solid in (picture[0, :up], picture[0, picture.shape[1] - down :], picture[0, :, :left]):
        solid[:] = SOLID
    picture[0, :, picture.shape[2] - right :] = SOLID
    close_walls(picture[0])
    return picture


# One level.


def test_turning_four_times_changes_nothing():
    picture = read_level(city(CITY, "R to G"), TAXI)
    assert np.array_equal(forms(picture)[3], picture)
    assert len({form.tobytes() for form in forms(picture)}) == 8


@every_puzzle
def test_a_level_keeps_its_key_however_it_is_turned_mirrored_and_shifted(puzzle):
    @settings(max_examples=60)
    @given(levels(puzzle, SMALL), st.tuples(*[st.integers(0, 3)] * 4))
    def check(picture, margins):
        keys = {key(padded(form, *margins), puzzle) for form in forms(picture)}
        assert keys == {key(picture, puzzle)}

    check()


@every_puzzle
def test_turned_levels_are_read_as_levels(puzzle):
    episode = Episode(next(iter(puzzle.ids)))
    episode.reset(1)
    for form in forms(episode.picture()):
        assert np.array_equal(read_level(form, puzzle), form)


@needs_speed
@pytest.mark.slow
@pytest.mark.parametrize("id", IDS)
def test_levels_of_every_id_keep_their_keys_in_all_forms(id):
    episode = Episode(id)
    for seed in range(20):
        episode.reset(seed)
        picture = episode.picture()
        assert {key(form, episode.puzzle) for form in forms(picture)} == {key(picture, episode.puzzle)}


CITY = lines(
    "+-+-+-+-+",
    "|R .|. .|",
    "+ + + + +",
    "|. . . G|",
    "+ + + + +",
    "|.|@ . .|",
    "+ + + + +",
    "|Y .|. B|",
    "+-+-+-+-+",
)
# As a mirror shows it; stands are named row by row, so that Y and B have changed places.
MIRRORED = lines(
    "+-+-+-+-+",
    "|. .|. R|",
    "+ + + + +",
    "|G . . .|",
    "+ + + + +",
    "|. . @|.|",
    "+ + + + +",
    "|Y .|. B|",
    "+-+-+-+-+",
)


def city(drawing, *trips):
    return lines(drawing, *(f"passenger {number}: {trip}" for number, trip in enumerate(trips, 1)))


def test_a_mirrored_city_is_the_same_city():
    assert key(city(CITY, "R to B"), TAXI) == key(city(MIRRORED, "R to Y"), TAXI)


def test_the_order_of_passengers_does_not_count():
    assert key(city(CITY, "R to G", "B to Y"), TAXI) == key(city(CITY, "B to Y", "R to G"), TAXI)


ROOM = lines("########", "#--#---#", "#@-$---#", "#--#-.-#", "########")
SAME = {
    "the player stands elsewhere within reach": lines("########", "#-@#---#", "#--$---#", "#--#-.-#", "########"),
    "the room is turned by half": lines("########", "#-.-#--#", "#---$-@#", "#---#--#", "########"),
    "walls are thicker": lines("##########", "##--#---##", "##@-$---##", "##--#-.-##", "##########", "##########"),
    "there is a room that nobody reaches": lines("########", "#--#---#", "#@-$---#", "#--#-.-#", "########", "#------#", "########"),
    "there are no walls around": lines("--#---", "@-$---", "--#-.-"),
}  # fmt: skip
OTHER = {
    "a box": lines("########", "#--#---#", "#@--$--#", "#--#-.-#", "########"),
    "one more box": lines("########", "#--#$--#", "#@-$---#", "#--#..-#", "########"),
    "a goal": lines("########", "#--#---#", "#@-$---#", "#--#--.#", "########"),
    "one more goal": lines("########", "#--#---#", "#@-$--.#", "#--#-.-#", "########"),
    "a wall": lines("########", "#--#---#", "#@-$---#", "#--#-.##", "########"),
    "the player's region": lines("########", "#--#---#", "#--$@--#", "#--#-.-#", "########"),
}


@pytest.mark.parametrize("drawing", SAME.values(), ids=SAME)
def test_a_level_is_the_same_where(drawing):
    assert key(drawing, SOKOBAN) == key(ROOM, SOKOBAN)


@pytest.mark.parametrize("drawing", OTHER.values(), ids=OTHER)
def test_a_level_is_another_one_with_another(drawing):
    assert key(drawing, SOKOBAN) != key(ROOM, SOKOBAN)


def test_where_the_agent_of_a_maze_stands_counts():
    assert key("#####\n#@-.#\n#####", MAZE) != key("#####\n#-@.#\n#####", MAZE)


OTHER_CITIES = {
    "another trip": city(CITY, "R to B"),
    "the way back": city(CITY, "G to R"),
    "one more passenger": city(CITY, "R to G", "R to G"),
    "a taxi elsewhere": city(CITY.replace("@ .", ". @"), "R to G"),
    "a thin wall less": city(CITY.replace("|R .|. .|", "|R . . .|"), "R to G"),
    "a thin wall elsewhere": city(CITY.replace("|R .|. .|", "|R|. . .|"), "R to G"),
}


@pytest.mark.parametrize("drawing", OTHER_CITIES.values(), ids=OTHER_CITIES)
def test_a_city_is_another_one_with(drawing):
    assert key(drawing, TAXI) != key(city(CITY, "R to G"), TAXI)


def test_where_the_player_stands_never_counts_within_its_reach():
    @settings(max_examples=60)
    @given(levels(SOKOBAN, SMALL))
    def check(picture):
        width = picture.shape[2]
        flags = picture[0].ravel()
        (start,) = np.flatnonzero(flags & AGENT)
        reach, queue = {int(start)}, [int(start)]
        while queue:
            cell = queue.pop()
            for to in (cell - 1, cell + 1, cell - width, cell + width):
                if to not in reach and not flags[to] & (SOLID | ITEM):
                    reach.add(to)
                    queue.append(to)
        for cell in np.flatnonzero(flags & (SOLID | ITEM) == 0):
            moved = flags.copy()
            moved[start] ^= AGENT
            moved[cell] |= AGENT
            other = moved.reshape(picture.shape)
            is_same = key(other, SOKOBAN) == key(picture, SOKOBAN)
            assert is_same == (int(cell) in reach or normal(other, True) == normal(picture, True))

    check()


@needs_speed
@pytest.mark.parametrize("id", IDS)
def test_different_levels_have_different_keys(id):
    """Levels with one key are forms of one another: the smallest of their normalised drawings are the same."""
    episode = Episode(id, split="all")
    by_key = {}
    for seed in range(60):
        episode.reset(seed)
        picture = episode.picture()
        by_key.setdefault(key(picture, episode.puzzle), set()).add(normal(picture, episode.puzzle.roams))
    assert all(len(normals) == 1 for normals in by_key.values())
    assert len(set().union(*by_key.values())) == len(by_key)


def normal(picture, roams):
    """Return the smallest of the texts of a level's forms, in which only what can be reached counts: naively."""
    return min(str(trimmed(form, roams)) for form in forms(picture))


def trimmed(picture, roams):
    """Return the things and walls of all cells that count, by their places from the first row and column of any."""
    flags, offsets = picture[0], {UP: (-1, 0), DOWN: (1, 0), LEFT: (0, -1), RIGHT: (0, 1)}

    def reach(blocking):
        queue = [tuple(map(int, cell)) for cell in np.argwhere(flags & AGENT)]
        seen = set(queue)
        while queue:
            row, column = queue.pop()
            for direction, (down, right) in offsets.items():
                to = row + down, column + right
                if not flags[row, column] >> direction & 1 and to not in seen and not flags[to] & blocking:
                    seen.add(to)
                    queue.append(to)
        return seen

    counted = reach(0) | {tuple(map(int, cell)) for cell in np.argwhere(flags & 0b1110_0000)}
    around = reach(ITEM) if roams else set()
    top, left = min(row for row, _ in counted), min(column for _, column in counted)
    cells = []
    for row, column in sorted(counted):
        walls = [d for d, (y, x) in offsets.items() if flags[row, column] >> d & 1 and (row + y, column + x) in counted]
        things = int(flags[row, column]) & (0b0110_0000 if roams else 0b1110_0000)
        cells.append((row - top, column - left, things, walls, (row, column) in around))
    items = sorted(
        sorted((row - top, column - left, int(plane[row, column])) for row, column in np.argwhere(plane).tolist())
        for plane in picture[1:]
    )
    return cells, items


# Splits.


def drawn_keys(id, count, **given):
    """Return the keys of so many levels: each seed's first, and its next."""
    episode = Episode(id, **given)
    keys = []
    for seed in range(count // 2):
        for one in (seed, None):
            episode.reset(one)
            keys.append(key(episode.picture(), episode.puzzle))
    return keys


@needs_speed
@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("id", IDS)
def test_an_episode_plays_levels_of_its_split_only(id, split):
    assert {split_name(key) for key in drawn_keys(id, 12, split=split)} == {split}


@pytest.mark.parametrize("id", [next(iter(puzzle.ids)) for puzzle in PUZZLES.values()])
def test_levels_of_training_are_the_default(id):
    assert drawn_keys(id, 12) == drawn_keys(id, 12, split="train")


@needs_speed
@pytest.mark.parametrize("id", ["Sokoban-easy-v0", "Maze-medium-v0", "Taxi-medium-v0"])
def test_splits_are_as_six_to_one_to_one(id):
    keys = set(drawn_keys(id, 2000, split="all"))
    shares = [sum(split_name(key) == split for key in keys) / len(keys) for split in SPLITS]
    assert shares == pytest.approx([6 / 8, 1 / 8, 1 / 8], abs=0.04)


@needs_speed
def test_the_levels_of_a_split_are_those_of_all_that_are_in_it():
    assert not set(drawn_keys("Sokoban-easy-v0", 200, split="test")) & set(drawn_keys("Sokoban-easy-v0", 200))


@pytest.mark.parametrize("split", ["dev", "", "TEST", 0, True])
def test_unknown_splits_are_refused(split):
    for make in (gym.make, gym.make_vec):
        with pytest.raises(ValueError, match=f"unknown split {split!r}; known: train, validation, test, all"):
            make("textworlds/Sokoban-easy-v0", split=split)


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
@pytest.mark.parametrize("split", SPLITS)
def test_vector_environments_keep_to_the_split(split, mode):
    envs = gym.make_vec(
        "textworlds/Maze-easy-v0", num_envs=8, split=split, turn_limit=1, action="discrete", autoreset_mode=mode
    )
    envs.reset(seed=0)
    for _ in range(4):
        pictures = envs.unwrapped.episodes.worlds.pictures()
        begun = envs.unwrapped.episodes.worlds.book["num_turns"] == 0
        assert {split_name(key(picture, MAZE)) for picture in pictures[begun]} <= {split}
        envs.step(np.zeros(8, np.int64))


@pytest.mark.parametrize("split", SPLITS)
def test_worlds_of_a_batch_play_what_one_alone_plays(split):
    envs = gym.make_vec("textworlds/Maze-easy-v0", num_envs=4, split=split)
    texts, _ = envs.reset(seed=3)
    assert list(texts) == [Episode("Maze-easy-v0", split=split).reset(3 + world) for world in range(4)]


@pytest.mark.parametrize("split", SPLITS)
def test_banks_keep_to_the_split(split):
    env = gym.make("textworlds/Maze-easy-v0", num_levels=10, split=split).unwrapped
    assert {split_name(one) for one in keys_of(env.episodes.worlds.levels, MAZE)} == {split}
