"""What nobody waits for any more ends at the server, at once; what somebody still waits for goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from tests.conftest import as_superuser, wait_until
from workbench.config import Settings
from workbench.connection import Workbench
from workbench.database.askers import Asker
from workbench.database.replication import Answer, ReadPosition
from workbench.errors import NobodyWaits
from workbench.live import Live
from workbench.metrics import Source
from workbench.metrics.facts import Facts
from workbench.servers import cluster

ACTIVE = "select count(*) from pg_stat_activity where wait_event = 'PgSleep' and usename = 'workbench_reader'"
SOON = 4.0  # less than what a query takes by itself here


@pytest.fixture
def live(workbench: Workbench) -> Iterator[Live]:
    """A Live whose columns are copied."""
    made = Live(workbench)
    made.columns.refresh(workbench.reader, ReadPosition())
    yield made
    made.stop()


@pytest.fixture
def is_asleep(settings: Settings) -> Iterator[Callable[[], bool]]:
    """Whether a query sleeps on one of the servers."""
    ports = (settings.replica_db_port, settings.master_db_port)
    servers = [as_superuser(cluster.superuser(settings), port).connect() for port in ports]
    yield lambda: any(server.exec_driver_sql(ACTIVE).scalar_one() for server in servers)
    for server in servers:
        server.close()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """Where pages ask."""
    with ThreadPoolExecutor(4) as made:
        yield made


def sleep(source: Source, seconds: float = 7) -> Answer[Any]:
    """A query that takes long."""
    return source.reader.read(
        source.read_position, lambda on: on.exec_driver_sql(f"select pg_sleep({seconds})").scalar()
    )


def asked(threads: ThreadPoolExecutor, asker: Asker, work: Callable[[], Any]) -> Future[Any]:
    """What a page asks on a thread."""

    def run() -> Any:
        with asker.asks():
            return work()

    return threads.submit(run)


@pytest.mark.parametrize("name", ["read", "read_master"])
def test_a_query_ends_with_the_one_who_asked(
    name: str, workbench: Workbench, threads: ThreadPoolExecutor, is_asleep: Callable[[], bool]
) -> None:
    read, asker = getattr(workbench.reader, name), Asker()
    answer = asked(threads, asker, lambda: read(ReadPosition(), lambda on: on.exec_driver_sql("select pg_sleep(7)")))
    wait_until(is_asleep, "the query to run")
    asker.leave()
    wait_until(lambda: not is_asleep(), "the query to end", SOON)
    with pytest.raises(NobodyWaits):
        answer.result()
    assert read(ReadPosition(), lambda on: on.exec_driver_sql("select 1").scalar()).value == 1
    if name == "read":  # the others still ask the replica
        assert read(ReadPosition(), lambda on: None).engine == "replica"


def test_a_question_of_two_ends_with_the_second(
    live: Live, threads: ThreadPoolExecutor, is_asleep: Callable[[], bool]
) -> None:
    first, second = Asker(), Asker()
    ask = partial(live.answer, ReadPosition(), "the same", sleep)
    answers = [asked(threads, first, ask)]
    wait_until(is_asleep, "the query to run")
    answers.append(asked(threads, second, ask))
    wait_until(lambda: bool(second.questions), "the second to wait for it, too")
    first.leave()
    assert is_asleep()
    second.leave()
    wait_until(lambda: not is_asleep(), "the query to end", SOON)
    for answer in answers:
        with pytest.raises(NobodyWaits):
            answer.result()


def test_whoever_stays_gets_the_answer(live: Live, threads: ThreadPoolExecutor, is_asleep: Callable[[], bool]) -> None:
    """A page asked first and leaves; another one, and a notebook, which has no page, wait for the same."""
    leaving, staying = Asker(), Asker()
    ask = partial(live.answer, ReadPosition(), "the same", partial(sleep, seconds=2))
    answers = [asked(threads, leaving, ask)]
    wait_until(is_asleep, "the query to run")
    answers += [asked(threads, staying, ask), threads.submit(ask)]
    wait_until(lambda: bool(staying.questions), "the other to wait for it, too")
    leaving.leave()
    assert [answer.result().engine for answer in answers] == ["replica"] * 3
    again = Asker()
    assert asked(threads, again, ask).result() is answers[0].result()  # it is kept for all


def test_a_question_that_was_dropped_is_asked_again(
    live: Live, threads: ThreadPoolExecutor, is_asleep: Callable[[], bool]
) -> None:
    leaving = Asker()
    lost = asked(threads, leaving, partial(live.answer, ReadPosition(), "the same", sleep))
    wait_until(is_asleep, "the query to run")
    leaving.leave()
    asks = partial(live.answer, ReadPosition(), "the same", partial(sleep, seconds=0))
    assert asked(threads, Asker(), asks).result().engine == "replica"
    with pytest.raises(NobodyWaits):
        lost.result()


def test_a_figure_of_the_columns_ends_too(live: Live, threads: ThreadPoolExecutor) -> None:
    long = sa.select(sa.func.count()).select_from(sa.text("range(1000000) a, range(5000) b"))
    asker, has_begun = Asker(), Future[bool]()

    def work(facts: Facts) -> Any:
        has_begun.set_result(True)
        return facts.execute(long)

    answer = asked(threads, asker, lambda: live.columns.read(live.workbench.reader, ReadPosition(), work))
    assert has_begun.result(20)
    asker.leave()
    with pytest.raises(NobodyWaits):
        answer.result()
    assert live.columns.read(live.workbench.reader, ReadPosition(), lambda facts: 1) is not None
