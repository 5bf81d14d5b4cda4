"""The indexes that speed reading up: a file each in sql/indexes. A bulk load may drop and make them again.

Keys and unique indexes are not among them: those belong to the tables, and are never dropped.
"""

from __future__ import annotations

import sqlalchemy as sa

from workbench.sql_files import read_sql, sql_names


def ensure(connection: sa.Connection) -> list[str]:
    """Makes each index that is missing and returns their names; reading goes on meanwhile, writing waits.

    Looks at the catalog first: ``if not exists`` would wait for a running load even when nothing is missing.
    """
    made = []
    for name in sql_names("indexes"):
        index = name.rsplit("/", 1)[1]
        if connection.execute(sa.text("select to_regclass(:name)"), {"name": index}).scalar_one() is None:
            connection.exec_driver_sql(read_sql(name))
            made.append(index)
    return made


def drop(connection: sa.Connection) -> None:
    """Drops them all: writing a million rows and making the indexes afterwards costs less than keeping them up."""
    for name in sql_names("indexes"):
        connection.exec_driver_sql(f"drop index if exists {name.rsplit('/', 1)[1]}")
