"""Reports that run in the background of a server; and its thread that runs schedules, sends mail again, and tidies."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache

from workbench import locale
from workbench.accounts.actor import Actor, current_actor
from workbench.components.browser.files import KeptUploads
from workbench.components.tasks import Advance, Job, ShouldStop
from workbench.config import Settings, load_settings
from workbench.connection import open_workbench
from workbench.errors import ReportError, ReportStopped, WorkbenchError
from workbench.locale import N_, _, english
from workbench.reports.history import FAILED, History, Recording
from workbench.reports.library import Report, Value
from workbench.reports.mail import send_waiting
from workbench.reports.schedules import Schedules, run_due

AT_ONCE = 2  # each is a process that takes a core and some 200 MB
MOST_WAITING = 10
MOST_OF_ONE = 6  # of one person who has logged in, so that others find a place
WAITS = N_("Waiting: other reports run ...")
NOT_BEGUN = N_("It was stopped before it began.")


class Runs:
    """One for a process: the tasks that run reports, by the ids that the history knows them by.

    A run goes on when its page is closed or has lost its connection; the history has what came of it.
    """

    def __init__(self) -> None:
        self._running: dict[str, Job] = {}
        self._by: dict[str, str] = {}
        self._turn = threading.BoundedSemaphore(AT_ONCE)
        self._lock = threading.Lock()

    def start(self, report: Report, values: Mapping[str, Value], settings: Settings) -> str:
        """Starts a run of whoever acts here; returns its id.

        Raises ReportError when too many wait already, or the history cannot be written.
        """
        job = Job(_(FAILED))
        with self._lock:
            if len(self._running) >= AT_ONCE + MOST_WAITING:
                raise ReportError(_("{n} reports run or wait already. Try again in a minute.", n=len(self._running)))
            by = self._with_a_place(current_actor())
            recording = History.of(settings).begin(report.name, report.title, values, by, kinds=report.kinds)
            self._running[recording.entry.id], self._by[recording.entry.id] = job, by

        def work(advance: Advance, should_stop: ShouldStop) -> str:
            try:
                with self._turn_of(job, recording, should_stop):
                    return _done(job, recording, report, values, settings, advance, should_stop)
            finally:
                self._forget(recording.entry.id)

        try:
            job.start(work)
        except RuntimeError:  # no more threads
            self._forget(recording.entry.id)
            recording.end("failed", FAILED)
            raise ReportError(_(FAILED)) from None
        return recording.entry.id

    def _with_a_place(self, actor: Actor) -> str:
        """The name of who may start one more; where nobody logs in one name is everybody's, and has all places."""
        own = list(self._by.values()).count(actor.name)
        if actor.has_logged_in and own >= MOST_OF_ONE:
            raise ReportError(
                _(
                    "{n} reports of yours run or wait already: wait for one of them, or open one under Runs to cancel"
                    " it.",
                    n=own,
                )
            )
        return actor.name

    def _forget(self, run_id: str) -> None:
        with self._lock:
            del self._running[run_id], self._by[run_id]

    def find(self, run_id: str) -> Job | None:
        """The task of a run that goes on in this process; None for all others."""
        return self._running.get(run_id)

    @contextmanager
    def in_turn(self) -> Iterator[None]:
        """Waits for a turn, which the block has: for what runs reports on a thread of its own."""
        with self._turn:
            yield

    @contextmanager
    def _turn_of(self, job: Job, recording: Recording, should_stop: ShouldStop) -> Iterator[None]:
        """The same for a task. Raises ReportStopped when it is stopped meanwhile."""
        job.note(_(WAITS))
        while not self._turn.acquire(timeout=0.2):
            if should_stop():
                recording.end("stopped", NOT_BEGUN)
                raise ReportStopped(_(NOT_BEGUN))
        try:
            job.note("")
            yield
        finally:
            self._turn.release()


@cache
def shared_runs() -> Runs:
    """Those of this process."""
    return Runs()


def _done(
    job: Job,
    recording: Recording,
    report: Report,
    values: Mapping[str, Value],
    settings: Settings,
    advance: Advance,
    should_stop: ShouldStop,
) -> str:
    """Runs the report to its end, and says how long that took."""
    from workbench.reports.run import run_recorded  # two seconds of imports, which no page should wait for

    def tell(cell: int, cells: int, title: str) -> None:
        advance(cell, cells)
        job.note(_("Cell {n} of {all}: {title}", n=cell, all=cells, title=title))

    finished = run_recorded(
        recording, report, values, settings, by=recording.entry.by, progress=tell, should_stop=should_stop
    )
    return _("Done in {n} s. It is below.", n=locale.number(finished.seconds, 1))


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
            KeptUploads.of(settings).tidy()
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
