"""What forms decide without a server: filters from text, merging a conflict, counting pages, text in fields."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pandas as pd
import panel_material_ui as pmui
import pytest
from panel.util.parameters import edit_readonly

from tests.examples import CAKE, HOSTILE, LATTE, sale
from workbench.components.fields import Fields, text_field
from workbench.components.messages import Action, Message
from workbench.dashboards.sale_list import as_drawn
from workbench.errors import FieldError
from workbench.forms.basket_rows import BasketRows
from workbench.forms.before_saving import conflict_table, merge
from workbench.forms.chosen_sales import refused_html
from workbench.forms.named_ids import ids_of, stands_for
from workbench.forms.sale_columns import page_rows
from workbench.forms.sale_filters import SaleFilters, filter_texts, parse_filters
from workbench.forms.sale_form import content
from workbench.forms.tabulator import Pager, total_html
from workbench.metrics import SaleWhere
from workbench.metrics.facts import Counted
from workbench.metrics.sale_pages import COLUMNS, Move, SalePage
from workbench.sales.many import Refused

BLANK = filter_texts(SaleWhere())
TODAY = date(2026, 5, 6)  # a Wednesday
AMOUNTS = {"quantity": 1, "unit_price": Decimal("4.20"), "discount": Decimal("0.00")}


def stored(**changes: Any) -> dict[str, Any]:
    """A sale's content with lines 1 and 2 as they would be stored."""
    lines = [{**LATTE, "discount": "0.50", "item_id": 1}, {**CAKE, "item_id": 2}]
    return content(sale(**({"lines": lines} | changes)))


def type_into(fields: Fields, name: str, text: str) -> None:
    """As a browser does: what is typed, and with Enter what the field holds."""
    with edit_readonly(fields.widgets[name]):
        fields.widgets[name].value_input = text
    fields.widgets[name].value = text


def with_lines(*lines: dict[str, Any]) -> dict[str, Any]:
    return stored(lines=list(lines))


def test_texts_become_a_filter() -> None:
    texts = BLANK | {
        "date_from": " 2026-05-01",
        "stores": "3, 7,3",
        "customer_id": "77",
        "amount_to": "12.50",
        "payment_methods": ["Cash"],
        "product": " latte ",
    }
    errors, found = parse_filters(texts)
    assert not errors
    assert found == SaleWhere(
        date_from=date(2026, 5, 1),
        stores=(3, 7),
        customer_id=77,
        amount_to=Decimal("12.50"),
        payment_methods=("Cash",),
        product="latte",
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("date_from", "31.05.2026"),
        ("date_to", "9999-12-31"),
        ("stores", "3,"),
        ("stores", "9" * 5000),
        ("cashiers", "-1"),
        ("customer_id", "٣"),
        ("customer_id", "2147483648"),
        ("amount_from", "NaN"),
        ("amount_to", "1e999999"),
        ("amount_to", "-0.01"),
    ],
)
def test_a_text_that_is_no_filter_is_named(name: str, text: str) -> None:
    errors, _ = parse_filters(BLANK | {name: text})
    assert [error.field for error in errors] == [name]


def test_a_filter_that_ends_before_it_begins_is_refused() -> None:
    errors, _ = parse_filters(BLANK | {"amount_from": "10", "amount_to": "9.99"})
    assert [error.field for error in errors] == ["amount_to"]


def test_a_filter_without_a_field_is_kept_and_said() -> None:
    seen: list[SaleWhere] = []
    filters = SaleFilters(seen.append, lambda: TODAY, SaleWhere(weekdays=(1,), stores=(3,)))
    assert "weekdays 1" in filters.others
    filters.fields.widgets["customer_id"].value = "7"
    assert seen == [SaleWhere(weekdays=(1,), stores=(3,), customer_id=7)]


@pytest.mark.parametrize(
    ("typed", "first", "last"),
    [
        ("today", "2026-05-06", "2026-05-06"),
        (" YESTERDAY ", "2026-05-05", "2026-05-05"),
        ("Last  week", "2026-04-27", "2026-05-03"),
        ("this_month", "2026-05-01", "2026-05-31"),
        ("all", "", ""),
        ("All days", "", ""),
    ],
)
def test_days_are_typed_in_words_and_stand_as_days(typed: str, first: str, last: str) -> None:
    seen: list[SaleWhere] = []
    filters = SaleFilters(seen.append, lambda: TODAY, SaleWhere(date_from=date(2026, 1, 1), date_to=date(2026, 1, 2)))
    for name in ("date_from", "date_to"):
        type_into(filters.fields, name, typed)
    assert (filters.fields.text("date_from"), filters.fields.text("date_to")) == (first, last)
    day = {"date_from": first, "date_to": last}
    assert seen[-1:] == [parse_filters(BLANK | day)[1]]


@pytest.mark.parametrize("typed", ["lst week", "custom", "Custom", "31.05.2026", "tomorrow"])
def test_words_that_are_no_days_stay_and_what_may_be_typed_is_said(typed: str) -> None:
    seen: list[SaleWhere] = []
    filters = SaleFilters(seen.append, lambda: TODAY)
    type_into(filters.fields, "date_to", typed)
    assert (filters.fields.text("date_to"), filters._period.value) == (typed, "custom") and not seen
    assert filters.fields.widgets["date_to"].helper_text.endswith("or today, yesterday, last week, this month ...")
    assert parse_filters(BLANK | {"date_to": "today"})[0]  # an address holds days


def test_a_period_fills_both_days_and_is_named_by_them() -> None:
    seen: list[SaleWhere] = []
    filters = SaleFilters(seen.append, lambda: TODAY)
    assert filters._period.value == "all"
    filters._period.value = "month_to_date"
    assert seen == [SaleWhere(date_from=date(2026, 5, 1), date_to=TODAY)]
    assert filters._calendars["date_to"].value == TODAY
    filters._calendars["date_from"].value = TODAY
    assert (filters._period.value, filters.fields.text("date_from")) == ("today", "2026-05-06")
    filters.fill(SaleWhere(date_from=TODAY))
    assert filters._period.value == "custom"
    filters._period.value = "all"
    assert seen[1:] == [SaleWhere(date_from=TODAY, date_to=TODAY), SaleWhere()]


def test_after_midnight_a_period_has_other_days_and_days_that_were_typed_another_name() -> None:
    today, tomorrow = [TODAY], date(2026, 5, 7)
    filters = SaleFilters(lambda _: None, lambda: today[0])
    filters._period.value = "today"
    filters.fields.widgets["product"].value = "tea"
    assert not filters.tell_period()
    today[0] = tomorrow
    assert filters.tell_period()
    same = SaleWhere(date_from=tomorrow, date_to=tomorrow, product="tea")
    assert (filters._period.value, filters.value) == ("today", same)
    filters.fields.widgets["date_from"].value = "2026-05-06"
    filters.fields.widgets["date_to"].value = "2026-05-06"
    assert not filters.tell_period()
    assert (filters._period.value, filters.value.date_from) == ("yesterday", TODAY)


def test_merging_takes_my_changes_and_otherwise_theirs() -> None:
    base = stored()
    merged = merge(base, stored(cashier_id=444), stored(store_id=8, cashier_id=5))
    assert (merged["cashier_id"], merged["store_id"]) == (444, 8)


def test_merging_lines() -> None:
    latte, cake = stored()["lines"]
    tea, juice = {**cake, "item_id": 3, "product_code": "TEA"}, {**cake, "item_id": None, "product_code": "JUI"}
    base = stored()
    assert merge(base, with_lines({**latte, "quantity": 9}, cake), with_lines(latte, {**cake, "quantity": 5}, tea))[
        "lines"
    ] == [{**latte, "quantity": 9}, {**cake, "quantity": 5}, tea]
    assert merge(base, with_lines(cake, juice), with_lines(latte, cake))["lines"] == [cake, juice]
    assert merge(base, base, with_lines(cake))["lines"] == [cake]


def test_a_line_that_they_removed_and_i_changed_comes_back_as_new() -> None:
    latte, cake = stored()["lines"]
    merged = merge(stored(), with_lines({**latte, "quantity": 9}, cake), with_lines(cake))
    assert merged["lines"] == [cake, {**latte, "quantity": 9, "item_id": None}]


def test_the_comparison_marks_what_differs_and_is_only_text() -> None:
    table = conflict_table(stored(), stored(cashier_id=444), stored(payment_method=HOSTILE))
    assert ">444</mark>" in table
    assert table.count("<mark") == 2
    assert "<img" not in table and "&lt;img" in table


def a_page(count: int, *, is_estimate: bool = False, is_first: bool = False, is_last: bool = False) -> SalePage:
    counted = Counted(count, is_estimate, None if is_estimate else Decimal("-1234.5"))
    return SalePage(pd.DataFrame(), counted, not is_first, not is_last, None, None)


@pytest.mark.parametrize(
    ("moves", "text"),
    [
        ([("first", a_page(45, is_first=True))], "Page 1 of 3"),
        ([("first", a_page(45, is_first=True)), ("next", a_page(45))], "Page 2 of 3"),
        ([("last", a_page(45, is_last=True)), ("previous", a_page(45))], "Page 2 of 3"),
        ([("next", a_page(45)), (None, a_page(46))], "Page 2 of 3"),
        ([("last", a_page(10**6, is_estimate=True, is_last=True))], "Last page"),
        (
            [("last", a_page(10**6, is_estimate=True, is_last=True)), ("previous", a_page(10**6, is_estimate=True))],
            "1 before the last page",
        ),
        ([("first", a_page(10**6, is_estimate=True, is_first=True))], "Page 1 of about 50,000"),
    ],
)
def test_where_a_page_is(moves: list[tuple[Move | None, SalePage]], text: str) -> None:
    pager = Pager(lambda move: None)
    for move, page in moves:
        pager.place(page, move)
    assert pager.text == text


def test_a_size_that_is_chosen_begins_anew_and_one_of_an_address_does_not() -> None:
    moves: list[Move] = []
    pager = Pager(moves.append)
    pager._size.value = 50
    assert (pager.size, moves) == (50, ["first"])
    pager.go_on(-3, 100)
    assert (pager.number, pager.size, pager._size.value, moves) == (-3, 100, 100, ["first"])
    for move in ("next", "next", "next", "next"):
        pager.place(a_page(10**6, is_estimate=True), move)
    assert (pager.number, pager.text) == (0, "Last page")


def test_what_all_pages_come_to_stands_by_the_pager() -> None:
    assert "45 in all" in (said := total_html(Counted(45, False, Decimal("-1234.5")), "USD")) and ">-USD" in said
    assert "-USD\N{NO-BREAK SPACE}1,234.50" in said
    assert total_html(Counted(10**6, True, None), "USD") == "about 1,000,000 in all"


def test_an_error_stands_by_its_field_until_that_is_changed() -> None:
    fields = Fields({"store_id": text_field("store_id", "The hint")})
    left = fields.show([FieldError("store_id", "x", "it must be a number"), FieldError("lines", (), "none")])
    widget = fields.widgets["store_id"]
    assert widget.error_state and widget.helper_text == "'x' cannot be used: it must be a number"
    assert [error.field for error in left] == ["lines"]
    fields.fill({"store_id": "3"})
    assert not widget.error_state and widget.helper_text == "The hint"


def test_a_message_is_only_text() -> None:
    message = Message()
    message.say("error", HOSTILE, HOSTILE)
    assert "<img" not in message.text and message.text.count("&lt;img") == 2
    message.clear()
    assert message.text == ""


def test_tables_show_letters_that_are_not_seen() -> None:
    """A direction mark in a name that somebody else has written into the tables."""
    mark, shown = "Ca\u202erd", "Ca[U+202E]rd"
    row = dict.fromkeys(COLUMNS, 1) | {"transaction_time": datetime(2026, 3, 1), "payment_method": mark}
    rows = pd.DataFrame([row], columns=list(COLUMNS))
    assert page_rows(rows)["payment_method"].tolist() == [shown]
    assert as_drawn(rows)["payment_method"].tolist() == [shown]
    rows = BasketRows("USD", lambda: None, print, print, lambda: None)
    rows.load([CAKE | dict.fromkeys(("product_code", "product_name", "category"), mark) | AMOUNTS])
    assert (rows.rows[0]["name"], rows.rows[0]["about"]) == (shown, f"{shown} · {shown}")


NAMED = {3: "Rossio", 4: "Chiado", 7: "Chiado (7)"}


@pytest.mark.parametrize(
    ("typed", "ids", "said"),
    [
        ("3", "3", "Rossio"),
        ("9", "9", "not in the catalogue"),
        ("ross", "3", "3 Rossio"),
        ("chiado", "4", "4 Chiado"),  # one is named just so
        ("o", "o", "3 Rossio, 4 Chiado, 7 Chiado (7)"),
        ("rossio, 7", "3, 7", ""),
        ("nowhere", "nowhere", ""),
        ("", "", ""),
    ],
)
def test_a_name_stands_for_its_id_where_it_is_one_alone(typed: str, ids: str, said: str) -> None:
    assert ids_of(typed, NAMED) == ids
    assert stands_for(typed, NAMED) == said
    assert (ids_of(typed, {}), stands_for(typed, {})) == (typed, "")


def test_a_click_after_the_answer_is_done_next_and_one_before_it_is_a_double_click() -> None:
    message, begun, answered, done = Message(), asyncio.Event(), asyncio.Event(), asyncio.Event()
    runs = []

    async def work() -> None:
        runs.append(len(runs))
        begun.set()
        await answered.wait()
        message.say("success", "Saved.")
        await done.wait()

    async def clicks() -> None:
        action = Action(work, message, pmui.Button())
        first = asyncio.ensure_future(action.run())
        await begun.wait()
        await action.run()  # nobody has read an answer yet
        answered.set()
        while not message.answers:
            await asyncio.sleep(0)
        await action.run()
        assert runs == [0]
        done.set()
        await first

    asyncio.run(clicks())
    assert runs == [0, 1]


def test_of_thousands_that_are_refused_the_first_are_named() -> None:
    shown = refused_html([Refused(number, "it is void") for number in range(1, 9_991)])
    assert shown.count("<li>") == 10
    assert shown.endswith("49, 50 and 9,940 more.</p>")
    assert refused_html([Refused(number, "it is void") for number in range(1, 13)]).endswith("<p>Neither 11, 12.</p>")
