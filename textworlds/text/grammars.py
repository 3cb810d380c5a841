r"""Text to actions and back: the grammars in which an agent answers (grammar 1; docs/messages.md is for agents' authors).

A message is read whole or not at all; nothing is guessed. What we decide where the rules could be taken two ways:

- A blank is a space, tab, form feed or vertical tab; a line ends at LF, CR or CRLF. Case is ASCII everywhere, JSON keys too.
- A name or a mover's phrase ("pick up", "move up") spans exactly one blank; a mover needs the name of a direction after it.
- Quotes (ASCII), backticks and asterisks go from the ends of every word, paired or not: "**Action:** up" leaves "** up".
- The final full stop is the value's last character, outside the brackets; a list mark is followed by a blank.
- line: "final NAMEs" counts too, and emphasis may close before or after the colon ("**Action**: up"). A list ends, as in
  Markdown, at a fence or where a blank line is followed by a line that is neither marked nor indented.
- boxed: a box left open anywhere is malformed; a box in a box is unread. \text{...} must hold the whole value.
- bracket: exactly one pair of brackets in the message, and one action in it.
- json: other keys are text outside the answer; JSON's own escapes are decoded, as they are how JSON writes a string. Every
  string of a list is a value of its own. A fence is a line of three or more backticks, the first may name a language.
- index: the bare digit, blanks around it, nothing else.
"""

import enum
import functools
import json
import re
import string
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, NoReturn

from textworlds.text.words import Vocabulary

GRAMMAR_VERSION = 1
INDEX = "index"
ONE_ACTION = ("bracket", INDEX)  # grammars whose messages ask for one action

BLANKS = " \t\n\r\f\v"
QUOTES = "\"'`*"
DIGITS = string.digits
MAX_QUOTED = 40
MOST_KNOWN = 4096  # short pieces of messages
NEWLINE = re.compile(r"\r\n?|\n")
BLANK = re.compile(r"[ \t\f\v]")
SEPARATOR = re.compile(r"[|,;]|->")
LIST_MARK = re.compile(r"[ \t\f\v]*([0-9]+[.)]|[-*•])(?=[ \t\f\v]|\Z)")
FENCE = re.compile(r"[ \t\f\v]*```+([a-zA-Z0-9_+-]*)[ \t\f\v]*")
BRACE = re.compile(r"\\boxed\{|[{}]", re.IGNORECASE | re.ASCII)
NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]*")
ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


class Outcome(enum.IntEnum):
    """What became of a message; OVER_LIMIT is read, but not all of it is played."""

    READ = 0
    EMPTY = 1
    MALFORMED = 2
    UNKNOWN_WORD = 3
    OVER_LIMIT = 4


class Reading(NamedTuple):
    """A message, read.

    Attributes:
        outcome: what became of the message.
        actions: those to play, at most max_actions; () exactly when the message is unread.
        over: actions asked beyond the limit.
        why: "" when all is played, else a sentence for the agent.
    """

    outcome: Outcome
    actions: tuple[int, ...]
    over: int
    why: str


class _Unread(Exception):
    def __init__(self, outcome: Outcome, why: str):
        super().__init__(why)
        self.reading = Reading(outcome, (), 0, why)


class _Table(NamedTuple):
    phrases: dict[tuple[str, ...], int]
    longest: int
    letters: dict[str, int]
    arrows: dict[str, int]
    listed: str
    known: dict[str, list[int]]  # what pieces of messages asked for


class _Kind(NamedTuple):
    find: Callable[[str, str], list[str]]
    opening: str
    closing: str
    rule: str  # what to tell an agent beside an example
    separator: str = ", "


def read(message: str, grammar: str, vocabulary: Vocabulary, max_actions: int | None = None) -> Reading:
    """Read the actions that a message asks for.

    Args:
        message: what the agent sent; any text at all, read in time linear in its length.
        grammar: "tag:NAME", "line:NAME", "boxed", "bracket", "json", "index" or "plain".
        vocabulary: how the puzzle's actions are spelled.
        max_actions: at least 1; so many are kept and the rest counted. None: no limit.

    Raises:
        TypeError: the message is no str.
        ValueError: the grammar is unknown or does not fit the vocabulary, or max_actions is below 1.
    """
    if not isinstance(message, str):
        raise TypeError(f"a message is a str, not {type(message).__name__}")
    if max_actions is not None and max_actions < 1:
        raise ValueError(f"max_actions is {max_actions}; it must be at least 1, or None for no limit")
    kind, name, vocabulary = _look_up(grammar, vocabulary)
    try:
        actions = _actions(kind.find(_without_thoughts(message), name), _table(vocabulary))
        _check_count(len(actions), grammar, kind)
    except _Unread as unread:
        return unread.reading
    if max_actions is None or len(actions) <= max_actions:
        return Reading(Outcome.READ, tuple(actions), 0, "")
    kept = "first is" if max_actions == 1 else f"first {max_actions} are"
    why = f"{len(actions)} actions asked, only the {kept} played"
    return Reading(Outcome.OVER_LIMIT, tuple(actions[:max_actions]), len(actions) - max_actions, why)


def write(actions: Sequence[int], grammar: str, vocabulary: Vocabulary) -> str:
    """Write a message that reads back as these actions.

    Raises:
        ValueError: no actions, an unknown one, more than one where the grammar takes one, or an unfit grammar.
    """
    kind, _, vocabulary = _look_up(grammar, vocabulary)
    if not len(actions):
        raise ValueError("no actions to write; a message holds at least one")
    if len(actions) > 1 and not kind.separator:
        raise ValueError(f"{len(actions)} actions to write; grammar {grammar!r} takes one")
    for action in actions:
        if action not in range(len(vocabulary.names)):
            raise ValueError(f"unknown action {action!r}; known: 0 to {len(vocabulary.names) - 1}")
    words = (vocabulary.names[action][0] for action in actions)
    return kind.opening + kind.separator.join(words) + kind.closing


def check_grammar(grammar: str, vocabulary: Vocabulary) -> None:
    """Raise a ValueError unless there is such a grammar and it fits the vocabulary."""
    _look_up(grammar, vocabulary)


def rule_of(grammar: str, vocabulary: Vocabulary) -> str:
    """Return what to tell an agent of a grammar beside an example."""
    return _look_up(grammar, vocabulary)[0].rule


def regular_expression(grammar: str, vocabulary: Vocabulary) -> str:
    """Return an expression for constrained decoding: it fully matches exactly what `write` makes.

    That is a part of what `read` takes: the first spelling of each action, one way to separate them, no other text.
    """
    kind, _, vocabulary = _look_up(grammar, vocabulary)
    action = f"({'|'.join(_escape(names[0]) for names in vocabulary.names)})"
    more = f"({_escape(kind.separator)}{action})*" if kind.separator else ""
    return _escape(kind.opening) + action + more + _escape(kind.closing)


def gbnf(grammar: str, vocabulary: Vocabulary) -> str:
    """Return the language of `regular_expression` in GBNF, the notation of llama.cpp."""
    kind, _, vocabulary = _look_up(grammar, vocabulary)
    literal = functools.partial(json.dumps, ensure_ascii=False)
    root = [literal(kind.opening)] if kind.opening else []
    root += ["action", f"({literal(kind.separator)} action)*"] if kind.separator else ["action"]
    root += [literal(kind.closing)] if kind.closing else []
    return f"root ::= {' '.join(root)}\naction ::= {' | '.join(literal(names[0]) for names in vocabulary.names)}\n"


def _escape(text: str) -> str:
    # re.escape also escapes blanks and commas, which other engines refuse.
    return re.sub(r"[\\.^$*+?{}\[\]|()]", r"\\\g<0>", text)


@functools.lru_cache
def _look_up(grammar: str, vocabulary: Vocabulary) -> tuple[_Kind, str, Vocabulary]:
    """Return the kind of grammar, its NAME or "", and the words it is read with."""
    start, colon, name = grammar.partition(":")
    kind = f"{start}:NAME" if colon else start
    if kind not in KINDS:
        raise ValueError(f"unknown grammar {grammar!r}; known: {', '.join(KINDS)}")
    if colon and not NAME.fullmatch(name):
        raise ValueError(f"grammar {grammar!r}: a NAME is an ASCII letter, then letters, digits, '_' and '-'")
    if start == "tag" and _fold(name) == "think":
        raise ValueError(f"grammar {grammar!r}: what is in <think> is dropped unread; choose another NAME")
    if kind == "index":
        vocabulary = _digits(len(vocabulary.names))
    opening, closing = (text.replace("NAME", name) for text in (KINDS[kind].opening, KINDS[kind].closing))
    return KINDS[kind]._replace(opening=opening, closing=closing), name, vocabulary


def _digits(num_actions: int) -> Vocabulary:
    if num_actions > len(DIGITS):
        raise ValueError(f"grammar 'index' takes at most {len(DIGITS)} actions, not {num_actions}")
    return Vocabulary(names=tuple((digit,) for digit in DIGITS[:num_actions]), movers=(), num_directions=0)


@functools.lru_cache
def _table(vocabulary: Vocabulary) -> _Table:
    names = {tuple(name.split(" ")): action for action, names in enumerate(vocabulary.names) for name in names}
    directions = {phrase: action for phrase, action in names.items() if action < vocabulary.num_directions}
    moved = {(mover, *phrase): action for mover in vocabulary.movers for phrase, action in directions.items()}
    phrases = moved | names
    return _Table(
        phrases=phrases,
        longest=max(map(len, phrases)),
        letters={letter: action for action, letter in enumerate(vocabulary.letters)},
        arrows={arrow: action for action, arrows in enumerate(vocabulary.arrows) for arrow in arrows},
        listed=", ".join(names[0] for names in vocabulary.names),
        known={},
    )


def _fold(text: str) -> str:
    return text.lower() if text.isascii() else text.translate(ASCII_LOWER)


def _quote(text: str) -> str:
    """Quote the start of a text; all but letters, digits, punctuation, symbols and spaces is escaped."""
    shown = (
        char if char == " " or unicodedata.category(char)[0] in "LNPS" else char.encode("unicode_escape").decode()
        for char in text[:MAX_QUOTED]
    )
    return f"'{''.join(shown)}{'...' if len(text) > MAX_QUOTED else ''}'"


def _malformed(why: str) -> _Unread:
    return _Unread(Outcome.MALFORMED, why)


def _check_count(num_actions: int, grammar: str, kind: _Kind) -> None:
    if not num_actions:
        raise _Unread(Outcome.EMPTY, "the answer holds no action")
    if num_actions > 1 and not kind.separator:
        raise _malformed(f"{num_actions} actions in the answer; grammar {grammar!r} takes one")


def after_thoughts(message: str) -> str:
    """Return what follows the last </think>, which reads as the whole message does."""
    end = _fold(message).rfind("</think>")
    return message[end + len("</think>") :] if end >= 0 else message


def thinks_on(answer: str) -> bool:
    """Return whether what follows the last </think> begins another thought, as an answer that was cut short does."""
    return "<think>" in _fold(answer)


def _without_thoughts(message: str) -> str:
    answer = after_thoughts(message)
    if thinks_on(answer):
        raise _malformed("<think> is not closed by </think>")
    if not answer.strip(BLANKS):
        raise _Unread(Outcome.EMPTY, "the message is empty")
    return answer


def _find_tag(message: str, name: str) -> list[str]:
    opening, closing, folded = f"<{_fold(name)}>", f"</{_fold(name)}>", _fold(message)
    opened, closed = folded.count(opening), folded.count(closing)
    if not opened and not closed:
        raise _malformed(f"no <{name}>...</{name}> in the message")
    if opened != 1 or closed != 1:
        raise _malformed(f"{opened} <{name}> and {closed} </{name}> in the message; exactly one of each is read")
    start, end = folded.find(opening) + len(opening), folded.find(closing)
    if end < start:
        raise _malformed(f"</{name}> stands before <{name}>")
    return [message[start:end]]


def _find_line(message: str, name: str) -> list[str]:
    heading = rf"[ \t\f\v*#>_`-]*(final[ \t\f\v]+)?{re.escape(name)}s?[ \t\f\v*_`]*:[*_`]*"
    starts_answer = re.compile(heading, re.IGNORECASE | re.ASCII).match
    lines = NEWLINE.split(message)
    for number in reversed(range(len(lines))):
        if start := starts_answer(lines[number]):
            return [_line_value([lines[number][start.end() :], *lines[number + 1 :]])]
    raise _malformed(f"no line starts with '{name}:'")


def _line_value(lines: list[str]) -> str:
    """Return the value that starts in the first line, or below if that line is empty."""
    filled = (number for number, line in enumerate(lines) if line.strip(BLANKS) and not FENCE.fullmatch(line))
    lines = lines[next(filled, len(lines)) :]
    if not lines:
        return ""
    if lines[0].lstrip(BLANKS).startswith("["):
        return _bracketed(lines)
    return _listed(lines) if LIST_MARK.match(lines[0]) else lines[0]


def _bracketed(lines: list[str]) -> str:
    for number, line in enumerate(lines):
        if "]" in line:
            return "\n".join(lines[: number + 1])
    raise _malformed("'[' is not closed by ']'")


def _listed(lines: list[str]) -> str:
    taken: list[str] = []
    for line in lines:
        after_gap = bool(taken) and not taken[-1].strip(BLANKS)
        goes_on = not line or line[0] in BLANKS or LIST_MARK.match(line)
        if FENCE.fullmatch(line) or (after_gap and not goes_on):
            break
        taken.append(line)
    return "\n".join(taken)


def _find_boxed(message: str, name: str) -> list[str]:
    depth, start, value = 0, 0, None
    for brace in BRACE.finditer(message):
        if depth:
            depth += -1 if brace.group() == "}" else 1
            if not depth:
                value = message[start : brace.start()].strip(BLANKS)
        elif len(brace.group()) > 1:
            depth, start = 1, brace.end()
    if depth:
        raise _malformed("\\boxed{ is not closed by }")
    if value is None:
        raise _malformed("no \\boxed{...} in the message")
    is_text = _fold(value[:6]) == "\\text{" and value[-1] == "}"
    return [value[6:-1] if is_text else value]


def _find_bracket(message: str, name: str) -> list[str]:
    start, end = message.find("["), message.find("]")
    if message.count("[") != 1 or message.count("]") != 1 or end < start:
        raise _malformed("exactly one [action] is read; the message has none, several or an odd bracket")
    return [message[start + 1 : end]]


def _find_json(message: str, name: str) -> list[str]:
    try:
        answer = json.loads(
            _fenced(message), object_pairs_hook=_object, parse_int=float, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError) as error:
        raise _malformed(f"the answer is not valid JSON: {error}") from None
    if isinstance(answer, dict):
        if ("actions" in answer) == ("action" in answer):
            raise _malformed('the JSON object needs either the key "actions" or the key "action"')
        answer = answer["actions" if "actions" in answer else "action"]
        answer = [answer] if isinstance(answer, str) else answer
    if not isinstance(answer, list) or not all(isinstance(value, str) for value in answer):
        raise _malformed("the actions in the JSON are no string and no list of strings")
    return answer


def _fenced(message: str) -> str:
    """Return what is in the only fenced block, or the whole message if there is no fence.

    Valid JSON has no line that is a fence, so there is never a choice.
    """
    lines = NEWLINE.split(message)
    fences = {number: match[1] for number, line in enumerate(lines) if (match := FENCE.fullmatch(line))}
    if not fences:
        return message
    first, *others = fences
    if len(others) != 1 or fences[others[0]]:
        raise _malformed("the message has fences (```), but not exactly one fenced block")
    return "\n".join(lines[first + 1 : others[0]])


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    keys = {_fold(key): value for key, value in pairs}
    if len(keys) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return keys


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _find_index(message: str, name: str) -> list[str]:
    word = message.strip(BLANKS)
    if len(word) != 1 or word not in DIGITS:
        raise _Unread(Outcome.UNKNOWN_WORD, f"{_quote(word)} is not one digit")
    return [word]


def _find_plain(message: str, name: str) -> list[str]:
    return [message]


def _actions(values: list[str], table: _Table) -> list[int]:
    """Return the actions that the values ask for; an arrow anywhere means arrows everywhere."""
    has_arrows = any(arrow in value for value in values for arrow in table.arrows)
    take = _arrow_actions if has_arrows else _known_actions
    return [action for value in values for piece in _pieces(value) for action in take(piece, table)]


def _pieces(value: str) -> Iterator[str]:
    """Yield what stands between separators."""
    text = value.strip(BLANKS).removesuffix(".").rstrip(BLANKS)
    if text[:1] + text[-1:] in ("[]", "()"):
        text = text[1:-1]
    for line in NEWLINE.split(text):
        mark = LIST_MARK.match(line)
        yield from SEPARATOR.split(line[mark.end() :] if mark else line)


def _words(piece: str) -> list[str]:
    """Return the words of a piece, which are parted by exactly one blank."""
    return [_fold(word.strip(QUOTES)) for word in BLANK.split(piece)]


def _known_actions(piece: str, table: _Table) -> Sequence[int]:
    """Return what _word_actions does, and keep it for short pieces, as there are few."""
    actions = table.known.get(piece)
    if actions is None:
        actions = _word_actions(_words(piece), table)
        if len(piece) <= MAX_QUOTED and len(table.known) < MOST_KNOWN:
            table.known[piece] = actions
    return actions


def _arrow_actions(piece: str, table: _Table) -> list[int]:
    words = _words(piece)
    for word in words:
        if not table.arrows.keys() >= set(word):
            raise _Unread(Outcome.UNKNOWN_WORD, f"{_quote(word)} stands beside arrows; nothing but arrows may")
    return [table.arrows[arrow] for word in words for arrow in word]


def _word_actions(words: list[str], table: _Table) -> list[int]:
    actions: list[int] = []
    start = 0
    while start < len(words):
        found, length = _first_actions(words, start, table) if words[start] else ((), 1)
        actions += found
        start += length
    return actions


def _first_actions(words: list[str], start: int, table: _Table) -> tuple[Sequence[int], int]:
    """Return the actions of the longest phrase at start, and its number of words."""
    for length in range(min(table.longest, len(words) - start), 0, -1):
        action = table.phrases.get(tuple(words[start : start + length]))
        if action is not None:
            return (action,), length
    word = words[start]
    if table.letters.keys() >= set(word):
        return [table.letters[letter] for letter in word], 1
    raise _Unread(Outcome.UNKNOWN_WORD, f"{_quote(word)} is not an action; the actions are {table.listed}")


ONCE = "Give one such answer in a message; you may think before it."
LAST = "The last such answer in a message counts; you may think before it."
ALONE = "Such an answer holds nothing else; you may think before it in <think>...</think>."

KINDS = {
    "tag:NAME": _Kind(_find_tag, "<NAME>", "</NAME>", ONCE),
    "line:NAME": _Kind(_find_line, "NAME: ", "", LAST),
    "boxed": _Kind(_find_boxed, "\\boxed{", "}", LAST),
    "bracket": _Kind(_find_bracket, "[", "]", ONCE, separator=""),
    "json": _Kind(_find_json, '{"actions": ["', '"]}', ALONE, separator='", "'),
    "index": _Kind(_find_index, "", "", ALONE, separator=""),
    "plain": _Kind(_find_plain, "", "", ALONE),
}
