"""Files out, as a person gets them: from a tile, a chart, the whole dashboard and the table of sales."""

from __future__ import annotations

import csv
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import drawn, seen_through, visit
from workbench import sample
from workbench.database.engines import Engines


@pytest.fixture
def app(app: str, engines: Engines) -> str:
    """The app's address, with sales of the last 400 days."""
    sample.load(engines, 2_000)
    return app


def download(page: Page, what: str, kind: str, folder: Path) -> Path:
    """Opens the menu of a tile and takes one kind of file."""
    page.get_by_label(f"Download: {what}").click()
    with page.expect_download() as taken:
        page.locator("details[open]").get_by_role("button", name=kind, exact=True).click()
    path = folder / taken.value.suggested_filename
    taken.value.save_as(path)
    return path


def test_tiles_charts_and_the_dashboard_are_downloaded(page: Page, app: str, tmp_path: Path) -> None:
    visit(page, f"{app}/analytics")
    drawn(page)
    rows = list(csv.DictReader(download(page, "Revenue by store", "CSV", tmp_path).read_text().splitlines()))
    assert {"store", "revenue"} <= rows[0].keys()
    assert download(page, "Revenue by store", "Parquet", tmp_path).read_bytes().startswith(b"PAR1")
    assert download(page, "Revenue over time", "PNG", tmp_path).read_bytes().startswith(b"\x89PNG")
    assert download(page, "Revenue over time", "SVG", tmp_path).read_text().startswith("<svg")
    with page.expect_download() as taken:
        page.get_by_role("button", name="Excel", exact=True).first.click()
    taken.value.save_as(tmp_path / "all.xlsx")
    with page.expect_download() as taken:
        page.get_by_role("button", name="HTML", exact=True).click()
    taken.value.save_as(tmp_path / "all.html")
    assert "<h2>Revenue by store</h2>" in (text := (tmp_path / "all.html").read_text())
    assert 'href="changes' not in text
    book = openpyxl.load_workbook(tmp_path / "all.xlsx")
    assert {"About", "Total Revenue", "Revenue by store", "Customers"} <= set(book.sheetnames)
    in_sheet = {row[0]: row[1] for row in book["Revenue by store"].iter_rows(min_row=2, values_only=True)}
    assert in_sheet == {int(row["store"]): float(row["revenue"]) for row in rows}


def test_an_open_menu_of_files_outlives_the_drawing_of_its_tile_and_is_used_by_keyboard(page: Page, app: str) -> None:
    visit(page, f"{app}/analytics")
    menu = page.get_by_label("Download: Revenue by store")
    menu.click()
    seen_through(page)  # a tile that is drawn only now takes the focus away
    item = page.locator("details[open]").get_by_role("button", name="CSV", exact=True)
    expect(item).to_be_visible()
    page.get_by_role("heading", name="Revenue by store").click()
    expect(item).to_be_hidden()
    menu.focus()
    page.keyboard.press("Enter")
    expect(item).to_be_visible()
    page.keyboard.press("Escape")
    expect(item).to_be_hidden()
    expect(menu).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    with page.expect_download() as taken:
        page.keyboard.press("Enter")
    assert taken.value.suggested_filename.startswith("revenue-by-store-20")


def test_the_table_of_sales_is_downloaded_with_all_that_the_filters_leave(
    page: Page, app: str, engines: Engines, tmp_path: Path
) -> None:
    with engines.master.connect() as connection:
        query = "select count(*) from sales_transaction where store_id = 3"
        count = connection.exec_driver_sql(query).scalar_one()
    visit(page, f"{app}/sales?stores=3")
    page.get_by_text(f"{count:,} transactions").wait_for()
    with page.expect_download() as taken:
        page.get_by_role("button", name="CSV", exact=True).click()
    taken.value.save_as(tmp_path / "sales.csv")
    rows = list(csv.DictReader((tmp_path / "sales.csv").read_text().splitlines()))
    assert len(rows) == count > 20 and {row["store_id"] for row in rows} == {"3"}
