"""The reports' numbers are the committed ones; and a number that changes is noticed."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path

from tests.examples import sale
from workbench.config import Settings
from workbench.connection import connect
from workbench.database.positions import wait_for_replica
from workbench.reports.library import reports_folder
from workbench.reports.run import environment

ROOT = Path(__file__).parents[2]


def nbval(settings: Settings, folder: Path, *notebooks: Path) -> subprocess.CompletedProcess[str]:
    """Runs the notebooks as the reader and compares their outputs with those that they hold."""
    folder.chmod(0o755)
    env = environment(settings, folder) | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path[1:]])}
    options = ["--nbval", "--nbval-sanitize-with", str(ROOT / "tests" / "notebooks" / "sanitize.cfg")]
    options += ["-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(folder), "-q"]
    command = [sys.executable, "-m", "pytest", *options, *map(str, notebooks)]
    return subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, timeout=250)


def test_every_report_has_its_committed_numbers(report_settings: Settings, tmp_path: Path) -> None:
    done = nbval(report_settings, tmp_path, *sorted(reports_folder().glob("*.ipynb")))
    assert done.returncode == 0, done.stdout[-6000:]


def test_a_sale_that_was_added_is_noticed(report_settings: Settings, tmp_path: Path) -> None:
    workbench = connect(report_settings)
    sales = workbench.sales()
    made = sales.create(sale(transaction_time="2026-10-31 12:00"), uuid.uuid4())
    try:
        assert wait_for_replica(workbench.engines)
        done = nbval(report_settings, tmp_path, reports_folder() / "daily_sales.ipynb")
    finally:
        sales.delete(made.transaction_id, made.version, uuid.uuid4(), "rung up twice")
        assert wait_for_replica(workbench.engines)
        workbench.close()
    assert done.returncode == 1, done.stdout[-4000:]
    assert "mismatch 'text/" in done.stdout


def test_a_figure_that_only_a_chart_shows_is_noticed(report_settings: Settings, tmp_path: Path) -> None:
    """The course of the month, added up, is in no table."""
    notebook = tmp_path / "month_in_review.ipynb"
    text = (reports_folder() / notebook.name).read_text()
    assert text.count(".cumsum()") == 1
    notebook.write_text(text.replace(".cumsum()", ".cumsum() + 1"))
    done = nbval(report_settings, tmp_path, notebook)
    assert done.returncode == 1, done.stdout[-4000:]
    assert done.stdout.count("mismatch 'text/") == 1
