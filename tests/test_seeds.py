"""The same id and seed give the same levels: golden hashes. `python tests/test_seeds.py` rewrites them.

They change only when levels do, and then an id's version rises.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from textworlds import Episode, all_ids

GOLDEN = Path(__file__).with_name("golden_levels.json")
SEEDS = (0, 1, 7, 2**64 - 1)


def hash_levels(id: str) -> str:
    """Return a hash of the first two levels of each seed."""
    episode, digest = Episode(id), hashlib.sha256()
    for seed in SEEDS:
        for again in (False, True):
            episode.reset(seed=None if again else seed)
            digest.update(episode.picture().tobytes())
    return digest.hexdigest()


@pytest.mark.parametrize("id", all_ids())
def test_levels_are_those_they_always_were(id):
    assert hash_levels(id) == json.loads(GOLDEN.read_text())[id]


@pytest.mark.parametrize("id", [id for id in all_ids() if "easy" in id])
@pytest.mark.parametrize("settings", [{"PYTHONHASHSEED": "1"}, {"NUMBA_DISABLE_JIT": "1"}], ids=str)
def test_levels_are_the_same_in_other_processes_and_uncompiled(id, settings):
    code = f"from test_seeds import *; print(hash_levels({id!r}))"
    environment = {**os.environ, **settings, "PYTHONWARNINGS": "ignore"}
    output = subprocess.check_output([sys.executable, "-c", code], text=True, env=environment, cwd=GOLDEN.parent)
    assert output.strip() == json.loads(GOLDEN.read_text())[id]


def test_neighbouring_seeds_share_no_levels():
    episode = Episode("Maze-hard-v0")
    levels = [episode.reset(seed=seed if again == 0 else None) for seed in range(40) for again in range(5)]
    assert len(set(levels)) == len(levels)


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps({id: hash_levels(id) for id in all_ids()}, indent=1) + "\n")
