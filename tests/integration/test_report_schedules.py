"""Schedules that run: once for all that was missed, by one of several processes, into a folder."""

from __future__ import annotations

import asyncio
import errno
import os
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import panel as pn
import pytest

from workbench.accounts.actor import Actor
from workbench.components.messages import Said
from workbench.config import Settings
from workbench.config.clock import utc_now
from workbench.dashboards.reports_page import ReportsPage
from workbench.dashboards.schedule_form import ScheduleForm
from workbench.errors import ClusterError, ScheduleRefused
from workbench.reports.history import Entry
from workbench.reports.library import find_report
from workbench.reports.schedules import MOST_TRIES, OWN_FOLDER, Schedule, Schedules, addresses, run_due
from workbench.servers.disk import write_new, write_whole

PARAMETERS = 'day: Day = "2026-10-31"  # The day'
TITLE = "# Mine \u2028and\u202e yours"


def report(folder: Path, code: str = "print(day)", name: str = "mine") -> None:
    """A report of one's own."""
    cells = [nbformat.v4.new_markdown_cell(TITLE)]
    cells.append(nbformat.v4.new_code_cell("from workbench.reports import Day"))
    cells.append(nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}))
    notebook = nbformat.v4.new_notebook(cells=[*cells, nbformat.v4.new_code_cell(code)])
    folder.mkdir(exist_ok=True)
    nbformat.write(notebook, folder / f"{name}.ipynb")


@pytest.fixture
def own(tmp_path: Path) -> Settings:
    """Settings of servers that nobody asks, and a report of one's own."""
    report(tmp_path / "own")
    places = {"workbench_data_dir": tmp_path / "data", "workbench_reports_dir": tmp_path / "own"}
    return Settings(_env_file=None, master_db_host="127.0.0.1", workbench_timezone="Europe/Berlin", **places)


def missed(settings: Settings, days: float = 3, **given: Any) -> tuple[Schedules, Schedule]:
    """A schedule of each day that nobody has run for some days."""
    schedules = Schedules(settings)
    made = schedules.add("mine", {"day": "yesterday"}, "day-00:00", by="ann", **given)
    schedules._write(replace(made, done_until=utc_now() - timedelta(days=days)))
    return schedules, made


def due(settings: Settings) -> list[Entry]:
    return run_due(lambda: settings, Schedules(settings))


def test_what_was_missed_is_run_once_into_a_folder_where_nothing_is_overwritten(own: Settings, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    today = own.clock.today()
    (out / f"mine-{today}.ipynb").write_text("somebody's")
    missed(own, folder=out, form="ipynb")
    (entry,) = due(own)
    assert (entry.state, entry.by, entry.schedule) == ("done", "ann", "mine-1")
    assert entry.values == {"day": str(today - timedelta(days=1))}
    assert entry.handed_out == f"Written to {out}/mine-{today}-2.ipynb"
    assert (out / f"mine-{today}.ipynb").read_text() == "somebody's"
    assert str(today - timedelta(days=1)) in (out / f"mine-{today}-2.ipynb").read_text()
    assert due(own) == []


def test_of_several_who_look_at_once_one_runs_it(own: Settings) -> None:
    schedules, _ = missed(own)
    together = threading.Barrier(6)
    ended: list[Entry] = []

    def look() -> None:
        together.wait()
        ended.extend(run_due(lambda: own, Schedules(own)))

    lookers = [threading.Thread(target=look) for _ in range(6)]
    for looker in lookers:
        looker.start()
    for looker in lookers:
        looker.join()
    assert len(ended) == 1
    assert schedules.all()[0].tries == 0


DIES = """
import os, sys
from pathlib import Path
from workbench.config import Settings
from workbench.reports.schedules import Schedules
with Schedules(Settings(_env_file=None, workbench_data_dir=Path(sys.argv[1]))).claimed("mine-1") as claimed:
    assert claimed is not None
    os._exit(9)
"""


def test_a_moment_whose_process_died_is_run_again_but_not_for_ever(own: Settings) -> None:
    schedules, _ = missed(own)
    for tries in range(1, MOST_TRIES + 1):
        done = subprocess.run([sys.executable, "-c", DIES, str(own.workbench_data_dir)], capture_output=True, text=True)
        assert done.returncode == 9, done.stderr
        assert schedules.all()[0].tries == tries
    (entry,) = due(own)
    assert entry.said == "It was begun 3 times, and the program ended each time."
    assert due(own) == []
    missed(own)  # the second one
    subprocess.run([sys.executable, "-c", DIES.replace("mine-1", "mine-2"), str(own.workbench_data_dir)])
    assert [entry.state for entry in due(own)] == ["done"]


def test_a_report_that_is_gone_or_fails_is_in_the_history_and_not_run_again(own: Settings, tmp_path: Path) -> None:
    missed(own)
    (tmp_path / "own" / "mine.ipynb").unlink()
    (entry,) = due(own)
    assert (entry.state, entry.report) == ("failed", "mine") and "There is no report 'mine'" in entry.said
    report(tmp_path / "own", "1 / 0")
    missed(own)
    (entry,) = due(own)
    assert "ZeroDivisionError" in entry.said
    assert due(own) == []


def test_what_is_removed_does_not_come_back(own: Settings) -> None:
    schedules, made = missed(own)
    with schedules.claimed(made.name) as claimed:
        assert claimed is not None
        schedules.remove(made.name)
    assert schedules.all() == []
    with pytest.raises(ScheduleRefused, match="There is no schedule 'mine-1'. There are none"):
        schedules.remove(made.name)
    with pytest.raises(ScheduleRefused, match="There is no schedule"):
        schedules.remove("../report-runs/x-1")


def test_one_that_is_paused_is_not_due_and_goes_on_without_what_it_missed(own: Settings) -> None:
    schedules, made = missed(own)
    with schedules.claimed(made.name) as claimed:
        assert claimed is not None
        schedules.pause(made.name, is_paused=True)
    schedules._write(replace(schedules.all()[0], done_until=utc_now() - timedelta(days=3)))
    assert due(own) == [] and schedules.next_of(schedules.all()[0]) is None
    schedules.pause(made.name, is_paused=False)
    assert due(own) == [] and schedules.next_of(schedules.all()[0]) is not None
    with pytest.raises(ScheduleRefused, match="There is no schedule 'x-1'. There are mine-1"):
        schedules.pause("x-1", is_paused=True)


def test_one_that_is_resumed_while_it_runs_goes_on_without_what_it_missed(own: Settings) -> None:
    schedules, made = missed(own)
    with schedules.claimed(made.name) as claimed:
        assert claimed is not None
        schedules.pause(made.name, is_paused=True)
        schedules.pause(made.name, is_paused=False)
        resumed = schedules.all()[0].done_until
        assert resumed > claimed[1]
    assert schedules.all()[0].done_until == resumed


def test_a_double_click_makes_one_schedule(own: Settings) -> None:
    found = find_report("mine", own.workbench_reports_dir)
    schedules, said = Schedules(own), Said()
    form = ScheduleForm(own, Actor("ann", "admin"), said, lambda: (found, {}), lambda: None)
    form._show(True)

    async def clicks() -> None:
        await asyncio.gather(form._add(None), form._add(None))
        await form._add(None)

    asyncio.run(clicks())
    assert len(schedules.all()) == 1
    form._show(True)
    asyncio.run(form._add(None))
    assert len(schedules.all()) == 2


@pytest.mark.parametrize(("role", "forms"), [("viewer", 0), ("editor", 0), ("admin", 1)])
def test_only_an_admins_page_says_where_files_of_schedules_are(
    own: Settings, role: Any, forms: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.dashboards.reports_page.current_actor", lambda: Actor("ann", role))
    page: Any = ReportsPage(SimpleNamespace(engines=SimpleNamespace(settings=own)))  # type: ignore[arg-type]
    told = [pane for pane in page.__panel__().select(pn.pane.HTML) if OWN_FOLDER in str(pane.object)]
    assert len(told) == forms


def test_one_that_is_made_under_the_name_of_a_removed_one_stays_as_it_was_made(own: Settings) -> None:
    schedules, made = missed(own)
    with schedules.claimed(made.name) as claimed:
        assert claimed is not None
        schedules.remove(made.name)
        new = schedules.add("mine", {}, "monday-07:00", by="ben")
    assert new.name == made.name and schedules.all() == [new]


def test_a_moment_is_not_used_up_while_its_servers_are_not_found(own: Settings) -> None:
    schedules, _ = missed(own)

    def none_found() -> Settings:
        raise ClusterError("There is no server.")

    with pytest.raises(ClusterError):
        run_due(none_found, schedules)
    (now,) = schedules.all()
    assert schedules.due(now, utc_now()) is not None
    own.workbench_data_dir.joinpath("report-runs").write_text("a file where the history belongs")
    assert run_due(lambda: own, schedules) == []
    assert schedules.due(schedules.all()[0], utc_now()) is not None


def test_what_cannot_be_is_refused_when_it_is_made(own: Settings, tmp_path: Path) -> None:
    schedules = Schedules(own)
    for given, said in (
        ({"folder": tmp_path / "none"}, "There is no folder"),
        ({"to": ("ann@example.com",)}, "WORKBENCH_SMTP_HOST and WORKBENCH_SMTP_FROM have to be set"),
    ):
        with pytest.raises(ScheduleRefused, match=said):
            schedules.add("mine", {}, "day-07:00", by="ann", **given)
    with pytest.raises(ScheduleRefused, match="is no address"):
        addresses(["ann@example.com\nBcc: eve@example.com"])
    assert schedules.all() == []


def test_what_processes_that_died_left_is_tidied_and_what_somebody_put_there_stays(own: Settings) -> None:
    schedules, _ = missed(own)
    schedules.own_folder.mkdir()
    ended = ".0123456789ab.new"
    left = [schedules.folder / f".mine-1.json{ended}", schedules.own_folder / f".mine-2026-10-31-2.html{ended}"]
    stays = [schedules.folder / f".mine.json{ended}", schedules.own_folder / f".mine.html{ended}"]
    young = schedules.own_folder / f".mine-2026-10-31.pdf{ended}"
    for path in (*left, *stays, young):
        path.touch()
        if path != young:
            os.utime(path, (0, 0))
    schedules.tidy()
    assert [path for path in (*left, *stays, young) if path.exists()] == [*stays, young]


def test_a_file_has_its_name_when_it_is_whole_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    monkeypatch.setattr("os.fsync", lambda _file: seen.append([path.name for path in tmp_path.glob("[!.]*")]))
    path = tmp_path / "mine.html"
    assert write_new(path, b"1") and not write_new(path, b"2")
    assert path.read_bytes() == b"1"
    write_whole(path, b"3")
    assert path.read_bytes() == b"3"
    assert seen == [[], ["mine.html"], ["mine.html"]]
    assert [each.name for each in tmp_path.iterdir()] == ["mine.html"]

    def no_links(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("os.link", no_links)  # a disk without them
    assert not write_new(path, b"4") and write_new(tmp_path / "other.html", b"5")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["mine.html", "other.html"]

    def somebody_writes(_made: Path, path: Path) -> None:
        monkeypatch.setattr(Path, "exists", lambda _path: False)  # it appears between the look and the writing
        path.write_bytes(b"somebody's")
        raise PermissionError

    monkeypatch.setattr("os.link", somebody_writes)
    third = tmp_path / "third.html"
    assert not write_new(third, b"6") and third.read_bytes() == b"somebody's"
    monkeypatch.undo()
    monkeypatch.setattr("os.link", no_links)
    synced: list[int] = []

    def full(file: int) -> None:
        synced.append(file)
        if len(synced) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_new(tmp_path / "fourth.html", b"7")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["mine.html", "other.html", "third.html"]


def test_a_schedule_keeps_its_limit_and_takes_its_lock_along(own: Settings, tmp_path: Path) -> None:
    report(tmp_path / "own", "import time; time.sleep(60)")
    schedules, made = missed(own, seconds=1)
    (entry,) = due(own)
    assert "did not finish within 1 s" in entry.said
    schedules.remove(made.name)
    assert [path.name for path in schedules.folder.iterdir()] == ["schedules.lock"]
