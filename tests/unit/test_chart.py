"""A chart is drawn once by hvplot; after that its data is written, and no more than what has changed is sent."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import holoviews as hv
import pandas as pd
import pytest
from bokeh.document import Document
from bokeh.models import FactorRange, NumeralTickFormatter

from workbench.dashboards import chart
from workbench.dashboards.bars import BarTile
from workbench.dashboards.chart import NO_WIDTH, write

BARS = pd.DataFrame(
    {
        "label": ["Store 2", "Store 1"],
        "revenue": [5.0, 7.5],
        "name": ["Store 2", "Store 1"],
        "text": ["USD 5.00", "USD 7.50"],
        "value": ["5.00", "7.50"],
        "share": ["40.0%", "60.0%"],
        "change": ["+2.0%", "–"],
        "color": ["#0072b2", "#0072b2"],
        "alpha": [1.0, 1.0],
    }
)


@pytest.fixture
def drawn() -> Any:
    """The figure that bars are drawn as."""
    hv.Store.set_current_backend("bokeh")
    about: Any = {"reads": {"Store": "name", "Share": "share"}, "unit": "Revenue (USD)", "summary": "Two stores."}
    tile: Any = SimpleNamespace(height=300, amounts=NumeralTickFormatter(), **about)
    return hv.render(BarTile.plot(tile, BARS))


def sent(figure: Any, *frames: pd.DataFrame) -> list[Any]:
    """What goes to the browser when frames are written, one after the other."""
    document, events = Document(), []
    document.add_root(figure)
    document.on_change(events.append)
    for data in frames:
        write(figure, data)
    return events


def test_marks_look_as_the_columns_say_though_all_had_the_same_at_first(drawn: Any) -> None:
    write(drawn, BARS.assign(alpha=[0.3, 1.0], color=["#d55e00", "#0072b2"]))
    (bars,) = drawn.renderers
    assert (bars.glyph.fill_alpha, bars.glyph.fill_color) == ("alpha", "color")
    assert list(bars.data_source.data["alpha"]) == [0.3, 1.0]
    assert list(bars.data_source.data["color"]) == ["#d55e00", "#0072b2"]


def test_only_the_columns_that_have_changed_are_sent_in_one_event(drawn: Any) -> None:
    changed = BARS.assign(revenue=[6.0, 7.5], text=["USD 6.00", "USD 7.50"])
    (event,) = sent(drawn, changed, changed.copy())
    assert set(event.cols) == {"revenue", "text"}


def test_other_bars_and_more_of_them_are_written_into_the_same_figure(drawn: Any) -> None:
    more = pd.concat([BARS.assign(label=["Store 9", "Store 2"]), BARS.head(1).assign(label="Store 1")])
    before = drawn.renderers[0].data_source
    sent(drawn, more)
    assert isinstance(drawn.y_range, FactorRange)
    assert drawn.y_range.factors == ["Store 9", "Store 2", "Store 1"]
    places = drawn.extra_y_ranges["values"].factors  # at the right end of the bars, each of them in its row
    assert [text.replace(NO_WIDTH, "") for text in places] == ["5.00", "7.50", "5.00"] and len(set(places)) == 3
    assert drawn.renderers[0].data_source is before
    assert {len(values) for values in before.data.values()} == {3}


def test_holoviews_options_are_made_anew_once_and_nobody_draws_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two pages that are built at once: the second found no `HeatMap` among the options."""
    made, went_on = list[bool](), threading.Event()

    def slow(_name: str) -> None:
        made.append(went_on.wait(0.5))

    monkeypatch.setattr(chart, "_is_bokeh", False)
    monkeypatch.setattr(hv.Store, "set_current_backend", slow)
    with ThreadPoolExecutor(2) as pages:
        for page in [pages.submit(lambda: (chart.use_bokeh(), went_on.set())) for _ in range(2)]:
            page.result()
    assert made == [False], "a page went on while the options were made, or they were made twice"
