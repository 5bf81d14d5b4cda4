"""The accounts in the master, which the owner alone writes, as it alone may read their password hashes (Argon2id)."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from workbench.accounts.actor import ROLES, Role
from workbench.database.engines import Engines
from workbench.database.failures import SERVER_ERRORS, in_words, state_of
from workbench.database.sql_files import WritingConnection, run_sql, write_sql
from workbench.errors import AccountError, SchemaError, SettingsError
from workbench.locale import _

LEAST, MOST = 12, 200  # characters: length is what counts (NIST SP 800-63B), no rules about kinds of them
# Of RFC 9106's second choice (3 passes over 64 MB), by the library's own defaults. Nobody's password, for names that
# nobody has: what is asked for one takes as long as what is asked for another.
_hasher = PasswordHasher()
NOBODYS = "$argon2id$v=19$m=65536,t=3,p=4$NcGwfhqVHEtAMS+E178oBg$3vS3VeYnfwlz87TjK58bxJ8jhuJ1Qd3riN9SFR+dKlE"
_at_once = threading.BoundedSemaphore(2)  # each takes a core, and 64 MB


def hashed(password: str, name: str) -> str:
    """The hash to store. Raises AccountError for a password that is too short, too long, or the name."""
    if not LEAST <= len(password) <= MOST:
        raise AccountError(
            _(
                "The password has {n} characters: give it {least} to {most}.",
                **{"n": len(password), "least": LEAST, "most": MOST},
            )
        )
    if name.casefold() in password.casefold() and len(password) - len(name) < LEAST:
        raise AccountError(_("The password is little more than the account's name: give another."))
    with _at_once:
        return _hasher.hash(password)


def is_right(password: str, stored: str | None) -> bool:
    """Whether ``password`` is the one whose hash is stored; for None it is not, after the same time."""
    with _at_once:
        try:
            _hasher.verify(stored or NOBODYS, password)
        except (VerificationError, InvalidHashError):
            return False
    return stored is not None


T = TypeVar("T")
C = TypeVar("C", bound=sa.Connection)  # one that only reads, or one that may write
NAME = re.compile(r"[\w.@+-]{1,100}")
UNDEFINED_TABLE = "42P01"
MAKE_ONE = "make one: `workbench user add NAME --role admin`"


@dataclass(frozen=True)
class Account:
    """An account without its password."""

    account_id: int
    account_name: str
    role: Role
    stores: tuple[int, ...] | None
    created_at: datetime
    disabled_at: datetime | None


def find_all(engines: Engines) -> list[Account]:
    """All accounts by name, disabled ones too. Raises ServerUnavailable."""
    return in_transaction(
        engines, engines.master_reader.begin, lambda c: [_account(row) for row in run_sql(c, "accounts/accounts")]
    )


def add(engines: Engines, name: str, password: str | None, role: Role, stores: Iterable[int] | None = None) -> Account:
    """A new account; without a password somebody else vouches for its name. Raises AccountError."""
    name = _name(name)
    values = {"account_name": name, **_rights(role, stores)}
    values["password_hash"] = None if password is None else hashed(password, name)
    return _written(engines, "add_account", values, _("There is an account {name} already.", name=name))


def change(engines: Engines, name: str, role: Role, stores: Iterable[int] | None = None) -> Account:
    """Another role, and other stores; pages that are open go by it within seconds. Raises AccountError."""
    return _written(engines, "change_account", {"account_name": name, **_rights(role, stores)}, _missing(name))


def set_disabled(engines: Engines, name: str, is_disabled: bool) -> Account:
    """Disabled it cannot log in, and its logins end. Raises AccountError."""
    values = {"account_name": name, "is_disabled": is_disabled}
    return _written(engines, "set_disabled", values, _missing(name), ends_logins=is_disabled)


def reset_password(engines: Engines, name: str, password: str) -> Account:
    """Gives it another password, and ends its logins. Raises AccountError."""
    values = {"account_name": name, "password_hash": hashed(password, name)}
    return _written(engines, "set_password", values, _missing(name), ends_logins=True)


def refuse_without_admin(engines: Engines, *, by_password: bool = True) -> None:
    """Raises SettingsError when no admin could log in; ServerUnavailable when that cannot be found out."""
    values = {"by_password": by_password}
    if not in_transaction(
        engines, engines.owner.begin, lambda c: run_sql(c, "accounts/has_admin", values).scalar_one()
    ):
        how = MAKE_ONE if by_password else f"{MAKE_ONE} --no-password"
        raise SettingsError(
            "People have to log in to the app where others than this machine reach it, and there is no admin's account:"
            f" {how}"
        )


def in_transaction(engines: Engines, begin: Callable[[], AbstractContextManager[C]], work: Callable[[C], T]) -> T:
    """What ``work`` returns, in a transaction of its own on the master. Raises WorkbenchError in words."""
    try:
        with begin() as connection:
            return work(connection)
    except SERVER_ERRORS as error:
        if state_of(error) == UNDEFINED_TABLE:
            raise SchemaError(_("The master has no accounts yet: run `workbench migrate`.")) from None
        raise in_words(engines.settings, "master", error) from None


def _written(
    engines: Engines, statement: str, values: dict[str, Any], missing: str, *, ends_logins: bool = False
) -> Account:
    def work(connection: WritingConnection) -> Account:
        row = write_sql(connection, f"accounts/{statement}", values).one_or_none()
        if row is None:
            raise AccountError(missing)
        if ends_logins:
            write_sql(connection, "accounts/end_logins", {"account_id": row.account_id})
        return _account(row)

    return in_transaction(engines, engines.owner.begin, work)


def _account(row: sa.Row[Any]) -> Account:
    of = dict(row._mapping)
    return Account(**of | {"stores": None if row.stores is None else tuple(row.stores)})


def _name(text: str) -> str:
    name = unicodedata.normalize("NFC", text.strip())
    if not NAME.fullmatch(name):
        raise AccountError(f"An account's name is 1 to 100 letters, digits and . _ - @ +; {text[:60]!r} is not.")
    return name


def _rights(role: Role, stores: Iterable[int] | None) -> dict[str, Any]:
    if role not in ROLES:
        raise AccountError(f"There is no role {role!r}: {', '.join(ROLES)}.")
    bound = None if stores is None else sorted(set(stores))
    if bound is not None and role != "editor":
        raise AccountError("Stores bind an editor alone: a viewer writes in none, an admin in all.")
    return {"role": role, "stores": bound}


def _missing(name: str) -> str:
    return _("There is no account {name}: see `workbench user list`.", name=repr(name))
