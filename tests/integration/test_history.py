"""The history of a sale: every save of it, by the form or by hand, with who, when and what changed."""

from __future__ import annotations

import re
from decimal import Decimal
from uuid import uuid4

import pytest

from tests.examples import CAKE, HOSTILE, LATTE, sale
from workbench import sample
from workbench.connection import Workbench
from workbench.forms.sale_history import NOTHING_LOGGED, history_html
from workbench.sales import history
from workbench.sales.history import Change
from workbench.sales.service import Sales


@pytest.fixture
def sales(workbench: Workbench) -> Sales:
    return workbench.sales(actor="ana")


def told(sales: Sales, transaction_id: int) -> list[list[str]]:
    """The cells of each row that people read, the time left out."""
    text = history_html(sales.history(transaction_id).value, sales.clock)
    rows = re.findall(r"<tr>(<td>.*?)</tr>", text)
    return [re.findall(r"<td>(.*?)</td>", row)[1:] for row in rows]


def test_each_save_says_what_it_changed_the_newest_first(sales: Sales, workbench: Workbench) -> None:
    saved = sales.create(sale(), uuid4())
    latte, _cake = sales.get(saved.transaction_id).value.lines
    lines = [{**LATTE, "quantity": 3, "item_id": latte.item_id}, {**LATTE, "product_code": "C-NEW", "category": None}]
    edit = sale(payment_method="Cash", customer_id=None, lines=lines)
    edited = workbench.sales(actor="ben").update(saved.transaction_id, saved.version, edit, uuid4())
    workbench.sales(actor="cleo").delete(saved.transaction_id, edited.version, uuid4(), "rung up twice")
    own = Sales(workbench.engines, workbench.reader, workbench.read_position)
    before, after = "C-LAT · Caffè Latte · Coffee · 2 × 3.50 − 0.50", "C-LAT · Caffè Latte · Coffee · 3 × 3.50"
    new, cake = "C-NEW · Caffè Latte · 2 × 3.50", "D-CHE · Cheesecake · Dessert · 1 × 4.20"
    assert told(own, saved.transaction_id) == [
        ["cleo", "Deleted", "Total 17.50", "–"],
        ["", "Item", after, "–"],
        ["", "Item", new, "–"],
        ["", "Reason", "–", "rung up twice"],
        ["ben", "Payment Method", "QRIS", "Cash"],
        ["", "Customer", "77", "–"],
        ["", "Discount", "0.50", "0.00"],
        ["", "Total", "10.70", "17.50"],
        ["", "Item", before, after],
        ["", "Item", cake, "–"],
        ["", "Item", "–", new],
        ["ana", "Recorded", "–", "Total 10.70"],
        ["", "Item", "–", before],
        ["", "Item", "–", cake],
    ]


def test_what_a_hand_changes_in_the_tables_is_told_too(sales: Sales, workbench: Workbench) -> None:
    saved = sales.create(sale(), uuid4())
    with workbench.engines.owner.begin() as connection:
        connection.exec_driver_sql("update sales_transaction set store_id = 9")
    newest = sales.reader.read_master(
        sales.read_position, lambda c: history.find_history(c, saved.transaction_id)
    ).value[0]
    assert (newest.actor, newest.kind, len(newest.touched)) == ("workbench_owner", "edited", 1)
    assert isinstance(newest, Change)
    header = newest.touched[0]
    assert header.before is not None and header.after is not None
    assert (header.before["store_id"], header.after["store_id"]) == (3, 9)
    assert isinstance(header.after["total_amount"], Decimal), "money is never a float"


def test_markup_in_a_sale_is_text_in_its_history(sales: Sales) -> None:
    line = {**CAKE, "product_name": HOSTILE, "category": HOSTILE}
    saved = sales.create(sale(payment_method=HOSTILE, lines=[line]), uuid4())
    hostile = Sales(sales.engines, sales.reader, sales.read_position, actor=HOSTILE)
    hostile.update(saved.transaction_id, saved.version, sale(lines=[CAKE]), uuid4())
    text = history_html(sales.history(saved.transaction_id).value, sales.clock)
    assert text.count("&lt;img") >= 4
    assert "<img" not in text


def test_the_newest_saves_alone_are_told_of_a_sale_that_was_saved_very_often(
    sales: Sales, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = sales.create(sale(), uuid4())
    for store in (4, 5, 6):
        saved = sales.update(saved.transaction_id, saved.version, sale(store_id=store, lines=[CAKE]), uuid4())
    monkeypatch.setattr(history, "MOST_SAVES", 2)
    assert [row[1:] for row in told(sales, saved.transaction_id) if row[1] == "Store"] == [
        ["Store", "5", "6"],
        ["Store", "4", "5"],
    ]


def test_a_sale_of_a_load_has_nothing_logged_and_says_so(sales: Sales, workbench: Workbench) -> None:
    sample.load(workbench.engines, 20, seed=3)
    assert NOTHING_LOGGED in history_html(sales.history(1).value, sales.clock)
