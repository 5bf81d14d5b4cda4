"""Reads that see one's own writes: LSN tokens, waiting for the replica, and the master as the fallback."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Literal, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from workbench import telemetry
from workbench.engines import READER_SECONDS, Engines, is_disconnect
from workbench.errors import ServerUnavailable
from workbench.outage import unavailable
from workbench.sql_files import read_sql

T = TypeVar("T")
Work = Callable[[sa.Connection], T]
EngineName = Literal["master", "replica", "risingwave"]

WAIT_SECONDS = 0.05
POLL_SECONDS = 0.001
RETRY_REPLICA_SECONDS = 2.0
STALE_SECONDS = 30.0
NOTHING = "0/0"  # before the first position


@dataclass
class Session:
    """What one browser session or notebook has written and seen: reads never go back behind ``token``.

    ``token`` is an LSN; None means that the position is unknown, so that the master must answer.
    """

    token: str | None = NOTHING


@dataclass(frozen=True)
class Answer(Generic[T]):
    """A value with who answered and as of when (data time); ``note`` says why it was not the replica."""

    value: T
    engine: EngineName
    as_of: datetime
    note: str = ""


@dataclass
class Reader:
    """Sends reads to the replica, or to the master when the replica is behind the session, stale or away.

    One for each process: it remembers for two seconds that the replica did not answer. A replica whose slot was lost
    answers with old rows and says nothing, so one that is STALE_SECONDS behind ``last_beat_at`` is not asked.
    """

    engines: Engines
    last_beat_at: datetime | None = None  # the master's newest heartbeat, as far as this process knows
    _skip_until: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, session: Session, work: Work[T], what: str = "other") -> Answer[T]:
        """Runs ``work`` in a read-only transaction. Raises ServerUnavailable when neither server answers.

        ``work`` may be called twice (a replica may go away in the middle), so it must only read. ``what`` is the name
        that its time is counted under: one of few, never a value.
        """
        note = "no replica is configured"
        if self.engines.replica is not None:
            began = time.perf_counter()
            answer, note = self._ask_replica(session, work)
            if answer is not None:
                telemetry.queried("replica", what, time.perf_counter() - began)
                return answer
        return self._ask_master(session, work, what, note)

    def read_master(self, session: Session, work: Work[T], what: str = "other") -> Answer[T]:
        """As ``read``, but always from the master: for what is about to be edited."""
        return self._ask_master(session, work, what, "")

    def _ask_replica(self, session: Session, work: Work[T]) -> tuple[Answer[T] | None, str]:
        assert self.engines.replica is not None
        if session.token is None:
            return None, "the replica's position is unknown"
        if time.monotonic() < self._skip_until:
            return None, "the replica does not answer"
        try:
            with self.engines.replica.connect() as connection:
                as_of, note = _wait(connection, session.token)
                if as_of is None:
                    return None, note
                if self.last_beat_at and (self.last_beat_at - as_of).total_seconds() > STALE_SECONDS:
                    return None, f"the replica stands still at {self.engines.settings.clock.text(as_of)}"
                return Answer(work(connection), "replica", as_of), ""
        except PoolTimeout:
            return None, "the replica is busy"
        except DBAPIError as error:
            if is_conflict_with_recovery(error):
                return None, "the replica had to replay a change of the tables"
            if not is_disconnect(error):
                raise _too_slow(error) from error
            with self._lock:
                self._skip_until = time.monotonic() + RETRY_REPLICA_SECONDS
            return None, "the replica does not answer"

    def _ask_master(self, session: Session, work: Work[T], what: str, note: str) -> Answer[T]:
        began = time.perf_counter()
        try:
            with self.engines.master_reader.connect() as connection:
                position = connection.execute(sa.text(read_sql("queries/insert_position"))).one()
                value = work(connection)
        except PoolTimeout:
            raise ServerUnavailable("The master is busy: all its connections are in use. Try again.") from None
        except DBAPIError as error:
            if not is_disconnect(error):
                raise _too_slow(error) from error
            raise unavailable(self.engines.settings, "master", error) from error
        session.token = _later(session.token, position.lsn)
        telemetry.queried("master", what, time.perf_counter() - began)
        return Answer(value, "master", position.as_of, note)


def _wait(connection: sa.Connection, token: str) -> tuple[datetime | None, str]:
    end = time.monotonic() + WAIT_SECONDS
    while True:
        row = connection.execute(sa.text(read_sql("queries/has_replayed")), {"token": token}).one()
        connection.rollback()  # the next statement must take a newer snapshot
        if row.has_replayed:
            return row.as_of, ""
        if time.monotonic() >= end:
            return None, "the replica is still behind what was just saved"
        time.sleep(POLL_SECONDS)


def is_conflict_with_recovery(error: DBAPIError) -> bool:
    """True when the replica cancelled a query because replay needed what it was reading."""
    return getattr(error.orig, "pgcode", None) == "40001"


def _too_slow(error: DBAPIError) -> Exception:
    """A query that the statement timeout ended, in words; any other error as it is."""
    if getattr(error.orig, "pgcode", None) != "57014":
        return error
    return ServerUnavailable(f"The query took longer than {READER_SECONDS} s and was stopped. Ask for fewer days.")


def _later(token: str | None, lsn: str) -> str:
    return lsn if token is None or lsn_number(lsn) > lsn_number(token) else token


def lsn_number(lsn: str) -> int:
    """An LSN as the number of bytes from the beginning of the WAL: ``16/B374D848`` -> 0x16B374D848."""
    high, low = lsn.split("/")
    return (int(high, 16) << 32) + int(low, 16)
