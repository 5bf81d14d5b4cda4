"""The replica: a streamed copy of the master, made anew when it can no longer follow, and only then."""

from __future__ import annotations

import re
from collections.abc import Callable

from psycopg2.extensions import connection as Connection
from pydantic import SecretStr

from workbench.cluster.files import move_into_place, workshop, write_private
from workbench.cluster.layout import Layout
from workbench.cluster.node_settings import is_current, replication_address, write_settings
from workbench.cluster.passwords import SUPERUSER
from workbench.cluster.pause import resume
from workbench.cluster.processes import ProgramFailed, Programs, running, stop
from workbench.cluster.readiness import ensure_ready, signed_in
from workbench.errors import ClusterError
from workbench.sql_files import read_sql

COPY_SECONDS = 3600


def bring_up(layout: Layout, programs: Programs, passwords: dict[str, SecretStr], say: Callable[[str], None]) -> None:
    """Returns when the replica answers; the master must answer already. Raises ClusterError."""
    node, password = layout.replica, passwords[SUPERUSER]
    with signed_in(layout.master, password) as on_master:
        reason = _reason_to_rebuild(layout, programs, on_master)
        if not node.pgdata.exists():
            say("Creating the replica")
        elif reason:
            say(f"Rebuilding the replica: {reason}")
        if reason:
            _rebuild(layout, programs, on_master)
        elif not is_current(layout, node):
            write_settings(layout, node)
        if running(node) is None:
            say("Starting the replica")
        try:
            ensure_ready(programs, node, password)
        except ClusterError as error:
            if reason or running(node):  # a copy just made would fail again; one that runs may only be slow
                raise
            say(f"Rebuilding the replica: it did not start. {error}")
            _rebuild(layout, programs, on_master)
            ensure_ready(programs, node, password)
        with signed_in(node, password) as on_replica:
            if resume(on_replica):
                say("The replica was left paused: it replays again")


def _reason_to_rebuild(layout: Layout, programs: Programs, on_master: Connection) -> str | None:
    """Why this replica can never again follow this master; None when it can, however far behind it is."""
    pgdata = layout.replica.pgdata
    if not (pgdata / "PG_VERSION").exists():
        return "there is no complete copy of the master"
    if not (pgdata / "standby.signal").exists():
        return "it was promoted and is no replica any more"
    with on_master.cursor() as cursor:
        cursor.execute(read_sql("cluster/replica_slot"))
        slot = cursor.fetchone()
        cursor.execute("select system_identifier from pg_control_system()")
        (master_identifier,) = cursor.fetchone() or (None,)
    if slot is None:
        return "its slot on the master is missing"
    if slot[0]:
        return "its slot on the master was lost, and with it WAL that it still needed"
    if _system_identifier(layout, programs) != master_identifier:
        return "it is a copy of another master"
    return None


def _system_identifier(layout: Layout, programs: Programs) -> int | None:
    """The identifier of the master that the replica was copied from; None when its control file is damaged."""
    pgdata = layout.replica.pgdata
    try:
        printed = programs.run("pg_controldata", "-D", pgdata, cwd=pgdata)
    except ProgramFailed:
        return None
    found = re.search(r"system identifier:\s+(\d+)", printed)
    return int(found[1]) if found else None


def _rebuild(layout: Layout, programs: Programs, on_master: Connection) -> None:
    """Copies the master anew."""
    node = layout.replica
    stop(programs, node)
    with workshop(layout.data_dir, layout.user) as folder:
        if node.pgdata.exists():  # it goes first: beside a new slot it would look sound, and stay behind for ever
            move_into_place(node.pgdata, folder / "old")
        with on_master.cursor() as cursor:
            cursor.execute(read_sql("cluster/recreate_replica_slot"))
        made = folder / "replica"
        # Without -R: it would write the address into postgresql.auto.conf, which beats ours when the port changes.
        options = ("-X", "stream", "-S", "replica", "--checkpoint=fast", "--no-manifest", "--no-password")
        address = replication_address(layout)
        programs.run("pg_basebackup", "-D", made, "-d", address, *options, cwd=folder, timeout_seconds=COPY_SECONDS)
        write_private(made / "standby.signal", "", layout.user)
        move_into_place(made, node.pgdata)
    write_settings(layout, node)
