"""Page "Reports": pick one, set its parameters, run it with progress, read it, download it."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import panel as pn
import panel_material_ui as pmui
import param
from panel.viewable import Viewable, Viewer

from workbench.components import theme
from workbench.components.browser.downloads import Downloads
from workbench.components.browser.said import Kind
from workbench.components.browser.unsaved import Unsaved
from workbench.components.inline import is_served
from workbench.components.tasks import Controls
from workbench.connection import Workbench
from workbench.dashboards.report_fields import ReportFields
from workbench.dashboards.report_frame import ReportFrame
from workbench.dashboards.tile import card, html
from workbench.errors import ReportError, WorkbenchError
from workbench.files.chromium import installed_chromium, printed
from workbench.reports.background import ALONE_SECONDS, Running, Runs, RunState
from workbench.reports.library import Report, library

LOOK_MS = 250
ENDED = (
    "The report that ran here was ended: the app was restarted, or nobody came back to it for"
    f" {ALONE_SECONDS / 60:g} minutes. What it was run with is still here; run it again."
)
FORMATS = {"html": "Download HTML", "ipynb": "Download notebook"}


class ReportsPage(Viewer):
    """A report runs in a process of its own, so that nobody's page waits for it. It outlives a lost connection."""

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._settings = workbench.engines.settings
        self._runs = pn.state.as_cached("report-runs", Runs)
        self._running: Running | None = None
        there = library(self._settings.workbench_reports_dir)
        self._reports = _by_title(there.reports)
        self._problems = html(
            "".join(f'<p class="said bad">{theme.esc(problem)}</p>' for problem in there.problems.values())
        )
        self._pick = pmui.Select(label="Report", options=list(self._reports), margin=0, width=300, size="small")
        self._about = html()
        self._fields = pn.Column(margin=(8, 0, 0, 0), sizing_mode="stretch_width")
        self._start = pmui.Button(label="Run", color="primary", icon="play_arrow", margin=0, on_click=self._begin)
        self._controls = Controls(self._stop, "Cancel")
        self._said = self._controls.said
        self._downloads = Downloads()
        self._result = pn.Column(margin=0, sizing_mode="stretch_width")
        self._unsaved = Unsaved("report", self._draft, self._restore, asks=False)
        self._pick.param.watch(lambda _event: self._picked(), "value")
        self._picked()
        self._clock = pn.state.add_periodic_callback(self._look, LOOK_MS, start=False)
        if is_served():
            pn.state.on_session_destroyed(lambda _context: self._leave())

    def _picked(self) -> None:
        report = self._reports.get(self._pick.value)
        self._start.disabled = report is None
        if report is None:
            self._about.object = '<p class="soft">There is no report in the folder notebooks/reports.</p>'
            return
        self._about.object = f'<p class="soft">{theme.esc(report.about)}</p>'
        self.fields = ReportFields(report.parameters, self._settings.clock.today(), self._unsaved.changed)
        self._fields[:] = [self.fields]
        self._unsaved.changed()

    def _draft(self) -> dict[str, Any]:
        run = None if self._running is None else self._running.id
        return {"report": self._pick.value, "fields": self.fields.texts(), "run": run}

    def _restore(self, draft: dict[str, Any]) -> None:
        if draft["report"] in self._reports:
            self._pick.value = draft["report"]
            self.fields.fill(draft["fields"])
        if draft["run"] is None:
            return
        if (running := self._runs.follow(draft["run"])) is None:
            self._said.say(ENDED, "bad")
        else:
            self._show_run(running)

    def _begin(self, _event: object) -> None:
        values = self.fields.values()
        if values is None or (self._running is not None and not self._running.progress.is_over):
            return
        try:
            running = self._runs.start(self._reports[self._pick.value], values, self._settings)
        except ReportError as error:
            self._said.say(str(error), "bad")
            return
        self._leave()
        self._show_run(running)

    def _leave(self) -> None:
        """Follows the run no more; it may be found again by what the browser keeps."""
        if self._running is not None:
            self._runs.leave(self._running)
            self._running = None

    def _show_run(self, running: Running) -> None:
        self._running = running
        self._unsaved.changed()
        self._result.clear()
        self._clock.start()
        self._look()

    def _stop(self) -> None:
        if self._running is not None:
            self._running.stop.set()
            self._controls.stop.disabled = True

    def _look(self) -> None:
        """Draws how far the run is."""
        assert self._running is not None
        progress = self._running.progress
        is_over = progress.is_over
        self._start.disabled = self._pick.disabled = not is_over
        self._controls.show(
            is_running=not is_over,
            done=max(0, progress.cell - 1),
            total=progress.cells,
            is_stopping=self._running.stop.is_set(),
        )
        text, kind = state_text(progress)
        if is_over:
            self._clock.stop()
            self._said.say(text, kind)
        else:
            self._said.follow(text, kind)
        if progress.state == "done":
            self._show(self._running)

    def _show(self, running: Running) -> None:
        """The report below its downloads. The frame has an origin of its own: nothing in it reaches this page."""
        downloads: list[Viewable] = [
            pmui.FileDownload(
                callback=_content(running.files[kind]),
                filename=f"{running.report.name}.{kind}",
                label=label,
                variant="outlined",
                margin=0,
            )
            for kind, label in FORMATS.items()
        ]
        if installed_chromium():
            label = "Download PDF"
            downloads.append(
                pmui.Button(label=label, variant="outlined", margin=0, on_click=partial(self._print, running))
            )
        frame = ReportFrame(running.report.title, running.files["html"].decode())
        self._result[:] = [card(pmui.Row(*downloads, sx={"gap": "12px", "flexWrap": "wrap"}, margin=0), frame)]

    async def _print(self, running: Running, event: param.parameterized.Event) -> None:
        """Hands the report out as PDF, which takes some seconds."""
        page = running.files["html"].decode()
        event.obj.loading = True
        try:
            await self._downloads.write(f"{running.report.name}.pdf", lambda path: path.write_bytes(printed(page)))
        except WorkbenchError as error:
            self._said.say(str(error), "bad")
        finally:
            event.obj.loading = False

    def __panel__(self) -> Viewable:
        buttons = pmui.Row(self._start, self._controls.stop, sx={"gap": "12px"}, margin=0)
        form = card(self._pick, self._about, self._fields, buttons, self._controls.bar, self._said, self._problems)
        kept = [self._unsaved] if is_served() else []
        return pmui.Column(
            form, self._result, self._downloads, *kept, sx={"gap": "16px"}, sizing_mode="stretch_width", margin=0
        )


def _by_title(reports: Sequence[Report]) -> dict[str, Report]:
    """The reports by what is picked; two of one title are told apart by their names."""
    titles = [report.title for report in reports]
    return {r.title if titles.count(r.title) == 1 else f"{r.title} ({r.name})": r for r in reports}


def state_text(progress: RunState) -> tuple[str, Kind]:
    """In words how far the run is, or what became of it; and how that is."""
    if progress.state == "waiting":
        return "Waiting: other reports run ...", ""
    if progress.state == "running":
        return f"Cell {progress.cell} of {progress.cells}: {progress.said}" if progress.cell else "Starting ...", ""
    if progress.state == "done":
        return f"Done in {progress.seconds:.1f} s. It is below.", "good"
    return progress.said, "bad"


def _content(content: bytes) -> Callable[[], io.BytesIO]:
    return partial(io.BytesIO, content)
