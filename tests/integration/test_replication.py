"""Read-your-writes on a real pair, and the proof that without the token it fails."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from tests.conftest import as_superuser, paused_replay, wait_until
from tests.examples import sale
from workbench.config import Settings
from workbench.connection import Workbench
from workbench.connection import connect as connect_workbench
from workbench.database.engines import connect
from workbench.database.positions import beat, wait_for_replica
from workbench.database.replication import Reader, ReadPosition, lsn_number
from workbench.errors import ServerUnavailable
from workbench.reports.run import as_reader
from workbench.servers import cluster, health
from workbench.servers.health import status


def count(connection: sa.Connection) -> int:
    return connection.execute(sa.text("select count(*) from sales_transaction")).scalar_one()


def test_a_session_always_reads_what_it_wrote(workbench: Workbench) -> None:
    sales = workbench.sales()
    for expected in range(1, 101):
        sales.create(sale(), uuid4())
        assert workbench.reader.read(sales.read_position, count).value == expected


def test_without_its_token_a_session_reads_old_rows(workbench: Workbench, replica_superuser: sa.Engine) -> None:
    with paused_replay(workbench.engines, replica_superuser):
        sales = workbench.sales()
        sales.create(sale(), uuid4())
        forgetful = workbench.reader.read(ReadPosition(), count)
        assert (forgetful.engine, forgetful.value) == ("replica", 0)
        assert workbench.reader.read(sales.read_position, count).value == 1


def test_a_replica_that_is_behind_is_passed_over_and_comes_back(
    workbench: Workbench, replica_superuser: sa.Engine
) -> None:
    sales = workbench.sales()
    with paused_replay(workbench.engines, replica_superuser):
        sales.create(sale(), uuid4())
        start = time.monotonic()
        answer = workbench.reader.read(sales.read_position, count)
        assert (answer.value, answer.engine) == (1, "master")
        assert "still behind" in answer.note
        assert time.monotonic() - start < 1.0
        other = workbench.reader.read(ReadPosition(), count)
        assert (other.value, other.engine) == (0, "replica"), "another session may read the older state"
    assert workbench.reader.read(sales.read_position, count).engine == "replica"


def test_reads_do_not_go_back_in_time_after_the_master_answered(
    workbench: Workbench, replica_superuser: sa.Engine
) -> None:
    reading = ReadPosition()
    with paused_replay(workbench.engines, replica_superuser):
        workbench.sales().create(sale(), uuid4())
        assert workbench.reader.read_master(reading, count).value == 1
        assert workbench.reader.read(reading, count).value == 1


def test_nobody_waits_for_a_record_of_which_whole_pages_alone_are_flushed(
    workbench: Workbench, settings: Settings
) -> None:
    """So is the WAL of a transaction that goes on; the rest of its last record comes with somebody's next commit."""
    is_cut = """
        select (pg_current_wal_flush_lsn() - '0/0') %% 8192 = 0
            and pg_current_wal_insert_lsn() > pg_current_wal_flush_lsn()
    """
    read_position = ReadPosition()
    superuser = as_superuser(cluster.superuser(settings), settings.master_db_port)
    with superuser.execution_options(isolation_level="READ COMMITTED").connect() as going_on, superuser.connect() as at:
        going_on.exec_driver_sql("select pg_logical_emit_message(false, 'test', repeat('x', 20000))")
        wait_until(lambda: at.exec_driver_sql(is_cut).scalar_one(), "the WAL writer")
        workbench.reader.read_master(read_position, count)
        wait_until(lambda: workbench.reader.read(read_position, count).engine == "replica", "the replica", seconds=5)
        going_on.exec_driver_sql("select pg_logical_emit_message(false, 'test', repeat('x', 20000))")
        wait_until(lambda: at.exec_driver_sql(is_cut).scalar_one(), "the WAL writer")
        assert wait_for_replica(workbench.engines, seconds=5)


def test_after_a_read_of_the_master_nobody_waits_for_wal_that_is_not_flushed(
    workbench: Workbench, settings: Settings
) -> None:
    """It is sent to the replica with the next commit, which may be 25 s away: such a read alone may prune a page."""
    read_position = ReadPosition()
    with as_superuser(cluster.superuser(settings), settings.master_db_port).connect() as connection:

        def read_beside_what_is_not_flushed() -> bool:
            """False where the WAL writer was faster: then nothing is shown."""
            connection.exec_driver_sql("select pg_logical_emit_message(false, 'test', 'no commit flushes this')")
            lsn = "select pg_current_wal_insert_lsn() > pg_current_wal_flush_lsn()"
            is_open = connection.exec_driver_sql(lsn).scalar_one()
            workbench.reader.read_master(read_position, count)
            return is_open and connection.exec_driver_sql(lsn).scalar_one()

        wait_until(read_beside_what_is_not_flushed, "a read beside WAL that is not flushed")
    assert workbench.reader.read(read_position, count).engine == "replica"


def test_a_replica_that_stands_still_is_not_asked(workbench: Workbench, replica_superuser: sa.Engine) -> None:
    beat(workbench.engines)
    with paused_replay(workbench.engines, replica_superuser):
        with workbench.engines.owner.begin() as connection:
            connection.exec_driver_sql("update heartbeat set beat_at = beat_at + interval '31 s'")
        workbench.reader.renew()
        answer = workbench.reader.read(ReadPosition(), count)
        assert (answer.engine, "stands still" in answer.note) == ("master", True)
    beat(workbench.engines)


def test_ages_are_told_by_the_masters_clock_with_a_machine_that_is_an_hour_late_in_this_test(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock of the process is set back, as no test can set the machine's: figures would otherwise look old."""

    class Late(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Late:
            return super().now(tz) - timedelta(hours=1)

    monkeypatch.setattr(health, "datetime", Late)
    workbench.monitor.start()
    wait_until(lambda: workbench.monitor.last is not None, "the first heartbeat")
    with workbench.engines.owner.connect() as connection:
        clock = connection.exec_driver_sql("select clock_timestamp()").scalar_one()
    assert abs(workbench.monitor.now() - clock) < timedelta(seconds=5)


def test_killed_connections_are_replaced_without_an_error(workbench: Workbench, replica_superuser: sa.Engine) -> None:
    workbench.reader.read(ReadPosition(), count)
    with replica_superuser.connect() as connection:
        connection.exec_driver_sql(
            "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'workbench_reader'"
        )
    assert workbench.reader.read(ReadPosition(), count).engine == "replica"


def test_a_replica_that_is_away_costs_one_try_and_the_master_answers(settings: Settings, workbench: Workbench) -> None:
    gone = connect(settings.model_copy(update={"replica_db_port": 1}))
    answer = Reader(gone).read(ReadPosition(), count)
    assert (answer.engine, answer.note) == ("master", "the replica does not answer")
    gone.dispose()


def test_a_master_that_is_away_is_said_in_words(settings: Settings, workbench: Workbench) -> None:
    gone = connect(settings.model_copy(update={"master_db_port": 1}))
    sales = workbench.sales()
    sales.engines = gone
    with pytest.raises(ServerUnavailable, match="The master at 127.0.0.1:1 does not answer"):
        sales.create(sale(), uuid4())
    gone.dispose()


def test_status_knows_lag_and_freshness(workbench: Workbench) -> None:
    beat(workbench.engines)
    assert wait_for_replica(workbench.engines)
    found = status(workbench.engines)
    assert (found.master.state, found.replica.state, found.risingwave.state) == ("up", "up", "not configured")
    assert found.replica.lag_bytes is not None and found.replica.lag_bytes >= 0
    assert found.replica.beat_at == found.master.beat_at
    assert [s["slot_name"] for s in found.slots] == ["replica"]


def test_the_monitor_beats(workbench: Workbench) -> None:
    before = status(workbench.engines).master.beat_at
    workbench.monitor.start()
    wait_until(
        lambda: workbench.reader.last_beat_at is not None and workbench.reader.last_beat_at > before, "a heartbeat"
    )


def test_a_process_that_may_only_read_follows_the_heartbeat_of_others(
    workbench: Workbench, settings: Settings, tmp_path: Path
) -> None:
    """As a report's does; each refused beat would be a line in the master's log."""
    before = status(workbench.engines).master.beat_at
    reading = connect_workbench(as_reader(settings, tmp_path))
    reading.monitor.start()
    wait_until(lambda: reading.monitor.last is not None and reading.reader.last_beat_at is not None, "the first look")
    beat(workbench.engines)
    wait_until(lambda: reading.reader.last_beat_at > before, "the other's heartbeat")
    assert reading.reader.last_beat_at == status(workbench.engines).master.beat_at, "none of its own"
    reading.close()


def test_a_query_that_takes_too_long_is_stopped_and_said_in_words(workbench: Workbench) -> None:
    def slow(connection: sa.Connection) -> None:
        connection.execute(sa.text("set local statement_timeout = 50"))
        connection.execute(sa.text("select pg_sleep(5)"))

    with pytest.raises(ServerUnavailable, match="took longer than"):
        workbench.reader.read(ReadPosition(), slow)
    assert workbench.reader.read(ReadPosition(), count).engine == "replica"


def test_lsn_number_counts_bytes() -> None:
    assert lsn_number("1/0") - lsn_number("0/FFFFFFFF") == 1
