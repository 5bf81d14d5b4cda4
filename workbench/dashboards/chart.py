"""Charts: drawn once by hvplot; whenever the frame changes, what is drawn from is written, never built anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import partial
from typing import Any

import holoviews as hv
import holoviews.plotting.bokeh  # registers what draws; hv.extension would also load it into a notebook
import pandas as pd
import panel as pn
from bokeh.models import DataRange1d, FactorRange, NumeralTickFormatter
from holoviews.streams import Pipe
from panel.viewable import Viewable

from workbench import look
from workbench.connection import Workbench
from workbench.dashboards.feed import Feed, Moment
from workbench.dashboards.tile import Tile
from workbench.filters import Filters
from workbench.inline import is_served

NO_WIDTH = "\u200b"
COPIES = {"zvalues": "revenue"}  # a column that HoloViews makes of another, to draw by it
CHOSEN, OTHER = 1.0, 0.3  # how opaque a chosen bar is, and the others beside it


class ChartTile(Tile):
    """A tile whose body is a chart of ``plot``'s, ``height`` pixels high."""

    height = 300

    def __init__(self, source: Workbench | Feed, filters: Filters | None = None) -> None:
        super().__init__(source, filters)
        self.pipe = Pipe(data=None)
        self._pane: pn.pane.HoloViews | None = None
        # A Bokeh model belongs to one page.
        self.amounts = NumeralTickFormatter(format="0,0.[0]a")

    def plot(self, data: pd.DataFrame) -> Any:
        """The HoloViews element for what ``prepare`` made."""
        raise NotImplementedError

    def prepare(self, moment: Moment, frame: pd.DataFrame) -> pd.DataFrame:
        """The frame with what only the drawing needs: labels, texts, colours, floats."""
        raise NotImplementedError

    def listen(self, chart: hv.DynamicMap) -> None:
        """Takes note of clicks and brushes; for charts that have them."""

    def draw(self, moment: Moment, frame: pd.DataFrame) -> None:
        """Writes the frame into the chart wherever it is shown; one that is shown later is drawn from it."""
        data = self.prepare(moment, frame)
        self.pipe.update(data=data)
        for plot, _ in () if self._pane is None else self._pane._plots.values():
            write(plot.state, data)
            plot.push()

    def drawn(self) -> Viewable:
        """The pane of the chart; its axes are its own."""
        hv.Store.set_current_backend("bokeh")
        self._pane = pn.pane.HoloViews(
            self.chart(), linked_axes=False, height=self.height, sizing_mode="stretch_width", margin=0
        )
        if is_served():
            pn.state.on_session_destroyed(partial(forget, self._pane))
        return self._pane

    def chart(self) -> Any:
        """What the pane draws: again for each page or output that shows the tile, from the newest data."""
        made = hv.DynamicMap(self.plot, streams=[self.pipe])
        self.listen(made)
        return made


def write(figure: Any, data: pd.DataFrame) -> None:
    """Puts a frame into a figure that was drawn from one with the same columns; what is the same is not sent."""
    for axis, place in (("x_range", "x"), ("y_range", "y")):
        if isinstance(found := getattr(figure, axis), FactorRange):
            column = getattr(figure.renderers[0].glyph, place)
            found.factors = list(dict.fromkeys(data[getattr(column, "field", column)]))
    for source in {renderer.data_source for renderer in figure.renderers}:
        columns = {name: data[COPIES.get(name, name)].to_numpy() for name in source.data}
        changed = {name: new for name, new in columns.items() if not _same(new, source.data[name])}
        if len(data) != len(next(iter(source.data.values()))):
            source.data = columns
        elif changed:
            source.data.update(changed)


def _same(new: Any, old: Any) -> bool:
    return pd.Series(new).equals(pd.Series(old))


def forget(pane: pn.pane.HoloViews, _context: object) -> None:
    """Cleans up the plots of a page that is closed; HoloViews would keep them, and with them the page, for ever.

    Its callbacks of clicks and brushes are in a dictionary of the whole process. Panel 1.9 cleans plots up by asking
    the page's models for their children, but Bokeh 3.9 has emptied the models by then.
    """
    while pane._plots:
        _, (plot, _) = pane._plots.popitem()
        plot.cleanup()


def padded(data: pd.DataFrame, label: str, length: int) -> pd.DataFrame:
    """``data`` with empty rows at its end, up to ``length``, each with an invisible label of its own.

    Bokeh trips when a chart of categories gets fewer of them than it had; and bars keep their width this way.
    """
    missing = length - len(data)
    if missing <= 0:
        return data
    empty = pd.DataFrame({label: [NO_WIDTH * (number + 1) for number in range(missing)], "alpha": 0.0})
    return pd.concat([data, empty], ignore_index=True).fillna({"color": "#000000", "name": "", "text": ""})


def floats(values: Iterable[Decimal | int | None]) -> list[float]:
    """Figures as they are drawn; they stay Decimal up to here."""
    return [float("nan") if value is None else float(value) for value in values]


def alphas(values: Iterable[Any], chosen: Iterable[Any]) -> list[float]:
    """How opaque each value's mark is: all are, unless some are chosen."""
    among = set(chosen)
    return [CHOSEN if not among or value in among else OTHER for value in values]


def short(texts: Iterable[str], length: int) -> list[str]:
    """Labels of at most ``length`` characters, all different: two marks with one label would fall together."""
    found: list[str] = []
    for text in texts:
        label = text if len(text) <= length else text[: length - 1] + "…"
        number = 1
        while label in found:
            number += 1
            label = f"{text[: length - 4]}… {number}"
        found.append(label)
    return found


def by_column(**columns: str) -> Callable[[Any, Any], None]:
    """A hook: marks look as these columns say. HoloViews would draw by a single value where all rows have the same."""

    def draw_by(plot: Any, _element: Any) -> None:
        plot.handles["glyph"].update(**columns)

    return draw_by


def frameless(plot: Any, _element: Any) -> None:
    """A hook: a quiet look, and ranges that follow what is written. What is chosen is in the data, not a selection."""
    quiet(plot.state)
    for renderer in plot.state.renderers:
        renderer.update(selection_glyph=None, nonselection_glyph=None, hover_glyph=None, muted_glyph=None)
    for axis in ("x_range", "y_range"):
        found = getattr(plot.state, axis)
        if not isinstance(found, FactorRange):
            made = DataRange1d(start=0) if found.start == 0 else DataRange1d(range_padding=0.02)
            setattr(plot.state, axis, made)


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
    figure.xgrid.grid_line_color = None


def theme_color(number: int = 0) -> str:
    """The colour of a chart that needs only one."""
    return look.PALETTE[number]
