"""Each way of serving that README names gives whole pages, and asks no other host for anything."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from playwright.sync_api import Browser, expect

from tests.conftest import free_ports, wait_until
from tests.ui.conftest import START_SECONDS, drawn, environment, files_of, kept_inside, serving, status_of
from workbench.config import Settings
from workbench.database.engines import Engines

PAGES = ("sales", "analytics", "reports", "pipeline")
PART = "static/extensions/panel-material-ui/panel-material-ui.bundle.css"  # asked for by every page


@contextmanager
def command(settings: Settings) -> Iterator[str]:
    """`workbench serve`, which finds its port in the settings."""
    port = free_ports(1)[0]
    env = environment(settings.model_copy(update={"workbench_port": port}))
    with subprocess.Popen([Path(sys.executable).with_name("workbench"), "serve"], env=env) as process:
        try:
            wait_until(
                lambda: process.poll() is not None or _answers(f"http://127.0.0.1:{port}/metrics"),
                "the app",
                START_SECONDS,
            )
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    try:
        return status_of(url) == 200
    except OSError:
        return False


@contextmanager
def processes(settings: Settings) -> Iterator[str]:
    """`panel serve` in two processes, which answer in turn; afterwards none is left."""
    with serving(settings, "--plugins=workbench.exporter", "--num-procs=2") as served:
        yield served.url
        workers = psutil.Process(served.process.pid).children()
    assert len(workers) == 2 and not psutil.wait_procs(workers, timeout=10)[1]


def visit_inside(browser: Browser, url: str, path: str) -> None:
    """Opens a page in a new context and waits until it is drawn; fails when it asks another host for anything."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(60_000)
    asked = kept_inside(context, url)
    page = context.new_page()
    try:
        page.goto(f"{url}/{path}")
        drawn(page)
        expect(page.locator("nav a[aria-current=page]")).to_have_attribute("href", path)
        page.wait_for_function(  # none stays empty
            "() => [...document.styleSheets].every((sheet) => sheet.href === null || sheet.cssRules.length > 0)"
        )
    finally:  # also where the page waits in vain for what it has asked others for
        context.close()
        assert not asked, f"/{path} asks others for {asked}"


def test_the_command(browser: Browser, settings: Settings, engines: Engines) -> None:
    with command(settings) as url:
        for path in ("analytics", "reports"):  # what is drawn, and what is not; each page in the test below
            visit_inside(browser, url, path)


def test_two_processes_that_answer_in_turn(browser: Browser, settings: Settings, engines: Engines) -> None:
    """A page comes from the one, its session often from the other: of eight, about half."""
    with processes(settings) as url:
        assert {status_of(f"{url}/{PART}") for _ in range(20)} == {200}  # also of one that has made no page yet
        for path in (*PAGES, *PAGES):
            visit_inside(browser, url, path)


def test_a_page_that_asks_another_host_is_found(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text('<img src="http://elsewhere.example/x.png"><img src="x.png">')
    context = browser.new_context()
    with files_of(tmp_path) as url:
        asked = kept_inside(context, url)
        context.new_page().goto(url)
        context.close()
    assert asked == {"http://elsewhere.example/x.png"}
