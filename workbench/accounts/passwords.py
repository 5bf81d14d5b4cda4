"""Passwords: what one may be, its hash by Argon2id, and the same time for a name that nobody has."""

from __future__ import annotations

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from workbench.errors import AccountError
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
