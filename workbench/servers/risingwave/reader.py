"""RisingWave's users: superusers, and the one that reads views, made and let in by each apply."""

from __future__ import annotations

from workbench.config import Settings
from workbench.database.sql_files import read_sql
from workbench.errors import RisingWaveRefused
from workbench.servers.risingwave.console import Console

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

    Raises RisingWaveRefused.
    """
    if password := settings.risingwave_password.get_secret_value():
        for row in rw.run(read_sql("risingwave/catalog/superusers")):
            rw.run(f"alter user {_quoted(row.usename)} with password :password", password=password)


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
