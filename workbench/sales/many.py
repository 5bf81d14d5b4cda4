"""Many sales at a time: what a change of all of them would do, the change as one write, and taking it back as one."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, get_type_hints

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from workbench import locale, telemetry
from workbench.accounts.actor import as_actor
from workbench.database.positions import mark
from workbench.database.sql_files import WritingConnection, run_sql, write_sql
from workbench.database.writes import commit, master_in_words
from workbench.errors import (
    AlreadyUndone,
    FieldError,
    ManyRefused,
    RoleRefused,
    SaleNotFound,
    SaleRefused,
    TooMany,
)
from workbench.locale import _
from workbench.sales.doubts import doubts_of_ids, refuse_unlisted_ids
from workbench.sales.fields import AT_ONCE
from workbench.sales.models import SaleInput, field_errors
from workbench.sales.returns import RETURN_NOT_EDITED
from workbench.sales.rights import Rights
from workbench.sales.service import UNDOING, Sales
from workbench.words import counted

MOST = 10_000
SECONDS = "60s"  # for each statement
BATCH = 500  # sales in one
CHANGED, TAKEN_BACK = "changed at once: operation ", "taken back: operation "  # and the number of a transaction
Header = Mapping[str, Any]  # of a sale, by column

_hints = get_type_hints(SaleInput, include_extras=True)
_Changes: type[BaseModel] = create_model(  # each field as a sale has it; one that is not given stays
    "_Changes",
    __config__=ConfigDict(frozen=True, extra="forbid"),
    **{field.name: (_hints[field.name] | None, None) for field in AT_ONCE},  # type: ignore[call-overload]
)


@dataclass(frozen=True)
class Refused:
    """A sale that is not changed, and why."""

    transaction_id: int
    why: str

    def __str__(self) -> str:
        return self.why


@dataclass(frozen=True)
class Preview:
    """What ``update_many`` would do, of one moment: these ``sales``, each at its version, get ``changes``.

    ``same`` have these values already, ``refused`` are not changed; ``doubts`` are what is asked first.
    """

    changes: Mapping[str, Any]
    sales: tuple[Header, ...]
    same: tuple[int, ...]
    refused: tuple[Refused, ...]
    doubts: tuple[str, ...]

    @property
    def counts(self) -> dict[str, list[tuple[Any, int]]]:
        """By field: the values that are replaced, and in how many sales, the most frequent first."""
        found = {name: Counter(sale[name] for sale in self.sales) for name in self.changes}
        return {
            name: [(value, n) for value, n in counter.most_common() if value != self.changes[name]]
            for name, counter in found.items()
        }


@dataclass(frozen=True)
class Changed:
    """What one write has done: the sales that it changed, and those that were left out. ``operation`` names it."""

    operation: int
    sales: tuple[int, ...]
    left_out: tuple[Refused, ...]
    seconds: float


def parse_changes(data: Mapping[str, Any]) -> dict[str, Any]:
    """The values that many sales are to get, by field. Raises SaleRefused for what they cannot be, and for nothing."""
    given = {name: value for name, value in data.items() if value not in (None, "")}
    try:
        found = _Changes.model_validate(given).model_dump(exclude_none=True)
    except ValidationError as error:
        raise SaleRefused(field_errors(error)) from None
    if not found:
        one_of = ", ".join(field.label for field in AT_ONCE)
        raise SaleRefused(
            [FieldError(AT_ONCE[0].name, None, _("what is to be changed, one of {fields}", fields=one_of))]
        )
    return found


def preview_many(sales: Sales, ids: Iterable[int], **changes: Any) -> Preview:
    """What it would do to give these sales ``payment_method``, ``store_id`` or ``cashier_id``, as the master has them.

    Raises SaleRefused for values that no sale can have, TooMany, RoleRefused, SignedOut and ServerUnavailable.
    """
    wanted, new = list(dict.fromkeys(map(int, ids))), parse_changes(changes)
    if len(wanted) > MOST:
        raise TooMany(
            _(
                "{sales} are chosen: at most {most} are changed at once.",
                **{"sales": counted(len(wanted), "transaction"), "most": locale.number(MOST)},
            )
        )
    rights = Rights.of(as_actor(sales.actor), sales.engines.settings)
    refuse_unlisted_ids(sales.reader, sales.read_position, new)
    found = sales.reader.read_master(sales.read_position, lambda c: find_headers(c, wanted), "many sales").value
    refused = [Refused(each, str(SaleNotFound(each))) for each in wanted if each not in found]
    others = [found[each] for each in wanted if each in found and _differs(found[each], new)]
    whys = {sale["transaction_id"]: _why_not(rights, sale, new) for sale in others}
    return Preview(
        changes=new,
        sales=tuple(sale for sale in others if not whys[sale["transaction_id"]]),
        same=tuple(each for each in wanted if each in found and not _differs(found[each], new)),
        refused=(*refused, *(Refused(each, why) for each, why in whys.items() if why)),
        doubts=tuple(doubts_of_ids(sales.reader, sales.read_position, new)),
    )


def update_many(sales: Sales, preview: Preview, *, leave_out: bool = False) -> Changed:
    """Changes the sales of a preview, in one transaction: all of them, or nothing.

    What cannot be changed, by the preview or since, raises ManyRefused, unless it is to be ``leave_out``. A sale is
    changed at the version that the preview has alone: the same preview twice changes none twice. Raises RoleRefused,
    SignedOut, ServerUnavailable and OutcomeUnknown.
    """
    rights, started = Rights.of(as_actor(sales.actor), sales.engines.settings), time.monotonic()
    refuse_unlisted_ids(sales.reader, sales.read_position, preview.changes)
    wanted = {sale["transaction_id"]: sale["version"] for sale in preview.sales}
    with _writing(sales, rights.actor.name, CHANGED) as (connection, operation):
        since = _refused(connection, wanted, lambda sale: _why_not(rights, sale, preview.changes))
        refused = [*preview.refused, *since.values()]
        kept = [each for each in wanted if each not in since]
        if refused and not (leave_out and kept):
            raise ManyRefused(refused)
        for start in range(0, len(kept), BATCH):
            _change(connection, {each: wanted[each] for each in kept[start : start + BATCH]}, preview.changes)
    telemetry.WRITES.labels("update").inc(len(kept))
    return Changed(operation, tuple(kept), tuple(refused), time.monotonic() - started)


def undo_many(sales: Sales, operation: int) -> Changed:
    """Takes a change of many sales back, in one transaction: of those that nobody has changed since; ``left_out`` has
    the others.

    Who made the change may, and an admin. Raises AlreadyUndone when there is no such change, ManyRefused when there is
    nothing left to take back, RoleRefused, SignedOut, ServerUnavailable and OutcomeUnknown.
    """
    started = time.monotonic()
    found = {}
    if 0 < operation < 2**63:
        found = sales.reader.read_master(sales.read_position, lambda c: _entries(c, operation), "many sales").value
    if not found:
        raise AlreadyUndone(_("There is no change of many transactions {n}.", n=operation))
    actor = as_actor(sales.actor)
    rights = Rights.of(actor, sales.engines.settings)
    if any(entry.actor != rights.actor.name for entry in found.values()):
        actor.need("admin", UNDOING)
    wanted = {each: entry.version for each, entry in found.items()}

    def why_not(sale: Header) -> str:
        return _why_not(rights, sale, found[sale["transaction_id"]].before)

    with _writing(sales, rights.actor.name, TAKEN_BACK, operation) as (connection, _operation):
        refused = _refused(connection, wanted, why_not)
        kept = [each for each in wanted if each not in refused]
        if not kept:
            raise ManyRefused(list(refused.values()))
        for each in kept:  # one by one, as each takes back an entry of its own
            _change(connection, {each: wanted[each]}, found[each].before, found[each].audit_id)
    telemetry.WRITES.labels("update").inc(len(kept))
    return Changed(operation, tuple(kept), tuple(refused.values()), time.monotonic() - started)


def find_headers(connection: sa.Connection, ids: Sequence[int]) -> dict[int, Header]:
    """The headers of these sales by their ids, of those that are there."""
    rows = run_sql(connection, "many/sales", {"ids": list(ids)}).mappings()
    return {row["transaction_id"]: dict(row) for row in rows}


@dataclass(frozen=True)
class _Entry:
    """The log's entry of one of many sales: the ``version`` that it has made, and the values ``before`` it."""

    audit_id: int
    actor: str
    version: int
    before: Mapping[str, Any]


def _entries(connection: sa.Connection, operation: int) -> dict[int, _Entry]:
    """By the sale's id; what is told of another transaction than a change of many is none."""
    rows = run_sql(connection, "many/operation", {"operation": str(operation), "reason": f"{CHANGED}{operation}"})
    return {row.transaction_id: _entry(row) for row in rows}


def _entry(row: Any) -> _Entry:
    before, after = json.loads(row.before), json.loads(row.after)
    changed = {field.name: before[field.name] for field in AT_ONCE if before[field.name] != after[field.name]}
    return _Entry(row.audit_id, row.actor, after["version"], changed)


@contextmanager
def _writing(sales: Sales, actor: str, reason: str, of: int | None = None) -> Generator[tuple[WritingConnection, int]]:
    """A transaction and its number; at its end the session's reads wait for it, also when it was not committed.

    The log says ``reason`` with the number of the operation ``of``, else with its own.
    """
    values = {"actor": actor, "reason": reason, "of": "" if of is None else str(of), "limit": SECONDS}
    try:
        with master_in_words(sales.engines), sales.engines.owner.connect() as connection:
            operation = int(write_sql(connection, "many/begin", values).one().operation)
            yield connection, operation
            commit(connection)
    finally:
        mark(sales.engines, sales.read_position)


def _refused(
    connection: WritingConnection, versions: Mapping[int, int], why_not: Callable[[Header], str]
) -> dict[int, Refused]:
    """Which of these sales cannot be changed, and why; they are locked, so that none becomes another one."""
    write_sql(connection, "many/lock_sales", {"ids": list(versions)})
    found = find_headers(connection, list(versions))
    refused = {}
    for each, version in versions.items():
        if each not in found:
            refused[each] = Refused(each, str(SaleNotFound(each)))
        elif found[each]["version"] != version:
            refused[each] = Refused(each, _("Transaction {id} was changed meanwhile.", id=each))
        elif why := why_not(found[each]):
            refused[each] = Refused(each, why)
    return refused


def _change(
    connection: WritingConnection, versions: Mapping[int, int], values: Mapping[str, Any], undoes: int | None = None
) -> None:
    documents = [{"transaction_id": each, "version": version, **values} for each, version in versions.items()]
    given = {"sales": json.dumps(documents), "undoes": "" if undoes is None else str(undoes)}
    write_sql(connection, "many/change_sales", given)


def _differs(sale: Header, changes: Mapping[str, Any]) -> bool:
    return any(sale[name] != value for name, value in changes.items())


def _why_not(rights: Rights, sale: Header, changes: Mapping[str, Any]) -> str:
    """Why this sale may not get these values; empty when it may. It must be the actor's before and after."""
    number = sale["transaction_id"]
    if sale["return_of"] is not None:
        return _(RETURN_NOT_EDITED, **{"id": number, "of": sale["return_of"]})
    try:
        for store in (sale["store_id"], changes.get("store_id", sale["store_id"])):
            rights.refuse(sale["transaction_time"], store)
    except RoleRefused as error:
        return _("Transaction {id}: {why}", **{"id": number, "why": error})
    return ""
