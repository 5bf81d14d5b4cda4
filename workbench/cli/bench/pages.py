"""What pages cost: what one person's browser waits for, and what it takes to feed many open pages."""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from workbench.cli.bench.kinds import watched
from workbench.cli.bench.saves import example
from workbench.cli.bench.servers import App, app, p95
from workbench.config import Settings
from workbench.connection import connect
from workbench.errors import BenchFailed, NotInstalled
from workbench.files.chromium import installed_chromium
from workbench.words import counted

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ARGUMENTS = ("--disable-dev-shm-usage", "--disable-gpu", "--no-sandbox")
PATIENCE_MS = 120_000
SETTLED_MS = 1500
SCRIPT = Path(__file__).with_name("pages.js")
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


def seen_in_browser(settings: Settings, browser: Browser, times: int) -> Iterator[tuple[str, float]]:
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


WARM = 2  # pages of each process that are opened first, for what is loaded once
OPEN_SECONDS = 180
FIGURE = "figure number"  # in what a tile of a figure is sent
READY = {"type": "event", "name": "document_ready", "values": {"type": "map"}}


class Watcher:
    """A page on Analytics. ``seen`` is when, by time.perf_counter, it last got figures."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._socket: WebSocketClientConnection | None = None
        self._reading: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self.seen = 0.0

    async def open(self) -> None:
        """Opens the page, and waits until it has figures."""
        answer = await AsyncHTTPClient().fetch(f"{self._url}/analytics", request_timeout=OPEN_SECONDS)
        token = re.search(r'"token":\s*"([^"]+)"', answer.body.decode())
        if token is None:
            raise BenchFailed("A page without a token of its session was served.")
        cookies = [text.partition(";")[0] for text in answer.headers.get_list("Set-Cookie")]
        address = self._url.replace("http", "ws") + "/analytics/ws"
        asked = HTTPRequest(address, headers={"Cookie": "; ".join(cookies)})
        self._socket = await websocket_connect(asked, subprotocols=["bokeh", token[1]], max_message_size=1 << 28)
        await self._socket.read_message()  # that the server is ready: what comes earlier it does not understand
        self._reading = asyncio.create_task(self._read(self._socket))
        await self._send("PULL-DOC-REQ", {})
        ready = {"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": READY}
        await self._send("PATCH-DOC", {"events": [ready]})
        await self.sees_since(0.0)

    async def _send(self, kind: str, content: dict[str, Any]) -> None:
        assert self._socket is not None
        for part in ({"msgid": uuid4().hex, "msgtype": kind}, {}, content):
            await self._socket.write_message(json.dumps(part))

    async def _read(self, socket: WebSocketClientConnection) -> None:
        while (frame := await socket.read_message()) is not None:
            if isinstance(frame, str) and FIGURE in frame:
                self.seen = time.perf_counter()
                self._news.set()

    async def sees_since(self, moment: float) -> float:
        """When it got figures after ``moment``. Raises TimeoutError."""
        async with asyncio.timeout(OPEN_SECONDS):
            while self.seen <= moment:
                self._news.clear()
                await self._news.wait()
        return self.seen

    async def close(self) -> None:
        """Leaves the page."""
        if self._socket is not None:
            self._socket.close()
        if self._reading is not None:
            await self._reading


def fed(
    settings: Settings, pages: int, processes: int, changes: int, rest: float, say: Callable[[str], None]
) -> Iterator[tuple[str, float]]:
    """The figures with so many ``pages`` open and so many sales saved, ``rest`` seconds one after the other."""
    with app(settings, processes) as served:
        try:
            found = asyncio.run(_measured(settings, served, pages, processes, changes, rest, say))
            yield from zip([kind.name for kind in watched(pages, processes)], found, strict=True)
        except TimeoutError:
            raise BenchFailed(f"With {counted(pages, 'page')} open one got nothing for {OPEN_SECONDS} s.") from None


async def _measured(
    settings: Settings,
    served: App,
    pages: int,
    processes: int,
    changes: int,
    rest: float,
    say: Callable[[str], None],
) -> tuple[float, float, float]:
    warm = WARM * processes
    watchers = [Watcher(served.url) for _ in range(warm + pages)]
    try:
        for watcher in watchers[:warm]:
            await watcher.open()
        before = served.memory()
        for number, watcher in enumerate(watchers[warm:], 1):
            await watcher.open()
            if number % 25 == 0:
                say(f"{number} of {counted(pages, 'page')} opened")
        memory = (served.memory() - before) / pages
        took, computed = await _changes(settings, served, watchers, changes, rest)
    finally:
        await asyncio.gather(*(watcher.close() for watcher in watchers))
    a_page = 1000 * computed / changes / len(watchers)
    return p95(took), a_page, memory


async def _changes(
    settings: Settings, served: App, watchers: Sequence[Watcher], changes: int, rest: float
) -> tuple[list[float], float]:
    """Seconds from each commit to the last page, and what the server computed for all of them beside its usual work."""
    took, workbench = [], connect(settings)
    sales = workbench.sales()
    try:
        await asyncio.to_thread(sales.create, example(), uuid4())  # connects
        await asyncio.sleep(2 * rest)
        before, began = served.computing(), time.perf_counter()
        await asyncio.sleep(rest)
        idle = (served.computing() - before) / (time.perf_counter() - began)
        before, began = served.computing(), time.perf_counter()
        for _ in range(changes):
            await asyncio.to_thread(sales.create, example(), uuid4())
            committed = time.perf_counter()
            took.append(max([await watcher.sees_since(committed) for watcher in watchers]) - committed)
            await asyncio.sleep(rest)
        return took, served.computing() - before - idle * (time.perf_counter() - began)
    finally:
        workbench.close()
