"""What Inspect finds by the entry point `inspect_ai`: `inspect eval textworlds/play -T id=ID --model MODEL`."""

from textworlds.evaluation.models import Scripted
from textworlds.evaluation.tasks import account, converse, play

__all__ = ["Scripted", "account", "converse", "play"]
