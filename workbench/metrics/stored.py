"""Metrics summed in SQL over stored rollups: what RisingWave's materialized views hold, without the copy in memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd
import sqlalchemy as sa

from workbench.metrics import direct
from workbench.metrics.ask import frame_of, grain_of
from workbench.metrics.cube import Groups
from workbench.metrics.filters import Where, day_number
from workbench.metrics.registry import CENTS, DIMENSIONS, ROLLUPS, Measure, Metric, Rollup

Days = tuple[date | None, date | None]


def stored(
    connection: sa.Connection, metrics: Sequence[Metric], by: Sequence[str], days: Days = (None, None)
) -> pd.DataFrame:
    """As ``ask``, for those of the metrics that rollups give; without the others' columns.

    ``days`` are the first and the last one that count, None where it is open.
    """
    kept = [metric for metric in metrics if all(_rollup(measure, by) for measure in metric.measures)]
    measures = dict.fromkeys(measure for metric in kept for measure in metric.measures)
    if kept and by:  # every group that has a line, or a sale, gets its row, whatever else is asked
        measures["items" if any(DIMENSIONS[name].grain == "line" for name in by) else "sales"] = None
    groups: Groups = {}
    for measure in measures:
        rollup = _rollup(measure, by)
        if rollup is not None:
            for key, value in _sums(connection, rollup, measure, by, days).items():
                groups.setdefault(key, {})[measure] = value
    return frame_of(groups, kept, by)


def _rollup(measure: Measure, by: Sequence[str]) -> Rollup | None:
    """The first rollup that gives this measure; None when none does."""
    grain = grain_of(measure, by, Where())
    for rollup in ROLLUPS:
        if rollup.grain == grain and measure in rollup.measures and rollup.tells(by, ()):
            return rollup
    return None


def _sums(
    connection: sa.Connection, rollup: Rollup, measure: str, by: Sequence[str], days: Days
) -> dict[tuple[Any, ...], int]:
    column = "customer_id" if measure == "customers" else measure
    names = {column, "day", *(DIMENSIONS[name].column for name in by)}
    table = sa.table(rollup.name, *(sa.column(name) for name in sorted(names)))
    keys = [direct.group(table, name) for name in by]
    if measure == "customers":
        total: sa.ColumnElement[Any] = sa.func.count(sa.distinct(table.c[column]))
    else:
        total = sa.func.coalesce(sa.func.sum(table.c[column]), 0)
        total = sa.cast(total * 100 if measure in CENTS else total, sa.BigInteger)
    query = sa.select(*keys, total).select_from(table).group_by(*keys)
    if days[0] is not None:
        query = query.where(table.c.day >= days[0])
    if days[1] is not None:
        query = query.where(table.c.day <= days[1])
    rows = connection.execute(query)
    return {tuple(map(_plain, row[:-1])): int(row[-1]) for row in rows}


def _plain(value: Any) -> Any:
    return day_number(value) if isinstance(value, date) else value
