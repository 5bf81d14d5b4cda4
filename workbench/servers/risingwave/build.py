"""apply() makes in RisingWave what is missing or has changed, drop() removes it, rotate() gives new passwords."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from pydantic import SecretStr

from workbench.config import Settings
from workbench.database.engines import Engines, connect
from workbench.database.failures import SERVER_ERRORS
from workbench.database.sql_files import read_sql, run_sql
from workbench.errors import RisingWaveRefused, ServerUnavailable
from workbench.servers.risingwave import cdc
from workbench.servers.risingwave.cdc import Say, drop_slot
from workbench.servers.risingwave.console import (
    SLOT,
    Console,
    console,
    ensure_reader,
    keep_superusers,
    let_read,
    set_password,
    signed_in,
)
from workbench.servers.risingwave.relations import (
    FINGERPRINTS,
    FOLLOWED,
    NEW,
    SECRET,
    SOURCE,
    Relation,
    changes_of,
    read_fingerprints,
    tables,
    views,
    write_fingerprints,
)

LOOK_SECONDS = 1.0


@dataclass
class Built:
    """Names of what was made, built anew, left as it was, and removed because no file makes it any more."""

    made: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


def apply(engines: Engines, materialized: Sequence[Relation], say: Say = lambda line: None) -> Built:
    """Builds RisingWave's side with these materialized views; can be repeated, also after it was interrupted.

    ``say`` gets a line for each step, with the progress of long ones. Raises CdcError for what stands in the way,
    RisingWaveRefused for a statement that is refused, ServerUnavailable and SettingsError.
    """
    with console(engines) as rw:
        return _Builder(engines, materialized, rw, say).build()


class _Builder:
    """One run of apply: what there is, what it was made from, and what has been done."""

    def __init__(self, engines: Engines, materialized: Sequence[Relation], rw: Console, say: Say) -> None:
        self._engines, self._materialized, self._rw, self._say = engines, materialized, rw, say
        self._names = rw.names()
        self._fingerprints = read_fingerprints(rw, self._names)
        self._written = dict(self._fingerprints)
        self._built = Built()

    def build(self) -> Built:
        postgresql = cdc.check(self._engines, self._rw.version, SOURCE in self._names)
        settings = self._engines.settings
        cdc.refuse_other(settings, self._names, self._fingerprints)
        keep_superusers(self._rw, settings)
        ensure_reader(self._rw, settings)
        if SOURCE in self._names:
            cdc.keep_password(self._engines, self._rw, self._say)
        for name, mark in cdc.fingerprints_of(settings).items():  # before they are made: an interrupted run goes on
            self._fingerprints[name] = mark
        self._write_marks()
        self._built.made += cdc.make(self._engines, self._rw, self._names, postgresql, self._say)
        for table in FOLLOWED:
            self._rw.run(read_sql("risingwave/templates/subscription").format(name=table))
        self._remove_what_nothing_makes()
        for relation in views():
            self._place(relation, self._make_view, self._make_view)
        for relation in self._materialized:
            self._place(relation, self._fill, self._swap)
        let_read(self._rw, settings)
        return self._built

    def _place(self, relation: Relation, make: Callable[[Relation], None], change: Callable[[Relation], None]) -> None:
        is_there = relation.name in self._names
        if is_there and self._fingerprints.get(relation.name) == relation.fingerprint:
            self._built.kept.append(relation.name)
            return
        if is_there and relation.name not in self._fingerprints:  # an interrupted run left it, perhaps unfinished
            self._drop(relation.name, relation.kind)
            is_there = False
        self._say(f"{'Changing' if is_there else 'Making'} the {relation.kind} {relation.name}")
        (change if is_there else make)(relation)
        self._fingerprints[relation.name] = relation.fingerprint
        self._write_marks()
        (self._built.changed if is_there else self._built.made).append(relation.name)

    def _make_view(self, relation: Relation) -> None:
        self._rw.run(f"drop view if exists {relation.name}")
        self._rw.run(f"create view {relation.name} as\n{relation.text}")

    def _swap(self, relation: Relation) -> None:
        """The old one answers until the new one is filled."""
        new = relation.name + NEW
        # An interrupted run may have left the old one under this name.
        self._rw.run(f"drop materialized view if exists {new} cascade")
        self._fill(Relation(new, relation.kind, relation.text))
        self._rw.run(read_sql("risingwave/templates/swap").format(name=relation.name))
        self._rw.run(f"drop materialized view {new}")

    def _fill(self, relation: Relation) -> None:
        """Returns when the view is filled; until then tells how far it is."""
        with ThreadPoolExecutor(1, thread_name_prefix="materialize") as worker:
            filling = worker.submit(self._rw.run, f"create materialized view {relation.name} as\n{relation.text}")
            done = threading.Event()
            filling.add_done_callback(lambda _: done.set())
            try:
                while not done.wait(LOOK_SECONDS):
                    for job in _jobs(self._engines, relation):
                        self._say(f"Filling {relation.name}: {job.progress}")
            except BaseException:  # Ctrl-C, above all: whoever stops here must not wait for hours
                self._rw.cancel()
                # RisingWave forgets that of a statement that has only just begun, and heeds no other one after it.
                while not done.wait(LOOK_SECONDS):
                    for job in _jobs(self._engines, relation, cancels=True):
                        self._say(f"Stopping to fill {relation.name}, at {job.progress}")
                raise
            filling.result()
        let_read(self._rw, self._engines.settings)  # before it takes the place of one that is read

    def _remove_what_nothing_makes(self) -> None:
        kept = {relation.name for relation in (*views(), *self._materialized)}
        wanted = {*cdc.fingerprints_of(self._engines.settings), *kept, FINGERPRINTS}
        for name in [name for name in self._fingerprints if name not in wanted]:
            if name in self._names:
                self._say(f"Removing the {self._names[name]} {name}")
                self._drop(name, self._names[name])
                self._built.removed.append(name)
            del self._fingerprints[name]
        self._write_marks()

    def _write_marks(self) -> None:
        if self._fingerprints != self._written:
            write_fingerprints(self._rw, self._fingerprints)
            self._written = dict(self._fingerprints)

    def _drop(self, name: str, kind: str) -> None:
        if kind == "materialized view":
            self._rw.run(f"drop subscription if exists {changes_of(name)}")
        self._rw.run(f"drop {kind} if exists {name}")


def _jobs(engines: Engines, relation: Relation, *, cancels: bool = False) -> list[sa.Row[Any]]:
    """RisingWave's jobs that fill a view, each with how far it is, and ended when asked; none when it does not say."""
    assert engines.risingwave_owner is not None
    try:
        with engines.risingwave_owner.connect() as connection:
            is_of = re.compile(rf"\b{re.escape(relation.name)} as\b", re.IGNORECASE)
            rows = run_sql(connection, "risingwave/catalog/progress")
            found = [row for row in rows if is_of.search(row.statement)]
            for row in found if cancels else ():
                connection.exec_driver_sql(f"cancel jobs {int(row.job)}")
            return found
    except SERVER_ERRORS:
        return []  # it is only told for patience: the statement itself will say what is wrong


def drop(engines: Engines, materialized: Sequence[Relation], say: Say = lambda line: None) -> list[str]:
    """Removes everything, these views with it, and returns the names of what there was; can be repeated.

    Raises RisingWaveRefused, ServerUnavailable and SettingsError; then the slot is still there.
    """
    with console(engines) as rw:
        dropped = _drop_all(rw, materialized, say)
    return dropped + ([SLOT] if drop_slot(engines) else [])


def _drop_all(rw: Console, relations: Sequence[Relation], say: Say) -> list[str]:
    """From what depends on others to what others depend on."""
    names = rw.names()
    known = read_fingerprints(rw, names)
    materialized = {relation.name for relation in relations} | {n for n in known if names.get(n) == "materialized view"}
    plain = {relation.name for relation in views()} | {n for n in known if names.get(n) == "view"}
    wanted = [("subscription", changes_of(name)) for name in (*FOLLOWED, *sorted(materialized))]
    wanted += [("materialized view", name + end) for name in sorted(materialized) for end in ("", NEW)]
    wanted += [("view", name) for name in (*sorted(plain), FINGERPRINTS)]
    wanted += [("table", table.name) for table in reversed(tables())] + [("source", SOURCE)]
    dropped = []
    for kind, name in wanted:
        if names.get(name) == kind:
            say(f"Dropping the {kind} {name}")
            rw.run(f"drop {kind} {name}")
            dropped.append(name)
    with suppress(RisingWaveRefused):  # without the licence for secrets there is none, and it may not be asked for
        rw.run(f"drop secret if exists {SECRET}")
    return dropped


def rotate(settings: Settings, superusers: SecretStr, readers: SecretStr) -> list[str]:
    """Gives the superusers and the reader these passwords, and returns the names of all who have a new one.

    Can be repeated with the same ones after it was interrupted. Raises ServerUnavailable, SettingsError and
    RisingWaveRefused.
    """
    changed = settings.model_copy(update={"risingwave_password": superusers, "risingwave_reader_password": readers})
    with signed_in(settings, *_who_enters(settings, superusers)) as rw:
        users = [row.usename for row in rw.run(read_sql("risingwave/catalog/superusers"))]
        for user in sorted(users, key=lambda name: name == settings.risingwave_user):  # who asks comes last
            with signed_in(settings, user, _password_of(settings, user, superusers)) as itself:
                set_password(itself, user, superusers.get_secret_value())
        ensure_reader(rw, changed)
    return [*users, settings.risingwave_reader_user]


def tell_cdc(settings: Settings, say: Say) -> bool:
    """RisingWave reads the master on with the settings' password; False when it keeps no secret, or has no source."""
    engines = connect(settings)
    try:
        with console(engines) as rw:
            return cdc.keep_password(engines, rw, say, has_changed=True)
    finally:
        engines.dispose()


def _who_enters(settings: Settings, new: SecretStr) -> tuple[str, str]:
    return settings.risingwave_user, _password_of(settings, settings.risingwave_user, new)


def _password_of(settings: Settings, user: str, new: SecretStr) -> str:
    """The one that it has: the new one after an interrupted change."""
    old = settings.risingwave_password.get_secret_value()
    try:
        with signed_in(settings, user, old):
            return old
    except ServerUnavailable:
        return new.get_secret_value()
