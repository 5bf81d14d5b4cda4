"""Loading sample sales into a real master: all or none, nothing switched off for good, others go on, and how fast."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import numpy as np
import psycopg2
import pytest
import sqlalchemy as sa

from tests.conftest import as_superuser, free_ports, wait_until
from tests.examples import sale
from workbench import sample
from workbench.config import Settings, child_environment
from workbench.connection import Workbench
from workbench.database.engines import Engines, connect
from workbench.database.positions import wait_for_replica
from workbench.errors import FieldError, LoadStopped, ServerUnavailable, WorkbenchError
from workbench.migrations import migrate
from workbench.sample import Loaded, bulk_load, generate, load, prepared
from workbench.sample import chunks as sample_chunks
from workbench.servers import cluster
from workbench.servers.health import status

UNTIL = datetime(2026, 5, 31, 16, 20)

# All that a load must leave as it found it: constraints, indexes and triggers, and that they are in force.
GUARDS = """
select conrelid::regclass::text, conname, convalidated::text, pg_get_constraintdef(oid)
from pg_constraint where conrelid in ('sales_transaction'::regclass, 'sales_item'::regclass)
union all
select indrelid::regclass::text, indexrelid::regclass::text, indisvalid::text, pg_get_indexdef(indexrelid)
from pg_index where indrelid in ('sales_transaction'::regclass, 'sales_item'::regclass)
union all
select tgrelid::regclass::text, tgname, tgenabled::text, pg_get_triggerdef(oid)
from pg_trigger
where tgrelid in ('sales_transaction'::regclass, 'sales_item'::regclass) and not tgisinternal
order by 1, 2, 4
"""
WRONG_SALES = """
select count(*) from sales_transaction as t
full join (
    select transaction_id, sum(total_price) as amount, sum(discount) as discount from sales_item group by transaction_id
) as l using (transaction_id)
where (t.total_amount, t.total_discount) is distinct from (l.amount, l.discount)
"""


def rows(engines: Engines, sql: str) -> list[tuple[object, ...]]:
    with engines.owner.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(sql))]


def scalar(engines: Engines, sql: str) -> object:
    return rows(engines, sql)[0][0]


def counts(engines: Engines) -> tuple[object, object, object]:
    """Sales, lines, entries in the audit log."""
    names = ("sales_transaction", "sales_item", "audit_log")
    sales, lines, entries = (scalar(engines, f"select count(*) from {name}") for name in names)
    return sales, lines, entries


@pytest.fixture
def guards(engines: Engines) -> Iterator[None]:
    """Constraints, indexes and triggers are after the test what they were before, and in force."""
    before = rows(engines, GUARDS)
    assert len(before) > 20
    yield
    assert rows(engines, GUARDS) == before


@pytest.fixture
def loaded(engines: Engines, guards: None) -> Loaded:
    return load(engines, 3000, seed=7, until=UNTIL, actor="ann")


def test_what_is_stored_is_what_was_generated(engines: Engines, loaded: Loaded) -> None:
    chunks = list(generate(3000, seed=7, until=UNTIL))
    lines = sum(len(chunk.sale) for chunk in chunks)
    cents = sum(int(chunk.total_amount.sum()) for chunk in chunks)
    assert (loaded.sales, loaded.lines, loaded.revenue) == (3000, lines, Decimal(cents) / 100)
    assert counts(engines)[:2] == (3000 + loaded.returns, lines)
    assert loaded.returns == sum(int((chunk.return_of >= 0).sum()) for chunk in chunks) > 40
    assert scalar(engines, "select sum(total_amount) from sales_transaction") == loaded.revenue
    assert scalar(engines, WRONG_SALES) == 0
    first = sample.products()[chunks[0].product[0]]
    stored = rows(engines, "select product_code, product_name, category from sales_item order by item_id limit 1")
    assert stored == [(first.code, first.name, first.category)]
    times = [row[0] for row in rows(engines, "select transaction_time from sales_transaction order by transaction_id")]
    assert times == np.concatenate([chunk.transaction_time for chunk in chunks]).astype(datetime).tolist()
    assert scalar(engines, "select count(*) from sales_transaction where customer_id is null") == sum(
        int((chunk.customer_id == 0).sum()) for chunk in chunks
    )


def test_it_reaches_the_replica(engines: Engines, loaded: Loaded) -> None:
    assert wait_for_replica(engines)
    assert engines.replica is not None
    with engines.replica.connect() as connection:
        assert connection.execute(sa.text("select count(*) from sales_item")).scalar_one() == loaded.lines


def test_the_audit_log_has_one_entry(engines: Engines, loaded: Loaded) -> None:
    entries = rows(engines, "select actor, operation, table_name, transaction_id, before, after from audit_log")
    after = {
        "sales": 3000,
        "returns": loaded.returns,
        "lines": loaded.lines,
        "revenue": str(loaded.revenue),
        "first_id": loaded.first_id,
        "last_id": loaded.last_id,
        "asked": 3000,
        "seed": 7,
        "until": "2026-05-31T16:20:00",
    }
    assert entries == [("ann", "bulk load", "sales_transaction", None, None, after)]


def test_afterwards_the_next_sale_gets_the_next_id_and_is_audited(workbench: Workbench, loaded: Loaded) -> None:
    sales = workbench.sales(actor="tester")
    saved = sales.create(sale(), uuid4())
    assert (loaded.last_id - loaded.first_id, saved.transaction_id) == (2999 + loaded.returns, loaded.last_id + 1)
    assert len(sales.lines(saved.transaction_id).value) == 2
    assert scalar(workbench.engines, "select count(*) from audit_log where operation = 'insert'") == 1
    assert scalar(workbench.engines, "select max(item_id) - count(*) from sales_item") == 0


def test_afterwards_the_foreign_key_and_the_triggers_are_in_force(engines: Engines, loaded: Loaded) -> None:
    line = """insert into sales_item (transaction_id, product_code, product_name, quantity, unit_price, total_price)
        values (%s, 'A', 'B', 1, 2, 2)"""
    with pytest.raises(sa.exc.IntegrityError, match="sales_item_transaction_id_fkey"), engines.owner.begin() as one:
        one.exec_driver_sql(line, (loaded.last_id + 1000,))
    total = f"select total_amount from sales_transaction where transaction_id = {loaded.first_id}"
    before = scalar(engines, total)
    with engines.owner.begin() as one:
        one.exec_driver_sql(line, (loaded.first_id,))
    assert scalar(engines, total) == before + Decimal(2)
    typed = "update sales_transaction set total_amount = 1 where transaction_id = %s"
    with pytest.raises(sa.exc.IntegrityError, match="are not the sum of its lines"), engines.owner.begin() as one:
        one.exec_driver_sql(typed, (loaded.first_id,))


def test_no_sales_then_some_and_a_second_load_adds_to_them(engines: Engines, guards: None) -> None:
    assert sample.is_empty(engines)
    first, second = load(engines, 200, seed=1), load(engines, 300, seed=1)
    assert not sample.is_empty(engines)
    assert (second.first_id, second.sales) == (first.last_id + 1, 300)
    assert counts(engines) == (500 + first.returns + second.returns, first.lines + second.lines, 2)
    newest = scalar(engines, "select max(transaction_time) from sales_transaction")
    assert isinstance(newest, datetime)
    assert newest <= datetime.now()


@pytest.mark.parametrize("count", [0, -5, 50_000_001])
def test_a_count_that_cannot_be_is_refused_before_anything_is_done(engines: Engines, count: int) -> None:
    with pytest.raises(FieldError, match="Count .*from 1 to 50,000,000"):
        load(engines, count)
    assert counts(engines) == (0, 0, 0)


def test_progress_is_told_and_a_stop_leaves_nothing(engines: Engines, guards: None) -> None:
    heard: list[tuple[int, int]] = []
    with pytest.raises(LoadStopped, match=r"stopped after [\d,]+ sales\. Nothing was loaded"):
        load(engines, 70_000, progress=lambda *told: heard.append(told), should_stop=lambda: len(heard) == 2)
    assert [total for _, total in heard] == [70_000] * 2
    assert 0 < heard[0][0] < heard[1][0] < 70_000
    assert counts(engines) == (0, 0, 0)
    load(engines, 500, progress=lambda *told: heard.append(told))
    assert heard[-1] == (500, 500)


@pytest.mark.parametrize("stops", [False, True])
def test_a_large_load_makes_the_indexes_anew_also_when_it_is_stopped(
    engines: Engines, guards: None, monkeypatch: pytest.MonkeyPatch, stops: bool
) -> None:
    monkeypatch.setattr(bulk_load, "MANY_SALES", 1000)
    seen: list[object] = []

    def look(*_: int) -> None:
        seen.append(scalar(engines, "select to_regclass('sales_item_transaction_idx')"))

    if stops:
        with pytest.raises(LoadStopped):
            load(engines, 70_000, progress=look, should_stop=lambda: bool(seen))
    else:
        load(engines, 5000, progress=look)
    assert set(seen) == {None}, "the indexes were there meanwhile, so this test proves nothing"
    assert (counts(engines) == (0, 0, 0)) == stops


KILLED = """
import sys
from workbench.config import load_settings
from workbench.database.engines import connect
from workbench.sample import load
load(connect(load_settings()), 400_000, progress=lambda done, total: print(done, flush=True))
"""


def test_of_a_large_load_that_is_killed_nothing_stays_unsaid(engines: Engines, settings: Settings) -> None:
    load_it = [sys.executable, "-c", KILLED]
    with subprocess.Popen(load_it, env=child_environment(settings), stdout=subprocess.PIPE, text=True) as loading:
        assert loading.stdout is not None
        while int(loading.stdout.readline()) <= bulk_load.BATCH_SALES:
            assert status(engines).master.note == "", "a load that goes on is no fault"
        wait_until(lambda: bool(sample.loads(engines)), "the first part")
        loading.kill()
    wait_until(lambda: status(engines).master.note != "", "the missing indexes to be told")
    assert "5 reading indexes are missing" in status(engines).master.note
    assert "workbench migrate" in status(engines).master.note
    said: list[str] = []
    migrate(engines, said.append)
    assert [line for line in said if "Making the index sales_item_transaction_idx, which is missing" in line]
    assert (len(said), status(engines).master.note) == (5, "")
    (left,) = sample.loads(engines)
    assert left.note == f"ended early, after {left.sales:,} of 400,000 sales"
    assert scalar(engines, WRONG_SALES) == 0
    assert sample.undo(engines).sales == left.sales >= bulk_load.BATCH_SALES
    assert counts(engines)[:2] == (0, 0)


def test_an_index_that_cannot_be_used_is_made_anew(engines: Engines, settings: Settings) -> None:
    with as_superuser(cluster.superuser(settings), settings.master_db_port).connect() as connection:
        connection.exec_driver_sql(
            "update pg_index set indisvalid = false where indexrelid = 'sales_transaction_day_idx'::regclass"
        )
    assert "1 reading index is missing (sales_transaction_day_idx)" in status(engines).master.note
    migrate(engines)
    assert status(engines).master.note == ""


def test_a_load_beside_more_sales_keeps_the_indexes(
    engines: Engines, guards: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(engines, 3000)
    monkeypatch.setattr(bulk_load, "MANY_SALES", 1000)
    seen: list[object] = []
    index = "select to_regclass('sales_item_transaction_idx')::text"
    load(engines, 2000, progress=lambda *_: seen.append(scalar(engines, index)))
    assert set(seen) == {"sales_item_transaction_idx"}


@pytest.mark.parametrize(
    ("text", "was", "becomes"),
    [("line_rows", b"\t1\t", b"\t2\t"), ("line_rows", b"\n0", b"\n9"), ("header_rows", b"\tCash\t", b"\tCash\t9")],
)
def test_rows_that_triggers_would_refuse_are_refused_and_leave_nothing(
    engines: Engines, guards: None, monkeypatch: pytest.MonkeyPatch, text: str, was: bytes, becomes: bytes
) -> None:
    """A line that does not add up, lines of a sale that is not there, a total that is not its lines'."""
    made = getattr(prepared, text)
    monkeypatch.setattr(prepared, text, lambda chunk: made(chunk).replace(was, becomes, 1))
    with pytest.raises((WorkbenchError, sa.exc.DBAPIError), match="1 of the transactions|total_price_derived"):
        load(engines, 300, until=UNTIL)
    assert counts(engines) == (0, 0, 0)


def test_returns_of_more_than_was_sold_are_refused_and_leave_nothing(
    engines: Engines, guards: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_many(*given: Any) -> Any:
        line, place, pieces = lines(*given)
        return line, place, pieces + 4

    lines = sample_chunks.lines
    monkeypatch.setattr(sample_chunks, "lines", too_many)
    with pytest.raises(WorkbenchError, match="of the transactions .* more given back than sold"):
        load(engines, 300, until=UNTIL)
    assert counts(engines) == (0, 0, 0)


def test_a_lost_connection_is_said_in_words_and_leaves_nothing(
    engines: Engines, settings: Settings, guards: None
) -> None:
    end = """select pg_terminate_backend(pid, 5000) from pg_stat_activity
        where usename = 'workbench_owner' and state = 'idle in transaction'"""
    ended: list[object] = []

    def cut(*_: int) -> None:
        with as_superuser(cluster.superuser(settings), settings.master_db_port).connect() as connection:
            ended.extend(connection.exec_driver_sql(end).scalars())

    with pytest.raises(ServerUnavailable, match="The master at .* does not answer"):
        load(engines, 50_000, progress=cut)
    assert ended == [True]
    assert counts(engines) == (0, 0, 0)


def test_a_master_that_is_away_is_said_in_words(settings: Settings) -> None:
    away = connect(settings.model_copy(update={"master_db_port": free_ports(1)[0]}))
    for action in (lambda: load(away, 10), lambda: sample.is_empty(away)):
        with pytest.raises(ServerUnavailable, match="The master at .* does not answer"):
            action()
    away.dispose()


def test_sales_made_during_a_load_go_on_and_get_other_ids(workbench: Workbench, guards: None) -> None:
    engines, made = workbench.engines, []
    sales = workbench.sales(actor="tester")

    def sell(done: int, total: int) -> None:
        before = time.monotonic()
        saved = sales.create(sale(), uuid4())
        sales.update(saved.transaction_id, 1, sale(store_id=4), uuid4())
        made.append(sales.get(saved.transaction_id).value.transaction_id)
        assert time.monotonic() - before < 2

    found = load(engines, 70_000, until=UNTIL, progress=sell)
    assert len(set(made)) >= 3
    assert any(found.first_id < transaction_id < found.last_id for transaction_id in made)
    assert counts(engines)[0] == 70_000 + found.returns + len(made)
    assert scalar(engines, "select count(*) from sales_transaction where version = 2") == len(made)
    assert scalar(engines, WRONG_SALES) == 0


def test_ids_that_others_took_in_between_are_left_out(engines: Engines, guards: None) -> None:
    sequence = "alter sequence sales_transaction_transaction_id_seq increment by "
    with engines.owner.begin() as connection:
        connection.exec_driver_sql(sequence + "3")  # as if every sale were followed by two of others
    try:
        loaded = load(engines, 1000, until=UNTIL)
    finally:
        with engines.owner.begin() as connection:
            connection.exec_driver_sql(sequence + "1")
    assert loaded.last_id - loaded.first_id == 3 * (999 + loaded.returns)
    assert scalar(engines, "select count(distinct transaction_id % 3) from sales_transaction") == 1
    assert counts(engines) == (1000 + loaded.returns, loaded.lines, 1)
    assert scalar(engines, WRONG_SALES) == 0


def test_two_loads_at_once_both_arrive(engines: Engines, guards: None) -> None:
    done: list[Loaded] = []
    threads = [threading.Thread(target=lambda n=n: done.append(load(engines, 40_000, seed=n))) for n in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert len(done) == 2
    assert counts(engines) == (80_000 + sum(each.returns for each in done), sum(each.lines for each in done), 2)
    assert scalar(engines, WRONG_SALES) == 0


def test_a_load_does_not_pay_for_triggers_row_by_row(engines: Engines, guards: None) -> None:
    """Against a plain COPY, in turns, the best of each: the machine has other things to do as well.

    It takes 5 to 8 times as long (constraints, seven indexes, checking, ANALYZE), with triggers more than 20 times.
    """
    own, plain = [], []
    for seed in range(3):
        loaded = load(engines, 60_000, seed=seed, until=UNTIL)
        own.append(loaded.seconds)
        plain.append(plain_copy_seconds(engines, loaded))
    assert min(own) < 14 * min(plain)


def plain_copy_seconds(engines: Engines, loaded: Loaded) -> float:
    """Copies what was loaded into the same tables without keys, indexes and triggers."""
    with engines.owner.connect() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg2.extensions.connection)
        cursor, texts = driver.cursor(), {}
        for name in ("sales_transaction", "sales_item"):
            cursor.execute(f"create table plain_{name} (like {name})")
            texts[name] = io.BytesIO()
            where = f"transaction_id between {loaded.first_id} and {loaded.last_id}"
            cursor.copy_expert(f"copy (select * from {name} where {where}) to stdout", texts[name])
            texts[name].seek(0)
        driver.commit()
        started = time.monotonic()
        for name, text in texts.items():
            cursor.copy_expert(f"copy plain_{name} from stdin", text, 1 << 20)
        driver.commit()
        seconds = time.monotonic() - started
        cursor.execute("drop table plain_sales_transaction, plain_sales_item")
        driver.commit()
    return seconds
