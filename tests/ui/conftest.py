"""A real Chromium against the real app, which `panel serve` serves in a process of its own from the run's servers."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, FloatRect, Page, Request, Route, expect
from playwright.sync_api import Error as PlaywrightError
from pydantic import SecretStr

from tests.conftest import free_ports
from workbench.config import Settings
from workbench.database.engines import Engines

APPS = Path(__file__).parents[2] / "workbench" / "apps"
START_SECONDS = 240  # of a busy machine: what pages are made of is imported before the first
PATIENCE_MS = 60_000  # a wait that is over costs nothing; a machine that does much else is slow
expect.set_options(timeout=PATIENCE_MS)
ERRORS_IN_LOG = ("Traceback", "could not be replaced", "ERROR")
# What a browser says that is not ours, each with the date it was seen and why it is harmless.
ALLOWED_CONSOLE: tuple[str, ...] = (
    "could not set initial ranges",  # 2026-11-28: of Bokeh, for a chart that has no point yet
)


@dataclass
class Served:
    """A served app: its address without a final slash, its process and its log."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def errors(self, since: int = 0) -> list[str]:
        """The log's lines from byte ``since`` on that tell of an error."""
        text = self.log.read_bytes()[since:].decode(errors="replace")
        return [line for line in text.splitlines() if any(mark in line for mark in ERRORS_IN_LOG)]


def environment(settings: Settings) -> dict[str, str]:
    """This process's environment with every setting as ``settings`` has it."""
    values = dict(os.environ)
    for name in Settings.model_fields:
        value = getattr(settings, name)
        shown = "" if value is None else str(value)
        values[name.upper()] = value.get_secret_value() if isinstance(value, SecretStr) else shown
    return values


@contextmanager
def serving(
    settings: Settings, *arguments: str, pages: Sequence[Path] = (), changes: Mapping[str, str] | None = None
) -> Iterator[Served]:
    """Runs `panel serve` until the block ends, on all pages of the app unless ``pages`` are given.

    ``arguments`` are added to the command, ``changes`` made to the environment.
    """
    folder = Path(tempfile.mkdtemp(prefix="workbench-served-"))
    port = free_ports(1)[0]
    files = [str(path) for path in pages or sorted(APPS.glob("*.py"))]
    options = ["--address=127.0.0.1", f"--port={port}", f"--allow-websocket-origin=127.0.0.1:{port}", *arguments]
    start = "workbench.start" if "--plugins=workbench.exporter" in arguments else "panel"  # as `workbench serve` does
    command = [sys.executable, "-m", start, "serve", *files, *options]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment(settings) | dict(changes or {}),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    served = Served(f"http://127.0.0.1:{port}", process, folder / "log")
    try:
        _wait_for(served)
        yield served
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # those of --num-procs outlive the first one, and a SIGTERM
            shutil.rmtree(folder)


def _wait_for(served: Served) -> None:
    address = urlsplit(served.url)
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and served.process.poll() is None:
        try:
            socket.create_connection((address.hostname, address.port), 0.5).close()
            return
        except OSError:
            time.sleep(0.05)
    pytest.fail(f"The app did not start:\n{served.log.read_text()[-4000:]}", pytrace=False)


@pytest.fixture(scope="session")
def served(settings: Settings) -> Iterator[Served]:
    """The app of the run."""
    with serving(settings, "--index=sales", "--plugins=workbench.exporter") as app:
        yield app


@pytest.fixture
def app(served: Served, engines: Engines) -> Iterator[str]:
    """The app's address, its tables empty. Fails the test when the server logs an error meanwhile."""
    since = served.log.stat().st_size
    yield served.url
    assert not served.errors(since), served.log.read_bytes()[since:].decode(errors="replace")[-6000:]


class Watch:
    """What went wrong in a browser page: errors, warnings, and requests that leave the machine (they are stopped)."""

    def __init__(self, page: Page) -> None:
        self.faults: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(f"page error: {error}"))
        page.on("console", self._console)
        page.on("request", self._request)
        page.route(lambda url: not _is_local(url), lambda route: _stop(route))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(text in message.text for text in ALLOWED_CONSOLE):
            self.faults.append(f"console: {message.text}")

    def _request(self, request: Request) -> None:
        if not _is_local(request.url):
            self.faults.append(f"left the machine: {request.url}")


def _is_local(url: str) -> bool:
    return url.startswith(("data:", "blob:")) or urlsplit(url).hostname in ("127.0.0.1", "localhost")


def kept_inside(context: BrowserContext, address: str) -> set[str]:
    """What the pages of a context ask of any host but that of ``address``, filled as they do; it is stopped."""
    own, asked = urlsplit(address).netloc, set[str]()

    def is_foreign(url: str) -> bool:
        return not url.startswith(("data:", "blob:", "about:")) and urlsplit(url).netloc != own

    def note(url: str) -> None:
        if is_foreign(url):
            asked.add(url)

    context.route(is_foreign, lambda route: route.abort())
    context.on("request", lambda request: note(request.url))
    context.on("page", lambda page: page.on("websocket", lambda websocket: note(websocket.url)))
    return asked


@contextmanager
def files_of(folder: Path) -> Iterator[str]:
    """The address of another site, which serves the files of ``folder``."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=folder)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def _stop(route: Route) -> None:
    route.abort()


@contextmanager
def watched_page(browser: Browser, **options: object) -> Iterator[Page]:
    """A page in a browser context of its own; at the end it is an error when anything went wrong in it."""
    defaults: dict[str, object] = {"viewport": {"width": 1280, "height": 900}, "locale": "en-GB", "timezone_id": "UTC"}
    context = browser.new_context(**(defaults | options))  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    watch = Watch(page)
    try:
        yield page
    except (AssertionError, PlaywrightError) as error:
        error.add_note(shown_on(page))
        raise
    finally:
        context.close()
    assert not watch.faults, "\n".join(watch.faults)


def shown_on(page: Page) -> str:
    """Address and content of a page as a screen reader has it: what a failed test has to go by elsewhere."""
    try:
        return f"{page.url} showed:\n{page.locator('body').aria_snapshot(timeout=5_000)[-6000:]}"
    except PlaywrightError as error:
        return f"{page.url} cannot be read any more: {error}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Adds to a failed test's report what its page showed."""
    report = yield
    page = getattr(item, "funcargs", {}).get("page")
    if report.failed and call.when == "call" and isinstance(page, Page):
        report.sections.append(("the page", shown_on(page)))
    return report


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of 1280 x 900; the test fails when it has errors or asks anything but this machine."""
    with watched_page(browser) as opened:
        yield opened


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints why each test that was run a second time had failed the first time."""
    for report in terminalreporter.stats.get("rerun", []):
        terminalreporter.section(f"first run of {report.nodeid}", sep="_")
        terminalreporter.line(report.longreprtext)
        for title, text in report.sections:
            terminalreporter.line(f"{title}: {text}")


def visit(page: Page, url: str) -> None:
    """Opens ``url`` and waits until everything is drawn, deferred content too."""
    page.goto(url)
    drawn(page)


def drawn(page: Page) -> None:
    """Waits until what is seen of the page that is being opened is drawn: a tab that was left is not."""
    page.wait_for_function(
        "() => window.Bokeh && Bokeh.documents.length > 0 && Bokeh.documents.every((d) => d.is_idle)"
    )
    page.wait_for_function("() => document.querySelector('#loader').style.display === 'none'")
    expect(page.locator(".waiting").filter(visible=True)).to_have_count(0)


HEADS = "[...Bokeh.documents[0]._all_models.values()].map((m) => m.data).filter((d) => d?.is_near !== undefined)"


def seen_through(page: Page) -> None:
    """Has every tile drawn, those below the first screen too, as if somebody had scrolled past all of them."""
    page.wait_for_function(f"() => {HEADS}.length > 0")
    page.evaluate(f"() => {HEADS}.forEach((d) => {{ if (!d.is_near) d.is_near = true }})")
    expect(page.locator(".unseen")).to_have_count(0)
    drawn(page)


def status_of(url: str) -> int:
    """The HTTP status that ``url`` answers with."""
    try:
        with urllib.request.urlopen(url) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def brush(page: Page, box: FloatRect, first: float, last: float) -> None:
    """Drags across a chart, from one share of its width to another."""
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * first, middle)
    page.mouse.down()
    for step in range(1, 9):
        page.mouse.move(box["x"] + box["width"] * (first + (last - first) * step / 8), middle)
        page.wait_for_timeout(40)  # a hand is not faster either: one jump is no drag
    page.mouse.up()
