"""Live: what all pages of a process share. One thread follows the database; pages only compare a number."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, TypeVar

import pandas as pd

from workbench.connection import Workbench
from workbench.errors import WorkbenchError
from workbench.metrics import Rollups, Source, Stream, Where, ask
from workbench.metrics.filters import day_number
from workbench.replication import Answer, EngineName, Session

log = logging.getLogger(__name__)

T = TypeVar("T")
REFRESH_SECONDS = 1.0
PUSHED_SECONDS = 0.1  # changes that are pushed within it are read together
BEGIN_SECONDS = 5.0
QUIET_SECONDS = 0.05  # between two questions of a page the loader does not jump in
PATIENCE_SECONDS = 5.0  # but pages that never stop asking do not hold it up for ever
MOST_ANSWERS = 2000  # kept for one revision; beyond it the oldest go


class Live:
    """The rollups of one process, kept current by one thread, and a memo of what was asked at one revision.

    However many pages are open, the database is asked once for each change and once for each different question. While
    the rollups are being loaded it is asked instead of them, and loading waits while anybody asks.
    """

    def __init__(self, workbench: Workbench, seconds: float = REFRESH_SECONDS) -> None:
        self.workbench = workbench
        engine = workbench.engines.risingwave
        self.stream = None if engine is None else Stream(engine)
        self.rollups = Rollups(self.stream)
        self.problem = ""  # why the last refresh failed, in words; empty when it did not
        self._seconds = seconds
        self._session = Session()
        self._lock = threading.Lock()
        self._answers: dict[Hashable, Future[Any]] = {}
        self._answered_revision = 0
        self._has_begun = threading.Event()
        self._asking = 0
        self._asked_at = 0.0
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def revision(self) -> int:
        """Moves whenever figures may have changed."""
        return self.rollups.revision

    @property
    def as_of(self) -> datetime | None:
        """Data time up to which nothing but the present revision is known; None before the first refresh."""
        return self.rollups.as_of

    @property
    def engine(self) -> EngineName:
        """Who was read at the last refresh."""
        return self.rollups.engine

    def has_loaded(self, first: date | None) -> bool:
        """Whether the days from ``first`` on are in memory; questions about them then cost milliseconds."""
        loaded_from = max(self.rollups.state.loaded_from.values())
        return self.rollups.is_complete or (first is not None and day_number(first) >= loaded_from)

    def choices(self, dimension: str) -> list[Any]:
        """The values of a dimension that there are, as far as they are loaded, sorted with None last."""
        cubes = self.rollups.state.cubes.values()
        found = {value for cube in cubes if dimension in cube.dimensions for value in cube.dimensions[dimension].values}
        return sorted(found, key=lambda value: (value is None, value))

    def start(self) -> None:
        """Starts the thread, once however often it is called."""
        with self._lock:
            if self._thread is None:
                if self.stream is not None:
                    self.stream.push.start()
                self._thread = threading.Thread(target=self._run, name="rollups", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Ends the thread and waits for it."""
        self._stopping.set()
        if self.stream is not None:
            self.stream.push.stop()
        if self._thread is not None:
            self._thread.join(timeout=15)

    def wait_until_begun(self, seconds: float = BEGIN_SECONDS) -> None:
        """Waits for the first refresh, or its failure: from then on what is asked is remembered."""
        self._has_begun.wait(seconds)

    def ask(self, session: Session, metrics: Sequence[str], by: Sequence[str], where: Where) -> Answer[pd.DataFrame]:
        """As metrics.ask, shared by all who ask the same at one revision. The frame must not be changed."""
        key = ("ask", tuple(metrics), tuple(by), where)
        return self.answer(session, key, lambda source: ask(source, metrics, by=by, where=where))

    def answer(self, session: Session, key: Hashable, work: Callable[[Source], Answer[T]]) -> Answer[T]:
        """What ``work`` answers, computed once for each ``key`` and revision; all others wait for it.

        A session that has just written waits until the rollups have it, and asks by itself where they cannot.
        """
        state = self.rollups.state
        if state.as_of is not None and not state.reaches(session.token):
            self.rollups.catch_up(self.workbench.reader, Session(session.token))
            state = self.rollups.state
        if not state.reaches(session.token):
            with self._at_work():
                return work(Source(self.workbench.reader, session, self.rollups))
        future, is_first = self._future(key, state.revision)
        if is_first:
            try:
                with self._at_work():
                    future.set_result(work(Source(self.workbench.reader, Session(state.token), self.rollups)))
            except BaseException as error:
                self._forget(key, future)  # the next one who asks tries again
                future.set_exception(error)
                raise
        return future.result()

    def _future(self, key: Hashable, revision: int) -> tuple[Future[Any], bool]:
        with self._lock:
            if revision != self._answered_revision:
                self._answers, self._answered_revision = {}, revision
            found = self._answers.get(key)
            if found is not None:
                return found, False
            while len(self._answers) >= MOST_ANSWERS:
                self._answers.pop(next(iter(self._answers)))
            made: Future[Any] = Future()
            self._answers[key] = made
            return made, True

    def _forget(self, key: Hashable, future: Future[Any]) -> None:
        with self._lock:
            if self._answers.get(key) is future:
                del self._answers[key]

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        """Counts who is asking now."""
        with self._lock:
            self._asking += 1
        try:
            yield
        finally:
            with self._lock:
                self._asking -= 1
                self._asked_at = time.monotonic()

    def _run(self) -> None:
        is_loading = True
        while not self._waited(0 if is_loading else self._seconds):
            is_loading = self._refresh() and not self.rollups.is_complete
            self._has_begun.set()
            if is_loading:
                self._give_way()

    def _give_way(self) -> None:
        """Waits until nobody has asked for a moment: loading would make their answers slow."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end and not self._stopping.wait(QUIET_SECONDS):
            if not self._asking and time.monotonic() - self._asked_at >= QUIET_SECONDS:
                return

    def _waited(self, seconds: float) -> bool:
        """Waits, but not for long when RisingWave pushes a change; True when it is time to stop."""
        if self.stream is not None and seconds:
            self.stream.push.arrived.wait(seconds)
            self.stream.push.arrived.clear()  # also when nobody takes it, as long as the replica answers
            seconds = PUSHED_SECONDS
        return self._stopping.wait(seconds)

    def _refresh(self) -> bool:
        """True when it worked; else ``problem`` says why not, and the log has it once."""
        try:
            self.rollups.refresh(self.workbench.reader, self._session)
        except WorkbenchError as error:
            self._tell(str(error))
        except Exception:
            if not self.problem:
                log.exception("The figures could not be renewed")
            self.problem = "The figures could not be renewed. The cause is in the server's log."
        else:
            self.problem = ""
            return True
        return False

    def _tell(self, problem: str) -> None:
        if problem != self.problem:
            log.warning("The figures could not be renewed: %s", problem)
        self.problem = problem
