"""A query that nobody waits for any more is cancelled at a real RisingWave: an interrupt of sql(), a closed page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from jupyter_client import KernelManager
from sqlalchemy.exc import DBAPIError

from tests.conftest import wait_until
from tests.stack.conftest import has_caught_up
from workbench.config import Settings, child_environment
from workbench.database.askers import Asker
from workbench.database.deadline import time_limit
from workbench.database.engines import Engines
from workbench.database.replication import Reader, ReadPosition
from workbench.errors import NobodyWaits
from workbench.metrics import Stream, Where, views
from workbench.metrics.facts import Grouping
from workbench.servers.risingwave import build

LONG = "select count(*) from generate_series(1, 200000) as a (x), generate_series(1, 200000) as b (y)"
SOON = 4.0  # half of what RisingWave's own limit for a statement is
CELL = f"""from workbench import connect, sql
sql({LONG!r}, engine='risingwave', workbench=connect())"""


@pytest.fixture(scope="module", autouse=True)
def built(stack_engines: Engines) -> None:
    """The views are there."""
    build.apply(stack_engines, views.materialized_views(), print)


@pytest.fixture
def is_running(stack_engines: Engines) -> Iterator[Callable[[], bool]]:
    """Whether RisingWave works at the long query."""
    assert stack_engines.risingwave_owner is not None
    with stack_engines.risingwave_owner.connect() as connection:
        yield lambda: any("generate_series" in str(row) for row in connection.exec_driver_sql("show processlist"))


def test_an_interrupt_of_sql_cancels_its_query(stack_settings: Settings, is_running: Callable[[], bool]) -> None:
    manager = KernelManager()
    manager.start_kernel(env=child_environment(stack_settings))
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=120)
        client.execute(CELL)
        wait_until(is_running, "the query to run", 120)
        manager.interrupt_kernel()
        wait_until(lambda: not is_running(), "the query to end", SOON)
        assert client.get_shell_msg(timeout=30)["content"]["ename"] == "KeyboardInterrupt"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_what_the_limit_ends_here_ends_there_too(stack_engines: Engines, is_running: Callable[[], bool]) -> None:
    assert stack_engines.risingwave is not None

    def ask() -> None:
        with stack_engines.risingwave.connect() as connection, time_limit(2):
            connection.exec_driver_sql(LONG)

    with ThreadPoolExecutor(1) as thread:
        asked = thread.submit(ask)
        wait_until(lambda: asked.done() or is_running(), "the query to run")
        with pytest.raises(DBAPIError):
            asked.result()
        wait_until(lambda: not is_running(), "the query to end", SOON)


def test_the_query_of_a_closed_page_is_cancelled(
    stack_engines: Engines, monkeypatch: pytest.MonkeyPatch, is_running: Callable[[], bool]
) -> None:
    assert stack_engines.risingwave is not None
    assert has_caught_up(stack_engines)
    stream, asker = Stream(stack_engines.risingwave), Asker()
    grouping = Grouping.of(["revenue"], ["day"], Where())
    right = views.sums
    monkeypatch.setattr(views, "sums", lambda on, *_: on.exec_driver_sql(LONG).scalar_one())

    def ask() -> object:
        with asker.asks():
            return stream.sums(Reader(stack_engines), ReadPosition(), grouping)

    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(ask)
        wait_until(lambda: answer.done() or is_running(), "the query to run")
        asker.leave()
        wait_until(lambda: not is_running(), "the query to end", SOON)
        with pytest.raises(NobodyWaits):
            answer.result()
    monkeypatch.setattr(views, "sums", right)
    assert stream.sums(Reader(stack_engines), ReadPosition(), grouping).engine == "risingwave"
