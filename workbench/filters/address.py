"""Filters as the query of an address and back. An address is user input: what cannot be used is left out and told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlencode

from workbench.filters.model import LISTS, Filters
from workbench.locale import _
from workbench.metrics import NUMBERS

_NO_VALUE, _AS_IT_IS = "~none", "~="  # a missing category; what stands before a text that is empty or begins with "~"
_CHOICES = ("period", "comparison", "grain")
_DATES = ("date_from", "date_to", "brush_from", "brush_to")
_MOST_VALUES = 200


def to_query(filters: Filters, **others: str) -> str:
    """The whole state as ``?period=last_30_days&...``, also what is at its default; ``others`` come first."""
    pairs: list[tuple[str, str]] = [*others.items(), *((name, getattr(filters, name)) for name in _CHOICES)]
    for name in _DATES:
        day = getattr(filters, name)
        pairs.append((name, "" if day is None else day.isoformat()))
    for name in LISTS:
        values = getattr(filters, name)
        pairs.extend((name, _written(value)) for value in values)
        if not values:
            pairs.append((name, ""))
    customer = filters.customer_id
    pairs.append(("customer_id", "" if customer is None else str(customer)))
    return "?" + urlencode(pairs)


def from_query(filters: Filters, query: str, others: Iterable[str] = ()) -> tuple[dict[str, str], list[str]]:
    """Sets the filters from an address: what it does not name gets its default.

    Returns the values of ``others`` that are there, and a sentence for each value that could not be used.
    """
    given = parse_qs(query.removeprefix("?"), keep_blank_values=True, errors="replace", max_num_fields=None)
    problems: list[str] = []
    values: dict[str, Any] = {}
    for name, read in _readers().items():
        default = filters.param[name].default
        values[name] = list(default) if isinstance(default, list) else default
        texts = [text for text in given.get(name, []) if text]
        if texts:
            try:
                values[name] = read(filters, name, texts)
            except ValueError:
                value = repr(", ".join(texts)[:60])
                problems.append(_("{name} cannot be {value}: it was left out.", name=name, value=value))
    _keep_in_order(values, problems)
    filters.param.update(**values)
    return {name: given[name][0] for name in others if given.get(name)}, problems


def unread(query: str, others: Iterable[str] = ()) -> list[str]:
    """The names in an address that mean nothing here: another version wrote it, or somebody else."""
    given = parse_qs(query.removeprefix("?"), keep_blank_values=True, errors="replace", max_num_fields=None)
    return [name[:60] for name in given if name not in _readers() and name not in others]


def _keep_in_order(values: dict[str, Any], problems: list[str]) -> None:
    for kind in ("date", "brush"):
        first, last = values[f"{kind}_from"], values[f"{kind}_to"]
        if first is not None and last is not None and last < first:
            values[f"{kind}_to"] = None
            names = {"last": f"{kind}_to", "first": f"{kind}_from"}
            problems.append(_("{last} is before {first}: it was left out.", **names))


Reader = Callable[[Filters, str, list[str]], Any]


def _readers() -> Mapping[str, Reader]:
    readers: dict[str, Reader] = {"customer_id": _customer}
    readers |= dict.fromkeys(_CHOICES, _choice) | dict.fromkeys(_DATES, _day)
    for name in LISTS:
        readers[name] = _numbers if name in NUMBERS else _texts
    return readers


def _choice(filters: Filters, name: str, texts: list[str]) -> str:
    if texts[0] not in filters.param[name].objects:
        raise ValueError(texts[0])
    return texts[0]


def _day(filters: Filters, name: str, texts: list[str]) -> date:
    day = date.fromisoformat(texts[0])
    low, high = filters.param[name].bounds
    if not low <= day <= high:
        raise ValueError(texts[0])
    return day


def _customer(filters: Filters, name: str, texts: list[str]) -> int:
    return _number(texts[0], *filters.param[name].bounds)


def _numbers(_filters: Filters, name: str, texts: list[str]) -> list[int]:
    return list(dict.fromkeys(_number(text, *NUMBERS[name]) for text in _few(texts)))


def _texts(_filters: Filters, name: str, texts: list[str]) -> list[str | None]:
    values = [_read(text) for text in _few(texts)]
    if any((value is None and name != "categories") or (value is not None and "\0" in value) for value in values):
        raise ValueError(name)
    return list(dict.fromkeys(values))


def _few(texts: list[str]) -> list[str]:
    if len(texts) > _MOST_VALUES:
        raise ValueError(f"more than {_MOST_VALUES}")
    return texts


def _number(text: str, low: int, high: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and low <= int(text) <= high):
        raise ValueError(text)
    return int(text)


def _written(value: Any) -> str:
    if value is None:
        return _NO_VALUE
    text = str(value)
    return _AS_IT_IS + text if not text or text.startswith("~") else text


def _read(text: str) -> str | None:
    return None if text == _NO_VALUE else text.removeprefix(_AS_IT_IS)
