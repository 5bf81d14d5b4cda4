"""What ``panel serve --plugins workbench.exporter`` adds: GET /metrics for Prometheus, and the gate."""

from __future__ import annotations

import asyncio
import gc
import logging
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST
from tornado.web import RequestHandler

# What pages are made of is imported before the first of them. A process hands out a package's style sheets and scripts
# once it has imported it, else answers 404: of several (--num-procs) one may be asked that has not made a page yet.
import workbench.dashboards.pipeline
import workbench.dashboards.reports_page
import workbench.dashboards.sales_dashboard
import workbench.shell  # noqa: F401
from workbench.components import gate
from workbench.connection import open_workbench
from workbench.errors import WorkbenchError
from workbench.telemetry import exposition

log = logging.getLogger(__name__)


class Metrics(RequestHandler):
    """Answers also while no page is open, and while no server can be reached."""

    async def get(self) -> None:
        """Numbers and the names of servers, slots and metrics; nothing else."""
        try:
            await asyncio.to_thread(open_workbench)  # the servers are followed from now on, page or no page
        except WorkbenchError as error:
            log.debug("The servers are not followed: %s", error)
        self.set_header("Content-Type", CONTENT_TYPE_LATEST)
        await self.finish(exposition())


ROUTES: list[tuple[str, type[RequestHandler], dict[str, Any]]] = [("/metrics", Metrics, {})]
gate.keep()  # from the first request on: plugins are imported before the server listens
gc.collect()
gc.freeze()  # what is loaded by now stays: a collection, which stops every page, takes 40 ms and not 270
