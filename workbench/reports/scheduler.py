"""The thread of an app's process that runs schedules, sends mail again, and tidies the history of runs."""

from __future__ import annotations

import logging
import threading
import time

from workbench.config import Settings, load_settings
from workbench.connection import open_workbench
from workbench.errors import WorkbenchError
from workbench.locale import english
from workbench.reports.background import shared_runs
from workbench.reports.history import History
from workbench.reports.mail import send_waiting
from workbench.reports.schedules import Schedules, run_due

log = logging.getLogger(__name__)

LOOK_SECONDS = 20.0
REST_SECONDS = 60.0  # between two looks at mail that waits
TIDY_SECONDS = 3600.0


class Scheduler:
    """One for a process; of several processes one runs what is due."""

    def __init__(self, look_seconds: float = LOOK_SECONDS) -> None:
        self._look_seconds = look_seconds
        self._said = ""
        self._mailed_at = self._tidied_at = -TIDY_SECONDS
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Starts the thread, once however often it is called."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._go_on, name="schedules", daemon=True)
            self._thread.start()

    def _go_on(self) -> None:
        while True:
            try:
                self._look()
            except WorkbenchError as error:
                self._say(str(error))
            except Exception:
                log.exception("Schedules could not be looked at")
            time.sleep(self._look_seconds)

    def _look(self) -> None:
        settings, now = load_settings(), time.monotonic()
        schedules = Schedules(settings)
        run_due(_of_servers, schedules, shared_runs().in_turn)
        if now - self._mailed_at >= REST_SECONDS:
            self._mailed_at = now
            send_waiting(settings)
        if now - self._tidied_at >= TIDY_SECONDS:
            self._tidied_at = now
            History.of(settings).tidy_once_a_day()
            schedules.tidy()
        self._said = ""

    def _say(self, problem: str) -> None:
        """Tells the log of a problem once, as long as it stays the same."""
        if problem != self._said:
            log.warning("Schedules: %s", english(problem))
        self._said = problem


def _of_servers() -> Settings:
    return open_workbench().engines.settings
