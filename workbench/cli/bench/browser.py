"""What one person's browser waits for: opening a page, scrolling, a filter, coming back to a tab."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.cli.bench.servers import App, app, p95
from workbench.config import Settings
from workbench.errors import NotInstalled
from workbench.files.chromium import installed_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ARGUMENTS = ("--disable-dev-shm-usage", "--disable-gpu", "--no-sandbox")
PATIENCE_MS = 120_000
SETTLED_MS = 1500
SCRIPT = Path(__file__).with_name("browser.js")
LIVE_OFF = "?live=no"  # nothing else is drawn while it is measured


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser. Raises NotInstalled where there is none, or nothing to drive it."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise NotInstalled("Playwright is not installed: `pip install playwright`, of the extra `dev`.") from None
    if (found := installed_chromium()) is None:
        raise NotInstalled("There is no Chromium: install the package chromium.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


def measured(settings: Settings, browser: Browser, times: int) -> Iterator[tuple[str, float]]:
    """Each figure as it is known; medians of so many ``times``."""
    with app(settings) as served:  # the first one makes the columns, which the next finds
        _opened(browser, served, "analytics", times=1)
    with app(settings) as served:
        with _page(browser) as page:
            page.goto(f"{served.url}/analytics")
            page.wait_for_selector(".figure")
            yield "fresh", time.perf_counter() - served.started
        _opened(browser, served, "empty", times=1)
        empty = _opened(browser, served, "empty", times)
        yield "empty", empty["seen"]
        found = _opened(browser, served, "analytics", times)
        for name, of_page in (("first_figures", "seen"), ("first_chart", "chart"), ("server_to_open", "computing")):
            yield name, found[of_page]
        yield from ((name, found[name]) for name in ("models", "received", "shift"))
        yield "scrolled", statistics.median(_scrolled(browser, served) for _ in range(times))
        yield "filter", _filtered(browser, served, times * 4)
        yield "tab", _tabs(browser, served, times)


@contextmanager
def _page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(SCRIPT.read_text(encoding="utf-8"))
    try:
        yield context.new_page()
    finally:
        context.close()


def _opened(browser: Browser, served: App, path: str, times: int) -> dict[str, float]:
    """Medians of opening a page: seconds until its text and its first chart are there, and what that took."""
    every = [_open(browser, served, path) for _ in range(times)]
    return {name: statistics.median(one[name] for one in every) for name in every[0]}


def _open(browser: Browser, served: App, path: str) -> dict[str, float]:
    received, found = [0], {}
    with _page(browser) as page:
        page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: _count(received, frame)))
        before, began = served.computing(), time.perf_counter()
        page.goto(f"{served.url}/{path}")
        page.wait_for_selector(".figure, .there")
        found["seen"] = time.perf_counter() - began
        if path != "empty":
            page.wait_for_function("() => bench.charts() > 0")
            found["chart"] = time.perf_counter() - began
        page.wait_for_timeout(SETTLED_MS)
        found |= {"computing": served.computing() - before, "received": received[0] / 1000}
        return found | {name: page.evaluate(f"bench.{name}()") for name in ("models", "shift")}


def _count(received: list[int], frame: str | bytes) -> None:
    received[0] += len(frame.encode() if isinstance(frame, str) else frame)


def _scrolled(browser: Browser, served: App) -> float:
    """Seconds from the address until every tile is drawn, for one who scrolls past all of them at once."""
    with _page(browser) as page:
        began = time.perf_counter()
        page.goto(f"{served.url}/analytics")
        page.wait_for_selector(".figure")
        page.wait_for_function("() => bench.scrolled()", polling=50)
        return time.perf_counter() - began


def _filtered(browser: Browser, served: App, times: int) -> float:
    with _page(browser) as page:
        _settled(page, served)
        stores: Sequence[Any] = page.evaluate("bench.choices('Stores')")
        chosen = [stores[n % len(stores)] for n in range(times)]
        took = [page.evaluate("(value) => bench.filtered('Stores', [value])", value) for value in chosen]
    return p95(took) / 1000


def _tabs(browser: Browser, served: App, times: int) -> float:
    with _page(browser) as page:
        _settled(page, served)
        took = []
        for n in range(times + 1):
            page.evaluate("bench.tab('Products')")
            page.wait_for_timeout(SETTLED_MS)
            back = page.evaluate("bench.tab('Overview')")
            page.wait_for_timeout(SETTLED_MS)
            took += [back] * (n > 0)
    return statistics.median(took) / 1000


def _settled(page: Page, served: App) -> None:
    page.goto(f"{served.url}/analytics{LIVE_OFF}")
    page.wait_for_selector(".figure")
    page.wait_for_function("() => bench.charts() > 0")
    page.wait_for_timeout(SETTLED_MS)
