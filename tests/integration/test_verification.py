"""workbench verify: what is the same is found to be the same, and a cent that differs is found."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from tests.conftest import as_superuser, paused_replay, running_pair, wait_until
from tests.examples import sale
from tests.stand_in import carry, stand_in
from workbench import sample
from workbench.config import Settings
from workbench.connection import Workbench
from workbench.dashboards.pipeline_cards import Reconciliation
from workbench.database import positions
from workbench.database.engines import Engines, connect
from workbench.database.positions import beat, mark, wait_for_replica
from workbench.database.replication import ReadPosition, lsn_number
from workbench.metrics import Columns, verification
from workbench.metrics.definitions import METRICS
from workbench.metrics.verification import figures
from workbench.metrics.verification.figures import questions
from workbench.servers import cluster


@pytest.fixture(scope="module")
def strangers() -> Iterator[Engines]:
    """A second pair with sales of its own: what a wrong REPLICA_DB_PORT leads to."""
    with running_pair("strangers") as configured:
        engines = connect(configured)
        sample.load(engines, 60, seed=1)
        yield engines
        engines.dispose()


def token(engines: Engines) -> str:
    read_position = ReadPosition()
    mark(engines, read_position)
    assert read_position.token is not None
    return read_position.token


@pytest.fixture
def columns(tmp_path: Path) -> Iterator[Columns]:
    with closing(Columns(tmp_path / "columns", 256)) as made:
        yield made


def test_master_replica_and_columns_are_the_same(workbench: Workbench, columns: Columns) -> None:
    sample.load(workbench.engines, 200, seed=3)
    seen: list[tuple[int, int]] = []
    result = verification.verify(workbench.engines, lambda done, total: seen.append((done, total)), columns=columns)
    assert result.is_good, result
    assert result.engines == ("master", "replica", "columns")
    assert result.figures > 500
    assert seen[0] == (0, len(questions()))
    assert seen[-1] == (len(questions()), len(questions()))


def test_while_sales_are_written_nothing_is_reported_that_does_not_differ(workbench: Workbench) -> None:
    sample.load(workbench.engines, 50, seed=3)
    stopping = threading.Event()

    def write() -> None:
        sales = workbench.sales()
        while not stopping.wait(0.02):
            sales.create(sale(), uuid4())

    writer = threading.Thread(target=write)
    writer.start()
    try:
        result = verification.verify(workbench.engines)
    finally:
        stopping.set()
        writer.join()
    assert result.differences == ()
    assert all("kept changing" in problem for problem in result.problems)


def test_a_sale_that_the_replica_gets_later_than_the_master_has_told_it_is_no_difference(
    workbench: Workbench, replica_superuser: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The replica stands still from each sale until it is waited for."""
    sample.load(workbench.engines, 20, seed=3)
    figures_of, committed_with_heartbeat = verification.figures_of, verification.committed_with_heartbeat
    is_first = itertools.cycle((True, False))

    def replay(how: str, state: str) -> None:
        with replica_superuser.connect() as connection:
            connection.exec_driver_sql(f"select pg_wal_replay_{how}()")
            told = "select pg_get_wal_replay_pause_state()"
            wait_until(lambda: connection.exec_driver_sql(told).scalar_one() == state, f"the replay to be {state}")

    def figures_after_a_sale(reader: Any, engine: str, *about: Any) -> Any:
        if engine == "master" and next(is_first):
            replay("pause", "paused")
            workbench.sales().create(sale(), uuid4())
        return figures_of(reader, engine, *about)

    def beaten_and_followed(engines: Engines) -> str:
        replay("resume", "not paused")
        return committed_with_heartbeat(engines)

    monkeypatch.setattr(verification, "figures_of", figures_after_a_sale)
    monkeypatch.setattr(verification, "committed_with_heartbeat", beaten_and_followed)
    monkeypatch.setattr(verification, "questions", lambda: questions()[:3])
    try:
        assert verification.verify(workbench.engines).differences == ()
    finally:
        replay("resume", "not paused")


def test_a_cent_less_in_the_columns_is_found(workbench: Workbench, columns: Columns) -> None:
    sample.load(workbench.engines, 60, seed=2)
    columns.refresh(workbench.reader, ReadPosition(token(workbench.engines)))
    assert columns._database is not None
    columns._database.execute("update columns.fact_sales set revenue = revenue - 1 where transaction_id = 7")
    result = verification.verify(workbench.engines, columns=columns)
    assert {(d.engine, d.metric) for d in result.differences if not d.dimension} >= {("columns", "revenue")}
    assert {d.engine for d in result.differences} == {"columns"}


def test_columns_that_cannot_be_kept_are_a_problem(workbench: Workbench, tmp_path: Path) -> None:
    sample.load(workbench.engines, 60, seed=2)
    (tmp_path / "columns").write_text("no folder")
    with closing(Columns(tmp_path / "columns", 256)) as refused:
        result = verification.verify(workbench.engines, columns=refused)
    assert result.engines == ("master", "replica")
    assert result.problems[0].startswith("The columns were not compared. ")


def test_a_server_that_is_no_follower_differs(workbench: Workbench, strangers: Engines) -> None:
    sample.load(workbench.engines, 60, seed=2)
    ahead = lsn_number(token(workbench.engines)) + 2**26
    with as_superuser(cluster.superuser(strangers.settings), strangers.settings.master_db_port).connect() as connection:
        # Far ahead in its own WAL, so that it claims to have replayed any position of ours.
        while lsn_number(token(strangers)) < ahead:
            connection.exec_driver_sql("select pg_switch_wal()")
            beat(strangers)
    assert wait_for_replica(strangers)
    result = verification.verify(replace(workbench.engines, replica=strangers.replica))
    assert not result.is_good
    differing = {(difference.metric, difference.dimension) for difference in result.differences}
    assert {("revenue", ""), ("sales", "day"), ("items_sold", "product")} <= differing
    total = next(d for d in result.differences if (d.metric, d.dimension) == ("revenue", ""))
    assert total.engine == "replica"
    assert Decimal(total.master) != Decimal(total.found)


def test_a_replica_that_stands_still_is_a_problem_and_not_a_difference(
    workbench: Workbench, replica_superuser: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "WAIT_SECONDS", 0.3)
    with paused_replay(workbench.engines, replica_superuser):
        workbench.sales().create(sale(), uuid4())
        result = verification.verify(workbench.engines)
    assert not result.is_good
    assert result.differences == ()
    assert result.problems[0].startswith("The replica has not reached")


def test_a_stopped_run_is_not_good(workbench: Workbench) -> None:
    result = verification.verify(workbench.engines, should_stop=lambda: True)
    assert result.problems == (f"Stopped after 0 of {len(questions())} questions.",)


def test_the_last_result_is_kept_for_every_page(workbench: Workbench) -> None:
    result = verification.verify(workbench.engines)
    made_up = verification.Difference("revenue", "store", "3", "replica", "10.00", "9.99")
    result = replace(result, differences=(made_up,))
    verification.save(workbench.engines, result)
    assert wait_for_replica(workbench.engines)
    assert verification.last(workbench.reader, ReadPosition()).value == result


@pytest.fixture
def three(settings: Settings, engines: Engines) -> Iterator[Engines]:
    """Master, replica, and a database that stands in for RisingWave."""
    with stand_in(settings) as made:
        connected = connect(made)
        sample.load(connected, 200, seed=3)
        yield connected
        connected.dispose()


@pytest.fixture
def carried(three: Engines, monkeypatch: pytest.MonkeyPatch) -> Engines:
    """The stand-in gets what is committed whenever a token is taken, as if CDC were at work."""
    monkeypatch.setattr(positions, "beat", lambda engines: carry(engines))
    return three


def failing(monkeypatch: pytest.MonkeyPatch, text: str, times: int) -> list[str]:
    """RisingWave's views are made to answer so, the first times that they are asked; gives what it has said."""
    sums, said = figures.views.sums, list[str]()

    def busy(*asked: Any) -> Any:
        if len(said) < times:
            said.append(text)
            raise sa.exc.InternalError("", None, Exception(text))
        return sums(*asked)

    monkeypatch.setattr(figures.views, "sums", busy)
    monkeypatch.setattr(figures, "PAUSES", (0.0, 0.0, 0.0))
    return said


TOO_MANY = "Failed to run the query\n\nCaused by:\n  the store says 429 Too Many Requests (SlowDown)"


def test_a_follower_made_to_be_busy_is_asked_again(carried: Engines, monkeypatch: pytest.MonkeyPatch) -> None:
    said = failing(monkeypatch, TOO_MANY, 3)
    result = verification.verify(carried)
    assert result.is_good, result
    assert said == [TOO_MANY] * 3


def test_one_made_to_be_busy_for_good_or_to_refuse_is_left_out_and_said(
    carried: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text, times in ((TOO_MANY, 4), ("Failed to bind expression: sums", 1)):
        with monkeypatch.context() as patched:
            said = failing(patched, text, times)
            (problem,) = verification.verify(carried).problems
        assert "Not compared: " in problem and f"RisingWave did not answer: {text.splitlines()[0]}." in problem
        assert len(said) == times


def test_the_views_of_a_stand_in_for_risingwave_are_compared_too(carried: Engines) -> None:
    result = verification.verify(carried)
    assert result.is_good, result
    assert result.engines == ("master", "replica", "risingwave")


def test_a_cent_more_in_a_stand_in_for_risingwave_is_found(carried: Engines) -> None:
    assert carried.risingwave is not None
    carry(carried)
    wrong = "create or replace function one_cent() returns trigger language plpgsql as $$ begin"
    wrong += " if new.transaction_id = 1 then new.total_amount := new.total_amount + 0.01; end if; return new; end $$"
    with carried.risingwave.connect() as connection:
        connection.exec_driver_sql(wrong)
        connection.exec_driver_sql(
            "create trigger one_cent before insert on sales_transaction for each row execute function one_cent()"
        )
    result = verification.verify(carried)
    assert not result.is_good
    found = [d for d in result.differences if (d.metric, d.dimension) == ("revenue", "")]
    assert [d.engine for d in found] == ["risingwave"]
    assert Decimal(found[0].found) - Decimal(found[0].master) == Decimal("0.01")
    assert {d.engine for d in result.differences} == {"risingwave"}
    assert {d.metric for d in result.differences} <= {m.name for m in METRICS.values() if "revenue" in m.measures}


def test_a_risingwave_without_views_is_a_problem_in_words(three: Engines, monkeypatch: pytest.MonkeyPatch) -> None:
    assert three.risingwave is not None
    monkeypatch.setattr(positions, "beat", lambda engines: carry(engines))
    with three.risingwave.connect() as connection:
        connection.exec_driver_sql("drop view sales_by_store")
    result = verification.verify(three)
    assert not result.is_good
    assert result.problems
    assert all("RisingWave lacks sales_by_store" in problem for problem in result.problems)
    assert len(result.problems) < len(questions())  # other views were compared
    assert not result.differences


def test_a_view_may_be_compared_for_longer_than_a_query_of_a_page_may_take(workbench: Workbench) -> None:
    workbench.sales().create(sale(), uuid4())
    limits = []

    def note_limit(connection: sa.Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if "except all" in statement.lower():
            with connection.connection.driver_connection.cursor() as cursor:  # type: ignore[union-attr]
                cursor.execute("show statement_timeout")
                limits.append(cursor.fetchone())

    engines = workbench.engines
    sa.event.listen(engines.master_reader, "before_cursor_execute", note_limit)
    try:
        assert verification._wrong_views(engines) == []
    finally:
        sa.event.remove(engines.master_reader, "before_cursor_execute", note_limit)
    assert set(limits) == {("10min",)}


def test_a_comparison_that_ends_between_two_looks_of_the_page_is_shown(workbench: Workbench) -> None:
    tile = Reconciliation(workbench)
    asyncio.run(tile.follow(is_master_up=True))
    tile._start()
    wait_until(lambda: not tile._controls.job.progress.is_running, "the comparison", 60)
    asyncio.run(tile.follow(is_master_up=True))
    assert "No difference" in tile._result.object
