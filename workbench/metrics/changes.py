"""What has changed since the tables were read: found in the audit log, whatever the order of commits.

Transactions commit in another order than they write to the log, so "the rows after the last id" would miss some. Every
entry has its transaction's id instead. A snapshot's xmin is the id below which none is running any more; entries at or
above it are looked at again each time, but for the transactions that were seen already. That xmin is right on a standby
too, where the snapshot's list of running transactions is empty and must not be trusted.

Not found: changes made with triggers off (session_replication_role = replica) that leave no entry in the log.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from workbench.database.sql_files import run_sql

MOST_CHANGES = 20_000  # beyond it, reading everything anew costs less

Ids = tuple[int, int]  # the first and the last id of a range


@dataclass(frozen=True)
class Position:
    """How far the log has been followed, in which database: ``identity`` names it and its tables' files.

    What was seen is in the WAL up to ``lsn``.
    """

    horizon: int
    seen: frozenset[int]
    identity: str
    lsn: str


@dataclass(frozen=True)
class Changes:
    """What has to be read again: ``is_everything``, or these sales and those of these ranges of ids."""

    position: Position
    sales: tuple[int, ...] = ()
    loads: tuple[Ids, ...] = ()
    is_everything: bool = False


def replayed(connection: sa.Connection) -> str | None:
    """Up to where a replica has replayed the WAL, told before the snapshot of what is read next; None on the master.

    While it stands still nothing can have changed.
    """
    lsn: str | None = run_sql(connection, "queries/replayed").scalar_one()
    return lsn


def since(connection: sa.Connection, last: Position | None) -> Changes:
    """The changes that this transaction's snapshot shows and ``last`` did not; of None, everything."""
    seen = [] if last is None else [str(xid) for xid in last.seen]
    values = {"horizon": None if last is None else str(last.horizon), "seen": seen, "most": MOST_CHANGES}
    row = run_sql(connection, "queries/changes", values).one()
    now = Position(int(row.horizon), frozenset(map(int, row.seen)), row.identity, row.lsn)
    is_another = last is None or now.identity != last.identity or now.horizon < last.horizon
    if is_another or row.unknown or row.changes > MOST_CHANGES:
        return Changes(now, is_everything=True)
    return Changes(now, tuple(row.sales), tuple((first, last) for first, last in row.loads))
