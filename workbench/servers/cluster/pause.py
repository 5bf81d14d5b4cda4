"""The embedded replica made to stand still, to see what a reader then sees."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg2.extensions import connection as Connection

from workbench.config import Settings
from workbench.database.deadline import wait_until
from workbench.database.sql_files import read_sql
from workbench.errors import ClusterError
from workbench.servers.cluster.layout import Layout, Node, layout_of
from workbench.servers.cluster.passwords import SUPERUSER, read_passwords
from workbench.servers.cluster.processes import running
from workbench.servers.cluster.readiness import signed_in

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
