"""The command `workbench report`: what it writes, and its errors in one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.ui.conftest import environment
from workbench import cli
from workbench.config import Settings
from workbench.errors import ReportError

ROOT = Path(__file__).parents[2]


def command(settings: Settings, folder: Path, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Runs `workbench report`, in a folder of its own."""
    env = environment(settings) | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path[1:]])} | changes
    program = "from workbench.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, "report", *arguments],
        env=env, cwd=folder, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def test_a_report_is_written_as_one_file(report_settings: Settings, tmp_path: Path) -> None:
    done = command(report_settings, tmp_path, "daily_sales", "-p", "month=2026-10", "-p", "store_id=3", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["parameters"]["store_id"] == 3
    assert told["engine"] == "replica"
    page = (tmp_path / "daily_sales.html").read_text()
    assert "<title>Daily sales by store</title>" in page
    assert [path.name for path in tmp_path.iterdir()] == ["daily_sales.html"]


def test_a_pdf_is_printed(report_settings: Settings, tmp_path: Path) -> None:
    target = tmp_path / "out.pdf"
    done = command(report_settings, tmp_path, "reconciliation", "--format", "pdf", "--output", str(target))
    assert done.returncode == 0, done.stderr
    assert target.read_bytes().startswith(b"%PDF-")


def test_without_chromium_one_line_says_so_before_anything_runs(report_settings: Settings, tmp_path: Path) -> None:
    done = command(report_settings, tmp_path, "reconciliation", "--format", "pdf", PATH=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr == ("workbench: A PDF needs Chromium, which was not found: install it, or choose html.\n")


def test_all_are_listed_with_their_parameters(report_settings: Settings, tmp_path: Path) -> None:
    listed = command(report_settings, tmp_path).stdout
    assert "product_performance: Product performance" in listed
    assert "one of revenue, items_sold, growth" in listed
    found = json.loads(command(report_settings, tmp_path, "--list", "--json").stdout)
    assert [report["name"] for report in found][:2] == ["daily_sales", "month_in_review"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["../daily_sales"], "There is no report '../daily_sales'. There are daily_sales, month_in_review,"),
        (["daily_sales", "-p", "month=soon"], "month='soon' cannot be used: give a month as 2026-10."),
        (["daily_sales", "-p", "when=2026-10"], "The report has no parameter 'when'. It has month, store_id, as_of."),
        (["daily_sales", "-p", "month"], "-p 'month' cannot be used: give NAME=VALUE."),
        (["daily_sales", "--output", "nowhere/x.html"], "There is no folder nowhere to write x.html to."),
    ],
)
def test_what_is_wrong_is_said_before_anything_runs(arguments: list[str], said: str) -> None:
    with pytest.raises(ReportError) as refused:
        CliRunner().invoke(cli.app, ["report", *arguments], catch_exceptions=False)
    assert str(refused.value).startswith(said)
    assert list(Path.cwd().iterdir()) == []


def test_an_error_is_one_line(report_settings: Settings, tmp_path: Path) -> None:
    done = command(report_settings, tmp_path, "daily_sales", "-p", "store_id=99")
    assert done.returncode == 1
    assert done.stderr.startswith("workbench: The report daily_sales failed in cell 4 of 12 (Daily sales by store):")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
