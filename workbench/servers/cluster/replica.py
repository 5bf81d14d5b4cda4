"""The replica: a streamed copy of the master, made anew only when it can no longer follow; and made to stand still."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from psycopg2.extensions import connection as Connection
from pydantic import SecretStr

from workbench.config import Settings
from workbench.database.deadline import wait_until
from workbench.database.sql_files import read_sql
from workbench.errors import ClusterError
from workbench.servers.cluster.copies import holds_server, read_control
from workbench.servers.cluster.layout import (
    KEPT,
    REPLACED,
    Layout,
    Node,
    layout_of,
    move_into_place,
    put_aside,
    workshop,
    write_private,
)
from workbench.servers.cluster.node_settings import (
    SUPERUSER,
    is_current,
    read_passwords,
    replication_address,
    write_settings,
)
from workbench.servers.cluster.processes import Programs, ensure_ready, running, signed_in, stop
from workbench.servers.disk import says_full

PAUSE_SECONDS = 10


@contextmanager
def paused_replica(settings: Settings) -> Iterator[None]:
    """Inside the block the embedded replica replays nothing; whatever happens there, it replays again afterwards.

    It goes on receiving WAL, so nothing is lost. Should the process be killed inside the block, `workbench up` (or a
    restart) lets it replay. Raises ClusterError on a replica that is not the embedded one: only its superuser may.
    """
    layout = layout_of(settings)
    with signed_in(_embedded(settings, layout), read_passwords(layout)[SUPERUSER]) as on_replica:
        try:
            _execute(on_replica, "cluster/pause_replay")
            _wait_until_paused(on_replica)
            yield
        finally:
            _execute(on_replica, "cluster/resume_replay")


def resume(on_replica: Connection) -> bool:
    """Lets a replica replay that was left paused; False when it was not."""
    return bool(_execute(on_replica, "cluster/resume_replay"))


def _embedded(settings: Settings, layout: Layout) -> Node:
    server = running(layout.replica)
    is_ours = server is not None and settings.replica_db_port == server.port
    if not is_ours or settings.replica_db_host not in ("", "127.0.0.1", "localhost"):
        raise ClusterError(
            "Only the embedded replica can be paused from here, and this is not it, or it does not run. On a replica of"
            " your own a superuser runs `select pg_wal_replay_pause()`, and later `select pg_wal_replay_resume()`."
        )
    return layout.replica


def _wait_until_paused(on_replica: Connection) -> None:
    """PostgreSQL pauses before the next record that it replays, or within a second when there is none."""
    if not wait_until(lambda: _execute(on_replica, "cluster/replay_state") == [("paused",)], PAUSE_SECONDS, 0.02):
        raise ClusterError(f"The replica did not stand still within {PAUSE_SECONDS} s; it goes on.")


def _execute(on_replica: Connection, name: str) -> list[tuple[object, ...]]:
    with on_replica.cursor() as cursor:
        cursor.execute(read_sql(name))
        return cursor.fetchall()


COPY_SECONDS = 3600


class Reason(NamedTuple):
    """Why the replica has to be copied anew. ``holds_more``: what is there may hold what the master lacks."""

    why: str
    holds_more: bool = False


def bring_up(layout: Layout, programs: Programs, passwords: dict[str, SecretStr], say: Callable[[str], None]) -> None:
    """Returns when the replica answers; the master must answer already. Raises ClusterError."""
    node, password = layout.replica, passwords[SUPERUSER]
    with signed_in(layout.master, password) as on_master:
        reason = _reason_to_rebuild(layout, on_master)
        if reason is None:
            reason = _start_and_look(layout, programs, password, on_master, say)
        if reason:
            say(f"Rebuilding the replica: {reason.why}" if node.pgdata.exists() else "Creating the replica")
            stop(programs, node)
            if node.pgdata.exists():
                _clear_the_way(layout, reason.holds_more or _holds_more(layout, programs, on_master), say)
            _copy(layout, programs, on_master)
            _start(layout, programs, password, say)
    with signed_in(node, password) as on_replica:
        if resume(on_replica):
            say("The replica was left paused: it replays again")


def _reason_to_rebuild(layout: Layout, on_master: Connection) -> Reason | None:
    """Why this replica can never again follow this master; None when it can, however far behind it is."""
    pgdata = layout.replica.pgdata
    if not holds_server(pgdata):
        return Reason("there is no complete copy of the master")
    if not (pgdata / "standby.signal").exists():
        return Reason("it was promoted and is no replica any more", holds_more=True)
    slot = _row(on_master, "cluster/replica_slot")
    if slot is None:  # a master that was put back from a backup has none
        return Reason("its slot on the master is missing", holds_more=True)
    if slot[0]:
        return Reason("its slot on the master was lost, and with it WAL that it still needed")
    return None


def _start_and_look(
    layout: Layout, programs: Programs, password: SecretStr, on_master: Connection, say: Callable[[str], None]
) -> Reason | None:
    """Starts it. Why it cannot follow this master after all; None when it can."""
    node = layout.replica
    if not is_current(layout, node):
        write_settings(layout, node)
    try:
        _start(layout, programs, password, say)
    except ClusterError as error:
        if running(node) or says_full(str(error)):  # it may only be slow, and a copy would not fit either
            raise
        return Reason(f"it did not start. {error}")
    with signed_in(node, password) as on_replica:
        (holds,) = _row(on_replica, "cluster/replica_position") or (0,)
    _, ends = _master_position(on_master)  # asked after the replica: a master that is well is not behind it
    if holds > ends:
        return Reason("it is ahead of the master, which was put back from an older copy, or lost what it had", True)
    return None


def _start(layout: Layout, programs: Programs, password: SecretStr, say: Callable[[str], None]) -> None:
    if running(layout.replica) is None:
        say("Starting the replica")
    ensure_ready(programs, layout.replica, password)


def _holds_more(layout: Layout, programs: Programs, on_master: Connection) -> bool:
    """False when all that the stopped replica has came from this master, for certain."""
    if not any(layout.replica.pgdata.iterdir()):
        return False
    found = read_control(programs, layout.replica)
    timeline, ends = _master_position(on_master)
    return found is None or not found.is_standby or found.timeline > timeline or found.position > ends


def _clear_the_way(layout: Layout, holds_more: bool, say: Callable[[str], None]) -> None:
    """It goes before the slot does: beside a new one it would look sound, and stay behind for ever."""
    aside = put_aside(layout.replica.pgdata, KEPT if holds_more else REPLACED)
    if holds_more:
        say(
            f"What was there may hold sales that the master lacks: it is kept in {aside}. Remove it when it is not"
            ' needed; README, "When the master is lost", says how to go on with it instead'
        )


def _copy(layout: Layout, programs: Programs, on_master: Connection) -> None:
    """Copies the master. What it replaces goes once the copy is complete."""
    with workshop(layout.data_dir, layout.user) as folder:
        _row(on_master, "cluster/recreate_replica_slot")
        made = folder / "replica"
        # Without -R: it would write the address into postgresql.auto.conf, which beats ours when the port changes.
        options = ("-X", "stream", "-S", "replica", "--checkpoint=fast", "--no-manifest", "--no-password")
        address = replication_address(layout)
        programs.run("pg_basebackup", "-D", made, "-d", address, *options, cwd=folder, timeout_seconds=COPY_SECONDS)
        write_private(made / "standby.signal", "", layout.user)
        move_into_place(made, layout.replica.pgdata)
        for replaced in layout.data_dir.glob(f"{REPLACED}*"):
            move_into_place(replaced, folder / replaced.name)
    write_settings(layout, layout.replica)


def _master_position(on_master: Connection) -> tuple[int, int]:
    """The master's timeline, and the end of its WAL in bytes."""
    timeline, position = _row(on_master, "cluster/master_position") or (0, 0)
    return timeline, position


def _row(connection: Connection, name: str) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(read_sql(name))
        return cursor.fetchone()
