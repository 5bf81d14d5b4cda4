"""Charts: each kind is drawn once a process by hvplot. A page gets a copy of it, into which its figures are written."""

from __future__ import annotations

import json
import math
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar, cast
from weakref import WeakKeyDictionary

import holoviews as hv
import numpy as np
import pandas as pd
import panel as pn
from bokeh.core.json_encoder import serialize_json
from bokeh.core.serialization import Deserializer, Serializer
from bokeh.document import Document
from bokeh.events import Tap
from bokeh.models import (
    CategoricalAxis,
    DataRange1d,
    DatetimeTickFormatter,
    FactorRange,
    Grid,
    Model,
    NoOverlap,
    NumeralTickFormatter,
    Plot,
)
from bokeh.models.renderers import GlyphRenderer
from bokeh.util.serialization import make_id
from holoviews.plotting.bokeh.renderer import (
    BokehRenderer,  # registers it too; hv.extension would load it into a notebook
)
from panel.viewable import Viewable

from workbench.components import theme
from workbench.components.html import table_html
from workbench.connection import Workbench
from workbench.dashboards.feed import Feed, Moment
from workbench.dashboards.tile import MOST_ROWS, Tile, first_of, once
from workbench.dashboards.tile_card import Button, Still
from workbench.database.replication import Answer
from workbench.files import FORMATS
from workbench.filters import Filters
from workbench.locale import _, conventions
from workbench.metrics import METRICS

NO_WIDTH = "\u200b"
COPIES = {"zvalues": "revenue"}  # a column that HoloViews makes of another, to draw by it
AMOUNTS = ("revenue", "before", "lowest")
FROM_ZERO, BELOW = "from zero", "below zero"  # tags of an axis
BESIDE = "values"  # the range of the values at the right end of bars
TEXTS = ("name", "text", "value", "share", "change")
ADDING = ("ctrl", "shift", "meta")  # a click with Ctrl is the right button on a Mac
ID = re.compile(r'(?<="id":")[^"]+')
# What says how something is drawn, and knows nothing of what: one of a page serves all of its charts.
SHARED = frozenset(
    {
        *("AllIndices", "BasicTicker", "CategoricalScale", "CategoricalTicker", "CategoricalTickFormatter"),
        *("LinearScale", "NoOverlap", "NumeralTickFormatter", "UnionRenderers"),
    }
)
Parts = dict[str, Model]  # of SHARED, by what they are
_parts: WeakKeyDictionary[Document, Parts] = WeakKeyDictionary()
_drawing = threading.Lock()
_drawn: WeakKeyDictionary[type, dict[str, str]] = WeakKeyDictionary()  # by kind of chart and currency
CHOSEN, OTHER = 1.0, 0.3  # how opaque a chosen bar is, and the others beside it


class ChartTile(Tile):
    """A tile whose body is a chart, ``height`` pixels high, or the table of what is drawn.

    ``plot`` is asked once a process for each kind of chart: whatever differs from page to page is in the data.
    ``reads`` names in English what the pointer reads of a mark, and the column that holds its text: the table's heads
    too.
    """

    height = 300
    has_chart = True
    files: ClassVar[Mapping[str, str]] = FORMATS | {"png": "PNG", "svg": "SVG"}
    reads: ClassVar[Mapping[str, str]] = {}

    def __init__(self, source: Workbench | Feed, filters: Filters | None = None) -> None:
        super().__init__(source, filters)
        self.is_table = False
        self._data = pd.DataFrame()

    @cached_property
    def _chart(self) -> Chart:
        return Chart(self._figure)

    def plot(self, data: pd.DataFrame) -> Any:
        """The HoloViews element for what ``prepare`` made."""
        raise NotImplementedError

    def prepare(self, moment: Moment, frame: pd.DataFrame) -> pd.DataFrame:
        """The frame with what only the drawing needs: labels, texts, colours, floats."""
        raise NotImplementedError

    def summarized(self, data: pd.DataFrame) -> str:
        """What ``prepare`` made in one sentence."""
        raise NotImplementedError

    def marks(self, data: pd.DataFrame) -> pd.DataFrame:
        """What of it is drawn, in the order in which it is."""
        return data

    def offers(self) -> list[Button]:
        """Buttons of the head besides the one for the table."""
        return []

    def listen(self, figure: Plot) -> None:
        """Takes note of clicks and brushes; for charts that have them."""

    def draw(self, moment: Moment, frame: pd.DataFrame) -> None:
        """Writes the frame into the chart wherever it is shown; one that is shown later is drawn from it."""
        self._data = self.prepared(moment, frame)
        self.redraw()

    def redraw(self) -> None:
        """Shows what was prepared last, as the buttons say."""
        for figure in self._chart.figures:
            self._write(figure)
        pn.io.push_notebook(self._chart)
        self.card.buttons = [*self.offers(), ("table", _("Table"), self.is_table)]
        self.card.fill(self._table() if self.is_table else "", is_open=not self.is_table)

    def _table(self) -> str:
        heads = [(_(head), number > 0) for number, head in enumerate(self.reads)]
        rows = self._data[list(self.reads.values())].head(MOST_ROWS).itertuples(index=False)
        return f'{first_of(len(self._data))}<div class="tall">{table_html(heads, rows, kind="full")}</div>'

    def pressed(self, button: str) -> None:
        """Shows the table, or the chart again."""
        if button == "table" and self.card.body is not None:
            self.is_table = not self.is_table
            self.redraw()

    def drawn(self) -> Viewable:
        """The chart, which scrolls where it is higher than its card lets it be."""
        return self._chart

    def still(self, moment: Moment, answer: Answer[pd.DataFrame]) -> Still:
        """The chart, with the table of what is drawn folded below it; or as the page does, the table alone."""
        still = super().still(moment, answer)
        if not self.card.is_open:
            return still
        table = f'<details class="figures"><summary>{_("The figures")}</summary>{self._table()}</details>'
        figure = self._copy()
        self._write(figure)
        return replace(still, about="", html=table, figure=figure)  # there is nothing to click

    def _figure(self, page: Document | None = None) -> Plot:
        figure = self._copy(page)
        self.listen(figure)
        self._write(figure)
        return figure

    def _copy(self, page: Document | None = None) -> Plot:
        """A chart of its own, for the newest data to be written into; it shares its parts with those of a page."""
        with _drawing:  # HoloViews' options and its current backend are the whole process's
            drawn = _drawn.setdefault(type(self), {})
            if self.currency not in drawn:
                _use_bokeh()
                # In a document of its own: that of the page may be gone by now.
                draw = BokehRenderer.instance(mode="server").get_plot_state
                drawn[self.currency] = serialized(draw(self.plot(self.marks(self._data)), doc=Document()))
        is_served = page is not None and page.session_context is not None
        return copied(drawn[self.currency], _parts.setdefault(page, {}) if page is not None and is_served else {})

    def _write(self, figure: Plot) -> None:
        data = self._data
        write(figure, once(data, (type(self), "marks", self.variant()), lambda: self.marks(data)))
        summary = f"{self.heading}: {once(data, (type(self), 'summary'), lambda: self.summarized(data))}"
        figure.update(height=self.height, html_attributes={"role": "img", "aria-label": summary})


def _use_bokeh() -> None:
    """Has HoloViews draw by Bokeh. To tell it again would read all options again, a sixth of what a chart takes.

    It is "bokeh" as soon as that is imported, but without options.
    """
    if hv.Store.current_backend != "bokeh" or not hasattr(hv.opts, "Overlay"):
        hv.Store.set_current_backend("bokeh")


class Chart(pn.pane.Bokeh):
    """A figure that is made anew for each page or output that shows it."""

    def __init__(self, make: Callable[[Document], Plot]) -> None:
        super().__init__(None, margin=0, sizing_mode="stretch_width")
        self._make = make

    @property
    def figures(self) -> list[Plot]:
        """The figures wherever it is shown."""
        return [figure for figure, _ in self._models.values()]

    def _get_model(self, doc: Any, root: Any = None, parent: Any = None, comm: Any = None) -> Plot:
        figure = self._make(doc)
        if comm:
            self._wrap_bokeh_callbacks(root, figure, doc, comm)
        self._models[root.ref["id"]] = (figure, parent)
        self._design.apply_bokeh_theme_to_model(figure, self.theme)
        return figure


def serialized(figure: Plot) -> str:
    """A figure in JSON, with all that belongs to it, but no callback of Python's."""
    return serialize_json(Serializer(deferred=False).encode(figure))


def copied(drawn: str, parts: Parts | None = None) -> Plot:
    """A figure of its own, whose models have ids of their own, of what ``serialized`` gave.

    What of SHARED is among ``parts`` is taken from there, the rest of it is added to them.
    """
    ids: dict[str, str] = {}
    tree = json.loads(ID.sub(lambda found: ids.get(found[0]) or ids.setdefault(found[0], make_id()), drawn))
    if parts is None:
        return cast(Plot, Deserializer().decode(tree))
    found = {key: str(part.id) for key, part in parts.items()}
    figure = cast(Plot, Deserializer(references=list(parts.values())).decode(_sharing(tree, found, {})))
    if new := {found[key]: key for key in found.keys() - parts.keys()}:
        parts |= {new[model.id]: model for model in figure.references() if model.id in new}
    return figure


def _sharing(tree: Any, found: dict[str, str], left_out: dict[str, str]) -> Any:
    """What was read from JSON, with the ids of parts that were ``found`` in place of others like them, ``left_out``."""
    if isinstance(tree, list):
        return [_sharing(each, found, left_out) for each in tree]
    if not isinstance(tree, dict):
        return tree
    if tree.keys() == {"id"}:
        return {"id": left_out.get(tree["id"], tree["id"])}
    if tree.get("name") in SHARED and "id" in tree:
        known = found.setdefault(json.dumps([tree["name"], tree.get("attributes")]), tree["id"])
        if known == tree["id"]:
            return tree
        left_out[tree["id"]] = known
        return {"id": known}
    return {name: _sharing(each, found, left_out) for name, each in tree.items()}


def on_click(figure: Plot, clicked: Callable[[Any, Any, bool], None]) -> None:
    """Calls ``clicked`` with the places of a click, on a categorical axis the category or None, and whether it adds.

    A click with Ctrl adds a mark to those that are there; a plain one replaces them.
    """

    def tell(event: Any) -> None:
        x, y = _place(figure.x_range, event.x), _place(figure.y_range, event.y)
        clicked(x, y, any((event.modifiers or {}).get(key) for key in ADDING))

    figure.on_event(Tap, tell)


def _place(axis: Any, place: float | None) -> Any:
    if not isinstance(axis, FactorRange) or place is None:
        return place
    number = math.floor(place)
    return axis.factors[number] if 0 <= number < len(axis.factors) else None


def write(figure: Any, data: pd.DataFrame) -> None:
    """Puts a frame into a figure that was drawn from one with the same columns; what is the same is not sent."""
    places = once(data, "columns", lambda: {str(name): column.to_numpy() for name, column in data.items()})
    for axis, place in (("x_range", "x"), ("y_range", "y")):
        if isinstance(found := getattr(figure, axis), FactorRange):
            column = getattr(figure.renderers[0].glyph, place)
            _tell(found, list(dict.fromkeys(places[getattr(column, "field", column)])))
        elif FROM_ZERO in found.tags:
            _let_below(figure, axis, any((data[name] < 0).any() for name in AMOUNTS if name in data))
    if BESIDE in figure.extra_y_ranges:
        _tell(figure.extra_y_ranges[BESIDE], unlike(places["value"]))
    for source in {renderer.data_source for renderer in figure.renderers}:
        columns = {name: places[COPIES.get(name, name)] for name in source.data}
        changed = {name: new for name, new in columns.items() if not _same(new, source.data[name])}
        if len(data) != len(next(iter(source.data.values()))):
            source.data = columns
        elif changed:
            source.data.update(changed)


def _let_below(figure: Any, axis: str, has_below: bool) -> None:
    """An axis that begins at 0 hides what is below, as when more was returned than sold; Bokeh takes it only anew."""
    if has_below != (BELOW in getattr(figure, axis).tags):
        tags = [FROM_ZERO, BELOW] if has_below else [FROM_ZERO]
        setattr(figure, axis, DataRange1d(tags=tags) if has_below else DataRange1d(start=0, tags=tags))


def _tell(axis: FactorRange, factors: list[str]) -> None:
    if axis.factors != factors:
        axis.factors = factors


def _same(new: Any, old: Any) -> bool:
    """Whether two columns hold the same; pages that were drawn alike before hold the very same."""
    if new is old:
        return True
    is_plain = isinstance(old, np.ndarray) and new.dtype == old.dtype and new.dtype.kind in "bifM"
    if not is_plain:
        return pd.Series(new).equals(pd.Series(old))
    return bool(np.array_equal(new, old, equal_nan=True))


def padded(data: pd.DataFrame, label: str, length: int) -> pd.DataFrame:
    """``data`` with empty rows at its end, up to ``length``, each with an invisible label of its own.

    Bokeh trips when a chart of categories gets fewer of them than it had; and bars keep their width this way.
    """
    missing = length - len(data)
    if missing <= 0:
        return data
    empty = pd.DataFrame({label: [NO_WIDTH * (number + 1) for number in range(missing)], "alpha": 0.0})
    return pd.concat([data, empty], ignore_index=True).fillna({"color": "#000000"}).fillna(dict.fromkeys(TEXTS, ""))


def extremes(data: pd.DataFrame, name: str) -> str:
    """``highest Store 3 with USD 12.50, lowest Store 7 with USD 1.30``; ``name`` is the column with their names."""
    most, least = data.iloc[data["revenue"].argmax()], data.iloc[data["revenue"].argmin()]
    return _(
        "highest {most} with {most_text}, lowest {least} with {least_text}",
        most=most[name],
        most_text=most["text"],
        least=least[name],
        least_text=least["text"],
    )


def floats(values: Iterable[Decimal | int | None]) -> list[float]:
    """Figures as they are drawn; they stay Decimal up to here."""
    return [float("nan") if value is None else float(value) for value in values]


def alphas(values: Iterable[Any], chosen: Iterable[Any]) -> list[float]:
    """How opaque each value's mark is: all are, unless some are chosen."""
    among = set(chosen)
    return [CHOSEN if not among or value in among else OTHER for value in values]


def short(texts: Iterable[str], length: int) -> list[str]:
    """Labels of at most ``length`` characters, all different: two marks with one label would fall together."""
    found: dict[str, None] = {}
    numbers = Counter[str]()
    for text in texts:
        label, head = text if len(text) <= length else text[: length - 1] + "…", text[: length - 4]
        while label in found:
            numbers[head] += 1
            label = f"{head}… {numbers[head] + 1}"
        found[label] = None
    return list(found)


def by_column(**columns: str) -> Callable[[Any, Any], None]:
    """A hook: marks look as these columns say. HoloViews would draw by a single value where all rows have the same."""

    def draw_by(plot: Any, _element: Any) -> None:
        plot.handles["glyph"].update(**columns)

    return draw_by


def frameless(plot: Any, _element: Any) -> None:
    """A hook: a quiet look, and ranges that follow what is written. What is chosen is in the data, not a selection."""
    quiet(plot.state)
    plain(plot.state.renderers, hover_glyph=None)
    for axis in ("x_range", "y_range"):
        found = getattr(plot.state, axis)
        if not isinstance(found, FactorRange):
            made = DataRange1d(start=0, tags=[FROM_ZERO]) if found.start == 0 else DataRange1d(range_padding=0.02)
            setattr(plot.state, axis, made)


def plain(renderers: Iterable[GlyphRenderer], **glyphs: None) -> None:
    """They have one look, whatever is chosen."""
    for renderer in renderers:
        renderer.update(selection_glyph=None, nonselection_glyph=None, muted_glyph=None, **glyphs)


def beside(plot: Any, _element: Any) -> None:
    """A hook: the value of each bar at the right end of its row, where none is cut off, in the theme's colours."""
    plot.state.extra_y_ranges = {BESIDE: FactorRange(factors=unlike(plot.handles["source"].data["value"]))}
    plot.state.add_layout(CategoricalAxis(y_range_name=BESIDE), "right")


def unlike(texts: Iterable[str]) -> list[str]:
    """The texts, those that come again with invisible letters at their end: places of an axis must differ."""
    found: list[str] = []
    for text in texts:
        while text in found:
            text += NO_WIDTH
        found.append(text)
    return found


def quiet(figure: Any) -> None:
    """The same for a Bokeh figure; and no WebGL, which costs time without a graphics card and gains none here."""
    figure.output_backend = "canvas"
    figure.outline_line_color = None
    figure.toolbar.logo = None
    figure.min_border_right = 24  # the last label of the axis below is centred on its end
    for axis in figure.axis:
        axis.axis_line_color = None
        axis.major_tick_line_color = None
        axis.minor_tick_line_color = None
        axis.major_label_policy = NoOverlap(min_distance=3)
    figure.xgrid.grid_line_color = None
    figure.title = None if figure.title is None or not figure.title.text else figure.title
    figure.center = [each for each in figure.center if not isinstance(each, Grid) or is_seen(each)]


def is_seen(grid: Grid) -> bool:
    """Whether it draws anything."""
    colors = (grid.grid_line_color, grid.minor_grid_line_color, grid.band_fill_color)
    return bool(grid.visible and any(color is not None for color in colors))


def theme_color(number: int = 0) -> str:
    """The colour of a chart that needs only one."""
    return theme.PALETTE[number]


def tooltips(reads: Mapping[str, str]) -> list[tuple[str, str]]:
    """What the pointer reads (``ChartTile.reads``), as Bokeh has it."""
    return [(_(head), f"@{column}") for head, column in reads.items()]


def amounts() -> NumeralTickFormatter:
    """How the axes write amounts."""
    return NumeralTickFormatter(format="0,0.[0]a")


def unit_text(metric: str, currency: str) -> str:
    """What an axis or a column counts: ``Revenue (USD)``, ``Return rate (%)``."""
    unit = {"money": f" ({currency})", "percent": " (%)"}.get(METRICS[metric].unit, "")
    return f"{METRICS[metric].label}{unit}"


def days_of_axis() -> DatetimeTickFormatter:
    """How the axes write days, months and hours; a browser knows no names of months but English ones."""
    now = conventions()
    days, months = ("%e %b", "%b %Y") if now.is_neutral else (now.of_month, now.of_year)
    return DatetimeTickFormatter(hours=now.time, days=days, months=months, years="%Y", context=None)
