"""A replica that ends queries, hangs, or stands still: the master answers, it is said why, and nobody waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
import sqlalchemy as sa

from tests.conftest import paused_replay, wait_until
from tests.examples import sale
from tests.fault_proxy import FaultProxy
from workbench.config import Settings
from workbench.connection import Workbench
from workbench.database.engines import Engines, connect
from workbench.database.positions import beat, wait_for_replica
from workbench.database.replication import Answer, Reader, ReadPosition
from workbench.database.sql_query import query
from workbench.errors import ServerBusy

# Long on the replica, nothing on the master, which answers in its place.
LONG = "select case when pg_is_in_recovery() then pg_sleep(60)::text end as slept from heartbeat"
COUNT = "select count(*) as n from sales_transaction"
REPLAYED = "the replica had to replay a change of the tables"


def count(connection: sa.Connection) -> int:
    return connection.execute(sa.text(COUNT)).scalar_one()


class Asked(threading.Thread):
    """One read in a thread: its answer, or what it raised."""

    def __init__(self, read: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self._read = read
        self.answer: object = None
        self.start()

    def run(self) -> None:
        try:
            self.answer = self._read()
        except Exception as error:  # noqa: BLE001 - whatever it is, the test looks at it
            self.answer = error

    def ended(self) -> object:
        self.join(timeout=40)
        assert not self.is_alive(), "the read still waits"
        return self.answer


def long_read(reader: Reader) -> Answer[None]:
    return reader.read(ReadPosition(), lambda connection: connection.execute(sa.text(LONG)).scalar_one())


@contextmanager
def impatient(superuser: sa.Engine) -> Iterator[None]:
    """The replica's replay waits for queries for moments only."""
    with superuser.connect() as connection:
        connection.exec_driver_sql("alter system set max_standby_streaming_delay = '50ms'")
        connection.exec_driver_sql("select pg_reload_conf()")
        try:
            yield
        finally:
            connection.exec_driver_sql("alter system reset max_standby_streaming_delay")
            connection.exec_driver_sql("select pg_reload_conf()")


def to_each_long_query(superuser: sa.Engine, function: str) -> int:
    """How many queries sleep on the replica; each gets ``function``, such as pg_cancel_backend."""
    asleep = f"select count({function}(pid)) from pg_stat_activity where wait_event = 'PgSleep'"
    with superuser.connect() as connection:
        return connection.exec_driver_sql(asleep).scalar_one()


def wait_for_long_queries(superuser: sa.Engine, wanted: int) -> None:
    wait_until(lambda: to_each_long_query(superuser, "int4abs") == wanted, "the queries on the replica")


def test_a_query_that_replay_ends_is_answered_by_the_master_everywhere(
    workbench: Workbench, replica_superuser: sa.Engine
) -> None:
    with impatient(replica_superuser):
        reads = [Asked(lambda: long_read(workbench.reader)), Asked(lambda: query(workbench.reader, LONG))]
        wait_for_long_queries(replica_superuser, 2)
        with workbench.engines.owner.begin() as connection:
            connection.exec_driver_sql("lock table heartbeat in access exclusive mode")
        answer, frame = (read.ended() for read in reads)
    assert (answer.engine, answer.note) == ("master", REPLAYED)
    assert (frame.attrs["engine"], frame.attrs["note"]) == ("master", REPLAYED)
    assert workbench.reader.read(ReadPosition(), count).engine == "replica", "it is well, and asked again at once"


def test_a_deadlock_with_replay_is_answered_by_the_master(workbench: Workbench) -> None:
    """Replay holds a lock on one table and waits for the other; the query has that and waits for the first."""
    has_first, may_go_on = threading.Event(), threading.Event()

    def work(connection: sa.Connection) -> int:
        if not connection.execute(sa.text("select pg_is_in_recovery()")).scalar_one():
            may_go_on.set()  # the master answers: what the test holds there must go
            return count(connection)
        connection.execute(sa.text("select count(*) from saved_view"))
        has_first.set()
        return connection.execute(sa.text("select count(*) from verification")).scalar_one()

    def held_on_replica() -> bool:
        with workbench.engines.replica.connect() as connection:
            waiting = "select count(*) from pg_locks where relation = 'verification'::regclass and granted"
            return connection.execute(sa.text(f"{waiting} and mode = 'AccessExclusiveLock'")).scalar_one() == 1

    with workbench.engines.owner.begin() as connection:
        connection.exec_driver_sql("lock table verification in access exclusive mode")
        beat(workbench.engines)  # whose commit brings what was logged before it
        wait_until(held_on_replica, "the replica to replay the lock")
        read = Asked(lambda: workbench.reader.read(ReadPosition(), work))
        assert has_first.wait(20)
        connection.exec_driver_sql("lock table saved_view in access exclusive mode")
        beat(workbench.engines)
        assert may_go_on.wait(30), f"the replica did not end the query: {read.answer}"
    answer = read.ended()
    assert (answer.engine, answer.note) == ("master", REPLAYED)


def test_a_connection_that_is_ended_on_the_replica_is_answered_by_the_master(
    workbench: Workbench, replica_superuser: sa.Engine
) -> None:
    reads = [Asked(lambda: long_read(workbench.reader)), Asked(lambda: query(workbench.reader, LONG))]
    wait_for_long_queries(replica_superuser, 2)
    to_each_long_query(replica_superuser, "pg_terminate_backend")
    answer, frame = (read.ended() for read in reads)
    assert (answer.engine, answer.note) == ("master", "the replica does not answer")
    assert frame.attrs["engine"] == "master"


def test_a_query_that_somebody_cancels_is_not_asked_again(workbench: Workbench, replica_superuser: sa.Engine) -> None:
    read = Asked(lambda: long_read(workbench.reader))
    wait_for_long_queries(replica_superuser, 1)
    to_each_long_query(replica_superuser, "pg_cancel_backend")
    told = read.ended()
    assert isinstance(told, ServerBusy) and str(told) == "The replica was told to cancel the query."


@pytest.fixture
def unbeaten(engines: Engines) -> Iterator[Engines]:
    """No workbench has run for an hour: the newest heartbeat is that old, on both servers."""
    with engines.owner.begin() as connection:
        connection.exec_driver_sql("update heartbeat set beat_at = clock_timestamp() - interval '1 hour'")
    assert wait_for_replica(engines)
    yield engines
    beat(engines)


def test_without_any_heartbeat_a_replica_that_follows_is_asked(unbeaten: Engines) -> None:
    def is_asked() -> bool:
        answer = Reader(unbeaten).read(
            ReadPosition(), lambda c: c.execute(sa.text("select clock_timestamp()")).scalar_one()
        )
        return answer.engine == "replica" and abs((answer.value - answer.as_of).total_seconds()) < 20

    wait_until(is_asked, "the replica to be asked, with an as-of of now")


def test_without_any_heartbeat_a_replica_that_stands_still_is_refused(
    unbeaten: Engines, workbench: Workbench, replica_superuser: sa.Engine
) -> None:
    with paused_replay(unbeaten, replica_superuser):
        workbench.sales().create(sale(), uuid4())
        answer = Reader(unbeaten).read(ReadPosition(), count)
        frame = query(Reader(unbeaten), COUNT)
    assert (answer.value, answer.engine, answer.note) == (1, "master", "the replica is behind the master")
    assert (frame["n"].tolist(), frame.attrs["engine"], frame.attrs["note"]) == ([1], "master", answer.note)


def test_a_replica_that_stands_still_is_refused_without_a_heartbeat_of_ones_own(
    workbench: Workbench, replica_superuser: sa.Engine
) -> None:
    """Another process beats; this one only reads, and has never asked before."""
    with paused_replay(workbench.engines, replica_superuser):
        with workbench.engines.owner.begin() as connection:
            connection.exec_driver_sql("update heartbeat set beat_at = beat_at + interval '31 s'")
        answers = [Reader(workbench.engines).read(ReadPosition(), count), workbench.reader.read(ReadPosition(), count)]
        frame = query(Reader(workbench.engines), COUNT)
    assert {answer.engine for answer in answers} == {"master"} and frame.attrs["engine"] == "master"
    assert all("stands still" in note for note in (*(answer.note for answer in answers), frame.attrs["note"]))
    beat(workbench.engines)


def test_while_the_master_is_away_a_replica_that_cannot_be_compared_is_asked(
    settings: Settings, engines: Engines
) -> None:
    alone = connect(settings.model_copy(update={"master_db_port": 1}))
    assert Reader(alone).read(ReadPosition(), count).engine == "replica"
    alone.dispose()


def test_a_replica_that_hangs_costs_nobody_but_who_was_waiting_already(settings: Settings, engines: Engines) -> None:
    proxy = FaultProxy((settings.replica_db_host, settings.replica_db_port))
    through = connect(settings.model_copy(update={"replica_db_port": proxy.port}))
    reader = Reader(through)
    assert reader.read(ReadPosition(), count).engine == "replica"
    proxy.swallow()
    first = Asked(lambda: reader.read(ReadPosition(), count))
    times: list[float] = []
    ends_at = time.monotonic() + 7  # the first one's wait, and at least one probe beside

    def read_on() -> None:
        while time.monotonic() < ends_at:
            began = time.monotonic()
            assert reader.read(ReadPosition(), count).engine == "master"
            times.append(time.monotonic() - began)
            time.sleep(0.01)

    time.sleep(1.0)  # longer than anybody waits for a replica that is well
    others = [Asked(read_on) for _ in range(4)]
    assert first.ended().engine == "master"
    assert [other.ended() for other in others] == [None] * 4
    assert len(times) > 50 and max(times) < 1.5, "less than one look at a hung connection takes"
    proxy.pass_on()
    wait_until(lambda: reader.read(ReadPosition(), count).engine == "replica", "the replica to be asked again")
    through.dispose()
    proxy.close()
