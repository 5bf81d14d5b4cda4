"""Who may do what in a real RisingWave: its reader reads, and a query of a person's own cannot be left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy.exc import DBAPIError

from tests.stack.program import Program
from workbench.config import Settings
from workbench.database import sql_query
from workbench.database.engines import Engines, connect
from workbench.database.replication import Reader
from workbench.database.sql_files import read_sql
from workbench.database.sql_query import query
from workbench.errors import CdcError, QueryRefused
from workbench.metrics import views
from workbench.servers.health import status
from workbench.servers.risingwave import build
from workbench.servers.risingwave.cdc import REBUILD
from workbench.servers.risingwave.console import console, is_open_to_all, keep_superusers, set_password, signed_in

VIEW = "sales_by_hour"
LEAVING = [
    f"select 1 as a$$; commit; drop materialized view {VIEW} cascade; select 2 as b$$",
    f"select E'\\'' ; drop materialized view {VIEW} cascade; --'",
    f"select 1; drop materialized view {VIEW} cascade",
]
FORBIDDEN = [
    f"drop materialized view {VIEW} cascade",
    "drop table sales_item cascade",
    "drop source workbench_master cascade",
    f"create materialized view of_a_reader as select * from {VIEW}",
    "create table of_a_reader (id int primary key)",
    "insert into heartbeat (heartbeat_id) values (2)",
    "delete from sales_transaction",
    "create user another with superuser",
    "alter system set barrier_interval_ms = 5000",
    "recover",
]


@pytest.fixture(scope="module", autouse=True)
def built(stack_engines: Engines) -> None:
    """Everything is there."""
    build.apply(stack_engines, views.materialized_views(), print)


def relations(engines: Engines) -> dict[str, str]:
    with console(engines, is_patient=False) as rw:
        return rw.names()


@pytest.fixture
def whole(stack_engines: Engines) -> Iterator[Engines]:
    """Nothing of it is dropped and nothing is added."""
    before = relations(stack_engines)
    assert before[VIEW] == "materialized view"
    yield stack_engines
    assert relations(stack_engines) == before


@pytest.mark.parametrize("statement", LEAVING)
@pytest.mark.parametrize("is_read", [True, False], ids=["as it is read", "past the reading"])
def test_a_query_cannot_be_left(whole: Engines, monkeypatch: pytest.MonkeyPatch, statement: str, is_read: bool) -> None:
    if not is_read:
        monkeypatch.setattr(sql_query, "_check", lambda *_: None)
    with pytest.raises(QueryRefused, match=r"One query at a time|expected|sql parser error|syntax"):
        query(Reader(whole), statement, engine="risingwave")


def test_the_root_user_cannot_be_left_behind_either(whole: Engines, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever gives root for the reader has no more than the protocol between a cell and the views."""
    monkeypatch.setattr(sql_query, "_check", lambda *_: None)
    root = whole.settings.model_copy(
        update={
            "risingwave_reader_user": whole.settings.risingwave_user,
            "risingwave_reader_password": whole.settings.risingwave_password,
        }
    )
    with closing(_Disposed(connect(root))) as made:
        for statement in LEAVING:
            with pytest.raises(QueryRefused):
                query(Reader(made.engines), statement, engine="risingwave")


class _Disposed:
    def __init__(self, engines: Engines) -> None:
        self.engines = engines

    def close(self) -> None:
        self.engines.dispose()


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_the_reader_may_only_read(whole: Engines, statement: str) -> None:
    assert whole.risingwave is not None
    with whole.risingwave.connect() as connection, pytest.raises(DBAPIError, match=r"(?i)permission denied|superuser"):
        connection.exec_driver_sql(statement)


def test_the_reader_reads_what_is_built_and_sql_answers(whole: Engines) -> None:
    for name in (*(relation.name for relation in views.materialized_views()), "fact_sales", "sales_item", "heartbeat"):
        frame = query(Reader(whole), f"select * from {name}", engine="risingwave", limit=10_000_000)
        assert len(frame) > 0, name
        assert frame.attrs["engine"] == "risingwave"
    asked = query(
        Reader(whole), "select count(*) as n from sales_by_store where store_id = :s", {"s": 1}, engine="risingwave"
    )
    assert asked["n"].item() > 0


@pytest.mark.parametrize("catalog", ["rw_catalog.rw_sources", "pg_catalog.pg_tables", "information_schema.tables"])
def test_the_catalogue_is_refused_in_sql(whole: Engines, catalog: str) -> None:
    with pytest.raises(QueryRefused, match="is refused: RisingWave's catalogue also shows"):
        query(Reader(whole), f"select * from {catalog}", engine="risingwave")


ENCRYPTED = ("risingwave", "risingwave_owner")


def test_every_connection_verifies_the_server(own_risingwave: Program, stack_settings: Settings) -> None:
    """RisingWave itself does not tell whether a connection is encrypted; the driver does."""
    good, other = (
        connect(stack_settings),
        connect(stack_settings.model_copy(update={"risingwave_sslrootcert": own_risingwave.file("other.crt")})),
    )
    elsewhere = connect(stack_settings.model_copy(update={"risingwave_host": "127.0.0.1"}))
    for name in ENCRYPTED:
        with getattr(good, name).connect() as connection:
            assert connection.connection.driver_connection.info.ssl_in_use
        with pytest.raises(sa.exc.OperationalError, match="certificate verify failed"):
            getattr(other, name).connect()
    assert "no CA in RISINGWAVE_SSLROOTCERT vouches" in status(other).risingwave.note
    assert 'shows a certificate for "localhost", and RISINGWAVE_HOST is 127.0.0.1' in status(elsewhere).risingwave.note
    for engines in (good, other, elsewhere):
        engines.dispose()


def test_a_master_without_tls_is_named_when_risingwave_is_to_demand_it(whole: Engines) -> None:
    """The embedded master speaks none: RisingWave refuses it, and says so before anything is changed."""
    demanding = connect(whole.settings.model_copy(update={"risingwave_cdc_sslmode": "require"}))
    with pytest.raises(CdcError, match="TLS|made by another version, or for another master") as refused:
        build.apply(demanding, views.materialized_views())
    assert REBUILD in str(refused.value)
    demanding.dispose()


def test_superusers_have_the_password_of_the_settings(own_risingwave: Program, stack_engines: Engines) -> None:
    settings = stack_engines.settings.model_copy(update={"risingwave_password": SecretStr("root-of-a-test")})
    with console(stack_engines, is_patient=False) as rw:
        superusers = [row.usename for row in rw.run(read_sql("risingwave/catalog/superusers"))]
        assert {"root", "postgres"} <= set(superusers)
        assert all(is_open_to_all(settings, user) for user in superusers)
        try:
            keep_superusers(rw, settings)
            assert not any(is_open_to_all(settings, user) for user in superusers)
            engines = connect(settings)
            assert build.apply(engines, views.materialized_views(), print).made == []
            engines.dispose()
        finally:
            for user in superusers:
                with signed_in(settings, user, "root-of-a-test") as itself:
                    set_password(itself, user, "")
    assert all(is_open_to_all(settings, user) for user in superusers)
