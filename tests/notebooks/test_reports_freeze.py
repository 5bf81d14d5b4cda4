"""A frozen view: its notebook says, to the cent, what has changed since."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode

from tests.examples import CAKE, HOSTILE, LATTE, sale
from tests.notebooks.test_reports_numbers import nbval
from tests.notebooks.test_reports_run import printed
from workbench.config import Settings
from workbench.connection import Workbench
from workbench.database.positions import wait_for_replica
from workbench.database.replication import ReadPosition
from workbench.errors import ReportError
from workbench.metrics import Source, Where, ask
from workbench.reports.freeze import FrozenView
from workbench.reports.library import read_report
from workbench.reports.run import Finished, run

QUOTES = "'''\"\"\"\\{open('/nonexistent')} # </script>"
LINES = f"{QUOTES}\nopen('/nonexistent')\r\u2028"  # no form takes it; a table of another's making may hold it


@dataclass
class Frozen:
    """A view of a workbench as a notebook in a folder."""

    view: FrozenView
    path: Path

    def run(self, settings: Settings) -> Finished:
        return run(read_report(self.path), {}, settings)


def freeze(workbench: Workbench, where: Where, folder: Path) -> Frozen:
    source = Source(workbench.reader, ReadPosition())
    view = FrozenView.of(lambda metrics, by, asked: ask(source, metrics, by=by, where=asked), where)
    path = folder / "frozen.ipynb"
    path.write_text(view.notebook())
    return Frozen(view, path)


def tables(notebook: NotebookNode) -> list[str]:
    """The texts of all its tables."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output.data["text/plain"] for output in outputs if "data" in output]


def test_a_changed_sale_is_reported_exactly(workbench: Workbench, settings: Settings, tmp_path: Path) -> None:
    sales = workbench.sales()
    lines = [{**LATTE, "discount": "0.50", "category": HOSTILE}, {**CAKE, "product_name": QUOTES, "category": QUOTES}]
    made = sales.create(sale(lines=lines), uuid.uuid4())
    sales.create(sale(transaction_time="2026-05-30 10:00", store_id=4), uuid.uuid4())
    assert wait_for_replica(workbench.engines)
    where = Where(date(2026, 5, 1), date(2026, 5, 31), stores=(3, 4), categories=(HOSTILE, QUOTES, "Coffee", None))
    frozen = freeze(workbench, where, tmp_path)

    assert nbval(settings, tmp_path, frozen.path).returncode == 0  # it holds what it shows
    before = nbformat.read(frozen.path, 4)
    assert ", 0 changed" in printed(before)
    _about, changes, totals = tables(before)
    assert changes == "no rows"
    assert "Revenue in total 17.20 17.20 0.00" in [" ".join(row.split()) for row in totals.splitlines()]

    sales.update(made.transaction_id, made.version, sale(lines=[{**lines[0], "quantity": 3}, lines[1]]), uuid.uuid4())
    assert wait_for_replica(workbench.engines)
    after = tables(frozen.run(settings).notebook)[1]
    rows = [" ".join(row.split()) for row in after.splitlines()]
    assert rows[0] == "metric by group frozen now change"
    assert "Revenue in total 17.20 20.70 3.50" in rows
    assert "Items sold in total 5 6 1" in rows
    assert "Revenue Day 2026-05-31 10.70 14.20 3.50" in rows
    assert "Revenue Store 3 10.70 14.20 3.50" in rows
    assert f"Revenue Category {HOSTILE} 6.50 10.00 3.50" in rows
    assert not any("Store 4" in row or row.startswith("Sales") for row in rows)


def test_a_view_is_read_as_it_was_written(workbench: Workbench) -> None:
    workbench.sales().create(sale(lines=[{**LATTE, "category": QUOTES}, {**CAKE, "category": None}]), uuid.uuid4())
    where = Where(date(2026, 5, 1), None, categories=(LINES, None), payment_methods=(HOSTILE,), hours=(9, 14))
    source = Source(workbench.reader, ReadPosition(None))
    for asked in (replace(where, categories=(QUOTES, None)), Where()):
        view = FrozenView.of(lambda metrics, by, what: ask(source, metrics, by=by, where=what), asked)
        assert FrozenView.read(view.write()) == view
    odd = FrozenView(where, "replica", view.as_of, {("category", LINES, "revenue"): "1.00"})
    cell = json.loads(odd.notebook())["cells"][1]["source"]
    names: dict[str, Any] = {}
    exec("".join(cell).replace("table(frozen.about())", ""), names)
    assert names["frozen"] == odd


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text[:-20], "is no frozen view of this version"),
        (lambda text: text.replace('"where": {', '"where": {"moon": "full", '), "is no frozen view of this version"),
        (lambda text: text.replace('"items_sold"', '"items_stolen"'), "the metric 'items_stolen'"),
        (lambda text: "[]", "is no frozen view of this version"),
    ],
)
def test_a_frozen_view_of_another_version_is_refused_in_words(
    workbench: Workbench, change: Callable[[str], str], said: str
) -> None:
    source = Source(workbench.reader, ReadPosition(None))
    view = FrozenView.of(lambda metrics, by, what: ask(source, metrics, by=by, where=what), Where(stores=(3,)))
    with pytest.raises(ReportError, match=said):
        FrozenView.read(change(view.write()))
