"""A load in parts, at the pace of those who follow: a slot that nobody reads is the follower that does not keep up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from tests.conftest import as_superuser, wait_until
from workbench.config import Settings
from workbench.database.engines import Engines
from workbench.errors import LoadIncomplete, LoadStopped, WorkbenchError
from workbench.sample import bulk_load, load, loads, undo
from workbench.servers import cluster
from workbench.servers.health import status

SLOT = "follows_no_more"
MAY_KEEP = 256 << 20
FILL = "select pg_logical_emit_message(false, 'fill', repeat('x', 1 << 20)) from generate_series(1, 150)"


class Follower:
    """Has stopped reading from its slot, of which the master may keep MAY_KEEP."""

    def __init__(self, root: sa.Engine) -> None:
        self._root = root

    def run(self, statement: str) -> None:
        with self._root.connect() as connection:
            connection.exec_driver_sql(statement)

    def fall_behind(self) -> None:
        """More than half of it is written."""
        self.run(FILL)

    def leave(self) -> None:
        """Its slot is dropped, as whoever is in charge does when it does not return."""
        self.run(f"select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '{SLOT}'")


@pytest.fixture
def follower(settings: Settings, engines: Engines, monkeypatch: pytest.MonkeyPatch) -> Iterator[Follower]:
    made = Follower(as_superuser(cluster.superuser(settings), settings.master_db_port))
    monkeypatch.setattr(bulk_load, "BATCH_SALES", 10_000)
    monkeypatch.setattr(bulk_load, "LOOK_SECONDS", 0.05)
    made.run(f"alter system set max_slot_wal_keep_size = '{MAY_KEEP >> 20}MB'")
    made.run("select pg_reload_conf()")
    made.run(f"select pg_create_logical_replication_slot('{SLOT}', 'pgoutput')")
    try:
        wait_until(lambda: may_keep(engines) == f"{MAY_KEEP >> 20}MB", "the new setting")
        yield made
    finally:
        made.leave()
        made.run("alter system reset max_slot_wal_keep_size")
        made.run("select pg_reload_conf()")
        wait_until(lambda: may_keep(engines) != f"{MAY_KEEP >> 20}MB", "the old setting")


def may_keep(engines: Engines) -> str:
    with engines.owner.connect() as connection:
        return str(connection.exec_driver_sql("show max_slot_wal_keep_size").scalar_one())


def sales(engines: Engines) -> int:
    with engines.owner.connect() as connection:
        return int(
            connection.exec_driver_sql("select count(*) from sales_transaction where return_of is null").scalar_one()
        )


def slot_status(engines: Engines) -> str | None:
    return next((s["wal_status"] for s in status(engines).slots if s["slot_name"] == SLOT), None)


def test_a_load_waits_for_a_slot_that_is_half_lost_says_so_and_goes_on(engines: Engines, follower: Follower) -> None:
    heard: list[str] = []
    done: list[int] = []

    def progress(copied: int, total: int) -> None:
        if not done:
            follower.fall_behind()
        done.append(copied)

    def waiting(text: str) -> None:
        heard.append(text)
        if not text:  # it goes on
            return
        assert done[-1] < 70_000, "it had copied all before it waited"
        assert sales(engines) == done[-1], "what was copied before is there"
        assert slot_status(engines) in ("reserved", "extended"), "it waited too late"
        if len(heard) == 3:
            follower.leave()

    loaded = load(engines, 70_000, progress=progress, waiting=waiting)
    assert heard[-1] == "" and len(heard) >= 4
    assert f"the slot {SLOT} keeps 1" in heard[0]
    assert "MB of WAL, of the 256 MB with which it is lost, and nobody reads from it." in heard[0]
    assert (loaded.sales, sales(engines)) == (70_000, 70_000)
    assert [(found.sales, found.made, found.note) for found in loads(engines)] == [(70_000, 70_000, "")]
    with engines.owner.connect() as connection:
        parts = "select count(*) from audit_log where operation = 'bulk load'"
        assert connection.exec_driver_sql(parts).scalar_one() > 2
    assert undo(engines).sales == 70_000
    assert sales(engines) == 0


def test_a_load_that_waits_is_stopped_and_takes_back_what_it_has_committed(
    engines: Engines, follower: Follower
) -> None:
    before = load(engines, 100)
    heard: list[str] = []
    fell_behind: list[int] = []

    def progress(copied: int, total: int) -> None:
        if not fell_behind:
            follower.fall_behind()
            fell_behind.append(copied)

    with pytest.raises(LoadStopped, match=r"stopped after [12]\d,\d+ sales\. Nothing was loaded") as stopped:
        load(engines, 70_000, progress=progress, waiting=heard.append, should_stop=lambda: len(heard) > 2)
    assert "was stopped" in str(stopped.value)
    assert heard[-1] == "Taking back what was loaded ..."
    assert sales(engines) == before.sales
    assert [found.sales for found in loads(engines)] == [before.sales]


def test_what_goes_wrong_in_a_later_part_takes_back_those_before(
    engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_load, "BATCH_SALES", 10_000)
    check, parts = bulk_load._check, list[int]()

    def fails_the_second_time(connection: sa.Connection, added: bulk_load.Loaded) -> None:
        parts.append(sales(engines))
        if len(parts) == 2:
            raise WorkbenchError("That is wrong.")
        check(connection, added)

    monkeypatch.setattr(bulk_load, "_check", fails_the_second_time)
    with pytest.raises(WorkbenchError, match="That is wrong"):
        load(engines, 70_000)
    assert parts[0] == 0 < parts[1], "no part was committed before, so this test proves nothing"
    assert (sales(engines), loads(engines)) == (0, [])


def test_parts_that_somebody_has_changed_meanwhile_stay_and_are_told(
    engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_load, "BATCH_SALES", 10_000)
    copied: list[int] = []

    def change(done: int, total: int) -> None:
        copied.append(done)
        if len(copied) == 2:
            with engines.master.begin() as connection:
                connection.exec_driver_sql(
                    "update sales_transaction set store_id = 9"
                    " where transaction_id = (select min(transaction_id) from sales_transaction)"
                )

    with pytest.raises(LoadIncomplete, match=r"of 70,000 sales are there, .*was changed|were changed since") as told:
        load(engines, 70_000, progress=change, should_stop=lambda: len(copied) == 3)
    assert "`workbench undo-sample` takes them back" in str(told.value)
    (left,) = loads(engines)
    assert left.sales == sales(engines) > 0
    assert left.note == f"ended early, after {left.made:,} of 70,000 sales"
    assert undo(engines, also_changed=True).sales == left.sales
