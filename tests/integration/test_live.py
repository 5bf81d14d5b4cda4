"""Live: one reader for all pages of a process. On the real pair, with the heartbeat running."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from threading import Event
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from tests.conftest import wait_until
from tests.examples import sale
from workbench.connection import Workbench
from workbench.insights import customers, discounts
from workbench.live import PATIENCE_SECONDS, Live
from workbench.metrics import Source, Where
from workbench.replication import Answer, Session
from workbench.sales import Sales

TOTALS = ["sales", "revenue"]


@pytest.fixture
def live(workbench: Workbench) -> Iterator[Live]:
    """A running Live whose rollups are loaded."""
    workbench.monitor.start()
    wait_until(lambda: workbench.monitor.last is not None, "the first heartbeat")
    made = Live(workbench, seconds=0.1)
    made.start()
    wait_until(lambda: made.rollups.is_complete, "the rollups")
    yield made
    made.stop()


def test_figures_do_not_wait_for_the_rollups_and_loading_waits_for_who_asks(workbench: Workbench) -> None:
    create(workbench)
    live, may_end, pages = Live(workbench, seconds=0.1), Event(), ThreadPoolExecutor(1)

    def slow(source: Source) -> Answer[bool]:
        return replace(source.reader.read(source.session, lambda _: True), value=may_end.wait(PATIENCE_SECONDS))

    try:
        asking = pages.submit(live.answer, Session(), "a page that is still asking", slow)
        live.start()
        live.wait_until_begun()
        assert figures(live, Session()) == (1, "10.70")
        assert not live.rollups.state.cubes
        may_end.set()
        assert asking.result().value
        wait_until(lambda: live.rollups.is_complete, "the rollups")
        assert figures(live, Session()) == (1, "10.70")
    finally:
        may_end.set()
        live.stop()
        pages.shutdown()


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


def create(workbench: Workbench, session: Session | None = None, **changes: Any) -> None:
    """A sale of 10.70 by somebody else, or by the session."""
    Sales(workbench.engines, workbench.reader, session or Session()).create(sale(**changes), uuid4())


def figures(live: Live, session: Session, where: Where = Where()) -> tuple[int, str]:
    """Number of sales and revenue."""
    row = live.ask(session, TOTALS, [], where).value.iloc[0]
    return int(row["sales"]), str(row["revenue"])


def test_a_write_by_another_connection_is_a_new_revision(live: Live, workbench: Workbench) -> None:
    before = live.revision
    assert figures(live, Session()) == (0, "0.00")
    create(workbench)
    wait_until(lambda: live.revision > before, "a new revision", seconds=5)
    assert figures(live, Session()) == (1, "10.70")


def test_an_idle_database_is_no_new_revision_and_its_as_of_moves(live: Live) -> None:
    revision, as_of = live.revision, live.as_of
    assert as_of is not None
    wait_until(lambda: live.as_of is not None and live.as_of > as_of, "a newer heartbeat", seconds=10)
    assert live.revision == revision


def test_twenty_pages_ask_the_database_what_one_does(live: Live, workbench: Workbench) -> None:
    """A customer's sales, up to a time of the day: no rollup has that, so the database is asked."""
    where = Where(time_to=datetime(2026, 1, 1, 12).time())
    create(workbench)
    wait_until(lambda: live.revision > 1, "the sale")
    queries = Queries(workbench)
    for session in [Session() for _ in range(20)]:
        figures(live, session, where)
    assert queries.asking("fact_sales") == 1


ALONE = {
    "nothing": Where(),
    "a store": Where(stores=(3,)),
    "a payment method": Where(payment_methods=("QRIS",)),
    "a cashier": Where(cashiers=(301,)),
    "a category": Where(categories=("Coffee",)),
    "a product": Where(products=("C-LAT",)),
    "a cell of the heatmap": Where(hours=(9,), weekdays=(6,)),
}


@pytest.mark.parametrize("name", ALONE)
def test_one_filter_is_answered_by_the_rollups_alone(live: Live, workbench: Workbench, name: str) -> None:
    """Whatever a tile asks under it; a rollup that is missing would be a query of seconds on a large database."""
    create(workbench)
    wait_until(lambda: figures(live, Session()) == (1, "10.70"), "the sale")
    queries, where = Queries(workbench), ALONE[name]
    for by in ([], ["day"]):
        live.ask(Session(), ["sales", "revenue", "items_sold", "average_sale"], by, where)
    for by in (["store"], ["category"], ["payment_method"], ["cashier"], ["hour", "weekday"]):
        live.ask(Session(), ["revenue"], by, where)
    live.ask(Session(), ["revenue", "items_sold"], ["product"], where)
    for dimension in ("category", "store"):
        live.answer(Session(), dimension, lambda source, by=dimension: discounts(source, where, by=[by]))  # type: ignore[misc]
    assert not [text for text in queries.texts if "fact_" in text]


def test_customers_are_answered_by_the_rollups_alone(live: Live, workbench: Workbench) -> None:
    create(workbench)
    wait_until(lambda: figures(live, Session()) == (1, "10.70"), "the sale")
    queries = Queries(workbench)
    for where in (ALONE["nothing"], ALONE["a store"]):
        live.answer(Session(), where, lambda source, where=where: customers(source, where))  # type: ignore[misc]
    assert not [text for text in queries.texts if "fact_" in text]


def test_a_session_sees_its_own_write_at_once(live: Live, workbench: Workbench) -> None:
    session = Session()
    assert figures(live, session)[0] == 0
    create(workbench, session)
    assert figures(live, session) == (1, "10.70")


def test_an_error_is_not_remembered(live: Live) -> None:
    session = Session()

    def fail(_source: object) -> Any:
        raise KeyError("once")

    with pytest.raises(KeyError):
        live.answer(session, "question", fail)
    answer = live.ask(session, TOTALS, [], Where())
    assert live.answer(session, "question", lambda _source: answer) is answer


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
    monkeypatch.setattr(live.rollups, "refresh", refuse)
    wait_until(lambda: live.problem == "Neither server answers.", "the problem")
    assert live.revision == revision
    monkeypatch.undo()
    wait_until(lambda: live.problem == "", "the problem's end")
