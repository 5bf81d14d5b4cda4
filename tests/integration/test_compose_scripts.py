"""The scripts that start master and replica in Docker: first start, restart, kill, lost slot, interrupted copy."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg2
import pytest

from tests.conftest import free_ports, wait_until
from tests.integration.compose_nodes import PASSWORDS, SCRIPTS, Node, make_nodes
from workbench.config import Settings
from workbench.servers.cluster.layout import layout_of, prepare
from workbench.servers.cluster.processes import find_programs

STREAMS = "select count(*) from pg_stat_replication where state = 'streaming'"
SLOT = "select restart_lsn is not null from pg_replication_slots where slot_name = 'replica'"


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Node, Node]]:
    """A running master and replica; each test leaves them running and whole."""
    folder = Path(tempfile.mkdtemp(prefix="compose-test-"))
    folder.chmod(0o755)
    layout = layout_of(Settings(_env_file=None, workbench_data_dir=folder / "programs"))
    prepare(layout)
    if layout.user:
        layout.data_dir.chmod(0o755)
    nodes = folder / "nodes"
    nodes.mkdir(mode=0o755)
    master, replica = make_nodes(nodes, find_programs(layout).folder, layout.user)
    master.start()
    replica.start()  # both at once, as after a reboot: the replica waits
    try:
        master.ready()
        replica.ready()
        master.own("create table note (note_id bigint generated always as identity primary key, body text)")
        master.own("grant select on note to workbench_reader")
        yield master, replica
    finally:
        replica.kill()
        master.kill()
        shutil.rmtree(folder)


@pytest.fixture
def master(pair: tuple[Node, Node]) -> Node:
    return pair[0]


@pytest.fixture
def replica(pair: tuple[Node, Node]) -> Node:
    return pair[1]


def follows(master: Node, replica: Node) -> None:
    """What is written to the master arrives on a replica that cannot be written to, by the slot."""
    number = master.own("insert into note (body) values ('x') returning note_id")
    wait_until(
        lambda: replica.answers(f"select exists (select from note where note_id = {number})"),
        f"note {number} on the replica:\n{replica.log[-3000:]}",
        60,
    )
    assert replica.ask("select pg_is_in_recovery()") is True
    assert master.ask("select active from pg_replication_slots where slot_name = 'replica'") is True


def test_first_start_makes_a_master_and_a_replica_that_follows(master: Node, replica: Node) -> None:
    follows(master, replica)
    assert "Waiting for the master" in replica.log
    assert master.ask("show wal_level") == "logical"
    assert master.ask("show data_checksums") == "on"
    for node in (master, replica):
        assert (node.pgdata.stat().st_mode & 0o777) == 0o700


def test_nobody_signs_in_without_the_right_password(master: Node, replica: Node) -> None:
    for node in (master, replica):
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            node.ask("select 1", password="wrong")
        with pytest.raises(psycopg2.OperationalError, match="rejects connection"):
            psycopg2.connect(host="127.0.0.1", port=node.port, dbname="sales", user="postgres", password="x")
    methods = "select string_agg(distinct auth_method, ' ') from pg_hba_file_rules"
    assert master.ask(methods, "postgres") == "reject scram-sha-256"
    assert master.ask("select count(*) from pg_roles where rolsuper and rolname <> 'postgres'") == 0


def test_passwords_are_in_no_log_and_no_setting(master: Node, replica: Node) -> None:
    for node in (master, replica):
        written = "".join(p.read_text() for p in node.pgdata.glob("*.conf"))
        for password in PASSWORDS.values():
            assert password not in node.log + written
    assert PASSWORDS["MASTER_DB_REPLICATION_PASSWORD"] not in str(replica.ask("show primary_conninfo", "postgres"))
    assert ((replica.data / "pgpass").stat().st_mode & 0o777) == 0o600


def test_both_stop_when_asked_and_come_back_with_what_they_had(master: Node, replica: Node) -> None:
    follows(master, replica)
    notes = master.ask("select count(*) from note")
    assert replica.stop() == 0
    assert master.stop() == 0
    replica.start()
    master.start()
    master.ready()
    replica.ready()
    assert master.ask("select count(*) from note") == notes
    follows(master, replica)
    assert master.log.count("Creating ") == 1
    assert replica.log.count("Copying the master") == 1


def test_a_replica_restarts_and_answers_while_the_master_is_away(master: Node, replica: Node) -> None:
    master.stop()
    replica.stop()
    replica.start()
    replica.ready()
    assert replica.ask("select count(*) from note") > 0
    master.start()
    master.ready()
    follows(master, replica)


@pytest.mark.parametrize("name", ["master", "replica"])
def test_killed_it_comes_back_although_its_lock_files_name_a_live_process(
    pair: tuple[Node, Node], name: str, master: Node, replica: Node
) -> None:
    node = next(n for n in pair if n.name == name)
    copies = replica.log.count("Copying the master")
    node.kill()
    with node.bystander() as other:
        for path in (node.pgdata / "postmaster.pid", node.sockets / f".s.PGSQL.{node.port}.lock"):
            path.write_text("\n".join([str(other.pid), *path.read_text().splitlines()[1:]]) + "\n")
        node.start()
        node.ready()
        other.kill()
    follows(master, replica)
    assert replica.log.count("Copying the master") == copies


def test_the_container_of_a_replica_whose_server_dies_ends_so_that_docker_starts_it_again(
    master: Node, replica: Node
) -> None:
    pid = int((replica.pgdata / "postmaster.pid").read_text().splitlines()[0])
    psutil.Process(pid).kill()
    wait_until(replica.has_ended, "the end of the script")
    assert "The server has ended by itself" in replica.log
    replica.kill()
    replica.start()
    wait_until(lambda: replica.has_ended() or replica.answers(), "the replica", 60)
    follows(master, replica)


def lose_slot(master: Node) -> None:
    """Writes more WAL than the slot may keep, while nobody reads it."""
    master.ask("alter system set max_slot_wal_keep_size = '1MB'", "postgres")
    master.ask("select pg_reload_conf()", "postgres")
    status = "select wal_status from pg_replication_slots where slot_name = 'replica'"

    def is_lost() -> bool:
        master.own("insert into note (body) select repeat('x', 1000) from generate_series(1, 2000)")
        master.ask("select pg_switch_wal()", "postgres")
        master.ask("checkpoint", "postgres")
        return master.ask(status) == "lost"

    wait_until(is_lost, "the loss of the slot", 60)
    master.ask("alter system reset max_slot_wal_keep_size", "postgres")
    master.ask("select pg_reload_conf()", "postgres")


def test_a_replica_that_was_away_too_long_copies_the_master_anew(master: Node, replica: Node) -> None:
    replica.stop()
    lose_slot(master)
    replica.start()
    replica.ready()
    follows(master, replica)
    assert "its slot on the master was lost" in replica.log
    assert master.ask(SLOT) is True
    assert not [p for p in replica.data.iterdir() if p.name.startswith("kept-")]  # an old copy is worth nothing


def test_a_running_replica_notices_that_its_slot_is_gone(master: Node, replica: Node) -> None:
    ended = "select pg_terminate_backend(active_pid, 5000) from pg_replication_slots where slot_name = 'replica'"

    def is_dropped() -> bool:  # the replica tries to come back at once
        master.ask(ended, "postgres")
        try:
            master.ask("select pg_drop_replication_slot('replica')", "postgres")
        except psycopg2.Error:
            return False
        return True

    wait_until(is_dropped, "the end of the slot")
    wait_until(lambda: "its slot on the master is missing" in replica.log, "the replica's notice", 60)
    wait_until(lambda: replica.answers() and master.ask(SLOT) is True, "the new copy", 60)
    follows(master, replica)


def test_an_interrupted_copy_is_begun_anew_and_the_old_one_is_there_until_then(master: Node, replica: Node) -> None:
    replica.stop()
    lose_slot(master)
    master.own("insert into note (body) select repeat(md5(n::text), 200) from generate_series(1, 20000) n")
    replica.start()
    wait_until(lambda: (replica.data / "new" / "base").exists(), "the copy's beginning", 60)
    replica.kill()
    assert not replica.pgdata.exists()
    (old,) = replica.data.glob("old-replica-*")
    assert (old / "PG_VERSION").exists()
    replica.start()
    replica.ready()
    follows(master, replica)
    assert not (replica.data / "new").exists() and not old.exists()


def test_without_standby_signal_it_copies_and_never_starts_as_a_second_master(master: Node, replica: Node) -> None:
    replica.stop()
    (replica.pgdata / "standby.signal").unlink()
    replica.start()
    replica.ready()
    follows(master, replica)
    assert "it is no standby" in replica.log


def test_a_promoted_replica_takes_writes_and_keeps_them_when_it_starts_again(master: Node, replica: Node) -> None:
    follows(master, replica)
    assert replica.ask("select pg_promote()", "postgres") is True
    replica.own("insert into note (body) values ('only here')")
    wait_until(lambda: "was promoted" in replica.log, "the notice")
    assert replica.own("select count(*) from note where body = 'only here'") == 1  # and went on serving
    replica.stop()
    replica.start()
    replica.ready()
    follows(master, replica)
    assert replica.ask("select count(*) from note where body = 'only here'") == 0
    kept = max(replica.data.glob("kept-replica-*"))
    assert (kept / "PG_VERSION").exists()
    assert str(kept) in replica.log
    shutil.rmtree(kept)


def test_a_promoted_replica_waits_for_the_master_and_touches_nothing_meanwhile(master: Node, replica: Node) -> None:
    assert replica.ask("select pg_promote()", "postgres") is True
    replica.own("insert into note (body) values ('still here')")
    master.stop()
    replica.kill()
    waits = replica.log.count("Waiting for the master")
    replica.start()
    wait_until(lambda: replica.log.count("Waiting for the master") > waits, "the replica to wait")
    assert not replica.answers()
    assert replica.pgdata.exists()
    master.start()
    master.ready()
    replica.ready()
    follows(master, replica)
    for kept in replica.data.glob("kept-*"):
        shutil.rmtree(kept)


def test_the_slot_of_cdc_is_on_the_replica_too_so_that_it_survives_a_promotion(master: Node, replica: Node) -> None:
    made = "select slot_name from pg_create_logical_replication_slot('cdc', 'pgoutput', failover => true)"
    assert master.ask(made, "workbench_cdc", "cdc's") == "cdc"
    synced = (
        "select coalesce(bool_or(synced and not temporary), false) from pg_replication_slots where slot_name = 'cdc'"
    )

    def is_synced() -> bool:  # once its reader has moved on
        master.own("insert into note (body) values ('go on')")
        master.ask("select pg_log_standby_snapshot()", "postgres")
        master.ask("select pg_replication_slot_advance('cdc', pg_current_wal_lsn())::text", "workbench_cdc", "cdc's")
        return replica.answers(synced)

    wait_until(is_synced, "the slot on the replica", 90)
    master.ask("select pg_drop_replication_slot('cdc')", "workbench_cdc", "cdc's")


def test_a_changed_password_takes_effect_when_the_master_starts(master: Node) -> None:
    master.stop()
    master.start(REPLICA_DB_PASSWORD="changed")
    wait_until(lambda: master.has_ended() or "ready to accept" in master.log.rsplit("Starting", 1)[1], "the master")
    wait_until(lambda: _can(master, "changed"), "the new password", 60)
    assert not _can(master, "reader's")
    master.stop()
    master.start()
    master.ready()


def _can(node: Node, password: str) -> bool:
    try:
        return node.ask("select true", password=password) is True
    except psycopg2.Error:
        return False


def test_a_wrong_replication_password_is_said_and_nothing_is_lost(master: Node, replica: Node) -> None:
    replica.stop()
    replica.start(MASTER_DB_REPLICATION_PASSWORD="wrong")
    replica.ready()  # what it has can be read
    wait_until(lambda: "password authentication failed" in replica.log, "the reason in the log")
    replica.stop()
    replica.start()
    replica.ready()
    follows(master, replica)


@pytest.mark.parametrize("missing", sorted(PASSWORDS))
def test_an_empty_password_is_refused_by_name(master: Node, missing: str) -> None:
    other = Node("master", master.folder, master.programs, master.user, master.port, master.environment)
    other.start(DATA=str(master.folder / "elsewhere"), **{missing: ""})
    assert other.process is not None
    assert other.process.wait(30) == 1
    assert f"{missing} is empty. Run `make env`" in master.log


def test_the_health_check_of_risingwave_asks_a_query_in_its_protocol(master: Node) -> None:
    script = SCRIPTS.parent / "risingwave" / "healthy.sh"
    rules = master.folder / "scripts" / "pg_hba.conf"
    as_it_was = rules.read_text()
    master.ask("create role root login", "postgres")
    master.ask("create database dev owner root", "postgres")

    def is_healthy(port: int = master.port) -> bool:
        return subprocess.run(["bash", str(script), str(port)], capture_output=True, timeout=30).returncode == 0

    for method, expected in (("reject", False), ("trust", True), ("reject", False), ("scram-sha-256", True)):
        rules.write_text(f"host dev root all {method}\n{as_it_was}")
        master.ask("select pg_reload_conf()", "postgres")
        wait_until(lambda wanted=expected: is_healthy() is wanted, f"health {expected} with {method}")
    assert not is_healthy(free_ports(1)[0])
    rules.write_text(as_it_was)
    master.ask("select pg_reload_conf()", "postgres")
    master.ask("drop database dev", "postgres")
    master.ask("drop role root", "postgres")


@pytest.mark.parametrize("state", ["another version", "no server", "open to others"])
def test_a_folder_that_cannot_be_used_is_refused_in_words_or_healed(master: Node, state: str) -> None:
    master.stop()
    version = master.pgdata / "PG_VERSION"
    ours = version.read_text()
    if state == "another version":
        version.write_text("9\n")
    elif state == "no server":
        version.rename(master.data / "PG_VERSION")
    else:
        master.pgdata.chmod(0o755)
    master.start()
    if state != "open to others":
        assert master.process is not None and master.process.wait(30) == 1
        words = {"another version": "was made by PostgreSQL 9", "no server": "holds files, but no PostgreSQL server"}
        assert words[state] in master.log
        (master.data / "PG_VERSION").rename(version) if state == "no server" else version.write_text(ours)
        master.start()
    master.ready()


def test_a_copy_of_another_master_is_never_taken_away_and_can_become_the_master(master: Node, replica: Node) -> None:
    """A master whose volume was lost begins anew, empty: what the replica has may be the last copy of the sales."""
    follows(master, replica)
    master.stop()
    old = master.pgdata.rename(master.data / "lost")
    master.start()
    master.ready()
    wait_until(replica.has_ended, "the replica to refuse", 60)
    for _ in range(2):  # as often as Docker starts it again
        assert "holds the sales of another master" in replica.log[-3000:]
        assert (replica.pgdata / "standby.signal").exists() and not list(replica.data.glob("kept-replica-*"))
        replica.start()
        wait_until(replica.has_ended, "the replica to refuse again", 60)
    master.stop()
    master.pgdata.rename(master.data / "empty-master")  # the way of docs/full-stack.md
    shutil.copytree(replica.pgdata, master.pgdata, symlinks=True)
    (master.pgdata / "standby.signal").unlink()
    give(master.pgdata, replica.pgdata)
    replica.pgdata.rename(replica.data / "kept-replica-by-hand")
    master.start()
    master.ready()
    replica.start()
    replica.ready()
    assert master.own("select count(*) from note") > 0
    follows(master, replica)
    shutil.rmtree(old)


def give(folder: Path, like: Path) -> None:
    """The folder, and all in it, gets the owner of another."""
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, like.stat().st_uid, like.stat().st_gid)
