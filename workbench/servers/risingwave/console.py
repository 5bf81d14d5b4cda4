"""RisingWave's console: what it says of itself, long statements, refusals in words, and its users: who may read."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy.exc import DBAPIError

from workbench.config import Settings
from workbench.database.deadline import PING_SECONDS
from workbench.database.engines import Engines, connect
from workbench.database.failures import SERVER_ERRORS, in_words, is_away, is_missing
from workbench.database.sql_files import read_sql, run_sql
from workbench.errors import RisingWaveRefused, ServerUnavailable, SettingsError

SLOT = "workbench_risingwave"  # the slot on the master from which RisingWave reads


@dataclass(frozen=True)
class Look:
    """RisingWave at one moment. Every commit up to ``lsn`` is in its tables and finished views; None: not built yet."""

    version: str
    lsn: str | None = None
    beat_at: datetime | None = None
    is_built: bool = True


def look(engine: sa.Engine) -> Look:
    """Asks RisingWave, for two seconds at most. Raises DBAPIError, or SQLAlchemy's TimeoutError when it is busy."""
    with engine.connect() as connection, _briefly(connection):
        version = version_of(connection)
        try:
            row = run_sql(connection, "queries/risingwave_beat").one_or_none()
        except DBAPIError as error:
            if not is_missing(error):
                raise
            return Look(version, is_built=False)
    return Look(version, row.lsn, row.beat_at) if row else Look(version)


def version_of(connection: sa.Connection) -> str:
    """RisingWave's own version, such as 3.0.3, out of the text that it gives to clients of PostgreSQL."""
    text = str(run_sql(connection, "queries/risingwave_version").scalar_one())
    found = re.search(r"RisingWave-(\S+)", text)
    return found[1] if found else text


@contextmanager
def _briefly(connection: sa.Connection) -> Iterator[None]:
    """A RisingWave that hangs must not hold up those who ask it every second."""
    guarded = connection.connection.driver_connection
    assert guarded is not None
    usual, guarded.limit_seconds = guarded.limit_seconds, PING_SECONDS
    try:
        yield
    finally:
        guarded.limit_seconds = usual


BUILD_SECONDS = 6 * 3600.0  # a view over many sales is filled before its statement ends
STARVED_SECONDS = 180.0  # one that is busy with many sales, on few processors, may not even say that it is there


class Console:
    """One connection on which things are made and dropped; ``version`` is RisingWave's own."""

    def __init__(self, connection: sa.Connection, settings: Settings) -> None:
        self._connection, self._settings = connection, settings
        try:
            self.version = version_of(connection)
        except DBAPIError as error:
            raise in_words(settings, "risingwave", error) from None

    @property
    def is_risingwave(self) -> bool:
        """False when some other server answers in its place."""
        return self.version[:1].isdigit()

    def run(self, statement: str, **values: Any) -> list[sa.Row[Any]]:
        """The rows that a statement gives, none when it gives none. Raises RisingWaveRefused and ServerUnavailable."""
        try:
            if values:
                result = self._connection.execute(sa.text(statement), values)
            else:  # a body is taken as it is, whatever colons and percent signs it has
                result = self._connection.execution_options(no_parameters=True).exec_driver_sql(statement)
            return list(result) if result.returns_rows else []
        except DBAPIError as error:
            if is_away(error):
                raise in_words(self._settings, "risingwave", error) from None
            raise RisingWaveRefused(first_cause(error), is_missing(error)) from error

    def cancel(self) -> None:
        """Ends the statement that another thread has under way; a view that was being filled is not made."""
        driver = self._connection.connection.driver_connection
        if driver is not None:
            driver.cancel()

    def names(self) -> dict[str, str]:
        """The kind of each table, view and so on that there is, by its name."""
        return {row.name: row.kind for row in self.run(read_sql("risingwave/catalog/relations"))}


@contextmanager
def console(engines: Engines, *, is_patient: bool = True) -> Iterator[Console]:
    """A console of its own; an impatient one has the usual limits, another one hours for a statement.

    A patient one also bears three minutes in which RisingWave says nothing at all, but not that nobody is there.
    Raises ServerUnavailable, and SettingsError when RisingWave is not configured.
    """
    if engines.risingwave_owner is None:
        raise SettingsError("RisingWave is not configured: set RISINGWAVE_HOST in the environment or in .env.")
    with _connected(engines, engines.risingwave_owner, STARVED_SECONDS if is_patient else 0.0) as connection:
        guarded = connection.connection.driver_connection
        assert guarded is not None
        opened = Console(connection, engines.settings)
        if not opened.is_risingwave:
            raise SettingsError(
                f"The server at RISINGWAVE_HOST and RISINGWAVE_PORT is no RisingWave: it is {opened.version[:40]}."
            )
        if is_patient:
            guarded.be_patient(BUILD_SECONDS, STARVED_SECONDS)
            opened.run("set statement_timeout = 0")
        try:
            yield opened
        finally:
            connection.invalidate()  # the next one who takes a connection has the usual limits


def _connected(engines: Engines, engine: sa.Engine, silent_seconds: float) -> sa.Connection:
    """A connection; one that times out is tried again for so long. Raises ServerUnavailable."""
    ends_at = time.monotonic() + silent_seconds
    while True:
        try:
            return engine.connect()
        except SERVER_ERRORS as error:
            if "timeout expired" not in str(error) or time.monotonic() >= ends_at:
                raise in_words(engines.settings, "risingwave", error) from None


def first_cause(error: DBAPIError) -> str:
    """RisingWave tells a chain of causes, the first one last; PostgreSQL one line."""
    lines = [line.strip() for line in str(error.orig).splitlines() if line.strip()]
    start = next((n for n, line in enumerate(lines) if line.startswith("Caused by")), None)
    if start is None or start + 1 == len(lines):
        return lines[0] if lines else type(error.orig).__name__
    numbered = [line for line in lines[start + 1 :] if re.match(r"\d+: ", line)]
    return re.sub(r"^\d+: ", "", numbered[-1]) if numbered else lines[start + 1]


ADMIN = "rwadmin"  # which nobody but itself may alter
KINDS = ("tables", "views", "materialized views", "subscriptions")  # not sources: their definition names the master


def ensure_reader(rw: Console, settings: Settings) -> None:
    """The user is there, with the password of the settings, and may enter. Raises RisingWaveRefused."""
    if _is_owner(settings):
        return
    user, password = _quoted(settings.risingwave_reader_user), settings.risingwave_reader_password.get_secret_value()
    if not rw.run(read_sql("risingwave/catalog/user"), name=settings.risingwave_reader_user):
        rw.run(f"create user {user} with nosuperuser nocreatedb login")
    if password:
        rw.run(f"alter user {user} with password :password", password=password)
    rw.run(f"grant connect on database {_quoted(settings.risingwave_name)} to {user}")
    rw.run(f"grant usage on schema public to {user}")


def keep_superusers(rw: Console, settings: Settings) -> None:
    """No superuser enters without RISINGWAVE_PASSWORD, where the settings have one: RisingWave brings them without any.

    Nothing is tried that would be refused: RisingWave's log has refused statements, passwords and all. Raises
    RisingWaveRefused.
    """
    password = settings.risingwave_password.get_secret_value()
    for row in rw.run(read_sql("risingwave/catalog/superusers")) if password else ():
        if is_open_to_all(settings, row.usename):
            with signed_in(settings, row.usename, "") as itself:
                set_password(itself, row.usename, password)
        elif row.usename != ADMIN:
            set_password(rw, row.usename, password)


def set_password(rw: Console, user: str, password: str) -> None:
    """Gives it to the user; an empty one lets anybody in. Raises RisingWaveRefused."""
    rw.run(f"alter user {_quoted(user)} with password :password", password=password)


def is_open_to_all(settings: Settings, user: str) -> bool:
    """Whether this user enters without a password."""
    try:
        with signed_in(settings, user, ""):
            return True
    except ServerUnavailable:
        return False


@contextmanager
def signed_in(settings: Settings, user: str, password: str) -> Iterator[Console]:
    """A console of another user's. Raises ServerUnavailable when it is not let in."""
    engines = connect(settings.model_copy(update={"risingwave_user": user, "risingwave_password": SecretStr(password)}))
    try:
        with console(engines) as rw:
            yield rw
    finally:
        engines.dispose()


def let_read(rw: Console, settings: Settings) -> None:
    """It may read all that there is now. A view made later is not among it: this is done again after each."""
    if _is_owner(settings):
        return
    for kinds in KINDS:
        user = _quoted(settings.risingwave_reader_user)
        try:
            rw.run(read_sql("risingwave/templates/let_read").format(kinds=kinds, user=user))
        except RisingWaveRefused:
            if kinds != "subscriptions":  # RisingWave 2 knows no rights over these
                raise


def _is_owner(settings: Settings) -> bool:
    """Whoever gives one user for both has chosen so."""
    return settings.risingwave_reader_user == settings.risingwave_user


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
