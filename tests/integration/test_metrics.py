"""Every metric, under any filter, after any writes: from the columns and from the database, what plain SQL says."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.examples import CAKE, LATTE, sale
from tests.integration.plain_metrics import plain
from workbench.config.clock import begin_weeks_on
from workbench.connection import Workbench, connect
from workbench.database.positions import mark
from workbench.database.replication import ReadPosition
from workbench.errors import MetricError, ReturnRefused
from workbench.metrics import DIMENSIONS, METRICS, Columns, MetricQuery, Source, Where, ask, ask_together
from workbench.metrics.definitions import MEASURES
from workbench.sales.models import parse_return, parse_sale

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
    st.tuples(st.just("return"), which, sales),
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
SIMPLE = [
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
        self.read_position = self.sales.read_position
        self.ids: list[int] = []

    def run(self, sql: str, **values: Any) -> None:
        with self.workbench.engines.owner.begin() as connection:
            connection.execute(sa.text(sql), values)
        mark(self.workbench.engines, self.read_position)

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
        if kind in ("edit", "delete", "return"):
            with suppress(ReturnRefused):  # of a return, or of what was returned
                self._write(kind, key, value)
        elif kind == "recategorise":
            self.run("update sales_item set category = :value where transaction_id = :key", value=value, key=key)
        elif kind == "move":
            sql = "update sales_transaction set transaction_time = :value + transaction_time::time"
            self.run(f"{sql} where transaction_id = :key", value=value, key=key)

    def _write(self, kind: str, key: int, value: Any) -> None:
        loaded = self.sales.get(key, for_edit=True).value
        if kind == "delete":
            self.sales.delete(key, loaded.version, uuid.uuid4(), "rung up twice")
            self.ids.remove(key)
        elif kind == "return":
            asked = zip(self.sales.returnable(key).value[1], value["lines"], strict=False)
            back = [(each.key, min(line["quantity"], each.left)) for each, line in asked if each.left]
            lines = [{"product_code": code, "unit_price": price, "quantity": pieces} for (code, price), pieces in back]
            given = {name: value[name] for name in ("cashier_id", "store_id", "payment_method")}
            at = max(value["transaction_time"], loaded.transaction_time)
            if lines:
                taken = parse_return({**given, "return_of": key, "transaction_time": at, "lines": lines})
                self.ids.append(self.sales.give_back(taken, uuid.uuid4()).transaction_id)
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


def check_together(source: Source, asked: Sequence[tuple[list[str], Where]]) -> None:
    """Questions put together, under equal and other filters and of other periods, have the answers that each has alone.

    Their periods touch, overlap, end within a day, or are apart.
    """
    every = [MetricQuery(tuple(allowed(by)), tuple(by), where) for _, where in asked for by, _ in [*asked, ([], where)]]
    (by, where), *_ = asked
    until = datetime.combine(DAYS[1], TIMES[1])
    for moved in (
        where,
        replace(where, date_from=DAYS[1], date_to=None),
        replace(where, date_to=DAYS[1], before=until),
    ):
        # Different customers do not add up: they are asked apart, with all beside them.
        added = tuple(name for name in allowed(by) if name != "customers")
        every += [MetricQuery(added, tuple(by), moved), MetricQuery(tuple(allowed([])), (), moved)]
    for one, found in zip(every, ask_together(source, every), strict=True):
        alone = ask(source, one.metrics, by=one.by, where=one.where)
        pd.testing.assert_frame_equal(found.value, alone.value)


def allowed(by: list[str]) -> list[str]:
    return [metric.name for metric in METRICS.values() if set(by) <= set(metric.dimensions)]


WRONG_ARTICLES = """
select s.transaction_id
from fact_sales as s
left join fact_lines as l on l.transaction_id = s.transaction_id
left join articles as a
    on a.article = l.article and a.product_code = l.product_code and a.category is not distinct from l.category
left join first_sales as f on f.transaction_id = s.transaction_id
group by s.transaction_id
having any_value(s.articles_high::uhugeint << 64 | s.articles_low::uhugeint) <> coalesce(
        bit_or(1::uhugeint << least(a.article, 127)::uhugeint) filter (a.article is not null), 0
    )
    or any_value(f.articles_low) <> any_value(s.articles_low)
    or any_value(f.articles_high) <> any_value(s.articles_high)
"""


def contents(columns: Columns) -> dict[str, list[Any]]:
    """Every row of every table, but for the numbers of the articles, which are those of its lines."""
    assert columns._database is not None
    ask = columns._database.cursor().execute
    ask("use columns")
    assert not ask(WRONG_ARTICLES).fetchall()
    bits = "articles_low, articles_high"
    kept = {"fact_sales": bits, "fact_lines": "article", "first_sales": bits}
    return {name: ask(f"select * exclude ({n}) from {name} order by all").fetchall() for name, n in kept.items()}


@pytest.fixture
def columns(tmp_path: Path) -> Iterator[Columns]:
    """Columns that hold nothing yet."""
    made = Columns(tmp_path / "columns", 512)
    yield made
    made.close()


def test_every_metric_is_what_plain_sql_says_after_any_writes(
    workbench: Workbench, tmp_path: Path, columns: Columns
) -> None:
    shop = Shop(workbench)

    @settings(
        max_examples=40, phases=[Phase.explicit, Phase.generate], deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(st.lists(st.lists(writes, max_size=6), min_size=1, max_size=3), questions)
    def run(rounds: list[list[Any]], asked: list[Any]) -> None:
        shop.empty()
        for writes_of_round in rounds:
            for write in writes_of_round:
                shop.write(*write)
            columns.refresh(workbench.reader, shop.read_position)
            for by, where in asked:
                source = Source(workbench.reader, shop.read_position, columns)
                check(source, allowed(by), by, where)
        for by, where in asked:
            check(Source(workbench.reader, shop.read_position), allowed(by), by, where)
        for source in (
            Source(workbench.reader, shop.read_position, columns),
            Source(workbench.reader, shop.read_position),
        ):
            check_together(source, asked)
        fresh = Columns(tmp_path / "fresh", 512)
        fresh.refresh(workbench.reader, shop.read_position)
        assert contents(columns) == contents(fresh)
        fresh.close()
        (tmp_path / "fresh" / "columns-0.duckdb").unlink()
        for where in SIMPLE:
            check(Source(workbench.reader, shop.read_position, columns), allowed([]), [], where)

    run()


@pytest.mark.parametrize("expression", ["sum(revnue)", "sum(revenue", "sum(payment_method)"])
def test_a_measure_that_makes_no_sense_says_so_on_either_engine(
    workbench: Workbench, columns: Columns, monkeypatch: pytest.MonkeyPatch, expression: str
) -> None:
    shop = Shop(workbench)
    shop.empty()
    shop.sales.create(sale(), uuid.uuid4())
    columns.refresh(workbench.reader, shop.read_position)
    monkeypatch.setitem(MEASURES, "items_sold", replace(MEASURES["items_sold"], expression=expression))
    for source in (Source(workbench.reader, shop.read_position, columns), Source(workbench.reader, shop.read_position)):
        with pytest.raises(MetricError, match=rf"definitions\.py\), items_sold as {re.escape(expression)}: \w+"):
            ask(source, ["items_sold"])
        assert ask(source, ["revenue"]).value["revenue"].tolist() == [Decimal("10.70")]


@pytest.mark.parametrize(
    ("which", "change"),
    [
        (0, "delete from sales_transaction where transaction_id = :sale"),
        (0, "update sales_transaction set customer_id = 2 where transaction_id = :sale"),
        (0, "update sales_transaction set transaction_time = '2026-06-03' where transaction_id = :sale"),
        (2, "update sales_transaction set transaction_time = '2026-05-01' where transaction_id = :sale"),
        (0, "update sales_item set category = 'New' where transaction_id = :sale"),
    ],
)
def test_the_first_sale_of_a_customer_is_another_one_after_a_change(
    workbench: Workbench, tmp_path: Path, columns: Columns, which: int, change: str
) -> None:
    shop, days = Shop(workbench), ["2026-06-01 09:00", "2026-06-02 09:00", "2026-06-02 09:00"]
    shop.ids += [
        shop.sales.create(sale(transaction_time=day, customer_id=1), uuid.uuid4()).transaction_id for day in days
    ]
    columns.refresh(workbench.reader, shop.read_position)
    shop.run(change, sale=shop.ids[which])
    columns.refresh(workbench.reader, shop.read_position)
    fresh = Columns(tmp_path / "fresh", 512)
    fresh.refresh(workbench.reader, shop.read_position)
    assert contents(columns) == contents(fresh)
    fresh.close()


def test_a_sale_with_two_categories_counts_once_under_both(workbench: Workbench, columns: Columns) -> None:
    shop = Shop(workbench)
    shop.sales.create(sale(lines=[LATTE, CAKE, LATTE]), uuid.uuid4())
    columns.refresh(workbench.reader, shop.read_position)
    source = Source(workbench.reader, shop.read_position, columns)
    for where in (Where(), Where(categories=("Coffee", "Dessert")), Where(products=("C-LAT",))):
        assert ask(source, ["sales"], where=where).value["sales"].tolist() == [1]
        check(source, ["sales", "average_sale", "items_per_sale"], ["store"], where)


def test_periods_that_touch_are_told_apart_and_a_customer_of_both_is_one(
    workbench: Workbench, columns: Columns
) -> None:
    shop = Shop(workbench)
    for day in (1, 1, 2, 3):
        shop.sales.create(sale(transaction_time=f"2026-05-0{day} 10:00:00"), uuid.uuid4())
    columns.refresh(workbench.reader, shop.read_position)
    first, second, third = (date(2026, 5, day) for day in (1, 2, 3))
    sales = {
        Where(date_from=first, date_to=second): 3,
        Where(date_from=first, date_to=second, before=datetime.combine(second, time(10))): 2,
        Where(date_to=first): 2,
        Where(date_from=second): 2,
        Where(date_from=third, date_to=third, before=datetime.combine(third, time(0))): 0,
    }
    for source in (Source(workbench.reader, shop.read_position, columns), Source(workbench.reader, shop.read_position)):
        for metric in ("sales", "customers"):
            found = ask_together(source, [MetricQuery((metric,), (), where) for where in sales])
            values = [answer.value[metric].item() for answer in found]
            assert values == [min(count, 1) if metric == "customers" else count for count in sales.values()]


def test_a_customer_of_two_days_is_one_when_both_are_asked_together(workbench: Workbench, columns: Columns) -> None:
    """Sales of all days follow from those by day, which are asked anyway; different customers do not."""
    shop = Shop(workbench)
    for day in (1, 2):
        shop.sales.create(sale(transaction_time=f"2026-05-0{day} 10:00:00"), uuid.uuid4())
    columns.refresh(workbench.reader, shop.read_position)
    asked = [MetricQuery(("sales", "customers"), by, Where()) for by in (("day",), ())]
    for source in (Source(workbench.reader, shop.read_position, columns), Source(workbench.reader, shop.read_position)):
        by_day, of_all = (answer.value for answer in ask_together(source, asked))
        assert by_day["sales"].tolist() == by_day["customers"].tolist() == [1, 1]
        assert (of_all["sales"].item(), of_all["customers"].item()) == (2, 1)


def test_weeks_begin_as_the_settings_say_on_either_engine(workbench: Workbench, columns: Columns) -> None:
    shop = Shop(workbench)
    for day in (3, 4, 10, 11):  # Saturday and Sunday, twice
        shop.sales.create(sale(transaction_time=datetime(2026, 10, day, 12)), uuid.uuid4())
    columns.refresh(workbench.reader, shop.read_position)
    found = {}
    try:
        for name in ("monday", "saturday", "sunday"):
            connect(workbench.engines.settings.model_copy(update={"workbench_week_begins": name})).close()
            for held in (columns, None):
                frame = ask(Source(workbench.reader, shop.read_position, held), ["sales"], by=["week"]).value
                weeks = [(f"{day:%a %d}", count) for day, count in frame.itertuples(index=False)]
                assert found.setdefault(name, weeks) == weeks
    finally:
        begin_weeks_on("monday")
    assert found == {
        "monday": [("Mon 28", 2), ("Mon 05", 2)],
        "saturday": [("Sat 03", 2), ("Sat 10", 2)],
        "sunday": [("Sun 27", 1), ("Sun 04", 2), ("Sun 11", 1)],
    }


def test_a_product_has_its_newest_name_on_either_engine(workbench: Workbench, columns: Columns) -> None:
    shop = Shop(workbench)
    for name in ("Zimt", "Anis"):
        shop.sales.create(sale(), uuid.uuid4())
        newest = "(select max(item_id) from sales_item)"
        shop.run(f"update sales_item set product_name = :name where item_id = {newest}", name=name)
    columns.refresh(workbench.reader, shop.read_position)
    sources = Source(workbench.reader, shop.read_position, columns), Source(workbench.reader, shop.read_position)
    names, of_database = (source.read(lambda facts: facts.product_names()).value for source in sources)
    assert names == of_database and "Anis" in names.values() and "Zimt" not in names.values()


def test_the_replica_answers_and_an_own_write_is_seen_at_once(workbench: Workbench, columns: Columns) -> None:
    shop = Shop(workbench)
    shop.empty()
    columns.refresh(workbench.reader, shop.read_position)
    source = Source(workbench.reader, shop.read_position, columns)
    for count in (1, 2):
        shop.sales.create(sale(), uuid.uuid4())
        answer = ask(source, ["sales", "revenue", "items_per_sale"])  # nobody has refreshed
        assert answer.value.to_dict("records") == [
            {"sales": count, "revenue": Decimal("10.70") * count, "items_per_sale": Decimal("3.00")}
        ]
        assert answer.engine in ("replica", "master") and answer.as_of <= datetime.now(answer.as_of.tzinfo)


def test_an_empty_database_has_zeros_and_no_ratios(workbench: Workbench) -> None:
    answer = ask(Source(workbench.reader, ReadPosition()), list(METRICS)).value.to_dict("records")
    zero = Decimal("0.00")
    expected = {
        "revenue": zero,
        "discount_given": zero,
        "returns": zero,
        "sales": 0,
        "items_sold": 0,
        "customers": 0,
        "new_customers": 0,
    }
    assert answer == [{name: expected.get(name) for name in METRICS}]
    assert ask(Source(workbench.reader, ReadPosition()), ["revenue"], by=["store"]).value.empty


def test_texts_come_back_as_they_are_and_none_is_last(workbench: Workbench, columns: Columns) -> None:
    shop = Shop(workbench)
    for category in ("", '=,"x\r\n', "nan", None):
        shop.ids.append(shop.sales.create(sale(lines=[LATTE]), uuid.uuid4()).transaction_id)
        shop.write("recategorise", -1, category)
    columns.refresh(workbench.reader, shop.read_position)
    for held in (columns, None):
        frame = ask(Source(workbench.reader, shop.read_position, held), ["items_sold"], by=["category"]).value
        assert frame["category"].tolist() == ["", '=,"x\r\n', "nan", None]


def test_what_a_grain_cannot_give_is_refused(workbench: Workbench) -> None:
    source = Source(workbench.reader, ReadPosition())
    for metric in ("sales", "average_sale", "customers", "new_customers", "items_per_sale"):
        with pytest.raises(MetricError, match="by product cannot be given.*day, hour, weekday, week, .*store"):
            ask(source, [metric], by=["product"])
