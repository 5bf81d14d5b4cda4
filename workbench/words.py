"""Words that people read: numbers with their nouns, and letters that nobody sees."""

from __future__ import annotations

import re
import unicodedata

from workbench import locale
from workbench.locale import N_, _, ngettext, ngettext_noop

# What ends a line or turns the direction of its neighbours, and is itself not seen.
UNSEEN = re.compile("[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")

# What is counted, for the catalogues of texts.
NOUNS = (
    ngettext_noop("{n} sale", "{n} sales"),
    ngettext_noop("{n} transaction", "{n} transactions"),
    ngettext_noop("{n} item", "{n} items"),
    ngettext_noop("{n} line", "{n} lines"),
    ngettext_noop("{n} save", "{n} saves"),
    ngettext_noop("{n} row", "{n} rows"),
    ngettext_noop("{n} day", "{n} days"),
    ngettext_noop("{n} return", "{n} returns"),
    ngettext_noop("{n} figure", "{n} figures"),
    ngettext_noop("{n} page", "{n} pages"),
    ngettext_noop("{n} hour", "{n} hours"),
    ngettext_noop("{n} week", "{n} weeks"),
    ngettext_noop("{n} month", "{n} months"),
    ngettext_noop("{n} point", "{n} points"),
    ngettext_noop("{n} bar", "{n} bars"),
    ngettext_noop("{n} byte", "{n} bytes"),
    ngettext_noop("{n} sample sale", "{n} sample sales"),
    ngettext_noop("{n} question", "{n} questions"),
)

# What headings say, for the catalogues of texts; others are read as they are in English.
HEADINGS = (
    *(N_("Stores"), N_("Categories"), N_("Payment methods"), N_("Cashiers"), N_("Products"), N_("Hours")),
    *(N_("Weekdays"), N_("Payment method")),
    *(N_("Month"), N_("As of"), N_("Order"), N_("Top"), N_("Revenue"), N_("Sales"), N_("Items sold")),
    *(N_("Returns"), N_("Return rate"), N_("Average sale"), N_("Discount given"), N_("Customers")),
    *(N_("New customers"), N_("Day"), N_("Store"), N_("Cashier"), N_("Category"), N_("Discount rate")),
    *(N_("Items per sale"), N_("Metric"), N_("Rank"), N_("Product name"), N_("Share"), N_("Growth")),
    *(N_("Product"), N_("With"), N_("Confidence"), N_("Confidence back"), N_("Sales both"), N_("Support")),
    *(N_("Lift"), N_("Before"), N_("Quantity effect"), N_("Price effect"), N_("Discount effect")),
    *(N_("Discounted share"), N_("Revenue discounted"), N_("By"), N_("Figures"), N_("Master"), N_("Replica")),
    *(N_("Figure"), N_("Server"), N_("Found"), N_("View"), N_("Rows"), N_("Differ"), N_("Date from")),
    *(N_("Date to"), N_("Time from"), N_("Time to"), N_("Customer id"), N_("Customer types"), N_("Weekday")),
    *(N_("Hour"), N_("Week"), N_("Quarter"), N_("Year")),
)

LABELS = {"abc_class": "ABC", "store_id": "Store", "transaction_id": "ID"}


def label(name: object) -> str:
    """A column's heading in English, as files have it: ``average_sale`` -> ``Average sale``."""
    words = LABELS.get(str(name), str(name)).replace("_", " ")
    return words[:1].upper() + words[1:]


def heading(name: object) -> str:
    """The same as people read it."""
    return _(label(name))


def counted(number: int, noun: str) -> str:
    """``1 sale``, ``2,345 sales``."""
    return ngettext(f"{{n}} {noun}", f"{{n}} {noun}s", number, n=locale.number(number))


def items_text(quantities: list[int]) -> str:
    """``6 items on 3 lines`` of a sale, ``2 items`` when each line has one; ``2 items returned`` of a return."""
    total = abs(sum(quantities))
    items = counted(total, "item")
    if sum(quantities) < 0:
        items = _("{items} returned", items=items)
    if total == len(quantities):
        return items
    return _("{items} on {lines}", items=items, lines=counted(len(quantities), "line"))


def unstorable(text: str) -> str:
    """The first letter that no database takes, NUL or half a character, as ``U+0000``; empty for none."""
    found = re.search("[\0\ud800-\udfff]", text)
    return f"U+{ord(found[0]):04X}" if found else ""


def hidden(text: str) -> str:
    """The first letter that cannot be stored or seen, as ``U+202E RIGHT-TO-LEFT OVERRIDE``; empty for none."""
    for letter in text:
        if UNSEEN.match(letter) or unicodedata.category(letter) in ("Cc", "Cs"):
            return f"U+{ord(letter):04X} {unicodedata.name(letter, '')}".strip()
    return ""


def visible(text: str) -> str:
    """The text with what is unseen written out, as in ``[U+202E]``."""
    return UNSEEN.sub(lambda found: f"[U+{ord(found[0]):04X}]", text)
