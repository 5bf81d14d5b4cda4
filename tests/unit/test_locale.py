"""Figures and days by locale: neutral without one, then as CLDR has it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

import pytest
from babel import localedata

from workbench import locale
from workbench.config import load_settings
from workbench.errors import SettingsError
from workbench.locale.conventions import conventions_of

AT = datetime(2026, 5, 31, 14, 5, 9)


@pytest.fixture(autouse=True)
def _neutral_again() -> Iterator[None]:
    yield
    locale.use_locale("")


@pytest.mark.parametrize(
    ("name", "money", "share", "at", "named"),
    [
        ("", "-USD\xa01,234.50", "+12.3%", "2026-05-31 14:05", "31 May 2026"),
        ("de_DE", "-1.234,50\xa0USD", "+12,3\xa0%", "31.05.2026 14:05", "31. Mai 2026"),
        ("id_ID", "-USD\xa01.234,50", "+12,3%", "31/05/2026 14.05", "31 Mei 2026"),
        ("en_US", "-USD\xa01,234.50", "+12.3%", "05/31/2026 14:05", "May 31, 2026"),
        ("fr_FR", "-1\u202f234,50\xa0USD", "+12,3\xa0%", "31/05/2026 14:05", "31 mai 2026"),
    ],
)
def test_figures_and_days_read_as_in_their_place(name: str, money: str, share: str, at: str, named: str) -> None:
    locale.use_locale(name)
    assert locale.money(Decimal("-1234.495"), "USD") == money
    assert locale.percent(Decimal("0.123"), is_change=True) == share
    assert (locale.moment(AT), locale.named_day(AT.date())) == (at, named)


def test_every_locale_of_cldr_can_be_used() -> None:
    for name in localedata.locale_identifiers():
        found = conventions_of(name)
        assert date(2026, 5, 31).strftime(found.day).count("2026") == 1, name
        assert "{}" in found.money and "¤" in found.money and "{}" in found.percent, name


@pytest.mark.parametrize("name", ["german", "de_XX", "xx_DE", "C", "../de", "de_DE_"])
def test_a_name_of_no_locale_is_refused_at_start(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_LOCALE", name)
    with pytest.raises(SettingsError, match=r"WORKBENCH_LOCALE: it must be the name of a locale.*such as de_DE"):
        load_settings()


@pytest.mark.parametrize(("name", "found"), [("de-DE", "de_DE"), ("id_ID.UTF-8", "id_ID"), ("fr", "fr"), (" ", "")])
def test_a_locale_is_known_by_any_of_its_spellings(name: str, found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_LOCALE", name)
    assert load_settings().workbench_locale == found
