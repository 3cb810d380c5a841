"""The words of Taxi."""

from textworlds.grid import AGENT, AGENT_IN_WAY, SOLID, WALL_IN_WAY
from textworlds.puzzles.taxi.rules import NO_FARE, NO_PASSENGER, NO_STAND, TAXI_FULL
from textworlds.text.words import Vocabulary, Words

WORDS = Words(
    rules=(
        "This is Taxi. Take every passenger to its stand. You drive south (down), north (up), east (right) or west "
        "(left), one cell at a time, and not through walls. pickup takes in a passenger who waits where you are; you have "
        "room for one. dropoff lets your passenger out, at any stand; a passenger at another stand can be taken in again."
    ),
    key=(
        "The drawing shows cells with walls | and - between them, or a blank where the way is open, and + at corners: . street, # building, "
        '@ you, capital letters stands, a small letter you at that stand. Below it, "passenger 1: R to B" waits at R and wants '
        'to go to B; "passenger 1: @ to B" rides with you; "passenger 1: B to B" is there.'
    ),
    vocabulary=Vocabulary(
        names=(
            ("south", "s"),
            ("north", "n"),
            ("east", "e"),
            ("west", "w"),
            ("pickup", "pick up", "pick_up"),
            ("dropoff", "drop off", "drop_off"),
        ),
    ),
    glyphs={SOLID: "#", 0: ".", AGENT: "@"},
    reasons={
        WALL_IN_WAY: "a wall is in the way",
        AGENT_IN_WAY: "another taxi is in the way",
        NO_PASSENGER: "no passenger waits here",
        TAXI_FULL: "a passenger is in the taxi already",
        NO_FARE: "no passenger is in the taxi",
        NO_STAND: "this is not a stand",
    },
    agent="taxi",
    goal="stand",
    goals="stands",
    passenger="passenger",
    thin_walls=True,
    goal_names="RGYBACDEFHIJKLMNOPQSTUVWXZ",
    together="Who serves whom is yours to settle; any taxi may bring any passenger.",
    agent_names="12345678",  # letters are the stands'
)
