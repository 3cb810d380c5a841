"""Training: the loop of playing, learning and annealing, and what people see of it.

All that an iteration draws at random comes from the seed and its number, so that a run that was stopped goes on from its
checkpoint on the same curve.
"""

import hashlib
import io
import json
import math
import os
import platform
import resource
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from textworlds.agents.plans import Plans, imitate, make_plans
from textworlds.agents.ppo import Learning, Player, make_batch, update
from textworlds.agents.processes import agreed, gather, parallel, processes, stop_asked, torch_threads
from textworlds.agents.runs import Run, open_run, packed, random_of, said_by, write_whole
from textworlds.agents.settings import Settings
from textworlds.wmact import EpisodeStatistics, TurnLimit, find_method

SECONDS_BETWEEN_CHECKPOINTS = 30.0
WARM, VALIDATION = 1 << 30, 1 << 31  # where the seeds of these begin, within those of a run


def train(
    settings: Settings,
    folder: str | os.PathLike[str],
    say: Callable[[str], None] = print,
    show_progress: bool = True,
    warm_folder: str | os.PathLike[str] | None = None,
) -> Run:
    """Train, or go on with a run that was stopped, until it has had its time or its iterations.

    Under torchrun each process plays a part of the episodes, and all learn the same weights. Ctrl-C or SIGTERM finish the
    iteration, write a checkpoint, and raise KeyboardInterrupt; another one stops at once.

    Args:
        settings: of the run.
        folder: where it is kept. If a run is there already, it must be of these settings, but for how long to train.
        say: where lines for people go.
        show_progress: whether to show a bar.
        warm_folder: where runs that differ in their methods only share warm starts.
    """
    with processes() as (rank, num_processes), torch_threads(settings.threads):
        if settings.episodes % num_processes or settings.episodes // num_processes < settings.minibatches:
            raise ValueError(f"{settings.episodes} episodes do not share out evenly over {num_processes} processes")
        path = Path(folder)
        check_levels(settings)
        run = open_run(settings, path, rank)
        if not run.history and not run.summary["warm_seconds"]:
            begin(run, path, rank, say, None if warm_folder is None else Path(warm_folder), show_progress and rank == 0)
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


def check_levels(settings: Settings) -> None:
    """Raise ValueError if there are no levels to train on as the settings ask."""
    changes: dict[str, Any] = settings.changes
    Player(settings.id, 1, settings.chosen_method(), settings.max_actions, split="train", **changes).begin(seed=0)


def begin(
    run: Run, path: Path, rank: int, say: Callable[[str], None], warm_folder: Path | None, show_progress: bool
) -> None:
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
    warm_file = None if warm_folder is None else warm_folder / f"{warm_name(run.settings)}.pt"
    if warm_file is not None and warm_file.exists():
        try:
            kept = torch.load(io.BytesIO(warm_file.read_bytes()), run.device, weights_only=True)
            run.network.load_state_dict(kept["network"])
            run.summary |= kept["summary"]
        except Exception as error:
            raise ValueError(
                f"{warm_file}: no warm start of this run ({said_by(error)}); without it, it is made anew"
            ) from None
    else:
        run.summary |= warm_up(run, show_progress)
        if warm_file is not None and rank == 0:
            took = {name: run.summary[name] for name in ("warm_seconds", "warm_turns", "warm_loss")}
            warm_file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(warm_file, packed({"network": run.network.state_dict(), "summary": took}))
    if rank == 0:
        run.save(path)
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


def warm_name(settings: Settings) -> str:
    """Return a name for a warm start, the same for all runs that can share it."""
    of = ("id", "changes", "warm_start", "warm_passes", "max_actions", "channels", "depth", "hidden", "heads")
    said = json.dumps([getattr(settings, name) for name in of])
    return f"seed-{settings.seed}-{hashlib.sha256(said.encode()).hexdigest()[:8]}"


def processor_name() -> str:
    """Return what the processor calls itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def learn(run: Run, path: Path, asked: threading.Event, rank: int, num_processes: int, show_progress: bool) -> None:
    """Play, learn and anneal until the run is over, or until a stop is asked for; keep the folder up to date."""
    settings, method = run.settings, run.settings.chosen_method()
    share = settings.episodes // num_processes
    player = Player(settings.id, share, method, settings.max_actions, run.device, split="train", **settings.changes)
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
            played = player.play(run.network, run.limit.value, random, first)
            update(network, run.optimizer, make_batch(played, settings.gamma, settings.lam), learning, random)
            if not all(weights.isfinite().all() for weights in run.network.parameters()):
                raise ValueError(
                    f"{path}: the weights are no numbers any more after iteration {iteration}; the last checkpoint is kept. "
                    "A smaller learning rate may help"
                )
            line = {"iteration": iteration, "turn_limit": run.limit.value, **take_in(run.limit, played)}
            if judge is not None and iteration % settings.validate_every == 0:
                line |= judge.measure(iteration)
            run.summary["seconds"] += time.perf_counter() - started
            run.summary["environment_seconds"] += player.seconds + (0.0 if judge is None else judge.player.seconds)
            run.summary["peak_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            player.seconds = 0.0
            if judge is not None:
                judge.player.seconds = 0.0
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
    parts = gather((played.rewards, played.solved, *played.statistics))
    rewards, solved, *counts = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    statistics = EpisodeStatistics(*counts)
    limit.record(statistics.num_turns, solved)
    return {
        "reward": float(rewards.mean()),
        "solved": float(solved.mean()),
        **statistics.means(),
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
            split="validation",
            **settings.changes,
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
    return SummaryWriter(str(path), purge_step=iteration + 1)


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
