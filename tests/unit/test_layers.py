"""The dependency rule: arrows point one way, and nothing happens at import."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "workbench"

# Lower layers first; a room may import those of the layers before its own, so that no two import each other.
LAYERS = [
    {"locale"},
    {"errors", "words"},
    {"config", "telemetry", "files"},
    {"database"},
    {"servers", "accounts"},
    {"sales"},
    {"metrics", "catalogue", "connection"},
    {"sample", "imports", "migrations", "filters", "live", "figures", "notebook", "components"},
    {"reports", "forms", "shell"},
    {"dashboards"},
    {"apps", "exporter", "cli", "start", "__init__", "__main__"},
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
MODULES = sorted(path for path in PACKAGE.rglob("*.py"))


def place(path: Path) -> str:
    """The first name below the package: ``forms`` for workbench/forms/basket.py."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    """The places of the package that a module imports, at its top or inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "workbench":
            names = node.module.split(".")[1:2]
            found.update(names or [alias.name for alias in node.names])
        elif isinstance(node, ast.Import):
            found.update(a.name.split(".")[1] for a in node.names if a.name.startswith("workbench."))
    return found & set(RANK)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    here = place(path)
    assert here in RANK, f"{here} is in no layer: add it to LAYERS"
    wrong = {name for name in imports(path) - {here} if RANK[name] >= RANK[here]}
    assert not wrong, f"{here} must not import {', '.join(sorted(wrong))}"


def _graph() -> dict[str, set[str]]:
    """What each module imports of the package, inside functions and for types alone too."""
    names = [".".join(("workbench", *path.relative_to(PACKAGE).with_suffix("").parts)) for path in MODULES]
    modules = dict(zip((name.removesuffix(".__init__") for name in names), MODULES, strict=True))
    graph = {}
    for module, path in modules.items():
        found = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                full = {f"{node.module}.{alias.name}" for alias in node.names}
                found |= {name if name in modules else node.module for name in full}
        graph[module] = (found & set(modules)) - {module, "workbench"}
    return graph


def test_no_modules_import_one_another_in_a_circle() -> None:
    """Not within a room either: whoever reads one of them would have to know all."""
    graph = _graph()
    assert graph["workbench.dashboards.tile"] >= {"workbench.dashboards.feed", "workbench.errors"}
    TopologicalSorter(graph).prepare()
    graph["workbench.errors"].add("workbench.dashboards.tile")
    with pytest.raises(CycleError):
        TopologicalSorter(graph).prepare()


def test_the_rule_would_see_an_arrow_that_points_up(tmp_path: Path) -> None:
    module = tmp_path / "x.py"
    module.write_text("def f():\n    from workbench.forms import SalesManager\n")
    assert imports(module) == {"forms"}


@pytest.mark.parametrize("name", ["forms", "dashboards", "apps", "shell"])
def test_pages_hold_no_sql(name: str) -> None:
    place = PACKAGE / name
    for path in place.rglob("*.py") if place.is_dir() else [place]:
        text = path.read_text().lower()
        assert "sqlalchemy" not in text, f"{path.name} uses SQLAlchemy"
        assert "read_sql" not in text, f"{path.name} reads SQL"


def _owners(call: str) -> set[str]:
    return {str(p.relative_to(PACKAGE)) for p in MODULES if call in p.read_text()}


def test_engines_environment_and_sql_files_have_one_owner() -> None:
    assert _owners("create_engine(") == {"database/engines.py"}
    assert _owners("isolation_level=") == {"database/engines.py"}, (
        "a connection is not switched for a while: see Engines"
    )
    readers = {
        "config/__init__.py",
        "config/clock.py",
        "database/deadline.py",
        "reports/run.py",
        "servers/cluster/processes.py",
        "shell/shared_port.py",  # a channel that it inherits is no setting
    }
    assert _owners("os.environ") | _owners("getenv") <= readers
    assert _owners('.sql"') <= {"database/sql_files.py"}


def test_importing_connects_to_nothing_and_starts_nothing() -> None:
    modules = [
        "workbench." + ".".join(p.relative_to(PACKAGE).with_suffix("").parts)
        for p in MODULES
        if place(p) not in ("apps", "__init__", "__main__")
        and p.stem not in ("env", "__init__")
        and "versions" not in p.parts
    ]
    program = (
        "import socket, subprocess, threading, importlib\n"
        "def refuse(*a, **k): raise SystemExit('an import connects or starts something')\n"
        "socket.socket.connect = refuse; subprocess.Popen.__init__ = refuse; before = threading.active_count()\n"
        f"for m in {modules!r}: importlib.import_module(m)\n"
        "assert threading.active_count() == before, threading.enumerate()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
