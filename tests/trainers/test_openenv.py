"""An OpenEnv server plays many sessions at a time, over a socket, through OpenEnv's own client."""

import os
import pickle
import socket
import subprocess
import sys
import time

import pytest

pytest.importorskip("openenv")

from openenv import GenericEnvClient
from openenv.core.env_server import Environment
from servers import free_port

from textworlds import Conversation
from textworlds.integrations.openenv import Message, TextWorld

ID = "Maze-easy-v0"


@pytest.fixture(scope="module")
def url():
    """Run the server as the page says, and give its address."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--factory", "textworlds.integrations.openenv:make_app"]
    environment = {**os.environ, "TEXTWORLDS_ID": ID}
    server = subprocess.Popen([*command, "--port", str(port), "--log-level", "error"], env=environment)
    while True:
        assert server.poll() is None
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    server.wait()


def client_of(url):
    return GenericEnvClient(base_url=url).sync()


def test_a_client_plays_what_the_conversation_plays(url):
    conversation = Conversation(ID)
    with client_of(url) as client:
        begun = client.reset(seed=4)
        assert begun.observation["messages"] == conversation.reset(4) and not begun.done
        for text in ("hm", conversation.answer(conversation.episode.solve())):
            result, expected = client.step({"text": text}), conversation.reply(text)
            assert result.observation["text"] == expected.text and result.done == expected.done
        assert result.reward == conversation.pay("wmact") == 1.0
        assert result.observation["metrics"]["solved"] == 1 and result.observation["metrics"]["turns"] == 2


def test_sessions_do_not_meet(url):
    with client_of(url) as one, client_of(url) as other:
        first, second = one.reset(seed=1), other.reset(seed=2, turn_limit=3)
        assert first.observation["text"] != second.observation["text"]
        assert "You have 3 turns" in second.observation["messages"][0]["content"]
        other.step({"text": "<action>up</action>"})
        left = one.step({"text": "hm"}).observation["text"]
        assert "Turns left: 59" in left and first.observation["text"] in left


def test_it_is_an_environment_of_openenv():
    env = TextWorld(ID, method="interactive", protocol="entire-plan")
    assert isinstance(env, Environment)
    env.reset(seed=3, episode_id="a")
    turn = env.step(Message(text="hm"))
    assert turn.done and turn.reward == 0.0 and (env.state.episode_id, env.state.step_count) == ("a", 1)


@pytest.mark.parametrize("is_begun", [False, True])
def test_an_environment_can_be_pickled(is_begun):
    env = TextWorld(ID)
    if is_begun:
        env.reset(7), env.step(Message(text="hm"))
    copy = pickle.loads(pickle.dumps(env))
    if not is_begun:
        assert copy.reset(7) == env.reset(7)
    assert copy.step(Message(text="hm")) == env.step(Message(text="hm")) and copy.state == env.state
