"""The sales service against a real master and replica."""

from __future__ import annotations

import threading
import traceback
from decimal import Decimal
from uuid import uuid4

import pytest
import sqlalchemy as sa

from tests.examples import CAKE, HOSTILE, LATTE, sale, sale_data
from workbench.cli.bench.saves import exchanges
from workbench.config import Settings
from workbench.connection import Workbench
from workbench.errors import DatabaseRefused, RequestReused, SaleConflict, SaleNotFound, SaleRefused
from workbench.sales.models import Sale, SaleInput, parse_sale
from workbench.sales.service import Sales


@pytest.fixture
def sales(workbench: Workbench) -> Sales:
    return workbench.sales(actor="tester")


def as_input(stored: Sale, **changes: object) -> SaleInput:
    """The stored sale as an edit form would submit it, with ``changes``."""
    fields = ("transaction_time", "cashier_id", "store_id", "payment_method", "customer_id")
    lines = [line.model_dump(exclude={"total_price"}) for line in stored.lines]
    return parse_sale({name: getattr(stored, name) for name in fields} | {"lines": lines} | changes)


def scalar(workbench: Workbench, sql: str) -> object:
    with workbench.engines.master_reader.connect() as connection:
        return connection.execute(sa.text(sql)).scalar_one()


def test_create_writes_header_and_lines_with_derived_totals(sales: Sales) -> None:
    saved = sales.create(sale(), uuid4())
    stored = sales.get(saved.transaction_id).value
    assert (stored.version, stored.total_amount, stored.total_discount) == (1, Decimal("10.70"), Decimal("0.50"))
    assert [(line.product_code, line.total_price) for line in stored.lines] == [
        ("C-LAT", Decimal("6.50")),
        ("D-CHE", Decimal("4.20")),
    ]
    assert stored.transaction_time == sale().transaction_time


def test_create_takes_two_round_trips(settings: Settings, sales: Sales) -> None:
    sales.create(sale(), uuid4())
    statements = []
    sa.event.listen(sales.engines.master, "before_cursor_execute", lambda *args: statements.append(args[2]))
    sales.create(sale(), uuid4())
    assert len(statements) == 2
    assert exchanges(settings) == 2, "counted where they pass, so that what no event tells of counts too"


def test_a_connection_that_was_silent_for_long_is_asked_before_it_is_used(
    settings: Settings, sales: Sales, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.database.engines.SILENT_SECONDS", 0.0)
    assert exchanges(settings) == 3


def test_a_failing_line_leaves_nothing_behind(workbench: Workbench, sales: Sales) -> None:
    with workbench.engines.owner.begin() as connection:
        connection.exec_driver_sql("alter table sales_item add constraint no_cake check (product_code <> 'D-CHE')")
    try:
        with pytest.raises(DatabaseRefused, match="check violation.*constraint no_cake") as refused:
            sales.create(sale(), uuid4())
    finally:
        with workbench.engines.owner.begin() as connection:
            connection.exec_driver_sql("alter table sales_item drop constraint no_cake")
    assert "Cheesecake" not in "".join(traceback.format_exception(refused.value)), (
        "the row is in what is shown and logged"
    )
    assert scalar(workbench, "select count(*) from sales_transaction") == 0
    assert scalar(workbench, "select count(*) from sales_request") == 0


def test_the_same_request_again_returns_the_first_result(workbench: Workbench, sales: Sales) -> None:
    request_id = uuid4()
    first = sales.create(sale(), request_id)
    again = sales.create(sale(), request_id)
    assert (again.transaction_id, again.version, again.is_repeat) == (first.transaction_id, 1, True)
    assert scalar(workbench, "select count(*) from sales_transaction") == 1


def test_a_repeated_request_makes_no_second_sale_after_a_delete(workbench: Workbench, sales: Sales) -> None:
    request_id = uuid4()
    first = sales.create(sale(), request_id)
    sales.delete(first.transaction_id, first.version, uuid4(), "rung up twice")
    assert sales.create(sale(), request_id).transaction_id == first.transaction_id
    assert scalar(workbench, "select count(*) from sales_transaction") == 0


def test_the_same_request_with_other_content_is_refused(sales: Sales) -> None:
    request_id = uuid4()
    sales.create(sale(), request_id)
    with pytest.raises(RequestReused):
        sales.create(sale(store_id=4), request_id)


def test_a_request_that_made_a_sale_is_no_request_to_change_or_delete_one(sales: Sales) -> None:
    request_id = uuid4()
    stored = sales.get(sales.create(sale(), request_id).transaction_id).value
    with pytest.raises(RequestReused):
        sales.update(stored.transaction_id, 1, as_input(stored, store_id=8), request_id)
    with pytest.raises(RequestReused):
        sales.delete(stored.transaction_id, 1, request_id, "rung up twice")
    assert sales.get(stored.transaction_id).value == stored


def test_six_submits_of_one_request_at_once_make_one_sale(workbench: Workbench) -> None:
    request_id, results = uuid4(), []
    threads = [
        threading.Thread(target=lambda: results.append(workbench.sales().create(sale(), request_id))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 6
    assert len({r.transaction_id for r in results}) == 1
    assert sum(not r.is_repeat for r in results) == 1
    assert scalar(workbench, "select count(*) from sales_item") == 2


def test_update_changes_header_and_lines_by_one_version(sales: Sales) -> None:
    stored = sales.get(sales.create(sale(), uuid4()).transaction_id).value
    kept = stored.lines[0].model_dump(exclude={"total_price"}) | {"quantity": 3}
    saved = sales.update(
        stored.transaction_id,
        stored.version,
        as_input(stored, payment_method="Cash", lines=[kept, {**CAKE, "product_code": "D-BRO"}]),
        uuid4(),
    )
    now = sales.get(stored.transaction_id).value
    assert (saved.version, now.version, now.payment_method) == (2, 2, "Cash")
    assert now.lines[0].item_id == stored.lines[0].item_id
    assert [line.product_code for line in now.lines] == ["C-LAT", "D-BRO"]
    assert now.total_amount == Decimal("14.20")
    assert now.transaction_time == stored.transaction_time


def test_an_edit_of_an_older_version_overwrites_nothing_and_shows_theirs(sales: Sales) -> None:
    mine = sales.get(sales.create(sale(), uuid4()).transaction_id).value
    sales.update(mine.transaction_id, mine.version, as_input(mine, store_id=8), uuid4())
    with pytest.raises(SaleConflict) as conflict:
        sales.update(mine.transaction_id, mine.version, as_input(mine, store_id=9), uuid4())
    assert (conflict.value.theirs.store_id, conflict.value.theirs.version) == (8, 2)
    assert sales.get(mine.transaction_id).value.store_id == 8


def test_four_editors_lose_no_update(workbench: Workbench) -> None:
    start = workbench.sales()
    transaction_id = start.create(sale(store_id=1), uuid4()).transaction_id

    def edit() -> None:
        editor = workbench.sales()
        for _ in range(10):
            while True:
                loaded = editor.get(transaction_id, for_edit=True).value
                changed = as_input(loaded, store_id=loaded.store_id + 1)
                try:
                    editor.update(transaction_id, loaded.version, changed, uuid4())
                    break
                except SaleConflict:
                    continue

    threads = [threading.Thread(target=edit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert start.get(transaction_id, for_edit=True).value.store_id == 41


def test_a_repeated_update_returns_the_first_result(sales: Sales) -> None:
    stored = sales.get(sales.create(sale(), uuid4()).transaction_id).value
    request_id, changed = uuid4(), as_input(stored, store_id=8)
    sales.update(stored.transaction_id, 1, changed, request_id)
    again = sales.update(stored.transaction_id, 1, changed, request_id)
    assert (again.version, again.is_repeat) == (2, True)


def test_a_line_of_another_sale_is_refused(sales: Sales) -> None:
    other = sales.get(sales.create(sale(), uuid4()).transaction_id).value
    stored = sales.get(sales.create(sale(), uuid4()).transaction_id).value
    foreign = other.lines[0].model_dump(exclude={"total_price"})
    with pytest.raises(SaleRefused, match="must be an item of transaction"):
        sales.update(stored.transaction_id, 1, as_input(stored, lines=[foreign]), uuid4())
    assert sales.get(other.transaction_id).value == other


def test_delete_takes_the_lines_along_and_says_when_it_is_gone(workbench: Workbench, sales: Sales) -> None:
    saved = sales.create(sale(), uuid4())
    sales.delete(saved.transaction_id, saved.version, uuid4(), "rung up twice")
    assert scalar(workbench, "select count(*) from sales_item") == 0
    with pytest.raises(SaleNotFound, match=f"no transaction {saved.transaction_id}"):
        sales.delete(saved.transaction_id, saved.version, uuid4(), "rung up twice")
    with pytest.raises(SaleNotFound):
        sales.get(saved.transaction_id)


def test_a_delete_of_an_older_version_deletes_nothing(sales: Sales) -> None:
    stored = sales.get(sales.create(sale(), uuid4()).transaction_id).value
    sales.update(stored.transaction_id, 1, as_input(stored, store_id=8), uuid4())
    with pytest.raises(SaleConflict):
        sales.delete(stored.transaction_id, 1, uuid4(), "rung up twice")
    assert sales.get(stored.transaction_id).value.store_id == 8


def test_hostile_text_is_data(sales: Sales) -> None:
    names = [HOSTILE, "'; drop table sales_item; --", "%s %(x)s :name", "\\", "𝔘nicode ☕", '{"a":1}']
    saved = sales.create(sale(lines=[{**LATTE, "product_name": name} for name in names]), uuid4())
    assert [line.product_name for line in sales.lines(saved.transaction_id).value] == names


def test_every_change_is_audited_with_its_actor(workbench: Workbench, sales: Sales) -> None:
    stored = sales.get(sales.create(sale(), uuid4()).transaction_id).value
    sales.update(stored.transaction_id, 1, as_input(stored, store_id=8), uuid4())
    sales.delete(stored.transaction_id, 2, uuid4(), "rung up twice")
    with workbench.engines.master_reader.connect() as connection:
        rows = connection.execute(
            sa.text(
                "select operation, table_name, actor, database_role, before, after from audit_log order by audit_id"
            )
        ).all()
    assert [(row.operation, row.table_name) for row in rows] == [
        (operation, "sales_transaction") for operation in ("insert", "update", "delete")
    ]
    assert {(row.actor, row.database_role) for row in rows} == {("tester", "workbench_writer")}
    created, edited, deleted = rows
    assert (created.before, deleted.after) == (None, None)
    assert (created.after, edited.after) == (edited.before, deleted.before)
    assert (edited.before["store_id"], edited.after["store_id"]) == (3, 8)
    assert [line["product_code"] for line in created.after["lines"]] == ["C-LAT", "D-CHE"]


def test_data_of_a_sale_can_be_given_as_a_form_has_it() -> None:
    assert parse_sale(sale_data()) == sale()
