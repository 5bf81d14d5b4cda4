"""The card Reconciliation: the last result of `workbench verify`, whoever ran it, and a button that runs it."""

from __future__ import annotations

from functools import partial

import panel as pn
import panel_material_ui as pmui
from panel.viewable import Viewable, Viewer

from workbench.accounts.actor import current_actor
from workbench.components import theme
from workbench.components.browser.said import Kind, Said
from workbench.components.html import html_pane, table_html
from workbench.components.inline import read_aside
from workbench.config.clock import StoreClock
from workbench.connection import Workbench
from workbench.dashboards.job import Advance, Job, Progress, ShouldStop
from workbench.database.failures import called
from workbench.database.positions import wait_for_replica
from workbench.database.replication import Session
from workbench.errors import WorkbenchError
from workbench.live import shared_live
from workbench.metrics import METRICS
from workbench.metrics.verification import Difference, Verification, last, save, verify
from workbench.words import counted

COMPARING = "To compare the servers"
MOST_SHOWN = 20
COLUMNS = ("Metric", "By", "Group", "Master", "Engine", "Its figure")
ABOUT = "Every metric on every engine, the columns included, at one token, to the cent."


class Reconciliation(Viewer):
    """Follows the process's one verification; ``follow`` is called again and again to keep up with it."""

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench, self._actor = workbench, current_actor()
        self._session = Session()
        self._job = pn.state.as_cached("verification", partial(Job, "The comparison failed."))
        self._start_button = pmui.Button(label="Compare now", color="primary", margin=0, width=170)
        self._start_button.on_click(lambda event: self._start())
        self._stop_button = pmui.Button(label="Stop", variant="outlined", color="error", margin=0, visible=False)
        self._stop_button.on_click(lambda event: self._stop())
        self._bar = pmui.LinearProgress(value=0, max=1, margin=0, visible=False, sizing_mode="stretch_width")
        self._said = Said()
        self._result = html_pane('<p class="soft waiting">Loading …</p>')
        self._shown: Progress | None = None
        self._awaited: int | None = None  # how many comparisons will have ended when this page's own has

    async def follow(self, is_master_up: bool) -> None:
        """Takes note of the master's state, of how far the comparison is, and of the last result."""
        progress = self._job.progress
        self._start_button.disabled = progress.is_running or not is_master_up
        self._stop_button.param.update(visible=progress.is_running, disabled=progress.is_stopping)
        self._bar.param.update(visible=progress.is_running, max=max(progress.total, 1), value=progress.done)
        if self._shown is None or self._shown.ended != progress.ended:
            self._result.object = await read_aside(self._last)
        text, kind = progress_said(progress)
        if self._awaited is not None and progress.ended >= self._awaited:
            self._awaited = None
            self._said.say(text or "Compared: the result is above.", kind)
        elif progress.is_running or text:
            self._said.follow(text, kind)
        self._shown = progress

    def _last(self) -> str:
        try:
            return result_html(last(self._workbench.reader, self._session).value, self._workbench.clock)
        except WorkbenchError as error:
            return f'<p class="note bad">{theme.esc(error)}</p>'

    def _stop(self) -> None:
        self._actor.need("admin", COMPARING)
        self._job.stop()

    def _start(self) -> None:
        self._actor.need("admin", COMPARING)
        due = self._job.progress.ended + 1
        if self._job.start(self._compared):
            self._awaited = due

    def _compared(self, advance: Advance, should_stop: ShouldStop) -> str:
        result = verify(self._workbench.engines, advance, should_stop, shared_live(self._workbench).columns)
        save(self._workbench.engines, result, self._actor)
        wait_for_replica(self._workbench.engines)  # every page that looks now finds it
        return ""

    def __panel__(self) -> Viewable:
        heading = html_pane(f'<h2>Reconciliation</h2><p class="soft">{ABOUT}</p>')
        buttons = pmui.Row(self._start_button, self._stop_button, sx={"gap": "12px"}, margin=0)
        run = [buttons, self._bar, self._said] if self._actor.may("admin") else []
        return pmui.Column(heading, self._result, *run, sx={"gap": "16px"}, sizing_mode="stretch_width")


def progress_said(progress: Progress) -> tuple[str, Kind]:
    """In words how far the comparison is, or why there is no result; and how that is."""
    if progress.is_stopping:
        return "Stopping after the question that is being asked ...", ""
    if progress.is_running:
        return f"{progress.done} of {counted(progress.total, 'question')}", ""
    return progress.said, "bad" if progress.is_error else ""


def result_html(result: Verification | None, clock: StoreClock) -> str:
    """What was found, when, at which token; with the first differences, everything from the database escaped."""
    if result is None:
        return '<p class="soft">Nothing has been compared yet.</p>'
    when = f"{clock.text(result.verified_at)}, at {theme.esc(result.token)}"
    what = f"{counted(result.figures, 'figure')} on {theme.esc(', '.join(map(called, result.engines)))}"
    verdict = "No difference" if result.is_good else f"Figures that differ: {len(result.differences):,}"
    if result.problems and not result.differences:
        verdict = "Not everything was compared"
    kind = "good" if result.is_good else "bad"
    said = f'<p class="said {kind}">{verdict}</p><p class="soft">{what}. {when}.</p>'
    problems = "".join(f'<p class="note bad">{theme.esc(problem)}</p>' for problem in result.problems)
    return said + problems + _table(result.differences)


def _table(differences: tuple[Difference, ...]) -> str:
    if not differences:
        return ""
    left = len(differences) - MOST_SHOWN
    more = f'<p class="soft">... and {left:,} more: see workbench verify.</p>' if left > 0 else ""
    return table_html([(column, False) for column in COLUMNS], map(_row, differences[:MOST_SHOWN])) + more


def _row(found: Difference) -> tuple[str, ...]:
    metric = METRICS[found.metric].label if found.metric in METRICS else found.metric
    return metric, found.dimension or "in total", found.group, found.master, called(found.engine), found.found
