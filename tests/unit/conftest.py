"""The tests of this folder need no server, and none of them starts one or asks one: the first that tries fails."""

from __future__ import annotations

import socket
from typing import Any, NoReturn

import psycopg
import psycopg2
import pytest

from workbench.servers.cluster.processes import Programs

WRONG_PLACE = "A test in tests/unit asks for servers: it belongs into tests/integration."


@pytest.fixture(scope="session")
def settings() -> NoReturn:
    """Takes the place of the running pair, on which all other fixtures with servers rest."""
    pytest.fail(WRONG_PLACE, pytrace=False)


@pytest.fixture(autouse=True)
def _no_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        pytest.fail(WRONG_PLACE)

    # PostgreSQL's programs, both of its drivers, and whatever else waits for others or is spoken to.
    places = ((Programs, "run"), (psycopg2, "_connect"), (psycopg.Connection, "_connect_gen"))
    for owner, name in (*places, (socket.socket, "listen"), (socket.socket, "connect")):
        monkeypatch.setattr(owner, name, refuse)
