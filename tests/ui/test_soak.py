"""Sixty people look at Analytics and leave: the process is where it was."""

from __future__ import annotations

import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from uuid import uuid4

import psutil
from bokeh.client import ClientSession, pull_session
from bokeh.document.events import MessageSentEvent
from bokeh.events import DocumentReady

from tests.conftest import wait_until
from tests.examples import sale
from tests.ui.conftest import APPS, Served, serving
from workbench.config import Settings
from workbench.connection import Workbench
from workbench.replication import wait_for_replica

WARM, TIMES = 15, 60
MOST_GROWTH = 40 * 2**20  # a page that stays takes 3 MB and more: sixty of them would take 200 MB
FORGET_SOON = ("--unused-session-lifetime=200", "--check-unused-sessions=200", "--plugins=workbench.exporter")


def test_sixty_sessions_leave_the_process_where_it_was(settings: Settings, workbench: Workbench) -> None:
    """No browser: a client opens each session and says, as a browser does, that the page has been drawn."""
    for days in range(5):
        at = datetime.now() - timedelta(days=days + 1)
        workbench.sales().create(sale(transaction_time=at.isoformat(sep=" ")), uuid4())
    assert wait_for_replica(workbench.engines)
    with serving(settings, *FORGET_SOON, pages=[APPS / "analytics.py"]) as served:
        with ThreadPoolExecutor(1) as aside:  # this thread has the browser tests' event loop
            aside.submit(look_and_leave, served, WARM).result()  # whatever is loaded once is loaded now
            before = memory(served)
            aside.submit(look_and_leave, served, TIMES).result()
        grown = memory(served) - before
    assert grown < MOST_GROWTH, f"{grown / 2**20:.0f} MB more after {TIMES} sessions"


def look_and_leave(served: Served, times: int) -> None:
    """Opens the page, waits until it is filled, and leaves; afterwards the process has forgotten all sessions."""
    for _ in range(times):
        session = pull_session(url=f"{served.url}/analytics")
        ready = MessageSentEvent(session.document, "bokeh_event", DocumentReady())
        session.document.callbacks.trigger_on_change(ready)
        wait_until(partial(is_filled, session), "the page's content")
        session.close()
    wait_until(lambda: sessions(served) == 0, "all sessions to be forgotten", 60)


def is_filled(session: ClientSession) -> bool:
    """Whether the page has its content."""
    session.force_roundtrip()
    return any(getattr(model, "label", "") == "Freeze this view" for model in session.document.models)


def sessions(served: Served) -> float:
    """How many sessions the process says that it has."""
    with urllib.request.urlopen(f"{served.url}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return float(next(line for line in lines if line.startswith("workbench_sessions ")).split()[1])


def memory(served: Served) -> int:
    """Bytes that the process holds."""
    return int(psutil.Process(served.process.pid).memory_info().rss)
