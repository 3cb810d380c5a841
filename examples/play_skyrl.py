"""Play an episode through SkyRL-gym, as its trainer does, and write a data set for its trainer.

Needs SkyRL-gym (pip install "textworlds[skyrl-gym]"). The solver takes the place of the model here.

Run: python examples/play_skyrl.py --id Sokoban-easy-v0 --rows 1000 --out skyrl.jsonl
"""

import argparse
import json

import skyrl_gym

from textworlds import Conversation
from textworlds.integrations.skyrl_gym import row


def main() -> None:
    parser = argparse.ArgumentParser(description="Play an episode through SkyRL-gym, and write rows for its trainer.")
    parser.add_argument("--id", default="Sokoban-easy-v0")
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--out", default="skyrl.jsonl")
    asked = parser.parse_args()
    first = row(asked.id, 0)
    prompt, env_class = first.pop("prompt"), first.pop("env_class")
    env = skyrl_gym.make(env_class, env_config={}, extras=first)
    messages, _ = env.init(prompt)
    print(messages[-1]["content"])
    solver = Conversation(asked.id)
    solver.reset(0)
    out = env.step(solver.answer(solver.episode.solve()))
    print(f"done: {out['done']}, reward: {out['reward']}")
    with open(asked.out, "w") as file:
        file.writelines(f"{json.dumps(row(asked.id, seed))}\n" for seed in range(asked.rows))


if __name__ == "__main__":
    main()
