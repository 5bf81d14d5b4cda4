"""The history of runs: who sees it, what becomes of it when a process dies, and what is kept how long."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from workbench.accounts.actor import Actor
from workbench.errors import ReportError, ReportGone
from workbench.reports.history import ENTRY_DAYS, Entry, History

ADMIN, ANN = Actor("root", "admin"), Actor("ann", "viewer")
VALUES = {"month": "2026-10", "store_id": 3, "category": None}
BEGINS = """
import sys
from pathlib import Path
from workbench.reports.history import History
recording = History(Path(sys.argv[1]), 30).begin("daily_sales", "Daily sales", {}, "ann")
print(recording.entry.id, flush=True)
sys.stdin.read()
recording.end("stopped")
"""


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "report-runs", 30)


def done(history: History, by: str = "ann", schedule: str = "") -> Entry:
    """A run that made something."""
    recording = history.begin("daily_sales", "Daily sales", VALUES, by, schedule)
    recording.done({"html": b"<p>1</p>", "ipynb": b"{}"}, 3.2, "replica", recording.entry.began_at)
    return recording.entry


def test_what_ended_is_found_again_newest_first_with_what_it_made(history: History) -> None:
    first = done(history)
    second = history.begin("reconciliation", "Reconciliation", {}, "ann")
    second.end("failed", "There is no sale.", 1.5)
    later = History(history.folder, 30)  # of another process
    newest, oldest = later.entries(ANN)
    assert (newest.state, newest.said, newest.seconds) == ("failed", "There is no sale.", 1.5)
    assert (oldest.state, oldest.values, oldest.engine) == ("done", VALUES, "replica")
    assert later.content(first, "html") == b"<p>1</p>"
    assert [path.suffix for path in sorted(history.folder.iterdir())] == [".html", ".ipynb", ".json", ".json"]
    assert history.folder.stat().st_mode & 0o077 == 0  # others of the machine may not read it


def test_each_sees_their_own_runs_and_those_of_schedules(history: History) -> None:
    own, others, scheduled = done(history), done(history, "bob"), done(history, "root", "daily_sales-1")
    assert {entry.id for entry in history.entries(ANN)} == {own.id, scheduled.id}
    assert {entry.id for entry in history.entries(ADMIN)} == {own.id, others.id, scheduled.id}
    assert history.find(others.id, ANN) is None
    assert history.find(own.id, ANN) == own
    for made_up in ("../passwords", "x", f"../report-runs/{own.id}"):
        assert history.find(made_up, ADMIN) is None


def begun_elsewhere(history: History) -> tuple[subprocess.Popen[str], str]:
    """A process that runs a report, and the run's id."""
    process = subprocess.Popen(
        [sys.executable, "-c", BEGINS, str(history.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


@pytest.mark.parametrize("end", ["killed", "ended"])
def test_a_run_is_running_as_long_as_its_process_is_there(history: History, end: str) -> None:
    process, run_id = begun_elsewhere(history)
    here = history.begin("daily_sales", "Daily sales", {}, "ann")  # and one of this process
    for _ in range(2):
        assert {entry.state for entry in history.entries(ANN)} == {"running"}
    if end == "killed":
        process.kill()
        process.communicate()
    else:
        process.communicate("")
    found = history.find(run_id, ANN)
    assert found is not None
    assert (found.state, found.said[:15]) == (
        ("interrupted", "The program tha") if end == "killed" else ("stopped", "")
    )
    assert history.find(run_id, ANN) == found  # it is written down
    here.end("stopped")
    assert list(history.folder.glob("*.lock")) == []


def aged(history: History, entry: Entry, days: int) -> Entry:
    """The same run, that many days ago."""
    old = replace(entry, began_at=entry.began_at - timedelta(days=days))
    history.write(old)
    return old


def test_files_go_after_their_days_and_the_line_of_the_history_after_a_year(history: History) -> None:
    young, old, older = done(history), done(history), done(history)
    aged(history, young, 29), aged(history, old, 30), aged(history, older, ENTRY_DAYS)
    history.tidy()
    history.tidy()
    assert history.find(older.id, ADMIN) is None
    gone, kept = history.find(old.id, ADMIN), history.find(young.id, ADMIN)
    assert gone is not None and kept is not None
    assert gone.gone_at is not None and kept.gone_at is None
    assert history.content(kept, "html") == b"<p>1</p>"
    with pytest.raises(ReportGone, match="not kept any more"):
        history.content(gone, "html")
    assert {path.name for path in history.folder.iterdir()} == {
        f"{young.id}.html", f"{young.id}.ipynb", f"{young.id}.json", f"{old.id}.json"
    }  # fmt: skip


def test_what_somebody_put_there_stays(history: History) -> None:
    old = aged(history, done(history), ENTRY_DAYS)
    own = [
        f"{old.id}.pdf",
        "mine.html",
        "20200101T000000000000-0123456789ab.html",
        "20200101T000000000000-0123456789ac.json",
        "x.json",
    ]
    for name in own:
        (history.folder / name).write_text("mine")
    history.tidy()
    assert {path.name for path in history.folder.iterdir()} == set(own)
    assert history.entries(ADMIN) == []


def test_what_runs_is_not_tidied_away(history: History) -> None:
    recording = history.begin("daily_sales", "Daily sales", {}, "ann")
    aged(history, recording.entry, ENTRY_DAYS)
    history.tidy()
    found = history.find(recording.entry.id, ANN)
    assert found is not None and found.state == "running"
    recording.end("stopped")


def blocked(history: History) -> None:
    history.folder.parent.mkdir(exist_ok=True)
    history.folder.write_text("a file in its place")


def nowhere(history: History) -> None:
    history.folder = Path("/proc/report-runs")


@pytest.mark.parametrize("spoil", [blocked, nowhere])
def test_where_nothing_can_be_written_that_is_said(history: History, spoil: Callable[[History], None]) -> None:
    spoil(history)
    with pytest.raises(ReportError, match=r"The history of runs cannot be kept in .*report-runs: .*WORKBENCH_DATA_DIR"):
        history.begin("daily_sales", "Daily sales", {}, "ann")
    assert history.entries(ADMIN) == []
