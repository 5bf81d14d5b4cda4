"""Doubts: what about a sale is asked before it is saved, because it may be a slip; and what is not listed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from workbench import locale
from workbench.config.clock import StoreClock
from workbench.database.replication import Reader, ReadPosition
from workbench.database.sql_files import run_sql
from workbench.errors import FieldError, SaleRefused
from workbench.locale import N_, _
from workbench.sales.models import Sale, SaleInput

NOT_LISTED = N_("it is not in the catalogue, and WORKBENCH_UNKNOWN_IDS=refuse takes no others")


@dataclass(frozen=True)
class Unlisted:
    """An id that the catalogue lacks: the ``field`` that holds it, and what it is."""

    field: str
    what: str
    id: str

    @property
    def text(self) -> str:
        """``Store 77 is not in the catalogue.``"""
        return _("{what} {id} is not in the catalogue.", **{"what": _(self.what), "id": self.id})


def find_unlisted(
    connection: sa.Connection, stores: list[int], cashiers: list[int], products: list[str]
) -> list[Unlisted]:
    """Those of these ids that the catalogue lacks, though it has others of their kind."""
    given = {"stores": stores, "cashiers": cashiers, "products": products}
    return [Unlisted(*row) for row in run_sql(connection, "queries/unlisted", given)]


def unlisted(
    reader: Reader, read_position: ReadPosition, sale: SaleInput, stored: Sale | None = None
) -> list[Unlisted]:
    """Those of a sale; of a stored sale only what is changed. Raises ServerUnavailable."""
    kept = set() if stored is None else {line.product_code for line in stored.lines}
    stores = [] if stored is not None and stored.store_id == sale.store_id else [sale.store_id]
    cashiers = [] if stored is not None and stored.cashier_id == sale.cashier_id else [sale.cashier_id]
    products = sorted({line.product_code for line in sale.lines} - kept)
    return reader.read(read_position, lambda c: find_unlisted(c, stores, cashiers, products), "doubts").value


def unlisted_ids(reader: Reader, read_position: ReadPosition, ids: Mapping[str, int]) -> list[Unlisted]:
    """Of a ``store_id`` and a ``cashier_id`` alone those that the catalogue lacks. Raises ServerUnavailable."""
    stores, cashiers = ([ids[name]] if name in ids else [] for name in ("store_id", "cashier_id"))
    return reader.read(read_position, lambda c: find_unlisted(c, stores, cashiers, []), "doubts").value


def refuse_unlisted_ids(reader: Reader, read_position: ReadPosition, ids: Mapping[str, int]) -> None:
    """Raises SaleRefused when there is one, where the setting says so."""
    if reader.engines.settings.workbench_unknown_ids == "refuse" and (
        found := unlisted_ids(reader, read_position, ids)
    ):
        raise SaleRefused([FieldError(each.field, each.id, _(NOT_LISTED)) for each in found])


def refuse_unlisted(reader: Reader, read_position: ReadPosition, sale: SaleInput, stored: Sale | None = None) -> None:
    """Raises SaleRefused when the sale has one, where the setting says so."""
    if reader.engines.settings.workbench_unknown_ids != "refuse":
        return
    errors = []
    for found in unlisted(reader, read_position, sale, stored):
        lines = [n for n, line in enumerate(sale.lines) if line.product_code == found.id]
        names = [f"lines.{n}.{found.field}" for n in lines] if found.field == "product_code" else [found.field]
        errors += [FieldError(name, found.id, _(NOT_LISTED)) for name in names]
    if errors:
        raise SaleRefused(errors)


# Items on one line: nobody buys as many, and a code that was scanned into the wrong field is far above it.
UNUSUAL_QUANTITY = 1000
NOBODY: dict[str, int | None] = {"store": None, "cashier": None}


def doubts(
    reader: Reader, read_position: ReadPosition, clock: StoreClock, sale: SaleInput, stored: Sale | None = None
) -> list[str]:
    """A sentence for each doubt; of a stored sale only about what is changed. Raises ServerUnavailable."""
    setting = reader.engines.settings.workbench_unknown_ids
    found = [] if setting == "allow" else unlisted(reader, read_position, sale, stored)
    of_place = _of_place(reader, read_position, sale, stored, {(each.field, each.id) for each in found})
    texts = [each.text for each in found if setting == "ask"]  # else the sale is refused
    return [*_of_time(clock, sale, stored), *of_place, *texts, *_of_names(sale, stored), *_of_quantities(sale, stored)]


def doubts_of_ids(reader: Reader, read_position: ReadPosition, ids: Mapping[str, int]) -> list[str]:
    """The same of a store and a cashier alone, by ``store_id`` and ``cashier_id``, that sales are to get."""
    given = {name.removesuffix("_id"): number for name, number in ids.items() if name in ("store_id", "cashier_id")}
    setting = reader.engines.settings.workbench_unknown_ids
    found = [] if setting == "allow" else unlisted_ids(reader, read_position, ids)
    strange = _never_sold(reader, read_position, given, {(each.field, each.id) for each in found})
    return [*strange, *(each.text for each in found if setting == "ask")]


def _of_time(clock: StoreClock, sale: SaleInput, stored: Sale | None) -> list[str]:
    at = sale.transaction_time
    if at is None or (stored is not None and stored.transaction_time == at):
        return []
    if clock.is_skipped(at):
        return [_("There was no {moment}: the clocks were put forward over it.", moment=locale.moment(at))]
    if clock.is_ahead(at):
        return [
            _(
                "Its time, {moment}, is still to come: it is {now} now.",
                moment=locale.moment(at),
                now=locale.moment(clock.now()),
            )
        ]
    return []


def _of_place(
    reader: Reader, read_position: ReadPosition, sale: SaleInput, stored: Sale | None, strangers: set[tuple[str, str]]
) -> list[str]:
    given = {"store": sale.store_id, "cashier": sale.cashier_id}
    kept = {} if stored is None else {"store": stored.store_id, "cashier": stored.cashier_id}
    changed = {name: number for name, number in given.items() if number != kept.get(name)}
    return _never_sold(reader, read_position, changed, strangers)


def _never_sold(
    reader: Reader, read_position: ReadPosition, given: Mapping[str, int], strangers: set[tuple[str, str]]
) -> list[str]:
    asked = {name: number for name, number in given.items() if (f"{name}_id", str(number)) not in strangers}
    if not asked:
        return []

    def work(connection: sa.Connection) -> dict[str, bool]:
        return dict(run_sql(connection, "queries/has_sold", NOBODY | asked).mappings().one())

    has_sold = reader.read(read_position, work, "doubts").value
    if not has_sold["anybody"]:  # the very first sale: nothing is known yet
        return []
    return [
        _("{who} {id} has never sold anything before.", who=_(name.title()), id=asked[name])
        for name in asked
        if not has_sold[name]
    ]


def _of_names(sale: SaleInput, stored: Sale | None) -> list[str]:
    kept = {} if stored is None else _names(stored)
    return [
        _(
            "The code {code} has {n} names in it: {names}.",
            **{"code": code, "n": len(names), "names": ", ".join(sorted(names))},
        )
        for code, names in _names(sale).items()
        if len(names) > 1 and names != kept.get(code)
    ]


def _of_quantities(sale: SaleInput, stored: Sale | None) -> list[str]:
    kept = set() if stored is None else {(line.product_code, line.quantity) for line in stored.lines}
    return [
        _("{n} × {name} is a lot for one sale.", n=locale.number(line.quantity), name=line.product_name)
        for line in sale.lines
        if line.quantity >= UNUSUAL_QUANTITY and (line.product_code, line.quantity) not in kept
    ]


def _names(sale: Sale | SaleInput) -> dict[str, set[str]]:
    """The names that each code has in a sale."""
    found: dict[str, set[str]] = {}
    for line in sale.lines:
        found.setdefault(line.product_code, set()).add(line.product_name)
    return found
