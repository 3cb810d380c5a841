"""WMAct, the reference agent: a small network that reads text, writes several actions a turn, and learns by PPO.

The method (arXiv 2511.23476): an episode's reward is R * N_eff / N, the outcome times the share of its actions that
changed the world; and the limit on turns, L_max, is annealed, so that an agent that learned by acting turn by turn ends
up planning in few turns, or in one. Strict on-policy PPO, no KL loss, no entropy bonus, gamma = lambda = 1, so that an
action's advantage is the episode's reward less the value expected there.

The turn limit is part of the task here: an episode cut off by it has ended for the learner, with nothing to expect after
it. Gymnasium calls the same event a truncation.

The network sees the characters of the observation and nothing else. A convolutional reader keeps the map's geometry; a
recurrent writer looks back at the map by attention before each action, so that it can follow the way it is writing. Four
layers of their own learned more in the same time than one layer applied eight times (0.56 against 0.21 of held-out plans
after 39 s of imitation, one seed). It imports the public package only.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import gymnasium
import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

import textworlds
from textworlds.wrappers import VectorEffectiveActionReward

NUM_CHARACTERS = 128


@dataclass(frozen=True)
class Settings:
    """What a run is made of.

    Attributes:
        id: the environment.
        changes: settings of gymnasium.make that replace the id's.
        minutes: how long to train, evaluation not counted; None for no limit.
        iterations: batches to train on at most.
        episodes: episodes a batch.
        evaluated: held-out levels that success is measured on.
        seed: of levels, weights and sampling.
        max_actions: actions that the writer can put into one turn; not below the length of plans.
        turn_limit: L_max at the start.
        tau: iterations between two annealings of L_max.
        minibatches: optimiser steps on each batch, in one pass.
        channels, depth, hidden: of the network: the reader's channels and layers, the writer's state.
        learning_rate: Adam's.
        clip: PPO's, on the ratio of probabilities.
        threads: of PyTorch.
    """

    id: str
    changes: dict[str, int] = field(default_factory=dict)
    minutes: float | None = 2.5
    iterations: int = 1_000_000
    episodes: int = 256
    evaluated: int = 512
    seed: int = 0
    max_actions: int = 12
    turn_limit: int = 12
    tau: int = 15
    minibatches: int = 8
    channels: int = 32
    depth: int = 4
    hidden: int = 64
    learning_rate: float = 2e-3
    clip: float = 0.2
    threads: int = 1


class Writing(NamedTuple):
    """What the network wrote in N turns: action numbers, then the stop, which is the number of actions; -1 after it."""

    tokens: Tensor  # int64[N, T]
    log_probs: Tensor  # float32[N, T]
    values: Tensor  # float32[N, T]


class Batch(NamedTuple):
    """All M turns of some episodes."""

    boards: Tensor  # int64[M, H, W]
    writing: Writing
    rewards: Tensor  # float32[M], of the whole episode that a turn belongs to


class Outcome(NamedTuple):
    """How some episodes went, each float64[N]."""

    reward: np.ndarray
    solved: np.ndarray
    num_turns: np.ndarray
    num_asked: np.ndarray
    num_changed: np.ndarray


class Network(nn.Module):
    """Reads a board and writes actions one after another.

    Args:
        num_actions: actions of the puzzle; the stop comes after them.
        shape: rows and columns of the text.
        settings: sizes.
    """

    def __init__(self, num_actions: int, shape: tuple[int, int], settings: Settings) -> None:
        super().__init__()
        channels, hidden = settings.channels, settings.hidden
        self.stop = num_actions
        self.characters = nn.Embedding(NUM_CHARACTERS, channels)
        self.places = nn.Parameter(0.1 * torch.randn(channels, *shape))
        self.layers = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in range(settings.depth))
        self.start = nn.Linear(channels * shape[0] * shape[1], hidden)
        self.key = nn.Linear(channels, channels)
        self.query = nn.Linear(hidden, channels)
        self.action = nn.Embedding(num_actions + 2, hidden)  # the last one opens a turn
        self.memory = nn.GRU(hidden, hidden, batch_first=True)
        self.mix = nn.Linear(hidden + channels, hidden)
        self.policy = nn.Linear(hidden, num_actions + 1)
        self.value = nn.Linear(hidden, 1)

    def read(self, boards: Tensor) -> tuple[Tensor, Tensor]:
        """Return the cells, float32[N, H * W, C], and the writer's first state, float32[N, hidden]."""
        cells = self.characters(boards).permute(0, 3, 1, 2) + self.places
        for layer in self.layers:
            cells = torch.relu(layer(cells) + cells)
        flat = cells.flatten(2).transpose(1, 2)
        return flat, torch.tanh(self.start(flat.flatten(1)))

    def write(self, cells: Tensor, state: Tensor, before: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Go on writing after the tokens int64[N, T]; return logits [N, T, A + 1], values [N, T] and the next state."""
        thoughts, last = self.memory(self.action(before), state[None])
        scores = self.query(thoughts) @ self.key(cells).transpose(1, 2) / math.sqrt(cells.shape[-1])
        looked = torch.softmax(scores, -1) @ cells
        mixed = torch.relu(self.mix(torch.cat([thoughts, looked], -1)))
        return self.policy(mixed), self.value(mixed)[..., 0], last[0]

    def opening(self, num_turns: int) -> Tensor:
        """Return the token that opens each of N turns, int64[N, 1]."""
        return torch.full((num_turns, 1), self.stop + 1)


def annealed_limit(num_turns: Sequence[int] | np.ndarray, limit: int) -> int:
    """Return the next L_max: ceil((mean + max) / 2) of the turns of recent episodes, solved or not.

    Never above `limit`, the present one, and never below 1.
    """
    return max(1, min(limit, math.ceil((np.mean(num_turns) + np.max(num_turns)) / 2)))


def encode(texts: Sequence[str]) -> Tensor:
    """Return the characters of texts of one layout, int64[N, rows, columns]; short rows are filled with blanks."""
    rows = [text.split("\n") for text in texts]
    width = max(map(len, rows[0]))
    flat = "".join(line.ljust(width) for lines in rows for line in lines).encode("ascii", "replace")
    return torch.from_numpy(np.frombuffer(flat, np.uint8).reshape(len(texts), -1, width).astype(np.int64))


def decode(network: Network, boards: Tensor, max_actions: int, random: torch.Generator, greedy: bool) -> Writing:
    """Write a turn for each board. At least one action: there is no message that asks for none."""
    cells, state = network.read(boards)
    shape = len(boards), max_actions
    tokens, log_probs, values = torch.full(shape, -1), torch.zeros(shape), torch.zeros(shape)
    writing, before = torch.arange(len(boards)), network.opening(len(boards))
    for place in range(max_actions):
        logits, value, state = network.write(cells, state, before)
        log_prob = torch.log_softmax(without_stop(logits)[:, 0] if place == 0 else logits[:, 0], -1)
        before = log_prob.argmax(-1, True) if greedy else torch.multinomial(log_prob.exp(), 1, generator=random)
        tokens[writing, place] = before[:, 0]
        log_probs[writing, place] = log_prob.gather(1, before)[:, 0]
        values[writing, place] = value[:, 0]
        goes_on = before[:, 0] != network.stop
        if not goes_on.any():
            break
        cells, state, before, writing = cells[goes_on], state[goes_on], before[goes_on], writing[goes_on]
    return Writing(tokens, log_probs, values)


def without_stop(logits: Tensor) -> Tensor:
    """Return logits [N, T, A + 1] with no chance for the stop in the first place."""
    barred = torch.zeros(logits.shape[1:])
    barred[0, -1] = -math.inf
    return logits + barred


class Player:
    """Plays batches of episodes, and knows how long the environment took.

    Args:
        settings: of the run.
        num_episodes: episodes a batch.
        split: which levels to play.
        seed: the first; each batch goes on from it.
    """

    def __init__(self, settings: Settings, num_episodes: int, split: str, seed: int) -> None:
        chosen: dict[str, Any] = {"max_actions": settings.max_actions, "split": split, **settings.changes}
        envs = gymnasium.make_vec(settings.id, num_envs=num_episodes, **chosen)
        self.batch: Any = envs.unwrapped
        self.envs = VectorEffectiveActionReward(envs)
        self.max_actions = settings.max_actions
        vocabulary = textworlds.find_id(settings.id)[0].words.vocabulary
        self.names = [names[0] for names in vocabulary.names]
        self.random = torch.Generator().manual_seed(seed)
        self.seconds = 0.0
        self.begin(seed)
        self.shape = encode(self.texts[:1]).shape[1], encode(self.texts[:1]).shape[2]

    def begin(self, seed: int | None = None) -> None:
        """Begin an episode in every world."""
        started = time.perf_counter()
        self.texts, _ = self.envs.reset(seed=seed)
        self.seconds += time.perf_counter() - started

    @torch.no_grad()
    def play(self, network: Network, turn_limit: int, greedy: bool = False) -> tuple[Batch, Outcome]:
        """Play an episode in every world; finished worlds are kept out of reading and writing."""
        self.batch.turn_limit = turn_limit
        self.begin()
        live, texts = np.arange(self.envs.num_envs), self.texts
        messages = [f"<action>{self.names[0]}</action>"] * len(live)
        outcome = Outcome(*np.zeros((len(Outcome._fields), len(live))))
        turns: list[tuple[np.ndarray, Tensor, Writing]] = []
        while len(live):
            boards = encode([texts[world] for world in live])
            writing = decode(network, boards, self.max_actions, self.random, greedy)
            turns.append((live, boards, writing))
            for world, row in zip(live, writing.tokens.tolist(), strict=True):
                asked = [self.names[token] for token in row if 0 <= token < network.stop]
                messages[world] = f"<action>{', '.join(asked)}</action>"
            started = time.perf_counter()
            texts, rewards, terminated, truncated, info = self.envs.step(messages)
            self.seconds += time.perf_counter() - started
            ended = live[(terminated | truncated)[live]]
            for name, values in zip(Outcome._fields, outcome, strict=True):
                values[ended] = rewards[ended] if name == "reward" else info[name][ended]
            live = np.setdiff1d(live, ended, assume_unique=True)
        worlds, seen, writings = zip(*turns, strict=True)
        paid = torch.from_numpy(outcome.reward[np.concatenate(worlds)]).float()
        return Batch(torch.cat(seen), Writing(*map(torch.cat, zip(*writings, strict=True))), paid), outcome


def update(network: Network, optimizer: torch.optim.Optimizer, batch: Batch, settings: Settings) -> None:
    """Learn from a batch: one pass, in minibatches."""
    written = batch.writing.tokens >= 0
    advantages = batch.rewards[:, None] - batch.writing.values
    advantages = (advantages - advantages[written].mean()) / (advantages[written].std(correction=0) + 1e-6)
    spread = batch.rewards.var(correction=0) + 1e-4
    for turns in torch.randperm(len(batch.boards)).chunk(settings.minibatches):
        here = written[turns]
        length = int(here.sum(1).max())
        here, tokens = here[:, :length], batch.writing.tokens[turns, :length]
        log_probs, values = score(network, batch.boards[turns], tokens)
        ratio = (log_probs - batch.writing.log_probs[turns, :length]).exp()
        gain = advantages[turns, :length]
        clipped = ratio.clamp(1 - settings.clip, 1 + settings.clip)
        policy_loss = -torch.minimum(ratio * gain, clipped * gain)[here].mean()
        value_loss = (values - batch.rewards[turns, None])[here].square().mean() / spread
        optimizer.zero_grad()
        (policy_loss + 0.5 * value_loss).backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()


def score(network: Network, boards: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Return the log-probability and the value at each of the tokens written, both float32[N, T]."""
    cells, state = network.read(boards)
    written = tokens.clamp(min=0)
    logits, values, _ = network.write(cells, state, torch.cat([network.opening(len(boards)), written[:, :-1]], 1))
    return torch.log_softmax(without_stop(logits), -1).gather(2, written[..., None])[..., 0], values


def evaluate(network: Network, player: Player, turn_limit: int) -> dict[str, Any]:
    """Return the success on held-out levels with many turns and forced into one, with 95 % Wilson intervals."""
    found: dict[str, Any] = {}
    for name, limit in (("multi_turn", turn_limit), ("single_turn", 1)):
        _, outcome = player.play(network, limit)
        found[name] = wilson(outcome.solved.sum(), len(outcome.solved))
    return found


def wilson(successes: float, trials: int, z: float = 1.96) -> tuple[float, float, float]:
    """Return a share with its Wilson score interval (Wilson, 1927): share, low, high."""
    share, spread = successes / trials, z * z / trials
    middle = (share + spread / 2) / (1 + spread)
    half = math.sqrt(share * (1 - share) * spread + spread * spread / 4) / (1 + spread)
    return float(share), float(max(0.0, middle - half)), float(min(1.0, middle + half))


def train(settings: Settings, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Train from scratch; say the success before and after, and return what was measured."""
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    player = Player(settings, settings.episodes, "train", settings.seed << 32)
    judge = Player(settings, settings.evaluated, "test", (settings.seed << 32) + (1 << 31))
    network = Network(len(player.names), player.shape, settings)
    optimizer = torch.optim.Adam(network.parameters(), settings.learning_rate)
    before = evaluate(network, judge, settings.turn_limit)
    say(f"before: {describe(before)}")
    history = learn(network, optimizer, player, settings)
    after = evaluate(network, judge, settings.turn_limit)
    say(f"after:  {describe(after)}")
    summary = {"before": before, "after": after, "history": history, "network": network} | history[-1]
    say(
        f"{len(history)} iterations of {settings.episodes} episodes in {summary['seconds']:.0f} s; "
        f"L_max {settings.turn_limit} -> {summary['turn_limit']}; effective share {history[0]['share']:.2f} -> "
        f"{summary['share']:.2f}; {summary['environment']:.0%} of the time in the environment"
    )
    return summary


def learn(
    network: Network, optimizer: torch.optim.Optimizer, player: Player, settings: Settings
) -> list[dict[str, float]]:
    """Play, learn, and anneal the turn limit until the time or the iterations are over; return a line for each."""
    history: list[dict[str, float]] = []
    limit, recent, player.seconds = settings.turn_limit, [], 0.0
    started, allowed = time.perf_counter(), math.inf if settings.minutes is None else 60 * settings.minutes
    unit = "it" if settings.minutes is None else "s"
    with tqdm(total=settings.iterations if unit == "it" else int(allowed), unit=unit, disable=None) as bar:
        while len(history) < settings.iterations and time.perf_counter() - started < allowed:
            batch, outcome = player.play(network, limit)
            update(network, optimizer, batch, settings)
            recent.append(outcome.num_turns)
            if len(recent) == settings.tau:
                limit, recent = annealed_limit(np.concatenate(recent), limit), []
            seconds = time.perf_counter() - started
            history.append(
                {
                    "reward": outcome.reward.mean(),
                    "solved": outcome.solved.mean(),
                    "turns": outcome.num_turns.mean(),
                    "share": outcome.num_changed.sum() / outcome.num_asked.sum(),
                    "turn_limit": limit,
                    "seconds": seconds,
                    "environment": player.seconds / seconds,
                }
            )
            bar.set_postfix_str(
                "solved {solved:.2f}, turns {turns:.1f}, share {share:.2f}, L_max {turn_limit}".format(**history[-1])
            )
            bar.update((len(history) if unit == "it" else min(int(seconds), int(allowed))) - bar.n)
    return history


def describe(found: dict[str, Any]) -> str:
    """Say what `evaluate` found, for people."""
    return ", ".join(
        f"{name.replace('_', '-')} success {share:.1%} ({low:.1%} to {high:.1%})"
        for name, (share, low, high) in found.items()
    )
