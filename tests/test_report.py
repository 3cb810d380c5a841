"""The report of a run and of a study: that it holds what the folder holds, and nothing that reaches out of the file."""

import json
import shutil
from dataclasses import replace
from html.parser import HTMLParser

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")

from textworlds.agents import comparison, evaluation, study  # noqa: E402
from textworlds.agents.charts import MOST_POINTS, draw_curves, mean_of, smoothed  # noqa: E402
from textworlds.agents.report import write_report  # noqa: E402
from textworlds.agents.runs import Run  # noqa: E402
from textworlds.agents.settings import Settings  # noqa: E402
from textworlds.agents.training import train  # noqa: E402

TINY = Settings(
    "textworlds/Maze-easy-v0",
    **{"iterations": 2, "episodes": 8, "minibatches": 2, "warm_start": 20, "warm_passes": 1, "validate_every": 1},
    **{"max_actions": 8, "turn_limit": 3, "channels": 8, "depth": 2, "hidden": 16, "validated": 16},
)
VOID = {"meta", "link", "br", "img", "input", "hr"}
HOSTILE = "<script>alert('x')</script>"


class Page(HTMLParser):
    """What a page holds: its text, its attributes, and the actions of its sample episodes."""

    def __init__(self, path):
        super().__init__()
        self.open, self.texts, self.ids, self.links, self.actions, self.tags = [], [], [], [], [], []
        self.feed(path.read_text(encoding="utf-8"))
        self.close()
        assert not self.open, f"left open: {self.open}"
        self.text = " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append(tag)
        self.ids += [attributes["id"]] if "id" in attributes else []
        self.links += [attributes[name] for name in ("href", "src", "xlink:href", "action") if name in attributes]
        if tag not in VOID:
            self.open.append((tag, attributes.get("class", "")))

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop()[0] == tag

    def handle_data(self, data):
        inside = [name for name, _ in self.open]
        kind = next((kind for name, kind in reversed(self.open) if name == "li"), "")
        if "style" not in inside:
            self.texts.append(data)
        if kind.startswith("action") and inside[-1] in ("li", "s") and data.strip():
            self.actions.append((data.strip(), inside[-1] == "li", kind))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    run = train(TINY, folder, lambda line: None, False)
    evaluation.keep(folder, evaluation.evaluate(run, [TINY.id]))
    return folder


@pytest.fixture
def copy(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "copy")


@pytest.fixture(scope="module")
def compared(folder, tmp_path_factory):
    """A study of two methods with two seeds each: runs like the tiny one, solving other shares of the levels."""
    path, rows = tmp_path_factory.mktemp("study"), json.loads((folder / "evaluation.json").read_bytes())
    for number, (method, seed) in enumerate(
        [("interactive", 0), ("interactive", 1), ("wmact+tau=5", 0), ("wmact+tau=5", 1)]
    ):
        one = shutil.copytree(folder, path / "Maze-easy-v0" / method / f"seed-{seed}")
        settings = json.loads((one / "settings.json").read_bytes())
        settings |= {"method": method.partition("+")[0], "seed": seed}
        (one / "settings.json").write_text(json.dumps(settings))
        changed = [row | {"solved": 0.1 + 0.2 * number + 0.01 * place} for place, row in enumerate(rows)]
        (one / "evaluation.json").write_text(json.dumps(changed))
    return path


def test_a_runs_report_holds_its_numbers(folder):
    page = Page(write_report(folder))
    rows = json.loads((folder / "evaluation.json").read_bytes())
    summary = json.loads((folder / "summary.json").read_bytes())
    assert "Maze-easy-v0, wmact, seed 0" in page.text
    for row in rows:
        said = f"{row['solved']:.1%} {100 * row['low']:.1f}–{row['high']:.1%} {row['turns']:.1f} {row['actions']:.1f}"
        assert f"{row['id']} {row['turns_allowed']} {row['writes']} {said}" in page.text
    assert "Iterations 2 16 episodes" in page.text and f"{summary['peak_memory_mb']:,.0f} MiB" in page.text
    assert f"imitated 20 solver plans, cut into {summary['warm_turns']} turns" in page.text
    last = json.loads((folder / "history.jsonl").read_text().splitlines()[-1])
    for how, name in (("in one turn", "single_turn"), ("in up to 3 turns", "multi_turn")):
        assert f"{how} {summary['start'][name]:.1%} {last[name]:.1%}" in page.text
    assert page.tags.count("svg") >= 6 and "learning_rate 0.0005" in page.text


@pytest.mark.parametrize("which", ["folder", "compared"])
def test_a_report_reaches_out_for_nothing(which, request):
    path = write_report(request.getfixturevalue(which))
    page, text = Page(path), path.read_text(encoding="utf-8")
    assert "://" not in text and "@import" not in text and "url(" not in text.replace("url(#", "")
    assert all(link.startswith(("#", "data:")) for link in page.links)
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids)) and "script" not in page.tags


@pytest.mark.parametrize("which", ["folder", "compared"])
def test_the_same_folder_gives_the_same_report(which, request):
    path = request.getfixturevalue(which)
    assert write_report(path).read_bytes() == write_report(path).read_bytes()
    assert not list(path.glob("*.part"))


def test_actions_are_struck_through_exactly_where_they_changed_nothing(folder):
    page, run = Page(write_report(folder)), Run.load(folder, "cpu")
    episodes = evaluation.replay(run, TINY.id, 3, 6) + evaluation.replay(run, TINY.id, 1, 4)
    played = [
        pair for one in episodes for turn in one["turns"] for pair in zip(turn["actions"], turn["changed"], strict=True)
    ]
    assert [action[:2] for action in page.actions] == played and {changed for _, changed in played} == {True, False}
    assert all((kind == "action") == changed for _, changed, kind in page.actions)
    assert (
        sum(page.text.count(f"{what} in {count} turn") for what in ("✓ solved", "✗ not solved") for count in (1, 2, 3))
        == 10
    )


def test_what_files_say_is_shown_as_text(copy):
    for name, change in {
        "summary.json": lambda said: said["machine"].update(processor=HOSTILE),
        "evaluation.json": lambda said: said[1].update(id=HOSTILE, writes="{{ 7 * 7 }}"),
    }.items():
        said = json.loads((copy / name).read_bytes())
        change(said)
        (copy / name).write_text(json.dumps(said))
    page = Page(write_report(copy))
    assert "script" not in page.tags and page.text.count(HOSTILE) == 2 and "{{ 7 * 7 }}" in page.text


def test_what_a_studys_folders_are_called_is_shown_as_text(compared, tmp_path):
    path = shutil.copytree(compared, tmp_path / "study")
    (path / "Maze-easy-v0" / "interactive").rename(path / "Maze-easy-v0" / "interactive+<script>$x_1$")
    page = Page(write_report(path))
    assert "script" not in page.tags and "interactive+<script>$x_1$" in page.text


def test_a_studys_report_holds_the_means_and_intervals_of_its_results(compared):
    page, rows = Page(write_report(compared)), study.results(compared)
    for method in ("interactive", "wmact+tau=5"):
        for writes in ("sampled", "greedy"):
            found = [row["solved"] for row in rows if (row["method"], row["writes"]) == (method, writes)]
            cells = [f"{one['mean']:.1%} {100 * max(one['low'], 0):.1f}–{min(one['high'], 1):.1%}" for one in found]
            assert len(cells) == 2 and f"{method} 2 {' '.join(cells)}" in page.text
    assert "4 of 4 1 id, 2 methods, 2 seeds" in page.text and "L_max falls; tau=5" in page.text
    assert "Sample episodes of wmact+tau=5, seed 0" in page.text


def spread(low, mean, high):
    return {"low": low, "mean": mean, "high": high}


@pytest.mark.parametrize(
    "spreads, best",
    [
        ({"a": spread(0.5, 0.6, 0.7), "b": spread(0.1, 0.3, 0.49)}, "a"),
        ({"a": spread(0.5, 0.6, 0.7), "b": spread(0.1, 0.3, 0.51)}, None),
        ({"a": spread(0.5, 0.6, 0.7), "b": spread(float("nan"), 0.1, float("nan"))}, None),
        ({"a": spread(0.5, 0.6, 0.7)}, None),
        ({}, None),
    ],
)
def test_a_mean_is_marked_only_where_its_interval_is_clear_of_all_others(spreads, best):
    assert comparison.clear_best(spreads) == best


@pytest.mark.parametrize(
    "missing", [["evaluation.json"], ["evaluation.json", "history.jsonl", "summary.json", "checkpoint.pt"]]
)
def test_a_run_that_was_stopped_early_has_a_report(copy, missing):
    for name in missing:
        (copy / name).unlink()
    page = Page(write_report(copy))
    assert "not evaluated on test levels yet" in page.text
    assert (
        ("stopped before the first one" in page.text)
        == ("There are no sample episodes" in page.text)
        == (len(missing) > 1)
    )


def test_a_study_lists_runs_that_are_not_evaluated(compared, tmp_path):
    path = shutil.copytree(compared, tmp_path / "study")
    (path / "Maze-easy-v0" / "interactive" / "seed-1" / "evaluation.json").unlink()
    page = Page(write_report(path))
    assert (
        "3 of 4" in page.text and "Maze-easy-v0/interactive/seed-1 2" in page.text and "not evaluated yet" in page.text
    )
    for one in path.glob("*/*/*/evaluation.json"):
        one.unlink()
    assert "No run was evaluated on test levels yet" in Page(write_report(path)).text


def test_a_run_without_a_warm_start_says_so(tmp_path):
    train(replace(TINY, warm_start=0, iterations=1), tmp_path, lambda line: None, False)
    page = Page(write_report(tmp_path))
    assert "There was no warm start" in page.text and "fresh weights" in page.text


def test_a_folder_that_is_no_run_is_refused_by_name(tmp_path):
    with pytest.raises(ValueError, match=f"{tmp_path}: is neither a run nor a study"):
        write_report(tmp_path)


def test_a_damaged_file_is_named(copy):
    (copy / "history.jsonl").write_text('{"iteration": 1')
    with pytest.raises(ValueError, match=r"history\.jsonl: is damaged"):
        write_report(copy)


def test_long_curves_are_thinned_out_and_smoothed_ones_keep_their_mean():
    points = {iteration: float(iteration % 2) for iteration in range(1, 5001)}
    line = smoothed("a", 0, points)
    assert list(line.points) == list(points) and abs(line.points[2500] - 0.5) < 0.01
    assert len(draw_curves("a", [line], True)["svg"]) < 200 * MOST_POINTS


def test_the_mean_over_seeds_goes_as_far_as_all_of_them():
    line = mean_of("a", 0, [{0: 1.0, 10: 2.0, 20: 9.0}, {0: 3.0, 10: 6.0}])
    assert line.points == {0: 2.0, 10: 4.0} and line.low.tolist() == [1, 2] and line.high.tolist() == [3, 6]


@pytest.mark.parametrize(
    "name, content",
    [("history.jsonl", "{}\n"), ("summary.json", "[]"), ("evaluation.json", "[3]"), ("summary.json", "{")],
)
def test_files_that_hold_something_else_get_a_sentence(copy, name, content):
    (copy / name).write_text(content)
    with pytest.raises(ValueError, match=str(copy)):
        write_report(copy)
