"""Products as the item line knows them: those of the catalogue and those that were sold before, held in memory."""

from __future__ import annotations

import heapq
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

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


@dataclass(frozen=True)
class _Entry:
    code: str  # as it is compared
    name: str
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
        self._sold |= {product.product_code: product for product in sold}
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
        parts = wanted.split()
        if not parts:
            return []
        entries = list(self._all().values())
        ranked = [
            (rank, entry.product.product_code != words, len(entry.name), entry.name, entry.code, place)
            for place, entry in enumerate(entries)
            if (rank := _rank(entry, wanted, parts)) is not None and rank <= most
        ]
        return [entries[place] for *_, place in heapq.nsmallest(MOST_SHOWN, ranked)]

    def _all(self) -> dict[str, _Entry]:
        """Every product by its code, made anew when the catalogue has changed or another was sold."""
        names = self._names()
        if self._position != names.position:
            known = {code: Known(code, p.product_name, p.category, p.unit_price) for code, p in self._sold.items()}
            for code, (name, category) in names.products.items():
                known[code] = Known(code, name, category, known[code].unit_price if code in known else None)
            self._entries = {
                code: _Entry(folded(code), folded(product.product_name), product, code in names.prices)
                for code, product in known.items()
            }
            self._position = names.position
        return self._entries

    def _priced(self, entry: _Entry, day: date) -> Known:
        listed = self._names().list_price(entry.product.product_code, day) if entry.has_list_price else None
        return entry.product if listed is None else replace(entry.product, unit_price=listed)


def _most(words: str) -> int:
    """A barcode is a product's own or none's; a single figure is no piece of a code."""
    if BARCODE.fullmatch(words):
        return EXACT
    return NAMED if len(words) == 1 and words.isdigit() else ANY


def _rank(entry: _Entry, wanted: str, parts: list[str]) -> int | None:
    """How well a text names a product, 0 for its very code; None when it does not."""
    code, name = entry.code, entry.name
    if wanted == code:
        return 0
    if code.startswith(wanted):
        return 1
    if name.startswith(wanted):
        return 2
    if not all(part in name or part in code for part in parts):
        return None
    return 3 if all(f" {part}" in f" {name}" for part in parts) else 4


def folded(text: str) -> str:
    """As it is compared: without case, accents, and blanks beside one another."""
    bare = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    return " ".join(bare.casefold().split())
