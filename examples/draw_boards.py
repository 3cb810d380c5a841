"""Draw the boards of docs/multi.md: python examples/draw_boards.py [folder]."""

import struct
import sys
import zlib
from pathlib import Path

import numpy as np

from textworlds.multi import maze_v0, sokoban_v0, taxi_v0
from textworlds.pixels import draw_pixels

IMAGES = Path(__file__).parent.parent / "docs" / "images"
TILE = 32
BOARDS = {
    "team-sokoban": (sokoban_v0, "Sokoban-hard-2p-v0"),
    "team-maze": (maze_v0, "Maze-easy-2p-v0"),
    "team-taxi": (taxi_v0, "Taxi-easy-2p-v0"),
}


def write_png(path: Path, pixels: np.ndarray) -> None:
    """Write pixels, uint8[H, W, 3], as a PNG file."""
    height, width, _ = pixels.shape
    rows = np.pad(pixels.reshape(height, -1), ((0, 0), (1, 0)))  # each row after a 0: it is not filtered
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = {b"IHDR": header, b"IDAT": zlib.compress(rows.tobytes(), 9), b"IEND": b""}
    data = b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks.items()
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)


def main(folder: Path) -> None:
    """Draw all boards."""
    for name, (module, id) in BOARDS.items():
        env = module.parallel_env(id, render_mode="rgb_array", tile_size=TILE)
        env.reset(seed=1)
        write_png(folder / f"{name}.png", env.render())
    env = maze_v0.parallel_env("Maze-easy-guide-v0", observation="picture")
    seen, _ = env.reset(seed=1)
    for agent, picture in seen.items():
        write_png(folder / f"seen-by-{agent.split('_')[0]}.png", draw_pixels(picture[:1], TILE))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES)
