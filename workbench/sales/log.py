"""The log of all sales: who changed which, page by page, and what was changed of a day after it was over."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal

import sqlalchemy as sa

from workbench import locale
from workbench.config.clock import StoreClock
from workbench.database.sql_files import run_sql
from workbench.errors import WorkbenchError
from workbench.locale import N_, _

PAGE = 50
MOST_LATE = 10_000
Kind = Literal["created", "edited", "deleted", "restored", "bulk load", "bulk undo", "import"]
DAY = timedelta(days=1)
# Reasons that the program itself has given, as they are stored.
OWN_REASONS = (
    (r"changed at once: operation (?P<n>\d+)", N_("changed at once: operation {n}")),
    (r"taken back: operation (?P<n>\d+)", N_("taken back: operation {n}")),
    (r"import (?P<n>\d+) undone", N_("import {n} undone")),
    (r"import (?P<n>\d+): (?P<file>.+)", N_("import {n}: {file}")),
)


@dataclass(frozen=True)
class LogFilter:
    """What of the log is shown; None is any. The days are those on which it was written, the first and the last one."""

    actor: str | None = None
    store_id: int | None = None
    kind: Kind | None = None
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True)
class Entry:
    """An entry of the log: the sale's total before and after; of a load or an import how many were ``loaded``."""

    audit_id: int
    logged_at: datetime
    actor: str
    kind: Kind
    transaction_id: int | None
    reason: str | None
    store_id: int | None
    before: Decimal | None
    after: Decimal | None
    loaded: int | None


@dataclass(frozen=True)
class LateChange:
    """What an entry changed of a day's ``revenue`` and number of ``sales`` after that day was over."""

    audit_id: int
    logged_at: datetime
    actor: str
    kind: Kind
    transaction_id: int | None
    day: date
    revenue: Decimal
    sales: int


@dataclass(frozen=True)
class Corrected:
    """A day's figures when it was over, by the log, and now."""

    day: date
    reported_revenue: Decimal
    reported_sales: int
    revenue: Decimal
    sales: int


def reason_in_words(reason: str | None) -> str:
    """Why something was written, as people read it; what somebody typed as it is, and nothing for none."""
    for pattern, text in OWN_REASONS:
        if found := re.fullmatch(pattern, reason or ""):
            return _(text, **found.groupdict())
    return reason or ""


def find_log(
    connection: sa.Connection, wanted: LogFilter, clock: StoreClock, older_than: int | None = None
) -> list[Entry]:
    """At most PAGE + 1 entries, the newest first: one more than a page where there are more."""
    values = {
        "actor": wanted.actor,
        "store_id": wanted.store_id,
        "kind": wanted.kind,
        "since": wanted.first and _begin(wanted.first, clock),
        "until": wanted.last and _begin(wanted.last + DAY, clock),
        "older_than": older_than,
        "most": PAGE + 1,
    }
    return [Entry(**row) for row in run_sql(connection, "queries/log", values).mappings()]


def find_late(
    connection: sa.Connection, first: date, last: date, clock: StoreClock, store_id: int | None = None
) -> tuple[list[LateChange], list[Corrected]]:
    """The changes of these days made after each was over, the largest first; and each day that changed or has sales.

    Raises WorkbenchError for more than MOST_LATE changes.
    """
    values = {"first": first, "after_last": last + DAY, "store_id": store_id}
    found = run_sql(connection, "queries/late_changes", values | {"zone": clock.name, "most": MOST_LATE + 1}).mappings()
    late = [LateChange(**row) for row in found]
    if len(late) > MOST_LATE:
        raise WorkbenchError(
            _("These days have more than {most} late changes: choose fewer days.", most=locale.number(MOST_LATE))
        )
    now = {row.day: (row.revenue, int(row.sales)) for row in run_sql(connection, "queries/days_now", values)}
    return late, [_corrected(day, now, late) for day in sorted(now.keys() | {each.day for each in late}, reverse=True)]


def _corrected(day: date, now: dict[date, tuple[Decimal, int]], late: Sequence[LateChange]) -> Corrected:
    revenue, sales = now.get(day, (Decimal("0.00"), 0))
    of_day = [each for each in late if each.day == day]
    return Corrected(
        day,
        revenue - sum((each.revenue for each in of_day), Decimal()),
        sales - sum(each.sales for each in of_day),
        revenue,
        sales,
    )


def _begin(day: date, clock: StoreClock) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=clock.zone)
