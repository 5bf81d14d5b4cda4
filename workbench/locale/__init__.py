"""How what people read is written where they are: figures and days by ``WORKBENCH_LOCALE``."""

from workbench.locale.conventions import Conventions, conventions, find_locale, use_locale
from workbench.locale.figures import (
    clock_seconds,
    clock_time,
    day,
    hour,
    in_place,
    moment,
    moment_seconds,
    money,
    named_day,
    named_month,
    number,
    percent,
    weekday,
)
from workbench.locale.typed import (
    A_MOMENT,
    AN_AMOUNT,
    day_hint,
    field_text,
    moment_hint,
    read_day,
    read_moment,
)

__all__ = [
    "AN_AMOUNT",
    "A_MOMENT",
    "Conventions",
    "clock_seconds",
    "clock_time",
    "conventions",
    "day",
    "day_hint",
    "field_text",
    "find_locale",
    "hour",
    "in_place",
    "moment",
    "moment_hint",
    "moment_seconds",
    "money",
    "named_day",
    "named_month",
    "number",
    "percent",
    "read_day",
    "read_moment",
    "use_locale",
    "weekday",
]
