"""ReportData: what a report's cells ask with. It keeps who answered and as of when."""

from __future__ import annotations

import calendar
import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, TypeVar

import pandas as pd

from workbench.connection import Workbench
from workbench.database.replication import Answer
from workbench.errors import ReportError
from workbench.filters import words
from workbench.metrics import AnyWhere, Source, Where, ask
from workbench.notebook import connect

T = TypeVar("T")


class ReportData:
    """Figures from the configured servers, or from ``workbench``, in its session: no answer is older than another.

    ``source`` is for the functions of workbench.metrics.insights; give what they return to ``value``.
    """

    def __init__(self, workbench: Workbench | None = None) -> None:
        self.workbench = workbench or connect()
        self.source = Source(self.workbench.reader, self.workbench.session)
        self._answers: list[Answer[Any]] = []

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

    def sold(self, where: Where) -> Where:
        """``where``, when some sale matches it. Raises ReportError: a report about nothing helps nobody."""
        if self.ask(["sales"], where=where)["sales"].iloc[0] == 0:
            days = words(where.date_from, where.date_to)
            narrowed = [f"{name} {', '.join(map(str, values))}" for name, values in where.by_dimension.items()]
            raise ReportError(f"There is no sale in {', '.join([days, *narrowed])}. Give other parameters.")
        return where

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
        raise ReportError(f"The month {month} begins after as_of={as_of}: there is nothing to report yet.")
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
