"""Every metric, under any filter, after any writes: from rollups and from the database, what plain SQL says."""

from __future__ import annotations

import uuid
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.conftest import paused_replay
from tests.examples import CAKE, LATTE, sale
from tests.integration.plain_metrics import plain
from workbench.connection import Workbench
from workbench.errors import MetricError, ServerUnavailable
from workbench.metrics import DIMENSIONS, METRICS, Rollups, Source, Where, ask, direct, loading
from workbench.metrics.registry import ROLLUPS
from workbench.metrics.stored import stored
from workbench.models import parse_sale
from workbench.positions import mark
from workbench.replication import Session

PHASES = [Phase.explicit, Phase.reuse, Phase.generate]  # to shrink what fails would take minutes of real writes
DAYS = [date(2025, 12, 31), date(2026, 5, 29), date(2026, 5, 30), date(2026, 6, 1), date(2026, 7, 1)]
CATEGORIES = ["Coffee", "Food", "", None]
TIMES = [time(0, 0), time(9, 59, 59, 999999), time(10, 0), time(23, 59, 59, 999999)]

lines = st.fixed_dictionaries(
    {
        "product_code": st.sampled_from(["A", "B", "C"]),
        "product_name": st.just("Thing"),
        "category": st.sampled_from(["Coffee", "Food", None]),
        "quantity": st.integers(1, 3),
        "unit_price": st.sampled_from(["0.01", "3.35", "10.00"]),
        "discount": st.sampled_from(["0.00", "0.01"]),
    }
)
sales = st.fixed_dictionaries(
    {
        "transaction_time": st.builds(datetime.combine, st.sampled_from(DAYS), st.sampled_from(TIMES)),
        "cashier_id": st.integers(1, 3),
        "store_id": st.integers(1, 2),
        "payment_method": st.sampled_from(["Cash", "QRIS"]),
        "customer_id": st.sampled_from([None, 1, 2, 3]),
        "lines": st.lists(lines, min_size=1, max_size=4),
    }
)
which = st.integers(0, 20)
writes = st.one_of(
    st.tuples(st.just("create"), which, sales),
    st.tuples(st.just("edit"), which, sales),
    st.tuples(st.just("delete"), which, st.none()),
    st.tuples(st.just("recategorise"), which, st.sampled_from(CATEGORIES)),
    st.tuples(st.just("move"), which, st.sampled_from(DAYS)),
)


def some(values: list[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.one_of(st.just(()), st.lists(st.sampled_from(values), max_size=2, unique=True).map(tuple))


def maybe(values: list[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), st.sampled_from(values))


wheres = st.builds(
    Where,
    date_from=maybe(DAYS),
    date_to=maybe(DAYS),
    time_from=st.one_of(st.none(), st.none(), st.sampled_from(TIMES)),
    time_to=st.one_of(st.none(), st.none(), st.sampled_from(TIMES)),
    before=st.one_of(st.none(), st.none(), st.builds(datetime.combine, st.sampled_from(DAYS), st.sampled_from(TIMES))),
    hours=some([0, 9, 10, 23]),
    weekdays=some([1, 5, 6]),
    stores=some([1, 2, 9]),
    cashiers=some([1, 2]),
    payment_methods=some(["Cash", "QRIS"]),
    customer_types=some(["card", "no card"]),
    customer_id=st.one_of(st.none(), st.none(), st.sampled_from([1, 2])),
    categories=some(CATEGORIES),
    products=some(["A", "B", "C"]),
)
SIMPLE = [  # few filters at once: those the rollups answer
    Where(),
    Where(date_from=DAYS[1], date_to=DAYS[2]),
    Where(stores=(1,)),
    Where(cashiers=(2,), payment_methods=("Cash",)),
    Where(hours=(9, 10), weekdays=(5,)),
    Where(date_from=DAYS[0], before=datetime.combine(DAYS[2], time(10))),
    Where(hours=(9, 23), before=datetime.combine(DAYS[1], time(10, 30))),
    Where(before=datetime.combine(DAYS[2], time(0))),
    Where(categories=("Coffee",)),
    Where(categories=("Coffee", None)),
    Where(products=("A",)),
    Where(customer_id=1),
]
simple = st.sampled_from(SIMPLE)
bys = st.lists(st.sampled_from(list(DIMENSIONS)), max_size=2, unique=True)
questions = st.lists(st.tuples(bys, st.one_of(simple, wheres)), min_size=1, max_size=4)


class Shop:
    """Writes through the service and, as someone at a console would, straight to the tables."""

    def __init__(self, workbench: Workbench) -> None:
        self.workbench = workbench
        self.sales = workbench.sales()
        self.session = self.sales.session
        self.ids: list[int] = []

    def run(self, sql: str, **values: Any) -> None:
        with self.workbench.engines.owner.begin() as connection:
            connection.execute(sa.text(sql), values)
        mark(self.workbench.engines, self.session)

    def empty(self) -> None:
        self.run("truncate sales_transaction, sales_item")
        self.ids = []

    def write(self, kind: str, which: int, value: Any) -> None:
        if kind == "create":
            self.ids.append(self.sales.create(parse_sale(value), uuid.uuid4()).transaction_id)
            return
        if not self.ids:
            return
        key = self.ids[which % len(self.ids)]
        if kind == "recategorise":
            self.run("update sales_item set category = :value where transaction_id = :key", value=value, key=key)
        elif kind == "move":
            sql = "update sales_transaction set transaction_time = :value + transaction_time::time"
            self.run(f"{sql} where transaction_id = :key", value=value, key=key)
        else:
            loaded = self.sales.get(key, for_edit=True).value
            if kind == "delete":
                self.sales.delete(key, loaded.version, uuid.uuid4())
                self.ids.remove(key)
            else:
                kept = [{**value["lines"][0], "item_id": loaded.lines[0].item_id}, *value["lines"][1:]]
                self.sales.update(key, loaded.version, parse_sale({**value, "lines": kept}), uuid.uuid4())


def check(source: Source, names: list[str], by: list[str], where: Where) -> None:
    """Each group that plain SQL knows has its value, every group has a sale or a line, and no other is there."""
    frame = ask(source, names, by=by, where=where).value
    rows = {tuple(row[name] for name in by): row for row in frame.to_dict("records")}
    assert list(frame.columns) == [*by, *names] and len(rows) == len(frame)
    with source.reader.engines.master_reader.connect() as connection:
        for name in names:
            expected = plain(connection, name, by, where)
            assert set(expected) <= set(rows), (name, by, where)
            for key, row in rows.items():
                value = expected.get(key)
                if value is None and not METRICS[name].under:
                    value = 0
                assert row[name] == value, (name, key, by, where)
        anchor = "items_sold" if {"category", "product"} & set(by) or where.categories or where.products else "sales"
        assert not by or set(rows) == set(plain(connection, anchor, by, where)), (by, where)


def allowed(by: list[str]) -> list[str]:
    return [metric.name for metric in METRICS.values() if set(by) <= set(metric.dimensions)]


def contents(rollups: Rollups) -> dict[str, Any]:
    """Every cube, down to its last row, whatever the order."""
    found = {}
    for name, cube in rollups.state.cubes.items():
        columns = [cube.day.tolist(), *([c.values[n] for n in c.codes] for c in cube.dimensions.values())]
        columns += [measure.tolist() for measure in cube.measures.values()]
        found[name] = sorted(map(repr, zip(*columns, strict=True)))
    return found


def test_every_metric_is_what_plain_sql_says_after_any_writes(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FIRST_SALES", "CHUNK_SALES"):
        monkeypatch.setattr(loading, name, 3)  # so that rollups are asked while they are loaded in part
    shop, kept = Shop(workbench), Rollups()

    @settings(
        max_examples=40, phases=[Phase.explicit, Phase.generate], deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(st.lists(st.lists(writes, max_size=6), min_size=1, max_size=3), questions)
    def run(rounds: list[list[Any]], asked: list[Any]) -> None:
        shop.empty()
        for writes_of_round in rounds:
            for write in writes_of_round:
                shop.write(*write)
            kept.refresh(workbench.reader, shop.session)
            for by, where in asked:
                check(Source(workbench.reader, shop.session, kept), allowed(by), by, where)
        for by, where in asked:
            check(Source(workbench.reader, shop.session), allowed(by), by, where)
        kept.load(workbench.reader, shop.session)
        fresh = Rollups()
        fresh.load(workbench.reader, shop.session)
        assert contents(kept) == contents(fresh)
        for by, where in [*asked, *(([], where) for where in SIMPLE)]:
            check(Source(workbench.reader, shop.session, kept), allowed(by), by, where)

    run()


def test_a_transaction_that_commits_late_is_not_missed(workbench: Workbench) -> None:
    shop, kept = Shop(workbench), Rollups()
    shop.empty()
    kept.load(workbench.reader, shop.session)
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
            assert kept.refresh(workbench.reader, shop.session)
            assert not kept.refresh(workbench.reader, shop.session)
        source = Source(workbench.reader, shop.session, kept)
        assert ask(source, ["sales"]).value["sales"].tolist() == [3]
        late.commit()
        mark(workbench.engines, shop.session)
    assert kept.refresh(workbench.reader, shop.session)
    check(source, ["sales", "revenue"], ["day"], Where())
    assert ask(source, ["sales"]).value["sales"].tolist() == [4]
    assert not kept.refresh(workbench.reader, shop.session)


def test_a_replica_that_has_replayed_nothing_is_not_asked_what_has_changed(
    workbench: Workbench, replica_superuser: sa.Engine
) -> None:
    kept, asked, replica = Rollups(), [], workbench.engines.replica
    assert replica is not None
    kept.load(workbench.reader, Session())
    with paused_replay(workbench.engines, replica_superuser):
        kept.refresh(workbench.reader, Session())
        sa.event.listen(replica, "before_cursor_execute", lambda *call: asked.append(call[2]))
        workbench.sales().create(sale(), uuid.uuid4())
        assert not kept.refresh(workbench.reader, Session())
        assert asked and not any("audit_log" in text for text in asked)
    assert kept.refresh(workbench.reader, Session())
    assert any("audit_log" in text for text in asked)


def test_a_change_of_a_line_alone_is_seen(workbench: Workbench) -> None:
    shop, kept = Shop(workbench), Rollups()
    shop.ids.append(shop.sales.create(sale(), uuid.uuid4()).transaction_id)
    kept.load(workbench.reader, shop.session)
    shop.write("recategorise", 0, "Food")  # the totals, and so the header, stay as they are
    assert kept.refresh(workbench.reader, shop.session)
    check(Source(workbench.reader, shop.session, kept), ["revenue"], ["category"], Where())


def test_a_sale_with_two_categories_counts_once_under_both(workbench: Workbench) -> None:
    shop, kept = Shop(workbench), Rollups()
    shop.sales.create(sale(lines=[LATTE, CAKE, LATTE]), uuid.uuid4())
    kept.load(workbench.reader, shop.session)
    source = Source(workbench.reader, shop.session, kept)
    for where in (Where(), Where(categories=("Coffee", "Dessert")), Where(products=("C-LAT",))):
        assert ask(source, ["sales"], where=where).value["sales"].tolist() == [1]
        check(source, ["sales", "average_sale", "items_per_sale"], ["store"], where)


def test_sales_under_several_categories_are_in_memory(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    shop, kept = Shop(workbench), Rollups()
    for categories in (("1:", None), ("1:", "Food"), (None, None), ("Food",), ("", "1:")):
        shop.ids.append(shop.sales.create(sale(lines=[LATTE] * len(categories)), uuid.uuid4()).transaction_id)
        for item, category in enumerate(categories):
            shop.run(
                "update sales_item set category = :category where item_id ="
                " (select item_id from sales_item where transaction_id = :id order by item_id offset :item limit 1)",
                category=category,
                id=shop.ids[-1],
                item=item,
            )
    kept.load(workbench.reader, shop.session)
    monkeypatch.setattr(direct, "sums", lambda *_: pytest.fail("the database was asked"))
    source = Source(workbench.reader, shop.session, kept)
    metrics = ["sales", "average_sale", "items_per_sale"]
    for names, count in ((("1:", None), 4), (("", "Food"), 3), (("Food", None, "Tea"), 4), (("Tea", "-"), 0)):
        where = Where(categories=names, stores=(3,))
        assert ask(source, metrics, where=where).value["sales"].tolist() == [count]
        check(source, metrics, ["day"], where)


@pytest.mark.parametrize("dimension", list(DIMENSIONS))
def test_what_is_summed_in_sql_over_stored_rollups_is_what_plain_sql_says(workbench: Workbench, dimension: str) -> None:
    """RisingWave's views have the bodies of the views that are asked here."""
    shop = Shop(workbench)
    for day in DAYS:
        shop.sales.create(sale(transaction_time=f"{day} 10:00", store_id=day.day), uuid.uuid4())
    with workbench.engines.master_reader.connect() as connection:
        frame = stored(connection, [METRICS[name] for name in allowed([dimension])], [dimension])
        given = [name for name in frame.columns if name != dimension]
        assert "revenue" in given
        for name in given:
            expected = plain(connection, name, [dimension], Where())
            found = {(row[dimension],): row[name] for row in frame.to_dict("records")}
            assert found == dict.fromkeys(found, 0) | expected, name


def test_the_replica_answers_and_an_own_write_is_seen_at_once(workbench: Workbench) -> None:
    shop, kept = Shop(workbench), Rollups()
    shop.empty()
    kept.load(workbench.reader, shop.session)
    source = Source(workbench.reader, shop.session, kept)
    for count in (1, 2):
        shop.sales.create(sale(), uuid.uuid4())
        answer = ask(source, ["sales", "revenue", "items_per_sale"])  # nobody has refreshed
        assert answer.value.to_dict("records") == [
            {"sales": count, "revenue": Decimal("10.70") * count, "items_per_sale": Decimal("3.00")}
        ]
        assert answer.engine in ("replica", "master") and answer.as_of <= datetime.now(answer.as_of.tzinfo)


def test_a_load_that_takes_too_long_is_an_error_in_words(workbench: Workbench) -> None:
    """COPY goes past SQLAlchemy; the Reader would not know the driver's own errors, and not fall back to the master."""

    def work(connection: sa.Connection) -> None:
        with loading.one_snapshot(connection):
            connection.exec_driver_sql("set local statement_timeout = '50ms'")
            loading.days(connection, ROLLUPS[0], loading.EARLIEST_DAY, loading.LATEST_DAY)

    with workbench.engines.owner.begin() as locking:
        locking.execute(sa.text("lock table sales_transaction"))
        with pytest.raises(ServerUnavailable, match="took longer"):
            workbench.reader.read_master(Session(), work)


def test_a_stranger_sees_nothing_older_than_the_rollups(workbench: Workbench) -> None:
    shop, kept = Shop(workbench), Rollups()
    kept.load(workbench.reader, shop.session)
    before = kept.state
    session = Session()
    kept.refresh(workbench.reader, session)
    assert kept.state.reaches(before.token) and session.token == kept.state.token


def test_an_empty_database_has_zeros_and_no_ratios(workbench: Workbench) -> None:
    answer = ask(Source(workbench.reader, Session()), list(METRICS)).value.to_dict("records")
    zero = Decimal("0.00")
    expected = {
        "revenue": zero,
        "discount_given": zero,
        "sales": 0,
        "items_sold": 0,
        "customers": 0,
        "new_customers": 0,
    }
    assert answer == [{name: expected.get(name) for name in METRICS}]
    assert ask(Source(workbench.reader, Session()), ["revenue"], by=["store"]).value.empty


def test_texts_come_back_as_they_are_and_none_is_last(workbench: Workbench) -> None:
    shop, kept = Shop(workbench), Rollups()
    for category in ("", '=,"x\r\n', "nan", None):
        shop.ids.append(shop.sales.create(sale(lines=[LATTE]), uuid.uuid4()).transaction_id)
        shop.write("recategorise", -1, category)
    kept.load(workbench.reader, shop.session)
    for rollups in (kept, None):
        frame = ask(Source(workbench.reader, shop.session, rollups), ["items_sold"], by=["category"]).value
        assert frame["category"].tolist() == ["", '=,"x\r\n', "nan", None]


def test_a_bulk_load_and_a_great_change_are_read_anew(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    shop, kept = Shop(workbench), Rollups()
    shop.sales.create(sale(lines=[LATTE, CAKE]), uuid.uuid4())
    kept.load(workbench.reader, shop.session)
    source = Source(workbench.reader, shop.session, kept)
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
        kept.load(workbench.reader, shop.session)
        check(source, ["sales", "revenue"], ["day"], Where())


def test_what_a_grain_cannot_give_is_refused(workbench: Workbench) -> None:
    source = Source(workbench.reader, Session())
    for metric in ("sales", "average_sale", "customers", "new_customers", "items_per_sale"):
        with pytest.raises(MetricError, match="by product cannot be given.*day, hour, weekday, week, .*store"):
            ask(source, [metric], by=["product"])
