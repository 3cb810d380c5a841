"""What the plugs for small networks share: worlds as a batch that is paid by a method."""

from typing import Any

import gymnasium

import textworlds  # registers the ids
from textworlds.ids import NAMESPACE
from textworlds.wmact import Method, find_method

assert textworlds


def make_batch(id: str, num_envs: int, method: str | Method = "interactive", **settings: Any) -> Any:
    """Return N worlds of an id that are shown as pictures, take one action a turn, and pay as a method says.

    Args:
        id: as for gym.make_vec; "textworlds/" may be left out.
        num_envs: N.
        method: a name in textworlds.wmact.METHODS, or a Method.
        **settings: replace these and the id's.
    """
    chosen = {"observation": "picture", "action": "discrete", **settings}
    full = id if "/" in id else NAMESPACE + id
    return find_method(method).wrap(gymnasium.make_vec(full, num_envs=num_envs, **chosen))
