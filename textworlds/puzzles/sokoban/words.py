"""The words of Sokoban."""

from textworlds.grid import AGENT, AGENT_IN_WAY, GOAL, ITEM, SOLID, WALL_IN_WAY
from textworlds.puzzles.sokoban.rules import AGENT_BEHIND_BOX, BOX_BEHIND_BOX, NOT_YOUR_BOX, WALL_BEHIND_BOX
from textworlds.text.words import COMPASS, Words

WORDS = Words(
    rules=(
        "This is Sokoban. Push every box onto a goal. You walk up, down, left or right; walking into a box pushes it "
        "one cell if the cell behind it is free. Boxes cannot be pulled, nor two pushed at once."
    ),
    key=("# wall, - floor, . goal, $ box, * box on a goal, @ you, + you on a goal"),
    vocabulary=COMPASS,
    glyphs={SOLID: "#", 0: "-", GOAL: ".", ITEM: "$", ITEM | GOAL: "*", AGENT: "@", AGENT | GOAL: "+"},
    reasons={
        WALL_IN_WAY: "a wall is in the way",
        AGENT_IN_WAY: "another player is in the way",
        WALL_BEHIND_BOX: "the box is against a wall",
        BOX_BEHIND_BOX: "the box is against another box",
        AGENT_BEHIND_BOX: "the box is against another player",
        NOT_YOUR_BOX: "the box is another player's",
    },
    agent="player",
    item="box",
    items="boxes",
    together="Any player may push any box, but boxes that have owners are pushed by these alone.",
    owned="box",
    owned_many="boxes",
    theirs={ITEM: "%", ITEM | GOAL: "&"},
)
