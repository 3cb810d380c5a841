"""Imports point down, kernels are made in one place, and puzzles are named in their folders only."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from textworlds import PUZZLES

PACKAGE = Path(__file__).parent.parent / "textworlds"
FILES = sorted(PACKAGE.rglob("*.py"))

# From the ground up; a module may import what stands before it, and its own floor where two share one.
FLOORS = [
    ["kernel", "version", "threads", "levels.columns", "checks", "chunks", "levels"],
    ["grid", "random"],
    ["sight"],
    ["views"],
    ["eyes"],
    ["text.words"],
    ["text.facts"],
    ["text.formats", "text.grammars", "text.levels"],
    ["text.translator", "text.tags"],
    ["puzzles.puzzle", "puzzles.search"],
    ["puzzles.*"],
    ["puzzles"],
    ["levels.content", "history", "levels.safety"],
    ["beginnings"],
    ["play"],
    ["levels.making"],
    ["worlds"],
    ["levels.bank", "ids"],
    ["levels.level_set", "levels.json_lines"],
    ["levels.files", "levels.leaks", "levels.factory"],
    ["episodes"],
    ["episode"],
    ["pixels"],
    ["envs.spaces"],
    ["envs.single"],
    ["envs.batched"],
    ["envs"],
    ["multi.talk", "multi.sights", "multi.solver"],
    ["multi.turns"],
    ["multi.texts"],
    ["multi.herald"],
    ["multi.joint"],
    ["multi.parallel"],
    ["multi"],
    ["wrappers"],
    ["wmact"],
    ["chat.prompts", "chat.predictions", "chat.shots"],
    ["chat.replies"],
    ["chat.conversation"],
    ["chat.transcripts"],
    ["chat"],
    ["data"],
    [""],  # the public face
    ["agents"],
    ["evaluation.secrets", "evaluation.scores", "evaluation.scripted", "evaluation.setup"],
    ["evaluation.results"],
    ["evaluation.leaderboard", "evaluation.models"],
    ["evaluation.tasks"],
    ["evaluation.registry"],
    ["evaluation.running"],
    ["evaluation.command"],
    ["evaluation"],
    ["testing", "terminal", "levels.commands", "levels.make_command"],
    ["data.command"],
    ["integrations"],
    ["game"],
    ["cli"],
    ["__main__"],
]
FLOOR = {module: number for number, modules in enumerate(FLOORS) for module in modules}


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__").removesuffix("__init__")


def floor_of(module: str) -> int:
    if module.startswith("puzzles.") and module not in FLOOR:
        return FLOOR["puzzles.*"]
    outer = module
    while outer and outer not in FLOOR:
        outer = outer.rpartition(".")[0]
    return FLOOR[outer] if outer or not module else len(FLOORS)


def imports_of(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        if isinstance(node, ast.ImportFrom):
            inner = PACKAGE.parent.joinpath(*(node.module or "").split("."))
            is_module = [(inner / f"{name}.py").exists() or (inner / name).is_dir() for name in names]
            names = [f"{node.module}.{name}" if is_one else str(node.module) for name, is_one in zip(names, is_module)]
        found += [name.removeprefix("textworlds").removeprefix(".") for name in names if name.startswith("textworlds")]
    return found


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_imports_point_down(path):
    module = module_of(path)
    if not module:
        return
    assert module == "text" or floor_of(module) < len(FLOORS), f"{module} has no floor in the house"
    for imported in imports_of(path):
        same_folder = module.rpartition(".")[0] == imported.rpartition(".")[0] or imported.startswith(module)
        assert floor_of(imported) < floor_of(module) or (same_folder and floor_of(imported) == floor_of(module)), (
            f"{module} imports {imported}"
        )


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_puzzles_do_not_import_each_other(path):
    module = module_of(path)
    if module.startswith("puzzles.") and module not in FLOOR:
        own = ".".join(module.split(".")[:2])
        for imported in imports_of(path):
            assert not imported.startswith("puzzles.") or imported in FLOOR or imported.startswith(own), imported


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_only_the_kernel_module_names_numba(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
            assert module_of(path) == "kernel" or not any(name.split(".")[0] == "numba" for name in names)


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_puzzles_are_named_in_their_folders_only(path):
    if "puzzles" in path.relative_to(PACKAGE).parts:
        return
    code = ast.unparse(_without_docstrings(ast.parse(path.read_text())))
    assert not (found := re.search("|".join(PUZZLES), code, re.IGNORECASE)), found


def test_the_agent_imports_nothing_beneath_the_public_package():
    for path in (PACKAGE / "agents").glob("*.py"):
        for imported in imports_of(path):
            assert imported.split(".")[0] in ("", "agents", "envs", "wrappers", "wmact"), (
                f"{path.name} imports {imported}"
            )


def test_importing_the_package_imports_neither_numba_nor_torch():
    code = "import sys, textworlds; print([m for m in ('numba', 'torch', 'hypothesis', 'scipy', 'matplotlib') if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if (
            isinstance(body, list)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
        ):
            node.body = body[1:] or [ast.Pass()]
    return tree
