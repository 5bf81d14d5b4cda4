"""How long the master's commits take until the followers show them: a live chart, and its quantiles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import panel as pn
from bokeh.models import ColumnDataSource, DataRange1d, DatetimeTickFormatter, HoverTool, NumeralTickFormatter
from bokeh.plotting import figure
from panel.viewable import Viewable, Viewer

from workbench import telemetry
from workbench.components import theme
from workbench.components.html import table_html
from workbench.config.clock import StoreClock
from workbench.dashboards.chart import quiet
from workbench.dashboards.tile import html
from workbench.database.failures import called
from workbench.database.positions import KEPT_POINTS, Point, Stopwatch
from workbench.locale import N_, _, conventions
from workbench.telemetry import Quantiles

COLORS = {"replica": theme.PALETTE[0], "risingwave": theme.PALETTE[1]}
COLUMNS = ("at", "zone", "ms", "text", "waiting")
HEADS = {N_("Until visible"): False, N_("Count"): True, N_("Latest"): True, "p50": True, "p95": True}
HEIGHT = 190


class CommitLatency(Viewer):
    """A line a follower, with a point a heartbeat. ``follow`` is called again and again and sends only new points."""

    def __init__(self, stopwatch: Stopwatch, clock: StoreClock) -> None:
        super().__init__()
        self._stopwatch, self._clock = stopwatch, clock
        self._sources = {name: ColumnDataSource({column: [] for column in COLUMNS}) for name in stopwatch.points()}
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
        heads = [(_(head), is_number) for head, is_number in HEADS.items()]
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
