"""chart(): an interactive chart that needs no server, no widget and no network where BokehJS is on the page."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import holoviews as hv
import holoviews.plotting.bokeh  # registers what draws; hv.extension would also load it into the notebook
import pandas as pd
from bokeh.embed import json_item
from bokeh.models import ColumnDataSource, LayoutDOM

from workbench.reports.tables import Table, folded

CLASS = "workbench-chart"
# What a notebook shows where BokehJS has not been loaded: loading it here would put megabytes into every notebook.
WITHOUT = "The exported report has this chart. To see it here, run: from workbench import inline; inline.prepare()"
HTML = """<div id="{place}" class="{kind}" style="min-height: {height}px"></div>
<script>
(function () {{
  const place = document.getElementById("{place}")
  if (window.Bokeh) {{ Bokeh.embed.embed_item({item}, "{place}") }}
  else if (place) {{ place.textContent = "{without}" }}
}})()
</script>"""


class Chart:
    """A chart of HoloViews or Bokeh. Its text says what is drawn, with every figure: all that tests compare."""

    def __init__(self, drawn: Any, height: int) -> None:
        self._drawn, self._height = drawn, height

    def __repr__(self) -> str:
        return "\n".join([str(self._drawn), *(str(Table(frame)) for frame in self._frames())])

    def _frames(self) -> list[pd.DataFrame]:
        """What is drawn, a frame for each part; floats have two places, as what they are drawn from."""
        if isinstance(self._drawn, LayoutDOM):
            sources = self._drawn.select({"type": ColumnDataSource})
            return [pd.DataFrame(source.data).round(2) for source in sources if isinstance(source, ColumnDataSource)]
        return [element.dframe().round(2) for element in self._drawn.traverse(specs=[hv.Element])]

    def _repr_html_(self) -> str:
        """The chart itself. The same figures make the same text."""
        drawn = self._drawn
        if not isinstance(drawn, LayoutDOM):
            drawn = hv.render(drawn, backend="bokeh")
            drawn.update(width=None, height=self._height, sizing_mode="stretch_width")
            drawn.toolbar.logo = None
        figures = "".join(folded(frame) for frame in self._frames())
        return embedded(drawn, self._height) + figures


def embedded(figure: LayoutDOM, height: int) -> str:
    """The HTML of a figure, ``height`` pixels high, on a page that has BokehJS."""
    item = as_json(figure)
    place = f"chart-{hashlib.sha256(item.encode()).hexdigest()[:16]}"
    return HTML.format(place=place, kind=CLASS, height=height, item=item, without=WITHOUT)


def as_json(figure: LayoutDOM) -> str:
    """What BokehJS embeds, as it can stand in a script."""
    return json.dumps(json_item(figure)).replace("<", "\\u003c")  # data must not end the script


def chart(drawn: Any, height: int = 320) -> Chart:
    """A chart of any HoloViews element (what hvplot makes) or Bokeh model, ``height`` pixels high."""
    return Chart(drawn, height)
