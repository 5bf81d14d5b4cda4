"""A query of RisingWave's is ended from beside it, by KILL.

To who signs in with a password RisingWave (3.0.3) gives no key by which PostgreSQL's clients cancel; and what it was
asked goes on for as long as it takes, though its connection is closed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import psycopg
from psycopg import sql

from workbench.database.deadline import GuardedConnection
from workbench.database.libpq import without_variables

MOST_SECONDS = 2


class RisingWaveConnection(GuardedConnection):
    """A connection whose ``cancel`` ends what it asks; ``end`` does it where the driver cannot."""

    tells_of_clients = False

    def cancel(self) -> None:
        """Ends the statement that runs, by ``end`` where there is one, else as psycopg2 does."""
        (self.end or super().cancel)()


class RisingWaveQuery(psycopg.Connection[Any]):
    """The same of the other driver, which calls it when it is interrupted."""

    end: Callable[[], object] | None = None

    def cancel_safe(self, *, timeout: float = 30.0) -> None:
        """Ends the statement that runs, by ``end`` where there is one, else as psycopg does."""
        if self.end is None:
            super().cancel_safe(timeout=timeout)
        else:
            self.end()


def ending(connection: Any, address: Mapping[str, Any], refusal: type[Exception]) -> Callable[[], object] | None:
    """What ends the query that a connection to ``address`` waits for; None: the driver itself can."""
    if connection.info.backend_pid:
        return None
    with connection.cursor() as cursor:
        try:
            cursor.execute("select pg_backend_pid()")
        except refusal:  # a version that does not tell
            return None
        return partial(_kill, address, int(cursor.fetchone()[0]))


def _kill(address: Mapping[str, Any], process: int) -> None:
    """Ends what the process does, unless another frontend has one of this number: no other's query is ended."""
    with without_variables():
        beside = psycopg.connect(**{**address, "connect_timeout": MOST_SECONDS}, autocommit=True)
    with beside:
        listed = beside.execute("show processlist").fetchall()
        found = [row[1] for row in listed if row[1].endswith(f":{process}") and row[2] == address["user"]]
        if len(found) == 1:
            beside.execute(sql.SQL("kill {}").format(found[0]))
