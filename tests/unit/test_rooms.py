"""What a room hands out: the names in the ``__all__`` of its package, which others keep to."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {".".join(path.parent.relative_to(ROOT).parts): path for path in (ROOT / "workbench").rglob("__init__.py")}


def _is_module(package: str, name: str) -> bool:
    path = ROOT.joinpath(*package.split("."), name)
    return path.is_dir() or path.with_suffix(".py").exists()


def taken(text: str, packages: dict[str, Path] = PACKAGES) -> Iterator[tuple[str, str]]:
    """The names that a module takes from packages, by import or as an attribute of one that it has imported."""
    tree, called = ast.parse(text), dict[str, str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in packages:
            for alias in node.names:
                if (full := f"{node.module}.{alias.name}") in packages:
                    called[alias.asname or alias.name] = full
                elif not _is_module(node.module, alias.name):
                    yield node.module, alias.name
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in called:
            package = called[node.value.id]
            if not _is_module(package, node.attr) and node.attr != "__all__":
                yield package, node.attr


@pytest.mark.parametrize("package", PACKAGES)
def test_a_room_has_what_it_hands_out_and_each_name_once(package: str) -> None:
    module = importlib.import_module(package)
    names = list(getattr(module, "__all__", ()))
    assert len(set(names)) == len(names)
    assert [name for name in names if getattr(module, name, None) is None] == []
    made = [node for node in ast.parse(PACKAGES[package].read_text()).body if hasattr(node, "name")]
    assert names or all(node.name.startswith("_") for node in made), "it has an __all__, or nothing of its own"


def test_others_take_from_a_room_what_it_hands_out() -> None:
    wrong = []
    for path in sorted((ROOT / "workbench").rglob("*.py")):
        here = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for package, name in taken(path.read_text()):
            is_inside = here.startswith(f"{package}.")
            if not is_inside and name not in getattr(importlib.import_module(package), "__all__", ()):
                wrong.append(f"{here} takes {name} from {package}")
    assert not wrong


def test_the_rule_sees_a_name_that_is_imported_and_one_that_is_an_attribute() -> None:
    text = "from workbench.config import Settings\nfrom workbench.servers import cluster as pair\npair.up(1)\n"
    assert set(taken(text)) == {("workbench.config", "Settings"), ("workbench.servers.cluster", "up")}
