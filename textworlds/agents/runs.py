"""A run in its folder: what it is made of, where it stands, and how it is kept.

settings.json says what a run is; checkpoint.pt is where it stands; history.jsonl has a line for each iteration; summary.json
says what it took. The checkpoint is what counts, the others are for people and programs to read.
"""

import io
import json
import os
from contextlib import suppress
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

import textworlds
from textworlds.agents.ppo import Network, action_names
from textworlds.agents.processes import choose_device, gather
from textworlds.agents.settings import Settings
from textworlds.wmact import TurnLimit

FORMAT = 1  # of a run's folder
SETTINGS, CHECKPOINT, HISTORY, SUMMARY = "settings.json", "checkpoint.pt", "history.jsonl", "summary.json"


class Run:
    """A run in its folder: what it is made of, and where it stands.

    Attributes:
        settings: of the run.
        network, optimizer: what is learnt.
        limit: L_max.
        history: a line for each iteration.
        summary: what the run took so far, and on what machine.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.device = choose_device(settings.device)
        sizes = settings.channels, settings.depth, settings.hidden, settings.heads
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.network = Network(len(action_names(settings.id)), *sizes).to(self.device)
        self.optimizer = torch.optim.Adam(self.network.parameters(), settings.learning_rate)
        self.limit: TurnLimit = settings.chosen_method().limit(
            settings.turn_limit, settings.tau, rounding=settings.rounding
        )
        self.history: list[dict[str, Any]] = []
        self.summary: dict[str, Any] = {"seconds": 0.0, "environment_seconds": 0.0, "warm_seconds": 0.0}

    @classmethod
    def load(cls, folder: str | os.PathLike[str], device: str = "auto") -> "Run":
        """Read a run from its folder.

        Args:
            folder: of the run.
            device: as in Settings; what the run was trained on does not matter.

        Raises:
            OSError: if there is none.
            ValueError: if it is damaged, or of another version; the text says which file.
        """
        path = Path(folder)
        settings = read_settings(path)
        run = cls(replace(settings, device=device))
        try:
            state = torch.load(io.BytesIO((path / CHECKPOINT).read_bytes()), run.device, weights_only=True)
            check_same(Settings(**state["settings"]), settings, path)
            run.network.load_state_dict(state["network"])
            run.optimizer.load_state_dict(state["optimizer"])
            run.limit.load_state_dict(state["limit"])
            run.history, run.summary = state["history"], state["summary"]
            if [line["iteration"] for line in run.history] != [*range(1, len(run.history) + 1)]:
                raise ValueError("its history has gaps")
            run.summary["seconds"] = float(run.summary["seconds"])
        except OSError:
            raise
        except Exception as error:
            raise ValueError(f"{path / CHECKPOINT}: no checkpoint of this run ({said_by(error)})") from None
        return run

    def save(self, folder: Path) -> None:
        """Write the run's files, each whole or not at all."""
        state: dict[str, Any] = {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()}
        state |= {
            "format": FORMAT,
            "settings": asdict(self.settings),
            "limit": self.limit.state_dict(),
            "history": self.history,
            "summary": self.summary,
        }
        write_whole(folder / CHECKPOINT, packed(state))
        write_whole(folder / HISTORY, "".join(f"{json.dumps(line)}\n" for line in self.history).encode())
        write_whole(folder / SUMMARY, json.dumps(self.summary, indent=1).encode())

    @property
    def is_over(self) -> bool:
        """Whether the run has had its time or its iterations."""
        minutes, iterations = self.settings.minutes, self.settings.iterations
        return (minutes is not None and self.summary["seconds"] >= 60 * minutes) or (
            iterations is not None and len(self.history) >= iterations
        )


def read_settings(folder: Path) -> Settings:
    """Read the settings in a run's folder; see Run.load for the errors."""
    path = folder / SETTINGS
    try:
        said = json.loads(path.read_bytes())
        version = said.pop("format")
        if version != FORMAT:
            raise ValueError(f"of format {version}; this version of textworlds reads format {FORMAT}")
        said.pop("textworlds", None)
        if unknown := said.keys() - {one.name for one in fields(Settings)}:
            raise ValueError(f"unknown setting {sorted(unknown)[0]!r}")
        return Settings(**said)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path}: no settings of a run that can be read here: {said_by(error)}") from None


def open_run(settings: Settings, path: Path, rank: int) -> Run:
    """Return the run in a folder, or a new one if there is none."""
    if (path / SETTINGS).exists():
        check_same(read_settings(path), settings, path)
        if (path / CHECKPOINT).exists():
            run = Run.load(path, settings.device)
            run.settings = settings
        else:
            run = Run(settings)
    elif path.exists() and any(path.iterdir()):
        raise ValueError(f"{path}: is no run, and not empty; give another folder")
    else:
        run = Run(settings)
    if len(set(gather((len(run.history), run.summary["seconds"])))) > 1:
        raise ValueError(f"{path}: the processes find different runs there; it must be a folder that all of them share")
    if rank == 0:
        path.mkdir(parents=True, exist_ok=True)
        said = {"format": FORMAT, "textworlds": textworlds.__version__, **asdict(settings)}
        write_whole(path / SETTINGS, json.dumps(said, indent=1).encode())
    return run


def check_same(kept: Settings, given: Settings, path: Path) -> None:
    """Raise ValueError unless two settings are the same, but for how long to train and where."""
    free = ("minutes", "iterations", "device", "threads")
    for one in fields(Settings):
        old, new = getattr(kept, one.name), getattr(given, one.name)
        if old != new and one.name not in free:
            raise ValueError(f"{path}: holds a run with {one.name} {old!r}, not {new!r}; give another folder")


def random_of(run: Run, iteration: int, rank: int, purpose: int = 0) -> torch.Generator:
    """Return the random numbers of an iteration: a stream of its own for each process and purpose."""
    words = np.random.SeedSequence([run.settings.seed, iteration, rank, purpose]).generate_state(1, np.uint64)
    return torch.Generator(run.device).manual_seed(int(words[0] >> 1))


def said_by(error: Exception) -> str:
    """Return the first line of what an error says, or what it is called if it says nothing."""
    return f"{(str(error).splitlines() or [type(error).__name__])[0]:.300}"


def packed(state: dict[str, Any]) -> bytes:
    """Return what torch.load reads, as bytes: so that a full disk is an OSError, and the old file stays."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that there is the old one or the new one, also if the process is killed in between."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        os.replace(part, path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise OSError(error.errno, error.strerror, str(path)) from None
