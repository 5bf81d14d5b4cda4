"""The embedded cluster: servers that were killed, starts that were interrupted, a replica that can no longer follow."""

from __future__ import annotations

import shutil
import signal
import subprocess
import threading
from collections.abc import Callable

import pytest

from tests.conftest import wait_until
from tests.integration.scratch_cluster import (
    POSTGRES_USER,
    assert_passwords_work,
    assert_whole,
    kill,
    postmaster,
    run,
    session,
    start_process,
    value,
)
from workbench.config import Server, Settings
from workbench.servers import cluster


def test_killed_master_is_started_again_once_its_last_query_has_ended(shared_cluster: Settings) -> None:
    busy = threading.Thread(target=_query_that_does_not_notice, args=[shared_cluster])
    busy.start()
    with session(cluster.superuser(shared_cluster)) as master:
        query = "select count(*) from pg_stat_activity where query like '%generate_series%' and pid <> pg_backend_pid()"
        wait_until(lambda: value(master, query))
    kill(postmaster(shared_cluster, "master"))
    cluster.up(shared_cluster)
    busy.join()
    assert_whole(shared_cluster)


def _query_that_does_not_notice(settings: Settings) -> None:
    """It never waits, so its backend outlives the postmaster by as long as the query takes."""
    with session(cluster.superuser(settings)) as master:
        run(master, "select count(*) from (select generate_series(1, 20000000)) as numbers")


def test_killed_replica_is_started_again_and_not_rebuilt(shared_cluster: Settings) -> None:
    kill(postmaster(shared_cluster, "replica"))
    said: list[str] = []
    cluster.up(shared_cluster, said.append)
    assert said == ["Starting the replica"]
    assert_whole(shared_cluster)


def test_both_killed_are_started_again(shared_cluster: Settings) -> None:
    kill(postmaster(shared_cluster, "master"))
    kill(postmaster(shared_cluster, "replica"))
    cluster.up(shared_cluster)
    assert_whole(shared_cluster)


def test_pid_file_whose_number_another_program_got_is_stale(shared_cluster: Settings) -> None:
    pid_file = shared_cluster.workbench_data_dir / "master" / "postmaster.pid"
    text = pid_file.read_text()
    cluster.down(shared_cluster)
    # Of the same user: of another one PostgreSQL itself would know that it is no server.
    other = subprocess.Popen(["sleep", "60"], user=POSTGRES_USER)
    try:
        pid_file.write_text(text.replace(text.split()[0], str(other.pid), 1))
        assert cluster.down(shared_cluster) == []
        assert other.poll() is None, "down must not signal a stranger"
        cluster.up(shared_cluster)
        assert_whole(shared_cluster)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_start_that_is_killed_at_any_point_is_completed_by_the_next(no_cluster: Settings) -> None:
    folder = no_cluster.workbench_data_dir
    points: list[tuple[str, Callable[[], object]]] = [
        ("Creating the master", lambda: list(folder.glob("new-*/master/global"))),
        ("Starting the master", (folder / "master" / "postmaster.pid").exists),
        ("Setting up", lambda: True),
        ("Setting up", lambda: _has_roles(no_cluster)),
        ("Creating the replica", lambda: list(folder.glob("new-*/replica/base"))),
        ("Starting the replica", (folder / "replica" / "postmaster.pid").exists),
    ]
    for progress, point in points:
        process = start_process(no_cluster)
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith(progress):
                break
        else:
            pytest.fail(f"it never came to {progress!r}")
        wait_until(point)
        process.kill()
        process.communicate()
    cluster.up(no_cluster)
    assert_whole(no_cluster)
    assert_passwords_work(no_cluster)


def _has_roles(settings: Settings) -> bool:
    superuser = cluster.superuser(settings)
    server = Server(superuser.host, superuser.port, "postgres", superuser.user, superuser.password)
    with session(server) as master:
        wait_until(lambda: value(master, "select count(*) from pg_roles where rolname = 'workbench_cdc'"))
    return True


def test_replica_whose_slot_was_lost_is_rebuilt(shared_cluster: Settings) -> None:
    replica = postmaster(shared_cluster, "replica")
    replica.send_signal(signal.SIGINT)
    wait_until(lambda: not (shared_cluster.workbench_data_dir / "replica" / "postmaster.pid").exists())
    with session(cluster.superuser(shared_cluster)) as master:
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
    cluster.up(shared_cluster, said.append)
    assert said[0].startswith("Rebuilding the replica: its slot on the master was lost")
    assert not any("kept" in line for line in said), "all that it had came from this master"
    assert_whole(shared_cluster)
    with session(cluster.configured(shared_cluster).replica) as connection:
        assert value(connection, "select count(*) from public.note where body = 'missed'") == 5


def test_replica_that_does_not_start_is_rebuilt(shared_cluster: Settings) -> None:
    cluster.down(shared_cluster)
    (shared_cluster.workbench_data_dir / "replica" / "pg_xact" / "0000").unlink()
    shutil.rmtree(shared_cluster.workbench_data_dir / "replica" / "pg_wal")
    said: list[str] = []
    cluster.up(shared_cluster, said.append)
    assert any(line.startswith("Rebuilding the replica: it did not start") for line in said)
    assert_whole(shared_cluster)


def test_replica_that_only_lags_is_not_rebuilt(shared_cluster: Settings) -> None:
    postmaster(shared_cluster, "replica").send_signal(signal.SIGINT)
    wait_until(lambda: not (shared_cluster.workbench_data_dir / "replica" / "postmaster.pid").exists())
    with session(cluster.superuser(shared_cluster)) as master:
        run(
            master,
            "insert into public.note select n, 'while away' from generate_series(1000, 50000) n on conflict do nothing",
        )
    said: list[str] = []
    cluster.up(shared_cluster, said.append)
    assert said == ["Starting the replica"]
    assert_whole(shared_cluster)
