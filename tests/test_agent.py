"""The reference agent's page: that it learns from what it wrote, as it was paid."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from textworlds.agents.plans import imitate, make_plans  # noqa: E402
from textworlds.agents.ppo import (  # noqa: E402
    NOTHING,
    Batch,
    Learning,
    Network,
    Played,
    Player,
    Turn,
    Writing,
    encode,
    make_batch,
    update,
)
from textworlds.wmact import METHODS, EpisodeStatistics  # noqa: E402

MAZES = "textworlds/Maze-easy-v0"
EASY = {"height": 5, "width": 5, "min_moves": 1, "max_moves": 4}


def random_numbers(seed=0):
    return torch.Generator().manual_seed(seed)


def make_network(num_actions=4):
    torch.manual_seed(0)
    return Network(num_actions, channels=8, depth=2, hidden=16, heads=2)


def test_texts_become_their_characters_by_row_and_column():
    boards = encode(["#-\n@#", "##\n.-"])
    assert boards.shape == (2, 2, 2) and boards.dtype == torch.uint8
    assert [chr(code) for code in boards.flatten()] == list("#-@###.-")
    assert encode(["abc\nd"]).tolist() == [[[97, 98, 99], [100, 32, 32]]]


def test_characters_that_are_not_ascii_are_read_as_one_and_do_not_break_the_network():
    assert encode(["é"]).tolist() == [[[ord("?")]]]


@pytest.fixture(scope="module", params=["wmact", "step-penalty"])
def played(request):
    player = Player(MAZES, 32, METHODS[request.param], 6, split="train", **EASY)
    network = make_network()
    return network, player.play(network, 4, random_numbers(), seed=0), request.param


def test_a_turn_asks_for_an_action_at_least_and_nothing_follows_a_stop(played):
    network, episodes, _ = played
    for turn in episodes.turns:
        for row in turn.writing.tokens.tolist():
            kept = [token for token in row if token != NOTHING]
            assert kept[0] != network.stop and network.stop not in kept[:-1]
            assert row[len(kept) :] == [NOTHING] * (len(row) - len(kept))


def test_what_was_written_scores_the_same_when_it_is_read_again(played):
    network, episodes, _ = played
    batch = make_batch(episodes, 1.0, 1.0)
    written = batch.tokens != NOTHING
    with torch.no_grad():
        log_probs, values = network(batch.boards, batch.tokens)
    chosen = log_probs.gather(2, batch.tokens.clamp(min=0)[..., None])[..., 0]
    torch.testing.assert_close(chosen[written], batch.log_probs[written], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(values[written], (batch.returns - batch.advantages)[written], atol=1e-5, rtol=1e-4)


def test_every_episode_ends_and_is_paid_as_the_method_says(played):
    _, episodes, name = played
    counts = episodes.statistics
    assert (counts.num_turns >= 1).all() and (counts.num_turns <= 4).all()
    assert sum(len(turn.episodes) for turn in episodes.turns) == counts.num_turns.sum()
    np.testing.assert_allclose(episodes.rewards, METHODS[name].reward(episodes.solved, counts))
    assert episodes.solved.any() and not episodes.solved.all()


def test_with_gamma_and_lambda_one_the_return_is_what_the_rest_of_the_episode_pays(played):
    _, episodes, _ = played
    batch, start = make_batch(episodes, 1.0, 1.0), 0
    for number, turn in enumerate(episodes.turns):
        to_come = np.zeros(32)
        for later in episodes.turns[number:]:
            to_come[later.episodes] += later.rewards.numpy()
        found = batch.returns[start : start + len(turn.episodes)]
        written = turn.writing.tokens != NOTHING
        expected = torch.from_numpy(to_come[turn.episodes]).float()[:, None].expand_as(found)
        torch.testing.assert_close(found[written], expected[written], atol=1e-5, rtol=1e-4)
        start += len(turn.episodes)


def test_advantages_run_over_the_tokens_of_an_episode_from_turn_to_turn():
    gamma, lam = 0.9, 0.8
    values, rewards = [[0.1, 0.2, 0.0], [0.3, 0.4, 0.5]], [0.0, 1.0]
    turns = []
    for value, reward, tokens in zip(values, rewards, ([[1, 4, NOTHING]], [[0, 1, 4]])):
        writing = Writing(torch.tensor(tokens), torch.zeros(1, 3), torch.tensor([value]))
        turns.append(Turn(np.array([0]), torch.zeros(1, 2, 2, dtype=torch.uint8), writing, torch.tensor([reward])))
    batch = make_batch(Played(turns, np.ones(1), np.ones(1, bool), EpisodeStatistics(2, 3, 3, 3)), gamma, lam)
    flat_values, flat_rewards = [0.1, 0.2, 0.3, 0.4, 0.5, 0.0], [0, 0, 0, 0, 1.0]
    deltas = [r + gamma * flat_values[t + 1] - flat_values[t] for t, r in enumerate(flat_rewards)]
    naive = [sum((gamma * lam) ** (later - t) * deltas[later] for later in range(t, 5)) for t in range(5)]
    assert batch.advantages[batch.tokens != NOTHING].tolist() == pytest.approx(naive, abs=1e-6)


def test_the_same_random_numbers_give_the_same_episodes_and_greedy_ones_need_none():
    network, player = make_network(), Player(MAZES, 16, METHODS["wmact"], 6, split="train", **EASY)
    one, other = (player.play(network, 3, random_numbers(5), seed=7) for _ in range(2))
    assert all(torch.equal(a.writing.tokens, b.writing.tokens) for a, b in zip(one.turns, other.turns, strict=True))
    greedy = [player.play(network, 3, random_numbers(seed), seed=7, greedy=True).statistics for seed in (1, 2)]
    np.testing.assert_array_equal(greedy[0], greedy[1])


def test_the_network_reads_boards_of_every_size_and_does_not_care_where_on_them_things_are():
    network = make_network()
    small = "#######\n#@-.---\n#######"
    tokens = torch.tensor([[3, 3, network.stop]])
    for rows, columns in ((3, 7), (20, 31)):
        network(torch.full((1, rows, columns), ord("#"), dtype=torch.uint8), tokens)
    shifted = ["#" * 9, *(f"#{line}#" for line in small.split("\n")), "#" * 9]
    moved = ["#" * 9, "#" * 9, *shifted[1:-2], "#" * 9]
    with torch.no_grad():
        one, other = (network(encode(["\n".join([*board, *["#" * 9] * 4])]), tokens)[0] for board in (shifted, moved))
    assert (one - other).abs().max() < 0.05


def test_a_step_of_learning_makes_what_paid_likelier():
    network = make_network()
    player = Player(MAZES, 64, METHODS["interactive"], 6, split="train", **EASY)
    batch = make_batch(player.play(network, 1, random_numbers(), seed=0), 1.0, 1.0)
    paid = batch.returns[:, 0] > 0.5
    assert paid.any() and not paid.all()
    before = torch.optim.SGD(network.parameters(), 1e-2)
    update(network, before, batch, Learning(minibatches=1), random_numbers())
    with torch.no_grad():
        log_probs, _ = network(batch.boards, batch.tokens)
    gain = (log_probs.gather(2, batch.tokens.clamp(min=0)[..., None])[..., 0] - batch.log_probs)[:, 0]
    assert gain[paid].mean() > gain[~paid].mean()


def test_a_minibatch_is_worth_what_the_formulas_say():
    learning = Learning(minibatches=2, clip=0.2, value_weight=0.5, entropy=0.1, most_gradient=1e9)
    random = random_numbers(3)
    boards = torch.randint(35, 65, (8, 5, 5), generator=random).to(torch.uint8)
    tokens = torch.randint(0, 4, (8, 3), generator=random)
    tokens[:3, 1:] = NOTHING
    network = make_network()
    with torch.no_grad():
        now = network(boards, tokens)[0].gather(2, tokens.clamp(min=0)[..., None])[..., 0]
    old = now + torch.linspace(-0.6, 0.6, 24).view(8, 3)  # on both sides of the clip
    gains, returns = torch.randn(8, 3, generator=random), torch.randn(8, 3, generator=random)
    batch, twin = Batch(boards, tokens, old, gains, returns), make_network()
    written = tokens != NOTHING
    gains = (gains - gains[written].mean()) / gains[written].std(correction=0)
    order = torch.randperm(8, generator=random_numbers(1))
    rate, losses = 1e-2, []
    for turns in (order[:4], order[4:]):
        log_probs, values = twin(boards[turns], tokens[turns])
        total, count = 0.0, 0
        for row, turn in enumerate(turns.tolist()):
            for place in range(3):
                if tokens[turn, place] == NOTHING:
                    continue
                ratio = (log_probs[row, place, tokens[turn, place]] - old[turn, place]).exp()
                gain = gains[turn, place]
                best = min(ratio * gain, min(max(ratio, 0.8), 1.2) * gain)
                error = (values[row, place] - returns[turn, place]) ** 2 / (returns[written].var(correction=0) + 1e-4)
                surprise = -(log_probs[row, place].exp() * log_probs[row, place]).sum()
                total, count = total - best + 0.5 * error - 0.1 * surprise, count + 1
        twin.zero_grad()
        (total / count).backward()
        losses.append((total / count).item())
        with torch.no_grad():
            for weights in twin.parameters():
                weights -= rate * weights.grad
    update(network, torch.optim.SGD(network.parameters(), rate), batch, learning, random_numbers(1))
    for found, expected in zip(network.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
    assert losses[0] != losses[1]


def test_plans_are_cut_into_turns_that_together_solve():
    plans = make_plans(MAZES, 20, 6, seed=3, **EASY)
    lengths = (plans.tokens != NOTHING).sum(1)
    assert len(plans.boards) >= 20 and (lengths >= 1).all()
    stopped = plans.tokens.gather(1, lengths[:, None] - 1)[:, 0] == 4
    assert (stopped | (lengths == 6)).all()
    player = Player(MAZES, 1, METHODS["interactive"], 6, split="train", **EASY)
    texts, _ = player.envs.reset(seed=3)
    for board, row in zip(plans.boards, plans.tokens.tolist(), strict=True):
        assert torch.equal(encode(texts)[0], board)
        message = ", ".join(player.names[token] for token in row if 0 <= token < 4)
        texts, _, terminated, *_ = player.envs.step([f"<action>{message}</action>"])
        if terminated[0]:
            break
    assert terminated[0]


def test_imitation_makes_plans_likelier():
    plans, network = make_plans(MAZES, 60, 6, seed=3, **EASY), make_network()
    first = imitate(network, plans, 1, random_numbers())
    assert imitate(network, plans, 10, random_numbers()) < first
