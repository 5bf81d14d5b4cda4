"""A real RisingWave: built, built again, changed, compared, pushed, fresh, and dropped without a trace.

The tests stand in the order in which they are run: what the first ones build, the others read.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from tests.conftest import wait_until
from tests.examples import sale
from workbench import verification
from workbench.config import Settings
from workbench.connection import Workbench
from workbench.engines import Engines, connect
from workbench.errors import CdcError
from workbench.followers import followers
from workbench.health import status
from workbench.metrics import Rollups, Source, Stream, ask
from workbench.metrics.filters import day_number
from workbench.metrics.push import Changed, Push
from workbench.positions import beat, mark
from workbench.replication import Reader, Session
from workbench.risingwave import build, pieces, removal, state
from workbench.risingwave.server import SLOT
from workbench.sql_files import read_sql


@pytest.fixture(scope="module", autouse=True)
def built(stack_engines: Engines) -> None:
    """Everything is there, whatever there was."""
    if stack_engines.risingwave is None:
        pytest.fail("RISINGWAVE_HOST is not set: this stack has no RisingWave to be tested")
    build.apply(stack_engines, print)


def names(engines: Engines) -> set[str]:
    assert engines.risingwave is not None
    with engines.risingwave.connect() as connection:
        rows = connection.execute(sa.text(read_sql("risingwave/catalog/relations")))
        return {row.name for row in rows}


def has_caught_up(engines: Engines) -> bool:
    session = Session()
    mark(engines, session)
    beat(engines)
    assert session.token is not None
    return all(follower.wait(session.token, 60) for follower in followers(engines))


def test_all_is_there_and_nothing_is_wrong(stack_engines: Engines) -> None:
    assert has_caught_up(stack_engines)
    found = state.state(stack_engines)
    assert found.problems == ()
    assert {relation.state for relation in found.relations} == {"as its file says"}
    assert {relation.backfill for relation in found.relations if relation.kind == "table"} == {"done"}
    assert all(relation.rows is not None for relation in found.relations if relation.kind != "view")
    assert all(relation.changed_at is None or relation.changed_at.year > 2021 for relation in found.relations)
    assert {pieces.changes_of(piece.name) for piece in pieces.rollups()} <= names(stack_engines)


def test_applying_again_changes_nothing(stack_engines: Engines) -> None:
    again = build.apply(stack_engines)
    assert (again.made, again.changed, again.removed) == ([], [], [])


def test_every_metric_is_the_same_on_every_engine(stack_engines: Engines) -> None:
    found = verification.verify(stack_engines)
    assert found.engines == ("master", "replica", "risingwave")
    assert found.is_good, (found.differences[:10], found.problems)


def test_it_is_seconds_behind_and_says_so(stack_engines: Engines) -> None:
    assert has_caught_up(stack_engines)
    beat(stack_engines)

    def is_fresh() -> bool:
        lag = status(stack_engines).risingwave.lag_seconds
        return lag is not None and lag < 10

    wait_until(is_fresh, "a fresh heartbeat", 30)
    found = status(stack_engines).risingwave
    assert (found.state, found.note) == ("up", "")
    assert found.version.count(".") == 2
    slot = next(slot for slot in status(stack_engines).slots if slot["slot_name"] == SLOT)
    assert slot["is_active"]


def test_a_changed_sale_reaches_the_views_when_its_lines_are_deleted_too(
    stack: Workbench, stack_engines: Engines
) -> None:
    sales = stack.sales(actor="stack test")
    made = sales.create(sale(), uuid4())
    assert has_caught_up(stack_engines)
    assert lines_of(stack_engines, made.transaction_id) == len(sale().lines)
    sales.delete(made.transaction_id, made.version, uuid4())
    assert has_caught_up(stack_engines)
    assert lines_of(stack_engines, made.transaction_id) == 0
    assert verification.verify(stack_engines).is_good


def lines_of(engines: Engines, transaction_id: int) -> int:
    assert engines.risingwave is not None
    with engines.risingwave.connect() as connection:
        query = sa.text("select count(*) from fact_lines where transaction_id = :id")
        return int(connection.execute(query, {"id": transaction_id}).scalar_one())


@pytest.fixture
def push(stack_engines: Engines) -> Iterator[Push]:
    assert stack_engines.risingwave is not None
    push = Push(stack_engines.risingwave)
    push.start()
    wait_until(lambda: push.is_following, "a cursor on every subscription", 60)
    yield push
    push.stop()


def test_a_sale_is_pushed_with_its_day_and_again_when_it_is_deleted(
    push: Push, stack: Workbench, stack_engines: Engines
) -> None:
    sales = stack.sales(actor="stack test")
    told = Changed()
    made = sales.create(sale(), uuid4())
    day = day_number(sale().transaction_time.date())

    def is_told() -> bool:
        found = push.take()
        told.days.update(found.days)
        assert not found.is_everything
        return day in told.days

    wait_until(is_told, "the pushed day", 30)
    told.days.clear()
    wait_until(lambda: push.reached_ms > 0, "a time up to which all is told", 30)
    sales.delete(made.transaction_id, made.version, uuid4())
    wait_until(is_told, "the pushed day of the deletion", 30)


def test_the_rollups_come_from_risingwave_and_are_right(push: Push, stack_engines: Engines) -> None:
    assert stack_engines.risingwave is not None
    assert has_caught_up(stack_engines)
    reader, rollups = Reader(stack_engines), Rollups(Stream(stack_engines.risingwave, push))
    rollups.load(reader, Session())

    def is_risingwaves() -> bool:
        beat(stack_engines)  # by heartbeats RisingWave says how far it is; in the app they go on all the time
        rollups.refresh(reader, Session())
        return rollups.engine == "risingwave"

    wait_until(is_risingwaves, "RisingWave", 30)
    for dimension in ("store", "category", "day"):
        ours = ask(Source(reader, Session(), rollups), ["revenue", "items_sold"], by=[dimension])
        truth = ask(Source(reader, Session()), ["revenue", "items_sold"], by=[dimension])
        assert ours.engine == "risingwave"
        assert ours.value.equals(truth.value), dimension


def test_a_changed_view_is_built_beside_the_old_one_and_swapped(
    stack_engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "rollup_sales_by_hour"
    changed = [
        pieces.Piece(piece.name, piece.kind, f"-- changed for a test\n{piece.text}") if piece.name == name else piece
        for piece in pieces.rollups()
    ]
    with monkeypatch.context() as patched:
        patched.setattr(build, "rollups", lambda: changed)
        assert build.apply(stack_engines, print).changed == [name]
    assert {name, pieces.changes_of(name)} <= names(stack_engines)
    assert not {found for found in names(stack_engines) if found.endswith(pieces.NEW)}
    assert has_caught_up(stack_engines)
    assert verification.verify(stack_engines).is_good
    assert build.apply(stack_engines, print).changed == [name]


def test_a_password_is_kept_as_a_secret_where_that_is_licensed(
    stack_engines: Engines, stack_settings: Settings
) -> None:
    assert stack_engines.risingwave is not None
    password = stack_settings.risingwave_cdc_password.get_secret_value()
    with stack_engines.risingwave.connect() as connection:
        secrets = connection.exec_driver_sql("select name from rw_catalog.rw_secrets").scalars().all()
        definition = connection.exec_driver_sql("select definition from rw_catalog.rw_sources").scalar_one()
    assert (pieces.SECRET in secrets) is (password not in definition)


def test_dropping_leaves_no_slot_and_what_stands_in_the_way_is_told_in_one_line(
    stack_engines: Engines, stack_settings: Settings
) -> None:
    dropped = removal.drop(stack_engines, print)
    assert {SLOT, pieces.SOURCE, "sales_item", "rollup_sales_by_hour"} <= set(dropped)
    assert SLOT not in {slot["slot_name"] for slot in status(stack_engines).slots}
    assert not {piece.name for piece in (*pieces.tables(), *pieces.rollups(), *pieces.views())} & names(stack_engines)
    assert removal.drop(stack_engines) == []
    assert "workbench risingwave apply" in status(stack_engines).risingwave.note
    wrong = {
        "refuses the password of": {"risingwave_cdc_password": SecretStr("wrong")},
        "does not reach the master": {"risingwave_cdc_host": "no-such-host.invalid"},
    }
    for cause, changes in wrong.items():
        engines = connect(stack_settings.model_copy(update=changes))
        with pytest.raises(CdcError, match=cause) as refused:
            build.apply(engines)
        assert "\n" not in str(refused.value)
        engines.dispose()
    assert pieces.SOURCE not in names(stack_engines)
    assert pieces.SOURCE in build.apply(stack_engines, print).made
    assert has_caught_up(stack_engines)
    assert verification.verify(stack_engines).is_good
