"""The puzzles: one line each."""

from textworlds.puzzles.maze import PUZZLE as MAZE
from textworlds.puzzles.puzzle import GAVE_UP, NO_SOLUTION, Puzzle
from textworlds.puzzles.sokoban import PUZZLE as SOKOBAN
from textworlds.puzzles.taxi import PUZZLE as TAXI

PUZZLES: dict[str, Puzzle] = {puzzle.name: puzzle for puzzle in (SOKOBAN, MAZE, TAXI)}

__all__ = ["GAVE_UP", "NO_SOLUTION", "PUZZLES", "Puzzle"]
