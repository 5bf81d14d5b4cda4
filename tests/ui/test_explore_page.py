"""The page "Explore": a question chosen, its figures, its address, what was saved."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Locator, Page, expect

from tests.examples import CAKE, HOSTILE, LATTE
from tests.ui.conftest import seen_through, visit, watched_page
from tests.ui.test_sales_page import create
from workbench.accounts.actor import Actor
from workbench.catalogue import KINDS, Catalogue
from workbench.connection import Workbench
from workbench.database.engines import Engines

MARKED = f'Fish &amp; "Chips" {HOSTILE}'


@pytest.fixture(autouse=True)
def _no_views(engines: Engines) -> None:
    with engines.owner.begin() as connection:
        connection.execute(sa.text("delete from saved_view"))


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()


def test_a_question_is_chosen_kept_and_saved(app: str, page: Page, engines: Engines, workbench: Workbench) -> None:
    create(workbench, lines=[LATTE, CAKE])
    visit(page, f"{app}/explore?period=all")
    expect(page.get_by_role("heading", name="Revenue by store", exact=True)).to_be_visible()
    choose(page, "By", "Category")
    choose(page, "And by", "Store")
    choose(page, "Show as", "Table")
    expect(page.get_by_role("heading", name="Revenue by category and store")).to_be_visible()
    with engines.master_reader.connect() as connection:
        total = connection.execute(sa.text("select sum(total_price) from sales_item")).scalar_one()
    expect(page.locator(".pivot tfoot td").last).to_have_text(f"{total:,.2f}")
    head = page.locator(".pivot").get_by_role("button", name="Category")
    head.focus()
    page.keyboard.press("Enter")
    expect(page.locator('.pivot th[aria-sort="ascending"]')).to_have_text("Category ↑")
    expect(head).to_be_focused()
    page.reload()
    expect(page.get_by_role("heading", name="Revenue by category and store")).to_be_visible()
    page.get_by_role("button", name="Views", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("View Name").fill("Where it comes from")
    dialog.get_by_role("button", name="Save this view").click()
    expect(dialog.get_by_text("saved.")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="My dashboard").click()
    expect(page.get_by_role("heading", name="Where it comes from")).to_be_visible()
    expect(page.locator(".pivot tfoot td").filter(visible=True).last).to_have_text(f"{total:,.2f}")
    page.go_back()
    expect(page.get_by_role("tab", name="Question")).to_have_attribute("aria-selected", "true")


def test_what_cannot_be_is_said_and_a_phone_shows_the_rest(app: str, browser: Browser, workbench: Workbench) -> None:
    create(workbench, lines=[LATTE])
    with watched_page(browser, viewport={"width": 390, "height": 844}) as page:
        visit(page, f"{app}/explore?metrics=revenue,customers,profit&by=product&period=all")
        expect(page.get_by_text("Customers by product cannot be given")).to_be_visible()
        expect(page.get_by_text("There is no metric 'profit'")).to_be_visible()
        expect(page.get_by_role("img", name="Revenue by product")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_names_with_markup_are_text_wherever_they_are_read(app: str, page: Page, workbench: Workbench) -> None:
    catalogue = Catalogue(workbench.engines, workbench.reader, workbench.read_position, Actor("ann", "admin"))
    for kind, number in (("store", "3"), ("cashier", "301"), ("customer", "77")):
        catalogue.create(KINDS[kind], {f"{kind}_id": number, f"{kind}_name": MARKED})
    catalogue.create(KINDS["product"], {"product_code": "C-LAT", "product_name": MARKED, "category": MARKED})
    create(workbench, lines=[LATTE | {"category": MARKED}])
    asked = f"{app}/explore?period=all&metrics=revenue,items_sold"
    visit(page, f"{asked}&by=product&customer_id=77")
    expect(tooltip(page)).to_contain_text(MARKED)
    page.get_by_role("button", name="Table: Revenue by product").click()
    expect(page.get_by_role("cell", name=MARKED, exact=True)).to_be_visible()
    visit(page, f"{asked}&by=product,store&shape=table&stores=3&products=C-LAT")
    expect(page.get_by_role("rowheader", name=MARKED, exact=True)).to_be_visible()
    expect(page.get_by_role("columnheader", name=MARKED, exact=True)).to_be_visible()
    for of in ("Store", "Product"):
        expect(page.get_by_role("button", name=f"{of}: {MARKED}")).to_be_visible()
    visit(page, f"{asked}&by=category,cashier")
    expect(tooltip(page)).to_contain_text(f"{MARKED}, {MARKED}")
    visit(page, f"{asked}&by=day,store")
    expect(page.locator(".legend .key").first).to_have_text(MARKED)
    expect(tooltip(page)).to_contain_text(f"{MARKED}: USD 7.00")
    page.get_by_role("button", name="Views", exact=True).click()
    page.get_by_role("dialog").get_by_label("View Name").fill(MARKED)
    page.get_by_role("dialog").get_by_role("button", name="Save this view").click()
    expect(page.get_by_role("dialog").get_by_text("saved.")).to_contain_text(MARKED)
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="My dashboard").click()
    expect(page.get_by_role("heading", name=MARKED, exact=True)).to_be_visible()
    visit(page, f"{app}/analytics?period=all")
    seen_through(page)
    expect(tooltip(page, "Top 10 products by quantity")).to_contain_text(MARKED)
    page.get_by_role("button", name="Table: Top 10 products by revenue").click()
    expect(
        page.get_by_role("table").filter(has_text="Share").get_by_role("cell", name=MARKED, exact=True)
    ).to_be_visible()
    page.get_by_role("tab", name="Products").click()
    expect(page.get_by_role("cell", name=MARKED, exact=True).filter(visible=True)).to_have_count(2)
    expect(page.locator("img[src='x']")).to_have_count(0)
    assert page.evaluate("window.__x") is None


def tooltip(page: Page, title: str = "") -> Locator:
    """What the pointer reads of the first chart, or of the first with this title."""
    chart = page.get_by_role("img", name=title).filter(visible=True).first
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box
    for down in (0.45, 0.4):  # a first move may come before the chart is drawn
        page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * down, steps=3)
    return page.locator(".bk-Tooltip:visible").first
