"""State: the rollups in memory as of one snapshot, and the steps from one snapshot to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import sqlalchemy as sa

from workbench.metrics import changes, loading
from workbench.metrics.changes import Changes, Position
from workbench.metrics.cube import Cube
from workbench.metrics.filters import Where, day_number
from workbench.metrics.loading import EARLIEST_DAY, LATEST_DAY
from workbench.metrics.registry import ROLLUPS, Rollup
from workbench.replication import EngineName, Session, lsn_number

_LINE_DIMENSIONS = ("category", "product")
MOST_DAYS = 60  # when more days have changed, they are loaded anew in chunks


@dataclass(frozen=True)
class State:
    """The rollups as of one snapshot; never changed, only replaced.

    Each of ``cubes`` holds the days from its ``loaded_from`` on. ``revision`` moves when figures may have changed, not
    when more days are loaded. ``token`` is a position that the snapshot includes; ``replayed`` is where the replica was
    before it, None when another server was read.
    """

    revision: int = 0
    engine: EngineName = "replica"
    as_of: datetime | None = None
    token: str | None = None
    replayed: str | None = None
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
        if where.time_from or where.time_to or where.before:
            return None
        first = EARLIEST_DAY if where.date_from is None else day_number(where.date_from)
        for rollup in ROLLUPS:
            is_exact = measure in rollup.measures and _fits(rollup, grain, where)
            is_there = rollup.name in self.cubes and first >= self.loaded_from[rollup.name]
            if not (is_exact and is_there and rollup.tells(by, where.by_dimension)):
                continue
            cube = self.cubes[rollup.name]
            # A sale with lines of two categories is in two rows: it counts once only when a single one is left.
            if measure != "sales" or rollup.grain == "sale" or cube.has_one(_LINE_DIMENSIONS, where):
                return cube
        return None


def _fits(rollup: Rollup, grain: str, where: Where) -> bool:
    """Whether the rollup's rows are of the grain that is asked; sales under a filter of lines are told by its lines."""
    return rollup.grain == ("line" if grain == "line" or where.narrows_lines else "sale")


def advanced(connection: sa.Connection, state: State, may_load: bool) -> State:
    """The state in a snapshot of now. A replica that has replayed nothing since is not asked what has changed."""
    is_loading = may_load and not state.is_complete
    replayed = changes.replayed(connection)
    if replayed is not None and replayed == state.replayed and not is_loading:
        return state
    with loading.one_snapshot(connection):
        if state.position is None:  # nothing is loaded yet, so that whoever waits for this moment can ask at once
            return replace(state, position=changes.start(connection), revision=state.revision + 1)
        state = applied(connection, state, changes.since(connection, state.position))
        state = extended(connection, state) if may_load and not state.is_complete else state
        return replace(state, replayed=replayed)


def applied(connection: sa.Connection, state: State, found: Changes) -> State:
    """The state with what has changed read again; an empty one when that is too much."""
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


def extended(connection: sa.Connection, state: State) -> State:
    """With one more chunk of one rollup: the newest days that are missing."""
    rollup = max(ROLLUPS, key=lambda rollup: state.loaded_from[rollup.name])
    end = state.loaded_from[rollup.name]
    first = loading.chunk_before(connection, rollup, end) if rollup.key == "day" else EARLIEST_DAY
    rows = loading.days(connection, rollup, first, end)
    cube = state.cubes[rollup.name].replaced((), rows) if rollup.name in state.cubes else rows
    return replace(
        state, cubes={**state.cubes, rollup.name: cube}, loaded_from={**state.loaded_from, rollup.name: first}
    )
