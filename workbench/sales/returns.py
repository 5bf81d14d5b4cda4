"""Returns: what of a sale can still be given back, what was, and the lines of a return.

A return is a sale of its own with negative quantities. What it gives back for a piece is what was paid for it: its
price less its share of the discount, rounded once; the last piece takes what is left of that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import sqlalchemy as sa
from psycopg2.errors import CheckViolation, ForeignKeyViolation
from sqlalchemy.exc import IntegrityError

from workbench import locale
from workbench.database.sql_files import run_sql
from workbench.errors import NOTHING_DONE, FieldError, ReturnRefused, SaleNotFound, SaleRefused
from workbench.locale import N_, _, ngettext, sentences
from workbench.sales.fields import TYPED
from workbench.sales.history import find_sale
from workbench.sales.models import CENT, ReturnInput, Sale
from workbench.words import counted

NOT_EDITED = N_("is a return of {of}, and is not edited: delete it, and return the items of {of} anew.")
RETURN_NOT_EDITED = N_(
    "Transaction {id} is a return of {of}, and is not edited: delete it, and return the items of {of} anew."
)
# What sql/schema/0011_returns says when more would be given back than was sold, or paid.
CHECK_SAID = (
    (
        r"transaction (?P<id>\d+) sold (?P<sold>\S+) of (?P<code>.+) at (?P<price>\S+), and (?P<back>\S+) would be"
        r" given back",
        N_("Transaction {id} sold {sold} of {code} at {price}, and {back} would be given back"),
    ),
    (
        r"of transaction (?P<id>\d+) more money, or discount, of (?P<code>.+) at (?P<price>\S+) would be given back"
        r" than was paid, or given",
        N_(
            "Of transaction {id} more money, or discount, of {code} at {price} would be given back than was paid, or"
            " given"
        ),
    ),
)
RETURN_CHECKS = (
    *("sale_returns_check", "sale_kind_check", "sales_transaction_return_of_fkey"),
    *("sales_transaction_total_amount_signed", "sales_transaction_total_discount_signed"),
)
Key = tuple[str, Decimal]  # product code and unit price


@dataclass(frozen=True)
class Returnable:
    """The pieces of one product at one price that a sale sold, and how many of them were ``returned``."""

    product_code: str
    product_name: str
    category: str | None
    unit_price: Decimal
    sold: int
    returned: int
    discount_left: Decimal

    @property
    def left(self) -> int:
        """How many can still be given back."""
        return self.sold - self.returned

    @property
    def key(self) -> Key:
        """What tells it from the others of its sale."""
        return self.product_code, self.unit_price

    def line(self, quantity: int) -> dict[str, Any]:
        """The line of a return that gives so many of them back."""
        share = self.discount_left * quantity / self.left
        return {
            "product_code": self.product_code,
            "product_name": self.product_name,
            "category": self.category,
            "quantity": -quantity,
            "unit_price": self.unit_price,
            "discount": -share.quantize(CENT, ROUND_HALF_UP),
        }


@dataclass(frozen=True)
class Returned:
    """A return of the sale ``return_of``: ``items`` pieces, and its total, which is negative.

    ``actor`` is who recorded it; None where that was not asked, or a load did.
    """

    transaction_id: int
    return_of: int
    transaction_time: datetime
    total_amount: Decimal
    items: int
    created_at: datetime
    actor: str | None = None


@dataclass(frozen=True)
class ReturnNote:
    """What a row of a table says of returns: which sale it takes back from, or how many items of it were returned."""

    return_of: int | None
    returned: int | None

    @property
    def text(self) -> str:
        """``return of 123``, ``2 items returned``."""
        if self.return_of is not None:
            return _("return of {id}", id=self.return_of)
        return _("{items} returned", items=counted(self.returned or 0, "item"))


def find_returnable(connection: sa.Connection, transaction_id: int) -> list[Returnable]:
    """What the sale sold, in the order of entry; an empty list when there is no such sale."""
    rows = run_sql(connection, "queries/returnable", {"transaction_id": transaction_id}).mappings()
    return [Returnable(**row) for row in rows]


def find_returns(connection: sa.Connection, sales: Sequence[int]) -> list[Returned]:
    """The returns that take back from these sales, the oldest first."""
    rows = run_sql(connection, "queries/returns", {"of": list(sales)}).mappings()
    return [Returned(**row) for row in rows]


def find_recorded_returns(connection: sa.Connection, transaction_id: int) -> list[Returned]:
    """The returns of a sale, the oldest first, with who recorded each."""
    found = find_returns(connection, [transaction_id])
    ids = [each.transaction_id for each in found]
    rows = run_sql(connection, "queries/recorded_by", {"sales": ids}) if ids else ()
    actors = {row.transaction_id: row.actor for row in rows}
    return [replace(each, actor=actors.get(each.transaction_id)) for each in found]


def return_values(sale: Sale, found: Sequence[Returnable], taken: ReturnInput, now: datetime) -> dict[str, Any]:
    """The return as the statement that saves it takes it. Raises SaleRefused for more than is left."""
    by_key = {each.key: each for each in found}
    errors = [error for n, line in enumerate(taken.lines) if (error := _error(n, by_key.get(line.key), line.quantity))]
    if taken.transaction_time is not None and taken.transaction_time < sale.transaction_time:
        errors.append(_too_early(taken.transaction_time, sale))
    if errors:
        raise SaleRefused(errors)
    lines = [by_key[line.key].line(line.quantity) for line in taken.lines]
    amount = sum((line["quantity"] * line["unit_price"] - line["discount"] for line in lines), Decimal("0.00"))
    return {
        "return_of": sale.transaction_id,
        **{
            field.name: getattr(taken if field.name in ReturnInput.model_fields else sale, field.name)
            for field in TYPED
        },
        "transaction_time": taken.transaction_time or now,
        "total_amount": amount,
        "total_discount": sum((line["discount"] for line in lines), Decimal("0.00")),
        "lines": json.dumps(lines, default=str),
    }


def left_text(each: Returnable) -> str:
    """``2 of 3 are left``, ``nothing is left``: what of a product can be given back, in words."""
    if not each.returned:
        return ngettext("{n} was sold", "{n} were sold", each.sold, n=locale.number(each.sold))
    if not each.left:
        return ngettext(
            "nothing is left: the one that was sold was returned",
            "nothing is left: all {n} that were sold were returned",
            each.sold,
            n=locale.number(each.sold),
        )
    figures = {"n": locale.number(each.left), "of": locale.number(each.sold)}
    return ngettext("{n} of {of} is left", "{n} of {of} are left", each.left, **figures)


def _all(sold: int) -> str:
    return "the one that was sold was" if sold == 1 else f"all {locale.number(sold)} that were sold were"


def _error(number: int, each: Returnable | None, quantity: int) -> FieldError | None:
    field = f"lines.{number}.quantity"
    if each is None:
        return FieldError(field, quantity, _("the sale has no such item at this price"))
    if quantity <= each.left:
        return None
    return FieldError(field, quantity, _("of {code} {left}", code=each.product_code, left=left_text(each)))


def _too_early(at: datetime, sale: Sale) -> FieldError:
    allowed = _("it must not be before the sale, {moment}", moment=locale.moment_seconds(sale.transaction_time))
    return FieldError("transaction_time", at, allowed)


def returnable_of(connection: sa.Connection, transaction_id: int) -> tuple[Sale, list[Returnable]]:
    """The sale, and what of it can still be given back. Raises SaleNotFound, and ReturnRefused for a return."""
    sale = find_sale(connection, transaction_id)
    if sale is None:
        raise SaleNotFound(transaction_id)
    if sale.return_of is not None:
        text = _(
            "Transaction {id} is a return itself: return items of {of}.", **{"id": transaction_id, "of": sale.return_of}
        )
        raise ReturnRefused(text)
    return sale, find_returnable(connection, transaction_id)


def return_refused(connection: sa.Connection, values: Mapping[str, Any], error: IntegrityError) -> ReturnRefused | None:
    """What the master has refused because of returns, in words; None when it was something else."""
    cause = error.orig
    if not isinstance(cause, CheckViolation | ForeignKeyViolation) or cause.diag.constraint_name not in RETURN_CHECKS:
        return None
    transaction_id = values.get("transaction_id")
    stored = None if transaction_id is None else find_sale(connection, transaction_id)
    if stored is not None and stored.return_of is not None:
        return ReturnRefused(is_no_edit(stored.transaction_id, stored.return_of))
    said = check_in_words(cause.diag.message_primary or "")
    by = [] if stored is None else find_returns(connection, [stored.transaction_id])
    if by:
        why = _("delete that first") if isinstance(cause, ForeignKeyViolation) else said
        which = ", ".join(str(each.transaction_id) for each in by)
        said = _(
            "Items of transaction {id} were returned by transaction {by}: {why}.",
            **{"id": transaction_id, "by": which, "why": why},
        )
    elif isinstance(cause, ForeignKeyViolation):
        said = _("The sale that this return takes back from was deleted: restore that first.")
    else:
        said = f"{said}."
    return ReturnRefused(sentences(said, _(NOTHING_DONE)))


def check_in_words(said: str) -> str:
    """What the master's check of returns has said, without its full stop; as it is where nobody foresaw it."""
    for pattern, text in CHECK_SAID:
        if found := re.fullmatch(pattern, said):
            return _(text, **found.groupdict())
    return said.replace("transaction", "Transaction", 1)


def is_no_edit(transaction_id: int, return_of: int) -> str:
    """That a return is not edited, and what to do instead."""
    return sentences(_(RETURN_NOT_EDITED, **{"id": transaction_id, "of": return_of}), _(NOTHING_DONE))
