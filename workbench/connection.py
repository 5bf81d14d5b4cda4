"""connect() -> Workbench: what one process shares, opened once; every component takes it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from workbench.accounts.actor import Actor
from workbench.accounts.logins import Logins
from workbench.config import Settings, load_settings
from workbench.config.clock import StoreClock, begin_weeks_on
from workbench.database.engines import Engines
from workbench.database.engines import connect as connect_engines
from workbench.database.replication import Reader, ReadPosition
from workbench.errors import ServerUnavailable
from workbench.locale import use_locale
from workbench.sales.service import Sales
from workbench.servers import cluster
from workbench.servers.health import Monitor


@dataclass(frozen=True, repr=False)
class Workbench:
    """The engines, the router of reads and the heartbeat of one process.

    ``read_position`` is that of whoever holds the workbench, as a notebook does: what is saved with it is what is read
    next. Each page of the app has one of its own.
    """

    engines: Engines
    reader: Reader
    monitor: Monitor
    logins: Logins
    read_position: ReadPosition = field(default_factory=ReadPosition)
    _endings: list[Callable[[], None]] = field(default_factory=list, init=False, compare=False)

    def __repr__(self) -> str:
        settings = self.engines.settings
        servers = {"master": settings.master, "replica": settings.replica, "risingwave": settings.risingwave}
        places = [f"{name} {server.host}:{server.port}" for name, server in servers.items() if server is not None]
        return f"Workbench({', '.join(places)})"

    @property
    def clock(self) -> StoreClock:
        """The stores' clock."""
        return self.engines.settings.clock

    def sales(self, read_position: ReadPosition | None = None, actor: Actor | str = "") -> Sales:
        """The sales service at a read position, the workbench's own when none is given; a name alone is an admin's."""
        return Sales(self.engines, self.reader, read_position or self.read_position, actor, self.monitor.stopwatch)

    def before_closing(self, work: Callable[[], None]) -> None:
        """Has ``close`` do this first: for what reads with these connections on a thread of its own."""
        self._endings.append(work)

    def close(self) -> None:
        """Stops the heartbeat, and whatever else reads on its own, and closes all connections."""
        while self._endings:
            self._endings.pop()()
        self.monitor.stop()
        self.logins.stop()
        self.engines.dispose()


_opening = threading.Lock()
_opened: dict[Settings, Workbench] = {}


def open_workbench(settings: Settings | None = None, *, must_answer: bool = False) -> Workbench:
    """The workbench of this process on these servers, its heartbeat running: the same however often it is asked for.

    Without ``settings`` it is the one that is open already, whatever .env says by now. A failure is tried again next
    time: SettingsError, ClusterError, and when it ``must_answer`` ServerUnavailable, where no server does.
    """
    with _opening:
        running = {of: opened for of, opened in _opened.items() if opened.monitor.is_running}
        found = running.get(settings) if settings else next(iter(running.values()), None)
        if found is None:
            found = connect(settings := settings or load_settings())
            if must_answer:
                _raise_unless_it_answers(found)
            found.monitor.start()
            _opened[settings] = found
        return found


def _raise_unless_it_answers(made: Workbench) -> None:
    status = made.monitor.status()
    if not any(server.state == "up" and server.version for server in (status.replica, status.master)):
        made.close()
        raise ServerUnavailable(status.master.note)


def connect(settings: Settings | None = None) -> Workbench:
    """A workbench on the configured servers, or on the embedded ones when none are, for the caller to close.

    It connects at the first read and has no heartbeat until its monitor is started. Raises SettingsError for a bad
    setting and ClusterError when the embedded servers were never made.
    """
    settings = settings or load_settings()
    begin_weeks_on(settings.workbench_week_begins)
    use_locale(settings.workbench_locale)
    if settings.is_embedded:
        settings = cluster.configured(settings)
    engines = connect_engines(settings)
    reader = Reader(engines)
    logins = Logins(engines, round(settings.workbench_login_hours * 3600))
    return Workbench(engines, reader, Monitor(engines, reader), logins)
