"""How finely a course of days is shown: by day, week or month."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

import pandas as pd

from workbench.config.weeks import begin_of_week
from workbench.dashboards.tile_card import Button
from workbench.filters import AUTO, GRAINS

MOST_DAYS, MOST_DAYS_BY_WEEK = 100, 800  # about a hundred points are told apart on a screen


def fitting(grain: str, days: int) -> str:
    """The grain that was chosen, or one that shows so many days as a hundred points or so."""
    if grain != AUTO:
        return grain
    return "day" if days <= MOST_DAYS else "week" if days <= MOST_DAYS_BY_WEEK else "month"


def grouped(frame: pd.DataFrame, grain: str) -> pd.DataFrame:
    """A row for each span of days, in order: ``day`` its first, ``last``, ``revenue`` and ``before`` summed.

    Spans begin and end with the days of ``frame``: the first week may be a short one. ``before`` is None where it is
    for all of a span's days.
    """
    spans = frame.groupby([begin_of(day.date(), grain) for day in frame["day"]], sort=True)
    return pd.DataFrame(
        {
            "day": spans["day"].min(),
            "last": spans["day"].max(),
            "revenue": spans["revenue"].agg(_sum),
            "before": spans["before"].agg(_sum),
        }
    ).reset_index(drop=True)


def begin_of(day: date, grain: str) -> date:
    """The first day of the day's week, which begins as in the dimension ``week``, of its month, or itself."""
    if grain == "week":
        return begin_of_week(day)
    return day.replace(day=1) if grain == "month" else day


def choices(shown: str) -> list[Button]:
    """A button for each grain; the one that is shown is pressed."""
    return [(name, label, name == shown) for name, label in GRAINS.items() if name != AUTO]


def _sum(values: Iterable[Decimal | None]) -> Decimal | None:
    known = [value for value in values if value is not None]
    return sum(known, Decimal("0.00")) if known else None
