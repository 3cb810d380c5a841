"""An episode as a conversation: chat messages out, a model's text in, and the account of what came of it."""

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from textworlds.chat.predictions import CLOSING, OPENING, TAG, put_prediction, score, take_prediction
from textworlds.chat.prompts import ENTIRE_PLAN, PREDICT, PROTOCOLS, load_prompts
from textworlds.chat.replies import ASSISTANT, SYSTEM, USER, Message, Reply, Usage
from textworlds.chat.shots import MOST_SHOTS, OF_LEVELS, show, solved_levels
from textworlds.episode import Episode, HasEpisodes
from textworlds.episodes import DISCRETE, PICTURE
from textworlds.ids import NAMESPACE, find_id
from textworlds.puzzles import Puzzle
from textworlds.text.formats import Reader
from textworlds.text.grammars import ONE_ACTION, write
from textworlds.wmact import EpisodeStatistics, Method, find_method


class Conversation(HasEpisodes):
    """One episode after another as chat messages: `reset(seed) -> messages`, `reply(text) -> Reply`.

    Args:
        id: an id ("Sokoban-easy-v0", with or without "textworlds/"), or a Puzzle; then height and width must be given.
        protocol: "interactive"; "entire-plan", which has one turn; or "predict", in which the model also says what it
            expects to see, between <predict> and </predict>.
        history: turns that the model is shown again, "all" or a number; beside them it sees the system message, the
            shots and the newest message of the user.
        shots: levels of the split "train" that are solved by the solver in messages before the first, within the limits of
            the settings, whatever they are set to later.
        prompts: a folder of templates that replace ours; see prompts.py.
        count_tokens: text -> its number of tokens, for `usage`; without it, characters are counted.
        **settings: as for Episode; they replace the id's. `feedback` is True by default here.

    Raises:
        ValueError: for settings that are unknown or cannot be met; the text says which and what is allowed.
    """

    def __init__(
        self,
        id: str | Puzzle,
        protocol: str = "interactive",
        history: str | int = "all",
        shots: int = 0,
        prompts: str | os.PathLike[str] | None = None,
        count_tokens: Callable[[str], int] | None = None,
        **settings: Any,
    ) -> None:
        puzzle, defaults = find_id(id) if isinstance(id, str) else (id, {})
        self.id = id.removeprefix(NAMESPACE) if isinstance(id, str) else None
        self.protocol, self.history, self.shots = protocol, history, shots
        self.settings = {**defaults, "feedback": True, **settings}
        self._count, self._unit = count_tokens or len, "tokens" if count_tokens else "characters"
        self._check()
        if protocol == ENTIRE_PLAN:
            if settings.get("turn_limit", 1) != 1:
                raise ValueError("the protocol 'entire-plan' has one turn; leave turn_limit out")
            self.settings["turn_limit"] = 1
        self.episode = Episode(puzzle, **self.settings)
        self.episodes = self.episode.episodes
        if protocol == ENTIRE_PLAN and self.grammar in ONE_ACTION:
            raise ValueError(f"a plan has more than one action; the grammar {self.grammar!r} takes one")
        self._folder, self.prompts = prompts, load_prompts(puzzle, prompts)
        self._heads: dict[tuple[int, int], tuple[list[Message], str]] = {}
        self._head: list[Message] = []
        self._before = ""
        self.seed: int | None = None
        self.index: int | None = None
        self.limits, self.start = (self.turn_limit, self.max_actions), ""
        self._begin("")

    def _check(self) -> None:
        """Raise ValueError for what a conversation cannot be."""
        if self.protocol == PREDICT and str(self.settings.get("action")).lower() == f"tag:{TAG}":
            raise ValueError(
                f"in the protocol 'predict' the tag {OPENING} holds what is predicted; choose another grammar"
            )
        if self.protocol not in PROTOCOLS:
            raise ValueError(f"unknown protocol {self.protocol!r}; known: {', '.join(PROTOCOLS)}")
        if self.history != "all" and (type(self.history) is not int or self.history < 0):
            raise ValueError(f'history is "all" or a number of turns from 0; got {self.history!r}')
        if type(self.shots) is not int or not 0 <= self.shots <= MOST_SHOTS:
            raise ValueError(f"shots is a whole number from 0 to {MOST_SHOTS}; got {self.shots!r}")
        if self.settings.get("observation") == PICTURE or self.settings.get("action") == DISCRETE:
            raise ValueError("a conversation speaks text: observation is a text format, and action a grammar")
        if not callable(self._count):
            raise ValueError(f"count_tokens is a function of a text; got {self._count!r:.40}")
        if self.settings.get("legend") or self.settings.get("as_bytes"):
            raise ValueError("legend and as_bytes are not for conversations, whose system message is the legend")

    def _check_limit(self, name: str, value: int | None) -> None:
        if name == "turn_limit" and self.protocol == ENTIRE_PLAN and value != 1:
            raise ValueError(f"the protocol 'entire-plan' has one turn; got a limit of {value}")
        if name == "max_actions" and not self.done:
            raise RuntimeError("an episode is under way, whose system message says max_actions; set it before reset()")

    @property
    def room(self) -> int:
        """The most actions that one message can have played."""
        return 1 if self.grammar in ONE_ACTION else self.max_actions

    @property
    def puzzle(self) -> Puzzle:
        return self.episode.puzzle

    @property
    def grammar(self) -> str:
        """The grammar that replies are read by."""
        return self.episodes.translator.grammar

    @property
    def format(self) -> str:
        """The text format of boards."""
        return self.episodes.translator.format

    def reset(self, seed: int | None = None, level: Any = None, index: int | None = None) -> list[Message]:
        """Begin an episode and return its first messages; arguments as for Episode.reset."""
        limits = self.turn_limit, self.max_actions
        if limits not in self._heads:
            self._heads[limits] = self._make_head()
        board = self.episode.reset(seed, level, index)
        self._head, self._before = self._heads[limits]
        self.seed, self.index = seed, index
        self.limits, self.start = limits, self.state
        if self.protocol == PREDICT:
            self._reader = Reader(self.format, self.puzzle.words, self.episodes.worlds.seen_shape)
        self._begin(board)
        return self.messages

    def _begin(self, board: str) -> None:
        """Begin with nothing said but the first board."""
        self.board, self.total_reward = board, 0.0
        self.replies: list[Reply] = []
        self.states: list[str] = []
        self._own: list[Message] = []
        self._counted = [0]  # what the first so many messages count
        self._prompt = self._completion = 0
        self._head_count = 0
        if self._head:
            self._say(USER, self.prompts.fill("first", board=board))
            self._head_count = sum(self._count(message["content"]) for message in self._head)
            if self._before:  # stands before the first message that is shown, whichever it is
                self._head_count += self._count(
                    self.prompts.fill("next", before=self._before, board="#")
                ) - self._count("#")

    def reply(self, text: str) -> Reply:
        """Play what a model's reply asks for, and return what came of it.

        Raises:
            RuntimeError: before the first reset, or when the episode is over.
            TypeError: if it is no text.
        """
        if not isinstance(text, str):
            raise TypeError(f"a reply is a str; got {type(text).__name__}")
        predicted, message, before = None, text, None
        if self.protocol == PREDICT:
            (predicted, message), before = take_prediction(text), self._seen()
        result = self.episode.act(message)
        self._prompt += self._head_count + self._counted[-1] - self._counted[self._start()]
        self._completion += self._say(ASSISTANT, text)
        feedback, _, board = result.text.rpartition("\n\n")
        prediction = None
        if before is not None:
            prediction = score(predicted, result.ledger["asked"] > 0, board, before, self._seen(), self._reader)
            if self.episodes.translator.feedback:
                feedback += f"\nPrediction: {prediction.why}"
        self.board = board
        self.total_reward += result.reward
        name = "solved" if result.terminated else "over" if result.truncated else "turn"
        left = {} if name != "turn" else {"left": self.limits[0] - result.ledger["num_turns"]}
        said = self.prompts.fill(name, feedback=feedback, board=board, **left)
        if name == "turn":
            self._say(USER, said)
        reply = Reply(dict(self._own[-1]) if name == "turn" else None, said, *result[1:], prediction)
        self.replies.append(reply)
        self.states.append(self.state)
        return reply

    def _seen(self) -> np.ndarray:
        """Return what is seen of the world, uint8[P, H, W]."""
        return self.episodes.worlds.seen().reshape(self.episodes.worlds.seen_shape).copy()

    def _say(self, role: str, content: str) -> int:
        """Add a message, and return what it counts."""
        self._own.append({"role": role, "content": content})
        count = self._count(content)
        self._counted.append(self._counted[-1] + count)
        return count

    @property
    def num_shown(self) -> int:
        """How many of the model's replies it is shown again, as cut by `history`."""
        count = len(self.replies)
        return count if self.history == "all" else min(count, int(self.history))

    def _start(self) -> int:
        """Return the place among the episode's own messages of the first one that the model is shown."""
        last = len(self._own) - 1  # of the user, who has the even places
        return max(0, last - last % 2 - 2 * self.num_shown)

    @property
    def messages(self) -> list[Message]:
        """What to show the model now, as cut by `history`; at the end of an episode its last message is the model's."""
        return self._shown(self._start())

    @property
    def all_messages(self) -> list[Message]:
        """All that was said in the episode, system message and shots included."""
        return self._shown(0)

    def _shown(self, start: int) -> list[Message]:
        own = [dict(message) for message in self._own[start:]]
        if self._before and own:
            own[0]["content"] = self.prompts.fill("next", before=self._before, board=own[0]["content"])
        return [*map(dict, self._head), *own]

    @property
    def done(self) -> bool:
        """Whether there is no reply to give: no episode was begun, or it is over."""
        return not self._own or self._own[-1]["role"] == ASSISTANT

    @property
    def state(self) -> str:
        """The world's state as 16 hex digits, the same for the same state on every machine."""
        return f"{int(self.episodes.worlds.book['key'][0]):016x}"

    @property
    def usage(self) -> Usage:
        """What was said so far, counted."""
        return Usage(len(self.replies), self._prompt, self._completion, self._unit)

    @property
    def statistics(self) -> EpisodeStatistics:
        """The counts of the episode so far, with its effective and novel share; num_novel is NaN with novelty=False."""
        totals = self.episode.totals()
        return EpisodeStatistics(*(totals.get(name, float("nan")) for name in EpisodeStatistics._fields))

    def pay(self, method: str | Method = "wmact") -> float:
        """Return what the episode so far pays by a method of textworlds.wmact; penalties of the puzzle are not scaled."""
        method = find_method(method)
        outcome = self.episode.totals()["outcome_reward"]
        return float(self.total_reward - outcome + method.reward(outcome, self.statistics))

    def certificate(self) -> dict[str, Any]:
        """Return the certificate of the level being played; see Episode.

        Raises:
            RuntimeError: before the first reset; so do `statistics` and `pay`.
        """
        return self.episode.certificate()

    def answer(self, actions: Sequence[int]) -> str:
        """Return a reply that plays actions, by their numbers, and predicts rightly where the protocol asks for that."""
        text = write(actions, self.grammar, self.puzzle.words.vocabulary)
        if self.protocol != PREDICT:
            return text
        before = self.episode.get_state()
        board = self.episode.act(text).text.rpartition("\n\n")[2]
        self.episode.set_state(before)
        return f"{put_prediction(board)}\n{text}"

    def _make_head(self) -> tuple[list[Message], str]:
        """Return the system message with those of the shots, and what there is to say after these."""
        system = {"role": SYSTEM, "content": self._rules()}
        if not self.shots:
            return [system], ""
        levels = solved_levels(self.puzzle, self.settings, self.shots)
        own = {name: value for name, value in self.settings.items() if name not in OF_LEVELS}
        said, before = show(Conversation(self.puzzle, self.protocol, prompts=self._folder, **own), levels)
        return [system, *said], before

    def _rules(self) -> str:
        """Return the system message."""
        translator = self.episodes.translator
        marks = {"opening": OPENING, "closing": CLOSING} if self.protocol == PREDICT else {}
        return self.prompts.fill(
            "system",
            rules=translator.words.rules,
            glyphs=translator.key,
            seen=translator.what_is_seen if translator.view.is_partial else "",
            answer=translator.how_to_answer,
            protocol=self.prompts.fill(
                self.protocol, turns=counted(self.turn_limit, "turn"), actions=counted(self.room, "action"), **marks
            ),
        )


def counted(number: int, noun: str) -> str:
    """Say how many there are of something: "1 turn", "1,000 turns"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
