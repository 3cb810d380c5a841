"""Several agents in one world, behind PettingZoo: a module `NAME_v0` for each puzzle, made from the registry.

    from textworlds.multi import sokoban_v0
    env = sokoban_v0.parallel_env("Sokoban-easy-2p-v0")

Each has `parallel_env(id, **settings)`, `env` and `raw_env`; without an id they play the puzzle's first one for teams. All
need PettingZoo (pip install "textworlds[multi]"); JointEpisodes does not. Importing this puts the ids into PettingZoo's
own registry too, if it is there and has one.
"""

import sys
import types
from collections.abc import Callable
from functools import partial
from typing import Any

from textworlds.ids import all_guide_ids, all_team_ids
from textworlds.multi.joint import JointEpisodes
from textworlds.multi.turns import JointTurn
from textworlds.puzzles import PUZZLES, Puzzle

__all__ = ["JointEpisodes", "JointTurn", *(f"{name}_v0" for name in PUZZLES)]


def _make(maker: str, puzzle: Puzzle, id: str | None = None, **settings: Any) -> Any:
    try:
        from textworlds.multi import parallel
    except ModuleNotFoundError as error:
        if error.name != "pettingzoo":
            raise
        raise ImportError('environments for several agents need PettingZoo: pip install "textworlds[multi]"') from None
    if id is None and not puzzle.team_ids:
        raise ValueError(f"{puzzle.name} has no ids for several agents")
    return getattr(parallel, maker)(puzzle.name, id or next(iter(puzzle.team_ids)), **settings)


def _module_of(puzzle: Puzzle) -> types.ModuleType:
    """Return the module NAME_v0 of a puzzle, as if it had been imported from a file."""
    module: Any = types.ModuleType(f"{__name__}.{puzzle.name}_v0", f"{puzzle.name} for several agents.")
    makers: dict[str, Callable[..., Any]] = {
        "parallel_env": partial(_make, "make_parallel", puzzle),
        "raw_env": partial(_make, "make_raw", puzzle),
        "env": partial(_make, "make_aec", puzzle),
    }
    module.__dict__.update(makers, __all__=list(makers))
    return module


for _puzzle in PUZZLES.values():
    sys.modules[f"{__name__}.{_puzzle.name}_v0"] = globals()[f"{_puzzle.name}_v0"] = _module_of(_puzzle)


def _register() -> None:
    try:
        from pettingzoo import register
    except ImportError:
        return
    for id, (puzzle, _) in (all_team_ids() | all_guide_ids()).items():
        kwargs = {"puzzle": puzzle.name, "id": id}
        register("parallel", id, entry_point="textworlds.multi.parallel:make_parallel", kwargs=kwargs)
        register("aec", id, entry_point="textworlds.multi.parallel:make_aec", kwargs=kwargs)


_register()
