"""Pages of the table of sales: filtered, searched, sorted and counted in SQL, never more than a page of rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal

import pandas as pd
import sqlalchemy as sa

from workbench.errors import FieldError
from workbench.replication import Answer, Reader, Session
from workbench.sql_files import read_sql
from workbench.tables import sales_item, sales_transaction
from workbench.words import counted, unstorable

COLUMNS = tuple(c.name for c in sales_transaction.columns)
PAGE_SIZES = (10, 20, 50, 100)
EXACT_COUNT_LIMIT = 100_000

Edge = tuple[Any, int]  # sort value and transaction_id of a row at a page's edge
Move = Literal["first", "next", "previous", "last"]


@dataclass(frozen=True)
class SaleFilter:
    """What narrows the table of sales; an empty value narrows nothing. Both dates are included."""

    date_from: date | None = None
    date_to: date | None = None
    store_ids: tuple[int, ...] = ()
    cashier_ids: tuple[int, ...] = ()
    payment_methods: tuple[str, ...] = ()
    customer_id: int | None = None
    product: str = ""
    amount_from: Decimal | None = None
    amount_to: Decimal | None = None
    categories: tuple[str | None, ...] = ()  # sales with a line of one of these; None: a line without category
    product_codes: tuple[str, ...] = ()
    hours: tuple[int, ...] = ()
    weekdays: tuple[int, ...] = ()  # 1 is Monday

    def __post_init__(self) -> None:
        """Raises FieldError for a text that no database takes."""
        for name in ("payment_methods", "categories", "product_codes"):
            for text in getattr(self, name):
                if text is not None and (letter := unstorable(text)):
                    raise FieldError(name, ascii(text), f"it must be text without {letter}")


@dataclass(frozen=True, eq=False)  # a frame that it is an attribute of compares its attributes
class SalePage:
    """One page. ``rows`` has COLUMNS (money as Decimal); ``count`` is of all pages, about when it is an estimate."""

    rows: pd.DataFrame
    count: int
    is_estimate: bool
    has_previous: bool
    has_next: bool
    first: Edge | None
    last: Edge | None

    @property
    def count_text(self) -> str:
        """``12 transactions``, or ``about 1,000,000 transactions`` for an estimate."""
        about = "about " if self.is_estimate else ""
        return f"{about}{counted(self.count, 'transaction')}"


def sale_page(
    reader: Reader,
    session: Session,
    where: SaleFilter = SaleFilter(),
    *,
    sort: str = "transaction_time",
    descending: bool = True,
    size: int = 20,
    move: Move = "first",
    edge: Edge | None = None,
    counted: tuple[int, bool] | None = None,
) -> Answer[SalePage]:
    """The page before or after ``edge`` (of the page shown now), or the first or last one.

    ``counted`` is count and is_estimate of an earlier page with the same filter: not counted again.
    ``sort`` is one of COLUMNS, ``size`` one of PAGE_SIZES; ValueError otherwise. Keyset pages: the thousandth costs
    what the first does, and rows that arrive meanwhile push none off or onto another page.
    """
    if sort not in COLUMNS or size not in PAGE_SIZES:
        raise ValueError(f"sort by one of {', '.join(COLUMNS)}, with a size of {', '.join(map(str, PAGE_SIZES))}")

    def work(connection: sa.Connection) -> SalePage:
        conditions = _conditions(connection, where)
        is_backward = move in ("previous", "last")
        query = _keyset(conditions, sort, descending, is_backward, edge if move in ("next", "previous") else None)
        found = connection.execute(query.limit(size + 1)).all()
        has_more, found = len(found) > size, found[:size]
        if is_backward:
            found = found[::-1]
        count, is_estimate = counted or _count(connection, conditions)
        return SalePage(
            rows=pd.DataFrame([tuple(row)[:-1] for row in found], columns=list(COLUMNS)),
            count=count,
            is_estimate=is_estimate,
            has_previous=has_more if is_backward else move == "next" and edge is not None,
            has_next=move == "previous" and edge is not None if is_backward else has_more,
            first=(found[0].sort_value, found[0].transaction_id) if found else None,
            last=(found[-1].sort_value, found[-1].transaction_id) if found else None,
        )

    return reader.read(session, work, "sale page")


def _keyset(
    conditions: list[sa.ColumnElement[bool]], sort: str, descending: bool, is_backward: bool, edge: Edge | None
) -> sa.Select[Any]:
    columns = sales_transaction.c
    # A customer may be missing, and no row compares with null: such sales sort before the first customer.
    key: sa.ColumnElement[Any] = sa.func.coalesce(columns.customer_id, 0) if sort == "customer_id" else columns[sort]
    is_falling = descending != is_backward
    query = sa.select(sales_transaction, key.label("sort_value")).where(*conditions)
    if edge is not None:
        here, there = sa.tuple_(key, columns.transaction_id), sa.tuple_(*map(sa.literal, edge))
        query = query.where(here < there if is_falling else here > there)
    order = (key, columns.transaction_id)
    return query.order_by(*((c.desc() for c in order) if is_falling else order))


def _conditions(connection: sa.Connection, where: SaleFilter) -> list[sa.ColumnElement[bool]]:
    columns = sales_transaction.c
    found: list[sa.ColumnElement[bool]] = []
    if where.date_from is not None:
        found.append(columns.transaction_time >= datetime.combine(where.date_from, time()))
    if where.date_to is not None:
        found.append(columns.transaction_time < datetime.combine(where.date_to + timedelta(days=1), time()))
    if where.store_ids:
        found.append(columns.store_id.in_(where.store_ids))
    if where.cashier_ids:
        found.append(columns.cashier_id.in_(where.cashier_ids))
    if where.payment_methods:
        found.append(columns.payment_method.in_(where.payment_methods))
    if where.customer_id is not None:
        found.append(columns.customer_id == where.customer_id)
    if where.amount_from is not None:
        found.append(columns.total_amount >= where.amount_from)
    if where.amount_to is not None:
        found.append(columns.total_amount <= where.amount_to)
    if where.hours:
        found.append(sa.cast(sa.extract("hour", columns.transaction_time), sa.Integer).in_(where.hours))
    if where.weekdays:
        found.append(sa.cast(sa.extract("isodow", columns.transaction_time), sa.Integer).in_(where.weekdays))
    if where.categories or where.product_codes:
        found.append(_has_line(where))
    if where.product.strip():
        found.append(_has_product(connection, where.product.strip()))
    return found


def _has_line(where: SaleFilter) -> sa.ColumnElement[bool]:
    """Sales with a line that has one of the categories and one of the product codes."""
    columns = sa.table("sales_item", *map(sa.column, ("transaction_id", "product_code", "category"))).c
    found: list[sa.ColumnElement[bool]] = [columns.transaction_id == sales_transaction.c.transaction_id]
    if where.product_codes:
        found.append(columns.product_code.in_(where.product_codes))
    if where.categories:
        known = columns.category.in_([category for category in where.categories if category is not None])
        found.append(sa.or_(known, columns.category.is_(None)) if None in where.categories else known)
    return sa.select(sa.literal(1)).where(*found).correlate(sales_transaction).exists()


def _has_product(connection: sa.Connection, text: str) -> sa.ColumnElement[bool]:
    """Sales with a line whose product code or name contains ``text``.

    The few known products are searched first, so that lines are found by an index, and a text that no product has
    costs nothing.
    """
    wanted = text.casefold()
    pairs = [
        (row.product_code, row.product_name)
        for row in connection.execute(sa.text(read_sql("queries/products")))
        if wanted in row.product_code.casefold() or wanted in row.product_name.casefold()
    ]
    if not pairs:
        return sa.false()
    columns = sales_item.c
    lines = sa.select(sa.literal(1)).where(
        columns.transaction_id == sales_transaction.c.transaction_id,
        sa.tuple_(columns.product_code, columns.product_name).in_(pairs),
    )
    return lines.correlate(sales_transaction).exists()


def _count(connection: sa.Connection, conditions: list[sa.ColumnElement[bool]]) -> tuple[int, bool]:
    """How many sales there are: counted up to EXACT_COUNT_LIMIT, beyond it the planner's estimate (True)."""
    some = sa.select(sa.literal(1)).select_from(sales_transaction).where(*conditions).limit(EXACT_COUNT_LIMIT + 1)
    counted = connection.execute(sa.select(sa.func.count()).select_from(some.subquery())).scalar_one()
    if counted <= EXACT_COUNT_LIMIT:
        return counted, False
    every = sa.select(sa.literal(1)).select_from(sales_transaction).where(*conditions)
    compiled = every.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
    plan = connection.exec_driver_sql(f"explain (format json) {compiled}", compiled.params).scalar_one()
    return max(int(plan[0]["Plan"]["Plan Rows"]), counted), True
