"""Where: which sales and lines a figure is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from typing import Any, Protocol, runtime_checkable

from workbench.errors import MetricError
from workbench.metrics import given

EPOCH = date(2000, 1, 1)  # days are counted from here, so that any day that PostgreSQL holds fits


@runtime_checkable
class HasWhere(Protocol):
    """What tells a filter for any time, as ``Filters`` does."""

    def where(self, now: datetime) -> Where:
        """What is looked at; ``now`` is the stores' clock."""


@dataclass(frozen=True)
class Where:
    """All must hold; an empty value narrows nothing.

    Days are of the store's clock, both inclusive. ``time_from`` is inclusive, ``time_to`` exclusive: the part of each
    day before it. ``before`` is a moment: nothing from it on counts. Weekdays are 1 (Monday) to 7. A category None is
    a line without category.
    ``customer_types`` are "card" and "no card".
    """

    date_from: date | None = None
    date_to: date | None = None
    time_from: time | None = None
    time_to: time | None = None
    before: datetime | None = None
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
        """Takes what is given as it is meant: the day of a time, one value for a list of one, any iterable for a tuple.

        Raises MetricError for anything else, with the name of the filter and what it takes.
        """
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not field.default:
                read = _READERS.get(str(field.type).removesuffix(" | None"), given.values)
                object.__setattr__(self, field.name, read(field.name, value))

    @classmethod
    def of(cls, asked: AnyWhere, now: datetime) -> Where:
        """The filter that is meant: itself, its fields by name, or what a ``Filters`` looks at ``now``; None: all.

        Raises MetricError for anything else.
        """
        if asked is None or isinstance(asked, Where):
            return asked or cls()
        if isinstance(asked, Mapping):
            return cls(**given.named([field.name for field in fields(cls)], asked))
        if isinstance(asked, HasWhere):
            return asked.where(now)
        raise MetricError(f"where= takes a Where, a Filters or a dict of filters; it got a {type(asked).__name__}.")

    def __repr__(self) -> str:
        """What is narrowed, and nothing else."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        shown = (f"{name}={value!r}" for name, value in values if value not in (None, (), ""))
        return f"{type(self).__name__}({', '.join(shown)})"

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
    def span(self) -> tuple[datetime, datetime]:
        """From when to when the days are, not counting the end; the first or the last time there is where open."""
        first, last = self.date_from or date.min, self.date_to or date.max
        end = datetime.max if last == date.max else datetime.combine(last + timedelta(days=1), time())
        return datetime.combine(first, time()), min(end, self.before or end)

    @property
    def narrows_lines(self) -> bool:
        """Whether lines are told apart, not only sales."""
        return bool(self.categories or self.products)


_READERS: Mapping[str, Callable[[str, Any], Any]] = {
    "date": given.day,
    "time": given.time_of_day,
    "datetime": given.moment,
    "int": given.number,
    "str": given.text,
    "Decimal": given.amount,
}
AnyWhere = Where | Mapping[str, Any] | HasWhere | None  # what ``Where.of`` takes
