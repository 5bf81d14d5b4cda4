"""Passwords change beside a real RisingWave: its users', and the one with which it reads the master."""

from __future__ import annotations

import threading
from collections.abc import Callable
from uuid import uuid4

import pytest
from pydantic import SecretStr

from tests.conftest import as_superuser, wait_until
from tests.examples import sale
from tests.stack.conftest import has_caught_up
from tests.stack.program import Program
from workbench.config import Settings
from workbench.connection import Workbench
from workbench.database.engines import Engines, connect
from workbench.database.sql_files import read_sql
from workbench.metrics import views
from workbench.servers import cluster
from workbench.servers.risingwave import build
from workbench.servers.risingwave.cdc import is_read
from workbench.servers.risingwave.console import console, is_open_to_all, keep_superusers, set_password, signed_in
from workbench.servers.risingwave.relations import SECRET

READER = "reader-of-a-test"  # as the settings of a stack of one's own have it
FIRST, SECOND, THIRD = "first-of-root", "second-of-root", "second-of-the-reader"


@pytest.fixture(scope="module", autouse=True)
def built(stack_engines: Engines) -> None:
    """Everything is there."""
    build.apply(stack_engines, views.materialized_views(), print)


@pytest.fixture
def keeps_secrets(stack_engines: Engines) -> None:
    """A test that needs it is skipped where RisingWave's free licence does not count: it looks at the whole machine."""
    with console(stack_engines) as rw:
        if not rw.run(read_sql("risingwave/catalog/secret"), name=SECRET):
            pytest.skip("RisingWave keeps no secrets here: more than four cores, or than 20 GiB of memory")


def end_reader_of_the_master(settings: Settings) -> None:
    """RisingWave has to sign in to the master anew."""
    master = as_superuser(cluster.superuser(base(settings)), settings.master_db_port)
    with master.connect() as connection:
        connection.exec_driver_sql("select pg_terminate_backend(active_pid) from pg_replication_slots where active")


def base(settings: Settings) -> Settings:
    names = ("workbench_data_dir", "master_db_port", "replica_db_port")
    return Settings(_env_file=None, **{name: getattr(settings, name) for name in names})


def rotate(settings: Settings) -> None:
    cluster.rotate(base(settings), ["workbench_cdc"])


@pytest.mark.parametrize("tell", [build.tell_cdc, None], ids=["told", "by the next apply"])
def test_risingwave_reads_on_with_a_new_password_of_the_master(
    own_risingwave: Program,
    keeps_secrets: None,
    stack: Workbench,
    stack_engines: Engines,
    tell: Callable[[Settings, Callable[[str], None]], bool] | None,
) -> None:
    settings = stack_engines.settings
    stack.sales(actor="stack test").create(sale(), uuid4())
    assert has_caught_up(stack_engines)
    rotate(settings)
    if tell is None:
        end_reader_of_the_master(settings)
        wait_until(lambda: not is_read(stack_engines), "RisingWave to be refused", 60)
        assert build.apply(stack_engines, views.materialized_views(), print).made == []
    else:
        assert tell(settings, print)
        end_reader_of_the_master(settings)
    stack.sales(actor="stack test").create(sale(), uuid4())
    assert has_caught_up(stack_engines)
    assert is_read(stack_engines)


def test_new_passwords_of_users_while_they_ask(own_risingwave: Program, stack_engines: Engines) -> None:
    def of(superusers: str, reader: str) -> Settings:
        changes = {"risingwave_password": SecretStr(superusers), "risingwave_reader_password": SecretStr(reader)}
        return stack_engines.settings.model_copy(update=changes)

    with console(stack_engines) as rw:
        users = [row.usename for row in rw.run(read_sql("risingwave/catalog/superusers"))]
        keep_superusers(rw, of(FIRST, READER))
    running = connect(of(FIRST, READER))
    assert running.risingwave is not None
    has_ended, reports = threading.Event(), list[Exception | None]()

    def ask_all_the_time() -> None:
        with running.risingwave.connect() as held:
            while not has_ended.is_set():
                try:
                    held.exec_driver_sql("select count(*) from sales_by_store").scalar_one()
                    reports.append(None)
                except Exception as error:  # noqa: BLE001 - told by the test
                    reports.append(error)

    asking = threading.Thread(target=ask_all_the_time)
    asking.start()
    try:
        wait_until(lambda: reports, "the first answer")
        for _ in range(2):  # as after an interruption
            changed = build.rotate(of(FIRST, READER), SecretStr(SECOND), SecretStr(THIRD))
        assert sorted(changed) == sorted([*users, "workbench_reader"])
        answers = len(reports)
        wait_until(lambda: len(reports) > answers, "an answer after the change", 60)
        new = connect(of(SECOND, THIRD))
        assert new.risingwave is not None
        with new.risingwave.connect() as connection:
            assert connection.exec_driver_sql("select count(*) from sales_by_store").scalar_one() > 0
        assert build.apply(new, views.materialized_views(), print).made == []
        new.dispose()
        running.risingwave.dispose()
        assert not any(is_open_to_all(stack_engines.settings, user) for user in users)
    finally:
        has_ended.set()
        asking.join()
        running.dispose()
        for user in users:
            with signed_in(stack_engines.settings, user, SECOND) as itself:
                set_password(itself, user, "")
        build.apply(stack_engines, views.materialized_views(), print)
    assert [error for error in reports if error] == []


def test_the_log_has_none_of_them(own_risingwave: Program, stack_settings: Settings) -> None:
    with open(own_risingwave.file("log"), errors="replace") as file:
        log = file.read()
    for secret in (READER, FIRST, SECOND, THIRD, stack_settings.cdc.current_password()):
        assert secret not in log
