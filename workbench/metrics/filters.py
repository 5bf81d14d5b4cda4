"""Where: which sales and lines a figure is about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, time
from typing import Any

from workbench.errors import MetricError

EPOCH = date(2000, 1, 1)  # days are counted from here, so that any day that PostgreSQL holds fits


def day_number(day: date) -> int:
    """Days since EPOCH."""
    return (day - EPOCH).days


@dataclass(frozen=True)
class Where:
    """All must hold; an empty value narrows nothing.

    Days are of the store's clock, both inclusive. ``time_from`` is inclusive, ``time_to`` exclusive: the part of each
    day before it, as in "until now". Weekdays are 1 (Monday) to 7. A category None is a line without category.
    ``customer_types`` are "card" and "no card".
    """

    date_from: date | None = None
    date_to: date | None = None
    time_from: time | None = None
    time_to: time | None = None
    hours: tuple[int, ...] = ()
    weekdays: tuple[int, ...] = ()
    stores: tuple[int, ...] = ()
    cashiers: tuple[int, ...] = ()
    payment_methods: tuple[str, ...] = ()
    customer_types: tuple[str, ...] = ()
    customer_id: int | None = None
    categories: tuple[str | None, ...] = ()
    products: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Any iterable is taken for a tuple; text is not a list of letters."""
        for field in fields(self):
            value = getattr(self, field.name)
            if field.default == ():
                object.__setattr__(self, field.name, _values(field.name, value))

    def __repr__(self) -> str:
        """What is narrowed, and nothing else."""
        given = ((field.name, getattr(self, field.name)) for field in fields(self))
        return f"Where({', '.join(f'{name}={value!r}' for name, value in given if value not in (None, ()))})"

    @property
    def by_dimension(self) -> dict[str, tuple[Any, ...]]:
        """The allowed values of each dimension that is narrowed, without the dates."""
        named = {
            "hour": self.hours,
            "weekday": self.weekdays,
            "store": self.stores,
            "cashier": self.cashiers,
            "payment_method": self.payment_methods,
            "customer_type": self.customer_types,
            "customer": () if self.customer_id is None else (self.customer_id,),
            "category": self.categories,
            "product": self.products,
        }
        return {name: values for name, values in named.items() if values}

    @property
    def days(self) -> tuple[int | None, int | None]:
        """The first and the last day number, None when open."""
        first = None if self.date_from is None else day_number(self.date_from)
        return first, None if self.date_to is None else day_number(self.date_to)

    @property
    def narrows_lines(self) -> bool:
        """Whether lines are told apart, not only sales."""
        return bool(self.categories or self.products)


def _values(name: str, given: Iterable[Any]) -> tuple[Any, ...]:
    if isinstance(given, str):
        raise MetricError(f"The filter {name} takes a list of values; it got the text {given!r}.")
    # NumPy's own integers neither hash like a bound parameter nor print well.
    plain = (value.item() if hasattr(value, "item") else value for value in given)
    return tuple(dict.fromkeys(plain))
