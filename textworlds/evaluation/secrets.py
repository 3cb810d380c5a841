"""Keys stay out of what is written: their values, wherever a server may repeat them."""

import json
import os
import re
from collections.abc import Sequence

NAME_OF_KEY = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD)$", re.IGNORECASE)
SHORTEST = 8  # a shorter value would be found in ordinary words
HIDDEN = "[key]"


def keys() -> list[str]:
    """Return the values of environment variables that are called like keys, as JSON writes them too, the longest first."""
    values = {value for name, value in os.environ.items() if NAME_OF_KEY.search(name) and len(value) >= SHORTEST}
    return sorted(values | {json.dumps(value)[1:-1] for value in values}, key=len, reverse=True)


def hide_keys(text: str, found: Sequence[str] | None = None) -> str:
    """Return a text in which keys are replaced: those that `keys` found, which takes a while, or finds now."""
    for key in keys() if found is None else found:
        text = text.replace(key, HIDDEN)
    return text
