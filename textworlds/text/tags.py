"""The only tag of its name in a message: what stands in it, and the message without it."""

import re
from functools import cache

from textworlds.text.grammars import after_thoughts, thinks_on


def take_tag(message: str, name: str) -> tuple[str | None, str]:
    """Return what stands in the only <name>...</name> of a message, after its thoughts, and the answer without it.

    As in grammars, a tag has no attributes and any ASCII case. With none, several or an odd one it is None, and the message
    as it is; so it is if a thought is not closed, as in an answer cut short.
    """
    answer = after_thoughts(message)
    marks = [] if thinks_on(answer) else list(_marks(name).finditer(answer))
    if len(marks) != 2 or marks[0][0].startswith("</") or not marks[1][0].startswith("</"):
        return None, message
    return answer[marks[0].end() : marks[1].start()], answer[: marks[0].start()] + answer[marks[1].end() :]


@cache
def _marks(name: str) -> re.Pattern[str]:
    return re.compile(rf"</?{name}>", re.IGNORECASE | re.ASCII)
