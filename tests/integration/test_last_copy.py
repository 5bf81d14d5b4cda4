"""Nothing of the embedded cluster is deleted that may hold the last copy of the sales; what is damaged is healed."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection

from tests.conftest import wait_until
from tests.integration.scratch_cluster import (
    IS_ROOT,
    assert_passwords_work,
    assert_whole,
    run,
    scratch_settings,
    secrets_of,
    session,
    superuser_on_replica,
    value,
)
from workbench.config import Settings
from workbench.errors import ClusterError
from workbench.servers import cluster
from workbench.servers.cluster import processes
from workbench.servers.cluster.layout import layout_of
from workbench.servers.cluster.node_settings import ROLES
from workbench.servers.cluster.processes import find_programs, start

SALES = 54_024
COUNT = "select count(*) from public.sale"


@pytest.fixture(scope="module")
def pair() -> Iterator[Settings]:
    """A pair with sales; each test leaves it whole, running or not."""
    with scratch_settings() as settings:
        cluster.up(settings)
        with session(cluster.superuser(settings)) as master:
            run(master, f"create table public.sale as select n as sale_id from generate_series(1, {SALES}) as n")
            run(master, "grant select on public.sale to workbench_reader")
        assert_whole(settings)
        yield settings


@pytest.fixture
def folder(pair: Settings) -> Path:
    """The data directory of the pair."""
    return pair.workbench_data_dir


def up(pair: Settings) -> list[str]:
    """Starts the pair; what it said."""
    said: list[str] = []
    cluster.up(pair, said.append)
    return said


def sales(pair: Settings) -> tuple[object, object]:
    """How many sales master and replica have."""
    filled = cluster.configured(pair)
    with session(filled.master_reader) as master, session(filled.replica) as replica:
        return value(master, COUNT), value(replica, COUNT)


def snapshot(folder: Path) -> set[tuple[str, int]]:
    """Every file below, with its size."""
    return {(str(path), path.stat().st_size) for path in folder.rglob("*") if path.is_file()}


def kept(folder: Path) -> list[Path]:
    return sorted(folder.glob("kept-*"))


@contextmanager
def moved_away(path: Path) -> Iterator[Path]:
    """The folder or file is elsewhere, and comes back."""
    away = path.parent.with_name(f"{path.parent.name}-away-{path.name}")
    away.mkdir(mode=0o700)
    path.rename(away / path.name)
    try:
        yield away / path.name
    finally:
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        (away / path.name).rename(path)
        away.rmdir()


# The master's folder is gone, or another one


def refuse(pair: Settings, *words: str) -> None:
    """``up`` refuses with these words, and the replica is as it was."""
    before = snapshot(pair.workbench_data_dir / "replica")
    with pytest.raises(ClusterError) as refused:
        cluster.up(pair)
    for word in words:
        assert word in str(refused.value)
    assert snapshot(pair.workbench_data_dir / "replica") == before


@pytest.mark.parametrize("promoted", [False, True], ids=["standby", "promoted"])
def test_a_lost_master_is_not_made_anew_beside_a_copy(pair: Settings, folder: Path, promoted: bool) -> None:
    cluster.down(pair)
    words = (str(folder / "master"), str(folder / "replica"), "last copy", "workbench down", "standby.signal")
    with moved_away(folder / "master"):
        if promoted:
            (folder / "replica" / "standby.signal").rename(folder / "signal")
        refuse(pair, *words, "is gone")
        (folder / "master").mkdir()
        refuse(pair, *words, "is empty")
        (folder / "master" / "lost+found").mkdir()
        refuse(pair, *words, "no PostgreSQL server")
        if promoted:
            (folder / "signal").rename(folder / "replica" / "standby.signal")
    assert kept(folder) == []


def test_a_lost_master_is_not_made_anew_beside_a_copy_that_was_kept(pair: Settings, folder: Path) -> None:
    cluster.down(pair)
    with moved_away(folder / "master"), moved_away(folder / "replica") as replica:
        replica.rename(folder / "kept-replica-20260102-030405")
        with pytest.raises(ClusterError, match="kept-replica-20260102-030405 may hold the last copy"):
            cluster.up(pair)
        (folder / "kept-replica-20260102-030405").rename(replica)


def test_a_master_that_the_replica_is_no_copy_of_is_refused(pair: Settings, folder: Path) -> None:
    cluster.down(pair)
    layout = layout_of(pair)
    programs = find_programs(layout)
    with moved_away(folder / "master"):
        (folder / "master").mkdir(mode=0o700)
        if layout.user:
            os.chown(folder / "master", layout.user.uid, layout.user.gid)
        programs.run("initdb", "-D", folder / "master", "-U", "postgres", cwd=folder)
        refuse(pair, str(folder / "master"), str(folder / "replica"), "another master", "workbench down")


@pytest.mark.parametrize("promoted", [False, True], ids=["standby", "promoted"])
def test_the_way_on_by_hand_loses_no_sale(pair: Settings, folder: Path, promoted: bool) -> None:
    up(pair)
    with session(superuser_on_replica(pair)) as replica:
        wait_until(lambda: value(replica, COUNT) == SALES)
        if promoted:
            run(replica, "select pg_promote()")
    cluster.down(pair)
    shutil.rmtree(folder / "master")
    refuse(pair, "is gone")
    # As the message says it:
    (folder / "replica").rename(folder / "master")
    (folder / "master" / "standby.signal").unlink(missing_ok=True)
    assert "Creating the replica" in up(pair)
    assert_whole(pair)
    assert sales(pair) == (SALES, SALES)
    assert kept(folder) == []


# A replica that has to make way


def rebuilt_and_kept(pair: Settings, why: str) -> Path:
    """The folder that a rebuild kept, and said so."""
    before = kept(pair.workbench_data_dir)
    said = up(pair)
    assert any(line.startswith(f"Rebuilding the replica: {why}") for line in said), said
    (aside,) = [path for path in kept(pair.workbench_data_dir) if path not in before]
    assert aside.name.startswith("kept-replica-2")
    assert any(str(aside) in line for line in said)
    assert (aside / "PG_VERSION").exists()
    assert_whole(pair)
    return aside


def test_a_promoted_replica_is_kept(pair: Settings, folder: Path) -> None:
    up(pair)
    with session(superuser_on_replica(pair)) as replica:
        run(replica, "select pg_promote()")
        run(replica, "insert into public.sale values (0)")
    aside = rebuilt_and_kept(pair, "it was promoted")
    # What was taken meanwhile can be read there.
    cluster.down(pair)
    with moved_away(folder / "master"), moved_away(folder / "replica"):
        aside.rename(folder / "master")
        up(pair)
        assert sales(pair) == (SALES + 1, SALES + 1)
        cluster.down(pair)


def test_a_replica_whose_slot_is_missing_is_kept(pair: Settings, folder: Path) -> None:
    up(pair)
    with session(cluster.superuser(pair)) as master:
        wait_until(lambda: _drop_slot(master))
    shutil.rmtree(rebuilt_and_kept(pair, "its slot on the master is missing"))


def _drop_slot(master: Connection) -> bool:
    """True once it is dropped: the running replica comes back for it at once."""
    try:
        run(master, "select pg_terminate_backend(active_pid, 5000) from pg_replication_slots")
        run(master, "select pg_drop_replication_slot('replica')")
    except psycopg2.errors.ObjectInUse:
        return False
    return True


def test_a_replica_that_is_ahead_of_its_master_is_kept(pair: Settings, folder: Path) -> None:
    cluster.down(pair)
    backup = folder.with_name(f"{folder.name}-backup")
    shutil.copytree(folder / "master", backup)
    up(pair)
    with session(cluster.superuser(pair)) as master:
        run(master, "insert into public.sale select -n from generate_series(1, 1000) as n")
    assert_whole(pair)
    cluster.down(pair)
    owner = (folder / "master").stat()
    shutil.rmtree(folder / "master")
    backup.rename(folder / "master")
    for path in (folder / "master", *(folder / "master").rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid)
    aside = rebuilt_and_kept(pair, "it is ahead of the master")
    assert sales(pair) == (SALES, SALES)
    shutil.rmtree(aside)


def test_the_old_copy_is_there_until_the_new_one_is_complete(pair: Settings, folder: Path) -> None:
    cluster.down(pair)
    (folder / "replica" / "pg_xact" / "0000").unlink()
    shutil.rmtree(folder / "replica" / "pg_wal")  # it does not start any more
    with nobody_copies(pair):
        with pytest.raises(ClusterError, match="pg_basebackup"):
            cluster.up(pair)
        (old,) = folder.glob("old-replica-*")
        assert (old / "PG_VERSION").exists() and not (folder / "replica").exists()
    assert up(pair) == ["Creating the replica", "Starting the replica"]
    assert not old.exists()
    assert sales(pair) == (SALES, SALES)


@contextmanager
def nobody_copies(pair: Settings) -> Iterator[None]:
    """The master runs, and lets no replica in."""
    layout = layout_of(pair)
    start(find_programs(layout), layout.master)
    login = "alter role workbench_replica {}login"
    with session(cluster.superuser(pair)) as master:
        run(master, login.format("no"))
        try:
            yield
        finally:
            run(master, login.format(""))


# Passwords, programs and folders that were damaged


def damaged_passwords(whole: str) -> dict[str, bytes]:
    """Ways in which a file of passwords is found after a full disk, a crash or an editor."""
    lines = whole.splitlines(keepends=True)
    return {
        "half": whole[: len(whole) // 2].encode(),
        "one line": lines[0].encode(),
        "without the superuser": "".join(lines[1:]).encode(),
        "empty": b"",
        "garbage": bytes(range(256)) * 4,
        "UTF-16": whole.encode("utf-16"),
    }


@pytest.mark.parametrize("damage", ["half", "one line", "without the superuser", "empty", "garbage", "UTF-16", "gone"])
def test_damaged_passwords_are_mended_in_the_file_and_in_the_servers(pair: Settings, folder: Path, damage: str) -> None:
    up(pair)
    file = folder / "passwords.env"
    whole = file.read_text()
    file.unlink() if damage == "gone" else file.write_bytes(damaged_passwords(whole)[damage])
    said = up(pair)
    assert any("assword" in line for line in said), said
    assert not any(secret in line for line in said for secret in secrets_of(file.read_text()))
    assert len(secrets_of(file.read_text())) == len(ROLES)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert_passwords_work(pair)
    assert_whole(pair)
    assert up(pair) == []
    for aside in kept(folder):
        assert aside.name.startswith("kept-passwords.env-") and damage in ("half", "garbage", "UTF-16")
        aside.unlink()


def test_a_superusers_password_of_other_servers_is_refused_with_the_way_out(pair: Settings, folder: Path) -> None:
    up(pair)
    file = folder / "passwords.env"
    kept_text = file.read_text()
    file.write_text(kept_text.replace("POSTGRES_PASSWORD=", "POSTGRES_PASSWORD=not"))
    with pytest.raises(ClusterError, match=r"refuses the password.*or remove it") as refused:
        cluster.up(pair)
    assert not any(secret in str(refused.value) for secret in secrets_of(kept_text))
    file.unlink()
    up(pair)
    assert_passwords_work(pair)


def test_down_stops_what_runs_without_the_passwords(pair: Settings, folder: Path) -> None:
    up(pair)
    with moved_away(folder / "passwords.env"):
        assert cluster.down(pair) == ["replica", "master"]


@pytest.mark.skipif(not IS_ROOT, reason="only root copies PostgreSQL's programs")
def test_missing_and_changed_copies_of_the_programs_are_healed(pair: Settings, folder: Path) -> None:
    cluster.down(pair)
    programs = find_programs(layout_of(pair)).folder
    (programs / "pg_basebackup").unlink()
    (programs / "postgres").write_bytes(b"\0" * 100)
    shutil.rmtree(programs.parent / "share" / "timezone", ignore_errors=True)
    up(pair)
    assert_whole(pair)
    assert (programs / "pg_basebackup").exists()
    assert not list(folder.glob("new-*"))


def test_an_installation_without_all_programs_is_refused_with_the_way_out(
    pair: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "NEEDED", (*processes.NEEDED, "a program that this wheel lacks"))
    with pytest.raises(ClusterError, match="not whole. Install the project's requirements again"):
        find_programs(layout_of(pair))


def test_folders_that_others_may_read_are_closed(pair: Settings, folder: Path) -> None:
    cluster.down(pair)
    for name in ("", "master", "replica"):
        (folder / name).chmod(0o755)
    up(pair)
    assert {stat.S_IMODE((folder / name).stat().st_mode) for name in ("", "master", "replica")} == {0o700}
    assert_whole(pair)


@pytest.mark.skipif(not IS_ROOT, reason="only root gives files to others")
def test_a_folder_of_another_user_is_refused_with_the_command_that_gives_it_back(pair: Settings, folder: Path) -> None:
    cluster.down(pair)
    owner = (folder / "master").stat().st_uid
    os.chown(folder / "master", 0, 0)
    with pytest.raises(ClusterError, match=rf"chown -R {owner} {folder / 'master'}"):
        cluster.up(pair)
    os.chown(folder / "master", owner, -1)


def test_a_folder_of_another_postgresql_is_refused_by_name(pair: Settings, folder: Path) -> None:
    cluster.down(pair)
    version = folder / "master" / "PG_VERSION"
    ours = version.read_text()
    version.write_text("17\n")
    refuse(pair, str(folder / "master"), "PostgreSQL 17", f"PostgreSQL {ours.strip()}", "WORKBENCH_DATA_DIR", "pg_dump")
    version.write_text(ours)
