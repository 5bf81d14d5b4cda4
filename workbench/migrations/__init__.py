"""Versioned migrations of the master: Alembic over the plain SQL of sql/schema."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError, ProgrammingError

from workbench.accounts.actor import Actor, as_actor
from workbench.database.engines import Engines
from workbench.database.failures import SERVER_ERRORS, failure, in_words, state_of
from workbench.database.positions import wait_for_replica
from workbench.database.sql_files import read_sql, run_sql, sql_names
from workbench.errors import SchemaError
from workbench.locale import N_, _
from workbench.metrics import views as metrics_views
from workbench.servers import indexes
from workbench.servers.risingwave import relations

__all__ = ["Migrated", "Revision", "applied", "broken_indexes", "migrate", "pending", "run_folder"]
log = logging.getLogger(__name__)

OLDEST_POSTGRESQL = 17
MIGRATION_LOCK = 7_301_846_015_112_903  # any constant: two processes that migrate at once take turns


@dataclass(frozen=True)
class Revision:
    """One migration: its id and what it makes."""

    revision: str
    title: str


@dataclass(frozen=True)
class Migrated:
    """What a run did: the migrations, and the views and indexes that it made anew, by name."""

    revisions: list[Revision]
    views: list[str]
    indexes: list[str]

    def __bool__(self) -> bool:
        return bool(self.revisions or self.views or self.indexes)

    def text(self) -> str:
        """In words, on one line."""
        parts = (
            (_("Ran {names}."), [f"{revision.revision} ({revision.title})" for revision in self.revisions]),
            (_("Made views anew: {names}."), self.views),
            (_("Made indexes: {names}."), self.indexes),
        )
        return " ".join(text.format(names=", ".join(names)) for text, names in parts if names)


def pending(engines: Engines) -> list[Revision]:
    """The migrations that the master still lacks, oldest first. Raises SchemaError when it is ahead of this program."""
    with _connected(engines, engines.master_reader) as connection:
        current = _current(connection)
    return _missing(current)


def broken_indexes(engines: Engines) -> list[str]:
    """The reading indexes that ``migrate`` would make. Raises ServerUnavailable."""
    with _connected(engines, engines.master_reader) as connection:
        return indexes.broken(connection)


def migrate(engines: Engines, say: Callable[[str], None] = lambda line: None, actor: Actor | str = "") -> Migrated:
    """Runs the pending migrations as the owner, and makes the views and indexes that changed or are missing.

    Each migration is one transaction with its own record. Raises RoleRefused, SignedOut, ServerUnavailable and
    SchemaError.
    """
    as_actor(actor).need("admin", N_("To run migrations"))
    config = _config()
    with _connected(engines, engines.owner) as connection:
        connection.execute(sa.text("select pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
        _refuse_old(connection)
        missing = _missing(_current(connection))
        for revision in missing:
            say(f"Migration {revision.revision}: {revision.title}")
        config.attributes["connection"] = connection
        try:
            if missing:
                command.upgrade(config, "head")
            made = indexes.ensure(connection, say)
            views = _refresh_views(connection)
            connection.commit()
        except DBAPIError as error:
            if failure(error) == "full":
                raise in_words(engines.settings, "master", error) from None
            cause = str(error.orig).strip().splitlines()[0]  # what follows may quote a row
            log.error("A migration failed: %s (SQLSTATE %s)", cause, state_of(error))
            raise SchemaError(f"The migration failed and was rolled back: {cause}") from None
        _tell_of_loose_grants(engines, connection, say)
    wait_for_replica(engines)
    return Migrated(missing, views, made)


def applied(missing: list[Revision]) -> list[Revision]:
    """The migrations of this program that are not among the ``missing`` ones, oldest first."""
    return [revision for revision in _known() if revision not in missing]


def run_folder(execute: Callable[[str], object], folder: str) -> None:
    """Runs every SQL file of ``sql/schema/<folder>`` in order; called by the revisions."""
    for name in sql_names(f"schema/{folder}"):
        execute(read_sql(name))


def _refuse_old(connection: sa.Connection) -> None:
    version = int(connection.execute(sa.text("show server_version_num")).scalar_one()) // 10_000
    if version < OLDEST_POSTGRESQL:
        raise SchemaError(f"The master is PostgreSQL {version}; the workbench runs on PostgreSQL 17 and 18.")


def _tell_of_loose_grants(engines: Engines, connection: sa.Connection, say: Callable[[str], None]) -> None:
    """What only a superuser can take back is done by sql/cluster, which a server of somebody's own gets by hand."""
    reader = {"reader": engines.settings.replica_db_user}
    if run_sql(connection, "queries/loose_grants", reader).scalar_one():
        say(
            f"{reader['reader']} may still make large objects or end other sessions: run `workbench up` (on a server of"
            " your own: sql/cluster/roles.sql and sql/cluster/database.sql again, as a superuser in the database)."
        )


def _refresh_views(connection: sa.Connection) -> list[str]:
    """Makes the views of facts and figures that RisingWave has too, where new or changed. Returns those.

    The body's hash is kept as the view's comment. Bodies read only tables, so that views can be made in any order.
    """
    bodies = {relation.name: relation.text for relation in (*relations.views(), *metrics_views.materialized_views())}
    plain = connection.execution_options(no_parameters=True)
    made = {row.view_name: row.comment for row in run_sql(connection, "queries/view_comments")}
    for view, comment in made.items():
        if view not in bodies and (comment or "").startswith("body "):  # an earlier version made it
            plain.exec_driver_sql(f'drop view "{view}"')
    refreshed = []
    for view, body in bodies.items():
        comment = "body " + hashlib.sha256(body.encode()).hexdigest()
        if made.get(view) != comment:
            made_anew = read_sql("templates/view_for_readers")
            plain.exec_driver_sql(made_anew.format(name=view, body=body, comment=comment))
            refreshed.append(view)
    return refreshed


def _missing(current: str | None) -> list[Revision]:
    known = _known()
    if current is not None and current not in {r.revision for r in known}:
        raise SchemaError(
            f"The master's schema is at migration {current}, which this version does not know: it is newer than"
            " this program. Update the program, or point it at another data directory (WORKBENCH_DATA_DIR)."
        )
    done = 0 if current is None else [r.revision for r in known].index(current) + 1
    return known[done:]


def _known() -> list[Revision]:
    script = ScriptDirectory.from_config(_config())
    return [Revision(r.revision, r.doc) for r in script.walk_revisions()][::-1]


def _current(connection: sa.Connection) -> str | None:
    try:
        return MigrationContext.configure(connection).get_current_revision()
    except ProgrammingError as error:
        raise SchemaError("The role may not read which migrations have run (table alembic_version).") from error
    finally:
        connection.rollback()


@contextmanager
def _connected(engines: Engines, engine: sa.Engine) -> Iterator[sa.Connection]:
    try:
        with engine.connect() as connection:
            yield connection
    except SERVER_ERRORS as error:
        raise in_words(engines.settings, "master", error) from None


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config
