"""Baskets: which products are bought in the same sale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any, Literal

import numpy as np
import pandas as pd
import sqlalchemy as sa

from workbench.errors import MetricError
from workbench.insights.pairs import Ints, Pairs, count_pairs
from workbench.insights.ratios import percent, ratio
from workbench.metrics import AnyWhere, Source, Where, ask, direct
from workbench.products import newest
from workbench.replication import Answer
from workbench.words import counted

Sort = Literal["lift", "sales_both"]
SORTS: tuple[Sort, ...] = ("lift", "sales_both")
MOST_SALES = 250_000  # about a second or two; a year of a large chain would run into the reader's time limit


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
    """``pairs`` are exact for ``sales`` sales from ``date_from`` on (None: from the first one).

    ``is_whole`` is False when the period has too many sales, so that only its newest days were counted: a page must
    show ``about``, which says so.
    """

    pairs: pd.DataFrame
    sales: int
    date_from: date | None
    is_whole: bool

    @property
    def about(self) -> str:
        """What was counted, in words: ``Of 81,204 sales.``"""
        if self.is_whole:
            return f"Of {counted(self.sales, 'sale')}."
        return (
            f"Of the {counted(self.sales, 'sale')} since {self.date_from:%Y-%m-%d} only: the period chosen has too many"
            " sales to count pairs in."
        )


def baskets(
    source: Source,
    where: AnyWhere = None,
    *,
    sort: Sort = "lift",
    limit: int = 20,
    minimum_sales: int = 10,
    minimum_support: Decimal = Decimal(0),
    most_sales: int = MOST_SALES,
) -> Answer[Baskets]:
    """The first ``limit`` pairs that ``minimum_sales`` sales, and ``minimum_support`` percent of them, have at least.

    One row per pair of product codes, ``product_a`` before ``product_b``; a sale counts a product once, however many
    lines it has of it:

    - ``sales_both``, ``sales_a``, ``sales_b`` (int): sales with both, with a, with b.
    - ``support``: percent of all sales that have both. ``confidence_ab``: percent of those with a that have b too;
      ``confidence_ba`` the other way.
    - ``lift``: how many times more often both are together than if they had nothing to do with each other; above 1 they
      go together.
    - ``name_a``, ``name_b``: of the product's newest line.

    Percents and lift are Decimal with two places, rounded half up; rows are sorted by the unrounded value, most first,
    then by sales_both or lift, then by code. All sales are those of ``where`` without its categories and products:
    these choose the pairs to give (one product of the pair has a matching line), as otherwise every sale would have it.

    More than ``most_sales`` sales are not counted: the newest whole days that fit are, at least one day, and the value
    says so. Raises MetricError for a bad sort or number, and ServerUnavailable.
    """
    if sort not in SORTS or limit < 1 or minimum_sales < 1 or not 0 <= minimum_support <= 100:
        raise MetricError(
            f"Pairs are sorted by one of {', '.join(SORTS)}; limit and minimum_sales are 1 or more, minimum_support is"
            " a percent from 0 to 100."
        )
    chosen = source.where(where)
    date_from = _first_day(source, replace(chosen, categories=(), products=()), most_sales)
    is_whole = date_from is None
    asked = chosen if date_from is None else replace(chosen, date_from=date_from)

    def work(connection: sa.Connection) -> Baskets:
        direct.one_moment(connection)
        ids = direct.sale_ids(connection, asked)
        sales, codes, lines = _lines(connection, asked, ids)
        at_least = max(minimum_sales, ceil(Fraction(minimum_support) * sales / 100))
        pairs = _matching(connection, asked, ids, codes, count_pairs(*lines, len(codes), at_least))
        best = _best(codes, pairs, sort)[:limit]
        return Baskets(_frame(connection, best, sales), sales, asked.date_from, is_whole)

    return source.reader.read(source.session, work, "baskets")


def _first_day(source: Source, where: Where, most_sales: int) -> date | None:
    """The first of the newest whole days that have ``most_sales`` in all; None when all days do."""
    daily = ask(source, ["sales"], by=["day"], where=where).value.iloc[::-1]
    days_that_fit = max(1, int((daily["sales"].cumsum() <= most_sales).sum()))
    return daily["day"].iloc[days_that_fit - 1].date() if days_that_fit < len(daily) else None


def _lines(
    connection: sa.Connection, where: Where, within: direct.Ids | None
) -> tuple[int, list[str], tuple[Ints, Ints]]:
    """How many sales there are, the codes of their products, and the lines: sale id, place of the code."""
    fact_sales, fact_lines = direct.TABLES["fact_sales"], direct.TABLES["fact_lines"]
    every = replace(where, categories=(), products=())
    counted = sa.select(sa.func.count()).select_from(fact_sales).where(*direct.matching(fact_sales, every))
    sales = int(connection.execute(counted).scalar_one())
    # One row a product, with the ids of its sales in one text: a fraction of the time that a row a line takes.
    ids = sa.func.string_agg(sa.cast(fact_lines.c.transaction_id, sa.Text), ",")
    query = sa.select(fact_lines.c.product_code, ids).where(*direct.matching(fact_lines, every, within))
    rows = connection.execute(query.group_by(fact_lines.c.product_code)).all()
    codes = sorted(row.product_code for row in rows)
    place = {code: number for number, code in enumerate(codes)}
    parts = [(np.fromstring(text, dtype=np.int64, sep=","), place[code]) for code, text in rows]
    if not parts:
        return sales, codes, (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    product = np.concatenate([np.full(len(part), number, dtype=np.int64) for part, number in parts])
    return sales, codes, (np.concatenate([part for part, _ in parts]), product)


def _matching(
    connection: sa.Connection, where: Where, ids: direct.Ids | None, codes: Sequence[str], pairs: Pairs
) -> Pairs:
    """The pairs with a product that has a line of the categories and products of ``where``."""
    if not where.narrows_lines:
        return pairs
    lines = direct.TABLES["fact_lines"]
    query = sa.select(lines.c.product_code).where(*direct.matching(lines, where, ids)).distinct()
    wanted = set(connection.execute(query).scalars())
    is_wanted = np.array([code in wanted for code in codes], dtype=bool)
    keep = is_wanted[pairs.first] | is_wanted[pairs.second]
    return Pairs(pairs.first[keep], pairs.second[keep], pairs.both[keep], pairs.having)


def _best(codes: Sequence[str], pairs: Pairs, sort: Sort) -> list[Pair]:
    """The pairs in the order asked; compared as fractions, as rounding would make neighbours equal."""
    columns = (pairs.first, pairs.second, pairs.both, pairs.having[pairs.first], pairs.having[pairs.second])
    found = [Pair(codes[a], codes[b], *counts) for a, b, *counts in zip(*(c.tolist() for c in columns), strict=True)]

    def place(pair: Pair) -> tuple[Any, ...]:
        lift = Fraction(pair.both, pair.sales_a * pair.sales_b)  # times all sales, which all pairs share
        values = (lift, pair.both) if sort == "lift" else (pair.both, lift)
        return (*(-value for value in values), pair.a, pair.b)

    return sorted(found, key=place)


def _frame(connection: sa.Connection, best: Sequence[Pair], sales: int) -> pd.DataFrame:
    names = newest(connection, sorted({code for pair in best for code in (pair.a, pair.b)}))
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
