"""What is typed, and what stands in fields to be typed over: read as it is written here, ISO days and points too."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from workbench.locale.conventions import conventions
from workbench.locale.figures import day, moment_seconds

_PARTS = {"%Y": r"(?P<year>\d{4})", "%m": r"(?P<month>\d{1,2})", "%d": r"(?P<day>\d{1,2})"}
_TIME = re.compile(r"(\d{1,2})[:.](\d\d)(?:[:.](\d\d))?", re.ASCII)
_HINTS = {"%Y": "YYYY", "%m": "MM", "%d": "DD", "%H": "HH", "%M": "MM", "%S": "SS"}
AN_AMOUNT, A_MOMENT = Decimal("12.50"), datetime(2026, 5, 31, 14, 30)


def field_text(value: Any) -> str:
    """A value as it stands in a field: without groups, a moment to the second; empty for nothing."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return str(value).replace(".", conventions().decimal)
    if isinstance(value, datetime):  # what is finer than a second must survive an edit
        return value.isoformat(" ") if value.microsecond else moment_seconds(value)
    return day(value) if isinstance(value, date) else str(value)


def plain_whole(text: str) -> str:
    """A whole number without the groups that it is written in here; any other text as it is."""
    now = conventions()
    further = r"\d{1,2}(?:,\d\d)*,\d{3}|" if now.beyond == 2 else ""
    grouped = re.fullmatch(rf"-?(?:{further}\d{{1,3}}(?:,\d{{3}})+)", text.replace(now.group, ","), re.ASCII)
    return grouped[0].replace(",", "") if grouped else text


def read_day(text: str) -> date:
    """The day of ``31.05.2026`` where days are written so, and everywhere of ``2026-05-31``. Raises ValueError."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        found = re.fullmatch(_pattern(conventions().day), text)
        if found is None:
            raise
    return date(**{name: int(figures) for name, figures in found.groupdict().items()})


def read_moment(text: str) -> datetime:
    """The same with a time of day: ``31.05.2026 14:30``. Raises ValueError where either is missing."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        begin, _, end = text.rpartition(" ")
        found = _TIME.fullmatch(end)
        if found is None:
            raise
    hour, minute, second = (int(figures) for figures in found.groups(default="0"))
    return datetime.combine(read_day(begin.rstrip(" ,")), time(hour, minute, second))


def day_hint() -> str:
    """``YYYY-MM-DD``: how a day is typed."""
    return _hint(conventions().day)


def moment_hint() -> str:
    """``YYYY-MM-DD HH:MM:SS``."""
    return _hint(f"{conventions().day} {conventions().seconds}")


def _pattern(written: str) -> re.Pattern[str]:
    parts = (_PARTS.get(part) or re.escape(part).replace(r"\ ", " ?") for part in re.split(r"(%[Ymd])", written))
    return re.compile("".join(parts), re.ASCII)


def _hint(written: str) -> str:
    return re.sub("%[A-Za-z]", lambda found: _HINTS[found[0]], written)
