"""Whether RisingWave can read the master's changes: each thing that would stop it is told before anything is made."""

from __future__ import annotations

from typing import Any

from sqlalchemy.exc import DBAPIError

from workbench.config import Server
from workbench.database.engines import Engines
from workbench.database.failures import refused_tls
from workbench.database.sql_files import run_sql
from workbench.errors import CdcError
from workbench.servers.risingwave.console import SLOT

REBUILD = "Run `workbench risingwave drop`, then `workbench risingwave apply`."
MIGRATE = "Run `workbench migrate`."
GRANTS = "Run `workbench up` (on a server of your own: sql/cluster/database.sql as a superuser)."


def check(engines: Engines, version: str, has_source: bool) -> int:
    """PostgreSQL's major version. Raises CdcError for what RisingWave would stumble on, with what mends it.

    ``has_source``: RisingWave reads the master already, so its slot must be there.
    """
    found = _read(engines)
    address = engines.settings.master.address
    problems = _problems(found, version, has_source, engines.settings.cdc.user)
    for is_wrong, problem in [*problems, _encryption(engines.settings.cdc_from_risingwave)]:
        if is_wrong:
            raise CdcError(f"RisingWave cannot read the master at {address}: {problem}")
    return int(found.postgresql)


def newest_postgresql(version: str) -> int:
    """The newest PostgreSQL that this RisingWave accepts, by its major version."""
    return 17 if _major(version) < 3 else 18


def _read(engines: Engines) -> Any:
    try:
        with engines.cdc.connect() as connection:
            return run_sql(connection, "queries/cdc_preflight", {"slot": SLOT}).one()
    except DBAPIError as error:
        raise CdcError(_unreachable(engines, str(error.orig))) from error


def _unreachable(engines: Engines, text: str) -> str:
    server = engines.settings.cdc
    if tls := refused_tls("master", server, text):
        return tls
    where = f"The master at {server.address}"
    if "password" in text:
        return (
            f"{where} refuses the password of {server.user}. Set RISINGWAVE_CDC_PASSWORD to that role's password, or"
            f" give it one: `alter role {server.user} password '...'`."
        )
    if "FATAL" in text:
        return f"{where} does not let {server.user} into the database {server.name}. {GRANTS}"
    return f"{where} does not answer. Start it, or check MASTER_DB_HOST and MASTER_DB_PORT."


def _problems(found: Any, version: str, has_source: bool, user: str) -> list[tuple[bool, str]]:
    newest = newest_postgresql(version)
    return [
        (found.is_replica, "it is a replica, and changes can only be read from a master. Check MASTER_DB_HOST."),
        (
            found.postgresql > newest,
            f"it is PostgreSQL {found.postgresql}, and RisingWave {version} accepts {newest} and older."
            " Set RW_IMAGE=risingwavelabs/risingwave:v3.0.3 in .env and run `docker compose up -d risingwave`.",
        ),
        (
            found.wal_level != "logical",
            f"its wal_level is {found.wal_level}. Run `alter system set wal_level = 'logical'` as a superuser and"
            " restart it.",
        ),
        (not found.may_replicate, f"{user} may not replicate. Run `alter role {user} replication` as a superuser."),
        (not found.has_publication, f"it has no publication workbench_publication. {MIGRATE}"),
        (
            bool(found.unpublished),
            f"workbench_publication lacks {', '.join(found.unpublished)}. Run as the owner:"
            f" `alter publication workbench_publication add table {', '.join(found.unpublished)}`.",
        ),
        (
            not found.is_published_whole,
            "workbench_publication leaves out inserts, updates or deletes. Run as the owner:"
            " `alter publication workbench_publication set (publish = 'insert, update, delete')`.",
        ),
        (
            bool(found.unreadable),
            f"{user} may not read {', '.join(found.unreadable)}. Run as the owner:"
            f" `grant select on {', '.join(found.unreadable)} to {user}`.",
        ),
        (not found.may_beat, f"{user} may not execute pg_logical_emit_message. {GRANTS}"),
        (has_source and found.is_lost, f"the slot {SLOT} was lost: changes are missing. {REBUILD}"),
        (has_source and not found.has_slot, f"the slot {SLOT} is gone: changes are missing. {REBUILD}"),
        (
            not found.has_slot and found.slots >= found.most_slots,
            f"all of its {found.most_slots} replication slots are in use. Drop one that nobody needs (`workbench status"
            " --json` lists them), or raise max_replication_slots and restart it.",
        ),
    ]


def _encryption(server: Server) -> tuple[bool, str]:
    return (
        server.sslmode.startswith("verify") and not server.sslrootcert,
        f"to verify it ({server.sslmode}) RisingWave needs its CA. Set RISINGWAVE_CDC_SSLROOTCERT to where that"
        " file is for RisingWave, or RISINGWAVE_CDC_SSLMODE to `require`.",
    )


def _major(version: str) -> int:
    first = version.split(".")[0]
    return int(first) if first.isdigit() else 3
