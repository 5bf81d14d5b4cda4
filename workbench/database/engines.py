"""connect(settings) -> Engines: the only place that makes engines, each signed in with the password that counts now."""

from __future__ import annotations

import math
import os
import select
import time
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import partial
from typing import Any, cast

import numpy as np
import psycopg
import psycopg2
import sqlalchemy as sa
from psycopg2.extensions import PYDATETIMETZ, AsIs, Float, new_array_type, new_type, register_adapter, register_type
from sqlalchemy.exc import InvalidatePoolError

from workbench.config import Server, Settings
from workbench.database.askers import RisingWaveConnection, RisingWaveQuery, ending
from workbench.database.deadline import (
    CONNECT_SECONDS,
    PING_SECONDS,
    READER_SECONDS,
    WRITER_SECONDS,
    GuardedConnection,
    seconds_left,
    without_variables,
)
from workbench.database.sql_files import WritingEngine

CHANGE_SECONDS = 2.0  # between the server's change and that of the file, or of the replica
LOOK_SECONDS = 0.05
REFUSED = "password authentication failed"  # there is no code for it: a connection that is not made has none


def signing_in(engine: sa.Engine, server: Server) -> sa.Engine:
    """The engine, whose connections are made without ``PG*`` variables and with the password as it is then."""

    def connect(dialect: Any, _record: Any, arguments: Any, named: dict[str, Any]) -> Any:
        end = time.monotonic() + CHANGE_SECONDS
        while True:
            try:
                with without_variables():
                    return dialect.connect(*arguments, **named | {"password": server.current_password()})
            except psycopg2.OperationalError as error:
                if not server.passwords_file or REFUSED not in str(error) or time.monotonic() > end:
                    raise
            time.sleep(LOOK_SECONDS)

    sa.event.listen(engine, "do_connect", connect)
    return engine


TIMES_WITH_ZONE, THEIR_ARRAY = 1184, 1185  # PostgreSQL's numbers of these types, which RisingWave shares
NO_FILE = os.path.join(os.devnull, "none")  # cannot be there
POOL_SECONDS = 5  # how long one waits for a free connection
# A connection is lost when the other machine, which is asked on it every second, says nothing for 3 s. A kernel answers
# however busy its server is; so does that of a pooler or of RisingWave, whom nobody can ask about a connection.
PROMPT = {"keepalives_idle": 1, "keepalives_interval": 1, "keepalives_count": 2, "tcp_user_timeout": 2500}
PATIENT = {"keepalives_idle": 30, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 5000}  # a load
WRITER_POOL_SECONDS = 2  # less: it is one step of a save that has a few seconds in all
SILENT_SECONDS = 3.0  # after these a writer's connection is asked first: by then PROMPT has ended it, were it lost


@dataclass(frozen=True)
class Engines:
    """An engine for each thing the program may do; making them connects to nothing.

    ``master`` writes, ``replica`` reads (None: there is none), ``master_reader`` reads from the master, ``owner``
    migrates and bulk loads, ``cdc`` is on the master as RisingWave will be, ``risingwave`` reads its materialized views
    and ``risingwave_owner`` builds them (None: not configured). ``settings`` is what they were made from.

    ``master``, ``cdc`` and ``risingwave`` commit each statement by itself, from the moment they connect. A connection
    must never be switched to that for a while: it is switched back when it is returned, which raises when the
    connection has died meanwhile, and then its place in the pool is lost (SQLAlchemy 2.1).
    """

    settings: Settings
    master: WritingEngine
    master_reader: sa.Engine
    replica: sa.Engine | None
    owner: WritingEngine
    cdc: sa.Engine
    risingwave: sa.Engine | None
    risingwave_owner: sa.Engine | None

    def one_query(self, name: str, seconds: int) -> psycopg.Connection[Any]:
        """A new connection for one query of a person's own, as the reader of ``master``, ``replica`` or ``risingwave``.

        Its driver can speak the protocol in which the server takes one statement and no more (docs/decisions/017). Its
        time zone is the stores'. Raises psycopg.Error.
        """
        server = {"replica": self.settings.replica, "risingwave": self.settings.risingwave}.get(name)
        address, zone = _address(server or self.settings.master_reader), self.settings.workbench_timezone
        with without_variables():
            if name == "risingwave":
                query = RisingWaveQuery.connect(**address, autocommit=True)
                _set_up_risingwave(query, min(seconds, READER_SECONDS), zone, psycopg.Error)
                query.end = ending(query, address, psycopg.Error)
                return query
            connection = psycopg.connect(**address)
        connection.read_only = True
        # In the transaction, not in the startup packet: a pooler would drop it there.
        limits = "select set_config('statement_timeout', %s, true), set_config('timezone', %s, true)"
        connection.execute(limits, [f"{seconds:d}s", zone])
        return connection

    def dispose(self) -> None:
        """Closes all pooled connections."""
        for made in fields(self):
            if isinstance(engine := getattr(self, made.name), sa.Engine):
                engine.dispose()


def connect(settings: Settings) -> Engines:
    """Engines for configured servers. Nothing connects before the first read or write."""
    _adapt_numpy()
    return Engines(
        settings=settings,
        master=cast(
            WritingEngine,
            _engine(
                settings.master,
                WRITER_SECONDS,
                _pool(WRITER_POOL_SECONDS),
                silent_seconds=SILENT_SECONDS,
                isolation_level="AUTOCOMMIT",
            ),
        ),
        master_reader=_engine(settings.master_reader, READER_SECONDS, _pool()),
        replica=_engine(settings.replica, READER_SECONDS, _pool()) if settings.replica else None,
        owner=cast(WritingEngine, _unpooled(settings.owner)),
        cdc=_unpooled(settings.cdc, isolation_level="AUTOCOMMIT"),
        risingwave=_risingwave_engine(settings.risingwave) if settings.risingwave else None,
        risingwave_owner=_risingwave_engine(settings.risingwave_owner) if settings.risingwave_owner else None,
    )


def _engine(
    server: Server, seconds: int, pool: dict[str, Any], *, silent_seconds: float = 0.0, **how: Any
) -> sa.Engine:
    arguments = {
        **_network(server),
        "connection_factory": GuardedConnection,
        "options": f"-c statement_timeout={seconds}s -c timezone=UTC",
    }
    return _watched(sa.create_engine(_url(server), **pool, **how, connect_args=arguments), server, silent_seconds)


def _pool(seconds: int = POOL_SECONDS) -> dict[str, Any]:
    return {
        "pool_size": 5,
        "max_overflow": 10,
        "pool_timeout": seconds,
        "pool_recycle": 1800,
        "hide_parameters": True,
    }


def _watched(engine: sa.Engine, server: Server, silent_seconds: float = 0.0) -> sa.Engine:
    """The pooled engine, whose connections are made within a time limit and looked at before they are used again.

    Those that were used within ``silent_seconds`` are looked at without asking (docs/decisions/027).
    """
    sa.event.listen(engine, "do_connect", _within_limit)
    sa.event.listen(engine, "connect", _is_fresh)
    sa.event.listen(engine, "connect", _read_times_in_utc)
    sa.event.listen(engine, "checkin", _is_returned)
    sa.event.listen(engine, "checkout", partial(_look_at, silent_seconds))
    return signing_in(engine, server)


def _unpooled(server: Server, **how: Any) -> sa.Engine:
    """No pool, no statement limit: for what runs seldom and takes the time it needs, such as a bulk load."""
    engine = sa.create_engine(
        _url(server),
        **how,
        poolclass=sa.NullPool,
        hide_parameters=True,
        connect_args={**_network(server), **PATIENT, "options": "-c lock_timeout=10s -c timezone=UTC"},
    )
    sa.event.listen(engine, "connect", _read_times_in_utc)
    return signing_in(engine, server)


def _risingwave_engine(server: Server) -> sa.Engine:
    """RisingWave speaks PostgreSQL's protocol, but knows no transactions that write and few session settings.

    Everything is autocommit, nothing is set in the startup packet, and no catalog is asked for types.
    """
    engine = sa.create_engine(
        _url(server),
        isolation_level="AUTOCOMMIT",
        use_native_hstore=False,
        **_pool(),
        execution_options={"has_copy": False},  # what reads in bulk asks for it
        connect_args={**_network(server), "connection_factory": RisingWaveConnection},
    )
    sa.event.listen(engine, "connect", partial(_limit_risingwave, _address(server)))
    return _watched(engine, server)


def _limit_risingwave(address: Mapping[str, Any], connection: Any, *_: Any) -> None:
    connection.autocommit = True
    _set_up_risingwave(connection, READER_SECONDS, "UTC", psycopg2.InternalError)
    connection.end = ending(connection, address, psycopg2.InternalError)


def _set_up_risingwave(connection: Any, seconds: int, zone: str, refusal: type[Exception]) -> None:
    """A limit for each statement. The unit is written: a bare number is ms since RisingWave 3.0, and was s before.

    RisingWave 2 knows no unit, and says so.
    """
    with connection.cursor() as cursor:
        try:
            cursor.execute(f"set statement_timeout = '{seconds}s'")
        except refusal:
            cursor.execute(f"set statement_timeout = '{seconds}'")
        cursor.execute(f"set time zone '{zone}'")


def _read_times_in_utc(connection: Any, *_: Any) -> None:
    """What is read is UTC, whatever the zone of the session is, in which times with a zone come.

    It need not be ours: PgBouncer drops the options of the startup packet, and hands on what somebody else has set.
    """
    moment = new_type((TIMES_WITH_ZONE,), "MOMENT", _utc)
    register_type(moment, connection)
    register_type(new_array_type((THEIR_ARRAY,), "MOMENTS", moment), connection)


def _utc(text: Any, cursor: Any) -> datetime | None:
    moment: datetime | None = PYDATETIMETZ(text, cursor)
    return None if moment is None else moment.astimezone(UTC)


def _url(server: Server) -> sa.URL:
    return sa.URL.create(
        "postgresql+psycopg2",
        username=server.user,
        host=server.host,
        port=server.port,
        database=server.name,
    )


def _address(server: Server) -> dict[str, Any]:
    """The same in the words of libpq."""
    return {
        "host": server.host,
        "port": server.port,
        "dbname": server.name,
        "user": server.user,
        "password": server.current_password(),
        **_network(server),
    }


def _network(server: Server) -> dict[str, Any]:
    return {
        **_encryption(server),
        "connect_timeout": CONNECT_SECONDS,
        "keepalives": 1,
        **PROMPT,
        "application_name": "workbench",
    }


def _encryption(server: Server) -> dict[str, str]:
    """All of it, so that no file below ~/.postgresql decides: a report's process has another home, and would connect
    where this one refuses. GSSAPI would take TLS's place, unasked.
    """
    files = {name: getattr(server, name) or NO_FILE for name in ("sslrootcert", "sslcert", "sslkey")}
    return {"sslmode": server.sslmode, "gssencmode": "disable", **files}


def _within_limit(_dialect: Any, _record: Any, _arguments: Any, parameters: dict[str, Any]) -> None:
    """libpq counts whole seconds, and takes 0 for no limit."""
    parameters["connect_timeout"] = max(int(min(CONNECT_SECONDS, seconds_left())), 1)


def _is_fresh(_connection: Any, record: Any) -> None:
    record.info["is_fresh"] = True


def _is_returned(_connection: Any, record: Any) -> None:
    record.info["returned_at"] = time.monotonic()


def _look_at(silent_seconds: float, connection: Any, record: Any, _fairy: Any) -> None:
    """Asks a pooled connection whether it is dead or hangs, unless it has just been made or used and is quiet.

    Were one that was just made refused too, SQLAlchemy would raise an error that is no DBAPIError.
    """
    is_fresh = record.info.pop("is_fresh", False)
    silent = time.monotonic() - record.info.get("returned_at", -math.inf)
    if not is_fresh and (silent >= silent_seconds or not _is_quiet(connection)):
        _ping(connection)


def _is_quiet(connection: Any) -> bool:
    """Whether nothing has come unasked: the end of a connection, or what the server said when it ended it."""
    if connection.closed:
        return False
    looked_at = select.poll()
    looked_at.register(connection.fileno(), select.POLLIN)
    return not looked_at.poll(0)


def _ping(connection: Any) -> None:
    """SQLAlchemy's own pre-ping has no time limit, so this one has; and it is one exchange, without a transaction."""
    usual = connection.limit_seconds, connection.autocommit
    connection.limit_seconds = PING_SECONDS
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("select 1")
        connection.limit_seconds, connection.autocommit = usual
    except psycopg2.Error as error:
        raise InvalidatePoolError from error


def _adapt_numpy() -> None:
    """psycopg2 would write np.float64(1.5) into the SQL: give it plain numbers."""
    for integer in (np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64):
        register_adapter(integer, _integer)
    for real in (np.float32, np.float64):
        register_adapter(real, _real)
    register_adapter(np.bool_, _integer)


def _integer(value: Any) -> AsIs:
    return AsIs(value.item())


def _real(value: Any) -> Float:
    return Float(value.item())
