"""Baskets: which products are bought in the same sale."""

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
from workbench.metrics.definitions import percent, ratio
from workbench.metrics.facts import FACT_LINES, FACT_SALES, Facts
from workbench.sales.products import newest
from workbench.words import counted

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
    named = source.reader.read(source.session, lambda connection: newest(connection, codes), "product names")
    value = Baskets(_frame(named.value, best, sales), sales)
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


def _frame(names: Mapping[str, tuple[str, str | None]], best: Sequence[Pair], sales: int) -> pd.DataFrame:
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
