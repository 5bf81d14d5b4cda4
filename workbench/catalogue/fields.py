"""The fields of the catalogue's entries: each column is one row here, and tables, forms, checks and files follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from workbench import locale
from workbench.config.clock import find_zone
from workbench.errors import EntryRefused, FieldError
from workbench.locale import _
from workbench.sales.models import CENT, EARLIEST, LATEST, with_point
from workbench.words import hidden

LARGEST_ID = 2_147_483_647
LARGEST_PRICE = Decimal("99999999.99")
FieldKind = Literal["id", "text", "day", "money", "zone"]
Values = dict[str, Any]


@dataclass(frozen=True)
class Field:
    """A column of one of the catalogue's tables. ``length`` is that of a text, ``hint`` what its form says below it.

    ``of`` is the kind whose entry it names, which must be there.
    """

    name: str
    label: str
    kind: FieldKind = "text"
    is_required: bool = False
    length: int = 100
    hint: str = ""
    of: str = ""

    def read(self, value: Any) -> Any:
        """What is stored for ``value``, typed or from a file; None for nothing. Raises FieldError."""
        if isinstance(value, str) and not value.strip():
            value = None
        if value is None:
            if self.is_required:
                raise FieldError(self.name, None, "please fill it in")
            return None
        return _READERS[self.kind](self, value)

    def refuse(self, value: Any, allowed: str) -> FieldError:
        """The error that says what is allowed."""
        return FieldError(self.name, value, allowed)


@dataclass(frozen=True)
class Kind:
    """One of the catalogue's tables. ``key`` are the columns of its key, ``named`` the one that people know it by.

    ``is_private``: the name is only for those who may change the catalogue.
    """

    name: str
    title: str
    noun: str
    key: tuple[str, ...]
    named: str
    fields: tuple[Field, ...]
    is_private: bool = False

    @property
    def by_name(self) -> Mapping[str, Field]:
        """The fields by their names."""
        return {field.name: field for field in self.fields}

    def key_of(self, values: Mapping[str, Any]) -> tuple[Any, ...]:
        """The key of these values."""
        return tuple(values[name] for name in self.key)

    def called(self, values: Mapping[str, Any]) -> str:
        """An entry in words: ``Store 3``, ``Price COF-001 2026-01-15``."""
        return f"{self.noun.capitalize()} {' '.join(str(part) for part in self.key_of(values))}"

    def parse(self, given: Mapping[str, Any]) -> Values:
        """What is stored of ``given``, typed or from a file. Raises EntryRefused with all that cannot be."""
        found: Values = {}
        errors = [FieldError(name, given[name], "there is no such field") for name in given if name not in self.by_name]
        for field in self.fields:
            try:
                found[field.name] = field.read(given.get(field.name))
            except FieldError as error:
                errors.append(error)
        opened, closed = found.get("opened_on"), found.get("closed_on")
        if opened and closed and closed < opened:
            errors.append(FieldError("closed_on", closed, f"it must not be before it opened, {opened}"))
        if errors:
            raise EntryRefused(errors)
        return found


def _number(field: Field, value: Any) -> int:
    text = str(int(value) if isinstance(value, float) and value.is_integer() else value).strip()
    if not (text.isascii() and text.isdigit() and len(text) < 20 and 0 < int(text) <= LARGEST_ID):
        raise field.refuse(value, _("it must be a whole number such as 7"))
    return int(text)


def _text(field: Field, value: Any) -> str:
    text = str(value).strip()
    if found := hidden(text):
        raise field.refuse(ascii(value), f"it must be text that can be seen, in one line, without {found}")
    if len(text) > field.length:
        raise field.refuse(value, f"at most {field.length} characters are allowed")
    return text


def _day(field: Field, value: Any) -> date:
    text = str(value).strip()
    try:
        day = locale.read_day(text[:10] if text[:4].isdigit() else text)
    except ValueError:
        raise field.refuse(value, _("it must be a day such as {day}", day=locale.day(locale.A_MOMENT))) from None
    if not EARLIEST.date() <= day < LATEST.date():
        raise field.refuse(value, _("it must be from {first} to {last}", first=EARLIEST.year, last=LATEST.year - 1))
    return day


def _money(field: Field, value: Any) -> Decimal:
    try:
        amount = Decimal(with_point(str(value)))
    except InvalidOperation:
        amount = Decimal(-1)
    except ValueError as error:  # a comma that may mean either
        raise field.refuse(value, str(error)) from None
    if not (amount.is_finite() and 0 < amount <= LARGEST_PRICE and amount == amount.quantize(CENT)):
        raise field.refuse(
            value, _("it must be an amount such as {amount}", amount=locale.field_text(locale.AN_AMOUNT))
        )
    return amount.quantize(CENT)


def _zone(field: Field, value: Any) -> str:
    try:
        return find_zone(str(value).strip()).key
    except ValueError:
        raise field.refuse(value, "it must be a time zone such as Europe/Lisbon") from None


_READERS: dict[FieldKind, Callable[[Field, Any], Any]] = {
    "id": _number,
    "text": _text,
    "day": _day,
    "money": _money,
    "zone": _zone,
}

KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "store",
            "Stores",
            "store",
            ("store_id",),
            "store_name",
            (
                Field("store_id", "ID", "id", True),
                Field("store_name", "Name", is_required=True),
                Field("city", "City"),
                Field("region", "Region"),
                Field("opened_on", "Opened", "day"),
                Field("closed_on", "Closed", "day"),
                Field("opening_hours", "Opening hours", length=200, hint="Such as Mon-Fri 7:00-21:00"),
                Field("time_zone", "Time zone", "zone", hint="Only where it differs"),
            ),
        ),
        Kind(
            "cashier",
            "Cashiers",
            "cashier",
            ("cashier_id",),
            "cashier_name",
            (
                Field("cashier_id", "ID", "id", True),
                Field("cashier_name", "Name", is_required=True),
                Field("store_id", "Store", "id", of="store"),
            ),
        ),
        Kind(
            "product",
            "Products",
            "product",
            ("product_code",),
            "product_name",
            (
                Field("product_code", "Code", is_required=True, length=50),
                Field("product_name", "Name", is_required=True, length=255),
                Field("category", "Category"),
                Field("unit", "Unit", length=20, hint="What one of it is: cup, slice, kg"),
            ),
        ),
        Kind(
            "product_price",
            "Prices",
            "price",
            ("product_code", "valid_from"),
            "list_price",
            (
                Field("product_code", "Product code", is_required=True, length=50, of="product"),
                Field("valid_from", "Valid from", "day", True),
                Field("list_price", "List price", "money", True),
            ),
        ),
        Kind(
            "customer",
            "Customers",
            "customer",
            ("customer_id",),
            "customer_name",
            (Field("customer_id", "ID", "id", True), Field("customer_name", "Name", is_required=True)),
            is_private=True,
        ),
    )
}
