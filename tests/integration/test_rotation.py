"""Passwords change while servers and programs run: nobody is thrown out, new connections take the new ones."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from tests.conftest import as_superuser, running_pair, wait_until
from tests.examples import sale
from tests.ui.conftest import environment
from workbench.config import Settings
from workbench.connection import Workbench, connect
from workbench.database.engines import connect as connect_engines
from workbench.errors import ClusterError
from workbench.servers import cluster
from workbench.servers.cluster.node_settings import ROLES

VERIFIER = "SCRAM-SHA-256$"


@pytest.fixture(scope="module")
def pair() -> Iterator[Settings]:
    """A pair of servers whose passwords change."""
    with running_pair("rotation") as configured:
        yield configured


@pytest.fixture
def running(pair: Settings) -> Iterator[Workbench]:
    """A program that was started before they change."""
    made = connect(pair)
    yield made
    made.close()


def passwords(pair: Settings) -> dict[str, str]:
    lines = (pair.workbench_data_dir / "passwords.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def base(pair: Settings) -> Settings:
    """The settings of a shell in which nobody has configured a server."""
    names = ("workbench_data_dir", "master_db_port", "replica_db_port")
    return Settings(_env_file=None, **{name: getattr(pair, name) for name in names})


def save_and_read(running: Workbench) -> None:
    """By connections of their own, each of them new."""
    running.engines.dispose()
    saved = running.sales().create(sale(), uuid4())
    assert running.sales().get(saved.transaction_id).value.version == 1
    for engine in (running.engines.replica, running.engines.owner, running.engines.cdc):
        assert engine is not None
        with engine.connect() as connection:
            assert connection.exec_driver_sql("select 1").scalar_one() == 1


def test_a_running_program_goes_on_with_new_passwords(pair: Settings, running: Workbench) -> None:
    save_and_read(running)
    before, (held, other) = passwords(pair), (running.engines.master.connect(), running.engines.master_reader.connect())
    reports: list[Exception | None] = []
    ends = threading.Event()

    def save_all_the_time() -> None:
        while not ends.is_set():
            try:
                save_and_read(running)
                reports.append(None)
            except Exception as error:  # noqa: BLE001 - told by the test
                reports.append(error)

    def has_saved(times: int) -> bool:
        return len(reports) >= times

    saver = threading.Thread(target=save_all_the_time)
    saver.start()
    for _ in range(3):
        seen = len(reports)
        assert cluster.rotate(base(pair)) == list(ROLES)
        wait_until(partial(has_saved, seen + 3), "saves", 60)
    ends.set()
    saver.join()
    assert [error for error in reports if error] == []
    assert {name: after != before[name] for name, after in passwords(pair).items()} == dict.fromkeys(before, True)
    for connection in (held, other):  # who was signed in has stayed so
        assert connection.exec_driver_sql("select 1").scalar_one() == 1
        connection.close()


def test_without_reading_the_file_anew_it_would_be_shut_out(pair: Settings) -> None:
    old = pair.model_copy(update={"workbench_passwords_file": ""})
    current = pair.master.current_password()
    cluster.rotate(base(pair), ["workbench_writer"])
    assert replace(pair.master, passwords_file="").current_password() != pair.master.current_password() != current
    engines = connect_engines(old)
    with pytest.raises(sa.exc.OperationalError, match="password authentication failed"):
        engines.master.connect()
    engines.dispose()


def test_the_replica_streams_on_and_signs_in_anew(pair: Settings, running: Workbench) -> None:
    cluster.rotate(base(pair), ["workbench_replica"])
    master = as_superuser(cluster.superuser(base(pair)), pair.master_db_port)
    asks = "select pid from pg_stat_replication where application_name = 'replica' and state = 'streaming'"
    with master.connect() as connection:
        pid = connection.exec_driver_sql(asks).scalar_one()
        connection.exec_driver_sql(f"select pg_terminate_backend({pid})")
        wait_until(lambda: connection.exec_driver_sql(asks).scalar() not in (None, pid), "the replica's return", 60)
    save_and_read(running)


def test_files_stay_private_and_the_logs_know_neither_passwords_nor_verifiers(pair: Settings) -> None:
    old = passwords(pair)
    cluster.rotate(base(pair))
    folder = pair.workbench_data_dir
    for name in ("passwords.env", "pgpass"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    assert not list(folder.glob("kept-*"))
    logs = "".join((folder / f"{name}.log").read_text(errors="replace") for name in ("master", "replica"))
    for secret in (VERIFIER, *old.values(), *passwords(pair).values()):
        assert secret not in logs


def test_the_command(pair: Settings) -> None:
    def run(*roles: str, **changes: str) -> subprocess.CompletedProcess[str]:
        program = [Path(sys.executable).with_name("workbench"), "passwords", "rotate", *roles]
        env = environment(base(pair)) | changes
        return subprocess.run(program, env=env, capture_output=True, text=True, timeout=120)

    before, done = passwords(pair), run("workbench_reader")
    after = passwords(pair)
    assert done.stdout == "Changed: workbench_reader.\n"
    assert {name for name in after if after[name] != before[name]} == {"WORKBENCH_READER_PASSWORD"}
    assert not any(secret in done.stdout + done.stderr for secret in (*before.values(), *after.values()))
    assert re.search("no role nobody: the roles are postgres, ", run("nobody").stderr)
    assert "full-stack.md" in run(MASTER_DB_HOST="db.example").stderr
    assert passwords(pair) == after


def test_a_master_that_is_down_keeps_its_passwords(tmp_path: Path, pair: Settings) -> None:
    away = base(pair).model_copy(update={"workbench_data_dir": tmp_path})
    with pytest.raises(ClusterError, match="Run `workbench up`"):
        cluster.rotate(away)
