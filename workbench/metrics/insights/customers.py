"""Customers: new, returning, and sales without a card; and baskets: which products are bought in the same sale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any, Literal

import pandas as pd
import sqlalchemy as sa

from workbench.database.replication import Answer
from workbench.errors import MetricError
from workbench.locale import _
from workbench.metrics import AnyWhere, Source, Where
from workbench.metrics.ask import days as day_column
from workbench.metrics.definitions import percent, ratio
from workbench.metrics.facts import FACT_LINES, FACT_SALES, FIRST_SALES, Facts, shown
from workbench.sales.products import newest
from workbench.words import counted

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


Sort = Literal["lift", "sales_both"]
SORTS: tuple[Sort, ...] = ("lift", "sales_both")


@dataclass(frozen=True)
class Pair:
    """Two product codes, and how many sales have both, and each."""

    a: str
    b: str
    both: int
    sales_a: int
    sales_b: int


@dataclass(frozen=True)
class Baskets:
    """``pairs`` are exact for ``sales`` sales."""

    pairs: pd.DataFrame
    sales: int

    @property
    def about(self) -> str:
        """What was counted, in words: ``Of 81,204 sales.``"""
        return _("Of {sales}.", sales=counted(self.sales, "sale"))


def baskets(
    source: Source,
    where: AnyWhere = None,
    *,
    sort: Sort = "lift",
    limit: int = 20,
    minimum_sales: int = 10,
    minimum_support: Decimal = Decimal(0),
) -> Answer[Baskets]:
    """The first ``limit`` pairs that ``minimum_sales`` sales, and ``minimum_support`` percent of them, have at least.

    One row per pair of product codes, ``product_a`` before ``product_b``; a sale counts a product once, however many
    lines it has of it, and a return is no sale:

    - ``sales_both``, ``sales_a``, ``sales_b`` (int): sales with both, with a, with b.
    - ``support``: percent of all sales that have both. ``confidence_ab``: percent of those with a that have b too;
      ``confidence_ba`` the other way.
    - ``lift``: how many times more often both are together than if they had nothing to do with each other; above 1 they
      go together.
    - ``name_a``, ``name_b``: of the product's newest line.

    Percents and lift are Decimal with two places, rounded half up; rows are sorted by the unrounded value, most first,
    then by sales_both or lift, then by code. All sales are those of ``where`` without its categories and products:
    these choose the pairs to give (one product of the pair has a matching line), as otherwise every sale would have it.

    Raises MetricError for a bad sort or number, and ServerUnavailable.
    """
    if sort not in SORTS or limit < 1 or minimum_sales < 1 or not 0 <= minimum_support <= 100:
        raise MetricError(
            f"Pairs are sorted by one of {', '.join(SORTS)}; limit and minimum_sales are 1 or more, minimum_support is"
            " a percent from 0 to 100."
        )
    asked = source.where(where)

    def work(facts: Facts) -> tuple[int, list[Pair]]:
        every = replace(asked, categories=(), products=())
        bought = (*facts.matching(FACT_SALES, every), ~FACT_SALES.c.is_return)
        counted = sa.select(sa.func.count()).select_from(FACT_SALES).where(*bought)
        sales = int(facts.execute(counted)[0][0])
        at_least = max(minimum_sales, ceil(Fraction(minimum_support) * sales / 100))
        return sales, [Pair(*row) for row in facts.execute(_pairs(facts, asked, at_least))]

    found = source.read(work, "baskets")
    sales, pairs = found.value
    best = _best(pairs, sort)[:limit]
    codes = sorted({code for pair in best for code in (pair.a, pair.b)})
    named = source.reader.read(source.read_position, lambda connection: newest(connection, codes), "product names")
    value = Baskets(_frame_of_pairs(named.value, best, sales), sales)
    return found.map(lambda _pairs: value)


def _pairs(facts: Facts, where: Where, at_least: int) -> sa.Select[Any]:
    """One row per pair that so many sales have: the codes, how many sales have both, and each."""
    every = [*facts.matching(FACT_LINES, replace(where, categories=(), products=())), ~FACT_LINES.c.is_return]
    line = sa.select(FACT_LINES.c.transaction_id, FACT_LINES.c.product_code).where(*every).distinct().cte("line")
    product = (
        sa.select(line.c.product_code, sa.func.count().label("sales")).group_by(line.c.product_code).cte("product")
    )
    a, b = line.alias("a"), line.alias("b")
    together = (a.c.transaction_id == b.c.transaction_id) & (a.c.product_code < b.c.product_code)
    pair = (
        sa.select(a.c.product_code.label("code_a"), b.c.product_code.label("code_b"), sa.func.count().label("both"))
        .select_from(a.join(b, together))
        .group_by(a.c.product_code, b.c.product_code)
        .having(sa.func.count() >= at_least)
        .cte("pair")
    )
    of_a, of_b = product.alias("of_a"), product.alias("of_b")
    joined = pair.join(of_a, of_a.c.product_code == pair.c.code_a).join(of_b, of_b.c.product_code == pair.c.code_b)
    query = sa.select(pair, of_a.c.sales, of_b.c.sales).select_from(joined)
    if where.narrows_lines:
        bought = (*facts.matching(FACT_LINES, where), ~FACT_LINES.c.is_return)
        wanted = sa.select(FACT_LINES.c.product_code).where(*bought).distinct()
        query = query.where(pair.c.code_a.in_(wanted) | pair.c.code_b.in_(wanted))
    return query


def _best(pairs: Sequence[Pair], sort: Sort) -> list[Pair]:
    """The pairs in the order asked; compared as fractions, as rounding would make neighbours equal."""

    def place(pair: Pair) -> tuple[Any, ...]:
        lift = Fraction(pair.both, pair.sales_a * pair.sales_b)  # times all sales, which all pairs share
        values = (lift, pair.both) if sort == "lift" else (pair.both, lift)
        return (*(-value for value in values), pair.a, pair.b)

    return sorted(pairs, key=place)


def _frame_of_pairs(names: Mapping[str, tuple[str, str | None]], best: Sequence[Pair], sales: int) -> pd.DataFrame:
    columns = {
        "product_a": [pair.a for pair in best],
        "name_a": [names[pair.a][0] for pair in best],
        "product_b": [pair.b for pair in best],
        "name_b": [names[pair.b][0] for pair in best],
        "sales_both": pd.Series([pair.both for pair in best], dtype="int64"),
        "sales_a": pd.Series([pair.sales_a for pair in best], dtype="int64"),
        "sales_b": pd.Series([pair.sales_b for pair in best], dtype="int64"),
        "support": [percent(pair.both, sales) for pair in best],
        "confidence_ab": [percent(pair.both, pair.sales_a) for pair in best],
        "confidence_ba": [percent(pair.both, pair.sales_b) for pair in best],
        "lift": [ratio(pair.both * sales, pair.sales_a * pair.sales_b) for pair in best],
    }
    return pd.DataFrame(columns)
