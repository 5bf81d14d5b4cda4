"""Rollups from RisingWave, with a PostgreSQL database that stands in for it: routing, fallback, and coming back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from types import SimpleNamespace
from uuid import uuid4

import pandas as pd
import pytest
import sqlalchemy as sa
from pandas.testing import assert_frame_equal

from tests.examples import sale
from tests.stand_in import carry, stand_in
from workbench import sample
from workbench.config import Settings
from workbench.connection import Workbench
from workbench.engines import Engines, connect
from workbench.metrics import METRICS, Rollups, Source, Stream, Where, ask, streamed
from workbench.metrics.filters import day_number
from workbench.metrics.push import Changed, Push
from workbench.metrics.registry import ROLLUPS
from workbench.metrics.streamed import MOST_CUSTOMERS
from workbench.positions import beat, wait_for_replica
from workbench.replication import Answer, Reader, Session

NAMES = ("revenue", "sales", "items_sold", "discount_given")


class Pair:
    """The rollups of a process with a stand-in for RisingWave, whose pushes the test makes by hand."""

    def __init__(self, engines: Engines) -> None:
        assert engines.risingwave is not None
        self.engines, self.reader = engines, Reader(engines)
        self.push = Push(engines.risingwave, rollups=())
        self.rollups = Rollups(Stream(engines.risingwave, self.push))

    def refresh(self, times: int = 1) -> None:
        for _ in range(times):
            self.rollups.refresh(self.reader, Session())

    def load(self) -> None:
        self.refresh()  # the first chunk comes from the replica; with it RisingWave has joined
        carry(self.engines)
        while not self.rollups.is_complete or self.rollups.engine != "risingwave":
            self.refresh()

    def ask(self, by: tuple[str, ...] = (), session: Session | None = None) -> Answer[pd.DataFrame]:
        return ask(Source(self.reader, session or Session(), self.rollups), NAMES, by=by)

    def truth(self, by: tuple[str, ...] = ()) -> pd.DataFrame:
        with self.engines.master_reader.connect():
            return ask(Source(Reader(self.engines), Session()), NAMES, by=by).value


@pytest.fixture
def pair(settings: Settings, engines: Engines) -> Iterator[Pair]:
    with stand_in(settings) as made:
        connected = connect(made)
        sample.load(connected, 300, seed=5)
        assert wait_for_replica(connected)
        yield Pair(connected)
        connected.dispose()


def written(pair: Pair, workbench: Workbench) -> Changed:
    """One more sale on the master, and what RisingWave would push for it."""
    made = sale()
    workbench.sales().create(made, uuid4())
    assert wait_for_replica(pair.engines)
    return Changed({day_number(made.transaction_time.date())}, {77})


def test_risingwave_answers_once_it_has_what_is_loaded(pair: Pair) -> None:
    pair.load()
    answer = pair.ask(("store",))
    assert answer.engine == "risingwave"
    assert_frame_equal(answer.value, pair.truth(("store",)))
    with pair.engines.master_reader.connect() as connection:
        assert answer.as_of == connection.exec_driver_sql("select beat_at from heartbeat").scalar_one()


def test_whatever_loaded_the_rollups_they_are_the_same(pair: Pair) -> None:
    """Every rollup read by SELECT from the stand-in is the one that COPY reads from the replica."""
    pair.load()
    copied = Rollups()
    copied.load(pair.reader, Session())
    for name in METRICS:
        for dimension in METRICS[name].dimensions:
            frames = [
                ask(Source(pair.reader, Session(), rollups), [name], by=[dimension]).value
                for rollups in (pair.rollups, copied)
            ]
            assert_frame_equal(*frames)
    for rollup in ROLLUPS:
        one, other = pair.rollups.state.cubes[rollup.name], copied.state.cubes[rollup.name]
        assert {n: int(v.sum()) for n, v in one.measures.items()} == {
            n: int(v.sum()) for n, v in other.measures.items()
        }


def test_what_is_pushed_is_read_again(pair: Pair, workbench: Workbench) -> None:
    pair.load()
    before = pair.rollups.revision
    found = written(pair, workbench)
    carry(pair.engines)
    pair.refresh()
    assert pair.rollups.revision == before, "nothing was pushed, so nothing is read"
    pair.push.tell(found)
    pair.refresh()
    assert pair.rollups.revision == before + 1
    assert pair.rollups.engine == "risingwave"
    assert_frame_equal(pair.ask(("day",)).value, pair.truth(("day",)))


def test_what_is_shown_but_not_told_yet_is_not_claimed(
    pair: Pair, workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RisingWave shows a change a moment before its readers are told of it."""
    pair.load()
    before = pair.rollups.state
    found = written(pair, workbench)
    lsn = carry(pair.engines)
    with monkeypatch.context() as patched:
        patched.setattr(Push, "reached_ms", 0)
        pair.refresh()
        assert (pair.rollups.state.token, pair.rollups.state.as_of) == (before.token, before.as_of)
        assert not pair.rollups.state.reaches(lsn)
    pair.push.tell(found)
    pair.refresh()
    assert pair.rollups.state.reaches(lsn)
    assert_frame_equal(pair.ask(("day",)).value, pair.truth(("day",)))


def test_an_own_write_is_read_from_postgresql_until_risingwave_has_it(pair: Pair, workbench: Workbench) -> None:
    pair.load()
    sales = workbench.sales()
    made = sale()
    sales.create(made, uuid4())
    assert wait_for_replica(pair.engines)
    answer = pair.ask(session=Session(sales.session.token))
    assert answer.engine in ("replica", "master")
    assert_frame_equal(answer.value, pair.truth())
    pair.refresh()
    assert pair.rollups.engine != "risingwave", "it would take the write back"
    assert_frame_equal(pair.ask().value, pair.truth())
    carry(pair.engines)
    pair.push.tell(Changed({day_number(made.transaction_time.date())}))
    pair.refresh()
    assert pair.ask().engine == "risingwave"
    assert_frame_equal(pair.ask().value, pair.truth())


def test_a_risingwave_that_was_given_up_on_is_waited_for_again(
    pair: Pair, workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is always a little behind what the replica gave would else never answer again."""
    clock = SimpleNamespace(monotonic=lambda: now)
    monkeypatch.setattr(streamed, "time", clock)
    pair.load()
    now = 1.0
    written(pair, workbench)
    pair.rollups.catch_up(pair.reader, Session())
    pair.refresh()
    waiting = pair.rollups.state
    now += streamed.FRESH_SECONDS + 1
    beat(pair.engines)
    assert wait_for_replica(pair.engines)
    pair.refresh()
    assert pair.rollups.state.lsn > waiting.lsn, "the replica goes on"
    carry(pair.engines)
    written(pair, workbench)
    pair.rollups.catch_up(pair.reader, Session())
    ahead = pair.rollups.state
    beat(pair.engines)
    pair.refresh()
    assert pair.rollups.state is ahead, "RisingWave is about to get there"
    carry(pair.engines)
    pair.push.tell(Changed(is_everything=True))
    pair.refresh()
    assert pair.rollups.engine == "risingwave"


def test_when_risingwave_goes_away_the_replica_goes_on_where_it_was(pair: Pair, workbench: Workbench) -> None:
    pair.load()
    found = written(pair, workbench)
    assert pair.engines.risingwave is not None
    with pair.engines.risingwave.connect() as connection:
        connection.exec_driver_sql("alter table heartbeat rename to gone")
    pair.refresh()
    assert pair.rollups.engine == "replica"
    assert pair.rollups.is_complete, "nothing is loaded anew"
    assert_frame_equal(pair.ask(("day",)).value, pair.truth(("day",)))
    with pair.engines.risingwave.connect() as connection:
        connection.exec_driver_sql("alter table gone rename to heartbeat")
    carry(pair.engines)
    pair.push.tell(found)
    pair.refresh()
    assert pair.rollups.engine == "risingwave"
    assert_frame_equal(pair.ask(("day",)).value, pair.truth(("day",)))


def test_a_risingwave_that_stands_still_is_not_asked(pair: Pair, workbench: Workbench) -> None:
    pair.load()
    with pair.engines.owner.begin() as connection:
        connection.execute(sa.text("update heartbeat set beat_at = beat_at + interval '11 seconds'"))
    pair.reader.renew()
    written(pair, workbench)
    pair.refresh()
    assert pair.rollups.engine == "replica"
    assert_frame_equal(pair.ask().value, pair.truth())
    beat(pair.engines)


@pytest.mark.parametrize("told", [Changed(is_everything=True), Changed(customers=set(range(MOST_CUSTOMERS + 1)))])
def test_when_changes_were_missed_or_are_many_everything_is_read_anew(
    pair: Pair, workbench: Workbench, told: Changed
) -> None:
    pair.load()
    before = set(pair.rollups.state.cubes)
    written(pair, workbench)
    carry(pair.engines)
    pair.push.tell(told)
    pair.refresh()
    assert set(pair.rollups.state.cubes) < before
    assert_frame_equal(pair.ask().value, pair.truth())
    pair.load()
    assert_frame_equal(pair.ask(("day",)).value, pair.truth(("day",)))


def test_what_no_rollup_gives_is_asked_of_the_replica(pair: Pair) -> None:
    pair.load()
    answer = ask(Source(pair.reader, Session(), pair.rollups), ["revenue"], where=Where(time_to=time(12)))
    assert answer.engine == "replica"
