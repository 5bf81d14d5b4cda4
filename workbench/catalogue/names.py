"""Names: what stores, cashiers and products are called, as one process remembers it; and list prices by day."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import pandas as pd
import sqlalchemy as sa

from workbench.catalogue.fields import KINDS
from workbench.catalogue.service import entries
from workbench.database.replication import Reader, ReadPosition
from workbench.database.sql_files import run_sql
from workbench.errors import WorkbenchError
from workbench.locale import N_, _
from workbench.words import visible

NUMBERED = {"store": N_("Store {id}"), "cashier": N_("Cashier {id}")}
KIND_OF = {"store": "store", "cashier": "cashier", "product": "product"}  # of each dimension that has names


class NamedProduct(NamedTuple):
    """A product as the catalogue has it; ``unit`` is what one of it is."""

    name: str
    category: str | None
    unit: str | None


@dataclass(frozen=True)
class Names:
    """The names of one moment, by dimension and id; those that two share have the id behind them.

    ``position`` is that of the catalogue's log. ``products`` are the catalogue's by code, ``prices`` the list prices of
    each, in the order of their days.
    """

    position: int = 0
    by_dimension: Mapping[str, Mapping[Any, str]] = field(default_factory=dict)
    products: Mapping[str, NamedProduct] = field(default_factory=dict)
    prices: Mapping[str, tuple[tuple[date, Decimal], ...]] = field(default_factory=dict)

    def may_name(self, dimension: str) -> bool:
        """Whether values of this dimension may have names by now."""
        return bool(self.position) and dimension in KIND_OF

    def of(self, dimension: str) -> Mapping[Any, str]:
        """The names of a dimension by id; none for one that has none."""
        return self.by_dimension.get(dimension, {})

    def name(self, dimension: str, value: Any, otherwise: str = "") -> str:
        """What a value is called; ``otherwise`` where the catalogue does not say."""
        return self.of(dimension).get(value, otherwise)

    def called(self, dimension: str, value: Any) -> str:
        """What a store or a cashier is called; ``Store 3`` where the catalogue does not say."""
        return self.name(dimension, value, _(NUMBERED[dimension], id=value))

    def list_price(self, product_code: str, day: date) -> Decimal | None:
        """The list price of that day; None where the catalogue has none yet."""
        prices = self.prices.get(product_code, ())
        place = bisect_right(prices, day, key=lambda price: price[0])
        return prices[place - 1][1] if place else None


NO_NAMES = Names()


def with_names(frame: pd.DataFrame, names: Names) -> pd.DataFrame:
    """The frame with a name behind each id of a store or a cashier, where the catalogue has any."""
    found = {str(column): names.of(str(column).removesuffix("_id")) for column in frame.columns}
    for column in ("store", "store_id", "cashier", "cashier_id"):
        if known := found.get(column):
            named = [known.get(value) for value in frame[column]]
            frame = frame.copy()
            frame.insert(list(frame.columns).index(column) + 1, f"{column.removesuffix('_id')}_name", named)
    return frame


class KnownNames:
    """The newest names that this process has read; ``refresh`` asks whether there are newer ones."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._lock = threading.Lock()
        self._now: Names | None = None

    @property
    def are_known(self) -> bool:
        """Whether they have been read."""
        return self._now is not None

    @property
    def now(self) -> Names:
        """What was read last; read now when it never was. Nothing where that cannot be."""
        if self._now is None:
            with suppress(WorkbenchError):
                self.refresh()
        return self._now or NO_NAMES

    def refresh(self) -> bool:
        """Whether there were other names than before. Raises WorkbenchError when nobody can be asked."""
        with self._lock:
            known = None if self._now is None else self._now.position
            found = self._reader.read(ReadPosition(), lambda connection: _read(connection, known), "names").value
            if found is not None:
                self._now = found
            return found is not None


def _read(connection: sa.Connection, known: int | None) -> Names | None:
    """The names; None when they are those that are known."""
    position = run_sql(connection, "catalogue/position").scalar_one()
    if position == known:
        return None
    rows = {name: [entry.values for entry in entries(connection, KINDS[name])] for name in (*KIND_OF, "product_price")}
    products = {
        row["product_code"]: NamedProduct(row["product_name"], row["category"], row["unit"]) for row in rows["product"]
    }
    prices: dict[str, list[tuple[date, Decimal]]] = {}
    for row in rows["product_price"]:  # by code and day
        prices.setdefault(row["product_code"], []).append((row["valid_from"], row["list_price"]))
    return Names(
        position,
        {dimension: _told_apart(kind, rows[kind]) for dimension, kind in KIND_OF.items()},
        products,
        {code: tuple(found) for code, found in prices.items()},
    )


def _told_apart(kind: str, rows: list[dict[str, Any]]) -> dict[Any, str]:
    key, named = KINDS[kind].key[0], KINDS[kind].named
    shared = Counter(row[named] for row in rows)
    return {row[key]: visible(row[named] + (f" ({row[key]})" if shared[row[named]] > 1 else "")) for row in rows}
