"""The page Sales in German and in Indonesian: figures, days and words as there, typed and shown."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.ui.conftest import Served, serving, visit, watched_page
from workbench.config import Settings
from workbench.database.engines import Engines


@pytest.fixture
def served_in(request: pytest.FixtureRequest, settings: Settings, engines: Engines) -> Iterator[Served]:
    """The app in the locale of the test, its tables empty."""
    with serving(settings, "--plugins=workbench.exporter", changes={"WORKBENCH_LOCALE": request.param}) as served:
        yield served


@pytest.mark.parametrize("served_in", ["de_DE"], indirect=True)
def test_a_sale_is_rung_up_in_german(served_in: Served, page: Page) -> None:
    visit(page, f"{served_in.url}/sales?tab=add")
    assert page.evaluate("() => document.documentElement.lang") == "de-DE"
    page.get_by_role("button", name="Einzelheiten").click()
    texts = {"Kassierer-Nr.": "7", "Filial-Nr.": "3", "Zeitpunkt": "31.5.2026 14:30", "Artikelnummer": "COF-001"}
    for name, text in (texts | {"Artikelname": "Espresso", "Menge": "2", "Einzelpreis": "1.234"}).items():
        page.get_by_label(name, exact=True).fill(text)
    page.get_by_role("button", name="Artikel hinzufügen").click()
    expect(page.get_by_text("'1.234' geht nicht: es könnte 1234 oder 1,234 sein")).to_be_visible()
    page.get_by_label("Einzelpreis", exact=True).fill("3,50")
    page.get_by_label("Rabatt", exact=True).fill("0,50")
    page.get_by_role("button", name="Artikel hinzufügen").click()
    expect(page.get_by_text("Summe 6,50 USD")).to_be_visible()
    page.get_by_role("button", name="Transaktion anlegen").click()
    expect(page.get_by_text("2 Artikel in 1 Zeile, 6,50 USD, 31.05.2026 14:30:00.")).to_be_visible()
    page.get_by_role("tab", name="Liste").click()
    row = page.locator(".tabulator-row").first
    expect(row.locator("[tabulator-field=transaction_time]")).to_have_text("31.05.2026 14:30:00")
    expect(row.locator("[tabulator-field=total_amount]")).to_have_text("6,50")
    expect(page.get_by_role("columnheader", name="Zahlungsart")).to_be_visible()
    expect(page.get_by_text("1 Transaktion", exact=True)).to_be_visible()


@pytest.mark.parametrize("served_in", ["id_ID"], indirect=True)
def test_the_page_is_in_indonesian_and_fits_a_phone(served_in: Served, browser: Browser) -> None:
    with watched_page(browser, viewport={"width": 390, "height": 844}) as page:
        visit(page, f"{served_in.url}/sales")
        expect(page.get_by_role("heading", name="Penjualan")).to_be_visible()
        for name in ("Lihat", "Catat", "Ubah", "Retur", "Hapus"):
            expect(page.get_by_role("tab", name=name, exact=True)).to_be_in_viewport(ratio=1)
        expect(page.get_by_text("Belum ada transaksi.")).to_be_visible()
        assert page.evaluate("() => document.documentElement.scrollWidth") == 390
