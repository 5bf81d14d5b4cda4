"""What a dashboard looks at: periods, comparisons, everything that narrows them, as words and as an address."""

from workbench.filters.address import from_query, to_query, unread
from workbench.filters.model import LISTS, NO_CATEGORY, Chip, Filters, chips, drop, read_customer, read_day, value_text
from workbench.filters.periods import (
    AGAINST,
    AUTO,
    COMPARISONS,
    CUSTOM,
    GRAINS,
    PERIODS,
    days_of,
    fitting,
    period_named,
    period_of,
    until_words,
    words,
)

__all__ = [
    "AGAINST",
    "AUTO",
    "COMPARISONS",
    "CUSTOM",
    "GRAINS",
    "LISTS",
    "NO_CATEGORY",
    "PERIODS",
    "Chip",
    "Filters",
    "chips",
    "days_of",
    "drop",
    "fitting",
    "from_query",
    "period_named",
    "period_of",
    "read_customer",
    "read_day",
    "to_query",
    "unread",
    "until_words",
    "value_text",
    "words",
]
