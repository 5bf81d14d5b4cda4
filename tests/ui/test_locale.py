"""Pages in German and in Indonesian: figures, days and words as there, typed and shown, and no English left."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.accounts import PASSWORD, asked, make
from tests.conftest import wait_until
from tests.examples import LATTE, sale
from tests.ui.conftest import Served, serving, visit, watched_page
from workbench.config import Settings
from workbench.database.engines import Engines
from workbench.database.positions import wait_for_replica
from workbench.database.replication import Reader, ReadPosition
from workbench.sales.service import Sales


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
    page.set_viewport_size({"width": 390, "height": 844})
    around = "cell => ['::before', '::after'].map((place) => getComputedStyle(cell, place).content)"
    total = page.locator(".tabulator-row [tabulator-field=total_amount]")
    wait_until(lambda: total.evaluate(around) == ["none", '"\N{NO-BREAK SPACE}USD"'], "the currency behind the total")


@pytest.mark.parametrize("served_in", ["en_IN"], indirect=True)
def test_the_browser_writes_groups_of_two_too(served_in: Served, page: Page, engines: Engines) -> None:
    sales = Sales(engines, Reader(engines), ReadPosition())
    sales.create(sale(lines=[LATTE | {"quantity": 1, "unit_price": "1234567.50"}]), uuid4())
    assert wait_for_replica(engines)
    visit(page, f"{served_in.url}/sales")
    expect(page.locator(".tabulator-row [tabulator-field=total_amount]")).to_have_text("12,34,567.50")
    written = page.evaluate(
        "() => Bokeh.Models.get('NumeralTickFormatter').prototype.doFormat.call"
        "({format: '0,0', language: 'en', rounding: 'round'}, [1234567], {loc: 0})"
    )
    assert written == ["12,34,567"]


@pytest.mark.parametrize("served_in", ["id_ID"], indirect=True)
def test_the_page_is_in_indonesian_and_fits_a_phone(served_in: Served, browser: Browser) -> None:
    with watched_page(browser, viewport={"width": 390, "height": 844}) as page:
        visit(page, f"{served_in.url}/sales")
        expect(page.get_by_role("heading", name="Penjualan")).to_be_visible()
        for name in ("Lihat", "Catat", "Ubah", "Retur", "Hapus"):
            expect(page.get_by_role("tab", name=name, exact=True)).to_be_in_viewport(ratio=1)
        expect(page.get_by_text("Belum ada transaksi.")).to_be_visible()
        assert page.evaluate("() => document.documentElement.scrollWidth") == 390


# Words that German has not; the product's name, and those of columns and commands, stay.
ENGLISH = re.compile(
    r"\b(the|of|is|are|were|it|its|this|that|with|and|not|by|to|from|for|all|new|find|save|delete|choose|file|rows?|day"
    r"|first|last|any|show|change[sd]?|sales?|stores?|other|must|such|as|log|password|wrong|too|when|who|what|why)\b",
    re.IGNORECASE,
)
ALLOWED = re.compile(r"Sales workbench|workbench user|[a-z]+_[a-z_]+|\bcity|\bregion")
VISIBLE = """() => {
  const found = new Set(), named = ["placeholder", "aria-label", "title"]
  const look = (root) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT)
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const element = node.nodeType === 3 ? node.parentElement : node
      if (!element || ["STYLE", "SCRIPT"].includes(element.tagName)) { continue }
      if (element.getClientRects().length) {
        for (const text of node.nodeType === 3 ? [node.data] : named.map((name) => node.getAttribute(name))) {
          if (text && text.trim()) { found.add(text.trim()) }
        }
      }
      if (node.shadowRoot) { look(node.shadowRoot) }
    }
  }
  look(document.body)
  return [...found]
}"""


def english(page: Page) -> list[str]:
    """The texts of a page, and the names of what is on it, that have English words."""
    return [text for text in page.evaluate(VISIBLE) if ENGLISH.search(ALLOWED.sub("", text))]


def test_no_english_is_left_where_people_log_in_bring_files_and_keep_names(
    settings: Settings, engines: Engines, page: Page, tmp_path: Path
) -> None:
    make(engines, "ana", "admin")
    bad = tmp_path / "kasse.csv"
    rows = ["1;31.05.2026 10:00;3;301;Cash;A;Tee;2;3,50", "2;31.05.2026 10:05;3;301;Cash;A;Tee;0;3,50", "3;gestern;3"]
    heads = "Beleg;Datum;Filiale;Kassierer;Zahlungsart;Artikelnr;Artikel;Menge;Preis"
    bad.write_text("\n".join([heads, *rows]), encoding="utf-8")
    changes = {"WORKBENCH_LOCALE": "de_DE", "WORKBENCH_LOGIN": "accounts"}
    with serving(settings, "--plugins=workbench.exporter", changes=changes) as served:
        page.goto(f"{served.url}/imports")
        assert not english(page)
        wrong = asked(f"{served.url}/login", {"username": "ana", "password": "ein falsches"})
        assert wrong[0] == 403 and "Name oder Passwort ist falsch." in wrong[2]
        page.get_by_label("Name").fill("ana")
        page.get_by_label("Passwort").fill(PASSWORD)
        page.get_by_role("button", name="Anmelden").click()
        expect(page.get_by_text("Noch wurde nichts importiert.")).to_be_visible()
        page.get_by_label("Datei mit Verkäufen").set_input_files(bad)
        expect(page.get_by_text("kasse.csv: CSV, UTF-8, getrennt durch Semikolons; 3 Zeilen.")).to_be_visible()
        page.get_by_role("button", name="Alle Zeilen prüfen").click()
        expect(page.get_by_text("Menge '0' geht nicht: es muss mehr als 0 sein").first).to_be_visible()
        expect(page.get_by_text("Diese Zeile hat 3 Spalten und nicht 9").first).to_be_visible()
        assert not english(page)
        page.reload()  # what was uploaded is there again
        expect(page.get_by_text("kasse.csv: CSV, UTF-8, getrennt durch Semikolons; 3 Zeilen.")).to_be_visible()
        visit(page, f"{served.url}/catalogue")
        page.get_by_role("button", name="Filiale anlegen").click()
        page.get_by_label("Filial-Nr.", exact=True).fill("bald")
        page.get_by_role("button", name="Speichern", exact=True).click()
        expect(page.get_by_text("'bald' geht nicht: es muss eine ganze Zahl sein, etwa 7")).to_be_visible()
        assert not english(page)
        visit(page, f"{served.url}/changes")
        expect(page.get_by_text("Nichts im Protokoll passt.")).to_be_visible()
        page.get_by_label("Erster Tag").fill("bald")
        page.get_by_role("button", name="Zeigen").first.click()
        expect(page.get_by_text("'bald' geht nicht")).to_be_visible()
        assert not english(page)
