"""Sixty people look at Analytics and leave: the process is where it was."""

from __future__ import annotations

import urllib.request
from datetime import datetime, timedelta
from uuid import uuid4

import psutil
import pytest
from playwright.sync_api import Browser, expect

from tests.conftest import wait_until
from tests.examples import sale
from tests.ui.conftest import APPS, Served, serving
from workbench.config import Settings
from workbench.connection import Workbench
from workbench.database.positions import wait_for_replica

WARM, TIMES = 10, 60
MOST_GROWTH = 60 * 2**20  # a page that stays takes 3 MB and more: sixty of them would take 200 MB
FORGET_SOON = ("--unused-session-lifetime=200", "--check-unused-sessions=200", "--plugins=workbench.exporter")


@pytest.mark.timeout(1200)
def test_sixty_sessions_leave_the_process_where_it_was(
    settings: Settings, workbench: Workbench, browser: Browser
) -> None:
    for days in range(5):
        at = datetime.now() - timedelta(days=days + 1)
        workbench.sales().create(sale(transaction_time=at.isoformat(sep=" ")), uuid4())
    assert wait_for_replica(workbench.engines)
    with serving(settings, *FORGET_SOON, pages=[APPS / "analytics.py"]) as served:
        look_and_leave(browser, served, WARM)  # whatever is loaded once is loaded now
        before = memory(served)
        look_and_leave(browser, served, TIMES)
        grown = memory(served) - before
    assert grown < MOST_GROWTH, f"{grown / 2**20:.0f} MB more after {TIMES} sessions"


def look_and_leave(browser: Browser, served: Served, times: int) -> None:
    """Opens the page until it shows figures, and leaves; then the process has forgotten all sessions."""
    for _ in range(times):
        page = browser.new_page()
        page.goto(f"{served.url}/analytics")
        expect(page.locator(".figure").first).to_have_text("5", timeout=60_000)
        page.close()
    wait_until(lambda: sessions(served) == 0, "all sessions to be forgotten", 60)


def sessions(served: Served) -> float:
    """How many sessions the process says that it has."""
    with urllib.request.urlopen(f"{served.url}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return float(next(line for line in lines if line.startswith("workbench_sessions ")).split()[1])


def memory(served: Served) -> int:
    """Bytes that the process holds."""
    return int(psutil.Process(served.process.pid).memory_info().rss)
