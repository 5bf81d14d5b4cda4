"""Reads of whole tables: more time than a page's query has, and COPY, which hands out rows faster than a cursor."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import psycopg2
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from workbench.files import Rows

READ_SECONDS = 600  # of many millions; a page's query has eight
_DUCKDB_TYPES: dict[type[Any], str] = {
    sa.BigInteger: "bigint",
    sa.Integer: "integer",
    sa.DateTime: "timestamp",
    sa.Text: "varchar",
    sa.Numeric: "decimal(12, 2)",
}


def one_moment(connection: sa.Connection) -> None:
    """What the connection reads from here on is of one snapshot."""
    connection.rollback()
    connection.exec_driver_sql("set transaction isolation level repeatable read, read only")


@contextmanager
def long_snapshot(connection: sa.Connection) -> Iterator[None]:
    """All that the block reads is of one moment, and it gets READ_SECONDS for it."""
    one_moment(connection)
    connection.exec_driver_sql(f"set local statement_timeout = '{READ_SECONDS}s'")
    guarded: Any = connection.connection.driver_connection
    usual, guarded.limit_seconds = guarded.limit_seconds, READ_SECONDS + 5.0
    try:
        yield
    finally:
        guarded.limit_seconds = usual


def copy_to_file(
    connection: sa.Connection, statement: sa.ClauseElement, path: Path, values: Mapping[str, Any] | None = None
) -> None:
    """Fills the file with the rows of the statement as CSV. Raises DBAPIError and OSError."""
    guarded: Any = connection.connection.driver_connection
    compiled = statement.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
    try:
        with guarded.limited(), guarded.cursor() as cursor, path.open("wb") as file:
            text = cursor.mogrify(f"copy ({compiled}) to stdout (format csv)", {**compiled.params, **(values or {})})
            cursor.copy_expert(text, file, size=1 << 20)
    except psycopg2.Error as error:  # went past SQLAlchemy, whose errors the Reader knows
        raise DBAPIError(str(compiled), None, error, connection_invalidated=bool(guarded.closed)) from error


@contextmanager
def copied(connection: sa.Connection, statement: sa.Select[Any]) -> Iterator[Rows]:
    """The rows of the statement, all of one moment, as DuckDB reads them from a file. Raises DBAPIError and OSError."""
    kinds = {column.name: _DUCKDB_TYPES[type(column.type)] for column in statement.selected_columns}
    with tempfile.TemporaryDirectory(prefix="workbench-rows-") as folder, duckdb.connect() as database:
        path = Path(folder) / "rows.csv"
        with long_snapshot(connection):
            copy_to_file(connection, statement, path)
        rows = database.read_csv(
            str(path),
            columns=kinds,
            header=False,
            auto_detect=False,
            delimiter=",",
            quotechar='"',
            escapechar='"',
            allow_quoted_nulls=False,
        )
        rows.create_view("copied")
        yield Rows(database, "from copied")
