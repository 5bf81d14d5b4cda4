"""The table of sales asked of the columns and of the database: the same pages after any writes, as Python has them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.integration.test_metrics import DAYS, Shop, maybe, some, which
from workbench.connection import Workbench
from workbench.metrics import Columns, Source
from workbench.metrics import columns as columns_module
from workbench.metrics.columns import SHARED_BIT
from workbench.replication import Session
from workbench.sale_pages import COLUMNS, Move, SaleFilter, SalePage, sale_page
from workbench.sql_files import read_sql

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
    st.tuples(st.just("recategorise"), which, st.sampled_from(["Coffee", "", None])),
    st.tuples(st.just("move"), which, st.sampled_from(DAYS)),
)
filters = st.builds(
    SaleFilter,
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
    st.just(SaleFilter()),
    st.builds(SaleFilter, product=st.sampled_from(SEARCHES)),
    st.builds(SaleFilter, amount_from=st.sampled_from(AMOUNTS)),
    st.builds(SaleFilter, date_to=st.sampled_from(DAYS)),
    st.builds(SaleFilter, categories=some(["Coffee", "", None])),
)
questions = st.lists(
    st.tuples(st.one_of(alone, alone, filters), st.sampled_from(COLUMNS), st.booleans()), min_size=1, max_size=3
)


@pytest.fixture
def columns(tmp_path: Path) -> Iterator[Columns]:
    made = Columns(tmp_path / "columns", 512)
    yield made
    made.close()


def told(page: SalePage) -> tuple[Any, ...]:
    """All that a page says, with None for what is missing: nan is not equal to itself."""
    rows = page.rows.astype(object).where(page.rows.notna(), None)
    return (rows.values.tolist(), page.count, page.is_estimate, page.has_previous, page.has_next)


def pages(source: Source, where: SaleFilter, sort: str, descending: bool, size: int) -> list[SalePage]:
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


def is_meant(stored: Any, where: SaleFilter) -> bool:
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


def in_order(shop: Shop, where: SaleFilter, sort: str, descending: bool) -> list[int]:
    """The sales that are meant, as Python sorts them: texts by their letters' numbers, no customer before the first."""
    meant = [stored for key in shop.ids if is_meant(stored := shop.sales.get(key, for_edit=True).value, where)]
    meant.sort(key=lambda stored: (getattr(stored, sort) or 0, stored.transaction_id), reverse=descending)
    return [stored.transaction_id for stored in meant]


@pytest.mark.parametrize("shared_bit", [SHARED_BIT, 2], ids=["a bit for each article", "most articles share one"])
def test_pages_are_those_of_the_database_and_of_python_after_any_writes(
    workbench: Workbench, columns: Columns, monkeypatch: pytest.MonkeyPatch, shared_bit: int
) -> None:
    shop = Shop(workbench)
    monkeypatch.setattr("workbench.sale_pages.PAGE_SIZES", (3, 100))
    monkeypatch.setattr(columns_module, "SHARED_BIT", shared_bit)
    monkeypatch.setattr(
        columns_module, "read_sql", lambda name: read_sql(name).replace(f"{SHARED_BIT}", f"{shared_bit}")
    )

    @settings(max_examples=30, phases=[Phase.generate], deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.lists(writes, min_size=3, max_size=8), min_size=1, max_size=2), questions)
    def run(rounds: list[list[Any]], asked: list[Any]) -> None:
        shop.empty()
        for writes_of_round in rounds:
            for write in writes_of_round:
                shop.write(*write)
            columns.refresh(workbench.reader, shop.session)
        ours, theirs = (Source(workbench.reader, Session(shop.session.token), held) for held in (columns, None))
        for where, sort, descending in asked:
            found = pages(ours, where, sort, descending, 3)
            assert [told(page) for page in found] == [told(page) for page in pages(theirs, where, sort, descending, 3)]
            every = sale_page(ours, where, sort=sort, descending=descending, size=100).value
            assert every.rows["transaction_id"].tolist() == in_order(shop, where, sort, descending)
            assert every.count == len(every.rows)

    run()
