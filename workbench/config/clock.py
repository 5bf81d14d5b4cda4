"""The store's clock: the one time zone in which sales are stamped and periods end; and the day on which weeks begin.

Weekdays are numbered as in ISO 8601, 1 for Monday to 7 for Sunday, whichever a week begins with.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from workbench import locale

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


ZONE_FILE = Path("/etc/localtime")
ZONE_NAME_FILE = Path("/etc/timezone")


def utc_now() -> datetime:
    """This machine's clock; every other "now" is made from it."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class StoreClock:
    """Wall clock times have no zone, as ``transaction_time`` has none: it is this one's, in all stores."""

    zone: ZoneInfo

    @property
    def name(self) -> str:
        """The zone's IANA name."""
        return self.zone.key

    def now(self) -> datetime:
        """The wall clock's time now; whole seconds."""
        return self.wall(utc_now()).replace(microsecond=0)

    def today(self) -> date:
        """The store's day."""
        return self.now().date()

    def wall(self, moment: datetime) -> datetime:
        """What the wall clock showed at a moment (which has a zone)."""
        return moment.astimezone(self.zone).replace(tzinfo=None)

    def is_ahead(self, wall: datetime) -> bool:
        """Whether a wall clock time is still to come. In an hour that comes twice the first one is meant."""
        return wall.replace(tzinfo=self.zone, fold=0) > utc_now()

    def is_skipped(self, wall: datetime) -> bool:
        """Whether the clock never shows this time, because it was put forward over it."""
        return self.wall(wall.replace(tzinfo=self.zone).astimezone(UTC)) != wall.replace(fold=0)

    def offset(self, moment: datetime) -> tuple[float, str]:
        """The seconds that the wall clock is ahead of UTC at a moment, and their name: ``CEST``, ``UTC+05``."""
        there = moment.astimezone(self.zone)
        name, ahead = there.tzname() or "", there.utcoffset()
        return ahead.total_seconds() if ahead else 0.0, f"UTC{name}" if name[:1] in ("+", "-") else name

    def time_text(self, moment: datetime) -> str:
        """``14:03:22 CEST``."""
        return f"{locale.clock_seconds(self.wall(moment))} {self.offset(moment)[1]}"

    def text(self, moment: datetime) -> str:
        """``2026-10-25 14:03:22 CEST``."""
        return f"{locale.day(self.wall(moment))} {self.time_text(moment)}"


def find_zone(name: str) -> ZoneInfo:
    """The zone of an IANA name. Raises ValueError for a name that is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # the last one for a folder of zones, such as Europe
        raise ValueError("it must be the name of a time zone such as Europe/Berlin") from None


def machine_zone() -> str:
    """The IANA name of the zone that this machine is set to, UTC where nothing says: Python itself knows no name."""
    candidates = [os.environ.get("TZ", "").removeprefix(":"), str(ZONE_FILE.resolve())]
    if ZONE_NAME_FILE.is_file():
        candidates.append(ZONE_NAME_FILE.read_text(encoding="utf-8", errors="replace").strip())
    for text in candidates:
        try:
            return find_zone(text.rpartition("zoneinfo/")[2]).key
        except ValueError:
            continue
    return "UTC"
