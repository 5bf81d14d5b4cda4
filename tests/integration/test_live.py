"""Live: one reader for all pages of a process. On the real pair, with the heartbeat running."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from threading import Event
from typing import Any
from uuid import uuid4

import pandas as pd
import pytest
import sqlalchemy as sa
from bokeh.document import Document
from panel.io.state import set_curdoc

from tests.conftest import wait_until
from tests.examples import sale
from workbench.config import Settings
from workbench.connection import Workbench, connect
from workbench.dashboards.bars import RevenueByCashier, RevenueByStore
from workbench.dashboards.feed import Feed, draw
from workbench.dashboards.heatmap import BusyHours
from workbench.dashboards.kpis import TotalRevenue, TotalTransactions
from workbench.dashboards.over_time import RevenueOverTime
from workbench.dashboards.sales_dashboard import OVERVIEW
from workbench.dashboards.tables import RecentSales
from workbench.database.engines import Engines
from workbench.database.replication import Answer, ReadPosition
from workbench.errors import MetricError, WorkbenchError
from workbench.filters import Filters
from workbench.live import Live, shared_live
from workbench.metrics import MEASURES, Columns, MetricQuery, Source, Where
from workbench.metrics.column_facts import ColumnFacts
from workbench.metrics.insights import customers, discounts
from workbench.metrics.sale_pages import sale_page
from workbench.sales.service import Sales

TOTALS = ["sales", "revenue"]


@pytest.fixture
def live(workbench: Workbench) -> Iterator[Live]:
    """A running Live whose columns are copied."""
    workbench.monitor.start()
    wait_until(lambda: workbench.monitor.last is not None, "the first heartbeat")
    made = Live(workbench, seconds=0.1)
    made.start()
    wait_until(lambda: made.is_ready, "the columns")
    yield made
    made.stop()


def test_figures_do_not_wait_for_the_columns(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    create(workbench)
    may_copy, copy = Event(), Columns._whole_copy

    def waiting(*args: Any) -> Any:
        assert may_copy.wait(30)
        return copy(*args)

    monkeypatch.setattr(Columns, "_whole_copy", waiting)
    live = Live(workbench, seconds=0.1)
    try:
        live.start()
        assert figures(live, ReadPosition()) == (1, "10.70")
        assert not live.is_ready
        may_copy.set()
        wait_until(lambda: live.is_ready, "the columns")
        assert figures(live, ReadPosition()) == (1, "10.70")
    finally:
        may_copy.set()
        live.stop()


class Queries:
    """Counts the statements that go to the replica and to the master's reader."""

    def __init__(self, workbench: Workbench) -> None:
        self.texts: list[str] = []
        for engine in (workbench.engines.replica, workbench.engines.master_reader):
            sa.event.listen(engine, "before_cursor_execute", self._seen)

    def _seen(self, _connection: Any, _cursor: Any, text: str, *_: Any) -> None:
        self.texts.append(text)

    def asking(self, name: str) -> int:
        """How many statements named this view."""
        return sum(name in text for text in self.texts)


def create(workbench: Workbench, read_position: ReadPosition | None = None, **changes: Any) -> None:
    """A sale of 10.70 by somebody else, or by the session."""
    Sales(workbench.engines, workbench.reader, read_position or ReadPosition()).create(sale(**changes), uuid4())


def figures(live: Live, read_position: ReadPosition, where: Where = Where()) -> tuple[int, str]:
    """Number of sales and revenue."""
    row = live.ask(read_position, TOTALS, [], where).value.iloc[0]
    return int(row["sales"]), str(row["revenue"])


def test_a_write_by_another_connection_is_a_new_revision(live: Live, workbench: Workbench) -> None:
    before = live.revision
    assert figures(live, ReadPosition()) == (0, "0.00")
    create(workbench)
    wait_until(lambda: live.revision > before, "a new revision", seconds=5)
    assert figures(live, ReadPosition()) == (1, "10.70")


def test_a_change_wakes_whoever_follows_as_long_as_he_is_there(live: Live, workbench: Workbench) -> None:
    class Follower:
        def __init__(self) -> None:
            self.woken = Event()

        def wake(self) -> None:
            self.woken.set()

    one, gone = Follower(), Follower()
    woken = gone.woken
    live.wakes(one)
    live.wakes(gone)
    del gone
    gc.collect()
    assert not one.woken.is_set()
    create(workbench)
    assert one.woken.wait(10)
    assert not woken.is_set()


def test_each_change_wakes_another_one_first(live: Live, workbench: Workbench) -> None:
    """Pages are drawn one after the other, in the order in which they are woken."""
    order: list[int] = []

    class Follower:
        def __init__(self, number: int) -> None:
            self.number = number

        def wake(self) -> None:
            order.append(self.number)

    followers = [Follower(number) for number in range(3)]
    for each in followers:
        live.wakes(each)
    firsts, lasts = set[int](), set[int]()
    for _ in range(12):
        order.clear()
        create(workbench)
        wait_until(lambda: len(order) >= 3, "three that are woken", 10)
        assert sorted(order[:3]) == [0, 1, 2]
        firsts.add(order[0])
        lasts.add(order[2])
    assert firsts == lasts == {0, 1, 2}


def test_an_idle_database_is_no_new_revision_and_its_as_of_moves(live: Live) -> None:
    revision, first = live.revision, live.columns.moment
    assert first is not None

    def is_newer() -> bool:
        still = live.still(first.engine)
        return still is not None and still[1] > first.as_of

    wait_until(is_newer, "a newer heartbeat", seconds=10)
    assert live.revision == revision


def test_twenty_pages_ask_what_one_does(live: Live, workbench: Workbench) -> None:
    create(workbench)
    wait_until(lambda: figures(live, ReadPosition()) == (1, "10.70"), "the sale")
    asked: list[Source] = []

    def work(source: Source) -> Answer[int]:
        asked.append(source)
        return source.read(lambda facts: len(facts.execute(sa.select(sa.literal(1)))))

    for read_position in [ReadPosition() for _ in range(20)]:
        live.answer(read_position, "the same", work)
    assert len(asked) == 1


@pytest.mark.parametrize("kind", [TotalRevenue, RevenueByStore, RevenueOverTime, BusyHours, RecentSales])
def test_pages_that_look_at_the_same_have_it_fetched_and_prepared_once(
    live: Live, workbench: Workbench, monkeypatch: pytest.MonkeyPatch, kind: Any
) -> None:
    """What one has prepared is what each would have: with other filters, and after a change, it is made anew."""
    create(workbench, transaction_time=datetime.now().isoformat(sep=" "))
    wait_until(lambda: figures(live, ReadPosition()) == (1, "10.70"), "the sale")
    prepared: list[Any] = []
    prepare = kind.prepare

    def noted(tile: Any, *given: Any) -> Any:
        prepared.append(prepare(tile, *given))
        return prepared[-1]

    monkeypatch.setattr(kind, "prepare", noted)
    pages = [kind(Feed(workbench, None, live)) for _ in range(3)]
    other = kind(Feed(workbench, Filters(stores=[3]), live))

    def draw_all() -> None:
        for tile in (*pages, other):
            moment = tile.feed.moment()
            draw(moment, moment.fetch([tile]))

    draw_all()
    assert len(prepared) == 2
    first = pages[0].feed.moment()
    assert all(same_as(prepare(tile, first, tile.fetch(first).value), prepared[0]) for tile in pages)
    create(workbench, transaction_time=datetime.now().isoformat(sep=" "))
    wait_until(lambda: figures(live, ReadPosition()) == (2, "21.40"), "the second sale")
    draw_all()
    assert len(prepared) == 4 and not same_as(prepared[2], prepared[0])


def test_a_page_is_walked_through_for_new_charts_and_not_for_changes(
    live: Live, workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bokeh walks through all models of a page whenever it was frozen, which takes longer than to draw its tiles."""
    create(workbench, transaction_time=datetime.now().isoformat(sep=" "))
    wait_until(lambda: figures(live, ReadPosition()) == (1, "10.70"), "the sale")
    feed, document, walked = Feed(workbench, None, live), Document(), list[int]()
    tiles = [TotalRevenue(feed), RevenueByStore(feed), RevenueOverTime(feed)]
    for tile in tiles:
        document.add_root(tile.card.get_root(document))
    recompute = document.models.recompute
    monkeypatch.setattr(document.models, "recompute", lambda: walked.append(1) or recompute())

    def draw_all() -> int:
        walked.clear()
        with set_curdoc(document):
            moment = feed.moment()
            draw(moment, moment.fetch(tiles))
        return len(walked)

    assert draw_all() == 1
    create(workbench, transaction_time=datetime.now().isoformat(sep=" "))
    wait_until(lambda: figures(live, ReadPosition()) == (2, "21.40"), "the second sale")
    assert draw_all() == 0
    assert "21.40" in tiles[0].card.text


def same_as(one: Any, other: Any) -> bool:
    """Whether two drawings, frames or texts, are alike."""
    return bool(one.equals(other)) if isinstance(one, pd.DataFrame) else one == other


def test_a_tile_of_a_session_that_has_just_written_is_not_what_others_share(live: Live, workbench: Workbench) -> None:
    feeds = [Feed(workbench, None, live) for _ in range(2)]
    for feed in feeds:
        feed.read_position = ReadPosition()
    tiles = [TotalTransactions(feed) for feed in feeds]

    def shown(tile: TotalTransactions) -> int:
        moment = tile.feed.moment()
        ((_, answer),) = moment.fetch([tile])
        assert isinstance(answer, Answer)
        return int(answer.value["value"][0])

    assert [shown(tile) for tile in tiles] == [0, 0]
    create(workbench, feeds[1].read_position, transaction_time=datetime.now().isoformat(sep=" "))
    assert shown(tiles[1]) == 1


def test_an_answer_is_not_kept_for_filters_that_moved_while_it_was_asked_for(live: Live) -> None:
    filters = Filters()

    def work() -> str:
        filters.stores = [3]
        return "of both"

    for _ in range(2):
        filters.stores = []
        assert live.once(ReadPosition(), lambda: tuple(filters.stores), work) == "of both"
    assert live.once(ReadPosition(), lambda: tuple(filters.stores), lambda: "of store 3") == "of store 3"
    filters.stores = []
    assert live.once(ReadPosition(), lambda: tuple(filters.stores), lambda: "of all") == "of all"


ALONE = [
    Where(),
    Where(stores=(3,), payment_methods=("QRIS",)),
    Where(cashiers=(301,), products=("C-LAT",)),
    Where(categories=("Coffee", "Dessert"), hours=(9,), weekdays=(6,)),
    Where(customer_id=7, time_to=datetime(2026, 1, 1, 12).time()),
]


def test_every_filter_is_answered_by_the_columns_alone(live: Live, workbench: Workbench) -> None:
    create(workbench)
    wait_until(lambda: figures(live, ReadPosition()) == (1, "10.70"), "the sale")
    queries = Queries(workbench)
    for where in ALONE:
        for by in ([], ["day"]):
            live.ask(ReadPosition(), [*TOTALS, "items_sold", "average_sale", "customers", "new_customers"], by, where)
        live.ask(ReadPosition(), ["revenue", "items_sold"], ["product", "hour"], where)
        live.answer(
            ReadPosition(), ("discounts", where), lambda source, where=where: discounts(source, where, by=["store"])
        )  # type: ignore[misc]
        live.answer(ReadPosition(), ("customers", where), lambda source, where=where: customers(source, where))  # type: ignore[misc]
    assert not [text for text in queries.texts if "fact_" in text]


PASSES = [
    ("last_30_days", {}, 2),
    ("last_30_days", {"stores": [3]}, 3),  # the bars of the other stores are under another filter
    ("last_30_days", {"stores": [3], "payment_methods": ["Cash"]}, 4),
    ("last_30_days", {"comparison": "year"}, 4),  # nothing of what lies between is read
    ("yesterday", {}, 2),
    ("all", {}, 2),
]


@pytest.mark.parametrize(("period", "more", "passes"), PASSES)
def test_the_tiles_of_a_page_are_answered_by_two_passes_for_periods_that_touch(
    live: Live, workbench: Workbench, monkeypatch: pytest.MonkeyPatch, period: str, more: dict[str, Any], passes: int
) -> None:
    """One of sales and one of lines: the period, what of it is compared where it runs, and what with."""
    create(workbench, transaction_time=datetime.now().isoformat(sep=" "))
    wait_until(lambda: figures(live, ReadPosition()) == (1, "10.70"), "the sale")
    asked: list[str] = []
    execute = ColumnFacts.execute

    def noted(self: ColumnFacts, statement: sa.Select[Any]) -> Any:
        asked.append(str(statement))
        return execute(self, statement)

    feed = Feed(workbench, Filters(period=period, **more), live)
    monkeypatch.setattr(ColumnFacts, "execute", noted)
    found = feed.moment().fetch([kind(feed) for kind in OVERVIEW])
    assert not [answer for _, answer in found if isinstance(answer, WorkbenchError)]
    assert len([text for text in asked if "sum(" in text]) == passes, "\n".join(asked)


def test_a_tile_that_nobody_sees_is_asked_for_when_somebody_comes_near(live: Live, workbench: Workbench) -> None:
    create(workbench, transaction_time=datetime.now().isoformat(sep=" "))
    wait_until(lambda: figures(live, ReadPosition()) == (1, "10.70"), "the sale")
    feed = Feed(workbench, None, live)
    seen, unseen = RevenueByStore(feed), RevenueByCashier(feed)
    unseen.wait_until_near()

    def asked_by() -> set[tuple[str, ...]]:
        return {key.by for key in live._answers if isinstance(key, MetricQuery)}

    async def come_near() -> None:
        feed.show([seen, unseen])
        assert seen.card.is_open and "unseen" in unseen.card.text
        assert ("store",) in asked_by() and ("cashier",) not in asked_by()
        unseen.card.is_near = True
        async with asyncio.timeout(20):
            while not unseen.card.is_open:
                await asyncio.sleep(0.01)

    asyncio.run(come_near())
    assert ("cashier",) in asked_by() and not unseen.card.text


def test_a_wrong_row_that_is_asked_together_with_others_costs_its_own_tile(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = replace(MEASURES["items_sold"], expression="sum(itmes)")
    monkeypatch.setitem(MEASURES, "items_sold", wrong)
    asked = [MetricQuery(("revenue",), (), Where()), MetricQuery(("items_sold",), (), Where())]
    live.ask_ahead(ReadPosition(), asked)
    assert live.ask(ReadPosition(), *asked[0]).engine == "replica"
    with pytest.raises(MetricError, match="itmes"):
        live.ask(ReadPosition(), *asked[1])


def test_the_database_alone_is_asked_where_that_is_set(workbench: Workbench) -> None:
    create(workbench)
    settings = workbench.engines.settings.model_copy(update={"workbench_figures": "database"})
    live = Live(replace(workbench, engines=replace(workbench.engines, settings=settings)), seconds=0.1)
    live.start()
    try:
        wait_until(lambda: live.is_ready, "the columns")
        queries = Queries(workbench)
        assert figures(live, ReadPosition()) == (1, "10.70")
        assert queries.asking("fact_sales")
        for source in (live.source(ReadPosition()), live.source_now(ReadPosition())):  # the table of sales too
            assert sale_page(source).value.count == 1 and source.columns is None
    finally:
        live.stop()


def test_a_session_sees_its_own_write_at_once(live: Live, workbench: Workbench) -> None:
    read_position = ReadPosition()
    assert figures(live, read_position)[0] == 0
    create(workbench, read_position)
    assert figures(live, read_position) == (1, "10.70")


def test_an_error_is_not_remembered(live: Live) -> None:
    read_position = ReadPosition()

    def fail(_source: object) -> Any:
        raise KeyError("once")

    with pytest.raises(KeyError):
        live.answer(read_position, "question", fail)
    answer = live.ask(read_position, TOTALS, [], Where())
    assert live.answer(read_position, "question", lambda _source: answer) is answer


def test_choices_are_what_was_sold(live: Live, workbench: Workbench) -> None:
    create(workbench)
    wait_until(lambda: live.choices("store") == [3], "the store")
    assert live.choices("payment_method") == ["QRIS"]
    assert live.choices("category") == ["Coffee", "Dessert"]


def test_without_servers_the_figures_stay_and_the_problem_is_told(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.errors import ServerUnavailable

    def refuse(*_: object) -> None:
        raise ServerUnavailable("Neither server answers.")

    revision = live.revision
    monkeypatch.setattr(live.columns, "refresh", refuse)
    wait_until(lambda: live.problem == "Neither server answers.", "the problem")
    assert live.revision == revision
    monkeypatch.undo()
    wait_until(lambda: live.problem == "", "the problem's end")


def test_a_workbench_that_is_closed_takes_its_live_along(settings: Settings, engines: Engines) -> None:
    workbench = connect(settings)
    live = shared_live(workbench)
    assert shared_live(workbench) is live
    wait_until(lambda: live.is_ready, "the columns")
    workbench.close()
    assert live._thread is not None and not live._thread.is_alive()
    assert not live.is_ready  # its file is the next one's
