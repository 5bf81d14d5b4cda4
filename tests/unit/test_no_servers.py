"""`make unit` starts no server and asks none: a test in this folder that tries to fails (see conftest.py)."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.unit.conftest import WRONG_PLACE
from workbench.config import Settings
from workbench.database.engines import connect
from workbench.servers.cluster.processes import Programs

CONFIGURED = Settings(_env_file=None, master_db_host="127.0.0.1", replica_db_host="127.0.0.1")


def listen() -> None:
    with socket.socket() as one:
        one.listen()


def speak() -> None:
    with socket.socket() as one:
        one.connect(("127.0.0.1", 5676))


TRIES: dict[str, Callable[[], object]] = {
    "runs a program of PostgreSQL's": lambda: Programs(Path(), None).run("initdb", cwd=Path()),
    "asks the master": lambda: connect(CONFIGURED).master.connect(),
    "asks as sql() does": lambda: psycopg.connect("host=127.0.0.1"),
    "waits for others": listen,
    "speaks to others": speak,
}


@pytest.mark.parametrize("tries", TRIES.values(), ids=TRIES)
def test_a_unit_test_fails_that(tries: Callable[[], object]) -> None:
    with pytest.raises(pytest.fail.Exception, match=WRONG_PLACE):
        tries()


@pytest.mark.parametrize("name", ["settings", "engines", "workbench"])
def test_a_unit_test_fails_that_takes_a_fixture_with_servers(request: pytest.FixtureRequest, name: str) -> None:
    with pytest.raises(pytest.fail.Exception, match=WRONG_PLACE):
        request.getfixturevalue(name)
