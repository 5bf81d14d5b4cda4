"""What is typed and not saved is not left silently, and the page of sales has its whole state in the address."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Browser, Dialog, Page, expect

from tests.conftest import wait_until
from tests.ui.conftest import drawn, visit, watched_page
from tests.ui.test_sales_page import act, button, create, fill, open_tab, rows, tab
from workbench.connection import Workbench


def state(page: Page) -> dict[str, list[str]]:
    """What the address says."""
    return parse_qs(urlsplit(page.url).query)


def asked(page: Page, answers: list[bool]) -> list[str]:
    """The kinds of dialog that the browser shows from now on; each is answered by the next of ``answers``."""
    seen: list[str] = []

    def answer(dialog: Dialog) -> None:
        seen.append(dialog.type)
        if answers.pop(0):
            dialog.accept()
        else:
            dialog.dismiss()

    page.on("dialog", answer)
    return seen


def half_filled(page: Page) -> None:
    """Something is typed, and the browser knows of it."""
    page.get_by_label("Cashier ID", exact=True).press_sequentially("44")
    page.wait_for_function("() => window.workbenchUnsaved.size === 1")


def test_the_browser_asks_before_unsaved_work_is_left(app: str, page: Page) -> None:
    visit(page, f"{app}/pipeline")
    visit(page, f"{app}/sales?tab=add")
    half_filled(page)
    seen = asked(page, [False] * 4 + [True])
    ways = (
        lambda: page.get_by_role("link", name="Reports").click(no_wait_after=True),
        lambda: page.evaluate("setTimeout(() => location.reload())"),
        lambda: page.evaluate("setTimeout(() => history.back())"),
        lambda: page.close(run_before_unload=True),
    )
    for number, leave in enumerate(ways, 1):
        leave()
        wait_until(lambda number=number: page.evaluate("true") and len(seen) == number, "the browser to ask")
        expect(page.get_by_label("Cashier ID", exact=True)).to_have_value("44")
    page.get_by_role("link", name="Reports").click()  # whoever says "Leave" means it
    expect(page).to_have_url(f"{app}/reports")
    visit(page, f"{app}/sales?tab=add")
    expect(page.get_by_label("Cashier ID", exact=True)).to_have_value("")
    assert seen == ["beforeunload"] * 5


def test_nothing_is_asked_when_nothing_is_unsaved(app: str, page: Page, workbench: Workbench) -> None:
    made = create(workbench)
    open_tab(page, app, "Edit")
    fill(page, Transaction_ID=str(made))
    button(page, "Load").click()
    expect(page.get_by_role("heading", name=f"Transaction {made}")).to_be_visible()
    half_filled(page)
    fill(page, Cashier_ID="301")  # as it was
    page.wait_for_function("() => window.workbenchUnsaved.size === 0")
    fill(page, Cashier_ID="44")
    button(page, "Save changes").click()
    button(page, "Yes, save it").click()  # cashier 44 is new
    expect(page.get_by_role("alert").filter(has_text=f"Transaction {made} saved")).to_be_visible()
    page.wait_for_function("() => window.workbenchUnsaved.size === 0")
    seen = asked(page, [])
    page.get_by_role("link", name="Reports").click()
    drawn(page)
    assert seen == []


def test_back_goes_through_tabs_sales_filters_and_pages(
    app: str, page: Page, browser: Browser, workbench: Workbench
) -> None:
    for number in range(1, 26):
        create(workbench, transaction_time=f"2026-05-{number:02} 10:00:00", store_id=1 + number % 2)
    visit(page, f"{app}/pipeline")
    open_tab(page, app)
    expect(page.get_by_text("Page 1 of 2")).to_be_visible()
    button(page, "Next").click()
    expect(page.get_by_text("Page 2 of 2")).to_be_visible()
    expect(rows(page)).to_have_count(5)
    page.wait_for_function("() => location.search.includes('page=2')")
    with watched_page(browser) as other:  # a link to this page
        visit(other, page.url)
        expect(other.get_by_text("Page 2 of 2")).to_be_visible()
        expect(rows(other)).to_have_count(5)
    fill(page, Store_ID="2")
    page.get_by_label("Store ID").press("Enter")
    expect(page.get_by_text("13 transactions")).to_be_visible()
    page.wait_for_function("() => location.search.includes('stores=2')")
    act(rows(page).first, "Edit")
    expect(page.get_by_role("heading", name="Transaction 25")).to_be_visible()
    page.wait_for_function("() => location.search.includes('sale=25')")
    assert state(page) == {"tab": ["edit"], "sale": ["25"], "stores": ["2"]}
    page.reload()
    drawn(page)
    expect(page.get_by_role("heading", name="Transaction 25")).to_be_visible()
    tab(page, "Delete")
    page.wait_for_function("() => location.search.includes('tab=delete')")
    page.go_back()
    expect(page.get_by_role("tab", name="Edit")).to_have_attribute("aria-selected", "true")
    for _ in range(3):
        if state(page)["tab"] != ["view"]:
            before = page.url
            page.go_back()
            page.wait_for_url(lambda url, before=before: url != before)
    expect(page.get_by_role("tab", name="View")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_text("13 transactions")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("Page 2 of 2")).to_be_visible()
    expect(page.get_by_label("Store ID")).to_have_value("")
    page.go_back()
    expect(page.get_by_text("Page 1 of 2")).to_be_visible()


def test_a_bad_address_of_sales_is_told_and_ignored(app: str, page: Page, workbench: Workbench) -> None:
    create(workbench)
    visit(page, f"{app}/sales?tab=nope&stores=x&page=zwei&sale=-1")
    expect(page.get_by_text("tab cannot be 'nope'")).to_be_visible()
    expect(page.get_by_text("'x' cannot be used")).to_be_visible()
    expect(rows(page)).to_have_count(1)
