"""The embedded cluster: who may do what, and the settings that its servers run with."""

from __future__ import annotations

import os
import stat

import psycopg2
import pytest

from tests.conftest import wait_until
from tests.integration.scratch_cluster import (
    IS_ROOT,
    ROLES,
    postmaster,
    run,
    secrets_of,
    session,
    superuser_on_replica,
    value,
)
from workbench.config import Server, Settings
from workbench.servers import cluster


def test_files_are_private(shared_cluster: Settings) -> None:
    folder = shared_cluster.workbench_data_dir
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
        == postmaster(shared_cluster, "master").uids().real
    )
    if IS_ROOT:
        assert (folder / "master").stat().st_uid != 0


@pytest.mark.parametrize("node", ["master", "replica"])
def test_nobody_signs_in_without_the_right_password(shared_cluster: Settings, node: str) -> None:
    superuser = cluster.superuser(shared_cluster) if node == "master" else superuser_on_replica(shared_cluster)
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


def test_roles_reach_only_what_is_theirs(shared_cluster: Settings) -> None:
    filled = cluster.configured(shared_cluster)
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


def test_role_settings_bound_what_a_session_may_take(shared_cluster: Settings) -> None:
    filled = cluster.configured(shared_cluster)
    names = ("statement_timeout", "idle_in_transaction_session_timeout", "search_path")
    with session(filled.master_reader) as reader:
        assert [value(reader, f"show {name}") for name in names] == ["8s", "30s", "public, pg_temp"]
        assert value(reader, "show default_transaction_read_only") == "on"
        assert value(reader, "show temp_file_limit") == "1GB"
    with session(filled.master) as writer:
        assert [value(writer, f"show {name}") for name in names] == ["10s", "15s", "public, pg_temp"]
        assert value(writer, "show lock_timeout") == "3s"


@pytest.mark.parametrize("node", ["master", "replica"])
def test_servers_run_with_the_settings_that_keep_data(shared_cluster: Settings, node: str) -> None:
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
    with session(
        cluster.superuser(shared_cluster) if node == "master" else superuser_on_replica(shared_cluster)
    ) as connection:
        assert {name: value(connection, f"show {name}") for name in expected} == expected
        assert value(connection, "select lower('ÀÉ')") == "àé"


def test_replica_refuses_writes_whoever_asks(shared_cluster: Settings) -> None:
    with session(superuser_on_replica(shared_cluster)) as replica, pytest.raises(psycopg2.Error) as refused:
        run(replica, "insert into public.note values (8, 'x')")
    assert refused.value.pgcode == "25006"


def test_the_physical_slot_is_the_only_slot_and_is_streamed(shared_cluster: Settings) -> None:
    cluster.up(shared_cluster)
    with session(cluster.superuser(shared_cluster)) as master:
        slots = "select slot_name, slot_type, active, wal_status from pg_replication_slots"
        wait_until(lambda: run(master, slots) == [("replica", "physical", True, "reserved")])
        assert run(master, "select application_name, usename, state from pg_stat_replication") == [
            ("replica", "workbench_replica", "streaming")
        ]


def test_passwords_are_nowhere_but_in_their_two_files(shared_cluster: Settings) -> None:
    folder = shared_cluster.workbench_data_dir
    secrets = secrets_of((folder / "passwords.env").read_text())
    assert len(secrets) == 6 and all(len(secret) >= 32 for secret in secrets)
    seen = []
    for path in folder.rglob("*"):
        if path.is_file() and any(secret.encode() in path.read_bytes() for secret in secrets):
            seen.append(path.name)
    assert sorted(seen) == ["passwords.env", "pgpass"]
    for node in ("master", "replica"):
        server = postmaster(shared_cluster, node)
        for process in (server, *server.children(recursive=True)):
            shown = " ".join(process.cmdline()) + str(process.environ())
            assert not any(secret in shown for secret in secrets)
    assert not any(secret in repr(cluster.configured(shared_cluster)) for secret in secrets)
