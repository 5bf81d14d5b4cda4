"""Asks the database: what no rollup gives exactly, or has not loaded yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from workbench.metrics.cube import Groups
from workbench.metrics.filters import EPOCH, Where
from workbench.metrics.registry import CENTS, COLUMNS, SPANS
from workbench.sql_files import read_sql

Ids = tuple[int, int]
MOST_DAYS = 100  # beyond it the ids are nearly all, and finding them costs as much as they save

_HEADER = (
    sa.column("transaction_id", sa.BigInteger),
    sa.column("transaction_time", sa.DateTime),
    sa.column("day", sa.Date),
    sa.column("hour", sa.Integer),
    sa.column("store_id", sa.Integer),
    sa.column("cashier_id", sa.Integer),
    sa.column("payment_method", sa.Text),
    sa.column("customer_type", sa.Text),
    sa.column("customer_id", sa.Integer),
)
_MONEY = (sa.column("revenue", sa.Numeric), sa.column("discount", sa.Numeric))
_LINE = (sa.column("category", sa.Text), sa.column("product_code", sa.Text))


def _columns(*groups: tuple[sa.ColumnClause[Any], ...]) -> list[sa.ColumnClause[Any]]:
    return [sa.column(column.name, column.type) for group in groups for column in group]


TABLES = {
    "fact_sales": sa.table("fact_sales", *_columns(_HEADER, _MONEY)),
    "fact_lines": sa.table("fact_lines", *_columns(_HEADER, _MONEY, _LINE), sa.column("items", sa.Integer)),
    "rollup_first_sales": sa.table("rollup_first_sales", *_columns(_HEADER)),
}
_ITEMS = sa.table("sales_item", sa.column("transaction_id", sa.BigInteger), *_columns(_LINE))


def one_moment(connection: sa.Connection) -> None:
    """What the connection reads from here on is of one snapshot."""
    connection.rollback()
    connection.exec_driver_sql("set transaction isolation level repeatable read, read only")


def sums(connection: sa.Connection, grains: Mapping[str, str], by: Sequence[str], where: Where) -> Groups:
    """The measures (each with the grain that it is summed at) for each group that has a row; money in cents."""
    asked: dict[tuple[str, bool], list[str]] = {}
    for measure, grain in grains.items():
        asked.setdefault((_table_of(measure, grain), measure == "customers"), []).append(measure)
    reads_lines = where.narrows_lines or any(name == "fact_lines" for name, _ in asked)
    ids = sale_ids(connection, where) if reads_lines else None
    if len(asked) > 1 and ids is None:
        one_moment(connection)
    groups: Groups = {}
    for (name, _), measures in asked.items():
        for key, values in _table_sums(connection, TABLES[name], measures, by, where, ids).items():
            groups.setdefault(key, {}).update(values)
    return groups


def sale_ids(connection: sa.Connection, where: Where) -> Ids | None:
    """Between which ids the sales of these days are; None when the days are many, or open, or have no sale, and when
    the sales of one customer are looked for: those are found at once.

    Lines have no day. Where ids follow time this keeps the planner from reading all of them; where they do not it costs
    little. What the connection reads from here on is of one snapshot: else a new sale might be beyond the ids.
    """
    if where.customer_id is not None or where.date_from is None or where.date_to is None:
        return None
    if (where.date_to - where.date_from).days >= MOST_DAYS:
        return None
    one_moment(connection)
    days = {"first": where.date_from, "last": where.date_to}
    row = connection.execute(sa.text(read_sql("queries/sale_ids")), days).one()
    return None if row.first_id is None else (row.first_id, row.last_id)


def _table_of(measure: str, grain: str) -> str:
    if measure == "new_customers":
        return "rollup_first_sales"
    return "fact_lines" if grain == "line" else "fact_sales"


def _table_sums(
    connection: sa.Connection,
    table: sa.TableClause,
    measures: list[str],
    by: Sequence[str],
    where: Where,
    ids: Ids | None,
) -> Groups:
    keys: list[sa.ColumnElement[Any]] = [group(table, dimension).label(dimension) for dimension in by]
    conditions = matching(table, where, ids)
    if measures == ["customers"]:
        # Distinct rows first: PostgreSQL hashes those, in parallel, where it would sort for count(distinct).
        pairs = sa.select(*keys, table.c.customer_id).where(*conditions, table.c.customer_id.is_not(None)).distinct()
        rows = pairs.subquery()
        keys = [rows.c[dimension] for dimension in by]
        query = sa.select(*map(shown, keys), sa.func.count()).select_from(rows)
    else:
        query = sa.select(*map(shown, keys), *(_measure(table, measure) for measure in measures)).where(*conditions)
        query = query.select_from(table)
    found = connection.execute(query.group_by(*keys))
    return {tuple(row[: len(by)]): dict(zip(measures, row[len(by) :], strict=True)) for row in found}


def _measure(table: sa.TableClause, measure: str) -> sa.ColumnElement[Any]:
    if measure in ("sales", "new_customers", "lines"):
        return sa.func.count()
    if measure == "discounted_lines":
        return sa.func.count().filter(table.c.discount > 0)
    summed: sa.ColumnElement[Any]
    if measure == "discounted_revenue":
        summed = sa.func.sum(table.c.revenue).filter(table.c.discount > 0)
    else:
        summed = sa.func.sum(table.c[measure])
    total = sa.func.coalesce(summed, 0)
    return sa.cast(total * 100 if measure in CENTS else total, sa.BigInteger)


def group(table: sa.TableClause, name: str) -> sa.ColumnElement[Any]:
    """What a dimension is grouped by: the day itself, as the planner cannot tell how many numbers of days there are."""
    column = table.c[COLUMNS[name]]
    if name in SPANS:  # of a time without a zone: the session's is not asked
        return sa.cast(sa.func.date_trunc(name, sa.cast(column, sa.DateTime)), sa.Date)
    return sa.cast(sa.extract("isodow", column), sa.Integer) if name == "weekday" else column


def shown(key: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """What of a group is fetched: a day's number, as Python has no days after the year 9999."""
    return key - sa.literal(EPOCH, sa.Date) if isinstance(key.type, sa.Date) else key


def matching(table: sa.TableClause, where: Where, ids: Ids | None = None) -> list[sa.ColumnElement[bool]]:
    """The conditions of ``where`` on one of TABLES; of a table of sales, that they have a line that matches.

    ``ids`` are those of sale_ids, for the same ``where``.
    """
    found: list[sa.ColumnElement[bool]] = []
    if where.date_from is not None:
        found.append(table.c.day >= where.date_from)
    if where.date_to is not None:
        found.append(table.c.day <= where.date_to)
    clock = sa.cast(table.c.transaction_time, sa.Time)
    if where.time_from is not None:
        found.append(clock >= where.time_from)
    if where.time_to is not None:
        found.append(clock < where.time_to)
    if where.before is not None:
        found += [table.c.day <= where.before.date(), table.c.transaction_time < where.before]
    of_lines = {"category": where.categories, "product": where.products}
    for name, values in where.by_dimension.items():
        if name not in of_lines:
            found.append(group(table, name).in_(values))
    return found + _line_conditions(table, {name: values for name, values in of_lines.items() if values}, ids)


def _line_conditions(
    table: sa.TableClause, narrowed: dict[str, tuple[Any, ...]], ids: Ids | None
) -> list[sa.ColumnElement[bool]]:
    """Of lines: that they match. Of sales: that they have a line that does."""
    lines = table if "category" in table.c else _ITEMS
    if not narrowed and lines is not table:
        return []
    found = [_among(lines.c[COLUMNS[name]], values) for name, values in narrowed.items()]
    if ids is not None:
        found.append(lines.c.transaction_id.between(*ids))
    if lines is table:
        return found
    return [sa.exists().where(lines.c.transaction_id == table.c.transaction_id, *found)]


def _among(column: sa.ColumnElement[Any], values: tuple[Any, ...]) -> sa.ColumnElement[bool]:
    """``in`` that knows None."""
    known = column.in_([value for value in values if value is not None])
    return sa.or_(known, column.is_(None)) if None in values else known
