"""Page "Reports": pick one, set its parameters, run it with progress, read it, download it."""

from __future__ import annotations

import calendar
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import panel as pn
import panel_material_ui as pmui
import param
from panel.custom import JSComponent
from panel.viewable import Viewable, Viewer

from workbench.accounts.actor import current_actor
from workbench.components import theme
from workbench.components.browser.downloads import Downloads
from workbench.components.browser.unsaved import Unsaved
from workbench.components.inline import is_served
from workbench.components.tasks import Controls, Job
from workbench.connection import Workbench
from workbench.dashboards.tile import card, html
from workbench.errors import FieldError, ParameterRefused, ReportGone, WorkbenchError
from workbench.files.chromium import installed_chromium, printed
from workbench.forms.fields import Fields
from workbench.reports.background import shared_runs
from workbench.reports.history import Entry, History, Kept
from workbench.reports.library import Parameter, Report, Value, library
from workbench.reports.texts import ended_text
from workbench.words import label


class ReportFrame(JSComponent):
    """The report ``page``, a whole document, under the name ``heading``."""

    heading = param.String(default="")
    page = param.String(default="")

    _esm = Path(__file__).with_name("report_frame.js")

    def __init__(self, heading: str, page: str) -> None:
        super().__init__(heading=heading, page=page, margin=0, sizing_mode="stretch_width")


MONTHS = 36  # that can be picked, the present one first
FIELD: dict[str, Any] = {"margin": 0, "width": 240, "size": "small"}


class ReportFields(Viewer):
    """A field for each parameter, holding what is proposed for ``today``. ``on_change`` is called when one changes."""

    def __init__(
        self, parameters: Sequence[Parameter], today: date, on_change: Callable[..., None] = lambda *_: None
    ) -> None:
        super().__init__()
        self._parameters = parameters
        self._fields = Fields({parameter.name: _widget(parameter, today) for parameter in parameters}, on_change)

    def texts(self) -> dict[str, str]:
        """What every field holds, as text without the blanks around it."""
        return {name: _text(value).strip() for name, value in self._fields.texts().items()}

    def fill(self, texts: Mapping[str, str]) -> None:
        """Puts texts into the fields."""
        held = {name: _held(widget, texts[name]) for name, widget in self._fields.widgets.items()}
        self._fields.fill(held)

    def values(self) -> dict[str, Value] | None:
        """The value of each parameter; None after saying by the fields what is wrong with them."""
        found, errors, texts = dict[str, Value](), list[FieldError](), self.texts()
        for parameter in self._parameters:
            try:
                found[parameter.name] = parameter.parse(texts[parameter.name])
            except ParameterRefused:
                errors.append(FieldError(parameter.name, texts[parameter.name], f"give {parameter.allowed}"))
        self._fields.show(errors)
        return None if errors else found

    def __panel__(self) -> Viewable:
        layout = {"gap": "16px", "flexWrap": "wrap", "alignItems": "flex-start"}
        return pmui.Row(*self._fields.widgets.values(), sx=layout, margin=0, sizing_mode="stretch_width")


def _widget(parameter: Parameter, today: date) -> Any:
    value = parameter.proposed(today)
    named = {"label": label(parameter.name), "helper_text": parameter.about, **FIELD}
    made: Any
    if parameter.kind == "choice":
        options = {label(choice): choice for choice in parameter.choices}
        made = pmui.Select(options=({"": None} if parameter.is_optional else {}) | options, value=value, **named)
    elif parameter.kind == "month":
        made = pmui.Select(options=_months(today, parameter.is_optional), value=value, **named)
    else:  # a day too: a picker says nothing of a text that is none, and keeps the day before it
        hint = "YYYY-MM-DD" if parameter.kind == "date" else "all" if parameter.is_optional else ""
        made = pmui.TextInput(value=_text(value), placeholder=hint, **named)
    return made


def _held(widget: Any, text: str) -> Any:
    """A text as this kind of widget holds it."""
    return text if text or isinstance(widget, pmui.TextInput) else None


def _months(today: date, is_optional: bool) -> dict[str, str | None]:
    found: dict[str, str | None] = {"": None} if is_optional else {}
    for back in range(MONTHS):
        number = today.year * 12 + today.month - 1 - back
        year, month = number // 12, number % 12 + 1
        found[f"{calendar.month_name[month]} {year}"] = f"{year}-{month:02d}"
    return found


def _text(value: Any) -> str:
    return "" if value is None else str(value)


LOOK_MS = 250
FORMATS: dict[Kept, str] = {"html": "Download HTML", "ipynb": "Download notebook"}


class ReportsPage(Viewer):
    """A report runs in a process of its own, so that nobody's page waits for it. It outlives a lost connection."""

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._settings = workbench.engines.settings
        self._runs = shared_runs()
        self._history, self._actor = History.of(self._settings), current_actor()
        self._run_id = ""  # the run that is followed or shown
        self._job: Job | None = None
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
        return {"report": self._pick.value, "fields": self.fields.texts(), "run": self._run_id}

    def _restore(self, draft: dict[str, Any]) -> None:
        if draft["report"] in self._reports:
            self._pick.value = draft["report"]
            self.fields.fill(draft["fields"])
        if draft["run"]:
            self._open(draft["run"])

    def _begin(self, _event: object) -> None:
        values = self.fields.values()
        if values is None or self._job is not None:
            return
        try:
            run_id = self._runs.start(self._reports[self._pick.value], values, self._settings)
        except WorkbenchError as error:
            self._said.say(str(error), "bad")
            return
        self._open(run_id)

    def _open(self, run_id: str) -> None:
        """Follows a run that goes on in this process, else shows what came of it."""
        self._run_id, self._job = run_id, self._runs.find(run_id)
        self._unsaved.changed()
        self._result.clear()
        if self._job is None:
            self._show_end()
        else:
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
            self._said.follow(progress.note or "Starting ...")
            return
        self._clock.stop()
        self._job = None
        self._show_end()

    def _show_end(self) -> None:
        """What came of the run, as the history has it."""
        entry = self._history.find(self._run_id, self._actor)
        if entry is None:
            self._said.say("The run is not in the history any more. Run it again.", "bad")
        elif entry.state == "done":
            self._said.say(f"Done in {entry.seconds:.1f} s. It is below.", "good")
            self._show(entry)
        else:
            self._said.say(ended_text(entry, self._settings.clock), "bad")

    def _show(self, entry: Entry) -> None:
        """The report below its downloads. The frame has an origin of its own: nothing in it reaches this page."""
        try:
            page = self._history.content(entry, "html").decode()
        except ReportGone as error:
            self._said.say(str(error), "bad")
            return
        downloads: list[Viewable] = [
            pmui.FileDownload(
                callback=partial(self._content, entry, kind),
                filename=f"{entry.report}.{kind}",
                label=label,
                variant="outlined",
                margin=0,
            )
            for kind, label in FORMATS.items()
        ]
        if installed_chromium():
            print_it = partial(self._print, entry)
            downloads.append(pmui.Button(label="Download PDF", variant="outlined", margin=0, on_click=print_it))
        frame = ReportFrame(entry.title, page)
        self._result[:] = [card(pmui.Row(*downloads, sx={"gap": "12px", "flexWrap": "wrap"}, margin=0), frame)]

    def _content(self, entry: Entry, kind: Kept) -> io.BytesIO:
        return io.BytesIO(self._history.content(entry, kind))

    async def _print(self, entry: Entry, event: param.parameterized.Event) -> None:
        """Hands the report out as PDF, which takes some seconds."""

        def write(path: Path) -> None:
            path.write_bytes(printed(self._history.content(entry, "html").decode()))

        event.obj.loading = True
        try:
            await self._downloads.write(f"{entry.report}.pdf", write)
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
