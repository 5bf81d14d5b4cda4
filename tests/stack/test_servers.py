"""Master and replica of the stack: they are what they are called, and nobody gets more than their role's rights."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from tests.conftest import wait_until
from tests.examples import sale
from workbench.config import Settings
from workbench.connection import Workbench
from workbench.database.engines import Engines, connect
from workbench.database.positions import wait_for_replica
from workbench.database.replication import ReadPosition
from workbench.servers.health import status


@pytest.fixture
def saved(stack: Workbench) -> Iterator[int]:
    """A sale that is there for one test."""
    sales = stack.sales(actor="stack test")
    made = sales.create(sale(), uuid4())
    yield made.transaction_id
    sales.delete(made.transaction_id, made.version, uuid4(), "rung up twice")


def ask(engine: sa.Engine | None, statement: str) -> object:
    """The first value of the answer."""
    assert engine is not None
    with engine.connect() as connection:
        return connection.execute(sa.text(statement)).scalar_one()


def test_the_versions_and_the_settings_that_replication_needs(stack_engines: Engines) -> None:
    version = str(ask(stack_engines.master_reader, "show server_version"))
    assert int(version.split(".")[0]) >= 17
    for engine in (stack_engines.master_reader, stack_engines.replica):
        assert ask(engine, "show server_version") == version
        assert ask(engine, "show wal_level") == "logical"
        assert ask(engine, "show max_slot_wal_keep_size") != "-1"
        assert ask(engine, "show synchronous_commit") == "on"


def test_the_replica_is_a_standby_that_follows_by_its_slot(stack_engines: Engines, saved: int) -> None:
    assert ask(stack_engines.replica, "select pg_is_in_recovery()") is True
    assert ask(stack_engines.master_reader, "select pg_is_in_recovery()") is False
    found = status(stack_engines)
    assert found.master.state == found.replica.state == "up", (found.master.note, found.replica.note)
    slot = next(s for s in found.slots if s["slot_name"] == "replica")
    assert slot["is_active"]
    assert slot["wal_status"] == "reserved"
    assert wait_for_replica(stack_engines)
    exists = f"select exists (select from sales_transaction where transaction_id = {saved})"
    wait_until(lambda: ask(stack_engines.replica, exists) is True, "the sale on the replica")


def test_what_was_saved_is_read_next(stack: Workbench) -> None:
    sales = stack.sales(ReadPosition(), "stack test")
    for _ in range(20):
        made = sales.create(sale(), uuid4())
        assert sales.get(made.transaction_id).value.version == made.version
        sales.delete(made.transaction_id, made.version, uuid4(), "rung up twice")


def test_the_app_is_no_superuser_and_the_reader_cannot_write(stack_engines: Engines) -> None:
    superuser = "select rolsuper from pg_roles where rolname = current_user"
    for engine in (stack_engines.master, stack_engines.owner, stack_engines.master_reader, stack_engines.replica):
        assert ask(engine, superuser) is False
    gone = "with gone as (delete from sales_transaction returning 1) select count(*) from gone"
    with pytest.raises(sa.exc.DBAPIError, match="permission denied|read-only"):
        ask(stack_engines.master_reader, gone)


@pytest.mark.parametrize("name", ["master", "replica"])
def test_a_wrong_password_is_one_line_that_names_the_setting(stack_settings: Settings, name: str) -> None:
    wrong = dict.fromkeys(("master_db_password", "replica_db_password"), SecretStr("wrong"))
    engines = connect(stack_settings.model_copy(update={**wrong, "workbench_passwords_file": ""}))
    try:
        server = getattr(status(engines), name)
    finally:
        engines.dispose()
    assert server.state == "down"
    assert "refuses the password of workbench_reader" in server.note
    assert "REPLICA_DB_PASSWORD" in server.note
    assert "\n" not in server.note
