"""What forms do with the services, without a browser: the forms' own code against real servers."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from tests.conftest import free_ports
from tests.examples import CAKE, LATTE, sale
from workbench.config import Settings
from workbench.config.clock import StoreClock, find_zone
from workbench.connection import Workbench
from workbench.connection import connect as connect_workbench
from workbench.database.engines import Engines
from workbench.errors import OutcomeUnknown
from workbench.forms import SalesManager
from workbench.forms.sale_form import SaleForm
from workbench.metrics import SaleWhere
from workbench.sales.doubts import doubts
from workbench.sales.models import Sale, SaleInput, parse_return
from workbench.sales.service import Sales, Saved

# Bokeh 3.9 hands data frames over in a way that pandas 3.1 means to end.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")

HEADER = {"cashier_id": "301", "store_id": "3", "transaction_time": "2026-05-31 14:30:15"}


@pytest.fixture
def cut_off(settings: Settings, engines: Engines) -> Iterator[Workbench]:
    """A workbench whose master does not answer; its replica does."""
    made = connect_workbench(settings.model_copy(update={"master_db_port": free_ports(1)[0]}))
    yield made
    made.close()


def in_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Runs an asynchronous test: forms start their background work in the loop that they are used in."""

    @functools.wraps(test)
    def run(*arguments: Any, **named: Any) -> None:
        asyncio.run(test(*arguments, **named))

    return run


async def type_sale(form: SaleForm, *items: dict[str, Any], **header: str) -> None:
    """Types a sale into the form as a user would."""
    form.fields.fill(HEADER | header)
    for item in items or (LATTE,):
        type_item(form, item)
        await form.basket.entry.add()


def type_item(form: SaleForm, item: dict[str, Any]) -> None:
    form.basket.entry.fields.fill({name: str(value) for name, value in item.items()})


def count(engines: Engines) -> int:
    with engines.master_reader.connect() as connection:
        return int(connection.execute(sa.text("select count(*) from sales_transaction")).scalar_one())


def create(workbench: Workbench, **changes: Any) -> int:
    return workbench.sales().create(sale(**changes), uuid4()).transaction_id


@in_a_loop
async def test_a_saved_sale_is_said_shown_and_audited(workbench: Workbench, engines: Engines) -> None:
    manager = SalesManager(workbench, actor="tester")
    await type_sale(manager.add.form, LATTE, CAKE)
    await manager.add.save.run()
    assert "Transaction 1 created:</strong> 3 items on 2 lines" in manager.add.message.text
    assert not manager.add.form.basket.lines
    async with asyncio.timeout(10):
        while manager.table.shown != [1]:
            await asyncio.sleep(0.01)
    with engines.master_reader.connect() as connection:
        assert set(connection.execute(sa.text("select actor from audit_log")).scalars()) == {"tester"}


@in_a_loop
async def test_an_empty_basket_is_not_said_beside_its_first_item(workbench: Workbench) -> None:
    manager = SalesManager(workbench, actor="tester")
    manager.add.form.fields.fill(HEADER)
    await manager.add.save.run()
    assert "The basket is empty" in manager.add.message.text
    type_item(manager.add.form, LATTE | {"quantity": 6, "unit_price": "3,50"})
    await manager.add.form.basket.entry.add()
    assert manager.add.message.text == ""
    assert "6 items on 1 line" in manager.add.form.basket._totals.object
    assert "21.00" in manager.add.form.basket._totals.object


@in_a_loop
async def test_a_doubtful_sale_is_asked_about_and_a_yes_holds_for_it_alone(
    workbench: Workbench, engines: Engines
) -> None:
    create(workbench)
    manager = SalesManager(workbench, actor="tester")
    several = [LATTE, LATTE | {"product_name": "Latte"}, LATTE | {"product_name": "Milk coffee"}]
    await type_sale(manager.add.form, *several, store_id="99", transaction_time="2099-01-01 10:00:00")
    await manager.add.save.run()
    asked = manager.add.confirmation.question
    assert "Its time, 2099-01-01 10:00, is still to come" in asked.text
    assert "Store 99 has never sold anything before." in asked.text and "Cashier" not in asked.text
    assert "The code C-LAT has 3 names in it: Caffè Latte, Latte, Milk coffee." in asked.text
    manager.add.form.fields.fill({"store_id": "98"})
    await manager.add.confirmation.confirm()  # a yes to another sale than the one that is there now
    assert "Store 98 has never sold" in asked.text
    assert count(engines) == 1
    await manager.add.confirmation.confirm()
    assert count(engines) == 2 and asked.text == ""
    await manager.edit.load(2)
    manager.edit.form.fields.fill({"customer_id": "7"})
    await manager.edit.save.run()  # nothing that was known when it was made is asked again
    assert "Transaction 2 saved" in manager.edit.message.text
    manager.edit.form.fields.fill({"cashier_id": "302"})
    await manager.edit.save.run()
    assert "Cashier 302 has never sold" in manager.edit.confirmation.question.text


def test_where_nobody_has_sold_nobody_is_unknown_and_a_skipped_hour_is_told(workbench: Workbench) -> None:
    def asked(zone: str, at: str) -> list[str]:
        clock = StoreClock(find_zone(zone))
        return doubts(workbench.reader, workbench.read_position, clock, sale(transaction_time=at, store_id=77))

    assert asked("Europe/Berlin", "2026-03-29 01:30:00") == []
    assert asked("Europe/Berlin", "2026-03-29 02:30:00") == [
        "There was no 2026-03-29 02:30: the clocks were put forward over it."
    ]
    assert asked("Asia/Kolkata", "2026-03-29 02:30:00") == []
    now = StoreClock(find_zone("Pacific/Kiritimati")).now()
    assert asked("Pacific/Kiritimati", str(now)) == []
    assert len(asked("Pacific/Pago_Pago", str(now))) == 1  # it is yesterday there


def test_a_quantity_beyond_what_is_bought_is_asked_about_once(workbench: Workbench) -> None:
    def asked(quantity: int, stored: Sale | None = None) -> list[str]:
        changed = sale(lines=[CAKE | {"quantity": quantity}])
        return doubts(workbench.reader, workbench.read_position, workbench.clock, changed, stored)

    assert asked(999) == []
    assert asked(25_000_000) == ["25,000,000 × Cheesecake is a lot for one sale."]
    saved = create(workbench, lines=[CAKE | {"quantity": 25_000_000}])
    assert asked(25_000_000, workbench.sales().get(saved, for_edit=True).value) == []


@in_a_loop
async def test_two_clicks_at_once_make_one_sale(workbench: Workbench, engines: Engines) -> None:
    manager = SalesManager(workbench, actor="tester")
    await type_sale(manager.add.form)
    await asyncio.gather(manager.add.save.run(), manager.add.save.run())
    assert count(engines) == 1


@in_a_loop
async def test_a_lost_answer_and_a_second_try_make_one_sale(
    workbench: Workbench, engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = SalesManager(workbench, actor="tester")
    await type_sale(manager.add.form)
    lose_the_answer(monkeypatch)
    await manager.add.save.run()
    assert "not known whether" in manager.add.message.text
    assert manager.add.form.fields.text("cashier_id") == "301"
    await manager.add.save.run()
    assert "Transaction 1 created" in manager.add.message.text
    assert count(engines) == 1


@in_a_loop
async def test_other_content_after_a_lost_answer_is_no_second_sale(
    workbench: Workbench, engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = SalesManager(workbench, actor="tester")
    await type_sale(manager.add.form)
    lose_the_answer(monkeypatch)
    await manager.add.save.run()
    manager.add.form.fields.fill({"cashier_id": "302"})
    await manager.add.save.run()
    for again in (manager.add.confirmation.confirm, manager.add.save.run):
        await again()
        assert "was saved as transaction 1" in manager.add.message.text
    assert count(engines) == 1
    manager.add.form.fields.fill({"cashier_id": "303"})
    await manager.add.save.run()
    await manager.add.confirmation.confirm()
    assert count(engines) == 2


@in_a_loop
async def test_a_delete_whose_answer_was_lost_is_confirmed_again_and_told_as_done(
    workbench: Workbench, engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager, real = SalesManager(workbench, actor="tester"), Sales.delete

    def delete(self: Sales, *arguments: Any) -> Saved:
        monkeypatch.setattr(Sales, "delete", real)
        real(self, *arguments)
        raise OutcomeUnknown("The master went away while it was saving.")

    await manager.delete.load(create(workbench))
    manager.delete.reason.fill({"reason": "rung up twice"})
    monkeypatch.setattr(Sales, "delete", delete)
    await manager.delete.confirm.run()
    assert "not known whether" in manager.delete.message.text
    await manager.delete.confirm.run()
    assert "Transaction 1 deleted" in manager.delete.message.text
    assert count(engines) == 0


@pytest.mark.parametrize("is_changed", [False, True])
@in_a_loop
async def test_a_delete_that_ends_after_another_sale_was_loaded_leaves_the_question_about_that_one(
    workbench: Workbench, engines: Engines, *, is_changed: bool
) -> None:
    """It waits for somebody who holds the row, and changes it or not."""
    form, first, second = SalesManager(workbench).delete, create(workbench), create(workbench)
    await form.load(first)
    form.reason.fill({"reason": "rung up twice"})
    with engines.owner.begin() as holder:
        holder.execute(sa.text("select from sales_transaction where transaction_id = :id for update"), {"id": first})
        deleting = asyncio.ensure_future(form.confirm.run())
        while not holder.execute(sa.text("select from pg_locks where not granted")).all():  # until it waits
            assert not deleting.done()
            await asyncio.sleep(0.01)
        await form.load(second)
        if is_changed:
            holder.execute(
                sa.text("update sales_transaction set store_id = 8 where transaction_id = :id"), {"id": first}
            )
    await deleting
    assert form.sale_id == second
    assert ("Nothing was deleted." if is_changed else "Transaction 1 deleted:") in form.message.text
    assert count(engines) == (2 if is_changed else 1)


def lose_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next create commits on the server, and the connection is gone before the answer arrives."""
    real = Sales.create

    def create(self: Sales, sale: SaleInput, request_id: UUID) -> Saved:
        monkeypatch.setattr(Sales, "create", real)
        real(self, sale, request_id)
        raise OutcomeUnknown("The master went away while it was saving.")

    monkeypatch.setattr(Sales, "create", create)


@in_a_loop
async def test_without_the_master_saving_is_off_and_nothing_typed_is_lost(cut_off: Workbench) -> None:
    manager = SalesManager(cut_off)
    await type_sale(manager.add.form)
    await manager.add.save.run()
    assert "Saving is off." in manager.add.message.text and "still here" in manager.add.message.text
    assert manager.add.form.fields.text("cashier_id") == "301"
    assert len(manager.add.form.basket.lines) == 1
    await manager.edit.load(1)
    assert "Saving is off." in manager.edit.message.text


@in_a_loop
async def test_a_known_product_completes_what_is_empty(workbench: Workbench) -> None:
    manager = SalesManager(workbench, actor="tester")
    create(workbench)
    entry = manager.add.form.basket.entry
    entry.fields.fill({"product_code": "C-LAT", "unit_price": "9"})
    await entry.complete()
    texts = entry.fields.texts()
    assert (texts["product_name"], texts["category"], texts["unit_price"]) == ("Caffè Latte", "Coffee", "9")
    entry.fields.fill({"product_code": "D-CHE"})
    await entry.complete()
    texts = entry.fields.texts()
    assert (texts["product_name"], texts["category"], texts["unit_price"]) == ("Cheesecake", "Dessert", "9")
    entry.fields.fill({"product_code": "NEW"})
    await entry.complete()
    assert entry.fields.text("product_name") == ""


@in_a_loop
async def test_a_conflict_rebases_or_takes_theirs(workbench: Workbench) -> None:
    manager = SalesManager(workbench, actor="tester")
    made = create(workbench)
    await manager.edit.load(made)
    workbench.sales().update(made, 1, sale(store_id=8), uuid4())
    manager.edit.form.fields.fill({"cashier_id": "444"})
    await manager.edit.save.run()  # asks about a cashier who has never sold
    await manager.edit.confirmation.confirm()
    await manager.edit.save.run()
    assert workbench.sales().get(made, for_edit=True).value.cashier_id == 301
    manager.edit.take_theirs()
    assert manager.edit.form.fields.text("store_id") == "8"
    assert manager.edit.form.fields.text("cashier_id") == "301"


@in_a_loop
async def test_a_line_that_is_removed_while_it_is_edited_stays_removed(workbench: Workbench) -> None:
    manager = SalesManager(workbench, actor="tester")
    form = manager.add.form
    await type_sale(form, LATTE, CAKE)
    form.basket.edit(0)
    assert form.basket.entry.fields.text("product_code") == "C-LAT"
    form.basket.remove(0)
    assert not form.basket.entry.is_pending
    assert [line["product_code"] for line in form.basket.lines] == ["D-CHE"]


@in_a_loop
async def test_a_late_page_does_not_overwrite_a_newer_one(workbench: Workbench) -> None:
    manager = SalesManager(workbench, actor="tester")
    for cashier in (1, 2):
        create(workbench, cashier_id=cashier)
    slow = asyncio.create_task(manager.table.reload())
    await asyncio.sleep(0)
    manager.table.filters.value = SaleWhere(cashiers=(2,))
    await manager.table.reload()
    await slow
    assert manager.table.shown == [2]


@in_a_loop
async def test_a_sale_that_comes_late_opens_no_panel_on_another_tab_nor_over_a_newer_one(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (create(workbench, cashier_id=cashier) for cashier in (1, 2))
    manager = SalesManager(workbench, actor="tester")
    slow = asyncio.create_task(manager.table.show_sale(first))
    await asyncio.sleep(0)
    manager._tabs.active = 1
    await slow
    assert manager.table.sale_id is None
    draw, is_second_shown = manager.table._panel_html, threading.Event()

    def late(sale_id: int) -> str:
        assert sale_id == second or is_second_shown.wait(20)
        return draw(sale_id)

    monkeypatch.setattr(manager.table, "_panel_html", late)
    slow = asyncio.create_task(manager.table.show_sale(first))
    await asyncio.sleep(0)
    await manager.table.show_sale(second)
    is_second_shown.set()
    await slow
    assert manager.table.sale_id == second


@in_a_loop
async def test_a_sale_is_repeated_as_a_new_one_and_what_is_typed_is_not_lost(workbench: Workbench) -> None:
    first = create(workbench)
    add = SalesManager(workbench, actor="tester").add
    await add.load(first)
    assert add.form.fields.text("transaction_time") == ""
    await add.save.run()
    stored, copied = (workbench.sales().get(number).value for number in (first, first + 1))
    assert copied.transaction_time > stored.transaction_time
    assert (copied.total_amount, copied.customer_id) == (stored.total_amount, 77)
    assert [line.discount for line in copied.lines] == [line.discount for line in stored.lines]
    assert {line.item_id for line in copied.lines}.isdisjoint(line.item_id for line in stored.lines)

    add.form.fields.fill({"customer_id": "8"})
    await add.load(first)
    assert "A sale that is not saved is here." in add._question.text
    assert (add.form.fields.text("customer_id"), add.form.basket.lines) == ("8", [])
    await add._discard(None)
    assert not add._question.text
    assert (add.form.fields.text("customer_id"), len(add.form.basket.lines)) == ("77", 2)

    add.form.clear()
    back = {"return_of": first, "cashier_id": 302, "store_id": 3, "payment_method": "Cash"}
    lines = [{"product_code": "C-LAT", "unit_price": "3.50", "quantity": 1}]
    await add.load(workbench.sales().give_back(parse_return(back | {"lines": lines}), uuid4()).transaction_id)
    assert "It is a return, which is not repeated." in add.message.text
    assert not add.form.is_changed
