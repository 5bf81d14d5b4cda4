"""Cards of the page Pipeline: how long commits take until followers show them, and what was last verified."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import panel as pn
import panel_material_ui as pmui
from bokeh.models import ColumnDataSource, DataRange1d, DatetimeTickFormatter, HoverTool, NumeralTickFormatter
from bokeh.plotting import figure
from panel.viewable import Viewable, Viewer

from workbench import locale, telemetry
from workbench.accounts.actor import current_actor
from workbench.components import theme
from workbench.components.html import html_pane, table_html
from workbench.components.inline import read_aside
from workbench.components.messages import Kind
from workbench.components.tasks import Advance, Job, JobControls, Progress, ShouldStop
from workbench.config.clock import StoreClock
from workbench.connection import Workbench
from workbench.dashboards.chart import quiet
from workbench.dashboards.tile import html
from workbench.database.failures import called
from workbench.database.positions import KEPT_POINTS, Point, Stopwatch, wait_for_replica
from workbench.database.replication import ReadPosition
from workbench.errors import WorkbenchError
from workbench.live import shared_live
from workbench.locale import N_, _, conventions
from workbench.metrics import DIMENSIONS, METRICS
from workbench.metrics.verification import Difference, Verification, last, save, verify
from workbench.telemetry import Quantiles
from workbench.words import counted

COLORS = {"replica": theme.PALETTE[0], "risingwave": theme.PALETTE[1]}
POINT_COLUMNS = ("at", "zone", "ms", "text", "waiting")
QUANTILE_HEADS = {N_("Until visible"): False, N_("Count"): True, N_("Latest"): True, "p50": True, "p95": True}
HEIGHT = 190


class CommitLatency(Viewer):
    """A line a follower, with a point a heartbeat. ``follow`` is called again and again and sends only new points."""

    def __init__(self, stopwatch: Stopwatch, clock: StoreClock) -> None:
        super().__init__()
        self._stopwatch, self._clock = stopwatch, clock
        self._sources = {
            name: ColumnDataSource({column: [] for column in POINT_COLUMNS}) for name in stopwatch.points()
        }
        self._sent: dict[str, int] = {}  # the time of the newest point that the page has, in ms
        self._chart = pn.pane.Bokeh(_chart(self._sources), sizing_mode="stretch_width", height=HEIGHT, margin=0)
        self._table = html()
        self.follow()

    def follow(self) -> None:
        """Takes over what was measured since."""
        courses = self._stopwatch.points()
        for name, points in courses.items():
            new = [point for point in points if _ms(point) > self._sent.get(name, 0)]
            if new:
                self._sent[name] = _ms(new[-1])
                self._sources[name].stream(_columns(new, self._clock), rollover=KEPT_POINTS)
        heads = [(_(head), is_number) for head, is_number in QUANTILE_HEADS.items()]
        self._table.object = table_html(heads, _rows(courses, telemetry.SAVES.quantiles()), kind="full")

    def __panel__(self) -> Viewable:
        about = _("Measured with each heartbeat. A line that climbs is a commit that is not visible yet.")
        heading = html(f'<h2>{_("Commit to follower, ms")}</h2><p class="soft">{about}</p>')
        return pn.Column(heading, self._chart, self._table, sizing_mode="stretch_width", margin=0)


def _chart(sources: Mapping[str, ColumnDataSource]) -> figure:
    now = conventions()
    made = figure(
        height=HEIGHT,
        sizing_mode="stretch_width",
        tools="",
        toolbar_location=None,
        x_axis_type="datetime",
        x_range=DataRange1d(follow="end", follow_interval=KEPT_POINTS * 1000, range_padding=0.01),
        y_range=DataRange1d(start=0, min_interval=5),
    )
    for name, source in sources.items():
        color = COLORS[name]
        label: dict[str, Any] = {"legend_label": called(name)} if len(sources) > 1 else {}
        line = made.line("at", "ms", source=source, color=color, line_width=2, **label)
        made.scatter("at", "ms", source=source, size="waiting", color=color, fill_alpha=0, line_width=2)
        tips = [(_("Follower"), called(name)), (_("At"), f"@at{{{now.seconds}}} @zone"), (_("Visible"), "@text")]
        made.add_tools(HoverTool(renderers=[line], mode="vline", tooltips=tips, formatters={"@at": "datetime"}))
    made.xaxis.formatter = DatetimeTickFormatter(
        seconds=now.seconds, minsec=now.seconds, minutes=now.time, hourmin=now.time, hours=now.time
    )
    made.yaxis.formatter = NumeralTickFormatter(format="0,0.[0]")
    quiet(made)
    return made


def _columns(points: Sequence[Point], clock: StoreClock) -> Any:
    return {
        "at": [_ms(point) + clock.offset(point.at)[0] * 1000 for point in points],
        "zone": [clock.offset(point.at)[1] for point in points],
        "ms": [point.seconds * 1000 for point in points],
        "text": [
            _("after {duration}", duration=theme.duration(p.seconds)) if p.is_visible else _("not yet") for p in points
        ],
        "waiting": [0 if point.is_visible else 6 for point in points],
    }


def _ms(point: Point) -> int:
    return int(point.at.timestamp() * 1000)


def _rows(courses: Mapping[str, Sequence[Point]], saves: Mapping[str, Quantiles]) -> Iterable[Sequence[str]]:
    for name, points in courses.items():
        beats = telemetry.quantiles([point.seconds for point in points if point.is_visible])
        latest = "" if not points else theme.duration(points[-1].seconds) if points[-1].is_visible else _("not yet")
        where = f", {called(name)}" if len(courses) > 1 else ""
        yield (f"{_('Heartbeats')}{where}", *_cells(beats, latest))
        yield (f"{_('Saves')}{where}", *_cells(saves.get(name), ""))


def _cells(found: Quantiles | None, latest: str) -> tuple[str, str, str, str]:
    if found is None:
        return "0", latest, theme.NOTHING, theme.NOTHING
    return theme.count(found.count), latest, theme.duration(found.p50), theme.duration(found.p95)


COMPARING = N_("To compare the servers")
MOST_SHOWN = 20
COLUMNS = (N_("Metric"), N_("By"), N_("Group"), N_("Master"), N_("Engine"), N_("Its figure"))
ABOUT = N_("Every metric on every engine, the columns included, at one token, to the cent.")


class Reconciliation(Viewer):
    """Follows the process's one verification; ``follow`` is called again and again to keep up with it."""

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench, self._actor = workbench, current_actor()
        self._read_position = ReadPosition()
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
            return result_html(last(self._workbench.reader, self._read_position).value, self._workbench.clock)
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
