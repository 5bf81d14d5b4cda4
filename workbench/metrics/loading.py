"""Reads rows of rollups into memory: whole days at a time, newest first, then only the days that have changed."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, Literal

import pandas as pd
import psycopg2
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError

from workbench.metrics import direct
from workbench.metrics.cube import Cube
from workbench.metrics.filters import EPOCH
from workbench.metrics.registry import CENTS, COLUMNS, Rollup
from workbench.sql_files import read_sql

CHUNK_DAYS = 60  # read in one step, of a materialized view
FIRST_SALES = 100_000  # of the newest days, read in one step: less than a second, and at least a whole day
CHUNK_SALES = 300_000  # of those before: a few steps cost less than many
EARLIEST_DAY, LATEST_DAY = -2_500_000, 107_000_000  # day numbers around all that a timestamp holds
LOAD_SECONDS = 60.0

_TEXT = ("payment_method", "customer_type", "category", "categories", "product")
_QUICKER = ("work_mem = '128MB'", f"statement_timeout = '{LOAD_SECONDS:.0f}s'")


@contextmanager
def one_snapshot(connection: sa.Connection) -> Iterator[None]:
    """All that the block reads is of one moment; loads get more memory and time than a page's query."""
    direct.one_moment(connection)
    for setting in _QUICKER:
        connection.exec_driver_sql(f"set local {setting}")
    guarded = _driver(connection)
    usual, guarded.limit_seconds = guarded.limit_seconds, LOAD_SECONDS + 5
    try:
        yield
    finally:
        guarded.limit_seconds = usual


def days(connection: sa.Connection, rollup: Rollup, first: int, end: int) -> Cube:
    """The rows of the days from ``first`` up to, not including, ``end``."""
    _scan_tables(connection, "on")
    column = _table(rollup).c.day
    conditions = [] if first <= EARLIEST_DAY else [column >= _date(first)]
    return _fetch(connection, rollup, [*conditions, *_before(column, end)])


def keys(connection: sa.Connection, rollup: Rollup, changed: Sequence[int]) -> Cube:
    """The rows of these days, or of these customers, as the rollup's key says."""
    _scan_tables(connection, "off")  # there may be no statistics yet
    if rollup.key == "day":
        return _fetch(connection, rollup, [_table(rollup).c.day.in_([_date(day) for day in changed])])
    return _fetch(connection, rollup, [_table(rollup).c.customer_id.in_(changed)])


def chunk_before(connection: sa.Connection, rollup: Rollup, end: int) -> int:
    """The first day of the next chunk, which ends before ``end``; EARLIEST_DAY when it is the last one."""
    if not _has_copy(connection):
        return _days_before(connection, rollup, end)
    query, sales = sa.text(read_sql("queries/day_before")), FIRST_SALES if end == LATEST_DAY else CHUNK_SALES
    day = connection.execute(query, {"day": end, "sales": sales}).scalar_one_or_none()
    return EARLIEST_DAY if day is None else int(day)


def _days_before(connection: sa.Connection, rollup: Rollup, end: int) -> int:
    """The first of CHUNK_DAYS days of a materialized view, whose rows are there already and sorted by day."""
    day = _table(rollup).c.day
    newest = connection.execute(sa.select(sa.func.max(day) - _date(0)).where(*_before(day, end))).scalar_one_or_none()
    if newest is None:
        return EARLIEST_DAY
    first = int(newest) - CHUNK_DAYS
    is_last = connection.execute(sa.select(sa.func.min(day) - _date(0))).scalar_one() >= first
    return EARLIEST_DAY if is_last else first


def _fetch(connection: sa.Connection, rollup: Rollup, conditions: list[sa.ColumnElement[bool]]) -> Cube:
    """COPY hands out rows several times faster than a cursor, and pandas reads them without an object a value."""
    table = _table(rollup)
    columns: list[sa.ColumnElement[Any]] = [(table.c.day - _date(0)).label("day")]
    if rollup.key != "day":
        columns.append(table.c[rollup.key])
    for name in rollup.dimensions[1:]:
        column = table.c[COLUMNS[name]]
        # CSV cannot tell a missing text from an empty one: "=" marks one that is there.
        columns.append((sa.literal("=") + sa.cast(column, sa.Text) if name in _TEXT else column).label(name))
    for measure in _summed(rollup):
        column = table.c[measure]
        columns.append(sa.cast(column * 100 if measure in CENTS else column, sa.BigInteger).label(measure))
    read = _copy if _has_copy(connection) else _selected
    rows = read(connection, sa.select(*columns).where(*conditions), rollup)
    return Cube.of(rows, rollup.dimensions, _summed(rollup), rollup.key)


def _copy(connection: sa.Connection, query: sa.Select[Any], rollup: Rollup) -> pd.DataFrame:
    sql = query.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})
    buffer = io.BytesIO()
    statement, guarded = f"copy ({sql}) to stdout (format csv, header)", _driver(connection)
    try:
        with guarded.limited(), guarded.cursor() as cursor:
            cursor.copy_expert(statement, buffer)
    except psycopg2.Error as error:  # went past SQLAlchemy, whose errors the Reader knows
        raise DBAPIError(statement, None, error, connection_invalidated=bool(guarded.closed)) from error
    buffer.seek(0)
    texts = [name for name in rollup.dimensions if name in _TEXT]
    rows = pd.read_csv(buffer, dtype=dict.fromkeys(texts, "category"), keep_default_na=False, na_values=[""])
    for name in texts:
        rows[name] = rows[name].cat.rename_categories(lambda text: text[1:])
    return rows


def _selected(connection: sa.Connection, query: sa.Select[Any], rollup: Rollup) -> pd.DataFrame:
    """As ``_copy``, for RisingWave, which has no COPY to its clients."""
    sql = query.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})
    found = connection.execution_options(no_parameters=True).exec_driver_sql(str(sql))
    rows = pd.DataFrame(found.fetchall(), columns=list(found.keys()))
    for name in rollup.dimensions:
        if name in _TEXT:
            rows[name] = rows[name].str[1:].astype("category")
    return rows


def _has_copy(connection: sa.Connection) -> bool:
    """Whether the server hands out rows by COPY; where engines are made it is said which one does not."""
    return bool(connection.get_execution_options().get("has_copy", True))


def _scan_tables(connection: sa.Connection, is_allowed: Literal["on", "off"]) -> None:
    if _has_copy(connection):  # RisingWave does not plan that way
        connection.exec_driver_sql(f"set local enable_seqscan = {is_allowed}")


def _summed(rollup: Rollup) -> list[str]:
    """The measures that are columns; different customers are counted, not summed."""
    return [measure for measure in rollup.measures if measure != "customers"]


def _driver(connection: sa.Connection) -> Any:
    return connection.connection.driver_connection


@cache
def _table(rollup: Rollup) -> sa.TableClause:
    names = {COLUMNS[name] for name in rollup.dimensions} | {rollup.key, *_summed(rollup)}
    types: dict[str, Any] = {"day": sa.Date, "customer_id": sa.Integer}
    return sa.table(rollup.name, *(sa.column(name, types.get(name, sa.Numeric)) for name in sorted(names)))


def _before(column: sa.ColumnElement[Any], end: int) -> list[sa.ColumnElement[bool]]:
    """That a day is before ``end``; nothing before the latest one, as RisingWave's dates end with the year 262142."""
    return [] if end >= LATEST_DAY else [column < _date(end)]


def _date(day: int) -> sa.ColumnElement[Any]:
    """A day number as a date: in SQL, as Python has no days after the year 9999."""
    return sa.cast(sa.literal(EPOCH, sa.Date), sa.Date) + sa.literal(day, sa.Integer)
