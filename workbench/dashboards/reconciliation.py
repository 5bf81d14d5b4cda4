"""The card Reconciliation: the last result of `workbench verify`, whoever ran it, and a button that runs it."""

from __future__ import annotations

from functools import partial

import panel as pn
import panel_material_ui as pmui
from panel.viewable import Viewable, Viewer

from workbench import locale
from workbench.accounts.actor import current_actor
from workbench.components import theme
from workbench.components.html import html_pane, table_html
from workbench.components.inline import read_aside
from workbench.components.messages import Kind
from workbench.components.tasks import Advance, Job, JobControls, Progress, ShouldStop
from workbench.config.clock import StoreClock
from workbench.connection import Workbench
from workbench.database.failures import called
from workbench.database.positions import wait_for_replica
from workbench.database.replication import ReadPosition
from workbench.errors import WorkbenchError
from workbench.live import shared_live
from workbench.locale import N_, _
from workbench.metrics import DIMENSIONS, METRICS
from workbench.metrics.verification import Difference, Verification, last, save, verify
from workbench.words import counted

COMPARING = N_("To compare the servers")
MOST_SHOWN = 20
COLUMNS = (N_("Metric"), N_("By"), N_("Group"), N_("Master"), N_("Engine"), N_("Its figure"))
ABOUT = N_("Every metric on every engine, the columns included, at one token, to the cent.")


class Reconciliation(Viewer):
    """Follows the process's one verification; ``follow`` is called again and again to keep up with it."""

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench, self._actor = workbench, current_actor()
        self._session = ReadPosition()
        job: Job = pn.state.as_cached("verification", partial(Job, _("The comparison failed.")))
        self._controls = JobControls(job, self._stop)
        self._start_button = pmui.Button(label=_("Compare now"), color="primary", margin=0, width=170)
        self._start_button.on_click(lambda event: self._start())
        self._result = html_pane(f'<p class="soft waiting">{_("Loading …")}</p>')
        self._shown: Progress | None = None

    async def follow(self, is_master_up: bool) -> None:
        """Takes note of the master's state, of how far the comparison is, and of the last result."""
        progress, said = self._controls.follow(), self._controls.said
        self._start_button.disabled = progress.is_running or not is_master_up
        if self._shown is None or self._shown.ended != progress.ended:
            self._result.object = await read_aside(self._last)
        text, kind = progress_text(progress)
        if self._controls.own_has_ended():
            said.say(text or _("Compared: the result is above."), kind)
        elif progress.is_running or text:
            said.follow(text, kind)
        self._shown = progress

    def _last(self) -> str:
        try:
            return result_html(last(self._workbench.reader, self._session).value, self._workbench.clock)
        except WorkbenchError as error:
            return f'<p class="note bad">{theme.esc(error)}</p>'

    def _stop(self) -> None:
        self._actor.need("admin", _(COMPARING))
        self._controls.job.stop()

    def _start(self) -> None:
        self._actor.need("admin", _(COMPARING))
        self._controls.start(self._compared)

    def _compared(self, advance: Advance, should_stop: ShouldStop) -> str:
        result = verify(self._workbench.engines, advance, should_stop, shared_live(self._workbench).columns)
        save(self._workbench.engines, result, self._actor)
        wait_for_replica(self._workbench.engines)  # every page that looks now finds it
        return ""

    def __panel__(self) -> Viewable:
        heading = html_pane(f'<h2>{_("Reconciliation")}</h2><p class="soft">{_(ABOUT)}</p>')
        buttons = pmui.Row(self._start_button, self._controls.stop, sx={"gap": "12px"}, margin=0)
        run = [buttons, self._controls.bar, self._controls.said] if self._actor.may("admin") else []
        return pmui.Column(heading, self._result, *run, sx={"gap": "16px"}, sizing_mode="stretch_width")


def progress_text(progress: Progress) -> tuple[str, Kind]:
    """In words how far the comparison is, or why there is no result; and how that is."""
    if progress.is_stopping:
        return _("Stopping after the question that is being asked ..."), ""
    if progress.is_running:
        return _("{n} of {all}", n=progress.done, all=counted(progress.total, "question")), ""
    return progress.said, "bad" if progress.is_error else ""


def result_html(result: Verification | None, clock: StoreClock) -> str:
    """What was found, when, at which token; with the first differences, everything from the database escaped."""
    if result is None:
        return f'<p class="soft">{_("Nothing has been compared yet.")}</p>'
    what = _(
        "{figures} on {engines}. {moment}, at {token}.",
        figures=counted(result.figures, "figure"),
        engines=", ".join(map(called, result.engines)),
        moment=clock.text(result.verified_at),
        token=result.token,
    )
    differing = locale.number(len(result.differences))
    verdict = _("No difference") if result.is_good else _("Figures that differ: {n}", n=differing)
    if result.problems and not result.differences:
        verdict = _("Not everything was compared")
    kind = "good" if result.is_good else "bad"
    said = f'<p class="said {kind}">{verdict}</p><p class="soft">{theme.esc(what)}</p>'
    problems = "".join(f'<p class="note bad">{theme.esc(problem)}</p>' for problem in result.problems)
    return said + problems + _table(result.differences)


def _table(differences: tuple[Difference, ...]) -> str:
    if not differences:
        return ""
    left = len(differences) - MOST_SHOWN
    text = _("... and {n} more: see workbench verify.", n=locale.number(left))
    more = f'<p class="soft">{text}</p>' if left > 0 else ""
    return table_html([(_(column), False) for column in COLUMNS], map(_row, differences[:MOST_SHOWN])) + more


def _row(found: Difference) -> tuple[str, ...]:
    metric = METRICS[found.metric].label if found.metric in METRICS else found.metric
    by = DIMENSIONS[found.dimension].label if found.dimension in DIMENSIONS else found.dimension or _("in total")
    return metric, by, found.group, found.master, called(found.engine), found.found
