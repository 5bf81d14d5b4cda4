"""A PostgreSQL database that stands in for RisingWave and follows the master as RisingWave does.

It speaks the same protocol and answers what both understand. It follows the master through the very publication, role
and slot that RisingWave uses, by logical replication, and has the names of RisingWave's catalog. Statements that only
RisingWave knows are translated in one place, `StandInConsole`. Against a real RisingWave: tests/stack.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
import pytest
import sqlalchemy as sa

from tests.conftest import as_superuser
from tests.stand_in import as_risingwave
from workbench.config import Settings
from workbench.metrics import views
from workbench.servers import cluster
from workbench.servers.risingwave import console
from workbench.servers.risingwave.console import SLOT

NAME = "cdc_stand_in"
# What has no counterpart in PostgreSQL is a row in `things`. Materialized views are plain ones here: PostgreSQL's own
# would not follow their tables.
MATERIALIZED = ", ".join(f"'{relation.name}'" for relation in views.materialized_views())
CATALOG = f"""
create schema rw_catalog;
create table rw_catalog.things (kind text, name text primary key);
create view rw_catalog.rw_relations as
select case when viewname in ({MATERIALIZED}) or viewname like '%%\\_\\_new' then 'materialized view' else 'view' end
    as relation_type, viewname as name
from pg_views where schemaname = 'public'
union all select 'table', tablename from pg_tables where schemaname = 'public'
union all select kind, name from rw_catalog.things;
create view rw_catalog.rw_internal_tables as
select tablename as name from pg_tables where starts_with(tablename, '__internal');
create table rw_catalog.rw_ddl_progress (ddl_statement text, progress text, ddl_id bigint);
"""


@contextmanager
def stand_in(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """The settings with an empty stand-in as RisingWave, beside the master's database; nothing is left of it."""
    root = cluster.superuser(settings)
    server = as_superuser(root, settings.master_db_port)
    with server.connect() as connection:
        connection.exec_driver_sql(f"create database {NAME}")
    inside = sa.create_engine(server.url.set(database=NAME), poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with inside.connect() as connection:
        connection.exec_driver_sql(CATALOG)
    monkeypatch.setattr(console, "Console", StandInConsole)
    try:
        yield as_risingwave(settings, root, NAME)
    finally:
        with inside.connect() as connection:
            stop_following(connection)
        with server.connect() as connection:
            connection.exec_driver_sql(f"drop database {NAME} with (force)")
        _drop_slot(settings)


class StandInConsole(console.Console):
    """Says in PostgreSQL's words what only RisingWave understands."""

    @property
    def is_risingwave(self) -> bool:
        return True

    def run(self, statement: str, **values: Any) -> list[sa.Row[Any]]:
        told = re.sub(r"^--.*\n", "", statement, flags=re.MULTILINE).strip()
        for pattern, translate in TRANSLATIONS.items():
            if found := re.match(pattern, told):
                translate(self, found)
                return []
        return super().run(statement, **values)

    def tell(self, statement: str) -> None:
        """Without translation."""
        super().run(statement)

    def make_source(self, found: re.Match[str]) -> None:
        server = self._settings.cdc
        with psycopg2.connect(
            host=server.host,
            port=server.port,
            dbname=server.name,
            user=server.user,
            password=server.password.get_secret_value(),
        ) as connection:
            connection.cursor().execute(f"select pg_create_logical_replication_slot('{SLOT}', 'pgoutput')")
        connection.close()
        self.tell(f"insert into rw_catalog.things values ('source', '{found[1]}')")

    def make_table(self, found: re.Match[str]) -> None:
        name = found[1]
        self.tell(f"create table {name} ({found[2]})")
        for column, kind in self._unread_columns(name):
            self.tell(f"alter table {name} add column {column} {kind}")
        self.tell(f"alter table {name} add column _rw_timestamp timestamptz default now()")
        state = f'"__internal_{name}_1_streamcdcscan_2"'
        self.tell(f"create table if not exists {state} as select 0 as row_count, true as backfill_finished")
        if name == "heartbeat":  # the last one
            server = self._settings.cdc
            address = f"host={server.host} port={server.port} dbname={server.name} user={server.user}"
            self.tell(
                f"create subscription follows connection '{address} password={server.password.get_secret_value()}'"
                f" publication workbench_publication with (create_slot = false, slot_name = '{SLOT}')"
            )

    def _unread_columns(self, table: str) -> list[tuple[str, str]]:
        """Logical replication wants a place for every published column, where RisingWave takes those that it names."""
        columns = "select column_name, data_type from information_schema.columns where table_name = %s"
        with psycopg2.connect(
            host=self._settings.master_db_host,
            port=self._settings.master_db_port,
            dbname=self._settings.master_db_name,
            user=self._settings.master_db_owner_user,
            password=self._settings.master_db_owner_password.get_secret_value(),
        ) as connection:
            cursor = connection.cursor()
            cursor.execute(columns, [table])
            published = dict(cursor.fetchall())
        connection.close()
        here = {row.column_name for row in super().run(columns.replace("%s", f"'{table}'"))}
        return [(name, kind) for name, kind in published.items() if name not in here]

    def note(self, found: re.Match[str]) -> None:
        self.tell(f"insert into rw_catalog.things values ('subscription', '{found[1]}') on conflict do nothing")

    def forget(self, found: re.Match[str]) -> None:
        if found[1] == "source":
            stop_following(self._connection)
        self.tell(f"delete from rw_catalog.things where name = '{found[2]}'")

    def make_view(self, found: re.Match[str]) -> None:
        self.tell(f"create view {found[1]} as select body.*, now() as _rw_timestamp from (\n{found[2]}\n) as body")

    def drop_view(self, found: re.Match[str]) -> None:
        self.tell(f"drop view {found[1]}")

    def swap(self, found: re.Match[str]) -> None:
        self.tell(f"alter view {found[1]} rename to swapping")
        self.tell(f"alter view {found[2]} rename to {found[1]}")
        self.tell(f"alter view swapping rename to {found[2]}")


TRANSLATIONS = {
    r"create source if not exists (\w+)": StandInConsole.make_source,
    r"(?s)create table if not exists (\w+) \((.*?)\n\)": StandInConsole.make_table,
    r"create subscription if not exists (\w+) from": StandInConsole.note,
    r"drop (subscription|source)(?: if exists)? (\w+)": StandInConsole.forget,
    r"(?s)create materialized view (\w+) as\n(.*)": StandInConsole.make_view,
    r"drop materialized view ((?:if exists )?\w+)": StandInConsole.drop_view,
    # A grant on all tables is one on all views here.
    r"grant select on all (views|materialized views|subscriptions) in schema": lambda rw, found: None,
    r"alter materialized view (\w+) swap with (\w+)": StandInConsole.swap,
}


def stop_following(connection: sa.Connection) -> None:
    """Leaves the slot on the master, as RisingWave does when its source is dropped."""
    if connection.exec_driver_sql("select 1 from pg_subscription where subname = 'follows'").scalar_one_or_none():
        connection.exec_driver_sql("alter subscription follows disable")
        connection.exec_driver_sql("alter subscription follows set (slot_name = none)")
        connection.exec_driver_sql("drop subscription follows")


def _drop_slot(settings: Settings) -> None:
    with as_superuser(cluster.superuser(settings), settings.master_db_port).connect() as connection:
        connection.exec_driver_sql(
            "select pg_terminate_backend(active_pid, 5000) from pg_replication_slots"
            f" where slot_name = '{SLOT}' and active_pid is not null"
        )
        connection.exec_driver_sql(
            f"select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '{SLOT}'"
        )
