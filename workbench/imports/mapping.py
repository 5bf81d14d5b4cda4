"""Which column of a file is which field of a sale, what is taken where it has none, and how its texts are read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import duckdb

from workbench.database.sql_files import read_sql
from workbench.errors import ImportRefused, english_label
from workbench.imports.reading import alike
from workbench.locale import N_, _
from workbench.sales.models import LineInput, SaleInput

Decimals = Literal[".", ","]
Dates = Literal["year first", "day first", "month first"]
DATES = (N_("year first"), N_("day first"), N_("month first"))  # for the catalogues of texts
UNCLEAR = "unclear"  # a date such as 1/2/2026, and nothing in the file that tells day and month apart
INVOICE = "invoice"  # rows with one number are one sale; it is not kept in the sale
TOTAL = "line_total"  # what was paid for a line, for files that have that in place of the price of one
# The fields that a file can give, and what it calls them, without blanks and marks.
SYNONYMS = {
    INVOICE: ("invoiceno", "beleg", "invoicenumber", "invoiceid", "orderid", "orderno", "ordernumber", "receipt",
              "receiptno", "transactionid", "rechnungsnr",
              "belegnr", "saleid"),
    "transaction_time": ("invoicedate", "orderdate", "datetime", "date", "time", "timestamp", "datum", "saledate",
                         "transactiondate"),
    "cashier_id": ("cashier", "employee", "employeeid", "kassierer", "operator", "clerk"),
    "store_id": ("store", "shop", "shopid", "branch", "branchid", "filiale", "storenumber", "outlet"),
    "payment_method": ("payment", "paymenttype", "zahlungsart", "paidby", "tender"),
    "customer_id": ("customer", "customerno", "customernumber", "kunde", "kundennr"),
    "product_code": ("stockcode", "sku", "productid", "code", "itemcode", "articleno", "artikelnr", "article"),
    "product_name": ("description", "product", "name", "itemname", "item", "bezeichnung", "artikel"),
    "category": ("productcategory", "group", "department", "warengruppe"),
    "quantity": ("qty", "menge", "pieces", "units", "anzahl"),
    "unit_price": ("price", "unitprice", "einzelpreis", "preis", "listprice"),
    "discount": ("discountamount", "rabatt"),
    TOTAL: ("total", "linetotal", "totalprice", "lineamount", "amount", "sales", "betrag", "gesamtpreis", "summe"),
}  # fmt: skip
HEADER = tuple(name for name in SaleInput.model_fields if name in SYNONYMS)
LINE = tuple(name for name in LineInput.model_fields if name in SYNONYMS)
FIELDS = (INVOICE, *HEADER, *LINE, TOTAL)
NEEDED = tuple(name for name in (*HEADER, *LINE) if name not in ("customer_id", "category", "discount"))
AMOUNTS = ("unit_price", "discount", TOTAL)


OWN_NAMES = {INVOICE: N_("Invoice number"), TOTAL: N_("Line total")}


def kind_of(name: str) -> str:
    """A field as the verdict that names it has it, which is the same in all languages."""
    return OWN_NAMES.get(name) or english_label(name)


def label(name: str) -> str:
    """A field as people read it."""
    return _(kind_of(name))


@dataclass(frozen=True)
class FileMapping:
    """The column of each field, by name, and the ``defaults`` of those that have none or where it is empty.

    ``decimals`` and ``dates`` say how amounts and dates are read; empty: as is found out. ``encoding``, ``delimiter``
    and ``sheet`` are how the file is read, where that was corrected.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    decimals: str = ""
    dates: str = ""
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""

    def to_json(self) -> str:
        """As it is kept."""
        return json.dumps({name: getattr(self, name) for name in self.__dataclass_fields__})

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> FileMapping:
        """A kept one."""
        return cls(**{name: value for name, value in kept.items() if name in cls.__dataclass_fields__})

    def without_missing(self, names: Sequence[str]) -> FileMapping:
        """Without the columns that a file has not."""
        return replace(self, columns={of: name for of, name in self.columns.items() if name in names})

    def with_guesses(self, names: Sequence[str]) -> FileMapping:
        """With a column for each field that has neither column nor default and that a name tells of."""
        settled = (*self.columns, *self.defaults)
        found = {**_guessed(names, settled), **self.columns}
        if TOTAL in found and TOTAL not in settled and ("unit_price" in found or "unit_price" in self.defaults):
            del found[TOTAL]  # many files have both
        return replace(self, columns=found)

    def refuse(self, names: Sequence[str]) -> None:
        """Raises ImportRefused for what is no field, for columns that the file has not, and for fields without any."""
        for name in (*self.columns, *self.defaults):
            if name not in FIELDS:
                raise ImportRefused(
                    _("There is no field {name} of a sale: {fields}.", name=repr(name), fields=", ".join(FIELDS))
                )
        if missing := [column for column in self.columns.values() if column not in names]:
            raise ImportRefused(
                _(
                    "The file has no column {missing}, which the mapping names. It has {columns}.",
                    **{"missing": _listed(missing), "columns": _listed(names)},
                )
            )
        self._refuse_unread()
        given = {*self.columns, *(name for name, text in self.defaults.items() if text.strip())}
        if {"unit_price", TOTAL} <= given:
            raise ImportRefused(_("Unit price and line total are both chosen: choose one of them."))
        if TOTAL in given and TOTAL not in self.columns:
            raise ImportRefused(
                _("The line total needs a column of the file: choose one, or a unit price for all rows.")
            )
        if lacking := [name for name in NEEDED if name not in given and not (name == "unit_price" and TOTAL in given)]:
            raise ImportRefused(
                _(
                    "No column is chosen for {fields}: choose one, or a value for all rows.",
                    fields=", ".join(map(label, lacking)),
                )
            )

    def _refuse_unread(self) -> None:
        if self.decimals not in ("", *get_args(Decimals)):
            raise ImportRefused(_("The decimal sign is a point or a comma, and not {sign}.", sign=repr(self.decimals)))
        if self.dates == UNCLEAR:
            raise ImportRefused(
                _(
                    "Nothing in the file tells whether days or months come first in its dates: say which"
                    " (day first, month first)."
                )
            )
        if self.dates not in ("", *get_args(Dates)):
            known = ", ".join(map(_, get_args(Dates)))
            raise ImportRefused(_("Dates are read {known}, and not {dates}.", known=known, dates=repr(self.dates)))


def _listed(names: Iterable[str]) -> str:
    found = list(names)
    return ", ".join(repr(name[:60]) for name in found[:12]) + (", ..." if len(found) > 12 else "")


def _guessed(names: Sequence[str], settled: Sequence[str]) -> dict[str, str]:
    """A column is taken once, by the field whose words come first."""
    left, found = {alike(name): name for name in reversed(names)}, dict[str, str]()
    for name in FIELDS:
        if name in settled:
            continue
        for word in (alike(name), *SYNONYMS[name]):
            if word in left:
                found[name] = left.pop(word)
                break
    return found


def found_out(database: duckdb.DuckDBPyConnection, names: Sequence[str], mapping: FileMapping) -> FileMapping:
    """The mapping with decimal sign and order of dates as the file's texts tell, where they are not given."""
    decimals = mapping.decimals or _decimals(database, names, mapping)
    return replace(mapping, decimals=decimals, dates=mapping.dates or _dates(database, names, mapping))


def place(names: Sequence[str], column: str) -> str:
    """The column of the table ``raw``."""
    return f"c{list(names).index(column)}"


def _looked_at(
    database: duckdb.DuckDBPyConnection, names: Sequence[str], column: str, question: str
) -> tuple[int, ...]:
    """What a file of ``sql/imports`` asks of the texts of a column."""
    database.execute(f"create or replace temp view looked_at as from raw select trim({place(names, column)}) as text")
    found = database.execute(read_sql(f"imports/{question}")).fetchone()
    assert found is not None
    return found


def _decimals(database: duckdb.DuckDBPyConnection, names: Sequence[str], mapping: FileMapping) -> str:
    columns = [mapping.columns[name] for name in AMOUNTS if name in mapping.columns]
    found = [_looked_at(database, names, column, "decimals") for column in columns]
    return "," if sum(commas for commas, _ in found) > sum(points for _, points in found) else "."


def _dates(database: duckdb.DuckDBPyConnection, names: Sequence[str], mapping: FileMapping) -> str:
    column = mapping.columns.get("transaction_time")
    some = 0
    if column is not None:
        some, days_first, months_first, dotted = _looked_at(database, names, column, "dates")
    if not some:
        return "year first"
    if days_first or months_first:
        return "day first" if days_first >= months_first else "month first"
    return "day first" if dotted == some else UNCLEAR
