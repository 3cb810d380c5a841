"""What each of several agents reads of what it sees: itself as "you", the others by name, and whose is what.

A map shows the reader as the glyphs say and any other agent by its name, in lower case on a goal; at goals that have
names these stay, and a line below says who is there. Below the board, or inside of it in json, stand the lines that a map
has no room for: who the reader is, what each agent owns, and who is shown where it was seen last. Whatever is told is
taken from the picture that the reader sees (sights.py), so that nothing else can be told.

    #######
    #A-$.-#     you are B
    #--@--#
    #######
"""

import json
from collections.abc import Iterator, Sequence

import numpy as np

from textworlds.grid import AGENT, GOAL, ITEM
from textworlds.multi.sights import LAST_SEEN
from textworlds.text.facts import OUT_OF_SIGHT, TELLINGS, facts_of
from textworlds.text.formats import MAPS, Writer
from textworlds.text.words import Words

Cell = tuple[int, int]


class Crowd:
    """Writes what agents see of worlds as text, each from where it sits.

    Args:
        words: the puzzle's.
        shape: (P, h, w) of the pictures, without the planes of agents.
        format: name of a text format.
        names: of the seats: the agents', then the guides'.
        num_agents: A.
    """

    def __init__(
        self, words: Words, shape: tuple[int, int, int], format: str, names: Sequence[str], num_agents: int
    ) -> None:
        self.words, self.shape, self.format, self.names, self.num_agents = words, shape, format, names, num_agents
        self.has_owners = shape[0] > 1 and not words.passenger
        self._told = shape if words.passenger else (1, *shape[1:])
        self._writer = Writer(format, words, self._told)

    def write(self, pictures: np.ndarray, seat: int) -> list[str]:
        """Return what a seat reads of pictures, uint8[K, P + A, h, w], its own first."""
        planes = pictures.reshape(*pictures.shape[:2], -1)
        if self.format not in MAPS:
            return [self._tell(picture, seat) for picture in planes]
        texts = self._draw(planes, seat).tobytes().decode("ascii")
        length = self._writer.length
        drawn = [texts[start : start + length] for start in range(0, len(texts), length)]
        if self._is_plain(planes):
            return [f"{text}\nyou are {self.names[seat]}" for text in drawn]
        return ["\n".join([text, *self._lines(own, seat)]) for text, own in zip(drawn, planes, strict=True)]

    def _is_plain(self, planes: np.ndarray) -> bool:
        """Return whether there is nothing to say below the maps but who the reader is."""
        is_remembered = (planes[:, self.shape[0] :] == LAST_SEEN).any()
        return not (self.has_owners or self.words.goal_names or is_remembered)

    def _others(self, seat: int) -> Iterator[tuple[int, str]]:
        """Yield each other agent: the place of its planes among those that a seat sees, and its name."""
        for other, name in enumerate(self.names[: self.num_agents]):
            if other != seat:
                yield self._place(other, seat), name

    def _place(self, agent: int, seat: int) -> int:
        return (agent - seat) % self.num_agents if seat < self.num_agents else agent

    def _draw(self, planes: np.ndarray, seat: int) -> np.ndarray:
        """Return maps, uint8[K, L]."""
        texts = self._writer.write_bytes(planes[:, : self._told[0]])
        layout, rows = self._writer.layout, np.arange(len(planes))
        assert layout is not None
        if self.has_owners:
            self._draw_owned(texts, planes, layout.cells, seat)
        for place, name in self._others(seat):
            own = planes[:, self.shape[0] + place]
            cell, is_shown = own.argmax(1), own.any(1)
            is_goal = planes[rows, 0, cell] & GOAL > 0
            is_drawn = is_shown & ~is_goal if self.words.goal_names else is_shown
            glyphs = np.where(is_goal, ord(name.lower()), ord(name))
            texts[rows[is_drawn], layout.cells[cell[is_drawn]]] = glyphs[is_drawn]
            for passenger, (where, _) in enumerate(layout.passengers.tolist(), 1):
                texts[is_shown & (planes[rows, passenger, cell] & AGENT > 0), where] = ord(name)
        return texts

    def _draw_owned(self, texts: np.ndarray, planes: np.ndarray, places: np.ndarray, seat: int) -> None:
        first = 2 if seat < self.num_agents else 1  # planes of others
        theirs = planes[:, first : self.shape[0]].any(1)
        for flags, glyph in self.words.theirs.items():
            world, cell = np.nonzero(theirs & (planes[:, 0] & (ITEM | GOAL | AGENT) == flags))
            texts[world, places[cell]] = ord(glyph)

    def _lines(self, planes: np.ndarray, seat: int) -> Iterator[str]:
        """Yield what stands below a map."""
        yield f"you are {self.names[seat]}"
        remembered = []
        for other, name in enumerate(self.names[: self.num_agents]):
            place = self._place(other, seat)
            if owned := self._owned(planes, place):
                noun = self.words.owned if len(owned) == 1 else self.words.owned_many
                whose = "your" if other == seat else f"{name}'s"
                yield f"{whose} {noun}: {_list(owned)}"
            cell, is_last = self._find(planes, place)
            remembered += [name] * is_last
            if other != seat and cell is not None and self.words.goal_names and planes[0][cell] & GOAL:
                goals = np.flatnonzero(planes[0] & GOAL).tolist()
                where = f"{'was last seen' if is_last else 'is'} at {self.words.goal_names[goals.index(cell)]}"
                yield f"{self.words.agent} {name} {where}"
        if remembered:
            yield f"out of view, shown where last seen: {', '.join(remembered)}"

    def _tell(self, planes: np.ndarray, seat: int) -> str:
        """Return facts, with a line or a key of its own for each agent."""
        tell, _ = TELLINGS[self.format]
        facts = facts_of(planes[: self._told[0]].reshape(self._told))._replace(agents=())
        riding = {number: self._carrier(planes, number, seat) for number in range(1, 1 + len(facts.passengers))}
        carried = {number: found for number, found in riding.items() if found is not None}
        passengers = [
            who._replace(at=self._cell(carried[number][0])) if number in carried else who
            for number, who in enumerate(facts.passengers, 1)
        ]
        text = tell(facts._replace(passengers=passengers), self.words)
        told = self._told_of_agents(planes, seat)
        told |= {f"{self.words.passenger} {number} rides with": name for number, (_, name) in carried.items()}
        if self.format == "json":
            return json.dumps(json.loads(text) | told)
        lines = [f"{key}: {value if isinstance(value, str) else _list(value)}" for key, value in told.items()]
        return "\n".join([text, *lines])

    def _told_of_agents(self, planes: np.ndarray, seat: int) -> dict[str, str | list[Cell]]:
        """Return what is told of agents beside the facts, with the reader first."""
        told: dict[str, str | list[Cell]] = {"you are": self.names[seat]}
        own = [(0, "you")] if seat < self.num_agents else []
        for place, who in (*own, *self._others(seat)):
            cell, is_last = self._find(planes, place)
            where = "last seen at" if is_last else "at"
            told[f"{who} {where}"] = OUT_OF_SIGHT if cell is None else [self._cell(cell)]
            if owned := self._owned(planes, place):
                told[f"{self.words.owned_many} of {who}"] = owned
        return told

    def _find(self, planes: np.ndarray, place: int) -> tuple[int | None, bool]:
        """Return the cell where an agent is shown, or None; and whether that is where it was seen last."""
        own = planes[self.shape[0] + place]
        cell = int(own.argmax())
        return cell if own[cell] else None, bool(own[cell] == LAST_SEEN)

    def _owned(self, planes: np.ndarray, place: int) -> list[Cell]:
        return [self._cell(cell) for cell in np.flatnonzero(planes[1 + place]).tolist()] if self.has_owners else []

    def _carrier(self, planes: np.ndarray, passenger: int, seat: int) -> tuple[int, str] | None:
        """Return in which cell, and with which other agent, a passenger is shown to ride."""
        for place, name in self._others(seat):
            cell, _ = self._find(planes, place)
            if cell is not None and planes[passenger][cell] & AGENT:
                return cell, name
        return None

    def _cell(self, cell: int) -> Cell:
        row, column = divmod(int(cell), self.shape[2])
        return row, column


def _list(cells: Sequence[Cell]) -> str:
    return " ".join(map(str, cells))
