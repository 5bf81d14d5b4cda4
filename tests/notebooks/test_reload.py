"""A cell that is run again, and a page of JupyterLab that is loaded again while its kernel lives on."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

from playwright.sync_api import Browser, Page, expect

from tests.examples import LATTE, sale
from tests.notebooks.lab import lab, notebook, open_notebook, run_all, run_cell
from workbench.config import Settings
from workbench.connection import Workbench

CELLS = (
    "from workbench import Filters, TotalRevenue, connect, figures\nwb = connect()",
    "TotalRevenue(wb)",
    "import hvplot.pandas\nfigures.revenue(wb, by='store').hvplot.bar('store', 'revenue', height=200)",
)


def sell(workbench: Workbench) -> None:
    """One sale more, of 7.00, at the time of the one that is there."""
    there = workbench.sales().get(1).value
    workbench.sales().create(sale(transaction_time=str(there.transaction_time), lines=[LATTE]), uuid4())


def shows(page: Page, amount: str) -> None:
    """Waits until the cell of the component shows this."""
    expect(page.locator(".figure")).to_have_text(amount, timeout=120_000)


def test_a_rerun_cures_and_never_harms(sold: Workbench, settings: Settings, browser: Browser, tmp_path: Path) -> None:
    notebook(tmp_path, *CELLS)
    context = browser.new_context(viewport={"width": 1400, "height": 1300}, locale="en-GB")
    with lab(settings, tmp_path) as address:
        page = context.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        run_all(page, address)
        shows(page, "USD 7.00")
        expect(page.locator(".jp-CodeCell").nth(2).locator(".bk-Figure")).to_be_visible(timeout=60_000)
        run_cell(page, 0, execution=4)  # the imports alone: what other cells show lives on
        sell(sold)
        shows(page, "USD 14.00")
        open_notebook(page, address)  # not saved, so all outputs are gone
        expect(page.locator(".jp-OutputArea-output")).to_have_count(0)
        run_cell(page, 1, execution=5)  # without the imports
        shows(page, "USD 14.00")
        run_cell(page, 2, execution=6)
        expect(page.locator(".jp-CodeCell").nth(2).locator(".bk-Figure")).to_be_visible(timeout=60_000)
        sell(sold)
        shows(page, "USD 21.00")
        context.close()
    assert not faults, faults
