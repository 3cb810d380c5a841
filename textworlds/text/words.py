"""The words of a puzzle: what its text says, edited as text."""

from collections.abc import Mapping
from typing import NamedTuple


class Vocabulary(NamedTuple):
    """How the actions of a puzzle are spelled. All sequences are indexed by the action's number.

    Attributes:
        names: the spellings of each action in lower case; the first is the one we write. A name may hold a blank
            ("pick up"), which stands for exactly one blank in a message.
        letters: one letter for each action if runs of letters ("uul") are read, else "".
        arrows: the characters that stand for each action ("↑⬆"), or ().
        movers: words that may stand before a direction and change nothing ("move up").
        num_directions: the first so many actions are directions.
    """

    names: tuple[tuple[str, ...], ...]
    letters: str = ""
    arrows: tuple[str, ...] = ()
    movers: tuple[str, ...] = ("move", "go", "push", "step", "walk")
    num_directions: int = 4


COMPASS = Vocabulary(
    names=(("up", "u"), ("down", "d"), ("left", "l"), ("right", "r")),
    letters="udlr",
    arrows=("↑⬆", "↓⬇", "←⬅", "→➡"),
)


class Words(NamedTuple):
    """All that text about a puzzle needs beside the picture.

    Attributes:
        rules: what the puzzle is, for someone who has never seen it.
        vocabulary: the spellings of its actions.
        glyphs: tile flags (any of SOLID, GOAL, ITEM, AGENT; 0 is floor) -> one character.
        key: what the glyphs of its drawings mean.
        agent, item, items, goal, goals: nouns.
        passenger: the noun for an item that has a plane of its own ("" if none has).
        thin_walls: walls stand between cells, so that drawings need room for them.
        goal_names: letters that name the goals row by row, in place of the goal's glyph; lower case where an agent
            stands on it. "" if goals have no names.
        reasons: reason code -> why an action changed nothing.
        unknown: the character for what is not seen; none of the glyphs and names.
        agent_names: a character for each agent, by which others see it where there are several; in lower case where it
            stands on a goal.
        together: what several agents need to know beside the rules.
        owned, owned_many: what an agent has that no other has, if there is such a thing ("box", "boxes").
        theirs: tile flags -> one character for what another agent owns.
    """

    rules: str
    vocabulary: Vocabulary
    glyphs: Mapping[int, str]
    reasons: Mapping[int, str]
    key: str = ""
    agent: str = "player"
    item: str = "item"
    items: str = "items"
    goal: str = "goal"
    goals: str = "goals"
    passenger: str = ""
    thin_walls: bool = False
    goal_names: str = ""
    unknown: str = "?"
    agent_names: str = "ABCDEFGH"
    together: str = ""
    owned: str = ""
    owned_many: str = ""
    theirs: Mapping[int, str] = {}
