"""Page "Reports": pick one, set its parameters, run it, read it, take it along; what was run, and schedules."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import panel as pn
import panel_material_ui as pmui
import param
from panel.custom import JSComponent
from panel.viewable import Viewable, Viewer

from workbench import locale
from workbench.accounts.actor import current_actor
from workbench.components import theme
from workbench.components.browser.files import Downloads
from workbench.components.browser.page import Unsaved
from workbench.components.html import flow
from workbench.components.inline import is_served
from workbench.components.messages import Said
from workbench.components.tasks import Controls, Job
from workbench.config.clock import StoreClock
from workbench.connection import Workbench
from workbench.dashboards.report_lists import OPEN, REPEAT, RunList, ScheduleList
from workbench.dashboards.schedule_form import Chosen, ReportFields, ScheduleForm
from workbench.dashboards.tile import card, html
from workbench.errors import ReportGone, WorkbenchError
from workbench.files.chromium import installed_chromium
from workbench.locale import N_, _
from workbench.reports.background import shared_runs
from workbench.reports.history import Entry, Form, History
from workbench.reports.library import Report, library
from workbench.reports.mail import made
from workbench.reports.texts import ended_text


class ReportFrame(JSComponent):
    """The report ``page``, a whole document, under the name ``heading``."""

    heading = param.String(default="")
    page = param.String(default="")

    _bundle = Path(__file__).with_name("report_frame.js")

    def __init__(self, heading: str, page: str) -> None:
        super().__init__(heading=heading, page=page, margin=0, sizing_mode="stretch_width")


LOOK_MS = 250
FORMATS: dict[Form, str] = {"html": N_("Download HTML"), "ipynb": N_("Download notebook"), "pdf": N_("Download PDF")}
NOTHING_SHOWN = N_("What a report makes is shown here. Run one, or open one that was run.")
NO_REPORT = N_("There is no report in the folder notebooks/reports.")


class ReportsPage(Viewer):
    """A report runs in a process of its own, so that nobody's page waits for it. It outlives the page."""

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._settings = workbench.engines.settings
        self._runs, self._history, self._actor = shared_runs(), History.of(self._settings), current_actor()
        self._run_id = ""  # the run that is followed or shown
        self._job: Job | None = None
        there = library(self._settings.workbench_reports_dir)
        self._reports = _by_title(there.reports)
        self._problems = html(
            "".join(f'<p class="said bad">{theme.esc(problem)}</p>' for problem in there.problems.values())
        )
        titles = list(self._reports)
        self._pick = pmui.RadioBoxGroup(label=_("Report"), options=titles, value=next(iter(titles), None), margin=0)
        self._about, self._heading = html(), html()
        self._fields = pn.Column(margin=(8, 0, 0, 0), sizing_mode="stretch_width")
        self._start = pmui.Button(label=_("Run"), color="primary", icon="play_arrow", margin=0, on_click=self._begin)
        self._controls = Controls(self._stop, _("Cancel"))
        self._said = self._controls.said
        self._downloads = Downloads()
        self._result = pn.Column(margin=0, sizing_mode="stretch_width")
        self._show_nothing()
        self.runs = RunList(self._history, self._runs, self._settings, self._actor, self._act)
        self._said_of_schedules = Said()
        self.schedules = ScheduleList(self._settings, self._actor, self._said_of_schedules)
        form = self._settings, self._actor, self._said_of_schedules, self._to_schedule, self.schedules.renew
        self._schedule_forms = [ScheduleForm(*form)] if self._actor.may("admin") else []
        self._unsaved = Unsaved("report", self._draft, self._restore, asks=False)
        self._pick.param.watch(lambda _event: self._picked(), "value")
        self._picked()
        self._clock = pn.state.add_periodic_callback(self._look, LOOK_MS, start=False)

    def _picked(self) -> None:
        report = self._reports.get(self._pick.value)
        self._start.disabled = report is None
        if report is None:
            self._about.object = _soft(_(NO_REPORT))
            return
        self._heading.object = f"<h2>{theme.esc(_(report.title))}</h2>"
        self._about.object = _soft(_(report.about))
        self.fields = ReportFields(report.parameters, self._settings.clock.today(), self._unsaved.changed)
        self._fields[:] = [self.fields]
        self._unsaved.changed()

    def _to_schedule(self) -> Chosen | None:
        """The report that is picked, and what of its parameters is not as proposed."""
        report = self._reports.get(self._pick.value)
        return None if report is None or self.fields.values() is None else (report, self.fields.changed())

    def _draft(self) -> dict[str, Any]:
        return {"report": self._pick.value, "fields": self.fields.texts(), "run": self._run_id}

    def _restore(self, draft: dict[str, Any]) -> None:
        if draft["report"] in self._reports:
            self._pick.value = draft["report"]
            self.fields.fill(draft["fields"])
        if draft["run"]:
            self._open(draft["run"])

    def _act(self, run_id: str, action: str) -> None:
        """What is wanted with one of the runs."""
        if self._job is not None:
            self._said.say(_("Wait for the report that runs, or cancel it."), "bad")
        elif action == OPEN:
            self._open(run_id)
        elif action == REPEAT:
            self._repeat(run_id)

    def _repeat(self, run_id: str) -> None:
        """Runs the same report with the same parameters."""
        entry = self._history.find(run_id, self._actor)
        title = next((title for title, report in self._reports.items() if entry and report.name == entry.report), None)
        if entry is None or title is None:
            self._said.say(_("That report, or the run, is not there any more."), "bad")
            return
        self._pick.value = title
        texts = self.fields.texts()
        known = {name: "" if value is None else str(value) for name, value in entry.values.items() if name in texts}
        self.fields.fill(texts | known)
        self._begin()

    def _begin(self, _event: object = None) -> None:
        values = self.fields.values()
        if values is None or self._job is not None:
            return
        try:
            run_id = self._runs.start(self._reports[self._pick.value], values, self._settings)
        except WorkbenchError as error:
            self._said.say(str(error), "bad")
            return
        self._open(run_id)
        self.runs.renew()

    def _open(self, run_id: str) -> None:
        """Follows a run that goes on in this process, else shows what came of it."""
        is_seen = self._history.find(run_id, self._actor) is not None  # the browser says which run it followed
        self._run_id, self._job = run_id, self._runs.find(run_id) if is_seen else None
        self._unsaved.changed()
        if self._job is None:
            self._show_end()
        else:
            self._show_nothing()
            self._clock.start()
            self._look()

    def _stop(self) -> None:
        if self._job is not None:
            self._job.stop()
            self._controls.stop.disabled = True

    def _look(self) -> None:
        """Draws how far the run is."""
        assert self._job is not None
        progress = self._job.progress
        self._start.disabled = self._pick.disabled = progress.is_running
        self._controls.show(
            is_running=progress.is_running,
            done=max(0, progress.done - 1),
            total=progress.total,
            is_stopping=progress.is_stopping,
        )
        if progress.is_running:
            self._said.follow(progress.note or _("Starting ..."))
            return
        self._clock.stop()
        self._job = None
        self._show_end()

    def _show_end(self) -> None:
        """What came of the run, as the history has it."""
        entry = self._history.find(self._run_id, self._actor)
        if entry is not None and entry.state == "done":
            self._show(entry)
        else:
            self._show_nothing()
            self._said.say(_why_nothing(entry, self._settings.clock), "bad")
        self.runs.renew(self._run_id)

    def _show_nothing(self) -> None:
        self._result[:] = [card(html(_soft(_(NOTHING_SHOWN))))]

    def _show(self, entry: Entry) -> None:
        """The report below its downloads. The frame has an origin of its own: nothing in it reaches this page."""
        try:
            page = self._history.content(entry, "html").decode()
        except ReportGone as error:
            self._show_nothing()
            self._said.say(str(error), "bad")
            return
        began = self._settings.clock.text(entry.began_at)
        values = {"n": locale.number(entry.seconds, 1), "report": _(entry.title), "moment": began, "who": entry.by}
        self._said.say(_("Done in {n} s: {report}, run {moment} by {who}.", **values), "good")
        forms = FORMATS if installed_chromium() else {form: name for form, name in FORMATS.items() if form != "pdf"}
        downloads = [
            pmui.Button(label=_(name), variant="outlined", margin=0, on_click=partial(self._hand_out, entry, form))
            for form, name in forms.items()
        ]
        self._result[:] = [card(flow(*downloads, styles={"gap": "12px"}), ReportFrame(_(entry.title), page))]

    async def _hand_out(self, entry: Entry, form: Form, event: param.parameterized.Event) -> None:
        """Hands the report out; a PDF takes some seconds. What was tidied away meanwhile is said to be gone."""

        def write(path: Path) -> None:
            path.write_bytes(made(self._history, entry, form))

        event.obj.loading = True
        try:
            await self._downloads.write(f"{entry.report}.{form}", write)
        except WorkbenchError as error:
            self._said.say(str(error), "bad")
        finally:
            event.obj.loading = False

    def __panel__(self) -> Viewable:
        buttons = flow(self._start, self._controls.stop, styles={"gap": "12px"})
        parts = {
            "pick": card(self._pick, self._problems),
            "fields": card(self._heading, self._about, self._fields, buttons, self._controls.bar, self._said),
            "result": self._result,
            "runs": card(html(f"<h2>{_('Runs')}</h2>"), self.runs),
            "schedules": card(
                html(f"<h2>{_('Schedules')}</h2>"), self.schedules, self._said_of_schedules, *self._schedule_forms
            ),
        }
        for area, part in parts.items():
            part.styles = {"grid-area": area}
        self._result.styles = {
            "grid-area": "result",
            "position": "sticky",
            "top": "72px",
        }  # while the lists are scrolled
        sheet = Path(__file__).with_name("reports_page.css").read_text(encoding="utf-8")
        grid = pn.Column(*parts.values(), stylesheets=[sheet], sizing_mode="stretch_width", margin=0)
        hidden = [self._downloads, *([self._unsaved] if is_served() else [])]
        return pn.Column(grid, *hidden, sizing_mode="stretch_width", margin=0)


def _why_nothing(entry: Entry | None, clock: StoreClock) -> str:
    """Why there is no report of a run."""
    if entry is None:
        return _("The run is not in the history any more. Run it again.")
    return ended_text(entry, clock) if entry.is_over else _("It runs in another process. Open it when it is done.")


def _by_title(reports: Sequence[Report]) -> dict[str, Report]:
    """The reports by what is picked; two of one title are told apart by their names."""
    titles = [report.title for report in reports]
    return {_(r.title) if titles.count(r.title) == 1 else f"{_(r.title)} ({r.name})": r for r in reports}


def _soft(text: str) -> str:
    return f'<p class="soft">{theme.esc(text)}</p>'
