"""Rows that are conversations: the solver's plans as a model would say them, with the right predictions where one is due."""

from typing import Any

import numpy as np

from textworlds.chat import Conversation
from textworlds.chat.prompts import ENTIRE_PLAN
from textworlds.chat.replies import Message
from textworlds.data.jobs import (
    MESSAGES,
    Dice,
    Job,
    Row,
    levels_of,
    origins,
    pick_names,
    player_of,
    shaped,
    shows_a_test,
)
from textworlds.data.plans import NO_MISTAKE, PLANS, Plan, Solver


def check_chats(job: Job) -> None:
    """Raise ValueError for what no conversation can be."""
    plans_of(job)
    Conversation(job.id, job.protocol, **settings_of(job))


def plans_of(job: Job) -> tuple[str, ...]:
    """Return the names of the plans that a job asks for; an entire plan leaves no turn to recover in."""
    known = tuple(name for name in PLANS if job.protocol != ENTIRE_PLAN or name != "recovery")
    return pick_names(job.plans, known, "plan")


def settings_of(job: Job) -> dict[str, Any]:
    """Return the settings of a job's conversations."""
    return {**job.settings, "observation": job.observation, "action": job.action}


def make_chats(job: Job, first: int, size: int) -> list[Row]:
    """Return the rows from number `first` on, but those that show a test, or have no plan that is found and fits the turns."""
    levels = levels_of(job, first, size)
    if not len(levels):
        return []
    conversation = Conversation(job.id, job.protocol, levels=levels, **settings_of(job))
    solver = Solver(player_of(job, levels, novelty=False), job.nodes, conversation.room)
    rows = []
    for place, origin in enumerate(origins(job, levels)):
        dice = Dice(job.seed, origin["number"])
        solver.episode.reset(seed=0, index=place)
        if best := solver.plan():
            conversation.reset(seed=0, index=place)
            plan = PLANS[dice.pick(plans_of(job))](solver, best, dice)
            if row := say(conversation, job, plan, dice):
                rows.append(row | origin)
    return rows


def say(conversation: Conversation, job: Job, plan: Plan, dice: Dice) -> Row | None:
    """Play a plan; return the row that it makes, None if the turns do not allow it or it shows a test.

    A row of a prompt and a completion has one turn to learn, picked at random; after a mistake the next one, so that none is
    ever to be learnt.
    """
    turns = plan.turns if job.protocol != ENTIRE_PLAN else [[action for turn in plan.turns for action in turn]]
    learnt = dice.below(len(turns)) if plan.mistake == NO_MISTAKE else plan.mistake + 1
    prompts: list[list[Message]] = []
    texts: list[str] = []
    shown: list[np.ndarray] = []
    for actions in turns:
        if conversation.done:
            return None
        prompts.append(conversation.messages if len(texts) == learnt else [])
        texts.append(conversation.answer(actions))
        reply = conversation.reply(texts[-1])
        shown.append(conversation.episode.picture())
    if not reply.terminated or shows_a_test(job, conversation.puzzle, shown):
        return None
    *prompt, last = conversation.all_messages
    if job.shape != MESSAGES:
        prompt, last = prompts[learnt], last | {"content": texts[learnt]}
    counts = {"actions": reply.ledger["num_asked"], "fewest": plan.fewest}
    return shaped(job, prompt, last) | {"plan": plan.name, "mistake": plan.mistake} | counts
