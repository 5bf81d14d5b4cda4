"""A disk that is really full, of servers, reports and files: words that say which, and nothing is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from tests.conftest import free_ports, wait_until
from tests.examples import sale
from workbench.config import Settings
from workbench.connection import connect
from workbench.database.engines import connect as connect_engines
from workbench.errors import DiskFull, WorkbenchError
from workbench.migrations import migrate
from workbench.reports.history import History
from workbench.sample import load
from workbench.servers import cluster
from workbench.servers.disk import write_whole

SMALL, LARGE = "100m", "420m"


@pytest.fixture(scope="module")
def disk() -> Iterator[Path]:
    """A small disk of its own."""
    folder = Path(tempfile.mkdtemp(prefix="full-disk-"))
    command = ["mount", "-t", "tmpfs", "-o", f"size={SMALL},mode=755", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True)
    if mounted.returncode != 0:
        folder.rmdir()
        pytest.skip(f"no disk can be mounted here, which takes root's rights: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
    folder.rmdir()


@pytest.fixture(scope="module")
def base(disk: Path) -> Iterator[Settings]:
    """Settings for a pair on that disk."""
    master, replica = free_ports(2)
    settings = Settings(
        _env_file=None, workbench_data_dir=disk / "data", master_db_port=master, replica_db_port=replica
    )
    yield settings
    cluster.down(settings)


@contextmanager
def filled(disk: Path) -> Iterator[None]:
    """Nothing is left on the disk."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"\0" * 65536)
    try:
        assert shutil.disk_usage(disk).free < 65536
        yield
    finally:
        ballast.unlink()


def test_a_first_start_without_space_is_said_and_goes_on_when_there_is_some(disk: Path, base: Settings) -> None:
    with pytest.raises(DiskFull, match=f"The disk of {base.workbench_data_dir} has no space"):
        cluster.up(base)
    subprocess.run(["mount", "-o", f"remount,size={LARGE}", str(disk)], check=True)
    engines = connect_engines(cluster.up(base))
    migrate(engines)
    engines.dispose()


def test_what_cannot_be_saved_is_said_and_what_was_saved_stays(disk: Path, base: Settings) -> None:
    workbench = connect(cluster.up(base))
    sales = workbench.sales()
    sales.create(sale(), uuid4())
    acknowledged = 1
    with filled(disk):
        with pytest.raises(DiskFull, match="The master's disk is full"):
            load(workbench.engines, 20_000)
        refused: list[WorkbenchError] = []
        for _ in range(2000):  # until no page and no WAL of the last files has room
            try:
                sales.create(sale(), uuid4())
                acknowledged += 1
            except WorkbenchError as error:
                refused.append(error)
                break
        assert refused, "the disk was not full"
        assert "\n" not in str(refused[0]) and "INSERT" not in str(refused[0]).upper()
        with suppress(DiskFull):  # perhaps both still run
            cluster.up(base)
    cluster.up(base)
    wait_until(lambda: _count(workbench.engines.master_reader) >= 1, "the master to be back", 60)
    # The last may have been kept although its answer was lost; of the load nothing is there.
    assert acknowledged <= _count(workbench.engines.master_reader) <= acknowledged + 1
    sales.create(sale(), uuid4())
    workbench.close()


def _count(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return int(connection.exec_driver_sql("select count(*) from sales_transaction").scalar_one())


def test_servers_that_stopped_for_want_of_space_say_so_when_they_are_started(disk: Path, base: Settings) -> None:
    cluster.up(base)
    cluster.down(base)
    with filled(disk):
        with pytest.raises(DiskFull, match="has no space"):
            cluster.up(base)
        assert not list(base.workbench_data_dir.glob("kept-*")) and (base.workbench_data_dir / "replica").exists()
    cluster.up(base)


def test_a_file_that_finds_no_space_leaves_the_one_that_was_there(disk: Path) -> None:
    report = disk / "report.html"
    write_whole(report, b"as it was")
    with filled(disk), pytest.raises(OSError, match="No space left"):
        write_whole(report, b"x" * 100_000)
    assert report.read_bytes() == b"as it was"
    assert os.listdir(disk).count("report.html") == 1 and not list(disk.glob(".*.new"))


def test_a_run_that_finds_no_space_for_its_report_or_its_end_says_so(disk: Path) -> None:
    history = History(disk / "report-runs", 30)
    large, small = (history.begin("mine", "Mine", {}, "ann") for _ in range(2))
    with filled(disk):
        with pytest.raises(DiskFull) as full:
            large.done({"html": b"x" * 100_000}, 1, "", None)
        large.end("failed", str(full.value))
        small.end("stopped", "It was stopped.")
        found = [history.find_any(run.entry.id) for run in (large, small)]
    assert [entry and entry.state for entry in found] == ["failed", "stopped"]
    assert found[0] and "has no space for this" in found[0].said


def test_the_command_says_it_in_one_line(disk: Path, base: Settings) -> None:
    command = [shutil.which("workbench", path=os.path.dirname(os.sys.executable)), "up"]
    master, replica = free_ports(2)
    ports = {"MASTER_DB_PORT": str(master), "REPLICA_DB_PORT": str(replica)}
    with filled(disk):
        done = subprocess.run(
            command,
            env={"PATH": os.defpath, "WORKBENCH_DATA_DIR": str(disk / "other"), "HOME": str(disk)} | ports,
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert f"workbench: The disk of {disk / 'other'}" in done.stderr
