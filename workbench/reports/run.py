"""run(): executes a report in a process of its own, with a time limit, and stops it when asked."""

from __future__ import annotations

import asyncio
import json
import logging
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from workbench import errors
from workbench.accounts.actor import current_actor
from workbench.config import Settings
from workbench.config.clock import StoreClock, utc_now
from workbench.errors import ReportError, ReportStopped
from workbench.reports.kernel import ReportKernel, environment
from workbench.reports.library import Report
from workbench.reports.parameters import Value
from workbench.servers.disk import full_in_words

LOOK_SECONDS = 0.1
MOST_LETTERS = 300
# Runs after the last cell: what was asked of whom, as of when. The author cannot forget it.
LAST_CELL = "from workbench.reports import answered\nprint(answered(globals()))"

OnCell = Callable[[int, int, str], None]


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
    progress: OnCell = lambda cell, cells, title: None,
    stop: threading.Event | None = None,
) -> Finished:
    """Runs a report with a value for each parameter, on servers that are configured (see cluster.configured).

    ``by`` is who runs it, whoever acts here by default. ``progress`` is told before each code cell which one it is
    (from 1), of how many, and the heading that it is under. ``seconds`` is the limit (None: the setting
    WORKBENCH_REPORT_SECONDS). Raises ReportError, naming the cell, when the report fails or takes longer, and
    ReportStopped once ``stop`` is set, or by Ctrl-C. An event loop calls it in a thread, for it blocks.
    """
    limit = settings.workbench_report_seconds if seconds is None else seconds
    stop = stop or threading.Event()
    began, ran_at, by = time.monotonic(), utc_now(), by or current_actor().name
    notebook = _prepared(report, values)
    with (
        full_in_words(tempfile.gettempdir()),
        tempfile.TemporaryDirectory(prefix="workbench-report-", ignore_cleanup_errors=True) as name,
    ):
        running = _Run(report, notebook, progress)
        _aside(running.execute(environment(settings, Path(name)), Path(name), limit, stop), stop)
    engine, as_of = _answered(notebook)
    took, currency = time.monotonic() - began, settings.workbench_currency
    return Finished(report, dict(values), notebook, engine, as_of, currency, settings.clock, ran_at, by, took)


def _aside(work: Coroutine[Any, Any, None], stop: threading.Event) -> None:
    """Runs ``work`` on an event loop of its own in a thread: the caller's may have one, as in a notebook."""
    with ThreadPoolExecutor(1, thread_name_prefix="report") as thread:
        running = thread.submit(asyncio.run, work)
        try:
            running.result()
        except KeyboardInterrupt:
            stop.set()
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
        self._place = "before its first cell"

    async def execute(self, env: dict[str, str], folder: Path, limit: float, stop: threading.Event) -> None:
        """Executes the notebook. Raises ReportError and ReportStopped."""
        kernel = ReportKernel(folder)
        client = NotebookClient(self._notebook, km=kernel, timeout=None, on_cell_start=self._started)
        client.log = logging.getLogger("nbclient")
        client.log.setLevel(logging.WARNING)  # it would say that a notebook begins
        client.owns_km, client.shutdown_kernel = True, "immediate"
        task = asyncio.ensure_future(client.async_execute(env=env, cwd=str(folder)))
        end = time.monotonic() + limit
        while not task.done() and not stop.is_set() and time.monotonic() < end:
            await asyncio.wait([task], timeout=LOOK_SECONDS)
        if task.done():
            self._look_at(task.exception())
            return
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)  # the kernel is killed, which the library calls an error
        if kernel.has_kernel:  # but not while it starts
            await kernel.shutdown_kernel(now=True)
        if stop.is_set():
            raise ReportStopped(f"The report {self._report.name} was stopped {self._place}.")
        raise ReportError(
            f"The report {self._report.name} did not finish within {limit:g} s: it was stopped {self._place}."
            " WORKBENCH_REPORT_SECONDS sets the limit."
        )

    def _started(self, cell: NotebookNode, cell_index: int) -> None:
        if cell_index not in self._cells:
            return  # ours, not the report's
        number, of = self._cells.index(cell_index) + 1, len(self._cells)
        title = heading(self._notebook.cells[:cell_index])
        self._place = f"in cell {number} of {of} ({title})"
        self._progress(number, of, title)

    def _look_at(self, error: BaseException | None) -> None:
        if isinstance(error, CellExecutionError):
            is_ours = hasattr(errors, error.ename)  # such an error says by itself what is wrong
            cause = " ".join((error.evalue if is_ours else f"{error.ename}: {error.evalue}").split())[:MOST_LETTERS]
            raise ReportError(f"The report {self._report.name} failed {self._place}: {cause}")
        if error is not None:
            raise ReportError(f"The report {self._report.name} failed {self._place}: {type(error).__name__}") from error


def heading(cells: list[NotebookNode]) -> str:
    """The last heading of these cells, without its marks."""
    lines = [line for cell in cells if cell.cell_type == "markdown" for line in cell.source.splitlines()]
    return next((line.lstrip("# ") for line in reversed(lines) if line.startswith("#")), "no heading")
