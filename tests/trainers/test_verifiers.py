"""verifiers' own command plays our tasks with a scripted server, and records the pay."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("verifiers")

from servers import chat_server

from textworlds import Conversation
from textworlds.integrations.verifiers import Config, TextWorldTaskset

ID = "Sokoban-easy-v0"
ROOT = Path(__file__).parents[2]


def answer(messages):
    """Bump into a wall or walk in the first turn, and solve the level in the next."""
    conversation = Conversation(ID)
    conversation.reset(level=messages[-1]["content"].rpartition("\n\n")[2])
    plan = [0, 0] if len(messages) < 3 else conversation.episode.solve()
    return conversation.answer(plan)


def expected(seed):
    conversation = Conversation(ID)
    conversation.reset(seed)
    conversation.reply(answer(conversation.messages))
    if not conversation.done:
        conversation.reply(answer(conversation.messages))
    return conversation


def test_tasks_are_the_levels_of_seeds_one_after_another():
    tasks = TextWorldTaskset(Config(textworld=ID, first_seed=7, settings={"protocol": "predict"})).load()
    for seed in (7, 8):
        data = next(tasks).data
        system, first = Conversation(ID, "predict").reset(seed)
        assert (data.seed, data.system_prompt, data.prompt) == (seed, system["content"], first["content"])


def test_a_run_of_the_command_pays_what_the_conversation_pays(tmp_path):
    with chat_server(answer) as url:
        command = [Path(sys.executable).parent / "vf-eval", "textworlds-vf", "-n", "2", "-r", "1", "-m", "scripted"]
        command += ["--client.base-url", url, "--client.api-key-var", "NO_KEY", "--no-push"]
        command += ["--env.player.runtime.type", "subprocess"]
        path = os.pathsep.join(map(str, (ROOT, ROOT / "examples")))
        env = {**os.environ, "PYTHONPATH": path, "NO_KEY": "none"}
        subprocess.run(command, env=env, cwd=tmp_path, check=True, capture_output=True, timeout=300)
    (traces,) = tmp_path.rglob("traces.jsonl")
    found = {}
    for line in traces.read_text().splitlines():
        for trace in episode["traces"] if "traces" in (episode := json.loads(line)) else [episode]:
            found[trace["task"]["data"]["seed"]] = trace
    assert sorted(found) == [0, 1]
    for seed, trace in found.items():
        conversation = expected(seed)
        assert trace["rewards"]["pay"]["score"] == pytest.approx(conversation.pay())
        assert trace["metrics"]["solved"] == float(conversation.replies[-1].terminated)
        assert trace["metrics"]["turns"] == conversation.usage.turns
