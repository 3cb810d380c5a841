"""What each of several agents reads of a board: itself as "you", the others by name, and whose is what.

A map shows the reader as the glyphs say and any other agent by its name, in lower case on a goal; at goals that have
names these stay, and a line below says who is there. Below the board, or inside of it in json, stand the lines that a map
has no room for: who the reader is, and what each agent owns.

    #######
    #A-$.-#     you are B
    #--@--#
    #######
"""

import json
from collections.abc import Iterator, Sequence

import numpy as np

from textworlds.grid import AGENT, GOAL, ITEM, State
from textworlds.text.facts import TELLINGS, facts_of
from textworlds.text.formats import MAPS, Writer
from textworlds.text.words import Words

Cell = tuple[int, int]


class Crowd:
    """Writes worlds of several agents as text, for each of them.

    Args:
        words: the puzzle's.
        shape: (P, H, W) of the pictures.
        format: name of a text format.
        num_agents: A.
    """

    def __init__(self, words: Words, shape: tuple[int, int, int], format: str, num_agents: int) -> None:
        self.words, self.shape, self.format = words, shape, format
        self.names = words.agent_names[:num_agents]
        self.has_owners = shape[0] > 1 and not words.passenger
        told = shape if words.passenger else (1, *shape[1:])
        self._size = told[0] * told[1] * told[2]
        self._writer = Writer(format, words, told)
        self._is_plain = format in MAPS and not (self.has_owners or words.goal_names)

    def introduce(self, agent: int, order: str) -> list[str]:
        """Return what to tell an agent of the others, and of the order of turns, "fixed" or "rotating"."""
        words, names = self.words, ", ".join(self.names)
        told = "in this order" if order == "fixed" else "in this order, each turn another one first"
        at_goals = f"but for those at {words.goals}" if words.goal_names else f"in lower case on {words.goals}"
        lines = [
            f"You are {self.names[agent]}, one of {len(self.names)} {words.agent}s: {names}. {words.together} All send "
            f"their actions at once, and these are played one {words.agent} after another, {told}. A map shows the others "
            f"by name, {at_goals}."
        ]
        if self.has_owners:
            shown = " and ".join(words.theirs.values())
            each = f"Each {words.agent} has {words.owned_many} of its own"
            lines.append(f"{each}; a map shows those of others as {shown}.")
        return lines

    def write(self, state: State, worlds: np.ndarray, agent: int) -> list[str]:
        """Return what an agent reads of each of the worlds listed, int64[K]."""
        boards, cells = state.board[worlds], state.agents[worlds]
        if self.format not in MAPS:
            return [self._tell(board, own, agent) for board, own in zip(boards, cells, strict=True)]
        texts = self._draw(boards, cells, agent).tobytes().decode("ascii")
        length = self._writer.length
        drawn = [texts[start : start + length] for start in range(0, len(texts), length)]
        if self._is_plain:
            return [f"{text}\nyou are {self.names[agent]}" for text in drawn]
        return [
            "\n".join([text, *self._lines(board, own, agent)])
            for text, board, own in zip(drawn, boards, cells, strict=True)
        ]

    def _draw(self, boards: np.ndarray, cells: np.ndarray, agent: int) -> np.ndarray:
        """Return maps, uint8[K, L]."""
        texts = self._writer.write_bytes(boards[:, : self._size])
        layout, rows = self._writer.layout, np.arange(len(boards))
        assert layout is not None
        if self.has_owners:
            self._draw_owned(texts, boards, layout.cells, agent)
        for other, name in enumerate(self.names):
            if other == agent:
                continue
            place, is_goal = cells[:, other], boards[rows, cells[:, other]] & GOAL > 0
            keeps = is_goal if self.words.goal_names else np.zeros(len(rows), bool)
            glyphs = np.where(is_goal, ord(name.lower()), ord(name))
            texts[rows[~keeps], layout.cells[place[~keeps]]] = glyphs[~keeps]
            for passenger, (where, _) in enumerate(layout.passengers.tolist(), 1):
                rides = boards[rows, passenger * len(layout.cells) + place] & AGENT > 0
                texts[rides, where] = ord(name)
        return texts

    def _draw_owned(self, texts: np.ndarray, boards: np.ndarray, places: np.ndarray, agent: int) -> None:
        planes = boards.reshape(len(boards), self.shape[0], -1)
        theirs = np.delete(planes[:, 1:], agent, axis=1).any(1)
        for flags, glyph in self.words.theirs.items():
            world, cell = np.nonzero(theirs & (planes[:, 0] & (ITEM | GOAL | AGENT) == flags))
            texts[world, places[cell]] = ord(glyph)

    def _lines(self, board: np.ndarray, cells: np.ndarray, agent: int) -> Iterator[str]:
        """Yield what stands below a map."""
        yield f"you are {self.names[agent]}"
        for other, name in enumerate(self.names):
            owned = self._owned(board, other)
            if owned:
                noun = self.words.owned if len(owned) == 1 else self.words.owned_many
                whose = "your" if other == agent else f"{name}'s"
                yield f"{whose} {noun}: {_list(owned)}"
            if other != agent and self.words.goal_names and board[cells[other]] & GOAL:
                goals = np.flatnonzero(board[: self.shape[1] * self.shape[2]] & GOAL).tolist()
                yield f"{self.words.agent} {name} is at {self.words.goal_names[goals.index(cells[other])]}"

    def _tell(self, board: np.ndarray, cells: np.ndarray, agent: int) -> str:
        """Return facts, with a line or a key of its own for each agent."""
        tell, _ = TELLINGS[self.format]
        facts = facts_of(board[: self._size].reshape(-1, *self.shape[1:]))._replace(agents=())
        riding = {number: self._carrier(board, cells, number) for number in range(1, 1 + len(facts.passengers))}
        at = {number: self._cell(cells[other]) for number, other in riding.items() if other not in (None, agent)}
        passengers = [who._replace(at=at.get(number, who.at)) for number, who in enumerate(facts.passengers, 1)]
        text = tell(facts._replace(passengers=passengers), self.words)
        told = self._told(board, cells, agent)
        told |= {
            f"{self.words.passenger} {number} rides with": self.names[other]
            for number, other in riding.items()
            if other not in (None, agent)
        }
        if self.format == "json":
            return json.dumps(json.loads(text) | told)
        lines = [f"{key}: {value if isinstance(value, str) else _list(value)}" for key, value in told.items()]
        return "\n".join([text, *lines])

    def _told(self, board: np.ndarray, cells: np.ndarray, agent: int) -> dict[str, str | list[Cell]]:
        """Return what is told of agents beside the facts, with the reader first."""
        told: dict[str, str | list[Cell]] = {"you are": self.names[agent]}
        for other in (agent, *(other for other in range(len(self.names)) if other != agent)):
            who = "you" if other == agent else self.names[other]
            told[f"{who} at"] = [self._cell(cells[other])]
            if owned := self._owned(board, other):
                told[f"{self.words.owned_many} of {who}"] = owned
        return told

    def _owned(self, board: np.ndarray, agent: int) -> list[Cell]:
        if not self.has_owners:
            return []
        plane = board.reshape(self.shape[0], -1)[1 + agent]
        return [self._cell(cell) for cell in np.flatnonzero(plane).tolist()]

    def _carrier(self, board: np.ndarray, cells: np.ndarray, passenger: int) -> int | None:
        plane = board.reshape(self.shape[0], -1)[passenger]
        return next((other for other, cell in enumerate(cells.tolist()) if plane[cell] & AGENT), None)

    def _cell(self, cell: int) -> Cell:
        row, column = divmod(int(cell), self.shape[2])
        return row, column


def _list(cells: Sequence[Cell]) -> str:
    return " ".join(map(str, cells))
