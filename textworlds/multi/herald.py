"""What each seat reads after a turn: what the others said, what became of its own actions, and what it sees."""

from collections.abc import Sequence

import numpy as np

from textworlds.grid import NO_ACTION
from textworlds.multi.talk import invite, quote
from textworlds.multi.texts import Crowd
from textworlds.multi.turns import JointTurn
from textworlds.text.translator import Translator
from textworlds.text.words import Words


class Herald:
    """Writes the observations of all seats: A agents, and the guides after them.

    Args:
        translator: of the agents' messages and boards.
        shape: (P, H, W) of the worlds' pictures.
        seen_shape: (P, h, w) of what agents see of them.
        names: of the seats.
        num_agents: A.
        order: of turns.
        talk: characters that a seat may say in a turn.
    """

    def __init__(
        self,
        translator: Translator,
        shape: tuple[int, int, int],
        seen_shape: tuple[int, int, int],
        names: Sequence[str],
        num_agents: int,
        order: str,
        talk: int,
    ) -> None:
        self.translator, self.words, self.talk, self.names = translator, translator.words, talk, names
        self.num_agents = num_agents
        self._order = order
        self._crowd, self._guides = (
            Crowd(self.words, one, translator.format, names, num_agents) for one in (seen_shape, shape)
        )

    def tell(
        self, seat: int, pictures: np.ndarray, turn: JointTurn | None, begun: np.ndarray, said: np.ndarray
    ) -> Sequence[str]:
        """Return what a seat reads of each world.

        Args:
            pictures: uint8[N, P + A, h, w], what it sees.
            turn, begun: as for JointEpisodes.observe.
            said: object[N, S], what each seat said in the turn.
        """
        translator = self.translator
        if len(self.names) == 1:
            texts = translator.write(pictures[:, : translator.shape[0]])
        else:
            texts = (self._crowd if seat < self.num_agents else self._guides).write(pictures, seat)
        if translator.legend:
            for world in np.flatnonzero(begun):
                texts[world] = self._open(seat, texts[world])
        if turn is None or not (translator.feedback or self.talk or (turn.asked and turn.asked.any_unread)):
            return texts
        for world in np.flatnonzero(turn.played & ~begun):
            texts[world] = self._comment(texts[world], turn, int(world), seat, said[world])
        return texts

    def _comment(self, text: str, turn: JointTurn, world: int, seat: int, said: Sequence[str]) -> str:
        """Return an observation with what was said by others, and what became of the reader's own actions."""
        spoken = enumerate(zip(self.names, said, strict=True))
        heard = [quote(name, words) for other, (name, words) in spoken if other != seat and words]
        text = "\n".join([*heard, "", text]) if heard else text
        if seat >= self.num_agents:
            return text
        kept, reading = turn.actions[world, seat] != NO_ACTION, turn.reading(world, seat)
        if not kept.any() and (reading is None or reading.actions):
            return text  # who waited has no actions to be told of
        reasons = turn.ledger["reason"][world, seat][kept]
        return self.translator.comment(text, reading, turn.actions[world, seat][kept], reasons)

    def _open(self, seat: int, text: str) -> str:
        """Return a seat's first observation of an episode: the rules, the others, how to answer."""
        if len(self.names) == 1:
            return self.translator.open(text)
        agents, guides = self.names[: self.num_agents], self.names[self.num_agents :]
        talk = [invite(self.talk)] if self.talk else []
        if seat >= self.num_agents:
            lines = [self.translator.rules_and_key, describe_guide(self.words, self.names[seat], agents), *talk]
            return "\n".join([*lines, "", text])
        lines = introduce(self.words, agents, seat, self._order, self._crowd.has_owners)
        lines += [f"Here to guide you by what they say, seeing all: {', '.join(guides)}."] if guides else []
        return self.translator.open("\n".join([*lines, *talk, "", text]))


def introduce(words: Words, names: Sequence[str], agent: int, order: str, has_owners: bool) -> list[str]:
    """Return what to tell an agent of the others, and of the order of turns, "fixed" or "rotating"."""
    if len(names) == 1:
        return [f"You are {names[0]}."]
    told = "in this order" if order == "fixed" else "in this order, each turn another one first"
    lines = [
        f"You are {names[agent]}, one of {len(names)} {words.agent}s: {', '.join(names)}. {words.together} All send "
        f"their actions at once, and these are played one {words.agent} after another, {told}. A map shows the others "
        f"by name, {_at_goals(words)}."
    ]
    if has_owners:
        shown = " and ".join(words.theirs.values())
        lines.append(f"Each {words.agent} has {words.owned_many} of its own; a map shows those of others as {shown}.")
    return lines


def describe_guide(words: Words, name: str, agents: Sequence[str]) -> str:
    """Return what to tell a guide of its part."""
    whom, verb = ", ".join(agents), "plays" if len(agents) == 1 else "play"
    return (
        f"You are {name}: you see the whole board and do nothing on it but talk. {whom} {verb}, and may see less. A map "
        f"shows whoever plays by name, {_at_goals(words)}."
    )


def _at_goals(words: Words) -> str:
    return f"but for those at {words.goals}" if words.goal_names else f"in lower case on {words.goals}"
