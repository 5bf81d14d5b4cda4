"""Where: which sales and lines a figure is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Protocol, runtime_checkable

from workbench.errors import MetricError
from workbench.metrics import given

EPOCH = date(2000, 1, 1)  # days are counted from here, so that any day that PostgreSQL holds fits


@runtime_checkable
class HasWhere(Protocol):
    """What tells a filter for any time, as ``Filters`` does."""

    def where(self, now: datetime) -> Where:
        """What is looked at; ``now`` is the stores' clock."""


def _values_of(dimension: str) -> Any:
    """The allowed values of a dimension; none: all of them."""
    return field(default=(), metadata={"dimension": dimension})


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
    hours: tuple[int, ...] = _values_of("hour")
    weekdays: tuple[int, ...] = _values_of("weekday")
    stores: tuple[int, ...] = _values_of("store")
    cashiers: tuple[int, ...] = _values_of("cashier")
    payment_methods: tuple[str, ...] = _values_of("payment_method")
    customer_types: tuple[str, ...] = _values_of("customer_type")
    customer_id: int | None = None
    categories: tuple[str | None, ...] = _values_of("category")
    products: tuple[str, ...] = _values_of("product")

    def __post_init__(self) -> None:
        """Takes what is given as it is meant: the day of a time, one value for a list of one, any iterable for a tuple.

        Raises MetricError for anything else, with the name of the filter and what it takes.
        """
        for each in fields(self):
            value = getattr(self, each.name)
            if value is not each.default:
                read = _READERS.get(str(each.type).removesuffix(" | None"), given.values)
                object.__setattr__(self, each.name, read(each.name, value))

    @classmethod
    def of(cls, asked: AnyWhere, now: datetime) -> Where:
        """The filter that is meant: itself, its fields by name, or what a ``Filters`` looks at ``now``; None: all.

        Raises MetricError for anything else.
        """
        if asked is None or isinstance(asked, Where):
            return asked or cls()
        if isinstance(asked, Mapping):
            return cls(**given.named([each.name for each in fields(cls)], asked))
        if isinstance(asked, HasWhere):
            return asked.where(now)
        raise MetricError(f"where= takes a Where, a Filters or a dict of filters; it got a {type(asked).__name__}.")

    def __repr__(self) -> str:
        """What is narrowed, and nothing else."""
        values = ((each.name, getattr(self, each.name)) for each in fields(self))
        shown = (f"{name}={value!r}" for name, value in values if value not in (None, (), ""))
        return f"{type(self).__name__}({', '.join(shown)})"

    @property
    def by_dimension(self) -> dict[str, tuple[Any, ...]]:
        """The allowed values of each dimension that is narrowed, without the dates."""
        named = {dimension: getattr(self, name) for name, dimension in DIMENSION_OF.items()}
        named["customer"] = () if self.customer_id is None else (self.customer_id,)
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


@dataclass(frozen=True)
class SaleWhere(Where):
    """A Where, and what narrows nothing but a table of sales: one of KINDS, a part of a product's code or name, and the
    total."""

    kind: str = ""
    product: str = ""
    amount_from: Decimal | None = None
    amount_to: Decimal | None = None


KINDS = ("sales", "returns")
DIMENSION_OF = {each.name: each.metadata["dimension"] for each in fields(Where) if each.metadata}  # of each list
_READERS: Mapping[str, Callable[[str, Any], Any]] = {
    "date": given.day,
    "time": given.time_of_day,
    "datetime": given.moment,
    "int": given.number,
    "str": given.text,
    "Decimal": given.amount,
}
AnyWhere = Where | Mapping[str, Any] | HasWhere | None  # what ``Where.of`` takes
