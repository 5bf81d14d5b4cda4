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
from workbench.accounts.actor import os_user
from workbench.config import Settings
from workbench.connection import Workbench
from workbench.dashboards.reports_page import ReportsPage
from workbench.errors import ReportError
from workbench.reports import library
from workbench.reports.library import reports_folder

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
    listed = command(report_settings, tmp_path, "daily_sales", "--history", "--json")
    newest = json.loads(listed.stdout)[0]
    assert (newest["report"], newest["state"], newest["by"]) == ("daily_sales", "done", os_user())
    assert newest["values"] == told["parameters"]
    assert "Done in" in command(report_settings, tmp_path, "--history").stdout
    page = (tmp_path / "daily_sales.html").read_text()
    assert "<title>Daily sales by store</title>" in page
    assert [path.name for path in tmp_path.iterdir()] == ["daily_sales.html"]


def test_a_report_of_ones_own_is_run_by_its_path_and_from_its_folder(report_settings: Settings, tmp_path: Path) -> None:
    text = (reports_folder() / "reconciliation.ipynb").read_text()
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "mine.ipynb").write_text(text)
    done = command(report_settings, tmp_path, "./own/mine.ipynb")
    assert done.returncode == 0, done.stderr
    assert "<title>" in (tmp_path / "mine.html").read_text()
    listed = command(report_settings, tmp_path, WORKBENCH_REPORTS_DIR=str(tmp_path / "own"))
    assert "mine: " in listed.stdout
    refused = command(report_settings, tmp_path / "own", "mine.ipynb", "--format", "ipynb")
    assert refused.returncode == 1 and "is the report itself" in refused.stderr
    assert (tmp_path / "own" / "mine.ipynb").read_text() == text
    gone = command(report_settings, tmp_path, "./gone.ipynb")
    assert gone.returncode == 1 and "gone.ipynb cannot be read: No such file or directory." in gone.stderr


def test_a_pdf_is_printed_also_where_the_history_cannot_be_written(report_settings: Settings, tmp_path: Path) -> None:
    target = tmp_path / "out.pdf"
    arguments = ("reconciliation", "--output", str(target))  # the name decides
    done = command(report_settings, tmp_path, *arguments, WORKBENCH_DATA_DIR="/proc/none")
    assert done.returncode == 0, done.stderr
    assert "The history of runs cannot be kept in /proc/none/report-runs" in done.stderr
    assert target.read_bytes().startswith(b"%PDF-")


def test_a_schedule_is_made_listed_run_when_due_and_removed(report_settings: Settings, tmp_path: Path) -> None:
    data = {"WORKBENCH_DATA_DIR": str(tmp_path / "data")}

    def report(*arguments: str) -> subprocess.CompletedProcess[str]:
        return command(report_settings, tmp_path, *arguments, **data)

    place, month = ["--output", "."], ["-p", "month=2026-10"]
    limit = "--timeout", "240"
    made = report("reconciliation", *month, "-p", "as_of=last of last month", "--every", "day-00:00", *place, *limit)
    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith("Made reconciliation-1, due first on 20")
    assert report("--due").stdout == "Nothing is due.\n"
    file = tmp_path / "data" / "report-schedules" / "reconciliation-1.json"
    schedule = json.loads(file.read_text())
    file.write_text(json.dumps(schedule | {"done_until": "2026-01-01T00:00:00Z"}))
    ran = report("--due")
    assert ran.returncode == 0, ran.stderr
    assert "reconciliation-1: Done in" in ran.stdout and f"Written to {tmp_path}/reconciliation-20" in ran.stdout
    assert len(list(tmp_path.glob("reconciliation-*.html"))) == 1
    assert [each["name"] for each in json.loads(report("--schedules", "--json").stdout)] == ["reconciliation-1"]
    assert "240 s" in report("--schedules").stdout
    file.write_text(json.dumps(schedule | {"done_until": "2026-01-01T00:00:00Z", "report": "gone"}))
    failed = report("--due")
    assert (failed.returncode, failed.stderr) == (1, "workbench: reconciliation-1 did not become a report.\n")
    assert report("--unschedule", "reconciliation-1").stdout == "Removed reconciliation-1.\n"
    assert "There is no schedule." in report("--schedules").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--every", "day-07:00"], "--every needs the name of a report, and --mail needs --every."),
        (["reconciliation", "--mail", "ann@example.com"], "--every needs the name of a report"),
        (["reconciliation", "--every", "tomorrow"], "--every 'tomorrow' cannot be used: give day-07:00"),
        (
            ["reconciliation", "-p", "month=last year", "--every", "day-07:00"],
            "month='last year' is more than one month",
        ),
        (["reconciliation", "--every", "day-07:00", "--mail", "ann"], "--mail: 'ann' is no address such as"),
        (["reconciliation", "--every", "day-07:00", "--mail", "a@b.c"], "WORKBENCH_SMTP_HOST and WORKBENCH_SMTP_FROM"),
        (["./mine.ipynb", "--every", "day-07:00"], "put it into the folder of WORKBENCH_REPORTS_DIR"),
        (["--unschedule", "x"], "There is no schedule 'x'. There are none."),
    ],
)
def test_what_makes_no_schedule_is_said(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WORKBENCH_DATA_DIR", str(tmp_path))
    refused = CliRunner().invoke(cli.app, ["report", *arguments])
    assert said in str(refused.exception)


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
        (
            ["daily_sales", "-p", "month=soon"],
            "month='soon' cannot be used: give a month from 2000 to 2099, as 2026-10 or last month.",
        ),
        (
            ["daily_sales", "-p", "store_id=-3"],
            "store_id='-3' cannot be used: give a whole number from 1 to 999,999,999, or",
        ),
        (["product_performance", "-p", "top=-3"], "top='-3' cannot be used: give a whole number from 1 to 100."),
        (["daily_sales", "--format", "pdf", "--output", "x.html"], "--format pdf and --output x.html do not fit:"),
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


def test_a_bad_draft_is_said_beside_the_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "daily_sales.ipynb").write_text((library.reports_folder() / "daily_sales.ipynb").read_text())
    (tmp_path / "draft.ipynb").write_text("{")
    monkeypatch.setattr(library, "reports_folder", lambda: tmp_path)
    done = CliRunner().invoke(cli.app, ["report"], catch_exceptions=False)
    assert done.exit_code == 0
    assert done.stdout.startswith("daily_sales: Daily sales by store")
    assert done.stderr.startswith("draft.ipynb is no notebook that can be run: ")


def test_a_bad_draft_leaves_the_page_its_other_reports(
    workbench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("daily_sales", "daily_copy"):
        (tmp_path / f"{name}.ipynb").write_text((library.reports_folder() / "daily_sales.ipynb").read_text())
    (tmp_path / "draft.ipynb").write_text("{")
    monkeypatch.setattr(library, "reports_folder", lambda: tmp_path)
    page = ReportsPage(workbench)
    assert page._pick.options == ["Daily sales by store (daily_copy)", "Daily sales by store (daily_sales)"]
    assert "draft.ipynb is no notebook that can be run" in page._problems.object
    for path in tmp_path.glob("daily_*"):
        path.unlink()
    empty = ReportsPage(workbench)
    assert empty._start.disabled
    assert "There is no report" in empty._about.object
