"""RisingWave's users: superusers, and the one that reads views, made and let in by each apply."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import SecretStr

from workbench.config import Settings
from workbench.database.engines import connect
from workbench.database.sql_files import read_sql
from workbench.errors import RisingWaveRefused, ServerUnavailable
from workbench.servers.risingwave.console import Console, console

ADMIN = "rwadmin"  # which nobody but itself may alter
KINDS = ("tables", "views", "materialized views", "subscriptions")  # not sources: their definition names the master


def ensure(rw: Console, settings: Settings) -> None:
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
