"""Revenue by hour and weekday; a click on a cell narrows every tile to that hour of that weekday."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from typing import Any

import holoviews as hv
import pandas as pd
from holoviews.streams import Tap
from hvplot import hvPlot

from workbench import look
from workbench.connection import Workbench
from workbench.dashboards.chart import ChartTile, alphas, by_column, floats, frameless
from workbench.dashboards.feed import Feed, Moment
from workbench.filters import Filters, drop
from workbench.metrics import Asked
from workbench.replication import Answer

_STEPS = 24
# One hue that only gets denser: it reads on a white and on a dark page, and with any colour vision.
RAMP = [f"{look.PALETTE[0]}{round(20 + 235 * step / (_STEPS - 1)):02x}" for step in range(_STEPS)]
DAYS = list(calendar.day_abbr)


class BusyHours(ChartTile):
    """When the shops are busy."""

    title = "Revenue by hour and weekday"
    about = "Click a cell to look at that hour alone."

    def __init__(self, source: Workbench | Feed, filters: Filters | None = None) -> None:
        super().__init__(source, filters)
        self._hours = (23, 0)  # first and last hour that were shown so far

    def asks(self, moment: Moment) -> Sequence[Asked]:
        """Every hour of every weekday, the chosen one and the others."""
        return [Asked(("revenue",), ("hour", "weekday"), drop(moment.where, "hours", "weekdays"))]

    def fetch(self, moment: Moment) -> Answer[pd.DataFrame]:
        """One row for each hour and weekday with a sale: ``hour``, ``weekday`` (1 is Monday), ``revenue`` (Decimal)."""
        (asked,) = self.asks(moment)
        return moment.ask(*asked)

    def depends_on(self, moment: Moment) -> object:
        """The chosen cell."""
        return moment.where.hours, moment.where.weekdays

    def prepare(self, moment: Moment, frame: pd.DataFrame) -> pd.DataFrame:
        """Every hour between the first and the last, on every weekday; a cell without a sale is 0."""
        found = {(hour, day): value for hour, day, value in frame.itertuples(index=False)}
        first, last = int(frame["hour"].min()), int(frame["hour"].max())
        # Bokeh trips when a chart of categories gets fewer of them than it had.
        self._hours = (min(self._hours[0], first), max(self._hours[1], last))
        hours = range(self._hours[0], self._hours[1] + 1)
        cells = [(hour, day) for day in range(7, 0, -1) for hour in hours]
        values = [found.get(cell, 0) for cell in cells]
        hour_alpha = alphas((hour for hour, _ in cells), moment.where.hours)
        day_alpha = alphas((day for _, day in cells), moment.where.weekdays)
        return pd.DataFrame(
            {
                "hour": [f"{hour:02d}" for hour, _ in cells],
                "weekday": [DAYS[day - 1] for _, day in cells],
                "revenue": floats(values),
                "text": [self.text(value) for value in values],
                "alpha": [min(pair) for pair in zip(hour_alpha, day_alpha, strict=True)],
            }
        )

    def plot(self, data: pd.DataFrame) -> Any:
        """The cells."""
        cells = hvPlot(data).heatmap(
            x="hour",
            y="weekday",
            C="revenue",
            hover_cols=["text", "alpha"],
            height=self.height,
            responsive=True,
            xlabel="",
            ylabel="",
            colorbar=False,
        )
        return cells.opts(
            hv.opts.HeatMap(
                cmap=RAMP,
                tools=["hover"],
                hover_tooltips=[("Hour", "@hour:00"), ("Weekday", "@weekday"), ("Revenue", "@text")],
                default_tools=[],
                toolbar=None,
                hooks=[frameless, by_column(fill_alpha="alpha")],
                framewise=True,
                clim=(0, None),
            )
        )

    def listen(self, chart: hv.DynamicMap) -> None:
        """A click narrows, a second one opens again."""
        tap = Tap(source=chart, x=None, y=None)
        tap.add_subscriber(self._tapped)

    def _tapped(self, x: Any, y: Any) -> None:
        if isinstance(x, str) and y in DAYS:
            self.feed.filters.toggle(hours=int(x), weekdays=DAYS.index(y) + 1)
