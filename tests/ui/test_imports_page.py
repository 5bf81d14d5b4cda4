"""Page "Import": a file from its upload over its verdicts to its sales, and back; who may not does not see it."""

from __future__ import annotations

import csv
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Page, expect

from tests.examples import HOSTILE
from tests.ui.conftest import visit
from tests.ui.test_sales_page import button
from workbench.database.engines import Engines

HEAD = "Invoice;SKU;Product;Qty;Date;Price"
ROWS = [
    f"1;A;{HOSTILE};2;3/4/2025 10:00;2,50",
    "1;B;Cake;1;3/4/2025 10:00;4,20",
    "2;A;Tea;1;3/4/2025 11:00;2,505",
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "till.csv"
    path.write_text("\n".join([HEAD, *ROWS]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def book(tmp_path: Path) -> Path:
    made = openpyxl.Workbook()
    made.worksheets[0].append(("Notes", "Of"))
    made.worksheets[0].append(("counted", "May"))
    sheet = made.create_sheet("May")
    sheet.append(("Invoice", "SKU", "Product", "Qty", "Date", "Price", "Store", "Cashier", "Payment"))
    sheet.append(("1", "A", "Tea", 2, "14/3/2025 10:00", 2.5, 3, 301, "Cash"))
    made.save(tmp_path / "book.xlsx")
    return tmp_path / "book.xlsx"


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_label(label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).or_(page.get_by_role("option", name=option, exact=True)).click()


def test_a_file_is_read_checked_imported_and_undone(
    app: str, page: Page, engines: Engines, file: Path, book: Path, tmp_path: Path
) -> None:
    visit(page, f"{app}/imports")
    expect(page.get_by_text("Nothing was imported yet.")).to_be_visible()
    page.get_by_label("File of sales").set_input_files({"name": "a.bin", "mimeType": "", "buffer": b"\x7fELF\0\1" * 99})
    expect(page.get_by_text("no text, no Excel file and no Parquet file")).to_be_visible()
    page.get_by_label("File of sales").set_input_files(book)
    expect(page.get_by_text("book.xlsx: Excel, sheet Sheet; 1 row.")).to_be_visible()
    choose(page, "Sheet", "May")
    expect(page.get_by_text("book.xlsx: Excel, sheet May; 1 row.")).to_be_visible()
    button(page, "Check all rows").click()
    expect(page.get_by_text("New: 1 sale with 1 line, revenue 5.00.")).to_be_visible()
    expect(button(page, "Import all")).to_be_enabled()

    page.get_by_label("File of sales").set_input_files(file)
    expect(page.get_by_text("till.csv: CSV, UTF-8, separated by semicolons; 3 rows.")).to_be_visible()
    button(page, "Check all rows").click()
    expect(page.get_by_text("days or months come first").or_(page.get_by_text("No column is chosen"))).to_be_visible()
    choose(page, "Dates are written", "day first")
    for label, value in (("Store ID", "3"), ("Cashier ID", "301"), ("Payment Method", "Cash")):
        page.get_by_label(f"{label} if none").fill(value)
    page.get_by_label("Keep this mapping as").fill("till")
    button(page, "Keep").click()
    expect(page.get_by_text("Kept as till.")).to_be_visible()
    button(page, "Check all rows").click()
    expect(page.get_by_text("New: 1 sale with 2 lines, revenue 9.20.")).to_be_visible()
    expect(page.get_by_text("is lower by 2.505")).to_be_visible()
    expect(button(page, "Import all")).to_be_disabled()
    with page.expect_download() as taken:
        button(page, "Refused rows as CSV").click()
    taken.value.save_as(tmp_path / "refused.csv")
    (refused,) = csv.DictReader((tmp_path / "refused.csv").read_text().splitlines())
    assert refused["Price"] == "2,505" and "2 decimal places" in refused["Why refused"]

    button(page, "Import the accepted rows").click()
    expect(page.get_by_text("Import 1: 1 sale with 2 lines, revenue 9.20")).to_be_visible()
    assert page.evaluate("window.__x") is None
    with engines.master.connect() as connection:
        sold = connection.exec_driver_sql(
            "select store_id, total_amount::text, transaction_time::date::text from sales_transaction"
        )
        assert sold.all() == [(3, "9.20", "2025-04-03")]
    button(page, "Undo this import").click()
    expect(page.get_by_text("Choose the import that is to be undone.")).to_be_visible()
    choose(page, "Import", "1: till.csv")
    button(page, "Undo this import").click()
    expect(page.get_by_text("Import 1 is undone: 1 sale removed")).to_be_visible()
    expect(page.get_by_role("row", name="till.csv")).to_contain_text("undone by")
