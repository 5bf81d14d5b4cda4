"""Periods and what they are compared with: days of the store's clock, first and last included."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from itertools import pairwise

from workbench import locale
from workbench.config.clock import begin_of_week
from workbench.locale import N_, _
from workbench.metrics.where import Where

Days = tuple[date, date]

EDGE_DAYS = 3  # without a sale, at the beginning or the end of a period: a holiday, or a weekend
DEFAULT_PERIOD = "last_30_days"
CUSTOM = "custom"
PERIODS = {
    "today": N_("Today"),
    "yesterday": N_("Yesterday"),
    "last_7_days": N_("Last 7 days"),
    "last_30_days": N_("Last 30 days"),
    "last_90_days": N_("Last 90 days"),
    "last_week": N_("Last week"),
    "last_month": N_("Last month"),
    "last_quarter": N_("Last quarter"),
    "last_year": N_("Last year"),
    "this_month": N_("This month"),
    "month_to_date": N_("Month to date"),
    "quarter_to_date": N_("Quarter to date"),
    "year_to_date": N_("Year to date"),
    "all": N_("All days"),
    CUSTOM: N_("Custom"),
}
DEFAULT_COMPARISON = "previous"
COMPARISONS = {
    "previous": N_("Previous period"),
    "weekdays": N_("Same weekdays before"),
    "year": N_("Last year"),
    "none": N_("Nothing"),
}
AGAINST = {  # the same as a figure's change is against it
    "previous": N_("previous period"),
    "weekdays": N_("same weekdays before"),
    "year": N_("last year"),
}
AUTO = "auto"
GRAINS = {AUTO: N_("As it fits"), "day": N_("Day"), "week": N_("Week"), "month": N_("Month")}
MOST_DAYS, MOST_DAYS_BY_WEEK = 100, 800  # about a hundred points are told apart on a screen


def fitting(grain: str, days: int) -> str:
    """The grain that was chosen, or one that shows so many days as a hundred points or so."""
    if grain != AUTO:
        return grain
    return "day" if days <= MOST_DAYS else "week" if days <= MOST_DAYS_BY_WEEK else "month"


def days_of(period: str, today: date, custom: tuple[date | None, date | None]) -> tuple[date | None, date | None]:
    """First and last day of a period; this month runs to its last day, custom may be open."""
    day = timedelta(days=1)
    week, month = begin_of_week(today), today.replace(day=1)
    quarter, year = month.replace(month=month.month - (month.month - 1) % 3), month.replace(month=1)
    last_quarter = (quarter - day).replace(month=(quarter - day).month - 2, day=1)
    found: dict[str, tuple[date | None, date | None]] = {
        "today": (today, today),
        "yesterday": (today - day, today - day),
        "last_7_days": (today - 6 * day, today),
        "last_30_days": (today - 29 * day, today),
        "last_90_days": (today - 89 * day, today),
        "last_week": (week - 7 * day, week - day),
        "last_month": ((month - day).replace(day=1), month - day),
        "last_quarter": (last_quarter, quarter - day),
        "last_year": (year.replace(year=year.year - 1), year - day),
        "this_month": (month, today.replace(day=calendar.monthrange(today.year, today.month)[1])),
        "month_to_date": (month, today),
        "quarter_to_date": (quarter, today),
        "year_to_date": (year, today),
        "all": (None, None),
        CUSTOM: custom,
    }
    return found[period]


def period_named(text: str) -> str | None:
    """The period whose name or label a text is, as ``last week`` or ``Last_week``; None for no period's."""
    wanted = " ".join(text.casefold().replace("_", " ").split())
    names = (
        name
        for name, label in PERIODS.items()
        if wanted in (name.replace("_", " "), label.casefold(), _(label).casefold())
    )
    return next((name for name in names if name != CUSTOM), None)


def period_of(days: tuple[date | None, date | None], today: date, chosen: str = "") -> str:
    """The period that has these days: the ``chosen`` one, if it is one of several; CUSTOM for none."""
    same = [name for name in PERIODS if name != CUSTOM and days_of(name, today, days) == days]
    return chosen if chosen in same else next(iter(same), CUSTOM)


def compared_days(comparison: str, days: Days) -> Days | None:
    """The days to compare with; None for none.

    ``days`` are those of the period that have begun. The previous period is as long and ends the day before. The same
    weekdays are that period, moved back by the fewest whole weeks that keep the two apart: one week for up to seven
    days. Last year has the same dates, with 28 February for the 29th.
    """
    first, last = days
    length = (last - first).days + 1
    moves: dict[str, Callable[[date], date]] = {
        "previous": lambda day: day - timedelta(days=length),
        "weekdays": lambda day: day - timedelta(weeks=-(-length // 7)),
        "year": _year_before,
    }
    move = moves.get(comparison)
    return None if move is None else (move(first), move(last))


def _year_before(day: date) -> date:
    last = calendar.monthrange(day.year - 1, day.month)[1]
    return day.replace(year=day.year - 1, day=min(day.day, last))


def words(first: date | None, last: date | None) -> str:
    """``3 Nov 2026``, ``3 Nov 2026 – 9 Nov 2026``, ``from 3 Nov 2026``, ``until 9 Nov 2026`` or ``all days``."""
    if first is None and last is None:
        return _("all days")
    if last is None:
        return _("from {day}", day=_day(first))
    if first is None:
        return _("until {day}", day=_day(last))
    return _day(first) if first == last else f"{_day(first)} – {_day(last)}"


def until_words(before: datetime | None) -> str:
    """``until 14:00`` for what is looked at up to a moment of its last day; nothing for whole days."""
    if before is None:
        return ""
    return _("until {time}", time=locale.clock_time(before)) if before.hour else _("up to midnight")


def _day(day: date | None) -> str:
    return "" if day is None else locale.named_day(day)


def missing(where: Where, days_with_sales: Iterable[datetime]) -> str:
    """What of a period has no sales, in words; nothing when it is whole, or open. The days are in order.

    It lacks some when no sale is in its first or last days: more than EDGE_DAYS of them, and more than there are
    between any two days with a sale.
    """
    first, last = where.date_from, where.date_to
    if first is None or last is None:
        return ""
    sold = [day.date() for day in days_with_sales]
    if not sold:
        return _("no sale at all")
    between = max((after - before for before, after in pairwise(sold)), default=timedelta(days=1))
    usual = max(timedelta(days=EDGE_DAYS), between - timedelta(days=1))
    is_late, is_early = sold[0] - first > usual, last - sold[-1] > usual
    if not is_late and not is_early:
        return ""
    text = (
        _("sales only from {first} on and until {last}, on {n} of its {days} days")
        if is_late and is_early
        else _("sales only from {first} on, on {n} of its {days} days")
        if is_late
        else _("sales only until {last}, on {n} of its {days} days")
    )
    ends = {"first": locale.day(sold[0]), "last": locale.day(sold[-1])}
    return text.format(**ends, n=len(sold), days=(last - first).days + 1)
