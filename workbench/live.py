"""Live: what all pages of a process share. One thread follows the database, and wakes pages when it has changed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Protocol, TypeVar, cast
from weakref import WeakSet

import pandas as pd

from workbench.catalogue.names import KnownNames
from workbench.connection import Workbench
from workbench.database.askers import Question
from workbench.database.replication import Answer, ReadPosition, lsn_number
from workbench.errors import FiguresUnavailable, MetricError, WorkbenchError
from workbench.locale import _, english
from workbench.metrics import Columns, MetricQuery, Source, Stream, Where, ask, ask_together
from workbench.metrics.facts import values_of

log = logging.getLogger(__name__)

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
REFRESH_SECONDS = 0.2  # half a millisecond where nothing is new
BEGIN_SECONDS = 5.0
AGAIN_SECONDS = 30.0
NAMES_SECONDS = 1.0  # between two looks whether the catalogue has changed
MOST_ANSWERS = 2000  # kept for one revision, and as many of what is made of them; beyond it the oldest go


class Wakes(Protocol):
    """Who is told of a change at once."""

    def wake(self) -> None:
        """Figures may have changed. Called on the thread that follows the database."""


class Live:
    """What answers the figures of one process, kept current by one thread, and what was asked at one revision.

    However many pages are open, the database is asked once for each change and each different question is asked once.
    Until the columns are copied the database is asked.
    """

    def __init__(self, workbench: Workbench, seconds: float = REFRESH_SECONDS) -> None:
        self.workbench = workbench
        settings, risingwave = workbench.engines.settings, workbench.engines.risingwave
        used = settings.workbench_figures
        self.columns = Columns.of(settings)
        self.stream = None if risingwave is None or used in ("columns", "database") else Stream(risingwave)
        self.names = KnownNames(workbench.reader)
        self._named, self._names_asked_at = 0, 0.0
        self._asks_columns = used in ("auto", "columns")
        self.problem = ""  # why the last refresh failed, in words; empty when it did not
        self._seconds = seconds
        self._lock = threading.Lock()
        self._answers: dict[Hashable, Question] = {}
        self._answered_revision = 0
        self._made: dict[Hashable, Any] = {}
        self._made_revision = 0
        self._shown: dict[Hashable, str] = {}
        self._woken: WeakSet[Wakes] = WeakSet()
        self._turn = 0
        self._has_begun = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def revision(self) -> int:
        """Moves whenever figures may have changed."""
        moment = self.columns.moment
        of_stream = 0 if self.stream is None else self.stream.revision
        return (0 if moment is None else moment.revision) + of_stream + self._named

    def still(self, engine: str) -> tuple[str, datetime] | None:
        """Who knows, up to which data time, that what ``engine`` has answered at this revision still holds."""
        if engine == "risingwave":
            as_of = None if self.stream is None else self.stream.as_of
            return None if as_of is None else (engine, as_of)
        moment = self.columns.moment
        return None if moment is None else (moment.engine, moment.as_of)

    @property
    def is_ready(self) -> bool:
        """Whether the columns are copied; questions then cost milliseconds."""
        return self.columns.moment is not None

    def choices(self, dimension: str) -> list[Any]:
        """The values of a dimension that there are, sorted with None last; none until the columns are copied."""
        if not self.is_ready:
            return []
        key = ("choices", dimension)
        return self.answer(
            ReadPosition(), key, lambda source: source.read(lambda facts: values_of(facts, dimension))
        ).value

    def start(self) -> None:
        """Starts the thread, once however often it is called."""
        with self._lock:
            if self._thread is None:
                if self.stream is not None:
                    self.stream.start()
                self._thread = threading.Thread(target=self._run, name="columns", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Ends the threads and waits for them."""
        self._stopping.set()
        if self.stream is not None:
            self.stream.stop()
        if self._thread is not None:
            self._thread.join(timeout=15)
        self.columns.close()

    def wakes(self, one: Wakes) -> None:
        """From now on, as long as somebody holds ``one``, it is woken by every change."""
        with self._lock:
            self._woken.add(one)

    def wait_until_begun(self, seconds: float = BEGIN_SECONDS) -> None:
        """Waits for the first refresh, or its failure."""
        self._has_begun.wait(seconds)

    def ask(
        self, read_position: ReadPosition, metrics: Sequence[str], by: Sequence[str], where: Where
    ) -> Answer[pd.DataFrame]:
        """As metrics.ask, shared by all who ask the same at one revision. The frame must not be changed."""
        asked = MetricQuery(tuple(metrics), tuple(by), where)
        return self.answer(read_position, asked, lambda source: ask(source, metrics, by=by, where=where))

    def ask_ahead(self, read_position: ReadPosition, asked: Iterable[MetricQuery]) -> None:
        """Answers all that is about to be asked, by few statements; what it cannot is left to ``ask``."""
        with suppress(MetricError):  # ``ask`` finds out whose
            self._answers_of(read_position, tuple(dict.fromkeys(asked)), ask_together)

    def answer(self, read_position: ReadPosition, key: Hashable, work: Callable[[Source], Answer[T]]) -> Answer[T]:
        """What ``work`` answers, computed once for each ``key`` and revision; all others wait for it.

        Once none of them is there any more it ends, also at the server.
        A session that has just written waits until the columns have it, and asks by itself where they cannot.
        """
        found = self._answers_of(read_position, (key,), lambda source, _keys: [work(source)])
        if found is not None:
            with suppress(MetricError):  # of another one, which somebody has asked together with this one
                return cast(Answer[T], found[key].answer.result()[key])
        return work(self.source(read_position))

    def _answers_of(
        self,
        read_position: ReadPosition,
        keys: Sequence[K],
        work: Callable[[Source, Sequence[K]], Sequence[Answer[Any]]],
    ) -> dict[K, Question] | None:
        """The questions of these keys, of which ``work`` has answered those that nobody had asked.

        None when the columns have not what the session has seen.
        """
        self.columns.catch_up(self.workbench.reader, read_position)
        moment = self.columns.moment
        if moment is None or not moment.reaches(read_position.token):
            return None
        made, revision = Question(), self.revision
        try:
            found = {key: self._question(key, revision, made) for key in keys}
            new = [key for key, question in found.items() if question is made]
            if new:
                with made.asked():
                    answers = work(self.source(ReadPosition(moment.token), self._shown_of(new)), new)
                for key, answer in zip(new, answers, strict=True):
                    self._note(key, None if answer.engine == "risingwave" else moment.lsn)
                made.answer.set_result(dict(zip(new, answers, strict=True)))
        except BaseException as error:
            for key in keys:
                self._forget(key, made)  # the next one who asks tries again
            made.answer.set_exception(error)
            raise
        return found

    def once(self, read_position: ReadPosition, key: Callable[[], Hashable], work: Callable[[], T]) -> T:
        """What ``work`` makes of answers to this session, made once for each ``key`` and revision.

        It is kept only when both are afterwards as they were before.
        """
        self.columns.catch_up(self.workbench.reader, read_position)
        moment, revision, before = self.columns.moment, self.revision, key()
        if moment is None or not moment.reaches(read_position.token):
            return work()
        with self._lock:
            if before in (found := self._made_at(revision)):
                return cast(T, found[before])
        made = work()
        with self._lock:
            if revision == self.revision and before == key():
                kept = self._made_at(revision)
                kept[before] = made
                while len(kept) > MOST_ANSWERS:
                    kept.pop(next(iter(kept)))
        return made

    def _made_at(self, revision: int) -> dict[Hashable, Any]:
        if revision != self._made_revision:
            self._made, self._made_revision = {}, revision
        return self._made

    def source_now(self, read_position: ReadPosition) -> Source:
        """Who is asked for this session about what there is now, what others have just written among it."""
        with suppress(FiguresUnavailable):
            if self._asks_columns and self.columns.catch_up(self.workbench.reader, read_position, is_now=True):
                return self.source(read_position)
        return Source(self.workbench.reader, read_position)

    def source(self, read_position: ReadPosition, shown: str | None = None) -> Source:
        """Who is asked for this session; RisingWave has to be past ``shown``."""
        columns = self.columns if self._asks_columns else None
        return Source(self.workbench.reader, read_position, columns, self.stream, shown)

    def _shown_of(self, keys: Iterable[Hashable]) -> str | None:
        """Up to where one of these was answered by another than RisingWave."""
        with self._lock:
            shown = [self._shown[key] for key in keys if key in self._shown]
        return max(shown, key=lsn_number, default=None)

    def _note(self, key: Hashable, lsn: str | None) -> None:
        """Remembers up to where a question was answered by another than RisingWave, which must not take it back."""
        with self._lock:
            self._shown.pop(key, None)
            if lsn is not None and self.stream is not None:
                self._shown[key] = lsn
            while len(self._shown) > MOST_ANSWERS:
                self._shown.pop(next(iter(self._shown)))

    def _question(self, key: Hashable, revision: int, made: Question) -> Question:
        """The question of all who ask this at this revision: ``made``, when it is asked for the first time."""
        with self._lock:
            if revision != self._answered_revision:
                self._answers, self._answered_revision = {}, revision
            found = self._answers.get(key)
            if found is not None and found.join():
                return found
            while len(self._answers) >= MOST_ANSWERS:
                self._answers.pop(next(iter(self._answers)))
            made.join()
            self._answers[key] = made
            return made

    def _forget(self, key: Hashable, question: Question) -> None:
        with self._lock:
            if self._answers.get(key) is question:
                del self._answers[key]

    def _run(self) -> None:
        while not self._stopping.wait(self._seconds if self._has_begun.is_set() else 0):
            try:
                is_named_anew = self._refresh_names()
                if self.columns.refresh(self.workbench.reader, ReadPosition()) or is_named_anew:
                    self._wake()
            except FiguresUnavailable as error:
                self._tell(str(error))
                self._stopping.wait(AGAIN_SECONDS)  # to copy everything again costs more than a second
            except WorkbenchError as error:
                self._tell(str(error))
            except Exception:
                if not self.problem:
                    log.exception("The figures could not be renewed")
                self.problem = _("The figures could not be renewed. The cause is in the server's log.")
            else:
                self.problem = ""
            self._has_begun.set()

    def _refresh_names(self) -> bool:
        """Whether stores, cashiers or products are called otherwise than before; names are no reason to fail."""
        now = time.monotonic()
        if now - self._names_asked_at < NAMES_SECONDS:
            return False
        self._names_asked_at = now
        with suppress(WorkbenchError):
            were_known = self.names.are_known
            if self.names.refresh() and were_known:
                self._named += 1
                return True
        return False

    def _wake(self) -> None:
        """Wakes all, each time another one first: they are drawn in this order, and one would always be the last."""
        with self._lock:
            woken = tuple(self._woken)
        self._turn += 1
        first = self._turn % max(len(woken), 1)
        for one in (*woken[first:], *woken[:first]):
            one.wake()

    def _tell(self, problem: str) -> None:
        if problem != self.problem:
            log.warning("The figures could not be renewed: %s", english(problem))
        self.problem = problem


_sharing = threading.Lock()
_shared: dict[int, Live] = {}


def shared_live(workbench: Workbench) -> Live:
    """The one Live of this process for ``workbench``, running until the workbench is closed."""
    with _sharing:
        live = _shared.get(id(workbench))
        if live is None:
            live = _shared[id(workbench)] = Live(workbench)
            workbench.before_closing(lambda: _shared.pop(id(workbench)).stop())
    live.start()
    return live
