"""PG* variables of the shell, meant for other servers, reach neither the embedded servers nor configured ones."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
import sqlalchemy as sa

from tests.conftest import free_ports
from workbench.config import Settings, load_settings
from workbench.database.deadline import without_variables
from workbench.database.engines import Engines, connect
from workbench.reports.run import environment
from workbench.servers import cluster

# Each alone makes libpq refuse our servers, or changes what they answer.
HARMFUL = {
    "PGSSLMODE": "verify-full",
    "PGSERVICE": "warehouse",
    "PGHOSTADDR": "192.0.2.1",
    "PGTARGETSESSIONATTRS": "read-write",
    "PGREQUIREAUTH": "none",
    "PGCHANNELBINDING": "require",
    "PGSSLNEGOTIATION": "direct",
    "PGTZ": "Asia/Kolkata",
    "PGCLIENTENCODING": "LATIN1",
}
SHELL = HARMFUL | {
    "PGOPTIONS": "-c search_path=nowhere -c default_transaction_read_only=on",
    "PGDATESTYLE": "German",
    "PGAPPNAME": "warehouse",
    "PGPASSFILE": "/nowhere/pgpass",
    "PGSYSCONFDIR": "/nowhere",
}
ASKED = "select current_setting('timezone'), current_setting('search_path'), current_setting('client_encoding')"


@pytest.fixture
def as_usual(settings: Settings) -> list[object]:
    """What the servers tell a shell without such variables."""
    return _told(settings)


@pytest.fixture(params=[*HARMFUL, "all"])
def shell(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, as_usual: list[object]) -> None:
    """The variables of one shell: each by itself, and all of them."""
    for name, text in SHELL.items():
        if request.param in (name, "all"):
            monkeypatch.setenv(name, text)


def _told(settings: Settings) -> list[object]:
    engines = connect(settings)
    try:
        return [tuple(_ask(engine)) for engine in _pair(engines)]
    finally:
        engines.dispose()


def _pair(engines: Engines) -> Iterator[sa.Engine]:
    for engine in (engines.master, engines.master_reader, engines.replica, engines.owner, engines.cdc):
        assert engine is not None
        yield engine


def _ask(engine: sa.Engine) -> sa.Row:
    with engine.connect() as connection:
        return connection.exec_driver_sql(ASKED).one()


@pytest.mark.usefixtures("shell")
def test_every_engine_and_the_superuser_reach_the_pair_as_usual(settings: Settings, as_usual: list[object]) -> None:
    assert _told(settings) == as_usual
    alone = settings.model_copy(update={"master_db_host": "", "replica_db_host": ""})
    said: list[str] = []
    assert cluster.up(alone, said.append).replica_db_host
    assert said == []


def test_the_report_of_such_a_shell_does_not_get_them(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in SHELL.items():
        monkeypatch.setenv(name, text)
    assert not [name for name in environment(settings, tmp_path) if name.startswith("PG")]


def test_the_command_works_in_such_a_shell(settings: Settings) -> None:
    places = {
        "WORKBENCH_DATA_DIR": str(settings.workbench_data_dir),
        "MASTER_DB_PORT": str(settings.master_db_port),
        "REPLICA_DB_PORT": str(settings.replica_db_port),
    }
    command = [Path(sys.executable).with_name("workbench"), "status", "--json"]
    done = subprocess.run(command, env=SHELL | places, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('"state": "up"') == 2, done.stdout


def test_servers_of_ones_own_go_by_the_settings_too_and_an_unheeded_demand_is_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name, text in SHELL.items():
        monkeypatch.setenv(name, text)
    for name in ("host", "port", "password"):
        value = getattr(settings.master, name)
        monkeypatch.setenv(f"MASTER_DB_{name.upper()}", value.get_secret_value() if name == "password" else str(value))
    engines = connect(load_settings())
    assert _ask(engines.master)[0] == "UTC"
    engines.dispose()
    assert "PGSSLMODE=verify-full does not count" in caplog.text
    monkeypatch.delenv("PGSSLMODE")
    caplog.clear()
    load_settings()
    assert not caplog.text


def test_other_connections_of_the_process_find_them_again(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_ports(1)[0]
    monkeypatch.setenv("PGPORT", str(port))
    _told(settings)
    assert f"PGPORT={port}\n" in _seen_by_the_c_library()
    with pytest.raises(psycopg2.OperationalError, match=f"port {port} failed"):
        psycopg2.connect(host="127.0.0.1", dbname="sales")


def test_they_are_given_back_once_the_last_of_several_connections_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGAPPNAME", "warehouse")
    inside, leave = threading.Barrier(2), threading.Event()

    def connecting() -> None:
        with without_variables():
            inside.wait(20)
            leave.wait(20)

    other = threading.Thread(target=connecting)
    other.start()
    with without_variables():
        inside.wait(20)
    assert "PGAPPNAME" not in _seen_by_the_c_library()
    leave.set()
    other.join()
    assert "PGAPPNAME" in _seen_by_the_c_library()


def _seen_by_the_c_library() -> str:
    return subprocess.run(["env"], capture_output=True, text=True, check=True).stdout
