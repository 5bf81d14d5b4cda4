"""write() -> the accepted sales of a file in the master: all of them in one transaction, by COPY, or none."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from io import RawIOBase
from pathlib import Path

import duckdb
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from workbench import locale
from workbench.database.sql_files import WritingConnection, read_sql, run_sql, write_sql
from workbench.database.writes import commit, copy_in, master_in_words
from workbench.errors import ImportRefused, ImportStopped, WorkbenchError
from workbench.imports.files import DryRun, ImportFile
from workbench.locale import N_, _, sentences
from workbench.sales.rights import Rights
from workbench.words import counted

AGAIN = N_("Run it dry again.")
STOPPED = N_("The import was stopped. Nothing was imported.")
BYTES_OF_LINE = 90  # about, with its share of the header
COPIED = {
    "copied_headers": "bulk/copy_headers",
    "copied_lines": "bulk/copy_lines",
    "copied_imported": "imports/copy_imported",
}
_COPIED = "format csv, header false, delimiter '\t', quote '\x01', escape '\x01', nullstr '\\N'"


@dataclass(frozen=True)
class Imported:
    """What an import added; ``import_id`` is None when there was nothing to add."""

    import_id: int | None
    sales: int
    lines: int
    revenue: Decimal
    refused_rows: int
    seconds: float
    first_id: int | None = None
    last_id: int | None = None


def write(
    file: ImportFile,
    *,
    accepted_only: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Imported:
    """Saves what the dry run has accepted, one entry in the audit log for all; asked again it adds nothing.

    ``progress`` is told how many of how many lines are copied. Raises ImportRefused when rows are refused, unless
    ``accepted_only``, and when anything was imported since the dry run; ImportStopped, RoleRefused, SignedOut,
    ServerUnavailable, and OutcomeUnknown.
    """
    started = time.monotonic()
    found = file.result or file.dry_run(should_stop)
    actor = _allowed(file)
    if found.refused and not accepted_only:
        raise ImportRefused(
            _(
                "{rows} of {file} cannot be imported, so nothing was. Mend them, or import the accepted rows alone.",
                **{"rows": counted(found.refused, "row"), "file": file.name},
            )
        )
    if not found.sales:
        return Imported(None, 0, 0, Decimal(), found.refused, time.monotonic() - started)
    with master_in_words(file.engines), file.engines.owner.connect() as connection:
        added = _Copy(file, found, actor, progress, should_stop).run(connection)
        commit(connection)  # autovacuum tells the planner within a minute
    import_id, first, last = added
    seconds = time.monotonic() - started
    return Imported(import_id, found.sales, found.lines, found.revenue, found.refused, seconds, first, last)


def _allowed(file: ImportFile) -> str:
    """The actor's name, when they may write now what they might at the dry run."""
    now, then = Rights.of(file.actor, file.engines.settings), file.rights
    if then is None or (now.since, now.actor.stores) != (then.since, then.actor.stores):
        changed = _("What {name} may write has changed since the dry run.", name=now.actor.name)
        raise ImportRefused(sentences(changed, _(AGAIN)))
    return now.actor.name


class _Copy:
    """One import under way, in one transaction."""

    def __init__(
        self,
        file: ImportFile,
        found: DryRun,
        actor: str,
        progress: Callable[[int, int], None],
        should_stop: Callable[[], bool],
    ) -> None:
        self._file, self._found, self._actor = file, found, actor
        self._progress, self._should_stop = progress, should_stop
        self._copied = 0
        self._returned: list[int] = []

    def run(self, connection: WritingConnection) -> tuple[int, int, int]:
        """Number of the import, first and last id of its sales."""
        write_sql(connection, "imports/lock_imports")
        if run_sql(connection, "imports/imports_seen").scalar_one() != self._file.seen:
            moved = _("Sales were imported, or an import undone, since the dry run.")
            raise ImportRefused(sentences(moved, _(AGAIN)))
        self._lock_sold(connection)
        import_id = self._add_import(connection)
        run_sql(connection, "bulk/without_row_triggers")
        first, last = self._number(connection)
        for name, path in self._written(import_id):
            with path.open("rb", buffering=0) as text:
                _copied(connection, name, _Watched(text, self._told))
            path.unlink()
        self._check(connection, first, last)
        self._audit(connection, import_id, first, last)
        return import_id, first, last

    def _lock_sold(self, connection: WritingConnection) -> None:
        """Holds the stored sales that returns take back from."""
        text = "from header select distinct return_of where return_of is not null"
        self._returned = [row[0] for row in self._file.database.execute(text).fetchall()]
        if self._returned:
            found = write_sql(connection, "imports/lock_sold", {"ids": self._returned}).all()
            if len(found) < len(self._returned):
                gone = _("A sale that items are returned of was deleted since the dry run.")
                raise ImportRefused(sentences(gone, _(AGAIN)))

    def _add_import(self, connection: WritingConnection) -> int:
        values = {
            "actor": self._actor,
            "file_name": self._file.name,
            "file_hash": self._file.hash,
            "mapping": self._file.mapping.to_json(),
            "sales": self._found.sales,
            "lines": self._found.lines,
            "revenue": self._found.revenue,
            "refused_rows": self._found.refused,
        }
        return int(write_sql(connection, "imports/add_import", values).scalar_one())

    def _number(self, connection: WritingConnection) -> tuple[int, int]:
        """Gives each sale an id of the sequence, in the file's order."""
        taken = write_sql(connection, "bulk/take_ids", {"count": self._found.sales}).one()
        ids = taken.scattered_ids or range(taken.first_id, taken.first_id + self._found.sales)
        self._file.database.execute(read_sql("imports/numbered"), {"ids": list(ids)})
        return ids[0], ids[-1]

    def _written(self, import_id: int) -> Iterator[tuple[str, Path]]:
        """The statements of the COPYs with their texts, each made while the one before is copied."""
        database = self._file.database
        database.execute("set variable import_id = $1", [import_id])
        for statement in duckdb.extract_statements(read_sql("imports/copied")):
            database.execute(statement)

        def made(view: str) -> Path:
            path = self._file.folder / view
            database.execute(f"copy {view} to '{path}' ({_COPIED})")
            return path

        with ThreadPoolExecutor(max_workers=1) as maker:
            for name, path in [(name, maker.submit(made, view)) for view, name in COPIED.items()]:
                yield name, path.result()

    def _told(self, count: int) -> None:
        if self._should_stop():
            raise ImportStopped(_(STOPPED))
        self._copied += count
        self._progress(min(self._copied // BYTES_OF_LINE, self._found.lines), self._found.lines)

    def _check(self, connection: sa.Connection, first: int, last: int) -> None:
        """As triggers and foreign key would have, of all sales at once."""
        wrong = run_sql(connection, "bulk/wrong_sales", {"first_id": first, "last_id": last}).scalar_one()
        if wrong and self._returned:
            back = _("Items of a sale were returned since the dry run, and are not left any more.")
            raise ImportRefused(sentences(back, _(AGAIN)))
        if wrong:
            raise WorkbenchError(
                _(
                    "Import: {n} of the transactions {first} to {last} have no lines, or totals that are not those of"
                    " their lines. Nothing was imported. Please report this, with the file.",
                    **{"n": locale.number(wrong), "first": first, "last": last},
                )
            )
        if self._should_stop():
            raise ImportStopped(_(STOPPED))

    def _audit(self, connection: WritingConnection, import_id: int, first: int, last: int) -> None:
        after = {
            "import_id": import_id,
            "file": self._file.name,
            "sales": self._found.sales,
            "lines": self._found.lines,
            "revenue": str(self._found.revenue),
            "first_id": first,
            "last_id": last,
        }
        reason = f"import {import_id}: {self._file.name}"
        values = {"actor": self._actor, "after": json.dumps(after), "reason": reason}
        write_sql(connection, "imports/audit_import", values)


def _copied(connection: sa.Connection, name: str, text: _Watched) -> None:
    """As ``copy_in``; what was raised while the text was read is raised, which the driver keeps to itself."""
    try:
        copy_in(connection, name, text)  # type: ignore[arg-type]
    except DBAPIError:
        if text.error is not None:
            raise text.error from None
        raise


class _Watched(RawIOBase):
    """A file that tells of each part that is read of it, and remembers what that raised."""

    def __init__(self, file: RawIOBase, told: Callable[[int], None]) -> None:
        super().__init__()
        self._file, self._told = file, told
        self.error: Exception | None = None

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        part = self._file.read(size) or b""
        try:
            self._told(len(part))
        except Exception as error:
            self.error = error
            raise
        return part
