"""What a load and its undo both do around their statements: commit, tell the planner, say that the master is away."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from workbench.database.engines import Engines
from workbench.database.failures import in_words, is_away
from workbench.database.sql_files import run_sql
from workbench.errors import OutcomeUnknown

log = logging.getLogger(__name__)


def commit(connection: sa.Connection) -> None:
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


def analyze(connection: sa.Connection) -> None:
    """Tells the planner. What is loaded stays loaded when this fails; autovacuum then does it within minutes."""
    try:
        run_sql(connection, "sample/analyze")
        connection.commit()
    except DBAPIError as error:
        log.warning("The sample sales are loaded, but ANALYZE failed: %s", error.orig)


@contextmanager
def master_in_words(engines: Engines) -> Generator[None]:
    """A master that does not answer is ServerUnavailable."""
    try:
        yield
    except DBAPIError as error:
        raise in_words(engines.settings, "master", error) from None
