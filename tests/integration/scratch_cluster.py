"""Embedded clusters in scratch folders, and what tests do to them and ask of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import psycopg2
from psycopg2.extensions import connection as Connection

from tests.conftest import free_ports, wait_until
from workbench.config import Server, Settings
from workbench.servers import cluster

REPOSITORY = Path(__file__).parents[2]
IS_ROOT = os.geteuid() == 0
POSTGRES_USER = "nobody" if IS_ROOT else None
ROLES = {"workbench_owner", "workbench_writer", "workbench_reader", "workbench_cdc", "workbench_replica"}


@contextmanager
def scratch_settings() -> Iterator[Settings]:
    """Settings for a cluster of its own, which is stopped and removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="cluster-test-"))
    settings = settings_for(folder)
    try:
        yield settings
    finally:
        cluster.down(settings)
        shutil.rmtree(folder)


def settings_for(folder: Path, master_port: int = 0, replica_port: int = 0) -> Settings:
    master, replica = free_ports(2)
    return Settings(
        _env_file=None,
        workbench_data_dir=folder,
        master_db_port=master_port or master,
        replica_db_port=replica_port or replica,
    )


@contextmanager
def session(server: Server | None) -> Iterator[Connection]:
    assert server is not None
    with closing(
        psycopg2.connect(
            host=server.host,
            port=server.port,
            dbname=server.name,
            user=server.user,
            password=server.password.get_secret_value(),
            connect_timeout=2,
        )
    ) as connection:
        connection.autocommit = True
        yield connection


def run(connection: Connection, statement: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def value(connection: Connection, query: str) -> object:
    return run(connection, query)[0][0]


def superuser_on_replica(settings: Settings) -> Server:
    master = cluster.superuser(settings)
    return Server(master.host, settings.replica_db_port, master.name, master.user, master.password)


def postmaster(settings: Settings, node: str) -> psutil.Process:
    text = (settings.workbench_data_dir / node / "postmaster.pid").read_text()
    return psutil.Process(int(text.split()[0]))


def kill(process: psutil.Process) -> None:
    process.kill()
    wait_until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE)


def assert_whole(settings: Settings) -> None:
    """Both servers answer to their roles, and a row written on the master arrives on the replica."""
    filled = cluster.configured(settings)
    with session(cluster.superuser(settings)) as master, session(filled.replica) as replica:
        assert {row[0] for row in run(master, "select rolname from pg_roles where rolname like 'workbench%'")} == ROLES
        run(master, "create table if not exists public.probe (probe_id bigint primary key)")
        run(master, "grant select on public.probe to workbench_reader")
        probe_id = time.time_ns()
        run(master, f"insert into public.probe values ({probe_id})")
        arrived = f"select to_regclass('public.probe') is not null and pg_last_wal_replay_lsn() >= '{lsn(master)}'"
        wait_until(lambda: value(replica, arrived))
        assert value(replica, f"select count(*) from public.probe where probe_id = {probe_id}") == 1
        assert value(replica, "select pg_is_in_recovery()") is True
    assert not list(settings.workbench_data_dir.glob("new-*"))


def lsn(master: Connection) -> object:
    return value(master, "select pg_current_wal_flush_lsn()")


def assert_passwords_work(settings: Settings) -> None:
    filled = cluster.configured(settings)
    for server in (filled.master, filled.owner, filled.master_reader, filled.replica):
        with session(server) as connection:
            assert value(connection, "select 1") == 1


def start_process(settings: Settings, then: str = "", repository: Path = REPOSITORY) -> subprocess.Popen[str]:
    """A process that runs ``up``, printing its progress, then ``then``."""
    code = (
        "from workbench.servers import cluster\nfrom workbench.config import load_settings\n"
        f"cluster.up(load_settings(), lambda line: print(line, flush=True))\n{then}"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        cwd=settings.workbench_data_dir.parent,
        start_new_session=True,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(repository),
            "WORKBENCH_DATA_DIR": str(settings.workbench_data_dir),
            "MASTER_DB_PORT": str(settings.master_db_port),
            "REPLICA_DB_PORT": str(settings.replica_db_port),
        },
    )


def secrets_of(passwords: str) -> list[str]:
    return [line.split("=", 1)[1] for line in passwords.splitlines()]
