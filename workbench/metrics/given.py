"""What may be given for each part of a filter: it is taken as it was meant, or refused by the filter's name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

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


def values(name: str, given: Any) -> tuple[Any, ...]:
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
