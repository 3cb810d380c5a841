"""Inspect tasks: a sample for each level, a solver that plays a Conversation, and one scorer with all measures."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    ContentReasoning,
    get_model,
)
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer, stderr
from inspect_ai.solver import Generate, Solver, TaskState, solver

from textworlds.chat import Conversation, transcript
from textworlds.chat.replies import Message
from textworlds.episodes import DEFAULT_GRAMMAR
from textworlds.evaluation.models import guard
from textworlds.evaluation.scores import MEASURES, scores_of
from textworlds.evaluation.scripted import CURRENT
from textworlds.evaluation.setup import Setup

STORED = "textworlds"  # in a sample's store, from where the scorer takes it along
SCORES, TRANSCRIPT = "scores", "transcript"  # in what is stored, and in the score's metadata
ROLES = {"system": ChatMessageSystem, "user": ChatMessageUser, "assistant": ChatMessageAssistant}


@task
def play(
    id: str,
    levels: str | None = None,
    split: str = "test",
    protocol: str = "interactive",
    grammar: str = DEFAULT_GRAMMAR,
    observation: str = "dense",
    history: str | int = "all",
    shots: int = 0,
    prompts: str | None = None,
    settings: dict[str, Any] | None = None,
    count: int | None = None,
) -> Task:
    """Play levels of an id; see Setup.

    Args:
        id: what is played.
        levels, split, protocol, grammar, observation, history, shots, prompts, settings: see Setup.
        count: only the first so many levels.
    """
    setup = Setup(id, levels, split, protocol, grammar, observation, history, shots, prompts, settings or {})
    found = setup.find_levels(count)
    samples = [
        Sample(input=setup.draw(level), id=f"level-{place}", metadata={"certificate": dict(level.certificate or {})})
        for place, level in enumerate(found)
    ]
    return Task(
        name=f"{setup.name}-{protocol}",
        dataset=MemoryDataset(samples, name=levels or setup.set_name),
        solver=converse(setup.__dict__),
        scorer=account(),
        metadata=setup.said(found),
        version=1,
    )


@solver
def converse(setup: Mapping[str, Any]) -> Solver:
    """Hold a conversation about the level of a sample."""
    kept = Setup(**setup)

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        conversation = kept.conversation()
        level = kept.read(state.input_text, state.metadata["certificate"])
        state.messages = as_chat(conversation.reset(level=level))
        token = CURRENT.set(conversation)
        try:
            await hold(conversation, state)
        finally:
            CURRENT.reset(token)
            state.store.set(STORED, {SCORES: scores_of(conversation), TRANSCRIPT: transcript(conversation)})
        return state

    return solve


async def hold(conversation: Conversation, state: TaskState) -> None:
    """Ask the model until the episode is over."""
    model = guard(get_model())
    said: list[ChatMessage] = []
    while not conversation.done:
        shown = state.messages if conversation.history == "all" else as_shown(conversation, said)
        state.output = await model.generate(shown)
        said.append(state.output.message)
        state.messages.append(state.output.message)
        reply = conversation.reply(with_thoughts(state.output.message))
        if reply.message is not None:
            state.messages += as_chat([reply.message])


def as_shown(conversation: Conversation, said: Sequence[ChatMessage]) -> list[ChatMessage]:
    """Return what to show the model; its own messages are those that it gave, with what a provider keeps of its thoughts."""
    shown = as_chat(conversation.messages)
    places = range(len(shown) - 2, 0, -2)  # of the model's messages, the last one first; then come those of shots
    for place, message in zip(places, reversed(said[len(said) - conversation.num_shown :]), strict=False):
        shown[place] = message
    return shown


def with_thoughts(message: ChatMessage) -> str:
    """Return a message's text, with the thoughts that the provider gave apart from it in front, as models write them."""
    content = [] if isinstance(message.content, str) else message.content
    thoughts = [part.text for part in content if isinstance(part, ContentReasoning)]
    return "\n".join([*thoughts, message.text])


def as_chat(messages: list[Message]) -> list[ChatMessage]:
    """Return messages as Inspect's."""
    return [ROLES[message["role"]](content=message["content"]) for message in messages]


@scorer(metrics={"*": [mean(), stderr()]})
def account() -> Scorer:
    """Score an episode by all measures; those not known are NaN, which Inspect leaves out of its means.

    The metadata hold scores and transcript: of a sample that was finished just before a kill, Inspect keeps no store.
    """

    async def score(state: TaskState, target: Target) -> Score:
        stored = state.store.get(STORED) or {SCORES: {}}
        value = {name: math.nan if stored[SCORES].get(name) is None else stored[SCORES][name] for name in MEASURES}
        return Score(value=value, answer=state.output.completion, metadata=stored)

    return score
