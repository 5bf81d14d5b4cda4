"""The sales service: the only writer of sales, and a session's reads of single ones."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal, NoReturn
from uuid import UUID

import sqlalchemy as sa
from psycopg2.errors import UniqueViolation
from sqlalchemy.exc import IntegrityError

from workbench import telemetry
from workbench.accounts.actor import Actor, as_actor
from workbench.config.clock import StoreClock
from workbench.database.engines import Engines
from workbench.database.positions import Stopwatch
from workbench.database.replication import Answer, Reader, ReadPosition
from workbench.database.sql_files import WritingConnection, run_sql
from workbench.database.writes import StillOpen, Write, run_file
from workbench.errors import (
    NOTHING_DONE,
    AlreadyUndone,
    FieldError,
    OutcomeUnknown,
    RequestReused,
    ReturnRefused,
    RoleRefused,
    SaleConflict,
    SaleNotFound,
    SaleRefused,
    ServerBusy,
    ServerUnavailable,
    SignedOut,
    WorkbenchError,
)
from workbench.locale import N_, _, sentences
from workbench.sales.doubts import refuse_unlisted
from workbench.sales.history import (
    Change,
    as_before,
    entry_of,
    find_history,
    find_lines,
    find_sale,
    foreign_lines,
    raise_if_moved,
)
from workbench.sales.models import Line, ReturnInput, Sale, SaleInput, parse_reason
from workbench.sales.returns import (
    Returnable,
    Returned,
    find_recorded_returns,
    is_no_edit,
    return_refused,
    return_values,
    returnable_of,
)
from workbench.sales.rights import Rights

Operation = Literal["create", "update", "delete", "restore"]
REASONS: dict[type[WorkbenchError], str] = {  # why a write was not done, as it is counted
    SaleRefused: "invalid",
    RoleRefused: "role",
    SignedOut: "signed out",
    SaleNotFound: "not found",
    AlreadyUndone: "already undone",
    ReturnRefused: "return",
    RequestReused: "request reused",
    ServerUnavailable: "unavailable",
    ServerBusy: "busy",
    OutcomeUnknown: "outcome unknown",
}
UNDOING = N_("To take back what was saved or deleted")
REQUEST_KEY = "sales_request_pkey"


@dataclass(frozen=True)
class Saved:
    """What a write did: the sale's id and version after it. ``is_repeat``: this request had been accepted before.

    ``visible`` will have, for each follower, the seconds from the commit until it shows it (None: it takes too long).
    ``transaction_time`` is that of a new sale; None when it has gone since.
    """

    operation: Operation
    transaction_id: int
    version: int
    is_repeat: bool = False
    visible: Mapping[str, Future[float | None]] = field(default_factory=dict, compare=False)
    transaction_time: datetime | None = None


@dataclass
class Sales:
    """Reads and writes sales for one session (a browser session, a notebook, a command).

    ``actor`` is who the audit log names, and who writes no more than role and stores of the account allow. After each
    write, and after one that was refused because of what the master has, ``read_position`` holds the master's, so that
    the next read shows it; ``stopwatch`` times when the followers do.

    Each write has a ``request_id`` of the caller's: the same one again returns the first result, is_repeat, and raises
    RequestReused when its content differs. All raise RoleRefused, SignedOut, ServerUnavailable when nothing was saved,
    ServerBusy among it, and OutcomeUnknown, after which the same request may be sent again; they take six seconds at
    most.
    """

    engines: Engines
    reader: Reader
    read_position: ReadPosition
    actor: Actor | str = ""
    stopwatch: Stopwatch | None = None

    def __post_init__(self) -> None:
        self.actor = as_actor(self.actor)

    @property
    def may_write(self) -> bool:
        """Whether the actor may write any sale at all."""
        return as_actor(self.actor).may("editor")

    @property
    def may_undo(self) -> bool:
        """Whether the actor may take back what was saved or deleted."""
        return as_actor(self.actor).may("admin")

    def refuse(self, sale: Sale) -> None:
        """Raises RoleRefused when the actor may not change this sale, and SignedOut."""
        Rights.of(as_actor(self.actor), self.engines.settings).refuse(sale.transaction_time, sale.store_id)

    @property
    def clock(self) -> StoreClock:
        """The stores' clock."""
        return self.engines.settings.clock

    def create(self, sale: SaleInput, request_id: UUID) -> Saved:
        """Writes header and lines in one transaction: two round trips, the second for the session's token.

        A sale without a time (None, or what pandas calls missing: NaT) gets the stores' clock's, as of now: it is its
        moment, however long a form was open.
        """
        self._rights("create", {})
        refuse_unlisted(self.reader, self.read_position, sale)
        return self._write("create", None, sale, request_id, lambda connection: None)

    def give_back(self, taken: ReturnInput, request_id: UUID) -> Saved:
        """Writes a return: a sale of its own that takes items of another one back, with its customer.

        It is this actor's to write when its own time and store are: that of the sale, however old, is not changed.
        Raises SaleNotFound, and SaleRefused that says what is left for each line that asks for more.
        """
        now = self.clock.now()
        rights = self._rights("create", {})
        rights.refuse(taken.transaction_time or now, taken.store_id)
        keys = {
            "request_id": str(request_id),
            "fingerprint": _fingerprint("create", None, taken, {}),
            "actor": rights.actor.name,
        }

        def attempt(connection: WritingConnection) -> tuple[Saved, float]:
            try:
                saved = _given_back(connection, taken, now, keys)
            except WorkbenchError:  # what an earlier submit of it has given back is not left any more
                repeat = _repeated(connection, keys)
                if repeat is None:
                    raise
                saved = repeat
            return saved, time.monotonic()

        return self._saved("create", attempt)

    def update(self, transaction_id: int, version: int, sale: SaleInput, request_id: UUID) -> Saved:
        """Replaces header and lines of the sale that was loaded at ``version``; lines with an item_id are kept.

        Raises SaleConflict (with the sale as it is now) when it has moved on, SaleNotFound, and SaleRefused for an
        item_id of another sale.
        """
        if sale.transaction_time is None:
            kept = _("a stored sale keeps its time, or gets another")
            raise SaleRefused([FieldError("transaction_time", None, kept)])

        def explain(connection: sa.Connection) -> NoReturn:
            raise_if_moved(connection, transaction_id, version)
            raise SaleRefused(foreign_lines(connection, transaction_id, sale))

        self._rights("update", {})
        if self.engines.settings.workbench_unknown_ids == "refuse":
            stored = self.get(transaction_id, for_edit=True).value
            refuse_unlisted(self.reader, self.read_position, sale, stored)
        return self._write("update", (transaction_id, version), sale, request_id, explain, {"undoes": ""})

    def delete(self, transaction_id: int, version: int, request_id: UUID, reason: str) -> Saved:
        """Deletes the sale that was loaded at ``version``, with its lines; the log keeps them, and the ``reason``.

        Raises SaleRefused without a reason, SaleNotFound when it is gone already, SaleConflict when it has moved on.
        """
        why = {"reason": parse_reason(reason)}

        def explain(connection: sa.Connection) -> None:
            raise_if_moved(connection, transaction_id, version)

        return self._write("delete", (transaction_id, version), None, request_id, explain, why)

    def undo(self, transaction_id: int, audit_id: int, request_id: UUID) -> Saved:
        """Takes back one save of the sale's history, as a new one: what was deleted is there again, with its id and its
        lines', what was edited is as it was before, a removed line as a new one.

        Raises AlreadyUndone, or that it cannot be undone, SaleConflict when the sale has moved on since, SaleNotFound.
        """
        as_actor(self.actor).need("admin", UNDOING)
        change = self.find_change(transaction_id, audit_id)

        def explain(connection: sa.Connection) -> None:
            found = self.find_change(transaction_id, audit_id)  # the writer does not read the log
            if found.is_undone or found.kind == "deleted":
                was = _("This change of transaction {id} was undone already.", id=transaction_id)
                raise AlreadyUndone(sentences(was, _(NOTHING_DONE)))
            raise_if_moved(connection, transaction_id, found.after["version"] if found.after else 0)

        if change.kind == "deleted":
            loaded, of = (transaction_id, audit_id), {"audit_id": audit_id, "reason": ""}
            return self._write("restore", loaded, None, request_id, explain, of)
        if change.before is None or change.after is None:
            cannot = _("This change of transaction {id} cannot be undone.", id=transaction_id)
            raise AlreadyUndone(sentences(cannot, _(NOTHING_DONE)))
        if change.return_of is not None:
            raise ReturnRefused(is_no_edit(transaction_id, change.return_of))
        loaded = (transaction_id, change.after["version"])
        return self._write("update", loaded, as_before(change), request_id, explain, {"undoes": str(audit_id)})

    def find_change(self, transaction_id: int, audit_id: int) -> Change:
        """One save of the sale's history, as the master has it. Raises AlreadyUndone when it has none such."""
        found = self.reader.read_master(self.read_position, lambda c: find_history(c, transaction_id), "sale history")
        return entry_of(found.value, transaction_id, audit_id)

    def get(self, transaction_id: int, *, for_edit: bool = False) -> Answer[Sale]:
        """The sale with its lines; from the master when it is ``for_edit``. Raises SaleNotFound."""
        read = self.reader.read_master if for_edit else self.reader.read
        answer = read(self.read_position, lambda c: find_sale(c, transaction_id), "sale")
        if answer.value is None:
            raise SaleNotFound(transaction_id)
        return Answer(answer.value, answer.engine, answer.as_of, answer.note)

    def lines(self, transaction_id: int) -> Answer[list[Line]]:
        """The lines of a sale in the order of entry; an empty list when there is no such sale."""
        return self.reader.read(self.read_position, lambda c: find_lines(c, transaction_id), "sale lines")

    def returnable(self, transaction_id: int) -> Answer[tuple[Sale, list[Returnable]]]:
        """The sale, and what of it can still be given back, as the master has both. Raises SaleNotFound, and
        ReturnRefused for a return."""

        def work(connection: sa.Connection) -> tuple[Sale, list[Returnable]]:
            return returnable_of(connection, transaction_id)

        return self.reader.read_master(self.read_position, work, "returnable")

    def returns(self, transaction_id: int) -> Answer[list[Returned]]:
        """The returns that take back from the sale, the oldest first, with who recorded each."""
        return self.reader.read(self.read_position, lambda c: find_recorded_returns(c, transaction_id), "returns")

    def history(self, transaction_id: int) -> Answer[list[Change]]:
        """Who saved the sale, when and what each save changed, the newest first; also of a sale that is gone."""
        return self.reader.read(self.read_position, lambda c: find_history(c, transaction_id), "sale history")

    def _rights(self, operation: Operation, more: Mapping[str, Any]) -> Rights:
        """What the actor may write now; only an admin takes back what somebody has saved or deleted."""
        actor = as_actor(self.actor)
        if operation == "restore" or more.get("undoes"):
            actor.need("admin", UNDOING)
        return Rights.of(actor, self.engines.settings)

    def _write(
        self,
        operation: Operation,
        loaded: tuple[int, int] | None,
        sale: SaleInput | None,
        request_id: UUID,
        explain: Callable[[sa.Connection], None],
        more: Mapping[str, Any] = MappingProxyType({}),
    ) -> Saved:
        """Writes, counts what became of it, and has the commit timed. ``loaded``: which sale, at which version.

        ``more`` is what this operation says besides, such as why.
        """
        rights = self._rights(operation, more)
        values: dict[str, Any] = dict(zip(("transaction_id", "version"), loaded or (), strict=False))
        if sale is not None:
            values |= sale_values(sale, self.clock.now())
            rights.refuse(values["transaction_time"], values["store_id"])
        fingerprint = _fingerprint(operation, loaded, sale, {name: value for name, value in more.items() if value})
        values |= {**more, "request_id": str(request_id), "fingerprint": fingerprint, "actor": rights.actor.name}

        def attempt(connection: WritingConnection) -> tuple[Saved, float]:
            if loaded is not None and not rights.are_all:
                _refuse_stored(connection, rights, *loaded)
            return _attempt(connection, operation, values, explain), time.monotonic()

        return self._saved(operation, attempt)

    def _saved(self, operation: Operation, attempt: Callable[[WritingConnection], tuple[Saved, float]]) -> Saved:
        try:
            saved, committed_at = Write(self.engines, self.read_position, f"{operation} the transaction").run(attempt)
        except SaleConflict:
            telemetry.CONFLICTS.inc()
            raise
        except WorkbenchError as error:
            telemetry.REFUSALS.labels(REASONS.get(type(error), "other")).inc()
            raise
        if saved.is_repeat:
            return saved
        telemetry.WRITES.labels(operation).inc()
        if self.stopwatch is None or self.read_position.token is None:
            return saved
        return replace(saved, visible=self.stopwatch.save(self.read_position.token, committed_at))


def _refuse_stored(connection: sa.Connection, rights: Rights, transaction_id: int, version: int) -> None:
    """Raises RoleRefused when the sale that is to be changed is not this actor's; of one version it is always the same
    sale, so that it cannot become another's before it is written."""
    stored = find_sale(connection, transaction_id)
    if stored is not None and stored.version == version:
        rights.refuse(stored.transaction_time, stored.store_id)


def _attempt(
    connection: WritingConnection,
    operation: Operation,
    values: dict[str, Any],
    explain: Callable[[sa.Connection], None],
) -> Saved:
    """Runs ``<operation>_sale.sql``. When it changes nothing: the request's first result, or ``explain`` raises why."""
    try:
        row = run_file(connection, f"queries/{operation}_sale", values)
    except IntegrityError as error:
        if refused := return_refused(connection, values, error):
            raise refused from None
        if not isinstance(error.orig, UniqueViolation) or error.orig.diag.constraint_name != REQUEST_KEY:
            raise
        row = None  # the request was accepted before
    if row is not None:
        at = getattr(row, "transaction_time", None)
        return Saved(operation, row.transaction_id, row.version, transaction_time=at)
    repeat = _repeated(connection, values)
    if repeat is not None:
        return repeat
    explain(connection)
    raise StillOpen  # what stood in the way has gone since: a request rolled back, a conflict withdrawn


def _given_back(connection: WritingConnection, taken: ReturnInput, now: datetime, keys: Mapping[str, Any]) -> Saved:
    """Saves a return of what is left now. Raises StillOpen when somebody has given of it back in between."""
    values = {**keys, **return_values(*returnable_of(connection, taken.return_of), taken, now)}
    try:
        return _attempt(connection, "create", values, lambda connection: None)
    except ReturnRefused:
        raise StillOpen from None


def sale_values(sale: SaleInput, now: datetime) -> dict[str, Any]:
    """A sale as the statements that save it take it; without a time of its own it is of ``now``."""
    header = sale.model_dump(exclude={"lines"}) | {"transaction_time": sale.transaction_time or now, "return_of": None}
    lines = [line.model_dump(mode="json") for line in sale.lines]
    totals = {"total_amount": sale.total_amount, "total_discount": sale.total_discount}
    return header | totals | {"lines": json.dumps(lines)}


def _fingerprint(
    operation: Operation,
    loaded: tuple[int, int] | None,
    sale: SaleInput | ReturnInput | None,
    more: Mapping[str, Any],
) -> str:
    said = [operation, loaded, sale and sale.model_dump(mode="json"), *([more] if more else [])]
    content = json.dumps(said, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def _repeated(connection: sa.Connection, values: Mapping[str, Any]) -> Saved | None:
    """The result of this request's first submit; None when there was none. Raises RequestReused for another's."""
    row = run_sql(connection, "queries/request", {"request_id": values["request_id"]}).one_or_none()
    if row is None:
        return None
    if row.fingerprint != values["fingerprint"]:
        raise RequestReused(values["request_id"], row.transaction_id)
    return Saved(row.operation, row.transaction_id, row.version, is_repeat=True, transaction_time=row.transaction_time)
