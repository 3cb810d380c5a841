"""Serve episodes with OpenEnv and play one through its client.

Needs OpenEnv (pip install "textworlds[openenv]"). The solver takes the place of the model here.

Run: python examples/play_openenv.py --id Sokoban-easy-v0 --port 8123
"""

import argparse
import threading

import uvicorn
from openenv import GenericEnvClient

from textworlds import Conversation
from textworlds.integrations.openenv import make_app


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve episodes with OpenEnv and play one.")
    parser.add_argument("--id", default="Sokoban-easy-v0")
    parser.add_argument("--port", type=int, default=8123)
    asked = parser.parse_args()
    server = uvicorn.Server(uvicorn.Config(make_app(asked.id), port=asked.port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        thread.join(0.05)
    with GenericEnvClient(base_url=f"http://127.0.0.1:{asked.port}").sync() as client:
        print(client.reset(seed=0).observation["text"])
        solver = Conversation(asked.id)
        solver.reset(0)
        result = client.step({"text": solver.answer(solver.episode.solve())})
        print(f"done: {result.done}, reward: {result.reward}")
    server.should_exit = True


if __name__ == "__main__":
    main()
