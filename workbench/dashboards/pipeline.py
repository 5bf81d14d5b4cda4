"""Page "Pipeline": the servers and how far behind they are, slots, schema, sample data."""

from __future__ import annotations

import asyncio

import panel_material_ui as pmui
from panel.viewable import Viewable, Viewer

from workbench.accounts import current_actor
from workbench.components.html import html_pane
from workbench.components.inline import done_at_once, while_shown
from workbench.connection import Workbench
from workbench.dashboards.latency import CommitLatency
from workbench.dashboards.queries import QueryTimes
from workbench.dashboards.reconciliation import Reconciliation
from workbench.dashboards.sample_section import SampleSection
from workbench.dashboards.schema_section import SchemaSection
from workbench.dashboards.server_text import server_html, slots_html
from workbench.servers.health import Status

LOOK_MS = 500
SERVERS = ("master", "replica", "risingwave")


class PipelinePage(Viewer):
    """Cards of master, replica and RisingWave that renew themselves, and what can be done on the master."""

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self._servers = {name: html_pane() for name in SERVERS}
        self._slots = html_pane()
        self._latency = CommitLatency(workbench.monitor.stopwatch, workbench.clock)
        self._queries = QueryTimes()
        self._schema = SchemaSection(workbench.engines)
        self._sample = SampleSection(workbench.engines) if current_actor().may("admin") else None
        self._reconciliation = Reconciliation(workbench)
        self._show(workbench.monitor.status())

    async def _renew(self) -> None:
        status = await asyncio.to_thread(self._workbench.monitor.status)
        self._show(status)
        await self._schema.follow(status.master.state == "up", status.master.note)
        if self._sample is not None:
            await self._sample.look(status.master.state == "up")
        await self._reconciliation.follow(status.master.state == "up")

    def _show(self, status: Status) -> None:
        """Sets texts and switches; what has not changed sends nothing to the browser."""
        now = self._workbench.monitor.now()
        for name, pane in self._servers.items():
            pane.object = server_html(name, getattr(status, name), now)
        self._slots.object = slots_html(status.slots, status.master.state == "up")
        self._latency.follow()
        self._queries.follow()
        if self._sample is not None:
            self._sample.follow(status.master.state == "up")

    def __panel__(self) -> Viewable:
        slots = card(html_pane("<h2>Replication slots of the master</h2>"), self._slots)
        view = pmui.Column(
            row(*(card(pane) for pane in self._servers.values())),
            row(card(self._latency), stack(card(self._queries), slots)),
            row(*(card(section) for section in (self._sample, self._schema) if section is not None)),
            card(self._reconciliation),
            sx={"gap": "16px"},
            sizing_mode="stretch_width",
        )
        done_at_once(self._renew)
        while_shown(view, self._renew, LOOK_MS)
        return view


def stack(*cards: pmui.Paper) -> pmui.Column:
    """Cards one below the other, the last one as high as is left."""
    layout = {"display": "grid", "gridTemplateRows": "auto 1fr", "gap": "16px"}
    return pmui.Column(*cards, sx=layout, sizing_mode="stretch_width", margin=0)


def row(*cards: Viewable) -> pmui.Column:
    """Cards side by side, equally wide and high; one below the other on a phone."""
    columns = {"xs": "minmax(0, 1fr)", "md": f"repeat({len(cards)}, minmax(0, 1fr))"}
    layout = {"display": "grid", "gridTemplateColumns": columns, "gap": "16px"}
    return pmui.Column(*cards, sx=layout, sizing_mode="stretch_width")


def card(*objects: Viewable | Viewer) -> pmui.Paper:
    """A sheet of paper around ``objects``."""
    return pmui.Paper(
        *objects,
        variant="outlined",
        margin=0,
        sx={"p": "20px", "gap": "12px"},
        stylesheets=[":host, .paper { height: 100%; }"],  # cards of one row are equally high
        sizing_mode="stretch_width",
    )
