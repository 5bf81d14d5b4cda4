"""The table of sales asked of the columns and of the database: the same pages after any writes, as Python has them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql

from tests.examples import LATTE, sale
from tests.integration.test_metrics import DAYS, Shop, maybe, some, which
from workbench.connection import Workbench
from workbench.database.positions import wait_for_replica
from workbench.database.replication import ReadPosition
from workbench.database.sql_files import read_sql
from workbench.live import Live
from workbench.metrics import Columns, SaleWhere, Source, column_facts
from workbench.metrics import columns as columns_module
from workbench.metrics.column_facts import SHARED_BIT
from workbench.metrics.facts import Counted
from workbench.metrics.sale_pages import COLUMNS, Move, SalePage, _keyset, sale_page

TIMES = ["00:00:00", "10:00:00", "23:59:59.999999"]
# What a pattern, a list of words or another alphabet would take for something else.
METHODS = ["Cash", "cash", "QRIS", "Ähnlich", "Zettel", "É", "E\u0301", "😀", "%_\\"]
PRODUCTS = [
    ("A", "100% Arabica"),
    ("A", "100_ Arabica"),
    ("a_b", "Caffè STRASSE"),
    ("A\\B", "caffè straße"),
    ("İ-1", 'ÇAY \'n "x"'),
    ("B", "Tea"),
]
SEARCHES = ["%", "_", "\\", "a_", "100%", "CAFFÈ", "STRASSE", "straße", "i", "çay", "'", '"', "tea", "nothing", " b "]
AMOUNTS = [Decimal(text) for text in ("0", "0.01", "3.345", "3.35", "6.70", "10", "10.001", "9999999999.99")]

lines = st.builds(
    lambda product, **values: {"product_code": product[0], "product_name": product[1], **values},
    st.sampled_from(PRODUCTS),
    category=st.sampled_from(["Coffee", "Food", None]),
    quantity=st.integers(1, 2),
    unit_price=st.sampled_from(["0.01", "3.35", "10.00"]),
    discount=st.sampled_from(["0.00", "0.01"]),
)
sales = st.fixed_dictionaries(
    {
        "transaction_time": st.builds(
            lambda day, time: datetime.fromisoformat(f"{day} {time}"), st.sampled_from(DAYS), st.sampled_from(TIMES)
        ),
        "cashier_id": st.integers(1, 3),
        "store_id": st.integers(1, 2),
        "payment_method": st.sampled_from(METHODS),
        "customer_id": st.sampled_from([None, None, 1, 2]),
        "lines": st.lists(lines, min_size=1, max_size=3),
    }
)
writes = st.one_of(
    st.tuples(st.just("create"), which, sales),
    st.tuples(st.just("create"), which, sales),
    st.tuples(st.just("edit"), which, sales),
    st.tuples(st.just("delete"), which, st.none()),
    st.tuples(st.just("return"), which, sales),
    st.tuples(st.just("recategorise"), which, st.sampled_from(["Coffee", "", None])),
    st.tuples(st.just("move"), which, st.sampled_from(DAYS)),
)
filters = st.builds(
    SaleWhere,
    date_from=maybe(DAYS),
    date_to=maybe(DAYS),
    hours=some([0, 10, 23]),
    weekdays=some([1, 5, 6]),
    stores=some([1, 2, 9]),
    cashiers=some([1, 2]),
    payment_methods=some(METHODS),
    customer_id=maybe([1, 2]),
    categories=some(["Coffee", "Food", "", None]),
    products=some(["A", "B", "a_b"]),
    product=st.one_of(st.just(""), st.sampled_from(SEARCHES)),
    amount_from=maybe(AMOUNTS),
    amount_to=maybe(AMOUNTS),
)
# Alone each narrows little, so that pages have rows to put in order.
alone = st.one_of(
    st.just(SaleWhere()),
    st.builds(SaleWhere, product=st.sampled_from(SEARCHES)),
    st.builds(SaleWhere, amount_from=st.sampled_from(AMOUNTS)),
    st.builds(SaleWhere, date_to=st.sampled_from(DAYS)),
    st.builds(SaleWhere, categories=some(["Coffee", "", None])),
)
questions = st.lists(
    st.tuples(st.one_of(alone, alone, filters), st.sampled_from(COLUMNS), st.booleans()), min_size=1, max_size=3
)


@pytest.fixture
def columns(tmp_path: Path) -> Iterator[Columns]:
    made = Columns(tmp_path / "columns", 512)
    yield made
    made.close()


def share(monkeypatch: pytest.MonkeyPatch, shared_bit: int) -> None:
    """Fewer articles than these have a bit of their own."""
    monkeypatch.setattr(column_facts, "SHARED_BIT", shared_bit)
    monkeypatch.setattr(
        columns_module, "read_sql", lambda name: read_sql(name).replace(f"{SHARED_BIT}", f"{shared_bit}")
    )


def told(page: SalePage) -> tuple[Any, ...]:
    """All that a page says, with None for what is missing: nan is not equal to itself."""
    rows = page.rows.astype(object).where(page.rows.notna(), None)
    return (rows.values.tolist(), page.counted, type(page.counted.amount), page.has_previous, page.has_next)


def pages(source: Source, where: SaleWhere, sort: str, descending: bool, size: int) -> list[SalePage]:
    """Every page, from the first to the last, then the last one and all back to the first."""

    def page(move: Move, edge: Any) -> SalePage:
        return sale_page(source, where, sort=sort, descending=descending, size=size, move=move, edge=edge).value

    found = [page("first", None)]
    while found[-1].has_next:
        found.append(page("next", found[-1].last))
    found.append(page("last", None))
    while found[-1].has_previous:
        found.append(page("previous", found[-1].first))
    return found


def is_meant(stored: Any, where: SaleWhere) -> bool:
    """The filter, said once more in Python."""
    at, text = stored.transaction_time, where.product.strip().casefold()
    known = [line for line in stored.lines if not where.products or line.product_code in where.products]
    return (
        (where.date_from is None or at.date() >= where.date_from)
        and (where.date_to is None or at.date() <= where.date_to)
        and (not where.hours or at.hour in where.hours)
        and (not where.weekdays or at.isoweekday() in where.weekdays)
        and (not where.stores or stored.store_id in where.stores)
        and (not where.cashiers or stored.cashier_id in where.cashiers)
        and (not where.payment_methods or stored.payment_method in where.payment_methods)
        and where.customer_id in (None, stored.customer_id)
        and any(not where.categories or line.category in where.categories for line in known)
        and any(text in line.product_code.casefold() or text in line.product_name.casefold() for line in stored.lines)
        and (where.amount_from is None or stored.total_amount >= where.amount_from)
        and (where.amount_to is None or stored.total_amount <= where.amount_to)
    )


def in_order(shop: Shop, where: SaleWhere, sort: str, descending: bool) -> list[int]:
    """The sales that are meant, as Python sorts them: texts by their letters' numbers, no customer before the first."""
    meant = [stored for key in shop.ids if is_meant(stored := shop.sales.get(key, for_edit=True).value, where)]
    meant.sort(key=lambda stored: (getattr(stored, sort) or 0, stored.transaction_id), reverse=descending)
    return [stored.transaction_id for stored in meant]


def plain_sum(workbench: Workbench, sale_ids: list[int]) -> Decimal:
    """What these sales come to, by plain SQL."""
    asked = sa.text(
        "select coalesce(sum(total_amount), 0) from sales_transaction where transaction_id = any(:sale_ids)"
    )
    with workbench.engines.master_reader.connect() as connection:
        found = connection.execute(asked, {"sale_ids": sale_ids}).scalar_one()
    assert isinstance(found, Decimal)
    return found


@pytest.mark.parametrize("shared_bit", [SHARED_BIT, 2], ids=["a bit for each article", "most articles share one"])
def test_pages_are_those_of_the_database_and_of_python_after_any_writes(
    workbench: Workbench, columns: Columns, monkeypatch: pytest.MonkeyPatch, shared_bit: int
) -> None:
    shop = Shop(workbench)
    monkeypatch.setattr("workbench.metrics.sale_pages.PAGE_SIZES", (3,))
    share(monkeypatch, shared_bit)

    @settings(max_examples=30, phases=[Phase.generate], deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(sales, min_size=7, max_size=9), st.lists(st.lists(writes, max_size=6), max_size=2), questions)
    def run(stored: list[Any], rounds: list[list[Any]], asked: list[Any]) -> None:
        shop.empty()
        for each in stored:
            shop.write("create", 0, each)
        columns.refresh(workbench.reader, shop.read_position)
        for writes_of_round in rounds:
            for write in writes_of_round:
                shop.write(*write)
            columns.refresh(workbench.reader, shop.read_position)
        ours, theirs = (
            Source(workbench.reader, ReadPosition(shop.read_position.token), held) for held in (columns, None)
        )
        for where, sort, descending in asked:
            found = pages(ours, where, sort, descending, 3)
            assert [told(page) for page in found] == [told(page) for page in pages(theirs, where, sort, descending, 3)]
            expected = in_order(shop, where, sort, descending)
            forth = found[: max(-(-len(expected) // 3), 1)]
            assert [key for page in forth for key in page.rows["transaction_id"].tolist()] == expected
            assert {page.counted for page in found} == {Counted(len(expected), False, plain_sum(workbench, expected))}

    run()


def test_each_of_many_articles_is_found(workbench: Workbench, columns: Columns) -> None:
    """Those with a bit in the lower half, in the upper half, and those that share the last one."""
    names = [f"Thing {number:03}" for number in range(SHARED_BIT + 5)]
    sales, sold = workbench.sales(), {}
    for pair in zip(names[::2], names[1::2], strict=True):
        made = sales.create(sale(lines=[{**LATTE, "product_name": name} for name in pair]), uuid4())
        sold |= dict.fromkeys(pair, made.transaction_id)
    columns.refresh(workbench.reader, sales.read_position)
    source = Source(workbench.reader, sales.read_position, columns)
    for name, sale_id in sold.items():
        page = sale_page(source, SaleWhere(product=name)).value
        assert (page.rows["transaction_id"].tolist(), page.count) == ([sale_id], 1), name


@pytest.mark.parametrize("shared_bit", [SHARED_BIT, 2], ids=["a bit for each article", "most articles share one"])
def test_a_search_takes_letters_for_themselves_whatever_their_case(
    workbench: Workbench, columns: Columns, monkeypatch: pytest.MonkeyPatch, shared_bit: int
) -> None:
    share(monkeypatch, shared_bit)
    shop = Shop(workbench)
    for code, name in PRODUCTS:
        line = {**LATTE, "product_code": code, "product_name": name}
        shop.ids.append(shop.sales.create(sale(lines=[line]), uuid4()).transaction_id)
    columns.refresh(workbench.reader, shop.read_position)
    found = {}
    for text in SEARCHES:
        where = SaleWhere(product=text)
        expected = in_order(shop, where, "transaction_id", False)
        for held in (columns, None):
            source = Source(workbench.reader, shop.read_position, held)
            assert shown(source, where, sort="transaction_id", descending=False) == expected, (text, held)
        found[text] = len(expected)
    assert found["STRASSE"] == found["CAFFÈ"] == 2 and found["%"] == found["\\"] == 1 and found["nothing"] == 0


class Statements:
    """What goes to the replica and to the master's reader, by the name of the facts or tables in it."""

    def __init__(self, workbench: Workbench) -> None:
        self.texts: list[str] = []
        for engine in (workbench.engines.replica, workbench.engines.master_reader):
            sa.event.listen(engine, "before_cursor_execute", lambda *call: self.texts.append(call[2]))

    def about_sales(self) -> list[str]:
        found = [text for text in self.texts if "fact_" in text or "sales_" in text]
        self.texts.clear()
        return found


def shown(source: Source, where: SaleWhere = SaleWhere(), **how: Any) -> list[int]:
    return sale_page(source, where, **how).value.rows["transaction_id"].tolist()


def test_the_database_is_asked_for_the_rows_of_the_page_alone(workbench: Workbench, columns: Columns) -> None:
    shop = Shop(workbench)
    for _ in range(3):
        shop.ids.append(shop.sales.create(sale(), uuid4()).transaction_id)
    columns.refresh(workbench.reader, shop.read_position)
    source, statements = Source(workbench.reader, shop.read_position, columns), Statements(workbench)
    for where in (
        SaleWhere(),
        SaleWhere(product="latte", amount_from=Decimal(1)),
        SaleWhere(categories=("Coffee",)),
    ):
        for sort in COLUMNS:
            assert shown(source, where, sort=sort, descending=False) == shop.ids
            (text,) = statements.about_sales()
            assert "transaction_id IN" in text and "ORDER BY" not in text


def test_until_the_columns_are_there_or_when_they_fail_the_database_answers(
    workbench: Workbench, columns: Columns, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(workbench)
    shop.ids.append(shop.sales.create(sale(), uuid4()).transaction_id)
    source = Source(workbench.reader, shop.read_position, columns)
    statements = Statements(workbench)
    assert shown(source) == shop.ids and len(statements.about_sales()) == 2  # which, their rows
    columns.refresh(workbench.reader, shop.read_position)
    statements.about_sales()

    def no_memory(*_: Any) -> Any:
        raise duckdb.OutOfMemoryException("no memory")

    monkeypatch.setattr(column_facts.ColumnFacts, "execute", no_memory)
    assert shown(source) == shop.ids and len(statements.about_sales()) == 2


def test_a_page_holds_what_its_session_has_saved_at_once(workbench: Workbench, columns: Columns) -> None:
    shop = Shop(workbench)
    columns.refresh(workbench.reader, shop.read_position)
    source = Source(workbench.reader, shop.read_position, columns)
    for _ in range(3):
        shop.ids.insert(0, shop.sales.create(sale(), uuid4()).transaction_id)  # nobody has refreshed
        assert shown(source, sort="transaction_id") == shop.ids


def test_while_a_refresh_takes_long_the_database_shows_what_was_saved(
    workbench: Workbench, columns: Columns, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(workbench)
    columns.refresh(workbench.reader, ReadPosition())
    monkeypatch.setattr(columns_module, "CATCH_UP_SECONDS", 0.05)
    shop.ids.append(shop.sales.create(sale(), uuid4()).transaction_id)
    with ThreadPoolExecutor(1) as another, columns._lock:
        source = Source(workbench.reader, shop.read_position, columns)
        assert another.submit(shown, source).result(timeout=60) == shop.ids


def test_a_sale_that_has_gone_since_is_left_out_and_the_others_are_as_they_are_now(
    workbench: Workbench, columns: Columns
) -> None:
    shop, somebody = Shop(workbench), Shop(workbench)
    for _ in range(3):
        shop.ids.append(shop.sales.create(sale(), uuid4()).transaction_id)
    columns.refresh(workbench.reader, shop.read_position)
    source = Source(workbench.reader, ReadPosition(), columns)
    somebody.ids = list(shop.ids)
    somebody.write("delete", 1, None)
    somebody.run("update sales_transaction set cashier_id = 999 where transaction_id = :key", key=shop.ids[2])
    assert wait_for_replica(workbench.engines)
    page = sale_page(source, sort="transaction_id", descending=False).value
    assert page.rows["transaction_id"].tolist() == [shop.ids[0], shop.ids[2]]
    assert (page.rows["cashier_id"].tolist()[1], page.count) == (999, 3)
    assert (page.first, page.last) == ((shop.ids[0],) * 2, (shop.ids[2],) * 2)


def test_what_is_asked_now_holds_what_others_have_just_saved(workbench: Workbench) -> None:
    live = Live(workbench)  # whose thread does not run
    live.columns.refresh(workbench.reader, ReadPosition())
    shop = Shop(workbench)
    shop.ids.append(shop.sales.create(sale(), uuid4()).transaction_id)
    assert wait_for_replica(workbench.engines)
    assert shown(live.source(ReadPosition())) == []
    assert shown(live.source_now(ReadPosition())) == shop.ids
    live.stop()


def test_texts_are_sorted_alike_whatever_the_databases_own_order_is() -> None:
    """The tests' database sorts by letters' numbers anyway; another would put "cash" beside "Cash"."""
    for dialect in (postgresql.dialect(), column_facts._DUCKDB):
        text = str(_keyset([], "payment_method", True, ("Cash", 1)).compile(dialect=dialect))
        assert text.count('payment_method COLLATE "C"') == text.count("payment_method") > 3
