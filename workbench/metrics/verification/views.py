"""Whether each view of facts and figures holds what the sales say: its rows beside the same, worked out another way.

A follower has the master's own views, so a wrong body is as wrong there: only this finds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from workbench.database.sql_files import read_sql, sql_names
from workbench.metrics.definitions import COLUMNS
from workbench.metrics.facts import FACT_SALES, TABLES
from workbench.metrics.views import VIEWS, View

DAYS = 60  # compared by verify(): a body that is wrong is wrong on any day
Days = tuple[date, date]


@dataclass(frozen=True)
class ViewRows:
    """A view's rows on the days that were compared; ``differing`` counts those that one of the two alone has."""

    view: str
    rows: int
    differing: int


def view_names() -> list[str]:
    """The views of facts and figures, by name."""
    return [*(table.name for table in TABLES.values()), *(view.name for view in VIEWS)]


def newest_days(connection: sa.Connection) -> Days | None:
    """The last DAYS days with sales; None without any."""
    last = connection.execute(sa.select(sa.func.max(FACT_SALES.c.day))).scalar_one()
    return None if last is None else (last - timedelta(days=DAYS - 1), last)


def compared(connection: sa.Connection, view: str, days: Days) -> ViewRows:
    """The rows of one view on these days, first and last included. Raises DBAPIError."""
    names = [column["name"] for column in sa.inspect(connection).get_columns(view)]
    table = sa.table(view, *(sa.column(name) for name in names))
    found = sa.select(*(table.c[name] for name in names)).where(table.c.day.between(*days))
    if f"verification/{view}" in sql_names("verification"):
        plain = sa.text(read_sql(f"verification/{view}")).columns(*(sa.column(name) for name in names)).subquery()
        other = sa.select(*(plain.c[name] for name in names)).where(plain.c.day.between(*days))
    else:
        other = _summed(next(known for known in VIEWS if known.name == view), names, days)
    apart = sa.union_all(
        sa.select(sa.except_all(found, other).subquery()), sa.select(sa.except_all(other, found).subquery())
    )
    rows = sa.select(sa.func.count()).select_from(found.subquery()).scalar_subquery()
    query = sa.select(rows, sa.func.count()).select_from(apart.subquery())
    return ViewRows(view, *connection.execute(query).one())


def _summed(view: View, names: list[str], days: Days) -> sa.Select[Any]:
    """A view's rows, summed from the facts by its dimensions."""
    facts = TABLES[view.grain]
    dimensions = [COLUMNS[name] for name in view.dimensions]
    chosen = [facts.c[name] if name in dimensions else _measure(facts, name).label(name) for name in names]
    return sa.select(*chosen).where(facts.c.day.between(*days)).group_by(*(facts.c[name] for name in dimensions))


def _measure(facts: sa.TableClause, name: str) -> sa.ColumnElement[Any]:
    """A measure of the facts, said in another way than its definition says it."""
    if name == "new_customers":
        return sa.func.count(sa.distinct(facts.c.transaction_id))
    if name == "sales":
        return sa.func.count(sa.distinct(sa.case((facts.c.revenue + facts.c.discount >= 0, facts.c.transaction_id))))
    if name == "lines":
        return sa.func.count(sa.case((facts.c.revenue + facts.c.discount >= 0, facts.c.transaction_id)))
    if name == "returns":
        return -sa.func.sum(sa.case((facts.c.revenue + facts.c.discount < 0, facts.c.revenue)))
    if name == "discounted_lines":
        return sa.func.sum(sa.case((facts.c.discount > 0, 1), else_=0))
    if name == "discounted_revenue":
        return sa.func.sum(sa.case((facts.c.discount > 0, facts.c.revenue), (facts.c.discount < 0, facts.c.revenue)))
    return sa.func.sum(facts.c[{"items_sold": "items", "discount_given": "discount"}.get(name, name)])
