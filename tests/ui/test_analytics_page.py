"""Page "Analytics" in a real browser: right figures, linked tiles, live, and its whole state in the address."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect

from tests.conftest import wait_until
from tests.examples import CAKE, HOSTILE, LATTE, sale
from tests.ui.conftest import brush, drawn, seen_through, visit, watched_page
from workbench.cli.bench.pages import SCRIPT
from workbench.database.engines import Engines
from workbench.database.positions import wait_for_replica
from workbench.database.replication import Reader, ReadPosition
from workbench.sales.service import Sales

LABELS = ("Total Transactions", "Total Revenue", "Items Sold", "Avg Transaction")
NOON = datetime.combine(datetime.now().date(), time(0, 5))
MOST_MODELS = 200  # of a page with its first screen: each costs the server and the browser time
FIGURES = ["4", "USD 27.70", "11", "USD 6.93"]


def days_ago(days: int) -> str:
    """A time of the store's clock."""
    return (NOON - timedelta(days=days)).isoformat(sep=" ")


def create(engines: Engines, **changes: Any) -> int:
    """A sale that somebody else enters."""
    return Sales(engines, Reader(engines), ReadPosition()).create(sale(**changes), uuid4()).transaction_id


@pytest.fixture
def sales(engines: Engines) -> list[int]:
    """Four sales of the last days in two stores; the first has two lines and counts once."""
    made = [
        create(engines, transaction_time=days_ago(1)),
        create(engines, transaction_time=days_ago(9), store_id=7, payment_method="Cash", lines=[LATTE]),
        create(
            engines, transaction_time=days_ago(10), store_id=7, payment_method="Cash", lines=[LATTE | {"quantity": 1}]
        ),
        create(
            engines, transaction_time=days_ago(20), store_id=7, lines=[LATTE | {"quantity": 5, "unit_price": "1.30"}]
        ),
    ]
    assert wait_for_replica(engines)
    return made


def figures(page: Page, expected: list[str]) -> None:
    """Waits until the four key figures are these."""
    expect(page.locator(".figure")).to_have_text(expected)


def state(page: Page) -> dict[str, list[str]]:
    """What the address says, without what is at nothing."""
    return parse_qs(urlsplit(page.url).query)


def chart(page: Page, number: int) -> dict[str, float]:
    """Where a chart is, scrolled into view."""
    seen_through(page)
    figure = page.locator(".bk-Figure").nth(number)
    figure.evaluate("figure => figure.scrollIntoView({behavior: 'instant', block: 'center'})")
    box = figure.bounding_box()
    assert box is not None
    return dict(box)


def test_a_chart_has_its_place_from_the_start_and_is_drawn_when_somebody_comes_near_it(
    app: str, page: Page, sales: list[int]
) -> None:
    page.add_init_script(path=SCRIPT)
    page.set_viewport_size({"width": 1440, "height": 900})
    visit(page, f"{app}/analytics")
    figures(page, FIGURES)
    assert page.evaluate("bench.shift()") < 0.1
    unseen, charts = page.locator(".unseen"), page.locator(".bk-Figure")
    expect(unseen).not_to_have_count(0)
    expect(charts).to_have_count(3)  # the first screen's, and those right below it
    assert page.evaluate("bench.models()") <= MOST_MODELS

    def have_been_looked_at() -> bool:
        unseen.evaluate_all("all => all.at(-1)?.scrollIntoView({behavior: 'instant', block: 'center'})")
        return unseen.count() == 0

    wait_until(have_been_looked_at, "all tiles to be drawn", seconds=60)
    expect(charts).to_have_count(8)


COUNTED = """() => {
  globalThis.counted = {_measure_layout: 0, _actual_paint: 0}
  const figure = Bokeh.Models.get("Figure").prototype.default_view.prototype
  for (const name in counted) {
    const work = figure[name]
    figure[name] = function (...given) { counted[name]++; return work.apply(this, given) }
  }
}"""


def test_charts_are_measured_for_themselves_alone_and_not_drawn_again_when_their_tab_comes_back(
    app: str, page: Page, sales: list[int]
) -> None:
    page.add_init_script(path=SCRIPT)
    visit(page, f"{app}/analytics?live=no")
    figures(page, FIGURES)
    seen_through(page)
    page.evaluate(COUNTED)
    page.evaluate("bench.filtered('Stores', bench.choices('Stores').slice(0, 1))")
    assert 8 <= page.evaluate("counted._measure_layout") <= 4 * 8  # of eight charts
    for _number in range(2):  # what comes the first time is placed beside what is there
        page.evaluate(COUNTED)
        page.evaluate("bench.tab('Products')")
        expect(page.get_by_role("row", name="Caffè Latte").first).to_be_visible()
        page.evaluate("bench.tab('Overview')")
        drawn(page)
    assert page.evaluate("counted") == {"_measure_layout": 0, "_actual_paint": 0}


def click(page: Page, number: int, across: float, down: float) -> None:
    """Clicks into a chart, at a part of its width and height."""
    box = chart(page, number)
    page.mouse.click(box["x"] + box["width"] * across, box["y"] + box["height"] * down)


DAILY, STORES = 0, 3


def test_the_figures_are_those_of_sql_and_who_answered_stands_once_and_at_a_tile_that_is_old(
    app: str, page: Page, sales: list[int], engines: Engines
) -> None:
    visit(page, f"{app}/analytics")
    figures(page, FIGURES)
    for label in LABELS:
        expect(page.get_by_role("heading", name=label, exact=True)).to_be_visible()
    with engines.owner.connect() as connection:
        row = connection.execute(sa.text("select count(*), sum(total_amount) from sales_transaction")).one()
    assert [str(row[0]), f"USD {row[1]}"] == FIGURES[:2]
    expect(page.locator(".fresh-line").first).to_contain_text("replica · as of")
    expect(page.locator(".of-page")).to_have_text(re.compile(r"^replica · as of \d\d:\d\d:\d\d \S+, "))
    of_tiles, seen = (
        page.locator("p.fresh-line:not(.of-page)"),
        page.locator("p.fresh-line.state:not(.of-page, .usual)"),
    )
    expect(seen).to_have_count(0)
    expect(of_tiles.first).to_have_text(re.compile(r"^replica · as of"))  # for who listens
    expect(page.get_by_role("heading", name="Total Revenue")).to_have_attribute("title", re.compile("^replica · as of"))
    page.evaluate("() => { const now = Date.now; Date.now = () => now() + 60_000 }")
    expect(seen.first).to_have_text(re.compile(r"1 min ago$"))


def test_a_bar_narrows_every_tile_and_back_opens_it_and_a_brush_narrows_to_its_days(
    app: str, page: Page, sales: list[int]
) -> None:
    visit(page, f"{app}/analytics")
    figures(page, FIGURES)
    click(page, STORES, 0.4, 0.2)  # the upper bar: store 7
    expect(page.get_by_role("button", name="Store: 7")).to_be_visible()
    figures(page, ["3", "USD 17.00", "8", "USD 5.67"])
    assert state(page)["stores"] == ["7"]
    page.keyboard.down("Control")
    click(page, STORES, 0.4, 0.6)  # the lower one as well
    page.keyboard.up("Control")
    expect(page.get_by_role("button", name="Stores: 7, 3")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("button", name="Store: 7")).to_be_visible()
    page.go_back()
    figures(page, FIGURES)
    brush(page, chart(page, DAILY), 0.55, 0.75)
    figures(page, ["2", "USD 10.50", "3", "USD 5.25"])
    page.get_by_role("button", name="Clear all").click()
    figures(page, FIGURES)


def test_a_chart_has_a_summary_a_table_for_the_keyboard_and_a_reading_below_the_pointer(
    app: str, page: Page, sales: list[int]
) -> None:
    visit(page, f"{app}/analytics")
    seen_through(page)
    stores = "Revenue by store: 2 stores, highest Store 7 with USD 17.00, lowest Store 3 with USD 10.70."
    expect(page.get_by_role("img", name=stores)).to_be_visible()
    button = page.get_by_role("button", name="Table: Revenue by store")
    button.press("Enter")
    expect(page.get_by_role("row", name="Store 7 USD 17.00 61.4% –")).to_be_visible()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(button).to_be_focused()
    button.press("Enter")
    expect(page.get_by_role("img", name=stores)).to_be_visible()
    expect(page.get_by_role("row", name="Store 7 USD 17.00 61.4% –")).to_have_count(0)
    box = chart(page, DAILY)
    for across, down in ((0.1, 0.2), (0.33, 0.8), (0.5, 0.5), (0.77, 0.3), (0.95, 0.7)):
        page.mouse.move(box["x"] + box["width"] * across, box["y"] + box["height"] * down, steps=3)
        expect(page.locator(".bk-Tooltip:visible").first).to_contain_text(str(datetime.now().year))
        expect(page.locator(".bk-Tooltip:visible").first).to_contain_text("Compared with")


def test_from_the_figures_to_a_sale_and_back(app: str, page: Page, sales: list[int]) -> None:
    visit(page, f"{app}/analytics?stores=7")
    page.get_by_role("tab", name="Sales", exact=True).click()
    expect(page.locator(".tabulator-row:visible")).to_have_count(3)
    page.locator(".tabulator-row:visible button").first.click()
    expect(page.get_by_role("heading", name=f"Transaction {sales[1]}")).to_be_visible()
    assert state(page)["sale"] == [str(sales[1])]
    page.get_by_role("button", name="Back to the list").click()
    expect(page.locator(".tabulator-row:visible")).to_have_count(3)
    assert state(page)["stores"] == ["7"]


def test_a_write_elsewhere_shows_by_itself(app: str, page: Page, sales: list[int], engines: Engines) -> None:
    visit(page, f"{app}/analytics")
    figures(page, FIGURES)
    create(engines, transaction_time=days_ago(2), lines=[CAKE])
    figures(page, ["5", "USD 31.90", "12", "USD 6.38"])


def test_the_address_holds_the_state(app: str, page: Page, browser: Browser, sales: list[int]) -> None:
    visit(page, f"{app}/analytics?period=last_7_days&stores=3&comparison=year&tab=products&live=no")
    expect(page.get_by_role("tab", name="Products")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_text("Caffè Latte").first).to_be_visible()
    with watched_page(browser) as other:
        visit(other, page.url)
        expect(other.get_by_text("Caffè Latte").first).to_be_visible()
        assert other.url == page.url
        expect(other.get_by_role("button", name="Store: 3")).to_be_visible()


def test_a_day_comes_from_a_calendar_or_is_typed_and_a_filter_is_named_once(
    app: str, page: Page, sales: list[int]
) -> None:
    visit(page, f"{app}/analytics?period=custom&date_from=2026-10-01&date_to=2026-11-01&stores=7")
    expect(page.get_by_role("button", name="Store: 7")).to_be_visible()
    expect(page.locator(".MuiChip-root:visible")).to_have_count(0)
    page.get_by_role("button", name="Choose date").first.click()
    expect(page.get_by_role("columnheader").first).to_have_accessible_name("Monday")
    page.get_by_role("gridcell", name="14", exact=True).click()
    expect(page.get_by_label("From", exact=True)).to_have_value("2026-10-14")
    page.get_by_label("To", exact=True).fill("2026-10-13")
    page.keyboard.press("Enter")
    expect(page.get_by_text("To is before From.")).to_be_visible()
    page.get_by_label("To", exact=True).fill("2026-10-20")
    page.keyboard.press("Enter")
    expect(page.get_by_text("14 Oct 2026 – 20 Oct 2026")).to_be_visible()
    page.get_by_label("From", exact=True).fill("2026-10-25")
    page.keyboard.press("Enter")
    expect(page.get_by_text("To is before From.")).to_be_visible()
    page.get_by_role("button", name="Choose date").last.click()
    page.get_by_role("gridcell", name="28", exact=True).click()
    expect(page.get_by_text("25 Oct 2026 – 28 Oct 2026")).to_be_visible()
    page.wait_for_function("() => location.search.includes('date_from=2026-10-25&date_to=2026-10-28')")


MEASURED_EARLY = """() => {
  const figure = [...Bokeh.documents[0]._all_models.values()].find((model) => model.type === "Figure")
  const view = Bokeh.index.find_one_by_id(figure.id), layout = view.layout
  view.layout = undefined
  try { view.measure_layout(); view.after_layout() } finally { view.layout = layout }
}"""


def test_a_bad_address_is_told_and_ignored(app: str, page: Page, sales: list[int]) -> None:
    visit(page, f"{app}/analytics?period=never&stores=x&tab=nope")
    expect(page.get_by_text("period cannot be 'never'")).to_be_visible()
    figures(page, FIGURES)
    expect(page.locator(".bk-Figure").first).to_be_visible()
    page.evaluate(MEASURED_EARLY)  # is no error while shell/measured_late.js is there


def test_a_phone_in_the_dark_with_a_hostile_product(app: str, browser: Browser, engines: Engines) -> None:
    hostile = LATTE | {"product_name": HOSTILE, "category": HOSTILE, "product_code": "<b>x</b>"}
    create(engines, transaction_time=days_ago(1), lines=[hostile])
    assert wait_for_replica(engines)
    with watched_page(browser, viewport={"width": 390, "height": 844}, color_scheme="dark") as phone:
        visit(phone, f"{app}/analytics?categories={HOSTILE}")
        figures(phone, ["1", "USD 7.00", "2", "USD 7.00"])
        assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
        touched = "events => getComputedStyle(events).touchAction"
        line = phone.locator(".bk-Figure .bk-events").first
        expect(line).to_be_visible()
        assert "pan-y" in line.evaluate(touched)  # a swipe over the time line scrolls the page
        phone.get_by_role("heading", name="Recent transactions").scroll_into_view_if_needed()
        expect(phone.get_by_text("Last 30 days").first).to_be_in_viewport()  # the filters stay
        expect(phone.get_by_text("Stores", exact=True).first).to_be_hidden()
        phone.get_by_role("button", name="More filters").click()
        expect(phone.get_by_text("Stores", exact=True).first).to_be_visible()
        phone.get_by_role("tab", name="Products").click()
        expect(phone.get_by_role("cell", name=HOSTILE).first).to_be_visible()
        assert phone.evaluate("window.__x === undefined")


def test_no_sales_is_said(app: str, page: Page) -> None:
    visit(page, f"{app}/analytics")
    expect(page.get_by_text("No sales match.").first).to_be_visible()
