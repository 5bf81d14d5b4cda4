"""What is typed into a filter, read or refused in words; and what narrows, in words, one chip for each dimension."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from workbench import locale
from workbench.errors import FieldError
from workbench.filters.model import LISTS, Filters
from workbench.filters.periods import words
from workbench.locale import N_, _
from workbench.metrics import DIMENSION_OF, DIMENSIONS
from workbench.words import heading, visible


def read_day(name: str, text: str) -> date | None:
    """A typed day; None for nothing. Raises FieldError saying what is allowed."""
    if not text.strip():
        return None
    try:
        day = locale.read_day(text.strip())
    except ValueError:
        raise FieldError(name, text, _("it must be a day such as {day}", day=locale.day(locale.A_MOMENT))) from None
    if not 2000 <= day.year <= 2099:
        raise FieldError(name, text, _("it must be from 2000 to 2099"))
    return day


def read_number(name: str, text: str) -> int | None:
    """A typed number of a store or a customer; None for nothing. Raises FieldError saying what is allowed."""
    text = text.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and 0 < int(text) < 2**31):
        raise FieldError(name, text, _("it must be a whole number such as 7"))
    return int(text)


def read_customer(text: str) -> int | None:
    """A typed customer; None for nothing. Raises FieldError saying what is allowed."""
    return read_number("customer_id", text)


NO_CATEGORY = N_("(none)")
_MOST_VALUES = 3


@dataclass(frozen=True)
class Chip:
    """``text`` is plain text, ``cleared`` the parameters that take it back."""

    text: str
    cleared: Mapping[str, Any]


def chips(filters: Filters, names: Mapping[str, Mapping[Any, str]] | None = None) -> list[Chip]:
    """A chip for each dimension that narrows; by the ``names`` of its dimension where they are known."""
    found = []
    if filters.brush_from or filters.brush_to:
        days = words(filters.brush_from, filters.brush_to)
        found.append(Chip(_("Days: {days}", days=days), {"brush_from": None, "brush_to": None}))
    for name in LISTS:
        if values := getattr(filters, name):
            named = (names or {}).get(DIMENSION_OF[name], {})
            texts = [value_text(name, value, named) for value in values]
            shown = ", ".join(texts[:_MOST_VALUES])
            if len(texts) > _MOST_VALUES:
                shown = _("{values} and {n} more", values=shown, n=len(texts) - _MOST_VALUES)
            of = DIMENSIONS[DIMENSION_OF[name]].label if len(texts) == 1 else heading(name)
            found.append(Chip(f"{of}: {shown}", {name: []}))
    if filters.customer_id is not None:
        found.append(Chip(_("Customer: {id}", id=filters.customer_id), {"customer_id": None}))
    return found


def value_text(name: str, value: Any, names: Mapping[Any, str]) -> str:
    """One value of a list as people read it: by its name where it has one."""
    if name == "weekdays":
        return locale.weekday(value)
    if name == "hours":
        return locale.hour(value)
    return _(NO_CATEGORY) if value is None else visible(names.get(value, str(value)))
