"""A notebook that nobody watches while it runs: `nbconvert --execute` shows what each component answers first."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.notebooks.lab import notebook
from tests.ui.conftest import environment, kept_inside
from workbench.config import Settings
from workbench.connection import Workbench

ROOT = Path(__file__).parents[2]
CELLS = (
    "from workbench import PipelinePage, RevenueByStore, SalesDashboard, SalesManager, TotalRevenue, connect\n\n"
    "wb = connect()",
    "RevenueByStore(wb)",
    "TotalRevenue(wb)",
    "SalesManager(wb).servable()",
    "SalesDashboard(wb).servable()",
    "PipelinePage(wb).servable()",
)


def test_it_shows_the_first_answers(sold: Workbench, settings: Settings, browser: Browser, tmp_path: Path) -> None:
    path = notebook(tmp_path, *CELLS)
    env = environment(settings) | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path[1:]])}
    command = [sys.executable, "-m", "nbconvert", "--execute", "--to", "html", str(path)]
    done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-4000:]
    context = browser.new_context(viewport={"width": 1400, "height": 1800}, offline=True)
    outside = kept_inside(context, path.as_uri())
    page = context.new_page()
    page.goto(path.with_suffix(".html").as_uri())
    try:
        expect(page.locator(".figure").first).to_have_text("USD 7.00", timeout=90_000)
        expect(page.locator(".tabulator-row").first).to_contain_text("QRIS")
        expect(page.locator(".figure")).to_have_count(5, timeout=90_000)  # four of them the dashboard's
        expect(page.get_by_text("Up", exact=True).first).to_be_visible(timeout=30_000)
        for text in ("Loading …", "Loading ..."):
            expect(page.get_by_text(text).filter(visible=True)).to_have_count(0)
    finally:
        (ROOT / "test-results").mkdir(exist_ok=True)
        page.screenshot(path=ROOT / "test-results" / "nbconvert.png", full_page=True)
        context.close()
    assert not [url for url in outside if "//cdnjs.cloudflare.com/" not in url]  # what nbconvert's own page asks
