"""Many sales changed at once: a preview that holds, one transaction, what is refused by name, and one undo."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from tests.conftest import wait_until
from tests.examples import sale
from tests.integration.test_catalogue import set_to
from tests.integration.test_sales import as_input
from workbench.accounts.actor import Actor
from workbench.connection import Workbench
from workbench.errors import (
    AlreadyUndone,
    DatabaseRefused,
    ManyRefused,
    RoleRefused,
    SaleRefused,
    TooMany,
)
from workbench.sales import many
from workbench.sales.fields import AT_ONCE
from workbench.sales.many import preview_many, undo_many, update_many
from workbench.sales.models import parse_return
from workbench.sales.service import Sales

PAID = ("Cash", "QRIS", "Cash")


@pytest.fixture
def sales(workbench: Workbench) -> Sales:
    return workbench.sales(actor="ana")


@pytest.fixture
def made(sales: Sales) -> list[int]:
    """Sales of today, of store 3 but for the last one, of store 4."""
    at = str(sales.clock.now())
    stores = zip(PAID, (3, 3, 4), strict=True)
    inputs = [sale(payment_method=paid, store_id=store, transaction_time=at) for paid, store in stores]
    return [sales.create(each, uuid4()).transaction_id for each in inputs]


def paid(sales: Sales, ids: list[int]) -> list[str]:
    return [sales.get(each, for_edit=True).value.payment_method for each in ids]


def touch(workbench: Workbench, transaction_id: int) -> None:
    """Somebody else changes a sale."""
    stored = workbench.sales().get(transaction_id, for_edit=True).value
    workbench.sales().update(transaction_id, stored.version, as_input(stored, customer_id=99), uuid4())


def log(workbench: Workbench) -> list[tuple[Any, ...]]:
    """Of each save by many: its transaction, who, why, and which entry it takes back."""
    text = "select xact_id, transaction_id, actor, reason, undoes, audit_id from audit_log where reason is not null"
    with workbench.engines.owner.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(f"{text} order by audit_id"))]


def sums(workbench: Workbench) -> Any:
    text = (
        "select count(*), sum(total_amount), sum(total_discount), sum(store_id), sum(cashier_id) from sales_transaction"
    )
    with workbench.engines.owner.connect() as connection:
        return tuple(connection.execute(sa.text(text)).one())


@contextmanager
def constraint(workbench: Workbench, check: str) -> Iterator[None]:
    with workbench.engines.owner.begin() as connection:
        connection.exec_driver_sql(f"alter table sales_transaction add constraint no_more check ({check}) not valid")
    try:
        yield
    finally:
        with workbench.engines.owner.begin() as connection:
            connection.exec_driver_sql("alter table sales_transaction drop constraint no_more")


def test_a_preview_tells_what_the_write_does_and_the_log_keeps_it_together(
    workbench: Workbench, sales: Sales, made: list[int]
) -> None:
    before = sums(workbench)
    preview = preview_many(sales, [*made, made[0]], payment_method="QRIS")
    assert [each["transaction_id"] for each in preview.sales] == [made[0], made[2]]
    assert (preview.counts, preview.same) == ({"payment_method": [("Cash", 2)]}, (made[1],))
    assert (preview.refused, preview.doubts) == ((), ())
    changed = update_many(sales, preview)
    assert (changed.sales, changed.left_out) == ((made[0], made[2]), ())
    assert paid(sales, made) == ["QRIS"] * 3
    assert [each.payment_method for each in (sales.get(n).value for n in made)] == ["QRIS"] * 3, "its own read sees it"
    entries = log(workbench)
    assert {(str(xact), actor, why) for xact, _, actor, why, *_ in entries} == {
        (str(changed.operation), "ana", f"changed at once: operation {changed.operation}")
    }
    assert [each[1] for each in entries] == [made[0], made[2]]
    assert sums(workbench) == before
    with pytest.raises(ManyRefused, match="was changed meanwhile"):  # the same write again does nothing twice
        update_many(sales, preview)
    back = undo_many(sales, changed.operation)
    assert (back.sales, back.left_out) == ((made[0], made[2]), ())
    assert (paid(sales, made), sums(workbench)) == (list(PAID), before)
    undone = {each[5]: each[4] for each in log(workbench)[2:]}
    assert list(undone.values()) == [each[5] for each in entries], "each takes back its own entry"
    history = sales.history(made[0]).value
    assert [(each.reason or "", each.is_undone) for each in history] == [
        (f"taken back: operation {changed.operation}", False),
        (f"changed at once: operation {changed.operation}", True),
        ("", False),
    ]
    with pytest.raises(ManyRefused, match="changed meanwhile"):
        undo_many(sales, changed.operation)


@pytest.mark.parametrize("field", AT_ONCE)
def test_every_field_that_allows_it_is_changed_and_taken_back(sales: Sales, made: list[int], field: Any) -> None:
    value = "Cheque" if field.choices else 88
    changed = update_many(sales, preview_many(sales, made, **{field.name: value}))
    assert {getattr(sales.get(each, for_edit=True).value, field.name) for each in made} == {value}
    undo_many(sales, changed.operation)
    assert value not in {getattr(sales.get(each, for_edit=True).value, field.name) for each in made}


def test_what_somebody_else_changed_meanwhile_is_refused_by_name(
    workbench: Workbench, sales: Sales, made: list[int]
) -> None:
    preview = preview_many(sales, made, cashier_id=302)
    touch(workbench, made[1])
    stored = sales.get(made[2], for_edit=True).value
    sales.delete(made[2], stored.version, uuid4(), "twice")
    with pytest.raises(ManyRefused) as refused:
        update_many(sales, preview)
    assert [each.transaction_id for each in refused.value.refused] == made[1:]
    assert f"Transaction {made[1]} was changed meanwhile. There is no transaction {made[2]}" in str(refused.value)
    assert str(refused.value).endswith("Nothing was changed.")
    assert sales.get(made[0], for_edit=True).value.cashier_id == 301
    changed = update_many(sales, preview, leave_out=True)
    assert (changed.sales, [each.transaction_id for each in changed.left_out]) == ((made[0],), made[1:])
    assert sales.get(made[1], for_edit=True).value.customer_id == 99


def test_an_undo_leaves_what_was_changed_since(workbench: Workbench, sales: Sales, made: list[int]) -> None:
    changed = update_many(sales, preview_many(sales, made, cashier_id=302))
    touch(workbench, made[1])
    back = undo_many(sales, changed.operation)
    assert (back.sales, [str(each) for each in back.left_out]) == (
        (made[0], made[2]),
        [f"Transaction {made[1]} was changed meanwhile."],
    )
    kept = sales.get(made[1], for_edit=True).value
    assert (kept.cashier_id, kept.customer_id) == (302, 99)


def test_a_failure_in_the_middle_leaves_nothing(
    workbench: Workbench, sales: Sales, made: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many, "BATCH", 1)
    preview = preview_many(sales, made, cashier_id=302)
    with constraint(workbench, f"transaction_id <> {made[2]} or cashier_id <> 302"):
        with pytest.raises(DatabaseRefused, match="no_more"):
            update_many(sales, preview)
        assert [sales.get(each, for_edit=True).value.version for each in made] == [1, 1, 1]
    changed = update_many(sales, preview)
    with constraint(workbench, f"transaction_id <> {made[2]} or cashier_id <> 301"), pytest.raises(DatabaseRefused):
        undo_many(sales, changed.operation)
    assert [sales.get(each, for_edit=True).value.version for each in made] == [2, 2, 2]
    assert len(undo_many(sales, changed.operation).sales) == 3


def test_rights_hold_for_where_a_sale_is_and_where_it_goes(workbench: Workbench, sales: Sales, made: list[int]) -> None:
    eve = workbench.sales(actor=Actor("eve", "editor", frozenset({3})))
    preview = preview_many(eve, made, payment_method="Cheque")
    assert [each.transaction_id for each in preview.refused] == [made[2]]
    assert "This sale is of store 4. eve writes those of store 3 alone" in str(preview.refused[0])
    away = preview_many(eve, made[:2], store_id=5)
    assert not away.sales and "This sale is of store 5. eve writes" in str(away.refused[0])
    with pytest.raises(ManyRefused):
        update_many(eve, preview)
    forged = preview_many(sales, made, payment_method="Cheque")  # an admin's: rights are those of who writes
    with pytest.raises(ManyRefused, match="store 4"):
        update_many(eve, forged)
    changed = update_many(eve, preview, leave_out=True)
    assert changed.sales == tuple(made[:2])
    with pytest.raises(RoleRefused, match="needs the role admin"):
        undo_many(workbench.sales(actor=Actor("pat", "editor")), changed.operation)
    assert undo_many(eve, changed.operation).sales == tuple(made[:2])
    old = sales.create(sale(), uuid4()).transaction_id  # of May
    assert "An editor writes those of" in str(preview_many(eve, [old], payment_method="Cheque").refused[0])
    with pytest.raises(RoleRefused):
        preview_many(workbench.sales(actor=Actor("vic", "viewer")), made, payment_method="Cheque")
    with pytest.raises(RoleRefused):
        update_many(workbench.sales(actor=Actor("vic", "viewer")), forged)


def test_values_ids_and_numbers_that_cannot_be_are_refused(
    workbench: Workbench, sales: Sales, made: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    for wrong in ({}, {"store_id": "three"}, {"store_id": 0}, {"customer_id": 7}, {"payment_method": "x" * 51}):
        with pytest.raises(SaleRefused):
            preview_many(sales, made, **wrong)
    assert "There is no transaction 999" in str(preview_many(sales, [999], cashier_id=302).refused[0])
    assert preview_many(sales, made, cashier_id=77).doubts == ("Cashier 77 has never sold anything before.",)
    back = sales.give_back(
        parse_return(
            {
                **{"return_of": made[0], "cashier_id": 301, "store_id": 3, "payment_method": "Cash"},
                "lines": [{"product_code": "C-LAT", "unit_price": "3.50", "quantity": 1}],
            }
        ),
        uuid4(),
    )
    assert "is not edited" in str(preview_many(sales, [back.transaction_id], cashier_id=302).refused[0])
    with pytest.raises(AlreadyUndone, match="There is no change of many transactions 5"):
        undo_many(sales, 5)
    with pytest.raises(AlreadyUndone):
        undo_many(sales, -1)
    touch(workbench, made[1])
    with pytest.raises(AlreadyUndone):  # an edit of one sale is none
        undo_many(sales, int(str(_newest_transaction(workbench))))
    monkeypatch.setattr(many, "MOST", 2)
    with pytest.raises(TooMany, match="3 transactions are chosen: at most 2 are changed at once"):
        preview_many(sales, made, cashier_id=302)


def _newest_transaction(workbench: Workbench) -> Any:
    with workbench.engines.owner.connect() as connection:
        return connection.execute(sa.text("select max(xact_id::text::bigint) from audit_log")).scalar_one()


def test_an_id_that_is_not_in_the_catalogue_is_refused_where_the_setting_says_so(
    workbench: Workbench, made: list[int]
) -> None:
    with workbench.engines.owner.begin() as connection:
        connection.exec_driver_sql("insert into cashier (cashier_id, cashier_name) values (301, 'Ana')")
    strict, asking = set_to(workbench, "refuse"), set_to(workbench, "ask")
    with pytest.raises(SaleRefused, match="Cashier ID '?302'? cannot be used: it is not in the catalogue"):
        preview_many(strict, made, cashier_id=302)
    preview = preview_many(asking, made, cashier_id=302)
    assert preview.doubts == ("Cashier 302 is not in the catalogue.",)
    with pytest.raises(SaleRefused):
        update_many(strict, preview)
    assert len(update_many(asking, preview).sales) == 3


def test_who_holds_a_sale_is_waited_for_and_what_they_save_is_not_overwritten(
    workbench: Workbench, sales: Sales, made: list[int]
) -> None:
    preview = preview_many(sales, made, cashier_id=302)
    with ThreadPoolExecutor(1) as thread:
        with workbench.engines.owner.begin() as holder:
            holder.exec_driver_sql(f"update sales_transaction set customer_id = 5 where transaction_id = {made[1]}")
            waiting = thread.submit(update_many, sales, preview, leave_out=True)
            wait_until(lambda: _are_waiting(workbench), "the write, which waits")
        changed = waiting.result()
    assert (changed.sales, [each.transaction_id for each in changed.left_out]) == ((made[0], made[2]), [made[1]])


def _are_waiting(workbench: Workbench) -> Any:
    with workbench.engines.owner.connect() as connection:
        text = "select exists (select from pg_stat_activity where wait_event_type = 'Lock')"
        return connection.execute(sa.text(text)).scalar_one()
