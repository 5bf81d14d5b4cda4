"""Figures and days by locale: neutral without one, then as CLDR has it."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

import pandas as pd
import pytest
from babel import localedata

from workbench import locale
from workbench.config import load_settings
from workbench.errors import SaleRefused, SettingsError
from workbench.forms.sale_address import SalesView, from_query, to_query
from workbench.locale.figures import SPACE, conventions_of
from workbench.metrics import SaleWhere
from workbench.reports import bars, table
from workbench.sales.models import parse_sale, with_point

LINE = {"product_code": "A", "product_name": "A", "quantity": "2", "unit_price": "1.234,50", "discount": "0,50"}
TYPED = {"cashier_id": "1", "store_id": "1", "payment_method": "Cash", "lines": [LINE]}
AT = datetime(2026, 5, 31, 14, 5, 9)


@pytest.mark.parametrize(
    ("name", "money", "share", "at", "named"),
    [
        ("", "-USD\xa01,234.50", "+12.3%", "2026-05-31 14:05", "31 May 2026"),
        ("de_DE", "-1.234,50\xa0USD", "+12,3\xa0%", "31.05.2026 14:05", "31. Mai 2026"),
        ("id_ID", "-USD\xa01.234,50", "+12,3%", "31/05/2026 14.05", "31 Mei 2026"),
        ("en_US", "-USD\xa01,234.50", "+12.3%", "05/31/2026 14:05", "May 31, 2026"),
        ("fr_FR", "-1\u202f234,50\xa0USD", "+12,3\xa0%", "31/05/2026 14:05", "31 mai 2026"),
        ("en_IN", "-USD\xa01,234.50", "+12.3%", "31/05/2026 14:05", "31 May 2026"),
    ],
)
def test_figures_and_days_read_as_in_their_place(name: str, money: str, share: str, at: str, named: str) -> None:
    locale.use_locale(name)
    assert locale.money(Decimal("-1234.495"), "USD") == money
    assert locale.percent(Decimal("0.123"), is_change=True) == share
    assert (locale.moment(AT), locale.named_day(AT.date())) == (at, named)
    before, behind = locale.around_money("USD")
    assert f"-{before}{money.strip('-USD' + SPACE)}{behind}" == money


def test_tables_and_bars_of_reports_have_the_figures_of_their_place() -> None:
    locale.use_locale("de_DE")
    frame = pd.DataFrame({"store": ["North"], "revenue": [Decimal("1234.50")]})
    assert "1.234,50" in table(frame)._repr_html_() and "1234.50" in repr(table(frame))
    assert ">1.234,50</text>" in bars(frame, "store", "revenue")._repr_html_()


def test_every_locale_of_cldr_can_be_used() -> None:
    for name in localedata.locale_identifiers():
        found = conventions_of(name)
        assert date(2026, 5, 31).strftime(found.day).count("2026") == 1, name
        assert "{}" in found.money and "¤" in found.money and "{}" in found.percent, name


def test_figures_are_those_from_0_to_9_whichever_the_place_has() -> None:
    for name in localedata.locale_identifiers():
        locale.use_locale(name)
        written = (
            locale.named_day(AT.date()),
            locale.named_month(AT.date()),
            locale.moment_seconds(AT),
            locale.number(AT.year),
        )
        assert not re.search(r"[^\D0-9]", " ".join(written)), (name, written)


def test_groups_beyond_the_thousands_are_of_two_where_they_are() -> None:
    locale.use_locale("hi_IN")
    amounts = [Decimal(text) for text in ("999.50", "99999", "-100000", "1234567890.50")]
    assert [locale.number(amount) for amount in amounts] == ["999.50", "99,999", "-1,00,000", "1,23,45,67,890.50"]
    assert locale.plain_whole("1,00,000") == "100000" and locale.plain_whole("1,00,00") == "1,00,00"
    locale.use_locale("de_DE")
    assert locale.number(amounts[3]) == "1.234.567.890,50" and locale.plain_whole("100.000") == "100000"


def test_whole_numbers_are_read_as_they_are_written_and_typed_here() -> None:
    for name in localedata.locale_identifiers():
        locale.use_locale(name)
        assert locale.plain_whole(locale.number(-1_234_567)) == "-1234567", name
    typed = {
        "fr_FR": "1 000",
        "sv_SE": "1\u00a0000",
        "pl_PL": "1 000",
        "de_CH": "1'000",
        "de_DE": "1 000",
        "en_US": "1,000",
    }
    for name, text in typed.items():
        locale.use_locale(name)
        assert locale.plain_whole(text) == "1000", name
    for name, text in (("de_DE", "1,000"), ("fr_FR", "1,000"), ("en_US", "1.000"), ("en_US", "1 000,000")):
        locale.use_locale(name)
        assert locale.plain_whole(text) == text, name


@pytest.mark.parametrize("name", ["german", "de_XX", "xx_DE", "C", "../de", "de_DE_"])
def test_a_name_of_no_locale_is_refused_at_start(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_LOCALE", name)
    with pytest.raises(SettingsError, match=r"WORKBENCH_LOCALE: it must be the name of a locale.*such as de_DE"):
        load_settings()


@pytest.mark.parametrize(("name", "found"), [("de-DE", "de_DE"), ("id_ID.UTF-8", "id_ID"), ("fr", "fr"), (" ", "")])
def test_a_locale_is_known_by_any_of_its_spellings(name: str, found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_LOCALE", name)
    assert load_settings().workbench_locale == found


@pytest.mark.parametrize(
    ("name", "text", "amount"),
    [
        ("", "1,234.50", "1234.50"),
        ("de_DE", "3,50", "3.50"),
        ("de_DE", "3.50", "3.50"),
        ("de_DE", "1.234,50", "1234.50"),
        ("de_DE", "1.234.567", "1234567"),
        ("de_CH", "1’234.50", "1234.50"),
        ("fr_FR", "1\u202f234,5", "1234.5"),
        ("en_US", "1,234,567", "1234567"),
        ("en_IN", "1,23,456.50", "123456.50"),
        ("en_IN", "12,34,567", "1234567"),
    ],
)
def test_amounts_are_read_as_they_are_written_here(name: str, text: str, amount: str) -> None:
    locale.use_locale(name)
    assert Decimal(with_point(text)) == Decimal(amount)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("", "1,234", "1234 or 1.234"),
        ("", "1.230", "1230 or 1.23"),
        ("de_DE", "1.234", "1234 or 1,234"),
        ("de_DE", "1.250", "1250 or 1,25"),
        ("de_DE", "1,234", "1234 or 1,234"),
    ],
)
def test_what_could_be_two_amounts_is_refused(name: str, text: str, said: str) -> None:
    locale.use_locale(name)
    with pytest.raises(ValueError, match=said.replace(" or ", " (or|oder) ")):
        with_point(text)


@pytest.mark.parametrize(("name", "text"), [("de_CH", "12’50"), ("de_CH", "2'55"), ("", "1’234.50")])
def test_marks_that_make_no_groups_here_are_left_in_an_amount_which_is_then_none(name: str, text: str) -> None:
    locale.use_locale(name)
    with pytest.raises(InvalidOperation):
        Decimal(with_point(text))


def test_a_number_that_may_be_a_thousand_or_one_is_refused_where_points_make_groups() -> None:
    locale.use_locale("id_ID")
    with pytest.raises(SaleRefused, match="Jumlah '1.000' tidak dapat dipakai.*1000"):
        parse_sale(TYPED | {"lines": [LINE | {"quantity": "1.000"}]})


@pytest.mark.parametrize("name", ["", "de_DE", "en_US"])
def test_an_address_has_days_and_amounts_as_every_locale_reads_them(name: str) -> None:
    locale.use_locale(name)
    view = SalesView(filters=SaleWhere(date_from=date(2026, 5, 6), amount_from=Decimal("12.50")))
    assert to_query(view) == "?tab=view&date_from=2026-05-06&amount_from=12.50"
    assert from_query(to_query(view)) == (view, [])


@pytest.mark.parametrize("name", ["", "de_DE", "id_ID", "en_US", "ko_KR", "hr_HR", "bg_BG", "fa_IR"])
def test_what_stands_in_a_field_is_read_again_as_it_was(name: str) -> None:
    locale.use_locale(name)
    assert locale.read_moment(locale.field_text(AT)) == AT
    assert locale.read_moment(locale.field_text(AT.replace(microsecond=7))).microsecond == 7
    assert locale.read_day(locale.field_text(AT.date())) == AT.date() == locale.read_day("2026-05-31")
    assert Decimal(with_point(locale.field_text(Decimal("1234.50")))) == Decimal("1234.50")


@pytest.mark.parametrize("text", ["05/31/2026", "31.05.26", "31.05.", "32.05.2026", "31.05.2026 14:30", "31-05-2026"])
def test_what_is_no_day_here_is_refused(text: str) -> None:
    locale.use_locale("de_DE")
    with pytest.raises(ValueError):
        locale.read_day(text)


def test_a_sale_is_typed_as_in_germany_and_its_words_too() -> None:
    locale.use_locale("de_DE")
    sale = parse_sale(TYPED | {"transaction_time": "31.5.2026, 14:30"})
    assert (sale.total_amount, sale.transaction_time) == (Decimal("2468.50"), datetime(2026, 5, 31, 14, 30))
    with pytest.raises(SaleRefused) as refused:
        parse_sale(TYPED | {"transaction_time": "31.5.2026", "lines": [LINE | {"unit_price": "3,5,0"}]})
    texts = [error.allowed for error in refused.value.fields]
    assert texts == [
        "es muss ein Tag mit Uhrzeit sein, etwa 31.05.2026 14:30:00",
        "es muss ein Betrag sein, etwa 12,50",
    ]
