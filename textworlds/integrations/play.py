"""What all plugs for language models share: a conversation that pays by a method, under a limit on turns that falls."""

from typing import Any

from textworlds.chat import Conversation
from textworlds.chat.replies import Message, Reply
from textworlds.ids import NAMESPACE, all_ids
from textworlds.wmact import Method, TurnLimit, find_method

FIRST_ID = next(iter(all_ids())).removeprefix(NAMESPACE)  # what is played where nothing is said


class SharedLimit:
    """A limit on turns that many plays of one process share; L_max of textworlds.wmact.

    Args:
        limit: what anneals it.
    """

    def __init__(self, limit: TurnLimit) -> None:
        self.limit = limit
        self.turns: list[int] = []  # of the episodes since the last iteration

    def take(self) -> list[int]:
        """Return the turns of the episodes since the last time."""
        turns, self.turns = self.turns, []
        return turns

    def record(self, turns: list[int]) -> int:
        """End an iteration with its episodes' turns, of all processes; return L_max for the next one."""
        return self.limit.record(turns) if turns else self.limit.value


class Play:
    """One episode after another of an id, paid as a method says.

    Args:
        id: as for Conversation.
        method: a name in textworlds.wmact.METHODS, or a Method.
        limit: what the turn limit of episodes is taken from that say nothing of it; by default the id's. It counts all
            of these, those that their trainer ends too.
        **settings: as for Conversation, but `history`: trainers show a model all that was said.

    Raises:
        ValueError: as Conversation does, and for more turns than the method or the protocol has.
    """

    def __init__(
        self, id: str, method: str | Method = "wmact", limit: SharedLimit | None = None, **settings: Any
    ) -> None:
        self.method = find_method(method)
        self.limit = limit
        single = {"turn_limit": 1} if self.method.single_turn else {}
        self.conversation = Conversation(id, **{**settings, **single})
        if self.conversation.history != "all":
            raise ValueError(f"trainers show all that was said, so history is 'all'; got {self.conversation.history!r}")
        self._turns = self.conversation.turn_limit  # of episodes that say nothing of it
        self._counts = False  # whether the episode is one of the limit's, and was not counted yet
        if limit is not None:
            self._allow(limit.limit.value)

    def begin(self, seed: int | None = None, turn_limit: int | None = None) -> list[Message]:
        """Begin an episode and return its first messages.

        Args:
            seed: of the level.
            turn_limit: of this episode.
        """
        self.end()
        shared = self._turns if self.limit is None else self.limit.limit.value
        self._allow(shared if turn_limit is None else turn_limit)
        messages = self.conversation.reset(None if seed is None else int(seed))
        self._counts = self.limit is not None and turn_limit is None
        return messages

    def _allow(self, turns: int) -> None:
        if self.method.single_turn and turns != 1:
            raise ValueError(f"the method {self.method.name!r} has one turn; got a limit of {turns}")
        self.conversation.turn_limit = turns

    def reply(self, text: str) -> Reply:
        """Play a turn."""
        reply = self.conversation.reply(text)
        if reply.done:
            self.end()
        return reply

    def end(self) -> None:
        """Have the limit count the episode, however it ended; once, and not before its first turn."""
        turns = self.conversation.usage.turns
        if self._counts and self.limit is not None and turns:
            self.limit.turns.append(turns)
            self._counts = False

    def pay(self) -> float:
        """Return what the episode so far pays: outcome times effective share, for wmact."""
        return self.conversation.pay(self.method)

    def metrics(self) -> dict[str, float]:
        """Return what is worth a curve: solved, turns, actions, effective and novel share."""
        statistics = self.conversation.statistics
        return {"solved": float(self.conversation.episode.totals()["solved"]), **statistics.means()}
