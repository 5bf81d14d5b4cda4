"""Comparisons: the same metrics for several periods, side by side, with the change against each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pandas as pd

from workbench.insights.ratios import percent
from workbench.metrics import METRICS, Where
from workbench.reports.data import ReportData

Periods = Mapping[str, Where]  # the first is the one that the others are compared with; a name stands above its column


def compare(data: ReportData, metrics: Sequence[str], periods: Periods) -> pd.DataFrame:
    """One row per metric: its label, its value in each period, and for all but the first the change since, in percent.

    The change is None where there was nothing before. Raises MetricError and ServerUnavailable.
    """
    found = {name: data.ask(metrics, where=where).astype(object).iloc[0] for name, where in periods.items()}
    rows = [_row(METRICS[metric].label, {name: row[metric] for name, row in found.items()}) for metric in metrics]
    return _frame("metric", rows, periods)


def compare_by(data: ReportData, metric: str, dimension: str, periods: Periods) -> pd.DataFrame:
    """As ``compare`` for one metric, with one row for each value of a dimension that has a sale in any period."""
    found: dict[str, dict[Any, Any]] = {}
    for name, where in periods.items():
        frame = data.ask([metric], by=[dimension], where=where)
        found[name] = dict(zip(frame[dimension].tolist(), frame[metric].tolist(), strict=True))
    keys = sorted({key for values in found.values() for key in values}, key=lambda key: (key is None, key))
    rows = [_row("(none)" if key is None else key, {name: found[name].get(key) for name in periods}) for key in keys]
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


def _row(key: Any, values: Mapping[str, Any]) -> list[Any]:
    now, *others = values.values()
    row = [key, now]
    for value in others:
        is_known = now is not None and value is not None
        row += [value, percent(Decimal(now) - Decimal(value), Decimal(value)) if is_known else None]
    return row


def _frame(key: str, rows: list[list[Any]], periods: Periods) -> pd.DataFrame:
    now, *others = periods
    heads = [key, now, *(head for name in others for head in (name, f"change since {name}, %"))]
    return pd.DataFrame(rows, columns=heads, dtype=object)
