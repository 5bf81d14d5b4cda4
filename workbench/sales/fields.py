"""The fields of a sale: each column of its header is one row here, and tables, forms, filters and addresses follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from workbench.locale import N_, Labelled
from workbench.sales.models import PAYMENT_METHODS as METHODS

Kind = Literal["id", "optional id", "time", "choice", "money"]


@dataclass(frozen=True)
class Field(Labelled):
    """A column of sales_transaction, by whose kind it is typed, sorted and shown.

    ``fact`` is its name in the facts. ``width`` is that of its column in pixels, ``narrow`` the same in a notebook.
    ``place`` is where it stands in the form; 0: nobody types it. ``filter`` is the name of what narrows by it,
    ``dimension`` of what figures are given for. ``at_once``: of many sales it may be changed at once.
    """

    name: str
    english: str
    kind: Kind
    width: int
    narrow: int
    fact: str
    place: int = 0
    filter: str = ""
    dimension: str = ""
    choices: tuple[str, ...] = ()
    at_once: bool = False

    @property
    def is_number(self) -> bool:
        """Whether it stands at the right of its column."""
        return self.kind in ("id", "optional id", "money")


FIELDS = {
    field.name: field
    for field in (  # in the order of the table's columns
        Field("transaction_id", N_("ID"), "id", 80, 72, "transaction_id"),
        Field("transaction_time", N_("Time"), "time", 152, 150, "transaction_time", 4),
        Field("store_id", N_("Store"), "id", 84, 62, "store_id", 2, "stores", "store", at_once=True),
        Field("cashier_id", N_("Cashier"), "id", 88, 80, "cashier_id", 1, "cashiers", "cashier", at_once=True),
        Field(
            *("payment_method", N_("Payment Method"), "choice", 126, 106, "payment_method", 3),
            *("payment_methods", "payment_method", METHODS),
            at_once=True,
        ),
        Field("customer_id", N_("Customer"), "optional id", 96, 90, "customer_id", 5, "customer_id"),
        Field("total_discount", N_("Discount"), "money", 94, 86, "discount"),
        Field("total_amount", N_("Total"), "money", 96, 80, "revenue"),
    )
}
TYPED = tuple(sorted((field for field in FIELDS.values() if field.place), key=lambda field: field.place))
FILTERED = tuple(field for field in FIELDS.values() if field.filter)
AT_ONCE = tuple(field for field in FIELDS.values() if field.at_once)
GROUPED = tuple(field for field in FIELDS.values() if field.dimension)
