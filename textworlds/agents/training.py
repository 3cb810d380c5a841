"""A training run: its settings, its folder, and the loop of playing, learning and annealing.

The folder is all there is of a run. settings.json says what it is; checkpoint.pt is where it stands; history.jsonl has a line
for each iteration; summary.json says what it took; the TensorBoard files show the same curves. A run that was stopped
goes on from its checkpoint, on the same curve: all that an iteration draws at random comes from the seed and its number.
"""

import io
import json
import math
import os
import platform
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import distributed, nn
from tqdm import tqdm

import textworlds
from textworlds.agents.plans import Plans, imitate, make_plans
from textworlds.agents.ppo import Learning, Network, Player, action_names, make_batch, update
from textworlds.agents.settings import Settings
from textworlds.wmact import EpisodeStatistics, TurnLimit, find_method

FORMAT = 1  # of a run's folder
SETTINGS, CHECKPOINT, HISTORY, SUMMARY = "settings.json", "checkpoint.pt", "history.jsonl", "summary.json"
SECONDS_BETWEEN_CHECKPOINTS = 30.0
WARM, VALIDATION = 1 << 30, 1 << 31  # where the seeds of these begin, within those of a run


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
        torch.manual_seed(settings.seed)
        sizes = settings.channels, settings.depth, settings.hidden, settings.heads
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

        Raises:
            OSError: if there is none.
            ValueError: if it is damaged, or of another version; the text says which file.
        """
        path = Path(folder)
        settings = read_settings(path)
        run = cls(settings if device == "auto" else Settings(**{**asdict(settings), "device": device}))
        try:
            state = torch.load(io.BytesIO((path / CHECKPOINT).read_bytes()), run.device, weights_only=True)
            run.network.load_state_dict(state["network"])
            run.optimizer.load_state_dict(state["optimizer"])
            run.limit.load_state_dict(state["limit"])
            run.history, run.summary = state["history"], state["summary"]
        except OSError:
            raise
        except Exception as error:
            raise ValueError(
                f"{path / CHECKPOINT}: no checkpoint of this run ({str(error).splitlines()[0]:.80})"
            ) from None
        return run

    def save(self, folder: Path) -> None:
        """Write the run's files, each whole or not at all."""
        state: dict[str, Any] = {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()}
        state |= {"limit": self.limit.state_dict(), "history": self.history, "summary": self.summary}
        write_whole(folder / CHECKPOINT, packed(state))
        write_whole(folder / HISTORY, "".join(f"{json.dumps(line)}\n" for line in self.history).encode())
        write_whole(folder / SUMMARY, json.dumps(self.summary, indent=1).encode())

    @property
    def share_done(self) -> float:
        """How much of its time or of its iterations the run has had, from 0 to 1."""
        minutes, iterations = self.settings.minutes, self.settings.iterations
        by_time = 0.0 if minutes is None else self.summary["seconds"] / max(60 * minutes, 1e-9)
        return min(1.0, max(by_time, 0.0 if iterations is None else len(self.history) / iterations))

    @property
    def is_over(self) -> bool:
        """Whether the run has had its time or its iterations."""
        return self.share_done >= 1.0


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
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{path}: no settings of a run that can be read here: {error}") from None


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that there is the old one or the new one, whatever happens in between."""
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_bytes(data)
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from None


def choose_device(name: str) -> str:
    """Return the device for this process: its own GPU, where there are any and "auto" or "cuda" is asked for."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda":
        name = f"cuda:{os.environ.get('LOCAL_RANK', 0)}"
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"device {name!r} cannot be used: {str(error).splitlines()[0]}") from None
    return name


def train(
    settings: Settings,
    folder: str | os.PathLike[str],
    say: Callable[[str], None] = print,
    show_progress: bool = True,
    warm_file: str | os.PathLike[str] | None = None,
) -> Run:
    """Train, or go on with a run that was stopped, until it has had its time or its iterations.

    Under torchrun each process plays a part of the episodes, and all learn the same weights. Ctrl-C or SIGTERM finish the
    iteration, write a checkpoint, and raise KeyboardInterrupt; another one stops at once.

    Args:
        settings: of the run.
        folder: where it is kept. If a run is there already, it must be of these settings, but for how long to train.
        say: where lines for people go.
        show_progress: whether to show a bar.
        warm_file: where runs that differ in their method only share a warm start: read if it is there, else written.
    """
    with processes() as (rank, num_processes), torch_threads(settings.threads):
        if settings.episodes % num_processes or settings.episodes // num_processes < settings.minibatches:
            raise ValueError(f"{settings.episodes} episodes do not share out evenly over {num_processes} processes")
        path = Path(folder)
        run = open_run(settings, path, rank)
        if not run.history and not run.summary["warm_seconds"]:
            begin(run, rank, say, None if warm_file is None else Path(warm_file), show_progress and rank == 0)
        if run.is_over:
            if rank == 0:
                say(
                    f"{path} is finished after {len(run.history)} iterations; give it more minutes or iterations to go on"
                )
            return run
        with stop_asked() as asked:
            learn(run, path, asked, rank, num_processes, show_progress and rank == 0)
        if rank == 0:
            say(describe(run))
        if asked.is_set() and not run.is_over:
            if rank == 0:
                say(f"stopped; the same command goes on from {path}")
            raise KeyboardInterrupt
        return run


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
    if distributed.is_initialized():
        distributed.barrier()
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


def begin(run: Run, rank: int, say: Callable[[str], None], warm_file: Path | None, show_progress: bool) -> None:
    """Note the machine, imitate solver plans if asked to, and say where the run starts from."""
    run.summary["machine"] = {
        "processor": processor_name(),
        "cores": os.cpu_count(),
        "device": torch.cuda.get_device_name() if run.device.startswith("cuda") else "cpu",
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "parameters": sum(weights.numel() for weights in run.network.parameters()),
    }
    if not run.settings.warm_start:
        return
    if warm_file is not None and warm_file.exists():
        kept = torch.load(io.BytesIO(warm_file.read_bytes()), run.device, weights_only=True)
        if kept["of"] != warm_settings(run.settings):
            raise ValueError(f"{warm_file}: is the warm start of a run with other settings; give another folder")
        run.network.load_state_dict(kept["network"])
        run.summary |= kept["summary"]
    else:
        run.summary |= warm_up(run, show_progress)
        if warm_file is not None and rank == 0:
            kept = {"of": warm_settings(run.settings), "network": run.network.state_dict()}
            kept["summary"] = {name: run.summary[name] for name in ("warm_seconds", "warm_turns", "warm_loss")}
            write_whole(warm_file, packed(kept))
    if rank == 0:
        say(
            f"warm start: {run.settings.warm_start} plans in {run.summary['warm_turns']} turns, {run.settings.warm_passes} "
            f"passes, {run.summary['warm_seconds']:.0f} s, {run.summary['warm_loss']:.2f} nats a token"
        )


def warm_up(run: Run, show_progress: bool) -> dict[str, Any]:
    """Imitate solver plans; return what it took."""
    settings, started = run.settings, time.perf_counter()
    first = (settings.seed << 32) + WARM
    plans = make_plans(settings.id, settings.warm_start, settings.max_actions, first, **settings.changes)
    plans = Plans(*(part.to(run.device) for part in plans))
    loss = imitate(run.network, plans, settings.warm_passes, random_of(run, 0, rank=0), show_progress)
    return {"warm_seconds": time.perf_counter() - started, "warm_turns": len(plans.boards), "warm_loss": loss}


def warm_settings(settings: Settings) -> dict[str, Any]:
    """Return the settings that a warm start depends on."""
    names = (
        "id",
        "changes",
        "seed",
        "warm_start",
        "warm_passes",
        "max_actions",
        "channels",
        "depth",
        "hidden",
        "heads",
    )
    return {name: getattr(settings, name) for name in names}


def packed(state: dict[str, Any]) -> bytes:
    """Return what torch.load reads, as bytes: so that a full disk is an OSError, and the old file stays."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def processor_name() -> str:
    """Return what the processor calls itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def random_of(run: Run, iteration: int, rank: int, purpose: int = 0) -> torch.Generator:
    """Return the random numbers of an iteration: a stream of its own for each process and purpose."""
    words = np.random.SeedSequence([run.settings.seed, iteration, rank, purpose]).generate_state(1, np.uint64)
    return torch.Generator(run.device).manual_seed(int(words[0] >> 1))


def learn(run: Run, path: Path, asked: threading.Event, rank: int, num_processes: int, show_progress: bool) -> None:
    """Play, learn and anneal until the run is over, or until a stop is asked for; keep the folder up to date."""
    settings, method = run.settings, run.settings.chosen_method()
    share = settings.episodes // num_processes
    player = Player(
        settings.id, share, method, settings.max_actions, run.device, **{"split": "train", **settings.changes}
    )
    judge = Judge(run) if rank == 0 else None
    network = parallel(run.network)
    learning = Learning(settings.minibatches, settings.clip, settings.value_weight, settings.entropy)
    board = open_tensorboard(path, len(run.history)) if rank == 0 else None
    bar = tqdm(desc=settings.method, unit="it", total=settings.iterations, disable=None if show_progress else True)
    bar.update(len(run.history))
    saved = time.monotonic()
    if judge is not None and not run.history:
        run.summary["start"] = judge.measure(0)
        run.save(path)
    try:
        while not agreed(run.is_over or asked.is_set()):
            started, iteration = time.perf_counter(), len(run.history) + 1
            random, first = random_of(run, iteration, rank), settings.seed << 32
            first += (iteration - 1) * settings.episodes + rank * share
            if settings.decay == "linear":
                for group in run.optimizer.param_groups:
                    group["lr"] = settings.learning_rate * (1 - run.share_done)
            played = player.play(run.network, run.limit.value, random, first)
            update(network, run.optimizer, make_batch(played, settings.gamma, settings.lam), learning, random)
            line = {"iteration": iteration, "turn_limit": run.limit.value, **take_in(run.limit, played)}
            if judge is not None and iteration % settings.validate_every == 0:
                line |= judge.measure(iteration)
            run.summary["seconds"] += time.perf_counter() - started
            run.summary["environment_seconds"] += player.seconds
            run.summary["peak_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            player.seconds = 0.0
            run.history.append(line | {"seconds": run.summary["seconds"]})
            if rank == 0:
                report_progress(run, bar, board)
                if time.monotonic() - saved > SECONDS_BETWEEN_CHECKPOINTS:
                    run.save(path)
                    saved = time.monotonic()
    finally:
        bar.close()
        if board is not None:
            board.close()
    if rank == 0:
        run.save(path)


def take_in(limit: TurnLimit, played: Any) -> dict[str, float]:
    """Show the limit an iteration's episodes, of all processes, and return what they were like."""
    parts = [(played.rewards, played.solved, *played.statistics)]
    if distributed.is_initialized():
        parts = [None] * distributed.get_world_size()  # type: ignore[list-item]
        distributed.all_gather_object(parts, (played.rewards, played.solved, *played.statistics))
    rewards, solved, *counts = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    statistics = EpisodeStatistics(*counts)
    limit.record(statistics.num_turns, solved)
    return {
        "reward": float(rewards.mean()),
        "solved": float(solved.mean()),
        "turns": float(statistics.num_turns.mean()),
        "actions": float(statistics.num_asked.mean()),
        "effective_share": float(statistics.num_changed.sum() / max(statistics.num_asked.sum(), 1)),
        "novel_share": float(statistics.num_novel.sum() / max(statistics.num_asked.sum(), 1)),
    }


class Judge:
    """Measures the success on validation levels, with many turns and forced into one; always the same levels.

    Args:
        run: whose network is measured.
    """

    def __init__(self, run: Run) -> None:
        settings = run.settings
        self.run = run
        self.player = Player(
            settings.id,
            settings.validated,
            find_method("interactive"),
            settings.max_actions,
            run.device,
            **{**settings.changes, "split": "validation"},
        )

    def measure(self, iteration: int) -> dict[str, float]:
        """Return the shares solved."""
        settings, found = self.run.settings, {}
        for name, turns in (("multi_turn", settings.turn_limit), ("single_turn", 1)):
            random = random_of(self.run, iteration, 0, purpose=turns)
            played = self.player.play(self.run.network, turns, random, (settings.seed << 32) + VALIDATION)
            found[name] = float(played.solved.mean())
        return found


def report_progress(run: Run, bar: Any, board: Any) -> None:
    """Show the last iteration in the bar and in TensorBoard."""
    line, seconds = run.history[-1], run.summary["seconds"]
    left = math.inf if run.settings.minutes is None else 60 * run.settings.minutes - seconds
    if run.settings.iterations is not None:
        left = min(left, (run.settings.iterations - len(run.history)) * seconds / len(run.history))
    bar.set_postfix_str(
        "solved {solved:.0%}, turns {turns:.1f}, effective {effective_share:.0%}, L_max {turn_limit}, ".format(**line)
        + f"{max(left, 0) / 60:.1f} min left"
    )
    bar.update()
    if board is not None:
        for name, value in line.items():
            if name != "iteration":
                board.add_scalar(name, value, line["iteration"])


def open_tensorboard(path: Path, iteration: int) -> Any:
    """Return a TensorBoard writer that goes on after an iteration; None where TensorBoard is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(path), purge_step=iteration + 1 if iteration else None)


def describe(run: Run) -> str:
    """Say what a run took, and where it stands."""
    if not run.history:
        return "no iterations yet"
    first, last, settings = run.history[0], run.history[-1], run.settings
    seconds = max(run.summary["seconds"], 1e-9)
    return (
        f"{len(run.history)} iterations of {settings.episodes} episodes in {seconds:.0f} s; "
        f"L_max {first['turn_limit']} -> {last['turn_limit']}; effective share {first['effective_share']:.2f} -> "
        f"{last['effective_share']:.2f}; {run.summary['environment_seconds'] / seconds:.0%} of the time in the environment"
    )


@contextmanager
def processes() -> Iterator[tuple[int, int]]:
    """Join the processes that torchrun started, if it did; yield this one's rank and how many there are."""
    if int(os.environ.get("WORLD_SIZE", 1)) == 1:
        yield 0, 1
        return
    distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield distributed.get_rank(), distributed.get_world_size()
    finally:
        distributed.destroy_process_group()


def parallel(network: nn.Module) -> nn.Module:
    """Return a network whose gradients are averaged over all processes; the same one if there is one process."""
    if not distributed.is_initialized():
        return network
    return nn.parallel.DistributedDataParallel(network)


def agreed(stops: bool) -> bool:
    """Return whether any process wants to stop."""
    if not distributed.is_initialized():
        return stops
    device = "cuda" if distributed.get_backend() == "nccl" else "cpu"
    wanted = torch.tensor(float(stops), device=device)
    distributed.all_reduce(wanted, distributed.ReduceOp.MAX)
    return bool(wanted > 0)


@contextmanager
def torch_threads(number: int) -> Iterator[None]:
    """Let PyTorch use so many threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def stop_asked() -> Iterator[threading.Event]:
    """Yield an event that the first Ctrl-C or SIGTERM sets; the next one acts as usual."""
    asked = threading.Event()
    before: dict[int, Any] = {}

    def ask(number: int, frame: Any) -> None:
        asked.set()
        for one, handler in before.items():
            signal.signal(one, handler)

    if threading.current_thread() is threading.main_thread():
        before |= {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def is_first_process() -> bool:
    """Return whether this process is the one, of those that torchrun started, that prints and writes."""
    return int(os.environ.get("RANK", 0)) == 0
