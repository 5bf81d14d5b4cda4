"""Rollups: kept in memory for a whole process, loaded once, then kept exact by re-reading only what has changed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from workbench.errors import ServerUnavailable
from workbench.metrics import changes, loading
from workbench.metrics.changes import Changes, Position
from workbench.metrics.cube import Cube, Groups
from workbench.metrics.filters import Where, day_number
from workbench.metrics.loading import EARLIEST_DAY, LATEST_DAY
from workbench.metrics.push import Changed
from workbench.metrics.registry import ROLLUPS, Rollup
from workbench.metrics.stream import FRESH_SECONDS, Beat, Stream
from workbench.replication import Answer, EngineName, Reader, Session, lsn_number

log = logging.getLogger(__name__)

_LINE_DIMENSIONS = ("category", "product")
MOST_DAYS = 60  # when more days have changed, they are loaded anew in chunks
MOST_BEATS = 60
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

    @property
    def lsn(self) -> int:
        """Everything in here is in the WAL up to this position: who has less would show less."""
        known = [self.token, None if self.position is None else self.position.lsn]
        return max((lsn_number(lsn) for lsn in known if lsn is not None), default=0)

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


def _restricted(groups: Groups, names: Iterable[str]) -> Groups:
    """The groups with these measures alone, without those that have none of them."""
    found = {key: {name: values[name] for name in names if name in values} for key, values in groups.items()}
    return {key: values for key, values in found.items() if values}


class Rollups:
    """One for each process: any number of readers, and one refresher at a time.

    They come from RisingWave (``stream``) while it is there and fresh enough, else from PostgreSQL's views of the same
    bodies. What is loaded from the one is kept up from the other: both find changes from the same position on.
    """

    def __init__(self, stream: Stream | None = None) -> None:
        self._state = State()
        self._stream = stream
        self._has_joined = False  # whether what is loaded is kept up by what RisingWave pushes
        self._waits_since: float | None = None
        self._beats: list[Beat] = []  # seen, but perhaps not all that was before them has been told
        self._next: Position | None = None  # the newest position, until RisingWave has reached it
        self._lock = threading.Lock()
        self._answers: dict[Hashable, list[tuple[Mapping[str, str], Answer[Groups]]]] = {}
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

        The first time only the moment from which changes are followed is taken.
        Raises ServerUnavailable when no server answers; what was loaded stays, with its as_of.
        """
        with self._lock:
            before = self._state
            found = self._streamed(reader, before)
            if found is not None:
                self._state = found
                return found.revision != before.revision
            is_pushed = self._stream is not None and self._stream.push.is_following
            has_moved = self._advance(reader, session, may_load=True)
            self._has_joined = self._has_joined or is_pushed  # read after it began: no change falls between
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

    def remembered(
        self, state: State, question: Hashable, grains: Mapping[str, str], read: Callable[[], Answer[Groups]]
    ) -> Answer[Groups]:
        """The answer to ``read`` (not older than ``state``); asked once for each revision, also when more was asked."""
        with self._answers_lock:
            if self._answers_revision != state.revision or len(self._answers) >= MOST_ANSWERS:
                self._answers, self._answers_revision = {}, state.revision
            known = list(self._answers.get(question, ()))
        for asked, found in known:
            if grains.items() <= asked.items() and state.as_of is not None:
                # Nothing has changed since: it is as new as the state.
                return replace(found, value=_restricted(found.value, grains), as_of=max(found.as_of, state.as_of))
        answer = read()
        with self._answers_lock:
            if self._answers_revision == state.revision:
                self._answers.setdefault(question, []).append((dict(grains), answer))
        return answer

    def _streamed(self, reader: Reader, before: State) -> State | None:
        """The state as RisingWave has it; None when PostgreSQL has to be asked."""
        if self._stream is None or not self._has_joined or not self._stream.push.is_following:
            return None
        self._look_ahead(reader)
        # In this order: all that was told up to the time reached is taken, and the snapshot has all that is taken.
        reached = self._stream.push.reached_ms
        taken, has_used = self._stream.push.take(), False
        try:
            with self._stream.snapshot() as (connection, beat):
                if beat is None or not beat.is_fresh(reader.last_beat_at):
                    return None
                if lsn_number(beat.lsn) < before.lsn:
                    return self._patient(before)  # it is about to get there; now it would take something back
                self._waits_since = None
                found = self._received(connection, before, self._told(beat, reached), taken)
                has_used = True
                return found
        except (DBAPIError, PoolTimeout) as error:
            log.warning("RisingWave was not read, the replica answers: %s", type(error).__name__)
            return None
        finally:
            if not has_used:
                self._stream.push.give_back(taken)

    def _patient(self, before: State) -> State | None:
        """The state as it is, for a while: without a heartbeat RisingWave never says that it has got there."""
        self._waits_since = self._waits_since or time.monotonic()
        return before if time.monotonic() - self._waits_since <= FRESH_SECONDS else None

    def _look_ahead(self, reader: Reader) -> None:
        """Notes from where PostgreSQL's log must be followed, for when RisingWave goes away."""
        if self._next is None:
            try:
                self._next = reader.read(Session(), changes.start).value
            except ServerUnavailable:
                return  # the older position is as right, only more work

    def _received(self, connection: sa.Connection, before: State, told: Beat | None, taken: Changed) -> State:
        position = before.position
        if self._next is not None and told is not None and lsn_number(self._next.lsn) <= lsn_number(told.lsn):
            position, self._next = self._next, None
        assert position is not None  # it has joined
        found = Changes(position, tuple(taken.days), tuple(taken.customers), taken.is_everything)
        state = _applied(connection, before, found)
        if not state.is_complete:
            state = _extended(connection, state)
        if told is None or lsn_number(told.lsn) < before.lsn:  # what is in memory may be newer than that, never older
            return replace(state, engine="risingwave", as_of=before.as_of, token=before.token)
        return replace(state, engine="risingwave", as_of=told.beat_at, token=told.lsn)

    def _told(self, beat: Beat, reached: float) -> Beat | None:
        """The newest heartbeat up to which all changes have been told: RisingWave shows them before it tells them."""
        self._beats.append(beat)
        told = [known for known in self._beats if known.checkpoint_ms <= reached]
        self._beats = [known for known in self._beats if known.checkpoint_ms > reached][-MOST_BEATS:]
        return told[-1] if told else None

    def _advance(self, reader: Reader, session: Session, may_load: bool) -> bool:
        before = self._state
        before.hold(session)
        answer = reader.read(session, lambda connection: _advanced(connection, before, may_load), "rollups")
        self._state = replace(answer.value, engine=answer.engine, as_of=answer.as_of, token=session.token)
        return self._state.revision != before.revision


def _advanced(connection: sa.Connection, state: State, may_load: bool) -> State:
    """The state in a snapshot of now."""
    with loading.one_snapshot(connection):
        if state.position is None:  # nothing is loaded yet, so that whoever waits for this moment can ask at once
            return replace(state, position=changes.start(connection), revision=state.revision + 1)
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
    first = loading.chunk_before(connection, rollup, end) if rollup.key == "day" else EARLIEST_DAY
    rows = loading.days(connection, rollup, first, end)
    cube = state.cubes[rollup.name].replaced((), rows) if rollup.name in state.cubes else rows
    return replace(
        state, cubes={**state.cubes, rollup.name: cube}, loaded_from={**state.loaded_from, rollup.name: first}
    )
