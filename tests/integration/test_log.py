"""The log of all sales: filtered and paged, and what was changed of a day after it was over, as the log can prove."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from tests.examples import CAKE, LATTE, sale
from tests.integration.test_sales import as_input
from workbench import sample
from workbench.connection import Workbench
from workbench.sales import history
from workbench.sales.history import Corrected, LogFilter, find_late, find_log
from workbench.sales.service import Sales

DAY = date(2026, 5, 31)  # of every example
LATER = timedelta(days=1)


@pytest.fixture
def sales(workbench: Workbench) -> Sales:
    return workbench.sales(actor="ana")


def late(sales: Sales, first: date = DAY, last: date = DAY, store_id: int | None = None) -> tuple:
    return sales.reader.read_master(
        sales.read_position, lambda c: find_late(c, first, last, sales.clock, store_id)
    ).value


def happened_on_the_day(sales: Sales) -> None:
    """Has what is logged so far be logged while the example's day went on."""
    with sales.engines.owner.begin() as connection:
        connection.exec_driver_sql("alter table audit_log disable trigger audit_log_is_kept")
        connection.exec_driver_sql("update audit_log set logged_at = '2026-05-31 18:00+00'")
        connection.exec_driver_sql("alter table audit_log enable always trigger audit_log_is_kept")


def test_a_days_figure_at_its_close_and_what_was_changed_since(sales: Sales, workbench: Workbench) -> None:
    kept, edited, gone, moved = (sales.create(sale(lines=[LATTE]), uuid4()) for _ in range(4))  # 7.00 each
    happened_on_the_day(sales)
    stored = {each: sales.get(each.transaction_id).value for each in (edited, gone, moved)}
    sales.update(edited.transaction_id, 1, sale(lines=[LATTE, CAKE]), uuid4())
    sales.delete(gone.transaction_id, 1, uuid4(), "rung up twice")
    next_day = as_input(stored[moved], transaction_time=stored[moved].transaction_time + LATER)
    sales.update(moved.transaction_id, 1, next_day, uuid4())
    added = workbench.sales(actor="ben").create(sale(lines=[{**LATTE, "quantity": 10}]), uuid4())
    changes, days = late(sales, DAY, DAY + LATER)
    assert [
        (each.actor, each.kind, each.transaction_id, each.day, str(each.revenue), each.sales) for each in changes
    ] == [
        ("ben", "created", added.transaction_id, DAY, "35.00", 1),
        ("ana", "edited", moved.transaction_id, DAY + LATER, "7.00", 1),
        ("ana", "edited", moved.transaction_id, DAY, "-7.00", -1),
        ("ana", "deleted", gone.transaction_id, DAY, "-7.00", -1),
        ("ana", "edited", edited.transaction_id, DAY, "4.20", 0),
    ]
    assert days == [
        Corrected(DAY + LATER, Decimal("0.00"), 0, Decimal("7.00"), 1),
        Corrected(DAY, Decimal("28.00"), 4, Decimal("53.20"), 3),
    ]
    assert late(sales, store_id=99) == ([], [])
    assert kept.transaction_id not in {each.transaction_id for each in changes}


def test_a_load_counts_as_it_was_loaded(sales: Sales, workbench: Workbench) -> None:
    sample.load(workbench.engines, 100, until=DAY)
    where = "transaction_time >= '2026-05-01' and transaction_time < '2026-06-01' and return_of is null"
    where += " and not exists (select from sales_transaction as r where r.return_of = sales_transaction.transaction_id)"
    with workbench.engines.owner.begin() as connection:
        ids = connection.exec_driver_sql(f"select transaction_id from sales_transaction where {where}").scalars().all()
        assert len(ids) >= 2, "too few sales of that month to show anything"
        connection.exec_driver_sql(f"delete from sales_transaction where transaction_id = {ids[0]}")
        connection.exec_driver_sql(f"update sales_transaction set store_id = 9 where transaction_id = {ids[1]}")
    _changes, days = late(sales, DAY.replace(day=1), DAY)
    assert {(each.reported_revenue, each.reported_sales) for each in days} == {(Decimal("0.00"), 0)}
    assert sum(each.sales for each in days) == len(ids) - 1


def test_too_many_late_changes_are_refused_in_words(sales: Sales, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST_LATE", 1)
    for _ in range(2):
        sales.create(sale(), uuid4())
    with pytest.raises(Exception, match="more than 1 late changes: choose fewer days"):
        late(sales)


def test_the_log_is_filtered_and_paged(sales: Sales, workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    first = sales.create(sale(), uuid4())
    workbench.sales(actor="ben").update(first.transaction_id, 1, sale(store_id=8), uuid4())
    sales.delete(first.transaction_id, 2, uuid4(), "rung up twice")
    sample.load(workbench.engines, 5, actor="cleo")

    def found(older_than: int | None = None, **wanted: object) -> list[history.Entry]:
        read = lambda c: find_log(c, LogFilter(**wanted), sales.clock, older_than)  # noqa: E731
        return sales.reader.read_master(sales.read_position, read).value

    def kinds(**wanted: object) -> list[str]:
        return [entry.kind for entry in found(**wanted)]

    assert kinds() == ["bulk load", "deleted", "edited", "created"]
    assert [(e.loaded, e.reason, e.store_id) for e in found()[:2]] == [(5, None, None), (None, "rung up twice", 8)]
    assert (kinds(actor="ben"), kinds(kind="deleted"), kinds(store_id=3)) == (
        ["edited"],
        ["deleted"],
        ["edited", "created"],
    )
    today = sales.clock.today()
    assert len(kinds(first=today - LATER, last=today)) == 4
    assert kinds(last=today - 2 * LATER) == kinds(first=today + 2 * LATER) == []
    monkeypatch.setattr(history, "PAGE", 1)
    newest, second = found()
    assert next(iter(found(newest.audit_id))).audit_id == second.audit_id
