"""ReportData: what a report's cells ask with, and the same metrics for several periods side by side."""

from __future__ import annotations

import calendar
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import pandas as pd

from workbench.catalogue.names import KIND_OF, KnownNames
from workbench.connection import Workbench
from workbench.database.replication import Answer
from workbench.errors import ReportError
from workbench.filters import words
from workbench.filters.periods import missing
from workbench.locale import N_, _
from workbench.metrics import DIMENSIONS, METRICS, AnyWhere, Source, Where, ask
from workbench.metrics.definitions import percent
from workbench.notebook import connect

T = TypeVar("T")


class ReportData:
    """Figures from the configured servers, or from ``workbench``, in its session: no answer is older than another.

    ``source`` is for the functions of workbench.metrics.insights; give what they return to ``value``.
    """

    def __init__(self, workbench: Workbench | None = None) -> None:
        self.workbench = workbench or connect()
        self.source = Source(self.workbench.reader, self.workbench.read_position)
        self._answers: list[Answer[Any]] = []
        self._known = KnownNames(self.workbench.reader)

    @property
    def currency(self) -> str:
        """What money is counted in."""
        return self.workbench.engines.settings.workbench_currency

    def ask(self, metrics: Sequence[str], by: Sequence[str] = (), where: AnyWhere = None) -> pd.DataFrame:
        """As metrics.ask: the metrics for each group of ``by``, sorted by it."""
        return self.answer(metrics, by, where).value

    def answer(self, metrics: Sequence[str], by: Sequence[str], where: AnyWhere) -> Answer[pd.DataFrame]:
        """As ``ask``, with who answered and as of when."""
        answer = ask(self.source, metrics, by=by, where=where)
        self.value(answer)
        return answer

    def named(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The frame with today's names in the place of stores, cashiers and products.

        Where the catalogue has any, those that it lacks are texts too; else the frame is as it was.
        """
        names = {column: self._known.now.of(column) for column in frame.columns if column in KIND_OF}
        texts = {column: [of.get(each, str(each)) for each in frame[column]] for column, of in names.items() if of}
        return frame.assign(**texts)

    def sold(self, where: Where) -> Where:
        """``where``, when some sale matches it. Raises ReportError: a report about nothing helps nobody."""
        if self.ask(["sales"], where=where)["sales"].iloc[0] == 0:
            days = words(where.date_from, where.date_to)
            narrowed = [self._in_words(name, values) for name, values in where.by_dimension.items()]
            what = ", ".join([days, *narrowed])
            raise ReportError(_("There is no sale in {what}. Give other parameters.", what=what))
        return where

    def _in_words(self, dimension: str, values: Sequence[Any]) -> str:
        names = self._known.now.of(dimension)
        texts = (f"{each} ({names[each]})" if each in names else str(each) for each in values)
        return f"{DIMENSIONS[dimension].noun if dimension in DIMENSIONS else dimension} {', '.join(texts)}"

    def value(self, answer: Answer[T]) -> T:
        """The value of an answer, whose engine and as-of are kept."""
        self._answers.append(Answer(None, answer.engine, answer.as_of, answer.note))
        return answer.value

    def answered(self) -> dict[str, str]:
        """``engine``: who was asked; ``as_of``: the oldest data time, ISO. Both empty when nothing was."""
        if not self._answers:
            return {"engine": "", "as_of": ""}
        engines = sorted({answer.engine for answer in self._answers}, reverse=True)
        return {"engine": " and ".join(engines), "as_of": min(answer.as_of for answer in self._answers).isoformat()}


def answered(names: Mapping[str, Any]) -> str:
    """What the ReportData among a notebook's variables says of its answers, as JSON."""
    found = [value for value in names.values() if isinstance(value, ReportData)]
    return json.dumps(found[0].answered() if found else {"engine": "", "as_of": ""})


def month_days(month: str, as_of: str) -> tuple[date, date]:
    """First and last day of a month, of which days after ``as_of`` are left out. Raises ReportError when all are."""
    first = date.fromisoformat(f"{month}-01")
    last = min(first.replace(day=calendar.monthrange(first.year, first.month)[1]), date.fromisoformat(as_of))
    if last < first:
        raise ReportError(
            _("The month {month} begins after as_of={as_of}: there is nothing to report yet.", month=month, as_of=as_of)
        )
    return first, last


def earlier_month(days: tuple[date, date], months: int) -> tuple[date, date]:
    """The same days of the month so many months before: all of it for a whole month, else as many days."""
    first, last = days
    number = first.year * 12 + first.month - 1 - months
    start = date(number // 12, number % 12 + 1, 1)
    end = start.replace(day=calendar.monthrange(start.year, start.month)[1])
    is_whole = (last + timedelta(days=1)).day == 1
    return start, end if is_whole else min(end, start.replace(day=min(last.day, end.day)))


def within(days: tuple[date, date], store_id: int | None = None) -> Where:
    """The filter for these days, of one store or of all."""
    return Where(date_from=days[0], date_to=days[1], stores=() if store_id is None else (store_id,))


Periods = Mapping[str, Where]  # the first is the one that the others are compared with; a name stands above its column


def comparability(data: ReportData, periods: Periods) -> dict[str, str]:
    """For each period whose figures are of fewer days than it has, a sentence that says so; none where all are whole.

    When the first period is cut (see ``filters.periods.missing``), nothing is comparable with it.
    """
    found = {
        name: missing(where, data.ask(["sales"], by=["day"], where=where)["day"]) for name, where in periods.items()
    }
    said = N_("{name} has {what}: what has changed since cannot be compared.")
    return {name: _(said, name=name, what=what) for name, what in found.items() if what}


def compare(data: ReportData, metrics: Sequence[str], periods: Periods, cut: Collection[str] = ()) -> pd.DataFrame:
    """One row per metric: its label, its value in each period, and for all but the first the change since, in percent.

    The change is None where there was nothing before, and where one of the two periods is among those that are ``cut``
    (see ``comparability``). Raises MetricError and ServerUnavailable.
    """
    found = {name: data.ask(metrics, where=where).astype(object).iloc[0] for name, where in periods.items()}
    rows = [_row(METRICS[name].label, {period: row[name] for period, row in found.items()}, cut) for name in metrics]
    return _frame("metric", rows, periods)


def compare_by(
    data: ReportData, metric: str, dimension: str, periods: Periods, cut: Collection[str] = ()
) -> pd.DataFrame:
    """As ``compare`` for one metric, with one row for each value of a dimension that has a sale in any period."""
    found: dict[str, dict[Any, Any]] = {}
    for name, where in periods.items():
        frame = data.ask([metric], by=[dimension], where=where)
        found[name] = dict(zip(frame[dimension].tolist(), frame[metric].tolist(), strict=True))
    keys = sorted({key for values in found.values() for key in values}, key=lambda key: (key is None, key))
    rows = [
        _row(_("(none)") if key is None else key, {name: found[name].get(key) for name in periods}, cut) for key in keys
    ]
    return _frame(dimension, rows, periods)


def days_of_months(data: ReportData, metric: str, periods: Periods) -> pd.DataFrame:
    """One row per day of the month (1 to 31) that any of the periods has, a column of ``metric`` for each of them."""
    columns = {}
    for name, where in periods.items():
        frame = data.ask([metric], by=["day"], where=where)
        columns[name] = pd.Series(frame[metric].tolist(), index=[day.day for day in frame["day"]], dtype=object)
    days = sorted({day for column in columns.values() for day in column.index})
    parts = {name: [column.get(day) for day in days] for name, column in columns.items()}
    return pd.DataFrame({"day": days} | parts, dtype=object)


def _row(key: Any, values: Mapping[str, Any], cut: Collection[str]) -> list[Any]:
    (name, now), *others = values.items()
    row = [key, now]
    for other, value in others:
        is_known = now is not None and value is not None and name not in cut and other not in cut
        row += [value, percent(Decimal(now) - Decimal(value), Decimal(value)) if is_known else None]
    return row


def _frame(key: str, rows: list[list[Any]], periods: Periods) -> pd.DataFrame:
    now, *others = periods
    heads = [key, now, *(head for name in others for head in (name, _("change since {name}, %", name=name)))]
    return pd.DataFrame(rows, columns=heads, dtype=object)
