"""From a key figure to the page Changes: what it is narrowed by, and the page is not, is said there."""

from __future__ import annotations

from datetime import date, time

import pytest

from workbench.dashboards.changes_page import narrowed_text
from workbench.dashboards.kpis import narrowed_by
from workbench.metrics import Where

DAYS = {"date_from": date(2026, 5, 1), "date_to": date(2026, 5, 31)}


@pytest.mark.parametrize(
    ("where", "names"),
    [
        (Where(**DAYS), []),
        (Where(**DAYS, stores=(3,)), []),  # the page narrows by it too
        (Where(**DAYS, stores=(3, 5), time_from=time(9), hours=(9,)), ["hour", "store"]),
        (Where(**DAYS, payment_methods=("Cash",), categories=(None,), customer_id=7), None),
    ],
)
def test_what_the_page_does_not_narrow_by_is_named(where: Where, names: list[str] | None) -> None:
    expected = ["payment_method", "category", "customer"] if names is None else names
    assert narrowed_by(where) == expected
    text = narrowed_text(expected)
    assert (text == "") is (expected == []) and "_" not in text


def test_words_of_an_address_are_not_repeated() -> None:
    assert narrowed_text(["<b>", "nothing"]) == ""
    assert "narrowed by payment method and category as well" in narrowed_text(["payment_method", "category", "<b>"])
