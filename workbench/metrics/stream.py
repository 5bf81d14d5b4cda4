"""RisingWave as where the rollups come from: its materialized views, and what it pushes of their changes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from workbench.metrics.push import Push
from workbench.sql_files import read_sql
from workbench.telemetry import queried

FRESH_SECONDS = 10.0  # behind the master; below the limit of every tile, so that none turns amber while others could do


@dataclass(frozen=True)
class Beat:
    """The heartbeat that RisingWave has: every commit up to ``lsn`` is in all its views as of ``checkpoint_ms``."""

    lsn: str
    beat_at: datetime
    checkpoint_ms: int

    def is_fresh(self, last_beat_at: datetime | None) -> bool:
        """Whether it is close enough to the master's newest heartbeat, as far as that is known."""
        return last_beat_at is None or (last_beat_at - self.beat_at).total_seconds() <= FRESH_SECONDS


class Stream:
    """One for each process."""

    def __init__(self, engine: sa.Engine, push: Push | None = None) -> None:
        self._engine = engine
        self.push = push or Push(engine)

    @contextmanager
    def snapshot(self, what: str = "rollups") -> Iterator[tuple[sa.Connection, Beat | None]]:
        """A connection that reads one moment, and the heartbeat of that moment; None when there is none yet.

        ``what`` is the name under which its time is counted.
        Raises DBAPIError and SQLAlchemy's TimeoutError.
        """
        began = time.monotonic()
        with self._engine.connect() as connection:
            # RisingWave pins a snapshot in no other way; the pool's own rollback would not reach it.
            connection.exec_driver_sql("begin read only")
            try:
                row = connection.execute(sa.text(read_sql("queries/risingwave_beat"))).one_or_none()
                if row is None or row.beat_at is None:
                    yield connection, None
                else:
                    yield connection, Beat(row.lsn, row.beat_at, row.checkpoint_ms)
            finally:
                if not connection.invalidated:
                    connection.exec_driver_sql("commit")
        queried("risingwave", what, time.monotonic() - began)
