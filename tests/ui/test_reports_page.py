"""Page "Reports" in a real browser; an export that opens without a network; a view that is frozen."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Locator, Page, TimeoutError, expect

from tests.examples import CAKE, HOSTILE, LATTE, sale
from tests.ui.conftest import ALLOWED_CONSOLE, visit, watched_page
from workbench.accounts.actor import Actor, os_user
from workbench.config import Settings
from workbench.database.engines import Engines
from workbench.database.positions import wait_for_replica
from workbench.database.replication import Reader, ReadPosition
from workbench.reports.history import History
from workbench.reports.schedules import Schedules
from workbench.sales.service import Sales

RUN_MS = 90_000


@pytest.fixture
def october(engines: Engines) -> None:
    """Three sales of October 2026, one of a hostile product."""
    sales = Sales(engines, Reader(engines), ReadPosition())
    sales.create(sale(transaction_time="2026-10-05 10:00"), uuid4())
    sales.create(sale(transaction_time="2026-10-06 10:00", store_id=4), uuid4())
    lines = [LATTE, CAKE | {"product_name": HOSTILE, "category": HOSTILE, "product_code": "X"}]
    sales.create(sale(transaction_time="2026-10-07 10:00", lines=lines), uuid4())
    assert wait_for_replica(engines)


def pick(page: Page, field: str, option: str) -> None:
    """Chooses an option of a select; once more when it was drawn anew, and its list closed, on a busy machine."""
    select, found = page.get_by_role("combobox", name=field), page.locator(".MuiMenuItem-root").filter(has_text=option)
    for milliseconds in (5_000, 60_000):
        select.click()
        with suppress(TimeoutError):
            found.click(timeout=milliseconds)
            break
    expect(select).to_have_text(option)


def test_a_report_is_picked_set_run_read_and_downloaded(
    app: str, page: Page, october: None, browser: Browser, tmp_path: Path
) -> None:
    visit(page, f"{app}/reports")
    page.get_by_role("radiogroup", name="Report").get_by_label("Product performance").check()
    store = page.get_by_role("textbox", name="Store")
    expect(store).to_be_visible()  # the fields are this report's
    pick(page, "Month", "October 2026")
    store.fill("three")
    page.get_by_role("button", name="Run").evaluate("button => button.click()")  # the cursor stays in the field
    expect(page.get_by_text("'three' cannot be used: give a whole number")).to_be_visible()
    expect(store).to_have_attribute("aria-invalid", "true")
    store.fill("3")
    as_of = page.get_by_label("As of")
    yesterday = as_of.input_value()
    as_of.fill("2026-02-30")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("'2026-02-30' cannot be used: give a day from 2000 to 2099")).to_be_visible()
    as_of.fill(f" {yesterday} ")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("Cell 1 of")).to_be_visible(timeout=RUN_MS)
    visit_other = page.context.new_page()  # the server goes on answering while a report runs
    visit(visit_other, f"{app}/sales")
    visit_other.close()
    expect(page.get_by_text("Done in")).to_be_visible(timeout=RUN_MS)
    report = page.frame_locator("iframe")
    expect(report.get_by_role("heading", level=1)).to_have_text("Product performance")
    expect(report.locator("header")).to_contain_text("Store3")
    expect(report.get_by_role("cell", name=HOSTILE).first).to_be_visible()
    expect(report.locator(".bk-Figure")).to_be_visible()
    assert page.evaluate("window.__x") is None
    newest = runs(page).first
    expect(newest).to_contain_text("Product performanceDone")
    expect(newest).to_contain_text("Store 3")

    with page.expect_download() as download:
        page.get_by_role("button", name="Download HTML").click()
    exported = tmp_path / "report.html"
    download.value.save_as(exported)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download notebook").click()
    assert json.loads(Path(download.value.path()).read_text())["metadata"]["papermill"]["parameters"]["store_id"] == 3
    with page.expect_download() as download:
        page.get_by_role("button", name="Download PDF").click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")
    opens_offline(browser, exported)


def runs(page: Page) -> Locator:
    """The list of what was run, newest first."""
    return page.locator(".entries li").filter(has=page.get_by_role("button", name="Repeat"))


def test_what_was_run_is_found_again_repeated_and_gone_and_a_schedule_runs_by_itself(
    app: str, browser: Browser, october: None, settings: Settings
) -> None:
    history, schedules, admin = History.of(settings), Schedules(settings), Actor(os_user())
    made = schedules.add("reconciliation", {"month": "2026-10", "as_of": "2026-10-31"}, "day-00:00", by="ann")
    schedules._write(replace(made, done_until=made.done_until - timedelta(days=3)))  # the app was not there
    with watched_page(browser, viewport={"width": 360, "height": 800}, color_scheme="dark") as page:
        visit(page, f"{app}/reports")
        scheduled = runs(page).filter(has_text=f"schedule {made.name}")
        expect(scheduled).to_contain_text("Done", timeout=RUN_MS)
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        scheduled.get_by_role("button", name="Open").press("Enter")
        expect(page.get_by_text("by ann.").first).to_be_visible()
        report = page.frame_locator("iframe")
        expect(report.get_by_role("heading", level=1)).to_have_text("Reconciliation")
        expect(report.locator("body")).to_have_css("background-color", "rgb(24, 34, 44)")
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        before = {entry.id for entry in history.entries(admin)}
        scheduled.get_by_role("button", name="Repeat").press("Enter")
        expect(runs(page).filter(has_text=os_user()).first).to_contain_text("Reconciliation", timeout=RUN_MS)
        expect(page.get_by_text(f"by {os_user()}.").first).to_be_visible(timeout=RUN_MS)
        (repeated,) = (entry for entry in history.entries(admin) if entry.id not in before)
        assert repeated.values == {"month": "2026-10", "as_of": "2026-10-31"}
        history.write(replace(repeated, began_at=repeated.began_at - timedelta(days=31)))
        history.tidy()
        expect(page.get_by_text("What it made is gone since")).to_be_visible()
        page.get_by_role("button", name=f"Remove: {made.name}").click()
        expect(page.get_by_text(f"Removed the schedule {made.name}.")).to_be_visible()
        expect(page.get_by_text("There is none.")).to_be_visible()
    assert schedules.all() == []


def opens_offline(browser: Browser, exported: Path) -> None:
    """Tables, pictures and charts are there, without an error, and nothing but the file is asked for."""
    context = browser.new_context(offline=True)
    page = context.new_page()
    faults: list[str] = []
    asked: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if line.type in ("error", "warning") else None)
    page.on("request", lambda request: asked.append(request.url))
    page.goto(exported.as_uri())
    expect(page.locator(".bk-Figure")).to_be_visible()
    page.wait_for_function("() => Bokeh.index.roots.length > 0 && document.querySelector('svg[role=img] rect')")
    expect(page.get_by_role("cell", name=HOSTILE).first).to_be_visible()
    assert page.evaluate("window.__x") is None
    assert [fault for fault in faults if fault not in ALLOWED_CONSOLE] == []
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == [exported.as_uri()]
    context.close()


def test_a_schedule_is_made_paused_and_removed_by_keyboard(app: str, page: Page, settings: Settings) -> None:
    schedules = Schedules(settings)
    visit(page, f"{app}/reports")
    page.get_by_role("textbox", name="Store").fill("3")
    page.get_by_role("button", name="New schedule").press("Enter")
    page.get_by_role("textbox", name="At", exact=True).fill("7 o'clock")
    page.get_by_role("button", name="Make schedule").press("Enter")
    expect(page.get_by_text('"7 o\'clock" cannot be used: give a time from 00:00 to 23:59, as 07:00')).to_be_visible()
    expect(page.get_by_role("textbox", name="At", exact=True)).to_be_focused()
    assert schedules.all() == []
    page.keyboard.press("Control+A")
    page.keyboard.type("06:30")
    page.get_by_label("Keep it in a folder too").press("Space")
    page.get_by_role("button", name="Make schedule").press("Enter")
    expect(page.get_by_text("Made the schedule daily_sales-1, due first on")).to_be_visible()
    (made,) = schedules.all()
    assert (made.given, made.every, made.folder) == ({"store_id": "3"}, "day-06:30", schedules.own_folder.resolve())
    page.get_by_role("button", name="Pause: daily_sales-1").press("Enter")
    expect(page.get_by_role("button", name="Resume: daily_sales-1")).to_be_visible()
    assert schedules.all()[0].is_paused
    page.get_by_role("button", name="Remove: daily_sales-1").press("Enter")
    expect(page.get_by_text("There is none.")).to_be_visible()
    assert schedules.all() == []


def test_a_run_can_be_cancelled_and_another_begun(app: str, page: Page, october: None) -> None:
    visit(page, f"{app}/reports")
    page.get_by_role("button", name="Run").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Stopped: The report daily_sales was stopped")).to_be_visible(timeout=RUN_MS)
    expect(page.get_by_role("button", name="Cancel")).not_to_be_visible()
    pick(page, "Month", "August 2026")
    page.get_by_role("button", name="Run").click()
    said = "Failed: The report daily_sales"
    said += " failed in cell 4 of 12 (Daily sales by store): There is no sale in 1 Aug 2026 – 31 Aug 2026."
    expect(page.get_by_text(said)).to_be_visible(timeout=RUN_MS)


def test_a_view_is_frozen_into_a_notebook(app: str, browser: Browser, october: None) -> None:
    filters = "period=custom&date_from=2026-10-01&date_to=2026-10-31&stores=3"
    with watched_page(browser, accept_downloads=True) as page:
        visit(page, f"{app}/analytics?{filters}")
        with page.expect_download() as download:
            page.get_by_role("button", name="Freeze this view").click()
        assert download.value.suggested_filename.startswith("frozen-view-20")
        notebook = json.loads(Path(download.value.path()).read_text())
    held = "".join(notebook["cells"][1]["source"])
    assert '"stores": [3]' in held
    assert '[null, null, "sales", "2"]' in held
    assert '"date_from": "2026-10-01"' in held
