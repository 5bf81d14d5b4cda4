"""What is typed into a form of a notebook the moment it is drawn is not lost, neither in the page nor in the kernel."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.notebooks.lab import lab, notebook, run_all, run_cell
from workbench.config import Settings
from workbench.connection import Workbench

CELLS = (
    "from workbench import SalesManager, connect\n\nwb = connect()",
    "form = SalesManager(wb).add\nform",
    "typed = form.form.fields.texts() | form.form.basket.entry.fields.texts()\n"
    "print(*(typed[name] for name in ('cashier_id', 'store_id', 'product_name', 'unit_price')), sep='|')",
)
TYPED = {"Cashier ID": "301", "Store ID": "12", "Product Name": "Tea with milk", "Unit Price": "4.50"}


def test_nothing_is_lost_that_is_typed_into_a_form_that_was_just_drawn(
    sold: Workbench, settings: Settings, browser: Browser, tmp_path: Path
) -> None:
    notebook(tmp_path, *CELLS)
    context = browser.new_context(viewport={"width": 1400, "height": 1300}, locale="en-GB")
    context.set_default_timeout(120_000)
    with lab(settings, tmp_path) as address:
        page = context.new_page()
        run_all(page, address)
        cells = page.locator(".jp-CodeCell")
        for execution in (4, 6, 8):
            cells.nth(1).get_by_role("button", name="Details", exact=True).click()
            for label, text in TYPED.items():  # as fast as keys can be pressed
                field = cells.nth(1).get_by_label(label, exact=True)
                field.click()
                page.keyboard.type(text)
            for label, text in TYPED.items():
                expect(cells.nth(1).get_by_label(label, exact=True)).to_have_value(text)
            expect(cells.nth(2).locator(".jp-InputPrompt")).to_have_text(re.compile(r"\[\d+\]:"))
            run_cell(page, 2, execution=execution)
            expect(cells.nth(2).locator(".jp-OutputArea-output")).to_have_text("|".join(TYPED.values()))
            cells.nth(1).locator(".cm-content").click()
            page.keyboard.press("Control+Enter")  # drawn anew
            expect(cells.nth(1).get_by_label("Cashier ID", exact=True)).to_have_value("")
        context.close()
