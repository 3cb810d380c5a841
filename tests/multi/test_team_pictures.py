"""The pictures of boards in the docs are those that the package draws."""

import subprocess
import sys
import zlib
from pathlib import Path

import pytest

pytest.importorskip("pettingzoo")

ROOT = Path(__file__).parents[2]


def test_the_pages_pictures_are_what_the_example_draws(tmp_path):
    subprocess.run([sys.executable, ROOT / "examples" / "draw_boards.py", tmp_path], check=True)
    page, drawn = (ROOT / "docs" / "multi.md").read_text(), sorted(tmp_path.glob("*.png"))
    assert len(drawn) == 5
    for file in drawn:
        assert f"images/{file.name}" in page
        ours, shown = (path.read_bytes() for path in (file, ROOT / "docs" / "images" / file.name))
        assert ours[:33] == shown[:33]  # the size
        assert zlib.decompress(ours[41:-16]) == zlib.decompress(shown[41:-16])  # the pixels
