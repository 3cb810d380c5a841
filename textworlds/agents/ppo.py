"""The reference agent on one page: a small network that reads text, writes several actions a turn, and learns by PPO.

From the top: what the network sees and how it writes; how it plays episodes; how it learns from them. What surrounds a run
(checkpoints, logs, several processes) is in training.py, and what a method pays is in textworlds/wmact.py.

Strict on-policy PPO as in arXiv 2511.23476: no KL loss, no entropy bonus, gamma = lambda = 1, so that an action's advantage
is what the rest of the episode pays, less the value expected there. Each batch is used once. It is cut into minibatches of
an optimiser step each, where the paper takes one step: a small network needs the steps, and PPO's clip bears with the rest.
The value head learns from what the network sees without changing it: its errors, large at first, would undo a warm start.

The turn limit is part of the task here: an episode cut off by it has ended for the learner, with nothing to expect after
it. Gymnasium calls the same event a truncation.

It imports the public package only.
"""

import math
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import gymnasium
import numpy as np
import torch
from torch import Tensor, nn

import textworlds
from textworlds.agents.processes import mean_over_processes
from textworlds.wmact import EpisodeStatistics, Method

NUM_CHARACTERS = 128
NOTHING = -1  # in place of a token, after the stop
IMPOSSIBLE = -1e9  # a logit
WAVELENGTHS = (3.0, 5.0, 9.0, 17.0, 33.0)  # in cells, of what tells places apart


class Network(nn.Module):
    """Reads a board of characters, of any size, and writes actions one after another until it writes the stop.

    Convolutions with residual paths read the map, so that what is known of a cell spreads to its neighbours. From all cells
    one is picked softly as the origin (it learns to pick where the agent stands), and each cell is marked with its
    way from there, in waves. A GRU then writes; before each action it looks at the map with some attention heads, and as the
    actions written add up to a way from the origin, it can follow the route that it is writing. Nothing depends on where
    on the board things are, or on the board's size.

    Chosen by experiment: imitation of 20,000 solver plans for 60 s on one core, then whole plans on 512 held-out levels,
    solved of Maze-easy / Sokoban-easy (one run each; 2 shared virtual cores):

        absolute places, flattened into the GRU, 4 layers of 32    0.67 / 0.61   (cannot read other sizes)
        a finger that each action moves over the map               0.45 / 0.35   (a third of the steps in the time)
        ways from the origin, 1 head, 4 layers of 32               0.60 / 0.61
        ways from the origin, 2 heads, 4 layers of 32              0.88 / 0.67
        ways from the origin, 4 heads, 4 layers of 32              0.85 / 0.64
        ways from the origin, 2 heads, 6 layers of 24              0.91 / 0.66   (this one)
        the same, with the whole map's mean added at each layer    0.53 / 0.39

    Args:
        num_actions: A, actions of the puzzle; the stop is number A.
        channels, depth: C and the layers of the reader.
        hidden: of the writer.
        heads: that look at the map.
    """

    waves: Tensor
    is_stop: Tensor

    def __init__(self, num_actions: int, channels: int, depth: int, hidden: int, heads: int) -> None:
        super().__init__()
        self.stop, self.heads = num_actions, heads
        self.characters = nn.Embedding(NUM_CHARACTERS, channels)
        self.layers = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in range(depth))
        self.origin = nn.Linear(channels, 1)
        self.way = nn.Linear(4 * len(WAVELENGTHS), channels)
        self.start = nn.Linear(3 * channels, hidden)
        self.key = nn.Linear(channels, channels)
        self.query = nn.Linear(hidden, heads * channels)
        self.action = nn.Embedding(num_actions + 2, hidden)  # the last one opens a turn
        self.memory = nn.GRU(hidden, hidden, batch_first=True)
        self.mix = nn.Linear(hidden + heads * channels, hidden)
        self.policy = nn.Linear(hidden, num_actions + 1)
        self.value = nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 1))
        self.register_buffer("is_stop", torch.arange(num_actions + 1) == num_actions, persistent=False)
        self.register_buffer("waves", 2 * math.pi / torch.tensor(WAVELENGTHS), persistent=False)

    def read(self, boards: Tensor) -> tuple[Tensor, Tensor]:
        """Read uint8[N, H, W]; return the view, float32[N, H * W, 2 C], and the writer's first state [N, hidden].

        The view holds for each cell what is seen there, and the key by which it is found.
        """
        grid = self.characters(boards.int()).permute(0, 3, 1, 2)
        for layer in self.layers:
            grid = torch.relu(layer(grid) + grid)
        cells = grid.flatten(2).transpose(1, 2)
        picked = torch.softmax(self.origin(cells), 1).transpose(1, 2)
        rows, columns = (torch.arange(size, device=boards.device, dtype=cells.dtype) for size in boards.shape[1:])
        places = torch.cartesian_prod(rows, columns)
        angles = ((places - picked @ places)[..., None] * self.waves).flatten(2)
        summary = torch.cat([(picked @ cells)[:, 0], cells.mean(1), cells.amax(1)], -1)
        cells = cells + self.way(torch.cat([angles.sin(), angles.cos()], -1))
        return torch.cat([cells, self.key(cells)], -1), torch.tanh(self.start(summary))

    def write(self, view: Tensor, state: Tensor, before: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Go on writing after the tokens int64[N, T]; return log-probabilities [N, T, A + 1], values [N, T], the next state.

        The stop cannot open a turn: there is no message that asks for nothing.
        """
        thoughts, last = self.memory(self.action(before), state[None])
        cells, keys = view.chunk(2, -1)
        queries = self.query(thoughts).view(len(before), -1, cells.shape[-1])
        scores = queries @ keys.transpose(1, 2) / math.sqrt(cells.shape[-1])
        looked = (torch.softmax(scores, -1) @ cells).view(*before.shape, -1)
        mixed = torch.relu(self.mix(torch.cat([thoughts, looked], -1)))
        opens = before == self.stop + 1
        logits = self.policy(mixed).masked_fill(opens[..., None] & self.is_stop, IMPOSSIBLE)
        return torch.log_softmax(logits, -1), self.value(mixed.detach())[..., 0], last[0]

    def forward(self, boards: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return the log-probabilities [N, T, A + 1] and values [N, T] at each of the tokens that were written."""
        view, state = self.read(boards)
        before = torch.cat([self.opening(len(boards)), tokens[:, :-1].clamp(min=0)], 1)
        return self.write(view, state, before)[:2]

    def opening(self, num_turns: int) -> Tensor:
        """Return the token that opens each of N turns, int64[N, 1]."""
        return torch.full((num_turns, 1), self.stop + 1, device=self.policy.weight.device)


class Writing(NamedTuple):
    """What the network wrote in N turns: action numbers, then the stop, if there was room; NOTHING after it."""

    tokens: Tensor  # int64[N, T]
    log_probs: Tensor  # float32[N, T], of these tokens
    values: Tensor  # float32[N, T], expected before each of them


def encode(texts: Sequence[str]) -> Tensor:
    """Return the characters of texts of one layout, uint8[N, H, W]; short rows are filled with blanks."""
    rows = [text.split("\n") for text in texts]
    width = max(map(len, rows[0]))
    flat = "".join(line.ljust(width) for lines in rows for line in lines).encode("ascii", "replace")
    return torch.from_numpy(np.frombuffer(flat, np.uint8).reshape(len(texts), -1, width).copy())


@torch.no_grad()
def decode(network: Network, boards: Tensor, max_actions: int, random: torch.Generator, greedy: bool) -> Writing:
    """Write a turn for each board, of at least one action; turns that have stopped are kept out of the work."""
    view, state = network.read(boards)
    shape, device = (len(boards), max_actions), boards.device
    tokens = torch.full(shape, NOTHING, device=device)
    log_probs, values = torch.zeros(shape, device=device), torch.zeros(shape, device=device)
    writing, before = torch.arange(len(boards), device=device), network.opening(len(boards))
    for place in range(max_actions):
        log_prob, value, state = network.write(view, state, before)
        log_prob = log_prob[:, 0]
        before = log_prob.argmax(-1, True) if greedy else torch.multinomial(log_prob.exp(), 1, generator=random)
        tokens[writing, place] = before[:, 0]
        log_probs[writing, place] = log_prob.gather(1, before)[:, 0]
        values[writing, place] = value[:, 0]
        goes_on = before[:, 0] != network.stop
        if not goes_on.any():
            break
        view, state, before, writing = view[goes_on], state[goes_on], before[goes_on], writing[goes_on]
    return Writing(tokens, log_probs, values)


class Turn(NamedTuple):
    """A turn of those K of the N episodes that were not over."""

    episodes: np.ndarray  # int64[K]
    boards: Tensor  # uint8[K, H, W]
    writing: Writing
    rewards: Tensor  # float32[K], what the turn paid


class Played(NamedTuple):
    """N whole episodes."""

    turns: list[Turn]
    rewards: np.ndarray  # float64[N], of whole episodes
    solved: np.ndarray  # bool[N]
    statistics: EpisodeStatistics


class Player:
    """Plays batches of whole episodes, and knows how long the environment took.

    Args:
        id: the environment.
        num_episodes: N, episodes a batch.
        method: how they are paid.
        max_actions: what a turn has room for; not below the length of plans, or no single turn can solve.
        device: where the network is.
        **settings: for gymnasium.make_vec: split=, levels=, and what replaces settings of the id.
    """

    def __init__(
        self, id: str, num_episodes: int, method: Method, max_actions: int, device: str = "cpu", **settings: Any
    ) -> None:
        envs = gymnasium.make_vec(id, num_envs=num_episodes, max_actions=max_actions, **settings)
        self.batch: Any = envs.unwrapped
        self.envs = method.wrap(envs)
        self.max_actions, self.device = max_actions, device
        self.names = action_names(id)
        self.seconds = 0.0

    def begin(self, seed: int | None = None, index: np.ndarray | None = None) -> Any:
        """Begin an episode in every world; return what they look like, a text each."""
        started = time.perf_counter()
        texts, _ = self.envs.reset(seed=seed, options=None if index is None else {"index": index})
        self.seconds += time.perf_counter() - started
        return texts

    def play(
        self,
        network: Network,
        turn_limit: int,
        random: torch.Generator,
        seed: int | None = None,
        index: np.ndarray | None = None,
        greedy: bool = False,
        watch: Callable[..., None] | None = None,
    ) -> Played:
        """Play an episode in every world; those that are over are kept out of reading and writing.

        Args:
            network: who plays.
            turn_limit: L_max.
            random: of sampling; on the network's device.
            seed: of the first world's level; the others count on from it.
            index: int64[N], which of the levels given to play, instead.
            greedy: write the likeliest token each time, rather than sampling at temperature 1.
            watch: called after each turn with the episodes that played it, all texts before and after it, and the info.
        """
        self.batch.turn_limit = turn_limit
        texts = self.begin(seed, index)
        live, messages = np.arange(len(texts)), [f"<action>{self.names[0]}</action>"] * len(texts)
        totals = {name: np.zeros(len(texts)) for name in (*EpisodeStatistics._fields, "solved")}
        paid, turns = np.zeros(len(texts)), []
        while len(live):
            boards = encode([texts[episode] for episode in live]).to(self.device)
            writing = decode(network, boards, self.max_actions, random, greedy)
            for episode, row in zip(live.tolist(), writing.tokens.tolist(), strict=True):
                asked = [self.names[token] for token in row if 0 <= token < network.stop]
                messages[episode] = f"<action>{', '.join(asked)}</action>"
            seen, started = texts, time.perf_counter()
            texts, rewards, terminated, truncated, info = self.envs.step(messages)
            self.seconds += time.perf_counter() - started
            if watch is not None:
                watch(live, seen, texts, info)
            paid[live] += rewards[live]
            turns.append(Turn(live, boards, writing, torch.from_numpy(rewards[live]).float()))
            ended = live[(terminated | truncated)[live]]
            for name, total in totals.items():
                total[ended] = info[name][ended]
            live = np.setdiff1d(live, ended, assume_unique=True)
        solved = totals.pop("solved") > 0
        return Played(turns, paid, solved, EpisodeStatistics(**totals))


def action_names(id: str) -> list[str]:
    """Return what the actions of an id's puzzle are called, in order."""
    return [names[0] for names in textworlds.find_id(id)[0].words.vocabulary.names]


class Batch(NamedTuple):
    """The M turns of some episodes, to learn from."""

    boards: Tensor  # uint8[M, H, W]
    tokens: Tensor  # int64[M, T]
    log_probs: Tensor  # float32[M, T]
    advantages: Tensor  # float32[M, T]
    returns: Tensor  # float32[M, T]


def make_batch(played: Played, gamma: float, lam: float) -> Batch:
    """Return a batch with generalised advantages (Schulman et al., 2016) over each episode's tokens, stops included.

        delta_t = r_t + gamma V_t+1 - V_t        A_t = delta_t + gamma lambda A_t+1        return_t = A_t + V_t

    r is what a turn paid, at its last token; the next token may be the first one of the next turn. V is 0 after the end.
    """
    upcoming, carried = np.zeros(len(played.rewards)), np.zeros(len(played.rewards))
    advantages: list[Tensor] = []
    for turn in reversed(played.turns):
        values = turn.writing.values.cpu().numpy()
        written = turn.writing.tokens.cpu().numpy() != NOTHING
        found, last = np.zeros(values.shape), written.sum(1) - 1
        for place in reversed(range(values.shape[1])):
            here = written[:, place]
            episodes, value = turn.episodes[here], values[here, place]
            reward = np.where(last == place, turn.rewards.numpy(), 0.0)[here]
            delta = reward + gamma * upcoming[episodes] - value
            carried[episodes] = found[here, place] = delta + gamma * lam * carried[episodes]
            upcoming[episodes] = value
        advantages.insert(0, torch.from_numpy(found).float())
    boards = torch.cat([turn.boards for turn in played.turns])
    writing = Writing(*map(torch.cat, zip(*(turn.writing for turn in played.turns), strict=True)))
    gains = torch.cat(advantages).to(boards.device)
    return Batch(boards, writing.tokens, writing.log_probs, gains, gains + writing.values)


def at_tokens(log_probs: Tensor, tokens: Tensor) -> Tensor:
    """Return the log-probabilities of the tokens written, float32[N, T], from those of all, [N, T, A + 1]."""
    return log_probs.gather(2, tokens.clamp(min=0)[..., None])[..., 0]


class Learning(NamedTuple):
    """How PPO learns.

    Attributes:
        minibatches: optimiser steps on a batch, in one pass over it.
        clip: on the ratio of probabilities.
        value_weight: of the value's squared error, which is measured in variances of the returns, so that it weighs the
            same whether rewards are rare or common.
        entropy: weight of an entropy bonus; none in the paper.
        most_gradient: norm that gradients are cut to.
    """

    minibatches: int = 8
    clip: float = 0.2
    value_weight: float = 0.5
    entropy: float = 0.0
    most_gradient: float = 1.0


def update(
    network: nn.Module, optimizer: torch.optim.Optimizer, batch: Batch, learning: Learning, random: torch.Generator
) -> None:
    """Learn from a batch, once. All processes of a distributed run must call it, each with a batch of its own."""
    written = batch.tokens != NOTHING
    count, total, squares, returns, return_squares = mean_over_processes(
        written.sum(),
        *((values[written] ** power).sum() for values in (batch.advantages, batch.returns) for power in (1, 2)),
    )
    mean, spread = total / count, (return_squares / count - (returns / count) ** 2).clamp(min=0) + 1e-4
    deviation = (squares / count - mean**2).clamp(min=0).sqrt() + 1e-6
    order = torch.randperm(len(batch.boards), generator=random, device=random.device).to(batch.boards.device)
    for turns in order.tensor_split(learning.minibatches):
        here = written[turns]
        length = int(here.sum(1).max())
        here, tokens = here[:, :length], batch.tokens[turns, :length]
        log_probs, values = network(batch.boards[turns], tokens)
        chosen = at_tokens(log_probs, tokens)
        ratio = (chosen - batch.log_probs[turns, :length]).exp()
        gain = (batch.advantages[turns, :length] - mean) / deviation
        clipped = ratio.clamp(1 - learning.clip, 1 + learning.clip)
        loss = -torch.minimum(ratio * gain, clipped * gain)
        loss = loss + learning.value_weight * (values - batch.returns[turns, :length]).square() / spread
        if learning.entropy:
            loss = loss + learning.entropy * (log_probs.exp() * log_probs).sum(-1)
        (tokens_here,) = mean_over_processes(here.sum())
        optimizer.zero_grad()
        (loss[here].sum() / tokens_here).backward()
        nn.utils.clip_grad_norm_(network.parameters(), learning.most_gradient)
        optimizer.step()
