"""Whether the replica may be asked: it answers, and it does not stand still."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from workbench.database.deadline import PING_SECONDS, time_limit
from workbench.database.failures import SERVER_ERRORS
from workbench.database.sql_files import run_sql

RETRY_SECONDS = 2.0
SUSPECT_SECONDS = 0.5  # so long nobody waits for a connection to a replica that is well
STALE_SECONDS = 30.0
KNOWN_SECONDS = 1.0


class Pulse:
    """Whether a server answers, for all threads of a process.

    Once it did not, nobody waits for it again: a thread beside asks it every two seconds, as long as there are reads
    that it is missed for. While one read waits for its connection longer than usual, the others do not join in.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[object, float] = {}
        self._probe_at: float | None = None  # None: it is well; infinity: it is being probed

    def is_there(self, engine: sa.Engine) -> bool:
        """False when it has not answered lately; begins a probe when one is due, and does not wait for it."""
        with self._lock:
            now = time.monotonic()
            if self._probe_at is None:
                return all(now - began <= SUSPECT_SECONDS for began in self._waiting.values())
            if now >= self._probe_at:
                self._probe_at = math.inf
                threading.Thread(target=self._probe, args=(engine,), name="replica-probe", daemon=True).start()
            return False

    def connected(self, engine: sa.Engine) -> sa.Connection:
        """A connection; while it is waited for, the others see for how long."""
        with self._wait():
            return engine.connect()

    def failed(self) -> None:
        """Takes down that it did not answer just now."""
        with self._lock:
            self._probe_at = time.monotonic() + RETRY_SECONDS

    @contextmanager
    def _wait(self) -> Iterator[None]:
        wait = object()
        with self._lock:
            self._waiting[wait] = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                del self._waiting[wait]

    def _probe(self, engine: sa.Engine) -> None:
        try:
            with time_limit(PING_SECONDS), engine.connect():
                pass
        except SERVER_ERRORS:
            self.failed()
        else:
            with self._lock:
                self._probe_at = None


@dataclass(frozen=True)
class Newest:
    """What the master had at the moment ``at`` of its clock: the position of all commits, and its last heartbeat."""

    lsn: str
    beat_at: datetime | None
    at: datetime

    @property
    def is_beaten(self) -> bool:
        """Whether a workbench somewhere renews the heartbeat, so that a follower's heartbeat tells its age."""
        return self.beat_at is not None and (self.at - self.beat_at).total_seconds() <= STALE_SECONDS


class Master:
    """What the master is known to have. Where no heartbeat thread renews it, who reads asks for it, once a second.

    While the master is away the last that was known of it counts.
    """

    def __init__(self) -> None:
        self.newest: Newest | None = None
        self.is_followed = False  # a thread of this process calls ``renew``
        self._renewing = threading.Lock()
        self._due = 0.0

    def known(self, engine: sa.Engine) -> Newest | None:
        """What it had a second ago at most; older, or None, when it does not answer."""
        is_needed = self.newest is None or not self.is_followed
        if is_needed and time.monotonic() >= self._due and self._renewing.acquire(blocking=self.newest is None):
            try:
                if time.monotonic() >= self._due:
                    self.renew(engine)
            finally:
                self._renewing.release()
        return self.newest

    def renew(self, engine: sa.Engine) -> None:
        """Asks it what it has now; when it does not answer, nobody waits for it again for two seconds."""
        try:
            with time_limit(PING_SECONDS), engine.connect() as connection:
                row = run_sql(connection, "queries/newest").one()
        except SERVER_ERRORS:
            self._due = time.monotonic() + RETRY_SECONDS
        else:
            self.newest = Newest(row.lsn, row.beat_at, row.at)
            self._due = time.monotonic() + KNOWN_SECONDS
