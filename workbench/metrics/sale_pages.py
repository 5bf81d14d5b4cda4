"""Pages of the table of sales: filtered, searched, sorted and counted by the columns, or else by the database.

One statement asks either. Who has it answers which sales are on the page; their rows are the replica's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeVar

import pandas as pd
import sqlalchemy as sa

from workbench.database.replication import Answer
from workbench.errors import FiguresUnavailable, MetricError
from workbench.files import Tell, format_of, quiet, write, write_sheet
from workbench.locale import _
from workbench.metrics import Source, Where
from workbench.metrics.facts import FACT_SALES, Counted, Facts
from workbench.metrics.where import KINDS, SaleWhere
from workbench.sales.fields import FIELDS
from workbench.sales.models import CENT
from workbench.sales.returns import ReturnNote
from workbench.words import counted

_SHOWN = {name: FACT_SALES.c[each.fact] for name, each in FIELDS.items()}
_TABLE = sa.table("sales_transaction", sa.column("transaction_id"), sa.column("return_of"))
_ITEMS = sa.table("sales_item", sa.column("transaction_id"), sa.column("quantity", sa.Integer))
_EVERY = sa.select(*(column.label(name) for name, column in _SHOWN.items()))
COLUMNS = tuple(_SHOWN)
PAGE_SIZES = (10, 20, 50, 100)

T = TypeVar("T")
Edge = tuple[Any, int]  # sort value and transaction_id of a row at a page's edge
Move = Literal["first", "next", "previous", "last"]


@dataclass(frozen=True, eq=False)  # a frame that it is an attribute of compares its attributes
class SalePage:
    """One page. ``rows`` has COLUMNS (money as Decimal); ``counted`` is of all pages, about when it is an estimate.

    ``notes`` say of some of its sales, by their ids, that they are returns, or that items of them were returned.
    """

    rows: pd.DataFrame
    counted: Counted
    has_previous: bool
    has_next: bool
    first: Edge | None
    last: Edge | None
    notes: Mapping[int, ReturnNote] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many sales all pages have."""
        return self.counted.count

    @property
    def is_estimate(self) -> bool:
        """Whether that is about how many."""
        return self.counted.is_estimate

    @property
    def count_text(self) -> str:
        """``12 transactions``, or ``about 1,000,000 transactions`` for an estimate."""
        text = counted(self.count, "transaction")
        return _("about {what}", what=text) if self.is_estimate else text


def sale_page(
    source: Source,
    where: Where = Where(),
    *,
    sort: str = "transaction_time",
    descending: bool = True,
    size: int = 20,
    move: Move = "first",
    edge: Edge | None = None,
    counted: Counted | None = None,
) -> Answer[SalePage]:
    """The page before or after ``edge`` (of the page shown now), or the first or last one.

    ``counted`` is that of an earlier page with the same filter: not counted again.
    ``sort`` is one of COLUMNS, ``size`` one of PAGE_SIZES; ValueError otherwise. Keyset pages: the thousandth costs
    what the first does, and rows that arrive meanwhile push none off or onto another page. Which sales these are, and
    how many there are, is of one moment; their rows are read after it, and one that has gone in between is left out.
    """
    if sort not in COLUMNS or size not in PAGE_SIZES:
        raise ValueError(f"sort by one of {', '.join(COLUMNS)}, with a size of {', '.join(map(str, PAGE_SIZES))}")
    is_backward = move in ("previous", "last")
    from_edge = edge if move in ("next", "previous") else None

    def work(facts: Facts) -> tuple[list[Edge], Counted]:
        conditions = _conditions(facts, where)
        query = _keyset(conditions, sort, descending != is_backward, from_edge)
        rows = facts.execute(query.limit(size + 1))
        found = [(value, sale_id) for value, sale_id, _ in rows]
        if from_edge is None and len(found) <= size:  # these are all
            return found, Counted(len(found), False, sum((amount for *_, amount in rows), Decimal(0)))
        return found, counted or facts.count(conditions)

    answer = _read(source, work)
    found, all_pages = answer.value
    has_more, edges = len(found) > size, found[:size]
    if is_backward:
        edges = edges[::-1]
    rows = _rows(source, [sale_id for _, sale_id in edges])
    page = SalePage(
        rows=rows.value[0],
        notes=rows.value[1],
        counted=all_pages,
        has_previous=has_more if is_backward else from_edge is not None,
        has_next=from_edge is not None if is_backward else has_more,
        first=edges[0] if edges else None,
        last=edges[-1] if edges else None,
    )
    return Answer(page, rows.engine, min(answer.as_of, rows.as_of), rows.note)


def matching_ids(source: Source, where: Where, most: int) -> Answer[list[int]]:
    """The ids of the sales that are looked at, the newest first, ``most`` of them."""
    newest = sa.select(FACT_SALES.c.transaction_id).order_by(
        FACT_SALES.c.transaction_time.desc(), FACT_SALES.c.transaction_id.desc()
    )

    def work(facts: Facts) -> list[int]:
        return [number for (number,) in facts.execute(newest.where(*_conditions(facts, where)).limit(most))]

    return _read(source, work)


def write_sales(
    source: Source,
    where: Where,
    path: Path,
    names: Mapping[str, Mapping[Any, str]] = MappingProxyType({}),
    only: Collection[int] | None = None,
    tell: Tell = quiet,
) -> Answer[int]:
    """Writes COLUMNS of all sales that are looked at, the oldest first, as the file's name ends; gives their number.

    With ``only`` it is these ids alone. Excel takes long: no columns and no connection are held for that, and ``tell``
    is told how many rows are written of how many.

    Behind the id of a dimension that has ``names`` stands its name, and last the sale that a return takes back from.
    Raises FileRefused for an ending that none of FORMATS has.
    """
    is_excel = format_of(path) == "xlsx"
    written = path.with_name(f".{path.name}.parquet") if is_excel else path
    in_order = sa.select(*_named(names)).order_by(FACT_SALES.c.transaction_time, FACT_SALES.c.transaction_id)

    def work(facts: Facts) -> int:
        every = in_order.add_columns(facts.return_of().label("return_of"))
        if only is not None:
            every = every.where(FACT_SALES.c.transaction_id.in_(list(only)))
        with facts.rows(every.where(*_conditions(facts, where))) as rows:
            return write(rows, written)

    try:
        answer = _read(source, work)
        if is_excel:
            write_sheet(written, path, "Sales", answer.value, tell)
    finally:
        if is_excel:
            written.unlink(missing_ok=True)
    return answer


def _named(names: Mapping[str, Mapping[Any, str]]) -> Iterator[sa.ColumnElement[Any]]:
    for name, column in _SHOWN.items():
        yield column.label(name)
        dimension = FIELDS[name].dimension
        if known := names.get(dimension):
            yield sa.type_coerce(sa.case(dict(known), value=column), sa.Text).label(f"{dimension}_name")


def newest_sales(source: Source, where: Where, size: int) -> Answer[pd.DataFrame]:
    """COLUMNS of the newest sales, the newest first: of one moment, without a page's count."""
    newest = _EVERY.order_by(FACT_SALES.c.transaction_time.desc(), FACT_SALES.c.transaction_id.desc()).limit(size)

    def work(facts: Facts) -> pd.DataFrame:
        rows = facts.execute(newest.where(*_conditions(facts, where)))
        return pd.DataFrame([tuple(row) for row in rows], columns=list(COLUMNS))

    return _read(source, work)


def _read(source: Source, work: Callable[[Facts], T]) -> Answer[T]:
    """From the columns; where these fail, as when there is no memory left, from the database."""
    try:
        return source.read(work, "sale page")
    except FiguresUnavailable:
        return replace(source, columns=None).read(work, "sale page")


def _rows(source: Source, sale_ids: Sequence[int]) -> Answer[tuple[pd.DataFrame, dict[int, ReturnNote]]]:
    """The rows of these sales, in their order, and what is to be noted of them."""
    query = _EVERY.add_columns(*_of_returns()).where(FACT_SALES.c.transaction_id.in_(sale_ids))

    def work(connection: sa.Connection) -> tuple[pd.DataFrame, dict[int, ReturnNote]]:
        rows = {row.transaction_id: tuple(row) for row in connection.execute(query)}
        found = [rows[sale_id] for sale_id in sale_ids if sale_id in rows]
        notes = {row[0]: ReturnNote(*row[-2:]) for row in found if any(row[-2:])}
        return pd.DataFrame([row[:-2] for row in found], columns=list(COLUMNS)), notes

    return source.reader.read(source.read_position, work, "sale rows")


def _of_returns() -> tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]:
    """What a ReturnNote is made of: the sale that a return is of, and how many items of a sale were returned."""
    sale, back, item = _TABLE.alias("sale"), _TABLE.alias("back"), _ITEMS.alias("item")
    of_sale = sa.select(sale.c.return_of).where(sale.c.transaction_id == FACT_SALES.c.transaction_id)
    pieces = sa.select(-sa.func.sum(item.c.quantity)).join_from(
        back, item, item.c.transaction_id == back.c.transaction_id
    )
    of_returns = pieces.where(back.c.return_of == FACT_SALES.c.transaction_id)
    return of_sale.scalar_subquery(), of_returns.scalar_subquery()


def _keyset(
    conditions: Sequence[sa.ColumnElement[bool]], sort: str, is_falling: bool, edge: Edge | None
) -> sa.Select[Any]:
    """The sort value, id and amount of the sales beyond ``edge``, in their order."""
    key, sale_id = _key(sort), FACT_SALES.c.transaction_id
    query = sa.select(key, sale_id, FACT_SALES.c.revenue.label("amount")).where(*conditions)
    if edge is not None:
        query = query.where(*(_beyond(key, sale_id, *edge) if is_falling else _beyond(*edge, key, sale_id)))
    order = (key, sale_id)
    return query.order_by(*((each.desc() for each in order) if is_falling else order))


def _beyond(low: Any, low_id: Any, high: Any, high_id: Any) -> tuple[sa.ColumnElement[bool], ...]:
    """(low, low_id) < (high, high_id), written so that either engine finds the first of them at once."""
    return low <= high, sa.or_(low < high, low_id < high_id)


def _key(sort: str) -> sa.ColumnElement[Any]:
    """What is sorted by. A text by its letters' numbers, whatever the database's own order of words is."""
    if FIELDS[sort].kind == "optional id":  # no row compares with null: such sales are before the first customer
        return sa.func.coalesce(_SHOWN[sort], sa.literal_column("0"))
    return sa.collate(_SHOWN[sort], "C") if FIELDS[sort].kind == "choice" else _SHOWN[sort]


def _conditions(facts: Facts, where: Where) -> list[sa.ColumnElement[bool]]:
    """What the sales of the table have to meet."""
    # Days are told by times, of which the database has an index in the order of the pages.
    found = facts.matching(FACT_SALES, replace(where, date_from=None, date_to=None))
    if where.date_from is not None:
        found.append(FACT_SALES.c.transaction_time >= datetime.combine(where.date_from, time.min))
    if where.date_to is not None:
        found.append(FACT_SALES.c.transaction_time <= datetime.combine(where.date_to, time.max))
    if not isinstance(where, SaleWhere):
        return found
    if where.kind:
        if where.kind not in KINDS:
            raise MetricError(f"The filter kind cannot be {where.kind!r}: it takes {' or '.join(map(repr, KINDS))}.")
        found.append(FACT_SALES.c.is_return if where.kind == "returns" else ~FACT_SALES.c.is_return)
    if where.amount_from is not None:
        found.append(FACT_SALES.c.revenue >= where.amount_from.quantize(CENT, ROUND_CEILING))
    if where.amount_to is not None:
        found.append(FACT_SALES.c.revenue <= where.amount_to.quantize(CENT, ROUND_FLOOR))
    if text := where.product.strip().casefold():
        found.append(facts.has_product(lambda code, name: text in code.casefold() or text in name.casefold()))
    return found
