"""Reports that run in the background of a server: a few at once, the others wait for their turn."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from uuid import uuid4

from workbench.accounts.actor import current_actor
from workbench.config import Settings
from workbench.errors import ReportError, ReportStopped, WorkbenchError
from workbench.reports.library import Report, Value

log = logging.getLogger(__name__)

AT_ONCE = 2  # each is a process that takes a core and some 200 MB
MOST_WAITING = 10
ALONE_SECONDS = 120.0  # how long a run outlives the last page that follows it, which may come back

State = Literal["waiting", "running", "done", "failed", "stopped"]


@dataclass(frozen=True)
class RunState:
    """How far a run is. ``said`` is the heading that the present cell is under, or why there is no report."""

    state: State = "waiting"
    cell: int = 0
    cells: int = 0
    said: str = ""
    seconds: float = 0.0

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in ("done", "failed", "stopped")


@dataclass
class Running:
    """One run: ``progress`` is replaced as it goes on; ``files`` are there once it is done, by format.

    ``id`` is known to who has begun it alone. ``pages`` follow it, and ``follows`` counts those that ever did.
    """

    report: Report
    by: str
    id: str = field(default_factory=lambda: uuid4().hex)
    progress: RunState = RunState()
    files: dict[str, bytes] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)
    pages: int = 0
    follows: int = 0


class Runs:
    """One for a process. A page that has lost its connection finds its run again by its id."""

    def __init__(self) -> None:
        self._kept: dict[str, Running] = {}
        self._turn = threading.BoundedSemaphore(AT_ONCE)
        self._lock = threading.Lock()
        self._count = 0

    def start(self, report: Report, values: Mapping[str, Value], settings: Settings) -> Running:
        """Starts a run of whoever acts here in a thread, to be followed by one page.

        Raises ReportError when too many wait already.
        """
        with self._lock:
            if self._count >= AT_ONCE + MOST_WAITING:
                raise ReportError(f"{self._count} reports run or wait already. Try again in a minute.")
            self._count += 1
            running = Running(report, current_actor().name)
            self._kept[running.id] = running
        self.follow(running.id)
        arguments = (running, values, settings)
        threading.Thread(target=self._run, args=arguments, name=f"report-{report.name}", daemon=True).start()
        return running

    def follow(self, run_id: str) -> Running | None:
        """The run, which one page more follows from now on; None when it is not there any more."""
        with self._lock:
            running = self._kept.get(run_id)
            if running is not None:
                running.pages += 1
                running.follows += 1
            return running

    def leave(self, running: Running) -> None:
        """A page less follows it. When none comes back it is stopped, and what it has made is thrown away."""
        with self._lock:
            running.pages -= 1
            if running.pages == 0:
                timer = threading.Timer(ALONE_SECONDS, self._end_alone, (running, running.follows))
                timer.daemon = True
                timer.start()

    def _end_alone(self, running: Running, follows: int) -> None:
        with self._lock:
            if running.follows == follows:
                del self._kept[running.id]
                running.stop.set()

    def _run(self, running: Running, values: Mapping[str, Value], settings: Settings) -> None:
        try:
            while not self._turn.acquire(timeout=0.2):
                if running.stop.is_set():
                    running.progress = RunState("stopped", said="It was stopped before it began.")
                    return
            try:
                running.progress = _ended(running, values, settings)
            finally:
                self._turn.release()
        finally:
            with self._lock:
                self._count -= 1


def _ended(running: Running, values: Mapping[str, Value], settings: Settings) -> RunState:
    """Runs the report to its end, and says which one that was."""
    running.progress = RunState("running")
    from workbench.reports.export import export  # two seconds of imports, which no page should wait for
    from workbench.reports.run import run

    def tell(cell: int, cells: int, title: str) -> None:
        running.progress = RunState("running", cell, cells, title)

    try:
        finished = run(running.report, values, settings, by=running.by, progress=tell, should_stop=running.stop.is_set)
        running.files = {"html": export(finished, "html"), "ipynb": export(finished, "ipynb")}
    except ReportStopped as error:
        return RunState("stopped", said=str(error))
    except WorkbenchError as error:
        return RunState("failed", said=str(error))
    except Exception:
        log.exception("The report %s could not be run", running.report.name)
        return RunState("failed", said="The report could not be run. The cause is in the server's log.")
    return RunState("done", seconds=finished.seconds)
