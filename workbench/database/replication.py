"""Reads that see one's own writes: LSN tokens, waiting for a replica that may be asked, and the master otherwise."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

import sqlalchemy as sa

from workbench import telemetry
from workbench.database.askers import asked_on
from workbench.database.deadline import PING_SECONDS, time_limit, wait_until
from workbench.database.engines import Engines
from workbench.database.failures import SERVER_ERRORS, ServerError, failure, in_words
from workbench.database.sql_files import run_sql
from workbench.locale import N_, _

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


T = TypeVar("T")
U = TypeVar("U")
Work = Callable[[sa.Connection], T]
EngineName = Literal["master", "replica", "risingwave"]

WAIT_SECONDS = 0.05
POLL_SECONDS = 0.001
CONNECTED_SECONDS = 1.5  # a pooled connection answers, or a new one is made: what is left of six seconds (see deadline)
NOTHING = "0/0"  # before the first position
# Why the master answers in the replica's place. What is not here would fail on the master too.
NOTES = {
    "away": N_("the replica does not answer"),
    "busy": N_("the replica is busy"),
    "replayed": N_("the replica had to replay a change of the tables"),
    "missing": N_("the replica lacks a table that the master may have"),
}


@dataclass
class ReadPosition:
    """How far one page or notebook has written and seen: what it reads next never goes back behind ``token``.

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

    def map(self, work: Callable[[T], U]) -> Answer[U]:
        """What ``work`` makes of the value, by the same engine as of the same moment."""
        return Answer(work(self.value), self.engine, self.as_of, self.note)

    @staticmethod
    def oldest(answers: Iterable[Answer[Any]]) -> Answer[Any]:
        """The one of the oldest data: what is made of all of them is no newer."""
        return min(answers, key=lambda answer: answer.as_of)


@dataclass
class Reader:
    """Sends reads to the replica, or to the master when the replica is behind the session, stands still or is away.

    One for each process, as it remembers how the replica is. A replica whose slot was lost answers with old rows and
    says nothing: it must be close to the master's newest heartbeat, and where nobody renews that, at the master's
    position (docs/decisions, 15).
    """

    engines: Engines
    master: Master = field(default_factory=Master)
    pulse: Pulse = field(default_factory=Pulse)

    @property
    def last_beat_at(self) -> datetime | None:
        """The master's newest heartbeat, as far as this process knows."""
        return None if self.master.newest is None else self.master.newest.beat_at

    def renew(self) -> None:
        """Asks the master for its newest heartbeat and position."""
        self.master.renew(self.engines.master_reader)

    def read(self, read_position: ReadPosition, work: Work[T], what: str = "other") -> Answer[T]:
        """Runs ``work`` in a read-only transaction. Raises ServerUnavailable when neither server answers.

        ``work`` may be called twice (a replica may go away in the middle), so it must only read. ``what`` is the name
        that its time is counted under: one of few, never a value.
        """
        note = _("no replica is configured")
        if self.engines.replica is not None:
            began = time.perf_counter()
            answer, note = self._ask_replica(read_position, work)
            if answer is not None:
                telemetry.queried("replica", what, time.perf_counter() - began)
                return answer
        return self._ask_master(read_position, work, what, note)

    def read_master(self, read_position: ReadPosition, work: Work[T], what: str = "other") -> Answer[T]:
        """As ``read``, but always from the master: for what is about to be edited."""
        return self._ask_master(read_position, work, what, "")

    def shown(self, connection: sa.Connection, read_position: ReadPosition) -> tuple[datetime | None, str]:
        """The data time of what the replica shows on ``connection``; None, and why, when it must not be asked."""
        newest = self.master.known(self.engines.master_reader)
        proof = None if newest is None or newest.is_beaten else newest
        as_of = _wait(connection, read_position.token if proof is None else _later(read_position.token, proof.lsn))
        if as_of is None:
            behind = _("the replica is still behind what was just saved")
            return None, _("the replica is behind the master") if proof else behind
        beat_at = as_of if newest is None or newest.beat_at is None else newest.beat_at
        if (beat_at - as_of).total_seconds() > STALE_SECONDS:
            moment = self.engines.settings.clock.text(as_of)
            return None, _("the replica stands still at {moment}", moment=moment)
        return max(as_of, proof.at) if proof else as_of, ""

    def _ask_replica(self, read_position: ReadPosition, work: Work[T]) -> tuple[Answer[T] | None, str]:
        replica = self.engines.replica
        assert replica is not None
        if read_position.token is None:
            return None, _("the replica's position is unknown")
        if not self.pulse.is_there(replica):
            return None, _(NOTES["away"])
        try:
            with self.pulse.connected(replica) as connection:
                as_of, note = self.shown(connection, read_position)
                return (None if as_of is None else Answer(asked_on(connection, work), "replica", as_of)), note
        except SERVER_ERRORS as error:
            return None, self.passed_over(error)

    def passed_over(self, error: ServerError) -> str:
        """Why the master is asked after this error of the replica's. Raises it, in words, when that would not help."""
        kind = failure(error)
        if kind == "away":
            self.pulse.failed()
        if kind not in NOTES:
            raise in_words(self.engines.settings, "replica", error) from None
        return _(NOTES[kind])

    def _ask_master(self, read_position: ReadPosition, work: Work[T], what: str, note: str) -> Answer[T]:
        began = time.perf_counter()
        for is_last in (False, True):
            try:
                lsn, as_of, value = self._of_master(work)
                break
            except SERVER_ERRORS as error:
                # A connection that died in the pool's hands says nothing about the server, nor does a deadlock.
                is_worth_it = failure(error) == "replayed" or getattr(error, "connection_invalidated", False)
                if is_last or not is_worth_it:
                    raise in_words(self.engines.settings, "master", error) from None
        read_position.token = _later(read_position.token, lsn)
        telemetry.queried("master", what, time.perf_counter() - began)
        return Answer(value, "master", as_of, note)

    def _of_master(self, work: Work[T]) -> tuple[str, datetime, T]:
        with time_limit(CONNECTED_SECONDS):
            connected = self.engines.master_reader.connect()
        with connected as connection:
            as_of = run_sql(connection, "queries/master_clock").scalar_one()
            value = asked_on(connection, work)
            # After the read, so that all it saw is in it; what is not flushed yet (a read alone may prune a page) no
            # replica gets before the next commit, and nobody waits for that.
            return run_sql(connection, "queries/token").scalar_one(), as_of, value


def _wait(connection: sa.Connection, token: str | None) -> datetime | None:
    """The data time that the replica shows once it has reached ``token``; None when it has not in a moment."""

    def replayed() -> sa.Row[Any] | None:
        row = run_sql(connection, "queries/has_replayed", {"token": token}).one()
        connection.rollback()  # the next statement must take a newer snapshot
        return row if row.has_replayed else None

    row = wait_until(replayed, WAIT_SECONDS, POLL_SECONDS)
    return None if row is None else row.as_of


def _later(token: str | None, lsn: str) -> str:
    return lsn if token is None or lsn_number(lsn) > lsn_number(token) else token


def lsn_number(lsn: str) -> int:
    """An LSN as the number of bytes from the beginning of the WAL: ``16/B374D848`` -> 0x16B374D848."""
    high, low = lsn.split("/")
    return (int(high, 16) << 32) + int(low, 16)
