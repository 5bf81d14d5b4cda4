"""Charts of a question: lines over time, bars or cells; each metric has its own, so that no two units share an axis."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import holoviews as hv
import pandas as pd
from bokeh.models import HoverTool, Plot
from bokeh.models.annotations import ColorBar
from hvplot import hvPlot

from workbench.components import theme
from workbench.dashboards.bars import ALL_BARS, FRAME, LABEL_LENGTH, MOST_BARS, ROW, lying
from workbench.dashboards.chart import (
    NO_WIDTH,
    ChartTile,
    amounts,
    days_of_axis,
    extremes,
    floats,
    frameless,
    padded,
    short,
    theme_color,
    unit_text,
)
from workbench.dashboards.feed import Feed, Moment
from workbench.dashboards.heatmap import cells
from workbench.dashboards.over_time import BARE, QUIET, edges
from workbench.dashboards.pivot import PivotTable
from workbench.dashboards.question_figures import (
    EACH,
    LEFT_OUT,
    TIMES,
    GroupNames,
    adds_nothing,
    figure_text,
    figures_of,
    ranked,
    rows_of,
    spans,
    totals_of,
)
from workbench.dashboards.tile import Tile
from workbench.dashboards.tile_card import Button
from workbench.database.replication import Answer
from workbench.filters import CUSTOM
from workbench.filters.question import Asked, heading_of, title_of
from workbench.locale import _
from workbench.metrics import DIMENSIONS, METRICS, MetricQuery
from workbench.words import counted

TOLD = '<div style="max-width: 320px"><b>@name</b><div style="white-space: pre-line">@text</div></div>'


def tiles_of(feed: Feed, asked: Asked, shape: str) -> list[Tile]:
    """What draws a question: a table, or a chart for each metric; a figure in total has no chart."""
    if not asked.metrics:
        return []
    if shape == "table" or not asked.by:
        return [PivotTable(feed, asked)]
    kind = QuestionLines if set(asked.by) & set(TIMES) else QuestionBars if len(asked.by) == 1 else QuestionCells
    return [kind(feed, asked, metric) for metric in asked.metrics]


class QuestionChart(ChartTile):
    """One metric of a question. ``left_out`` says in words what is not drawn."""

    is_slow = True  # nobody knows how much is asked

    def __init__(self, source: Feed, asked: Asked, metric: str) -> None:
        self.asked, self.metric, self._not_asked = asked, metric, ""
        self.title = title_of([metric], asked.by)
        self.about = METRICS[metric].about
        super().__init__(source)

    @property
    def heading(self) -> str:
        """What is asked."""
        return heading_of([self.metric], self.asked.by)

    def asks(self, moment: Moment) -> Iterable[MetricQuery]:
        """Every total; pairs of groups are asked for once it is known how many there are."""
        return self.asked.totals(moment.where)

    def fetch(self, moment: Moment) -> Answer[pd.DataFrame]:
        """The rows of ``figures_of``."""
        return figures_of(moment, self.asked)

    def variant(self) -> Hashable:
        """The question and the metric."""
        return self.asked, self.metric

    def left_out(self) -> str:
        """What of it is not drawn."""
        return ""

    def draw(self, moment: Moment, frame: pd.DataFrame) -> None:
        """With what the frame does not hold."""
        self._not_asked = frame.attrs.get(LEFT_OUT, "")
        super().draw(moment, frame)

    def redraw(self) -> None:
        """Says below the chart what it leaves out."""
        super().redraw()
        drawn = "" if self.is_table else self.left_out()
        if text := " ".join(filter(None, (drawn, self._not_asked))):
            said = f'<p class="soft">{theme.esc(text)}</p>'
            self.card.fill(f"{said}{self._table()}" if self.is_table else said, is_open=not self.is_table)

    def _write(self, figure: Plot) -> None:
        """The chart is drawn once for all questions: axes are named as the figures are written."""
        super()._write(figure)
        self.name_axes(figure)

    def name_axes(self, figure: Plot) -> None:
        """Says at the axis what is counted."""
        raise NotImplementedError

    @property
    def unit(self) -> str:
        """What the axis counts."""
        return unit_text(self.metric, self.currency)

    def texts(self, values: Iterable[Any]) -> list[str]:
        """Figures as they are read."""
        return [figure_text(self.metric, value, self.currency) for value in values]

    def drawn_of(self, shown: int, count: int, dimension: str) -> str:
        """``8 of 12 stores are drawn …`` where there are more than are shown."""
        if shown >= count:
            return ""
        return _(
            "By {by}, {shown} of {n} are drawn, those with the most. The table and the files have more.",
            by=DIMENSIONS[dimension].noun,
            shown=shown,
            n=theme.count(count),
        )


class QuestionBars(QuestionChart):
    """A bar for each group."""

    most = MOST_BARS

    def __init__(self, source: Feed, asked: Asked, metric: str) -> None:
        super().__init__(source, asked, metric)
        self._most_shown = 0

    @property
    def reads(self) -> Mapping[str, str]:  # type: ignore[override]
        """What the table of the chart has."""
        return {DIMENSIONS[self.asked.by[0]].label: "name", self.unit: "text"}

    def variant(self) -> Hashable:
        """The question, how many bars are shown, and for how many there is room."""
        return self.asked, self.metric, self.is_whole, self._most_shown

    def prepare(self, moment: Moment, frame: pd.DataFrame) -> pd.DataFrame:
        """A row for each bar with its label, colour and text: in its own order, else the highest first."""
        (by,) = self.asked.by
        groups = rows_of(frame, EACH)
        found = dict(zip(groups[by], groups[self.metric], strict=True))
        values = ranked(groups, by, self.metric)
        named = GroupNames(frame, moment.names)
        names = [named.of(by, value) for value in values]
        figures = [found[value] for value in values]
        colors = theme.store_colors(values) if by == "store" else {}
        return pd.DataFrame(
            {
                "label": short(names, LABEL_LENGTH),
                "revenue": floats(figures),
                "name": names,
                "text": self.texts(figures),
                "value": [theme.NOTHING if figure is None else theme.brief(figure) for figure in figures],
                "color": [colors.get(value, theme_color()) for value in values],
                "alpha": 1.0,
            }
        )

    def summarized(self, data: pd.DataFrame) -> str:
        """``12 bars, highest … with …, lowest … with …``."""
        return _(
            "{n} by {by}, {extremes}.", n=len(data), by=DIMENSIONS[self.asked.by[0]].noun, extremes=_extremes(data)
        )

    def marks(self, data: pd.DataFrame) -> pd.DataFrame:
        """The first bars, or all of them, as they are drawn: the last one first."""
        return padded(data.head(self._count(data)), "label", self._most_shown).iloc[::-1]

    def _count(self, data: pd.DataFrame) -> int:
        return min(len(data), ALL_BARS if self.is_whole else self._limit)

    @property
    def _limit(self) -> int:
        return 24 if self.asked.by[0] == "hour" else self.most

    def redraw(self) -> None:
        """Keeps room for as many bars as there were; so many as there are decide the height."""
        self._most_shown = max(self._most_shown, self._count(self._data))
        self.height = max(type(self).height, FRAME + ROW * self._most_shown)
        super().redraw()

    def offers(self) -> list[Button]:
        """A button for all bars where there are more than are shown."""
        return self.all_button(len(self._data), ALL_BARS) if len(self._data) > self._limit else []

    def pressed(self, button: str) -> None:
        """Shows all bars, or the first alone again."""
        super().pressed(button)
        if button == "all":
            self.is_whole, self._most_shown = not self.is_whole, 0
            self.redraw()

    def left_out(self) -> str:
        """How many bars are not drawn."""
        return self.drawn_of(self._count(self._data), len(self._data), self.asked.by[0])

    def name_axes(self, figure: Plot) -> None:
        """Bars lie: the figures are below."""
        figure.xaxis[0].axis_label = self.unit

    def plot(self, data: pd.DataFrame) -> Any:
        """Bars that lie."""
        return lying(data, [], TOLD, height=self.height, ylabel="")


SERIES = [f"s{number}" for number in range(len(theme.PALETTE))]


class QuestionLines(QuestionChart):
    """A line over the days, weeks or months; with another dimension one for each of its groups."""

    height = 320

    @property
    def time(self) -> str:
        """The dimension that goes along."""
        return next(name for name in self.asked.by if name in TIMES)

    @property
    def other(self) -> str:
        """The dimension that has a line each; empty for one line."""
        return next((name for name in self.asked.by if name != self.time), "")

    @property
    def reads(self) -> Mapping[str, str]:  # type: ignore[override]
        """What the table of the chart has."""
        return {DIMENSIONS[self.time].label: "name", self.unit: "text"}

    def draw(self, moment: Moment, frame: pd.DataFrame) -> None:
        """The lines, and what each is."""
        totals = totals_of(frame, self.other, self.asked.by) if self.other else frame
        self._groups = ranked(totals, self.other, self.metric) if self.other else []
        named = GroupNames(frame, moment.names)
        texts = [named.of(self.other, value) for value in self._groups[: len(SERIES)]]
        self.card.legend = [(f"series{number}", text) for number, text in enumerate(texts)]
        super().draw(moment, frame)

    def prepare(self, moment: Moment, frame: pd.DataFrame) -> pd.DataFrame:
        """A row for each day, week or month of the period: a column for each line, and what the pointer reads."""
        groups, named = rows_of(frame, EACH), GroupNames(frame, moment.names)
        first, last = moment.filters.days(moment.now)
        if last is not None and moment.filters.period != CUSTOM:
            last = min(last, moment.now.date())
        times = spans(self.time, totals_of(frame, self.time, self.asked.by)[self.time].tolist(), first, last)
        chosen = self._groups[: len(SERIES)] if self.other else [None]
        groups = groups[groups[self.other].isin(chosen)] if self.other else groups
        keys = zip(groups[self.time], groups[self.other] if self.other else [None] * len(groups), strict=True)
        found = dict(zip(keys, groups[self.metric], strict=True))
        nothing = adds_nothing(self.metric)
        lines = [[found.get((time, group), nothing) for time in times] for group in chosen]
        return pd.DataFrame(self._courses(times, lines) | self._texts(times, lines, chosen, named))

    def _courses(self, times: list[pd.Timestamp], lines: list[list[Any]]) -> dict[str, Any]:
        columns = dict(zip(SERIES, map(floats, lines), strict=False))
        courses = pd.DataFrame({name: columns.get(name, [float("nan")] * len(times)) for name in SERIES})
        left, right = edges(pd.Series(times))
        ends = {"revenue": courses.max(axis=1), "lowest": courses.min(axis=1)}
        return {"day": pd.Series(times).astype("datetime64[ns]"), "left": left, "right": right, **courses, **ends}

    def _texts(
        self, times: list[pd.Timestamp], lines: list[list[Any]], chosen: Sequence[Any], named: GroupNames
    ) -> dict[str, list[str]]:
        heads = [f"{named.of(self.other, group)}: " if self.other else "" for group in chosen]
        told = [self.texts(line) for line in lines]
        texts = [
            "\n".join(head + line[place] for head, line in zip(heads, told, strict=True)) for place in range(len(times))
        ]
        return {"name": [named.of(self.time, time) for time in times], "text": texts}

    def summarized(self, data: pd.DataFrame) -> str:
        """``30 days, highest … with …``; of several lines which they are."""
        values = {
            "count": counted(len(data), "point"),
            "first": data["name"].iloc[0],
            "last": data["name"].iloc[-1],
        }
        if self.other:
            names = ", ".join(text for _kind, text in self.card.legend)
            return _("{count} from {first} to {last}, a line each for {names}.", **values, names=names)
        return _("{count} from {first} to {last}, {extremes}.", **values, extremes=_extremes(data))

    def left_out(self) -> str:
        """How many lines are not drawn."""
        return self.drawn_of(len(SERIES), len(self._groups), self.other) if self.other else ""

    def name_axes(self, figure: Plot) -> None:
        """The figures are at the left."""
        figure.yaxis[0].axis_label = self.unit

    def plot(self, data: pd.DataFrame) -> Any:
        """As many lines as there are colours, and what the pointer reads of all of them."""
        lines = [
            hvPlot(data).line(x="day", y=name, color=color, line_width=2, **QUIET).opts(**BARE)
            for name, color in zip(SERIES, theme.PALETTE, strict=True)
        ]
        columns = ["name", "text", "left", "right", "lowest"]
        points = hvPlot(data).scatter(x="day", y="revenue", hover_cols=columns, color=theme_color(), size=1, **QUIET)
        read = points.opts(tools=["hover"], default_tools=[], framewise=True, hover_tooltips=TOLD, alpha=0)
        layers = hv.Overlay([*lines, read])
        return layers.opts(
            hv.opts.Overlay(
                responsive=True,
                height=self.height,
                toolbar=None,
                yformatter=amounts(),
                xformatter=days_of_axis(),
                ylim=(0, None),
                ylabel="",
                hooks=[frameless, dotted],
                show_legend=False,
            )
        )


def dotted(plot: Any, _element: Any) -> None:
    """A hook: a dot at each point, as one alone makes no line; the pointer anywhere reads the time it is at."""
    figure = plot.state
    *lines, points = list(figure.renderers)
    for line, name, color in zip(lines, SERIES, theme.PALETTE, strict=True):
        figure.scatter("day", name, source=line.data_source, size=4, color=color)
    look = {"fill_alpha": 0, "line_alpha": 0, "hover_fill_color": theme_color(), "hover_fill_alpha": 0.12}
    bands = figure.quad("left", "right", 0, "revenue", source=points.data_source, hover_line_alpha=0, **look)
    (hover,) = figure.select(HoverTool)
    hover.update(renderers=[bands], mode="vline", attachment="horizontal")


MOST_ACROSS, MOST_DOWN = 24, 20


class QuestionCells(QuestionChart):
    """A cell for each pair of groups."""

    height = 360

    def __init__(self, source: Feed, asked: Asked, metric: str) -> None:
        super().__init__(source, asked, metric)
        self._room = (0, 0)  # how many rows and columns there were: Bokeh trips over fewer categories
        self._counts = (0, 0)

    @property
    def reads(self) -> Mapping[str, str]:  # type: ignore[override]
        """What the table of the chart has."""
        one, other = (DIMENSIONS[name].label for name in self.asked.by)
        return {_("{one} and {other}", one=one, other=other): "name", self.unit: "text"}

    def variant(self) -> Hashable:
        """The question, and for how many there is room."""
        return self.asked, self.metric, self._room

    def draw(self, moment: Moment, frame: pd.DataFrame) -> None:
        """Keeps room for as many rows and columns as there were."""
        self._counts = (
            len(totals_of(frame, self.asked.by[0], self.asked.by)),
            len(totals_of(frame, self.asked.by[1], self.asked.by)),
        )
        down, across = min(self._counts[0], MOST_DOWN), min(self._counts[1], MOST_ACROSS)
        self._room = (max(self._room[0], down), max(self._room[1], across))
        self.height = max(type(self).height, 120 + ROW * self._room[0])
        super().draw(moment, frame)

    def _axis(self, frame: pd.DataFrame, place: int, most: int) -> list[Any]:
        name = self.asked.by[place]
        return ranked(totals_of(frame, name, self.asked.by), name, self.metric)[:most]

    def prepare(self, moment: Moment, frame: pd.DataFrame) -> pd.DataFrame:
        """Every cell of the first rows and columns; one without a sale has nothing of a sum."""
        groups, named = rows_of(frame, EACH), GroupNames(frame, moment.names)
        rows, columns = self._axis(frame, 0, MOST_DOWN), self._axis(frame, 1, MOST_ACROSS)
        down, across = self.asked.by
        groups = groups[groups[down].isin(rows) & groups[across].isin(columns)]
        found = dict(zip(zip(groups[down], groups[across], strict=True), groups[self.metric], strict=True))
        names = [
            [named.of(by, value) for value in values] for by, values in zip(self.asked.by, (rows, columns), strict=True)
        ]
        labels = [_roomy(short(texts, LABEL_LENGTH), room) for texts, room in zip(names, self._room, strict=True)]
        made = []
        for row in reversed(range(self._room[0])):
            for column in range(self._room[1]):
                is_there = row < len(rows) and column < len(columns)
                value = found.get((rows[row], columns[column]), adds_nothing(self.metric)) if is_there else None
                name = f"{names[0][row]}, {names[1][column]}" if is_there else ""
                made.append((labels[0][row], labels[1][column], value, name, 1.0 if value is not None else 0.0))
        data = pd.DataFrame(made, columns=["down", "across", "figure", "name", "alpha"])
        figures = data.pop("figure").tolist()
        return data.assign(revenue=floats(figures), text=self.texts(figures))

    def summarized(self, data: pd.DataFrame) -> str:
        """``7 by 5 cells, highest … with …``."""
        down, across = self._counts
        return _("{down} by {across} groups, {extremes}.", down=down, across=across, extremes=_extremes(data))

    def left_out(self) -> str:
        """How many rows and columns are not drawn."""
        told = zip((MOST_DOWN, MOST_ACROSS), self._counts, self.asked.by, strict=True)
        return " ".join(filter(None, (self.drawn_of(*one) for one in told)))

    def _table(self) -> str:
        """Without the places that are kept."""
        data = self._data
        self._data = data[data["name"] != ""].iloc[::-1]
        try:
            return super()._table()
        finally:
            self._data = data

    def name_axes(self, figure: Plot) -> None:
        """What is below, at the left, and what the colours count."""
        figure.xaxis[0].axis_label = DIMENSIONS[self.asked.by[1]].label
        figure.yaxis[0].axis_label = DIMENSIONS[self.asked.by[0]].label
        for bar in figure.select(ColorBar):
            bar.update(title=self.unit)

    def plot(self, data: pd.DataFrame) -> Any:
        """The cells."""
        return cells(data, ("across", "down"), ["name"], TOLD, height=self.height, xlabel="")


def _roomy(labels: list[str], room: int) -> list[str]:
    return [*labels, *(NO_WIDTH * (number + 1) for number in range(room - len(labels)))]


def _extremes(data: pd.DataFrame) -> str:
    known = data.dropna(subset=["revenue"])
    return _("none of them defined") if known.empty else extremes(known, "name")
