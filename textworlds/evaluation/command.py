"""The commands `textworlds evaluate` and `textworlds leaderboard`; Inspect is imported when it is needed."""

import argparse
import importlib
import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from textworlds.chat.conversation import counted
from textworlds.chat.prompts import PROTOCOLS
from textworlds.episodes import DEFAULT_GRAMMAR
from textworlds.evaluation.leaderboard import write_leaderboard
from textworlds.evaluation.results import read_result, table
from textworlds.evaluation.scripted import BASELINES, PREFIX, find_player
from textworlds.evaluation.secrets import NAME_OF_KEY, hide_keys
from textworlds.evaluation.setup import Setup
from textworlds.levels.content import SPLITS
from textworlds.text.formats import FORMATS

NEEDED = "textworlds[inspect]"
UNFINISHED = 1  # the exit code if some episodes could not be played to their end


def add_parsers(commands: Any) -> None:
    """Add the commands to an argparse parser's."""
    add_evaluate(commands)
    leaderboard = commands.add_parser(
        "leaderboard",
        help="make a page of results",
        description="Make one HTML page of results of `textworlds evaluate`, sortable, that needs nothing else to be read.",
    )
    leaderboard.add_argument("results", nargs="+", metavar="RESULT", help="result files, or folders that hold some")
    leaderboard.add_argument("--out", required=True, metavar="FILE", help="the page to write, ending in .html")
    leaderboard.set_defaults(run=run_leaderboard)


def add_evaluate(commands: Any) -> None:
    """Add the command `evaluate`."""
    parser = commands.add_parser(
        "evaluate",
        help="have a language model play test levels",
        description="Have a model play the levels of an id, beside the solver and a random player, by Inspect AI. Ends in a "
        "table with 95 % intervals; the result, all transcripts and Inspect's logs are in a folder under --out. The "
        f"same command goes on with what was not finished. Models without a network: {', '.join(BASELINES)}.",
    )
    parser.add_argument(
        "--model", required=True, help="as Inspect names it: openai/NAME, openai-api/PROVIDER/NAME, ..."
    )
    parser.add_argument("--id", required=True, help="what to play; `textworlds ids` lists all")
    parser.add_argument("--levels", metavar="SET", help="a level set, its name or file (default: the id's test set)")
    parser.add_argument("--split", default="test", choices=SPLITS, help="generated levels of another split")
    parser.add_argument("--limit", type=whole, metavar="N", help="only the first N levels")
    parser.add_argument("--protocol", default=PROTOCOLS[0], choices=PROTOCOLS)
    parser.add_argument("--grammar", default=DEFAULT_GRAMMAR, help=f"of answers (default: {DEFAULT_GRAMMAR})")
    parser.add_argument("--observation", default="dense", choices=FORMATS, help="text format (default: dense)")
    parser.add_argument("--history", default="all", metavar="K", help="turns shown again (default: all)")
    parser.add_argument("--shots", type=int, default=0, metavar="N", help="levels solved in advance (default: 0)")
    parser.add_argument("--prompts", metavar="FOLDER", help="templates that replace ours")
    parser.add_argument(
        "--set", action="append", default=[], type=setting, metavar="NAME=VALUE", help="replace a setting: view=5"
    )
    parser.add_argument("--out", default="evaluations", metavar="FOLDER", help="(default: evaluations)")
    add_options(parser)
    parser.set_defaults(run=run_evaluate)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what is handed on to Inspect."""
    parser.add_argument("--base-url", metavar="URL", help="of the model's endpoint")
    parser.add_argument(
        "--model-arg", action="append", default=[], type=setting, metavar="NAME=VALUE", help="of Inspect's model"
    )
    parser.add_argument("--connections", type=whole, default=8, metavar="N", help="episodes at a time (default: 8)")
    parser.add_argument("--timeout", type=whole, metavar="S", help="seconds for a reply, all its retries included")
    parser.add_argument("--attempt-timeout", type=whole, metavar="S", help="seconds for each try")
    parser.add_argument(
        "--retries",
        type=whole,
        default=5,
        metavar="N",
        help="tries again, of a request and of failed episodes (default: 5)",
    )
    parser.add_argument("--retry-wait", type=whole, default=10, metavar="S", help="seconds before them (default: 10)")
    parser.add_argument("--max-tokens", type=whole, metavar="N", help="of a reply")
    parser.add_argument("--temperature", type=float, metavar="T", help="of sampling")
    parser.add_argument("--seed", type=int, metavar="N", help="of sampling, where the model takes one")


def run_evaluate(arguments: argparse.Namespace) -> int:
    """Evaluate as the command line asks; print the table."""
    setup = Setup(
        arguments.id,
        arguments.levels,
        arguments.split,
        arguments.protocol,
        arguments.grammar,
        arguments.observation,
        arguments.history,
        arguments.shots,
        arguments.prompts and os.path.abspath(arguments.prompts),
        dict(arguments.set),
    )
    setup.conversation()  # for its complaints
    setup.find_levels(arguments.limit)
    check_model(arguments.model, arguments.base_url, dict(arguments.model_arg))
    running = needed()
    record, missing, error = running.evaluate(
        setup, arguments.model, Path(arguments.out), arguments.limit, **options_of(arguments)
    )
    print(f"{table(record)}\nresult: {record['folder']}/{running.RESULT}")
    if missing:
        why = f" (one ended in {error})" if error else ""
        said = f"{counted(missing, 'episode')} not finished{why}"
        print(f"{said}; the same command goes on", file=sys.stderr)
    return UNFINISHED if missing else 0


def options_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what Inspect is given."""
    options = {
        "model_base_url": arguments.base_url,
        "model_args": dict(arguments.model_arg) or None,
        "max_samples": arguments.connections,
        "max_connections": arguments.connections,
        "timeout": arguments.timeout,
        "attempt_timeout": arguments.attempt_timeout,
        "max_retries": arguments.retries,
        "retry_attempts": arguments.retries,
        "retry_wait": arguments.retry_wait,
        "max_tokens": arguments.max_tokens,
        "temperature": arguments.temperature,
        "seed": arguments.seed,
        "display": "plain" if sys.stderr.isatty() else "none",
    }
    return {name: value for name, value in options.items() if value is not None}


def check_model(model: str, base_url: str | None, model_args: Mapping[str, Any]) -> None:
    """Raise ValueError for a model that cannot be, and for keys in URLs and arguments, which would end up in logs."""
    if "/" not in model:
        raise ValueError(f"--model is a provider and a name, like openai/NAME or {BASELINES[0]}; got {model!r}")
    if model.startswith(PREFIX):
        find_player(model.removeprefix(PREFIX))
    if wrong := [name for name in model_args if NAME_OF_KEY.search(name)]:
        raise ValueError(f"--model-arg {wrong[0]} is logged; give keys in environment variables")
    urls = {name: value for name, value in os.environ.items() if name.endswith("_BASE_URL")}
    if base_url and urlsplit(base_url).scheme not in ("http", "https"):
        raise ValueError(f"--base-url is a URL like http://127.0.0.1:8000/v1; got {base_url!r}")
    for name, value in {"--base-url": base_url or "", **urls}.items():
        url = urlsplit(value)
        if url.username or url.password or url.query or hide_keys(value) != value:
            raise ValueError(f"{name} holds no key or password, as it is logged; give them in environment variables")


def needed() -> Any:
    """Import what runs evaluations; ValueError with what to install, where it is missing."""
    try:
        return importlib.import_module("textworlds.evaluation.running")
    except ImportError as error:
        raise ValueError(f"evaluation needs Inspect AI: pip install '{NEEDED}' ({error})") from None


def run_leaderboard(arguments: argparse.Namespace) -> None:
    """Make the page."""
    if not arguments.out.endswith(".html"):
        raise ValueError(f"{arguments.out}: the name of a page ends in .html")
    paths = [path for given in arguments.results for path in files_in(Path(given))]
    write_leaderboard([read_result(path) for path in paths], arguments.out)
    print(f"{arguments.out}: {counted(len(paths), 'result')}")


def files_in(path: Path) -> list[Path]:
    """Return the result files that a path stands for."""
    found = sorted(path.rglob("result.json")) if path.is_dir() else [path]
    if not found:
        raise ValueError(f"{path}: holds no result.json")
    return found


def setting(text: str) -> tuple[str, Any]:
    """Read a setting's name and its value: a number, true, false, or a word."""
    name, _, value = text.partition("=")
    if not name.isidentifier() or not value:
        raise argparse.ArgumentTypeError(f"must be NAME=VALUE; got {text}")
    return name, json.loads(value) if re.fullmatch(r"-?[0-9]+|true|false", value) else value


def whole(text: str) -> int:
    """Read a whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1; got {text}")
    return int(text)
