"""What RisingWave gets: the publication is read through a slot with pgoutput, as workbench_cdc, as RisingWave would."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import psycopg2
import pytest
import sqlalchemy as sa
from psycopg2.extras import LogicalReplicationConnection
from pydantic import SecretStr

from tests.conftest import as_superuser, wait_until
from tests.examples import sale
from workbench.config import Settings
from workbench.connection import Workbench
from workbench.database.engines import Engines, connect
from workbench.database.positions import beat
from workbench.database.sql_files import run_sql
from workbench.errors import CdcError, SettingsError
from workbench.metrics import views
from workbench.servers import cluster
from workbench.servers.risingwave import build, cdc, relations
from workbench.servers.risingwave.console import SLOT

SLOT_HERE = "cdc_test"
HEARTBEAT = "select pg_logical_emit_message(true, 'heartbeat', now()::varchar)"  # Debezium's, word for word


class Reader:
    """Reads the changes from its beginning on; relations are known by their names."""

    def __init__(self, settings: Settings) -> None:
        server = settings.cdc
        self.connection = psycopg2.connect(
            host=server.host,
            port=server.port,
            dbname=server.name,
            user=server.user,
            password=server.password.get_secret_value(),
            connection_factory=LogicalReplicationConnection,
        )
        self._cursor = self.connection.cursor()
        self._cursor.create_replication_slot(SLOT_HERE, output_plugin="pgoutput")
        options = {"proto_version": "1", "publication_names": "workbench_publication", "messages": "true"}
        self._cursor.start_replication(SLOT_HERE, decode=False, options=options)
        self._tables: dict[int, str] = {}
        self.read: list[str] = []

    def transactions(self, count: int) -> list[list[str]]:
        """The changes of the next ``count`` transactions, such as ``I sales_item``."""
        wait_until(lambda: self._poll().count("COMMIT") >= count, f"{count} transactions")
        found: list[list[str]] = [[]]
        for word in self.read:
            found.append([]) if word == "COMMIT" else found[-1].append(word)
        self.read = []
        return found[:count]

    def close(self) -> None:
        self._cursor.close()
        self.connection.close()

    def _poll(self) -> list[str]:
        while (message := self._cursor.read_message()) is not None:
            self._take(message.payload)
        return self.read

    def _take(self, payload: bytes) -> None:
        kind = chr(payload[0])
        if kind == "R":
            self._tables[struct.unpack(">I", payload[1:5])[0]] = payload[5:].split(b"\0")[1].decode()
        elif kind in "IUD":
            self.read.append(f"{kind} {self._tables[struct.unpack('>I', payload[1:5])[0]]}")
        elif kind == "M":
            self.read.append(f"M {payload[10:].split(bytes(1))[0].decode()}")
        elif kind == "C":
            self.read.append("COMMIT")


@pytest.fixture
def changes(workbench: Workbench, settings: Settings) -> Iterator[Reader]:
    """A reader of all that is changed in the test."""
    reader = Reader(settings)
    yield reader
    reader.close()
    with as_superuser(cluster.superuser(settings), settings.master_db_port).connect() as connection:
        connection.exec_driver_sql(
            f"select pg_terminate_backend(active_pid, 5000) from pg_replication_slots where slot_name = '{SLOT_HERE}'"
        )
        connection.exec_driver_sql(f"select pg_drop_replication_slot('{SLOT_HERE}')")


def test_a_sale_arrives_whole_and_its_lines_are_deleted_with_it(changes: Reader, workbench: Workbench) -> None:
    sales = workbench.sales()
    made = sales.create(sale(), uuid4())
    edited = sales.update(made.transaction_id, made.version, sale(store_id=9), uuid4())
    sales.delete(made.transaction_id, edited.version, uuid4(), "rung up twice")
    created, updated, deleted = changes.transactions(3)
    lines = len(sale().lines)
    assert created.count("I sales_transaction") == 1
    assert created.count("I sales_item") == lines
    assert "U sales_transaction" in updated
    assert deleted.count("D sales_transaction") == 1
    assert deleted.count("D sales_item") == lines
    assert {word.split()[1] for word in created + updated + deleted} == {"sales_transaction", "sales_item"}


def test_the_heartbeat_arrives_and_debezium_may_write_its_own(changes: Reader, engines: Engines) -> None:
    beat(engines)
    with engines.cdc.begin() as connection:
        connection.exec_driver_sql(HEARTBEAT)
    assert changes.transactions(2) == [["U heartbeat"], ["M heartbeat"]]


def test_nobody_else_may_write_into_the_log(engines: Engines) -> None:
    for engine in (engines.master, engines.master_reader):
        with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError, match="permission denied"):
            connection.exec_driver_sql(HEARTBEAT)


def test_the_role_may_read_what_is_published_and_change_nothing(engines: Engines) -> None:
    with engines.cdc.connect() as connection:
        for table in relations.tables():
            connection.exec_driver_sql(f"select * from {table.name} limit 1")
            with pytest.raises(sa.exc.DBAPIError, match="permission denied"):
                connection.exec_driver_sql(f"delete from {table.name}")
            connection.rollback()


def test_the_tables_in_risingwave_are_as_wide_as_the_masters(engines: Engines) -> None:
    types = {"integer": "int", "character varying": "varchar", "text": "varchar"}
    types |= {"timestamp without time zone": "timestamp", "timestamp with time zone": "timestamptz"}
    columns = "select column_name, data_type from information_schema.columns where table_name = :table"
    for table in relations.tables():
        with engines.master_reader.connect() as connection:
            here = {
                name: types.get(kind, kind)
                for name, kind in connection.execute(sa.text(columns), {"table": table.name})
            }
        inside = re.search(r"^create table[^(]*\((.*?)\n\)", table.text, re.DOTALL | re.MULTILINE)
        assert inside is not None
        for line in inside[1].strip().splitlines():
            name, kind = line.strip().rstrip(",").removesuffix(" primary key").split()
            assert here[name] == kind, f"{table.name}.{name}"


def check(engines: Engines, version: str = "3.0.3", has_source: bool = False) -> int:
    return cdc.check(engines, version, has_source)


def test_a_master_as_it_should_be_passes(engines: Engines) -> None:
    assert check(engines) >= 16


def test_a_wrong_password_names_the_setting_and_shows_no_password(settings: Settings, engines: Engines) -> None:
    changes = {"risingwave_cdc_password": SecretStr("canary-9"), "workbench_passwords_file": ""}
    wrong = connect(settings.model_copy(update=changes))
    with pytest.raises(CdcError, match="refuses the password of workbench_cdc. Set RISINGWAVE_CDC_PASSWORD") as refused:
        check(wrong)
    assert "canary-9" not in str(refused.value)
    wrong.dispose()


def test_a_master_that_cannot_be_reached_is_named(settings: Settings, engines: Engines) -> None:
    away = connect(settings.model_copy(update={"master_db_port": 1}))
    with pytest.raises(CdcError, match="The master at 127.0.0.1:1 does not answer. Start it, or check MASTER_DB_HOST"):
        check(away)
    away.dispose()


def test_a_database_that_does_not_exist_is_named(settings: Settings, engines: Engines) -> None:
    elsewhere = connect(settings.model_copy(update={"master_db_name": "nowhere"}))
    with pytest.raises(CdcError, match="does not let workbench_cdc into the database nowhere"):
        check(elsewhere)
    elsewhere.dispose()


def test_a_replica_is_no_master_for_risingwave(settings: Settings, engines: Engines) -> None:
    swapped = connect(settings.model_copy(update={"master_db_port": settings.replica_db_port}))
    with pytest.raises(CdcError, match="it is a replica, and changes can only be read from a master"):
        check(swapped)
    swapped.dispose()


def test_a_publication_that_lacks_a_table_is_named_with_the_command(engines: Engines) -> None:
    with engines.owner.begin() as connection:
        connection.exec_driver_sql("alter publication workbench_publication drop table sales_item")
    try:
        with pytest.raises(
            CdcError, match="lacks sales_item. Run as the owner: `alter publication .* add table sales_item`"
        ):
            check(engines)
    finally:
        with engines.owner.begin() as connection:
            connection.exec_driver_sql("alter publication workbench_publication add table sales_item")
    assert check(engines)


def test_a_publication_without_deletes_is_named(engines: Engines) -> None:
    with engines.owner.begin() as connection:
        connection.exec_driver_sql("alter publication workbench_publication set (publish = 'insert, update')")
    try:
        with pytest.raises(CdcError, match="leaves out inserts, updates or deletes"):
            check(engines)
    finally:
        with engines.owner.begin() as connection:
            connection.exec_driver_sql(
                "alter publication workbench_publication set (publish = 'insert, update, delete')"
            )


def test_a_right_that_is_missing_is_named(engines: Engines) -> None:
    with engines.owner.begin() as connection:
        connection.exec_driver_sql("revoke select on sales_item from workbench_cdc")
    try:
        with pytest.raises(CdcError, match="may not read sales_item.*`grant select on sales_item to workbench_cdc`"):
            check(engines)
    finally:
        with engines.owner.begin() as connection:
            connection.exec_driver_sql("grant select on sales_item to workbench_cdc")


@pytest.mark.parametrize(
    ("postgresql", "version", "is_accepted"),
    [(17, "2.4.2", True), (18, "2.4.2", False), (18, "3.0.3", True), (19, "3.0.3", False)],
)
def test_a_postgresql_that_is_too_new_for_risingwave_is_named(postgresql: int, version: str, is_accepted: bool) -> None:
    assert (postgresql <= cdc.newest_postgresql(version)) is is_accepted


def test_the_masters_own_version_is_checked(engines: Engines, monkeypatch: pytest.MonkeyPatch) -> None:
    newest = check(engines)
    monkeypatch.setattr(cdc, "newest_postgresql", lambda version: newest - 1)
    with pytest.raises(CdcError, match=f"PostgreSQL {newest}, and RisingWave 2.4.2 accepts .*RW_IMAGE=risingwavelabs"):
        check(engines, "2.4.2")


def test_a_slot_that_is_gone_is_named_once_there_is_a_source(engines: Engines) -> None:
    with pytest.raises(
        CdcError, match=f"the slot {SLOT} is gone: changes are missing. Run `workbench risingwave drop`"
    ):
        check(engines, has_source=True)


def test_a_lost_slot_no_free_slot_and_a_wrong_wal_level_are_named(
    engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a running master cannot be given for a test: its answer with one thing changed."""
    with engines.cdc.connect() as connection:
        found = run_sql(connection, "queries/cdc_preflight", {"slot": SLOT}).one()

    def told(**changed: object) -> str:
        answer = type("Answer", (), found._asdict() | changed)()
        monkeypatch.setattr(cdc, "_read_master", lambda engines: answer)
        with pytest.raises(CdcError) as refused:
            check(engines, has_source=bool(changed.get("has_slot")))
        assert "\n" not in str(refused.value)
        return str(refused.value)

    assert "was lost: changes are missing. Run `workbench risingwave drop`" in told(is_lost=True, has_slot=True)
    assert "replication slots are in use" in told(slots=found.most_slots)
    assert "wal_level is replica. Run `alter system set wal_level = 'logical'`" in told(wal_level="replica")
    assert "workbench migrate" in told(has_publication=False)


def test_risingwave_may_reach_the_master_elsewhere(settings: Settings) -> None:
    assert settings.cdc_from_risingwave == settings.cdc
    moved = settings.model_copy(update={"risingwave_cdc_host": "master", "risingwave_cdc_port": 5432})
    assert moved.cdc_from_risingwave == replace(settings.cdc, host="master", port=5432)


def test_another_server_in_the_place_of_risingwave_is_noticed(settings: Settings, engines: Engines) -> None:
    root = cluster.superuser(settings)
    mistaken = connect(
        settings.model_copy(
            update={
                "risingwave_host": root.host,
                "risingwave_port": root.port,
                "risingwave_name": "sales",
                "risingwave_user": root.user,
                "risingwave_password": root.password,
            }
        )
    )
    with pytest.raises(SettingsError, match="is no RisingWave: it is PostgreSQL"):
        build.apply(mistaken, views.materialized_views())
    mistaken.dispose()


def test_without_risingwave_the_setting_is_named(engines: Engines) -> None:
    with pytest.raises(SettingsError, match="set RISINGWAVE_HOST"):
        build.apply(engines, views.materialized_views())
