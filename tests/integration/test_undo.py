"""Void, not gone: a deletion has its reason and is taken back whole, an edit by a new one; each once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.examples import LATTE, sale
from tests.integration.test_sales import as_input
from workbench.connection import Workbench
from workbench.errors import AlreadyUndone, RequestReused, SaleConflict, SaleNotFound, SaleRefused
from workbench.forms.delete_sale import DeleteSale
from workbench.forms.edit_sale import EditSale
from workbench.metrics.columns import Columns
from workbench.sales.models import Sale
from workbench.sales.service import Sales

# Bokeh 3.9 hands data frames over in a way that pandas 3.1 means to end.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")


@pytest.fixture
def sales(workbench: Workbench) -> Sales:
    return workbench.sales(actor="ana")


@pytest.fixture
def columns(tmp_path: Path) -> Iterator[Columns]:
    found = Columns(tmp_path / "columns", 512)
    yield found
    found.close()


def made(sales: Sales) -> Sale:
    return sales.get(sales.create(sale(), uuid4()).transaction_id).value


def newest(sales: Sales, stored: Sale) -> int:
    return sales.history(stored.transaction_id).value[0].audit_id


def deleted(sales: Sales) -> tuple[Sale, int]:
    stored = made(sales)
    sales.delete(stored.transaction_id, stored.version, uuid4(), "  rung up twice ")
    return stored, newest(sales, stored)


def same(sale: Sale) -> dict[str, Any]:
    return sale.model_dump(exclude={"version", "updated_at"})


def test_what_was_deleted_is_there_again_with_its_ids_and_lines(sales: Sales, workbench: Workbench) -> None:
    stored, entry = deleted(sales)
    request = uuid4()
    saved = workbench.sales(actor="ben").undo(stored.transaction_id, entry, request)
    now = sales.get(stored.transaction_id, for_edit=True).value
    assert same(now) == same(stored)
    assert (saved.operation, saved.version, now.version) == ("restore", stored.version + 1, stored.version + 1)
    assert workbench.sales().undo(stored.transaction_id, entry, request).is_repeat
    sales.read_position.token = workbench.read_position.token
    restored, deletion, _ = sales.history(stored.transaction_id).value
    assert [(each.kind, each.actor, each.reason) for each in (restored, deletion)] == [
        ("restored", "ben", None),
        ("deleted", "ana", "rung up twice"),
    ]
    with pytest.raises(AlreadyUndone, match=f"transaction {stored.transaction_id} was undone already"):
        sales.undo(stored.transaction_id, entry, uuid4())
    with pytest.raises(SaleConflict):  # whoever had it open before it went
        sales.update(stored.transaction_id, stored.version, as_input(stored, store_id=8), uuid4())


def test_an_edit_is_undone_by_a_new_one_and_that_one_too(sales: Sales) -> None:
    stored = made(sales)
    lines = [{**LATTE, "quantity": 9, "item_id": stored.lines[0].item_id}]  # and the cake is gone
    sales.update(stored.transaction_id, 1, sale(store_id=8, lines=lines), uuid4())
    entry = newest(sales, stored)
    request = uuid4()
    saved = sales.undo(stored.transaction_id, entry, request)
    now = sales.get(stored.transaction_id).value
    assert (now.version, saved.version, now.store_id, now.total_amount) == (3, 3, 3, stored.total_amount)
    assert [line.product_code for line in now.lines] == ["C-LAT", "D-CHE"]
    assert now.lines[0].item_id == stored.lines[0].item_id
    assert sales.undo(stored.transaction_id, entry, request).is_repeat
    with pytest.raises(AlreadyUndone, match="was undone already"):
        sales.undo(stored.transaction_id, entry, uuid4())
    sales.undo(stored.transaction_id, newest(sales, stored), uuid4())
    assert sales.get(stored.transaction_id).value.store_id == 8
    with pytest.raises(RequestReused):
        sales.undo(stored.transaction_id, newest(sales, stored), request)


def test_an_undo_of_a_sale_that_moved_on_overwrites_nothing(sales: Sales) -> None:
    stored = made(sales)
    sales.update(stored.transaction_id, 1, as_input(stored, store_id=8), uuid4())
    entry = newest(sales, stored)
    sales.update(stored.transaction_id, 2, as_input(stored, store_id=8, cashier_id=5), uuid4())
    with pytest.raises(SaleConflict) as caught:
        sales.undo(stored.transaction_id, entry, uuid4())
    assert (caught.value.theirs.cashier_id, sales.get(stored.transaction_id).value.version) == (5, 3)
    sales.delete(stored.transaction_id, 3, uuid4(), "wrong customer")
    with pytest.raises(SaleNotFound):
        sales.undo(stored.transaction_id, entry, uuid4())


def test_what_cannot_be_undone_is_told(sales: Sales) -> None:
    stored = made(sales)
    with pytest.raises(AlreadyUndone, match="cannot be undone. Nothing was saved"):
        sales.undo(stored.transaction_id, newest(sales, stored), uuid4())
    with pytest.raises(AlreadyUndone, match=f"transaction {stored.transaction_id} has no entry 999"):
        sales.undo(stored.transaction_id, 999, uuid4())


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201, "a\u202eb"])
def test_a_deletion_without_a_reason_is_refused_by_its_field(sales: Sales, reason: str) -> None:
    stored = made(sales)
    with pytest.raises(SaleRefused) as caught:
        sales.delete(stored.transaction_id, 1, uuid4(), reason)
    assert [error.field for error in caught.value.fields] == ["reason"]
    form = DeleteSale(sales, lambda _saved: None)

    async def delete() -> None:
        await form.load(stored.transaction_id)
        form.reason.fill({"reason": reason})
        await form.confirm.run()

    asyncio.run(delete())
    assert form.reason.widgets["reason"].error_state
    assert sales.get(stored.transaction_id).value.version == 1


def test_the_columns_tell_a_restored_sale_like_any_other(sales: Sales, workbench: Workbench, columns: Columns) -> None:
    stored, entry = deleted(sales)
    columns.refresh(workbench.reader, sales.read_position)
    sales.undo(stored.transaction_id, entry, uuid4())
    assert columns.refresh(workbench.reader, sales.read_position)


def test_an_undo_that_somebody_came_before_shows_what_is_mine_and_theirs(sales: Sales) -> None:
    stored = made(sales)
    sales.update(stored.transaction_id, 1, as_input(stored, store_id=8), uuid4())
    change = sales.history(stored.transaction_id).value[0]
    sales.update(stored.transaction_id, 2, as_input(stored, store_id=8, cashier_id=5), uuid4())
    form = EditSale(sales, lambda _saved: None)

    async def undo() -> None:
        await form.load(stored.transaction_id)
        await form._undo(change)

    asyncio.run(undo())
    assert form._choices.visible and "<mark" in form._comparison.object
    form.keep_mine()
    assert form.form.fields.texts()["store_id"] == "3", "mine: as it was before that change"
    assert form.form.fields.texts()["cashier_id"] == "5", "theirs stays"
