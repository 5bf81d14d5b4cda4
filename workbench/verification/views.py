"""Whether each view of sql/metrics holds what the sales say: its rows beside the same ones, worked out another way.

A follower has the master's own views, so a wrong body is as wrong there: only this finds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from workbench.metrics.direct import TABLES
from workbench.metrics.registry import COLUMNS, ROLLUPS, Rollup
from workbench.sql_files import read_sql, sql_names

DAYS = 60  # compared by verify(): a body that is wrong is wrong on any day
Days = tuple[date, date]


@dataclass(frozen=True)
class ViewRows:
    """A view's rows on the days that were compared; ``differing`` counts those that one of the two alone has."""

    view: str
    rows: int
    differing: int


def view_names() -> list[str]:
    """The views of sql/metrics, by name."""
    return [name.rsplit("/", 1)[1] for name in sql_names("metrics")]


def newest_days(connection: sa.Connection) -> Days | None:
    """The last DAYS days with sales; None without any."""
    last = connection.execute(sa.select(sa.func.max(TABLES["fact_sales"].c.day))).scalar_one()
    return None if last is None else (last - timedelta(days=DAYS - 1), last)


def compared(connection: sa.Connection, view: str, days: Days) -> ViewRows:
    """The rows of one view on these days, first and last included. Raises DBAPIError."""
    names = [column["name"] for column in sa.inspect(connection).get_columns(view)]
    table = sa.table(view, *(sa.column(name) for name in names))
    found = sa.select(*(table.c[name] for name in names)).where(table.c.day.between(*days))
    rollup = next((rollup for rollup in ROLLUPS if rollup.name == view), None)
    if f"verification/{view}" in sql_names("verification"):
        plain = sa.text(read_sql(f"verification/{view}")).columns(*(sa.column(name) for name in names)).subquery()
        other = sa.select(*(plain.c[name] for name in names)).where(plain.c.day.between(*days))
    else:
        assert rollup is not None  # a view is a fact, which has a file, or a rollup
        other = _summed(rollup, names, days)
    apart = sa.union_all(
        sa.select(sa.except_all(found, other).subquery()), sa.select(sa.except_all(other, found).subquery())
    )
    rows = sa.select(sa.func.count()).select_from(found.subquery()).scalar_subquery()
    query = sa.select(rows, sa.func.count()).select_from(apart.subquery())
    return ViewRows(view, *connection.execute(query).one())


def _summed(rollup: Rollup, names: list[str], days: Days) -> sa.Select[Any]:
    """A rollup's rows, summed from the facts by its dimensions."""
    facts = TABLES["fact_lines" if rollup.grain == "line" else "fact_sales"]
    dimensions = [COLUMNS[name] for name in rollup.dimensions]
    chosen = [facts.c[name] if name in dimensions else _measure(facts, name).label(name) for name in names]
    rows = sa.select(*chosen).where(facts.c.day.between(*days)).group_by(*(facts.c[name] for name in dimensions))
    return rows.where(facts.c.customer_id.is_not(None)) if "customers" in rollup.measures else rows


def _measure(facts: sa.TableClause, name: str) -> sa.ColumnElement[Any]:
    """A measure of the facts, in the rollups' own units."""
    is_discounted = facts.c.discount > 0
    if name in ("sales", "card_sales"):
        return sa.func.count(sa.distinct(facts.c.transaction_id))
    if name == "lines":
        return sa.func.count(facts.c.transaction_id)
    if name == "discounted_lines":
        return sa.func.sum(sa.case((is_discounted, 1), else_=0))
    if name == "discounted_revenue":
        return sa.func.sum(sa.case((is_discounted, facts.c.revenue), else_=0))
    return sa.func.sum(facts.c["revenue" if name == "card_revenue" else name])
