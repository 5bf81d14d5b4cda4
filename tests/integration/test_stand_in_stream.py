"""Figures from RisingWave's views, with a PostgreSQL database that stands in for it: who answers, and why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from uuid import uuid4

import pandas as pd
import pytest
import sqlalchemy as sa
from pandas.testing import assert_frame_equal

from tests.asked_views import ASKED, asked_views
from tests.conftest import as_superuser
from tests.examples import sale
from tests.stand_in import NAME, carry, stand_in
from workbench import sample
from workbench.config import Settings
from workbench.connection import Workbench
from workbench.connection import connect as connect_workbench
from workbench.database.positions import beat, wait_for_replica
from workbench.database.replication import Answer, ReadPosition
from workbench.live import Live
from workbench.metrics import DIMENSIONS, METRICS, MetricQuery, Source, Stream, Where, ask, views
from workbench.metrics.views import FRESH_SECONDS
from workbench.servers import cluster

NAMES = ("revenue", "sales", "items_sold", "discount_given")


class Shop:
    """A workbench with a stand-in for RisingWave, which the test lets catch up by hand."""

    def __init__(self, workbench: Workbench) -> None:
        assert workbench.engines.risingwave is not None
        self.workbench, self.stream = workbench, Stream(workbench.engines.risingwave)

    def ask(
        self, by: tuple[str, ...] = (), where: Where = Where(), read_position: ReadPosition | None = None
    ) -> Answer[pd.DataFrame]:
        source = Source(self.workbench.reader, read_position or ReadPosition(), stream=self.stream)
        return ask(source, NAMES[:1] if by and DIMENSIONS[by[0]].grain == "line" else NAMES, by=by, where=where)

    def truth(self, names: tuple[str, ...] = NAMES, by: tuple[str, ...] = (), where: Where = Where()) -> pd.DataFrame:
        read_position = ReadPosition(None)  # the master
        return ask(Source(self.workbench.reader, read_position), names, by=by, where=where).value

    def write(self) -> ReadPosition:
        sales = self.workbench.sales()
        sales.create(sale(), uuid4())
        return sales.read_position


@pytest.fixture
def shop(settings: Settings, workbench: Workbench) -> Iterator[Shop]:
    with stand_in(settings) as made:
        connected = connect_workbench(made)
        sample.load(connected.engines, 300, seed=5)
        assert wait_for_replica(connected.engines)
        carry(connected.engines)
        yield Shop(connected)
        connected.close()


def test_every_figure_of_a_view_is_what_the_master_says(shop: Shop) -> None:
    asked = 0
    for where in (Where(), Where(stores=(1, 2)), Where(weekdays=(1,))):
        for dimension in (None, *DIMENSIONS):
            by = () if dimension is None else (dimension,)
            given = [
                metric.name for metric in views.given(list(METRICS.values()), by) if set(by) <= set(metric.dimensions)
            ]
            for name in given:
                answer = ask(
                    Source(shop.workbench.reader, ReadPosition(), stream=shop.stream), [name], by=by, where=where
                )
                assert_frame_equal(answer.value, shop.truth((name,), by, where))
                asked += answer.engine == "risingwave"
    assert asked > 60


def test_its_answer_is_as_of_its_heartbeat(shop: Shop) -> None:
    answer = shop.ask(("store",))
    assert (answer.engine, answer.note) == ("risingwave", "")
    with shop.workbench.engines.master_reader.connect() as connection:
        assert answer.as_of == connection.exec_driver_sql("select beat_at from heartbeat").scalar_one()


@pytest.mark.parametrize("where", [Where(time_to=time(12)), Where(cashiers=(101,)), Where(customer_id=1)])
def test_what_no_view_holds_is_answered_by_another_and_says_why(shop: Shop, where: Where) -> None:
    answer = shop.ask(where=where)
    assert (answer.engine, answer.note) == ("replica", "no view of RisingWave holds this")


def test_an_own_write_is_read_elsewhere_until_risingwave_has_it(shop: Shop) -> None:
    read_position = shop.write()
    answer = shop.ask(read_position=read_position)
    assert answer.engine in ("replica", "master")
    assert answer.note
    assert_frame_equal(answer.value, shop.truth())
    carry(shop.workbench.engines)
    answer = shop.ask(read_position=read_position)
    assert answer.engine == "risingwave"
    assert_frame_equal(answer.value, shop.truth())


def test_one_that_stands_still_is_not_asked(shop: Shop) -> None:
    engines, reader = shop.workbench.engines, shop.workbench.reader
    with engines.owner.begin() as connection:
        late = sa.text("update heartbeat set beat_at = beat_at + make_interval(secs => :seconds)")
        connection.execute(late, {"seconds": FRESH_SECONDS + 1})
    reader.renew()
    try:
        assert shop.ask().note == "RisingWave is behind by 11 s"
    finally:
        beat(engines)


def rename(shop: Shop, what: str, name: str, to: str) -> None:
    """Renames a table or view of the stand-in, or all of it."""
    engines = shop.workbench.engines
    assert engines.risingwave is not None
    engines.risingwave.dispose()  # a database in use keeps its name
    root = cluster.superuser(engines.settings)
    database = root.name if what == "database" else NAME
    server = sa.create_engine(as_superuser(root, root.port).url.set(database=database), poolclass=sa.NullPool)
    with server.begin() as connection:
        connection.exec_driver_sql(f"alter {what} {name} rename to {to}")


def test_when_it_goes_away_another_answers_and_it_returns(shop: Shop) -> None:
    rename(shop, "database", NAME, "gone")
    try:
        answer = shop.ask()
        assert (answer.engine, answer.note) == ("replica", "RisingWave does not answer")
    finally:
        rename(shop, "database", "gone", NAME)
    assert shop.ask().engine == "risingwave"


def test_one_view_that_is_missing_costs_its_own_tile_alone_and_says_what_to_do(shop: Shop) -> None:
    live = Live(shop.workbench)
    live.columns.refresh(shop.workbench.reader, ReadPosition())
    rename(shop, "view", "lines_by_category", "gone")
    asked = [MetricQuery(("revenue",), (by,), Where()) for by in ("store", "category", "hour", "product")]
    live.ask_ahead(ReadPosition(), asked)  # as a page does
    answers = [live.ask(ReadPosition(), *one) for one in asked]
    note = "RisingWave lacks a view that this asks: run `workbench risingwave apply`"
    engines = [answer.engine for answer in answers]
    assert engines == ["risingwave", "replica", "risingwave", "risingwave"]
    assert [answer.note for answer in answers] == ["", note, "", ""]
    for one, answer in zip(asked, answers, strict=True):
        assert_frame_equal(answer.value, shop.truth(*one))
    rename(shop, "view", "gone", "lines_by_category")
    carry(shop.workbench.engines)  # past what the columns have shown meanwhile
    assert live.stream is not None
    live.stream.revision += 1
    assert live.ask(ReadPosition(), *asked[1]).engine == "risingwave"
    live.stop()


def test_what_the_columns_have_shown_is_not_taken_back(shop: Shop) -> None:
    """RisingWave returns, fresh enough, but a moment behind what the columns have answered meanwhile."""
    live = Live(shop.workbench)
    assert live.stream is not None and shop.workbench.engines.risingwave is not None
    shop.write()
    assert wait_for_replica(shop.workbench.engines)
    live.columns.refresh(shop.workbench.reader, ReadPosition())
    with shop.workbench.engines.risingwave.connect() as connection:
        connection.exec_driver_sql("alter table heartbeat rename to gone")
        shown = live.ask(ReadPosition(), NAMES, (), Where())
        assert shown.engine == "replica"
        connection.exec_driver_sql("alter table gone rename to heartbeat")
    live.stream.revision += 1
    again = live.ask(ReadPosition(), NAMES, (), Where())
    assert again.note == "RisingWave does not have yet what was shown before"
    assert live.stream._awaited is not None, "nobody would ask it again until the next change"
    assert_frame_equal(again.value, shown.value)
    carry(shop.workbench.engines)
    live.stream.revision += 1
    assert live.ask(ReadPosition(), NAMES, (), Where()).engine == "risingwave"
    live.stop()


def test_each_view_of_the_stand_in_is_asked_by_a_tile(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    found = asked_views(shop.workbench, monkeypatch)
    assert found == ASKED
    assert set().union(*found.values()) == {view.name for view in views.VIEWS}
