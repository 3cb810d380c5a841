"""One world as a Gymnasium environment: a thin translator around Episode."""

import sys
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from textworlds.envs.spaces import MessageSpace, ObservationSpace
from textworlds.episode import Episode, HasEpisodes
from textworlds.episodes import Episodes
from textworlds.levels.bank import read_level
from textworlds.pixels import draw_pixels
from textworlds.puzzles import find_puzzle
from textworlds.text import formats
from textworlds.worlds import Snapshot

RENDER_MODES = ["ansi", "rgb_array", "human"]


class TextWorldEnv(HasEpisodes, gym.Env[Any, Any]):
    """One world of a puzzle.

    Observations are texts, or uint8[P, H, W] with observation="picture". Actions are messages, or numbers with
    action="discrete". Info is the ledger of Episode.

    Args:
        puzzle: name of the puzzle.
        render_mode: "ansi" (a str), "rgb_array" (uint8[H * tile_size, W * tile_size, 3]), "human" (printed to the
            terminal after each step), or None.
        tile_size: pixels of a cell's side.
        **settings: as for textworlds.episodes.Episodes.
    """

    metadata = {"render_modes": RENDER_MODES, "render_fps": 4}

    def __init__(
        self,
        puzzle: str,
        *,
        render_mode: str | None = None,
        tile_size: int = 48,
        **settings: Any,
    ) -> None:
        check_rendering(render_mode, tile_size)
        self.episode = Episode(find_puzzle(puzzle), **settings)
        self.episodes = self.episode.episodes
        self.render_mode = render_mode
        self.tile_size = tile_size
        self.observation_space, self.action_space = make_spaces(self.episodes)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode.

        Args:
            seed: the level is the seed's first; without one, the next level of the last seed (a random one at first).
            options: {"level": a drawing, a Level or a picture} to play that one; {"index": i} to play the levels[i].
        """
        options = check_options(options, ("level", "index"))
        level, index = options.get("level"), options.get("index")
        if "index" in options:
            self.episodes.find_indices(index, 1)
        super().reset(seed=seed)
        if seed is None and not self.episode.has_seed:
            seed = int(self.np_random.integers(1 << 63))
        if level is not None:
            level = self._check_fits(level)
        observation = self.episode.reset(seed, level, index)
        if self.render_mode == "human":
            self.render()
        return observation, self.episode.totals()

    def _check_fits(self, level: Any) -> np.ndarray:
        """Return a level's picture, or raise ValueError if its text is too long for the observation space."""
        picture = read_level(level, self.episode.puzzle)
        if isinstance(self.observation_space, ObservationSpace):
            text = formats.write(picture, self.episodes.translator.format, self.episode.puzzle.words)
            if len(text) > self.observation_space.max_length // 2:
                height, width = picture.shape[1:]
                raise ValueError(
                    f"this level is too large for the observation space: make the environment with {height=}, {width=}"
                )
        return picture

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Play one turn; see Episode.act."""
        result = self.episode.act(action)
        if self.render_mode == "human":
            self.render()
        return result

    def render(self) -> Any:
        """Return the world as render_mode says, or print it."""
        if self.render_mode is None:
            gym.logger.warn("render() was called, but no render_mode was given to gym.make")
            return None
        picture = self.episode.picture()
        if self.render_mode == "rgb_array":
            return draw_pixels(picture, self.tile_size)
        text = formats.write(picture, "dense", self.episode.puzzle.words) + "\n"
        if self.render_mode == "ansi":
            return text
        sys.stdout.write(text + "\n")
        return None

    def action_masks(self) -> np.ndarray:
        """Return which actions would change the world now, bool[number of actions]."""
        return self.episode.action_mask()

    def solve(self, objective: str | None = None, **limits: int) -> list[int] | None:
        """Return actions that solve the level from here; see Episode.solve."""
        return self.episode.solve(objective, **limits)

    def certificate(self) -> dict[str, Any]:
        """Return the certificate of the level being played; see Episode.certificate."""
        return self.episode.certificate()

    def get_state(self) -> Snapshot:
        """Return all that playing on depends on; set_state goes back there, as often as you like."""
        return self.episode.get_state()

    def set_state(self, state: Snapshot) -> None:
        """Go back to where get_state was called."""
        self.episode.set_state(state)


def check_rendering(render_mode: str | None, tile_size: int) -> None:
    """Raise ValueError for a render_mode or a tile_size that there is not."""
    if render_mode not in (None, *RENDER_MODES):
        raise ValueError(f"unknown render_mode {render_mode!r}; known: {', '.join(RENDER_MODES)}")
    draw_pixels(np.zeros((1, 1, 1), np.uint8), tile_size)


def make_spaces(episodes: Episodes) -> tuple[spaces.Space[Any], spaces.Space[Any]]:
    """Return the observation and action space of one world."""
    vocabulary = episodes.puzzle.words.vocabulary
    action: spaces.Space[Any] = MessageSpace(vocabulary, episodes.translator.grammar)
    if episodes.takes_numbers:
        action = spaces.Discrete(len(vocabulary.names))
    if episodes.speaks_pictures:
        return spaces.Box(0, 255, episodes.worlds.seen_shape, np.uint8), action
    if episodes.as_bytes:
        return spaces.Box(0, 127, (episodes.translator.length,), np.uint8), action
    return ObservationSpace(episodes.translator.max_length), action


def check_options(options: dict[str, Any] | None, known: tuple[str, ...]) -> dict[str, Any]:
    """Return the options of a reset, or raise ValueError for one that is not known."""
    if not isinstance(options, dict | None):
        raise ValueError(f"the options of reset are a dict; got {options!r}")
    for name in options or {}:
        if name not in known:
            raise ValueError(f"unknown option {name!r} of reset; known: {', '.join(known)}")
    if options and "level" in options and "index" in options:
        raise ValueError("give a level or an index, not both")
    return options or {}
