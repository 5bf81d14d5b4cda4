"""No call hangs: a server that is stopped, or a network that swallows everything, costs the limit and no more."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, nullcontext

import psycopg2
import pytest
import sqlalchemy as sa

from tests.conftest import as_superuser, wait_until
from tests.fault_proxy import FaultProxy
from workbench.config import Settings
from workbench.connection import Workbench
from workbench.database.deadline import ANSWER_SECONDS, LATE_SECONDS, GuardedConnection
from workbench.database.engines import connect
from workbench.database.replication import Reader, ReadPosition
from workbench.servers import cluster


@pytest.fixture
def hole(settings: Settings) -> Iterator[FaultProxy]:
    made = FaultProxy((settings.replica_db_host, settings.replica_db_port))
    yield made
    made.close()


@contextmanager
def guarded(settings: Settings, port: int) -> Iterator[GuardedConnection]:
    user = settings.master_reader
    connection = psycopg2.connect(
        host="127.0.0.1",
        port=port,
        dbname=user.name,
        user=user.user,
        password=user.password.get_secret_value(),
        connection_factory=GuardedConnection,
    )
    try:
        yield connection
    finally:
        connection.close()


def test_a_login_without_a_password_is_over_at_the_server_too_while_the_error_is_kept(settings: Settings) -> None:
    user = settings.master_reader
    with pytest.raises(psycopg2.OperationalError, match="no password supplied") as kept:
        psycopg2.connect(
            host="127.0.0.1",
            port=user.port,
            dbname=user.name,
            user=user.user,
            connection_factory=GuardedConnection,
        )
    starting = "select count(*) from pg_stat_activity where state = 'starting'"
    with as_superuser(cluster.superuser(settings), user.port).connect() as connection:
        wait_until(lambda: connection.exec_driver_sql(starting).scalar_one() == 0, "the login to be over")
    assert kept.value.__traceback__ is not None


def test_a_statement_into_a_black_hole_ends_at_the_limit(settings: Settings, hole: FaultProxy) -> None:
    with guarded(settings, hole.port) as connection:
        connection.limit_seconds = 0.5
        cursor = connection.cursor()
        cursor.execute("select 1")
        hole.swallow()
        start = time.monotonic()
        with pytest.raises(psycopg2.OperationalError):
            cursor.execute("select 2")
        assert 0.4 < time.monotonic() - start < 2


def test_without_the_limit_the_same_statement_hangs(settings: Settings, hole: FaultProxy) -> None:
    with guarded(settings, hole.port) as connection:
        connection.limit_seconds = 3600
        cursor = connection.cursor()
        hole.swallow()
        thread = threading.Thread(target=lambda: cursor.execute("select 2"), daemon=True)
        thread.start()
        thread.join(timeout=1.5)
        assert thread.is_alive(), "the statement ended by itself, so the test above proves nothing"
        hole.pass_on()
        thread.join(timeout=5)
        assert not thread.is_alive()


@pytest.mark.parametrize(("silent_seconds", "goes_on"), [(0.0, False), (60.0, True)], ids=["gone", "starved"])
def test_a_server_that_says_nothing_is_gone_except_where_it_may_be_starved(
    settings: Settings, hole: FaultProxy, silent_seconds: float, goes_on: bool
) -> None:
    with guarded(settings, hole.port) as connection, ThreadPoolExecutor(1) as thread:
        connection.be_patient(3600, silent_seconds)
        cursor = connection.cursor()
        hole.swallow()
        asked = thread.submit(cursor.execute, "select 2")
        wait([asked], 2 * (LATE_SECONDS + ANSWER_SECONDS))
        assert asked.done() is not goes_on
        hole.pass_on()
        with nullcontext() if goes_on else pytest.raises(psycopg2.OperationalError):
            asked.result(30)


def test_a_statement_within_the_limit_is_left_alone(settings: Settings, hole: FaultProxy) -> None:
    with guarded(settings, hole.port) as connection:
        connection.limit_seconds = 0.5
        cursor = connection.cursor()
        for _ in range(3):
            cursor.execute("select pg_sleep(0.3)")
        connection.commit()


def test_reads_leave_a_black_hole_within_the_ping_limit(settings: Settings, hole: FaultProxy) -> None:
    engines = connect(settings.model_copy(update={"replica_db_port": hole.port}))
    reader = Reader(engines)
    work = lambda c: c.execute(sa.text("select 1")).scalar_one()  # noqa: E731
    wait_until(lambda: reader.read(ReadPosition(), work).engine == "replica", "the replica")
    hole.swallow()
    start = time.monotonic()
    answer = reader.read(ReadPosition(), work)
    assert (answer.value, answer.engine) == (1, "master")
    assert time.monotonic() - start < 6
    start = time.monotonic()
    assert reader.read(ReadPosition(), work).engine == "master"
    assert time.monotonic() - start < 0.5, "a replica that has just not answered is not tried again at once"
    engines.dispose()


def test_a_stopped_replica_does_not_stop_reading(settings: Settings, workbench: Workbench) -> None:
    pid_file = settings.workbench_data_dir / "replica" / "postmaster.pid"
    work = lambda c: c.execute(sa.text("select pg_backend_pid()")).scalar_one()  # noqa: E731
    backend = workbench.reader.read(ReadPosition(), work).value
    postmaster = int(pid_file.read_text().splitlines()[0])
    for pid in (postmaster, backend):
        os.kill(pid, signal.SIGSTOP)
    try:
        start = time.monotonic()
        assert workbench.reader.read(ReadPosition(), work).engine == "master"
        assert time.monotonic() - start < 6
    finally:
        for pid in (postmaster, backend):
            os.kill(pid, signal.SIGCONT)
