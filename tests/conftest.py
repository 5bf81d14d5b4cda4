"""One real master and replica for the whole run, on free ports; every test that asks for them finds empty tables."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, sync_playwright

from workbench.config import Server, Settings
from workbench.connection import Workbench
from workbench.connection import connect as connect_workbench
from workbench.database.engines import Engines, connect
from workbench.database.positions import beat, wait_for_replica
from workbench.database.replication import Reader
from workbench.migrations import migrate
from workbench.servers import cluster

T = TypeVar("T")
# The first is Chromium without the windows that nobody sees: a page costs half.
CHROMIUM_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
LONGEST = ("test_bench", "test_lost_connection", "test_inline")
EMPTY = (  # nobody else empties the log
    "alter table audit_log disable trigger audit_log_is_not_emptied;"
    "truncate sales_transaction, sales_item, sales_request, audit_log, account, login, sales_import, imported_sale,"
    " import_mapping, store, cashier, product, product_price, customer restart identity;"
    "alter table audit_log enable always trigger audit_log_is_not_emptied;"
    "alter table catalogue_log disable trigger catalogue_log_is_kept; truncate catalogue_log restart identity;"
    "alter table catalogue_log enable always trigger catalogue_log_is_kept"
)


def pytest_configure() -> None:
    """Programs that the tests start can be interrupted: they inherit what `nohup make test &` ignores."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes by few tests begins first, so that no process has it left when the others are done."""
    items.sort(key=lambda item: item.path.stem not in LONGEST)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Tests decide their settings: the caller's environment and .env must not."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on, and that nobody else is given.

    They lie below those that the system hands out by itself, each process of tests begins elsewhere, and none is given
    twice: between its choice and its use a port that the system gave may become anybody's.
    """
    return [next(_free) for _ in range(count)]


def _unused(first: int) -> Iterator[int]:
    for port in itertools.chain(range(first, PORTS.stop), itertools.cycle(PORTS)):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        yield port


PORTS = range(10_000, 32_000)
_free = _unused(PORTS[os.getpid() * 7919 % len(PORTS)])


@contextmanager
def running_pair(name: str) -> Iterator[Settings]:
    """The settings of a master and a replica on free ports, migrated and empty; nothing is left of them."""
    folder = Path(tempfile.mkdtemp(prefix=f"workbench-{name}-"))
    folder.chmod(0o755)  # as root the servers run as another user, who must get into the data directory
    master, replica = free_ports(2)
    base = Settings(_env_file=None, workbench_data_dir=folder / "data", master_db_port=master, replica_db_port=replica)
    try:
        configured = cluster.up(base)
        engines = connect(configured)
        migrate(engines)
        engines.dispose()
        yield configured
    finally:
        cluster.down(base)
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def settings() -> Iterator[Settings]:
    """The settings of a running, migrated pair."""
    with running_pair("test") as configured:
        yield configured


@pytest.fixture(scope="session")
def shared_engines(settings: Settings) -> Iterator[Engines]:
    """Engines on the pair, made once a run."""
    engines = connect(settings)
    yield engines
    engines.dispose()


@pytest.fixture
def engines(shared_engines: Engines) -> Engines:
    """Engines on the pair, with empty tables on master and replica."""
    with shared_engines.owner.begin() as connection:
        connection.execute(sa.text(EMPTY))
    beat(shared_engines)  # as if a workbench had been running until now
    assert wait_for_replica(shared_engines), "the replica did not catch up"
    return shared_engines


@pytest.fixture
def workbench(engines: Engines, settings: Settings) -> Iterator[Workbench]:
    """A workbench of its own on the pair, with empty tables; no heartbeat unless the test starts it."""
    made = connect_workbench(settings)
    yield made
    made.close()


def on_a_thread(work: Callable[..., T], *given: Any) -> T:
    """What ``work`` returns that runs an event loop: in the thread of the tests Playwright's goes on."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work, *given).result()


def wait_until(is_true: Callable[[], object], what: str = "what never came", seconds: float = 20.0) -> None:
    """Polls until ``is_true``; fails naming what was waited for."""
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.01)


@pytest.fixture
def reader(engines: Engines) -> Reader:
    """A router of reads of its own."""
    return Reader(engines)


def as_superuser(server: Server, port: int) -> sa.Engine:
    """An engine for what only the superuser ``server`` may do, on the master or on the replica, by its port."""
    url = sa.URL.create(
        "postgresql+psycopg2", server.user, server.password.get_secret_value(), server.host, port, "sales"
    )
    return sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)


@pytest.fixture
def replica_superuser(settings: Settings) -> sa.Engine:
    """The replica as the superuser, who may pause its replay."""
    return as_superuser(cluster.superuser(settings), settings.replica_db_port)


@contextmanager
def paused_replay(engines: Engines, superuser: sa.Engine) -> Iterator[None]:
    """The replica stands still; afterwards it has caught up."""
    with superuser.connect() as connection:
        connection.exec_driver_sql("select pg_wal_replay_pause()")
    try:
        yield
    finally:
        with superuser.connect() as connection:
            connection.exec_driver_sql("select pg_wal_replay_resume()")
        assert wait_for_replica(engines)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the run."""
    found = [path for name in CHROMIUM_NAMES if (path := shutil.which(name))]
    if not found:
        pytest.fail("No Chromium found: install it, for example with `apt-get install chromium`.", pytrace=False)
    arguments = ["--disable-dev-shm-usage", "--disable-gpu"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--no-sandbox")  # Chromium refuses to run as root with it
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found[0], args=arguments)
        yield chromium
        chromium.close()
