"""Page "Changes": what was changed of a day after it was over, and the log, filtered, paged, each entry a link."""

from __future__ import annotations

import re
from uuid import uuid4

from playwright.sync_api import Page, expect

from tests.examples import HOSTILE, LATTE, sale
from tests.ui.conftest import visit
from tests.ui.test_sales_page import button, fill
from workbench.connection import Workbench
from workbench.sales import history


def test_from_a_days_figure_to_the_sale_that_changed_it(app: str, page: Page, workbench: Workbench) -> None:
    voided = workbench.sales(actor="ana").create(sale(lines=[LATTE]), uuid4())  # of 2026-05-31, long over
    workbench.sales(actor="ben").create(sale(store_id=8), uuid4())
    workbench.sales(actor=HOSTILE).delete(voided.transaction_id, 1, uuid4(), HOSTILE)
    visit(page, f"{app}/changes?first=2026-05-30&last=2026-06-01")
    expect(page.get_by_label("First Day")).to_have_value("2026-05-30")
    expect(page.get_by_role("row", name="2026-05-31 Sun 0.00 10.70 +10.70 0 1")).to_be_visible()
    late = page.get_by_role("row", name=re.compile("^2026-05-31 "))
    expect(late).to_have_count(4)  # the day, and three changes, the largest first
    expect(late.nth(1)).to_contain_text(re.compile(r"\+10\.70\s*\+1\s*Created"))
    fill(page, Store_ID="three")
    page.get_by_label("Store ID").press("Enter")
    expect(page.get_by_text("'three' cannot be used: it must be a whole number such as 7")).to_be_visible()
    fill(page, Store_ID="3", Last_Day="")
    page.get_by_label("Last Day").press("Enter")
    expect(page.get_by_text("This is missing: please give a day")).to_be_visible()
    fill(page, Last_Day="2026-05-31")
    page.get_by_label("Last Day").press("Enter")
    expect(page.get_by_role("row", name=re.compile(r"^2026-05-31 -7\.00 -1 Voided"))).to_be_visible()
    expect(late).to_have_count(3)  # the day, and what came and went of that store
    assert page.evaluate("window.__x") is None
    late.last.get_by_role("link", name=str(voided.transaction_id)).click()
    expect(button(page, "Restore this sale")).to_be_visible()


def test_the_log_is_filtered_and_paged(app: str, page: Page, workbench: Workbench) -> None:
    sales = workbench.sales(actor="ana")
    for _ in range(history.PAGE + 1):
        newest = sales.create(sale(), uuid4())
    workbench.sales(actor="ben").delete(newest.transaction_id, 1, uuid4(), "rung up twice")
    visit(page, f"{app}/changes")
    entries = page.get_by_role("row", name=re.compile("Created|Voided"))
    expect(entries.first).to_contain_text("rung up twice")
    expect(entries).to_have_count(history.PAGE)
    button(page, "Older").click()
    expect(entries).to_have_count(2)
    expect(button(page, "Older")).to_be_disabled()
    button(page, "Newest").click()
    expect(entries).to_have_count(history.PAGE)
    fill(page, User="ben")
    page.get_by_label("User").press("Enter")
    expect(entries).to_have_count(1)
    fill(page, User="", Logged_To="2020-01-01")
    page.get_by_label("Kind").click()
    page.get_by_role("option", name="Created").click()
    page.get_by_label("Logged To").press("Enter")
    expect(page.get_by_text("Nothing in the log matches.")).to_be_visible()
