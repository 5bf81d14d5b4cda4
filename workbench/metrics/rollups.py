"""Rollups: kept in memory for a whole process, loaded once, then kept exact by re-reading only what has changed."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime

from workbench.metrics.answers import Answers
from workbench.metrics.state import State, advanced
from workbench.metrics.stream import Stream
from workbench.metrics.streamed import Streamed
from workbench.replication import EngineName, Reader, Session


class Rollups:
    """One for each process: any number of readers, and one refresher at a time.

    They come from RisingWave (``stream``) while it is there and fresh enough, else from PostgreSQL's views of the same
    bodies. What is loaded from the one is kept up from the other: both find changes from the same position on.
    """

    def __init__(self, stream: Stream | None = None) -> None:
        self._state = State()
        self._streamed = None if stream is None else Streamed(stream)
        self._lock = threading.Lock()
        self.answers = Answers()

    @property
    def state(self) -> State:
        """What is loaded now; a reader that keeps it sees one consistent snapshot."""
        return self._state

    @property
    def revision(self) -> int:
        """Moves whenever figures may have changed."""
        return self._state.revision

    @property
    def as_of(self) -> datetime | None:
        """Data time of what is loaded; None before the first refresh."""
        return self._state.as_of

    @property
    def engine(self) -> EngineName:
        """Who was read."""
        return self._state.engine

    @property
    def is_complete(self) -> bool:
        """False while refresh() still loads older days; the database is asked about them until then."""
        return self._state.is_complete

    def refresh(self, reader: Reader, session: Session) -> bool:
        """Reads what has changed, and a next chunk of days while one is missing: True when figures may have changed.

        The first time only the moment from which changes are followed is taken.
        Raises ServerUnavailable when no server answers; what was loaded stays, with its as_of.
        """
        with self._lock:
            before = self._state
            if self._streamed is None:
                return self._advance(reader, session, may_load=True)
            found = self._streamed.advanced(reader, before)
            if found is not None:
                self._state = found
                return found.revision != before.revision
            is_pushed = self._streamed.is_pushed
            has_moved = self._advance(reader, session, may_load=True)
            if is_pushed:
                self._streamed.join()  # read after it began: no change falls between
            return has_moved

    def load(self, reader: Reader, session: Session) -> None:
        """Refreshes until everything is loaded."""
        while True:
            self.refresh(reader, session)
            if self.is_complete:
                return

    def catch_up(self, reader: Reader, session: Session) -> None:
        """Reads what has changed, unless another thread is at it: for a session that looks for its own write."""
        if self._state.position is not None and self._lock.acquire(blocking=False):
            try:
                self._advance(reader, session, may_load=False)
            finally:
                self._lock.release()

    def _advance(self, reader: Reader, session: Session, may_load: bool) -> bool:
        before = self._state
        before.hold(session)
        answer = reader.read(session, lambda connection: advanced(connection, before, may_load), "rollups")
        self._state = replace(answer.value, engine=answer.engine, as_of=answer.as_of, token=session.token)
        return self._state.revision != before.revision
