"""What RisingWave says of itself: its version, and the heartbeat that it has read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from workbench.database.deadline import PING_SECONDS
from workbench.database.failures import is_missing
from workbench.database.sql_files import run_sql

SLOT = "workbench_risingwave"  # the slot on the master from which RisingWave reads


@dataclass(frozen=True)
class Look:
    """RisingWave at one moment. Every commit up to ``lsn`` is in its tables and finished views; None: not built yet."""

    version: str
    lsn: str | None = None
    beat_at: datetime | None = None
    is_built: bool = True


def look(engine: sa.Engine) -> Look:
    """Asks RisingWave, for two seconds at most. Raises DBAPIError, or SQLAlchemy's TimeoutError when it is busy."""
    with engine.connect() as connection, _briefly(connection):
        version = version_of(connection)
        try:
            row = run_sql(connection, "queries/risingwave_beat").one_or_none()
        except DBAPIError as error:
            if not is_missing(error):
                raise
            return Look(version, is_built=False)
    return Look(version, row.lsn, row.beat_at) if row else Look(version)


def version_of(connection: sa.Connection) -> str:
    """RisingWave's own version, such as 3.0.3, out of the text that it gives to clients of PostgreSQL."""
    text = str(run_sql(connection, "queries/risingwave_version").scalar_one())
    found = re.search(r"RisingWave-(\S+)", text)
    return found[1] if found else text


@contextmanager
def _briefly(connection: sa.Connection) -> Iterator[None]:
    """A RisingWave that hangs must not hold up those who ask it every second."""
    guarded = connection.connection.driver_connection
    assert guarded is not None
    usual, guarded.limit_seconds = guarded.limit_seconds, PING_SECONDS
    try:
        yield
    finally:
        guarded.limit_seconds = usual
