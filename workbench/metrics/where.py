"""Where: which sales and lines a figure is about. What is given for it is taken as meant, or refused by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol, runtime_checkable

from workbench.errors import MetricError
from workbench.sales.models import MAX_TOTAL
from workbench.words import unstorable

MOST_ID = 2**31 - 1
NUMBERS = {  # the smallest and the largest value
    "hours": (0, 23),
    "weekdays": (1, 7),
    "stores": (1, MOST_ID),
    "cashiers": (1, MOST_ID),
    "customer_id": (1, MOST_ID),
}
CUSTOMER_TYPES = ("card", "no card")
_DAY = "a day such as 2026-05-31, on the stores' clock"
_MOMENT = "a day and time such as 2026-05-31 14:00, on the stores' clock, without a zone"


def day(name: str, given: Any) -> date | None:
    """A day; of a time its day; None for none. Raises MetricError for anything else."""
    value = _read(date.fromisoformat, given)
    if isinstance(value, datetime):
        value = value.date() if value == value and value.tzinfo is None else given  # NaT is not equal to itself
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    raise _refused(name, given, _DAY)


def moment(name: str, given: Any) -> datetime | None:
    """A day with a time of day, midnight where only a day is given; None for none. Raises MetricError."""
    value = _read(datetime.fromisoformat, given)
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if value is None or (isinstance(value, datetime) and value == value and value.tzinfo is None):
        return value
    raise _refused(name, given, _MOMENT)


def time_of_day(name: str, given: Any) -> time | None:
    """A time of day; None for none. Raises MetricError."""
    value = _read(time.fromisoformat, given)
    if value is None or (isinstance(value, time) and value.tzinfo is None):
        return value
    raise _refused(name, given, "a time of day such as 14:00")


def number(name: str, given: Any) -> int | None:
    """A whole number of NUMBERS; None for none. Raises MetricError."""
    return None if given is None else _number(name, _plain(given))


def amount(name: str, given: Any) -> Decimal | None:
    """An amount of money; None for none. Raises MetricError."""
    try:
        value = None if given is None else Decimal(str(given).strip())
    except InvalidOperation:
        value = Decimal("nan")
    if value is None or (value.is_finite() and 0 <= value <= MAX_TOTAL):
        return value
    raise _refused(name, given, "an amount such as 12.50")


def text(name: str, given: Any) -> str:
    """A text. Raises MetricError."""
    if isinstance(given, str):
        return given
    raise _refused(name, given, "a text")


def checked_values(name: str, given: Any) -> tuple[Any, ...]:
    """A text as what it stands for, NumPy's scalars as Python's own; a missing one stays: None would be no filter."""
    check: Callable[[str, Any], Any] = _number if name in NUMBERS else _text
    if given is None:
        return ()
    is_one = isinstance(given, str | bytes) or not isinstance(given, Iterable)
    return tuple(dict.fromkeys(check(name, _plain(value)) for value in ([given] if is_one else given)))


def _number(name: str, given: Any) -> int:
    low, high = NUMBERS[name]
    value = int(given) if isinstance(given, float) and given.is_integer() else given  # as pandas has them beside nan
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
        return value
    limits = f"whole numbers from {low} to {high}" if high < MOST_ID else "whole numbers such as 3, from 1 on"
    raise _refused(name, given, limits)


def _text(name: str, given: Any) -> str | None:
    if given is None and name == "categories":
        return None  # a line without one
    if name == "customer_types" and given not in CUSTOMER_TYPES:
        raise _refused(name, given, " and ".join(map(repr, CUSTOMER_TYPES)))
    if not isinstance(given, str):
        raise _refused(name, given, "texts, or None for lines without one" if name == "categories" else "texts")
    if letter := unstorable(given):
        raise _refused(name, given, f"texts that a database can hold, without {letter}")
    return given


def _read(read: Callable[[str], Any], given: Any) -> Any:
    """A text as what it stands for, NumPy's scalars as Python's own; a missing one is not None, which is no filter."""
    if not isinstance(given, str):
        value = given.item() if hasattr(given, "item") else given
        return given if value is None else value
    try:
        return read(given.strip())
    except ValueError:
        return given


def _plain(given: Any) -> Any:
    """NumPy's own numbers neither hash like a bound parameter nor print well; what is missing for pandas is None."""
    value = given.item() if hasattr(given, "item") else given
    return None if type(value).__name__ in ("NAType", "NaTType") or value != value else value


def _refused(name: str, given: Any, allowed: str) -> MetricError:
    shown = ascii(given) if isinstance(given, str) else str(given)
    shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
    return MetricError(f"The filter {name} cannot be {shown}: it takes {allowed}.")


def named(fields: Iterable[str], given: Mapping[Any, Any]) -> dict[str, Any]:
    """``given``, when all its names are ``fields`` of a filter. Raises MetricError."""
    for name in given:
        if name not in set(fields):
            raise MetricError(f"There is no filter {name!r}. There are {', '.join(fields)}.")
    return dict(given)


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
                read = _READERS.get(str(each.type).removesuffix(" | None"), checked_values)
                object.__setattr__(self, each.name, read(each.name, value))

    @classmethod
    def of(cls, asked: AnyWhere, now: datetime) -> Where:
        """The filter that is meant: itself, its fields by name, or what a ``Filters`` looks at ``now``; None: all.

        Raises MetricError for anything else.
        """
        if asked is None or isinstance(asked, Where):
            return asked or cls()
        if isinstance(asked, Mapping):
            return cls(**named([each.name for each in fields(cls)], asked))
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
    "date": day,
    "time": time_of_day,
    "datetime": moment,
    "int": number,
    "str": text,
    "Decimal": amount,
}
AnyWhere = Where | Mapping[str, Any] | HasWhere | None  # what ``Where.of`` takes
