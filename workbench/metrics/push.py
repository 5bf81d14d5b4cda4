"""Push: RisingWave tells which days and customers have changed, a reader for each materialized view of the process.

Each reader holds one connection and one subscription cursor on it, asks with a short time limit, and remembers the time
of the last change that it got. When the connection is lost it goes on from there; when RisingWave no longer keeps the
changes since then (a subscription's retention has passed, or it was made anew with its view), everything has to be read
anew.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from tenacity import Retrying, retry_if_exception_type, stop_when_event_set, wait_random_exponential

from workbench.metrics.filters import day_number
from workbench.metrics.registry import ROLLUPS, Rollup
from workbench.outage import is_away

log = logging.getLogger(__name__)

FETCH_ROWS = 1_000
FETCH_SECONDS = 1
BACKOFF = wait_random_exponential(multiplier=0.5, max=15)
NOW_MS = "select cast(extract(epoch from now()) * 1000 as bigint)"  # the time of RisingWave's last checkpoint
IDENTITY = "select id from rw_catalog.rw_subscriptions where name = '{name}'"


@dataclass
class Changed:
    """What has changed since it was last taken: days (their numbers), customers, or more than can be told."""

    days: set[int] = field(default_factory=set)
    customers: set[int] = field(default_factory=set)
    is_everything: bool = False


class Push:
    """The readers of all rollups; one for each process. ``start`` makes their threads."""

    def __init__(self, engine: sa.Engine, rollups: Sequence[Rollup] = ROLLUPS) -> None:
        self.arrived = threading.Event()  # set when there is something to take
        self._lock = threading.Lock()
        self._changed = Changed()
        self._readers = [ViewReader(engine, rollup, self) for rollup in rollups]

    def start(self) -> None:
        """Starts to follow. What changes from the moment on when ``is_following`` is true is never missed."""
        for reader in self._readers:
            reader.start()

    def stop(self) -> None:
        """Ends the threads and waits for them."""
        for reader in self._readers:
            reader.stopping.set()
        for reader in self._readers:
            if reader.is_alive():
                reader.join(FETCH_SECONDS + 10)

    @property
    def is_following(self) -> bool:
        """Whether every view is followed now."""
        return all(reader.is_following for reader in self._readers)

    @property
    def reached_ms(self) -> float:
        """The time, RisingWave's, up to which every change has been told; minus infinity while one is not followed."""
        return min((reader.reached_ms for reader in self._readers), default=math.inf)

    def take(self) -> Changed:
        """What has changed since the last call."""
        with self._lock:
            taken, self._changed = self._changed, Changed()
            self.arrived.clear()
        return taken

    def tell(self, found: Changed) -> None:
        """Adds to what has changed, and wakes who waits for it."""
        self.give_back(found)
        self.arrived.set()

    def give_back(self, found: Changed) -> None:
        """Puts back what was taken and could not be read after all."""
        with self._lock:
            self._changed.days |= found.days
            self._changed.customers |= found.customers
            self._changed.is_everything |= found.is_everything


class ViewReader(threading.Thread):
    """Follows the subscription of one rollup's materialized view, for as long as it is not stopped."""

    def __init__(self, engine: sa.Engine, rollup: Rollup, push: Push) -> None:
        super().__init__(name=f"push-{rollup.name}", daemon=True)
        self.stopping = threading.Event()
        self.is_following = False
        self.reached_ms = -math.inf
        self._engine, self._rollup, self._push = engine, rollup, push
        self._since_ms: int | None = None
        self._identity: int | None = None  # of the subscription: its view may be built anew under the same name

    def run(self) -> None:
        """Follows, and begins again when the connection is lost: soon at first, then less often."""
        while not self.stopping.is_set():
            retrying = Retrying(
                retry=retry_if_exception_type((DBAPIError, PoolTimeout)),
                wait=BACKOFF,
                stop=stop_when_event_set(self.stopping),
                sleep=self._pause,
                retry_error_callback=lambda state: None,
            )
            connection = retrying(self._opened)
            if connection is not None:
                self._follow(connection)

    def _pause(self, seconds: float) -> None:
        self.stopping.wait(seconds)

    def _opened(self) -> sa.Connection:
        """A connection with the cursor on it."""
        connection = self._engine.connect()
        try:
            connection.detach()  # held for hours: not the pool's any more
            self._declare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _follow(self, connection: sa.Connection) -> None:
        """Tells what changes, until the connection is lost."""
        self.is_following = True
        try:
            while not self.stopping.is_set() and self._fetch(connection):
                pass
        except DBAPIError as error:
            log.warning("The changes of %s are not followed for now: %s", self._rollup.name, type(error).__name__)
        finally:
            self.is_following, self.reached_ms = False, -math.inf
            connection.close()

    def _declare(self, connection: sa.Connection) -> None:
        """Opens the cursor where the last one ended, or at RisingWave's last checkpoint.

        Not at `now()`: a change that is on its way into a checkpoint would be older than that.
        """
        name = f"sub_{self._rollup.name}"
        begun = int(connection.exec_driver_sql(NOW_MS).scalar_one())
        identity = self._found(connection)
        if self._since_ms is not None and identity == self._identity:
            try:
                connection.exec_driver_sql(f"declare changes subscription cursor for {name} since {self._since_ms}")
                return
            except DBAPIError as error:
                if is_away(error):
                    raise
                log.warning("RisingWave no longer has the changes of %s since %s", name, self._since_ms)
        connection.exec_driver_sql(f"declare changes subscription cursor for {name} since {begun}")
        if self._since_ms is not None:
            self._push.tell(Changed(is_everything=True))
        self._since_ms, self._identity = begun, identity

    def _found(self, connection: sa.Connection) -> int | None:
        """Which subscription has the name now; None when there is none."""
        query = IDENTITY.format(name=f"sub_{self._rollup.name}")
        found = connection.exec_driver_sql(query).scalar_one_or_none()
        return None if found is None else int(found)

    def _fetch(self, connection: sa.Connection) -> bool:
        """Waits until there are changes, for a short time, and tells them; False when the subscription is another."""
        checkpoint = int(connection.exec_driver_sql(NOW_MS).scalar_one())
        begun = time.monotonic()
        found = connection.exec_driver_sql(f"fetch {FETCH_ROWS} from changes with (timeout = '{FETCH_SECONDS}s')")
        rows = found.mappings().all()
        if rows:
            keys = {row[self._rollup.key] for row in rows}
            days = {day_number(day) for day in keys if isinstance(day, date)}
            customers = {int(customer) for customer in keys if isinstance(customer, int)}
            self._push.tell(Changed(days, customers))
            self._since_ms = max(int(row["rw_timestamp"]) for row in rows)
        elif self._found(connection) != self._identity:  # a cursor on a view that was dropped just says nothing more
            return False
        if len(rows) < FETCH_ROWS and (not rows or time.monotonic() - begun < FETCH_SECONDS):
            self.reached_ms = checkpoint  # fewer than were asked, and not for lack of time: there are no others
            # A cursor on which nothing happens ends with the retention: what is told by then need not be kept.
            self._since_ms = max(self._since_ms or 0, checkpoint)
        return True
