"""Components in a real JupyterLab in Chromium, and a notebook that `panel serve` serves; nothing outside is reached."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import wait_until
from tests.notebooks.lab import TOKEN, lab, notebook, run_all
from tests.ui.conftest import ERRORS_IN_LOG, brush, kept_inside, serving, watched_page
from workbench.config import Settings
from workbench.connection import Workbench

ROOT = Path(__file__).parents[2]
CELLS = (
    "from workbench import Filters, RevenueByStore, RevenueOverTime, SalesManager, TotalRevenue, connect, sql\n\n"
    "wb, days = connect(), Filters()",
    'SalesManager(wb, actor="a notebook").servable()',
    "RevenueByStore(wb)",
    "TotalRevenue(wb)",
    "RevenueOverTime(wb, days)",
    "TotalRevenue(wb, days)",
    "import hvplot.pandas\n\n"
    "RevenueByStore(wb).frame().astype({'revenue': float}).hvplot.bar('store', 'revenue', title='By hvplot')",
    'sql("select * form sales_item")',
)
FACTORS = """() => Bokeh.documents.flatMap((d) => [...d._all_models.values()])
    .filter((m) => m.type === "FactorRange").flatMap((m) => m.factors).filter((f) => f.startsWith("Store"))"""


def record_a_sale(page: Page, store: str) -> None:
    """One item of 5.00, through the form."""
    page.get_by_role("tab", name="Add Transaction").click()
    page.get_by_role("button", name="Details", exact=True).filter(visible=True).click()
    fields = {"Cashier ID": "301", "Store ID": store, "Product Code": "X", "Product Name": "Tea", "Quantity": "1"}
    for label, text in (fields | {"Unit Price": "5.00"}).items():
        page.get_by_label(label, exact=True).filter(visible=True).fill(text)
    page.get_by_label("Payment Method").filter(visible=True).click()
    page.get_by_role("menuitem", name="Cash").click()
    page.get_by_role("button", name="Add item", exact=True).filter(visible=True).click()
    expect(page.get_by_text("Total USD 5.00")).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Create Transaction").click()
    page.get_by_role("button", name="Yes, save it").click()  # the store is new
    expect(page.get_by_role("alert").filter(has_text="Transaction 2 created")).to_be_visible(timeout=30_000)


def until_it_answers(page: Page) -> None:
    """Waits until the kernel hears of clicks: what is drawn first is in the output itself, before it is connected."""
    said = page.get_by_text(re.compile(r"1 transaction\b.*as of")).first
    before = said.inner_text()

    def it_answers() -> bool:
        page.get_by_role("button", name="Refresh", exact=True).click()
        with suppress(AssertionError):
            expect(said).not_to_have_text(before, timeout=1000)
            return True
        return False

    wait_until(it_answers, "an answer to the table's button", 90)


@pytest.mark.parametrize("changes", [{}, {"VSCODE_PID": "1"}], ids=["pyviz_comms", "jupyter_bokeh as in VS Code"])
def test_in_jupyterlab_a_form_saves_charts_redraw_and_a_brush_narrows(
    sold: Workbench,
    settings: Settings,
    browser: Browser,
    tmp_path: Path,
    changes: dict[str, str],
) -> None:
    notebook(tmp_path, *CELLS)
    context = browser.new_context(viewport={"width": 1400, "height": 1800}, locale="en-GB")
    context.set_default_timeout(60_000)
    with lab(settings, tmp_path, changes) as address:
        page = context.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        outside = kept_inside(context, address)
        run_all(page, address)
        try:
            figure, brushed = page.locator(".figure").first, page.locator(".figure").last
            expect(brushed).to_have_text("USD 7.00", timeout=150_000)
            expect(figure).to_have_text("USD 7.00", timeout=150_000)  # all is loaded from the cells
            page.wait_for_function(f"() => JSON.stringify(({FACTORS})()) === JSON.stringify(['Store 3'])")
            until_it_answers(page)
            record_a_sale(page, store="5")
            expect(figure).to_have_text("USD 12.00")
            page.wait_for_function(f"() => ({FACTORS})().includes('Store 5')")
            refusal = page.locator('[data-mime-type="application/vnd.jupyter.stderr"] pre')
            expect(refusal).to_have_text('QueryRefused: syntax error at or near "form" (line 1, column 10).')
            page.get_by_role("tab", name="View").click()
            rows = page.locator(".tabulator-row")
            expect(rows).to_have_count(2)
            colors = rows.evaluate_all("(all) => all.map((row) => getComputedStyle(row).color)")
            assert colors[0] == colors[1], "every other row is grey on grey"
            expect(rows.first.get_by_role("button", name="Delete")).to_be_in_viewport(ratio=1)
            over_time = page.locator(".bk-Figure").nth(1)
            over_time.scroll_into_view_if_needed()
            box = over_time.bounding_box()
            assert box is not None
            brush(page, box, 0.2, 0.4)  # days without a sale
            expect(brushed).to_have_text("USD 0.00")
            expect(figure).to_have_text("USD 12.00")
        finally:
            (ROOT / "test-results").mkdir(exist_ok=True)
            page.screenshot(path=ROOT / "test-results" / "jupyterlab.png")
        shown = page.url
        context.close()
    assert not faults, faults
    assert "period=" not in shown, "a component took the notebook's address"
    assert not outside
    by = sold.sales().get(2).value
    assert (by.store_id, str(by.total_amount)) == (5, "5.00")


def test_a_dashboard_in_jupyterlab_is_whole_its_notebook_small_and_a_foreign_host_refused(
    sold: Workbench, settings: Settings, browser: Browser, tmp_path: Path
) -> None:
    path = notebook(tmp_path, "from workbench import SalesDashboard, connect", "SalesDashboard(connect())")
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "jupyter_server_config.json").write_text('{"ServerApp": {"allow_remote_access": true}}')
    context = browser.new_context(viewport={"width": 1400, "height": 2600}, locale="en-GB")
    with lab(settings, tmp_path) as address:
        refuses_a_foreign_host(address)
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        outside = kept_inside(context, address)
        run_all(page, address)
        # What is sent while the page is still being built is not lost, and comes in order.
        expect(page.get_by_text("USD 7.00").first).to_be_visible(timeout=150_000)
        expect(page.get_by_text("Loading …").filter(visible=True)).to_have_count(0)
        lines = page.locator("p.fresh-line:not(.of-page)").filter(visible=True)
        expect(lines).to_have_count(13)
        for number in range(13):
            expect(lines.nth(number)).to_have_text(re.compile(r"^replica · as of \d\d:\d\d:\d\d UTC, "))
        # Which faces there are for icons, once they are loaded; `check` is true only after a first icon was drawn.
        assert page.evaluate("document.fonts.load('20px \"Material Icons\"').then((faces) => faces.length)") == 1
        assert not [text for text in said if "isn't known" in text or "traceback" in text]
        page.keyboard.press("Control+s")
        wait_until(
            lambda: page.evaluate("true") and "fresh" in path.read_text(encoding="utf-8").lower(), "the save", 30
        )
        saved = path.read_text(encoding="utf-8")
        context.close()
    assert not outside
    assert len(saved) < 20_000_000  # each widget brought 1.4 MB of code: 144 MB


def refuses_a_foreign_host(address: str) -> None:
    """Whatever Jupyter's configuration says."""
    url, port = f"{address}/api/contents?token={TOKEN}", address.rpartition(":")[2]
    assert urllib.request.urlopen(url, timeout=60).status == 200
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(urllib.request.Request(url, headers={"Host": f"evil.example:{port}"}), timeout=60)


def test_a_notebook_is_served(sold: Workbench, settings: Settings, browser: Browser, tmp_path: Path) -> None:
    path = notebook(tmp_path, *CELLS[:2], "TotalRevenue(wb).servable()")
    with serving(settings, pages=[path]) as served:
        with watched_page(browser) as page:
            page.goto(f"{served.url}/sales")
            expect(page.locator(".figure")).to_have_text("USD 7.00")
            record_a_sale(page, store="5")
            expect(page.locator(".figure")).to_have_text("USD 12.00")
        log = served.log.read_text()
        assert not any(mark in log for mark in ERRORS_IN_LOG), log[-4000:]
