"""Evaluations run by Inspect's eval_set: it retries, keeps the logs, and goes on where it was stopped."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from inspect_ai import eval_set
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.log import EvalLog, read_eval_log

from textworlds.chat import write_transcripts
from textworlds.evaluation.registry import play
from textworlds.evaluation.results import result, write_result
from textworlds.evaluation.scripted import BASELINES, PREFIX, play_all
from textworlds.evaluation.secrets import hide_keys
from textworlds.evaluation.setup import NUM_GENERATED, Setup
from textworlds.evaluation.tasks import SCORES, TRANSCRIPT, account

LOGS, RESULT, TRANSCRIPTS = "logs", "result.json", "transcripts.jsonl"
# Options that decide what a model says.
SAMPLING = ("temperature", "max_tokens", "seed", "model_args")
NOTHING = {"input_tokens": 0, "output_tokens": 0}
LONGEST = 200  # characters of an error that are shown


def evaluate(
    setup: Setup, model: str, folder: Path, count: int | None, **options: Any
) -> tuple[dict[str, Any], int, str]:
    """Have a model play, and the baselines without the harness.

    Returns the result, how many episodes are not finished, and an error of one.

    Args:
        setup: what is played.
        model: as Inspect names it: "openai/NAME", "openai-api/PROVIDER/NAME", "hf/NAME", "scripted/solver".
        folder: for logs, transcripts and result.json; the same one again goes on with what is not finished.
        count: only the first so many levels.
        **options: for eval_set.
    """
    levels = setup.find_levels(count)
    arguments = {**setup.__dict__, "settings": dict(setup.settings)}
    if setup.is_generated:
        arguments["count"] = max(count or 0, NUM_GENERATED)  # Inspect plays a task with other arguments anew
    sampling = {name: options[name] for name in SAMPLING if name in options}
    others = {"count": arguments.get("count"), "model_base_url": options.get("model_base_url"), **sampling}
    place = folder / name_of(setup, model, others)
    log = run(arguments, model, place / LOGS, {**options, "limit": count})
    played, transcripts, usage, error = episodes_of(log, len(levels))
    rows = [{"model": model, "sampling": sampling, "usage": usage, "episodes": played}]
    said = [{**one, "model": model} for one in transcripts]
    for name in BASELINES:
        if name != model:
            episodes, transcripts = play_all(name.removeprefix(PREFIX), setup.conversation(), levels)
            rows.append({"model": name, "sampling": {}, "usage": NOTHING, "episodes": episodes})
            said += [{**one, "model": name} for one in transcripts]
    record = result(setup.said(levels), rows)
    write_result(record, place / RESULT)
    write_transcripts(said, place / TRANSCRIPTS)
    return {**record, "folder": str(place)}, len(levels) - len(played), error


def name_of(setup: Setup, model: str, others: Mapping[str, Any]) -> str:
    """Return the name of the folder of an evaluation: another one for all that is asked otherwise, or of other files."""
    asked = json.dumps([setup.edition(), model, others], sort_keys=True)
    digest = hashlib.sha256(asked.encode()).hexdigest()[:8]
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", f"{setup.name}-{setup.protocol}-{model}")[:120] + f"-{digest}"


def run(arguments: Mapping[str, Any], model: str, logs: Path, options: Mapping[str, Any]) -> EvalLog:
    """Run the task; return its newest log."""
    logs.mkdir(parents=True, exist_ok=True)
    try:
        _, headers = eval_set(
            tasks=[play(**arguments)],
            log_dir=str(logs),
            model=model,
            log_dir_allow_dirty=True,
            continue_on_fail=True,
            log_format="eval",
            log_buffer=1,  # each episode is written when it is finished, so that none is lost if we are killed
            score_display=False,
            **options,
        )
    except PrerequisiteError as error:
        raise ValueError(hide_keys(plain(str(error.message)))) from None
    return read_eval_log(str(headers[0].location))


def plain(text: str) -> str:
    """Return a message of Inspect in one line, without its colours."""
    return " ".join(re.sub(r"\[/?[a-z]+\]", "", text).removeprefix("ERROR: ").split())


class Played(NamedTuple):
    """The finished episodes of a log, by level.

    Attributes:
        episodes: each level's place and its measures.
        transcripts: as records, with the level's place.
        usage: tokens.
        error: what another episode ended in; "" if none did.
    """

    episodes: list[dict[str, Any]]
    transcripts: list[dict[str, Any]]
    usage: dict[str, int]
    error: str


def episodes_of(log: EvalLog, num_levels: int) -> Played:
    """Return the finished episodes of a log on the first so many levels."""
    found, error, usage = [], "", dict(NOTHING)
    for sample in log.samples or ():
        level = int(str(sample.id).removeprefix("level-"))
        score = (sample.scores or {}).get(account.__name__)
        if sample.error is not None:
            error = plain(hide_keys(sample.error.message))[-LONGEST:]  # what is said before it is the request
        if sample.error is not None or level >= num_levels or not (score and score.metadata):
            continue
        found.append((level, score.metadata[SCORES], score.metadata[TRANSCRIPT]))
        for used in sample.model_usage.values():
            cached = (used.input_tokens_cache_read or 0) + (used.input_tokens_cache_write or 0)
            usage["input_tokens"] += used.input_tokens + cached
            usage["output_tokens"] += used.output_tokens
    found.sort(key=lambda one: one[0])
    episodes = [{"level": level, **scores} for level, scores, _ in found]
    return Played(episodes, [{**record, "level_number": level} for level, _, record in found], usage, error)
