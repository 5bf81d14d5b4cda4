"""The heartbeat that freshness is measured with, and the servers' status after each."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import DBAPIError

from workbench import telemetry
from workbench.database.engines import Engines
from workbench.database.failures import SERVER_ERRORS, state_of
from workbench.database.positions import Stopwatch, beat, committed, followers
from workbench.database.replication import Reader
from workbench.servers.health import Health, Status, status

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
