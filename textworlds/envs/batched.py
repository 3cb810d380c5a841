"""N worlds as one Gymnasium vector environment: a thin translator around Episodes."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from textworlds.checks import check_whole, seeds_from
from textworlds.envs.single import RENDER_MODES, check_options, check_rendering, make_spaces
from textworlds.episode import HasEpisodes
from textworlds.episodes import Episodes, Turn, check_alone
from textworlds.levels.making import NoLevel
from textworlds.pixels import draw_pixels
from textworlds.play import DISABLED, NEXT_STEP, SAME_STEP
from textworlds.puzzles import find_puzzle
from textworlds.text import formats
from textworlds.worlds import Snapshot

AUTORESETS = {
    AutoresetMode.DISABLED: DISABLED,
    AutoresetMode.SAME_STEP: SAME_STEP,
    AutoresetMode.NEXT_STEP: NEXT_STEP,
}


class TextWorldVectorEnv(HasEpisodes, VectorEnv):
    """N worlds of one puzzle, played by one call. It belongs to one thread at a time.

    World i of `reset(seed=s)` plays what a single environment plays after `reset(seed=s + i)`. Observations are a tuple
    of N texts, or uint8[N, P, H, W]; actions N messages, or int[N]. Info holds arrays with Gymnasium's masks: the
    ledger's flags, `reason` and `actions` as [N, T], T the longest list of actions kept in this turn (just [N] for
    discrete actions), padded with False, grid.NOT_ASKED and -1; `asked` [N], those over the limit included; `outcome` [N];
    `why`, an object array, only when a message was not read whole; and the counts [N]. Masks that are equal are one array,
    and `final_info` shares with info what both hold.

    Args:
        puzzle: name of the puzzle.
        num_envs: N.
        autoreset_mode: one of gymnasium.vector.AutoresetMode, or its value.
        max_episode_steps: an upper bound on turn_limit, as gym.make_vec gives it.
        render_mode: "ansi" or "rgb_array" (a tuple of N), "human" (printed after each step), or None.
        tile_size: pixels of a cell's side.
        **settings: as for textworlds.episodes.Episodes.
    """

    def __init__(
        self,
        puzzle: str,
        num_envs: int = 1,
        *,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        max_episode_steps: int | None = None,
        render_mode: str | None = None,
        tile_size: int = 48,
        **settings: Any,
    ) -> None:
        check_rendering(render_mode, tile_size)
        self.episodes = Episodes(find_puzzle(puzzle), num_envs, **settings)
        check_alone(self.episodes)
        if max_episode_steps is not None:
            check_whole(max_episode_steps=max_episode_steps)
            self.episodes.most_turns = int(max_episode_steps)
            self.turn_limit = self.turn_limit
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {"render_modes": RENDER_MODES, "render_fps": 4, "autoreset_mode": self.autoreset_mode}
        self.render_mode = render_mode
        self.tile_size = tile_size
        self.num_envs = num_envs
        self.single_observation_space, self.single_action_space = make_spaces(self.episodes)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._has_seeds = False

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin an episode in all worlds.

        Args:
            seed: s for the seeds s, s + 1, ..., or a list of N; None goes on with the last seeds (random ones at first).
            options: {"reset_mask": bool[N]} to begin only in some worlds; {"level": ...} to play that level in them, or
                {"index": i} the levels[i], or one index for each world that is reset.
        """
        options = check_options(options, ("reset_mask", "level", "index"))
        mask = self._check_mask(options.get("reset_mask"))
        indices = None
        if "index" in options:
            indices = self.episodes.find_indices(options["index"], int(mask.sum()))
        super().reset(seed=seed if isinstance(seed, int) else None)
        if not (self._has_seeds or mask.all()):
            raise ValueError("the first reset begins all worlds; reset_mask is for later ones")
        worlds, seeds = np.flatnonzero(mask), self._seeds(seed)
        seeds = None if seeds is None else seeds[worlds]
        if "level" in options:
            self.episodes.place(worlds, options["level"], seeds)
        else:
            self._begin(worlds, seeds, indices)
        self._has_seeds = True
        observation = self._observe(begun=mask)
        if self.render_mode == "human":
            self.render()
        return observation, self._with_asked(self._totals(self.episodes.worlds.tell(), mask), mask)

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Play one turn in every world; worlds whose episode ended are treated as autoreset_mode says."""
        if not self._has_seeds:
            raise RuntimeError("call reset() before the first turn")
        if self.autoreset_mode is AutoresetMode.DISABLED and (over := self.episodes.worlds.over()).any():
            raise RuntimeError(
                f"worlds {np.flatnonzero(over)[:5].tolist()} are over; reset them with a reset_mask first"
            )
        try:
            turn = self.episodes.act(actions, AUTORESETS[self.autoreset_mode], self.episodes.speaks_pictures)
        except NoLevel:
            self._has_seeds = False
            raise
        told, now = turn.told, turn.now
        reward, terminated, truncated = (told[name].copy() for name in ("reward", "terminated", "truncated"))
        info = self._ledger(turn)
        if now is not told:
            info = self._final(turn, terminated | truncated, info)
        observation = (
            turn.pictures if self.episodes.speaks_pictures else self._observe(turn=turn, begun=self._begun(told))
        )
        if self.render_mode == "human":
            self.render()
        everywhere = np.ones(self.num_envs, bool)
        info |= self._totals(now, everywhere)
        return observation, reward, terminated, truncated, self._with_asked(info, everywhere)

    def _begun(self, told: np.ndarray) -> np.ndarray:
        """Return which worlds stand at the beginning of an episode after a turn, bool[N]."""
        begun = ~told["took_part"]
        if self.autoreset_mode is AutoresetMode.SAME_STEP:
            begun |= told["terminated"] | told["truncated"]
        return begun

    def render(self) -> Any:
        """Return the worlds as render_mode says, a tuple of N, or print them."""
        if self.render_mode == "rgb_array":
            return tuple(draw_pixels(picture, self.tile_size) for picture in self.episodes.worlds.pictures())
        if self.render_mode is None:
            return None
        words = self.episodes.puzzle.words
        texts = tuple(formats.write(picture, "dense", words) + "\n" for picture in self.episodes.worlds.pictures())
        if self.render_mode == "ansi":
            return texts
        print(*texts, sep="\n")
        return None

    def action_masks(self) -> np.ndarray:
        """Return which actions would change each world now, bool[N, number of actions]."""
        return self.episodes.worlds.action_masks()

    def get_state(self) -> Snapshot:
        """Return all that playing on depends on, for all worlds; set_state goes back there, as often as you like."""
        return self.episodes.worlds.snapshot()

    def set_state(self, state: Snapshot) -> None:
        """Go back to where get_state was called."""
        self.episodes.restore(state)
        self._has_seeds = bool(self.episodes.worlds.book["turn_limit"].all())

    def _begin(self, *worlds_and_levels: Any) -> None:
        try:
            self.episodes.begin(*worlds_and_levels)
        except NoLevel:
            self._has_seeds = False
            raise

    def _seeds(self, seed: int | list[int | None] | None) -> np.ndarray | None:
        """Return a seed for each world, uint64[N], or None to go on with those that the worlds have."""
        if seed is None and self._has_seeds:
            return None
        if isinstance(seed, int | np.integer) and not isinstance(seed, bool):
            return seeds_from([int(seed) + world for world in range(self.num_envs)])
        random = self.np_random.integers(1 << 63, size=self.num_envs)
        given = [None] * self.num_envs if seed is None else seed
        if not isinstance(given, Sequence | np.ndarray) or isinstance(given, str) or len(given) != self.num_envs:
            raise ValueError(f"seed is a whole number or {self.num_envs} of them, one a world; got {seed!r}")
        return seeds_from([int(drawn) if one is None else one for one, drawn in zip(given, random, strict=True)])

    def _check_mask(self, mask: Any) -> np.ndarray:
        if mask is None:
            return np.ones(self.num_envs, bool)
        mask = np.asarray(mask)
        if mask.shape != (self.num_envs,) or mask.dtype != bool or not mask.any():
            raise ValueError(f"reset_mask must be bool[{self.num_envs}] with at least one True")
        return mask

    def _observe(self, **shown: Any) -> Any:
        seen = self.episodes.observe(**shown)
        return tuple(seen) if isinstance(seen, list) else seen

    def _ledger(self, turn: Turn) -> dict[str, Any]:
        """Return what a turn did, with Gymnasium's masks."""
        ledger, played = turn.ledger, turn.played.copy()
        if self.episodes.takes_numbers:
            ledger = ledger[:, 0]
        info: dict[str, Any] = {name: ledger[name] for _, name in self.episodes.flags}
        info["reason"], info["asked"] = ledger["reason"], turn.num_asked
        if turn.asked is not None:
            info["actions"], info["outcome"] = turn.actions, turn.asked.outcomes
        info |= dict.fromkeys(mask_names(*info), played)
        if turn.asked is not None and turn.asked.outcomes.any():
            info["why"] = np.array([turn.asked.readings[row].why for row in turn.asked.rows], object)
            info["_why"] = played & (turn.asked.outcomes > 0)
        return info

    def _totals(self, told: np.ndarray, mask: np.ndarray) -> dict[str, Any]:
        """Return the counts of all worlds, with Gymnasium's masks."""
        totals = {name: told[name] for name in self.episodes.total_names} | {
            "goals_left": told["left"],
            "deadlocked": told["lost"],
            "solved": told["solved"],
            "outcome_reward": told["outcome_reward"],
        }
        if self.episodes.worlds.levels is not None:
            totals["index"] = told["index"]
        return totals | dict.fromkeys(mask_names(*totals), mask)

    def _with_asked(self, info: dict[str, Any], mask: np.ndarray) -> dict[str, Any]:
        """Add what is only told if it was asked for, with Gymnasium's masks."""
        if self.episodes.gives_distance:
            info["distance"], info["_distance"] = self.episodes.worlds.distances(), mask
        if self.episodes.gives_mask:
            info["action_mask"] = self.action_masks().astype(np.int8)
            info["_action_mask"] = np.ones(self.num_envs, bool)
        return info

    def _final(self, turn: Turn, ended: np.ndarray, info: dict[str, Any]) -> dict[str, Any]:
        """Move what belongs to the episodes that just ended into final_obs and final_info; the arrays are shared."""
        if not ended.any():  # worlds that set_state put back to where their episodes were over
            return info
        last = np.empty(self.num_envs, object)
        worlds = np.flatnonzero(ended)
        for world, seen in zip(worlds, self.episodes.observe(turn, worlds=worlds, have_ended=True), strict=True):
            last[world] = seen
        distinct = {id(mask): mask for name, mask in info.items() if name[0] == "_"}
        masks = {place: (mask & ended, mask & ~ended) for place, mask in distinct.items()}
        final, going_on = (
            {name: masks[id(value)][part] if name[0] == "_" else value for name, value in info.items()}
            for part in (0, 1)
        )
        final |= self._totals(turn.told, ended)
        if self.episodes.gives_distance:
            distances = np.zeros(self.num_envs, np.int64)
            distances[worlds] = self.episodes.worlds.distances(worlds)
            final["distance"], final["_distance"] = distances, ended
        return going_on | {"final_obs": last, "_final_obs": ended, "final_info": final, "_final_info": ended}


@cache
def mask_names(*names: str) -> tuple[str, ...]:
    """Return the names of the masks that go with entries of an info."""
    return tuple(f"_{name}" for name in names)
