"""An interrupted kernel, and one that is killed, take their queries along: at the server, and at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from jupyter_client import BlockingKernelClient, KernelManager

from tests.conftest import as_superuser, wait_until
from workbench.config import Settings, child_environment
from workbench.database.engines import Engines
from workbench.servers import cluster

BEGIN = """
import sqlalchemy as sa
from workbench import connect, figures, sql
from workbench.database.replication import ReadPosition
wb = connect()
"""
SLEEPS = {
    "sql()": "sql('select pg_sleep(25)', workbench=wb)",
    "sql() of the master": "sql('select pg_sleep(25)', engine='master', workbench=wb)",
    "a read": "wb.reader.read(ReadPosition(), lambda c: c.execute(sa.text('select pg_sleep(7)')))",
}
SOON = 1.8  # a connection that is closed instead, as it did not answer, is closed later
ACTIVE = "select pid from pg_stat_activity where wait_event = 'PgSleep' and usename = 'workbench_reader'"


@pytest.fixture(scope="module")
def kernel(settings: Settings) -> Iterator[tuple[KernelManager, BlockingKernelClient]]:
    """A kernel on the pair, as a notebook has it."""
    manager = KernelManager()
    manager.start_kernel(env=child_environment(settings))
    client = manager.blocking_client()
    client.start_channels()
    client.wait_for_ready(timeout=120)
    assert client.execute_interactive(BEGIN, timeout=120)["content"]["status"] == "ok"
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.fixture
def asleep(settings: Settings) -> Iterator[sa.Connection]:
    """The server on which the queries run, as one who sees them: the replica."""
    with as_superuser(cluster.superuser(settings), settings.replica_db_port).connect() as connection:
        yield connection


def sleeping(*connections: sa.Connection) -> list[int]:
    return [pid for connection in connections for pid in connection.exec_driver_sql(ACTIVE).scalars()]


@pytest.mark.parametrize("code", SLEEPS.values(), ids=SLEEPS)
def test_an_interrupt_of_the_kernel_ends_the_query_at_the_server(
    kernel: tuple[KernelManager, BlockingKernelClient],
    engines: Engines,
    settings: Settings,
    asleep: sa.Connection,
    code: str,
) -> None:
    manager, client = kernel
    with as_superuser(cluster.superuser(settings), settings.master_db_port).connect() as master:
        sent = client.execute(code)
        wait_until(lambda: sleeping(asleep, master) != [], "the query to run", 60)
        manager.interrupt_kernel()
        wait_until(lambda: sleeping(asleep, master) == [], "the query to end", SOON)
    reply = client.get_shell_msg(timeout=30)
    assert reply["parent_header"]["msg_id"] == sent
    assert reply["content"]["ename"] == "KeyboardInterrupt"
    after = client.execute_interactive("assert figures.sales(wb)['sales'].tolist() == [0]", timeout=30)
    assert after["content"]["status"] == "ok", after["content"]


def test_a_killed_kernel_takes_its_query_along(engines: Engines, settings: Settings, asleep: sa.Connection) -> None:
    """As a report that is stopped: its process is killed."""
    manager = KernelManager()
    manager.start_kernel(env=child_environment(settings))
    client = manager.blocking_client()
    client.start_channels()
    client.wait_for_ready(timeout=120)
    client.execute(f"{BEGIN}\n{SLEEPS['sql()']}")
    wait_until(lambda: sleeping(asleep) != [], "the query to run", 60)
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    wait_until(lambda: sleeping(asleep) == [], "the query to end", 10)
