"""Transcripts: what was said in an episode, as a line of JSON that any tool can read and that plays again to the same states."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from textworlds.chat.conversation import Conversation, Reply
from textworlds.levels.columns import replacing
from textworlds.puzzles import find_puzzle
from textworlds.text import formats
from textworlds.text.grammars import GRAMMAR_VERSION
from textworlds.version import __version__

FORMAT, VERSION = "textworlds transcript", 1
NOT_SETTINGS = ("levels", "num_levels", "split", "threads")  # of no matter, once the level is there
TOTALS = ("num_turns", "num_asked", "num_changed", "num_novel", "goals_left", "solved", "deadlocked", "outcome_reward")


def transcript(conversation: Conversation) -> dict[str, Any]:
    """Return the record of a conversation's episode so far, for JSON; docs/chat.md says what is in it.

    Raises:
        RuntimeError: before the first reset.
    """
    start = conversation.episodes.worlds.start
    if start is None or not conversation.all_messages:
        raise RuntimeError("nothing was said yet; call reset() first")
    words = conversation.puzzle.words
    settings = {name: plain(value) for name, value in conversation.settings.items() if name not in NOT_SETTINGS}
    turn_limit, max_actions = conversation.limits
    totals = conversation.episode.totals()
    return {
        "format": FORMAT,
        "version": VERSION,
        "textworlds": __version__,
        "id": conversation.id,
        "puzzle": conversation.puzzle.name,
        "protocol": conversation.protocol,
        "history": conversation.history,
        "shots": conversation.shots,
        "settings": {**settings, "turn_limit": turn_limit, "max_actions": max_actions},
        "prompts": conversation.prompts.version,
        "grammar": {"name": conversation.grammar, "version": GRAMMAR_VERSION},
        "seed": plain(conversation.seed),
        "index": plain(conversation.index),
        "level": formats.write(start.picture, "dense", words),
        "start": conversation.start,
        "messages": conversation.all_messages,
        "turns": [_turn(reply, state) for reply, state in zip(conversation.replies, conversation.states, strict=True)],
        "done": conversation.done,
        "reward": conversation.total_reward,
        "totals": {name: totals[name] for name in TOTALS if name in totals},
        "usage": conversation.usage._asdict(),
    }


def plain(value: Any) -> Any:
    """Return a number of NumPy as one of Python, and anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value


def _turn(reply: Reply, state: str) -> dict[str, Any]:
    ledger = {name: value for name, value in reply.ledger.items() if isinstance(value, list)}
    own = {"outcome": reply.ledger["outcome"].name, "why": reply.ledger["why"]} | ledger
    prediction = None if reply.prediction is None else reply.prediction._asdict()
    return {"state": state, "reward": reply.reward, "text": reply.text} | own | {"prediction": prediction}


def replay(record: Mapping[str, Any], prompts: str | os.PathLike[str] | None = None) -> Conversation:
    """Play a transcript again, and return the conversation at its end.

    All that the record says is compared with what comes, but the version of textworlds, and the seed and index, as the level is
    there itself. What was said is compared under prompts of the same version.

    Args:
        record: what `transcript` returned, or json.loads of a line that write_transcripts wrote.
        prompts: the folder of templates that it was made with, if there was one.

    Raises:
        ValueError: if the record is none, or does not play to the same states here; the text says where.
    """
    try:
        check_kind(record)
        conversation = _conversation_of(record, prompts)
        texts = [message["content"] for message in record["messages"] if message["role"] == "assistant"]
        turns = list(record["turns"])
        if conversation.start != record["start"]:
            raise ValueError(f"the episode began in state {record['start']}, and begins in {conversation.start} here")
        same_prompts = conversation.prompts.version == record["prompts"]
        for number, turn in enumerate(turns, 1):
            _play_again(conversation, number, texts[number - 1 - len(turns)], turn, same_prompts)
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"the transcript is damaged: {type(error).__name__}: {error}") from None
    _compare(record, conversation, same_prompts)
    return conversation


def check_kind(record: Any) -> None:
    """Raise ValueError unless a record is a transcript that this version can play."""
    said = f"{record.get('format')!r:.40}, version {record.get('version')!r:.20}"
    if (record.get("format"), record.get("version")) != (FORMAT, VERSION):
        raise ValueError(f"this is no transcript that can be played: it is {said}, not {FORMAT!r}, version {VERSION}")
    if (version := record["grammar"]["version"]) != GRAMMAR_VERSION:
        raise ValueError(f"its messages were read by grammar {version!r:.20}; this program reads {GRAMMAR_VERSION}")


def _conversation_of(record: Mapping[str, Any], prompts: str | os.PathLike[str] | None) -> Conversation:
    """Return a conversation with a record's settings, at the beginning of its episode."""
    settings = {name: value for name, value in record["settings"].items() if name not in NOT_SETTINGS}
    puzzle = record["id"] or find_puzzle(record["puzzle"])
    own = (record["protocol"], record["history"], record["shots"], prompts)
    conversation = Conversation(puzzle, *own, **settings)
    conversation.reset(level=record["level"])
    return conversation


def _play_again(
    conversation: Conversation, number: int, text: str, turn: Mapping[str, Any], same_prompts: bool
) -> None:
    """Play one turn again; ValueError unless it leads where it led."""
    if conversation.done:
        raise ValueError(f"turn {number}: the episode is over already")
    reply = conversation.reply(text)
    made = _turn(reply, conversation.state)
    for name in ("outcome", "changed", *made):  # the plainest difference first
        if made[name] != turn[name] and (same_prompts or name != "text"):
            raise ValueError(f"turn {number}: {name} was {turn[name]!r:.80}, and is {made[name]!r:.80} here")


def _compare(record: Mapping[str, Any], conversation: Conversation, same_prompts: bool) -> None:
    """Raise ValueError unless what a record says of the whole episode is so."""
    made = transcript(conversation)
    for name in ("done", "reward", "totals", *(("usage", "messages") if same_prompts else ())):
        if name == "usage" and made[name]["unit"] != record.get(name, {}).get("unit"):
            continue  # what counted the tokens is not in the record
        if made[name] != record.get(name):
            raise ValueError(f"{name} was {record.get(name)!r:.80}, and is {made[name]!r:.80} here")


def write_transcripts(records: Iterable[Mapping[str, Any]], path: str | os.PathLike[str]) -> None:
    """Write records to a file, a line of ASCII each; whole or not at all."""
    with replacing(path) as file:
        file.writelines(f"{json.dumps(record)}\n".encode("ascii") for record in records)


def read_transcripts(path: str | os.PathLike[str]) -> Iterator[dict[str, Any]]:
    """Yield the records of a file.

    Raises:
        ValueError: at a line that is no JSON object; the text names the file and the line.
    """
    with open(path, encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                record = None
            if not isinstance(record, dict):
                raise ValueError(f"{os.fsdecode(path)}, line {number}: is no JSON object")
            yield record
