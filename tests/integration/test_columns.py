"""The columns as a copy: what of the database reaches them, when, and the file that they are kept in."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.conftest import paused_replay
from tests.examples import CAKE, LATTE, sale
from tests.integration.test_metrics import Shop, check, columns, contents
from workbench.connection import Workbench
from workbench.database.positions import mark
from workbench.database.replication import Reader, ReadPosition
from workbench.errors import FiguresUnavailable, ServerUnavailable
from workbench.metrics import Columns, Source, Where, ask, table_reads
from workbench.metrics import columns as columns_module
from workbench.sample import load

__all__ = ["columns"]  # a fixture


def test_a_transaction_that_commits_late_is_not_missed(workbench: Workbench, columns: Columns) -> None:
    shop = Shop(workbench)
    shop.empty()
    columns.refresh(workbench.reader, shop.read_position)
    insert = sa.text(
        "with header as ("
        "insert into sales_transaction (transaction_time, cashier_id, store_id, payment_method, total_amount)"
        " values ('2026-05-30 10:00', 1, 1, 'Cash', 5) returning transaction_id)"
        " insert into sales_item (transaction_id, product_code, product_name, quantity, unit_price, total_price)"
        " select transaction_id, 'A', 'A', 1, 5, 5 from header"
    )
    with workbench.engines.owner.connect() as late:
        late.execute(insert)  # it writes to the log first, and commits last
        for _ in range(3):
            shop.ids.append(shop.sales.create(sale(), uuid.uuid4()).transaction_id)
            assert columns.refresh(workbench.reader, shop.read_position)
            assert not columns.refresh(workbench.reader, shop.read_position)
        source = Source(workbench.reader, shop.read_position, columns)
        assert ask(source, ["sales"]).value["sales"].tolist() == [3]
        late.commit()
        mark(workbench.engines, shop.read_position)
    assert columns.refresh(workbench.reader, shop.read_position)
    check(source, ["sales", "revenue"], ["day"], Where())
    assert ask(source, ["sales"]).value["sales"].tolist() == [4]
    assert not columns.refresh(workbench.reader, shop.read_position)


def test_a_replica_that_has_replayed_nothing_is_not_asked_what_has_changed(
    workbench: Workbench, columns: Columns, replica_superuser: sa.Engine
) -> None:
    asked, replica = [], workbench.engines.replica
    assert replica is not None
    columns.refresh(workbench.reader, ReadPosition())
    with paused_replay(workbench.engines, replica_superuser):
        columns.refresh(workbench.reader, ReadPosition())
        sa.event.listen(replica, "before_cursor_execute", lambda *call: asked.append(call[2]))
        workbench.sales().create(sale(), uuid.uuid4())
        assert not columns.refresh(workbench.reader, ReadPosition())
        assert asked and not any("audit_log" in text for text in asked)
    assert columns.refresh(workbench.reader, ReadPosition())
    assert any("audit_log" in text for text in asked)


def test_a_change_of_a_line_alone_is_seen(workbench: Workbench, columns: Columns) -> None:
    shop = Shop(workbench)
    shop.ids.append(shop.sales.create(sale(), uuid.uuid4()).transaction_id)
    columns.refresh(workbench.reader, shop.read_position)
    shop.write("recategorise", 0, "Food")  # the totals, and so the header, stay as they are
    assert columns.refresh(workbench.reader, shop.read_position)
    check(Source(workbench.reader, shop.read_position, columns), ["revenue"], ["category"], Where())


def test_a_copy_in_many_chunks_is_that_in_one(
    workbench: Workbench, tmp_path: Path, columns: Columns, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(workbench.engines, 100, seed=7)
    columns.refresh(workbench.reader, ReadPosition())
    monkeypatch.setattr(columns_module, "CHUNK_SALES", 7)
    many = Columns(tmp_path / "many", 512)
    many.refresh(workbench.reader, ReadPosition())
    assert contents(many) == contents(columns)
    many.close()
    assert sorted(path.suffix for path in (tmp_path / "many").iterdir()) == [".duckdb", ".lock"]


def test_a_copy_that_takes_too_long_is_an_error_in_words(
    workbench: Workbench, columns: Columns, monkeypatch: pytest.MonkeyPatch
) -> None:
    """COPY goes past SQLAlchemy; the Reader would not know the driver's own errors, and not fall back to the master."""
    monkeypatch.setattr(table_reads, "READ_SECONDS", 1)
    workbench.sales().create(sale(), uuid.uuid4())
    with workbench.engines.owner.begin() as locking:
        locking.execute(sa.text("lock table sales_item"))
        with pytest.raises(ServerUnavailable, match="took longer"):
            columns.refresh(Reader(replace(workbench.engines, replica=None)), ReadPosition())
    assert columns.moment is None


def test_a_stranger_sees_nothing_older_than_the_columns(workbench: Workbench, columns: Columns) -> None:
    columns.refresh(workbench.reader, ReadPosition())
    workbench.sales().create(sale(), uuid.uuid4())
    own = ReadPosition()
    mark(workbench.engines, own)
    columns.refresh(workbench.reader, own)
    stranger = ReadPosition()
    assert ask(Source(workbench.reader, stranger, columns), ["sales"]).value["sales"].tolist() == [1]
    assert columns.moment is not None
    assert stranger.token == columns.moment.token == own.token


def test_what_is_asked_while_a_refresh_is_under_way_is_of_the_state_before(
    workbench: Workbench, columns: Columns, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(workbench)
    shop.sales.create(sale(), uuid.uuid4())
    columns.refresh(workbench.reader, shop.read_position)
    source, found = Source(workbench.reader, ReadPosition(shop.read_position.token), columns), []
    shop.sales.create(sale(), uuid.uuid4())
    hold = Columns._hold

    def asked_before_it_is_held(*args: Any) -> None:
        found.append(ask(source, ["sales", "revenue"]).value["sales"].tolist())
        hold(*args)

    monkeypatch.setattr(Columns, "_hold", staticmethod(asked_before_it_is_held))
    assert columns.refresh(workbench.reader, shop.read_position)
    assert found == [[1]]
    assert ask(source, ["sales"]).value["sales"].tolist() == [2]


def test_a_process_that_starts_again_goes_on_from_its_file(
    workbench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, first = Shop(workbench), Columns(tmp_path, 512)
    for _ in range(3):
        shop.ids.append(shop.sales.create(sale(), uuid.uuid4()).transaction_id)
    first.refresh(workbench.reader, shop.read_position)
    first.close()
    shop.write("delete", 0, None)
    shop.sales.create(sale(lines=[CAKE]), uuid.uuid4())
    copied: list[Any] = []
    monkeypatch.setattr(Columns, "_whole_copy", lambda *_: copied.append(True))
    again = Columns(tmp_path, 512)
    again.refresh(workbench.reader, shop.read_position)
    assert not copied
    check(Source(workbench.reader, shop.read_position, again), ["sales", "revenue", "new_customers"], ["day"], Where())
    again.close()


@pytest.mark.parametrize("what", ["another database", "a file that is none"])
def test_a_file_that_does_not_belong_is_made_anew(workbench: Workbench, tmp_path: Path, what: str) -> None:
    shop = Shop(workbench)
    shop.sales.create(sale(), uuid.uuid4())
    first = Columns(tmp_path, 512)
    first.refresh(workbench.reader, shop.read_position)
    if what == "another database":
        assert first._database is not None
        first._database.execute("use columns; update held set identity = 'another'; update fact_sales set revenue = 7")
    first.close()
    if what == "a file that is none":
        (tmp_path / "columns-0.duckdb").write_bytes(b"no such thing" * 1000)
    again = Columns(tmp_path, 512)
    again.refresh(workbench.reader, shop.read_position)
    check(Source(workbench.reader, shop.read_position, again), ["sales", "revenue"], [], Where())
    again.close()


def test_two_processes_do_not_share_a_file(workbench: Workbench, tmp_path: Path) -> None:
    made = [Columns(tmp_path, 256) for _ in range(2)]
    for each in made:
        each.refresh(workbench.reader, ReadPosition())
    assert sorted(path.name for path in tmp_path.glob("*.duckdb")) == ["columns-0.duckdb", "columns-1.duckdb"]
    for each in made:
        each.close()


def test_columns_that_cannot_be_kept_say_so_and_the_database_answers(workbench: Workbench, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    columns = Columns(tmp_path / "file" / "columns", 256)
    with pytest.raises(FiguresUnavailable, match="cannot be kept in .*columns: Not a directory"):
        columns.refresh(workbench.reader, ReadPosition())
    answer = ask(Source(workbench.reader, ReadPosition(), columns), ["sales"])
    assert answer.value["sales"].tolist() == [0]


def test_a_bulk_load_and_a_great_change_are_read_anew(
    workbench: Workbench, columns: Columns, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(workbench)
    shop.sales.create(sale(lines=[LATTE, CAKE]), uuid.uuid4())
    columns.refresh(workbench.reader, shop.read_position)
    source = Source(workbench.reader, shop.read_position, columns)
    for extra in ("'insert'", "'bulk load'"):
        shop.run(
            "set local session_replication_role = replica;"
            "insert into sales_transaction (transaction_time, cashier_id, store_id, payment_method)"
            " select timestamp '2026-01-01' + n * interval '1 day', 1, 1, 'Cash' from generate_series(1, 80) as n;"
            "set local session_replication_role = origin;"
            "insert into audit_log (actor, operation, table_name, after)"
            f" select 'test', {extra}, 'sales_transaction', to_jsonb(t) from sales_transaction as t"
            f" where {extra} = 'insert' union all select 'test', {extra}, 'sales_transaction', null"
            f" where {extra} <> 'insert'"
        )
        columns.refresh(workbench.reader, shop.read_position)
        check(source, ["sales", "revenue"], ["day"], Where())
