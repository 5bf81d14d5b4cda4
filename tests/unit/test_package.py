"""What `from workbench import ...` gives, and what `import workbench` does not do."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import workbench
from workbench import dashboards, figures
from workbench.cli.shared import APPS
from workbench.dashboards.chart import ChartTile
from workbench.dashboards.question_charts import QuestionChart
from workbench.dashboards.tile import Tile
from workbench.metrics import METRICS


def loaded_after(program: str) -> set[str]:
    """The top-level modules that a fresh interpreter has after ``program``."""
    code = f"import sys\n{program}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    return set(done.stdout.split())


def test_importing_the_package_imports_nothing_that_costs() -> None:
    assert not loaded_after("import workbench") & {"panel", "pandas", "sqlalchemy", "pydantic", "IPython"}


def test_the_commands_list_themselves_without_what_they_run() -> None:
    """`workbench --help` took 0.7 s, most of it for Alembic, pandas and SQLAlchemy."""
    run = "sys.argv = ['workbench', '--help']\ntry: workbench.cli.app()\nexcept SystemExit: pass"
    loaded = loaded_after(f"import workbench.cli\n{run}")
    assert "typer" in loaded
    assert not loaded & {"sqlalchemy", "alembic", "pandas", "numpy", "duckdb", "panel", "psycopg2"}


def test_connecting_and_asking_need_nothing_that_draws() -> None:
    assert not loaded_after("from workbench import connect, sql, figures") & {"panel", "bokeh", "holoviews"}


def test_pages_need_nothing_that_runs_notebooks() -> None:
    """These took two of the three seconds after which a process that was just started could draw a page."""
    contents = re.findall(r'"(workbench[\w.]+):', "".join(map(Path.read_text, APPS.glob("*.py"))))
    loaded = loaded_after(f"import {', '.join(contents)}")
    assert {"panel", "hvplot"} <= loaded
    assert not loaded & {"nbformat", "nbconvert", "nbclient", "papermill", "jupyter_client", "jsonschema"}


@pytest.mark.parametrize("name", workbench.__all__)
def test_every_name_is_there(name: str) -> None:
    assert getattr(workbench, name) is not None
    assert name in dir(workbench)


def test_every_tile_is_there() -> None:
    """Written once in dashboards/__init__, it must not be forgotten in the package."""
    named = {name: getattr(dashboards, name) for name in dashboards.__all__}
    tiles = {name for name, kind in named.items() if issubclass(kind, Tile)}
    assert tiles <= set(workbench.__all__)
    leaves = {kind for kind in _leaves(ChartTile) if kind.__module__.startswith("workbench.")}
    assert {kind.__name__ for kind in leaves if not issubclass(kind, QuestionChart)} <= tiles  # those are of a question


def _leaves(kind: type) -> set[type]:
    below = set().union(*(_leaves(child) for child in kind.__subclasses__()))
    return below or {kind}


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="NoSuchThing"):
        workbench.NoSuchThing  # noqa: B018


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_is_a_function_with_words(name: str) -> None:
    function = getattr(figures, name)
    assert function.__name__ == name
    assert METRICS[name].about in function.__doc__


def test_a_metric_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(AttributeError, match="revenue"):
        figures.revenues  # noqa: B018


@pytest.mark.parametrize("module", ["cluster", "insights", "look", "models", "positions", "replication"])
def test_a_module_that_moved_says_where_it_is(module: str) -> None:
    with pytest.raises(ModuleNotFoundError, match=rf"workbench\.{module} has moved: import workbench\.") as moved:
        importlib.import_module(f"workbench.{module}")
    importlib.import_module(str(moved.value).split("import ")[1])
