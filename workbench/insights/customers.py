"""Customers: new, returning, and sales without a card."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pandas as pd
import sqlalchemy as sa

from workbench.insights.customer_kinds import Row, customer_kinds
from workbench.metrics import AnyWhere, Source, Where, current, direct
from workbench.metrics.frames import days as day_column
from workbench.replication import Answer

KINDS = ("new", "returning", "no card")
NOTHING = (0, 0, Decimal("0.00"))


def customers(source: Source, where: AnyWhere = None, *, by_day: bool = False) -> Answer[pd.DataFrame]:
    """Three rows in the order of KINDS; ``by_day`` three for each day that has a matching sale, sorted by day.

    - ``day`` (datetime64, only by day) and ``kind``: a customer is new when the first sale ever with that card is among
      the matching sales - of the day, when it is by day, so that one who comes back the next day is returning then.
      Others with a card are returning.
    - ``customers`` (int): different ones; always 0 without card, as nobody knows.
    - ``sales`` (int) and ``revenue`` (Decimal, cents): all of these customers' matching sales, each counted once; under
      a filter by category or product the revenue is that of the matching lines, as everywhere.

    New and returning customers add up to the metric ``customers``, and the new ones are its ``new_customers``.
    Raises ServerUnavailable.
    """
    asked, state = source.where(where), current(source)
    rows = None if state is None else customer_kinds(state, asked, by_day)
    if rows is not None and state is not None and state.as_of is not None:
        return Answer(_frame(rows, by_day), state.engine, state.as_of)

    def work(connection: sa.Connection) -> pd.DataFrame:
        ids = direct.sale_ids(connection, asked) if asked.narrows_lines else None
        return _frame([tuple(row) for row in connection.execute(_query(asked, by_day, ids))], by_day)

    return source.reader.read(source.session, work, "customers")


def _query(where: Where, by_day: bool, ids: direct.Ids | None) -> sa.Select[Any]:
    """One row per day number (or 0) and kind: customers, sales, revenue."""
    customer = _by_customer(where, by_day, ids).cte("customer")
    # Told apart once: the planner expects few customers, and would look for all first sales anew for each of them.
    newcomer = _newcomers(where, ids).cte("newcomer").prefix_with("materialized", dialect="postgresql")
    is_new = newcomer.c.customer_id == customer.c.customer_id
    if by_day:
        is_new &= newcomer.c.day == customer.c.day
    kind = sa.case(
        (customer.c.customer_id.is_(None), "no card"),
        (newcomer.c.customer_id.is_not(None), "new"),
        else_="returning",
    )
    told = sa.select(customer, kind.label("kind")).select_from(customer.outerjoin(newcomer, is_new)).cte("told")
    day = direct.shown(told.c.day) if by_day else sa.literal(0)
    sums = (sa.func.count(told.c.customer_id), sa.func.sum(told.c.sales), sa.func.sum(told.c.revenue))
    keys = (told.c.day, told.c.kind) if by_day else (told.c.kind,)
    return sa.select(day, told.c.kind, *sums).group_by(*keys)


def _newcomers(where: Where, ids: direct.Ids | None) -> sa.Select[Any]:
    """One row per customer whose first sale ever matches, with its day."""
    first = direct.TABLES["rollup_first_sales"]
    return sa.select(first.c.day, first.c.customer_id).where(*direct.matching(first, where, ids))


def _by_customer(where: Where, by_day: bool, ids: direct.Ids | None) -> sa.Select[Any]:
    """One row per customer (and day): sales, revenue of what matches. Grouped at once, before any join, by hash."""
    if where.narrows_lines:
        line = direct.TABLES["fact_lines"]
        keys = (line.c.transaction_id, line.c.day, line.c.customer_id)
        query = sa.select(*keys, sa.func.sum(line.c.revenue).label("revenue"))
        sale: sa.FromClause = query.where(*direct.matching(line, where, ids)).group_by(*keys).cte("sale")
        conditions: list[sa.ColumnElement[bool]] = []
    else:
        sale = direct.TABLES["fact_sales"]
        conditions = direct.matching(direct.TABLES["fact_sales"], where)
    group = (sale.c.day, sale.c.customer_id) if by_day else (sale.c.customer_id,)
    sums = (sa.func.count().label("sales"), sa.func.sum(sale.c.revenue).label("revenue"))
    return sa.select(*group, *sums).where(*conditions).group_by(*group)


def _frame(rows: Sequence[Row], by_day: bool) -> pd.DataFrame:
    found = {(day, kind): (int(count), int(sales), revenue) for day, kind, count, sales, revenue in rows}
    days = sorted({day for day, _ in found}) if by_day else [0]
    values = [(day, kind, *found.get((day, kind), NOTHING)) for day in days for kind in KINDS]
    columns: dict[str, Any] = {"day": day_column([row[0] for row in values])} if by_day else {}
    columns["kind"] = pd.Series([row[1] for row in values], dtype=object)
    for place, name in ((2, "customers"), (3, "sales")):
        columns[name] = pd.Series([row[place] for row in values], dtype="int64")
    columns["revenue"] = pd.Series([row[4] for row in values], dtype=object)
    return pd.DataFrame(columns)
