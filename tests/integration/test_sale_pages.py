"""Pages of sales against an independent model: the same filter and order done in Python over all rows."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from tests.examples import CAKE, LATTE, sale
from workbench.connection import Workbench
from workbench.metrics import SaleWhere, Source, facts
from workbench.metrics.sale_pages import COLUMNS, SalePage, sale_page
from workbench.sales.models import Sale
from workbench.sales.service import Sales

DAY = datetime(2026, 5, 1)


@pytest.fixture
def sales(workbench: Workbench) -> Sales:
    return workbench.sales()


@pytest.fixture
def stored(sales: Sales) -> list[Sale]:
    """47 sales that share many values, so that order and edges fall on ties."""
    rng, made = random.Random(5), []
    for n in range(47):
        lines = [{**rng.choice((LATTE, CAKE)), "quantity": rng.randint(1, 3)} for _ in range(rng.randint(1, 3))]
        if n % 10 == 0:
            lines.append({**CAKE, "product_code": "X-50%", "product_name": "100_% Arabica"})
        entered = sale(
            transaction_time=DAY + timedelta(hours=rng.randint(0, 9) * 7),
            store_id=rng.randint(1, 3),
            cashier_id=rng.randint(1, 4),
            payment_method=rng.choice(("Cash", "QRIS", "Cheque")),
            customer_id=rng.choice((None, None, 5, 6)),
            lines=lines,
        )
        made.append(sales.get(sales.create(entered, uuid4()).transaction_id).value)
    return made


def page(sales: Sales, where: SaleWhere = SaleWhere(), **options: Any) -> SalePage:
    return sale_page(Source(sales.reader, sales.read_position), where, **options).value


def ids(found: SalePage) -> list[int]:
    return [int(i) for i in found.rows["transaction_id"]]


def in_order(stored: list[Sale], sort: str, descending: bool) -> list[int]:
    def key(s: Sale) -> tuple:
        value = getattr(s, sort)
        return (0 if value is None else value, s.transaction_id)

    return [s.transaction_id for s in sorted(stored, key=key, reverse=descending)]


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("sort", COLUMNS)
def test_pages_forth_and_back_show_every_sale_once_in_order(
    sales: Sales, stored: list[Sale], sort: str, descending: bool
) -> None:
    expected = in_order(stored, sort, descending)
    order: dict[str, Any] = {"sort": sort, "descending": descending, "size": 10}
    found = page(sales, **order)
    pages = [found]
    while found.has_next:
        found = page(sales, move="next", edge=found.last, **order)
        pages.append(found)
    assert [i for p in pages for i in ids(p)] == expected
    assert [p.has_previous for p in pages] == [False, True, True, True, True]
    for before in reversed(pages[:-1]):
        found = page(sales, move="previous", edge=found.first, **order)
        assert (ids(found), found.has_next) == (ids(before), True)
    assert not found.has_previous
    last = page(sales, move="last", **order)
    assert (ids(last), last.has_next, last.has_previous) == (expected[-10:], False, True)


FILTERS = {
    "nothing": (SaleWhere(), lambda s: True),
    "day": (SaleWhere(date_from=date(2026, 5, 2), date_to=date(2026, 5, 2)), lambda s: s.transaction_time.day == 2),
    "store": (SaleWhere(stores=(1, 3)), lambda s: s.store_id in (1, 3)),
    "cashier": (SaleWhere(cashiers=(2,)), lambda s: s.cashier_id == 2),
    "payment": (SaleWhere(payment_methods=("Cheque",)), lambda s: s.payment_method == "Cheque"),
    "customer": (SaleWhere(customer_id=5), lambda s: s.customer_id == 5),
    "amount": (
        SaleWhere(amount_from=Decimal("10"), amount_to=Decimal("20")),
        lambda s: Decimal("10") <= s.total_amount <= Decimal("20"),
    ),
    "name": (SaleWhere(product="caFFÈ"), lambda s: any("Caffè" in line.product_name for line in s.lines)),
    "code": (SaleWhere(product="d-ch"), lambda s: any(line.product_code == "D-CHE" for line in s.lines)),
    "percent is no wildcard": (
        SaleWhere(product="0_%"),
        lambda s: any(line.product_name == "100_% Arabica" for line in s.lines),
    ),
    "quote": (SaleWhere(product="' or 1=1 --"), lambda s: False),
    "no such store": (SaleWhere(stores=(99,)), lambda s: False),
}


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_shows_and_counts_what_it_says(sales: Sales, stored: list[Sale], name: str) -> None:
    where, is_wanted = FILTERS[name]
    expected = [s for s in stored if is_wanted(s)]
    found = page(sales, where, sort="transaction_id", descending=False, size=100)
    assert ids(found) == [s.transaction_id for s in expected]
    assert (found.count, found.is_estimate) == (len(expected), False)


def test_money_comes_as_decimal(sales: Sales, stored: list[Sale]) -> None:
    assert all(isinstance(amount, Decimal) for amount in page(sales).rows["total_amount"])


def test_a_sale_that_arrives_meanwhile_moves_no_row_onto_another_page(sales: Sales, stored: list[Sale]) -> None:
    expected = in_order(stored, "transaction_time", True)
    first = page(sales, size=10)
    sales.create(sale(transaction_time="2026-12-31 10:00:00"), uuid4())
    assert ids(page(sales, size=10, move="next", edge=first.last)) == expected[10:20]


def test_beyond_the_limit_a_count_is_an_estimate_and_says_so(
    sales: Sales, stored: list[Sale], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "EXACT_COUNT_LIMIT", 20)
    found = page(sales)
    assert found.is_estimate
    assert found.count_text.startswith("about ") and found.counted.amount is None
    assert page(sales, SaleWhere(customer_id=5)).count_text == f"{sum(s.customer_id == 5 for s in stored)} transactions"


@pytest.mark.parametrize("options", [{"sort": "total_amount; drop table x"}, {"size": 10**9}])
def test_only_known_columns_and_sizes_are_taken(sales: Sales, options: dict) -> None:
    with pytest.raises(ValueError, match="sort by one of"):
        page(sales, **options)
