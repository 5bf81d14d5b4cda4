"""How long a commit takes until the replica shows it: of saves, of heartbeats, and while the replica stands still."""

from __future__ import annotations

import time
from uuid import uuid4

import pytest
import sqlalchemy as sa

from tests.conftest import paused_replay, wait_until
from tests.examples import sale
from workbench import telemetry
from workbench.connection import Workbench
from workbench.database import positions


def test_a_save_is_timed_until_the_replica_shows_it(workbench: Workbench) -> None:
    before = telemetry.SAVES.quantiles().get("replica")
    made = workbench.sales().create(sale(), uuid4())
    seconds = made.visible["replica"].result(timeout=10)
    assert seconds is not None
    assert 0 < seconds < 5
    assert telemetry.SAVES.quantiles()["replica"].count == (before.count if before else 0) + 1


def test_a_repeat_is_not_timed_again(workbench: Workbench) -> None:
    sales, request = workbench.sales(), uuid4()
    assert set(sales.create(sale(), request).visible) == {"replica"}
    assert sales.create(sale(), request).visible == {}


def test_heartbeats_make_a_course(workbench: Workbench) -> None:
    workbench.monitor.start()
    wait_until(lambda: len(workbench.monitor.stopwatch.points()["replica"]) >= 3, "three heartbeats")
    points = workbench.monitor.stopwatch.points()["replica"]
    assert all(point.is_visible and 0 < point.seconds < 5 for point in points)
    assert [point.at for point in points] == sorted(point.at for point in points)


def test_a_replica_that_stands_still_is_waited_for_and_the_course_goes_up(
    workbench: Workbench, replica_superuser: sa.Engine
) -> None:
    workbench.monitor.start()
    watch = workbench.monitor.stopwatch
    wait_until(lambda: bool(watch.points()["replica"]), "a heartbeat")
    with paused_replay(workbench.engines, replica_superuser):
        began = time.monotonic()
        made = workbench.sales().create(sale(), uuid4())
        assert time.monotonic() - began < 1, "the save waited for the replica"
        wait_until(lambda: sum(not point.is_visible for point in watch.points()["replica"]) >= 2, "two late points")
        assert not made.visible["replica"].done()
    seconds = made.visible["replica"].result(timeout=10)
    assert seconds is not None
    assert seconds > 1
    wait_until(lambda: watch.points()["replica"][-1].is_visible, "the replica to be current again")


def test_a_save_is_given_up_in_the_end(
    workbench: Workbench, replica_superuser: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(positions, "LIMIT_SECONDS", 0.2)
    workbench.monitor.start()
    with paused_replay(workbench.engines, replica_superuser):
        made = workbench.sales().create(sale(), uuid4())
        assert made.visible["replica"].result(timeout=10) is None


def test_who_waits_is_told_when_the_workbench_is_closed(workbench: Workbench, replica_superuser: sa.Engine) -> None:
    with paused_replay(workbench.engines, replica_superuser):
        made = workbench.sales().create(sale(), uuid4())
        workbench.close()
        assert made.visible["replica"].result(timeout=10) is None
