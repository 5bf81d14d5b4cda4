"""The indexes that speed reading up: a file each in sql/indexes. A bulk load may drop and make them again.

Keys and unique indexes are not among them: those belong to the tables, and are never dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

import sqlalchemy as sa

from workbench.database.sql_files import read_sql, run_sql, sql_names

LOAD_LOCK = 730_184_601  # any constant: who holds it has dropped the indexes and will make them again


def broken(connection: sa.Connection) -> list[str]:
    """The indexes that are missing or cannot be used: figures are right without them, and slow. None during a load."""
    if run_sql(connection, "queries/is_loading", {"key": LOAD_LOCK}).scalar_one():
        return []
    names = [name.rsplit("/", 1)[1] for name in sql_names("indexes")]
    return list(run_sql(connection, "queries/broken_indexes", {"names": names}).scalars())


def broken_text(names: list[str]) -> str:
    """What is wrong, and what mends it; empty when nothing is."""
    if not names:
        return ""
    are = "index is" if len(names) == 1 else "indexes are"
    return (
        f"{len(names)} reading {are} missing ({', '.join(names)}), as after a large load that was killed: figures are"
        " right, but slow. Run `workbench migrate`."
    )


def ensure(connection: sa.Connection, say: Callable[[str], None] = lambda line: None) -> list[str]:
    """Makes each index that is broken, and returns their names; reading goes on meanwhile, writing waits.

    Looks at the catalog first, because ``if not exists`` would wait for a running load even when nothing is missing.
    """
    found = broken(connection)
    for index in found:
        say(f"Making the index {index}, which is missing")
        connection.exec_driver_sql(f"drop index if exists {index}")
        connection.exec_driver_sql(read_sql(f"indexes/{index}"))
    return found


@contextmanager
def left_out(engine: sa.Engine) -> Generator[None]:
    """Inside the block there are none, and nobody calls that broken. Who makes them again does so after it."""
    with engine.connect() as held:
        held.execute(sa.text("select pg_advisory_lock_shared(:key)"), {"key": LOAD_LOCK})
        held.commit()  # the lock is the session's
        with engine.begin() as connection:
            drop(connection)
        yield


def drop(connection: sa.Connection) -> None:
    """Drops them all: writing a million rows and making the indexes afterwards costs less than keeping them up."""
    for name in sql_names("indexes"):
        connection.exec_driver_sql(f"drop index if exists {name.rsplit('/', 1)[1]}")
