"""state(): what there is in RisingWave, how fresh it is, and the slot that the master keeps for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workbench.database.engines import Engines
from workbench.database.failures import SERVER_ERRORS, in_words
from workbench.database.sql_files import read_sql, run_sql
from workbench.errors import RisingWaveRefused
from workbench.servers.risingwave import cdc
from workbench.servers.risingwave.cdc import REBUILD
from workbench.servers.risingwave.console import SLOT, Console, console
from workbench.servers.risingwave.relations import (
    FOLLOWED,
    SOURCE,
    Relation,
    changes_of,
    read_fingerprints,
    tables,
    views,
)
from workbench.words import counted

APPLY = "Run `workbench risingwave apply`."


@dataclass(frozen=True)
class RelationState:
    """One table or view: how many rows it has, when they last changed (UTC), and whether it is as its file says.

    ``backfill`` says how far it has been filled: ``done``, ``12.3%``, ``5,000 rows``, ``not told``; empty for a plain
    view.
    """

    name: str
    kind: str
    state: str
    rows: int | None = None
    changed_at: datetime | None = None
    backfill: str = ""


@dataclass(frozen=True)
class RisingWaveState:
    """RisingWave as a whole. ``problems`` each say what is wrong and what mends it."""

    version: str
    beat_at: datetime | None
    age_seconds: float | None
    relations: tuple[RelationState, ...]
    slot: dict[str, Any] | None
    problems: tuple[str, ...]


def state(engines: Engines, materialized: Sequence[Relation]) -> RisingWaveState:
    """Asks RisingWave and the master. Raises ServerUnavailable when one does not answer, and SettingsError."""
    slot, now = _slot(engines)
    with console(engines, is_patient=False) as rw:
        names, seconds, beat_at = rw.names(), None, None
        if "heartbeat" in names and (found := rw.run(read_sql("queries/risingwave_beat"))):
            beat_at = found[0].beat_at
            seconds = max((now - beat_at).total_seconds(), 0.0)
        made, filling = read_fingerprints(rw, names), _filling(rw)
        wanted = (*tables(), *views(), *materialized)
        relations = tuple(_state_of(rw, relation, names, made, filling) for relation in wanted)
        problems = _problems(engines, names, made, relations, slot)
        return RisingWaveState(rw.version, beat_at, seconds, relations, slot, tuple(problems))


def _slot(engines: Engines) -> tuple[dict[str, Any] | None, datetime]:
    try:
        with engines.master_reader.connect() as connection:
            slots = [dict(row) for row in run_sql(connection, "queries/slots").mappings()]
            now = run_sql(connection, "queries/master_health").one().now
    except SERVER_ERRORS as error:
        raise in_words(engines.settings, "master", error) from None
    return next((slot for slot in slots if slot["slot_name"] == SLOT), None), now


def _state_of(
    rw: Console, relation: Relation, names: dict[str, str], made: dict[str, str], filling: dict[str, str]
) -> RelationState:
    if relation.name not in names:
        return RelationState(relation.name, relation.kind, "missing")
    word = "as its file says" if made.get(relation.name) == relation.fingerprint else "older than its file"
    if relation.kind == "view":  # a plain view holds nothing of its own
        return RelationState(relation.name, relation.kind, word)
    backfill = next((progress for statement, progress in filling.items() if f" {relation.name} " in statement), "done")
    if relation.kind == "table":
        read = cdc.rows_read(rw, relation.name)
        backfill = "not told" if read is None else "done" if read[1] else counted(read[0], "row")
    try:
        held = rw.run(read_sql("risingwave/templates/held").format(name=relation.name))[0]
    except RisingWaveRefused:  # it is being filled and cannot be read yet
        return RelationState(relation.name, relation.kind, word, backfill=backfill)
    return RelationState(relation.name, relation.kind, word, held.held, held.changed_at, backfill)


def _filling(rw: Console) -> dict[str, str]:
    return {f"{row.statement} ": row.progress for row in rw.run(read_sql("risingwave/catalog/progress"))}


def _problems(
    engines: Engines,
    names: dict[str, str],
    made: dict[str, str],
    relations: tuple[RelationState, ...],
    slot: dict[str, Any] | None,
) -> list[str]:
    found = []
    if SOURCE not in names:
        return [f"Nothing has been built. {APPLY}"]
    if made.get(SOURCE) != cdc.fingerprints_of(engines.settings)[SOURCE]:
        found.append(f"The source was made for another master or by another version. {REBUILD}")
    if slot is None:
        found.append(f"The master has no slot {SLOT}: changes are missing. {REBUILD}")
    elif slot["wal_status"] == "lost":
        found.append(f"The slot {SLOT} was lost, as RisingWave stayed away too long: changes are missing. {REBUILD}")
    elif not slot["is_active"]:
        found.append(
            f"Nobody reads from the slot {SLOT}, and the master keeps WAL for it. `docker compose restart risingwave`"
            " makes RisingWave connect again."
        )
    if any(each.state != "as its file says" for each in relations):
        found.append(f"Some views are missing or older than their files. {APPLY}")
    if missing := [table for table in FOLLOWED if table in names and changes_of(table) not in names]:
        found.append(f"No subscription follows {', '.join(missing)}. {APPLY}")
    return found
