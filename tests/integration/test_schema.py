"""What the database itself guarantees, whoever writes; and who may do what."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from tests.conftest import as_superuser
from workbench import migrations
from workbench.config import Server, Settings
from workbench.database.engines import Engines
from workbench.database.sql_files import read_sql
from workbench.errors import SchemaError
from workbench.migrations import migrate, pending
from workbench.servers import cluster

HEADER = (
    "insert into sales_transaction (transaction_time, cashier_id, store_id, payment_method{0})"
    " values ('2026-05-01 10:00', 1, 1, 'Cash'{1}) returning transaction_id"
)
LINE = (
    "insert into sales_item"
    " (transaction_id, product_code, product_name, quantity, unit_price, discount, total_price)"
    " values ({0}, 'A', 'A', {1}, {2}, {3}, {4})"
)


def connected(server: Server) -> sa.Engine:
    """With transactions of several statements, which the program's own writer does not have."""
    url = sa.URL.create(
        "postgresql+psycopg2", server.user, server.password.get_secret_value(), server.host, server.port, server.name
    )
    return sa.create_engine(url, poolclass=sa.NullPool)


@pytest.fixture
def writer(settings: Settings, engines: Engines) -> Iterator[sa.Connection]:
    """As the writer, in a transaction of several statements."""
    with connected(settings.master).connect() as connection:
        yield connection


def run(connection: sa.Connection, sql: str) -> sa.CursorResult:
    return connection.execution_options(no_parameters=True).exec_driver_sql(sql)


def header(connection: sa.Connection, column: str = "", value: str = "") -> int:
    return run(connection, HEADER.format(column and f", {column}", value and f", {value}")).scalar_one()


@pytest.mark.parametrize(
    "line",
    [
        (0, 1, 0, 0),  # quantity
        (1, 0, 0, 0),  # unit price
        (1, 2, -1, 3),  # negative discount
        (1, 2, 3, -1),  # discount over the line
        (2, 2, 1, 2),  # total price is not derived
        (1, "'NaN'", 0, "'NaN'"),
        (1, "'Infinity'", 0, "'Infinity'"),
    ],
)
def test_a_wrong_line_is_refused(writer: sa.Connection, line: tuple) -> None:
    with pytest.raises(DBAPIError, match="violates check constraint|numeric field overflow"):
        run(writer, LINE.format(header(writer), *line))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("total_amount", "-1"),
        ("total_discount", "'NaN'"),
        ("customer_id", "0"),
    ],
)
def test_a_wrong_header_is_refused(writer: sa.Connection, column: str, value: str) -> None:
    with pytest.raises(DBAPIError, match="violates check constraint"):
        header(writer, column, value)


def test_totals_follow_the_lines_whoever_writes_them(writer: sa.Connection) -> None:
    sale = header(writer)
    run(writer, LINE.format(sale, 2, "3.50", "0.50", "6.50"))
    run(writer, LINE.format(sale, 1, "4.20", "0", "4.20"))
    writer.commit()
    totals = f"select total_amount, total_discount, version from sales_transaction where transaction_id = {sale}"
    assert [str(v) for v in run(writer, totals).one()] == ["10.70", "0.50", "3"]
    run(writer, f"update sales_item set quantity = 3, total_price = 10 where transaction_id = {sale} and quantity = 2")
    run(writer, f"delete from sales_item where transaction_id = {sale} and unit_price = 4.20")
    writer.commit()
    assert [str(v) for v in run(writer, totals).one()] == ["10.00", "0.50", "5"]


def test_a_typed_total_is_refused_at_commit(writer: sa.Connection) -> None:
    sale = header(writer)
    run(writer, LINE.format(sale, 1, 5, 0, 5))
    writer.commit()
    run(writer, f"update sales_transaction set total_amount = 99 where transaction_id = {sale}")
    with pytest.raises(DBAPIError, match="are not the sum of its lines"):
        writer.commit()


def test_a_sale_without_lines_is_refused_at_commit(writer: sa.Connection) -> None:
    sale = header(writer)
    with pytest.raises(DBAPIError, match=f"transaction {sale} has no lines"):
        writer.commit()
    writer.rollback()
    sale = header(writer)
    run(writer, LINE.format(sale, 1, 5, 0, 5))
    writer.commit()
    run(writer, f"delete from sales_item where transaction_id = {sale}")
    with pytest.raises(DBAPIError, match=f"transaction {sale} has no lines"):
        writer.commit()
    writer.rollback()
    run(writer, f"delete from sales_transaction where transaction_id = {sale}")
    writer.commit()


@pytest.mark.parametrize(
    "statement",
    [
        HEADER.format(", created_at", ", '1999-01-01'"),
        HEADER.format(", version", ", 7"),
        "update sales_transaction set created_at = '1999-01-01'",
        "update sales_transaction set updated_at = '1999-01-01', version = 7",
    ],
)
def test_what_the_database_keeps_of_a_sale_the_writer_does_not_give(writer: sa.Connection, statement: str) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        run(writer, statement)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ("beat_at = '2999-01-01'", "is not one of now"),
        ("beat_at = clock_timestamp() - interval '1 hour'", "is not one of now"),
        ("lsn = 'FFFFFFFF/0'", "the WAL has not reached"),
    ],
)
def test_the_writer_gives_no_false_heartbeat(writer: sa.Connection, changes: str, said: str) -> None:
    run(writer, "update heartbeat set beat_at = clock_timestamp(), lsn = pg_current_wal_lsn()::text")
    with pytest.raises(DBAPIError, match=said):
        run(writer, f"update heartbeat set {changes}")


def test_two_transactions_that_add_lines_to_one_sale_count_each_other(settings: Settings, engines: Engines) -> None:
    import threading

    with connected(settings.master).begin() as connection:
        sale = header(connection)
        run(connection, LINE.format(sale, 1, 1, 0, 1))
    with connected(settings.master).connect() as first, connected(settings.master).connect() as second:
        run(first, LINE.format(sale, 1, 5, 0, 5))
        waiting = threading.Thread(target=lambda: (run(second, LINE.format(sale, 1, 7, 0, 7)), second.commit()))
        waiting.start()
        first.commit()
        waiting.join(timeout=10)
        assert not waiting.is_alive()
    with connected(settings.master).connect() as connection:
        total = run(
            connection, f"select total_amount from sales_transaction where transaction_id = {sale}"
        ).scalar_one()
    assert total == 13


def test_a_line_without_a_sale_is_refused(writer: sa.Connection) -> None:
    with pytest.raises(DBAPIError, match="foreign key constraint"):
        run(writer, LINE.format(123456, 1, 5, 0, 5))


CATALOGUE = ("store", "cashier", "product", "product_price", "customer", "catalogue_log")
ALLOWED = {
    "workbench_writer": {
        "sales_transaction": "SD",  # and some of its columns, see below
        "sales_item": "SIUD",
        "sales_request": "SI",
        "heartbeat": "SU",
        "saved_view": "SIUD",
        "verification": "SI",
        "audit_log": "",
        **dict.fromkeys(CATALOGUE, ""),
    },
    "workbench_reader": {
        "sales_transaction": "S",
        "sales_item": "S",
        "sales_request": "S",
        "heartbeat": "S",
        "saved_view": "S",
        "verification": "S",
        "audit_log": "S",
        **dict.fromkeys(CATALOGUE, "S"),
        "customer": "",  # but all of its columns except the name
    },
    "workbench_cdc": {
        "sales_transaction": "S",
        "sales_item": "S",
        "sales_request": "",
        "heartbeat": "S",
        "saved_view": "",
        "verification": "",
        "audit_log": "",
        **dict.fromkeys(CATALOGUE, ""),
    },
}
RIGHTS = {
    "S": "SELECT",
    "I": "INSERT",
    "U": "UPDATE",
    "D": "DELETE",
    "T": "TRUNCATE",
    "R": "REFERENCES",
    "G": "TRIGGER",
}


@pytest.mark.parametrize("role", ALLOWED)
def test_each_role_has_exactly_its_grants(engines: Engines, role: str) -> None:
    with engines.owner.connect() as connection:
        for table, allowed in ALLOWED[role].items():
            for letter, right in RIGHTS.items():
                has = run(connection, f"select has_table_privilege('{role}', '{table}', '{right}')").scalar_one()
                assert has == (letter in allowed), f"{role} {right} on {table}: {has}"


WRITING = [
    "lo_create(0)",
    "lo_from_bytea(0, 'x')",
    "lo_unlink(1)",
    "lo_put(1, 0, 'x')",
    "pg_logical_emit_message(false, 'a', 'b')",
    "pg_notify('a', 'b')",
    "pg_cancel_backend(pg_backend_pid())",
    "pg_terminate_backend(1)",
    "pg_advisory_lock(1)",
    "pg_try_advisory_xact_lock_shared(1, 2)",
]


@pytest.mark.parametrize("call", WRITING)
def test_the_reader_executes_nothing_that_writes_or_ends_others(engines: Engines, call: str) -> None:
    with engines.master_reader.connect() as connection:
        run(connection, "set transaction read write")
        with pytest.raises(DBAPIError, match="permission denied for function"):
            run(connection, f"select {call}")


def test_migrate_says_when_a_server_still_has_the_old_grants(settings: Settings, engines: Engines) -> None:
    with as_superuser(cluster.superuser(settings), settings.master_db_port).connect() as connection:
        run(connection, "grant execute on function lo_create(oid) to public")
        try:
            said: list[str] = []
            migrate(engines, said.append)
            assert len(said) == 1 and "large objects" in said[0] and "sql/cluster/database.sql" in said[0]
        finally:
            run(connection, "revoke execute on function lo_create(oid) from public")
    said.clear()
    migrate(engines, said.append)
    assert said == []


def test_no_role_of_the_program_is_a_superuser_or_may_make_roles(engines: Engines) -> None:
    with engines.owner.connect() as connection:
        rows = run(
            connection,
            "select rolname, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls from pg_roles"
            " where rolname like 'workbench%' order by rolname",
        ).all()
    found = {row.rolname: tuple(row)[1:] for row in rows}
    nothing = (False,) * 5
    assert found == {
        "workbench_cdc": (False, False, False, True, False),
        "workbench_owner": nothing,
        "workbench_reader": nothing,
        "workbench_replica": (False, False, False, True, False),
        "workbench_writer": nothing,
    }


def test_the_reader_cannot_write_even_when_it_asks_to(engines: Engines) -> None:
    with engines.master_reader.connect() as connection:
        with pytest.raises(DBAPIError, match="read-only transaction"):
            run(connection, "delete from sales_transaction")
        connection.rollback()
        run(connection, "set transaction read write")
        with pytest.raises(DBAPIError, match="permission denied"):
            run(connection, "delete from sales_transaction")


def test_the_replica_takes_no_write_from_anybody(settings: Settings, engines: Engines) -> None:
    user = cluster.superuser(settings)
    on_replica = Server(user.host, settings.replica_db_port, user.name, user.user, user.password)
    with connected(on_replica).connect() as connection, pytest.raises(DBAPIError, match="read-only transaction"):
        run(connection, "delete from sales_transaction")


def test_the_publication_holds_the_tables_for_cdc(engines: Engines) -> None:
    with engines.owner.connect() as connection:
        tables = run(
            connection, "select tablename from pg_publication_tables where pubname = 'workbench_publication' order by 1"
        ).scalars()
        assert list(tables) == ["heartbeat", "sales_item", "sales_transaction"]


def test_migrating_again_does_nothing(engines: Engines) -> None:
    assert pending(engines) == []
    assert not migrate(engines)


def test_migrating_names_the_views_and_indexes_that_it_made_anew(engines: Engines) -> None:
    with engines.owner.begin() as connection:
        run(connection, "comment on view sales_by_hour is 'body of an older version'")
        run(connection, "drop index sales_transaction_day_idx")
    done = migrate(engines)
    assert (done.revisions, done.views, done.indexes) == ([], ["sales_by_hour"], ["sales_transaction_day_idx"])
    assert done.text() == "Made views anew: sales_by_hour. Made indexes: sales_transaction_day_idx."
    assert not migrate(engines)


@pytest.mark.parametrize("name", ["roles", "database"])
def test_an_older_postgresql_is_refused_before_anything_is_changed(
    settings: Settings, engines: Engines, name: str
) -> None:
    """As if this one were older than what is asked for; seen on a real PostgreSQL 15 too."""
    text = read_sql(f"cluster/{name}").replace("170000", "990000")
    with as_superuser(cluster.superuser(settings), settings.master_db_port).connect() as connection:
        with pytest.raises(DBAPIError, match="PostgreSQL 18.* is too old for the workbench"):
            run(connection, text)
        run(connection, "rollback")
        run(connection, read_sql(f"cluster/{name}"))


def test_migrate_refuses_an_older_postgresql(engines: Engines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "OLDEST_POSTGRESQL", 99)
    with pytest.raises(SchemaError, match="The master is PostgreSQL 18; the workbench runs on PostgreSQL 17 and 18"):
        migrate(engines)


def test_a_schema_newer_than_the_program_is_refused(engines: Engines) -> None:
    with engines.owner.begin() as connection:
        was = run(connection, "select version_num from alembic_version").scalar_one()
        run(connection, "update alembic_version set version_num = '9999'")
    try:
        with pytest.raises(SchemaError, match="newer than this program"):
            pending(engines)
    finally:
        with engines.owner.begin() as connection:
            run(connection, f"update alembic_version set version_num = '{was}'")
