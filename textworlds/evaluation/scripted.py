"""Scripted players, who need no network: the solver and a random one, the baselines of every table."""

import random
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

from textworlds.chat import Conversation, transcript
from textworlds.chat.predictions import put_prediction
from textworlds.chat.prompts import ENTIRE_PLAN, PREDICT
from textworlds.evaluation.scores import scores_of
from textworlds.text.grammars import write
from textworlds.text.levels import Level

PREFIX = "scripted/"
RANDOM_ACTIONS, RANDOM_PLAN = 4, 64  # in a message of a turn, and of a whole plan

# The conversation that a model is being asked in. Solvers need the level, which no partial view shows.
CURRENT: ContextVar[Conversation] = ContextVar("textworlds conversation")


def solver(conversation: Conversation) -> str:
    """Write a plan of the fewest actions, as many of them as a message may hold; nothing if the solver gives up."""
    try:
        plan = conversation.episode.solve(conversation.puzzle.costs[-1])
    except RuntimeError:
        plan = None
    return conversation.answer(plan[: conversation.room]) if plan else ""


def rover(conversation: Conversation) -> str:
    """Write random actions, the same ones for the same level and turn, and predict that nothing changes."""
    rng = random.Random(f"{conversation.start} {len(conversation.replies)}")
    count = min(RANDOM_PLAN if conversation.protocol == ENTIRE_PLAN else RANDOM_ACTIONS, conversation.room)
    vocabulary = conversation.puzzle.words.vocabulary
    actions: Sequence[int] = rng.choices(range(len(vocabulary.names)), k=count)
    answer = write(actions, conversation.grammar, vocabulary)
    return f"{put_prediction(conversation.board)}\n{answer}" if conversation.protocol == PREDICT else answer


PLAYERS: dict[str, Callable[[Conversation], str]] = {"solver": solver, "random": rover}
BASELINES = tuple(PREFIX + name for name in PLAYERS)


def play_all(
    name: str, conversation: Conversation, levels: Sequence[Level]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Have a scripted player play levels; return the measures of each episode, and the transcripts."""
    player, episodes, transcripts = find_player(name), [], []
    for place, level in enumerate(levels):
        conversation.reset(level=level)
        while not conversation.done:
            conversation.reply(player(conversation))
        episodes.append({"level": place, **scores_of(conversation)})
        transcripts.append({**transcript(conversation), "level_number": place})
    return episodes, transcripts


def find_player(name: str) -> Callable[[Conversation], str]:
    """Return a scripted player by its name, without "scripted/"; ValueError for one that there is not."""
    if name not in PLAYERS:
        raise ValueError(f"unknown scripted model {PREFIX + name!r}; known: {', '.join(BASELINES)}")
    return PLAYERS[name]
