"""Running a report: as the reader, typed, within its time, stopped when asked; and what is exported of it."""

from __future__ import annotations

import re
import tempfile
import threading
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat import NotebookNode

from tests.conftest import wait_until
from tests.examples import HOSTILE
from tests.notebooks.test_reports_parameters import notebook
from workbench.accounts.actor import Actor, ask_for_actor, os_user
from workbench.config import Settings
from workbench.errors import ReportError, ReportStopped
from workbench.reports.background import WAITS, Runs
from workbench.reports.history import History
from workbench.reports.library import Report, find_report, read_report, reports_folder
from workbench.reports.run import html, run

SECRETS = """
from workbench.config import load_settings
from workbench.connection import connect
import os, sqlalchemy as sa
settings = load_settings()
print(sorted({settings.master.user, settings.owner.user, settings.replica.user}))
print(settings.workbench_data_dir.exists(), os.path.exists(".env"), sorted(os.listdir("."))[:0])
print(dict(os.environ), settings.model_dump())
print([s.get_secret_value() for s in (settings.master_db_password, settings.master_db_owner_password)])
"""
WRITES = """
import uuid
from sqlalchemy.exc import DBAPIError
from workbench.errors import DatabaseRefused
from workbench.sales.models import parse_sale
engines = connect().engines
SALE = {"store_id": 3, "cashier_id": 301, "payment_method": "Cash", "transaction_time": "2026-10-01 10:00",
        "lines": [{"product_code": "A", "product_name": "A", "quantity": 1, "unit_price": "1.00"}]}
def refused(name, work):
    try:
        work()
    except DatabaseRefused as error:
        print(name, error.state)
    except DBAPIError as error:
        print(name, error.orig.pgcode)
    else:
        print(name, "WAS ALLOWED")
refused("service", lambda: connect().sales().create(parse_sale(SALE), uuid.uuid4()))
for name in ("master", "owner", "master_reader", "replica"):
    for statement in ("delete from sales_item", "set transaction read write; delete from sales_item",
                      "set transaction read write; truncate audit_log", "set transaction read write; create table x()"):
        def work():
            with getattr(engines, name).begin() as connection:
                connection.exec_driver_sql(statement)
        refused(name, work)
"""


def report(folder: Path, *cells: str, parameters: str = "", name: str = "made") -> Report:
    """A report of these code cells."""
    path = folder / f"{name}.ipynb"
    head = [("markdown", "# Made\n\nFor a test.", []), ("markdown", "## The only part", [])]
    tagged = [("code", parameters, ["parameters"])] if parameters else []
    path.write_text(notebook(*head, *tagged, *(("code", cell, []) for cell in cells)))
    return read_report(path)


def printed(notebook: NotebookNode) -> str:
    """All that the cells printed."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return "".join(output.get("text", "") for cell in cells for output in cell.outputs)


def kernels() -> list[int]:
    """The processes of reports that run."""
    alive = [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]
    return [child.pid for child in alive if "ipykernel_launcher" in child.cmdline()]


@pytest.fixture(autouse=True)
def _folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Reports are run below it: what a run that was killed has left elsewhere says nothing."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def left_behind() -> list[str]:
    """Folders of reports that nobody took away."""
    return [path.name for path in Path(tempfile.gettempdir()).glob("workbench-report-*")]


def test_a_report_can_only_read_and_holds_no_other_password(
    report_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, owner = (
        getattr(report_settings, f"master_db_{name}password").get_secret_value() for name in ("", "owner_")
    )
    monkeypatch.setenv("MASTER_DB_PASSWORD", writer)
    (tmp_path / ".env").write_text(f"MASTER_DB_OWNER_PASSWORD={owner}\n")
    finished = run(report(tmp_path, SECRETS, WRITES), {}, report_settings)
    text = printed(finished.notebook)
    assert "['workbench_reader']" in text
    assert writer not in text
    assert owner not in text
    assert str(report_settings.workbench_data_dir) not in text
    refusals = re.findall(r"^(\w+) (\S+)$", text, re.MULTILINE)
    by_place = {name: [code for place, code in refusals if place == name] for name, _ in refusals}
    denied, is_read_only, in_recovery = "42501", "25006", "0A000"
    of_master = [is_read_only, denied, denied, denied]
    of_replica = [is_read_only, in_recovery, in_recovery, in_recovery]
    masters = dict.fromkeys(("master", "owner", "master_reader"), of_master)
    assert by_place == {"service": [is_read_only], **masters, "replica": of_replica}
    assert "ALLOWED" not in text


def test_a_hostile_parameter_stays_a_string(report_settings: Settings, tmp_path: Path) -> None:
    mark = tmp_path / "made-by-a-parameter"
    made = report(tmp_path, "print(repr(name))", parameters='name: str = ""  # A text')
    for value in (
        f'"); open({str(mark)!r}, "w") #',
        f"'''\nopen({str(mark)!r}, 'w')\n'''",
        f"\\\"\nopen({str(mark)!r}, 'w')\\",
        f"{{open({str(mark)!r}, 'w')}} %s \u2028 \N{PILE OF POO}",
        f"{HOSTILE}</script><script>window.__x=1</script>",
    ):
        finished = run(made, {"name": value}, report_settings)
        assert printed(finished.notebook) == f"{value!r}\n"
        assert value not in html(finished) or "<" not in value
    assert not mark.exists()


def test_a_failing_cell_is_named_with_its_cause_in_one_line(report_settings: Settings, tmp_path: Path) -> None:
    made = report(tmp_path, "x = 1", 'raise ValueError("first\\nsecond")')
    with pytest.raises(ReportError) as failed:
        run(made, {}, report_settings)
    assert str(failed.value) == "The report made failed in cell 2 of 2 (The only part): ValueError: first second"


def test_a_report_that_dies_is_an_error(report_settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"failed in cell 1 of 1 \(The only part\): DeadKernelError"):
        run(report(tmp_path, "import os; os._exit(3)"), {}, report_settings)


def test_a_report_ends_at_its_time_limit_and_leaves_nothing(report_settings: Settings, tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    made = report(tmp_path, f"import os, time\nopen({str(mark)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)")
    began = time.monotonic()
    with pytest.raises(ReportError, match=r"did not finish within 4 s: it was stopped in cell 1 of 1.*as by --timeout"):
        run(made, {}, report_settings, seconds=4)
    assert time.monotonic() - began < 20
    wait_until(lambda: not Path(f"/proc/{mark.read_text()}").exists(), "the report's process to end")
    assert left_behind() == []


def test_a_report_is_stopped_when_asked(report_settings: Settings, tmp_path: Path) -> None:
    stop = threading.Event()
    made = report(tmp_path, "x = 1", "import time\ntime.sleep(600)")

    def progress(cell: int, cells: int, title: str) -> None:
        if (cell, cells, title) == (2, 2, "The only part"):
            stop.set()

    with pytest.raises(ReportStopped, match="was stopped in cell 2 of 2"):
        run(made, {}, report_settings, progress=progress, should_stop=stop.is_set)
    assert left_behind() == []


def test_a_report_that_is_stopped_while_it_starts_leaves_no_process(report_settings: Settings, tmp_path: Path) -> None:
    stop = threading.Event()

    def stop_at_once() -> None:
        wait_until(lambda: bool(kernels()), "the process to be there")
        stop.set()

    stopper = threading.Thread(target=stop_at_once)
    stopper.start()
    with pytest.raises(ReportStopped, match="was stopped before its first cell"):
        run(report(tmp_path, "x = 1"), {}, report_settings, should_stop=stop.is_set)
    assert kernels() == []
    stopper.join()


@pytest.fixture
def own_settings(report_settings: Settings, tmp_path: Path) -> Settings:
    """The same servers, and a history of runs of one's own."""
    return report_settings.model_copy(update={"workbench_data_dir": tmp_path / "data"})


def test_no_more_than_two_run_at_once_and_the_others_wait(own_settings: Settings, tmp_path: Path) -> None:
    runs = Runs()
    made = report(tmp_path, "import time\ntime.sleep(600)")
    ids = [runs.start(made, {}, own_settings) for _ in range(3)]
    jobs = {run_id: job for run_id in ids if (job := runs.find(run_id))}
    wait_until(lambda: sum(job.progress.total == 1 for job in jobs.values()) == 2, "two to run")
    waiting, job = next((run_id, job) for run_id, job in jobs.items() if job.progress.note == WAITS)
    job.stop()
    wait_until(lambda: runs.find(waiting) is None, "the one that waits to be stopped")
    for job in jobs.values():
        job.stop()
    wait_until(lambda: not any(map(runs.find, ids)), "all to be stopped")
    ended = {entry.id: (entry.state, entry.said) for entry in History.of(own_settings).entries(Actor("ann"))}
    assert ended[waiting] == ("stopped", "It was stopped before it began.")
    assert {state for state, _ in ended.values()} == {"stopped"}


def test_a_report_says_who_has_run_it(own_settings: Settings, tmp_path: Path) -> None:
    made = report(tmp_path, "1")
    assert f"by {os_user()}." in html(run(made, {}, own_settings))
    runs, ann = Runs(), Actor("ann <b>", "viewer")
    ask_for_actor(lambda: ann)  # who has logged in to the page that begins it
    try:
        run_id = runs.start(made, {"month": "2026-10"}, own_settings)
    finally:
        ask_for_actor(lambda: None)
    wait_until(lambda: runs.find(run_id) is None, "the report")
    history = History.of(own_settings)  # as another process, or the same one later, finds it
    (entry,) = history.entries(ann)
    assert (entry.by, entry.state, entry.values) == ("ann <b>", "done", {"month": "2026-10"})
    assert "by ann &lt;b&gt;." in history.content(entry, "html").decode()
    assert history.entries(Actor("bob", "editor")) == []
    assert [each.id for each in history.entries(Actor("bob", "admin"))] == [run_id]


def test_a_name_from_the_database_is_text_in_tables_pictures_and_charts(
    report_settings: Settings, tmp_path: Path
) -> None:
    cell = f"""
import pandas as pd
from hvplot import hvPlot
from workbench.reports import bars, chart, table
frame = pd.DataFrame({{"name": [{HOSTILE!r}, "</script><script>alert(1)</script>"], "amount": [1, 2]}})
display(table(frame), bars(frame, "name", "amount"), chart(hvPlot(frame).bar(x="name", y="amount")))
"""
    page = html(run(report(tmp_path, cell), {}, report_settings))
    assert "<img" not in page
    assert "<script>alert" not in page
    assert page.count("&lt;img src=x") >= 2


def outputs(notebook: NotebookNode) -> list[NotebookNode]:
    """What its cells show, each in all its kinds."""
    return [output.data for cell in notebook.cells for output in cell.get("outputs", []) if "data" in output]


def without_table(notebook: NotebookNode) -> list[str]:
    """The outputs that draw something, as SVG, by a script or as a picture, and have no table of its figures."""
    drawn = [
        data
        for data in outputs(notebook)
        if not all(kind.startswith("text/") for kind in data)
        or re.search("<(svg|canvas|img|script)", data.get("text/html", ""))
    ]
    return [
        data.get("text/plain", str(list(data)))
        for data in drawn
        if '<details class="figures"' not in data.get("text/html", "")
    ]


DRAWN = """
import pandas as pd
import hvplot.pandas
from hvplot import hvPlot
from workbench.reports import bars, chart, lines
frame = pd.DataFrame({"day": [1, 2], "amount": [3.14, 15.92]})
"""
CHARTS = (
    'bars(frame, "day", "amount")',
    'lines(frame, "day", ["amount"])',
    'chart(hvPlot(frame).line("day", "amount"))',
)


def test_each_chart_of_a_report_has_its_figures_in_a_table(report_settings: Settings, tmp_path: Path) -> None:
    """Those of the reports as they are kept, each way to draw, and one that is drawn by itself, which has none."""
    for kept in sorted(reports_folder().glob("*.ipynb")):
        assert without_table(nbformat.read(kept, 4)) == [], kept.name
    notebook = run(report(tmp_path, DRAWN, *CHARTS, 'frame.hvplot.line("day", "amount")'), {}, report_settings).notebook
    found = without_table(notebook)
    assert found[-1].startswith(":Curve") and not any("15.92" in text for text in found)
    tables = [re.findall("<td[^>]*>([^<]*)", data.get("text/html", "")) for data in outputs(notebook)]
    assert [table.count("15.92") for table in tables if table] == [1, 1, 1]


def test_the_heading_says_parameters_engine_and_as_of(report_settings: Settings) -> None:
    finished = run(find_report("reconciliation"), {"month": "2026-10", "as_of": "2026-10-31"}, report_settings)
    page = html(finished)
    assert "<h1>Reconciliation</h1>" in page
    assert "<dt>Month</dt><dd>2026-10</dd>" in page
    assert "Answered by the replica, data as of 20" in page
    assert "from workbench.reports" not in page  # the code is hidden
    assert finished.engine == "replica"
    assert "0 differ" in page
