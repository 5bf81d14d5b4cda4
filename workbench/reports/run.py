"""run(): executes a report in a process of its own, as the reader, within a time; exported, and recorded."""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import os
import site
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import nbformat
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook
from pydantic import SecretStr

from workbench import errors
from workbench.accounts.actor import current_actor
from workbench.config import OF_SERVER, Settings
from workbench.config.clock import StoreClock, utc_now
from workbench.errors import ReportError, ReportStopped, WorkbenchError
from workbench.files.chromium import printed
from workbench.locale import N_, _, sentences
from workbench.reports.history import FAILED, KEPT, Recording
from workbench.reports.html import page
from workbench.reports.library import Report, Value
from workbench.reports.texts import engines_text, shown
from workbench.servers.disk import full_in_words
from workbench.words import heading

# What Python itself needs to start; whatever else the environment holds is not for a report.
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "PYTHONPATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
# The settings that a report is given. A new one is not, above all no new password, unless it is named here.
GIVEN = (
    *(
        f"{server}_{name}"
        for server in ("master_db", "replica_db", "risingwave")
        for name in (*OF_SERVER, "user", "password")
    ),
    "risingwave_reader_user",
    "risingwave_reader_password",
    "master_db_owner_user",
    "master_db_owner_password",
    "workbench_data_dir",
    "workbench_currency",
    "workbench_locale",
    "workbench_timezone",
    "log_level",
)
KERNEL = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]


class ReportKernel(AsyncKernelManager):
    """This program's own Python, whichever kernels are installed, behind sockets that only this user can open."""

    def __init__(self, folder: Path) -> None:
        super().__init__(transport="ipc", ip=str(folder / "kernel"), connection_file=str(folder / "kernel.json"))

    @property
    def kernel_spec(self) -> KernelSpec:
        """How to start it."""
        return KernelSpec(argv=KERNEL, display_name="Report", language="python", interrupt_mode="signal")


def as_reader(settings: Settings, folder: Path) -> Settings:
    """``settings`` without the roles that write: their places are taken by the reader.

    No password is left out that another place could then stand in for (a .pgpass, a server that trusts), and the data
    directory, which holds all passwords, is not named.
    """
    password = SecretStr(settings.master_reader.current_password())
    reader = {"user": settings.replica_db_user, "password": password}
    changed = {f"{server}_{name}": value for server in ("master_db", "replica_db") for name, value in reader.items()}
    changed |= {f"master_db_owner_{name}": value for name, value in reader.items()}
    changed |= {f"risingwave_{name}": getattr(settings, f"risingwave_reader_{name}") for name in reader}
    return settings.model_copy(update={**changed, "workbench_data_dir": folder, "workbench_passwords_file": ""})


def environment(settings: Settings, folder: Path) -> dict[str, str]:
    """The environment of the process, whose home and temporary folder is ``folder``."""
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    own = {name: str(folder) for name in ("HOME", "TMPDIR", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")}
    given = as_reader(settings, folder)
    values = {name.upper(): _plain(getattr(given, name)) for name in GIVEN}
    return kept | own | {"PYTHONUSERBASE": site.getuserbase()} | {name: text for name, text in values.items() if text}


def _plain(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


LOOK_SECONDS = 0.1
MOST_LETTERS = 300
LIMIT_OF_ALL = N_("WORKBENCH_REPORT_SECONDS sets the limit.")
LIMIT_OF_ONE = N_("The limit was given for it, as by --timeout.")
FAILED_AT = N_("The report {name} failed {place}: {cause}")
# Runs after the last cell: what was asked of whom, as of when. The author cannot forget it.
LAST_CELL = "from workbench.reports import answered\nprint(answered(globals()))"

OnCell = Callable[[int, int, str], None]


def quiet(_cell: int, _cells: int, _title: str) -> None:
    """Tells nobody how far a report is."""


def never() -> bool:
    """Nobody asks for a stop."""
    return False


@dataclass(frozen=True)
class Finished:
    """A report that ran to its end. ``engine`` and ``as_of`` are those of its oldest figures, if it asked for any."""

    report: Report
    values: Mapping[str, Value]
    notebook: NotebookNode
    engine: str
    as_of: datetime | None
    currency: str
    clock: StoreClock
    ran_at: datetime
    by: str
    seconds: float


def run(
    report: Report,
    values: Mapping[str, Value],
    settings: Settings,
    *,
    by: str = "",
    seconds: float | None = None,
    progress: OnCell = quiet,
    should_stop: Callable[[], bool] = never,
) -> Finished:
    """Runs a report with a value for each parameter, on servers that are configured (see cluster.configured).

    ``by`` is who runs it, whoever acts here by default. ``progress`` is told before each code cell which one it is
    (from 1), of how many, and the heading that it is under. ``seconds`` is the limit (None: the setting
    WORKBENCH_REPORT_SECONDS). Raises ReportError, naming the cell, when the report fails or takes longer, and
    ReportStopped once ``should_stop`` says so, or by Ctrl-C. An event loop calls it in a thread, for it blocks.
    """
    limit = settings.workbench_report_seconds if seconds is None else seconds
    began, ran_at, by = time.monotonic(), utc_now(), by or current_actor().name
    notebook = _prepared(report, values)
    with (
        full_in_words(tempfile.gettempdir()),
        tempfile.TemporaryDirectory(prefix="workbench-report-", ignore_cleanup_errors=True) as name,
    ):
        running = _Run(report, notebook, progress)
        interrupted = threading.Event()
        is_over = lambda: interrupted.is_set() or should_stop()  # noqa: E731
        limited = _(LIMIT_OF_ALL if seconds is None else LIMIT_OF_ONE)
        _aside(running.execute(environment(settings, Path(name)), Path(name), limit, limited, is_over), interrupted)
    engine, as_of = _answered(notebook)
    took, currency = time.monotonic() - began, settings.workbench_currency
    return Finished(report, dict(values), notebook, engine, as_of, currency, settings.clock, ran_at, by, took)


def _aside(work: Coroutine[Any, Any, None], interrupted: threading.Event) -> None:
    """Runs ``work`` on an event loop of its own in a thread: the caller's may have one, as in a notebook."""
    with ThreadPoolExecutor(1, thread_name_prefix="report") as thread:
        running = thread.submit(asyncio.run, work)
        try:
            running.result()
        except KeyboardInterrupt:
            interrupted.set()
            running.result()  # it says where it was stopped


def _prepared(report: Report, values: Mapping[str, Value]) -> NotebookNode:
    """The notebook with its parameters and without outputs."""
    notebook = load_notebook_node(str(report.path))
    if values:
        notebook = parameterize_notebook(notebook, dict(values), kernel_name="python3", language="python")
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.cells.append(nbformat.v4.new_code_cell(LAST_CELL))
    return notebook


def _answered(notebook: NotebookNode) -> tuple[str, datetime | None]:
    """What the last cell printed; the cell goes."""
    cell = notebook.cells.pop()
    found: dict[str, Any] = json.loads("".join(output.get("text", "") for output in cell.outputs))
    return found["engine"], datetime.fromisoformat(found["as_of"]) if found["as_of"] else None


class _Run:
    """One execution, and where it is."""

    def __init__(self, report: Report, notebook: NotebookNode, progress: OnCell) -> None:
        self._report, self._notebook, self._progress = report, notebook, progress
        self._cells = [n for n, cell in enumerate(notebook.cells) if cell.cell_type == "code"][:-1]
        self._place = _("before its first cell")

    async def execute(
        self, env: dict[str, str], folder: Path, limit: float, limited: str, should_stop: Callable[[], bool]
    ) -> None:
        """Executes the notebook; ``limited`` says where the limit comes from. Raises ReportError and ReportStopped."""
        kernel = ReportKernel(folder)
        client = NotebookClient(self._notebook, km=kernel, timeout=None, on_cell_start=self._started)
        client.log = logging.getLogger("nbclient")
        client.log.setLevel(logging.WARNING)  # it would say that a notebook begins
        client.owns_km, client.shutdown_kernel = True, "immediate"
        task = asyncio.ensure_future(client.async_execute(env=env, cwd=str(folder)))
        end = time.monotonic() + limit
        while not task.done() and not should_stop() and time.monotonic() < end:
            await asyncio.wait([task], timeout=LOOK_SECONDS)
        if task.done():
            self._look_at(task.exception())
            return
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)  # the kernel is killed, which the library calls an error
        if kernel.has_kernel:  # but not while it starts
            await kernel.shutdown_kernel(now=True)
        if should_stop():
            raise ReportStopped(_("The report {name} was stopped {place}.", name=self._report.name, place=self._place))
        said = _(
            "The report {name} did not finish within {n} s: it was stopped {place}.",
            name=self._report.name,
            n=f"{limit:g}",
            place=self._place,
        )
        raise ReportError(sentences(said, limited))

    def _started(self, cell: NotebookNode, cell_index: int) -> None:
        if cell_index not in self._cells:
            return  # ours, not the report's
        number, of = self._cells.index(cell_index) + 1, len(self._cells)
        title = last_heading(self._notebook.cells[:cell_index])
        self._place = _("in cell {n} of {all} ({title})", n=number, all=of, title=title)
        self._progress(number, of, title)

    def _look_at(self, error: BaseException | None) -> None:
        if isinstance(error, CellExecutionError):
            is_ours = hasattr(errors, error.ename)  # such an error says by itself what is wrong
            cause = " ".join((error.evalue if is_ours else f"{error.ename}: {error.evalue}").split())[:MOST_LETTERS]
            raise ReportError(_(FAILED_AT, name=self._report.name, place=self._place, cause=cause))
        if error is not None:
            cause = type(error).__name__
            raise ReportError(_(FAILED_AT, name=self._report.name, place=self._place, cause=cause)) from error


def last_heading(cells: list[NotebookNode]) -> str:
    """The last heading of these cells, without its marks."""
    lines = [line for cell in cells if cell.cell_type == "markdown" for line in cell.source.splitlines()]
    return next((line.lstrip("# ") for line in reversed(lines) if line.startswith("#")), _("no heading"))


Format = Literal["html", "ipynb", "pdf"]


def export(finished: Finished, kind: Format) -> bytes:
    """The report in a format. Raises FileRefused when it should be PDF and there is no Chromium."""
    if kind == "ipynb":
        return nbformat.writes(finished.notebook).encode()
    text = html(finished)
    return printed(text) if kind == "pdf" else text.encode()


def html(finished: Finished) -> str:
    """A page of prose, tables, pictures and charts, without code, under a heading with what it was run with."""
    values = {"moment": finished.clock.text(finished.ran_at), "who": finished.by, "currency": finished.currency}
    source = _("Run {moment} by {who}. Money in {currency}.", **values)
    if finished.as_of:
        values = {"engine": engines_text(finished.engine), "moment": finished.clock.text(finished.as_of)}
        source = f"{_('Answered by the {engine}, data as of {moment}.', **values)} {source}"
    kinds = finished.report.kinds
    given = {heading(name): shown(value, kinds.get(name)) for name, value in finished.values.items()}
    return page(_(finished.report.title), given, source, _body(finished.notebook))


def _body(notebook: NotebookNode) -> str:
    """The notebook's prose and outputs; its title stands in the page's heading."""
    shown = copy.deepcopy(notebook)
    shown.cells[0].source = shown.cells[0].source.partition("\n")[2]
    exporter = HTMLExporter(
        template_name="basic", exclude_input=True, exclude_input_prompt=True, exclude_output_prompt=True
    )
    return str(exporter.from_notebook_node(shown)[0])


def run_recorded(
    recording: Recording | None,
    report: Report,
    values: Mapping[str, Value],
    settings: Settings,
    *,
    by: str = "",
    seconds: float | None = None,
    progress: OnCell = quiet,
    should_stop: Callable[[], bool] = never,
) -> Finished:
    """As ``run``. Without a ``recording``, where none can be written, the history does not know of it."""
    began = time.monotonic()
    try:
        finished = run(report, values, settings, by=by, seconds=seconds, progress=progress, should_stop=should_stop)
        if recording is not None:
            files = {kind: export(finished, kind) for kind in KEPT}
            recording.done(files, finished.seconds, finished.engine, finished.as_of)
    except BaseException as error:
        if recording is not None:
            said = str(error) if isinstance(error, WorkbenchError) else FAILED
            recording.end("stopped" if isinstance(error, ReportStopped) else "failed", said, time.monotonic() - began)
        raise
    finally:
        if recording is not None:
            recording.history.tidy_once_a_day()
    return finished
