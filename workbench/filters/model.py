"""Filters: the one state that every tile of a dashboard follows; read as it is typed, and in words, as chips."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import param

from workbench import locale
from workbench.errors import FieldError
from workbench.filters.periods import (
    AUTO,
    COMPARISONS,
    DEFAULT_COMPARISON,
    DEFAULT_PERIOD,
    GRAINS,
    PERIODS,
    compared_days,
    days_of,
    words,
)
from workbench.locale import N_, _
from workbench.metrics import DIMENSION_OF, DIMENSIONS, NUMBERS, Where
from workbench.metrics.where import checked_values
from workbench.sales.models import EARLIEST, LATEST
from workbench.words import heading, visible

_ORDER = ("stores", "categories", "payment_methods", "cashiers", "products", "hours", "weekdays")  # others follow
LISTS = (*_ORDER, *(name for name in DIMENSION_OF if name not in (*_ORDER, "customer_types")))
_DAYS = (EARLIEST.date(), LATEST.date())


class Values(param.List):
    """A list of what the filter of its name takes. Raises MetricError for anything else."""

    def _validate(self, val: Any) -> None:
        checked_values(self.name or "", val)
        super()._validate(val)


def _item_type(name: str) -> Any:
    return int if name in NUMBERS else (str, type(None)) if name == "categories" else str


_Lists: Any = type(
    "_Lists", (param.Parameterized,), {name: Values(default=[], item_type=_item_type(name)) for name in LISTS}
)


class Filters(_Lists):
    """What is looked at, and what it is compared with.

    ``date_from`` and ``date_to`` count when ``period`` is custom; ``brush_from`` and ``brush_to`` narrow any period to
    some of its days. Each of LISTS narrows as that of its name in ``Where``: weekdays are 1 (Monday) to 7, a category
    None is a line without one, and an empty list narrows nothing.
    ``grain`` is how finely a course of days is shown.
    """

    period: Any = param.Selector(default=DEFAULT_PERIOD, objects=list(PERIODS))
    date_from = param.CalendarDate(default=None, bounds=_DAYS, allow_None=True)
    date_to = param.CalendarDate(default=None, bounds=_DAYS, allow_None=True)
    brush_from = param.CalendarDate(default=None, bounds=_DAYS, allow_None=True)
    brush_to = param.CalendarDate(default=None, bounds=_DAYS, allow_None=True)
    customer_id = param.Integer(default=None, bounds=(1, 2**31 - 1), allow_None=True)
    comparison: Any = param.Selector(default=DEFAULT_COMPARISON, objects=list(COMPARISONS))
    grain: Any = param.Selector(default=AUTO, objects=list(GRAINS))

    def __repr__(self) -> str:
        """What is not as it is at the start, and the period."""
        own = [name for name in self.param if name not in ("name", "period")]
        shown = [f"{name}={value!r}" for name in own if (value := getattr(self, name)) != self.param[name].default]
        return f"Filters({', '.join([f'period={self.period!r}', *shown])})"

    def period_days(self, now: datetime) -> tuple[date | None, date | None]:
        """First and last day of the period, without the brush; None where it is open."""
        return days_of(self.period, now.date(), (self.date_from, self.date_to))

    def days(self, now: datetime, *, is_brushed: bool = True) -> tuple[date | None, date | None]:
        """First and last day that are looked at: the brushed ones of the period, or all of it."""
        first, last = self.period_days(now)
        if not is_brushed:
            return first, last
        firsts = [day for day in (first, self.brush_from) if day is not None]
        lasts = [day for day in (last, self.brush_to) if day is not None]
        return max(firsts, default=None), min(lasts, default=None)

    def where(self, now: datetime, *, is_brushed: bool = True) -> Where:
        """What is looked at; ``now`` is the store's clock."""
        first, last = self.days(now, is_brushed=is_brushed)
        lists: dict[str, Any] = {name: tuple(getattr(self, name)) for name in LISTS}
        return Where(date_from=first, date_to=last, customer_id=self.customer_id, **lists)

    def so_far(self, now: datetime, *, is_brushed: bool = True) -> Where:
        """What of it is compared: all of a period that is over, of a running one what lies before the last full hour.

        Hours are the finest that is summed beforehand, so a figure that follows the data is compared to the hour.
        """
        where = self.where(now, is_brushed=is_brushed)
        if where.date_to is None or where.date_to < now.date():
            return where  # an open period is compared with nothing
        return dataclasses.replace(where, date_to=now.date(), before=datetime.combine(now.date(), time(now.hour)))

    def comparison_where(self, now: datetime, *, is_brushed: bool = True) -> Where | None:
        """What ``so_far`` is compared with: as many days up to the same hour, narrowed likewise.

        None when nothing is compared, when the period is open or has not begun, or in the first hour of its first day.
        """
        so_far = self.so_far(now, is_brushed=is_brushed)
        first, last, before = so_far.date_from, so_far.date_to, so_far.before
        if first is None or last is None or last < first or (before and before <= datetime.combine(first, time())):
            return None
        days = compared_days(self.comparison, (first, last))
        if days is None:
            return None
        until = None if before is None else datetime.combine(days[1], before.time())
        return dataclasses.replace(so_far, date_from=days[0], date_to=days[1], before=until)

    def toggle(self, *, is_adding: bool = False, **values: Any) -> None:
        """Narrows each list to the value alone, or opens them all again when that is how they were.

        ``is_adding`` keeps what was chosen before: the values join it, or leave it when they are all chosen.
        """
        chosen = {name: getattr(self, name) for name in values}
        if not is_adding:
            is_only = all(chosen[name] == [value] for name, value in values.items())
            self.param.update(**{name: [] if is_only else [value] for name, value in values.items()})
            return
        is_chosen = all(value in chosen[name] for name, value in values.items())
        others = {name: [other for other in chosen[name] if other != value] for name, value in values.items()}
        self.param.update(**{name: others[name] + [value] * (not is_chosen) for name, value in values.items()})

    def clear(self) -> None:
        """Takes back everything that narrows the period; period and comparison stay."""
        empty: dict[str, Any] = {name: [] for name in LISTS}
        # The period is given anew, so that days that were typed and wait for others are taken back too.
        self.param.update(**empty, customer_id=None, brush_from=None, brush_to=None, period=self.period)


def drop(where: Where, *lists: str) -> Where:
    """``where`` without these lists: for the tile that sets them, which would filter itself away."""
    opened: dict[str, Any] = dict.fromkeys(lists, ())
    return dataclasses.replace(where, **opened)


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
