"""What the master has committed, waiting until each follower has it, and how long that takes."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from workbench import telemetry
from workbench.database.deadline import wait_until
from workbench.database.engines import Engines
from workbench.database.failures import SERVER_ERRORS, in_words
from workbench.database.replication import EngineName, ReadPosition
from workbench.database.sql_files import run_sql, write_sql
from workbench.errors import ServerUnavailable

POLL_SECONDS = 0.01


def position(connection: sa.Connection) -> str | None:
    """The position that holds what has just been committed on ``connection``; None when that cannot be asked."""
    if connection.invalidated:
        return None
    try:
        return str(run_sql(connection, "queries/token").scalar_one())
    except DBAPIError:
        return None


def committed(engines: Engines) -> str | None:
    """The position that holds all that is committed now; None when the master does not answer."""
    try:
        with engines.master.connect() as connection:
            return position(connection)
    except SERVER_ERRORS:
        return None


def mark(engines: Engines, read_position: ReadPosition) -> None:
    """Moves the session's token behind all that is committed now, so that its next read sees it.

    When the position is not known the master answers the next read.
    """
    read_position.token = committed(engines)


def beat(engines: Engines) -> tuple[str, datetime]:
    """Renews the heartbeat row on the master; returns the LSN in it, which whoever has the row has, and its clock.

    Raises DBAPIError, or SQLAlchemy's TimeoutError when the master is busy.
    """
    with engines.master.begin() as connection:
        row = write_sql(connection, "queries/beat").one()
    return row.lsn, row.beat_at


def committed_with_heartbeat(engines: Engines) -> str:
    """A position that holds all that is committed now, with a heartbeat after it for those who know no positions.

    Raises ServerUnavailable.
    """
    token = committed(engines)
    try:
        beat(engines)
    except SERVER_ERRORS as error:
        raise in_words(engines.settings, "master", error) from None
    if token is None:  # it went away and came back in between
        raise ServerUnavailable("The master did not say what is committed. Try again.")
    return token


def wait_for_replica(engines: Engines, seconds: float = 20.0) -> bool:
    """Waits until the replica has replayed all that is committed now; False when it has not in that time.

    For the moments after which even its tables would be missing on the replica: a migration, a bulk load. A reader may
    hold up replay for `max_standby_streaming_delay`, 10 s, so that waiting takes longer.
    """
    token = committed(engines)
    replicas = [follower for follower in followers(engines) if follower.name == "replica"]
    return token is not None and any(replica.wait(token, seconds) for replica in replicas)


@dataclass(frozen=True)
class Follower:
    """One server that follows the master. ``question`` is the read that says whether it has reached a token.

    ``is_told_by_beat``: it knows no positions but that in the newest heartbeat row that it has.
    """

    name: EngineName
    engine: sa.Engine
    question: str
    is_told_by_beat: bool = False

    def has_reached(self, token: str) -> bool:
        """Whether it shows every commit up to ``token`` (an LSN); False too while it does not answer."""
        try:
            with self.engine.connect() as connection:
                return bool(run_sql(connection, self.question, {"token": token}).scalar_one_or_none())
        except SERVER_ERRORS:
            return False

    def wait(self, token: str, seconds: float) -> bool:
        """Waits until it has reached ``token``; False when it has not in that time."""
        return wait_until(lambda: self.has_reached(token), seconds, POLL_SECONDS)


def followers(engines: Engines) -> list[Follower]:
    """The followers that are configured; they may be away."""
    found = []
    if engines.replica is not None:
        found.append(Follower("replica", engines.replica, "queries/has_reached"))
    if engines.risingwave is not None:
        found.append(Follower("risingwave", engines.risingwave, "queries/risingwave_has_reached", is_told_by_beat=True))
    return found


KEPT_POINTS = 300  # five minutes of heartbeats
LIMIT_SECONDS = 30.0  # after it nobody waits for a save any more
LATE_SECONDS = 1.0  # from then on a heartbeat that is not visible yet is a point too, one a second
_SHORTEST_BY_BEAT = 0.02  # RisingWave shows something new once a second
_SHORTEST, _LONGEST, _SHARE = 0.001, 0.25, 0.05  # a pause between two looks is a share of what was waited already


@dataclass(frozen=True)
class Point:
    """One heartbeat: the seconds from its commit until it was visible, or so far when it is not; ``at`` is then."""

    at: datetime
    seconds: float
    is_visible: bool


@dataclass(frozen=True, eq=False)
class _Commit:
    token: str
    at: float  # on time.monotonic()'s clock
    seen: Future[float | None] | None  # None for a heartbeat

    @property
    def age(self) -> float:
        return time.monotonic() - self.at


@dataclass
class _Watch:
    """What is looked for on one follower, by a thread of its own, oldest commit first."""

    follower: Follower
    _points: deque[Point] = field(default_factory=lambda: deque(maxlen=KEPT_POINTS))
    _commits: deque[_Commit] = field(default_factory=deque)
    _beat: _Commit | None = None  # the heartbeat that is being looked for
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _is_stopping: bool = False
    _thread: threading.Thread | None = None

    def add(self, commit: _Commit) -> None:
        """Looks for one more commit; a heartbeat only when none is being looked for."""
        with self._changed:
            if self._is_stopping:
                _finish(commit, None)
                return
            if commit.seen is None:
                if self._beat is not None:
                    return
                self._beat = commit
            self._commits.append(commit)
            self._changed.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"stopwatch-{self.follower.name}", daemon=True)
                self._thread.start()

    def points(self) -> list[Point]:
        """The course of the heartbeats, the oldest first."""
        with self._changed:
            return list(self._points)

    def stop(self) -> None:
        """Ends the thread and waits for it; who still waits for a save gets None."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(timeout=15)

    def _run(self) -> None:
        self.follower.has_reached("0/0")  # opens the connection: that is no part of the first commit's time
        while (commit := self._next()) is not None:
            if self.follower.has_reached(commit.token):
                self._visible(commit)
            else:
                self._still_waiting()
                shortest = _SHORTEST_BY_BEAT if self.follower.is_told_by_beat else _SHORTEST
                time.sleep(min(max(commit.age * _SHARE, shortest), _LONGEST))
        for commit in self._commits:
            _finish(commit, None)

    def _next(self) -> _Commit | None:
        """The oldest commit, once there is one; None when it is time to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_stopping or self._commits)
            return None if self._is_stopping else self._commits[0]

    def _visible(self, commit: _Commit) -> None:
        seconds = commit.age
        telemetry.VISIBLE_SECONDS.labels(self.follower.name).observe(seconds)
        with self._changed:
            self._commits.popleft()
            if commit is self._beat:
                self._beat = None
                self._points.append(Point(datetime.now(UTC), seconds, is_visible=True))
        if commit.seen is not None:
            telemetry.SAVES.add(self.follower.name, seconds)
            _finish(commit, seconds)

    def _still_waiting(self) -> None:
        """Gives up saves that wait too long, and makes a late heartbeat a point."""
        now = datetime.now(UTC)
        with self._changed:
            given_up = [each for each in self._commits if each.seen is not None and each.age > LIMIT_SECONDS]
            for commit in given_up:
                self._commits.remove(commit)
                _finish(commit, None)
            is_due = not self._points or (now - self._points[-1].at).total_seconds() >= LATE_SECONDS
            if self._beat is not None and self._beat.age >= LATE_SECONDS and is_due:
                self._points.append(Point(now, self._beat.age, is_visible=False))


def _finish(commit: _Commit, seconds: float | None) -> None:
    if commit.seen is not None:
        commit.seen.set_result(seconds)


class Stopwatch:
    """One for each process. A thread a follower looks for commits, from the first one on.

    ``hurry`` is called after each save: a follower that tells its position by the heartbeat gets one at once.
    """

    def __init__(self, followers: Sequence[Follower], hurry: Callable[[], None] = lambda: None) -> None:
        self._watches = {follower.name: _Watch(follower) for follower in followers}
        self._beat_again = hurry

    def beat(self, token: str, in_row: str, committed_at: float) -> None:
        """Times a heartbeat that was committed at ``committed_at`` of time.monotonic().

        ``token`` is a position that holds it, ``in_row`` the one that its row tells.
        """
        for watch in self._watches.values():
            watch.add(_Commit(in_row if watch.follower.is_told_by_beat else token, committed_at, None))

    def save(self, token: str, committed_at: float) -> Mapping[str, Future[float | None]]:
        """Times a save; a future for each follower has the seconds, or None when it took more than LIMIT_SECONDS."""
        found: dict[str, Future[float | None]] = {}
        for name, watch in self._watches.items():
            found[name] = Future()
            found[name].set_running_or_notify_cancel()  # a page that is closed cannot cancel it under the thread
            watch.add(_Commit(token, committed_at, found[name]))
        self._beat_again()
        return found

    def points(self) -> dict[str, list[Point]]:
        """The course of the heartbeats of each follower, the oldest first."""
        return {name: watch.points() for name, watch in self._watches.items()}

    def stop(self) -> None:
        """Ends all threads."""
        for watch in self._watches.values():
            watch.stop()
