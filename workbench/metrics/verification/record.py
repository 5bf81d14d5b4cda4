"""Results of verifications, kept on the master, so that every page shows the last one whoever ran it."""

from __future__ import annotations

import json
from dataclasses import asdict

import sqlalchemy as sa

from workbench.accounts.actor import Actor, as_actor
from workbench.database.engines import Engines
from workbench.database.replication import Answer, Reader, Session
from workbench.database.sql_files import run_sql
from workbench.database.writes import Write, run_file
from workbench.errors import SchemaError
from workbench.metrics.verification.run import Difference, Verification

MOST_DIFFERENCES = 1_000  # of one run that are kept; a follower that is all wrong differs in every figure


def save(engines: Engines, result: Verification, actor: Actor | str = "") -> None:
    """Keeps a result. Raises RoleRefused, SignedOut, OutcomeUnknown, and ServerUnavailable without the master."""
    as_actor(actor).need("admin", "To keep what a comparison found")
    values = {
        "verified_at": result.verified_at,
        "token": result.token,
        "engines": list(result.engines),
        "figures": result.figures,
        "differences": json.dumps([asdict(difference) for difference in result.differences[:MOST_DIFFERENCES]]),
        "problems": json.dumps(result.problems),
    }
    write = Write(engines, Session(), "keep the result", may_repeat=False)
    write.run(lambda connection: run_file(connection, "queries/save_verification", values))


def last(reader: Reader, session: Session) -> Answer[Verification | None]:
    """The newest result, with at most MOST_DIFFERENCES differences; None before the first run.

    Raises ServerUnavailable, and SchemaError when the migration that makes its table has not run yet.
    """

    def work(connection: sa.Connection) -> Verification | None:
        row = run_sql(connection, "queries/last_verification").one_or_none()
        if row is None:
            return None
        try:
            differences = tuple(Difference(**difference) for difference in row.differences)
        except TypeError:
            raise SchemaError(
                "The last comparison was saved by another version, whose result cannot be read. Compare again."
            ) from None
        return Verification(
            row.verified_at, row.token, tuple(row.engines), row.figures, differences, tuple(row.problems)
        )

    return reader.read(session, work)
