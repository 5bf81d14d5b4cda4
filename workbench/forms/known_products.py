"""Products as the item line knows them: those of the catalogue and those that were sold before, held in memory."""

from __future__ import annotations

import heapq
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from workbench.catalogue.names import Names
from workbench.forms.typed_item import TypedItem, readings
from workbench.sales.products import Product

MOST_SHOWN = 6
EXACT, NAMED, ANY = 0, 2, 4  # up to which rank a text may name a product
BARCODE = re.compile(r"\d{8,}")


@dataclass(frozen=True)
class Known:
    """A product with the price of the day, or of its last sale; None where neither is known."""

    product_code: str
    product_name: str
    category: str | None
    unit_price: Decimal | None
    unit: str | None = None


@dataclass(frozen=True)
class _Entry:
    code: str  # as it is compared
    name: str
    text: str  # both
    product: Known  # at its last price
    has_list_price: bool


class KnownProducts:
    """``names`` are the catalogue's of the moment. What a text finds is ranked here alone: what is shown first is what
    Enter takes."""

    def __init__(self, names: Callable[[], Names]) -> None:
        self._names = names
        self._sold: dict[str, Product] = {}
        self._entries: dict[str, _Entry] = {}
        self._position: int | None = None
        self.are_read = False

    def learn(self, sold: Iterable[Product]) -> None:
        """Takes products as they were sold last."""
        self.are_read = True
        changed = {each.product_code: each for each in sold if self._sold.get(each.product_code) != each}
        if changed:
            self._sold |= changed
            self._position = None

    def read(self, text: str, day: date) -> tuple[TypedItem, list[Known]]:
        """How the text is meant, and the products that it may name, the best first; none where it names none."""
        possible = list(readings(text))
        for number, typed in enumerate(possible):
            is_whole_of_several = number == 0 and len(possible) > 1
            if found := self._find(typed.words, NAMED if is_whole_of_several else _most(typed.words)):
                return typed, [self._priced(entry, day) for entry in found]
        return possible[-1], []

    def _find(self, words: str, most: int) -> list[_Entry]:
        wanted = folded(words)
        hits = list(self._all().values()) if wanted else []
        for part in wanted.split():
            hits = [entry for entry in hits if part in entry.text]
        named = [(rank, entry) for entry in hits if (rank := _named(entry, wanted)) <= min(most, NAMED)]
        if most == ANY and len(named) < MOST_SHOWN:
            named += [(_begun(entry, wanted), entry) for entry in hits if _named(entry, wanted) > NAMED]

        def order(found: tuple[int, _Entry]) -> tuple[Any, ...]:
            rank, entry = found
            return rank, entry.product.product_code != words, len(entry.name), entry.name, entry.code

        return [entry for _, entry in heapq.nsmallest(MOST_SHOWN, named, key=order)]

    def _all(self) -> dict[str, _Entry]:
        """Every product by its code, made anew when the catalogue has changed or another was sold."""
        names = self._names()
        if self._position != names.position:
            known = {code: Known(code, p.product_name, p.category, p.unit_price) for code, p in self._sold.items()}
            for code, (name, category, unit) in names.products.items():
                known[code] = Known(code, name, category, known[code].unit_price if code in known else None, unit)
            self._entries = {
                code: _entry(product, has_list_price=code in names.prices) for code, product in known.items()
            }
            self._position = names.position
        return self._entries

    def _priced(self, entry: _Entry, day: date) -> Known:
        listed = self._names().list_price(entry.product.product_code, day) if entry.has_list_price else None
        return entry.product if listed is None else replace(entry.product, unit_price=listed)


def _entry(product: Known, *, has_list_price: bool) -> _Entry:
    code, name = folded(product.product_code), folded(product.product_name)
    return _Entry(code, name, f"{code} {name}", product, has_list_price)


def _most(words: str) -> int:
    """A barcode is a product's own or none's; a single figure is no piece of a code."""
    if BARCODE.fullmatch(words):
        return EXACT
    return NAMED if len(words) == 1 and words.isdigit() else ANY


def _named(entry: _Entry, wanted: str) -> int:
    """0 for a product's very code, 1 and 2 for the beginning of its code or name, else more."""
    if entry.code.startswith(wanted):
        return 0 if entry.code == wanted else 1
    return 2 if entry.name.startswith(wanted) else ANY


def _begun(entry: _Entry, wanted: str) -> int:
    """3 where each part of a text begins a word of the name, else 4."""
    return 3 if all(f" {part}" in f" {entry.name}" for part in wanted.split()) else ANY


def folded(text: str) -> str:
    """As it is compared: without case, accents, and blanks beside one another."""
    bare = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    return " ".join(bare.casefold().split())
