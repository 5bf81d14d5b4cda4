"""The history of a sale: who saved it, when, and what each save changed from what to what, from the audit log."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any, Literal

import sqlalchemy as sa

from workbench.database.sql_files import run_sql

MOST_SAVES = 100
Kind = Literal["imported", "created", "edited", "deleted", "restored"]
Row = Mapping[str, Any]  # of a table, by column; amounts are Decimal, times are ISO text
Parts = dict[int | None, Row]  # a header (None) and lines, by item_id


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
    kind = _kind(before.get(None, {}), after.get(None, {}), entry.undoes)
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


def _kind(before: Row | None, after: Row | None, undoes: int | None) -> Kind:
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
