"""Shots: levels that the solver solves before the eyes of the agent, as messages that come before the episode's own."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from textworlds.episode import Episode
from textworlds.puzzles import Puzzle

FIRST_SEED = 1 << 62  # of the levels of shots: far from those that people train and evaluate with
MOST_SHOTS = 64
TURNS = 2  # that the plan of a shot is cut into, where there are as many and a turn has room
OF_LEVELS = ("levels", "split", "num_levels")

Solved = tuple[str, tuple[int, ...]]  # a drawing and a plan


def solved_levels(puzzle: Puzzle, settings: Mapping[str, Any], count: int) -> tuple[Solved, ...]:
    """Return so many generated levels of the split "train", each with a plan of the fewest actions; always the same.

    Args:
        puzzle: what is played.
        settings: as for Episodes; levels that are given there do not matter.
        count: how many.
    """
    asked = ("height", "width", *puzzle.options._fields)
    return _solved(puzzle, tuple((name, settings[name]) for name in asked if name in settings), count)


@lru_cache(maxsize=64)
def _solved(puzzle: Puzzle, settings: tuple[tuple[str, Any], ...], count: int) -> tuple[Solved, ...]:
    episode = Episode(puzzle, **dict(settings), split="train")
    found = []
    for number in range(count):
        drawing = episode.reset(seed=FIRST_SEED + number)
        found.append((drawing, tuple(episode.solve(puzzle.costs[-1]) or ())))
    return tuple(found)


def show(conversation: Any, levels: Iterable[Solved]) -> tuple[list[dict[str, str]], str]:
    """Return the messages of a Conversation in which levels are solved, and what is said when the last one is.

    Raises:
        ValueError: if its turns are too few or too short for a plan.
    """
    messages: list[dict[str, str]] = []
    before = ""
    for drawing, plan in levels:
        conversation.reset(level=drawing)
        board = conversation.messages[-1]["content"]
        fill = conversation.prompts.fill
        example = fill("example", board=board)
        opening = f"{before}\n\n{example}" if messages else example
        for part in cut(plan, min(TURNS, conversation.turn_limit), conversation.room):
            if conversation.done:
                break
            reply = conversation.reply(conversation.answer(part))
        if not reply.terminated:
            raise ValueError(
                f"a shot takes {len(plan)} actions, which do not fit into {conversation.turn_limit} turns of "
                f"{conversation.room} each: allow more, or leave shots out"
            )
        messages += [{"role": "user", "content": opening}, *conversation.all_messages[2:]]
        before = reply.text
    return messages, before


def cut(plan: tuple[int, ...], num_turns: int, most: int) -> list[tuple[int, ...]]:
    """Cut a plan into so many turns of about the same length, or into more of at most so many actions."""
    length = min(most, -(-len(plan) // num_turns))
    return [plan[start : start + length] for start in range(0, len(plan), length)]
