"""Key figures, each with its change against the comparison and a sparkline."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from workbench import locale
from workbench.accounts import current_actor
from workbench.components import theme
from workbench.components.inline import is_served
from workbench.connection import Workbench
from workbench.dashboards.feed import Feed, Moment
from workbench.dashboards.tables import percent
from workbench.dashboards.tile import Tile
from workbench.database.replication import Answer
from workbench.errors import MetricError
from workbench.filters import AGAINST, Filters, until_words
from workbench.filters.periods import missing
from workbench.locale import N_, _
from workbench.metrics import METRICS, MetricQuery, Where

WIDTH, HEIGHT = 240, 36


def running_place(where: Where, now: datetime) -> Any:
    """The day, or the hour of the only day, that is not over yet; None when all are."""
    if where.date_to is not None and where.date_to < now.date():
        return None
    return now.hour if where.date_from == where.date_to == now.date() else pd.Timestamp(now.date())


def sparkline(points: Sequence[tuple[Any, Any]], running: Any = None) -> str:
    """The course of (place, figure) pairs, from 0 up, or from the lowest below it; nothing for fewer than two.

    From ``running`` on, a place that is not over yet, the line is dashed.
    """
    figures = [float(figure or 0) for _, figure in points]
    if len(figures) < 2:
        return ""
    places = [_place(place) for place, _ in points]
    low, wide = min(0.0, *figures), places[-1] - places[0] or 1.0
    high = max(0.0, *figures) - low or 1.0
    dots = [
        f"{(place - places[0]) / wide * WIDTH:.1f},{HEIGHT - 2 - (figure - low) / high * (HEIGHT - 4):.1f}"
        for place, figure in zip(places, figures, strict=True)
    ]
    line = " ".join(dots)
    over = sum(running is None or place < running for place, _ in points)
    parts = [f'<polyline points="{" ".join(dots[:over])}"/>'] if over > 1 else []
    if over < len(dots):
        parts.append(f'<polyline class="running" points="{" ".join(dots[max(0, over - 1) :])}"/>')
    return (
        f'<svg class="spark" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" aria-hidden="true">'
        f'<polygon points="0,{HEIGHT} {line} {WIDTH},{HEIGHT}"/>{"".join(parts)}</svg>'
    )


def _place(place: Any) -> float:
    return float(place.value) if hasattr(place, "value") else float(place)


LATE = ("sales", "revenue")  # of these the page Changes tells what was changed of a day after it was over
# These are asked together: tiles with one question share it.
KEY_FIGURES = ("sales", "revenue", "items_sold", "average_sale", "returns", "return_rate")


class KpiTile(Tile):
    """One figure of the whole period."""

    height = 140
    is_alike = True
    metric: ClassVar[str] = ""
    of_lines: ClassVar[str] = N_("of the matching lines alone")  # what it is of when lines are filtered, by product say

    def __init__(self, source: Workbench | Feed, filters: Filters | None = None) -> None:
        super().__init__(source, filters)
        self._has_links = is_served() and current_actor().may("admin")

    def fetch(self, moment: Moment) -> Answer[pd.DataFrame]:
        """One row: ``value``; of it ``so_far``, which is compared with ``before`` (None when nothing is); ``cut``,
        what in words that earlier period lacks; ``points``.

        A running period is compared up to the last full hour, on both sides. The points are those of the sparkline.
        """
        answer = self._asked(moment)
        so_far = answer if moment.so_far == moment.where else self._asked(moment, (), moment.so_far)
        before = None if moment.comparison is None else self._asked(moment, (), moment.comparison)
        by = _grain(moment)
        points = self._asked(moment, [by]).value
        course = tuple(zip(points[by].tolist(), points[self.metric].tolist(), strict=True))
        frame = pd.DataFrame(
            {
                "value": np.array([self._figure(answer)], object),
                "so_far": np.array([self._figure(so_far)], object),
                "before": np.array([None if before is None else self._figure(before)], object),
                "cut": [self._cut(moment)],
                "points": pd.Series([course], dtype=object),
            }
        )
        return answer.map(lambda _groups: frame)

    def asks(self, moment: Moment) -> Iterable[MetricQuery]:
        """The figure, and its points, of what is looked at and of what that is compared with."""
        metrics = KEY_FIGURES if self.metric in KEY_FIGURES else (self.metric,)
        for by in ((), (_grain(moment),)):
            yield MetricQuery(metrics, by, moment.where)
        yield MetricQuery(metrics, (), moment.so_far)
        if moment.comparison is not None:
            for by in ((), ("day",)):
                yield MetricQuery(metrics, by, moment.comparison)

    def for_file(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The figure, up to now, and that before; its course is the time line's."""
        return frame[["value", "so_far", "before"]]

    def _cut(self, moment: Moment) -> str:
        if moment.comparison is None:
            return ""
        return missing(moment.comparison, self._asked(moment, ["day"], moment.comparison).value["day"])

    def _asked(self, moment: Moment, by: Sequence[str] = (), where: Where | None = None) -> Answer[pd.DataFrame]:
        if self.metric in KEY_FIGURES:
            with suppress(MetricError):  # the row of another one in the definitions is wrong: this one is asked alone
                return moment.ask(KEY_FIGURES, by, where)
        return moment.ask((self.metric,), by, where)

    def _figure(self, answer: Answer[pd.DataFrame]) -> Any:
        return answer.value[self.metric].tolist()[0]

    def depends_on(self, moment: Moment) -> object:
        """What it is of and compared with, where it leads, and up to when: the last point may not be over."""
        return moment.filters.comparison, moment.so_far.before, moment.where.narrows_lines, self._address(moment)

    def draw(self, moment: Moment, frame: pd.DataFrame) -> None:
        """The figure, its change, its line."""
        self.card.fill(self.prepared(moment, frame))

    def prepare(self, moment: Moment, frame: pd.DataFrame) -> str:
        """The figure, its change and its course, as HTML."""
        row = frame.iloc[0]
        text = self._text(row.value)
        return (
            f'<div class="kpi"><p class="figure number">{self._linked(moment, theme.esc(text))}</p>'
            f"{self._part(moment, row)}{change_html(row.so_far, row.before, self._compared(moment), row.cut)}"
            f"{sparkline(row.points, running_place(moment.where, moment.now))}</div>"
        )

    def _text(self, value: Any) -> str:
        """The figure as its unit in the registry says."""
        if value is None:
            return theme.NOTHING
        match METRICS[self.metric].unit:
            case "money":
                return self.text(value)
            case "percent":
                return percent(value)
            case "ratio":
                return locale.number(value, 2)
            case _:
                return theme.count(int(value))

    def _part(self, moment: Moment, row: Any) -> str:
        """What of the sales a figure is of, when lines are told apart, and what else is to be said of it."""
        said = [*([_(self.of_lines)] if moment.where.narrows_lines else []), *self.said(row)]
        return f'<p class="change soft">{theme.esc("; ".join(said))}</p>' if said else ""

    def said(self, row: Any) -> list[str]:
        """What is to be said of the figure besides."""
        return []

    def _linked(self, moment: Moment, text: str) -> str:
        """The figure as a link to what has changed it after its days were over, where there is such a page."""
        address = self._address(moment)
        return f'<a href="{address}" title="{_("What was changed later")}">{text}</a>' if address else text

    def _address(self, moment: Moment) -> str:
        where = moment.where
        if self.metric not in LATE or not self._has_links or where.date_from is None or where.date_to is None:
            return ""
        store = f"&amp;store={where.stores[0]:d}" if len(where.stores) == 1 else ""
        others = "".join(f"&amp;narrowed={name}" for name in narrowed_by(where))
        return f"changes?first={where.date_from}&amp;last={where.date_to}{store}{others}"

    def _compared(self, moment: Moment) -> str:
        """``previous period, both until 14:00``; nothing when nothing is compared."""
        if moment.filters.comparison == "none":
            return ""
        compared, until = _(AGAINST[moment.filters.comparison]), until_words(moment.so_far.before)
        return _("{compared}, both {until}", compared=compared, until=until) if until else compared


class TotalTransactions(KpiTile):
    """How many sales, each counted once."""

    title, metric, of_lines = N_("Total Transactions"), "sales", N_("with a matching line")


class TotalRevenue(KpiTile):
    """What customers paid, after discount and returns; and how much these are."""

    title, metric = N_("Total Revenue"), "revenue"

    def fetch(self, moment: Moment) -> Answer[pd.DataFrame]:
        """With ``returns`` and ``return_rate`` of the whole period, unless the row of another figure is wrong."""
        asked = self._asked(moment).value
        returned = {name: asked.get(name, pd.Series([None])).tolist() for name in ("returns", "return_rate")}
        return super().fetch(moment).map(lambda frame: frame.assign(**returned))

    def for_file(self, frame: pd.DataFrame) -> pd.DataFrame:
        """As any tile, with a column ``returns``."""
        return super().for_file(frame).assign(returns=frame["returns"])

    def said(self, row: Any) -> list[str]:
        """How much was given back, and what share of the revenue before that."""
        if not row.returns:
            return []
        amount = self.text(row.returns)
        if row.return_rate is None:
            return [_("after {amount} of returns", amount=amount)]
        return [_("after {amount} of returns, {rate}", amount=amount, rate=percent(row.return_rate))]


class ItemsSold(KpiTile):
    """The sum of the lines' quantities."""

    title, metric = N_("Items Sold"), "items_sold"


class AvgTransaction(KpiTile):
    """Revenue for each sale."""

    title, metric = N_("Avg Transaction"), "average_sale"
    of_lines = N_("of the matching lines alone, for each sale with one")


def narrowed_by(where: Where) -> list[str]:
    """What a figure is narrowed by that the page Changes does not narrow by: all but days and one store."""
    times = ["hour"] if where.time_from is not None or where.time_to is not None else []
    found = dict.fromkeys([*times, *where.by_dimension])
    return [name for name in found if name != "store" or len(where.stores) > 1]


def _grain(moment: Moment) -> str:
    """What the points of a sparkline are: the hours of a single day, else days."""
    is_one_day = moment.where.date_from is not None and moment.where.date_from == moment.where.date_to
    return "hour" if is_one_day else "day"


def change(value: Any, before: Any) -> Decimal | None:
    """The change as a share of what was before, 0.12 for 12 % more; None when there was nothing before, or less."""
    if value is None or before is None or before <= 0:
        return None
    return (Decimal(value) - Decimal(before)) / Decimal(before)


def change_html(value: Any, before: Any, compared: str, cut: str = "") -> str:
    """The change in words, with an arrow: never by colour alone; and what the earlier period lacks (``cut``)."""
    ratio = change(value, before)
    if not compared:
        return f'<p class="change soft">{_("Not compared")}</p>'
    if ratio is None:
        return f'<p class="change soft">{theme.esc(_("Nothing to compare with ({compared})", compared=compared))}</p>'
    arrow, kind = ("▲", "up") if ratio > 0 else ("▼", "down") if ratio < 0 else ("=", "even")
    against = _("against {compared}, which has {cut}") if cut else _("against {compared}")
    return (
        f'<p class="change"><span class="{kind}">{arrow} {theme.percent(ratio, is_change=True)}</span>'
        f' <span class="soft">{theme.esc(against.format(compared=compared, cut=cut))}</span></p>'
    )
