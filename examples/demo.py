"""A first look: one short episode of each puzzle, then a level from a file. The first run compiles for some ten seconds each."""

from collections.abc import Iterator
from itertools import count, zip_longest
from pathlib import Path

import gymnasium

import textworlds

LEVELS = Path(__file__).with_name("first_steps.xsb")
TURN = 3  # actions in a turn


def main() -> None:
    sokoban, *others = textworlds.PUZZLES.values()
    show_what_an_agent_reads(next(iter(sokoban.ids)))
    for puzzle in others:
        show_turns(next(iter(puzzle.ids)))
    show_level_file(next(iter(sokoban.ids)))


def show_what_an_agent_reads(id: str) -> None:
    """Print an episode as the agent sees it: observations, and after each ">" the agent's answer."""
    print(f"=== {id} in Gymnasium: what an agent reads and, after each >, what it answers\n")
    env = gymnasium.make(f"textworlds/{id}", legend=True, feedback=True)
    observation, info = env.reset(seed=4)
    print(observation)
    for words in messages(env.unwrapped.episode):
        message = f"<action>{', '.join(words)}</action>"
        print(f"\n> {message}\n")
        observation, reward, terminated, _, info = env.step(message)
        print(observation)
    effective = f"{info['num_changed']} of {info['num_asked']} actions changed the world"
    print(f"\nreward {reward}, terminated {terminated}, {effective}\n")


def show_turns(id: str) -> None:
    """Print the turns of an episode side by side: message, which of its actions changed the world, board."""
    print(f"=== {id}: {TURN} actions a turn, and which of them changed the world\n")
    episode = textworlds.Episode(id, action="plain")
    seed = next(seed for seed in count() if episode.reset(seed) and len(episode.solve()) < 3 * TURN)
    columns = [f"start\n\n{episode.reset(seed)}"]
    for words in messages(episode):
        text, _, _, _, ledger = episode.act(" ".join(words))
        flags = " ".join("yes" if changed else "no" for changed in ledger["changed"])
        columns.append(f"{' '.join(words)}\nchanged: {flags}\n{text}")
    print(f"{beside(columns)}\nsolved: {ledger['solved']}\n")


def show_level_file(id: str) -> None:
    """Print the last level of a file before and after its solution."""
    episode = textworlds.Episode(id, action="plain")
    level = textworlds.read_level_file(LEVELS, episode.puzzle.words)[-1]
    before = episode.reset(level=level)
    plan = episode.solve()
    after, _, _, _, ledger = episode.act(" ".join(spelled(plan, episode)))
    print(f"=== {level.title} ({LEVELS.name}), solved in one message of {len(plan)} actions\n")
    print(f"{beside([before, after])}\nsolved: {ledger['solved']}\n")


def messages(episode: textworlds.Episode) -> Iterator[list[str]]:
    """Yield the words of each turn: one action that does nothing, to see what is said of it, then the solver's plan."""
    useless = [action for action, is_useful in enumerate(episode.action_mask()) if not is_useful]
    words = spelled([*useless[:1], *episode.solve()], episode)
    for start in range(0, len(words), TURN):
        yield words[start : start + TURN]


def spelled(actions: list[int], episode: textworlds.Episode) -> list[str]:
    """Return the names of actions."""
    return [episode.puzzle.words.vocabulary.names[action][0] for action in actions]


def beside(columns: list[str]) -> str:
    """Return texts of several lines next to one another."""
    width = 2 + max(len(line) for text in columns for line in text.split("\n"))
    rows = zip_longest(*(text.split("\n") for text in columns), fillvalue="")
    return "\n".join("".join(cell.ljust(width) for cell in row).rstrip() for row in rows)


if __name__ == "__main__":
    main()
