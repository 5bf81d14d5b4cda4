"""A page that follows the data: paused, old, and while somebody is at work in it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect

from tests.examples import CAKE
from tests.ui.conftest import visit, watched_page
from tests.ui.test_analytics_page import DAILY, FIGURES, chart, create, days_ago, figures, sales, state
from workbench.config import Settings
from workbench.database.engines import Engines
from workbench.database.positions import beat

__all__ = ["sales"]  # a fixture

AFTER_CAKE = ["5", "USD 31.90", "12", "USD 6.38"]
AS_OF = ".fresh-line"


def live_off(page: Page) -> None:
    page.get_by_role("switch", name="Live").uncheck()
    page.wait_for_function("() => location.search.includes('live=no')")


def live_on(page: Page) -> None:
    page.get_by_role("switch", name="Live").check()


def behind_another(page: Page, state: str = "hidden") -> None:
    """What the browser says of a page in a tab behind another: a headless one shows every page."""
    page.evaluate(
        "state => { Object.defineProperty(document, 'visibilityState', {value: state, configurable: true});"
        " document.dispatchEvent(new Event('visibilitychange')) }",
        state,
    )
    page.wait_for_function("() => Bokeh.documents.every((d) => d.is_idle)")


def in_front(page: Page) -> None:
    behind_another(page, "visible")


@pytest.mark.parametrize(("stop", "go_on"), [(live_off, live_on), (behind_another, in_front)])
def test_a_page_that_is_paused_or_behind_another_is_not_drawn_again_until_it_goes_on(
    app: str, page: Page, browser: Browser, sales: list[int], engines: Engines, stop: Any, go_on: Any
) -> None:
    visit(page, f"{app}/analytics")
    figures(page, FIGURES)
    stop(page)
    changes = page.evaluate_handle("() => { window.seen = []; return window.seen }")
    page.locator(".figure").first.evaluate(
        "e => new MutationObserver(() => window.seen.push(1)).observe(e.closest('.text'),"
        " {childList: true, subtree: true, characterData: true})"
    )
    with watched_page(browser) as live:
        visit(live, f"{app}/analytics")
        figures(live, FIGURES)
        create(engines, transaction_time=days_ago(2), lines=[CAKE])
        figures(live, AFTER_CAKE)
    figures(page, FIGURES)
    assert changes.evaluate("seen => seen.length") == 0, "the page was drawn again"
    go_on(page)
    figures(page, AFTER_CAKE)


@pytest.fixture
def no_heartbeat(settings: Settings, engines: Engines) -> Iterator[sa.Engine]:
    """The app cannot renew the heartbeat: as when the master has gone from its network."""
    writer = sa.quoted_name(settings.master_db_user, quote=True)
    with engines.owner.begin() as connection:
        connection.exec_driver_sql(f"revoke update on heartbeat from {writer}")
    yield engines.owner
    with engines.owner.begin() as connection:
        connection.exec_driver_sql(f"grant update on heartbeat to {writer}")
    beat(engines)


@contextmanager
def heartbeat_of(owner: sa.Engine, age: timedelta) -> Iterator[None]:
    """The data are this old, and stay so: where nobody beats for longer, positions tell their age."""
    is_over = threading.Event()

    def keep() -> None:
        while not is_over.wait(0.2):
            with owner.begin() as connection:
                connection.execute(sa.text("update heartbeat set beat_at = now() - :age"), {"age": age})

    keeping = threading.Thread(target=keep)
    keeping.start()
    try:
        yield
    finally:
        is_over.set()
        keeping.join()


def test_figures_of_old_data_turn_amber_then_red_and_are_fresh_again_by_themselves(
    app: str,
    page: Page,
    sales: list[int],
    no_heartbeat: sa.Engine,
    settings: Settings,
) -> None:
    with heartbeat_of(no_heartbeat, timedelta(seconds=20)):  # older, and the master would be asked
        visit(page, f"{app}/analytics")
        figures(page, FIGURES)
        expect(page.locator(f"{AS_OF}.amber").first).to_contain_text("replica · as of")
        page.evaluate("() => { const now = Date.now; Date.now = () => now() + 300_000 }")  # the same, later
        expect(page.locator(f"{AS_OF}.red").first).to_contain_text("5 min ago")
    with no_heartbeat.begin() as connection:
        connection.exec_driver_sql(f'grant update on heartbeat to "{settings.master_db_user}"')
    expect(page.locator(f"{AS_OF}.amber")).to_have_count(0)
    expect(page.locator(f"{AS_OF}.red")).to_have_count(0)


def test_a_brush_outlives_a_write_elsewhere_and_the_chart_is_patched(
    app: str, page: Page, sales: list[int], engines: Engines
) -> None:
    first, last = (datetime.now().date() - timedelta(days=days) for days in (10, 9))
    visit(page, f"{app}/analytics?brush_from={first}&brush_to={last}")
    figures(page, ["2", "USD 10.50", "3", "USD 5.25"])
    chart(page, DAILY)
    figure = page.locator(".bk-Figure").nth(DAILY)
    figure.evaluate("e => { e.isTheSame = true }")
    create(engines, transaction_time=days_ago(9), lines=[CAKE])
    figures(page, ["3", "USD 14.70", "4", "USD 4.90"])
    expect(page.get_by_role("button", name="Days:")).to_be_visible()
    assert state(page)["brush_from"] == [first.isoformat()]
    assert figure.evaluate("e => e.isTheSame === true"), "the chart was rebuilt"


def test_a_half_filled_form_outlives_a_write_elsewhere(
    app: str, page: Page, browser: Browser, sales: list[int], engines: Engines
) -> None:
    visit(page, f"{app}/analytics?tab=sales&sale={sales[0]}")
    expect(page.get_by_role("heading", name=f"Transaction {sales[0]}")).to_be_visible()
    page.get_by_label("Cashier ID", exact=True).fill("77")
    page.get_by_role("combobox", name="Item", exact=True).fill("Half a na")
    with watched_page(browser) as other:
        visit(other, f"{app}/analytics")
        figures(other, FIGURES)
        create(engines, transaction_time=days_ago(2), lines=[CAKE])
        figures(other, AFTER_CAKE)
    page.wait_for_timeout(1500)  # three looks of this page at the data, of which nothing on it tells
    expect(page.get_by_label("Cashier ID", exact=True)).to_have_value("77")
    expect(page.get_by_role("combobox", name="Item", exact=True)).to_have_value("Half a na")
    page.get_by_role("combobox", name="Item", exact=True).fill("")
    page.get_by_role("button", name="Save changes").click()
    page.get_by_role("button", name="Yes, save it").click()  # cashier 77 is new
    expect(page.get_by_text(f"Transaction {sales[0]} saved:")).to_be_visible()
