"""Every refusal names the field, the value and what is allowed."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.examples import CAKE, LATTE, sale, sale_data
from workbench.errors import SaleRefused
from workbench.sales.models import parse_sale


def test_totals_are_derived_from_the_lines() -> None:
    entered = sale()
    assert (entered.total_amount, entered.total_discount) == (Decimal("10.70"), Decimal("0.50"))
    assert [line.total_price for line in entered.lines] == [Decimal("6.50"), Decimal("4.20")]


def test_a_typed_total_is_refused() -> None:
    with pytest.raises(SaleRefused, match="there is no such field"):
        parse_sale(sale_data(total_amount="1.00"))


def test_text_from_forms_and_numbers_from_numpy_become_plain_values() -> None:
    entered = sale(
        cashier_id=" 7 ",
        store_id=np.int64(3),
        payment_method="  Cash ",
        customer_id="",
        lines=[{**LATTE, "quantity": "4", "unit_price": np.float64(1.5), "category": " "}],
    )
    assert (entered.cashier_id, entered.store_id, entered.payment_method, entered.customer_id) == (7, 3, "Cash", None)
    assert entered.lines[0].unit_price == Decimal("1.50")
    assert entered.lines[0].category is None
    assert type(entered.store_id) is int


def test_the_time_of_day_is_kept_to_the_microsecond() -> None:
    assert sale().transaction_time == datetime(2026, 5, 31, 14, 30, 15, 123456)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cashier_id": "x1"}, "Cashier ID 'x1' cannot be used: it must be a whole number"),
        ({"cashier_id": None}, "Cashier ID is missing: it must be a whole number"),
        ({"store_id": 0}, "Store ID 0 cannot be used: it must be more than 0"),
        ({"store_id": 2**31}, "Store ID 2147483648 cannot be used: it must be 2147483647 or less"),
        ({"customer_id": "1.5"}, "Customer ID '1.5' cannot be used: it must be a whole number"),
        ({"payment_method": "  "}, "Payment Method is missing: please fill it in"),
        ({"payment_method": "x" * 51}, "at most 50 characters are allowed"),
        ({"payment_method": "a\x00b"}, "text that can be seen, in one line, without U.0000"),
        ({"payment_method": "a\ud800b"}, "without U.D800"),
        ({"transaction_time": "31.5.2026"}, "it must be a date and time such as"),
        ({"transaction_time": "2026-05-31"}, "it must be a date and time such as"),
        ({"transaction_time": 1_700_000_000}, "it must be a date and time such as"),
        ({"transaction_time": "2026-05-31T14:30:00Z"}, "without a time zone"),
        ({"transaction_time": "1999-12-31 23:59:59"}, "it must be from 2000 to 2099"),
        ({"lines": []}, "Items are missing: at least one item is needed"),
        ({"lines": [LATTE] * 501}, "at most 500 items are allowed"),
    ],
)
def test_a_wrong_header_value_is_refused_in_words(changes: dict, message: str) -> None:
    with pytest.raises(SaleRefused, match=message):
        sale(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"quantity": 0}, "Item 2, Quantity 0 cannot be used: it must be more than 0"),
        ({"quantity": "1.5"}, "Item 2, Quantity '1.5' cannot be used: it must be a whole number"),
        ({"unit_price": "1.005"}, "Item 2, Unit Price '1.005' cannot be used: at most 2 decimal places are allowed"),
        ({"unit_price": "nan"}, "it must be an amount such as 12.50"),
        ({"unit_price": "Infinity"}, "it must be an amount such as 12.50"),
        ({"unit_price": 0}, "it must be more than 0"),
        ({"unit_price": "100000000"}, "it must be 99999999.99 or less"),
        ({"discount": "4.21"}, "Item 2, Discount '4.21' cannot be used: it must not be more than .* 4.20"),
        ({"discount": "-0.01"}, "it must be 0 or more"),
        (
            {"quantity": 2**31 - 1, "unit_price": 50},
            "Item 2, Unit Price 50 cannot be used: it and the quantity must not multiply to more than 9,999,999,999.99",
        ),
        ({"product_code": ""}, "Item 2, Product Code is missing: please fill it in"),
        ({"product_name": "a\u2028b"}, "without U.2028 LINE SEPARATOR"),
        ({"product_name": "abc\u202e321"}, "without U.202E RIGHT-TO-LEFT OVERRIDE"),
        ({"category": "\u200fx"}, "without U.200F RIGHT-TO-LEFT MARK"),
        ({"unit_price": "1,234"}, "'1,234' cannot be used: it could be 1234 or 1.234: write the one that is meant"),
        ({"unit_price": "15.000"}, "'15.000' cannot be used: it could be 15000 or 15.00: write the one that is meant"),
        ({"discount": "1,2,3"}, "it must be an amount such as 12.50"),
        ({"product_name": "x" * 256}, "at most 255 characters are allowed"),
        ({"category": "x" * 101}, "at most 100 characters are allowed"),
    ],
)
def test_a_wrong_line_value_is_refused_in_words(changes: dict, message: str) -> None:
    with pytest.raises(SaleRefused, match=message):
        sale(lines=[LATTE, {**CAKE, **changes}])


def test_all_wrong_fields_are_named_at_once() -> None:
    with pytest.raises(SaleRefused) as refused:
        sale(cashier_id="?", store_id=-1, lines=[{**LATTE, "quantity": "many"}])
    assert [f.field for f in refused.value.fields] == ["cashier_id", "store_id", "lines.0.quantity"]


def test_a_sale_beyond_the_tables_range_is_refused() -> None:
    line = {**LATTE, "quantity": 100, "unit_price": "99999999.99"}
    with pytest.raises(SaleRefused, match="must not add up to more than 9,999,999,999.99"):
        sale(lines=[line, line])


def test_a_discount_may_be_the_whole_line() -> None:
    assert sale(lines=[{**LATTE, "discount": "7.00"}]).total_amount == Decimal("0.00")


MISSING = [None, "", float("nan"), np.nan, pd.NA, pd.NaT, np.datetime64("NaT"), Decimal("NaN")]


@pytest.mark.parametrize("missing", MISSING, ids=lambda value: f"{type(value).__name__} {value}")
def test_what_pandas_puts_where_there_is_nothing_is_none_where_it_may_be_and_named_where_not(missing: object) -> None:
    line = {**LATTE, "category": missing, "discount": missing, "item_id": missing}
    entered = sale(customer_id=missing, transaction_time=missing, lines=[line])
    found = entered.lines[0]
    assert (entered.customer_id, entered.transaction_time, found.category, found.item_id) == (None,) * 4
    assert found.discount == Decimal("0.00")
    wrong = {"cashier_id": missing, "lines": [{**LATTE, "product_name": missing, "unit_price": missing}]}
    with pytest.raises(SaleRefused) as refused:
        parse_sale(sale_data(**wrong))
    told = refused.value.fields
    assert [error.field for error in told] == ["cashier_id", "lines.0.product_name", "lines.0.unit_price"]
    assert all("missing: " in str(error) for error in told)


def test_rows_of_a_frame_are_sales() -> None:
    """A column of whole numbers with a gap is one of floats to pandas."""
    rows = pd.DataFrame({"customer_id": [77, None], "category": ["Coffee", None]}).to_dict("records")
    entered = [sale(customer_id=row["customer_id"], lines=[{**LATTE, "category": row["category"]}]) for row in rows]
    assert [(each.customer_id, each.lines[0].category) for each in entered] == [(77, "Coffee"), (None, None)]


@pytest.mark.parametrize(
    ("typed", "price"),
    [
        ("3,50", "3.50"),
        ("3,5", "3.50"),
        (" 12 ", "12.00"),
        ("1.234,50", "1234.50"),
        ("1,234.50", "1234.50"),
        ("1,234,567", "1234567.00"),
        ("1 234,50", "1234.50"),
        ("1\u202f234\u00a0567.5", "1234567.50"),
    ],
)
def test_a_decimal_comma_is_understood_where_it_cannot_be_mistaken(typed: str, price: str) -> None:
    assert str(sale(lines=[{**LATTE, "unit_price": typed}]).lines[0].unit_price) == price


A_TIME = "it must be a date and time such as 2026-05-31 14:30:00"


# Rows as a retailer's export has them: goods that came back, stock that was written off, thousandths, no customer.
def _row(**changes: Any) -> dict[str, Any]:
    """One row of a table of sales, as pandas hands it out, as a sale of one line."""
    row = {"code": "B-TEA", "name": "Tea pot", "quantity": np.int64(6), "price": np.float64(2.55), "customer": 70_050.0}
    row |= {"time": pd.Timestamp("2026-03-02 08:26")} | changes
    names = {"product_code": "code", "product_name": "name", "quantity": "quantity", "unit_price": "price"}
    line = {field: row[name] for field, name in names.items()} | {"discount": float("nan"), "category": pd.NA}
    header = {"cashier_id": 1, "store_id": 1, "payment_method": "Cash", "customer_id": row["customer"]}
    return header | {"transaction_time": row["time"], "lines": [line]}


def test_a_row_of_a_table_is_a_sale() -> None:
    assert parse_sale(_row()).customer_id == 70_050
    assert parse_sale(_row(price="569.7700", customer=float("nan"))).total_amount == Decimal("3418.62")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"quantity": np.int64(-1)}, ["Item 1, Quantity -1 cannot be used: it must be more than 0"]),
        ({"price": np.float64(0)}, ["Item 1, Unit Price 0.0 cannot be used: it must be more than 0"]),
        ({"price": 569.777}, ["Item 1, Unit Price 569.777 cannot be used: at most 2 decimal places are allowed"]),
        ({"price": "2.5501"}, ["Item 1, Unit Price '2.5501' cannot be used: at most 2 decimal places are allowed"]),
        ({"name": float("nan")}, ["Item 1, Product Name is missing: it must be text"]),
        ({"quantity": pd.NA}, ["Item 1, Quantity is missing: it must be a whole number"]),
        ({"customer": 70_050.5}, ["Customer ID 70050.5 cannot be used: it must be a whole number"]),
        ({"customer": "anonymous"}, ["Customer ID 'anonymous' cannot be used: it must be a whole number"]),
        (
            {"time": "3/2/2026 8:26"},
            ["Transaction Time '3/2/2026 8:26' cannot be used: it must be a date and time such as 2026-05-31 14:30:00"],
        ),
        (
            {"quantity": np.int64(-20), "price": 0.0, "customer": float("nan")},
            [
                "Item 1, Quantity -20 cannot be used: it must be more than 0",
                "Item 1, Unit Price 0.0 cannot be used: it must be more than 0",
            ],
        ),
    ],
)
def test_a_row_that_is_no_sale_is_refused_by_field(changes: dict[str, Any], said: list[str]) -> None:
    with pytest.raises(SaleRefused) as refused:
        parse_sale(_row(**changes))
    assert [str(error) for error in refused.value.fields] == said
