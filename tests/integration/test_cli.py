"""The command, run as a user runs it, on servers of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import free_ports, wait_until

COMMAND = Path(sys.executable).with_name("workbench")


class Command:
    """Runs `workbench` with the settings of one throwaway installation."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        master, replica, app = free_ports(3)
        self.port = app
        self.environment = os.environ | {
            "WORKBENCH_DATA_DIR": str(folder / "data"),
            "MASTER_DB_PORT": str(master),
            "REPLICA_DB_PORT": str(replica),
            "WORKBENCH_PORT": str(app),
        }

    def __call__(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [COMMAND, *arguments],
            env=self.environment | environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def ok(self, *arguments: str) -> str:
        done = self(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def workbench_command() -> Iterator[Command]:
    folder = Path(tempfile.mkdtemp(prefix="workbench-cli-"))
    folder.chmod(0o755)
    command = Command(folder)
    yield command
    command("down")
    shutil.rmtree(folder)


def test_status_before_the_first_start_says_what_to_do(workbench_command: Command) -> None:
    found = json.loads(workbench_command.ok("status", "--json"))
    assert found["master"]["state"] == "down"
    assert "workbench up" in found["master"]["note"]
    assert found["risingwave"]["state"] == "not configured"


def test_serve_before_the_first_start_is_one_line_and_fails(workbench_command: Command) -> None:
    done = workbench_command("serve")
    assert done.returncode == 1
    assert "workbench up" in done.stderr
    assert done.stderr.count("\n") == 1


def test_up_twice_then_status_sample_and_down(workbench_command: Command) -> None:
    workbench_command.ok("up")
    workbench_command.ok("up", "--sample", "500")
    found = json.loads(workbench_command.ok("status", "--json"))
    assert (found["master"]["state"], found["replica"]["state"]) == ("up", "up")
    assert found["replica"]["lag_bytes"] >= 0
    assert found["replica"]["lag_seconds"] >= 0
    assert "replica" in workbench_command.ok("status")
    nothing = {"revisions": [], "views": [], "indexes": []}
    assert json.loads(workbench_command.ok("migrate", "--json")) == nothing
    assert workbench_command.ok("migrate") == "The schema is up to date.\n"
    data_dir = str(workbench_command.folder / "data")
    assert found["data_dir"] == data_dir
    assert f"data directory: {data_dir}\n" in workbench_command.ok("status")
    loaded = json.loads(workbench_command.ok("sample", "200", "--json"))
    assert loaded["sales"] == 200
    check_export(workbench_command)
    assert "Stopped: replica, master" in workbench_command.ok("down")
    assert "Nothing was running" in workbench_command.ok("down")
    assert json.loads(workbench_command.ok("status", "--json"))["master"]["state"] == "down"


def check_export(command: Command) -> None:
    """Sales and metrics are written as files; what cannot be is one line, and leaves what was there."""
    said = command.ok("export", "sales.csv")
    lines = (command.folder / "sales.csv").read_text().splitlines()[1:]
    assert f"Wrote {len(lines)} rows to sales.csv" in said
    assert len([line for line in lines if line.endswith(",")]) == 700  # the others take back from one of them
    found = json.loads(
        command.ok("export", "s.parquet", "--metric", "sales", "--by", "store", "-w", "stores=2", "--json")
    )
    assert (found["rows"], found["engine"]) == (1, "replica")
    for wrong, words in {
        ("sales.doc",): "has to end with one of .csv",
        ("sales.csv", "-w", "stores=x"): "The filter stores cannot be 'x'",
        ("sales.csv", "-w", "shop=1"): "There is no filter 'shop'",
        ("sales.csv", "-w", "stores"): "give NAME=VALUE",
        ("sales.csv", "--by", "store"): "--by needs a --metric",
        ("sales.csv", "--metric", "profit"): "There is no metric 'profit'",
        ("nowhere/sales.csv",): "There is no folder nowhere",
    }.items():
        done = command("export", *wrong)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1) and words in done.stderr
    assert sorted(path.name for path in command.folder.glob("*s*.*")) == ["s.parquet", "sales.csv"]


def test_sample_sales_come_among_real_ones_only_when_asked_for_and_go_again(workbench_command: Command) -> None:
    workbench_command.ok("up", "--sample", "500")
    make_real(workbench_command)
    refused = workbench_command("sample", "200")
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "not made up" in refused.stderr and "Give --yes" in refused.stderr
    assert "Loaded 200 sales" in workbench_command.ok("sample", "200", "--yes")
    assert "200 sales and" in workbench_command.ok("undo-sample", "--list")
    assert json.loads(workbench_command.ok("undo-sample", "--json"))["sales"] == 200


def make_real(workbench_command: Command) -> None:
    """A sale that somebody made."""
    code = (
        "from uuid import uuid4; from workbench import connect; from tests.examples import sale;"
        "connect().sales().create(sale(), uuid4())"
    )
    environment = {**workbench_command.environment, "PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run([sys.executable, "-c", code], env=environment, cwd=workbench_command.folder, check=True)


def test_demo_serves_until_ctrl_c_and_leaves_the_servers(workbench_command: Command) -> None:
    process = subprocess.Popen(
        [COMMAND, "demo"],
        env=workbench_command.environment,
        cwd=workbench_command.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        wait_until(lambda: _answers(workbench_command.port), "the app to answer", 90)
        with pytest.raises(urllib.error.HTTPError, match="403"):  # more of it in test_gate
            urllib.request.urlopen(_page(workbench_command.port, "evil.example"), timeout=30)
        taken = workbench_command("serve")
        assert (taken.returncode, "WORKBENCH_PORT" in taken.stderr) == (1, True)
    finally:
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=30)
    assert f"http://127.0.0.1:{workbench_command.port}" in output
    assert "Traceback" not in output
    assert process.returncode == 0
    found = json.loads(workbench_command.ok("status", "--json"))
    assert (found["master"]["state"], found["replica"]["state"]) == ("up", "up")


def _page(port: int, name: str = "127.0.0.1") -> urllib.request.Request:
    return urllib.request.Request(f"http://127.0.0.1:{port}/sales", headers={"Host": f"{name}:{port}"})


def _answers(port: int) -> bool:
    try:
        return urllib.request.urlopen(_page(port), timeout=2).status == 200
    except OSError:
        return False


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        (["sample", "0"], {}, "COUNT"),
        (["sample", "many"], {}, "COUNT"),
        (["nonsense"], {}, "No such command"),
        (["status"], {"MASTER_DB_PORT": "x"}, "MASTER_DB_PORT"),
        (["migrate"], {"MASTER_DB_HOST": "127.0.0.1", "MASTER_DB_PORT": "1"}, "does not answer"),
        (["down"], {"MASTER_DB_HOST": "127.0.0.1"}, "MASTER_DB_HOST"),
    ],
)
def test_wrong_use_is_told_without_a_traceback(
    workbench_command: Command, arguments: list[str], environment: dict[str, str], words: str
) -> None:
    done = workbench_command(*arguments, **environment)
    assert done.returncode != 0
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_every_command_has_help(workbench_command: Command) -> None:
    for name in ("up", "down", "status", "migrate", "serve", "demo", "sample"):
        assert "Usage" in workbench_command.ok(name, "--help")
