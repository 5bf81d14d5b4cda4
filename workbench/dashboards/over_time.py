"""Revenue over time, beside what it is compared with; brushing it narrows every tile to those days."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import holoviews as hv
import pandas as pd
from bokeh.models import DatetimeTickFormatter
from holoviews.streams import BoundsX
from hvplot import hvPlot

from workbench.connection import Workbench
from workbench.dashboards.chart import ChartTile, by_column, floats, frameless, theme_color
from workbench.dashboards.feed import Feed, Moment
from workbench.filters import CUSTOM, Filters, until_words
from workbench.replication import Answer

QUIET: dict[str, Any] = {"responsive": True, "xlabel": "", "ylabel": "", "legend": False}
BARE: dict[str, Any] = {"tools": [], "default_tools": [], "framewise": True}


class RevenueOverTime(ChartTile):
    """Daily revenue of the period; a day without a sale is 0."""

    title = "Daily revenue"
    about = "Drag across the chart to look at some days alone."
    height = 280

    def __init__(self, source: Workbench | Feed, filters: Filters | None = None) -> None:
        super().__init__(source, filters)
        self._is_by_hour = False
        self.ticks = DatetimeTickFormatter(hours="%H:%M", days="%e %b", months="%b %Y", years="%Y", context=None)

    def fetch(self, moment: Moment) -> Answer[pd.DataFrame]:
        """One row a day: ``day``, ``revenue`` (Decimal), ``before`` (the day it is compared with).

        The day that is not over yet is compared up to the last full hour.
        A period of a single day has one row an hour, whose beginning is its ``day``. Days from the first to the last of
        the period, or of the sales where it is open; a period that the clock moves ends today.
        """
        first, last = moment.filters.period_days(moment.now)
        if last is not None and moment.filters.period != CUSTOM:
            last = min(last, moment.now.date())
        if first is not None and first == last:
            return self._hours(moment, first)
        answer = moment.ask(["revenue"], ["day"], moment.filters.where(moment.now, is_brushed=False))
        found = dict(zip(answer.value["day"], answer.value["revenue"], strict=True))
        ends = [pd.Timestamp(day) for day in (first, last, *found) if day is not None]
        days = pd.date_range(min(ends), max(ends), unit="s") if found else pd.DatetimeIndex([], dtype="datetime64[s]")
        revenue = pd.Series([found.get(day, Decimal("0.00")) for day in days], dtype=object)
        frame = pd.DataFrame({"day": days, "revenue": revenue})
        frame["before"] = pd.Series(self._compared(moment, days), dtype=object)
        return Answer(frame, answer.engine, answer.as_of, answer.note)

    def _hours(self, moment: Moment, day: date) -> Answer[pd.DataFrame]:
        """The same by hour."""
        answer = moment.ask(["revenue"], ["hour"], moment.filters.where(moment.now, is_brushed=False))
        found = dict(zip(answer.value["hour"], answer.value["revenue"], strict=True))
        compared = moment.filters.comparison_where(moment.now, is_brushed=False)
        before: dict[int, Decimal] = {}
        if found and compared is not None:
            whole = moment.ask(["revenue"], ["hour"], replace(compared, before=None)).value
            before = dict(zip(whole["hour"], whole["revenue"], strict=True))
        hours = pd.date_range(pd.Timestamp(day), periods=24 if found else 0, freq="h", unit="s")
        revenue = [found.get(hour, Decimal("0.00")) for hour in range(len(hours))]
        compared_with = [None if compared is None else before.get(hour, Decimal("0.00")) for hour in range(len(hours))]
        columns = {"revenue": pd.Series(revenue, dtype=object), "before": pd.Series(compared_with, dtype=object)}
        return Answer(pd.DataFrame({"day": hours} | columns), answer.engine, answer.as_of, answer.note)

    def _compared(self, moment: Moment, days: pd.DatetimeIndex) -> list[Decimal | None]:
        """The revenue of the day that each day is compared with, in order."""
        compared = moment.filters.comparison_where(moment.now, is_brushed=False)
        if compared is None or compared.date_from is None or len(days) == 0:
            return [None] * len(days)
        answer = moment.ask(["revenue"], ["day"], compared)
        found = dict(zip(answer.value["day"], answer.value["revenue"], strict=True))
        start = compared.date_from
        return [found.get(pd.Timestamp(start + timedelta(days=n)), Decimal("0.00")) for n in range(len(days))]

    def depends_on(self, moment: Moment) -> object:
        """The brushed days, and what is not over yet, to the hour."""
        where = moment.filters.so_far(moment.now, is_brushed=False)
        return moment.filters.brush_from, moment.filters.brush_to, where.before

    def prepare(self, moment: Moment, frame: pd.DataFrame) -> pd.DataFrame:
        """Floats, the texts of the hover, and the brushed days in a line of their own.

        What is not over yet is a line of its own too, from the last point that is.
        """
        to_come = (frame["day"] > pd.Timestamp(moment.now)) & (frame["revenue"] == 0)
        frame = frame[~to_come].reset_index(drop=True)
        low, high = moment.filters.brush_from or date.min, moment.filters.brush_to or date.max
        revenue = floats(frame["revenue"])
        self._is_by_hour = any(day != day.normalize() for day in frame["day"])
        place = "%H:%M" if self._is_by_hour else "%a %-d %b %Y"
        is_over = frame["day"] < self._running(moment)
        is_chosen = pd.Series([low <= day.date() <= high for day in frame["day"]])
        so_far = moment.filters.so_far(moment.now, is_brushed=False)
        until = "" if self._is_by_hour else f" {until_words(so_far.before)}"
        amounts = pd.Series(revenue)
        return pd.DataFrame(
            {
                "day": frame["day"],
                "revenue": revenue,
                "over": amounts.where(is_over),
                "running": amounts.where(~is_over | ~is_over.shift(-1, fill_value=True)),
                "filled": is_over.astype(float),
                "chosen": amounts.where(is_chosen & is_over),
                "floor": (amounts * 0).where(is_chosen & is_over),
                "before": floats(frame["before"]),
                "text": [self.text(value) for value in frame["revenue"]],
                "compared": [
                    self.text(value) + ("" if over or value is None else until)
                    for value, over in zip(frame["before"], is_over, strict=True)
                ],
                "date": [
                    day.strftime(place) + ("" if over else ", not over yet")
                    for day, over in zip(frame["day"], is_over, strict=True)
                ],
            }
        )

    def _running(self, moment: Moment) -> pd.Timestamp:
        """The beginning of the hour, or of the day, that is not over yet."""
        return pd.Timestamp(moment.now).floor("h" if self._is_by_hour else "D")

    def chart(self) -> Any:
        """Layers of their own, as a brush is told of one layer only."""
        drawings = (self._before, self._line, self._unfinished)
        layers = [hv.DynamicMap(drawing, streams=[self.pipe]) for drawing in drawings]
        dots = hv.DynamicMap(self._dots, streams=[self.pipe])
        BoundsX(source=dots, boundsx=None).param.watch(self._brushed, "boundsx")
        return (layers[0] * layers[1] * layers[2] * dots).opts(
            hv.opts.Overlay(
                responsive=True,
                height=self.height,
                toolbar=None,
                active_tools=["xbox_select"],
                yformatter=self.amounts,
                xformatter=self.ticks,
                ylim=(0, None),
                hooks=[shaded, frameless],
                show_legend=False,
            )
        )

    def _before(self, data: pd.DataFrame) -> Any:
        return hvPlot(data).line(x="day", y="before", color="#8c8c8c", line_dash="dashed", **QUIET).opts(**BARE)

    def _line(self, data: pd.DataFrame) -> Any:
        return hvPlot(data).line(x="day", y="over", color=theme_color(), line_width=2, **QUIET).opts(**BARE)

    def _unfinished(self, data: pd.DataFrame) -> Any:
        dashed = {"color": theme_color(), "line_width": 2, "line_dash": "dashed"}
        return hvPlot(data).line(x="day", y="running", **dashed, **QUIET).opts(**BARE)

    def _dots(self, data: pd.DataFrame) -> Any:
        told = ["date", "text", "compared", "filled", "floor", "chosen"]
        dots = hvPlot(data).scatter(x="day", y="revenue", hover_cols=told, color=theme_color(), size=18, **QUIET)
        return dots.opts(
            hooks=[by_column(fill_alpha="filled")],
            tools=["hover", "xbox_select"],
            default_tools=[],
            framewise=True,
            hover_tooltips=[("", "@date"), ("Revenue", "@text"), ("Compared with", "@compared")],
        )

    def _brushed(self, event: Any) -> None:
        if not event.new or self._is_by_hour:  # a single day is as narrow as it gets
            return
        first, last = sorted(pd.Timestamp(end) for end in event.new)
        start = first.ceil("D") if first != first.normalize() else first  # days whose point is inside
        if start > last:
            start = last = first.round("D")
        self.feed.filters.param.update(brush_from=start.date(), brush_to=last.date())


def shaded(plot: Any, _element: Any) -> None:
    """A hook: shade below the chosen days. hvplot's area is one polygon, which cannot be written column by column."""
    dots = plot.state.renderers[-1].data_source
    plot.state.varea("day", "floor", "chosen", source=dots, color=theme_color(), alpha=0.18, level="underlay")
