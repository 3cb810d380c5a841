"""The words of mazes."""

from textworlds.grid import AGENT, AGENT_IN_WAY, GOAL, SOLID, WALL_IN_WAY
from textworlds.text.words import COMPASS, Words

WORDS = Words(
    rules=(
        "This is a maze. Find the way to the exit. You walk up, down, left or right, one cell at a time, and not "
        "through walls."
    ),
    key=("# wall, - floor, . exit, @ you, + you on the exit"),
    vocabulary=COMPASS,
    glyphs={SOLID: "#", 0: "-", GOAL: ".", AGENT: "@", AGENT | GOAL: "+"},
    reasons={WALL_IN_WAY: "a wall is in the way", AGENT_IN_WAY: "another player is in the way"},
    agent="player",
    goal="exit",
    goals="exits",
    together=(
        "Where players have exits of their own, all must stand on these at the same time. Where there are no exits, all "
        "must meet: stand side by side, with no wall in between."
    ),
    owned="exit",
    owned_many="exits",
    theirs={GOAL: ","},
)
