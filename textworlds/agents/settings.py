"""The settings of a training run: what they are, what they may be, and how the command line asks for them. No PyTorch."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

import textworlds
from textworlds.wmact import ROUNDINGS, Method, find_method

NAMESPACE = "textworlds/"

# What settings may be: whole numbers of at least so many, numbers in a range, one of some words.
MOST = (1 << 31) - 1
WHOLE = {
    **dict.fromkeys(("iterations", "tau", "validate_every"), (1, MOST)),
    **dict.fromkeys(("seed", "warm_start", "warm_passes"), (0, MOST)),
    **dict.fromkeys(("episodes", "validated", "minibatches"), (1, 1 << 20)),
    **dict.fromkeys(("turn_limit", "max_actions"), (1, 8192)),
    **dict.fromkeys(("channels", "hidden"), (1, 4096)),
    **dict.fromkeys(("depth", "heads", "threads"), (1, 256)),
}
REAL = {"minutes": (1e-3, 1e6), "learning_rate": (1e-9, 1.0), "clip": (1e-3, 10.0)}
CHOICES = {"rounding": tuple(ROUNDINGS), "scaled_by": ("changed", "novel")}
REAL |= {"entropy": (0.0, 10.0), "gamma": (0.0, 1.0), "lam": (0.0, 1.0), "value_weight": (0.0, 10.0)}


@dataclass(frozen=True)
class Settings:
    """What a run is made of; `help` is what the command line says of each."""

    id: str
    changes: dict[str, int] = field(default_factory=dict)
    method: str = field(default="wmact", metadata={"help": "how episodes are paid and L_max falls"})
    seed: int = field(default=0, metadata={"help": "of levels, weights and sampling"})
    minutes: float | None = field(default=None, metadata={"help": "how long to train, at most"})
    iterations: int | None = field(default=None, metadata={"help": "batches to train on, at most"})
    episodes: int = field(default=256, metadata={"help": "episodes in a batch, over all processes"})
    turn_limit: int = field(default=12, metadata={"help": "L_max at the start"})
    tau: int = field(default=15, metadata={"help": "iterations between two annealings of L_max"})
    rounding: str = field(default="up", metadata={"help": "of L_max: up, down or nearest"})
    scaled_by: str = field(default="changed", metadata={"help": "what rescaling counts: changed (the paper), or novel"})
    max_actions: int = field(default=24, metadata={"help": "what a turn has room for; not below the length of plans"})
    warm_start: int = field(default=0, metadata={"help": "solver plans to imitate first"})
    warm_passes: int = field(default=10, metadata={"help": "passes over these plans"})
    learning_rate: float = field(default=5e-4, metadata={"help": "Adam's"})
    minibatches: int = field(default=8, metadata={"help": "optimiser steps on a batch, in one pass; the paper takes 1"})
    clip: float = field(default=0.2, metadata={"help": "PPO's, on the ratio of probabilities"})
    value_weight: float = field(default=0.5, metadata={"help": "of the value's error, in variances of the returns"})
    entropy: float = field(default=0.0, metadata={"help": "weight of an entropy bonus"})
    gamma: float = field(default=1.0, metadata={"help": "discount from one action to the next"})
    lam: float = field(default=1.0, metadata={"help": "lambda of the generalised advantages"})
    channels: int = field(default=24, metadata={"help": "of the reader"})
    depth: int = field(default=6, metadata={"help": "layers of the reader"})
    hidden: int = field(default=64, metadata={"help": "size of the writer's state"})
    heads: int = field(default=2, metadata={"help": "with which the writer looks at the map"})
    validated: int = field(default=256, metadata={"help": "validation levels that the curves are measured on"})
    validate_every: int = field(default=20, metadata={"help": "iterations between two such measurements"})
    threads: int = field(default=1, metadata={"help": "of PyTorch, in each process"})
    device: str = field(default="auto", metadata={"help": "cpu, cuda, or auto: a GPU if there is one"})

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", full_id(self.id))
        check_changes(self.id, self.changes)
        for name in WHOLE:
            value = getattr(self, name)
            if value is None and FLAGS[name].default is None:
                continue
            least, most = WHOLE[name]
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
                raise ValueError(f"{name} must be a whole number from {least} to {most:,}; got {value!r:.80}")
        for name, (low, high) in REAL.items():
            value = getattr(self, name)
            if value is None and FLAGS[name].default is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise ValueError(f"{name} must be a number from {low:g} to {high:g}; got {value!r:.80}")
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise ValueError(f"unknown {name} {getattr(self, name)!r}; known: {', '.join(known)}")
        if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", str(self.device)):
            raise ValueError(f"device must be auto, cpu, cuda or cuda:N; got {self.device!r:.80}")
        self.chosen_method()
        if self.episodes < self.minibatches:
            raise ValueError(f"a batch of {self.episodes} episodes cannot make {self.minibatches} minibatches")
        if self.minutes is None and self.iterations is None:
            raise ValueError("say how long to train: minutes, iterations, or both")

    def chosen_method(self) -> Method:
        """Return the method, with what the settings change of it."""
        method = find_method(self.method)
        return find_method(self.method, scaled_by=self.scaled_by) if method.scaled_by else method


def full_id(id: str) -> str:
    """Return an id as gymnasium.make knows it; ValueError for one that there is not."""
    textworlds.find_id(id)
    return id if id.startswith(NAMESPACE) else NAMESPACE + id


def check_changes(id: str, changes: Mapping[str, int]) -> None:
    """Raise ValueError unless all that is changed of an id's settings is its levels: their size, the generator's options."""
    known = ("height", "width", *textworlds.find_id(id)[0].options._fields)
    for name in dict(changes):
        if name not in known:
            raise ValueError(f"{name!r} is no setting of the levels of {id}; known: {', '.join(known)}")


FLAGS = {one.name: one for one in fields(Settings) if "help" in one.metadata}


def kind_of(name: str) -> type:
    """Return what a setting's value is made of text by."""
    if name in REAL:
        return float
    return int if name in WHOLE else str
