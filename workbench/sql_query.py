"""Ad-hoc reads: one query with bound parameters, as the reader, within a time and a number of rows."""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, get_args

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from workbench.deadline import READER_SECONDS, GuardedConnection
from workbench.engines import Engines
from workbench.errors import QueryRefused
from workbench.followers import followers
from workbench.outage import failure, in_words, state_of
from workbench.replication import NOTHING, EngineName, Reader, Session, Work
from workbench.risingwave.server import is_missing
from workbench.sql_files import read_sql
from workbench.typed_rows import typed_frame
from workbench.words import unstorable

MOST_ROWS = 10_000
SECONDS = 30
WAIT_SECONDS = 5.0  # RisingWave shows changes a second later
# A cursor takes nothing but a query, and reads no more rows than are wanted. RisingWave gets the query alone.
DECLARE = "declare ad_hoc no scroll cursor for\n"
READS = ("select", "with", "values", "table")
WRITES = ("insert", "update", "delete", "merge", "truncate", "copy", "create", "alter", "drop", "grant", "revoke")
Rows = tuple[Sequence[Any], Sequence[Sequence[Any]]]  # the columns (name and type), and their values
# Text, names and comments: what may hold a semicolon that ends nothing.
_QUOTED = re.compile(r"""'(?:[^']|'')*'|"[^"]*"|\$(\w*)\$.*?\$\1\$|--[^\n]*|/\*.*?\*/""", re.DOTALL)


class RowsCut(UserWarning):
    """There were more rows than were asked for."""


def query(
    reader: Reader,
    statement: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    engine: EngineName = "replica",
    limit: int = MOST_ROWS,
    seconds: int = SECONDS,
    session: Session | None = None,
    exact: bool = False,
) -> Any:
    """The rows of one query as a DataFrame; ``:name`` in it stands for ``parameters["name"]``.

    Integers are int64 (Int64 with missing ones), numeric is float64 (or Decimal, to the last place, when ``exact``),
    days and times are datetime64, text is str or None. Beyond ``limit`` rows it is cut: a warning says so, and
    ``attrs["is_cut"]``. ``attrs`` also holds ``engine``, ``as_of`` (data time, UTC) and ``note``. The master is asked,
    and ``note`` says why, where the replica is away, stands still, ends the query to replay a change, or has not yet
    what was saved in ``session``. RisingWave is waited for, and ``note`` says when that was in vain.
    Raises QueryRefused, whose one line says what is wrong and where, and ServerUnavailable.
    """
    text = _checked(statement, parameters or {}, limit, seconds)
    session = session or Session()
    if _checked_engine(reader.engines, engine) == "risingwave":
        seconds = min(seconds, READER_SECONDS)  # its connections have that limit from the start

    def work(connection: sa.Connection) -> Rows:
        began = time.monotonic()
        try:
            return _read(connection, engine, text, parameters or {}, limit, seconds)
        except DBAPIError as error:
            is_late = time.monotonic() - began >= seconds
            if (refusal := _refusal(error, seconds, is_late=is_late, is_exact=not parameters)) is None:
                raise
            raise refusal from None
        finally:
            connection.invalidate()  # what a query has set for its session must not reach the next one's

    if engine == "risingwave":
        (columns, rows), as_of, note = _of_risingwave(reader.engines, session, work)
    else:
        answer = reader.read(session, work, "sql") if engine == "replica" else reader.read_master(session, work, "sql")
        (columns, rows), engine, as_of, note = answer.value, answer.engine, answer.as_of, answer.note
    frame = typed_frame(columns, rows[:limit], exact=exact)
    frame.attrs = {"engine": engine, "as_of": as_of, "note": note, "is_cut": len(rows) > limit}
    if len(rows) > limit:
        said = f"There are more rows than {limit:,}, which were read. Give limit= for more."
        warnings.warn(said, RowsCut, stacklevel=3)
    return frame


def _checked(statement: str, parameters: Mapping[str, Any], limit: int, seconds: int) -> str:
    """The statement without its last semicolon. Raises QueryRefused."""
    text = statement.strip().rstrip(";").rstrip()
    bare = _QUOTED.sub(" ", text)
    first = re.match(r"[\s(]*(\w+)", bare)
    if first is None:
        raise QueryRefused("No SQL was given. A query begins with select, with, values or table.")
    word = first[1].lower()
    if word in WRITES:
        raise QueryRefused(f"{word.upper()} is refused: this only reads. Sales are changed by SalesManager.")
    if word not in READS:
        raise QueryRefused(f"A query begins with select, with, values or table; this begins with {word.upper()}.")
    if ";" in bare:
        raise QueryRefused("One query at a time: there is more after a semicolon.")
    if limit < 1 or not 1 <= seconds <= 3600:
        raise QueryRefused("limit must be at least 1, and seconds from 1 to 3600.")
    texts = {"The query": text} | {f"The value of :{name}": value for name, value in parameters.items()}
    for what, value in texts.items():
        if isinstance(value, str) and (letter := unstorable(value)):
            raise QueryRefused(f"{what} holds {letter}, which no database takes.")
    named = set(sa.text(text).compile().params)
    if missing := sorted(named - set(parameters)):
        raise QueryRefused(f"No value was given for :{missing[0]} (a colon of its own is written \\:).")
    if unknown := sorted(set(parameters) - named):
        raise QueryRefused(f"A value was given for :{unknown[0]}, which is not in the query.")
    return text


def _checked_engine(engines: Engines, name: EngineName) -> EngineName:
    if name not in get_args(EngineName):
        raise QueryRefused(f"There is no engine {name!r}: it is one of replica, risingwave, master.")
    if name == "risingwave" and engines.risingwave is None:
        raise QueryRefused("RisingWave is not configured: set RISINGWAVE_HOST, or ask engine='replica'.")
    return name


def _of_risingwave(engines: Engines, session: Session, work: Work[Rows]) -> tuple[Rows, datetime | None, str]:
    """Its rows, as of when, and a note when it has not what the session has written within a few seconds."""
    assert engines.risingwave is not None
    note = ""
    if session.token != NOTHING:
        follower = next(follower for follower in followers(engines) if follower.name == "risingwave")
        if session.token is None or not follower.wait(session.token, WAIT_SECONDS):
            note = "RisingWave is still behind what was just saved"
    try:
        with engines.risingwave.connect() as connection:
            as_of = _risingwave_as_of(connection)  # before the query: what it shows is at least this new
            return work(connection), as_of, note
    except (DBAPIError, PoolTimeout) as error:
        raise in_words(engines.settings, "risingwave", error) from None


def _read(
    connection: sa.Connection, name: EngineName, text: str, parameters: Mapping[str, Any], limit: int, seconds: int
) -> Rows:
    """At most one row more than ``limit``."""
    driver = connection.connection.driver_connection
    if isinstance(driver, GuardedConnection):
        driver.limit_seconds = seconds + 2.0  # the server's own limit comes first
    if name == "risingwave":
        connection.execute(sa.text("begin read only"))
        result = connection.execute(sa.text(text), dict(parameters))
    else:
        connection.execute(sa.text(f"set statement_timeout = '{seconds:d}s'"))
        connection.execute(sa.text(DECLARE + text), dict(parameters))
        result = connection.execute(sa.text(f"fetch {limit + 1:d} from ad_hoc"))
    assert result.cursor is not None
    columns = [(column[0], column[1]) for column in result.cursor.description]
    return columns, [tuple(row) for row in result.fetchmany(limit + 1)]


def _risingwave_as_of(connection: sa.Connection) -> datetime | None:
    try:
        return connection.execute(sa.text(read_sql("queries/as_of"))).scalar()
    except DBAPIError as error:
        if not is_missing(error):
            raise
        return None  # `workbench risingwave apply` has not been run: the query may still ask something else


def _refusal(error: DBAPIError, seconds: int, *, is_late: bool, is_exact: bool) -> QueryRefused | None:
    """What is wrong with the query; None when the server had to end it, or has gone. The query is the asker's own."""
    kind, diagnosis = failure(error), getattr(error.orig, "diag", None)
    said = " ".join((getattr(diagnosis, "message_primary", None) or str(error.orig)).split())
    if kind == "stopped" and "user request" in said:
        return QueryRefused("The query was cancelled.")
    if kind == "stopped" or (kind == "away" and is_late):
        return QueryRefused(f"The query was stopped: it took longer than {seconds} s. Ask for less, or give seconds=.")
    if kind in ("away", "busy", "replayed"):
        return None
    if state_of(error) in ("25006", "42501") or "data-modifying" in said:
        return QueryRefused(f"This only reads, and only what the reader may see: {said}.")
    hint = getattr(diagnosis, "message_hint", None) or ""
    if state_of(error) == "42P01":
        hint = "There are sales_transaction, sales_item, audit_log, heartbeat, and the metrics' views."
    return QueryRefused(f"{said}{_place(error, is_exact=is_exact)}. {hint}".strip())


def _place(error: DBAPIError, *, is_exact: bool) -> str:
    """Where in the query it is. Values are put in before it is sent, so beside them only the line is known."""
    position = getattr(getattr(error.orig, "diag", None), "statement_position", None)
    sent = getattr(getattr(error.orig, "cursor", None), "query", None)
    if position is None or sent is None:
        return ""
    before = sent.decode(errors="replace")[: int(position) - 1].removeprefix(DECLARE)
    column = f", column {len(before) - before.rfind(chr(10))}" if is_exact else ""
    return f" (line {before.count(chr(10)) + 1}{column})"
