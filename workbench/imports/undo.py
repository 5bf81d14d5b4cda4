"""Imports that were made: which there are, taking one back, and the mappings that are kept by name."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa

from workbench import locale
from workbench.accounts.actor import Actor, as_actor
from workbench.database.engines import Engines
from workbench.database.sql_files import run_sql, write_sql
from workbench.database.writes import commit, master_in_words
from workbench.errors import ImportRefused, ImportStopped
from workbench.imports.files import IMPORTING
from workbench.imports.mapping import FileMapping
from workbench.locale import N_, _, ngettext, sentences
from workbench.words import counted, hidden

UNDOING = N_("To undo an import")
MOST_LISTED = 200
AT_ONCE = 500  # sales between two looks whether to stop


@dataclass(frozen=True)
class Import:
    """An import that was saved; ``sales_left`` of its sales are there."""

    import_id: int
    imported_at: datetime
    actor: str
    file_name: str
    sales: int
    lines: int
    revenue: Decimal
    refused_rows: int
    undone_at: datetime | None
    undone_by: str | None
    sales_left: int
    first_id: int | None


@dataclass(frozen=True)
class Undone:
    """What an undo took away, and the sales that stay, as they were changed since."""

    import_id: int
    sales: int
    changed: tuple[int, ...]
    seconds: float


def imports(engines: Engines) -> list[Import]:
    """The newest imports first. Raises ServerUnavailable."""
    with master_in_words(engines), engines.master_reader.connect() as connection:
        return [Import(**row) for row in run_sql(connection, "imports/imports", {"most": MOST_LISTED}).mappings()]


def undo(
    engines: Engines,
    import_id: int,
    *,
    actor: Actor | str = "",
    progress: Callable[[int, int], None] = lambda done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Undone:
    """Takes an import back, in one transaction: its sales that nobody has changed since. The log keeps each of them.

    Afterwards the same file can be imported again. Raises ImportRefused when there is nothing to take back,
    ImportStopped, RoleRefused, SignedOut, ServerUnavailable and OutcomeUnknown.
    """
    who, started = as_actor(actor).need("admin", UNDOING).name, time.monotonic()
    with master_in_words(engines), engines.owner.connect() as connection:
        write_sql(connection, "imports/lock_imports")
        _refuse_undone(connection, import_id)
        found = write_sql(connection, "imports/undoable", {"import_id": import_id}).all()
        changed = {row.transaction_id for row in found if row.is_changed}
        changed |= {
            row.transaction_id for row in found if row.return_of in changed
        }  # a sale that stays keeps its returns
        unchanged = [row.transaction_id for row in found if row.transaction_id not in changed]
        if changed and not unchanged:
            raise ImportRefused(
                _("All sales of import {n} that are there were changed since: none was removed.", n=import_id)
            )
        write_sql(connection, "imports/say", {"actor": who, "reason": f"import {import_id} undone"})
        for start in range(0, len(unchanged), AT_ONCE):
            if should_stop():
                raise ImportStopped(_("Undoing the import was stopped. Nothing was removed."))
            write_sql(connection, "imports/delete_sales", {"ids": unchanged[start : start + AT_ONCE]})
            progress(min(start + AT_ONCE, len(unchanged)), len(unchanged))
        write_sql(connection, "imports/set_undone", {"import_id": import_id, "actor": who})
        commit(connection)
    return Undone(import_id, len(unchanged), tuple(sorted(changed)), time.monotonic() - started)


def _refuse_undone(connection: sa.Connection, import_id: int) -> None:
    row = run_sql(connection, "imports/find_import", {"import_id": import_id}).one_or_none()
    if row is None:
        raise ImportRefused(_("There is no import {n}.", n=import_id))
    if row.undone_at is not None:
        raise ImportRefused(_("Import {n} was undone already, by {who}.", n=import_id, who=row.undone_by))


def mappings(engines: Engines) -> dict[str, FileMapping]:
    """The kept mappings by name. Raises ServerUnavailable."""
    with master_in_words(engines), engines.master_reader.connect() as connection:
        rows = run_sql(connection, "imports/mappings").all()
    return {row.mapping_name: FileMapping.of(row.mapping) for row in rows}


def keep_mapping(engines: Engines, name: str, mapping: FileMapping, actor: Actor | str = "") -> str:
    """Keeps a mapping under a name, in place of an earlier one; gives the name. Raises ImportRefused, RoleRefused."""
    who, name = as_actor(actor).need("editor", IMPORTING).name, " ".join(name.split())
    if not name or len(name) > 100 or hidden(name):
        raise ImportRefused(_("A mapping's name is 1 to 100 letters."))
    values = {"mapping_name": name, "mapping": mapping.to_json(), "actor": who}
    with master_in_words(engines), engines.owner.begin() as connection:
        write_sql(connection, "imports/keep_mapping", values)
    return name


def undone_text(undone: Undone) -> str:
    """In words what an undo has done."""
    of = {"n": undone.import_id, "sales": counted(undone.sales, "sale")}
    seconds = locale.number(undone.seconds, 1)
    said = _("Import {n} is undone: {sales} removed in {seconds} s.", **of, seconds=seconds)
    if not undone.changed:
        return said
    named = ", ".join(map(str, undone.changed[:5])) + (", ..." if len(undone.changed) > 5 else "")
    stayed = ngettext(
        "{n} sale stayed, which was changed since (transaction {ids}).",
        "{n} sales stayed, which were changed since (transaction {ids}).",
        len(undone.changed),
        **{"n": locale.number(len(undone.changed)), "ids": named},
    )
    return sentences(said, stayed)
