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
    typed_number,
    weekday,
)

__all__ = [
    "Conventions",
    "clock_seconds",
    "clock_time",
    "conventions",
    "day",
    "find_locale",
    "hour",
    "in_place",
    "moment",
    "moment_seconds",
    "money",
    "named_day",
    "named_month",
    "number",
    "percent",
    "typed_number",
    "use_locale",
    "weekday",
]
