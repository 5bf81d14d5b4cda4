"""When a schedule is due: ``day-07:00``, ``monday-07:00``, ``month-1-07:00`` by the stores' clock."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from workbench.config.clock import StoreClock
from workbench.errors import ScheduleRefused
from workbench.locale import N_

WEEKDAYS = tuple(name.lower() for name in calendar.day_name)
ALLOWED = "give day-07:00, monday-07:00 (any weekday) or month-1-07:00 (the day of the month, 1 to 31)"
EVERY = {
    "day": N_("Every day"),
    "monday": N_("Every Monday"),
    "tuesday": N_("Every Tuesday"),
    "wednesday": N_("Every Wednesday"),
    "thursday": N_("Every Thursday"),
    "friday": N_("Every Friday"),
    "saturday": N_("Every Saturday"),
    "sunday": N_("Every Sunday"),
}
DAYS = 62  # two months: the most between two moments


@dataclass(frozen=True)
class Every:
    """A time of the days that ``is_on`` says.

    Each such day has one moment: a time that the clock skips is as long after midnight as it would have been, and of
    one that it shows twice the first counts. In a shorter month the 31st is the last day.
    """

    text: str
    at: time
    is_on: Callable[[date], bool]

    def last(self, now: datetime, clock: StoreClock) -> datetime | None:
        """The newest moment not after ``now``, in UTC."""
        today = clock.wall(now).date()
        moments = (self._moment(today - timedelta(days=n), clock) for n in range(DAYS + 1))
        return next((moment for moment in moments if moment is not None and moment <= now), None)

    def next(self, now: datetime, clock: StoreClock) -> datetime | None:
        """The first moment after ``now``, in UTC."""
        today = clock.wall(now).date()
        moments = (self._moment(today + timedelta(days=n), clock) for n in range(DAYS + 1))
        return next((moment for moment in moments if moment is not None and moment > now), None)

    def _moment(self, day: date, clock: StoreClock) -> datetime | None:
        if not self.is_on(day):
            return None
        return datetime.combine(day, self.at, tzinfo=clock.zone).astimezone(UTC)


def read_every(text: str) -> Every:
    """What ``text`` says. Raises ScheduleRefused."""
    found = re.fullmatch(
        r"(?:(day)|([a-z]+day)|month-([0-9]{1,2}))-([0-9]{2}):([0-9]{2})", text.strip().lower(), re.ASCII
    )
    number = int(found[3] or 1) if found else 0
    is_known = found is not None and (found[2] is None or found[2] in WEEKDAYS)
    if found is None or not is_known or not 1 <= number <= 31 or int(found[4]) > 23 or int(found[5]) > 59:
        raise ScheduleRefused(f"--every {text[:60]!r} cannot be used: {ALLOWED}.")
    return Every(found[0], time(int(found[4]), int(found[5])), _days(found[2], number if found[3] else 0))


def _days(weekday: str | None, number: int) -> Callable[[date], bool]:
    if weekday is not None:
        return lambda day: day.weekday() == WEEKDAYS.index(weekday)
    if number:
        return lambda day: day.day == min(number, calendar.monthrange(day.year, day.month)[1])
    return lambda day: True
