"""A PostgreSQL database that stands in for RisingWave: it holds the same tables and views, under the same names.

It speaks the protocol, and answers what both understand. What only RisingWave knows (sources, subscriptions, its
catalog) is tested by what is sent, and for real in tests/stack.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from tests.conftest import as_superuser
from workbench.config import Server, Settings
from workbench.database.engines import Engines
from workbench.database.positions import beat
from workbench.metrics import views
from workbench.servers import cluster
from workbench.servers.risingwave import relations

NAME = "stand_in"
COLUMNS = "select column_name from information_schema.columns where table_name = :table order by ordinal_position"
TABLES = """
create table heartbeat (heartbeat_id int primary key, beat_at timestamptz, lsn varchar);
create table sales_transaction (
    transaction_id bigint primary key, transaction_time timestamp, cashier_id int, store_id int,
    payment_method varchar, total_amount numeric, total_discount numeric, customer_id int
);
create table sales_item (
    item_id bigint primary key, transaction_id bigint, product_code varchar, product_name varchar, category varchar,
    quantity int, unit_price numeric, discount numeric, total_price numeric
);
"""


@contextmanager
def stand_in(settings: Settings, *, is_built: bool = True) -> Iterator[Settings]:
    """The settings with an empty stand-in as RisingWave, beside the master's database."""
    root = cluster.superuser(settings)
    server = as_superuser(root, settings.master_db_port)
    with server.connect() as connection:
        connection.exec_driver_sql(f"drop database if exists {NAME} with (force)")
        connection.exec_driver_sql(f"create database {NAME}")
    if is_built:
        _build(server)
    try:
        yield as_risingwave(settings, root, NAME)
    finally:
        with server.connect() as connection:
            connection.exec_driver_sql(f"drop database {NAME} with (force)")


def as_risingwave(settings: Settings, root: Server, name: str) -> Settings:
    """The settings with a database of the master's server where RisingWave would be."""
    return settings.model_copy(
        update={
            "risingwave_host": root.host,
            "risingwave_port": root.port,
            "risingwave_name": name,
            "risingwave_user": root.user,
            "risingwave_password": root.password,
            "risingwave_reader_user": root.user,  # no other may sign in to this database
            "risingwave_reader_password": root.password,
        }
    )


def _build(server: sa.Engine) -> None:
    inside = sa.create_engine(server.url.set(database=NAME), poolclass=sa.NullPool)
    with inside.begin() as connection:
        connection.exec_driver_sql(TABLES)
        for relation in (*relations.views(), *views.materialized_views()):
            plain = connection.execution_options(no_parameters=True)
            plain.exec_driver_sql(f"create view {relation.name} as\n{relation.text}")


def carry(engines: Engines) -> str:
    """What CDC would do: all rows of the master, and then its heartbeat, are in the stand-in. Returns its lsn."""
    assert engines.risingwave is not None
    beat(engines)
    with engines.owner.connect() as master, engines.risingwave.connect() as follower:
        follower.exec_driver_sql("begin")
        for table in ("heartbeat", "sales_transaction", "sales_item"):
            names = [row.column_name for row in follower.execute(sa.text(COLUMNS), {"table": table})]
            rows = master.execute(sa.text(f"select {', '.join(names)} from {table}")).mappings().all()
            follower.exec_driver_sql(f"delete from {table}")
            if rows:
                values = ", ".join(f":{name}" for name in names)
                insert = sa.text(f"insert into {table} ({', '.join(names)}) values ({values})")
                follower.execute(insert, [dict(row) for row in rows])
        lsn = follower.exec_driver_sql("select lsn from heartbeat").scalar_one()
        follower.exec_driver_sql("commit")
    return str(lsn)
