"""Which stores, cashiers and products of a sale the catalogue does not have, of the kinds of which it has any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

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


def unlisted(reader: Reader, session: ReadPosition, sale: SaleInput, stored: Sale | None = None) -> list[Unlisted]:
    """Those of a sale; of a stored sale only what is changed. Raises ServerUnavailable."""
    kept = set() if stored is None else {line.product_code for line in stored.lines}
    stores = [] if stored is not None and stored.store_id == sale.store_id else [sale.store_id]
    cashiers = [] if stored is not None and stored.cashier_id == sale.cashier_id else [sale.cashier_id]
    products = sorted({line.product_code for line in sale.lines} - kept)
    return reader.read(session, lambda c: find_unlisted(c, stores, cashiers, products), "doubts").value


def unlisted_ids(reader: Reader, session: ReadPosition, ids: Mapping[str, int]) -> list[Unlisted]:
    """Of a ``store_id`` and a ``cashier_id`` alone those that the catalogue lacks. Raises ServerUnavailable."""
    stores, cashiers = ([ids[name]] if name in ids else [] for name in ("store_id", "cashier_id"))
    return reader.read(session, lambda c: find_unlisted(c, stores, cashiers, []), "doubts").value


def refuse_unlisted_ids(reader: Reader, session: ReadPosition, ids: Mapping[str, int]) -> None:
    """Raises SaleRefused when there is one, where the setting says so."""
    if reader.engines.settings.workbench_unknown_ids == "refuse" and (found := unlisted_ids(reader, session, ids)):
        raise SaleRefused([FieldError(each.field, each.id, _(NOT_LISTED)) for each in found])


def refuse_unlisted(reader: Reader, session: ReadPosition, sale: SaleInput, stored: Sale | None = None) -> None:
    """Raises SaleRefused when the sale has one, where the setting says so."""
    if reader.engines.settings.workbench_unknown_ids != "refuse":
        return
    errors = []
    for found in unlisted(reader, session, sale, stored):
        lines = [n for n, line in enumerate(sale.lines) if line.product_code == found.id]
        names = [f"lines.{n}.{found.field}" for n in lines] if found.field == "product_code" else [found.field]
        errors += [FieldError(name, found.id, _(NOT_LISTED)) for name in names]
    if errors:
        raise SaleRefused(errors)
