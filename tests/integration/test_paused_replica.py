"""The embedded replica made to stand still: what is seen meanwhile, and that it always goes on."""

from __future__ import annotations

from uuid import uuid4

import psycopg2
import pytest

from tests.conftest import wait_until
from tests.examples import sale
from workbench import figures
from workbench.config import Settings
from workbench.connection import Workbench
from workbench.database.positions import wait_for_replica
from workbench.database.replication import ReadPosition
from workbench.errors import ClusterError
from workbench.servers import cluster
from workbench.servers.cluster.layout import layout_of
from workbench.servers.cluster.node_settings import SUPERUSER, read_passwords
from workbench.servers.cluster.processes import signed_in


def is_paused(settings: Settings) -> bool:
    """Whether the replica stands still, as its superuser sees it."""
    layout = layout_of(settings)
    with signed_in(layout.replica, read_passwords(layout)[SUPERUSER]) as on_replica, on_replica.cursor() as cursor:
        cursor.execute("select pg_is_wal_replay_paused()")
        return bool(cursor.fetchone()[0])


def test_a_reader_sees_the_past_and_a_writer_its_own_sale(workbench: Workbench, settings: Settings) -> None:
    read_position = ReadPosition()
    with cluster.paused_replica(settings):
        assert is_paused(settings)
        workbench.sales(read_position).create(sale(), uuid4())
        before = figures.sales(workbench)
        own = figures.sales(workbench, read_position=read_position)
    assert (before["sales"].tolist(), before.attrs["engine"]) == ([0], "replica")
    assert (own["sales"].tolist(), own.attrs["engine"]) == ([1], "master")
    assert "still behind" in own.attrs["note"]
    assert wait_for_replica(workbench.engines)
    assert figures.sales(workbench)["sales"].tolist() == [1]


def test_it_goes_on_whatever_happens(settings: Settings) -> None:
    with pytest.raises(KeyboardInterrupt), cluster.paused_replica(settings):
        raise KeyboardInterrupt
    assert not is_paused(settings)


def test_up_lets_a_replica_go_on_that_was_left_paused(settings: Settings) -> None:
    layout = layout_of(settings)
    with signed_in(layout.replica, read_passwords(layout)[SUPERUSER]) as on_replica, on_replica.cursor() as cursor:
        cursor.execute("select pg_wal_replay_pause()")
    said: list[str] = []
    cluster.up(settings.model_copy(update={"master_db_host": "", "replica_db_host": ""}), said.append)
    assert "left paused" in " ".join(said)
    wait_until(lambda: not is_paused(settings), "the replica to go on")


def test_only_the_embedded_replica_is_paused(settings: Settings) -> None:
    elsewhere = settings.model_copy(update={"replica_db_host": "db.example.org"})
    with pytest.raises(ClusterError, match="pg_wal_replay_pause"), cluster.paused_replica(elsewhere):
        pytest.fail("it was not refused")


def test_the_reader_itself_may_not_pause_it(workbench: Workbench) -> None:
    """Why a helper with the superuser's password is needed at all."""
    assert workbench.engines.replica is not None
    with workbench.engines.replica.connect() as connection, pytest.raises(psycopg2.errors.InsufficientPrivilege):
        connection.connection.cursor().execute("select pg_wal_replay_pause()")
