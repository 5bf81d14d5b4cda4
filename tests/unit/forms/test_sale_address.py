"""The page of sales as an address: what is written is read again, and what cannot be is told."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from workbench.forms.sale_address import Place, SalesView, from_query, to_query
from workbench.metrics import SaleWhere

FILTER = SaleWhere(
    date_from=date(2026, 5, 1),
    date_to=date(2026, 5, 31),
    stores=(3, 7),
    payment_methods=("Cash", "a & b=c"),
    customer_id=77,
    product="Caffè ~ Latte",
    amount_to=Decimal("12.50"),
)
PLACES = [
    Place(),
    Place(move="last", number=9),
    Place(move="last", number=0),  # nobody has counted
    Place(move="next", edge=(datetime(2026, 5, 3, 10, 0, 0, 123456), 41), number=2),
    Place(move="previous", edge=(datetime(2026, 5, 3), 41), number=-3),
    Place("total_amount", False, 50, "next", (Decimal("12.50"), 41), 2),
    Place("payment_method", True, 100, "next", ("a~b & c", 41), 2),
    Place("customer_id", True, 20, "next", (0, 41), 7),
]


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_what_is_written_is_read_again(place: Place) -> None:
    view = SalesView("edit", 41, FILTER, place)
    assert from_query(to_query(view)) == (view, [])


def test_the_first_page_without_a_filter_has_a_short_address() -> None:
    assert to_query(SalesView()) == "?tab=view"


@pytest.mark.parametrize(
    "query",
    [
        "tab=nope",
        "sale=x",
        "sale=99999999999999999999",
        "stores=x",
        "date_from=2026-05-02&date_to=2026-05-01",
        "sort=password",
        "rows=1000000",
        "page=two",
        "page=2&after=yesterday~1",
        "page=2&after=2026-05-01",
        "page=2&sort=total_amount&after=NaN~1",
        "page=2&sort=payment_method&after=%00~1",
    ],
)
def test_what_cannot_be_used_is_told_and_left_out(query: str) -> None:
    view, problems = from_query(f"?{query}")
    assert len(problems) == 1
    assert view.place == Place()
    assert (view.tab, view.sale_id) == ("view", None)
