"""A sale as it is stored, its history, and the log of all: who saved what and when, what was changed of a day since."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any, Literal

import sqlalchemy as sa

from workbench import locale
from workbench.config.clock import StoreClock
from workbench.database.sql_files import run_sql
from workbench.errors import NOTHING_DONE, AlreadyUndone, FieldError, SaleConflict, SaleNotFound, WorkbenchError
from workbench.locale import N_, _, sentences
from workbench.sales.models import Line, LineInput, Sale, SaleInput, parse_sale

MOST_SAVES = 100
Kind = Literal["imported", "created", "edited", "deleted", "restored"]
Row = Mapping[str, Any]  # of a table, by column; amounts are Decimal, times are ISO text
Parts = dict[int | None, Row]  # a header (None) and lines, by item_id


def find_sale(connection: sa.Connection, transaction_id: int) -> Sale | None:
    """The sale with its lines; None when there is none with this id."""
    row = run_sql(connection, "queries/sale", {"transaction_id": transaction_id}).mappings().first()
    return None if row is None else Sale(**row, lines=tuple(find_lines(connection, transaction_id)))


def find_lines(connection: sa.Connection, transaction_id: int) -> list[Line]:
    """The lines of a sale in the order of entry; an empty list when there is no such sale."""
    rows = run_sql(connection, "queries/lines", {"transaction_id": transaction_id}).mappings()
    return [Line(**row) for row in rows]


def raise_if_moved(connection: sa.Connection, transaction_id: int, version: int) -> None:
    """Raises SaleNotFound when the sale is gone, SaleConflict when it is no longer at ``version``."""
    theirs = find_sale(connection, transaction_id)
    if theirs is None:
        raise SaleNotFound(transaction_id)
    if theirs.version != version:
        raise SaleConflict(transaction_id, version, theirs)


def foreign_lines(connection: sa.Connection, transaction_id: int, sale: SaleInput) -> list[FieldError]:
    """A FieldError for each line of ``sale`` whose item_id is not one of the stored sale's."""
    own = {line.item_id for line in find_lines(connection, transaction_id)}
    return [
        FieldError(f"lines.{n}.item_id", line.item_id, _("it must be an item of transaction {id}", id=transaction_id))
        for n, line in enumerate(sale.lines)
        if line.item_id is not None and line.item_id not in own
    ]


@dataclass(frozen=True)
class Touched:
    """A header (``item_id`` None) or a line before and after a save; None: it was not there."""

    item_id: int | None
    before: Row | None
    after: Row | None


@dataclass(frozen=True)
class Change:
    """One save: ``touched`` has the header first, then the lines that it changed, in the order of entry.

    ``before`` and ``after`` are the sale, its header's columns and ``lines``; both None for an edit of an earlier
    version of the program, of which the log has single rows, and for an import, which names its ``file_name`` instead.
    ``audit_id`` is that of its header's newest entry; 0 for an import.
    """

    audit_id: int
    at: datetime
    actor: str
    kind: Kind
    touched: tuple[Touched, ...]
    before: Row | None = None
    after: Row | None = None
    reason: str | None = None
    is_undone: bool = False
    file_name: str | None = None

    @property
    def return_of(self) -> int | None:
        """Of which sale this is a return; None for a sale."""
        found: int | None = (self.after or self.before or {}).get("return_of")
        return found

    @property
    def can_be_undone(self) -> bool:
        """Whether ``undo`` takes it back. A sale that came goes by Delete, which asks for a reason."""
        is_other_return = self.kind == "edited" and self.return_of is not None  # changed by hand: it is not edited
        return self.before is not None and not self.is_undone and not is_other_return


def find_history(connection: sa.Connection, transaction_id: int) -> list[Change]:
    """The newest MOST_SAVES saves of a sale, the newest first, also of one that is gone.

    The import of a file that brought it comes last. An empty list for a sale that never was, and for one that a bulk
    load brought and nobody has changed since.
    """
    rows = run_sql(connection, "queries/history", {"transaction_id": transaction_id, "most": MOST_SAVES}).all()
    brought = run_sql(connection, "queries/import_of", {"transaction_id": transaction_id})
    imports = [Change(0, at, actor, "imported", (), file_name=file) for at, actor, file in brought]
    return [_change(list(save)) for _, save in groupby(rows, key=lambda row: row.save)][::-1] + imports


def _change(rows: Sequence[Any]) -> Change:
    """A save of an earlier version wrote a header more than once: what it was first and last is told."""
    before: dict[int | None, Row | None] = {}
    after: dict[int | None, Row | None] = {}
    for row in rows:
        was, now = _parts(_read(row.before), row.item_id), _parts(_read(row.after), row.item_id)
        for item in was | now:
            before.setdefault(item, was.get(item))
            after[item] = now.get(item)
    items = sorted(item for item in before if item is not None)
    touched = (Touched(i, before[i], after[i]) for i in [*([None] if None in before else []), *items])
    entry = next((row for row in reversed(rows) if row.item_id is None), rows[-1])
    kind = _kind_of_change(before.get(None, {}), after.get(None, {}), entry.undoes)
    is_whole = kind != "edited" or (len(rows) == 1 and "lines" in _read(rows[0].after))
    return Change(
        entry.audit_id,
        entry.logged_at,
        entry.actor,
        kind,
        tuple(part for part in touched if part.before != part.after),
        _whole(before) if is_whole else None,
        _whole(after) if is_whole else None,
        entry.reason,
        entry.is_undone,
    )


def _kind_of_change(before: Row | None, after: Row | None, undoes: int | None) -> Kind:
    if before is None:
        return "created" if undoes is None else "restored"
    return "deleted" if after is None else "edited"


def _parts(row: Any, item_id: int | None) -> Parts:
    """What an entry tells of a sale's header and lines: a document of all, or one of them."""
    if row is None:
        return {}
    if "lines" not in row:
        return {item_id: row}
    lines = {line["item_id"]: line for line in row["lines"]}
    return {None: {name: value for name, value in row.items() if name != "lines"}, **lines}


def _whole(parts: Mapping[int | None, Row | None]) -> Row | None:
    header = parts.get(None)
    return header and {**header, "lines": [parts[item] for item in sorted(filter(None, parts)) if parts[item]]}


def _read(text: str | None) -> Any:
    return None if text is None else json.loads(text, parse_float=Decimal)


PAGE = 50
MOST_LATE = 10_000
LogKind = Literal["created", "edited", "deleted", "restored", "bulk load", "bulk undo", "import"]
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
    kind: LogKind | None = None
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True)
class LogEntry:
    """An entry of the log: the sale's total before and after; of a load or an import how many were ``loaded``."""

    audit_id: int
    logged_at: datetime
    actor: str
    kind: LogKind
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
    kind: LogKind
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
) -> list[LogEntry]:
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
    return [LogEntry(**row) for row in run_sql(connection, "queries/log", values).mappings()]


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


def as_before(change: Change) -> SaleInput:
    """The sale as it was before an edit, to be saved over what that made of it. Raises SaleRefused for what is none."""
    assert change.before is not None and change.after is not None
    return as_version(change.before, Sale.model_validate(change.after))


def as_version(document: Row, stored: Sale) -> SaleInput:
    """The sale of a document of the log, to be saved over the ``stored`` one: lines that this lacks are new ones."""
    sale, left = Sale.model_validate(document), {line.item_id for line in stored.lines}
    lines = [
        {name: getattr(line, name) for name in LineInput.model_fields}
        | {"item_id": line.item_id if line.item_id in left else None}
        for line in sale.lines
    ]
    return parse_sale({name: getattr(sale, name) for name in SaleInput.model_fields} | {"lines": lines})


def entry_of(history: Sequence[Change], transaction_id: int, audit_id: int) -> Change:
    """The save with this entry. Raises AlreadyUndone when there is none."""
    found = next((change for change in history if change.audit_id == audit_id), None)
    if found is None:
        none = _("The history of transaction {id} has no entry {n}.", **{"id": transaction_id, "n": audit_id})
        raise AlreadyUndone(sentences(none, _(NOTHING_DONE)))
    return found
