"""What ``panel serve --plugins workbench.exporter`` adds: GET /metrics for Prometheus, /health, the login, the gate."""

from __future__ import annotations

import asyncio
import gc
import logging
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST
from tornado.web import RequestHandler

# What pages are made of is imported before the first of them. A process hands out a package's style sheets and scripts
# once it has imported it, else answers 404: of several (--num-procs) one may be asked that has not made a page yet.
import workbench.dashboards.explore
import workbench.dashboards.imports_page
import workbench.dashboards.pipeline
import workbench.dashboards.reports_page
import workbench.dashboards.sales_dashboard
import workbench.forms.catalogue_manager
import workbench.shell  # noqa: F401
from workbench.components import gate, signed_in
from workbench.connection import open_workbench
from workbench.errors import WorkbenchError
from workbench.reports.background import Scheduler
from workbench.shell import login, shared_port
from workbench.telemetry import exposition

log = logging.getLogger(__name__)

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
gate.keep()  # from the first request on: plugins are imported before the server listens
gate.keep_from_start(then=Scheduler().start)
shared_port.serve_given_connections()
gc.collect()
gc.freeze()  # what is loaded by now stays: a collection, which stops every page, takes 40 ms and not 270
