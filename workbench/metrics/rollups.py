"""Rollups: kept in memory for a whole process, loaded once, then kept exact by re-reading only what has changed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import sqlalchemy as sa

from workbench.metrics import changes, loading
from workbench.metrics.changes import Changes, Position
from workbench.metrics.cube import Cube, Groups
from workbench.metrics.filters import Where, day_number
from workbench.metrics.loading import EARLIEST_DAY, LATEST_DAY
from workbench.metrics.registry import ROLLUPS, Rollup
from workbench.replication import Answer, EngineName, Reader, Session, lsn_number

_LINE_DIMENSIONS = ("category", "product")
MOST_DAYS = 60  # when more days have changed, they are loaded anew in chunks
MOST_ANSWERS = 500  # of the database that are remembered


@dataclass(frozen=True)
class State:
    """The rollups as of one snapshot; never changed, only replaced.

    Each of ``cubes`` holds the days from its ``loaded_from`` on. ``revision`` moves when figures may have changed, not
    when more days are loaded. ``token`` is a position that the snapshot includes.
    """

    revision: int = 0
    engine: EngineName = "replica"
    as_of: datetime | None = None
    token: str | None = None
    position: Position | None = None
    cubes: Mapping[str, Cube] = field(default_factory=dict)
    loaded_from: Mapping[str, int] = field(default_factory=lambda: {rollup.name: LATEST_DAY for rollup in ROLLUPS})

    @property
    def is_complete(self) -> bool:
        """Whether every rollup holds every day."""
        return all(day == EARLIEST_DAY for day in self.loaded_from.values())

    def reaches(self, token: str | None) -> bool:
        """Whether a session that has written up to ``token`` finds its writes in here."""
        if self.token is None or token is None:
            return False
        return lsn_number(self.token) >= lsn_number(token)

    def hold(self, session: Session) -> None:
        """Moves the session on to what the rollups have seen, so that nothing it reads next is older."""
        if self.reaches(session.token):
            session.token = self.token

    def cube(self, measure: str, grain: str, by: Sequence[str], where: Where) -> Cube | None:
        """The cheapest rollup that gives this measure exactly; None when only the database can."""
        if where.time_from or where.time_to:
            return None
        first = EARLIEST_DAY if where.date_from is None else day_number(where.date_from)
        needed = {*by, *where.by_dimension}
        for rollup in ROLLUPS:
            is_exact = measure in rollup.measures and _fits(rollup, grain, where)
            is_there = rollup.name in self.cubes and first >= self.loaded_from[rollup.name]
            if not (is_exact and is_there and needed <= {*rollup.dimensions, "weekday"}):
                continue
            cube = self.cubes[rollup.name]
            # A sale with lines of two categories is in two rows: it counts once only when a single one is left.
            if measure != "sales" or rollup.grain == "sale" or cube.has_one(_LINE_DIMENSIONS, where):
                return cube
        return None


def _fits(rollup: Rollup, grain: str, where: Where) -> bool:
    """Whether the rollup's rows are of the grain that is asked; sales under a filter of lines are told by its lines."""
    return rollup.grain == ("line" if grain == "line" or where.narrows_lines else "sale")


class Rollups:
    """One for each process: any number of readers, and one refresher at a time."""

    def __init__(self) -> None:
        self._state = State()
        self._lock = threading.Lock()
        self._answers: dict[Hashable, Answer[Groups]] = {}
        self._answers_revision = 0
        self._answers_lock = threading.Lock()

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

        Raises ServerUnavailable when no server answers; what was loaded stays, with its as_of.
        """
        with self._lock:
            return self._advance(reader, session, may_load=True)

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

    def remembered(self, state: State, question: Hashable, read: Callable[[], Answer[Groups]]) -> Answer[Groups]:
        """The answer to ``read`` (a read not older than ``state``); asked once for each revision."""
        with self._answers_lock:
            if self._answers_revision != state.revision or len(self._answers) >= MOST_ANSWERS:
                self._answers, self._answers_revision = {}, state.revision
            found = self._answers.get(question)
        if found is not None and state.as_of is not None:  # nothing has changed since: it is as new as the state
            return replace(found, as_of=max(found.as_of, state.as_of))
        answer = read()
        with self._answers_lock:
            if self._answers_revision == state.revision:
                self._answers[question] = answer
        return answer

    def _advance(self, reader: Reader, session: Session, may_load: bool) -> bool:
        before = self._state
        before.hold(session)
        answer = reader.read(session, lambda connection: _advanced(connection, before, may_load), "rollups")
        self._state = replace(answer.value, engine=answer.engine, as_of=answer.as_of, token=session.token)
        return self._state.revision != before.revision


def _advanced(connection: sa.Connection, state: State, may_load: bool) -> State:
    """The state in a snapshot of now."""
    with loading.one_snapshot(connection):
        if state.position is None:
            state = replace(state, position=changes.start(connection), revision=state.revision + 1)
        else:
            state = _applied(connection, state, changes.since(connection, state.position))
        return _extended(connection, state) if may_load and not state.is_complete else state


def _applied(connection: sa.Connection, state: State, found: Changes) -> State:
    if found.is_everything or len(found.days) > MOST_DAYS:
        return State(revision=state.revision + 1, position=found.position)
    state = replace(state, position=found.position)
    if not found.days and not found.customers:
        return state
    changed = {"day": found.days, "customer_id": found.customers}
    cubes = dict(state.cubes)
    for rollup in ROLLUPS:
        keys = changed[rollup.key]
        if rollup.key == "day":
            keys = tuple(day for day in keys if day >= state.loaded_from[rollup.name])
        if keys and rollup.name in cubes:
            cubes[rollup.name] = cubes[rollup.name].replaced(keys, loading.keys(connection, rollup, keys))
    return replace(state, cubes=cubes, revision=state.revision + 1)


def _extended(connection: sa.Connection, state: State) -> State:
    """With one more chunk of one rollup: the newest days that are missing."""
    rollup = max(ROLLUPS, key=lambda rollup: state.loaded_from[rollup.name])
    end = state.loaded_from[rollup.name]
    first = loading.chunk_before(connection, end) if rollup.key == "day" else EARLIEST_DAY
    rows = loading.days(connection, rollup, first, end)
    cube = state.cubes[rollup.name].replaced((), rows) if rollup.name in state.cubes else rows
    return replace(
        state, cubes={**state.cubes, rollup.name: cube}, loaded_from={**state.loaded_from, rollup.name: first}
    )
