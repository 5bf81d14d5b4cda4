"""Discounts: how much is given, on how many lines, and what sells with and without."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pandas as pd

from workbench.database.replication import Answer
from workbench.metrics import AnyWhere, Source, sums
from workbench.metrics.ask import key_columns, ordered
from workbench.metrics.definitions import checked, percent

MEASURES = ("discount_given", "lines", "discounted_lines", "revenue", "discounted_revenue")
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


def discounts(source: Source, where: AnyWhere = None, *, by: Sequence[str] = ()) -> Answer[pd.DataFrame]:
    """One row for each group of ``by`` (dimensions of the metrics) with a matching line, sorted by ``by``, None last.

    One row when ``by`` is empty, of zeros when nothing matches. After the columns of ``by`` come COLUMNS:

    - ``discount_given`` (Decimal, cents) on the matching lines; ``discount_rate``: percent of the price before it.
    - ``lines`` and ``discounted_lines`` (int): all that were sold, and those with a discount; ``discounted_share``:
      percent of lines.
    - ``revenue`` (Decimal, cents), after discount; ``revenue_discounted`` is that of lines with a discount,
      ``revenue_undiscounted`` that of the others.

    Percents are Decimal with two places, rounded half up, None when the divisor is zero. Days are datetime64. Raises
    MetricError for an unknown dimension, and ServerUnavailable.
    """
    checked(["discount_given"], by)
    found = sums(source, MEASURES, by, source.where(where))
    groups = {
        key: values for key, values in found.value.items() if any(values.get(name) for name in MEASURES) or not by
    }
    keys = ordered(groups)
    columns = key_columns(keys, by)
    rows = [_values(*(groups[key].get(name, 0) for name in MEASURES)) for key in keys]
    for place, name in enumerate(COLUMNS):
        columns[name] = pd.Series([row[place] for row in rows], dtype="int64" if name in COUNTS else object)
    return found.map(lambda _groups: pd.DataFrame(columns))


def _values(discount: int, lines: int, discounted: int, revenue: int, of_discounted: int) -> tuple[Any, ...]:
    """The values of COLUMNS, of sums in cents."""
    given, paid, with_discount = (Decimal(cents).scaleb(-2) for cents in (discount, revenue, of_discounted))
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
