"""rotate(): RisingWave's users get new passwords, while whoever is signed in stays so."""

from __future__ import annotations

from pydantic import SecretStr

from workbench.config import Settings
from workbench.database.engines import connect
from workbench.database.sql_files import read_sql
from workbench.errors import ServerUnavailable
from workbench.servers.risingwave import cdc, reader
from workbench.servers.risingwave.cdc import Say
from workbench.servers.risingwave.console import console


def rotate(settings: Settings, superusers: SecretStr, readers: SecretStr) -> list[str]:
    """Gives the superusers and the reader these passwords, and returns the names of all who have a new one.

    Can be repeated with the same ones after it was interrupted. Raises ServerUnavailable, SettingsError and
    RisingWaveRefused.
    """
    changed = settings.model_copy(update={"risingwave_password": superusers, "risingwave_reader_password": readers})
    with reader.signed_in(settings, *_who_enters(settings, superusers)) as rw:
        users = [row.usename for row in rw.run(read_sql("risingwave/catalog/superusers"))]
        for user in sorted(users, key=lambda name: name == settings.risingwave_user):  # who asks comes last
            with reader.signed_in(settings, user, _password_of(settings, user, superusers)) as itself:
                reader.set_password(itself, user, superusers.get_secret_value())
        reader.ensure(rw, changed)
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
        with reader.signed_in(settings, user, old):
            return old
    except ServerUnavailable:
        return new.get_secret_value()
