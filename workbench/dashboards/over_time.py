"""Revenue by day, week or month, beside what it is compared with; brushing it narrows every tile to those days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, ClassVar

import holoviews as hv
import pandas as pd
from bokeh.events import SelectionGeometry
from bokeh.models import HoverTool, Plot
from hvplot import hvPlot

from workbench import locale
from workbench.components import theme
from workbench.config.clock import begin_of_week
from workbench.dashboards.chart import (
    ChartTile,
    amounts,
    by_column,
    days_of_axis,
    extremes,
    floats,
    frameless,
    plain,
    theme_color,
    tooltips,
    unit_text,
)
from workbench.dashboards.feed import Moment
from workbench.dashboards.kpis import change
from workbench.dashboards.tile_card import Button
from workbench.database.replication import Answer
from workbench.filters import AUTO, COMPARISONS, CUSTOM, GRAINS, fitting, until_words, words
from workbench.locale import N_, _
from workbench.metrics import MetricQuery
from workbench.words import counted


def grouped(frame: pd.DataFrame, grain: str) -> pd.DataFrame:
    """A row for each span of days, in order: ``day`` its first, ``last``, ``revenue`` and ``before`` summed.

    Spans begin and end with the days of ``frame``: the first week may be a short one. ``before`` is None where it is
    for all of a span's days.
    """
    spans = frame.groupby([begin_of(day.date(), grain) for day in frame["day"]], sort=True)
    return pd.DataFrame(
        {
            "day": spans["day"].min(),
            "last": spans["day"].max(),
            "revenue": spans["revenue"].agg(_sum),
            "before": spans["before"].agg(_sum),
        }
    ).reset_index(drop=True)


def begin_of(day: date, grain: str) -> date:
    """The first day of the day's week, which begins as in the dimension ``week``, of its month, or itself."""
    if grain == "week":
        return begin_of_week(day)
    return day.replace(day=1) if grain == "month" else day


def choices(shown: str) -> list[Button]:
    """A button for each grain; the one that is shown is pressed."""
    return [(name, _(label), name == shown) for name, label in GRAINS.items() if name != AUTO]


def _sum(values: Iterable[Decimal | None]) -> Decimal | None:
    known = [value for value in values if value is not None]
    return sum(known, Decimal("0.00")) if known else None


QUIET: dict[str, Any] = {"responsive": True, "xlabel": "", "ylabel": "", "legend": False}
HALF_DAY_MS = 12 * 3600 * 1000
BARE: dict[str, Any] = {"tools": [], "default_tools": [], "framewise": True}


class RevenueOverTime(ChartTile):
    """Revenue of the period by day, week or month, a single day by hour; a day without a sale is 0."""

    title = N_("Revenue over time")
    about = N_("Drag across the chart to look at some days alone.")
    height = 280
    reads: ClassVar[Mapping[str, str]] = {
        N_("Time"): "date",
        N_("Revenue"): "text",
        N_("Compared with"): "compared",
        N_("Change"): "change",
    }
    is_alike = True

    def asks(self, moment: Moment) -> Iterable[MetricQuery]:
        """The days of the period, brushed or not, and of what it is compared with; of a single day the hours."""
        first, last = _days(moment)
        by = "hour" if first is not None and first == last else "day"
        yield MetricQuery(("revenue",), (by,), moment.filters.where(moment.now, is_brushed=False))
        compared = moment.filters.comparison_where(moment.now, is_brushed=False)
        if compared is not None:
            yield MetricQuery(("revenue",), (by,), replace(compared, before=None) if by == "hour" else compared)

    def fetch(self, moment: Moment) -> Answer[pd.DataFrame]:
        """One row a day: ``day``, ``revenue`` (Decimal), ``before`` (the day it is compared with).

        The day that is not over yet is compared up to the last full hour.
        A period of a single day has one row an hour, whose beginning is its ``day``. Days from the first to the last of
        the period, or of the sales where it is open; a period that the clock moves ends today.
        """
        first, last = _days(moment)
        asked, *compared = self.asks(moment)
        if first is not None and first == last:
            return self._hours(moment, first, asked, compared)
        answer = moment.ask(*asked)
        found = dict(zip(answer.value["day"], answer.value["revenue"], strict=True))
        ends = [pd.Timestamp(day) for day in (first, last, *found) if day is not None]
        days = pd.date_range(min(ends), max(ends), unit="s") if found else pd.DatetimeIndex([], dtype="datetime64[s]")
        revenue = pd.Series([found.get(day, Decimal("0.00")) for day in days], dtype=object)
        frame = pd.DataFrame({"day": days, "revenue": revenue})
        frame["before"] = pd.Series(self._compared(moment, days, compared), dtype=object)
        return answer.map(lambda _groups: frame)

    def _hours(
        self, moment: Moment, day: date, asked: MetricQuery, compared: Sequence[MetricQuery]
    ) -> Answer[pd.DataFrame]:
        """As ``fetch``, of one day: a row for each hour, or none where nothing was sold."""
        answer = moment.ask(*asked)
        found = dict(zip(answer.value["hour"], answer.value["revenue"], strict=True))
        before: dict[int, Decimal] = {}
        if found and compared:
            whole = moment.ask(*compared[0]).value
            before = dict(zip(whole["hour"], whole["revenue"], strict=True))
        hours = pd.date_range(pd.Timestamp(day), periods=24 if found else 0, freq="h", unit="s")
        revenue = [found.get(hour, Decimal("0.00")) for hour in range(len(hours))]
        compared_with = [before.get(hour, Decimal("0.00")) if compared else None for hour in range(len(hours))]
        columns = {"revenue": pd.Series(revenue, dtype=object), "before": pd.Series(compared_with, dtype=object)}
        frame = pd.DataFrame({"day": hours} | columns)
        return answer.map(lambda _groups: frame)

    def _compared(
        self, moment: Moment, days: pd.DatetimeIndex, compared: Sequence[MetricQuery]
    ) -> list[Decimal | None]:
        """The revenue of the day that each day is compared with, in order."""
        start = compared[0].where.date_from if compared else None
        if start is None or len(days) == 0:
            return [None] * len(days)
        answer = moment.ask(*compared[0])
        found = dict(zip(answer.value["day"], answer.value["revenue"], strict=True))
        return [found.get(pd.Timestamp(start + timedelta(days=n)), Decimal("0.00")) for n in range(len(days))]

    def depends_on(self, moment: Moment) -> object:
        """The brushed days, the grain, and what is not over yet, to the hour."""
        where, filters = moment.filters.so_far(moment.now, is_brushed=False), moment.filters
        return filters.brush_from, filters.brush_to, filters.grain, filters.comparison, where.before

    def pressed(self, button: str) -> None:
        """Shows days, weeks or months; the grain that fits again when it was the chosen one."""
        super().pressed(button)
        if button in GRAINS:
            self.feed.filters.grain = AUTO if button == self.feed.filters.grain else button

    def offers(self) -> list[Button]:
        """The grains; none for a single day."""
        grain = self._data["grain"].iloc[0]
        return choices(grain) if grain in GRAINS else []

    def summarized(self, data: pd.DataFrame) -> str:
        """``30 days from … to …, highest … with …, lowest … with …``; what is not over yet does not count for these."""
        over = data[data["filled"] == 1] if (data["filled"] == 1).any() else data
        grain, spans = data["grain"].iloc[0], _spans(data)
        values = {"count": counted(len(data), grain), "extremes": extremes(over, "date")}
        if grain == "hour":
            return _("{count}, {extremes}.", **values)
        ends = {"first": words(*spans[0]), "last": words(*spans[-1])}
        return _("{count} from {first} to {last}, {extremes}.", **values, **ends)

    def draw(self, moment: Moment, frame: pd.DataFrame) -> None:
        """The lines, and what each is."""
        super().draw(moment, frame)
        self.card.legend = self._legend(moment)

    def prepare(self, moment: Moment, frame: pd.DataFrame) -> pd.DataFrame:
        """Floats, the texts of the hover, and the brushed days in a line of their own.

        What is not over yet is a line of its own too, from the last point that is.
        """
        to_come = (frame["day"] > pd.Timestamp(moment.now)) & (frame["revenue"] == 0)
        frame = frame[~to_come].reset_index(drop=True)
        is_by_hour = any(day != day.normalize() for day in frame["day"])
        grain = "hour" if is_by_hour else fitting(moment.filters.grain, len(frame))
        points = grouped(frame, grain) if grain in GRAINS else frame.assign(last=frame["day"])
        points["grain"] = grain
        # The beginning of the hour, or of the day, that is not over yet.
        is_over = points["last"] < pd.Timestamp(moment.now).floor("h" if is_by_hour else "D")
        return pd.DataFrame(self._courses(moment, points, is_over) | self._texts(moment, points, is_over, frame))

    def _courses(self, moment: Moment, points: pd.DataFrame, is_over: pd.Series) -> dict[str, Any]:
        low, high = moment.filters.brush_from or date.min, moment.filters.brush_to or date.max
        is_chosen = pd.Series([low <= last and first <= high for first, last in _spans(points)])
        amounts = pd.Series(floats(points["revenue"]))
        left, right = edges(points["day"])
        return {
            "day": points["day"],
            "last": points["last"],
            "grain": points["grain"],
            "left": left,
            "right": right,
            "revenue": amounts,
            "over": amounts.where(is_over),
            "running": amounts.where(~is_over | ~is_over.shift(-1, fill_value=True)),
            "filled": is_over.astype(float),
            "chosen": amounts.where(is_chosen & is_over),
            "floor": (amounts * 0).where(is_chosen & is_over),
            "before": floats(points["before"]),
        }

    def _texts(
        self, moment: Moment, points: pd.DataFrame, is_over: pd.Series, days: pd.DataFrame
    ) -> dict[str, list[str]]:
        """What the pointer reads at each point."""
        before = moment.filters.so_far(moment.now, is_brushed=False).before
        is_by_hour = points["grain"].iloc[0] == "hour"
        until = "" if is_by_hour else f" {until_words(before)}"
        compared = moment.filters.comparison_where(moment.now, is_brushed=False)
        moved = None if compared is None or compared.date_from is None else compared.date_from - days["day"][0].date()
        rows = list(zip(points["day"], _spans(points), points["revenue"], points["before"], is_over, strict=True))
        named = hour_named if is_by_hour else day_named
        return {
            "text": [self.text(row[2]) for row in rows],
            "date": [
                named(day, span) if over else _("{day}, not over yet", day=named(day, span))
                for day, span, _revenue, _before, over in rows
            ],
            "compared": [
                theme.NOTHING
                if value is None or moved is None
                else f"{self.text(value)}{'' if over else until} · {words(span[0] + moved, span[1] + moved)}"
                for _day, span, _revenue, value, over in rows
            ],
            "change": [
                theme.percent(change(revenue, value), is_change=True) if over else _("not over yet")
                for _day, _span, revenue, value, over in rows
            ],
        }

    def _legend(self, moment: Moment) -> list[tuple[str, str]]:
        found = [("line", _("Revenue"))]
        if (self._data["filled"] == 0).any():
            found.append(("running", _("Not over yet")))
        if self._data["before"].notna().any():
            found.append(("before", _(COMPARISONS[moment.filters.comparison])))
        return found

    def plot(self, data: pd.DataFrame) -> Any:
        """A line for what is compared with, one for what is over and one for what is not, and the dots."""
        layers = self._before(data) * self._line(data) * self._unfinished(data) * self._dots(data)
        return layers.opts(
            hv.opts.Overlay(
                responsive=True,
                height=self.height,
                toolbar=None,
                active_tools=["xbox_select"],
                yformatter=amounts(),
                xformatter=days_of_axis(),
                ylim=(0, None),
                ylabel=unit_text("revenue", self.currency),
                hooks=[frameless, readable, swiped],
                show_legend=False,
            )
        )

    def listen(self, figure: Plot) -> None:
        """A brush across some days narrows every tile to them."""
        figure.on_event(SelectionGeometry, self._brushed)

    def _before(self, data: pd.DataFrame) -> Any:
        return hvPlot(data).line(x="day", y="before", color="#8c8c8c", line_dash="dashed", **QUIET).opts(**BARE)

    def _line(self, data: pd.DataFrame) -> Any:
        return hvPlot(data).line(x="day", y="over", color=theme_color(), line_width=2, **QUIET).opts(**BARE)

    def _unfinished(self, data: pd.DataFrame) -> Any:
        dashed = {"color": theme_color(), "line_width": 2, "line_dash": "dashed"}
        return hvPlot(data).line(x="day", y="running", **dashed, **QUIET).opts(**BARE)

    def _dots(self, data: pd.DataFrame) -> Any:
        texts, courses = ["date", "text", "compared", "change"], ["before", "over", "running", "floor", "chosen"]
        columns = [*texts, *courses, "filled", "left", "right"]
        dots = hvPlot(data).scatter(x="day", y="revenue", hover_cols=columns, color=theme_color(), size=18, **QUIET)
        return dots.opts(
            hooks=[by_column(fill_alpha="filled")],
            tools=["hover", "xbox_select"],
            default_tools=[],
            framewise=True,
            hover_tooltips=tooltips(self.reads),
        )

    def _brushed(self, event: Any) -> None:
        if not event.final or self._data["grain"].iloc[0] == "hour":  # a single day is as narrow as it gets
            return
        spans = _spans(self._data)
        first, last = sorted(pd.Timestamp(event.geometry[end], unit="ms") for end in ("x0", "x1"))
        inside = [span for span in spans if first <= pd.Timestamp(span[0]) <= last]
        if not inside:  # between two points: the nearest
            middle = first + (last - first) / 2
            inside = [min(spans, key=lambda span: abs(pd.Timestamp(span[0]) - middle))]
        self.feed.filters.param.update(brush_from=inside[0][0], brush_to=inside[-1][1])


def _days(moment: Moment) -> tuple[date | None, date | None]:
    """The first and the last day that are shown: a period that the clock moves ends today."""
    first, last = moment.filters.period_days(moment.now)
    if last is not None and moment.filters.period != CUSTOM:
        last = min(last, moment.now.date())
    return first, last


def _spans(points: pd.DataFrame) -> list[tuple[date, date]]:
    """First and last day of each point."""
    return [(first.date(), last.date()) for first, last in zip(points["day"], points["last"], strict=True)]


def hour_named(hour: pd.Timestamp, _span: tuple[date, date]) -> str:
    """``14:00``."""
    return locale.clock_time(hour)


def day_named(day: pd.Timestamp, span: tuple[date, date]) -> str:
    """``Fri 14 Nov 2026``, or the first and last day of a longer span."""
    return words(*span) if span[0] < span[1] else f"{locale.weekday(day.isoweekday())} {words(*span)}"


def edges(places: pd.Series) -> tuple[list[float], list[float]]:
    """From where to where each point is the nearest one, in milliseconds as Bokeh counts time."""
    at = [place.timestamp() * 1000 for place in places]
    between = [(one + other) / 2 for one, other in pairwise(at)]
    half = at[1] - between[0] if between else HALF_DAY_MS
    return [at[0] - half, *between], [*between, at[-1] + half]


def swiped(plot: Any, _element: Any) -> None:
    """A hook: on a phone the page scrolls below the finger (workbench/shell/without_eval.js).

    Bokeh leaves a finger on a chart that can be dragged across to the chart alone; only a drag to the side is for it.
    """
    plot.state.tags = [*plot.state.tags, "swiped"]


def readable(plot: Any, _element: Any) -> None:
    """A hook: the pointer anywhere reads the day it is at, below the chosen days there is a shade, all of one source.

    Both are drawn by Bokeh from the dots' own data: hvplot's area is one polygon, which cannot be written column by
    column, and dots and lines answer only where they are hit.
    """
    figure, dots = plot.state, plot.state.renderers[-1].data_source
    for line in figure.renderers:
        line.data_source = dots
    figure.varea("day", "floor", "chosen", source=dots, color=theme_color(), alpha=0.18, level="underlay")
    look_of_hover = {"hover_fill_color": theme_color(), "hover_fill_alpha": 0.16, "hover_line_alpha": 0}
    bands = figure.quad("left", "right", 0, "revenue", source=dots, fill_alpha=0, line_alpha=0, **look_of_hover)
    plain(figure.renderers)
    (hover,) = figure.select(HoverTool)
    hover.update(renderers=[bands], mode="vline", attachment="horizontal")
