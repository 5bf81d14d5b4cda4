"""On which weekday weeks begin, for the whole process, as in Python's ``calendar``; ``connect`` sets it.

Weekdays are numbered as in ISO 8601, 1 for Monday to 7 for Sunday, whichever a week begins with.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal, get_args

WeekBegins = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_first = 1


def begin_weeks_on(name: WeekBegins) -> None:
    """Has weeks begin on that day from now on."""
    global _first
    _first = get_args(WeekBegins).index(name) + 1


def weekdays() -> list[int]:
    """The numbers of the weekdays in the order of a week."""
    return [*range(_first, 8), *range(1, _first)]


def days_from_monday() -> int:
    """How many days before a Monday a week begins: 0 to 6; one for a Sunday."""
    return (8 - _first) % 7


def begin_of_week(day: date) -> date:
    """The first day of the day's week."""
    return day - timedelta(days=weekdays().index(day.isoweekday()))
