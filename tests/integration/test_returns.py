"""Returns: what is given back of a sale, never more than it sold, whoever writes, and what figures make of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from tests.conftest import wait_until
from tests.examples import CAKE, LATTE, sale
from tests.integration.test_forms_saving import in_a_loop
from tests.integration.test_schema import HEADER, LINE, connected, run
from workbench.accounts.actor import Actor
from workbench.config import Settings
from workbench.connection import Workbench
from workbench.errors import MetricError, RequestReused, ReturnRefused, RoleRefused, SaleNotFound, SaleRefused
from workbench.forms import SalesManager
from workbench.forms.sale_filters import WITH_FIELD, parse_filters
from workbench.live import shared_live
from workbench.metrics import SaleWhere, Source, Where, ask, insights
from workbench.metrics.sale_pages import sale_page
from workbench.sales.models import ReturnInput, parse_return
from workbench.sales.service import Sales

# Bokeh 3.9 hands data frames over in a way that pandas 3.1 means to end.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")
RETURN = (
    "with r as (insert into sales_transaction"
    " (transaction_time, cashier_id, store_id, payment_method, total_amount, total_discount, return_of)"
    " values ('2026-06-01 10:00', 1, 1, 'Cash', {3}, {2}, {0}) returning transaction_id)"
    " insert into sales_item"
    " (transaction_id, product_code, product_name, quantity, unit_price, discount, total_price)"
    " select transaction_id, 'A', 'A', {1}, 5, {2}, {3} from r"
)


def taken(of: int, lattes: int = 0, cakes: int = 0, **changes: Any) -> ReturnInput:
    """So many of what ``tests.examples.sale`` sold, given back."""
    asked = ((LATTE, lattes), (CAKE, cakes))
    lines = [{name: each[name] for name in ("product_code", "unit_price")} | {"quantity": n} for each, n in asked if n]
    data = {"return_of": of, "cashier_id": 302, "store_id": 3, "payment_method": "Cash", "lines": lines}
    return parse_return(data | changes)


@pytest.fixture
def sales(workbench: Workbench) -> Sales:
    return workbench.sales(actor="ana")


@pytest.fixture
def sold(sales: Sales) -> int:
    """Two lattes at 3.50, 0.50 off, and a cheesecake at 4.20."""
    return sales.create(sale(), uuid4()).transaction_id


@pytest.fixture
def writer(settings: Settings, workbench: Workbench) -> Iterator[sa.Connection]:
    """As the program's writer, with transactions of several statements."""
    with connected(settings.master).connect() as connection:
        yield connection


def test_items_are_given_back_at_what_was_paid_for_them_until_nothing_is_left(sales: Sales, sold: int) -> None:
    first = sales.get(sales.give_back(taken(sold, lattes=1), uuid4()).transaction_id, for_edit=True).value
    assert (first.return_of, first.customer_id, first.payment_method, first.cashier_id) == (sold, 77, "Cash", 302)
    assert (first.total_amount, first.total_discount) == (Decimal("-3.25"), Decimal("-0.25"))
    (line,) = first.lines
    assert (line.product_name, line.category, line.quantity) == ("Caffè Latte", "Coffee", -1)
    assert sales.clock.now() >= first.transaction_time > sales.get(sold).value.transaction_time

    found, returnable = sales.returnable(sold).value
    assert found.transaction_id == sold
    assert [(each.product_code, each.sold, each.returned, each.left) for each in returnable] == [
        ("C-LAT", 2, 1, 1),
        ("D-CHE", 1, 0, 1),
    ]
    with pytest.raises(SaleRefused) as refusal:
        sales.give_back(taken(sold, lattes=2, cakes=1), uuid4())
    (error,) = refusal.value.fields
    assert (error.field, error.value) == ("lines.0.quantity", 2)
    assert error.beside == "2 cannot be used: of C-LAT 1 of 2 is left"

    rest = sales.get(sales.give_back(taken(sold, lattes=1, cakes=1), uuid4()).transaction_id).value
    assert first.total_amount + rest.total_amount == -sales.get(sold).value.total_amount
    with pytest.raises(SaleRefused, match="of D-CHE nothing is left: the one that was sold was returned"):
        sales.give_back(taken(sold, cakes=1), uuid4())
    assert [each.items for each in sales.returns(sold).value] == [1, 2]


def test_a_discount_is_shared_to_the_cent_whatever_the_order(sales: Sales) -> None:
    line = {**LATTE, "quantity": 3, "unit_price": "3.33", "discount": "1.00"}
    of = sales.create(sale(lines=[line]), uuid4()).transaction_id
    one = parse_return(
        taken(of, lattes=1).model_dump() | {"lines": [{"product_code": "C-LAT", "unit_price": "3.33", "quantity": 1}]}
    )
    totals = [sales.get(sales.give_back(one, uuid4()).transaction_id).value.total_amount for _ in range(3)]
    assert totals == [Decimal("-3.00"), Decimal("-2.99"), Decimal("-3.00")]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"lines": []}, "lines"),
        ({"lines": [{"product_code": "C-LAT", "unit_price": "3.50", "quantity": 0}]}, "lines.0.quantity"),
        ({"lines": [{"product_code": "C-LAT", "unit_price": "9.99", "quantity": 1}]}, "lines.0.quantity"),
        ({"lines": [{"product_code": "C-LAT", "unit_price": "3.50", "quantity": 1}] * 2}, "lines"),
        ({"store_id": "x"}, "store_id"),
        ({"payment_method": " "}, "payment_method"),
        ({"transaction_time": "2026-05-31 14:30:15"}, "transaction_time"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(sales: Sales, sold: int, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(SaleRefused) as refusal:
        sales.give_back(taken(sold, lattes=1, **changes), uuid4())
    assert [error.field for error in refusal.value.fields] == [field]


def test_a_repeated_submit_gives_back_once(sales: Sales, sold: int) -> None:
    request_id = uuid4()
    first = sales.give_back(taken(sold, cakes=1), request_id)
    again = sales.give_back(taken(sold, cakes=1), request_id)  # nothing of it is left: it is still the first result
    assert again.is_repeat and again.transaction_id == first.transaction_id
    with pytest.raises(RequestReused):
        sales.give_back(taken(sold, lattes=1), request_id)
    assert len(sales.returns(sold).value) == 1


def test_nothing_is_returned_of_a_return_or_of_what_is_not_there(sales: Sales, sold: int) -> None:
    back = sales.give_back(taken(sold, cakes=1), uuid4()).transaction_id
    with pytest.raises(ReturnRefused, match=f"is a return itself: return items of {sold}"):
        sales.give_back(taken(back, cakes=1), uuid4())
    with pytest.raises(SaleNotFound):
        sales.give_back(taken(4711, cakes=1), uuid4())


def test_two_returns_at_once_do_not_give_back_more_than_was_sold(workbench: Workbench, sold: int) -> None:
    """Both read that one cake is left; the sale's row is locked until the first is committed."""
    outcomes: list[object] = []
    barrier = threading.Barrier(4)

    def give_back() -> None:
        sales = workbench.sales(actor="ana")
        barrier.wait()
        try:
            outcomes.append(sales.give_back(taken(sold, cakes=1), uuid4()))
        except SaleRefused as refusal:
            outcomes.append(str(refusal))

    threads = [threading.Thread(target=give_back) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 4
    assert sum(isinstance(each, str) and "nothing is left" in each for each in outcomes) == 3, outcomes


def test_by_hand_too_the_second_of_two_open_returns_counts_the_first(settings: Settings, sales: Sales) -> None:
    of = sales.create(sale(lines=[{**CAKE, "product_code": "A", "unit_price": "5.00"}]), uuid4()).transaction_id
    engine = connected(settings.master)
    with engine.connect() as one, engine.connect() as other:
        run(one, RETURN.format(of, -1, 0, -5))
        run(other, RETURN.format(of, -1, 0, -5))
        run(one, "set constraints all immediate")  # it holds the sale now
        outcome: list[object] = []

        def commit() -> None:
            try:
                other.commit()
                outcome.append("committed")
            except DBAPIError as error:
                outcome.append(str(error.orig))

        waiting = threading.Thread(target=commit)
        waiting.start()
        with engine.connect() as looking:
            lock = "select count(*) from pg_locks where not granted"
            wait_until(lambda: run(looking, lock).scalar_one(), "the second to wait for the first")
        one.commit()
        waiting.join()
    assert f"transaction {of} sold 1 of A at 5.00, and 2 would be given back" in str(outcome[0])


def test_repeatable_read_which_would_not_see_the_first_is_refused(settings: Settings, sales: Sales, sold: int) -> None:
    with connected(settings.master).connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        run(connection, RETURN.format(sold, -1, 0, -5))
        with pytest.raises(DBAPIError, match="returns are written in READ COMMITTED"):
            connection.commit()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ((-3, 0, -15), "sold 2 of A at 5.00, and 3 would be given back"),
        ((-1, 1, -6), "violates check constraint"),  # more money than was paid: a discount of the wrong sign
        ((-1, -2, -3), "more money, or discount, of A at 5.00"),
        ((1, 0, 5), "violates check constraint"),  # a header with positive amounts
    ],
)
def test_the_master_holds_returns_to_what_was_sold_whoever_writes(
    writer: sa.Connection, row: tuple[int, int, int], said: str
) -> None:
    of = run(writer, HEADER.format("", "")).scalar_one()
    run(writer, LINE.format(of, 2, 5, 1, 9))
    writer.execute(sa.text("update sales_item set unit_price = 5 where transaction_id = :of"), {"of": of})
    writer.commit()
    with pytest.raises(DBAPIError, match=said):
        run(writer, RETURN.format(of, *row))
        writer.commit()


def test_a_sale_has_no_negative_lines_and_a_return_no_positive_ones(writer: sa.Connection) -> None:
    of = run(writer, HEADER.format("", "")).scalar_one()
    run(writer, LINE.format(of, 3, 5, 0, 15))
    run(writer, LINE.format(of, -1, 5, 0, -5))
    with pytest.raises(DBAPIError, match=f"transaction {of} is a sale: its quantities are positive"):
        writer.commit()
    writer.rollback()
    of = run(writer, HEADER.format("", "")).scalar_one()
    run(writer, LINE.format(of, 3, 5, 0, 15))
    back = run(writer, HEADER.format(", return_of", f", {of}")).scalar_one()
    run(writer, LINE.format(back, -2, 5, 0, -10))
    run(writer, LINE.format(back, 1, 5, 0, 5))
    with pytest.raises(DBAPIError, match=f"transaction {back} is a return: its quantities are negative"):
        writer.commit()


def test_a_sale_keeps_what_was_returned_of_it(sales: Sales, sold: int) -> None:
    back = sales.give_back(taken(sold, lattes=2), uuid4()).transaction_id
    stored = sales.get(sold, for_edit=True).value
    fewer = sale(lines=[{**LATTE, "discount": "0.25", "quantity": 1, "item_id": stored.lines[0].item_id}, CAKE])
    with pytest.raises(ReturnRefused, match=f"returned by transaction {back}: Transaction {sold} sold 1 of C-LAT"):
        sales.update(sold, stored.version, fewer, uuid4())
    with pytest.raises(ReturnRefused, match=f"returned by transaction {back}: delete that first"):
        sales.delete(sold, stored.version, uuid4(), "rung up twice")
    kept = [{**LATTE, "discount": "0.50", "item_id": stored.lines[0].item_id}, {**CAKE, "quantity": 2}]
    sales.update(sold, stored.version, sale(store_id=4, lines=kept), uuid4())  # the rest may change
    assert sales.get(sold).value.version == stored.version + 1


def test_a_return_is_deleted_and_restored_and_not_edited(sales: Sales, sold: int) -> None:
    back = sales.give_back(taken(sold, cakes=1), uuid4()).transaction_id
    with pytest.raises(ReturnRefused, match=f"Transaction {back} is a return of {sold}, and is not edited"):
        sales.update(back, 1, sale(), uuid4())
    sales.delete(back, 1, uuid4(), "brought back by mistake")
    deleted = sales.history(back).value[0]
    assert (deleted.kind, deleted.return_of) == ("deleted", sold)
    other = sales.give_back(taken(sold, cakes=1), uuid4()).transaction_id
    with pytest.raises(ReturnRefused, match=f"Transaction {sold} sold 1 of D-CHE at 4.20, and 2 would be given back"):
        sales.undo(back, deleted.audit_id, uuid4())
    sales.delete(other, 1, uuid4(), "this one is wrong")
    sales.undo(back, deleted.audit_id, uuid4())
    assert sales.get(back).value.return_of == sold

    sales.delete(back, 2, uuid4(), "again")
    gone = sales.history(back).value[0]
    sales.delete(sold, 1, uuid4(), "all of it")
    with pytest.raises(ReturnRefused, match="takes back from was deleted: restore that first"):
        sales.undo(back, gone.audit_id, uuid4())


def test_an_editor_takes_back_at_his_store_what_was_sold_long_ago_elsewhere(workbench: Workbench) -> None:
    of = workbench.sales().create(sale(transaction_time="2025-01-05 10:00:00"), uuid4()).transaction_id
    editor = workbench.sales(actor=Actor("ed", "editor", frozenset({4})))
    with pytest.raises(RoleRefused, match="This sale is of store 3"):
        editor.give_back(taken(of, cakes=1), uuid4())
    assert editor.give_back(taken(of, cakes=1, store_id=4), uuid4()).transaction_id > of
    with pytest.raises(RoleRefused):
        editor.give_back(taken(of, lattes=1, store_id=4, transaction_time="2025-01-06 10:00:00"), uuid4())
    with pytest.raises(RoleRefused, match="role editor"):
        workbench.sales(actor=Actor("vi", "viewer")).give_back(taken(of, lattes=1), uuid4())


def test_figures_are_net_and_count_a_return_as_no_sale(workbench: Workbench, sales: Sales, sold: int) -> None:
    sales.create(sale(customer_id=78, lines=[CAKE]), uuid4())
    sales.give_back(taken(sold, lattes=1, store_id=5), uuid4())
    source = Source(workbench.reader, sales.read_position)
    names = ["revenue", "returns", "return_rate", "sales", "items_sold", "customers", "average_sale", "discount_given"]
    (row,) = ask(source, names).value.to_dict("records")
    assert row == {
        "revenue": Decimal("11.65"),
        "returns": Decimal("3.25"),
        "return_rate": Decimal("21.81"),
        "sales": 2,
        "items_sold": 3,
        "customers": 2,
        "average_sale": Decimal("5.83"),
        "discount_given": Decimal("0.25"),
    }
    by_store = ask(source, ["revenue", "returns", "return_rate", "sales"], by=["store"]).value
    assert by_store.values.tolist() == [
        [3, Decimal("14.90"), Decimal("0.00"), Decimal("0.00"), 2],
        [5, Decimal("-3.25"), Decimal("3.25"), None, 0],  # a store with a return alone has its row
    ]
    by_category = ask(source, ["returns", "return_rate"], by=["category"]).value.values.tolist()
    assert by_category == [
        ["Coffee", Decimal("3.25"), Decimal("50.00")],
        ["Dessert", Decimal("0.00"), Decimal("0.00")],
    ]
    kinds = insights.customers(source).value
    assert kinds["sales"].tolist() == [2, 0, 0] and sum(kinds["revenue"]) == Decimal("11.65")
    pairs = insights.baskets(source, minimum_sales=1).value
    assert pairs.sales == 2 and pairs.pairs["sales_a"].tolist() == [1]
    ranked = insights.products(source, Where(stores=(5,))).value
    assert ranked[["abc_class", "items_sold"]].values.tolist() == [["C", -1]]


@in_a_loop
async def test_the_form_says_beside_each_item_what_is_left_and_saves_one_return(workbench: Workbench) -> None:
    of, other = (workbench.sales().create(sale(), uuid4()).transaction_id for _ in range(2))
    workbench.sales().give_back(taken(of, lattes=1), uuid4())
    manager = SalesManager(workbench, actor="tester")
    form = manager.back
    await form.load(of)
    latte, cake = form.quantities.widgets.values()
    assert (latte.label, latte.helper_text) == ("Caffè Latte at 3.50", "C-LAT: 1 of 2 is left")
    assert form.header.texts() == {"cashier_id": "", "store_id": "3", "payment_method": "QRIS"}
    await form.save.run()
    assert "Nothing is given back yet" in form.message.text
    assert form.header.widgets["cashier_id"].helper_text == "This is missing: it must be a whole number"
    form.header.fill({"cashier_id": "301"})
    form.quantities.fill({"0": "2", "1": "x"})
    await form.save.run()
    assert cake.helper_text == "'x' cannot be used: it must be a whole number" and not latte.error_state
    form.quantities.fill({"1": "1"})
    await form.save.run()
    assert latte.helper_text == "2 cannot be used: of C-LAT 1 of 2 is left" and not cake.error_state
    await form.load(other)
    assert f"discard it and load {other}" in form._unsaved.text and form.sale_id == of
    form.take_all()
    assert "2 items" in form._total.object and "USD" in form._total.object and "7.45" in form._total.object
    await form.save.run()
    assert f"2 items of transaction {of} returned" in form.message.text
    assert (
        form._draft() is None
        and not form.quantities.widgets
        and "Cheesecake at 4.20: nothing is left" in form._items.objects[1].object
    )
    back = workbench.sales().returns(of).value[-1]
    assert (back.actor, back.total_amount, back.items) == ("tester", Decimal("-7.45"), 2)
    await form.load(back.transaction_id)
    assert f"is a return itself: return items of {of}" in form.message.text
    await manager.edit.load(back.transaction_id)
    assert f"is a return of {of}, and is not edited" in manager.edit.message.text and manager.edit.sale_id is None
    assert f"Recorded as a return of {of}" in manager.edit._history.text.object
    await manager.edit.load(of)
    assert f"Returned by transaction {back.transaction_id}: 2 items" in manager.edit._history.text.object


def test_pages_mark_returns_and_what_was_returned_and_show_one_kind(workbench: Workbench, sales: Sales) -> None:
    of, other = (sales.create(sale(), uuid4()).transaction_id for _ in range(2))
    back = sales.give_back(taken(of, lattes=2), uuid4()).transaction_id
    for source in (
        Source(workbench.reader, sales.read_position),
        shared_live(workbench).source_now(sales.read_position),
    ):
        page = sale_page(source).value
        assert {sale: note.text for sale, note in page.notes.items()} == {
            of: "2 items returned",
            back: f"return of {of}",
        }
        found = {kind: sale_page(source, SaleWhere(kind=kind)).value.rows for kind in ("sales", "returns")}
        assert found["returns"]["transaction_id"].tolist() == [back]
        assert sorted(found["sales"]["transaction_id"]) == [of, other]
    with pytest.raises(MetricError, match="kind cannot be 'both'"):
        sale_page(source, SaleWhere(kind="both"))
    errors, _ = parse_filters(dict.fromkeys(WITH_FIELD, "") | {"payment_methods": [], "kind": "both"})
    assert errors[0].beside == "'both' cannot be used: it must be sales or returns"
