"""What ``panel serve --plugins workbench.exporter`` adds: GET /metrics for Prometheus, /health, the login, the gate."""

from __future__ import annotations

import asyncio
import gc
import importlib
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST
from tornado.ioloop import IOLoop
from tornado.web import RequestHandler

# What every page is made of is imported before the server listens. A process hands out a package's style sheets and
# scripts once it has imported it, else answers 404: of several (--num-procs) one may be asked that has made none yet.
import workbench.shell  # noqa: F401
from workbench import telemetry
from workbench.components import gate, signed_in
from workbench.connection import open_workbench
from workbench.errors import WorkbenchError
from workbench.shell import login, shared_port
from workbench.telemetry import exposition

log = logging.getLogger(__name__)

# What single pages are made of is imported while the first browser fetches the frame and draws it: what draws first,
# the rest once that page is likely to be there. A page that is asked for earlier imports its own.
PARTS = ("hvplot", "workbench.dashboards.sales_dashboard", "workbench.forms")
OTHERS = (
    *("workbench.dashboards.explore", "workbench.forms.catalogue_manager", "workbench.dashboards.reports_page"),
    *("workbench.dashboards.pipeline", "workbench.dashboards.imports_page"),
)
REST_SECONDS = 0.1  # without a request before each of them, for it holds up what is asked meanwhile
MOST_REST_SECONDS, OTHERS_SECONDS = 2.0, 5.0
NOBODY_SECONDS = 10.0  # between two looks for a moment without an open page
FIRST_SECONDS = 1.0  # for the first request: a browser that has waited for the server gets its frame first

NO_ACCOUNT = "This is for Prometheus and for people with an account here, and yours was not found.\n"


class Telemetry(RequestHandler):
    """Answers also while no page is open, and while no server can be reached."""

    async def prepare(self) -> None:
        """Pages say themselves that somebody has no account."""
        if not await signed_in.has_account(self.request):
            self.set_status(403)
            self.set_header("Content-Type", "text/plain; charset=utf-8")
            await self.finish(NO_ACCOUNT)

    async def get(self) -> None:
        """Numbers and the names of servers, slots and metrics; nothing else."""
        try:
            await asyncio.to_thread(open_workbench)  # the servers are followed from now on, page or no page
        except WorkbenchError as error:
            log.debug("The servers are not followed: %s", error)
        self.set_header("Content-Type", CONTENT_TYPE_LATEST)
        await self.finish(exposition())


class Health(RequestHandler):
    """Answers who watches the process, without a login, and tells nothing but that it is there."""

    async def get(self) -> None:
        """The same whatever the servers do."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        await self.finish("alive\n")


ROUTES: list[tuple[str, type[RequestHandler], dict[str, Any]]] = [
    (signed_in.METRICS, Telemetry, {}),
    (signed_in.HEALTH, Health, {}),
    *login.ROUTES,
]


async def import_parts() -> None:
    """Imports what single pages are made of, on the event loop, and begins with schedules."""
    await _wait_while(lambda: not gate.last_asked(), FIRST_SECONDS)
    await _import_each(PARTS)
    await asyncio.sleep(OTHERS_SECONDS)
    await _import_each(OTHERS)
    gc.enable()
    from workbench.reports.background import Scheduler

    Scheduler().start()
    while telemetry.open_pages():  # what is left out of collections is never collected
        await asyncio.sleep(NOBODY_SECONDS)
    gc.collect()
    gc.freeze()


async def _import_each(names: Sequence[str]) -> None:
    for name in names:
        await asyncio.sleep(REST_SECONDS)
        await _wait_while(lambda: time.monotonic() < gate.last_asked() + REST_SECONDS, MOST_REST_SECONDS)
        try:
            importlib.import_module(name)
        except Exception:  # the page that needs it says so, the others need not suffer
            log.exception("%s could not be imported", name)


async def _wait_while(is_so: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while is_so() and time.monotonic() < end:
        await asyncio.sleep(REST_SECONDS / 4)


gate.keep()  # from the first request on: plugins are imported before the server listens
gate.keep_from_start(then=lambda: IOLoop.current().add_callback(import_parts))
shared_port.serve_given_connections()
gc.freeze()  # what is loaded stays: a collection, which stops every page, takes 40 ms and not 270, for it leaves it out
