"""Health, lag and freshness of each server as it is now; and the monitor, whose heartbeat they are measured with."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy.exc import DBAPIError

from workbench import telemetry
from workbench.database.engines import Engines
from workbench.database.failures import SERVER_ERRORS, ServerError, failure, in_words, state_of
from workbench.database.positions import Stopwatch, beat, committed, followers
from workbench.database.replication import STALE_SECONDS, Reader, lsn_number
from workbench.database.sql_files import run_sql
from workbench.locale import N_, _
from workbench.servers import indexes
from workbench.servers.risingwave.console import SLOT, look

State = Literal["up", "down", "not configured"]


@dataclass(frozen=True)
class Health:
    """One server: its state, its WAL position and how old what it shows is.

    ``lag_bytes`` (not of RisingWave) and ``lag_seconds`` are behind the master and only known for a follower while both
    are up. RisingWave's ``lsn`` is the position up to which it has every commit, as its heartbeat row says. ``note``
    says what is wrong and what to do, or why the state is not ``up``.
    """

    state: State
    address: str = ""
    version: str = ""
    lsn: str = ""
    beat_at: datetime | None = None
    lag_bytes: int | None = None
    lag_seconds: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Status:
    """The health of the three servers at one moment, and the master's replication slots (a dict a slot)."""

    master: Health
    replica: Health
    risingwave: Health
    slots: list[dict[str, Any]]


NO_RISINGWAVE = Health(
    "not configured", note=N_("The replica answers every metric. Set RISINGWAVE_HOST to use RisingWave.")
)


def status(engines: Engines) -> Status:
    """Asks every server; one that does not answer is ``down`` in the result, never an error."""
    master, slots = _master(engines)
    replica = _replica(engines, master, slots)
    return Status(master, replica, _risingwave(engines, master, slots), slots)


def _master(engines: Engines) -> tuple[Health, list[dict[str, Any]]]:
    address = engines.settings.master.address
    try:
        with engines.master_reader.connect() as connection:
            row = run_sql(connection, "queries/master_health").one()
            note = indexes.broken_text(indexes.broken(connection))
            slots = [dict(r) for r in run_sql(connection, "queries/slots").mappings()]
    except SERVER_ERRORS as error:
        return _failed(engines, "master", address, error), []
    return Health("up", address, row.version, row.lsn, row.beat_at, note=note), slots


def _replica(engines: Engines, master: Health, slots: list[dict[str, Any]]) -> Health:
    if engines.replica is None or engines.settings.replica is None:
        note = _("Every read goes to the master. Set REPLICA_DB_HOST to use a replica.")
        return Health("not configured", note=note)
    address = engines.settings.replica.address
    try:
        with engines.replica.connect() as connection:
            row = run_sql(connection, "queries/replica_health").one()
    except SERVER_ERRORS as error:
        return _failed(engines, "replica", address, error)
    if not row.is_replica:
        note = _("This server is no replica: it takes writes of its own.")
        return Health("down", address, row.version, note=note)
    lag_bytes = max(lsn_number(master.lsn) - lsn_number(row.lsn), 0) if master.lsn and row.lsn else None
    lag_seconds = _lag_seconds(master, row, lag_bytes)
    return Health("up", address, row.version, row.lsn, row.beat_at, lag_bytes, lag_seconds, _slot_note(slots))


def _failed(engines: Engines, name: str, address: str, error: ServerError) -> Health:
    if failure(error) == "missing":
        return Health("up", address, note=_("Its schema is not made yet. Run `workbench migrate`."))
    return Health("down", address, note=str(in_words(engines.settings, name, error)))


def _lag_seconds(master: Health, row: Any, lag_bytes: int | None) -> float | None:
    """How long the replica is behind: the difference of the two heartbeats, 0 when it has replayed everything."""
    if lag_bytes == 0:
        return 0.0
    if master.beat_at is None or row.beat_at is None:
        return None
    return max((master.beat_at - row.beat_at).total_seconds(), 0.0)


def _slot_note(slots: list[dict[str, Any]]) -> str:
    if any(s["slot_type"] == "physical" and s["wal_status"] == "lost" for s in slots):
        return _(
            "The replica's slot was lost: it shows old rows until it has copied the master again. Run `workbench up`;"
            " in Docker Compose it does so by itself."
        )
    return ""


def _risingwave(engines: Engines, master: Health, slots: list[dict[str, Any]]) -> Health:
    """RisingWave reads no WAL positions of its own: its lag is told by the heartbeat row that it has read."""
    server = engines.settings.risingwave
    if engines.risingwave is None or server is None:
        return NO_RISINGWAVE
    address = server.address
    try:
        seen = look(engines.risingwave)
    except SERVER_ERRORS as error:
        return _failed(engines, "risingwave", address, error)
    if not seen.is_built:
        note = _("It has no tables of ours yet. Run `workbench risingwave apply`.")
        return Health("up", address, seen.version, note=note)
    lag_seconds = None
    if master.beat_at is not None and seen.beat_at is not None:
        lag_seconds = max((master.beat_at - seen.beat_at).total_seconds(), 0.0)
    note = _risingwave_note(slots, lag_seconds)
    return Health("up", address, seen.version, seen.lsn or "", seen.beat_at, lag_seconds=lag_seconds, note=note)


def _risingwave_note(slots: list[dict[str, Any]], lag_seconds: float | None) -> str:
    ours = [s for s in slots if s["slot_name"] == SLOT]
    if any(s["wal_status"] == "lost" for s in ours):
        return _(
            "Its slot on the master was lost: it shows old rows."
            " Run `workbench risingwave drop`, then `workbench risingwave apply`."
        )
    if lag_seconds is not None and lag_seconds > STALE_SECONDS:
        reads = (
            _("It reads the master's changes and is {n} s behind.")
            if any(s["is_active"] for s in ours)
            else _("It no longer reads the master's changes and is {n} s behind.")
        )
        what_to_do = _("See `workbench risingwave status`; `docker compose restart risingwave` makes it connect again.")
        return f"{reads.format(n=f'{lag_seconds:.0f}')} {what_to_do}"
    return ""


log = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
READER_SECONDS = 60.0  # between two beats that are refused, each of which the server logs
NOT_ALLOWED = ("42501", "25006")


class Monitor:
    """Renews the heartbeat once a second, times it, and keeps the last Status.

    One for each process; ``start`` makes its thread.
    """

    def __init__(self, engines: Engines, reader: Reader) -> None:
        self._engines, self._reader = engines, reader
        found = followers(engines)
        # A save is seen with the next heartbeat by who tells its position by that.
        is_told_by_beat = any(follower.is_told_by_beat for follower in found)
        self.stopwatch = Stopwatch(found, self._beat_again if is_told_by_beat else lambda: None)
        self._stopping = False
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self.last: Status | None = None
        self._ahead = timedelta(0)  # the master's clock, of this machine's
        self._beats_from = 0.0  # of time.monotonic(); later when this process may not: a report's is a reader

    def now(self) -> datetime:
        """Now by the master's clock, as of the last heartbeat: what an as-of is compared with to tell its age."""
        return datetime.now(UTC) + self._ahead

    def start(self) -> None:
        """Starts the thread, once however often it is called."""
        with self._lock:
            if self._thread is None:
                self._reader.master.is_followed = True
                self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
                self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether it was started and not stopped since."""
        return self._thread is not None and not self._stopping

    def stop(self) -> None:
        """Ends the threads and waits for them."""
        self._stopping = True
        self._reader.master.is_followed = False
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=15)
        self.stopwatch.stop()

    def status(self) -> Status:
        """The status of at most a second ago; asks when the thread has not run yet."""
        return self.last or status(self._engines)

    def _run(self) -> None:
        while not self._stopping:
            if time.monotonic() >= self._beats_from:
                _logged(self._beat, "The heartbeat was not written")
            self._reader.renew()
            self.last = status(self._engines)
            _report(self.last, self._ahead)
            self._wake.wait(BEAT_SECONDS)
            self._wake.clear()

    def _beat_again(self) -> None:
        self._wake.set()

    def _beat(self) -> None:
        began = datetime.now(UTC)
        try:
            in_row, beat_at = beat(self._engines)
        except DBAPIError as error:
            if state_of(error) in NOT_ALLOWED:
                self._beats_from = time.monotonic() + READER_SECONDS
            raise
        self._ahead = beat_at - (began + (datetime.now(UTC) - began) / 2)
        committed_at = time.monotonic()
        token = committed(self._engines)
        if token is not None:
            self.stopwatch.beat(token, in_row, committed_at)


def _report(found: Status, ahead: timedelta) -> None:
    """What Prometheus is told of it, in times of this machine's clock."""
    for name in ("replica", "risingwave"):
        follower: Health = getattr(found, name)
        if follower.state != "not configured":
            beat_at = None if follower.beat_at is None else follower.beat_at - ahead
            telemetry.follower_is(name, is_up=follower.state == "up", beat_at=beat_at)
    telemetry.master_is(is_up=found.master.state == "up")
    telemetry.lag_is(found.replica.lag_bytes, found.replica.lag_seconds)
    telemetry.slots_are(found.slots)


def _logged(action: Callable[[], None], what: str) -> None:
    """The heartbeat goes on when the master is away; its page shows the state, the log the first cause."""
    try:
        action()
    except SERVER_ERRORS as error:
        log.debug("%s: %s", what, type(error).__name__)
