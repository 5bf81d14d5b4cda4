"""The followers of the master: who they are, and whether each shows what was committed up to a token."""

from __future__ import annotations

import time
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from workbench.database.engines import Engines
from workbench.database.replication import EngineName
from workbench.database.sql_files import read_sql

POLL_SECONDS = 0.01


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
                return bool(connection.execute(sa.text(read_sql(self.question)), {"token": token}).scalar_one_or_none())
        except (DBAPIError, PoolTimeout):
            return False

    def wait(self, token: str, seconds: float) -> bool:
        """Waits until it has reached ``token``; False when it has not in that time."""
        end = time.monotonic() + seconds
        while not self.has_reached(token):
            if time.monotonic() >= end:
                return False
            time.sleep(POLL_SECONDS)
        return True


def followers(engines: Engines) -> list[Follower]:
    """The followers that are configured; they may be away."""
    found = []
    if engines.replica is not None:
        found.append(Follower("replica", engines.replica, "queries/has_reached"))
    if engines.risingwave is not None:
        found.append(Follower("risingwave", engines.risingwave, "queries/risingwave_has_reached", is_told_by_beat=True))
    return found
