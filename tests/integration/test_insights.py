"""Products, baskets, customers and discounts: to the cent what plain SQL over the two tables says, under any filter."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest
import sqlalchemy as sa

from tests.examples import sale
from workbench.connection import Workbench
from workbench.database.positions import mark
from workbench.database.replication import ReadPosition
from workbench.errors import MetricError
from workbench.metrics import METRICS, Columns, Source, Where, ask
from workbench.metrics.insights import baskets, customers, discounts, products
from workbench.metrics.insights.products import COLUMNS

FIRST_DAY = date(2026, 5, 25)
PRODUCTS = ["A", "B", "C", "D", "E", "F", "'G,\\", "é 9"]


class Case(NamedTuple):
    """A filter, and what it says of a sale ``t`` and of a line ``i`` in plain SQL."""

    where: Where
    sale: str = "true"
    line: str = "true"


CASES = {
    "everything": Case(Where()),
    "days": Case(
        Where(date_from=date(2026, 5, 27), date_to=date(2026, 5, 30)),
        "t.transaction_time >= '2026-05-27' and t.transaction_time < '2026-05-31'",
    ),
    "one day until now": Case(
        Where(date_from=date(2026, 5, 28), date_to=date(2026, 5, 28), time_to=time(12, 30)),
        "t.transaction_time >= '2026-05-28' and t.transaction_time < '2026-05-28 12:30'",
    ),
    "stores and payment": Case(
        Where(stores=(1, 3), payment_methods=("Cash",)), "t.store_id in (1, 3) and t.payment_method = 'Cash'"
    ),
    "hours without card": Case(
        Where(hours=(9, 10, 11), customer_types=("no card",)),
        "extract(hour from t.transaction_time) in (9, 10, 11) and t.customer_id is null",
    ),
    "one customer": Case(Where(customer_id=5), "t.customer_id = 5"),
    "no category or coffee": Case(
        Where(categories=(None, "Coffee"), stores=(2, 3)),
        "t.store_id in (2, 3)",
        "(i.category is null or i.category = 'Coffee')",
    ),
    "products": Case(Where(products=("B", "'G,\\")), "true", "i.product_code in ('B', E'\\'G,\\\\')"),
    "both": Case(
        Where(products=("A", "B"), categories=("Food",)), "true", "i.product_code in ('A', 'B') and i.category = 'Food'"
    ),
    "nothing": Case(Where(stores=(99,)), "t.store_id = 99"),
}
TABLES = "sales_transaction as t join sales_item as i using (transaction_id)"


def some_sales(count: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Headers and lines: few values, so that times, customers, products and prices often coincide."""
    chance = random.Random(20260525)
    headers, lines = [], []
    for n in range(1, count + 1):
        at = datetime.combine(FIRST_DAY + timedelta(days=chance.randrange(10)), time(chance.randrange(8, 21)))
        headers.append(
            {
                "transaction_id": count + 1 - n if n % 3 else n + count,  # ids do not follow time
                "transaction_time": at + timedelta(minutes=30 * chance.randrange(2)),
                "store_id": chance.randint(1, 3),
                "payment_method": chance.choice(["Cash", "QRIS"]),
                "customer_id": chance.choice([None, chance.randint(1, 60)]),
            }
        )
        for _ in range(chance.choice([0, 1, 1, 2, 2, 3, 4, 6])):
            code = chance.choice(PRODUCTS[: chance.randint(1, len(PRODUCTS))])
            quantity, price = chance.randint(1, 3), chance.choice(["0.01", "3.35", "10.00"])
            lines.append(
                {
                    "transaction_id": headers[-1]["transaction_id"],
                    "product_code": code,
                    "product_name": f"{code} {chance.randint(1, 9)}",
                    "category": chance.choice(["Coffee", "Food", None]),
                    "quantity": quantity,
                    "unit_price": price,
                    "discount": chance.choice(["0", "0", "0.01", str(quantity * Decimal(price))]),
                }
            )
    return headers, lines


@contextmanager
def unchecked(connection: sa.Connection) -> Iterator[None]:
    """Older databases hold sales without lines, which none can be made of any more."""
    connection.exec_driver_sql("alter table sales_transaction disable trigger sale_commit")
    yield
    connection.exec_driver_sql("alter table sales_transaction enable trigger sale_commit")


# Of every seventh sale all lines are returned two days later, under another card where the number is even.
RETURNS = """
insert into sales_transaction
    (transaction_id, transaction_time, store_id, payment_method, customer_id, cashier_id, return_of)
select transaction_id + 10000, transaction_time + interval '2 days', store_id, 'Cash',
    case when transaction_id % 2 = 0 then 60 - customer_id % 60 else customer_id end, 1, transaction_id
from sales_transaction
where transaction_id % 7 = 0
    and exists (select from sales_item as i where i.transaction_id = sales_transaction.transaction_id);
insert into sales_item
    (transaction_id, product_code, product_name, category, quantity, unit_price, discount, total_price)
select transaction_id + 10000, product_code, product_name, category, -quantity, unit_price, -discount, -total_price
from sales_item
where transaction_id % 7 = 0
order by item_id
"""


@pytest.fixture
def source(workbench: Workbench) -> Source:
    """Four hundred random sales, some without lines, returns of some, and a session that sees them."""
    headers, lines = some_sales(400)
    with workbench.engines.owner.begin() as connection, unchecked(connection):
        connection.execute(
            sa.text(
                "insert into sales_transaction"
                " (transaction_id, transaction_time, store_id, payment_method, customer_id, cashier_id)"
                " values (:transaction_id, :transaction_time, :store_id, :payment_method, :customer_id, 1)"
            ),
            headers,
        )
        connection.execute(
            sa.text(
                "insert into sales_item (transaction_id, product_code, product_name, category, quantity, unit_price,"
                " discount, total_price) select r.*, quantity * unit_price - discount from jsonb_to_recordset(:lines)"
                " as r (transaction_id bigint, product_code text, product_name text, category text, quantity int,"
                " unit_price numeric, discount numeric)"
            ).bindparams(sa.bindparam("lines", lines, sa.dialects.postgresql.JSONB))
        )
        connection.execution_options(no_parameters=True).exec_driver_sql(RETURNS)
    read_position = ReadPosition()
    mark(workbench.engines, read_position)
    return Source(workbench.reader, read_position)


@pytest.fixture
def in_columns(source: Source, tmp_path: Path) -> Iterator[Source]:
    """The same, from the columns."""
    columns = Columns(tmp_path / "columns", 512)
    columns.refresh(source.reader, source.read_position)
    yield Source(source.reader, source.read_position, columns)
    columns.close()


def plain(source: Source, sql: str) -> list[tuple[Any, ...]]:
    with source.reader.engines.owner.connect() as connection:
        return [tuple(row) for row in connection.execution_options(no_parameters=True).exec_driver_sql(sql)]


def rows(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in frame.itertuples(index=False)]


def assert_money(frame: pd.DataFrame, names: Sequence[str]) -> None:
    for name in names:
        assert all(value.as_tuple().exponent == -2 for value in frame[name]), name


def plain_products(source: Source, case: Case, compared: Case) -> list[tuple[Any, ...]]:
    """Rank and class by window functions: the revenue above is that of products with strictly more."""
    sums = (
        "select i.product_code, sum(i.total_price) as revenue, sum(i.quantity) as items"
        f" from {TABLES} where {{0.sale}} and {{0.line}} group by 1"
    )
    return plain(
        source,
        f"""
        with now as ({sums.format(case)}), before as ({sums.format(compared)}),
        every as (
            select product_code, coalesce(n.revenue, 0.00) as revenue, coalesce(n.items, 0) as items,
                coalesce(b.revenue, 0.00) as earlier
            from now as n full join before as b using (product_code)
        ),
        ranked as (
            select e.*, sum(revenue) over () as total, rank() over (order by revenue desc) as rank,
                coalesce((select sum(o.revenue) from every as o where o.revenue > e.revenue), 0) as above
            from every as e
        )
        select r.product_code, l.product_name, l.category, revenue, items, round(100 * revenue / nullif(total, 0), 2),
            rank, case when above < 0.80 * total then 'A' when above < 0.95 * total then 'B' else 'C' end, earlier,
            round(100 * (revenue - earlier) / nullif(greatest(earlier, 0), 0), 2)
        from ranked as r
        cross join lateral (
            select product_name, category from sales_item as i where i.product_code = r.product_code
            order by item_id desc limit 1
        ) as l
        order by revenue desc, product_code
        """,
    )


@pytest.mark.parametrize("name", CASES)
def test_products_are_what_plain_sql_says(source: Source, name: str) -> None:
    case = CASES[name]
    for compared in (CASES["days"], CASES["nothing"]):
        frame = products(source, case.where, compared=compared.where).value
        assert tuple(frame.columns) == COLUMNS
        assert rows(frame) == plain_products(source, case, compared)
        assert_money(frame, ["revenue", "revenue_before"])


@pytest.mark.parametrize(
    ("revenues", "ranks", "classes"),
    [
        ([79, 1, 15, 5], [1, 4, 2, 3], "ACAB"),
        ([60, 25, 10, 5], [1, 2, 3, 4], "AABC"),  # 25 crosses 80 %, and 10 completes 95 %
        ([40, 20, 20, 20], [1, 2, 2, 2], "AAAA"),  # equal ones share rank and class
        ([90, 5, 5, 0], [1, 2, 2, 4], "ABBC"),
        ([0, 0], [1, 1], "CC"),
    ],
)
def test_ranks_and_classes(workbench: Workbench, revenues: list[int], ranks: list[int], classes: str) -> None:
    lines = [
        {"product_code": f"P{n}", "product_name": "P", "quantity": 1, "unit_price": 100, "discount": 100 - revenue}
        for n, revenue in enumerate(revenues)
    ]
    sales = workbench.sales()
    sales.create(sale(lines=lines), uuid.uuid4())
    frame = products(Source(workbench.reader, sales.read_position)).value.sort_values("product_code")
    assert (list(frame["rank"]), "".join(frame["abc_class"])) == (ranks, classes)


def test_products_and_baskets_from_the_columns_are_the_same(source: Source, in_columns: Source) -> None:
    loaded = in_columns
    for case in CASES.values():
        where = case.where
        assert rows(products(loaded, where, sort="growth", compared=CASES["days"].where).value) == rows(
            products(source, where, sort="growth", compared=CASES["days"].where).value
        )
        assert rows(baskets(loaded, where, minimum_sales=1).value.pairs) == rows(
            baskets(source, where, minimum_sales=1).value.pairs
        )


def test_products_are_sorted_as_asked_and_only_then_limited(source: Source) -> None:
    where, compared = CASES["stores and payment"].where, CASES["one day until now"].where
    every = products(source, where, compared=compared).value
    for sort in ("revenue", "items_sold", "growth"):
        for descending in (True, False):
            frame = products(source, where, compared=compared, sort=sort, descending=descending).value
            values = [value for value in frame[sort] if value is not None]
            assert values == sorted(values, reverse=descending)
            assert all(value is None for value in frame[sort][len(values) :])
            limited = products(source, where, compared=compared, sort=sort, descending=descending, limit=3).value
            assert rows(limited) == rows(frame)[:3]
            assert sorted(rows(frame)) == sorted(rows(every))
    assert every["growth"].notna().any()


def test_products_without_comparison_have_no_growth(source: Source) -> None:
    frame = products(source).value
    assert set(frame["growth"]) == set(frame["revenue_before"]) == {None}
    assert (frame["items_sold"].dtype, frame["rank"].dtype) == ("int64", "int64")
    assert any(category is None for category in frame["category"])


def test_the_newest_line_names_a_product_that_is_no_longer_sold(source: Source) -> None:
    many = "insert into sales_item (transaction_id, product_code, product_name, quantity, unit_price, total_price)"
    with source.reader.engines.owner.begin() as connection:
        connection.exec_driver_sql(f"{many} values (1, 'OLD', 'Older', 1, 1, 1), (1, 'OLD', 'Old', 1, 1, 1)")
        connection.exec_driver_sql(f"{many} select 1, 'NEW', 'New', 1, 1, 1 from generate_series(1, 10000)")
    mark(source.reader.engines, source.read_position)
    frame = products(source).value.set_index("product_code")
    assert (frame.loc["OLD", "product_name"], frame.loc["NEW", "product_name"]) == ("Old", "New")


PLAIN_BASKETS = """
with sale as (select t.transaction_id from sales_transaction as t where t.return_of is null and {0.sale}),
basket as (select distinct i.transaction_id, i.product_code from sales_item as i join sale using (transaction_id)),
having_one as (select product_code, count(*) as n from basket group by 1),
chosen as (select distinct i.product_code from {1} where t.return_of is null and {0.sale} and {0.line}),
pair as (
    select a.product_code as a, b.product_code as b, count(*) as n, (select count(*) from sale) as every
    from basket as a
    join basket as b on b.transaction_id = a.transaction_id and b.product_code > a.product_code
    where a.product_code in (select product_code from chosen) or b.product_code in (select product_code from chosen)
    group by 1, 2
)
select p.a, p.b, p.n, a.n, b.n, round(100.0 * p.n / every, 2), round(100.0 * p.n / a.n, 2),
    round(100.0 * p.n / b.n, 2), round(1.0 * p.n * every / (a.n * b.n), 2)
from pair as p join having_one as a on a.product_code = p.a join having_one as b on b.product_code = p.b
where p.n >= {2} and 100.0 * p.n / every >= {3}
order by {4}, 1, 2
"""
ORDER = {
    "lift": "1.0 * p.n / (a.n * b.n) desc, p.n desc",
    "sales_both": "p.n desc, 1.0 * p.n / (a.n * b.n) desc",
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("sort", ORDER)
def test_baskets_are_what_plain_sql_says(source: Source, name: str, sort: Any) -> None:
    case = CASES[name]
    for minimum_sales, support in ((1, "0"), (4, "0"), (1, "2.5")):
        answer = baskets(
            source, case.where, sort=sort, limit=100, minimum_sales=minimum_sales, minimum_support=Decimal(support)
        )
        expected = plain(source, PLAIN_BASKETS.format(case, TABLES, minimum_sales, support, ORDER[sort]))
        assert rows(answer.value.pairs.drop(columns=["name_a", "name_b"])) == expected
        count = f"select count(*) from sales_transaction as t where t.return_of is null and {case.sale}"
        assert [(answer.value.sales,)] == plain(source, count)


def test_the_best_pairs_are_the_first_of_all_and_named(source: Source) -> None:
    every, best = baskets(source, limit=100, minimum_sales=1).value, baskets(source, limit=5, minimum_sales=1).value
    assert len(every.pairs) > 20
    assert rows(best.pairs) == rows(every.pairs)[:5]
    named = products(source).value.set_index("product_code")["product_name"]
    assert [named[code] for code in best.pairs["product_b"]] == list(best.pairs["name_b"])


def test_baskets_say_of_how_many_sales_they_are(source: Source) -> None:
    assert baskets(source).value.about == "Of 400 sales."


PLAIN_CUSTOMERS = """
with matching as (
    select t.*, {2} as day, coalesce(
        (select sum(i.total_price) from sales_item as i where i.transaction_id = t.transaction_id and {0.line}), 0.00
    ) as paid
    from sales_transaction as t
    where {0.sale} and ('{1}' or exists (
        select from sales_item as i where i.transaction_id = t.transaction_id and {0.line}
    ))
),
newcomer as (
    select m.customer_id, m.day from matching as m
    where m.return_of is null and not exists (
        select from sales_transaction as e
        where e.customer_id = m.customer_id and e.return_of is null
            and (e.transaction_time, e.transaction_id) < (m.transaction_time, m.transaction_id)
    )
),
told as (
    select m.*, case when m.customer_id is null then 'no card'
        when (m.customer_id, m.day) in (select customer_id, day from newcomer) then 'new' else 'returning' end as kind
    from matching as m
)
select d.day, k.kind, count(distinct customer_id) filter (where return_of is null),
    count(transaction_id) filter (where return_of is null), coalesce(sum(paid), 0.00)
from {3} as d
cross join unnest(array['new', 'returning', 'no card']) with ordinality as k (kind, place)
left join told as t on t.day = d.day and t.kind = k.kind
group by d.day, k.kind, k.place
order by d.day, k.place
"""


@pytest.mark.parametrize("name", CASES)
def test_customers_are_what_plain_sql_says(source: Source, in_columns: Source, name: str) -> None:
    check_customers(source, name)
    check_customers(in_columns, name)


def check_customers(source: Source, name: str) -> None:
    case = CASES[name]
    is_every_line = case.line == "true"
    in_total = plain(source, PLAIN_CUSTOMERS.format(case, is_every_line, 0, "(select 0 as day)"))
    by_day = PLAIN_CUSTOMERS.format(
        case, is_every_line, "t.transaction_time::date", "(select distinct day from matching)"
    )
    frame = customers(source, case.where).value
    assert rows(frame) == [row[1:] for row in in_total]
    assert_money(frame, ["revenue"])
    daily = customers(source, case.where, by_day=True).value
    assert daily["day"].dtype == "datetime64[s]"
    assert [(row[0].date(), *row[1:]) for row in rows(daily)] == plain(source, by_day)


@pytest.mark.parametrize("name", CASES)
def test_customers_add_up_to_the_metrics(source: Source, name: str) -> None:
    where = CASES[name].where
    frame = customers(source, where).value.set_index("kind")
    metrics = ask(source, ["customers", "new_customers", "sales", "revenue"], where=where).value.iloc[0]
    assert frame["customers"].sum() == metrics["customers"]
    assert frame.loc["new", "customers"] == metrics["new_customers"]
    assert frame["sales"].sum() == metrics["sales"]
    assert frame["revenue"].sum() == metrics["revenue"]


def test_the_data_has_each_kind_of_customer(source: Source) -> None:
    frame = customers(source, CASES["days"].where).value
    assert (frame["sales"] > 0).all()
    ties = "select 1 from sales_transaction group by customer_id, transaction_time having count(customer_id) > 1"
    assert plain(source, ties), "no customer has two sales at one moment: nothing tells ties right from wrong"


KEYS = {
    (): (),
    ("store",): ("t.store_id",),
    ("category",): ("i.category",),
    ("product",): ("i.product_code",),
    ("day",): ("t.transaction_time::date",),
    ("weekday", "category"): ("extract(isodow from t.transaction_time)::int", "i.category"),
    ("store", "day"): ("t.store_id", "t.transaction_time::date"),
}


@pytest.mark.parametrize("name", CASES)
def test_discounts_are_what_plain_sql_says(source: Source, in_columns: Source, name: str) -> None:
    check_discounts(source, name)
    check_discounts(in_columns, name)


def check_discounts(source: Source, name: str) -> None:
    case = CASES[name]
    for by, keys in KEYS.items():
        listed = ", ".join(keys)
        expected = plain(
            source,
            f"""
            select {listed + "," if keys else ""} coalesce(sum(i.discount), 0.00),
                round(100 * sum(i.discount) / nullif(sum(i.quantity * i.unit_price), 0), 2),
                count(*) filter (where i.quantity > 0), count(*) filter (where i.discount > 0),
                round(100.0 * count(*) filter (where i.discount > 0)
                    / nullif(count(*) filter (where i.quantity > 0), 0), 2),
                coalesce(sum(i.total_price), 0.00),
                coalesce(sum(case when i.discount <> 0 then i.total_price end), 0.00),
                coalesce(sum(case when i.discount = 0 then i.total_price end), 0.00)
            from {TABLES} where {case.sale} and {case.line}
            {f"group by {listed} order by {listed}" if keys else ""}
            """,
        )
        frame = discounts(source, case.where, by=by).value
        found = [tuple(v.date() if isinstance(v, pd.Timestamp) else v for v in row) for row in rows(frame)]
        assert found == expected, by
        assert_money(frame, ["discount_given", "revenue", "revenue_discounted", "revenue_undiscounted"])
        assert all(frame[name].dtype == "int64" for name in ("lines", "discounted_lines"))


def test_discounts_agree_with_the_metrics(source: Source) -> None:
    names = ["discount_given", "discount_rate", "revenue"]
    for dimension in METRICS["discount_given"].dimensions:
        frame = discounts(source, by=[dimension]).value[[dimension, *names]]
        asked = ask(source, names, by=[dimension]).value
        asked = asked[(asked["revenue"] != 0) | (asked["discount_given"] != 0)]  # sales without lines have no discounts
        assert rows(frame) == rows(asked), dimension


def test_an_answer_names_its_engine_and_its_moment(source: Source) -> None:
    for answer in (products(source), baskets(source), customers(source), discounts(source)):
        assert answer.engine == "replica"
        assert answer.as_of.tzinfo is not None


def test_what_cannot_be_given_is_refused(source: Source) -> None:
    with pytest.raises(MetricError, match="sorted by one of revenue, items_sold, growth"):
        products(source, sort="name")
    with pytest.raises(MetricError, match="limited to 1 or more"):
        products(source, limit=0)
    with pytest.raises(MetricError, match="sorted by one of lift, sales_both"):
        baskets(source, sort="support")
    with pytest.raises(MetricError, match="minimum_support is a percent"):
        baskets(source, minimum_support=Decimal(101))
    with pytest.raises(MetricError, match="no dimension 'shop'"):
        discounts(source, by=["shop"])
