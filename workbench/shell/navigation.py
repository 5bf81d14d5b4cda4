"""The app bar: the product's name and a link to each page; and the line below it that says which server is away."""

from __future__ import annotations

from pathlib import Path

import panel as pn
from panel.viewable import Viewable, Viewer

from workbench.accounts.actor import Actor, Role
from workbench.components import signed_in
from workbench.components.messages import Notice
from workbench.components.theme import esc
from workbench.database.replication import STALE_SECONDS
from workbench.locale import N_, _
from workbench.servers.health import Monitor, Status

LOG_OUT = (
    '<svg viewBox="0 0 24 24" width="20" height="20" fill="none" stroke="currentColor" stroke-width="2"'
    ' aria-hidden="true">'
    '<path d="M10 4H5v16h5M15 8l4 4-4 4M19 12H9"/></svg>'
)
SHORTCUTS = '<button class="keys" data-shortcuts aria-label="{0}" title="{0}">?</button>'
PRODUCT = N_("Sales workbench")
PAGES = {
    N_("Sales"): "sales",
    N_("Analytics"): "analytics",
    N_("Explore"): "explore",
    N_("Reports"): "reports",
    N_("Import"): "imports",
    N_("Catalogue"): "catalogue",
    N_("Changes"): "changes",
    N_("Pipeline"): "pipeline",
}

SEEN_BY: dict[str, Role] = {"Import": "editor", "Catalogue": "admin", "Changes": "admin"}  # all others by everybody


def navigation(current: str, actor: Actor | None, os_user: str) -> pn.pane.HTML:
    """Links to all pages, ``current`` marked, and who has logged in (None: nobody does, it is the machine's user).

    A page that one may not see is not among them. They are relative, so that they hold under any prefix.
    """
    links = "".join(_link(title, path, title == current) for title, path in PAGES.items() if _is_seen(title, actor))
    css = Path(__file__).with_name("navigation.css").read_text(encoding="utf-8")
    brand = f'<a class="brand" href="sales">{_(PRODUCT)}</a>'
    pages = f'<nav aria-label="{_("Pages")}">{links}</nav>'
    keys = SHORTCUTS.format(_("Keyboard shortcuts"))
    bar = f'<div class="bar">{brand}{pages}{keys}{_who(actor, os_user)}</div>'
    return pn.pane.HTML(bar, stylesheets=[css], margin=0)


def _is_seen(title: str, actor: Actor | None) -> bool:
    return actor is None or actor.may(SEEN_BY.get(title, "viewer"))


def _who(actor: Actor | None, os_user: str) -> str:
    if actor is None:
        why = _(
            "Only this machine reaches the app, so nobody logs in. What you change is by {user}.", user=esc(os_user)
        )
        return f'<span class="who" title="{why}">{_("no login")}</span>'
    role = title = esc(actor.role)
    if actor.stores is not None:
        title = _("{role} of store {stores}", role=role, stores=", ".join(map(str, sorted(actor.stores))))
    name = f'<span class="name" title="{title}">{esc(actor.name)} <small>{role}</small></span>'
    if signed_in.way() == "accounts":  # a provider keeps its own
        name = f'<a href="password" aria-label="{esc(actor.name)}: {_("change your password")}">{name}</a>'
    # A form and not a link: nobody else's page can log this one out. Drafts in the tab go along: page.html.
    way_out = f'<button data-leaves aria-label="{_("Log out")}">{LOG_OUT}<span>{_("Log out")}</span></button>'
    return f'<form class="who" method="post" action="logout">{name}{way_out}</form>'


def _link(title: str, path: str, is_current: bool) -> str:
    mark = ' aria-current="page"' if is_current else ""
    return f'<a href="{path}"{mark}>{_(title)}</a>'


LOOK_MS = 1000


class Banner(Viewer):
    """Follows the monitor; a look a second at what it last saw, and a message to the browser only on a change."""

    def __init__(self, monitor: Monitor) -> None:
        super().__init__()
        self._monitor = monitor
        self._notice = Notice(margin=0)
        self._look()
        pn.state.add_periodic_callback(self._look, LOOK_MS)

    def _look(self) -> None:
        self._notice.title = banner_text(self._monitor.last)

    def __panel__(self) -> Viewable:
        return self._notice.__panel__()


def banner_text(status: Status | None) -> str:
    """What is away and what that means; empty when nothing is, or nothing is known yet."""
    if status is None:
        return ""
    is_replica_away = status.replica.state == "down"
    if status.master.state == "down":
        if status.replica.state == "up":
            return _("The master is away: reading goes on, saving is off.")
        if is_replica_away:
            return _("The master and the replica are away: nothing can be read or saved until one is back.")
        return _("The master is away: nothing can be read or saved until it is back.")
    if is_replica_away:
        return _("The replica is away: figures come from the master.")
    if (status.replica.lag_seconds or 0) > STALE_SECONDS:
        return _("The replica stands still: figures come from the master.")
    return ""
