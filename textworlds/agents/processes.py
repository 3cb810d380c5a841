"""One process or many, started by torchrun: how they agree, what they use, and how they are asked to stop."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed.nn  # see processes
from torch import Tensor, distributed, nn


@contextmanager
def processes() -> Iterator[tuple[int, int]]:
    """Join the processes that torchrun started, if it did; yield this one's rank and how many there are.

    Within it, it may be used again; after it, it may not: torchrun's processes meet once.

    PyTorch imports torch.distributed.nn when an optimiser is first used. Functions there take the process group of
    that moment as a default, and so keep it, with Gloo's threads, until Python ends, which now and then aborts the
    process. Hence it is imported above, when there is no group yet.
    """
    if distributed.is_initialized():
        yield distributed.get_rank(), distributed.get_world_size()
        return
    if int(os.environ.get("WORLD_SIZE", 1)) == 1:
        yield 0, 1
        return
    distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield distributed.get_rank(), distributed.get_world_size()
    finally:
        distributed.destroy_process_group()


def is_first_process() -> bool:
    """Return whether this process is the one, of those that torchrun started, that prints and writes."""
    return int(os.environ.get("RANK", 0)) == 0


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


def gather(part: Any) -> list[Any]:
    """Return what each process gave, in order of their ranks, to all of them."""
    if not distributed.is_initialized():
        return [part]
    parts: list[Any] = [None] * distributed.get_world_size()
    distributed.all_gather_object(parts, part)
    return parts


def mean_over_processes(*numbers: Tensor) -> tuple[Tensor, ...]:
    """Return numbers averaged over the processes of a distributed run; as they are, if there is one process."""
    together = torch.stack([number.float() for number in numbers])
    if distributed.is_initialized():
        distributed.all_reduce(together)
        together = together / distributed.get_world_size()
    return tuple(together)


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
