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
from workbench.locale import N_, Labelled, _, ngettext_noop
from workbench.sales.models import CENT, EARLIEST, LATEST, with_point
from workbench.words import hidden

LARGEST_ID = 2_147_483_647
LARGEST_PRICE = Decimal("99999999.99")
FieldKind = Literal["id", "text", "day", "money", "zone"]
Values = dict[str, Any]


@dataclass(frozen=True)
class Field(Labelled):
    """A column of one of the catalogue's tables. ``length`` is that of a text, ``hint`` what its form says below it.

    ``of`` is the kind whose entry it names, which must be there.
    """

    name: str
    english: str
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
                raise FieldError(self.name, None, _("please fill it in"))
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

    @property
    def heading(self) -> str:
        """What one entry is, as a sentence begins with it: ``Store``."""
        said = _(self.noun)
        return said[:1].upper() + said[1:]

    @property
    def plural(self) -> str:
        """What the entries are, within a sentence: ``stores``."""
        return _(self.title.lower())

    def called(self, values: Mapping[str, Any]) -> str:
        """An entry in words: ``Store 3``, ``Price COF-001 2026-01-15``."""
        return f"{self.heading} {' '.join(str(part) for part in self.key_of(values))}"

    def parse(self, given: Mapping[str, Any]) -> Values:
        """What is stored of ``given``, typed or from a file. Raises EntryRefused with all that cannot be."""
        found: Values = {}
        errors = [
            FieldError(name, given[name], _("there is no such field")) for name in given if name not in self.by_name
        ]
        for field in self.fields:
            try:
                found[field.name] = field.read(given.get(field.name))
            except FieldError as error:
                errors.append(error)
        opened, closed = found.get("opened_on"), found.get("closed_on")
        if opened and closed and closed < opened:
            before = _("it must not be before it opened, {day}", day=locale.day(opened))
            errors.append(FieldError("closed_on", closed, before))
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
        raise field.refuse(
            ascii(value), _("it must be text that can be seen, in one line, without {letter}", letter=found)
        )
    if len(text) > field.length:
        raise field.refuse(value, _("at most {max_length} characters are allowed", max_length=field.length))
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
        raise field.refuse(value, _("it must be a time zone such as Europe/Lisbon")) from None


_READERS: dict[FieldKind, Callable[[Field, Any], Any]] = {
    "id": _number,
    "text": _text,
    "day": _day,
    "money": _money,
    "zone": _zone,
}

# What the entries are called within sentences, and counted as, for the catalogues of texts.
NOUNS = (
    *(N_("stores"), N_("cashiers"), N_("products"), N_("prices"), N_("customers")),
    *(ngettext_noop("{n} store", "{n} stores"), ngettext_noop("{n} cashier", "{n} cashiers")),
    *(ngettext_noop("{n} product", "{n} products"), ngettext_noop("{n} price", "{n} prices")),
    ngettext_noop("{n} customer", "{n} customers"),
)
KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "store",
            N_("Stores"),
            N_("store"),
            ("store_id",),
            "store_name",
            (
                Field("store_id", N_("ID"), "id", True),
                Field("store_name", N_("Name"), is_required=True),
                Field("city", N_("City")),
                Field("region", N_("Region")),
                Field("opened_on", N_("Opened"), "day"),
                Field("closed_on", N_("Closed"), "day"),
                Field("opening_hours", N_("Opening hours"), length=200, hint=N_("Such as Mon-Fri 7:00-21:00")),
                Field("time_zone", N_("Time zone"), "zone", hint=N_("Only where it differs")),
            ),
        ),
        Kind(
            "cashier",
            N_("Cashiers"),
            N_("cashier"),
            ("cashier_id",),
            "cashier_name",
            (
                Field("cashier_id", N_("ID"), "id", True),
                Field("cashier_name", N_("Name"), is_required=True),
                Field("store_id", N_("Store"), "id", of="store"),
            ),
        ),
        Kind(
            "product",
            N_("Products"),
            N_("product"),
            ("product_code",),
            "product_name",
            (
                Field("product_code", N_("Code"), is_required=True, length=50),
                Field("product_name", N_("Name"), is_required=True, length=255),
                Field("category", N_("Category")),
                Field("unit", N_("Unit"), length=20, hint=N_("What one of it is: cup, slice, kg")),
            ),
        ),
        Kind(
            "product_price",
            N_("Prices"),
            N_("price"),
            ("product_code", "valid_from"),
            "list_price",
            (
                Field("product_code", N_("Product code"), is_required=True, length=50, of="product"),
                Field("valid_from", N_("Valid from"), "day", True),
                Field("list_price", N_("List price"), "money", True),
            ),
        ),
        Kind(
            "customer",
            N_("Customers"),
            N_("customer"),
            ("customer_id",),
            "customer_name",
            (Field("customer_id", N_("ID"), "id", True), Field("customer_name", N_("Name"), is_required=True)),
            is_private=True,
        ),
    )
}
