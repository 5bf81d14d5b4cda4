"""Customers: new, returning, and sales without a card."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pandas as pd
import sqlalchemy as sa

from workbench.database.replication import Answer
from workbench.metrics import AnyWhere, Source, Where
from workbench.metrics.ask import days as day_column
from workbench.metrics.facts import FACT_LINES, FACT_SALES, FIRST_SALES, Facts, shown

KINDS = ("new", "returning", "no card")
NOTHING = (0, 0, Decimal("0.00"))


def customers(source: Source, where: AnyWhere = None, *, by_day: bool = False) -> Answer[pd.DataFrame]:
    """Three rows in the order of KINDS; ``by_day`` three for each day that has a matching sale, sorted by day.

    - ``day`` (datetime64, only by day) and ``kind``: a customer is new when the first sale ever with that card is among
      the matching sales - of the day, when it is by day, so that one who comes back the next day is returning then.
      Others with a card are returning.
    - ``customers`` (int): different ones who bought; always 0 without card, as nobody knows.
    - ``sales`` (int) and ``revenue`` (Decimal, cents): all of these customers' matching sales, each counted once, and
      net of what they returned; under a filter by category or product the revenue is that of the matching lines, as
      everywhere.

    New and returning customers add up to the metric ``customers``, and the new ones are its ``new_customers``.
    Raises ServerUnavailable.
    """
    asked = source.where(where)
    return source.read(lambda facts: _frame(facts.execute(_query(facts, asked, by_day)), by_day), "customers")


def _query(facts: Facts, where: Where, by_day: bool) -> sa.Select[Any]:
    """One row per day number (or 0) and kind: customers, sales, revenue."""
    customer = _by_customer(facts, where, by_day).cte("customer")
    newcomer = sa.select(FIRST_SALES.c.day, FIRST_SALES.c.customer_id).where(*facts.matching(FIRST_SALES, where))
    # Told apart once: PostgreSQL's planner expects few customers, and would look for all first sales for each of them.
    first = newcomer.cte("newcomer").prefix_with("materialized")
    is_new = first.c.customer_id == customer.c.customer_id
    if by_day:
        is_new &= first.c.day == customer.c.day
    kind = sa.case(
        (customer.c.customer_id.is_(None), "no card"),
        (first.c.customer_id.is_not(None), "new"),
        else_="returning",
    )
    visits = sa.select(customer, kind.label("kind")).select_from(customer.outerjoin(first, is_new)).cte("visits")
    day = shown(visits.c.day) if by_day else sa.literal(0)
    bought = sa.case((visits.c.sales > 0, visits.c.customer_id))
    sums = (sa.func.count(bought), sa.func.sum(visits.c.sales), sa.func.sum(visits.c.revenue))
    keys = (visits.c.day, visits.c.kind) if by_day else (visits.c.kind,)
    return sa.select(day, visits.c.kind, *sums).group_by(*keys)


def _by_customer(facts: Facts, where: Where, by_day: bool) -> sa.Select[Any]:
    """One row per customer (and day): sales, revenue of what matches. Grouped at once, before any join, by hash."""
    if where.narrows_lines:
        line = FACT_LINES.c
        keys = (line.transaction_id, line.day, line.customer_id, line.is_return)
        query = sa.select(*keys, sa.func.sum(line.revenue).label("revenue")).where(*facts.matching(FACT_LINES, where))
        sale: sa.FromClause = query.group_by(*keys).cte("sale")
        conditions: list[sa.ColumnElement[bool]] = []
    else:
        sale, conditions = FACT_SALES, facts.matching(FACT_SALES, where)
    group = (sale.c.day, sale.c.customer_id) if by_day else (sale.c.customer_id,)
    sums = (sa.func.count().filter(~sale.c.is_return).label("sales"), sa.func.sum(sale.c.revenue).label("revenue"))
    return sa.select(*group, *sums).where(*conditions).group_by(*group)


def _frame(rows: Sequence[Sequence[Any]], by_day: bool) -> pd.DataFrame:
    found = {(day, kind): (int(count), int(sales), revenue) for day, kind, count, sales, revenue in rows}
    days = sorted({day for day, _ in found}) if by_day else [0]
    values = [(day, kind, *found.get((day, kind), NOTHING)) for day in days for kind in KINDS]
    columns: dict[str, Any] = {"day": day_column([row[0] for row in values])} if by_day else {}
    columns["kind"] = pd.Series([row[1] for row in values], dtype=object)
    for place, name in ((2, "customers"), (3, "sales")):
        columns[name] = pd.Series([row[place] for row in values], dtype="int64")
    columns["revenue"] = pd.Series([row[4] for row in values], dtype=object)
    return pd.DataFrame(columns)
