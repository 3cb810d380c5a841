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


def answerer(**settings):
    """Return what bumps into a wall or walks in the first turn, and solves the level in the next."""
    conversation = Conversation(ID, **settings)
    first = len(conversation.reset(0))

    def answer(messages):
        conversation.reset(level=messages[-1]["content"].rpartition("\n\n")[2])
        plan = [0, 0] if len(messages) == first else conversation.episode.solve()
        return conversation.answer(plan)

    return answer


def expected(seed, **settings):
    conversation, answer = Conversation(ID, **settings), answerer(**settings)
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


def test_the_messages_of_shots_are_in_the_prompt():
    data = next(TextWorldTaskset(Config(textworld=ID, settings={"shots": 1})).load()).data
    said = [{"role": message.role, "content": message.content} for message in data.prompt]
    assert [{"role": "system", "content": data.system_prompt}, *said] == Conversation(ID, shots=1).reset(0)


@pytest.mark.parametrize("settings", [{}, {"shots": 1}])
def test_a_run_of_the_command_pays_what_the_conversation_pays(settings, tmp_path):
    seen, answer = [], answerer(**settings)
    with chat_server(lambda messages: seen.append(messages) or answer(messages)) as url:
        command = [Path(sys.executable).parent / "vf-eval", "textworlds-vf", "-n", "2", "-r", "1", "-m", "scripted"]
        command += ["--client.base-url", url, "--client.api-key-var", "NO_KEY", "--no-push"]
        command += ["--env.player.runtime.type", "subprocess", "--env.taskset.settings", json.dumps(settings)]
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
        conversation = expected(seed, **settings)
        assert conversation.messages[:-1] in [[*map(plain, messages)] for messages in seen]
        assert trace["rewards"]["pay"]["score"] == pytest.approx(conversation.pay())
        assert trace["metrics"]["solved"] == float(conversation.replies[-1].terminated)
        assert trace["metrics"]["turns"] == conversation.usage.turns


def plain(message):
    return {"role": message["role"], "content": message["content"]}
