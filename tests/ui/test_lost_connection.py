"""A connection that is lost, and an app that is started again: the page says so, takes no input, and comes back."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit
from uuid import uuid4

import sqlalchemy as sa
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.conftest import wait_until
from tests.examples import sale
from tests.ui.conftest import Served, serving, visit
from tests.ui.proxy import Proxy, proxied
from tests.ui.test_metrics import METRICS
from tests.ui.test_reports_page import pick
from tests.ui.test_sales_page import add_item, button, count, fill, said
from workbench.config import Settings
from workbench.connection import Workbench
from workbench.database.engines import Engines

BACK_MS = 90_000
# What a minute without network leaves behind, at once: a session that is forgotten, a token that is no longer good.
FORGETFUL = ("--unused-session-lifetime=500", "--check-unused-sessions=100")
# The run that the page follows, as its draft has it.
FOLLOWED = '() => Object.values(sessionStorage).map((each) => /"run": "([^"]+)"/.exec(each)?.[1]).find(Boolean)'
AFTER_A_MINUTE = (*FORGETFUL, "--session-token-expiration=3")


@contextmanager
def behind(proxy: Proxy, settings: Settings, *arguments: str) -> Iterator[Served]:
    """The app, which browsers reach through the proxy."""
    host = f"127.0.0.1:{proxy.port}"
    changes = {"WORKBENCH_ALLOWED_HOSTS": host}
    origin = f"--allow-websocket-origin={host}"
    with serving(settings, origin, METRICS, *arguments, changes=changes) as served:
        proxy.target = urlsplit(served.url).port or 0
        yield served


@contextmanager
def opened(browser: Browser) -> Iterator[BrowserContext]:
    """A browser whose pages may fail to load what they ask for."""
    context = browser.new_context(viewport={"width": 1400, "height": 900}, locale="en-GB", timezone_id="UTC")
    context.set_default_timeout(BACK_MS)
    yield context
    context.close()


def lost(page: Page) -> None:
    """Waits until the page says that it has no connection."""
    expect(page.get_by_role("alert").filter(has_text="The connection to the server is lost")).to_be_visible()


def back(page: Page) -> None:
    """Waits until the page has a connection again."""
    expect(page.get_by_role("status").filter(has_text="Connected again")).to_be_visible(timeout=BACK_MS)


def forgotten(app: Served, proxy: Proxy) -> None:
    """Waits until the app has forgotten the sessions of all pages."""
    request = urllib.request.Request(f"{app.url}/metrics", headers={"Host": f"127.0.0.1:{proxy.port}"})

    def is_forgotten() -> bool:
        with urllib.request.urlopen(request) as answer:
            return b"\nworkbench_sessions 0.0\n" in answer.read()

    wait_until(is_forgotten, "the sessions to be forgotten")


def test_every_page_comes_back_after_a_minute_without_network(
    settings: Settings, browser: Browser, engines: Engines, workbench: Workbench
) -> None:
    made = workbench.sales().create(sale(), uuid4()).transaction_id
    with proxied() as proxy, behind(proxy, settings, *AFTER_A_MINUTE) as app, opened(browser) as context:
        url = f"http://127.0.0.1:{proxy.port}"
        sales, returns, analytics, reports, pipeline = pages = [context.new_page() for _ in range(5)]
        visit(sales, f"{url}/sales?tab=add")
        fill(sales, Cashier_ID="301", Store_ID="3")
        add_item(sales, "C-LAT", "Caffè Latte", "2", "3.50", "0.50")
        fill(sales, Product_Name="Half a na")
        visit(returns, f"{url}/sales?tab=return&sale={made}")
        returns.get_by_label("Caffè Latte at 3.50").fill("1")
        returns.get_by_label("Cheesecake at 4.20").fill("x")
        fill(returns, Cashier_ID="302")
        visit(analytics, f"{url}/analytics?stores=3&tab=sales&sale={made}")
        fill(analytics, Cashier_ID="444")
        visit(reports, f"{url}/reports")
        reports.get_by_role("radio", name="Month in review").check()
        visit(pipeline, f"{url}/pipeline")
        pipeline.get_by_label("Seed").fill("7")
        pipeline.get_by_label("Seed").press("Tab")
        for page in pages:
            page.wait_for_function("() => Object.keys(sessionStorage).some((key) => key.startsWith('draft:'))")
        for page, typed in ((sales, "Half a na"), (returns, "302"), (analytics, "444"), (pipeline, '"seed": "7"')):
            page.wait_for_function(
                "(typed) => Object.values(sessionStorage).some((each) => each.includes(typed))", arg=typed
            )
        proxy.cut()
        for page in pages:
            lost(page)
        sales.get_by_label("Cashier ID").press("9")
        expect(sales.get_by_label("Cashier ID")).to_have_value("301")  # nothing is typed that would be lost
        button(sales, "Create Transaction").dispatch_event("click")
        forgotten(app, proxy)
        proxy.mend()
        for page in pages:
            back(page)
        expect(sales.get_by_label("Cashier ID")).to_have_value("301")
        expect(sales.get_by_label("Product Name")).to_have_value("Half a na")
        expect(sales.get_by_text("Total USD 6.50")).to_be_visible()
        expect(returns.get_by_label("Cashier ID", exact=True)).to_have_value("302")
        expect(returns.get_by_label("Cheesecake at 4.20")).to_have_value("x")
        expect(returns.get_by_text("USD 3.25", exact=True)).to_be_visible()
        expect(analytics.get_by_role("heading", name=f"Transaction {made}")).to_be_visible()
        expect(analytics.get_by_label("Cashier ID", exact=True)).to_have_value("444")
        expect(analytics.get_by_role("button", name="Store: 3")).to_be_visible()
        expect(reports.get_by_role("radio", name="Month in review")).to_be_checked()
        expect(pipeline.get_by_label("Seed")).to_have_value("7")
        assert count(engines) == 1
        fill(sales, Product_Name="")
        button(sales, "Clear item").click()
        button(sales, "Create Transaction").click()
        said(sales, "created: 2 items on 1 line, USD 6.50")
        button(analytics, "Save changes").click()
        button(analytics, "Yes, save it").click()  # cashier 444 is new
        said(analytics, f"Transaction {made} saved")
        returns.get_by_label("Cheesecake at 4.20").fill("0")
        button(returns, "Return items").click()
        said(returns, f"1 item of transaction {made} returned.")
        returns.wait_for_function("() => window.workbenchUnsaved.size === 0")


def test_a_page_outlives_a_short_cut_and_a_restart_of_the_app_and_what_was_sent_is_saved_once(
    settings: Settings, browser: Browser, engines: Engines
) -> None:
    with proxied() as proxy, opened(browser) as context:
        page = context.new_page()
        with behind(proxy, settings) as first:
            visit(page, f"http://127.0.0.1:{proxy.port}/sales?tab=add")
            fill(page, Cashier_ID="77", Store_ID="3")
            add_item(page, "C-LAT", "Caffè Latte", "2", "3.50", "0.50")
            proxy.cut()
            lost(page)
            proxy.mend()  # while its session is still there
            back(page)
            expect(page.get_by_label("Cashier ID")).to_have_value("77")
            expect(page.get_by_text("Total USD 6.50")).to_be_visible()
            with engines.owner.begin() as connection:  # the save waits, and its answer finds nobody
                connection.exec_driver_sql("lock table sales_transaction in exclusive mode")
                button(page, "Create Transaction").click()
                waiting = sa.text("select count(*) from pg_locks where not granted and relation is not null")
                with engines.owner.connect() as other:
                    wait_until(lambda: other.execute(waiting).scalar_one(), "the save to wait")
                proxy.cut()
                lost(page)
            wait_until(lambda: count(engines) == 1, "the save")
            first.process.kill()
            first.process.wait()
        with behind(proxy, settings):
            proxy.mend()
            back(page)
            expect(page.get_by_label("Cashier ID")).to_have_value("77")
            expect(page.get_by_text("Total USD 6.50")).to_be_visible()
            button(page, "Create Transaction").click()
            said(page, "Transaction 1 created: 2 items on 1 line, USD 6.50")
            assert count(engines) == 1
            expect(page.get_by_text(re.compile("No items yet"))).to_be_visible()
            page.reload()
            expect(page.get_by_label("Cashier ID")).to_have_value("")
            expect(page.get_by_text(re.compile("No items yet"))).to_be_visible()


def test_a_report_outlives_a_cut_and_the_app_and_one_that_ran_is_said_to_have_ended_with_it(
    settings: Settings, browser: Browser, engines: Engines, workbench: Workbench
) -> None:
    workbench.sales().create(sale(transaction_time="2026-10-05 10:00"), uuid4())
    month = re.compile("October 2026")
    with proxied() as proxy, opened(browser) as context:
        page = context.new_page()
        with behind(proxy, settings, *FORGETFUL) as first:
            visit(page, f"http://127.0.0.1:{proxy.port}/reports")
            pick(page, "Month", "October 2026")
            button(page, "Run").click()
            page.wait_for_function(FOLLOWED)
            proxy.cut()
            lost(page)
            forgotten(first, proxy)
            proxy.mend()
            back(page)
            expect(page.get_by_text("Done in")).to_be_visible(timeout=BACK_MS)
            expect(page.frame_locator("iframe").get_by_role("heading", level=1)).to_have_text("Daily sales by store")
            page.reload()
            expect(page.get_by_text("Done in")).to_be_visible()  # it is there again, and was not run again
            killed(first, proxy, page)
        with behind(proxy, settings) as second:
            proxy.mend()
            back(page)
            expect(page.get_by_text("Done in")).to_be_visible()
            with engines.owner.begin() as connection:  # the report waits
                connection.exec_driver_sql("lock table sales_transaction in access exclusive mode")
                followed = page.evaluate(FOLLOWED)
                button(page, "Run").click()
                page.wait_for_function(f"(before) => ({FOLLOWED})() !== before", arg=followed)
                killed(second, proxy, page)
        with behind(proxy, settings):
            proxy.mend()
            back(page)
            expect(page.get_by_role("status").get_by_text("Interrupted")).to_be_visible()
            expect(page.get_by_role("combobox", name="Month")).to_have_text(month)


def killed(app: Served, proxy: Proxy, page: Page) -> None:
    proxy.cut()
    app.process.kill()
    app.process.wait()
    lost(page)
