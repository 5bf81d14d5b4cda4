"""apply, drop and state, with a PostgreSQL database that stands in for RisingWave."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from tests.cdc_stand_in import TRANSLATIONS, StandInConsole, stand_in, stop_following
from tests.conftest import wait_until
from tests.examples import sale
from workbench import sample
from workbench.config import Settings
from workbench.connection import connect as connect_workbench
from workbench.database.engines import Engines, connect
from workbench.database.replication import Reader, ReadPosition
from workbench.errors import CdcError, ServerUnavailable
from workbench.metrics import views
from workbench.sales.service import Sales
from workbench.servers.health import BEAT_SECONDS, status
from workbench.servers.risingwave import build, cdc, relations, state
from workbench.servers.risingwave.console import SLOT


@pytest.fixture
def with_stand_in(settings: Settings, engines: Engines, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engines]:
    with stand_in(settings, monkeypatch) as made:
        connected = connect(made)
        yield connected
        connected.dispose()


def rows(engines: Engines, query: str) -> list[tuple[object, ...]]:
    assert engines.risingwave is not None
    with engines.risingwave.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def slots(engines: Engines) -> list[str]:
    return [slot["slot_name"] for slot in status(engines).slots]


def test_a_stand_in_is_built_follows_and_is_dropped_without_a_trace(with_stand_in: Engines) -> None:
    said: list[str] = []
    built = build.apply(with_stand_in, views.materialized_views(), said.append)
    everything = {
        relation.name
        for relation in (relations.source(), *relations.tables(), *relations.views(), *views.materialized_views())
    }
    assert set(built.made) == everything
    assert "Making the table sales_item" in said
    assert any("keeps no secrets here" in line for line in said), "PostgreSQL knows none, so the password is plain"
    Sales(with_stand_in, Reader(with_stand_in), ReadPosition(), "").create(sale(), uuid4())
    wait_until(lambda: rows(with_stand_in, "select sum(revenue)::text from sales_by_hour") == [("10.70",)], "the sale")
    assert SLOT in slots(with_stand_in)
    found = state.state(with_stand_in, views.materialized_views())
    assert found.problems == ()
    assert {relation.name for relation in found.relations} == everything - {relations.SOURCE}
    assert all(relation.state == "as its file says" for relation in found.relations)
    assert next(relation.rows for relation in found.relations if relation.name == "sales_item") == len(sale().lines)
    assert found.slot is not None and found.slot["is_active"]

    dropped = build.drop(with_stand_in, views.materialized_views())
    assert {*everything, SLOT} <= set(dropped)
    assert SLOT not in slots(with_stand_in)
    assert (
        rows(with_stand_in, "select name from rw_catalog.rw_relations where not starts_with(name, '__internal')") == []
    )
    assert build.drop(with_stand_in, views.materialized_views()) == []
    assert "Nothing has been built" in state.state(with_stand_in, views.materialized_views()).problems[0]


def test_a_stand_in_that_notes_its_first_read_elsewhere_is_counted(
    with_stand_in: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cdc, "rows_read", lambda rw, table: None)
    sample.load(with_stand_in, 30, seed=1)
    with monkeypatch.context() as patched, pytest.raises(CdcError, match="has read no row of sales_transaction"):
        patched.setattr(cdc, "STALL_SECONDS", 0.5)  # the stand-in reads no first rows
        build.apply(with_stand_in, views.materialized_views())
    with with_stand_in.owner.begin() as connection:
        connection.exec_driver_sql("truncate sales_transaction, sales_item")
    assert "heartbeat" in build.apply(with_stand_in, views.materialized_views()).made


def test_a_swap_in_the_stand_in_that_was_interrupted_is_completed(
    with_stand_in: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    build.apply(with_stand_in, views.materialized_views())
    first, *others = views.materialized_views()
    changed = [relations.Relation(first.name, first.kind, f"-- another comment\n{first.text}"), *others]

    pattern = next(pattern for pattern in TRANSLATIONS if pattern.startswith("drop materialized view"))
    translate = TRANSLATIONS[pattern]
    drops: list[object] = []

    def interrupted_after_the_swap(console: StandInConsole, found: Any) -> None:
        drops.append(found)
        if len(drops) == 2:  # the first one is of what an earlier run may have left
            raise KeyboardInterrupt
        translate(console, found)

    with monkeypatch.context() as patched:
        patched.setitem(TRANSLATIONS, pattern, interrupted_after_the_swap)
        with pytest.raises(KeyboardInterrupt):
            build.apply(with_stand_in, changed)
    assert (first.name + relations.NEW,) in rows(with_stand_in, "select name from rw_catalog.rw_relations")
    assert build.apply(with_stand_in, changed).changed == [first.name]
    names = {name for (name,) in rows(with_stand_in, "select name from rw_catalog.rw_relations")}
    assert first.name in names and first.name + relations.NEW not in names
    assert build.apply(with_stand_in, changed).changed == []


def test_what_an_interrupted_run_left_in_the_stand_in_is_made_again(
    with_stand_in: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill = build._Builder._fill

    def interrupted(self: build._Builder, relation: relations.Relation) -> None:
        fill(self, relation)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(build._Builder, "_fill", interrupted)
        with pytest.raises(KeyboardInterrupt):
            build.apply(with_stand_in, views.materialized_views())
    first = views.materialized_views()[0].name
    assert (first,) in rows(with_stand_in, "select name from rw_catalog.rw_relations")
    built = build.apply(with_stand_in, views.materialized_views())
    assert first in built.made
    assert state.state(with_stand_in, views.materialized_views()).problems == ()


def test_filling_a_view_of_the_stand_in_tells_how_far_it_is_and_can_be_stopped(
    with_stand_in: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    pattern = next(pattern for pattern in TRANSLATIONS if "create materialized view" in pattern)
    monkeypatch.setitem(TRANSLATIONS, pattern, lambda rw, found: rw.tell("select pg_sleep(30)"))
    monkeypatch.setattr(build, "LOOK_SECONDS", 0.05)
    name = views.materialized_views()[0].name
    with with_stand_in.risingwave.connect() as connection:  # type: ignore[union-attr]
        connection.exec_driver_sql(f"insert into rw_catalog.rw_ddl_progress values ('create {name} as', '12 of 100')")

    def stop(line: str) -> None:
        if line == f"Filling {name}: 12 of 100":
            raise KeyboardInterrupt

    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        build.apply(with_stand_in, views.materialized_views(), stop)
    assert time.monotonic() - start < 15


def test_a_source_for_another_master_is_not_changed_in_the_stand_in(with_stand_in: Engines) -> None:
    build.apply(with_stand_in, views.materialized_views())
    moved = connect(with_stand_in.settings.model_copy(update={"risingwave_cdc_host": "elsewhere"}))
    with pytest.raises(CdcError, match="source workbench_master was made .* for another master.*risingwave drop"):
        build.apply(moved, views.materialized_views())
    assert "another master" in state.state(moved, views.materialized_views()).problems[0]
    moved.dispose()


def test_a_slot_of_the_stand_in_that_is_gone_is_told_with_what_mends_it(with_stand_in: Engines) -> None:
    build.apply(with_stand_in, views.materialized_views())
    with with_stand_in.risingwave.connect() as connection:  # type: ignore[union-attr]
        stop_following(connection)
    assert cdc.drop_slot(with_stand_in)
    assert any(
        "has no slot" in problem and "risingwave drop" in problem
        for problem in state.state(with_stand_in, views.materialized_views()).problems
    )
    with pytest.raises(CdcError, match="the slot workbench_risingwave is gone: changes are missing"):
        build.apply(with_stand_in, views.materialized_views())
    build.drop(with_stand_in, views.materialized_views())
    assert build.apply(with_stand_in, views.materialized_views()).made


def test_the_slot_can_be_dropped_when_the_stand_in_itself_is_gone(
    with_stand_in: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    build.apply(with_stand_in, views.materialized_views())
    monkeypatch.setattr(cdc, "LEAVE_SECONDS", 0.1)
    gone = connect(with_stand_in.settings.model_copy(update={"risingwave_port": 1}))
    with pytest.raises(ServerUnavailable, match="RisingWave at .*:1 does not answer"):
        build.drop(gone, views.materialized_views())
    assert SLOT in slots(with_stand_in), "somebody still reads from it"
    assert cdc.drop_slot(gone), "its reader is ended"
    assert SLOT not in slots(with_stand_in)
    assert not cdc.drop_slot(gone)
    gone.dispose()


def test_heartbeats_and_saves_are_timed_until_the_stand_in_shows_them(with_stand_in: Engines) -> None:
    build.apply(with_stand_in, views.materialized_views())
    workbench = connect_workbench(with_stand_in.settings)
    try:
        workbench.monitor.start()
        watch = workbench.monitor.stopwatch
        wait_until(lambda: len(watch.points()["risingwave"]) >= 3, "three heartbeats")
        quickest = min(point.seconds for point in watch.points()["risingwave"])
        assert quickest < BEAT_SECONDS / 2, "each seems to take until the next one"
        saved = workbench.sales().create(sale(), uuid4()).visible["risingwave"].result(timeout=10)
        assert saved is not None
        assert saved < 5
    finally:
        workbench.close()


def test_a_second_stand_in_does_not_read_from_the_slot(with_stand_in: Engines) -> None:
    build.apply(with_stand_in, views.materialized_views())
    with with_stand_in.risingwave.connect() as connection:  # type: ignore[union-attr]
        connection.execute(sa.text("delete from rw_catalog.things where kind = 'source'"))
    with pytest.raises(CdcError, match="read by another RisingWave already"):
        build.apply(with_stand_in, views.materialized_views())
