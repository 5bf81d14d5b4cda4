"""Push, with a mocked connection, as PostgreSQL knows no subscriptions; tests/stack has it with a real RisingWave."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy.exc import InternalError, OperationalError

from tests.conftest import wait_until
from workbench.metrics import push
from workbench.metrics.filters import day_number
from workbench.metrics.push import Changed, Push
from workbench.metrics.registry import ROLLUPS

BY_HOUR = next(rollup for rollup in ROLLUPS if rollup.name == "rollup_sales_by_hour")
FIRST = next(rollup for rollup in ROLLUPS if rollup.name == "rollup_first_sales")
DAY = date(2026, 11, 20)


def lost() -> OperationalError:
    return OperationalError("fetch", {}, Exception("server closed the connection unexpectedly"))


class MockedServer:
    """Answers what a reader sends: ``script`` gives the rows of each fetch, or raises; then nothing more happens."""

    def __init__(self, *script: list[dict[str, Any]] | Exception) -> None:
        self.script = list(script)
        self.sent: list[str] = []
        self.idle = threading.Event()
        self.identities = [7]
        self.checkpoints = [1_000]
        self.gone: set[int] = set()  # RisingWave no longer has the changes since then

    def connect(self) -> MockedServer:
        self.sent.append("connect")
        return self

    def detach(self) -> None:
        self.sent.append("detach")

    def close(self) -> None:
        self.sent.append("close")

    def exec_driver_sql(self, sql: str) -> MockedServer:
        self.sent.append(sql)
        since = re.search(r"since (\d+)", sql)
        if since and int(since[1]) in self.gone:
            raise InternalError(sql, {}, Exception("rw_timestamp is too small"))
        return self

    def scalar_one(self) -> int:
        """The time of the checkpoint."""
        return self.checkpoints.pop(0) if len(self.checkpoints) > 1 else self.checkpoints[0]

    def scalar_one_or_none(self) -> int:
        """Which subscription it is."""
        return self.identities.pop(0) if len(self.identities) > 1 else self.identities[0]

    def mappings(self) -> MockedServer:
        return self

    def all(self) -> list[dict[str, Any]]:
        if not self.script:
            self.idle.set()
            return []
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    @property
    def declared(self) -> list[str]:
        return [sql for sql in self.sent if sql.startswith("declare")]


@pytest.fixture
def follow(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(push, "BACKOFF", lambda state: 0.01)
    made: list[Push] = []

    def start(server: MockedServer, rollup: Any = BY_HOUR) -> Push:
        found = Push(server, [rollup])  # type: ignore[arg-type]
        made.append(found)
        found.start()
        wait_until(server.idle.is_set, "all that was scripted")
        return found

    yield start
    for found in made:
        found.stop()


Follow = Callable[..., Push]


def test_a_mocked_push_names_the_days_that_changed(follow: Follow) -> None:
    found = follow(MockedServer([{"day": DAY, "rw_timestamp": 5_000}, {"day": DAY, "rw_timestamp": 5_000}]))
    assert found.arrived.is_set()
    assert found.is_following
    assert found.take() == Changed({day_number(DAY)})
    assert not found.arrived.is_set()
    assert found.take() == Changed()


def test_a_mocked_push_names_the_customers_of_first_sales(follow: Follow) -> None:
    found = follow(MockedServer([{"customer_id": 7, "day": DAY, "rw_timestamp": 5_000}]), FIRST)
    assert found.take() == Changed(customers={7})


def test_a_mocked_lost_connection_goes_on_from_the_last_change(follow: Follow) -> None:
    server = MockedServer([{"day": DAY, "rw_timestamp": 5_000}], lost(), lost())
    found = follow(server)
    assert server.declared[0].endswith("since 1000"), "a change on its way into a checkpoint is older than now"
    assert [sql.rsplit(" ", 1)[1] for sql in server.declared[1:]] == ["5000", "5000"]
    assert not found.take().is_everything


def test_a_mocked_connection_lost_before_any_change_goes_on_from_where_it_began(follow: Follow) -> None:
    server = MockedServer(lost())
    follow(server)
    assert server.declared[1].endswith("since 1000")


def test_a_mocked_reader_of_a_quiet_view_goes_on_from_the_last_checkpoint(follow: Follow) -> None:
    """Else the changes since the last one would no longer be kept, and everything would be read anew."""
    server = MockedServer([], [], lost())
    server.checkpoints = [1_000, 2_000, 3_000, 4_000]
    found = follow(server)
    assert [sql.rsplit(" ", 1)[1] for sql in server.declared] == ["1000", "3000"]
    assert not found.take().is_everything


def test_a_mocked_server_that_no_longer_has_the_changes_means_that_everything_is_read_anew(follow: Follow) -> None:
    server = MockedServer([{"day": DAY, "rw_timestamp": 5_000}], lost())
    server.gone = {5_000}
    found = follow(server)
    assert [sql.rsplit(" ", 1)[1] for sql in server.declared[1:]] == ["5000", "1000"]
    assert found.take().is_everything


def test_a_mocked_view_that_was_built_anew_means_that_everything_is_read_anew(follow: Follow) -> None:
    server = MockedServer([{"day": DAY, "rw_timestamp": 5_000}], [], [])
    server.identities = [7, 8]
    found = follow(server)
    assert [sql.rsplit(" ", 1)[1] for sql in server.declared] == ["1000", "1000"]
    assert found.take().is_everything


def test_a_mocked_reader_says_up_to_when_it_has_told_everything(follow: Follow) -> None:
    full = [{"day": DAY, "rw_timestamp": 5_000}] * push.FETCH_ROWS

    class Asked(MockedServer):
        def all(self) -> list[dict[str, Any]]:
            reached.append(made[0].reached_ms)
            return super().all()

    reached: list[float] = []
    made: list[Push] = []
    server = Asked(full, [{"day": DAY, "rw_timestamp": 6_000}])
    made.append(Push(server, [BY_HOUR]))  # type: ignore[arg-type]
    made[0].start()
    wait_until(server.idle.is_set, "all that was scripted")
    assert reached[:3] == [-math.inf, -math.inf, 1_000], "as many rows as were asked may not be all"
    made[0].stop()
    assert made[0].reached_ms == -math.inf


def test_a_mocked_push_can_be_stopped_while_the_server_is_away() -> None:
    class Away(MockedServer):
        def connect(self) -> MockedServer:
            self.idle.set()
            raise lost()

    server = Away()
    found = Push(server, [BY_HOUR])  # type: ignore[arg-type]
    found.start()
    wait_until(server.idle.is_set, "the first try")
    assert not found.is_following
    found.stop()
    assert not any(thread.name.startswith("push-") for thread in threading.enumerate())
