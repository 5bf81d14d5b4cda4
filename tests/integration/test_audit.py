"""The audit log: one entry a sale and transaction, however it is written; nobody changes it; older entries count."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import groupby, pairwise
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy.exc import DBAPIError

from tests.conftest import as_superuser
from tests.examples import sale
from tests.integration.test_schema import HEADER, LINE, connected, run
from workbench import migrations
from workbench.config import Settings
from workbench.connection import Workbench
from workbench.database.engines import Engines
from workbench.sales.history import find_history
from workbench.servers import cluster

DOCUMENT = """
select to_jsonb(t) || jsonb_build_object('lines', (
    select jsonb_agg(to_jsonb(i) - 'transaction_id' order by i.item_id)
    from sales_item as i where i.transaction_id = t.transaction_id))
from sales_transaction as t where transaction_id = {}
"""
ONE = "values ({0}, 'B', 'B', 1, {1}, 0, {1})"
INSERT = (
    "insert into sales_item (transaction_id, product_code, product_name, quantity, unit_price, discount, total_price) "
)
BY_HAND = (  # of sales {0} and {2}
    INSERT + ONE,
    "update sales_transaction set store_id = store_id + 1 where transaction_id = {0}",
    "update sales_transaction set payment_method = 'QRIS' where transaction_id in ({0}, {2})",
    "update sales_item set product_name = product_name || '!' where transaction_id = {0}",
    "update sales_item set unit_price = {1}, total_price = quantity * {1} - discount where transaction_id = {0}",
    "update sales_item set transaction_id = {2} where item_id ="
    " (select max(item_id) from sales_item where transaction_id = {0} having count(*) > 1)",
    "delete from sales_item where item_id ="
    " (select max(item_id) from sales_item where transaction_id = {0} having count(*) > 1)",
    "delete from sales_transaction where transaction_id = {2}",
    "savepoint before",
    "rollback to before",
    "release before",
    "set constraints all immediate",
    "set constraints all deferred",
    f"with added as ({INSERT}{ONE}) update sales_item set product_name = 'C' where transaction_id = {{0}}",
    f"with added as ({INSERT}{ONE}) update sales_transaction set cashier_id = 5 where transaction_id = {{0}}",
    "with gone as (delete from sales_item where transaction_id = {0}) " + INSERT + ONE,
    "merge into sales_transaction as t using (values ({0})) as g (id) on t.transaction_id = g.id"
    " when matched then update set customer_id = 7",
)


@pytest.fixture
def writer(settings: Settings, engines: Engines) -> Iterator[sa.Connection]:
    """As the writer, in transactions of several statements."""
    with connected(settings.master).connect() as connection:
        yield connection


def entries(engines: Engines, transaction_id: int) -> list[Any]:
    with engines.owner.connect() as connection:
        return run(
            connection,
            f"select xact_id::text, operation, before, after from audit_log where transaction_id = {transaction_id}"
            " order by audit_id",
        ).all()


def new_sale(connection: sa.Connection) -> int:
    made = run(connection, HEADER.format("", "")).scalar_one()
    run(connection, LINE.format(made, 2, 5, 1, 9))
    return int(made)


def tried(connection: sa.Connection, statement: str) -> bool:
    """Whether the transaction goes on: what is refused ends it."""
    try:
        run(connection, statement)
    except DBAPIError:
        connection.rollback()
        return False
    return True


def tells_all(engines: Engines, transaction_id: int) -> None:
    """Each entry goes on where the one before ended, the last one at what is there now; one a transaction."""
    found = entries(engines, transaction_id)
    with engines.owner.connect() as connection:
        now = run(connection, DOCUMENT.format(transaction_id)).scalar_one_or_none()
    assert all(len(list(same)) == 1 for _, same in groupby(found, lambda entry: entry.xact_id))
    assert [entry.before for entry in found[:1]] in ([], [None])
    assert all(first.after == second.before for first, second in pairwise(found))
    assert (found[-1].after if found else None) == now
    assert all(entry.before or entry.after for entry in found)


@pytest.mark.parametrize("seed", range(3))
def test_the_log_tells_each_sale_from_its_first_state_to_its_last_whatever_hands_do(
    writer: sa.Connection, engines: Engines, seed: int
) -> None:
    chance, sales = random.Random(seed), [new_sale(writer) for _ in range(4)]
    writer.commit()
    for _ in range(60):
        if chance.random() < 0.2:
            sales.append(new_sale(writer))
        for _ in range(chance.randint(1, 4)):
            first, second = chance.sample(sales, 2)
            if not tried(writer, chance.choice(BY_HAND).format(first, chance.randint(1, 9), second)):
                break
        tried(writer, "commit")
        writer.rollback()
    for transaction_id in sales:
        tells_all(engines, transaction_id)
    assert sum(len(entries(engines, each)) for each in sales) > 40, "so few changes show nothing"


NAME = "update sales_item set product_name = 'Other' where transaction_id = {0}"


def test_what_is_changed_after_constraints_were_made_immediate_is_told_too(
    writer: sa.Connection, engines: Engines
) -> None:
    made = new_sale(writer)
    writer.commit()
    for statement in ("set constraints all immediate", BY_HAND[1], NAME):
        run(writer, statement.format(made))
    writer.commit()
    tells_all(engines, made)


def test_a_sale_made_below_a_savepoint_is_a_new_one(writer: sa.Connection, engines: Engines) -> None:
    run(writer, "savepoint before")
    made = new_sale(writer)
    run(writer, "release before")
    run(writer, NAME.format(made))
    writer.commit()
    tells_all(engines, made)
    assert [entry.operation for entry in entries(engines, made)] == ["insert"]


def test_a_change_of_a_line_alone_moves_the_sale_on(writer: sa.Connection, engines: Engines) -> None:
    made = new_sale(writer)
    writer.commit()
    version = f"select version from sales_transaction where transaction_id = {made}"
    was = run(writer, version).scalar_one()
    run(writer, f"update sales_item set product_name = 'Other' where transaction_id = {made}")
    writer.commit()
    assert run(writer, version).scalar_one() == was + 1, "whoever had it open would overwrite this unseen"


def test_a_create_writes_its_header_once(workbench: Workbench) -> None:
    made = workbench.sales().create(sale(), uuid4())
    with workbench.engines.owner.connect() as connection:
        state = run(
            connection,
            "select version, (select count(*) from audit_log) from sales_transaction"
            f" where transaction_id = {made.transaction_id}",
        ).one()
    assert tuple(state) == (1, 1), "its header was written once"


CHANGES = (
    "update audit_log set actor = 'nobody'",
    "delete from audit_log",
    "truncate audit_log",
    "insert into audit_log (actor, operation, table_name) values ('nobody', 'insert', 'sales_transaction')",
)


@pytest.mark.parametrize("role", ["writer", "reader", "cdc", "owner"])
def test_the_log_is_only_added_to_by_every_role(
    workbench: Workbench, settings: Settings, writer: sa.Connection, role: str
) -> None:
    workbench.sales().create(sale(), uuid4())
    servers = {"writer": settings.master, "reader": settings.master_reader, "cdc": settings.cdc}
    with connected(servers.get(role, settings.owner)).connect() as connection:
        refused = "the audit log is only added to" if role == "owner" else "permission denied"
        for statement in CHANGES[:3] if role == "owner" else CHANGES:
            run(connection, "set transaction read write")
            with pytest.raises(DBAPIError, match=refused):
                run(connection, statement)
            connection.rollback()
        if role == "owner":  # also where triggers are off, as in a load
            run(connection, "set local session_replication_role = replica")
            with pytest.raises(DBAPIError, match=refused):
                run(connection, CHANGES[0])


@pytest.fixture
def of_0007(settings: Settings, engines: Engines) -> Iterator[sa.Engine]:
    """A database of the version before, with a sale that is there and one that was deleted, as its owner."""
    superuser = cluster.superuser(settings)
    with as_superuser(superuser, settings.master_db_port).connect() as connection:
        run(connection, "create database upgraded owner workbench_owner")
    there = as_superuser(superuser, settings.master_db_port).url.set(database="upgraded")
    as_owner = {"options": "-c role=workbench_owner"}  # who may not enter any other database than sales
    engine = sa.create_engine(there, poolclass=sa.NullPool, connect_args=as_owner)
    try:
        migrated(engine, "0007")
        yield engine
    finally:
        with as_superuser(superuser, settings.master_db_port).connect() as connection:
            run(connection, "drop database upgraded (force)")


def migrated(engine: sa.Engine, revision: str) -> None:
    with engine.connect() as connection:
        config = migrations._config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()


def test_entries_from_before_the_upgrade_are_read_and_what_they_deleted_comes_back(of_0007: sa.Engine) -> None:
    with of_0007.begin() as connection:
        kept, gone = new_sale(connection), new_sale(connection)
        run(connection, LINE.format(gone, 1, 4, 0, 4))
    with of_0007.begin() as connection:
        was = run(connection, DOCUMENT.format(gone)).scalar_one()
        run(connection, f"update sales_item set product_name = 'Old' where transaction_id = {kept}")
        run(connection, f"delete from sales_transaction where transaction_id = {gone}")
    migrated(of_0007, "head")
    with of_0007.begin() as connection:
        run(connection, f"update sales_item set product_name = 'New' where transaction_id = {kept}")
    with of_0007.begin() as connection:
        newest, older, first = find_history(connection, kept)
        assert [change.kind for change in (newest, older, first)] == ["edited", "edited", "created"]
        names = [[part.after["product_name"] for part in change.touched if part.item_id] for change in (newest, older)]
        assert names == [["New"], ["Old"]]
        assert newest.can_be_undone and not older.can_be_undone, "of that entry the log has one row alone"
        deletion, _ = find_history(connection, gone)
        assert (deletion.kind, deletion.can_be_undone, len(deletion.before["lines"])) == ("deleted", True, 2)
        back = f"select * from restore_sale({deletion.audit_id}, gen_random_uuid(), '')"
        assert len(run(connection, back).all()) == 1
    with of_0007.connect() as connection:
        now = run(connection, DOCUMENT.format(gone)).scalar_one()
        assert (now["version"], now["lines"]) == (was["version"] + 1, was["lines"])
        assert {name for name in was if was[name] != now[name]} == {"version", "updated_at"}
        assert [change.kind for change in find_history(connection, gone)] == ["restored", "deleted", "created"]
