"""The sales service: the only writer of sales, and the reads of single sales."""

from __future__ import annotations

import getpass
import hashlib
import json
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa

from workbench import telemetry
from workbench.clock import StoreClock
from workbench.engines import Engines
from workbench.errors import (
    FieldError,
    OutcomeUnknown,
    RequestReused,
    SaleConflict,
    SaleNotFound,
    SaleRefused,
    ServerUnavailable,
    WorkbenchError,
)
from workbench.models import Line, Sale, SaleInput
from workbench.positions import mark
from workbench.replication import Answer, Reader, Session
from workbench.retries import StillOpen, retried
from workbench.sql_files import read_sql
from workbench.stopwatch import Stopwatch
from workbench.stored_sale import find_lines, find_sale, foreign_lines, raise_if_moved

Operation = Literal["create", "update", "delete"]
REASONS: dict[type[WorkbenchError], str] = {  # why a write was not done, as it is counted
    SaleRefused: "invalid",
    SaleNotFound: "not found",
    RequestReused: "request reused",
    ServerUnavailable: "unavailable",
    OutcomeUnknown: "outcome unknown",
}


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

    ``actor`` is who the audit log names. After each write ``session`` holds the commit's position, so that this
    session's next read shows it; ``stopwatch`` times when the followers do.
    """

    engines: Engines
    reader: Reader
    session: Session
    actor: str = ""
    stopwatch: Stopwatch | None = None

    def __post_init__(self) -> None:
        self.actor = self.actor or _os_user()

    @property
    def clock(self) -> StoreClock:
        """The stores' clock."""
        return self.engines.settings.clock

    def create(self, sale: SaleInput, request_id: UUID) -> Saved:
        """Writes header and lines in one transaction: two round trips, the second for the session's token.

        A sale without a time gets the stores' clock's, as of now: it is its moment, however long a form was open.
        The same ``request_id`` again returns the first result. Raises RequestReused when its content differs,
        ServerUnavailable or OutcomeUnknown when the master does not answer.
        """
        fingerprint = _fingerprint("create", None, sale)
        values = _header(sale) | {"request_id": str(request_id), "fingerprint": fingerprint, "actor": self.actor}
        values["transaction_time"] = sale.transaction_time or self.clock.now()
        return self._write("create", values, lambda c: _repeated(c, request_id, fingerprint))

    def update(self, transaction_id: int, version: int, sale: SaleInput, request_id: UUID) -> Saved:
        """Replaces header and lines of the sale that was loaded at ``version``; lines with an item_id are kept.

        Raises SaleConflict (with the sale as it is now) when it has moved on, SaleNotFound, SaleRefused for an
        item_id of another sale, and what ``create`` raises.
        """
        if sale.transaction_time is None:
            raise SaleRefused([FieldError("transaction_time", None, "a stored sale keeps its time, or gets another")])
        fingerprint = _fingerprint("update", (transaction_id, version), sale)
        values = _header(sale) | {
            "transaction_id": transaction_id,
            "version": version,
            "request_id": str(request_id),
            "fingerprint": fingerprint,
            "actor": self.actor,
        }

        def explain(connection: sa.Connection) -> Saved:
            repeat = _repeated(connection, request_id, fingerprint)
            if repeat is not None:
                return repeat
            raise_if_moved(connection, transaction_id, version)
            raise SaleRefused(foreign_lines(connection, transaction_id, sale))

        return self._write("update", values, explain)

    def delete(self, transaction_id: int, version: int) -> Saved:
        """Deletes the sale that was loaded at ``version``, with its lines.

        Raises SaleNotFound when it is gone already, SaleConflict when it has moved on, and ServerUnavailable.
        """

        def explain(connection: sa.Connection) -> None:
            raise_if_moved(connection, transaction_id, version)

        values = {"transaction_id": transaction_id, "version": version, "actor": self.actor}
        return self._write("delete", values, explain)

    def get(self, transaction_id: int, *, for_edit: bool = False) -> Answer[Sale]:
        """The sale with its lines; from the master when it is ``for_edit``. Raises SaleNotFound."""
        read = self.reader.read_master if for_edit else self.reader.read
        answer = read(self.session, lambda c: find_sale(c, transaction_id), "sale")
        if answer.value is None:
            raise SaleNotFound(transaction_id)
        return Answer(answer.value, answer.engine, answer.as_of, answer.note)

    def lines(self, transaction_id: int) -> Answer[list[Line]]:
        """The lines of a sale in the order of entry; an empty list when there is no such sale."""
        return self.reader.read(self.session, lambda c: find_lines(c, transaction_id), "sale lines")

    def _write(self, operation: Operation, values: dict[str, Any], explain: Any) -> Saved:
        """Writes, counts what became of it, and moves the session behind the commit."""
        try:
            saved = retried(self.engines, operation, lambda: self._attempt(operation, values, explain))
        except SaleConflict:
            telemetry.CONFLICTS.inc()
            raise
        except WorkbenchError as error:
            telemetry.REFUSALS.labels(REASONS.get(type(error), "other")).inc()
            raise
        committed_at = time.monotonic()
        mark(self.engines, self.session)
        if saved.is_repeat:
            return saved
        telemetry.WRITES.labels(operation).inc()
        if self.stopwatch is None or self.session.token is None:
            return saved
        return replace(saved, visible=self.stopwatch.save(self.session.token, committed_at))

    def _attempt(self, operation: Operation, values: dict[str, Any], explain: Any) -> Saved:
        """Runs ``<operation>_sale.sql``; when that changes nothing ``explain`` gives the first result or raises why."""
        statement = sa.text(read_sql(f"queries/{operation}_sale"))
        with self.engines.master.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            row = connection.execute(statement, values).one_or_none()
            if row is not None:
                at = getattr(row, "transaction_time", None)
                return Saved(operation, row.transaction_id, row.version, transaction_time=at)
            repeat = explain(connection)
            if repeat is None:  # what stood in the way has gone since: a request rolled back, a conflict withdrawn
                raise StillOpen
            return repeat


def _header(sale: SaleInput) -> dict[str, Any]:
    header = sale.model_dump(exclude={"lines"})
    lines = [line.model_dump(mode="json") for line in sale.lines]
    totals = {"total_amount": sale.total_amount, "total_discount": sale.total_discount}
    return header | totals | {"lines": json.dumps(lines)}


def _fingerprint(operation: Operation, key: tuple[int, int] | None, sale: SaleInput) -> str:
    content = json.dumps([operation, key, sale.model_dump(mode="json")], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def _repeated(connection: sa.Connection, request_id: UUID, fingerprint: str) -> Saved | None:
    row = connection.execute(sa.text(read_sql("queries/request")), {"request_id": str(request_id)}).one_or_none()
    if row is None:
        return None
    if row.fingerprint != fingerprint:
        raise RequestReused(request_id, row.transaction_id)
    return Saved(row.operation, row.transaction_id, row.version, is_repeat=True, transaction_time=row.transaction_time)


def _os_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in some containers
        return "unknown"
