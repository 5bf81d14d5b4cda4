"""Whole tables read by COPY, and what has changed since: found in the audit log, whatever the order of commits.

Transactions commit in another order than they write to the log, so "the rows after the last id" would miss some. Every
entry has its transaction's id instead. A snapshot's xmin is the id below which none is running any more; entries at or
above it are looked at again each time, but for the transactions that were seen already. That xmin is right on a standby
too, where the snapshot's list of running transactions is empty and must not be trusted.

Not found: changes made with triggers off (session_replication_role = replica) that leave no entry in the log.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import psycopg2
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from workbench.database.sql_files import run_sql
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


MOST_CHANGES = 20_000  # beyond it, reading everything anew costs less

Ids = tuple[int, int]  # the first and the last id of a range


@dataclass(frozen=True)
class Position:
    """How far the log has been followed, in which database: ``identity`` names it and its tables' files.

    What was seen is in the WAL up to ``lsn``.
    """

    horizon: int
    seen: frozenset[int]
    identity: str
    lsn: str


@dataclass(frozen=True)
class Changes:
    """What has to be read again: ``is_everything``, or these sales and those of these ranges of ids."""

    position: Position
    sales: tuple[int, ...] = ()
    loads: tuple[Ids, ...] = ()
    is_everything: bool = False


def replayed(connection: sa.Connection) -> str | None:
    """Up to where a replica has replayed the WAL, told before the snapshot of what is read next; None on the master.

    While it stands still nothing can have changed.
    """
    lsn: str | None = run_sql(connection, "queries/replayed").scalar_one()
    return lsn


def since(connection: sa.Connection, last: Position | None) -> Changes:
    """The changes that this transaction's snapshot shows and ``last`` did not; of None, everything."""
    seen = [] if last is None else [str(xid) for xid in last.seen]
    values = {"horizon": None if last is None else str(last.horizon), "seen": seen, "most": MOST_CHANGES}
    row = run_sql(connection, "queries/changes", values).one()
    now = Position(int(row.horizon), frozenset(map(int, row.seen)), row.identity, row.lsn)
    is_another = last is None or now.identity != last.identity or now.horizon < last.horizon
    if is_another or row.unknown or row.changes > MOST_CHANGES:
        return Changes(now, is_everything=True)
    return Changes(now, tuple(row.sales), tuple((first, last) for first, last in row.loads))
