"""Results of verifications, kept on the master, so that every page shows the last one whoever ran it."""

from __future__ import annotations

import json
from dataclasses import asdict

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from workbench.engines import Engines, is_disconnect
from workbench.errors import SchemaError
from workbench.outage import unavailable
from workbench.replication import Answer, Reader, Session
from workbench.sql_files import read_sql
from workbench.verification.run import Difference, Verification

UNDEFINED_TABLE = "42P01"
MOST_DIFFERENCES = 1_000  # of one run that are kept; a follower that is all wrong differs in every figure


def save(engines: Engines, result: Verification) -> None:
    """Keeps a result. Raises ServerUnavailable when the master does not answer."""
    values = {
        "verified_at": result.verified_at,
        "token": result.token,
        "engines": list(result.engines),
        "figures": result.figures,
        "differences": json.dumps([asdict(difference) for difference in result.differences[:MOST_DIFFERENCES]]),
        "problems": json.dumps(result.problems),
    }
    try:
        with engines.master.begin() as connection:
            connection.execute(sa.text(read_sql("queries/save_verification")), values)
    except (DBAPIError, PoolTimeout) as error:
        if isinstance(error, DBAPIError) and not is_disconnect(error):
            raise
        raise unavailable(engines.settings, "master", error) from error


def last(reader: Reader, session: Session) -> Answer[Verification | None]:
    """The newest result, with at most MOST_DIFFERENCES differences; None before the first run.

    Raises ServerUnavailable, and SchemaError when the migration that makes its table has not run yet.
    """

    def work(connection: sa.Connection) -> Verification | None:
        row = connection.execute(sa.text(read_sql("queries/last_verification"))).one_or_none()
        if row is None:
            return None
        differences = tuple(Difference(**difference) for difference in row.differences)
        return Verification(
            row.verified_at, row.token, tuple(row.engines), row.figures, differences, tuple(row.problems)
        )

    try:
        return reader.read(session, work)
    except DBAPIError as error:
        if getattr(error.orig, "pgcode", None) != UNDEFINED_TABLE:
            raise
        raise SchemaError("The master has no table of results yet. Run `workbench migrate`.") from error
