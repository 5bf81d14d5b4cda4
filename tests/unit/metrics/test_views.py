"""Following changes, with a mocked connection, as PostgreSQL knows no subscriptions; for real: tests/stack."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from tests.conftest import wait_until
from workbench.metrics import Stream, views
from workbench.servers.risingwave.relations import FOLLOWED, changes_of


class MockedServer:
    """Answers what is sent: ``script`` has the rows of each fetch, or an error; then nothing more happens.

    ``numbers`` are those of the subscriptions, one answer after the other, the last one for ever.
    """

    def __init__(self, *script: list[int] | Exception, numbers: tuple[int, ...] = (7,)) -> None:
        self.script, self.numbers, self.sent, self.idle = list(script), list(numbers), [], threading.Event()

    beat_at = datetime(2026, 5, 31, 10, tzinfo=UTC)

    def connect(self) -> MockedServer:
        return self

    def __enter__(self) -> MockedServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.sent.append("close")

    def detach(self) -> None:
        self.sent.append("detach")

    def exec_driver_sql(self, sql: str) -> MockedServer:
        self.sent.append(sql)
        return self

    def scalar_one(self) -> int:
        return 1_000

    def all(self) -> list[Any]:
        if "rw_subscriptions" in self.sent[-1]:
            return [(self.numbers.pop(0) if len(self.numbers) > 1 else self.numbers[0],)]
        if "heartbeat" in self.sent[-1]:
            return [(self.beat_at, "0/1", 1_000)]
        if not self.script:
            self.idle.set()
            return []
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step


@pytest.fixture
def follow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(views, "LOOK_SECONDS", 0.001)
    monkeypatch.setattr(views, "RETRY_SECONDS", 0.001)
    made: list[Stream] = []

    def start(server: MockedServer) -> Stream:
        made.append(Stream(server))  # type: ignore[arg-type]
        made[-1].start()
        wait_until(server.idle.is_set, "all that was scripted")
        return made[-1]

    yield start
    for found in made:
        found.stop()


def test_a_mocked_change_of_either_table_moves_the_revision(follow: Any) -> None:
    assert follow(MockedServer()).revision == 1, "what changed before is not known"
    assert follow(MockedServer([1], [])).revision == 2
    assert follow(MockedServer([], [1, 2])).revision == 2
    assert follow(MockedServer([1], [1], [], [], [1], [])).revision == 3


def test_a_mocked_one_that_was_passed_over_is_asked_again_when_the_next_heartbeat_is_there(follow: Any) -> None:
    server = MockedServer()
    followed = follow(server)
    followed._awaited = server.beat_at
    asked = len(server.sent)
    wait_until(lambda: len(server.sent) > asked + 20, "more looks")
    assert followed.revision == 1, "it is no newer than the one that was lacking"
    server.beat_at += timedelta(seconds=1)
    wait_until(lambda: followed.revision == 2, "a new revision")
    asked = len(server.sent)
    wait_until(lambda: len(server.sent) > asked + 20, "more looks")
    assert followed.revision == 2, "once is enough"


def test_a_mocked_connection_that_is_lost_is_made_again_and_something_may_have_changed(follow: Any) -> None:
    lost = OperationalError("fetch", {}, Exception("server closed the connection unexpectedly"))
    server = MockedServer(lost)
    assert follow(server).revision == 2
    assert server.sent.count("close") == 1


def test_mocked_subscriptions_that_were_made_anew_are_followed_anew(follow: Any) -> None:
    server = MockedServer(numbers=(7, 8))
    followed = follow(server)
    wait_until(lambda: followed.revision == 2, "a new beginning")


def test_a_mocked_cursor_begins_at_the_last_checkpoint(follow: Any) -> None:
    """A change that is on its way into a checkpoint is older than now()."""
    server = MockedServer()
    follow(server)
    declared = [sql for sql in server.sent if sql.startswith("declare")]
    assert declared == [
        f"declare {table}_changes subscription cursor for {changes_of(table)} since 1000" for table in FOLLOWED
    ]
