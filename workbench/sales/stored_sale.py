"""A sale as the database has it, and what of it stands against a write."""

from __future__ import annotations

import sqlalchemy as sa

from workbench.database.sql_files import read_sql
from workbench.errors import FieldError, SaleConflict, SaleNotFound
from workbench.sales.models import Line, Sale, SaleInput


def find_sale(connection: sa.Connection, transaction_id: int) -> Sale | None:
    """The sale with its lines; None when there is none with this id."""
    row = connection.execute(sa.text(read_sql("queries/sale")), {"transaction_id": transaction_id}).mappings().first()
    return None if row is None else Sale(**row, lines=tuple(find_lines(connection, transaction_id)))


def find_lines(connection: sa.Connection, transaction_id: int) -> list[Line]:
    """The lines of a sale in the order of entry; an empty list when there is no such sale."""
    rows = connection.execute(sa.text(read_sql("queries/lines")), {"transaction_id": transaction_id}).mappings()
    return [Line(**row) for row in rows]


def raise_if_moved(connection: sa.Connection, transaction_id: int, version: int) -> None:
    """Raises SaleNotFound when the sale is gone, SaleConflict when it is no longer at ``version``."""
    theirs = find_sale(connection, transaction_id)
    if theirs is None:
        raise SaleNotFound(transaction_id)
    if theirs.version != version:
        raise SaleConflict(transaction_id, version, theirs)


def foreign_lines(connection: sa.Connection, transaction_id: int, sale: SaleInput) -> list[FieldError]:
    """A FieldError for each line of ``sale`` whose item_id is not one of the stored sale's."""
    own = {line.item_id for line in find_lines(connection, transaction_id)}
    return [
        FieldError(f"lines.{n}.item_id", line.item_id, f"it must be an item of transaction {transaction_id}")
        for n, line in enumerate(sale.lines)
        if line.item_id is not None and line.item_id not in own
    ]
