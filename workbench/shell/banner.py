"""The line below the app bar that says which server is away; it goes by itself."""

from __future__ import annotations

import panel as pn
from panel.viewable import Viewable, Viewer

from workbench.components.messages import Notice
from workbench.database.replication import STALE_SECONDS
from workbench.locale import _
from workbench.servers.health import Monitor, Status

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
