"""The import graph of the package: no cycle between its rooms, and no arrow to the workstation's packages."""

import ast
import graphlib
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

import edge

ROOT = Path(str(edge.__file__)).parent
MODULES = sorted(ROOT.rglob("*.py"))
WORKSTATION = ("train", "convert", "benchmarks", "tests")
# Places that the package may name in strings: the program that writes model files, which errors tell the user to run.
NAMED = {"convert.export"}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(module: str) -> str:
    """The module or folder on the first level of the package."""
    first, second, *_ = [*module.split("."), ""]
    assert first == "edge"
    return second or "edge"


def imports(tree: ast.AST) -> Iterator[str]:
    """Absolute names of everything that a module imports, inside functions and for type checkers as well."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "a relative import"
            assert node.module
            # `from edge.model import card` imports a module; `from edge.model.card import Card` a name in one.
            is_folder = (ROOT.parent / node.module.replace(".", "/")).is_dir()
            yield from (f"{node.module}.{alias.name}" if is_folder else node.module for alias in node.names)


def graph() -> dict[str, set[str]]:
    """Rooms by the rooms that they import."""
    arrows: dict[str, set[str]] = defaultdict(set)
    for path in MODULES:
        if path == ROOT / "__init__.py":  # the front door imports when it is used
            continue
        here = room(module_name(path))
        for name in imports(ast.parse(path.read_text(encoding="utf-8"))):
            if name.split(".")[0] == "edge":
                arrows[here].add(room(name))
        arrows[here].discard(here)
    return arrows


def test_there_is_no_import_cycle_between_rooms() -> None:
    try:
        order = list(graphlib.TopologicalSorter(graph()).static_order())
    except graphlib.CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))
    assert order.index("config") < order.index("audio") < order.index("listener") < order.index("cli")
    assert order.index("features") < order.index("model") < order.index("listener") < order.index("api")


def test_the_graph_is_not_empty() -> None:
    assert {"answer", "arrays", "audio", "config", "decision", "errors", "model"} <= graph()["listener"]
    assert "config" in graph()["audio"]


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_a_module_names_nothing_of_the_workstation(path: Path) -> None:
    """Neither in an import nor in a string, except in docstrings, which are for people."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not {name.split(".")[0] for name in imports(tree)} & set(WORKSTATION)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            named = set(re.findall(rf"\b(?:{'|'.join(WORKSTATION)})[./]\w+", node.value))
            assert named <= NAMED, f"line {node.lineno}: {named - NAMED}"
