"""Writes through a network that fails: no place in a pool is lost, every outcome is told, and nobody waits for long."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from tests.conftest import paused_replay
from tests.examples import sale
from tests.fault_proxy import FaultProxy, Moment
from workbench.config import Settings
from workbench.connection import Workbench
from workbench.connection import connect as connect_workbench
from workbench.database.deadline import LATE_SECONDS
from workbench.database.engines import Engines
from workbench.database.failures import failure
from workbench.database.replication import CONNECTED_SECONDS, ReadPosition
from workbench.database.writes import SAVE_SECONDS
from workbench.errors import OutcomeUnknown, SaleConflict, SaleNotFound, ServerBusy, ServerUnavailable, WorkbenchError
from workbench.filters.saved_views import SavedViews
from workbench.sales.service import Sales, Saved

READ_SECONDS = 6.0  # over all attempts
PLACES = 15  # of each pool
MOMENTS: tuple[Moment, ...] = ("before the statement", "before the answer", "after the answer")
STATEMENTS = ("insert into sales_transaction", "pg_current_wal_flush_lsn")


@pytest.fixture
def proxy(settings: Settings) -> Iterator[FaultProxy]:
    """What the master is reached through."""
    with closing(FaultProxy((settings.master_db_host, settings.master_db_port))) as made:
        yield made


@pytest.fixture
def through(settings: Settings, engines: Engines, proxy: FaultProxy) -> Iterator[Workbench]:
    """A workbench that reaches the master through the proxy; the replica, and a master in RisingWave's place, too."""
    reader = settings.master_reader
    made = connect_workbench(
        settings.model_copy(
            update={
                "master_db_port": proxy.port,
                "replica_db_port": proxy.port,
                "risingwave_host": "127.0.0.1",
                "risingwave_port": proxy.port,
                "risingwave_name": reader.name,
                "risingwave_reader_user": reader.user,
                "risingwave_reader_password": reader.password,
            }
        )
    )
    yield made
    made.close()


@pytest.fixture
def sales(through: Workbench) -> Sales:
    return through.sales(actor="tester")


def take_every_place(engine: sa.Engine, places: int = PLACES) -> list[int]:
    """Holds as many connections at once as the pool has, each of which answers."""
    with ExitStack() as held:
        connections = [held.enter_context(engine.connect()) for _ in range(places)]
        return [connection.execute(sa.text("select 1")).scalar_one() for connection in connections]


@pytest.mark.parametrize(
    ("name", "places"),
    [*((name, PLACES) for name in ("master", "master_reader", "replica", "risingwave")), ("owner", 3), ("cdc", 3)],
)
def test_connections_that_die_before_they_are_returned_cost_no_place(
    through: Workbench, proxy: FaultProxy, name: str, places: int
) -> None:
    engine = getattr(through.engines, name)
    connections = [engine.connect() for _ in range(places)]
    for connection in connections:
        connection.execute(sa.text("select 1"))
    proxy.cut_all()
    for connection in connections:
        with suppress(DBAPIError):  # psycopg2's own errors would get through here
            connection.close()
    assert take_every_place(engine, places) == [1] * places
    assert take_every_place(engine, places) == [1] * places


def test_forty_creates_through_a_network_that_cuts_are_saved_and_told_and_cost_no_place(
    through: Workbench, sales: Sales, proxy: FaultProxy, engines: Engines
) -> None:
    told: list[int] = []
    for number in range(40):
        moment, statement = MOMENTS[number % 3], STATEMENTS[number % 2]
        proxy.cut(statement, moment)
        told.append(sales.create(sale(), uuid4()).transaction_id)
    assert proxy.cuts == 40
    with engines.master_reader.connect() as connection:
        found = connection.execute(sa.text("select transaction_id from sales_transaction order by 1")).scalars().all()
    assert sorted(told) == found and len(found) == 40
    assert take_every_place(through.engines.master) == [1] * PLACES


def test_thirty_deletes_are_done_and_told_so_though_each_first_answer_is_lost(
    sales: Sales, proxy: FaultProxy, engines: Engines
) -> None:
    made = [sales.create(sale(), uuid4()) for _ in range(30)]
    told = []
    for each in made:
        proxy.cut("delete from sales_transaction", "before the answer")
        told.append(sales.delete(each.transaction_id, each.version, uuid4(), "rung up twice"))
    assert proxy.cuts == 30
    assert [saved.transaction_id for saved in told] == [each.transaction_id for each in made]
    assert all(saved.is_repeat for saved in told)
    with engines.master_reader.connect() as connection:
        assert connection.execute(sa.text("select count(*) from sales_transaction")).scalar_one() == 0


def test_a_delete_that_is_sent_again_finds_its_own_outcome_and_another_says_that_it_is_gone(sales: Sales) -> None:
    made, request_id = sales.create(sale(), uuid4()), uuid4()
    sales.delete(made.transaction_id, made.version, request_id, "rung up twice")
    again = sales.delete(made.transaction_id, made.version, request_id, "rung up twice")
    assert (again.operation, again.transaction_id, again.is_repeat) == ("delete", made.transaction_id, True)
    with pytest.raises(SaleNotFound):
        sales.delete(made.transaction_id, made.version, uuid4(), "rung up twice")


def lost(sales: Sales, proxy: FaultProxy, statement: str, write: Callable[[], Saved]) -> None:
    """The write is committed, its answer is lost, and from then on the master cannot be reached."""
    proxy.cut(statement, "before the answer")
    proxy.is_gone = True
    try:
        with pytest.raises(OutcomeUnknown, match="not done twice"):
            write()
    finally:
        proxy.is_gone = False


def test_what_became_of_a_write_is_unknown_when_any_attempt_is_in_doubt(
    workbench: Workbench, sales: Sales, proxy: FaultProxy, replica_superuser: sa.Engine
) -> None:
    """The last attempts are refused, which alone would mean that nothing was saved. The session sees what was."""
    made, request_id = sales.create(sale(), uuid4()), uuid4()
    sales.reader = workbench.reader  # reads are not cut off
    with paused_replay(workbench.engines, replica_superuser):
        start = time.monotonic()
        lost(sales, proxy, "delete from", lambda: sales.delete(made.transaction_id, 1, request_id, "rung up twice"))
        assert time.monotonic() - start < SAVE_SECONDS + 1
        with pytest.raises(SaleNotFound):
            sales.get(made.transaction_id)
    assert sales.delete(made.transaction_id, 1, request_id, "rung up twice").is_repeat


def test_a_conflict_that_was_shown_is_not_taken_back_by_the_next_read(
    workbench: Workbench, replica_superuser: sa.Engine
) -> None:
    mine, theirs = workbench.sales(), workbench.sales()
    made = [mine.create(sale(), uuid4()).transaction_id for _ in range(2)]
    assert all(mine.get(transaction_id).engine == "replica" for transaction_id in made)
    with paused_replay(workbench.engines, replica_superuser):
        theirs.update(made[0], 1, sale(store_id=8), uuid4())
        theirs.delete(made[1], 1, uuid4(), "rung up twice")
        with pytest.raises(SaleConflict):
            mine.update(made[0], 1, sale(store_id=9), uuid4())
        assert mine.get(made[0]).value.store_id == 8
        mine.read_position.token = "0/0"
        with pytest.raises(SaleNotFound):
            mine.delete(made[1], 1, uuid4(), "rung up twice")
        with pytest.raises(SaleNotFound):
            mine.get(made[1])


def test_a_named_view_whose_answer_was_lost_is_told_as_unknown(through: Workbench, proxy: FaultProxy) -> None:
    views = SavedViews(through.engines, through.reader, ReadPosition(), "ada")
    proxy.cut("insert into saved_view", "before the answer")
    with pytest.raises(OutcomeUnknown, match="Look what is there"):
        views.save("mine", "days=7")
    assert [view.view_name for view in views.find().value] == ["mine"]
    views.delete(views.find().value[0].saved_view_id)


def test_a_connection_that_was_ended_a_moment_after_its_use_leaves_no_write_in_doubt(
    through: Workbench, proxy: FaultProxy
) -> None:
    """It is not asked so soon, yet its end has come: a write that cannot be repeated is not sent on it."""
    views = SavedViews(through.engines, through.reader, ReadPosition(), "ada")
    for number in range(3):
        saved = views.save(f"view {number}", "days=7")
        proxy.cut_all()
        views.delete(saved.saved_view_id)
    assert views.find().value == []


def ended_after(write: Callable[[], object]) -> tuple[float, WorkbenchError]:
    """How long a write took that does not end well, and what it said."""
    start = time.monotonic()
    with pytest.raises(WorkbenchError) as said:
        write()
    return time.monotonic() - start, said.value


def test_a_save_ends_within_its_deadline_whatever_holds_it_up(
    workbench: Workbench, through: Workbench, proxy: FaultProxy, engines: Engines
) -> None:
    """A row that somebody holds, and a network that swallows the statement, at the same time: six seconds in all."""
    made = [workbench.sales().create(sale(), uuid4()).transaction_id for _ in range(2)]
    held: list[tuple[float, WorkbenchError]] = []
    with engines.owner.begin() as holder:
        holder.execute(sa.text("select from sales_transaction where transaction_id = :id for update"), {"id": made[0]})
        update = threading.Thread(
            target=lambda: held.append(
                ended_after(lambda: workbench.sales().update(made[0], 1, sale(store_id=8), uuid4()))
            )
        )
        update.start()
        through.sales().update(made[1], 1, sale(store_id=8), uuid4())  # so that its pool has a connection
        proxy.swallow()
        swallowed = ended_after(lambda: through.sales().update(made[1], 2, sale(store_id=9), uuid4()))
        update.join()
    assert held[0][0] < SAVE_SECONDS + 1 and swallowed[0] < SAVE_SECONDS + 1
    assert isinstance(held[0][1], ServerBusy) and "others hold it. Nothing was saved" in str(held[0][1])
    assert "Nothing was saved" not in str(swallowed[1])


@pytest.fixture
def to_replica(settings: Settings) -> Iterator[FaultProxy]:
    """What the replica is reached through."""
    with closing(FaultProxy((settings.replica_db_host, settings.replica_db_port))) as made:
        yield made


@pytest.fixture
def apart(settings: Settings, engines: Engines, proxy: FaultProxy, to_replica: FaultProxy) -> Iterator[Workbench]:
    """A workbench that reaches each server through a proxy of its own."""
    ports = {"replica_db_port": to_replica.port, "master_db_port": proxy.port}
    made = connect_workbench(settings.model_copy(update=ports))
    yield made
    for each in (to_replica, proxy):
        each.pass_on()
    made.close()


@pytest.mark.parametrize("is_before_it_arrives", [True, False])
def test_a_network_that_drops_the_old_connections_alone_holds_up_a_read_or_a_save_for_six_seconds(
    apart: Workbench, proxy: FaultProxy, to_replica: FaultProxy, *, is_before_it_arrives: bool
) -> None:
    """The servers are there and answer whoever comes anew: only the statement, or its answer, never arrives."""
    reader, sales = apart.reader, apart.sales()
    made = sales.create(sale(), uuid4())
    reader.read_master(ReadPosition(), lambda on: None)

    drops = [to_replica, proxy]  # each in the middle of a statement

    def dropping(on: sa.Connection) -> None:
        drop = drops.pop(0).swallow_present if drops else lambda: None
        if is_before_it_arrives:
            drop()
        else:
            threading.Timer(0.3, drop).start()
        on.exec_driver_sql("select pg_sleep(0.6)")

    began = time.monotonic()
    assert reader.read(ReadPosition(), dropping).engine == "master"
    read = time.monotonic() - began
    proxy.swallow_present()
    began = time.monotonic()
    sales.update(made.transaction_id, 1, sale(store_id=8), uuid4())
    assert (read < READ_SECONDS, time.monotonic() - began < SAVE_SECONDS) == (True, True), read


def test_a_large_answer_that_is_swallowed_while_it_is_sent_is_read_again_within_six_seconds(
    apart: Workbench, to_replica: FaultProxy
) -> None:
    """The server goes on sending what nobody receives, so it is not idle. One that is received slowly goes on."""

    def large(on: sa.Connection) -> int:
        return len(on.exec_driver_sql("select repeat('x', 1000000) from generate_series(1, 40)").scalars().all())

    apart.reader.read_master(ReadPosition(), lambda on: None)  # so that its pool has a connection
    to_replica.pace = 0.006
    began = time.monotonic()
    answer = apart.reader.read(ReadPosition(), large)
    assert (answer.engine, answer.value, time.monotonic() - began > LATE_SECONDS * 3) == ("replica", 40, True)
    to_replica.pace, to_replica.most = 0, 3_000_000
    began = time.monotonic()
    answer = apart.reader.read(ReadPosition(), large)
    took = time.monotonic() - began
    assert (answer.engine, answer.value, to_replica.most) == ("master", 40, math.inf)
    assert took < READ_SECONDS, took


@pytest.mark.parametrize("name", ["replica", "risingwave"])
def test_a_network_that_forgets_a_connection_is_noticed_though_the_server_still_works_for_it(
    through: Workbench, proxy: FaultProxy, name: str
) -> None:
    """The server answers from beside, and is not idle; of a pooler or RisingWave nobody knows. The kernels do."""
    with getattr(through.engines, name).connect() as connection:
        connection.execute(sa.text("select 1"))
        threading.Timer(0.3, proxy.forget_present).start()
        began = time.monotonic()
        with pytest.raises(DBAPIError) as raised:
            connection.execute(sa.text("select pg_sleep(7)"))
        took = time.monotonic() - began
    assert failure(raised.value) == "away"
    assert took < READ_SECONDS - CONNECTED_SECONDS, took  # another server is asked after it


@pytest.mark.parametrize("is_master_swallowed", [False, True])
def test_a_read_ends_within_six_seconds_whatever_is_swallowed_and_a_slow_one_goes_on(
    apart: Workbench, proxy: FaultProxy, to_replica: FaultProxy, *, is_master_swallowed: bool
) -> None:
    """The network swallows the replica, or both servers, in mid-statement; all attempts are counted together."""
    reader = apart.reader
    reader.read_master(ReadPosition(), lambda on: None)  # so that its pool has a connection
    assert reader.read(ReadPosition(), lambda on: on.exec_driver_sql("select pg_sleep(3.5)").all()).engine == "replica"

    def work(on: sa.Connection) -> None:
        to_replica.swallow()
        if is_master_swallowed:
            proxy.swallow()
        on.exec_driver_sql("select 1")

    began, answered = time.monotonic(), ""
    with suppress(ServerUnavailable):
        answered = reader.read(ReadPosition(), work).engine
    took = time.monotonic() - began
    assert answered == ("" if is_master_swallowed else "master")
    assert took < READ_SECONDS + 1, took
