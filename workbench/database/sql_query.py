"""Ad-hoc reads: one query with bound parameters, as the reader, within a time and a number of rows."""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from itertools import islice
from numbers import Integral
from typing import Any, cast, get_args

import psycopg
import sqlalchemy as sa
from psycopg.types.string import TextLoader
from sqlalchemy.exc import DBAPIError, OperationalError

from workbench.database import sql_text
from workbench.database.deadline import READER_SECONDS, limited
from workbench.database.engines import Engines
from workbench.database.failures import SERVER_ERRORS, failure, in_words, is_missing, state_of
from workbench.database.positions import followers
from workbench.database.replication import NOTHING, EngineName, Reader, Session, Work
from workbench.database.sql_files import run_sql
from workbench.database.sql_text import literal
from workbench.database.typed_rows import typed_frame
from workbench.errors import QueryRefused
from workbench.words import unstorable

MOST_ROWS = 10_000
SECONDS = 30
WAIT_SECONDS = 5.0  # RisingWave shows changes a second later
# A cursor takes nothing but a query, and reads no more rows than are wanted. RisingWave gets the query alone.
DECLARE = "declare ad_hoc no scroll cursor for\n"
READS = ("select", "with", "values", "table")
WRITES = ("insert", "update", "delete", "merge", "truncate", "copy", "create", "alter", "drop", "grant", "revoke")
Rows = tuple[Sequence[Any], Sequence[Sequence[Any]]]  # the columns (name and type), and their values
# RisingWave shows to everybody how its source was made, the password of the master's role with it where that is no
# secret. Looked for in quotations too: what one takes for a quotation, the other reads.
_CATALOG = re.compile(r"\b(?:rw_|pg_)\w*|\binformation_schema\b|\bu&(?=[\"'])", re.IGNORECASE)
_AS_TEXT = ("uuid", "inet", "cidr")


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

    A value is text, a number, a day, a time (one with a zone is turned into the stores' clock), bytes, or a list of
    these (also an array, a Series, a set, a range) for ``in :name`` and ``any(:name)``; what pandas calls missing is
    null. A colon in quotes is a colon.

    Integers are int64 (Int64 with missing ones), numeric is float64 (or Decimal, to the last place, when ``exact``),
    days and times are datetime64, text is str or None. Beyond ``limit`` rows it is cut: a warning says so, and
    ``attrs["is_cut"]``. ``attrs`` also holds ``engine``, ``as_of`` (data time, UTC) and ``note``. The master is asked,
    and ``note`` says why, where the replica is away, stands still, ends the query to replay a change, or has not yet
    what was saved in ``session``. RisingWave is waited for, and ``note`` says when that was in vain.
    Raises QueryRefused, whose one line says what is wrong and where, and ServerUnavailable. An interrupt of the kernel
    ends the query at the server, too.
    """
    parameters, engines = parameters or {}, reader.engines
    _check(statement, parameters, limit, seconds)
    session = session or Session()
    if _checked_engine(engines, engine) == "risingwave":
        _refuse_catalog(statement)
        seconds = min(seconds, READER_SECONDS)  # its connections have that limit from the start
    clock = engines.settings.clock
    text = sql_text.filled(statement, {name: literal(name, value, clock) for name, value in parameters.items()})

    def work(connection: sa.Connection) -> Rows:
        """On a connection of its own beside the reader's, which has shown that the server may be asked."""
        connection.rollback()
        name, began = _name_of(engines, connection), time.monotonic()
        try:
            with engines.one_query(name, seconds) as own, limited(own.fileno(), seconds + 2.0):
                return _read(own, name, text, limit)
        except psycopg.Error as error:
            if isinstance(error.__context__, KeyboardInterrupt):  # RisingWave has another word for what was cancelled
                raise error.__context__ from None
            is_late = time.monotonic() - began >= seconds
            raise _refusal(error, seconds, _place(error, name, text, not parameters), is_late=is_late) from None

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


def _check_types(statement: object, parameters: object, limit: object, seconds: object) -> None:
    if not isinstance(statement, str):
        raise QueryRefused(f"The query is of the type {type(statement).__name__}: give it as text.")
    if not isinstance(parameters, Mapping):
        kind = type(parameters).__name__
        raise QueryRefused(f'The values are of the type {kind}: give them by name, such as {{"n": 10}} for :n.')
    if not (isinstance(limit, Integral) and isinstance(seconds, Integral)):
        raise QueryRefused("limit and seconds must be whole numbers.")


def _check(statement: str, parameters: Mapping[str, Any], limit: int, seconds: int) -> None:
    """Raises QueryRefused: these are the words, and what holds is that the server takes one statement."""
    _check_types(statement, parameters, limit, seconds)
    bare = sql_text.code(statement).strip().rstrip("; \t\r\n")
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
    texts = {"The query": statement} | {f"The value of :{name}": value for name, value in parameters.items()}
    for what, value in texts.items():
        if isinstance(value, str) and (letter := unstorable(value)):
            raise QueryRefused(f"{what} holds {letter}, which no database takes.")
    named = sql_text.names(statement)
    if missing := sorted(named - set(parameters)):
        raise QueryRefused(f"No value was given for :{missing[0]} (a colon of its own is written \\:).")
    if unknown := sorted(set(parameters) - named):
        raise QueryRefused(f"A value was given for :{unknown[0]}, which is not in the query.")


def _refuse_catalog(text: str) -> None:
    if found := _CATALOG.search(text):
        raise QueryRefused(
            f"{found[0]} is refused: RisingWave's catalogue also shows how its source was made, passwords included."
            " `workbench risingwave status` shows what there is; such a word as a value is given as a parameter."
        )


def _name_of(engines: Engines, connection: sa.Connection) -> EngineName:
    if connection.engine is engines.risingwave:
        return "risingwave"
    return "replica" if connection.engine is engines.replica else "master"


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
    except SERVER_ERRORS as error:
        raise in_words(engines.settings, "risingwave", error) from None


def _read(connection: psycopg.Connection[Any], name: EngineName, text: str, limit: int) -> Rows:
    """At most one row more than ``limit``.

    The text goes by the extended protocol, in which the server takes one statement: prepared, or streamed.
    """
    for kind in _AS_TEXT:
        connection.adapters.register_loader(kind, TextLoader)
    cursor = connection.cursor()
    if name == "risingwave":
        cursor.execute("begin read only")
        with closing(cast(Generator[Any], cursor.stream(text.encode()))) as streamed:
            rows = list(islice(streamed, limit + 1))
            columns = cursor.description
    else:
        cursor.execute((DECLARE + text).encode(), prepare=True)
        cursor.execute(f"fetch {limit + 1:d} from ad_hoc".encode())
        rows, columns = cursor.fetchall(), cursor.description
    return [(column.name, column.type_code) for column in columns or ()], rows


def _risingwave_as_of(connection: sa.Connection) -> datetime | None:
    try:
        return run_sql(connection, "queries/as_of").scalar()
    except DBAPIError as error:
        if not is_missing(error):
            raise
        return None  # `workbench risingwave apply` has not been run: the query may still ask something else


def _refusal(error: psycopg.Error, seconds: int, place: str, *, is_late: bool) -> Exception:
    """What is wrong with the query; else that the server had to end it, or has gone. The query is the asker's own."""
    seen = (OperationalError if isinstance(error, psycopg.OperationalError) else DBAPIError)("", None, error)
    kind, state = failure(seen), state_of(seen)
    said = " ".join((error.diag.message_primary or str(error)).split())
    if kind == "stopped" and "user request" in said:
        return QueryRefused("The query was cancelled.")
    if kind == "stopped" or (kind == "away" and is_late):
        return QueryRefused(f"The query was stopped: it took longer than {seconds} s. Ask for less, or give seconds=.")
    if kind in ("away", "busy", "replayed"):
        return seen
    if state in ("25006", "42501") or "data-modifying" in said:
        return QueryRefused(f"This only reads, and only what the reader may see: {said}.")
    if re.search("multiple commands|only one statement", said, re.IGNORECASE):
        return QueryRefused("One query at a time: the server found more than one statement in it.")
    hint = error.diag.message_hint or ""
    if state == "42P01":
        hint = "There are sales_transaction, sales_item, audit_log, heartbeat, and the metrics' views."
    return QueryRefused(f"{said}{place}. {hint}".strip())


def _place(error: psycopg.Error, name: EngineName, text: str, is_exact: bool) -> str:
    """Where in the query it is. Values are put in before it is sent, so beside them only the line is known."""
    if error.diag.statement_position is None:
        return ""
    at = int(error.diag.statement_position) - 1 - (0 if name == "risingwave" else len(DECLARE))
    before = text[: max(at, 0)]
    column = f", column {len(before) - before.rfind(chr(10))}" if is_exact else ""
    return f" (line {before.count(chr(10)) + 1}{column})"
