"""Page "Sales": every form driven by its labels, in a real browser, against real servers."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from playwright.sync_api import Browser, Locator, Page, expect

from tests.examples import HOSTILE, LATTE, sale
from tests.integration.test_sales import as_input
from tests.ui.conftest import visit, watched_page
from workbench.connection import Workbench
from workbench.database.engines import Engines
from workbench.sales.models import Sale

AMOUNTS = ".tabulator-cell[tabulator-field=total_amount]"
# How far right fields, buttons and tabs reach, those of tables aside: a table scrolls in its own frame.
RIGHT_END = """() => {
  let end = 0;
  const walk = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (element.matches("input, button, [role=alert]") && !element.closest(".tabulator")) {
        end = Math.max(end, element.getBoundingClientRect().right);
      }
      if (element.shadowRoot) walk(element.shadowRoot);
    }
  };
  walk(document);
  return end;
}"""


def open_tab(page: Page, app: str, name: str = "View") -> None:
    visit(page, f"{app}/sales")
    tab(page, name)


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def fill(page: Page, **texts: str) -> None:
    for name, text in texts.items():
        page.get_by_label(name.replace("_", " "), exact=True).fill(text)


def open_details(page: Page) -> None:
    """Has the fields of an item on the page."""
    if button(page, "Details").get_attribute("aria-expanded") != "true":
        button(page, "Details").click()
    expect(page.get_by_label("Product Code")).to_be_visible()


def basket(page: Page) -> Locator:
    return page.get_by_role("table", name="Basket").locator("tbody tr")


def add_item(page: Page, code: str, name: str, quantity: str, price: str, discount: str = "") -> None:
    open_details(page)
    fill(page, Product_Code=code, Product_Name=name, Quantity=quantity, Unit_Price=price, Discount=discount)
    button(page, "Add item").click()
    expect(page.get_by_label("Product Code")).to_have_value("")
    expect(page.get_by_label("Product Code")).to_be_focused()  # the next item begins here


def button(page: Page | Locator, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def said(page: Page, text: str) -> None:
    expect(page.get_by_role("alert").filter(has_text=text)).to_be_visible()


def rows(page: Page) -> Locator:
    return page.locator(".tabulator-row").filter(visible=True)


def act(row: Locator, name: str) -> None:
    """Chooses what is to be done with a sale from the menu of its row."""
    row.get_by_role("button", name="Actions of transaction").click()
    row.page.get_by_role("menuitem", name=name, exact=True).click()


def open_row(row: Locator) -> None:
    """Opens the panel with lines and history of a sale."""
    row.locator("[tabulator-field=transaction_time]").click()
    expect(row.page.get_by_role("dialog", name="Transaction")).to_be_visible()


def create(workbench: Workbench, **changes: Any) -> int:
    return workbench.sales().create(sale(**changes), uuid4()).transaction_id


def stored(workbench: Workbench, transaction_id: int) -> Sale:
    return workbench.sales().get(transaction_id, for_edit=True).value


def count(engines: Engines) -> int:
    with engines.master_reader.connect() as connection:
        return int(connection.execute(sa.text("select count(*) from sales_transaction")).scalar_one())


def test_a_sale_is_added_once_and_shown_at_once(app: str, page: Page, engines: Engines, workbench: Workbench) -> None:
    open_tab(page, app, "Add Transaction")
    fill(page, Cashier_ID="301", Store_ID="3", Transaction_Time="2026-05-31 14:30:15", Customer_ID="77")
    page.get_by_label("Payment Method").click()
    page.get_by_role("option", name="QRIS").click()
    add_item(page, "C-LAT", "Caffè Latte", "2", "3.50", "0.50")
    add_item(page, "D-CHE", "Cheesecake", "1", "4.20")
    expect(page.get_by_text("Total USD 10.70")).to_be_visible()
    button(page, "Create Transaction").dblclick()
    said(page, "Transaction 1 created: 3 items on 2 lines, USD 10.70")
    timing = re.compile(r"^Commit → visible on the replica after [\d.,]+ ms$")
    expect(page.get_by_role("status").filter(has_text=timing)).to_be_visible()
    expect(page.get_by_label("Item", exact=True)).to_be_focused()  # the next sale begins here
    expect(page.get_by_label("Cashier ID")).to_have_value("301")
    expect(page.get_by_label("Customer ID")).to_have_value("")
    expect(basket(page)).to_have_count(0)
    assert count(engines) == 1
    saved = stored(workbench, 1)
    assert (str(saved.transaction_time), saved.payment_method) == ("2026-05-31 14:30:15", "QRIS")
    tab(page, "View")
    expect(rows(page)).to_have_count(1)
    expect(rows(page).locator(AMOUNTS)).to_have_text("10.70")
    open_row(rows(page))
    expect(page.get_by_role("cell", name="Cheesecake", exact=True)).to_be_visible()


def test_a_sale_tells_its_history_also_when_it_is_gone(app: str, page: Page, workbench: Workbench) -> None:
    transaction_id = create(workbench)
    open_tab(page, app)
    open_row(rows(page))
    expect(page.get_by_text(re.compile("History: 1 save, the last by"))).to_be_visible()
    expect(page.get_by_role("cell", name="Recorded")).to_be_visible()
    button(page.get_by_role("dialog"), "Edit").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("heading", name=f"Transaction {transaction_id}")).to_be_visible()
    fill(page, Customer_ID="88")
    button(page, "Save changes").click()
    page.get_by_text(re.compile("History: 2 saves, the last by")).click()
    expect(page.get_by_role("row", name=re.compile("Customer 77 88$"))).to_be_visible()
    gone = stored(workbench, transaction_id)
    workbench.sales(actor="ana").delete(transaction_id, gone.version, uuid4(), "rung up twice")
    button(page, "Cancel").click()
    button(page, "Load").click()
    said(page, f"Transaction {transaction_id}")
    expect(page.get_by_text(re.compile("History: 3 saves, the last by ana"))).to_be_visible()
    expect(page.get_by_role("cell", name="Deleted")).to_be_visible()
    expect(page.get_by_role("cell", name="rung up twice")).to_be_visible()


def test_a_deleted_sale_is_restored_and_an_edit_undone_from_the_history(
    app: str, page: Page, workbench: Workbench
) -> None:
    transaction_id = create(workbench)
    workbench.sales(actor="ana").delete(transaction_id, 1, uuid4(), "rung up twice")
    visit(page, f"{app}/sales?tab=edit&sale={transaction_id}")
    button(page, "Restore this sale").click()
    said(page, f"Transaction {transaction_id}: It is there again, with its lines.")
    expect(page.get_by_role("heading", name=f"Transaction {transaction_id}")).to_be_visible()
    expect(page.get_by_label("Customer ID")).to_have_value("77")
    fill(page, Customer_ID="88")
    button(page, "Save changes").click()
    page.get_by_text(re.compile("History: 4 saves")).click()
    button(page, "Undo this change").click()
    said(page, f"Transaction {transaction_id}: It is as before that change.")
    expect(page.get_by_label("Customer ID")).to_have_value("77")
    stands = stored(workbench, transaction_id)
    changed = as_input(stands, customer_id=99)
    workbench.sales().update(transaction_id, stands.version, changed, uuid4())
    button(page, "Undo this change").click()  # of the undo, which the other's change came after
    expect(page.get_by_text("This sale was changed meanwhile")).to_be_visible()
    expect(page.locator("mark").filter(has_text="99")).to_be_visible()
    button(page, "Take theirs").click()
    expect(page.get_by_label("Customer ID")).to_have_value("99")
    assert stored(workbench, transaction_id).customer_id == 99


def test_items_are_completed_changed_and_removed(app: str, page: Page, workbench: Workbench) -> None:
    create(workbench)
    open_tab(page, app, "Add Transaction")
    open_details(page)
    fill(page, Product_Code="C-LAT")
    expect(page.get_by_label("Product Name")).to_have_value("Caffè Latte")
    expect(page.get_by_label("Unit Price")).to_have_value("3.50")
    page.get_by_label("Quantity").press("Enter")
    expect(page.get_by_text("Total USD 3.50")).to_be_visible()
    fill(page, Product_Code="D-CHE", Unit_Price="9.99")
    expect(page.get_by_label("Product Name")).to_have_value("Cheesecake")
    expect(page.get_by_label("Unit Price", exact=True)).to_have_value("9.99")
    button(page, "Add item").click()
    expect(page.get_by_text("Total USD 13.49")).to_be_visible()
    button(page, "Edit Caffè Latte").click()
    expect(page.get_by_label("Product Code")).to_have_value("C-LAT")
    fill(page, Quantity="3", Discount="1")
    button(page, "Update item").click()
    expect(page.get_by_text("Total USD 19.49")).to_be_visible()
    button(page, "Remove Cheesecake").click()
    expect(page.get_by_text("3 items on 1 line · Discount USD 1.00 · Total USD 9.50")).to_be_visible()


def test_bad_values_stay_with_their_error_beside_them(app: str, page: Page, engines: Engines) -> None:
    open_tab(page, app, "Add Transaction")
    fill(page, Cashier_ID="twelve", Store_ID="3", Transaction_Time="yesterday")
    button(page, "Create Transaction").click()
    for label, text in (("Cashier ID", "twelve"), ("Transaction Time", "yesterday")):
        expect(page.get_by_label(label)).to_have_attribute("aria-invalid", "true")
        expect(page.get_by_label(label)).to_have_value(text)
    expect(page.get_by_text("'twelve' cannot be used: it must be a whole number")).to_be_visible()
    expect(page.get_by_text("The basket is empty.")).to_be_visible()
    fill(page, Cashier_ID="12")
    expect(page.get_by_label("Cashier ID")).to_have_attribute("aria-invalid", "false")
    open_details(page)
    fill(page, Product_Code="X", Product_Name="X", Quantity="1.5", Unit_Price="-1", Discount="0.001")
    button(page, "Add item").click()
    expect(page.get_by_text("'-1' cannot be used: it must be more than 0")).to_be_visible()
    expect(page.get_by_text("at most 2 decimal places are allowed")).to_be_visible()
    expect(page.get_by_label("Quantity")).to_have_value("1.5")
    assert count(engines) == 0


def test_an_item_that_waits_in_the_fields_is_never_dropped(app: str, page: Page, engines: Engines) -> None:
    open_tab(page, app, "Add Transaction")
    fill(page, Cashier_ID="1", Store_ID="1")
    add_item(page, "A", "A", "1", "1")
    fill(page, Product_Code="B", Product_Name="B", Unit_Price="2")
    button(page, "Create Transaction").click()
    expect(page.get_by_text("This item is not in the basket yet.")).to_be_visible()
    expect(page.get_by_label("Product Name")).to_have_value("B")
    assert count(engines) == 0
    button(page, "Clear item").click()
    button(page, "Create Transaction").click()
    said(page, "created: 1 item, USD 1.00")


def test_an_edit_keeps_what_it_does_not_change(app: str, page: Page, workbench: Workbench) -> None:
    made = create(workbench, payment_method="Cheque")
    before = stored(workbench, made)
    open_tab(page, app)
    act(rows(page), "Edit")
    expect(page.get_by_label("Payment Method")).to_have_text("Cheque")
    button(page, "Save changes").click()
    expect(page.get_by_text("Nothing has been changed.")).to_be_visible()
    fill(page, Cashier_ID="99")
    button(page, "Edit Cheesecake").click()
    expect(page.get_by_label("Product Code")).to_have_value("D-CHE")
    fill(page, Quantity="2")
    button(page, "Update item").click()
    button(page, "Save changes").click()
    button(page, "Yes, save it").click()  # cashier 99 is new
    said(page, f"Transaction {made} saved: 4 items on 2 lines, USD 14.90")
    after = stored(workbench, made)
    assert after.cashier_id == 99 and after.payment_method == "Cheque"
    assert after.transaction_time == before.transaction_time  # to the microsecond
    assert [line.item_id for line in after.lines] == [line.item_id for line in before.lines]
    tab(page, "View")
    expect(rows(page).locator(AMOUNTS)).to_have_text("14.90")


def test_a_conflict_is_shown_and_nothing_is_overwritten(app: str, page: Page, workbench: Workbench) -> None:
    made = create(workbench)
    open_tab(page, app, "Edit")
    fill(page, Transaction_ID=str(made))
    button(page, "Load").click()
    expect(page.get_by_label("Cashier ID")).to_have_value("301")
    workbench.sales().update(made, 1, sale(store_id=8), uuid4())
    fill(page, Cashier_ID="444")
    button(page, "Save changes").click()
    expect(page.get_by_text("Cashier 444 has never sold anything before.")).to_be_visible()
    button(page, "Yes, save it").click()
    row = page.get_by_role("row", name="Cashier ID")
    expect(row.get_by_role("cell")).to_have_text(["444", "301", "301"])
    expect(page.get_by_role("row", name="Store ID").locator("mark")).to_have_text(["8"])
    assert stored(workbench, made).cashier_id == 301
    button(page, "Keep editing on top of theirs").click()
    expect(page.get_by_label("Store ID")).to_have_value("8")
    expect(page.get_by_label("Cashier ID")).to_have_value("444")
    button(page, "Save changes").click()
    button(page, "Yes, save it").click()
    said(page, f"Transaction {made} saved")
    assert (stored(workbench, made).cashier_id, stored(workbench, made).store_id) == (444, 8)


def test_unsaved_changes_are_not_lost_to_another_sale(app: str, page: Page, workbench: Workbench) -> None:
    first, second = create(workbench), create(workbench, cashier_id=5)
    open_tab(page, app, "Edit")
    fill(page, Transaction_ID=str(first))
    button(page, "Load").click()
    expect(page.get_by_label("Cashier ID")).to_have_value("301")
    fill(page, Cashier_ID="444", Transaction_ID=str(second))
    button(page, "Load").click()
    expect(page.get_by_text(f"Transaction {first} has changes that are not saved.")).to_be_visible()
    expect(page.get_by_label("Cashier ID")).to_have_value("444")
    button(page, "Discard changes").click()
    expect(page.get_by_label("Cashier ID")).to_have_value("5")


def test_a_confirmation_holds_for_its_sale_alone(app: str, page: Page, engines: Engines, workbench: Workbench) -> None:
    first, second = create(workbench), create(workbench, cashier_id=5)
    open_tab(page, app, "Delete")
    fill(page, Transaction_ID=str(first))
    button(page, "Load").click()
    expect(page.get_by_text(f"Delete transaction {first}? 3 items on 2 lines, USD 10.70.")).to_be_visible()
    fill(page, Transaction_ID=str(second))
    expect(button(page, "Delete")).not_to_be_visible()
    page.get_by_label("Transaction ID").press("Enter")
    expect(page.get_by_text(f"Delete transaction {second}?")).to_be_visible()
    button(page, "Delete").click()
    expect(page.get_by_text("This is missing: please fill it in")).to_be_visible()
    assert count(engines) == 2
    fill(page, Reason="rung up twice")
    button(page, "Delete").click()
    expect(page.get_by_text(f"Transaction {second} deleted:")).to_be_visible()
    assert count(engines) == 1
    fill(page, Transaction_ID=str(first))
    button(page, "Load").click()
    expect(button(page, "Delete")).to_be_visible()
    workbench.sales().delete(first, 1, uuid4(), "rung up twice")
    fill(page, Reason="rung up twice")
    button(page, "Delete").click()
    expect(page.get_by_text(f"There is no transaction {first}: it was deleted, or never existed.")).to_be_visible()
    tab(page, "View")
    expect(page.get_by_text("No transactions yet.")).to_be_visible()


def test_every_answer_under_delete_is_in_words_about_what_was_just_asked(
    app: str, page: Page, engines: Engines, workbench: Workbench
) -> None:
    made = create(workbench)
    open_tab(page, app, "Delete")
    fill(page, Transaction_ID="999999")
    button(page, "Load").click()
    gone = page.get_by_text("There is no transaction 999999: it was deleted, or never existed.")
    expect(gone).to_be_visible()
    fill(page, Transaction_ID="9223372036854775808")
    button(page, "Load").click()
    expect(page.get_by_text("it must be a whole number from 1 to 9223372036854775807, such as 1234")).to_be_visible()
    expect(gone).not_to_be_visible()  # nobody asks about it any more
    fill(page, Transaction_ID=str(made))
    button(page, "Load").click()
    button(page, "Cancel").click()
    expect(page.locator("p.said").filter(has_text=f"Transaction {made} was not deleted.")).to_be_focused()
    expect(button(page, "Delete")).not_to_be_visible()
    button(page, "Load").click()
    fill(page, Reason="wrong customer")
    with engines.owner.begin() as holder:
        holder.execute(sa.text("select from sales_transaction where transaction_id = :id for update"), {"id": made})
        button(page, "Delete").dblclick()
        expect(page.locator(".MuiButton-loading")).to_be_visible()
        button(page, "Cancel").click()
        expect(page.get_by_text(f"Transaction {made} is being deleted. Its answer will be here.")).to_be_visible()
    expect(page.get_by_text(f"Transaction {made} deleted: 3 items on 2 lines, USD 10.70.")).to_be_visible()
    assert count(engines) == 0


def test_pages_filters_and_sort(app: str, page: Page, workbench: Workbench) -> None:
    for number in range(1, 46):
        create(workbench, transaction_time=f"2026-05-{1 + number % 28:02} 10:00:{number:02}", cashier_id=number)
    open_tab(page, app)
    expect(page.get_by_text("45 transactions")).to_be_visible()
    expect(page.get_by_text("Page 1 of 3")).to_be_visible()
    expect(button(page, "Previous")).to_be_disabled()
    button(page, "Next").click()
    expect(page.get_by_text("Page 2 of 3")).to_be_visible()
    button(page, "Last").click()
    expect(page.get_by_text("Page 3 of 3")).to_be_visible()
    button(page, "Previous").click()
    expect(page.get_by_text("Page 2 of 3")).to_be_visible()
    button(page, "First").click()
    page.locator(".tabulator-col[tabulator-field=cashier_id]").click()
    expect(rows(page).locator(".tabulator-cell[tabulator-field=cashier_id]").first).to_have_text("1")
    expect(rows(page).locator(".tabulator-cell[tabulator-field=cashier_id]").last).to_have_text("20")
    button(page, "Next").click()
    expect(rows(page).locator(".tabulator-cell[tabulator-field=cashier_id]").first).to_have_text("21")
    page.get_by_label("Rows per page").click()
    page.get_by_role("option", name="50").click()
    expect(rows(page)).to_have_count(45)
    expect(button(page, "Next")).to_be_disabled()
    fill(page, Date_From="2026-05-10", Date_To="2026-05-09")
    page.get_by_label("Date To").press("Enter")
    expect(page.get_by_text("'2026-05-09' cannot be used: it must not be before the first")).to_be_visible()
    expect(rows(page)).to_have_count(28)  # the last filter that was right
    fill(page, Date_To="2026-05-10")
    page.get_by_label("Date To").press("Enter")
    expect(page.get_by_text("2 transactions")).to_be_visible()
    fill(page, Product="nothing like it")
    page.get_by_label("Product").press("Enter")
    expect(page.get_by_text("No transactions match; clear the filters.")).to_be_visible()
    button(page, "Clear filters").click()
    expect(page.get_by_text("45 transactions")).to_be_visible()


def test_days_in_words_and_periods_narrow_to_a_number_and_an_amount(app: str, page: Page, workbench: Workbench) -> None:
    today = workbench.clock.today()
    for day in (today, today - timedelta(days=400)):
        create(workbench, transaction_time=f"{day} 00:00:00")
    open_tab(page, app)
    expect(page.get_by_text("2 in all, USD 21.40")).to_be_visible()
    fill(page, Date_From="Today")
    page.get_by_label("Date From").press("Enter")
    expect(page.get_by_text("1 in all, USD 10.70")).to_be_visible()
    expect(page.get_by_label("Date From")).to_have_value(f"{today}")
    expect(page).to_have_url(re.compile(f"date_from={today}$"))
    page.get_by_label("Period").click()
    page.get_by_role("option", name="All days").click()
    expect(page.get_by_text("2 in all, USD 21.40")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("1 in all, USD 10.70")).to_be_visible()
    expect(page.get_by_label("Date From")).to_have_value(f"{today}")


def test_a_hostile_product_is_text_everywhere(app: str, page: Page, workbench: Workbench) -> None:
    hostile = [{**LATTE, "product_code": HOSTILE[:50], "product_name": HOSTILE, "category": HOSTILE}]
    made = create(workbench, payment_method=HOSTILE, lines=hostile)
    open_tab(page, app)
    expect(rows(page).locator(".tabulator-cell[tabulator-field=payment_method]")).to_have_text(HOSTILE)
    open_row(rows(page))
    expect(page.get_by_role("cell", name=HOSTILE).first).to_be_visible()
    tab(page, "Add Transaction")
    page.get_by_label("Item", exact=True).press_sequentially("img")
    expect(page.get_by_role("option")).to_contain_text(HOSTILE)
    page.get_by_role("option").click()
    expect(basket(page).get_by_text(HOSTILE)).to_have_count(2)
    open_details(page)
    fill(page, Product_Name=HOSTILE, Quantity=HOSTILE)
    button(page, "Add item").click()
    expect(page.get_by_label("Quantity", exact=True)).to_have_attribute("aria-invalid", "true")
    tab(page, "View")
    act(rows(page), "Edit")
    expect(page.get_by_label("Payment Method")).to_have_text(HOSTILE)
    workbench.sales().update(made, 1, sale(payment_method=HOSTILE, lines=hostile, cashier_id=2), uuid4())
    fill(page, Cashier_ID="3")
    button(page, "Save changes").click()
    button(page, "Yes, save it").click()
    expect(page.get_by_text("This sale was changed meanwhile")).to_be_visible()
    tab(page, "Delete")
    fill(page, Transaction_ID=HOSTILE)
    button(page, "Load").click()
    expect(page.get_by_label("Transaction ID")).to_have_attribute("aria-invalid", "true")
    fill(page, Transaction_ID=str(made))
    button(page, "Load").click()
    expect(page.get_by_text(f"Delete transaction {made}?")).to_be_visible()
    assert page.evaluate("window.__x") is None


def test_a_phone_does_not_scroll_sideways(app: str, browser: Browser, workbench: Workbench) -> None:
    made = create(workbench)
    with watched_page(browser, viewport={"width": 390, "height": 844}) as page:
        visit(page, f"{app}/sales")
        for name in ("View", "Add Transaction", "Edit", "Delete"):
            tab(page, name)
            if name in ("Edit", "Delete"):
                fill(page, Transaction_ID=str(made))
                button(page, "Load").click()
                expect(page.get_by_text(re.compile(f"Transaction {made}$"))).to_be_visible()
            expect(page.locator(".tabulator:visible, input:visible").first).to_be_visible()
            assert page.evaluate(RIGHT_END) <= 390, name


def test_a_browser_far_ahead_saves_into_the_stores_today(app: str, browser: Browser, workbench: Workbench) -> None:
    with watched_page(browser, timezone_id="Pacific/Kiritimati") as page:  # 14 hours ahead of UTC
        open_tab(page, app, "Add Transaction")
        hint = page.get_by_text(f"{workbench.clock.name} time; empty: when it is saved")
        expect(hint).to_be_visible(timeout=30_000)
        fill(page, Cashier_ID="301", Store_ID="3")
        add_item(page, "C-LAT", "Caffè Latte", "2", "3.50")
        before = workbench.clock.now()
        button(page, "Create Transaction").click()
        said(page, "Transaction 1 created")
        at = stored(workbench, 1).transaction_time
        assert before <= at <= workbench.clock.now()
        said(page, f"{at:%Y-%m-%d %H:%M:%S}")
        zone = workbench.clock.offset(datetime.now(UTC))[1]
        tab(page, "View")
        expect(page.get_by_text(re.compile(rf"as of \d\d:\d\d:\d\d {zone}"))).to_be_visible()
        visit(page, f"{app}/analytics?period=today&comparison=none")
        expect(page.locator(".kpi .figure").first).to_have_text("1")
        expect(page.get_by_text(re.compile(rf"as of \d\d:\d\d:\d\d {zone}")).first).to_be_visible()
