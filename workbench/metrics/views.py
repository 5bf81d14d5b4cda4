"""RisingWave as one who answers: the views that it keeps, how fresh they are, and when they have changed.

Views are as few as the pages ask for, of a grain that their tiles ask for, with the day first: a row less is time saved
twice, in RisingWave and at each question.
"""

from __future__ import annotations

import itertools
import logging
import textwrap
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa

from workbench import locale
from workbench.database.askers import asked_on
from workbench.database.failures import SERVER_ERRORS, is_missing
from workbench.database.replication import Answer, Reader, ReadPosition, lsn_number
from workbench.database.sql_files import read_sql, run_sql
from workbench.metrics.definitions import DIMENSIONS, MEASURES, SPANS, Grain, Metric
from workbench.metrics.facts import TABLES, Grouping, Groups, group, line_conditions, sale_conditions, shown
from workbench.metrics.where import Where
from workbench.sales.fields import GROUPED
from workbench.servers.risingwave.relations import FOLLOWED, Relation, changes_of
from workbench.telemetry import queried


@dataclass(frozen=True)
class View:
    """A materialized view: one row per day and the other ``dimensions``, with the sums of ``measures``."""

    name: str
    grain: Grain
    dimensions: tuple[str, ...]
    measures: tuple[str, ...]

    @property
    def body(self) -> str:
        """Its statement, made of the definitions; it stands alone, so that it can be changed by itself."""
        keys = [DIMENSIONS[name].column for name in self.dimensions]
        totals = [f"{MEASURES[name].expression} as {name}" for name in self.measures]
        selected = ",\n    ".join([*keys, *totals])
        facts = TABLES[self.grain].name
        body = textwrap.indent(read_sql(f"metrics/{facts}").rstrip(), "    ")
        return f"select\n    {selected}\nfrom (\n{body}\n) as {facts}\ngroup by {', '.join(keys)}\n"

    def holds(self, measure: str, grain: Grain, by: Sequence[str], where: Where) -> bool:
        """Whether it gives this measure, of this grain, by these dimensions and under this filter."""
        known = {*self.dimensions, "weekday", *SPANS}
        is_held = known.issuperset(by) and known.issuperset(where.by_dimension)
        has_times = where.time_from is not None or where.time_to is not None or where.before is not None
        return is_held and grain == self.grain and measure in self.measures and not has_times

    @property
    def table(self) -> sa.TableClause:
        """It as a table that statements name."""
        facts = TABLES[self.grain].c
        keys = [DIMENSIONS[name].column for name in self.dimensions]
        columns = [sa.column(key, facts[key].type) for key in keys]
        return sa.table(self.name, *columns, *(sa.column(name, sa.Numeric) for name in self.measures))


_SALES = ("sales", "revenue", "discount_given", "returns")
_LINES = ("items_sold", "revenue", "discount_given", "returns", "lines", "discounted_lines", "discounted_revenue")
_CHOICES = (field.dimension for field in GROUPED if field.choices)
VIEWS = (
    View("sales_by_store", "sale", ("day", "store", *_CHOICES), _SALES),
    View("sales_by_hour", "sale", ("day", "hour", "store"), _SALES),
    View("lines_by_category", "line", ("day", "store", "category"), _LINES),
    View("lines_by_product", "line", ("day", "product", "category"), _LINES),
)


def materialized_views() -> list[Relation]:
    """The views as what is built in RisingWave."""
    return [Relation(view.name, "materialized view", view.body) for view in VIEWS]


def holding(grouping: Grouping) -> dict[View, list[str]] | None:
    """The views that give these measures, and which of them each gives; None when one is given by none."""
    found: dict[View, list[str]] = {}
    for measure, grain in grouping.grains.items():
        held = (view for view in VIEWS if view.holds(measure, grain, grouping.by, grouping.where))
        view = next(held, None)
        if view is None:
            return None
        found.setdefault(view, []).append(measure)
    return found


def sums(connection: sa.Connection, asked: Mapping[View, Sequence[str]], grouping: Grouping) -> Groups:
    """The groups of a grouping, summed over the views that ``holding`` has found."""
    groups: Groups = {}
    by, where = grouping.by, grouping.where
    for view, measures in asked.items():
        table = view.table
        keys = [group(table, name).label(name) for name in by]
        conditions = sale_conditions(table, where)
        if where.narrows_lines:
            conditions += line_conditions(table, where)
        query = sa.select(*map(shown, keys), *(_total(table, name) for name in measures)).select_from(table)
        for row in connection.execute(query.where(*conditions).group_by(*keys)):
            values = zip(measures, map(int, row[len(by) :]), strict=True)
            groups.setdefault(tuple(row[: len(by)]), {}).update(values)
    return groups


def _total(table: sa.TableClause, name: str) -> sa.ColumnElement[int]:
    total = sa.func.coalesce(sa.func.sum(table.c[name]), 0)
    return sa.cast(total * 100 if MEASURES[name].unit == "money" else total, sa.BigInteger)


def given(metrics: Sequence[Metric], by: Sequence[str]) -> list[Metric]:
    """Those of the metrics that the views give by these dimensions."""
    return [metric for metric in metrics if holding(Grouping.of(metric.measures, by, Where())) is not None]


log = logging.getLogger(__name__)

FRESH_SECONDS = 10.0  # behind the master; below the limit of every tile, so that none turns amber while others could do
LOOK_SECONDS = 0.2
LOOKS = 10  # after as many it is looked whether the subscriptions are the same
RETRY_SECONDS = 2.0
FETCH_ROWS = 1_000


Reason = Literal["no such view", "view missing", "read nothing yet", "behind", "away"]


class PassedOver(Exception):
    """RisingWave was not asked, or did not answer: why, by name and in a few words."""

    def __init__(self, reason: Reason, text: str) -> None:
        self.reason = reason
        super().__init__(text)


@dataclass(frozen=True)
class Beat:
    """The heartbeat that RisingWave has: every commit up to ``lsn`` is in all its views."""

    lsn: str
    beat_at: datetime

    def seconds_behind(self, last_beat_at: datetime | None) -> float:
        """How far it is behind the master's newest heartbeat, as far as that is known."""
        return 0.0 if last_beat_at is None else (last_beat_at - self.beat_at).total_seconds()


class Stream:
    """One for each process. ``start`` follows RisingWave's changes in a thread."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self.revision = 0  # moves when figures may have changed
        self.as_of: datetime | None = None
        self._awaited: datetime | None = None  # a newer heartbeat than this one brings what was lacking when asked
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Starts the thread."""
        self._thread = threading.Thread(target=self._run, name="risingwave", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread and waits for it."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=15)

    def sums(
        self,
        reader: Reader,
        read_position: ReadPosition,
        grouping: Grouping,
        shown: str | None = None,
    ) -> Answer[Groups]:
        """As ``metrics.sums``, from the materialized views, when they hold all up to ``shown``.

        Raises PassedOver, saying why they do not answer.
        """
        asked = holding(grouping)
        if asked is None:
            raise PassedOver("no such view", "no view of RisingWave holds this")
        try:
            with self.snapshot("views") as (connection, beat):
                if beat is None:
                    raise PassedOver("read nothing yet", "RisingWave has read nothing yet")
                behind = beat.seconds_behind(reader.last_beat_at)
                if behind > FRESH_SECONDS:
                    raise PassedOver("behind", f"RisingWave is behind by {locale.number(behind, 0)} s")
                if read_position.token is None or lsn_number(beat.lsn) < lsn_number(read_position.token):
                    raise PassedOver("behind", "RisingWave does not have yet what was just saved")
                if shown is not None and lsn_number(beat.lsn) < lsn_number(shown):
                    raise PassedOver("behind", "RisingWave does not have yet what was shown before")
                self.as_of = beat.beat_at
                found = asked_on(connection, lambda on: sums(on, asked, grouping))
                return Answer(found, "risingwave", beat.beat_at)
        except PassedOver as passed_over:
            if passed_over.reason in ("behind", "read nothing yet"):
                self._awaited = reader.last_beat_at
            raise
        except SERVER_ERRORS as error:
            log.warning("RisingWave was not read: %s", type(error).__name__)
            if is_missing(error):
                lacking = "RisingWave lacks a view that this asks: run `workbench risingwave apply`"
                raise PassedOver("view missing", lacking) from error
            raise PassedOver("away", "RisingWave does not answer") from error

    @contextmanager
    def snapshot(self, what: str) -> Iterator[tuple[sa.Connection, Beat | None]]:
        """A connection that reads one moment, and the heartbeat of that moment; None when there is none yet.

        ``what`` is the name under which its time is counted.
        Raises DBAPIError and SQLAlchemy's TimeoutError.
        """
        began = time.monotonic()
        with self._engine.connect() as connection:
            # RisingWave pins a snapshot in no other way; the pool's own rollback would not reach it.
            connection.exec_driver_sql("begin read only")
            try:
                row = run_sql(connection, "queries/risingwave_beat").one_or_none()
                yield connection, None if row is None or row.beat_at is None else Beat(row.lsn, row.beat_at)
            finally:
                if not connection.invalidated:
                    connection.exec_driver_sql("commit")
        queried("risingwave", what, time.monotonic() - began)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with self._engine.connect() as connection:
                    connection.detach()  # held for hours: not the pool's any more
                    self._follow(connection)
            except SERVER_ERRORS as error:
                log.info("RisingWave's changes are not followed for now: %s", type(error).__name__)
                self._stopping.wait(RETRY_SECONDS)

    def _follow(self, connection: sa.Connection) -> None:
        """Moves the revision whenever a table changes, until the connection is lost or stop() is called."""
        # Not since now(): a change that is on its way into a checkpoint would be older than that.
        begun = int(connection.exec_driver_sql(read_sql("queries/risingwave_now")).scalar_one())
        made = self._subscriptions(connection)
        for table in FOLLOWED:
            name = changes_of(table)
            connection.exec_driver_sql(f"declare {table}_changes subscription cursor for {name} since {begun}")
        self.revision += 1  # nobody knows what has changed while nobody followed
        for look in itertools.count(1):
            if self._stopping.wait(LOOK_SECONDS):
                return
            rows = [connection.exec_driver_sql(f"fetch {FETCH_ROWS} from {table}_changes").all() for table in FOLLOWED]
            self.revision += any(rows) or self._has_caught_up(connection)
            if look % LOOKS == 0 and self._subscriptions(connection) != made:
                return  # a cursor on a table that was dropped just says nothing more

    def _has_caught_up(self, connection: sa.Connection) -> bool:
        """Once after it was passed over: rows arrive before the heartbeat that vouches for them."""
        awaited = self._awaited
        if awaited is None:
            return False
        beats = connection.exec_driver_sql(read_sql("queries/risingwave_beat")).all()
        if not beats or beats[0][0] is None or beats[0][0] <= awaited:
            return False
        self._awaited = None
        return True

    @staticmethod
    def _subscriptions(connection: sa.Connection) -> list[int]:
        """Which ones there are: what is made anew has another number."""
        return [row[0] for row in connection.exec_driver_sql(read_sql("queries/risingwave_subscriptions")).all()]
