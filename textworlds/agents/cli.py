"""The command `textworlds wmact`; PyTorch is imported when it is needed."""

import argparse
from typing import Any

import textworlds


def add_parser(commands: Any) -> None:
    """Add the command `wmact` to an argparse parser's commands."""
    wmact = commands.add_parser("wmact", help="train the reference agent", description="The WMAct reference agent.")
    actions = wmact.add_subparsers(title="commands", metavar="COMMAND", required=True)
    train = actions.add_parser(
        "train",
        help="train from scratch by PPO",
        description="Train a small network by PPO on an environment's text; print its success before and after.",
    )
    train.add_argument("id", metavar="ID", help="what to train on; `textworlds ids` lists all")
    train.add_argument(
        "--set", action="append", default=[], type=setting, metavar="NAME=NUMBER", help="replace a setting: height=7"
    )
    train.add_argument("--minutes", type=positive, metavar="M", help="how long to train (default: 2.5)")
    train.add_argument("--iterations", type=whole, metavar="N", help="train on N batches, however long it takes")
    train.add_argument("--episodes", type=whole, metavar="N", help="episodes a batch (default: 256)")
    train.add_argument("--seed", type=seed, default=0, metavar="N", help="of levels, weights and sampling (default: 0)")
    train.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Train as the command line asks."""
    textworlds.find_id(arguments.id)
    try:
        from textworlds.agents import wmact
    except ImportError as error:
        raise ValueError(f"training needs PyTorch: pip install 'textworlds[wmact]' ({error})") from None
    given = {name: getattr(arguments, name) for name in ("minutes", "iterations", "episodes")}
    given = {name: value for name, value in given.items() if value is not None}
    if "iterations" in given:
        given.setdefault("minutes", None)
    id = arguments.id if arguments.id.startswith("textworlds/") else f"textworlds/{arguments.id}"
    wmact.train(wmact.Settings(id=id, seed=arguments.seed, changes=dict(arguments.set), **given))


def setting(text: str) -> tuple[str, int]:
    """Read a setting's name and its whole number."""
    name, _, number = text.partition("=")
    if not name.isidentifier() or not number.lstrip("-").isdecimal():
        raise argparse.ArgumentTypeError(f"must be NAME=NUMBER; got {text}")
    return name, int(number)


def positive(text: str) -> float:
    """Read a number above 0."""
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"must be above 0; got {text}")
    return number


def seed(text: str) -> int:
    """Read a whole number from 0 to 2**31 - 1."""
    number = int(text)
    if not 0 <= number < 1 << 31:
        raise argparse.ArgumentTypeError(f"must be from 0 to 2**31 - 1; got {text}")
    return number


def whole(text: str) -> int:
    """Read a whole number of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1; got {text}")
    return number
