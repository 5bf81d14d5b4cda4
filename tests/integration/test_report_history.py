"""The history of runs: who sees it, what becomes of it when a process dies, and what is kept how long."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.conftest import wait_until
from workbench.accounts.actor import Actor
from workbench.config import Settings
from workbench.errors import ReportError, ReportGone
from workbench.reports.background import AT_ONCE, MOST_OF_ONE, MOST_WAITING, Runs
from workbench.reports.history import ENTRY_DAYS, TIDIED, Entry, History, Seen, read_entry
from workbench.reports.library import library

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


def test_what_processes_that_died_left_is_tidied(history: History) -> None:
    kept, at_work = done(history), history.begin("daily_sales", "Daily sales", {}, "ann")
    half = history.folder / f".{kept.id}.json.0123456789ab.new"
    for path in (half, history.path(kept.id, "lock"), history.folder / ".mine.new", history.folder / "mine.lock"):
        path.touch()
        os.utime(path, (0, 0))
    young = history.folder / f".{kept.id}.html.0123456789ab.new"
    young.touch()
    history.tidy()
    assert {path.name for path in history.folder.iterdir() if path.suffix in (".new", ".lock")} == {
        ".mine.new", "mine.lock", young.name, f"{at_work.entry.id}.lock"
    }  # fmt: skip
    at_work.end("stopped")


def settled(history: History) -> None:
    """Waits until the disk's own clock has gone on since the folder was changed."""
    wait_until(lambda: time.time_ns() - history.folder.stat().st_mtime_ns > Seen.STEP_NS, "the disk's clock")


def test_only_what_was_changed_is_read_again(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [done(history) for _ in range(20)]
    settled(history)
    assert len(history.entries(ADMIN)) == 20
    read: list[str] = []
    real = read_entry
    monkeypatch.setattr("workbench.reports.history.read_entry", lambda path: [read.append(path.stem), real(path)][1])
    for _ in range(3):
        assert len(History(history.folder, 30).entries(ADMIN)) == 20
    assert read == []
    history.write(replace(runs[3], said="changed"))
    assert [entry.said for entry in history.entries(ADMIN)].count("changed") == 1
    assert read == [runs[3].id]
    settled(history)
    history.path(runs[4].id, "json").unlink()
    assert len(history.entries(ADMIN)) == 19


def test_what_changes_within_one_step_of_the_disks_clock_is_seen(history: History) -> None:
    run, step = done(history), (time.time_ns() + 10**9,) * 2
    for said in ("first", "second"):
        history.write(replace(run, said=said))
        os.utime(history.path(run.id, "json"), ns=step)
        os.utime(history.folder, ns=step)
        assert history.entries(ADMIN)[0].said == said


def ended(runs: Runs, run_ids: list[str]) -> None:
    """Stops them before they begin."""
    for run_id in run_ids:
        job = runs.find(run_id)
        assert job is not None
        job.stop()
    wait_until(lambda: all(runs.find(run_id) is None for run_id in run_ids), "them to end")


def test_one_person_does_not_take_all_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def acting(who: Actor) -> None:
        who = replace(who, look=lambda: who)  # who has logged in
        monkeypatch.setattr("workbench.reports.background.current_actor", lambda: who)

    settings = Settings(_env_file=None, workbench_data_dir=tmp_path)
    report, runs = library().reports[0], Runs()
    with runs.in_turn(), runs.in_turn():  # so that all of them wait
        acting(ANN)
        own = [runs.start(report, {}, settings) for _ in range(MOST_OF_ONE)]
        with pytest.raises(ReportError, match=f"{MOST_OF_ONE} reports of yours run or wait already"):
            runs.start(report, {}, settings)
        acting(Actor("bob", "viewer"))
        others = [runs.start(report, {}, settings)]
        ended(runs, own + others)


def test_where_nobody_logs_in_one_name_has_all_places(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, workbench_data_dir=tmp_path)
    report, runs = library().reports[0], Runs()
    with runs.in_turn(), runs.in_turn():
        all_places = [runs.start(report, {}, settings) for _ in range(AT_ONCE + MOST_WAITING)]
        with pytest.raises(ReportError, match=f"{len(all_places)} reports run or wait already"):
            runs.start(report, {}, settings)
        ended(runs, all_places)


def test_it_is_tidied_once_a_day(history: History) -> None:
    aged(history, done(history), ENTRY_DAYS)
    history.tidy_once_a_day()
    assert history.entries(ADMIN) == []
    second = aged(history, done(history), ENTRY_DAYS)
    history.tidy_once_a_day()
    assert [entry.id for entry in history.entries(ADMIN)] == [second.id]
    os.utime(history.folder / TIDIED, (0, 0))
    history.tidy_once_a_day()
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
