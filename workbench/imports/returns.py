"""Rows that take back become returns of the sale that they take back from, where it is in the file or in the table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import duckdb
import pandas as pd
import sqlalchemy as sa
from pydantic import BaseModel, ValidationError

from workbench.database.sql_files import read_sql, run_sql
from workbench.errors import FieldError, SaleRefused
from workbench.locale import N_, _
from workbench.sales.models import Id, ReturnInput, field_errors, parse_return
from workbench.sales.rights import Rights

RETURN = "Return"
NO_SALE = N_(
    "No sale is known that this takes back from: one of the same customer and store, before it, of which as many are"
    " left at this price and without a discount"
)
NO_SALE_OF_NOBODY = N_(
    "No sale is known that this takes back from: one without a customer too, of the same store, before it, of which as"
    " many are left at this price and without a discount"
)
HAS_DISCOUNT = N_("A return with a discount of its own cannot be imported: what is given back is what was paid")
NO_MOMENT = N_("it must be a date and time such as 2026-05-31 14:30:00, as the days of this file are written")
BOTH = N_("One invoice sells and takes back: a return has a number of its own")
_RETURNED = {"sale": "bigint", "of": "bigint", "transaction_time": "timestamp", "cashier_id": "integer",
             "store_id": "integer", "payment_method": "varchar", "customer_id": "integer", "returns_sale": "bigint",
             "return_of": "bigint"}  # fmt: skip
_LINE = {"sale": "bigint", "row": "bigint", "product_code": "varchar", "product_name": "varchar", "category": "varchar",
         "quantity": "integer", "unit_price": "decimal(10, 2)"}  # fmt: skip
Key = tuple[int, int | None, str, Decimal]  # store, customer, code and price
Row = Mapping[str, Any]


class _Customer(BaseModel):
    customer_id: Id


@dataclass(frozen=True)
class Taken:
    """The rows of an invoice that take back, as the form has read them."""

    sale: int
    rows: Sequence[Row]
    made: Sequence[ReturnInput]
    customer_id: int | None
    at: datetime


@dataclass
class Offer:
    """What is left of a product at one price in a sale, of the file (``sale``) or of the table (``transaction_id``)."""

    at: datetime
    left: int
    product_name: str
    category: str | None
    sale: int | None = None
    transaction_id: int | None = None


def read_return(sale: int, rows: Sequence[Row], rights: Rights) -> Taken | dict[int, tuple[str, str]]:
    """The return of an invoice, or what is wrong with its rows. Raises RoleRefused."""
    if not all(row["is_return"] for row in rows):
        return {row["row"]: (RETURN, _(BOTH)) for row in rows}
    made, wrong = [], dict[int, tuple[str, str]]()
    for row in rows:
        try:
            made.append(_read(row, rights))
        except SaleRefused as error:
            named = [FieldError(each.field.split(".")[-1], each.value, each.allowed) for each in error.fields]
            wrong[row["row"]] = (RETURN, "; ".join(map(str, named)))
        if Decimal(row["discount_value"] or 0):
            wrong[row["row"]] = (RETURN, _(HAS_DISCOUNT))
    if wrong:
        return wrong
    at = min(each.transaction_time for each in made if each.transaction_time is not None)
    customer_id = rows[0]["customer_id"]
    return Taken(sale, rows, made, None if customer_id is None else int(Decimal(customer_id)), at)


def _read(row: Row, rights: Rights) -> ReturnInput:
    line = {"product_code": row["product_code"], "unit_price": row["unit_price"]}
    given = {name: row[name] or "" for name in ("cashier_id", "store_id", "payment_method")}
    made = parse_return(
        given
        | {"return_of": 1, "transaction_time": row["moment"] or row["transaction_time"]}
        | {"lines": [line | {"quantity": row["quantity"].removeprefix("-")}]}
    )
    if made.transaction_time is None:
        raise SaleRefused([FieldError("transaction_time", None, _("please fill it in"))])
    refuse_unread([row])
    if row["customer_id"] is not None:
        try:
            _Customer(customer_id=row["customer_id"])
        except ValidationError as error:
            raise SaleRefused(field_errors(error)) from None
    rights.refuse(made.transaction_time, made.store_id)
    return made


def refuse_unread(rows: Iterable[Row]) -> None:
    """Raises SaleRefused for a time that is neither ISO nor as the file's mapping reads it.

    The form would read it as days are typed here, so that a file had days in two orders.
    """
    for row in rows:
        if row["moment"] is None:
            try:
                datetime.fromisoformat(row["transaction_time"].strip())
            except ValueError:
                error = FieldError("transaction_time", row["transaction_time"], _(NO_MOMENT))
                raise SaleRefused([error]) from None


def match(
    database: duckdb.DuckDBPyConnection, connection: sa.Connection, taken: Sequence[Taken]
) -> list[tuple[int, str, str]]:
    """Adds the returns whose sales are found to ``header`` and ``line``; gives a verdict for each other one."""
    if not taken:
        return []
    offers = _in_table(connection, taken)
    for key, offer in _in_file(database, taken):
        offers.setdefault(key, []).append(offer)
    refused, found = [], []
    for each in sorted(taken, key=lambda one: (one.at, one.sale)):
        if (places := _places(each, offers)) is None:
            refused.append((each.sale, RETURN, _(NO_SALE_OF_NOBODY if each.customer_id is None else NO_SALE)))
        else:
            found.extend(_parts(each, places))
    _add(database, found)
    return refused


def _key(taken: Taken, made: ReturnInput) -> Key:
    line = made.lines[0]
    return made.store_id, taken.customer_id, line.product_code, line.unit_price


def _places(taken: Taken, offers: Mapping[Key, list[Offer]]) -> list[Offer] | None:
    """For each row the newest sale of which enough is left, which it then takes; None when a row has none."""
    places: list[Offer] = []
    for made in taken.made:
        quantity = made.lines[0].quantity
        fitting = [
            offer for offer in offers.get(_key(taken, made), []) if offer.at <= taken.at and offer.left >= quantity
        ]
        if not fitting:
            for place, earlier in zip(places, taken.made, strict=False):
                place.left += earlier.lines[0].quantity
            return None
        place = max(fitting, key=lambda offer: offer.at)
        place.left -= quantity
        places.append(place)
    return places


def _parts(taken: Taken, places: Sequence[Offer]) -> list[list[tuple[Row, ReturnInput, Offer, Taken]]]:
    """The rows by the sale that they take back from: a return takes back from one."""
    parts: dict[tuple[int | None, int | None], list[tuple[Row, ReturnInput, Offer, Taken]]] = {}
    for row, made, place in zip(taken.rows, taken.made, places, strict=True):
        parts.setdefault((place.sale, place.transaction_id), []).append((row, made, place, taken))
    return list(parts.values())


def _add(database: duckdb.DuckDBPyConnection, parts: Sequence[list[tuple[Row, ReturnInput, Offer, Taken]]]) -> None:
    """Each part as a sale of its own, after those that there are."""
    last = database.execute("select coalesce(max(sale), 0) from sale").fetchone()
    assert last is not None
    returned, lines = [], []
    for sale, part in enumerate(parts, start=last[0] + 1):
        _row, first, place, taken = part[0]
        returned.append(
            {"sale": sale, "of": taken.sale, "transaction_time": taken.at, "customer_id": taken.customer_id}
            | {name: getattr(first, name) for name in ("cashier_id", "store_id", "payment_method")}
            | {"returns_sale": place.sale, "return_of": place.transaction_id}
        )
        lines += [
            {"sale": sale, "row": row["row"], "product_name": of.product_name, "category": of.category}
            | {name: getattr(made.lines[0], name) for name in ("product_code", "quantity", "unit_price")}
            for row, made, of, _taken in part
        ]
    make_table(database, "returned", _RETURNED, returned)
    make_table(database, "returned_line", _LINE, lines)
    for statement in duckdb.extract_statements(read_sql("imports/add_returns")):
        database.execute(statement)


def _in_file(database: duckdb.DuckDBPyConnection, taken: Sequence[Taken]) -> list[tuple[Key, Offer]]:
    codes = sorted({made.lines[0].product_code for each in taken for made in each.made})
    rows = database.execute(read_sql("imports/offered"), {"codes": codes}).fetchall()
    return [
        ((store, customer, code, price), Offer(at, left, name, category, sale=sale))
        for sale, store, customer, code, price, at, left, name, category in rows
    ]


def _in_table(connection: sa.Connection, taken: Sequence[Taken]) -> dict[Key, list[Offer]]:
    keys = {_key(each, made) for each in taken for made in each.made}
    names = ("stores", "customers", "codes", "prices")
    found: dict[Key, list[Offer]] = {}
    for of_somebody in (True, False):
        asked = [key for key in keys if (key[1] is not None) is of_somebody]
        values: dict[str, Any] = {name: [key[place] for key in asked] for place, name in enumerate(names)}
        for row in run_sql(connection, "imports/sold", {"of_somebody": of_somebody, **values}) if asked else ():
            offer = Offer(row.transaction_time, row.left_over, row.product_name, row.category, None, row.transaction_id)
            found.setdefault((row.store_id, row.customer_id, row.product_code, row.unit_price), []).append(offer)
    return found


def make_table(
    database: duckdb.DuckDBPyConnection, name: str, kinds: Mapping[str, str], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Makes a table with columns of these kinds. Values go as texts: a frame's own types would be guessed."""
    columns = ", ".join(f"{column} {kind}" for column, kind in kinds.items())
    database.execute(f"create or replace table {name} ({columns})")
    if rows:
        frame = pd.DataFrame(
            {column: pd.Series([_text(row[column]) for row in rows], dtype=object) for column in kinds}
        )
        database.register("rows_of", frame)
        database.execute(f"insert into {name} from rows_of")
        database.unregister("rows_of")


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
