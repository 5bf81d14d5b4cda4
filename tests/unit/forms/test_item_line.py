"""What is typed into the item line means: quantity, product, price; and a discount on a sale, split to the cent."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.catalogue.names import Names
from workbench.errors import SaleRefused
from workbench.forms.basket_rows import BasketRows
from workbench.forms.item_line import KnownProducts, as_unknown, plain_amount
from workbench.sales.discounts import sale_discount, split
from workbench.sales.models import CENT, parse_line
from workbench.sales.products import Product

DAY = date(2026, 5, 31)
CENTS = st.integers(0, 10**7).map(lambda cents: cents * CENT)
PRODUCTS = {
    "COF-001": "Espresso",
    "COF-004": "Cappuccino",
    "COF-0041": "Cappuccino Grande",
    "SOD-007": "7 Up",
    "C-LAT": "Caffè Latte",
    "TEA-005": "Chai Latte",
    "4006381333931": "Green Tea",
    "12": "Bag",
}


def products(**names: str) -> KnownProducts:
    known = KnownProducts(Names)
    known.learn(Product(code, name, None, Decimal("3.50")) for code, name in (PRODUCTS | names).items())
    return known


@pytest.mark.parametrize(
    ("text", "quantity", "code", "price"),
    [
        ("cappu", "1", "COF-004", ""),
        ("2 cappu", "2", "COF-004", ""),
        ("3 x COF-001", "3", "COF-001", ""),
        ("3x cof-001", "3", "COF-001", ""),
        ("3*esp", "3", "COF-001", ""),
        ("COF-004", "1", "COF-004", ""),  # not the one whose code it begins
        ("2 espresso 3.00", "2", "COF-001", "3.00"),
        ("espresso € 3,00", "1", "COF-001", "€ 3,00"),
        ("espresso USD 3.00", "1", "COF-001", "USD 3.00"),
        ("7 up", "1", "SOD-007", ""),
        ("2 7 up", "2", "SOD-007", ""),
        ("  caffe   LATTE ", "1", "C-LAT", ""),
        ("latte caf", "1", "C-LAT", ""),
        ("grande capp", "1", "COF-0041", ""),
        ("4006381333931", "1", "4006381333931", ""),
        ("2 4006381333931", "2", "4006381333931", ""),
        ("12", "1", "12", ""),
        ("0 cappu", "0", "COF-004", ""),
        ("-1 cappu", "-1", "COF-004", ""),
        ("1e9 cappu", "1e9", "COF-004", ""),
    ],
)
def test_a_text_is_a_quantity_a_product_and_a_price(text: str, quantity: str, code: str, price: str) -> None:
    typed, found = products().read(text, DAY)
    assert (typed.quantity, found[0].product_code, typed.price) == (quantity, code, price)
    assert len({each.product_code for each in found}) == len(found)


@pytest.mark.parametrize("text", ["nosuch", "40063813", "400638133393", "0", "-1", "1e9", "", "espresso 3.00 3.00"])
def test_a_text_that_names_no_product_finds_none(text: str) -> None:
    assert products().read(text, DAY)[1] == []


@pytest.mark.parametrize(
    ("text", "words", "quantity"),
    [
        ("-1", "", "-1"),
        ("1e9", "", "1e9"),
        ("3.50", "", "3.50"),
        ("40063813", "40063813", "1"),
        ("2 nosuch", "nosuch", "2"),
    ],
)
def test_what_is_unknown_keeps_what_was_typed(text: str, words: str, quantity: str) -> None:
    assert (as_unknown(text).words, as_unknown(text).quantity) == (words, quantity)


@pytest.mark.parametrize(
    ("text", "currency", "plain"),
    [
        ("USD 3.50", "USD", "3.50"),
        ("$3.50", "USD", "3.50"),
        ("3,50 €", "EUR", "3,50"),
        ("3,50 EUR", "€", "3,50"),
        ("€ 3,50", "USD", "€ 3,50"),
        ("Rp 1.000,00", "IDR", "1.000,00"),
    ],
)
def test_the_sales_own_currency_is_no_part_of_an_amount(text: str, currency: str, plain: str) -> None:
    assert plain_amount(text, currency) == plain


@settings(deadline=None)  # a busy machine is slow
@given(st.lists(CENTS, max_size=12), st.data())
def test_a_discount_is_split_to_the_cent_and_no_line_goes_below_zero(lines: list[Decimal], data: st.DataObject) -> None:
    amount = data.draw(st.integers(0, int(sum(lines) / CENT))) * CENT
    shares = split(amount, lines)
    assert sum(shares, Decimal(0)) == amount
    assert all(0 <= share <= each for share, each in zip(shares, lines, strict=True))


@pytest.mark.parametrize(
    ("text", "amount"),
    [("", "0.00"), ("5", "5.00"), ("2,50", "2.50"), ("10 %", "1.07"), ("100%", "10.70"), ("33.3%", "3.56")],
)
def test_a_discount_on_a_sale_is_an_amount_or_a_percentage(text: str, amount: str) -> None:
    assert str(sale_discount(text, Decimal("10.70"))) == amount


@pytest.mark.parametrize("text", ["-1", "10.71", "101 %", "1.005", "nan", "1e9", "half", "1,234", "%%"])
def test_another_discount_on_a_sale_is_refused(text: str) -> None:
    with pytest.raises(SaleRefused):
        sale_discount(text, Decimal("10.70"))


def rows() -> BasketRows:
    made = BasketRows("USD", lambda: None, print, print, lambda: None)
    line = {"product_code": "C", "product_name": "Latte", "quantity": 2, "unit_price": "3.50", "discount": "1"}
    for changes in ({}, {"product_code": "D", "quantity": 1, "discount": 0}):
        made.add(parse_line(line | changes))
    return made


def test_a_row_takes_what_can_be_used_and_keeps_the_rest_as_typed() -> None:
    basket = rows()
    basket.type(0, "quantity", "0")
    basket.type(0, "discount", "9")
    assert basket.is_wrong and basket.lines[0]["quantity"] == 2
    assert basket.rows[0]["quantity"] == "0" and "more than 0" in basket.rows[0]["words"]["quantity"]
    basket.type(0, "quantity", "1")
    assert "not be more than quantity times unit price" in basket.rows[0]["words"]["discount"]
    basket.step(0, 1)
    basket.step(0, 1)
    assert not basket.is_wrong and (basket.lines[0]["quantity"], basket.lines[0]["discount"]) == (3, Decimal(9))
    basket.type_discount("50 %")
    assert [line["discount"] for line in basket.sold] == [Decimal("9.75"), Decimal("1.75")]
    basket.type_discount("100")
    assert basket.is_wrong and basket.sold == basket.lines


def test_a_text_that_is_wrong_is_not_forgiven_by_the_same_product_again() -> None:
    basket = rows()
    basket.type(0, "quantity", "1o")
    basket.add(parse_line(basket.lines[0]))
    assert basket.is_wrong and [row["quantity"] for row in basket.rows] == ["1o", "1", "2"]


def test_the_same_product_at_one_price_is_one_row_and_a_message_of_a_row_that_has_gone_does_nothing() -> None:
    basket = rows()
    first = basket.rows[0]["key"]
    basket.add(parse_line(basket.lines[0] | {"quantity": 5, "discount": "0.50"}))
    assert [(line["quantity"], line["discount"]) for line in basket.lines] == [
        (7, Decimal("1.50")),
        (1, Decimal("0.00")),
    ]
    basket.remove(0)
    for said in (
        {"key": first, "step": 1},
        {"key": [], "act": {}},
        {"key": first, "act": "remove"},
        "x",
        None,
        ["remove"],
    ):
        basket._hear(said)
    assert len(basket.lines) == 1
