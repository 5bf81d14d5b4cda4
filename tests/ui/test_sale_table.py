"""The table of sales in a browser: rows chosen and changed at once, the keyboard, menu, panel, columns, and a phone."""

from __future__ import annotations

import re
from uuid import uuid4

from playwright.sync_api import Browser, Page, expect

from tests.conftest import wait_until
from tests.ui.conftest import visit, watched_page
from tests.ui.test_sales_page import button, create, rows, said, stored, tab
from workbench.connection import Workbench

WIDTH = """(() => {
  const find = (root) => { for (const each of root.querySelectorAll("*")) {
    if (each.matches(".tabulator-col[tabulator-field=store_id]")) return each.getBoundingClientRect().width;
    const found = each.shadowRoot && find(each.shadowRoot); if (found) return found;
  } return 0 };
  return find(document) })()"""


# The table is made anew, and at once one of its columns is hidden: before Tabulator has built it.
HIDE_WHILE_BUILT = """() => {
  const view = Bokeh.index.all_views().find((each) => each.model.type === "panel.models.tabulator.DataTabulator")
  view.invalidate_render()
  view.model.hidden_columns = [...view.model.hidden_columns, "customer_id"]
}"""


def is_as_wide_as_its_table(page: Page) -> bool:
    row, table = rows(page).first.bounding_box(), page.locator(".pnx-tabulator").bounding_box()
    return bool(row and table and abs(row["width"] - table["width"]) <= 3)


def chosen(page: Page) -> list[bool]:
    boxes = rows(page).get_by_role("checkbox")
    return [boxes.nth(n).is_checked() for n in range(boxes.count())]


def draw_rows_anew(page: Page, width: int) -> None:
    """Has the page another width, as it has by a scrollbar that what appears on it brings, while rows are scrolled."""
    cells = rows(page).locator(".tabulator-cell")
    cells.evaluate_all("(all) => all.forEach((each) => each.classList.add('drawn-before'))")
    page.locator(".tabulator-tableholder").dispatch_event("scroll")
    page.set_viewport_size({"width": width, "height": 900})
    expect(page.locator(".drawn-before")).to_have_count(0)


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
    expect(page.locator(".tabulator-row.tabulator-selected")).to_have_count(0)
    assert not any(chosen(page))
    boxes.nth(3).check()
    button(page, "Choose all that match").click()
    expect(page.get_by_text("11 chosen")).to_be_visible()
    tab(page, "Add Transaction")
    tab(page, "View")
    expect(page.get_by_text("11 chosen")).to_be_visible()


def test_rows_have_a_menu_and_a_panel_and_the_keyboard_alone_does(app: str, page: Page, workbench: Workbench) -> None:
    first, second = (create(workbench, transaction_time=f"2026-05-01 10:00:{59 - n}") for n in range(2))
    visit(page, f"{app}/sales")
    expect(rows(page)).to_have_count(2)
    page.locator(".tabulator-tableholder").focus()
    for key in ("ArrowDown", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    panel = page.get_by_role("dialog", name=f"Transaction {second}")
    expect(panel).to_be_focused()
    expect(panel.get_by_text("History: 1 save")).to_be_visible()
    beside, content = panel.bounding_box(), page.locator(".main-content").bounding_box()
    assert beside and content and content["x"] + content["width"] <= beside["x"]
    expect(page).to_have_url(re.compile(f"sale={second}$"))
    page.keyboard.press("Escape")
    expect(panel).not_to_be_visible()
    expect(rows(page).nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    expect(page.get_by_text("1 chosen")).to_be_visible()
    draw_rows_anew(page, 1240)
    expect(rows(page).first).to_be_focused()
    expect(page.get_by_role("checkbox", name="Choose all on this page", exact=True)).to_be_visible()
    box = page.get_by_role("checkbox", name=f"Choose transaction {first}", exact=True)
    expect(box).to_be_checked()
    box.click()
    expect(page.get_by_text("1 chosen")).not_to_be_visible()
    draw_rows_anew(page, 1280)
    expect(box).to_be_focused()
    rows(page).first.focus()
    page.keyboard.press("m")
    menu = page.get_by_role("menu", name=f"Transaction {first}")
    expect(menu.get_by_role("menuitem")).to_have_text(["Lines and history", "Edit", "Repeat", "Return", "Delete"])
    expect(menu.get_by_role("menuitem").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(menu).not_to_be_visible()
    expect(rows(page).first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name=f"Transaction {first}")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("dialog")).to_have_count(0)
    rows(page).nth(1).locator("[tabulator-field=store_id]").click()
    expect(panel).to_be_visible()
    page.reload()
    expect(panel).to_be_visible()
    button(panel, "Edit").click()
    expect(panel).not_to_be_visible()
    expect(page.get_by_role("heading", name=f"Transaction {second}")).to_be_visible()
    tab(page, "View")
    rows(page).first.get_by_role("button", name=f"Actions of transaction {first}").click()
    menu.get_by_role("menuitem", name="Repeat").click()
    expect(page.get_by_text(f"The items of transaction {first} are in the basket.")).to_be_visible()
    expect(page.get_by_label("Store ID")).to_have_value("3")
    expect(page.get_by_label("Transaction Time")).to_have_value("")
    visit(page, f"{app}/sales?sale=999")
    expect(page.get_by_role("dialog").get_by_text("There is no transaction 999")).to_be_visible()


def test_a_column_that_is_hidden_while_the_table_is_built_is_no_error(
    app: str, browser: Browser, workbench: Workbench
) -> None:
    create(workbench)
    with watched_page(browser) as page:  # which fails on an error of the browser
        visit(page, f"{app}/sales")
        expect(rows(page).first).to_be_visible()
        page.evaluate(HIDE_WHILE_BUILT)
        expect(rows(page).first).to_be_visible()
        expect(page.locator(".tabulator-col[tabulator-field=customer_id]")).not_to_be_visible()


def test_columns_and_widths_are_kept_and_on_a_phone_a_sale_is_a_card(
    app: str, browser: Browser, workbench: Workbench
) -> None:
    create(workbench)
    with watched_page(browser) as page:
        for width in (1000, 1800):  # what shares a wide screen is not as narrow as it was on another one
            page.set_viewport_size({"width": width, "height": 900})
            visit(page, f"{app}/sales")
            wait_until(lambda: is_as_wide_as_its_table(page), "a row as wide as the table")
        head = page.locator(".tabulator-col[tabulator-field=store_id]")
        button(page, "Columns").click()
        page.get_by_role("checkbox", name="Customer").uncheck()
        button(page, "Done").click()
        gone = page.locator(".tabulator-col[tabulator-field=customer_id]")
        expect(gone).not_to_be_visible()
        expect(page.get_by_role("dialog")).to_have_count(0)
        box = head.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] - 1, box["y"] + 20)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] + 60, box["y"] + 20, steps=6)
        page.mouse.up()
        visit(page, f"{app}/sales")
        expect(gone).not_to_be_visible()
        page.wait_for_function(f"() => {WIDTH} > {box['width'] + 50}")
        button(page, "Columns").click()
        button(page, "Reset columns and widths").click()
        expect(gone).to_be_visible()
        page.wait_for_function(f"() => {WIDTH} < {box['width'] + 10}")
        page.set_viewport_size({"width": 360, "height": 780})
        visit(page, f"{app}/sales?stores=3")
        expect(button(page, "Show filters (1 active)")).to_be_visible()
        expect(page.get_by_label("Store ID")).not_to_be_visible()
        button(page, "Show filters (1 active)").click()
        expect(page.get_by_label("Store ID")).to_be_visible()
        expect(page.get_by_label("Store ID")).to_have_value("3")
        cells = [rows(page).locator(f"[tabulator-field={name}]") for name in ("total_amount", "store_id")]
        for cell in cells:
            expect(cell).to_be_visible()
        tops = [cell.bounding_box() for cell in cells]
        assert tops[0] and tops[1] and tops[0]["y"] + tops[0]["height"] <= tops[1]["y"] + 1
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 360
        assert tops[0]["x"] + tops[0]["width"] <= 360
