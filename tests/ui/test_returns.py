"""Items are returned in the browser: from the row of a sale, with what is left, and marked in the table."""

from __future__ import annotations

import re
from uuid import uuid4

from playwright.sync_api import Page, expect

from tests.examples import sale
from tests.ui.test_sales_page import act, button, fill, open_row, open_tab, rows, said, tab
from workbench.connection import Workbench

NOTES = ".tabulator-cell[tabulator-field=note]"


def test_items_of_a_sale_are_returned_from_its_row(app: str, page: Page, workbench: Workbench) -> None:
    of = workbench.sales().create(sale(), uuid4()).transaction_id
    open_tab(page, app)
    act(rows(page), "Return")
    expect(page.get_by_role("heading", name=f"Items of transaction {of}")).to_be_visible()
    assert page.url.endswith(f"/sales?tab=return&sale={of}")
    latte = page.get_by_label("Caffè Latte at 3.50")
    expect(latte).to_have_value("0")
    expect(page.get_by_label("Store ID")).to_have_value("3")
    latte.fill("3")
    fill(page, Cashier_ID="302")
    button(page, "Return items").click()
    expect(page.get_by_text("3 cannot be used: of C-LAT 2 were sold")).to_be_visible()
    latte.fill("2")
    expect(page.get_by_text("USD 6.50", exact=True)).to_be_visible()
    button(page, "Return items").dblclick()
    said(page, f"2 items of transaction {of} returned.")
    assert [each.items for each in workbench.sales().returns(of).value] == [2]

    tab(page, "View")
    expect(rows(page)).to_have_count(2)
    expect(rows(page).locator(NOTES)).to_have_text([f"return of {of}", "2 items returned"])
    expect(rows(page).first).to_contain_text("-6.50")
    open_row(rows(page).last)
    expect(page.get_by_text(re.compile("History: 1 save, .*; 2 items returned"))).to_be_visible()
    expect(page.get_by_role("cell", name=re.compile("Returned by transaction"))).to_be_visible()
    button(page, "Close").click()
    page.get_by_label("Kind").click()
    page.get_by_role("option", name="Returns", exact=True).click()
    expect(rows(page)).to_have_count(1)
    page.wait_for_function("() => location.search.includes('kind=returns')")
    rows(page).get_by_role("link", name=f"return of {of}").click()
    expect(page.get_by_role("heading", name=f"Transaction {of}", exact=True)).to_be_visible()
    button(page, "Return items").click()
    expect(page.get_by_text("nothing is left: all 2 that were sold were returned.")).to_be_visible()
