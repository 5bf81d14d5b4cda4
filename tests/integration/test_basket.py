"""Items on their way into a basket, without a browser: known, looked up, refused, and kept while others are typed."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import UUID

import pytest

from tests.examples import CAKE, LATTE
from tests.integration.test_forms_saving import HEADER, create, in_a_loop, type_sale
from workbench.connection import Workbench
from workbench.errors import FieldError, SaleRefused
from workbench.forms import SalesManager
from workbench.sales.models import SaleInput, parse_line
from workbench.sales.service import Sales, Saved

# Bokeh 3.9 hands data frames over in a way that pandas 3.1 means to end.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")


async def knowing(workbench: Workbench, *lines: dict[str, Any]) -> SalesManager:
    """Forms that know the products of a sale of these lines."""
    create(workbench, lines=list(lines))
    manager = SalesManager(workbench, actor="tester")
    await manager.add.form.basket.load_products()
    return manager


def codes(manager: SalesManager) -> list[tuple[str, int]]:
    """What is in the basket of a new sale."""
    return [(line["product_code"], line["quantity"]) for line in manager.add.form.basket.lines]


@in_a_loop
async def test_what_was_sold_elsewhere_meanwhile_is_looked_up_and_keeps_its_turn(workbench: Workbench) -> None:
    manager = await knowing(workbench, CAKE)
    basket = manager.add.form.basket
    create(workbench, lines=[LATTE, LATTE | {"product_code": "C-LAX"}])
    for text in ("2 C-LAT", "chee", "C-LAX", "3 C-LAT"):
        basket.enter(text)
    basket.line._hear({"entered": True, "text": "cheese", "code": ["no code"]})
    async with asyncio.timeout(10):
        while len(basket.lines) < 3:
            await asyncio.sleep(0.01)
    await basket.settle()
    assert codes(manager) == [("C-LAT", 5), ("D-CHE", 2), ("C-LAX", 1)]
    assert [str(line["unit_price"]) for line in basket.lines] == ["3.50", "4.20", "3.50"]
    assert not basket.entry.is_pending
    basket.enter("no\0such")  # which no database can be asked about
    assert basket.entry.fields.text("product_code") == "no\0such"


@in_a_loop
async def test_what_is_looked_up_one_after_another_is_waited_for(workbench: Workbench) -> None:
    manager = await knowing(workbench, CAKE)
    basket = manager.add.form.basket
    create(workbench, lines=[LATTE, LATTE | {"product_code": "C-LAX"}])
    for text in ("C-LAT", "C-LAX"):
        basket.enter(text)
    await basket.settle()
    assert codes(manager) == [("C-LAT", 1), ("C-LAX", 1)]


@in_a_loop
async def test_what_is_scanned_into_a_row_that_is_being_edited_stays_in_it(workbench: Workbench) -> None:
    manager = await knowing(workbench, LATTE)
    basket = manager.add.form.basket
    basket.enter("C-LAT")
    basket.edit(0)
    basket.enter("C-LAT")
    basket.entry.fields.fill({"discount": "0.25"})
    await basket.entry.add()
    assert codes(manager) == [("C-LAT", 2)]
    assert str(basket.lines[0]["discount"]) == "0.25"


@in_a_loop
async def test_what_waits_is_still_what_was_chosen(workbench: Workbench) -> None:
    teas = [LATTE | {"product_code": code, "product_name": f"Tea {code}"} for code in ("A", "B")]
    basket = (await knowing(workbench, *teas)).add.form.basket
    basket.enter("nosuch thing")
    await basket.settle()
    basket.enter("0 tea", "B")  # refused: it waits until the details are free
    assert basket.entry.is_pending and basket.draft()["waiting"] == [("0 tea", "B")]
    again = SalesManager(workbench, actor="tester").add.form.basket
    await again.load_products()
    again.restore(json.loads(json.dumps(basket.draft(), default=str)))
    again.entry.clear()
    assert again.entry.fields.text("product_code") == "B"


@in_a_loop
async def test_what_is_entered_while_a_sale_is_saved_is_of_the_next_one(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager, real = await knowing(workbench, LATTE, CAKE), Sales.create
    basket = manager.add.form.basket
    manager.add.form.fields.fill(HEADER)

    def create_while_typed_on(self: Sales, entered: SaleInput, request_id: UUID) -> Saved:
        basket.line._hear({"entered": True, "text": "2 cheese"})
        basket.line._hear({"text": "half ty"})
        basket._add_detailed(parse_line(LATTE | {"product_code": "C-LAX"}), None)
        return real(self, entered, request_id)

    monkeypatch.setattr(Sales, "create", create_while_typed_on)
    basket.line._hear({"entered": True, "text": "latte"})
    basket.line._hear("save")
    async with asyncio.timeout(10):
        while codes(manager) != [("C-LAX", 2), ("D-CHE", 2)] or "created" not in manager.add.message.text:
            await asyncio.sleep(0.01)
        assert [line.product_code for line in workbench.sales().get(2).value.lines] == ["C-LAT"]
        assert basket.line.text == "half ty"
        await manager.add.save.run()
        while "Enter puts it there" not in basket.line.word:  # it is done next where the one before is not quite over
            await asyncio.sleep(0.01)
    assert codes(manager) == [("C-LAX", 2), ("D-CHE", 2)]


@in_a_loop
async def test_a_product_that_the_master_refuses_is_said_by_its_row(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = SalesManager(workbench, actor="tester")
    await type_sale(manager.add.form, LATTE, CAKE)

    def refuse(*_given: Any) -> Saved:
        raise SaleRefused([FieldError("lines.1.product_code", "D-CHE", "it is not in the catalogue")])

    monkeypatch.setattr(Sales, "create", refuse)
    await manager.add.save.run()
    shown = manager.add.form.basket.rows.rows
    assert [row["wrong"] for row in shown] == [
        "",
        "Product Code 'D-CHE' cannot be used: it is not in the catalogue",
    ]
    monkeypatch.undo()
    await manager.add.save.run()  # what stood in its way may have gone
    assert "created:" in manager.add.message.text
