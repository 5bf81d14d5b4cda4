"""Which sales a role may record, correct and void: asked before each write, and by forms for what they offer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from workbench import locale
from workbench.accounts.actor import Actor
from workbench.config import Settings
from workbench.errors import RoleRefused
from workbench.locale import N_, _, ngettext

WRITING = N_("To record, correct or void a sale")


@dataclass(frozen=True)
class Rights:
    """What an actor who may write sales may write at this moment: all of them, or the newest of their stores."""

    actor: Actor
    since: datetime | None  # on the stores' clock; None: all
    days: int

    @classmethod
    def of(cls, actor: Actor, settings: Settings) -> Rights:
        """The rights of an editor or an admin. Raises RoleRefused for a viewer, and SignedOut."""
        now = actor.need("editor", WRITING)
        days = settings.workbench_edit_days
        midnight = settings.clock.now().replace(hour=0, minute=0, second=0)
        return cls(now, None if now.role == "admin" else midnight - timedelta(days=days - 1), days)

    @property
    def are_all(self) -> bool:
        """Whether there is no sale that the actor may not write."""
        return self.since is None and self.actor.stores is None

    def refuse(self, transaction_time: datetime, store_id: int) -> None:
        """Raises RoleRefused, in words, when this sale is not one that the actor may write."""
        if self.since is not None and transaction_time < self.since:
            raise RoleRefused(
                _(
                    "This sale is of {day}. An editor writes those of {days}: what is older needs the role admin.",
                    **{"day": locale.day(transaction_time), "days": _days(self.days)},
                )
            )
        if self.actor.stores is not None and store_id not in self.actor.stores:
            own = ", ".join(map(str, sorted(self.actor.stores)))
            text = N_(
                "This sale is of store {store}. {name} writes those of store {own} alone: another one's need an"
                " editor of that store, or the role admin."
            )
            of_none = N_(
                "This sale is of store {store}. {name} writes those of no store: they need an editor of that store, or"
                " the role admin."
            )
            raise RoleRefused(_(text if own else of_none, store=store_id, name=self.actor.name, own=own))


def _days(days: int) -> str:
    few = {1: _("today"), 2: _("today and yesterday")}
    return few.get(days) or ngettext("the last {n} day", "the last {n} days", days, n=days)
