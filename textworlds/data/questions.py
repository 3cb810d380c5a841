"""Rows that are questions about the dynamics; every answer is what the rules did or what the solver proved."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from textworlds.chat.replies import ASSISTANT, SYSTEM, USER, Message
from textworlds.data.jobs import Dice, Job, Row, levels_of, origins, pick_names, player_of, shaped, shows_a_test
from textworlds.data.plans import Solver, shuffled
from textworlds.episode import Episode
from textworlds.ids import find_id
from textworlds.puzzles import Puzzle
from textworlds.puzzles.puzzle import never_lost
from textworlds.text.formats import MAPS, check_format

MOST_BEFORE, MOST_ASKED = 12, 8  # actions that lead to a position, and those that are asked about
MOST_UNTIL_LOST = 40
NONE, YES, NO = "none", "yes", "no"


class Position(NamedTuple):
    """What a question is about.

    Attributes:
        episode: where it is; may be played on.
        solver: for proofs.
        dice: of the row.
        names: of the actions.
    """

    episode: Episode
    solver: Solver
    dice: Dice
    names: tuple[str, ...]


class Asked(NamedTuple):
    """A question.

    Attributes:
        board: what it is about, as text.
        question, answer: what is asked of it, and what is true.
        shown: the boards in it, each uint8[P, H, W].
    """

    board: str
    question: str
    answer: str
    shown: list[np.ndarray]


def board(position: Position) -> Asked:
    """Ask what the board looks like after some actions."""
    here, shown = position.episode.observe(), [position.episode.picture()]
    actions, _ = asked_actions(position)
    said = ", ".join(position.names[action] for action in actions)
    question = f"What does the board look like after these actions: {said}? Answer with the board and nothing else."
    return Asked(here, question, position.episode.observe(), [*shown, position.episode.picture()])


def changed(position: Position) -> Asked:
    """Ask which of some actions change anything."""
    here, shown = position.episode.observe(), [position.episode.picture()]
    actions, changes = asked_actions(position)
    said = ", ".join(f"{number}: {position.names[action]}" for number, action in enumerate(actions, 1))
    question = (
        f"These actions are played in order: {said}. Which of them change anything? "
        f'Answer with their numbers, separated by commas, or with "{NONE}".'
    )
    right = [str(number) for number, change in enumerate(changes, 1) if change]
    return Asked(here, question, ", ".join(right) or NONE, shown)


def solvable(position: Position) -> Asked | None:
    """Ask whether anything still solves the position; half of the positions are played until nothing plainly does."""
    if position.dice.below(2):
        for _ in range(MOST_UNTIL_LOST):
            if position.episode.totals()["deadlocked"]:
                break
            wander(position, 1)
    try:
        plan = position.episode.solve(nodes=position.solver.nodes)
    except RuntimeError:
        return None
    question = f'Can the level still be solved from here, however long it takes? Answer with "{YES}" or "{NO}".'
    answer = NO if plan is None else YES
    return Asked(position.episode.observe(), question, answer, [position.episode.picture()])


def fewest(position: Position) -> Asked | None:
    """Ask for the fewest actions that solve the position."""
    if (plan := position.solver.plan()) is None:
        return None
    question = "What is the fewest number of actions that solves the level from here? Answer with a number."
    return Asked(position.episode.observe(), question, str(len(plan)), [position.episode.picture()])


QUESTIONS: dict[str, Callable[[Position], Asked | None]] = {
    "board": board,
    "changed": changed,
    "solvable": solvable,
    "fewest": fewest,
}


def check_questions(job: Job) -> None:
    """Raise ValueError for what cannot be asked."""
    questions_of(job)
    check_format(job.observation)
    player_of(job, None)  # for its complaints


def questions_of(job: Job) -> tuple[str, ...]:
    """Return the names of the questions that a job asks for; where nothing is ever lost, that is none."""
    puzzle = find_id(job.id)[0]
    known = tuple(name for name in QUESTIONS if name != "solvable" or puzzle.is_lost is not never_lost)
    return pick_names(job.questions, known, "question")


def make_questions(job: Job, first: int, size: int) -> list[Row]:
    """Return the rows from number `first` on, but those whose answer the solver does not find, or that show a test."""
    levels = levels_of(job, first, size)
    if not len(levels):
        return []
    episode = player_of(job, levels, observation=job.observation, novelty=False)
    solver = Solver(episode, job.nodes, 1)
    system = {"role": SYSTEM, "content": introduce(episode.puzzle, job.observation)}
    names = tuple(spellings[0] for spellings in episode.puzzle.words.vocabulary.names)
    rows = []
    for place, origin in enumerate(origins(job, levels)):
        dice = Dice(job.seed, origin["number"])
        episode.reset(seed=0, index=place)
        name, position = dice.pick(questions_of(job)), Position(episode, solver, dice, names)
        wander(position, dice.below(MOST_BEFORE + 1))
        asked = QUESTIONS[name](position)
        if asked and not shows_a_test(job, episode.puzzle, asked.shown):
            prompt: list[Message] = [system, {"role": USER, "content": f"{asked.board}\n\n{asked.question}"}]
            said = shaped(job, prompt, {"role": ASSISTANT, "content": asked.answer})
            rows.append(said | {"question": name, "answer": asked.answer} | origin)
    return rows


def introduce(puzzle: Puzzle, format: str) -> str:
    """Return what is said before a question: the rules, the glyphs, the actions."""
    names = ", ".join(spellings[0] for spellings in puzzle.words.vocabulary.names)
    key = [puzzle.words.key] if format in MAPS and puzzle.words.key else []
    return "\n".join([puzzle.words.rules, *key, f"The actions are: {names}."])


def wander(position: Position, count: int) -> None:
    """Play so many random actions that change the world and do not solve the level, as far as there are any."""
    for _ in range(count):
        for action in shuffled(np.flatnonzero(position.episode.action_mask()).tolist(), position.dice):
            before = position.episode.get_state()
            if not position.episode.act(action).terminated:
                break
            position.episode.set_state(before)


def asked_actions(position: Position) -> tuple[list[int], list[bool]]:
    """Play random actions, most of them ones that change the world, up to one that solves it; return what each changed."""
    actions, changes = [], []
    for _ in range(1 + position.dice.below(MOST_ASKED)):
        effective = np.flatnonzero(position.episode.action_mask()).tolist()
        any_action = position.dice.below(3) == 0 or not effective
        action = position.dice.below(len(position.names)) if any_action else position.dice.pick(effective)
        result = position.episode.act(action)
        actions.append(action)
        changes.append(bool(result.ledger["changed"]))
        if result.terminated:
            break
    return actions, changes
