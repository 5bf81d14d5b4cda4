"""What the services count of their reads and writes."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.examples import CAKE, LATTE, sale
from workbench import telemetry
from workbench.connection import Workbench
from workbench.errors import SaleConflict, SaleNotFound


def value(name: str, **labels: str) -> float:
    """One sample; 0 when there is none yet."""
    return telemetry.REGISTRY.get_sample_value(name, labels) or 0.0


def test_each_write_conflict_and_refusal_is_counted(workbench: Workbench) -> None:
    sales = workbench.sales()
    names: dict[str, dict[str, Any]] = {
        "create": {"name": "workbench_writes_total", "kind": "create"},
        "update": {"name": "workbench_writes_total", "kind": "update"},
        "conflict": {"name": "workbench_conflicts_total"},
        "gone": {"name": "workbench_refusals_total", "reason": "not found"},
    }
    before = {what: value(**sample) for what, sample in names.items()}
    request = uuid4()
    made = sales.create(sale(lines=[LATTE]), request)
    sales.create(sale(lines=[LATTE]), request)  # a repeat writes nothing
    sales.update(made.transaction_id, made.version, sale(lines=[CAKE]), uuid4())
    with pytest.raises(SaleConflict):
        sales.update(made.transaction_id, made.version, sale(lines=[LATTE]), uuid4())
    with pytest.raises(SaleNotFound):
        sales.delete(made.transaction_id + 1, 1, uuid4(), "rung up twice")
    assert {what: value(**sample) - before[what] for what, sample in names.items()} == dict.fromkeys(names, 1)


def test_a_read_is_timed_by_who_answered(workbench: Workbench) -> None:
    sales = workbench.sales()
    made = sales.create(sale(), uuid4())
    before = [value("workbench_query_seconds_count", engine=e, metric="sale") for e in ("master", "replica")]
    engine = sales.get(made.transaction_id).engine
    sales.get(made.transaction_id, for_edit=True)
    after = [value("workbench_query_seconds_count", engine=e, metric="sale") for e in ("master", "replica")]
    assert [now - then for then, now in zip(before, after, strict=True)] == ([1, 1] if engine == "replica" else [2, 0])
