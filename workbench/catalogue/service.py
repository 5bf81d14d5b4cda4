"""The catalogue's service: the only writer of its entries, and the reads of them.

The statements are made of the fields, so that a new one is a column of the migration and a row in ``fields``.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from workbench.accounts.actor import Actor, as_actor
from workbench.catalogue.fields import KINDS, Kind, Values
from workbench.database.deadline import time_limit
from workbench.database.engines import Engines
from workbench.database.failures import state_of
from workbench.database.positions import position
from workbench.database.replication import Answer, Reader, ReadPosition
from workbench.database.sql_files import run_sql, write_sql
from workbench.database.writes import SAVE_SECONDS, commit, master_in_words
from workbench.errors import (
    AlreadyUndone,
    EntryConflict,
    EntryInUse,
    EntryNotFound,
    EntryRefused,
    FieldError,
    ImportRefused,
)
from workbench.locale import N_, _

T = TypeVar("T")
CHANGING, SEEING = N_("To change the catalogue"), N_("To see customers' names")
FOREIGN_KEY_VIOLATION = "23503"
MOST_LOGGED = 200
MOST_NAMED = 5
SAVE_ALL_SECONDS = 120.0


@dataclass(frozen=True)
class Entry:
    """An entry as it is stored: its fields by name, and its version, which no other state of any entry has."""

    values: Values
    version: int
    updated_at: datetime | None = None


@dataclass(frozen=True)
class LogEntry:
    """A change of an entry: its columns before and after, None where it was not there; without customers' names."""

    log_id: int
    logged_at: datetime
    actor: str
    operation: str
    kind: str
    entry_key: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    undoes: int | None
    is_undone: bool

    @property
    def changed(self) -> dict[str, tuple[Any, Any]]:
        """The fields that it changed, each with what it was and what it is."""
        before, after = self.before or {}, self.after or {}
        names = KINDS[self.kind].by_name
        return {name: (before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)}


@dataclass(frozen=True)
class SavedAll:
    """What became of many entries: how many are new, changed, and were there as they are."""

    new: int
    changed: int
    same: int


@dataclass
class Catalogue:
    """Reads and writes the catalogue for one session. Each write is one transaction with the log's entries of it.

    Admins alone write, by the owner's role: neither the app's writer nor its reader may. All writes raise RoleRefused,
    SignedOut, ServerUnavailable when nothing was saved, and OutcomeUnknown.
    """

    engines: Engines
    reader: Reader
    read_position: ReadPosition
    actor: Actor | str = ""

    def __post_init__(self) -> None:
        self._actor = as_actor(self.actor)

    def need(self) -> Actor:
        """The actor, if they may change the catalogue at this moment. Raises RoleRefused and SignedOut."""
        return self._actor.need("admin", CHANGING)

    def find_all(self, kind: Kind) -> Answer[list[Entry]]:
        """All entries by their keys, customers for admins alone. Raises RoleRefused, SchemaError, ServerUnavailable."""
        if kind.is_private:
            self._actor.need("admin", SEEING)
            return self.reader.read_master(self.read_position, lambda _: self._of_owner(lambda c: entries(c, kind)))
        return self.reader.read(self.read_position, lambda c: entries(c, kind), "catalogue")

    def find(self, kind: Kind, key: Sequence[Any]) -> Entry | None:
        """The entry as the master has it, to be edited; None when there is none."""
        if kind.is_private:
            self._actor.need("admin", SEEING)
            return self._of_owner(lambda c: _find(c, kind, key))
        return self.reader.read_master(self.read_position, lambda c: _find(c, kind, key), "catalogue").value

    def create(self, kind: Kind, given: Mapping[str, Any]) -> Entry:
        """A new entry of what was typed. Raises EntryRefused, also where one of this key has other content."""
        values = kind.parse(given)
        return self._write(lambda c: _create(c, kind, values))

    def update(self, kind: Kind, given: Mapping[str, Any], version: int) -> Entry:
        """The entry of this key with what was typed, if it is still at ``version``.

        Raises EntryRefused, EntryNotFound, and EntryConflict when it has moved on to other content.
        """
        values = kind.parse(given)
        return self._write(lambda c: _update(c, kind, values, version))

    def delete(self, kind: Kind, key: Sequence[Any], version: int) -> None:
        """Deletes the entry if it is still at ``version``; a product's prices go with it.

        Raises EntryNotFound, EntryConflict, and EntryInUse for a store that cashiers name.
        """
        self._write(lambda c: _delete(c, kind, key, version))

    def save_all(
        self,
        kind: Kind,
        rows: Iterable[Values],
        *,
        may_change: bool = True,
        stored: Mapping[tuple[Any, ...], Values] | None = None,
    ) -> SavedAll:
        """Makes all these entries, which ``Kind.parse`` made, in one transaction, and changes those that are there.

        Raises EntryRefused, and ImportRefused where one of them is not as it was in ``stored`` any more.
        """
        found = list(rows)
        return self._write(lambda c: _save_all(c, kind, found, may_change, stored), seconds=SAVE_ALL_SECONDS)

    def delete_same(self, kind: Kind, rows: Iterable[Values]) -> int:
        """Deletes those of these entries that are there just so and that no other names; gives how many."""
        found = list(rows)
        return self._write(lambda c: _delete_same(c, kind, found), seconds=SAVE_ALL_SECONDS)

    def log(self, kind: Kind | None = None, key: Sequence[Any] | None = None) -> Answer[list[LogEntry]]:
        """The newest changes first: of one entry, of one kind, or of all. Raises SchemaError, ServerUnavailable."""
        entry_key = None if key is None else " ".join(str(part) for part in key)
        name = None if kind is None else kind.name
        return self.reader.read(self.read_position, lambda c: _log(c, name, entry_key), "catalogue")

    def undo(self, log_id: int) -> None:
        """Takes back what an entry of the log tells, if nothing has changed the same since.

        Raises AlreadyUndone when it was or cannot be, and what the change itself raises.
        """

        def work(connection: sa.Connection) -> None:
            found = _log(connection, log_id=log_id)
            if not found:
                raise AlreadyUndone(_("There is no change {n} of the catalogue.", n=log_id))
            _undo(connection, found[0])

        self._write(work, undoes=log_id)

    def _write(
        self, work: Callable[[sa.Connection], T], *, undoes: int | None = None, seconds: float = SAVE_SECONDS
    ) -> T:
        who = self.need().name
        with master_in_words(self.engines), time_limit(seconds), self.engines.owner.connect() as connection:
            write_sql(connection, "catalogue/say", {"actor": who, "undoes": str(undoes or "")})
            done = work(connection)
            commit(connection)
            self.read_position.token = position(connection)
        return done

    def _of_owner(self, work: Callable[[sa.Connection], T]) -> T:
        with master_in_words(self.engines), time_limit(SAVE_SECONDS), self.engines.owner.connect() as connection:
            return work(connection)


def _table(kind: Kind) -> sa.TableClause:
    return sa.table(kind.name, *(sa.column(name) for name in (*kind.by_name, "version", "updated_at")))


def entries(connection: sa.Connection, kind: Kind) -> list[Entry]:
    """All entries of a kind by their keys."""
    table = _table(kind)
    return [_entry(kind, row) for row in connection.execute(sa.select(table).order_by(*_key_columns(kind, table)))]


def _find(connection: sa.Connection, kind: Kind, key: Sequence[Any]) -> Entry | None:
    table = _table(kind)
    row = connection.execute(sa.select(table).where(_is(kind, table, key))).one_or_none()
    return None if row is None else _entry(kind, row)


def _create(connection: sa.Connection, kind: Kind, values: Values) -> Entry:
    table = _table(kind)
    text = insert(table).values(values).on_conflict_do_nothing().returning(*table.columns)
    with _references_hold(kind, values):
        row = connection.execute(text).one_or_none()
    if row is not None:
        return _entry(kind, row)
    stored = _find(connection, kind, kind.key_of(values))
    if stored is not None and stored.values == values:
        return stored
    name = kind.key[-1]
    there = _("there is a {kind} of it already: edit that one", kind=_(kind.noun))
    raise EntryRefused([FieldError(name, values[name], there)])


def _update(connection: sa.Connection, kind: Kind, values: Values, version: int) -> Entry:
    table, key = _table(kind), kind.key_of(values)
    changed = {name: value for name, value in values.items() if name not in kind.key}
    text = sa.update(table).where(_is(kind, table, key), table.c.version == version).values(changed)
    with _references_hold(kind, values):
        row = connection.execute(text.returning(*table.columns)).one_or_none()
    if row is not None:
        return _entry(kind, row)
    theirs = _moved(connection, kind, key)
    if theirs.values == values:
        return theirs
    raise EntryConflict(kind.called(values), theirs)


def _delete(connection: sa.Connection, kind: Kind, key: Sequence[Any], version: int) -> None:
    table = _table(kind)
    text = sa.delete(table).where(_is(kind, table, key), table.c.version == version).returning(table.c.version)
    try:
        is_done = connection.execute(text).one_or_none() is not None
    except IntegrityError as error:
        if state_of(error) != FOREIGN_KEY_VIOLATION:
            raise
        entry = _called(kind, key)
        raise EntryInUse(
            _("{entry} has cashiers: give them another store, or delete them first.", entry=entry)
        ) from None
    if not is_done:
        raise EntryConflict(_called(kind, key), _moved(connection, kind, key))


def _save_all(
    connection: sa.Connection,
    kind: Kind,
    rows: list[Values],
    may_change: bool,
    stored: Mapping[tuple[Any, ...], Values] | None,
) -> SavedAll:
    table = _table(kind)
    there = {kind.key_of(entry.values): entry.values for entry in entries(connection, kind)}
    other = {kind.key_of(row): row for row in rows if there.get(kind.key_of(row)) != row}
    if stored is not None and (moved := [key for key in other if stored.get(key) != there.get(key)]):
        named = ", ".join(_called(kind, key) for key in moved[:MOST_NAMED])
        raise ImportRefused(
            _(
                "{entries} changed since the file was checked: nothing was imported. Bring the file again.",
                entries=named,
            )
        )
    if not may_change:
        other = {key: row for key, row in other.items() if key not in there}
    if other:
        text = insert(table).values({name: sa.bindparam(name) for name in kind.by_name})
        given = {name: text.excluded[name] for name in kind.by_name if name not in kind.key}
        with _references_hold(kind, {}):
            connection.execute(text.on_conflict_do_update(index_elements=kind.key, set_=given), list(other.values()))
    changed = len(other.keys() & there.keys())
    return SavedAll(len(other) - changed, changed, len(rows) - len(other))


def _delete_same(connection: sa.Connection, kind: Kind, rows: list[Values]) -> int:
    deleted = 0
    for entry in entries(connection, kind):
        if entry.values in rows:
            with suppress(EntryInUse), connection.begin_nested():
                _delete(connection, kind, kind.key_of(entry.values), entry.version)
                deleted += 1
    return deleted


def _undo(connection: sa.Connection, change: LogEntry) -> None:
    kind = KINDS[change.kind]
    if change.is_undone:
        raise AlreadyUndone(_("This change is undone already."))
    if kind.is_private:
        raise AlreadyUndone(_("The log has no names of customers, so that this change cannot be taken back."))
    before = None if change.before is None else _parsed(kind, change.before)
    if change.after is not None:
        after = _parsed(kind, change.after)
        if before is None:
            return _delete(connection, kind, kind.key_of(after), change.after["version"])
        _update(connection, kind, before, change.after["version"])
    elif before is not None:
        _create(connection, kind, before)


def _parsed(kind: Kind, logged: Mapping[str, Any]) -> Values:
    """What the log has of an entry; a column that came later was not there."""
    return kind.parse({name: logged.get(name) for name in kind.by_name})


def _log(
    connection: sa.Connection, kind: str | None = None, entry_key: str | None = None, log_id: int | None = None
) -> list[LogEntry]:
    values = {"kind": kind, "entry_key": entry_key, "log_id": log_id, "most": MOST_LOGGED}
    return [LogEntry(**row) for row in run_sql(connection, "catalogue/log", values).mappings()]


def _moved(connection: sa.Connection, kind: Kind, key: Sequence[Any]) -> Entry:
    theirs = _find(connection, kind, key)
    if theirs is None:
        entry = _called(kind, key)
        raise EntryNotFound(_("{entry} is not in the catalogue: it was deleted, or never there.", entry=entry))
    return theirs


@contextmanager
def _references_hold(kind: Kind, values: Values) -> Generator[None]:
    """What an entry names of another kind must be there."""
    try:
        yield
    except IntegrityError as error:
        if state_of(error) != FOREIGN_KEY_VIOLATION:
            raise
        name = next(field.name for field in kind.fields if field.of)
        text = _("it must be in the catalogue already")
        raise EntryRefused([FieldError(name, values.get(name, _("of some")), text)]) from None


def _is(kind: Kind, table: sa.TableClause, key: Sequence[Any]) -> sa.ColumnElement[bool]:
    return sa.and_(*(column == part for column, part in zip(_key_columns(kind, table), key, strict=True)))


def _key_columns(kind: Kind, table: sa.TableClause) -> list[sa.ColumnClause[Any]]:
    return [table.c[name] for name in kind.key]


def _called(kind: Kind, key: Sequence[Any]) -> str:
    return kind.called(dict(zip(kind.key, key, strict=True)))


def _entry(kind: Kind, row: sa.Row[Any]) -> Entry:
    values = {name: row._mapping[name] for name in kind.by_name}
    return Entry(values, row._mapping["version"], row._mapping["updated_at"])
