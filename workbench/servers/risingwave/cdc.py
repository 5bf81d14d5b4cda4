"""The master's changes in RisingWave: what would stop them, the source and its tables, and the slot on the master."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from workbench.config import Server, Settings
from workbench.database.deadline import wait_until
from workbench.database.engines import Engines
from workbench.database.failures import in_words, is_away, refused_tls
from workbench.database.positions import committed_with_heartbeat, followers
from workbench.database.sql_files import read_sql, run_sql
from workbench.errors import CdcError, RisingWaveRefused
from workbench.servers.risingwave.console import SLOT, Console, let_read
from workbench.servers.risingwave.relations import HEARTBEAT, SECRET, SOURCE, source, tables
from workbench.words import counted

REBUILD = "Run `workbench risingwave drop`, then `workbench risingwave apply`."
MIGRATE = "Run `workbench migrate`."
GRANTS = "Run `workbench up` (on a server of your own: sql/cluster/database.sql as a superuser)."


def check(engines: Engines, version: str, has_source: bool) -> int:
    """PostgreSQL's major version. Raises CdcError for what RisingWave would stumble on, with what mends it.

    ``has_source``: RisingWave reads the master already, so its slot must be there.
    """
    found = _read_master(engines)
    address = engines.settings.master.address
    problems = _obstacles(found, version, has_source, engines.settings.cdc.user)
    for is_wrong, problem in [*problems, _encryption(engines.settings.cdc_from_risingwave)]:
        if is_wrong:
            raise CdcError(f"RisingWave cannot read the master at {address}: {problem}")
    return int(found.postgresql)


def newest_postgresql(version: str) -> int:
    """The newest PostgreSQL that this RisingWave accepts, by its major version."""
    return 17 if _major(version) < 3 else 18


def _read_master(engines: Engines) -> Any:
    try:
        with engines.cdc.connect() as connection:
            return run_sql(connection, "queries/cdc_preflight", {"slot": SLOT}).one()
    except DBAPIError as error:
        raise CdcError(_unreachable_master(engines, str(error.orig))) from error


def _unreachable_master(engines: Engines, text: str) -> str:
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


def _obstacles(found: Any, version: str, has_source: bool, user: str) -> list[tuple[bool, str]]:
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


LEAVE_SECONDS = 15.0  # RisingWave lets go of the slot a moment after its source is dropped
DROP_POLL_SECONDS = 0.2


def drop_slot(engines: Engines, *, ends_reader: bool = True) -> bool:
    """Drops the slot; False when there was none. A reader gets some seconds to go, and is ended then.

    Raises CdcError when it cannot be dropped (or, without ``ends_reader``, is still read), ServerUnavailable.
    """
    try:
        with engines.cdc.connect() as connection:
            end = time.monotonic() + (LEAVE_SECONDS if ends_reader else 0)
            while (slot := _slot(connection)) is not None and slot.active_pid is not None:
                if time.monotonic() >= end:
                    break
                time.sleep(DROP_POLL_SECONDS)
            if slot is not None and slot.active_pid is not None and not ends_reader:
                raise CdcError(
                    f"The slot {SLOT} on the master is read by another RisingWave already (process {slot.active_pid})."
                    " Two must not read from one slot: run `workbench risingwave drop` for that one first."
                )
            return run_sql(connection, "queries/drop_slot", {"slot": SLOT}).one_or_none() is not None
    except DBAPIError as error:
        if is_away(error):
            raise in_words(engines.settings, "master", error) from None
        raise CdcError(
            f"The slot {SLOT} could not be dropped: {str(error.orig).splitlines()[0]}. Stop RisingWave, then run"
            " `workbench risingwave drop --slot-only`."
        ) from error


def is_read(engines: Engines) -> bool:
    """Whether RisingWave reads from the slot at this moment. Raises ServerUnavailable."""
    try:
        with engines.cdc.connect() as connection:
            slot = _slot(connection)
    except DBAPIError as error:
        raise in_words(engines.settings, "master", error) from None
    return slot is not None and slot.active_pid is not None


def _slot(connection: sa.Connection) -> sa.Row[tuple[str, int]] | None:
    return run_sql(connection, "queries/cdc_slot", {"slot": SLOT}).one_or_none()


FAILOVER_SLOTS = 17  # the first PostgreSQL that has them
STALL_SECONDS = 300.0
BEAT_SECONDS = 120.0
RETURN_SECONDS = 120.0
POLL_SECONDS = 0.5
SSL_MODES = {"disable": "disabled", "allow": "preferred", "prefer": "preferred", "require": "required"}  # RisingWave's

Say = Callable[[str], None]
UNTOLD = "report failure"  # all that RisingWave says when its reader of changes ended as it began
UNREACHABLE = (
    r"refused|timed out|unknown ?host|could not (connect|resolve)|connection attempt failed|no route|unreachable"
)


def fingerprints_of(settings: Settings) -> dict[str, str]:
    """What the source and the tables are made from: their text, and for the source where it connects."""
    server = settings.cdc_from_risingwave
    found = {relation.name: relation.fingerprint for relation in (source(), *tables())}
    address = f"{found[SOURCE]} {server.user}@{server.host}:{server.port}/{server.name}"
    address += f" {server.sslmode} {server.sslrootcert}"
    return found | {SOURCE: hashlib.sha256(address.encode()).hexdigest()[:16]}


def refuse_other(settings: Settings, names: Mapping[str, str], fingerprints: Mapping[str, str]) -> None:
    """Raises CdcError when a source or a table is there that was made from something else: none can be changed."""
    for name, wanted in fingerprints_of(settings).items():
        if name in names and fingerprints.get(name) != wanted:
            raise CdcError(
                f"RisingWave's {names[name]} {name} was made by another version, or for another master, and cannot be"
                f" changed in place. {REBUILD}"
            )


def make(engines: Engines, rw: Console, names: Mapping[str, str], postgresql: int, say: Say) -> list[str]:
    """Makes what is missing and waits until RisingWave has read it. Returns the names of what it made."""
    made = []
    if SOURCE not in names:
        say(f"Making the source {SOURCE}")
        drop_slot(engines, ends_reader=False)  # one that an earlier RisingWave has left begins in the past
        _make_source(engines.settings, rw, postgresql, say)
        made.append(SOURCE)
    for table in tables():
        if table.name not in names:
            say(f"Making the table {table.name}")
            rw.run(table.text)
            made.append(table.name)
        _read_to_the_end(engines, rw, table.name, say)
    let_read(rw, engines.settings)
    if HEARTBEAT in made:
        _wait_for_a_beat(engines, rw, say)
    return made


def _make_source(settings: Settings, rw: Console, postgresql: int, say: Say) -> None:
    server, text = settings.cdc_from_risingwave, source().text
    password = server.current_password()
    if _makes_secret(rw, password):
        text = text.replace("password = :password", f"password = secret {SECRET}")
    else:
        say(
            f"RisingWave keeps no secrets here: it shows the password of {server.user} to all who may sign in to it. It"
            " takes RW_SECRET_STORE_PRIVATE_KEY_HEX and a licence, free up to four cores and 16 GB of memory"
            " (docs/full-stack.md)."
        )
    if not server.sslrootcert:
        text = text.replace("    ssl.root.cert = :ssl_root_cert,\n", "")
    values = {
        "host": server.host,
        "port": str(server.port),
        "user": server.user,
        "password": password,
        "database": server.name,
        "slot": SLOT,
        "ssl_mode": SSL_MODES.get(server.sslmode, server.sslmode),
        "ssl_root_cert": server.sslrootcert,
        "failover": "true" if postgresql >= FAILOVER_SLOTS else "false",
    }
    try:
        rw.run(text, **{name: value for name, value in values.items() if f":{name}" in text})
    except RisingWaveRefused as refused:
        raise CdcError(
            _refusal(settings, str(refused).replace(password, "***") if password else str(refused))
        ) from None


def keep_password(engines: Engines, rw: Console, say: Say, *, has_changed: bool = False) -> bool:
    """RisingWave has the settings' password of the role that reads the master, and reads; False: it keeps no secret.

    It takes a secret up when it begins to read, not when the secret changes. So it is told to begin anew where it does
    not read, and where the password is known to have changed. Raises CdcError when it does not read then either.
    """
    server = engines.settings.cdc_from_risingwave
    if not _has_secret(rw):
        return False
    rw.run(f"alter secret {SECRET} as :password", password=server.current_password())
    if has_changed or not is_read(engines):
        say(f"RisingWave begins to read the master anew, as {server.user}")
        rw.run("recover")
        _wait_for_reader(engines)
    return True


def _has_secret(rw: Console) -> bool:
    try:
        return bool(rw.run(read_sql("risingwave/catalog/secret"), name=SECRET))
    except RisingWaveRefused:  # a version that has none
        return False


def _wait_for_reader(engines: Engines) -> None:
    if not wait_until(lambda: is_read(engines), RETURN_SECONDS, POLL_SECONDS):
        raise CdcError(
            f"RisingWave has not begun to read the master again within {RETURN_SECONDS:.0f} s. `docker compose logs"
            " risingwave` says why; `docker compose restart risingwave` makes it try anew."
        )


def _makes_secret(rw: Console, password: str) -> bool:
    """True when RisingWave keeps the password as a secret: a licensed thing, which needs a key from its operator."""
    try:
        licensed = rw.run(read_sql("risingwave/catalog/features"))
        if licensed and not licensed[0].is_available:
            return False
        rw.run(f"drop secret if exists {SECRET}")
        rw.run(f"create secret {SECRET} with (backend = 'meta') as :password", password=password)
    except RisingWaveRefused:
        return False
    return True


def _refusal(settings: Settings, text: str) -> str:
    server = settings.cdc_from_risingwave
    where = f"the master at {server.address}"
    if re.search(UNREACHABLE, text, re.IGNORECASE):
        return (
            f"RisingWave does not reach {where}. Set RISINGWAVE_CDC_HOST and RISINGWAVE_CDC_PORT to the master's"
            f" address as RisingWave sees it (in Docker Compose: master and 5432). It said: {text}"
        )
    if "password" in text:
        return f"RisingWave cannot sign in to {where} as {server.user}: set RISINGWAVE_CDC_PASSWORD. It said: {text}"
    if server.sslmode.startswith("verify") and UNTOLD in text:
        return (
            f"RisingWave cannot read {where}. It is to verify it ({server.sslmode}): the CA in"
            f" RISINGWAVE_CDC_SSLROOTCERT ({server.sslrootcert}, a file where RisingWave runs) has to vouch for its"
            f" certificate, which has to be for {server.host}. `docker compose logs risingwave` says what it lacks."
            f" It said: {text}"
        )
    return f"RisingWave cannot read {where}. {text}"


def _read_to_the_end(engines: Engines, rw: Console, table: str, say: Say) -> None:
    """Waits until the rows that were there at first have been read; the statement that makes a table does not."""
    last, moved_at = -1, time.monotonic()
    while True:
        rows, is_read = rows_read(rw, table) or _counted(engines, rw, table)
        if is_read:
            return
        if rows != last:
            say(f"Reading {table}: {counted(rows, 'row')}")
            last, moved_at = rows, time.monotonic()
        if time.monotonic() - moved_at > STALL_SECONDS:
            raise CdcError(
                f"RisingWave has read no row of {table} for {STALL_SECONDS:.0f} s. `docker compose logs risingwave`"
                " says why; a transaction that stays open on the master can be the cause."
            )
        time.sleep(POLL_SECONDS)


def rows_read(rw: Console, table: str) -> tuple[int, bool] | None:
    """How many of the rows that a table had at first have been read, and whether that is all of them.

    RisingWave notes it in a table of its own; SHOW JOBS does not tell of tables that follow a source. None when there
    is no such note: it is no part of RisingWave's public interface, and another version may keep it otherwise.
    """
    pattern = f"__internal_{table}_%streamcdcscan%"
    found = rw.run(read_sql("risingwave/catalog/table_state"), pattern=pattern)
    if not found:
        return None
    try:
        states = rw.run(read_sql("risingwave/templates/first_rows").format(name=found[0].name))
    except RisingWaveRefused:
        return None
    return (int(states[0].held), bool(states[0].is_read)) if states else (0, False)


def _counted(engines: Engines, rw: Console, table: str) -> tuple[int, bool]:
    """The same by counting: all rows have been read when there are as many as on the master."""
    count = read_sql("risingwave/templates/count").format(name=table)
    rows = int(rw.run(count)[0].held)
    try:
        with engines.cdc.connect() as connection:
            return rows, rows >= connection.execute(sa.text(count)).scalar_one()
    except DBAPIError as error:
        raise in_words(engines.settings, "master", error) from None


def _wait_for_a_beat(engines: Engines, rw: Console, say: Say) -> None:
    """The first heartbeat is read from the table; one that came with the changes vouches for what came before it.

    While ever newer ones come, RisingWave is only behind. Raises CdcError when none has come for two minutes.
    """
    token, before = committed_with_heartbeat(engines), _last_beat(rw)
    follower = next(found for found in followers(engines) if found.name == "risingwave")
    while not follower.wait(token, BEAT_SECONDS):
        if (last := _last_beat(rw)) == before:
            raise CdcError(
                f"RisingWave shows no change of the master's after {BEAT_SECONDS:.0f} s. `docker compose logs"
                " risingwave` says why; then run `workbench risingwave apply` again."
            )
        say(f"RisingWave is behind: it has read the master's changes up to {last}, and is to reach {token}")
        before = last


def _last_beat(rw: Console) -> str | None:
    found = rw.run(read_sql("queries/risingwave_beat"))
    return found[0].lsn if found else None
