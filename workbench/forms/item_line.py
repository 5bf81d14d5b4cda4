"""The item line: one field for quantity and product; how it is read, and which known products it may mean."""

from __future__ import annotations

import heapq
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import param
from panel.custom import JSComponent

from workbench.catalogue.names import Names
from workbench.components import theme
from workbench.components.inline import is_served
from workbench.locale import N_, _
from workbench.sales.products import Product

SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "IDR": "Rp", "KRW": "₩", "CHF": "Fr."}
_CURRENCY = rf"(?:[A-Z]{{3}}\b|{'|'.join(map(re.escape, SIGNS.values()))})"
_QUANTITY = re.compile(r"(?P<quantity>[+-]?\d[\d.,]*(?:[eE]\d+)?)(?:\s*[xX]\s+|\s*[×*]\s*|\s+)(?P<rest>\S.*)")
_PRICE = re.compile(
    rf"(?P<rest>\S.*?)\s+(?P<price>(?:{_CURRENCY}\s?)?\d[\d.,]*[.,]\d{{1,2}}(?:\s?{_CURRENCY})?|{_CURRENCY}\s?\d[\d.,]*)"
)
_NUMBER = re.compile(r"[+-]\d[\d.,]*|[+-]?\d[\d.,]*[eE]\d+|\d+[.,]\d*")  # no code is written so


@dataclass(frozen=True)
class TypedItem:
    """One reading of a text: ``words`` name the product."""

    words: str
    quantity: str = "1"
    price: str = ""


def readings(text: str) -> Iterator[TypedItem]:
    """How a text may be meant. The first takes all of it as a product's name, as ``7 up`` may be one."""
    typed = " ".join(text.split())
    yield TypedItem(typed)
    quantity, rest = "1", typed
    if found := _QUANTITY.fullmatch(typed):
        quantity, rest = found["quantity"], found["rest"]
        yield TypedItem(rest, quantity)
    if found := _PRICE.fullmatch(rest):
        yield TypedItem(found["rest"], quantity, found["price"])


def as_unknown(text: str) -> TypedItem:
    """A text that names no product: a number alone, as ``-1`` or ``1e9``, is a quantity, else the last reading."""
    item = list(readings(text))[-1]
    return TypedItem("", item.words) if _NUMBER.fullmatch(item.words) else item


def plain_amount(text: str, currency: str) -> str:
    """The amount without the sales' own currency before or behind it; another one stays, and is refused."""
    own = {currency, SIGNS.get(currency, currency)} | {code for code, sign in SIGNS.items() if sign == currency}
    either = "|".join(re.escape(each) for each in sorted(own, key=len, reverse=True) if each)
    return re.sub(rf"^(?:{either})\s*|\s*(?:{either})$", "", text.strip(), flags=re.IGNORECASE)


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


MOST_LETTERS = 500
HINT = N_("Enter puts it into the basket, ↑ ↓ choose another, Ctrl+Enter saves the sale")


class ItemLine(JSComponent):
    """``on_typed`` gets each text, ``on_enter`` the one that Enter was pressed on, with the code of what was marked.

    Both come as messages, in the order of the keys: parameters come later than messages that were sent after them.
    ``on_details`` is called by the button *Details*, ``on_save`` by Ctrl+Enter anywhere in the form around it.
    """

    put = param.List(default=[0, ""])  # how often the program has changed the text, and the text
    offer = param.List(default=["", []])  # a text, and the code and label of each product that it may mean
    word = param.String(default="")  # what is wrong with what was entered
    told = param.String(default="")  # what has become of it
    is_open = param.Boolean(default=False)  # the details
    takes_focus = param.Boolean(default=False)  # when it is drawn and nothing else has it
    hint = param.String()

    _bundle = Path(__file__).with_name("item_line.js")

    def __init__(
        self,
        on_typed: Callable[[str], None],
        on_enter: Callable[[str, str], None],
        on_details: Callable[[], None],
        on_save: Callable[[], None],
    ) -> None:
        super().__init__(hint=_(HINT), stylesheets=sheets(), margin=(6, 8), sizing_mode="stretch_width")
        self._on_typed, self._on_enter, self._on_details, self._on_save = on_typed, on_enter, on_details, on_save
        self.on_msg(lambda event: self._hear(event.data))

    @property
    def text(self) -> str:
        """What stands in it."""
        return str(self.put[1])

    def write(self, text: str) -> None:
        """Puts a text into it."""
        self.param.update(put=[self.put[0] + 1, text], offer=["", []], word="", told="")

    def suggest(self, text: str, found: Sequence[tuple[str, str]]) -> None:
        """Shows codes and labels as what ``text`` may mean."""
        self.offer = [text, [list(each) for each in found]]

    def say(self, word: str = "", told: str = "") -> None:
        """Says below it what is wrong, or what was done."""
        self.param.update(word=word, told=told)

    def focus(self) -> None:
        """Puts the keyboard into it."""
        self._send_msg("focus")

    def take_focus(self) -> None:
        """Has it focused when the page is opened with it."""
        self.takes_focus = is_served()

    def _hear(self, said: Any) -> None:
        """What a browser says is whatever somebody sends: nothing of it is believed."""
        if said == "details":
            self._on_details()
        elif said == "save":
            self._on_save()
        elif isinstance(said, dict) and isinstance(text := said.get("text"), str) and len(text) <= MOST_LETTERS:
            code = said.get("code")
            if said.get("entered") is True:
                self.put = [self.put[0], ""]
                self._on_enter(text, code if isinstance(code, str) else "")
            else:
                self.put = [self.put[0], text]
                self._on_typed(text)


def sheets() -> list[str]:
    """The look of the item line and the basket."""
    return [theme.stylesheet(), Path(__file__).with_name("basket.css").read_text(encoding="utf-8")]
