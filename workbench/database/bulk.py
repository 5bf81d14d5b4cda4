"""What loads, imports and their undoing do around their statements: copy, commit, tell the planner, say what failed."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager
from typing import IO

import psycopg2
from sqlalchemy.exc import DBAPIError

from workbench.database.engines import Engines
from workbench.database.failures import in_words, is_away
from workbench.database.sql_files import WritingConnection, read_sql, write_sql
from workbench.errors import OutcomeUnknown

log = logging.getLogger(__name__)

READ_BYTES = 1 << 20


def copy_in(connection: WritingConnection, name: str, text: IO[bytes]) -> None:
    """Runs the file's COPY with what ``text`` holds. Raises DBAPIError, and what reading it raises."""
    statement, driver = read_sql(name), connection.connection.driver_connection
    assert driver is not None
    try:
        with driver.cursor() as cursor:
            cursor.copy_expert(statement, text, READ_BYTES)
    except psycopg2.Error as error:  # went past SQLAlchemy, which wraps the errors of all other statements
        raise DBAPIError(statement, None, error, connection_invalidated=bool(driver.closed)) from error


def commit(connection: WritingConnection) -> None:
    """Raises OutcomeUnknown when the master goes away meanwhile."""
    try:
        connection.commit()
    except DBAPIError as error:
        if not is_away(error):
            raise
        raise OutcomeUnknown(
            "The master went away while it was saving: it has done all of it or nothing. Look at the newest sales"
            " before you try again."
        ) from None


def analyze(connection: WritingConnection) -> None:
    """Tells the planner. What is loaded stays loaded when this fails; autovacuum then does it within minutes."""
    try:
        write_sql(connection, "bulk/analyze")
        connection.commit()
    except DBAPIError as error:
        log.warning("The sales are there, but ANALYZE failed: %s", error.orig)


@contextmanager
def master_in_words(engines: Engines) -> Generator[None]:
    """A master that does not answer is ServerUnavailable."""
    try:
        yield
    except DBAPIError as error:
        raise in_words(engines.settings, "master", error) from None
