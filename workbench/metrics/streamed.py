"""Streamed: the rollups kept up by what RisingWave pushes, for as long as it is there and fresh enough."""

from __future__ import annotations

import logging
import time
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from workbench.errors import ServerUnavailable
from workbench.metrics import changes
from workbench.metrics.changes import Changes, Position
from workbench.metrics.push import Changed
from workbench.metrics.state import State, applied, extended
from workbench.metrics.stream import FRESH_SECONDS, Beat, Stream
from workbench.replication import Reader, Session, lsn_number

log = logging.getLogger(__name__)

MOST_BEATS = 60
# RisingWave spreads its rows over 256 places by their key, and looks for each customer in all of them: to look for many
# would take longer than a query may, again and again.
MOST_CUSTOMERS = 300


class Streamed:
    """One for each process, used by one thread at a time."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._has_joined = False
        self._waits_since: float | None = None
        self._beats: list[Beat] = []  # seen, but perhaps not all that was before them has been told
        self._next: Position | None = None  # the newest position, until RisingWave has reached it

    @property
    def is_pushed(self) -> bool:
        """Whether RisingWave tells its changes now."""
        return self._stream.push.is_following

    def join(self) -> None:
        """From now on what is loaded is kept up by what is pushed: it was read from PostgreSQL after that began."""
        self._has_joined = True

    def advanced(self, reader: Reader, before: State) -> State | None:
        """The state as RisingWave has it; None when PostgreSQL has to be asked."""
        if not self._has_joined or not self.is_pushed:
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
        """The state as it is, for a while: without a heartbeat RisingWave never says that it has got there.

        Who gives up waits again next time, as PostgreSQL's newest is always ahead of a RisingWave that is fresh enough;
        but not while days are missing, which would each wait.
        """
        now = time.monotonic()
        self._waits_since = now if self._waits_since is None else self._waits_since
        if now - self._waits_since <= FRESH_SECONDS:
            return before
        if before.is_complete:
            self._waits_since = None
        return None

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
        is_everything = taken.is_everything or len(taken.customers) > MOST_CUSTOMERS
        found = Changes(position, tuple(taken.days), tuple(taken.customers), is_everything)
        state = applied(connection, before, found)
        if not state.is_complete:
            state = extended(connection, state)
        if told is None or lsn_number(told.lsn) < before.lsn:  # what is in memory may be newer than that, never older
            return replace(state, engine="risingwave", as_of=before.as_of, token=before.token)
        return replace(state, engine="risingwave", as_of=told.beat_at, token=told.lsn)

    def _told(self, beat: Beat, reached: float) -> Beat | None:
        """The newest heartbeat up to which all changes have been told: RisingWave shows them before it tells them."""
        self._beats.append(beat)
        told = [known for known in self._beats if known.checkpoint_ms <= reached]
        self._beats = [known for known in self._beats if known.checkpoint_ms > reached][-MOST_BEATS:]
        return told[-1] if told else None
