"""A real RisingWave: built, built again, changed, compared, pushed, fresh, and dropped without a trace.

The tests stand in the order in which they are run: what the first ones build, the others read.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from tests.asked_views import ASKED, asked_views
from tests.conftest import wait_until
from tests.examples import sale
from tests.stack.conftest import has_caught_up
from workbench.config import Settings
from workbench.connection import Workbench
from workbench.database.engines import Engines, connect
from workbench.database.positions import beat
from workbench.database.replication import Reader, ReadPosition
from workbench.database.sql_files import run_sql
from workbench.errors import CdcError
from workbench.metrics import METRICS, Source, Stream, ask, verification, views
from workbench.sales.models import parse_return
from workbench.servers.health import status
from workbench.servers.risingwave import build, relations, state
from workbench.servers.risingwave.console import SLOT, console

FORMER = "select store_id, sum(total_amount) as revenue from sales_transaction group by store_id"


@pytest.fixture(scope="module", autouse=True)
def built(stack_engines: Engines) -> None:
    """Everything is there, whatever there was."""
    if stack_engines.risingwave is None:
        pytest.fail("RISINGWAVE_HOST is not set: this stack has no RisingWave to be tested")
    build.apply(stack_engines, views.materialized_views(), print)


def names(engines: Engines) -> set[str]:
    assert engines.risingwave is not None
    with engines.risingwave.connect() as connection:
        rows = run_sql(connection, "risingwave/catalog/relations")
        return {row.name for row in rows}


def test_all_is_there_and_nothing_is_wrong(stack_engines: Engines) -> None:
    assert has_caught_up(stack_engines)
    found = state.state(stack_engines, views.materialized_views())
    assert found.problems == ()
    assert {relation.state for relation in found.relations} == {"as its file says"}
    assert {relation.backfill for relation in found.relations if relation.kind == "table"} == {"done"}
    assert all(relation.rows is not None for relation in found.relations if relation.kind != "view")
    assert all(relation.changed_at is None or relation.changed_at.year > 2021 for relation in found.relations)
    assert {relations.changes_of(table) for table in relations.FOLLOWED} <= names(stack_engines)


def test_applying_again_changes_nothing(stack_engines: Engines) -> None:
    again = build.apply(stack_engines, views.materialized_views())
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
    sales.delete(made.transaction_id, made.version, uuid4(), "rung up twice")
    assert has_caught_up(stack_engines)
    assert lines_of(stack_engines, made.transaction_id) == 0
    assert verification.verify(stack_engines).is_good


def test_a_return_is_in_the_views_and_a_column_of_the_master_alone_disturbs_nothing(
    stack: Workbench, stack_engines: Engines
) -> None:
    """RisingWave's tables were made before sales had return_of, where the master was upgraded: their views suffice."""

    def altered(what: str) -> None:
        with stack_engines.owner.begin() as connection:
            connection.exec_driver_sql(f"alter table sales_transaction {what}")

    sales = stack.sales(actor="stack test")
    for what in ("add column later bigint", "drop column later"):
        altered(what)
        made = sales.create(sale(store_id=999_999), uuid4()).transaction_id
        line = {"product_code": "C-LAT", "unit_price": "3.50", "quantity": 1}
        header = {"return_of": made, "cashier_id": 301, "store_id": 999_998, "payment_method": "Cash"}
        sales.give_back(parse_return({**header, "lines": [line]}), uuid4())
        assert has_caught_up(stack_engines)
        assert lines_of(stack_engines, made) == len(sale().lines)
    assert stack_engines.risingwave is not None
    source = Source(stack.reader, sales.read_position, stream=Stream(stack_engines.risingwave))
    names = ["sales", "revenue", "returns", "return_rate"]
    asked = ask(source, names, by=["store"], where={"stores": [999_998, 999_999]})
    assert asked.engine == "risingwave", asked.note
    assert asked.value.values.tolist() == [
        [999_998, 0, Decimal("-6.50"), Decimal("6.50"), None],
        [999_999, 2, Decimal("21.40"), Decimal("0.00"), Decimal("0.00")],
    ]
    assert verification.verify(stack_engines).is_good


def lines_of(engines: Engines, transaction_id: int) -> int:
    assert engines.risingwave is not None
    with engines.risingwave.connect() as connection:
        query = sa.text("select count(*) from fact_lines where transaction_id = :id")
        return int(connection.execute(query, {"id": transaction_id}).scalar_one())


@pytest.fixture
def stream(stack_engines: Engines) -> Iterator[Stream]:
    assert stack_engines.risingwave is not None
    made = Stream(stack_engines.risingwave)
    made.start()
    wait_until(lambda: made.revision > 0, "a cursor on every subscription", 60)
    yield made
    made.stop()


def test_a_sale_is_told_and_again_when_its_line_is_changed_and_it_is_deleted(
    stream: Stream, stack: Workbench, stack_engines: Engines
) -> None:
    sales = stack.sales(actor="stack test")

    def is_told_after(write: Callable[[], Any]) -> Any:
        assert has_caught_up(stack_engines)
        told: list[int] = []

        def is_quiet() -> bool:
            told.append(stream.revision)
            return len(told) > 200 and len(set(told[-200:])) == 1

        wait_until(is_quiet, "the end of what was before", 60)
        before, done = stream.revision, write()
        wait_until(lambda: stream.revision > before, "a new revision", 30)
        return done

    made = is_told_after(lambda: sales.create(sale(), uuid4()))
    rename = sa.text("update sales_item set category = 'Other' where transaction_id = :id")

    def change_a_line() -> None:
        with stack_engines.owner.begin() as connection:
            connection.execute(rename, {"id": made.transaction_id})

    is_told_after(change_a_line)
    is_told_after(lambda: sales.delete(made.transaction_id, made.version + 1, uuid4(), "rung up twice"))


def test_what_its_views_hold_is_answered_by_risingwave_and_is_right(stream: Stream, stack_engines: Engines) -> None:
    assert has_caught_up(stack_engines)
    reader = Reader(stack_engines)
    for by in ([], ["store"], ["category"], ["day"], ["payment_method"], ["hour", "weekday"], ["product"]):
        names = [metric.name for metric in views.given(list(METRICS.values()), by) if set(by) <= set(metric.dimensions)]
        ours = ask(Source(reader, ReadPosition(), stream=stream), names, by=by)
        assert ours.engine == "risingwave", ours.note
        assert ours.value.equals(ask(Source(reader, ReadPosition()), names, by=by).value), by


def test_one_view_that_is_missing_costs_its_own_tile_alone(stream: Stream, stack_engines: Engines) -> None:
    with console(stack_engines) as rw:
        rw.run("drop materialized view sales_by_hour")
    try:
        assert has_caught_up(stack_engines)
        source = Source(Reader(stack_engines), ReadPosition(), stream=stream)
        answers = [ask(source, ["revenue"], by=[by]) for by in ("hour", "store", "category")]
        assert [answer.engine for answer in answers] == ["replica", "risingwave", "risingwave"]
        assert "run `workbench risingwave apply`" in answers[0].note
    finally:
        assert build.apply(stack_engines, views.materialized_views(), print).made == ["sales_by_hour"]
    assert has_caught_up(stack_engines)
    assert ask(source, ["revenue"], by=["hour"]).engine == "risingwave"


def test_each_tile_is_answered_by_the_views_that_it_is_said_to_ask(
    stack: Workbench, stack_engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert has_caught_up(stack_engines)
    stack.reader.renew()
    assert asked_views(stack, monkeypatch) == ASKED


def test_filling_a_view_can_be_stopped_in_its_first_moment(stack_engines: Engines) -> None:
    """RisingWave forgets the first cancellation then, and heeds no second one of the statement."""
    body = "select item_id, generate_series(1, 20000) as number from sales_item"
    slow = relations.Relation("slow_to_fill", "materialized view", body)

    stop = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))

    def say(line: str) -> None:
        if line.startswith("Making the materialized view"):
            stop.start()

    try:
        with pytest.raises(KeyboardInterrupt):
            build.apply(stack_engines, [*views.materialized_views(), slow], say)
    finally:
        stop.cancel()
    with console(stack_engines) as rw:
        assert slow.name not in rw.names()
        assert not rw.run("select ddl_statement from rw_catalog.rw_ddl_progress")


def test_what_a_former_version_kept_is_removed(stack_engines: Engines) -> None:
    """It had other views, a subscription to each."""
    former = relations.Relation("rollup_of_stores", "materialized view", FORMER)
    assert build.apply(stack_engines, [*views.materialized_views(), former], print).made == [former.name]
    with console(stack_engines) as rw:
        rw.run(f"create subscription sub_{former.name} from {former.name} with (retention = '1 hour')")
        assert {former.name, f"sub_{former.name}"} <= set(rw.names())
        assert build.apply(stack_engines, views.materialized_views(), print).removed == [former.name]
        assert not {former.name, f"sub_{former.name}"} & set(rw.names())


def test_a_changed_view_is_built_beside_the_old_one_and_swapped(stack_engines: Engines) -> None:
    name = "sales_by_hour"
    changed = [
        relations.Relation(relation.name, relation.kind, f"-- changed for a test\n{relation.text}")
        if relation.name == name
        else relation
        for relation in views.materialized_views()
    ]
    assert build.apply(stack_engines, changed, print).changed == [name]
    assert name in names(stack_engines)
    assert not {found for found in names(stack_engines) if found.endswith(relations.NEW)}
    assert has_caught_up(stack_engines)
    assert verification.verify(stack_engines).is_good
    assert build.apply(stack_engines, views.materialized_views(), print).changed == [name]


def test_a_password_is_kept_as_a_secret_where_that_is_licensed(
    stack_engines: Engines, stack_settings: Settings
) -> None:
    assert stack_engines.risingwave is not None
    password = stack_settings.risingwave_cdc_password.get_secret_value()
    with stack_engines.risingwave.connect() as connection:
        secrets = connection.exec_driver_sql("select name from rw_catalog.rw_secrets").scalars().all()
        definition = connection.exec_driver_sql("select definition from rw_catalog.rw_sources").scalar_one()
    assert (relations.SECRET in secrets) is (password not in definition)


def test_dropping_leaves_no_slot_and_what_stands_in_the_way_is_told_in_one_line(
    stack_engines: Engines, stack_settings: Settings
) -> None:
    dropped = build.drop(stack_engines, views.materialized_views(), print)
    assert {SLOT, relations.SOURCE, "sales_item", "sales_by_hour"} <= set(dropped)
    assert SLOT not in {slot["slot_name"] for slot in status(stack_engines).slots}
    assert not {
        relation.name for relation in (*relations.tables(), *views.materialized_views(), *relations.views())
    } & names(stack_engines)
    assert build.drop(stack_engines, views.materialized_views()) == []
    assert "workbench risingwave apply" in status(stack_engines).risingwave.note
    wrong = {
        "refuses the password of": {"risingwave_cdc_password": SecretStr("wrong"), "workbench_passwords_file": ""},
        "does not reach the master": {"risingwave_cdc_host": "no-such-host.invalid"},
    }
    for cause, changes in wrong.items():
        engines = connect(stack_settings.model_copy(update=changes))
        with pytest.raises(CdcError, match=cause) as refused:
            build.apply(engines, views.materialized_views())
        assert "\n" not in str(refused.value)
        engines.dispose()
    assert relations.SOURCE not in names(stack_engines)
    assert relations.SOURCE in build.apply(stack_engines, views.materialized_views(), print).made
    assert has_caught_up(stack_engines)
    assert verification.verify(stack_engines).is_good
