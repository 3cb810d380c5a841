"""Text puzzles for agents that act in turns: Sokoban, Maze and Taxi behind gym.make, every action accounted for."""

from typing import Any

import gymnasium

from textworlds.ids import all_ids, find_id
from textworlds.version import __version__ as __version__

# The public face. Each name is imported from its module when it is first used: importing textworlds registers the ids
# and does little else.
_HOMES = {
    "Conversation": "textworlds.chat.conversation",
    "Episode": "textworlds.episode",
    "Episodes": "textworlds.episodes",
    "Level": "textworlds.text.levels",
    "LevelSet": "textworlds.levels.level_set",
    "Outcome": "textworlds.text.grammars",
    "PUZZLES": "textworlds.puzzles",
    "Puzzle": "textworlds.puzzles",
    "find_levels": "textworlds.levels.files",
    "overlaps": "textworlds.levels.leaks",
    "read_level_file": "textworlds.text.levels",
}
__all__ = [
    "PUZZLES",
    "Conversation",
    "Episode",
    "Episodes",
    "Level",
    "LevelSet",
    "Outcome",
    "Puzzle",
    "all_ids",
    "find_id",
    "find_levels",
    "overlaps",
    "read_level_file",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'textworlds' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)


for _id, (_puzzle, _settings) in all_ids().items():
    gymnasium.register(
        id=_id,
        entry_point="textworlds.envs:TextWorldEnv",
        vector_entry_point="textworlds.envs:TextWorldVectorEnv",
        kwargs={"puzzle": _puzzle.name, **_settings},
    )
