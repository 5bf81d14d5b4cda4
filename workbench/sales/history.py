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
Kind = Literal["created", "edited", "deleted"]
Row = Mapping[str, Any]  # of a table, by column; amounts are Decimal, times are ISO text


@dataclass(frozen=True)
class Touched:
    """A header (``item_id`` None) or a line before and after a save; None: it was not there."""

    item_id: int | None
    before: Row | None
    after: Row | None


@dataclass(frozen=True)
class Change:
    """One save: ``touched`` has the header first, then the lines that it changed, in the order of entry."""

    at: datetime
    actor: str
    kind: Kind
    touched: tuple[Touched, ...]


def find_history(connection: sa.Connection, transaction_id: int) -> list[Change]:
    """The newest MOST_SAVES saves of a sale, the newest first, also of one that is gone.

    An empty list for a sale that never was, and for one that a bulk load brought and nobody has changed since.
    """
    rows = run_sql(connection, "queries/history", {"transaction_id": transaction_id, "most": MOST_SAVES}).all()
    return [_change(list(save)) for _, save in groupby(rows, key=lambda row: row.save)][::-1]


def _change(rows: Sequence[Any]) -> Change:
    """A save writes a header more than once, as its totals follow its lines: what it was first and last is told."""
    before: dict[int | None, Row | None] = {}
    after: dict[int | None, Row | None] = {}
    for row in rows:
        before.setdefault(row.item_id, _read(row.before))
        after[row.item_id] = _read(row.after)
    items = sorted(item for item in before if item is not None)
    touched = tuple(Touched(item, before[item], after[item]) for item in [*([None] if None in before else []), *items])
    return Change(rows[-1].logged_at, rows[-1].actor, _kind(before.get(None, {}), after.get(None, {})), touched)


def _kind(before: Row | None, after: Row | None) -> Kind:
    if before is None:
        return "created"
    return "deleted" if after is None else "edited"


def _read(text: str | None) -> Row | None:
    return None if text is None else json.loads(text, parse_float=Decimal)
