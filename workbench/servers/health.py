"""Health, lag and freshness of each server, as it is asked now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from workbench.database.engines import Engines
from workbench.database.failures import SERVER_ERRORS, ServerError, failure, in_words
from workbench.database.replication import STALE_SECONDS, lsn_number
from workbench.database.sql_files import run_sql
from workbench.locale import N_, _
from workbench.servers import indexes
from workbench.servers.risingwave.console import SLOT, look

State = Literal["up", "down", "not configured"]


@dataclass(frozen=True)
class Health:
    """One server: its state, its WAL position and how old what it shows is.

    ``lag_bytes`` (not of RisingWave) and ``lag_seconds`` are behind the master and only known for a follower while both
    are up. RisingWave's ``lsn`` is the position up to which it has every commit, as its heartbeat row says. ``note``
    says what is wrong and what to do, or why the state is not ``up``.
    """

    state: State
    address: str = ""
    version: str = ""
    lsn: str = ""
    beat_at: datetime | None = None
    lag_bytes: int | None = None
    lag_seconds: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Status:
    """The health of the three servers at one moment, and the master's replication slots (a dict a slot)."""

    master: Health
    replica: Health
    risingwave: Health
    slots: list[dict[str, Any]]


NO_RISINGWAVE = Health(
    "not configured", note=N_("The replica answers every metric. Set RISINGWAVE_HOST to use RisingWave.")
)


def status(engines: Engines) -> Status:
    """Asks every server; one that does not answer is ``down`` in the result, never an error."""
    master, slots = _master(engines)
    replica = _replica(engines, master, slots)
    return Status(master, replica, _risingwave(engines, master, slots), slots)


def _master(engines: Engines) -> tuple[Health, list[dict[str, Any]]]:
    address = engines.settings.master.address
    try:
        with engines.master_reader.connect() as connection:
            row = run_sql(connection, "queries/master_health").one()
            note = indexes.broken_text(indexes.broken(connection))
            slots = [dict(r) for r in run_sql(connection, "queries/slots").mappings()]
    except SERVER_ERRORS as error:
        return _failed(engines, "master", address, error), []
    return Health("up", address, row.version, row.lsn, row.beat_at, note=note), slots


def _replica(engines: Engines, master: Health, slots: list[dict[str, Any]]) -> Health:
    if engines.replica is None or engines.settings.replica is None:
        note = _("Every read goes to the master. Set REPLICA_DB_HOST to use a replica.")
        return Health("not configured", note=note)
    address = engines.settings.replica.address
    try:
        with engines.replica.connect() as connection:
            row = run_sql(connection, "queries/replica_health").one()
    except SERVER_ERRORS as error:
        return _failed(engines, "replica", address, error)
    if not row.is_replica:
        note = _("This server is no replica: it takes writes of its own.")
        return Health("down", address, row.version, note=note)
    lag_bytes = max(lsn_number(master.lsn) - lsn_number(row.lsn), 0) if master.lsn and row.lsn else None
    lag_seconds = _lag_seconds(master, row, lag_bytes)
    return Health("up", address, row.version, row.lsn, row.beat_at, lag_bytes, lag_seconds, _slot_note(slots))


def _failed(engines: Engines, name: str, address: str, error: ServerError) -> Health:
    if failure(error) == "missing":
        return Health("up", address, note=_("Its schema is not made yet. Run `workbench migrate`."))
    return Health("down", address, note=str(in_words(engines.settings, name, error)))


def _lag_seconds(master: Health, row: Any, lag_bytes: int | None) -> float | None:
    """How long the replica is behind: the difference of the two heartbeats, 0 when it has replayed everything."""
    if lag_bytes == 0:
        return 0.0
    if master.beat_at is None or row.beat_at is None:
        return None
    return max((master.beat_at - row.beat_at).total_seconds(), 0.0)


def _slot_note(slots: list[dict[str, Any]]) -> str:
    if any(s["slot_type"] == "physical" and s["wal_status"] == "lost" for s in slots):
        return _(
            "The replica's slot was lost: it shows old rows until it has copied the master again. Run `workbench up`;"
            " in Docker Compose it does so by itself."
        )
    return ""


def _risingwave(engines: Engines, master: Health, slots: list[dict[str, Any]]) -> Health:
    """RisingWave reads no WAL positions of its own: its lag is told by the heartbeat row that it has read."""
    server = engines.settings.risingwave
    if engines.risingwave is None or server is None:
        return NO_RISINGWAVE
    address = server.address
    try:
        seen = look(engines.risingwave)
    except SERVER_ERRORS as error:
        return _failed(engines, "risingwave", address, error)
    if not seen.is_built:
        note = _("It has no tables of ours yet. Run `workbench risingwave apply`.")
        return Health("up", address, seen.version, note=note)
    lag_seconds = None
    if master.beat_at is not None and seen.beat_at is not None:
        lag_seconds = max((master.beat_at - seen.beat_at).total_seconds(), 0.0)
    note = _risingwave_note(slots, lag_seconds)
    return Health("up", address, seen.version, seen.lsn or "", seen.beat_at, lag_seconds=lag_seconds, note=note)


def _risingwave_note(slots: list[dict[str, Any]], lag_seconds: float | None) -> str:
    ours = [s for s in slots if s["slot_name"] == SLOT]
    if any(s["wal_status"] == "lost" for s in ours):
        return _(
            "Its slot on the master was lost: it shows old rows."
            " Run `workbench risingwave drop`, then `workbench risingwave apply`."
        )
    if lag_seconds is not None and lag_seconds > STALE_SECONDS:
        reads = (
            _("It reads the master's changes and is {n} s behind.")
            if any(s["is_active"] for s in ours)
            else _("It no longer reads the master's changes and is {n} s behind.")
        )
        what_to_do = _("See `workbench risingwave status`; `docker compose restart risingwave` makes it connect again.")
        return f"{reads.format(n=f'{lag_seconds:.0f}')} {what_to_do}"
    return ""
