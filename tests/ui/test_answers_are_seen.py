"""What answers a click is on the screen, announced, and has the focus: on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from tests.examples import LATTE
from tests.ui.conftest import PATIENCE_MS, visit, watched_page
from tests.ui.test_sales_page import button, create, fill, tab
from workbench.connection import Workbench

SCREENS: list[ViewportSize] = [{"width": 1400, "height": 900}, {"width": 390, "height": 844}]
IS_ANNOUNCED = """(element) => {
  for (let at = element; at; at = at.parentElement || at.getRootNode().host) {
    if (at.matches("[role=status], [role=alert]")) return true
  }
  return false
}"""
LOAD_MS, RUN_MS = 60_000, 120_000


@pytest.fixture(params=SCREENS, ids=["desk", "phone"])
def screen(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A page of either size."""
    with watched_page(browser, viewport=request.param) as page:
        yield page


def each_size(page: Page, on_a_phone: str, on_a_desk: str) -> Iterator[str]:
    """What is given for each size, once the page has it."""
    for size, given in zip(reversed(SCREENS), (on_a_phone, on_a_desk), strict=True):
        page.set_viewport_size(size)
        page.wait_for_function("(width) => innerWidth === width", arg=size["width"])
        yield given


def seen(answer: Locator, timeout: float = PATIENCE_MS) -> None:
    """Waits until the answer is there; it is on the screen as a whole, announced, and has the focus."""
    expect(answer).to_be_visible(timeout=timeout)
    expect(answer).to_be_in_viewport(ratio=1)
    expect(answer).to_be_focused()
    assert answer.evaluate(IS_ANNOUNCED)


def answer(page: Page, text: str) -> Locator:
    """The line that says ``text``."""
    return page.locator("p.said").filter(has_text=text)


def test_what_a_form_of_sales_answers_is_seen(app: str, screen: Page, workbench: Workbench) -> None:
    many = [LATTE | {"product_code": f"C-{number}"} for number in range(12)]
    made = create(workbench, lines=many)
    visit(screen, f"{app}/sales?tab=edit&sale={made}")
    expect(screen.get_by_label("Cashier ID")).to_have_value("301")
    fill(screen, Cashier_ID="77")
    button(screen, "Save changes").click()
    seen(answer(screen, "Is that right?"))  # cashier 77 is new
    expect(button(screen, "Yes, save it")).to_be_in_viewport(ratio=1)
    button(screen, "Yes, save it").click()
    seen(answer(screen, f"Transaction {made} saved"))
    button(screen, "Save changes").click()
    seen(answer(screen, "Nothing has been changed."))
    tab(screen, "Delete")
    fill(screen, Transaction_ID=str(made))
    button(screen, "Load").click()
    seen(answer(screen, f"Delete transaction {made}?"))
    expect(button(screen, "Delete")).to_be_in_viewport(ratio=1)
    screen.get_by_label("Reason").fill("rung up twice")
    button(screen, "Delete").click()
    seen(answer(screen, f"Transaction {made} deleted:"))
    tab(screen, "Add Transaction")
    fill(screen, Cashier_ID="301", Store_ID="3")
    button(screen, "Create Transaction").click()
    seen(answer(screen, "The basket is empty."))
    button(screen, "Details").click()
    for number in range(8):
        fill(screen, Product_Code=f"C-{number}", Product_Name="Caffè Latte", Quantity="1", Unit_Price="1")
        button(screen, "Add item").click()
        expect(screen.get_by_label("Product Code")).to_have_value("")
        expect(screen.get_by_label("Product Code")).to_be_focused()  # the next item begins here
    button(screen, "Create Transaction").click()
    created = answer(screen, "created: 8 items")
    expect(created).to_be_in_viewport(ratio=1)
    assert created.evaluate(IS_ANNOUNCED)
    expect(screen.get_by_label("Item", exact=True)).to_be_focused()  # the next sale begins here


def test_what_sample_data_and_a_comparison_answer_is_seen(app: str, page: Page) -> None:
    visit(page, f"{app}/pipeline")
    for number in each_size(page, "20", "30"):
        page.get_by_label("Number of sales").fill(number)
        button(page, "Load sample data").click()
        seen(answer(page, f"Loaded {number} sales"), LOAD_MS)
        button(page, "Compare now").click()
        seen(answer(page, "Compared: the result is above."), RUN_MS)


def test_what_a_report_answers_is_seen(app: str, page: Page) -> None:
    visit(page, f"{app}/reports")
    for name in each_size(page, "Daily sales by store", "Month in review"):
        page.get_by_role("radio", name=name).check()
        button(page, "Run").click()
        seen(answer(page, "There is no sale in"), RUN_MS)  # the tables are empty


def test_what_saved_views_answer_is_seen(app: str, page: Page) -> None:
    visit(page, f"{app}/analytics")
    dialog = page.get_by_role("dialog")
    for name in each_size(page, "On a phone", "On a desk"):
        if name == "On a phone":
            button(page, "More filters").click()
        button(page, "Views").click()
        dialog.get_by_label("View Name").fill(name)
        dialog.get_by_role("button", name="Save this view").click()
        seen(answer(page, f"View “{name}” saved."))
        dialog.get_by_title("Delete").click()
        seen(answer(page, f"Delete “{name}”?"))
        dialog.get_by_role("button", name="Delete", exact=True).last.click()
        seen(answer(page, f"View “{name}” deleted."))
        page.keyboard.press("Escape")
        expect(dialog).not_to_be_visible()
