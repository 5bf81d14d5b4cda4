"""What the master has committed: its position, a heartbeat after it, and waiting until the replica has replayed it."""

from __future__ import annotations

import time
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from workbench.engines import Engines, is_disconnect
from workbench.errors import ServerUnavailable
from workbench.outage import unavailable
from workbench.replication import Session
from workbench.sql_files import read_sql

POLL_SECONDS = 0.01


def mark(engines: Engines, session: Session) -> None:
    """Moves the session's token behind what has just been committed, so that its next read sees it."""
    try:
        with engines.master.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            session.token = connection.execute(sa.text(read_sql("queries/token"))).scalar_one()
    except (DBAPIError, PoolTimeout):
        session.token = None  # saved, but at an unknown position: the master answers the next read


def beat(engines: Engines) -> tuple[str, datetime]:
    """Renews the heartbeat row on the master; returns the LSN in it, which whoever has the row has, and its clock.

    Raises DBAPIError, or SQLAlchemy's TimeoutError when the master is busy.
    """
    with engines.master.begin() as connection:
        row = connection.execute(sa.text(read_sql("queries/beat"))).one()
    return row.lsn, row.beat_at


def beaten(engines: Engines) -> str:
    """A position that holds all that is committed now, with a heartbeat after it for those who know no positions.

    Raises ServerUnavailable.
    """
    session = Session()
    mark(engines, session)
    try:
        beat(engines)
    except (DBAPIError, PoolTimeout) as error:
        raise unavailable(engines.settings, "master", error) from error
    if session.token is None:  # it went away and came back in between
        raise ServerUnavailable("The master did not say what is committed. Try again.")
    return session.token


def wait_for_replica(engines: Engines, seconds: float = 10.0) -> bool:
    """Waits until the replica has replayed all that is committed now; False when it has not in that time.

    For the moments after which even its tables would be missing on the replica: a migration, a bulk load.
    """
    session = Session()
    mark(engines, session)
    end = time.monotonic() + seconds
    while engines.replica is not None and session.token is not None and time.monotonic() < end:
        try:
            with engines.replica.connect() as connection:
                if connection.execute(sa.text(read_sql("queries/has_reached")), {"token": session.token}).scalar_one():
                    return True
        except DBAPIError as error:
            if not is_disconnect(error):
                raise
        time.sleep(POLL_SECONDS)
    return False
