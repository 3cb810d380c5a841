"""The reference agent: its formulas, that it learns what it wrote, and that a run repeats itself."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from textworlds.agents import wmact  # noqa: E402
from textworlds.agents.wmact import Network, Player, Settings, annealed_limit, encode, score, wilson  # noqa: E402
from textworlds.cli import main  # noqa: E402

MAZES = "textworlds/Maze-easy-v0"
TINY = Settings(MAZES, minutes=None, iterations=3, episodes=16, evaluated=32, channels=8, depth=2, hidden=16, tau=2)


@pytest.mark.parametrize(
    "turns, limit, expected",
    [([12, 12], 12, 12), ([1, 5], 12, 4), ([2, 3], 12, 3), ([1, 1, 1], 12, 1), ([20, 20], 12, 12), ([0, 0], 5, 1)],
)
def test_the_limit_is_the_middle_of_mean_and_most_turns_rounded_up_and_never_raised(turns, limit, expected):
    assert annealed_limit(turns, limit) == expected


def test_texts_become_their_characters_by_row_and_column():
    boards = encode(["#-\n@#", "##\n.-"])
    assert boards.shape == (2, 2, 2)
    assert [chr(code) for code in boards.flatten()] == list("#-@###.-")
    assert encode(["abc\nd"]).tolist() == [[[97, 98, 99], [100, 32, 32]]]


@pytest.fixture(scope="module")
def played():
    torch.manual_seed(0)
    player = Player(TINY, 32, "train", 0)
    network = Network(len(player.names), player.shape, TINY)
    return player, network, *player.play(network, 4)


def test_a_turn_asks_for_an_action_at_least_and_nothing_follows_a_stop(played):
    _, network, batch, _ = played
    for row in batch.writing.tokens.tolist():
        kept = [token for token in row if token >= 0]
        assert kept[0] != network.stop and network.stop not in kept[:-1]
        assert row[len(kept) :] == [-1] * (len(row) - len(kept))


def test_what_was_written_scores_the_same_when_it_is_read_again(played):
    _, network, batch, _ = played
    written = batch.writing.tokens >= 0
    with torch.no_grad():
        log_probs, values = score(network, batch.boards, batch.writing.tokens)
    torch.testing.assert_close(log_probs[written], batch.writing.log_probs[written], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(values[written], batch.writing.values[written], atol=1e-5, rtol=1e-4)


def test_every_episode_ends_and_is_paid_by_its_effective_share(played):
    _, _, batch, outcome = played
    assert (outcome.num_turns >= 1).all() and (outcome.num_turns <= 4).all()
    assert len(batch.boards) == outcome.num_turns.sum()
    paid = outcome.solved * outcome.num_changed / outcome.num_asked
    np.testing.assert_allclose(outcome.reward, paid)


def test_levels_for_evaluation_are_never_trained_on(played):
    player, *_ = played
    judge = Player(TINY, 64, "test", 0)
    texts = set()
    for _ in range(5):
        player.begin()
        judge.begin()
        assert not set(player.texts) & set(judge.texts)
        texts |= set(judge.texts)
    assert len(texts) > 64


def test_intervals_are_wilsons():
    share, low, high = wilson(8, 10)
    assert share == 0.8 and (round(low, 3), round(high, 3)) == (0.490, 0.943)
    assert wilson(0, 10)[1] == 0 and wilson(10, 10)[2] == 1


def test_the_same_seed_gives_the_same_run():
    runs = [wmact.train(TINY, say=lambda text: None) for _ in range(2)]
    weights = [torch.cat([part.flatten() for part in run["network"].parameters()]) for run in runs]
    assert torch.equal(*weights)
    assert runs[0]["after"] == runs[1]["after"]


def test_the_command_says_what_it_found(capsys):
    assert main(["wmact", "train", "Maze-easy-v0", "--iterations", "1", "--episodes", "8"]) == 0
    out = capsys.readouterr().out
    assert "before: multi-turn success" in out and "after:  multi-turn success" in out
    assert "single-turn success" in out and "1 iterations of 8 episodes" in out and "in the environment" in out


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["Mazy-v0"], "unknown id 'Mazy-v0'"),
        (["Maze-easy-v0", "--minutes", "-1"], "must be above 0; got -1"),
        (["Maze-easy-v0", "--seed", "-1"], "must be from 0 to 2**31 - 1; got -1"),
        (["Maze-easy-v0", "--iterations", "0"], "must be at least 1; got 0"),
        (["Maze-easy-v0", "--episodes", "many"], "invalid whole value: 'many'"),
        ([], "required: ID"),
    ],
)
def test_bad_input_gets_one_sentence(arguments, sentence, capsys):
    assert main(["wmact", "train", *arguments]) == 2
    error = capsys.readouterr().err
    assert sentence in error and len(error.splitlines()) == 1


@pytest.mark.slow
def test_it_learns():
    settings = Settings(MAZES, minutes=None, iterations=60, episodes=128, evaluated=256)
    run = wmact.train(settings, say=lambda text: None)
    assert run["after"]["multi_turn"][1] > run["before"]["multi_turn"][2]
