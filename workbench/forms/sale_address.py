"""The page of sales as the query of its address and back. An address is user input: what it cannot be is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qs, urlencode

from workbench.forms.sale_filters import filter_texts, parse_filters
from workbench.metrics import SaleWhere
from workbench.metrics.sale_pages import COLUMNS, PAGE_SIZES, Edge, Move
from workbench.sales.fields import FIELDS, Kind

TABS = ("view", "add", "edit", "return", "delete")
LARGEST_ID = 2**63 - 1
_DIRECTIONS: dict[Move, str] = {"next": "after", "previous": "before"}


@dataclass(frozen=True)
class Place:
    """Where the table stands: how it is sorted, and which page it shows, reached by ``move`` from ``edge``.

    ``number`` counts the page from the first one; where nobody has counted it is 0 or less, from the last one.
    """

    sort: str = "transaction_time"
    is_descending: bool = True
    size: int = 20
    move: Move = "first"
    edge: Edge | None = None
    number: int = 1


NO_FILTER, FIRST_PAGE = SaleWhere(), Place()


@dataclass(frozen=True)
class SalesView:
    """What the page shows: a tab, the sale that is open in it, the filter and the place of the table."""

    tab: str = TABS[0]
    sale_id: int | None = None
    filters: SaleWhere = NO_FILTER
    place: Place = FIRST_PAGE


def to_query(view: SalesView) -> str:
    """``?tab=view&stores=3&...``: what is at its default is left out, but for the tab."""
    place = view.place
    pairs = [("tab", view.tab), ("sale", "" if view.sale_id is None else str(view.sale_id))]
    for name, texts in filter_texts(view.filters, str).items():  # days as ISO, whatever the locale
        pairs.extend((name, text) for text in ([texts] if isinstance(texts, str) else texts))
    if (place.sort, place.is_descending) != (Place.sort, Place.is_descending):
        pairs.append(("sort", f"{'-' if place.is_descending else ''}{place.sort}"))
    if place.size != Place.size:
        pairs.append(("rows", str(place.size)))
    if place.move == "last" or place.edge is not None:
        pairs.append(("page", str(place.number)))
    if place.edge is not None:
        pairs.append((_DIRECTIONS[place.move], f"{place.edge[0]}~{place.edge[1]}"))
    return "?" + urlencode([(name, text) for name, text in pairs if text])


def from_query(query: str) -> tuple[SalesView, list[str]]:
    """What an address asks for, and a sentence for each value that could not be used and was left out."""
    given = parse_qs(query.removeprefix("?"), errors="replace", max_num_fields=500)
    texts = filter_texts(NO_FILTER)
    errors, filters = parse_filters(
        {name: given.get(name, []) if isinstance(none, list) else _one(given, name) for name, none in texts.items()}
    )
    problems = [f"{error}: it was left out." for error in errors]
    found: dict[str, Any] = {}
    for name, read in (("tab", _tab), ("sale", _id), ("place", None)):
        text = _one(given, name)
        try:
            if read is None:
                found[name] = _place(given)
            elif text:
                found[name] = read(text)
        except (ValueError, InvalidOperation):
            problems.append(f"{name} cannot be {text[:60]!r}: it was left out." if text else "There is no such page.")
    view = SalesView(found.get("tab", TABS[0]), found.get("sale"), filters, found.get("place", FIRST_PAGE))
    return view, problems


def _one(given: Mapping[str, list[str]], name: str) -> str:
    return given.get(name, [""])[0]


def _tab(text: str) -> str:
    return TABS[TABS.index(text)]


def _id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20 and 0 < int(text) <= LARGEST_ID):
        raise ValueError(text)
    return int(text)


def _place(given: Mapping[str, list[str]]) -> Place:
    sort = _one(given, "sort") or "-transaction_time"
    name = sort.removeprefix("-")
    rows, page = int(_one(given, "rows") or Place.size), int(_one(given, "page") or 1)
    if name not in COLUMNS or rows not in PAGE_SIZES or abs(page) > LARGEST_ID:
        raise ValueError(sort)
    for move, direction in _DIRECTIONS.items():
        if text := _one(given, direction):
            return Place(name, sort.startswith("-"), rows, move, _edge(name, text), page)
    return Place(name, sort.startswith("-"), rows, "last" if "page" in given and page != 1 else "first", None, page)


def _edge(sort: str, text: str) -> Edge:
    value, _, sale_id = text.rpartition("~")
    return _READERS[FIELDS[sort].kind](value), _id(sale_id)


def _amount(text: str) -> Decimal:
    amount = Decimal(text)
    if not amount.is_finite():
        raise ValueError(text)
    return amount


def _text(text: str) -> str:
    if "\0" in text:
        raise ValueError(text)
    return text


def _customer(text: str) -> int:
    return 0 if text == "0" else _id(text)  # sales without a customer sort as 0


_READERS: dict[Kind, Callable[[str], Any]] = {
    "id": _id,
    "optional id": _customer,
    "time": datetime.fromisoformat,
    "choice": _text,
    "money": _amount,
}
