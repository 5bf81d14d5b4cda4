"""The table of sales in a browser: rows chosen over pages and changed at once."""

from __future__ import annotations

from uuid import uuid4

from playwright.sync_api import Page, expect

from tests.ui.conftest import visit
from tests.ui.test_sales_page import button, create, rows, said, stored, tab
from workbench.connection import Workbench


def chosen(page: Page) -> list[bool]:
    boxes = rows(page).get_by_role("checkbox")
    return [boxes.nth(n).is_checked() for n in range(boxes.count())]


def test_sales_stay_chosen_over_pages_and_are_changed_and_taken_back_at_once(
    app: str, page: Page, workbench: Workbench
) -> None:
    ids = [create(workbench, transaction_time=f"2026-05-01 10:00:{n:02}") for n in range(12)]
    visit(page, f"{app}/sales?rows=10")
    boxes = rows(page).get_by_role("checkbox")
    expect(boxes).to_have_count(10)
    boxes.nth(0).check()
    boxes.nth(1).check()
    expect(page.get_by_text("2 chosen")).to_be_visible()
    button(page, "Next").click()
    expect(boxes).to_have_count(2)
    assert chosen(page) == [False, False]
    boxes.nth(1).check()
    expect(page.get_by_text("3 chosen")).to_be_visible()
    button(page, "Previous").click()
    expect(boxes).to_have_count(10)
    expect(boxes.nth(1)).to_be_checked()
    assert chosen(page) == [True, True, *[False] * 8]
    with page.expect_download() as download:
        button(page, "CSV of these").click()
    assert len(download.value.path().read_text().splitlines()) == 4
    button(page, "Change ...").click()
    dialog = page.get_by_role("dialog")
    button(dialog, "Preview").click()
    expect(dialog.get_by_text("what is to be changed, one of Store, Cashier, Payment Method")).to_be_visible()
    dialog.get_by_label("Cashier ID").fill("nobody")
    button(dialog, "Preview").click()
    expect(dialog.get_by_text("'nobody' cannot be used: it must be a whole number")).to_be_visible()
    dialog.get_by_label("Cashier ID").fill("302")
    dialog.get_by_label("Cashier ID").press("Enter")
    expect(dialog.get_by_text("3 of 3 transactions would change.")).to_be_visible()
    expect(dialog.get_by_text("Cashier 302 has never sold anything before.")).to_be_visible()
    workbench.sales().delete(ids[-1], 1, uuid4(), "rung up twice")
    button(dialog, "Change 3 transactions").click()
    expect(dialog.get_by_text("Some were changed meanwhile.")).to_be_visible()
    expect(dialog.get_by_text(f"There is no transaction {ids[-1]}")).to_be_visible()
    button(dialog, "Change the other 2 transactions").click()
    said(page, f"2 transactions changed: Cashier 302. Left out: There is no transaction {ids[-1]}")
    assert stored(workbench, ids[-2]).cashier_id == 302
    expect(rows(page).locator(".tabulator-cell[tabulator-field=cashier_id]").first).to_have_text("302")
    button(page, "Undo").click()
    said(page, "2 transactions are as before.")
    assert stored(workbench, ids[-2]).cashier_id == 301
    boxes.nth(3).focus()
    page.keyboard.press("Escape")
    expect(page.get_by_text("3 chosen")).not_to_be_visible()
    assert not any(chosen(page))
    boxes.nth(3).check()
    button(page, "Choose all that match").click()
    expect(page.get_by_text("11 chosen")).to_be_visible()
    tab(page, "Add Transaction")
    tab(page, "View")
    expect(page.get_by_text("11 chosen")).to_be_visible()
