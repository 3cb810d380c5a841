"""PettingZoo's own tests for every id, its conventions on errors, and the same games in all of its forms."""

import importlib
import re
import subprocess
import sys
import warnings

import numpy as np
import pytest

pytest.importorskip("pettingzoo")

import pettingzoo
from pettingzoo.test import (
    api_test,
    max_cycles_test,
    parallel_api_test,
    parallel_seed_test,
    performance_benchmark,
    render_test,
    seed_test,
    state_test,
)
from pettingzoo.utils import aec_to_parallel

import textworlds.multi
from textworlds import PUZZLES, Episode, find_id
from textworlds.grid import CHANGED, NOT_ASKED
from textworlds.ids import all_guide_ids, all_team_ids, find_team_id

TEAM_IDS = sorted(all_team_ids() | all_guide_ids())
EASY = [id for id in all_team_ids() if "easy" in id] + [
    "textworlds/Sokoban-hard-2p-v0",
    "textworlds/Maze-meeting-2p-v0",
]
NETWORK = {"observation": "picture", "action": "discrete"}
FORMS = {
    "text": {},
    "numbers": {"action": "discrete"},
    "network": NETWORK,
    "talk": {"talk": 40, "legend": True, "feedback": True},
    "window": {"view": 5},
    "fog": {"view": 3, "sight": True, "fog": True, "observation": "json"},
    "network with a view": {**NETWORK, "view": 3},
    "a guide": {"view": 3, "guides": 1, "talk": 40, "legend": True},
    "guides and pictures": {"sight": True, "guides": 2, "talk": 40, "observation": "picture"},
}
forms = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)


def module_of(id):
    return importlib.import_module(f"textworlds.multi.{find_team_id(id)[0].name}_v0")


def parallel(id=EASY[0], **settings):
    return module_of(id).parallel_env(id, **settings)


@pytest.fixture(autouse=True)
def _strictly():
    """Take PettingZoo's warnings for errors, but for those that say an observation is a dict, or a guide no agent."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.filterwarnings("ignore", message=".*(probably should be|not a NumPy array).*")
        warnings.filterwarnings("ignore", message="Agents have different observation space sizes")
        warnings.filterwarnings("ignore", message="Agents have different action space sizes")
        warnings.filterwarnings("ignore", message="Observations are different shapes")
        yield


@pytest.mark.parametrize("id", TEAM_IDS)
def test_every_id_passes_the_parallel_tests(id):
    parallel_api_test(parallel(id, turn_limit=30), num_cycles=60)
    parallel_seed_test(lambda: parallel(id), num_cycles=10)


@pytest.mark.parametrize("id", TEAM_IDS)
def test_every_id_passes_the_tests_of_agents_in_turn(id):
    env = module_of(id).env(id, turn_limit=20)
    api_test(env, num_cycles=40)
    seed_test(lambda: module_of(id).env(id), num_cycles=10)


@forms
@pytest.mark.parametrize("id", EASY)
def test_agents_have_the_same_spaces_and_guides_have_their_own(id, form):
    env = parallel(id, **form)
    agents = env.possible_agents[: env.joint.num_agents]
    for space in (env.observation_space, env.action_space):
        assert all(space(agent) == space(agents[0]) for agent in agents)
    assert all(env.action_space(guide) != env.action_space(agents[0]) for guide in env.possible_agents[len(agents) :])
    seen, _ = env.reset(seed=0)
    assert all(env.observation_space(agent).contains(seen[agent]) for agent in env.possible_agents)


@forms
@pytest.mark.parametrize("id", EASY)
def test_every_form_passes_the_tests(id, form):
    parallel_api_test(parallel(id, turn_limit=30, **form), num_cycles=60)
    parallel_seed_test(lambda: parallel(id, **form), num_cycles=10)
    api_test(module_of(id).env(id, turn_limit=20, **form), num_cycles=40)
    seed_test(lambda: module_of(id).env(id, **form), num_cycles=10)


@pytest.mark.parametrize("name", PUZZLES)
def test_modules_pass_the_tests_of_modules(name):
    module = importlib.import_module(f"textworlds.multi.{name}_v0")
    max_cycles_test(module)
    render_test(
        module.env,
        {mode: lambda result: result is not None for mode in ("ansi", "rgb_array")} | {"human": lambda _: True},
    )
    state_test(module.env(), module.parallel_env(), num_cycles=5)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("sokoban", {"height": 12, "width": 12, "num_boxes": 8, "owners": 1, "min_pushes": 0, "max_pushes": 0}),
        ("maze", {"height": 15, "width": 15, "loops": 40, "min_moves": 2, "max_moves": 30}),
        ("maze", {"height": 15, "width": 15, "meeting": 1, "min_moves": 2, "max_moves": 60}),
        ("taxi", {"height": 9, "width": 9, "num_passengers": 3, "num_stands": 4, "min_moves": 0, "max_moves": 0}),
    ],
)
def test_eight_agents_play(name, settings):
    module = importlib.import_module(f"textworlds.multi.{name}_v0")
    parallel_api_test(module.parallel_env(num_agents=8, turn_limit=20, talk=20, **settings), num_cycles=40)
    api_test(module.env(num_agents=8, turn_limit=20, **settings), num_cycles=40)


@pytest.mark.slow
@pytest.mark.parametrize("id", TEAM_IDS)
def test_every_id_takes_the_performance_benchmark(id, capsys):
    performance_benchmark(module_of(id).env(id, action="discrete"))
    assert float(re.search(r"([\d.]+) turns per second", capsys.readouterr().out)[1]) > 100


@pytest.mark.parametrize("id", EASY)
def test_all_forms_give_the_same_games(id):
    parallel_env, aec, raw = (
        parallel(id, **NETWORK),
        module_of(id).env(id, **NETWORK),
        module_of(id).raw_env(id, **NETWORK),
    )
    rng = np.random.default_rng(0)
    seen, _ = parallel_env.reset(seed=5)
    for one in (aec, raw):
        one.reset(seed=5)
        assert all(np.array_equal(one.observe(agent), seen[agent]) for agent in one.agents)
    for _ in range(20):
        actions = {agent: int(rng.integers(parallel_env.action_space(agent).n)) for agent in parallel_env.agents}
        seen, rewards, terminated, truncated, infos = parallel_env.step(actions)
        for one in (aec, raw):
            for agent in list(one.agents):
                assert one.agent_selection == agent
                one.step(actions[agent])
            for agent in one.agents:
                assert np.array_equal(one.observe(agent), seen[agent])
                assert one.rewards[agent] == rewards[agent]
                assert (one.terminations[agent], one.truncations[agent]) == (terminated[agent], truncated[agent])
                assert one.infos[agent]["changed"] == infos[agent]["changed"]
        if not parallel_env.agents:
            break


def test_messages_and_numbers_give_the_same_games():
    told, numbers = parallel(), parallel(**NETWORK)
    seen, _ = told.reset(seed=3)
    pictures, _ = numbers.reset(seed=3)
    words = (*(names[0] for names in told.joint.words.vocabulary.names), "wait")
    rng = np.random.default_rng(2)
    for _ in range(30):
        if not told.agents:
            break
        assert all(np.array_equal(seen[agent]["observation"], pictures[agent]) for agent in told.agents)
        actions = {agent: int(rng.integers(len(words))) for agent in told.agents}
        seen, *ends, infos = told.step(
            {agent: f"<action>{words[action]}</action>" for agent, action in actions.items()}
        )
        pictures, *others, plain = numbers.step(actions)
        assert ends == others
        for agent, info in infos.items():
            assert info["changed"] == [plain[agent]["changed"]] and info["reason"] == [plain[agent]["reason"]]
            assert info["num_changed"] == plain[agent]["num_changed"]


def test_infos_say_who_said_what():
    env = parallel("Maze-easy-guide-v0", observation="picture")
    env.reset(seed=0)
    *_, infos = env.step({"player_0": "<action>wait</action>", "guide_0": "<say>left</say>"})
    assert infos["player_0"]["heard"] == {"the guide": "left"} and infos["player_0"]["said"] == ""
    assert infos["guide_0"]["heard"] == {} and infos["guide_0"]["said"] == "left"


@pytest.mark.parametrize("name", PUZZLES)
def test_one_agent_gets_the_infos_of_the_single_environment(name):
    id = next(iter(PUZZLES[name].ids))
    env = importlib.import_module(f"textworlds.multi.{name}_v0").parallel_env(id)
    (agent,), alone = env.possible_agents, Episode(id)
    seen, infos = env.reset(seed=4)
    assert seen[agent]["text"] == alone.reset(4) and infos[agent] == alone.totals()
    names = [names[0] for names in find_id(id)[0].words.vocabulary.names]
    for message in [f"<action>{', '.join(names)}</action>", "nothing", f"<action>{names[1]}</action>"]:
        seen, rewards, terminated, truncated, infos = env.step({agent: message})
        result = alone.act(message)
        assert (seen[agent]["text"], rewards[agent], terminated[agent], truncated[agent], infos[agent]) == result
        np.testing.assert_array_equal(seen[agent]["observation"][: len(alone.picture())], alone.picture())
        assert seen[agent]["action_mask"].tolist() == alone.action_mask().tolist()


def test_agents_see_themselves_first():
    env = parallel("Maze-easy-4p-v0", **NETWORK)
    seen, _ = env.reset(seed=1)
    planes, cells = 1 + 4, env.joint.episodes.worlds.state.agents[0].tolist()
    for number, agent in enumerate(env.possible_agents):
        own = [int(np.flatnonzero(plane)[0]) for plane in seen[agent][planes:]]
        assert own == cells[number:] + cells[:number]
        exits = env.joint.episodes.worlds.pictures()[0, 1:]
        np.testing.assert_array_equal(seen[agent][1:planes], np.roll(exits, -number, axis=0))


def test_each_agents_share_of_effective_actions_is_in_its_infos():
    env = parallel("Maze-easy-2p-v0")
    env.reset(seed=0)
    _, _, _, _, infos = env.step(
        dict(zip(env.agents, ["<action>wait</action>", "<action>up, down, left, right, up</action>"]))
    )
    for agent, info in infos.items():
        assert info["num_asked"] == (0 if agent == "player_0" else 5)
        assert info["num_changed"] == sum(info["changed"]) == info["reason"].count(CHANGED)
    assert infos["player_0"]["reason"] == [NOT_ASKED]
    assert infos["player_0"]["num_turns"] == infos["player_1"]["num_turns"] == 1


@pytest.mark.parametrize(
    ("actions", "sentence"),
    [
        ({"player_0": 0}, "an action is needed for every agent; missing: player_1"),
        ({"player_0": 0, "player_1": 0, "B": 0}, "unknown agent 'B'; known: player_0, player_1"),
        ({"player_0": 0, "player_1": 9}, "player_1 cannot take 9: not in Discrete(5)"),
    ],
)
def test_actions_that_are_none_are_refused_in_a_sentence(actions, sentence):
    env = parallel("Sokoban-easy-2p-v0", **NETWORK)
    env.reset(seed=0)
    with pytest.raises(ValueError, match=re.escape(sentence)):
        env.step(actions)
    assert env.joint.book["num_turns"][0] == 0


def test_a_dead_agent_takes_no_more_actions():
    env = parallel("Sokoban-easy-2p-v0", max_cycles=1, **NETWORK)
    env.reset(seed=0)
    _, _, _, truncated, _ = env.step({"player_0": 0, "player_1": 0})
    assert truncated == {"player_0": True, "player_1": True} and env.agents == []
    with pytest.raises(ValueError, match="when an agent is dead"):
        env.step({"player_0": 0})
    assert env.step({}) == ({}, {}, {}, {}, {})
    env.reset()
    assert env.agents == env.possible_agents


def test_levels_are_for_as_many_agents_as_play(tmp_path):
    drawing = "#######\n#@-$-.#\n#@-----\n#######".replace("-----", "----#")
    path = tmp_path / "two.xsb"
    path.write_text(drawing + "\n")
    env = parallel("Sokoban-easy-2p-v0", levels=str(path))
    seen, infos = env.reset(seed=0)
    assert (
        seen["player_1"]["text"] == "#######\n#A-$-.#\n#@----#\n#######\nyou are B" and infos["player_0"]["index"] == 0
    )
    for num_agents, where in ((3, r"3 play here"), (1, "exactly one")):
        with pytest.raises(ValueError, match=where):
            parallel("Sokoban-easy-2p-v0", levels=str(path), num_agents=num_agents)
    with pytest.raises(ValueError, match="3 players play here; this level has 2"):
        parallel("Sokoban-easy-2p-v0", num_agents=3).reset(seed=0, options={"level": drawing})
    with pytest.raises(ValueError, match="level sets hold levels for one player"):
        parallel("Sokoban-easy-2p-v0", levels="Sokoban-easy-v0-test")
    with pytest.raises(ValueError, match="those of the level given have"):
        parallel("Sokoban-easy-2p-v0").reset(seed=0, options={"level": drawing})


def test_modules_and_ids_are_found_by_name():
    from textworlds.multi import maze_v0

    assert importlib.import_module("textworlds.multi.maze_v0") is maze_v0
    with pytest.raises(ValueError, match="'Sokoban-easy-2p-v0' is an id of sokoban, not of maze"):
        maze_v0.parallel_env("Sokoban-easy-2p-v0")
    with pytest.raises(ValueError, match=r"unknown id 'Maze-easy-3p-v0'; the nearest are: .*Maze-easy-2p-v0"):
        maze_v0.parallel_env("Maze-easy-3p-v0")


@pytest.mark.skipif(not hasattr(pettingzoo, "register"), reason="this PettingZoo has no registry")
@pytest.mark.parametrize("id", TEAM_IDS)
def test_ids_are_in_pettingzoos_registry(id):
    env, aec = pettingzoo.make("parallel", id), pettingzoo.make("aec", id)
    assert env.possible_agents == aec.possible_agents and aec_to_parallel(aec).metadata == env.metadata


def test_without_pettingzoo_a_sentence_says_what_to_install():
    code = (
        "import sys; sys.modules['pettingzoo'] = None\n"
        "from textworlds.multi import JointEpisodes, sokoban_v0\n"
        "try: sokoban_v0.parallel_env()\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == 'environments for several agents need PettingZoo: pip install "textworlds[multi]"\n'
    assert textworlds.multi.JointEpisodes
