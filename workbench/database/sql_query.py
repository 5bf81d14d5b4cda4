"""Ad-hoc reads: one query with bound parameters, as the reader, within a time and a number of rows."""

from __future__ import annotations

import re
import warnings
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import partial
from itertools import islice
from numbers import Integral
from time import monotonic
from typing import Any, cast, get_args
from uuid import UUID

import numpy as np
import pandas as pd
import psycopg
import sqlalchemy as sa
from psycopg import sql
from psycopg.types.string import TextLoader
from sqlalchemy.exc import DBAPIError, OperationalError

from workbench import locale
from workbench.config.clock import StoreClock
from workbench.database.deadline import READER_SECONDS, limited
from workbench.database.engines import Engines
from workbench.database.failures import SERVER_ERRORS, failure, in_words, is_missing, state_of
from workbench.database.positions import followers
from workbench.database.replication import NOTHING, EngineName, Reader, ReadPosition, Work
from workbench.database.sql_files import run_sql, typed_frame
from workbench.errors import QueryRefused
from workbench.words import unstorable

# Where something begins that is not code: a comment, a text, a name in quotes. A dollar inside a name opens nothing.
_OPENS = re.compile(r"""--|/\*|(?<![\w$])[eE]'|['"]|(?<![\w$])\$(?:[^\W\d]\w*)?\$""")
_ENDS = {
    "--": re.compile(r"[^\n]*"),
    "'": re.compile(r"(?:[^']|'')*(?:'|$)"),
    '"': re.compile(r'(?:[^"]|"")*(?:"|$)'),
    "e'": re.compile(r"(?:[^'\\]|''|\\.)*(?:'|\\?$)", re.DOTALL),
}
_COMMENT = re.compile(r"/\*|\*/")
# :name, as what `in` looks through or elsewhere; not the second colon of a cast, nor one after a backslash.
_NAME = r"[^\W\d]\w*"
_PLACE = re.compile(
    rf"(?<!\w)(?P<not>not\s+)?in(?:\s*\(\s*:(?P<inside>{_NAME})\s*\)|\s+:(?P<after>{_NAME}))"
    rf"|(?<![:\w\\]):(?P<alone>{_NAME})",
    re.IGNORECASE,
)

Many = list[str]  # the elements of a list, each as SQL


def parts(text: str) -> Iterator[tuple[bool, str]]:
    """The text cut into what is code (True) and what is quoted or commented out; put together it is the text."""
    start = 0
    while found := _OPENS.search(text, start):
        yield True, text[start : found.start()]
        start = _end(text, found)
        yield False, text[found.start() : start]
    yield True, text[start:]


def code(text: str) -> str:
    """The text with a blank for everything that is quoted or commented out."""
    return "".join(part if is_code else " " for is_code, part in parts(text))


def names(text: str) -> set[str]:
    """The names of its parameters."""
    return {_name(found) for found in _PLACE.finditer(code(text))}


def filled(text: str, values: Mapping[str, str | Many]) -> str:
    """The text with each ``:name`` replaced by its value, which is SQL already; a list fits ``any`` and ``in``."""

    def fill(found: re.Match[str]) -> str:
        value = values[_name(found)]
        if isinstance(value, str) or found["alone"]:
            return found[0].replace(f":{_name(found)}", value if isinstance(value, str) else array(value))
        if value:
            return f"{found['not'] or ''}in ({', '.join(value)})"
        return f"<> all ({array(value)})" if found["not"] else f"= any ({array(value)})"  # in () would be an error

    return "".join(_PLACE.sub(fill, part).replace("\\:", ":") if is_code else part for is_code, part in parts(text))


def _name(found: re.Match[str]) -> str:
    return found["inside"] or found["after"] or found["alone"]


def array(elements: Many) -> str:
    """An array of these elements; one without any has the type that its place wants."""
    return f"array[{', '.join(elements)}]" if elements else "'{}'"


def _end(text: str, found: re.Match[str]) -> int:
    """Where what begins there is over; at the end of the text when nothing closes it."""
    opens = found[0].lower()
    if opens == "/*":
        return _end_of_comment(text, found.end())
    if opens.startswith("$"):
        closes = text.find(found[0], found.end())
        return len(text) if closes < 0 else closes + len(found[0])
    ends = _ENDS[opens].match(text, found.end())
    return ends.end() if ends else len(text)


def _end_of_comment(text: str, start: int) -> int:
    """Comments hold comments."""
    depth = 1
    while depth and (mark := _COMMENT.search(text, start)):
        depth += 1 if mark[0] == "/*" else -1
        start = mark.end()
    return start if not depth else len(text)


PLAIN = (str, bool, int, float, Decimal, date, time, timedelta, UUID, bytes)
ALLOWED = "text, a number, true or false, a day, a time, bytes, None, or a list of these"


def literal(name: str, value: Any, clock: StoreClock) -> str | Many:
    """``value`` as SQL, a list as the SQL of its elements. Missing values of pandas (NaN, NA, NaT) are null; a moment
    with a time zone becomes the time of the stores' clock, as ``transaction_time`` is.

    Raises QueryRefused, which names the parameter and says what is allowed.
    """
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes, bytearray, memoryview, Mapping)):
        if isinstance(value, pd.DataFrame):
            raise QueryRefused(f":{name} is a whole DataFrame; give one column of it.")
        if getattr(value, "ndim", 1) != 0:
            return [_element(name, each, clock) for each in value]
    plain = _plain(name, value, clock)
    if isinstance(plain, bytes):
        return f"'\\x{plain.hex()}'::bytea"
    try:
        return sql.Literal(plain).as_string()  # a negative number has a blank before it: a-:b is no comment
    except (psycopg.Error, UnicodeError, ValueError) as error:
        raise QueryRefused(f":{name} is refused: {' '.join(str(error).split())}.") from None


def _element(name: str, value: Any, clock: StoreClock) -> str:
    made = literal(name, value, clock)
    return array(made) if isinstance(made, list) else made


def _plain(name: str, value: Any, clock: StoreClock) -> Any:
    """The value as one of PLAIN, or None."""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, np.ndarray):  # one that holds a single value and has no dimension
        value = value[()]
    if value is None or value is pd.NA or value is pd.NaT or value != value:  # NaN of any kind is not itself
        return None
    if isinstance(value, np.datetime64 | np.timedelta64):
        value = _time(name, value)
    if isinstance(value, pd.Timestamp):
        value = value.to_pydatetime(warn=False)
    if isinstance(value, pd.Timedelta):
        value = value.to_pytimedelta()
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bytearray | memoryview):
        value = bytes(value)
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = clock.wall(value)
    if not isinstance(value, PLAIN):
        raise QueryRefused(f":{name} is of the type {type(value).__name__}; allowed are {ALLOWED}.")
    return value


def _time(name: str, value: np.datetime64 | np.timedelta64) -> Any:
    """As Python has it: a day as a date. Python knows the years 1 to 9999."""
    found = value.astype("datetime64[us]" if isinstance(value, np.datetime64) else "timedelta64[us]").item()
    if not isinstance(found, datetime | timedelta):
        raise QueryRefused(f":{name} is {value}; allowed are the years 1 to 9999.")
    return found.date() if isinstance(found, datetime) and np.datetime_data(value.dtype)[0] == "D" else found


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
    read_position: ReadPosition | None = None,
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
    what was saved in ``read_position``. RisingWave is waited for, and ``note`` says when that was in vain.
    Raises QueryRefused, whose one line says what is wrong and where, and ServerUnavailable. An interrupt of the kernel
    ends the query at the server, too.
    """
    parameters, engines = parameters or {}, reader.engines
    _check(statement, parameters, limit, seconds)
    read_position = read_position or ReadPosition()
    if _checked_engine(engines, engine) == "risingwave":
        _refuse_catalog(statement)
        seconds = min(seconds, READER_SECONDS)  # its connections have that limit from the start
    clock = engines.settings.clock
    text = filled(statement, {name: literal(name, value, clock) for name, value in parameters.items()})
    work = partial(_asked, engines, text, limit, seconds, as_typed=not parameters)
    if engine == "risingwave":
        (columns, rows), as_of, note = _of_risingwave(reader.engines, read_position, work)
    else:
        answer = (
            reader.read(read_position, work, "sql")
            if engine == "replica"
            else reader.read_master(read_position, work, "sql")
        )
        (columns, rows), engine, as_of, note = answer.value, answer.engine, answer.as_of, answer.note
    frame = typed_frame(columns, rows[:limit], exact=exact)
    frame.attrs = {"engine": engine, "as_of": as_of, "note": note, "is_cut": len(rows) > limit}
    if len(rows) > limit:
        said = f"There are more rows than {locale.number(limit)}, which were read. Give limit= for more."
        warnings.warn(said, RowsCut, stacklevel=3)
    return frame


def _asked(engines: Engines, text: str, limit: int, seconds: int, connection: sa.Connection, *, as_typed: bool) -> Rows:
    """The rows, on a connection of its own beside the reader's, which has shown that the server may be asked."""
    connection.rollback()
    name, began = _name_of(engines, connection), monotonic()
    try:
        with engines.one_query(name, seconds) as own, limited(own.fileno(), seconds + 2.0):
            return _read(own, name, text, limit)
    except psycopg.Error as error:
        if isinstance(error.__context__, KeyboardInterrupt):  # RisingWave has another word for what was cancelled
            raise error.__context__ from None
        is_late = monotonic() - began >= seconds
        raise _refusal(error, seconds, _place(error, name, text, as_typed), is_late=is_late) from None


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
    bare = code(statement).strip().rstrip("; \t\r\n")
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
    named = names(statement)
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


def _of_risingwave(
    engines: Engines, read_position: ReadPosition, work: Work[Rows]
) -> tuple[Rows, datetime | None, str]:
    """Its rows, as of when, and a note when it has not what the session has written within a few seconds."""
    assert engines.risingwave is not None
    note = ""
    if read_position.token != NOTHING:
        follower = next(follower for follower in followers(engines) if follower.name == "risingwave")
        if read_position.token is None or not follower.wait(read_position.token, WAIT_SECONDS):
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
