"""Charts: one hvplot chart that is patched in the page whenever its frame changes, never built anew."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import partial
from typing import Any

import holoviews as hv
import holoviews.plotting.bokeh  # registers what draws; hv.extension would also load it into a notebook
import pandas as pd
import panel as pn
from bokeh.models import NumeralTickFormatter
from holoviews.streams import Pipe
from panel.viewable import Viewable

from workbench import look
from workbench.connection import Workbench
from workbench.dashboards.feed import Feed, Moment
from workbench.dashboards.tile import Tile
from workbench.filters import Filters
from workbench.inline import is_served

NO_WIDTH = "\u200b"
CHOSEN, OTHER = 1.0, 0.3  # how opaque a chosen bar is, and the others beside it


class ChartTile(Tile):
    """A tile whose body is a chart of ``plot``'s, ``height`` pixels high."""

    height = 300

    def __init__(self, source: Workbench | Feed, filters: Filters | None = None) -> None:
        super().__init__(source, filters)
        self.pipe = Pipe(data=None)
        self.chart: hv.DynamicMap | None = None
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
        """Sends the frame to the chart."""
        self.pipe.send(self.prepare(moment, frame))

    def drawn(self) -> Viewable:
        """The pane of the chart."""
        hv.Store.set_current_backend("bokeh")
        self.chart = hv.DynamicMap(self.plot, streams=[self.pipe])
        self.listen(self.chart)
        return self.pane(self.chart)

    def pane(self, chart: Any) -> pn.pane.HoloViews:
        """The pane of a chart; its axes are its own."""
        made = pn.pane.HoloViews(chart, linked_axes=False, height=self.height, sizing_mode="stretch_width", margin=0)
        if is_served():
            pn.state.on_session_destroyed(partial(forget, made))
        return made


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


def frameless(plot: Any, _element: Any) -> None:
    """A hook: no frame around the chart, quiet grid lines, and colours that the page's theme decides."""
    quiet(plot.state)


def quiet(figure: Any) -> None:
    """The same for a Bokeh figure."""
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
