"""Who acts, and what that one may do: the one object that everything which writes asks."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, get_args

from workbench.errors import RoleRefused, SignedOut
from workbench.locale import N_, _

Role = Literal["viewer", "editor", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)  # each may do what those before it may
NEEDS: dict[Role, str] = {
    "viewer": N_("{what} needs the role viewer; {name} is {role}."),
    "editor": N_("{what} needs the role editor or admin; {name} is {role}."),
    "admin": N_("{what} needs the role admin; {name} is {role}."),
}
A_ROLE: dict[Role, str] = {"viewer": N_("a viewer"), "editor": N_("an editor"), "admin": N_("an admin")}
ENDED = N_("You are not logged in any more. Log in again; nothing was saved.")


@dataclass(frozen=True)
class Actor:
    """A person by name, as audit log and saved views know them, with role and stores that they may write (None: all).

    ``look`` finds out what of it still holds where somebody has logged in; it raises SignedOut.
    """

    name: str
    role: Role = "admin"
    stores: frozenset[int] | None = None
    look: Callable[[], Actor] | None = field(default=None, compare=False, repr=False)

    @property
    def now(self) -> Actor:
        """The same as they are at this moment. Raises SignedOut."""
        return self if self.look is None else self.look()

    @property
    def has_logged_in(self) -> bool:
        """Whether this is a person with an account, and not whoever sits at the machine."""
        return self.look is not None

    def may(self, role: Role) -> bool:
        """Whether they have this role, or more, at this moment: what else they need not be shown."""
        try:
            return ROLES.index(self.now.role) >= ROLES.index(role)
        except SignedOut:
            return False

    def need(self, role: Role, what: str) -> Actor:
        """The actor as of now. Raises RoleRefused, which says that ``what`` needs this role, and SignedOut."""
        now = self.now
        if ROLES.index(now.role) < ROLES.index(role):
            raise RoleRefused(_(NEEDS[role], what=_(what), name=now.name, role=_(A_ROLE[now.role])))
        return now


def os_user() -> str:
    """The operating system's user: who acts in a notebook, in a command and where nobody logs in."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in some containers
        return "unknown"


def signed_out() -> Actor:
    """What a look at a login finds that has ended: raises SignedOut."""
    raise SignedOut(_(ENDED))


NOBODY = Actor("nobody", "viewer", look=signed_out)
_of_page: Callable[[], Actor | None] = lambda: None  # noqa: E731


def current_actor() -> Actor:
    """Who acts here: whoever has logged in to the page that this runs for, else the operating system's user."""
    return _of_page() or Actor(os_user())


def as_actor(who: Actor | str) -> Actor:
    """The actor; a name alone is an admin's, and an empty one means whoever acts here."""
    if isinstance(who, Actor):
        return who
    return Actor(who) if who else current_actor()


def ask_for_actor(of_page: Callable[[], Actor | None]) -> None:
    """Has ``current_actor`` ask this first: a server where people log in knows whose page it is."""
    global _of_page
    _of_page = of_page
