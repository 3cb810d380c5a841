"""Joint episodes as PettingZoo environments: thin translators around JointEpisodes."""

from typing import Any

import numpy as np
from gymnasium import spaces
from pettingzoo import AECEnv, ParallelEnv
from pettingzoo.utils.conversions import parallel_to_aec_wrapper
from pettingzoo.utils.wrappers import BaseWrapper, OrderEnforcingWrapper

from textworlds.checks import check_whole, seeds_from
from textworlds.envs.single import RENDER_MODES, check_rendering
from textworlds.envs.spaces import MessageSpace, ObservationSpace
from textworlds.episodes import TOTALS
from textworlds.grid import OVER_LIMIT
from textworlds.ids import find_team_id
from textworlds.multi.joint import WAIT, JointEpisodes
from textworlds.multi.turns import JointTurn
from textworlds.pixels import draw_pixels
from textworlds.puzzles import find_puzzle
from textworlds.text import formats
from textworlds.text.words import Vocabulary

WORLD = 0
Seen = dict[str, Any]


class TextWorldParallelEnv(ParallelEnv[str, Any, Any]):
    """One world in which several agents take joint turns; see JointEpisodes for whose turn is when.

    Agents are called "player_0", "player_1" (by the puzzle's noun), as PettingZoo's tools like it; in texts they are A, B,
    ... (`names`), one character each. Guides are "guide_0", ..., after them. An observation is a dict: `observation`,
    uint8[P + A, h, w] (JointEpisodes.pictures; whole_pictures for a guide); `text`; and `action_mask`, int8[number of
    actions]. With observation="picture" it is the picture alone, and the mask is in the info. Actions are messages, or numbers with action="discrete". `infos[agent]` is the ledger of textworlds.Episode
    for that agent's own actions; `num_asked`, `num_changed` and `num_novel` are its own, `num_turns`, `goals_left`, `solved` and
    `deadlocked` the team's.

    Args:
        puzzle: name of the puzzle.
        max_cycles: turn_limit, as PettingZoo calls it; the smaller of the two holds.
        render_mode, tile_size: as for TextWorldEnv.
        **settings: as for JointEpisodes.
    """

    metadata: dict[str, Any] = {"render_modes": RENDER_MODES, "render_fps": 4, "is_parallelizable": True}

    def __init__(
        self,
        puzzle: str,
        *,
        max_cycles: int | None = None,
        render_mode: str | None = None,
        tile_size: int = 48,
        **settings: Any,
    ) -> None:
        check_rendering(render_mode, tile_size)
        self.joint = JointEpisodes(find_puzzle(puzzle), 1, **settings)
        self.metadata = {**self.metadata, "name": f"textworlds_{puzzle}_v0"}
        self.render_mode, self.tile_size = render_mode, tile_size
        if max_cycles is not None:
            check_whole(max_cycles=max_cycles)
            self.max_cycles = min(max_cycles, self.max_cycles)
        episodes = self.joint.episodes
        num_agents, num_seats = self.joint.num_agents, self.joint.num_seats
        self.possible_agents = [f"{self.joint.words.agent}_{number}" for number in range(num_agents)]
        self.possible_agents += [f"guide_{number}" for number in range(num_seats - num_agents)]
        self.names = dict(zip(self.possible_agents, self.joint.names, strict=True))
        self.agents: list[str] = []
        self._spaces = {agent: self._make_spaces(seat) for seat, agent in enumerate(self.possible_agents)}
        self._flags = [name for _, name in episodes.flags]
        self.state_space = spaces.Box(0, 255, self.joint.whole_shape, np.uint8)
        self._random = np.random.default_rng()
        self._has_seed = False

    @property
    def max_cycles(self) -> int:
        """Turns after which an episode is truncated; a new value holds from the next episode."""
        return self.joint.episodes.turn_limit

    @max_cycles.setter
    def max_cycles(self, turns: int) -> None:
        check_whole(max_cycles=turns)
        self.joint.episodes.turn_limit = int(turns)

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        return self._spaces[self._known(agent)][0]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        return self._spaces[self._known(agent)][1]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Seen, dict[str, Seen]]:
        """Begin an episode.

        Args:
            seed: the level is the seed's first; without one, the next level of the last seed (a random one at first).
            options: {"level": a drawing, a Level or a picture} to play that one. Other options are not ours, and are let be.
        """
        if not isinstance(options, dict | None):
            raise ValueError(f"the options of reset are a dict; got {options!r:.80}")
        if seed is None and not self._has_seed:
            seed = int(self._random.integers(1 << 63))
        world, seeds = np.zeros(1, np.int64), None if seed is None else seeds_from([seed])
        self.agents = []
        if options and "level" in options:
            self._check_fits(options["level"], world, seeds)
        else:
            self.joint.begin(world, seeds)
        self._has_seed = True
        self.agents = list(self.possible_agents)
        if self.render_mode == "human":
            self.render()
        return self._see(None), {agent: self._totals(place, {}) for place, agent in enumerate(self.agents)}

    def step(
        self, actions: dict[str, Any]
    ) -> tuple[Seen, dict[str, float], dict[str, bool], dict[str, bool], dict[str, Seen]]:
        """Play one joint turn: an action for each agent that is alive."""
        self._check_actions(actions)
        if not self.agents:
            return {}, {}, {}, {}, {}
        turn = self.joint.act([[actions[agent] for agent in self.possible_agents]])
        seen, book = self._see(turn), self.joint.book
        terminated, truncated = bool(book["terminated"][WORLD]), bool(book["truncated"][WORLD])
        infos = {agent: self._totals(place, self._ledger(turn, place)) for place, agent in enumerate(self.agents)}
        rewards = dict(zip(self.agents, turn.rewards[WORLD].tolist(), strict=True))
        ends = dict.fromkeys(self.agents, terminated), dict.fromkeys(self.agents, truncated)
        if terminated or truncated:
            self.agents = []
        if self.render_mode == "human":
            self.render()
        return seen, rewards, *ends, infos

    def state(self) -> np.ndarray:
        """Return the whole world, uint8[P + A, H, W]: what the first agent sees if it sees all."""
        return self.joint.whole_pictures()[WORLD]

    def render(self) -> Any:
        """Return the world as render_mode says, or print it."""
        picture, words = self.joint.episodes.worlds.pictures()[WORLD], self.joint.words
        if self.render_mode is None:
            return None
        if self.render_mode == "rgb_array":
            return draw_pixels(picture, self.tile_size)
        told = picture if words.passenger else picture[:1]
        text = formats.write(told, "dense", words) + "\n"
        if self.render_mode == "ansi":
            return text
        print(text)
        return None

    def close(self) -> None:
        """Do nothing; there is nothing to close."""

    def _make_spaces(self, seat: int) -> tuple[spaces.Space[Any], spaces.Space[Any]]:
        joint, vocabulary = self.joint, self.joint.translator.words.vocabulary
        shape, num_actions = joint.picture_shape, joint.num_actions
        if seat >= joint.num_agents:
            shape, num_actions, vocabulary = joint.whole_shape, 1, Vocabulary((WAIT,), num_directions=0)
        picture = spaces.Box(0, 255, shape, np.uint8)
        action: spaces.Space[Any] = MessageSpace(vocabulary, joint.translator.grammar)
        if joint.episodes.takes_numbers:
            action = spaces.Discrete(num_actions)
        if joint.episodes.speaks_pictures:
            return picture, action
        text, mask = ObservationSpace(joint.max_length), spaces.MultiBinary(num_actions)
        return spaces.Dict({"observation": picture, "text": text, "action_mask": mask}), action

    def _known(self, agent: str) -> str:
        if agent not in self.names:
            raise ValueError(f"unknown agent {agent!r}; known: {', '.join(self.possible_agents)}")
        return agent

    def _check_actions(self, actions: dict[str, Any]) -> None:
        if not isinstance(actions, dict):
            raise ValueError(f"actions are a dict, agent -> action; got {actions!r:.80}")
        for agent, action in actions.items():
            if self._known(agent) not in self.agents:
                raise ValueError(
                    f"{agent}'s episode is over: when an agent is dead, it takes no more actions; call reset() to begin one"
                )
            check_action(agent, action, self.action_space(agent))
        if missing := [agent for agent in self.agents if agent not in actions]:
            raise ValueError(f"an action is needed for every agent; missing: {', '.join(missing)}")

    def _check_fits(self, level: Any, world: np.ndarray, seeds: np.ndarray | None) -> None:
        """Place a level of the size that the observation spaces have."""
        shape, before = self.joint.whole_shape, self.joint.get_state()
        self.joint.place(world, level, seeds)
        if (found := self.joint.whole_shape) != shape:
            self.joint.set_state(before)
            raise ValueError(f"pictures here have the shape {shape}; those of the level given have {found}")

    def _see(self, turn: JointTurn | None) -> Seen:
        pictures = [*self.joint.pictures()[WORLD]]
        if self.joint.num_seats > self.joint.num_agents:
            pictures += [*self.joint.whole_pictures()] * (self.joint.num_seats - self.joint.num_agents)
        if self.joint.episodes.speaks_pictures:
            return dict(zip(self.agents, pictures, strict=True))
        texts = self.joint.observe(turn)[WORLD]
        return {
            agent: {"observation": pictures[seat], "text": texts[seat], "action_mask": self._mask(seat)}
            for seat, agent in enumerate(self.agents)
        }

    def _mask(self, seat: int) -> np.ndarray:
        """Return a seat's action mask, int8[number of actions]; a guide can always wait."""
        if seat >= self.joint.num_agents:
            return np.ones(1, np.int8)
        return self.joint.action_masks()[WORLD, seat].astype(np.int8)

    def _ledger(self, turn: JointTurn, agent: int) -> Seen:
        """Return what became of an agent's own actions in a turn; see textworlds.Episode."""
        if agent >= self.joint.num_agents:
            return {name: [] for name in (*self._flags, "reason", "actions")} | {"asked": 0}
        lines, reading = turn.ledger[WORLD, agent], turn.reading(WORLD, agent)
        if reading is None:
            ledger: Seen = {name: bool(lines[name][0]) for name in self._flags}
            return ledger | {"reason": int(lines["reason"][0]), "asked": int(turn.num_asked[WORLD, agent])}
        kept, over = len(reading.actions), reading.over
        ledger = {name: lines[name][:kept].tolist() + [False] * over for name in self._flags}
        ledger["reason"] = lines["reason"][:kept].tolist() + [OVER_LIMIT] * over
        ledger |= {"asked": kept + over, "actions": [*reading.actions]}
        return ledger | {"outcome": reading.outcome, "why": reading.why}

    def _totals(self, agent: int, ledger: Seen) -> Seen:
        """Add an agent's counts of the episode so far to its ledger, and the team's; return it."""
        joint, book = self.joint, self.joint.book
        counts = (book["num_turns"], joint.num_asked[:, agent], joint.num_changed[:, agent], joint.num_novel[:, agent])
        for name, count in zip(TOTALS, counts, strict=True):
            if name in joint.episodes.total_names:
                ledger[name] = int(count[WORLD])
        left = int(book["left"][WORLD])
        ledger |= {"goals_left": left, "solved": left == 0, "deadlocked": bool(book["lost"][WORLD])}
        ledger["outcome_reward"] = 0.0 if left else joint.episodes.worlds.outcome_reward
        if joint.episodes.worlds.levels is not None:
            ledger["index"] = int(book["index"][WORLD])
        if joint.episodes.speaks_pictures or joint.episodes.gives_mask:
            ledger["action_mask"] = self._mask(agent)
        if joint.talk:
            said = dict(zip(joint.names, joint.said[WORLD], strict=True))
            ledger["said"] = said.pop(joint.names[agent])
            ledger["heard"] = {name: words for name, words in said.items() if words}
        return ledger


def make_parallel(puzzle: str, id: str, **settings: Any) -> TextWorldParallelEnv:
    """Return the environment of an id for teams; settings replace the id's."""
    found, defaults = find_team_id(id)
    if found.name != puzzle:
        raise ValueError(f"{id!r} is an id of {found.name}, not of {puzzle}")
    return TextWorldParallelEnv(puzzle, **{**defaults, **settings})


def make_raw(puzzle: str, id: str, **settings: Any) -> AECEnv[str, Any, Any]:
    """Return the same environment, agent after agent, by PettingZoo's own conversion."""
    return parallel_to_aec_wrapper(make_parallel(puzzle, id, **settings))


def make_aec(puzzle: str, id: str, **settings: Any) -> AECEnv[str, Any, Any]:
    """Return that with PettingZoo's usual wrapper, which tells what is called out of order."""
    return OrderEnforcingWrapper(ActionCheckingWrapper(make_raw(puzzle, id, **settings)))


class ActionCheckingWrapper(BaseWrapper[str, Any, Any]):
    """Refuses an action when its agent takes it; PettingZoo's conversion would find out with the last agent's."""

    def step(self, action: Any) -> None:
        agent = self.agent_selection
        if self.terminations.get(agent) or self.truncations.get(agent):
            if action is not None:
                raise ValueError(f"{agent}'s episode is over: when an agent is dead, the only valid action is None")
        else:
            check_action(agent, action, self.action_space(agent))
        super().step(action)


def check_action(agent: str, action: Any, space: spaces.Space[Any]) -> None:
    """Raise ValueError unless an agent can take an action; messages may be bytes."""
    if not (space.contains(action) or (isinstance(action, bytes) and isinstance(space, MessageSpace))):
        raise ValueError(f"{agent} cannot take {action!r:.80}: not in {space}")
