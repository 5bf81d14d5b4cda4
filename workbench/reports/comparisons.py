"""Comparisons: the same metrics for several periods, side by side, with the change against each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pandas as pd

from workbench.filters.periods import missing
from workbench.metrics import METRICS, Where
from workbench.metrics.insights.ratios import percent
from workbench.reports.data import ReportData

Periods = Mapping[str, Where]  # the first is the one that the others are compared with; a name stands above its column


def comparability(data: ReportData, periods: Periods) -> dict[str, str]:
    """For each period whose figures are of fewer days than it has, a sentence that says so; none where all are whole.

    When the first period is cut (see ``filters.periods.missing``), nothing is comparable with it.
    """
    found = {
        name: missing(where, data.ask(["sales"], by=["day"], where=where)["day"]) for name, where in periods.items()
    }
    said = "what has changed since cannot be compared"
    return {name: f"{name} has {what}: {said}." for name, what in found.items() if what}


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
        _row("(none)" if key is None else key, {name: found[name].get(key) for name in periods}, cut) for key in keys
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
    heads = [key, now, *(head for name in others for head in (name, f"change since {name}, %"))]
    return pd.DataFrame(rows, columns=heads, dtype=object)
