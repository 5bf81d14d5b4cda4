"""Revenue by hour and weekday; a click on a cell narrows every tile to that hour of that weekday."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from datetime import time
from typing import Any, ClassVar

import holoviews as hv
import pandas as pd
from bokeh.models import NumeralTickFormatter, Plot
from bokeh.models.annotations import ColorBar
from hvplot import hvPlot

from workbench import locale
from workbench.components import theme
from workbench.config.clock import weekdays
from workbench.connection import Workbench
from workbench.dashboards.chart import (
    ChartTile,
    alphas,
    by_column,
    extremes,
    floats,
    frameless,
    on_click,
    tooltips,
    unit_text,
)
from workbench.dashboards.feed import Feed, Moment
from workbench.database.replication import Answer
from workbench.filters import Filters, drop
from workbench.locale import N_, _
from workbench.metrics import MetricQuery

_STEPS = 24
# One hue that only gets denser: it reads on a white and on a dark page, and with any colour vision.
RAMP = [f"{theme.PALETTE[0]}{round(20 + 235 * step / (_STEPS - 1)):02x}" for step in range(_STEPS)]


class BusyHours(ChartTile):
    """When the shops are busy."""

    title = N_("Revenue by hour and weekday")
    about = N_("Click a cell to look at that hour alone.")
    height = 330
    reads: ClassVar[Mapping[str, str]] = {N_("Time"): "time", N_("Revenue"): "text"}
    is_alike = True

    def __init__(self, source: Workbench | Feed, filters: Filters | None = None) -> None:
        super().__init__(source, filters)
        self._hours = (23, 0)  # first and last hour that were shown so far

    def asks(self, moment: Moment) -> Sequence[MetricQuery]:
        """Every hour of every weekday, the chosen one and the others."""
        return [MetricQuery(("revenue",), ("hour", "weekday"), drop(moment.where, "hours", "weekdays"))]

    def fetch(self, moment: Moment) -> Answer[pd.DataFrame]:
        """One row for each hour and weekday with a sale: ``hour``, ``weekday`` (1 is Monday), ``revenue`` (Decimal)."""
        (asked,) = self.asks(moment)
        return moment.ask(*asked)

    def depends_on(self, moment: Moment) -> object:
        """The chosen cell."""
        return moment.where.hours, moment.where.weekdays

    def variant(self) -> Hashable:
        """The hours that are shown."""
        return self._hours

    def draw(self, moment: Moment, frame: pd.DataFrame) -> None:
        """Keeps the hours that were shown: Bokeh trips when a chart of categories gets fewer of them than it had."""
        first, last = self._hours
        self._hours = (min(first, int(frame["hour"].min())), max(last, int(frame["hour"].max())))
        super().draw(moment, frame)

    def prepare(self, moment: Moment, frame: pd.DataFrame) -> pd.DataFrame:
        """Every hour between the first and the last, on every weekday; a cell without a sale is 0."""
        found = {(hour, day): value for hour, day, value in frame.itertuples(index=False)}
        hours = range(self._hours[0], self._hours[1] + 1)
        cells = [(hour, day) for day in reversed(weekdays()) for hour in hours]
        values = [found.get(cell, 0) for cell in cells]
        hour_alpha = alphas((hour for hour, _ in cells), moment.where.hours)
        day_alpha = alphas((day for _, day in cells), moment.where.weekdays)
        return pd.DataFrame(
            {
                "time": [f"{locale.weekday(day)} {locale.hour(hour)}" for hour, day in cells],
                "hour": [f"{hour:02d}" for hour, _ in cells],
                "weekday": [locale.weekday(day) for _, day in cells],
                "revenue": floats(values),
                "text": [self.text(value) for value in values],
                "alpha": [min(pair) for pair in zip(hour_alpha, day_alpha, strict=True)],
            }
        )

    def summarized(self, data: pd.DataFrame) -> str:
        """``from 07:00 to 21:00, highest Mon 08:00 with …, lowest …``."""
        first, last = locale.hour(int(data["hour"].min())), locale.clock_time(time(int(data["hour"].max()), 59))
        return _("hours from {first} to {last}, {extremes}.", first=first, last=last, extremes=extremes(data, "time"))

    def plot(self, data: pd.DataFrame) -> Any:
        """The cells."""
        look = {"height": self.height, "xlabel": _("Hour of the day")}
        made = cells(data, ("hour", "weekday"), ["time"], tooltips(self.reads), **look)
        return made.opts(clabel=unit_text("revenue", self.currency))

    def listen(self, figure: Plot) -> None:
        """A click narrows, with Ctrl it adds; one on the only cell opens again."""
        on_click(figure, self._clicked)

    def _clicked(self, hour: Any, day: Any, is_adding: bool) -> None:
        if hour is not None and day is not None:
            days = [locale.weekday(number) for number in range(1, 8)]
            self.feed.filters.toggle(is_adding=is_adding, hours=int(hour), weekdays=days.index(day) + 1)


def cells(data: pd.DataFrame, axes: tuple[str, str], hover: Sequence[str], tooltips: Any, **look: Any) -> Any:
    """Cells across and down, the denser the more of the column ``revenue``."""
    x, y = axes
    columns = ["text", *hover, "alpha"]
    made = hvPlot(data).heatmap(
        x=x, y=y, C="revenue", hover_cols=columns, responsive=True, ylabel="", colorbar=True, **look
    )
    return made.opts(
        hv.opts.HeatMap(
            cmap=RAMP,
            tools=["hover"],
            hover_tooltips=tooltips,
            colorbar_position="bottom",
            colorbar_opts={"height": 8, "padding": 4},
            default_tools=[],
            toolbar=None,
            hooks=[frameless, by_column(fill_alpha="alpha"), scaled],
            framewise=True,
            clim=(0, None),
        )
    )


def scaled(plot: Any, _element: Any) -> None:
    """A hook: the colours go from nothing to the most that there is now, not that there was when it was drawn."""
    plot.handles["color_mapper"].update(low=0, high=None)
    for bar in plot.state.select(ColorBar):
        bar.formatter = NumeralTickFormatter(format="0,0.[0]a")
