"""What somebody types into the item line: a quantity, a piece of a product's code or name, and a price."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

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
