"""The only tag of its name in a message: what stands in it, and the message without it."""

import re
from functools import cache

from textworlds.text.grammars import after_thoughts, thinks_on


def take_tag(message: str, name: str) -> tuple[str | None, str]:
    """Return what stands in the only <name>...</name> of a message, after its thoughts, and what is left to read for actions.

    As in grammars, a tag has no attributes and any ASCII case. With none, several or an odd one it is None; what stands in
    them is left out all the same, to the end of the message if one is not closed, and a blank takes its place, so that nothing
    is put together. A message whose thought is not closed stays as it is.
    """
    answer = after_thoughts(message)
    if thinks_on(answer):
        return None, message
    marks, tags = _patterns(name)
    found = [mark.lower() for mark in marks.findall(answer)]
    if not found:
        return None, message
    only = tags.search(answer) if found == [f"<{name}>", f"</{name}>"] else None
    return only and only[1], tags.sub(" ", answer)


@cache
def _patterns(name: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return what finds a tag's marks, and what finds whole tags, an unclosed one to the end of the text."""
    flags = re.IGNORECASE | re.ASCII | re.DOTALL
    return re.compile(rf"</?{name}>", flags), re.compile(rf"<{name}>(.*?)(?:</{name}>|\Z)", flags)
