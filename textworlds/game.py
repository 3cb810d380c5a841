"""A person's game in the terminal: levels one after another, with undo and hints."""

from collections.abc import Sequence
from concurrent.futures import Future, wait
from contextlib import suppress

from textworlds.episode import Episode
from textworlds.terminal import Terminal, View, run_beside, with_controls
from textworlds.text.levels import Level
from textworlds.worlds import Snapshot

# Methods of Game and their keys.
CONTROLS = {"undo": "z", "restart": "x", "hint": "h", "forward": "f", "back": "b", "rules": "?", "quit": "q"}
NO_LIMIT = 2**31 - 1
QUICKLY, PATIENTLY = 0.5, 20.0  # seconds to wait for the solver


class Game:
    """A person's game: the level being played, the way back, and a note on what happened last."""

    def __init__(self, id: str, levels: Sequence[Level] | None, seed: int, terminal: Terminal) -> None:
        self.id, self.levels, self.seed, self.terminal = id, levels, seed, terminal
        self.episode = Episode(id, action="discrete", turn_limit=NO_LIMIT)
        self.words = self.episode.puzzle.words
        self.num_actions = len(self.words.vocabulary.names)
        self.vocabulary = with_controls(self.words.vocabulary, CONTROLS)
        self.solved: set[int] = set()
        self.is_over = False
        self.begin(0)
        if self.left:
            self.episode.act(0)  # compiles what the first key would have to wait for
            self.begin(0)
        self.rules()

    def begin(self, number: int) -> None:
        """Begin a level, counted from 0."""
        if self.levels is None:
            seed = (self.seed + number) % (1 << 64)
            self.episode.reset(seed=seed)
            self.title = f"{self.id}, seed {seed}"
        else:
            level = self.levels[number]
            self.episode.reset(level=level)
            self.title = f"{level.title or 'Level'} ({number + 1} of {len(self.levels)}; {level.source})"
        self.number, self.note = number, ""
        self.start = self.episode.get_state()
        self.past: list[Snapshot] = []

    @property
    def left(self) -> int:
        return int(self.episode.totals()["goals_left"])

    def status(self) -> str:
        totals = self.episode.totals()
        acted = f"actions {totals['num_asked']}, changes {totals['num_changed']}"
        return f"{acted}, left to do {self.left}, levels solved {len(self.solved)}"

    def view(self) -> View:
        keys = [f"{key} {names[0]}" for key, names in zip(self.vocabulary.letters, self.vocabulary.names, strict=True)]
        help = f"{'  '.join(keys[: self.num_actions])}  (or arrows)\n{'  '.join(keys[self.num_actions :])}"
        return View(self.title, self.episode.observe(), self.episode.picture(), self.status(), self.note, help)

    def press(self, key: int | str) -> None:
        """Do what a key stands for: an action of `vocabulary`, or a complaint about it."""
        if isinstance(key, int) and key >= self.num_actions:
            return getattr(self, self.vocabulary.names[key][0])()
        if self.left == 0:
            self.forward()
            if self.terminal.is_typed or self.is_over:
                return  # the key was "any key"
            self.terminal.show(self.view())
        if isinstance(key, int):
            self.act(key)
        else:
            self.note = key

    def act(self, action: int) -> None:
        before = self.episode.get_state()
        ledger = self.episode.act(action).ledger
        self.note = f"{ledger['num_asked']}: {self.vocabulary.names[action][0]}"
        if ledger["changed"]:
            self.past.append(before)
        else:
            self.note += f" - {self.episode.say_reason(ledger['reason'])}"
        if self.left == 0:
            self.solved.add(self.number)
            self.note += f"\nSolved! Actions: {ledger['num_asked']}"
            with suppress(TimeoutError, RuntimeError):
                self.note += f"; in the solver's plan: {len(self.ask_solver(self.start).result(QUICKLY) or ())}"
            self.note += ". Any key goes on." if self.terminal.is_typed else "."

    def hint(self) -> None:
        answer = self.ask_solver(self.episode.get_state())
        if wait([answer], QUICKLY).not_done:
            self.note = "The solver is thinking ..."
            self.terminal.show(self.view())
        try:
            plan = answer.result(PATIENTLY)
        except (TimeoutError, RuntimeError):
            self.note = "Hint: none, the solver gave up."
        else:
            none = "no solution from here" if plan is None else "solved already"
            first = self.vocabulary.names[plan[0]][0] if plan else ""
            self.note = f"Hint: {first}, then {len(plan) - 1} more." if plan else f"Hint: {none}."

    def ask_solver(self, state: Snapshot) -> Future[list[int] | None]:
        thinker = Episode(self.id, action="discrete")
        thinker.set_state(state)
        return run_beside(thinker.solve)

    def undo(self) -> None:
        self.note = "One change taken back." if self.past else "Nothing to undo."
        if self.past:
            self.episode.set_state(self.past.pop())

    def restart(self) -> None:
        self.past.append(self.episode.get_state())
        self.episode.set_state(self.start)
        self.note = "Back at the start."

    def forward(self) -> None:
        if self.levels is None or self.number + 1 < len(self.levels):
            self.begin(self.number + 1)
        else:
            self.note = "This is the last level."
            self.is_over = self.left == 0

    def back(self) -> None:
        if self.number:
            self.begin(self.number - 1)
        else:
            self.note = "This is the first level."

    def rules(self) -> None:
        self.note = self.words.rules

    def quit(self) -> None:
        self.is_over = True
