"""Every example in the pages runs and prints what the page says."""

import doctest
import re
from pathlib import Path

import pytest

from textworlds import PUZZLES, all_ids

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("docs/*.md"), ROOT / "README.md"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_examples_print_what_the_page_says(page):
    text = page.read_text()
    result = doctest.testfile(str(page), module_relative=False)
    assert result.failed == 0
    assert result.attempted or ">>>" not in text


def test_the_readmes_first_example_prints_what_it_says(capsys):
    code, output = re.findall(r"```(?:python)?\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[:2]
    exec(code, {})
    assert capsys.readouterr().out == output


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("name", PUZZLES)
def test_a_puzzles_page_lists_its_ids_with_their_settings(name):
    page = (ROOT / "docs" / f"{name}.md").read_text()
    for id, (puzzle, settings) in all_ids().items():
        if puzzle.name == name:
            size = f"| {settings['height']} x {settings['width']} | {settings['turn_limit']} |"
            row = next(line for line in page.splitlines() if line.startswith(f"| `{id.removeprefix('textworlds/')}`"))
            assert size in row
            for option, value in settings.items():
                assert option in ("height", "width", "turn_limit") or f"{option}={value}" in row.replace('"', "")


def test_puzzle_pages_have_the_same_headings():
    headings = {
        name: re.findall("^## .*", (ROOT / "docs" / f"{name}.md").read_text(), re.MULTILINE) for name in PUZZLES
    }
    assert len({tuple(found) for found in headings.values()}) == 1, headings
