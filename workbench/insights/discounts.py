"""Discounts: how much is given, on how many lines, and what sells with and without."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pandas as pd
import sqlalchemy as sa

from workbench.insights.ratios import percent
from workbench.metrics import Source, Where, direct
from workbench.metrics.frames import key_columns, ordered
from workbench.metrics.registry import checked
from workbench.replication import Answer

COUNTS = ("lines", "discounted_lines")
COLUMNS = (
    "discount_given",
    "discount_rate",
    *COUNTS,
    "discounted_share",
    "revenue",
    "revenue_discounted",
    "revenue_undiscounted",
)


def discounts(source: Source, where: Where = Where(), *, by: Sequence[str] = ()) -> Answer[pd.DataFrame]:
    """One row for each group of ``by`` (dimensions of the metrics) with a matching line, sorted by ``by``, None last.

    One row when ``by`` is empty, of zeros when nothing matches. After the columns of ``by`` come COLUMNS:

    - ``discount_given`` (Decimal, cents) on the matching lines; ``discount_rate``: percent of the price before it.
    - ``lines`` and ``discounted_lines`` (int): all, and those with a discount; ``discounted_share``: percent of lines.
    - ``revenue`` (Decimal, cents), after discount; ``revenue_discounted`` is that of lines with a discount,
      ``revenue_undiscounted`` that of the others.

    Percents are Decimal with two places, rounded half up, None when the divisor is zero. Days are datetime64. Raises
    MetricError for an unknown dimension, and ServerUnavailable.
    """
    checked(["discount_given"], by)
    query = _query(where, by)

    def work(connection: sa.Connection) -> pd.DataFrame:
        return _frame([tuple(row) for row in connection.execute(query)], by)

    return source.reader.read(source.session, work, "discounts")


def _query(where: Where, by: Sequence[str]) -> sa.Select[Any]:
    table = direct.TABLES["fact_lines"]
    keys = [direct.group(table, name) for name in by]
    has_discount = table.c.discount > 0
    sums = (
        sa.func.sum(table.c.discount),
        sa.func.count(),
        sa.func.count().filter(has_discount),
        sa.func.sum(table.c.revenue),
        sa.func.sum(table.c.revenue).filter(has_discount),
    )
    query = sa.select(*map(direct.shown, keys), *sums).select_from(table).where(*direct.matching(table, where))
    return query.group_by(*keys)


def _frame(rows: list[tuple[Any, ...]], by: Sequence[str]) -> pd.DataFrame:
    found = {row[: len(by)]: _values(*row[len(by) :]) for row in rows}
    keys = ordered(found)
    columns = key_columns(keys, by)
    values = [found[key] for key in keys]
    for place, name in enumerate(COLUMNS):
        columns[name] = pd.Series([row[place] for row in values], dtype="int64" if name in COUNTS else object)
    return pd.DataFrame(columns)


def _values(
    discount: Decimal | None, lines: int, discounted: int, revenue: Decimal | None, of_discounted: Decimal | None
) -> tuple[Any, ...]:
    """The values of COLUMNS. A sum over no line is missing: it is zero."""
    given, paid, with_discount = (value or Decimal("0.00") for value in (discount, revenue, of_discounted))
    return (
        given,
        percent(given, given + paid),
        lines,
        discounted,
        percent(discounted, lines),
        paid,
        with_discount,
        paid - with_discount,
    )
