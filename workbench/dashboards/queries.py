"""Who answered how many queries, and how fast."""

from __future__ import annotations

import panel as pn
from panel.viewable import Viewable, Viewer

from workbench import telemetry
from workbench.components import theme
from workbench.components.html import table_html
from workbench.dashboards.tile import html

HEADS = {"Engine": False, "Queries": True, "p50": True, "p95": True}
ENGINES = {"columns": "Columns", "replica": "Replica", "master": "Master", "risingwave": "RisingWave"}


class QueryTimes(Viewer):
    """Queries by engine since this process started. ``follow`` is called again and again."""

    def __init__(self) -> None:
        super().__init__()
        self._table = html()
        self.follow()

    def follow(self) -> None:
        """Takes over what was counted since."""
        found = telemetry.QUERIES.quantiles()
        rows = [
            (title, theme.count(found[name].count), theme.duration(found[name].p50), theme.duration(found[name].p95))
            for name, title in ENGINES.items()
            if name in found
        ]
        table = table_html(HEADS.items(), rows, kind="full") if rows else '<p class="soft">No query yet.</p>'
        counted = ", ".join(f"{reason} {theme.count(times)}" for reason, times in telemetry.REASONS.most_common())
        passed_over = f'<p class="soft">RisingWave was passed over: {theme.esc(counted)}.</p>' if counted else ""
        self._table.object = table + passed_over

    def __panel__(self) -> Viewable:
        about = f"Since this process started; p50 and p95 of the last {telemetry.MOST_RECENT:,}."
        heading = html(f'<h2>Queries by engine</h2><p class="soft">{about}</p>')
        return pn.Column(heading, self._table, sizing_mode="stretch_width", margin=0)
