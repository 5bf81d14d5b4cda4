"""What the master has committed, waiting until the replica has it, and whether each follower shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from workbench.database.deadline import wait_until
from workbench.database.engines import Engines
from workbench.database.failures import SERVER_ERRORS, in_words
from workbench.database.replication import EngineName, Session
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


def mark(engines: Engines, session: Session) -> None:
    """Moves the session's token behind all that is committed now, so that its next read sees it.

    When the position is not known the master answers the next read.
    """
    session.token = committed(engines)


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
