"""The facts as the columns have them: DuckDB's tables, asked in one transaction of theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import duckdb
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.base import PGDialect

from workbench.files import Rows
from workbench.metrics.definitions import COLUMNS
from workbench.metrics.facts import (
    ARTICLE,
    FACT_LINES,
    FACT_SALES,
    Counted,
    Senseless,
    count_and_sum,
    line_conditions,
    sale_conditions,
)
from workbench.metrics.where import Where
from workbench.sales.products import several

ARTICLES = sa.table("articles", *map(sa.column, ("article", "product_code", "product_name", "category")))
SHARED_BIT = 127  # of the articles that have none of their own, as in sql/columns/take_sales.sql
LOW_BITS = 2**64 - 1

_DUCKDB = PGDialect(paramstyle="numeric_dollar")  # DuckDB takes PostgreSQL's SQL, with $1 for a value


class ColumnFacts:
    """The facts as the columns have them: those of one transaction."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self._cursor = cursor

    def execute(self, statement: sa.Select[Any]) -> Sequence[Sequence[Any]]:
        """As in ``Facts``. Raises FiguresUnavailable."""
        text, values = _compiled(statement)
        try:
            return self._cursor.execute(text, values).fetchall()
        except (duckdb.BinderException, duckdb.ParserException, duckdb.CatalogException) as error:
            raise Senseless(str(error).splitlines()[0]) from None

    def matching(self, table: sa.TableClause, where: Where) -> list[sa.ColumnElement[bool]]:
        """As in ``Facts``."""
        found = sale_conditions(table, where)
        if table is FACT_LINES:
            return found + line_conditions(table, where)
        if where.narrows_lines:
            wanted = self.execute(sa.select(ARTICLES.c.article).where(*line_conditions(ARTICLES, where)))
            found.append(_has_article(table, [article for (article,) in wanted]))
        return found

    def has_product(self, is_wanted: Callable[[str, str], bool]) -> sa.ColumnElement[bool]:
        """As in ``Facts``."""
        known = self.execute(sa.select(ARTICLES.c.article, ARTICLES.c.product_code, ARTICLES.c.product_name))
        return _has_article(FACT_SALES, [article for article, code, name in known if is_wanted(code, name)])

    def return_of(self) -> sa.ColumnElement[int | None]:
        """As in ``Facts``."""
        return sa.literal_column("fact_sales.return_of", sa.BigInteger)

    @cached_property
    def articles(self) -> Mapping[int, tuple[Any, ...]]:
        """As in ``Facts``."""
        found = sa.select(ARTICLES.c.article, *(ARTICLES.c[COLUMNS[name]] for name in ARTICLE))
        return {article: tuple(values) for article, *values in self.execute(found)}

    def product_names(self) -> dict[str, str]:
        """As in ``Facts``."""
        named = sa.select(ARTICLES.c.product_code, ARTICLES.c.product_name).distinct()
        pairs = [(code, name) for code, name in self.execute(named)]
        found = dict(pairs)
        if renamed := several(pairs):
            newest = sa.select(ARTICLES.c.product_code, sa.func.arg_max(ARTICLES.c.product_name, sa.column("item_id")))
            lines = FACT_LINES.join(ARTICLES, ARTICLES.c.article == sa.literal_column("fact_lines.article"))
            is_renamed = ARTICLES.c.product_code.in_(renamed)
            newest = newest.select_from(lines).where(is_renamed).group_by(ARTICLES.c.product_code)
            found.update((code, name) for code, name in self.execute(newest))
        return found

    def count(self, conditions: Sequence[sa.ColumnElement[bool]]) -> Counted:
        """As in ``Facts``; always exact."""
        ((counted, amount),) = self.execute(count_and_sum(FACT_SALES).where(*conditions))
        return Counted(counted, False, amount)

    @contextmanager
    def rows(self, statement: sa.Select[Any]) -> Iterator[Rows]:
        """As in ``Facts``."""
        yield Rows(self._cursor, *_compiled(statement))


def _compiled(statement: sa.Select[Any]) -> tuple[str, list[Any]]:
    compiled = statement.compile(dialect=_DUCKDB, compile_kwargs={"render_postcompile": True})
    return str(compiled), [compiled.params[name] for name in compiled.positiontup or ()]


def _has_article(table: sa.TableClause, articles: Sequence[int]) -> sa.ColumnElement[bool]:
    """That sales have a line of one of these: an article's bit says so, else the few lines of those that share one."""
    found: list[sa.ColumnElement[bool]] = [sa.false()]
    if bits := sum(1 << article for article in articles if article < SHARED_BIT):
        found.append(_has_bit(table, bits))
    if rare := [article for article in articles if article >= SHARED_BIT]:
        lines = sa.select(FACT_LINES.c.transaction_id).where(sa.column("article", sa.Integer).in_(rare))
        found.append(sa.and_(_has_bit(table, 1 << SHARED_BIT), table.c.transaction_id.in_(lines)))
    return sa.or_(*found)


class _Bits(sa.types.UserDefinedType[int]):
    def get_col_spec(self, **_: Any) -> str:
        return "ubigint"


def _has_bit(table: sa.TableClause, bits: int) -> sa.ColumnElement[bool]:
    """In two halves, which DuckDB compares in two thirds of the time that one number of 128 bits takes."""
    halves = {"articles_low": bits & LOW_BITS, "articles_high": bits >> 64}
    return sa.or_(
        *(
            sa.literal_column(f"{table.name}.{name}", _Bits()).bitwise_and(sa.cast(sa.literal(half, _Bits()), _Bits()))
            != sa.literal_column("0")
            for name, half in halves.items()
            if half
        )
    )
