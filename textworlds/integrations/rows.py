"""Rows of data sets: which id, which seed and which settings, as plain data, and the play that a row stands for."""

from collections.abc import Mapping
from typing import Any

from textworlds.integrations.play import Play

NAME = "textworlds"  # of the column that says it, and of what the libraries register


def row(id: str, seed: int, **settings: Any) -> dict[str, Any]:
    """Return a row of a data set.

    Args:
        id: what is played.
        seed: of the level.
        **settings: as for integrations.play.Play, and turn_limit.

    Returns:
        The first messages, as `prompt`, for libraries that count their tokens; `data_source`; and what was given, under NAME.
    """
    chosen = {"id": id, "seed": seed, **settings}
    play, _ = make({NAME: chosen})
    return {"prompt": play.begin(seed), "data_source": f"{NAME}/{id}", NAME: chosen}


def make(columns: Mapping[str, Any], **defaults: Any) -> tuple[Play, dict[str, Any]]:
    """Return the play of a row that was read from a file, not yet begun, and what the row says of it.

    Args:
        columns: of the row, NAME among them.
        **defaults: settings that the row need not have.
    """
    if not (chosen := columns.get(NAME)):
        raise ValueError(f"a row has {NAME!r}, as textworlds' row writes it; got {list(columns)}")
    # A column of a file has the settings of all its rows, None where a row does not have them.
    known = {**defaults, **{name: value for name, value in chosen.items() if value is not None}}
    return Play(**{name: value for name, value in known.items() if name != "seed"}), known
