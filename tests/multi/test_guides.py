"""A guide who sees all and only talks, and a mover who sees little and hears: together they solve what one does not."""

import json

import numpy as np
import pytest

from textworlds import PUZZLES, Episode
from textworlds.grid import AGENT
from textworlds.ids import all_guide_ids, all_ids, all_team_ids, find_team_id
from textworlds.multi import JointEpisodes
from textworlds.text.formats import FORMATS

GUIDE_IDS = sorted(all_guide_ids())
EASY = [id for id in GUIDE_IDS if "easy" in id]
WAIT = "<action>wait</action>"


def joint_of(id, num_worlds=1, seed=0, **changed):
    puzzle, defaults = find_team_id(id)
    joint = JointEpisodes(puzzle, num_worlds, **{**defaults, **changed})
    joint.begin(np.arange(num_worlds), seed + np.arange(num_worlds, dtype=np.uint64))
    return joint


class Guide:
    """Spells out the solver's plan, as much in a turn as fits."""

    def __init__(self, joint):
        names = joint.words.vocabulary.names
        self.rest = [names[action][0] for action in joint.episodes.worlds.solve(0).tolist()]
        self.limit = joint.talk

    def say(self):
        told = []
        while self.rest and len(", ".join([*told, self.rest[0]])) <= self.limit:
            told.append(self.rest.pop(0))
        return f"<say>{', '.join(told)}</say>"


def obey(text):
    """Return the message of a mover that does what it hears, and waits where it hears nothing."""
    _, is_heard, told = text.partition("the guide says: ")
    return f"<action>{json.loads(told.partition(chr(10))[0])}</action>" if is_heard else WAIT


def play(joint, is_guided, seed=0):
    """Play an episode; return whether it was solved. Without a guide the mover does anything."""
    guide, turn, rng = Guide(joint), None, np.random.default_rng(seed)
    names = [names[0] for names in joint.words.vocabulary.names]
    while not joint.over()[0]:
        mover = obey(joint.observe(turn)[0][0]) if is_guided else f"<action>{rng.choice(names)}</action>"
        turn = joint.act([[mover, guide.say() if is_guided else ""]])
    return bool(joint.book["terminated"][0])


@pytest.mark.parametrize("id", GUIDE_IDS)
def test_a_guide_leads_a_mover_that_does_what_it_hears(id):
    for seed in range(2):
        joint = joint_of(id, seed=seed)
        assert play(joint, is_guided=True)
        assert joint.num_asked[0].tolist() == [joint.num_changed[0, 0], 0]


@pytest.mark.parametrize("id", EASY)
def test_a_mover_without_a_guide_does_worse(id):
    assert sum(play(joint_of(id, seed=seed), False, seed) for seed in range(20)) <= 10


@pytest.mark.parametrize("id", GUIDE_IDS)
def test_levels_are_those_of_the_single_environment(id):
    alone = Episode(id.replace("-guide", ""), observation="picture")
    np.testing.assert_array_equal(joint_of(id, seed=3).episodes.worlds.pictures()[0], alone.reset(seed=3))


def test_every_graded_id_has_one_with_a_guide():
    assert not GUIDE_IDS & (all_ids() | all_team_ids()).keys()
    for name in PUZZLES:
        assert sum(id.split("/")[1].lower().startswith(f"{name}-") for id in GUIDE_IDS) == 4


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("id", EASY)
def test_a_guide_reads_all_and_a_mover_what_it_sees(id, format):
    joint, whole = joint_of(id, observation=format), joint_of(id, observation=format, view=None)
    (mover, guide), (other, same) = joint.observe()[0], whole.observe()[0]
    assert guide == same and "you are" in guide and "the guide" in guide
    assert mover != other
    if format == "json":
        (place,) = json.loads(guide)[f"{joint.names[0]} at"]
        assert divmod(int(joint.episodes.worlds.state.agents[0, 0]), joint.whole_shape[2]) == tuple(place)


def test_a_map_shows_the_guide_who_plays_by_name():
    joint = joint_of("Maze-easy-guide-v0", seed=1)
    assert joint.observe()[0] == [
        "###\n#@-\n###\nyou are A",
        "#########\n#-#-#---#\n#-#-#-###\n#-------#\n###-#####\n#----.--#\n###-#-#-#\n#A--#-#-#\n#########\nyou are the guide",
    ]


def test_boxes_are_all_others_to_a_guide():
    joint = joint_of("Sokoban-hard-2p-v0", seed=1, guides=2, talk=20)
    mover, *_, guide = joint.observe()[0]
    assert "$" in mover and "$" not in guide and guide.count("%") == 4
    assert "A's boxes: (3, 2) (6, 1)\nB's boxes: (4, 1) (6, 3)" in guide and "you are guide 2" in guide


def test_nothing_of_a_guides_message_is_played_or_read_but_what_it_says():
    joint = joint_of("Maze-easy-guide-v0", seed=1, feedback=True)
    before = joint.episodes.worlds.state.board.copy()
    turn = joint.act([[WAIT, "<say>go right</say><action>right</action> and so on"]])
    np.testing.assert_array_equal(joint.episodes.worlds.state.board, before)
    mover, guide = joint.observe(turn)[0]
    assert mover.startswith('the guide says: "go right"\n\n') and guide.startswith("#########")
    assert turn.rewards.shape == (1, 2) and turn.ledger.shape[1] == 1


def test_a_guide_hears_who_plays():
    joint = joint_of("Maze-easy-guide-v0", seed=1)
    turn = joint.act([[f"<say>where to?</say>{WAIT}", ""]])
    assert joint.observe(turn)[0][1].startswith('A says: "where to?"\n\n')


@pytest.mark.parametrize("reward", ["shared", "own"])
def test_a_guide_is_paid_what_all_are_paid_together(reward):
    joint = joint_of("Maze-easy-guide-v0", seed=1, reward=reward)
    names = joint.words.vocabulary.names
    plan = ", ".join(names[action][0] for action in joint.episodes.worlds.solve(0).tolist())
    assert joint.act([[f"<action>{plan}</action>", ""]]).rewards.tolist() == [[1.0, 1.0]]


def test_a_guide_sees_what_the_first_agent_would_if_it_saw_all():
    joint, whole = (joint_of("Maze-easy-2p-v0", guides=1, talk=9, **view) for view in ({"view": 3}, {}))
    np.testing.assert_array_equal(joint.whole_pictures(), whole.pictures()[:, 0])
    assert joint.whole_pictures()[0, -2:].tolist() == [
        (joint.whole_pictures()[0, 0] & AGENT * (np.arange(81).reshape(9, 9) == cell)).tolist()
        for cell in joint.episodes.worlds.state.agents[0]
    ]


def test_first_observations_say_who_is_who():
    joint = joint_of("Taxi-easy-guide-v0", legend=True)
    mover, guide = joint.observe()[0]
    assert "You are 1.\nHere to guide you by what they say, seeing all: the guide." in mover
    assert "wait. Answer like this" in mover and "Answer like this" not in guide
    assert "You are the guide: you see the whole board and do nothing on it but talk. 1 plays" in guide
    assert "at most 200 characters" in guide and "You see the 3 rows" not in guide


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({"talk": 0}, "a guide only talks; give talk"),
        ({"guides": 9}, "guides is 0 to 8; got 9"),
        ({"guides": -1}, "guides is 0 to 8; got -1"),
        ({"guides": "one"}, "guides must be a int; got 'one'"),
        ({"action": "discrete"}, "agents talk in messages"),
    ],
)
def test_guides_that_cannot_be_are_refused_in_a_sentence(chosen, sentence):
    with pytest.raises(ValueError, match=sentence):
        joint_of("Maze-easy-guide-v0", **chosen)


def test_a_message_is_needed_for_every_seat():
    with pytest.raises(ValueError, match="1 lists of 2 messages are needed"):
        joint_of("Maze-easy-guide-v0").act([[WAIT]])
